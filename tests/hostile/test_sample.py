"""The jobs of :mod:`tests.hostile.cases`, each in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

CLONE = Path(__file__).parents[2]
CAMPAIGN = bool(os.environ.get("VMSGEN_CAMPAIGN"))
SEED = os.environ.get("VMSGEN_SEED", "")
MEMORY = 64 << 20


def run(job: str, cases: int) -> dict[str, Any]:
    command = [sys.executable, "-m", "tests.hostile.cases", job, "--seed", SEED]
    if not CAMPAIGN:
        command += ["--cases", str(cases)]
    done = subprocess.run(command, cwd=CLONE, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert isinstance(found, dict)
    return found


@pytest.mark.parametrize(
    ("job", "cases", "ends"),
    [
        ("sections-cut", 100, {"TruncatedError"}),
        ("sections-flipped", 10_000, {"read", "DataError", "TruncatedError"}),
        ("binary-cut", 300, {"TruncatedError"}),
        ("binary-flipped", 150, {"read", "DataError"}),
        ("ber-cut", 150, {"TruncatedError"}),
        ("ber-flipped", 150, {"read", "DataError"}),
    ],
)
def test_only_documented_errors_in_bounded_time_and_memory(job: str, cases: int, ends: set[str]) -> None:
    found = run(job, cases)
    assert found["failures"] == []
    assert found["cases"] >= cases
    assert ends <= set(found["outcomes"])
    assert found["memory"] is None or found["memory"] < MEMORY

"""The benchmarks run, and say what they promise; what they measure is not tested."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

CLONE = Path(__file__).parents[1]


def test_ram(tmp_path: Path) -> None:
    out = tmp_path / "ram.json"
    script = CLONE / "benchmarks" / "ram.py"
    arguments = ["--mib", "4", "--pairs", "1", "--json", str(out), "--folder", str(tmp_path)]
    subprocess.run([sys.executable, str(script), *arguments], check=True, capture_output=True, cwd=CLONE)
    results = json.loads(out.read_text())
    assert [result["name"] for result in results] == [
        "mixed to ber",
        "mixed to binary",
        "zero to ber",
        "zero to binary",
    ]
    for result in results:
        assert result["pages"] == 1024 and result["ratio"] > 0 and result["peak_mib"] < 100
    assert [path.name for path in tmp_path.iterdir()] == ["ram.json"]

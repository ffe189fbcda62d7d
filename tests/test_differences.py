"""A test that finds megabytes to differ fails at once, wherever it runs."""

from __future__ import annotations

from random import Random

import pytest

SIZE = 4 << 20


def test_two_memories_are_not_laid_out_line_by_line(pytestconfig: pytest.Config) -> None:
    """pytest's own comparison of these takes hours where CI is set (tests/conftest.py), or with -v (pyproject.toml)."""
    assert pytestconfig.get_verbosity(pytest.Config.VERBOSITY_ASSERTIONS) == 0
    random = Random(1)
    got, expected = random.randbytes(SIZE), random.randbytes(SIZE)
    with pytest.raises(AssertionError) as caught:
        assert got == expected
    assert len(str(caught.value)) < 1000

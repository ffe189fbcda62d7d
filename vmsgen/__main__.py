"""The ``vmsgen`` command, and ``python -m vmsgen``."""

from __future__ import annotations

import gc
import sys
from contextlib import suppress

from vmsgen import __version__

__all__ = ["main"]


def main() -> None:
    """Runs the command line and exits with its code."""
    if sys.argv[1:] == ["--version"]:  # what scripts ask first, and often, needs no parser of options
        with suppress(OSError):  # (which is for the command line to report)
            print(f"vmsgen {__version__}", flush=True)
            return
    # what is imported stays, and is not looked through for garbage again and again
    gc.set_threshold(50_000, 50, 100)
    from vmsgen.cli import main as command

    command()


if __name__ == "__main__":
    main()

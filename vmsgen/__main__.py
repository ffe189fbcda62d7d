"""``python -m vmsgen``: the same as the ``vmsgen`` command."""

from vmsgen.cli import main

if __name__ == "__main__":
    main()

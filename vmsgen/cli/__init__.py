"""The ``vmsgen`` command: one group whose sub-commands are imported when they are called.

Each sub-command ``NAME`` is the click command called ``command`` in the module ``vmsgen.cli.NAME`` (``import_`` where
the name is a keyword of Python).
Nothing heavy is imported before that (black, jinja2 and asn1tools cost 50 to 130 ms each), so that
help, ``--version`` and shell completion answer at once.

Exit codes, for every command: 0 fine, 1 findings (bad spec, stale output, a difference), 2 the job
could not be done (usage, unreadable or cut input, I/O, internal error), 128 and the number of a signal
that ended it (130 interrupted, 143 terminated). A command returns its code from its click callback (None
is 0); what it raises is turned into a code here, and said with its notes: they tell what was lost and what not.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import keyword
import os
import signal
import sys
from collections.abc import Sequence
from types import FrameType
from typing import NoReturn

import click

from vmsgen import __version__

__all__ = ["COMMANDS", "LazyGroup", "command", "main"]

#: (group of the help page, command, what it does); the order is the order of the help page.
COMMANDS = (
    ("write", "import", "draft specs from streams and from -dump-vmstate"),
    ("write", "lint", "advice about specs: what is unused, unclear, unbounded or still unknown"),
    ("write", "fmt", "bring specs into the house style  [--check] [--diff]"),
    ("write", "rule", "what a rule of the messages is about"),
    ("build", "build", "make classes, codecs and ASN.1 from the specs  [--check] [--watch]"),
    ("build", "docs", "write the reference pages of the specs"),
    ("streams", "show", "what is in a migration stream: sections, values, statistics"),
    ("streams", "convert", "between QEMU's binary, BER, JSON and a readable trace"),
    ("streams", "tee", "pass a stream on untouched, and log what is in it"),
    ("streams", "verify", "check a stream against the generated schema and its own round trip"),
    ("streams", "diff", "what two streams say differently: machine, fields of devices, memory"),
)

_GROUPS = {
    "write": "Write specs",
    "build": "Build from specs",
    "streams": "Work on migration streams",
}


class LazyGroup(click.Group):
    """A click group that knows its commands by name and imports the one that is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names of the commands that this installation has, in the order of the help page."""
        return [name for _, name, _ in COMMANDS if _present(name)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The click command of that name, or None (click then says that there is no such command)."""
        if cmd_name not in self.list_commands(ctx):
            return None
        found = importlib.import_module(_module(cmd_name)).command
        if not isinstance(found, click.Command):
            raise TypeError(f"{_module(cmd_name)}.command is not a click command")
        return found

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Writes the commands grouped by job, in place of click's alphabetical list."""
        for group, title in _GROUPS.items():
            rows = [(name, text) for its, name, text in COMMANDS if its == group and _present(name)]
            if rows:
                with formatter.section(title):
                    formatter.write_dl(rows)
        with formatter.section("About"):
            formatter.write_dl([("--version", "print the version"), ("COMMAND --help", "every option of a command")])


def _module(name: str) -> str:
    return f"{__name__}.{name}_" if keyword.iskeyword(name) else f"{__name__}.{name}"


def _present(name: str) -> bool:
    return importlib.util.find_spec(_module(name)) is not None


@click.group(
    cls=LazyGroup,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    options_metavar="",
    subcommand_metavar="COMMAND ...",
)
@click.version_option(__version__, "--version", message="vmsgen %(version)s")
@click.pass_context
def command(ctx: click.Context) -> None:
    """Describe device state once; read, write, check and convert QEMU migration streams."""
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())


class _Ended(BaseException):
    """A signal ends the process: what is open is cleaned up on the way out."""

    def __init__(self, number: int) -> None:
        super().__init__(f"ended by {signal.Signals(number).name}")
        self.number = number


def _end(number: int, frame: FrameType | None) -> None:
    signal.signal(number, signal.SIG_DFL)  # for who does not want to wait for that
    raise _Ended(number)


def _fail(message: str, error: BaseException, code: int = 2) -> int:
    """Says why on stderr (which may itself be gone), with the notes of ``error``, and gives the exit code for it."""
    try:
        for line in (message, *(f"vmsgen: {note}" for note in getattr(error, "__notes__", ()))):
            if line:
                click.echo(line, err=True)
    except OSError:
        _drop(sys.stderr.fileno())
    return code


def _drop(descriptor: int) -> None:
    """Points a broken output at /dev/null, so that flushing it at exit says nothing."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, descriptor)
    os.close(null)


def run(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line ``arguments`` (``sys.argv[1:]`` if None) and returns its exit code."""
    try:
        # (not command.main: that turns a broken pipe into exit code 1 before it can be seen here)
        words = sys.argv[1:] if arguments is None else list(arguments)
        with command.make_context("vmsgen", words) as context:
            result = command.invoke(context)
        sys.stdout.flush()
        return result if isinstance(result, int) else 0
    except click.exceptions.Exit as stop:
        return stop.exit_code
    except click.ClickException as error:
        error.show()
        return 2
    except (KeyboardInterrupt, click.Abort) as error:
        return _fail("vmsgen: interrupted" if hasattr(error, "__notes__") else "", error, 130)
    except _Ended as error:
        return _fail(f"vmsgen: {error}", error, 128 + error.number)
    except OSError as error:
        if isinstance(error, BrokenPipeError) and error.filename is None:
            # The reader of what is printed went away (`vmsgen show ... | head`): it has what it wanted. (Streams are
            # written to outputs with a name, and have to be taken to their end.)
            _drop(sys.stdout.fileno())
            return 0
        where = f"{error.filename}: " if error.filename is not None else ""
        return _fail(f"vmsgen: {where}{error.strerror or error}", error)
    except Exception as error:
        from vmsgen.runtime.errors import VmsgenError  # not at the top: `--version` needs no runtime

        if isinstance(error, VmsgenError):
            return _fail(f"vmsgen: {error}", error)
        if os.environ.get("VMSGEN_DEBUG") == "1":
            import traceback

            traceback.print_exc()
        return _fail(f"internal error: {type(error).__name__}: {error} (VMSGEN_DEBUG=1 shows where)", error)


def main() -> NoReturn:
    """Entry point of the ``vmsgen`` console script."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_DFL:  # (nohup)
            signal.signal(number, _end)
    code = run()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):  # gone; where that matters `run` has seen it
            stream.flush()
    # nothing is left to be done, and taking the interpreter apart costs a fifth of what a small stream does
    os._exit(code)

"""What the commands on streams share: their options, the shipped classes, and how warnings are said."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable
    from types import ModuleType

    from vmsgen.qemu.described import WithDescribed
    from vmsgen.runtime.facts import Facts
    from vmsgen.stream.transport.source import ByteSource
    from vmsgen.stream.vmdesc.description import DescribedSection

F = TypeVar("F", bound=Callable[..., Any])

_SAID = 10


def stream_options(function: F) -> F:
    """``--prop``, ``--machine`` and ``--library``."""
    function = click.option(
        "--library",
        metavar="DIR|PACKAGE",
        help="A package that `vmsgen build` made; its states come before the shipped ones.",
    )(function)
    function = click.option(
        "--machine", metavar="NAME", help="Machine type, where the stream does not say it (pc-i440fx-7.2)."
    )(function)
    return click.option(
        "--prop",
        "props",
        multiple=True,
        metavar="NAME=VALUE",
        callback=_pairs,
        help="A fact that the stream does not hold (qemu=7.2, target.long_bits=32, ahci_ports=6). May be repeated.",
    )(function)


def offset_option(function: F, *, of: str = "") -> F:
    """``--offset``, or the one of the other stream where a command reads two."""
    return click.option(
        f"--{of}offset",
        type=PLACE,
        default="0",
        metavar="N",
        help=f"Where {_the_stream(of)} begins in the input (as after QEMU's file:NAME,offset=N).",
    )(function)


def snapshot_option(function: F, *, of: str = "") -> F:
    """``--snapshot``, likewise."""
    return click.option(
        f"--{of}snapshot",
        metavar="NAME",
        help=f"{_the_stream(of).capitalize()} is the guest's state in this snapshot of a qcow2 image.",
    )(function)


def channel_option(function: F, *, of: str = "") -> F:
    """``--channel``, likewise."""
    return click.option(
        f"--{of}channel",
        f"{of.replace('-', '_')}channels",
        multiple=True,
        metavar="FILE",
        help=f"Another channel of {'that' if of else 'the same'} migration (multifd, postcopy-preempt). "
        "May be repeated.",
    )(function)


def _the_stream(of: str) -> str:
    return f"the {of.rstrip('-')} stream" if of else "the stream"


def other_options(function: F) -> F:
    """``--other-channel``, ``--other-snapshot``, ``--other-offset``: those of the second of two streams."""
    for option in (offset_option, snapshot_option, channel_option):
        function = option(function, of="other-")
    return function


class _Place(click.ParamType):  # type: ignore[type-arg,unused-ignore]  # generic from click 8.2 on
    name = "place"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        try:
            place = int(str(value), 0)
        except ValueError:
            place = -1
        if place < 0:
            self.fail(f"{value!r} is no number of bytes, such as 4096 or 0x1000", param, ctx)
        return place


#: A number of bytes, decimal or with 0x.
PLACE = _Place()


def _pairs(context: click.Context, parameter: click.Parameter, values: tuple[str, ...]) -> dict[str, str]:
    found = {}
    for value in values:
        name, equals, answer = value.partition("=")
        if not equals or not name or not answer:
            raise click.BadParameter(f"{value!r} is not NAME=VALUE")
        found[name.strip()] = answer.strip()
    return found


def known_classes(library: str | None) -> WithDescribed:
    """The states of the package that ``--library`` names, then those that come with vmsgen (a word on stderr where that
    library was not built yet), and for what both lack classes made of the stream's own description.

    Raises VmsgenError if there is no such package.
    """
    from vmsgen.packages import layered
    from vmsgen.qemu.described import with_described

    own, shipped = _packages(library)
    if shipped is None:
        click.echo("vmsgen: the library is not built; only the stream's own description is used", err=True)
    return with_described(layered(own, shipped))


class LateClasses:
    """The classes of :func:`known_classes`, found when a section asks for one: who looks at RAM asks for none."""

    def __init__(self) -> None:
        self._found: WithDescribed | None = None

    def _classes(self) -> WithDescribed:
        if self._found is None:
            self._found = known_classes(None)
        return self._found

    def candidates(self, idstr: str, facts: Facts | None = None, part: str = "full") -> list[Any]:
        """See :class:`vmsgen.stream.devices.Classes`."""
        return self._classes().candidates(idstr, facts, part)

    def by_tag(self, tag: int) -> Any | None:
        """See :class:`vmsgen.stream.devices.Classes`."""
        return self._classes().by_tag(tag)

    def described(self, section: DescribedSection, version: int) -> Any | None:
        """See :class:`vmsgen.stream.devices.DescribedClasses`."""
        return self._classes().described(section, version)


def known_schemas(library: str | None) -> list[Traversable]:
    """The folders with the ASN.1 modules for :func:`known_classes`."""
    from vmsgen.packages import asn1_folder

    return [asn1_folder(package) for package in _packages(library) if package is not None]


def _packages(library: str | None) -> tuple[ModuleType | None, ModuleType | None]:
    from vmsgen.packages import generated_package, shipped_library

    return None if library is None else generated_package(library), shipped_library()


def input_of(path: str, offset: int = 0, snapshot: str | None = None, *, mapped: bool = False) -> ByteSource:
    """The stream at a path (in an image, too), or on stdin for ``-``, ``offset`` bytes behind its start. ``mapped``: it
    is read for few of its bytes. Raises VmsgenError, OSError.
    """
    from vmsgen.stream.transport.source import ByteSource

    if path == "-":
        source = ByteSource(
            sys.stdin.buffer.raw if hasattr(sys.stdin.buffer, "raw") else sys.stdin.buffer, name="stdin"
        )
    else:
        from vmsgen.stream.images.detect import opened

        raw = opened(path, snapshot)
        if mapped:
            from vmsgen.stream.transport.mapped import mapped_source

            source = mapped_source(raw, path)
        else:
            source = ByteSource(raw, owned=True, name=path)
    if offset:
        source.begin_at(offset)
    return source


@contextlib.contextmanager
def channel_sources(paths: Iterable[str]) -> Iterator[list[ByteSource]]:
    """The files that ``--channel`` names. Raises OSError."""
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(input_of(path)) for path in paths]


def print_json(values: Any) -> None:
    """Values for programs."""
    import json  # here: to be read by people is the rule

    click.echo(json.dumps(values, indent=2))


def say(warnings: Iterable[str]) -> None:
    """Warnings on stderr; of many only the first."""
    listed = list(warnings)
    for warning in listed[:_SAID]:
        click.echo(f"warning: {warning}", err=True)
    if len(listed) > _SAID:
        click.echo(f"warning: ... and {len(listed) - _SAID} more", err=True)


def chosen_format(option: str | None) -> str:
    """The output format: ``--to``, else QEMUMIGFORMAT (unset or ``binary``, ``BER``, ``debug``). Raises UsageError."""
    from vmsgen.stream.convert import FORMATS

    if option is not None:
        return option
    value = os.environ.get("QEMUMIGFORMAT") or "binary"
    if value.lower() not in FORMATS:
        raise click.UsageError(f"QEMUMIGFORMAT is {value!r}; expected one of {', '.join(FORMATS)}")
    return value.lower()

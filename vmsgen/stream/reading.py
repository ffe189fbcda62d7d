"""A stream of either format as items, told apart by its first bytes, with its device sections typed where they can
be.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from vmsgen.runtime.errors import DataError, VmsgenError
from vmsgen.stream import marks
from vmsgen.stream.ber import tags
from vmsgen.stream.channels.detect import channel_format
from vmsgen.stream.items import Blob, Body, Configuration, Item, Section, SectionKind, State
from vmsgen.stream.machine.facts import MAX_PAGE_BITS, TARGET_PROP, facts_of_configuration
from vmsgen.stream.transport.source import ByteSource

if TYPE_CHECKING:
    from vmsgen.stream.ber.reader import BerReader
    from vmsgen.stream.binary.decoder import Undecoded
    from vmsgen.stream.binary.reader import BinaryReader
    from vmsgen.stream.devices import Classes, DeviceDecoder
    from vmsgen.stream.ram.reader import RamState
    from vmsgen.stream.vmdesc.trailer import Trailer

# What reads one of the formats is imported where the input has it, what decodes devices where there is one.

__all__ = ["PAGE_SIZE_PROP", "StreamReader", "format_of"]

#: The prop by which a user says the target's page size, where neither stream nor machine type tell.
PAGE_SIZE_PROP = "target.page_size"


def format_of(source: ByteSource) -> str:
    """``binary`` or ``ber``, by the first four bytes, which stay unread. Raises DataError."""
    start = source.peek(4)
    if start == marks.MAGIC:
        return "binary"
    if start[:3] == tags.MAGIC_TAG:
        return "ber"
    if not start:
        raise DataError(f"{source.name} is empty")
    if channel_format(source) is not None:
        raise DataError(f"{source.name} is a channel that belongs to another stream (--channel of that)", offset=0)
    raise DataError(
        f"{source.name} is no migration stream: expected {marks.MAGIC.hex(' ')} (QEMU) or "
        f"{tags.MAGIC_TAG.hex(' ')} (BER), found {start.hex(' ')}",
        offset=0,
    )


class StreamReader:
    """Items of a stream. ``classes`` None leaves device sections as bytes (or as BER elements).

    ``props`` are facts given by the user as text, ``machine`` the name of the machine type where the stream does not
    say it or says it wrongly. Raises DataError if the input is no stream, VmsgenError for a page size that is none.
    """

    def __init__(
        self,
        source: ByteSource,
        classes: Classes | None = None,
        *,
        props: Mapping[str, str] | None = None,
        machine: str | None = None,
    ) -> None:
        given = dict(props or {})
        page_size = _page_size(given.pop(PAGE_SIZE_PROP, None))
        self.source = source
        self.format = format_of(source)
        self._decoder = None if classes is None else _Decoder(classes, given, machine)
        self._binary: BinaryReader | None = None
        self._ber: BerReader | None = None
        if self.format == "binary":
            from vmsgen.stream.binary.reader import BinaryReader

            self._binary = BinaryReader(
                source, self._decoder, page_size=page_size, machine=machine, target=given.get(TARGET_PROP)
            )
        else:
            from vmsgen.stream.ber.reader import BerReader

            self._ber = BerReader(source, classes)
        reader = self._binary or self._ber
        assert reader is not None, "a stream has one of two formats"
        self._reader = reader
        self._warnings: list[str] = []
        self._trailer: Trailer | None = None  # of BER; looked for when a section needs it

    @property
    def warnings(self) -> list[str]:
        """What was noticed so far and stops nothing."""
        return self._reader.warnings + self._warnings

    @property
    def configuration(self) -> Configuration | None:
        """The configuration, once it was read."""
        return self._reader.configuration

    def ram_state(self) -> RamState | None:
        """What must be known to read the RAM section at hand a second time; BER needs nothing."""
        return None if self._binary is None else self._binary.ram_state()

    def items(self) -> Iterator[Item]:
        """The items in order. Raises DataError with the offset in the input."""
        for item in self._reader.items():
            if self.format == "ber" and self._decoder is not None:
                if isinstance(item, Configuration):
                    self._decoder.configure(item)
                elif isinstance(item, Section) and isinstance(item.body, Blob) and item.kind is SectionKind.FULL:
                    self._interpret(item, item.body)
            if isinstance(item, Section) and isinstance(item.body, Blob | State) and item.body.warning is not None:
                how = "travels as bytes" if isinstance(item.body, Blob) else "is read by its vmdesc"
                self._warnings.append(f"section {item.label} {how}: {item.body.warning}")
            yield item

    def _interpret(self, section: Section, blob: Blob) -> None:
        """A blob of BER as the typed object that it would be in the binary format."""
        from vmsgen.stream.ber.trailer import find_ber_trailer
        from vmsgen.stream.binary.decoder import Undecoded

        assert self._decoder is not None and self._ber is not None
        data = memoryview(blob.data)
        if self._trailer is None:
            self._trailer = find_ber_trailer(self._ber.spooled())
            self._warnings += self._trailer.warnings
        end = len(data)
        described = self._trailer.next(section.name, section.instance)
        if described is not None and described.size != end:
            described = None
        job = Undecoded(
            section, data, 0, end, lambda at: at == end, lambda stop: iter((end,)), described, section.body_offset
        )
        section.body, _ = self._decoder.decode(job)


class _Decoder:
    """The decoder of device sections, imported and made for the first one: much is read and converted without.

    Raises VmsgenError for a target that is none.
    """

    def __init__(self, classes: Classes, props: Mapping[str, str], machine: str | None) -> None:
        facts_of_configuration(None, props)
        self._classes = classes
        self._props = props
        self._machine = machine
        self._configuration: Configuration | None = None
        self._made: DeviceDecoder | None = None

    def configure(self, configuration: Configuration | None) -> None:
        """Takes what the stream says about its machine."""
        self._configuration = configuration
        if self._made is not None:
            self._made.configure(configuration)

    def knows(self, section: Section) -> bool:
        """Whether a spec describes this part of a section that comes in pieces."""
        return self._decoder().knows(section)

    def decode(self, job: Undecoded) -> tuple[Body, int]:
        """The contents of a section and where they end. Raises DataError if that cannot be told."""
        return self._decoder().decode(job)

    def _decoder(self) -> DeviceDecoder:
        if self._made is None:
            from vmsgen.stream.devices import DeviceDecoder

            self._made = DeviceDecoder(self._classes, props=self._props, machine=self._machine)
            self._made.configure(self._configuration)
        return self._made


def _page_size(text: str | None) -> int | None:
    if text is None:
        return None
    size = int(text, 0) if text.isascii() and text.isalnum() and text[:1].isdigit() else 0
    if not 256 <= size <= 1 << MAX_PAGE_BITS or size & (size - 1):
        raise VmsgenError(f"--prop {PAGE_SIZE_PROP}={text}: expected a power of two from 256 to {1 << MAX_PAGE_BITS}")
    return size

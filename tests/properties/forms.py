"""BER in other legal forms than ours: what another writer may send for the same values."""

from __future__ import annotations

import builtins
from random import Random

from vmsgen.runtime import ber
from vmsgen.runtime.ber_codec import with_extras
from vmsgen.runtime.ber_out import BerOut
from vmsgen.runtime.facts import Facts
from vmsgen.runtime.state import VMState


def in_another_form(value: VMState, random: Random) -> bytes:
    """A state as one element: strings in pieces, lengths definite and indefinite, longer than needed, truth as any
    octet but 00.
    """
    facts = Facts(value.facts.known)
    visitor = _InPieces(facts, random)
    visitor.run(value)
    content = with_extras(value, visitor.made, facts)
    return with_other_lengths(ber.tlv(ber.tag_bytes(ber.APPLICATION, True, value.TAG), content), random)


class _InPieces(BerOut):
    """Writes some strings constructed, and true as any octet but 00. Only here the types of components are known."""

    def __init__(self, facts: Facts, random: Random) -> None:
        super().__init__(facts)
        self.random = random

    def component(self, name: str, universal: int, content: builtins.bytes, constructed: builtins.bool = False) -> None:
        if universal == ber.BOOLEAN and content != b"\0":
            content = builtins.bytes((self.random.randint(1, 255),))
        if universal != ber.OCTET_STRING or self.random.random() < 0.5:
            super().component(name, universal, content, constructed)
            return
        scope = self._scopes[-1]
        if scope.tags is None:
            scope.elements.append(ber.tlv(b"\x24", self.pieces(content)))
        else:
            tag = scope.tags[name]
            scope.components[tag] = ber.tlv(ber.tag_bytes(ber.CONTEXT, True, tag), self.pieces(content))

    def pieces(self, content: builtins.bytes, depth: int = 0) -> builtins.bytes:
        """Octets as OCTET STRINGs one after the other, some of them in pieces again."""
        if not content:
            return self.random.choice((b"", b"\x04\x00", b"\x24\x00"))
        cuts = sorted(self.random.randint(0, len(content)) for _ in range(self.random.randint(0, 3)))
        made = []
        for start, end in zip([0, *cuts], [*cuts, len(content)], strict=True):
            if depth < 3 and self.random.random() < 0.2:
                made.append(ber.tlv(b"\x24", self.pieces(content[start:end], depth + 1)))
            else:
                made.append(ber.tlv(b"\x04", content[start:end]))
        return b"".join(made)


def with_other_lengths(data: bytes, random: Random) -> bytes:
    """The same elements, with the length of each in a legal form drawn for it."""
    made = []
    position = 0
    while position < len(data):
        element = ber.read_element(data, position, len(data))
        _, constructed, _, after = ber.read_tag(data, position, len(data))
        content = data[element.content : element.content_end]
        if constructed:
            content = with_other_lengths(content, random)
        made.append(data[position:after])
        form = random.random()
        if constructed and form < 0.4:
            made.append(b"\x80" + content + b"\0\0")
        elif form < 0.7:
            made.append(ber.length_bytes(len(content)) + content)
        else:
            octets = (len(content).bit_length() + 7) // 8
            width = random.randint(max(octets, 1), octets + 4)
            made.append(bytes((0x80 | width,)) + len(content).to_bytes(width, "big") + content)
        position = element.end
    return b"".join(made)

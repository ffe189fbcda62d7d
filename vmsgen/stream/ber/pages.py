"""Full pages and zero pages of RAM in BER, in the form that we and other definite writers give them: read from the
buffer itself, without a call for each element. Every other form is left to :mod:`vmsgen.stream.ber.ram`.
"""

from __future__ import annotations

import struct

from vmsgen.runtime import ber
from vmsgen.runtime.ber import APPLICATION
from vmsgen.stream.ber import tags
from vmsgen.stream.ber.source import BerSource
from vmsgen.stream.items import PAGE, ZERO, Record

__all__ = ["plain_pages"]

_MAX_BATCH = 1024
_word = struct.Struct(">Q").unpack_from
_FULL_PAGE = ber.tag_bytes(APPLICATION, True, tags.FULL_PAGE) + b"\x82"


def plain_pages(source: BerSource, records: list[Record]) -> int:
    """Appends the definite full pages and zero pages that stand complete in the buffer.

    Returns how many bytes the next full page needs if it is only cut by the buffer, 0 if something else comes next.
    """
    buffer = source.source
    view, pos, end = buffer.view, buffer.pos, buffer.end
    bound = source.bound
    if bound is not None:
        end = min(end, bound - buffer.offset_of(0))
    append = records.append
    from_bytes = int.from_bytes
    missing = 0
    while len(records) < _MAX_BATCH and end - pos >= 8:
        if view[pos : pos + 4] == _FULL_PAGE:
            size = view[pos + 4] << 8 | view[pos + 5]
            stop = pos + 6 + size
            if stop > end:
                # beyond a definite container is an error, which the other path reports
                missing = 6 + size if bound is None or buffer.offset_of(stop) <= bound else 0
                break
            octets = view[pos + 7]
            at = pos + 8
            data = at + octets + 4
            if (
                view[pos + 6] != 2
                or not 1 <= octets <= 9
                or data > stop
                or view[at] >= 0x80
                or (octets > 1 and not view[at] and view[at + 1] < 0x80)
                or view[data - 4] != 4
                or view[data - 3] != 0x82
                or data + (view[data - 2] << 8 | view[data - 1]) != stop
            ):
                break
            append((PAGE, from_bytes(view[at : at + octets], "big"), view[data:stop]))
            if octets <= 4:
                # Full pages come in rows, alike but for the address: eight octets before it, and four behind it
                (before,) = _word(view, pos)
                (behind,) = _word(view, data - 8)
                behind &= 0xFFFFFFFF
                stride, shift = stop - pos, data - 8 - pos
                lowest, highest = (1 << 8 * octets - 9 if octets > 1 else 0), 1 << 8 * octets - 1
                every = (1 << 8 * octets) - 1
                last = min(end - stride, stop + (_MAX_BATCH - len(records) - 1) * stride)
                while stop <= last:
                    (word,) = _word(view, stop + shift)
                    addr = word >> 32 & every
                    if _word(view, stop)[0] != before or word & 0xFFFFFFFF != behind or not lowest <= addr < highest:
                        break
                    append((PAGE, addr, view[stop + shift + 8 : stop + stride]))
                    stop += stride
            pos = stop
        elif view[pos] == 0x40:
            octets = view[pos + 1]
            at = pos + 2
            if (
                not 1 <= octets <= 9
                or at + octets > end
                or view[at] >= 0x80
                or (octets > 1 and not view[at] and view[at + 1] < 0x80)
            ):
                break
            append((ZERO, from_bytes(view[at : at + octets], "big"), 1))
            pos = at + octets
        else:
            break
    buffer.pos = pos
    return missing

"""Field lines of what has no fields of its own: numbers, bytes, and how many of them."""

from __future__ import annotations

from collections.abc import Sequence

from vmsgen.qemu.bodies import Item
from vmsgen.qemu.drafts import Draft, Slot
from vmsgen.qemu.leaves import Leaf, leaf_of_vmdesc
from vmsgen.qemu.plan import Field

__all__ = ["UNKNOWN", "count_text", "is_variable", "leaf_field", "leaf_text", "long_slots"]

UNKNOWN = "unknown"
LONG = 64  # elements from which on an array of bytes is memory


def is_variable(typed: dict[int, Item], dumped: dict[int, Item]) -> bool:
    """Whether the number of elements is not the same everywhere, as far as the sources tell."""
    counts = {1 if item.count is None else item.count for item in typed.values()}
    if len(counts) > 1:
        return True
    says = [item for item in dumped.values() if item.counts_said]
    # QEMU 10.0 says the length of arrays of fixed length: one that it does not say is counted by something else
    return bool(says) and all(item.count is None for item in says) and counts != {1} and bool(counts)


def count_text(counts: set[int | None], counted: bool) -> str:
    """The count of an array that was seen with these (None: no array); ``counted`` by what no source shows."""
    known = {1 if count is None else count for count in counts}
    return str(known.pop()) if len(known) == 1 and not counted else UNKNOWN


def long_slots(draft: Draft) -> set[Slot]:
    """Slots that are 4 bytes in some bodies and 8 in others, all of them alike in every body: QEMU's target_ulong."""
    mixed = [slot for slot in draft.slots if _widths(draft, slot) == {4, 8}]
    for number in range(len(draft.bodies)):
        if (
            len({slot.uses[number].size for slot in mixed if number in slot.uses and not draft.bodies[number].dumped})
            > 1
        ):
            return set()
    return set(mixed)


def _widths(draft: Draft, slot: Slot) -> set[int]:
    typed = [item for number, item in slot.uses.items() if not draft.bodies[number].dumped]
    if not all(
        item.kind == "leaf" and leaf_of_vmdesc(item.type, item.size).base in ("uint32", "uint64") for item in typed
    ):
        return set()
    return {item.size for item in typed}


def leaf_field(names: list[str], items: Sequence[Item], counted: bool, long: bool) -> Field:
    """The field that all of ``items`` are; ``long``: one of QEMU's target_ulong."""
    leaves = [leaf_of_vmdesc(item.type, item.size) for item in items]
    counts = {item.count for item in items}
    count = count_text(counts, counted) if counts != {None} else None
    first = leaves[0]
    if (
        first.base == "uint8"
        and first.elements is None
        and count is not None
        and count != UNKNOWN
        and int(count) > LONG
    ):
        first = leaves[0] = leaf_of_vmdesc("buffer", int(count))  # a list of so many numbers serves nobody
        leaves, counts, count = [first], {None}, None
    checks = {leaf.check for leaf in leaves}
    if long:
        line = "target_ulong" + (f"[{count}]" if count is not None else "")
        return Field(names, line, check=first.check if len(checks) == 1 else None)
    if len({leaf.family for leaf in leaves}) == 1:
        same = len({leaf.dim for leaf in leaves}) == 1
        leaf = first if same else Leaf(first.base, None, doc=first.doc or leaves[-1].doc, size=first.size)
        return Field(
            names,
            leaf_text(leaf, count),
            check=first.check if len(checks) == 1 else None,
            doc=leaf.doc,
            view=leaf.view,
            pad=leaf.base == "pad",
        )
    sizes = ", ".join(sorted({str(leaf.size) for leaf in leaves}, key=int))
    return Field(
        names, f"bytes[{UNKNOWN}]" + (f"[{count}]" if count is not None else ""), doc=f"{sizes} bytes were seen"
    )


def leaf_text(leaf: Leaf, count: str | None) -> str:
    """The type of a leaf, ``count`` of them if that is given."""
    if leaf.base == "bitmap" and leaf.dim is None:
        return f"uint64[{UNKNOWN}]" if count is None else f"bytes[{UNKNOWN}][{count}]"
    base = leaf.base
    if base == "pad" and count is not None:
        return f"pad[{leaf.dim * int(count) if leaf.dim is not None and count != UNKNOWN else UNKNOWN}]"
    if base in ("bytes", "pad", "bitmap"):
        base = f"{base}[{UNKNOWN if leaf.dim is None else leaf.dim}]"
        return base if count is None else f"{base}[{count}]"
    dims = [str(each) for each in (count, leaf.elements) if each is not None]
    return f"{base}[{', '.join(dims)}]" if dims else base

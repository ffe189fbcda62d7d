"""The specs that are there already: an import leaves their states alone and uses their types.

A struct inside of many devices (``PCIDevice``, ``Fifo8``) is described once, by whoever described it best. A body with
a field that such a description does not know, or without most of those that it always has, is another thing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from vmsgen.qemu.align import bare_name
from vmsgen.qemu.bodies import Body, Item
from vmsgen.qemu.drafts import Draft
from vmsgen.spec.expression import Ref
from vmsgen.spec.loader import own_path
from vmsgen.spec.model import Definition, Group, Model, Module, Step
from vmsgen.spec.wire_types import Array, Bitmap, Bytes, Fixed, StructRef

__all__ = ["Existing", "KnownType", "joined"]


@dataclass(frozen=True)
class KnownType:
    """A type that can be imported. ``lengths``: for each parameter the wire names of the fields as long as it says."""

    module: str
    name: str
    fields: frozenset[str]
    always: frozenset[str]  # names of the fields that no condition decides about, each by its first spelling
    subsections: frozenset[str]
    lengths: tuple[tuple[str, ...], ...] = ()

    def fits(self, draft: Draft) -> bool:
        """Whether it has every field and every subsection of ``draft``."""
        if self.lacks(draft) or not all(each.name in self.subsections for each in draft.subsections):
            return False
        seen = {bare_name(item.name) for slot in draft.slots for item in slot.uses.values()}
        # (not all of them: a spec may have a field in parts that QEMU sends as one)
        return len(self.always & seen) * 2 >= len(self.always)

    def lacks(self, draft: Draft) -> list[str]:
        """The fields of ``draft`` that it has under none of their names; what is never sent may have any."""
        found = []
        for slot in draft.slots:
            items = [inner for item in slot.uses.values() for inner in _sent(item)]
            if not any(bare_name(item.name) in self.fields or bare_name(item.name) == "unused" for item in items):
                found.append(slot.label.bare)
        return list(dict.fromkeys(found))

    def is_akin(self, draft: Draft) -> bool:
        """Whether ``draft`` is the same thing, perhaps with something new: half of its fields are known."""
        return not draft.slots or len(self.lacks(draft)) * 2 <= len(draft.slots)

    def text(self, bodies: Sequence[Body]) -> str:
        """The type as it is written for a field with these bodies inside, with its arguments."""
        if not self.lengths:
            return self.name
        return f"{self.name}({', '.join(_argument(bodies, names) for names in self.lengths)})"


@dataclass(frozen=True)
class KnownModule:
    """What comes with an import of a module: the modules that it imports, and its ASN.1 types."""

    imports: tuple[str, ...]
    asn1: frozenset[str]


@dataclass
class Existing:
    """``states``: modules of the states by wire name; ``types``: what can be imported, by wire name; ``paths``: those
    that no new file may have; ``modules``: all modules by path.
    """

    states: dict[str, list[str]] = field(default_factory=dict)
    types: dict[str, list[KnownType]] = field(default_factory=dict)
    paths: set[str] = field(default_factory=set)
    modules: dict[str, KnownModule] = field(default_factory=dict)

    @classmethod
    def of_model(cls, model: Model, *, prefix: str = "") -> Existing:
        """What the modules of ``model`` have; ``prefix`` stands before their paths where they are imported."""
        found = cls()
        paths = {
            module.path: module.path if module.external else f"{prefix}{own_path(module.path)}"
            for module in model.modules
        }
        for module in model.modules:
            path = paths[module.path]
            imports = tuple(paths[each] for each in module.imports if each in paths)
            found.modules[path] = KnownModule(imports, frozenset(each.asn1_name for each in module.definitions))
            if not module.external:
                found.paths.add(path)
            found._add(model, module, path)
        return found

    def find(self, draft: Draft) -> KnownType | None:
        """The type to import for ``draft``, if there is one that fits."""
        return next((known for known in self.types.get(draft.name, ()) if known.fits(draft)), None)

    def without_states(self, names: Iterable[str]) -> Existing:
        """Its types alone, without the modules that have states of these names: those are made anew."""
        left = {module for name in names for module in self.states.get(name, ())}
        types = {name: [each for each in known if each.module not in left] for name, known in self.types.items()}
        return Existing(types=types, modules=self.modules)

    def loaded(self, paths: Iterable[str]) -> dict[str, KnownModule]:
        """The modules at ``paths``, and all that their imports lead to."""
        found: dict[str, KnownModule] = {}
        stack = list(paths)
        while stack:
            path = stack.pop()
            if path in self.modules and path not in found:
                found[path] = self.modules[path]
                stack += found[path].imports
        return found

    def describes(self, draft: Draft) -> bool:
        """Whether a state that is there is of ``draft``; a name may stand for several things."""
        if draft.name not in self.states:
            return False
        if all(body.old_style for body in draft.bodies):
            return True  # nothing is told of its bytes, so whoever described them knows more
        known = [each for each in self.types.get(draft.name, ()) if each.module in self.states[draft.name]]
        return not known or any(each.is_akin(draft) for each in known)

    def _add(self, model: Model, module: Module, path: str) -> None:
        for definition in module.definitions:
            if definition.kind not in ("state", "section", "struct") or definition.wire_name is None:
                continue
            names = (
                (definition.wire_name, *definition.was) if definition.id == module.state else (definition.wire_name,)
            )
            if definition.id == module.state:
                for name in names:
                    self.states.setdefault(name, []).append(path)
            lengths = [tuple(_lengths(definition.steps, param.name)) for param in definition.params]
            if definition.kind == "section" or not all(lengths):
                continue
            known = KnownType(
                path,
                definition.name,
                frozenset(_wire_names(model, definition)),
                frozenset(bare_name(each.wire_names[0]) for each in definition.fields() if not each.presence),
                frozenset(each.wire_name for each in definition.subsections),
                tuple(lengths),
            )
            for name in names:
                self.types.setdefault(name, []).append(known)


def _sent(item: Item) -> Iterator[Item]:
    """What is on the wire for an item: a temporary struct is not, its fields are (QEMU calls it ``tmp`` in a dump)."""
    if item.kind == "tmp" or (item.name == "tmp" and item.type == "" and item.runs):
        for body in item.bodies():
            for inner in body.items:
                yield from _sent(inner)
    else:
        yield item


def _argument(bodies: Sequence[Body], names: Sequence[str]) -> str:
    """The length of the field of one of these names, if it is the same wherever it was seen."""
    seen = {
        item.count if item.count is not None else item.size
        for body in bodies
        for item in body.items
        if item.name in names or bare_name(item.name) in names
    }
    dumped = any(body.dumped for body in bodies)
    return str(seen.pop()) if len(seen) == 1 and not dumped else "unknown"


def _lengths(steps: Iterable[Step], param: str) -> Iterator[str]:
    """The wire names of fields whose length is the parameter itself."""
    for step in steps:
        if isinstance(step, Group):
            yield from _lengths(step.steps, param)
            continue
        counted = getattr(step, "type", None)
        if isinstance(counted, Bytes | Array | Bitmap) and isinstance(counted.count, Fixed):
            length = counted.count.value
            if isinstance(length, Ref) and length.source == "param" and length.name == param:
                yield from getattr(step, "wire_names", ())


def _wire_names(model: Model, definition: Definition) -> Iterator[str]:
    """What QEMU may call the fields of a definition; parts that are no fields of QEMU's are looked into."""
    for each in definition.fields():
        yield from map(bare_name, each.wire_names)
        if isinstance(each.type, StructRef):
            inner = model.definition(each.type.definition)
            if inner.wire_name in (None, definition.wire_name):
                for name in _wire_names(model, inner):
                    yield name
                    yield from (f"{outer}.{name}" for outer in each.wire_names)


def joined(parts: Iterable[Existing]) -> Existing:
    """All of ``parts``, the first ones asked first."""
    found = Existing()
    for part in parts:
        for name, paths in part.states.items():
            found.states.setdefault(name, []).extend(paths)
        for name, types in part.types.items():
            found.types.setdefault(name, []).extend(types)
        found.paths |= part.paths
        found.modules = {**part.modules, **found.modules}
    return found

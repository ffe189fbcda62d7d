"""Which file each definition goes into, and what everything is called.

A section of its own has a file of its own, named after it. What is inside of one file's states alone is a struct
there; what several files use has a file of its own, which they import. Names of types are unique among all that can be
imported, so that no two imports can clash.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from vmsgen.qemu.bodies import Body
from vmsgen.qemu.drafts import Draft, Drafts
from vmsgen.qemu.existing import Existing, KnownType
from vmsgen.qemu.names import slug, struct_name
from vmsgen.qemu.naming import FileNames, TypeNames, name_fields, name_subsections
from vmsgen.qemu.plan import Definition, Plan
from vmsgen.qemu.settle import Settler
from vmsgen.qemu.sightings import Seen
from vmsgen.spec.loader import own_path
from vmsgen.spec.names import asn1_module_name, asn1_type_name, class_name

__all__ = ["RESERVED_TYPES", "Filer"]

#: Names that generated modules or the language have already.
RESERVED_TYPES = frozenset(
    name.casefold()
    for name in (
        *("Any", "Entry", "Facts", "Mac", "NotPlain", "Prop", "Registry", "Struct", "SubsectionInfo", "VMState"),
        *("Visitor", "None", "True", "False"),
    )
)


@dataclass
class _Home:
    """A file in the making."""

    path: str
    drafts: list[Draft] = field(default_factory=list)  # the state first, if it has one
    state: Draft | None = None
    names: dict[Draft, str] = field(default_factory=dict)

    def asn1(self, draft: Draft, name: str) -> str:
        """The type in the schema of a draft that is called so: structs of a state have the state's name in theirs."""
        if self.state is None:
            return asn1_type_name(name)
        if draft is not self.state:
            return asn1_type_name(self._base(self.names[self.state]), name)
        return asn1_type_name(self._base(name))

    def _base(self, name: str) -> str:
        first = self.drafts[0].name
        return first if name == struct_name(first) else name


class Filer:
    """Makes plans of drafts.

    ``views`` maps the views that may be used to the modules they are imported from. States of ``existing`` get no file,
    and its types are imported where they fit. ``places`` gives the paths of files by VMState name.
    """

    def __init__(
        self,
        drafts: Drafts,
        views: Mapping[str, str] | None = None,
        existing: Existing | None = None,
        places: Mapping[str, str] | None = None,
    ) -> None:
        self._drafts = drafts
        self._views = dict(views or {})
        self._existing = existing or Existing()
        self._places = dict(places or {})
        self._known: dict[Draft, KnownType] = {}
        self._homes: dict[str, _Home] = {}
        self._home_of: dict[Draft, _Home] = {}
        self._seen: dict[Draft, set[Seen]] = {
            draft: set().union(*(drafts.sightings.seen(body) for body in draft.bodies)) for draft in drafts.all
        }
        self._variants: dict[str, list[Draft]] = {}
        self._taken: set[str] = {name.casefold() for name in RESERVED_TYPES}
        self._numbers: dict[str, int] = {}
        self._types = TypeNames()
        self._modules: set[str] = set()

    def plans(self) -> list[Plan]:
        """The files, those that others import first."""
        for draft in self._drafts.all:
            if self._is_top(draft) and not self._existing.describes(draft):
                self._variants.setdefault(draft.name, []).append(draft)
            known = self._existing.find(draft)
            if known is not None:
                self._known[draft] = known
                self._taken.add(known.name.casefold())
        self._keep_clear()
        for drafts in self._variants.values():
            for draft in drafts:
                self._settle_home(draft, self._new_home(self._path(draft)), state=True)
        for draft in self._users_first():
            if draft in self._home_of or draft in self._known:
                continue
            users = {home.path for home in self._users(draft)}
            if len(users) == 1:
                self._settle_home(draft, self._homes[users.pop()])
            elif users:
                self._settle_home(draft, self._new_home(self._places.get(draft.name, slug(draft.name))))
        self._name_types()
        plans = [self._plan(home) for home in self._homes.values()]
        used = {module for plan in plans for module in plan.imports}
        return [plan for plan in plans if plan.state is not None or plan.path in used]

    def only(self, body: Body) -> Plan:
        """One file that has the state of ``body`` and everything inside of it."""
        state = self._drafts.of(body)
        home = self._new_home(slug(state.name))
        self._settle_home(state, home, state=True)
        for draft in self._users_first():
            if draft is not state:
                self._settle_home(draft, home)
        self._name_types()
        return self._plan(home)

    # ------------------------------------------------------------------ homes

    def _keep_clear(self) -> None:
        """Takes the names of what will be compiled beside the new files."""
        known = (each.module for types in self._existing.types.values() for each in types)
        own = (path for path in self._existing.paths if own_path(path) == path)
        used = (each.module for each in self._known.values())
        loaded = self._existing.loaded((*own, *self._views.values(), *used))
        self._modules |= {_module(path) for path in (*self._existing.paths, *self._views.values(), *known, *loaded)}
        for module in loaded.values():
            self._types.take(*module.asn1)

    def _is_top(self, draft: Draft) -> bool:
        return any(seen.top for seen in self._seen[draft])

    def _new_home(self, wanted: str) -> _Home:
        path, number = wanted, self._numbers.get(wanted, 1)
        while path in self._existing.paths or _module(path) in self._modules:
            number += 1
            path = f"{wanted}-{number}"
        self._numbers[wanted] = number
        self._modules.add(_module(path))
        home = self._homes[path] = _Home(path)
        return home

    def _settle_home(self, draft: Draft, home: _Home, *, state: bool = False) -> None:
        home.drafts.append(draft)
        self._home_of[draft] = home
        if state:
            home.state = draft

    def _users_first(self) -> list[Draft]:
        """Every draft behind all that use it."""
        order: list[Draft] = []
        done: set[Draft] = set()
        for start in self._drafts.all:
            stack: list[tuple[Draft, bool]] = [(start, False)]
            while stack:
                draft, leaving = stack.pop()
                if leaving:
                    order.append(draft)
                elif draft not in done:
                    done.add(draft)
                    stack.append((draft, True))
                    stack += [(inner, False) for inner in self._drafts.inner(draft) if inner not in done]
        order.reverse()
        self._user_lists: dict[Draft, list[Draft]] = {}
        for draft in order:
            for inner in dict.fromkeys(self._drafts.inner(draft)):
                self._user_lists.setdefault(inner, []).append(draft)
        return order

    def _users(self, draft: Draft) -> list[_Home]:
        return [self._home_of[user] for user in self._user_lists.get(draft, ()) if user in self._home_of]

    # ------------------------------------------------------------------ names

    def _path(self, draft: Draft) -> str:
        return f"{self._places.get(draft.name, slug(draft.name))}{self._mark(draft, '-')}"

    def _mark(self, draft: Draft, joint: str) -> str:
        """What tells a variant from the others of its name: architecture, bus, else nothing (files are numbered)."""
        variants = self._variants.get(draft.name, [])
        if len(variants) < 2 and draft.name not in self._existing.states:
            return ""
        arch, bus = self._archs(draft), self._buses(draft)
        others = [other for other in variants if other is not draft]
        if len(arch) == 1 and None not in arch and not any(arch & self._archs(other) for other in others):
            return f"{joint}{next(iter(arch))}"
        if len(bus) == 1 and None not in bus:
            return f"{joint}{next(iter(bus))}"
        return ""

    def _archs(self, draft: Draft) -> set[str | None]:
        return {seen.arch for seen in self._seen[draft] if seen.top}

    def _buses(self, draft: Draft) -> set[str | None]:
        return {seen.bus for seen in self._seen[draft] if seen.top and seen.device is None}

    def _match(self, draft: Draft) -> str | None:
        variants = self._variants.get(draft.name, [])
        if len(variants) < 2 and draft.name not in self._existing.states:
            return None
        others = [other for other in variants if other is not draft]
        archs = self._archs(draft)
        if None not in archs and archs and not any((archs | {None}) & self._archs(other) for other in others):
            names = [f'"{arch}"' for arch in sorted(map(str, archs))]
            return f"target.arch == {names[0]}" if len(names) == 1 else f"target.arch in ({', '.join(names)})"
        buses = self._buses(draft)
        if buses and None not in buses and len(buses) == 1:
            return f'section.bus == "{next(iter(buses))}"'
        return "unknown"

    def _name_types(self) -> None:
        """Names all types, those that give others a part of their names first."""
        for home in self._homes.values():
            first = home.drafts[0]
            mark = self._mark(first, "-") if home.state is not None else ""
            self._name_type(home, first, first.name + mark, self._taken)
        for home in self._homes.values():
            taken = set(self._taken)
            for draft in home.drafts[1:]:
                self._name_type(home, draft, draft.name, taken)

    def _name_type(self, home: _Home, draft: Draft, name: str, taken: set[str]) -> None:
        """A name that is free, in Python and in ASN.1; both ASN.1 and some file systems ignore case."""
        wanted = made = struct_name(name)
        number = 1
        while made.casefold() in taken or not self._types.is_free(home.asn1(draft, made)):
            number += 1
            made = f"{wanted}{number}" if not wanted[-1:].isdigit() else f"{wanted}N{number}"
        taken.add(made.casefold())
        self._types.take(home.asn1(draft, made))
        home.names[draft] = made

    # ------------------------------------------------------------------ plans

    def _plan(self, home: _Home) -> Plan:
        imports: dict[str, set[str]] = {}
        used: set[Draft] = set()

        def type_name(draft: Draft, bodies: Sequence[Body]) -> str:
            known = self._known.get(draft)
            if known is not None:
                imports.setdefault(known.module, set()).add(known.name)
                return known.text(bodies)
            used.add(draft)
            other = self._home_of[draft]
            if other is not home:
                imports.setdefault(other.path, set()).add(other.names[draft])
            return other.names[draft]

        settler = Settler(
            self._drafts, type_name, self._labels, lambda draft: draft.owner is not None or self._is_top(draft)
        )
        made = [settler.definition(draft, home.names[draft]) for draft in home.drafts]
        first = home.drafts[0]
        names = FileNames(self._types, home.names.values())
        for draft, definition in zip(home.drafts, made, strict=True):
            definition.asn1 = home.asn1(draft, home.names[draft])
            self._finish(definition, imports)
            name_subsections(definition, definition.name or "", definition.asn1, names)
        plan = Plan(home.path, self._summary(first), made[0] if home.state is not None else None)
        # (what is sent through a temporary struct stands in its user's place)
        plan.structs = [
            definition
            for number, (draft, definition) in enumerate(zip(home.drafts, made, strict=True))
            if (draft in used if number else home.state is None)
        ]
        if plan.state is not None:
            if plan.state.name != class_name(first.name):
                plan.state.as_name = plan.state.name
            plan.section = any(body.old_style for body in first.bodies)
            plan.match = self._match(first)
        plan.imports = {path: sorted(names) for path, names in imports.items()}
        return plan

    def _finish(self, definition: Definition, imports: dict[str, set[str]]) -> None:
        """Names of fields, and views."""
        name_fields(definition)
        for each in definition.fields():
            if each.view is None:
                continue
            module = self._views.get(each.view)
            if module is None:
                each.view = None
            else:
                imports.setdefault(module, set()).add(each.view)
        for subsection in definition.subsections:
            self._finish(subsection, imports)

    def _labels(self, draft: Draft, number: int) -> frozenset[str]:
        body = draft.bodies[number]
        owner = draft
        if owner.owner is None:
            return frozenset(seen.label for seen in self._drafts.sightings.seen(body))
        return frozenset()

    def _summary(self, draft: Draft) -> str:
        labels = _words(sorted({seen.label for seen in self._seen[draft] if seen.label}, key=_release_key))
        devices = sorted({seen.device for seen in self._seen[draft] if seen.device and seen.device != draft.name})
        more = f" ({', '.join(devices[:4])}{' ...' if len(devices) > 4 else ''})" if devices else ""
        return f"VMState {draft.name} of QEMU{' ' + labels if labels else ''}{more}"


def _module(path: str) -> str:
    """What two files must not share: ``a/b`` and ``a-b`` are one module in ASN.1, whatever the case."""
    return asn1_module_name(own_path(path)).casefold()


def _release_key(label: str) -> tuple[list[int], str]:
    parts = label.split(".")
    return ([int(part) for part in parts] if all(part.isdigit() for part in parts) else [], label)


def _words(names: Iterable[str]) -> str:
    listed = list(names)
    return listed[0] if len(listed) == 1 else f"{', '.join(listed[:-1])} and {listed[-1]}" if listed else ""

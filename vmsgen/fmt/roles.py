"""Which texts of a spec are field lines, types and expressions: those are written in one way, all others are kept."""

from __future__ import annotations

from typing import Literal, TypeAlias

from vmsgen.spec.nodes import Mapping, Node, Scalar, Sequence

#: ``group``: the key of a group with a condition, ``when EXPR``.
Role: TypeAlias = Literal["line", "type", "expression", "group"]


def roles(root: Node) -> dict[int, Role]:
    """The role of each text that has one, by the offset at which the text starts."""
    found = _Roles()
    if isinstance(root, Mapping):
        found.file(root)
    return found.roles


class _Roles:
    def __init__(self) -> None:
        self.roles: dict[int, Role] = {}

    def _is(self, node: Node | None, role: Role) -> None:
        if isinstance(node, Scalar):
            self.roles[node.start] = role

    def file(self, root: Mapping) -> None:
        self._is(root.get("match"), "expression")
        self._definition(root)
        for value in _values(root.get("types")):
            self._is(value, "type")
        for value in _values(root.get("const")):
            for item in value.items if isinstance(value, Sequence) else (value,):
                self._is(item, "expression")
        for prop in _values(root.get("props")):
            self._is(prop.get("default") if isinstance(prop, Mapping) else None, "expression")
        hooks = root.get("hooks")
        for value in _values(hooks.get("types") if isinstance(hooks, Mapping) else None):
            self._is(value, "type")
        for value in _values(root.get("structs")):
            self._body(value)
        for value in _values(root.get("parts")):
            self._entries(value)

    def _body(self, node: Node) -> None:
        """A definition in its short or its long form."""
        if isinstance(node, Mapping):
            self._definition(node)
        else:
            self._entries(node)

    def _definition(self, node: Mapping) -> None:
        self._is(node.get("needed"), "expression")
        self._entries(node.get("fields"))
        subsections = node.get("subsections")
        for item in subsections.items if isinstance(subsections, Sequence) else ():
            for value in _values(item):
                self._body(value)

    def _entries(self, node: Node | None) -> None:
        for item in node.items if isinstance(node, Sequence) else ():
            if isinstance(item, Mapping) and item.entries:
                self._entry(item)

    def _entry(self, item: Mapping) -> None:
        key, value = item.entries[0]
        keyword, _, rest = key.text.partition(" ")
        if isinstance(value, Sequence):
            if rest and keyword == "when":
                self._is(key, "group")
            self._entries(value)
        elif rest and keyword in ("let", "check"):
            self._is(value, "expression")
        else:
            self._is(value, "line")
        self._is(_attribute(item, "check"), "expression")
        self._entries(_attribute(item, "fields"))
        for case in _values(_attribute(item, "cases")):
            if isinstance(case, Sequence):
                self._entries(case)
            else:
                self._is(case, "type")


def _values(node: Node | None) -> tuple[Node, ...]:
    return tuple(value for _, value in node.entries) if isinstance(node, Mapping) else ()


def _attribute(item: Mapping, name: str) -> Node | None:
    """A key of an entry other than its first."""
    return next((value for key, value in item.entries[1:] if key.text == name), None)

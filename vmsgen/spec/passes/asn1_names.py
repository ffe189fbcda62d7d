"""Names of ASN.1 that meet: they are compared without regard to case, since compilers make files of them."""

from __future__ import annotations

from vmsgen.diagnostics import Note, Span
from vmsgen.diagnostics.reporter import Reporter
from vmsgen.spec.loader import own_path
from vmsgen.spec.names import ASN1_TYPE_SUFFIXES, asn1_field_name, asn1_module_name
from vmsgen.spec.passes.walking import fields
from vmsgen.spec.resolver import Resolved
from vmsgen.spec.scope import Scope

#: Longer names break asn1c, which makes files of types.
MAX_LENGTH = 200


def check_asn1_names(resolved: Resolved, reporter: Reporter) -> None:
    """``name/collision`` among modules, types of all modules, and the components of each type."""
    modules: dict[str, tuple[str, Span]] = {}
    for path, module in resolved.modules.items():
        name = asn1_module_name(own_path(path))
        span = module.file.decl.span
        other = modules.setdefault(name.casefold(), (path, span))
        if other[0] != path:
            reporter.error(
                "name/collision",
                f"the files `{path}` and `{other[0]}` would both be the ASN.1 module {name}",
                span,
                help="rename one of the files",
                notes=[Note("the other one", other[1])],
            )
    _types(resolved, reporter)
    for scope in resolved.scopes.values():
        _components(scope, reporter)


def _types(resolved: Resolved, reporter: Reporter) -> None:
    types: dict[str, tuple[str, Span]] = {}
    for scope in resolved.scopes.values():
        if len(scope.asn1_name) > MAX_LENGTH:
            reporter.error(
                "spec/value",
                f"the ASN.1 type {scope.asn1_name[:40]}… has {len(scope.asn1_name)} characters, at most {MAX_LENGTH}",
                scope.span,
                help="give it a shorter name with `as:`",
            )
        name, span = types.setdefault(scope.asn1_name.casefold(), (scope.asn1_name, scope.span))
        if span is not scope.span:
            reporter.error(
                "name/collision",
                f"two definitions would be the ASN.1 type {name}",
                scope.span,
                help="give one of them another name with `as:`",
                notes=[Note("the other one", span)],
            )
    for scope in resolved.scopes.values():
        for suffix in ASN1_TYPE_SUFFIXES:
            _reserved(scope, suffix, types, reporter)


def _reserved(scope: Scope, suffix: str, types: dict[str, tuple[str, Span]], reporter: Reporter) -> None:
    """Types that the schema makes for a definition or for a field: `VmNic-Subsections`, `VmNic-Bus-Or-Null`."""
    if not scope.asn1_name.casefold().endswith(f"-{suffix}".casefold()):
        return
    stem = scope.asn1_name[: -len(suffix) - 1]
    clash = stem.casefold() in types if suffix == "Subsections" else False
    if clash:
        reporter.error(
            "name/collision",
            f"{scope.asn1_name} is the ASN.1 type for the subsections of {types[stem.casefold()][0]}",
            scope.span,
            help="give it another name with `as:`",
            notes=[Note("whose subsections", types[stem.casefold()][1])],
        )


def _components(scope: Scope, reporter: Reporter) -> None:
    seen: dict[str, tuple[str, Span]] = {}
    for field in fields(scope.steps):
        _component(field.name, field.span, seen, scope, reporter)
    inner: dict[str, tuple[str, Span]] = {}
    for subsection in scope.subsections:
        _component(subsection.name, subsection.span, inner, scope, reporter)


def _component(name: str, span: Span, seen: dict[str, tuple[str, Span]], scope: Scope, reporter: Reporter) -> None:
    derived = asn1_field_name(name)
    other = seen.setdefault(derived.casefold(), (name, span))
    if other[0] != name:  # the same Python name twice was reported where names are entered
        reporter.error(
            "name/collision",
            f"`{name}` and `{other[0]}` of {scope.class_name} would both be the component {derived} in ASN.1",
            span,
            help="give one of them another name with `as:`",
            notes=[Note("the other one", other[1])],
        )

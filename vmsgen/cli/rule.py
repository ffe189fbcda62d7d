"""``vmsgen rule``: the page of a rule, or the list of all."""

from __future__ import annotations

import textwrap

import click

from vmsgen.diagnostics import Severity
from vmsgen.diagnostics.examples import EXAMPLES
from vmsgen.diagnostics.rules import RULES, Rule
from vmsgen.diagnostics.suggest import did_you_mean

_WIDTH = 100


@click.command("rule")
@click.argument("rule", required=False, metavar="[RULE]")
def command(rule: str | None) -> None:
    """Explain RULE, the name in brackets of a message such as `error[type/syntax]`; without it, list all rules."""
    if rule is None:
        width = max(map(len, RULES))
        for one in RULES.values():
            click.echo(f"{one.id:{width}}  {_kind(one):7}  {one.summary}{'' if one.default else '  (on request)'}")
        return
    if rule not in RULES:
        family = [one.id for one in RULES.values() if one.family == rule]
        near = did_you_mean(rule, RULES)
        hint = f"it is a family: {', '.join(family)}" if family else f"did you mean `{near}`?" if near else None
        raise click.ClickException(f"there is no rule `{rule}`; {hint or '`vmsgen rule` lists them'}")
    click.echo(page(RULES[rule]), nl=False)


def page(rule: Rule) -> str:
    """Everything about one rule, as lines of a terminal."""
    paragraphs = [rule.explanation]
    if rule.severity is Severity.ERROR:
        paragraphs.append("An error: nothing is built, and no comment ignores it.")
    elif rule.severity is Severity.NOTE:
        paragraphs.append("A note: `vmsgen lint` tells it, and its exit code stays 0.")
    else:
        when = "by default" if rule.default else f"if it is selected: `vmsgen lint --extend-select {rule.id}`"
        paragraphs.append(f"A warning, which no build fails for; `vmsgen lint` looks for it {when}.")
    if rule.severity is not Severity.ERROR:
        paragraphs.append(f"Accepted in one place by a comment there: `# vmsgen: ignore[{rule.id}] reason`.")
    paragraphs.append(f"More: docs/language.md, {rule.heading}.")
    example = EXAMPLES.get(rule.id)
    lines = [textwrap.fill(one, _WIDTH, break_long_words=False, break_on_hyphens=False) for one in paragraphs]
    if example is not None:
        lines.insert(1, "For example:\n\n" + textwrap.indent(example.rstrip("\n"), "    "))
    return "\n\n".join([f"{_kind(rule)}[{rule.id}]: {rule.summary}", *lines]) + "\n"


def _kind(rule: Rule) -> str:
    return rule.severity.value

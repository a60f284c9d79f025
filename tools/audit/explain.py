"""``--list-rules`` and ``--explain``: what the rule classes say of themselves."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence

from tools.audit.nearest import hint
from tools.audit.settings import SettingsError
from tools.rules.rule import Rule

_WIDTH = 80


def list_rules() -> str:
    """One line a rule: code, severity, whether ``--fix`` can mend it, title."""
    from tools.rules import RULES

    rows = [
        (rule.code, rule.severity.value, "fix" if rule.fixable else "", rule.title)
        for rule in sorted(RULES, key=lambda rule: rule.code)
    ]
    return "".join(f"{code}  {severity:<7}  {fix:<3}  {title}\n" for code, severity, fix, title in rows)


def explain(wanted: str) -> str:
    """Everything about the rules of a code or prefix.

    Raises:
        SettingsError: there is no such rule; names the nearest.
    """
    from tools.rules import RULES
    from tools.rules.engine import matches

    chosen = sorted((rule for rule in RULES if matches(rule.code, (wanted,))), key=lambda rule: rule.code)
    if not wanted or not chosen:
        codes = [rule.code for rule in RULES]
        raise SettingsError(f"--explain: no rule {wanted!r}{hint(wanted.upper(), codes, '; --list-rules lists all')}")
    return _separated([_page(rule) for rule in chosen])


def _separated(pages: Sequence[str]) -> str:
    return ("\n" + "-" * _WIDTH + "\n\n").join(pages)


def _page(rule: Rule) -> str:
    return "\n".join(_lines(rule)) + "\n"


def _lines(rule: Rule) -> Iterator[str]:
    yield f"{rule.code}  {rule.title}"
    fixable = "; --fix mends it where the mend is certain" if rule.fixable else ""
    yield f"Severity: {rule.severity.value}{fixable}"
    for heading, text in (("Why it matters", rule.why), ("How to mend it", rule.remedy)):
        yield ""
        yield heading
        for paragraph in text.strip().split("\n\n"):
            yield from textwrap.wrap(" ".join(paragraph.split()), _WIDTH, initial_indent="  ", subsequent_indent="  ")
    for heading, example in (("Before", rule.before), ("After", rule.after)):
        yield ""
        yield heading
        yield textwrap.indent(textwrap.dedent(example).strip("\n"), "  ")
    yield ""
    yield f"To ignore it on one line, end that line with:  # audit: ignore[{rule.code}] the reason"

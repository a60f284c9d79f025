"""One page a rule and an overview, from what the rules say of themselves."""

from __future__ import annotations

import inspect
from textwrap import dedent

from tools.rules.registry import FAMILIES, RULES
from tools.rules.rule import Rule
from tools.site.html import as_block, escape, render

_NEEDS = {
    "index": "the model index",
    "measurement": "the built and measured model",
    "config": "what the zoo's code says of the model",
    "listing": "the zoo's own list of models (list-models)",
    "weights": "weight files (--weights)",
    "links": "answers of web servers (--online)",
    "source": "the code that links point into (--source)",
    "files": "the files beside the index",
}


class UnknownRuleError(LookupError):
    """A page asks for a rule that does not exist."""


def find(code: str) -> Rule:
    """The rule of that code.

    Raises:
        UnknownRuleError: there is none.
    """
    for rule in RULES:
        if rule.code == code:
            return rule
    raise UnknownRuleError(f"no rule has the code {code!r}")


def page(code: str) -> str:
    """A rule's page, as Markdown: facts, why it matters, how to mend it, before and after."""
    rule = find(code)
    facts = [
        ("Family", f"{FAMILIES.get(code[:3], '')} ({code[:3]})"),
        ("Severity", rule.severity.value),
        ("Looks at", ", ".join(_NEEDS.get(need, need) for need in rule.needs)),
        ("Mended by --fix", "where the mend is certain" if rule.fixable else "no"),
    ]
    return "\n".join(
        [
            f"# {code}: {_text(rule.title)}",
            "",
            as_block(render("facts.html", facts=facts)),
            f"[All {code[:3]} rules](index.md#{_anchor(code[:3])}){{ data-search-exclude }}",
            "",
            "## Why it matters",
            "",
            _text(rule.why),
            "",
            "## How to mend it",
            "",
            _text(rule.remedy),
            "",
            "## Before and after",
            "",
            _fence('yaml title="Before"', dedent(rule.before).strip("\n")),
            "",
            _fence('yaml title="After"', dedent(rule.after).strip("\n")),
            "",
            "## Leave it out",
            "",
            "For one claim, with the reason, at the end of the claim's own line:",
            "",
            _fence("yaml", f"# audit: ignore[{code}] why this is left alone"),
            "",
            "For a whole run:",
            "",
            _fence("console", f"$ zoo-audit --ignore {code}"),
            "",
        ]
    )


def overview() -> str:
    """Every family with a table of its rules, as Markdown."""
    lines: list[str] = []
    for family, about in FAMILIES.items():
        rules = [rule for rule in RULES if rule.code.startswith(family)]
        if not rules:
            continue
        lines += [
            "",
            f"## {family}: {about} {{ #{_anchor(family)} }}",
            "",
            "| Code | Finds | Severity | `--fix` |",
            "|---|---|---|---|",
        ]
        lines += [
            f"| [{rule.code}]({rule.code}.md) | {_text(rule.title)} | {rule.severity.value} "
            f"| {'yes' if rule.fixable else 'no'} |"
            for rule in rules
        ]
    return "\n".join([*lines, ""])


def _anchor(family: str) -> str:
    """The id of a family's heading in the overview."""
    return family.lower()


def _text(text: str) -> str:
    """A rule's text in Markdown: pipes and angle brackets mean themselves, backticks keep marking code."""
    parts = inspect.cleandoc(text).split("`")
    if len(parts) % 2 == 0:
        return str(escape(text))
    return "".join(f"<code>{escape(part)}</code>" if n % 2 else str(escape(part)) for n, part in enumerate(parts))


def _fence(language: str, text: str) -> str:
    fence = "```"
    while fence in text:
        fence += "`"
    return f"{fence}{language}\n{text.rstrip()}\n{fence}"

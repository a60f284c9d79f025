"""Every rule: documented, with examples that are run, so that the rule pages never lie."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.rules.world import files_of, findings
from tools.modelindex.edit import splice
from tools.modelindex.records import PROBLEM_KINDS
from tools.rules import RULES
from tools.rules.registry import FAMILIES
from tools.rules.rule import Rule

IDS = [rule.code for rule in RULES]


def test_codes_are_unique_and_of_a_known_family() -> None:
    assert len(set(IDS)) == len(IDS)
    assert all(re.fullmatch(r"[A-Z]{3}[0-9]{3}", code) and code[:3] in FAMILIES for code in IDS)
    assert {code[:3] for code in IDS} == set(FAMILIES)


def test_codes_of_a_family_are_listed_in_order_without_gaps() -> None:
    for family in FAMILIES:
        numbers = [int(code[3:]) for code in IDS if code.startswith(family)]
        assert numbers == list(range(1, len(numbers) + 1)), family
    assert sorted(IDS, key=lambda code: (list(FAMILIES).index(code[:3]), code)) == IDS


@pytest.mark.parametrize("rule", RULES, ids=IDS)
def test_is_documented(rule: Rule) -> None:
    assert rule.title[0].isupper() and not rule.title.endswith(".") and len(rule.title) < 75
    for text in (rule.why, rule.remedy):
        assert len(text) > 30 and text.rstrip().endswith((".", "`.", ")")), text
        assert "  " not in text
    assert rule.before.endswith("\n") and rule.after.endswith("\n")
    assert rule.before != rule.after
    assert type(rule).__doc__


@pytest.mark.parametrize("rule", RULES, ids=IDS)
def test_its_example_breaks_it(rule: Rule, tmp_path: Path) -> None:
    assert findings(rule.before, tmp_path, rule.code)


@pytest.mark.parametrize("rule", RULES, ids=IDS)
def test_its_mended_example_does_not_break_it(rule: Rule, tmp_path: Path) -> None:
    assert not findings(rule.after, tmp_path, rule.code)


@pytest.mark.parametrize("rule", [rule for rule in RULES if rule.fixable], ids=lambda rule: rule.code)
def test_its_fix_mends_its_example(rule: Rule, tmp_path: Path) -> None:
    example = rule.before
    if rule.code == "WTS003":  # only a file at hand tells the hash
        example = "- Name: at_hand\n  Weights: https://example.org/at_hand.pth\n  Metadata:\n    Epochs: 300\n"
    (path, text), *_ = files_of(example).items()
    edits = [edit for finding in findings(example, tmp_path, rule.code) for edit in finding.fix]
    assert edits
    mended = splice(text, edits)
    assert mended != text
    assert not findings(mended if path == "page.md" else mended.removeprefix("Models:\n"), tmp_path, rule.code)


def test_a_rule_that_offers_edits_says_that_it_can(tmp_path: Path) -> None:
    for rule in RULES:
        if any(finding.fix for finding in findings(rule.before, tmp_path, rule.code)):
            assert rule.fixable, rule.code


def test_every_kind_of_problem_has_one_rule() -> None:
    kinds = [getattr(rule, "kind", None) for rule in RULES]
    for kind in PROBLEM_KINDS:
        assert kinds.count(kind) == 1, kind


def test_the_counters_are_those_that_are_measured() -> None:
    from tools.measure.counters import COUNTERS as MEASURED
    from tools.rules.diagnosis import COUNTERS

    assert set(COUNTERS) == set(MEASURED)

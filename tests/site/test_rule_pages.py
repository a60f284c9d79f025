from __future__ import annotations

from pathlib import Path

import pytest

from tools.rules.registry import FAMILIES, RULES
from tools.rules.rule import Rule
from tools.site import pages
from tools.site.rule_pages import UnknownRuleError, overview, page


def test_every_rule_has_its_page_and_no_page_is_left_over() -> None:
    """After a rule was added or removed: python -m tools.site.pages"""
    found = {path.name: path.read_text("utf-8") for path in pages.FOLDER.glob("[A-Z]*.md")}
    assert found == {f"{rule.code}.md": pages.text(rule) for rule in RULES}


def test_writing_the_pages_mends_a_folder_and_then_changes_nothing(tmp_path: Path) -> None:
    (tmp_path / "OLD001.md").write_text("a rule that is gone")
    (tmp_path / "index.md").write_text("mine")
    changed = pages.write(tmp_path)
    assert len(changed) == len(RULES) + 1
    assert not (tmp_path / "OLD001.md").exists()
    assert (tmp_path / "index.md").read_text() == "mine"
    assert pages.write(tmp_path) == []


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
def test_a_page_has_everything_that_a_rule_says(rule: Rule) -> None:
    code = rule.code
    text = page(code)
    assert text.startswith(f"# {code}: ")
    for heading in ("Why it matters", "How to mend it", "Before and after", "Leave it out"):
        assert f"\n## {heading}\n" in text
    assert text.count("```") % 2 == 0
    assert f"](index.md#{code[:3].lower()})" in text


def test_the_overview_links_every_rule() -> None:
    text = overview()
    assert all(f"[{rule.code}]({rule.code}.md)" in text for rule in RULES)
    assert all(rule.code[:3] in FAMILIES for rule in RULES)


def test_an_unknown_rule_fails() -> None:
    with pytest.raises(UnknownRuleError, match="XYZ999"):
        page("XYZ999")

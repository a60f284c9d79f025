from __future__ import annotations

from pathlib import Path

import pytest

from tools.site.citations import CitationError, citation, entries

ROOT = Path(__file__).parents[2]


def test_the_shipped_references_are_read_and_written_as_bibtex() -> None:
    text = citation(entries(ROOT / "docs/references.bib"), "tan2019mixconv")
    assert text.startswith("```bibtex\n@misc{tan2019mixconv,")
    assert "1907.09595" in text
    assert text.endswith("}\n```")


def test_an_unknown_key_names_those_that_exist() -> None:
    with pytest.raises(CitationError, match="no reference has the key 'x'; there are a, b"):
        citation({"b": "", "a": ""}, "x")


def test_a_broken_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "references.bib"
    path.write_text("@misc{a, title = {never closed")
    with pytest.raises(CitationError, match=r"references\.bib"):
        entries(path)


def test_backticks_cannot_end_the_block() -> None:
    text = citation({"a": "x\n```\n# heading"}, "a")
    assert text.startswith("````bibtex\n")
    assert text.endswith("\n````")

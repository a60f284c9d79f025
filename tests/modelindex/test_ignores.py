"""``# audit: ignore[...]`` comments, and what only looks like one."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.modelindex.helpers import clean, one, where
from tools.modelindex.records import Ignore, Place


def test_an_ignore_with_codes_reason_and_place(tmp_path: Path) -> None:
    card = (
        "# A\n\n<!--\nType: model-index  # audit: ignore[LNK] whole families too\nModels:\n- Name: a\n"
        "  Metadata:\n    FLOPs: 123  # audit: ignore[FLP001, par001] counted by hand: twice\n"
        "    ID: 'x' #audit:ignore[MOD002]  why\n-->\n"
    )
    index = clean(one(tmp_path, card, "a.md"))
    assert index.ignores == (
        Ignore(("LNK",), "whole families too", Place("a.md", 4, 20)),
        Ignore(("FLP001", "PAR001"), "counted by hand: twice", Place("a.md", 8, 17)),
        Ignore(("MOD002",), "why", Place("a.md", 9, 13)),
    )


@pytest.mark.parametrize(
    "comment", ["ignore[FLP001]", "ignore[FLP001]   ", "ignore", "ignore[] reason", "ignore[x y] z", "ignore FLP001"]
)
def test_without_reason_or_code_it_is_a_problem_and_does_not_count(tmp_path: Path, comment: str) -> None:
    index = one(tmp_path, f"Models:\n- Name: a  # audit: {comment}\n")
    assert where(index) == ["model-index.yml:2:12 ignore-without-reason"]
    assert index.ignores == ()


@pytest.mark.parametrize(
    "value",
    [
        "'x  # audit: ignore[FLP001] reason'",
        '"x  # audit: ignore[FLP001]"',
        "|\n    x\n    # audit: ignore[FLP001] reason\n",
        "x#audit:ignore[FLP001] reason",
        "'\n      # audit: ignore[FLP001] reason'",
    ],
)
def test_a_hash_inside_a_value_is_text(tmp_path: Path, value: str) -> None:
    index = one(tmp_path, f"Models:\n- Name: a\n  Code: {value}\n")
    assert index.ignores == ()
    assert where(index) == []


def test_a_comment_behind_a_quoted_value_and_a_block_header_counts(tmp_path: Path) -> None:
    text = (
        "Models:\n- Name: 'a#'  # audit: ignore[FLP001] one\n  Code: |  # audit: ignore[LNK001] two\n    x\n"
        "  # audit: ignore[PAR001] a line of its own\n"
    )
    index = clean(one(tmp_path, text))
    assert [(ignore.place.line, ignore.reason) for ignore in index.ignores] == [
        (2, "one"),
        (3, "two"),
        (5, "a line of its own"),
    ]


def test_prose_and_json_hold_no_ignores(tmp_path: Path) -> None:
    card = "# audit: ignore[FLP001] prose\n<!-- Note: x # audit: ignore[FLP001] -->\n<!--\nModels: [{Name: a}]\n-->\n"
    assert clean(one(tmp_path, card, "a.md")).ignores == ()
    assert clean(one(tmp_path, '{"Name": "a # audit: ignore[FLP001]", "Code": "x"}', "a.json")).ignores == ()


def test_an_ignore_in_a_shared_file_is_listed_once(tmp_path: Path) -> None:
    (tmp_path / "m.yml").write_text("FLOPs: 1  # audit: ignore[FLP001] shared\n", encoding="utf-8")
    index = clean(one(tmp_path, "Models: [{Name: a, Metadata: m.yml}, {Name: b, Metadata: m.yml}]\n"))
    assert len(index.ignores) == 1

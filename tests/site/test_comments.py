from __future__ import annotations

from tools.site.comments import without_index

INDEX = "<!--\nType: model-index\nModels:\n- Name: '{{ 7 * 7 }}'\n-->"


def test_the_index_is_taken_out_and_the_rest_stays() -> None:
    assert without_index(f"# Card\n\n{INDEX}\n\nText <!-- a note -->\n") == "# Card\n\n\n\nText <!-- a note -->\n"


def test_an_example_in_a_fence_stays() -> None:
    card = f"```html\n{INDEX}\n```\n"
    assert without_index(card) == card
    assert without_index(f"{card}{INDEX}") == card


def test_a_longer_fence_holds_shorter_ones() -> None:
    card = f"````markdown\n```\n{INDEX}\n```\n````\n"
    assert without_index(card) == card


def test_a_page_without_index_is_untouched() -> None:
    assert without_index("about the model-index format") == "about the model-index format"

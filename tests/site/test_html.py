from __future__ import annotations

import shutil
from html.parser import HTMLParser
from pathlib import Path

import jinja2
import markdown
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.site import html
from tools.site.html import as_block, escape, render, web_url

HOSTILE = [
    "<img src=x onerror=alert(1)>",
    "a | b | c",
    "{{ 7 * 7 }}{% raw %}",
    "\"quoted\" & 'quoted'",
    "```\nfence\n```",
    "[link](javascript:alert(1))",
    "**bold** __bold__ ~~gone~~ $x$ \\( y \\)",
    "# heading\n\n- item",
    "</div></td><script>alert(1)</script>",
    "--8<-- 'etc'",
    "&lt;b&gt; &#60;",
]


class Visible(HTMLParser):
    """The text that a browser shows, and every tag."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.text = ""
        self.tags: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        self.text += data


def through_the_page(value: str) -> Visible:
    """A value in a table of a page: escaped, then Jinja, then Markdown, then a browser's parser."""
    block = as_block(render("facts.html", facts=[("name", value)]))
    expanded = jinja2.Environment(autoescape=False).from_string(block).render()
    html = markdown.markdown(
        expanded, extensions=["tables", "attr_list", "pymdownx.superfences", "pymdownx.details", "def_list"]
    )
    visible = Visible()
    visible.feed(html)
    return visible


@pytest.mark.parametrize("value", HOSTILE)
def test_a_hostile_value_is_shown_as_its_text(value: str) -> None:
    visible = through_the_page(value)
    assert " ".join(visible.text.split()) == " ".join(f"name{value}".split())
    assert visible.tags == ["div", "dl", "dt", "dd"]


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=60))
def test_any_text_survives(value: str) -> None:
    visible = through_the_page(value)
    assert "".join(visible.text.split()) == "".join(f"name{value}".split())
    assert visible.tags == ["div", "dl", "dt", "dd"]


def test_control_characters_of_markdown_itself_cannot_be_forged() -> None:
    assert escape("\x02wzxhzdk:0\x03") == "\N{REPLACEMENT CHARACTER}wzxhzdk:0\N{REPLACEMENT CHARACTER}"


@pytest.mark.parametrize("url", ["https://example.org/a?b=c#d", "http://example.org", "HTTPS://EXAMPLE.ORG/x"])
def test_a_web_url_may_be_a_link(url: str) -> None:
    assert web_url(url) == url


@pytest.mark.parametrize(
    "url",
    [
        None,
        "",
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        " javascript:alert(1)",
        "java\nscript:alert(1)",
        "data:text/html,<script>",
        "//example.org",
        "https:example.org",
        "https://",
        "ftp://example.org/x",
        "https://[broken",
        "weights.pth",
    ],
)
def test_anything_else_is_text(url: str | None) -> None:
    assert web_url(url) is None


def test_a_template_that_misses_a_value_fails() -> None:
    with pytest.raises(jinja2.UndefinedError):
        render("facts.html")


def test_a_changed_template_is_read_again_when_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(html.TEMPLATES, tmp_path / "templates")
    monkeypatch.setattr(html, "TEMPLATES", tmp_path / "templates")
    link = tmp_path / "templates" / "link.html"
    try:
        html.forget_templates()
        link.write_text("old {{ text }}", "utf-8")
        assert render("link.html", text="*") == "old &#42;"
        link.write_text("new {{ text }}", "utf-8")
        assert render("link.html", text="*") == "old &#42;"
        html.forget_templates()
        assert render("link.html", text="*") == "new &#42;"
    finally:
        html.forget_templates()

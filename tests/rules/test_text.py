"""Pages, links, citations: what is recognised in text, where, and what is left in peace."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.rules.world import context_of, findings, index_of
from tools.rules.bibtex import mistakes
from tools.rules.codelinks import code_link
from tools.rules.engine import judge
from tools.rules.links import local_paths, source_paths
from tools.rules.pages import Page
from tools.rules.urls import file_name, host, moves, revision

COMMIT = "9a25fdf3ad0414b4d66da443fe60ae0aa14edc84"
CARD = "<!--\nType: model-index\nModels:\n- Name: mixnet_s\n{}-->\n"


def test_fences_of_every_kind_are_found() -> None:
    page = Page("p.md", "a\n```python\nx\n```\n~~~ {.bash}\ny\n~~~\n````md\n```\nz\n```\n````\n```text\nopen")
    assert [fence.info for fence in page.fences] == ["python", "bash", "md", "text"]
    assert [page.text[fence.start : fence.end] for fence in page.fences] == ["x\n", "y\n", "```\nz\n```\n", "open"]


def test_links_in_code_and_comments_are_no_links() -> None:
    page = Page(
        "p.md", "[a](a.md)\n```\n[b](b.md)\n```\n<!-- [c](c.md) -->\n[d](d.md#x) [e](https://e.org/e.md) [f](#f)"
    )
    assert [target for target, _ in page.local_links()] == ["a.md", "d.md#x"]


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_front_matter_gives_the_model_name_and_its_offset(newline: str) -> None:
    text = newline.join(["---", "title: T", "model_name: 'mixnet_s'  # the small one", "---", "text"])
    name = Page("p.md", text).model_name
    assert name == ("mixnet_s", text.index("'mixnet_s'"))
    assert Page("p.md", "model_name: mixnet_s").model_name is None


def test_arxiv_ids_are_stated_in_links_and_bibtex() -> None:
    text = 'arXiv:1907.09595 https://arxiv.org/pdf/1905.11946v5 eprint={1907.09595}, eprint = "2001.00001" 1234.56789'
    assert Page("p.md", text).arxiv_ids == ("1907.09595", "1905.11946", "2001.00001")


@pytest.mark.parametrize(
    "entry",
    [
        "@misc{a, title={A}, year=2019}",
        '@article(b, title = "B {"}B" # and # {C},)',
        "@misc{c,\n  title={{Nested {braces} \\{ here}},\n}\n@book{d}",
        "@string{x = {y}}\n@misc{e, title = x}",
    ],
)
def test_bibtex_that_parses(entry: str) -> None:
    assert mistakes(entry) == []


@pytest.mark.parametrize(
    ("entry", "offset", "what"),
    [
        ("@misc{a, title={A} year={1}}", 9, "comma"),
        ("@misc{a, title={A}", 0, "never closed"),
        ("@misc{a, title={A}, year=}", 20, "year"),
        ("@misc{title={A}}", 0, "key"),
        ("@misc a", 0, "brace"),
        ('@misc{a, title="A {B" }', 9, "not closed"),
        ('@misc{a, title="A } B"}', 9, "not closed"),
        ("nothing", 0, "no BibTeX entry"),
    ],
)
def test_bibtex_that_does_not_parse(entry: str, offset: int, what: str) -> None:
    ((at, message),) = mistakes(entry)
    assert at == offset
    assert what in message


def test_the_peer_library_agrees_about_bibtex() -> None:
    from pybtex.database import BibliographyData, parse_string
    from pybtex.scanner import PybtexSyntaxError

    for text in ("@misc{a, title={A}, year=2019}", "@misc{a, title={A} year={1}}", "@misc{a, title={A}"):
        try:
            parses = isinstance(parse_string(text, "bibtex"), BibliographyData)
        except PybtexSyntaxError:
            parses = False
        assert parses is (not mistakes(text)), text


@pytest.mark.parametrize(
    "text",
    [
        "{% include 'code_snippets.md' %} {{ summary_table() }} {{ citation('tan2019mixconv') }}",
        "{% raw %}{{ : }}{% endraw %}",
        "{{ values | join(', ') }} {# a comment #}",
        "{% for name in names %}{{ name.title }}{% endfor %}",
        "plain { braces } and {single}",
    ],
)
def test_macros_are_no_unescaped_braces(text: str, tmp_path: Path) -> None:
    assert not findings(f"# Page\n\n{text}\n", tmp_path, "PAG001")


@pytest.mark.parametrize(
    ("text", "column"),
    [("a {{MixConv: b}}", 3), ("a {% nothing %}", 3), ("## Top {#top}", 8), ("{{ ok() }} {{ a b }}", 12)],
)
def test_braces_that_break_the_site_are_found(text: str, column: int, tmp_path: Path) -> None:
    (finding,) = findings(f"# Page\n\n{text}\n", tmp_path, "PAG001")
    assert (finding.place.line, finding.place.column) == (3, column)


def test_a_page_without_macros_is_left_in_peace(tmp_path: Path) -> None:
    assert not findings("---\nrender_macros: false\n---\n\n{{a: b}}\n", tmp_path, "PAG001")


def test_snippets_are_not_judged_by_a_part_of_the_index(tmp_path: Path) -> None:
    page = "# P\n\n```\ncreate_model('mixnet_ss')\n```\n"
    assert findings(page, tmp_path, "PAG003")
    assert not findings(page, tmp_path, "PAG003", partial=True, listing=None)


@pytest.mark.parametrize(
    ("url", "link"),
    [
        (f"https://github.com/o/r/blob/{COMMIT}/a/b.py#L12", ("a/b.py", 12)),
        (f"https://github.com/o/r/blob/{COMMIT}/a/b.py#L12-L20", ("a/b.py", 12)),
        ("https://github.com/o/r/blob/main/b.py", ("b.py", None)),
        ("https://github.com/o/r", None),
        (f"https://github.com/o/r/blob/{COMMIT}/../../etc/passwd", None),
        ("not a url", None),
        ("https://[broken", None),
    ],
)
def test_code_links_name_a_file_and_a_line(url: str, link: tuple[str, int | None] | None) -> None:
    assert code_link(url) == link


def test_urls_tell_host_file_and_what_moves() -> None:
    assert host("https://www.Example.org:80/x") == "example.org"
    assert file_name("https://example.org/a/b.pth?download=1#x") == "b.pth"
    assert file_name("https://[broken") == ""
    assert revision(f"https://raw.githubusercontent.com/o/r/{COMMIT}/a") == COMMIT
    assert moves("https://huggingface.co/o/r/resolve/main/x.pth") == "main"
    assert moves("https://example.org/latest/x.pth") == "latest"
    assert moves("https://github.com/o/r/releases/download/v1/x.pth") is None
    assert moves("https://huggingface.co/main/r/resolve/v1/x.pth") is None


def test_what_must_be_read_beforehand_is_listed(tmp_path: Path) -> None:
    code = f"  Code: https://github.com/o/r/blob/{COMMIT}/a/b.py#L12\n  Image: img/x.png\n"
    page = "![a](pic.png) [b](../up.md) [c](../../out.md)\n" + CARD.format(code)
    index = index_of({"cards/p.md": page}, tmp_path)
    assert source_paths(index) == ("a/b.py",)
    assert set(local_paths(index)) == {"cards/img/x.png", "cards/pic.png", "up.md"}


def test_a_decorated_definition_is_found_by_its_decorator(tmp_path: Path) -> None:
    for line, good in ((1, True), (2, True), (3, False), (99, False)):
        code = f"- Name: mixnet_s\n  Code: https://github.com/o/r/blob/{COMMIT}/models/mixnet.py#L{line}\n"
        assert bool(findings(code, tmp_path, "LNK003")) is not good, line


def test_a_source_that_lacks_the_file_is_told(tmp_path: Path) -> None:
    code = f"- Name: mixnet_s\n  Code: https://github.com/o/r/blob/{COMMIT}/gone.py#L1\n"
    (finding,) = findings(code, tmp_path, "LNK003")
    assert "gone.py is not in the source" in finding.message


def test_a_dead_link_is_replaced_only_where_one_arxiv_id_is_stated(tmp_path: Path) -> None:
    dead = "https://paperswithcode.com/paper/mixnet"
    for ids, fixes in (("arXiv:1907.09595", 2), ("arXiv:1907.09595 arXiv:1905.11946", 0), ("", 0)):
        page = f"# P\n\n[paper]({dead}) {ids}\n\n" + CARD.format(f"  Paper: {dead}\n")
        found = findings(page, tmp_path, "LNK001")
        assert [(finding.place.line, finding.place.column) for finding in found] == [(3, 9), (9, 10)]
        edits = [edit for finding in found for edit in finding.fix]
        assert [edit.new for edit in edits] == ["https://arxiv.org/abs/1907.09595"] * fixes


def test_hosts_that_only_look_dead_are_left_in_peace(tmp_path: Path) -> None:
    page = "# P\n\nhttps://paperswithcode.com.example.org/x https://notpaperswithcode.com/\n"
    assert not findings(page, tmp_path, "LNK001")


def test_only_404_and_410_count_as_dead(tmp_path: Path) -> None:
    from tools.weights.records import LinkStatus

    url = "https://example.org/p.pdf"
    index = index_of({"model-index.yml": f"Models:\n- Name: mixnet_s\n  Paper: {url}\n"}, tmp_path)
    for status, dead in ((404, True), (410, True), (403, False), (500, False), (200, False), (None, False)):
        result = judge(context_of(index, links={url: LinkStatus(url, status)}), select=["LNK005"])
        assert bool(result.findings) is dead, status


def test_the_citation_may_come_from_a_macro(tmp_path: Path) -> None:
    assert not findings("# P\n\n{{ citation('tan2019mixconv') }}\n\n" + CARD.format(""), tmp_path, "CIT003")

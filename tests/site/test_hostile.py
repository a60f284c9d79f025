"""Metadata from hostile hands, on the built page, in a real browser."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from tests.site.conftest import Seen, Site, serve
from tests.site.project import card, make, mkdocs

if TYPE_CHECKING:
    from playwright.sync_api import Dialog, Page

pytestmark = pytest.mark.browser

NAMES = [
    "<img src=x onerror=alert(1)>",
    "a | b || c",
    "{{ 7 * 7 }} {% for %}",
    "\"double\" and 'single' & `tick`",
    "[link](javascript:alert(1)) **bold** __x__",
    "</td></table></div><script>alert(2)</script>",
    "../../outside",
    "``` ~~~ <!-- -->",
]
FAMILY = "<b>Family</b> | {{ 1 }}"
URL = "javascript:alert(document.domain)//x-0123abcd.pth"
VALUE = "<svg onload=alert(3)>|{{ 2 }}"
HEADER = '---\ntitle: "<i>Title</i> | & more"\n---\n'
MACROS = """\
{{ summary_table() }}

{{ published_numbers() }}

{{ cost_breakdown() }}

{{ architecture() }}

{{ weights_table() }}

{{ overview_table() }}

{{ accuracy_charts() }}

{{ counters_table() }}

{{ audit_state() }}

The last line.
"""


def entry(name: str, top1: int) -> str:
    quoted = json.dumps(name)
    return f"""\
- Name: {quoted}
  In Collection: {json.dumps(FAMILY)}
  Metadata:
    Parameters: {json.dumps(VALUE)}
    FLOPs: 100
    FLOPs Counter: {json.dumps(VALUE)}
    File Size: {json.dumps(VALUE)}
    Architecture: [{json.dumps(VALUE)}]
  Weights: {json.dumps(URL)}
  Code: {json.dumps(URL)}
  Results:
  - Task: {json.dumps(VALUE)}
    Dataset: {json.dumps(VALUE)}
    Metrics: {{Top 1 Accuracy: {top1}%, Top 5 Accuracy: {json.dumps(VALUE)}}}"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The same hostile models in a card and, with what would end a card's comment, in a file of their own."""
    folder = tmp_path_factory.mktemp("hostile")
    in_card = [entry(f"{name} again", 60 + n) for n, name in enumerate(NAMES) if "-->" not in name]
    rest = "\n".join(entry(name, 70 + n) for n, name in enumerate(NAMES))
    pages = {
        "index.md": "# Home\n\n{{ overview_table() }}\n\n{{ accuracy_charts() }}\n",
        "card.md": card(*in_card, text=MACROS, header=HEADER),
        "rest.yml": f"Collections:\n- Name: {json.dumps(FAMILY)}\nModels:\n{rest}\n",
    }
    project = make(folder, pages, "Import: [card.md, rest.yml]\n")
    done = mkdocs(project, "build", "-d", str(folder / "site"))
    assert "Error building page" not in done.stderr
    assert "Macro Rendering Error" not in done.stderr
    yield from serve(folder / "site")


@pytest.mark.parametrize("path", ["", "card/"])
def test_nothing_runs_and_nothing_leaves_the_site(site: Site, page: Page, path: str) -> None:
    seen = Seen()
    seen.watch(page, site)
    dialogs: list[str] = []

    def dismiss(dialog: Dialog) -> None:
        dialogs.append(dialog.message)
        dialog.dismiss()

    page.on("dialog", dismiss)
    page.goto(site.url + path, wait_until="networkidle")
    assert dialogs == []
    assert seen.strangers == []
    assert seen.errors == []
    assert page.locator("img, [onerror], [onload], iframe").count() == 0
    assert page.locator("a[href^='javascript:' i]").count() == 0


def test_every_name_is_shown_as_it_was_written(site: Site, page: Page) -> None:
    page.goto(site.url)
    shown = page.locator(".za-sortable tbody th").evaluate_all("cells => cells.map(cell => cell.textContent)")
    wanted = [f"{name} again" for name in NAMES if "-->" not in name] + NAMES
    assert [" ".join(text.split()) for text in shown] == [" ".join(name.split()) for name in wanted]


def test_no_table_is_broken(site: Site, page: Page) -> None:
    for path in ("", "card/"):
        page.goto(site.url + path)
        widths = page.locator("table").evaluate_all(
            "tables => tables.map(t => [...t.rows].map(r => [...r.cells].reduce((n, c) => n + c.colSpan, 0)))"
        )
        assert widths
        assert all(len(set(table)) == 1 for table in widths)


def test_values_and_urls_are_text(site: Site, page: Page) -> None:
    page.goto(site.url + "card/")
    text = page.locator(".md-content").evaluate("e => e.textContent")
    assert VALUE in text
    assert URL in text
    assert FAMILY in text
    assert "The last line." in text
    assert page.locator(".md-content p", has_text="The last line.").count() == 1


def test_one_file_a_model_and_none_outside(site: Site) -> None:
    files = sorted(path.name for path in (site.folder / "models").iterdir())
    count = len(json.loads((site.folder / "models.json").read_text("utf-8"))["models"])
    assert len(files) == count
    assert not (site.folder.parent / "outside.json").exists()

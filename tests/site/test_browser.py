"""The built site in a real browser."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urldefrag, urljoin

import pytest

from tests.site.conftest import Seen, Site

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Page

pytestmark = pytest.mark.browser

AXE = (Path(__file__).parents[1] / "data/axe/axe.min.js").read_text("utf-8")
PHONE = {"width": 360, "height": 740}
DEEP = ("", "models/", "models/mixnet/", "models/tf-mixnet/", "counters/", "rules/", "rules/FLP001/", "how-it-works/")
"""One page of each kind: these are looked at in every way."""

BOXES = """svg => [...svg.querySelectorAll('a > text')].map(text => text.getBBox())
  .map(box => [box.x, box.y, box.x + box.width, box.y + box.height])"""

LINKS = """() => ({
  links: [...document.querySelectorAll('a[href], link[href], img[src], script[src]')]
    .map(e => e.getAttribute('href') ?? e.getAttribute('src')),
  ids: [...document.querySelectorAll('[id]')].map(e => e.id),
  doubled: [...document.querySelectorAll('[id]')].map(e => e.id).filter((id, n, all) => all.indexOf(id) !== n),
  h1: document.querySelectorAll('h1').length,
})"""

TRANSFERRED = """() => ["navigation", "resource"].flatMap(kind => performance.getEntriesByType(kind))
  .map(entry => entry.transferSize)"""

CLS = """() => new Promise(done => {
  let sum = 0;
  new PerformanceObserver(list => {
    for (const entry of list.getEntries()) if (!entry.hadRecentInput) sum += entry.value;
  }).observe({type: 'layout-shift', buffered: true});
  setTimeout(() => done(sum), 500);
})"""


def test_every_page_loads_in_silence_and_every_link_resolves(site: Site, page: Page) -> None:
    seen = Seen()
    seen.watch(page, site)
    found: dict[str, dict[str, Any]] = {}
    for path in site.pages():
        page.goto(site.url + path)
        found[path] = page.evaluate(LINKS)
    assert len(found) > 70
    assert seen.strangers == []
    assert seen.errors == []
    assert {path: f["doubled"] for path, f in found.items() if f["doubled"]} == {}
    assert {path: f["h1"] for path, f in found.items() if f["h1"] != 1} == {}
    assert _broken(site, found) == []


def _broken(site: Site, found: dict[str, dict[str, Any]]) -> list[str]:
    broken = []
    for path, facts in found.items():
        for link in facts["links"]:
            url, fragment = urldefrag(urljoin(site.url + path, link))
            if not url.startswith(site.url):
                continue
            target = unquote(url.removeprefix(site.url))
            if not (site.folder / target).exists():
                broken.append(f"{path}: {link}")
            elif fragment and target in found and unquote(fragment) not in found[target]["ids"]:
                broken.append(f"{path}: {link} has no such anchor")
    return broken


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", ["", "models/mixnet/", "counters/", "rules/FLP001/"])
def test_no_serious_accessibility_violation(site: Site, chromium: Browser, path: str, scheme: Any) -> None:
    context = chromium.new_context(color_scheme=scheme, viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.goto(site.url + path)
    page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    page.evaluate(AXE)
    results = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    context.close()
    serious = [
        f"{violation['id']}: {node['target']} {node['failureSummary']}"
        for violation in results["violations"]
        if violation["impact"] in ("serious", "critical")
        for node in violation["nodes"]
    ]
    assert serious == []


@pytest.mark.parametrize("path", DEEP)
def test_a_phone_never_scrolls_sideways(site: Site, chromium: Browser, path: str) -> None:
    context = chromium.new_context(viewport=PHONE)  # type: ignore[arg-type]  # a TypedDict, written as a constant
    page = context.new_page()
    page.goto(site.url + path)
    page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    context.close()


def test_wide_tables_scroll_inside_their_own_box(site: Site, chromium: Browser) -> None:
    context = chromium.new_context(viewport=PHONE)  # type: ignore[arg-type]  # as above
    page = context.new_page()
    page.goto(site.url + "models/mixnet/")
    box = page.locator(".za-scroll").first
    assert box.evaluate("box => box.scrollWidth > box.clientWidth")
    box.focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_function("document.querySelector('.za-scroll').scrollLeft > 0")
    context.close()


def test_the_home_page_is_light_and_does_not_shift(site: Site, page: Page) -> None:
    page.goto(site.url, wait_until="networkidle")
    transferred = page.evaluate(TRANSFERRED)
    # Markup, two style sheets at least, two scripts, the search's worker and index.
    assert len(transferred) >= 7
    assert 50_000 < sum(transferred) < 500_000
    assert page.evaluate(CLS) < 0.01
    page.goto(site.url + "models/mixnet/", wait_until="networkidle")
    assert page.evaluate(CLS) < 0.01


def names(page: Page) -> list[str]:
    return page.locator(".za-sortable tbody tr:not([hidden]) th").all_inner_texts()


def test_the_table_is_sorted_by_keyboard_and_mouse(site: Site, page: Page) -> None:
    page.goto(site.url)
    original = names(page)
    head = page.locator("th", has=page.get_by_role("button", name="FLOPs"))
    button = head.get_by_role("button")
    button.focus()
    page.keyboard.press("Enter")
    assert head.get_attribute("aria-sort") == "descending"
    assert names(page)[0] == "mixnet_xxl"
    page.keyboard.press("Space")
    assert head.get_attribute("aria-sort") == "ascending"
    assert {*names(page)[:2]} == {"mixnet_s", "tf_mixnet_s"}
    button.click()
    assert head.get_attribute("aria-sort") == "none"
    assert names(page) == original


def test_models_without_a_value_stay_last_either_way(site: Site, page: Page) -> None:
    page.goto(site.url)
    button = page.get_by_role("button", name="Top 1")
    for _ in range(2):
        button.click()
        assert names(page)[-1] == "mixnet_xxl"


def test_the_table_is_filtered(site: Site, page: Page) -> None:
    page.goto(site.url)
    status = page.locator(".za-filter output")
    assert status.inner_text() == "8 of 8 models"
    page.get_by_label("Name").fill("_xl")
    assert names(page) == ["mixnet_xl"]
    assert status.inner_text() == "1 of 8 models"
    page.get_by_label("Name").fill("")
    page.get_by_label("Family").select_option("TF MixNet")
    assert names(page) == ["tf_mixnet_s", "tf_mixnet_m", "tf_mixnet_l"]
    page.get_by_label("Name").fill("nothing like it")
    assert names(page) == []
    assert status.inner_text() == "0 of 8 models"


@pytest.mark.parametrize("how", ["hover", "focus"])
def test_a_number_tells_claimed_and_measured(site: Site, page: Page, how: str) -> None:
    page.goto(site.url + "models/mixnet/")
    row = page.locator("#model-mixnet_s")
    cell = row.locator(".za-cell").first
    tip = cell.locator(".za-tip")
    assert not tip.is_visible()
    if how == "hover":
        cell.hover()
    else:
        page.locator(".za-scroll").first.focus()
        page.keyboard.press("Tab")
        assert cell.evaluate("cell => cell === document.activeElement")
    _wait_visible(tip)
    assert "verified: claimed 4,130,000, measured 4,134,606" in tip.inner_text()
    box = tip.bounding_box()
    assert box is not None
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 1280
    page.keyboard.press("Escape")
    page.wait_for_function("tip => getComputedStyle(tip).visibility === 'hidden'", arg=tip.element_handle())


def _wait_visible(tip: Locator) -> None:
    tip.wait_for(state="visible", timeout=5000)


def test_an_unchecked_number_looks_unchecked_without_colour(site: Site, page: Page) -> None:
    page.goto(site.url + "models/mixnet/")
    top1 = page.locator("#model-mixnet_s td").nth(5).locator(".za-cell")
    assert top1.locator(".za-mark").inner_text() == "?"
    assert top1.locator(".za-value").evaluate("e => getComputedStyle(e).fontStyle") == "italic"
    assert "unchecked" in top1.evaluate("e => e.textContent")


def test_snippets_are_tabs_with_copy_buttons(site: Site, page: Page) -> None:
    page.goto(site.url + "models/mixnet/")
    labels = page.locator(".tabbed-labels label")
    assert labels.all_inner_texts() == ["This zoo", "timm", "The file by hand"]
    for n, word in enumerate(("import zoo", "import timm", "load_state_dict_from_url")):
        labels.nth(n).click()
        block = page.locator(".tabbed-block").nth(n)
        assert block.is_visible()
        block.hover()
        block.get_by_role("button").first.click()
        copied: str = page.evaluate("navigator.clipboard.readText()")
        assert word in copied
        assert 'mixnet_l"' in copied


def test_tabs_are_operated_by_keyboard(site: Site, page: Page) -> None:
    page.goto(site.url + "models/mixnet/")
    page.locator(".tabbed-set > input").first.focus()
    page.keyboard.press("ArrowRight")
    assert page.locator(".tabbed-block").nth(1).is_visible()
    assert not page.locator(".tabbed-block").nth(0).is_visible()


def test_the_citation_is_copied_as_bibtex(site: Site, page: Page) -> None:
    page.goto(site.url + "models/mixnet/")
    block = page.locator(".language-bibtex")
    block.hover()
    block.get_by_role("button").first.click()
    copied: str = page.evaluate("navigator.clipboard.readText()")
    assert copied.startswith("@misc{tan2019mixconv,")
    assert copied.rstrip().endswith("}")


def test_colours_follow_the_system_and_can_be_chosen(site: Site, chromium: Browser) -> None:
    for scheme, expected in (("dark", "slate"), ("light", "default")):
        context = chromium.new_context(color_scheme=scheme)  # type: ignore[arg-type]  # one of its literals
        page = context.new_page()
        page.goto(site.url)
        assert page.locator("body").get_attribute("data-md-color-scheme") == expected
        page.locator("label[title='Use the light colours']").click()
        assert page.locator("body").get_attribute("data-md-color-scheme") == "default"
        page.locator("label[title='Use the dark colours']").click()
        assert page.locator("body").get_attribute("data-md-color-scheme") == "slate"
        colour = page.locator(".za-point text").first.evaluate("e => getComputedStyle(e).fill")
        assert colour == "rgb(124, 192, 245)"
        context.close()


def test_chart_points_lead_to_their_row(site: Site, page: Page) -> None:
    page.goto(site.url)
    point = page.locator("svg a", has_text="tf_mixnet_l").first
    point.focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/models/tf-mixnet/#model-tf_mixnet_l")
    assert page.locator("tr:target th").inner_text() == "tf_mixnet_l"


def test_chart_labels_do_not_collide_as_drawn(site: Site, page: Page) -> None:
    page.goto(site.url)
    for chart in page.locator(".za-side .za-chart > svg").all():
        boxes = chart.evaluate(BOXES)
        assert len(boxes) == 7
        for n, a in enumerate(boxes):
            for b in boxes[n + 1 :]:
                assert a[2] <= b[0] or b[2] <= a[0] or a[3] <= b[1] or b[3] <= a[1]


def test_pages_say_the_same_without_a_script(site: Site, chromium: Browser) -> None:
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(site.url)
    assert page.locator(".za-sortable tbody tr").count() == 8
    assert page.locator(".za-side svg").first.is_visible()
    assert not page.locator(".za-filter").is_visible()
    context.close()

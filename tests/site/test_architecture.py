from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest

import zoo
from tools.site.architecture import draw, identifier


def parse(name: str) -> ET.Element:
    return ET.fromstring(str(draw(zoo.model_info(name))).replace("&ndash;", "-"))


# By the table's repeats: S has 1 + 2 + 4 + 3 + 3 + 3 blocks, M has 1 + 2 + 4 + 4 + 4 + 4.
@pytest.mark.parametrize(("name", "blocks"), [("mixnet_s", 16), ("mixnet_m", 19), ("tf_mixnet_s", 16)])
def test_every_block_is_drawn(name: str, blocks: int) -> None:
    assert len(parse(name).findall(".//g[@class='za-block']")) == blocks


def test_resolutions_follow_the_strides() -> None:
    texts = [text.text or "" for text in parse("mixnet_s").iterfind(".//text")]
    times = "\N{MULTIPLICATION SIGN}"
    sizes = [text.split()[0] for text in texts if "channels" in text and times in text]
    assert sizes == [f"{n}{times}{n}" for n in (112, 112, 56, 28, 14, 14, 7)]


def test_a_mixconv_has_a_bar_for_each_kernel() -> None:
    blocks = parse("mixnet_s").findall(".//g[@class='za-block']")
    first_of_stage_5 = blocks[-3]
    title = first_of_stage_5.find("title")
    assert title is not None
    assert "MixConv 3" in (title.text or "")
    bars = [rect for rect in first_of_stage_5.findall("rect") if (rect.get("class") or "").startswith("za-k")]
    assert [float(bar.get("height", 0)) for bar in bars] == sorted(float(bar.get("height", 0)) for bar in bars)
    assert len(bars) == 5


def test_the_drawing_is_repeated_as_a_table() -> None:
    rows = parse("mixnet_s").findall(".//tbody/tr")
    assert len(rows) == len(zoo.model_info("mixnet_s").stages)


def test_ids_hold_only_what_ids_may() -> None:
    assert identifier("mixnet_s") == "mixnet_s"
    assert identifier('a "b"<') == "a-20-22b-22-3c"

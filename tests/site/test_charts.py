from __future__ import annotations

import xml.etree.ElementTree as ET
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.site.charts import Axis, Point, Scale, pareto, scatter
from tools.site.labels import Box, Wanted, place

COST, MERIT = Axis("FLOPs", "FLOPs"), Axis("Top 1, %", "Top 1", 2)
FRAME = Box(0, 0, 400, 300)


def test_the_front_keeps_what_nothing_beats() -> None:
    #       a cheap one, a dearer and better one, one that costs more for less, an equal twin, the best
    points = [(1.0, 70.0), (2.0, 75.0), (3.0, 74.0), (2.0, 75.0), (4.0, 80.0)]
    assert pareto(points) == [0, 1, 4]


def test_of_equal_cost_only_the_better_is_on_the_front() -> None:
    assert pareto([(1.0, 70.0), (1.0, 71.0)]) == [1]
    assert pareto([]) == []


@given(st.lists(st.tuples(st.floats(1, 9), st.floats(1, 9)), max_size=30))
def test_no_point_beats_one_on_the_front(points: list[tuple[float, float]]) -> None:
    front = pareto(points)
    for i in front:
        for cost, merit in points:
            no_worse = cost <= points[i][0] and merit >= points[i][1]
            assert not (no_worse and (cost, merit) != points[i])


@given(st.lists(st.tuples(st.integers(0, 400), st.integers(0, 300), st.integers(10, 120)), max_size=25))
def test_labels_never_collide(points: list[tuple[int, int, int]]) -> None:
    wanted = [Wanted(x, y, width, 14) for x, y, width in points]
    boxes = place(wanted, FRAME)
    placed = [box for box in boxes if box is not None]
    assert len(boxes) == len(wanted)
    assert all(box.inside(FRAME) for box in placed)
    assert not any(a.overlaps(b) for a, b in combinations(placed, 2))
    for box, label in zip(boxes, wanted, strict=True):
        if box is not None:
            own = box.distance(label.x, label.y)
            assert all(box.distance(o.x, o.y) > own for o in wanted if (o.x, o.y) != (label.x, label.y))


def test_a_lone_label_is_placed_and_keeps_off_what_is_blocked() -> None:
    label = Wanted(200, 150, 60, 14)
    (free,) = place([label], FRAME)
    assert free is not None
    (moved,) = place([label], FRAME, [free])
    assert moved is not None
    assert not moved.overlaps(free)
    assert place([label], FRAME, [FRAME]) == [None]


def test_scales_have_round_ticks_inside() -> None:
    linear = Scale.of([75.0, 80.0], 300, 0)
    assert not linear.logarithmic
    assert all(linear.low <= tick <= linear.high for tick in linear.ticks)
    assert len(linear.ticks) >= 3
    wide = Scale.of([1e6, 1e9], 0, 400)
    assert wide.logarithmic
    assert set(wide.ticks) >= {1e6, 1e7, 1e8, 1e9}
    assert wide(1e6) < wide(1e9) < 400


def test_one_point_alone_still_makes_a_chart() -> None:
    figure = scatter("c", "Title", "What it shows.", COST, MERIT, [Point("one", "A", 5e8, 77.0, "#one")])
    assert "one" in figure


def test_without_points_the_chart_says_so() -> None:
    assert "no model here publishes both figures" in scatter("c", "Title", "…", COST, MERIT, [])


@pytest.fixture
def figure() -> ET.Element:
    points = [
        Point("small", "A", 2e8, 75.0, "models/a/#small"),
        Point("large", "A", 9e8, 80.0, "models/a/#large"),
        Point("worse", "B", 9.5e8, 70.0, "models/b/#worse"),
    ]
    return ET.fromstring(str(scatter("c", "A title", "A sentence.", COST, MERIT, points)))


def test_a_chart_is_named_described_and_has_its_data_as_a_table(figure: ET.Element) -> None:
    svg = figure.find("svg")
    assert svg is not None
    named = [svg.find(f".//*[@id='{i}']") for i in (svg.get("aria-labelledby") or "").split()]
    assert [element.text for element in named if element is not None] == ["A title", "A sentence."]
    rows = [[cell.text for cell in row] for row in figure.iterfind(".//tbody/tr")]
    assert rows == [
        ["small", "A", "200,000,000", "75.00", "yes"],
        ["large", "A", "900,000,000", "80.00", "yes"],
        ["worse", "B", "950,000,000", "70.00", "no"],
    ]


def test_points_link_to_their_card_and_families_differ_by_more_than_colour(figure: ET.Element) -> None:
    links = figure.findall("svg/a")
    assert [link.get("href") for link in links] == ["models/a/#small", "models/a/#large", "models/b/#worse"]
    shapes = [link.findall("g/*")[0].tag for link in links]
    assert shapes == ["circle", "circle", "rect"]

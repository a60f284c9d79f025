"""The made-up zoo: every rule's mistake is caught at its exact line and column, and nothing else is accused."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tools.measure.listing import list_in_process
from tools.measure.model import measure_model
from tools.measure.records import Factory, Failure, Listing, Measurement, Request
from tools.modelindex.load import load
from tools.modelindex.records import Index
from tools.rules import RULES, Judged, judge
from tools.rules.diagnosis import sizes_claimed, sizes_to_try
from tools.rules.links import local_paths, source_paths
from tools.rules.records import Context, Verdict
from tools.weights.inspect import find_files, inspect_file
from tools.weights.records import LinkStatus

ROOT = Path(__file__).parents[1] / "data" / "madeup"
FACTORY = Factory("madeup:create_model", str(ROOT), "madeup:config_of", "madeup:list_models")
_EXPECT = re.compile(
    r"expect(?:@(?P<line>\d+)|\[(?P<shift>-\d+)\])?: (?P<code>[A-Z]{3}\d{3})(?: at (?P<text>.+?))?\s*(?:-->)?$"
)
RELEASE = "https://example.org/madeup/v1.0/"
LINKS = {
    url: LinkStatus(url, status, length)
    for url, status, length in (
        (f"{RELEASE}moved-89abcdef.pth", 404, None),
        (f"{RELEASE}remote-456789ab.pth", 200, 9999),
        (f"{RELEASE}toy_s-212dea1f.pth", 200, 2671),
    )
}


def expected() -> Iterator[tuple[str, str, int, int]]:
    """Code, path, line and column of everything that the cards say must be found."""
    for file in sorted([ROOT / "model-index.yml", *(ROOT / "cards").glob("*.*")]):
        lines = file.read_text(encoding="utf-8").splitlines()
        for number, line in enumerate(lines, start=1):
            match = _EXPECT.search(line)
            if match is None:
                continue
            at = int(match["line"] or number) + int(match["shift"] or 0)
            column = lines[at - 1].index(match["text"]) + 1 if match["text"] else 1
            yield match["code"], file.relative_to(ROOT).as_posix(), at, column


@pytest.fixture(scope="module")
def index() -> Index:
    return load([ROOT / "model-index.yml"], ROOT)


@pytest.fixture(scope="module")
def judged(index: Index) -> Judged:
    measurements: dict[str, Measurement | Failure] = {}
    for model in index.models:
        request = Request(model.name.text, FACTORY, sizes=sizes_claimed(model))
        outcome = measure_model(request)
        if isinstance(outcome, Measurement):
            further = sizes_to_try(model, outcome, index)
            if further:
                outcome = measure_model(Request(model.name.text, FACTORY, sizes=(*request.sizes, *further)))
        measurements[model.name.text] = outcome
    listing = list_in_process(FACTORY)
    assert isinstance(listing, Listing)
    names = [model.weights.text.rpartition("/")[2] for model in index.models if model.weights is not None]
    context = Context(
        index,
        measurements,
        listing=listing,
        weights={name: inspect_file(path) for name, path in find_files(ROOT / "weights", names).items()},
        links=LINKS,
        source_files={path: (ROOT / path).read_text() for path in source_paths(index) if (ROOT / path).is_file()},
        missing_files=frozenset(path for path in local_paths(index) if not (ROOT / path).exists()),
    )
    return judge(context)


def test_every_mistake_is_found_at_its_line_and_column_and_nothing_else(judged: Judged) -> None:
    found = Counter((f.code, f.place.path, f.place.line, f.place.column) for f in judged.findings)
    wanted = Counter(expected())
    assert sorted((found - wanted).elements()) == [], "accused, but healthy"
    assert sorted((wanted - found).elements()) == [], "not found"


def test_there_is_a_mistake_for_every_rule() -> None:
    assert {code for code, *_ in expected()} == {rule.code for rule in RULES}


def test_the_healthy_card_holds(judged: Judged) -> None:
    verdicts = {j.claim.field: j.verdict for j in judged.judgements["toy_s"]}
    proved = {"Parameters", "FLOPs", "File Size", "SHA256", "ID", "Image Size", "Crop Pct", "Interpolation", "Weights"}
    assert {field for field, verdict in verdicts.items() if verdict is Verdict.VERIFIED} >= proved | {"Code", "Mean"}
    assert Verdict.MISMATCH not in verdicts.values()


def test_an_ignored_mismatch_is_told_with_its_reason(judged: Judged) -> None:
    (claim,) = (j for j in judged.judgements["toy_seed4"] if j.claim.field == "Parameters")
    assert (claim.verdict, claim.reason) == (Verdict.IGNORED, "counted with another classifier")
    assert [finding.code for finding in judged.ignored] == ["PAR001"]


def test_a_static_audit_finds_what_needs_no_model(index: Index) -> None:
    found = {finding.code for finding in judge(Context(index, {}, static=True)).findings}
    assert {f"IDX{number:03}" for number in range(1, 13)} <= found
    assert {"RES001", "RES002", "RES003", "LNK001", "LNK002", "CIT001", "CIT002", "PAG001", "WTS003"} <= found
    assert not {code for code in found if code[:3] in {"MOD"}} - {"MOD003"}
    assert not found & {"PAR001", "FLP001", "FLP002", "WTS001", "IDX013"}

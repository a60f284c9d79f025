from __future__ import annotations

import json
import xml.etree.ElementTree as ET

import jsonschema
import pytest

from tests.site.made import facts, report
from tools.measure.records import Failure
from tools.rules.records import Verdict
from tools.site.machines import SCHEMA_FILE, badge, file_name, files, json_ld
from tools.site.repository import Commit

MODELS = (
    facts("one", ("Parameters", "4130000", Verdict.VERIFIED), ("Top 1 Accuracy", "75%", Verdict.UNCHECKED)),
    facts("two", ("Parameters", "banana", Verdict.UNCHECKED), measured=Failure("two", "build", "no such model")),
)


def test_models_json_fits_the_schema_beside_it() -> None:
    schema = json.loads(SCHEMA_FILE.read_text("utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    written = files(report(*MODELS), MODELS, Commit("0123abcdef", "2026-11-22"))
    document = json.loads(written["models.json"])
    jsonschema.validate(document, schema)
    assert document["summary"]["verified"] == 1
    assert document["models"][0]["measured"]["flops"][0]["total"] == 251736960
    assert document["models"][1]["measured"] is None
    assert document["models"] == [json.loads(written[f"models/{name}.json"]) for name in ("one", "two")]
    assert document["models"][1]["not_measured"] == "not measured: no such model"


@pytest.mark.parametrize("name", ["../../etc/passwd", "..", ".hidden", "a/b", "C:\\x", "a\0b", "naïve model?"])
def test_no_name_leaves_the_folder(name: str) -> None:
    file = file_name(name)
    assert file.endswith(".json")
    assert not file.startswith(".")
    assert not set(file) & set('/\\:*?"<>|\0 ')


def test_usual_names_are_kept() -> None:
    assert file_name("mixnet_s") == "mixnet_s.json"
    assert file_name("resnet50.a1_in1k") == "resnet50.a1_in1k.json"


def test_json_ld_cannot_end_its_element() -> None:
    element = json_ld([facts("</script><script>alert(1)</script>")], "https://example.org/card/")
    assert element.count("<") == 2
    data = json.loads(element.removeprefix('<script type="application/ld+json">').removesuffix("</script>"))
    assert data["@graph"][0]["name"] == "</script><script>alert(1)</script>"


def test_the_badge_counts_verified_claims_and_shows_a_wrong_one() -> None:
    fine = ET.fromstring(str(badge(report(*MODELS))))
    assert fine.get("aria-label") == "claims verified: 1/3"
    wrong = str(badge(report(facts("x", ("FLOPs", "1", Verdict.MISMATCH)))))
    assert "0/1, 1 wrong" in wrong

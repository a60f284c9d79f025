"""The engine: one verdict a claim, ignores, selection, severities, order, and rules that fail."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.rules.world import MIXNET_S, context_of, entry, files_of, findings, index_of, judged, verdict
from tools.rules.engine import judge, matches, unknown_selectors
from tools.rules.evidence import Evidence, Subject
from tools.rules.records import Finding, Severity, Verdict
from tools.rules.rule import ModelRule, Outcome, Rule, RuleError
from tools.rules.rule import judged as passed

WRONG = entry("Parameters", "5")


class Says(ModelRule):
    """Passes a fixed verdict on every claim."""

    title = why = remedy = before = after = "as in a test"

    def __init__(self, code: str, verdict: Verdict, reason: str) -> None:
        self.code = code  # type: ignore[misc]  # one class, several codes: only in this test
        self._verdict, self._reason = verdict, reason

    def check_model(self, subject: Subject) -> Iterator[Outcome]:
        for claim in subject.claims:
            if self._verdict is Verdict.MISMATCH:
                yield from self.breach(claim, self._reason)
            else:
                yield passed(claim, self._verdict, None, self._reason)


def settled(rules: list[Rule], card: str, root: Path) -> tuple[Verdict, str]:
    result = judge(context_of(index_of(files_of(card), root)), rules=rules)
    ((judgement,),) = result.judgements.values()
    return judgement.verdict, judgement.reason


def test_the_weightiest_verdict_wins(tmp_path: Path) -> None:
    wrong = Says("AAA001", Verdict.MISMATCH, "wrong")
    right = Says("AAA002", Verdict.VERIFIED, "right")
    likely = Says("AAA003", Verdict.CONSISTENT, "likely")
    unknown = Says("AAA004", Verdict.UNCHECKED, "unknown")
    assert settled([unknown, likely, right, wrong], WRONG, tmp_path) == (Verdict.MISMATCH, "wrong")
    assert settled([unknown, likely, right], WRONG, tmp_path) == (Verdict.VERIFIED, "right")
    assert settled([unknown, likely], WRONG, tmp_path) == (Verdict.CONSISTENT, "likely")


def test_reasons_of_equal_verdicts_are_all_told(tmp_path: Path) -> None:
    one, two = Says("AAA001", Verdict.VERIFIED, "one"), Says("AAA002", Verdict.VERIFIED, "two")
    assert settled([one, two, one], WRONG, tmp_path) == (Verdict.VERIFIED, "one; two")


def test_every_claim_appears_once_and_in_the_card_s_order(tmp_path: Path) -> None:
    card = (
        "- Name: mixnet_s\n  Metadata:\n    Epochs: 300\n    Parameters: 4.13M\n    Architecture:\n    - MixConv\n"
        "    - Transformer\n  Code: models/mixnet.py\n  Results:\n  - Task: T\n    Metrics: {A: 1, B: 2}\n"
    )
    (judgements,) = judged(card, tmp_path).judgements.values()
    fields = [(judgement.claim.field, judgement.claim.value.text) for judgement in judgements]
    assert fields == [
        ("Epochs", "300"),
        ("Parameters", "4.13M"),
        ("Architecture", "MixConv"),
        ("Architecture", "Transformer"),
        ("Code", "models/mixnet.py"),
        ("A", "1"),
        ("B", "2"),
    ]


def test_what_no_rule_checks_is_unchecked_and_says_so(tmp_path: Path) -> None:
    judgement = verdict(entry("Epochs", "300"), tmp_path, "Epochs")
    assert (judgement.verdict, judgement.reason) == (Verdict.UNCHECKED, "no rule checks Epochs")


def test_a_null_is_no_claim(tmp_path: Path) -> None:
    assert judged(entry("Parameters", "null"), tmp_path).judgements == {"mixnet_s": ()}


def test_an_inherited_claim_is_judged_for_each_model_where_it_is_written(tmp_path: Path) -> None:
    card = (
        "Collections:\n- Name: MixNet\n  Metadata:\n    Parameters: 4130000\n"
        "Models:\n- Name: mixnet_s\n  In Collection: MixNet\n- Name: mixnet_m\n  In Collection: MixNet\n"
    )
    result = judged(card, tmp_path)
    ((small,), (medium,)) = result.judgements.values()
    assert (small.verdict, medium.verdict) == (Verdict.VERIFIED, Verdict.MISMATCH)
    assert small.claim.place == medium.claim.place
    assert medium.claim.inherited_from == "MixNet"
    (finding,) = [finding for finding in result.findings if finding.code == "PAR001"]
    assert (finding.model, finding.place.line, finding.place.column) == ("mixnet_m", 4, 17)


def test_one_inherited_mistake_is_one_finding(tmp_path: Path) -> None:
    card = (
        "Collections:\n- Name: MixNet\n  Metadata:\n    Epochs: many\n"
        "Models:\n- Name: mixnet_s\n  In Collection: MixNet\n- Name: mixnet_m\n  In Collection: MixNet\n"
    )
    assert len(findings(card, tmp_path, "IDX005")) == 1


def test_an_ignore_moves_the_finding_and_keeps_the_reason(tmp_path: Path) -> None:
    result = judged(WRONG.replace("5\n", "5  # audit: ignore[PAR] by hand\n"), tmp_path)
    ((judgement,),) = result.judgements.values()
    assert (judgement.verdict, judgement.reason) == (Verdict.IGNORED, "by hand")
    assert [finding.code for finding in result.ignored] == ["PAR001"]
    assert not [finding for finding in result.findings if finding.code in {"PAR001", "IDX013"}]


def test_an_ignore_of_another_rule_ignores_nothing(tmp_path: Path) -> None:
    card = WRONG.replace("5\n", "5  # audit: ignore[FLP001] by hand\n")
    codes = [finding.code for finding in findings(card, tmp_path)]
    assert "PAR001" in codes and "IDX013" in codes


def test_an_ignore_with_an_unknown_code_is_told(tmp_path: Path) -> None:
    (finding,) = findings(WRONG.replace("5\n", "5  # audit: ignore[PAX001] by hand\n"), tmp_path, "IDX013")
    assert finding.message == "ignore[PAX001] names no rule"


@pytest.mark.parametrize(
    "fields",
    [{"static": True, "measurements": {}}, {"partial": True}, {"measurements": {"mixnet_m": MIXNET_S}}],
    ids=["static", "partial", "not measured"],
)
def test_an_ignore_is_not_called_unused_where_its_rule_could_not_speak(
    fields: dict[str, object], tmp_path: Path
) -> None:
    card = entry("Parameters", "4.13M  # audit: ignore[PAR001] by hand")
    assert findings(card, tmp_path, "IDX013")
    assert not findings(card, tmp_path, "IDX013", **fields)


def test_selection_is_by_code_or_prefix_and_the_rest_is_unchecked(tmp_path: Path) -> None:
    context = context_of(index_of(files_of(WRONG), tmp_path))
    assert {finding.code for finding in judge(context, select=["par001"]).findings} == {"PAR001"}
    left_out = judge(context, ignore=["PAR"])
    assert not [finding for finding in left_out.findings if finding.code.startswith("PAR")]
    ((judgement,),) = left_out.judgements.values()
    assert (judgement.verdict, judgement.reason) == (Verdict.UNCHECKED, "PAR001 not selected")


def test_selectors_that_mean_nothing_are_known() -> None:
    assert unknown_selectors(["FLP", "FLP001", "FPL", ""]) == ("FPL", "")
    assert matches("FLP001", ["flp0"])
    assert not matches("FLP001", ["LP"])


def test_the_longest_selector_sets_the_severity(tmp_path: Path) -> None:
    severities = {"PAR": Severity.NOTE, "PAR001": Severity.WARNING, "MOD": Severity.NOTE}
    result = judge(context_of(index_of(files_of(WRONG), tmp_path)), select=["PAR"], severities=severities)
    assert [finding.severity for finding in result.findings] == [Severity.WARNING]


def test_findings_are_in_the_order_of_their_places(tmp_path: Path) -> None:
    card = f"{WRONG}    FLOPs: 1\n- Name: mixnet_m\n  Metadata: {{FLOPs: 1, Parameters: 2}}\n"
    places = [finding.place for finding in findings(card, tmp_path)]
    assert places == sorted(places)


def test_a_rule_that_fails_is_named_with_the_model(tmp_path: Path) -> None:
    class Broken(Says):
        def check_model(self, subject: Subject) -> Iterator[Outcome]:
            raise KeyError("oops")

    with pytest.raises(RuleError, match=r"AAA001 failed on model 'mixnet_s': KeyError: 'oops'"):
        settled([Broken("AAA001", Verdict.VERIFIED, "")], WRONG, tmp_path)


def test_a_rule_that_fails_as_a_whole_is_named(tmp_path: Path) -> None:
    class Broken(Says):
        def check(self, evidence: Evidence) -> Iterator[Outcome]:
            raise ValueError("oops")

    with pytest.raises(RuleError, match="AAA001 failed: ValueError: oops"):
        settled([Broken("AAA001", Verdict.VERIFIED, "")], WRONG, tmp_path)


def test_two_models_of_one_name_keep_the_claims_of_both(tmp_path: Path) -> None:
    result = judged(entry("Parameters", "4.13M") + entry("Parameters", "5"), tmp_path)
    assert [judgement.verdict for judgement in result.judgements["mixnet_s"]] == [Verdict.VERIFIED, Verdict.MISMATCH]


def test_a_finding_carries_what_reports_show(tmp_path: Path) -> None:
    (finding,) = findings(WRONG, tmp_path, "PAR001")
    assert isinstance(finding, Finding)
    assert (finding.model, finding.field, finding.claimed, finding.measured) == (
        "mixnet_s",
        "Parameters",
        "5",
        4_134_606,
    )


def test_a_page_of_endless_lists_is_judged(tmp_path: Path) -> None:
    """A rule that compares everything with everything takes many minutes here; all of them together take a second."""
    many = 20_000
    evaluation = "  - {Task: T, Dataset: D, Metrics: {Top 1 Accuracy: 78%, Top 5 Accuracy: 77%}}\n"
    page = (
        f"<!--\nModels:\n- Name: a\n  Metadata:\n    Mean: [{'0.5, ' * many}]\n  Results:\n{evaluation * many}-->\n"
        + "```bibtex\n"
        + "@misc{a, x={\n" * many
        + '@misc{b, y="\n' * many
        + "```\n"
        + "{{ x {% y %}\n" * many
    )
    index = index_of({"a.md": page}, tmp_path)
    context = context_of(index)
    found = judge(context, select=["CIT", "PAG", "RES003"]).findings
    assert {"CIT001", "PAG001"} <= {finding.code for finding in found}
    assert sum(finding.code == "RES003" for finding in found) == many

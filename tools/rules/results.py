"""RES: results are numbers that can be: no accuracy is proved here, for that needs the evaluation data."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal

from tools.rules.claims import is_scalar, metric_value
from tools.rules.evidence import Evidence, Subject
from tools.rules.figures import Figure, is_accuracy_name
from tools.rules.outliers import outliers
from tools.rules.quantity import parse
from tools.rules.records import Finding, Judgement, Severity, Verdict
from tools.rules.rule import ModelRule, Outcome, Rule


def _pairs(found: tuple[Figure, ...]) -> Iterator[tuple[Figure, Figure]]:
    """Top 1 and Top 5 of one evaluation, where both are numbers."""
    fives: defaultdict[int, list[Figure]] = defaultdict(list)
    for figure in found:
        if figure.top == 5 and figure.quantity is not None:
            fives[id(figure.result)].append(figure)
    for top1 in found:
        if top1.top == 1 and top1.quantity is not None:
            for top5 in fives.get(id(top1.result), ()):
                yield top1, top5


class NotANumber(ModelRule):
    """A figure that is no number."""

    code = "RES001"
    title = "A result is not a number"
    why = "Leaderboards and tables sort by numbers; a text in their place is dropped or sorted as zero."
    remedy = "Write a number, with % where per cent are meant: 78.78%."
    before = (
        "- Name: mixnet_s\n  Results:\n  - Task: Image Classification\n    Dataset: ImageNet\n"
        "    Metrics:\n      Top 1 Accuracy: about 76%\n"
    )
    after = (
        "- Name: mixnet_s\n  Results:\n  - Task: Image Classification\n    Dataset: ImageNet\n"
        "    Metrics:\n      Top 1 Accuracy: 75.99%\n"
    )

    def check_model(self, subject: Subject) -> Iterator[Outcome]:
        """Look at every figure, and tell of those that can be what was checked."""
        bad: set[int] = set()
        for result in subject.model.results:
            for metric in result.metrics:
                if not is_scalar(metric.value):
                    message = f"{metric.name.text}: a single number belongs here"
                    yield self.finding(metric.value.place, message, model=subject.name, field=metric.name.text)
        found = subject.figures
        for figure in found:
            if figure.quantity is None:
                bad.add(id(figure))
                shown = figure.claim.value.text[:40]
                yield from self.breach(figure.claim, f"{figure.claim.field}: {shown!r} is not a number")
        paired = {id(figure) for pair in _pairs(found) for figure in pair}
        for figure in found:
            if id(figure) not in bad:
                yield _not_evaluated(figure, id(figure) in paired)


def _not_evaluated(figure: Figure, paired: bool) -> Judgement:
    """An accuracy is never proved here: say what was looked at."""
    seen = "a number"
    if figure.is_accuracy:
        seen = "in range and in order" if paired else "in range"
    return Judgement(figure.claim, Verdict.UNCHECKED, figure.claim.value.text, None, f"{seen}; not evaluated")


class OutOfRange(ModelRule):
    """An accuracy that cannot be."""

    code = "RES002"
    title = "An accuracy outside 0 to 100 %"
    why = "Such a number is a slip of the decimal point or of the keyboard, and it heads every table that it gets into."
    remedy = "Look the number up where it was measured."
    before = (
        "- Name: mixnet_s\n  Results:\n  - Task: Image Classification\n    Dataset: ImageNet\n"
        "    Metrics:\n      Top 1 Accuracy: 759.9%\n"
    )
    after = (
        "- Name: mixnet_s\n  Results:\n  - Task: Image Classification\n    Dataset: ImageNet\n"
        "    Metrics:\n      Top 1 Accuracy: 75.99%\n"
    )

    def check_model(self, subject: Subject) -> Iterator[Outcome]:
        """Look at every accuracy."""
        for figure in subject.figures:
            if figure.is_accuracy and figure.quantity is not None and not 0 <= figure.quantity.value <= 100:
                message = f"{figure.claim.field}: {figure.claim.value.text} is outside 0 to 100 %"
                yield from self.breach(figure.claim, message)


class TopOneAboveTopFive(ModelRule):
    """More right at the first guess than among five."""

    code = "RES003"
    title = "Top 1 above Top 5"
    why = "The right answer among the first five includes the right answer at first, so Top 1 cannot be the larger."
    remedy = "The two were exchanged, or one is of another model."
    before = (
        "- Name: mixnet_s\n  Results:\n  - Task: Image Classification\n    Dataset: ImageNet\n"
        "    Metrics:\n      Top 1 Accuracy: 92.79%\n      Top 5 Accuracy: 75.99%\n"
    )
    after = (
        "- Name: mixnet_s\n  Results:\n  - Task: Image Classification\n    Dataset: ImageNet\n"
        "    Metrics:\n      Top 1 Accuracy: 75.99%\n      Top 5 Accuracy: 92.79%\n"
    )

    def check_model(self, subject: Subject) -> Iterator[Outcome]:
        """Compare the two of each evaluation, unless :class:`Implausible` tells of error rates."""
        told: set[int] = set()
        for top1, top5 in _pairs(subject.figures):
            if top1.quantity is None or top5.quantity is None or _error_rates(top1, top5) or id(top1) in told:
                continue
            if top1.quantity.value > top5.quantity.value:
                told.add(id(top1))
                message = f"{top1.claim.field}: {top1.claim.value.text} is above Top 5, {top5.claim.value.text}"
                yield from self.breach(top1.claim, message)


def _error_rates(top1: Figure, top5: Figure) -> bool:
    """Whether two accuracies look like error rates: the smaller for five guesses, and both below half."""
    one, five = top1.quantity, top5.quantity
    return one is not None and five is not None and 0 < five.value < one.value < 50 and not _scale_differs(top1, top5)


def _scale_differs(first: Figure, second: Figure) -> bool:
    """Whether one figure is a fraction and the other in per cent."""
    return _is_fraction(first) != _is_fraction(second)


def _is_fraction(figure: Figure) -> bool:
    quantity = figure.quantity
    return quantity is not None and not quantity.percent and 0 < quantity.value <= 1 and quantity.decimals > 0


class Implausible(Rule):
    """An error rate or a fraction where an accuracy in per cent stands."""

    code = "RES004"
    title = "An error rate or a fraction where an accuracy in per cent belongs"
    severity = Severity.WARNING
    why = (
        "Papers state error rates as often as accuracies, and code prints fractions. Copied under the other name the "
        "number is off by a factor of a hundred, or ranks the best model last."
    )
    remedy = "Convert it: accuracy = 100 - error rate; a fraction times 100. Or name the metric for what it is."
    before = (
        "- Name: mixnet_s\n  Results:\n  - Task: Image Classification\n    Dataset: ImageNet\n"
        "    Metrics:\n      Top 1 Accuracy: 24.01%\n      Top 5 Accuracy: 7.21%\n"
    )
    after = (
        "- Name: mixnet_s\n  Results:\n  - Task: Image Classification\n    Dataset: ImageNet\n"
        "    Metrics:\n      Top 1 Accuracy: 75.99%\n      Top 5 Accuracy: 92.79%\n"
    )

    def check(self, evidence: Evidence) -> Iterator[Outcome]:
        """Look at the pairs of each model, and at the scale that a metric has elsewhere in the index."""
        scales: defaultdict[tuple[tuple[str, str], str], list[int]] = defaultdict(lambda: [0, 0])
        fractions: list[Figure] = []
        for subject in evidence.subjects:
            found = subject.figures
            for top1, top5 in _pairs(found):
                if _error_rates(top1, top5):
                    yield self._error(top1, top5)
            for figure in found:
                if figure.is_accuracy and figure.quantity is not None:
                    is_fraction = _is_fraction(figure)
                    scales[figure.dataset, figure.name][is_fraction] += 1
                    if is_fraction:
                        fractions.append(figure)
        for figure in fractions:
            others, same = scales[figure.dataset, figure.name]
            if others > same or self._other_scale(figure):
                message = (
                    f"{figure.claim.field}: {figure.claim.value.text} is a fraction, where the index states per cent"
                )
                yield self.remark(figure.claim, message)

    def _error(self, top1: Figure, top5: Figure) -> Finding:
        value = top1.quantity.value if top1.quantity is not None else Decimal(0)
        message = (
            f"{top1.claim.field}: {top1.claim.value.text} with Top 5 {top5.claim.value.text} look like error rates; "
            f"the accuracy would be {100 - value}"
        )
        return self.remark(top1.claim, message)

    def _other_scale(self, figure: Figure) -> bool:
        """Whether another accuracy of the same evaluation is in per cent."""
        for metric in figure.result.metrics:
            value = metric_value(metric)
            quantity = parse(value.text, "plain") if value is not None else None
            if quantity is not None and quantity.value > 1 and is_accuracy_name(metric.name.text):
                return True
        return False


class Outlier(Rule):
    """An accuracy far from those of models of about the same size."""

    code = "RES005"
    title = "An accuracy far from its neighbours in size"
    severity = Severity.WARNING
    why = (
        "An accuracy of 7.88 or 18.78 among models of the same size with 78 is a slip far more often than a discovery. "
        "Compared are models with the same task, data set and metric. A value is reported where it lies 30 points "
        "below or 12 above the median of its eight nearest neighbours in parameters, and also six robust standard "
        "deviations (1.4826 times the median absolute deviation) away, at five neighbours or more; nothing else. "
        "A weak or an old model is no outlier by this measure."
    )
    remedy = "Look the number up where it was measured. Where it is right, ignore the finding there and say why."
    before = "".join(
        f"- Name: net_{number}\n  Metadata:\n    Parameters: {number}.5M\n  Results:\n"
        f"  - Task: Image Classification\n    Dataset: ImageNet\n    Metrics: {{Top 1 Accuracy: {accuracy}%}}\n"
        for number, accuracy in ((4, "75.99"), (5, "77.27"), (6, "18.10"), (7, "78.98"), (8, "79.4"), (11, "80.47"))
    )
    after = before.replace("18.10", "78.10")

    def check(self, evidence: Evidence) -> Iterator[Outcome]:
        """Group the figures, then compare each with its neighbours."""
        groups: defaultdict[tuple[tuple[str, str], str], list[tuple[float, float, Figure]]] = defaultdict(list)
        for subject in evidence.subjects:
            parameters = _parameters(subject)
            if parameters is None:
                continue
            for figure in subject.figures:
                quantity = figure.quantity
                if figure.is_accuracy and quantity is not None and 1 < quantity.value <= 100:
                    key = (figure.dataset, figure.name)
                    groups[key].append((parameters, float(quantity.value), figure))
        for group in groups.values():
            for position, median in outliers([(size, value) for size, value, _ in group]):
                _, value, figure = group[position]
                message = (
                    f"{figure.claim.field}: {figure.claim.value.text} is {abs(value - median):.1f} points "
                    f"{'below' if value < median else 'above'} the median of models of its size, {median:.1f}"
                )
                yield self.remark(figure.claim, message)


def _parameters(subject: Subject) -> float | None:
    """A model's size: measured, else claimed."""
    if subject.measurement is not None:
        return float(subject.measurement.parameters) or None
    claim = subject.claim("parameters")
    quantity = parse(claim.value.text) if claim is not None else None
    return float(quantity.value) if quantity is not None and quantity.value > 0 else None


class MetricTwice(ModelRule):
    """One figure stated twice for one evaluation."""

    code = "RES006"
    title = "The same metric twice"
    why = "Two values for one metric on one data set: readers and tools take one of them, and which one is chance."
    remedy = "Remove one. Different test sets, resolutions or seeds are different data sets or metrics: name them so."
    before = (
        "- Name: mixnet_s\n  Results:\n  - Task: Image Classification\n    Dataset: ImageNet\n"
        "    Metrics:\n    - Top 1 Accuracy: 75.99%\n    - Top-1 Accuracy: 75.68%\n"
    )
    after = (
        "- Name: mixnet_s\n  Results:\n  - Task: Image Classification\n    Dataset: ImageNet\n"
        "    Metrics:\n    - Top 1 Accuracy: 75.99%\n    - Top 5 Accuracy: 92.79%\n"
    )

    def check_model(self, subject: Subject) -> Iterator[Outcome]:
        """Compare names without regard to case and hyphens, over all evaluations on one data set.

        A result of the model's own beside one inherited from its collection counts, too.
        """
        first: dict[tuple[tuple[str, str], str], Figure] = {}
        for figure in subject.figures:
            key = (figure.dataset, figure.name)
            earlier = first.setdefault(key, figure)
            if earlier is not figure:
                message = (
                    f"{figure.claim.field}: {figure.claim.value.text} after {earlier.claim.value.text} on line "
                    f"{earlier.claim.place.line} for the same data set"
                )
                yield from self.breach(figure.claim, message)


RESULTS_RULES = (NotANumber(), OutOfRange(), TopOneAboveTopFive(), Implausible(), Outlier(), MetricTwice())

"""What the rules look at: the context, with everything that several rules derive from it, derived once."""

from __future__ import annotations

import bisect
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property

from tools.measure.records import Failure, Measurement
from tools.modelindex.records import Index, Model, Place, Scalar
from tools.rules.claims import claims_of, key_of
from tools.rules.figures import Figure, figures_of
from tools.rules.pages import Page
from tools.rules.records import Claim, Context

_HINTS = 20
"""How often a run looks for the nearest names."""


@dataclass(frozen=True)
class Subject:
    """One model as the rules see it."""

    model: Model
    measurement: Measurement | None
    failure: Failure | None
    evidence: Evidence
    """Everything else there is."""

    @cached_property
    def name(self) -> str:
        """The model's name."""
        return self.model.name.text

    @cached_property
    def claims(self) -> tuple[Claim, ...]:
        """Everything that the index states of the model."""
        return claims_of(self.model)

    @cached_property
    def by_field(self) -> Mapping[str, tuple[Claim, ...]]:
        """The claims by the canonical key of their field."""
        found: defaultdict[str, list[Claim]] = defaultdict(list)
        for claim in self.claims:
            found[key_of(claim.field)].append(claim)
        return {key: tuple(claims) for key, claims in found.items()}

    @cached_property
    def figures(self) -> tuple[Figure, ...]:
        """The figures of its results that are single values."""
        return figures_of(self.model, self.claims)

    def claim(self, key: str) -> Claim | None:
        """The only claim of a field; ``None`` where there is none, or a list of several."""
        found = self.by_field.get(key, ())
        return found[0] if len(found) == 1 else None


class Evidence:
    """A context and what can be derived from it. Made once a run, shared by all rules."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self.index: Index = context.index
        self._hints_left = _HINTS

    @cached_property
    def subjects(self) -> tuple[Subject, ...]:
        """The models with their claims and measurements, in the index's order."""
        return tuple(self._subject(model) for model in self.index.models)

    def _subject(self, model: Model) -> Subject:
        outcome = self.context.measurements.get(model.name.text)
        measurement = outcome if isinstance(outcome, Measurement) else None
        failure = outcome if isinstance(outcome, Failure) else None
        return Subject(model, measurement, failure, self)

    def holds(self, need: str) -> bool:
        """Whether this run has what a rule needs at all (one model may still lack it)."""
        context = self.context
        match need:
            case "measurement" | "config":
                return not context.static and bool(context.measurements)
            case "listing":
                return context.listing is not None and not context.partial
            case "weights":
                return context.weights is not None
            case "links":
                return context.links is not None
            case "source":
                return context.source_files is not None
            case "files":
                return context.missing_files is not None
            case _:
                return True

    @cached_property
    def pages(self) -> tuple[Page, ...]:
        """The Markdown files that were read."""
        return tuple(Page(file.path, file.text) for file in self.index.files.values() if file.kind == "card")

    @cached_property
    def _pages_by_path(self) -> Mapping[str, Page]:
        return {page.path: page for page in self.pages}

    def page(self, path: str | None) -> Page | None:
        """One Markdown file that was read, or ``None``."""
        return None if path is None else self._pages_by_path.get(path)

    @cached_property
    def names(self) -> frozenset[str]:
        """Every name under which a model may be known: in the index, and in the zoo's code."""
        known = {model.name.text for model in self.index.models} | set(self.context.build_names.values())
        if self.context.listing is not None:
            known.update(self.context.listing.names)
        return frozenset(known)

    @cached_property
    def listed(self) -> frozenset[str]:
        """The names that the zoo's code lists; empty without a listing."""
        listing = self.context.listing
        return frozenset() if listing is None else frozenset(listing.names)

    @cached_property
    def parameter_counts(self) -> Totals:
        """The measured parameters of all models."""
        return Totals((s.measurement.parameters, s.name) for s in self.subjects if s.measurement is not None)

    @cached_property
    def flop_counts(self) -> Mapping[str, Totals]:
        """The measured FLOPs of all models by counter, at each model's own input size."""
        found: dict[str, list[tuple[int, str]]] = defaultdict(list)
        for subject in self.subjects:
            if subject.measurement is not None:
                for count in subject.measurement.counts:
                    found[count.counter].append((count.total, subject.name))
        return {counter: Totals(pairs) for counter, pairs in found.items()}

    @cached_property
    def _uses(self) -> Counter[tuple[str, int]]:
        """How many models hold the key that stands in a file at an offset, in their metadata or as a field."""
        entries = (e for model in self.index.models for e in (*model.metadata.values(), *model.fields.values()))
        return Counter((entry.key.place.path, entry.key.start) for entry in entries)

    def is_own(self, key: Scalar) -> bool:
        """Whether a key of a model or its metadata is its alone: no collection, file or anchor shares it."""
        return self._uses[key.place.path, key.start] == 1

    def nearest(self, name: str) -> list[str]:
        """Up to two of the zoo's names that are nearest to one it does not know.

        Only the first few times a run: comparing thousands of names with thousands takes minutes.
        """
        if self._hints_left == 0:
            return []
        self._hints_left -= 1
        return get_close_matches(name[:100], self.listed or self.names, n=2)

    @cached_property
    def _line_starts(self) -> dict[str, list[int]]:
        return {}

    def place(self, path: str, offset: int) -> Place:
        """The place of a character of a file that was read, from its offset in the decoded text."""
        starts = self._line_starts.get(path)
        if starts is None:
            text = self.index.files[path].text
            starts = [0]
            position = text.find("\n")
            while position >= 0:
                starts.append(position + 1)
                position = text.find("\n", position + 1)
            self._line_starts[path] = starts
        line = bisect.bisect_right(starts, offset)
        return Place(path, line, offset - starts[line - 1] + 1)


class Totals:
    """Measured totals with their models, sorted so that "whose count is this?" costs little among thousands."""

    def __init__(self, pairs: Iterable[tuple[int, str]]) -> None:
        self._pairs = sorted(set(pairs))

    def between(self, low: int, high: int) -> list[tuple[int, str]]:
        """The totals from ``low`` to ``high`` inclusive, with their models."""
        start = bisect.bisect_left(self._pairs, (low, ""))
        stop = bisect.bisect_left(self._pairs, (high + 1, ""))
        return self._pairs[start:stop]

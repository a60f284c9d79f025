"""Models with what their collections give them: lists append, single values are overridden, results append."""

from __future__ import annotations

import difflib
from collections.abc import Mapping as MappingABC
from dataclasses import dataclass, replace

from tools.modelindex.drafts import Draft, link, paper
from tools.modelindex.nodes import MergedMapping, MergedSequence, Report, is_null, mapping, sequence
from tools.modelindex.records import Collection, Entry, Model, Problem, Result, Scalar, Value
from tools.modelindex.store import Store

# What says of a collection what it is, or is merged in its own way.
_NOT_GIVEN = frozenset({"name", "type", "readme", "image", "in collection", "metadata", "results"})

MAX_COMPARED = 50_000
"""Names of collections that are compared with unknown ones, in all, to find what was meant."""

MAX_NAME = 100
"""Longer names are not compared."""


@dataclass(frozen=True, slots=True)
class _Heritage:
    fields: MappingABC[str, Entry]
    metadata: MappingABC[str, Entry]
    results: tuple[Result, ...]
    weight: int
    """How many values a model that inherits copies at most."""


_NOTHING = _Heritage({}, {}, (), 0)


def _heritage(
    fields: MappingABC[str, Entry], metadata: MappingABC[str, Entry], results: tuple[Result, ...]
) -> _Heritage:
    entries = [*fields.values(), *metadata.values()]
    lists = (sequence(entry.value) for entry in entries)
    weight = len(entries) + len(results) + sum(len(each.items) for each in lists if each is not None)
    return _Heritage(fields, metadata, results, weight)


class Families:
    """The collections of an index, and the making of models that belong to them."""

    def __init__(self, drafts: list[Draft], store: Store) -> None:
        report = store.report
        self._report = report
        self._store = store
        self._compared = 0
        self._drafts: dict[str, Draft] = {}
        for draft in drafts:
            name = draft.name.text
            if name in self._drafts:
                _duplicate("collection", draft.name, self._drafts[name].name, report)
            else:
                self._drafts[name] = draft
        self._folded = {name.casefold(): name for name in reversed(self._drafts)}
        self._heritages: dict[tuple[str, ...], _Heritage] = {}
        self.records = tuple(
            Collection(
                draft.name,
                draft.fields,
                draft.metadata,
                paper(draft.fields.get("paper"), report),
                draft.place,
                draft.results,
            )
            for draft in drafts
        )

    def model(self, draft: Draft) -> Model:
        """The model of a draft. Of several collections the later ones override the earlier."""
        fields, metadata, results = draft.fields, draft.metadata, draft.results
        if draft.collections:
            heritage = self._heritage(draft)
            if not self._store.spend(heritage.weight, draft.place):
                heritage = _NOTHING
            fields = _merged(heritage.fields, fields)
            metadata = _merged(heritage.metadata, metadata)
            results = heritage.results + results
        report = self._report
        return Model(
            name=draft.name,
            file=draft.file,
            page=draft.page,
            fields=fields,
            metadata=metadata,
            results=results,
            paper=paper(fields.get("paper"), report) if "paper" in fields else None,
            code=link(fields.get("code"), report),
            weights=link(fields.get("weights"), report),
            config=link(fields.get("config"), report),
            collections=draft.collections,
        )

    def _heritage(self, draft: Draft) -> _Heritage:
        known = tuple(name for name in (self._named(each, draft) for each in draft.collections) if name is not None)
        if known not in self._heritages:
            heritage = _NOTHING
            for name in known:
                one = self._drafts[name]
                work = heritage.weight + len(one.fields) + len(one.metadata) + len(one.results)
                if not self._store.spend(work, draft.place):
                    break
                given = {key: entry for key, entry in one.fields.items() if key not in _NOT_GIVEN}
                heritage = _heritage(
                    _merged(heritage.fields, _from(name, given)),
                    _merged(heritage.metadata, _from(name, one.metadata)),
                    heritage.results + tuple(replace(result, inherited_from=name) for result in one.results),
                )
            self._heritages[known] = heritage
        return self._heritages[known]

    def _named(self, asked: Scalar, draft: Draft) -> str | None:
        """The collection of this name. One that differs in case alone is taken, and reported: other readers don't."""
        name = asked.text
        if name in self._drafts:
            return name
        near = self._folded.get(name.casefold())
        if near is None:
            close = []
            if self._compared < MAX_COMPARED and len(name) <= MAX_NAME:
                self._compared += len(self._drafts)
                close = difflib.get_close_matches(name, [each for each in self._drafts if len(each) <= MAX_NAME], n=1)
            hint = f"Did you mean {close[0]!r}?" if close else ""
        else:
            hint = f"Write {near!r}: names are matched exactly."
        message = f"there is no collection named {name!r}"
        self._report(Problem("unknown-collection", asked.place, message, hint, draft.name.text))
        return near


def models(drafts: list[Draft], families: Families, report: Report) -> tuple[Model, ...]:
    """All models, in order; two of the same name are both kept, and the later one is reported."""
    seen: dict[str, Draft] = {}
    for draft in drafts:
        name = draft.name.text
        if name in seen:
            _duplicate("model", draft.name, seen[name].name, report)
        else:
            seen[name] = draft
    return tuple(families.model(draft) for draft in drafts)


def _duplicate(what: str, name: Scalar, first: Scalar, report: Report) -> None:
    message = f"the {what} {name.text!r} at {name.place} stands already at {first.place}"
    report(Problem("duplicate-model", name.place, message, "Rename or remove one of them.", name.text))


def _from(name: str, entries: MappingABC[str, Entry]) -> dict[str, Entry]:
    return {key: Entry(entry.key, entry.value, name) for key, entry in entries.items() if not is_null(entry.value)}


def _merged(given: MappingABC[str, Entry], own: MappingABC[str, Entry]) -> MappingABC[str, Entry]:
    """``own`` entries in their order, then those that are only ``given``; where both speak, see :func:`_both`."""
    if not given:
        return own
    if not own:
        return given
    merged = {**own, **{key: entry for key, entry in given.items() if key not in own}}
    for key in given.keys() & own.keys():
        merged[key] = given[key] if is_null(own[key].value) else _both(given[key], own[key])
    return merged


def _both(given: Entry, own: Entry) -> Entry:
    """A list takes the own value or values behind its own; of mappings, the own keys win; else the own value wins."""
    above, value = given.value, own.value
    before = sequence(above)
    if before is not None:
        mine = sequence(value)
        items: tuple[Value, ...] = (value,) if mine is None else mine.items
        return own._replace(value=MergedSequence((*before.items, *items), items, value.place))
    outer, inner = mapping(above), mapping(value)
    if outer is not None and inner is not None:
        entries = {**_from(given.inherited_from or "", outer.entries), **inner.entries}
        return own._replace(value=MergedMapping(entries, inner.entries, value.place))
    return own

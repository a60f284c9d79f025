"""Records to JSON values and back, without loss: what the cache, the workers and ``--format json`` pass around.

Only the frozen dataclasses of :mod:`tools.measure.records` are known. The types of their fields drive the way back:
a tuple that JSON made a list of becomes a tuple again, and what does not fit its field is an error.
"""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from itertools import islice
from typing import Any, TypeAlias

from tools.measure import records

Record: TypeAlias = records.Measurement | records.Failure | records.Listing | records.Request | records.Factory
_KINDS: dict[str, type[Any]] = {
    "measurement": records.Measurement,
    "failure": records.Failure,
    "listing": records.Listing,
    "request": records.Request,
    "factory": records.Factory,
}
_PLAIN = frozenset({str, int, float, bool, type(None)})
_Reader: TypeAlias = Callable[[Sequence[Any]], Sequence[Any]]
"""Reads many values of one type at once: what they consist of is read in columns, which is twice as fast."""


def to_json(record: Record) -> dict[str, Any]:
    """The record as JSON values: mappings, lists, strings, numbers; ``kind`` says which record it is."""
    kind = next(name for name, cls in _KINDS.items() if type(record) is cls)
    return {"kind": kind, **_plain_fields(record)}


def from_json(data: Any) -> Any:
    """The record that :func:`to_json` wrote.

    Raises:
        ValueError: ``data`` is no such record: wrong kind, a field missing, unknown or of another type.
    """
    cls = _KINDS.get(str(data.get("kind"))) if isinstance(data, dict) else None
    if cls is None:
        raise ValueError("not a record of measurements")
    (record,) = _reader(cls)([{key: value for key, value in data.items() if key != "kind"}])
    return record


def _plain_fields(record: Any) -> dict[str, Any]:
    return {name: _plain(getattr(record, name)) for name in _field_names(record.__class__)}


@cache
def _field_names(cls: type[Any]) -> tuple[str, ...]:
    return tuple(field.name for field in dataclasses.fields(cls))


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, str | int | float):
        return value
    if isinstance(value, tuple | list):
        return list(value) if _PLAIN.issuperset(map(type, value)) else [_plain(item) for item in value]
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    return _plain_fields(value)


_READERS: dict[Any, _Reader] = {}


def _reader(hint: Any) -> _Reader:
    """The function that reads values of one type; made once, because a cached run reads thousands of entries."""
    found = _READERS.get(hint)
    if found is None:
        found = _READERS[hint] = _make_reader(hint)
    return found


def _make_reader(hint: Any) -> _Reader:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if dataclasses.is_dataclass(hint):
        return _record_reader(typing.cast(type[Any], hint))
    if origin in (types.UnionType, typing.Union):
        (inner,) = (_reader(item) for item in arguments if item is not type(None))
        return _optional_reader(inner)
    if origin is tuple and len(arguments) == 2 and arguments[1] is Ellipsis:
        return _sequence_reader(_reader(arguments[0]))
    if origin is tuple:
        return _tuple_reader([_reader(item) for item in arguments])
    if origin is not None and isinstance(origin, type) and issubclass(origin, Mapping):
        return _mapping_reader(_reader(arguments[1]))
    if origin is typing.Literal:
        return lambda values: [_one_of(arguments, value) for value in values]
    if hint is float:
        return lambda values: [float(value if type(value) is int else _of(float, value)) for value in values]
    return _plain_reader(hint)


def _record_reader(cls: type[Any]) -> _Reader:
    readers = {name: _reader(hint) for name, hint in typing.get_type_hints(cls).items()}

    def read(values: Sequence[Any]) -> list[Any]:
        for value in values:
            if _of(dict, value).keys() != readers.keys():
                unlike = sorted(value.keys() ^ readers.keys())
                raise ValueError(f"{cls.__name__}: other fields than expected: {unlike}")
        return list(map(cls, *(reader([value[name] for value in values]) for name, reader in readers.items())))

    return read


def _optional_reader(inner: _Reader) -> _Reader:
    def read(values: Sequence[Any]) -> list[Any]:
        given = iter(inner([value for value in values if value is not None]))
        return [None if value is None else next(given) for value in values]

    return read


def _sequence_reader(each: _Reader) -> _Reader:
    def read(values: Sequence[Any]) -> list[Any]:
        items = iter(each([item for value in values for item in _of(list, value)]))
        return [tuple(islice(items, len(value))) for value in values]

    return read


def _tuple_reader(parts: Sequence[_Reader]) -> _Reader:
    def read(values: Sequence[Any]) -> list[Any]:
        for value in values:
            if len(_of(list, value)) != len(parts):
                raise ValueError(f"{len(parts)} values are needed, not {len(value)}")
        return list(zip(*(part([value[n] for value in values]) for n, part in enumerate(parts)), strict=True))

    return read


def _mapping_reader(entry: _Reader) -> _Reader:
    def read(values: Sequence[Any]) -> list[Any]:
        entries = iter(entry([item for value in values for item in _of(dict, value).values()]))
        return [dict(zip(value, entries)) for value in values]  # noqa: B905 - the other mappings' entries follow

    return read


def _plain_reader(kind: type[Any]) -> _Reader:
    def read(values: Sequence[Any]) -> Sequence[Any]:
        if not {kind}.issuperset(map(type, values)):
            for value in values:
                _of(kind, value)
        return values

    return read


def _of(kind: type[Any], value: Any) -> Any:
    if type(value) is not kind:
        raise ValueError(f"{kind.__name__} is needed, not {value!r:.80}")
    return value


def _one_of(choices: tuple[Any, ...], value: Any) -> Any:
    if value not in choices:
        raise ValueError(f"one of {choices} is needed, not {value!r:.80}")
    return value

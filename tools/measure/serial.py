"""Records to JSON values and back, without loss: what the cache, the workers and ``--format json`` pass around.

Only the frozen dataclasses of :mod:`tools.measure.records` are known. Field types drive the way back, so a tuple
that JSON made a list of becomes a tuple again, and anything that does not fit its field is an error.
"""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Mapping
from typing import Any, TypeAlias

from tools.measure import records

Record: TypeAlias = records.Measurement | records.Failure | records.Listing | records.Request
_KINDS: dict[str, type[Any]] = {
    "measurement": records.Measurement,
    "failure": records.Failure,
    "listing": records.Listing,
    "request": records.Request,
}


def to_json(record: Record) -> dict[str, Any]:
    """The record as JSON values: mappings, lists, strings, numbers; ``kind`` says which record it is."""
    kind = next(name for name, cls in _KINDS.items() if type(record) is cls)
    return {"kind": kind, **_plain_fields(record)}


def from_json(data: Mapping[str, Any]) -> Any:
    """The record that :func:`to_json` wrote.

    Raises:
        ValueError: ``data`` is no such record: wrong kind, a field missing, unknown or of another type.
    """
    cls = _KINDS.get(str(data.get("kind")))
    if cls is None:
        raise ValueError(f"not a record of measurements: kind {data.get('kind')!r}")
    return _record(cls, {key: value for key, value in data.items() if key != "kind"})


def _plain_fields(record: Any) -> dict[str, Any]:
    return {field.name: _plain(getattr(record, field.name)) for field in dataclasses.fields(record)}


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value):
        return _plain_fields(value)
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    return value


_HINTS: dict[type[Any], dict[str, Any]] = {}


def _hints(cls: type[Any]) -> dict[str, Any]:
    if cls not in _HINTS:
        _HINTS[cls] = typing.get_type_hints(cls)
    return _HINTS[cls]


def _record(cls: type[Any], data: Any) -> Any:
    if not isinstance(data, Mapping):
        raise ValueError(f"{cls.__name__}: a mapping is needed, not {type(data).__name__}")
    hints = _hints(cls)
    if set(data) != set(hints):
        raise ValueError(f"{cls.__name__}: other fields than expected: {sorted(set(data) ^ set(hints))}")
    return cls(**{key: _typed(hints[key], value) for key, value in data.items()})


def _typed(hint: Any, value: Any) -> Any:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if dataclasses.is_dataclass(hint):
        return _record(typing.cast(type[Any], hint), value)
    if origin in (types.UnionType, typing.Union):
        if value is None and type(None) in arguments:
            return None
        return _typed(next(a for a in arguments if a is not type(None)), value)
    if origin is tuple and isinstance(value, list):
        if len(arguments) == 2 and arguments[1] is Ellipsis:
            return tuple(_typed(arguments[0], item) for item in value)
        if len(arguments) == len(value):
            return tuple(_typed(a, item) for a, item in zip(arguments, value, strict=True))
    elif origin is not None and isinstance(origin, type) and issubclass(origin, Mapping) and isinstance(value, dict):
        return {str(key): _typed(arguments[1], item) for key, item in value.items()}
    elif origin is typing.Literal and value in arguments:
        return value
    elif hint is float and isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    elif isinstance(hint, type) and type(value) is hint:
        return value
    raise ValueError(f"{value!r} where {hint} belongs")

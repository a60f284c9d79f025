"""Records to JSON values and back, without loss: what the cache, the workers and ``--format json`` pass around.

Only the frozen dataclasses of :mod:`tools.measure.records` are known. The types of their fields drive the way back:
a tuple that JSON made a list of becomes a tuple again, and what does not fit its field is an error.
"""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Callable, Mapping
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
_Reader: TypeAlias = Callable[[Any], Any]


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
    return _reader(cls)({key: value for key, value in data.items() if key != "kind"})


def _plain_fields(record: Any) -> dict[str, Any]:
    return {field.name: _plain(getattr(record, field.name)) for field in dataclasses.fields(record)}


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, str | int | float):
        return value
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
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
        return lambda value: None if value is None else inner(value)
    if origin is tuple and len(arguments) == 2 and arguments[1] is Ellipsis:
        each = _reader(arguments[0])
        return lambda value: tuple([each(item) for item in _of(list, value)])
    if origin is tuple:
        parts = [_reader(item) for item in arguments]

        def read_tuple(value: Any) -> tuple[Any, ...]:
            if len(_of(list, value)) != len(parts):
                raise ValueError(f"{len(parts)} values are needed, not {len(value)}")
            return tuple(part(item) for part, item in zip(parts, value, strict=True))

        return read_tuple
    if origin is not None and isinstance(origin, type) and issubclass(origin, Mapping):
        entry = _reader(arguments[1])
        return lambda value: {key: entry(item) for key, item in _of(dict, value).items()}
    if origin is typing.Literal:
        return lambda value: _one_of(arguments, value)
    if hint is float:
        return lambda value: float(value if type(value) is int else _of(float, value))
    return lambda value: _of(hint, value)


def _record_reader(cls: type[Any]) -> _Reader:
    readers = {name: _reader(hint) for name, hint in typing.get_type_hints(cls).items()}

    def read(data: Any) -> Any:
        if _of(dict, data).keys() != readers.keys():
            raise ValueError(f"{cls.__name__}: other fields than expected: {sorted(data.keys() ^ readers.keys())}")
        return cls(*[reader(data[name]) for name, reader in readers.items()])

    return read


def _of(kind: type[Any], value: Any) -> Any:
    if type(value) is not kind:
        raise ValueError(f"{kind.__name__} is needed, not {value!r:.80}")
    return value


def _one_of(choices: tuple[Any, ...], value: Any) -> Any:
    if value not in choices:
        raise ValueError(f"one of {choices} is needed, not {value!r:.80}")
    return value

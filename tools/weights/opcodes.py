"""Read what a checkpoint's pickle describes, without unpickling it.

A pickle is a program; running an unknown one is how a weight file takes over a machine. Here the opcodes are only
*followed*: a class or function is a :class:`Name`, calling one gives a description, and nothing is imported or
called. What ``torch.load(weights_only=True)`` would refuse to load is refused here as well, and named.

Everything is bounded: bytes, opcodes, and the work that one opcode can ask for.
"""

from __future__ import annotations

import pickletools
from collections.abc import Callable
from dataclasses import dataclass
from typing import IO, Any, TypeAlias, cast

from tools.weights.allowed import OPCODES, STORAGE_CLASSES, Name

MAX_PICKLE = 64 * 2**20
"""Bytes of the longest pickle that is followed; 160,000 entries take about 40 MB."""

MAX_OPERATIONS = 4_000_000
"""Opcodes and copied items that are followed; 160,000 entries take about this many."""

MAX_DIMENSIONS = 64
"""torch's own limit on the dimensions of a tensor."""


class UnsafePickleError(ValueError):
    """The pickle would run something, is broken, or breaks a limit; the message says which."""


@dataclass(frozen=True, slots=True)
class Storage:
    """A block of numbers beside the pickle."""

    kind: str
    """The storage class without its module: ``FloatStorage``, ``UntypedStorage`` ..."""
    key: str
    numel: int


@dataclass(frozen=True, slots=True)
class Tensor:
    """A view of a storage."""

    storage: Storage
    offset: int
    """In elements."""
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    dtype: str
    """Empty where the storage class tells it."""


@dataclass(frozen=True, slots=True)
class Opaque:
    """The result of a harmless call that is no plain tensor."""

    function: str = ""

    @property
    def is_tensor(self) -> bool:
        """Whether it is a tensor of another kind: sparse, quantised or a subclass."""
        return self.function.startswith(("torch._utils._rebuild_", "torch._tensor."))


Value: TypeAlias = Any
"""Plain Python containers and scalars, :class:`Name`, :class:`Storage`, :class:`Tensor` or :class:`Opaque`."""


def read_pickle(stream: IO[bytes]) -> Value:
    """Follow one pickle from the stream's position to its STOP and leave the stream behind it.

    Raises:
        UnsafePickleError: it refers to something that loading weights never needs, is malformed, or is too large.
    """
    machine = _Machine()
    try:
        for opcode, argument, _ in pickletools.genops(cast(IO[bytes], _Bounded(stream))):
            machine.step(opcode.name, argument)
    except UnsafePickleError:
        raise
    except (ValueError, LookupError, TypeError, AttributeError, OverflowError) as error:
        raise UnsafePickleError(f"the pickle is broken or truncated ({_last_line(error)})") from error
    return machine.result()


class _Bounded:
    """A stream that gives no more than :data:`MAX_PICKLE` bytes and never allocates what a length merely claims."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._left = MAX_PICKLE

    def read(self, size: int) -> bytes:
        if size > self._left:
            raise UnsafePickleError(f"the pickle holds or claims more than {MAX_PICKLE} bytes")
        return self._count(self._stream.read(size))

    def readline(self) -> bytes:
        return self._count(self._stream.readline(min(self._left, 2**16)))

    def tell(self) -> int:
        return self._stream.tell()

    def _count(self, data: bytes) -> bytes:
        self._left -= len(data)
        return data


class _Machine:
    """The pickle's stack, marks and memo."""

    def __init__(self) -> None:
        self.stack: list[Value] = []
        self.marks: list[list[Value]] = []
        self.memo: dict[int, Value] = {}
        self.work = 0
        self.foreign = ""
        self.done: list[Value] = []

    def result(self) -> Value:
        if self.foreign:
            raise UnsafePickleError(f"the pickle uses {self.foreign}, which torch.load(weights_only=True) refuses")
        return self.done[0]

    def step(self, opcode: str, argument: Any) -> None:
        self.spend(1)
        if opcode not in OPCODES and not self.foreign:
            self.foreign = f"the opcode {opcode}"
        if opcode in _CONSTANTS:
            self.stack.append(_CONSTANTS[opcode]())
        elif opcode in _LITERALS:
            self.stack.append(argument)
        else:
            handler = _HANDLERS.get(opcode)
            if handler is None:
                raise UnsafePickleError(
                    f"the pickle uses the opcode {opcode}, which torch.load(weights_only=True) refuses"
                )
            handler(self, argument)

    def spend(self, work: int) -> None:
        self.work += work
        if self.work > MAX_OPERATIONS:
            raise UnsafePickleError(f"the pickle takes more than {MAX_OPERATIONS} operations")

    def pop_mark(self) -> list[Value]:
        items = self.stack
        self.stack = self.marks.pop()
        self.spend(len(items))
        return items

    # One method an opcode; the argument is what the opcode carries in the stream.

    def proto(self, version: int) -> None:
        if version != 2 and not self.foreign:
            self.foreign = f"pickle protocol {version}"

    def skip(self, _: Any) -> None:
        """FRAME: bytes that follow, which are read as they come."""

    def stop(self, _: None) -> None:
        self.done.append(self.stack.pop())

    def mark(self, _: None) -> None:
        self.marks.append(self.stack)
        self.stack = []

    def put(self, number: int) -> None:
        self.memo[number] = self.stack[-1]

    def memoize(self, _: None) -> None:
        self.memo[len(self.memo)] = self.stack[-1]

    def get(self, number: int) -> None:
        self.stack.append(self.memo[number])

    def take_tuple(self, _: None) -> None:
        items = self.pop_mark()
        self.stack.append(tuple(items))

    def tuple_of(self, count: int) -> None:
        items = self.stack[-count:]
        if len(items) < count:
            raise IndexError("stack underflow")
        self.stack[-count:] = [tuple(items)]

    def append(self, _: None) -> None:
        item = self.stack.pop()
        self._target(list).append(item)

    def appends(self, _: None) -> None:
        items = self.pop_mark()
        self._target(list).extend(items)

    def set_item(self, _: None) -> None:
        value, key = self.stack.pop(), self.stack.pop()
        self._set([key, value])

    def set_items(self, _: None) -> None:
        self._set(self.pop_mark())

    def _set(self, items: list[Value]) -> None:
        target = self._target(dict)
        for key, value in zip(items[::2], items[1::2], strict=True):
            # Tensors stand under strings; another key is kept apart by its place, since hashing it may be endless.
            target[key if isinstance(key, str | int) else ("other key", self.work, len(target))] = value

    def _target(self, kind: type) -> Any:
        target = self.stack[-1]
        if type(target) is not kind:
            raise UnsafePickleError(f"the pickle adds items to {type(target).__name__} as if it were a {kind.__name__}")
        return target

    def global_(self, argument: str) -> None:
        module, _, name = argument.partition(" ")
        self.push_name(module, name)

    def stack_global(self, _: None) -> None:
        name, module = self.stack.pop(), self.stack.pop()
        self.push_name(str(module), str(name))

    def inst(self, argument: str) -> None:
        self.pop_mark()
        self.global_(argument)

    def push_name(self, module: str, name: str) -> None:
        found = Name(module, name)
        if not found.allowed:
            raise UnsafePickleError(
                f"loading it would import {shorten(str(found))}, which weights do not need and which may run anything; "
                "torch.load(weights_only=True) refuses it"
            )
        self.stack.append(found)

    def persistent(self, _: None) -> None:
        pid = self.stack.pop()
        if not (isinstance(pid, tuple) and len(pid) in (5, 6) and pid[0] == "storage" and isinstance(pid[1], Name)):
            raise UnsafePickleError("a persistent id does not describe a storage")
        key, numel = pid[2], pid[4]
        if not isinstance(key, str) or not _is_count(numel) or pid[1].name not in STORAGE_CLASSES:
            raise UnsafePickleError("a persistent id does not describe a storage")
        if len(pid) == 6 and pid[5] is not None:
            raise UnsafePickleError("it holds storage views, which only torch before 0.4 wrote")
        self.stack.append(Storage(pid[1].name, key, numel))

    def call(self, _: None) -> None:
        arguments = self.stack.pop()
        function = self.stack.pop()
        if not isinstance(function, Name) or not isinstance(arguments, tuple):
            raise UnsafePickleError("it calls something that is not a function by name")
        self.stack.append(self.called(str(function), arguments))

    def called(self, function: str, arguments: tuple[Value, ...]) -> Value:
        if function == "collections.OrderedDict":
            filled: dict[Value, Value] = {}
            if arguments:
                pairs = arguments[0]
                if not isinstance(pairs, list):
                    raise UnsafePickleError("an OrderedDict is made of something other than a list of pairs")
                self.spend(len(pairs))
                self.stack.append(filled)
                self._set([item for pair in pairs for item in (pair[0], pair[1])])
                self.stack.pop()
            return filled
        if function == "collections.Counter":
            return {}
        if function in ("torch._utils._rebuild_tensor", "torch._utils._rebuild_tensor_v2"):
            return _tensor("", *arguments[:4])
        if function == "torch._utils._rebuild_tensor_v3":
            return _tensor(arguments[6].name, *arguments[:4])
        if function in ("torch._utils._rebuild_parameter", "torch._utils._rebuild_parameter_with_state"):
            return arguments[0]
        return Opaque(function)

    def build(self, _: None) -> None:
        """What state an object is given says nothing about its tensors, so it is dropped."""
        if len(self.stack) < 2:
            raise IndexError("stack underflow")
        self.stack.pop()


def shorten(text: str, limit: int = 120) -> str:
    """The text in printable characters, cut where it is long: it comes from a file that may be hostile."""
    printable = "".join(character if character.isprintable() else "?" for character in text[: limit + 1])
    return printable if len(printable) <= limit else printable[: limit - 1] + "…"


def _is_count(value: Value) -> bool:
    return type(value) is int and 0 <= value < 2**63


def _tensor(dtype: str, storage: Value, offset: Value, shape: Value, strides: Value) -> Tensor:
    sound = (
        isinstance(storage, Storage)
        and _is_count(offset)
        and isinstance(shape, tuple)
        and isinstance(strides, tuple)
        and len(shape) == len(strides) <= MAX_DIMENSIONS
        and all(map(_is_count, shape))
        and all(map(_is_count, strides))
    )
    if not sound:
        raise UnsafePickleError("a tensor's storage, offset, shape or strides are not what they have to be")
    return Tensor(storage, offset, shape, strides, dtype)


def _last_line(error: Exception) -> str:
    return shorten(str(error).strip().rpartition("\n")[2] or type(error).__name__)


_CONSTANTS: dict[str, Callable[[], Value]] = {
    "NONE": lambda: None,
    "NEWTRUE": lambda: True,
    "NEWFALSE": lambda: False,
    "EMPTY_TUPLE": tuple,
    "EMPTY_LIST": list,
    "EMPTY_DICT": dict,
    "EMPTY_SET": Opaque,
}

_LITERAL_OPCODES = """
    BININT BININT1 BININT2 LONG1 BINFLOAT BINUNICODE SHORT_BINSTRING SHORT_BINUNICODE BINUNICODE8 UNICODE STRING
    BINSTRING INT LONG LONG4 FLOAT BINBYTES SHORT_BINBYTES BINBYTES8
"""
_LITERALS = frozenset(_LITERAL_OPCODES.split())

_HANDLERS: dict[str, Callable[[_Machine, Any], None]] = {
    "PROTO": _Machine.proto,
    "FRAME": _Machine.skip,
    "STOP": _Machine.stop,
    "MARK": _Machine.mark,
    "PUT": _Machine.put,
    "BINPUT": _Machine.put,
    "LONG_BINPUT": _Machine.put,
    "MEMOIZE": _Machine.memoize,
    "GET": _Machine.get,
    "BINGET": _Machine.get,
    "LONG_BINGET": _Machine.get,
    "TUPLE": _Machine.take_tuple,
    "TUPLE1": lambda machine, _: machine.tuple_of(1),
    "TUPLE2": lambda machine, _: machine.tuple_of(2),
    "TUPLE3": lambda machine, _: machine.tuple_of(3),
    "APPEND": _Machine.append,
    "APPENDS": _Machine.appends,
    "SETITEM": _Machine.set_item,
    "SETITEMS": _Machine.set_items,
    "GLOBAL": _Machine.global_,
    "STACK_GLOBAL": _Machine.stack_global,
    "INST": _Machine.inst,
    "BINPERSID": _Machine.persistent,
    "REDUCE": _Machine.call,
    "NEWOBJ": _Machine.call,
    "BUILD": _Machine.build,
}

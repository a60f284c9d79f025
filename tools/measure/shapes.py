"""The outputs of the most common operators on the meta device, without asking torch.

torch's meta kernels of these are written in Python: they cost more than all the rest of a run, and the first of them
loads a second's worth of modules. A rule here answers only for the usual case (plain memory layout, floating point,
arguments in their usual form) and otherwise gives ``None``; then the operator itself is run.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import torch

from tools.measure.operators import operand

Shape: TypeAlias = list[int]
Arguments: TypeAlias = tuple[Any, ...]
Keywords: TypeAlias = Mapping[str, Any]

_FORWARD = ("input", "weight", "bias", "stride", "padding", "dilation", "groups")
_TRANSPOSED = ("input", "weight", "bias", "stride", "padding", "output_padding", "groups", "dilation")
_DEFAULTS = {"stride": 1, "padding": 0, "dilation": 1, "groups": 1, "output_padding": 0}


def plain(tensor: Any) -> bool:
    """Whether ``tensor`` is what the rules are made for."""
    return (
        isinstance(tensor, torch.Tensor)
        and tensor.device.type == "meta"
        and tensor.is_floating_point()
        and tensor.is_contiguous()
    )


def empty(shape: Shape, like: torch.Tensor) -> torch.Tensor:
    """A tensor without memory. This constructor, unlike ``empty_like``, is no Python on the meta device."""
    return torch.empty(shape, dtype=like.dtype, device="meta")


def convolution(function_name: str, args: Arguments, kwargs: Keywords) -> Shape | None:
    """``conv1d`` to ``conv3d`` and ``conv_transpose1d`` to ``3d``, with a batch and padding in numbers."""
    transposed = function_name.startswith("conv_transpose")
    names = _TRANSPOSED if transposed else _FORWARD
    said = {name: operand(at, name, args, kwargs, _DEFAULTS.get(name)) for at, name in enumerate(names)}
    given, weight = said["input"], said["weight"]
    if not plain(given) or not plain(weight) or given.dtype != weight.dtype or isinstance(said["padding"], str):
        return None
    shape, kernel, spatial = list(given.shape), list(weight.shape), weight.dim() - 2
    if len(shape) != spatial + 2 or shape[1] != (kernel[0] if transposed else kernel[1] * said["groups"]):
        return None
    stride, padding, dilation, extra = (
        _each(said.get(key, _DEFAULTS[key]), spatial) for key in ("stride", "padding", "dilation", "output_padding")
    )
    made = []
    for axis in range(spatial):
        reach = dilation[axis] * (kernel[axis + 2] - 1)
        size = shape[axis + 2]
        if transposed:
            made.append((size - 1) * stride[axis] - 2 * padding[axis] + reach + extra[axis] + 1)
        else:
            made.append((size + 2 * padding[axis] - reach - 1) // stride[axis] + 1)
    if min(made) <= 0:
        return None
    return [shape[0], kernel[1] * said["groups"] if transposed else kernel[0], *made]


def linear(args: Arguments, kwargs: Keywords) -> Shape | None:
    """``linear`` with at least one dimension of rows."""
    given, weight = operand(0, "input", args, kwargs), operand(1, "weight", args, kwargs)
    if not plain(given) or not plain(weight) or given.dtype != weight.dtype:
        return None
    if given.dim() < 2 or weight.dim() != 2 or given.shape[-1] != weight.shape[1]:
        return None
    return [*given.shape[:-1], weight.shape[0]]


def _same(args: Arguments, kwargs: Keywords) -> Shape | None:
    """One tensor in, one of its shape out; a second one must fit into the first."""
    given: Any = args[0] if args else kwargs.get("input")
    if not plain(given) or kwargs.keys() & {"out", "dtype"}:
        return None
    if len(args) > 1:
        other = args[1]
        if not isinstance(other, torch.Tensor) or other.dtype != given.dtype or other.dim() != given.dim():
            return None
        if any(size not in (1, whole) for size, whole in zip(other.shape, given.shape, strict=True)):
            return None
    return list(given.shape)


def _norm(args: Arguments, kwargs: Keywords) -> Shape | None:
    """Norms keep the shape of their first argument. In training they change their buffers, which is torch's."""
    given = operand(0, "input", args, kwargs)
    return list(given.shape) if plain(given) and not operand(5, "training", args, kwargs) else None


def _layer_norm(args: Arguments, kwargs: Keywords) -> Shape | None:
    given = operand(0, "input", args, kwargs)
    return list(given.shape) if plain(given) else None


def _mean(args: Arguments, kwargs: Keywords) -> Shape | None:
    given, axes = operand(0, "input", args, kwargs), operand(1, "dim", args, kwargs)
    keep = operand(2, "keepdim", args, kwargs, default=False)
    axes = (axes,) if isinstance(axes, int) else axes
    if not plain(given) or not isinstance(axes, tuple | list) or not axes or kwargs.keys() & {"out", "dtype"}:
        return None
    if not all(isinstance(axis, int) and -given.dim() <= axis < given.dim() for axis in axes):
        return None
    gone = {axis % given.dim() for axis in axes}
    return [1 if at in gone else size for at, size in enumerate(given.shape) if keep or at not in gone]


def _pool_to(args: Arguments, kwargs: Keywords) -> Shape | None:
    given, size = operand(0, "input", args, kwargs), operand(1, "output_size", args, kwargs)
    size = (size, size) if isinstance(size, int) else size
    if not plain(given) or not isinstance(size, tuple | list) or len(size) != 2 or given.dim() < 3:
        return None
    if not all(isinstance(item, int) and item > 0 for item in size):
        return None
    return [*given.shape[:-2], *size]


def _cat(args: Arguments, kwargs: Keywords) -> Shape | None:
    tensors, axis = operand(0, "tensors", args, kwargs), operand(1, "dim", args, kwargs, default=0)
    if not isinstance(tensors, tuple | list) or not tensors or not isinstance(axis, int) or "out" in kwargs:
        return None
    first: torch.Tensor = tensors[0]
    if not all(plain(tensor) and tensor.dim() == first.dim() and tensor.dtype == first.dtype for tensor in tensors):
        return None
    if not -first.dim() <= axis < first.dim():
        return None
    axis %= first.dim()
    if any(
        tensor.shape[:axis] != first.shape[:axis] or tensor.shape[axis + 1 :] != first.shape[axis + 1 :]
        for tensor in tensors
    ):
        return None
    return [*first.shape[:axis], sum(tensor.shape[axis] for tensor in tensors), *first.shape[axis + 1 :]]


_ELEMENTWISE = (
    "add elu gelu hardsigmoid hardswish mish mul relu relu6 sigmoid silu sub tanh add_ elu_ hardsigmoid_ hardswish_ "
    "mish_ mul_ relu6_ relu_ sigmoid_ silu_"
)
RULES: Mapping[str, Callable[[Arguments, Keywords], Shape | None]] = {
    **{f"aten::{name}": _same for name in _ELEMENTWISE.split()},
    "aten::batch_norm": _norm,
    "aten::layer_norm": _layer_norm,
    "aten::mean": _mean,
    "aten::adaptive_avg_pool2d": _pool_to,
    "aten::cat": _cat,
    "aten::linear": linear,
}
"""Operator -> its rule. Convolutions, whose operator does not tell if they are transposed, are called by themselves."""


def output(name: str, args: Arguments, kwargs: Keywords) -> torch.Tensor | None:
    """What the operator makes, or ``None`` where it must be run. In place, that is its first argument."""
    rule = RULES.get(name)
    shape = rule(args, kwargs) if rule is not None else None
    if shape is None:
        return None
    first = args[0] if args else kwargs["input"]
    if name.endswith("_"):
        return first  # type: ignore[no-any-return]
    return empty(shape, first[0] if isinstance(first, tuple | list) else first)


def _each(value: Any, spatial: int) -> tuple[int, ...]:
    if isinstance(value, int):
        return (value,) * spatial
    return tuple(value) * spatial if len(value) == 1 else tuple(value)

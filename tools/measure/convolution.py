"""The output of a convolution without running it: most of the time that a run on the meta device takes is theirs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tools.measure.operators import operand

if TYPE_CHECKING:
    import torch

_FORWARD = ("input", "weight", "bias", "stride", "padding", "dilation", "groups")
_TRANSPOSED = ("input", "weight", "bias", "stride", "padding", "output_padding", "groups", "dilation")
_DEFAULTS = {"stride": 1, "padding": 0, "dilation": 1, "groups": 1, "output_padding": 0}


def output_shape(function_name: str, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> list[int] | None:
    """The shape that ``conv2d`` or a sibling gives, or ``None`` where torch should be asked.

    It is asked for everything unusual: input without a batch, padding by name, wrong channels, an empty output, and
    memory formats other than the plain one.
    """
    transposed = function_name.startswith("conv_transpose")
    names = _TRANSPOSED if transposed else _FORWARD
    said = {name: operand(at, name, arguments, keywords, _DEFAULTS.get(name)) for at, name in enumerate(names)}
    given: torch.Tensor = said["input"]
    weight: torch.Tensor = said["weight"]
    spatial = weight.dim() - 2
    shape, kernel = list(given.shape), list(weight.shape)
    if len(shape) != spatial + 2 or isinstance(said["padding"], str) or given.dtype != weight.dtype:
        return None
    if given.device.type != "meta" or not given.is_contiguous() or not weight.is_contiguous():
        return None
    if shape[1] != (kernel[0] if transposed else kernel[1] * said["groups"]):
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


def _each(value: Any, spatial: int) -> tuple[int, ...]:
    if isinstance(value, int):
        return (value,) * spatial
    return tuple(value) * spatial if len(value) == 1 else tuple(value)

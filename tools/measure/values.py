"""Stand-ins for the values of a TorchScript graph, so that fvcore's handles can be called without a graph."""

from __future__ import annotations

from collections import Counter
from typing import Any

import torch

from tools.measure.operators import OPERANDS, operand


class Value:
    """Stands in for a value of a TorchScript graph, with the questions that fvcore's handles ask."""

    __slots__ = ("item",)

    def __init__(self, item: Any) -> None:
        self.item = item

    def isCompleteTensor(self) -> bool:  # noqa: N802 - torch's name
        """Whether it is a tensor whose shape is known."""
        return isinstance(self.item, torch.Tensor)

    def type(self) -> Value:
        """Its type, which knows the sizes."""
        return self

    def sizes(self) -> list[int]:
        """The tensor's shape."""
        return list(self.item.shape)

    def toIValue(self) -> Any:  # noqa: N802 - torch's name
        """The Python value."""
        return self.item

    def node(self) -> Value:
        """The node that made it (a list's)."""
        return self

    def inputs(self) -> list[Value]:
        """The elements of a list."""
        return [Value(item) for item in self.item]


NONE = Value(None)


def values(name: str, function: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> list[Value]:
    """The operator's inputs as fvcore's handles expect them."""
    if name == "aten::einsum":
        equation, *operands = args
        tensors = operands[0] if operands and isinstance(operands[0], tuple | list) else operands
        return [Value(equation), Value(list(tensors)), NONE]
    names = OPERANDS.get(name)
    if names is None:
        return [Value(item) for item in args]
    found = [Value(operand(at, key, args, kwargs)) for at, key in enumerate(names)]
    if name == "aten::_convolution":
        transposed = Value(function.startswith("conv_transpose"))
        return [*found, NONE, NONE, NONE, transposed, *[NONE] * 6]
    return found


def numbers(counted: Any, simple_name: str) -> dict[str, int]:
    """What a handle returned, as numbers by operator: some handles name the operator themselves."""
    if isinstance(counted, Counter):
        return {name: int(number) for name, number in counted.items()}
    return {simple_name: int(counted)}

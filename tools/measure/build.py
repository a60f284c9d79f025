"""Build a model without its weights: on the meta device, where a tensor has a shape and no memory.

Three ways, the cheapest first. Whether one of them works is found by trying; a zoo's own mistake fails in all three,
and the error of the last, which builds as any user would, is the one that is reported.
"""

from __future__ import annotations

import contextlib
import types
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import nn
from torch.overrides import TorchFunctionMode
from torch.utils._device import _device_constructors

_FILLERS = frozenset(
    {
        "bernoulli_",
        "cauchy_",
        "copy_",
        "erfinv_",
        "exponential_",
        "fill_",
        "fill_diagonal_",
        "geometric_",
        "log_normal_",
        "normal_",
        "random_",
        "uniform_",
        "zero_",
    }
)


class OnMeta(TorchFunctionMode):
    """New tensors go to the meta device unless the code names another, and filling them with values is skipped.

    :class:`torch.device` as a context manager does the first part only. Initialising weights is most of the time that
    building takes, even where there are none.
    """

    def __init__(self) -> None:
        super().__init__()
        self.constructors = _device_constructors()

    def __torch_function__(self, func: Any, types_: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if func in self.constructors:
            if kwargs.get("device") is None:
                kwargs = {**kwargs, "device": "meta"}
        elif self._fills(func):
            target = args[0] if args else kwargs.get("tensor")
            if isinstance(target, torch.Tensor) and target.is_meta:
                return target
        return func(*args, **kwargs)

    @staticmethod
    def _fills(func: Any) -> bool:
        if isinstance(func, types.FunctionType):
            return func.__module__ == "torch.nn.init" and func.__name__.endswith("_")
        return getattr(func, "__name__", "") in _FILLERS


@contextlib.contextmanager
def _parameters_to_meta() -> Iterator[None]:
    """Parameters move to the meta device as modules take them, so that at most one has memory at a time.

    Identity is kept (two modules that share a weight still share it), and everything else keeps its values: code that
    computes with tensors while it builds (a schedule of drop rates) works.
    """
    original = nn.Module.register_parameter

    def register(self: nn.Module, name: str, param: nn.Parameter | None) -> None:
        if type(param) is nn.Parameter and not param.is_meta:
            empty = nn.Parameter(param.detach().to("meta"), requires_grad=param.requires_grad)
            torch.utils.swap_tensors(param, empty)  # type: ignore[no-untyped-call]  # torch has no types for it
        original(self, name, param)

    nn.Module.register_parameter = register  # type: ignore[method-assign]  # put back below
    try:
        yield
    finally:
        nn.Module.register_parameter = original  # type: ignore[method-assign]


def build_meta(build: Callable[[], nn.Module]) -> nn.Module:
    """The model in eval mode with all parameters and buffers on the meta device.

    Raises:
        Exception: whatever ``build`` raises when it is called plainly.
        TypeError: what it returns is no module.
    """
    contexts: tuple[Callable[[], contextlib.AbstractContextManager[Any]], ...] = (OnMeta, _parameters_to_meta)
    for context in contexts:
        try:
            with context():
                model = _module(build())
            return _to_meta(model)
        except Exception:  # noqa: S112 - the next way is tried, and the last one's error counts
            continue
    return _to_meta(build_real(build))


def build_real(build: Callable[[], nn.Module]) -> nn.Module:
    """The model in eval mode as ``build`` makes it.

    Raises:
        Exception: whatever ``build`` raises.
        TypeError: what it returns is no module.
    """
    return _module(build())


def _module(made: object) -> nn.Module:
    if not isinstance(made, nn.Module):
        raise TypeError(f"the factory returned a {type(made).__name__}, not a torch.nn.Module")
    return made.eval()


def _to_meta(model: nn.Module) -> nn.Module:
    if all(tensor.is_meta for tensor in (*model.parameters(), *model.buffers())):
        return model
    return model.to("meta")

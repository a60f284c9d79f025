"""Count without computing: run a model once on the meta device and apply the libraries' formulas to its calls.

Stock fvcore traces a real forward pass into a TorchScript graph and reads the shapes from it. The same operators can
be seen where Python calls into torch (:class:`torch.overrides.TorchFunctionMode`), and on the meta device these calls
know all shapes and do no arithmetic. fvcore's own handles are called with stand-ins for the graph's values, so that
a formula is never written twice. Three things make the result that of the trace:

* Functions of torch that are written in Python (``F.softmax``, ``torch.einsum``) are not operators; they are made
  transparent, and what they call is seen.
* A trace drops what does not reach the output; so does :func:`tools.measure.liveness.live`.
* An ``autograd.Function`` and a scripted function are one opaque node.

``torch.utils.flop_counter``'s formulas are applied in the same run: directly to convolutions, and to the operators
that a dispatch mode sees inside everything that may hold a matrix product.
"""

from __future__ import annotations

import contextlib
import types
import warnings
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import torch
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import conv_flop_count, flop_registry

from tools.measure import shapes, thop
from tools.measure.formulas import OWN_HANDLES
from tools.measure.liveness import Call, live, storages
from tools.measure.operators import WITHOUT_PRODUCTS, operand, operator_name
from tools.measure.tally import Tally, add, ancestors
from tools.measure.values import Value, numbers, values

if TYPE_CHECKING:
    from torch import nn

GLOBAL_POOL = "global average pool"
"""Evidence in ``Tally.operators``: the mean over all of height and width, by whatever operator."""

NO_DROPOUT = "aten::dropout of nothing"
"""A dropout of probability 0 in ``Tally.operators``, so that it is no evidence of dropout."""

_QUESTIONS = ("has_torch_function", "has_torch_function_unary", "has_torch_function_variadic")


class _Products(TorchDispatchMode):  # type: ignore[no-untyped-call]  # torch has no types for it
    """Sees the operators inside one call and counts those that torch's own counter has a formula for."""

    def __init__(self, watch: _Watch) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.watch = watch

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        formula = flop_registry.get(func._overloadpacket)
        made = func(*args, **kwargs)
        if formula is not None:
            name = str(func._overloadpacket).removeprefix("aten.")
            add(self.watch.tally.matrix, self.watch.scope(), name, int(formula(*args, **kwargs, out_val=made)))
        return made


class _Watch(TorchFunctionMode):
    """Sees every call from Python into torch."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        from fvcore.nn.activation_count import _DEFAULT_SUPPORTED_OPS as ACTIVATION_HANDLES
        from fvcore.nn.flop_count import _DEFAULT_SUPPORTED_OPS as FLOP_HANDLES
        from fvcore.nn.jit_analysis import _IGNORED_OPS

        self.tally = Tally()
        self.calls: list[Call] = []
        self.kept: list[Any] = []
        self.paths = {module: path for path, module in model.named_modules()}
        self.above = {path: ancestors(path) for path in self.paths.values()}
        self.stack = [""]
        self.classifier = thop.last_linear(model)
        self.names: dict[Any, str | None] = {}
        self.products = _Products(self)
        self.opened: dict[int, tuple[dict[str, Any], dict[str, Any]]] = {}
        self.flop_handles = FLOP_HANDLES
        self.activation_handles = ACTIVATION_HANDLES
        self.ignored = {*_IGNORED_OPS, NO_DROPOUT}

    def scope(self) -> tuple[str, ...]:
        """The module that is running, and those it belongs to."""
        return self.above[self.stack[-1]]

    def open(self, function_globals: dict[str, Any]) -> bool:
        """Make a module's Python functions transparent; whether that was new."""
        if id(function_globals) in self.opened:
            return False
        saved = {name: function_globals[name] for name in _QUESTIONS if name in function_globals}
        self.opened[id(function_globals)] = (function_globals, saved)
        function_globals.update(dict.fromkeys(saved, _never))
        return True

    def close(self) -> None:
        """Undo what :meth:`open` did."""
        for function_globals, saved in self.opened.values():
            function_globals.update(saved)
        self.opened.clear()

    def __torch_function__(self, func: Any, types_: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        name = self.names.get(func, "")
        if name == "":
            name = self.names[func] = operator_name(func)
        if name is None:
            return func(*args, **kwargs)
        if isinstance(func, types.FunctionType) and self.open(func.__globals__):
            with self:
                return func(*args, **kwargs)
        return self.operator(name, func, args, kwargs)

    def operator(self, name: str, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Run one operator, cheaply where that is possible, and keep what it counts."""
        made: Any
        if name == "aten::_convolution":
            made = self.convolution(func.__name__, args, kwargs)
            if made is None and isinstance(operand(4, "padding", args, kwargs), str):
                name = "aten::_convolution_mode"
        else:
            made = shapes.output(name, args, kwargs)
            if made is not None and name == "aten::linear":
                product = "addmm" if operand(2, "bias", args, kwargs) is not None else "mm"
                add(
                    self.tally.matrix,
                    self.scope(),
                    product,
                    2 * made.numel() * operand(0, "input", args, kwargs).shape[-1],
                )
        if made is None:
            if name in WITHOUT_PRODUCTS:
                made = func(*args, **kwargs)
            else:
                with self.products:
                    made = func(*args, **kwargs)
        self.record(name, func.__name__, args, kwargs, made)
        return made

    def convolution(self, function: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> torch.Tensor | None:
        """The output of a usual convolution, counted by torch's formula; ``None``: it must be run."""
        shape = shapes.convolution(function, args, kwargs)
        if shape is None:
            return None
        given, weight = operand(0, "input", args, kwargs), operand(1, "weight", args, kwargs)
        transposed = function.startswith("conv_transpose")
        flops = conv_flop_count(list(given.shape), list(weight.shape), shape, transposed=transposed)
        add(self.tally.matrix, self.scope(), "convolution", flops)
        return shapes.empty(shape, given)

    def record(self, name: str, function: str, args: tuple[Any, ...], kwargs: dict[str, Any], made: Any) -> None:
        """Keep the call with what fvcore's and our formulas say of it."""
        if name == "aten::dropout" and operand(1, "p", args, kwargs) == 0:
            name = NO_DROPOUT
        call = Call(name, self.stack[-1], storages((*args, kwargs) if kwargs else args), storages(made))
        self.kept.append(made)  # so that no storage's address is used again
        self.calls.append(call)
        flop, activation, own = (
            handles.get(name) for handles in (self.flop_handles, self.activation_handles, OWN_HANDLES)
        )
        if flop is None and activation is None and own is None:
            if name == "aten::mean" and _is_global_pool(args, made):
                self.tally.operators[call.path][GLOBAL_POOL] += 1
            return
        if name == "aten::adaptive_avg_pool2d" and isinstance(made, torch.Tensor) and made.shape[-2:].numel() == 1:
            self.tally.operators[call.path][GLOBAL_POOL] += 1
        inputs, outputs = values(name, function, args, kwargs), [Value(made)]
        if name == "aten::_convolution" and made.dim() == operand(1, "weight", args, kwargs).dim() - 1:
            inputs[0], outputs = Value(inputs[0].item.unsqueeze(0)), [Value(made.unsqueeze(0))]
        simple = name.partition("::")[2]
        if flop is not None:
            with contextlib.suppress(AssertionError, IndexError, ValueError):  # shapes that fvcore gives up on
                call.flops = numbers(flop(inputs, outputs), simple)
        if activation is not None:
            call.activations = numbers(activation(inputs, outputs), simple)
        if own is not None:
            call.own = own(inputs, outputs)

    def enter(self, module: nn.Module, _arguments: Any) -> None:
        """Hook: ``module`` starts to run."""
        self.stack.append(self.paths.get(module, self.stack[-1]))

    def leave(self, module: nn.Module, arguments: Any, made: Any) -> None:
        """Hook: ``module`` has run."""
        if arguments and type(made) is torch.Tensor and isinstance(arguments[0], torch.Tensor):
            number = thop.operations(module, arguments[0], made, self.classifier)
            if number:
                add(self.tally.thop, self.scope(), type(module).__name__, number)
        self.stack.pop()

    def finish(self, output: Any) -> Tally:
        """Sum up the calls that the output depends on."""
        tally = self.tally
        for call in live(self.calls, storages(output)):
            above = self.above[call.path]
            tally.operators[call.path][call.name] += 1
            for counted, table in ((call.flops, tally.flops), (call.activations, tally.activations)):
                for name, number in (counted or {}).items():
                    add(table, above, name, number)
            if call.flops is None and call.name not in self.ignored:
                tally.uncounted[call.name] += 1
            if call.own:
                add(tally.own, above, call.name.partition("::")[2], call.own)
        return tally


def run_meta(model: nn.Module, inputs: tuple[torch.Tensor, ...]) -> Tally:
    """Run ``model`` (all of it on the meta device) on ``inputs`` and count.

    Raises:
        Exception: whatever the model raises where it needs values; then :func:`tools.measure.forward.run_forward`.
    """
    from torch.nn import functional
    from torch.nn.modules import module as hooks

    watch = _Watch(model)
    for python_module in (functional, torch.functional, torch._tensor):
        watch.open(vars(python_module))
    handles = [
        hooks.register_module_forward_pre_hook(watch.enter),
        hooks.register_module_forward_hook(watch.leave),
    ]
    try:
        with warnings.catch_warnings(), _opaque(watch), watch:
            warnings.simplefilter("ignore")
            output = model(*inputs)
    finally:
        watch.close()
        for handle in handles:
            handle.remove()
    return watch.finish(output)


@contextlib.contextmanager
def _opaque(watch: _Watch) -> Iterator[None]:
    """An ``autograd.Function`` is one operator, as in a trace, whatever its ``forward`` calls.

    The step between ``Function.apply`` and torch's own code is taken over for the while: ``apply`` itself is often
    kept under another name when a module is imported.
    """
    base: Any = torch.autograd.function._SingleLevelFunction

    def apply(cls: Any, *args: Any, **kwargs: Any) -> Any:
        with torch._C.DisableTorchFunction(), watch.products:
            made = super(base, cls).apply(*args, **kwargs)
            watch.record(f"prim::PythonOp.{cls.__name__}", "", args, kwargs, made)
        return made

    assert "apply" not in vars(base), "runs are not nested"
    base.apply = classmethod(apply)
    try:
        yield
    finally:
        del base.apply


def _never(*_: Any) -> bool:
    return False


def _is_global_pool(args: tuple[Any, ...], made: Any) -> bool:
    given = args[0] if args else None
    if not isinstance(given, torch.Tensor) or not isinstance(made, torch.Tensor) or given.dim() != 4:
        return False
    return made.numel() == given.shape[0] * given.shape[1] or made.numel() == given.shape[0] * given.shape[3]

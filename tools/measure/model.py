"""Measure one model in this process: build it, count it, look at its state dict.

Whatever the zoo's own code does wrong becomes a :class:`Failure`, never an exception; what it prints goes to standard
error's place in the pipe, not into this program's standard output.
"""

from __future__ import annotations

import contextlib
import io
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Literal

from tools.measure.environment import environment
from tools.measure.factory import code_config, resolve
from tools.measure.records import CodeConfig, Failure, InputSize, Measurement, Request, TensorEntry
from tools.measure.stages import stage_names, sum_by_stage

if TYPE_CHECKING:
    from torch import nn

DEFAULT_INPUT_SIZE: InputSize = (3, 224, 224)
"""Used where neither the request nor the zoo's code says one."""


def measure_model(request: Request) -> Measurement | Failure:
    """Build the model and measure everything about it. Imports torch; never raises for what foreign code does."""
    started = time.perf_counter()
    stage: Literal["import", "build", "forward"] = "import"
    try:
        with _quiet_streams():
            build = resolve(request.factory.target, request.factory.root)
            config = code_config(request.factory, request.build_name or request.name)
            stage = "build"
            model = build(request.build_name or request.name)
            stage = "forward"
            return _measure(request, model.eval(), config, started)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # foreign code may raise anything, SystemExit included
        return failure(request.name, stage, error)


def failure(name: str, stage: Literal["import", "build", "forward"], error: BaseException) -> Failure:
    """The record of an exception: the last line that Python prints of it, and the traceback."""
    lines = [line for line in traceback.format_exception_only(error)[-1].strip().splitlines() if line.strip()]
    return Failure(
        name=name,
        stage=stage,
        message=lines[-1].strip() if lines else type(error).__name__,
        detail="".join(traceback.format_exception(error)),
    )


@contextlib.contextmanager
def _quiet_streams() -> Iterator[None]:
    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _measure(request: Request, model: nn.Module, config: CodeConfig, started: float) -> Measurement:
    import torch

    from tools.measure.counters import count_records
    from tools.measure.forward import run_forward
    from tools.measure.thop import last_linear

    own_size = request.input_size or config.input_size or DEFAULT_INPUT_SIZE
    stages = stage_names(model)
    tallies = {size: run_forward(model, (torch.zeros(1, *size),)) for size in (own_size, *request.sizes)}
    classifier = last_linear(model)
    state = model.state_dict()
    activations = {name: sum(counts.values()) for name, counts in tallies[own_size].activations.items()}
    return Measurement(
        name=request.name,
        parameters=sum(p.numel() for p in model.parameters()),
        trainable_parameters=sum(p.numel() for p in model.parameters() if p.requires_grad),
        buffers=sum(b.numel() for b in model.buffers()),
        parameters_by_stage=_parameters_by_stage(model, stages),
        parameters_by_kind=_parameters_by_kind(model),
        counts=tuple(count for size, tally in tallies.items() for count in count_records(tally, size, stages)),
        activations=activations.get("", 0),
        activations_by_stage=sum_by_stage(stages, activations, activations.get("", 0)),
        state_dict=tuple(
            TensorEntry(key, tuple(value.shape), str(value.dtype).removeprefix("torch."), value.nbytes)
            for key, value in state.items()
            if isinstance(value, torch.Tensor)
        ),
        module_versions=tuple((path, said.get("version")) for path, said in getattr(state, "_metadata", {}).items()),
        kinds={},
        fingerprint="",
        classifier=(classifier.in_features, classifier.out_features) if classifier is not None else None,
        input_size=own_size,
        dtype=str(next((p.dtype for p in model.parameters()), torch.float32)).removeprefix("torch."),
        method="forward",
        method_reason="",
        environment=environment(),
        config=config,
        seconds=time.perf_counter() - started,
    )


def _parameters_by_stage(model: nn.Module, stages: tuple[str, ...]) -> Mapping[str, int]:
    seen: set[int] = set()
    by_stage = {}
    for name in stages:
        parameters = [p for p in model.get_submodule(name).parameters() if id(p) not in seen]
        seen.update(id(p) for p in parameters)
        by_stage[name] = sum(p.numel() for p in parameters)
    return sum_by_stage(stages, by_stage, sum(p.numel() for p in model.parameters()))


def _parameters_by_kind(model: nn.Module) -> Mapping[str, int]:
    seen: set[int] = set()
    by_kind: Counter[str] = Counter()
    for module in model.modules():
        for parameter in module.parameters(recurse=False):
            if id(parameter) not in seen:
                seen.add(id(parameter))
                by_kind[type(module).__name__] += parameter.numel()
    return dict(by_kind)

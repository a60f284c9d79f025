"""Measure one model in this process: build it, count it, look at its state dict.

Whatever the zoo's own code does wrong becomes a :class:`Failure`, never an exception, and what it prints is dropped:
standard output belongs to the report.
"""

from __future__ import annotations

import contextlib
import io
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Literal, TypeAlias

from tools.measure.environment import environment
from tools.measure.factory import code_config, resolve
from tools.measure.records import CodeConfig, Failure, InputSize, Measurement, Request, TensorEntry
from tools.measure.stages import stage_names, sum_by_stage
from tools.measure.tracebacks import traceback_text

if TYPE_CHECKING:
    from torch import nn

    from tools.measure.tally import Tally

DEFAULT_INPUT_SIZE: InputSize = (3, 224, 224)
"""Used where neither the request nor the zoo's code says one."""

_MOST_MESSAGE = 1_000
_MOST_DETAIL = 20_000
"""Characters of an error that are kept: a model may raise with a text of any length."""

_Stage: TypeAlias = Literal["import", "build", "forward"]
_OUT_OF_MEMORY = ("can't allocate memory", "not enough memory", "out of memory")


def measure_model(request: Request) -> Measurement | Failure:
    """Build the model and measure everything about it.

    It is run on the meta device where that works, and otherwise really (:attr:`Measurement.method_reason` says why).
    A further size (``request.sizes``) at which the model cannot run, because its input is of a fixed size, has no
    counts. Imports torch; never raises for what foreign code does.
    """
    times = _Times()
    stage: _Stage = "import"
    name = request.build_name or request.name
    try:
        with _quiet():
            found = resolve(request.factory.target, request.factory.root)
            config = _config(request, found)
            times.imported()
            build = times.building(found)
            size = request.input_size or config.input_size or DEFAULT_INPUT_SIZE
            stage = "build"
            attempt = _attempt_meta(lambda: build(name), (size, *request.sizes))
            if isinstance(attempt, str):
                from tools.measure.build import build_real

                model = build_real(lambda: build(name))
                stage = "forward"
                tallies, reason = _run_real(model, (size, *request.sizes)), attempt
            else:
                (model, tallies), reason = attempt, ""
            return _measurement(request, model, config, tallies, size, reason, times)
    except KeyboardInterrupt:
        raise
    except BuildError as error:
        return failure(request.name, "build", error.__cause__ or error)
    except BaseException as error:  # foreign code may raise anything, SystemExit included
        return failure(request.name, stage, error)


def _config(request: Request, build: Callable[[str], nn.Module]) -> CodeConfig:
    """What the zoo's code says of the model.

    Raises:
        Exception: ``config_of`` fails. Where the factory fails too (there is no such model), its error is the one to
            tell.
    """
    name = request.build_name or request.name
    try:
        return code_config(request.factory, name)
    except Exception:
        from tools.measure.build import build_meta

        try:
            build_meta(lambda: build(name))
        except Exception as error:
            raise BuildError from error
        raise


class BuildError(Exception):
    """Carries the factory's own error out of a step that comes before building."""


def failure(name: str, stage: _Stage, error: BaseException) -> Failure:
    """The record of an exception: the last line that Python prints of it, and where it came from."""
    lines = [line for line in traceback.format_exception_only(error)[-1].splitlines() if line.strip()]
    message = lines[-1].strip() if lines else type(error).__name__
    out_of_memory = isinstance(error, MemoryError) or any(hint in str(error) for hint in _OUT_OF_MEMORY)
    return Failure(
        name=name,
        stage="memory" if out_of_memory else stage,
        message=shortened(message, _MOST_MESSAGE),
        detail=shortened(traceback_text(error), _MOST_DETAIL),
    )


def shortened(text: str, most: int) -> str:
    """The beginning and the end of a text that is longer than ``most`` characters."""
    return text if len(text) <= most else f"{text[: most // 2]} [...] {text[-most // 2 :]}"


def _attempt_meta(
    build: Callable[[], nn.Module], sizes: tuple[InputSize, ...]
) -> tuple[nn.Module, dict[InputSize, Tally]] | str:
    """The model and its tallies on the meta device, or why that cannot be.

    Raises:
        Exception: the factory fails on every device.
    """
    import torch

    from tools.measure.build import build_meta
    from tools.measure.trace import run_meta

    model = build_meta(build)
    if any(isinstance(module, torch.jit.ScriptModule) for module in model.modules()):
        return "it holds compiled (TorchScript) modules"
    tallies: dict[InputSize, Tally] = {}
    for size in dict.fromkeys(sizes):
        try:
            tallies[size] = run_meta(model, (torch.empty(1, *size, device="meta"),))
        except Exception as error:
            if not tallies:
                return failure("", "forward", error).message
    return model, tallies


def _run_real(model: nn.Module, sizes: tuple[InputSize, ...]) -> dict[InputSize, Tally]:
    """Tallies of real forward passes.

    Raises:
        Exception: the model cannot run at the first of the sizes.
    """
    import torch

    from tools.measure.forward import run_forward

    tallies: dict[InputSize, Tally] = {}
    for size in dict.fromkeys(sizes):
        try:
            tallies[size] = run_forward(model, (torch.zeros(1, *size),))
        except Exception:
            if not tallies:
                raise
    return tallies


class _Times:
    """When a measurement began, and how long its parts took, in seconds."""

    def __init__(self) -> None:
        self.started = time.perf_counter()
        self.importing = 0.0
        self.building_took = 0.0

    def imported(self) -> None:
        """The factory is there."""
        self.importing = time.perf_counter() - self.started

    def building(self, build: Callable[..., nn.Module]) -> Callable[..., nn.Module]:
        """The same factory, timed."""

        def timed(name: str) -> nn.Module:
            begun = time.perf_counter()
            try:
                return build(name)
            finally:
                self.building_took += time.perf_counter() - begun

        return timed


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _measurement(
    request: Request,
    model: nn.Module,
    config: CodeConfig,
    tallies: Mapping[InputSize, Tally],
    input_size: InputSize,
    reason: str,
    times: _Times,
) -> Measurement:
    import torch

    from tools.measure.counters import count_records
    from tools.measure.evidence import kinds
    from tools.measure.fingerprint import fingerprint
    from tools.measure.thop import last_linear

    stages = stage_names(model)
    classifier = last_linear(model)
    state = model.state_dict()
    parameters = list(model.parameters())
    total = sum(p.numel() for p in parameters)
    activations = {path: sum(counts.values()) for path, counts in tallies[input_size].activations.items()}
    return Measurement(
        name=request.name,
        parameters=total,
        trainable_parameters=sum(p.numel() for p in parameters if p.requires_grad),
        buffers=sum(b.numel() for b in model.buffers()),
        parameters_by_stage=_parameters_by_stage(model, stages, total),
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
        kinds=kinds(model, tallies[input_size]),
        fingerprint=fingerprint(model, (request.name, request.build_name)),
        classifier=(classifier.in_features, classifier.out_features) if classifier is not None else None,
        input_size=input_size,
        dtype=str(next((p.dtype for p in parameters), torch.float32)).removeprefix("torch."),
        method="forward" if reason else "meta",
        method_reason=reason,
        environment=environment(),
        config=config,
        seconds=time.perf_counter() - times.started,
        import_seconds=times.importing,
        build_seconds=times.building_took,
    )


def _parameters_by_stage(model: nn.Module, stages: tuple[str, ...], total: int) -> Mapping[str, int]:
    seen: set[int] = set()
    by_stage = {}
    for name in stages:
        parameters = [p for p in model.get_submodule(name).parameters() if id(p) not in seen]
        seen.update(id(p) for p in parameters)
        by_stage[name] = sum(p.numel() for p in parameters)
    return sum_by_stage(stages, by_stage, total)


def _parameters_by_kind(model: nn.Module) -> Mapping[str, int]:
    seen: set[int] = set()
    by_kind: Counter[str] = Counter()
    for module in model.modules():
        for parameter in module.parameters(recurse=False):
            if id(parameter) not in seen:
                seen.add(id(parameter))
                by_kind[type(module).__name__] += parameter.numel()
    return dict(by_kind)

"""What code found out about a model: frozen records that import no torch and survive JSON.

A number is a measurement only with how it was made: the counter, the input size, the versions.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

InputSize: TypeAlias = tuple[int, ...]
"""Channels, height, width: one sample without the batch dimension."""


@dataclass(frozen=True, slots=True)
class Factory:
    """How a zoo's models are built."""

    target: str
    """``package.module:callable``, called with the model's name."""
    root: str = "."
    """Folder that is put first on ``sys.path`` while building (a zoo that is not installed)."""
    config_of: str | None = None
    """``package.module:callable``: name -> weights URL, input size, preprocessing, if the code knows them."""
    list_models: str | None = None
    """``package.module:callable``: no arguments -> names; it finds models that have no card."""


@dataclass(frozen=True, slots=True)
class Request:
    """One model to measure."""

    name: str
    """The model's name in the index, under which the measurement is kept."""
    factory: Factory
    build_name: str = ""
    """What the factory is called with, where that differs from the name."""
    input_size: InputSize | None = None
    """``None``: what ``config_of`` says, else 3x224x224."""
    sizes: tuple[InputSize, ...] = ()
    """Further input sizes at which FLOPs are counted."""


@dataclass(frozen=True, slots=True)
class CodeConfig:
    """What the zoo's own code says of a model; ``None`` where it says nothing."""

    weights: str | None = None
    input_size: InputSize | None = None
    crop_pct: float | None = None
    interpolation: str | None = None
    mean: tuple[float, ...] | None = None
    std: tuple[float, ...] | None = None


@dataclass(frozen=True, slots=True)
class Count:
    """One counter's answer at one input size, in the counter's own unit (see its documentation)."""

    counter: str
    input_size: InputSize
    total: int
    by_operator: Mapping[str, int]
    by_stage: Mapping[str, int]
    """By the model's direct children, or their children where one child holds everything."""
    uncounted: Mapping[str, int]
    """Operators without a formula -> how often they were called. Never dropped in silence."""
    own_formulas: Mapping[str, int]
    """The part of ``total`` that this project's formulas counted where the library has none."""


@dataclass(frozen=True, slots=True)
class TensorEntry:
    """One entry of a state dict."""

    key: str
    shape: tuple[int, ...]
    dtype: str
    """torch's name without the prefix: ``float32``, ``int64`` ..."""
    nbytes: int


@dataclass(frozen=True, slots=True)
class Environment:
    """The versions that a measurement was made with."""

    python: str
    torch: str
    fvcore: str
    platform: str


@dataclass(frozen=True, slots=True)
class Measurement:
    """Everything that was measured of one model."""

    name: str
    parameters: int
    trainable_parameters: int
    buffers: int
    parameters_by_stage: Mapping[str, int]
    parameters_by_kind: Mapping[str, int]
    """By the type of the module that owns them: ``Conv2d``, ``BatchNorm2d`` ..."""
    counts: tuple[Count, ...]
    activations: int
    """Elements of the outputs of convolutions and matrix products (fvcore's definition) at ``input_size``."""
    activations_by_stage: Mapping[str, int]
    state_dict: tuple[TensorEntry, ...]
    module_versions: tuple[tuple[str, int | None], ...]
    """``state_dict()._metadata``: module path -> version; a saved file carries it."""
    kinds: Mapping[str, int]
    """What kinds of modules are present -> how many (``Batch Normalization``, ``SiLU``, ``MixConv`` ...)."""
    fingerprint: str
    """Equal for two models of the very same architecture: a digest of layers, shapes and hyper-parameters."""
    classifier: tuple[int, int] | None
    """in and out features of the last linear layer."""
    input_size: InputSize
    dtype: str
    method: Literal["meta", "forward"]
    """``meta``: run without arithmetic on the meta device; ``forward``: a real forward pass was needed."""
    method_reason: str
    """Why a real forward pass was needed; empty for ``meta``."""
    environment: Environment
    config: CodeConfig
    seconds: float
    """Wall time of the measurement; like its parts below, not part of its identity."""
    import_seconds: float = 0.0
    """Of ``seconds``: importing the factory and asking the zoo's code; the rest but building is counting."""
    build_seconds: float = 0.0
    """Of ``seconds``: inside the factory."""

    @property
    def state_dict_bytes(self) -> int:
        """Bytes of all tensors of the state dict, without any file format around them."""
        return sum(entry.nbytes for entry in self.state_dict)

    def count(self, counter: str, input_size: InputSize | None = None) -> Count | None:
        """The count by ``counter`` at ``input_size`` (default: the model's own), or ``None``."""
        size = self.input_size if input_size is None else input_size
        return next((c for c in self.counts if c.counter == counter and c.input_size == size), None)


@dataclass(frozen=True, slots=True)
class Failure:
    """A model that could not be measured."""

    name: str
    stage: Literal["import", "build", "forward", "timeout", "memory", "crash", "cancelled"]
    message: str
    """The last line of its error, or what the pool saw (``no result after 60 s``)."""
    detail: str = ""
    """The traceback, for ``--format json`` and debugging."""


@dataclass(frozen=True, slots=True)
class Listing:
    """The models that the zoo's code knows."""

    names: tuple[str, ...]
    published: tuple[str, ...]
    """Those for which ``config_of`` gives a weights URL; empty without ``config_of``."""

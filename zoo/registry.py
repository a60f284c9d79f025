"""The names of the zoo: what is registered under each, and how it is found. Imports no torch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from zoo.architecture import Architecture, StageRow
from zoo.weights import Weights

if TYPE_CHECKING:
    from zoo.mixnet import MixNet


class UnknownModelError(LookupError):
    """No model is registered under this name."""


class DuplicateModelError(ValueError):
    """A model is already registered under this name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelInfo:
    """What is known of a variant without building it."""

    name: str
    title: str
    """The name as the paper writes it: ``MixNet-S``."""
    family: str
    """The collection that the variant belongs to on its page."""
    paper: str
    """URL of the paper."""
    architecture: Architecture
    weights: Weights | None
    """The published weight file; ``None``: none was published."""
    num_classes: int = 1000
    """Classes that the published weights tell apart."""
    input_size: tuple[int, int, int] = (3, 224, 224)
    """Channels, height and width in pixels of the evaluated input."""
    crop_pct: float = 0.875
    """The centre crop's share of the resized image's shorter side."""
    interpolation: str = "bicubic"
    mean: tuple[float, float, float] = (0.485, 0.456, 0.406)
    """Mean of red, green and blue, on a scale of 0 to 1, that preprocessing subtracts."""
    std: tuple[float, float, float] = (0.229, 0.224, 0.225)
    """Standard deviation of red, green and blue that preprocessing divides by."""

    @property
    def stages(self) -> tuple[StageRow, ...]:
        """The architecture's table, after scaling."""
        return self.architecture.stages

    @property
    def stem_channels(self) -> int:
        """Channels that the stem returns, after scaling."""
        return self.architecture.stem_channels

    @property
    def head_channels(self) -> int:
        """Channels that are pooled and classified."""
        return self.architecture.head_channels


Builder = Callable[[Architecture, int, int], "MixNet"]
"""Builds a model from its architecture, ``num_classes`` and ``in_chans``."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A registered variant: what is known of it, and what builds it."""

    info: ModelInfo
    build: Builder


_entries: dict[str, Entry] = {}


def register(info: ModelInfo, build: Builder) -> None:
    """Add a variant under ``info.name``.

    Raises:
        DuplicateModelError: the name is taken.
    """
    if info.name in _entries:
        raise DuplicateModelError(f"a model named {info.name!r} is already registered")
    _entries[info.name] = Entry(info, build)


def entry(name: str) -> Entry:
    """Return what is registered under ``name``.

    Raises:
        UnknownModelError: nothing is; the message has the nearest names.
    """
    try:
        return _entries[name]
    except KeyError:
        raise UnknownModelError(_unknown(name)) from None


def names(pattern: str = "*") -> list[str]:
    """Return the names that match a shell pattern (``tf_*``), in the order in which they were registered."""
    from fnmatch import fnmatchcase

    return [name for name in _entries if fnmatchcase(name, pattern)]


def use_weights(name: str, weights: Weights | None) -> Weights | None:
    """Let ``pretrained=True`` load other weights for a variant, in this process; return the former ones.

    For weights of your own training, or for a test that serves a small file. They are checked, like the published
    ones, against the hash that ``weights`` states or has in its file name.

    Raises:
        UnknownModelError: nothing is registered under ``name``.
    """
    former = entry(name)
    _entries[name] = replace(former, info=replace(former.info, weights=weights))
    return former.info.weights


def _unknown(name: str) -> str:
    from difflib import get_close_matches

    nearest = get_close_matches(str(name).lower(), _entries, n=3, cutoff=0.5)
    hint = f"did you mean {' or '.join(nearest)}?" if nearest else f"there are {', '.join(_entries) or 'none'}"
    return f"no model is named {name!r}; {hint}"

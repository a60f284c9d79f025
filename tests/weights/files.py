"""Small weight files for the tests, written by the installed torch."""

from __future__ import annotations

import io
import os
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import nn

from tools.measure.records import TensorEntry

StateDict = Mapping[str, torch.Tensor]


def small_model() -> nn.Module:
    """12 + 3 weights, and a batch norm with its five entries."""
    return nn.Sequential(nn.Conv2d(1, 3, 2), nn.BatchNorm2d(3))


SMALL_KEYS = (
    "0.weight",
    "0.bias",
    "1.weight",
    "1.bias",
    "1.running_mean",
    "1.running_var",
    "1.num_batches_tracked",
)


def save(value: Any, path: Path, *, legacy: bool = False) -> Path:
    """``torch.save`` in either format."""
    torch.save(value, path, _use_new_zipfile_serialization=not legacy)
    return path


def saved(value: Any, *, legacy: bool = False) -> bytes:
    """The bytes of :func:`save`."""
    buffer = io.BytesIO()
    torch.save(value, buffer, _use_new_zipfile_serialization=not legacy)
    return buffer.getvalue()


def entries_of(state_dict: StateDict) -> tuple[TensorEntry, ...]:
    """What the measuring room says of a state dict."""
    return tuple(
        TensorEntry(key, tuple(tensor.shape), str(tensor.dtype).removeprefix("torch."), tensor.nbytes)
        for key, tensor in state_dict.items()
    )


def versions_of(state_dict: StateDict) -> tuple[tuple[str, int | None], ...]:
    """``_metadata`` as the measuring room says it."""
    return tuple((path, fields.get("version")) for path, fields in metadata_of(state_dict).items())


def metadata_of(state_dict: StateDict) -> Mapping[str, dict[str, int | None]]:
    """Module path -> ``{"version": ...}``, which torch keeps as an attribute."""
    metadata: Mapping[str, dict[str, int | None]] = getattr(state_dict, "_metadata", {})
    return metadata


def with_metadata(entries: StateDict, metadata: Mapping[str, object]) -> OrderedDict[str, torch.Tensor]:
    """An ordered state dict that carries ``metadata``, as ``nn.Module.state_dict`` returns it."""
    state_dict = OrderedDict(entries)
    state_dict.__dict__["_metadata"] = metadata
    return state_dict


class Poison:
    """An object whose pickle makes a folder when it is loaded."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.trace),)

"""A digest of a model's architecture: equal for one architecture under two names, different in any hyper-parameter.

Shapes do not suffice: ``tf_mixnet_s`` and ``mixnet_s`` have the same state dict and differ in padding and epsilon.
What is digested is the tree of modules with their types, their plain attributes (strides, padding, groups, epsilon,
probabilities) and the shapes and types of their tensors; not the values, the model's own name or where it is from.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import nn

_NOT_ARCHITECTURE = frozenset(
    {
        "training",
        "inplace",
        "device",
        "grad_checkpointing",
        "use_checkpoint",
        "pretrained_cfg",
        "default_cfg",
        "url",
        "weights",
        "hf_hub_id",
        "name",
        "model_name",
        "variant",
    }
)


def fingerprint(model: nn.Module, names: tuple[str, ...] = ()) -> str:
    """64 hexadecimal digits. ``names`` are what the model is called, in case it keeps that as an attribute."""
    digest = hashlib.sha256()
    for line in _lines(model, frozenset(names)):
        digest.update(line.encode())
        digest.update(b"\n")
    return digest.hexdigest()


def _lines(model: nn.Module, names: frozenset[str]) -> Iterator[str]:
    first: dict[int, str] = {}
    for path, module in model.named_modules(remove_duplicate=False):
        if id(module) in first:
            yield f"{path} is {first[id(module)]}"
            continue
        first[id(module)] = path
        yield f"{path}: {type(module).__qualname__}"
        for key, value in sorted(vars(module).items()):
            if key.startswith("_") or key in _NOT_ARCHITECTURE:
                continue
            plain = _plain(value, names)
            if plain is not None:
                yield f"  {key}={plain}"
        for key, tensor in (*module.named_parameters(recurse=False), *module.named_buffers(recurse=False)):
            yield f"  {key}: {tuple(tensor.shape)} {tensor.dtype}"


def _plain(value: Any, names: frozenset[str]) -> str | None:
    """A setting as text that is the same in every process; ``None`` for what is none (a tensor, a cache)."""
    if isinstance(value, str):
        return None if value in names else repr(value)
    if value is None or isinstance(value, bool | int | float):
        return repr(value)
    if isinstance(value, tuple | list):
        items = [item for item in (_plain(item, names) for item in value) if item is not None]
        return f"({', '.join(items)})" if len(items) == len(value) else None
    if callable(value) and hasattr(value, "__qualname__"):  # a class or a function: an activation, a norm
        return f"<{value.__qualname__}>"
    return None

"""The zoo's front door: build a model by its name, and ask what there is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zoo import registry
from zoo.registry import ModelInfo

if TYPE_CHECKING:
    from zoo.mixnet import MixNet


def create_model(name: str, pretrained: bool = False, num_classes: int = 1000, in_chans: int = 3) -> MixNet:
    """Build a variant of the zoo, in training mode."""
    entry = registry.entry(name)
    if pretrained:
        raise NotImplementedError("published weights cannot be loaded yet")
    return entry.build(entry.info.architecture, num_classes, in_chans)


def list_models(pattern: str = "*") -> list[str]:
    """Return the names that match a shell pattern such as ``tf_*``, from the smallest variant to the largest."""
    return registry.names(pattern)


def model_info(name: str) -> ModelInfo:
    """Return what is known of a variant without building it; imports no torch.

    Raises:
        UnknownModelError: no variant has this name; the message has the nearest ones.
    """
    return registry.entry(name).info

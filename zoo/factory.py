"""The zoo's front door: build a model by its name, and ask what there is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zoo import registry
from zoo.registry import ModelInfo

if TYPE_CHECKING:
    from zoo.mixnet import MixNet


class NoWeightsError(LookupError):
    """No weights were published for the variant."""


def create_model(name: str, pretrained: bool = False, num_classes: int = 1000, in_chans: int = 3) -> MixNet:
    """Build a variant of the zoo, on the CPU (or on the device of a surrounding ``torch.device``), in training mode.

    Args:
        name: one of :func:`list_models`.
        pretrained: load the published weights. They are downloaded once and checked against the hash in their name
            (see :mod:`zoo.hub`), read without executing anything, and must fit key for key.
        num_classes: logits per image; 0: the pooled features instead. With ``pretrained``, any number but the published
            one leaves the classifier fresh, and a warning of the logger ``zoo`` says so.
        in_chans: channels of the input images. With ``pretrained``, any number but 3 has the stem's weights summed (1)
            or repeated (see :func:`zoo.checkpoint.adapt_stem`), and a warning of the logger ``zoo`` says so.

    Raises:
        UnknownModelError: no variant has this name; the message has the nearest ones.
        ValueError: ``num_classes`` or ``in_chans`` is out of range.
        NoWeightsError: ``pretrained``, but none were published.
        zoo.hub.DownloadError: the weights could not be had; the message names their URL and the cache folder.
        zoo.checkpoint.CheckpointError: the weights do not fit.
    """
    entry = registry.entry(name)
    info = entry.info
    if pretrained and info.weights is None:
        raise NoWeightsError(f"no weights were published for {name}")
    model = entry.build(info.architecture, num_classes, in_chans)
    if info.weights is not None and pretrained:
        from zoo.checkpoint import load_published

        load_published(model, info.weights, info.num_classes)
    return model


def list_models(pattern: str = "*") -> list[str]:
    """Return the names that match a shell pattern such as ``tf_*``, each family from its smallest variant on."""
    return registry.names(pattern)


def model_info(name: str) -> ModelInfo:
    """Return what is known of a variant without building it; imports no torch.

    Raises:
        UnknownModelError: no variant has this name; the message has the nearest ones.
    """
    return registry.entry(name).info

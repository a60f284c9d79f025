"""Load a published weight file into a model: nothing in it is executed, and every key and shape must fit."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from zoo import hub
from zoo.mixnet import MixNet
from zoo.weights import Weights

_log = logging.getLogger("zoo")

CLASSIFIER = "classifier."
STEM = "conv_stem.weight"


class CheckpointError(RuntimeError):
    """A weight file holds no state dict, or not the model's."""


def load_published(model: MixNet, weights: Weights, num_classes: int) -> None:
    """Download ``weights``, whose classifier tells ``num_classes`` classes apart, and load them into ``model``.

    A model of another number of classes keeps its fresh classifier, and one of other input channels gets the stem that
    :func:`adapt_stem` makes; both are logged as warnings of the logger ``zoo``.

    Raises:
        DownloadError: no proved copy of the file could be had.
        CheckpointError: the file does not fit the model.
    """
    own = model.state_dict()
    # A state dict's file is little larger than its tensors: a limit, should the server send without end.
    limit = 2 * sum(tensor.nbytes for tensor in own.values()) + (16 << 20)
    path = hub.download(weights.url, sha256=weights.sha256 or None, size=weights.size, max_bytes=limit)
    state = read_state_dict(path)
    if model.num_classes != num_classes:
        state = {key: tensor for key, tensor in state.items() if not key.startswith(CLASSIFIER)}
        state |= {key: tensor for key, tensor in own.items() if key.startswith(CLASSIFIER)}
        if model.num_classes:
            _log.warning(
                "the classifier of %d classes starts fresh: the published weights tell %d classes apart",
                model.num_classes,
                num_classes,
            )
    in_chans = own[STEM].shape[1]
    if STEM in state and state[STEM].dim() == 4 and state[STEM].shape[1] != in_chans:
        _log.warning(
            "the stem's weights for %d input channels are adapted to %d channels", state[STEM].shape[1], in_chans
        )
        state[STEM] = adapt_stem(state[STEM], in_chans)
    try:
        model.load_state_dict(state)
    except RuntimeError as error:
        raise CheckpointError(f"{path} does not fit the model. {error}") from error


def read_state_dict(path: Path) -> dict[str, Tensor]:
    """Read a file that ``torch.save`` wrote of a state dict, on the CPU, executing nothing in it.

    Raises:
        CheckpointError: it cannot be read, would execute code, or is no plain mapping of names to tensors.
    """
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # A malformed file raises whatever the reader happens to stumble over.
        reason = str(error).partition("\n")[0]
        raise CheckpointError(f"{path} was refused, and nothing in it was executed: {reason}") from error
    if not isinstance(content, Mapping):
        raise CheckpointError(f"{path} holds no state dict but a {type(content).__name__}")
    strangers = [str(key) for key, value in content.items() if not (isinstance(key, str) and isinstance(value, Tensor))]
    if strangers:
        raise CheckpointError(f"{path} holds no plain state dict: not a tensor: {', '.join(strangers[:5])}")
    return dict(content)


def adapt_stem(weight: Tensor, in_chans: int) -> Tensor:
    """Return the first convolution's weights for another number of input channels.

    One channel gets the sum over the three: a grey image then gives what its three-channel copy gave. Other numbers
    repeat red, green, blue in turn, scaled by ``3 / in_chans``, so that the responses keep their size: six channels
    that hold an image twice give what the image gave.

    Args:
        weight: ``(out_channels, 3, height, width)``.
        in_chans: the number of channels wanted.

    Returns:
        ``(out_channels, in_chans, height, width)``
    """
    if in_chans == 1:
        return weight.sum(dim=1, keepdim=True)
    trained = weight.shape[1]
    return weight[:, torch.arange(in_chans) % trained] * (trained / in_chans)

"""What is known of a weight file: frozen records that import no torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tools.measure.records import TensorEntry


@dataclass(frozen=True, slots=True)
class WeightFile:
    """One weight file as it was found. ``problem`` tells why nothing inside could be trusted."""

    path: str
    format: str
    """``zip`` (torch >= 1.6), ``legacy``, ``safetensors``; ``tar``, ``pickle`` or ``unknown`` where it cannot be read;
    compressed: ``gzip:legacy``, ``zip:legacy`` ..."""
    size: int
    """Bytes on disk."""
    sha256: str
    name_hash: str | None
    """The hash in the file's name (``a907afbc`` of ``mixnet_s-a907afbc.pth``), lower case; ``None`` without one."""
    entries: tuple[TensorEntry, ...] = ()
    wrapper: str = ""
    """What the state dict was found under: ``state_dict``, ``model``, ``model_ema`` ...; empty for a bare one."""
    other_wrappers: tuple[str, ...] = ()
    """Where further state dicts were found, which were not chosen (``state_dict_ema`` beside ``state_dict``)."""
    prefix: str = ""
    """A prefix that every key carries (``module.``) and ``entries`` leaves out."""
    nonfinite: Mapping[str, int] | None = None
    """Keys that hold NaN or infinite values -> how many; ``None``: values were not read."""
    problem: str = ""

    @property
    def name_hash_agrees(self) -> bool | None:
        """Whether the SHA-256 starts with the hash in the name; ``None`` where the name has none."""
        return None if self.name_hash is None else self.sha256.startswith(self.name_hash)


@dataclass(frozen=True, slots=True)
class Prediction:
    """The size that a state dict would have in one file format. A prediction, not a proof."""

    format: str
    """``legacy`` or ``zip``."""
    metadata: bool
    """With ``state_dict()._metadata`` (as ``torch.save(model.state_dict())`` writes it) or without."""
    num_batches_tracked: bool
    """With the batch norms' ``num_batches_tracked`` entries, which files older than torch 0.4.1 lack."""
    size: int
    container: str = "state_dict"
    """How the entries are kept: ``dict`` (plain), ``OrderedDict``, ``state_dict`` (``metadata`` of every module)
    or ``state_dict of owners`` (``metadata`` of the modules that hold entries alone: code that calls activations
    and pooling as functions saves that)."""
    slack: int = 0
    """Legacy: bytes for one digit more or less in every storage key, which is an address of the saving process."""


@dataclass(frozen=True, slots=True)
class LinkStatus:
    """What a server answered about a URL (``--online``)."""

    url: str
    status: int | None
    """HTTP status after redirects; ``None``: no answer."""
    content_length: int | None = None
    error: str = ""
    entries: tuple[TensorEntry, ...] | None = None
    """For ``.safetensors``: the header's tensors, read by a range request."""

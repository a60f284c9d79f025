"""How large a state dict becomes in a file, to the byte, without torch and without allocating a tensor.

``torch.save`` writes one of two formats. Both hold a pickle of the state dict in which every storage is a
*persistent id*, and the raw bytes of the storages beside it:

* **zip** (the default since torch 1.6): the records ``data.pkl``, ``.format_version``, ``.storage_alignment``,
  ``byteorder``, ``data/0`` ..., ``version`` and ``.data/serialization_id``, stored without compression, each
  record's bytes aligned to 64. The archive's name, the stem of the file that was saved, stands in every record's name.
* **legacy** (``_use_new_zipfile_serialization=False``, and everything before 1.6): magic number, protocol
  version, system information, the pickle, the sorted list of storage keys, then every storage behind an
  eight-byte count. A storage key is an address in the memory of the process that saved the file, in decimal,
  so its length is not a property of the model: heap addresses of a Linux process have :data:`KEY_DIGITS` digits.

The sizes are proved against files that the installed torch writes. Tensors that share one storage (tied weights)
are predicted as if each had its own. Zip files of older versions lack some of the small records.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tools.measure.records import TensorEntry
from tools.weights.pickled import container_size, puts_size, text, texts, walk
from tools.weights.records import Prediction

KEY_DIGITS = 14
"""Decimal digits of a storage key in the legacy format: a heap address between 0x5500_0000_0000 and 0x56ff..."""

ALIGNMENT = 64
"""``torch.utils.serialization.config.save.storage_alignment``'s default, and the constant of earlier versions."""

_UINT32 = 0xFFFFFFFF
"""From here on zip needs its 64-bit fields."""


def predict_sizes(
    state_dict: Sequence[TensorEntry],
    module_versions: Sequence[tuple[str, int | None]],
    archive_name: str,
) -> tuple[Prediction, ...]:
    """The size of a file that holds this state dict, in every form in which it is usually saved.

    Args:
        state_dict: the entries in the order in which the model gives them.
        module_versions: ``state_dict()._metadata`` as (module path, version).
        archive_name: the name that a zip file's records begin with: the stem of the file that ``torch.save``
            wrote, ``archive`` for a buffer. A file that was renamed since keeps the old one.

    Returns:
        One prediction, in bytes, for each format, each container (see :class:`~tools.weights.records.Prediction`)
        and, where the model has batch norms that count their batches, with and without ``num_batches_tracked``.
        They are predictions: no file was read.
    """
    without = [entry for entry in state_dict if not entry.key.endswith("num_batches_tracked")]
    owners = _owners(state_dict)
    containers: dict[str, Sequence[tuple[str, int | None]] | None] = {
        "dict": None,
        "OrderedDict": None,
        "state_dict": module_versions,
    }
    of_owners = [(path, version) for path, version in module_versions if path in owners]
    if len(of_owners) < len(module_versions):
        containers["state_dict of owners"] = of_owners
    predictions = []
    for tracked, entries in ((True, state_dict), (False, without)):
        if not tracked and len(without) == len(state_dict):
            continue
        count = len(entries)
        walked = walk(entries)
        pickles = [container_size(walked, plain=name == "dict", modules=of) for name, of in containers.items()]
        keys = texts([str(number) for number in range(count)])
        zips = _zip_sizes([pickled + keys for pickled in pickles], entries, archive_name)
        # In every storage's description a longer key, and a sixth field, a None.
        rest = count * (text("") + KEY_DIGITS + 1) + _legacy_rest(entries)
        for (container, modules), pickled, zipped in zip(containers.items(), pickles, zips, strict=True):
            predictions += [
                Prediction("zip", modules is not None, tracked, zipped, container),
                Prediction("legacy", modules is not None, tracked, pickled + rest, container, slack=2 * count),
            ]
    return tuple(predictions)


def closest(predictions: Iterable[Prediction], size: int) -> Prediction | None:
    """The prediction that comes nearest to ``size``; of two equally near ones the first. ``None`` without any."""
    return min(predictions, key=lambda prediction: abs(prediction.size - size), default=None)


def _owners(entries: Iterable[TensorEntry]) -> set[str]:
    """The modules that hold an entry, themselves or in a child; the root is the empty path."""
    owners = {""}
    for entry in entries:
        path = entry.key.rpartition(".")[0]
        while path not in owners:
            owners.add(path)
            path = path.rpartition(".")[0]
    return owners


def _legacy_rest(entries: Sequence[TensorEntry]) -> int:
    """Bytes of a legacy file apart from the pickle of the state dict."""
    count = len(entries)
    # Three pickles, the same in every file: magic number 0x1950a86a20f9469cfc6c, protocol version 1001, and
    # {"protocol_version": 1001, "little_endian": True, "type_sizes": {"short": 2, "int": 4, "long": 4}}.
    header = 15 + 6 + 116
    # PROTO, EMPTY_LIST, the keys, STOP. One key is appended alone, more in batches of 1000 between MARK and APPENDS.
    batches = 1 if count == 1 else 2 * -(-count // 1000)
    keys = 2 + 1 + count * (text("") + KEY_DIGITS) + puts_size(0, count + 1) + batches + 1
    return header + keys + sum(8 + entry.nbytes for entry in entries)


def _zip_sizes(pickles: Sequence[int], entries: Sequence[TensorEntry], archive_name: str) -> list[int]:
    """Bytes of a zip file for each of several sizes of its ``data.pkl``."""
    # torch writes through a stream, which has no name, where the path is not ASCII.
    folder = len(archive_name if archive_name.isascii() else "archive") + 1
    small = [(".format_version", 1), (".storage_alignment", 2), ("byteorder", 6)]
    storages = [(f"data/{number}", entry.nbytes) for number, entry in enumerate(entries)]
    last = [("version", 2), (".data/serialization_id", 40)]
    records = [(folder + len(name), size) for name, size in (("data.pkl", 0), *small, *storages, *last)]
    first = _zip_size(pickles[0], records)
    if first + max(pickles) >= _UINT32:
        return [_zip_size(pickled, records) for pickled in pickles]
    # All contents begin at multiples of 64: behind another pickle the same bytes stand, a multiple of 64 further on.
    second = [_aligned(_aligned(34 + records[0][0]) + size + 16 + 34 + records[1][0]) for size in pickles]
    return [first + begin - second[0] for begin in second]


def _zip_size(pickled: int, records: Sequence[tuple[int, int]]) -> int:
    """Bytes of a zip file: of each record come the bytes of the name and of the content, ``pickled`` of the first."""
    position = directory = 0
    for name, size in ((records[0][0], pickled), *records[1:]):
        start = position + 34 + name  # 34: the record's head, and that of the field that pads
        directory += 46 + name
        descriptor = 16 if size else 0  # an empty record has none
        if size >= _UINT32 or position >= _UINT32:
            # The 64-bit fields: two sizes and the offset, behind a four-byte head.
            extra = 4 + 16 * (size >= _UINT32) + 8 * (position >= _UINT32)
            start += extra
            directory += extra
            descriptor = 24 if size else 0
        position = _aligned(start) + size + descriptor
    return position + directory + 56 + 20 + 22  # the ends of the directory: 64-bit record, its locator, classic record


def _aligned(position: int) -> int:
    return -(-position // ALIGNMENT) * ALIGNMENT

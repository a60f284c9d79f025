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
from tools.weights.pickled import container_size, puts_size, text, walk
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
        in_zip = walk(entries, [len(str(number)) for number in range(count)], view_field=False)
        in_legacy = walk(entries, [KEY_DIGITS] * count, view_field=True)
        after_legacy = _legacy_rest(entries)
        for container, modules in containers.items():
            plain = container == "dict"
            zipped = _zip_size(container_size(in_zip, plain=plain, modules=modules), entries, archive_name)
            legacy = container_size(in_legacy, plain=plain, modules=modules) + after_legacy
            predictions += [
                Prediction("zip", modules is not None, tracked, zipped, container),
                Prediction("legacy", modules is not None, tracked, legacy, container, slack=2 * count),
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


def _zip_size(pickled: int, entries: Sequence[TensorEntry], archive_name: str) -> int:
    """Bytes of a zip file whose ``data.pkl`` takes ``pickled`` bytes."""
    # torch writes through a stream, which has no name, where the path is not ASCII.
    name = len(archive_name if archive_name.isascii() else "archive") + 1
    records = [("data.pkl", pickled), (".format_version", 1), (".storage_alignment", 2), ("byteorder", 6)]
    records += [(f"data/{number}", entry.nbytes) for number, entry in enumerate(entries)]
    records += [("version", 2), (".data/serialization_id", 40)]
    position = directory = 0
    for record, size in records:
        long_size, long_offset = size >= _UINT32, position >= _UINT32
        # The 64-bit fields: two sizes and the offset, behind a four-byte head.
        extra = (4 if long_size or long_offset else 0) + 16 * long_size + 8 * long_offset
        directory += 46 + name + len(record) + extra
        start = position + 30 + name + len(record) + extra + 4  # 4: the head of the field that pads
        position = -(-start // ALIGNMENT) * ALIGNMENT + size
        if size:  # an empty record has no data descriptor
            position += 24 if extra else 16
    return position + directory + 56 + 20 + 22  # the ends of the directory: 64-bit record, its locator, classic record

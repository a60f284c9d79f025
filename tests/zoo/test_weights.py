"""Hashes in file names, and records that must be provable."""

from __future__ import annotations

import pytest

from zoo.weights import Weights, hash_in_name


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("mixnet_s-a907afbc.pth", "a907afbc"),
        ("mixnet_xl_ra-aac3c00c.pth", "aac3c00c"),
        ("r50-8xb32_20210831-EA4938FA.pth.tar", "ea4938fa"),
        (f"full-{'0a' * 32}.safetensors", "0a" * 32),
        ("digits-12345678.pth", "12345678"),
        ("resnet-20210831.pth", None),  # a date
        ("resnet-20211331.pth", "20211331"),  # no month 13
        ("short-a907afb.pth", None),
        ("a907afbc.pth", None),
        ("mixnet_a907afbc.pth", None),
        ("model-a907afbc-ema.pth", None),
        ("model-a907afbg.pth", None),
        ("model-a907afbc", None),
        (f"long-{'0' * 65}.pth", None),
        ("", None),
    ],
)
def test_the_hash_in_a_name(name: str, found: str | None) -> None:
    assert hash_in_name(name) == found


def test_what_is_known_of_a_file() -> None:
    weights = Weights("https://example.org/a%20b/mixnet%20s-a907afbc.pth?download=1#x")
    assert weights.file_name == "mixnet s-a907afbc.pth"
    assert weights.hash_prefix == "a907afbc"
    assert Weights("https://example.org/model.bin", sha256="0" * 64, size=1).hash_prefix == "0" * 64


@pytest.mark.parametrize(
    ("url", "sha256", "size", "complaint"),
    [
        ("https://example.org/model.pth", "", None, "nothing proves a copy of https://example.org/model.pth"),
        ("https://example.org/model.pth", "abc", None, "8 to 64 lower-case hexadecimal digits, not 'abc'"),
        ("https://example.org/model.pth", "A907AFBC", None, "8 to 64 lower-case"),
        ("https://example.org/m-a907afbc.pth", "", 0, "size must be positive, not 0"),
    ],
)
def test_what_proves_nothing_is_refused(url: str, sha256: str, size: int | None, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        Weights(url, sha256, size)

from __future__ import annotations

import pytest

from tools.weights.names import archive_name, name_hash, url_file_name
from zoo.weights import hash_in_name


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("mixnet_s-a907afbc.pth", "a907afbc"),
        ("mixnet_xl_ra-aac3c00c.pth.tar", "aac3c00c"),
        ("model-A907AFBC.pth", "a907afbc"),
        ("model-" + "0f" * 32 + ".safetensors", "0f" * 32),
        ("model-0f0f0f0.pth", None),
        ("model-decade.pth", None),
        ("model.pth", None),
        ("resnet18_8xb32_in1k_20210831-fbbb1da6.pth", "fbbb1da6"),
        ("model-20210831.pth", None),
        ("model-20219931.pth", "20219931"),
    ],
)
def test_the_hash_in_a_name_follows_torch_hub(name: str, found: str | None) -> None:
    assert name_hash(name) == found
    if not name.endswith(".pth.tar"):
        assert (hash_in_name(name) or None) == found


def test_file_names_of_urls() -> None:
    assert url_file_name("https://example.org/a/b%20c.pth?download=1#x") == "b c.pth"
    assert url_file_name("https://example.org/a/") == "a"
    assert url_file_name("https://example.org") == ""
    assert url_file_name("https://example.org/..%2f..%2fetc%2fpasswd") == "passwd"
    assert url_file_name("https://example.org/a/..") == ""
    assert url_file_name("https://example.org/a%00b") == ""


def test_the_archive_is_named_as_torch_names_it() -> None:
    assert [archive_name(name) for name in ("a.pth", "a.pth.tar", "a")] == ["a", "a.pth", "a"]

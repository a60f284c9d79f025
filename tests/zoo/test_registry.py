"""Names: found, not found, and taken."""

from __future__ import annotations

import pytest

import zoo
from zoo import registry
from zoo.variants import build


def test_every_variant_is_listed() -> None:
    assert zoo.list_models() == [
        "mixnet_s", "mixnet_m", "mixnet_l", "mixnet_xl", "mixnet_xxl", "tf_mixnet_s", "tf_mixnet_m", "tf_mixnet_l",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("tf_*", ["tf_mixnet_s", "tf_mixnet_m", "tf_mixnet_l"]),
        ("mixnet_x*", ["mixnet_xl", "mixnet_xxl"]),
        ("*_[sm]", ["mixnet_s", "mixnet_m", "tf_mixnet_s", "tf_mixnet_m"]),
        ("mixnet_s", ["mixnet_s"]),
        ("resnet*", []),
    ],
)
def test_names_are_found_by_pattern(pattern: str, names: list[str]) -> None:
    assert zoo.list_models(pattern) == names


@pytest.mark.parametrize("function", [zoo.model_info, zoo.create_model])
def test_an_unknown_name_raises_with_the_nearest(function: object) -> None:
    assert callable(function)
    with pytest.raises(zoo.UnknownModelError, match=r"no model is named 'mixnet-s'; did you mean mixnet_s or"):
        function("mixnet-s")
    with pytest.raises(zoo.UnknownModelError, match="there are mixnet_s, mixnet_m"):
        function("resnet50")


def test_a_duplicate_name_raises() -> None:
    with pytest.raises(zoo.DuplicateModelError, match="'mixnet_s' is already registered"):
        registry.register(zoo.model_info("mixnet_s"), build)


def test_weights_can_be_replaced_and_put_back() -> None:
    own = zoo.Weights("https://example.org/own-0123abcd.pth")
    former = registry.use_weights("mixnet_s", own)
    try:
        assert zoo.model_info("mixnet_s").weights == own
        assert zoo.list_models()[0] == "mixnet_s"
    finally:
        assert registry.use_weights("mixnet_s", former) == own
    assert zoo.model_info("mixnet_s").weights == former
    with pytest.raises(zoo.UnknownModelError):
        registry.use_weights("mixnet", own)

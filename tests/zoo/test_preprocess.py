"""Preprocessing, on images small or plain enough to know every pixel."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import zoo
from zoo.preprocess import Transform, transform


def plain(height: int, width: int, crop_pct: float = 1.0, interpolation: str = "nearest") -> Transform:
    """A transform that leaves values alone but for the division by 255."""
    return Transform(height, width, crop_pct, interpolation, mean=(0.0, 0.0, 0.0), std=(1.0, 1.0, 1.0))


def test_the_variants_settings_are_used() -> None:
    info = zoo.model_info("tf_mixnet_s")
    assert transform(info) == Transform(224, 224, 0.875, "bicubic", info.mean, info.std)


@pytest.mark.parametrize(
    ("size", "resized"),
    [
        ((640, 480), (341, 256)),  # 640 x 256 / 480 = 341.3
        ((480, 640), (256, 341)),
        ((256, 256), (256, 256)),
        ((500, 333), (384, 256)),  # 500 x 256 / 333 = 384.4
        ((1, 1), (256, 256)),
        ((2, 3), (256, 384)),
    ],
)
def test_the_shorter_side_becomes_size_by_crop_pct(size: tuple[int, int], resized: tuple[int, int]) -> None:
    """224 / 0.875 = 256."""
    assert transform(zoo.model_info("mixnet_s")).resized(*size) == resized


def test_a_crop_that_is_not_square_is_covered() -> None:
    # 4x8 pixels out of an image of 20x20: width decides, 8x8 pixels hold the crop.
    assert plain(4, 8).resized(20, 20) == (8, 8)
    # out of 40x10 (wide): height decides, 16x4.
    assert plain(4, 8).resized(40, 10) == (16, 4)
    assert plain(4, 8)(Image.new("RGB", (40, 10))).shape == (3, 4, 8)


def test_a_plain_image_is_normalised() -> None:
    """(value / 255 - mean) / std, red first."""
    tensor = transform(zoo.model_info("mixnet_s"))(Image.new("RGB", (300, 200), (255, 51, 0)))
    assert tensor.shape == (3, 224, 224)
    assert tensor.dtype == torch.float32
    assert tensor.is_contiguous()
    expected = [(1 - 0.485) / 0.229, (0.2 - 0.456) / 0.224, (0 - 0.406) / 0.225]
    for channel, value in enumerate(expected):
        assert tensor[channel].min().item() == pytest.approx(value, abs=1e-6)
        assert tensor[channel].max().item() == pytest.approx(value, abs=1e-6)


def test_the_centre_is_cropped() -> None:
    """Eight columns of 0, 10 … 70, four rows: the middle four columns are 20 … 50."""
    row = np.arange(0, 80, 10, dtype=np.uint8)
    image = Image.fromarray(np.tile(row, (4, 1)))
    tensor = plain(4, 4)(image)
    assert (tensor[0, 0] * 255).round().tolist() == [20, 30, 40, 50]


def test_crop_pct_cuts_the_border_away() -> None:
    """Half of 4x4 pixels that each were one pixel of the image: rows and columns 1 and 2."""
    image = Image.fromarray(np.arange(16, dtype=np.uint8).reshape(4, 4))
    tensor = plain(2, 2, crop_pct=0.5)(image)
    assert (tensor[0] * 255).round().tolist() == [[5, 6], [9, 10]]


def test_bilinear_shrinking_averages() -> None:
    """From 2 pixels to 1, Pillow's bilinear filter spans both with equal weights: (0 + 100) / 2."""
    image = Image.fromarray(np.array([[0, 100], [0, 100]], dtype=np.uint8))
    assert (plain(1, 1, interpolation="bilinear")(image) * 255).round().flatten().tolist() == [50.0] * 3


@pytest.mark.parametrize(
    ("image", "pixel"),
    [
        (Image.new("L", (4, 4), 128), [128, 128, 128]),
        (Image.new("1", (4, 4), 1), [255, 255, 255]),
        (Image.new("RGBA", (4, 4), (10, 20, 30, 0)), [10, 20, 30]),
        (Image.new("LA", (4, 4), (40, 0)), [40, 40, 40]),
        (Image.new("CMYK", (4, 4), (255, 0, 0, 0)), [0, 255, 255]),
        (Image.fromarray(np.full((4, 4), 0x80FF, dtype=np.uint16)), [128, 128, 128]),
    ],
    ids=lambda value: value.mode if isinstance(value, Image.Image) else "",
)
def test_every_mode_becomes_rgb(image: Image.Image, pixel: list[int]) -> None:
    tensor = plain(2, 2)(image)
    assert (tensor[:, 0, 0] * 255).round().tolist() == pixel


def test_a_transparent_palette_is_converted_without_a_warning() -> None:
    image = Image.new("P", (4, 4), 0)
    image.putpalette([9, 8, 7] * 256)
    image.info["transparency"] = bytes(256)
    assert (plain(2, 2)(image)[:, 0, 0] * 255).round().tolist() == [9, 8, 7]


@pytest.mark.parametrize("mode", ["I", "F"])
def test_modes_without_a_white_are_refused(mode: str) -> None:
    with pytest.raises(ValueError, match=f"mode {mode} has no defined white"):
        plain(2, 2)(Image.new(mode, (4, 4)))


def test_an_exif_orientation_is_left_to_the_caller(tmp_path: Path) -> None:
    """Orientation 3 means upside down; the stored pixels are what counts."""
    pixels = Image.fromarray(np.array([[0, 0], [255, 255]], dtype=np.uint8))
    exif = Image.Exif()
    exif[0x0112] = 3
    pixels.save(tmp_path / "photo.png", exif=exif)
    with Image.open(tmp_path / "photo.png") as image:
        assert image.getexif()[0x0112] == 3
        assert plain(2, 2)(image)[0].tolist() == [[0, 0], [1, 1]]


@pytest.mark.parametrize(
    ("height", "crop_pct", "interpolation", "complaint"),
    [
        (0, 1.0, "bicubic", "height and width must be positive"),
        (2, 0.0, "bicubic", "crop_pct must be more than 0"),
        (2, 1.5, "bicubic", "at most 1, not 1.5"),
        (2, 1.0, "cubic", "one of nearest, bilinear, bicubic, lanczos, not 'cubic'"),
    ],
)
def test_bad_settings_are_refused(height: int, crop_pct: float, interpolation: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        plain(height, 2, crop_pct, interpolation)

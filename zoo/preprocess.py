"""From an image to the tensor that a model was evaluated on: resize, centre crop, normalise.

The steps and their rounding are the field's (``torchvision.transforms`` with Pillow's filters), so that a published
accuracy can be reproduced. Pillow, numpy and torch are imported when an image is transformed, not before.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from zoo.registry import ModelInfo

if TYPE_CHECKING:
    from PIL import Image
    from torch import Tensor

INTERPOLATIONS = ("nearest", "bilinear", "bicubic", "lanczos")


@dataclass(frozen=True, slots=True)
class Transform:
    """Turns a Pillow image into a normalised float32 tensor ``(3, height, width)``. Made by :func:`transform`.

    Raises:
        ValueError: a size is not positive, ``crop_pct`` is not in (0, 1], or the interpolation is unknown.
    """

    height: int
    """Height of the result in pixels."""
    width: int
    """Width of the result in pixels."""
    crop_pct: float
    """The crop's share of the resized image."""
    interpolation: str
    """``nearest``, ``bilinear``, ``bicubic`` or ``lanczos``, as Pillow computes them."""
    mean: tuple[float, float, float]
    std: tuple[float, float, float]

    def __post_init__(self) -> None:
        if self.height < 1 or self.width < 1:
            raise ValueError(f"height and width must be positive, not {self.height} and {self.width}")
        if not 0 < self.crop_pct <= 1:
            raise ValueError(f"crop_pct must be more than 0 and at most 1, not {self.crop_pct}")
        if self.interpolation not in INTERPOLATIONS:
            raise ValueError(f"interpolation must be one of {', '.join(INTERPOLATIONS)}, not {self.interpolation!r}")

    def resized(self, width: int, height: int) -> tuple[int, int]:
        """Return the size that an image of ``width`` x ``height`` pixels is resized to, as ``(width, height)``.

        The aspect ratio is kept, and the crop is ``crop_pct`` of the side that it fits more tightly. Fractions of a
        pixel are cut off.
        """
        full_height, full_width = math.floor(self.height / self.crop_pct), math.floor(self.width / self.crop_pct)
        if full_height * width >= full_width * height:
            return full_height * width // height, full_height
        return full_width, full_width * height // width

    def __call__(self, image: Image.Image) -> Tensor:
        """Transform one image.

        Greyscale, palette and CMYK images are converted to RGB; of 16-bit greyscale, the upper eight bits are kept.
        Transparency is dropped: the colours beneath it show. An EXIF orientation is *not* applied, as it was not when
        the published accuracies were measured: pass ``PIL.ImageOps.exif_transpose(image)`` for photos of a phone.

        Raises:
            ValueError: the image has a mode without a defined white (32-bit integers or floats).
        """
        import numpy as np
        import torch
        from PIL.Image import Resampling

        image = _rgb(image)
        width, height = self.resized(*image.size)
        image = image.resize((width, height), Resampling[self.interpolation.upper()])
        left, top = round((width - self.width) / 2), round((height - self.height) / 2)
        image = image.crop((left, top, left + self.width, top + self.height))
        pixels = torch.from_numpy(np.array(image)).permute(2, 0, 1).contiguous().float().div_(255)
        mean, std = (torch.tensor(values).view(3, 1, 1) for values in (self.mean, self.std))
        return pixels.sub_(mean).div_(std)


def transform(info: ModelInfo) -> Transform:
    """Return the preprocessing that a variant's published accuracy was measured with.

    >>> import zoo
    >>> from zoo.preprocess import transform
    >>> transform(zoo.model_info("mixnet_s")).resized(640, 480)
    (341, 256)
    """
    _, height, width = info.input_size
    return Transform(height, width, info.crop_pct, info.interpolation, info.mean, info.std)


def _rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I;16"):
        import numpy as np
        from PIL import Image as PillowImage

        image = PillowImage.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    if image.mode in ("I", "F"):
        raise ValueError(f"an image of mode {image.mode} has no defined white; convert it to 8 bits first")
    if image.mode == "P" and "transparency" in image.info:
        image = image.convert("RGBA")  # Pillow warns about the direct way.
    return image.convert("RGB")

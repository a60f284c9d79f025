"""Weight files for tests: real state dicts with known values, under a name that states their true hash.

``pretrained=True`` loads nothing whose hash is not the one in the *published* name, whatever mirror it comes from. So a
test does not bend the check: it makes a file, names it by its hash, and tells the registry about it.

In the test's own process::

    path = save_hashed(seeded_state_dict("tf_mixnet_s"), tmp_path, "tf_mixnet_s")
    with pretrained_from("tf_mixnet_s", server.serve(f"/{path.name}", path.read_bytes())):
        zoo.create_model("tf_mixnet_s", pretrained=True)

For a script that runs in a process of its own, such as a page's snippet, unchanged::

    subprocess.run([*script_command("snippet.py", {"tf_mixnet_s": url}), "argument of the script"], env=environment)

Set ``TORCH_HOME`` to a temporary folder in both cases.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import runpy
import sys
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import zoo
from zoo import registry

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor


def seeded_array(key: str, shape: tuple[int, ...]) -> NDArray[np.float32] | NDArray[np.int64]:
    """Return the deterministic values of a state-dict entry that ``tests/data/reference`` was computed with.

    Standard normal numbers seeded by the key's CRC-32, then scaled so that activations keep their size.
    """
    import numpy as np

    if key.endswith("num_batches_tracked"):
        return np.zeros(shape, np.int64)
    x = np.random.RandomState(zlib.crc32(key.encode())).standard_normal(shape)
    if key.endswith("running_var"):
        x = 1 + 0.1 * np.abs(x)
    elif key.endswith(("running_mean", "bias")):
        x = 0.1 * x
    elif len(shape) == 1:
        x = 1 + 0.1 * x
    else:
        x = x * np.sqrt(2 / np.prod(shape[1:]))
    return x.astype(np.float32)


def seeded_image(height: int, width: int) -> Tensor:
    """Return the deterministic image ``(1, 3, height, width)`` that ``tests/data/reference`` was computed with."""
    import numpy as np
    import torch

    pixels = np.random.RandomState(height * 10000 + width).standard_normal((1, 3, height, width))
    return torch.from_numpy(pixels.astype(np.float32))


def seeded_state_dict(name: str) -> dict[str, Tensor]:
    """Return a state dict of the variant with the values of :func:`seeded_array`."""
    import torch

    with torch.device("meta"):
        shapes = zoo.create_model(name).state_dict()
    return {key: torch.from_numpy(seeded_array(key, tuple(entry.shape))) for key, entry in shapes.items()}


def save_hashed(content: object, folder: Path, stem: str, extension: str = ".pth") -> Path:
    """Write what ``torch.save`` makes of ``content`` to ``STEM-HASH.EXTENSION`` with its true hash."""
    import torch

    buffer = io.BytesIO()
    torch.save(content, buffer)
    return write_hashed(buffer.getvalue(), folder, stem, extension)


def write_hashed(content: bytes, folder: Path, stem: str, extension: str = ".pth") -> Path:
    """Write bytes to ``STEM-HASH.EXTENSION`` with the first eight digits of their SHA-256."""
    path = folder / f"{stem}-{hashlib.sha256(content).hexdigest()[:8]}{extension}"
    path.write_bytes(content)
    return path


@contextmanager
def pretrained_from(name: str, url: str, **known: Any) -> Iterator[None]:
    """Let ``create_model(name, pretrained=True)`` load the file at ``url`` inside the ``with`` block."""
    former = registry.use_weights(name, zoo.Weights(url, **known))
    try:
        yield
    finally:
        registry.use_weights(name, former)


def script_command(script: Path | str, urls: Mapping[str, str]) -> list[str]:
    """Return the command that runs ``script`` with the variants' weights at ``urls``; append its arguments.

    It must be run with the repository's root as the working directory or on ``PYTHONPATH``.
    """
    assignments = [f"--weights={name}={url}" for name, url in urls.items()]
    return [sys.executable, "-m", "tests.support.weights", *assignments, str(script)]


def main() -> None:
    """Register the given weights, then run the script as ``__main__`` with its own arguments."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--weights", action="append", default=[], metavar="NAME=URL")
    parser.add_argument("script")
    parser.add_argument("arguments", nargs=argparse.REMAINDER)
    options = parser.parse_args()
    for assignment in options.weights:
        name, _, url = assignment.partition("=")
        registry.use_weights(name, zoo.Weights(url))
    sys.argv = [options.script, *options.arguments]
    runpy.run_path(options.script, run_name="__main__")


if __name__ == "__main__":
    main()

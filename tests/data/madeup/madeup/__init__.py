"""A made-up zoo: toy models that build in milliseconds. Its cards make every mistake there is."""

from __future__ import annotations

RELEASE = "https://example.org/madeup/v1.0/"
WEIGHTS = {
    "toy_s": "toy_s-212dea1f.pth",
    "toy_m": "toy_m-4647fc68.pth",
    "toy_l": "toy_l-5a9a2ed8.pth",
    "toy_hidden": "toy_hidden-aac3c00c.pth",
    "toy_moved": "toy_moved-6c92e0c8.pth",
}
NAMES = (
    *("toy_s", "toy_m", "toy_l", "toy_xl", "toy_half", "toy_attention", "toy_lstm", "toy_broken", "toy_hidden", "toy_moved"),
    *("toy_01", "toy_02", "toy_03", "toy_04", "toy_05", "toy_06"),
    *(f"toy_seed{number}" for number in range(1, 22)),
)


def list_models():
    return list(NAMES)


def config_of(name):
    return {
        "weights": RELEASE + WEIGHTS[name] if name in WEIGHTS else None,
        "input_size": (3, 32, 32),
        "crop_pct": 0.875,
        "interpolation": "bicubic",
        "mean": (0.5, 0.5, 0.5),
        "std": (0.25, 0.25, 0.25),
    }


def toy_s():
    return _net(8)


def toy_m():
    return _net(16)


def toy_l():
    return _net(24)


def toy_xl():
    return toy_l()  # the mistake: it should be wider


def toy_half():
    from torch import nn

    return nn.Conv2d(3, 50, 3, bias=False)


def toy_attention():
    from madeup.layers import Attention

    return Attention()


def toy_lstm():
    from madeup.layers import Recurrent

    return Recurrent()


def toy_broken():
    return _net(stages=4)


def toy_moved():
    return _net(33)


def toy_hidden():
    return _net(32)


def _net(width):
    from torch import nn

    return nn.Sequential(
        nn.Conv2d(3, width, 3, stride=2, padding=1, bias=False),
        nn.BatchNorm2d(width),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(width, 10),
    )


def create_model(name):
    if name.startswith("toy_0") and name in NAMES:
        return _net(39 + int(name[-2:]))
    if name.startswith("toy_seed") and name in NAMES:
        return toy_s()  # the same architecture, trained again: no mistake
    if name not in NAMES:
        raise KeyError(f"unknown model {name!r}")
    return globals()[name]()

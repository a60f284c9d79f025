from __future__ import annotations

import pytest

from tools.site.numbers import NARROW_SPACE, grouped, input_size, percent, short, short_bytes, tick


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (4134606, "4.13 M"),
        (11896768, "11.9 M"),
        (251736960, "252 M"),
        (2039605248, "2.04 G"),
        (999, "999"),
        (1000, "1.00 k"),
        ("4.13M", "4.13 M"),
        (0, "0"),
        ("banana", "banana"),
    ],
)
def test_short(value: object, shown: str) -> None:
    assert short(value) == shown.replace(" ", NARROW_SPACE)


def test_exact_numbers_are_grouped() -> None:
    assert grouped("688674516") == "688,674,516"
    assert grouped(0.875) == "0.875"
    assert grouped("twelve") == "twelve"


def test_file_sizes_are_decimal() -> None:
    assert short_bytes(16738218) == f"16.7{NARROW_SPACE}MB"
    assert short_bytes("16 MiB") == f"16.8{NARROW_SPACE}MB"
    assert short_bytes("12") == f"12{NARROW_SPACE}B"
    assert short_bytes("large") == "large"


def test_shares_sizes_and_ticks() -> None:
    assert percent(1, 8) == f"12.5{NARROW_SPACE}%"
    assert percent(1, 2001) == f"<{NARROW_SPACE}0.1{NARROW_SPACE}%"
    assert percent(1, 2000) == f"0.1{NARROW_SPACE}%"
    assert percent(0, 7) == f"0.0{NARROW_SPACE}%"
    assert percent(0, 0) == f"0.0{NARROW_SPACE}%"
    assert input_size((3, 224, 285)) == "3\N{MULTIPLICATION SIGN}224\N{MULTIPLICATION SIGN}285"
    assert [tick(value) for value in (400e6, 2.5e6, 79.5)] == [f"400{NARROW_SPACE}M", f"2.5{NARROW_SPACE}M", "79.5"]

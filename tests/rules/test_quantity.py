"""Numbers as people write them: value, precision, and writing a measurement in the same way."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.rules.quantity import Agreement, Kind, format_like, parse


@pytest.mark.parametrize(
    ("text", "kind", "value", "quantum"),
    [
        ("4130000", "count", 4_130_000, 10_000),  # trailing zeros are place holders
        ("4134606", "count", 4_134_606, 1),
        ("4,130,000", "count", 4_130_000, 10_000),
        ("4_130_000", "count", 4_130_000, 10_000),
        ("4 130 000", "count", 4_130_000, 10_000),
        ("4.13M", "count", 4_130_000, 10_000),
        ("4.130 M", "count", 4_130_000, 1_000),  # behind a point zeros are stated
        ("4.1 million parameters", "count", 4_100_000, 100_000),
        ("1.2B", "count", 1_200_000_000, 100_000_000),
        ("4.1 GFLOPs", "count", 4_100_000_000, 100_000_000),
        ("252 MMACs", "count", 252_000_000, 1_000_000),
        ("2.5e8", "count", 250_000_000, 10_000_000),
        ("16.7 MB", "bytes", 16_700_000, 100_000),
        ("16 MiB", "bytes", 16 * 2**20, 2**20),
        ("16738218 bytes", "bytes", 16_738_218, 1),
        ("78.78%", "plain", Decimal("78.78"), Decimal("0.01")),
    ],
)
def test_reads_value_and_precision(text: str, kind: Kind, value: int | Decimal, quantum: int | Decimal) -> None:
    quantity = parse(text, kind)
    assert quantity is not None
    assert (quantity.value, quantity.quantum) == (value, quantum)


@pytest.mark.parametrize(
    "text", ["banana", "", "M", "4,13M", "12:30", "1.2.3", "4.1 MB", "78%", "0x10", "nan", "inf", "1" * 100, "4 1 3"]
)
def test_what_is_no_count(text: str) -> None:
    assert parse(text) is None


@pytest.mark.parametrize(
    ("claim", "measured", "agreement"),
    [
        ("4130000", 4_134_606, Agreement.ROUNDED),
        ("4140000", 4_134_606, Agreement.DIFFERENT),  # up, but not the nearest
        ("4134606", 4_134_606, Agreement.EXACT),
        ("4134605", 4_134_606, Agreement.DIFFERENT),
        ("7.32M", 7_329_252, Agreement.CUT),
        ("7.33M", 7_329_252, Agreement.ROUNDED),
        ("4.14M", 4_135_000, Agreement.HALFWAY),  # half up
        ("4.12M", 4_125_000, Agreement.HALFWAY),  # half to even
        ("4.13M", 4_135_000, Agreement.HALFWAY_DOWN),
        ("-1", 1, Agreement.DIFFERENT),
    ],
)
def test_compares_at_the_stated_precision(claim: str, measured: int, agreement: Agreement) -> None:
    quantity = parse(claim)
    assert quantity is not None
    assert quantity.compare(measured) is agreement
    assert quantity.agrees(measured) is (agreement not in {Agreement.DIFFERENT, Agreement.CUT})


@pytest.mark.parametrize(
    ("claim", "measured", "written"),
    [
        ("4140000", 4_134_606, "4130000"),
        ("4,140,000", 4_134_606, "4,130,000"),
        ("4.14 M", 4_134_606, "4.13 M"),
        ("688674516", 576_971_728, "576971728"),
        ("4.1 GFLOPs", 251_736_960, "0.25 GFLOPs"),  # as many digits, not as many decimals
        ("4M", 11_896_768, "11.9M"),  # one digit is answered with three
        ("5.0e8", 251_736_960, "2.5e8"),
        ("130", 4_134_606, "4134610"),
    ],
)
def test_writes_like_the_claim(claim: str, measured: int, written: str) -> None:
    quantity = parse(claim)
    assert quantity is not None
    assert format_like(measured, quantity) == written


@given(
    claim=st.sampled_from(["4130000", "4.13M", "4,130,000", "688674516", "4M", "2.5e8", "4.1 GFLOPs", "0.25 G", "7"]),
    measured=st.integers(1, 10**13),
)
def test_what_is_written_reads_back_and_agrees(claim: str, measured: int) -> None:
    model = parse(claim)
    assert model is not None
    again = parse(format_like(measured, model))
    assert again is not None
    assert again.agrees(measured)
    assert again.compare(measured) is not Agreement.HALFWAY_DOWN


@given(st.text(max_size=90))
def test_no_text_breaks_it(text: str) -> None:
    for kind in ("count", "bytes", "plain"):
        parse(text, kind)

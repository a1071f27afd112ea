from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from target_infor_cloudsuite.m3.values import Field, fits, from_mi_amount, from_mi_date, mi_amount, mi_date


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        ("121.00", "121.00"),
        ("-0.10", "-0.10"),
        ("1E+3", "1000"),
        ("1E-7", "0.0000001"),
        ("-0.00", "0.00"),
        ("12345678901234567890.12", "12345678901234567890.12"),
    ],
)
def test_amounts_as_texts(amount: str, text: str) -> None:
    assert mi_amount(Decimal(amount)) == text
    assert from_mi_amount(text) == Decimal(amount)


@pytest.mark.parametrize("amount", ["NaN", "Infinity", "-Infinity"])
def test_no_amounts(amount: str) -> None:
    with pytest.raises(ValueError, match="is no amount"):
        mi_amount(Decimal(amount))


@pytest.mark.parametrize(
    ("text", "amount"), [("", "0"), ("  ", "0"), ("5.5-", "-5.5"), (" 7 ", "7"), ("+1", "1"), (".5", "0.5")]
)
def test_amounts_as_m3_writes_them(text: str, amount: str) -> None:
    assert from_mi_amount(text) == Decimal(amount)


@pytest.mark.parametrize("text", ["1,5", "1e3", "--1", "abc", "NaN", "1 000", "٣"])
def test_what_is_no_amount_of_m3(text: str) -> None:
    with pytest.raises(ValueError, match="is no amount of M3's"):
        from_mi_amount(text)


def test_dates() -> None:
    assert mi_date(date(2026, 1, 5)) == "20260105"
    assert mi_date(date(999, 1, 5)) == "09990105"
    assert from_mi_date("20260105 ") == date(2026, 1, 5)
    assert [from_mi_date(text) for text in ("", "0", "00000000", " ")] == [None] * 4


@pytest.mark.parametrize("text", ["20261301", "2026-01-05", "260105", "99999999", "x"])
def test_what_is_no_date(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        from_mi_date(text)


@pytest.mark.parametrize(
    ("kind", "length", "text", "good"),
    [
        ("A", 5, "abcde", True),
        ("A", 5, "abcdef", False),
        ("A", None, "x" * 500, True),
        ("A", 5, "", True),
        ("N", 6, "-12.34", True),
        ("N", 6, "-123.45", False),
        ("N", 6, "12,3", False),
        ("N", 6, "", True),
        ("D", 10, "20260105", True),
        ("D", 8, "20261305", False),
        ("D", 10, "2026-01-05", False),
        ("D", 10, "", True),
        ("", 3, "abcd", False),
    ],
)
def test_what_fits_in_a_field(kind: str, length: int | None, text: str, good: bool) -> None:  # noqa: FBT001
    assert fits(Field("X", kind, length, mandatory=False), text) is good

from __future__ import annotations

import contextlib
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tap_stampli_sftp.reading.amounts import AmountError, fit_decimals, parse_amount


@pytest.mark.parametrize(
    ("text", "mark", "expected"),
    [
        ("121.00", None, "121.00"),
        ("500", None, "500"),
        ("-3.5", None, "-3.5"),
        ("0.125", None, "0.125"),
        ("2853.8199999999997", None, "2853.8199999999997"),
        ("1,234.56", None, "1234.56"),
        ("1,234,567.8", None, "1234567.8"),
        ("1.234,56", ",", "1234.56"),
        ("1.234", ",", "1234"),
        ("1.234", ".", "1.234"),
        ("1,234", ".", "1234"),
        ("1,234", ",", "1.234"),
        ("1 234,56", ",", "1234.56"),
        ("1\u00a0234,56", ",", "1234.56"),
        ("1'234.56", ".", "1234.56"),
        ("12,34,567.00", ".", "1234567.00"),
        ("(45.00)", None, "-45.00"),
        ("($45.00)", None, "-45.00"),
        ("45.00-", None, "-45.00"),
        ("\u221245.00", None, "-45.00"),
        ("$1,234.50", None, "1234.50"),
        ("-$7.25", None, "-7.25"),
        ("12.00 \u20ac", None, "12.00"),
        ("EUR 12.00", None, "12.00"),
        ("EUR-12.00", None, "-12.00"),
        ("12.00 EUR", None, "12.00"),
        ("+5.00", None, "5.00"),
        ("-0.00", None, "0.00"),
        (".50", None, "0.50"),
    ],
)
def test_amounts_with_one_reading_keep_their_digits(text: str, mark: str | None, expected: str) -> None:
    currency = "USD" if "$" in text else "EUR"
    assert str(parse_amount(text, decimal_mark=mark, currency=currency)) == expected


@pytest.mark.parametrize("text", ["1,234", "1.234", "1,50", "1.234,56", "12,34,567.00", "1.234.567"])
def test_without_a_decimal_mark_what_has_two_readings_is_refused(text: str) -> None:
    with pytest.raises(AmountError) as caught:
        parse_amount(text, decimal_mark=None)
    assert caught.value.reason == "ambiguous_amount"
    assert "decimal_mark" in str(caught.value)


@pytest.mark.parametrize(
    "text",
    ["", "abc", "1E5", "NaN", "Infinity", "--5", "(-5)", "-5-", "1..2", "1.2.3", "12.", "1,2345.00", "1 2 3",
     "1,234'567.00", "\u0661\u0662", "12.00 CR", "1_000", "$", "()"],
)  # fmt: skip
def test_what_is_no_amount_is_refused(text: str) -> None:
    with pytest.raises(AmountError) as caught:
        parse_amount(text, decimal_mark=".")
    assert caught.value.reason == "bad_amount"


def test_a_code_that_contradicts_the_currency_is_refused() -> None:
    with pytest.raises(AmountError) as caught:
        parse_amount("USD 12.00", decimal_mark=".", currency="EUR")
    assert caught.value.reason == "currency_differs"


@pytest.mark.parametrize(
    ("text", "currency", "noise", "expected"),
    [
        ("2853.8199999999997", "GBP", True, ("2853.82", True)),
        ("12.500", "EUR", False, ("12.50", False)),
        ("100", "JPY", False, ("100", False)),
        ("1.234", "KWD", False, ("1.234", False)),
        ("1.23456", None, False, ("1.23456", False)),
    ],
)
def test_decimals_that_fit(text: str, currency: str | None, noise: bool, expected: tuple[str, bool]) -> None:  # noqa: FBT001
    value, rounded = fit_decimals(Decimal(text), currency=currency, round_noise=noise)
    assert (str(value), rounded) == expected


@pytest.mark.parametrize(
    ("text", "currency", "noise", "reason"),
    [
        ("2853.8199999999997", "GBP", False, "excess_decimals"),
        ("12.005", "EUR", True, "excess_decimals"),
        ("12.000001", "EUR", True, "excess_decimals"),
        ("1.5", "JPY", False, "excess_decimals"),
        ("1.555", "XYZ", False, "unknown_currency"),
    ],
)
def test_decimals_that_do_not_fit(text: str, currency: str, noise: bool, reason: str) -> None:  # noqa: FBT001
    with pytest.raises(AmountError) as caught:
        fit_decimals(Decimal(text), currency=currency, round_noise=noise)
    assert caught.value.reason == reason


_amounts = st.decimals(min_value=-(10**12), max_value=10**12, places=2, allow_nan=False, allow_infinity=False)


@given(_amounts)
def test_the_english_and_the_german_way_of_writing_give_the_same_amount(value: Decimal) -> None:
    english = f"{value:,.2f}"
    german = english.translate(str.maketrans(",.", ".,"))
    assert parse_amount(english, decimal_mark=".") == parse_amount(german, decimal_mark=",") == value


@given(_amounts)
def test_a_plain_amount_is_read_as_it_stands(value: Decimal) -> None:
    assert str(parse_amount(f"{value:.2f}", decimal_mark=None)) == f"{value or abs(value):.2f}"


@given(st.text(max_size=12))
def test_any_text_is_an_amount_or_a_clear_refusal(text: str) -> None:
    for mark in (None, ".", ","):
        with contextlib.suppress(AmountError):
            assert parse_amount(text, decimal_mark=mark, currency="EUR").is_finite()

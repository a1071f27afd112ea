"""Amounts: text of a file to ``Decimal``. What has two possible readings is refused, never guessed."""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal
from functools import lru_cache

from iso4217 import Currency

NOISE = Decimal("0.000001")

# More than any amount has; sums of so many digits are exact.
MOST_DIGITS = 20
_PLAIN = re.compile(r"-?[0-9]{1,18}(?:\.[0-9]{1,2})?", re.ASCII)
_GROUP_MARKS = "'\u2019 \u00a0\u202f\u2009"
# Sign -> words of ISO 4217's names of the currencies that are written with it.
_SIGNS = {
    "$": ("dollar", "peso", "real", "escudo", "pataca", "cordoba", "tala", "pa\u2019anga", "boliviano"),
    "\u20ac": ("euro",),
    "\u00a3": ("pound", "lira"),
    "\u00a5": ("yen", "yuan"),
    "\u20b9": ("indian rupee",),
    "\u20a8": ("rupee",),
    "\u20a9": ("won",),
    "\u20aa": ("sheqel",),
    "\u20ab": ("dong",),
    "\u20ba": ("turkish lira",),
    "\u20bd": ("ruble",),
    "\u20b4": ("hryvnia",),
    "\u20a6": ("naira",),
    "\u20b1": ("peso",),
    "\u0e3f": ("baht",),
    "\u20b8": ("tenge",),
    "\u20ad": ("kip",),
    "\u20b5": ("cedi",),
    "\u20be": ("lari",),
    "\u20bc": ("azerbaijan manat",),
    "\u20ae": ("tugrik",),
    "\u20b2": ("guarani",),
    "\u20a1": ("colon",),
}
_CODE = re.compile(
    r"(?:([A-Z]{3})\s*(?=[-+(\d.,]))?(.*?)(?:(?<=[-)\d.,])\s*([A-Z]{3}))?", re.ASCII | re.DOTALL
)


class AmountError(ValueError):
    """The text is no amount, or has two readings. ``reason`` is the machine code of the rejection."""

    def __init__(self, reason: str, text: str) -> None:
        super().__init__(text)
        self.reason = reason


def parse_amount(text: str, *, decimal_mark: str | None, currency: str | None = None) -> Decimal:
    """Read an amount, keeping its digits: ``121.00`` stays 121.00.

    Args:
        text: Digits with thousands separators, a sign before or behind or parentheses, a currency sign or
        code.
        decimal_mark: ``.`` or ``,``; None accepts only what has one reading.
        currency: The document's ISO code, which a code within the text must equal.

    Raises:
        AmountError: ``bad_amount``, ``ambiguous_amount`` or ``currency_differs``.
    """
    text = text.strip()
    if decimal_mark != "," and _PLAIN.fullmatch(text):
        value = Decimal(text)
    else:
        value = _parse(text, decimal_mark=decimal_mark, currency=currency)
    return value or abs(value)


# What most amounts are, for which nothing but the currency's cents must be known.
is_plain = re.compile(r"[0-9]{1,18}(?:\.[0-9]{1,2})?", re.ASCII).fullmatch


@lru_cache(maxsize=256)
def has_cents(currency: str | None) -> bool:
    """Whether a plain amount fits the currency; without one every amount does."""
    try:
        return currency is None or currency_decimals(currency) >= 2  # noqa: PLR2004  # as many as is_plain takes
    except AmountError:
        return False


def fit_decimals(value: Decimal, *, currency: str | None, round_noise: bool) -> tuple[Decimal, bool]:
    """Check an amount against its currency's decimals.

    Args:
        value: As read.
        currency: ISO code; None checks nothing.
        round_noise: Accept a difference under 0.000001.

    Returns:
        The amount and whether digits other than zeros were rounded away.

    Raises:
        AmountError: ``excess_decimals`` or ``unknown_currency``.
    """
    exponent = value.as_tuple().exponent
    if currency is None or not isinstance(exponent, int):
        return value, False
    decimals = currency_decimals(currency)
    if -exponent <= decimals:
        return value, False
    rounded = value.quantize(Decimal(1).scaleb(-decimals))
    difference = abs(rounded - value)
    if not difference:
        return rounded, False
    if round_noise and difference < NOISE:
        return rounded, True
    hint = "" if difference >= NOISE or round_noise else "; round_excess_decimals accepts such noise"
    raise AmountError("excess_decimals", f"{value} has more decimals than {currency} has ({decimals}){hint}")


@lru_cache(maxsize=256)
def currency_decimals(code: str) -> int:
    """How many decimals a currency has, by ISO 4217.

    Raises:
        AmountError: ``unknown_currency``.
    """
    try:
        exponent = Currency(code).exponent
    except ValueError:
        raise AmountError("unknown_currency", f"{code!r} is no ISO 4217 currency code") from None
    return exponent or 0


def _parse(text: str, *, decimal_mark: str | None, currency: str | None) -> Decimal:
    body = _without_currency(text, currency=currency)
    negative, body = _sign(body, whole=text)
    body = _without_currency(body, currency=currency)
    if not re.fullmatch(rf"[0-9.,{_GROUP_MARKS}]*", body) or not body[-1:].isdigit():
        raise AmountError("bad_amount", f"{text!r} is no amount")
    mark = decimal_mark or _only_reading(body, whole=text)
    whole, found, fraction = body.partition(mark)
    if found and (not fraction.isdigit() or mark in fraction):
        raise AmountError("bad_amount", f"{text!r} is no amount with the decimal mark {mark!r}")
    digits = _ungroup(whole, mark=mark, text=text)
    if len(digits.lstrip("0")) + len(fraction) > MOST_DIGITS:
        raise AmountError("bad_amount", f"{text[:40]!r} has more than {MOST_DIGITS} digits")
    value = Decimal(f"{digits}.{fraction}" if fraction else digits)
    return -value if negative else value


def _without_currency(text: str, *, currency: str | None) -> str:
    text = text.strip()
    match = _CODE.fullmatch(text)
    if match and (code := match[1] or match[3]):
        if currency is not None and code != currency:
            raise AmountError(
                "currency_differs", f"{text!r} names {code}, the document's currency is {currency}"
            )
        text = match[2].strip()
    for end in (0, -1):
        if text and unicodedata.category(text[end]) == "Sc":
            _check_sign(text[end], currency=currency)
            text = (text[1:] if end == 0 else text[:-1]).strip()
    return text


def _check_sign(sign: str, *, currency: str | None) -> None:
    names = _SIGNS.get(sign)
    if names is None:
        raise AmountError("bad_amount", f"the currency sign {sign!r} is not known; write amounts without it")
    if currency is not None and not any(name in _name_of(currency) for name in names):
        raise AmountError(
            "currency_differs", f"{sign!r} is no sign of the document's currency, which is {currency}"
        )


@lru_cache(maxsize=256)
def _name_of(code: str) -> str:
    try:
        return str(Currency(code).currency_name).casefold()
    except ValueError:
        return ""


def _sign(text: str, *, whole: str) -> tuple[bool, str]:
    """Split the one sign off: before, behind, or parentheses."""
    text = text.replace("\u2212", "-")
    signs = 0
    negative = False
    if text.startswith("(") and text.endswith(")"):
        text, negative, signs = text[1:-1].strip(), True, 1
    if text[:1] in {"-", "+"}:
        text, negative, signs = text[1:].strip(), negative or text[0] == "-", signs + 1
    if text[-1:] == "-":
        text, negative, signs = text[:-1].strip(), True, signs + 1
    if signs > 1 or not text:
        raise AmountError("bad_amount", f"{whole!r} is no amount")
    return negative, text


def _only_reading(body: str, *, whole: str) -> str:
    """The decimal mark where it was not declared: a point, and only where nothing else is possible."""
    ambiguous = AmountError(
        "ambiguous_amount", f"{whole!r} may be read in more than one way; set decimal_mark to '.' or ','"
    )
    if "," in body and not re.fullmatch(r"[0-9]{1,3}(,[0-9]{3})+\.[0-9]+", body):
        raise ambiguous
    if body.count(".") > 1 or re.fullmatch(r"[1-9][0-9]{0,2}\.[0-9]{3}", body):
        raise ambiguous
    return "."


def _ungroup(whole: str, *, mark: str, text: str) -> str:
    """Take the thousands separators out, which must be of one kind and in their places."""
    if whole.isdigit():
        return whole
    if not whole:
        return "0"
    group = "," if mark == "." else "."
    for separator in (group, *_GROUP_MARKS):
        escaped = re.escape(separator)
        # Groups of three, or the Indian way: the last of three, the others of two.
        if re.fullmatch(
            rf"[0-9]{{1,3}}({escaped}[0-9]{{3}})+|[0-9]{{1,2}}({escaped}[0-9]{{2}})+{escaped}[0-9]{{3}}",
            whole,
        ):
            return whole.replace(separator, "")
    raise AmountError("bad_amount", f"{text!r} is no amount with the decimal mark {mark!r}")

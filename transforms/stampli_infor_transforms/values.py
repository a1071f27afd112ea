"""Reading single values of a record: nothing here raises, whatever JSON holds."""

from __future__ import annotations

import re
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

_DATE: Final = re.compile(r"(\d{4}-\d{2}-\d{2})(?:[T ].*)?", re.ASCII | re.DOTALL)
_NUMBER: Final = re.compile(r"[+-]?(?:\d{1,40}(?:\.\d{0,40})?|\.\d{1,40})", re.ASCII)
_UNPRINTABLE: Final = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+")
_AMOUNT_LIMIT: Final = Decimal(10) ** 15
_SMALLEST_EXPONENT: Final = -40
_SHOWN: Final = 60


def text_of(value: Any) -> str | None:
    """Return a value as trimmed text, '' for null, or None where it is no single value."""
    if value is None:
        return ""
    if isinstance(value, str):
        return _UNPRINTABLE.sub(" ", value).strip()
    if isinstance(value, (int, Decimal)) and not isinstance(value, bool):
        return str(value)
    return None


def date_of(value: Any) -> date | None:
    """Return an ISO date (a time after it does not count), or None where the value is no date."""
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    match = _DATE.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None:
        return None
    try:
        return date.fromisoformat(match.group(1))
    except ValueError:
        return None


def amount_of(value: Any) -> Decimal | None:
    """Return an amount, or None where the value is none that M3 could hold (15 digits before the point).

    A binary float is refused: by the time it arrives here its cents may be lost already.
    """
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return Decimal(value) if abs(value) < _AMOUNT_LIMIT else None
    if isinstance(value, str):
        stripped = value.strip()
        if not _NUMBER.fullmatch(stripped):
            return None
        value = Decimal(stripped)
    if not isinstance(value, Decimal) or not value.is_finite() or abs(value) >= _AMOUNT_LIMIT:
        return None
    # An exponent far below any currency's would make every later operation slow or inexact.
    return value if value.as_tuple().exponent >= _SMALLEST_EXPONENT else None  # type: ignore[operator]  # finite


def canonical_amount(value: Any) -> str:
    """Return one text for all ways to write an amount, so that 121, 121.0 and '121.00' are alike."""
    amount = amount_of(value)
    if amount is None:
        return shown(value)
    text = format(amount, "f")
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text in {"-0", "+0"} else text


def shown(value: Any) -> str:
    """Return a value as a reader may see it in a message: at most 60 printable characters."""
    if isinstance(value, (str, float, Decimal)):
        text = _UNPRINTABLE.sub(" ", str(value))
    elif isinstance(value, int):
        text = str(value) if abs(value) < _AMOUNT_LIMIT else "a very long number"
    else:
        text = type(value).__name__
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 3]}..."

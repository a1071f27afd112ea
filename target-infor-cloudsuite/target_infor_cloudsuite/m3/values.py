"""Values as MI texts and back. Money is Decimal on both ways; a float never comes in between."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

_NUMBER = re.compile(r"[+-]?\d+(\.\d*)?|[+-]?\.\d+")
_DATE = re.compile(r"\d{8}")


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a transaction's layout.

    Attributes:
        name: such as ``SUNO``.
        type: ``A`` text, ``N`` number, ``D`` date; '' where the repository does not say.
        length: in characters, sign and decimal point included; None where the repository does not say.
        mandatory: the transaction refuses a record without it.
    """

    name: str
    type: str
    length: int | None
    mandatory: bool


def mi_amount(amount: Decimal) -> str:
    """Write an amount: ``.`` as decimal mark, digits kept, no exponent, no grouping, no minus on zero.

    Raises:
        ValueError: it is no finite number.
    """
    if not amount.is_finite():
        raise ValueError(f"{amount} is no amount")
    return format(amount or abs(amount), "f")


def from_mi_amount(text: str) -> Decimal:
    """Read an amount; blank is zero, as in M3's own numeric fields. A trailing minus is understood.

    Raises:
        ValueError: it is no number.
    """
    bare = text.strip()
    if not bare:
        return Decimal(0)
    if bare.endswith("-"):
        bare = f"-{bare[:-1].rstrip()}"
    if not (bare.isascii() and _NUMBER.fullmatch(bare)):
        raise ValueError(f"{text!r} is no amount of M3's")
    return Decimal(bare)


def mi_date(day: date) -> str:
    """Write a date as ``yyyyMMdd``."""
    return f"{day.year:04}{day.month:02}{day.day:02}"


def from_mi_date(text: str) -> date | None:
    """Read ``yyyyMMdd``; blank and zero are no date.

    Raises:
        ValueError: it is no such date.
    """
    bare = text.strip()
    if not bare.strip("0"):
        return None
    if not (bare.isascii() and _DATE.fullmatch(bare)):
        raise ValueError(f"{text!r} is no date as yyyyMMdd")
    return date(int(bare[:4]), int(bare[4:6]), int(bare[6:]))


def fits(field: Field, text: str) -> bool:
    """Whether a text may be sent in a field: its length, and its form where it is a number or a date."""
    if field.type == "D":
        try:
            return from_mi_date(text) is not None or not text
        except ValueError:
            return False
    if field.length is not None and len(text) > field.length:
        return False
    if field.type == "N" and text:
        return text.isascii() and _NUMBER.fullmatch(text) is not None
    return True

"""Amounts between MI strings, the database's text and Decimal; floats never."""

from __future__ import annotations

from decimal import Decimal

from stampli_infor_sandbox.m3.errors import invalid
from stampli_infor_sandbox.m3.master import CURRENCY_DECIMALS


def amount(text: str, *, currency: str, field: str) -> Decimal:
    """An amount in a currency; blank is zero.

    Raises:
        Nok: It has more decimals than the currency.
    """
    value = Decimal(text or "0")
    places = CURRENCY_DECIMALS.get(currency, 2)
    if value != round(value, places):
        raise invalid(field, f"{field} has more decimals than {currency} takes: {text}")
    return value


def shown(value: Decimal | str, currency: str) -> str:
    """An amount with the currency's decimals."""
    return f"{round(Decimal(value), CURRENCY_DECIMALS.get(currency, 2)):f}"

"""Adding up money in the database, exactly."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from sqlalchemy import BigInteger, func, type_coerce

from target_infor_cloudsuite.ledger.types import AMOUNT_DECIMALS

if TYPE_CHECKING:
    from sqlalchemy import Column, Label, Row

#: SQLite refuses a sum beyond 64 bits, which a handful of absurd amounts reach: the two halves never do.
_HALF = 10**9


def exact_sum(column: Column[Decimal]) -> tuple[Label[Any], Label[Any]]:
    """What to select for the sum of a money column: the two halves that `summed` puts together."""
    units = type_coerce(column, BigInteger)
    return func.sum(units // _HALF).label("high"), func.sum(units % _HALF).label("low")


def summed(row: Row[*tuple[Any, ...]]) -> Decimal | None:
    """The sum that a row with `exact_sum` holds; None where there was no amount to add."""
    if row.high is None:
        return None
    return Decimal(int(row.high) * _HALF + int(row.low)).scaleb(-AMOUNT_DECIMALS)

"""Column types that keep money exact and time in UTC on SQLite and PostgreSQL alike."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Context, Decimal, Inexact, InvalidOperation
from typing import TYPE_CHECKING, Any

from sqlalchemy import BigInteger, String, Text
from sqlalchemy.types import TypeDecorator

if TYPE_CHECKING:
    from sqlalchemy.engine import Dialect

#: An amount is kept as whole ten-thousandths: no currency of ISO 4217 has more than four decimals, and whole
#: numbers are added up exactly by both databases.
AMOUNT_DECIMALS = 4
_LARGEST = 2**63 - 1
#: Roomy enough for every amount that fits, and refusing to round.
_EXACT = Context(prec=40, traps=[Inexact, InvalidOperation])


class Money(TypeDecorator[Decimal]):
    """A Decimal amount, stored as a whole number of ten-thousandths."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> int | None:  # noqa: ARG002
        """The amount as the database keeps it; ValueError for one it cannot hold exactly."""
        return None if value is None else _units(value)

    def process_result_value(self, value: Any | None, dialect: Dialect) -> Decimal | None:  # noqa: ARG002
        """The amount that was kept."""
        return None if value is None else Decimal(int(value)) / 10**AMOUNT_DECIMALS


class Utc(TypeDecorator[datetime]):
    """An aware datetime, stored as ISO text of fixed width in UTC, so that text order is time order."""

    impl = String(32)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> str | None:  # noqa: ARG002
        """The moment as text; ValueError for one without a time zone."""
        return None if value is None else utc_text(value)

    def process_result_value(self, value: Any | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """The moment that was kept, in UTC."""
        return None if value is None else datetime.fromisoformat(value)


class Json(TypeDecorator[Any]):
    """A JSON value; a Decimal inside is kept as its decimal text, so that no digit is lost."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any | None, dialect: Dialect) -> str | None:  # noqa: ARG002
        """The value as canonical JSON text."""
        return None if value is None else canonical_json(value)

    def process_result_value(self, value: Any | None, dialect: Dialect) -> Any:  # noqa: ARG002
        """The value that was kept."""
        return None if value is None else json.loads(value, parse_float=Decimal)


def utc_text(moment: datetime) -> str:
    """An aware moment as ISO text in UTC, microseconds always written.

    Raises:
        ValueError: The moment has no time zone, so nobody knows when it was.
    """
    if moment.tzinfo is None:
        raise ValueError(f"The moment {moment.isoformat()} has no time zone.")
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def canonical_json(value: Any) -> str:
    """JSON text with sorted keys; a Decimal or float becomes its decimal text, a moment its UTC text.

    A float as a number would come back as another type, and a hash over it would not match its own row.
    """
    return json.dumps(_plain(value), ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, (Decimal, float)):
        return str(value)
    if isinstance(value, datetime):
        return utc_text(value)
    return value


def _units(amount: Decimal) -> int:
    try:
        units = _EXACT.scaleb(_EXACT.create_decimal(amount), AMOUNT_DECIMALS)
        whole = units.to_integral_exact(context=_EXACT)
    except (Inexact, InvalidOperation) as fault:
        raise ValueError(_unheld(amount)) from fault
    if not whole.is_finite() or abs(whole) > _LARGEST:
        raise ValueError(_unheld(amount))
    return int(whole)


def _unheld(amount: Decimal) -> str:
    return f"The ledger cannot hold the amount {amount}: more than {AMOUNT_DECIMALS} decimals, or too large."

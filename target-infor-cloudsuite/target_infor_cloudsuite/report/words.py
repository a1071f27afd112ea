"""How the report words numbers, money and moments."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Final

from target_infor_cloudsuite.ledger.runs import plain_amount

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date, datetime

    from target_infor_cloudsuite.report.figures import Figures

#: Stampli's own lists, by stream.
LISTS: Final = {"vendors": "vendors", "gl_accounts": "GL accounts"}
KINDS: Final = {
    "invoice": "Invoices",
    "payment": "Payments",
    "vendor": "Vendors",
    "gl_account": "GL accounts",
}
_NAME_SHOWN, _TEXT_SHOWN = 80, 300
_MINUTE, _HOUR = 60, 3600


def name(value: object) -> str:
    """Somebody else's name, number or code, of bounded length."""
    return _cut(value, _NAME_SHOWN)


def text(value: object) -> str:
    """Somebody else's sentence, of bounded length."""
    return _cut(value, _TEXT_SHOWN)


def _cut(value: object, most: int) -> str:
    whole = "" if value is None else str(value)
    return whole if len(whole) <= most else f"{whole[: most - 1]}…"


def number(value: float) -> str:
    """A count: 1,234."""
    return f"{value:,}"


def money(value: Decimal | None, currency: str) -> str:
    """An amount with its currency's decimals, grouped: 1,234.50 EUR."""
    if value is None:
        return ""
    return f"{Decimal(plain_amount(value, currency)):,} {currency}".strip()


def amount(value: Decimal, currency: str) -> str:
    """An amount without its currency, which stands above it: 1,234.50."""
    return money(value, currency).removesuffix(currency).strip()


def moment(value: datetime) -> str:
    """A moment to the minute: 25 Nov 2026, 23:10 UTC."""
    return f"{day(value)}, {value:%H:%M} UTC"


def day(value: date) -> str:
    """A day: 25 Nov 2026."""
    return f"{value.day} {value:%b %Y}"


def duration(seconds: float | None) -> str:
    """How long: 12 s, 3 min, 2.5 h."""
    if seconds is None:
        return ""
    if seconds < _MINUTE:
        return f"{seconds:.0f} s"
    return f"{seconds / _MINUTE:.0f} min" if seconds < _HOUR else f"{seconds / _HOUR:.1f} h"


def documents(count: int) -> str:
    """So many documents."""
    return "1 document" if count == 1 else f"{count:,} documents"


def headline(figures: Figures) -> str:
    """The one sentence that a reader in a hurry takes along."""
    standings: Mapping[str, int] = figures.standings()
    if not sum(standings.values()):
        return "No document has come yet"
    if waiting := standings["waiting"]:
        return f"{documents(waiting)} {'waits' if waiting == 1 else 'wait'} for a person"
    return "Nothing waits for a person"

"""Money by currency and company. Nothing is ever added across currencies."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from target_infor_cloudsuite.ledger import figures as ledger_figures
from target_infor_cloudsuite.report import words
from target_infor_cloudsuite.report.figures import CompanyMoney, CurrencyMoney, standing_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from target_infor_cloudsuite.ledger import Tx

COMPANIES_SHOWN: Final = 12
CURRENCIES_SHOWN: Final = 12
_PLACES_SHOWN = 3
_KINDS: Final = ("invoice", "payment")

#: Kind, status, amount.
Entry = tuple[str, str, Decimal]


def by_currency(
    tx: Tx, totals: Mapping[str, Mapping[str, Mapping[str, Any]]]
) -> tuple[tuple[CurrencyMoney, ...], int, int]:
    """The currencies, those with the most companies first; how many currencies and companies are left out.

    Args:
        tx: A transaction.
        totals: What `ledger.runs.totals` found.
    """
    companies, known = ledger_figures.largest_companies(tx, COMPANIES_SHOWN)
    rows = ledger_figures.money(tx, companies)
    places: dict[str, list[str]] = defaultdict(list)
    for company, cono, divi in ledger_figures.places(tx, companies, COMPANIES_SHOWN * _PLACES_SHOWN):
        places[company].append(f"{cono}/{divi}" if divi else str(cono))
    entries: dict[str, list[Entry]] = defaultdict(list)
    for kind in _KINDS:
        for status, entry in totals.get(kind, {}).items():
            for currency, amount in entry["amounts"].items():
                entries[currency].append((kind, status, Decimal(amount)))
    found = []
    for currency in sorted(entries):
        own = [row for row in rows if row.currency == currency]
        names = sorted({row.company for row in own})
        found.append(
            CurrencyMoney(
                currency=currency,
                sums=_sums(entries[currency]),
                companies=tuple(
                    CompanyMoney(
                        company=words.name(name),
                        places=tuple(places[name][:_PLACES_SHOWN]),
                        sums=_sums((row.kind, row.status, row.amount) for row in own if row.company == name),
                    )
                    for name in names
                ),
            )
        )
    found.sort(key=lambda each: (-len(each.companies), each.currency))
    return (
        tuple(found[:CURRENCIES_SHOWN]),
        max(0, len(found) - CURRENCIES_SHOWN),
        max(0, known - len(companies)),
    )


def _sums(entries: Iterable[Entry]) -> dict[str, dict[str, Decimal]]:
    """By kind and standing; what there is nothing of is left out."""
    found: dict[str, dict[str, Decimal]] = {}
    for kind, status, amount in entries:
        sums = found.setdefault(kind, {})
        standing = standing_of(status)
        sums[standing] = sums.get(standing, Decimal(0)) + amount
    return found

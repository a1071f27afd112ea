"""Counts and amounts from three places that know nothing of each other: ledger, audit files, M3's books."""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

INVOICE = "invoice"
PAYMENT = "payment"


@dataclass(slots=True)
class Tally:
    """What was posted: documents and amounts for each kind and currency."""

    counts: dict[str, int] = field(default_factory=dict)
    amounts: dict[tuple[str, str], Decimal] = field(default_factory=dict)

    def add(self, kind: str, currency: str, amount: Decimal, count: int = 1) -> None:
        """Count documents of one kind and currency."""
        if count:
            self.counts[kind] = self.counts.get(kind, 0) + count
            self.amounts[kind, currency] = self.amounts.get((kind, currency), Decimal(0)) + amount

    def text(self, kind: str) -> str:
        """For people: ``33 (EUR 12,345.67, USD 100.00)``."""
        amounts = ", ".join(
            f"{currency} {amount:,}" for (of, currency), amount in sorted(self.amounts.items()) if of == kind
        )
        return f"{self.counts.get(kind, 0)} ({amounts})" if amounts else "0"


def in_ledger(status: Mapping[str, Any]) -> Tally:
    """What the ledger holds as posted.

    Args:
        status: The JSON of ``cloudsuite-ap status``.
    """
    tally = Tally()
    for kind in (INVOICE, PAYMENT):
        posted = status["documents"].get(kind, {}).get("posted", {})
        if posted.get("count"):
            tally.counts[kind] = posted["count"]
            for currency, amount in posted["amounts"].items():
                tally.amounts[kind, currency] = Decimal(amount)
    return tally


def in_audit(folder: Path) -> Tally:
    """What the audit files say was posted, from the events alone: as it was last mapped before."""
    tally = Tally()
    mapped: dict[int, Mapping[str, Any]] = {}
    for event in audit_events(folder):
        if event["action"] == "document.ready":
            mapped[event["document_id"]] = event["details"]["mapped"]
        elif event["action"] == "document.posted":
            document = mapped[event["document_id"]]
            # An invoice has a total, a payment an amount.
            invoice = "total" in document
            amount = Decimal(document["total" if invoice else "amount"])
            tally.add(INVOICE if invoice else PAYMENT, document["currency"], amount)
    return tally


def audit_events(folder: Path) -> Iterable[dict[str, Any]]:
    """Every event of the audit files, in order."""
    for path in sorted(folder.glob("*.jsonl")):
        with path.open(encoding="utf-8") as lines:
            for line in lines:
                yield json.loads(line)


def in_m3(before: Mapping[str, Any], after: Mapping[str, Any]) -> Tally:
    """What M3's books gained: invoices in the AP ledger, lines of validated bank statements.

    Args:
        before: The JSON of ``stampli-infor-sandbox ledger`` before the first run.
        after: The same now.
    """
    tally = Tally()
    known = {invoice_key(invoice) for invoice in before["invoices"]}
    for invoice in after["invoices"]:
        if invoice_key(invoice) not in known:
            tally.add(INVOICE, invoice["currency"], Decimal(invoice["amount"]))
    for statement in after["statements"]:
        if statement["validated"]:
            for line in statement["lines"]:
                # Money out is negative on a statement.
                tally.add(PAYMENT, statement["currency"], -Decimal(line["amount"]))
    return tally


def invoice_key(invoice: Mapping[str, Any]) -> tuple[Any, ...]:
    """M3's own key of an invoice."""
    return tuple(invoice[name] for name in ("cono", "divi", "payee", "supplier", "number", "year"))


def run_rows(output: Path) -> list[dict[str, str]]:
    """The rows of the newest run file, one for each document."""
    newest = max((output / "runs").glob("*.csv"), key=lambda path: path.stat().st_mtime_ns)
    with newest.open(encoding="utf-8", newline="") as text:
        return list(csv.DictReader(text))


def disagreements(ledger: Tally, audit: Tally, m3: Tally) -> list[str]:
    """One text for each count or amount on which the three do not agree."""
    found = []
    for kind in (INVOICE, PAYMENT):
        shown = {
            name: tally.text(kind) for name, tally in (("ledger", ledger), ("audit files", audit), ("M3", m3))
        }
        same = ledger.counts.get(kind, 0) == audit.counts.get(kind, 0) == m3.counts.get(kind, 0)
        currencies = {
            currency for tally in (ledger, audit, m3) for of, currency in tally.amounts if of == kind
        }
        for currency in currencies:
            amounts = {tally.amounts.get((kind, currency), Decimal(0)) for tally in (ledger, audit, m3)}
            same = same and len(amounts) == 1
        if not same:
            found.append(f"{kind}s posted: " + "; ".join(f"{name} {text}" for name, text in shown.items()))
    return found

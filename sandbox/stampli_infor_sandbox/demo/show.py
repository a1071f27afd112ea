"""The demo's tables."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from rich.table import Table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from stampli_infor_sandbox.demo.spend import Account, Group
    from stampli_infor_sandbox.demo.tally import Tally

_STATUSES = ("posted", "review", "duplicate", "failed", "rejected")
_QUIET = ("superseded", "dismissed")


def outcome(status: Mapping[str, Any], rows: Sequence[Mapping[str, str]]) -> Table:
    """What became of the documents.

    Args:
        status: The JSON of ``cloudsuite-ap status``.
        rows: The rows of the run's file: reasons are taken from there.
    """
    table = Table(title="What became of the documents", title_justify="left")
    for name in ("status", "invoices", "payments", "amounts", "reasons"):
        table.add_column(name, justify="right" if name in {"invoices", "payments"} else "left")
    documents = status["documents"]
    seen = {name for kind in documents.values() for name, cell in kind.items() if cell["count"]}
    for name in (*_STATUSES, *sorted(seen - set(_STATUSES))):
        if name in _QUIET and name not in seen:
            continue
        cells = {
            kind: documents.get(kind, {}).get(name, {"count": 0, "amounts": {}})
            for kind in ("invoice", "payment")
        }
        amounts = "\n".join(
            f"{kind}s {currency} {Decimal(amount):,}"
            for kind, cell in cells.items()
            for currency, amount in sorted(cell["amounts"].items())
        )
        table.add_row(name, *(str(cell["count"]) for cell in cells.values()), amounts, _reasons(name, rows))
    return table


def _reasons(status: str, rows: Sequence[Mapping[str, str]]) -> str:
    counts: Counter[str] = Counter()
    for row in rows:
        if row["status"] == status:
            counts.update(
                filter(
                    None,
                    (code.strip() for code in row["reasons"].replace(";", " ").replace(",", " ").split()),
                )
            )
    return "\n".join(f"{code} {number}" for code, number in sorted(counts.items()))


def three_books(ledger: Tally, audit: Tally, m3: Tally) -> Table:
    """The same numbers from three sides."""
    table = Table("", "invoices posted", "payments posted", title="Three books", title_justify="left")
    for name, tally in (("ledger", ledger), ("audit files", audit), ("M3", m3)):
        table.add_row(name, tally.text("invoice"), tally.text("payment"))
    return table


def accounted(account: Account, groups: Sequence[Group]) -> Table:
    """Every row of the real files, by what became of it, against the independent count."""
    table = Table(title="Every row of the files", title_justify="left")
    for name in ("", "documents", "rows", "GBP"):
        table.add_column(name, justify="left" if not name else "right")
    for status, (documents, rows, amount) in sorted(account.by_status.items()):
        table.add_row(status or "nowhere", f"{documents:,}", f"{rows:,}", f"{amount:,}")
    table.add_section()
    sums = [sum(column) for column in zip(*account.by_status.values(), strict=True)]
    table.add_row("together", *(f"{number:,}" for number in sums))
    files = (
        len(groups),
        sum(group.rows for group in groups),
        sum((group.amount for group in groups), Decimal(0)),
    )
    table.add_row("independent count", *(f"{number:,}" for number in files))
    return table

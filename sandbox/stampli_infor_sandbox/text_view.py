"""The books as tables for people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_INVOICE = (
    "cono",
    "divi",
    "supplier",
    "payee",
    "number",
    "year",
    "currency",
    "amount",
    "vat",
    "paid",
    "open",
    "voucher",
)
_STAGED = ("inbn", "cono", "divi", "supplier", "number", "currency", "amount", "supa", "status")


def render(shown: Mapping[str, Any]) -> None:
    """Print the books, wide enough for a pipe to be read by other tools too."""
    console = Console()
    if not console.is_terminal:
        console = Console(width=200)
    _table(console, "AP ledger", _INVOICE, shown["invoices"])
    _table(console, "Batches not in the ledger", _STAGED, shown["staged"])
    lines = [
        {
            **statement,
            **line,
            "invoices": ", ".join(f"{d['number']}/{d['year']} {d['amount']}" for d in line["details"]),
        }
        for statement in shown["statements"]
        for line in statement["lines"]
    ]
    columns = ("cono", "divi", "bsid", "stmn", "validated", "blsn", "payee", "currency", "amount", "invoices")
    _table(console, "Bank statement lines", columns, lines)
    requests = shown["requests"]
    console.print(
        f"{requests['http']} requests, {requests['tokens']} tokens, {requests['throttled']} throttled (429)"
    )
    console.print(shown["note"], soft_wrap=True)


def _table(console: Console, title: str, columns: Iterable[str], rows: Iterable[Mapping[str, Any]]) -> None:
    table = Table(title=title, title_justify="left")
    for name in columns:
        table.add_column(name, justify="right" if name in {"amount", "vat", "paid", "open"} else "left")
    for row in rows:
        table.add_row(*(str(row[name]) for name in columns))
    console.print(table)

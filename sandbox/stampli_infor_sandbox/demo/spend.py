"""An independent count of the real spend files: csv and Decimal, nothing of the tap's."""

from __future__ import annotations

import csv
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

_REDACTED = "REDACTED UNDER DP ACT"
_CENT = Decimal("0.01")
_NOISE = Decimal("0.000001")
_OPEN = {"received", "ready", "posting", "in_doubt", ""}


@dataclass(slots=True)
class Group:
    """The rows that make up one invoice: one file, one supplier, one invoice number.

    Args:
        file: Name of the file.
        line: Physical line of the first row.
        rows: How many rows.
        amount: Their sum.
    """

    file: str
    line: int
    rows: int = 0
    amount: Decimal = Decimal(0)


@dataclass(slots=True)
class Account:
    """What became of rows and money.

    Args:
        by_status: Status to documents, rows, amount.
        faults: What does not agree, in words.
    """

    by_status: dict[str, tuple[int, int, Decimal]] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)


def count(outbound: Path) -> list[Group]:
    """Read the files as they lie on the SFTP server; a row without an invoice number stands alone.

    Raises:
        ValueError: An amount is finer than a penny, beyond float noise.
    """
    groups: dict[tuple[str, str, str], Group] = {}
    for path in sorted(outbound.glob("*.csv")):
        with path.open(encoding="utf-8-sig", newline="") as text:
            reader = csv.reader(text)
            header = next(reader)
            columns = [header.index(name) for name in ("Supplier ID", "Invoice Number", "Amount")]
            last = reader.line_num
            for cells in reader:
                line, last = last + 1, reader.line_num
                if not any(cells):
                    continue
                supplier, number, amount = (cells[column].strip() for column in columns)
                named = number and number != _REDACTED
                key = (path.name, supplier, number.upper()) if named else (path.name, str(line), "")
                group = groups.setdefault(key, Group(path.name, line))
                group.rows += 1
                group.amount += _pennies(amount, path.name, line)
    return list(groups.values())


def _pennies(text: str, file: str, line: int) -> Decimal:
    exact = Decimal(text)
    rounded = exact.quantize(_CENT)
    if abs(exact - rounded) >= _NOISE:
        raise ValueError(f"{file}, line {line}: {text} is finer than a penny")
    return rounded


def account_for(groups: Iterable[Group], run_rows: Iterable[Mapping[str, str]]) -> Account:
    """Find every group in the run's file, by file and line, and compare amounts.

    Args:
        groups: The independent count.
        run_rows: The rows of ``runs/<run>.csv``.
    """
    account = Account()
    ends = {(row["source_file"].rpartition("/")[2], row["source_line"]): row for row in run_rows}
    for group in groups:
        where = f"{group.file}, line {group.line}"
        row = ends.pop((group.file, str(group.line)), None)
        status = row["status"] if row else ""
        if row is None:
            account.faults.append(f"{where}: {group.rows} rows of {group.amount} are nowhere")
        elif status in _OPEN:
            account.faults.append(f"{where}: {row['number']} is left {status}")
        elif status != "rejected" and Decimal(row["amount"]) != group.amount:
            account.faults.append(f"{where}: {row['number']} has {row['amount']}, the file {group.amount}")
        documents, rows, amount = account.by_status.get(status, (0, 0, Decimal(0)))
        account.by_status[status] = (documents + 1, rows + group.rows, amount + group.amount)
    account.faults.extend(
        f"{file}, line {line}: {row['status']}, but the file has no such row"
        for (file, line), row in ends.items()
    )
    return account

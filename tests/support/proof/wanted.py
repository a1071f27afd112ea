"""What M3 has to hold of a document, by the crosswalks and M3's master data alone.

Written anew from the design, for the checker: it shares no line with what it checks.
"""

from __future__ import annotations

import csv
import unicodedata
from collections import Counter
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

Record = dict[str, Any]
Line = tuple[str, Decimal, Decimal, str, tuple[str, ...], str]
_CENT = Decimal("0.01")
_LONGEST_TEXT = 40


@dataclass(frozen=True, slots=True)
class WantedInvoice:
    """An invoice as it has to stand in M3; ``place`` is company, division, supplier and number."""

    place: tuple[int, str, str, str]
    head: Mapping[str, Any]
    lines: Mapping[Line, int]


@dataclass(frozen=True, slots=True)
class WantedPayment:
    """A payment as its line of a bank statement has to be."""

    place: tuple[int, str, str, str]  # company, division, bank, currency
    line: Mapping[str, Any]
    details: Mapping[tuple[str, Decimal], int]


@dataclass(slots=True)
class Books:
    """How Stampli's codes become M3's: the crosswalk files, and the suppliers of M3's own master data."""

    directory: Path
    suppliers: Mapping[tuple[int, str], Mapping[str, Any]]
    tables: dict[str, list[dict[str, str]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for path in self.directory.glob("*.csv"):
            with path.open(encoding="utf-8-sig", newline="") as file:
                self.tables[path.stem] = list(csv.DictReader(file))

    # -- documents -------------------------------------------------------------------------------------

    def invoice(self, record: Record) -> WantedInvoice | None:
        """What an invoice becomes; None where no company or supplier is named for it."""
        cono, divi = self._company(record)
        party = self._party(cono, record)
        if party is None:
            return None
        suno, payee, supplier = party
        sign = -1 if record["invoice_type"] == "CREDIT_MEMO" and record["total_amount"] > 0 else 1
        tax = sign * (record["tax_amount"] or Decimal(0))
        invoice_date = record["invoice_date"].replace("-", "")
        head = {
            "payee": payee,
            "currency": record["currency"],
            "amount": sign * record["total_amount"],
            "vat": tax,
            "invoice_date": invoice_date,
            "accounting_date": (record["posting_date"] or record["invoice_date"]).replace("-", ""),
            "due_date": (record["due_date"] or record["invoice_date"]).replace("-", ""),
            "terms": self._terms(cono, record["payment_terms"]) or supplier["terms"],
        }
        lines: Counter[Line] = Counter()
        for line in record["lines"]:
            lines.update(self._lines(cono, divi, line, sign, supplier))
        by_itself = tax - sum((line[2] * count for line, count in lines.items()), Decimal(0))
        if by_itself:
            lines[("3", Decimal(0), by_itself, str(supplier["tax_code"]), ("",) * 7, "")] += 1
        return WantedInvoice((cono, divi, suno, _number(record["invoice_number"])), head, lines)

    def payment(self, record: Record) -> WantedPayment | None:
        """What a payment becomes; None where no company or supplier is named for it."""
        cono, divi = self._company(record)
        party = self._party(cono, record)
        if party is None:
            return None
        bank = self._row("banks", cono, divi, stampli_bank_account=record["bank_account"])
        bsid = bank["bsid"] if bank else self._company_row(record)["bank_bsid"]
        details: Counter[tuple[str, Decimal]] = Counter()
        for each in record["applications"]:
            details[_number(each["invoice_number"]), -each["amount"]] += 1
        line = {
            "payee": party[1],
            "amount": -record["payment_amount"],
            "reference": record["reference"][:27],
            "value_date": record["payment_date"].replace("-", ""),
        }
        return WantedPayment((cono, divi, bsid, record["currency"]), line, details)

    # -- codes -----------------------------------------------------------------------------------------

    def _lines(
        self, cono: int, divi: str, line: Record, sign: int, supplier: Mapping[str, Any]
    ) -> Counter[Line]:
        amount, tax = sign * line["amount"], sign * (line["tax_amount"] or Decimal(0))
        code = ""
        if line["tax_code"]:
            row = self._row("tax_codes", cono, divi, stampli_tax_code=line["tax_code"])
            code = row["vtcd"] if row else line["tax_code"]
        elif tax:
            code = str(supplier["tax_code"])
        text = line["description"] or ""
        text = text if len(text) <= _LONGEST_TEXT else text[:_LONGEST_TEXT].rstrip()
        account = self._row("gl_accounts", cono, divi, stampli_gl_account=line["gl_account"])
        ait = [account[f"ait{n}"] if account else "" for n in range(1, 8)]
        if account is None:
            ait[0] = line["gl_account"]
        for name in ("department", "cost_center", "location", "project"):
            if line[name]:
                row = self._row("dimensions", cono, divi, dimension=name, stampli_code=line[name])
                if row:
                    ait[int(row["ait"][-1]) - 1] = row["value"]
        allocation = line["allocation"] or (account["allocation"] if account else "")
        shares = [
            row
            for row in self.tables["allocations"]
            if int(row["cono"]) == cono and row["divi"] in {"", divi} and row["allocation"] == allocation
        ]
        if not allocation or not shares:
            return Counter([("8", amount, tax, code, tuple(ait), text)])
        percents = [Fraction(row["share_percent"]) for row in shares]
        found: Counter[Line] = Counter()
        for row, part, part_tax in zip(shares, _split(amount, percents), _split(tax, percents), strict=True):
            own = tuple(row[f"ait{n}"] or ait[n - 1] for n in range(1, 8))
            found["8", part, part_tax, code, own, text] += 1
        return found

    def _company_row(self, record: Record) -> dict[str, str]:
        return next(row for row in self.tables["companies"] if row["stampli_company"] == record["company"])

    def _company(self, record: Record) -> tuple[int, str]:
        row = self._company_row(record)
        return int(row["cono"]), row["divi"]

    def _party(self, cono: int, record: Record) -> tuple[str, str, Mapping[str, Any]] | None:
        row = self._row("suppliers", cono, "", stampli_vendor_id=record["vendor_id"])
        suno = row["suno"] if row else record["vendor_external_id"]
        supplier = self.suppliers.get((cono, suno))
        if supplier is None:
            return None
        return suno, (row["payee"] if row else "") or supplier["payee"] or suno, supplier

    def _terms(self, cono: int, stated: str | None) -> str:
        row = self._row("payment_terms", cono, "", stampli_terms=stated) if stated else None
        return row["tepy"] if row else ""

    def _row(self, table: str, cono: int, divi: str, **cells: str | None) -> dict[str, str] | None:
        """The row of the division, else the company's."""
        rows = [
            row
            for row in self.tables[table]
            if int(row["cono"]) == cono
            and row.get("divi", "") in {"", divi}
            and all(row[name] == value for name, value in cells.items())
        ]
        return max(rows, key=lambda row: row.get("divi", ""), default=None)


def _number(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).upper().split())


def _split(amount: Decimal, percents: list[Fraction]) -> list[Decimal]:
    """Shares to the cent that make up the amount: the cents left over go to the largest remainders."""
    cents = int(abs(amount) / _CENT)
    exact = [cents * percent / 100 for percent in percents]
    whole = [int(each) for each in exact]
    left = cents - sum(whole)
    order = sorted(range(len(exact)), key=lambda at: whole[at] - exact[at])
    for at in order[:left]:
        whole[at] += 1
    return [(1 if amount >= 0 else -1) * each * _CENT for each in whole]

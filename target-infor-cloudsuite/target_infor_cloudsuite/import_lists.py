"""M3's suppliers and GL accounts as lists to import into Stampli, so that coding chooses only what exists.

The columns are those of the sample template that the tap reads; Stampli publishes none. Codes are written as
M3 has them; a name that a spreadsheet would take for a formula is written as text.
"""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

from target_infor_cloudsuite.audit.runs import neutral

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import date
    from pathlib import Path

    from stampli_infor_transforms.crosswalks import Crosswalks
    from stampli_infor_transforms.reference import CompanyReference, DimensionValue, Reference, Supplier

VENDOR_COLUMNS = (
    "Company",
    "Vendor ID",
    "Vendor External ID",
    "Vendor Name",
    "Tax ID",
    "Currency",
    "Payment Terms",
    "Status",
)
ACCOUNT_COLUMNS = ("Company", "GL Account", "GL Account Name", "External ID", "Status")
_OUT_OF_USE = frozenset({"10", "90"})  # preliminary, blocked


def write_lists(directory: Path, crosswalks: Crosswalks, reference: Reference, *, on: date) -> list[Path]:
    """Write ``vendors.csv`` and ``gl_accounts.csv`` into a directory; the paths.

    Args:
        directory: Made where it is missing.
        crosswalks: Tell which Stampli companies an M3 company is, and Stampli's own ids.
        reference: M3's data.
        on: The day on which an account has to be open to be active.

    Raises:
        OSError: They cannot be written.
    """
    directory.mkdir(parents=True, exist_ok=True)
    lists = {
        "vendors.csv": (VENDOR_COLUMNS, _vendors(crosswalks, reference)),
        "gl_accounts.csv": (ACCOUNT_COLUMNS, _accounts(crosswalks, reference, on)),
    }
    for name, (columns, rows) in lists.items():
        with (directory / name).open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(columns)
            writer.writerows(rows)
    return [directory / name for name in lists]


def _owners(crosswalks: Crosswalks, company: CompanyReference) -> Iterable[tuple[str, str]]:
    """The Stampli companies that an M3 company is, each with its division; a nameless one where none is."""
    cono = company.company.cono
    rows = [row for row in crosswalks.rows("companies.csv") if int(row.cells["cono"]) == cono]
    return [(row.cells["stampli_company"], row.cells["divi"]) for row in rows] or [("", "")]


def _vendors(crosswalks: Crosswalks, reference: Reference) -> Iterator[list[str]]:
    for cono, company in sorted(reference.companies.items()):
        own_ids = {
            row.cells["suno"]: row.cells["stampli_vendor_id"]
            for row in crosswalks.rows("suppliers.csv")
            if int(row.cells["cono"]) == cono
        }
        terms = {
            row.cells["tepy"]: row.cells["stampli_terms"]
            for row in crosswalks.rows("payment_terms.csv")
            if int(row.cells["cono"]) == cono
        }
        for owner, _ in _owners(crosswalks, company):
            for suno, supplier in sorted(company.suppliers.items()):
                yield _vendor(owner, own_ids.get(suno, ""), supplier, terms)


def _vendor(owner: str, own_id: str, supplier: Supplier, terms: dict[str, str]) -> list[str]:
    return [
        neutral(owner),
        own_id,
        supplier.suno,
        neutral(supplier.name),
        supplier.tax_number,
        supplier.currency,
        neutral(terms.get(supplier.terms, supplier.terms)),
        "Inactive" if supplier.status in _OUT_OF_USE else "Active",
    ]


def _accounts(crosswalks: Crosswalks, reference: Reference, on: date) -> Iterator[list[str]]:
    for _, company in sorted(reference.companies.items()):
        for owner, divi in _owners(crosswalks, company):
            codes = {
                code for dimension, code, of in company.dimensions if dimension == 1 and of in {"", divi}
            }
            for code in sorted(codes):
                value = company.dimension(1, code, divi)
                if value is not None:
                    state = "Active" if _is_open(value, on) else "Inactive"
                    yield [neutral(owner), code, neutral(value.name), code, state]


def _is_open(value: DimensionValue, on: date) -> bool:
    return (
        not (value.blocked or value.blocked_manual)
        and (value.valid_from is None or value.valid_from <= on)
        and (value.valid_to is None or on <= value.valid_to)
    )

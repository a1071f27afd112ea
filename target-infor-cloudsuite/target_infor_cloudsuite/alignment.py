"""Stampli's vendors and GL accounts, as the ledger keeps them, beside M3's: what fits, and what does not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from stampli_infor_transforms.alignment import align_accounts, align_homeless, align_suppliers
from stampli_infor_transforms.reference import CompanyReference, Reference

from target_infor_cloudsuite.ledger import reference as kept_data

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date

    from stampli_infor_transforms.alignment import Alignment
    from stampli_infor_transforms.crosswalks import Crosswalks
    from stampli_infor_transforms.policy import Policy

    from target_infor_cloudsuite.ledger import Tx

#: How each stream's rows are told apart, and the crosswalk that their proposals belong to.
STREAMS = {"vendors": "suppliers.csv", "gl_accounts": "gl_accounts.csv"}


@dataclass(frozen=True, slots=True)
class Aligned:
    """One vendor or GL account of Stampli beside M3; ``cono`` is None where no M3 company is its own."""

    stream: str
    cono: int | None
    row: Alignment

    def to_json(self) -> dict[str, Any]:
        """The row as a JSON object."""
        return {"stream": self.stream, "cono": self.cono} | self.row.to_json()


def kept_reference(tx: Tx, numbers: Iterable[int]) -> Reference:
    """M3's reference data as the ledger keeps it, whatever its age; companies never read are left out."""
    found = {cono: kept_data.kept(tx, f"company:{cono}") for cono in numbers}
    return Reference(
        {cono: CompanyReference.from_json(kept[0]) for cono, kept in found.items() if kept is not None}
    )


def align(
    tx: Tx, crosswalks: Crosswalks, policy: Policy, reference: Reference, *, on: date
) -> tuple[Aligned, ...]:
    """Every vendor and GL account that Stampli exported, beside M3's, company by company.

    Args:
        tx: A transaction of the ledger, which keeps what Stampli exported.
        crosswalks: The tables.
        policy: The settings.
        reference: M3's data.
        on: The day on which an account has to be open.
    """
    vendors = kept_data.source_records(tx, "vendors")
    accounts = kept_data.source_records(tx, "gl_accounts")
    found: list[Aligned] = []
    for cono, company in sorted(reference.companies.items()):
        rows = align_suppliers(vendors, company, crosswalks, policy)
        found += [Aligned("vendors", cono, row) for row in rows]
    found += _homeless("vendors", vendors, "vendor_id", reference, crosswalks, policy)
    for cono, company in sorted(reference.companies.items()):
        rows = align_accounts(accounts, company, crosswalks, policy, on=on)
        found += [Aligned("gl_accounts", cono, row) for row in rows]
    return (*found, *_homeless("gl_accounts", accounts, "gl_account", reference, crosswalks, policy))


def proposals(found: Sequence[Aligned]) -> dict[str, list[dict[str, str]]]:
    """The crosswalk rows that are proposed, by file; each is for a person to judge."""
    return {
        file: [dict(each.row.proposed) for each in found if each.stream == stream and each.row.proposed]
        for stream, file in STREAMS.items()
    }


def _homeless(  # noqa: PLR0913, PLR0917 - what align was given
    stream: str,
    records: Sequence[dict[str, Any]],
    code_field: str,
    reference: Reference,
    crosswalks: Crosswalks,
    policy: Policy,
) -> list[Aligned]:
    rows = align_homeless(records, code_field, reference.companies.keys(), crosswalks, policy)
    return [Aligned(stream, None, row) for row in rows]

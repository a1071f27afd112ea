"""Which M3 company and division a document belongs to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stampli_infor_transforms.crosswalks import Crosswalks
    from stampli_infor_transforms.findings import Findings
    from stampli_infor_transforms.policy import Policy
    from stampli_infor_transforms.reference import CompanyReference, Reference


@dataclass(frozen=True, slots=True)
class Place:
    """An M3 company and division, and the bank set up for it ('' for none)."""

    cono: int
    divi: str
    bank: str = ""


def place_of(stampli_company: str, *, crosswalks: Crosswalks, policy: Policy) -> Place | None:
    """Return where a Stampli company's documents belong: its row, else the settings' company.

    The settings speak only for documents that name no company, or where companies.csv has no row at all.
    """
    row = crosswalks.company(stampli_company) if stampli_company else None
    if row is not None:
        return Place(int(row.cells["cono"]), row.cells["divi"], row.cells["bank_bsid"])
    if policy.cono is None or (stampli_company and crosswalks.has_companies):
        return None
    banks = {each.cells["bank_bsid"] for each in crosswalks.companies_of(policy.cono, policy.divi)}
    return Place(policy.cono, policy.divi, banks.pop() if len(banks) == 1 else "")


def find_place(
    stampli_company: str, *, crosswalks: Crosswalks, reference: Reference, policy: Policy, findings: Findings
) -> tuple[Place | None, CompanyReference | None]:
    """Return a document's company with its reference data; what is missing becomes a reason."""
    place = place_of(stampli_company, crosswalks=crosswalks, policy=policy)
    if place is None:
        if stampli_company:
            text = f"Company '{stampli_company}' has no M3 company. Add a row to companies.csv"
            text += "." if crosswalks.has_companies else ", or set 'cono'."
        else:
            text = "The document names no company. Set 'cono', or let the tap give the company as a constant."
        findings.add("unknown_company", "company", text)
        return None, None
    company = reference.companies.get(place.cono)
    divisions = [each for each in company.company.divisions if each] if company else []
    if not place.divi and len(divisions) == 1:
        place = Place(place.cono, divisions[0], place.bank)
    return place, company

"""Which M3 supplier a Stampli vendor is. Only exact matches count; what is merely near is a suggestion."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from stampli_infor_transforms.crosswalks import Crosswalks
    from stampli_infor_transforms.findings import Findings
    from stampli_infor_transforms.policy import Policy
    from stampli_infor_transforms.reference import CompanyReference
    from stampli_infor_transforms.rows import Supplier

BLOCKED: Final = "90"
PRELIMINARY: Final = "10"


@dataclass(frozen=True, slots=True)
class Vendor:
    """A vendor as a document names it; any of the three may be blank."""

    vendor_id: str
    external_id: str
    name: str

    def __str__(self) -> str:
        number = self.vendor_id or self.external_id
        if not number:
            return f"Vendor '{self.name}'"
        return f"Vendor {number}" + (f" ({self.name})" if self.name else "")


@dataclass(frozen=True, slots=True)
class Party:
    """The supplier found, and whom to pay; both '' where none was found."""

    suno: str = ""
    payee: str = ""


def find_supplier(
    vendor: Vendor, *, crosswalks: Crosswalks, company: CompanyReference, policy: Policy, findings: Findings
) -> Party:
    """Return the supplier by the ways of `supplier_match`; the first that has a say decides."""
    search = _Search(vendor, crosswalks, company, policy, findings)
    if not (vendor.vendor_id or vendor.external_id or vendor.name):
        findings.add(
            "vendor_missing",
            "supplier",
            "The document names no vendor: id, external id and name are blank. "
            "Choose the vendor in Stampli and export again.",
        )
        return Party()
    for way in policy.supplier_match:
        found = search.ways[way]()
        if found is not None:
            return found
    search.not_found(f"has no M3 supplier in company {company.company.cono}")
    return Party()


class _Search:
    """One search; every way returns None where it has no say, so that the next is tried."""

    def __init__(
        self,
        vendor: Vendor,
        crosswalks: Crosswalks,
        company: CompanyReference,
        policy: Policy,
        findings: Findings,
    ) -> None:
        self.vendor = vendor
        self.crosswalks = crosswalks
        self.company = company
        self.cono = company.company.cono
        self.policy = policy
        self.findings = findings
        self.ways: dict[str, Callable[[], Party | None]] = {
            "crosswalk": self.by_crosswalk,
            "external_id": self.by_external_id,
            "name": self.by_name,
        }

    def by_crosswalk(self) -> Party | None:
        row = self.crosswalks.supplier(self.company.company.cono, self.vendor.vendor_id)
        if row is None:
            return None
        supplier = self.company.supplier(row.cells["suno"])
        if supplier is None:
            self.not_found(
                f"leads to supplier {row.cells['suno']} ({row.at}), which M3 company {self.cono} does not "
                "have",
                code=row.cells["suno"],
            )
            return Party()
        return _party(supplier, row.cells["payee"])

    def by_external_id(self) -> Party | None:
        external_id = self.vendor.external_id
        if not external_id:
            return None
        supplier = self.company.supplier(external_id)
        if supplier is not None:
            return _party(supplier)
        referenced = self.company.suppliers_with_reference(external_id)
        if not referenced:
            self.not_found(f"has external id {external_id}, which M3 company {self.cono} does not have")
            return Party()
        return self._only(referenced, f"external id {external_id}")

    def by_name(self) -> Party | None:
        # An external id that M3 lacks is a question for a person; a name must not answer it.
        if self.vendor.external_id and "external_id" in self.policy.supplier_match:
            return None
        named = self.company.suppliers_named(self.vendor.name)
        active = tuple(each for each in named if each.status != BLOCKED) or named
        if not active:
            return None
        party = self._only(active, f"name {self.vendor.name}")
        if not party.suno:
            return party
        self.findings.notes.append(f"{self.vendor} is supplier {party.suno} by name ({active[0].name}).")
        if self.policy.name_needs_confirmation:
            self.findings.add(
                "name_match_unconfirmed",
                "supplier",
                f"{self.vendor} was found by its name alone: M3 supplier {party.suno} ({active[0].name}). "
                "Check it, then release, or add a row to suppliers.csv.",
            )
        return party

    def _only(self, found: tuple[Supplier, ...], by: str) -> Party:
        if len(found) == 1:
            return _party(found[0])
        self.findings.add(
            "supplier_ambiguous",
            "supplier",
            f"{self.vendor} could be {len(found)} suppliers of M3 company {self.cono} by {by}: "
            f"{', '.join(each.suno for each in found[:10])}. Say in suppliers.csv which one is meant.",
            suggestions=tuple(f"{each.suno} {each.name}".strip() for each in found[:3]),
        )
        return Party()

    def not_found(self, what: str, *, code: str = "") -> None:
        suggestions = self.company.suggest_suppliers(
            name=self.vendor.name, code=code or self.vendor.external_id or self.vendor.vendor_id
        )
        text = f"{self.vendor} {what}. Add a row to suppliers.csv or create the supplier in M3."
        self.findings.add("supplier_not_found", "supplier", text, suggestions=suggestions)


def _party(supplier: Supplier, payee: str = "") -> Party:
    return Party(supplier.suno, payee or supplier.payee or supplier.suno)

"""Which M3 supplier a Stampli vendor is. Only exact matches count; what is merely near is a suggestion."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from stampli_infor_transforms.codes import is_mangled
from stampli_infor_transforms.hints import NO_HINTS, confirmation_key, same_tax_number
from stampli_infor_transforms.values import shown

if TYPE_CHECKING:
    from collections.abc import Callable

    from stampli_infor_transforms.crosswalks import Crosswalks
    from stampli_infor_transforms.findings import Findings
    from stampli_infor_transforms.hints import Hints
    from stampli_infor_transforms.policy import Policy
    from stampli_infor_transforms.reference import CompanyReference
    from stampli_infor_transforms.rows import Supplier

BLOCKED: Final = "90"
PRELIMINARY: Final = "10"


@dataclass(frozen=True, slots=True)
class Vendor:
    """A vendor as a document names it; any of these may be blank."""

    vendor_id: str
    external_id: str
    name: str
    tax_id: str = ""

    def __str__(self) -> str:
        number, name = shown(self.vendor_id or self.external_id), shown(self.name)
        if not number:
            return f"Vendor '{name}'"
        return f"Vendor {number}" + (f" ({name})" if name else "")


@dataclass(frozen=True, slots=True)
class Party:
    """The supplier found, and whom to pay; both '' where none was found."""

    suno: str = ""
    payee: str = ""


def find_supplier(  # noqa: PLR0913 - all by name
    vendor: Vendor,
    *,
    crosswalks: Crosswalks,
    company: CompanyReference,
    policy: Policy,
    findings: Findings,
    hints: Hints = NO_HINTS,
) -> Party:
    """Return the supplier by the ways of `supplier_match`; the first that has a say decides."""
    search = _Search(vendor, crosswalks, company, policy, findings, hints)
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

    def __init__(  # noqa: PLR0913, PLR0917 - what find_supplier was given
        self,
        vendor: Vendor,
        crosswalks: Crosswalks,
        company: CompanyReference,
        policy: Policy,
        findings: Findings,
        hints: Hints,
    ) -> None:
        self.vendor = vendor
        self.crosswalks = crosswalks
        self.company = company
        self.cono = company.company.cono
        self.policy = policy
        self.findings = findings
        self.confirmed = ""
        if hints.confirmed:
            key = confirmation_key(vendor_id=vendor.vendor_id, vendor_name=vendor.name)
            self.confirmed = hints.confirmed.get((self.cono, key), "")
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
        self.note_tax_number(supplier)
        return _party(supplier, row.cells["payee"])

    def by_external_id(self) -> Party | None:
        external_id = self.vendor.external_id
        if not external_id:
            return None
        supplier = self.company.supplier(external_id)
        if supplier is not None:
            self.note_tax_number(supplier)
            return _party(supplier)
        referenced = self.company.suppliers_with_reference(external_id)
        if not referenced and is_mangled(external_id):
            self.findings.add(
                "code_mangled",
                "supplier",
                f"The external id '{shown(external_id)}' of {self.vendor} is a code that a spreadsheet "
                "turned into a "
                "number. Let Stampli export again and do not save the file from a spreadsheet, or "
                "correct the id.",
                suggestions=self.company.suggest_suppliers(name=self.vendor.name, code=external_id),
            )
            return Party()
        if not referenced:
            self.not_found(
                f"has external id {shown(external_id)}, which M3 company {self.cono} does not have"
            )
            return Party()
        return self._only(referenced, f"external id {shown(external_id)}")

    def by_name(self) -> Party | None:
        # An external id that M3 lacks is a question for a person; a name must not answer it.
        if self.vendor.external_id and "external_id" in self.policy.supplier_match:
            return None
        named = self.company.suppliers_named(self.vendor.name)
        active = self._narrowed(tuple(each for each in named if each.status != BLOCKED) or named)
        if not active:
            return None
        party = self._only(active, f"name {shown(self.vendor.name)}")
        if party.suno:
            self._check_name_match(active[0])
        return party

    def _narrowed(self, named: tuple[Supplier, ...]) -> tuple[Supplier, ...]:
        """Return the one of several with the same name that a person, else its tax number, says it is."""
        if len(named) > 1:
            confirmed = tuple(each for each in named if each.suno == self.confirmed)
            numbered = tuple(each for each in named if self._tax_numbers_agree(each))
            return next((found for found in (confirmed, numbered) if len(found) == 1), named)
        return named

    def _check_name_match(self, supplier: Supplier) -> None:
        """A name alone may mislead: a tax number that differs holds it."""
        agrees = self._tax_numbers_agree(supplier)
        confirmed = self.confirmed == supplier.suno
        how = ", confirmed by its tax number" if agrees else ", confirmed by a person" if confirmed else ""
        self.findings.notes.append(
            f"{self.vendor} is supplier {supplier.suno} by name ({supplier.name}){how}."
        )
        if agrees is False:
            self.findings.add(
                "supplier_tax_number_differs",
                "supplier",
                f"{self.vendor} has the name of M3 supplier {supplier.suno} ({supplier.name}), but tax "
                "number "
                f"{shown(self.vendor.tax_id)}, and M3 has {supplier.tax_number}. Check which supplier "
                "it is, then release, "
                "or add a row to suppliers.csv.",
            )
        elif self.policy.name_needs_confirmation and not agrees and not confirmed:
            self.findings.add(
                "name_match_unconfirmed",
                "supplier",
                f"{self.vendor} was found by its name alone: M3 supplier {supplier.suno} ({supplier.name}). "
                "Check it, then confirm it for good (mapping confirm), release this document alone, or add a "
                "row to suppliers.csv.",
            )

    def _tax_numbers_agree(self, supplier: Supplier) -> bool | None:
        """Return whether both tax numbers are the same, None where one is not known."""
        if not self.vendor.tax_id or not supplier.tax_number:
            return None
        return same_tax_number(self.vendor.tax_id, supplier.tax_number)

    def note_tax_number(self, supplier: Supplier) -> None:
        """Note a tax number that differs: an id decides all the same, and a reader should know."""
        if self._tax_numbers_agree(supplier) is False:
            self.findings.notes.append(
                f"{self.vendor} has tax number {shown(self.vendor.tax_id)}, M3 supplier {supplier.suno} "
                f"{supplier.tax_number}."
            )

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
        zeros = self.company.supplier_lacks_zeros(code or self.vendor.external_id)
        if zeros:
            what += f". M3 has {zeros}, which differs in leading zeros alone"
        text = f"{self.vendor} {what}. Add a row to suppliers.csv or create the supplier in M3."
        self.findings.add("supplier_not_found", "supplier", text, suggestions=suggestions)


def _party(supplier: Supplier, payee: str = "") -> Party:
    return Party(supplier.suno, payee or supplier.payee or supplier.suno)

"""Stampli's vendors and GL accounts held against M3, with the crosswalk rows that are missing."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, Literal

from stampli_infor_transforms.coding import Coder, SourceLine
from stampli_infor_transforms.companies import Place, place_of
from stampli_infor_transforms.findings import Fields, Findings
from stampli_infor_transforms.line_checks import check_line
from stampli_infor_transforms.names import normalise_name
from stampli_infor_transforms.suppliers import BLOCKED, PRELIMINARY, Vendor, find_supplier
from stampli_infor_transforms.tables import TABLES

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from datetime import date

    from stampli_infor_transforms.crosswalks import Crosswalks
    from stampli_infor_transforms.policy import Policy
    from stampli_infor_transforms.reasons import Reason
    from stampli_infor_transforms.reference import CompanyReference

Outcome = Literal["matched", "renamed", "blocked", "ambiguous", "unmatched"]
_BLOCKED: Final = {"gl_account_blocked", "dimension_blocked", "dimension_not_valid_on_date"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Alignment:
    """One vendor or GL account beside what M3 has.

    Attributes:
        company: Stampli's company, '' for none.
        code: the vendor id or GL account.
        name: Stampli's name.
        outcome: ``matched``; ``renamed``: found, but M3's name is another; ``blocked``: found, but blocked,
            preliminary or not open; ``ambiguous``: several; ``unmatched``: none.
        m3_code: the supplier number or account found, '' for none.
        m3_name: its name.
        text: for a clerk, what is wrong; '' for nothing.
        suggestions: likely values, best first.
        proposed: the row to review and merge into suppliers.csv or gl_accounts.csv, by column; {} where
            there is nothing to propose.
    """

    company: str
    code: str
    name: str
    outcome: Outcome
    m3_code: str = ""
    m3_name: str = ""
    text: str = ""
    suggestions: tuple[str, ...] = ()
    proposed: Mapping[str, str] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return the row as a JSON object."""
        return {
            "company": self.company,
            "code": self.code,
            "name": self.name,
            "outcome": self.outcome,
            "m3_code": self.m3_code,
            "m3_name": self.m3_name,
            "text": self.text,
            "suggestions": list(self.suggestions),
            "proposed": dict(self.proposed),
        }


def align_suppliers(
    vendor_records: Iterable[Mapping[str, Any]],
    company_reference: CompanyReference,
    crosswalks: Crosswalks,
    policy: Policy,
) -> tuple[Alignment, ...]:
    """Return each vendor of this M3 company beside its supplier; vendors of other companies are left out.

    A row is proposed for a name match and for the best suggestion: both are for a person to judge.
    """
    found = []
    for record in vendor_records:
        fields = Fields(record, Findings())
        if _place(fields, company_reference, crosswalks, policy) is None:
            continue
        vendor = Vendor(
            fields.text("vendor_id"),
            fields.text("vendor_external_id"),
            fields.text("vendor_name"),
            fields.text("tax_id"),
        )
        found.append(_supplier_row(fields.text("company"), vendor, company_reference, crosswalks, policy))
    return tuple(found)


def align_accounts(
    account_records: Iterable[Mapping[str, Any]],
    company_reference: CompanyReference,
    crosswalks: Crosswalks,
    policy: Policy,
    *,
    on: date,
) -> tuple[Alignment, ...]:
    """Return each GL account of this M3 company beside M3's, as a line is coded on a day."""
    found = []
    for record in account_records:
        fields = Fields(record, Findings())
        place = _place(fields, company_reference, crosswalks, policy)
        if place is not None:
            found.append(_account_row(fields, place, company_reference, crosswalks, policy, on))
    return tuple(found)


def align_homeless(
    records: Iterable[Mapping[str, Any]],
    code_field: str,
    known: Collection[int],
    crosswalks: Crosswalks,
    policy: Policy,
) -> tuple[Alignment, ...]:
    """Return the vendors or accounts that belong to none of the known M3 companies, each with what to do.

    Args:
        records: of the stream `vendors` or `gl_accounts`.
        code_field: ``vendor_id`` or ``gl_account``.
        known: the M3 companies whose reference data there is.
        crosswalks: the tables.
        policy: the settings.
    """
    found = []
    for record in records:
        fields = Fields(record, Findings())
        owner = fields.text("company")
        place = place_of(owner, crosswalks=crosswalks, policy=policy)
        if (place is None and not owner) or (place is not None and place.cono in known):
            continue
        text = (
            f"Company '{owner}' has no M3 company. Add a row to companies.csv."
            if place is None
            else f"Of M3 company {place.cono} no reference data was read. Run `reference refresh`."
        )
        name = fields.text("vendor_name") or fields.text("gl_account_name")
        row = Alignment(
            company=owner, code=fields.text(code_field), name=name, outcome="unmatched", text=text
        )
        found.append(row)
    return tuple(found)


def _place(fields: Fields, company: CompanyReference, crosswalks: Crosswalks, policy: Policy) -> Place | None:
    """Return the place in this company; what names no company, where no setting does, is every company's."""
    owner = fields.text("company")
    place = place_of(owner, crosswalks=crosswalks, policy=policy)
    if place is None and not owner:
        return Place(company.company.cono, "")
    return place if place is not None and place.cono == company.company.cono else None


def _supplier_row(
    owner: str, vendor: Vendor, company: CompanyReference, crosswalks: Crosswalks, policy: Policy
) -> Alignment:
    findings = Findings()
    party = find_supplier(vendor, crosswalks=crosswalks, company=company, policy=policy, findings=findings)
    supplier = company.supplier(party.suno) if party.suno else None
    text, suggestions = _said(findings.reasons)
    outcome: Outcome = "matched"
    if supplier is None:
        outcome = "ambiguous" if findings.has("supplier_ambiguous") else "unmatched"
    elif supplier.status in {BLOCKED, PRELIMINARY}:
        outcome = "blocked"
        state = "blocked" if supplier.status == BLOCKED else "preliminary"
        text = f"Supplier {supplier.suno} is {state} in M3. Change it in CRS620. {text}".strip()
    elif vendor.name and normalise_name(vendor.name) != normalise_name(supplier.name):
        outcome = "renamed"
        text = f"M3 has another name: {supplier.name}. Check that it is the same supplier. {text}".strip()
    by_name = supplier is not None and company.supplier(vendor.external_id) is None
    has_row = crosswalks.supplier(company.company.cono, vendor.vendor_id) is not None
    suno = supplier.suno if supplier is not None and by_name else ""
    if supplier is None and suggestions:
        suno = suggestions[0].split(" ", 1)[0]
    proposed = {
        "cono": str(company.company.cono),
        "stampli_vendor_id": vendor.vendor_id,
        "suno": suno,
        "payee": "",
    }
    return Alignment(
        company=owner,
        code=vendor.vendor_id or vendor.external_id,
        name=vendor.name,
        outcome=outcome,
        m3_code=supplier.suno if supplier is not None else "",
        m3_name=supplier.name if supplier is not None else "",
        text=text,
        suggestions=suggestions,
        proposed=proposed if suno and vendor.vendor_id and not has_row else {},
    )


def _account_row(  # noqa: PLR0913, PLR0917 - one row's worth of what align_accounts was given
    fields: Fields, place: Place, company: CompanyReference, crosswalks: Crosswalks, policy: Policy, on: date
) -> Alignment:
    code, name, findings = fields.text("gl_account"), fields.text("gl_account_name"), Findings()
    source = SourceLine(
        number="1",
        amount=Decimal(1),
        tax=Decimal(),
        tax_code="",
        text="",
        gl_account=code,
        dimensions={},
        allocation="",
    )
    coder = Coder(place=place, currency="", crosswalks=crosswalks, policy=policy, findings=findings)
    lines = coder.lines(source, tax_code="", tax_rule="")
    for line in lines:
        check_line(line, company=company, divi=place.divi, on=on, findings=findings)
    # What the account asks for comes with each line's own dimensions.
    reasons = tuple(each for each in findings.reasons if each.code != "dimension_required")
    accounts = dict.fromkeys(line.ait[0] for line in lines)
    values = [company.dimension(1, account, place.divi) for account in accounts if account]
    value = values[0] if len(values) == 1 else None
    text, suggestions = _said(reasons)
    outcome: Outcome = "matched"
    if any(each.code in _BLOCKED for each in reasons):
        outcome = "blocked"
    elif reasons:
        outcome = "unmatched"
    elif value is not None and value.name and name and normalise_name(name) != normalise_name(value.name):
        outcome = "renamed"
        text = f"M3 has another name: {value.name}. Check that it is the same account."
    proposed = {}
    if outcome == "unmatched" and suggestions and code:
        account = suggestions[0].split(" ", 1)[0]
        proposed = dict.fromkeys(TABLES["gl_accounts.csv"].columns, "") | {
            "cono": str(place.cono),
            "divi": place.divi,
            "stampli_gl_account": code,
            "ait1": account,
        }
    return Alignment(
        company=fields.text("company"),
        code=code,
        name=name,
        outcome=outcome,
        m3_code=value.code if value is not None else "",
        m3_name=value.name if value is not None else "",
        text=text,
        suggestions=suggestions,
        proposed=proposed,
    )


def _said(reasons: tuple[Reason, ...]) -> tuple[str, tuple[str, ...]]:
    suggestions = next((each.suggestions for each in reasons if each.suggestions), ())
    return " ".join(each.text for each in reasons), suggestions

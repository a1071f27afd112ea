"""From a Stampli invoice to an accounting invoice, or to every reason why not."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from stampli_infor_transforms.checks import check_invoice
from stampli_infor_transforms.coding import Coder, SourceLine
from stampli_infor_transforms.companies import Place, find_place, place_of
from stampli_infor_transforms.documents import AccountingInvoice, AccountingLine, Mapping
from stampli_infor_transforms.findings import Fields, Findings, is_record
from stampli_infor_transforms.identity import IdentityError, is_approved, kind_of, source_key
from stampli_infor_transforms.numbering import normalise_number
from stampli_infor_transforms.policy import DIMENSIONS
from stampli_infor_transforms.suppliers import Party, Vendor, find_supplier
from stampli_infor_transforms.taxes import TaxCodes, tax_is_in_header, tax_total_of

if TYPE_CHECKING:
    from collections.abc import Mapping as MappingABC
    from datetime import date

    from stampli_infor_transforms.crosswalks import Crosswalks
    from stampli_infor_transforms.policy import Policy
    from stampli_infor_transforms.reference import Reference


def map_invoice(
    record: MappingABC[str, Any], *, crosswalks: Crosswalks, reference: Reference, policy: Policy, today: date
) -> Mapping:
    """Return what an invoice record becomes; never raises, whatever the record holds.

    Args:
        record: a record of the stream `invoices`; amounts are Decimal, int or str.
        crosswalks: the tables.
        reference: M3's data.
        policy: the settings.
        today: the run's date.
    """
    findings = Findings()
    if not is_record(record, "invoice", findings):
        return Mapping(None, findings.reasons)
    invoice = _Invoice(
        fields=Fields(record, findings),
        crosswalks=crosswalks,
        reference=reference,
        policy=policy,
        today=today,
        findings=findings,
    )
    return invoice.mapped()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Invoice:
    """One invoice on its way, beside all that it is mapped with."""

    fields: Fields
    crosswalks: Crosswalks
    reference: Reference
    policy: Policy
    today: date
    findings: Findings

    def mapped(self) -> Mapping:
        """Map everything that can be mapped, then check the whole."""
        fields, findings = self.fields, self.findings
        _status(fields, self.policy)
        company_text = fields.text("company")
        place, company = find_place(
            company_text,
            crosswalks=self.crosswalks,
            reference=self.reference,
            policy=self.policy,
            findings=findings,
        )
        vendor = Vendor(
            fields.text("vendor_id"), fields.text("vendor_external_id"), fields.text("vendor_name")
        )
        party = Party()
        if company is not None:
            party = find_supplier(
                vendor, crosswalks=self.crosswalks, company=company, policy=self.policy, findings=findings
            )
        total, tax_total, lines = self._amounts(company_text, place)
        invoice_date = fields.date("invoice_date")
        if invoice_date is None and not findings.has_at("invoice_date"):
            findings.add(
                "date_missing",
                "invoice_date",
                "The invoice has no date. Enter it in Stampli and export again.",
            )
        accounting_date = self._accounting_date(invoice_date)
        currency = fields.text("currency").upper()
        here = place or Place(0, "")
        # Without a company no row of a crosswalk can be found: what coding says of that is of no use.
        coded = findings if place is not None else Findings()
        coder = Coder(
            place=here,
            currency=currency,
            crosswalks=self.crosswalks,
            policy=self.policy,
            findings=coded,
        )
        taxes = TaxCodes(
            place=here,
            supplier=company.supplier(party.suno) if company is not None else None,
            crosswalks=self.crosswalks,
            policy=self.policy,
            findings=coded,
        )
        document = AccountingInvoice(
            cono=here.cono,
            divi=here.divi,
            supplier=party.suno,
            payee=party.payee,
            number=fields.text("invoice_number"),
            kind=kind_of(fields.record),
            currency=currency,
            total=total if total is not None else Decimal(),
            tax_total=tax_total_of(tax_total, lines),
            invoice_date=invoice_date or self.today,
            due_date=fields.date("due_date"),
            accounting_date=accounting_date or self.today,
            terms=self._terms(place),
            payment_method=self.policy.payment_method,
            po_number=fields.text("po_number"),
            company=company_text,
            source_key=key_of("invoices", fields),
            lines=self._coded(lines, tax_total, coder, taxes),
        )
        again = check_invoice(document, reference=self.reference, today=self.today)
        findings.keep_new(each for each in again if not self._follows(each.code, each.field, party))
        complete = place is not None and total is not None and invoice_date is not None
        return Mapping(document if complete else None, findings.reasons, tuple(findings.notes))

    def _follows(self, code: str, field: str, party: Party) -> bool:
        """Whether a check only repeats what was found before, on a value that stands in for a missing one."""
        if code in {"unbalanced", "contradicting_signs"}:
            return self.findings.has_amounts()
        if code == "no_lines":
            return self.findings.has("malformed_document")
        if code == "unknown_company":
            return self.findings.has("unknown_company")
        return not party.suno and (field in {"supplier", "payee"} or code == "tax_code_missing")

    def _amounts(
        self, company_text: str, place: Place | None
    ) -> tuple[Decimal | None, Decimal | None, list[SourceLine]]:
        """Read the amounts; a credit memo with a positive total is turned negative as a whole."""
        fields, findings = self.fields, self.findings
        total, tax = fields.amount("total_amount"), fields.amount("tax_amount")
        if total is None and not findings.has_at("total_amount"):
            findings.add(
                "amount_missing",
                "total_amount",
                "The invoice has no total. Enter it in Stampli, or set total_from_lines on the tap.",
            )
        stated = normalise_number(fields.text("invoice_type"))
        if stated not in {"", "INVOICE", "CREDIT_MEMO"}:
            findings.add(
                "malformed_document",
                "invoice_type",
                f"Invoice type '{stated[:40]}' is neither INVOICE nor CREDIT_MEMO. Correct the tap's "
                "template.",
            )
        sign = -1 if stated == "CREDIT_MEMO" and total is not None and total > 0 else 1
        lines = [
            line
            for at, part in enumerate(fields.parts("lines"), 1)
            if (line := self._line(part, at, sign, company_text, place)) is not None
        ]
        return (None if total is None else sign * total), (None if tax is None else sign * tax), lines

    def _line(
        self, part: MappingABC[str, Any], at: int, sign: int, company_text: str, place: Place | None
    ) -> SourceLine | None:
        number = Fields(part, Findings()).text("line_number") or str(at)
        fields = Fields(part, self.findings, f"lines.{number}.")
        fields.text("line_number")
        self._line_company(fields.text("company"), number, company_text, place)
        amount, tax = fields.amount("amount"), fields.amount("tax_amount")
        if amount is None:
            if not self.findings.has_at(f"lines.{number}.amount"):
                self.findings.add(
                    "amount_missing",
                    f"lines.{number}.amount",
                    f"Line {number} has no amount. Enter it in Stampli and export again.",
                )
        elif not amount and not tax:
            self.findings.notes.append(f"Line {number} has the amount 0 and is not sent to M3.")
            return None
        dimensions = {name: fields.text(name) for name in DIMENSIONS}
        return SourceLine(
            number=number,
            amount=sign * (amount or Decimal()),
            tax=sign * (tax or Decimal()),
            tax_code=fields.text("tax_code"),
            text=fields.text("description"),
            gl_account=fields.text("gl_account"),
            dimensions={name: code for name, code in dimensions.items() if code},
            allocation=fields.text("allocation"),
        )

    def _line_company(self, named: str, number: str, company_text: str, place: Place | None) -> None:
        if not named or normalise_number(named) == normalise_number(company_text):
            return
        row = self.crosswalks.company(named)
        if row is not None and place is not None:
            own = place_of(named, crosswalks=self.crosswalks, policy=self.policy)
            if own is not None and (own.cono, own.divi) == (place.cono, place.divi):
                return
        self.findings.add(
            "line_company_differs",
            f"lines.{number}.company",
            f"Line {number} is for company '{named}', the invoice for '{company_text}'. Split the invoice "
            "per company "
            "in Stampli, or book the shares between companies in M3 by hand.",
        )

    def _accounting_date(self, invoice_date: date | None) -> date | None:
        posting_date = self.fields.date("posting_date")
        if self.policy.accounting_date == "today":
            return self.today
        return (posting_date if self.policy.accounting_date == "posting" else None) or invoice_date

    def _terms(self, place: Place | None) -> str:
        stated = self.fields.text("payment_terms")
        if not stated or place is None:
            return ""
        row = self.crosswalks.terms(place.cono, stated)
        if row is None:
            self.findings.notes.append(
                f"Payment terms '{stated}' have no row in payment_terms.csv: M3 takes the supplier's."
            )
            return ""
        return row.cells["tepy"]

    def _coded(
        self, lines: list[SourceLine], tax_total: Decimal | None, coder: Coder, taxes: TaxCodes
    ) -> tuple[AccountingLine, ...]:
        in_header = tax_is_in_header(tax_total, lines)
        found: list[AccountingLine] = []
        for line in lines:
            code, rule = "", ""
            if not in_header:
                where, what = f"lines.{line.number}.tax_code", f"Line {line.number}"
                code, rule = taxes.of(line.tax_code, line.tax, where=where, what=what)
            found.extend(coder.lines(line, tax_code=code, tax_rule=rule))
        if in_header and tax_total is not None:
            code, rule = taxes.of_header(tax_total, lines)
            trace = (rule,) if rule else ()
            found.append(
                AccountingLine(kind="tax", amount=Decimal(), tax=tax_total, tax_code=code, trace=trace)
            )
        return tuple(found)


def key_of(stream: str, fields: Fields) -> str:
    """Return the source key, or '' with the reason why there is none."""
    try:
        return source_key(stream, fields.record)
    except IdentityError as error:
        fields.findings.keep_new([error.reason])
        return ""


def _status(fields: Fields, policy: Policy) -> None:
    if is_approved(fields.record, policy.approved_statuses):
        return
    fields.findings.add(
        "not_approved",
        "status",
        f"The invoice has the status '{fields.text('status')}', which is none of: "
        f"{', '.join(policy.approved_statuses)}. "
        "Approve it in Stampli, or add the status to approved_statuses.",
    )

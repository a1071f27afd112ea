"""From a Stampli invoice to an accounting invoice, or to every reason why not."""

from __future__ import annotations

from collections.abc import Mapping as MappingABC
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from stampli_infor_transforms.checks import check_invoice
from stampli_infor_transforms.coding import Coder
from stampli_infor_transforms.companies import Place, find_place
from stampli_infor_transforms.documents import AccountingInvoice, Mapping
from stampli_infor_transforms.findings import Fields, Findings, is_record
from stampli_infor_transforms.hints import NO_HINTS
from stampli_infor_transforms.identity import IdentityError, is_approved, kind_of, source_key
from stampli_infor_transforms.invoice_lines import InvoiceReader
from stampli_infor_transforms.suppliers import Party, Vendor, find_supplier
from stampli_infor_transforms.taxes import TaxCodes, TaxPart, tax_is_in_header, tax_lines, tax_total_of
from stampli_infor_transforms.values import shown, text_of

if TYPE_CHECKING:
    from datetime import date

    from stampli_infor_transforms.coding import SourceLine
    from stampli_infor_transforms.crosswalks import Crosswalks
    from stampli_infor_transforms.document_parts import AccountingLine
    from stampli_infor_transforms.hints import Hints
    from stampli_infor_transforms.policy import Policy
    from stampli_infor_transforms.reference import Reference


def map_invoice(  # noqa: PLR0913 - all by name
    record: MappingABC[str, Any],
    *,
    crosswalks: Crosswalks,
    reference: Reference,
    policy: Policy,
    today: date,
    hints: Hints = NO_HINTS,
) -> Mapping:
    """Return what an invoice record becomes; never raises, whatever the record holds.

    Args:
        record: a record of the stream `invoices`; amounts are Decimal, int or str.
        crosswalks: the tables.
        reference: M3's data.
        policy: the settings.
        today: the run's date.
        hints: what is known of vendors besides, e.g. name matches that a person confirmed.
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
        hints=hints,
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
    hints: Hints
    findings: Findings

    def mapped(self) -> Mapping:
        """Map everything that can be mapped, then check the whole."""
        fields, findings = self.fields, self.findings
        _status(fields, self.policy)
        company_text = fields.text("company")
        _part_note(fields, company_text)
        place, company = find_place(
            company_text,
            crosswalks=self.crosswalks,
            reference=self.reference,
            policy=self.policy,
            findings=findings,
        )
        vendor = vendor_of(fields, company_text, self.hints)
        party = Party()
        if company is not None:
            party = find_supplier(
                vendor,
                crosswalks=self.crosswalks,
                company=company,
                policy=self.policy,
                findings=findings,
                hints=self.hints,
            )
        total, tax_total, lines = InvoiceReader(
            fields, company=company_text, place=place, crosswalks=self.crosswalks, policy=self.policy
        ).amounts()
        _po_invoice(fields, lines, self.policy)
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
            company=company_text,
            vendors=(vendor.vendor_id, vendor.external_id, vendor.name, party.suno),
        )
        taxes = TaxCodes(
            place=here,
            currency=currency,
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
        """Return the expense lines, then a tax line for each code of tax that stands by itself."""
        in_header = tax_is_in_header(tax_total, lines)
        found: list[AccountingLine] = []
        by_itself: list[TaxPart] = []
        for line in lines:
            code, rule = "", ""
            if not in_header:
                where, what = f"lines.{line.number}.tax_code", f"Line {line.number}"
                code, rule = taxes.of(line.tax_code, line.tax, where=where, what=what)
            if line.is_tax:
                by_itself.append(TaxPart(code, line.tax, rule))
            else:
                found.extend(coder.lines(line, tax_code=code, tax_rule=rule))
        if in_header and tax_total is not None:
            by_itself.extend(taxes.of_header(tax_total, lines))
        return (*found, *tax_lines(by_itself))


def key_of(stream: str, fields: Fields) -> str:
    """Return the source key, or '' with the reason why there is none."""
    try:
        return source_key(stream, fields.record)
    except IdentityError as error:
        fields.findings.keep_new([error.reason])
        return ""


def vendor_of(fields: Fields, company: str, hints: Hints) -> Vendor:
    """Return the vendor that a document names; its tax id from the document, else from the vendors stream."""
    vendor_id = fields.text("vendor_id")
    return Vendor(
        vendor_id,
        fields.text("vendor_external_id"),
        fields.text("vendor_name"),
        fields.text("vendor_tax_id") or hints.tax_id(company, vendor_id),
    )


def _part_note(fields: Fields, company: str) -> None:
    """Note what a part of a divided invoice was taken from."""
    whole = fields.record.get("split_from")
    if isinstance(whole, MappingABC):
        total, owner = shown(whole.get("total_amount")), text_of(whole.get("company")) or "none"
        fields.findings.notes.append(
            f"This is the part of company {company[:40]} of an invoice over {total} that Stampli "
            "holds for company "
            f"{owner[:40]}."
        )


def _po_invoice(fields: Fields, lines: list[SourceLine], policy: Policy) -> None:
    numbers = dict.fromkeys([fields.text("po_number"), *(line.po_number for line in lines)])
    named = [number[:40] for number in numbers if number]
    if policy.po_invoices == "review" and named:
        fields.findings.add(
            "po_invoice",
            "po_number",
            f"The invoice is for purchase order {', '.join(named[:5])}. Check in M3 whether it is "
            "to be matched with "
            "the order's receipts; release it to post it as an expense.",
        )


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

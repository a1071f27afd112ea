"""The accounting documents that leave this stage: what is to stand in M3, by whatever MI program.

Amounts are `Decimal` and signed (credits are negative throughout); in JSON they are plain decimal strings and
dates are ISO.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal

from stampli_infor_transforms.document_parts import AccountingLine, AppliedInvoice, key_text, plain
from stampli_infor_transforms.numbering import fold_number, normalise_number

if TYPE_CHECKING:
    from collections.abc import Mapping as MappingABC

    from stampli_infor_transforms.reasons import Reason

__all__ = ["AccountingInvoice", "AccountingLine", "AccountingPayment", "AppliedInvoice", "Mapping"]

InvoiceKind = Literal["INVOICE", "CREDIT_MEMO"]


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountingInvoice:
    """A supplier invoice or credit memo as it is to stand in M3.

    Attributes:
        cono: M3 company.
        divi: M3 division, '' where the company has none.
        supplier: SUNO.
        payee: SPYN.
        number: the supplier's number as sent, at most 24 characters.
        kind: ``INVOICE`` or ``CREDIT_MEMO``.
        currency: ISO 4217.
        total: gross, signed.
        tax_total: signed.
        invoice_date: date on the invoice.
        due_date: None where M3 is to work it out.
        accounting_date: date of the voucher.
        terms: TEPY, '' for the supplier's own.
        payment_method: PYME, '' for the supplier's own.
        po_number: purchase order, '' for none.
        company: Stampli's company text.
        source_key: see `identity.source_key`.
        lines: accounting lines in file order.
    """

    cono: int
    divi: str
    supplier: str
    payee: str
    number: str
    kind: InvoiceKind
    currency: str
    total: Decimal
    tax_total: Decimal
    invoice_date: date
    due_date: date | None
    accounting_date: date
    terms: str
    payment_method: str
    po_number: str
    company: str
    source_key: str
    lines: tuple[AccountingLine, ...]

    @property
    def m3_key(self) -> str:
        """The document's key on M3's side as JSON array text; neither year nor amount are part of it."""
        number = normalise_number(self.number)
        return key_text(str(self.cono), self.divi, self.payee, self.supplier, number, self.kind)

    @property
    def folded_key(self) -> str:
        """The key by which near duplicates find each other."""
        return key_text(str(self.cono), self.supplier, fold_number(self.number))

    def to_json(self) -> dict[str, Any]:
        """Return the invoice as a JSON object."""
        return {
            "cono": self.cono,
            "divi": self.divi,
            "supplier": self.supplier,
            "payee": self.payee,
            "number": self.number,
            "kind": self.kind,
            "currency": self.currency,
            "total": plain(self.total),
            "tax_total": plain(self.tax_total),
            "invoice_date": self.invoice_date.isoformat(),
            "due_date": self.due_date.isoformat() if self.due_date else None,
            "accounting_date": self.accounting_date.isoformat(),
            "terms": self.terms,
            "payment_method": self.payment_method,
            "po_number": self.po_number,
            "company": self.company,
            "source_key": self.source_key,
            "lines": [line.to_json() for line in self.lines],
        }

    @classmethod
    def from_json(cls, value: MappingABC[str, Any]) -> AccountingInvoice:
        """Read what `to_json` wrote.

        Raises:
            KeyError, TypeError, ValueError, decimal.InvalidOperation: `to_json` did not write it.
        """
        due = value["due_date"]
        return cls(
            cono=value["cono"],
            divi=value["divi"],
            supplier=value["supplier"],
            payee=value["payee"],
            number=value["number"],
            kind=value["kind"],
            currency=value["currency"],
            total=Decimal(value["total"]),
            tax_total=Decimal(value["tax_total"]),
            invoice_date=date.fromisoformat(value["invoice_date"]),
            due_date=date.fromisoformat(due) if due else None,
            accounting_date=date.fromisoformat(value["accounting_date"]),
            terms=value["terms"],
            payment_method=value["payment_method"],
            po_number=value["po_number"],
            company=value["company"],
            source_key=value["source_key"],
            lines=tuple(AccountingLine.from_json(line) for line in value["lines"]),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountingPayment:
    """A payment that Stampli made, as it is to be settled in M3.

    Attributes:
        cono: M3 company.
        divi: M3 division.
        supplier: SUNO.
        payee: SPYN.
        bank: M3's bank identity (BSID).
        currency: ISO 4217.
        amount: positive.
        payment_date: value date.
        method: Stampli's payment method as sent.
        reference: check number or trace id.
        company: Stampli's company text.
        source_key: see `identity.source_key`.
        applications: the invoices paid; their amounts add up to `amount`.
        payment_id: Stampli's payment id, '' where the file has none.
    """

    cono: int
    divi: str
    supplier: str
    payee: str
    bank: str
    currency: str
    amount: Decimal
    payment_date: date
    method: str
    reference: str
    company: str
    source_key: str
    applications: tuple[AppliedInvoice, ...]
    payment_id: str = ""

    @property
    def m3_key(self) -> str:
        """The payment's key on M3's side.

        A reference alone is no key, as banks use the same one again, so its date joins it.
        """
        parts = (str(self.cono), self.divi, self.payee, self.supplier)
        if self.payment_id:
            return key_text(*parts, normalise_number(self.payment_id), "PAYMENT")
        return key_text(*parts, normalise_number(self.reference), "PAYMENT", self.payment_date.isoformat())

    def to_json(self) -> dict[str, Any]:
        """Return the payment as a JSON object."""
        return {
            "cono": self.cono,
            "divi": self.divi,
            "supplier": self.supplier,
            "payee": self.payee,
            "bank": self.bank,
            "currency": self.currency,
            "amount": plain(self.amount),
            "payment_date": self.payment_date.isoformat(),
            "method": self.method,
            "reference": self.reference,
            "company": self.company,
            "source_key": self.source_key,
            "applications": [application.to_json() for application in self.applications],
            "payment_id": self.payment_id,
        }

    @classmethod
    def from_json(cls, value: MappingABC[str, Any]) -> AccountingPayment:
        """Read what `to_json` wrote.

        Raises:
            KeyError, TypeError, ValueError, decimal.InvalidOperation: `to_json` did not write it.
        """
        return cls(
            cono=value["cono"],
            divi=value["divi"],
            supplier=value["supplier"],
            payee=value["payee"],
            bank=value["bank"],
            currency=value["currency"],
            amount=Decimal(value["amount"]),
            payment_date=date.fromisoformat(value["payment_date"]),
            method=value["method"],
            reference=value["reference"],
            company=value["company"],
            source_key=value["source_key"],
            applications=tuple(AppliedInvoice.from_json(each) for each in value["applications"]),
            payment_id=value["payment_id"],
        )


@dataclass(frozen=True, slots=True)
class Mapping:
    """What became of one record.

    Attributes:
        document: as far as it could be mapped, None where not at all; may be posted only without `reasons`.
        reasons: everything that keeps it from being posted.
        notes: what a reader should know although nothing is wrong, e.g. a text that was cut.
    """

    document: AccountingInvoice | AccountingPayment | None
    reasons: tuple[Reason, ...] = ()
    notes: tuple[str, ...] = ()

"""What APS100MI and APS450MI have in common: a head, its lines, and questions about both."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any

from stampli_infor_transforms.reasons import reason

from target_infor_cloudsuite.ion.answers import Transaction
from target_infor_cloudsuite.m3.values import from_mi_amount, mi_amount, mi_date

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from decimal import Decimal

    from stampli_infor_transforms.documents import AccountingInvoice, AccountingLine
    from stampli_infor_transforms.reasons import Reason

    from target_infor_cloudsuite.m3.catalog import Catalog

#: Invoice batch type 20: a normal invoice; a credit is one with negative amounts.
_BATCH_TYPE = "20"
_EXPENSE, _TAX = "8", "3"
_AIT = tuple(f"AIT{number}" for number in range(1, 8))
#: A field that may stay behind where the tenant lacks it: it carries neither money nor coding.
_DISPENSABLE = frozenset({"VTXT", "DUDT", "PUNO", "PNLI"})
#: SUPA, the batch's status: in the AP ledger; validated with errors; recoding failed.
_IN_LEDGER, _WITH_ERRORS = "90", frozenset({"15", "78"})
#: More batches under one number than this are not looked at: a list that may be cut proves nothing.
LIST_LIMIT = 100


class Verdict(Enum):
    """What M3 says of a batch that was sent whole."""

    POSTED = "posted"
    PENDING = "pending"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True, order=True)
class LineSignature:
    """What LstLines tells of a line; it does not tell the accounting dimensions."""

    line_type: str
    amount: str
    tax: str
    tax_code: str


@dataclass(frozen=True, slots=True)
class InvoiceBatchProgram:
    """An AP program: how an invoice becomes transactions, and how M3 is asked what became of them.

    Attributes:
        name: The MI program.
        commit_program: The MI program that validates and posts a batch; '' where a batch posts once complete.
        required: The transactions that must be exposed for this program to be used.
    """

    name: str
    commit_program: str = ""
    required: tuple[str, ...] = ("AddHead", "AddLine", "GetHead", "LstLines", "LstInvBySupInv")

    def usable(self, catalog: Catalog) -> bool:
        """Whether the tenant exposes all that exactly-once posting needs."""
        if not catalog.exposes(self.name, *self.required):
            return False
        if self.commit_program and not catalog.exposes(self.commit_program, "ValidByBatchNo"):
            return False
        return self.name in catalog.correlated and "CORI" in catalog.fields(self.name, "AddHead")

    def unsupported(self, invoice: AccountingInvoice, catalog: Catalog) -> tuple[Reason, ...]:
        """Reasons why this tenant cannot take this invoice: a field with money or coding is missing."""
        found: list[Reason] = []
        lines_can = catalog.fields(self.name, "AddLine")
        coding = sorted(
            {name for line in invoice.lines for name in self._line(line) if name in _AIT} - set(lines_can)
        )
        if coding:
            found.append(
                reason(
                    "line_coding_not_supported",
                    "lines",
                    f"{self.name}/AddLine of this tenant lacks {', '.join(coding)}: it takes no line coding. "
                    "Ask Infor for a release that has them, or set ap_program to a program that does.",
                )
            )
        head_lacks = set(self._head(invoice)) - set(catalog.fields(self.name, "AddHead")) - _DISPENSABLE
        line_lacks = (
            {name for line in invoice.lines for name in self._line(line)} - set(lines_can) - _DISPENSABLE
        )
        for transaction, lacks in (("AddHead", head_lacks), ("AddLine", line_lacks - set(_AIT))):
            if lacks:
                found.append(
                    reason(
                        "field_not_supported",
                        "",
                        f"{self.name}/{transaction} of this tenant lacks {', '.join(sorted(lacks))}, "
                        "which this invoice needs. Ask Infor, or correct what asks for it.",
                    )
                )
        return tuple(found)

    # -- writing --------------------------------------------------------------------------------------

    def head(self, invoice: AccountingInvoice, *, cori: str, catalog: Catalog) -> Transaction:
        """AddHead for an invoice; answers INBN."""
        fields = self._head(invoice) | {"CORI": cori}
        return Transaction("AddHead", _only(fields, catalog.fields(self.name, "AddHead")), ("INBN",))

    def line(self, line: AccountingLine, *, inbn: str, divi: str, catalog: Catalog) -> Transaction:
        """AddLine for one accounting line of an open batch; answers TRNO."""
        fields = self._line(line) | {"INBN": inbn, "DIVI": divi}
        return Transaction("AddLine", _only(fields, catalog.fields(self.name, "AddLine")), ("TRNO",))

    def commit(self, *, inbn: str, divi: str) -> Transaction:
        """ValidByBatchNo: M3 validates the batch and posts it to the AP ledger, some time after its OK."""
        return Transaction("ValidByBatchNo", _given({"INBN": inbn, "DIVI": divi}))

    def withdraw(self, *, inbn: str, divi: str) -> Transaction:
        """DltInvoice: an open batch is deleted."""
        return Transaction("DltInvoice", _given({"INBN": inbn, "DIVI": divi}))

    def can_withdraw(self, catalog: Catalog) -> bool:
        """Whether this tenant lets a batch be deleted."""
        return catalog.exposes(self.name, "DltInvoice")

    # -- asking ---------------------------------------------------------------------------------------

    def batches_of(self, *, payee: str, supplier: str, number: str, divi: str) -> Transaction:
        """LstInvBySupInv: the batches M3 holds under a supplier's invoice number."""
        fields = {"SPYN": payee, "SUNO": supplier, "SINO": number, "DIVI": divi}
        return Transaction("LstInvBySupInv", _given(fields))

    def get_head(self, *, inbn: str, divi: str) -> Transaction:
        """GetHead of one batch."""
        return Transaction("GetHead", _given({"INBN": inbn, "DIVI": divi}))

    def list_lines(self, *, inbn: str, divi: str, start: str = "") -> Transaction:
        """LstLines of one batch, from a TRNO on."""
        return Transaction("LstLines", _given({"INBN": inbn, "DIVI": divi, "TRNO": start}))

    def verdict(self, head: Mapping[str, str]) -> Verdict:
        """What GetHead says became of a batch that was sent whole."""
        if head.get("SUPA", "") == _IN_LEDGER or head.get("VONO", "0").strip("0 "):
            return Verdict.POSTED
        if head.get("SUPA", "") in _WITH_ERRORS or _flagged(head):
            return Verdict.REFUSED
        return Verdict.PENDING

    def was_submitted(self, head: Mapping[str, str]) -> bool:
        """Whether GetHead shows that a batch's validation was asked for: it is no longer a new one."""
        return self.verdict(head) is not Verdict.PENDING or head.get("SUPA", "") not in {"", "0", "10"}

    # -- comparing ------------------------------------------------------------------------------------

    def signature(self, line: AccountingLine) -> LineSignature:
        """What LstLines would tell of this line."""
        return _signature(self._line(line))

    def held_signatures(self, records: Sequence[Mapping[str, str]]) -> Counter[LineSignature]:
        """What LstLines told, counted."""
        return Counter(_signature(record) for record in records)

    def same_invoice(self, head: Mapping[str, str], invoice: AccountingInvoice) -> bool:
        """Whether a batch from elsewhere is this invoice: same payee, kind (the sign), currency and total."""
        total = from_mi_amount(head.get("CUAM", ""))
        return (
            head.get("SPYN", "") == invoice.payee
            and head.get("CUCD", "") == invoice.currency
            and total == invoice.total
        )

    def line_total(self, head: Mapping[str, str], records: Sequence[Mapping[str, str]]) -> Decimal:
        """Lines plus tax as M3 holds them: what must be the head's amount."""
        net = sum(
            from_mi_amount(record.get("NLAM", "")) for record in records if record.get("RDTP") == _EXPENSE
        )
        return from_mi_amount(head.get("VTAM", "")) + net

    # -- fields ---------------------------------------------------------------------------------------

    def _head(self, invoice: AccountingInvoice) -> dict[str, str]:
        return _given(
            {
                "SUNO": invoice.supplier,
                "SPYN": invoice.payee,
                "IVDT": mi_date(invoice.invoice_date),
                "DIVI": invoice.divi,
                "IBTP": _BATCH_TYPE,
                "SINO": invoice.number,
                "CUCD": invoice.currency,
                "TEPY": invoice.terms,
                "PYME": invoice.payment_method,
                "CUAM": mi_amount(invoice.total),
                "VTAM": mi_amount(invoice.tax_total),
                "ACDT": mi_date(invoice.accounting_date),
                "DUDT": mi_date(invoice.due_date) if invoice.due_date else "",
                "PUNO": invoice.po_number,
            }
        )

    def _line(self, line: AccountingLine) -> dict[str, str]:
        tax = {"VTA1": mi_amount(line.tax), "VTCD": line.tax_code} if line.tax or line.tax_code else {}
        if line.kind == "tax":
            return _given({"RDTP": _TAX, **tax})
        coding = dict(zip(_AIT, line.ait, strict=True))
        # A line's own order; PNLI is a number in M3, and what is none would be refused.
        order = {"PUNO": line.po_number, "PNLI": line.po_line if line.po_line.isdecimal() else ""}
        amount = {"NLAM": mi_amount(line.amount), "VTXT": line.text}
        return _given({"RDTP": _EXPENSE, **amount, **tax, **coding, **order})


def _flagged(head: Mapping[str, str]) -> bool:
    return any(head.get(name, "").strip() not in {"", "0"} for name in ("IBHE", "IBLE"))


def _given(fields: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in fields.items() if value != ""}


def _only(fields: Mapping[str, str], known: Mapping[str, Any]) -> dict[str, str]:
    """Unknown fields are an error in M3; ``unsupported`` has made sure that these here are dispensable."""
    return {name: value for name, value in fields.items() if value != "" and name in known}


def _signature(record: Mapping[str, str]) -> LineSignature:
    return LineSignature(
        line_type=record.get("RDTP", ""),
        amount=mi_amount(from_mi_amount(record.get("NLAM", ""))),
        tax=mi_amount(from_mi_amount(record.get("VTA1", ""))),
        tax_code=record.get("VTCD", "").strip("0 "),
    )

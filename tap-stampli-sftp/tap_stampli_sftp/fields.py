"""The sample template's columns: what each is called, means, and which other headers name it.

Stampli publishes no file specification; this table is the project's own default. A column's place says
whether it
describes the document (``head``) or one of its lines or applications (``line``).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

Kind = Literal["code", "text", "amount", "date", "moment", "currency", "type"]
Place = Literal["head", "line"]


class StreamName(StrEnum):
    """The streams, in the order in which their messages are sent."""

    VENDORS = "vendors"
    GL_ACCOUNTS = "gl_accounts"
    INVOICES = "invoices"
    PAYMENTS = "payments"
    REJECTED_ROWS = "rejected_rows"
    SOURCE_FILES = "source_files"


FILE_STREAMS = (StreamName.VENDORS, StreamName.GL_ACCOUNTS, StreamName.INVOICES, StreamName.PAYMENTS)


@dataclass(frozen=True, slots=True)
class Column:
    """One column of the sample template.

    Args:
        field: The name in settings (``columns``, ``constants``); unique within a stream.
        header: The sample template's header.
        kind: How its text is read. ``code`` is trimmed, ``text`` is kept as it is.
        place: Document or line.
        aliases: Other headers customers use.
        output: The name in the record, where it is not ``field``.
    """

    field: str
    header: str
    kind: Kind = "code"
    place: Place = "head"
    aliases: tuple[str, ...] = ()
    output: str = ""

    @property
    def name(self) -> str:
        """The name in the record."""
        return self.output or self.field


_COMPANY = Column("company", "Company", aliases=("Entity", "Subsidiary"))
_VENDOR_ID = Column(
    "vendor_id",
    "Vendor ID",
    aliases=("Vendor Number", "Vendor No", "Supplier Number", "Supplier No", "Supplier ID"),
)
_VENDOR_EXTERNAL_ID = Column("vendor_external_id", "Vendor External ID", aliases=("Supplier External ID",))
_VENDOR_NAME = Column("vendor_name", "Vendor Name", aliases=("Vendor", "Supplier", "Supplier Name"))
_CURRENCY = Column("currency", "Currency", "currency", aliases=("Currency Code",))
_TERMS = Column("payment_terms", "Payment Terms", aliases=("Terms",))
_STATUS = Column("status", "Status")
_ACCOUNT_ALIASES = ("Account", "Account Number", "Acct No", "GL Code")
_INVOICE_ALIASES = ("Invoice", "Invoice No", "Bill Number", "Bill No", "Bill")

COLUMNS: dict[StreamName, tuple[Column, ...]] = {
    StreamName.INVOICES: (
        _COMPANY,
        Column("invoice_id", "Invoice ID"),
        Column("invoice_number", "Invoice Number", aliases=_INVOICE_ALIASES),
        Column("invoice_type", "Invoice Type", "type", aliases=("Type", "Document Type")),
        _VENDOR_ID,
        _VENDOR_EXTERNAL_ID,
        _VENDOR_NAME,
        Column("invoice_date", "Invoice Date", "date", aliases=("Bill Date",)),
        Column("due_date", "Due Date", "date"),
        Column("posting_date", "GL Posting Date", "date", aliases=("Posting Date",)),
        Column("approved_at", "Approved Date", "moment", aliases=("Approved At",)),
        _CURRENCY,
        Column(
            "total_amount",
            "Invoice Amount",
            "amount",
            aliases=("Amount", "Total", "Total Amount", "Gross Total"),
        ),
        Column("tax_amount", "Tax Amount", "amount"),
        Column("po_number", "PO Number", aliases=("PO",)),
        _TERMS,
        Column("memo", "Memo", "text"),
        _STATUS,
        Column("line_number", "Line Number", "code", "line", ("Line", "Line No")),
        Column("line_amount", "Line Amount", "amount", "line", output="amount"),
        Column("line_tax_amount", "Line Tax Amount", "amount", "line", ("Line Tax",), output="tax_amount"),
        Column("tax_code", "Tax Code", "code", "line"),
        Column(
            "line_description", "Line Description", "text", "line", ("Description",), output="description"
        ),
        Column("gl_account", "GL Account", "code", "line", _ACCOUNT_ALIASES),
        Column("department", "Department", "code", "line", ("Dept",)),
        Column("cost_center", "Cost Center", "code", "line", ("Cost Centre",)),
        Column("location", "Location", "code", "line"),
        Column("project", "Project", "code", "line"),
        Column("line_company", "Line Company", "code", "line", output="company"),
        Column("allocation", "Allocation", "code", "line"),
    ),
    StreamName.PAYMENTS: (
        _COMPANY,
        Column("payment_id", "Payment ID"),
        Column("payment_date", "Payment Date", "date", aliases=("Paid Date",)),
        Column("payment_method", "Payment Method", aliases=("Method",)),
        Column("reference", "Reference", aliases=("Check Number", "Trace ID", "Payment Reference")),
        _VENDOR_ID,
        _VENDOR_EXTERNAL_ID,
        _VENDOR_NAME,
        _CURRENCY,
        Column("payment_amount", "Payment Amount", "amount", aliases=("Amount", "Amount Paid", "Total")),
        Column("bank_account", "Bank Account", aliases=("Funding Account",)),
        Column("invoice_id", "Invoice ID", "code", "line"),
        Column("invoice_number", "Invoice Number", "code", "line", _INVOICE_ALIASES),
        Column("applied_amount", "Applied Amount", "amount", "line", output="amount"),
        _STATUS,
    ),
    StreamName.VENDORS: (
        _COMPANY,
        _VENDOR_ID,
        _VENDOR_EXTERNAL_ID,
        _VENDOR_NAME,
        Column("tax_id", "Tax ID"),
        _CURRENCY,
        _TERMS,
        _STATUS,
    ),
    StreamName.GL_ACCOUNTS: (
        _COMPANY,
        Column("gl_account", "GL Account", aliases=_ACCOUNT_ALIASES),
        Column("gl_account_name", "GL Account Name", aliases=("Account Name",)),
        Column("external_id", "External ID"),
        _STATUS,
    ),
}

# A file must have one column of each group, by itself or by `constants`.
REQUIRED: dict[StreamName, tuple[tuple[str, ...], ...]] = {
    StreamName.INVOICES: (
        ("invoice_id", "invoice_number"),
        ("vendor_id", "vendor_external_id", "vendor_name"),
        ("invoice_date",),
        ("currency",),
        ("total_amount",),
        ("line_amount",),
    ),
    StreamName.PAYMENTS: (
        ("payment_id", "reference"),
        ("vendor_id", "vendor_external_id", "vendor_name"),
        ("payment_date",),
        ("currency",),
        ("payment_amount",),
        ("invoice_id", "invoice_number"),
        ("applied_amount",),
    ),
    StreamName.VENDORS: (("vendor_id",),),
    StreamName.GL_ACCOUNTS: (("gl_account",),),
}

TOTAL_FIELD = {StreamName.INVOICES: "total_amount", StreamName.PAYMENTS: "payment_amount"}
LINES_FIELD = {StreamName.INVOICES: "lines", StreamName.PAYMENTS: "applications"}


def header_key(header: str) -> str:
    """Fold a header so that case, blanks, ``_``, ``-``, ``#`` and ``.`` do not count."""
    return "".join(character for character in header.casefold() if character not in _IGNORED)


_IGNORED = frozenset(" \t\u00a0_-#.\ufeff\r\n")

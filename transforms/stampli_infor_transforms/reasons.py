"""Every reason for which a document is held: machine code, group, whether a person may release it, and help.

The table speaks for the whole project. Reasons of the mapping stage are made with `reason`; those that only
the target can know (``raised_by='target'``) are made there with the same function: no code stands outside it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Literal

Group = Literal["missing_information", "validation_error", "needs_review", "technical_error"]
RaisedBy = Literal["transforms", "target"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReasonKind:
    """What is known of a reason code whatever the document.

    Attributes:
        code: the machine code, never changed once published.
        group: the tray it is shown in.
        releasable: whether a named person may accept it for exactly this content.
        help: what a clerk does about it.
        raised_by: the room that raises it.
    """

    code: str
    group: Group
    releasable: bool
    help: str
    raised_by: RaisedBy = "transforms"


@dataclass(frozen=True, slots=True)
class Reason:
    """One thing that keeps one document from being posted.

    Attributes:
        code: a key of `REASONS`.
        field: where in the document, e.g. ``lines.3.gl_account``.
        text: for a clerk: what is wrong with which value, and what to do.
        suggestions: up to three likely values with scores, best first.
        releasable: whether a named person may accept it.
    """

    code: str
    field: str
    text: str
    suggestions: tuple[str, ...] = ()
    releasable: bool = False

    def to_json(self) -> dict[str, Any]:
        """Return the reason as a JSON object."""
        return {
            "code": self.code,
            "field": self.field,
            "text": self.text,
            "suggestions": list(self.suggestions),
            "releasable": self.releasable,
        }

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Reason:
        """Read what `to_json` wrote."""
        return cls(
            code=value["code"],
            field=value["field"],
            text=value["text"],
            suggestions=tuple(value["suggestions"]),
            releasable=value["releasable"],
        )


def reason(code: str, field: str, text: str, *, suggestions: tuple[str, ...] = ()) -> Reason:
    """Make a reason of a known code; the table says whether it may be released.

    Raises:
        KeyError: the code is not in `REASONS`, a mistake in this project and never in a document.
    """
    return Reason(code, field, text, suggestions, REASONS[code].releasable)


def _kinds(
    group: Group, *rows: tuple[str, str], releasable: bool = False, raised_by: RaisedBy = "transforms"
) -> tuple[ReasonKind, ...]:
    return tuple(
        ReasonKind(code=code, group=group, releasable=releasable, help=text, raised_by=raised_by)
        for code, text in rows
    )


REASONS: Final[dict[str, ReasonKind]] = {
    kind.code: kind
    for kind in (
        *_kinds(
            "missing_information",
            (
                "number_missing",
                "Enter the invoice number (or payment reference) in Stampli and export again.",
            ),
            ("date_missing", "Enter the date in Stampli and export again."),
            ("currency_missing", "Enter the currency in Stampli, or give the tap a constant for the column."),
            ("amount_missing", "Enter the amount in Stampli, or let the tap take the total from the lines."),
            ("vendor_missing", "Choose the vendor in Stampli and export again."),
            ("no_lines", "Code the invoice in Stampli: it has no line with an amount."),
            (
                "gl_account_missing",
                "Code the line in Stampli, or give its allocation accounts in allocations.csv.",
            ),
            ("dimension_required", "Code the dimension in Stampli or give a default in gl_accounts.csv."),
            (
                "tax_code_missing",
                "Give the tax code in Stampli, set default_tax_code, or give the M3 supplier one.",
            ),
            (
                "payment_without_invoices",
                "Say in Stampli which invoices were paid, or book it in M3 by hand.",
            ),
            ("bank_not_set_up", "Add the bank account to banks.csv, or a bank_bsid to companies.csv."),
        ),
        *_kinds(
            "validation_error",
            ("malformed_document", "Correct the export template or the tap's settings; the value is named."),
            ("unknown_company", "Add a row to companies.csv, or check cono and M3's company."),
            ("unknown_division", "Correct divi in companies.csv or in the settings."),
            (
                "line_company_differs",
                "Correct the lines' amounts, tax or companies in Stampli, or book the shares in M3 by hand.",
            ),
            ("supplier_not_found", "Add a row to suppliers.csv or create the supplier in M3."),
            ("supplier_ambiguous", "Say in suppliers.csv which M3 supplier is meant."),
            ("supplier_blocked", "Unblock the supplier in M3 (CRS620), or dismiss the document."),
            ("supplier_preliminary", "Approve the supplier in M3 (CRS620)."),
            ("payee_not_found", "Correct the payee in suppliers.csv or on the M3 supplier."),
            ("gl_account_not_found", "Add a row to gl_accounts.csv or open the account in M3 (CRS630)."),
            ("gl_account_blocked", "Use another account, or unblock it in M3 (CRS630)."),
            ("gl_string_mismatch", "Correct the GL code in Stampli or gl_string in the settings."),
            ("dimension_not_mapped", "Add a row to dimensions.csv or name the dimension in the settings."),
            ("dimension_conflict", "Let only one of the codes go to this M3 dimension."),
            ("dimension_not_found", "Add a row to dimensions.csv or open the value in M3 (CRS630)."),
            ("dimension_blocked", "Use another value, or unblock it in M3 (CRS630)."),
            (
                "dimension_not_valid_on_date",
                "Use a value valid on the accounting date, or change its dates in M3.",
            ),
            ("allocation_not_found", "Add the allocation's shares to allocations.csv."),
            ("tax_code_not_found", "Add a row to tax_codes.csv or the code to M3 (CRS030)."),
            ("unbalanced", "Correct the amounts in Stampli: the total is not lines plus tax."),
            ("contradicting_signs", "Correct in Stampli whether this is an invoice or a credit memo."),
            ("excess_decimals", "Correct the amount, or set round_excess_decimals on the tap."),
            ("currency_unknown", "Use an ISO 4217 currency code."),
            ("number_too_long", "M3 takes 24 characters: shorten the number in Stampli."),
            (
                "code_mangled",
                "Export again, do not save the file from a spreadsheet; or correct the code in Stampli.",
            ),
            ("code_too_long", "Map the code to one that M3 can hold, in the crosswalk named."),
            ("period_closed", "Change the posting date in Stampli, or open the period in M3."),
            ("period_not_open", "Wait until M3 opens the period, or change the posting date in Stampli."),
            ("payment_amount_not_positive", "Book voided and returned payments in M3 by hand."),
            (
                "payment_not_fully_applied",
                "Correct in Stampli what the payment pays, or book it in M3 by hand.",
            ),
        ),
        *_kinds(
            "needs_review",
            (
                "name_match_unconfirmed",
                "Check the supplier, then `mapping confirm` it, release, or add a row to suppliers.csv.",
            ),
            (
                "supplier_tax_number_differs",
                "Check which supplier it is, then release or add a row to suppliers.csv.",
            ),
            ("po_invoice", "Check in M3 whether it is to be matched with receipts; release to post it."),
            ("supplier_currency_differs", "Check the currency, then release."),
            ("date_implausible", "Check the date, then release or correct it in Stampli."),
            releasable=True,
        ),
        *_kinds(
            "needs_review",
            (
                "dismissed_before",
                "An earlier revision was dismissed: release it to post this one, or dismiss it as well.",
            ),
            releasable=True,
            raised_by="target",
        ),
        *_kinds(
            "needs_review",
            ("not_approved", "Approve the invoice in Stampli, or add the status to approved_statuses."),
            ("not_paid", "Wait for Stampli to pay, or add the status to paid_statuses."),
        ),
        *_kinds(
            "needs_review",
            ("near_duplicate", "Compare both documents, then release or dismiss."),
            releasable=True,
            raised_by="target",
        ),
        *_kinds(
            "needs_review",
            (
                "amended_after_posting",
                "The posted invoice was changed in Stampli: correct it in M3, then dismiss.",
            ),
            (
                "same_number_in_ledger",
                "Another document has this number at this supplier: compare, then dismiss one.",
            ),
            ("number_taken_in_m3", "M3 holds another invoice under this number: compare, then dismiss."),
            (
                "mapping_not_approved",
                "It was mapped by crosswalks that nobody approved: approve that version, or map it again.",
            ),
            (
                "invoice_not_posted",
                "The payment waits until M3 holds its invoices; nothing to do but post them.",
            ),
            (
                "application_differs",
                "Payment and invoice do not belong together: correct it in Stampli, or settle it by hand.",
            ),
            (
                "open_amount_differs",
                "M3 shows another open amount for an invoice paid: compare, then settle by hand.",
            ),
            raised_by="target",
        ),
        *_kinds(
            "technical_error",
            (
                "line_coding_not_supported",
                "This tenant's AP program takes no line coding: ask for a newer release.",
            ),
            ("field_not_supported", "This tenant's MI program lacks a field that the document needs."),
            ("in_doubt_unresolved", "Look in M3 for what became of the batch named, then replay or dismiss."),
            ("open_batch_in_m3", "Delete or finish the unfinished batch in M3 (APS450), then replay."),
            ("payments_off", "Payments are switched off: set payment_program and a bank."),
            raised_by="target",
        ),
    )
}
"""Every code that exists, in the order of the README's table."""

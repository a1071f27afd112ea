"""Reading an invoice's amounts and lines from its record, the signs put right."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from stampli_infor_transforms.coding import SourceLine
from stampli_infor_transforms.companies import place_of
from stampli_infor_transforms.findings import Fields, Findings
from stampli_infor_transforms.numbering import normalise_number
from stampli_infor_transforms.policy import DIMENSIONS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stampli_infor_transforms.companies import Place
    from stampli_infor_transforms.crosswalks import Crosswalks
    from stampli_infor_transforms.policy import Policy


class InvoiceReader:
    """Reads one invoice; what is wrong with it goes to the findings of its fields.

    Args:
        fields: the invoice.
        company: its Stampli company.
        place: where that leads, None where nowhere.
        crosswalks: the tables.
        policy: the settings.
    """

    def __init__(
        self, fields: Fields, *, company: str, place: Place | None, crosswalks: Crosswalks, policy: Policy
    ) -> None:
        self.fields = fields
        self.findings = fields.findings
        self.company = company
        self.place = place
        self.crosswalks = crosswalks
        self.policy = policy

    def amounts(self) -> tuple[Decimal | None, Decimal | None, list[SourceLine]]:
        """Return total, tax and lines; a credit memo with a positive total is turned negative as a whole."""
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
            if (line := self._line(part, at, sign)) is not None
        ]
        return (None if total is None else sign * total), (None if tax is None else sign * tax), lines

    def _line(self, part: Mapping[str, Any], at: int, sign: int) -> SourceLine | None:
        number = Fields(part, Findings()).text("line_number") or str(at)
        fields = Fields(part, self.findings, f"lines.{number}.")
        fields.text("line_number")
        self._company(fields.text("company"), number)
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
            po_number=fields.text("po_number"),
            po_line=fields.text("po_line"),
        )

    def _company(self, named: str, number: str) -> None:
        if not named or normalise_number(named) == normalise_number(self.company):
            return
        own = place_of(named, crosswalks=self.crosswalks, policy=self.policy)
        if own is None:
            self.findings.add(
                "unknown_company",
                f"lines.{number}.company",
                f"Line {number} is for company '{named}', which has no M3 company. Add a row to "
                "companies.csv.",
            )
        elif self.place is None or (own.cono, own.divi) != (self.place.cono, self.place.divi):
            self.findings.add(
                "line_company_differs",
                f"lines.{number}.company",
                f"Line {number} is for company '{named}', the invoice for '{self.company}', and it can't be "
                f"divided: {self._why_whole()}. Correct it in Stampli, or book the shares in M3 by hand.",
            )

    def _why_whole(self) -> str:
        if self.policy.line_companies == "review":
            return "line_companies is 'review'"
        return "total, lines and tax do not say for certain what each company's share is"

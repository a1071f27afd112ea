"""Which M3 VAT code a tax amount carries, and where the tax of an invoice stands."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from stampli_infor_transforms.document_parts import AccountingLine
from stampli_infor_transforms.money import decimals_of, split_by_weight
from stampli_infor_transforms.tables import NO_TAX_CODE, rate_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stampli_infor_transforms.coding import SourceLine
    from stampli_infor_transforms.companies import Place
    from stampli_infor_transforms.crosswalks import Crosswalks
    from stampli_infor_transforms.findings import Findings
    from stampli_infor_transforms.policy import Policy
    from stampli_infor_transforms.rows import Supplier


@dataclass(frozen=True, slots=True)
class TaxPart:
    """Tax that stands on no expense line: M3's code, the amount and the rule that gave the code."""

    code: str
    tax: Decimal
    rule: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TaxCodes:
    """The tax codes of one document: the line's by crosswalk, else the default, else the supplier's.

    Attributes:
        place: company and division whose rows apply.
        currency: for sharing tax to the cent.
        supplier: None where none was found.
        crosswalks: the tables.
        policy: the settings.
        findings: where reasons go.
    """

    place: Place
    currency: str
    supplier: Supplier | None
    crosswalks: Crosswalks
    policy: Policy
    findings: Findings

    def of(self, code: str, tax: Decimal, *, where: str, what: str) -> tuple[str, str]:
        """Return (M3 code, the rule that gave it); ('', '') where nothing asks for one.

        Args:
            code: Stampli's code, '' for none.
            tax: the amount; without any, no code is needed.
            where: the field to name in a reason.
            what: the line in a clerk's words.
        """
        if code:
            row = self.crosswalks.tax_code(self.place.cono, self.place.divi, code)
            found, rule = (row.cells["vtcd"], row.at) if row is not None else (code, "as sent")
            if row is not None and found.casefold() == NO_TAX_CODE:
                return self._none(code, tax, row.at, where, what)
        elif not tax:
            return "", ""
        elif self.policy.default_tax_code:
            found, rule = self.policy.default_tax_code, "setting default_tax_code"
        elif self.supplier is not None and self.supplier.tax_code:
            found, rule = self.supplier.tax_code, f"supplier {self.supplier.suno}"
        elif self.supplier is None:
            # Whether a code is missing can't be said before the supplier is known.
            return "", ""
        else:
            self.findings.add(
                "tax_code_missing",
                where,
                f"{what} has tax {tax:f} without a tax code, and neither the setting default_tax_code nor "
                "the M3 "
                "supplier has one. Enter the code in Stampli, or set one of them.",
            )
            return "", ""
        return found, f"tax_code={found} {rule}"

    def _none(self, code: str, tax: Decimal, rule: str, where: str, what: str) -> tuple[str, str]:
        """Return the code of what carries no M3 code, as in a country without VAT."""
        if tax:
            self.findings.add(
                "tax_code_missing",
                where,
                f"{what} has tax {tax:f}, but {rule} says that tax code '{code}' carries no M3 code. "
                "Correct the "
                "row or the tax in Stampli. Add a sales tax that is a cost to the line's amount in Stampli.",
            )
        return "", f"tax_code=none {rule}"

    def of_header(self, tax: Decimal, lines: Sequence[SourceLine]) -> list[TaxPart]:
        """Return the parts of tax that only the header names.

        One part, with the code that the lines agree on, else as without one; where they name several codes, a
        part for each if the rates of tax_codes.csv make up that tax.
        """
        codes = list(dict.fromkeys(line.tax_code for line in lines if line.tax_code))
        if len(codes) <= 1:
            return [TaxPart(*self._header_code(codes[0] if codes else "", tax))]
        rates = {code: self._rate(code) for code in codes}
        expected = {
            code: sum((line.amount for line in lines if line.tax_code == code), Decimal()) * (rate or 0) / 100
            for code, rate in rates.items()
        }
        unit = Decimal(1).scaleb(-(decimals_of(self.currency) or 0))
        unknown = [code for code, rate in rates.items() if rate is None]
        makes = sum(expected.values(), Decimal())
        # Each line may have been rounded by itself.
        if (
            makes
            and not unknown
            and abs(makes - tax) <= unit * len(lines) / 2
            and all(each * tax >= 0 for each in expected.values())
        ):
            shares = split_by_weight(tax, [abs(each) for each in expected.values()], self.currency)
            parts = zip(codes, shares, strict=True)
            return [TaxPart(*self._header_code(code, share)) for code, share in parts]
        why = (
            f"no row of tax_codes.csv gives the rate of {', '.join(unknown)}"
            if unknown
            else f"by the rates of tax_codes.csv the tax would be {makes.quantize(unit):f}"
        )
        self.findings.add(
            "tax_code_missing",
            "tax_amount",
            f"The invoice has tax {tax:f} in its header alone, but its lines name the tax codes "
            f"{', '.join(sorted(codes))}, and {why}. Give the tax of each line in Stampli, or the "
            "rates in tax_codes.csv.",
        )
        return [TaxPart("", tax, "")]

    def _header_code(self, code: str, tax: Decimal) -> tuple[str, Decimal, str]:
        found, rule = self.of(code, tax, where="tax_amount", what="The invoice")
        return found, tax, rule

    def _rate(self, code: str) -> Decimal | None:
        row = self.crosswalks.tax_code(self.place.cono, self.place.divi, code)
        return rate_of(row.cells["rate_percent"]) if row is not None and row.cells["rate_percent"] else None


def tax_lines(parts: Sequence[TaxPart]) -> tuple[AccountingLine, ...]:
    """Return one tax line for each M3 code, in the order in which they come first."""
    codes = dict.fromkeys(part.code for part in parts)
    found = []
    for code in codes:
        own = [part for part in parts if part.code == code]
        tax = sum((part.tax for part in own), Decimal())
        trace = tuple(dict.fromkeys(part.rule for part in own if part.rule))
        if tax:
            found.append(AccountingLine(kind="tax", amount=Decimal(), tax=tax, tax_code=code, trace=trace))
    return tuple(found)


def tax_is_in_header(tax_total: Decimal | None, lines: Sequence[SourceLine]) -> bool:
    """Whether only the header names the tax."""
    return bool(tax_total) and not any(line.tax for line in lines)


def tax_total_of(tax_total: Decimal | None, lines: Sequence[SourceLine]) -> Decimal:
    """Return the header's tax; where it names none, the sum of its lines'."""
    return tax_total if tax_total is not None else sum((line.tax for line in lines), Decimal())

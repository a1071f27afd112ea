"""Which M3 VAT code a tax amount carries, and where the tax of an invoice stands."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stampli_infor_transforms.coding import SourceLine
    from stampli_infor_transforms.companies import Place
    from stampli_infor_transforms.crosswalks import Crosswalks
    from stampli_infor_transforms.findings import Findings
    from stampli_infor_transforms.policy import Policy
    from stampli_infor_transforms.rows import Supplier


@dataclass(frozen=True, slots=True, kw_only=True)
class TaxCodes:
    """The tax codes of one document: the line's by crosswalk, else the default, else the supplier's.

    Attributes:
        place: company and division whose rows apply.
        supplier: None where none was found.
        crosswalks: the tables.
        policy: the settings.
        findings: where reasons go.
    """

    place: Place
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
                f"{what} has tax {tax} without a tax code, and neither the setting default_tax_code nor "
                "the M3 "
                "supplier has one. Enter the code in Stampli, or set one of them.",
            )
            return "", ""
        return found, f"tax_code={found} {rule}"

    def of_header(self, tax: Decimal, lines: Sequence[SourceLine]) -> tuple[str, str]:
        """Return the code of tax that only the header names: what its lines agree on, else as without one."""
        codes = sorted({line.tax_code for line in lines if line.tax_code})
        if len(codes) > 1:
            self.findings.add(
                "tax_code_missing",
                "tax_amount",
                f"The invoice has tax {tax} in its header alone, but its lines name the tax codes "
                f"{', '.join(codes)}. "
                "Give the tax of each line in Stampli.",
            )
            return "", ""
        return self.of(codes[0] if codes else "", tax, where="tax_amount", what="The invoice")


def tax_is_in_header(tax_total: Decimal | None, lines: Sequence[SourceLine]) -> bool:
    """Whether only the header names the tax."""
    return bool(tax_total) and not any(line.tax for line in lines)


def tax_total_of(tax_total: Decimal | None, lines: Sequence[SourceLine]) -> Decimal:
    """Return the header's tax; where it names none, the sum of its lines'."""
    return tax_total if tax_total is not None else sum((line.tax for line in lines), Decimal())

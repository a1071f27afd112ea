"""What each accounting line has to keep to: its account, its dimensions and its tax code as M3 has them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from stampli_infor_transforms.codes import is_mangled
from stampli_infor_transforms.values import shown

if TYPE_CHECKING:
    from datetime import date

    from stampli_infor_transforms.documents import AccountingLine
    from stampli_infor_transforms.findings import Findings
    from stampli_infor_transforms.reference import CompanyReference
    from stampli_infor_transforms.rows import DimensionValue

_CODE_LENGTH: Final = 10
_TEXT_LENGTH: Final = 40
_AITS: Final = 7


def check_line(
    line: AccountingLine, *, company: CompanyReference | None, divi: str, on: date, findings: Findings
) -> None:
    """Add every reason that an accounting line gives.

    Args:
        line: the line.
        company: M3's reference data; without it, only the line's own shape is checked.
        divi: the document's division.
        on: the accounting date.
        findings: where reasons go.
    """
    where, what = f"lines.{line.source_line}", f"Line {line.source_line}"
    if line.kind == "tax":
        where, what = "tax_amount", "The invoice's tax"
    if len(line.ait) != _AITS:
        findings.add(
            "malformed_document",
            f"{where}.ait",
            f"{what} has {len(line.ait)} accounting dimensions; there are {_AITS}. Correct the mapping "
            "step before.",
        )
        return
    if len(line.text) > _TEXT_LENGTH:
        findings.add(
            "code_too_long",
            f"{where}.text",
            f"{what}: the text has {len(line.text)} characters; M3 takes {_TEXT_LENGTH}. Shorten it.",
        )
    _tax_code(line, company, where if line.kind == "tax" else f"{where}.tax_code", what, findings)
    if line.kind == "tax":
        return
    if not line.ait[0]:
        findings.add(
            "gl_account_missing",
            f"{where}.gl_account",
            f"{what} ({line.amount:f}) has no GL account. Code it in Stampli and export again.",
        )
    checked = _Line(line=line, company=company, divi=divi, on=on, where=where, what=what, findings=findings)
    for at, code in enumerate(line.ait, 1):
        if code:
            checked.dimension(at, code)
    checked.required()


def _tax_code(
    line: AccountingLine, company: CompanyReference | None, where: str, what: str, findings: Findings
) -> None:
    if line.tax_code and company is not None and company.tax_code(line.tax_code) is None:
        findings.add(
            "tax_code_not_found",
            where,
            f"{what}: M3 company {company.company.cono} has no VAT code '{line.tax_code}'"
            f"{_rule(line, 'tax_code', line.tax_code)}. Add a row to tax_codes.csv, or the code in M3 "
            "(CRS030).",
        )
    elif line.tax and not line.tax_code:
        findings.add(
            "tax_code_missing",
            where,
            f"{what} has tax {line.tax:f} without a tax code. Enter the code in Stampli, set "
            "default_tax_code, or give "
            "the M3 supplier one.",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Line:
    """One expense line beside the reference data it is held against."""

    line: AccountingLine
    company: CompanyReference | None
    divi: str
    on: date
    where: str
    what: str
    findings: Findings

    def dimension(self, at: int, code: str) -> None:
        """Check one dimension's value."""
        if len(code) > _CODE_LENGTH:
            self._add(
                "code_too_long",
                at,
                f"{self._named(at, code)} has {len(code)} characters; M3 takes {_CODE_LENGTH}, and a code "
                "is never cut. "
                f"Add a row to {_table(at)}.",
            )
            return
        if self.company is None:
            return
        value = self.company.dimension(at, code, self.divi)
        if value is None:
            if is_mangled(code):
                self._add(
                    "code_mangled",
                    at,
                    f"{self._named(at, code)} is a code that a spreadsheet turned into a number. Let "
                    "Stampli export "
                    "again and do not save the file from a spreadsheet, or correct the code.",
                )
                return
            missing = f"{self._named(at, code)} is not in M3 company {self.company.company.cono}. "
            zeros = self.company.lacks_zeros(at, code)
            if zeros:
                missing += f"M3 has {zeros}, which differs in leading zeros alone. "
            missing += f"Add a row to {_table(at)}, or open it in M3 (CRS630)."
            suggestions = self.company.suggest_codes(at, code)
            self._add("gl_account_not_found" if at == 1 else "dimension_not_found", at, missing, suggestions)
            return
        if value.blocked or value.blocked_manual:
            how = "blocked" if value.blocked else "blocked for manual entry"
            self._add(
                "gl_account_blocked" if at == 1 else "dimension_blocked",
                at,
                f"{self._named(at, code)} ({value.name}) is {how} in M3. Use another, or unblock it in "
                "CRS630.",
            )
        if not _open_on(value, self.on):
            self._add(
                "dimension_not_valid_on_date",
                at,
                f"{self._named(at, code)} ({value.name}) is open {_span(value)}, not on the accounting date "
                f"{self.on.isoformat()}. Use another, or change its dates in CRS630.",
            )

    def required(self) -> None:
        """Check that everything the account asks for is there."""
        code = self.line.ait[0]
        account = self.company.dimension(1, code, self.divi) if self.company is not None and code else None
        for at in sorted(account.required) if account is not None else ():
            if not self.line.ait[at - 1]:
                self._add(
                    "dimension_required",
                    at,
                    f"{self.what}: account {code} asks for dimension {at}, which the line does not have. "
                    "Code it in "
                    "Stampli, or give a default in gl_accounts.csv.",
                )

    def _named(self, at: int, code: str) -> str:
        kind = "account" if at == 1 else f"dimension {at}"
        return f"{self.what}: {kind} '{shown(code)}'{_rule(self.line, f'ait{at}', code)}"

    def _add(self, code: str, at: int, text: str, suggestions: tuple[str, ...] = ()) -> None:
        self.findings.add(code, f"{self.where}.ait{at}", text, suggestions=suggestions)


def _rule(line: AccountingLine, name: str, code: str) -> str:
    """Return which rule gave a code, in brackets, as far as the trace knows."""
    start = f"{name}={code} "
    return next((f" ({each.removeprefix(start)})" for each in line.trace if each.startswith(start)), "")


def _table(at: int) -> str:
    return "gl_accounts.csv" if at == 1 else "dimensions.csv"


def _open_on(value: DimensionValue, day: date) -> bool:
    return (value.valid_from is None or value.valid_from <= day) and (
        value.valid_to is None or day <= value.valid_to
    )


def _span(value: DimensionValue) -> str:
    start = f"from {value.valid_from.isoformat()}" if value.valid_from else ""
    end = f"until {value.valid_to.isoformat()}" if value.valid_to else ""
    return " ".join(each for each in (start, end) if each)

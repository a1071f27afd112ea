"""Crosswalks held against M3 before they are used: every code that they lead to has to be there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stampli_infor_transforms.policy import AITS
from stampli_infor_transforms.tables import NO_TAX_CODE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from stampli_infor_transforms.crosswalks import Crosswalks
    from stampli_infor_transforms.reference import CompanyReference, Reference
    from stampli_infor_transforms.tables import Row


def check_crosswalks(crosswalks: Crosswalks, reference: Reference) -> tuple[str, ...]:
    """Return every problem with file, line, column and what would be right; () where M3 has it all.

    Args:
        crosswalks: the tables.
        reference: of every company that documents can go to; a row of another one would never be used.
    """
    return tuple(
        f"{row.at}: {problem}"
        for name, check in _CHECKS.items()
        for row in crosswalks.rows(name)
        for problem in _checked(row, check, reference)
    )


def _checked(
    row: Row, check: Callable[[Row, CompanyReference], Iterator[str]], reference: Reference
) -> Iterator[str]:
    company = reference.companies.get(int(row.cells["cono"]))
    if company is not None:
        yield from check(row, company)
        return
    known = ", ".join(map(str, sorted(reference.companies))) or "none"
    yield (
        f"column 'cono' is '{row.cells['cono']}', an M3 company to which no document leads. Companies that "
        f"companies.csv or the settings lead to: {known}."
    )


def _nothing(_row: Row, _company: CompanyReference) -> Iterator[str]:
    """M3 tells nothing here of what such a row leads to; only its company can be looked at."""
    return iter(())


def _divisions(row: Row, company: CompanyReference) -> Iterator[str]:
    divi = row.cells.get("divi", "")
    divisions = [each for each in company.company.divisions if each]
    if divi and divi not in divisions:
        yield (
            f"column 'divi' is '{divi}', but M3 company {company.company.cono} has "
            f"{', '.join(divisions) or 'no divisions'}."
        )


def _suppliers(row: Row, company: CompanyReference) -> Iterator[str]:
    for column in ("suno", "payee"):
        code = row.cells[column]
        if code and company.supplier(code) is None:
            yield _missing(column, code, "supplier", company, company.supplier_lacks_zeros(code))


def _accounts(row: Row, company: CompanyReference) -> Iterator[str]:
    yield from _divisions(row, company)
    for at, ait in enumerate(AITS, 1):
        yield from _value(row, company, ait, at, row.cells[ait])


def _single_value(row: Row, company: CompanyReference) -> Iterator[str]:
    yield from _divisions(row, company)
    yield from _value(row, company, "value", AITS.index(row.cells["ait"]) + 1, row.cells["value"])


def _value(row: Row, company: CompanyReference, column: str, at: int, code: str) -> Iterator[str]:
    if not code:
        return
    # A row of every division may name a value that only some of them have.
    divisions = [row.cells["divi"]] if row.cells["divi"] else ["", *company.company.divisions]
    if not any(company.dimension(at, code, divi) for divi in divisions):
        yield _missing(column, code, f"dimension {at} value", company, company.lacks_zeros(at, code))


def _tax_codes(row: Row, company: CompanyReference) -> Iterator[str]:
    yield from _divisions(row, company)
    code = row.cells["vtcd"]
    if code.casefold() != NO_TAX_CODE and company.tax_code(code) is None:
        yield _missing("vtcd", code, "VAT code", company, "")


def _missing(column: str, code: str, what: str, company: CompanyReference, right: str) -> str:
    text = f"column '{column}' is '{code}', but M3 company {company.company.cono} has no such {what}."
    if right:
        text += f" It has {right}, which differs in leading zeros alone."
    return text


_CHECKS = {
    "companies.csv": _divisions,
    "payment_terms.csv": _nothing,
    "banks.csv": _divisions,
    "suppliers.csv": _suppliers,
    "gl_accounts.csv": _accounts,
    "allocations.csv": _accounts,
    "dimensions.csv": _single_value,
    "gl_rules.csv": _single_value,
    "tax_codes.csv": _tax_codes,
}

"""The crosswalks: Stampli's codes to M3's, from CSV files under version control.

`Crosswalks.load` is the only function of this package that reads anything. Loading collects all problems of
all files before it gives up, so that one look is enough to mend them.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Final

from stampli_infor_transforms.allocations import Share, allocation_key, read_shares
from stampli_infor_transforms.gl_rules import read_rules
from stampli_infor_transforms.numbering import normalise_number
from stampli_infor_transforms.policy import AITS, DIMENSIONS
from stampli_infor_transforms.tables import NO_TAX_CODE, TABLES, decode, rate_of, read_rows

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Mapping, Sequence
    from pathlib import Path

    from stampli_infor_transforms.gl_rules import GlRule
    from stampli_infor_transforms.tables import Row

# People write names in more ways than one; ids and codes are taken to the letter.
_VTCD_LENGTH: Final = 2
_NAMES: Final = frozenset({"stampli_company", "stampli_terms", "stampli_bank_account", "allocation"})

__all__ = ["CrosswalkError", "Crosswalks", "Share"]

Key = tuple[str, ...]


class CrosswalkError(ValueError):
    """Crosswalk files that can't be used; `problems` holds every one, with file, line and column."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("The crosswalks can't be used:\n" + "\n".join(f"  {each}" for each in self.problems))


class Crosswalks:
    """All crosswalk tables, looked up by M3 company, division and Stampli's code.

    A row with a division wins over one with a blank division, which means every division.

    Attributes:
        version: SHA-256 (hex) of what the files say.
        texts: each file's text by its name; `parse` makes the same tables of them.
    """

    def __init__(
        self,
        tables: Mapping[str, Mapping[Key, Row]],
        shares: Mapping[Key, tuple[Share, ...]],
        rules: Sequence[GlRule] = (),
        texts: Mapping[str, str] | None = None,
    ) -> None:
        self.texts = dict(texts or {})
        self._tables = tables
        self._shares = shares
        self._rules = rules
        content = [
            [name, row.line, sorted(row.cells.items())]
            for name in sorted(tables)
            for row in tables[name].values()
        ]
        self.version = hashlib.sha256(json.dumps(content).encode()).hexdigest()

    @classmethod
    def load(cls, directory: Path) -> Crosswalks:
        """Read the CSV files of a directory; a file that is missing is an empty table.

        Raises:
            CrosswalkError: with every problem of every file, or because there is no such directory.
        """
        if not directory.is_dir():
            raise CrosswalkError(
                [f"{directory}: no such directory. Set 'crosswalk_dir' to where the CSV files are."]
            )
        problems: list[str] = []
        texts = {
            path.name: decode(path.name, path.read_bytes(), problems)
            for path in sorted(directory.glob("*.csv"))
        }
        return cls._checked(texts, problems)

    @classmethod
    def parse(cls, texts: Mapping[str, str]) -> Crosswalks:
        """Read tables from texts by file name.

        Raises:
            CrosswalkError: with every problem.
        """
        return cls._checked(texts, [])

    @classmethod
    def _checked(cls, texts: Mapping[str, str], problems: list[str]) -> Crosswalks:
        tables: dict[str, dict[Key, Row]] = {}
        for name, text in texts.items():
            if name not in TABLES:
                problems.append(f"{name}: no crosswalk has this name. The files are: {', '.join(TABLES)}.")
                continue
            tables[name] = _keyed(name, read_rows(name, text, problems), problems)
        shares = read_shares(tables.get("allocations.csv", {}).values(), problems)
        allocations = {(cono, name) for cono, _, name in shares}
        for row in tables.get("gl_accounts.csv", {}).values():
            _check_account(row, allocations, problems)
        rules = read_rules(tables.get("gl_rules.csv", {}).values(), problems)
        for row in tables.get("dimensions.csv", {}).values():
            _one_of(row, "dimension", DIMENSIONS, problems)
            _one_of(row, "ait", AITS, problems)
        for row in tables.get("tax_codes.csv", {}).values():
            _check_tax_code(row, problems)
        if problems:
            raise CrosswalkError(problems)
        return cls(tables, shares, rules, texts)

    @property
    def has_companies(self) -> bool:
        """Whether companies.csv has a row."""
        return bool(self._tables.get("companies.csv"))

    def company(self, stampli_company: str) -> Row | None:
        """Return the row of a Stampli company."""
        return self._tables.get("companies.csv", {}).get((normalise_number(stampli_company),))

    def company_numbers(self) -> frozenset[int]:
        """Return the M3 companies (CONO) that companies.csv leads to."""
        return frozenset(int(row.cells["cono"]) for row in self._tables.get("companies.csv", {}).values())

    def banks_of(self, cono: int) -> tuple[tuple[str, str], ...]:
        """Return the banks that payments of an M3 company can go to, as pairs of division and BSID."""
        companies = [
            row for row in self._tables.get("companies.csv", {}).values() if int(row.cells["cono"]) == cono
        ]
        divisions = {row.cells["divi"] for row in companies}
        found = {(row.cells["divi"], row.cells["bank_bsid"]) for row in companies if row.cells["bank_bsid"]}
        for row in self._tables.get("banks.csv", {}).values():
            if int(row.cells["cono"]) == cono:
                own = {row.cells["divi"]} if row.cells["divi"] else divisions
                found |= {(divi, row.cells["bsid"]) for divi in own}
        return tuple(sorted(found))

    def companies_of(self, cono: int, divi: str) -> tuple[Row, ...]:
        """Return the rows that lead to an M3 company and division."""
        rows = self._tables.get("companies.csv", {}).values()
        return tuple(row for row in rows if int(row.cells["cono"]) == cono and row.cells["divi"] == divi)

    def bank(self, cono: int, divi: str, bank_account: str) -> Row | None:
        """Return the row of a Stampli bank account."""
        return self._scoped("banks.csv", cono, divi, normalise_number(bank_account))

    def terms(self, cono: int, stampli_terms: str) -> Row | None:
        """Return the row of Stampli's payment terms."""
        return self._tables.get("payment_terms.csv", {}).get((str(cono), normalise_number(stampli_terms)))

    def supplier(self, cono: int, vendor_id: str) -> Row | None:
        """Return the row of a Stampli vendor id."""
        return self._tables.get("suppliers.csv", {}).get((str(cono), vendor_id))

    def gl_account(self, cono: int, divi: str, code: str) -> Row | None:
        """Return the row of a Stampli GL account."""
        return self._scoped("gl_accounts.csv", cono, divi, code)

    def gl_rules(self, cono: int, divi: str) -> tuple[GlRule, ...]:
        """Return the GL rules of a company and division, in the order in which they are tried."""
        return tuple(rule for rule in self._rules if rule.cono == cono and rule.divi in {"", divi})

    def rows(self, name: str) -> tuple[Row, ...]:
        """Return every row of a file like ``suppliers.csv``, in file order."""
        return tuple(self._tables.get(name, {}).values())

    def dimension(self, cono: int, divi: str, dimension: str, code: str) -> Row | None:
        """Return the row of a Stampli dimension's code."""
        return self._scoped("dimensions.csv", cono, divi, dimension, code)

    def tax_code(self, cono: int, divi: str, code: str) -> Row | None:
        """Return the row of a Stampli tax code."""
        return self._scoped("tax_codes.csv", cono, divi, code)

    def allocation(self, cono: int, divi: str, name: str) -> tuple[Share, ...]:
        """Return the shares of an allocation, () where there is none."""
        wanted = normalise_number(name)
        return self._shares.get((str(cono), divi, wanted)) or self._shares.get((str(cono), "", wanted), ())

    def _scoped(self, name: str, cono: int, divi: str, *code: str) -> Row | None:
        table = self._tables.get(name)
        if not table:
            return None
        return table.get((str(cono), divi, *code)) or table.get((str(cono), "", *code))


def _keyed(name: str, rows: list[Row], problems: list[str]) -> dict[Key, Row]:
    keyed: dict[Key, Row] = {}
    for row in rows:
        key = tuple(_key_part(column, row.cells[column]) for column in TABLES[name].key)
        if key in keyed:
            shown = ", ".join(
                f"{column} '{row.cells[column]}'" for column in TABLES[name].key if row.cells[column]
            )
            problems.append(
                f"{row.at}: {shown} stands in line {keyed[key].line} already. Keep one of the rows."
            )
        else:
            keyed[key] = row
    return keyed


def _key_part(column: str, value: str) -> str:
    if column == "cono":
        return str(int(value))
    return normalise_number(value) if column in _NAMES else value


def _check_account(row: Row, allocations: Container[tuple[str, str]], problems: list[str]) -> None:
    allocation = row.cells["allocation"]
    if not allocation:
        if not row.cells["ait1"]:
            problems.append(f"{row.at}: column 'ait1' is blank. Enter the M3 account, or an allocation.")
        return
    cono, _, name = allocation_key(row)
    if (cono, name) not in allocations:
        problems.append(
            f"{row.at}: column 'allocation' is '{allocation}', which allocations.csv does not have for "
            "company "
            f"{row.cells['cono']}. Add its shares."
        )


def _check_tax_code(row: Row, problems: list[str]) -> None:
    code, rate = row.cells["vtcd"], row.cells["rate_percent"]
    if code.casefold() != NO_TAX_CODE and not (
        code.isascii() and code.isdigit() and len(code) <= _VTCD_LENGTH
    ):
        problems.append(
            f"{row.at}: column 'vtcd' is '{code}', but a VAT code of M3 is a number of at most "
            f"{_VTCD_LENGTH} digits; 'none' sends no code."
        )
    if rate and rate_of(rate) is None:
        problems.append(
            f"{row.at}: column 'rate_percent' is '{rate}'. Enter a number from 0 to 100, like 19 or 5.5."
        )


def _one_of(row: Row, column: str, valid: tuple[str, ...], problems: list[str]) -> None:
    if row.cells[column] not in valid:
        problems.append(
            f"{row.at}: column '{column}' is '{row.cells[column]}'; valid are {', '.join(valid)}."
        )

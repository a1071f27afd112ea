"""Reading crosswalk files: CSV text to checked rows; every problem is named by file, line and column."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Final

from stampli_infor_transforms.codes import is_mangled
from stampli_infor_transforms.policy import AITS

if TYPE_CHECKING:
    from collections.abc import Mapping

_BROKEN_FORMULA: Final = re.compile(r"#(?:N/A|NV|REF!|BEZUG!|NAME\?|VALUE!|WERT!|DIV/0!|NULL!|NUM!|ZAHL!)")
_WHOLE: Final = Decimal(100)
_CONTROL: Final = re.compile("[\x00-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class Table:
    """What a crosswalk file looks like.

    Attributes:
        columns: all of them, in the template's order, with the most characters each, 0 for any number.
        required: columns that may not be blank.
        key: the columns that tell rows apart.
        optional: columns that a file may lack.
    """

    columns: Mapping[str, int]
    required: tuple[str, ...]
    key: tuple[str, ...]
    optional: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a crosswalk file, its cells trimmed.

    Attributes:
        file: its name.
        line: physical line on which it ends, from 1.
        cells: by column.
    """

    file: str
    line: int
    cells: Mapping[str, str]

    @property
    def at(self) -> str:
        """The place for messages and traces, e.g. ``gl_accounts.csv:4``."""
        return f"{self.file}:{self.line}"


NO_TAX_CODE: Final = "none"
_CODE_PATTERNS: Final = frozenset({"gl_account", "vendor"})
_SCOPE: Final = {"cono": 3, "divi": 3}
_CODES: Final = dict.fromkeys(AITS, 10)

TABLES: Final[dict[str, Table]] = {
    "companies.csv": Table(
        {"stampli_company": 0, **_SCOPE, "bank_bsid": 40}, ("stampli_company", "cono"), ("stampli_company",)
    ),
    "banks.csv": Table(
        {**_SCOPE, "stampli_bank_account": 0, "bsid": 40},
        ("cono", "stampli_bank_account", "bsid"),
        ("cono", "divi", "stampli_bank_account"),
    ),
    "payment_terms.csv": Table(
        {"cono": 3, "stampli_terms": 0, "tepy": 3},
        ("cono", "stampli_terms", "tepy"),
        ("cono", "stampli_terms"),
    ),
    "suppliers.csv": Table(
        {"cono": 3, "stampli_vendor_id": 0, "suno": 10, "payee": 10},
        ("cono", "stampli_vendor_id", "suno"),
        ("cono", "stampli_vendor_id"),
    ),
    "gl_accounts.csv": Table(
        {**_SCOPE, "stampli_gl_account": 0, **_CODES, "allocation": 0},
        ("cono", "stampli_gl_account"),
        ("cono", "divi", "stampli_gl_account"),
    ),
    "dimensions.csv": Table(
        {**_SCOPE, "dimension": 0, "stampli_code": 0, "ait": 0, "value": 10},
        ("cono", "dimension", "stampli_code", "ait", "value"),
        ("cono", "divi", "dimension", "stampli_code"),
    ),
    "tax_codes.csv": Table(
        {**_SCOPE, "stampli_tax_code": 0, "vtcd": 0, "rate_percent": 0},
        ("cono", "stampli_tax_code", "vtcd"),
        ("cono", "divi", "stampli_tax_code"),
        ("rate_percent",),
    ),
    "gl_rules.csv": Table(
        {
            **_SCOPE,
            "priority": 0,
            "gl_account": 0,
            "vendor": 0,
            "company": 0,
            "text": 0,
            "ait": 0,
            "value": 10,
        },
        ("cono", "ait", "value"),
        ("cono", "divi", "gl_account", "vendor", "company", "text", "ait"),
        ("priority",),
    ),
    "allocations.csv": Table(
        {**_SCOPE, "allocation": 0, "share_percent": 0, **_CODES},
        ("cono", "allocation", "share_percent"),
        ("cono", "divi", "allocation", *AITS),
    ),
}
"""Every crosswalk file there is."""


def rate_of(text: str) -> Decimal | None:
    """Return a rate like ``19`` or ``5.5 %``, None where it is none from 0 to 100."""
    try:
        rate = Decimal(text.removesuffix("%").strip())
    except InvalidOperation:
        return None
    return rate if rate.is_finite() and 0 <= rate <= _WHOLE else None


def decode(name: str, content: bytes, problems: list[str]) -> str:
    """Return the text of a file in UTF-8, with or without BOM; else '' and a problem."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        what = "UTF-16" if content[:2] in {b"\xff\xfe", b"\xfe\xff"} else f"byte 0x{content[error.start]:02x}"
        problems.append(f"{name}:{line}: not UTF-8 ({what}). Save the file as 'CSV UTF-8'.")
        return ""


def read_rows(name: str, text: str, problems: list[str]) -> list[Row]:
    """Return the sound rows of one file; what is wrong with others is added to `problems`."""
    table = TABLES[name]
    text = text.removeprefix("\ufeff")
    head = text.partition("\n")[0]
    delimiter = ";" if ";" in head and "," not in head else ","
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    rows: list[Row] = []
    try:
        header = next(reader, None)
        if header is None or not _header_fits(name, [each.strip() for each in header], problems):
            return []
        columns = [each.strip() for each in header]
        for values in reader:
            if not any(value.strip() for value in values):
                continue
            if len(values) != len(columns):
                problems.append(
                    f"{name}:{reader.line_num}: {len(values)} cells, but the header has {len(columns)}. "
                    "Put values that contain a comma in quotes."
                )
                continue
            blank = dict.fromkeys(table.optional, "")
            cells = dict(zip(columns, (value.strip() for value in values), strict=True))
            row = Row(name, reader.line_num, blank | cells)
            if _cells_fit(table, row, problems):
                rows.append(row)
    except csv.Error as error:
        problems.append(
            f"{name}:{reader.line_num}: not readable as CSV ({error}). Close the quotes in this row."
        )
    return rows


def _header_fits(name: str, header: list[str], problems: list[str]) -> bool:
    columns = TABLES[name].columns
    found = [
        *(
            f"{name}:1: column '{each}' is missing."
            for each in columns
            if each not in header and each not in TABLES[name].optional
        ),
        *(f"{name}:1: column '{each}' is not known." for each in header if each not in columns),
        *(
            f"{name}:1: column '{each}' stands there {n} times."
            for each, n in Counter(header).items()
            if n > 1
        ),
    ]
    if found:
        found[-1] += f" The columns are: {', '.join(columns)}."
    problems.extend(found)
    return not found


def _cells_fit(table: Table, row: Row, problems: list[str]) -> bool:
    before = len(problems)
    for column, value in row.cells.items():
        where = f"{row.at}: column '{column}'"
        most = table.columns[column]
        if not value:
            if column in table.required:
                problems.append(f"{where} is blank. Enter a value or remove the row.")
        elif _CONTROL.search(value):
            problems.append(f"{where} holds a line break or control character. Enter the code alone.")
        elif _BROKEN_FORMULA.fullmatch(value.upper()):
            problems.append(f"{where} is '{value}', a formula that failed. Enter the code itself.")
        elif is_mangled(value) and (most or column.startswith("stampli_") or column in _CODE_PATTERNS):
            problems.append(
                f"{where} is '{value}', a code that a spreadsheet turned into a number. "
                "Format the column as text and enter the code again."
            )
        elif most and len(value) > most:
            problems.append(f"{where} is '{value}', but M3 takes at most {most} characters there.")
        elif column == "cono" and not (value.isascii() and value.isdigit() and int(value) > 0):
            problems.append(f"{where} is '{value}', but an M3 company is a number from 1 to 999.")
    return len(problems) == before

"""What a public body really spent: an M3 that fits two published files, apart from gaps left on purpose.

Supplier ids are suppliers, expense codes are accounts (dimension 1), expense areas are departments (dimension
4, by the numbers in ``real/crosswalks/dimensions.csv``: their names exceed the ten characters M3 takes).
All of the older file exists; of the newer one the suppliers whose id ends in 7 and the codes ending in 9 are
left out, unless the older file has them, so that there is something to review.
"""

from __future__ import annotations

import csv
import io
from importlib import resources
from typing import TYPE_CHECKING

from stampli_infor_sandbox.scenarios.base import Scenario

if TYPE_CHECKING:
    from pathlib import Path

CONO = 100
DIVI = "AAA"
OLDER = "spend-2011-05.csv"
NEWER = "spend-2024-09.csv"
_MISSING_SUPPLIER = "7"
_MISSING_ACCOUNT = "9"


class DataError(ValueError):
    """The folder does not hold the two files."""


def real(folder: Path) -> Scenario:
    """The scenario from a folder that holds the two files.

    Raises:
        DataError: A file is missing.
    """
    missing = [name for name in (OLDER, NEWER) if not (folder / name).is_file()]
    if missing:
        raise DataError(
            f"{folder} lacks {' and '.join(missing)}: give --data the folder that holds both files"
        )
    older = _rows((folder / OLDER).read_text("cp1252"))
    newer = _rows((folder / NEWER).read_text("utf-8-sig"))
    names: dict[str, str] = {}
    accounts: dict[str, str] = {}
    for row in older:
        names.setdefault(row["Supplier ID"], row["Supplier Name"])
        accounts.setdefault(row["Expense Code"], row["Expense Type"])
    for row in newer:
        if not row["Supplier ID"].endswith(_MISSING_SUPPLIER):
            names.setdefault(row["Supplier ID"], row["Supplier Name"])
        if not row["Expense Code"].endswith(_MISSING_ACCOUNT):
            accounts.setdefault(row["Expense Code"], row["Expense Type"])
    return Scenario(
        cono=CONO,
        divi=DIVI,
        master={
            "companies": [{"cono": CONO, "name": "County council", "currency": "GBP"}],
            "divisions": [{"cono": CONO, "divi": DIVI, "name": "County council", "currency": "GBP"}],
            "terms": [{"cono": CONO, "tepy": "30"}],
            "payment_methods": [{"cono": CONO, "pyme": "STP"}],
            "tax_codes": [{"cono": CONO, "vtcd": 20, "name": "Standard rate", "rate": "20"}],
            "banks": [{"cono": CONO, "divi": DIVI, "bsid": "STAMPLI-GBP", "bkid": "01001"}],
            "suppliers": [
                {"cono": CONO, "suno": suno, "name": name, "currency": "GBP", "changed": 1_700_000_000_000}
                for suno, name in names.items()
            ],
            "dimensions": [
                *({"cono": CONO, "aitp": 1, "aitm": code, "name": text} for code, text in accounts.items()),
                *_areas(),
            ],
        },
        files={
            "invoices_2011-05.csv": (folder / OLDER).read_bytes(),
            "invoices_2024-09.csv": (folder / NEWER).read_bytes(),
        },
    )


def _rows(text: str) -> list[dict[str, str]]:
    return [row for row in csv.DictReader(io.StringIO(text, newline="")) if row["Supplier ID"]]


def _areas() -> list[dict[str, object]]:
    crosswalk = resources.files("stampli_infor_sandbox").joinpath("real", "crosswalks", "dimensions.csv")
    rows = csv.DictReader(io.StringIO(crosswalk.read_text("utf-8")))
    return [
        {
            "cono": CONO,
            "aitp": int(row["ait"].removeprefix("ait")),
            "aitm": row["value"],
            "name": row["stampli_code"],
        }
        for row in rows
    ]

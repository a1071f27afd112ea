"""Master data, held in memory and kept in the database, so that a check costs a dictionary look-up."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, fields
from typing import TYPE_CHECKING, Any, ClassVar

from stampli_infor_sandbox.m3.errors import unknown

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping

CURRENCY_DECIMALS: dict[str, int] = {
    "CAD": 2, "CHF": 2, "CZK": 2, "DKK": 2, "EUR": 2, "GBP": 2, "JPY": 0, "KWD": 3, "NOK": 2, "PLN": 2,
    "SEK": 2, "USD": 2,
}  # fmt: skip


class MasterError(ValueError):
    """Master data that can't be taken; the text names the kind, the field and what would be right."""


@dataclass(frozen=True, slots=True)
class Company:
    """A company; ``period_from``/``period_to`` (yyyyMMdd) bound the accounting dates it takes."""

    KEY: ClassVar = ("cono",)
    cono: int
    name: str
    currency: str
    period_from: str = "20000101"
    period_to: str = "20991231"


@dataclass(frozen=True, slots=True)
class Division:
    """A division of a company."""

    KEY: ClassVar = ("cono", "divi")
    cono: int
    divi: str
    name: str
    currency: str


@dataclass(frozen=True, slots=True)
class Supplier:
    """A supplier; ``status`` 10 preliminary, 20 approved, 90 blocked; ``changed`` is its LMTS."""

    KEY: ClassVar = ("cono", "suno")
    cono: int
    suno: str
    name: str
    status: str = "20"
    payee: str = ""
    currency: str = "EUR"
    terms: str = "30"
    payment_method: str = ""
    tax_code: int = 0
    tax_number: str = ""
    country: str = ""
    changed: int = 0

    @property
    def paid_as(self) -> str:
        """The payee: another supplier, or this one."""
        return self.payee or self.suno


@dataclass(frozen=True, slots=True)
class Reference:
    """A supplier reference (CRS620MI): an id that someone else uses for the supplier."""

    KEY: ClassVar = ("cono", "suno", "rfty", "rfid")
    cono: int
    suno: str
    rfty: str
    rfid: str
    yre1: str


@dataclass(frozen=True, slots=True)
class Dimension:
    """A value of an accounting dimension.

    ``valid_from`` and ``valid_to`` are yyyyMMdd, blank for no bound; ``required`` are dimensions 2..7.
    """

    KEY: ClassVar = ("cono", "divi", "aitp", "aitm")
    cono: int
    aitp: int
    aitm: str
    name: str
    divi: str = ""
    blocked: bool = False
    manual_blocked: bool = False
    valid_from: str = ""
    valid_to: str = ""
    required: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class TaxCode:
    """A VAT code with its rate in per cent."""

    KEY: ClassVar = ("cono", "vtcd")
    cono: int
    vtcd: int
    name: str
    rate: str = "0"


@dataclass(frozen=True, slots=True)
class Term:
    """A payment term."""

    KEY: ClassVar = ("cono", "tepy")
    cono: int
    tepy: str


@dataclass(frozen=True, slots=True)
class Method:
    """A payment method."""

    KEY: ClassVar = ("cono", "pyme")
    cono: int
    pyme: str


@dataclass(frozen=True, slots=True)
class Bank:
    """A bank identifier that bank statements may be entered for."""

    KEY: ClassVar = ("cono", "divi", "bsid")
    cono: int
    divi: str
    bsid: str
    bkid: str
    currency: str = ""


Row = Company | Division | Supplier | Reference | Dimension | TaxCode | Term | Method | Bank

KINDS: dict[str, type[Row]] = {
    "companies": Company,
    "divisions": Division,
    "suppliers": Supplier,
    "references": Reference,
    "dimensions": Dimension,
    "tax_codes": TaxCode,
    "terms": Term,
    "payment_methods": Method,
    "banks": Bank,
}


@dataclass(slots=True)
class Master:
    """All master data by key. Change it through ``put`` only."""

    companies: dict[int, Company] = field(default_factory=dict)
    divisions: dict[tuple[int, str], Division] = field(default_factory=dict)
    suppliers: dict[tuple[int, str], Supplier] = field(default_factory=dict)
    references: dict[tuple[int, str, str, str], Reference] = field(default_factory=dict)
    dimensions: dict[tuple[int, str, int, str], Dimension] = field(default_factory=dict)
    tax_codes: dict[tuple[int, int], TaxCode] = field(default_factory=dict)
    terms: dict[tuple[int, str], Term] = field(default_factory=dict)
    payment_methods: dict[tuple[int, str], Method] = field(default_factory=dict)
    banks: dict[tuple[int, str, str], Bank] = field(default_factory=dict)

    @classmethod
    def load(cls, connection: sqlite3.Connection) -> Master:
        """All that the database keeps."""
        master = cls()
        for kind, data in connection.execute("SELECT kind, data FROM master"):
            master._remember(kind, parse(kind, json.loads(data)))
        return master

    def put(self, connection: sqlite3.Connection, kind: str, row: Row) -> None:
        """Add or replace a row."""
        key = self._remember(kind, row)
        connection.execute(
            "INSERT INTO master (kind, key, data) VALUES (?, ?, ?)"
            " ON CONFLICT (kind, key) DO UPDATE SET data = excluded.data",
            (kind, json.dumps(key), json.dumps(asdict(row))),
        )

    def _remember(self, kind: str, row: Row) -> Any:
        parts = tuple(getattr(row, name) for name in row.KEY)
        key = parts[0] if len(parts) == 1 else parts
        getattr(self, kind)[key] = row
        return key

    def supplier(self, cono: int, suno: str, field_name: str = "SUNO") -> Supplier:
        """The supplier of that number.

        Raises:
            Nok: There is none (``WSU0103`` for SUNO, ``WSP0103`` for SPYN).
        """
        found = self.suppliers.get((cono, suno))
        if found is None:
            what = "Payee" if field_name == "SPYN" else "Supplier"
            raise unknown(field_name, f"{what} {suno}")
        return found

    def dimension(self, cono: int, divi: str, aitp: int, aitm: str) -> Dimension | None:
        """The dimension value as the division sees it: its own, else the company's."""
        return self.dimensions.get((cono, divi, aitp, aitm)) or self.dimensions.get((cono, "", aitp, aitm))


def parse(kind: str, data: Mapping[str, Any]) -> Row:
    """A row, given as JSON object of its fields.

    Raises:
        MasterError: The kind or a field is unknown, or a field is missing.
    """
    made = KINDS.get(kind)
    if made is None:
        raise MasterError(f"unknown kind {kind!r}; known are {', '.join(KINDS)}")
    names = [f.name for f in fields(made)]
    strange = sorted(set(data) - set(names))
    if strange:
        raise MasterError(f"{kind}: unknown fields {', '.join(strange)}; known are {', '.join(names)}")
    values = dict(data)
    if "required" in values:
        values["required"] = tuple(values["required"])
    try:
        return made(**values)
    except TypeError as error:
        raise MasterError(f"{kind}: {error}") from None

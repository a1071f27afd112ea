"""The field lists of the MI programs, and the tenant that exposes some of them."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any, Literal, get_args

from stampli_infor_sandbox.m3.errors import Nok, invalid, must_be_entered

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

TenantName = Literal["aps100", "aps450", "ce2020"]
TENANTS: tuple[str, ...] = get_args(TenantName)

_LATER = "later CE"
_NUMBER = re.compile(r"-?\d+(\.\d+)?")
_SHORT_DATE = 6
"""Length of a date field that takes yyMMdd (JBDT); every other one takes yyyyMMdd."""


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a transaction: ``type`` is A (text), N (number) or D (date)."""

    name: str
    type: str
    length: int
    mandatory: bool
    description: str

    def check(self, value: str) -> None:
        """Refuse a value that does not fit.

        Raises:
            Nok: Too long, no number, no date.
        """
        if self.type == "N":
            if not _NUMBER.fullmatch(value):
                raise invalid(self.name, f"{self.name} must be numeric: {value!r}")
            if sum(c.isdigit() for c in value) > self.length:
                raise invalid(self.name, f"{self.name} takes {self.length} digits at most: {value!r}")
        elif self.type == "D":
            self._check_date(value)
        elif len(value) > self.length:
            raise invalid(self.name, f"{self.name} takes {self.length} characters at most: {value!r}")

    def _check_date(self, value: str) -> None:
        short = self.length == _SHORT_DATE
        shape = "yyMMdd" if short else "yyyyMMdd"
        if len(value) != len(shape) or not value.isascii() or not value.isdigit():
            raise invalid(self.name, f"{self.name} must be a date {shape}: {value!r}")
        try:
            datetime.strptime(value, "%y%m%d" if short else "%Y%m%d")  # noqa: DTZ007 - a date
        except ValueError:
            raise invalid(self.name, f"{self.name} is not a date of the calendar: {value!r}") from None


@dataclass(frozen=True, slots=True)
class Transaction:
    """One transaction's layouts."""

    name: str
    description: str
    inputs: Mapping[str, Field]
    outputs: Mapping[str, Field]


@dataclass(frozen=True, slots=True)
class Tenant:
    """What one tenant exposes."""

    name: str
    programs: Mapping[str, Mapping[str, Transaction]]
    descriptions: Mapping[str, str]

    def transaction(self, program: str, name: str) -> Transaction:
        """The layouts of a transaction.

        Raises:
            Nok: The tenant does not have it.
        """
        transactions = self.programs.get(program)
        if transactions is None:
            raise Nok("XRE0103", "", f"Program {program} does not exist or is not exposed on this tenant")
        found = transactions.get(name)
        if found is None:
            raise Nok("XRE0103", "", f"Transaction {program}/{name} does not exist on this tenant")
        return found


def check_record(program: str, transaction: Transaction, record: Mapping[str, Any]) -> dict[str, str]:
    """The record as M3 takes it: known fields, fitting values, all mandatory ones given; blanks left out.

    Raises:
        Nok: With the first field that is wrong.
    """
    taken: dict[str, str] = {}
    for name, value in record.items():
        field = transaction.inputs.get(name)
        if field is None:
            raise invalid(name, f"{name} is not an input field of {program}/{transaction.name}")
        if not isinstance(value, str):
            raise invalid(name, f"{name} must be sent as a string")
        text = value.rstrip() if field.type == "A" else value.strip()
        if text:
            field.check(text)
            taken[name] = text
    for field in transaction.inputs.values():
        if field.mandatory and field.name not in taken:
            raise must_be_entered(field.name)
    return taken


def tenant(name: str, served: Iterable[tuple[str, str]]) -> Tenant:
    """The tenant of that name, cut down to what this sandbox really serves.

    Args:
        name: One of ``TENANTS``.
        served: Program and transaction of every handler there is.
    """
    shipped = _shipped()
    programs: dict[str, dict[str, Transaction]] = {}
    for program, transaction in sorted(served):
        described = shipped[program]["transactions"][transaction]
        if program == "APS100MI" and name != "aps100":
            continue
        if name == "ce2020" and described["in_releases"] == _LATER:
            continue
        programs.setdefault(program, {})[transaction] = Transaction(
            name=transaction,
            description=described["description"],
            inputs=_fields(described["in"], later=name != "ce2020"),
            outputs=_fields(described["out"], later=name != "ce2020"),
        )
    return Tenant(name=name, programs=programs, descriptions={p: shipped[p]["description"] for p in programs})


def _fields(rows: Iterable[Mapping[str, Any]], *, later: bool) -> dict[str, Field]:
    return {
        row["name"]: Field(
            name=row["name"],
            type=row["type"] or "A",
            length=row["length"],
            mandatory=bool(row.get("mandatory")),
            description=row["description"],
        )
        for row in rows
        if later or row.get("only_in") != _LATER
    }


@cache
def _shipped() -> Any:
    text = resources.files("stampli_infor_sandbox").joinpath("data", "mi-metadata.json").read_text("utf-8")
    return json.loads(text)

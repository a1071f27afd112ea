"""Which MI transactions a tenant exposes, and which fields each of them takes.

An unknown field is an error in M3, so nothing is sent that is not in here.
"""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from target_infor_cloudsuite.ion.answers import Outcome, Transaction
from target_infor_cloudsuite.ion.errors import GatewayRefused
from target_infor_cloudsuite.m3.values import Field

if TYPE_CHECKING:
    from collections.abc import Mapping

    from target_infor_cloudsuite.ion.gateway import Gateway

__all__ = ["USED", "Catalog", "Field"]

_log = logging.getLogger(__name__)

USED: dict[str, tuple[str, ...]] = {
    "APS100MI": ("AddHead", "AddLine", "GetHead", "LstLines", "LstInvBySupInv", "DltInvoice"),
    "APS450MI": ("AddHead", "AddLine", "GetHead", "LstLines", "LstInvBySupInv", "DltInvoice"),
    "APS455MI": ("ValidByBatchNo",),
    "APS200MI": ("GetInvTotInfo",),
    "ABS100MI": ("AddStatmtHead", "AddStatmtLine", "AddStatmtDetail", "GetBankIdent", "ValidateStatmt"),
    "CRS620MI": ("LstSuppliers", "GetBasicData", "LstSupplierRef"),
    "CRS630MI": ("LstAccountID",),
    "CRS030MI": ("LstVat",),
    "MNS095MI": ("Lst",),
    "MNS100MI": ("LstDivisions", "GetBasicData"),
    "GLS840MI": ("AddBatchHead", "AddBatchLineFld", "CtrlBatch", "UpdBatch"),
}
"""Every transaction that the target calls, MRS001MI's own apart."""

_REPOSITORY = "MRS001MI"
_MISSING = "XRE0103"
_CERTAIN = "CE-2020"  # what a tenant that shows no repository can be trusted to have
_NO = frozenset({"", "0", "N", "n"})
_FIELD_COLUMNS = ("FLNM", "TYPE", "LENG", "MAND")
_CORRELATION = "CORI"
_CERTAINLY_CORRELATED = frozenset({"APS450MI"})  # GetHead answers CORI in every published export

Layout = dict[str, Field]


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalog:
    """What a tenant exposes of the transactions in `USED`.

    Attributes:
        source: ``tenant`` when M3's own repository (MRS001MI) said so, ``shipped`` when it did not.
        layouts: (program, transaction) -> its input fields, for what is exposed.
        unproven: likewise for what may exist on the tenant though nobody vouches for it.
        correlated: the programs whose GetHead answers CORI, by which we know our own batches again.
    """

    source: str
    layouts: Mapping[tuple[str, str], Layout]
    unproven: Mapping[tuple[str, str], Layout]
    correlated: frozenset[str]

    def exposes(self, program: str, *transactions: str) -> bool:
        """Whether the tenant exposes all of these transactions; without any: whether it has the program."""
        if not transactions:
            return any(known == program for known, _ in self.layouts)
        return all((program, transaction) in self.layouts for transaction in transactions)

    def fields(self, program: str, transaction: str) -> dict[str, Field]:
        """Return the input fields that may be sent, by name; none when the transaction is not known."""
        key = (program, transaction)
        return dict(self.layouts.get(key) or self.unproven.get(key) or {})

    @classmethod
    def shipped(cls) -> Catalog:
        """Return the catalogue that came with this package: what every CloudSuite tenant of 2020 had.

        APS100MI and what came later is not exposed in it, but its fields are known for who insists on it.
        """
        text = files("target_infor_cloudsuite.m3").joinpath("data/mi-metadata.json").read_text("utf-8")
        layouts: dict[tuple[str, str], Layout] = {}
        unproven: dict[tuple[str, str], Layout] = {}
        for program, transactions in json.loads(text).items():
            for name, known in transactions.items():
                certain = known["releases"].startswith(_CERTAIN)
                fields = [
                    Field(name, kind, length, mandatory)
                    for name, kind, length, mandatory, only_in in known["fields"]
                    if only_in in {"", "CE"}
                ]
                (layouts if certain else unproven)[program, name] = {field.name: field for field in fields}
        return cls(source="shipped", layouts=layouts, unproven=unproven, correlated=_CERTAINLY_CORRELATED)

    @classmethod
    def read(cls, gateway: Gateway, cono: int) -> Catalog:
        """Ask M3's repository; two rounds of bulk requests.

        Where MRS001MI may not be read, the shipped catalogue takes its place, and a warning is logged.

        Raises:
            GatewayUnavailable: no useful answer.
            TokenRefused: no token.
        """
        try:
            exposed = _exposed(gateway, cono)
            layouts, correlated = _layouts(gateway, cono, exposed)
        except GatewayRefused as exc:
            return _fall_back(str(exc.args[0]))
        if not layouts:
            return _fall_back(f"{_REPOSITORY} knows none of the programs that are used")
        return cls(source="tenant", layouts=layouts, unproven={}, correlated=correlated)

    def to_json(self) -> dict[str, Any]:
        """The catalogue as a JSON value, for `from_json`."""
        return {
            "source": self.source,
            "layouts": _layouts_to_json(self.layouts),
            "unproven": _layouts_to_json(self.unproven),
            "correlated": sorted(self.correlated),
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Catalog:
        """Read what `to_json` wrote."""
        return cls(
            source=value["source"],
            layouts=_layouts_from_json(value["layouts"]),
            unproven=_layouts_from_json(value["unproven"]),
            correlated=frozenset(value["correlated"]),
        )


def _exposed(gateway: Gateway, cono: int) -> list[tuple[str, str]]:
    asked = [Transaction("LstTransactions", {"MINM": program}, ("MINM", "TRNM")) for program in USED]
    answers = gateway.read(_REPOSITORY, asked, cono=cono)
    exposed = []
    for (program, used), answer in zip(USED.items(), answers, strict=True):
        if answer.outcome is Outcome.REFUSED and answer.error and answer.error.code != _MISSING:
            # Refused for another reason than absence: no word about the program, so no catalogue at all.
            raise GatewayRefused(
                f"{_REPOSITORY}/LstTransactions was refused for {program}: {answer.error}",
                what_to_do=f"Grant the service account's M3 user the program {_REPOSITORY}",
            )
        names = {record.get("TRNM", "") for record in answer.records}
        exposed += [(program, name) for name in used if name in names]
    return exposed


def _layouts(
    gateway: Gateway, cono: int, exposed: list[tuple[str, str]]
) -> tuple[dict[tuple[str, str], Layout], frozenset[str]]:
    """The input fields of what is exposed, and the programs whose GetHead answers CORI; one round."""
    heads = [key for key in exposed if key[1] == "GetHead"]
    questions = [(key, "I") for key in exposed] + [(key, "O") for key in heads]
    asked = [
        Transaction("LstFields", {"MINM": program, "TRNM": name, "TRTP": layout}, _FIELD_COLUMNS)
        for (program, name), layout in questions
    ]
    layouts: dict[tuple[str, str], Layout] = {}
    correlated = set()
    for (key, layout), answer in zip(questions, gateway.read(_REPOSITORY, asked, cono=cono), strict=True):
        if answer.outcome is Outcome.REFUSED and answer.error and answer.error.code != _MISSING:
            raise GatewayRefused(
                f"{_REPOSITORY}/LstFields was refused for {'/'.join(key)}: {answer.error}",
                what_to_do=f"Grant the service account's M3 user the program {_REPOSITORY}",
            )
        fields = [_field(record) for record in answer.records if record.get("FLNM", "").strip()]
        if layout == "I":
            layouts[key] = {field.name: field for field in fields}
        elif any(field.name == _CORRELATION for field in fields):
            correlated.add(key[0])
    return layouts, frozenset(correlated)


def _field(record: Mapping[str, str]) -> Field:
    length = record.get("LENG", "").strip()
    return Field(
        name=record["FLNM"].strip(),
        type=record.get("TYPE", "").strip(),
        length=int(length) if length.isdecimal() and int(length) > 0 else None,
        mandatory=record.get("MAND", "").strip() not in _NO,
    )


def _fall_back(why: str) -> Catalog:
    _log.warning(
        "What this tenant exposes cannot be read (%s). Going by the catalogue shipped with this package: "
        "newer fields, such as line coding on APS450MI, will not be used. Grant the M3 user %s",
        why,
        _REPOSITORY,
    )
    return Catalog.shipped()


def _layouts_to_json(layouts: Mapping[tuple[str, str], Layout]) -> dict[str, Any]:
    return {
        "/".join(key): [[f.name, f.type, f.length, f.mandatory] for f in layout.values()]
        for key, layout in layouts.items()
    }


def _layouts_from_json(value: Mapping[str, Any]) -> dict[tuple[str, str], Layout]:
    layouts = {}
    for key, rows in value.items():
        program, _, name = key.partition("/")
        layouts[program, name] = {row[0]: Field(*row) for row in rows}
    return layouts

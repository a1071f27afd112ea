"""ABS100MI: statements numbered by the caller, booked by ValidateStatmt or not at all."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

import pytest


@dataclass
class Statement:
    """One open statement and the calls on it."""

    server: Any
    key: dict[str, str]

    def line(self, blsn: int, amount: str, payee: str = "10001", **changed: str) -> Any:
        record = {"BLSN": str(blsn), "BLLF": amount, "SPYN": payee, "CURD": "20261119", "ABNO": "REF"}
        return self.server.one("ABS100MI", "AddStatmtLine", self.key | record | changed).get("errorCode")

    def detail(self, blsn: int, blss: int, number: str, amount: str, year: str = "2026") -> Any:
        record = {"BLSN": str(blsn), "BLSS": str(blss), "SINO": number, "INYR": year, "BLNF": amount}
        return self.server.one("ABS100MI", "AddStatmtDetail", self.key | record).get("errorCode")

    def validate(self) -> Any:
        return self.server.one("ABS100MI", "ValidateStatmt", self.key).get("errorCode")


def open_statement(server: Any, **changed: str) -> Statement:
    record = {"CONO": "100", "DIVI": "AAA", "BSTY": "1", "STMN": "S1", "BSID": "STAMPLI-EUR", "CUCD": "EUR"}
    answer = server.one("ABS100MI", "AddStatmtHead", record | changed)["records"][0]
    return Statement(server, {k: answer[k] for k in ("CONO", "DIVI", "JBNO", "JBDT", "JBTM")})


def invoice(server: Any, **changed: str) -> str:
    number = f"P{uuid.uuid4().hex[:10]}"
    net = {"-119.00": "-100.00"}.get(changed.get("CUAM", ""), "100.00")
    tax = changed.get("VTAM", "19.00")
    inbn = server.batch(**({"SINO": number} | changed))
    server.line(inbn, NLAM=net, VTA1=tax)
    assert server.get_head(inbn)["SUPA"] == "90"
    return number


def totals(server: Any, number: str) -> tuple[str, str]:
    key = {"DIVI": "AAA", "SPYN": "10001", "SUNO": "10001", "SINO": number, "INYR": "2026"}
    record = server.one("APS200MI", "GetInvTotInfo", key)["records"][0]
    return record["PCUA"], record["OCUA"]


def test_a_statement_settles_its_invoices_when_validated(server: Any) -> None:
    first, second, credit = invoice(server), invoice(server), invoice(server, CUAM="-119.00", VTAM="-19.00")
    statement = open_statement(server, STMN="WELL")
    assert len(statement.key["JBDT"]) == 6
    assert statement.line(1, "-159.00") is None
    assert statement.detail(1, 1, first, "-119.00") is None
    assert statement.detail(1, 2, second, "-100.00") is None
    assert statement.detail(1, 3, credit, "60.00") is None
    assert totals(server, first) == ("0.00", "119.00")
    assert statement.validate() is None
    assert totals(server, first) == ("119.00", "0.00")
    assert totals(server, second) == ("100.00", "19.00")
    assert totals(server, credit) == ("-60.00", "-59.00")
    shown = next(s for s in server.ledger()["statements"] if s["stmn"] == "WELL")
    assert (shown["validated"], shown["bsid"], shown["currency"]) == (True, "STAMPLI-EUR", "EUR")
    assert [d["amount"] for d in shown["lines"][0]["details"]] == ["-119.00", "-100.00", "60.00"]


def test_repeats_are_decidable(server: Any) -> None:
    statement = open_statement(server)
    assert statement.line(1, "-1.00") is None
    assert statement.line(1, "-1.00") == "XRE0104"
    assert statement.detail(1, 1, "X", "-1.00") is None
    assert statement.detail(1, 1, "X", "-1.00") == "XRE0104"
    assert statement.detail(2, 1, "X", "-1.00") == "XRE0103"


def test_a_validated_statement_takes_nothing_more(server: Any) -> None:
    number = invoice(server)
    statement = open_statement(server)
    statement.line(1, "-119.00")
    statement.detail(1, 1, number, "-119.00")
    assert statement.validate() is None
    assert statement.validate() == "WJB0101"
    assert statement.line(2, "-1.00") == "WJB0101"
    assert statement.detail(1, 2, number, "-1.00") == "WJB0101"


@pytest.mark.parametrize(
    ("line", "detail", "year", "code"),
    [
        ("-119.01", "-119.01", "2026", "WBL0101"),
        ("119.00", "119.00", "2026", "WBL0101"),
        ("-119.00", "-118.00", "2026", "WBL0101"),
        ("-119.00", "-119.00", "2025", "XRE0103"),
    ],
)
def test_statement_is_refused_whole(server: Any, line: str, detail: str, year: str, code: str) -> None:
    good, bad = invoice(server), invoice(server)
    statement = open_statement(server)
    statement.line(1, "-119.00")
    statement.detail(1, 1, good, "-119.00")
    statement.line(2, line)
    statement.detail(2, 1, bad, detail, year)
    assert statement.validate() == code
    assert totals(server, good) == ("0.00", "119.00")
    assert totals(server, bad) == ("0.00", "119.00")


def test_paying_twice_is_an_over_payment(server: Any) -> None:
    number = invoice(server)
    codes = []
    for _ in range(2):
        statement = open_statement(server)
        statement.line(1, "-119.00")
        statement.detail(1, 1, number, "-119.00")
        codes.append(statement.validate())
    assert codes == [None, "WBL0101"]
    assert totals(server, number) == ("119.00", "0.00")


def test_payee_currency_and_emptiness(server: Any) -> None:
    number = invoice(server)
    other = open_statement(server)
    assert other.line(1, "-119.00", payee="nobody") == "WSP0103"
    assert other.line(1, "-119.00", CUCD="GBP") == "WCU0101"
    assert other.line(1, "-119.00", CURD="19.11.2026") == "WCU0101"
    assert other.validate() == "WJB0101"
    assert other.line(1, "-119.00", payee="10002") is None
    assert other.detail(1, 1, number, "-119.00") is None
    assert other.validate() == "XRE0103"
    dollars = open_statement(server, CUCD="USD")
    dollars.line(1, "-119.00")
    dollars.detail(1, 1, number, "-119.00")
    assert dollars.validate() == "WCU0101"


@pytest.mark.parametrize(
    ("changed", "code"),
    [({"BSID": "NOBANK"}, "XRE0103"), ({"CUCD": "XXX"}, "WCU0103"), ({"CONO": ""}, "WCO0102"),
     ({"DIVI": ""}, "WDI0102"), ({"DIVI": "BBB"}, "XRE0103"), ({"BSID": "STAMPLI-USD"}, "WCU0101")],
)  # fmt: skip
def test_statement_head_is_refused(server: Any, changed: dict[str, str], code: str) -> None:
    record = {"CONO": "100", "DIVI": "AAA", "BSTY": "1", "STMN": "S", "BSID": "STAMPLI-EUR", "CUCD": "EUR"}
    assert server.one("ABS100MI", "AddStatmtHead", record | changed)["errorCode"] == code


def test_bank_and_statement_must_exist(server: Any) -> None:
    bank = {"DIVI": "AAA", "BSID": "STAMPLI-EUR"}
    assert server.one("ABS100MI", "GetBankIdent", bank)["records"][0]["BKID"] == "01001"
    assert server.one("ABS100MI", "GetBankIdent", bank | {"BSID": "NO"})["errorCode"] == "XRE0103"
    nowhere = Statement(server, {"DIVI": "AAA", "JBNO": "1", "JBDT": "261119", "JBTM": "101010"})
    assert nowhere.line(1, "-1.00") == "XRE0103"
    assert nowhere.validate() == "XRE0103"
    nowhere.key["JBDT"] = "20261119"
    assert nowhere.line(1, "-1.00") == "WJB0101"

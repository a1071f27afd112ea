"""Tokens, throttling, the shapes of answers, and what a tenant exposes."""

from __future__ import annotations

import base64
from typing import Any
from urllib.parse import quote

import pytest
import requests


@pytest.mark.parametrize(
    ("changed", "status", "error"),
    [
        ({"password": "wrong"}, 400, "invalid_grant"),
        ({"client_secret": "wrong"}, 401, "invalid_client"),
        ({"grant_type": "authorization_code"}, 400, "unsupported_grant_type"),
    ],
)
def test_token_is_refused(server: Any, changed: dict[str, str], status: int, error: str) -> None:
    response = server.token(**changed)
    assert (response.status_code, response.json()["error"]) == (status, error)


def test_token_by_basic_and_by_client_credentials(server: Any) -> None:
    url, keys = server.keys["pu"] + server.keys["ot"], server.keys
    form = {"grant_type": "password", "username": keys["saak"], "password": keys["sask"]}
    for name in (keys["ci"], quote(keys["ci"], safe="")):
        basic = base64.b64encode(f"{name}:{keys['cs']}".encode()).decode()
        response = requests.post(url, data=form, headers={"Authorization": f"Basic {basic}"}, timeout=10)
        assert response.json()["expires_in"] == 7200
    assert server.token(grant_type="client_credentials", username="", password="").status_code == 200
    no_basic = requests.post(url, data=form, headers={"Authorization": "Basic ???"}, timeout=10)
    assert no_basic.status_code == 401


def test_token_is_needed_known_fresh_and_revocable(server: Any, launch: Any) -> None:
    for headers in ({}, {"Authorization": "Bearer nonsense"}):
        assert requests.get(f"{server.url}/MNS095MI/Lst", headers=headers, timeout=10).status_code == 401
    other = launch("--token-life", "0")
    assert other.post("MNS095MI", ("Lst", {})).status_code == 401
    token = server.token().json()["access_token"]
    form = {"token": token, "client_id": server.keys["ci"], "client_secret": server.keys["cs"]}
    bearer = {"Authorization": f"Bearer {token}"}
    assert requests.get(f"{server.url}/MNS095MI/Lst", headers=bearer, timeout=10).status_code == 200
    assert requests.post(server.keys["pu"] + server.keys["or"], data=form, timeout=10).status_code == 200
    assert requests.get(f"{server.url}/MNS095MI/Lst", headers=bearer, timeout=10).status_code == 401
    server.control("POST", "expire-tokens")
    assert server.post("MNS095MI", ("Lst", {})).status_code == 401
    server.login()
    assert server.post("MNS095MI", ("Lst", {})).status_code == 200


def test_throttle_refuses_and_names_the_wait(launch: Any) -> None:
    running = launch("--requests-per-minute", "3")
    answers = [running.post("MNS095MI", ("Lst", {})) for _ in range(5)]
    assert [a.status_code for a in answers] == [200, 200, 200, 429, 429]
    assert 55 <= int(answers[3].headers["Retry-After"]) <= 60
    requests_ = running.ledger()["requests"]
    assert (requests_["http"], requests_["throttled"], requests_["tokens"]) == (5, 2, 1)
    assert requests_["transactions"] == {"MNS095MI/Lst OK": 3}


def test_bulk_answers_in_order_and_counts(server: Any) -> None:
    steps = [("GetBasicData", {"SUNO": n}) for n in ("10001", "nobody", "10002")]
    body = server.post("CRS620MI", *steps).json()
    assert [r["records"][0]["SUNO"] if r["records"] else None for r in body["results"]] == [
        "10001",
        None,
        "10002",
    ]
    assert body["results"][1]["errorCode"] == "WSU0103"
    assert body["results"][1]["notProcessed"] is False
    assert (body["nrOfSuccessfullTransactions"], body["nrOfFailedTransactions"]) == (2, 1)
    assert (body["nrOfNotProcessedTransactions"], body["wasTerminated"]) == (0, False)
    assert body["bulkJobId"]


def test_single_get_answers_nok_with_400(server: Any) -> None:
    url = f"{server.url}/CRS620MI/GetBasicData"
    good = server.session.get(
        url, params={"SUNO": "10001", "cono": "100", "returncols": "SUNO,STAT"}, timeout=10
    )
    assert good.json()["results"][0]["records"] == [{"SUNO": "10001", "STAT": "20"}]
    bad = server.session.get(url, params={"SUNO": "nobody", "cono": "100"}, timeout=10)
    assert (bad.status_code, bad.json()["errorCode"], bad.json()["errorField"]) == (400, "WSU0103", "SUNO")
    odd = server.session.get(url, params={"SUNO": "10001", "cono": "100", "colour": "red"}, timeout=10)
    assert odd.status_code == 400


@pytest.mark.parametrize(
    ("options", "code"),
    [({"cono": None}, "WCO0102"), ({"cono": 999}, "WCO0103"), ({"divi": "XYZ"}, "WDI0103")],
)
def test_company_and_division_are_checked(server: Any, options: dict[str, Any], code: str) -> None:
    assert server.one("CRS620MI", "LstSuppliers", {}, **options)["errorCode"] == code


def test_company_independent_programs_need_none(server: Any) -> None:
    companies = server.one("MNS095MI", "Lst", {}, cono=None)["records"]
    assert [c["CONO"] for c in companies] == ["100", "200"]


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]",
        '{"program": "X"}',
        '{"program": "X", "transactions": [{}]}',
        '{"program": "X", "transactions": [{"transaction": "A", "record": 1}]}',
    ],
)
def test_malformed_bulk_is_a_bad_request(server: Any, text: str) -> None:
    assert server.session.post(server.url, data=text, timeout=10).status_code == 400


def test_values_are_sent_and_answered_as_strings(server: Any) -> None:
    result = server.one("CRS630MI", "LstAccountID", {"AITP": 1})
    assert (result["errorCode"], result["errorField"]) == ("WAI0101", "AITP")
    for record in server.one("CRS630MI", "LstAccountID", {"AITP": "1"})["records"]:
        assert all(isinstance(value, str) for value in record.values())


def test_options_of_a_bulk_call(server: Any) -> None:
    step: tuple[str, dict[str, str]] = ("LstSuppliers", {})
    assert len(server.bulk("CRS620MI", step, maxReturnedRecords=3)[0]["records"]) == 3
    assert len(server.bulk("CRS620MI", step, maxReturnedRecords=0)[0]["records"]) == 42
    record = server.bulk("CRS620MI", step, excludeEmptyValues=True)[0]["records"][0]
    assert all(record.values())
    padded = server.bulk("CRS620MI", step, rightTrim=False)[0]["records"][0]
    assert len(padded["SUNM"]) == 36


def test_list_cap_holds_whatever_is_asked_and_paging_by_key_passes_it(launch: Any) -> None:
    running = launch("--list-cap", "20")
    found: list[str] = []
    first = ""
    while True:
        records = running.one("CRS620MI", "LstSuppliers", {"FRSU": first} if first else {},
                              maxReturnedRecords=0)["records"]  # fmt: skip
        assert len(records) <= 20
        found += [r["SUNO"] for r in records if r["SUNO"] not in found]
        if len(records) < 20:
            break
        first = records[-1]["SUNO"]
    assert len(found) == 42


def exposed(server: Any, program: str) -> list[str]:
    result = server.one("MRS001MI", "LstTransactions", {"MINM": program}, cono=None)
    return [r["TRNM"] for r in result["records"]]


def fields(server: Any, program: str, transaction: str, layout: str = "I") -> dict[str, dict[str, str]]:
    record = {"MINM": program, "TRNM": transaction, "TRTP": layout}
    result = server.one("MRS001MI", "LstFields", record, maxReturnedRecords=0)
    return {r["FLNM"]: r for r in result["records"]}


def test_repository_tells_fields_with_type_length_and_mandatory(server: Any) -> None:
    line = fields(server, "APS100MI", "AddLine")
    assert {k: line["INBN"][k] for k in ("LENG", "TYPE", "MAND")} == {"LENG": "10", "TYPE": "N", "MAND": "1"}
    assert line["AIT7"]["MAND"] == "0"
    assert "INBN" in fields(server, "APS100MI", "AddHead", "O")
    bad = {"MINM": "APS100MI", "TRNM": "AddHead", "TRTP": "X"}
    assert server.one("MRS001MI", "LstFields", bad)["errorCode"] == "WTR0101"
    assert server.one("MRS001MI", "LstFields", bad | {"TRNM": "Nope"})["errorCode"] == "XRE0103"
    programs = [r["MINM"] for r in server.one("MRS001MI", "LstPrograms", {})["records"]]
    assert {"APS100MI", "APS450MI", "APS455MI", "ABS100MI"} <= set(programs)


@pytest.mark.parametrize(("tenant", "coding", "deletes"), [("aps450", True, True), ("ce2020", False, False)])
def test_tenants_without_aps100(launch: Any, tenant: str, *, coding: bool, deletes: bool) -> None:
    running = launch("--tenant", tenant)
    assert exposed(running, "APS100MI") == []
    assert ("DltInvoice" in exposed(running, "APS450MI")) is deletes
    assert ("AIT1" in fields(running, "APS450MI", "AddLine")) is coding
    assert running.head("APS100MI")["errorCode"] == "XRE0103"
    inbn = running.batch("APS450MI")
    coded = running.line(inbn, "APS450MI")
    assert coded.get("errorField") == (None if coding else "AIT1")
    bare = running.line(inbn, "APS450MI", AIT1="")
    assert bare.get("errorCode") == ("WAI0102" if coding else None)
    gone = running.one("APS450MI", "DltInvoice", {"INBN": inbn})
    assert gone.get("errorCode") == (None if deletes else "XRE0103")

"""Every injected fault, seen from the client and from M3's books."""

from __future__ import annotations

import threading
import time
import uuid
from email.utils import parsedate_to_datetime
from typing import Any

import pytest
import requests

pytestmark = pytest.mark.usefixtures("no_faults")
MATCH = {"program": "APS100MI", "transaction": "AddHead"}


def number() -> str:
    return f"F{uuid.uuid4().hex[:10]}"


def staged(server: Any, sino: str) -> int:
    return sum(batch["number"] == sino for batch in server.ledger()["staged"])


def add_head(server: Any, sino: str, timeout: float = 10) -> requests.Response:
    record = {"SUNO": "10001", "IVDT": "20261101", "SINO": sino, "CUAM": "1.00"}
    response: requests.Response = server.post("APS100MI", ("AddHead", record), timeout=timeout)
    return response


@pytest.mark.parametrize(
    ("rule", "error", "worked"),
    [
        ({"action": "refuse"}, requests.ConnectionError, 0),
        ({"action": "reset_after_work"}, requests.ConnectionError, 1),
        ({"action": "timeout_before_work"}, requests.Timeout, 0),
        ({"action": "timeout_after_work"}, requests.Timeout, 1),
        ({"action": "truncated_json"}, requests.RequestException, 1),
        ({"hold": True}, requests.Timeout, 1),
    ],
)
def test_no_answer(server: Any, rule: dict[str, Any], error: type[Exception], worked: int) -> None:
    sino = number()
    server.faults({"match": MATCH | {"nth": 1}, **rule})
    with pytest.raises(error):
        add_head(server, sino, timeout=0.5)
    assert staged(server, sino) == worked
    assert add_head(server, sino).status_code == 200


@pytest.mark.parametrize("status", [401, 403, 404, 429, 500, 502, 503, 504])
@pytest.mark.parametrize("when", ["before", "after"])
def test_status_before_or_after_the_work(server: Any, status: int, when: str) -> None:
    sino = number()
    server.faults({"match": MATCH | {"times": 1}, "action": "status", "status": status, "when": when})
    assert add_head(server, sino).status_code == status
    assert staged(server, sino) == (when == "after")


def test_retry_after_as_seconds_as_date_or_missing(server: Any) -> None:
    base = {"match": MATCH, "action": "status", "status": 429}
    server.faults(base | {"retry_after": 7})
    assert add_head(server, number()).headers["Retry-After"] == "7"
    server.faults(base | {"retry_after": "date"})
    assert parsedate_to_datetime(add_head(server, number()).headers["Retry-After"]).tzinfo is not None
    server.faults(base)
    assert "Retry-After" not in add_head(server, number()).headers


def test_work_after_the_answer(server: Any) -> None:
    sino = number()
    server.faults({"match": MATCH, "action": "work_after_answer", "delay_ms": 1500})
    assert add_head(server, sino).status_code == 504
    key = {"SPYN": "10001", "SUNO": "10001", "SINO": sino}
    assert server.one("APS450MI", "LstInvBySupInv", key)["errorCode"] == "XRE0103"
    deadline = time.monotonic() + 20
    while "errorCode" in server.one("APS450MI", "LstInvBySupInv", key):
        assert time.monotonic() < deadline


def test_html_with_200(server: Any) -> None:
    server.faults({"match": MATCH, "action": "html_200"})
    response = add_head(server, number())
    assert (response.status_code, response.headers["Content-Type"]) == (200, "text/html; charset=utf-8")


def test_terminated_bulk_and_dropped_results(server: Any) -> None:
    steps = [("GetBasicData", {"SUNO": "10001"})] * 3
    server.faults({"match": {"program": "CRS620MI"}, "action": "terminate_bulk_after", "n": 1})
    body = server.post("CRS620MI", *steps).json()
    assert [r.get("notProcessed", False) for r in body["results"]] == [False, True, True]
    assert (body["wasTerminated"], body["nrOfNotProcessedTransactions"]) == (True, 2)
    server.faults({"match": {"program": "CRS620MI"}, "action": "drop_results_after", "n": 1})
    body = server.post("CRS620MI", *steps).json()
    assert (len(body["results"]), body["wasTerminated"]) == (1, False)


def test_held_request_is_answered_when_released(server: Any) -> None:
    sino = number()
    server.faults({"match": MATCH, "hold": True})
    answers: list[int] = []
    thread = threading.Thread(target=lambda: answers.append(add_head(server, sino).status_code))
    thread.start()
    while staged(server, sino) == 0:
        assert thread.is_alive()
    assert answers == []
    server.control("POST", "release")
    thread.join(timeout=10)
    assert answers == [200]


def test_rule_by_record_and_nth_and_token(server: Any) -> None:
    server.faults(
        {"match": MATCH | {"record": {"SINO": "meant"}}, "action": "status", "status": 500},
        {"match": MATCH | {"nth": 2}, "action": "status", "status": 502},
        {"match": {"program": "OAUTH"}, "action": "status", "status": 503},
    )
    assert [add_head(server, n).status_code for n in ("a", "meant", "b")] == [200, 500, 200]
    assert server.token().status_code == 503
    assert [r["hits"] for r in server.control("GET", "faults")] == [1, 1, 1]


@pytest.mark.parametrize(
    "rule",
    [{"action": "explode"}, {"action": "status", "status": 200}, {"action": "refuse", "colour": "red"}, 5,
     {"action": "refuse", "match": {"programme": "X"}}, {"action": "status", "when": "later"}],
)  # fmt: skip
def test_a_wrong_rule_is_refused(server: Any, rule: Any) -> None:
    response = requests.post(f"{server.control_url}/faults", json=[rule], timeout=10)
    assert response.status_code == 400
    assert response.json()["error"]


def test_requests_are_logged_in_order(server: Any) -> None:
    server.control("DELETE", "requests")
    sino = number()
    add_head(server, sino)
    server.one("CRS620MI", "GetBasicData", {"SUNO": "nobody"})
    first, second = server.control("GET", "requests")
    assert (first["program"], first["transactions"][0]["record"]["SINO"]) == ("APS100MI", sino)
    assert (second["transactions"][0]["outcome"], second["status"]) == ("NOK", 200)
    assert first["n"] < second["n"]


def test_latency(launch: Any) -> None:
    running = launch("--latency-ms", "200")
    before = time.monotonic()
    running.post("MNS095MI", ("Lst", {}))
    assert time.monotonic() - before >= 0.2

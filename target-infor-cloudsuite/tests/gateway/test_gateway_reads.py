from __future__ import annotations

import json
import logging
import threading
from typing import TYPE_CHECKING

import pytest
from target_infor_cloudsuite.ion.answers import Outcome, Transaction
from target_infor_cloudsuite.ion.errors import GatewayRefused, GatewayUnavailable, IonError, TokenRefused

if TYPE_CHECKING:
    from collections.abc import Callable

    from target_infor_cloudsuite.ion.gateway import Gateway
    from tests.gateway.ion_server import Exchange, FakeTime, IonServer


def get(number: int = 1) -> Transaction:
    return Transaction("GetHead", {"INBN": str(number)}, ("INBN",))


def inbns(gateway: Gateway, count: int) -> list[str]:
    answers = gateway.read("APS450MI", [get(number) for number in range(count)], cono=100)
    return [answer.records[0]["INBN"] for answer in answers]


@pytest.mark.parametrize(
    "step",
    [
        lambda x: x.answer(b"<html>", media_type="text/html"),
        lambda x: x.answer(b"{"),
        *[lambda x, status=status: x.answer({}, status=status) for status in (400, 429, 500, 502, 503, 504)],
        lambda x: x.answer({"results": []}, cut=3),
        lambda x: x.answer({"results": []}),
        lambda x: x.answer({"results": [{"transaction": "GetHead", "notProcessed": True}]}),
        lambda x: x.answer({"results": [], "wasTerminated": True}),
        lambda x: x.reset(),
        lambda x: x.hang(),
    ],
)
def test_a_read_is_repeated(
    ion: IonServer, make_gateway: Callable[..., Gateway], step: Callable[[Exchange], None]
) -> None:
    ion.script.append(step)
    assert inbns(make_gateway(timeout_seconds=0.3), 1) == ["0"]
    assert len(ion.requests) == 2


def test_a_nok_is_an_answer_and_not_repeated(ion: IonServer, gateway: Gateway) -> None:
    ion.script.append(lambda x: x.answer(ion.nok("GetHead", "XRE0103"), status=400))
    (answer,) = gateway.read("APS450MI", [get()], cono=100)
    assert answer.outcome is Outcome.REFUSED
    assert len(ion.requests) == 1


def test_many_are_batched_in_parallel_and_stand_in_order(
    ion: IonServer, make_gateway: Callable[..., Gateway]
) -> None:
    gate = threading.Barrier(2)

    def answer(exchange: Exchange) -> None:
        gate.wait(10)
        exchange.all_done()

    ion.default = answer
    assert inbns(make_gateway(max_transactions=10, max_in_flight=2), 40) == [str(n) for n in range(40)]
    assert [len(request["transactions"]) for request in ion.requests] == [10] * 4


def test_a_batch_that_times_out_is_halved(ion: IonServer, make_gateway: Callable[..., Gateway]) -> None:
    def slow_when_large(exchange: Exchange) -> None:
        if len(exchange.body["transactions"]) > 2:
            exchange.answer({}, status=504)
        else:
            exchange.all_done()

    ion.default = slow_when_large
    assert inbns(make_gateway(max_in_flight=1), 7) == [str(n) for n in range(7)]
    assert [len(request["transactions"]) for request in ion.requests] == [7, 3, 1, 2, 4, 2, 2]


def test_one_refusal_for_a_batch_is_sorted_out_by_halving(ion: IonServer, gateway: Gateway) -> None:
    def refuse_five(exchange: Exchange) -> None:
        asked = exchange.body["transactions"]
        if any(transaction["record"]["INBN"] == "5" for transaction in asked):
            exchange.answer(ion.nok("GetHead", "XRE0103"), status=400)
        else:
            exchange.all_done()

    ion.default = refuse_five
    answers = gateway.read("APS450MI", [get(number) for number in range(8)], cono=100)
    assert [n for n, answer in enumerate(answers) if answer.outcome is Outcome.REFUSED] == [5]


def test_a_read_that_keeps_failing(ion: IonServer, gateway: Gateway, time: FakeTime) -> None:
    ion.default = lambda x: x.answer({}, status=503)
    with pytest.raises(
        GatewayUnavailable, match=r"APS450MI/GetHead could not be read in 5 attempts: HTTP 503"
    ):
        inbns(gateway, 1)
    assert len(ion.requests) == 5
    assert sum(time.slept) >= 15


@pytest.mark.parametrize(
    ("status", "error"), [(401, TokenRefused), (403, GatewayRefused), (404, GatewayRefused)]
)
def test_turned_away(ion: IonServer, gateway: Gateway, status: int, error: type[IonError]) -> None:
    ion.default = lambda x: x.answer({}, status=status)
    with pytest.raises(error) as caught:
        inbns(gateway, 1)
    assert caught.value.what_to_do in str(caught.value)
    assert len(ion.requests) == (2 if status == 401 else 1)


def test_company_division_and_records_asked_for(ion: IonServer, gateway: Gateway) -> None:
    gateway.read("APS450MI", [get()], cono=100, divi="AAA", max_records=7)
    gateway.read("APS450MI", [get()], cono=200)
    first, second = ion.requests
    assert (first["cono"], first["divi"], first["maxReturnedRecords"]) == (100, "AAA", 7)
    assert (second["cono"], "divi" in second, second["maxReturnedRecords"]) == (200, False, 0)


def test_numbers_never_become_floats(ion: IonServer, gateway: Gateway) -> None:
    raw = b'{"results": [{"transaction": "GetHead", "records": [{"CUAM": 121.00, "X": null, "N": 1e3}]}]}'
    ion.script.append(lambda x: x.answer(raw))
    (answer,) = gateway.read("APS450MI", [get()], cono=100)
    assert answer.records == ({"CUAM": "121.00", "X": "", "N": "1e3"},)


def test_a_netrc_does_not_replace_the_token(
    ion: IonServer,
    gateway: Gateway,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    netrc = tmp_path_factory.mktemp("home") / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password else\n")
    monkeypatch.setenv("NETRC", str(netrc))
    inbns(gateway, 1)
    assert ion.request_headers[0]["Authorization"].startswith("Bearer ")
    assert "Authorization" not in ion.token_headers[0]


@pytest.mark.parametrize("fault", ["none", "token", "401", "reset", "throttled", "html"])
def test_no_secret_is_shown_anywhere(
    ion: IonServer,
    gateway: Gateway,
    caplog: pytest.LogCaptureFixture,
    secrets: tuple[str, ...],
    fault: str,
) -> None:
    caplog.set_level(logging.DEBUG)

    def echo(exchange: Exchange, status: int = 400) -> None:
        """Answer with everything that we were sent, as careless servers do."""
        everything = json.dumps([exchange.raw.decode(), dict(exchange.headers)])
        exchange.answer({"error": everything, "error_description": everything}, status=status)

    if fault == "token":
        ion.token_script.append(echo)
    elif fault == "401":
        ion.default = lambda x: echo(x, 401)
    elif fault == "reset":
        ion.default = lambda x: x.reset()
    elif fault == "html":
        ion.default = lambda x: echo(x, 200)
    elif fault == "throttled":
        ion.script.append(lambda x: echo(x, 429))
    told = ""
    try:
        told = repr(gateway.read("APS450MI", [get()], cono=100))
    except IonError as exc:
        told = f"{exc} {exc!r} {exc.__cause__!r}"
    seen = f"{told} {caplog.text} {[record.__dict__ for record in caplog.records]}"
    assert len(seen) > 100
    assert [secret for secret in secrets if secret in seen or secret.replace("#", "%23") in seen] == []

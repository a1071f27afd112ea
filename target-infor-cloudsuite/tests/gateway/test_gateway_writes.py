"""Every end that a write can come to, over a real socket."""

from __future__ import annotations

import socket
import ssl
import threading
from datetime import UTC, datetime, timedelta
from time import sleep
from typing import TYPE_CHECKING, Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from target_infor_cloudsuite.ion.answers import Answer, Outcome, Transaction
from target_infor_cloudsuite.ion.errors import GatewayRefused, GatewayUnavailable, TokenRefused
from target_infor_cloudsuite.ion.slots import Slots

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from target_infor_cloudsuite.ion.gateway import Gateway
    from tests.gateway.ion_server import Exchange, FakeTime, IonServer

DONE, REFUSED, NOT_RUN, IN_DOUBT = Outcome.DONE, Outcome.REFUSED, Outcome.NOT_RUN, Outcome.IN_DOUBT


def line(number: int = 1) -> Transaction:
    return Transaction("AddLine", {"INBN": "1", "NLAM": str(number)})


def write(gateway: Gateway, *batches: list[Transaction]) -> list[list[Answer]]:
    return gateway.write_batches(
        "APS450MI", batches, cono=100, divi="AAA", before=lambda _: None, after=lambda *_: None
    )


def outcomes(answers: list[Answer]) -> list[Outcome]:
    return [answer.outcome for answer in answers]


def test_done_with_its_records(ion: IonServer, gateway: Gateway) -> None:
    ion.script.append(lambda x: x.answer({"results": [ion.done("AddHead", {"INBN": "42   ", "X": ""})]}))
    (answers,) = write(gateway, [Transaction("AddHead", {"SUNO": "Y1"}, ("INBN", "X"))])
    assert answers == [Answer(DONE, ({"INBN": "42", "X": ""},))]
    assert ion.requests == [
        {
            "program": "APS450MI",
            "cono": 100,
            "divi": "AAA",
            "excludeEmptyValues": False,
            "rightTrim": True,
            "maxReturnedRecords": 0,
            "transactions": [
                {"transaction": "AddHead", "record": {"SUNO": "Y1"}, "selectedColumns": ["INBN", "X"]}
            ],
        }
    ]
    assert ion.paths[-1] == "/TENANT/M3/m3api-rest/v2/execute"
    assert gateway.requests_sent == 2  # the token's and this


def test_nok_within_http_200(ion: IonServer, gateway: Gateway) -> None:
    ion.script.append(lambda x: x.answer({"results": [ion.nok("AddLine"), ion.done("AddLine")]}))
    (answers,) = write(gateway, [line(1), line(2)])
    assert outcomes(answers) == [REFUSED, DONE]
    error = answers[0].error
    assert error is not None
    assert str(error) == "WSU0103 (field SUNO): Supplier 1 does not exist"


@pytest.mark.parametrize("status", [200, 400])
def test_nok_at_the_top_level_of_a_single_transaction(ion: IonServer, gateway: Gateway, status: int) -> None:
    ion.script.append(lambda x: x.answer(ion.nok("AddLine"), status=status))
    (answers,) = write(gateway, [line()])
    assert outcomes(answers) == [REFUSED]


def test_one_refusal_for_several_transactions_leaves_them_in_doubt(ion: IonServer, gateway: Gateway) -> None:
    ion.script.append(lambda x: x.answer(ion.nok("AddLine"), status=400))
    (answers,) = write(gateway, [line(1), line(2)])
    assert outcomes(answers) == [IN_DOUBT, IN_DOUBT]
    assert answers[0].error is not None


def test_http_400_with_results(ion: IonServer, gateway: Gateway) -> None:
    results = [ion.nok("AddLine"), {**ion.nok("AddLine", ""), "notProcessed": True}]
    ion.script.append(lambda x: x.answer({"results": results}, status=400))
    (answers,) = write(gateway, [line(1), line(2)])
    assert outcomes(answers) == [REFUSED, NOT_RUN]


def test_a_fault_that_is_no_nok_is_in_doubt(ion: IonServer, gateway: Gateway) -> None:
    fault = {"transaction": "AddLine", "errorType": "BackendTimeout", "errorMessage": "gone"}
    ion.script.append(lambda x: x.answer({"results": [fault]}))
    (answers,) = write(gateway, [line()])
    assert outcomes(answers) == [IN_DOUBT]


def test_not_processed(ion: IonServer, gateway: Gateway) -> None:
    skipped = {"transaction": "AddLine", "records": [], "notProcessed": True}
    ion.script.append(lambda x: x.answer({"results": [ion.done("AddLine"), skipped]}))
    (answers,) = write(gateway, [line(1), line(2)])
    assert outcomes(answers) == [DONE, NOT_RUN]


@pytest.mark.parametrize(
    ("extra", "expected"),
    [
        ({"wasTerminated": True, "terminationReason": "too many errors"}, [DONE, NOT_RUN, NOT_RUN]),
        ({"wasTerminated": True, "nrOfNotProcessedTransactions": 2}, [DONE, NOT_RUN, NOT_RUN]),
        ({"wasTerminated": True, "nrOfNotProcessedTransactions": 1}, [DONE, IN_DOUBT, NOT_RUN]),
        ({"wasTerminated": False}, [DONE, IN_DOUBT, IN_DOUBT]),
        ({}, [DONE, IN_DOUBT, IN_DOUBT]),
    ],
)
def test_fewer_results_than_asked(
    ion: IonServer, gateway: Gateway, extra: dict[str, Any], expected: list[Outcome]
) -> None:
    ion.script.append(lambda x: x.answer({"results": [ion.done("AddLine")], **extra}))
    (answers,) = write(gateway, [line(1), line(2), line(3)])
    assert outcomes(answers) == expected


def test_results_that_are_not_ours(ion: IonServer, gateway: Gateway) -> None:
    ion.script.append(lambda x: x.answer({"results": [ion.done("AddLine"), ion.done("AddHead")]}))
    ion.script.append(lambda x: x.answer({"results": [ion.done("AddLine")] * 3}))
    both = write(gateway, [line(1), line(2)], [line(3), line(4)])
    assert [outcomes(answers) for answers in both] == [[IN_DOUBT] * 2] * 2


@pytest.mark.parametrize(
    ("step", "seen"),
    [
        (lambda x: x.answer(b"<html>secret</html>", media_type="text/html; charset=utf-8"), "text/html, 19"),
        (
            lambda x: x.answer(b'{"results": [', media_type="application/json"),
            "HTTP 200 with application/json",
        ),
        (lambda x: x.answer(b"[]"), "HTTP 200"),
        (lambda x: x.answer({}), "HTTP 200"),
        (lambda x: x.answer({"message": "?"}, status=400), "HTTP 400"),
        (lambda x: x.answer({"message": "?"}, status=302, headers={"Location": "/elsewhere"}), "HTTP 302"),
        *[
            (lambda x, status=status: x.answer({"message": "?"}, status=status), f"HTTP {status}")
            for status in (500, 502, 503, 504)
        ],
        (lambda x: x.answer({"results": []}, cut=3), "the connection broke"),
        (lambda x: x.reset(), "the connection broke"),
        (lambda x: x.hang(), "no answer within 0.3 s"),
    ],
)
def test_what_says_nothing_of_its_fate_is_in_doubt_and_never_repeated(
    ion: IonServer, make_gateway: Callable[..., Gateway], step: Callable[[Exchange], None], seen: str
) -> None:
    ion.script.append(step)
    (answers,) = write(make_gateway(timeout_seconds=0.3), [line(1), line(2)])
    assert outcomes(answers) == [IN_DOUBT, IN_DOUBT]
    assert seen in answers[0].detail
    assert "secret" not in answers[0].detail
    assert len(ion.requests) == 1


def test_a_reset_before_the_request_was_read_is_in_doubt(
    make_gateway: Callable[..., Gateway], ion: IonServer
) -> None:
    listener = socket.create_server(("127.0.0.1", 0))

    def accept_and_close() -> None:
        connection, _ = listener.accept()
        connection.recv(1, socket.MSG_PEEK)  # it has left the client, nobody has read it
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        connection.close()

    closer = threading.Thread(target=accept_and_close)
    closer.start()
    gateway = make_gateway(text=ion.ionapi(iu=f"http://127.0.0.1:{listener.getsockname()[1]}"))
    (answers,) = write(gateway, [line()])
    closer.join()
    listener.close()
    assert outcomes(answers) == [IN_DOUBT]


def test_connection_refused_certainly_did_not_run(
    make_gateway: Callable[..., Gateway], ion: IonServer
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    (answers,) = write(make_gateway(text=ion.ionapi(iu=f"http://127.0.0.1:{port}")), [line()])
    assert outcomes(answers) == [NOT_RUN]
    assert answers[0].detail == "no connection (NewConnectionError)"


@pytest.mark.parametrize(
    ("header", "pause"),
    [
        ({"Retry-After": "7"}, 7),
        ({"Retry-After": "Mon, 05 Jan 2026 00:00:30 GMT"}, 30),
        ({}, 2),
        ({"Retry-After": "soon"}, 2),
        ({"Retry-After": "0"}, 1),
        ({"Retry-After": "999999"}, 300),
    ],
)
def test_throttled_then_done(
    ion: IonServer, gateway: Gateway, time: FakeTime, header: dict[str, str], pause: float
) -> None:
    ion.script.append(lambda x: x.answer({}, status=429, headers=header))
    (answers,) = write(gateway, [line()])
    assert outcomes(answers) == [DONE]
    assert sum(time.slept) == pytest.approx(pause, abs=0.5)
    assert gateway.throttled == 1


def test_throttled_for_ever_did_not_run(ion: IonServer, gateway: Gateway, time: FakeTime) -> None:
    ion.default = lambda x: x.answer({}, status=429)
    (answers,) = write(gateway, [line()])
    assert outcomes(answers) == [NOT_RUN]
    assert "429" in answers[0].detail
    assert len(ion.requests) == gateway.throttled == 9
    assert [seconds for seconds in time.slept if seconds >= 1] == [2, 4, 8, 16, 32, 60, 60, 60]


def test_a_token_refused_once_is_renewed(ion: IonServer, gateway: Gateway) -> None:
    ion.script.append(lambda x: x.answer({}, status=401))
    (answers,) = write(gateway, [line()])
    assert outcomes(answers) == [DONE]
    assert len(ion.token_requests) == 2
    assert len({headers["Authorization"] for headers in ion.request_headers}) == 2


@pytest.mark.parametrize(
    ("status", "error", "word"),
    [
        (401, TokenRefused, "fresh token"),
        (403, GatewayRefused, "no right"),
        (404, GatewayRefused, "m3api-rest"),
    ],
)
def test_turned_away_stops_the_flight_with_everything_delivered(
    ion: IonServer,
    make_gateway: Callable[..., Gateway],
    status: int,
    error: type[Exception],
    word: str,
) -> None:
    ion.script.append(Exchange_all_done)
    ion.default = lambda x: x.answer({}, status=status)
    seen: list[tuple[int, list[Outcome]]] = []
    started: list[int] = []
    with pytest.raises(error, match=word):
        make_gateway(max_in_flight=1).write_batches(
            "APS450MI",
            [[line(1)], [line(2)], [line(3)]],
            cono=100,
            before=started.append,
            after=lambda index, answers: seen.append((index, outcomes(answers))),
        )
    assert seen == [(0, [DONE]), (1, [NOT_RUN])]
    assert started == [0, 1]


def Exchange_all_done(exchange: Exchange) -> None:  # noqa: N802 - stands for the method of that name
    exchange.all_done()


def test_without_a_token_nothing_is_started(ion: IonServer, gateway: Gateway) -> None:
    ion.token_script.append(lambda x: x.answer({"error": "invalid_grant"}, status=400))
    started: list[int] = []
    with pytest.raises(TokenRefused, match="invalid_grant"):
        gateway.write_batches("X", [[line()]], cono=1, before=started.append, after=lambda *_: None)
    assert started == []
    assert ion.requests == []


def test_a_dead_authorization_server(ion: IonServer, gateway: Gateway) -> None:
    for _ in range(5):
        ion.token_script.append(lambda x: x.answer(b"", status=503))
    with pytest.raises(GatewayUnavailable, match="no token in 5 attempts"):
        write(gateway, [line()])


def test_before_strictly_precedes_the_bytes(ion: IonServer, make_gateway: Callable[..., Gateway]) -> None:
    recorded: set[int] = set()
    too_early: list[int] = []

    def check(exchange: Exchange) -> None:
        number = int(exchange.body["transactions"][0]["record"]["NLAM"])
        if number not in recorded:
            too_early.append(number)
        exchange.all_done()

    ion.default = check
    caller = threading.get_ident()
    threads: set[int] = set()

    def before(index: int) -> None:
        threads.add(threading.get_ident())
        recorded.add(index)

    answers = make_gateway().write_batches(
        "APS450MI",
        ([line(number)] for number in range(20)),
        cono=100,
        before=before,
        after=lambda *_: threads.add(threading.get_ident()),
    )
    assert too_early == []
    assert threads == {caller}
    assert len(answers) == len(ion.requests) == 20


def test_results_stand_in_order_and_the_air_is_never_fuller_than_allowed(
    ion: IonServer, make_gateway: Callable[..., Gateway]
) -> None:
    gate = threading.Barrier(3)
    lock = threading.Lock()
    now: list[int] = []
    most: list[int] = []

    def answer(exchange: Exchange) -> None:
        number = exchange.body["transactions"][0]["record"]["NLAM"]
        with lock:
            now.append(1)
            most.append(len(now))
        gate.wait(10)  # three are in the air together, or this breaks
        with lock:
            now.pop()
        exchange.answer({"results": [ion.done("AddLine", {"TRNO": number})]})

    ion.default = answer
    batches = [[line(number)] for number in range(9)]
    answers = write(make_gateway(max_in_flight=3), *batches)
    assert [one[0].records[0]["TRNO"] for one in answers] == [str(number) for number in range(9)]
    assert max(most) == 3


def test_batches_are_pulled_only_when_there_is_room(
    ion: IonServer, make_gateway: Callable[..., Gateway]
) -> None:
    landed: list[int] = []
    known_when_pulled: list[int] = []

    def source() -> Any:
        for number in range(4):
            known_when_pulled.append(len(landed))
            yield [line(number)]

    make_gateway(max_in_flight=1).write_batches(
        "X", source(), cono=1, before=lambda _: None, after=lambda index, _: landed.append(index)
    )
    assert known_when_pulled == [0, 1, 2, 3]
    assert len(ion.requests) == 4


@pytest.mark.parametrize("where", ["before", "after", "batches"])
def test_when_the_caller_fails_what_is_in_the_air_lands_first(
    ion: IonServer, make_gateway: Callable[..., Gateway], where: str
) -> None:
    landed: list[int] = []
    started: list[int] = []

    def before(index: int) -> None:
        if where == "before" and index == 2:
            raise OSError("ledger")
        started.append(index)

    def after(index: int, _: list[Answer]) -> None:
        landed.append(index)
        if where == "after" and index == 0:
            raise OSError("ledger")

    def source() -> Any:
        yield [line(0)]
        yield [line(1)]
        if where == "batches":
            raise OSError("ledger")
        yield [line(2)]

    with pytest.raises((OSError, ValueError)):
        make_gateway(max_in_flight=3).write_batches("X", source(), cono=1, before=before, after=after)
    assert sorted(landed) == sorted(started)
    assert len(ion.requests) == len(started)


def test_an_empty_batch_waits_for_an_answer_that_is_under_way(gateway: Gateway) -> None:
    landed: list[int] = []

    def source() -> Any:
        yield [line(0)]
        while not landed:
            yield []
        yield [line(1)]

    answers = gateway.write_batches(
        "X", source(), cono=1, before=lambda _: None, after=lambda index, _: landed.append(index)
    )
    assert landed == [0, 1]
    assert len(answers) == 2
    with pytest.raises(ValueError, match="no answer under way"):
        gateway.write_batches("X", iter([[]]), cono=1, before=lambda _: None, after=lambda _, __: None)


def test_a_write_goes_before_reads_that_wait() -> None:
    slots = Slots(1)
    order: list[str] = []
    with slots.taken(urgent=False):

        def take(name: str, *, urgent: bool) -> None:
            with slots.taken(urgent=urgent):
                order.append(name)

        waiting = []
        for name in ("read", "read", "write"):
            thread = threading.Thread(target=take, args=(name,), kwargs={"urgent": name == "write"})
            thread.start()
            waiting.append(thread)
        while slots.waiting < 3:
            sleep(0.001)
    for thread in waiting:
        thread.join()
    assert order == ["write", "read", "read"]


def test_every_write_has_a_connection_of_its_own(ion: IonServer, gateway: Gateway) -> None:
    ports: list[int] = []

    def answer(exchange: Exchange) -> None:
        ports.append(exchange.handler.client_address[1])
        exchange.all_done()

    ion.default = answer
    gateway.read("APS450MI", [line()], cono=100)
    gateway.read("APS450MI", [line()], cono=100)
    for _ in range(3):
        write(gateway, [line()])
    gateway.read("APS450MI", [line()], cono=100)
    assert len(set(ports[2:5])) == 3
    assert not set(ports[2:5]) & {*ports[:2], ports[5]}


def test_a_server_whose_certificate_is_not_trusted_gets_nothing(
    ion: IonServer, make_gateway: Callable[..., Gateway], tmp_path: Path
) -> None:
    pem = tmp_path / "server.pem"
    pem.write_bytes(self_signed())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    listener = socket.create_server(("127.0.0.1", 0))
    received: list[bytes] = []

    def serve() -> None:
        connection, _ = listener.accept()
        try:
            with context.wrap_socket(connection, server_side=True) as tls:
                received.append(tls.recv(10))
        except OSError:
            connection.close()

    server = threading.Thread(target=serve)
    server.start()
    gateway = make_gateway(text=ion.ionapi(iu=f"https://127.0.0.1:{listener.getsockname()[1]}"))
    (answers,) = write(gateway, [line()])
    server.join()
    listener.close()
    assert outcomes(answers) == [NOT_RUN]
    assert "certificate" in answers[0].detail
    assert b"".join(received) == b""


def self_signed() -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    start = datetime(2020, 1, 1, tzinfo=UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, start, start + timedelta(days=36500))
    certificate = builder.sign(key, hashes.SHA256())
    plain = serialization.NoEncryption()
    return certificate.public_bytes(serialization.Encoding.PEM) + key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain
    )


def test_after_a_timeout_batches_are_smaller_and_grow_again(
    ion: IonServer, make_gateway: Callable[..., Gateway]
) -> None:
    ion.script.append(lambda x: x.answer({}, status=504))
    gateway = make_gateway(max_transactions=4, max_in_flight=1)
    batches = gateway.batches(line(number) for number in range(16))
    gateway.write_batches("X", batches, cono=1, before=lambda _: None, after=lambda *_: None)
    assert [len(request["transactions"]) for request in ion.requests] == [4, 2, 4, 4, 2]


def test_batches_respect_bytes_and_keep_order(make_gateway: Callable[..., Gateway]) -> None:
    gateway = make_gateway(max_transactions=50)
    items = [Transaction("A", {"X": "é" * 5_000}) for _ in range(5)]
    assert [len(batch) for batch in gateway.batches(items)] == [2, 2, 1]
    assert list(gateway.batches([7, 8, 9], lambda _: 20_000)) == [[7], [8], [9]]

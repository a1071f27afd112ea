from __future__ import annotations

import base64
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from target_infor_cloudsuite.ion.credentials import IonCredentials
from target_infor_cloudsuite.ion.errors import GatewayUnavailable, TokenRefused
from target_infor_cloudsuite.ion.token import TokenSource
from target_infor_cloudsuite.ion.transport import new_session

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.gateway.ion_server import Exchange, FakeTime, IonServer


@pytest.fixture
def source(ion: IonServer, time: FakeTime) -> Iterator[TokenSource]:
    with new_session() as session:
        yield TokenSource(IonCredentials.load(text=ion.ionapi()), session, time, sleep=time.sleep)


def test_password_grant_of_the_service_account(ion: IonServer, source: TokenSource) -> None:
    assert source.get() == "token-very-secret-1"
    assert source.get() == "token-very-secret-1"
    assert ion.token_requests == [
        {
            "grant_type": "password",
            "username": "TENANT#saak-very-secret-2",
            "password": "sask-very-secret-3",
            "client_id": "TENANT~client-id",
            "client_secret": "cs-very-secret-1",
        }
    ]
    assert ion.paths == ["/TENANT/as/token.oauth2"]


def test_client_credentials_without_a_service_account(ion: IonServer) -> None:
    with new_session() as session:
        TokenSource(IonCredentials.load(text=ion.ionapi(saak=None, sask=None)), session).get()
    assert ion.token_requests[0]["grant_type"] == "client_credentials"


def test_client_in_http_basic_where_the_server_wants_it(ion: IonServer, source: TokenSource) -> None:
    ion.token_script.append(lambda x: x.answer({"error": "invalid_client"}, status=401))
    first = source.get()
    source.renew(first)
    assert [("client_secret" in form) for form in ion.token_requests] == [True, False, False]
    scheme, _, value = ion.token_headers[2]["Authorization"].partition(" ")
    assert (scheme, base64.b64decode(value)) == ("Basic", b"TENANT~client-id:cs-very-secret-1")


def test_a_client_that_neither_way_knows(ion: IonServer, source: TokenSource) -> None:
    for _ in range(2):
        ion.token_script.append(lambda x: x.answer({"error": "invalid_client"}, status=401))
    with pytest.raises(TokenRefused, match="HTTP 401 invalid_client"):
        source.get()


@pytest.mark.parametrize(
    ("expires_in", "renewed_after"),
    [(7200, 6480), (300, 240), (60, 30), ("3600", 3240), (None, 540), ("never", 540), (-5, 540)],
)
def test_renewed_before_it_expires(
    ion: IonServer, source: TokenSource, time: FakeTime, expires_in: object, renewed_after: int
) -> None:
    ion.expires_in = expires_in
    first = source.get()
    time.now += renewed_after - 1
    assert source.get() == first
    time.now += 1
    assert source.get() != first


def test_one_refresh_for_all_threads(ion: IonServer, source: TokenSource) -> None:
    rejected = source.get()
    all_there = threading.Barrier(8)

    def renew() -> str:
        all_there.wait(10)
        return source.renew(rejected)

    with ThreadPoolExecutor(8) as pool:
        tokens = {future.result() for future in [pool.submit(renew) for _ in range(8)]}
    assert tokens == {"token-very-secret-2"}
    assert len(ion.token_requests) == 2


def test_one_first_token_for_all_threads(ion: IonServer, source: TokenSource) -> None:
    with ThreadPoolExecutor(8) as pool:
        assert {future.result() for future in [pool.submit(source.get) for _ in range(8)]} == {
            "token-very-secret-1"
        }
    assert len(ion.token_requests) == 1


def test_faults_are_repeated(ion: IonServer, source: TokenSource) -> None:
    ion.token_script.extend([lambda x: x.answer({}, status=503), lambda x: x.reset()])
    ion.token_script.append(lambda x: x.answer({}, status=429, headers={"Retry-After": "1"}))
    assert source.get() == "token-very-secret-4"


@pytest.mark.parametrize(("status", "error"), [(400, "invalid_grant"), (403, ""), (404, "")])
def test_refused(ion: IonServer, source: TokenSource, status: int, error: str) -> None:
    ion.token_script.append(lambda x: x.answer({"error": error or "<script>"}, status=status))
    with pytest.raises(TokenRefused, match=f"HTTP {status}") as caught:
        source.get()
    assert error in str(caught.value)
    assert "script" not in str(caught.value)


@pytest.mark.parametrize(
    "document", [{}, {"access_token": ""}, {"access_token": 7}, {"access_token": "a\nb"}]
)
def test_an_answer_without_a_usable_token(ion: IonServer, source: TokenSource, document: object) -> None:
    ion.token_script.append(lambda x: x.answer(document))
    with pytest.raises(GatewayUnavailable, match="no usable access_token"):
        source.get()


def test_what_is_not_json_is_no_token(ion: IonServer, source: TokenSource) -> None:
    def html(exchange: Exchange) -> None:
        exchange.answer(b"<html>", media_type="text/html")

    ion.token_script.append(html)
    with pytest.raises(GatewayUnavailable, match="HTTP 200 with text/html, 6 bytes"):
        source.get()

"""An ION gateway of a few lines, on a real socket: answers, or breaks, as the test has scripted."""

from __future__ import annotations

import json
import socket
import struct
import threading
from collections import deque
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

SECRETS = {
    "cs": "cs-very-secret-1",
    "saak": "TENANT#saak-very-secret-2",
    "sask": "sask-very-secret-3",
}
TOKEN_PREFIX = "token-very-secret-"


@dataclass(slots=True)
class Exchange:
    """One request as the server sees it, and the ways to answer it."""

    handler: BaseHTTPRequestHandler
    raw: bytes
    server: IonServer

    @property
    def body(self) -> Any:
        return json.loads(self.raw)

    @property
    def form(self) -> dict[str, str]:
        return {key: values[0] for key, values in parse_qs(self.raw.decode()).items()}

    @property
    def headers(self) -> Mapping[str, str]:
        return dict(self.handler.headers.items())

    def answer(
        self,
        document: Any,
        *,
        status: int = 200,
        headers: Mapping[str, str] | None = None,
        media_type: str = "application/json",
        cut: int = 0,
    ) -> None:
        data = document if isinstance(document, bytes) else json.dumps(document).encode()
        self.handler.send_response(status)
        self.handler.send_header("Content-Type", media_type)
        self.handler.send_header("Content-Length", str(len(data)))
        for name, value in (headers or {}).items():
            self.handler.send_header(name, value)
        self.handler.end_headers()
        self.handler.wfile.write(data[: len(data) - cut])
        if cut:
            self.handler.close_connection = True

    def reset(self) -> None:
        linger = struct.pack("ii", 1, 0)
        self.handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.handler.connection.close()
        self.handler.close_connection = True

    def hang(self) -> None:
        self.server.released.wait(30)
        self.handler.close_connection = True

    def all_done(self) -> None:
        self.answer(
            {"results": [self.server.done(t["transaction"], t["record"]) for t in self.body["transactions"]]}
        )


@dataclass(slots=True)
class IonServer:
    """What the server has seen and what it will answer.

    `script` is taken step by step for requests to M3; when it is empty, `default` answers.
    `token_script` likewise for token requests.
    """

    url: str = ""
    script: deque[Callable[[Exchange], None]] = field(default_factory=deque)
    token_script: deque[Callable[[Exchange], None]] = field(default_factory=deque)
    default: Callable[[Exchange], None] = Exchange.all_done
    requests: list[Any] = field(default_factory=list)
    request_headers: list[Mapping[str, str]] = field(default_factory=list)
    token_requests: list[dict[str, str]] = field(default_factory=list)
    token_headers: list[Mapping[str, str]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    expires_in: Any = 7200
    lock: threading.Lock = field(default_factory=threading.Lock)
    released: threading.Event = field(default_factory=threading.Event)

    @staticmethod
    def done(transaction: str, *records: Mapping[str, str]) -> dict[str, Any]:
        return {"transaction": transaction, "records": [dict(record) for record in records]}

    @staticmethod
    def nok(
        transaction: str, code: str = "WSU0103", message: str = "Supplier 1 does not exist      "
    ) -> dict[str, Any]:
        return {
            "transaction": transaction,
            "records": [],
            "errorMessage": message,
            "errorType": "ServerReturnedNOK",
            "errorCode": code,
            "errorField": "SUNO      ",
        }

    def ionapi(self, **changes: str | None) -> str:
        document = {
            "ti": "TENANT",
            "cn": "target",
            "dt": "12",
            "ci": "TENANT~client-id",
            "iu": self.url,
            "pu": f"{self.url}/TENANT/as/",
            "oa": "authorization.oauth2",
            "ot": "token.oauth2",
            "or": "revoke_token.oauth2",
            "ev": "U1",
            "v": "1.0",
            **SECRETS,
            **changes,
        }
        return json.dumps({key: value for key, value in document.items() if value is not None})

    def give_token(self, exchange: Exchange) -> None:
        number = len(self.token_requests)
        exchange.answer({"access_token": f"{TOKEN_PREFIX}{number}", "expires_in": self.expires_in})

    def handle(self, exchange: Exchange, path: str) -> None:
        with self.lock:
            self.paths.append(path)
            if path.endswith("/token.oauth2"):
                self.token_requests.append(exchange.form)
                self.token_headers.append(exchange.headers)
                step = self.token_script.popleft() if self.token_script else self.give_token
            else:
                self.requests.append(exchange.body)
                self.request_headers.append(exchange.headers)
                step = self.script.popleft() if self.script else self.default
        step(exchange)


class FakeTime:
    """A clock that only moves when somebody sleeps."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.slept: list[float] = []
        self._lock = threading.Lock()

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        with self._lock:
            self.slept.append(seconds)
            self.now += seconds

    def wall(self) -> datetime:
        return datetime(2026, 1, 5, tzinfo=UTC) + timedelta(seconds=self.now - 1000)


@contextmanager
def running() -> Iterator[IonServer]:
    """Run a server on a free port of this machine."""
    ion = IonServer()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers["Content-Length"]))
            ion.handle(Exchange(self, raw, ion), self.path)

        def log_message(self, *_: object) -> None:
            """Stay quiet."""

    class Server(ThreadingHTTPServer):
        def handle_error(self, *_: object) -> None:
            """Clients that went away are part of the tests."""

    server = Server(("127.0.0.1", 0), Handler)
    ion.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield ion
    finally:
        ion.released.set()
        server.shutdown()
        thread.join()
        server.server_close()

"""Carries a request to M3's bulk API: paced, with a token, repeated only where the gateway turned it away."""

from __future__ import annotations

import json
import logging
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from target_infor_cloudsuite.ion.errors import GatewayRefused, TokenRefused
from target_infor_cloudsuite.ion.token import TokenSource
from target_infor_cloudsuite.ion.transport import Bearer, LostError, NotSentError, exchange, new_session

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import requests

    from target_infor_cloudsuite.ion.answers import Transaction
    from target_infor_cloudsuite.ion.credentials import IonCredentials
    from target_infor_cloudsuite.ion.pacing import Pacer
    from target_infor_cloudsuite.ion.transport import Reply

_log = logging.getLogger(__name__)

_EXECUTE = "M3/m3api-rest/v2/execute"
_THROTTLED_REPEATS = 8
_UNAUTHORIZED, _FORBIDDEN, _NOT_FOUND, _THROTTLED = 401, 403, 404, 429


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """What the transactions of a request have in common."""

    program: str
    cono: int
    divi: str
    max_records: int = 0

    def body(self, batch: Sequence[Transaction]) -> bytes:
        """The request's JSON."""
        document: dict[str, Any] = {"program": self.program, "cono": self.cono}
        if self.divi:  # left out, M3 takes the account's own division; sent blank, it is the blank division
            document["divi"] = self.divi
        document |= {
            "excludeEmptyValues": False,  # a column that was asked for is there, blank or not
            "rightTrim": True,
            "maxReturnedRecords": self.max_records,
            "transactions": [transaction.as_json() for transaction in batch],
        }
        return json.dumps(document, ensure_ascii=False).encode()


class Courier:
    """Sends requests and counts them; thread-safe.

    Args:
        credentials: of the service account.
        pacer: the request budget.
        timeout_seconds: how long an answer may take.
        make_session: makes the HTTP sessions.
    """

    def __init__(
        self,
        credentials: IonCredentials,
        *,
        pacer: Pacer,
        timeout_seconds: float,
        make_session: Callable[[], requests.Session] | None,
    ) -> None:
        self._url = f"{credentials.api_base}/{_EXECUTE}"
        self._pacer = pacer
        self._timeout_seconds = timeout_seconds
        self._make_session = make_session or new_session
        self._local = threading.local()
        self._lock = threading.Lock()
        self._sessions: list[requests.Session] = []
        self.requests_sent = 0
        self.throttled = 0
        self.token = TokenSource(
            credentials,
            self._kept_session(),
            timeout_seconds=timeout_seconds,
            before_request=self._count_and_pace,
            on_throttled=self._slow_down,
            sleep=pacer.sleep,
        )

    def close(self) -> None:
        """Close the connections."""
        for session in self._sessions:
            session.close()

    def read(self, call: Call, batch: Sequence[Transaction]) -> Reply:
        """Send over the thread's kept connection. Raises as `write` does."""
        session: requests.Session | None = getattr(self._local, "session", None)
        if session is None:
            session = self._local.session = self._kept_session()
        return self._send(session, call, batch)

    def write(self, call: Call, batch: Sequence[Transaction]) -> Reply:
        """Send over a connection of its own.

        One that the server closed while it idled would break after the request left, and that cannot be
        told from a request that M3 executed.

        Raises:
            NotSentError: it certainly did not run.
            LostError: nobody knows whether it ran.
            IonError: we are turned away; it did not run.
        """
        with self._make_session() as session:
            return self._send(session, call, batch)

    def _send(self, session: requests.Session, call: Call, batch: Sequence[Transaction]) -> Reply:
        body = call.body(batch)
        label = f"{call.program} ({len(batch)} transactions)"
        renewed = False
        throttled = 0
        while True:
            token = self.token.get()
            self._count_and_pace()
            reply = self._exchange(session, body, token, label=label)
            if reply.status == _THROTTLED:
                self._slow_down(reply.retry_after)
                throttled += 1
                if throttled > _THROTTLED_REPEATS:
                    raise NotSentError(f"HTTP 429, throttled {throttled} times in a row")
                continue
            self._pacer.succeeded()
            if reply.status == _UNAUTHORIZED and not renewed:
                self.token.renew(token)
                renewed = True
                continue
            _turned_away(reply, call.program)
            return reply

    def _exchange(self, session: requests.Session, body: bytes, token: str, *, label: str) -> Reply:
        started = time.monotonic()
        seen = "failed"
        try:
            reply = exchange(
                session,
                self._url,
                body=body,
                headers={"Content-Type": "application/json"},
                auth=Bearer(token),
                timeout_seconds=self._timeout_seconds,
            )
            seen = reply.describe()
        except (NotSentError, LostError) as exc:
            seen = str(exc)
            raise
        finally:
            _log.debug("%s: %s, %.0f ms", label, seen, (time.monotonic() - started) * 1000)
        return reply

    def _count_and_pace(self) -> None:
        self._pacer.acquire()
        with self._lock:
            self.requests_sent += 1

    def _slow_down(self, retry_after: str | None) -> None:
        with self._lock:
            self.throttled += 1
        self._pacer.penalise(retry_after)

    def _kept_session(self) -> requests.Session:
        session = self._make_session()
        with self._lock:
            self._sessions.append(session)
        return session


def _turned_away(reply: Reply, program: str) -> None:
    if reply.status == _UNAUTHORIZED:
        raise TokenRefused(
            f"The gateway refuses a fresh token (HTTP 401) for {program}",
            what_to_do="Check in ION API that the authorized app may use the M3 API suite of this tenant",
        )
    if reply.status == _FORBIDDEN:
        raise GatewayRefused(
            f"The service account has no right to {program} (HTTP 403)",
            what_to_do=f"Grant the service account's M3 user the program {program} (MNS150/SES400) "
            "and the M3 API suite",
        )
    if reply.status == _NOT_FOUND:
        raise GatewayRefused(
            f"The gateway does not know the path {_EXECUTE} of this tenant (HTTP 404, {program})",
            what_to_do="Check iu and ti in the .ionapi, and that the M3 API suite is set up in ION API",
        )

"""The access token: fetched once for all threads, renewed before it expires."""

from __future__ import annotations

import json
import logging
import threading
import time
from typing import TYPE_CHECKING, NoReturn
from urllib.parse import quote_plus

from requests.auth import HTTPBasicAuth
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_exponential

from target_infor_cloudsuite.confidential import hide
from target_infor_cloudsuite.ion.errors import GatewayUnavailable, TokenRefused
from target_infor_cloudsuite.ion.transport import LostError, NoAuth, NotSentError, exchange

if TYPE_CHECKING:
    from collections.abc import Callable

    import requests

    from target_infor_cloudsuite.ion.credentials import IonCredentials
    from target_infor_cloudsuite.ion.transport import Reply

_log = logging.getLogger(__name__)

_ATTEMPTS = 5
_UNKNOWN_LIFE_SECONDS = 600.0  # no expires_in in the answer: assume little, it costs a request, no more
_LEAST_MARGIN_SECONDS = 60.0
_MARGIN_SHARE = 0.1
_OK, _BAD_REQUEST, _UNAUTHORIZED, _FORBIDDEN, _NOT_FOUND, _THROTTLED = 200, 400, 401, 403, 404, 429
# RFC 6749's codes. Only these are quoted: what else an answer holds might repeat what we sent.
_OAUTH_ERRORS = frozenset({
    "invalid_request", "invalid_client", "invalid_grant", "unauthorized_client", "unsupported_grant_type",
    "invalid_scope", "access_denied",
})  # fmt: skip
_WHAT_TO_DO = (
    "Check in ION API > Authorized Apps that the app and its service account are active; "
    "else download a new .ionapi for the setting ionapi_path (or ionapi)"
)


class TokenSource:
    """Hands out a valid access token; thread-safe, one refresh at a time.

    Args:
        credentials: whose token.
        session: used for token requests alone.
        clock: monotonic seconds.
        timeout_seconds: of a token request.
        before_request: called before each token request leaves: counts and paces it.
        on_throttled: called with the Retry-After header of a 429.
        sleep: waits between repeats.
    """

    def __init__(  # noqa: PLR0913 - all but three are keyword-only hooks
        self,
        credentials: IonCredentials,
        session: requests.Session,
        clock: Callable[[], float] = time.monotonic,
        *,
        timeout_seconds: float = 60.0,
        before_request: Callable[[], object] = lambda: None,
        on_throttled: Callable[[str | None], object] = lambda _: None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._credentials = credentials
        self._session = session
        self._clock = clock
        self._timeout_seconds = timeout_seconds
        self._before_request = before_request
        self._on_throttled = on_throttled
        self._sleep = sleep
        self._lock = threading.Lock()  # held while fetching: the others wait for the one refresh
        self._token = ""
        self._renew_at = 0.0
        self._basic = False

    def get(self) -> str:
        """Return a token that is valid for a while yet.

        Raises:
            TokenRefused: the authorization server refuses us.
            GatewayUnavailable: the authorization server does not answer usefully.
        """
        with self._lock:
            if not self._token or self._clock() >= self._renew_at:
                self._fetch()
            return self._token

    def renew(self, rejected: str) -> str:
        """Return another token than `rejected`, fetching one unless another thread has done so already."""
        with self._lock:
            if self._token == rejected or not self._token:
                self._fetch()
            return self._token

    def _fetch(self) -> None:
        self._token = ""
        repeat = Retrying(
            stop=stop_after_attempt(_ATTEMPTS),
            wait=wait_exponential(multiplier=1, max=30),
            retry=retry_if_exception_type((NotSentError, LostError)),  # a second token harms nobody
            sleep=self._sleep,
            reraise=True,
        )
        try:
            reply = repeat(self._ask)
        except (NotSentError, LostError) as exc:
            raise GatewayUnavailable(
                f"The authorization server gave no token in {_ATTEMPTS} attempts: {exc}",
                what_to_do="Check the network and Infor's service status; the next run continues",
            ) from None
        self._take(reply)

    def _ask(self) -> Reply:
        reply = self._post()
        if reply.status in {_BAD_REQUEST, _UNAUTHORIZED} and _error_of(reply) == "invalid_client":
            # Some authorization servers want the client in HTTP Basic, others in the body: take the other.
            self._basic = not self._basic
            reply = self._post()
        if reply.status == _THROTTLED:
            self._on_throttled(reply.retry_after)
            raise reply.as_fault()
        if reply.status in {_BAD_REQUEST, _UNAUTHORIZED, _FORBIDDEN, _NOT_FOUND}:
            _refuse(reply)
        if reply.status != _OK:
            raise reply.as_fault()
        return reply

    def _post(self) -> Reply:
        self._before_request()
        secrets = self._credentials
        form = secrets.grant()
        auth: HTTPBasicAuth | NoAuth = NoAuth()
        if self._basic:  # RFC 6749, 2.3.1: form-encoded first, for characters beyond Latin-1 and colons
            auth = HTTPBasicAuth(quote_plus(secrets.client_id), quote_plus(secrets.client_secret))
        else:
            form |= {"client_id": secrets.client_id, "client_secret": secrets.client_secret}
        return exchange(
            self._session,
            secrets.token_url,
            body=form,
            headers={},
            auth=auth,
            timeout_seconds=self._timeout_seconds,
            max_bytes=1024 * 1024,
        )

    def _take(self, reply: Reply) -> None:
        document = _json_of(reply)
        token = document.get("access_token")
        if not isinstance(token, str) or not token or not token.isascii() or not token.isprintable():
            raise GatewayUnavailable(
                f"The authorization server's answer holds no usable access_token ({reply.describe()})",
                what_to_do="Check that pu and ot in the .ionapi are this tenant's authorization server",
            )
        life = _seconds(document.get("expires_in"))
        # A life shorter than the margin must not mean a new token for every request.
        margin = min(max(_LEAST_MARGIN_SECONDS, life * _MARGIN_SHARE), life / 2)
        hide(token)
        self._token = token
        self._renew_at = self._clock() + life - margin
        _log.info("Token renewed; valid for %.0f s, to be renewed in %.0f s", life, life - margin)


def _refuse(reply: Reply) -> NoReturn:
    code = _error_of(reply)
    raise TokenRefused(
        f"The authorization server refuses a token: HTTP {reply.status}{f' {code}' if code else ''}",
        what_to_do=_WHAT_TO_DO,
    )


def _json_of(reply: Reply) -> dict[str, object]:
    try:
        document = json.loads(reply.body)
    except (ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}


def _error_of(reply: Reply) -> str:
    code = _json_of(reply).get("error")
    return code if isinstance(code, str) and code in _OAUTH_ERRORS else ""


def _seconds(value: object) -> float:
    try:
        seconds = float(value) if isinstance(value, int | float | str) else 0.0
    except ValueError:
        return _UNKNOWN_LIFE_SECONDS
    return seconds if 0 < seconds < float("inf") else _UNKNOWN_LIFE_SECONDS

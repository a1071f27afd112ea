"""One HTTP exchange, never repeated, and what its failure proves about the request's fate."""

from __future__ import annotations

import re
import ssl
import time
from dataclasses import dataclass
from http.client import HTTPException
from typing import TYPE_CHECKING

import requests
import urllib3
from requests.auth import AuthBase

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

MAX_RESPONSE_BYTES = 64 * 1024 * 1024
_CONNECT_SECONDS = 10.0
_CHUNK = 64 * 1024
_MEDIA_TYPE = re.compile(r"[\w.+-]{1,60}/[\w.+-]{1,60}")
_GATEWAY_TIMEOUT = 504
_TOO_LARGE = 413

# The only failures that prove that not one byte of the request left. Everything else may have happened
# after the server had the request: `requests.ConnectionError` alone says nothing.
_BEFORE_SENDING = (
    urllib3.exceptions.NewConnectionError,  # also NameResolutionError
    urllib3.exceptions.ConnectTimeoutError,
)


class NotSentError(Exception):
    """The request certainly did not reach the server."""


class LostError(Exception):
    """The request may have been executed; nobody knows.

    Args:
        detail: what was seen, free of secrets and of the body's content.
        too_much: a smaller request might fare better (timeout, too large).
    """

    def __init__(self, detail: str, *, too_much: bool = False) -> None:
        super().__init__(detail)
        self.too_much = too_much


class Bearer(AuthBase):
    """The Authorization header. As `auth`, because requests would else let a .netrc replace the header."""

    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, r: requests.PreparedRequest) -> requests.PreparedRequest:
        """Put the header on."""
        r.headers["Authorization"] = f"Bearer {self._token}"
        return r


class NoAuth(AuthBase):
    """No Authorization header at all, whatever a .netrc says."""

    def __call__(self, r: requests.PreparedRequest) -> requests.PreparedRequest:
        """Leave the request as it is."""
        return r


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """A complete HTTP answer."""

    status: int
    media_type: str
    retry_after: str | None
    body: bytes

    def describe(self) -> str:
        """Say what came without showing it, e.g. ``HTTP 200 with text/html, 1234 bytes``."""
        return f"HTTP {self.status} with {self.media_type or 'no content type'}, {len(self.body)} bytes"

    def as_fault(self) -> LostError:
        """This reply as a failure: it is not what was asked for."""
        return LostError(self.describe(), too_much=self.status in {_GATEWAY_TIMEOUT, _TOO_LARGE})


def new_session() -> requests.Session:
    """Make a session that repeats nothing by itself. Proxies and CA bundles come from the environment."""
    session = requests.Session()
    session.headers["Accept"] = "application/json"
    for scheme in ("https://", "http://"):
        session.mount(scheme, requests.adapters.HTTPAdapter(max_retries=0))
    return session


def exchange(  # noqa: PLR0913 - keyword-only, as requests.post is
    session: requests.Session,
    url: str,
    *,
    body: bytes | Mapping[str, str],
    headers: Mapping[str, str],
    auth: AuthBase,
    timeout_seconds: float,
    max_bytes: int = MAX_RESPONSE_BYTES,
) -> Reply:
    """POST once and read the whole answer.

    Args:
        session: from `new_session`.
        url: where to; never logged.
        body: bytes as they are, or form fields.
        headers: beside the session's.
        auth: `Bearer`, `NoAuth` or HTTP Basic.
        timeout_seconds: for the first byte, for every further one, and for the answer's body as a whole.
        max_bytes: the longest answer that is taken.

    Raises:
        NotSentError: the connection could not be made.
        LostError: the connection was made, the answer is missing, cut or too long.
    """
    try:
        with session.post(
            url,
            data=body,
            headers=dict(headers),
            auth=auth,
            timeout=(min(_CONNECT_SECONDS, timeout_seconds), timeout_seconds),
            allow_redirects=False,
            stream=True,
        ) as response:
            found = _MEDIA_TYPE.match(response.headers.get("Content-Type", ""))
            return Reply(
                status=response.status_code,
                media_type=found.group() if found else "",
                retry_after=response.headers.get("Retry-After"),
                body=_read(response, max_bytes=max_bytes, deadline=time.monotonic() + timeout_seconds),
            )
    except (requests.RequestException, urllib3.exceptions.HTTPError, HTTPException, OSError) as exc:
        raise _fate(exc, timeout_seconds=timeout_seconds) from None


def _read(response: requests.Response, *, max_bytes: int, deadline: float) -> bytes:
    parts: list[bytes] = []
    size = 0
    # read1 returns with what has come, so that the deadline also holds against an answer that trickles.
    while chunk := response.raw.read1(_CHUNK, decode_content=True):
        parts.append(chunk)
        size += len(chunk)
        if size > max_bytes:
            raise LostError(f"HTTP {response.status_code} with more than {max_bytes} bytes", too_much=True)
        if time.monotonic() > deadline:
            raise LostError(f"HTTP {response.status_code}, the answer did not end in time", too_much=True)
    return b"".join(parts)


def _fate(exc: Exception, *, timeout_seconds: float) -> NotSentError | LostError:
    """Decide by the chain of exception types, never by their texts, which may hold addresses."""
    chain = list(_chain(exc))
    names = [type(link).__name__ for link in chain]
    innermost = names[-1]
    if any(isinstance(link, _BEFORE_SENDING) for link in chain):
        return NotSentError(f"no connection ({innermost})")
    if any(isinstance(link, ssl.SSLCertVerificationError) for link in chain):
        return NotSentError("the server's certificate was not accepted")
    timeouts = (requests.Timeout, urllib3.exceptions.TimeoutError, TimeoutError)
    if any(isinstance(link, timeouts) for link in chain):
        return LostError(f"no answer within {timeout_seconds:g} s", too_much=True)
    return LostError(f"the connection broke ({innermost})")


def _chain(exc: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    link: object = exc
    while isinstance(link, BaseException) and id(link) not in seen:
        seen.add(id(link))
        yield link
        inner = getattr(link, "reason", None) or getattr(link, "original_error", None)
        if not isinstance(inner, BaseException):
            inner = next((arg for arg in link.args if isinstance(arg, BaseException)), None)
        link = inner

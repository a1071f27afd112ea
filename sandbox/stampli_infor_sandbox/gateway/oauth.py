"""The authorization server: password and client_credentials grants, tokens that expire and can be revoked."""

from __future__ import annotations

import base64
import binascii
import hmac
import secrets
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import unquote

from aiohttp import web

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(slots=True)
class Authorization:
    """Issues and checks access tokens; they live in memory, so a restart forgets them all.

    Args:
        ionapi: The keys of the .ionapi file handed out.
        token_life: Seconds that a token lives.
    """

    ionapi: Mapping[str, str]
    token_life: int
    issued: int = 0
    _tokens: dict[str, float] = field(default_factory=dict, repr=False)

    def is_valid(self, header: str) -> bool:
        """Whether an Authorization header carries a token that is known and has not expired."""
        scheme, _, token = header.partition(" ")
        return scheme.lower() == "bearer" and self._tokens.get(token.strip(), 0.0) > time.monotonic()

    def expire_all(self) -> int:
        """Expire every token.

        Returns:
            How many there were.
        """
        count = len(self._tokens)
        self._tokens.clear()
        return count

    async def token(self, request: web.Request) -> web.Response:
        """``POST /{tenant}/as/token.oauth2``."""
        form = {k: str(v) for k, v in (await request.post()).items()}
        if not self._client_is_known(request, form):
            return _refusal(401, "invalid_client", "unknown client id or secret")
        grant = form.get("grant_type")
        if grant == "password":
            given = (form.get("username", ""), form.get("password", ""))
            if not _same(given, (self.ionapi["saak"], self.ionapi["sask"])):
                return _refusal(400, "invalid_grant", "unknown service account key (saak, sask)")
        elif grant != "client_credentials":
            return _refusal(400, "unsupported_grant_type", f"grant_type {grant!r}")
        token = secrets.token_urlsafe(32)
        self._tokens[token] = time.monotonic() + self.token_life
        self.issued += 1
        return web.json_response(
            {"access_token": token, "token_type": "Bearer", "expires_in": self.token_life}
        )

    async def revoke(self, request: web.Request) -> web.Response:
        """``POST /{tenant}/as/revoke_token.oauth2``; answers 200 for an unknown token too (RFC 7009)."""
        form = {k: str(v) for k, v in (await request.post()).items()}
        if not self._client_is_known(request, form):
            return _refusal(401, "invalid_client", "unknown client id or secret")
        self._tokens.pop(form.get("token", ""), None)
        return web.Response()

    def _client_is_known(self, request: web.Request, form: Mapping[str, str]) -> bool:
        given = (form.get("client_id", ""), form.get("client_secret", ""))
        header = request.headers.get("Authorization", "")
        if header.lower().startswith("basic "):
            try:
                text = base64.b64decode(header[6:], validate=True).decode()
            except (binascii.Error, UnicodeDecodeError):
                return False
            name, _, secret = text.partition(":")
            given = (name, secret)
            if _same((unquote(name), unquote(secret)), (self.ionapi["ci"], self.ionapi["cs"])):
                return True
        return _same(given, (self.ionapi["ci"], self.ionapi["cs"]))


def _same(given: tuple[str, str], known: tuple[str, str]) -> bool:
    return hmac.compare_digest("\0".join(given).encode(), "\0".join(known).encode())


def _refusal(status: int, error: str, text: str) -> web.Response:
    return web.json_response({"error": error, "error_description": text}, status=status)

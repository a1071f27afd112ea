"""The .ionapi file of a backend service, read and checked without ever showing its secrets."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from target_infor_cloudsuite.confidential import hide
from target_infor_cloudsuite.ion.errors import CredentialsError

if TYPE_CHECKING:
    from os import PathLike

_NEW_FILE = "Download a new .ionapi of a backend service in ION API > Authorized Apps"
_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


@dataclass(frozen=True, slots=True, kw_only=True)
class IonCredentials:
    """What an .ionapi file says; its repr shows no secret.

    `service_account` and `service_secret` are empty together: the grant is then client_credentials.
    """

    tenant: str
    client_id: str
    api_base: str
    token_url: str
    revoke_url: str
    client_secret: str = field(repr=False)
    service_account: str = field(default="", repr=False)
    service_secret: str = field(default="", repr=False)

    @classmethod
    def load(cls, *, path: str | PathLike[str] | None = None, text: str | None = None) -> IonCredentials:
        """Read the credentials from a file (setting `ionapi_path`) or from its JSON (setting `ionapi`).

        Raises:
            CredentialsError: naming the setting, the file and the key that is missing or wrong.
        """
        if (path is None) == (text is None):
            raise CredentialsError(
                "Exactly one of the settings ionapi_path and ionapi is needed",
                what_to_do="Set ionapi_path to the .ionapi file, or ionapi to its content",
            )
        if path is None:
            return cls._parse(text or "", where="setting ionapi")
        where = f"setting ionapi_path, file {path}"
        try:
            content = Path(path).read_text(encoding="utf-8-sig")
        except (OSError, UnicodeDecodeError) as exc:
            why = exc.strerror if isinstance(exc, OSError) else "it is no UTF-8 text"
            raise CredentialsError(f"{where}: cannot be read: {why}", what_to_do=_NEW_FILE) from None
        return cls._parse(content, where=where)

    @classmethod
    def _parse(cls, content: str, *, where: str) -> IonCredentials:
        try:
            document = json.loads(content)
        except (ValueError, RecursionError):
            # The parser's own message quotes nothing, but its exception object carries the whole text.
            raise CredentialsError(f"{where}: is no JSON", what_to_do=_NEW_FILE) from None
        if not isinstance(document, dict):
            raise CredentialsError(f"{where}: is no JSON object", what_to_do=_NEW_FILE)

        def text_of(key: str) -> str:
            value = document.get(key)
            return value.strip() if isinstance(value, str) else ""

        missing = [key for key in ("ti", "ci", "cs", "iu", "pu", "ot") if not text_of(key)]
        if missing:
            raise CredentialsError(f"{where}: lacks {', '.join(missing)}", what_to_do=_NEW_FILE)
        if bool(text_of("saak")) != bool(text_of("sask")):
            lacking = "sask" if text_of("saak") else "saak"
            raise CredentialsError(
                f"{where}: lacks {lacking}: a service account needs both saak and sask",
                what_to_do="Tick 'create service account' when downloading the .ionapi",
            )
        hide(text_of("cs"), text_of("saak"), text_of("sask"))
        for key in ("iu", "pu"):
            _check_url(text_of(key), key=key, where=where)
        return cls(
            tenant=text_of("ti"),
            client_id=text_of("ci"),
            client_secret=text_of("cs"),
            api_base=_join(text_of("iu"), text_of("ti")),
            token_url=_join(text_of("pu"), text_of("ot")),
            revoke_url=_join(text_of("pu"), text_of("or")) if text_of("or") else "",
            service_account=text_of("saak"),
            service_secret=text_of("sask"),
        )

    def grant(self) -> dict[str, str]:
        """The form fields of a token request, without the client's own id and secret."""
        if not self.service_account:
            return {"grant_type": "client_credentials"}
        return {
            "grant_type": "password",
            "username": self.service_account,
            "password": self.service_secret,
        }

    def __reduce__(self) -> Any:
        """Refuse to be pickled: a pickle would be a copy of the secrets at rest."""
        raise TypeError("IonCredentials holds secrets and cannot be pickled")


def _check_url(url: str, *, key: str, where: str) -> None:
    parts = urlsplit(url)
    if parts.scheme not in {"https", "http"} or not parts.hostname:
        raise CredentialsError(f"{where}: {key} is no https address", what_to_do=_NEW_FILE)
    if parts.username or parts.password:
        raise CredentialsError(f"{where}: {key} carries a user name or password", what_to_do=_NEW_FILE)
    if parts.scheme == "http" and parts.hostname not in _LOOPBACK:
        raise CredentialsError(
            f"{where}: {key} is http: secrets would cross the network in clear",
            what_to_do="Use the https address (plain http is accepted for this machine only)",
        )


def _join(base: str, path: str) -> str:
    return f"{base.rstrip('/')}/{path.lstrip('/')}"

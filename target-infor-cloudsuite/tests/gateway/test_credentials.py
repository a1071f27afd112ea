from __future__ import annotations

import pickle
from typing import TYPE_CHECKING

import pytest
from target_infor_cloudsuite.ion.credentials import IonCredentials
from target_infor_cloudsuite.ion.errors import CredentialsError

if TYPE_CHECKING:
    from pathlib import Path

    from tests.gateway.ion_server import IonServer


def test_urls_come_from_the_file(ion: IonServer, tmp_path: Path) -> None:
    path = tmp_path / "target.ionapi"
    path.write_text(
        ion.ionapi(iu="https://ion.example", pu="https://sso.example:443/TENANT/as/"), encoding="utf-8-sig"
    )
    credentials = IonCredentials.load(path=path)
    assert credentials.api_base == "https://ion.example/TENANT"
    assert credentials.token_url == "https://sso.example:443/TENANT/as/token.oauth2"
    assert credentials.revoke_url == "https://sso.example:443/TENANT/as/revoke_token.oauth2"
    assert (credentials.tenant, credentials.client_id) == ("TENANT", "TENANT~client-id")


def test_no_secret_in_repr_nor_pickle(ion: IonServer, secrets: tuple[str, ...]) -> None:
    credentials = IonCredentials.load(text=ion.ionapi())
    shown = f"{credentials!r} {credentials}"
    assert "TENANT~client-id" in shown
    assert [secret for secret in secrets if secret in shown] == []
    with pytest.raises(TypeError, match="cannot be pickled"):
        pickle.dumps(credentials)


@pytest.mark.parametrize("key", ["ti", "ci", "cs", "iu", "pu", "ot", "saak", "sask"])
@pytest.mark.parametrize("value", [None, " "])
def test_a_missing_key_is_named(ion: IonServer, tmp_path: Path, key: str, value: str | None) -> None:
    path = tmp_path / "target.ionapi"
    path.write_text(ion.ionapi(**{key: value}), encoding="utf-8")
    with pytest.raises(CredentialsError, match=rf"ionapi_path, file .*target\.ionapi: lacks {key}"):
        IonCredentials.load(path=path)


@pytest.mark.parametrize(
    ("url", "word"),
    [
        ("http://ion.example", "in clear"),
        ("ion.example", "no https address"),
        ("ftp://ion.example", "no https address"),
        ("https://user:pass-very-secret@ion.example", "user name or password"),
    ],
)
def test_an_address_that_would_betray_secrets(ion: IonServer, url: str, word: str) -> None:
    with pytest.raises(CredentialsError, match=word) as caught:
        IonCredentials.load(text=ion.ionapi(iu=url))
    assert "secret" not in str(caught.value).replace("secrets would", "")


@pytest.mark.parametrize("text", ["", "cs-very-secret-1", "[]", '{"cs": "cs-very-secret-1"', "[" * 100_000])
def test_what_is_no_ionapi(text: str) -> None:
    with pytest.raises(CredentialsError, match="setting ionapi") as caught:
        IonCredentials.load(text=text)
    assert "very-secret" not in f"{caught.value!r} {caught.value.__cause__!r}"


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(CredentialsError, match="No such file"):
        IonCredentials.load(path=tmp_path / "none.ionapi")


def test_both_settings_or_none() -> None:
    with pytest.raises(CredentialsError, match="Exactly one"):
        IonCredentials.load()
    with pytest.raises(CredentialsError, match="Exactly one"):
        IonCredentials.load(path="x", text="{}")

"""``enc:`` tokens: made under the first key, opened under any, never shown when they cannot be."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from target_infor_cloudsuite.secrets import (
    KEY_FILE_VARIABLE,
    KEY_VARIABLE,
    PREFIX,
    SecretError,
    conceal,
    new_key,
    renew,
    reveal,
)

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(KEY_VARIABLE, raising=False)
    monkeypatch.delenv(KEY_FILE_VARIABLE, raising=False)


@given(plain=st.text(st.characters(exclude_categories=["Cs"])))
def test_every_text_comes_back(plain: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(KEY_VARIABLE, new_key())
        token = conceal(plain)
        assert token.startswith(PREFIX)
        assert reveal(token, setting="ionapi") == plain


def test_a_text_that_is_no_token_is_what_it_is() -> None:
    assert reveal("plain", setting="ionapi") == "plain"


def test_an_old_key_still_opens_and_a_new_one_conceals(monkeypatch: pytest.MonkeyPatch) -> None:
    old, new = new_key(), new_key()
    monkeypatch.setenv(KEY_VARIABLE, old)
    of_old = conceal("secret")
    for separator in (",", " ", "\n", ", "):
        monkeypatch.setenv(KEY_VARIABLE, f"{new}{separator}{old}")
        assert reveal(of_old, setting="ionapi") == "secret"
    of_new = conceal("secret")
    monkeypatch.setenv(KEY_VARIABLE, new)
    assert reveal(of_new, setting="ionapi") == "secret"


def test_the_key_may_stand_in_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text(f"{new_key()}\n", "ascii")
    monkeypatch.setenv(KEY_FILE_VARIABLE, str(file))
    assert reveal(conceal("secret"), setting="ionapi") == "secret"
    file.unlink()
    with pytest.raises(SecretError, match="cannot be read"):
        conceal("secret")


def test_what_cannot_be_opened_is_named_and_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    key = new_key()
    monkeypatch.setenv(KEY_VARIABLE, key)
    token = conceal("plain-secret")
    told = []
    for keys, value in (
        (new_key(), token),
        (key, token[:-5]),
        (key, "enc:"),
        (key, "enc:größer"),
        ("no key at all", token),
        ("schlüssel", token),
        ("", token),
    ):
        monkeypatch.setenv(KEY_VARIABLE, keys)
        with pytest.raises(SecretError) as fault:
            reveal(value, setting="ionapi")
        told.append(str(fault.value))
    assert all("ionapi" in text or KEY_VARIABLE in text for text in told)
    assert not any("plain-secret" in text or key in text or token[4:] in text for text in told)


def test_to_conceal_needs_a_key() -> None:
    with pytest.raises(SecretError, match=r"to be encrypted.*STAMPLI_INFOR_KEY.*new-key"):
        conceal("secret")


def test_tokens_in_a_text_are_made_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    old, new = new_key(), new_key()
    monkeypatch.setenv(KEY_VARIABLE, old)
    text = f"A={conceal('one')}\nB='{conceal('two')}'\nC=enc:no-token D=plain\n"
    monkeypatch.setenv(KEY_VARIABLE, f"{new},{old}")
    renewed, count = renew(text)
    assert count == 2
    assert renewed != text
    monkeypatch.setenv(KEY_VARIABLE, new)
    first, second, third, _ = renewed.split("\n")
    assert reveal(first.removeprefix("A="), setting="a") == "one"
    assert reveal(second.removeprefix("B=").strip("'"), setting="b") == "two"
    assert third == "C=enc:no-token D=plain"
    with pytest.raises(SecretError, match=r"none of the keys.*Nothing was changed"):
        renew(text)

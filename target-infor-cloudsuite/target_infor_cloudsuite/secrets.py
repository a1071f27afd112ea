"""``enc:`` settings: a secret at rest is a Fernet token, opened with the key in the environment."""

from __future__ import annotations

import os
import re
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

PREFIX = "enc:"
KEY_VARIABLE = "STAMPLI_INFOR_KEY"
KEY_FILE_VARIABLE = "STAMPLI_INFOR_KEY_FILE"
#: A Fernet token is url-safe base64 and begins with its version, 0x80.
_TOKEN = re.compile(rf"{PREFIX}(gAAAA[A-Za-z0-9_-]+=*)")


class SecretError(Exception):
    """A secret cannot be opened or made. The text names the setting and never the secret."""


def reveal(value: str, *, setting: str) -> str:
    """The plain text of a setting's value, whether it is encrypted (``enc:..``) or not.

    Raises:
        SecretError: There is no key, it is no key, or the token was made with another one.
    """
    if not value.startswith(PREFIX):
        return value
    try:
        return _keys(setting).decrypt(value.removeprefix(PREFIX).encode()).decode()
    except InvalidToken:
        raise SecretError(
            f"The setting {setting} is encrypted with another key than those in {KEY_VARIABLE}, or was cut. "
            "Use the right key, or encrypt it again with `cloudsuite-ap secrets encrypt`."
        ) from None


def conceal(plain: str) -> str:
    """Make an ``enc:`` token under the first key.

    Raises:
        SecretError: There is no key, or it is none.
    """
    return PREFIX + _keys("").encrypt(plain.encode()).decode()


def renew(text: str) -> tuple[str, int]:
    """Every ``enc:`` token in a text made anew under the first key; the text, and how many those were.

    Raises:
        SecretError: There is no key, or one of the tokens was made with none of them.
    """
    keys, count = _keys(""), 0

    def made(found: re.Match[str]) -> str:
        nonlocal count
        count += 1
        try:
            return PREFIX + keys.rotate(found[1].encode()).decode()
        except InvalidToken:
            raise SecretError(
                f"The token that begins with {found[0][:14]} was made with none of the keys in "
                f"{KEY_VARIABLE}: put the old key behind the new one, separated by a comma. Nothing "
                "was changed."
            ) from None

    return _TOKEN.sub(made, text), count


def new_key() -> str:
    """A fresh key for the environment."""
    return Fernet.generate_key().decode()


def _keys(setting: str) -> MultiFernet:
    text = os.environ.get(KEY_VARIABLE, "")
    file = os.environ.get(KEY_FILE_VARIABLE, "")
    if not text and file:
        try:
            text = Path(file).read_text(encoding="ascii")
        except (OSError, UnicodeDecodeError) as fault:
            raise SecretError(
                f"The key file {file} ({KEY_FILE_VARIABLE}) cannot be read: {fault}."
            ) from fault
    keys = [key for key in text.replace(",", " ").split() if key]
    if not keys:
        what = f"The setting {setting} is encrypted" if setting else "A secret is to be encrypted"
        raise SecretError(
            f"{what}, but neither {KEY_VARIABLE} nor {KEY_FILE_VARIABLE} gives a key. Make one with "
            "`cloudsuite-ap secrets new-key`."
        )
    try:
        return MultiFernet([Fernet(key) for key in keys])
    except ValueError:
        raise SecretError(
            f"{KEY_VARIABLE} holds no valid key (32 bytes, url-safe base64). Make one with "
            "`cloudsuite-ap secrets new-key`."
        ) from None

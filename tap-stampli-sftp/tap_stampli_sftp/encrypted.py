"""Settings encrypted at rest: ``enc:<token>`` is decrypted with the key of the environment."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from tap_stampli_sftp.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Mapping

PREFIX = "enc:"
KEY_VARIABLE = "STAMPLI_INFOR_KEY"
KEY_FILE_VARIABLE = "STAMPLI_INFOR_KEY_FILE"


def reveal(*, setting: str, value: str, environment: Mapping[str, str] | None = None) -> str:
    """Return the plain text of a setting that may be ``enc:<token>``.

    Args:
        setting: The setting's name, for error messages.
        value: The text as configured.
        environment: Where the key is looked up; the process environment by default.

    Raises:
        SettingsError: There is no usable key, or none of the keys opens the token.
    """
    if not value.startswith(PREFIX):
        return value
    try:
        return (
            _keys(environment=os.environ if environment is None else environment, setting=setting)
            .decrypt(value[len(PREFIX) :].strip().encode())
            .decode()
        )
    except InvalidToken:
        raise SettingsError(
            f"Setting {setting} is encrypted, but no key in {KEY_VARIABLE} or {KEY_FILE_VARIABLE} opens it. "
            "Give the key it was encrypted with, or encrypt it again."
        ) from None


def _keys(*, environment: Mapping[str, str], setting: str) -> MultiFernet:
    text = environment.get(KEY_VARIABLE, "")
    if not text and (path := environment.get(KEY_FILE_VARIABLE)):
        try:
            text = Path(path).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            why = error.strerror if isinstance(error, OSError) else "it is no text"
            raise SettingsError(
                f"Setting {setting} is encrypted and its key file {path} ({KEY_FILE_VARIABLE}) cannot "
                "be read: "
                f"{why}."
            ) from None
    keys = [part for part in text.replace("\n", ",").split(",") if part.strip()]
    if not keys:
        raise SettingsError(
            f"Setting {setting} is encrypted: set {KEY_VARIABLE} to its key, or {KEY_FILE_VARIABLE} to "
            "a file with it."
        )
    try:
        return MultiFernet([Fernet(key.strip()) for key in keys])
    except ValueError:
        raise SettingsError(
            f"A key in {KEY_VARIABLE} or {KEY_FILE_VARIABLE} is no Fernet key (32 bytes in url-safe base64)."
        ) from None

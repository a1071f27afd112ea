from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet
from tap_stampli_sftp.encrypted import reveal
from tap_stampli_sftp.errors import SettingsError
from tap_stampli_sftp.fields import StreamName
from tap_stampli_sftp.settings import load_settings
from tap_stampli_sftp.settings_schema import SETTINGS_SCHEMA, TEMPLATE_PROPERTIES
from tap_stampli_sftp.tap import TapStampliSFTP
from tap_stampli_sftp.templates import load_templates

README = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")
MINIMAL = {"host": "h", "username": "u", "password": "secret-word"}


def _documented(section: str) -> list[str]:
    body = README.split(f"## {section}\n", 1)[1].split("\n## ", 1)[0]
    return re.findall(r"^\| `(\w+)`", body, flags=re.MULTILINE)


def test_readme_names_every_setting_and_no_other() -> None:
    assert _documented("Settings") == list(SETTINGS_SCHEMA["properties"])[: len(_documented("Settings"))]
    builtin = {
        "stream_maps",
        "stream_map_config",
        "faker_config",
        "flattening_enabled",
        "flattening_max_depth",
    }
    undocumented = set(SETTINGS_SCHEMA["properties"]) - set(_documented("Settings")) - builtin
    assert not {name for name in undocumented if not name.startswith(("flattening", "stream_map"))}


def test_readme_names_every_template_setting_and_no_other() -> None:
    assert _documented("Templates") == list(TEMPLATE_PROPERTIES)


def test_the_sample_template_is_the_default() -> None:
    template = load_templates(None)[StreamName.INVOICES]
    assert (template.pattern, template.format, template.encoding) == ("invoices_*", "auto", "utf-8-sig")


def test_templates_are_merged_over_the_sample_and_may_be_json_text() -> None:
    given = {"invoices": {"decimal_mark": ",", "columns": {"GL Posting Date": "Buchung"}}}
    for value in (given, json.dumps(given)):
        template = load_templates(value)[StreamName.INVOICES]
        assert (template.pattern, template.decimal_mark) == ("invoices_*", ",")
        assert template.columns == {"posting_date": "Buchung"}


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ({"format": "pdf"}, r"templates\.invoices\.format is 'pdf'; available: auto, csv, tsv, txt, xml"),
        ({"layout": "wide"}, r"templates\.invoices\.layout is 'wide'"),
        ({"record_path": "a//b"}, "names of elements"),
        ({"patern": "x"}, "patern is unknown"),
        ({"columns": {"nothing": "x"}}, "names 'nothing'"),
        ({"columns": {"company": "A", "Company": "B"}}, "twice"),
        ({"columns": {"company": "A"}, "constants": {"company": "B"}}, "keep one"),
        ({"constants": {"currency": 5}}, "must be a text"),
        ({"encoding": "klingon"}, "does not know"),
        ({"encoding": "base64"}, "does not know"),
        ({"date_format": "%H"}, "does not give year, month and day"),
        ({"date_format": ""}, None),
        ({"decimal_mark": ";"}, "decimal_mark"),
        ({"delimiter": "::"}, "one character"),
        ({"skip_rows": -1}, "whole number"),
        ({"footer_pattern": "("}, "no regular expression"),
        ({"null_values": "N/A"}, "list of texts"),
        ({"enabled": "yes"}, "true or false"),
    ],
)
def test_wrong_template_settings_are_named(template: dict[str, Any], message: str | None) -> None:
    if message is None:
        assert load_templates({"invoices": template})
        return
    with pytest.raises(SettingsError, match=message):
        load_templates({"invoices": template})


def test_all_faults_are_told_at_once() -> None:
    with pytest.raises(SettingsError) as caught:
        load_templates({"bills": {}, "payments": {"skip_rows": -1, "delimiter": "ab"}})
    assert len(str(caught.value).splitlines()) == 3


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("SHA256:x", ("SHA256:x",)),
        ('["SHA256:x", "SHA256:y"]', ("SHA256:x", "SHA256:y")),
        (["SHA256:x"], ("SHA256:x",)),
        ("[h]:22 ssh-ed25519 AA", ("[h]:22 ssh-ed25519 AA",)),
        (None, ()),
    ],
)
def test_host_key_may_be_one_a_list_or_json(value: Any, expected: tuple[str, ...]) -> None:
    assert load_settings({**MINIMAL, "host_key": value}).host_keys == expected


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"password": None}, "No way to log in"),
        ({"host": " "}, "Setting host is missing"),
        ({"private_key_path": "/nowhere"}, "private_key_path"),
        ({"private_key": "x", "private_key_path": "/y"}, "both set"),
        ({"start_date": "yesterday"}, "start_date"),
        ({"spool_dir": "/nowhere"}, "spool_dir"),
        ({"templates": "{"}, "no JSON"),
    ],
)
def test_wrong_settings_are_named(config: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        load_settings({**MINIMAL, **config})


def test_secrets_are_not_in_repr() -> None:
    shown = repr(load_settings({**MINIMAL, "private_key": "KEYTEXT", "private_key_passphrase": "OPENIT"}))
    assert not any(secret in shown for secret in ("secret-word", "KEYTEXT", "OPENIT"))


def test_an_encrypted_secret_is_opened_by_any_of_the_keys(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    token = "enc:" + Fernet(old.encode()).encrypt(b"word").decode()
    monkeypatch.setenv("STAMPLI_INFOR_KEY", f"{new}, {old}")
    assert load_settings({**MINIMAL, "password": token}).password == "word"
    (tmp_path / "key").write_text(f"{new}\n{old}\n")
    environment = {"STAMPLI_INFOR_KEY_FILE": str(tmp_path / "key")}
    assert reveal(setting="password", value=token, environment=environment) == "word"


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({}, "set STAMPLI_INFOR_KEY"),
        ({"STAMPLI_INFOR_KEY": "short"}, "no Fernet key"),
        ({"STAMPLI_INFOR_KEY": Fernet.generate_key().decode()}, "no key .* opens it"),
        ({"STAMPLI_INFOR_KEY_FILE": "/nowhere"}, "cannot be read"),
    ],
)
def test_an_encrypted_secret_without_its_key_is_a_clear_error(
    environment: dict[str, str], message: str
) -> None:
    token = "enc:" + Fernet(Fernet.generate_key()).encrypt(b"word").decode()
    with pytest.raises(SettingsError, match=message) as caught:
        reveal(setting="password", value=token, environment=environment)
    assert "password" in str(caught.value) or "Fernet" in str(caught.value)
    assert token[4:] not in str(caught.value)


def test_settings_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    line = "[h]:2222,[10.0.0.1]:2222 ssh-ed25519 AAAA"
    for name, value in {
        "HOST": "h",
        "PORT": "2222",
        "USERNAME": "u",
        "PASSWORD": "p",
        "HOST_KEY": line,
        "TEMPLATES": '{"invoices": {"delimiter": ";"}}',
        "INSECURE_ACCEPT_ANY_HOST_KEY": "false",
        "MIN_AGE_SECONDS": "5",
    }.items():
        monkeypatch.setenv(f"TAP_STAMPLI_SFTP_{name}", value)
    tap = TapStampliSFTP(config={}, parse_env_config=True)
    settings = load_settings(tap.config)
    assert (settings.port, settings.host_keys, settings.min_age_seconds) == (2222, (line,), 5)
    assert settings.templates[StreamName.INVOICES].delimiter == ";"


def test_secrets_are_marked_secret() -> None:
    secret = {name for name, setting in SETTINGS_SCHEMA["properties"].items() if setting.get("secret")}
    assert secret == {
        "password",
        "private_key",
        "private_key_passphrase",
        "pgp_private_key",
        "pgp_passphrase",
    }


def test_a_token_or_a_key_file_that_is_no_text_is_one_clear_error(tmp_path: Path) -> None:
    key = Fernet.generate_key().decode()
    with pytest.raises(SettingsError, match="Setting password is encrypted, but no key"):
        reveal(setting="password", value="enc:gA\u00e9", environment={"STAMPLI_INFOR_KEY": key})
    (tmp_path / "key").write_bytes(b"\xff\xfe\x00")
    environment = {"STAMPLI_INFOR_KEY_FILE": str(tmp_path / "key")}
    with pytest.raises(SettingsError, match="cannot be read: it is no text"):
        reveal(setting="password", value="enc:x", environment=environment)

"""Settings: read from a file or the environment, refused by name, secrets never repeated."""

from __future__ import annotations

import json
from typing import Any

import pytest
from stampli_infor_transforms.policy import SettingsError
from target_infor_cloudsuite.settings import ENVIRONMENT_PREFIX, config_from_environment, read_settings
from target_infor_cloudsuite.settings_schema import CONFIG_JSONSCHEMA

SECRET = "very-secret-42"


def test_what_was_not_given_has_its_default() -> None:
    settings = read_settings({"ionapi_path": "a.ionapi", "cono": "", "fail_on": None})
    assert settings["requests_per_minute"] == 100
    assert settings["fail_on"] == "failed"
    assert settings["near_duplicates"] == "hold"
    assert settings.ledger_url == "sqlite:///ledger/ledger.db"
    assert settings.policy.cono is None


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({"requests_per_minute": "fast"}, ("requests_per_minute", "whole number", "at least 1")),
        ({"requests_per_minute": True}, ("requests_per_minute", "whole number")),
        ({"requests_per_minute": 0}, ("requests_per_minute", "at least 1")),
        ({"max_in_flight": 99}, ("max_in_flight", "at most 32")),
        ({"request_timeout_seconds": 0}, ("request_timeout_seconds", "more than 0")),
        ({"dry_run": "maybe"}, ("dry_run", "true or false")),
        ({"output_dir": 7}, ("output_dir", "text")),
        ({"ap_program": "APS200MI"}, ("ap_program", "APS200MI", "APS100MI")),
        ({"fail_on": "always"}, ("fail_on", "always", "review")),
        ({"cono": "12345"}, ("cono", "12345")),
        ({"gl_string": "{"}, ("gl_string", "JSON")),
        ({"supplier_match": "crosswalk"}, ("supplier_match", "JSON")),
        ({"supplier_match": ["guess"]}, ("supplier_match", "guess")),
    ],
)
def test_what_cannot_be_used_is_named(config: dict[str, Any], words: tuple[str, ...]) -> None:
    with pytest.raises(SettingsError) as told:
        read_settings(config, need_ionapi=False)
    assert all(word in str(told.value) for word in words), told.value


@pytest.mark.parametrize(
    "name", [key for key, each in CONFIG_JSONSCHEMA["properties"].items() if each.get("secret")]
)
@pytest.mark.parametrize("value", [[SECRET], 42, f"enc:{SECRET}"])
def test_a_secret_that_cannot_be_used_is_not_repeated(name: str, value: Any) -> None:
    with pytest.raises(SettingsError) as told:
        read_settings({name: value}, need_ionapi=False)
    assert name in str(told.value)
    assert SECRET not in str(told.value)


def test_the_ionapi_may_be_given_as_json_and_is_not_shown() -> None:
    given = {"ti": "T", "cs": SECRET}
    settings = read_settings({"ionapi": given})
    assert json.loads(settings.ionapi or "") == given
    assert SECRET not in repr(settings)
    with pytest.raises(SettingsError, match="ionapi_path"):
        read_settings({})


def test_the_environment_is_read_with_the_types_of_the_schema(monkeypatch: pytest.MonkeyPatch) -> None:
    given = {
        "IONAPI_PATH": "a.ionapi",
        "CONO": "100",
        "DRY_RUN": "True",
        "REQUEST_TIMEOUT_SECONDS": "2.5",
        "SUPPLIER_MATCH": '["crosswalk"]',
        "GL_STRING": '{"separator": "-", "segments": ["ait1", ""]}',
        "DIVI": "",
    }
    for name, text in given.items():
        monkeypatch.setenv(ENVIRONMENT_PREFIX + name, text)
    config = config_from_environment()
    assert config == {
        "ionapi_path": "a.ionapi",
        "cono": 100,
        "dry_run": True,
        "request_timeout_seconds": 2.5,
        "supplier_match": ["crosswalk"],
        "gl_string": {"separator": "-", "segments": ["ait1", ""]},
    }
    assert read_settings(config)["dry_run"] is True


@pytest.mark.parametrize(
    ("name", "text"),
    [("CONO", "x"), ("DRY_RUN", "perhaps"), ("REQUEST_TIMEOUT_SECONDS", "soon"), ("GL_STRING", "-")],
)
def test_a_text_of_the_wrong_type_in_the_environment_is_named(
    name: str, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(ENVIRONMENT_PREFIX + name, text)
    with pytest.raises(SettingsError, match=name.lower()):
        config_from_environment()

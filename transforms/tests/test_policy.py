from __future__ import annotations

from dataclasses import fields
from typing import Any

import pytest
from stampli_infor_transforms.policy import SETTINGS_SCHEMA, GlString, Policy, SettingsError


def test_defaults_are_those_of_the_schema() -> None:
    defaults = {name: schema["default"] for name, schema in SETTINGS_SCHEMA.items() if "default" in schema}
    assert Policy.from_settings({}) == Policy.from_settings(defaults) == Policy()


def test_schema_names_every_setting() -> None:
    own = {each.name for each in fields(Policy)} - {"cono", "divi"}
    assert set(SETTINGS_SCHEMA) == {*own, "crosswalk_dir"}
    assert all(schema["description"].endswith(".") for schema in SETTINGS_SCHEMA.values())


def test_all_settings() -> None:
    policy = Policy.from_settings(
        {
            "cono": "100",
            "divi": " AAA ",
            "supplier_match": ["external_id", "crosswalk"],
            "name_needs_confirmation": True,
            "accounting_date": "today",
            "default_tax_code": 7,
            "payment_method": "STA",
            "approved_statuses": ["Approved "],
            "paid_statuses": [],
            "gl_string": {"separator": "-", "segments": ["ait1", "", "ait3"]},
            "dimensions": {"project": "ait5", "location": "none", "department": None},
            "requests_per_minute": 100,
        }
    )
    assert policy == Policy(
        cono=100,
        divi="AAA",
        supplier_match=("external_id", "crosswalk"),
        name_needs_confirmation=True,
        accounting_date="today",
        default_tax_code="7",
        payment_method="STA",
        approved_statuses=("Approved",),
        paid_statuses=(),
        gl_string=GlString("-", ("ait1", "", "ait3")),
        dimensions={"project": "ait5", "location": "none"},
    )


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("cono", 0),
        ("cono", 1000),
        ("cono", "A"),
        ("cono", True),
        ("divi", "LONG"),
        ("divi", []),
        ("supplier_match", ["guess"]),
        ("supplier_match", []),
        ("supplier_match", ["name", "name"]),
        ("supplier_match", "name"),
        ("name_needs_confirmation", "yes"),
        ("accounting_date", "tomorrow"),
        ("default_tax_code", "123"),
        ("payment_method", "LONG"),
        ("approved_statuses", "approved"),
        ("paid_statuses", [1]),
        ("gl_string", "-"),
        ("gl_string", {"separator": "", "segments": ["ait1"]}),
        ("gl_string", {"separator": "-", "segments": ["ait2"]}),
        ("gl_string", {"separator": "-", "segments": ["ait1", "ait1"]}),
        ("gl_string", {"separator": "-", "segments": ["ait1", "ait8"]}),
        ("dimensions", "ait2"),
        ("dimensions", {"team": "ait2"}),
        ("dimensions", {"project": "ait1"}),
    ],
)
def test_setting_that_cannot_be_used_is_named(setting: str, value: Any) -> None:
    with pytest.raises(SettingsError, match=f"^Setting '{setting}' ") as caught:
        Policy.from_settings({setting: value})
    assert caught.value.setting == setting

"""meltano.yml, .env.example and the plugins say the same."""

from __future__ import annotations

import json
import re
import subprocess
from functools import cache
from typing import Any

import pytest
import yaml
from pipelines import BIN, ROOT, clean_env

TAP = "tap-stampli-sftp"
TARGET = "target-infor-cloudsuite"
PLUGINS = {TAP: "extractors", TARGET: "loaders", "stampli-infor-mapper": "mappers"}
# What the SDK adds to every plugin; it is set in meltano.yml by those who need it.
OF_THE_SDK = {
    "add_record_metadata",
    "batch_size_rows",
    "faker_config",
    "flattening_enabled",
    "flattening_max_depth",
    "flattening_max_key_length",
    "flattening_separator",
    "load_method",
    "stream_map_config",
    "stream_maps",
}


@cache
def project() -> dict[str, Any]:
    read: dict[str, Any] = yaml.safe_load((ROOT / "meltano.yml").read_text("utf-8"))
    return read


def plugin(name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(
        each for group in project()["plugins"].values() for each in group if each["name"] == name
    )
    return found


@cache
def about(name: str) -> dict[str, Any]:
    command = [str(BIN / plugin(name)["executable"]), "--about", "--format=json"]
    done = subprocess.run(command, env=clean_env(), capture_output=True, text=True, check=True)
    read: dict[str, Any] = json.loads(done.stdout)
    return read


def own_settings(name: str) -> dict[str, dict[str, Any]]:
    properties = about(name)["settings"]["properties"]
    return {key: schema for key, schema in properties.items() if key not in OF_THE_SDK}


@pytest.mark.parametrize("name", PLUGINS)
def test_meltano_yml_has_every_setting_and_no_other(name: str) -> None:
    declared = [setting["name"] for setting in plugin(name)["settings"]]
    assert sorted(declared) == sorted(own_settings(name))


@pytest.mark.parametrize("name", PLUGINS)
def test_settings_say_the_same_as_the_plugin(name: str) -> None:
    for setting in plugin(name)["settings"]:
        schema = own_settings(name)[setting["name"]]
        where = f"{name}: {setting['name']}"
        assert schema["description"].startswith(setting["description"]), where
        assert setting.get("sensitive", False) == schema.get("secret", False), where
        assert setting["label"], where
        assert [option["value"] for option in setting.get("options", [])] == schema.get("enum", []), where


@pytest.mark.parametrize("name", PLUGINS)
def test_kinds_fit_the_types(name: str) -> None:
    kinds = {"string": "string", "integer": "integer", "number": "decimal", "boolean": "boolean"}
    for setting in plugin(name)["settings"]:
        schema = own_settings(name)[setting["name"]]
        types = [schema["type"]] if isinstance(schema["type"], str) else schema["type"]
        types = [each for each in types if each != "null"]
        expected = kinds.get(types[0], types[0])
        if "enum" in schema:
            expected = "options"
        elif "object" in types:
            expected = "object"
        assert setting["kind"] == expected, f"{name}: {setting['name']}"


@pytest.mark.parametrize("name", [TAP, TARGET])
def test_capabilities_are_those_of_the_plugin(name: str) -> None:
    assert set(plugin(name)["capabilities"]) <= set(about(name)["capabilities"])


def test_the_utility_is_the_loader_s_twin() -> None:
    utility, loader = plugin("cloudsuite-ap"), plugin(TARGET)
    assert utility["settings"] == loader["settings"]
    assert utility["commands"] == loader["commands"]
    # The namespace is what makes Meltano hand it the loader's environment variables.
    assert utility["namespace"] == loader["namespace"]


def test_commands_are_those_of_cloudsuite_ap() -> None:
    help_text = subprocess.run(
        [str(BIN / "cloudsuite-ap"), "--help"], env=clean_env(), capture_output=True, text=True, check=True
    ).stdout
    listed = re.findall(r"^  ([a-z]+)  ", help_text.partition("Commands:")[2], re.MULTILINE)
    commands = plugin(TARGET)["commands"]
    assert {command["args"].split()[0] for command in commands.values()} == set(listed)
    assert set(listed) <= commands.keys()
    assert all(command["executable"] == "cloudsuite-ap" for command in plugin(TARGET)["commands"].values())


def test_env_example_documents_every_setting() -> None:
    text = (ROOT / ".env.example").read_text("utf-8")
    documented = set(re.findall(r"^#?([A-Z][A-Z0-9_]+)=", text, re.MULTILINE))
    expected = {f"TAP_STAMPLI_SFTP_{name.upper()}" for name in own_settings(TAP)}
    expected |= {f"TARGET_INFOR_CLOUDSUITE_{name.upper()}" for name in own_settings(TARGET)}
    expected |= {f"TARGET_INFOR_CLOUDSUITE_{name.upper()}" for name in own_settings("stampli-infor-mapper")}
    of_plugins = {name for name in documented if name.startswith(("TAP_", "TARGET_"))}
    assert of_plugins == expected
    assert {"MELTANO_ENVIRONMENT", "STAMPLI_INFOR_KEY"} <= documented


def test_prod_takes_everything_from_the_environment() -> None:
    environments = {each["name"]: each for each in project()["environments"]}
    assert set(environments) == {"sandbox", "sandbox-real", "prod"}
    assert "config" not in environments["prod"]
    assert project()["default_environment"] == "sandbox"
    assert project()["send_anonymous_usage_stats"] is False


def test_the_schedule_runs_a_job_that_exists() -> None:
    jobs = {job["name"]: job["tasks"] for job in project()["jobs"]}
    schedule = next(
        each for each in project()["schedules"] if each["name"] == "stampli-to-infor-every-15-minutes"
    )
    assert schedule["interval"] == "*/15 * * * *"
    assert jobs[schedule["job"]] == ["tap-stampli-sftp target-infor-cloudsuite"]
    # Meltano would take a job of the mapping's name for the mapping.
    mappings = {mapping["name"] for mapping in plugin("stampli-infor-mapper")["mappings"]}
    assert not mappings & jobs.keys()

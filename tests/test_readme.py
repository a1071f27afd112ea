"""What the README says about settings, commands, statuses and crosswalks is what the code has."""

from __future__ import annotations

import json
import re
import subprocess
from functools import cache
from typing import Any

import pytest
import yaml
from pipelines import BIN, ROOT, clean_env
from stampli_infor_transforms.tables import TABLES
from target_infor_cloudsuite.ledger.states import Status

README = (ROOT / "README.md").read_text("utf-8")
OF_THE_SDK = re.compile(r"stream_map|faker_|flattening_|add_record_metadata|batch_size_rows|load_method")


def section(title: str) -> str:
    found = re.search(rf"^## {re.escape(title)}\n(.*?)(?=^## |\Z)", README, re.MULTILINE | re.DOTALL)
    assert found, f"the README has no section {title}"
    return found[1]


def rows(text: str) -> dict[str, list[str]]:
    """The tables of a text: what stands in backquotes in the first column, to the other columns."""
    found = {}
    for line in text.splitlines():
        if match := re.match(r"\| `([^`]+)` \|(.*)\|$", line):
            found[match[1]] = [cell.strip() for cell in re.split(r"(?<!\\)\|", match[2])]
    return found


@cache
def schema(executable: str) -> dict[str, dict[str, Any]]:
    done = subprocess.run(
        [str(BIN / executable), "--about", "--format=json"],
        env=clean_env(),
        capture_output=True,
        text=True,
        check=True,
    )
    properties: dict[str, dict[str, Any]] = json.loads(done.stdout)["settings"]["properties"]
    return {name: each for name, each in properties.items() if not OF_THE_SDK.match(name)}


@pytest.mark.parametrize("plugin", ["tap-stampli-sftp", "target-infor-cloudsuite"])
def test_the_settings_tables_have_every_setting_with_its_default_and_description(plugin: str) -> None:
    documented = rows(section(f"Settings of {plugin}"))
    assert documented.keys() == schema(plugin).keys()
    for name, (default, text) in documented.items():
        each = schema(plugin)[name]
        assert text.startswith(each["description"]), name
        assert ("*Secret.*" in text) == bool(each.get("secret")), name
        value = each.get("default")
        if isinstance(value, bool):
            value = str(value).lower()
        shown = [str(item) for item in value] if isinstance(value, list) else [str(value)] if value else []
        assert re.findall(r"`([^`]*)`", default) == shown, name
        assert all(f"`{option}`" in text for option in each.get("enum", [])), name


def test_the_mapper_s_own_setting_is_documented() -> None:
    own = schema("stampli-to-infor").keys() - schema("target-infor-cloudsuite").keys()
    assert own == {"reference_path"}
    assert "`reference_path`" in README


def test_the_status_table_has_every_status() -> None:
    assert rows(section("What happens to a document")).keys() == {status.value for status in Status}


def test_the_command_table_has_every_command() -> None:
    done = subprocess.run(
        [str(BIN / "cloudsuite-ap"), "--help"], env=clean_env(), capture_output=True, text=True, check=True
    )
    commands = set(re.findall(r"^  ([a-z]+)  ", done.stdout.partition("Commands:")[2], re.MULTILINE))
    documented = rows(section("Looking after it"))
    assert documented.keys() == commands
    for command, (text,) in documented.items():
        help_text = subprocess.run(
            [str(BIN / "cloudsuite-ap"), command, "--help"],
            env=clean_env(),
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        below = set(re.findall(r"^  ([a-z-]+)  ", help_text.partition("Commands:")[2], re.MULTILINE))
        assert all(f"`{name}`" in text for name in below), command


def test_the_crosswalk_table_has_every_file_and_column() -> None:
    documented = {name: cells[0] for name, cells in rows(section("Crosswalks")).items()}
    assert documented == {name: ", ".join(table.columns) for name, table in TABLES.items()}
    optional = {column for table in TABLES.values() for column in table.optional}
    assert all(f"`{column}`" in section("Crosswalks") for column in optional)


def test_environment_variables_and_jobs_that_it_names_exist() -> None:
    project = yaml.safe_load((ROOT / "meltano.yml").read_text("utf-8"))
    names = {each["name"] for group in ("jobs", "schedules", "environments") for each in project[group]}
    named = set(re.findall(r"(?:--environment=|job `|schedule `)([a-z0-9-]+)", README))
    assert named
    assert named <= names
    prefixes = {
        "TAP_STAMPLI_SFTP_": "tap-stampli-sftp",
        "TARGET_INFOR_CLOUDSUITE_": "target-infor-cloudsuite",
    }
    for prefix, plugin in prefixes.items():
        variables = re.findall(rf"{prefix}([A-Z_]+)", README)
        assert {name.lower() for name in variables} <= schema(plugin).keys()


def test_make_targets_that_it_names_exist() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    text = README + (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    named = set(re.findall(r"(?:`|^    )make ([a-z-]+)", text, re.MULTILINE))
    assert {"demo", "test"} <= named <= targets

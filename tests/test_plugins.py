"""Good plugins: definitions as Meltano Hub keeps them, and `meltano config` as Meltano's users know it."""

from __future__ import annotations

import importlib.util
import json
import subprocess
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest
import yaml
from pipelines import ROOT, clean_env
from stampli_infor_sandbox.demo.project import Project

if TYPE_CHECKING:
    from pathlib import Path

    from pipelines import Sandbox

HUB = ROOT / "hub"
TYPES = {"tap-stampli-sftp": "extractor", "target-infor-cloudsuite": "loader", "stampli-to-infor": "mapper"}
MELTANO = ROOT / ".tools" / "meltano" / "bin" / "meltano"
pytestmark = pytest.mark.skipif(not MELTANO.exists(), reason="Meltano is not set up here: run `make setup`")


def definition(name: str) -> dict[str, Any]:
    read: dict[str, Any] = yaml.safe_load((HUB / f"{name}.yml").read_text("utf-8"))
    return read


def test_definitions_say_what_the_plugins_say_now() -> None:
    spec = importlib.util.spec_from_file_location("generate", HUB / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    generate = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(generate)
    assert {path.stem for path in HUB.glob("*.yml")} == TYPES.keys()
    for name, text in generate.definitions().items():
        assert (HUB / name).read_text("utf-8") == text, f"run `make hub`: hub/{name} is not of today"


@pytest.mark.parametrize("name", TYPES)
def test_definitions_have_what_the_hub_asks_for(name: str) -> None:
    read = definition(name)
    assert {
        "name",
        "namespace",
        "variant",
        "label",
        "description",
        "repo",
        "pip_url",
        "executable",
    } <= read.keys()
    assert read["maintenance_status"] in {"active", "beta", "development", "inactive", "unknown"}
    (shipped,) = MELTANO.parents[1].glob("lib/python*/site-packages/meltano/schemas/meltano.schema.json")
    schema = json.loads(shipped.read_text("utf-8"))
    check = {"$ref": "#/$defs/base_setting", "$defs": schema["$defs"]}
    for setting in read["settings"]:
        jsonschema.validate(setting, check)
        assert setting["description"]


@pytest.fixture
def own_project(tmp_path: Path) -> Path:
    """A Meltano project whose plugins were added from the definitions."""
    (tmp_path / "meltano.yml").write_text("send_anonymous_usage_stats: false\n", "utf-8")
    for name, kind in TYPES.items():
        added = definition(name)["name"]
        ref = str(HUB / f"{name}.yml")
        done = meltano(tmp_path, "add", "--no-install", "--plugin-type", kind, "--from-ref", ref, added)
        assert done.returncode == 0, done.stderr
    return tmp_path


def meltano(project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(MELTANO), "--log-level=warning", *arguments],
        env=clean_env(),
        cwd=project,
        capture_output=True,
        text=True,
        check=False,
    )


def test_meltano_adds_and_configures_the_plugins_by_their_definitions(own_project: Path) -> None:
    tap = "tap-stampli-sftp"
    assert meltano(own_project, "config", "set", tap, "port", "2200").returncode == 0
    assert meltano(own_project, "config", "set", tap, "password", "hush-hush").returncode == 0
    shown = meltano(own_project, "config", "print", tap)
    read = json.loads(shown.stdout)
    assert (read["port"], read["outbound_path"]) == (2200, "/outbound")
    assert "hush-hush" not in shown.stdout
    # A secret goes into .env, never into the file that is under version control.
    assert "hush-hush" in (own_project / ".env").read_text("utf-8")
    assert "hush-hush" not in (own_project / "meltano.yml").read_text("utf-8")
    listed = meltano(own_project, "config", "list", "--all", "target-infor-cloudsuite").stdout
    assert all(each["name"] in listed for each in definition("target-infor-cloudsuite")["settings"])


def config_test(sandbox: Sandbox, plugin: str, **settings: str) -> subprocess.CompletedProcess[str]:
    here = Project(ROOT, sandbox.home, "sandbox")
    return subprocess.run(
        here.command("config", "test", plugin),
        env={**here.env(), **settings},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


def test_meltano_config_test_says_whether_the_tap_works(sandbox: Sandbox) -> None:
    well = config_test(sandbox, "tap-stampli-sftp")
    assert well.returncode == 0, well.stdout + well.stderr
    assert "Plugin configuration is valid" in well.stdout + well.stderr
    assert config_test(sandbox, "tap-stampli-sftp", TAP_STAMPLI_SFTP_PASSWORD="wrong").returncode != 0


def test_meltano_config_test_of_the_target_posts_nothing(sandbox: Sandbox) -> None:
    before = sandbox.books()
    done = config_test(sandbox, "target-infor-cloudsuite")
    # Meltano 4.4.1 wants to end every loader that has ended already, and fails at that; the docs say so.
    assert done.returncode == 0 or "ProcessLookupError" in done.stderr, done.stderr
    assert {name: sandbox.books()[name] for name in ("invoices", "staged", "statements")} == {
        name: before[name] for name in ("invoices", "staged", "statements")
    }

"""The rooms as packages: wheels that run by themselves, versions from tags, the Python that is claimed."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tomllib
from typing import TYPE_CHECKING, Any

import pipelines
import pytest
from pipelines import ROOT, clean_env, make_pipeline

if TYPE_CHECKING:
    from pathlib import Path

    from pipelines import Sandbox

UV = ROOT / ".tools" / "uv" / "bin" / "uv"
ROOMS = ("tap-stampli-sftp", "transforms", "target-infor-cloudsuite", "sandbox")
# Git reads a checkout that belongs to somebody else only where it is told to.
ENV = {
    **clean_env(),
    "GIT_CONFIG_COUNT": "1",
    "GIT_CONFIG_KEY_0": "safe.directory",
    "GIT_CONFIG_VALUE_0": "*",
    "GIT_AUTHOR_NAME": "tests",
    "GIT_AUTHOR_EMAIL": "tests@example.com",
    "GIT_COMMITTER_NAME": "tests",
    "GIT_COMMITTER_EMAIL": "tests@example.com",
}
pytestmark = pytest.mark.skipif(not UV.exists(), reason="no uv here: run `make setup-dev`")


def run(*command: str | Path, cwd: Path = ROOT) -> str:
    done = subprocess.run(
        [str(each) for each in command], cwd=cwd, env=ENV, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def built(source: Path, room: str, target: Path) -> str:
    """The version of the wheel that a room is built into."""
    run(UV, "build", "--quiet", "--wheel", "--no-sources", "--out-dir", target, source / room)
    (wheel,) = target.glob(f"*{room.replace('-', '_')}-*.whl")
    return wheel.name.split("-")[1]


def pyproject(room: str) -> dict[str, Any]:
    return tomllib.loads((ROOT / room / "pyproject.toml").read_text("utf-8"))


def test_wheels_run_without_the_development_environment(
    tmp_path: Path, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    wheels, here = tmp_path / "wheels", tmp_path / "venv"
    for room in ROOMS:
        built(ROOT, room, wheels)
    run(UV, "venv", "--quiet", "--python", sys.executable, here)
    run(
        *(UV, "pip", "install", "--quiet", "--python", here / "bin" / "python"),
        *("--constraints", "requirements/dev.lock", "--find-links", wheels),
        *("tap-stampli-sftp", "target-infor-cloudsuite", "stampli-infor-sandbox"),
    )
    installed = {each["name"] for each in json.loads(run(UV, "pip", "list", "--format=json", "-p", here))}
    assert {"stampli-infor-transforms", "target-infor-cloudsuite"} <= installed
    assert not installed & {"pytest", "mypy", "ruff", "hypothesis", "psycopg"}

    scripts = [name for room in ROOMS for name in pyproject(room)["project"].get("scripts", {})]
    assert len(scripts) > 5
    for name in scripts:
        assert "Usage:" in run(here / "bin" / name, "--help", cwd=tmp_path)
    for name in ("tap-stampli-sftp", "target-infor-cloudsuite", "stampli-to-infor"):
        assert json.loads(run(here / "bin" / name, "--about", "--format=json", cwd=tmp_path))["settings"]
        assert re.search(r"\d+\.\d+", run(here / "bin" / name, "--version", cwd=tmp_path))

    monkeypatch.setattr(pipelines, "BIN", here / "bin")
    pipeline = make_pipeline(tmp_path / "pipeline", sandbox)
    (tmp_path / "tap.json").write_text(json.dumps(pipeline.tap), "utf-8")
    catalog = run(here / "bin" / "tap-stampli-sftp", "--config", tmp_path / "tap.json", "--discover")
    assert "invoices" in {stream["tap_stream_id"] for stream in json.loads(catalog)["streams"]}
    done = pipeline.run()
    assert done.codes == (0, 0), done.said
    assert pipeline.ap("status")["documents"]["invoice"]["posted"]["count"] > 20
    assert pipeline.ap("audit", "verify", ok=(0,))["problems"] == []


def test_the_version_is_the_tag_s(tmp_path: Path) -> None:
    clone, room = tmp_path / "clone", "transforms"
    run("git", "clone", "--quiet", "--no-tags", "--depth=1", f"file://{ROOT}", clone)
    # A shallow clone without a tag, as installing from git makes one.
    assert re.match(r"0\.0\.1\.dev1\+g[0-9a-f]+$", built(clone, room, tmp_path / "none"))
    run("git", "tag", "v1.2.3", cwd=clone)
    assert built(clone, room, tmp_path / "tagged") == "1.2.3"
    run("git", "commit", "--quiet", "--allow-empty", "--message", "more", cwd=clone)
    assert built(clone, room, tmp_path / "behind").startswith("1.2.4.dev1+g")
    shutil.rmtree(clone / ".git")
    assert built(clone, room, tmp_path / "archive") == "0.0.0"


@pytest.mark.parametrize("room", ROOMS)
def test_the_python_claimed_is_the_one_that_runs_these_tests(room: str) -> None:
    running = f"{sys.version_info.major}.{sys.version_info.minor}"
    project = pyproject(room)["project"]
    claimed = {
        each.rpartition(" ")[2]
        for each in project["classifiers"]
        if each.startswith("Programming Language :: Python ::")
    }
    assert claimed == {running}
    assert project["requires-python"] == f">={running}"
    locked = set(re.findall(r"--python-version (\S+)", (ROOT / "Makefile").read_text("utf-8")))
    assert locked == {running}
    images = re.findall(r"^FROM python:(\S+?)-", (ROOT / "Dockerfile").read_text("utf-8"), re.MULTILINE)
    assert set(images) == {running}


def test_every_room_has_the_same_way_to_its_version() -> None:
    hatch = [pyproject(room)["tool"]["hatch"]["version"] for room in ROOMS]
    assert all(each == hatch[0] for each in hatch)
    assert all(pyproject(room)["project"]["dynamic"] == ["version"] for room in ROOMS)

"""The docs: they build, and every command, setting, status, link and error message they name exists."""

from __future__ import annotations

import ast
import json
import re
import shlex
import subprocess
from functools import cache
from typing import TYPE_CHECKING, Any

import click
import pytest
import yaml
from pipelines import BIN, ROOT, clean_env
from target_infor_cloudsuite.cli.main import main

if TYPE_CHECKING:
    from pathlib import Path

DOCS = sorted((ROOT / "docs").glob("*.md"))
PAGES = [*DOCS, ROOT / "README.md", ROOT / "SECURITY.md", ROOT / "CONTRIBUTING.md"]
SHELL = re.compile(r"^( *)```sh\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
AP = re.compile(r"(?:target-infor-cloudsuite:|cloudsuite-ap )([a-z].*)")


def names(pages: list[Path]) -> list[str]:
    return [str(page.relative_to(ROOT)) for page in pages]


def ap(*words: str) -> click.Command:
    """The command of ``cloudsuite-ap`` that these words begin with."""
    command: click.Command = main
    for word in words:
        if not isinstance(command, click.Group):
            break
        assert word in command.commands, " ".join(words)
        command = command.commands[word]
    return command


@cache
def settings(executable: str) -> set[str]:
    done = subprocess.run(
        [str(BIN / executable), "--about", "--format=json"],
        env=clean_env(),
        capture_output=True,
        text=True,
        check=True,
    )
    return {name.upper() for name in json.loads(done.stdout)["settings"]["properties"]}


def shell_lines() -> list[str]:
    lines = []
    for page in PAGES:
        for indent, block in SHELL.findall(page.read_text("utf-8")):
            joined = block.replace("\\\n", " ")
            lines += [line.removeprefix(indent).strip() for line in joined.splitlines() if line.strip()]
    assert len(lines) > 30
    return lines


def test_the_site_builds_strictly(tmp_path: Path) -> None:
    built = subprocess.run(
        [str(BIN / "mkdocs"), "build", "--strict", "--quiet", "--site-dir", str(tmp_path / "site")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert built.returncode == 0, built.stderr
    pages = {
        str(page.parent.relative_to(tmp_path / "site")) for page in (tmp_path / "site").rglob("index.html")
    }
    assert {page.stem for page in DOCS if page.stem != "index"} <= pages
    assert {"rooms/tap-stampli-sftp", "rooms/security"} <= pages
    fetched = re.compile(r'(?:src|href)="https?://[^"]+\.(?:js|css)"')
    assert not [
        page for page in (tmp_path / "site").rglob("*.html") if fetched.search(page.read_text("utf-8"))
    ]


def test_a_page_is_found_from_the_first() -> None:
    index = (ROOT / "docs" / "index.md").read_text("utf-8")
    linked = set(re.findall(r"\]\(([a-z-]+)\.md\)", index))
    assert linked == {page.stem for page in DOCS} - {"index"}


@pytest.mark.parametrize("page", names(PAGES))
def test_links_lead_somewhere(page: str) -> None:
    path = ROOT / page
    for target, anchor in re.findall(r"\]\((?!https?:|#)([^)#]+)(?:#([^)]*))?\)", path.read_text("utf-8")):
        found = (path.parent / target).resolve()
        assert found.exists(), target
        if anchor:
            headings = re.findall(r"^#+ (.*)$", found.read_text("utf-8"), re.MULTILINE)
            slugs = {re.sub(r"[^a-z0-9 -]", "", each.lower()).strip().replace(" ", "-") for each in headings}
            assert anchor in slugs, f"{target}#{anchor}"


def test_commands_in_examples_exist_with_their_options() -> None:
    checked = 0
    for line in shell_lines():
        found = AP.search(line.partition(" #")[0])
        if not found or found[1].startswith("<"):
            continue
        words = shlex.split(found[1])
        known = {option for parameter in ap(*words).params for option in parameter.opts}
        assert {word for word in words if word.startswith("--")} <= known, line
        checked += 1
    assert checked > 10


@pytest.mark.parametrize("page", names(PAGES))
def test_environment_variables_that_are_named_exist(page: str) -> None:
    text = (ROOT / page).read_text("utf-8")
    for prefix, executable in (
        ("TAP_STAMPLI_SFTP_", "tap-stampli-sftp"),
        ("TARGET_INFOR_CLOUDSUITE_", "target-infor-cloudsuite"),
    ):
        assert set(re.findall(rf"{prefix}([A-Z_]+[A-Z])", text)) <= settings(executable)


@pytest.mark.parametrize("page", names(PAGES))
def test_make_targets_and_files_that_are_named_exist(page: str) -> None:
    text = (ROOT / page).read_text("utf-8")
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
    assert set(re.findall(r"(?:`|^ *)make ([a-z-]+)", text, re.MULTILINE)) <= set(targets)
    for path in re.findall(r"`((?:orchestrate|requirements|tests|hub|transforms|bench)/[\w./-]+)`", text):
        assert (ROOT / path).exists(), path


def test_jobs_schedules_and_plugins_in_examples_exist() -> None:
    project = yaml.safe_load((ROOT / "meltano.yml").read_text("utf-8"))
    known = {each["name"] for group in ("jobs", "schedules", "environments") for each in project[group]}
    for plugins in project["plugins"].values():
        for plugin in plugins:
            known |= {plugin["name"], *(each["name"] for each in plugin.get("mappings", []))}
            known |= {f"{plugin['name']}:{command}" for command in plugin.get("commands", {})}
    checked = 0
    for line in shell_lines():
        words = line.partition(" #")[0].split()
        if "meltano" in line and "run" in words and words[0] not in {"docker", "useradd", "install"}:
            after = [word for word in words[words.index("run") + 1 :] if not word.startswith("-")]
            assert set(after) <= known, line
            checked += 1
    assert checked >= 2


@cache
def messages() -> str:
    """Every text in the plugins' code, as a reader of a message sees it: joined, values left out."""

    def text(node: ast.AST) -> str:
        if isinstance(node, ast.Constant):
            return node.value if isinstance(node.value, str) else ""
        return "{}" if isinstance(node, ast.FormattedValue) else ""

    found = []
    for package in ("tap-stampli-sftp/tap_stampli_sftp", "target-infor-cloudsuite/target_infor_cloudsuite"):
        for path in (ROOT / package).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if isinstance(node, ast.JoinedStr):
                    found.append("".join(map(text, node.values)))
                elif isinstance(node, ast.Constant):
                    found.append(text(node))
    return "\n".join(found)


def test_error_messages_that_are_explained_are_those_of_the_code() -> None:
    page = (ROOT / "docs" / "troubleshooting.md").read_text("utf-8")
    quoted = re.findall(r"^\| `([^`]+)` \|", page, re.MULTILINE)
    assert len(quoted) > 30
    assert [each for each in quoted if each not in messages()] == []


def blocks(language: str) -> list[Any]:
    pattern = re.compile(rf"^```{language}\n(.*?)^```$", re.MULTILINE | re.DOTALL)
    return [block for page in PAGES for block in pattern.findall(page.read_text("utf-8"))]


def test_yaml_examples_are_meltano_s() -> None:
    read = [yaml.safe_load(block) for block in blocks("yaml")]
    assert read
    assert all(each["plugins"]["loaders"] for each in read)


def test_the_crontab_s_commands_exist() -> None:
    (crontab,) = blocks("cron")
    project = yaml.safe_load((ROOT / "meltano.yml").read_text("utf-8"))
    jobs = {each["name"] for each in project["jobs"]}
    for line in crontab.splitlines():
        minute, hour, day, month, weekday, command = line.split(maxsplit=5)
        assert all(re.fullmatch(r"\*(/\d+)?|\d+", each) for each in (minute, hour, day, month, weekday))
        called = re.search(r"meltano --environment=prod (run|invoke cloudsuite-ap) (\S+)", command)
        assert called, line
        assert called[2] in jobs | main.commands.keys()

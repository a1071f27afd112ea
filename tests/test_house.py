"""The house rules: who may import whom, and how large a module may grow."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

import pytest
from pipelines import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ROOMS = {
    "tap_stampli_sftp": ROOT / "tap-stampli-sftp",
    "stampli_infor_transforms": ROOT / "transforms",
    "target_infor_cloudsuite": ROOT / "target-infor-cloudsuite",
    "stampli_infor_sandbox": ROOT / "sandbox",
}
MAY_IMPORT = {"target_infor_cloudsuite": {"stampli_infor_transforms"}}
LARGEST_MODULE = 400


def modules(room: str) -> Iterator[Path]:
    found = sorted((ROOMS[room] / room).rglob("*.py"))
    assert found, f"{room} has no modules"
    return iter(found)


def imported(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module)
    return {name.partition(".")[0] for name in names}


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_imports_only_what_the_design_allows(room: str) -> None:
    allowed = MAY_IMPORT.get(room, set()) | {room}
    wrong = {
        str(path.relative_to(ROOT)): sorted(others)
        for path in modules(room)
        if (others := imported(path) & (ROOMS.keys() - allowed))
    }
    assert not wrong


def test_the_transforms_do_no_network_and_no_database() -> None:
    forbidden = {
        "requests",
        "paramiko",
        "sqlalchemy",
        "socket",
        "sqlite3",
        "subprocess",
        "singer_sdk",
        "urllib",
        "http",
    }
    wrong = {
        str(path): sorted(found)
        for path in modules("stampli_infor_transforms")
        if (found := imported(path) & forbidden)
    }
    assert not wrong


def test_the_tap_knows_nothing_of_infor() -> None:
    words = ("infor", "ionapi", "APS100", "APS450", "CloudSuite", "CONO")
    wrong = [
        f"{path.name}: {word}"
        for path in modules("tap_stampli_sftp")
        for word in words
        if word in path.read_text("utf-8").replace("information", "")
    ]
    assert not wrong


@pytest.mark.parametrize("room", ROOMS)
def test_modules_stay_small(room: str) -> None:
    sizes = {str(path.relative_to(ROOT)): len(path.read_text("utf-8").splitlines()) for path in modules(room)}
    assert not {name: size for name, size in sizes.items() if size > LARGEST_MODULE}

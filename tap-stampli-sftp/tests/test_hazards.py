"""The table of hazards names tests that exist."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ROWS = [
    line
    for line in (HERE / "hazards.md").read_text("utf-8").splitlines()
    if line.startswith("| ") and "`" in line
]
TESTS = {
    function.name: {argument.arg for argument in [*function.args.args, *function.args.kwonlyargs]}
    for path in HERE.glob("test_*.py")
    for function in ast.parse(path.read_text("utf-8")).body
    if isinstance(function, ast.FunctionDef) and function.name.startswith("test_")
}
#: Fixtures that stand for an OpenSSH server.
OPENSSH = {"server", "own_sshd", "come", "mixture"}


def test_the_table_has_every_hazard() -> None:
    assert len(ROWS) == 24


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.split("|")[1].strip())
def test_a_hazard_has_tests_that_exist_and_one_on_a_real_server(row: str) -> None:
    named = re.findall(r"`(test_\w+)(\.py)?`", row)
    assert named
    for name, file in named:
        assert (HERE / f"{name}.py").exists() if file else name in TESTS, name
    assert any(TESTS.get(name, set()) & OPENSSH for name, _ in named), "none reads from a real server"

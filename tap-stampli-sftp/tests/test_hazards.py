"""The table of hazards names tests that exist."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
ROWS = [
    line
    for line in (HERE / "hazards.md").read_text("utf-8").splitlines()
    if line.startswith("| ") and "`" in line
]
TESTS = set(
    re.findall(
        r"^def (test_\w+)",
        "\n".join(path.read_text("utf-8") for path in HERE.glob("test_*.py")),
        re.MULTILINE,
    )
)


def test_the_table_has_every_hazard() -> None:
    assert len(ROWS) == 24


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.split("|")[1].strip())
def test_a_hazard_has_tests_that_exist(row: str) -> None:
    named = re.findall(r"`(test_\w+)(\.py)?`", row)
    assert named
    for name, file in named:
        assert (HERE / f"{name}.py").exists() if file else name in TESTS, name


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)"])
def test_text_that_looks_like_a_formula_is_kept(read: Any, text: str) -> None:
    header = "Invoice ID,Vendor ID,Vendor Name,Invoice Date,Currency,Invoice Amount,Line Amount,Other\n"
    (document,) = read(f"{header}I1,V1,{text},2026-01-31,EUR,5.00,5.00,{text}\n").documents
    assert document["vendor_name"] == document["extra"]["Other"] == text

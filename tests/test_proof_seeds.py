"""Faults from seeds: whatever happens, M3 ends with every document once, whole and right."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from proof.seeds import how_to_repeat, run_seeds

if TYPE_CHECKING:
    from pathlib import Path

#: How many seeds, in parts that workers share; a night's run sets more: PROOF_SEEDS=100000.
SEEDS = int(os.environ.get("PROOF_SEEDS", "400"))
PARTS = 8


@pytest.mark.timeout(0)
@pytest.mark.parametrize("part", range(PARTS))
def test_whatever_happens_every_document_is_in_m3_once(tmp_path: Path, part: int) -> None:
    figures = run_seeds(range(part, SEEDS, PARTS), tmp_path)
    repeat = {how_to_repeat(int(each.split()[1].rstrip(":"))) for each in figures.red}
    assert not figures.red, "\n".join([*figures.red, "To repeat:", *sorted(repeat)])
    assert figures.settled > figures.to_a_person, "doubts are there to be settled, not to be handed on"

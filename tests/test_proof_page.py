"""What docs/exactly-once.md says of the last proof is what the proof has written."""

from __future__ import annotations

import json

from proof.prove import FIGURES, PAGE, page_with
from proof.safeguards import SAFEGUARDS


def test_no_figure_is_typed_by_hand() -> None:
    page = PAGE.read_text("utf-8")
    assert page_with(json.loads(FIGURES.read_text("utf-8")), page) == page


def test_the_last_proof_was_green_and_long_enough() -> None:
    figures = json.loads(FIGURES.read_text("utf-8"))
    assert figures["red"] == []
    assert figures["seeds"] >= 2000
    assert set(figures["safeguards"]["first_red"]) == set(SAFEGUARDS)
    assert all(figures["safeguards"]["first_red"].values())
    assert figures["lost_writes"] > figures["to_a_person"]

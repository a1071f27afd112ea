"""What a check found."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """One check: ``result`` is ok, warning or failed; ``what_to_do`` is blank where nothing is."""

    check: str
    result: str
    text: str
    what_to_do: str = ""

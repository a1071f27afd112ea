"""Codes as spreadsheets spoil them, and what comes near a code that does not exist."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from rapidfuzz import fuzz, process

if TYPE_CHECKING:
    from collections.abc import Sequence

_MANGLED: Final = re.compile(r"[+-]?\d+(?:[.,]\d+)?E[+-]\d+", re.IGNORECASE)
_ZEROS: Final = re.compile(r"(?<![^\W_])0+(?=[^\W_])")
_LEAST_SCORE: Final = 60
_HOW_MANY: Final = 3
_LONGEST: Final = 40


def is_mangled(code: str) -> bool:
    """Whether a code looks as if a spreadsheet had taken it for a number, like ``1,23E+05``."""
    return _MANGLED.fullmatch(code) is not None


def without_zeros(code: str) -> str:
    """Return the code without leading zeros of its parts, the first thing that a spreadsheet drops."""
    return _ZEROS.sub("", code)


def nearest_codes(code: str, codes: Sequence[str]) -> list[tuple[int, int]]:
    """Return (position, score of 100) of the three codes that come nearest, best first."""
    query = code[:_LONGEST]
    hits = process.extract(query, codes, scorer=fuzz.ratio, limit=_HOW_MANY, score_cutoff=_LEAST_SCORE)
    return [(position, round(score)) for _, score, position in hits]

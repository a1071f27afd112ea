"""Infor's four groups: in which of them a held document is shown, and what they are called."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from stampli_infor_transforms.reasons import REASONS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from stampli_infor_transforms.reasons import Group

GROUPS: Final[dict[Group, str]] = {
    "missing_information": "Missing information",
    "validation_error": "Validation errors",
    "needs_review": "Needs review",
    "technical_error": "Technical errors",
}
"""Every group with its title, in the order in which they are shown and worked off."""


def group_of(code: str) -> Group:
    """Return the group of a reason code.

    A code that stands in no table of ours is a tap's or M3's own word that a value is wrong.
    """
    known = REASONS.get(code)
    return "validation_error" if known is None else known.group


def group_of_document(codes: Iterable[str]) -> Group:
    """Return the one group in which a document with these reason codes is counted: the first that it has.

    What is missing has to be given before anything else can be judged. A document that waits without a reason
    waits for an answer of M3: a technical error.
    """
    found = {group_of(code) for code in codes}
    return next((group for group in GROUPS if group in found), "technical_error")

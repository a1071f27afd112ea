"""Infor's four groups."""

from __future__ import annotations

from typing import get_args

import pytest
from stampli_infor_transforms.groups import GROUPS, group_of, group_of_document
from stampli_infor_transforms.reasons import REASONS, Group


def test_every_group_has_a_title_and_reasons() -> None:
    assert tuple(GROUPS) == get_args(Group)
    assert {kind.group for kind in REASONS.values()} == set(GROUPS)
    assert {code: group_of(code) for code in REASONS} == {code: each.group for code, each in REASONS.items()}


@pytest.mark.parametrize(
    ("codes", "group"),
    [
        (("in_doubt_unresolved",), "technical_error"),
        (("near_duplicate", "in_doubt_unresolved"), "needs_review"),
        (("near_duplicate", "unbalanced"), "validation_error"),
        (("unbalanced", "near_duplicate", "vendor_missing", "payments_off"), "missing_information"),
        (("XAP0012",), "validation_error"),
        (("cut_row", "payments_off"), "validation_error"),
        ((), "technical_error"),
    ],
)
def test_a_document_is_counted_once(codes: tuple[str, ...], group: str) -> None:
    assert group_of_document(codes) == group
    assert group_of_document(reversed(codes)) == group

"""Allocations: one Stampli line over several M3 codes, by shares that make 100 percent."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Final

from stampli_infor_transforms.numbering import normalise_number
from stampli_infor_transforms.policy import AITS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from stampli_infor_transforms.tables import Row

_WHOLE: Final = Decimal(100)


@dataclass(frozen=True, slots=True)
class Share:
    """One part of an allocation.

    Attributes:
        percent: more than 0, at most 100.
        ait: dimension (``ait1`` to ``ait7``) to value, blanks left out.
        at: where it is written.
    """

    percent: Decimal
    ait: Mapping[str, str]
    at: str


def read_shares(rows: Iterable[Row], problems: list[str]) -> dict[tuple[str, ...], tuple[Share, ...]]:
    """Return the shares by (cono, divi, name); what does not make 100 percent is added to `problems`."""
    found: dict[tuple[str, ...], list[Share]] = defaultdict(list)
    for row in rows:
        percent = _percent(row, problems)
        ait = {name: row.cells[name] for name in AITS if row.cells[name]}
        found[allocation_key(row)].append(Share(percent, ait, row.at))
    for (cono, divi, name), shares in found.items():
        total = sum((share.percent for share in shares), Decimal())
        if total != _WHOLE:
            scope = f"company {cono}" + (f", division {divi}" if divi else "")
            problems.append(
                f"{shares[-1].at}: column 'share_percent': the shares of allocation '{name}' ({scope}) "
                "add up to "
                f"{total}, not 100."
            )
    return {key: tuple(shares) for key, shares in found.items()}


def _percent(row: Row, problems: list[str]) -> Decimal:
    text = row.cells["share_percent"]
    try:
        percent = Decimal(text.removesuffix("%").strip())
    except InvalidOperation:
        percent = Decimal()
    if not percent.is_finite() or not 0 < percent <= _WHOLE:
        problems.append(
            f"{row.at}: column 'share_percent' is '{text}'. Enter a number over 0 up to 100 with a "
            "decimal point."
        )
        return Decimal()
    return percent


def allocation_key(row: Row) -> tuple[str, str, str]:
    """Return (cono, divi, name) of a row that names an allocation."""
    return str(int(row.cells["cono"])), row.cells["divi"], normalise_number(row.cells["allocation"])

"""The right supplier among 50,000 that look like it, on names that somebody else wrote."""

from __future__ import annotations

import random
import runpy
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from stampli_infor_transforms.reference import Company, CompanyReference, Supplier
from stampli_infor_transforms.values import text_of

if TYPE_CHECKING:
    from collections.abc import Callable

REGISTER: dict[str, Any] = runpy.run_path(str(Path(__file__).parents[2] / "bench/transforms/lookalikes.py"))
SIZE = 50_000


@pytest.fixture(scope="module")
def twins() -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = REGISTER["twins"]()
    if not found:
        pytest.skip(f"no names in {REGISTER['NAMES']}")
    return found


@pytest.fixture(scope="module")
def company(twins: list[tuple[str, str]]) -> CompanyReference:
    names = REGISTER["register"](
        [name for name, _ in twins], SIZE, never=frozenset(changed for _, changed in twins)
    )
    assert len(names) == SIZE
    suppliers = [Supplier(f"S{at}", name) for at, name in enumerate(names)]
    return CompanyReference(company=Company(1), suppliers=suppliers)


def test_twins_among_lookalikes(twins: list[tuple[str, str]], company: CompanyReference) -> None:
    right = [_is_among_the_first(company, name, changed) for name, changed in twins]
    assert sum(right) / len(right) >= 0.98


def _typo(name: str, rng: random.Random) -> str:
    at = rng.randrange(1, len(name))
    return rng.choice(
        [
            name[:at] + name[at + 1 :],
            name[:at] + name[at] + name[at:],
            name[: at - 1] + name[at] + name[at - 1] + name[at + 1 :],
        ]
    )


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(_typo, id="typo"),
        pytest.param(lambda name, rng: _typo(_typo(name, rng), rng), id="two typos"),
        pytest.param(lambda name, _: name.replace(" ", ""), id="no blanks"),
        pytest.param(lambda name, _: " ".join(reversed(name.replace(",", "").split(" "))), id="word order"),
        pytest.param(lambda name, _: name.replace(" and ", " & "), id="and sign"),
        pytest.param(lambda name, _: name.replace(" and ", " und "), id="and in German"),
        pytest.param(lambda name, _: name.replace("ue", "\u00fc").replace("oe", "\u00f6"), id="umlauts"),
        pytest.param(lambda name, _: name.upper().replace("-", " - "), id="signs"),
    ],
)
def test_changes_that_people_make(
    change: Callable[[str, random.Random], str], twins: list[tuple[str, str]], company: CompanyReference
) -> None:
    rng = random.Random(9)  # noqa: S311 - typos
    right = [_is_among_the_first(company, name, change(name, rng)) for name, _ in twins[::2]]
    assert sum(right) / len(right) >= 0.98


def _is_among_the_first(company: CompanyReference, name: str, changed: str) -> bool:
    """Whether the supplier of that name is found or suggested; another one must never be found."""
    written = text_of(changed) or ""
    found = company.suppliers_named(written)
    if len(found) == 1:
        # A typo can make a name that another company really has; then nobody could tell.
        assert found[0].name == name or found[0].name.casefold() == written.casefold(), (name, changed, found)
    suggested = [
        each.split(" (")[0].split(" ", 1)[1] for each in company.suggest_suppliers(name=written, code="")
    ]
    return name in {*suggested, *(each.name for each in found)}

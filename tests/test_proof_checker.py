"""The judge is judged: whatever is changed in what stands in M3, it finds."""

from __future__ import annotations

import copy
from random import Random
from typing import TYPE_CHECKING, Any

import pytest
from proof.checker import check
from proof.exports import of_every_kind
from proof.simulation import Simulation

if TYPE_CHECKING:
    from collections.abc import Callable

    from proof.checker import Findings, Told

Books = dict[str, Any]


@pytest.fixture(scope="module")
def verdict(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What an undisturbed run leaves, as the judge is given it."""
    made = Simulation(1, tmp_path_factory.mktemp("checker"), tenant="aps450", documents=of_every_kind)
    made.undisturbed()
    given = made.evidence()
    assert check(**given).all() == []
    return given


def _own(books: Books) -> list[dict[str, Any]]:
    return [each for each in books["invoices"] if each["cori"]]


def _validated(books: Books) -> list[dict[str, Any]]:
    return [line for each in books["statements"] if each["validated"] for line in each["lines"]]


def _other(value: Any) -> Any:
    if isinstance(value, int):
        return value + 1
    return f"{value}1" if value else "1"


def _head(field: str) -> Callable[[Books, Random], object]:
    def change(books: Books, chance: Random) -> None:
        invoice = chance.choice(_own(books))
        invoice[field] = _other(invoice[field])

    return change


def _line(field: str) -> Callable[[Books, Random], object]:
    def change(books: Books, chance: Random) -> None:
        line = chance.choice(chance.choice(_own(books))["lines"])
        line[field] = _other(line[field])

    return change


def _dimension(number: int) -> Callable[[Books, Random], object]:
    def change(books: Books, chance: Random) -> None:
        line = chance.choice(chance.choice(_own(books))["lines"])
        line["ait"][number] = _other(line["ait"][number])

    return change


def _payment(field: str) -> Callable[[Books, Random], object]:
    def change(books: Books, chance: Random) -> None:
        line = chance.choice(_validated(books))
        line[field] = _other(line[field])

    return change


def _detail(field: str) -> Callable[[Books, Random], object]:
    def change(books: Books, chance: Random) -> None:
        detail = chance.choice(chance.choice(_validated(books))["details"])
        detail[field] = _other(detail[field])

    return change


def _twice_of_another_year(books: Books, chance: Random) -> None:
    books["invoices"].append(copy.deepcopy(chance.choice(_own(books))) | {"year": 2025})


def _gone(books: Books, chance: Random) -> None:
    books["invoices"].remove(chance.choice(_own(books)))


def _staged(books: Books, chance: Random) -> None:
    books["staged"].append(copy.deepcopy(chance.choice(_own(books))) | {"inbn": 777})


def _a_line_less(books: Books, chance: Random) -> None:
    lines = chance.choice(_own(books))["lines"]
    lines.remove(chance.choice(lines))


def _paid_twice(books: Books, chance: Random) -> None:
    statement = chance.choice([each for each in books["statements"] if each["validated"]])
    books["statements"].append(copy.deepcopy(statement))


def _not_validated(books: Books, chance: Random) -> None:
    chance.choice([each for each in books["statements"] if each["validated"]])["validated"] = False


CORRUPTIONS: dict[str, tuple[str, Callable[[Books, Random], object]]] = {
    **{
        f"invoice's {field}": ("wrong", _head(field))
        for field in (
            "amount",
            "vat",
            "currency",
            "payee",
            "invoice_date",
            "accounting_date",
            "due_date",
            "terms",
        )
    },
    "invoice's supplier": ("lost", _head("supplier")),
    "invoice's company": ("lost", _head("cono")),
    "invoice's division": ("lost", _head("divi")),
    "invoice's number": ("lost", _head("number")),
    "what is paid of it": ("wrong", _head("paid")),
    **{f"line's {field}": ("wrong", _line(field)) for field in ("amount", "tax", "tax_code", "text", "rdtp")},
    **{f"line's dimension {n + 1}": ("wrong", _dimension(n)) for n in range(7)},
    **{f"payment's {field}": ("wrong", _payment(field)) for field in ("amount", "payee", "value_date")},
    "payment's reference": ("lost", _payment("reference")),
    **{f"what a payment settles: {field}": ("wrong", _detail(field)) for field in ("amount", "number")},
    "twice, in another year": ("doubled", _twice_of_another_year),
    "gone": ("lost", _gone),
    "an open batch that nobody was told of": ("half", _staged),
    "a line less": ("wrong", _a_line_less),
    "paid twice": ("doubled", _paid_twice),
    "statement not validated": ("lost", _not_validated),
}


@pytest.mark.parametrize("what", CORRUPTIONS)
def test_every_change_of_what_stands_in_m3_is_found(verdict: dict[str, Any], what: str) -> None:
    kind, corrupt = CORRUPTIONS[what]
    for seed in range(20):
        books = copy.deepcopy(verdict["m3"])
        corrupt(books, Random(seed))  # noqa: S311 - repeatable, not secret
        found: Findings = check(**verdict | {"m3": books})
        assert getattr(found, kind), f"{what}, seed {seed}: {found.all()}"


@pytest.mark.parametrize("status", ["received", "ready", "posting", "in_doubt"])
def test_what_is_not_at_rest_is_found(verdict: dict[str, Any], status: str) -> None:
    for name, tellings in verdict["told"].items():
        told = verdict["told"] | {name: [_with(each, status=status) for each in tellings]}
        assert check(**verdict | {"told": told}).stuck


def test_a_review_without_a_reason_is_found(verdict: dict[str, Any]) -> None:
    held = {name: told for name, told in verdict["told"].items() if told[0].status == "review"}
    assert held
    for name, tellings in held.items():
        told = verdict["told"] | {name: [_with(each, codes=()) for each in tellings]}
        assert check(**verdict | {"told": told}).stuck


def test_a_document_that_never_came_is_found(verdict: dict[str, Any]) -> None:
    for name in verdict["told"]:
        told = {other: tellings for other, tellings in verdict["told"].items() if other != name}
        assert check(**verdict | {"told": told}).lost


def test_a_posting_that_nobody_says_to_have_made_is_found(verdict: dict[str, Any]) -> None:
    posted = [name for name, told in verdict["told"].items() if told[0].status == "posted"]
    for name in posted:
        tellings = [_with(each, status="failed", codes=("XRE0103",)) for each in verdict["told"][name]]
        assert check(**verdict | {"told": verdict["told"] | {name: tellings}}).wrong


def _with(told: Told, **changed: Any) -> Told:
    return type(told)(**{"status": told.status, "text": told.text, "codes": told.codes} | changed)

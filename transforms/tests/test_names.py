from __future__ import annotations

import pytest
from stampli_infor_transforms.names import nearest, normalise_name, sorted_words


@pytest.mark.parametrize(
    ("alike", "normal"),
    [
        (("Example Ltd", "EXAMPLE LIMITED", "Example, Ltd.", " example  limited "), "example ltd"),
        (("Müller GmbH", "Muller G.m.b.H.", "MÜLLER gesellschaft mit beschränkter Haftung"), "muller gmbh"),
        (("O'Neill Inc.", "O\u2019NEILL Incorporated"), "oneill inc"),
        (("Foo B.V.", "FOO BV", "Foo Besloten Vennootschap"), "foo bv"),
        (("Stra\u00dfe & Sohn AG", "STRASSE / SOHN Aktiengesellschaft"), "strasse sohn ag"),
    ],
)
def test_names_that_are_the_same(alike: tuple[str, ...], normal: str) -> None:
    assert {normalise_name(each) for each in alike} == {normal}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Example Ltd", "Example Inc"),
        ("Example", "Example Ltd"),
        ("\u304c\u304f", "\u304b\u304f"),
        ("Acme 1", "Acme 2"),
    ],
)
def test_names_that_are_not(one: str, other: str) -> None:
    assert normalise_name(one) != normalise_name(other)


def test_nothing_left_of_a_name() -> None:
    assert normalise_name(" ... ") == ""


def test_nearest_is_best_first_and_three_at_most() -> None:
    choices = ["example ltd", "exampel ltd", "sample ltd", "example limited co", "zzz"]
    hits = nearest(sorted_words("ltd example"), [sorted_words(each) for each in choices])
    assert hits[0] == (0, 100)
    assert len(hits) == 3
    assert [score for _, score in hits] == sorted((score for _, score in hits), reverse=True)
    assert nearest("Y2001", ["Y2010", "Q9"]) == [(0, 80)]

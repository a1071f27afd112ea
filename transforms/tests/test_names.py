from __future__ import annotations

import pytest
from stampli_infor_transforms.names import normalise_name


@pytest.mark.parametrize(
    ("alike", "normal"),
    [
        (("Example Ltd", "EXAMPLE LIMITED", "Example, Ltd.", " example  limited "), "example ltd"),
        (("Müller GmbH", "Muller G.m.b.H.", "MÜLLER gesellschaft mit beschränkter Haftung"), "muller gmbh"),
        (("Foo Pty Ltd", "Foo Proprietary Limited"), "foo pty ltd"),
        (("Foo plc", "FOO P.L.C.", "Foo Public Limited Company"), "foo plc"),
        (("A + B Ltd", "A & B Ltd"), "a b ltd"),
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
        ("Foo GmbH", "Foo GmbH & Co. KG"),
        ("Foo AB", "Foo Abp"),
        ("Foo Ltd", "Foo Pte Ltd"),
        ("Foo Ltd", "Foo Limited by Guarantee"),
        ("Foo sp. z o.o.", "Foo sp. z o.o. sp. k."),
        ("Foo Cooperation", "Foo Cooperative"),
        ("C++ GmbH", "C GmbH"),
        ("C++ GmbH", "C# GmbH"),
        ("Example", "Example Ltd"),
        ("\u304c\u304f", "\u304b\u304f"),
        ("Acme 1", "Acme 2"),
    ],
)
def test_names_that_are_not(one: str, other: str) -> None:
    assert normalise_name(one) != normalise_name(other)


def test_nothing_left_of_a_name() -> None:
    assert normalise_name(" ... ") == ""

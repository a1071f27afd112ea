from __future__ import annotations

import csv
from pathlib import Path

import pytest
from stampli_infor_transforms import names
from stampli_infor_transforms.names import normalise_name
from stampli_infor_transforms.supplier_names import SupplierNames


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
        (("Foo Ges.m.b.H.", "Foo GesmbH", "FOO GmbH"), "foo gmbh"),
        (("Foo Sociedad Limitada", "Foo S.L."), "foo sl"),
        (("Foo Limitada", "Foo Ltda."), "foo ltda"),
        (("Foo S.A. de C.V.", "Foo Sociedad An\u00f3nima de Capital Variable"), "foo sa de cv"),
        (("Foo A/S", "Foo Aktieselskab"), "foo a s"),
        (("Foo AS", "Foo Aksjeselskap"), "foo as"),
        (("Foo spol. s r.o.", "Foo s.r.o."), "foo sro"),
        (("Foo K.K.", "Foo Kabushiki Kaisha"), "foo kk"),
        (
            (
                "\u682a\u5f0f\u4f1a\u793e\u30c8\u30e8\u30bf",
                "(\u682a)\u30c8\u30e8\u30bf",
                "\u3231\u30c8\u30e8\u30bf",
            ),
            "\u682a\u5f0f\u4f1a\u793e \u30c8\u30e8\u30bf",
        ),
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
        ("Foo Limitada", "Foo Ltd"),
        ("Foo A/S", "Foo AS"),
        ("Foo SASU", "Foo SAS"),
        ("Foo Co. Ltd.", "Foo Ltd"),
        ("Foo Holding GmbH", "Foo GmbH"),
        ("Foo UK Ltd", "Foo Ltd"),
        ("Foo KK", "Foo GK"),
        ("Foo Oy", "Foo Oyj"),
        ("Foo S. de R.L. de C.V.", "Foo S.A. de C.V."),
        ("Acme 1", "Acme 2"),
    ],
)
def test_names_that_are_not(one: str, other: str) -> None:
    assert normalise_name(one) != normalise_name(other)


def test_nothing_left_of_a_name() -> None:
    assert normalise_name(" ... ") == ""


def test_each_form_of_the_own_table_is_written_as_its_abbreviation() -> None:
    with (Path(names.__file__).with_name("legal_forms.csv")).open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len({row["form"] for row in rows}) == len(rows) > 30
    for row in rows:
        assert normalise_name(f"Foo {row['form'].upper()}") == f"foo {row['abbreviation']}", row


@pytest.mark.parametrize(
    ("register", "written"),
    [
        ("\u041e\u041e\u041e \u0420\u043e\u043c\u0430\u0448\u043a\u0430", "Romashka OOO"),
        (
            "\u03a1\u03cc\u03b4\u03bf\u03c2 \u039d\u03b1\u03c5\u03c4\u03b9\u03bb\u03b9\u03b1\u03ba\u03ae",
            "Rodos Naytiliaki",
        ),
        ("International Business Machines Corp", "IBM"),
        ("IBM Ltd", "International Business Machines"),
        ("Kehner Manufacturing International Inc", "Kehner Mfg. Intl. Inc"),
        ("Smith Brothers Ltd", "Smith Bros"),
        ("University Hospital Services Trust", "Univ. Hosp. Svcs Trust"),
        ("Meyer Maschinenbau Holding GmbH", "Holding Meyer Maschinenbau GmbH"),
        ("Z\u00fcrcher Kantonalbank", "Zuercher Kantonalbank"),
        ("Koninklijke Ahold Delhaize N.V.", "Kon. Ahold Delhaize"),
        ("J. P. Morgan Chase & Co.", "JPMorgan Chase"),
    ],
)
def test_the_right_one_is_suggested_but_never_taken(register: str, written: str) -> None:
    others = [
        "Rodeo AE",
        "Roma Inc",
        "Meyer GmbH",
        "Kehner Inc",
        "Smith Ltd",
        "University Press",
        "Morgan Ltd",
    ]
    known = SupplierNames({f"S{at}": name for at, name in enumerate([*others, register])})
    assert known.named(written) == ()
    assert known.suggest(written)[0].startswith(f"S{len(others)} ")

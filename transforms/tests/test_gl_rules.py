"""GL rules: the first match for each dimension."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from stampli_infor_transforms.crosswalks import CrosswalkError, Crosswalks
from stampli_infor_transforms.documents import AccountingInvoice

if TYPE_CHECKING:
    from stampli_infor_transforms.documents import AccountingLine, Mapping

    from .conftest import Records, World

RULES = "cono,divi,priority,gl_account,vendor,company,text,ait,value"
GL = "cono,divi,stampli_gl_account,ait1,ait2,ait3,ait4,ait5,ait6,ait7,allocation"


def _line(mapping: Mapping) -> AccountingLine:
    assert mapping.reasons == ()
    assert isinstance(mapping.document, AccountingInvoice)
    (line,) = mapping.document.lines
    return line


@pytest.mark.parametrize(
    "pattern",
    [
        "6100,,,",
        "61*,,,",
        ",V100,,",
        ",y2001,,",
        ",Example *,,",
        ",,Acme  West,",
        ",,,flight",
        ",,,Fl*t to",
        "6100,V1*,*,to",
    ],
)
def test_a_rule_that_fits_gives_its_dimension(pattern: str, world: World, records: Records) -> None:
    record = records.invoice(company="ACME WEST", lines=[records.line(description="A flight to Rome")])
    line = _line(world.table("gl_rules", RULES, f"100,,,{pattern},ait3,CC10").invoice(record))
    assert line.ait[2] == "CC10"
    assert "ait3=CC10 gl_rules.csv:2" in line.trace


@pytest.mark.parametrize("pattern", ["610,,,", ",V10,,", ",,Acme,", ",,,flightto", "6100,V2,,", ".*,,,"])
def test_a_rule_that_does_not_fit(pattern: str, world: World, records: Records) -> None:
    record = records.invoice(company="ACME WEST", lines=[records.line(description="A flight to Rome")])
    assert _line(world.table("gl_rules", RULES, f"100,,,{pattern},ait3,CC10").invoice(record)).ait[2] == ""


@pytest.mark.parametrize(
    ("rows", "value"),
    [
        (("100,,,6100,,,,ait3,CC10", "100,,,61*,,,,ait3,CC20"), "CC10"),
        (("100,,9,6100,,,,ait3,CC10", "100,,1,61*,,,,ait3,CC20"), "CC20"),
        (("100,BBB,,6100,,,,ait3,CC10", "100,AAA,,61*,,,,ait3,CC20"), "CC20"),
        (("200,,,6100,,,,ait3,CC10", "100,,,61*,,,,ait3,CC20"), "CC20"),
        (("100,,,6100,,,,ait2,CC10", "100,,,61*,,,,ait3,CC20"), "CC20"),
    ],
)
def test_the_first_match_of_each_dimension_wins(
    rows: tuple[str, ...], value: str, world: World, records: Records
) -> None:
    document = world.table("gl_rules", RULES, *rows).invoice(records.invoice()).document
    assert isinstance(document, AccountingInvoice)
    assert document.lines[0].ait[2] == value


def test_the_line_s_own_code_wins_over_a_rule_and_a_rule_over_the_account_s_default(
    world: World, records: Records
) -> None:
    coded = world.table("gl_accounts", GL, "100,,T,6100,PLANT1,CC99,,,,,").table(
        "gl_rules", RULES, "100,,,T,,,,ait3,CC10", "100,,,T,,,,ait1,6200"
    )
    assert _line(coded.invoice(records.invoice(lines=[records.line(gl_account="T")]))).ait[:3] == (
        "6200",
        "PLANT1",
        "CC10",
    )
    own = records.invoice(posting_date="2025-06-01", lines=[records.line(gl_account="T", cost_center="CC20")])
    assert _line(coded.invoice(own)).ait[2] == "CC20"


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ("100,,,6100,,,,ait8,X", "gl_rules.csv:2: column 'ait' is 'ait8'; valid are ait1"),
        ("100,,high,6100,,,,ait3,X", "gl_rules.csv:2: column 'priority' is 'high'. Enter a whole number"),
        ("100,,,,*,,,ait3,X", "gl_rules.csv:2: no column of gl_account, vendor, company, text says when"),
        ("100,,,6100,,,,ait3,", "gl_rules.csv:2: column 'value' is blank"),
        (
            "100,,,6100,,,,ait3,12345678901",
            "gl_rules.csv:2: column 'value' is '12345678901', but M3 takes at most 10",
        ),
        (
            '100,,,"1,2E+05",,,,ait3,X',
            "gl_rules.csv:2: column 'gl_account' is '1,2E+05', a code that a spreadsheet",
        ),
        (
            "100,,1,6100,,,,ait3,X\n100,,2,6100,,,,ait3,Y",
            "gl_rules.csv:3: cono '100', gl_account '6100', ait 'ait3' stands",
        ),
    ],
)
def test_bad_rules_are_refused(row: str, problem: str) -> None:
    with pytest.raises(CrosswalkError) as caught:
        Crosswalks.parse({"gl_rules.csv": f"{RULES}\n{row}"})
    assert len(caught.value.problems) == 1
    assert caught.value.problems[0].startswith(problem)


def test_many_stars_take_no_time(world: World, records: Records) -> None:
    pattern = "*".join("a" * 30)
    record: dict[str, Any] = records.invoice(lines=[records.line(description="a" * 29 + "b" * 10_000)])
    _line(world.table("gl_rules", RULES, f"100,,,,,,{pattern}c,ait3,CC10").invoice(record))

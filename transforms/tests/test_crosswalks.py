from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path

import pytest
from stampli_infor_transforms.crosswalks import CrosswalkError, Crosswalks

GL = "cono,divi,stampli_gl_account,ait1,ait2,ait3,ait4,ait5,ait6,ait7,allocation"
SHARES = "cono,divi,allocation,share_percent,ait1,ait2,ait3,ait4,ait5,ait6,ait7"
COMPANIES = "stampli_company,cono,divi,bank_bsid"
SUPPLIERS = "cono,stampli_vendor_id,suno,payee"
TAX = "cono,divi,stampli_tax_code,vtcd"
DIMENSIONS = "cono,divi,dimension,stampli_code,ait,value"


def _problems(**texts: str) -> tuple[str, ...]:
    with pytest.raises(CrosswalkError) as caught:
        Crosswalks.parse({f"{name}.csv": text for name, text in texts.items()})
    return caught.value.problems


@pytest.mark.parametrize(
    ("name", "text", "problem"),
    [
        ("companies", f"{COMPANIES}\nAcme,1000,,", r"companies.csv:2: column 'cono' is '1000', .* at most 3"),
        (
            "companies",
            f"{COMPANIES}\nAcme,ten,,",
            r"companies.csv:2: column 'cono' is 'ten', .* from 1 to 999",
        ),
        ("companies", f"{COMPANIES}\nAcme,,,", r"companies.csv:2: column 'cono' is blank"),
        (
            "companies",
            f"{COMPANIES}\nAcme,1,,\n\nACME ,2,,",
            r"companies.csv:4: stampli_company 'ACME' .* in line 2",
        ),
        (
            "companies",
            f"{COMPANIES}\nAcme,1,,\nAcme Inc, West,1,,",
            r"companies.csv:3: 5 cells, but the header has 4",
        ),
        (
            "companies",
            "stampli_company,cono,divi\n",
            r"companies.csv:1: column 'bank_bsid' is missing\. The columns",
        ),
        ("companies", f"{COMPANIES},note\n", r"companies.csv:1: column 'note' is not known"),
        ("companies", f"{COMPANIES},divi\n", r"companies.csv:1: column 'divi' stands there 2 times"),
        ("companies", f'{COMPANIES}\n"Acme,1,,\n', r"companies.csv:\d: not readable as CSV .* quotes"),
        ("company", COMPANIES, r"company.csv: no crosswalk has this name\. The files are: companies.csv"),
        (
            "suppliers",
            f'{SUPPLIERS}\n1,"1,23E+05",Y1,',
            r"suppliers.csv:2: column 'stampli_vendor_id' is '1,23E\+05'",
        ),
        (
            "suppliers",
            f"{SUPPLIERS}\n1,V1,1.2e+5,",
            r"suppliers.csv:2: column 'suno' is '1.2e\+5', a code that a spread",
        ),
        (
            "suppliers",
            f"{SUPPLIERS}\n1,V1,#N/A,",
            r"suppliers.csv:2: column 'suno' is '#N/A', a formula that failed",
        ),
        ("suppliers", f"{SUPPLIERS}\n1,V1,Y1234567890,", r"suppliers.csv:2: column 'suno' .* at most 10"),
        ("suppliers", f'{SUPPLIERS}\n1,V1,"Y\n1",', r"suppliers.csv:3: column 'suno' holds a line break"),
        ("gl_accounts", f"{GL}\n1,,6100,,,,,,,,", r"gl_accounts.csv:2: column 'ait1' is blank"),
        (
            "gl_accounts",
            f"{GL}\n1,,6100,,,,,,,,HALVES",
            r"gl_accounts.csv:2: column 'allocation' is 'HALVES'",
        ),
        (
            "dimensions",
            f"{DIMENSIONS}\n1,,team,T1,ait2,X",
            r"dimensions.csv:2: column 'dimension' is 'team'; valid are dep",
        ),
        (
            "dimensions",
            f"{DIMENSIONS}\n1,,project,T1,ait8,X",
            r"dimensions.csv:2: column 'ait' is 'ait8'; valid are ait1",
        ),
        ("tax_codes", f"{TAX}\n1,,V21,A", r"tax_codes.csv:2: column 'vtcd' is 'A', but a VAT code"),
        (
            "allocations",
            f"{SHARES}\n1,,H,50,1,,,,,,\n1,,H,49.9,2,,,,,,",
            r"allocations.csv:3: .* add up to 99.9, not 100",
        ),
        (
            "allocations",
            f'{SHARES}\n1,,H,"33,3",1,,,,,,',
            r"allocations.csv:2: column 'share_percent' is '33,3'",
        ),
        ("allocations", f"{SHARES}\n1,,H,NaN,1,,,,,,", r"allocations.csv:2: column 'share_percent' is 'NaN'"),
        (
            "allocations",
            f"{SHARES}\n1,,H,50,1,,,,,,\n1,,H,50,1,,,,,,",
            r"allocations.csv:3: .* stands in line 2 already",
        ),
    ],
)
def test_problem_is_named_with_its_place(name: str, text: str, problem: str) -> None:
    problems = _problems(**{name: text})
    assert any(re.match(problem, each) for each in problems), problems


def test_all_problems_of_all_files_come_at_once() -> None:
    problems = _problems(companies=f"{COMPANIES}\nAcme,0,,\nBeta,x,,", tax_codes=f"{TAX}\n1,,V21,A", other="")
    assert len(problems) == 4


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (
            f"{SUPPLIERS}\n1,V1,Y1,\n1,Müller,Y2,\n".encode("cp1252"),
            r"suppliers.csv:3: not UTF-8 \(byte 0xfc\)",
        ),
        (f"{SUPPLIERS}\n".encode("utf-16"), r"suppliers.csv:1: not UTF-8 \(UTF-16\)"),
    ],
)
def test_wrong_encoding(tmp_path: Path, content: bytes, problem: str) -> None:
    (tmp_path / "suppliers.csv").write_bytes(content)
    with pytest.raises(CrosswalkError, match=problem) as caught:
        Crosswalks.load(tmp_path)
    assert len(caught.value.problems) == 1


def test_no_directory(tmp_path: Path) -> None:
    with pytest.raises(CrosswalkError, match="no such directory"):
        Crosswalks.load(tmp_path / "gone")


def test_missing_files_are_empty_tables(tmp_path: Path) -> None:
    crosswalks = Crosswalks.load(tmp_path)
    assert not crosswalks.has_companies
    assert crosswalks.gl_account(1, "", "6100") is None
    assert crosswalks.allocation(1, "", "H") == ()


def test_spreadsheet_ways_of_saving(tmp_path: Path) -> None:
    text = f"\ufeff{SUPPLIERS}\n100, V1 ,Y1,\n,,,\n".replace(",", ";").replace("\n", "\r\n")
    (tmp_path / "suppliers.csv").write_bytes(text.encode())
    row = Crosswalks.load(tmp_path).supplier(100, "V1")
    assert row is not None
    assert (row.cells["suno"], row.at) == ("Y1", "suppliers.csv:2")


def test_division_wins_over_blank() -> None:
    crosswalks = Crosswalks.parse({"tax_codes.csv": f"{TAX}\n100,,V21,1\n100,AAA,V21,2\n200,,V21,3"})
    found = [
        crosswalks.tax_code(cono, divi, "V21") for cono, divi in ((100, "AAA"), (100, "BBB"), (200, "AAA"))
    ]
    assert [row.cells["vtcd"] for row in found if row is not None] == ["2", "1", "3"]
    assert crosswalks.tax_code(300, "", "V21") is None


def test_names_count_whatever_the_case_and_codes_to_the_letter() -> None:
    crosswalks = Crosswalks.parse(
        {
            "companies.csv": f"{COMPANIES}\nAcme  West,100,AAA,B1",
            "payment_terms.csv": "cono,stampli_terms,tepy\n100,Net 30,30D",
            "suppliers.csv": f"{SUPPLIERS}\n100,v1,Y1,\n100,V1,Y2,",
        }
    )
    assert crosswalks.company("ACME WEST") is not None
    assert crosswalks.terms(100, "NET 30") is not None
    lower, upper = crosswalks.supplier(100, "v1"), crosswalks.supplier(100, "V1")
    assert lower is not None
    assert upper is not None
    assert (lower.cells["suno"], upper.cells["suno"]) == ("Y1", "Y2")


def test_shares() -> None:
    rows = "100,,Thirds,33.33,,,A,,,,\n100,,Thirds,33.33 %,,,B,,,,\n100,,Thirds,33.34,,,C,,,,"
    crosswalks = Crosswalks.parse({"allocations.csv": f"{SHARES}\n{rows}"})
    shares = crosswalks.allocation(100, "AAA", "thirds")
    assert [(share.percent, dict(share.ait), share.at) for share in shares] == [
        (Decimal("33.33"), {"ait3": "A"}, "allocations.csv:2"),
        (Decimal("33.33"), {"ait3": "B"}, "allocations.csv:3"),
        (Decimal("33.34"), {"ait3": "C"}, "allocations.csv:4"),
    ]


def test_version_follows_the_content() -> None:
    first = Crosswalks.parse({"tax_codes.csv": f"{TAX}\n100,,V21,1"})
    same = Crosswalks.parse({"tax_codes.csv": f"{TAX}\r\n100,,V21, 1\r\n"})
    other = Crosswalks.parse({"tax_codes.csv": f"{TAX}\n100,,V21,2"})
    assert first.version == same.version != other.version


def test_the_shipped_crosswalks_are_sound() -> None:
    Crosswalks.load(Path(__file__).parents[1] / "crosswalks")


def test_codes_that_only_look_mangled_are_kept() -> None:
    row = Crosswalks.parse({"suppliers.csv": f"{SUPPLIERS}\n1,12E3,1E5,"}).supplier(1, "12E3")
    assert row is not None
    assert row.cells["suno"] == "1E5"

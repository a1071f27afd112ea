"""Hazards within files, from end to end: put on a real OpenSSH server, read by the tap as a process.

The readers' own tests go through each of them in more ways; here it is seen that nothing on the way from the
server to the messages makes it something else.
"""

from __future__ import annotations

import gzip
import io
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pathlib import Path

HEAD = "Company,Invoice ID,Invoice Number,Vendor ID,Vendor Name,Invoice Date,Currency,Invoice Amount,Memo,"
HEADER = HEAD + "Line Number,Line Amount\n"


def row(nth: int = 1, **changed: str) -> str:
    """One line of an invoice, its cells by position, those named in ``changed`` as they are given."""
    cells = {
        "company": "US", "id": f"I{nth}", "number": f"N{nth}", "vendor": "V1", "name": "Acme",
        "date": "2026-01-31", "currency": "EUR", "total": "30.00", "memo": "", "line": "1", "amount": "30.00",
    } | changed  # fmt: skip
    return ",".join(cells.values()) + "\n"


GOOD = HEADER + row(99)


@dataclass
class Came:
    """What became of files beside one that is good."""

    result: Any

    @property
    def invoices(self) -> dict[str, dict[str, Any]]:
        found = {each["invoice_id"]: each for each in self.result.records("invoices")}
        assert found.pop("I99")  # whatever happens to another file, this one is read
        return found

    @property
    def rejected(self) -> list[tuple[str, int]]:
        return [(each["reason"], each["_sdc_source_line"]) for each in self.result.records("rejected_rows")]

    def counted(self, name: str) -> dict[str, Any]:
        (found,) = (
            each
            for each in self.result.records("source_files")
            if each["_sdc_source_file"].endswith(f"/{name}")
        )
        return dict(found)

    def left(self, name: str, *words: str) -> None:
        """The file is left for the next run, with one line that names it and all of ``words``."""
        assert self.result.code == 1
        (line,) = (each for each in self.result.log.splitlines() if name in each and "ERROR" in each)
        for word in words:
            assert word in line
        for stream in self.result.state["bookmarks"].values():
            assert not any(path.endswith(f"/{name}") for path in stream["files"])


@pytest.fixture
def come(server: Any, run_tap: Any) -> Any:
    """Put files on the server, and run the tap with a template for invoices and further settings."""

    def run(files: dict[str, str | bytes], template: dict[str, Any] | None = None, **settings: Any) -> Came:
        server.put("invoices_good.csv", GOOD)
        for name, content in files.items():
            server.put(name, content)
        templates = {"templates": {"invoices": template}} if template else {}
        return Came(run_tap(server.config(**templates, **settings)))

    return run


def test_encodings(come: Any, server: Any) -> None:
    text = HEADER + row(1, name="Müller")
    came = come(
        {
            "invoices_bom.csv": text.encode("utf-8-sig"),
            "invoices_16.csv": (HEADER + row(4)).encode("utf-16"),
            "invoices_1252.csv": (HEADER + row(2) + row(3, name="Müller")).encode("cp1252"),
        }
    )
    assert {key: each["vendor_name"] for key, each in came.invoices.items()} == {"I1": "Müller"}
    came.left("invoices_1252.csv", "line 3", "0xfc", "templates.invoices.encoding")
    came.left("invoices_16.csv", "line 1", "0xff", "templates.invoices.encoding", "try utf-16")
    for path in server.directory.iterdir():
        path.unlink()
    came = come(
        {"invoices_good.csv": GOOD.encode("utf-16"), "invoices_16.csv": text.encode("utf-16")},
        {"encoding": "utf-16"},
    )
    assert came.invoices["I1"]["vendor_name"] == "Müller"


def test_newlines_and_quotes_in_fields(come: Any) -> None:
    memo = 'first\r\n\r\nthird, "so called"'
    quoted = '"' + memo.replace('"', '""') + '"'
    came = come({"invoices_1.csv": (HEADER + row(1, memo=quoted) + row(2)).replace("30.00\n", "30.00\r\n")})
    assert came.invoices["I1"]["memo"] == memo
    assert came.invoices["I2"]["_sdc_source_line"] == 5, "physical lines are counted"
    assert came.result.code == 0


def test_preambles_totals_rows_blank_rows_and_empty_files(come: Any) -> None:
    files = {
        "invoices_1.csv": "Export of 2026-01-31\n"
        + HEADER
        + row()
        + "\n"
        + ",,,,,,,,,,\n"
        + "TOTAL,,,,,,,30.00,,,\n",
        "invoices_header.csv": "Export of 2026-01-31\n" + HEADER,
        "invoices_empty.csv": "",
        "invoices_good.csv": "Export\n" + GOOD,
    }
    came = come(files, {"skip_rows": 1, "footer_pattern": "^TOTAL"})
    assert (came.result.code, came.rejected, list(came.invoices)) == (0, [], ["I1"])
    counted = came.counted("invoices_1.csv")
    assert (counted["rows"], counted["documents"], counted["non_data_rows"]) == (4, 1, 3)
    for name in ("invoices_header.csv", "invoices_empty.csv"):
        assert (came.counted(name)["rows"], came.counted(name)["documents"]) == (0, 0)


def test_columns_that_are_new_missing_or_doubled(come: Any) -> None:
    came = come(
        {
            "invoices_new.csv": HEADER.replace("Memo", "Colour") + row(1, memo="blue"),
            "invoices_missing.csv": HEADER.replace("Currency", "Waehrung") + row(2),
            "invoices_doubled.csv": HEADER.replace("Memo", "Vendor Name") + row(3, memo="Other"),
        }
    )
    assert came.invoices["I1"]["extra"] == {"Colour": "blue"}
    assert list(came.invoices) == ["I1"]
    came.left("invoices_missing.csv", "Currency", "templates.invoices.columns")
    came.left("invoices_doubled.csv", "Vendor Name", "templates.invoices.columns")


def test_decimal_marks_and_signs(come: Any) -> None:
    def both(number: int, text: str) -> str:
        return row(number, total=f'"{text}"', amount=f'"{text}"')

    texts = ["1.234,56", "(45,00)", "45,00-", "€ 7,00", "1.234.567,8"]
    content = HEADER + "".join(both(number, text) for number, text in enumerate(texts))
    came = come(
        {"invoices_1.csv": content, "invoices_good.csv": GOOD.replace("30.00", '"30,00"')},
        {"decimal_mark": ","},
    )
    wanted = ["1234.56", "-45.00", "-45.00", "7.00", "1234567.8"]
    assert [came.invoices[f"I{number}"]["total_amount"] for number in range(5)] == [
        Decimal(each) for each in wanted
    ]
    assert came.invoices["I1"]["invoice_type"] == "CREDIT_MEMO"


def test_amounts_with_a_currency_sign_and_thousands_separators(come: Any) -> None:
    texts = ['"$1,234.56"', "$7.00", '"(1,234,567.80)"', "12.30-"]
    content = HEADER + "".join(
        row(n, currency="USD", total=text, amount=text) for n, text in enumerate(texts)
    )
    came = come({"invoices_1.csv": content}, {"decimal_mark": "."})
    wanted = ["1234.56", "7.00", "-1234567.80", "-12.30"]
    assert [came.invoices[f"I{n}"]["total_amount"] for n in range(4)] == [Decimal(each) for each in wanted]


def test_an_amount_of_two_readings_is_refused(come: Any) -> None:
    came = come({"invoices_1.csv": HEADER + row(1, total="1.234", amount="1.234") + row(2)})
    assert (came.rejected, list(came.invoices)) == ([("ambiguous_amount", 2)], ["I2"])
    (rejected,) = came.result.records("rejected_rows")
    assert "decimal_mark" in rejected["message"]


@pytest.mark.parametrize("accepted", [False, True])
def test_more_decimals_than_the_currency_has(come: Any, *, accepted: bool) -> None:
    noise = "2853.8199999999997"
    came = come(
        {"invoices_1.csv": HEADER + row(1, total=noise, amount=noise) + row(2, currency="JPY")},
        {"round_excess_decimals": accepted},
    )
    if accepted:
        assert came.invoices["I1"]["total_amount"] == Decimal("2853.82")
        assert came.invoices["I1"]["extra"] == {"Invoice Amount": noise}
    else:
        assert came.rejected[0] == ("excess_decimals", 2)
    assert came.invoices["I2"]["total_amount"] == Decimal(30), "zeros beyond the decimals say nothing"


def test_a_file_without_totals_or_without_a_column(come: Any) -> None:
    header = HEADER.replace("Invoice Amount,", "").replace("Currency,", "")
    lines = row(1).replace(",EUR,30.00", "") + row(1, line="2", amount="12.50").replace(",EUR,30.00", "")
    came = come(
        {"invoices_1.csv": header + lines}, {"total_from_lines": True, "constants": {"Currency": "USD"}}
    )
    found = came.invoices["I1"]
    assert (found["total_amount"], found["currency"]) == (Decimal("42.50"), "USD")
    assert came.counted("invoices_1.csv")["control_totals"] == {"USD": Decimal("42.50")}


def test_dates_by_their_format_only(come: Any) -> None:
    content = HEADER + row(1, date="01/02/2026")
    came = come({"invoices_1.csv": content})
    assert came.rejected == [("bad_date", 2)]


def test_dates_by_a_format_that_is_set(come: Any) -> None:
    files = {
        "invoices_1.csv": HEADER + row(1, date="01/02/2026"),
        "invoices_good.csv": GOOD.replace("2026-01-31", "31/01/2026"),
    }
    came = come(files, {"date_format": "%d/%m/%Y"})
    assert came.invoices["I1"]["invoice_date"] == "2026-02-01"


def test_a_bad_row_and_nothing_else(come: Any) -> None:
    bad = row(1, line="2", amount="ten")
    came = come({"invoices_1.csv": HEADER + row(1) + bad + row(2)})
    assert (list(came.invoices), came.result.code) == (["I2"], 0)
    (rejected,) = came.result.records("rejected_rows")
    assert rejected["reason"] == "bad_amount"
    assert rejected["raw_text"] == row(1) + bad
    assert "Line 3" in rejected["message"]
    assert came.counted("invoices_1.csv")["rejected"] == 2


def test_scattered_lines_and_header_values_that_differ(come: Any) -> None:
    came = come(
        {
            "invoices_1.csv": HEADER + row(1) + row(2) + row(1, line="2", amount="5.00"),
            "invoices_2.csv": HEADER + row(3) + row(4) + row(3, line="2", name="Other"),
        }
    )
    assert [line["amount"] for line in came.invoices["I1"]["lines"]] == [Decimal(30), Decimal(5)]
    assert sorted(came.invoices) == ["I1", "I2", "I4"]
    (rejected,) = came.result.records("rejected_rows")
    assert rejected["reason"] == "header_differs"
    assert "'Vendor Name'" in rejected["message"]


def test_an_invoice_in_a_later_file_is_sent_again(server: Any, run_tap: Any) -> None:
    server.put("invoices_1.csv", HEADER + row(1))
    first = run_tap(server.config())
    server.put("invoices_2.csv", HEADER + row(1) + row(2))
    second = run_tap(server.config(), state=first.state)
    assert [each["invoice_id"] for each in second.records("invoices")] == ["I1", "I2"]


def _zip(content: bytes) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.csv", content)
    return data.getvalue()


def test_bounds_of_files_fields_and_what_is_packed(come: Any) -> None:
    bomb = HEADER.encode() + b"a\n" * 1_500_000
    wide = ",".join(f"C{number}" for number in range(10_000))
    came = come(
        {
            "invoices_big.csv": HEADER + row(1) * 120_000,
            "invoices_field.csv": HEADER + row(2, memo="x" * 20_000),
            "invoices_bomb.zip": _zip(bomb),
            "invoices_bomb.csv.gz": gzip.compress(bomb),
            "invoices_wide.csv": f"{HEADER.strip()},{wide}\n{row(5).strip()},{',' * 9_999}\n",
        },
        max_file_bytes=5_000_000,
        max_field_bytes=10_000,
    )
    assert list(came.invoices) == ["I5"]
    came.left("invoices_big.csv", "max_file_bytes")
    came.left("invoices_field.csv", "line 2", "max_field_bytes")
    came.left("invoices_bomb.zip", "max_unpacked_ratio")
    came.left("invoices_bomb.csv.gz", "max_unpacked_ratio")


# A process's peak counts from its parent's at the fork, so that the parent has to be a small one.
MEASURE = (
    "import resource, subprocess, sys\n"
    "subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)\n"
    "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
)


def test_memory_does_not_grow_with_the_file(server: Any, tap_line: Any, tmp_path: Path) -> None:
    """What is held of a file has an end, far below the larger one here; the rest waits on disk."""

    def peak(rows: int) -> int:
        memo = "x" * 400
        server.put("invoices_1.csv", HEADER + "".join(row(n, memo=memo) for n in range(rows)))
        command = [sys.executable, "-c", MEASURE, *tap_line(server.config(), tmp_path)]
        return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout) * 1024

    small, large = peak(12_000), peak(96_000)
    grown = (96_000 - 12_000) * 460
    assert large - small < grown // 2


@pytest.mark.parametrize(
    ("inner", "words"),
    [
        ('<!DOCTYPE a [<!ENTITY e "x">]><Invoices>&e;</Invoices>', "DTD"),
        ('<!DOCTYPE a SYSTEM "file:///etc/passwd"><Invoices/>', "DTD"),
        ("<Invoices><Invoice>" + "<a>" * 500 + "</a>" * 500 + "</Invoice></Invoices>", "nested deeper"),
    ],
    ids=["entity", "external", "depth"],
)
def test_xml_that_is_dangerous(come: Any, inner: str, words: str) -> None:
    came = come({"invoices_1.xml": f'<?xml version="1.0"?>{inner}'})
    assert came.invoices == {}
    came.left("invoices_1.xml", words)


def test_placeholders_are_no_identity(come: Any) -> None:
    same = {"id": "N/A", "number": "REDACTED", "vendor": "#N/A"}
    came = come(
        {"invoices_1.csv": HEADER + row(1, **same) + row(2, **same) + row(3)},
        {"null_values": ["N/A", "#N/A", "REDACTED"]},
    )
    assert list(came.invoices) == ["I3"]
    assert came.rejected == [("no_identity", 2), ("no_identity", 3)], "never merged"


def test_text_that_a_spreadsheet_would_run_is_text(come: Any) -> None:
    texts = ["=1+1", "+1", "-1", "@SUM(A1)"]
    came = come({"invoices_1.csv": HEADER + "".join(row(n, memo=text) for n, text in enumerate(texts))})
    assert [came.invoices[f"I{n}"]["memo"] for n in range(4)] == texts

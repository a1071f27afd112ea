"""Reading files: the hazards that CSV exports really show."""

from __future__ import annotations

import csv
import gzip
import io
from decimal import Decimal
from typing import Any

import pytest
from tap_stampli_sftp.errors import FileRefused
from tap_stampli_sftp.limits import Limits
from tap_stampli_sftp.reading import grouping

HEADER = (
    "Company,Invoice ID,Invoice Number,Vendor ID,Vendor Name,Invoice Date,Currency,Invoice Amount,Memo,"
    "Line Number,Line Amount,GL Account\n"
)


def row(**values: str) -> str:
    """One row of HEADER, RFC 4180."""
    cells = {
        "company": "US", "id": "I1", "number": "N1", "vendor": "V1", "name": "Acme", "date": "2026-01-31",
        "currency": "EUR", "total": "121.00", "memo": "", "line": "1", "amount": "121.00", "account": "6000",
    } | values  # fmt: skip
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(cells.values())
    return text.getvalue()


def test_a_document_has_the_shape_of_the_sample_template(read: Any) -> None:
    result = read(HEADER + row(amount="100.00") + row(line="2", amount="21.00", account="6100"))
    (document,) = result.documents
    assert document["invoice_id"] == "I1"
    assert str(document["total_amount"]) == "121.00"
    assert document["invoice_type"] == "INVOICE"
    assert [(line["line_number"], str(line["amount"]), line["gl_account"]) for line in document["lines"]] == [
        ("1", "100.00", "6000"),
        ("2", "21.00", "6100"),
    ]
    assert document["_sdc_source_line"] == 2
    assert document["_sdc_source_file"] == "/outbound/invoices_1.csv"
    assert document["due_date"] is None
    assert result.reading.control_totals == {"EUR": Decimal("121.00")}


@pytest.mark.parametrize("order", [[0, 1, 2], [0, 2, 1]])
def test_lines_of_a_document_are_grouped_wherever_they_stand(read: Any, order: list[int]) -> None:
    rows = [row(line="1"), row(line="2"), row(id="I2", number="N2")]
    result = read(HEADER + "".join(rows[index] for index in order))
    assert {document["invoice_id"]: len(document["lines"]) for document in result.documents} == {
        "I1": 2,
        "I2": 1,
    }


def test_a_row_with_blank_header_columns_goes_on_with_the_document_before(read: Any) -> None:
    result = read(HEADER + row() + ",,,,,,,,,2,5.00,6100\n" + row(id="I2") + ",,,,,,,,,2,7.00,6100\n")
    assert [[str(line["amount"]) for line in document["lines"]] for document in result.documents] == [
        ["121.00", "5.00"],
        ["121.00", "7.00"],
    ]


def test_a_row_that_repeats_the_id_but_not_the_company_is_the_same_document(read: Any) -> None:
    result = read(HEADER + row() + row(company="", number="", vendor="", line="2"))
    assert [len(document["lines"]) for document in result.documents] == [2]


def test_without_an_id_company_vendor_and_number_identify(read: Any) -> None:
    result = read(
        HEADER + row(id="") + row(id="", vendor="V2") + row(id="", company="DE") + row(id="", line="2")
    )
    assert [(d["company"], d["vendor_id"], len(d["lines"])) for d in result.documents] == [
        ("US", "V1", 2),
        ("US", "V2", 1),
        ("DE", "V1", 1),
    ]


def test_documents_without_identity_are_rejected_one_by_one_never_merged(read: Any) -> None:
    hidden = row(id="", number="REDACTED", line="")
    result = read(HEADER + hidden + hidden + row(), {"null_values": ["redacted"]})
    assert [(item.reason, item.line) for item in result.rejected] == [("no_identity", 2), ("no_identity", 3)]
    assert len(result.documents) == 1
    assert result.counts == (3, 2, 0)


def test_a_bad_row_takes_its_whole_document_with_it_and_nothing_else(read: Any) -> None:
    text = HEADER + row() + row(id="I2", line="1") + row(line="2", amount="12x") + row(id="I2", line="2")
    result = read(text)
    (refused,) = result.rejected
    assert (refused.reason, refused.line, refused.rows) == ("bad_amount", 2, 2)
    assert refused.raw_text == row() + row(line="2", amount="12x")
    assert "Line 4" in refused.message
    assert "Line Amount" in refused.message
    assert [document["invoice_id"] for document in result.documents] == ["I2"]


def test_header_values_that_differ_reject_the_document_and_name_the_column(read: Any) -> None:
    result = read(HEADER + row() + row(line="2", date="2026-02-01"))
    (refused,) = result.rejected
    assert refused.reason == "header_differs"
    assert "'Invoice Date' is '2026-01-31' on line 2 but '2026-02-01' on line 3" in refused.message


def test_header_values_that_only_look_different_do_not_differ(read: Any) -> None:
    result = read(HEADER + row(total="121.00") + row(line="2", total="121.0"))
    assert len(result.documents) == 1


def test_a_line_number_twice_with_the_same_content_is_kept_once(read: Any) -> None:
    result = read(HEADER + row() + row())
    assert [len(document["lines"]) for document in result.documents] == [1]
    assert result.reading.repeated_lines == 1


def test_a_line_number_twice_with_other_content_rejects_the_document(read: Any) -> None:
    assert [item.reason for item in read(HEADER + row() + row(account="7")).rejected] == ["line_number_twice"]


def test_without_line_numbers_every_row_is_a_line(read: Any) -> None:
    assert [len(document["lines"]) for document in read(HEADER + row(line="") * 3).documents] == [3]


def test_quotes_newlines_and_blank_lines_arrive_unchanged_and_lines_are_physical(read: Any) -> None:
    memo = 'first\r\n\r\nsecond, "quoted" \n third'
    result = read(HEADER + row(memo=memo) + row(id="I2"))
    assert [document["memo"] for document in result.documents] == [memo, None]
    assert [document["_sdc_source_line"] for document in result.documents] == [2, 6]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_a_byte_order_mark_does_not_count(read: Any, encoding: str) -> None:
    assert read((HEADER + row()).encode(encoding)).documents[0]["company"] == "US"


@pytest.mark.parametrize("encoding", ["cp1252", "utf-16"])
def test_encoding_is_a_setting(read: Any, encoding: str) -> None:
    content = (HEADER + row(name="Müller")).encode(encoding)
    assert read(content, {"encoding": encoding}).documents[0]["vendor_name"] == "Müller"


def test_a_wrong_byte_is_refused_with_its_line_and_the_setting(read: Any) -> None:
    content = (HEADER + row() * 3000 + row(name="Müller")).encode("cp1252")
    with pytest.raises(FileRefused, match=r"line 3002 has the byte 0xfc.*templates\.invoices\.encoding"):
        read(content)


def test_utf_16_read_as_utf_8_says_so(read: Any) -> None:
    with pytest.raises(FileRefused, match="try utf-16"):
        read((HEADER + row()).encode("utf-16"))


def test_preamble_footer_and_blank_rows_are_no_data_and_are_counted(read: Any) -> None:
    text = 'Report "of\ntoday\n' + HEADER + row() + ",,,,,,,,,,,\n\n" + "Total,,,,,,,121.00,,,,\n"
    result = read(text, {"skip_rows": 2, "footer_pattern": "^Total,"})
    assert result.counts == (4, 0, 3)
    assert result.documents[0]["_sdc_source_line"] == 4


@pytest.mark.parametrize("content", ["", "\n\n", HEADER, HEADER.rstrip()])
def test_empty_and_header_only_files_are_no_error(read: Any, content: str) -> None:
    result = read(content)
    assert result.documents == result.rejected == []
    assert result.counts == (0, 0, 0)


def test_headers_are_found_by_name_alias_and_in_any_writing(read: Any) -> None:
    text = "Entity;Bill #;SUPPLIER_NUMBER;Supplier;bill-date;currency;Gross Total;Line.Amount;Acct No\n"
    text += "US;N1;V1;Acme;2026-01-31;EUR;5.00;5.00;6000\n"
    (document,) = read(text, {"delimiter": ";"}).documents
    assert (document["invoice_number"], document["vendor_id"], document["vendor_name"]) == (
        "N1",
        "V1",
        "Acme",
    )
    assert document["lines"][0]["gl_account"] == "6000"


def test_supplier_with_a_number_sign_is_the_id(read: Any) -> None:
    text = (
        "Invoice #,Supplier #,Supplier,Bill Date,Currency,Total,Line Amount\nN1,V1,Acme,2026-01-31,EUR,5,5\n"
    )
    (document,) = read(text).documents
    assert (document["vendor_id"], document["vendor_name"]) == ("V1", "Acme")


def test_columns_win_over_names_and_one_column_may_feed_two_fields(read: Any) -> None:
    template = {"columns": {"Vendor ID": "Vendor Name", "vendor_name": "vendor name"}}
    (document,) = read(HEADER + row(), template).documents
    assert (document["vendor_id"], document["vendor_name"]) == ("Acme", "Acme")
    assert document["extra"] == {"Vendor ID": "V1"}


def test_a_column_that_the_setting_names_but_the_file_lacks_refuses_the_file(read: Any) -> None:
    with pytest.raises(FileRefused, match=r"'Lieferant'.*templates\.invoices\.columns\.vendor_id"):
        read(HEADER + row(), {"columns": {"vendor_id": "Lieferant"}})


def test_a_missing_required_column_refuses_the_file(read: Any) -> None:
    with pytest.raises(FileRefused, match=r"Line Amount.*templates\.invoices\.columns"):
        read((HEADER + row()).replace("Line Amount", "Betrag"))


@pytest.mark.parametrize("doubled", ["Amount", "GL Account", "Foo,Foo"])
def test_a_doubled_column_refuses_the_file(read: Any, doubled: str) -> None:
    with pytest.raises(FileRefused, match=r"templates\.invoices\.columns"):
        read(HEADER.rstrip() + f",{doubled}\n")


def test_unknown_columns_are_kept_with_line_and_document(read: Any) -> None:
    text = (
        HEADER.rstrip()
        + ",Region,Note\n"
        + row().rstrip()
        + ",north,a\n"
        + row(line="2").rstrip()
        + ",north,b\n"
    )
    (document,) = read(text).documents
    assert [line["extra"] for line in document["lines"]] == [
        {"Region": "north", "Note": "a"},
        {"Region": "north", "Note": "b"},
    ]
    assert document["extra"] == {"Region": "north"}


def test_constants_fill_what_the_file_lacks(read: Any) -> None:
    text = (HEADER + row(company="")).replace("Currency", "Waehrung")
    (document,) = read(text, {"constants": {"Currency": "GBP", "company": "UK"}}).documents
    assert (document["currency"], document["company"]) == ("GBP", "UK")


def test_a_total_from_lines_counts_tax_and_is_controlled(read: Any) -> None:
    text = "Invoice ID,Vendor ID,Invoice Date,Currency,Line Amount,Line Tax\n"
    text += "I1,V1,2026-01-31,EUR,100.00,21.00\nI1,V1,2026-01-31,EUR,10.00,\n"
    result = read(text, {"total_from_lines": True})
    assert str(result.documents[0]["total_amount"]) == "131.00"
    assert result.reading.control_totals == {"EUR": Decimal("131.00")}


def test_a_document_without_total_is_rejected(read: Any) -> None:
    assert [item.reason for item in read(HEADER + row(total="")).rejected] == ["missing_value"]


def test_rounded_noise_keeps_its_raw_text(read: Any) -> None:
    text = HEADER + row(amount="2853.8199999999997", total="2853.8199999999997")
    assert [item.reason for item in read(text).rejected] == ["excess_decimals"]
    (document,) = read(text, {"round_excess_decimals": True}).documents
    assert str(document["total_amount"]) == "2853.82"
    assert document["extra"] == {"Invoice Amount": "2853.8199999999997"}
    assert document["lines"][0]["extra"] == {"Line Amount": "2853.8199999999997"}


@pytest.mark.parametrize(
    ("kind", "total", "expected"),
    [("", "-5", "CREDIT_MEMO"), ("Credit Note", "5", "CREDIT_MEMO"), ("Invoice", "-5", "CREDIT_MEMO"), ("",
    "5", "INVOICE")],
)  # fmt: skip
def test_a_credit_is_known_by_type_or_sign_and_its_sign_is_kept(
    read: Any, kind: str, total: str, expected: str
) -> None:
    text = HEADER.rstrip() + ",Invoice Type\n" + row(total=total).rstrip() + f",{kind}\n"
    (document,) = read(text).documents
    assert (document["invoice_type"], document["total_amount"]) == (expected, Decimal(total))


def test_an_unknown_type_is_rejected(read: Any) -> None:
    text = HEADER.rstrip() + ",Invoice Type\n" + row().rstrip() + ",Proforma\n"
    assert [item.reason for item in read(text).rejected] == ["unknown_type"]


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        ("US,I1,N1,V1\n", "too_few_cells"),
        (row(line="2").rstrip() + ",too,many\n", "too_many_cells"),
        ('US,I1,N1,V1,"Ac"me,2026-01-31,EUR,121.00,,2,1.00,6\n', "malformed_row"),
        ('"x"y,,,,,,,,,2,1.00,6\n', "malformed_row"),
    ],
)
def test_a_malformed_row_leaves_no_half_document_behind(read: Any, broken: str, reason: str) -> None:
    result = read(HEADER + row(id="I0") + row() + broken + row(id="I2"))
    assert [document["invoice_id"] for document in result.documents] == ["I0", "I2"]
    assert [item.reason for item in result.rejected] == [reason]
    assert result.rejected[0].raw_text == row() + broken


@pytest.mark.parametrize(
    "tail",
    ["US,I2,N2,V2", 'US,I2,N2,V2,"Acme', 'US,I2,N2,V2,"Acme\n', row(id="I2").rstrip()[:-20]],
)
def test_a_cut_last_row_leaves_the_file_and_is_rejected_when_it_stays(read: Any, tail: str) -> None:
    assert read(HEADER + row() + tail).reading.cut_line == 3
    result = read(HEADER + row() + tail, reject_cut=True)
    assert [item.reason for item in result.rejected] == ["cut_row"]
    assert [document["invoice_id"] for document in result.documents] == ["I1"]


@pytest.mark.parametrize("tail", [row(id="I2").rstrip("\n"), "Total,121"])
def test_an_unterminated_last_row_that_is_whole_or_a_footer_is_not_cut(read: Any, tail: str) -> None:
    result = read(HEADER + row() + tail, {"footer_pattern": "^Total"})
    assert result.reading.cut_line == 0
    assert not result.rejected


def test_tabs_for_tsv_and_detected_for_txt(read: Any) -> None:
    text = (HEADER + row()).replace(",", "\t")
    for ending in (".tsv", ".txt", ".TXT"):
        assert len(read(text, ending=ending).documents) == 1
    assert len(read(HEADER + row(), ending=".txt").documents) == 1


def test_gz_is_unpacked(read: Any) -> None:
    assert len(read(gzip.compress((HEADER + row()).encode()), ending=".csv.gz").documents) == 1


@pytest.mark.parametrize(("start", "end"), [(0, -9), (3, None)])
def test_damaged_gz_is_refused(read: Any, start: int, end: int | None) -> None:
    with pytest.raises(FileRefused, match="gzip"):
        read(gzip.compress((HEADER + row()).encode())[start:end], ending=".csv.gz")


def test_a_bomb_is_refused_while_it_unpacks(read: Any) -> None:
    bomb = gzip.compress((HEADER + "\n" * 3_000_000).encode())
    with pytest.raises(FileRefused, match="max_unpacked_ratio"):
        read(bomb, ending=".csv.gz")
    limits = Limits(max_file_bytes=10**6, max_field_bytes=10**6, max_unpacked_ratio=10**6)
    with pytest.raises(FileRefused, match="max_file_bytes"):
        read(bomb, ending=".csv.gz", limits=limits)


@pytest.mark.parametrize("memo", ["x" * 200, "y\n" * 200, "z" * 5000])
def test_a_huge_field_is_refused(read: Any, memo: str) -> None:
    limits = Limits(max_file_bytes=10**8, max_field_bytes=100, max_unpacked_ratio=200)
    with pytest.raises(FileRefused, match=r"line [23] has .*max_field_bytes"):
        read(HEADER + row(memo=memo), limits=limits)


def test_a_thousand_columns_are_no_problem(read: Any) -> None:
    names = ",".join(f"c{number}" for number in range(10_000))
    result = read(f"{HEADER.rstrip()},{names}\n{row().rstrip()},{names}\n")
    assert len(result.documents[0]["extra"]) == 10_000


def test_a_payment_settles_many_invoices(read: Any) -> None:
    text = "Payment ID,Payment Date,Vendor ID,Currency,Amount Paid,Check Number,"
    text += "Invoice ID,Invoice Number,Applied Amount\n"
    text += "P1,2026-01-31,V1,EUR,30.00,C1,I1,N1,10.00\n,,,,,,I2,N2,20.00\n"
    result = read(text, stream="payments")
    (payment,) = result.documents
    assert payment["reference"] == "C1"
    assert [(item["invoice_id"], str(item["amount"])) for item in payment["applications"]] == [
        ("I1", "10.00"),
        ("I2", "20.00"),
    ]
    assert result.reading.control_totals == {"EUR": Decimal("30.00")}


def test_a_vendor_or_account_without_its_key_is_rejected(read: Any) -> None:
    vendors = read("Vendor ID,Vendor Name\nV1,Acme\n,Nameless\n", stream="vendors")
    assert [vendor["vendor_id"] for vendor in vendors.documents] == ["V1"]
    assert [item.reason for item in vendors.rejected] == ["no_identity"]
    accounts = read("Company,GL Account,GL Account Name\nUS,6000,Costs\n", stream="gl_accounts")
    assert accounts.documents[0]["gl_account_name"] == "Costs"


def test_a_file_beyond_memory_gives_the_same_documents(read: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    text = HEADER + "".join(row(id=f"I{n % 50}", line=str(n), memo="ä\n") for n in range(500))
    expected = {document["invoice_id"]: document for document in read(text).documents}
    original = grouping.Groups.__init__
    monkeypatch.setattr(
        grouping.Groups,
        "__init__",
        lambda self, *, spool, **_: original(self, spool=spool, memory_characters=999),
    )
    assert {document["invoice_id"]: document for document in read(text).documents} == expected

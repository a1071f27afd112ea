"""No half document: what may belong to a document is in it, or the document is rejected."""

from __future__ import annotations

import codecs
import io
import zipfile
from decimal import Decimal
from typing import Any

import pytest
from tap_stampli_sftp.errors import FileRefused

NAMES = (
    "Company,Invoice ID,Invoice Number,Vendor ID,Invoice Date,Currency,Invoice Amount,Tax Amount,Memo,"
    "Line Number,Line Amount,Line Tax Amount,Tax Code"
)
HEADER = NAMES + "\n"


def row(**values: str) -> str:
    """One row of HEADER, as it is written."""
    cells = {
        "company": "US", "id": "I1", "number": "N1", "vendor": "V1", "date": "2026-01-31", "currency": "EUR",
        "total": "", "tax": "", "memo": "", "line": "1", "amount": "10.00", "line_tax": "", "code": "",
    } | values  # fmt: skip
    return ",".join(cells.values()) + "\n"


def further(**values: str) -> str:
    """A continuation row."""
    blank = dict.fromkeys(("company", "id", "number", "vendor", "date", "currency"), "")
    return row(**(blank | {"line": "2", "amount": "5.00"} | values))


SUM = {"total_from_lines": True}


def sent(result: Any) -> dict[str, str]:
    """Invoice id -> total."""
    return {document["invoice_id"]: str(document["total_amount"]) for document in result.documents}


def reasons(result: Any) -> list[str]:
    """Why documents were rejected."""
    return [item.reason for item in result.rejected]


def test_a_totals_row_that_has_all_of_a_document_is_rejected_with_it(read: Any) -> None:
    second = row(id="I2", number="N2", memo="Total Ltd") + further()
    result = read(HEADER + row() + second + row(id="I3"), SUM | {"footer_pattern": "Total"})
    assert sent(result) == {"I1": "10.00", "I3": "10.00"}
    assert reasons(result) == ["footer_or_document"]
    assert result.rejected[0].raw_text == second


def test_what_follows_a_totals_row_with_an_identity_goes_to_no_other_document(read: Any) -> None:
    dropped = row(id="I2", number="N2", memo="Total Ltd", date="")
    text = HEADER + row() + dropped + further() + further(line="3") + row(id="I3") + further()
    result = read(text, SUM | {"footer_pattern": "Total"})
    assert sent(result) == {"I3": "15.00"}
    assert reasons(result) == ["after_footer"]
    assert result.counts == (6, 3, 1)


def test_a_totals_row_without_identity_breaks_no_document(read: Any) -> None:
    text = HEADER + row() + "Subtotal,,,,,,10.00,,,,,,\n" + further()
    assert sent(read(text, SUM | {"footer_pattern": "^Subtotal"})) == {"I1": "15.00"}


TYPED = (
    "Header,Invoice ID,Vendor ID,Invoice Date,Currency,Invoice Amount,Tax Amount,Memo\n"
    "Line,Line Number,Amount\nSplit,Amount\nTax,Amount,Code\n"
)


def test_in_a_typed_file_a_row_of_a_known_type_is_no_totals_row(read: Any) -> None:
    text = TYPED + "Header,I1,V1,2026-01-31,EUR,,,\nLine,1,10.00\n"
    text += "Header,I2,V1,2026-01-31,EUR,,,Total Ltd\nLine,1,5.00\nTotal,2\n"
    result = read(text, SUM | {"layout": "typed", "footer_pattern": "Total"})
    assert sent(result) == {"I1": "10.00", "I2": "5.00"}
    assert result.counts == (5, 0, 1)


def test_in_xml_the_name_of_an_element_says_that_it_is_a_total(read: Any) -> None:
    def invoice(number: int, memo: str) -> str:
        return (
            f"<Invoice><InvoiceID>I{number}</InvoiceID><VendorID>V1</VendorID><InvoiceDate>2026-01-31"
            f"</InvoiceDate><Currency>EUR</Currency><Memo>{memo}</Memo>"
            "<Lines><Line><LineAmount>10.00</LineAmount></Line></Lines></Invoice>"
        )

    text = f"<Invoices>{invoice(1, '')}{invoice(2, 'Total Ltd')}<Totals><Count>2</Count></Totals></Invoices>"
    for path in ("Invoices/Invoice", "Invoices/*"):
        result = read(text, SUM | {"footer_pattern": "Total", "record_path": path}, ending=".xml")
        assert sent(result) == {"I1": "10.00", "I2": "10.00"}
        assert result.counts == (5, 0, 1)
    empty = "<Invoices><Totals><Count>0</Count></Totals></Invoices>"
    assert read(empty, {"footer_pattern": "Total"}, ending=".xml").counts == (0, 0, 0)


@pytest.mark.parametrize("broken", ['"open', '"open" x'])
def test_a_broken_quote_takes_every_document_whose_rows_it_swallows(read: Any, broken: str) -> None:
    text = HEADER + row() + row(id="I2", memo=broken) + row(id="I3") + row(id="I3", memo='"x"y', line="2")
    result = read(text + row(id="I3", line="3") + row(id="I4"), SUM, reject_cut=True)
    assert sent(result) == {"I1": "10.00", "I4": "10.00"}
    assert all("I2" in item.raw_text or "I3" in item.raw_text for item in result.rejected)


@pytest.mark.parametrize(
    "said", [{"company": "US"}, {"currency": "EUR"}, {"company": "US", "currency": "EUR"}]
)
def test_a_row_that_may_go_on_is_rejected_with_the_document_before(read: Any, said: dict[str, str]) -> None:
    result = read(HEADER + row() + further(**said) + row(id="I2"), SUM)
    assert sent(result) == {"I2": "10.00"}
    assert reasons(result) == ["no_identity"]


def test_a_row_without_identity_that_contradicts_the_document_before_is_rejected_alone(read: Any) -> None:
    result = read(HEADER + row() + further(company="DE") + row(id="I2"), SUM)
    assert sent(result) == {"I1": "10.00", "I2": "10.00"}
    assert reasons(result) == ["no_identity"]


@pytest.mark.parametrize("memory", [None, 1])
def test_a_scattered_row_may_leave_out_the_company(
    read: Any, memory: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    if memory is not None:
        monkeypatch.setattr("tap_stampli_sftp.reading.files.MEMORY_CHARACTERS", memory)
    text = HEADER + row() + row(id="I2") + row(company="", line="2", amount="5.00")
    assert sent(read(text, SUM)) == {"I1": "15.00", "I2": "10.00"}
    result = read(text + row(company="DE", line="3"), SUM)
    assert sent(result) == {"I2": "10.00"}
    assert reasons(result) == ["header_differs"]
    # Where no row leaves it out, the same id in two companies is two documents.
    assert len(read(HEADER + row() + row(company="DE"), SUM).documents) == 2


def test_a_text_that_means_no_value_is_blank_in_a_further_row(read: Any) -> None:
    nothing = dict.fromkeys(("company", "number", "vendor", "date", "currency"), "N/A")
    text = HEADER + row() + row(id="I2") + row(line="2", amount="5.00", **nothing)
    result = read(text + further(**nothing, id="N/A", line="3"), SUM | {"null_values": ["n/a"]})
    assert sent(result) == {"I1": "20.00", "I2": "10.00"}


def test_a_constant_stands_where_a_cell_means_no_value(read: Any) -> None:
    text = HEADER + row(currency="N/A", amount="N/A")
    rules = SUM | {"null_values": ["N/A"], "constants": {"currency": "USD", "line_amount": "7.00"}}
    (document,) = read(text, rules).documents
    assert (document["currency"], str(document["total_amount"])) == ("USD", "7.00")


def test_a_constant_amount_makes_a_line_of_each_row_of_a_file_without_lines(read: Any) -> None:
    text = "Invoice ID,Vendor ID,Invoice Date,Currency\nI1,V1,2026-01-31,EUR\n"
    (document,) = read(text, SUM | {"constants": {"line_amount": "7.00"}}).documents
    assert [str(line["amount"]) for line in document["lines"]] == ["7.00"]


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-8"])
def test_the_mark_of_the_byte_order_hides_no_quoted_header(read: Any, encoding: str) -> None:
    quoted = ",".join(f'"{name}"' for name in NAMES.split(","))
    text = f"\ufeff{quoted}\n{row()}"
    (document,) = read(text.encode(encoding), SUM | {"encoding": encoding}).documents
    assert (document["company"], document["extra"]) == ("US", {})


@pytest.mark.parametrize("ending", [".csv", ".xml"])
def test_the_mark_of_utf_8_contradicts_another_encoding(read: Any, ending: str) -> None:
    text = '<?xml version="1.0" encoding="ISO-8859-1"?><Invoices/>' if ending == ".xml" else HEADER + row()
    rules = {} if ending == ".xml" else {"encoding": "cp1252"}
    with pytest.raises(FileRefused, match=r"the mark of UTF-8.*set templates\.invoices\.encoding to utf-8"):
        read(codecs.BOM_UTF8 + text.encode(), rules, ending=ending)


@pytest.mark.parametrize("ending", [".csv", ".xml"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_a_file_cut_within_a_character_is_cut(read: Any, ending: str, encoding: str) -> None:
    text = (
        "<Invoices><Invoice><Memo>\u20ac"
        if ending == ".xml"
        else HEADER + row() + row(id="I2", code="\u20ac")
    )
    whole = text.rstrip("\n").encode(encoding)
    rules = SUM | ({"encoding": encoding} if ending == ".csv" else {})
    assert read(whole[:-1], rules, ending=ending).reading.cut_line == (1 if ending == ".xml" else 3)
    result = read(whole[:-1], rules, ending=ending, reject_cut=True)
    assert reasons(result) == ["cut_row"]
    result.rejected[0].raw_text.encode()


def test_blank_lines_above_a_header_hide_no_tabs(read: Any) -> None:
    text = "\n" + (HEADER + row()).replace(",", "\t")
    assert sent(read(text, SUM, ending=".txt")) == {"I1": "10.00"}


@pytest.mark.parametrize(
    ("amount", "currency", "expected"),
    [
        ("$10.00", "USD", "10.00"), ("$10.00", "MXN", "10.00"), ("\u20ac10.00", "EUR", "10.00"),
        ("10.00 \u00a3", "GBP", "10.00"), ("\u00a510", "JPY", "10"), ("\u20b910.00", "INR", "10.00"),
        ("$10.00", "EUR", "currency_differs"), ("\u00a310.00", "EUR", "currency_differs"),
        ("\u00a510", "EUR", "currency_differs"), ("\u20b910.00", "EUR", "currency_differs"),
        ("\u20ac$10.00", "EUR", "currency_differs"), ("10.00\u00a2", "USD", "bad_amount"),
    ],
)  # fmt: skip
def test_the_sign_of_a_currency_is_that_of_the_document(
    read: Any, amount: str, currency: str, expected: str
) -> None:
    result = read(HEADER + row(amount=amount, currency=currency), SUM)
    assert [*sent(result).values(), *reasons(result)] == [expected]


def test_a_sum_of_lines_counts_each_once_with_its_document(read: Any) -> None:
    text = HEADER + row(line_tax="1.00") + row(line_tax="1.00") + row(id="I2", tax="2.00") + further()
    result = read(text, SUM)
    assert sent(result) == {"I1": "11.00", "I2": "17.00"}
    assert result.reading.control_totals == {"EUR": Decimal("28.00")}


def test_a_sum_of_typed_lines_counts_no_split_twice(read: Any) -> None:
    text = TYPED + "Header,I1,V1,2026-01-31,EUR,,,\nTax,2.00,V9\nLine,1,10.00\nSplit,4.00\nSplit,6.00\n"
    result = read(text, SUM | {"layout": "typed"})
    assert sent(result) == {"I1": "12.00"}
    assert result.reading.control_totals == {"EUR": Decimal("12.00")}
    assert result.documents[0]["extra"] == {"Tax Code": "V9"}


def test_a_typed_tax_that_its_header_contradicts_is_rejected(read: Any) -> None:
    text = TYPED + "Header,I1,V1,2026-01-31,EUR,12.00,3.00,\nTax,2.00,V9\nLine,1,10.00\n"
    assert reasons(read(text, {"layout": "typed"})) == ["tax_differs"]


def test_rejected_documents_and_zip_members_have_keys_of_their_own(server: Any, run_tap: Any) -> None:
    server.put("invoices_1.xml", "<Invoices>" + "<Invoice><InvoiceID/></Invoice>" * 2 + "</Invoices>")
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr("a.csv", HEADER + row(total="10.00"))
        with pytest.warns(UserWarning, match="Duplicate name"):
            archive.writestr("a.csv", HEADER + row(id="I2", total="10.00"))
    server.put("invoices_2.zip", data.getvalue())
    constants = {"vendor_id": "V", "invoice_date": "2026-01-31", "currency": "EUR", "total_amount": "1"}
    constants["line_amount"] = "1"
    result = run_tap(server.config(templates={"invoices": {"constants": constants}}))
    keys = {m["stream"]: m["key_properties"] for m in result.messages if m["type"] == "SCHEMA"}
    for stream, count in (("rejected_rows", 2), ("source_files", 3)):
        found = {tuple(record[name] for name in keys[stream]) for record in result.records(stream)}
        assert len(found) == len(result.records(stream)) == count

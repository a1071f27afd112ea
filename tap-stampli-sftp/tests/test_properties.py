"""Whatever stands in a file: rows in = rows in documents + rejected + no data, for every format."""

from __future__ import annotations

import csv
import io
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tap_stampli_sftp.errors import FileRefused

if TYPE_CHECKING:
    from pathlib import Path

NAMES = (
    "Company", "Invoice ID", "Invoice Number", "Vendor ID", "Vendor Name", "Invoice Date", "Currency",
    "Invoice Amount", "Memo", "Line Number", "Line Amount", "GL Account",
)  # fmt: skip
HEADER = ",".join(NAMES) + "\n"
GOOD = ("US", "I1", "N1", "V1", "Acme", "2026-01-31", "EUR", "121.00", "", "1", "121.00", "6000")


def row(**values: str) -> str:
    """One row of HEADER; what is not given is that of GOOD."""
    given = {name.replace("_", " ").casefold(): value for name, value in values.items()}
    cells = [given.get(name.casefold(), cell) for name, cell in zip(NAMES, GOOD, strict=True)]
    return ",".join(cells) + "\n"


def nothing_is_lost(result: Any, rows: int, *, lines: int | None = None) -> None:
    """The balance of one file. A faulty row over several physical lines counts with each of them."""
    reading = result.reading
    assert rows <= reading.rows <= (rows if lines is None else lines)
    rows = reading.rows
    assert sum(item.rows for item in result.rejected) == reading.rejected_rows
    in_documents = rows - reading.rejected_rows - reading.non_data_rows
    assert in_documents >= len(result.documents) >= (in_documents > 0)
    # Each row that is data stands in exactly one document's group.
    assert sum(len(group) for _, group in result.groups) == rows - reading.non_data_rows


def physical_lines(text: str) -> int:
    """Lines as a file has them."""
    return sum(1 for _ in io.StringIO(text, newline=""))


_cell = st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\x00"), max_size=8)
_row = st.lists(
    st.one_of(st.sampled_from(["", "I1", "N1", "V1", "5.00", "EUR", "2026-01-31"]), _cell), max_size=14
)


@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(_row, max_size=12))
def test_every_row_is_in_a_document_rejected_or_no_data(
    read: Any, tmp_path: Path, rows: list[list[str]]
) -> None:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows(rows)
    nothing_is_lost(
        read(HEADER + text.getvalue(), reject_cut=True), len(rows), lines=physical_lines(text.getvalue())
    )
    assert not list(tmp_path.glob("stampli-part-*"))


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.permutations(range(9)))
def test_the_order_of_rows_changes_no_document(read: Any, order: list[int]) -> None:
    rows = [
        row(invoice_id=f"I{n // 3}", line_number=str(n % 3), line_amount=f"{n}.00", invoice_amount="9.00")
        for n in range(9)
    ]
    result = read(HEADER + "".join(rows[n] for n in order))
    lines = {d["invoice_id"]: sorted(str(line["amount"]) for line in d["lines"]) for d in result.documents}
    assert lines == {f"I{i}": [f"{3 * i + n}.00" for n in range(3)] for i in range(3)}
    assert result.reading.control_totals == {"EUR": Decimal("27.00")}


_value = st.one_of(st.sampled_from(["", "I1", "I2", "V1", "5.00", "-3", "EUR", "2026-01-31", "x"]), _cell)
_heads = st.fixed_dictionaries(
    {"InvoiceID": st.sampled_from(["I1", "I2", "I3", ""]), "VendorID": st.sampled_from(["V1", ""])},
    optional={
        "InvoiceDate": st.sampled_from(["2026-01-31", "31.1.2026"]),
        "Currency": st.sampled_from(["EUR", "USD", ""]),
        "InvoiceAmount": st.sampled_from(["8.00", "5,00", "-5", ""]),
        "Other": _value,
        "Company": _value,
    },
)
_lines = st.lists(
    st.fixed_dictionaries(
        {}, optional={"LineAmount": st.sampled_from(["5.00", "3.00", "y", ""]), "LineNumber": _value}
    ),
    max_size=4,
)


def _elements(values: dict[str, str]) -> str:
    # What XML 1.0 has no character for cannot stand in a file.
    legal = {
        name: "".join(c for c in text if c in "\t\n\r" or (c >= " " and c not in "\ufffe\uffff"))
        for name, text in values.items()
    }
    return "".join(f"<{name}>{escape(text)}</{name}>" for name, text in legal.items())


@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(_heads, _lines, st.booleans()), max_size=6))
def test_every_element_is_in_a_document_rejected_or_no_data(
    read: Any, documents: list[tuple[dict[str, str], list[dict[str, str]], bool]]
) -> None:
    text = ""
    rows = 0
    for head, lines, foreign in documents:
        name = "Summary" if foreign else "Invoice"
        items = "".join(f"<Line>{_elements(line)}</Line>" for line in lines)
        text += f"<{name}>{_elements(head)}<Lines>{items}</Lines></{name}>\n"
        rows += 1 if foreign else 1 + len(lines)
    try:
        result = read(f"<Invoices>{text}</Invoices>", {"footer_pattern": "^Total"}, ending=".xml")
    except FileRefused as refused:
        assert "required column missing" in str(refused) or "no element at" in str(refused)  # noqa: PT017
        return
    nothing_is_lost(result, rows)
    identities = {head["InvoiceID"] for head, _, foreign in documents if not foreign} - {""}
    found = {document["invoice_id"] for document in result.documents}
    assert found <= identities
    # Of an identity that gave no document every row is among the rejected.
    for missing in identities - found:
        assert any(f"<InvoiceID>{missing}</InvoiceID>" in item.raw_text for item in result.rejected)


TITLES = (
    "Header,Invoice ID,Vendor ID,Invoice Date,Currency,Invoice Amount\n"
    "Line,Line Number,Amount\nSplit,Amount,GL Account\nTax,Amount,Code\n"
)
_typed_row = st.one_of(
    st.tuples(
        st.just("Header"), st.sampled_from(["I1", "I2", ""]), st.just("V1"), st.just("2026-01-31"),
        st.just("EUR"), st.sampled_from(["9.00", "x"]),
    ),
    st.tuples(st.just("Line"), st.sampled_from(["1", "2", ""]), st.sampled_from(["9.00", "y", ""])),
    st.tuples(st.just("Split"), st.sampled_from(["4.00", "5.00", "9.00"]), st.just("6000")),
    st.tuples(st.just("Tax"), st.just("1.00"), st.just("V1")),
    st.lists(_value, max_size=7).map(tuple),
)  # fmt: skip


@settings(deadline=None, max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(_typed_row, max_size=12))
def test_every_typed_row_is_in_a_document_rejected_or_no_data(read: Any, rows: list[tuple[str, ...]]) -> None:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows(rows)
    result = read(TITLES + text.getvalue(), {"layout": "typed", "footer_pattern": "^Total"}, reject_cut=True)
    nothing_is_lost(result, len(rows), lines=physical_lines(text.getvalue()))
    # What a Split or Tax says is in its document's lines or the document is rejected: amounts add up.
    for document in result.documents:
        assert all(line["amount"] is not None for line in document["lines"])

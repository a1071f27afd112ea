"""XML, row-typed CSV, zip and PGP: what they give, and what is refused."""

from __future__ import annotations

import io
import shutil
import subprocess
import zipfile
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import pytest
from tap_stampli_sftp.errors import FileRefused
from tap_stampli_sftp.limits import Limits

if TYPE_CHECKING:
    from collections.abc import Iterator

INVOICE = """<Invoice><InvoiceID>I1</InvoiceID><InvoiceNumber>N1</InvoiceNumber><VendorID>V1</VendorID>
<InvoiceDate>2026-01-31</InvoiceDate><Currency>EUR</Currency><InvoiceAmount>121.00</InvoiceAmount>
<Region>north</Region><Lines><Line><LineNumber>1</LineNumber><LineAmount>100.00</LineAmount></Line>
<Line><LineNumber>2</LineNumber><Amount>21.00</Amount><Note>b &amp; c</Note></Line></Lines></Invoice>"""
XML = f"<Invoices>\n{INVOICE}\n</Invoices>"
SMALL = INVOICE.replace("I1", "I2").replace("N1", "N2")
PAYMENT = (
    "<Payments><Payment><PaymentID>P1</PaymentID><VendorID>V</VendorID><PaymentDate>2026-01-31</PaymentDate>"
    "<Currency>EUR</Currency><PaymentAmount>5</PaymentAmount><Applications><Application><InvoiceID>I1"
    "</InvoiceID><AppliedAmount>5</AppliedAmount></Application></Applications></Payment></Payments>"
)
FLAT = (
    "Invoice ID,Vendor ID,Invoice Date,Currency,Invoice Amount,Line Amount\nI1,V1,2026-01-31,EUR,5.00,5.00\n"
)


def one_name(text: str) -> str:
    return text.replace("<Amount>21.00</Amount>", "<LineAmount>21.00</LineAmount>")


XML, SMALL = one_name(XML), one_name(SMALL)


def zipped(**members: str) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in members.items():
            archive.writestr(name, text)
    return data.getvalue()


def test_xml_of_the_sample_template(read: Any) -> None:
    result = read(XML, ending=".xml")
    (document,) = result.documents
    assert (document["invoice_id"], str(document["total_amount"])) == ("I1", "121.00")
    assert [(line["line_number"], str(line["amount"]), line["extra"]) for line in document["lines"]] == [
        ("1", "100.00", {}),
        ("2", "21.00", {"Note": "b & c"}),
    ]
    assert document["extra"] == {"Region": "north"}
    assert document["_sdc_source_line"] == 2
    assert result.counts == (3, 0, 0)


def test_xml_by_its_own_paths_names_and_attributes(read: Any) -> None:
    text = (
        '<e:Export xmlns:e="urn:x"><Count>1</Count><Docs><e:Bill id="B1"><Total cur="EUR">5.00</Total>'
        "<From><Id>V1</Id></From><Date>2026-01-31</Date><Rows><Row><Sum>5.00</Sum></Row></Rows></e:Bill></Docs>"
        "</e:Export>"
    )
    template = {
        "record_path": "Export/Docs/Bill",
        "line_path": "Rows/Row",
        "columns": {
            "invoice_id": "@id",
            "currency": "Total/@cur",
            "vendor_id": "From/Id",
            "invoice_date": "Date",
            "line_amount": "Sum",
        },
    }
    (document,) = read(text, template, ending=".xml").documents
    assert (document["invoice_id"], document["vendor_id"], document["currency"]) == ("B1", "V1", "EUR")
    assert len(document["lines"]) == 1


@pytest.mark.parametrize(
    ("stream", "text"),
    [
        (
            "vendors",
            "<Vendors><Vendor><VendorID>V1</VendorID><VendorName>Acme</VendorName></Vendor></Vendors>",
        ),
        ("gl_accounts", "<GLAccounts><GLAccount><GLAccount>6000</GLAccount></GLAccount></GLAccounts>"),
        (
            "payments",
            PAYMENT,
        ),
    ],
)
def test_xml_of_the_other_streams(read: Any, stream: str, text: str) -> None:
    assert len(read(text, stream=stream, ending=".xml").documents) == 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('<!DOCTYPE x [<!ENTITY a "b">]>' + XML, "DTD"),
        ('<!DOCTYPE Invoices SYSTEM "http://127.0.0.1/x.dtd">' + XML, "DTD"),
        ("<Invoices><Invoice>" + "<a>" * 70 + "</a>" * 70 + "</Invoice></Invoices>", "nested deeper"),
        ("<Invoices><Invoice></Wrong></Invoices>", "not well-formed"),
        ("<Bills><Bill><No>1</No></Bill></Bills>", r"no element at Invoices/Invoice but these: Bills/Bill"),
        ("<Invoices><Bill><No>1</No></Bill></Invoices>", "record_path"),
        (
            "<Error><Message>quota exceeded</Message></Error>",
            r"no element at Invoices/Invoice but these: Error;",
        ),
        (XML.replace("InvoiceAmount", "Foo"), "required column missing: Invoice Amount"),
        ('<?xml version="1.0" encoding="klingon"?>' + XML, "klingon"),
        (b"<Invoices>\n\xff</Invoices>", "line 2 has the byte 0xff"),
    ],
)
def test_xml_that_is_refused(read: Any, text: str | bytes, message: str) -> None:
    with pytest.raises(FileRefused, match=message):
        read(text, ending=".xml")


@pytest.mark.parametrize("limits", [Limits(10**8, 100, 200), Limits(10**8, 50, 200)])
def test_xml_bounds(read: Any, limits: Limits) -> None:
    with pytest.raises(FileRefused, match="max_field_bytes"):
        read(XML.replace("north", "x" * 5000), ending=".xml", limits=limits)


@pytest.mark.parametrize(
    "text", ["", "\n", "<Invoices/>", "<Invoices><ExportedAt>now</ExportedAt></Invoices>"]
)
def test_empty_xml_is_no_error(read: Any, text: str) -> None:
    result = read(text, ending=".xml")
    assert (result.counts, result.documents) == ((0, 0, 0), [])


@pytest.mark.parametrize("encoding", ["utf-16", "iso-8859-1", "cp1252"])
def test_xml_in_the_encoding_it_declares(read: Any, encoding: str) -> None:
    text = f'<?xml version="1.0" encoding="{encoding}"?>\n' + XML.replace("north", "Süd")
    (document,) = read(text.encode(encoding), ending=".xml").documents
    assert document["extra"] == {"Region": "Süd"}


def test_an_element_beside_the_documents_is_not_lost(read: Any) -> None:
    text = XML.replace("</Invoices>", "<CreditMemo><InvoiceID>C1</InvoiceID></CreditMemo></Invoices>")
    result = read(text, ending=".xml")
    assert [item.reason for item in result.rejected] == ["unknown_element"]
    assert "C1" in result.rejected[0].raw_text
    assert result.counts == (4, 1, 0)
    assert read(text, {"footer_pattern": "^CreditMemo$"}, ending=".xml").counts == (4, 0, 1)


def test_a_bad_element_rejects_its_document_whole_with_its_text(read: Any) -> None:
    result = read(XML.replace("</Invoices>", SMALL.replace("21.00", "2x1") + "</Invoices>"), ending=".xml")
    (refused,) = result.rejected
    assert (refused.reason, refused.rows) == ("bad_amount", 3)
    assert refused.raw_text == SMALL.replace("21.00", "2x1")
    assert len(result.documents) == 1


def test_a_mapped_element_twice_is_rejected_an_unknown_one_is_kept(read: Any) -> None:
    double = XML.replace("<Region>", "<Region>south</Region><Region>")
    assert read(double, ending=".xml").documents[0]["extra"] == {"Region": "south\nnorth"}
    double = XML.replace("<Currency>", "<Currency>USD</Currency><Currency>")
    assert [item.reason for item in read(double, ending=".xml").rejected] == ["element_twice"]


@pytest.mark.parametrize("without", ["Invoice", "InvoiceDate"])
def test_xml_documents_without_identity_are_never_merged(read: Any, without: str) -> None:
    nameless = "<Invoice><Lines><Line><LineAmount>5.00</LineAmount></Line></Lines></Invoice>"
    if without == "InvoiceDate":
        nameless = nameless.replace("<Invoice>", "<Invoice><InvoiceDate>2026-01-31</InvoiceDate>")
    result = read(XML.replace("</Invoices>", nameless * 2 + "</Invoices>"), ending=".xml")
    assert [item.reason for item in result.rejected] == ["no_identity"] * 2
    assert len(result.documents[0]["lines"]) == 2


@pytest.mark.parametrize("keep", [0.3, 0.8])
def test_a_cut_xml_waits_and_is_then_rejected(read: Any, keep: float) -> None:
    text = XML.replace("</Invoices>", SMALL)
    text = text[: len(XML) - 11 + int(len(SMALL) * keep)]
    assert read(text, ending=".xml").reading.cut_line == 6
    result = read(text, ending=".xml", reject_cut=True)
    assert ([item.reason for item in result.rejected], len(result.documents)) == (["cut_row"], 1)
    assert read(text[:30], ending=".xml", reject_cut=True).rejected[0].reason == "cut_row"


TYPED = """Header,Invoice ID,Vendor ID,Invoice Date,Currency,Invoice Amount,Region
Line,Line Number,Amount,GL Account,Note
Split,Amount,GL Account
Tax,Amount,Code
Header,I1,V1,2026-01-31,EUR,121.00,north
Line,1,70.00,6000,first
Split,50.00,6100
Split,20.00,6200
Tax,5.00,V1
Line,2,30.00,6300,
Tax,16.00,V2
Header,I2,V2,2026-01-31,EUR,11.00,
Tax,1.00,V9
Line,1,10.00,6000,
"""


def test_row_typed_csv(read: Any) -> None:
    result = read(TYPED, {"layout": "typed"})
    first, second = result.documents
    assert [
        (
            line["line_number"],
            str(line["amount"]),
            line["gl_account"],
            line["tax_code"],
            str(line["tax_amount"]),
        )
        for line in first["lines"]
    ] == [
        ("1.1", "50.00", "6100", None, "None"),
        ("1.2", "20.00", "6200", "V1", "5.00"),
        ("2", "30.00", "6300", "V2", "16.00"),
    ]
    assert (first["extra"], first["lines"][0]["extra"]) == ({"Region": "north"}, {"Note": "first"})
    assert (str(second["tax_amount"]), len(second["lines"])) == ("1.00", 1)
    assert result.counts == (10, 0, 0)


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("Split,20.00,6200\n", "splits_differ"),
        ("Foo,1\n", "unknown_row_type"),
        ("Tax,5.00,V1\nTax,6.00,V2\n", "tax_twice"),
        ("Line,2\n", "too_few_cells"),
        ("Line,2,1,2,3,4\n", "too_many_cells"),
    ],
)
def test_a_typed_row_out_of_order_rejects_its_document(read: Any, row: str, reason: str) -> None:
    lines = TYPED.splitlines(keepends=True)
    result = read("".join([*lines[:6], row, *lines[11:]]), {"layout": "typed"})
    assert [item.reason for item in result.rejected] == [reason]
    assert [document["invoice_id"] for document in result.documents] == ["I2"]


@pytest.mark.parametrize("tail", ["Hea", "Line,3", 'Line,3,"1', 'Line,3,"1\n'])
def test_a_cut_typed_row_waits_and_is_then_rejected(read: Any, tail: str) -> None:
    assert read(TYPED + tail, {"layout": "typed"}).reading.cut_line == 15
    result = read(TYPED + tail, {"layout": "typed"}, reject_cut=True)
    assert [item.reason for item in result.rejected] == ["cut_row"]
    assert [document["invoice_id"] for document in result.documents] == ["I1"]


def test_a_typed_line_without_a_header_is_rejected(read: Any) -> None:
    lines = TYPED.splitlines(keepends=True)
    result = read("".join([*lines[:4], lines[5]]), {"layout": "typed"})
    assert [item.reason for item in result.rejected] == ["no_identity"]
    stray = read("".join([*lines[:5], lines[6]]), {"layout": "typed"})
    assert [item.reason for item in stray.rejected] == ["row_out_of_place"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Invoice ID,Vendor ID\nI1,V1\n", "begin with one of Header, Line, Split, Tax"),
        ("Header,Invoice ID,Invoice ID\n", "twice"),
        (TYPED.replace("Line,Line Number,Amount", "Line,Line Number,Betrag"), None),
    ],
)
def test_typed_files_that_are_refused(read: Any, text: str, message: str | None) -> None:
    if message is None:
        assert read(text.replace("Split,Amount", "Split,Share"), {"layout": "typed", "columns": {
            "line_amount": "Betrag"}}).rejected  # fmt: skip
        return
    with pytest.raises(FileRefused, match=message):
        read(text, {"layout": "typed"})


def test_a_zip_of_one_member_is_read_like_the_member(read: Any) -> None:
    for name, text in (("x.csv", FLAT), ("../../etc/x.xml", XML)):
        (document,) = read(zipped(**{name: text, "__MACOSX/._x": "", "d/": ""}), ending=".zip").documents
        assert document["_sdc_source_file"] == "/outbound/invoices_1.zip"


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (zipped(**{"x.pdf": "1"}), r"member x\.pdf has an ending"),
        (zipped(**{f"{n}.csv": FLAT for n in range(101)}), "at most 100"),
        (zipped(**{"x.csv": FLAT})[:-30], "damaged or cut off"),
        (zipped(**{"x.csv": FLAT + "\n" * 3_000_000}), "max_unpacked_ratio"),
        (zipped(**{"x.csv": FLAT}).replace(b"I1,V1", b"I9,V1"), None),
    ],
)
def test_zips_that_are_refused(read: Any, data: bytes, message: str | None) -> None:
    if message is None:
        spoiled = bytearray(zipped(**{"x.csv": FLAT}))
        spoiled[45] ^= 0xFF
        data, message = bytes(spoiled), "damaged"
    with pytest.raises(FileRefused, match=message):
        read(data, ending=".zip")


def test_a_zip_of_several_members_gives_each_its_own_counts(server: Any, run_tap: Any) -> None:
    path = server.put("invoices_1.zip", zipped(**{"a.csv": FLAT, "b.xml": XML.replace("I1", "I9")}))
    result = run_tap(server.config())
    assert {r["_sdc_source_file"] for r in result.records("invoices")} == {f"{path}!a.csv", f"{path}!b.xml"}
    assert [r["rows"] for r in result.records("source_files")] == [1, 3]
    assert list(result.state["bookmarks"]["invoices"]["files"]) == [str(path)]


class Pgp:
    """A GnuPG home with keys made for a test."""

    def __init__(self, home: Path) -> None:
        self.home = home

    def run(self, *arguments: str, data: bytes = b"") -> bytes:
        command = [
            "gpg",
            "--homedir",
            str(self.home),
            "--batch",
            "--pinentry-mode",
            "loopback",
            "--trust-model",
        ]
        done = subprocess.run([*command, "always", *arguments], input=data, capture_output=True, check=True)
        return done.stdout

    def make(self, name: str, passphrase: str = "") -> str:
        # Curve 25519: an RSA key takes seconds to make.
        self.run("--passphrase", passphrase, "--quick-gen-key", name, "future-default", "default", "never")
        listed = self.run("--list-keys", "--with-colons", name).decode()
        return next(line.split(":")[9] for line in listed.splitlines() if line.startswith("fpr"))


@pytest.fixture(scope="module")
def pgp() -> Iterator[Pgp]:
    if not shutil.which("gpg"):
        pytest.skip("needs gpg: install gnupg")
    # The agent's socket needs a short path.
    with TemporaryDirectory(prefix="gpg-", ignore_cleanup_errors=True) as home:
        found = Pgp(Path(home))
        yield found
        subprocess.run(["gpgconf", "--homedir", home, "--kill", "all"], check=False)


def test_pgp_files_are_decrypted_and_their_signer_is_checked(pgp: Pgp, server: Any, run_tap: Any) -> None:
    me, signer, stranger = pgp.make("me@x", "open it"), pgp.make("signer@x"), pgp.make("stranger@x")
    secret = pgp.run("--passphrase", "open it", "--armor", "--export-secret-keys", me).decode()
    keys = secret + pgp.run("--armor", "--export", signer, stranger).decode()
    encrypt = ("--encrypt", "--recipient", me, "--passphrase", "open it")
    server.put("invoices_1.csv.pgp", pgp.run(*encrypt, "--sign", "-u", signer, data=FLAT.encode()))
    second = zipped(**{"a.csv": FLAT.replace("I1", "I2")})
    server.put("invoices_2.zip.gpg", pgp.run(*encrypt, "--sign", "-u", stranger, data=second))
    third = pgp.run(*encrypt, data=FLAT.replace("I1", "I3").encode())
    server.put("invoices_3.csv.gpg", third)
    config = server.config(pgp_private_key=keys, pgp_passphrase="open it")
    result = run_tap(config)
    assert (result.code, [r["invoice_id"] for r in result.records("invoices")]) == (0, ["I1", "I2", "I3"])
    result = run_tap({**config, "pgp_signer_fingerprint": signer})
    assert (result.code, [r["invoice_id"] for r in result.records("invoices")]) == (1, ["I1"])
    assert result.log.count("pgp_signer_fingerprint") == 2
    assert "pgp_passphrase does not open" in run_tap({**config, "pgp_passphrase": "wrong"}).log
    assert "set pgp_private_key" in run_tap(server.config()).log
    assert "holds no PGP private key" in run_tap(server.config(pgp_private_key="nonsense")).log
    server.put("invoices_3.csv.gpg", third[:-40])
    assert "invoices_3.csv.gpg not read: it cannot be decrypted" in run_tap(config).log


def test_without_gpg_the_setting_is_named(server: Any, run_tap: Any, tmp_path: Path) -> None:
    server.put("invoices_1.csv.pgp", "x")
    result = run_tap(server.config(pgp_private_key="x"), environment={"PATH": str(tmp_path)})
    assert result.code == 1
    assert "pgp_private_key is set but gpg is not installed" in result.log


def test_a_pgp_bomb_is_refused(pgp: Pgp, server: Any, run_tap: Any) -> None:
    me = pgp.make("bomb@x")
    data = pgp.run("--encrypt", "--recipient", me, data=FLAT.encode() + b"\n" * 3_000_000)
    server.put("invoices_1.csv.pgp", data)
    keys = pgp.run("--armor", "--export-secret-keys", me).decode()
    result = run_tap(server.config(pgp_private_key=keys))
    assert (result.code, result.records("invoices")) == (1, [])
    assert "max_unpacked_ratio" in result.log

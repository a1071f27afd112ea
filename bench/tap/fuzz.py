"""Fuzz the readers: any bytes end as documents, rejected rows, or a refusal with a message; no row is lost.

    python -m venv .venv && .venv/bin/pip install atheris -e ../../tap-stampli-sftp
    .venv/bin/python fuzz.py csv|typed|xml -max_total_time=600 [corpus]

With atheris the readers' coverage guides the bytes; each run starts from the samples below.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["tap_stampli_sftp.reading"]):
    from tap_stampli_sftp.errors import FileRefused
    from tap_stampli_sftp.fields import StreamName
    from tap_stampli_sftp.limits import Limits
    from tap_stampli_sftp.pgp import Decryption, PgpKeys
    from tap_stampli_sftp.reading.files import Refused, read_file
    from tap_stampli_sftp.sftp.fetch import FetchedFile
    from tap_stampli_sftp.sftp.listing import RemoteFile
    from tap_stampli_sftp.templates import load_templates

SAMPLES = {
    "csv": b"Invoice ID,Vendor ID,Invoice Date,Currency,Invoice Amount,Line Number,Line Amount,Memo\r\n"
    b'I1,V1,2026-01-31,EUR,121.00,1,100.00,"a\r\n""b"""\r\n,,,,,2,21.00,\r\nTotal,,,,121.00,,,\r\n',
    "typed": b"Header,Invoice ID,Vendor ID,Invoice Date,Currency,Invoice Amount\nLine,Line Number,Amount\n"
    b"Split,Amount\nTax,Amount,Code\nHeader,I1,V1,2026-01-31,EUR,6.00\nLine,1,5.00\nSplit,5.00\nTax,1.00,V1\n",
    "xml": b"<Invoices><Invoice><InvoiceID>I1</InvoiceID><VendorID>V1</VendorID><InvoiceDate>2026-01-31"
    b"</InvoiceDate><Currency>EUR</Currency><InvoiceAmount>5</InvoiceAmount><Lines><Line><LineAmount>5"
    b"</LineAmount></Line></Lines></Invoice></Invoices>",
}
LIMITS = Limits(max_file_bytes=10**7, max_field_bytes=10**4, max_unpacked_ratio=100)


def check(data: bytes, *, kind: str, directory: Path) -> None:
    """Read the bytes as a file; raise when a row is lost."""
    local = directory / "file"
    local.write_bytes(data)
    ending = "xml" if kind == "xml" else "csv"
    template = {"layout": "typed" if kind == "typed" else "flat", "footer_pattern": "^Total"}
    file = FetchedFile(
        remote=RemoteFile(mtime=0, path=f"/invoices_1.{ending}", size=len(data)), local=local, sha256="0"
    )
    rules = load_templates({"invoices": template})[StreamName.INVOICES]
    try:
        with (
            Decryption(PgpKeys()) as decryption,
            read_file(
                file, rules, limits=LIMITS, decryption=decryption, spool=directory, reject_cut=True
            ) as (reading,),
        ):
            found = list(reading.documents())
    except FileRefused as refused:
        _insist(bool(str(refused)), "a refusal without a message")
        return
    rejected = [item for item in found if isinstance(item, Refused)]
    documents = len(found) - len(rejected)
    in_documents = reading.rows - reading.non_data_rows - reading.rejected_rows
    _insist(sum(item.rows for item in rejected) == reading.rejected_rows, "rows lost")
    _insist(documents <= in_documents, "rows lost")
    _insist(bool(documents) == bool(in_documents), "rows lost")
    grouped = sum(len(rows) for _, rows in reading.grouped())
    _insist(grouped == reading.rows - reading.non_data_rows, "rows lost")


def _insist(holds: bool, what: str) -> None:  # noqa: FBT001  # a condition
    if not holds:
        raise AssertionError(what)


def main() -> None:
    """Fuzz until libFuzzer's own bounds are met."""
    kind = sys.argv.pop(1)
    directory = Path(tempfile.mkdtemp())
    corpus = directory / "corpus"
    corpus.mkdir()
    (corpus / "sample").write_bytes(SAMPLES[kind])
    atheris.Setup([*sys.argv, str(corpus)], lambda data: check(data, kind=kind, directory=directory))
    atheris.Fuzz()


if __name__ == "__main__":
    main()

"""JSON schemas of the six streams."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tap_stampli_sftp.fields import COLUMNS, FILE_STREAMS, LINES_FIELD, StreamName

if TYPE_CHECKING:
    from tap_stampli_sftp.fields import Column

if TYPE_CHECKING:
    from collections.abc import Iterable

KEYS: dict[StreamName, tuple[str, ...]] = {
    StreamName.VENDORS: ("vendor_id",),
    StreamName.GL_ACCOUNTS: ("company", "gl_account"),
    StreamName.INVOICES: ("invoice_id",),
    StreamName.PAYMENTS: ("payment_id",),
    StreamName.REJECTED_ROWS: ("_sdc_source_file", "_sdc_source_line", "number"),
    StreamName.SOURCE_FILES: ("_sdc_source_file", "_sdc_source_sha256"),
}

_KINDS: dict[str, dict[str, Any]] = {
    "code": {"type": ["string", "null"]},
    "text": {"type": ["string", "null"]},
    "currency": {"type": ["string", "null"], "description": "ISO 4217 code."},
    "type": {"type": ["string", "null"], "enum": ["INVOICE", "CREDIT_MEMO", None]},
    "date": {"type": ["string", "null"], "format": "date"},
    "moment": {
        "type": ["string", "null"],
        "description": "ISO date, or date and time where the file has one.",
    },
    "amount": {"type": ["number", "null"]},
}
_EXTRA = {
    "type": "object",
    "additionalProperties": {"type": "string"},
    "description": "Columns that no field took, and the raw text of rounded amounts; by the file's own "
    "headers.",
}
_SOURCE: dict[str, dict[str, Any]] = {
    "_sdc_source_file": {"type": "string", "description": "Remote path."},
    "_sdc_source_line": {"type": "integer", "description": "Physical line of the first row, from 1."},
    "_sdc_source_mtime": {
        "type": "string",
        "format": "date-time",
        "description": "Last change of the file, UTC.",
    },
    "_sdc_source_sha256": {"type": "string", "description": "SHA-256 of the file's bytes, hex."},
}


def schema(stream: StreamName) -> dict[str, Any]:
    """The JSON schema of one stream."""
    if stream in FILE_STREAMS:
        properties = _document(stream)
    elif stream is StreamName.REJECTED_ROWS:
        properties = _REJECTED | _SOURCE
    else:
        properties = _FILES | _SOURCE
    return {"type": "object", "properties": properties, "required": list(KEYS[stream])}


def _document(stream: StreamName) -> dict[str, Any]:
    head = _properties(column for column in COLUMNS[stream] if column.place == "head")
    if stream in LINES_FIELD:
        line = _properties(column for column in COLUMNS[stream] if column.place == "line") | {"extra": _EXTRA}
        head[LINES_FIELD[stream]] = {"type": "array", "items": {"type": "object", "properties": line}}
    return head | {"extra": _EXTRA} | _SOURCE


def _properties(columns: Iterable[Column]) -> dict[str, Any]:
    return {column.name: dict(_KINDS[column.kind]) for column in columns}


_REJECTED: dict[str, Any] = {
    "stream": {"type": "string", "description": "The stream whose document was rejected."},
    "number": {"type": "integer", "description": "Counts the file's rejected documents, from 1."},
    "reason": {"type": "string", "description": "Machine code."},
    "message": {"type": "string", "description": "What is wrong, with line and column."},
    "raw_text": {"type": "string", "description": "All rows of the document as they stand in the file."},
}
_FILES: dict[str, Any] = {
    "stream": {"type": "string", "description": "The stream that the file was read for."},
    "size": {"type": "integer", "description": "Bytes on the server."},
    "mtime": {"type": "string", "format": "date-time", "description": "Last change, UTC."},
    "rows": {
        "type": "integer",
        "description": "Rows below the header; each is in a document, rejected, or no data: "
        "rows in documents = rows - rejected - non_data_rows.",
    },
    "documents": {"type": "integer", "description": "Documents sent."},
    "rejected": {"type": "integer", "description": "Rows that went to rejected_rows."},
    "non_data_rows": {"type": "integer", "description": "Blank rows and footers."},
    "control_totals": {
        "type": "object",
        "additionalProperties": {"type": "number"},
        "description": "Currency (XXX: none given) -> sum of Invoice Amount or Payment Amount as the "
        "cells stand in the "
        "file, once for each document identity, rejected documents included as far as their amount can "
        "be read. With total_from_lines, where there is no total, the sum that the document was given "
        "counts, of a rejected one its line amounts and line tax. Totals of rows without identity are left "
        "out. "
        "Empty for vendors and gl_accounts.",
    },
}

"""All records that one file gives: its documents, its rejected rows, its counts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tap_stampli_sftp.fields import StreamName
from tap_stampli_sftp.reading.files import Refused, iso_time
from tap_stampli_sftp.sftp.listing import printable

if TYPE_CHECKING:
    import logging
    from collections.abc import Iterator

    from tap_stampli_sftp.reading.files import Reading
    from tap_stampli_sftp.sftp.fetch import FetchedFile

MESSAGES_SHOWN = 20


def file_records(
    stream: StreamName, local: FetchedFile, reading: Reading, *, logger: logging.Logger
) -> Iterator[tuple[StreamName, dict[str, Any]]]:
    """Each record with its stream; the ``source_files`` record comes last, when the counts are complete."""
    remote = local.remote
    source, name = reading.source, printable(reading.source["_sdc_source_file"])
    shown = 0
    for document in reading.documents():
        if not isinstance(document, Refused):
            yield stream, document
            continue
        shown += 1
        if shown <= MESSAGES_SHOWN or document.reason == "cut_row":
            logger.warning("%s rejected (%s): %s", name, document.reason, document.message)
        yield (
            StreamName.REJECTED_ROWS,
            {
                "stream": str(stream),
                "number": shown,
                "reason": document.reason,
                "message": document.message,
                "raw_text": document.raw_text,
                "_sdc_source_line": document.line,
                **source,
            },
        )
    if shown > MESSAGES_SHOWN:
        logger.warning(
            "%s: %d more documents rejected; see the stream rejected_rows.",
            name,
            shown - MESSAGES_SHOWN,
        )
    yield (
        StreamName.SOURCE_FILES,
        {
            "stream": str(stream),
            "size": remote.size,
            "mtime": iso_time(remote.mtime),
            "rows": reading.rows,
            "documents": reading.document_count,
            "rejected": reading.rejected_rows,
            "non_data_rows": reading.non_data_rows,
            "control_totals": reading.control_totals,
            "_sdc_source_line": 1,
            **source,
        },
    )

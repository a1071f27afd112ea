"""From the ledger to the page that people find in the output folder."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from target_infor_cloudsuite.ledger import reference
from target_infor_cloudsuite.report.standing import still_stands

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from target_infor_cloudsuite.ledger import Ledger
    from target_infor_cloudsuite.report.figures import Figures
    from target_infor_cloudsuite.settings import Settings


class ReportError(Exception):
    """The report cannot be made. Nothing was changed."""


class NothingToReport(ReportError):  # noqa: N818 - it names what is the case
    """Nothing ever came into this ledger."""


def renew_report(ledger: Ledger, settings: Settings, path: Path, *, now: datetime) -> None:
    """As `write_report`, unless the page that is there still says what is the case."""
    with ledger.read() as tx:
        stands = still_stands(tx, path, now=now)
    if not stands:
        write_report(ledger, settings, path, now=now)


def write_report(ledger: Ledger, settings: Settings, path: Path, *, now: datetime) -> Figures:
    """Write the report; what it says.

    Args:
        ledger: An open ledger; it is only read.
        settings: The target's.
        path: The HTML file. It is replaced as a whole: who looks meanwhile sees the old page or the new one.
        now: The present moment, aware. It becomes the file's own time: the moment that the page tells of.

    Raises:
        NothingToReport: No file and no document ever came; what stands at ``path`` stands there still.
        ReportError: The file cannot be written, with the same end.
    """
    # What makes the page takes a tenth of a run with nothing new to load, and such a run rarely needs it.
    from target_infor_cloudsuite.report.gather import gather  # noqa: PLC0415
    from target_infor_cloudsuite.report.page import render  # noqa: PLC0415

    with ledger.read() as tx:
        if reference.never_received(tx):
            raise NothingToReport(
                f"The ledger {ledger.shown_url} is empty: no file and no document ever came, so there is "
                "nothing to report. Nothing was written. Run the pipeline first, or correct ledger_url."
            )
        figures = gather(tx, settings, now=now)
    page = render(figures)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            draft.write_text(page, encoding="utf-8")
            os.utime(draft, (now.timestamp(), now.timestamp()))
            draft.replace(path)
        finally:
            draft.unlink(missing_ok=True)
    except OSError as fault:
        raise ReportError(
            f"The report {path} cannot be written: {fault.strerror or fault}. Give its folder room and the "
            "right to write, or name another file with --output."
        ) from fault
    return figures

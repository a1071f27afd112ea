"""What must not get out by accident: secrets in a log, memory in a core file.

No message of this program holds a secret. This is for the messages of the libraries, and for mistakes.
"""

from __future__ import annotations

import logging
import resource
import traceback
from typing import Any

#: Shorter ones would blacken half the log.
_LEAST_LENGTH = 6
_MASK = "***"
_secrets: set[str] = set()


def no_core_files() -> None:
    """A crash leaves no copy of this process's memory on the disk."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def hide(*texts: str | None) -> None:
    """Keep these texts, and each long line of them, out of every log from here on."""
    if not _secrets:
        logging.setLogRecordFactory(_masking(logging.getLogRecordFactory()))
    for text in texts:
        lines = [line.strip() for line in (text or "").splitlines()]
        _secrets.update(line for line in [text or "", *lines] if len(line) >= _LEAST_LENGTH)


def masked(text: str) -> str:
    """The text without the secrets that are known."""
    for secret in _secrets:
        text = text.replace(secret, _MASK)
    return text


def _masking(make: Any) -> Any:
    def made(*args: Any, **kwargs: Any) -> logging.LogRecord:
        record: logging.LogRecord = make(*args, **kwargs)
        try:
            told = record.getMessage()
        except (TypeError, ValueError, KeyError):  # the handler says so itself
            return record
        if masked(told) != told:
            record.msg, record.args = masked(told), ()
        if record.exc_info and record.exc_info[1] is not None:
            shown = "".join(traceback.format_exception(record.exc_info[1])).rstrip("\n")
            if masked(shown) != shown:
                record.exc_info, record.exc_text = None, masked(shown)
        return record

    return made

"""Errors, sorted by what the caller can do about them.

TapError                    the run ends with exit code 1; the text is for a person, no traceback is shown
|-- SettingsError           a setting is wrong or missing: mend the settings
|-- StateError              the STATE given is not this tap's: give the last run's, or clear it
|-- LoginError              the server refused us, or we refused it: mend credentials or the pinned host key
|-- ConnectionLost          the server could not be reached, or kept dropping us: the next run may succeed
|-- ListingError            the directory cannot be listed: never taken for an empty one
|-- BadRowError             a row is bad and ``on_bad_row`` is ``fail``
`-- Interrupted             SIGTERM or SIGINT: stopped between two records
FileProblem                 one file cannot be read now: it is left for the next run, the other files go on
|-- FileGone                it vanished, changed or turned unreadable between the listing and the download
`-- FileRefused             its content cannot be read with the present settings
"""

from __future__ import annotations


class TapError(Exception):
    """Ends the run. The text says what happened, where, and what to do."""


class SettingsError(TapError):
    """A setting is missing, malformed or contradicts another."""


class StateError(TapError):
    """The STATE given has not the shape that this tap writes."""


class LoginError(TapError):
    """Authentication failed or the host key is not the pinned one. Never retried."""


class ConnectionLost(TapError):  # noqa: N818  # named for what happened, as in the tree above  # named for what happened, as in the tree above
    """The server could not be reached after several tries."""


class ListingError(TapError):
    """The outbound directory could not be listed completely."""


class BadRowError(TapError):
    """A bad row was met while ``on_bad_row`` is ``fail``."""


class Interrupted(TapError):  # noqa: N818  # as above
    """The process was told to stop.

    Args:
        signum: The signal's number; the exit code is 128 plus this.
    """

    def __init__(self, signum: int) -> None:
        super().__init__(f"Stopped by signal {signum}; files read completely are kept in the STATE.")
        self.signum = signum


class FileProblem(Exception):  # noqa: N818  # as above
    """One file cannot be read now; it is not remembered as read."""


class FileGone(FileProblem):
    """The file vanished, changed or turned unreadable after it was listed."""


class FileRefused(FileProblem):
    """The file's content cannot be read with the present settings."""

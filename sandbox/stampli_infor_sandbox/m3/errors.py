"""How M3 says no: a NOK with a code, a field and a text."""

from __future__ import annotations


class Nok(Exception):  # noqa: N818 - M3's own word for it
    """A business error: the transaction did nothing.

    Args:
        code: M3's message id, such as ``WSU0103``.
        field: The field it is about, or an empty string.
        message: The text.
    """

    def __init__(self, code: str, field: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.field = field
        self.message = message


def _code(field: str, number: str) -> str:
    return f"W{field[:2].ljust(2, 'X')}01{number}"


def invalid(field: str, message: str) -> Nok:
    """A value that M3 does not accept (``W..0101``)."""
    return Nok(_code(field, "01"), field, message)


def must_be_entered(field: str) -> Nok:
    """A blank where M3 needs a value (``W..0102``)."""
    return Nok(_code(field, "02"), field, f"{field} must be entered")


def unknown(field: str, what: str) -> Nok:
    """A value that names something M3 lacks (``W..0103``)."""
    return Nok(_code(field, "03"), field, f"{what} does not exist")


def no_record(what: str, field: str = "") -> Nok:
    """The record asked for is not there (``XRE0103``)."""
    return Nok("XRE0103", field, f"Record does not exist: {what}")


def record_exists(what: str, field: str = "") -> Nok:
    """The record to be added is there (``XRE0104``)."""
    return Nok("XRE0104", field, f"Record already exists: {what}")

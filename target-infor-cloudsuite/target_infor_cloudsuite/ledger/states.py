"""The life of a document: the statuses, and which may follow which."""

from __future__ import annotations

from enum import StrEnum


class Status(StrEnum):
    """What a document is; the table in the README says what each means and how it is left."""

    RECEIVED = "received"
    REJECTED = "rejected"
    REVIEW = "review"
    READY = "ready"
    POSTING = "posting"
    IN_DOUBT = "in_doubt"
    POSTED = "posted"
    FAILED = "failed"
    DUPLICATE = "duplicate"
    SUPERSEDED = "superseded"
    DISMISSED = "dismissed"


class Step(StrEnum):
    """How far into M3 a document in ``posting`` or ``in_doubt`` has come."""

    NONE = ""
    HEAD = "head"  # AddHead
    LINES = "lines"  # AddLine
    COMMIT = "commit"  # the program's own commit, where it has one
    READ_BACK = "read_back"  # everything is sent; M3 is asked what it holds
    WITHDRAW = "withdraw"  # an open batch that can no longer be completed is deleted
    STATEMENT = "statement"  # a payment's line and details on a bank statement
    VALIDATE = "validate"  # the statement's validation


class Doubt(StrEnum):
    """How a write in doubt was decided; it stands in the event by which its document left ``in_doubt``."""

    ADOPTED = "adopted"  # M3 has it
    RESENT = "resent"  # M3 was asked twice and does not have it: it is sent once more
    PERSON = "person"  # M3 cannot tell


_S = Status

#: From each status, the ones that may follow. What has no entry is final.
NEXT: dict[Status, frozenset[Status]] = {
    _S.RECEIVED: frozenset({_S.REVIEW, _S.READY, _S.DUPLICATE, _S.SUPERSEDED, _S.FAILED}),
    _S.REJECTED: frozenset({_S.SUPERSEDED, _S.DISMISSED}),
    _S.REVIEW: frozenset({_S.REVIEW, _S.READY, _S.DUPLICATE, _S.SUPERSEDED, _S.DISMISSED, _S.FAILED}),
    _S.READY: frozenset({_S.READY, _S.REVIEW, _S.POSTING, _S.DUPLICATE, _S.SUPERSEDED, _S.FAILED}),
    _S.POSTING: frozenset({_S.READY, _S.IN_DOUBT, _S.POSTED, _S.FAILED, _S.REVIEW}),
    _S.IN_DOUBT: frozenset({_S.READY, _S.POSTING, _S.POSTED, _S.REVIEW, _S.FAILED}),
    _S.FAILED: frozenset({_S.RECEIVED, _S.SUPERSEDED, _S.DISMISSED}),
    _S.DISMISSED: frozenset({_S.RECEIVED}),
}

#: M3 holds it, or may hold a part of it: a newer revision cannot simply take its place.
HELD_BY_M3 = frozenset({_S.POSTING, _S.IN_DOUBT, _S.POSTED})

#: Nothing happens to these any more by themselves, and their keys bind nobody.
OUT_OF_THE_WAY = frozenset({_S.SUPERSEDED, _S.DUPLICATE, _S.DISMISSED, _S.REJECTED})

#: What waits for a person, in the order a person wants to see it.
WAITING = (_S.IN_DOUBT, _S.FAILED, _S.REVIEW, _S.REJECTED)

#: Nothing holds these up: the present or the next run takes them further.
ON_THE_WAY = (_S.RECEIVED, _S.READY, _S.POSTING)

#: What a run leaves behind that somebody has to look at.
TROUBLE = frozenset({_S.FAILED, _S.REJECTED, _S.IN_DOUBT})


class IllegalMove(Exception):  # noqa: N818 - it names what happened
    """A document was to enter a status that may not follow its own: a defect, never a matter of input."""


class DecisionError(Exception):
    """A person's decision cannot be taken; nothing was changed."""


def check_move(old: Status, new: Status) -> None:
    """Raise :class:`IllegalMove` unless the table allows it."""
    if new not in NEXT.get(old, frozenset()):
        raise IllegalMove(f"A document cannot go from {old} to {new}.")

"""What time the gateway has, by the Date of an answer; nothing is asked of M3."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

import requests

from target_infor_cloudsuite.ion.transport import new_session

if TYPE_CHECKING:
    from datetime import timedelta


def ahead_of_us(url: str, *, timeout_seconds: float) -> timedelta | None:
    """How far the clock of a server runs ahead of ours (to the second); None where it does not tell."""
    try:
        with new_session() as session:
            answer = session.head(url, timeout=timeout_seconds, allow_redirects=False)
            theirs = parsedate_to_datetime(answer.headers["Date"])
    except (requests.RequestException, KeyError, ValueError):
        return None
    return theirs - datetime.now(UTC)

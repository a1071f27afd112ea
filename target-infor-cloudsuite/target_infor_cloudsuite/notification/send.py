"""Sending a digest through Apprise; what goes wrong there is told loudly and harms nothing."""

from __future__ import annotations

import logging
import socket
from typing import TYPE_CHECKING

from target_infor_cloudsuite.ledger import notices
from target_infor_cloudsuite.notification.digest import digest, matters

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from target_infor_cloudsuite.ledger import Ledger
    from target_infor_cloudsuite.notification.settings import NotifySettings

_log = logging.getLogger(__name__)
# Apprise's own words may hold the URL, and with it a password.
logging.getLogger("apprise").setLevel(logging.CRITICAL + 1)


def notify(ledger: Ledger, settings: NotifySettings, *, now: datetime, stopped: str = "") -> bool:
    """Tell people what is new since they were last told; whether a message went out.

    Never raises what is no signal: a run must not fail because nobody could be told of it. What was not
    delivered anywhere is told again by the next run.
    """
    if not settings.urls:
        return False
    try:
        return _notify(ledger, settings, now=now, stopped=stopped)
    except Exception as fault:  # noqa: BLE001 - whatever it is; its text may hold a URL's password
        _log.error("Nobody could be notified (%s). Nothing else is touched.", type(fault).__name__)
        return False


def _notify(ledger: Ledger, settings: NotifySettings, *, now: datetime, stopped: str) -> bool:
    with ledger.read() as tx:
        found = matters(tx, settings, now=now, stopped=stopped)
        told = notices.told(tx)
    over = told - {each.subject for each in found}
    message = digest(
        [each for each in found if each.subject not in told],
        where=f"{ledger.shown_url} on {socket.gethostname()}",
    )
    undelivered = [] if message is None else deliver(settings.urls, message.title, message.body)
    for name in undelivered:
        _log.error(
            "The notification to %s could not be delivered. Try it with `cloudsuite-ap notify test`.",
            name,
        )
    delivered = message is not None and len(undelivered) < len(settings.urls)
    if over or delivered:
        with ledger.write() as tx:
            notices.forget(tx, over)
            if delivered and message is not None:
                notices.tell(tx, message.subjects, at=now)
    return delivered


def deliver(urls: Sequence[str], title: str, body: str) -> list[str]:
    """Send a message to each URL; those that could not be reached, without their secrets."""
    return [shown for url in urls if (shown := _undelivered(url, title, body))]


def _undelivered(url: str, title: str, body: str) -> str:
    """Blank when it was delivered, else how to name the URL."""
    from apprise import Apprise, NotifyFormat  # noqa: PLC0415 - half a second that most processes never need

    channel = Apprise.instantiate(url)
    if channel is None:
        return "a URL that Apprise does not know"
    # What it is and where to; the URL itself holds passwords and tokens.
    shown = f"{type(channel).__name__.removeprefix('Notify')} ({getattr(channel, 'host', None) or 'no host'})"
    try:
        done = channel.notify(body=body, title=title, body_format=NotifyFormat.TEXT)
    except Exception as fault:  # noqa: BLE001 - each of Apprise's channels has faults of its own
        return f"{shown}, {type(fault).__name__}"
    return "" if done else shown

"""``notify``: try the channels, or tell people now what is new."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import click
from stampli_infor_transforms.policy import SettingsError

from target_infor_cloudsuite.cli.options import common
from target_infor_cloudsuite.cli.session import ExitCode
from target_infor_cloudsuite.clock import Clock
from target_infor_cloudsuite.notification.send import deliver
from target_infor_cloudsuite.notification.send import notify as tell

if TYPE_CHECKING:
    from target_infor_cloudsuite.cli.session import Session
    from target_infor_cloudsuite.notification.settings import NotifySettings


@click.group()
def notify() -> None:
    """Tell people of what needs them."""


@notify.command()
@common
def test(session: Session) -> None:
    """Send a test message to every URL; exits with 1 when one could not be reached."""
    urls = _settings(session).urls
    body = f"This is a test from {socket.gethostname()}. Nothing happened, and nothing has to be done."
    undelivered = deliver(urls, "Stampli to Infor M3: a test", body)
    session.show({"urls": len(urls), "delivered": len(urls) - len(undelivered), "undelivered": undelivered})
    for name in undelivered:
        session.say(f"Error: {name} could not be reached. Check notify_urls, the network and the channel.")
    session.say(f"Delivered to {len(urls) - len(undelivered)} of {len(urls)} URLs.")
    if undelivered:
        click.get_current_context().exit(ExitCode.FAILED)


@notify.command()
@common
def send(session: Session) -> None:
    """Send a digest of what is new now, as every run does; for a schedule of its own."""
    settings = _settings(session)
    sent = tell(session.ledger, settings, now=Clock().now())
    session.show({"sent": sent})
    session.say("Sent." if sent else "Nothing was sent: nothing is new, or nobody could be reached.")


def _settings(session: Session) -> NotifySettings:
    settings = session.settings.notify
    if not settings.urls:
        raise SettingsError("notify_urls", "is blank: there is nobody to tell.")
    return settings

"""People are told once, in one message, through a real channel; and nothing fails because they were not."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from stampli_infor_transforms.policy import SettingsError
from target_infor_cloudsuite.ledger import Ledger, documents, runs
from target_infor_cloudsuite.ledger.documents import Hand
from target_infor_cloudsuite.ledger.states import Status
from target_infor_cloudsuite.notification.send import notify
from target_infor_cloudsuite.notification.settings import TOPICS, NotifySettings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.notification.conftest import Mailbox

    from tests.conftest import Message, Programs

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
SECRETS = ("geheim-4711", "token-geheim-42")


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    made = Ledger(f"sqlite:///{tmp_path / 'ledger.db'}")
    made.open()
    yield made
    made.close()


def add(ledger: Ledger, number: str, status: str, *, hours: float = 0.0) -> int:
    values: dict[str, Any] = {"kind": "invoice", "status": status, "delivery": number, "raw": {}}
    values |= {"number": number, "vendor": "Müller GmbH", "reasons": [{"code": "unbalanced"}]}
    with ledger.write() as tx:
        document_id = documents.add(tx, hand=Hand("x", NOW - timedelta(hours=hours)), values=values)
    assert document_id is not None
    return document_id


def settings_for(*urls: str, **values: Any) -> NotifySettings:
    return NotifySettings.from_settings(values, " ".join(urls))


def test_one_digest_of_what_is_new_and_never_twice(ledger: Ledger, mailbox: Mailbox) -> None:
    settings = settings_for(mailbox.url)
    assert not notify(ledger, settings, now=NOW)
    for number in range(12):
        add(ledger, f"F-{number}", "failed")
    doubt = add(ledger, "D-1", "in_doubt")
    add(ledger, "R-1", "rejected")
    add(ledger, "OLD", "review", hours=25)
    add(ledger, "YOUNG", "review", hours=23)
    add(ledger, "FINE", "posted")
    assert notify(ledger, settings, now=NOW)
    (message,) = mailbox.messages
    assert message["title"] == "Stampli to Infor M3: 12 failed, 1 in doubt, 1 rejected, 1 long in review"
    body = message["message"]
    assert "invoice 1: F-0 of Müller GmbH (unbalanced)" in body
    assert "and 2 more" in body
    assert "OLD" in body
    assert not any(word in body for word in ("YOUNG", "FINE", "F-11"))
    assert not notify(ledger, settings, now=NOW)
    assert len(mailbox.messages) == 1

    # What is new is told alone, and what comes back is told again.
    add(ledger, "F-99", "failed")
    with ledger.write() as tx:
        tx.exec_driver_sql(f"UPDATE documents SET status = 'posted' WHERE id = {doubt}")  # noqa: S608
    assert notify(ledger, settings, now=NOW)
    assert mailbox.messages[-1]["title"] == "Stampli to Infor M3: 1 failed"
    with ledger.write() as tx:
        tx.exec_driver_sql(f"UPDATE documents SET status = 'in_doubt' WHERE id = {doubt}")  # noqa: S608
    assert notify(ledger, settings, now=NOW + timedelta(hours=1))
    assert mailbox.messages[-1]["title"] == "Stampli to Infor M3: 1 in doubt, 1 long in review"


def test_silence_is_told_once_until_something_comes(ledger: Ledger, mailbox: Mailbox) -> None:
    settings = settings_for(mailbox.url, notify_silence_hours=5)
    with ledger.write() as tx:
        runs.begin(tx, "r1", worker="w", at=NOW)
    told = [notify(ledger, settings, now=NOW + timedelta(hours=hours)) for hours in (4, 5, 6)]
    add(ledger, "1", Status.POSTED, hours=-7)
    told += [notify(ledger, settings, now=NOW + timedelta(hours=hours)) for hours in (8, 12, 13)]
    assert told == [False, True, False, False, True, False]
    assert "Nothing has come in since 2026-11-22 12:00 UTC" in mailbox.messages[0]["message"]


def test_a_stopped_run_is_told_once_until_one_goes_well(ledger: Ledger, mailbox: Mailbox) -> None:
    settings = settings_for(mailbox.url)
    told = [
        notify(ledger, settings, now=NOW, stopped=why) for why in ("no token", "no token", "", "no token")
    ]
    assert told == [True, False, False, True]


def test_only_the_topics_asked_for(ledger: Ledger, mailbox: Mailbox) -> None:
    add(ledger, "F", "failed")
    add(ledger, "D", "in_doubt")
    assert notify(ledger, settings_for(mailbox.url, notify_on=["in_doubt"]), now=NOW)
    assert mailbox.messages[0]["title"] == "Stampli to Infor M3: 1 in doubt"
    for wrong in (["nonsense"], "failed", [["failed"]]):
        with pytest.raises(SettingsError, match=TOPICS[1]):
            settings_for(notify_on=wrong)


@pytest.mark.parametrize("status", [500, 404])
def test_what_was_not_delivered_is_loud_harmless_and_told_again(
    status: int, ledger: Ledger, mailbox: Mailbox, caplog: pytest.LogCaptureFixture
) -> None:
    add(ledger, "F", "failed")
    mailbox.status = status
    settings = settings_for(mailbox.url, "nonsense-geheim-4711", "json://geheim-4711@127.0.0.1:1/geheim-4711")
    assert not notify(ledger, settings, now=NOW)
    errors = [each.getMessage() for each in caplog.records if each.levelname == "ERROR"]
    assert len(errors) == 3
    assert "JSON (127.0.0.1)" in errors[0]
    assert not any(secret in caplog.text for secret in SECRETS)
    mailbox.status = 200
    assert notify(ledger, settings, now=NOW)
    assert len(mailbox.messages) == 1
    assert not notify(ledger, settings, now=NOW)


def test_a_broken_ledger_harms_nothing_either(ledger: Ledger, mailbox: Mailbox) -> None:
    with ledger.write() as tx:
        tx.exec_driver_sql("DROP TABLE notices")
    assert not notify(ledger, settings_for(mailbox.url), now=NOW)


def test_a_run_tells_and_is_not_harmed(quiet: Programs, few: tuple[Message, ...], mailbox: Mailbox) -> None:
    rejected = [each for each in few if each.get("stream") not in {"invoices", "payments", "vendors"}]
    done = quiet.target(rejected, notify_urls=mailbox.url)
    assert done.returncode == 0, done.stderr
    (message,) = mailbox.messages
    assert message["title"].startswith("Stampli to Infor M3: ")
    assert "rejected" in message["title"]
    assert quiet.target("").returncode == 0
    assert len(mailbox.messages) == 1
    # The gateway is away: the run is stopped, and people are told.
    ionapi = json.loads(Path(quiet.config["ionapi_path"]).read_text("utf-8"))
    path = quiet.directory / "away.ionapi"
    path.write_text(json.dumps(ionapi | {"pu": "http://127.0.0.1:1/", "iu": "http://127.0.0.1:1"}), "utf-8")
    done = quiet.target("", ionapi_path=str(path), reference_max_age_minutes=0)
    assert done.returncode == 1, done.stderr
    assert "a run was stopped" in mailbox.messages[-1]["title"]
    assert not any(secret in done.stderr for secret in SECRETS)


def test_the_commands(quiet: Programs, mailbox: Mailbox) -> None:
    assert quiet.ap("notify", "test").returncode == 1  # nobody is named
    quiet.config["notify_urls"] = mailbox.url
    assert quiet.json("notify", "test") == {"urls": 1, "delivered": 1, "undelivered": []}
    assert mailbox.messages[0]["title"].endswith("a test")
    quiet.config["notify_urls"] += " json://127.0.0.1:1/geheim-4711"
    done = quiet.ap("notify", "test")
    assert done.returncode == 1
    assert "Delivered to 1 of 2" in done.stderr
    assert not any(secret in done.stderr + done.stdout for secret in SECRETS)
    ledger = Ledger(quiet.config["ledger_url"])
    ledger.open()
    add(ledger, "F", "failed")
    ledger.close()
    quiet.config["notify_urls"] = mailbox.url
    assert [quiet.json("notify", "send")["sent"] for _ in range(2)] == [True, False]

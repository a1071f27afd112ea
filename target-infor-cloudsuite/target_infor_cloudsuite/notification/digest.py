"""What is new for a person: one message a run, and each matter once until it is over."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from target_infor_cloudsuite.ledger import notices
from target_infor_cloudsuite.ledger.types import utc_text
from target_infor_cloudsuite.notification.settings import TOPICS

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from target_infor_cloudsuite.ledger import Tx
    from target_infor_cloudsuite.ledger.notices import Waiting
    from target_infor_cloudsuite.notification.settings import NotifySettings

_SHOWN = 10
_TO_THE_MINUTE = 16


@dataclass(frozen=True, slots=True)
class Matter:
    """One thing to tell: ``subject`` names it for ever, ``text`` is one line for a person."""

    subject: str
    topic: str
    text: str


@dataclass(frozen=True, slots=True)
class Digest:
    """A message, and what it tells of."""

    title: str
    body: str
    subjects: tuple[str, ...]


def matters(tx: Tx, settings: NotifySettings, *, now: datetime, stopped: str = "") -> list[Matter]:
    """Everything that people want to be told of now, whether they were told already or not."""
    found = [
        Matter(f"{waiting.status}:{waiting.id}", waiting.status, _line(waiting))
        for waiting in notices.waiting(tx, review_since=now - settings.review_age)
    ]
    if stopped:
        found.append(Matter("stopped", "stopped", stopped))
    last = notices.last_received(tx)
    if last is not None and now - last >= settings.silence:
        text = f"Nothing has come in since {_moment(last)}. Is Stampli exporting, and does the schedule run?"
        found.append(Matter("silence", "silence", text))
    return [each for each in found if each.topic in settings.topics]


def digest(new: Iterable[Matter], *, where: str) -> Digest | None:
    """The message about what is new; None where nothing is."""
    by_topic: dict[str, list[Matter]] = defaultdict(list)
    for each in new:
        by_topic[each.topic].append(each)
    if not by_topic:
        return None
    topics = [topic for topic in TOPICS if topic in by_topic]
    title = "Stampli to Infor M3: " + ", ".join(_counted(topic, len(by_topic[topic])) for topic in topics)
    paragraphs = []
    for topic in topics:
        own = by_topic[topic]
        lines = [_TITLES[topic], *(f"- {each.text}" for each in own[:_SHOWN])]
        lines += [f"- and {len(own) - _SHOWN} more"] if len(own) > _SHOWN else []
        paragraphs.append("\n".join(lines))
    paragraphs.append(f"See `cloudsuite-ap review list`. Ledger: {where}")
    subjects = tuple(each.subject for topic in topics for each in by_topic[topic])
    return Digest(title, "\n\n".join(paragraphs), subjects)


_TITLES = {
    "stopped": "The run was stopped:",
    "failed": "M3 said no to:",
    "in_doubt": "Nobody knows yet whether M3 has:",
    "rejected": "Could not be read as a document:",
    "review": "Waiting for a decision for long:",
    "silence": "Silence:",
}
_COUNTED = {
    "failed": "{} failed",
    "in_doubt": "{} in doubt",
    "rejected": "{} rejected",
    "review": "{} long in review",
}


def _counted(topic: str, count: int) -> str:
    words = {"stopped": "a run was stopped", "silence": "nothing comes in"}
    return words.get(topic) or _COUNTED[topic].format(count)


def _line(waiting: Waiting) -> str:
    name = waiting.number or f"a row of {PurePosixPath(waiting.source_file).name}"
    of = f" of {waiting.vendor}" if waiting.vendor else ""
    codes = ", ".join(str(each.get("code")) for each in waiting.reasons)
    return f"{waiting.kind} {waiting.id}: {name}{of}{f' ({codes})' if codes else ''}"


def _moment(moment: datetime) -> str:
    return f"{utc_text(moment)[:_TO_THE_MINUTE].replace('T', ' ')} UTC"

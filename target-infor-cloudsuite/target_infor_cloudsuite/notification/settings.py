"""The settings of notifications."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from stampli_infor_transforms.policy import SettingsError

if TYPE_CHECKING:
    from collections.abc import Mapping

#: What people may be told of, in the order of a digest.
TOPICS = ("stopped", "failed", "in_doubt", "rejected", "review", "silence")

SETTINGS_SCHEMA: dict[str, dict[str, Any]] = {
    "notify_urls": {
        "type": "string",
        "secret": True,
        "description": "Apprise URLs to which a digest is sent (mailtos://.., slack://.., json://..), "
        "separated by white space; blank: none.",
    },
    "notify_on": {
        "type": "array",
        "items": {"type": "string", "enum": list(TOPICS)},
        "description": "Of what: runs stopped, documents failed, in_doubt or rejected, those long in "
        "review, and silence (nothing came in).",
        "default": list(TOPICS),
    },
    "notify_review_hours": {
        "type": "number",
        "minimum": 0,
        "description": "After how many hours a document in review is told of.",
        "default": 24,
    },
    "notify_silence_hours": {
        "type": "number",
        "exclusiveMinimum": 0,
        "description": "After how many hours without anything coming in people are told.",
        "default": 72,
    },
}


@dataclass(frozen=True, slots=True)
class NotifySettings:
    """The settings, checked; ``urls`` are secrets, as most hold a password or token."""

    urls: tuple[str, ...] = field(repr=False)
    topics: frozenset[str]
    review_age: timedelta
    silence: timedelta

    @classmethod
    def from_settings(cls, values: Mapping[str, Any], urls: str | None) -> NotifySettings:
        """Read them; ``urls`` is plain already.

        Raises:
            SettingsError: A topic is unknown.
        """
        topics = values.get("notify_on")
        topics = list(TOPICS) if topics is None else topics
        if not isinstance(topics, list) or not set(map(str, topics)) <= set(TOPICS):
            raise SettingsError("notify_on", f"has to be a list of some of {', '.join(TOPICS)}.")
        hours = {
            name: timedelta(hours=float(_given(values, name)))
            for name in ("notify_review_hours", "notify_silence_hours")
        }
        return cls(
            urls=tuple((urls or "").split()),
            topics=frozenset(topics),
            review_age=hours["notify_review_hours"],
            silence=hours["notify_silence_hours"],
        )


def _given(values: Mapping[str, Any], name: str) -> Any:
    found = values.get(name)
    return SETTINGS_SCHEMA[name]["default"] if found is None else found

"""What another version of crosswalks or settings would change on a document, field by field."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stampli_infor_transforms.documents import Mapping


@dataclass(frozen=True, slots=True)
class Change:
    """One field that differs.

    Attributes:
        field: like ``lines.2.ait1``; a line counts from 1 as it stands in the document. ``reasons.<code>``
        for a
            reason that comes or goes.
        old: as text, '' for nothing.
        new: likewise.
    """

    field: str
    old: str
    new: str

    def to_json(self) -> dict[str, str]:
        """Return the change as a JSON object."""
        return {"field": self.field, "old": self.old, "new": self.new}


def diff_mappings(old: Mapping, new: Mapping) -> tuple[Change, ...]:
    """Return what differs between two mappings of one document, in the order of its fields; () for nothing.

    Notes and traces do not count: they say why, not what would be posted.
    """
    before, after = _flat(old), _flat(new)
    fields = dict.fromkeys([*before, *after])
    return tuple(
        Change(field, before.get(field, ""), after.get(field, ""))
        for field in fields
        if before.get(field, "") != after.get(field, "")
    )


def _flat(mapping: Mapping) -> dict[str, str]:
    found = dict(_leaves("", mapping.document.to_json())) if mapping.document is not None else {}
    for each in mapping.reasons:
        name = f"reasons.{each.code}" + (f".{each.field}" if each.field else "")
        found[name] = each.text
    return found


def _leaves(prefix: str, value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for name, each in value.items():
            if name == "ait":
                yield from ((f"{prefix}ait{at}", code) for at, code in enumerate(each, 1))
            elif name != "trace":
                yield from _leaves(f"{prefix}{name}.", each)
    elif isinstance(value, list):
        for at, each in enumerate(value, 1):
            yield from _leaves(f"{prefix}{at}.", each)
    else:
        yield prefix.removesuffix("."), "" if value is None else str(value)

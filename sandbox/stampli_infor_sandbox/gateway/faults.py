"""Faults that a test orders: which request they hit, and what happens to it."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, Literal, get_args

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Action = Literal[
    "refuse",
    "reset_after_work",
    "timeout_before_work",
    "timeout_after_work",
    "status",
    "work_after_answer",
    "truncated_json",
    "html_200",
    "terminate_bulk_after",
    "drop_results_after",
    "delay",
    "hold",
]
ACTIONS: tuple[str, ...] = get_args(Action)
STATUSES = (401, 403, 404, 429, 500, 502, 503, 504)
_MATCH = ("program", "transaction", "record", "nth", "times")
_IMPLIED = {"hold": "hold", "delay_ms": "delay"}
"""A rule that has only this key means this action."""


class FaultError(ValueError):
    """A fault rule that can't be taken; the text says what would be right."""


@dataclass(slots=True)
class Rule:
    """One rule: it counts the requests that match and hits the ``nth``, or all of them.

    ``times`` limits how often (0: no limit). ``program`` OAUTH with ``transaction`` token stands for the
    authorization server. ``record`` are field values that one of the request's transactions must have.
    """

    action: str
    program: str = ""
    transaction: str = ""
    record: Mapping[str, str] = field(default_factory=dict)
    nth: int = 0
    times: int = 0
    status: int = 503
    when: str = "before"
    retry_after: int | str | None = None
    n: int = 0
    delay_ms: int = 0
    hold: bool = False
    seen: int = 0
    hits: int = 0

    @classmethod
    def from_json(cls, data: Any) -> Rule:
        """A rule as ``POST /sandbox/faults`` takes it.

        Raises:
            FaultError: Unknown keys or values.
        """
        if not isinstance(data, dict):
            raise FaultError("a rule is an object with match and action")
        match = data.get("match", {})
        rest = {k: v for k, v in data.items() if k != "match"}
        if "action" not in rest:
            rest["action"] = next((action for key, action in _IMPLIED.items() if rest.get(key)), "")
        known = [f.name for f in fields(cls) if f.name not in {*_MATCH, "seen", "hits"}]
        strange = [*(k for k in rest if k not in known), *(f"match.{k}" for k in match if k not in _MATCH)]
        if strange:
            names = f"match ({', '.join(_MATCH)}), {', '.join(known)}"
            raise FaultError(f"unknown keys {', '.join(strange)}; known are {names}")
        rule = cls(**match, **rest)
        if rule.action not in ACTIONS:
            raise FaultError(f"unknown action {rule.action!r}; known are {', '.join(ACTIONS)}")
        if rule.status not in STATUSES:
            raise FaultError(f"unknown status {rule.status}; known are {', '.join(map(str, STATUSES))}")
        if rule.when not in {"before", "after"}:
            raise FaultError(f"when is 'before' or 'after' the work, not {rule.when!r}")
        rule.hold = rule.hold or rule.action == "hold"
        return rule

    def hit(self, program: str, transactions: Sequence[tuple[str, Mapping[str, Any]]]) -> bool:
        """Whether this request is the one; counts it."""
        if self.program and self.program != program:
            return False
        if not any(self._is_meant(name, record) for name, record in transactions):
            return False
        self.seen += 1
        if (self.nth and self.seen != self.nth) or (self.times and self.hits >= self.times):
            return False
        self.hits += 1
        return True

    def _is_meant(self, name: str, record: Mapping[str, Any]) -> bool:
        if self.transaction and self.transaction != name:
            return False
        return all(record.get(k) == v for k, v in self.record.items())


@dataclass(slots=True)
class Faults:
    """The rules in force; the first that hits a request decides."""

    rules: list[Rule] = field(default_factory=list)

    def find(self, program: str, transactions: Sequence[tuple[str, Mapping[str, Any]]]) -> Rule | None:
        """The rule that hits this request. Every rule counts it."""
        hit = [rule for rule in self.rules if rule.hit(program, transactions)]
        return hit[0] if hit else None

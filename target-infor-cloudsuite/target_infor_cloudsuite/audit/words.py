"""Events in words, for people who did not write this program."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from stampli_infor_transforms.reasons import REASONS

if TYPE_CHECKING:
    from collections.abc import Callable

    from target_infor_cloudsuite.ledger.events import Event

_STATUS_WORDS = {
    "document.received": "Came in",
    "document.rejected": "Could not be read as a document, and was rejected",
    "document.review": "Held for review",
    "document.ready": "Mapped, balanced and checked: ready to be posted",
    "document.posting": "On its way into M3",
    "document.in_doubt": "In doubt: a write may or may not have happened",
    "document.posted": "Posted",
    "document.failed": "M3 said no",
    "document.duplicate": "A duplicate of what came before, or of what M3 has",
    "document.superseded": "Another revision took its place",
    "document.dismissed": "Dismissed: it will not be posted",
}
_VERSION_SHOWN = 12
_OUTCOMES = {
    "done": "done",
    "refused": "refused",
    "not_run": "not run",
    "in_doubt": "answered by nobody, so in doubt",
}


def sentence(event: Event) -> str:
    """What happened, in one or two sentences, without the time and without who did it."""
    details = event.details if isinstance(event.details, dict) else {}
    if event.action in _STATUS_WORDS:
        return _status(event.action, details)
    told = _OTHERS.get(event.action)
    return told(details) if told else f"{event.action}: {_because(details) or 'no more is known.'}"


def who(event: Event) -> str:
    """Who did it: a person by the name given, or this program."""
    name = event.actor.partition("/")[0]
    return "the pipeline" if name.startswith("target") else name


def _status(action: str, details: dict[str, Any]) -> str:
    words = _STATUS_WORDS[action]
    if action in {"document.received", "document.rejected"} and details.get("source_file"):
        words += f": {details['source_file']}, line {details.get('source_line', 0)}"
    facts = {
        "batch": details.get("inbn"),
        "voucher": details.get("voucher"),
        "reasons": ", ".join(_reason_codes(details)),
    }
    if shown := "; ".join(f"{name} {value}" for name, value in facts.items() if value):
        words += f" ({shown})"
    return f"{words}. {_because(details)}".strip()


def _reason_codes(details: dict[str, Any]) -> list[str]:
    found = details.get("reasons")
    return [str(code) for code in found] if isinstance(found, list) else []


def _write(details: dict[str, Any]) -> str:
    what = f"{details.get('program', '')}/{details.get('transaction', '')}"
    if position := details.get("position"):
        what += f" for line {position}"
    outcome = str(details.get("outcome", ""))
    keys = [
        f"{name} {value}"
        for record in details.get("records") or []
        if isinstance(record, dict)
        for name, value in record.items()
    ]
    answer = f": {', '.join(keys)}" if keys else ""
    said = " ".join(str(details[name]) for name in ("code", "field", "text", "detail") if details.get(name))
    return f"Sent {what} to M3: {_OUTCOMES.get(outcome, outcome)}{answer}." + (f" {said}" if said else "")


def _file(details: dict[str, Any]) -> str:
    counts = details.get("counts") or {}
    numbers = ", ".join(
        f"{counts[name]} {name}" for name in ("rows", "documents", "rejected") if counts.get(name) is not None
    )
    return f"The tap counted {counts.get('_sdc_source_file', 'a file')}: {numbers or 'no numbers'}."


def _reference(details: dict[str, Any]) -> str:
    stream = str(details.get("stream", "records")).replace("_", " ")
    return f"{len(details.get('changed') or [])} of Stampli's {stream} are new or changed."


def _released(details: dict[str, Any]) -> str:
    code = str(details.get("accepted", ""))
    known = REASONS.get(code)
    help_ = f" ({known.help})" if known else ""
    return f"Accepted the reason {code}{help_} for exactly this content. {_because(details)}".strip()


def _purged(details: dict[str, Any]) -> str:
    return (
        f"Purged {details.get('raw_records', 0)} raw records and {details.get('events', 0)} events of before "
        f"{details.get('before', '')} (up to event {details.get('through', 0)}). {_because(details)}"
    ).strip()


def _because(details: dict[str, Any]) -> str:
    why = str(details.get("why") or "").strip()
    return why if not why or why.endswith((".", "!", "?")) else f"{why}."


def _version(details: dict[str, Any], name: str = "version") -> str:
    return str(details.get(name) or "")[:_VERSION_SHOWN]


_OTHERS: dict[str, Callable[[dict[str, Any]], str]] = {
    "document.replayed": lambda details: f"To be mapped and posted again. {_because(details)}".strip(),
    "document.released": _released,
    "document.divided": lambda details: (
        f"Divided among companies: its share and {len(details.get('parts') or [])} parts of their own."
    ),
    "m3.write": _write,
    "doubt.looked": lambda details: f"M3 was asked: {details.get('found', '')}.",
    "payment.settled": lambda _: "M3 shows the payment's invoices as paid.",
    "statement.abandoned": lambda details: (
        f"Bank statement {details.get('statement', '')} "
        f"{'stays unvalidated' if details.get('opened', True) else 'was not opened'} in M3. "
        f"{_because(details)}"
    ).strip(),
    "file.received": _file,
    "reference.received": _reference,
    "mapping.proposed": lambda details: (
        f"Proposed version {_version(details)} of the crosswalks. {_because(details)}".strip()
    ),
    "mapping.approved": lambda details: (
        f"Approved version {_version(details)} of the crosswalks. {_because(details)}".strip()
    ),
    "mapping.confirmed": lambda details: (
        f"Confirmed that vendor {details.get('vendor', '')} is supplier {details.get('supplier', '')} in "
        f"company {details.get('cono', '')}. {_because(details)}"
    ).strip(),
    "mapping.revoked": lambda details: (
        f"Took back that vendor {details.get('vendor', '')} is supplier {details.get('supplier', '')} in "
        f"company {details.get('cono', '')}. {_because(details)}"
    ).strip(),
    "mapping.waits": lambda details: (
        f"Version {_version(details)} of the crosswalks is not approved; version "
        f"{_version(details, 'used')} was used."
    ),
    "state.refused": lambda details: (
        f"STATE knew {details.get('files', 'some')} files that this ledger has never seen "
        f"({details.get('first', '')}), and was refused."
    ),
    "state.accepted": lambda _: "STATE knows no file any more that this ledger has not seen.",
    "run.began": lambda details: f"A run began (version {details.get('version', 'unknown')}).",
    "run.ended": lambda details: (
        f"The run {details.get('outcome', 'ended')}, after {details.get('requests', 0)} requests to M3."
    ),
    "ledger.purged": _purged,
    "audit.rekeyed": lambda details: (
        f"The chain goes on without the key {details.get('lost_key')}. {_because(details)}".strip()
    ),
}

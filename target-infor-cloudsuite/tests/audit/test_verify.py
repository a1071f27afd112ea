"""Whoever touches an event, in the files or in the ledger, is found: every kind of tampering, by seed."""

from __future__ import annotations

import json
import random
import shutil
import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pytest
from target_infor_cloudsuite.audit.anchor import Anchor
from target_infor_cloudsuite.audit.files import day_of, export, files_of, line_of
from target_infor_cloudsuite.audit.verify import verify
from target_infor_cloudsuite.ledger import Ledger, events
from target_infor_cloudsuite.ledger.seal import AuditKeys
from target_infor_cloudsuite.ledger.types import canonical_json, utc_text

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from target_infor_cloudsuite.ledger.events import Event

SEEDS = 40
EVENTS = 14


# -- in the files ------------------------------------------------------------


def change_a_byte(lines: list[bytes], dice: random.Random) -> None:
    at = dice.randrange(len(lines))
    place = dice.randrange(len(lines[at]))
    lines[at] = (
        lines[at][:place] + bytes([lines[at][place] ^ (1 << dice.randrange(8))]) + lines[at][place + 1 :]
    )


def change_a_value(lines: list[bytes], dice: random.Random) -> None:
    at = dice.randrange(len(lines))
    content = json.loads(lines[at])
    name = dice.choice(sorted(content))
    content[name] = dice.choice([1_000_000, "somebody else", None, {"why": "no reason"}])
    lines[at] = (
        json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode() + b"\n"
    )


def remove_a_line(lines: list[bytes], dice: random.Random) -> None:
    del lines[dice.randrange(len(lines))]


def remove_from_the_end(lines: list[bytes], dice: random.Random) -> None:
    del lines[-dice.randint(1, len(lines)) :]


def cut_the_end(lines: list[bytes], dice: random.Random) -> None:
    lines[-1] = lines[-1][: -dice.randint(1, len(lines[-1]) - 1)]


def insert_a_line(lines: list[bytes], dice: random.Random) -> None:
    invented = json.dumps(
        json.loads(dice.choice(lines)) | {"seq": dice.randint(-3, 99), "actor": "nobody"}
    ).encode()
    lines.insert(
        dice.randint(0, len(lines)), dice.choice([invented, b"not json", b"", b"null", b"7"]) + b"\n"
    )


def repeat_a_line(lines: list[bytes], dice: random.Random) -> None:
    lines.insert(dice.randint(0, len(lines)), dice.choice(lines))


def reorder(lines: list[bytes], dice: random.Random) -> None:
    before = list(lines)
    while lines == before:
        dice.shuffle(lines)


def other_line_ends(lines: list[bytes], dice: random.Random) -> None:
    at = dice.randrange(len(lines))
    lines[at] = lines[at].rstrip(b"\n") + dice.choice([b"\r\n", b" \n", b"\n\n", b"\0\n"])


IN_FILES: tuple[Callable[[list[bytes], random.Random], None], ...] = (
    change_a_byte,
    change_a_value,
    remove_a_line,
    remove_from_the_end,
    cut_the_end,
    insert_a_line,
    repeat_a_line,
    reorder,
    other_line_ends,
)


# -- in the ledger ------------------------------------------------------------


def change_a_column(database: sqlite3.Connection, dice: random.Random) -> None:
    column, value = dice.choice(
        [
            ("at", "2026-11-20T09:00:00.000001+00:00"),
            ("at", "yesterday"),
            ("at", "2031-01-01T00:00:00+00:00"),
            ("actor", "nobody"),
            ("action", "document.posted"),
            ("document_id", 4711),
            ("run_id", "another"),
            ("details", '{"amount":"1.51"}'),
            ("details", "{"),
            ("details", '{"amount": "1.50"}'),
            ("previous_hash", "f" * 64),
            ("hash", "f" * 64),
        ]
    )
    database.execute(f"UPDATE events SET {column} = ? WHERE seq = ?", (value, dice.randint(1, EVENTS)))  # noqa: S608


def renumber(database: sqlite3.Connection, dice: random.Random) -> None:
    database.execute(
        "UPDATE events SET seq = ? WHERE seq = ?", (dice.choice([-5, 0, 100]), dice.randint(1, EVENTS))
    )


def delete_some(database: sqlite3.Connection, dice: random.Random) -> None:
    first = dice.randint(1, EVENTS)
    database.execute("DELETE FROM events WHERE seq BETWEEN ? AND ?", (first, first + dice.randint(0, 3)))


def delete_the_end(database: sqlite3.Connection, dice: random.Random) -> None:
    """With the chain's end moved back, so that the ledger alone looks whole."""
    last = dice.randint(1, EVENTS - 1)
    database.execute("DELETE FROM events WHERE seq > ?", (last,))
    database.execute("UPDATE chain SET seq = ?, hash = (SELECT hash FROM events WHERE seq = ?)", (last, last))


def forget_the_end(database: sqlite3.Connection, dice: random.Random) -> None:
    database.execute(
        dice.choice(["DELETE FROM chain", "UPDATE chain SET seq = 3", "UPDATE chain SET hash = 'x'"])
    )


def swap(database: sqlite3.Connection, dice: random.Random) -> None:
    one = dice.randint(1, EVENTS - 1)
    for old, new in ((one, 1000), (one + 1, one), (1000, one + 1)):
        database.execute("UPDATE events SET seq = ? WHERE seq = ?", (new, old))


def insert_one(database: sqlite3.Connection, dice: random.Random) -> None:
    copied = dice.randint(1, EVENTS)
    database.execute(
        "INSERT INTO events SELECT ?, at, actor, action, document_id, run_id, details, previous_hash, hash, "
        "key_id FROM events WHERE seq = ?",
        (dice.choice([EVENTS + 1, EVENTS + 9, 0, -1]), copied),
    )


def rewrite_from_here(database: sqlite3.Connection, dice: random.Random) -> None:
    """Somebody who knows how the hashes are made rewrites the ledger; only the files tell."""
    database.row_factory = sqlite3.Row
    rows = [dict(row) for row in database.execute("SELECT * FROM events ORDER BY seq")]
    at = dice.randrange(len(rows))
    rows[at]["actor"] = "nobody"
    previous = rows[at]["previous_hash"]
    for row in rows[at:]:
        values: dict[str, Any] = row | {
            "at": datetime.fromisoformat(row["at"]),
            "details": json.loads(row["details"]),
            "previous_hash": previous,
            "hash": "",
        }
        digest = events.Event(**values).expected_hash(AuditKeys())
        database.execute(
            "UPDATE events SET actor = ?, previous_hash = ?, hash = ? WHERE seq = ?",
            (row["actor"], previous, digest, row["seq"]),
        )
        previous = digest
    database.execute("UPDATE chain SET hash = ?", (previous,))


IN_LEDGER: tuple[Callable[[sqlite3.Connection, random.Random], None], ...] = (
    change_a_column,
    renumber,
    delete_some,
    delete_the_end,
    forget_the_end,
    swap,
    insert_one,
    rewrite_from_here,
)


@pytest.fixture
def exported(ledger: Ledger, happen: Callable[..., None], tmp_path: Path) -> Ledger:
    happen(EVENTS)
    export(ledger, tmp_path)
    assert verify(ledger, tmp_path) == []
    return ledger


@pytest.mark.parametrize("tamper", IN_FILES)
def test_the_files_cannot_be_touched_unseen(
    tamper: Callable[[list[bytes], random.Random], None], exported: Ledger, tmp_path: Path
) -> None:
    whole = {path: path.read_bytes() for path in files_of(tmp_path)}
    for seed in range(SEEDS):
        dice = random.Random(f"{tamper.__name__} {seed}")  # noqa: S311 - a test's dice
        path = dice.choice(sorted(whole))
        lines = whole[path].splitlines(keepends=True)
        tamper(lines, dice)
        path.write_bytes(b"".join(lines))
        assert path.read_bytes() != whole[path], f"{tamper.__name__}, seed {seed} did nothing"
        assert verify(exported, tmp_path), f"{tamper.__name__}, seed {seed}"
        path.write_bytes(whole[path])
    assert verify(exported, tmp_path) == []


@pytest.mark.parametrize("tamper", IN_LEDGER)
def test_the_ledger_cannot_be_touched_unseen(
    tamper: Callable[[sqlite3.Connection, random.Random], None], exported: Ledger, tmp_path: Path
) -> None:
    for seed in range(SEEDS):
        dice = random.Random(f"{tamper.__name__} {seed}")  # noqa: S311 - a test's dice
        copy = tmp_path / f"copy-{seed}.db"
        with sqlite3.connect(tmp_path / "ledger.db") as original, sqlite3.connect(copy) as database:
            original.backup(database)
            before = list(database.iterdump())
            tamper(database, dice)
            database.commit()
            changed = list(database.iterdump()) != before
        original.close()
        database.close()
        touched = Ledger(f"sqlite:///{copy}")
        found = verify(touched, tmp_path)
        touched.close()
        assert bool(found) == changed, f"{tamper.__name__}, seed {seed}: {found}"
        assert changed, f"{tamper.__name__}, seed {seed} did nothing"
    assert verify(exported, tmp_path) == []


# -- in both, by somebody who knows how everything is made ---------------------------------

KEY = AuditKeys.parse("k" * 40)
STRANGE_KEY = AuditKeys.parse("s" * 40)


def forge_a_value(forged: list[Event], dice: random.Random) -> None:
    at = dice.randrange(len(forged))
    changed = [
        replace(forged[at], actor="nobody"),
        replace(forged[at], action="document.posted"),
        replace(forged[at], details={"amount": "1"}),
    ]
    forged[at] = dice.choice(changed)


def forge_away(forged: list[Event], dice: random.Random) -> None:
    del forged[dice.randrange(len(forged) - 1)]


def forge_the_end_away(forged: list[Event], dice: random.Random) -> None:
    del forged[-dice.randint(1, len(forged) - 1) :]


def forge_one_more(forged: list[Event], dice: random.Random) -> None:
    forged.insert(dice.randrange(len(forged)), replace(dice.choice(forged), actor="nobody"))


def forge_another_order(forged: list[Event], dice: random.Random) -> None:
    at = dice.randrange(len(forged) - 1)
    forged[at], forged[at + 1] = forged[at + 1], forged[at]


FORGERIES = (forge_a_value, forge_away, forge_the_end_away, forge_one_more, forge_another_order)


def write_anew(path: Path, output: Path, forged: list[Event], seal: tuple[AuditKeys, str]) -> None:
    """Make ledger and files agree on another past, hash by hash."""
    keys, claimed = seal
    previous, made = events.GENESIS, []
    for seq, event in enumerate(forged, start=1):
        changed = replace(event, seq=seq, previous_hash=previous, key_id=claimed or keys.current)
        digest = keys.seal(canonical_json(changed.content()), keys.current)
        assert digest is not None
        made.append(replace(changed, hash=digest))
        previous = digest
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("DELETE FROM events")
        for each in made:
            row = [each.seq, utc_text(each.at), each.actor, each.action, each.document_id, each.run_id]
            row += [canonical_json(each.details), each.previous_hash, each.hash, each.key_id]
            database.execute("INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", row)
        end = (len(made), previous, made[-1].key_id)
        database.execute("UPDATE chain SET seq = ?, hash = ?, key_id = ?", end)
        database.execute("UPDATE exports SET seq = ?", (len(made),))
    for path_ in files_of(output):
        path_.unlink()
    day = ""
    for each in made:
        day = max(day, day_of(each))
        with (output / "audit" / f"{day}.jsonl").open("a", encoding="utf-8") as file:
            file.write(line_of(each) + "\n")


@pytest.mark.parametrize("forge", FORGERIES)
@pytest.mark.parametrize("protection", ["key", "anchor"])
def test_who_rewrites_ledger_and_files_alike_is_found(
    protection: str,
    forge: Callable[[list[Event], random.Random], None],
    happen: Callable[..., None],
    tmp_path: Path,
) -> None:
    original, output, copy = tmp_path / "ledger.db", tmp_path / "output", tmp_path / "copy.db"
    keys = KEY if protection == "key" else AuditKeys()
    anchor = Anchor(str(tmp_path / "anchor")) if protection == "anchor" else None
    with closing(Ledger(f"sqlite:///{original}", audit_keys=keys)) as sealed:
        sealed.open()
        happen(EVENTS, into=sealed)
        export(sealed, output)
        with sealed.read() as tx:
            past = list(events.since(tx, 0))
        if anchor is not None:
            anchor.write(sealed, at=past[-1].at)
        assert verify(sealed, output, anchor=anchor) == []
        sealed.give_room_back()
    for seed in range(SEEDS):
        dice = random.Random(f"{forge.__name__} {seed}")  # noqa: S311 - a test's dice
        forged = list(past)
        forge(forged, dice)
        shutil.copy(original, copy)
        # Without the key, a forger writes plain hashes, or seals with a key of their own, or says it is ours.
        seals = [(AuditKeys(), ""), (STRANGE_KEY, ""), (STRANGE_KEY, KEY.current)]
        write_anew(copy, output, forged, dice.choice(seals) if protection == "key" else seals[0])
        with closing(Ledger(f"sqlite:///{copy}")) as without:
            # Nothing but the key, or the anchor, can tell.
            if protection == "anchor":
                assert verify(without, output) == [], f"{forge.__name__}, seed {seed} is a poor forgery"
        with closing(Ledger(f"sqlite:///{copy}", audit_keys=keys)) as touched:
            assert verify(touched, output, anchor=anchor), f"{forge.__name__}, seed {seed}"


def test_a_thousand_tamperings_in_all() -> None:
    assert (len(IN_FILES) + len(IN_LEDGER) + 2 * len(FORGERIES)) * SEEDS >= 1000


def test_a_line_in_another_days_file_is_found(exported: Ledger, tmp_path: Path) -> None:
    first, second, *_ = files_of(tmp_path)
    lines = first.read_bytes().splitlines(keepends=True)
    first.write_bytes(b"".join(lines[:-1]))
    second.write_bytes(lines[-1] + second.read_bytes())
    assert verify(exported, tmp_path) == ["2026-11-21.jsonl, line 1: event 3 belongs into 2026-11-20.jsonl."]


def test_a_file_removed_or_added_whole_is_found(exported: Ledger, tmp_path: Path) -> None:
    middle = files_of(tmp_path)[1]
    content = middle.read_bytes()
    middle.unlink()
    (told,) = verify(exported, tmp_path)
    assert told.startswith("Files: missing: events 4 to 7.")
    middle.write_bytes(content)
    (tmp_path / "audit" / "2031-01-01.jsonl").write_bytes(b'{"seq": 99}\n')
    assert verify(exported, tmp_path) == ["2031-01-01.jsonl, line 1: a line that the ledger does not have."]


def test_a_run_that_goes_on_meanwhile_is_no_tampering(
    exported: Ledger, happen: Callable[..., None], tmp_path: Path
) -> None:
    happen(1, hours=200)
    assert verify(exported, tmp_path) == []
    export(exported, tmp_path)
    assert verify(exported, tmp_path) == []

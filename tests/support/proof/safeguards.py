"""The safeguards, each as the change that takes it out of a copy of the package."""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipelines import ROOT

from proof.processes import environment

if TYPE_CHECKING:
    from pathlib import Path

PACKAGE = ROOT / "target-infor-cloudsuite" / "target_infor_cloudsuite"


@dataclass(frozen=True, slots=True)
class Change:
    """One text of the source and what takes its place."""

    module: str
    old: str
    new: str
    times: int = 1


#: What is taken out, and how. A change whose text is no longer in the source ends the test by name.
SAFEGUARDS: dict[str, tuple[Change, ...]] = {
    "write-ahead row": (
        Change(
            "ion/flight.py",
            "            self.before(index)\n            self._air[self.send(batch)] = index\n",
            "            sent = self.send(batch)\n            wait([sent])\n            sent.result()\n"
            "            self.before(index)\n            self._air[sent] = index\n",
        ),
    ),
    "CORI comparison": (
        Change(
            "posting/doubt.py",
            'for head in found.batches if head.get("CORI") == work.document.cori]',
            "for head in found.batches]",
        ),
    ),
    "settle time": (
        Change(
            "posting/doubt.py",
            "default=context.clock.now() - context.settle) + context.settle",
            "default=context.clock.now())",
        ),
    ),
    "fencing": (
        Change(
            "ledger/documents.py",
            '    documents.c.claimed_by == bindparam("its_holder"), '
            'documents.c.claim_token == bindparam("its_token")\n',
            '    bindparam("its_holder") != "", bindparam("its_token") > -1\n',
        ),
    ),
    "unique identity": (
        Change(
            "ledger/identities.py",
            "    while (held := holder(tx, identity)) is None:\n",
            '    if identity.startswith("m3:"):\n        return document_id\n'
            "    while (held := holder(tx, identity)) is None:\n",
        ),
    ),
    "truncation guard": (
        Change("posting/already_there.py", "len(answer.records) >= LIST_LIMIT", "False"),
        Change("posting/batches.py", "len(answer.records) % _SMELLS_OF_A_CAP == 0", "False"),
    ),
}


#: What makes the loss of a safeguard show soon.
EMPHASIS = {"fencing": "workers", "CORI comparison": "strangers", "truncation guard": "strangers"}


def copy_without(safeguard: str, folder: Path) -> Path:
    """Copy the package into a folder, without a safeguard; the folder.

    Raises:
        LookupError: The source no longer holds what is to be taken out.
    """
    copy = folder / PACKAGE.name
    shutil.copytree(PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__"))
    for change in SAFEGUARDS[safeguard]:
        path = copy / change.module
        source = path.read_text("utf-8")
        if source.count(change.old) != change.times:
            raise LookupError(
                f"{change.module} holds {change.old!r} {source.count(change.old)} times, not {change.times}: "
                f"say in {__file__} how '{safeguard}' is taken out of the source as it is now."
            )
        path.write_text(source.replace(change.old, change.new), "utf-8")
    return folder


def run_seeds_with(
    folder: Path | None, count: int, *, emphasis: str = ""
) -> subprocess.CompletedProcess[str]:
    """The simulation with the package of a folder, until a seed is red; with None the package as it is."""
    return subprocess.run(
        [
            *(sys.executable, "-m", "proof.seeds", "0", "--count", str(count), "--until-red"),
            *("--emphasis", emphasis),
        ],
        env=environment(*([folder] if folder else [])),
        capture_output=True,
        text=True,
        check=False,
    )

"""Trims an export of MI field lists to what the target uses; see data/README.md."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from target_infor_cloudsuite.m3.catalog import USED


def trim(export: dict[str, Any]) -> dict[str, Any]:
    """Keep the input fields of the transactions in `USED`, without their descriptions.

    Raises:
        KeyError: the export lacks a transaction that the target uses.
    """
    trimmed: dict[str, Any] = {}
    for program, names in USED.items():
        transactions = export[program]["transactions"]
        trimmed[program] = {
            name: {
                "releases": transactions[name]["in_releases"],
                "fields": [
                    [f["name"], f["type"] or "", f["length"], f["mandatory"], f.get("only_in", "")]
                    for f in transactions[name]["in"]
                ],
            }
            for name in names
        }
    return trimmed


if __name__ == "__main__":
    full = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    sys.stdout.write(
        "{\n"
        + ",\n".join(
            f"{json.dumps(program)}: {{\n"
            + ",\n".join(f" {json.dumps(name)}: {json.dumps(known)}" for name, known in transactions.items())
            + "\n}"
            for program, transactions in trim(full).items()
        )
        + "\n}\n"
    )

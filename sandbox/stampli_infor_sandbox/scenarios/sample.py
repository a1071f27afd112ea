"""The sample: a made-up group with about forty suppliers and a few days of exports (package data)."""

from __future__ import annotations

import gzip
import json
from importlib import resources

from stampli_infor_sandbox.scenarios.base import Scenario


def sample() -> Scenario:
    """The sample scenario; a file named ``*.csv.gz`` here lies uncompressed in the package."""
    folder = resources.files("stampli_infor_sandbox").joinpath("samples")
    data = json.loads(folder.joinpath("master.json").read_text("utf-8"))
    files: dict[str, bytes] = {}
    for entry in folder.iterdir():
        if not entry.name.endswith(".csv"):
            continue
        content = entry.read_bytes()
        if entry.name in data["gzip"]:
            files[entry.name + ".gz"] = gzip.compress(content, mtime=0)
        else:
            files[entry.name] = content
    return Scenario(
        cono=data["cono"],
        divi=data["divi"],
        master=data["master"],
        invoices=data["invoices"],
        files=files,
    )


def empty() -> Scenario:
    """The sample's master data without a file or an invoice."""
    full = sample()
    return Scenario(cono=full.cono, divi=full.divi, master=full.master)

"""What the README shows runs, and what it lists is all there is."""

from __future__ import annotations

import re
from pathlib import Path

from stampli_infor_transforms.tables import TABLES

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")


def test_example_runs() -> None:
    (example,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    exec(compile(example, "README.md", "exec"), {})  # noqa: S102 - our own README


def test_crosswalk_columns_are_listed() -> None:
    rows = dict(re.findall(r"^\| `(\w+\.csv)` \| (.+) \|$", README, re.MULTILINE))
    assert rows == {name: ", ".join(table.columns) for name, table in TABLES.items()}

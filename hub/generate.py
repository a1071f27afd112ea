"""Write the plugins' definitions as Meltano Hub keeps them, from meltano.yml and the plugins' own --about.

Run by ``make hub``; a test fails when what is here is not what this would write.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[1]
VARIANT = "stampli-infor"
#: Whoever publishes a definition puts the repository's address here.
REPOSITORY = "https://git.example.com/stampli-infor"
_TAP = f"git+{REPOSITORY}#subdirectory=tap-stampli-sftp"
_TARGET = f"git+{REPOSITORY}#subdirectory=transforms git+{REPOSITORY}#subdirectory=target-infor-cloudsuite"
#: File -> kind of plugin, its name in meltano.yml, where pip finds it, what the Hub searches by.
PLUGINS: dict[str, tuple[str, str, str, list[str]]] = {
    "tap-stampli-sftp": ("extractors", "tap-stampli-sftp", _TAP, ["sftp", "file", "invoices"]),
    "target-infor-cloudsuite": ("loaders", "target-infor-cloudsuite", _TARGET, ["erp", "invoices"]),
    "stampli-to-infor": ("mappers", "stampli-infor-mapper", _TARGET, ["erp", "invoices"]),
}
_TAKEN_OVER = (
    "name",
    "namespace",
    "label",
    "description",
    "executable",
    "capabilities",
    "settings_group_validation",
    "commands",
)


def definitions() -> dict[str, str]:
    """File name -> its YAML."""
    project = yaml.safe_load((ROOT / "meltano.yml").read_text("utf-8"))
    written = {}
    for file, (kind, name, pip_url, keywords) in PLUGINS.items():
        plugin = next(each for each in project["plugins"][kind] if each["name"] == name)
        defaults = {
            key: schema["default"]
            for key, schema in _about(plugin["executable"])["settings"]["properties"].items()
            if schema.get("default") not in (None, "", {})
        }
        definition = {key: plugin[key] for key in _TAKEN_OVER if key in plugin} | {
            "variant": VARIANT,
            "repo": REPOSITORY,
            "pip_url": pip_url,
            "maintenance_status": "beta",
            "keywords": ["meltano_sdk", *keywords],
            "settings": [
                setting | ({"value": defaults[setting["name"]]} if setting["name"] in defaults else {})
                for setting in plugin["settings"]
            ],
        }
        text = yaml.safe_dump(definition, sort_keys=False, allow_unicode=True, width=110)
        written[f"{file}.yml"] = f"# Written by `make hub`.\n{text}"
    return written


def _about(executable: str) -> dict[str, Any]:
    command = [str(Path(sys.executable).parent / executable), "--about", "--format=json"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603 - our own plugin
    read: dict[str, Any] = json.loads(done.stdout)
    return read


if __name__ == "__main__":
    for name, text in definitions().items():
        (ROOT / "hub" / name).write_text(text, "utf-8")

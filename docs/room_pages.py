"""mkdocs hook: the rooms' READMEs are pages of the site too, so that nothing has to be said twice."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from mkdocs.structure.files import File

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files
    from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parents[1]
ROOMS = ("tap-stampli-sftp", "transforms", "target-infor-cloudsuite", "sandbox", "bench")
SOURCES = {f"rooms/{room}.md": f"{room}/README.md" for room in ROOMS} | {"rooms/security.md": "SECURITY.md"}
_LINK = re.compile(r"\]\(\.\./(?P<path>[\w./-]+\.md)(?P<anchor>#[\w-]+)?\)")
_PAGES = {source: page for page, source in SOURCES.items()}


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add a page for each README that lies outside of docs/."""
    for page, source in SOURCES.items():
        files.append(File.generated(config, page, abs_src_path=str(ROOT / source)))
    return files


def on_page_markdown(markdown: str, page: Page, **_: object) -> str:
    """Let links lead to those pages; in the repository they lead to the files themselves."""
    up = "../" if page.file.src_uri.startswith("rooms/") else ""

    def to_page(link: re.Match[str]) -> str:
        path = link["path"].removeprefix("docs/")
        return f"]({up}{_PAGES.get(link['path'], path)}{link['anchor'] or ''})"

    return _LINK.sub(to_page, markdown)

"""The names of one company's suppliers: exact matches, and suggestions that say what differs."""

from __future__ import annotations

from collections import defaultdict
from functools import cached_property
from typing import TYPE_CHECKING

from stampli_infor_transforms.lookalikes import NameIndex
from stampli_infor_transforms.names import legal_forms, normalise_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


class SupplierNames:
    """Names by supplier number, indexed when first asked for.

    Args:
        names: SUNO to name, in the order that decides between equals.
    """

    def __init__(self, names: Mapping[str, str]) -> None:
        self._names = names
        self._suggested: dict[str, tuple[str, ...]] = {}

    def with_names(self, names: Mapping[str, str]) -> SupplierNames:
        """Return these names with some added or changed; the same object where that changes nothing."""
        if all(self._names.get(suno) == name for suno, name in names.items()):
            return self
        return SupplierNames({**self._names, **names})

    def named(self, name: str) -> tuple[str, ...]:
        """Return the numbers of those whose normalised name is that of `name`."""
        wanted = normalise_name(name)
        return tuple(self._by_name.get(wanted, ())) if wanted else ()

    def suggest(self, name: str) -> tuple[str, ...]:
        """Return up to three suppliers like ``Y2001 Example AG (92 %; legal form gmbh / ag)``, best first."""
        wanted = normalise_name(name)
        if not wanted:
            return ()
        known = self._suggested.get(wanted)
        if known is None:
            known = tuple(self._suggestion(wanted, at, score) for at, score in self._index.nearest(wanted))
            self._suggested[wanted] = known
        return known

    def _suggestion(self, wanted: str, at: int, score: int) -> str:
        suno = self._sunos[at]
        what = difference(wanted, self._normalised[at])
        return f"{suno} {self._names[suno]} ({score} %{'; ' if what else ''}{what})"

    @cached_property
    def _sunos(self) -> list[str]:
        return list(self._names)

    @cached_property
    def _normalised(self) -> list[str]:
        return [normalise_name(name) for name in self._names.values()]

    @cached_property
    def _by_name(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = defaultdict(list)
        for suno, name in zip(self._sunos, self._normalised, strict=True):
            found[name].append(suno)
        return dict(found)

    @cached_property
    def _index(self) -> NameIndex:
        return NameIndex(self._normalised)


def difference(given: str, found: str) -> str:
    """Return what differs between two normalised names, in a clerk's words; '' where nothing does."""
    mine, theirs = given.split(" "), found.split(" ")
    if mine == theirs:
        return ""
    if sorted(mine) == sorted(theirs):
        return "other word order"
    if "".join(mine) == "".join(theirs):
        return "other blanks"
    only_mine = [word for word in mine if word not in theirs]
    only_theirs = [word for word in theirs if word not in mine]
    forms = legal_forms()
    own_form, its_form = _joined(only_mine, forms), _joined(only_theirs, forms)
    parts = [f"legal form {own_form or 'none'} / {its_form or 'none'}"] if own_form or its_form else []
    own, its = (" ".join(word for word in words if word not in forms) for words in (only_mine, only_theirs))
    if own and its:
        parts.append(f"{_cut(own)} / {_cut(its)}")
    elif own or its:
        parts.append(f"without {_cut(own)}" if own else f"also {_cut(its)}")
    return ", ".join(parts) or "a word twice"


def _joined(words: Iterable[str], forms: frozenset[str]) -> str:
    return " ".join(word for word in words if word in forms)


def _cut(text: str, most: int = 40) -> str:
    return text if len(text) <= most else f"{text[: most - 3]}..."

"""Company names as they compare.

`fingerprints` knows the legal forms of the world; only its table is used. Its own cleaning needs ICU and maps
every script to ASCII, which would make different names alike; and it takes a form for another one that is
merely
akin (GmbH & Co. KG for GmbH, PAO for RAO, Pte Ltd for Ltd), which are two companies of one group often
enough.
"""

from __future__ import annotations

import csv
import re
import unicodedata
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from fingerprints.types.data import TYPES

if TYPE_CHECKING:
    from collections.abc import Sequence

_DROPPED: Final = re.compile("[.'`\u2019\u00b4]")
# C++ and C# are names of their own; elsewhere these two signs separate as any other does.
_SEPARATORS: Final = re.compile(r"(?:[^\w+#]|_|(?<!\w)(?<![+#])[+#]+|[+#]+(?=\w))+")
_ACCENTS: Final = re.compile("(?<=[a-z])[\u0300-\u036f]+")
_LITTLE_WORDS: Final = frozenset(
    [
        "a",
        "al",
        "cu",
        "d",
        "da",
        "de",
        "del",
        "des",
        "di",
        "do",
        "e",
        "en",
        "et",
        "i",
        "me",
        "met",
        "mit",
        "of",
        "op",
        "per",
        "s",
        "te",
        "z",
    ]
)
_SHORT_FORM: Final = 5
# Abbreviated like legal forms, but of a name: Import, Export, International, Enterprise.
_NO_FORMS: Final = frozenset({"imp", "imp and", "exp", "intl", "ent"})
# What the table lacks, or takes for a form of another country.
_ALSO: Final = Path(__file__).with_name("legal_forms.csv")
# Written without blanks, in full or as one sign in brackets: Kabushiki, Yugen and Godo Kaisha.
_EAST_ASIAN: Final = re.compile(r"株式会社|有限会社|合同会社|有限公司|\([株有合]\)")
_IN_BRACKETS: Final = {"(株)": "株式会社", "(有)": "有限会社", "(合)": "合同会社"}


def normalise_name(name: str) -> str:
    """Return the name for an exact comparison.

    Case, accents and punctuation do not count, and a legal form that is written out is abbreviated. Forms are
    never dropped, and none is taken for another one: Example Ltd and Example Inc are two companies.
    """
    cleaned = _clean(name)
    forms, finder = _forms()
    return finder.sub(lambda match: forms[match.group()], cleaned)


def _also() -> dict[str, str]:
    with _ALSO.open(encoding="utf-8", newline="") as file:
        return {row["form"]: row["abbreviation"] for row in csv.DictReader(file)}


@cache
def legal_forms() -> frozenset[str]:
    """Return the words that are legal forms, as `normalise_name` writes them."""
    table = frozenset(_clean(each["main"]) for each in TYPES["types"])
    return (table | frozenset(_also().values()) | frozenset(_IN_BRACKETS.values())) - _NO_FORMS


def _clean(text: str) -> str:
    compatible = unicodedata.normalize("NFKC", text).casefold()
    if not compatible.isascii():
        compatible = _EAST_ASIAN.sub(
            lambda form: f" {_IN_BRACKETS.get(form.group(), form.group())} ", compatible
        )
    decomposed = unicodedata.normalize("NFKD", compatible)
    composed = unicodedata.normalize("NFC", _ACCENTS.sub("", decomposed))
    return _SEPARATORS.sub(" ", _DROPPED.sub("", composed)).strip()


@cache
def _forms() -> tuple[dict[str, str], re.Pattern[str]]:
    """Return what is written out -> its abbreviation, and the pattern that finds it in a cleaned name."""
    found = _also()
    for each in TYPES["types"]:
        main = _clean(each["main"])
        for form in map(_clean, each["forms"]):
            words = form.split(" ")
            is_word = len(words) > 1 or len(form) > _SHORT_FORM
            if main and form != main and is_word and _abbreviates(main.replace(" ", ""), words):
                found.setdefault(form, main)
    longest_first = sorted(found, key=lambda form: (-len(form), form))
    return found, re.compile(rf"\b(?:{'|'.join(map(re.escape, longest_first))})\b")


def _abbreviates(main: str, words: Sequence[str]) -> bool:
    """Whether each word gives its first letter to the abbreviation, in order; little words need not."""
    if not words:
        return not main
    word, rest = words[0], words[1:]
    if word in _LITTLE_WORDS and _abbreviates(main, rest):
        return True
    if not main.startswith(word[:1]):
        return False
    taken = 1
    if _abbreviates(main[taken:], rest):
        return True
    for letter in word[1:]:
        if main[taken : taken + 1] == letter:
            taken += 1
            if _abbreviates(main[taken:], rest):
                return True
    return False

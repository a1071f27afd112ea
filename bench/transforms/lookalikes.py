"""Names that look like others: what a supplier register of 50,000 holds beside the one that is meant.

Everything follows from a seed, so that test and bench see the same register each time.
"""

from __future__ import annotations

import csv
import os
import random
import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

NAMES: Final = Path(__file__).resolve().parents[3] / "shared" / "data" / "names"
FORMS: Final = (
    "Ltd", "plc", "GmbH", "AG", "Inc", "LLC", "BV", "NV", "SA", "SARL", "KG", "GmbH & Co. KG",
    "AB", "Oy", "A/S", "SpA", "Srl", "Corp", "Group", "and Sons",
)  # fmt: skip
TRADES: Final = (
    "Holding", "Holdings", "Betriebs", "Trading", "Services", "Logistics", "Immobilien", "Systems",
    "International", "Deutschland", "UK", "Nederland", "2", "1998", "West", "Consulting", "Real Estate",
)  # fmt: skip
_ONSETS: Final = (
    "B",
    "Br",
    "D",
    "F",
    "G",
    "Gr",
    "H",
    "K",
    "Kr",
    "L",
    "M",
    "N",
    "P",
    "R",
    "S",
    "Sch",
    "T",
    "V",
    "W",
    "Z",
)
_VOWELS: Final = ("a", "e", "i", "o", "u", "ie", "au", "ei", "oe", "ue")
_CODAS: Final = (
    "ber",
    "den",
    "ff",
    "hn",
    "ker",
    "ller",
    "mann",
    "ner",
    "r",
    "rt",
    "ski",
    "son",
    "ssen",
    "tz",
    "witz",
)
_LETTERS: Final = "bcdfghjklmnprstvwz"
_VOWEL_LETTERS: Final = "aeiou"
HALF: Final = 0.5


def twins() -> list[tuple[str, str]]:
    """Return (name, the same name as somebody else wrote it) of the public test set; [] where it is not here.

    Raises:
        FileNotFoundError: it is not here, but this is CI.
    """
    files = [NAMES / name for name in ("dnb_test_names.csv", "dnb_adjusted_test_names.csv")]
    if not all(file.is_file() for file in files) and os.environ.get("CI") != "true":
        return []
    names, changed = (_names(file) for file in files)
    return list(zip(names, changed, strict=True))


def register(
    wanted: Iterable[str], size: int, *, seed: int = 4, never: frozenset[str] = frozenset()
) -> list[str]:
    """Return `size` names in an order of chance: those wanted, and look-alikes of theirs and of each other.

    Args:
        wanted: names that have to be there, each once.
        size: how many there are to be.
        seed: another seed, another register.
        never: names that no look-alike may have, e.g. the changed names that are searched for.
    """
    rng = random.Random(seed)  # noqa: S311 - test data
    names = list(dict.fromkeys(wanted))
    found = dict.fromkeys(names)
    for name in names:
        found.update(dict.fromkeys(_relatives(name, rng)))
    surnames = sorted(
        {word for name in names for word in re.findall(r"[^\W\d_]{4,}", name)} - set(FORMS)
    ) or ["Lehner"]
    while len(found) < size + len(never):
        base = _invented(rng, surnames)
        found.update(dict.fromkeys((base, *_relatives(base, rng, at_most=3))))
    forbidden = {_bare(name) for name in never}
    kept = [name for name in found if name in names or _bare(name) not in forbidden][:size]
    rng.shuffle(kept)
    return kept


def _relatives(name: str, rng: random.Random, *, at_most: int = 20) -> list[str]:
    """Return names of the same house and of others that sound like it."""
    ways = [
        *[_another_form] * 8,
        *[_another_trade] * 4,
        *[_another_letter] * 4,
        *[_another_name] * 4,
    ]
    return [way(name, rng) for way in (ways if at_most >= len(ways) else rng.sample(ways, at_most))]


def _bare(name: str) -> str:
    return re.sub(r"[\W_]+", " ", name.casefold()).strip()


def _names(file: Path) -> list[str]:
    with file.open(encoding="utf-8", newline="") as lines:
        return [row["company_name"] for row in csv.DictReader(lines)]


def _surname(rng: random.Random) -> str:
    return rng.choice(_ONSETS) + rng.choice(_VOWELS) + rng.choice(_CODAS)


def _invented(rng: random.Random, surnames: list[str]) -> str:
    names = [rng.choice(surnames) if rng.random() < HALF else _surname(rng) for _ in range(rng.randint(1, 3))]
    if len(names) == 1:
        return f"{names[0]} {rng.choice(FORMS)}"
    return "-".join(names[:2]) if rng.random() < HALF else " and ".join((", ".join(names[:-1]), names[-1]))


def _another_form(name: str, rng: random.Random) -> str:
    first, _, last = name.rpartition(" ")
    return f"{first if first and last in FORMS else name} {rng.choice(FORMS)}"


def _another_letter(name: str, rng: random.Random) -> str:
    """Kehner for Lehner: one letter of a name, never of its form or of an 'and'."""
    words = list(re.finditer(r"[A-Z][^\W\d_]{3,}", name))
    words = [word for word in words if word.group() not in FORMS] or words
    if not words:
        return f"{name} {rng.choice(FORMS)}"
    word = rng.choice(words)
    index = word.start() if rng.random() < HALF else rng.randrange(word.start() + 1, word.end())
    letter = rng.choice(_VOWEL_LETTERS if name[index] in _VOWEL_LETTERS else _LETTERS)
    return name[:index] + (letter.upper() if name[index].isupper() else letter) + name[index + 1 :]


def _another_trade(name: str, rng: random.Random) -> str:
    first, _, last = name.rpartition(" ")
    trade = rng.choice(TRADES)
    return f"{first} {trade} {last}" if first and last in FORMS else f"{name} {trade}"


def _another_name(name: str, rng: random.Random) -> str:
    words = name.split(" ")
    words[rng.randrange(len(words))] = _surname(rng)
    return " ".join(words)

"""Which of many company names come nearest to one that has no exact match.

Two steps, so that it is quick among 50,000: an index of letter triples gives the hundred names that share
the rarest of them, and only those are compared in full. What people and machines do to names counts little:
blanks, word order, umlauts written out, 'and' for '&', initials for first names, words abbreviated, a cut
end, another legal form, another script, or nothing but the initials of the whole name.
"""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
from anyascii import anyascii
from rapidfuzz import process
from rapidfuzz.distance import OSA

from stampli_infor_transforms.names import legal_forms

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

HOW_MANY: Final = 3
LEAST_SCORE: Final = 50
_LONGEST_QUERY: Final = 100
_VISITED: Final = 15_000
_SHORTLIST: Final = 50
# Looked at are those that share so much of what the best one does: the first of these that makes enough.
_POOL: Final = 120
_SHARES: Final = (0.7, 0.55, 0.45, 0.35, 0.25, 0.15, 0.05)
_COMPARED: Final = 8
_OTHER_FORM: Final = 8
_NO_FORM: Final = 5
_CUT: Final = 12
_LEAST_CUT: Final = 8
_INITIALS: Final = 5
_READING: Final = 0.8

_ACRONYMS: Final = range(3, 7)
_OF_INITIALS: Final = 60
_SHORT_WORD: Final = 5

_DIGRAPHS: Final = re.compile("(?<=[aou])e")
_AND: Final = frozenset({"and", "und", "et", "en", "og", "och", "the"})


class Looks:
    """How a normalised name looks when what people vary does not count."""

    __slots__ = ("core", "form", "initials", "joined", "ordered", "whole", "words")

    def __init__(self, name: str) -> None:
        latin = name if name.isascii() else anyascii(name).lower()
        words = _DIGRAPHS.sub("", latin).split()
        forms = legal_forms()
        self.words = [word for word in words if word not in _AND] or words
        self.whole = "".join(words)
        self.joined = "".join(self.words)
        self.ordered = "".join(sorted(self.words))
        self.form = " ".join(sorted(word for word in self.words if word in forms))
        bare = [word for word in self.words if word not in forms]
        self.core = "".join(bare) or self.joined
        self.initials = "".join(word[0] for word in bare)


class _Posting(NamedTuple):
    """The names that have a letter triple, and how much it says that a name has it."""

    places: NDArray[np.intp]
    rarity: float


class NameIndex:
    """The names of one register, indexed once.

    Args:
        names: as `names.normalise_name` writes them.
    """

    def __init__(self, names: Sequence[str]) -> None:
        self._looks = [Looks(name) for name in names]
        found: defaultdict[str, list[int]] = defaultdict(list)
        by_initials: defaultdict[str, list[int]] = defaultdict(list)
        by_core: defaultdict[str, list[int]] = defaultdict(list)
        for at, looks in enumerate(self._looks):
            for gram in _grams(looks.whole):
                found[gram].append(at)
            if len(looks.initials) in _ACRONYMS:
                by_initials[looks.initials].append(at)
            if len(looks.core) in _ACRONYMS:
                by_core[looks.core].append(at)
        self._with_gram = {
            gram: _Posting(np.array(places), math.log(1 + len(names) / len(places)))
            for gram, places in found.items()
        }
        self._by_initials, self._by_core = dict(by_initials), dict(by_core)
        self._weight = np.zeros(len(names))
        for each in self._with_gram.values():
            self._weight[each.places] += each.rarity
        self._known = Counter(word for looks in self._looks for word in looks.words)

    def nearest(self, name: str) -> list[tuple[int, int]]:
        """Return (position, score of 100) of the three names that come nearest, best first."""
        query = Looks(name[:_LONGEST_QUERY])
        scored = {at: _alike(query, self._looks[at]) for at in self._compared(query)}
        for at in self._same_initials(query):
            scored[at] = max(scored.get(at, 0.0), _OF_INITIALS)
        # Of near equals, that of better known words; then the earlier, so that the answer never wavers.
        best = sorted(
            (-round(score), -self._usual(at), at) for at, score in scored.items() if score >= LEAST_SCORE
        )
        return [(at, -score) for score, _, at in best[:HOW_MANY]]

    def _usual(self, at: int) -> int:
        return min((self._known[word] for word in self._looks[at].words), default=0)

    def _compared(self, query: Looks) -> list[int]:
        """Return the positions to compare in full: of the shortlist those that look alike at a glance."""
        near = self._shortlist(query)
        if len(near) <= _COMPARED:
            return near
        looks = [self._looks[at] for at in near]
        glances = (
            ([query.whole], [each.whole for each in looks]),
            ([query.ordered], [each.ordered for each in looks]),
            ([query.core], [each.core for each in looks]),
        )
        hits: dict[int, None] = {}
        for mine, theirs in glances:
            alike = process.cdist(mine, theirs, scorer=OSA.normalized_similarity)[0]
            best = np.argsort(-alike, kind="stable")[:_COMPARED]
            hits.update((near[int(place)], None) for place in best)
        return list(hits)

    def _shortlist(self, query: Looks) -> list[int]:
        """Return the positions that share the most of the query's rare triples: of it, or of both names."""
        known = [each for gram in _grams(query.whole) if (each := self._with_gram.get(gram)) is not None]
        rare: list[_Posting] = []
        visited = 0
        for each in sorted(known, key=lambda posting: len(posting.places)):
            visited += len(each.places)
            if visited > _VISITED and rare:
                break
            rare.append(each)
        if not rare:
            return []
        weights = np.repeat([each.rarity for each in rare], [len(each.places) for each in rare])
        places = np.concatenate([each.places for each in rare])
        shared = np.bincount(places, weights, len(self._looks)).astype(np.float64)
        best = float(shared.max())
        for share in _SHARES:
            near = np.flatnonzero(shared >= best * share)
            if len(near) >= _POOL:
                break
        both = shared[near] / (self._weight[near] + sum(each.rarity for each in rare))
        return list(dict.fromkeys([*_highest(near, both), *_highest(near, shared[near])]))

    def _same_initials(self, query: Looks) -> Iterator[int]:
        """Return the names of which this one is the initials, or that are its initials."""
        if len(query.core) in _ACRONYMS:
            yield from self._by_initials.get(query.core, ())[:HOW_MANY]
        if len(query.initials) in _ACRONYMS:
            yield from self._by_core.get(query.initials, ())[:HOW_MANY]


def _highest(places: NDArray[np.intp], values: NDArray[np.float64]) -> list[int]:
    """Return the places of the highest values, the earlier of equals first."""
    order = np.argsort(-values, kind="stable")[:_SHORTLIST]
    return [int(at) for at in places[order]]


def _grams(text: str) -> list[str]:
    padded = f"^{text}$"
    return list(dict.fromkeys(padded[at : at + 3] for at in range(len(padded) - 2)))


def _ratio(one: str, other: str) -> float:
    return 100 * OSA.normalized_similarity(one, other)


def _alike(one: Looks, other: Looks) -> float:
    """Return how alike two names are, 0 to 100: the best of several ways to read them."""
    plain = max(
        _ratio(one.whole, other.whole), _ratio(one.joined, other.joined), _ratio(one.ordered, other.ordered)
    )
    found = plain
    if one.form != other.form:
        # The legal form is what people leave out or mistake more readily than a letter of the name.
        loss = _OTHER_FORM if one.form and other.form else _NO_FORM
        found = max(found, _ratio(one.core, other.core) - loss)
    length = min(len(one.joined), len(other.joined))
    if length >= _LEAST_CUT and len(one.joined) != len(other.joined):
        found = max(found, _ratio(one.joined[:length], other.joined[:length]) - _CUT)
    shortened = _as_short_as_each_other(one.words, other.words)
    if shortened is not None:
        found = max(found, _ratio(*shortened) - _INITIALS)
    return _READING * found + (1 - _READING) * plain


def _as_short_as_each_other(one: Sequence[str], other: Sequence[str]) -> tuple[str, str] | None:
    """Return both names with each word as short as the other one has it; None where nothing is shortened.

    A word is short for another one that has all its letters in their order, the first one first: M. for
    Meier, Mfg for Manufacturing, Bros for Brothers.
    """
    mine, theirs = set(one) - set(other), set(other) - set(one)
    short = {
        long: word
        for shorter, longer in ((mine, theirs), (theirs, mine))
        for word in shorter
        if len(word) <= _SHORT_WORD
        for long in longer
        if long[0] == word[0] and len(long) > len(word) + 1 and _has_in_order(long, word)
    }
    if not short:
        return None
    return (
        "".join(sorted(short.get(word, word) for word in one)),
        "".join(sorted(short.get(word, word) for word in other)),
    )


def _has_in_order(long: str, word: str) -> bool:
    letters = iter(long)
    return all(letter in letters for letter in word)

"""Which of many company names come nearest to one that has no exact match.

Two steps, so that it is quick among 50,000: an index of letter triples gives the few hundred names that
share the
rarest of them, and only those are compared in full. What people and machines do to names counts little:
blanks,
word order, umlauts written out, 'and' for '&', initials for first names, a cut end, another legal form.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from itertools import islice
from typing import TYPE_CHECKING, Final

from rapidfuzz import fuzz, process
from rapidfuzz.distance import OSA

from stampli_infor_transforms.names import legal_forms

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

HOW_MANY: Final = 3
LEAST_SCORE: Final = 50
_LONGEST_QUERY: Final = 100
_VISITED: Final = 10000
_SHORTLIST: Final = 800
_COMPARED: Final = 20
_OTHER_FORM: Final = 8
_NO_FORM: Final = 5
_CUT: Final = 12
_LEAST_CUT: Final = 8
_INITIALS: Final = 5
_READING: Final = 0.8

_DIGRAPHS: Final = re.compile("(?<=[aou])e")
_LETTERS: Final = str.maketrans(
    {"ø": "o", "æ": "a", "œ": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "t", "\u0131": "i"}
)
_AND: Final = frozenset({"and", "und", "et", "en", "og", "och", "the"})


class Looks:
    """How a normalised name looks when what people vary does not count."""

    __slots__ = ("core", "form", "joined", "ordered", "whole", "words")

    def __init__(self, name: str) -> None:
        folded = _DIGRAPHS.sub("", name.translate(_LETTERS))
        words = folded.split(" ")
        forms = legal_forms()
        self.words = [word for word in words if word not in _AND] or words
        self.whole = "".join(words)
        self.joined = "".join(self.words)
        self.ordered = "".join(sorted(self.words))
        self.form = " ".join(sorted(word for word in self.words if word in forms))
        self.core = "".join(word for word in self.words if word not in forms) or self.joined


class NameIndex:
    """The names of one register, indexed once.

    Args:
        names: as `names.normalise_name` writes them.
    """

    def __init__(self, names: Sequence[str]) -> None:
        self._looks = [Looks(name) for name in names]
        self._joined = [looks.whole for looks in self._looks]
        self._ordered = [looks.ordered for looks in self._looks]
        found: defaultdict[str, list[int]] = defaultdict(list)
        for at, name in enumerate(self._joined):
            for gram in _grams(name):
                found[gram].append(at)
        self._with_gram = dict(found)
        self._known = Counter(word for looks in self._looks for word in looks.words)

    def nearest(self, name: str) -> list[tuple[int, int]]:
        """Return (position, score of 100) of the three names that come nearest, best first."""
        query = Looks(name[:_LONGEST_QUERY])
        scored = ((_alike(query, self._looks[at]), at) for at in self._shortlist(query))
        # Of near equals, that of better known words; then the earlier, so that the answer never wavers.
        best = sorted((-round(score), -self._usual(at), at) for score, at in scored if score >= LEAST_SCORE)
        return [(at, -score) for score, _, at in best[:HOW_MANY]]

    def _usual(self, at: int) -> int:
        return min(self._known[word] for word in self._looks[at].words)

    def _shortlist(self, query: Looks) -> Iterable[int]:
        """Return the positions that share the most of the query's rare triples."""
        postings = sorted(filter(None, map(self._with_gram.get, _grams(query.whole))), key=len)
        shared: Counter[int] = Counter()
        visited = 0
        for posting in postings:
            visited += len(posting)
            if visited > _VISITED and shared:
                break
            shared.update(posting)
        near = _most_shared(shared)
        if len(near) <= _COMPARED:
            return near
        hits: dict[int, None] = {}
        for text, names in ((query.whole, self._joined), (query.ordered, self._ordered)):
            ranked = process.extract(text, [names[at] for at in near], scorer=fuzz.ratio, limit=_COMPARED)
            hits.update((near[place], None) for _, _, place in ranked)
        return hits


def _most_shared(shared: Counter[int]) -> list[int]:
    """Return the `_SHORTLIST` positions with the highest counts; to sort takes longer."""
    wanted, least = _SHORTLIST, 1
    for level, count in sorted(Counter(shared.values()).items(), reverse=True):
        if count > wanted:
            least = level
            break
        wanted -= count
    else:
        return list(shared)
    above = [at for at, count in shared.items() if count > least]
    return above + list(islice((at for at, count in shared.items() if count == least), wanted))


def _grams(text: str) -> set[str]:
    padded = f"^{text}$"
    return {padded[at : at + 3] for at in range(len(padded) - 2)}


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
    if any(len(word) == 1 for word in (*one.words, *other.words)):
        found = max(found, _ratio(*_with_initials(one.words, other.words)) - _INITIALS)
    return _READING * found + (1 - _READING) * plain


def _with_initials(one: Sequence[str], other: Sequence[str]) -> tuple[str, str]:
    """Return both names with each word shortened to its initial where the other one has only that."""
    mine = {word for word in one if len(word) == 1}
    theirs = {word for word in other if len(word) == 1}
    return (
        "".join(sorted(word[0] if word[0] in theirs else word for word in one)),
        "".join(sorted(word[0] if word[0] in mine else word for word in other)),
    )

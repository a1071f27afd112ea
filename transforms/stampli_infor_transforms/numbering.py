"""Invoice numbers as people write them: as they stand in keys, and folded to find near duplicates."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

_BLANKS: Final = re.compile(r"\s+")
_SEPARATORS: Final = re.compile(r"[\W_]+")
# O, I and L are read as digits in a number, so a trailing one is a digit and no revision letter.
_SUFFIX: Final = re.compile(r"(?<=\d)-?(?:COPY|DUP|[^\W\d_OIL])-?$")
# An O counts as a zero only where a run begins: the O of PO7 belongs to the word.
_LEADING_ZEROS: Final = re.compile(r"(?:(?<!\d)(?<!\dO)0|(?<![^\W_])[O0])[O0]*(?=\d)")
_LOOKALIKES: Final = str.maketrans({"O": "0", "I": "1", "L": "1", "-": None})


def normalise_number(text: str) -> str:
    """Return the number as it stands in keys: NFKC, trimmed, upper case, inner blanks to one."""
    # Upper-casing can produce characters that NFKC composes anew, so it comes between two passes.
    upper = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).upper())
    return _BLANKS.sub(" ", upper).strip()


def fold_number(text: str) -> str:
    """Return the number without what people vary when they type it again.

    Letters and digits only; leading zeros of each digit run dropped; O=0 and I=L=1; one trailing letter, COPY
    or DUP after a digit dropped. A number of nothing but signs stays as it is, lest all of those be alike.
    """
    number = normalise_number(text)
    folded = _SEPARATORS.sub("-", number).strip("-")
    folded = _SUFFIX.sub("", folded)
    folded = _LEADING_ZEROS.sub("", folded)
    return folded.translate(_LOOKALIKES) or number

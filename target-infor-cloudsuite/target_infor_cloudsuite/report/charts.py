"""Plots as SVG: small, without script, and each with a title and a text for those who do not see it.

They hold shapes only and stretch with the page; numbers and names stand beside them as text of its own size.
Colours come from classes of the style sheet, so that light, dark and paper each have theirs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from markupsafe import Markup

if TYPE_CHECKING:
    from collections.abc import Sequence

_WIDTH: Final = 1000
_HEIGHT: Final = 100
#: What parts two neighbours, so that they are told apart without their colours.
_GAP: Final = 4
#: A few columns are no walls.
_WIDEST: Final = 60
#: What is there at all can be seen.
_LEAST: Final = 6

_FRAME = Markup(
    '<svg class="{kind}" viewBox="0 0 {width} {height}" preserveAspectRatio="none" role="img" '
    'aria-label="{title}. {text}"><title>{title}</title><desc>{text}</desc>{shapes}</svg>'
)
_SHAPE = Markup(
    '<rect class="{fill}" x="{x}" y="{y}" width="{width}" height="{height}"><title>{title}</title></rect>'
)


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a whole.

    Attributes:
        title: What it is called.
        value: How much of it there is.
        fill: The class that colours it.
        words: The value as it is shown; '' for the plain number.
    """

    title: str
    value: float
    fill: str
    words: str = ""

    @property
    def shown(self) -> str:
        """The value for a reader."""
        plain = f"{self.value:,.0f}" if float(self.value).is_integer() else f"{self.value:,.1f}"
        return self.words or plain


def share_bar(title: str, parts: Sequence[Part], *, whole: float | None = None) -> Markup:
    """One bar of parts side by side; negative ones are left out.

    Args:
        title: What it shows.
        parts: From left to right.
        whole: What the full width stands for; without it, all the parts together.
    """
    there = [part for part in parts if part.value > 0]
    whole = whole or sum(part.value for part in there) or 1
    room = _WIDTH - _GAP * max(0, len(there) - 1)
    widths = _fitting([part.value / whole * room for part in there], room)
    shapes, x = [], 0.0
    for part, width in zip(there, widths, strict=True):
        shapes.append(_shape(part.fill, x, 0, width, _HEIGHT, f"{part.title}: {part.shown}"))
        x += width + _GAP
    text = ", ".join(f"{part.title} {part.shown}" for part in there) or "Nothing"
    return _frame("bar", title, f"{text}.", shapes)


def columns(title: str, parts: Sequence[Part], *, top: float = 0) -> Markup:
    """Columns on a common base line, in their order.

    Args:
        title: What it shows.
        parts: From left to right.
        top: What the full height stands for, unless a part is higher.
    """
    most = max([top, *(part.value for part in parts)]) or 1
    width = min(_WIDEST, _WIDTH / max(1, len(parts)) - _GAP)
    # The first stands at the left end and the last at the right, where the axis names them.
    step = (_WIDTH - width) / max(1, len(parts) - 1)
    shapes = []
    for place, part in enumerate(parts):
        if part.value > 0:
            height = max(_LEAST, part.value / most * _HEIGHT)
            label = f"{part.title}: {part.shown}"
            shapes.append(_shape(part.fill, place * step, _HEIGHT - height, width, height, label))
    there = [part for part in parts if part.value > 0]
    highest = max(there, key=lambda part: part.value, default=None)
    text = "Nothing." if highest is None else f"Most: {highest.title}, {highest.shown}."
    return _frame("columns", title, text, shapes)


def _fitting(widths: Sequence[float], room: float) -> list[float]:
    """Widths in which everything can be seen and that together stay within the room."""
    raised = [max(width, _LEAST) for width in widths]
    excess = sum(raised) - room
    if excess <= 0:
        return raised
    # What the small ones were given, the others give, each by its size.
    spare = sum(width - _LEAST for width in raised)
    return [width - (width - _LEAST) * excess / spare for width in raised]


def _frame(kind: str, title: str, text: str, shapes: Sequence[Markup]) -> Markup:
    return _FRAME.format(
        kind=kind, width=_WIDTH, height=_HEIGHT, title=title, text=text, shapes=Markup("").join(shapes)
    )


def _shape(fill: str, x: float, y: float, width: float, height: float, title: str) -> Markup:  # noqa: PLR0913, PLR0917
    places = {"x": x, "y": y, "width": width, "height": height}
    return _SHAPE.format(fill=fill, title=title, **{name: f"{value:.1f}" for name, value in places.items()})

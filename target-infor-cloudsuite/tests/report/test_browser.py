"""The page in a real Chromium: on a phone, on a desk, on paper, by day and by night."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.report.browser import Browser
    from tests.report.conftest import Made

SIZES = (0, 1, 100_000)
#: Every element with text of its own, and the contrast of its colour to what is painted behind it.
CONTRASTS = """
(() => {
  const paint = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
  const rgb = colour => { paint.clearRect(0, 0, 1, 1); paint.fillStyle = colour; paint.fillRect(0, 0, 1, 1);
    return [...paint.getImageData(0, 0, 1, 1).data]; };
  const light = ([r, g, b]) => [r, g, b].map(v => v / 255)
    .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, at) => sum + v * [0.2126, 0.7152, 0.0722][at], 0);
  const ratio = (a, b) => { const [x, y] = [light(rgb(a)), light(rgb(b))];
    return (Math.max(x, y) + 0.05) / (Math.min(x, y) + 0.05); };
  const behind = node => { for (; node; node = node.parentElement) {
    const colour = getComputedStyle(node).backgroundColor; if (rgb(colour)[3] > 0) return colour; }
    return getComputedStyle(document.body).backgroundColor; };
  const found = [];
  document.querySelectorAll('details').forEach(each => { each.open = true; });
  for (const node of document.querySelectorAll('body *')) {
    if (node instanceof SVGElement) {
      if (node.tagName === 'rect')
        found.push(['rect', ratio(getComputedStyle(node).fill, behind(node.closest('section')))]);
    } else if ([...node.childNodes].some(each => each.nodeType === 3 && each.data.trim()))
      found.push([node.tagName + ' ' + node.textContent.slice(0, 30),
                  ratio(getComputedStyle(node).color, behind(node))]);
  }
  return found;
})()
"""
FILLS = """
['posted', 'moving', 'waiting', 'aside'].map(name => getComputedStyle(document.documentElement)
  .getPropertyValue('--' + name).trim())
"""
#: What eyes without one kind of cone make of linear RGB (Machado, Oliveira, Fernandes 2009, full severity).
DEFICIENCIES = {
    "protan": (
        (0.152286, 1.052583, -0.204868),
        (0.114503, 0.786281, 0.099216),
        (-0.003882, -0.048116, 1.051998),
    ),
    "deutan": (
        (0.367322, 0.860646, -0.227968),
        (0.280085, 0.672501, 0.047413),
        (-0.011820, 0.042940, 0.968881),
    ),
    "tritan": (
        (1.255528, -0.076749, -0.178779),
        (-0.078411, 0.930809, 0.147602),
        (0.004733, 0.691367, 0.303900),
    ),
}
SCHEMES = {"light": "rgb(245, 245, 242)", "dark": "rgb(16, 19, 23)"}


@pytest.mark.parametrize("count", SIZES)
@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("width", [360, 1280])
def test_it_loads_nothing_says_nothing_and_fits(
    count: int, scheme: str, width: int, made: Callable[[int], Made], browser: Browser
) -> None:
    page = made(count).path
    browser.open(page, width=width, dark=scheme == "dark")
    browser.value("document.querySelectorAll('details').forEach(each => { each.open = true; })")
    assert [each["request"]["url"] for each in browser.told("Network.requestWillBeSent")] == [page.as_uri()]
    assert browser.told("Log.entryAdded") == []
    assert browser.told("Runtime.consoleAPICalled") == []
    assert browser.told("Runtime.exceptionThrown") == []
    assert browser.told("Audits.issueAdded") == []
    assert browser.value("document.documentElement.scrollWidth") == width
    background = browser.value("getComputedStyle(document.body).backgroundColor")
    assert background == SCHEMES[scheme], "the policy names the style sheet's hash, so it is applied"


def test_the_policy_forbids_scripts_styles_and_pictures_from_anywhere(
    made: Callable[[int], Made], browser: Browser, tmp_path: Path
) -> None:
    """The same page with what an attacker would put in, as if the escaping had failed."""
    attack = (
        "<img src='http://127.0.0.1:9/x.png'><script>document.title = 'taken'</script>"
        "<style>body { background: red; }</style><p style='position: fixed'></p></body>"
    )
    taken = tmp_path / "taken.html"
    taken.write_text(made(1).text.replace("</body>", attack), "utf-8")
    browser.open(taken)
    said = " ".join(each["entry"]["text"] for each in browser.told("Log.entryAdded"))
    assert all(word in said for word in ("img-src", "script-src", "style-src", "Content Security Policy")), (
        said
    )
    assert browser.value("document.title") != "taken"
    assert browser.value("getComputedStyle(document.body).backgroundColor") == "rgb(245, 245, 242)"


@pytest.mark.parametrize("scheme", SCHEMES)
def test_everything_can_be_read_and_every_colour_told_from_the_others(
    scheme: str, made: Callable[[int], Made], browser: Browser
) -> None:
    browser.open(made(100_000).path, dark=scheme == "dark")
    found = browser.value(CONTRASTS)
    assert len(found) > 200
    too_weak = [each for each in found if each[1] < (3 if each[0] == "rect" else 4.5)]
    assert too_weak == []
    fills = [tuple(int(fill[at : at + 2], 16) / 255 for at in (1, 3, 5)) for fill in browser.value(FILLS)]
    assert len(set(fills)) == 4
    for kind, matrix in DEFICIENCIES.items():
        seen = [lab(simulated(fill, matrix)) for fill in fills]
        for at, one in enumerate(seen):
            for other in seen[at + 1 :]:
                apart = sum((a - b) ** 2 for a, b in zip(one, other, strict=True)) ** 0.5
                assert apart > 15, (kind, fills)


def test_the_keyboard_reaches_everything_and_sees_where_it_is(
    made: Callable[[int], Made], browser: Browser
) -> None:
    browser.open(made(100_000).path, width=360)
    wanted = browser.value("document.querySelectorAll('a[href], summary, [tabindex=\"0\"]').length")
    open_ones = browser.value("[...document.querySelectorAll('details:not([open]) [tabindex]')].length")
    reached = []
    for _ in range(wanted - open_ones):
        for event in ("keyDown", "keyUp"):
            browser.call("Input.dispatchKeyEvent", type=event, key="Tab", code="Tab", windowsVirtualKeyCode=9)
        reached.append(browser.value("document.activeElement.outerHTML"))
        assert browser.value("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    assert len(set(reached)) > wanted / 2
    assert "To the figures" in reached[0]
    assert all("<body" not in each for each in reached)


def test_every_plot_has_a_title_a_text_and_numbers_beside_it(
    made: Callable[[int], Made], browser: Browser
) -> None:
    browser.open(made(100_000).path)
    tree = browser.call("Accessibility.getFullAXTree")["nodes"]
    pictures = [
        each for each in tree if each.get("role", {}).get("value") in {"image", "img", "graphics-document"}
    ]
    names = [each["name"]["value"] for each in pictures if not each.get("ignored")]
    assert len(names) == browser.value("document.querySelectorAll('svg').length")
    assert all(names)
    assert browser.value("document.querySelectorAll('svg > title + desc').length") == len(names)
    headings = browser.value("[...document.querySelectorAll('h1, h2, h3')].map(each => +each.tagName[1])")
    assert headings[0] == 1
    assert all(after - before <= 1 for before, after in itertools.pairwise(headings))


@pytest.mark.parametrize("count", SIZES)
def test_paper_is_white_and_has_it_all_on_few_sheets(
    count: int, made: Callable[[int], Made], browser: Browser, tmp_path: Path
) -> None:
    browser.open(made(count).path, dark=True, media="print")
    assert browser.value("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert browser.value("getComputedStyle(document.querySelector('nav')).display") == "none"
    browser.open(made(count).path, dark=True)
    printed = tmp_path / "report.pdf"
    printed.write_bytes(browser.print())
    sheets = printed.read_bytes().count(b"/Type /Page\n")
    assert 1 <= sheets <= 12


def simulated(colour: tuple[float, ...], matrix: tuple[tuple[float, ...], ...]) -> tuple[float, ...]:
    linear = [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in colour]
    return tuple(min(1.0, max(0.0, sum(a * b for a, b in zip(row, linear, strict=True)))) for row in matrix)


def lab(linear: tuple[float, ...]) -> tuple[float, float, float]:
    """CIELAB of linear sRGB, D65."""
    rows = ((0.4124, 0.3576, 0.1805), (0.2126, 0.7152, 0.0722), (0.0193, 0.1192, 0.9505))
    white = (0.9505, 1.0, 1.089)
    x, y, z = (
        sum(a * b for a, b in zip(row, linear, strict=True)) / at for row, at in zip(rows, white, strict=True)
    )
    fx, fy, fz = (v ** (1 / 3) if v > 0.008856 else 7.787 * v + 16 / 116 for v in (x, y, z))
    return 116 * fy - 16, 500 * (fx - fy), 200 * (fy - fz)

"""Classes are told apart without colour: lines stand out from the ground for every reader, patterns differ."""

import re
from importlib.resources import files

import numpy as np
import pytest

from tests.vision import MACHADO, contrast, rgb_of, seen

PAGE = files("clearplan.outputs.page").joinpath("assets")
GROUND = rgb_of("#EEEEEE")


def text_of(name):
    return PAGE.joinpath(name).read_text(encoding="utf-8")


def class_lines():
    """Line colour of each class, as the page's script declares it."""
    block = re.search(r"var COLOUR = \{(.*?)\n\};", text_of("open.js"), flags=re.DOTALL).group(1)
    return dict(re.findall(r'(\w+): \{ fill: "#\w{6}", line: "(#\w{6})"', block))


def test_the_model_is_the_published_one():
    """Rows of the matrices sum to 1, so greys stay grey; black on white is 21 to 1 (WCAG 2.2)."""
    for kind, matrix in MACHADO.items():
        assert np.sum(matrix, axis=1) == pytest.approx(1.0, abs=2e-5), kind
        assert seen(rgb_of("#808080"), kind) == pytest.approx(rgb_of("#808080"), abs=1e-3)
    assert contrast(rgb_of("#000000"), rgb_of("#FFFFFF")) == pytest.approx(21)
    # Red and green of like lightness come near to one another for those who see no green.
    red, green = rgb_of("#D55E00"), rgb_of("#8C8C00")
    assert np.abs(seen(red, "deutan") - seen(green, "deutan")).max() < np.abs(red - green).max() / 2


@pytest.mark.parametrize("kind", [None, *MACHADO])
@pytest.mark.parametrize("land_class", ["CHA", "SHA", "indication"])
def test_lines_of_classes_stand_out_from_the_ground(land_class, kind):
    line, ground = rgb_of(class_lines()[land_class]), GROUND
    if kind is not None:
        line, ground = seen(line, kind), seen(ground, kind)
    assert contrast(line, ground) >= 3


@pytest.mark.parametrize("kind", [None, *MACHADO])
def test_lines_of_the_plan_and_of_priorities_stand_out(kind):
    lines = re.findall(r'line: "(#\w{6})"', text_of("open.js"))
    assert len(lines) >= 8
    # The palest, low priority, is drawn on top of its hazard's own line and is told by weight and legend, too.
    for line in set(lines) - {"#56B4E9"}:
        own, ground = rgb_of(line), GROUND
        if kind is not None:
            own, ground = seen(own, kind), seen(ground, kind)
        assert contrast(own, ground) >= 3, line


def test_classes_differ_by_pattern_and_line_style():
    """In the legend's swatches, which the map draws alike: no two have the same fill pattern and the same dashes."""
    swatches = re.findall(r"'<rect x=\"1\" y=\"1\" width=\"26\" height=\"16\" ([^']*?)/>'", text_of("ground.js"))
    styles = [
        (
            (re.search(r"url\(#([\w-]+)", words) or [None, "plain"])[1],
            (re.search(r'stroke-dasharray="([^"]+)"', words) or [None, "solid"])[1],
        )
        for words in swatches
    ]
    assert len(styles) >= 3
    assert len(set(styles)) == len(styles)
    assert ("plain", "solid") in styles  # confirmed: the one without hatching
    patterns = dict(re.findall(r'<pattern id="([\w-]+)"[^>]*>(.*?)</pattern>', text_of("map.html")))
    drawn = {name: re.sub(r'(fill|stroke)="#\w+"', "", inner) for name, inner in patterns.items()}
    assert len(set(drawn.values())) == len(drawn)

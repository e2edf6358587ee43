"""From a drawing to SVG text and to a picture: the same bytes twice, and nothing is written that can't be drawn."""

import numpy as np
import pytest
from PIL import Image

from clearplan.core.errors import OutputError, TableError
from clearplan.outputs.charts.results import draw_bridge
from clearplan.outputs.charts.style import save_chart, spread, to_svg
from tests.outputs.charts.test_results import bridge


def plain(name="plain", words="a"):
    return to_svg(name, (3.0, 2.0), words, "b", lambda figure: figure.subplots().set_title(words))


def test_any_chart_is_saved_as_a_picture_for_slides(tmp_path):
    for name in ("one.png", "two.png"):
        save_chart(draw_bridge, tmp_path / name, bridge(), title="Opening <to> closing")
    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "two.png").read_bytes()
    with Image.open(tmp_path / "one.png") as picture:
        assert picture.size == (1720, 840)  # 8.6 x 4.2 inches, 200 dots each
        assert picture.text["Title"] == "Opening <to> closing"
        assert "In km²: opening 48.00" in picture.text["Description"]
        assert "Creation Time" not in picture.text
    save_chart(draw_bridge, tmp_path / "one.svg", bridge())
    assert (tmp_path / "one.svg").read_text(encoding="utf-8") == draw_bridge(bridge())


def test_a_picture_that_cannot_be_drawn_or_named_leaves_nothing(tmp_path):
    with pytest.raises(OutputError, match=r"x.jpg: does not end with .png or .svg"):
        save_chart(draw_bridge, tmp_path / "x.jpg", bridge())
    with pytest.raises(TableError, match="no column opening_m2"):
        save_chart(draw_bridge, tmp_path / "x.png", bridge().drop(columns="opening_m2"))
    with pytest.raises(TableError, match="0 charts are drawn where one is wanted"):
        save_chart(lambda: "", tmp_path / "x.png")
    with pytest.raises(TableError, match="2 charts are drawn"):
        save_chart(lambda: plain() + plain(), tmp_path / "x.png")
    assert list(tmp_path.iterdir()) == []
    assert plain().startswith("<svg")  # what went wrong before is forgotten


def test_dollars_in_names_are_no_formula_and_titles_stay_text():
    text = plain(words="$x_1$ ${1+1} <script>")
    assert "<script" not in text
    assert "$x_1$ ${1+1} &lt;script&gt;" in text


def test_labels_keep_their_order_and_their_room():
    wanted = np.sort(np.random.default_rng(3).uniform(0, 100, 30))
    places = spread(wanted, 3.0, 0.0, 100.0)
    assert (np.diff(places) >= 3.0 - 1e-9).all()
    assert places.min() >= 0
    assert places.max() <= 100
    # Two that want the same spot stand half their room to either side of it: by hand.
    assert spread(np.array([50.0, 50.0]), 4.0, 0.0, 100.0).tolist() == [48.0, 52.0]
    assert spread(np.array([99.0, 99.0]), 4.0, 0.0, 100.0).tolist() == [96.0, 100.0]
    assert spread(np.array([]), 4.0, 0.0, 100.0).tolist() == []

"""Sheets in millimetres: text that fits, letters that the font has, steps and scales."""

import pytest
from pyproj import CRS

from clearplan.core.errors import OutputError, SettingsError
from clearplan.outputs.paper.lettering import printable, width_mm, wrapped
from clearplan.outputs.paper.sheet import (
    Frame,
    draw_grid,
    fitting_scale,
    grid_step,
    map_axes,
    new_page,
    print_style,
    save_pages,
)
from tests.sheets_of_paper import IMPRINT


def test_widths_are_those_that_matplotlib_draws():
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import TextPath

    for words, bold in (("Mine action 2026: Ağdam", False), ("Mine action 2026: Ağdam", True), ("lllliiii....", False)):
        prop = FontProperties(family="DejaVu Sans", weight="bold" if bold else "normal")
        drawn = TextPath((0, 0), words + "|", size=72, prop=prop).get_extents()
        bar = TextPath((0, 0), "|", size=72, prop=prop).get_extents()
        assert width_mm(words, 72, bold=bold) == pytest.approx((drawn.x1 - bar.x1) * 25.4 / 72, rel=0.01)


def test_lines_are_never_wider_than_their_room_and_lose_no_letter():
    words = "Turning points of the border of a task, and averyveryverylongwordthatfitsnoline at all"
    for room in (12, 25, 60):
        lines = wrapped(words, room, 7)
        assert all(width_mm(line, 7) <= room for line in lines)
        assert "".join(lines).replace(" ", "") == words.replace(" ", "")
    (cut,) = wrapped(words, 25, 7, most=1)
    assert cut.endswith(" ...")
    assert width_mm(cut, 7) <= 25


def test_letters_without_a_shape_and_signs_that_turn_text_are_marked():
    assert printable("a\x00b\u202ec\u65e5") == "a□b□c□"
    assert printable("Xankəndi Ստեփանակերտ Степанакерт") == "Xankəndi Ստեփանակերտ Степанакерт"


def test_steps_and_scales_are_round():
    assert [grid_step(s) for s in (1_000, 10_000, 100_000, 500_000, 1_500_000)] == [20, 200, 2_000, 10_000, 50_000]
    assert fitting_scale(9_200, 100, (184, 190)) == 50_000
    assert fitting_scale(9_201, 100, (184, 190)) == 100_000
    with pytest.raises(SettingsError, match="fit no sheet"):
        fitting_scale(1e8, 1, (184, 190))


def test_on_a_map_that_is_no_utm_the_grid_is_still_that_of_utm():
    laea = CRS.from_proj4("+proj=laea +lat_0=48.5 +lon_0=35 +datum=WGS84 +units=m")
    with print_style():
        figure, page = new_page(210, 297)
        frame = Frame(laea, (0.0, 0.0), 100_000, (15, 80, 180, 180))
        axes = map_axes(figure, frame)
        words = draw_grid(axes, page, frame)
    assert words.startswith("UTM zone 36N (WGS 84), lines every 2 km")
    lines = [line for line in axes.lines if line.get_gid() == "grid"]
    assert len(lines) >= 16
    x = lines[0].get_xdata()
    assert abs(x[0] - x[-1]) > 50  # the map's north is not the grid's: lines lean


def test_a_picture_holds_one_page(tmp_path):
    with print_style(), pytest.raises(OutputError, match="holds one page"):
        save_pages(tmp_path / "x.png", [new_page(10, 10)[0]] * 2, title="", notice="", as_at=IMPRINT.as_at)
    assert not list(tmp_path.iterdir())

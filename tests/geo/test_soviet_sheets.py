"""Soviet map sheets: the published places, round trips, and letters that look alike."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearplan.geo.soviet_sheets import SIZES, neighbours, parse_sheet, sheet_at

PLACES = {
    "Aghdam": (46.93, 39.99, "J-38-V", "J-38-010", "J-38-010-Б", (46.75, 39.8333, 47.0, 40.0)),
    "Shusha": (46.75, 39.76, "J-38-V", "J-38-010", "J-38-010-Г", (46.75, 39.6667, 47.0, 39.8333)),
    "Fuzuli": (47.15, 39.60, "J-38-VI", "J-38-023", "J-38-023-А", (47.0, 39.5, 47.25, 39.6667)),
    "Tartar": (46.93, 40.34, "K-38-XXXV", "K-38-130", "K-38-130-Г", (46.75, 40.3333, 47.0, 40.5)),
    "Kalbajar": (46.04, 40.10, "K-38-XXXV", "K-38-141", "K-38-141-В", (46.0, 40.0, 46.25, 40.1667)),
}


@pytest.mark.parametrize("place", PLACES)
def test_sheets_of_known_places(place):
    lon, lat, second, first, fine, bounds = PLACES[place]
    assert sheet_at(lon, lat, 200_000).name == second
    assert sheet_at(lon, lat, 100_000).name == first
    sheet = sheet_at(lon, lat, 50_000)
    assert sheet.name == fine
    assert (sheet.west, sheet.south, sheet.east, sheet.north) == pytest.approx(bounds, abs=5e-5)
    assert parse_sheet(fine) == sheet


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("j-38-10-б", "J-38-010-Б"),
        ("J 38 10 Б", "J-38-010-Б"),
        ("J38-10-Б", "J-38-010-Б"),
        ("К-38-130-Г", "K-38-130-Г"),  # Cyrillic К in the belt looks like K and is K
        ("J-38-010-A", "J-38-010-А"),
        ("J-38-010-C", "J-38-010-В"),
        ("J-38-010-D", "J-38-010-Г"),
        ("J-38-010-Б-а-1", "J-38-010-Б-а-1"),
        ("J-38-ХХXV", None),
        ("J-38-xxxv", "J-38-XXXV"),
        ("J-38-ХХХV", "J-38-XXXV"),  # Cyrillic Х
        ("J-38-Г", "J-38-Г"),
        ("J-38", "J-38"),
        ("J—38—010—Б", "J-38-010-Б"),
    ],
)
def test_ways_of_writing_a_sheet(text, name):
    if name is None:
        name = "J-38-XXXV"
    assert parse_sheet(text).name == name


def test_b_is_asked_about_unless_the_alphabet_is_declared():
    with pytest.raises(ValueError, match=r"second quadrant .* or the third"):
        parse_sheet("J-38-010-B")
    with pytest.raises(ValueError, match=r"second quadrant .* or the third"):
        parse_sheet("J-38-010-А-b")
    assert parse_sheet("J-38-010-B", script="latin").name == "J-38-010-Б"
    assert parse_sheet("J-38-010-B", script="cyrillic").name == "J-38-010-В"
    # The error would be a sheet's width: the two lie 12 km and more apart.
    assert parse_sheet("J-38-010-Б").west != parse_sheet("J-38-010-В").west


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("", "no map sheet"),
        ("Aghdam", "no map sheet"),
        ("38-010", "no map sheet"),
        ("В-38", "Cyrillic"),
        ("X-38", "no belt"),
        ("J-61", "1 to 60"),
        ("J-0", "1 to 60"),
        ("J-38-145", "1 to 144"),
        ("J-38-0", "1 to 144"),
        ("J-38-XXXVII", "I to XXXVI"),
        ("J-38-IIX", "I to XXXVI"),
        ("J-38-010-С", "Cyrillic С"),
        ("J-38-010-Б-c", "one name"),
        ("J-38-010-Д", "no quadrant"),
        ("J-38-010-Б-а-5", "1 to 4"),
        ("J-38-010-Б-а-1-1", "no map sheet|does not divide"),
        ("J-38-V-1", "does not divide"),
        ("P-38", "pairs"),
    ],
)
def test_names_that_are_no_sheets(text, rule):
    with pytest.raises(ValueError, match=rule) as error:
        parse_sheet(text)
    assert str(error.value).count("|") == 1


@given(st.floats(-180, 179.999), st.floats(0, 55.99), st.sampled_from(sorted(SIZES)))
def test_a_point_lies_on_the_sheet_that_its_name_gives(lon, lat, scale):
    sheet = sheet_at(lon, lat, scale)
    assert parse_sheet(sheet.name) == sheet
    assert sheet.scale == scale
    assert sheet.west - 1e-9 <= lon <= sheet.east + 1e-9
    assert sheet.south - 1e-9 <= lat <= sheet.north + 1e-9
    assert sheet.holds(lon, lat, margin_m=0.1)


@given(st.floats(44, 48), st.floats(38.5, 41), st.sampled_from([50_000, 25_000, 10_000]))
def test_four_sheets_tile_their_parent(lon, lat, scale):
    parent = sheet_at(lon, lat, {50_000: 100_000, 25_000: 50_000, 10_000: 25_000}[scale])
    middle = (parent.west + parent.east) / 2, (parent.south + parent.north) / 2
    step = (parent.east - parent.west) / 4, (parent.north - parent.south) / 4
    children = {
        sheet_at(middle[0] + i * step[0], middle[1] + j * step[1], scale).name for i in (-1, 1) for j in (-1, 1)
    }
    assert len(children) == 4
    assert all(name.startswith(parent.name) for name in children)


@given(st.text(max_size=16))
def test_any_text_is_a_sheet_or_one_clear_line(text):
    try:
        told = parse_sheet(text)
    except ValueError as error:
        told = str(error)
    assert not isinstance(told, str) or told.count("|") == 1


def test_neighbours_go_over_the_edge_of_the_belt():
    """Aghdam lies a kilometre from 40 N, where belts J and K meet."""
    around = [sheet.name for sheet in neighbours(parse_sheet("J-38-010-Б"))]
    assert around == [
        "K-38-142-В", "K-38-142-Г", "K-38-143-В", "J-38-010-А", "J-38-011-А", "J-38-010-В", "J-38-010-Г", "J-38-011-В",
    ]  # fmt: skip

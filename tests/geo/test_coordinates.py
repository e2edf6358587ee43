"""Coordinates as people write them: every notation, every slip, and what must be asked."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import CRS, Geod, Transformer

from clearplan.core.checks import parse_date
from clearplan.geo.coordinates import mgrs_square, placed_within, read_position, readings
from clearplan.geo.soviet_sheets import parse_sheet

REGION = (45.6, 38.8, 47.8, 40.9)
AGHDAM = (46.93, 39.99)
GK = Transformer.from_crs(4284, 28408, always_xy=True)
UTM = Transformer.from_crs(4326, 32638, always_xy=True)
METRES = 111_200

DEGREES = [
    "39.99N 46.93E",
    "39.99 N, 46.93 E",
    "N39.99 E46.93",
    "46.93E 39.99N",
    "39,99° N 46,93° E",
    "39,99; 46,93",
    "39,99 46,93",
    "39.99, 46.93",
    "39.99,46.93",
    "39°59'24\"N 46°55'48\"E",
    "39° 59′ 24″ N 46° 55′ 48″ E",
    "39º59’24”N 46º55’48”E",
    "39°59'24''N 46°55'48''E",
    "39°59'24,0\"N 46°55'48,0\"E",
    "N39d59m24s E46d55m48s",
    "39d59m24sN 46d55m48sE",
    "39 59 24 N 46 55 48 E",
    "39-59-24N 46-55-48E",
    "39:59:24N 46:55:48E",
    "39 59 24 46 55 48",
    "39°59.4'N 46°55.8'E",
    "39 59.4 N 46 55.8 E",
    "39°59'24\" с.ш. 46°55'48\" в.д.",
    "39°59'24\" С.Ш., 46°55'48\" В.Д.",
    "39°59'24\"СШ 46°55'48\"ВД",
    "С 39°59'24\" В 46°55'48\"",
    "39°59,4' с. ш. 46°55,8' в. д.",
    "+39.99 +46.93",
    "46°55'48\"E 39°59'24\"N",
    "39°59′24′′N 46°55′48′′E",
    "39°59',4 с.ш. 46°55',8 в.д.",
    "39°59',4с.ш., 46°55',8в.д.",
    "39°59,'4 с.ш. 46°55,'8 в.д.",
    "39°59'.4N 46°55'.8E",
    "N 39°59',4 E 46°55',8",
    "39 59',4 N 46 55',8 E",
    "39°59'24\",0 с.ш. 46°55'48\",0 в.д.",
    "39°,99 N 46°,93 E",
    "39°.99N 46°.93E",
    "39°59',4 46°55',8",
    "39d59m,4N 46d55m,8E",
    "39°59'24\",46°55'48\"",
    "39°, 59', 24\" N, 46°, 55', 48\" E",
    "39d59m24s 46d55m48s",
    "39-59-24 46-55-48",
    "39-59.4 46-55.8",
    "39.99N - 46.93E",
    "+39.99+046.93",
    "39.99+46.93",
    "+39°59'24\"+46°55'48\"",
]


@pytest.mark.parametrize("text", DEGREES)
@pytest.mark.parametrize(("datum", "crs"), [("SK-42", "EPSG:4284"), ("WGS 84", "EPSG:4326")])
def test_degrees_in_every_way(text, datum, crs):
    found = read_position(text, datum=datum, region=REGION)
    assert found.crs == crs
    assert (found.x, found.y) == pytest.approx(AGHDAM, abs=1e-9)


def test_the_hemisphere_is_never_lost():
    """Other parsers read N39d59m24s as -39.99 and drop с.ш. in silence."""
    assert read_position("N39d59m24s E46d55m48s", datum="WGS 84").y == 39.99
    assert read_position("39°59'24\" ю.ш. 46°55'48\" з.д.", datum="WGS 84").y == -39.99
    assert read_position("39°59'24\" ю.ш. 46°55'48\" з.д.", datum="WGS 84").x == -46.93
    assert read_position("39d59m24s S 46d55m48s W", datum="WGS 84").y == -39.99
    assert read_position("-39.99 -46.93", datum="WGS 84", region=(-50, -41, -46, -39)).y == -39.99


def test_decimals_may_stand_behind_their_mark():
    """By hand: 24.5" is 24.5 / 3600 of a degree; a comma before the next number with a mark parts coordinates."""
    found = read_position("39°59'24\",5 с.ш. 46°55'48\",5 в.д.", datum="WGS 84")
    assert found.y == pytest.approx(39 + 59 / 60 + 24.5 / 3600, abs=1e-12)
    assert found.x == pytest.approx(46 + 55 / 60 + 48.5 / 3600, abs=1e-12)
    assert found.sigma_m == pytest.approx(30.9 / 10 / 12**0.5, rel=0.01)
    minutes = read_position("39°59',46°55'", datum="WGS 84", region=REGION)
    assert (minutes.y, minutes.x) == pytest.approx((39 + 59 / 60, 46 + 55 / 60), abs=1e-12)
    tenth = read_position("39°59',4 N 46°55',8 E", datum="WGS 84")
    assert tenth.sigma_m == pytest.approx(0.1 * METRES / 60 / 12**0.5)


def test_the_second_sign_is_never_lost():
    """ISO 6709: a minus behind a coordinate with its own sign is west or south."""
    west = (-48.0, 38.8, -45.6, 40.9)
    for text in ("+39.99-046.93", "+39.99 -046.93", "39.99, -46.93", "+39°59'24\"-46°55'48\"", "+39.99\u2212046.93"):
        found = read_position(text, datum="WGS 84", region=west)
        assert (found.x, found.y) == pytest.approx((-46.93, 39.99), abs=1e-9), text
    south = read_position("-39.99-046.93", datum="WGS 84", region=(-48.0, -41, -45.6, -39))
    assert (south.x, south.y) == (-46.93, -39.99)


AMBIGUOUS = {
    # Both readings are a kilometre or more apart; so each is asked.
    "39.99-46.93": "can be a minus or only part them",
    "39.99 - 46.93": "can be a minus or only part them",
    "39°59'24\"-46°55'48\"": "can be a minus or only part them",
    "+39-59-24-46-55-48": "can be a minus or only part them",
    "- 39.99 46.93": "can be a minus",
    "39.99 46.93-": "can be a minus",
    "39.99N 46,55E": "a comma within a coordinate",
    "39°59.4'N 46°55,8 E": "a comma within a coordinate",
    "39, 59 N 46, 55 E": "a comma within a coordinate",
    "39°59', 4 N 46°55', 8 E": "a comma within a coordinate",
    "39°59' ,4 N 46°55' ,8 E": "a comma within a coordinate",
    "39 59',46 55'": r"59',46 can be 59\.46' or 59' and 46",
    "39°59',4,46°": "a comma can be",
    "39°59'24,46°": "a comma can be",
    "39°59'4 N 46°55'8 E": r"59'4 can be 59'04\" or 59\.4'",
    "39°5 N 46°9 E": r"39°5 can be 39°05' or 39\.5°",
    "39°010°07": "run into one another",
}


@pytest.mark.parametrize(("text", "rule"), AMBIGUOUS.items())
def test_what_can_be_read_in_two_ways_is_asked(text, rule):
    with pytest.raises(ValueError, match=rf"^[^|]*{rule}[^|]*\|[^|]+$"):
        read_position(text, datum="WGS 84", region=REGION)


@pytest.mark.parametrize("text", ["395924N 465548E", "+395924+0465548", "N3959.4 E04655.8"])
def test_degrees_run_together_with_minutes_are_named(text):
    with pytest.raises(ValueError, match=r"degrees, minutes and seconds need marks or blanks"):
        read_position(text, datum="WGS 84", region=REGION)


def test_the_error_of_the_last_digit():
    """One second is 30.9 m of latitude; an even error over it has the standard error 30.9 / sqrt(12)."""
    second = read_position("39°59'24\"N 46°55'48\"E", datum="WGS 84")
    assert second.sigma_m == pytest.approx(30.9 / 12**0.5, rel=0.01)
    assert read_position("39.99N 46.93E", datum="WGS 84").sigma_m == pytest.approx(0.01 * METRES / 12**0.5)
    assert read_position("39.990000N 46.930000E", datum="WGS 84").sigma_m == pytest.approx(1e-6 * METRES / 12**0.5)
    assert read_position("x=4430282 y=8664842", datum="SK-42").sigma_m == pytest.approx(1 / 12**0.5)
    assert read_position("x=4430282.5 y=8664842.4", datum="SK-42").sigma_m == pytest.approx(0.1 / 12**0.5)


@pytest.mark.parametrize(
    ("text", "crs"),
    [
        ("x=4430282 y=8664842", "EPSG:28408"),
        ("X 4430282 Y 8664842", "EPSG:28408"),
        ("y=8664842, x=4430282", "EPSG:28408"),
        ("х=4430282 у=8664842", "EPSG:28408"),  # Cyrillic letters
        ("x=4 430 282 y=8 664 842", "EPSG:28408"),
        ("x=4430282,0 y=8664842,0", "EPSG:28408"),
        ("4430282 8664842", "EPSG:28408"),
        ("4430282, 8664842", "EPSG:28408"),
        ("8664842 4430282", "EPSG:28408"),
        ("x=4430282м y=8664842м", "EPSG:28408"),
        ("x=4430282 m, y=8664842 m.", "EPSG:28408"),
        ("X=4430282Y=8664842", "EPSG:28408"),
        ("x = 4430282; y = 8664842;", "EPSG:28408"),
        ("4430282м 8664842м", "EPSG:28408"),
        ("4 430 282 8 664 842", "EPSG:28408"),
        ("4 430 282, 8 664 842", "EPSG:28408"),
        ("4 430 282,0 8 664 842,0", "EPSG:28408"),
    ],
)
def test_gauss_krueger(text, crs):
    """Soviet x is northing; the zone stands in front of y."""
    found = read_position(text, datum="SK-42", region=REGION)
    assert found.crs == crs
    assert (found.x, found.y) == (8664842, 4430282)
    lon, lat = Transformer.from_crs(28408, 4284, always_xy=True).transform(found.x, found.y)
    assert (lon, lat) == pytest.approx(AGHDAM, abs=1e-5)


def test_grouped_figures_that_can_be_read_in_two_ways_are_asked():
    with pytest.raises(ValueError, match=r"a comma can be a decimal mark .*\|write x= and y="):
        read_position("4 430 282,8 664 842", datum="SK-42", region=REGION)  # or 4430282.8 and 664842
    with pytest.raises(ValueError, match=r"28408.* or .*28404.*\|write x= and y="):
        read_position("4 430 282 8 664 842", datum="SK-42")  # the other way round it lies on Svalbard


def test_a_zone_of_one_digit_is_of_six_degrees_where_nothing_else_tells():
    """By hand: zone 8 of six degrees has its middle at 6 * 8 - 3 = 45 E, of three degrees at 3 * 8 = 24 E."""
    text = "x=4440000 y=8585000"
    assert read_position(text, datum="SK-42").crs == "EPSG:28408"
    assert read_position(text, datum="SK-42", region=REGION).crs == "EPSG:28408"
    assert read_position(text, datum="SK-42", region=(24, 39, 26, 41)).crs == "EPSG:2524"
    assert read_position(text, datum="SK-42", grid="EPSG:2524").crs == "EPSG:2524"
    assert {one.crs for one in readings(text, datum="SK-42")} == {"EPSG:28408", "EPSG:2524"}
    with pytest.raises(ValueError, match=r"28416.* or .*2532"):
        read_position("x=4440000 y=16585000", datum="SK-42")


@pytest.mark.parametrize(
    ("degrees_off", "in_six", "in_three"),
    [(1.7, True, True), (1.8, True, False), (3.4, True, False), (3.6, False, False)],
)
def test_a_zone_is_used_a_sixth_of_its_half_width_beyond_its_edge(degrees_off, in_six, in_three):
    """By hand: 3.5 degrees for a zone of six degrees, 1.75 for one of three; a degree at 40 N is 85.2 km."""
    off_m = degrees_off * 111_200 * math.cos(math.radians(40))
    for side in (1, -1):
        text = f"x=4448000 y={round(8_500_000 + side * off_m)}"
        try:
            found = [reading.notation for reading in readings(text, datum="SK-42")]
        except ValueError:
            found = []
        assert any("6-degree zone 8" in notation for notation in found) == in_six
        assert any("3-degree zone 8" in notation for notation in found) == in_three


@pytest.mark.parametrize("zone", range(7, 65))
def test_every_three_degree_zone_has_its_own_middle(zone):
    """EPSG numbers zones 34 and up one later (2550 is a grid of Borneo); false easting is the zone and 500 km."""
    found = [r for r in readings(f"x=4440000 y={zone}585000", datum="SK-42") if "3-degree" in r.notation]
    values = {p.name: p.value for p in CRS.from_user_input(found[0].crs).coordinate_operation.params}
    assert (values["Longitude of natural origin"] - 3 * zone) % 360 == 0
    assert values["False easting"] == zone * 1_000_000 + 500_000
    assert CRS.from_user_input(found[0].crs).geodetic_crs.to_epsg() == 4284


@pytest.mark.parametrize("grid", ["garbage", "EPSG:999999", "a|b"])
def test_a_grid_that_nobody_knows(grid):
    with pytest.raises(ValueError, match=r"^CRS [^|]+ is not known\|name the grid as EPSG:[^|]+$"):
        read_position("x=4430282 y=8664842", datum="SK-42", grid=grid)


@pytest.mark.parametrize(("prefix", "code"), [(15, 2531), (16, 2532), (17, 2533)])
def test_three_degree_zones(prefix, code):
    lon = 3 * prefix - 0.4
    x, y = Transformer.from_crs(4284, code, always_xy=True).transform(lon, 39.99)
    assert str(prefix) == str(int(x // 1_000_000))
    found = read_position(f"x={y:.0f} y={x:.0f}", datum="SK-42", region=(lon - 1, 39, lon + 1, 41))
    assert found.crs == f"EPSG:{code}"
    assert "3-degree" in CRS.from_user_input(found.crs).name


@pytest.mark.parametrize(("crs", "half_width"), [(28408, 3.0), (2531, 1.5)])
def test_a_zone_is_used_for_a_sixth_of_its_half_width_beyond_it(crs, half_width):
    """Both have their middle at 45 E; half a degree beyond the zone of six, a quarter beyond the zone of three."""
    for part, there in ((1.15, True), (1.18, False)):
        x, y = Transformer.from_crs(4284, crs, always_xy=True).transform(45 + part * half_width, 39.99)
        crss = [one.crs for one in readings_or_none(f"x={y:.0f} y={x:.0f}")]
        assert (f"EPSG:{crs}" in crss) is there


def readings_or_none(text, region=None):
    """Readings of a position in SK-42; none where it is no position at all."""
    try:
        return readings(text, datum="SK-42", region=region)
    except ValueError:
        return []


def test_an_easting_without_zone_is_read_in_zones_that_reach_the_region():
    # The zone of 45 E is used up to 48.5 E. The region decides, not the place.
    for west, there in ((48.45, True), (48.55, False)):
        found = readings_or_none("x=4430282 y=600000", region=(west, 38.0, west + 1, 41.0))
        assert ("EPSG:2498" in [one.crs for one in found]) is there
    for east, there in ((41.55, True), (41.45, False)):
        found = readings_or_none("x=4430282 y=600000", region=(east - 1, 38.0, east, 41.0))
        assert ("EPSG:2498" in [one.crs for one in found]) is there


def test_truncated_eastings():
    """Six digits belong to EPSG:2498 (middle 45 E); EPSG:2499 would be 512 km off."""
    one_zone = (44.0, 38.8, 46.4, 40.9)
    x, y = Transformer.from_crs(4284, 2498, always_xy=True).transform(45.9, 39.99)
    text = f"x={y:.0f} y={x:.0f}"
    assert read_position(text, datum="SK-42", region=one_zone).crs in ("EPSG:2498",)
    # Where zones of 3 degrees meet in the region (46.5 E) it is asked, though only one reading falls into it.
    x, y = Transformer.from_crs(4284, 2498, always_xy=True).transform(*AGHDAM)
    text = f"x={y:.0f} y={x:.0f}"
    with pytest.raises(ValueError, match="lack their zone"):
        read_position(text, datum="SK-42", region=REGION)
    # The planner answers by the grid or by the map sheet.
    assert read_position(text, datum="SK-42", region=REGION, grid="EPSG:2498").x == pytest.approx(x, abs=1)
    assert read_position(text, datum="SK-42", region=REGION, sheet=parse_sheet("J-38-010-Б")).crs == "EPSG:2498"
    wrong = Transformer.from_crs(2499, 4284, always_xy=True).transform(x, y)
    assert Geod(ellps="krass").inv(*AGHDAM, *wrong)[2] == pytest.approx(512_000, rel=0.01)
    # 16 408 613 without its zone, read in the zone of 45 E, lands 256 km off: here both are named.
    with pytest.raises(ValueError, match=r"2498.*2591"):
        read_position("x=4430282 y=408613", datum="SK-42", region=(43.0, 38.8, 47.8, 40.9))


@pytest.mark.parametrize(
    "text", ["38N 664748 4428423", "38T 664748 4428423", "zone 38 E 664748 N 4428423", "38N 664748E 4428423N"]
)
def test_utm(text):
    if text.startswith("38T"):
        text = text.replace("38T", "38S")  # band S is 32 to 40 N: S alone could also be south
    found = read_position(text, datum="WGS 84", region=REGION)
    assert (found.crs, found.x, found.y) == ("EPSG:32638", 664748, 4428423)


def test_utm_s_is_a_band_or_the_south():
    with pytest.raises(ValueError, match=r"north.* or .*south"):
        read_position("38S 664748 4428423", datum="WGS 84")
    assert read_position("38T 664748 4528423", datum="WGS 84").crs == "EPSG:32638"
    with pytest.raises(ValueError, match="does not lie in band T"):
        read_position("38T 664748 4228423", datum="WGS 84")


@given(st.floats(45.7, 47.7), st.floats(38.9, 40.8), st.integers(1, 5))
def test_mgrs_is_the_middle_of_its_cell(lon, lat, digits):
    text = mgrs_square(lon, lat, digits)
    found = read_position(text, datum="WGS 84")
    cell = 10 ** (5 - digits)
    x, y = UTM.transform(lon, lat)
    assert (found.x, found.y) == pytest.approx((x, y), abs=cell / 2 + 0.01)
    assert found.x % cell == pytest.approx(cell / 2)
    assert found.sigma_m == pytest.approx(cell / 12**0.5)


def test_mgrs_ways_of_writing():
    found = read_position("38SPK6428", datum="WGS 84")
    assert (found.x, found.y) == (664_500, 4_428_500)
    assert read_position("38S PK 64 28", datum="WGS 84") == found
    assert read_position("38s pk 6428", datum="WGS 84") == found
    large = read_position("38SPK", datum="WGS 84")
    assert (large.x, large.y, large.sigma_m) == pytest.approx((650_000, 4_450_000, 100_000 / 12**0.5))


def test_off_the_sheet_or_the_region_is_an_error_with_a_hint():
    sheet = parse_sheet("J-38-010-Б")
    assert read_position("x=4430282 y=8664842", datum="SK-42", sheet=sheet).crs == "EPSG:28408"
    with pytest.raises(ValueError, match=r"off the declared sheet J-38-010-Б.*J-38-010-Г"):
        read_position("39.75N 46.93E", datum="SK-42", sheet=sheet)
    with pytest.raises(ValueError, match="outside the declared region"):
        read_position("51.5N 0.1W", datum="WGS 84", region=REGION)
    # A truncated y taken for UTM 38N lies 1.9 km off and looks plausible: the wrong datum is refused.
    with pytest.raises(ValueError, match="grid of SK-42"):
        read_position("x=4430282 y=8664842", datum="WGS 84", region=REGION)
    with pytest.raises(ValueError, match="grid of WGS 84"):
        read_position("38N 664748 4428423", datum="SK-42", region=REGION)
    found = read_position("x=4430282 y=8664842", datum="SK-42")
    assert placed_within(found, region=REGION, sheet=sheet) is found


def test_the_order_of_two_bare_numbers_is_asked():
    with pytest.raises(ValueError, match=r"latitude first.* or .*longitude first"):
        read_position("39.99 46.93", datum="WGS 84")
    assert read_position("46.93 39.99", datum="WGS 84", region=REGION).y == 39.99
    assert len(readings("39.99 46.93", datum="WGS 84")) == 2
    assert len(readings("39.99 139.93", datum="WGS 84")) == 1  # no latitude of 139.93


HOSTILE = [
    "", " ", "none", "39.99", "39.99N", "39.99N 46.93N", "39.99N 46.93", "39.99E 46.93E", "-39.99N 46.93E", "|",
    "39°60'00\"N 46°55'48\"E", "39°59'60\"N 46°55'48\"E", "39°59'24\"N", "39.99C 46.93B", "39.99N 46.93В",
    "39.99С 46.93E", "39.9O N 46.93E", "3O.5N 46.93E", "39,99,46,93", "1 2 3", "39 59 24 46 55", "39.5°59'N 46.93E",
    "95N 46.93E", "39.99N 190E", "39'59\"N 46.93E", "39°59\"N 46°55'E", "x=4430282", "x=4430282 x=8664842",
    "x=430282 y=8664842", "28123 64321", "x=4430282 y=95664842", "38SPK642", "38SPK64281 2", "99SPK6428",
    "0N 664748 4428423", "38N 50000 4428423", "38A 664748 4428423", "=1+1", "39.99N 46.93E 12", "39..99N 46.93E", "N N",
    "--39 46", "39°°N 46°E", "<script>", "39.99 с.д. 46.93 в.ш.", "39.99N|46.93E",
]  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE)
def test_slips_are_one_clear_line(text):
    for datum in ("SK-42", "WGS 84"):
        with pytest.raises(ValueError, match=r"^[^|]+\|[^|]+$"):
            read_position(text, datum=datum)


@given(st.text(max_size=30))
def test_any_text_is_read_or_refused_in_one_line(text):
    try:
        told = read_position(text, datum="WGS 84")
    except ValueError as error:
        told = str(error)
    assert not isinstance(told, str) or told.count("|") == 1


@given(st.text(alphabet="0123456789NSEWСЮВЗ°'\".,;:- xy=", max_size=28))
def test_near_misses_are_read_or_refused_in_one_line(text):
    for datum in ("SK-42", "WGS 84"):
        try:
            told = read_position(text, datum=datum, region=REGION)
        except ValueError as error:
            told = str(error)
        assert not isinstance(told, str) or told.count("|") == 1


WORLD = {"lon": st.floats(-179.9, 179.9), "lat": st.floats(-89.9, 89.9)}


def write_position(lon, lat, *, parts=3, decimals=1):
    """A position in degrees (1), degrees and minutes (2), or degrees, minutes and seconds (3)."""
    north, east = "N" if lat >= 0 else "S", "E" if lon >= 0 else "W"
    return f"{written_angle(lat, parts, decimals)}{north} {written_angle(lon, parts, decimals)}{east}"


def written_angle(value, parts, decimals):
    # Rounded as a whole first, so that 59.99 seconds never become 60.
    units = round(abs(value) * 60 ** (parts - 1) * 10**decimals)
    figure, texts = units, []
    for place in range(parts - 1, -1, -1):
        base = 60 * 10**decimals if place == parts - 1 else 60
        figure, own = divmod(figure, base) if place else (0, figure)
        last = place == parts - 1 and decimals
        width = (3 + decimals if last else 2) if place else 1
        texts.append(f"{own / 10**decimals:0{width}.{decimals}f}" if last else f"{own:0{width}d}")
    return "".join(f"{text}{mark}" for text, mark in zip(reversed(texts), "°'\"", strict=False))


def test_positions_are_written_as_paper_has_them():
    assert write_position(46.93, 39.99) == "39°59'24.0\"N 46°55'48.0\"E"
    assert write_position(46.93, -39.99, parts=2, decimals=2) == "39°59.40'S 46°55.80'E"


@given(**WORLD, parts=st.integers(1, 3), decimals=st.integers(0, 4))
def test_degrees_come_back_within_their_resolution(lon, lat, parts, decimals):
    text = write_position(lon, lat, parts=parts, decimals=decimals)
    found = read_position(text, datum="WGS 84")
    unit = 10.0**-decimals / 60 ** (parts - 1)
    assert abs(found.x - lon) <= unit / 2 + 1e-12
    assert abs(found.y - lat) <= unit / 2 + 1e-12


ENDS = {
    "latin": ("", "N", "", "S", "", "E", "", "W"),
    "in front": ("N", "", "S", "", "E", "", "W", ""),
    "Cyrillic": ("", " с.ш.", "", " ю. ш.", "", "ВД", "", "з.д."),
    "signs": ("+", "", "-", "", "+", "", "-", ""),
}


@st.composite
def written(draw):
    """Two coordinates in some hand's way of writing, and what they are: (text, latitude, longitude)."""
    places, decimals = draw(st.integers(1, 3)), draw(st.integers(0, 3))
    point, form = draw(st.sampled_from(".,")), draw(st.sampled_from(["behind", "after", "before", "none"]))
    gaps = draw(st.sampled_from(["°'\"", "dms", "   ", ":::", "---", ["°, ", "', ", '"'], [", ", ", ", ""]]))
    ends, apart = ENDS[draw(st.sampled_from(sorted(ENDS)))], draw(st.sampled_from([" ", ", ", ",", ";", " - ", "-"]))
    stray, texts, values = draw(st.sampled_from(["", "", " "])), [], []
    for top, (plus, behind_plus, minus, behind_minus) in ((89, ends[:4]), (179, ends[4:])):
        numbers = [draw(st.integers(0, top)), *(draw(st.integers(0, 59)) for _ in range(places - 1))]
        last = draw(st.integers(0, 10**decimals - 1))
        fraction = f"{point}{stray}{last:0{decimals}d}" if decimals else ""
        text = "".join(f"{n:0{1 if k == 0 else 2}d}{gaps[k]}" for k, n in enumerate(numbers[:-1]))
        mark = gaps[places - 1].strip(" ,:-") if form != "none" else ""
        text += f"{numbers[-1]}" + {"after": mark + fraction, "before": fraction[:1] + mark + fraction[1:]}.get(
            form, fraction + mark
        )
        west = draw(st.booleans())
        value = sum(n / 60**k for k, n in enumerate(numbers)) + last / 10**decimals / 60 ** (places - 1)
        texts.append(minus + text + behind_minus if west else plus + text + behind_plus)
        values.append(-value if west else value)
    return apart.join(texts), *values


@settings(max_examples=500, deadline=None)
@given(written())
def test_no_hand_is_misread(case):
    """Any marks, decimal marks and separators: the value itself, or an error."""
    text, lat, lon = case
    try:
        found = readings(text, datum="WGS 84")
    except ValueError:
        return
    for reading in found:
        values = (reading.y, reading.x)
        assert values == pytest.approx((lat, lon), abs=1e-9) or values == pytest.approx((lon, lat), abs=1e-9), text


@given(lon=st.floats(42.5, 47.9), lat=st.floats(38.5, 42), decimals=st.integers(0, 2))
def test_grids_come_back_within_their_resolution(lon, lat, decimals):
    x, y = GK.transform(lon, lat)
    found = read_position(f"x={y:.{decimals}f} y={x:.{decimals}f}", datum="SK-42", region=(42, 38, 48, 43))
    assert (found.x, found.y) == pytest.approx((x, y), abs=0.51 * 10.0**-decimals)
    x, y = UTM.transform(lon, lat)
    found = read_position(f"38N {x:.{decimals}f} {y:.{decimals}f}", datum="WGS 84", region=(42, 38, 48, 43))
    assert (found.x, found.y) == pytest.approx((x, y), abs=0.51 * 10.0**-decimals)


@pytest.mark.parametrize(
    ("value", "rule"),
    [
        ("1992", "date has no month and day"), (1992, "date has no month and day"),
        (1992.0, "date has no month and day"), ("1992 г.", "date has no month and day"),
        ("00.00.1992", "date has no month and day"),
        ("1992-06", "date has no day"), ("1992-06-00", "date has no day"), ("06.1992", "date has no day"),
        ("00.06.1992", "date has no day"), ("??.06.1992", "date has no day"), ("June 1992", "date has no day"),
    ],
)  # fmt: skip
def test_no_day_is_invited_for_a_date_without_one(value, rule):
    with pytest.raises(ValueError, match=rf"^{rule}\|leave the cell blank .* state declination_deg instead$"):
        parse_date(value, "dmy")


def test_the_datum_operation_is_pinned():
    """EPSG:15865 moves Aghdam by 102.6 m, to the west (azimuth 265 degrees); no other operation is taken."""
    from clearplan.core.crs import operation, operation_accuracy_m

    move, words = operation(CRS.from_epsg(4284), CRS.from_epsg(4326))
    lon, lat = move.transform(*AGHDAM)
    azimuth, _, far = Geod(ellps="WGS84").inv(*AGHDAM, lon, lat)
    assert far == pytest.approx(102.6, abs=0.1)
    assert azimuth % 360 == pytest.approx(265, abs=0.5)
    assert "EPSG:15865" in words
    assert operation_accuracy_m(CRS.from_epsg(4284), CRS.from_epsg(4326)) == 4.5
    pipeline = Transformer.from_pipeline("EPSG:15865").transform(AGHDAM[1], AGHDAM[0])
    assert (lat, lon) == pytest.approx(pipeline[:2], abs=1e-9)

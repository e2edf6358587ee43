"""Bearings and distances as written, and the slips that must not pass."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearplan.records.bearings import parse_bearing, parse_distance


@pytest.mark.parametrize(
    ("text", "unit", "degrees"),
    [
        ("45.5", "degrees", 45.5),
        (45, "degrees", 45),
        ("45,5", "degrees", 45.5),
        ("45°30'", "degrees", 45.5),
        ("45° 30′ 36″", "degrees", 45.51),
        ("45d30m36s", "degrees", 45.51),
        ("360", "degrees", 0),
        ("S56°23'38\"E", "degrees", 180 - (56 + 23 / 60 + 38 / 3600)),
        ("N45W", "degrees", 315),
        # Far from 45 degrees, so that an angle counted from the wrong end shows.
        ("N30E", "degrees", 30),
        ("S30E", "degrees", 150),
        ("S30W", "degrees", 210),
        ("N30W", "degrees", 330),
        ("N0W", "degrees", 0),
        ("15-00", "mils-6000", 90),
        ("0-56", "mils-6000", 3.36),  # the Soviet correction at Aghdam in 1992, methods of the field
        ("12 – 50", "mils-6000", 75),
        ("1500", "mils-6000", 90),
        ("1600", "mils-6400", 90),
        ("15", "mils-6400", 0.84375),
    ],
)
def test_bearings(text, unit, degrees):
    assert parse_bearing(text, unit) == pytest.approx(degrees, abs=1e-9)


@pytest.mark.parametrize(
    ("text", "unit", "rule"),
    [
        (None, "degrees", "blank"),
        ("370", "degrees", "0 to 360"),
        ("12-5O", "mils-6000", "letter O"),
        ("12-5О", "mils-6000", "letter O"),  # Cyrillic O
        ("12-50", "degrees", "mils of 6000"),
        ("12-50", "mils-6400", "mils of 6000"),
        ("75", "mils-6000", "degrees or mils"),
        ("61-00", "mils-6000", "0 to 6000"),
        ("6500", "mils-6400", "0 to 6400"),
        ("-5", "degrees", "not a number"),
        ("45°70'", "degrees", "60 or more"),
        ("S95E", "degrees", "over 90"),
        ("north", "degrees", "not a number"),
        ("1.2.3", "degrees", "not a number"),
        ("nan", "degrees", "not a number"),
        ("1e2", "degrees", "not a number"),
    ],
)
def test_bearings_that_must_not_pass(text, unit, rule):
    with pytest.raises(ValueError, match=rule) as error:
        parse_bearing(text, unit)
    assert "|" in str(error.value)


@given(st.integers(0, 5999))
def test_soviet_mils_come_back(mils):
    assert parse_bearing(f"{mils // 100}-{mils % 100:02d}", "mils-6000") == pytest.approx(mils * 0.06)


@given(st.text(max_size=12), st.sampled_from(["degrees", "mils-6000", "mils-6400"]))
def test_any_text_is_a_bearing_or_one_clear_line(text, unit):
    for parse in (lambda: parse_bearing(text, unit), lambda: parse_distance(text, "m")):
        try:
            told = parse()
        except ValueError as error:
            told = str(error)
        assert told.count("|") == 1 if isinstance(told, str) else told >= 0


@pytest.mark.parametrize(
    ("text", "unit", "options", "metres"),
    [
        ("120", "m", {}, 120),
        (120.5, "m", {}, 120.5),
        ("120 м", "m", {}, 120),
        ("1 200", "m", {}, 1200),
        ("120,5", "m", {"decimal": ","}, 120.5),
        ("160", "paces", {"pace_m": 0.75}, 120),
        ("160 шагов", "paces", {"pace_m": 0.75}, 120),
    ],
)
def test_distances(text, unit, options, metres):
    assert parse_distance(text, unit, **options) == pytest.approx(metres)


@pytest.mark.parametrize(
    ("text", "unit", "rule"),
    [
        (None, "m", "blank"),
        ("", "m", "blank"),
        ("400 ft", "m", "in 'ft'"),
        ("400'", "m", 'in "\'"'),
        ("0.4 km", "m", "in 'km'"),
        ("120 paces", "m", "in 'paces'"),
        ("160", "paces", "unknown length"),
        ("1,200", "m", "comma"),
        ("0", "m", "above 0"),
        ("-5", "m", "above 0"),
        ("25000", "m", "over 20,000 m"),
        ("12O", "m", "letter O"),
        ("=A1", "m", "number"),
    ],
)
def test_distances_that_must_not_pass(text, unit, rule):
    with pytest.raises(ValueError, match=rule) as error:
        parse_distance(text, unit)
    assert "|" in str(error.value)

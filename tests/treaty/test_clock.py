"""The treaty clock, against days and areas counted by hand."""

import re
from datetime import date

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import clearplan as cp
from clearplan.core.errors import SettingsError, TableError
from clearplan.outputs.report.treaty import treaty_section
from clearplan.treaty.clock import (
    Ground,
    Rates,
    clock,
    counted_ground,
    release_rates,
)
from tests.cells import area_table
from tests.treaty.books import BRIDGES, CCM, PARTY, STEADY, SUPPOSED, filed, square

# --- the clock of a state party


def test_a_state_party_has_a_deadline_and_a_needed_rate():
    # 10 years from 2018-06-01; 4 years are left on 2024-06-01, for 1,000 m2.
    told = clock(PARTY, Ground(1000.0), Rates(100.0, 200.0, 250.0, "as told"), date(2024, 6, 1))
    assert (told.deadline, told.would_end) == (date(2028, 6, 1), None)
    assert told.needed_m2_a_year == pytest.approx(250)
    assert told.forecast == (date(2028, 6, 1), date(2029, 6, 1), date(2034, 6, 1))  # the low rate is the late day
    assert told.extension_years == pytest.approx((0, 1, 6))
    assert told.extension_requests == (0, 1, 1)
    assert told.extension_needed is True
    assert any("deadline is 2028-06-01 (Article 5(1))" in words for words in told.words)
    assert any("An extension of 1.0 years is needed (none to 6.0 years), on request (Article 5(3))" in w
               for w in told.words)  # fmt: skip


def test_an_extension_granted_moves_the_deadline():
    told = clock(PARTY.model_copy(update={"extended_to": date(2033, 6, 1)}), Ground(1000.0), STEADY, date(2023, 6, 1))
    assert told.deadline == date(2033, 6, 1)
    assert told.needed_m2_a_year == pytest.approx(100)
    assert (told.extension_needed, told.extension_years[1]) == (False, 0)
    assert "2028-06-01" in told.words[0]


@pytest.mark.parametrize(
    ("treaty", "m2", "years", "requests"),
    [
        (CCM, 1200.0, 12, 3),  # 5 + 5 + 2
        (CCM, 500.0, 5, 1),
        (CCM.model_copy(update={"convention": "APMBC"}), 1200.0, 12, 2),  # 10 + 2
        (CCM.model_copy(update={"convention": "APMBC"}), 1000.0, 10, 1),
    ],
)
def test_an_extension_longer_than_one_may_be_takes_several(treaty, m2, years, requests):
    told = clock(treaty, Ground(m2), STEADY, date(2020, 8, 1))  # the day on which the ten years end
    assert told.needed_m2_a_year is None
    assert told.extension_years == pytest.approx((years,) * 3)
    assert told.extension_requests == (requests,) * 3
    renewed = any("renewed" in words for words in told.words)
    assert renewed == (requests > 1)
    assert any(words.startswith("No time is left to the deadline of 2020-08-01") for words in told.words)


def test_a_rate_of_nothing_has_no_day():
    told = clock(PARTY, Ground(1000.0), Rates(0.0, 250.0, 500.0, "as told"), date(2024, 6, 1))
    assert told.forecast == (date(2026, 6, 1), date(2028, 6, 1), None)
    assert told.extension_years == (0, 0, None)
    assert told.extension_needed is False
    assert any("not within 1,000 years at the low one" in words for words in told.words)
    assert any("at the low rate one is: without an end" in words for words in told.words)
    never = clock(PARTY, Ground(1000.0), Rates(0.0, 0.0, 0.0, "as told"), date(2024, 6, 1))
    assert never.forecast == (None, None, None)
    assert never.extension_needed is True
    assert any("none is long enough" in words for words in never.words)


def test_the_forecast_follows_what_is_released_less_what_is_found():
    # 300 m2 a year are released and 200 found (100 to 250): 1,000 m2 take ten years, 1,000 / 200 and 1,000 / 50.
    rates = Rates(300.0, 300.0, 300.0, "as released", 200.0, (50.0, 100.0, 200.0))
    told = clock(PARTY, Ground(1000.0), rates, date(2024, 6, 1))
    assert told.forecast == (date(2029, 6, 1), date(2034, 6, 1), date(2044, 6, 1))
    assert told.extension_years == pytest.approx((1, 6, 16))
    assert told.if_nothing_found[0] == told.if_nothing_found[2] < date(2027, 10, 31)  # three years and a third
    words = " ".join(told.words)
    assert "At the net trend of 100 m² a year (50 m² to 200 m², released less what came to it" in words
    assert "by 2034-06-01 (by 2029-06-01 at the high rate, by 2044-06-01 at the low one)" in words
    assert "If nothing more were found, at 300 m² a year" in words
    assert "In these years 200 m² a year came to the ground that counts" in words


def test_ground_that_grows_is_never_released():
    told = clock(PARTY, Ground(1000.0), Rates(9.0, 10.0, 90.0, "", 60.0, (-80.0, -50.0, 20.0)), date(2024, 6, 1))
    assert told.forecast == (date(2074, 6, 1), None, None)
    assert told.extension_needed is True
    words = " ".join(told.words)
    assert "net trend of −50 m² a year (−80 m² to 20 m²" in words
    assert "will not get less: more came than was released; at the high rate it will be released by 2074-06-01" in words
    assert "none is long enough" in words


def test_nothing_remaining_needs_nothing():
    told = clock(PARTY, Ground(0.0, indication_m2=5e6), Rates(0.0, 0.0, 0.0, "as told"), date(2024, 6, 1))
    assert told.needed_m2_a_year == 0
    assert told.forecast == (date(2024, 6, 1),) * 3
    assert told.extension_needed is False
    assert any("5.00 km² of indications" in words for words in told.words)


def test_an_unknown_rate_is_not_a_rate_of_nothing():
    told = clock(PARTY, Ground(1000.0), None, date(2024, 6, 1))
    assert told.forecast == (None, None, None)
    assert told.extension_needed is None
    assert any("Nobody can tell when" in words for words in told.words)


# --- a state that is not party


def test_a_state_outside_is_told_as_if_it_acceded():
    told = clock(SUPPOSED, Ground(1000.0), STEADY, date(2026, 1, 1))
    assert told.deadline is None
    assert (told.entry_into_force, told.would_end) == (date(2026, 7, 1), date(2036, 7, 1))
    # 2026-01-01 to 2036-07-01: ten years and 182 of the 366 days from 2036-01-01 on.
    assert told.needed_m2_a_year == pytest.approx(1000 / (10 + 182 / 366))
    assert told.forecast == (date(2036, 1, 1),) * 3
    assert told.extension_needed is False


amounts = st.sampled_from([0.0, 0.4, 900.0, 2.5e6, 4e9])


@given(
    ground=st.builds(Ground, amounts, amounts, amounts, amounts, st.integers(0, 3)),
    rates=st.none() | st.tuples(amounts, amounts, amounts),
    convention=st.sampled_from(["APMBC", "CCM"]),
    on=st.dates(date(2011, 1, 1), date(2060, 1, 1)),
    found=st.none() | amounts,
)
@settings(max_examples=150, deadline=None)
def test_a_state_outside_never_reads_of_a_deadline(ground, rates, convention, on, found):
    treaty = SUPPOSED.model_copy(update={"convention": convention, "if_acceded_on": on})
    net = None if rates is None or found is None else tuple(rate - found for rate in sorted(rates))
    speed = None if rates is None else Rates(*sorted(rates), source="as told", found=found, net=net)
    told = clock(treaty, ground, speed, date(2026, 1, 1))
    assert told.deadline is None
    assert all(f"if it acceded on {on}" in words.casefold() for words in told.words)
    assert "deadline" not in treaty_section(filed(told)).casefold()


@pytest.mark.parametrize(
    ("treaty", "ground", "rates", "on", "rule"),
    [
        (PARTY.model_copy(update={"entry_into_force": date(1998, 1, 1)}), 1.0, STEADY, "2026-01-01", "1999-03-01"),
        (SUPPOSED.model_copy(update={"convention": "CCM", "if_acceded_on": date(2009, 1, 1)}), 1.0, None, "2026-01-01",
         "2010-08-01"),
        (PARTY.model_copy(update={"extended_to": date(2028, 6, 1)}), 1.0, STEADY, "2026-01-01", "extension ends after"),
        (SUPPOSED.model_copy(update={"source": "the Deadline of 2009"}), 1.0, STEADY, "2026-01-01", "no deadline"),
        (PARTY, -1.0, STEADY, "2026-01-01", "at least 0"),
        (PARTY, float("nan"), STEADY, "2026-01-01", "at least 0"),
        (PARTY, 1.0, Rates(3.0, 2.0, 1.0, ""), "2026-01-01", "in that order"),
        (PARTY, 1.0, Rates(1.0, 2.0, 3.0, "", 1.0, (1.0, 0.0, 2.0)), "2026-01-01", "in that order"),
        (PARTY, 1.0, Rates(1.0, 2.0, 3.0, "", 1.0, (float("-inf"), 0.0, 2.0)), "2026-01-01", "net rates"),
        (PARTY, 1.0, STEADY, "1.1.2026", "must be a day"),
        (PARTY, 1.0, STEADY, 2026, "must be a day"),
        (PARTY, 1.0, STEADY, pd.NaT, "must be a day"),
        (PARTY, 1.0, STEADY, "9999-01-01", "1900 and 2100"),
    ],
)  # fmt: skip
def test_what_can_not_be_is_one_line(treaty, ground, rates, on, rule):
    with pytest.raises(SettingsError, match=re.escape(rule)) as error:
        clock(treaty, Ground(ground), rates, on)
    assert "\n" not in str(error.value)


# --- what counts, and how fast


def test_what_counts_is_the_union_of_what_a_convention_is_about():
    areas = area_table(
        [
            {"geometry": square(0, 0, 100), "land_class": "CHA", "ordnance": "AV"},
            {"geometry": square(50, 0, 100), "land_class": "SHA", "ordnance": "AP"},  # 50 x 100 m shared with the first
            {"geometry": square(300, 0, 10), "land_class": "SHA", "ordnance": "unknown"},
            {"geometry": square(400, 0, 20), "land_class": "CHA", "ordnance": "CMR"},
            {"geometry": square(0, 0, 500), "land_class": "indication", "ordnance": "unknown"},
            {"geometry": square(700, 0, 30), "land_class": "SHA", "ordnance": "AP", "status": "closed"},
            {"geometry": None, "land_class": "SHA", "ordnance": "AP"},
            {"geometry": None, "land_class": "SHA", "ordnance": "CMR"},
        ]
    )
    mines = counted_ground(areas, "APMBC")
    # Declared: 150 x 100 + 100 + 400; the first hazard's ground counts where the second lies in it too.
    assert mines.counted_m2 == pytest.approx(10_000 + 100)
    assert mines.unknown_m2 == pytest.approx(100)
    assert mines.other_m2 == pytest.approx(15_500 - 10_100)
    assert mines.indication_m2 == pytest.approx(250_000 - 15_500)
    assert mines.unplaced == 1
    cluster = counted_ground(areas, "CCM")
    assert (cluster.counted_m2, cluster.unknown_m2) == pytest.approx((500, 100))
    assert cluster.unplaced == 1


def test_rates_are_of_full_years_and_of_what_counts():
    rates = release_rates(SUPPOSED, BRIDGES, "2025-06-30")
    assert (rates.low, rates.likely, rates.high) == pytest.approx((200, 250, 300))
    assert rates.found == pytest.approx((400 + 10 - 10) / 2)
    # 2023: 200 released, 410 came; 2024: 300 released, and 10 went over to another class.
    assert rates.net == pytest.approx((200 - 410, (200 - 410 + 300 + 10) / 2, 300 + 10))
    assert rates.source == "as released in the years 2023 to 2024"
    assert release_rates(SUPPOSED, {2025: BRIDGES[2025]}, "2025-06-30") is None
    assert release_rates(SUPPOSED, {2025: BRIDGES[2025]}, "2025-12-31").source == "as released in 2025"
    stated = SUPPOSED.model_copy(update={"m2_per_year": (1.0, 2.0, 3.0)})
    assert release_rates(stated, BRIDGES, "2025-06-30") == Rates(1.0, 2.0, 3.0, "as the plan states")
    with pytest.raises(TableError, match="bridge of 2025 lacks the column cleared_m2"):
        release_rates(SUPPOSED, {2025: BRIDGES[2025].drop(columns="cleared_m2")}, "2025-12-31")


def test_degrees_are_refused():
    areas = area_table([{"geometry": square(0, 0, 100)}]).to_crs("EPSG:4326")
    with pytest.raises(cp.CrsError):
        counted_ground(areas, "APMBC")

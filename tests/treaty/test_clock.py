"""The treaty clock and the tables to file, against days and areas counted by hand."""

import re
from datetime import date
from functools import cache
from html.parser import HTMLParser

import geopandas as gpd
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import box

import clearplan as cp
from clearplan.core.errors import ClearplanError, SettingsError, TableError
from clearplan.land.footprints import net_area
from clearplan.land.ledger import bridge
from clearplan.outputs.report.treaty import treaty_section
from clearplan.settings.planning import Method, Outcome, PlanningSettings, Step, Treaty
from clearplan.treaty import filing
from clearplan.treaty.clock import (
    Ground,
    Rates,
    clock,
    counted_ground,
    entry_into_force,
    obligations,
    release_rates,
    years_after,
    years_between,
)
from tests import cells
from tests.cells import area_table, day, district_table, history_table, layers, release_table
from tests.conftest import E0, N0, UTM

SUPPOSED = Treaty(state="Ruritania", convention="APMBC", party=False, if_acceded_on=date(2026, 1, 1), source="made up")
PARTY = Treaty(
    state="Ruritania", convention="APMBC", party=True, entry_into_force=date(2018, 6, 1), source="depositary, made up"
)
CCM = Treaty(state="Ruritania", convention="CCM", party=True, entry_into_force=date(2010, 8, 1), source="made up")
STEADY = Rates(100.0, 100.0, 100.0, "as told")


def square(x, y, wide, high=None):
    return box(E0 + x, N0 + y, E0 + x + wide, N0 + y + (wide if high is None else high))


# --- days


@pytest.mark.parametrize(
    ("deposited", "starts"),
    [
        (date(2026, 1, 1), date(2026, 7, 1)),
        (date(2026, 1, 31), date(2026, 7, 1)),
        (date(2026, 6, 30), date(2026, 12, 1)),
        (date(2026, 7, 1), date(2027, 1, 1)),
        (date(2017, 12, 13), date(2018, 6, 1)),  # Sri Lanka, APMBC: apminebanconvention.org, press release of 2017
    ],
)
def test_a_later_state_is_bound_from_the_sixth_month_on(deposited, starts):
    assert entry_into_force(deposited) == starts


@pytest.mark.parametrize(
    ("first", "years", "last"),
    [
        (date(2026, 1, 1), 2.0, date(2028, 1, 1)),
        (date(2026, 1, 1), 2.5, date(2028, 7, 2)),  # half of 366 days is 183
        (date(2028, 1, 1), 1.5, date(2029, 7, 3)),  # half of 365 days is 182.5: the begun day is whole
        (date(2028, 2, 29), 1.0, date(2029, 2, 28)),
        (date(2028, 2, 29), 4.0, date(2032, 2, 29)),
        (date(2026, 1, 1), 0.0, date(2026, 1, 1)),
        (date(2026, 1, 1), 1000.5, None),
        (date(2026, 1, 1), float("inf"), None),
    ],
)
def test_years_are_calendar_years(first, years, last):
    assert years_after(first, years) == last
    if last is not None and years != 1.5:
        assert years_between(first, last) == pytest.approx(years)


def test_obligations_state_years_and_articles():
    told = obligations().set_index(["convention", "article"])["years"]
    assert told["APMBC", "5(1)"] == 10
    assert told["APMBC", "4"] == 4
    assert told["CCM", "4(1)(a)"] == 10
    assert told["CCM", "3(2)"] == 8
    assert set(obligations("CCM")["convention"]) == {"CCM"}
    with pytest.raises(SettingsError, match="write one of APMBC, CCM"):
        obligations("CCW")


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
    speed = None if rates is None else Rates(*sorted(rates), source="as told", found=found)
    told = clock(treaty, ground, speed, date(2026, 1, 1))
    assert told.deadline is None
    assert all(f"if it acceded on {on}" in words.casefold() for words in told.words)
    assert "deadline" not in treaty_section(told, **filed()).casefold()


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


def flows(**terms):
    base = {"district": "West", "land_class": "SHA", "ordnance": "AP"} | dict.fromkeys(
        ("opening_m2", "newly_found_m2", "cancelled_m2", "reduced_m2", "cleared_m2", "reopened_m2", "changed_in_m2",
         "changed_out_m2", "closed_m2", "withdrawn_m2", "closing_m2"), 0.0)  # fmt: skip
    return base | terms


BRIDGES = {
    2025: pd.DataFrame([flows(cleared_m2=900.0)]),  # not over on 2025-06-30
    2023: pd.DataFrame([
        flows(cancelled_m2=100.0, reduced_m2=20.0, cleared_m2=30.0, newly_found_m2=400.0),
        flows(land_class="CHA", ordnance="mixed", cleared_m2=50.0, changed_in_m2=10.0),
        flows(land_class="CHA", ordnance="AV", cleared_m2=7000.0),
        flows(land_class="indication", ordnance="unknown", cancelled_m2=9000.0, changed_out_m2=10.0),
    ]),
    2024: pd.DataFrame([flows(ordnance="unknown", cancelled_m2=300.0, changed_out_m2=10.0, district="East")]),
}  # fmt: skip


def test_rates_are_of_full_years_and_of_what_counts():
    rates = release_rates(SUPPOSED, BRIDGES, "2025-06-30")
    assert (rates.low, rates.likely, rates.high) == pytest.approx((200, 250, 300))
    assert rates.found == pytest.approx((400 + 10 - 10) / 2)
    assert rates.source == "as released in the years 2023 to 2024"
    assert release_rates(SUPPOSED, {2025: BRIDGES[2025]}, "2025-06-30") is None
    assert release_rates(SUPPOSED, {2025: BRIDGES[2025]}, "2025-12-31").source == "as released in 2025"
    stated = SUPPOSED.model_copy(update={"m2_per_year": (1.0, 2.0, 3.0)})
    assert release_rates(stated, BRIDGES, "2025-06-30") == Rates(1.0, 2.0, 3.0, "as the plan states")
    with pytest.raises(TableError, match="bridge of 2025 lacks the column cleared_m2"):
        release_rates(SUPPOSED, {2025: BRIDGES[2025].drop(columns="cleared_m2")}, "2025-12-31")


# --- tables to file


@given(world=layers, until=cells.days)
@settings(max_examples=40, deadline=None)
def test_what_remains_is_what_the_net_areas_say(world, until):
    rows, events, changes = world
    areas, releases, history = area_table(rows), release_table(events), history_table(changes)
    books = bridge(areas, releases, opening=day(0), closing=day(until), history=history, districts=district_table())
    left = cp.apply_releases(cp.as_at(areas, day(until), history=history), releases, as_at=day(until))
    before = left.copy()
    table = filing.remaining_table(books, left, district_table())
    assert left.equals(before)
    net = net_area(left, district_table()).groupby(["district", "land_class"])["net_m2"].sum()
    ours = table.groupby(["district", "land_class"])["net_m2"].sum()
    for key in set(net.index) | set(ours.index):
        assert ours.get(key, 0.0) == pytest.approx(net.get(key, 0.0), rel=1e-6, abs=1e-3)
    there = left[(left["status"] != "closed") & (left["remaining_m2"] > 0)]
    assert table["hazards"].sum() == there["hazard_id"].nunique()
    for convention in ("APMBC", "CCM"):
        ground = counted_ground(left, convention)
        declared = table.loc[table["land_class"] != "indication", "net_m2"].sum()
        assert ground.counted_m2 + ground.other_m2 == pytest.approx(declared, rel=1e-6, abs=1e-3)
        assert ground.indication_m2 == pytest.approx(table["net_m2"].sum() - declared, rel=1e-6, abs=1e-3)


def test_a_hazard_counts_once_and_one_without_a_place_is_kept():
    areas = area_table(
        [
            {"geometry": square(100, 0, 300, 100)},  # West has 200 m of it, East 100 m
            {"geometry": square(350, 0, 50, 100), "land_class": "CHA"},  # East, within the first
            {"geometry": None, "ordnance": "AV"},
            {"geometry": square(900, 0, 10), "status": "closed"},
        ]
    )
    districts = gpd.GeoDataFrame(
        {"name": ["West", "East"]}, geometry=[square(0, 0, 300, 500), square(300, 0, 300, 500)], crs=UTM
    )
    books = bridge(areas, release_table([]), opening=day(0), closing=day(8), districts=districts, district_name="name")
    table = filing.remaining_table(books, areas, districts, district_name="name")
    assert table[["district", "land_class", "ordnance", "hazards"]].values.tolist() == [
        ["West", "SHA", "AP", 1],
        ["East", "CHA", "AP", 1],
        ["East", "SHA", "AP", 0],
        [filing.UNPLACED, "SHA", "AV", 1],
    ]
    assert table["net_m2"].tolist()[:3] == pytest.approx([20_000, 5_000, 5_000])
    assert pd.isna(table["net_m2"].iloc[3])


def decided(*rows):
    base = {"action": "cleared", "source": "made up", "items": None, "decided_on": "2023-05-01"}
    full = [base | {"release_id": f"R{k}"} | row for k, row in enumerate(rows)]
    table = gpd.GeoDataFrame(full, geometry="geometry", crs=UTM)
    return table.assign(decided_on=pd.to_datetime(table["decided_on"]))


def test_released_ground_by_method_and_items_by_device():
    west, east = square(0, 0, 1000), square(1000, 0, 1000)
    districts = gpd.GeoDataFrame({"district": ["West", "East"]}, geometry=[west, east], crs=UTM)
    releases = decided(
        {"geometry": square(0, 0, 10), "items": "AP 3; AV 1"},
        {"geometry": square(990, 0, 30, 10), "items": "AP 2"},  # two thirds lie in East
        {"geometry": square(20, 0, 10)},
        {"geometry": square(0, 0, 10), "action": "cancelled", "items": None},
        {"geometry": square(0, 0, 10), "action": "re-opened", "items": None},
        {"geometry": None, "items": "UXO 5"},
        {"geometry": None, "items": "none", "decided_on": None},
        {"geometry": square(0, 0, 10), "items": "AP 9", "decided_on": "2025-07-01"},  # after the day
    )
    table = filing.released_table(BRIDGES, releases, districts, as_at="2025-06-30")
    told = table.set_index(["year", "district", "method"])
    first = told.loc[(2023, "West", "cleared")]
    assert (first["cha_m2"], first["sha_m2"], first["indication_m2"]) == (7050, 30, 0)
    assert (first["releases"], first["decisions_silent"], first["items_AP"], first["items_AV"]) == (2, 1, 3, 1)
    assert told.loc[(2023, "West", "cancelled"), "indication_m2"] == 9000
    assert pd.isna(told.loc[(2023, "West", "cancelled"), "items_AP"])  # one decision, which doesn't say
    assert told.loc[(2023, "West", "reduced"), "items_AP"] == 0  # no decision, so nothing was found
    over = told.loc[(2023, "East", "cleared")]
    assert (over["releases"], over["items_AP"], over["sha_m2"]) == (1, 2, 0)
    lost = told.loc[(2023, filing.UNPLACED, "cleared")]
    assert (lost["items_UXO"], lost["releases"]) == (5, 1)
    assert pd.isna(lost["sha_m2"])
    assert table["year"].isna().sum() == 1
    assert table["releases"].sum() == 6
    assert told.loc[(2025, "West", "cleared"), "releases"] == 0
    with pytest.raises(TableError, match="items"):
        filing.released_table(BRIDGES, decided({"geometry": square(0, 0, 1), "items": "AP three"}), as_at="2025-06-30")


def test_the_years_of_the_books():
    releases = decided({"geometry": square(0, 0, 1)}, {"geometry": None, "decided_on": "2001-01-01"})
    assert filing.book_years(releases, "2024-02-29") == {
        2023: (date(2022, 12, 31), date(2023, 12, 31)),
        2024: (date(2023, 12, 31), date(2024, 2, 29)),
    }
    assert list(filing.book_years(releases.iloc[:0], date(2026, 1, 1))) == [2026]


# --- what is planned

SURVEYED = (
    Step(name="interviews", kinds=("NTS",)),
    Step(name="survey", kinds=("TS",), ground="not-cancelled"),
    Step(name="clearance", kinds=("manual",), ground="to-clear"),
)
PREPARED = (Step(name="preparation", kinds=("mechanical",)), Step(name="clearance", kinds=("manual",)))


def planning(**changes):
    base = {
        "start": date(2025, 10, 1), "periods": 3, "period_months": 6, "counted_months": 36, "working_days_a_month": 20,
        "home_m": 0, "wait_periods": 0, "currency": "USD", "score_weight": 0, "risk_weight": 0, "optional_share": 0,
        "time_limit_s": 1, "gap": 0.1, "seed": 1,
        "methods": (
            Method(land_class="SHA", steps=SURVEYED),
            Method(land_class="CHA", ordnance=("AV",), steps=PREPARED),
            Method(land_class="CHA", steps=PREPARED[1:]),
        ),
        "outcomes": {"SHA": Outcome(cancelled=0.5, reduced=0.3, cleared=0.2, concentration=3, source="made up")},
    }  # fmt: skip
    return PlanningSettings(**base | changes)


TEAMS = pd.DataFrame(
    [
        {"team_id": "M", "kind": "manual", "number": 2, "rate_low": 50.0, "rate_likely": 100.0, "rate_high": 200.0,
         "cost_per_day": 10.0, "season": None},
        {"team_id": "S", "kind": "TS", "number": 1, "rate_low": 100.0, "rate_likely": 100.0, "rate_high": 100.0,
         "cost_per_day": 1.0, "season": "11-2"},
        {"team_id": "lost", "kind": "NTS", "number": None, "rate_low": None, "rate_likely": None, "rate_high": None,
         "cost_per_day": None, "season": None},
    ]
)  # fmt: skip


def piece(task, step, kind, team, period, m2, days=0.0):
    starts, ends = {
        1: ("2025-10-01", "2026-03-31"), 2: ("2026-04-01", "2026-09-30"), 3: ("2026-10-01", "2027-03-31")
    }[period]  # fmt: skip
    return {"task_id": task, "step": step, "kind": kind, "team_id": team, "period": period, "m2": m2, "days": days,
            "starts_on": starts, "ends_on": ends}  # fmt: skip


def test_milestones_share_a_period_between_years():
    work = pd.DataFrame(
        [
            piece("T1", 3, "manual", "M", 1, 8000.0, 80.0),  # October to March: half of it in each year
            piece("T2", 3, "manual", "M", 2, 1000.0, 10.0),
            piece("T3", 2, "TS", "S", 1, 4000.0, 40.0),  # works November to February: half in each year
            piece("T3", 2, "TS", "S", 3, 400.0, 4.0),
        ]
    )
    table = filing.milestones(work, TEAMS, planning())
    assert table[["year", "kind", "tasks"]].values.tolist() == [
        [2025, "TS", 1], [2025, "manual", 1], [2026, "TS", 1], [2026, "manual", 2], [2027, "TS", 1],
    ]  # fmt: skip
    told = table.set_index(["year", "kind"])
    manual = told.loc[(2026, "manual")]
    assert (manual["m2"], manual["days"]) == pytest.approx((5000, 50))
    # 5,000 m2 at 200, 100 and 50 m2 a day: 25, 50 and 100 days, of 20 to a month, at 10 a day.
    assert list(manual[["team_months_low", "team_months", "team_months_high"]]) == pytest.approx([1.25, 2.5, 5])
    assert list(manual[["cost_low", "cost", "cost_high"]]) == pytest.approx([250, 500, 1000])
    assert list(told.loc[[(2025, "TS"), (2026, "TS"), (2027, "TS")], "m2"]) == pytest.approx([2000, 2200, 200])
    assert table["m2"].sum() == pytest.approx(work["m2"].sum())
    assert not len(filing.milestones(work.iloc[:0], TEAMS, planning()))


def test_the_season_decides_the_year_of_the_work():
    # Of October to March the team works in November, December and January.
    work = pd.DataFrame([piece("T1", 1, "manual", "M", 1, 300.0)])
    table = filing.milestones(work, TEAMS.iloc[:1].assign(season="11-1"), planning())
    assert table["m2"].tolist() == pytest.approx([200, 100])


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"team_id": "X"}, "names the team X"),
        ({"period": 4}, "period 4 of 3"),
        ({"m2": "many"}, "m2 'many' is no number"),
    ],
)
def test_work_of_another_plan_is_refused(change, rule):
    work = pd.DataFrame([piece("T1", 3, "manual", "M", 1, 8000.0) | change])
    with pytest.raises(TableError, match=re.escape(rule)) as error:
        filing.milestones(work, TEAMS, planning())
    assert "\n" not in str(error.value)


TASKS = pd.DataFrame(
    {
        "task_id": ["suspected", "vehicle", "confirmed"],
        "land_class": ["SHA", "CHA", "CHA"],
        "ordnance": ["AP; AV", "AV", "AP; AV"],
    }
)
WORK = pd.DataFrame(
    [
        piece("suspected", 1, "NTS", "N", 1, 1000.0),
        piece("suspected", 2, "TS", "S", 1, 500.0),
        piece("suspected", 3, "manual", "M", 2, 200.0),
        piece("vehicle", 1, "mechanical", "M", 2, 70.0),
        piece("vehicle", 2, "manual", "M", 2, 70.0),
        piece("confirmed", 1, "manual", "M", 3, 30.0),
        piece("gone", 1, "manual", "M", 1, 999.0),
        piece("confirmed", 2, "manual", "M", 1, 999.0),  # its method has one step
    ]
)


def test_a_plan_releases_what_no_further_step_works_on():
    table = filing.planned_release(WORK, TASKS, planning())
    assert table.values.tolist()[:5] == [
        # Half of the suspected ground is cancelled, 0.3 of the whole is reduced, 0.2 is cleared.
        [2026, "CHA", "cleared", 1, pytest.approx(70)],
        [2026, "SHA", "cancelled", 1, pytest.approx(500)],
        [2026, "SHA", "reduced", 1, pytest.approx(300)],
        [2026, "SHA", "cleared", 1, pytest.approx(200)],
        [2026, filing.UNKNOWN_TASK, "cleared", 2, pytest.approx(float("nan"), nan_ok=True)],
    ]
    assert table.values.tolist()[5:] == [[2027, "CHA", "cleared", 1, pytest.approx(30)]]


def test_a_task_of_unknown_ordnance_has_no_method_for_some_kind_alone():
    # As in the plan of work: nobody knows that it holds anti-vehicle mines alone.
    methods = (Method(land_class="SHA", ordnance=("AV",), steps=PREPARED), Method(land_class="SHA", steps=SURVEYED))
    work = pd.DataFrame([piece("suspected", 1, "NTS", "N", 2, 1000.0)])
    table = filing.planned_release(work, TASKS.assign(ordnance=None), planning(methods=methods))
    assert table.values.tolist() == [[2026, "SHA", "cancelled", 1, pytest.approx(500)]]


def test_plan_and_achieved_for_the_years_that_both_tell_of(tmp_path):
    bridges = {
        2024: pd.DataFrame([flows(cleared_m2=5.0)]),
        2025: pd.DataFrame([flows(cleared_m2=40.0)]),
        2026: pd.DataFrame([flows(cancelled_m2=250.0), flows(district="East", cancelled_m2=125.0),
                            flows(land_class="CHA", ordnance="AV", cleared_m2=70.0)]),
    }  # fmt: skip
    WORK.to_csv(tmp_path / "work.csv", index=False)
    again = pd.read_csv(tmp_path / "work.csv")  # a plan in force is read back from its file
    table = filing.plan_vs_achieved(again, TASKS, bridges, planning(), as_at="2026-09-30")
    told = table.set_index(["year", "land_class", "method"])
    assert set(table["year"]) == {2025, 2026}
    assert told.loc[(2026, "SHA", "cancelled"), ["planned_m2", "released_m2", "achieved"]].tolist() == pytest.approx(
        [500, 375, 0.75]
    )
    assert told.loc[(2026, "SHA", "reduced"), "achieved"] == 0
    assert told.loc[(2026, "CHA", "cleared"), "achieved"] == pytest.approx(1)  # what is due in 2027 is left out
    assert told.loc[(2025, "SHA", "cleared"), "released_m2"] == 40
    assert pd.isna(told.loc[(2025, "SHA", "cleared"), "achieved"])
    assert told.loc[(2025, "SHA", "cleared"), "note"] == "the plan begins on 2025-10-01"
    assert told.loc[(2026, "CHA", "cleared"), "note"] == "both up to 2026-09-30"
    assert told.loc[(2026, filing.UNKNOWN_TASK, "cleared"), "tasks"] == 2
    assert pd.isna(told.loc[(2026, filing.UNKNOWN_TASK, "cleared"), "planned_m2"])
    assert not len(filing.plan_vs_achieved(again, TASKS, {2024: bridges[2024]}, planning(), as_at="2024-12-31"))
    assert not len(filing.plan_vs_achieved(again.iloc[:0], TASKS, bridges, planning(), as_at="2026-09-30"))
    broken = again.assign(ends_on="end of March")
    with pytest.raises(ClearplanError, match="ends_on 'end of March' is no day"):
        filing.plan_vs_achieved(broken, TASKS, bridges, planning(), as_at="2026-09-30")


# --- the section


@cache
def filed():
    remaining = pd.DataFrame(
        [
            ["West <&>", "CHA", "AP", 2, 1234567.0],
            ["East", "CHA", "AV", 1, 0.2],
            ["East", "indication", "unknown", 1, 5e8],
            [filing.UNPLACED, "SHA", "AP", 3, None],
        ],
        columns=["district", "land_class", "ordnance", "hazards", "net_m2"],
    )
    releases = decided({"geometry": square(0, 0, 10), "items": "AP 3"}, {"geometry": square(20, 0, 10)})
    bridges = {2023: pd.DataFrame([flows(district="all", cleared_m2=30.0, land_class="CHA")])}
    work = pd.DataFrame([piece("T1", 3, "manual", "M", 2, 8000.0, 80.0)])
    return {
        "remaining": remaining,
        "released": filing.released_table(bridges, releases, as_at="2023-12-31"),
        "milestones": filing.milestones(work, TEAMS, planning()),
        "planned": filing.planned_release(WORK, TASKS, planning()),
        "achieved": filing.plan_vs_achieved(WORK, TASKS, {2026: BRIDGES[2024]}, planning(), as_at="2026-12-31"),
        "currency": "USD",
    }


class _Reader(HTMLParser):
    """Rows of all tables, and tags that stay open."""

    def __init__(self):
        super().__init__()
        self.rows, self.open = [], []

    def handle_starttag(self, tag, attrs):
        self.open.append(tag)
        if tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if {"td", "th"} & set(self.open):
            self.rows[-1][-1] += data


def rows_of(html):
    reader = _Reader()
    reader.feed(html)
    assert reader.open == []
    return reader.rows


def test_the_section_holds_every_table():
    told = clock(PARTY, Ground(1000.0), STEADY, date(2024, 6, 1))
    rows = rows_of(treaty_section(told, **filed()))
    assert ["West <&>", "CHA", "AP", "2", "1,234,567"] in rows
    assert ["East", "CHA", "AV", "1", "< 1"] in rows
    assert [filing.UNPLACED, "SHA", "AP", "3", "nobody knows"] in rows
    assert ["CHA", "all", "3", "1,234,567"] in rows
    assert ["CHA", "AV", "1", "< 1"] in rows
    assert ["SHA", "all", "3", "nobody knows"] in rows
    assert ["2023", "all", "cleared", "30", "0", "0", "2", "AP 3; 1 of 2 decisions not told"] in rows
    assert ["2026", "manual", "1", "8,000", "80", "4.0 (2.0 to 8.0)", "800 (400 to 1,600)"] in rows
    assert ["2026", "SHA", "cancelled", "1", "500", "300", "60 %", ""] in rows
    assert ["2026", filing.UNKNOWN_TASK, "cleared", "2", "nobody knows", "", "", ""] in rows
    assert ["APMBC 4", "destroy stockpiled anti-personnel mines", "4", "none in the convention",
            "what may be kept for training: 3(1)"] in rows  # fmt: skip


def test_the_section_of_a_state_outside_and_of_no_clock():
    html = treaty_section(clock(SUPPOSED, Ground(1000.0), STEADY, date(2026, 1, 1)), **filed())
    rows_of(html)
    assert "APMBC: if Ruritania acceded on 2026-01-01" in html
    assert "deadline" not in html.casefold()
    assert rows_of(treaty_section(remaining=filed()["remaining"]))[0][0] == "class"
    assert "No calendar year" in treaty_section(achieved=filed()["achieved"].iloc[:0])


def test_degrees_are_refused():
    areas = area_table([{"geometry": square(0, 0, 100)}]).to_crs("EPSG:4326")
    with pytest.raises(cp.CrsError):
        counted_ground(areas, "APMBC")
    with pytest.raises(cp.CrsError):
        filing.remaining_table(pd.DataFrame([flows()]), areas)

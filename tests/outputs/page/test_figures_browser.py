"""Head, charts and filters in a real Chromium: every number is the table's, and what is filtered is told and seen."""

import datetime as dt
import re

import numpy as np
import pandas as pd
import pytest

from clearplan.core.imprint import Imprint
from clearplan.outputs.facts import facts_of
from clearplan.outputs.layers import Layers
from clearplan.outputs.page.draw import draw_map
from clearplan.tables.codes import CLASSES
from tests.browser import PICTURES, opened
from tests.conftest import FULL
from tests.outputs.page.test_draw import PERIODS
from tests.outputs.page.test_draw_browser import HOSTILE
from tests.outputs.page.test_figures import (
    DAYS,
    bridge_table,
    donor_facts,
    donor_plan,
    donor_world,
    home_table,
    net_table,
)

pytestmark = [
    pytest.mark.browser,
    # The driver leaves its pipes to the garbage collector.
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"),
]
CAUTION = "Ground that a filter dims or hides is still hazard."


def screenshot(page, name):
    PICTURES.mkdir(exist_ok=True)
    page.screenshot(path=PICTURES / name)


@pytest.fixture(scope="module")
def world(tmp_path_factory, margins, task_settings, priority_settings):
    ranked, zones, areas, context = donor_world(margins, task_settings, priority_settings)
    imprint = Imprint("Two districts", dt.date(2027, 1, 1), "", "y", "x")
    layers = Layers(ranked, zones, areas=areas, context=context)
    page = draw_map(layers, imprint, first=2, periods=PERIODS, facts=donor_facts(ranked, zones))
    path = tmp_path_factory.mktemp("world") / "m.html"
    page.save(path)
    return ranked, zones, path


def number(text):
    """What a figure says, 0.005 for what is told as less than a hundredth."""
    text = re.sub(r"[^\d.<−+–-]", "", text.replace("\u2212", "-").replace("–", "0"))
    return 0.005 if text.startswith("<") else float(text.replace("<", ""))


def lens(page, id_):
    """Rows of a table with bars, by their head; figures in km2."""
    rows = page.locator(f"figure[aria-labelledby={id_}] :is(tbody, tfoot) tr")
    return {
        row.locator("th").inner_text().strip(): [number(cell) for cell in row.locator("td").all_inner_texts()]
        for row in rows.all()
    }


def numbers(page, id_):
    """Rows of the data table of a chart, its head first."""
    table = page.locator(f"figure[aria-labelledby={id_}] .numbers table")
    return table.evaluate("table => [...table.rows].map(row => [...row.cells].map(cell => cell.textContent))")


def head(page):
    return {
        box.locator("dt").inner_text(): box.locator("dd").inner_text().replace("\n", " ")
        for box in page.locator("#figures > div").all()
    }


def test_the_head_answers_the_donor(world):
    _, _, path = world
    with opened(path) as (page, watch):
        assert head(page) == {
            "Confirmed": "2.50 km² reported",
            "Suspected": "4.25 km² reported",
            "Indication": "90.0 km² for planning",
            "Home / waiting": "unknown / 1,293 unknown in 4 / 1",
            "Released": "0.50 km² since 1 Jan 2026",
            "Opening next": "1 place 1,234 wait by 31 Mar 2027",
            "Per million USD": "+2,000 person-months at home",
        }
        page.get_by_role("link", name="+2,000").click()
        assert page.evaluate("document.activeElement.id") == "chart-budgets"
        panel = page.locator("#panel").bounding_box()
        part = page.locator("#chart-budgets").bounding_box()
        assert panel["y"] - 1 <= part["y"] < panel["y"] + panel["height"]
        screenshot(page, "figures-desktop.png")
    assert watch.complaints == []
    assert watch.requests == []


@pytest.mark.parametrize(("width", "height"), [(1400, 900), (1300, 800), (360, 780)][0 if FULL else 1 :])
def test_the_head_fits_without_clipping(sample, width, height):
    _, folder = sample
    with opened(folder / "map.html", width, height) as (page, _):
        room = page.evaluate(
            """() => { const holder = document.getElementById('figures-holder').getBoundingClientRect();
            return { boxes: [...document.querySelectorAll('#figures dt, #figures dd > *')]
            .filter(n => n.checkVisibility()).map(n => {
            const r = n.getBoundingClientRect(); return [r.left - holder.left, holder.right - r.right,
            n.scrollWidth - n.clientWidth]; }), wide: document.documentElement.scrollWidth }; }"""
        )
        assert room["wide"] <= width
        assert all(left >= -0.5 and right >= -0.5 and over <= 1 for left, right, over in room["boxes"])
        assert page.locator("#head").bounding_box()["height"] <= (120 if width < 700 else 90)
        legend, zoom = page.locator("#legend").bounding_box(), page.locator(".leaflet-control-zoom").bounding_box()
        assert legend["y"] >= zoom["y"] + zoom["height"]
        screenshot(page, f"figures-sample-{width}.png")


def people_near(study):
    return study.planned.judgement.totals["people_near_hazard"]


def test_charts_tell_the_tables_of_the_sample(sample):
    study, folder = sample
    with opened(folder / "map.html") as (page, watch):
        area, bridge = lens(page, "chart-area"), lens(page, "chart-bridge")
        home, budgets, line = numbers(page, "chart-home"), numbers(page, "chart-budgets"), head(page)
        beside = page.locator("figure[aria-labelledby=chart-home]").text_content()
    net = study.books["net_area"]
    declared = net["reported_m2"] + net["stated_m2"].fillna(0.0)
    net = net.assign(m2=declared.mask(net["land_class"] == "indication", net["planning_m2"]))
    net = net[net["m2"] > 0].pivot_table(index="district", columns="land_class", values="m2", aggfunc="sum")
    net = net.reindex(columns=list(CLASSES)).fillna(0.0) / 1e6
    total = area.pop("In all")
    assert set(area) == set(net.index)
    for district, told in area.items():
        assert told == pytest.approx(net.loc[district].tolist(), abs=0.00501)
    assert total == pytest.approx(net.sum().tolist(), abs=0.00501)
    sums = study.books["bridge"].groupby("land_class").sum(numeric_only=True) / 1e6
    present = [name for name in CLASSES if name in sums.index]  # an indication has no reported ground to move
    sums = sums.reindex(present)
    words = {"Opening": "opening", "Newly found": "newly_found", "Re-opened": "reopened", "Cleared": "cleared",
             "Cancelled by non-technical survey": "cancelled", "Reduced by technical survey": "reduced",
             "Closing": "closing"}  # fmt: skip
    for label, name in words.items():
        assert [abs(n) for n in bridge[label]] == pytest.approx(sums[f"{name}_m2"].tolist(), abs=0.00501), label
    # Opening and flows make the closing, as far as two digits can tell.
    for k, land in enumerate(sums.index):
        flows = sum(told[k] for label, told in bridge.items() if label != "Closing")
        assert flows == pytest.approx(sums.loc[land, "closing_m2"], abs=0.005 * len(bridge))
    wide = study.planned.home.pivot(index="period", columns="strategy", values="people")
    assert np.allclose([[number(cell) for cell in row[1:]] for row in home[1:]], wide[home[0][1:]], rtol=0, atol=0.5)
    own = study.planned.budgets
    assert np.allclose(
        [[number(cell) for cell in row[1:3]] for row in budgets[1:]],
        own[["people_home", "person_months"]], rtol=0, atol=0.5,
    )  # fmt: skip
    for row, bought, close in zip(budgets[1:], own["per_million"], own["note"], strict=True):
        if close is None:
            assert number(row[3]) == pytest.approx(bought, abs=0.5)
        else:
            assert row[3] == str(close) == "too close to call: below the proven gap"
    assert [number(row[0]) * 1e6 for row in budgets[1:]] == own["budget"].tolist()
    next_budget = own[own["budget"] > study.planned.case.settings.budget].iloc[0]
    if next_budget["note"] is None:
        assert number(line["Per million USD"].split()[0]) == pytest.approx(next_budget["per_million"], abs=0.5)
    else:
        assert line["Per million USD"] == "\u2013 too close to call"
    people = study.run["people"]
    home, waiting = people["already_home"], people["waiting"]
    assert line["Home / waiting"] == (
        f"{home['known']:,} / {waiting['known']:,}* unknown in {home['unknown']} / {waiting['unknown']}"
    )
    target = "Target of the region, in no sum: 140,000 by 31 December 2026 (Great Return, first phase; Azernews"
    assert target in beside
    assert f"Of {people_near(study):,.0f} people already home near hazard" in beside
    released = sums[["cancelled_m2", "reduced_m2", "cleared_m2"]].to_numpy().sum()
    assert line["Released"].startswith(f"{released:.2f} km²")
    opening = study.zones[study.zones["opens_in"] == study.zones["opens_in"].min()]
    day = {1: "31 Mar 2026", 2: "30 Jun 2026", 3: "30 Sept 2026"}[int(opening["opens_in"].iloc[0])]
    unknown, waits = int(opening["people"].isna().sum()), opening["people"].sum()
    parts = [f"{waits:,.0f} wait"] * (unknown < len(opening)) + [f"unknown in {unknown}"] * (unknown > 0)
    places = "1 place" if len(opening) == 1 else f"{len(opening)} places"
    assert line["Opening next"] == f"{places} {', '.join(parts)} by {day}"
    assert watch.complaints == []


def test_charts_tell_their_tables_and_have_words(world):
    _, _, path = world
    with opened(path) as (page, watch):
        assert lens(page, "chart-area") == {
            "outside every district": [0, 0, 90.0], "East": [0, 3.25, 0.005], "West": [2.5, 1.0, 0],
            "In all": [2.5, 4.25, 90.0],
        }  # fmt: skip
        assert lens(page, "chart-bridge")["Cleared"] == [-0.3, 0]
        home = numbers(page, "chart-home")
        assert home[0] == ["Day", "ranked list", "value per area", "greedy unlock", "best plan found"]
        assert home[-1] == ["30 September 2027", "60", "90", "900", "1,484"]
        assert len(home) == 1 + home_table()["period"].nunique()
        assert [row[0] for row in numbers(page, "chart-budgets")[1:]] == ["1", "2", "4"]
        for id_ in ("chart-home", "chart-budgets"):
            svg = page.locator(f"figure[aria-labelledby={id_}] svg[role=img]")
            title, words = (page.text_content(f"#{svg.get_attribute(name)}")
                            for name in ("aria-labelledby", "aria-describedby"))  # fmt: skip
            assert title == page.inner_text(f"#{id_}")
            assert len(words) > 100
        assert "greedy unlock: 900 of those who wait are home on 30 September 2027." in page.content()
        # Lines differ by more than colour, and each is named at its end.
        chart = page.locator("figure[aria-labelledby=chart-home] svg")
        dashes = chart.evaluate(
            """svg => [...svg.querySelectorAll('path[fill=none]')]
            .filter(p => p.getAttribute('d').split('L').length > 4)
            .map(p => p.getAttribute('stroke-dasharray') + ' ' + p.getAttribute('stroke-width'))"""
        )
        assert len(set(dashes)) == 4
        assert {"ranked list", "best plan found", "1,484"} <= set(chart.locator("text").all_text_contents())
    assert watch.complaints == []


def kept(page):
    """Tasks that are drawn within the filter, and places that are not faint."""
    return page.evaluate(
        """() => { let tasks = 0, places = 0; map_clearplan.eachLayer(l => {
        if (l instanceof L.Polygon && l.options.pane === 'task' && l.options.fillOpacity !== 0.01) { tasks += 1; }
        if (l instanceof L.CircleMarker && l.options.pane === 'zone' && !l.getElement().classList.contains('away'))
        { places += 1; } }); return [tasks, places]; }"""
    )


def test_filters_meet_on_map_lists_and_charts(world):
    ranked, _, path = world
    hectares = ranked["area_m2"] / 1e4
    west = (ranked["district"] == "West").to_numpy()
    with opened(path) as (page, watch):
        everything = kept(page)
        disclaimers = page.inner_text("#foot")
        assert page.locator("#filtered").is_hidden()
        button = page.locator("#charts button[data-district=West]")
        button.focus()
        page.keyboard.press("Enter")
        assert page.locator("#charts button[data-district=West]").get_attribute("aria-pressed") == "true"
        # The chart was drawn anew: the focus is on the button that took the place of the one pressed.
        assert page.evaluate("document.activeElement.dataset.district") == "West"
        line = page.inner_text("#filtered-words")
        assert line == (
            f"Filter: West. {west.sum()} of {len(ranked)} tasks, 3 of 5 places, {hectares[west].sum():,.1f} ha. "
            f"{CAUTION}"
        )
        assert page.text_content("#filtered-said") == line
        assert page.locator("[role=status]#filtered-said").count() == 1
        assert kept(page) == [west.sum(), 3]
        waiting = ranked[west & ranked["rank"].notna().to_numpy()]
        assert page.locator("#list button").count() == len(waiting)
        assert page.inner_text("#opening summary") == "Planned to open: 3; 3 within the filter"
        assert lens(page, "chart-area")["Within the filter"] == [2.5, 1.0, 0]
        assert lens(page, "chart-bridge")["Opening"] == [0, 1.5]
        page.locator("#filters button[data-year='2027']").click()
        first = west & (pd.to_datetime(ranked["finish_on"]).dt.year == 2027).to_numpy()
        assert page.inner_text("#filtered-words").startswith(
            f"Filter: West; 2027. {first.sum()} of {len(ranked)} tasks, 3 of 5 places"
        )
        land = ranked["land_class"].iloc[0]
        page.locator(f"#figures button[data-land={land}]").click()
        assert page.locator(f"#filters button[data-land={land}]").get_attribute("aria-pressed") == "true"
        assert page.inner_text("#foot") == disclaimers
        screenshot(page, "figures-filtered.png")
        page.get_by_role("button", name="Show all").click()
        assert page.locator("#filtered").is_hidden()
        assert page.text_content("#filtered-said") == "All is shown."
        assert kept(page) == everything
        assert page.evaluate("document.activeElement.id") == "map_clearplan"
        page.locator("#filters button[data-year=beyond]").click()
        beyond = ranked["finish_on"].isna().sum()
        assert page.inner_text("#filtered-words").startswith(
            f"Filter: not within the plan. {beyond} of {len(ranked)} tasks, 2 of 5 places"
        )
    assert watch.complaints == []


def test_without_a_plan_there_is_no_year_and_no_figure_of_one(tmp_path, margins, task_settings, priority_settings):
    ranked, zones, areas, context = donor_world(margins, task_settings, priority_settings)
    own = facts_of({"net_area": net_table(), "bridge": bridge_table()}, zones=zones, tasks=ranked, bridge_days=DAYS)
    page = draw_map(Layers(ranked, zones, areas=areas, context=context), facts=own)
    assert not re.search(r"\bplan\b", page.html)
    page.save(tmp_path / "m.html")
    with opened(tmp_path / "m.html") as (page, watch):
        assert page.locator("#filters button").count() == ranked["land_class"].nunique()
        assert list(head(page)) == [
            "Confirmed",
            "Suspected",
            "Indication",
            "Home / waiting",
            "Released",
        ]
        assert page.locator("#charts figure").count() == 2
        page.locator("#charts button[data-district=East]").click()
        assert page.inner_text("#filtered-words").startswith("Filter: East.")
    assert watch.complaints == []


def test_figures_speak_the_languages_of_the_page(world):
    _, _, path = world
    with opened(path) as (page, watch):
        page.locator("#charts button[data-district=West]").click()
        page.select_option("#language", "ru")
        assert page.locator("#charts button[data-district=West]").get_attribute("aria-pressed") == "true"
        assert page.locator("#figures > div").count() == 7
        assert page.locator("#filters .choices").count() == 2
        assert page.locator("#charts figure").count() == 4
        assert CAUTION in page.inner_text("#filtered") or page.locator("#filtered").is_visible()
        page.select_option("#language", "en")
        assert page.inner_text("#filtered-words").startswith("Filter: West.")
        assert head(page)["Released"] == "0.50 km² since 1 Jan 2026"
    assert watch.complaints == []


def test_hostile_names_of_districts_and_money_are_text(tmp_path, margins, task_settings, priority_settings):
    ranked, zones, areas, context = donor_world(margins, task_settings, priority_settings)
    names = {"West": HOSTILE[4], "East": HOSTILE[5]}
    context.districts["name"] = context.districts["name"].replace(names)
    ranked["district"] = ranked["district"].replace(names)
    net, bridge, home = net_table(), bridge_table(), home_table()
    for table in (net, bridge):
        table["district"] = table["district"].replace(names)
    home["strategy"] = home["strategy"].replace({"ranked list": HOSTILE[4]})
    facts = donor_facts(ranked, zones, net=net, bridge=bridge, planned=donor_plan(home, HOSTILE[5]))
    draw_map(Layers(ranked, zones, areas=areas, context=context), periods=PERIODS, facts=facts).save(
        tmp_path / "m.html"
    )
    with opened(tmp_path / "m.html") as (page, watch):
        for name in names.values():
            page.locator("#charts .lens tbody button", has_text=name).first.click()
            assert name in page.inner_text("#filtered-words")
        assert HOSTILE[4] in numbers(page, "chart-home")[0]
        assert page.evaluate("window.hacked") is None
        assert page.locator("img[src=x]").count() == 0
    assert watch.complaints == []
    assert watch.requests == []

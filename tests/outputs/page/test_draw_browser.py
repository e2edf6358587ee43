"""The map page in a real Chromium: no request, no complaint, and what a reader can do with it."""

import datetime as dt
import itertools
import re
from dataclasses import replace

import pandas as pd
import pytest
from shapely import Point, box

import clearplan as cp
from clearplan.core.imprint import Imprint
from clearplan.geo.grids import make_grid
from clearplan.outputs.facts import ContactLine, facts_of
from clearplan.outputs.layers import Layers
from clearplan.outputs.page.draw import draw_map
from clearplan.surface.probability import make_surface
from tests.browser import PICTURES, opened
from tests.conftest import E0, N0, accident_table, hazard_table, zone_table
from tests.outputs.page.test_draw import PERIODS, planned_world, told_world
from tests.surface.test_probability import asked, gather

pytestmark = [
    pytest.mark.browser,
    # The driver leaves its pipes to the garbage collector.
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"),
]

HOSTILE = [
    "{{7*7}}", "{% raw %}", "${1+1}", "`back`", "</script><script>window.hacked=1</script>",
    '<img src=x onerror="window.hacked=1">', "{#comment", "\u2028line\u2029", "<!--<script>", "Ağdam Աղդամ Агдам",
]  # fmt: skip


def screenshot(page, name: str) -> None:
    PICTURES.mkdir(exist_ok=True)
    page.screenshot(path=PICTURES / name)


@pytest.mark.parametrize(("width", "height", "name"), [(1400, 900, "desktop"), (390, 844, "phone")])
def test_page_opens_without_network_or_complaint(sample, width, height, name):
    study, folder = sample
    with opened(folder / "map.html", width, height) as (page, watch):
        screenshot(page, f"map-{name}.png")
        head = page.locator("#head").bounding_box()
        assert head["height"] <= 120
        chart = page.locator("#map_clearplan").bounding_box()
        assert chart["height"] >= 0.35 * height
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        text = page.inner_text("body")
        for words in (
            "Illustrative data, not for operational use.",
            "Not for navigation or entry.",
            "do not imply official endorsement",
            study.run["fingerprint"],
            "202.6 km as drawn at 1:10 million",
            "2026-01-01",
            "GeoNames (CC BY 4.0)",
            "EPSG:32638",
        ):
            assert words in text, words
        assert page.title() == study.project.map.title
        page.locator("#list button").first.click()
        page.wait_for_selector(".card table")
        page.wait_for_timeout(400)
        screenshot(page, f"map-{name}-task.png")
    assert watch.requests == []
    assert watch.complaints == []


def test_explanation_adds_up_to_the_score(sample):
    study, folder = sample
    first = study.tasks[(study.tasks["queue"] == "survey") & (study.tasks["rank"] == 1)].iloc[0]
    table = cp.explain(study.tasks, first["task_id"])
    with opened(folder / "map.html") as (page, _):
        page.locator("#list button").first.click()
        box_ = page.locator(".leaflet-popup-content")
        assert first["task_id"] in box_.inner_text()
        points = [float(text) for text in box_.locator("td.points").all_inner_texts()]
        score = float(box_.locator("tfoot td").last.inner_text())
    assert points == pytest.approx(table["contribution"].tolist(), abs=0.0051)
    assert sum(points) == pytest.approx(score, abs=0.005 * (len(points) + 1))


def test_click_on_the_ground_opens_the_task_there(sample):
    study, folder = sample
    task = study.tasks[(study.tasks["queue"] == "clearance") & (study.tasks["rank"] == 1)].iloc[0]
    spot = study.tasks[study.tasks["task_id"] == task["task_id"]].representative_point().to_crs(4326).iloc[0]
    with opened(folder / "map.html") as (page, _):
        place = page.evaluate(
            f"""() => {{ map_clearplan.setView([{spot.y}, {spot.x}], 16, {{animate: false}});
            document.querySelectorAll('.number.leaflet-marker-icon').forEach(n => n.remove());
            const p = map_clearplan.latLngToContainerPoint([{spot.y}, {spot.x}]);
            const r = map_clearplan.getContainer().getBoundingClientRect(); return [r.x + p.x, r.y + p.y]; }}"""
        )
        page.wait_for_timeout(300)
        page.mouse.click(*place)
        page.wait_for_selector(".leaflet-popup-content table")
        assert task["task_id"] in page.inner_text(".leaflet-popup-content h3")
        page.wait_for_timeout(400)  # the bubble fades in
        screenshot(page, "map-desktop-close.png")


def test_records_show_their_error_rings(sample):
    study, folder = sample
    reading = study.records[0]
    drawn = reading.hazards[reading.hazards["deferred"].isna()]
    row = drawn[drawn["hazard_id"] == "R-007"].iloc[0]
    points = reading.vertices[(reading.vertices["record_id"] == "R-007") & ~reading.vertices["is_check"].astype(bool)]
    spot = points[points["point_kind"] == "reference"].to_crs(4326).geometry.iloc[0]
    with opened(folder / "map.html") as (page, watch):
        # One for each record drawn, and for the undrawn one whose reference point can be read.
        assert page.locator(".reference").count() == len(drawn) + 1
        assert page.locator('.reference[title="record R-017, field not drawn"]').count() == 1
        page.evaluate(f"void map_clearplan.setView([{spot.y}, {spot.x}], 15, {{animate: false}})")
        page.wait_for_timeout(300)
        # Rings in metres: the one round the reference point is as wide as its R95 on the screen.
        radii = page.evaluate(
            """() => { const found = []; map_clearplan.eachLayer(l => { if (l instanceof L.Circle)
            { found.push(Math.round(l.getRadius())); } }); return found; }"""
        )
        for radius in points["r95_m"].round().astype(int):
            assert radius in radii
        page.locator('.reference[title="record R-007"]').click()
        words = page.inner_text(".leaflet-popup-content")
        assert f"{row['position_error_m']:.0f} m (95 %)" in words
        assert "Suspected hazardous area" in words
        page.wait_for_timeout(400)
        screenshot(page, "map-desktop-record.png")
    assert watch.complaints == []


def test_layer_switch_and_queues(sample):
    _, folder = sample
    with opened(folder / "map.html") as (page, watch):
        page.hover(".leaflet-control-layers")
        names = page.locator(".leaflet-control-layers-overlays label").all_inner_texts()
        for wanted in (
            "Relief",
            "Contact line",
            "Accidents",
            "Places of return; *: illustrative",
            "Tasks to survey",
            "Tasks to clear",
        ):
            assert wanted in [name.strip() for name in names]
        before = page.locator(".accident").count()
        assert before == 350
        page.get_by_label("Accidents", exact=True).uncheck()
        assert page.locator(".accident").count() == 0
        page.get_by_label("Accidents", exact=True).check()
        assert page.locator(".accident").count() == before
        page.get_by_label("Tasks to survey", exact=True).uncheck()
        assert page.locator(".leaflet-marker-icon.number.survey").count() == 0
        page.get_by_role("button", name="To clear").click()
        assert page.locator("#list .number.clearance").count() == 10
    assert watch.complaints == []


def test_hostile_text_is_shown_as_text(tmp_path, margins, task_settings, priority_settings):
    hazards = hazard_table(
        [
            {
                "geometry": box(E0 + 900 * k, N0, E0 + 900 * k + 200, N0 + 200),
                "hazard_id": name.replace(";", ""),
                "source": name,
            }
            for k, name in enumerate(HOSTILE)
        ]
    )
    zones = zone_table(
        [
            {"geometry": Point(E0 + 900 * k, N0 + 400), "name": name, "source": name, "people": float(k)}
            for k, name in enumerate(HOSTILE)
        ]
    )
    areas = cp.footprints(hazards, margins)
    accidents = accident_table([(E0, N0)], ["2021-01-01"])
    accidents["device"] = HOSTILE[5]
    tasks = cp.rank(cp.make_tasks(areas, zones, task_settings), zones, priority_settings, accidents=accidents)
    districts = zones.set_geometry(zones.buffer(200)).assign(name=HOSTILE[: len(zones)])[["name", "geometry"]]
    imprint = Imprint(HOSTILE[4], dt.date(2027, 1, 1), HOSTILE[0], HOSTILE[1], crs=HOSTILE[0])
    line = ContactLine(HOSTILE[6], length_km=1.0, scale=HOSTILE[0], position_error_m=5.0)
    net = pd.DataFrame(
        {
            "land_class": ["SHA"],
            "district": [HOSTILE[5]],
            "reported_m2": [1e6],
            "planning_m2": [2e6],
            "gross_m2": [2e6],
            "stated_m2": [0.0],
            "no_area": [0],
        }
    )
    facts = replace(facts_of({"net_area": net}, zones=zones, tasks=tasks), contact_lines=(line,))
    context = cp.Context(districts=districts, attribution=HOSTILE[8])
    page = draw_map(
        Layers(tasks, zones, areas=areas, accidents=accidents, context=context), imprint, facts=facts, notes=HOSTILE
    )
    page.save(tmp_path / "m.html")
    with opened(tmp_path / "m.html") as (page, watch):
        page.locator("#list button").nth(3).click()
        page.wait_for_selector(".leaflet-popup-content table")
        text = page.text_content("body")
        for name in HOSTILE:
            assert name in text, name
        assert page.evaluate("window.hacked") is None
        assert page.title() == HOSTILE[4]
        assert page.locator("img[src=x]").count() == 0
    assert "49" not in page_words(tmp_path / "m.html")
    assert watch.complaints == []
    assert watch.requests == []


def page_words(path):
    """The head of the file up to the data: where a rendered template would show."""
    return path.read_text(encoding="utf-8").split("<style>")[0]


def test_page_of_tables_alone(tmp_path, margins, task_settings, priority_settings):
    """Without a run, areas, accidents or context; and with no task at all."""
    zones = zone_table([{"geometry": Point(E0, N0), "people": float("nan")}])
    areas = cp.footprints(hazard_table([{"geometry": box(E0, N0, E0 + 300, N0 + 300)}]), margins)
    accidents = accident_table([], [])
    accidents["occurred_on"] = pd.to_datetime(accidents["occurred_on"])
    tasks = cp.rank(cp.make_tasks(areas, zones, task_settings), zones, priority_settings, accidents=accidents)
    for name, some in (("some", tasks), ("none", tasks.iloc[:0])):
        draw_map(Layers(some, zones)).save(tmp_path / f"{name}.html")
        with opened(tmp_path / f"{name}.html") as (page, watch):
            assert "people unknown" in page.inner_text("body")
            assert ("No task waits" in page.inner_text("#more")) == (name == "none")
        assert watch.complaints == []


def test_the_surface_answers_a_click_and_unknown_is_not_low(sample):
    study, folder = sample
    with opened(folder / "map.html") as (page, watch):
        page.wait_for_selector("html[data-surface=yes]")
        page.hover(".leaflet-control-layers")
        page.locator("label:has-text('Contaminated share') input").check()
        page.mouse.move(700, 860)
        known = study.tasks[study.tasks["expected_m2"].notna()].to_crs(4326).geometry.iloc[0].representative_point()
        page.evaluate(f"void map_clearplan.setView([{known.y}, {known.x}], 12, {{animate: false}})")
        page.wait_for_timeout(400)
        screenshot(page, "map-surface.png")
        box = page.locator("#map_clearplan").bounding_box()
        page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        page.wait_for_selector(".leaflet-popup-content")
        told = page.inner_text(".leaflet-popup-content")
        share = r"Here (about|below|over) [\d.]+\s% of the ground is expected to be contaminated; moved most by"
        assert re.search(share, told)
        # In the south-east corner of the region, over the border, nobody knows.
        page.evaluate("void map_clearplan.closePopup()")
        page.evaluate("void map_clearplan.setView([38.9, 47.7], 12, {animate: false})")
        page.wait_for_timeout(400)
        page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        page.wait_for_selector(".leaflet-popup-content:has-text('nobody knows')")
        assert "not a low share" in page.inner_text(".leaflet-popup-content")
    assert watch.complaints == []
    assert watch.requests == []


def test_the_surface_is_a_share_of_the_ground_in_words(tmp_path, margins, task_settings, priority_settings):
    """Logit of 0.01 is -4.595: a term of 6 on confirmed ground makes 80 %, one of 12 on suspected ground 99.9 %."""
    fields = [
        {"geometry": box(E0, N0, E0 + 500, N0 + 500), "land_class": "CHA"},
        {"geometry": box(E0 + 3_000, N0, E0 + 3_500, N0 + 500), "land_class": "SHA"},
    ]
    term = {"spread": 0.5, "scale_m": 100, "shape": "exponential", "source": "test"}
    terms = [term | {"evidence": "cha", "strength": 6}, term | {"evidence": "sha", "strength": 12}]
    grid = make_grid((E0 - 1_000, N0 - 1_000, E0 + 4_500, N0 + 1_500), 100.0, hazard_table(fields).crs)
    surface = make_surface(gather(fields, settings=asked(terms=terms), grid=grid), tmp_path / "surface.tif")
    hazards, zones = hazard_table(fields), zone_table([{"geometry": Point(E0, N0)}])
    tasks = cp.make_tasks(cp.footprints(hazards, margins), zones, task_settings)
    tasks = cp.rank(tasks, zones, priority_settings, accidents=accident_table([(E0, N0)], ["2022-01-01"]))
    draw_map(Layers(tasks, zones, surface=surface)).save(tmp_path / "m.html")
    inside = hazards.to_crs(4326).geometry.representative_point()
    with opened(tmp_path / "m.html") as (page, watch):
        page.wait_for_selector("html[data-surface=yes]")
        said = {}
        for language, name in itertools.product(("en", "ru"), (0, 1)):
            page.select_option("#language", language)
            page.evaluate("void map_clearplan.closePopup()")
            page.evaluate(f"void map_clearplan.setView([{inside[name].y}, {inside[name].x}], 14, {{animate: false}})")
            page.wait_for_timeout(400)
            where = page.locator("#map_clearplan").bounding_box()
            page.mouse.click(where["x"] + where["width"] / 2, where["y"] + where["height"] / 2)
            said[language, name] = page.locator(".leaflet-popup-content").last.inner_text().replace("\xa0", " ")
        assert "Here about 80 % of the ground is expected to be contaminated; moved most by confirmed" in said["en", 0]
        assert "Here over 98 % of the ground is expected to be contaminated; moved most by suspected" in said["en", 1]
        assert "загрязнено около 80 % земли" in said["ru", 0]
        assert "загрязнено более 98 % земли" in said["ru", 1]
        page.select_option("#language", "en")
        legend = page.inner_text("#legend")
        assert "Contaminated share of the ground: pale below 1 %, dark above 50 %" in legend
        assert "at least one item is larger, and grows with its size" in legend
    assert watch.complaints == []


def test_classes_doubt_and_gates_are_drawn_and_told(tmp_path, margins, task_settings, priority_settings):
    ranked, zones, areas = told_world(margins, task_settings, priority_settings)
    ranked.loc[len(ranked) - 1, "gates"] = HOSTILE[5]
    draw_map(Layers(ranked, zones, areas=areas), first=2).save(tmp_path / "m.html")
    with opened(tmp_path / "m.html") as (page, watch):
        legend = page.inner_text("#legend")
        for words in ("High priority", "Low priority, not free of hazard", "nobody can tell", "Behind a gate"):
            assert words in legend, words
        assert "Medium priority" not in legend  # no task is drawn as medium
        styles = page.evaluate(
            """() => { const found = []; map_clearplan.eachLayer(l => {
            if (l instanceof L.Polygon && l.options.pane === 'task') {
            found.push([l.options.color, l.options.dashArray || '']); } }); return found; }"""
        )
        assert len(styles) == len(ranked)
        assert sorted(styles).count(["#1B0B3B", ""]) == 1
        assert sorted(styles).count(["#1B0B3B", "6 5"]) == 2
        assert sorted(styles).count(["#5A5A5A", "1 5"]) == 1
        assert page.locator(".leaflet-marker-icon.number").count() == len(ranked) - 1  # no badge behind a gate
        told = []
        for k in range(3):
            page.locator("#list button").nth(k).click()
            # The bubble before it fades out beside the new one.
            own = page.locator(f".leaflet-popup-content:has(h3:text-is('{ranked['task_id'][k]}'))")
            told.append(own.inner_text())
        assert "Priority class: high, in 97 % of the draws." in told[0]
        assert "among the first 2 in over 99 % of the draws, rank 1 in 90 % of the draws." in told[0]
        assert "It leaves the first 2 if <b>x</b> rises." in told[0]
        assert "high or medium: nobody can tell; its likeliest class holds 60 % of the draws" in told[1]
        assert "among the first 2 in 83 % of the draws, rank between 2 and 3 in 90 % of the draws." in told[1]
        assert f"Tied with {ranked['task_id'][2]}" in told[1]
        assert "high, medium or low: nobody can tell" in told[2]
        assert "in below 1 % of the draws" in told[2]
        assert page.inner_text("#gated summary") == "Behind a gate: 1"
        assert HOSTILE[5] in page.inner_text("#gated li")
        page.locator("#gated button").click()
        last = page.locator(".leaflet-popup-content:has(.gate)").inner_text()
        assert "No rank in the survey queue until its gate opens" in last
        assert HOSTILE[5] in last
        assert page.evaluate("window.hacked") is None
        assert page.locator("img[src=x]").count() == 0
        page.wait_for_timeout(400)
        screenshot(page, "map-desktop-gated.png")
    assert watch.complaints == []
    assert watch.requests == []
    with opened(tmp_path / "m.html", 390, 844) as (page, watch):
        assert page.locator("#head").bounding_box()["height"] <= 120
        page.locator("#gated button").click()
        assert HOSTILE[5] in page.inner_text("#detail .gate")
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert watch.complaints == []


def test_many_gates_are_folded_and_plans_without_any_show_none(tmp_path, margins, task_settings, priority_settings):
    ranked, zones, areas = told_world(margins, task_settings, priority_settings)
    draw_map(Layers(ranked[ranked["rank"].notna()], zones, areas=areas)).save(tmp_path / "none.html")
    many = pd.concat([ranked] * 2, ignore_index=True)
    many["task_id"] = [f"T{k}" for k in range(len(many))]
    many["gates"], many["rank"] = "consent: refused", pd.array([pd.NA] * len(many), dtype="Int64")
    draw_map(Layers(many, zones, areas=areas)).save(tmp_path / "many.html")
    with opened(tmp_path / "none.html") as (page, _):
        assert page.locator("#gated").is_hidden()
        assert "gate" not in page.inner_text("#legend")
    with opened(tmp_path / "many.html") as (page, watch):
        assert page.locator("#gated summary").is_visible()
        assert not page.locator("#gated li").is_visible()
        assert page.inner_text("#more") == f"No task of this queue has a rank: {len(many)} behind a gate."
        page.locator("#gated summary").click()
        assert page.locator("#gated li").count() == 1  # one reason, said once
        assert page.locator("#gated button").count() == len(many)
    assert watch.complaints == []


TASK_STYLES = """() => { const found = []; map_clearplan.eachLayer(l => {
    if (l instanceof L.Polygon && l.options.pane === 'task') {
    found.push([l.options.color, l.options.dashArray || '', l.options.weight]); } }); return found.sort(); }"""
PLACE_STYLES = """() => { const found = []; map_clearplan.eachLayer(l => {
    if (l instanceof L.CircleMarker && l.options.pane === 'zone') {
    found.push([l.getTooltip().getContent().querySelector('b').textContent, l.options.fillColor,
    l.options.dashArray || '']); } }); return found.sort(); }"""
DONE, UNDER_WAY, WAITS, GATED = "#2B3A8C", "#7B1257", "#444444", "#5A5A5A"
FILLED, HOLLOW = "#00429D", "#FFFFFF"


def test_the_slider_shows_what_is_planned_and_releases_nothing(tmp_path, margins, task_settings, priority_settings):
    ranked, zones, areas = planned_world(margins, task_settings, priority_settings)
    draw_map(Layers(ranked, zones, areas=areas), first=2).save(tmp_path / "bare.html")
    draw_map(Layers(ranked, zones, areas=areas), first=2, periods=PERIODS).save(tmp_path / "m.html")
    with opened(tmp_path / "bare.html") as (page, _):
        ranks, badges = page.evaluate(TASK_STYLES), page.locator(".leaflet-marker-icon.number").count()
        places, legend = page.evaluate(PLACE_STYLES), page.inner_text("#legend")
        assert page.locator("#plan").count() == 0
    with opened(tmp_path / "m.html") as (page, watch):
        # The page opens as it does without a plan.
        slider = page.get_by_role("slider", name="Plan: what is open by")
        assert slider.get_attribute("aria-valuetext") == "today, the plan is not shown"
        assert page.evaluate(TASK_STYLES) == ranks
        assert page.evaluate(PLACE_STYLES) == places
        assert page.inner_text("#legend") == legend
        assert page.locator(".leaflet-marker-icon.number:visible").count() == badges
        slider.focus()
        told, drawn, open_places = [], [], []
        for _ in range(len(PERIODS)):
            page.keyboard.press("ArrowRight")
            told.append(page.inner_text("#plan-words"))
            drawn.append([style[0] for style in page.evaluate(TASK_STYLES)])
            open_places.append([place for place, fill, _ in page.evaluate(PLACE_STYLES) if fill == FILLED])
            assert "Nothing is released by a plan" in page.inner_text("#plan-caution")
        assert told == [
            "At the start, 1 January 2027: 1 of 5 places open, about 50 of those who wait home (plan, not a promise).",
            "By 31 March 2027: 2 of 5 places open, about 1,300 of those who wait home (plan, not a promise).",
            "By 30 June 2027: 2 of 5 places open, about 1,300 of those who wait home (plan, not a promise).",
            "By 30 September 2027: 3 of 5 places open, about 1,300 of those who wait home, how many wait unknown in 1 "
            "place (plan, not a promise).",
        ]
        assert open_places == [
            ["Place 1"],
            ["Place 0", "Place 1"],
            ["Place 0", "Place 1"],
            ["Place 0", "Place 1", "Place 3"],
        ]
        rest = len(ranked) - 4
        for colours, (done, under) in zip(drawn, [(0, 0), (1, 0), (1, 1), (2, 1)], strict=True):
            waits = 3 - done - under + rest
            assert sorted(colours) == sorted([DONE] * done + [UNDER_WAY] * under + [WAITS] * waits + [GATED])
        assert slider.get_attribute("aria-valuetext") == told[-1].removesuffix(".") + ", Q3 2027"
        assert [DONE, "6 4", 2] in page.evaluate(TASK_STYLES)  # dashed: not yet so
        assert ["Place 2", HOLLOW, "3 3"] in page.evaluate(PLACE_STYLES)  # never opens
        words = page.inner_text("#legend")
        for wanted in (
            "The plan by 30 September 2027. It releases nothing",
            "Planned to be released by then, hazard until decided (2)",
            "Planned to be under way then (1)",
            f"Not begun by then, or not in the plan ({rest})",
            "Place planned to be open by then",
            "Place not open by then",
            "Place that never opens in the plan",
            "Suspected hazardous area (SHA)",
        ):
            assert wanted in words, wanted
        assert "High priority" not in words  # ranks are not drawn at a stop
        assert page.locator(".leaflet-marker-icon.number:visible").count() == 0
        assert page.evaluate("getComputedStyle(document.getElementById('plan-stop')).outlineStyle") == "solid"
        screenshot(page, "map-desktop-plan.png")
        page.keyboard.press("Home")
        assert page.evaluate(TASK_STYLES) == ranks
        assert page.evaluate(PLACE_STYLES) == places
        assert page.inner_text("#legend") == legend
    assert watch.complaints == []
    assert watch.requests == []


def test_cards_tell_the_plan_and_who_never_opens(tmp_path, margins, task_settings, priority_settings):
    ranked, zones, areas = planned_world(margins, task_settings, priority_settings)
    draw_map(Layers(ranked, zones, areas=areas), first=2, periods=PERIODS).save(tmp_path / "m.html")
    with opened(tmp_path / "m.html") as (page, watch):

        def card(button, title):
            button.click()
            return page.locator(f".leaflet-popup-content:has(h3:text-is('{title}')) .work").inner_text()

        tasks = [card(page.locator("#list button").nth(k), ranked["task_id"][k]) for k in range(4)]
        assert "Planned teams: M1, D1." in tasks[0]
        assert "start in Q1 2027 (from 1 January 2027) and to be finished by 31 March 2027 (Q1 2027)." in tasks[0]
        assert "start in Q2 2027 (from 1 April 2027) and to be finished by 30 September 2027 (Q3 2027)." in tasks[1]
        assert "not finished by 30 September 2027 (Q3 2027): 40 % done then." in tasks[2]
        assert tasks[3] == "Not in the plan: no team is sent here by 30 September 2027 (Q3 2027)."
        assert page.inner_text("#openings > p").startswith("3 of 5 places are planned to be open by 30 September 2027")
        assert page.inner_text("#opening summary") == "Planned to open: 3"
        assert page.locator("#opening button").all_inner_texts() == ["Place 1", "Place 0", "Place 3"]
        assert page.inner_text("#never summary") == "Never open in the plan: 2"
        assert "Place 4 (not on the map) has no place on the map" in page.locator("#never li").last.inner_text()
        first = card(page.get_by_role("button", name="Place 0", exact=True), "Place 0")
        for words in (
            "Planned to be open by 31 March 2027 (Q1 2027).",
            "Waits for 1 task to be finished.",
            "Open by that day in 62 % of the draws. Half of them have it open by 31 March 2027 (P50), four of five only"
            " beyond the plan (P80).",
            "Why: T-1 is finished last.",
            "Sooner: One more team.",
        ):
            assert words in first, words
        start = card(page.get_by_role("button", name="Place 1", exact=True), "Place 1")
        assert "Planned to be open from the start, 1 January 2027." in start
        assert "Waits for no task." in start
        assert "Why" not in start
        never = card(page.get_by_role("button", name="Place 2", exact=True), "Place 2")
        assert "Never opens in the plan, which ends on 30 September 2027 (Q3 2027)." in never
        assert "Open at the plan's end in 8 % of the draws. P50 and P80 lie beyond the plan." in never
        assert "Why: 1 of 2 tasks is not finished." in never
        page.wait_for_timeout(400)
        screenshot(page, "map-desktop-plan-place.png")
    assert watch.complaints == []
    with opened(tmp_path / "m.html", 360, 740) as (page, watch):
        page.focus("#plan-stop")
        page.keyboard.press("End")
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
        assert page.locator("#plan").bounding_box()["height"] <= 140
        assert page.locator("#map_clearplan").bounding_box()["height"] >= 0.3 * 740
        assert "3 of 5 places open" in page.inner_text("#plan-words")
        assert "Nothing is released by a plan" in page.inner_text("#plan-caution")
        page.get_by_role("button", name="Place 2", exact=True).click()
        assert "Never opens in the plan" in page.inner_text("#detail .work")
        screenshot(page, "map-phone-plan.png")
    assert watch.complaints == []


def test_hostile_text_of_a_plan_is_shown_as_text(tmp_path, margins, task_settings, priority_settings):
    ranked, zones, areas = planned_world(margins, task_settings, priority_settings)
    ranked["teams"] = [HOSTILE[5] + "; " + HOSTILE[0], *ranked["teams"][1:]]
    zones["name"], zones["why"], zones["sooner"] = HOSTILE[:5], HOSTILE[4:9], HOSTILE[5]
    periods = [(HOSTILE[k], day) for k, (_, day) in zip((2, 4, 5, 8), PERIODS, strict=True)]
    draw_map(Layers(ranked, zones, areas=areas), periods=periods).save(tmp_path / "m.html")
    with opened(tmp_path / "m.html") as (page, watch):
        page.focus("#plan-stop")
        page.keyboard.press("End")
        assert page.get_attribute("#plan-stop", "aria-valuetext").endswith(HOSTILE[8])
        page.locator("#list button").first.click()
        assert f"Planned teams: {HOSTILE[5]}, {HOSTILE[0]}." in page.text_content(".leaflet-popup-content .work")
        assert f"start in {HOSTILE[4]} (from" in page.text_content(".leaflet-popup-content .work")
        for k in range(4):
            page.locator("#openings button").nth(k).click()
        page.wait_for_timeout(400)
        assert HOSTILE[5] in page.locator(".leaflet-popup-content .work").last.text_content()
        assert HOSTILE[8] in page.text_content("#never")  # why, of the place that is not on the map
        assert page.evaluate("window.hacked") is None
        assert page.locator("img[src=x]").count() == 0
    assert watch.complaints == []
    assert watch.requests == []

"""Every figure that two outputs of the sample show is the one of its facts, as each of them rounds it."""

import re

import openpyxl
import pytest

from clearplan.outputs.report.html import table
from clearplan.outputs.report.run import FLOWS, STATES, head_figures
from clearplan.planning.planned import STRATEGIES
from clearplan.tables.codes import CLASSES, RELEASED
from tests.outputs.page.test_draw import data_of


@pytest.fixture(scope="module")
def facts(sample):
    return sample[0].facts


def test_the_map_page_carries_the_facts(sample, facts):
    page = data_of((sample[1] / "map.html").read_text(encoding="utf-8"))
    told = page["figures"]
    for name in CLASSES:
        assert sum(m2 for land, _, m2 in told["area"] if land == name) == pytest.approx(
            facts.counted_m2(name), rel=1e-9
        )
    for name, count in (("waiting", facts.people.waiting), ("home", facts.people.already_home)):
        assert told["people"][name] == {
            "known": count.known,
            "places": count.places,
            "unknown": count.unknown,
            "illustrative": count.illustrative,
        }
    # The places of the page, one by one, make the totals of its head.
    for name, count in (("people", facts.people.waiting), ("home", facts.people.already_home)):
        numbers = [place[name] for place in (*page["zones"], *page["plan"]["unplaced"])]
        assert sum(number for number in numbers if number is not None) == count.known
        assert numbers.count(None) == count.unknown
    assert told["released_m2"] == pytest.approx(facts.bridge.released.total_m2, rel=1e-9)
    assert told["bridge"]["days"] == [day.isoformat() for day in facts.bridge.days]
    opening, million = facts.plan.opening, facts.plan.next_million
    assert told["opening"]["by"] == opening.by.isoformat()
    assert [told["opening"][name] for name in ("places", "people", "unknown")] == [
        opening.places,
        opening.people,
        opening.unknown,
    ]
    if not million.too_close:
        assert told["budgets"]["next"]["months"] == pytest.approx(million.person_months, rel=1e-9)
    else:
        assert told["budgets"]["next"]["months"] is million.person_months is None
    last = {line[0]: line[1][-1] for line in told["home"]["lines"]}
    ways = {way.name: way.people_home for way in facts.plan.strategies}
    assert list(ways) == [*STRATEGIES, "floor of 4 periods"]  # plans by levers have no line of their own
    assert last == pytest.approx({name: ways[name] for name in STRATEGIES}, rel=1e-9)
    queues = {queue.queue: (queue.tasks, queue.gated) for queue in facts.queues}
    for name, (tasks, gated) in queues.items():
        rows = (sample[0].tasks["queue"] == name).to_numpy()
        assert (rows.sum(), sample[0].tasks["rank"].isna().to_numpy()[rows].sum()) == (tasks, gated)
    assert page["about"]["line_note"] == ". ".join(line.words for line in facts.contact_lines)


def test_the_report_prints_the_facts(sample, facts):
    html = (sample[1] / "report.html").read_text(encoding="utf-8")
    for label, figure in head_figures(facts):
        assert f"<dt>{label}</dt><dd>{figure}</dd>" in html
    for row in facts.standing:
        cells = "".join(f"<td>{km2(getattr(row, name))}</td>" for name in STATES)
        assert f"<tr><td>{row.land_class}</td>{cells}</tr>" in html
    moved = facts.bridge.of_class("SHA")
    assert table(["class", *FLOWS.values()], []).split("<tbody>")[0] in html
    assert f"<tr><td>SHA</td><td>{km2(moved.opening_m2)}</td>" in html
    for way in facts.plan.strategies:
        assert f"{round(way.person_months):,}" in html


def km2(value):
    return "&lt; 0.01" if 1 <= value < 5000 else f"{value / 1e6:,.2f}"


def test_the_summary_of_the_book_holds_the_facts(sample, facts):
    page = openpyxl.load_workbook(sample[1] / "plan.xlsx")["Summary"]
    told = {row[0]: row[1] for row in page.iter_rows(min_row=3, values_only=True)}
    for name in CLASSES:
        assert told[f"Remaining {name}"] == round(facts.counted_m2(name))
    for name in RELEASED:
        assert told[f"Ground {name}"] == round(getattr(facts.released, f"{name}_m2"))
    for who, count in (("who wait", facts.people.waiting), ("already home", facts.people.already_home)):
        assert told[f"People {who}"] == count.known
        assert told[f"Places with an unknown number of people {who}"] == count.unknown
    assert told["Rows that could not be used"] == facts.rows.deferred
    assert told["Repairs made while reading"] == facts.rows.repaired
    assert told["Warnings given while reading"] == facts.rows.warnings
    assert (told["Tasks to survey"], told["Tasks to clear"]) == tuple(queue.tasks for queue in facts.queues)
    shown = [way for way in facts.plan.strategies if f"By the {way.name}: cost" in told]
    assert len(shown) == 2
    for way in shown:
        assert told[f"By the {way.name}: person-months at home"] == pytest.approx(way.person_months, abs=0.5)
        assert told[f"By the {way.name}: people home when the plan ends"] == pytest.approx(way.people_home, abs=0.5)
        assert told[f"By the {way.name}: cost"] == pytest.approx(way.cost, abs=0.5)


def test_the_treaty_counts_the_ground_of_the_facts(sample, facts):
    """The clock measures all areas anew: CHA and SHA of one convention and of none, and indications apart."""
    ground = sample[0].dossier.clock.ground
    declared = facts.counted_m2("CHA") + facts.counted_m2("SHA")
    assert ground.counted_m2 + ground.other_m2 == pytest.approx(declared, rel=1e-6)
    assert ground.indication_m2 == pytest.approx(facts.counted_m2("indication"), rel=1e-6)


def test_the_terminal_prints_the_facts(sample, facts, capsys):
    from clearplan.cli.run import _print_study

    _print_study(sample[0])
    text = capsys.readouterr().out
    for row in facts.ground:
        (printed,) = re.findall(
            rf"^{row.land_class}  .*$", text.partition("Tasks:")[0].partition("overlaps once  ")[0], re.M
        )
        figures = [f"{m2 / 1e6:,.2f}" for m2 in (row.planning_m2, row.gross_m2)]
        assert printed.split()[-2:] == figures
        reported = row.reported_m2 + row.stated_m2
        assert (f"{reported / 1e6:,.2f}" if reported else "unknown") in printed
        assert (f"{row.no_area} unknown" in printed) == bool(row.no_area and reported)
    assert f"People already home: {facts.people.already_home.words}" in text
    assert f"People who wait to return: {facts.people.waiting.words}" in text
    tasks = {queue.queue: queue.tasks for queue in facts.queues}
    assert f"Tasks: {tasks['survey']:,} to survey, {tasks['clearance']:,} to clear" in text
    best = facts.plan.strategies[-1]
    assert f"{best.person_months:,.0f}" in text
    assert f"{best.cost:,.0f}" in text

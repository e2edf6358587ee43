"""People already home and people who wait, apart, from the file of places to every total that a run prints."""

import json
import re

import openpyxl
import pandas as pd
import pytest
from typer.testing import CliRunner

import clearplan as cp
from clearplan.cli.app import app
from tests.outputs.page.test_draw import data_of
from tests.study.test_planning import village  # noqa: F401 - a fixture

#: Z1 is lived in and nobody waits; Z2 is lived in and 300 wait; of Z3 nobody knows either number.
PLACES = """zone_id,name,people,people_basis,already_home,already_home_on,position_error_m,source,lon,lat,recorded_on
Z1,West,0,,120,2025-01-01,50,s,46.935,40.001,2025-01-01
Z2,East,300,illustrative,40,2025-01-01,50,s,46.956,39.995,2025-01-01
Z3,South,,,,,50,s,46.93,39.9,2025-01-01
"""
SURVEYED = "survey_status,surveyed_on,surveyed_by"


def lived_in(folder, places=PLACES):
    """The village with these places, all surveyed."""
    head, *rows = places.strip().splitlines()
    rows = [f"{row},surveyed,2025-01-01,the authority" for row in rows]
    (folder / "zones.csv").write_text("\n".join([f"{head},{SURVEYED}", *rows]) + "\n")
    return folder / "plan.toml"


@pytest.fixture
def study(village):  # noqa: F811 - the fixture
    return cp.run_study(lived_in(village), village / "out")


def test_a_place_that_is_lived_in_and_that_nobody_waits_for_is_no_opening(study):
    places = study.planned.judgement.zones.set_index("zone_id")
    assert pd.isna(places.loc["Z1", "opens_in"])
    assert places.loc["Z1", ["person_months", "person_months_low", "person_months_high"]].tolist() == [0, 0, 0]
    assert places.loc["Z2", "person_months"] > 0
    # 50 are assumed for Z3, which nothing blocks: it is open from the start, and so are its 24 months.
    assert places.loc["Z3", "person_months"] == 50 * 24
    totals = study.planned.judgement.totals
    assert (totals["zones_open"], totals["people_home"]) == (2, 350)
    assert study.planned.judgement.breaches.empty
    assert study.planned.waiting == 350
    own = study.zones.set_index("zone_id").loc["Z1"]
    assert str(own["why"]) == "Lived in already, and nobody waits: it is no opening."
    assert pd.isna(own["opens_on"])
    assert not [note for note in study.planned.notes if "Z1" in str(note)]


def test_every_output_states_both_and_none_makes_one_sum_of_them(study, village, capsys):  # noqa: F811 - the fixture
    out = village / "out"
    people = study.facts.people
    assert people.already_home.words == "160 in 2 places; unknown in 1"
    assert people.waiting.words == "300 in 2 places, illustrative in 1; unknown in 1"
    record = json.loads((out / "run.json").read_text(encoding="utf-8"))["people"]
    assert (record["already_home"]["known"], record["waiting"]["known"]) == (160, 300)

    page = data_of((out / "map.html").read_text(encoding="utf-8"))
    assert {place["id"]: (place["home"], place["people"], place["made_up"]) for place in page["zones"]} == {
        "Z1": (120, 0, False), "Z2": (40, 300, True), "Z3": (None, None, False),
    }  # fmt: skip
    assert (page["figures"]["people"]["home"]["known"], page["figures"]["people"]["waiting"]["known"]) == (160, 300)

    report = re.sub("<td [^>]*>", "<td>", (out / "report.html").read_text(encoding="utf-8"))
    for words in (
        f"<dt>People already home</dt><dd>{people.already_home.words}</dd>",
        f"<dt>People who wait to return</dt><dd>{people.waiting.words}</dd>",
        "Nothing opens here, and no person-month counts: West (120 already home).",
        "<td>40</td><td>300*</td>",
        "<td>unknown</td><td>unknown</td>",
        "No place that people wait for is left out of the plan.",
    ):
        assert words in report, words

    rows = openpyxl.load_workbook(out / "plan.xlsx")["Places"].iter_rows(values_only=True)
    heads, places = {}, {}
    for row in rows:
        if any(str(cell).startswith("people who wait; blank: unknown") for cell in row):
            heads = {str(name).partition(" [")[0]: k for k, name in enumerate(row)}
        places |= {row[0]: row} if row[0] in ("Z1", "Z2", "Z3") else {}
    for name, count in (("already home", people.already_home), ("who wait", people.waiting)):
        cells = [row[heads[f"people {name}; blank: unknown"]] for row in places.values()]
        assert sum(cell for cell in cells if cell is not None) == count.known
        assert cells.count(None) == count.unknown


def test_words_of_check_and_of_the_public_tier(study, village):  # noqa: F811 - the fixture
    told = CliRunner().invoke(
        app, ["check", str(village / "zones.csv"), "--as", "zones", "--plan", str(village / "plan.toml")]
    )
    assert "people is 0: nobody waits" in told.output
    cp.run_study(lived_in(village), village / "open", tier="public")
    page = data_of((village / "open" / "map.html").read_text(encoding="utf-8"))
    assert sorted((place["home"] or 0, place["people"] or 0) for place in page["zones"]) == [
        (0, 0),
        (40, 300),
        (120, 0),
    ]
    assert page["figures"]["people"]["home"]["known"] == 160
    words = (village / "open" / "report.html").read_text(encoding="utf-8")
    assert "How many people wait is illustrative, made up, for 1 place" in words
    assert "How many people wait is unknown for 1 place; ranks assume 50 for each" in words


def test_another_place_does_not_wait_for_the_opening_of_one_that_is_lived_in(village):  # noqa: F811 - the fixture
    head, first, second, third = PLACES.strip().splitlines()
    after = "\n".join([f"{head},after", f"{first},", f"{second},Z1", f"{third},"])
    study = cp.run_study(lived_in(village, after))
    opens = study.zones.set_index("zone_id")["opens_in"]
    assert pd.isna(opens["Z1"])
    assert opens["Z2"] >= 1  # when the ground of Z1 is done too
    assert study.planned.judgement.breaches.empty

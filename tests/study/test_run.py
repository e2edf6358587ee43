"""The whole road on the sample project, and the laws on what comes out of it."""

import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import textwrap

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

import clearplan as cp
from clearplan.core.errors import FaultsError, OutputError, SettingsError
from clearplan.core.imprint import BOUNDARIES, ILLUSTRATIVE, NOT_FOR_ENTRY
from clearplan.land.footprints import net_shapes
from clearplan.outputs.people_facts import people_of
from clearplan.read.readers import read_ranked
from clearplan.study.inputs import snapshot_of
from clearplan.study.run import run_study
from clearplan.tables.check import remaining
from tests.conftest import FULL, SAMPLE
from tests.study.test_planning import village  # noqa: F401 - a fixture

FILES = [
    "ledger.csv",
    "map.html",
    "plan.gpkg",
    "plan.qgz",
    "plan.xlsx",
    "report.html",
    "report.pdf",
    "run.json",
    "tasks.csv",
]


def test_tables_meet_their_declarations(sample):
    study, _ = sample
    for table in (
        study.hazards,
        study.zones,
        study.accidents,
        study.areas,
        study.tasks,
        study.lifelines,
        study.tables["gates"],
    ):
        assert cp.check(table).empty, cp.check(table).to_string()


def test_tasks_tile_the_net_area(sample):
    study, _ = sample
    for land_class, shape in net_shapes(study.areas).items():
        tasks = study.tasks[study.tasks["land_class"] == land_class]
        assert tasks["area_m2"].sum() == pytest.approx(shape.area, rel=1e-6)
    shape = study.tasks.geometry.to_numpy()
    i, j = shapely.STRtree(shape).query(shape, predicate="overlaps")
    assert shapely.area(shapely.intersection(shape[i], shape[j])).sum() <= 1e-6 * study.tasks["area_m2"].sum()


def test_net_area_table_is_that_of_the_union(sample):
    study, _ = sample
    open_areas = study.areas[study.areas["status"] != "closed"]
    union = shapely.union_all(open_areas.geometry.dropna().to_numpy())
    assert study.net["planning_m2"].sum() == pytest.approx(union.area, rel=1e-6)
    assert study.net["gross_m2"].sum() == pytest.approx(open_areas["planning_m2"].sum(), rel=1e-6)
    assert (study.net["overlap_m2"] >= -1).all()


def test_every_hazard_has_an_area_and_no_row_is_lost(sample):
    study, _ = sample
    assert set(study.areas["hazard_id"]) == set(study.hazards["hazard_id"])
    minefields = json.loads((SAMPLE / "illustrative" / "minefields.geojson").read_text(encoding="utf-8"))
    strikes = pd.read_csv(SAMPLE / "cluster_strikes_2020.csv")
    records = pd.read_excel(SAMPLE / "records.xlsx", sheet_name="records")
    assert len(study.hazards) == len(minefields["features"]) + len(strikes) + len(records) + 1
    named = set(study.tasks["hazard_ids"].str.split("; ").explode())
    left = remaining(study.areas)
    still_open = left.loc[left["kind"] == "minefield"]
    stronger = {"SHA": ["CHA"], "CHA": []}
    # A suspected field may vanish only where confirmed ground covers all of it.
    for row in still_open[~still_open["hazard_id"].isin(named)].itertuples():
        cover = shapely.union_all(
            study.areas.loc[study.areas["land_class"].isin(stronger[row.land_class])].geometry.to_numpy()
        )
        assert shapely.difference(row.geometry, cover).area < 1e-6 * row.geometry.area


def test_provenance_stays_in_every_row(sample):
    study, _ = sample
    for table in (study.hazards, study.zones, study.accidents, study.areas, study.tasks):
        assert table["source"].str.len().gt(0).all()
        assert {"recorded_on", "position_error_m"} <= set(table.columns) or "accident_id" in table
    placed = study.hazards[study.hazards["deferred"].isna()]
    assert placed["entered_geometry"].notna().all()
    made_up = study.hazards[study.hazards["kind"] == "minefield"]
    assert made_up["source"].str.contains("llustrative").all()
    for table in (study.accidents, study.lifelines, study.tables["gates"]):
        assert table["source"].str.startswith("Illustrative").all()


def test_people_are_counted_once_and_unknown_stays_unknown(sample):
    study, _ = sample
    people = people_of(study.zones)
    read = pd.read_csv(SAMPLE / "resettlement.csv")
    for count, column in ((people.waiting, "people"), (people.already_home, "already_home")):
        assert count.known == read[column].sum()
        assert count.unknown == read[column].isna().sum() > 0
        assert count.places + count.unknown == len(read)
        assert not (study.zones[column] == 0).any()


def test_published_returns_are_already_home_and_who_waits_is_illustrative(sample):
    """Aghali is lived in since 2023: its 649 people were read as waiting for an opening in December 2026."""
    study, folder = sample
    aghali = study.zones.set_index("name").loc["Aghali"]
    assert aghali["already_home"] == 649
    assert aghali["already_home_on"] == pd.Timestamp("2023-10-01")
    waits = study.zones["people"].notna()
    assert (study.zones.loc[waits, "people_basis"] == "illustrative").all()
    assert study.zones.loc[waits, "people_source"].str.startswith("Illustrative").all()
    assert not study.zones["already_home_source"].dropna().str.contains("llustrative").any()
    (target,) = study.facts.people.targets
    assert (target.people, str(target.by)) == (140_000, "2026-12-31")
    for name in ("map.html", "report.html"):
        words = (folder / name).read_text(encoding="utf-8")
        assert target.words in words, name
        assert "How many people wait is illustrative, made up, for 9 places" in words, name


def test_strikes_are_uncertain_and_cited(sample):
    study, _ = sample
    strikes = study.hazards[study.hazards["kind"] == "cluster-strike"]
    assert len(strikes) >= 5
    assert (strikes["position_error_m"] >= 2000).all()


def test_72_percent_of_the_accidents_lie_outside_the_belt(sample):
    study, _ = sample
    # As drawn: what has been released of the belt is still inside the former line.
    lines = study.hazards[study.hazards["kind"] == "contact-line"]
    belt = shapely.union_all(cp.footprints(lines, study.project.footprints).geometry.to_numpy())
    outside = ~shapely.intersects(belt, study.accidents.geometry.to_numpy())
    assert len(study.accidents) == 350
    assert outside.mean() == pytest.approx(0.72, abs=0.005)


def test_length_is_computed_and_stands_beside_the_scale(sample):
    study, _ = sample
    (line,) = study.run["contact_lines"]
    known = json.loads((SAMPLE / "line_of_contact" / "reference_figures.json").read_text())
    assert line["length_km"] == round(known["loc_length_geodesic_km"], 1)
    assert "202.6 km as drawn at 1:10 million" in study.facts.contact_lines[0].words


def test_layers_of_the_geopackage(sample):
    study, folder = sample
    import pyogrio

    layers = {str(name) for name, _ in pyogrio.list_layers(folder / "plan.gpkg")}
    assert {"hazards", "areas", "tasks", "zones", "accidents", "lifelines", "layer_styles"} <= layers
    tasks = gpd.read_file(folder / "plan.gpkg", layer="tasks")
    assert tasks["task_id"].tolist() == study.tasks["task_id"].tolist()
    assert tasks.crs == study.tasks.crs
    for name in ("hazards", "areas", "tasks", "zones", "accidents", "lifelines"):
        table = gpd.read_file(folder / "plan.gpkg", layer=name)
        for words in (ILLUSTRATIVE, NOT_FOR_ENTRY, BOUNDARIES, study.run["fingerprint"]):
            assert table["notice"].str.contains(words, regex=False).all()
    with sqlite3.connect(folder / "plan.gpkg") as database:
        styles = database.execute("SELECT f_table_name, styleQML, useAsDefault FROM layer_styles").fetchall()
    database.close()
    assert {name for name, _, _ in styles} == layers - {"layer_styles"}
    assert all(default for _, _, default in styles)
    assert "255,0,0,128" in {name: text for name, text, _ in styles}["areas"]


def test_explanation_from_the_geopackage_is_that_of_the_study(sample):
    study, folder = sample
    stored = read_ranked(folder / "plan.gpkg")
    for task_id in study.tasks["task_id"].iloc[[0, len(study.tasks) // 2, -1]]:
        a, b = cp.explain(stored, task_id), cp.explain(study.tasks, task_id)
        pd.testing.assert_frame_equal(a, b)
        assert a.attrs == b.attrs
        assert a["contribution"].sum() == pytest.approx(a.attrs["score"], abs=1e-9)


def test_csv_has_every_task_and_the_words(sample):
    study, folder = sample
    table = pd.read_csv(folder / "tasks.csv", skiprows=[1])  # a row of hashtags
    assert sorted(table["task_id"]) == sorted(study.tasks["task_id"])
    assert table["notice"].str.contains(ILLUSTRATIVE, regex=False).all()
    own = study.tasks.set_index("task_id").loc[table["task_id"]]
    assert np.allclose(table["area_m2"], own["area_m2"], rtol=1e-9)
    inner = shapely.points(table["lon"], table["lat"])
    inside = own.to_crs(4326).geometry.to_numpy()
    assert (shapely.distance(inside, inner) < 2e-6).all()  # the position is rounded to a millionth of a degree
    first = table[table["queue"] == "clearance"]["rank"].tolist()
    assert first == sorted(first)


def test_record_of_the_run(sample):
    study, folder = sample
    record = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    assert record["fingerprint"] == study.run["fingerprint"]
    assert record["settings"]["study"]["title"] == study.project.study.title
    assert re.fullmatch(r"[0-9a-f]{64}", record["inputs"]["illustrative/minefields.geojson"])
    assert {"geopandas", "shapely", "GEOS", "PROJ", "GDAL", "clearplan"} <= set(record["versions"])
    assert record["counts"]["tasks"] == len(study.tasks)
    assert "UTM zone 38N" in record["crs"]
    assert record["operations"]
    assert record["notice"].startswith(ILLUSTRATIVE)


def test_map_says_what_it_must(sample):
    study, folder = sample
    page = (folder / "map.html").read_text(encoding="utf-8")
    for words in (ILLUSTRATIVE, NOT_FOR_ENTRY, study.run["fingerprint"], "202.6 km as drawn at 1:10 million"):
        assert words in page
    assert len(page) < 5e6


@pytest.fixture
def run_twice(request, tmp_path):
    """Folders of two runs of one plan in processes of their own: the sample's, or for a share a small one's."""
    if FULL:
        return request.getfixturevalue("sample")[1], request.getfixturevalue("demo")[1] / "out" / "karabakh"
    project = request.getfixturevalue("village")
    run_study(project / "plan.toml", tmp_path / "first", change={"outputs": {"field": True, "formats": True}})
    asked = ["run", project / "plan.toml", "--out", tmp_path / "again", "--with", "field", "--with", "formats"]
    # Other hashes of text and other threads.
    other = {key: text for key, text in os.environ.items() if key != "OPENBLAS_NUM_THREADS"} | {"PYTHONHASHSEED": "1"}
    subprocess.run([sys.executable, "-m", "clearplan", *asked], check=True, env=other, capture_output=True)
    return tmp_path / "first", tmp_path / "again"


def test_same_input_same_bytes(run_twice):
    folder, again = run_twice
    names = sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
    assert len(names) > 20
    assert sorted(str(path.relative_to(again)) for path in again.rglob("*") if path.is_file()) == names
    for name in names:
        first, second = (folder / name).read_bytes(), (again / name).read_bytes()
        if name == "run.json":
            first, second = (re.sub(rb'"finished_at": "[^"]*"', b"", text) for text in (first, second))
        assert first == second, name


def test_illustrative_layers_are_made_anew_byte_for_byte(tmp_path):
    for script in ("make_illustrative.py", "make_releases.py", "make_lifelines.py"):
        subprocess.run(
            [sys.executable, str(SAMPLE / script), "--out", str(tmp_path)], check=True, capture_output=True, timeout=300
        )
    for path in sorted((SAMPLE / "illustrative").iterdir()):
        assert (tmp_path / path.name).read_bytes() == path.read_bytes(), path.name


def test_fingerprint_follows_inputs_and_settings(tmp_path):
    shutil.copytree(SAMPLE, tmp_path / "p")
    plan_file = tmp_path / "p" / "plan.toml"
    here = cp.load_project(plan_file)
    a = snapshot_of(here).hashes(tmp_path / "p")
    csv = tmp_path / "p" / "resettlement.csv"
    csv.write_text(csv.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    b = snapshot_of(here).hashes(tmp_path / "p")
    assert {name for name in a if a[name] != b[name]} == {"resettlement.csv"}


def test_every_place_of_the_sample_has_lifelines_and_every_gate_holds_tasks_back(sample):
    study, folder = sample
    own = study.lifelines
    assert 25 <= len(own) <= 40
    assert set(own["zone_id"]) == set(study.zones["zone_id"])
    assert set(own["kind"]) == {"road", "water", "power", "school", "clinic", "farmland"}
    assert set(own["essential"]) == {"yes", "no"}
    place = study.zones.set_index("zone_id").geometry
    assert own.geometry.distance(gpd.GeoSeries(place.loc[own["zone_id"]].to_numpy(), crs=own.crs)).max() < 4_000
    stored = gpd.read_file(folder / "plan.gpkg", layer="lifelines")
    assert stored["lifeline_id"].tolist() == own["lifeline_id"].tolist()
    assert set(stored.geom_type) == {"Point", "LineString", "Polygon"}
    assert not study.faults["rule"].str.startswith("names a").any()
    tasks = study.tasks
    for gate in study.tables["gates"].itertuples():
        held = (
            tasks["zone_ids"].fillna("").str.split("; ").map(lambda ids, g=gate: g.zone_id in ids)
            | tasks["hazard_ids"].fillna("").str.split("; ").map(lambda ids, g=gate: g.hazard_id in ids)
            | (tasks["district"] == gate.district)
        )
        assert 0 < held.sum() < 50, gate
    assert (
        [gate["gate_id"] for gate in study.run["gates"]]
        == study.tables["gates"]["gate_id"].tolist()
        == ["GT-1", "GT-2", "GT-3"]
    )


# --- a small project that runs in a second -------------------------------------------------------------------


@pytest.fixture
def project(tmp_path):
    return make_project(tmp_path)


def make_project(tmp_path):
    """Two fields, two places; the second field can be spoilt by the test."""
    folder = tmp_path / "project"
    folder.mkdir()
    boxes = [shapely.box(46.93, 39.99, 46.94, 40.0), shapely.box(46.95, 39.99, 46.955, 40.0)]
    fields = gpd.GeoDataFrame(
        {"hazard_id": ["F1", "F2"], "land_class": ["SHA", "CHA"], "status": "open", "ordnance": "AP",
         "position_error_m": 30.0, "source": "made up"}, geometry=boxes, crs=4326)  # fmt: skip
    fields.to_file(folder / "fields.geojson")
    (folder / "zones.csv").write_text(
        "zone_id,name,people,position_error_m,source,lon,lat\nZ1,North,120,50,s,46.945,40.005\nZ2,South,,50,s,46.9,39.95\n"
    )
    (folder / "plan.toml").write_text(
        textwrap.dedent("""
        [study]
        title = "Small"
        region = [46.5, 39.5, 47.5, 40.5]
        as_at = 2026-01-01
        illustrative = true
        [[hazards]]
        path = "fields.geojson"
        [hazards.set]
        kind = "minefield"
        [[zones]]
        path = "zones.csv"
        crs = "EPSG:4326"
        [footprints]
        strike_radius_m = 300
        [footprints.margin_m]
        AP = 20
        [tasks]
        influence_m = 2000
        min_task_m2 = 500
        join_within_m = 50
        [tasks.max_task_ha]
        survey = 110
        clearance = 26
        [priority]
        set_by = "test"
        set_on = 2026-01-01
        unknown_people = 50
        accidents_radius_m = 500
        accidents_since = 2020-11-10
        class_values = { CHA = 1.0, SHA = 0.5, indication = 0.1 }
        [[priority.criteria]]
        name = "people"
        weight = 1
        zero_at = 0
        one_at = 1000
        source = "test"
        [map]
        title = "Small map"
        """)
    )
    return folder


def test_project_without_line_districts_or_accidents(project):
    study = run_study(project / "plan.toml", project / "out")
    assert sorted(path.name for path in (project / "out").iterdir()) == FILES
    assert study.tasks["people_assumed"].max() == 0
    assert (study.tasks["rank"] == 1).any()


def depend(folder, gates, lifelines):
    """The small project with these rows of gates and lifelines; further settings may follow."""
    header = "gate_id,kind,zone_id,hazard_id,district,reason,until,source,recorded_on"
    (folder / "gates.csv").write_text("\n".join([header, *gates]) + "\n")
    header = "lifeline_id,zone_id,kind,essential,position_error_m,source,recorded_on,wkt"
    (folder / "lifelines.csv").write_text("\n".join([header, *lifelines]) + "\n")
    extra = '[[gates]]\npath = "gates.csv"\n[[lifelines]]\npath = "lifelines.csv"\ncrs = "EPSG:4326"\n[map]'
    (folder / "plan.toml").write_text((folder / "plan.toml").read_text().replace("[map]", extra))


def test_links_that_lead_nowhere_are_told_with_file_and_row_and_stay(project):
    depend(
        project,
        ["G1,dispute,Z1,,,r,u,s,2025-01-01", "G2,security,Z9,,,r,u,s,2025-02-01", "G3,other,,F7,,r,u,s,",
         "G4,permission,,F1,North,r,u,s,"],
        ["L1,Z1,road,yes,10,s,2025-01-01,\"LINESTRING (46.945 40.005, 46.96 40.01)\"",
         "L2,Z8,water,no,10,s,2025-02-01,POINT (46.9 39.96)"],
    )  # fmt: skip
    study = run_study(project / "plan.toml", project / "out")
    told = study.faults[study.faults["rule"].str.startswith("names a")]
    assert set(told["level"]) == {"warning"}
    assert told[["file", "row", "column", "value"]].values.tolist() == [
        ["lifelines.csv", 3, "zone_id", "Z8"],
        ["gates.csv", 3, "zone_id", "Z9"],
        ["gates.csv", 4, "hazard_id", "F7"],
        ["gates.csv", 5, "district", "North"],  # the plan has no district layer
    ]
    assert "Gates: names a zone that ZONES lacks: it holds back NOTHING (1: row 3 Z9)" in study.notes
    assert "Lifelines: names a zone that ZONES lacks: it counts for no task (1: row 3 Z8)" in study.notes
    assert study.tables["gates"]["gate_id"].tolist() == ["G1", "G2", "G3", "G4"]
    assert study.lifelines["lifeline_id"].tolist() == ["L1", "L2"]
    assert study.run["counts"]["lifelines"] == 2
    assert {"gates.csv", "lifelines.csv"} <= set(study.run["inputs"])
    assert study.lifelines.crs == study.tasks.crs
    # 0.015 degrees of longitude and 0.005 of latitude at 40 N: 1281 m east, 555 m north, on the ellipsoid.
    assert study.lifelines.length.iloc[0] == pytest.approx(np.hypot(1281, 555), rel=2e-3)


def test_lifelines_and_gates_count_from_their_day(project):
    depend(
        project,
        ["G1,dispute,Z1,,,r,u,s,2025-01-01", "G2,security,Z9,,,r,u,s,2025-02-01", "G3,other,Z2,,,r,u,s,"],
        ["L1,Z1,road,yes,10,s,2025-01-01,POINT (46.945 40.005)", "L2,Z2,water,no,10,s,2025-02-02,POINT (46.9 39.96)"],
    )
    study = run_study(project / "plan.toml", as_at="2025-02-01")
    assert study.tables["gates"]["gate_id"].tolist() == ["G1", "G2", "G3"]
    assert study.lifelines["lifeline_id"].tolist() == ["L1"]
    early = run_study(project / "plan.toml", as_at="2025-01-31")
    assert early.tables["gates"]["gate_id"].tolist() == ["G1", "G3"]  # an undated gate holds at every day
    assert "1 lifelines are dated after 2025-01-31, the date of the study, and left out" in early.notes
    assert "1 gates are dated after 2025-01-31, the date of the study, and left out" in early.notes


def test_a_gate_that_cannot_be_used_is_said_first(project):
    depend(project, ["G1,dispute,,,,r,u,s,", "G2,security,Z1,,,r,u,s,"], ["L1,Z1,road,yes,10,s,,POINT (46.945 40.005)"])
    with pytest.raises(FaultsError, match="none of zone_id, hazard_id, district is given"):
        run_study(project / "plan.toml")
    plan = (project / "plan.toml").read_text()
    (project / "plan.toml").write_text(plan.replace('path = "gates.csv"', 'path = "gates.csv"\nlenient = true'))
    study = run_study(project / "plan.toml")
    assert study.notes[0] == "1 rows of gates can't be used and hold back NOTHING: G1"
    assert study.tables["gates"]["deferred"].notna().tolist() == [True, False]


def test_gates_and_history_may_leave_columns_out(project):
    depend(project, ["G1,dispute,Z1,,,r,u,s,"], ["L1,Z1,road,yes,10,s,,POINT (46.945 40.005)"])
    (project / "gates.csv").write_text("kind,district,reason,until,source\ndispute,North,r,u,s\n")
    (project / "history.csv").write_text(
        "hazard_id,changed_on,changed_by,reason,land_class,source\nF1,2025-05-01,authority,survey,CHA,s\n"
    )
    plan = (project / "plan.toml").read_text().replace("[map]", '[[history]]\npath = "history.csv"\n[map]')
    (project / "plan.toml").write_text(plan)
    study = run_study(project / "plan.toml")
    assert study.hazards["land_class"].tolist() == ["CHA", "CHA"]
    assert study.tables["gates"][["zone_id", "hazard_id"]].isna().all(axis=None)
    told = study.faults.loc[study.faults["file"] == "gates.csv", ["row", "rule"]]
    assert told.values.tolist() == [[2, "names a district that the district layer lacks: it holds back NOTHING"]]


def test_lenient_reading_opens_with_what_is_deferred(project):
    fields = json.loads((project / "fields.geojson").read_text())
    fields["features"][1]["geometry"] = None
    (project / "fields.geojson").write_text(json.dumps(fields))
    with pytest.raises(FaultsError, match="shape is missing"):
        run_study(project / "plan.toml", project / "out")
    assert not (project / "out").exists()
    plan = (project / "plan.toml").read_text().replace("[hazards.set]", "lenient = true\n[hazards.set]")
    (project / "plan.toml").write_text(plan)
    study = run_study(project / "plan.toml", project / "out")
    assert len(study.hazards) == 2
    assert study.notes[0].startswith("1 of 2 hazards could not be placed")
    assert study.notes[0] in (project / "out" / "map.html").read_text(encoding="utf-8")
    assert cp.check(study.hazards).empty


def test_faults_of_all_files_come_together(project):
    (project / "zones.csv").write_text("zone_id,name,people,position_error_m,source,lon,lat\nZ1,N,-5,50,s,46.9,40\n")
    fields = json.loads((project / "fields.geojson").read_text())
    fields["features"][0]["geometry"] = None
    (project / "fields.geojson").write_text(json.dumps(fields))
    with pytest.raises(FaultsError) as caught:
        run_study(project / "plan.toml")
    assert set(caught.value.faults["file"]) == {"fields.geojson", "zones.csv"}


def test_users_own_files_stay_and_foreign_folders_are_refused(project):
    run_study(project / "plan.toml", project / "out")
    (project / "out" / "mine.qgz").write_text("mine")
    run_study(project / "plan.toml", project / "out")
    assert (project / "out" / "mine.qgz").read_text() == "mine"
    with pytest.raises(OutputError, match="no run has made"):
        run_study(project / "plan.toml", project)
    with pytest.raises(OutputError, match="is a file"):
        run_study(project / "plan.toml", project / "plan.toml")
    assert not list(project.glob(".out*"))


def bytes_in(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_killed_run_leaves_the_last_good_result(project):
    run_study(project / "plan.toml", project / "out")
    before = bytes_in(project / "out")
    code = textwrap.dedent(f"""
        import time, clearplan.study.run as s
        def hang(stage):
            if stage == "Writing layers and tables":
                print("half-way", flush=True)
                time.sleep(60)
        s.run_study(r"{project / "plan.toml"}", r"{project / "out"}", progress=hang)
    """)
    with subprocess.Popen([sys.executable, "-W", "ignore", "-c", code], stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout.readline().strip() == "half-way"
        child.send_signal(signal.SIGKILL)
        child.wait(30)
    assert bytes_in(project / "out") == before
    half_way = [path for path in project.iterdir() if path.name.startswith(".out.new")]
    assert half_way, "the killed run had begun to write"
    run_study(project / "plan.toml", project / "out")
    assert not [path for path in project.iterdir() if path.name.startswith(".out")]


def test_death_between_the_two_renames_is_mended(project):
    run_study(project / "plan.toml", project / "out")
    (project / "out").rename(project / ".out.old")
    (project / ".out.old" / "mine.txt").write_text("mine")
    run_study(project / "plan.toml", project / "out")
    assert (project / "out" / "mine.txt").read_text() == "mine"
    assert not (project / ".out.old").exists()


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("influence_m = 2000", "", "tasks.influence_m"),
        ("influence_m = 2000", "influence_m = -1", "tasks.influence_m"),
        ("influence_m = 2000", "influence_m = nan", "tasks.influence_m"),
        ("influence_m = 2000", "influence_m = 2000\ninfluence = 3", "unknown setting"),
        ("region = [46.5, 39.5, 47.5, 40.5]", "region = [47.5, 39.5, 46.5, 40.5]", "west < east"),
        ("one_at = 1000", "one_at = 0", "must differ"),
        ("weight = 1", "weight = 0", "sum to 0"),
        ("AP = 20", "AV = 20", "no margin for AP"),
        (
            'name = "people"',
            'name = "peple"',
            "criteria.0: criterion peple: clearplan measures no such figure; did you mean people?",
        ),
    ],
)
def test_wrong_settings_are_named(project, old, new, words):
    plan = (project / "plan.toml").read_text()
    assert old in plan
    (project / "plan.toml").write_text(plan.replace(old, new))
    with pytest.raises(SettingsError, match=re.escape(words)):
        run_study(project / "plan.toml", project / "out")
    assert not (project / "out").exists()


def test_a_study_in_another_part_of_the_world(project):
    """South of the equator, west of Greenwich, and too wide for one UTM zone."""
    plan = (project / "plan.toml").read_text()
    (project / "plan.toml").write_text(plan.replace("[46.5, 39.5, 47.5, 40.5]", "[-76, -12, -66, -4]"))
    fields = json.loads((project / "fields.geojson").read_text())
    for feature in fields["features"]:
        ring = np.array(feature["geometry"]["coordinates"][0])
        feature["geometry"]["coordinates"] = [(ring + np.array([-117, -48])).tolist()]
    (project / "fields.geojson").write_text(json.dumps(fields))
    (project / "zones.csv").write_text(
        "zone_id,name,people,position_error_m,source,lon,lat\nZ1,North,120,50,s,-70.06,-8.0\n"
    )
    study = run_study(project / "plan.toml", project / "out")
    assert "Lambert azimuthal equal area" in study.run["crs"]
    assert study.tasks["task_id"].str.match(r"^\d{2}[C-X][A-Z]{2}\d{4}-(SHA|CHA)-\d+$").all()
    assert (project / "out" / "map.html").exists()


def test_tasks_of_the_sample_follow_what_blocks_and_can_be_worked(sample):
    study, _ = sample
    tasks, settings = study.tasks, study.project.tasks
    assert (tasks.loc[tasks["small"] == "no", "area_m2"] >= settings.min_task_m2).all()
    small = (tasks["small"] == "yes").sum()
    assert any(note.startswith(f"{small} tasks are smaller than 2,500 m2") for note in study.notes)
    # Home ground and corridors of essential lifelines, drawn apart: 99 % of what blocks a place lies in them.
    zones, lifelines = study.zones, study.tables["lifelines"]
    zones = zones[zones["deferred"].isna()]
    lifelines = lifelines[lifelines["deferred"].isna() & (lifelines["essential"] == "yes")]
    reach = [(zones, study.project.planning.home_m), (lifelines, study.project.priority.lifelines_within_m)]
    ground = [table.geometry.buffer(table["position_error_m"].fillna(0).to_numpy(float) + m) for table, m in reach]
    ground = shapely.union_all(pd.concat(ground).to_numpy())
    blockers = study.planned.case.blockers
    essential = blockers.loc[blockers["essential"] == "yes", "task_id"]
    blocking = tasks[tasks["task_id"].isin(essential)].geometry
    assert blocking.intersection(ground).area.sum() > 0.99 * blocking.area.sum()

"""The sample published at each tier: what leaves gives no place, no name and no single figure away."""

import json
from dataclasses import replace
from unittest import mock

import geopandas as gpd
import numpy as np
import openpyxl
import pandas as pd
import pyogrio
import pytest
import shapely
from shapely import Point, box

from clearplan.core.errors import SettingsError, TableError
from clearplan.publishing.tables import from_records, publish_tables
from clearplan.settings.publishing import PublishSettings
from clearplan.study import outputs
from clearplan.study.compare import compare_runs
from clearplan.study.export import export_run
from clearplan.study.outputs import imprint_of, write_run
from clearplan.study.publish import publish_study
from clearplan.study.ranking import read_ranking
from clearplan.tables.check import check, remaining
from clearplan.tables.codes import SURVEY
from clearplan.tables.columns import heading
from clearplan.tables.lookup import TABLES, column_of, declared
from clearplan.tables.tiers import BANNERS, may_leave
from tests.browser import opened
from tests.conftest import E0, FULL, N0, SAMPLE, hazard_table, made_once
from tests.leaks import Secrets, leaks, secrets_of
from tests.tables.test_declarations import CSV, sheets_of


@pytest.fixture(scope="module")
def secrets(sample) -> Secrets:
    return secrets_of(SAMPLE, sample[0])


@pytest.fixture(scope="module")
def public(sample):
    """The sample published for all, and the folder that the demo wrote."""
    study, folder = sample
    return publish_study(study, "public"), folder.with_name(f"{folder.name}-public")


@pytest.fixture(scope="module")
def partner(sample, tmp_path_factory):
    """The sample published for partners, and the folder of its outputs."""

    def write(folder):
        study = publish_study(sample[0], "partner")
        with mock.patch.object(outputs, "_DOSSIERS", outputs._DOSSIERS if FULL else 1):
            write_run(study, folder)
        return study

    return made_once(tmp_path_factory, "sample-partner", write)


@pytest.fixture(scope="module", params=["public", "partner"])
def tiered(request):
    """Tier, study and folder of the sample published at each tier below restricted."""
    return (request.param, *request.getfixturevalue(request.param))


def test_public_outputs_give_no_place_and_no_name_away(public, secrets):
    _, folder = public
    files = {path.name for path in folder.iterdir()}
    assert {"map.html", "report.html", "plan.gpkg", "tasks.csv", "work.csv", "accidents.csv", "plan.xlsx",
            "treaty.xlsx", "run.json"} <= files  # fmt: skip
    assert not files & {"records.html", "surface.tif", "surface_evidence.tif"}
    found = leaks(folder, secrets, cell_m=5000)
    assert found.empty, found.to_string()


def test_the_same_search_finds_all_of_it_in_the_restricted_outputs(sample, secrets):
    """A search that can't find is no proof."""
    kinds = set()
    for name in ("map.html", "plan.gpkg", "run.json", "plan.xlsx", "tasks.csv"):
        kinds |= set(leaks(sample[1], secrets, most=1, only=name)["kind"])
    assert kinds >= {f"place of a {kind}" for kind in secrets.places} - {"place of a strike"} | {"1-km square"}
    assert kinds >= {f"word of a {kind}" for kind in secrets.words}


def test_partner_outputs_hold_nothing_that_records_say(sample, tiered, secrets):
    _, _, folder = tiered
    study = sample[0]
    points = pd.concat([own.vertices for own in study.records])
    # Landmarks from which the fields are measured; corners of fields are their shape, which partners get.
    landmarks = points[(points["point_kind"] == "reference") & points.geometry.notna()]
    own = shapely.get_coordinates(landmarks.geometry.to_numpy())
    shape = study.areas.geometry.dropna().to_numpy()
    apart = [shapely.distance(shape, Point(xy)).min() > 50 for xy in own]
    assert sum(apart) > 10
    words = {"military": secrets.words["military"]}
    found = leaks(folder, Secrets({"landmark": own[apart]}, words, secrets.open), precision_m=10)
    found = found[found["kind"] != "1-km square"]  # partners get ids of tasks, which are made of such
    assert found.empty, found.to_string()
    assert not (folder / "records.html").exists()
    columns = {name for table in ("records", "legs", "vertices") for name in (c.name for c in TABLES[table])}
    common = {"record_id", "source", "status", "ordnance", "position_error_m", "geometry"}
    layer = gpd.read_file(folder / "plan.gpkg", layer="hazards")
    assert not set(layer.columns) & (columns - common)


def test_partners_get_no_day_on_which_mines_were_laid_or_a_record_handed_over(sample):
    study = sample[0]
    tables = {name: getattr(study, name) for name in ("hazards", "areas", "tasks")}
    told = publish_tables(tables, "partner", settings=PublishSettings())
    records = set(study.hazards.loc[from_records(study.hazards), "hazard_id"])
    assert study.hazards.loc[study.hazards["hazard_id"].isin(records), "recorded_on"].notna().any()
    for name in ("hazards", "areas"):
        own = told[name]["hazard_id"].isin(records)
        assert told[name].loc[own, "recorded_on"].isna().all()
        assert (told[name].loc[~own, "recorded_on"] == tables[name].loc[~own, "recorded_on"]).sum() > 100
    day = dict(zip(told["hazards"]["hazard_id"], told["hazards"]["recorded_on"], strict=True))
    for ids, on in zip(told["tasks"]["hazard_ids"], told["tasks"]["recorded_on"], strict=True):
        dated = [day[one] for one in ids.split("; ") if not pd.isna(day[one])]
        assert on == max(dated) if dated else pd.isna(on)


def leaves(table, name, tier):
    """Whether a column may stand in a tier's file: it leaves, or outputs make it of columns that do."""
    column = declared(table, name)
    return column is not None and (may_leave(table, name, tier) or column.stage == "outputs")


def test_a_declared_tier_is_the_only_way_to_leave(tiered):
    tier, study, folder = tiered
    for layer, _ in pyogrio.list_layers(folder / "plan.gpkg"):
        info = pyogrio.read_info(folder / "plan.gpkg", layer=layer)
        if layer != "layer_styles" and info["features"]:
            assert [name for name in info["fields"] if not leaves(layer, name, tier)] == [], layer
    for path in sorted(folder.glob("*.csv")):
        rows = pd.read_csv(path)
        if len(rows) > 1:  # the first is of hashtags
            assert [name for name in rows.columns if not leaves(CSV[path.stem], name, tier)] == [], path.name
    sheets = sheets_of(study)
    for page in (page for name in ("plan.xlsx", "treaty.xlsx") for page in openpyxl.load_workbook(folder / name)):
        sheet = sheets.get(page.title)
        if sheet is None or page.max_row < 3:
            continue
        told = {sheet.heads.get(name) or heading(column_of(sheet.table, name), sheet.currency)
                for name in sheet.columns if leaves(sheet.table, name, tier)}  # fmt: skip
        assert {cell.value for cell in page[1]} - told == set(), page.title


def test_tier_is_in_the_fingerprint_and_on_every_output(sample, tiered):
    tier, study, folder = tiered
    assert study.run["fingerprint"] != publish_study(sample[0], "restricted").run["fingerprint"]
    assert study.run["settings"]["publish"]["tier"] == tier
    assert BANNERS[tier] in imprint_of(study).notice
    for name in ("map.html", "report.html", "tasks.csv", "work.csv", "ledger.csv", "run.json"):
        assert BANNERS[tier] in (folder / name).read_text(encoding="utf-8"), name
    assert gpd.read_file(folder / "plan.gpkg", layer="tasks")["notice"].str.contains(BANNERS[tier], regex=False).all()


def test_the_restricted_tier_says_so_everywhere(sample):
    study = publish_study(sample[0], "restricted")
    assert imprint_of(study).notice.find(BANNERS["restricted"]) >= 0
    assert study.project.publish.tier == "restricted"


def test_a_published_study_is_not_published_again(public):
    with pytest.raises(TableError, match="published already, public"):
        publish_study(public[0], "partner")


def test_commands_on_a_public_run_refuse_what_it_does_not_tell(sample, public, tmp_path):
    folder = public[1]
    for name, asked in (("dossiers.pdf", {"dossiers": True}), ("tasks.gpx", {})):
        with pytest.raises(SettingsError, match="of the tier public and holds no border"):
            export_run(folder, tmp_path / name, **asked)
    with pytest.raises(TableError, match="is public and sums up the criteria"):
        read_ranking(folder / "plan.gpkg")
    with pytest.raises(TableError, match="for the tier restricted"):
        compare_runs(sample[1], folder)
    assert not list(tmp_path.iterdir())


def test_what_is_exported_out_of_a_public_run_gives_no_more_away(public, secrets, tmp_path):
    # Import sheets hold the open line alone, whose columns of figures would pair a point's north with the next's east.
    assert set(gpd.read_file(public[1] / "plan.gpkg", layer="hazards")["kind"]) == {"contact-line"}
    for name in ("all.zip", "map.kmz", "map.pdf"):
        export_run(public[1], tmp_path / name)
    found = leaks(tmp_path, secrets, cell_m=5000, slack_m=5.0)  # handhelds get outlines some metres too large
    assert found.empty, found.to_string()


def test_public_figures_are_those_of_the_study(sample, public):
    study, told = sample[0], public[0]
    assert told.run["people"] == study.run["people"]
    for name in ("opens_in", "people"):
        assert told.zones[name].fillna(-1).tolist() == study.zones[name].fillna(-1).tolist()
    for column in ("reported_m2", "planning_m2"):
        net = study.net.groupby("land_class")[column].sum()
        for land_class, own in told.net.groupby("land_class")[column].sum().items():
            assert own == pytest.approx(net[land_class], abs=1000 * len(told.net))
    tasks = told.tasks.groupby("land_class")["area_m2"].sum()
    for land_class, own in tasks.items():
        assert own == pytest.approx(net[land_class], abs=1000 * len(told.tasks))
    ledger = told.books["ledger"]
    parts = ["remaining_m2", "cancelled_m2", "reduced_m2", "cleared_m2", "closed_m2"]
    assert np.allclose(ledger["reported_m2"], ledger[parts].sum(axis=1))
    points = told.tasks[[c for c in told.tasks.columns if c.endswith("_points")]].fillna(0.0).sum(axis=1)
    assert np.allclose(points, told.tasks["score"])
    assert told.planned.schedule.work["cost"].sum() == pytest.approx(
        study.planned.schedule.work["cost"].sum(), rel=0.01
    )
    surveys = {f"{SURVEY}{zone}" for zone in told.zones["zone_id"]}
    assert set(told.planned.schedule.work["task_id"]) <= set(told.tasks["task_id"]) | surveys


def frames_of(study):
    """Every table of figures of a published study, by name."""
    planned, dossier = study.planned, study.dossier
    yield from study.books.items()
    yield from dossier.tables.items()
    yield "comparison", planned.comparison
    yield "use", planned.judgement.use
    if planned.programme is not None:
        yield "programme", planned.programme.teams
        yield "periods", planned.programme.periods
        yield "programme's use", planned.programme.judgement.use


def test_no_sum_of_days_or_money_gives_the_area_of_one_task_away(sample, public):
    """At a rate that the settings tell, 1.697 days of a lone NTS task are its area to the square metre."""
    exact, told = sample[0].dossier.milestones, public[0].dossier.milestones
    assert (exact["days"] % 1 > 1e-6).any()
    assert (told["tasks"] == exact["tasks"]).all()
    for name, table in frames_of(public[0]):
        for column in table.columns:
            parts = column.split("_")
            step = 1000 if "m2" in parts else 1 if parts[0] == "days" else 100 if parts[0] == "cost" else None
            if step is not None:
                off = table[column].dropna().astype(float) % step
                assert np.minimum(off, step - off).max() < 1e-6, (name, column)
    run = json.loads((public[1] / "run.json").read_text(encoding="utf-8"))
    assert all(own["m2_finished"] % 1000 == 0 for own in run["strategies"])


def test_no_public_table_tells_kinds_of_ordnance_or_what_a_release_found(sample, public):
    """Where a district has one field of a class, its row of an ordnance is the field's own."""
    assert sample[0].books["bridge"].groupby(["district", "land_class"])["ordnance"].nunique().max() > 1
    for name, table in frames_of(public[0]):
        assert not [c for c in table.columns if c.startswith("items_") or c == "decisions_silent"], name
        assert set(table.get("ordnance", pd.Series(["all"]))) <= {"all"}, name
    assert "mixed" not in (public[1] / "bridge.csv").read_text(encoding="utf-8")
    report = (public[1] / "report.html").read_text(encoding="utf-8")
    assert "items found" not in report
    assert "By ordnance" not in report
    bridge, exact = public[0].books["bridge"], sample[0].books["bridge"]
    assert bridge["closing_m2"].sum() == pytest.approx(exact["closing_m2"].sum(), abs=6000 * len(bridge))


def test_no_row_of_a_district_leads_to_less_ground_than_a_cell(sample, public):
    """Ground of a district's row lies in its part of the cells of that class: rows of slivers would tell where."""
    layer, name = sample[0].context.districts, sample[0].context.district_name
    ground = dict(zip(layer[name], layer.geometry, strict=True))

    homes = set(zip(public[0].tasks["district"], public[0].tasks["land_class"], strict=True))

    def least(study):
        found = {}
        for row in study.books["net_area"].itertuples():
            cells = public[0].areas
            held = shapely.union_all(cells[cells[f"{row.land_class.lower()}_m2"].notna()].geometry.to_numpy())
            if row.district in ground and row.planning_m2 > 0:
                found[row.district, row.land_class] = held.intersection(ground[row.district]).area
        return found

    assert min(least(sample[0]).values()) < 15e6
    # A cell on the outer border is told by its district, however much of the cell lies beyond.
    assert all(m2 >= 25e6 for row, m2 in least(public[0]).items() if row not in homes)
    assert min(least(public[0]).values()) > 20e6
    for book, sums in (
        ("net_area", "reported_m2"),
        ("net_area", "planning_m2"),
        ("ledger", "remaining_m2"),
        ("bridge", "closing_m2"),
    ):
        exact, told = (own.books[book].groupby("land_class")[sums].sum() for own in (sample[0], public[0]))
        assert (told - exact).abs().max() < 6000 * len(public[0].books[book])


def test_public_record_of_the_run_names_no_file_and_no_value(public):
    _, folder = public
    run = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    assert all(name.startswith("input ") and len(digest) == 64 for name, digest in run["inputs"].items())
    assert not set(run["settings"]) & {"hazards", "records", "zones", "accidents", "teams", "contact_line", "context"}
    assert all(set(row) == {"level"} for row in run["faults"])
    assert run["history"] == []
    assert "published" not in run["settings"]["release"]
    assert "previous" not in run["settings"]["planning"]


def test_the_contact_line_leaves_only_where_its_source_is_open(public):
    line = {
        "kind": "contact-line",
        "land_class": "indication",
        "geometry": shapely.LineString([(E0, N0), (E0, N0 + 9)]),
    }
    hazards = hazard_table([line, {"geometry": box(E0, N0, E0 + 90, N0 + 90)}])
    tables = {"hazards": hazards, "areas": hazards.iloc[1:].assign(area_id="A", band="whole")}
    for opened_line in (True, False):
        told = publish_tables(tables, "public", settings=PublishSettings(contact_line=opened_line))["hazards"]
        assert told["hazard_id"].tolist() == ["L1"] * opened_line
    assert [line["hazard_id"] for line in public[0].run["contact_lines"]] == ["L1"]


def test_whole_districts_stand_for_hazards_on_request(sample, tmp_path, secrets):
    study = sample[0]
    wide = study.project.publish.model_copy(update={"to": "districts"})
    told = publish_study(replace(study, project=study.project.model_copy(update={"publish": wide})), "public")
    names = set(study.context.districts[study.context.district_name])
    inside = told.areas[told.areas["area_id"].isin(names)]
    assert len(inside) > 10
    every = shapely.union_all(told.areas.geometry.to_numpy())
    left = remaining(study.areas).geometry.to_numpy()
    assert shapely.area(shapely.difference(left, shapely.buffer(every, 0.01))).sum() < 1.0
    assert set(told.zones["zone_id"].str.match(r"place-\d+")) == {True}


def test_public_tables_break_no_rule_but_that_columns_are_left_out(public):
    for name in ("zones", "tasks", "gates", "teams"):
        faults = check(public[0].tables[name], name)
        assert set(faults["rule"]) <= {"column is missing"}, faults.to_string()


def test_public_page_opens_and_says_what_a_cell_is(public):
    _, folder = public
    with opened(folder / "map.html") as (page, watch):
        page.wait_for_selector("html[data-ready=yes]")
        assert page.inner_text("#tier") == BANNERS["public"]
        assert "Cell that holds confirmed hazardous area (CHA)" in page.inner_text("#legend")
        page.evaluate("document.querySelector('#list button').click()")
        card = page.inner_text(".leaflet-popup-content")
        assert "In this cell, net of overlap:" in card
        assert "Affects no listed place" not in card
        assert "Position error" not in card
    assert watch.requests == []
    assert watch.complaints == []


def test_records_are_told_by_the_trust_in_them(sample):
    study = sample[0]
    told = set(study.hazards.loc[from_records(study.hazards), "hazard_id"])
    assert told == {name for own in study.records for name in own.hazards["hazard_id"]}


def test_styles_of_the_layers_call_no_cell_hazardous_as_a_whole(public):
    styles = gpd.read_file(public[1] / "plan.gpkg", layer="layer_styles").set_index("f_table_name")["styleQML"]
    assert "Cell that holds confirmed hazardous area (CHA)" in styles["areas"]
    assert 'label="Confirmed hazardous area (CHA)"' not in styles["areas"]

"""Files as they come: what broke the program or, worse, was read wrongly in silence."""

import re
import textwrap

import geopandas as gpd
import numpy as np
import openpyxl
import pytest
from pyproj import Geod
from shapely import Polygon, box

import clearplan as cp
from clearplan.core.errors import CrsError, FaultsError, OutputError, ReadError, SettingsError, TableError
from clearplan.study.run import run_study
from tests.conftest import E0, N0, hazard_table
from tests.study.test_run import project  # noqa: F401

HEAD = "zone_id,name,people,position_error_m,source,lon,lat\n"
ROW = "Z1,A,100,10,s,46.9,40\n"


def zones(tmp_path, text, **options):
    path = tmp_path / "z.csv"
    path.write_text(text, encoding="utf-8")
    return cp.read_zones(path, **{"crs": "EPSG:4326"} | options)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            HEAD.replace("source,lon,lat", "lon,lat,source") + 'Z1,A,1,10,46.9,40,"open\nZ2,B,2,10,46.9,40,s\n',
            "not valid CSV",
        ),
        (HEAD.replace("\n", ",people\n") + ROW.replace("\n", ",5\n"), "'people' stands twice"),
        (HEAD.replace("\n", ",,x\n") + ROW.replace("\n", ",,x\n"), "has no name"),
        ("sep=;\n" + HEAD, "delete that line"),
        (HEAD + ROW + "Z2,B,C\n" + ROW + "Z3,\n", r"row 3: has 3 cells, the header 7; so have rows 5; put texts"),
    ],
)
def test_tables_that_can_t_be_read_as_meant(tmp_path, text, words):
    with pytest.raises(ReadError, match=words):
        zones(tmp_path, text)


def test_trailing_commas_and_bom_are_harmless(tmp_path):
    table = zones(tmp_path, "\ufeff" + HEAD.replace("\n", ",,\n") + ROW.replace("\n", ",,\n"), encoding="utf-8")
    assert table["people"].tolist() == [100]


@pytest.mark.parametrize("people", ["1.200", "1_200", "12e400", "-1"])
def test_people_are_whole_numbers(tmp_path, people):
    with pytest.raises(FaultsError, match="column people"):
        zones(tmp_path, HEAD + ROW.replace("100", people))


def test_very_long_wkt(tmp_path):
    angles = np.linspace(0, 2 * np.pi, 9000, endpoint=False)
    ring = [f"{46.9 + 0.01 * np.cos(a):.7f} {40 + 0.01 * np.sin(a):.7f}" for a in angles]
    (tmp_path / "h.csv").write_text(
        "hazard_id,kind,land_class,status,ordnance,position_error_m,source,wkt\n"
        f'H1,minefield,CHA,open,AP,10,s,"POLYGON(({",".join([*ring, ring[0]])}))"\n'
    )
    table = cp.read_hazards(tmp_path / "h.csv", crs="EPSG:4326")
    # A disc of 0.01 degrees: 853 m by 1,110 m.
    assert table.area.iloc[0] == pytest.approx(np.pi * 854 * 1110, rel=0.01)


def book(tmp_path, change):
    workbook = openpyxl.Workbook()
    page = workbook.active
    page.append(HEAD.strip().split(","))
    page.append(["Z1", "NA", 100, 10, "s", 46.9, 40])
    page.append(["Z2", "B", 200, 10, "s", 46.91, 40])
    change(workbook, page)
    workbook.save(tmp_path / "z.xlsx")
    return cp.read_zones(tmp_path / "z.xlsx", crs="EPSG:4326")


def test_spreadsheet_is_read_as_it_is_seen(tmp_path):
    table = book(tmp_path, lambda workbook, page: None)
    assert table["name"].tolist() == ["NA", "B"]
    assert table["people"].tolist() == [100, 200]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda w, p: p.__setitem__("C2", "=50+50"), "C2 is a formula without a stored value"),
        (lambda w, p: p.merge_cells("C2:C3"), "C2:C3 are merged"),
        (lambda w, p: w.create_sheet("more").append(["x"]), "holds sheets Sheet, more"),
        (lambda w, p: p.__setitem__("H1", "people"), "'people' stands twice"),
    ],
)
def test_spreadsheets_that_would_lose_something(tmp_path, change, words):
    with pytest.raises((ReadError, FaultsError), match=words):
        book(tmp_path, change)


@pytest.mark.parametrize("section", [{"columns": {"recordedon": "name"}}, {"set": {"peple": 5}}, {"codes": {"x": {}}}])
def test_a_slip_in_our_column_names_is_an_error(tmp_path, section):
    with pytest.raises(SettingsError, match="zones has no such column"):
        zones(tmp_path, HEAD + ROW, **section)


def test_own_columns_of_reserved_names_are_kept(tmp_path):
    table = zones(tmp_path, HEAD.replace("\n", ",deferred,notice\n") + ROW.replace("\n", ",later,n\n"))
    assert table["deferred"].tolist() == [None]
    assert table["own_deferred"].tolist() == ["later"]
    assert table["own_notice"].tolist() == ["n"]


def test_a_zone_entered_twice_counts_its_people_once(tmp_path):
    from clearplan.outputs.people_facts import people_of

    with pytest.warns(UserWarning, match="read leniently"):
        table = zones(tmp_path, HEAD + ROW + ROW + ROW.replace("Z1", ""), lenient=True)
    assert len(table) == 3
    assert table["zone_id"].is_unique
    people = people_of(table).waiting
    assert people.known == 100
    assert people.not_placed == 200


@pytest.mark.parametrize("sides", ["left", "right"])
def test_parts_that_run_against_each_other_have_no_side(margins, sides):
    from shapely import MultiLineString

    turned = MultiLineString([[(E0, N0), (E0 + 9000, N0)], [(E0 + 18_000, N0), (E0 + 9000, N0)]])
    row = {
        "geometry": turned, "kind": "contact-line", "land_class": "indication", "ordnance": "unknown",
        "depth_profile": "0 300 700", "measure": "each-side", "sides": sides, "caps": "flat",
    }  # fmt: skip
    with pytest.raises(TableError, match="one direction"):
        cp.footprints(hazard_table([row]), margins)
    both = cp.footprints(hazard_table([row | {"sides": "both"}]), margins)
    assert both.area.sum() == pytest.approx(18_000 * 1400, rel=0.01)


def test_a_hazard_without_ground_is_refused(margins):
    from shapely import Point

    bare = margins.model_copy(update={"margin_m": {"AP": 0}})
    with pytest.raises(SettingsError, match="no area"):
        cp.footprints(hazard_table([{"geometry": Point(E0, N0)}]), bare)


def test_two_contact_lines_keep_their_own_words(tmp_path, project):  # noqa: F811
    plan = (project / "plan.toml").read_text()
    lines = ""
    for name, scale, lon in (("LOC", "1:10 000", 46.7), ("LOC-2", "1:50 000", 46.8)):
        (project / f"{name}.geojson").write_text(
            f'{{"type":"Feature","properties":{{}},"geometry":{{"type":"LineString","coordinates":[[{lon},39.9],[{lon},40]]}}}}'
        )
        lines += textwrap.dedent(f"""
            [[contact_line]]
            path = "{name}.geojson"
            hazard_id = "{name}"
            scale = "{scale}"
            source = "made up"
            position_error_m = 100
            depth_min_m = 300
            depth_max_m = 700
            measure = "each-side"
            sides = "both"
            caps = "round"
            """)
    (project / "plan.toml").write_text(plan + lines)
    study = run_study(project / "plan.toml")
    assert [(line["hazard_id"], line["scale"]) for line in study.run["contact_lines"]] == [
        ("LOC", "1:10 000"),
        ("LOC-2", "1:50 000"),
    ]


def test_columns_that_a_geopackage_keeps_for_itself(project):  # noqa: F811
    import geopandas as gpd

    text = (project / "zones.csv").read_text().splitlines()
    text = [text[0] + ",fid,geom,Name", *(line + ",7,x,y" for line in text[1:])]
    (project / "zones.csv").write_text("\n".join(text) + "\n")
    run_study(project / "plan.toml", project / "out")
    zones_ = gpd.read_file(project / "out" / "plan.gpkg", layer="zones")
    assert {"own_fid", "own_geom", "own_Name"} <= set(zones_.columns)


def test_ids_shared_by_two_files_are_all_named(project):  # noqa: F811
    (project / "more.csv").write_text((project / "zones.csv").read_text())
    plan = (project / "plan.toml").read_text()
    more = '[[zones]]\npath = "more.csv"\ncrs = "EPSG:4326"\n[footprints]'
    (project / "plan.toml").write_text(plan.replace("[footprints]", more, 1))
    with pytest.raises(FaultsError) as caught:
        run_study(project / "plan.toml")
    assert caught.value.faults["value"].tolist() == ["Z1", "Z2"]
    assert caught.value.faults["rule"].str.contains("zones.csv").all()


def test_a_folder_with_another_s_run_json_is_not_ours(project):  # noqa: F811
    (project / "theirs").mkdir()
    (project / "theirs" / "run.json").write_text("{}")
    with pytest.raises(OutputError, match="no run has made"):
        run_study(project / "plan.toml", project / "theirs")


def test_a_layer_without_features(project):  # noqa: F811
    (project / "fields.geojson").write_text('{"type":"FeatureCollection","features":[]}')
    with pytest.raises(FaultsError, match="holds no rows"):
        run_study(project / "plan.toml")
    plan = (project / "plan.toml").read_text().replace("[hazards.set]", "lenient = true\n[hazards.set]")
    plan = plan.replace("[footprints]", '[context]\ndistricts = "fields.geojson"\n[footprints]', 1)
    (project / "plan.toml").write_text(plan)
    with pytest.raises(SettingsError, match="district_name"):
        run_study(project / "plan.toml")


def test_a_spreadsheet_s_day_number_is_named_as_such(tmp_path):
    text = HEAD.replace("source", "source,planned_return") + "Z1,A,100,10,s,45231,46.9,40\n"
    with pytest.raises(FaultsError, match="day number, not a date"):
        zones(tmp_path, text)


@pytest.mark.parametrize("crs", ["EPSG:4978", "EPSG:5773"])
def test_a_crs_without_a_map_is_refused(tmp_path, crs):
    with pytest.raises(CrsError, match="gives no place on a map"):
        zones(tmp_path, HEAD + ROW, crs=crs)


def test_every_blank_position_error_is_counted():
    table = hazard_table([{"geometry": box(E0, N0, E0 + 10, N0 + 10), "position_error_m": None}] * 7)
    with pytest.raises(SettingsError, match=r"blank in 7 hazards \(.*\.\.\.\)"):
        cp.footprints(table, cp.FootprintSettings(margin_m={"AP": 0}, strike_radius_m=0))


def test_a_mended_district_is_told(project):  # noqa: F811
    bow = Polygon([(46, 39), (48, 41), (48, 39), (46, 41)])
    gpd.GeoDataFrame({"name": ["Bow"]}, geometry=[bow], crs=4326).to_file(project / "districts.geojson")
    plan = (project / "plan.toml").read_text()
    plan = plan.replace("[footprints]", '[context]\ndistricts = "districts.geojson"\n[footprints]', 1)
    (project / "plan.toml").write_text(plan)
    study = run_study(project / "plan.toml")
    told = study.faults[study.faults["rule"] == "border crosses itself"]
    assert told[["file", "row", "level"]].to_numpy().tolist() == [["districts.geojson", 1, "repaired"]]
    # Geodesic oracle: the two lobes turn against each other, so their areas cancel before and add up after.
    lobes = [Polygon([(47, 40), (48, 41), (48, 39)]), Polygon([(47, 40), (46, 39), (46, 41)])]
    areas = [abs(Geod(ellps="WGS84").geometry_area_perimeter(lobe)[0]) for lobe in lobes]
    before, after = (float(figure) for figure in re.findall(r"\d+", told["value"].iloc[0].replace("m2", "")))
    assert before < 0.01 * after
    assert after == pytest.approx(sum(areas), rel=0.002)
    assert any("1 repairs were made" in words for words in study.notes)
    with pytest.warns(UserWarning, match="1 borders cross themselves"):
        cp.read_context(project / "districts.geojson", study.tasks.crs)

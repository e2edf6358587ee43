"""The QGIS project and the styles: what they must contain, their bytes, and text from data that stays text."""

import sqlite3
import xml.etree.ElementTree as ET
import zipfile
from dataclasses import replace

import geopandas as gpd
import pandas as pd
import pytest
from shapely import LineString, Point, box

from clearplan.core.errors import OutputError, TableError
from clearplan.outputs.gis.geopackage import write_gpkg
from clearplan.outputs.gis.qgis_project import write_project
from clearplan.outputs.gis.qgis_styles import GROUND, STYLED, aliases, colour, qml, style_parts
from tests.conftest import E0, N0, UTM, accident_table, hazard_table, zone_table
from tests.nasty import NOTICE, TEXTS
from tests.sheets_of_paper import IMPRINT

KINDS = ("area", "line", "point")


def world() -> dict[str, gpd.GeoDataFrame]:
    """Layers of a small run, with hazards of every kind of shape."""
    field, line = box(E0, N0, E0 + 500, N0 + 500), LineString([(E0, N0), (E0 + 900, N0)])
    hazards = hazard_table([
        {"geometry": field, "land_class": "CHA"},
        {"geometry": line, "kind": "contact-line", "land_class": "indication"},
        {"geometry": Point(E0, N0), "kind": "cluster-strike"}, {"geometry": None, "deferred": "no coordinates"},
    ])  # fmt: skip
    areas = hazards[:1].rename(columns={"hazard_id": "area_id"}).assign(band="whole")
    tasks = gpd.GeoDataFrame(
        {"task_id": ["t1", "t2"], "queue": ["survey", "clearance"], "land_class": ["SHA", "CHA"], "area_m2": [1.0, 2.0],
         "rank": pd.array([1, None], dtype="Int64"), "score": [50.0, 20.0], "priority_class": ["high/low", None]},
        geometry=[field, box(E0 + 600, N0, E0 + 700, N0 + 90)], crs=UTM,
    )  # fmt: skip
    return {
        "hazards": hazards, "areas": areas, "tasks": tasks, "zones": zone_table([{"geometry": Point(E0, N0 + 1000)}]),
        "accidents": accident_table([(E0, N0)], [None]),
    }  # fmt: skip


def project(folder, tables=None, **given):
    path = folder / "plan.qgz"
    told = {name: given.pop(name) for name in ("title", "notice") if name in given}
    imprint = replace(IMPRINT, **({"title": "Title <i>&", "notice": NOTICE} | told))
    write_project(path, world() if tables is None else tables, imprint, **given)
    with zipfile.ZipFile(path) as bundle:
        assert bundle.namelist() == ["plan.qgs"]
        text = bundle.read("plan.qgs").decode("utf-8")
    return path, text, ET.fromstring(text.partition("\n")[2])


def test_project_opens_its_layers_by_relative_paths_in_order_and_groups(tmp_path):
    _, _, root = project(tmp_path)
    assert [e.attrib["name"] for e in root.findall("layer-tree-group/layer-tree-group")] == [
        "Places and people", "Contact line and records", "Work", "Hazards",
    ]  # fmt: skip
    listed = {e.attrib["id"]: e.attrib for e in root.iter("layer-tree-layer")}
    assert [a["name"] for a in listed.values()] == [
        "Places of return", "Accidents", "Contact line", "Tasks by priority",
        "Hazardous areas and indications, as they remain", "Hazards as reported (points)",
        "Hazards as reported (lines)", "Hazards as reported (areas)",
    ]  # fmt: skip
    shown = {a["name"] for a in listed.values() if a["checked"] == "Qt::Checked"}
    assert not [name for name in shown if name.startswith("Hazards as reported")]
    layers = {e.findtext("id"): e for e in root.iter("maplayer")}
    assert set(layers) == set(listed)
    for ident, layer in layers.items():
        source = layer.findtext("datasource")
        assert source == listed[ident]["source"]
        assert source.startswith("./plan.gpkg|layername=")
        assert layer.find("renderer-v2") is not None
        assert layer.find("srs/spatialrefsys/authid").text == "EPSG:32638"
    assert "|geometrytype=LineString|subset=\"kind\" = 'contact-line'" in layers["hazards_line_contact_line"].findtext(
        "datasource"
    )
    assert root.findtext("properties/Paths/Absolute") == "false"


def test_project_has_crs_extent_title_and_disclaimer(tmp_path):
    _, _, root = project(tmp_path)
    assert root.findtext("title") == "Title <i>&"
    assert root.findtext("projectCrs/spatialrefsys/authid") == "EPSG:32638"
    low, high = (float(root.findtext(f"mapcanvas/extent/{name}")) for name in ("ymin", "ymax"))
    assert low < N0 < N0 + 1000 < high < N0 + 1200
    assert root.findtext("projectMetadata/abstract") == NOTICE
    assert all(layer.findtext("resourceMetadata/abstract") == NOTICE for layer in root.iter("maplayer"))
    label = root.findtext("properties/CopyrightLabel/Label")
    # QGIS evaluates what stands between [% and %] there: each such mark is an expression that gives the mark itself.
    assert "[%" not in label.replace("[%'[%'%]", "")
    assert label.replace("[%'[%'%]", "[%").replace("\n", " ") == NOTICE


def test_rasters_stand_in_it_with_their_own_styles_and_hidden(tmp_path):
    (tmp_path / "surface.qml").write_text('<qgis><pipe>\n<rasterrenderer type="paletted"/></pipe></qgis>')
    _, _, root = project(tmp_path, rasters=("surface.tif",))
    (layer,) = (e for e in root.iter("maplayer") if e.attrib["type"] == "raster")
    assert layer.findtext("datasource") == "./surface.tif"
    assert layer.find("pipe/rasterrenderer").attrib["type"] == "paletted"
    (node,) = (e for e in root.iter("layer-tree-layer") if e.attrib["source"] == "./surface.tif")
    assert node.attrib["checked"] == "Qt::Unchecked"
    (tmp_path / "plan.qgz").unlink()
    with pytest.raises(OutputError, match=r"none\.qml: can't be read"):
        project(tmp_path, rasters=("none.tif",))


def test_same_tables_same_bytes_and_no_clock(tmp_path):
    (tmp_path / "b").mkdir()
    first, text, _ = project(tmp_path)
    second, _, _ = project(tmp_path / "b")
    assert first.read_bytes() == second.read_bytes()
    with zipfile.ZipFile(first) as bundle:
        assert bundle.infolist()[0].date_time[:3] == (1980, 1, 1)
    assert str(tmp_path) not in text
    with pytest.raises(OutputError, match="exists already"):
        project(tmp_path)


def test_text_from_data_and_settings_stays_text(tmp_path):
    for k, words in enumerate(filter(None, TEXTS)):
        (tmp_path / str(k)).mkdir()
        tables = world()
        tables["zones"] = tables["zones"].rename(columns={"name": words}).assign(name=words)
        _, _, root = project(tmp_path / str(k), tables, title=words, notice=words)
        assert root.findtext("title").replace("\n", " ") == words.replace("\x00", "␀").replace("\n", " ")
        fields = [a.attrib["field"] for a in root.iter("alias")]
        assert words.replace("\x00", "␀") in fields


def test_without_shapes_there_is_no_project(tmp_path):
    nowhere = zone_table([{"geometry": None}])
    with pytest.raises(TableError, match="no table has a shape"):
        project(tmp_path, {"zones": nowhere})
    with pytest.raises(OutputError, match=r"does not end with \.qgz"):
        write_project(tmp_path / "a.qgs", world(), IMPRINT)


@pytest.mark.parametrize("layer", STYLED)
def test_every_layer_has_a_style_that_is_xml_and_asks_only_for_what_is_there(layer):
    text = style_parts(layer, ["priority_class", "ring_m"], KINDS)
    root = ET.fromstring(f"<qgis>{text}</qgis>")
    rules = root.findall("renderer-v2/rules/rule")
    symbols = {e.attrib["name"] for e in root.findall("renderer-v2/symbols/symbol")}
    assert {rule.attrib["symbol"] for rule in rules} == symbols
    assert all(rule.attrib["label"] for rule in rules)
    if layer not in GROUND:
        assert all("geometry_type($geometry)" in rule.attrib["filter"] for rule in rules)
        assert "priority_class" not in style_parts(layer, [], KINDS)
    assert 'allowHtml="1"' not in text


def test_colours_are_those_of_imsma_and_of_the_web_map():
    from importlib.resources import files

    page = files("clearplan.outputs.page").joinpath("assets")
    script = "".join(page.joinpath(f"{name}.js").read_text() for name in ("open", "places", "records", "ground"))
    areas, tasks = style_parts("areas", [], ["area"]), style_parts("tasks", ["priority_class"], ["area"])
    assert '"255,0,0,128"' in areas  # CHA #FF0000, half transparent (TNMA 07.11/01)
    assert '"244,167,24,128"' in areas  # SHA #F4A718
    assert areas.count("LinePatternFill") == 3  # both bands and SHA are hatched; strikes are dotted
    assert "PointPatternFill" in areas
    for text, of in ((areas, ("#7A0000", "#8A5A00", "#5E4B8B")), (tasks, ("#1B0B3B", "#0072B2", "#56B4E9", "#5A5A5A")),
                     (style_parts("zones", [], ["point"]), ("#73A2C6", "#00429D")),
                     (style_parts("record_points", [], ["point"]), ("#4A2C12",))):  # fmt: skip
        for name in of:
            assert colour(name)[:-4] in text, name
            assert name.lower() in script.lower(), f"{name} is no colour of the map"


def test_geopackage_carries_styles_with_units_as_aliases(tmp_path):
    tables = world()
    write_gpkg(tables, tmp_path / "p.gpkg", replace(IMPRINT, notice=NOTICE))
    with sqlite3.connect(tmp_path / "p.gpkg") as database:
        rows = database.execute("SELECT f_table_name, styleQML FROM layer_styles WHERE useAsDefault").fetchall()
    database.close()
    assert [name for name, _ in rows] == list(tables)
    for _, text in rows:
        root = ET.fromstring(text.partition("\n")[2])
        assert root.find("renderer-v2") is not None
    told = {e.attrib["field"]: e.attrib["name"] for e in ET.fromstring(rows[2][1].partition("\n")[2]).iter("alias")}
    assert told["area_m2"] == "area_m2 [m2]"
    assert "rank" in told
    assert qml("<renderer-v2/>", aliases({})).count("<aliases>") == 1


def test_sample_has_a_layer_for_every_table(sample, tmp_path):
    from clearplan.read.finished_run import read_run

    study, folder = sample
    tables = read_run(folder)
    _, _, root = project(tmp_path, tables, rasters=())
    sources = " ".join(e.findtext("datasource") for e in root.iter("maplayer"))
    assert all(f"layername={name}" in sources for name in tables)
    assert study.run["fingerprint"] in tables["tasks"].attrs["notice"]

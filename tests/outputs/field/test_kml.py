"""KML and KMZ read back by GDAL and by a plain XML parser; nothing from data is more than text."""

import datetime as dt
import html
import io
import zipfile
from dataclasses import replace
from xml.etree import ElementTree

import numpy as np
import pyogrio
import pytest
import shapely
from pyproj import Transformer

from clearplan.core.errors import OutputError, TableError
from clearplan.core.imprint import Imprint
from clearplan.outputs.field.kml import write_kml
from tests.conftest import UTM, zone_table
from tests.sheets_of_paper import HOSTILE, world

IMPRINT = Imprint("Clearance map", dt.date(2026, 1, 1), "Not for navigation or entry. N.", "abc123")
SPACE = "{http://www.opengis.net/kml/2.2}"


def written(path, layers=None, imprint=IMPRINT, **more):
    write_kml(path, layers or world(), imprint, **more)
    return path


def places(root):
    return list(root.iter(f"{SPACE}Placemark"))


def words_of(element, tag):
    return element.find(f"{SPACE}{tag}").text


def test_folders_go_by_class_and_queue_and_styles_are_those_of_the_map(tmp_path):
    root = ElementTree.parse(written(tmp_path / "m.kml"))
    names = [element.text for element in root.iterfind(f".//{SPACE}Folder/{SPACE}name")]
    assert names == [
        "Hazards: confirmed (CHA)", "Hazards: suspected (SHA)", "Hazards: indication, reason to survey",
        "Tasks: clearance, priority not known", "Tasks: survey, priority not known", "Places of return", "Accidents",
        "Lifelines of places",
    ]  # fmt: skip
    style = {s.attrib["id"]: s for s in root.iter(f"{SPACE}Style")}
    assert style["CHA"].find(f"{SPACE}PolyStyle/{SPACE}color").text == "800000ff"  # half of IMSMA's #FF0000
    assert style["SHA"].find(f"{SPACE}PolyStyle/{SPACE}color").text == "8018a7f4"  # half of #F4A718
    used = {words_of(place, "styleUrl").removeprefix("#") for place in places(root)}
    assert used == {"CHA", "SHA", "indication-outer", "task-none", "zone", "accident", "lifeline"}
    assert used <= set(style)
    for place in places(root):
        assert "Not for navigation or entry. As at 2026-01-01. Fingerprint abc123." in words_of(place, "description")
    assert not list(root.iter(f"{SPACE}href"))


def test_priorities_have_lines_of_their_own(tmp_path):
    layers = world()
    tasks = layers.tasks.assign(priority_class=["high", "low"])
    root = ElementTree.parse(written(tmp_path / "m.kml", world(tasks=tasks)))
    width = {s.attrib["id"]: float(s.find(f"{SPACE}LineStyle/{SPACE}width").text) for s in root.iter(f"{SPACE}Style")}
    assert width["task-high"] > width["task-medium"] > width["task-low"] >= width["task-none"]
    assert {"#task-high", "#task-low"} <= {words_of(place, "styleUrl") for place in places(root)}


def test_gdal_reads_the_same_shapes_ids_and_numbers(tmp_path):
    layers = world()
    for name in ("m.kml", "m.kmz"):
        path = written(tmp_path / name)
        own = pyogrio.read_dataframe(path, layer="Tasks: survey, priority not known")
        there = Transformer.from_crs(4326, UTM, always_xy=True)
        (shape,) = shapely.transform(own.geometry.to_numpy(), there.transform, interleaved=False)
        task = layers.tasks.iloc[1]
        assert shapely.force_2d(shape).symmetric_difference(task.geometry).area < 1e-3 * task.geometry.area
        assert own["Name"].tolist() == ["S2 T-1"]
        if name == "m.kml":  # GDAL finds no schema within a KMZ
            assert own["task_id"].tolist() == ["T-1"]
            assert own["area_m2"].tolist() == pytest.approx([task.area_m2])
        assert own.crs.to_epsg() == 4326
        assert len(pyogrio.list_layers(path)) == 8


def test_hazards_are_drawn_outward_only(tmp_path):
    layers = world()
    root = ElementTree.parse(written(tmp_path / "m.kml"))
    there = Transformer.from_crs(4326, UTM, always_xy=True)
    drawn = {}
    for place in places(root):
        if words_of(place, "styleUrl") in ("#CHA", "#SHA", "#indication-outer"):
            rings = [np.array([p.split(",") for p in ring.text.split()], dtype=float)
                     for ring in place.iter(f"{SPACE}coordinates")]  # fmt: skip
            xy = [np.column_stack(there.transform(ring[:, 0], ring[:, 1])) for ring in rings]
            drawn[words_of(place, "name")] = shapely.Polygon(xy[0], xy[1:])
    for name, shape in zip(layers.areas["area_id"], layers.areas.geometry, strict=True):
        assert drawn[name].covers(shape)


def test_text_of_tables_is_text_in_every_place(tmp_path):
    nasty = HOSTILE + "\x00<img src=x onerror=alert(1)>&amp;]]>$[name]"
    layers = world(zones=zone_table([{"geometry": shapely.Point(650_000, 4_420_000), "name": nasty, "source": nasty}]))
    raw = written(tmp_path / "m.kml", layers, replace(IMPRINT, title=nasty)).read_text(encoding="utf-8")
    assert "CDATA" not in raw
    root = ElementTree.fromstring(raw)
    (zone,) = [place for place in places(root) if words_of(place, "styleUrl") == "#zone"]
    assert not set("<>") & set(words_of(zone, "name"))
    balloon = words_of(zone, "description")  # HTML by the standard
    assert "<img" not in balloon
    assert "<script" not in balloon
    seen = html.unescape(balloon.replace("<br>", "\n").replace("<b>", "").replace("</b>", ""))
    assert "source: " + nasty.replace("\x00", "\ufffd") in seen
    data = {d.attrib["name"]: d.text for d in zone.iter(f"{SPACE}SimpleData")}
    assert data["source"] == nasty.replace("\x00", "\ufffd")
    balloons = {s.find(f"{SPACE}BalloonStyle/{SPACE}text").text for s in root.iter(f"{SPACE}Style")}
    assert balloons == {"$[description]"}


def test_units_stand_with_the_data_and_unknown_is_said(tmp_path):
    root = ElementTree.parse(written(tmp_path / "m.kml"))
    fields = {(s.attrib["name"], f.attrib["name"]): words_of(f, "displayName")
              for s in root.iter(f"{SPACE}Schema") for f in s}  # fmt: skip
    assert fields["tasks", "area_m2"] == "area [m2]"
    assert fields["zones", "position_error_m"] == "position error [m]"
    zones = [place for place in places(root) if words_of(place, "styleUrl") == "#zone"]
    assert "people unknown" in words_of(zones[1], "name")
    assert "people: unknown" in words_of(zones[1], "description")
    assert "people" not in {d.attrib["name"] for d in zones[1].iter(f"{SPACE}SimpleData")}


def test_a_kmz_holds_its_icons_and_has_the_same_bytes(tmp_path):
    from matplotlib.image import imread

    first = written(tmp_path / "a.kmz").read_bytes()
    assert written(tmp_path / "b.kmz").read_bytes() == first
    with zipfile.ZipFile(io.BytesIO(first)) as parts:
        assert parts.namelist() == ["doc.kml", "icons/zone.png", "icons/accident.png", "icons/lifeline.png"]
        assert {info.date_time for info in parts.infolist()} == {(2026, 1, 1, 0, 0, 0)}
        root = ElementTree.fromstring(parts.read("doc.kml"))
        for href in root.iter(f"{SPACE}href"):
            picture = imread(io.BytesIO(parts.read(href.text)))
            assert picture.shape == (32, 32, 4)
            assert picture[0, 0, 3] == 0  # clear at its corner
            assert picture[16, 16, 3] == 1
    assert ElementTree.parse(written(tmp_path / "m.kml")).getroot().tag == f"{SPACE}kml"


def test_chosen_tasks_and_what_has_no_place(tmp_path):
    layers = world()
    lost = layers.zones.set_geometry([layers.zones.geometry.iloc[0], None], crs=UTM)
    root = ElementTree.parse(written(tmp_path / "m.kml", world(zones=lost), chosen=["T-1"]))
    told = [element.text for element in root.iterfind(f".//{SPACE}Folder/{SPACE}description")]
    assert any("1 of 2 rows. 1 have no place and are NOT here." in words for words in told)
    assert [words_of(p, "name") for p in places(root) if "#task" in words_of(p, "styleUrl")] == ["S2 T-1"]
    with pytest.raises(TableError):
        written(tmp_path / "n.kml", chosen=["x"])
    with pytest.raises(OutputError, match=r"\.kmz"):
        written(tmp_path / "m.zip")

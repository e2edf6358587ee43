"""IMSMA import sheets: what our own doors read back of them, and what no sheet can hold."""

from dataclasses import replace

import openpyxl
import pandas as pd
import pytest
import shapely
from shapely import GeometryCollection, LineString, MultiPolygon, Point, Polygon, box

import clearplan as cp
from clearplan.core.errors import OutputError, TableError
from clearplan.outputs.workbooks.imsma import write_imsma
from tests.conftest import E0, N0, UTM, accident_table, hazard_table
from tests.nasty import NOTICE, TEXTS
from tests.sheets_of_paper import IMPRINT

SIGMAS = {"sigma_reference_m": 5, "sigma_bearing_deg": 1, "sigma_shared_bearing_deg": 1, "sigma_distance_m": 1,
          "sigma_scale": 0.01}  # fmt: skip
SET = {"datum": "WGS 84", "ordnance": "AP", "reliability": 0.5, "source": "sheet"}


def hazards():
    pierced = Polygon(box(E0, N0, E0 + 300, N0 + 300).exterior.coords, [box(E0 + 50, N0 + 50, E0 + 90, N0 + 90)
                      .exterior.coords])  # fmt: skip
    apart = MultiPolygon([box(E0, N0 + 1000, E0 + 70, N0 + 1070), box(E0 + 200, N0 + 1000, E0 + 230, N0 + 1033)])
    bent = Polygon([(E0 + 0.1, N0 + 1 / 3), (E0 + 77.123456789, N0 + 5), (E0 + 40, N0 + 61.987654321)])
    shapes = [bent, pierced, apart, LineString([(E0, N0 - 100), (E0 + 90, N0 - 90), (E0 + 180, N0 - 100)]), None,
              Point(E0 + 7, N0 - 500)]  # fmt: skip
    rows = [{"geometry": shape, "source": TEXTS[k]} for k, shape in enumerate(shapes)]
    rows[4]["deferred"] = "no coordinates"
    return hazard_table(rows).assign(remark=pd.Series(TEXTS[6:12], dtype=object), own=[1, None, 0, 4, 5, 6.5])


def sheet(tmp_path, tables=None):
    path = tmp_path / "imsma.xlsx"
    limits = write_imsma({"hazards": hazards()} if tables is None else tables, path, replace(IMPRINT, notice=NOTICE))
    return path, limits


def test_objects_come_back_through_the_door_of_hazards(tmp_path):
    path, limits = sheet(tmp_path)
    assert limits == []
    before = hazards()
    with pytest.warns(UserWarning, match="read leniently"):
        back = cp.read_hazards(path, layer="hazards", crs=UTM, working=UTM, lenient=True)
    assert back["hazard_id"].tolist() == before["hazard_id"].tolist()
    placed = before.geometry.notna()
    assert shapely.equals_identical(back.geometry[placed].to_numpy(), before.geometry[placed].to_numpy()).all()
    for name in ("kind", "land_class", "status", "ordnance", "position_error_m", "recorded_on"):
        assert back[name].tolist() == before[name].tolist(), name
    assert back["source"].tolist() == [text.replace("\x00", "␀") for text in before["source"]]
    assert back["remark"].tolist() == before["remark"].tolist()
    assert [None if pd.isna(v) else float(v) for v in back["own"]] == [1, None, 0, 4, 5, 6.5]


def test_turning_points_come_back_through_the_door_of_point_lists(tmp_path):
    path, _ = sheet(tmp_path)
    before = hazards().set_index("hazard_id").geometry
    back = cp.read_records(path, layer="hazards polygons", working=UTM, set=SET, errors=SIGMAS)
    assert back["hazard_id"].tolist() == ["H0", "H1", "H2", "H2/2"]
    found = back.set_index("hazard_id").geometry
    assert found["H0"].equals_exact(before["H0"], 1e-6)
    assert found["H1"].equals_exact(Polygon(before["H1"].exterior), 1e-6)  # its hole stands on a sheet of its own
    for name, part in zip(("H2", "H2/2"), before["H2"].geoms, strict=True):
        assert found[name].equals_exact(part, 1e-6)
    lines = cp.read_records(path, layer="hazards lines", working=UTM, set=SET, errors=SIGMAS)
    assert lines.geometry.iloc[0].equals_exact(before["H3"], 1e-6)
    holes = cp.read_records(path, layer="hazards holes", working=UTM, set=SET, errors=SIGMAS)
    assert holes["hazard_id"].tolist() == ["H1/hole 1"]
    assert holes.geometry.iloc[0].area == pytest.approx(1600)


def test_heads_are_those_of_imsma_and_each_vertex_has_one_row(tmp_path):
    path, _ = sheet(tmp_path)
    book = openpyxl.load_workbook(path)
    assert book.sheetnames == [
        "Read first", "hazards", "hazards polygons", "hazards lines", "hazards points", "hazards holes"
    ]  # fmt: skip
    rows = list(book["hazards polygons"].iter_rows(values_only=True))
    assert rows[0] == (
        "PolyID", "PointNo", "PointID", "PointType", "Xcoord", "Ycoord", "ProjName", "PointDesc", "ObjectID", "Part",
        "Ring",
    )  # fmt: skip
    assert rows[1][:8] == ("H0", 1, "SP1", "Start Point", E0 + 0.1, N0 + 1 / 3, "UTM38N", "hazards H0")
    assert [row[1] for row in rows[1:4]] == [1, 2, 3]
    assert len(rows) - 1 == 3 + 4 + 4 + 4
    assert [cell.value for cell in book["hazards points"][2]][:6] == ["H5", 1, "SP1", "Start Point", E0 + 7, N0 - 500]
    words = " ".join(str(row[0].value) for row in book["Read first"].iter_rows() if row[0].value)
    assert NOTICE in words
    assert "more ground, never less" in words


def test_no_text_becomes_a_formula_and_days_are_days(tmp_path):
    path, _ = sheet(tmp_path)
    for page in openpyxl.load_workbook(path):
        for row in page.iter_rows():
            assert not [cell.coordinate for cell in row if cell.data_type == "f"]
    page = openpyxl.load_workbook(path)["hazards"]
    heads = [cell.value for cell in page[1]]
    assert page.cell(2, heads.index("recorded_on") + 1).is_date


def test_a_shape_that_no_cell_holds_is_cut_and_read_back_whole(tmp_path):
    ring = Point(E0, N0).buffer(500, quad_segs=400)
    before = hazard_table([{"geometry": ring}, {"geometry": box(E0 + 2000, N0, E0 + 2100, N0 + 50)}])
    path, _ = sheet(tmp_path, {"hazards": before})
    assert len(shapely.to_wkt(ring, rounding_precision=-1)) > 32_767
    back = cp.read_hazards(path, layer="hazards", crs=UTM, working=UTM)
    assert shapely.equals_identical(back.geometry.to_numpy(), before.geometry.to_numpy()).all()


def test_text_longer_than_a_cell_is_told(tmp_path):
    before = hazard_table([{"geometry": Point(E0, N0), "remark": "x" * 40_000}])
    _, limits = sheet(tmp_path, {"hazards": before})
    assert limits == ["hazards: 1 texts of remark are longer than a cell (32,767 letters) and are cut"]


def test_several_kinds_same_bytes_and_errors_of_a_line(tmp_path):
    both = GeometryCollection([Point(E0, N0), box(E0, N0, E0 + 9, N0 + 9)])
    tables = {"hazards": hazard_table([{"geometry": both}]), "accidents": accident_table([(E0, N0)], ["2021-03-04"])}
    first, _ = sheet(tmp_path, tables)
    (tmp_path / "b").mkdir()
    second, _ = sheet(tmp_path / "b", tables)
    assert first.read_bytes() == second.read_bytes()
    found = cp.read_accidents(first, layer="accidents", crs=UTM, working=UTM)
    assert found["occurred_on"].tolist() == [pd.Timestamp("2021-03-04")]
    assert "hazards points" in openpyxl.load_workbook(first).sheetnames
    with pytest.raises(OutputError, match="exists already"):
        sheet(tmp_path, tables)
    with pytest.raises(TableError, match="no declared table with shapes"):
        write_imsma({"gates": pd.DataFrame({"gate_id": ["g"]})}, tmp_path / "c.xlsx", IMPRINT)
    with pytest.raises(TableError, match="a column wkt or crs of its own"):
        write_imsma({"hazards": hazards().assign(wkt="x")}, tmp_path / "c.xlsx", IMPRINT)
    assert not (tmp_path / "c.xlsx").exists()

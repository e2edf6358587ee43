"""Minefield records: from the form to a polygon with its error, every slip with its row and column."""

import datetime as dt

import geopandas as gpd
import numpy as np
import openpyxl
import pandas as pd
import pytest
import shapely
from pyproj import CRS, Geod, Transformer

import clearplan as cp
from clearplan.core.errors import FaultsError, OutputError, ReadError, TableError
from clearplan.outputs.workbooks.record_form import write_record_template, write_record_workbook
from clearplan.records.forms import read_forms
from clearplan.records.minefields import open_records, read_record_source
from clearplan.settings.sources import RecordSettings
from tests.conftest import clearplan
from tests.study.test_run import make_project

REGION = (45.6, 38.8, 47.8, 40.9)
AS_AT = dt.date(2026, 1, 1)
SIGMAS = {
    "sigma_reference_m": 25.0, "sigma_bearing_deg": 1.0, "sigma_shared_bearing_deg": 1.0, "sigma_distance_m": 3.0,
    "sigma_scale": 0.03,
}  # fmt: skip
AGHDAM = "x=4430282 y=8664842"  # 46.93 E 39.99 N in SK-42


def record(record_id="R1", **changes):
    return {
        "record_id": record_id, "record_number": "117", "unit": "unit 3", "datum": "SK-42", "north": "true",
        "angle_unit": "degrees", "distance_unit": "m", "laid_on": dt.date(1992, 7, 1), "ordnance": "AP",
        "reliability": 0.4, "source": "made up", **SIGMAS, **changes,
    }  # fmt: skip


def leg(number, kind, record_id="R1", **told):
    return {"record_id": record_id, "point_no": str(number), "point_kind": kind, **told}


def square(side=200, record_id="R1", **reference):
    """A reference at Aghdam, 500 m north a square of which three sides and a closing leg are recorded."""
    return [
        leg("A", "reference", record_id, coordinates=AGHDAM, **reference),
        leg(1, "start", record_id, bearing="0", distance="500"),
        leg(2, "turning", record_id, bearing="90", distance=str(side)),
        leg(3, "turning", record_id, bearing="180", distance=str(side)),
        leg(4, "turning", record_id, bearing="270", distance=str(side)),
    ]


def book(tmp_path, records, legs, anchors=(), change=None):
    path = tmp_path / "records.xlsx"
    path.unlink(missing_ok=True)
    tables = {"records": pd.DataFrame(records), "legs": pd.DataFrame(legs)}
    if anchors:
        tables["anchors"] = pd.DataFrame(list(anchors))
    write_record_workbook(tables, path)
    if change is not None:
        workbook = openpyxl.load_workbook(path)
        change(workbook)
        workbook.save(path)
    return path


def read(path, **settings):
    settings = RecordSettings(path=path, **settings)
    return read_record_source(settings, region=REGION, as_at=AS_AT)


def faults_of(path, **settings):
    with pytest.raises(FaultsError) as error:
        read(path, **settings)
    return error.value.faults


def test_a_square_lies_where_the_geodesic_says(tmp_path):
    reading = read(book(tmp_path, [record()], square()))
    geod = Geod(ellps="krass")
    lon, lat = Transformer.from_crs(28408, 4284, always_xy=True).transform(8664842, 4430282)
    corners = []
    for bearing, length in ((0, 500), (90, 200), (180, 200), (270, 200)):
        lon, lat, _ = geod.fwd(lon, lat, bearing, length)
        corners.append((lon, lat))
    datum = Transformer.from_pipeline("EPSG:15865")  # latitude first
    wgs = [datum.transform(lat, lon)[::-1] for lon, lat in corners]
    expected = Transformer.from_crs(4326, 32638, always_xy=True).transform(*np.array(wgs).T)
    drawn = shapely.get_coordinates(reading.hazards.geometry.iloc[0])[:4]
    assert np.hypot(*(drawn - np.array(expected).T).T).max() < 0.01
    hazard = reading.hazards.iloc[0]
    assert hazard["land_class"] == "SHA"
    assert hazard["kind"] == "minefield"
    assert hazard["entered_crs"] == "EPSG:28408"
    assert hazard["entered_geometry"] == "POINT (8664842 4430282)"
    assert hazard["position_error_m"] == reading.vertices.loc[1:, "r95_m"].max()
    assert cp.check(reading.hazards).empty


def test_a_wrong_datum_or_declination_would_show(tmp_path):
    """The figures of the methods note at Aghdam: SK-42 read as WGS 84 102.6 m, declination forgotten 404 m in 5 km."""
    legs = [leg("A", "reference", coordinates="39.99N 46.93E"), leg(1, "start", bearing="45", distance="5000")]

    def place(**changes):
        return read(book(tmp_path, [record(**changes)], legs)).vertices

    plain = place()
    wrong = place(datum="WGS 84")
    assert plain.geometry.iloc[0].distance(wrong.geometry.iloc[0]) == pytest.approx(102.6, abs=0.2)
    magnetic = place(north="magnetic", laid_on=dt.date(1992, 1, 15))
    assert magnetic.geometry.iloc[1].distance(plain.geometry.iloc[1]) == pytest.approx(404, abs=1)
    assert magnetic["declination_deg"].iloc[1] == pytest.approx(4.63, abs=0.01)
    assert magnetic["declination_source"].iloc[1] == "IGRF-14 for 1992-01"
    modern = place(north="magnetic", laid_on=dt.date(2025, 12, 15))
    assert modern.geometry.iloc[1].distance(magnetic.geometry.iloc[1]) == pytest.approx(159, abs=3)
    grid = place(north="grid")
    assert grid.geometry.iloc[1].distance(plain.geometry.iloc[1]) == pytest.approx(108, abs=1)
    stated = place(north="magnetic", declination_deg=4.63, laid_on=None)
    assert stated.geometry.iloc[1].distance(magnetic.geometry.iloc[1]) < 1
    assert stated["declination_source"].iloc[1] == "stated in the record"


def test_declination_agrees_with_published_values_and_another_model():
    """IGRF-14 at Aghdam, 0.35 km, from the methods note; WMM 2020 by pygeomag for a day that both models know."""
    from pygeomag import GeoMag

    from clearplan.core.crs import declination_deg

    published = {1988: 4.576, 1992: 4.630, 2000: 4.940, 2010: 5.573, 2020: 6.287, 2025: 6.425}
    for year, degrees in published.items():
        computed = declination_deg([46.93], [39.99], dt.date(year, 1, 1), height_km=0.35)
        assert computed[0] == pytest.approx(degrees, abs=0.0015)
    wmm = GeoMag(coefficients_file="wmm/WMM_2020.COF").calculate(glat=39.99, glon=46.93, alt=0.35, time=2022.5)
    assert declination_deg([46.93], [39.99], dt.date(2022, 7, 2), height_km=0.35)[0] == pytest.approx(wmm.d, abs=0.1)
    elsewhere = declination_deg([46.03, 47.15, 46.66], [40.10, 39.60, 39.09], dt.date(1992, 1, 1))
    assert elsewhere == pytest.approx([4.63, 4.54, 4.40], abs=0.02)  # Kalbajar, Fuzuli, Zangilan
    with pytest.raises(cp.CrsError, match="1900 to 2029"):
        declination_deg([46.93], [39.99], dt.date(2031, 1, 1))


def test_soviet_correction_at_aghdam_in_1992():
    """grid = magnetic + declination - convergence: +3.389 degrees, 0-56 in mils of 6000."""
    from clearplan.core.crs import declination_deg, plane_factors

    delta = declination_deg([46.93], [39.99], dt.date(1992, 1, 1), height_km=0.35)[0]
    gamma = np.degrees(plane_factors(CRS.from_epsg(28408), [8_664_842.4], [4_430_281.6]).convergence[0])
    assert delta - gamma == pytest.approx(3.389, abs=0.002)
    assert round((delta - gamma) / 0.06) == 56


@pytest.mark.parametrize(
    ("place", "gamma"),
    [((46.93, 39.99), 1.241), ((47.15, 39.60), 1.365), ((46.55, 39.64), 0.989), ((46.03, 40.10), 0.670)],
    ids=["Aghdam", "Fuzuli", "Lachin", "Kalbajar"],
)
def test_convergence(place, gamma):
    from clearplan.core.crs import plane_factors

    xy = Transformer.from_crs(4284, 28408, always_xy=True).transform(*place)
    found = plane_factors(CRS.from_epsg(28408), [xy[0]], [xy[1]])
    assert np.degrees(found.convergence[0]) == pytest.approx(gamma, abs=0.01)


def test_mils_and_paces_give_the_same_field(tmp_path):
    plain = read(book(tmp_path, [record()], square())).hazards.geometry.iloc[0]
    bearings = {"0": "0-00", "90": "15-00", "180": "30-00", "270": "45-00"}
    legs = [
        row
        | (
            {"bearing": bearings[row["bearing"]], "distance": str(float(row["distance"]) / 0.8)}
            if "bearing" in row
            else {}
        )
        for row in square()
    ]
    soviet = record(angle_unit="mils-6000", distance_unit="paces", pace_m=0.8)
    assert read(book(tmp_path, [soviet], legs)).hazards.geometry.iloc[0].hausdorff_distance(plain) < 1e-3


def test_closing_leg_shows_its_misclosure_and_adds_no_corner(tmp_path):
    legs = [
        *square()[:-1],
        leg(4, "turning", bearing="270", distance="203"),
        leg(5, "end", bearing="0", distance="196", closes_on="1"),
    ]
    reading = read(book(tmp_path, [record(north="grid")], legs))
    check = reading.checks.iloc[0]
    assert [check["east_m"], check["north_m"]] == pytest.approx([-3, -4], abs=0.02)
    assert check["misclosure_m"] == pytest.approx(5, abs=0.02)
    assert not check["blunder"]
    assert len(shapely.get_coordinates(reading.hazards.geometry.iloc[0])) == 5
    assert reading.hazards["misclosure_m"].iloc[0] == check["misclosure_m"]
    spread = read(book(tmp_path, [record(north="grid")], legs), adjust="compass-rule")
    assert spread.checks["spread"].iloc[0]
    closed, loose = (shapely.get_coordinates(r.hazards.geometry.iloc[0]) for r in (spread, reading))
    assert closed[0] == pytest.approx(loose[0])  # the start stays; the last corner takes 603 of 799 m of it
    assert np.hypot(*(closed[3] - loose[3])) == pytest.approx(5 * 603 / 799, abs=0.02)


def test_a_blunder_is_flagged_widened_and_never_spread(tmp_path):
    legs = [
        *square()[:-1],
        leg(4, "turning", bearing="270", distance="200"),
        leg(5, "end", bearing="0", distance="20", closes_on="1"),
    ]
    path = book(tmp_path, [record()], legs)
    for adjust in ("none", "compass-rule"):
        reading = read(path, adjust=adjust)
        assert reading.checks["blunder"].iloc[0]
        assert not reading.checks["spread"].iloc[0]
        told = reading.faults.iloc[0]
        assert (told["level"], told["row"], told["column"]) == ("warning", 7, "closes_on")
        assert "over 3 sigma" in told["rule"]
        assert reading.hazards["position_error_m"].iloc[0] > reading.vertices["r95_m"].max() + 179


def test_a_link_to_a_second_known_point(tmp_path):
    plain = read(book(tmp_path, [record()], square()))
    x, y = plain.vertices[["plane_x", "plane_y"]].iloc[4]
    legs = [*square()[:-1], leg(4, "end", bearing="270", distance="200", coordinates=f"x={round(y) + 6} y={round(x)}")]
    reading = read(book(tmp_path, [record()], legs))
    assert reading.checks["misclosure_m"].iloc[0] == pytest.approx(6, abs=0.8)
    assert not reading.checks["blunder"].iloc[0]


def test_rows_become_lines(tmp_path):
    legs = [
        leg("A", "reference", coordinates=AGHDAM),
        leg(1, "start", bearing="0", distance="300"),
        leg(2, "row-end", bearing="90", distance="250"),
        leg(3, "start", from_point="1", bearing="0", distance="20"),
        leg(4, "turning", bearing="90", distance="100"),
        leg(5, "row-end", bearing="80", distance="100"),
    ]
    reading = read(book(tmp_path, [record(rows=2)], legs))
    shape = reading.hazards.geometry.iloc[0]
    assert shape.geom_type == "MultiLineString"
    assert [len(part.coords) for part in shape.geoms] == [2, 3]
    assert shape.length == pytest.approx(450, abs=0.5)


def test_reanchoring_keeps_both_versions(tmp_path):
    reading = read(book(tmp_path, [record()], square()))
    before = reading.hazards.copy()
    moved = cp.reanchor(
        reading, "R1", "39.99100N 46.93000E", position_error_m=5, anchored_by="NTS team 4",
        anchored_on=dt.date(2023, 5, 16), reason="bridge found", landmark="bridge",
    )  # fmt: skip
    assert reading.hazards.equals(before)  # the first reading is untouched
    versions = moved.versions
    assert versions["version"].tolist() == [1, 2]
    assert versions["current"].tolist() == [False, True]
    assert versions.geometry.iloc[0].equals(before.geometry.iloc[0])
    assert versions["anchored_by"].tolist()[1] == "NTS team 4"
    assert versions["reason"].tolist() == ["as recorded", "bridge found"]
    # The reference lies on the surveyed landmark, and the shape has moved with it without turning or growing.
    anchor = moved.vertices[(moved.vertices["version"] == 2) & (moved.vertices["point_kind"] == "reference")]
    landmark = Transformer.from_crs(4326, 32638, always_xy=True).transform(46.93, 39.991)
    assert anchor.geometry.iloc[0].distance(shapely.Point(landmark)) < 0.01
    shift = np.array(landmark) - shapely.get_coordinates(reading.vertices.geometry.iloc[0])[0]
    there = shapely.transform(before.geometry.iloc[0], lambda xy: xy + shift)
    assert moved.hazards.geometry.iloc[0].hausdorff_distance(there) < 0.05
    # The map's error gives way to the survey's; the traverse's stays.
    sigma = moved.vertices.loc[anchor.index[0], "c_ee"] ** 0.5
    assert sigma == pytest.approx(5 / 2.447747, abs=0.1)
    assert moved.hazards["position_error_m"].iloc[0] < before["position_error_m"].iloc[0]
    shifted = shapely.distance(*reading.vertices.geometry.iloc[:1], shapely.Point(landmark))
    assert versions["moved_m"].tolist() == pytest.approx([0, shifted], abs=0.01)
    assert moved.faults.empty
    far = cp.reanchor(
        reading, "R1", "40.79100N 46.93000E", position_error_m=5, anchored_by="x", anchored_on=AS_AT, reason="slip"
    )
    assert far.faults["rule"].tolist() == ["landmark lies 89 km from the reference point as recorded"]
    with pytest.raises(TableError, match="unknown"):
        cp.reanchor(reading, "R9", "39.991N 46.93E", position_error_m=5, anchored_by="x", anchored_on=AS_AT, reason="y")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"position_error_m": -5}, "is no radius"),
        ({"position_error_m": float("nan")}, "is no radius"),
        ({"anchored_by": " "}, "is blank"),
        ({"reason": ""}, "is blank"),
        ({"anchored_on": dt.date(2090, 1, 1)}, "in the future"),
        ({"coordinates": "10N 10E"}, "outside the declared region"),
    ],
)
def test_a_careless_re_anchoring_is_refused(tmp_path, change, words):
    reading = read(book(tmp_path, [record()], square()))
    told = {"coordinates": "39.991N 46.93E", "position_error_m": 5, "anchored_by": "team", "anchored_on": AS_AT,
            "reason": "found"} | change  # fmt: skip
    with pytest.raises(ValueError, match=words):
        cp.reanchor(reading, "R1", told.pop("coordinates"), **told)


def test_re_anchoring_takes_no_error_from_points_that_nobody_surveyed(tmp_path):
    """By hand: own R95 of 200 m, that of the first as recorded 100 m and of the landmark 5 m add up in squares."""
    corners = ("39.99000N 46.94000E", "40.00000N 46.94000E", "40.00000N 46.93000E")
    legs = [leg("A", "reference", coordinates="39.99000N 46.93000E", position_error_m=100)]
    legs += [leg(k, "start" if k == 1 else "turning", coordinates=text, position_error_m=200)
             for k, text in enumerate(corners, start=1)]  # fmt: skip
    reading = read(book(tmp_path, [record(datum="WGS 84")], legs))
    moved = cp.reanchor(reading, "R1", "39.99010N 46.92910E", position_error_m=5, anchored_by="team 4",
                        anchored_on=AS_AT, reason="found")  # fmt: skip
    newest = moved.vertices[moved.vertices["version"] == 2].set_index("point_no")["r95_m"]
    assert newest["A"] == pytest.approx(5, abs=0.4)
    assert newest[["1", "2", "3"]].tolist() == pytest.approx([np.sqrt(200**2 + 100**2 + 5**2)] * 3, abs=0.5)


def test_the_limit_of_a_misclosure_leaves_out_what_both_ways_share(tmp_path):
    """A fork: the reference's error and the trunk's move both ends alike, so they excuse no misclosure."""
    exact = {"sigma_bearing_deg": 0.1, "sigma_shared_bearing_deg": 0.1, "sigma_distance_m": 1.0, "sigma_scale": 0.001}
    legs = [
        leg("A", "reference", coordinates=AGHDAM),
        leg(1, "turning", bearing="0", distance="500"),
        leg(2, "turning", bearing="90", distance="500", from_point="1"),
        leg(3, "turning", bearing="90", distance="100", from_point="1"),
        leg(4, "end", bearing="90", distance="300", from_point="3", closes_on="2"),
    ]
    limits = []
    for sigma in (0.01, 50.0):
        reading = read(book(tmp_path, [record(sigma_reference_m=sigma, **exact)], legs), lenient=True)
        checks = reading.checks  # leniently: its points lie on one line, so that the limit can be computed by hand
        assert checks["misclosure_m"].iloc[0] == pytest.approx(100, abs=0.1)
        assert checks["blunder"].iloc[0]
        assert checks["length_m"].iloc[0] == pytest.approx(900)
        limits.append(checks["limit_m"].iloc[0])
    # Along the line of the legs: three distances of 1 m each, and 0.1 % of the misclosure of 100 m; 3 sigma.
    assert limits == pytest.approx([3 * np.sqrt(3 * 1.0 + 0.1**2)] * 2, abs=0.01)


def test_a_link_that_ends_on_a_reference_point_is_spread_too(tmp_path):
    start = [leg("A", "reference", coordinates=AGHDAM), leg(1, "start", bearing="90", distance="500"),
             leg(2, "turning", bearing="45", distance="500")]  # fmt: skip
    plain = read(book(tmp_path, [record(north="grid")], [*start, leg(3, "end", bearing="90", distance="500")]))
    x, y = plain.vertices[["plane_x", "plane_y"]].iloc[3]
    last = leg("B", "reference", bearing="90", distance="500", coordinates=f"x={round(y) + 20} y={round(x)}")
    spread = read(book(tmp_path, [record(north="grid")], [*start, last]), adjust="compass-rule")
    assert spread.checks["spread"].tolist() == [True]
    north = spread.vertices["plane_y"].to_numpy() - plain.vertices["plane_y"].to_numpy()
    # A third and two thirds of 20 m, the half metre of rounding aside; reference points stay.
    assert north[:3] == pytest.approx([0, 20 / 3, 40 / 3], abs=0.4)
    assert spread.vertices["plane_y"].iloc[3] == round(y) + 20


def test_without_a_region_records_come_out_in_wgs_84_all_the_same(tmp_path):
    reading = open_records(book(tmp_path, [record()], square()))
    assert reading.hazards.crs == CRS.from_epsg(32638)
    assert "EPSG:15865" in reading.operations[0]
    assert reading.vertices["operation_accuracy_m"].tolist() == [4.5] * 5


def test_what_a_point_s_figures_leave_open_counts(tmp_path):
    legs = [leg("A", "reference", easting="46.93", northing="39.99", grid="EPSG:4284"), *square()[1:]]
    r95 = read(book(tmp_path, [record()], legs)).vertices["r95_m"].iloc[0]
    # By hand: 0.01 degrees of 111.2 km / sqrt(12) = 321 m per axis, with 25 m and 4.5 m: 322 m; times 2.4477.
    assert r95 == pytest.approx(2.4477 * np.sqrt(321.0**2 + 25**2 + 4.5**2), abs=1)


def test_an_undrawn_record_keeps_its_corner_rows_and_is_told(tmp_path):
    """A leg whose record is blank or misspelt belongs to the record round it, which is then not drawn without it."""
    for wrong in (None, "r1"):
        legs = square()
        legs[3]["record_id"] = wrong
        reading = read(book(tmp_path, [record()], legs), lenient=True)
        assert reading.hazards["hazard_id"].tolist() == ["R1"]
        assert reading.hazards["deferred"].notna().all()
        assert reading.hazards.geometry.isna().all()


def test_points_of_a_record_that_is_not_listed_are_a_hazard(tmp_path):
    reading = read(book(tmp_path, [record()], [*square(), *square(record_id="R2")]), lenient=True)
    hazards = reading.hazards.set_index("hazard_id")
    assert hazards.index.tolist() == ["R1", "R2"]
    assert pd.isna(hazards.loc["R1", "deferred"])
    assert "no such record" in hazards.loc["R2", "deferred"]
    assert hazards.loc["R2", "land_class"] == "SHA"
    assert cp.check(reading.hazards).empty
    assert reading.vertices.query("record_id == 'R2'")["point_no"].tolist() == ["A", "1", "2", "3", "4"]


def test_a_file_in_which_nothing_can_be_placed_tells_its_faults(tmp_path):
    for lenient in (False, True):
        path = book(tmp_path, [record(datum=None)], square())
        with pytest.raises(FaultsError) as error:
            open_records(path, lenient=lenient)
        assert "datum" in error.value.faults["column"].tolist()


@pytest.mark.parametrize("column", ["datum", "record_id", "reliability"])
def test_a_missing_column_is_told(tmp_path, column):
    path = tmp_path / "records.csv"
    pd.DataFrame([record()]).drop(columns=column).to_csv(path, index=False)
    pd.DataFrame(square()).to_csv(tmp_path / "legs.csv", index=False)
    faults = faults_of(path, legs={"path": tmp_path / "legs.csv"})
    assert ("column is missing", column) in list(zip(faults["rule"], faults["column"], strict=True))


@pytest.mark.parametrize("column", ["record_id", "point_no", "point_kind"])
def test_a_missing_column_of_legs_is_told(tmp_path, column):
    path = tmp_path / "records.csv"
    pd.DataFrame([record()]).to_csv(path, index=False)
    pd.DataFrame(square()).drop(columns=column).to_csv(tmp_path / "legs.csv", index=False)
    faults = faults_of(path, legs={"path": tmp_path / "legs.csv"})
    assert ("column is missing", column) in list(zip(faults["rule"], faults["column"], strict=True))


def test_a_workbook_without_legs_is_refused(tmp_path):
    path = tmp_path / "records.xlsx"
    pd.DataFrame([record()]).to_excel(path, sheet_name="records", index=False)
    with pytest.raises(ReadError, match="has no sheet 'legs'"):
        read(path)


def test_a_column_that_is_nearly_ours_is_not_ignored_in_silence(tmp_path):
    path = tmp_path / "records.csv"
    pd.DataFrame([record(base_sheeet="J-38-010-Б")]).to_csv(path, index=False)
    pd.DataFrame(square()).to_csv(tmp_path / "legs.csv", index=False)
    faults = read(path, legs={"path": tmp_path / "legs.csv"}).faults
    assert faults[["column", "rule", "level"]].values.tolist() == [
        ["base_sheeet", "column is not read; did you mean base_sheet?", "warning"]
    ]


def test_legs_that_lead_off_the_sheet_or_out_of_the_region(tmp_path):
    def lead(*, lenient=True, **leg_of_4):
        legs = [*square()[:3], leg(3, "turning", **leg_of_4)]
        return read(book(tmp_path, [record(base_sheet="J-38-010-Б")], legs), lenient=lenient)

    # The sheet ends at 47.0 E, 6 km east of the reference, and the next one at 47.25 E.
    beside = lead(bearing="100", distance="9000")
    assert beside.faults[["row", "level"]].values.tolist() == [[5, "warning"]]
    assert "onto J-38-011-А" in beside.faults["rule"].iloc[0]
    assert beside.hazards["deferred"].isna().all()
    # Three legs of 19 km west lead beyond the sheets round the declared one; four more out of the region at 45.6 E.
    legs = [*square()[:4], *(leg(k, "turning", bearing="270", distance="19000") for k in range(4, 11))]
    far = read(book(tmp_path, [record(base_sheet="J-38-010-Б")], legs), lenient=True)
    assert far.hazards["deferred"].notna().all()
    assert "the legs lead out of the declared region" in far.faults["rule"].tolist()


def test_imsma_point_list_without_kinds_and_in_utm(tmp_path):
    rows = [("UTM38N", "P1", k + 1, f"p{k}", x, y) for k, (x, y) in
            enumerate([(664842.0, 4430282.0), (665042.0, 4430282.0), (665042.0, 4430482.0)])]  # fmt: skip
    names = ["projname", "polyid", "pointno", "pointid", "xcoord", "ycoord"]
    pd.DataFrame(rows, columns=names).to_csv(tmp_path / "points.csv", index=False)
    with pytest.raises(FaultsError) as error:  # what IMSMA does not say is asked, not a bug
        open_records(tmp_path / "points.csv")
    assert {"datum", "reliability", "ordnance", "source"} <= set(error.value.faults["column"])
    fixed = {"datum": "WGS 84", "ordnance": "unknown", "reliability": 0.5, "source": "IMSMA export"}
    reading = read(tmp_path / "points.csv", set=fixed, errors=SIGMAS)
    assert reading.hazards.geometry.iloc[0].area == pytest.approx(20_000)
    assert reading.vertices["point_kind"].tolist() == ["start", "turning", "turning"]


#: The corners of a field of 400 m by 100 m and a square of 100 m on it: 50,000 m2 in their order.
CORNERS = [(0, 0), (400, 0), (400, 100), (100, 100), (100, 200), (0, 200)]


def imsma_list(folder, numbers, corners=CORNERS):
    """A point list whose rows stand in the order of ``numbers``; the corner of number 1 is the first."""
    rows = [("UTM38N", "P1", n, f"p{n}", 664842.0 + corners[n - 1][0], 4430282.0 + corners[n - 1][1]) for n in numbers]
    names = ["projname", "polyid", "pointno", "pointid", "xcoord", "ycoord"]
    pd.DataFrame(rows, columns=names).to_csv(folder / "points.csv", index=False)
    fixed = {"datum": "WGS 84", "ordnance": "unknown", "reliability": 0.5, "source": "IMSMA export"}
    return {"set": fixed, "errors": SIGMAS}


@pytest.mark.parametrize("numbers", [[1, 2, 3, 4, 5, 6], [1, 2, 3, 5, 4, 6], [6, 5, 4, 3, 2, 1], [1, 3, 5, 2, 4, 6]])
def test_an_imsma_list_is_drawn_by_its_numbers(tmp_path, numbers):
    source = imsma_list(tmp_path, numbers)
    reading = read(tmp_path / "points.csv", **source)
    assert reading.hazards.geometry.iloc[0].area == pytest.approx(50_000)
    said = reading.faults["rule"].str.contains("drawn by their numbers").any()
    assert said == (numbers != sorted(numbers))


def test_numbers_of_an_imsma_list_are_no_text(tmp_path):
    ring = [(200 * np.cos(t), 200 * np.sin(t)) for t in np.linspace(0, 2 * np.pi, 12, endpoint=False)]
    in_text_order = sorted(range(1, 13), key=str)
    source = imsma_list(tmp_path, in_text_order, ring)
    area = read(tmp_path / "points.csv", **source).hazards.geometry.iloc[0].area
    assert area == pytest.approx(12 / 2 * 200**2 * np.sin(2 * np.pi / 12))


@pytest.mark.parametrize(
    ("numbers", "gap"), [([1, 2, 4, 5], "point 3"), ([2, 3, 4], "point 1"), ([1, 2, 6, 3], "point 4 to 5")]
)
def test_a_gap_in_an_imsma_list_is_said(tmp_path, numbers, gap):
    source = imsma_list(tmp_path, numbers)
    with pytest.raises(FaultsError) as error:
        read(tmp_path / "points.csv", **source)
    assert f"{gap} of P1 is missing" in error.value.faults["rule"].tolist()


def project_with_lists(tmp_path, *orders):
    """A small project with one IMSMA list, in which a polygon stands for each order of point numbers; its plan."""
    project = make_project(tmp_path)
    lists = []
    for k, numbers in enumerate(orders, start=1):
        imsma_list(project, numbers)
        lists.append(pd.read_csv(project / "points.csv").assign(polyid=f"P{k}"))
    points = pd.concat(lists)
    points["xcoord"] += 1000.0 * points["polyid"].str[1:].astype(int)
    points.to_csv(project / "points.csv", index=False)
    errors = "\n".join(f"{name} = {value}" for name, value in SIGMAS.items())
    settings = 'datum = "WGS 84"\nordnance = "AP"\nreliability = 0.5\nsource = "IMSMA export"\n'
    plan = project / "plan.toml"
    records = f'\n[[records]]\npath = "points.csv"\n[records.set]\n{settings}[records.errors]\n{errors}\n'
    plan.write_text(plan.read_text() + records)
    return plan


def test_check_and_run_draw_imsma_lists_by_their_numbers(tmp_path):
    plan = project_with_lists(tmp_path, [1, 2, 3, 5, 4, 6], [6, 5, 4, 3, 2, 1], [1, 3, 5, 2, 4, 6])
    checked = clearplan("check", plan.with_name("points.csv"), "--as", "records", "--plan", plan)
    assert checked.returncode == 0, checked.stdout
    assert "drawn by their numbers" in " ".join(checked.stdout.split())
    drawn = cp.run_study(plan).hazards.set_index("hazard_id").loc[["P1", "P2", "P3"]]
    assert drawn.geometry.area.tolist() == pytest.approx([50_000] * 3)


def test_check_and_run_refuse_imsma_lists_with_gaps(tmp_path):
    plan = project_with_lists(tmp_path, [1, 2, 4, 5], [2, 3, 4], [1, 2, 6, 3])
    checked = clearplan("check", plan.with_name("points.csv"), "--as", "records", "--plan", plan)
    assert checked.returncode == 1
    with pytest.raises(FaultsError) as refused:
        cp.run_study(plan)
    for gap in ("point 3 of P1", "point 1 of P2", "point 4 to 5 of P3"):
        assert f"{gap} is missing" in " ".join(checked.stdout.split())
        assert f"{gap} is missing" in refused.value.faults["rule"].tolist()


def test_anchors_of_the_workbook_are_versions_too(tmp_path):
    anchors = [
        {"record_id": "R1", "landmark": "bridge", "coordinates": "39.99100N 46.93000E", "datum": "WGS 84",
         "position_error_m": 5, "anchored_by": "team 4", "anchored_on": dt.date(2024, 1, 1), "reason": "second look"},
        {"record_id": "R1", "landmark": "mill", "coordinates": "39.99500N 46.93000E", "datum": "WGS 84",
         "position_error_m": 8, "anchored_by": "team 2", "anchored_on": dt.date(2023, 1, 1), "reason": "first look"},
    ]  # fmt: skip
    reading = read(book(tmp_path, [record()], square(), anchors))
    assert reading.versions["reason"].tolist() == ["as recorded", "first look", "second look"]
    assert reading.versions["current"].tolist() == [False, False, True]
    assert reading.hazards["version"].tolist() == [2 + 1]


def test_candidate_anchors_are_listed_nearest_first_and_never_chosen(tmp_path):
    reading = read(book(tmp_path, [record()], square()))
    geod = Geod(ellps="WGS84")
    lonlat = gpd.GeoSeries([reading.vertices.geometry.iloc[0]], crs=32638).to_crs(4326).iloc[0]
    named = [("mill", 90, 40), ("bridge", 180, 20), ("far hill", 0, 400)]
    places = pd.DataFrame(
        [(name, *geod.fwd(lonlat.x, lonlat.y, bearing, far)[:2]) for name, bearing, far in named],
        columns=["name", "longitude", "latitude"],
    )
    found = cp.candidate_anchors(reading, places)
    assert found["name"].tolist() == ["bridge", "mill"]
    assert found["distance_m"].tolist() == pytest.approx([20, 40], abs=0.1)
    assert found["bearing_deg"].tolist() == pytest.approx([180, 90], abs=2)
    assert len(reading.versions) == 1


def test_land_class_follows_the_planners_grade_only_where_he_says_so(tmp_path):
    records = [record("R1", reliability=0.2), record("R2", record_number="118", reliability=0.9)]
    path = book(tmp_path, records, [*square(), *square(record_id="R2")])
    assert read(path).hazards["land_class"].tolist() == ["SHA", "SHA"]
    assert read(path, direct_evidence_from=0.8).hazards["land_class"].tolist() == ["SHA", "CHA"]


def test_a_scans_error_joins_the_reference_points(tmp_path):
    from clearplan.records.scans import scan_sigma_m

    draw = np.random.default_rng(5)
    rows = ["mapX,mapY,sourceX,sourceY,enable,dX,dY,residual", *(
        f"{8_660_000 + 4.23 * c + draw.normal(0, 9)},{4_440_000 - 4.23 * r + draw.normal(0, 9)},{c},{-r},1,0,0,0"
        for c in (100, 1000, 2000, 3000) for r in (100, 1000, 2000, 3000)
    )]  # fmt: skip
    points = tmp_path / "sheet.points"
    points.write_text("#CRS: EPSG:28408\n" + "\n".join(rows) + "\n")
    sigma = scan_sigma_m(points, "affine")
    assert 6 < sigma < 15
    plain = read(book(tmp_path, [record()], square()))
    scanned = read(book(tmp_path, [record(scan="sheet 10")], square()), scans={"sheet 10": points})
    added = scanned.vertices["c_ee"].iloc[0] - plain.vertices["c_ee"].iloc[0]
    assert added == pytest.approx(sigma**2)
    faults = faults_of(book(tmp_path, [record(scan="sheet 11")], square()), scans={"sheet 10": points})
    assert faults["rule"].tolist() == ["no such scan"]


# --- bad input ---------------------------------------------------------------------------------------------------


def changed(index, **changes):
    legs = square()
    legs[index] = legs[index] | changes
    return legs


TWO = [record("R1"), record("R2", record_number="117", ordnance="AV")]
BAD = {
    "empty distance": ([record()], changed(2, distance=None), ("legs", 4, "distance", "blank")),
    "bearing 370": ([record()], changed(2, bearing="370"), ("legs", 4, "bearing", "0 to 360")),
    "letter O": ([record(angle_unit="mils-6000")], changed(2, bearing="12-5O"), ("legs", 4, "bearing", "letter O")),
    "feet": ([record()], changed(2, distance="650 ft"), ("legs", 4, "distance", "'ft'")),
    "one line": (
        [record()],
        [*square()[:2], leg(2, "turning", bearing="0", distance="200"), leg(3, "turning", bearing="0", distance="100")],
        ("legs", 5, "bearing", "one line"),
    ),
    "crosses itself": (
        [record()],
        [*square()[:3], leg(3, "turning", bearing="225", distance="300"),
         leg(4, "turning", bearing="90", distance="300")],
        ("legs", 4, "bearing", "crosses itself"),
    ),
    "before 1987": ([record(laid_on=dt.date(1967, 5, 1))], square(), ("records", 2, "laid_on", "before 1987")),
    "in the future": ([record(laid_on=dt.date(2027, 5, 1))], square(), ("records", 2, "laid_on", "after 2026-01-01")),
    "no datum": ([record(datum=None)], square(), ("records", 2, "datum", "blank")),
    "references contradict": (
        [record()],
        [square()[0], leg("B", "reference", coordinates="x=4431282 y=8664842", distance="400"), *square()[1:]],
        ("legs", 3, "distance", "contradicts"),
    ),
    "another sheet": ([record(base_sheet="J-38-023-А")], square(), ("legs", 2, "coordinates", "J-38-023-А")),
    "number used twice": (
        TWO, [*square(), *square(record_id="R2")], ("records", 3, "record_number", "differ in ordnance"),
    ),
    "number used twice, points differ": (
        [record("R1"), record("R2", unit=None, record_number="0117")],
        [*square(), *square(record_id="R2")[:-1], leg(4, "turning", "R2", bearing="275", distance="999")],
        ("records", 3, "record_number", "differ in their points, unit"),
    ),
    "row without its end": (
        [record()], [*square()[:2], leg(2, "row-end", bearing="90", distance="120"),
                     leg(3, "start", bearing="180", distance="310")],
        ("legs", 5, "point_kind", "no row-end"),
    ),
    "two fields in one": (
        [record()], [*square(), leg(5, "start", bearing="90", distance="1000"),
                     leg(6, "turning", bearing="90", distance="100"), leg(7, "end", bearing="0", distance="100")],
        ("legs", 7, "point_kind", "second start"),
    ),
    "a name for two points": (
        [record()], changed(0, point_id="2"), ("legs", 4, "point_no", "go by this name"),
    ),
    "coordinates twice": (
        [record(grid="EPSG:28408")], changed(0, easting="8600000", northing="4400000"),
        ("legs", 2, "coordinates", "both coordinates and easting"),
    ),
    "thousands comma": (
        [record(grid="EPSG:28408")],
        changed(0, coordinates=None, easting="8,664,842", northing="4430282"), ("legs", 2, "easting", "comma"),
    ),
    "grid of another datum": (
        [record(grid="EPSG:32638")], changed(0, coordinates=None, easting="664842", northing="4430282"),
        ("legs", 2, "easting", "not of the datum SK-42"),
    ),
    "grid of Pulkovo 1995": (
        [record(grid="EPSG:20008")], changed(0, coordinates=None, easting="8664842", northing="4430282"),
        ("legs", 2, "easting", "not of the datum SK-42"),
    ),
    "no reliability": ([record(reliability=None)], square(), ("records", 2, "reliability", "blank")),
    "reliability over 1": ([record(reliability=40)], square(), ("records", 2, "reliability", "at most 1")),
    "no error stated": ([record(sigma_scale=None)], square(), ("records", 2, "sigma_scale", "no standard error")),
    "magnetic without a date": (
        [record(north="magnetic", laid_on=None)], square(), ("records", 2, "laid_on", "magnetic"),
    ),
    "no north": ([record(north=None)], square(), ("legs", 3, "bearing", "from which north")),
    "no such point": ([record()], changed(2, from_point="9"), ("legs", 4, "from_point", "no such point")),
    "no such record": (
        [record()], [*square(), leg(1, "start", "R9", bearing="0", distance="5")],
        ("legs", 7, "record_id", "no such record"),
    ),
    "no legs": ([record(), record("R2", record_number="2")], square(), ("records", 3, "record_id", "no points")),
    "point twice": (
        [record()], [*square(), leg(4, "turning", bearing="0", distance="5")], ("legs", 7, "point_no", "twice"),
    ),
    "no reference": ([record()], square()[1:], ("legs", 2, "from_point", "nowhere")),
    "reference without a place": (
        [record()], changed(0, coordinates=None), ("legs", 2, "coordinates", "no coordinates"),
    ),
    "outside the region": ([record()], changed(0, coordinates="51.5N 0.1W"), ("legs", 2, "coordinates", "region")),
}  # fmt: skip


@pytest.mark.parametrize("slip", BAD)
def test_each_slip_is_a_fault_with_its_row_and_column(slip, tmp_path):
    records, legs, (sheet, row, column, words) = BAD[slip]
    path = book(tmp_path, records, legs)
    faults = faults_of(path)
    own = faults[(faults["row"] == row) & (faults["column"] == column)]
    assert len(own), faults.to_string()
    assert own["file"].iloc[0] == f"records.xlsx [{sheet}]"
    assert words in own["rule"].iloc[0]
    assert own["remedy"].iloc[0]
    # Leniently read, nothing is lost: the record is there, drawn or deferred with its reason.
    reading = read(path, lenient=True)
    assert set(reading.hazards["hazard_id"]) == {row["record_id"] for row in [*records, *legs]}
    undrawn = shapely.is_missing(reading.hazards.geometry.to_numpy())
    assert (reading.hazards["deferred"].notna().to_numpy() == undrawn).all()


def test_lenient_reading_keeps_a_crossing_and_says_both_areas(tmp_path):
    records, legs, _ = BAD["crosses itself"]
    reading = read(book(tmp_path, records, legs), lenient=True)
    assert reading.hazards.geometry.iloc[0].is_valid
    assert reading.faults["level"].tolist() == ["repaired"]
    assert "m2 entered" in reading.faults["value"].iloc[0]


def test_contradicting_references_widen_the_error(tmp_path):
    records, legs, _ = BAD["references contradict"]
    reading = read(book(tmp_path, records, legs), lenient=True)
    # 1,000 m by the coordinates (grid; 999.7 on the ground), 400 m by the record.
    assert reading.hazards["position_error_m"].iloc[0] == pytest.approx(
        reading.vertices["r95_m"][2:].max() + 599.7, abs=0.5
    )


def put(sheet, cell, value):
    def change(workbook):
        workbook[sheet][cell] = value

    return change


def column_of(sheet, name):
    from clearplan.tables.lookup import TABLES

    return openpyxl.utils.get_column_letter([c.name for c in TABLES[sheet]].index(name) + 1)


def test_formula_text_in_a_cell(tmp_path):
    cell = f"{column_of('legs', 'landmark')}2"
    change = put("legs", cell, '=HYPERLINK("http://example.invalid", "bridge")')
    faults = faults_of(book(tmp_path, [record()], square(), change=change))
    assert (faults["row"].iloc[0], faults["column"].iloc[0]) == (2, "landmark")
    assert "formula" in faults["rule"].iloc[0]


def test_merged_cells(tmp_path):
    letter = column_of("legs", "distance")
    path = book(tmp_path, [record()], square(), change=lambda w: w["legs"].merge_cells(f"{letter}3:{letter}4"))
    faults = faults_of(path)
    merged = faults[faults["rule"].str.contains("merged")]
    assert merged["row"].tolist() == [3, 4]
    assert merged["column"].tolist() == ["distance", "distance"]


def test_ten_megabytes_of_one_cell(tmp_path):
    legs = pd.DataFrame(square())
    legs.loc[2, "remark"] = "x" * 10_000_000
    pd.DataFrame([record()]).to_csv(tmp_path / "records.csv", index=False)
    legs.to_csv(tmp_path / "legs.csv", index=False)
    faults = faults_of(tmp_path / "records.csv", legs={"path": tmp_path / "legs.csv"})
    assert (faults["row"].iloc[0], faults["column"].iloc[0]) == (4, "remark")
    assert "10,000,000 letters" in faults["rule"].iloc[0]
    assert len(faults["value"].iloc[0]) <= 80


def test_csv_reads_as_the_workbook_does(tmp_path):
    pd.DataFrame([record()]).to_csv(tmp_path / "records.csv", index=False)
    pd.DataFrame(square()).to_csv(tmp_path / "legs.csv", index=False)
    by_csv = read(tmp_path / "records.csv", legs={"path": tmp_path / "legs.csv"})
    by_book = read(book(tmp_path, [record()], square()))
    assert by_csv.hazards.geometry.iloc[0].equals(by_book.hazards.geometry.iloc[0])
    with pytest.raises(ReadError, match=r"legs\.path"):
        read(tmp_path / "records.csv")


def test_imsma_point_list(tmp_path):
    """Columns of IMSMA's import from Excel: points absolute, or relative to another point."""
    rows = [
        ("WGS84", "P1", 0, "BM", "Benchmark", 46.93, 39.99, None, None, None),
        ("WGS84", "P1", 1, "SP", "Start Point", None, None, 500, 0, "BM"),
        ("WGS84", "P1", 2, "TP1", "Turning Point", None, None, 200, 90, "SP"),
        ("WGS84", "P1", 3, "TP2", "Turning Point", None, None, 200, 180, "TP1"),
        ("WGS84", "P2", 1, "a", None, 46.95, 39.99, None, None, None),
        ("WGS84", "P2", 2, "b", None, 46.96, 39.99, None, None, None),
        ("WGS84", "P2", 3, "c", None, 46.96, 40.00, None, None, None),
    ]
    names = [
        "ProjName",
        "PolyID",
        "PointNo",
        "PointID",
        "PointType",
        "Xcoord",
        "Ycoord",
        "Distance",
        "Bearing",
        "FrPointID",
    ]
    pd.DataFrame(rows, columns=names).to_csv(tmp_path / "points.csv", index=False)
    fixed = {"datum": "WGS 84", "north": "true", "angle_unit": "degrees", "distance_unit": "m", "ordnance": "unknown",
             "reliability": 0.5, "source": "IMSMA export"}  # fmt: skip
    reading = read(tmp_path / "points.csv", set=fixed, errors=SIGMAS)
    assert reading.hazards["hazard_id"].tolist() == ["P1", "P2"]
    assert reading.hazards["deferred"].isna().all()
    geod = Geod(ellps="WGS84")
    lon, lat, _ = geod.fwd(46.93, 39.99, 0, 500)
    start = Transformer.from_crs(4326, 32638, always_xy=True).transform(lon, lat)
    assert shapely.get_coordinates(reading.hazards.geometry.iloc[0])[0] == pytest.approx(start, abs=0.01)
    assert reading.hazards.geometry.iloc[1].area == pytest.approx(0.5 * 854 * 1110, rel=0.01)


def test_names_and_codes_of_an_own_database_are_mapped(tmp_path):
    pd.DataFrame([record()]).rename(columns={"record_id": "Nr", "datum": "Datum"}).assign(Datum="CK42").to_csv(
        tmp_path / "records.csv", index=False
    )
    pd.DataFrame(square()).rename(columns={"record_id": "Nr"}).to_csv(tmp_path / "legs.csv", index=False)
    reading = read(
        tmp_path / "records.csv",
        columns={"record_id": "Nr", "datum": "Datum"},
        codes={"datum": {"CK42": "SK-42"}},
        legs={"path": tmp_path / "legs.csv", "columns": {"record_id": "Nr"}},
    )
    assert reading.hazards["deferred"].isna().all()


def test_template_has_a_list_and_a_comment_on_every_column(tmp_path):
    from clearplan.tables.lookup import TABLES

    path = tmp_path / "t.xlsx"
    write_record_template(path)
    workbook = openpyxl.load_workbook(path)
    assert workbook.sheetnames == ["read me", "records", "legs", "anchors"]
    for name in ("records", "legs", "anchors"):
        page = workbook[name]
        assert [cell.value for cell in page[1]] == [column.name for column in TABLES[name]]
        assert all(cell.comment is not None for cell in page[1])
        lists = {
            str(v.sqref).split(":")[0].rstrip("0123456789"): v.formula1 for v in page.data_validations.dataValidation
        }
        for k, column in enumerate(TABLES[name], start=1):
            assert (openpyxl.utils.get_column_letter(k) in lists) == bool(column.codes)
    with pytest.raises(OutputError, match="exists already"):
        write_record_template(path)
    with pytest.raises(FaultsError, match="no rows"):
        read(path)


def test_the_same_records_make_the_same_workbook(tmp_path):
    first = book(tmp_path, [record()], square()).read_bytes()
    assert book(tmp_path, [record()], square()).read_bytes() == first


def test_records_join_the_other_hazards(tmp_path):
    path = book(tmp_path, [record()], square())
    records = cp.read_records(path, region=REGION)
    together = cp.combine(records, records.assign(hazard_id="H2"))
    assert together["reliability"].dtype == float
    assert cp.check(together).empty
    areas = cp.footprints(together, cp.FootprintSettings(margin_m={"AP": 20}, strike_radius_m=300))
    grown = records["position_error_m"].iloc[0] + 20
    assert areas.geometry.iloc[0].boundary.distance(records.geometry.iloc[0]) >= grown - 1e-6


def test_forms_keep_what_was_typed(tmp_path):
    forms = read_forms(RecordSettings(path=book(tmp_path, [record()], square())), region=REGION, as_at=AS_AT)
    assert forms.legs["coordinates"].tolist()[0] == AGHDAM
    assert forms.legs["bearing"].tolist()[1:] == ["0", "90", "180", "270"]
    reading = open_records(book(tmp_path, [record()], square()), region=REGION)
    assert reading.vertices["bearing"].tolist()[1:] == ["0", "90", "180", "270"]
    assert reading.vertices["operation"].astype(str).str.contains("EPSG:15865").all()
    assert (reading.vertices["operation_accuracy_m"] == 4.5).all()

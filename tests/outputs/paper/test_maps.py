"""Maps on paper: true to their scale, and with all that they must say."""

import numpy as np
import pytest
import shapely
from pypdf import PdfReader

from clearplan.core.errors import CrsError, OutputError, SettingsError
from clearplan.core.imprint import BOUNDARIES, NOT_FOR_ENTRY
from clearplan.outputs.paper.maps import draw_atlas, draw_sheet
from clearplan.outputs.paper.sheet import Frame, norths
from tests.conftest import E0, N0, UTM, zone_table
from tests.sheets_of_paper import HOSTILE, IMPRINT, task_table, text_of, upright_lines, world

CENTRE = (E0 + 500, N0)


@pytest.mark.parametrize(
    ("scale", "paper", "orientation", "size", "gap"),
    [
        (50_000, "A4", "portrait", (210, 297), 20.0),  # lines every kilometre
        (25_000, "A3", "landscape", (420, 297), 20.0),  # every 500 m
        (10_000, "A4", "landscape", (297, 210), 20.0),  # every 200 m
    ],
)
def test_grid_lines_stand_as_far_apart_on_paper_as_the_scale_says(tmp_path, scale, paper, orientation, size, gap):
    path = tmp_path / "sheet.pdf"
    told = draw_sheet(path, world(), IMPRINT, scale=scale, centre=CENTRE, paper=paper, orientation=orientation)
    assert told == scale
    (page,) = PdfReader(path).pages
    assert [float(side) * 25.4 / 72 for side in page.mediabox[2:]] == pytest.approx(size, abs=0.01)
    lines = upright_lines(path)
    apart = np.diff(lines)
    assert np.isclose(apart, gap, atol=0.03).sum() >= 5
    assert f"1:{scale // 1000} 000" in text_of(path)


def test_two_places_five_kilometres_apart_are_ten_centimetres_apart_in_the_picture(tmp_path):
    from matplotlib.image import imread

    path = tmp_path / "sheet.png"
    draw_sheet(path, world(areas=None, lifelines=None), IMPRINT, scale=50_000, centre=CENTRE)
    dots = (imread(path)[:, :, :3] * 255).round().astype(int)
    assert dots.shape[:2] == (2338, 1653)  # whole dots of A4 at 200 an inch
    edge = (abs(dots - [0, 66, 157]) < 12).all(axis=2)
    # The legend has a third such mark: it lies below the map.
    columns = np.nonzero(edge[:1800])[1]
    left, right = columns[columns < columns.mean()], columns[columns > columns.mean()]
    assert right.mean() - left.mean() == pytest.approx(100 / 25.4 * 200, abs=1.0)


def test_a_sheet_says_what_it_is_what_is_on_it_and_what_it_is_not(tmp_path):
    path = tmp_path / "sheet.pdf"
    draw_sheet(path, world(), IMPRINT, scale=50_000, centre=CENTRE)
    text = text_of(path)
    for words in (
        "Field map", "As at 2026-01-01", "Fingerprint abc123", "1 cm on paper is 500 m", NOT_FOR_ENTRY, BOUNDARIES,
        "WGS 84 / UTM zone 38N", "100-km squares 38SPK", "lines every 1 km", "Confirmed hazardous area (CHA) (1)",
        "Suspected hazardous area (SHA) (1)", "Indication, outer band of the belt (1)", "Place of return (2)",
        "Accident (1)", "Lifeline: road, water, fields ... (1)", "Released by clearance (1)",
        "Task for clearance, first 10: rank (1)", "Outline of a district (2)", "Place 0 (100 wait)",
        "Place 1 (people unknown)", "Blank: unknown, maybe hazardous", "GN: grid north, up", "C1", "S2",
    ):  # fmt: skip
        assert words in text, words
    assert "Lake" not in text  # none was given
    assert "Not given to this map: roads." in text


def test_what_is_not_on_the_map_is_not_in_its_legend(tmp_path):
    path = tmp_path / "sheet.pdf"
    draw_sheet(path, world(), IMPRINT, scale=2_500, centre=(E0 + 200, N0 + 150))
    text = text_of(path)
    assert "Confirmed hazardous area (CHA) (1)" in text
    assert "Suspected" not in text
    assert "Place of return" not in text


def test_left_to_itself_the_scale_is_the_first_round_one_at_which_all_tasks_fit(tmp_path):
    far = task_table([{"geometry": shapely.box(E0, N0, E0 + 90, N0 + 90)},
                      {"geometry": shapely.box(E0 + 29_910, N0, E0 + 30_000, N0 + 90)}])  # fmt: skip
    path = tmp_path / "sheet.pdf"
    # 30 km and 2 % on each side are 31.2 km; the map is 184 mm wide: 1:169 565, so 1:250 000.
    assert draw_sheet(path, world(tasks=far), IMPRINT) == 250_000
    assert "too small to draw" not in text_of(path)  # both are among the first ten


def test_ground_that_does_not_fit_is_refused_with_the_scale_that_would_do(tmp_path):
    extent = (E0, N0, E0 + 20_000, N0 + 10_000)
    told = r"20\.0 km x 10\.0 km are 800 mm x 400 mm at 1:25 000, and A4 portrait has .* scale = 250000"
    with pytest.raises(SettingsError, match=told):
        draw_sheet(tmp_path / "s.pdf", world(), IMPRINT, scale=25_000, extent=extent)
    assert draw_sheet(tmp_path / "s.pdf", world(), IMPRINT, scale=120_000, extent=extent) == 120_000
    for wrong in ({"centre": CENTRE}, {"extent": (1, 1, 0, 2)}, {"paper": "A7"}, {"orientation": "up"}):
        with pytest.raises(SettingsError):
            draw_sheet(tmp_path / "t.pdf", world(), IMPRINT, **wrong)
    with pytest.raises(OutputError, match="does not end with"):
        draw_sheet(tmp_path / "t.svg", world(), IMPRINT)
    with pytest.raises(CrsError):
        draw_sheet(tmp_path / "t.pdf", world(zones=world().zones.to_crs(4326)), IMPRINT)
    assert [p.name for p in tmp_path.iterdir()] == ["s.pdf"]


def test_same_bytes_at_every_run(tmp_path):
    for name in ("a.pdf", "b.pdf", "a.png", "b.png"):
        draw_sheet(tmp_path / name, world(), IMPRINT, scale=50_000, centre=CENTRE)
    assert (tmp_path / "a.pdf").read_bytes() == (tmp_path / "b.pdf").read_bytes()
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    assert PdfReader(tmp_path / "a.pdf").metadata.creation_date.year == 2026


def test_names_from_data_are_text(tmp_path):
    path = tmp_path / "sheet.pdf"
    zones = zone_table([{"geometry": shapely.Point(E0 - 500, N0 - 900), "name": HOSTILE}])
    draw_sheet(path, world(zones=zones), IMPRINT, scale=50_000, centre=CENTRE)
    assert "$\\frac{a$ {{7*7}} <script> %(x)s □ Ağdərə Մարտակերտ (100 wait)" in text_of(path)


def test_names_without_room_are_counted(tmp_path):
    path = tmp_path / "sheet.pdf"
    crowd = zone_table([{"geometry": shapely.Point(E0 + 3 * k, N0), "name": f"Place with a long name {k}"}
                        for k in range(40)])  # fmt: skip
    draw_sheet(path, world(zones=crowd), IMPRINT, scale=50_000, centre=CENTRE)
    text = text_of(path)
    shown = sum(f"Place with a long name {k} (100 wait)" in text for k in range(40))
    assert 0 < shown < 40
    assert f"Names and ranks with no room ({40 - shown})" in text


def test_an_atlas_has_an_overview_and_a_sheet_a_district_or_as_many_as_it_takes(tmp_path):
    tasks = task_table([
        {"geometry": shapely.box(E0, N0, E0 + 90, N0 + 90), "district": "West"},
        {"geometry": shapely.box(E0 + 2_000, N0, E0 + 2_090, N0 + 90), "district": "East"},
        {"geometry": shapely.box(E0 + 8_000, N0, E0 + 8_090, N0 + 90), "district": "East"},
    ])  # fmt: skip
    path = tmp_path / "atlas.pdf"
    assert draw_atlas(path, world(tasks=tasks), IMPRINT) == 3
    assert "Field map: East" in text_of(path, 1)
    # East is 6.1 km wide; a sheet of 184 mm shows 1.84 km at 1:10 000: four sheets, of which two hold a task.
    assert draw_atlas(path, world(tasks=tasks), IMPRINT, scale=10_000) == 4
    with pytest.raises(OutputError):
        draw_atlas(tmp_path / "atlas.png", world(), IMPRINT)


def test_norths_are_those_of_published_models():
    from pyproj import CRS, Transformer

    # 46.93 E in zone 38 (middle 45 E): convergence is about dlon * sin(lat) = 1.93 * sin(39.99) = 1.240 degrees.
    x, y = Transformer.from_crs(4326, UTM, always_xy=True).transform(46.93, 39.99)
    true, magnetic = norths(Frame(CRS(UTM), (x, y), 50_000, (0, 0, 100, 100)), IMPRINT.as_at)
    assert true == pytest.approx(-1.240, abs=0.01)
    from pygeomag import GeoMag

    told = GeoMag(coefficients_file="wmm/WMM_2025.COF").calculate(glat=39.99, glon=46.93, alt=0, time=2026.0)
    assert magnetic - true == pytest.approx(told.d, abs=0.15)

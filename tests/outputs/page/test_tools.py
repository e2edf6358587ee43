"""The map's tools in a real Chromium: search, links, measuring, coordinates, grids; by keyboard and on a phone."""

import json
import re
from importlib.resources import files

import geopandas as gpd
import numpy as np
import pytest
from pyproj import Geod, Transformer
from shapely import Point, box

import clearplan as cp
from clearplan.outputs.layers import Layers
from clearplan.outputs.page.draw import draw_map
from clearplan.outputs.page.placenames import fold, fold_rules
from clearplan.read.background import Context
from tests.browser import PICTURES, opened
from tests.conftest import E0, FULL, N0, accident_table, hazard_table, zone_table
from tests.outputs.page.test_draw import PERIODS, planned_world, ranked_world
from tests.outputs.page.test_draw_browser import HOSTILE
from tests.outputs.page.test_placenames import SAME, place_table, sample_districts, sample_places

pytestmark = [
    pytest.mark.browser,
    # The driver leaves its pipes to the garbage collector.
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"),
]

WGS84 = Geod(ellps="WGS84")
SIZES = [(1400, 900), (1300, 800), (360, 780)][0 if FULL else 1 :]


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """Five tasks, four places and the settlements of the sample round them, with a plan of work."""
    from clearplan.settings.land import FootprintSettings
    from clearplan.settings.tasks import TaskSettings
    from tests import conftest

    folder = tmp_path_factory.mktemp("tools")
    margins = FootprintSettings(margin_m={"AP": 10, "AV": 20, "mixed": 20, "CMR": 0, "unknown": 0}, strike_radius_m=300)
    sizes = TaskSettings(
        influence_m=1000, max_task_ha={"survey": 110, "clearance": 26}, min_task_m2=500, join_within_m=50
    )
    tasks, zones, areas = planned_world(margins, sizes, conftest.priority_settings.__wrapped__())
    zones["other_names"] = ["Birinci Yer; Առաջին", None, None, None, None]
    context = Context(places=sample_places(), districts=sample_districts(), district_name="name_en")
    draw_map(Layers(tasks, zones, areas=areas, context=context), first=2, periods=PERIODS).save(folder / "m.html")
    return folder / "m.html", tasks


def view(page):
    return page.evaluate(
        "(() => { const c = map_clearplan.getCenter(); return [c.lat, c.lng, map_clearplan.getZoom()]; })()"
    )


def options(page):
    return [text.split("\n") for text in page.locator("#search-list [role=option]").all_inner_texts()]


@pytest.fixture
def geodesy(tmp_path):
    """The page's geodesy and folding alone, on an empty page."""

    def part(name):
        return files("clearplan.outputs.page").joinpath("assets", name).read_text(encoding="utf-8")

    search = part("search.js")
    script = f"var data = {json.dumps({'search': {'fold': fold_rules()}})};\n{part('geodesy.js')}"
    script += search[: search.index("function centreOf")]
    (tmp_path / "m.html").write_text(f'<html data-ready="yes"><meta charset="utf-8"><script>{script}</script>', "utf-8")
    with opened(tmp_path / "m.html") as (page, watch):
        yield page
    assert watch.complaints == []


# --- geodesy against other libraries


def region_points(seed, count):
    """Seeded points: the region, the border of zones 38 and 39, and some of the whole Earth."""
    draw = np.random.default_rng(seed)
    region = np.column_stack([draw.uniform(38.6, 41.1, count), draw.uniform(45.2, 48.3, count)])
    border = np.column_stack([draw.uniform(38.0, 42.0, count // 2), 48 + draw.uniform(-0.02, 0.02, count // 2)])
    earth = np.column_stack([draw.uniform(-79.9, 83.9, count // 2), draw.uniform(-180, 180, count // 2)])
    return np.concatenate([region, border, earth]).tolist()


def test_mgrs_is_that_of_the_mgrs_package(geodesy):
    import mgrs

    oracle, points = mgrs.MGRS(), region_points(20201110, 600)
    ours = geodesy.evaluate("points => points.map(p => mgrs(p[0], p[1], 5))", points)
    near = geodesy.evaluate("points => points.map(p => { const u = toUtm(p[0], p[1], utmZone(p[0], p[1])); "
                            "return [u.east % 1, ((u.north % 1) + 1) % 1]; })", points)  # fmt: skip
    zones, differ = set(), 0
    for (lat, lon), own, parts in zip(points, ours, near, strict=True):
        theirs = oracle.toMGRS(lat, lon)
        own = own.replace(" ", "")
        theirs = theirs.zfill(len(own))
        zones.add(own[:2])
        if own != theirs:
            # Only a metre cut at its very edge may fall to the other side.
            assert own[:5] == theirs[:5], (lat, lon)
            assert min(min(part, 1 - part) for part in parts) < 2e-3, (lat, lon, own, theirs)
            differ += 1
    assert {"38", "39"} <= zones
    assert differ <= 5
    assert geodesy.evaluate("[mgrs(85, 10, 5), mgrs(-81, 10, 5)]") == [None, None]


def test_utm_is_that_of_proj_and_comes_back(geodesy):
    points = [(lat, lon) for lat, lon in region_points(7, 300) if 36 <= lon <= 54 and 38 <= lat <= 42]
    assert len(points) >= 450
    ours = geodesy.evaluate("points => points.map(p => [38, 39].map(z => { const u = toUtm(p[0], p[1], z); "
                            "const b = fromUtm(u.east, u.north, z); return [u.east, u.north, b.lat, b.lng]; }))",
                            points)  # fmt: skip
    for k, zone in enumerate((38, 39)):
        theirs = Transformer.from_crs(4326, 32600 + zone, always_xy=True)
        east, north = theirs.transform([p[1] for p in points], [p[0] for p in points])
        own = np.array([row[k] for row in ours])
        assert np.abs(own[:, 0] - east).max() < 1e-3  # to a zone and a half from its middle
        assert np.abs(own[:, 1] - north).max() < 1e-3
        assert np.abs(own[:, 2:] - np.array(points)).max() < 1e-9


def test_lengths_and_areas_are_those_of_proj(geodesy):
    draw = np.random.default_rng(3)
    for reach in (0.001, 0.1, 2.0, 60.0):
        pairs = []
        for _ in range(50):
            lat, lon = draw.uniform(38, 41), draw.uniform(45, 48)
            pairs.append([lat, lon, lat + draw.uniform(-reach, reach) / 2, lon + draw.uniform(-reach, reach)])
        ours = geodesy.evaluate(
            "pairs => pairs.map(p => geodesicMetres({lat: p[0], lng: p[1]}, {lat: p[2], lng: p[3]}))", pairs
        )
        theirs = [WGS84.inv(b, a, d, c)[2] for a, b, c, d in pairs]
        assert np.abs(np.array(ours) - theirs).max() < 1e-3  # [m], as the page says
    assert geodesy.evaluate("geodesicMetres({lat: 40, lng: 46}, {lat: 40, lng: 46})") == 0
    antipodes = geodesy.evaluate("geodesicMetres({lat: 0, lng: 0}, {lat: 0.5, lng: 179.7})")
    assert antipodes == pytest.approx(WGS84.inv(0, 0, 179.7, 0.5)[2], rel=0.006)
    for radius in (0.0005, 0.02, 0.5, 3.0):
        ring = [(40 + radius * np.sin(t) * 0.8, 46.5 + radius * np.cos(t)) for t in np.arange(7) * 2 * np.pi / 7]
        points = [{"lat": lat, "lng": lon} for lat, lon in ring]
        area = abs(WGS84.polygon_area_perimeter([lon for _, lon in ring], [lat for lat, _ in ring])[0])
        assert geodesy.evaluate("ring => ringSquareMetres(ring)", points) == pytest.approx(area, rel=0.001)
        assert geodesy.evaluate("ring => ringSquareMetres(ring.reverse())", points) == pytest.approx(area, rel=0.001)
        assert not geodesy.evaluate("ring => crossesItself(ring)", points)
        points[1], points[2] = points[2], points[1]
        assert geodesy.evaluate("ring => crossesItself(ring)", points)


def test_the_page_folds_names_as_python_does(geodesy):
    table = sample_places()
    names = sorted({n for text in [*table["name"], *table["alternatenames"].dropna()] for n in text.split(",")})
    names += [name for row in SAME for name in row] + HOSTILE + ["İI ıi", "ﬁne", "A\u0301bc", "7007", "ŒØß", "x" * 300]
    assert len(names) > 15_000
    assert geodesy.evaluate("names => names.map(fold)", names) == [fold(name) for name in names]


# --- search


def test_search_finds_a_place_by_each_of_its_names(world):
    path, _ = world
    with opened(path) as (page, watch):
        for typed, first in (
            ("stepanakert", "Stepanakert"), ("Xankəndi", "Xankəndi"), ("xankendi", "Xankəndi"),
            ("khankendi", "Khankendi"), ("Ханкенди", "Xankəndi"), ("Степанакерт", "Stepanakert"),
            ("ՍՏԵՓԱՆԱԿԵՐՏ", "Stepanakert"),
        ):  # fmt: skip
            page.fill("#search", typed)
            told = options(page)[0]
            assert told[0].startswith(f"{first} (also: "), (typed, told)
            assert "Stepanakert" in told[0]
            assert "Xankəndi" in told[0] or "Khankendi" in told[0]
            assert told[1] == "settlement in Khojaly (with Khankendi)"
        page.fill("#search", "шуша")
        assert options(page)[0][0].startswith("Şuşa (also: ")
        assert "Susi" in options(page)[0][0]  # sounds like Shushi
        page.fill("#search", "stepanakrt")  # a slip of the finger
        assert options(page)[0][0].startswith("Stepanakert")
        page.fill("#search", "առաջին")
        assert options(page)[0] == ["Առաջին (also: Place 0, Birinci Yer)", "place of return"]
        page.fill("#search", "khojavend")
        assert any(kind == "district" for _, kind in options(page))
    assert watch.complaints == []
    assert watch.requests == []


def test_search_by_keyboard_moves_the_map_and_tells_it(world):
    path, tasks = world
    with opened(path) as (page, watch):
        field = page.locator("#search")
        assert field.get_attribute("role") == "combobox"
        assert field.get_attribute("aria-expanded") == "false"
        page.focus("#measure")
        page.keyboard.press("Shift+Tab")
        assert page.evaluate("document.activeElement.id") == "search"
        page.keyboard.type("place")
        assert field.get_attribute("aria-expanded") == "true"
        assert len(options(page)) == 4
        assert page.inner_text("#tools .unseen[role=status]") == "4 found"
        assert field.get_attribute("aria-activedescendant") is None
        for key, active in (("ArrowDown", 0), ("ArrowDown", 1), ("ArrowUp", 0), ("ArrowUp", -1), ("ArrowUp", 3)):
            page.keyboard.press(key)
            chosen = page.locator("#search-list [aria-selected=true]")
            assert chosen.count() == (active >= 0)
            if active >= 0:
                assert chosen.get_attribute("id") == f"search-{active}" == field.get_attribute("aria-activedescendant")
        assert page.evaluate("document.activeElement.id") == "search"
        page.keyboard.press("Escape")
        assert field.get_attribute("aria-expanded") == "false"
        assert field.input_value() == "place"
        page.keyboard.press("Escape")
        assert field.input_value() == ""
        # A settlement: the map goes there, rings it and says so.
        page.keyboard.type("stepanak")
        page.keyboard.press("Enter")
        lat, lon, zoom = view(page)
        assert (lat, lon) == (pytest.approx(39.8177, abs=1e-3), pytest.approx(46.7528, abs=1e-3))
        assert zoom >= 12
        assert "Stepanakert (also: " in page.inner_text(".leaflet-tooltip.mark")
        assert page.inner_text("#tools .unseen[role=status]").startswith("The map is at Stepanakert (also: ")
        # A place of return opens its card; a task opens its own.
        page.fill("#search", "PLACE 2")
        page.keyboard.press("Enter")
        assert page.inner_text(".leaflet-popup-content h3") == "Place 2"
        page.wait_for_selector(".leaflet-tooltip.mark", state="detached")  # it fades out
        page.fill("#search", tasks["task_id"][3].lower())
        page.keyboard.press("Enter")
        page.wait_for_selector(f".leaflet-popup-content h3:text-is('{tasks['task_id'][3]}')")
        page.fill("#search", "khojavend")
        district = next(k for k, row in enumerate(options(page)) if row[1] == "district")
        page.locator("#search-list [role=option]").nth(district).click()
        bounds = sample_districts().to_crs(4326).set_index("name_en").loc["Khojavend"].geometry.bounds
        lat, lon, _ = view(page)
        assert bounds[1] < lat < bounds[3]
        assert bounds[0] < lon < bounds[2]
        page.fill("#search", "Qwertyuiop")
        assert "Nothing on this map is called Qwertyuiop." in page.inner_text("#tools .told")
        assert options(page) == []
    assert watch.complaints == []
    assert watch.requests == []


# --- links


def test_links_open_tasks_places_and_views(world, tmp_path):
    path, tasks = world
    task = tasks["task_id"][2]

    def go(page, link):
        page.evaluate("link => { location.hash = link; }", link)
        page.wait_for_timeout(50)

    with opened(path) as (page, watch):
        go(page, f"#T-{task}")
        page.wait_for_selector(f".leaflet-popup-content h3:text-is('{task}')")
        go(page, "#Z-Z3")
        page.wait_for_selector(".leaflet-popup-content h3:text-is('Place 3')")
        go(page, "#Z-Place%202")
        page.wait_for_selector(".leaflet-popup-content h3:text-is('Place 2')")
        go(page, "#Z-Birinci%20Yer")
        page.wait_for_selector(".leaflet-popup-content h3:text-is('Place 0')")
        go(page, "#map=11/39.5/47.25")
        assert view(page) == pytest.approx([39.5, 47.25, 11], abs=1e-4)
        assert page.inner_text("#tools .told") == ""
        for link, words in (
            ("#T-nonsense", "This map has no task nonsense."), ("#Z-%E2%80%93", "This map has no place –."),
            ("#map=a/b", "The link #map=a/b names no view"), ("#T-100%", "This map has no task 100%."),
            ("#map=5/95/12", "names no view"),
        ):  # fmt: skip
            go(page, link)
            assert words in page.inner_text("#tools .told"), link
        go(page, "#something-else")
        assert page.inner_text("#tools .told") == ""
        # The address follows the card that is open, and leads back to it.
        page.locator("#list button").nth(1).click()
        page.wait_for_selector(f".leaflet-popup-content h3:text-is('{tasks['task_id'][1]}')")
        assert page.evaluate("location.hash") == f"#T-{tasks['task_id'][1]}"
        page.reload()
        page.wait_for_selector(f".leaflet-popup-content h3:text-is('{tasks['task_id'][1]}')")
        watch.requests.remove(path.resolve().as_uri())
        go(page, f"#T-{task}&lang=ru")
        page.wait_for_selector(f".leaflet-popup-content h3:text-is('{task}')")
        assert page.evaluate("[document.documentElement.lang, location.hash]") == ["ru", f"#T-{task}&lang=ru"]
    assert watch.complaints == []
    assert watch.requests == []


@pytest.mark.parametrize("works", [True, False])
def test_a_card_s_link_can_be_copied(world, works):
    path, tasks = world
    with opened(path) as (page, watch):
        answer = "text => { window.copied = text; return Promise.resolve(); }" if works else "() => Promise.reject()"
        page.evaluate(f"Object.defineProperty(navigator, 'clipboard', {{ value: {{ writeText: {answer} }} }})")
        page.locator("#list button").first.click()
        page.get_by_role("button", name="Copy link").press("Enter")  # the map still moves: a click could miss
        url = path.resolve().as_uri() + f"#T-{tasks['task_id'][0]}"
        if works:
            page.wait_for_selector(".copy [role=status]:text-is('Copied.')")
            assert page.evaluate("window.copied") == url
        else:
            field = page.get_by_label("Link", exact=True)
            assert field.input_value() == url
            assert page.evaluate("document.activeElement.selectionEnd - document.activeElement.selectionStart") == len(
                url
            )
    assert watch.complaints == []


# --- measure


def corners(page, spots):
    chart = page.locator("#map_clearplan").bounding_box()
    return [(chart["x"] + chart["width"] * x, chart["y"] + chart["height"] * y) for x, y in spots]


def under(page, spots):
    chart = page.locator("#map_clearplan").bounding_box()
    return [
        page.evaluate(
            "p => { const c = map_clearplan.containerPointToLatLng(p); return [c.lng, c.lat]; }",
            [x - chart["x"], y - chart["y"]],
        )
        for x, y in spots
    ]


def test_measuring_by_pointer_opens_no_card(world):
    path, _ = world
    with opened(path) as (page, watch):
        page.click("#measure")
        assert page.get_attribute("#measure", "aria-pressed") == "true"
        badge = page.locator(".leaflet-marker-icon.number").first.bounding_box()
        spots = [(badge["x"] + 12, badge["y"] + 12), *corners(page, [(0.55, 0.3), (0.6, 0.75)])]
        places = under(page, spots)
        for spot in spots:
            page.mouse.click(*spot)
            page.wait_for_timeout(350)
        assert page.locator(".leaflet-popup").count() == 0
        length = sum(WGS84.inv(*places[k], *places[k + 1])[2] for k in range(2))
        told = page.inner_text(".measured .words")
        assert told.endswith(" over 3 points.")
        assert float(told.split(" km")[0]) * 1000 == pytest.approx(length, rel=0.005)
        page.mouse.click(*spots[0])  # the first point closes the shape
        told = page.inner_text(".measured .words")
        area, around = WGS84.polygon_area_perimeter(*zip(*places, strict=True))
        found = re.fullmatch(r"([\d.,]+) km around, area ([\d.,]+) (ha|km²)\.", told)
        assert float(found[1]) * 1000 == pytest.approx(around, rel=0.005)
        assert float(found[2]) * {"ha": 1e4, "km²": 1e6}[found[3]] == pytest.approx(abs(area), rel=0.005)
        assert "exact to a millimetre; pointing is not: one pixel is" in page.inner_text(".measured")
        # A drag moves the map and adds no point; the card opens again after the end.
        page.keyboard.press("Escape")
        assert page.locator(".measured").is_hidden()
        assert page.get_attribute("#measure", "aria-pressed") == "false"
        page.click("#measure")
        before = view(page)
        page.mouse.move(*spots[1])
        page.mouse.down()
        page.mouse.move(spots[1][0] + 80, spots[1][1] + 40, steps=5)
        page.mouse.up()
        page.wait_for_timeout(500)
        assert view(page)[:2] != before[:2]
        assert page.inner_text(".measured .words").startswith("Click the map to add points")
        page.get_by_role("button", name="End").click()
        page.locator(".leaflet-marker-icon.number").first.click()
        page.wait_for_selector(".leaflet-popup-content")
    assert watch.complaints == []
    assert watch.requests == []


def test_measuring_by_keyboard(world):
    path, tasks = world
    with opened(path) as (page, watch):
        task = tasks.to_crs(4326).geometry.iloc[0].representative_point()
        page.evaluate(f"void map_clearplan.setView([{task.y}, {task.x}], 14, {{animate: false}})")
        page.focus("#measure")
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.id") == "map_clearplan"
        assert page.locator(".crosshair").is_visible()
        centres = []
        for key in ("ArrowRight", "ArrowDown", "ArrowLeft"):
            page.keyboard.press("Enter")
            centres.append(view(page)[1::-1])
            page.keyboard.press(key)
            page.wait_for_timeout(500)
        assert page.locator(".leaflet-popup").count() == 0
        length = sum(WGS84.inv(*centres[k], *centres[k + 1])[2] for k in range(2))
        assert length > 0
        words = page.locator(".measured .words")
        assert words.get_attribute("role") == "status"
        number, unit = words.inner_text().split(" over 3 points.")[0].split(" ")
        assert float(number) * {"m": 1, "km": 1000}[unit] == pytest.approx(length, rel=0.005)
        page.keyboard.press("Backspace")
        assert words.inner_text().endswith(" over 2 points.")
        page.keyboard.press("Backspace")
        assert words.inner_text() == "First point set."
        assert page.get_by_role("button", name="Close shape").is_disabled()
        page.keyboard.press("Escape")
        assert page.locator(".measured").is_hidden()
        assert page.inner_text("#tools .unseen[role=status]") == "Measuring ended."
    assert watch.complaints == []


# --- coordinates, scale, north


def test_the_read_out_follows_the_pointer_and_else_the_centre(world):
    import mgrs

    path, _ = world
    oracle = mgrs.MGRS()
    with opened(path) as (page, watch):
        for lat, lon, zoom, digits in (
            (39.8177, 46.7528, 18, 5),
            (40.2, 47.9999, 15, 4),
            (40.2, 48.0001, 12, 3),
            (-33.9, -70.6, 9, 2),
        ):
            page.evaluate(f"void map_clearplan.setView([{lat}, {lon}], {zoom}, {{animate: false}})")
            where, square = page.locator(".readout .where").all_inner_texts()
            lat, lon, _ = view(page)
            number = re.fullmatch(r"Centre: ([\d.]+)° ([NS]), ([\d.]+)° ([EW])", where)
            assert float(number[1]) == pytest.approx(abs(lat), abs=0.51 * 10**-digits)
            assert float(number[3]) == pytest.approx(abs(lon), abs=0.51 * 10**-digits)
            assert number[2] + number[4] == ("NE" if lat > 0 else "SW")
            assert square.removeprefix("MGRS ").replace(" ", "") == oracle.toMGRS(lat, lon, MGRSPrecision=digits)
        page.evaluate("void map_clearplan.setView([39.9, 46.8], 12, {animate: false})")
        (spot,) = corners(page, [(0.6, 0.4)])
        ((lon, lat),) = under(page, [spot])
        page.mouse.move(*spot)
        assert page.locator(".readout .where").first.inner_text() == f"Pointer: {lat:.3f}° N, {lon:.3f}° E"
        page.mouse.move(1395, 450)  # over the panel
        assert page.locator(".readout .where").first.inner_text().startswith("Centre: 39.9")
        page.focus("#map_clearplan")
        page.keyboard.press("ArrowUp")
        page.wait_for_timeout(1300)
        heard = page.inner_text("#tools .unseen[role=status]")
        assert heard.startswith("Centre: 39.9")
        assert "MGRS 38S PK" in heard
    assert watch.complaints == []


def test_the_scale_is_that_of_the_ground(world):
    path, _ = world
    with opened(path) as (page, watch):
        for lat, zoom in ((39.8, 8), (39.8, 12.5), (0, 6), (66, 10)):
            page.evaluate(f"void map_clearplan.setView([{lat}, 46.8], {zoom}, {{animate: false}})")
            spots = corners(page, [(0.4, 0.5), (0.6, 0.5)])
            (west, south), (east, north) = under(page, spots)
            metres = WGS84.inv(west, south, east, north)[2]
            screen = (spots[1][0] - spots[0][0]) * 0.0254 / 96  # CSS: 96 pixels an inch
            told = page.inner_text(".readout p:not([hidden]) >> nth=0")
            number = float(re.fullmatch(r"About 1:([\d,]+) on this screen", told)[1].replace(",", ""))
            assert number == pytest.approx(metres / screen, rel=0.06)  # two digits
        assert page.get_attribute(".readout svg", "aria-label") == "North is up"
        assert page.locator(".leaflet-control-scale-line").is_visible()
    assert watch.complaints == []


# --- grids

LINES = """() => [...document.querySelectorAll('.grid .line')].flatMap(path => path.getAttribute('d').split('M')
.slice(1).map(run => run.split('L').map(p => { const c = map_clearplan.containerPointToLatLng(p.split(' ').map(Number));
return [c.lng, c.lat]; })))"""


def test_grid_lines_lie_where_proj_puts_them(world):
    path, _ = world
    with opened(path) as (page, watch):
        assert page.evaluate(LINES) == []
        page.select_option("#grid", "mgrs")
        for lat, lon, zoom, step, words in (
            (39.9, 48.0, 13, 1_000, "1 km"), (39.9, 47.95, 9.5, 10_000, "10 km"), (39.9, 48.0, 7, 100_000, "100 km"),
            (39.9, 46.8, 16, 100, "100 m"),
        ):  # fmt: skip
            page.evaluate(f"void map_clearplan.setView([{lat}, {lon}], {zoom}, {{animate: false}})")
            lines = page.evaluate(LINES)
            assert f"Grid: MGRS, every {words}" in page.inner_text(".readout")
            pixel = 156_543 * np.cos(np.radians(lat)) / 2**zoom
            borders = 0
            for run in lines:
                inner = np.array(run[1:-1] if len(run) > 2 else run)
                if np.ptp(inner[:, 0]) < 1e-6 and abs(inner[0, 0] - 48) < 1e-3:
                    borders += 1
                    continue
                zone = int(inner[:, 0].mean() // 6) + 31
                assert (np.abs(inner[:, 0] - (6 * zone - 183)) <= 3.001).all()  # no line leaves its zone
                east, north = Transformer.from_crs(4326, 32600 + zone, always_xy=True).transform(*inner.T)
                off = [np.abs((own + step / 2) % step - step / 2).max() for own in (east, north)]
                assert min(off) < 1.5 * pixel, (zoom, run[:2])
            assert len(lines) > 6
            assert borders == (lon > 47.9)
        page.select_option("#grid", "degrees")
        page.evaluate("void map_clearplan.setView([39.9, 46.8], 11, {animate: false})")
        for run in page.evaluate(LINES):
            off = np.abs((np.array(run) * 60 + 2.5) % 5 - 2.5).max(axis=0)
            assert off.min() < 0.01
        labels = page.locator(".grid text").all_text_contents()
        assert {"46°45′E", "39°55′N"} <= set(labels)
        assert "Grid: degrees, every 0°05′" in page.inner_text(".readout")
        page.select_option("#grid", "none")
        assert page.evaluate(LINES) == []
        assert "Grid:" not in page.inner_text(".readout")
    assert watch.complaints == []


def test_grid_labels_are_those_of_the_mgrs_package(world):
    import mgrs

    path, _ = world
    oracle = mgrs.MGRS()
    with opened(path) as (page, watch):
        page.select_option("#grid", "mgrs")
        page.evaluate("void map_clearplan.setView([39.9, 47.6], 7.5, {animate: false})")
        texts = page.evaluate(
            """() => [...document.querySelectorAll('.grid .big')].map(t => {
            const c = map_clearplan.containerPointToLatLng([Number(t.getAttribute('x')), Number(t.getAttribute('y'))]);
            return [t.textContent, c.lat, c.lng]; })"""
        )
        assert {"38T PK", "38S PJ", "39S TD"} <= {text for text, _, _ in texts}
        for text, lat, lon in texts:
            assert text.replace(" ", "") == oracle.toMGRS(lat, lon, MGRSPrecision=0)
    assert watch.complaints == []


def test_a_grid_is_drawn_fast_and_follows_the_map(world):
    path, _ = world
    with opened(path) as (page, watch):
        page.select_option("#grid", "mgrs")
        times = page.evaluate(
            """() => { const times = []; for (let k = 0; k < 30; k += 1) { const start = performance.now();
            map_clearplan.setView([39.9 + k / 500, 47.9 + k / 500], 12, { animate: false });
            times.push(performance.now() - start); }
            return times; }"""
        )
        assert np.median(times) < 100  # [ms], all of a move: labels, outlines and the grid
        assert page.evaluate(LINES)
    assert watch.complaints == []


# --- room for all, phones, motion, print, hostile names


def boxes(page, selectors):
    found = {}
    for selector in selectors:
        for k, own in enumerate(page.locator(selector).all()):
            if own.is_visible():
                found[f"{selector} {k}"] = own.bounding_box()
    return found


def overlap(a, b):
    return min(a["x"] + a["width"], b["x"] + b["width"]) - max(a["x"], b["x"]) > 1 and (
        min(a["y"] + a["height"], b["y"] + b["height"]) - max(a["y"], b["y"]) > 1
    )


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_tools_overlap_nothing_and_are_large_enough(world, width, height):
    path, _ = world
    corner = ["#legend", ".readout", ".leaflet-control-scale", ".leaflet-control-zoom", ".leaflet-control-attribution",
              ".leaflet-control-layers", "#head", "#plan", "#panel", "#foot"]  # fmt: skip
    with opened(path, width, height) as (page, watch):
        phone = width < 700
        closed = boxes(page, [*corner, "#tools .inside", "#tools .toggle"])
        assert ("#tools .toggle 0" in closed) == phone
        assert ("#tools .inside 0" in closed) != phone
        if phone:
            page.click("#tools .toggle")
            assert page.get_attribute("#tools .toggle", "aria-expanded") == "true"
        page.select_option("#grid", "mgrs")
        found = boxes(page, [*corner, "#tools .inside > *", "#tools .toggle"])
        for one, a in found.items():
            for other, b in found.items():
                assert one >= other or not overlap(a, b), (one, other)
        for language in ("az", "hy", "ru", "en"):
            page.select_option("#language", language)
            (legend, readout) = (page.locator(name).bounding_box() for name in ("#legend", ".readout"))
            assert not overlap(legend, readout), language
        page.click("#measure")
        targets = "#tools button, #tools input, #tools select, .measured button"
        for own in page.locator(targets).all():
            if own.is_visible():
                size = own.bounding_box()
                assert size["width"] >= 24, own
                assert size["height"] >= 24, own
        measured = page.locator(".measured").bounding_box()
        assert not any(overlap(measured, b) for name, b in found.items() if name.split()[0] in ("#legend", ".readout"))
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        PICTURES.mkdir(exist_ok=True)
        page.screenshot(path=PICTURES / f"tools-{width}.png")
    assert watch.complaints == []
    assert watch.requests == []


def test_every_tool_shows_where_the_focus_is(world):
    path, _ = world
    with opened(path) as (page, watch):
        page.focus("#search")
        for own in ("search", "measure", "grid"):
            assert page.evaluate("document.activeElement.id") == own
            assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
            assert page.evaluate("parseFloat(getComputedStyle(document.activeElement).outlineWidth)") >= 2
            page.keyboard.press("Tab")
        page.focus("#map_clearplan")
        page.keyboard.press("ArrowUp")
        assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
        assert watch.complaints == []


def test_reduced_motion_moves_at_once(world):
    path, _ = world
    with opened(path) as (page, watch):
        page.emulate_media(reduced_motion="reduce")
        page.reload()
        page.wait_for_selector("html[data-ready=yes]", state="attached")
        before = view(page)
        page.focus("#map_clearplan")
        page.keyboard.press("ArrowUp")
        page.keyboard.press("+")
        after = view(page)
        page.wait_for_timeout(500)
        assert after == view(page)
        assert after[2] > before[2]
        assert after[0] > before[0]
    assert watch.complaints == []


def test_print_keeps_scale_north_and_grid_and_no_buttons(world, tmp_path):
    path, _ = world
    with opened(path) as (page, watch):
        page.select_option("#grid", "mgrs")
        page.emulate_media(media="print")
        assert page.locator("#tools").is_hidden()
        for selector in (".readout svg", ".leaflet-control-scale-line", ".grid .line", ".grid text >> nth=0"):
            assert page.locator(selector).is_visible(), selector
        assert page.locator(".readout .where").first.is_hidden()
        # On paper the map is as large as the sheet: the bar is true there, a number would not be.
        assert "About 1:" not in page.inner_text(".readout")
    assert watch.complaints == []


def test_hostile_names_are_found_linked_and_told_as_text(tmp_path, margins, task_settings, priority_settings):
    zones = zone_table(
        [{"geometry": Point(E0 + 900 * k, N0 + 400), "name": name, "zone_id": name, "other_names": name + "; x" + name}
         for k, name in enumerate(HOSTILE)]
    )  # fmt: skip
    hazards = hazard_table([{"geometry": box(E0, N0, E0 + 200, N0 + 200)}])
    areas = cp.footprints(hazards, margins)
    accidents = accident_table([(E0, N0)], ["2021-01-01"])
    tasks = cp.rank(cp.make_tasks(areas, zones, task_settings), zones, priority_settings, accidents=accidents)
    tasks["task_id"] = [f"T-{HOSTILE[5]}", *[f"own {k}" for k in range(1, len(tasks))]]
    places = place_table(
        [{"name": name, "alternatenames": None, "geometry": Point(E0, N0 + 90 * k)} for k, name in enumerate(HOSTILE)]
    )
    districts = gpd.GeoDataFrame(
        {"name": HOSTILE}, geometry=[box(E0 - 9, N0 - 9, E0 + 9, N0 + 9)] * len(HOSTILE), crs=zones.crs
    )
    draw_map(Layers(tasks, zones, areas=areas, context=Context(places=places, districts=districts))).save(
        tmp_path / "m.html"
    )
    with opened(tmp_path / "m.html") as (page, watch):
        for name in HOSTILE:
            page.fill("#search", name.strip())
            assert page.locator("#search-list [role=option]").count() > 0, name
            for k in range(page.locator("#search-list [role=option]").count()):
                page.fill("#search", name.strip())
                page.locator("#search-list [role=option]").nth(k).click()
            page.evaluate("link => { location.hash = link; }", "#Z-" + name.replace("%", "%25"))
            page.wait_for_timeout(30)
            page.evaluate("link => { location.hash = link; }", "#T-x" + name)
            page.wait_for_timeout(30)
            assert name.strip() in page.text_content("#tools .told") or "line" in name
        page.locator("#list button").first.click()
        page.wait_for_timeout(400)
        link = page.evaluate("location.hash")
        page.evaluate("void map_clearplan.closePopup()")
        page.evaluate("link => { location.hash = ''; location.hash = link; }", link)
        page.wait_for_timeout(400)
        assert HOSTILE[5] in page.text_content(".leaflet-popup-content h3")
        assert page.evaluate("window.hacked") is None
        assert page.locator("img[src=x]").count() == 0
    assert watch.complaints == []
    assert watch.requests == []


def test_a_page_without_places_districts_or_tasks_has_its_tools(tmp_path, margins, task_settings, priority_settings):
    _, zones, _, ranked = ranked_world(margins, task_settings, priority_settings)
    draw_map(Layers(ranked.iloc[:0], zones)).save(tmp_path / "m.html")
    with opened(tmp_path / "m.html") as (page, watch):
        page.fill("#search", "plac")
        assert options(page) == [["Place 0", "place of return"]]
        page.keyboard.press("Enter")
        assert page.inner_text(".leaflet-popup-content h3") == "Place 0"
    assert watch.complaints == []

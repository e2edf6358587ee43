"""Names in four alphabets: spellings of one name meet, different names stay apart, and all of them can be found."""

import json

import geopandas as gpd
import pandas as pd
import pytest
from shapely import Point, box

from clearplan.core.crs import parse_crs
from clearplan.outputs.layers import Layers
from clearplan.outputs.page.draw import draw_map
from clearplan.outputs.page.placenames import fold, listed, place_names, search_index, variants
from clearplan.read.background import Context, read_places
from tests.conftest import E0, N0, SAMPLE, UTM, zone_table
from tests.outputs.page.test_draw import data_of, ranked_world

#: Each row: one name as Azerbaijani, Armenian, Russian and English texts write it; by hand, from maps.
SAME = [
    ("Xankəndi", "Xankendi", "Khankendi", "Hankendi", "Ханкенди", "XANKƏNDİ", "xankǝndi"),
    ("Stepanakert", "Stepʻanakert", "Step’anakert", "Степанакерт", "Ստեփանակերտ", "ՍՏԵՓԱՆԱԿԵՐՏ"),
    ("Şuşa", "Susa", "Shusha", "Шуша", "ŞUŞA"),
    ("Şuşi", "Shushi", "Shoushi", "Шуши", "Շուշի"),
    ("Ağdərə", "Agdere", "Agdara", "Aghdara", "Aghdere", "Агдере", "Агдара", "Աղդարա"),
    ("Martakert", "Мартакерт", "Մարտակերտ"),
    ("Laçın", "Lacin", "Lachin", "Latchin", "Лачин", "Լաչին"),
    ("Berdzor", "Berjor", "Бердзор", "Բերձոր"),
    ("Kəlbəcər", "Kelbecer", "Kalbajar", "Kelbajar", "Кельбаджар", "Кәлбәҹәр", "Քելբաջար"),
    ("Cəbrayıl", "Cebrayil", "Jabrayil", "Jebrail", "Djebrail", "Dzhebrail", "Джебраил", "Ҹәбрајыл"),
    ("Qubadlı", "Qubadli", "Gubadly", "Gubadli", "Губадлы"),
    ("Ağdam", "Agdam", "Aghdam", "Агдам", "Ағдам", "Աղդամ"),
    ("Xocalı", "Xocali", "Khojaly", "Khodjali", "Ходжалы", "Խոջալի"),
    ("Xocavənd", "Khojavend", "Khojavand", "Ходжавенд", "Խոջավենդ"),
    ("Füzuli", "Fuzuli", "FÜZULİ", "Фузули", "Ֆուզուլի"),
    ("Hadrut", "Hadrout", "Հադրութ"),
    ("Göygöl", "Goygol", "Гёйгёль", "Ҝөјҝөл"),
    ("Suqovuşan", "Sugovushan", "Суговушан"),
    ("Günəşli", "Gunashli", "Гюнешли"),
    ("Martuni", "Martouni", "Мартуни", "Մարտունի"),
]
APART = [
    "Şuşa",
    "Şuşi",
    "Martakert",
    "Martuni",
    "Ağdam",
    "Ağdərə",
    "Laçın",
    "Laçınlar",
    "Xankəndi",
    "Xocalı",
    "Xocavənd",
]


@pytest.mark.parametrize("names", SAME, ids=[names[0] for names in SAME])
def test_spellings_of_one_name_meet(names):
    assert len({fold(name) for name in names}) == 1, {name: fold(name) for name in names}


def test_different_names_stay_apart():
    assert len({fold(name) for name in APART}) == len(APART)
    assert fold("R-011") == "r 011"  # numbers lose no digit
    assert fold("  ") == fold("–!") == ""


def test_variants_lose_no_name_but_its_copies_without_marks():
    given = ["Khankendi", "Stepanakert", "Stepʻanakert", "Xankendi", "Xankəndi", "Xankǝndi", "Ханкенди", "Ստեփանակերտ"]
    assert set(variants(given)) == {"Khankendi", "Stepanakert", "Xankəndi", "Ханкенди", "Ստեփանակերտ"}
    assert variants(given) == variants(given[::-1])
    assert listed("Berdzor; Laçın,lachini,FZL,, Քաշաթաղ") == ["Berdzor", "Laçın", "Քաշաթաղ"]


def test_names_come_from_every_column_of_names():
    table = pd.DataFrame(
        {"name": ["Lachin", None], "name_hy": [None, "Բերձոր"], "name:az": ["Laçın", None],
         "other_names": [None, "A1, B; C"], "surname": ["x", "y"]}
    )  # fmt: skip
    assert [set(names) for names in place_names(table)] == [{"Laçın", "Lachin"}, {"Բերձոր", "A1", "B", "C"}]


def sample_places():
    return read_places(SAMPLE / "places" / "populated_places.csv", parse_crs(UTM))


def sample_districts():
    return gpd.read_file(SAMPLE / "admin" / "districts_az_am.geojson").to_crs(UTM)


def test_the_sample_is_small_and_holds_what_readers_look_for():
    zones = pd.read_csv(SAMPLE / "resettlement.csv")
    zones = gpd.GeoDataFrame(zones, geometry=gpd.points_from_xy(zones["lon"], zones["lat"], crs=4326)).to_crs(UTM)
    region = gpd.GeoDataFrame(geometry=[box(45.9, 39.0, 47.5, 40.6)], crs=4326).to_crs(UTM)
    found = search_index(
        sample_places(),
        zones,
        sample_districts(),
        district_name="name_en",
        near=(zones, region.boundary.to_frame("geometry")),
    )
    packed = json.dumps(found, ensure_ascii=False, separators=(",", ":")).encode()
    assert len(packed) < 400_000
    assert len(found["zones"]) == len(zones)
    rows = {name: row for row in reversed(found["places"]) for name in row[3:]}
    assert rows["Stepanakert"] is rows["Xankəndi"]
    assert rows["Martakert"] is rows["Ağdərə"]
    assert rows["Shushi"] is rows["Şuşa"]
    assert rows["Xankəndi"][:2] == [39.8177, 46.7528]  # as in the gazetteer
    assert "Khankendi" in found["districts"][rows["Xankəndi"][2]][1] + found["districts"][rows["Xankəndi"][2]][2]
    # A zone takes the names of its settlement by the GeoNames number, and the settlement is not found a second time.
    lachin = found["zones"][zones["name"].tolist().index("Lachin")]
    assert {"Laçın", "Berdzor"} <= set(lachin)
    assert [39.63742, 46.54977] not in [row[:2] for row in found["places"]]


def place_table(rows):
    return gpd.GeoDataFrame(rows, geometry="geometry", crs=UTM)


def test_only_places_near_the_work_travel_and_none_of_them_is_lost():
    zones = zone_table([{"geometry": Point(E0, N0)}])
    far = zone_table([{"geometry": Point(E0 + 100_000, N0 + 100_000)}])
    places = place_table(
        [
            {"name": "Near", "alternatenames": None, "geometry": Point(E0 + 900, N0)},
            {"name": "Between", "alternatenames": None, "geometry": Point(E0 + 50_000, N0 + 50_000)},
            {"name": "Between too", "alternatenames": "Known", "geometry": Point(E0 + 50_000, N0 + 50_000)},
            {"name": "Beyond", "alternatenames": "Known", "geometry": Point(E0 - 1_100, N0)},
            {"name": None, "alternatenames": None, "geometry": Point(E0, N0)},
            {"name": "Nowhere", "alternatenames": "Known", "geometry": None},
        ]
    )
    found = search_index(places, zones, None, near=(zones, far), within_m=1_000)
    assert [sorted(row[3:]) for row in found["places"]] == [["Near"], ["Between too", "Known"]]
    assert {row[2] for row in found["places"]} == {-1}
    assert search_index(None, zones, None)["places"] == []


def test_larger_places_of_one_name_stand_first():
    zones = zone_table([{"geometry": Point(E0, N0)}])
    rows = [{"name": "Twin", "population": people, "geometry": Point(E0 + people, N0)} for people in (0, 5, 700)]
    found = search_index(place_table(rows), zones, None, near=(zones,), within_m=5_000)["places"]
    wanted = place_table(rows[::-1]).to_crs(4326).geometry
    assert [row[:2] for row in found] == [[round(p.y, 5), round(p.x, 5)] for p in wanted]


def test_the_page_carries_zones_by_id_and_names_in_their_order(margins, task_settings, priority_settings):
    _, zones, areas, ranked = ranked_world(margins, task_settings, priority_settings)
    lost = zone_table([{"geometry": None, "zone_id": "Z-lost", "deferred": "no coordinates"}])
    zones = pd.concat([lost, zones.assign(other_names="Birinci; İkinci")], ignore_index=True)
    html = draw_map(Layers(ranked, zones, areas=areas)).html
    data = data_of(html)
    assert [zone["id"] for zone in data["zones"]] == ["Z0"]
    assert [set(names) for names in data["search"]["zones"]] == [{"Birinci", "Place 0", "İkinci"}]
    assert data["search"]["places"] == []
    places = place_table([{"name": "Xankəndi", "alternatenames": "Stepanakert", "geometry": Point(E0 + 300, N0)}])
    named = draw_map(Layers(ranked, zones, areas=areas, context=Context(places=places))).html
    (row,) = data_of(named)["search"]["places"]
    assert row[2:] == [-1, *variants(["Xankəndi", "Stepanakert"])]
    assert named == draw_map(Layers(ranked, zones, areas=areas, context=Context(places=places))).html

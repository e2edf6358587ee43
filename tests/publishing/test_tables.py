"""Publication tiers: what leaves is declared, cells contain what they stand for, small counts stay small secrets."""

import itertools
import json
from dataclasses import replace
from fractions import Fraction

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from shapely import Point, box

from clearplan.core.errors import SettingsError, TableError
from clearplan.land.footprints import footprints, net_area
from clearplan.priority.tasks import make_tasks
from clearplan.publishing.cells import cells_for, middle_of, squares_under
from clearplan.publishing.suppress import with_totals, withheld
from clearplan.publishing.tables import count_accidents, from_records, make_key, publish_tables
from clearplan.settings.publishing import PublishSettings
from clearplan.study.compare import compare_runs
from clearplan.study.export import export_run
from clearplan.study.outputs import notice, write_run
from clearplan.study.publish import publish_study
from clearplan.study.ranking import read_ranking
from clearplan.tables.check import check, remaining
from clearplan.tables.lookup import TABLES
from clearplan.tables.tiers import BANNERS, LEAVES, TIERS, may_leave, tier_of
from tests.browser import opened
from tests.conftest import E0, N0, SAMPLE, UTM, accident_table, hazard_table, made_once, random_world, zone_table
from tests.leaks import Secrets, leaks, secrets_of

# --- what leaves is declared ----------------------------------------------------------------------------------------


def test_every_table_has_its_line_and_every_column_its_tier():
    assert set(LEAVES) == set(TABLES)
    for table, columns in TABLES.items():
        for column in columns:
            assert column.leaves == tier_of(table, column.name)
            assert column.leaves in TIERS
        assert tier_of(table, "a_column_that_a_user_added") == "restricted"


def test_a_column_has_one_tier():
    for table, lines in LEAVES.items():
        names = " ".join(lines.values()).split()
        assert len(names) == len(set(names)), table


def test_what_must_never_be_public_is_not_declared_so():
    for table in ("records", "legs", "anchors", "vertices"):
        assert {tier_of(table, column.name) for column in TABLES[table]} == {"restricted"}
    for table in TABLES:
        for column in ("entered_geometry", "entered_crs"):
            assert tier_of(table, column) == "restricted"
        for column in ("ordnance", "position_error_m", "deferred", "hazard_ids", "depth_profile"):
            assert tier_of(table, column) != "public"


def marked(table: str, tier: str) -> pd.DataFrame:
    """Two rows of a declared table in which each value that does not leave at a tier is a mark that can be found."""
    codes = {"kind": {"gates": "dispute", "teams": "TS", "lifelines": "road"}.get(table, "minefield"),
             "land_class": "SHA", "status": "open", "band": "whole", "queue": "survey"}  # fmt: skip
    rows = []
    for k in range(2):
        row = {"user_column": f"mark-{table}-user-{k}", "c_user_raw": 4711.0 + k}
        for column in TABLES[table]:
            mark = f"mark-{table}-{column.name}-{k}"
            values = {"text": codes.get(column.name, mark), "number": 7_654_321.0 + k, "integer": 3.0,
                      "date": pd.Timestamp("2021-04-17"), "geometry": box(E0, N0, E0 + 90, N0 + 90)}  # fmt: skip
            row[column.name] = values[column.dtype]
        rows.append(row)
    frame = pd.DataFrame(rows)
    if "geometry" not in frame.columns:
        return frame
    return gpd.GeoDataFrame(frame, geometry="geometry", crs=UTM)


@pytest.mark.parametrize("tier", ["public", "partner"])
def test_no_value_leaves_that_was_not_declared(tier):
    tables = {name: marked(name, tier) for name in TABLES}
    out = publish_tables(tables, tier, settings=PublishSettings(contact_line=True))
    for name, table in out.items():
        if name == "accident_counts":
            continue
        for column in table.columns:
            assert len(table) == 0 or may_leave(name, str(column), tier), f"{name}.{column}"
            assert column != "user_column", name
        told = table.drop(columns="geometry", errors="ignore").to_csv()
        for theirs, columns in ((t, TABLES[t]) for t in TABLES):
            for column in columns:
                mark = f"mark-{theirs}-{column.name}-"
                # Ids and names of hazards, teams and accidents are made anew for anyone; places are told by name alone.
                kept = may_leave(theirs, column.name, tier) and (
                    tier == "partner" or (theirs, column.name) in {("zones", "name"), ("work", "step_name")}
                    or (theirs, column.name) == ("gates", "district")
                )  # fmt: skip
                assert kept or mark not in told, f"{name} tells {theirs}.{column.name}"
        assert "-user-" not in told


def test_restricted_is_everything_and_the_tables_given_stay_as_they_are():
    tables = {"zones": zone_table([{"geometry": Point(E0, N0)}])}
    before = tables["zones"].copy()
    assert publish_tables(tables, "restricted", settings=PublishSettings())["zones"] is tables["zones"]
    for tier in ("public", "partner"):
        publish_tables(tables, tier, settings=PublishSettings())
    pd.testing.assert_frame_equal(tables["zones"], before)


def test_an_unknown_tier_and_hazards_without_footprints_are_refused():
    hazards = hazard_table([{"geometry": box(E0, N0, E0 + 90, N0 + 90)}])
    with pytest.raises(SettingsError, match="must be one of public, partner, restricted"):
        publish_tables({"hazards": hazards}, "donor", settings=PublishSettings())
    with pytest.raises(TableError, match="no AREAS beside HAZARDS"):
        publish_tables({"hazards": hazards}, "public", settings=PublishSettings())


def test_partners_get_the_month_of_an_accident_and_no_reason_that_quotes_an_entry():
    accidents = accident_table([(E0, N0), (E0, N0)], ["2021-04-17", None]).assign(victim="a name", deferred="x=12 bad")
    told = publish_tables({"accidents": accidents}, "partner", settings=PublishSettings())["accidents"]
    assert told["occurred_on"].tolist()[0] == pd.Timestamp("2021-04-01")
    assert pd.isna(told["occurred_on"].iloc[1])
    assert "victim" not in told.columns
    assert set(told["deferred"]) == {"could not be placed or used"}


def test_partners_get_shapes_of_records_and_not_where_they_come_from():
    shape = box(E0, N0, E0 + 90, N0 + 90)
    hazards = hazard_table([{"geometry": shape, "source": "2nd battalion, sheet 7"}, {"geometry": shape}])
    hazards = hazards.assign(reliability=[0.6, np.nan], unit=["2nd battalion", None])
    told = publish_tables({"hazards": hazards}, "partner", settings=PublishSettings())["hazards"]
    assert told["source"].tolist() == ["minefield record", "made up"]
    assert told.geometry.equals(hazards.geometry)
    assert "unit" not in told.columns


# --- cells contain what they stand for -------------------------------------------------------------------------------


@pytest.fixture(params=["grid", "districts"])
def asked(request) -> PublishSettings:
    return PublishSettings(to=request.param, cell_m=2000)


@pytest.mark.parametrize("seed", range(4))
def test_cells_contain_every_hazard_and_no_square_metre_counts_twice(seed, asked, margins, districts):
    hazards, _ = random_world(seed, 25)
    areas = footprints(hazards, margins)
    layers = {"districts": districts, "district_name": "district"}
    key = make_key({"areas": areas}, asked, **layers)
    held = shapely.union_all(key.cells.geometry.to_numpy())
    for shape in remaining(areas).geometry:
        assert shapely.difference(shape, held).area < 1e-6
    net = net_area(areas, districts).groupby("land_class")["net_m2"].sum()
    told = key.held.groupby("land_class")["m2"].sum()
    pd.testing.assert_series_equal(told, net, check_names=False, rtol=1e-6)
    out = publish_tables({"areas": areas}, "public", settings=asked, **layers)["areas"]
    assert out["area_id"].is_unique
    for land_class in ("CHA", "SHA", "indication"):
        own = out[f"{land_class.lower()}_m2"]
        assert own.sum() == pytest.approx(net[land_class], abs=1000 * len(out))
        assert (own.dropna() % 1000 == 0).all()
        assert (own.dropna() >= 1000).all()


def test_areas_by_hand():
    # Two squares of 1 km: 0.5 km x 0.2 km of SHA in the west, as much in the east, of which CHA takes 0.1 km x 0.2 km.
    hazards = hazard_table([
        {"geometry": box(500, 400, 1500, 600), "land_class": "SHA"},
        {"geometry": box(1400, 400, 1500, 600), "land_class": "CHA"},
    ])  # fmt: skip
    areas = hazards.assign(area_id=hazards["hazard_id"], band="whole")
    out = publish_tables({"areas": areas}, "public", settings=PublishSettings(cell_m=1000))["areas"].sort_values(
        "area_id"
    )
    assert out.geometry.bounds.to_numpy().tolist() == [[0, 0, 1000, 1000], [1000, 0, 2000, 1000]]
    assert out["land_class"].tolist() == ["SHA", "CHA"]
    assert out["sha_m2"].tolist() == [100_000.0, 80_000.0]
    assert out["cha_m2"].fillna(-1).tolist() == [-1, 20_000.0]
    assert out["indication_m2"].isna().all()  # nothing known is blank, never 0


def test_where_in_its_cell_a_hazard_lies_changes_no_published_table(task_settings):
    """Two worlds that differ only within cells look the same to anyone."""
    corner, told = box(652_100, 4_421_100, 652_400, 4_421_300), []
    for dx, dy in ((0, 0), (1_900, 700), (37, 2_411)):
        hazards = hazard_table([{"geometry": shapely.transform(corner, lambda xy, d=(dx, dy): xy + np.array(d))}])
        areas = hazards.assign(area_id=hazards["hazard_id"], band="whole")
        zones = zone_table([{"geometry": Point(652_500 + dx, 4_421_000 + dy)}])
        tasks = make_tasks(areas, zones, task_settings)
        accidents = accident_table([(652_100 + dx, 4_421_000 + dy)], ["2021-05-05"])
        tables = {"hazards": hazards, "areas": areas, "tasks": tasks, "zones": zones, "accidents": accidents}
        out = publish_tables(tables, "public", settings=PublishSettings(cell_m=5000))
        # A task is cut at lines of a finer grid, so how many make up a cell may differ: its ground does not.
        told.append({name: table.to_csv() for name, table in out.items()})
    assert told[0] == told[1] == told[2]


def test_squares_touch_what_has_no_ground_and_not_what_only_meets_their_border():
    assert len(squares_under(np.array([box(0, 0, 1000, 1000)]), 1000)) == 1
    assert len(squares_under(np.array([Point(1000, 1000)]), 1000)) == 4
    assert len(squares_under(np.array([None, shapely.Polygon()]), 1000)) == 0


def test_places_tell_their_cell_alone():
    points = np.array([Point(E0 + 10, N0 + 10), Point(E0 + 4_000, N0 + 3_000), None, Point(E0 + 6_000, N0 + 10)])
    one = middle_of(points, np.array([]), ["a", "b", "c", "d"], 5000)
    moved = np.array([Point(E0 + 4_990, N0 + 4_900), Point(E0 + 1, N0 + 1), None, Point(E0 + 9_000, N0 + 1_000)])
    other = middle_of(moved, np.array([]), ["a", "b", "c", "d"], 5000)
    assert [p if p is None else p.wkt for p in one] == [p if p is None else p.wkt for p in other]
    assert one[0].equals(Point(E0 + 2_500, N0 + 2_500))
    assert one[1].equals(Point(E0 + 3_000, N0 + 2_500))  # shares the square: beside the first
    assert one[2] is None


def test_a_square_belongs_to_the_district_that_holds_most_of_it(districts):
    # The square lies from E0 to E0 + 5 km; the west ends at E0 + 3 km. The hazard is in the east of it.
    shape = np.array([box(E0 + 4_500, N0 + 100, E0 + 4_600, N0 + 200)])
    cells = cells_for(shape, districts.crs, 5000, districts=districts)
    assert cells["district"].tolist() == ["West"]


def test_new_ids_are_of_cell_class_and_number_alone(margins, task_settings):
    hazards, zones = random_world(7, 12)
    areas = footprints(hazards, margins)
    tables = {"areas": areas, "zones": zones, "tasks": make_tasks(areas, zones, task_settings)}
    ids = publish_tables(tables, "public", settings=PublishSettings())["tasks"]["task_id"]
    assert ids.is_unique
    assert ids.str.fullmatch(r"38[ST][A-Z]{2}\d{2}-\d+-(CHA|SHA|IND)").all()  # 10-km square, cell in it, class


# --- small counts ----------------------------------------------------------------------------------------------------


def shown(counts: np.ndarray, below: int) -> tuple[np.ndarray, np.ndarray]:
    return with_totals(counts), withheld(counts, below)


def equations(shape: tuple[int, int], hidden: np.ndarray) -> np.ndarray:
    """Sums of rows and of columns of a table with totals, for the cells that are withheld."""
    n, m = shape
    number = {tuple(cell): k for k, cell in enumerate(np.argwhere(hidden))}
    rows = []
    for i in range(n):
        rows.append({(i, j): -1 if j == m - 1 else 1 for j in range(m)})
    for j in range(m):
        rows.append({(i, j): -1 if i == n - 1 else 1 for i in range(n)})
    out = np.zeros((len(rows), len(number)), dtype=int)
    for k, row in enumerate(rows):
        for cell, sign in row.items():
            if cell in number:
                out[k, number[cell]] = sign
    return out


def determined(matrix: np.ndarray) -> list[int]:
    """Unknowns that linear equations fix: those whose unit vector lies in the row space, by exact elimination."""
    rows = [[Fraction(int(v)) for v in row] for row in matrix]
    pivots, k = [], 0
    for column in range(matrix.shape[1]):
        own = next((i for i in range(k, len(rows)) if rows[i][column] != 0), None)
        if own is None:
            continue
        rows[k], rows[own] = rows[own], rows[k]
        rows[k] = [v / rows[k][column] for v in rows[k]]
        for i in range(len(rows)):
            if i != k and rows[i][column] != 0:
                factor = rows[i][column]
                rows[i] = [a - factor * b for a, b in zip(rows[i], rows[k], strict=True)]
        pivots.append(column)
        k += 1
    return [c for k, c in enumerate(pivots) if sum(v != 0 for v in rows[k]) == 1]


@pytest.mark.parametrize("seed", range(150))
def test_no_withheld_count_follows_from_the_sums(seed):
    draw = np.random.default_rng(seed)
    counts = draw.poisson(draw.choice([1, 3, 8]), (draw.integers(1, 6), draw.integers(1, 6)))
    table, hidden = shown(counts, 5)
    assert hidden[(table > 0) & (table < 5)].all()
    assert not hidden[table == 0].any()
    assert determined(equations(table.shape, hidden)) == []


@pytest.mark.parametrize("seed", range(60))
def test_every_withheld_count_has_two_values_for_a_reader_who_knows_all_the_rules(seed):
    """Exhaustive: all whole tables from 1 on, in the withheld cells, that agree with what is shown."""
    draw = np.random.default_rng(1000 + seed)
    counts = draw.poisson(1.2, (2, draw.integers(2, 4)))
    table, hidden = shown(counts, 3)
    inner = np.argwhere(hidden[:-1, :-1])
    if not len(np.argwhere(hidden)):
        return
    values: dict[tuple[int, int], set[int]] = {tuple(cell): set() for cell in np.argwhere(hidden)}
    for guess in itertools.product(range(1, 6), repeat=len(inner)):
        tried = counts.copy()
        tried[tuple(inner.T)] = guess
        whole = with_totals(tried)
        if (whole[~hidden] == table[~hidden]).all() and (whole[hidden] >= 1).all():
            for cell, found in values.items():
                found.add(int(whole[cell]))
    assert all(len(found) > 1 for found in values.values()), (table, hidden, values)


def test_one_small_count_in_a_row_takes_others_with_it_in_row_and_column():
    _, hidden = shown(np.array([[2, 9, 30], [8, 7, 20], [50, 60, 70]]), 5)
    assert np.argwhere(hidden).tolist() == [[0, 0], [0, 1], [1, 0], [1, 1]]
    assert not hidden[:, -1].any()
    assert not hidden[-1].any()


def test_a_lone_small_count_among_zeros_takes_the_totals_with_it():
    # Beside it stand only zeros, which are shown: the way back leads over totals alone.
    table, hidden = shown(np.array([[3, 0], [0, 0]]), 5)
    assert table[hidden].tolist() == [3, 3, 3, 3]
    assert not hidden[table == 0].any()


def test_a_table_without_small_counts_is_told_whole():
    assert not withheld(np.array([[0, 5], [6, 0]]), 5).any()
    assert not withheld(np.zeros((0, 0), dtype=int), 5).any()


def test_counts_that_are_none_and_thresholds_that_protect_nobody_are_refused():
    with pytest.raises(SettingsError, match="at least 2"):
        withheld(np.array([[1]]), 1)
    with pytest.raises(SettingsError, match="whole numbers"):
        withheld(np.array([[-1]]), 5)


def test_accidents_by_district_and_year(districts):
    west, east, beyond = (E0, N0), (E0 + 6_000, N0), (E0 + 15_000, N0)
    places = [west] * 6 + [east] * 5 + [beyond] * 7 + [west] * 8 + [east] * 9
    days = ["2021-03-01"] * 11 + ["2022-05-05"] * 7 + ["2022-01-01"] * 17
    told = count_accidents(accident_table(places, days), 5, districts=districts)
    wide = told.pivot(index="district", columns="year", values="accidents")
    assert wide.loc["West"].tolist() == [6, 8, 14]
    assert wide.loc["outside every district"].tolist() == [0, 7, 7]
    assert wide.loc["all", "all"] == 35
    assert set(told["told"]) == {"yes"}
    fewer = count_accidents(accident_table(places[4:], days[4:]), 5, districts=districts)
    assert fewer.set_index(["district", "year"]).loc[("West", "2021"), "told"] == "withheld"


# --- the sample, published -------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def secrets(sample) -> Secrets:
    return secrets_of(SAMPLE, sample[0])


def published(tier, sample, factory):
    """The sample published at a tier, and the folder of its outputs."""

    def write(folder):
        study = publish_study(sample[0], tier)
        write_run(study, folder)
        return study

    return made_once(factory, f"sample-{tier}", write)


@pytest.fixture(scope="module")
def public(sample, tmp_path_factory):
    return published("public", sample, tmp_path_factory)


@pytest.fixture(scope="module", params=["public", "partner"])
def tiered(request, sample, tmp_path_factory):
    """Tier, study and folder of the sample published at each tier below restricted."""
    return (request.param, *published(request.param, sample, tmp_path_factory))


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


def test_tier_is_in_the_fingerprint_and_on_every_output(sample, tiered):
    tier, study, folder = tiered
    assert study.run["fingerprint"] != publish_study(sample[0], "restricted").run["fingerprint"]
    assert study.run["settings"]["publish"]["tier"] == tier
    assert BANNERS[tier] in notice(study)
    for name in ("map.html", "report.html", "tasks.csv", "work.csv", "ledger.csv", "run.json"):
        assert BANNERS[tier] in (folder / name).read_text(encoding="utf-8"), name
    assert gpd.read_file(folder / "plan.gpkg", layer="tasks")["notice"].str.contains(BANNERS[tier], regex=False).all()


def test_the_restricted_tier_says_so_everywhere(sample):
    study = publish_study(sample[0], "restricted")
    assert notice(study).find(BANNERS["restricted"]) >= 0
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


def test_publishing_is_deterministic(margins, task_settings):
    hazards, zones = random_world(11, 8)
    areas = footprints(hazards, margins)
    tables = {"areas": areas, "zones": zones, "tasks": make_tasks(areas, zones, task_settings)}
    one, other = (publish_tables(tables, "public", settings=PublishSettings()) for _ in range(2))
    assert {name: table.to_csv() for name, table in one.items()} == {k: v.to_csv() for k, v in other.items()}


def test_public_figures_are_those_of_the_study(sample, public):
    study, told = sample[0], public[0]
    assert told.run["people"] == study.run["people"]
    for name in ("opens_in", "people"):
        assert told.zones[name].fillna(-1).tolist() == study.zones[name].fillna(-1).tolist()
    net = study.net.groupby("land_class")["net_m2"].sum()
    for land_class, own in told.net.groupby("land_class")["net_m2"].sum().items():
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
    assert set(told.planned.schedule.work["task_id"]) <= set(told.tasks["task_id"])


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
            if row.district in ground and row.net_m2 > 0:
                found[row.district, row.land_class] = held.intersection(ground[row.district]).area
        return found

    assert min(least(sample[0]).values()) < 15e6
    # A cell on the outer border is told by its district, however much of the cell lies beyond.
    assert all(m2 >= 25e6 for row, m2 in least(public[0]).items() if row not in homes)
    assert min(least(public[0]).values()) > 20e6
    for book, sums in (("net_area", "net_m2"), ("ledger", "remaining_m2"), ("bridge", "closing_m2")):
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
        faults = check(getattr(public[0], name), name)
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

"""Evidence with a day, on several scales, of the land; a share that sums over any cell; what will be found."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import rasterio
import shapely
from pyproj import CRS
from scipy.special import expit, logit
from shapely import Point, box

import clearplan as cp
from clearplan.core.errors import SettingsError, TableError
from clearplan.geo.grids import Window, make_grid
from clearplan.settings.surface import SurfaceSettings
from clearplan.surface.expected import area_and_draws
from clearplan.surface.makers import fall_off
from clearplan.surface.occupancy import hit_area, holds_any
from clearplan.surface.probability import contributions
from clearplan.surface.reliability import learned_reliability
from clearplan.surface.samples import surveyed_ground
from tests.conftest import E0, N0, UTM, accident_table, hazard_table
from tests.surface.test_probability import BASE, GRID, REACH, TERMS, at, centre, gather, layer_of

FIELD = box(E0 - 200, N0 - 200, E0 + 100, N0 + 200)


def plan(*terms, **changed):
    """Settings with terms as (evidence, what is changed of it)."""
    made = [{"evidence": n, "spread": 0.5, "source": "test"} | TERMS.get(n, {}) | more for n, more in terms]
    return SurfaceSettings(**(BASE | {"terms": made} | changed))


def releases(*rows):
    base = {"action": "cleared", "decided_on": pd.Timestamp("2022-01-01"), "items": "AP 3", "deferred": None}
    table = gpd.GeoDataFrame([base | row for row in rows], geometry="geometry", crs=UTM)
    return table.assign(release_id=[f"R{k}" for k in range(len(table))])


CLEARED = {"strength": 2.0, "scale_m": 300, "shape": "exponential"}


# --- released and closed ground


def test_cleared_ground_with_finds_speaks_of_its_neighbourhood():
    settings = plan(("cleared", CLEARED))
    by = {"cleared": releases({"geometry": FIELD})}
    found = at(gather([], settings=settings, **by), centre(0, 0), centre(3, 0))
    g = fall_off("exponential", 250.0, 300, REACH)  # 250 m from its eastern side
    assert found["cleared"].tolist() == pytest.approx([1, float(g)])
    assert found["known"].all()
    for nothing in ({"items": "none"}, {"action": "reduced"}, {"action": "cancelled"}):
        silent = gather([], settings=settings, cleared=releases({"geometry": FIELD} | nothing))
        assert not at(silent, centre(0, 0))["known"].any()
    unsaid = gather([], settings=settings, cleared=releases({"geometry": FIELD, "items": None}))
    assert at(unsaid, centre(0, 0))["cleared"][0] == 1


def test_closed_hazards_are_evidence_of_their_own_and_not_as_if_they_were_open():
    rows = [{"geometry": FIELD, "status": "closed"}, {"geometry": box(E0 + 900, N0, E0 + 1_000, N0 + 100)}]
    settings = plan(("closed", CLEARED), ("sha", {}))
    found = at(gather(rows, settings=settings), centre(0, 0), centre(9, 0))
    assert found["closed"][0] == 1
    assert found["sha"][0] < 1
    assert found["sha"][1] == 1


def test_search_lowers_the_ground_that_was_cleared_below_that_beside_it():
    settings = plan(("cleared", CLEARED))
    own = releases({"geometry": FIELD, "detection": 0.98})
    found = at(gather([], settings=settings, cleared=own, searched=own), centre(0, 0), centre(1, 0))
    assert found["p"][0] == pytest.approx(expit(logit(0.01) + 2 + np.log(0.02)), rel=1e-4)
    assert found["p"][1] > 10 * found["p"][0]


# --- age


def test_an_accident_counts_half_after_each_half_life():
    points = [(E0 + 50, N0 + 50)] * 3
    accidents = accident_table(points, ["2022-06-30", "2017-06-30", None])
    settings = plan(("accidents", {"half_life_years": 5}))
    found = at(gather([], settings=settings, accidents=accidents, as_at="2022-06-30"), centre(0, 0))
    # The newest in full, five years before it half, the one without a day in full; two make one half.
    density = 1 + 0.5 ** (1826 / 365.25 / 5) + 1
    assert found["accidents"][0] == pytest.approx(1 - 2 ** (-density / 2), rel=1e-5)
    ageless = at(gather([], settings=plan(("accidents", {})), accidents=accidents), centre(0, 0))
    assert ageless["accidents"][0] == pytest.approx(1 - 2 ** (-3 / 2), rel=1e-5)


def test_a_strike_fades_and_stays_known():
    row = {"geometry": FIELD, "kind": "cluster-strike", "land_class": "indication"}
    days = [pd.Timestamp("2022-06-30"), pd.Timestamp("2012-06-28"), pd.Timestamp("1922-06-30")]
    found = []
    for day in days:
        settings = plan(("strikes", {"half_life_years": 5}))
        evidence = gather([row | {"recorded_on": day}], settings=settings, as_at="2022-06-30")
        found.append(at(evidence, centre(0, 0)).iloc[0])
    assert [f["strikes"] for f in found[:2]] == pytest.approx([1, 0.25])
    assert 0 < found[2]["strikes"] < 0.05
    assert all(f["known"] for f in found)


def test_age_needs_a_day():
    with pytest.raises(SettingsError, match="needs as_at"):
        gather([], settings=plan(("accidents", {"half_life_years": 5})))
    with pytest.raises(ValueError, match="nothing else has a day"):
        plan(("sha", {"half_life_years": 5}))
    with pytest.raises(ValueError, match="nothing chooses"):
        plan(("accidents", {"half_life_years": [1, "none"]}))


# --- several scales


def test_scales_of_a_term_add_up():
    settings = plan(("sha", {"scale_m": [200, 1_000], "strength": [1.5, 2.5], "shape": "exponential"}))
    evidence = gather([{"geometry": FIELD}], settings=settings)
    assert evidence.names == ("sha 200 m", "sha 1000 m")
    found = at(evidence, centre(3, 0))
    near, far = (float(fall_off("exponential", 250.0, s, REACH)) for s in (200, 1_000))
    assert found[["sha 200 m", "sha 1000 m"]].iloc[0].tolist() == pytest.approx([near, far])
    assert found["p"][0] == pytest.approx(expit(logit(0.01) + 1.5 * near + 2.5 * far), rel=1e-4)
    parts = contributions(found[list(evidence.names)].to_numpy().T, settings)
    assert {name: float(part[0]) for name, part in parts.items()} == pytest.approx({"sha": 1.5 * near + 2.5 * far})
    with pytest.raises(ValueError, match="one strength for 2 scales"):
        plan(("sha", {"scale_m": [200, 1_000]}))
    again = settings.with_strengths({"sha 200 m": 1.0, "sha 1000 m": 0.5}, base_rate=0.02)
    assert again.strengths == {"sha 200 m": 1.0, "sha 1000 m": 0.5}


# --- the share sums over cells of any size


def test_the_expected_area_is_the_same_at_any_cell():
    """60 fields and a line in 20 x 20 km: expected ground at 50, 100 and 200 m within 1 %, by the same coefficients."""
    random = np.random.default_rng(3)
    spots = random.uniform((E0, N0), (E0 + 20_000, N0 + 20_000), (60, 2))
    rows = [{"geometry": Point(xy).buffer(r)} for xy, r in zip(spots, random.uniform(100, 500, 60), strict=True)]
    ground = layer_of(box(E0, N0, E0 + 20_000, N0 + 20_000), rows[0]["geometry"].buffer(300))
    expected, chance = [], []
    for cell_m in (50.0, 100.0, 200.0):
        settings = plan(("sha", {"scale_m": 300, "shape": "exponential"}), cell_m=cell_m, max_distance_m=5_000,
                        patch_m2=20_000, patch_source="test")  # fmt: skip
        grid = make_grid((E0, N0, E0 + 20_000, N0 + 20_000), cell_m, CRS.from_epsg(32638))
        evidence = gather(rows, settings=settings, grid=grid)
        found = cp.expected_area(evidence, ground)
        expected.append(float(found["expected_m2"].iloc[0]))
        # What a cell of that size holds, where the share is 10 %.
        chance.append(float(holds_any(0.1, cell_m**2, 20_000)))
    assert expected == pytest.approx([expected[0]] * 3, rel=0.01)
    assert chance == sorted(chance)
    assert chance[0] > 0.1


def test_what_a_piece_of_ground_holds_is_that_of_patches_thrown_at_random():
    """Discs of 2,500 m2 thrown over 30 % of the ground: how often a square of 50 m is touched, by throwing them."""
    random = np.random.default_rng(7)
    radius, share, side = np.sqrt(2_500 / np.pi), 0.3, 50.0
    half = side / 2 + radius
    density = -np.log1p(-share) / 2_500  # of discs [1/m2]
    hits = 0
    for _ in range(4_000):
        count = random.poisson(density * (2 * half) ** 2)
        x, y = np.abs(random.uniform(-half, half, (2, count)))
        hits += bool((np.hypot(np.maximum(x - side / 2, 0), np.maximum(y - side / 2, 0)) <= radius).any())
    assert hits / 4_000 == pytest.approx(float(holds_any(share, side**2, 2_500)), abs=0.02)
    assert float(holds_any(share, 0.0, 2_500)) == pytest.approx(share)
    # As the Minkowski sum of square and disc, by shapely.
    grown = shapely.box(0, 0, side, side).buffer(radius, quad_segs=64).area
    assert float(hit_area(side**2, 2_500)) == pytest.approx(grown, rel=1e-3)


# --- what will be found


def test_blocks_widen_what_will_be_found_and_not_the_expectation():
    rows = [{"geometry": FIELD}]
    ground = layer_of(FIELD.buffer(500), FIELD.buffer(200))
    sure = {"spread": 0.1}
    plain = cp.expected_area(gather(rows, settings=plan(("sha", sure), base_rate_spread=0.1)), ground)
    settings = plan(("sha", sure), base_rate_spread=0.1, block_spread=0.8, block_m=1_000)
    wide = cp.expected_area(gather(rows, settings=settings), ground)
    assert wide["expected_m2"].tolist() == plain["expected_m2"].tolist()
    assert wide["mean_low_m2"].tolist() == plain["low_m2"].tolist()
    assert wide["mean_high_m2"].tolist() == plain["high_m2"].tolist()
    assert (wide["high_m2"] - wide["low_m2"] > plain["high_m2"] - plain["low_m2"]).all()
    parts = gather(rows, settings=settings)
    assert cp.expected_area(parts, ground, side=9).equals(cp.expected_area(parts, ground, side=60))


def test_patches_give_the_variance_of_a_poisson_number():
    rows = [{"geometry": FIELD}]
    terms = [{"evidence": "sha", "source": "test"} | TERMS["sha"] | {"spread": 0}]
    settings = SurfaceSettings(
        **(BASE | {"terms": terms, "base_rate_spread": 0, "draws": 4_000, "patch_m2": 5_000, "patch_source": "test"})
    )
    table, drawn = area_and_draws(
        gather(rows, settings=settings), layer_of(box(E0 - 900, N0 - 900, E0 + 900, N0 + 900))
    )
    share = table["expected_m2"].iloc[0] / table["known_m2"].iloc[0]
    assert drawn[0].mean() == pytest.approx(share, rel=0.02)
    variance = share * (1 - share) * 5_000 / table["known_m2"].iloc[0]
    assert drawn[0].var() == pytest.approx(variance, rel=0.1)
    assert table["holds_any"].iloc[0] > 0.9


# --- sources


def test_reliability_of_sources_by_hand():
    def row(k, source):
        return {"geometry": box(E0 + 1_000 * k, N0, E0 + 1_000 * k + 100, N0 + 100), "source": source}

    rows = [row(0, "A"), row(1, "A"), row(2, "B"), row(3, "B"), row(4, "C")]
    areas = hazard_table(rows)
    own = releases(
        {"geometry": rows[0]["geometry"]},  # found
        {"geometry": rows[1]["geometry"], "action": "cancelled", "items": None},
        {"geometry": rows[2]["geometry"], "items": "none"},
        {"geometry": box(E0 + 3_000, N0, E0 + 3_020, N0 + 100)},  # a fifth of it: not concluded
    )
    mean = (1 + 1) / (3 + 2)
    expected = {"A": (1 + 2 * mean) / 4, "B": (0 + 2 * mean) / 3, "C": mean}
    assert learned_reliability(areas, own).to_dict() == pytest.approx(expected)
    settings = plan(("sha", {"learn_reliability": True}))
    found = at(
        gather(rows, settings=settings, reliability=pd.Series(expected)), (E0 + 50, N0 + 50), (E0 + 4_050, N0 + 50)
    )
    assert found["sha"].tolist()[0] == pytest.approx(round(expected["A"], 2), abs=0.02)
    with pytest.raises(SettingsError, match="needs reliability"):
        gather(rows, settings=settings)


def test_searched_ground_is_what_was_cleared_or_reduced():
    own = releases(
        {"geometry": FIELD}, {"geometry": FIELD, "items": "none"}, {"geometry": FIELD, "action": "reduced"},
        {"geometry": FIELD, "action": "cancelled"}, {"geometry": FIELD, "items": None},
    )  # fmt: skip
    assert surveyed_ground(own)["found"].tolist() == [1, 0, 0, 1]


# --- the land


def covariate(**told):
    return {"name": "forest", "strength": 0.5, "spread": 0.1, "source": "test"} | told


def test_a_kind_of_land_is_standardised(tmp_path):
    wood = layer_of(box(E0 - 3_000, N0 - 3_000, E0, N0 + 3_000), kind=["forest"])
    one = covariate(layer="cover.gpkg", kind_field="kind", of="forest")
    settings = plan(("sha", {}), covariates=[one])
    evidence = gather([{"geometry": FIELD}], settings=settings, covariates={"forest": wood})
    found = at(evidence, centre(-5, 0), centre(5, 0))
    # Half of the grid is forest: mean .5, standard deviation .5.
    assert found["forest"].tolist() == pytest.approx([1, -1])
    score = [logit(0.01) + 4 * g + 0.5 * z for g, z in zip(found["sha"], (1, -1), strict=True)]
    assert found["p"].tolist() == pytest.approx(expit(score).tolist(), rel=1e-4)
    assert not at(evidence, (E0 + 2_950, N0 + 2_950))["known"].any()  # land makes nothing known
    with pytest.raises(TableError, match="no shape has kind 'water'"):
        gather([{"geometry": FIELD}], settings=plan(("sha", {}), covariates=[one | {"of": "water"}]),
               covariates={"forest": wood})  # fmt: skip
    everywhere = layer_of(box(E0 - 9_000, N0 - 9_000, E0 + 9_000, N0 + 9_000), kind=["forest"])
    with pytest.raises(TableError, match="the same in every cell"):
        gather([{"geometry": FIELD}], settings=settings, covariates={"forest": everywhere})


def heights(path, height_of):
    x, y = np.meshgrid(E0 - 4_975 + 50 * np.arange(200), N0 + 4_975 - 50 * np.arange(200))
    with rasterio.open(path, "w", driver="GTiff", width=200, height=200, count=1, dtype="float32", crs=UTM,
                       transform=rasterio.Affine(50, 0, E0 - 5_000, 0, -50, N0 + 5_000)) as file:  # fmt: skip
        file.write(height_of(x, y).astype("float32"), 1)
    return path


def test_slope_and_relief_are_made_from_heights(tmp_path):
    from clearplan.geo.relief import relief_in_cells, slope_in_cells

    ramp = heights(tmp_path / "ramp.tif", lambda x, y: np.where(x > E0, (x - E0) * 0.5, 0.0))
    window = Window(0, 0, GRID.rows, GRID.columns)
    slope = slope_in_cells(ramp, GRID, window)
    assert slope[30, 10] == pytest.approx(0, abs=0.01)
    assert slope[30, 50] == pytest.approx(np.degrees(np.arctan(0.5)), abs=0.1)
    assert np.array_equal(slope[20:40, 20:40], slope_in_cells(ramp, GRID, Window(20, 20, 20, 20)))
    hill = heights(tmp_path / "hill.tif", lambda x, y: 100 * np.exp(-((x - E0) ** 2 + (y - N0) ** 2) / 2 / 300**2))
    above = relief_in_cells(hill, GRID, 600.0, window)
    assert above[30, 30] > 40  # on the top
    assert above[30, 36] < 0  # at its foot
    settings = plan(("sha", {}), covariates=[{"name": "slope", "made": "slope", "strength": -0.5, "spread": 0.1,
                                              "source": "test"}])  # fmt: skip
    found = at(gather([{"geometry": FIELD}], settings=settings, elevation=ramp), centre(-5, 0), centre(8, 0))
    assert found["slope"].tolist() == pytest.approx([-1, 1], abs=0.1)
    with pytest.raises(SettingsError, match=r"needs context\.elevation"):
        gather([{"geometry": FIELD}], settings=settings)


def test_distance_to_shapes_of_the_land():
    river = layer_of(shapely.LineString([(E0 - 3_000, N0 + 50), (E0 + 3_000, N0 + 50)]))
    settings = plan(("sha", {}), covariates=[covariate(name="river", layer="river.gpkg", distance=True)])
    found = at(
        gather([{"geometry": FIELD}], settings=settings, covariates={"river": river}), centre(0, 0), centre(0, 8)
    )
    assert found["river"][0] < -1
    assert found["river"][1] > found["river"][0]

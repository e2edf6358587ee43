"""Judged forward in time: what was known by a day against what happened after it, on a world with a known truth."""

import sys

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from pyproj import CRS
from scipy.special import expit

import clearplan as cp
from clearplan.core.errors import SettingsError, TableError
from clearplan.geo.grids import make_grid
from clearplan.settings.surface import FitSettings, SurfaceSettings
from clearplan.surface.probability import evidence_at
from clearplan.surface.samples import take_sample, within
from tests.conftest import ROOT

sys.path.insert(0, str(ROOT / "benchmarks"))
from dated_worlds import CELL_M, E0, END, EXTENT_M, N0, OWN, UNTIL, UTM, dated_world, replace

HOW = {
    "labels": "accidents", "prevalence": 0.05, "prevalence_spread": 0.3, "prevalence_source": "simulated",
    "exposure": ["settlements"], "background": 6_000, "block_m": 5_000, "folds": 3, "penalties": [10.0],
    "bootstrap": 40, "seed": 1, "window_years": 2, "windows": 2,
}  # fmt: skip


def plan(**accidents):
    def term(evidence, scale_m, shape="exponential", **more):
        return {"evidence": evidence, "scale_m": scale_m, "shape": shape, "spread": 0.5, "source": "test"} | more

    terms = [
        term("line", 2_000, "long-tail"), term("sha", 600), term("strikes", 900),
        term("accidents", [500, 1_500], "gaussian", half_at=2, **accidents), term("cleared", 700),
        term("settlements", 2_000),
    ]  # fmt: skip
    return SurfaceSettings(
        mode="fitted", cell_m=CELL_M, max_distance_m=9_000, base_rate=0.01, base_rate_spread=0.5,
        base_rate_source="test", draws=40, seed=1, terms=terms,
    )  # fmt: skip


@pytest.fixture(scope="module")
def world():
    return dated_world(3, replace(OWN, near_cleared=0.5))


@pytest.fixture(scope="module")
def known_by(world):
    grid = make_grid((E0, N0, E0 + EXTENT_M, N0 + EXTENT_M), CELL_M, CRS.from_user_input(UTM))

    def known(settings, day):
        day = END if day is None else day
        accidents = world.accidents[world.accidents["occurred_on"] <= day]
        released = world.releases[world.releases["decided_on"] <= day]
        return cp.collect_evidence(
            world.hazards, world.areas, accidents, settings, grid=grid, settlements=world.settlements,
            searched=released, cleared=released, as_at=day,
        )  # fmt: skip

    return known


def test_windows_hold_what_was_known_before_them(world, known_by):
    settings = FitSettings(**HOW)
    then = known_by(plan(), UNTIL)
    sample = take_sample(then, settings, accidents=world.accidents, known_by=known_by, as_at=UNTIL)
    assert [day.year for day in sample.days] == [2020, 2018]
    for k, day in enumerate(sample.days):
        labels = sample.labels[sample.labels["window"] == k]
        end = UNTIL if k == 0 else sample.days[0]
        assert len(labels) == len(within(world.accidents, day, end))
        # The same columns as evidence of that day gives at the same places.
        again = evidence_at(known_by(plan(), day), labels[["x", "y"]].to_numpy())
        assert np.array_equal(again[list(sample.names)].to_numpy(), labels[list(sample.names)].to_numpy())
    with pytest.raises(SettingsError, match="needs known_by and as_at"):
        take_sample(then, settings, accidents=world.accidents)


def test_a_half_life_is_chosen_and_the_choices_are_listed(world, known_by):
    open_plan = plan(half_life_years=["none", 3.0])
    found = cp.fit_surface(
        known_by(open_plan.decided, UNTIL), FitSettings(**HOW), accidents=world.accidents, known_by=known_by,
        as_at=UNTIL.date(), choose_from=open_plan,
    )  # fmt: skip
    assert found.choices["half_life_years"].tolist() == ["none", "3.0"]
    assert found.choices["chosen"].sum() == 1
    best = found.choices.loc[found.choices["log_likelihood"].idxmax(), "half_life_years"]
    assert found.choices.set_index("half_life_years").loc[best, "chosen"]
    assert found.settings.block_spread is not None
    assert "after 2018-12-31" in found.settings.base_rate_source
    assert found.table.set_index("evidence").loc["cleared", "strength"] > 0.5


def test_without_a_total_the_surface_is_relative(world, known_by, tmp_path):
    stated = {"prevalence": None, "prevalence_spread": None, "prevalence_source": None}
    found = cp.fit_surface(
        known_by(plan(), UNTIL), FitSettings(**(HOW | stated)), accidents=world.accidents, known_by=known_by,
        as_at=UNTIL.date(),
    )  # fmt: skip
    assert found.settings.relative
    evidence = known_by(found.settings, UNTIL)
    surface = cp.make_surface(evidence, tmp_path / "s.tif")
    assert np.isnan(surface.expected_m2)
    assert np.nanmean(surface.read()[0]) == pytest.approx(1, rel=0.05)  # parts of the mean of all known ground
    ground = world.areas.iloc[1:4]
    table = cp.expected_area(evidence, ground)
    assert table[["expected_m2", "low_m2", "high_m2"]].isna().all().all()
    assert (table["relative"] > 0).all()
    assert (table["known_m2"] > 0).all()


def test_accidents_after_a_day_are_predicted_from_what_was_known_by_it(world, known_by):
    settings = FitSettings(**HOW)
    found = cp.evaluate(
        known_by(plan(), END), world.accidents, world.areas, settings, until=UNTIL.date(), as_at=END.date(),
        known_by=known_by,
    )  # fmt: skip
    later = int((world.accidents["occurred_on"] > UNTIL).sum())
    forward = found.figures[found.figures["judged"] == "forward"].set_index(["rung", "ranked_by"])
    assert (forward["accidents"] == later).all()
    recall = forward["recall_10"].xs("accidents", level="ranked_by")
    assert recall["all terms (fitted)"] > recall["nearest past accident"] > recall["belt only"]
    assert forward.loc[("all terms (fitted)", "accidents"), "without"] == ""  # past accidents are evidence
    assert set(found.figures["judged"]) == {"blocks", "forward", "both"}
    with pytest.raises(SettingsError, match="until needs known_by"):
        cp.evaluate(known_by(plan(), END), world.accidents, world.areas, FitSettings(**(HOW | {"window_years": None,
                    "windows": 1})), until=UNTIL.date())  # fmt: skip
    with pytest.raises(TableError, match="none is dated after"):
        cp.evaluate(known_by(plan(), END), world.accidents, world.areas, settings, until="2030-01-01",
                    as_at=END.date(), known_by=known_by)  # fmt: skip


def test_surveyed_ground_says_how_much_is_contaminated(world, known_by):
    """Shares of 400 searched squares teach the level itself, without any prevalence."""
    random = np.random.default_rng(2)
    cells = world.cells.assign(r=world.cells["row"] // 2, c=world.cells["column"] // 2)
    pieces = cells.groupby(["r", "c"]).agg(x=("x", "mean"), y=("y", "mean"), found=("contaminated", "mean"))
    picked = pieces.iloc[random.choice(len(pieces), 1_500, replace=False)]
    ground = shapely.box(*(picked[a].to_numpy() + s * 200 for s in (-1, 1) for a in ("x", "y")))
    surveys = gpd.GeoDataFrame({"found": picked["found"].to_numpy()}, geometry=ground, crs=UTM)
    stated = {"labels": "surveys", "prevalence": None, "prevalence_spread": None, "prevalence_source": None,
              "exposure": [], "window_years": None, "windows": 1}  # fmt: skip
    found = cp.fit_surface(known_by(plan(), UNTIL), FitSettings(**(HOW | stated)), surveys=surveys)
    g = evidence_at(known_by(plan(), UNTIL), world.cells[["x", "y"]].to_numpy())[list(found.settings.strengths)]
    p = expit(found.model.score(g.to_numpy(float)))
    assert p.mean() == pytest.approx(world.cells["contaminated"].mean(), rel=0.15)
    assert isinstance(found.penalties, pd.DataFrame)
    assert not found.settings.relative

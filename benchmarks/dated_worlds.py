"""Made-up worlds with time: what was known by a day, and what happened after it. No code of clearplan is in the truth.

Ten years of accidents in 40 x 40 km. Until the end of the eighth year evidence is known; the accidents of the last two
are held out. Where a number has a source it stands beside it; all others are chosen, and said to be.

- Fields of 0.07 to 1.1 km2, 0.33 km2 in the middle: 67 km2 in 202 confirmed areas of Nagorno-Karabakh at the end of
  2015 (Mine Action Review, Clearing Cluster Munition Remnants, 2016).
- A belt of 2 km on each side of the line; most accidents lie outside of it: 247 of 345 victims in Karabakh after
  November 2020 did (Azerbaijan's ANAMA, in press reports of 2024).
- A third of suspected fields hold nothing in the worlds with false alarms. Of the land that States Parties released in
  2022, 32 % was cancelled and 24 % reduced (Landmine Monitor 2023, 497 km2).
- Chosen: strengths, scales, how many people walk near settlements, 4 of 10 accidents in hot spots that appear at any
  time and fade with a half-life, how far contamination reaches beyond cleared ground (700 m).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from scipy.ndimage import gaussian_filter
from scipy.optimize import brentq
from scipy.special import expit, logit

E0, N0, UTM = 600_000.0, 4_400_000.0, "EPSG:32638"
SIDE, CELL_M = 200, 200.0
EXTENT_M = SIDE * CELL_M
BEGIN, UNTIL, END = pd.Timestamp("2015-01-01"), pd.Timestamp("2022-12-31"), pd.Timestamp("2024-12-31")
YEAR_DAYS = 365.25


@dataclass(frozen=True)
class Kind:
    """What a world is like; shares are 0-1, distances in metres."""

    name: str = "own form"
    prevalence: float = 0.05  # share of the ground that is contaminated by all but what lies near cleared ground
    line: float = 3.0  # strengths in the logit
    fields: float = 4.0
    strikes: float = 3.0
    line_m: float = 2_000.0  # scales: 1 / (1 + d / scale) of the line, exp(-d / scale) of the others
    fields_m: float = 600.0
    strikes_m: float = 800.0
    fall_off: str = "own"  # 'plateau': 1 up to the scale and a quarter beyond it, up to four scales
    people: float = 2.5  # log of how many more walk at a settlement than far from any
    unseen_people: float = 0.0  # standard deviation in the logarithm of what no layer tells of people
    false_fields: float = 0.0  # share of suspected fields that hold nothing
    unreported: float = 0.0  # share of the contaminated fields that nobody reported
    patches: float = 0.0  # standard deviation in the logit of a smooth field that no evidence tells of
    near_cleared: float = 0.25  # share of accidents near cleared ground
    beyond_cleared_m: float = 700.0
    half_life_years: float = 3.0  # of hot spots
    in_hot_spots: float = 0.4  # share of the other accidents
    hot_spots: int = 60
    hot_spot_m: float = 800.0
    accidents: int = 3_000
    swing: float = 0.25  # each world's strengths are the stated ones by a factor of 1 - swing to 1 + swing


OWN = Kind()
#: The six kinds of the coverage benchmark.
KINDS = (
    replace(OWN, near_cleared=0.0, in_hot_spots=0.0),
    replace(OWN, name="people not seen", near_cleared=0.0, in_hot_spots=0.0, unseen_people=0.8),
    replace(OWN, name="another fall-off", near_cleared=0.0, in_hot_spots=0.0, fall_off="plateau"),
    replace(
        OWN, name="evidence missing and false", near_cleared=0.0, in_hot_spots=0.0, false_fields=0.33, unreported=0.25
    ),
    replace(OWN, name="in patches", near_cleared=0.0, in_hot_spots=0.0, patches=1.0),
    replace(
        OWN, name="all at once", near_cleared=0.0, in_hot_spots=0.0, unseen_people=0.8, fall_off="plateau",
        false_fields=0.33, unreported=0.25, patches=1.0,
    ),
)  # fmt: skip


@dataclass(frozen=True)
class DatedWorld:
    """Tables of a world with their days, and its truth in every cell: x, y, p (expected share), contaminated."""

    kind: Kind
    hazards: gpd.GeoDataFrame
    areas: gpd.GeoDataFrame
    accidents: gpd.GeoDataFrame
    releases: gpd.GeoDataFrame
    settlements: gpd.GeoDataFrame
    cells: pd.DataFrame
    truth: dict[str, Any] = field(default_factory=dict)


def dated_world(seed: int, kind: Kind = OWN) -> DatedWorld:
    """A world of a kind; the same seed gives the same world."""
    random = np.random.default_rng([seed, 21])
    cells = _lattice()
    line = _line(random)
    fields, reported, real = _fields(random, kind)
    strikes = _discs(random, 12, 300, 900)
    cleared, cleared_on = _discs(random, 30, 150, 600), _days(random, 30, BEGIN, UNTIL)
    places = shapely.points(_spots(random, 12))
    xy = shapely.points(cells[["x", "y"]].to_numpy())
    factor = random.uniform(1 - kind.swing, 1 + kind.swing, 3)
    score = factor[0] * kind.line * _fall(kind, shapely.distance(xy, line), kind.line_m, long=True)
    score += factor[1] * kind.fields * _fall(kind, _away(xy, fields[real]), kind.fields_m)
    score += factor[2] * kind.strikes * _fall(kind, _away(xy, strikes), kind.strikes_m)
    score += kind.patches * _smooth(random, 3.0)
    base = brentq(lambda b: expit(b + score).mean() - kind.prevalence, logit(kind.prevalence) - score.max() - 1, 20)
    cells["p"] = expit(score + base)
    people = np.exp(kind.people * np.exp(-_away(xy, places) / 2_000) + kind.unseen_people * _smooth(random, 5.0))
    beyond = _away(xy, cleared)
    cells["contaminated"] = random.random(len(cells)) < cells["p"]
    usual = cells["contaminated"].to_numpy() * people
    beside = np.exp(-beyond / kind.beyond_cleared_m) * (beyond > 0) * people
    accidents = _accidents(random, kind, cells, usual, beside, (cleared, cleared_on))
    hazards, areas = _tables(line, fields[reported], strikes)
    strengths = dict(zip(("line", "sha", "strikes"), factor * (kind.line, kind.fields, kind.strikes), strict=True))
    truth = {"strengths": strengths, "base_rate": float(expit(base)), "false": np.flatnonzero(~real[reported])}
    releases = _releases(cleared, cleared_on)
    settlements = gpd.GeoDataFrame(geometry=places, crs=UTM)
    return DatedWorld(kind, hazards, areas, accidents, releases, settlements, cells, truth)


def _lattice() -> pd.DataFrame:
    row, column = np.divmod(np.arange(SIDE * SIDE), SIDE)
    return pd.DataFrame({"x": E0 + (column + 0.5) * CELL_M, "y": N0 + EXTENT_M - (row + 0.5) * CELL_M, "row": row,
                         "column": column})  # fmt: skip


def _line(random: np.random.Generator) -> shapely.LineString:
    at = np.linspace(-0.1, 1.1, 13) * EXTENT_M
    course = np.cumsum(random.normal(0, EXTENT_M / 25, 13)) + EXTENT_M * random.uniform(0.35, 0.65)
    return shapely.LineString(np.column_stack([E0 + at, N0 + np.clip(course, 0, EXTENT_M)]))


def _spots(random: np.random.Generator, count: int) -> np.ndarray:
    return np.array([E0, N0]) + random.uniform(0, EXTENT_M, (count, 2))


def _discs(random: np.random.Generator, count: int, least_m: float, most_m: float) -> np.ndarray:
    return shapely.buffer(shapely.points(_spots(random, count)), random.uniform(least_m, most_m, count), quad_segs=4)


def _days(random: np.random.Generator, count: int, first: pd.Timestamp, last: pd.Timestamp) -> pd.DatetimeIndex:
    return first + pd.to_timedelta(np.floor(random.uniform(0, (last - first).days, count)), unit="D")


def _fields(random: np.random.Generator, kind: Kind) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Suspected fields, which of them are reported, and which hold contamination."""
    fields = _discs(random, 60, 150, 600)
    real = random.random(60) >= kind.false_fields
    reported = ~real | (random.random(60) >= kind.unreported)
    return fields, reported, real


def _away(xy: np.ndarray, shapes: np.ndarray) -> np.ndarray:
    """Distance of points to the nearest of some shapes [m]."""
    (at, _), away = shapely.STRtree(shapes).query_nearest(xy, return_distance=True, all_matches=False)
    return away[np.argsort(at)]


def _fall(kind: Kind, away: np.ndarray, scale_m: float, *, long: bool = False) -> np.ndarray:
    if kind.fall_off == "plateau":
        return np.select([away <= scale_m, away <= 4 * scale_m], [1.0, 0.25], 0.0)
    return 1 / (1 + away / scale_m) if long else np.exp(-away / scale_m)


def _smooth(random: np.random.Generator, cells: float) -> np.ndarray:
    smooth = gaussian_filter(random.standard_normal((SIDE, SIDE)), cells, mode="wrap")
    return (smooth / smooth.std()).ravel()


def _accidents(
    random: np.random.Generator, kind: Kind, cells: pd.DataFrame, usual: np.ndarray, beside: np.ndarray, cleared: tuple
) -> gpd.GeoDataFrame:
    """Accidents of ten years: where ground is contaminated and people walk, in hot spots, and near cleared ground."""
    shapes, cleared_on = cleared
    near = random.random(kind.accidents) < kind.near_cleared
    hot = ~near & (random.random(kind.accidents) < kind.in_hot_spots)
    years = (END - BEGIN).days / YEAR_DAYS
    when, where = random.uniform(0, years, kind.accidents), np.zeros(kind.accidents, dtype=int)
    where[near] = _drawn(random, beside, int(near.sum()))
    where[~near & ~hot] = _drawn(random, usual, int((~near & ~hot).sum()))
    # A hot spot begins at any day, also before the first year, and half as many happen there after each half-life.
    centre = _drawn(random, usual, kind.hot_spots)
    begin = random.uniform(-2 * kind.half_life_years, years, kind.hot_spots)
    spot = random.integers(0, kind.hot_spots, 50 * kind.accidents)
    at = begin[spot] + random.exponential(kind.half_life_years / np.log(2), len(spot))
    there = np.flatnonzero((at >= 0) & (at < years))[: int(hot.sum())]
    xy = cells[["x", "y"]].to_numpy()
    when[hot] = at[there]
    moved = xy[centre[spot[there]]] + random.normal(0, kind.hot_spot_m / np.sqrt(2), (len(there), 2))
    places = xy[where] + random.uniform(-0.5, 0.5, (kind.accidents, 2)) * CELL_M
    places[hot] = np.clip(moved, [E0 + 1, N0 + 1], [E0 + EXTENT_M - 1, N0 + EXTENT_M - 1])
    day = BEGIN + pd.to_timedelta(np.floor(when * YEAR_DAYS), unit="D")
    points = shapely.points(places)
    i, j = shapely.STRtree(shapes).query(points, predicate="intersects")
    gone = np.zeros(len(points), dtype=bool)
    gone[i[day[i] > cleared_on[j]]] = True  # what was cleared hurts nobody any more
    order = np.flatnonzero(~gone)[np.argsort(day[~gone], kind="stable")]
    return gpd.GeoDataFrame(
        {"accident_id": [f"A{k}" for k in range(len(order))], "occurred_on": day[order], "device": "AP",
         "position_error_m": 100.0, "source": "simulated", "deferred": None},
        geometry=points[order], crs=UTM,
    )  # fmt: skip


def _drawn(random: np.random.Generator, weight: np.ndarray, count: int) -> np.ndarray:
    return random.choice(len(weight), count, p=weight / weight.sum())


def _tables(
    line: shapely.LineString, fields: np.ndarray, strikes: np.ndarray
) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame]:
    base = {"status": "open", "ordnance": "AP", "position_error_m": 0.0, "source": "simulated", "deferred": None,
            "recorded_on": pd.Timestamp("2014-01-01"), "depth_profile": None, "measure": None, "sides": None,
            "caps": None, "reliability": np.nan, "kind": "minefield", "land_class": "SHA"}  # fmt: skip
    belt = {"kind": "contact-line", "land_class": "indication", "measure": "each-side", "sides": "both",
            "caps": "round", "depth_profile": "0 1000 2000", "geometry": line}  # fmt: skip
    rows = [base | belt, *(base | {"geometry": shape} for shape in fields)]
    rows += [base | {"kind": "cluster-strike", "land_class": "indication", "geometry": shape} for shape in strikes]
    hazards = gpd.GeoDataFrame(
        [row | {"hazard_id": f"H{k}"} for k, row in enumerate(rows)], geometry="geometry", crs=UTM
    )
    areas = hazards.assign(area_id=hazards["hazard_id"])
    areas.loc[0, "geometry"] = line.buffer(2_000.0)
    return hazards, areas


def _releases(cleared: np.ndarray, cleared_on: pd.DatetimeIndex) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(
        {"release_id": [f"R{k}" for k in range(len(cleared))], "action": "cleared", "decided_on": cleared_on,
         "items": "AP 3", "detection": 0.98, "deferred": None},
        geometry=cleared, crs=UTM,
    )  # fmt: skip

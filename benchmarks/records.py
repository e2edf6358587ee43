"""Records to vertices: clearplan's one pass over all records against a plain loop, record by record, in one run.

    python benchmarks/records.py [--json] [--records 100000] [--rounds 3]

Seeded workload: records of 8 legs with true bearings, reference points in SK-42 degrees round Aghdam. Two peers: the
loop that an analyst writes over pandas groups, and the same loop over plain lists prepared beforehand, the fastest
that we could write. Each calls pyproj's Geod.fwd leg by leg on the Krassovsky ellipsoid and Transformer.transform
once a record, by the same datum operation. Ours begins at the same two tables; it also computes every covariance, R95
and polygon, which the peers don't. "Vertices only" is our traverse without these, from arrays, like the second peer.
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import time

import numpy as np
import pandas as pd

SEED, LEGS = 20210612, 8


def make_workload(count: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """RECORDS and LEGS: a reference point and eight legs each."""
    draw = np.random.default_rng(SEED)
    ids = np.array([f"R-{k:06d}" for k in range(count)], dtype=object)
    sigmas = {"sigma_reference_m": 25.0, "sigma_bearing_deg": 1.0, "sigma_shared_bearing_deg": 1.0,
              "sigma_distance_m": 3.0, "sigma_scale": 0.03}  # fmt: skip
    records = pd.DataFrame({"record_id": ids, "north": "true", "scan": None, "row": np.arange(count) + 2})
    records = records.assign(**sigmas)
    lon, lat = draw.uniform(46.2, 47.4, count), draw.uniform(39.3, 40.4, count)
    bearing = (draw.uniform(0, 360, (count, 1)) + np.arange(LEGS) * 40 + draw.normal(0, 5, (count, LEGS))) % 360
    distance = draw.uniform(60, 320, (count, LEGS))
    distance[:, 0] = draw.uniform(150, 900, count)
    size = count * (LEGS + 1)
    blank = np.full((count, LEGS + 1), np.nan)
    x, y, along, azimuth = blank.copy(), blank.copy(), blank.copy(), blank.copy()
    x[:, 0], y[:, 0], along[:, 1:], azimuth[:, 1:] = lon, lat, distance, bearing
    number = np.tile(np.arange(LEGS + 1), count)
    legs = pd.DataFrame(
        {
            "record_id": np.repeat(ids, LEGS + 1),
            "point_no": number.astype(str).astype(object),
            "point_kind": np.array(["reference", "start", *["turning"] * (LEGS - 1)], dtype=object)[number],
            "x": x.ravel(), "y": y.ravel(), "bearing_deg": azimuth.ravel(), "distance_m": along.ravel(),
            "crs": np.where(number == 0, "EPSG:4284", None),
            "back": np.where(number == 0, -1, np.arange(size) - 1), "closes": -1,
            "position_error_m": np.nan, "resolution_m": 0.0, "row": np.arange(size) + 2,
            **dict.fromkeys(("landmark", "method", "coordinates", "easting", "northing", "bearing", "distance")),
            "notation": None,
        }
    )  # fmt: skip
    return records, legs


def work_ours(records: pd.DataFrame, legs: pd.DataFrame) -> np.ndarray:
    from pyproj import CRS

    from clearplan.records.forms import Forms
    from clearplan.records.minefields import draw_shapes
    from clearplan.records.points import plot
    from clearplan.settings.sources import RecordSettings

    forms = Forms(records, legs, pd.DataFrame(), {"records": "records", "legs": "legs"})
    shapes = pd.DataFrame({"record_id": records["record_id"], "version": 1, "anchor": -1})
    source = RecordSettings(path="records.xlsx")
    vertices, _ = plot(forms, shapes, source, CRS.from_epsg(32638), {})
    draw_shapes(vertices, len(shapes))
    import shapely

    return shapely.get_coordinates(vertices.geometry.to_numpy())


def work_vertices(records: pd.DataFrame, legs: pd.DataFrame) -> np.ndarray:
    from pyproj import CRS

    from clearplan.core.crs import PlaneFactors, operation, plane_factors
    from clearplan.records.traverse import Legs, chains, walk

    plane = CRS.from_epsg(28408)
    first = np.arange(0, len(legs), LEGS + 1)
    lonlat = legs[["x", "y"]].to_numpy(float)[first]
    x, y = np.zeros(len(legs)), np.zeros(len(legs))
    x[first], y[first] = operation(CRS.from_epsg(4284), plane)[0].transform(*lonlat.T)
    root = plane_factors(plane, x[first], y[first])
    factors = PlaneFactors(*(np.repeat(getattr(root, name), LEGS + 1, axis=0) for name in root.__dataclass_fields__))
    own = Legs(legs["back"].to_numpy(), np.radians(legs["bearing_deg"].to_numpy()), legs["distance_m"].to_numpy(),
               np.zeros(len(legs), dtype=bool))  # fmt: skip
    gone = walk(own, chains(own.parent), x, y, factors)
    return np.column_stack(operation(plane, CRS.from_epsg(32638))[0].transform(gone.x, gone.y))


def transformer():
    from pyproj import CRS

    from clearplan.core.crs import operation

    return operation(CRS.from_epsg(4284), CRS.from_epsg(32638))[0]


def work_groups(records: pd.DataFrame, legs: pd.DataFrame) -> np.ndarray:
    from pyproj import Geod

    geod, move, found = Geod(ellps="krass"), transformer(), []
    for _, own in legs.groupby("record_id", sort=False):
        lons, lats = [], []
        for leg in own.itertuples():
            if leg.point_kind == "reference":
                lon, lat = leg.x, leg.y
            else:
                lon, lat, _ = geod.fwd(lon, lat, leg.bearing_deg, leg.distance_m)
            lons.append(lon)
            lats.append(lat)
        found.append(np.column_stack(move.transform(lons, lats)))
    return np.vstack(found)


def work_lists(records: pd.DataFrame, legs: pd.DataFrame) -> np.ndarray:
    from pyproj import Geod

    geod, move, found = Geod(ellps="krass"), transformer(), []
    columns = [legs[name].to_numpy().reshape(-1, LEGS + 1).tolist() for name in ("x", "y", "bearing_deg", "distance_m")]
    for x, y, bearing, distance in zip(*columns, strict=True):
        lon, lat = x[0], y[0]
        lons, lats = [lon], [lat]
        for angle, length in zip(bearing[1:], distance[1:], strict=True):
            lon, lat, _ = geod.fwd(lon, lat, angle, length)
            lons.append(lon)
            lats.append(lat)
        found.append(np.column_stack(move.transform(lons, lats)))
    return np.vstack(found)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--json", action="store_true")
    arguments.add_argument("--records", type=int, default=100_000)
    arguments.add_argument("--rounds", type=int, default=3)
    asked = arguments.parse_args()
    tables = make_workload(asked.records)
    sides = {
        "clearplan": work_ours,
        "clearplan, vertices only": work_vertices,
        "loop over pandas groups": work_groups,
        "loop over lists": work_lists,
    }
    work_ours(*make_workload(200))  # imports and PROJ's first opening of its database are no one's work
    seconds: dict[str, list[float]] = {name: [] for name in sides}
    answers = {}
    for _ in range(asked.rounds):
        for name, work in sides.items():
            begun = time.perf_counter()
            answers[name] = work(*tables)
            seconds[name].append(time.perf_counter() - begun)
    report(seconds, answers, asked)


def report(seconds: dict[str, list[float]], answers: dict[str, np.ndarray], asked: argparse.Namespace) -> None:
    import pyproj
    import shapely

    apart = {name: float(np.hypot(*(answers[name] - answers["clearplan"]).T).max()) for name in answers}
    whole, bare = seconds["clearplan"], seconds["clearplan, vertices only"]
    ratio = {
        name: [statistics.median(b / a for a, b in zip(ours, times, strict=True)) for ours in (whole, bare)]
        for name, times in seconds.items()
    }
    print(f"| {asked.records:,} records of {LEGS} legs | seconds | to clearplan | to vertices only | worst vertex |")
    print("|---|---|---|---|---|")
    for name, times in seconds.items():
        print(f"| {name} | {statistics.median(times):.2f} | {ratio[name][0]:.1f}x | {ratio[name][1]:.1f}x | "
              f"{apart[name] * 1000:.2f} mm |")  # fmt: skip
    print(
        f"\nPython {platform.python_version()}, pyproj {pyproj.__version__}, PROJ {pyproj.proj_version_str}, numpy "
        f"{np.__version__}, shapely {shapely.__version__}, seed {SEED}"
    )
    if asked.json:
        groups, lists = ratio["loop over pandas groups"][0], ratio["loop over lists"][1]
        worst = max(apart.values())
        bars = {
            "speed against the loop over tables": {"value": round(groups, 1), "bar": 20, "ok": groups >= 20},
            "speed against the loop over lists, vertices only": {
                "value": round(lists, 1),
                "bar": 20,
                "ok": lists >= 20,
            },
            "vertices [m]": {"value": worst, "bar": 0.01, "ok": worst <= 0.01},
        }
        print(json.dumps({"bars": bars}))


if __name__ == "__main__":
    main()

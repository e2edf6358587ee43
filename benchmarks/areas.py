"""Footprints, net area, area in each zone and nearest hazard: clearplan against plain geopandas, in one run.

    python benchmarks/areas.py [--json] [--rounds 3]

Seeded workload along the shipped line: 10,000 minefield polygons of 6-60 vertices and 5,000 zones. Each side
runs as a process of its own (rounds in turn, the median counts), reads the same file, and reports seconds of work
and peak memory; then the answers are held against each other.
"""

from __future__ import annotations

import argparse
import json
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

SAMPLE = Path(__file__).parents[1] / "sample_data" / "karabakh"
SEED, FIELDS, ZONES = 20201110, 10_000, 5_000
BUFFER_M, INFLUENCE_M = 50.0, 2_000.0


def make_workload(folder: Path) -> None:
    import geopandas as gpd
    import shapely

    draw = np.random.default_rng(SEED)
    layer = gpd.read_file(SAMPLE / "line_of_contact" / "line_of_contact_1994_2020.geojson").to_crs(32638)
    line = layer.geometry.iloc[0]

    def near_line(count: int, spread_m: float) -> np.ndarray:
        at = shapely.get_coordinates(shapely.line_interpolate_point(line, draw.uniform(0, line.length, count)))
        return at + draw.normal(0, spread_m, (count, 2))

    rings = []
    for x, y in near_line(FIELDS, 2_500):
        count = draw.integers(6, 61)
        angle = np.sort(draw.uniform(0, 2 * np.pi, count))
        radius = draw.lognormal(np.log(180), 0.5) * draw.uniform(0.7, 1.3, count)
        rings.append(shapely.Polygon(np.column_stack([x + radius * np.cos(angle), y + radius * np.sin(angle)])))
    fields = np.array([shape if shape.is_valid else shapely.convex_hull(shape) for shape in rings], dtype=object)
    zones = shapely.points(near_line(ZONES, 6_000))
    np.save(folder / "fields.npy", shapely.to_wkb(fields), allow_pickle=True)
    np.save(folder / "zones.npy", shapely.to_wkb(zones), allow_pickle=True)


def load(folder: Path, name: str) -> np.ndarray:
    import shapely

    return np.asarray(shapely.from_wkb(np.load(folder / f"{name}.npy", allow_pickle=True)), dtype=object)


def work_ours(folder: Path) -> dict:
    import shapely

    from clearplan.geo import shapes

    fields, zones = load(folder, "fields"), load(folder, "zones")
    begin = time.perf_counter()
    grown = shapes.conservative_buffer(fields, BUFFER_M)
    influence = shapes.conservative_buffer(zones, INFLUENCE_M)
    net = shapes.union_pieces(grown)
    zone, _, area = shapes.overlaps(influence, grown)
    in_zone = np.bincount(zone, weights=area, minlength=len(zones))
    (own, _), distance = shapely.STRtree(grown).query_nearest(zones, return_distance=True, all_matches=False)
    nearest = np.empty(len(zones))
    nearest[own] = distance
    return {
        "seconds": time.perf_counter() - begin,
        "planning_m2": shapely.area(net).sum(),
        "in_zone": in_zone,
        "nearest": nearest,
    }


def work_plain(folder: Path) -> dict:
    import geopandas as gpd

    fields = gpd.GeoDataFrame({"hazard": range(FIELDS)}, geometry=load(folder, "fields"), crs=32638)
    points = gpd.GeoDataFrame({"zone": range(ZONES)}, geometry=load(folder, "zones"), crs=32638)
    begin = time.perf_counter()
    # The same segments a quarter circle as ours; geopandas' default of 16 would draw coarser discs.
    grown = fields.set_geometry(fields.buffer(BUFFER_M, resolution=32))
    influence = points.set_geometry(points.buffer(INFLUENCE_M, resolution=32))
    net = grown.union_all()
    pieces = gpd.overlay(influence, grown, how="intersection")
    in_zone = pieces.assign(area=pieces.area).groupby("zone")["area"].sum().reindex(range(ZONES), fill_value=0)
    near = gpd.sjoin_nearest(points, grown, distance_col="distance").groupby("zone")["distance"].min()
    return {
        "seconds": time.perf_counter() - begin,
        "planning_m2": net.area,
        "in_zone": in_zone.to_numpy(),
        "nearest": near.to_numpy(),
    }


def worker(side: str, folder: Path) -> None:
    answer = {"ours": work_ours, "plain": work_plain}[side](folder)
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1 if sys.platform == "darwin" else 1024)
    peak_mb /= 1024 if sys.platform == "darwin" else 1
    np.savez(folder / f"{side}.npz", **answer, peak_mb=peak_mb)


def run_side(side: str, folder: Path) -> dict:
    command = [sys.executable, "-W", "ignore", __file__, "--worker", side, "--folder", str(folder)]
    subprocess.run(command, check=True)
    return dict(np.load(folder / f"{side}.npz"))


def worst_difference(ours: dict, plain: dict) -> dict[str, float]:
    """Largest relative differences; zones against their mean, so that grazed ones do not count most."""
    mean = plain["in_zone"].mean()
    return {
        "net area": abs(float(ours["planning_m2"]) / float(plain["planning_m2"]) - 1),
        "area in zones, sum": abs(ours["in_zone"].sum() / plain["in_zone"].sum() - 1),
        "area in zones, worst zone": float(
            np.max(np.abs(ours["in_zone"] - plain["in_zone"]) / np.maximum(plain["in_zone"], mean))
        ),
        "nearest, mean": abs(ours["nearest"].mean() / plain["nearest"].mean() - 1),
    }


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--json", action="store_true")
    arguments.add_argument("--rounds", type=int, default=3)
    arguments.add_argument("--worker", choices=["ours", "plain"])
    arguments.add_argument("--folder", type=Path)
    asked = arguments.parse_args()
    if asked.worker:
        worker(asked.worker, asked.folder)
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_workload(folder)
        rounds = [(run_side("ours", folder), run_side("plain", folder)) for _ in range(asked.rounds)]
    report(rounds, asked.json)


def report(rounds: list[tuple[dict, dict]], as_json: bool) -> None:
    import geopandas
    import shapely

    seconds = {s: statistics.median(float(r[k]["seconds"]) for r in rounds) for k, s in enumerate(("ours", "plain"))}
    memory = {s: statistics.median(float(r[k]["peak_mb"]) for r in rounds) for k, s in enumerate(("ours", "plain"))}
    ratio = statistics.median(float(b["seconds"]) / float(a["seconds"]) for a, b in rounds)
    share = memory["ours"] / memory["plain"]
    differences = worst_difference(*rounds[0])
    print(f"| {FIELDS:,} fields, {ZONES:,} zones | clearplan | plain geopandas | ratio |")
    print("|---|---|---|---|")
    print(
        f"| seconds, median of {len(rounds)} | {seconds['ours']:.1f} | {seconds['plain']:.1f} | {ratio:.1f}x faster |"
    )
    print(f"| peak memory of the process, MB | {memory['ours']:.0f} | {memory['plain']:.0f} | {share:.2f} |")
    for what, difference in differences.items():
        print(f"| largest difference, {what} | | | {difference:.4%} |")
    print(
        f"\nPython {platform.python_version()}, geopandas {geopandas.__version__}, shapely {shapely.__version__}, "
        f"GEOS {shapely.geos_version_string}, seed {SEED}"
    )
    if as_json:
        bars = {
            "speed": {"value": round(ratio, 2), "bar": 5, "ok": ratio >= 5},
            "memory": {"value": round(share, 3), "bar": 0.5, "ok": share <= 0.5},
            "difference": {
                "value": max(differences.values()),
                "bar": 0.003,
                "ok": max(differences.values()) <= 0.003,
            },
        }
        print(json.dumps({"bars": bars}))


if __name__ == "__main__":
    main()

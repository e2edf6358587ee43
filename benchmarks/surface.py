"""Contamination surface of Karabakh with all terms: clearplan against distances cell by cell, in one run.

    python benchmarks/surface.py [--json] [--rounds 3]

Evidence of the sample project (contact line, fields, records, strikes, accidents), its populated places, and roads that
join each of them to its two nearest ones. Cells of 100 m over the bounds of all hazards, reach 15 km. The peers measure
the distance of every cell to each layer, and nothing more: ``GeoSeries.distance`` to the layer's union, and
``STRtree.query_nearest`` with and without ``max_distance``, of which the faster counts. They take too long for all
cells, so they run on a seeded sample of cells and are scaled up. Then the same with ten times the cells: ten regions of
the same evidence side by side, and cells of 31.6 m.
"""

from __future__ import annotations

import argparse
import json
import math
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
SEED, REACH_M, CELL_M = 20201110, 15_000.0, 100.0
SAMPLE_DISTANCE, SAMPLE_TREE = 500, 20_000  # cells on which the peers are measured
COPIES = (5, 2)  # of the region, for ten times the cells


def make_workload(path: Path) -> None:
    import geopandas as gpd
    import pandas as pd
    import shapely

    import clearplan as cp

    study = cp.run_study(SAMPLE / "plan.toml")
    rows = pd.read_csv(SAMPLE / "places" / "populated_places.csv")
    lon, lat = (next(c for c in rows.columns if c.lower().startswith(name)) for name in ("lon", "lat"))
    places = gpd.GeoDataFrame(geometry=gpd.points_from_xy(rows[lon], rows[lat]), crs=4326).to_crs(study.hazards.crs)
    xy = shapely.get_coordinates(places.geometry)
    from scipy.spatial import cKDTree

    near = cKDTree(xy).query(xy, k=3)[1][:, 1:]
    pairs = {tuple(sorted((k, int(other)))) for k, others in enumerate(near) for other in others}
    roads = gpd.GeoDataFrame(geometry=[shapely.LineString(xy[list(pair)]) for pair in sorted(pairs)], crs=places.crs)
    tables = (study.hazards, study.areas, study.accidents, places, roads)
    pd.to_pickle(tables, path)


def settings(cell_m: float):
    from clearplan.settings.surface import SurfaceSettings

    def term(evidence: str, strength: float, scale_m: float, shape: str, **more: float) -> dict:
        return {"evidence": evidence, "strength": strength, "spread": 0.5, "scale_m": scale_m, "shape": shape,
                "source": "benchmark"} | more  # fmt: skip

    return SurfaceSettings(
        mode="expert", cell_m=cell_m, max_distance_m=REACH_M, base_rate=0.001, base_rate_spread=0.5,
        base_rate_source="benchmark", draws=200, seed=SEED,
        terms=[
            term("line", 3, 7_000, "long-tail"),
            term("records", 5, 300, "long-tail", wrong_anchor_m=2_000),
            term("cha", 7, 200, "long-tail"),
            term("sha", 5, 300, "long-tail"),
            term("strikes", 3, 1_000, "exponential"),
            term("accidents", 3, 1_500, "gaussian", half_at=2),
            term("settlements", 1, 2_000, "exponential"),
            term("roads", 0.7, 500, "exponential"),
        ],
    )  # fmt: skip


def copied(tables: tuple, copies: tuple[int, int]) -> tuple:
    """The same evidence side by side, each copy a region's width apart."""
    import geopandas as gpd
    import pandas as pd

    west, south, east, north = tables[0].total_bounds
    wide, high = math.ceil((east - west) / CELL_M) * CELL_M, math.ceil((north - south) / CELL_M) * CELL_M
    shifts = [(wide * i, high * j) for i in range(copies[0]) for j in range(copies[1])]
    out = []
    for table in tables:
        parts = []
        for n, (dx, dy) in enumerate(shifts):
            part = table.set_geometry(table.geometry.translate(dx, dy))
            parts.append(part.assign(hazard_id=part["hazard_id"] + f"/{n}") if "hazard_id" in part else part)
        out.append(gpd.GeoDataFrame(pd.concat(parts, ignore_index=True), crs=table.crs))
    return tuple(out)


def gathered(tables: tuple, cell_m: float):
    import clearplan as cp
    from clearplan.geo.grids import make_grid

    hazards, areas, accidents, places, roads = tables
    grid = make_grid(tuple(hazards.total_bounds), cell_m, hazards.crs)
    return cp.collect_evidence(hazards, areas, accidents, settings(cell_m), grid=grid, settlements=places, roads=roads)


def work_ours(path: Path, what: str) -> dict:
    import geopandas as gpd
    import pandas as pd
    import shapely

    import clearplan as cp
    from clearplan.surface.probability import tiles_of

    tables = pd.read_pickle(path)
    if what == "region":
        tables = copied(tables, COPIES)
    cell_m = CELL_M / math.sqrt(10) if what == "cell" else CELL_M
    begin, used = time.perf_counter(), time.process_time()
    evidence = gathered(tables, cell_m)
    with tempfile.TemporaryDirectory() as folder:
        surface = cp.make_surface(evidence, Path(folder) / "surface.tif")
    answer = {"whole": time.perf_counter() - begin, "cpu": time.process_time() - used, "cells": evidence.grid.cells}
    if what != "base":
        return answer
    begin = time.perf_counter()
    for _ in tiles_of(gathered(tables, cell_m)):
        pass
    answer["terms"] = time.perf_counter() - begin
    begin = time.perf_counter()
    ground = gpd.GeoDataFrame(geometry=[shapely.box(*evidence.grid.bounds)], crs=evidence.grid.crs)
    cp.expected_area(evidence, ground)
    return answer | {"area": time.perf_counter() - begin, "known": surface.known_m2 / CELL_M**2}


def layers_of(tables: tuple) -> dict[str, np.ndarray]:
    """The layers to which the terms measure distances; of records one for each reliability."""
    from clearplan.tables.check import placed, remaining

    hazards, areas, accidents, places, roads = tables
    left = remaining(areas)
    rho = left["hazard_id"].map(hazards.set_index("hazard_id")["reliability"]).astype(float)
    field = (left["kind"] == "minefield") & rho.isna()
    found = {
        "line": remaining(hazards)[remaining(hazards)["kind"] == "contact-line"],
        **{f"records {r:g}": left[rho == r] for r in sorted(rho.dropna().unique())},
        "cha": left[field & (left["land_class"] == "CHA")],
        "sha": left[field & (left["land_class"] != "CHA")],
        "strikes": left[left["kind"] == "cluster-strike"],
        "accidents": placed(accidents),
        "settlements": places,
        "roads": roads,
    }
    return {name: table.geometry.to_numpy() for name, table in found.items()}


def work_peers(path: Path) -> dict:
    """Seconds per cell over all layers of each peer, on a sample of cells, and the largest difference from ours."""
    import geopandas as gpd
    import pandas as pd
    import shapely

    from clearplan.geo.distances import distance_m
    from clearplan.geo.grids import layer, tiles

    tables = pd.read_pickle(path)
    layers = layers_of(tables)
    grid = gathered(tables, CELL_M).grid
    draw = np.random.default_rng(SEED)
    picked = np.sort(draw.choice(grid.cells, SAMPLE_TREE, replace=False))
    row, column = np.divmod(picked, grid.columns)
    x, y = grid.x0 + (column + 0.5) * CELL_M, grid.y1 - (row + 0.5) * CELL_M
    cells = shapely.points(x, y)
    few = draw.choice(SAMPLE_TREE, SAMPLE_DISTANCE, replace=False)
    seconds = {"distance": 0.0, "tree": 0.0}
    worst, worst_union = 0.0, 0.0
    for shapes in layers.values():
        union = shapely.union_all(shapes)
        series = gpd.GeoSeries(cells[few], crs=tables[0].crs)
        begin = time.perf_counter()
        exact = series.distance(union)
        seconds["distance"] += (time.perf_counter() - begin) / SAMPLE_DISTANCE
        times = []
        for limit in (None, REACH_M):
            begin = time.perf_counter()
            own, away = shapely.STRtree(shapes).query_nearest(
                cells, max_distance=limit, return_distance=True, all_matches=False
            )
            times.append(time.perf_counter() - begin)
        seconds["tree"] += min(times) / SAMPLE_TREE
        nearest = np.full(SAMPLE_TREE, REACH_M)
        nearest[own[0]] = away
        ours = np.full(SAMPLE_TREE, REACH_M)
        laid = layer(grid, shapes, REACH_M)
        for w in tiles(grid, REACH_M):
            inside = (row >= w.row) & (row < w.row + w.rows) & (column >= w.column) & (column < w.column + w.columns)
            found = distance_m(grid, w, laid, REACH_M)
            if found is not None:
                ours[inside] = found[row[inside] - w.row, column[inside] - w.column]
        worst = max(worst, float(np.abs(ours - nearest).max()))
        worst_union = max(worst_union, float(np.abs(ours[few] - np.minimum(exact, REACH_M)).max()))
    return {**seconds, "layers": len(layers), "worst_m": max(worst, worst_union)}


def worker(side: str, path: Path) -> None:
    answer = work_peers(path) if side == "peers" else work_ours(path, side)
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1 if sys.platform == "darwin" else 1024)
    print(json.dumps({**answer, "peak_mb": peak_mb / (1024 if sys.platform == "darwin" else 1)}))


def run_side(side: str, path: Path) -> dict:
    command = [sys.executable, "-W", "ignore", __file__, "--worker", side, "--workload", str(path)]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()[-1])


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--json", action="store_true")
    arguments.add_argument("--rounds", type=int, default=3)
    arguments.add_argument("--worker", choices=["base", "region", "cell", "peers"])
    arguments.add_argument("--workload", type=Path)
    asked = arguments.parse_args()
    if asked.worker:
        worker(asked.worker, asked.workload)
        return
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "workload.pkl"
        make_workload(path)
        rounds = [
            {side: run_side(side, path) for side in ("base", "region", "cell", "peers")} for _ in range(asked.rounds)
        ]
    report(rounds, asked.json)


def report(rounds: list[dict], as_json: bool) -> None:
    import rasterio
    import scipy
    import shapely

    def median(side: str, what: str) -> float:
        return statistics.median(float(r[side][what]) for r in rounds)

    cells, layers = rounds[0]["base"]["cells"], rounds[0]["peers"]["layers"]
    distance, tree = (statistics.median(r["peers"][p] * cells / r["base"]["terms"] for r in rounds) for p in
                      ("distance", "tree"))  # fmt: skip
    whole = {p: statistics.median(r["peers"][p] * cells / r["base"]["whole"] for r in rounds) for p in
             ("distance", "tree")}  # fmt: skip
    # How time grows is told from processor time, best of the rounds: what else runs on the machine slows a run on both
    # cores more than it slows a long one, and the clock on the wall then says more of the machine than of the code.
    best, cpu = ({side: min(r[side][what] for r in rounds) for side in ("base", "region", "cell")} for what in
                 ("whole", "cpu"))  # fmt: skip
    larger, finer = (cpu[s] / rounds[0][s]["cells"] / (cpu["base"] / cells) * 10 for s in ("region", "cell"))
    worst = max(r["peers"]["worst_m"] for r in rounds)
    print(f"| {cells:,} cells of 100 m, {layers} layers in 8 terms | seconds | to all terms | to the whole surface |")
    print("|---|---|---|---|")
    print(f"| clearplan, all terms in memory | {median('base', 'terms'):.2f} | 1.0x | |")
    print(f"| clearplan, whole surface with its files | {median('base', 'whole'):.2f} | | 1.0x |")
    print(f"| `STRtree.query_nearest`, {SAMPLE_TREE:,} cells, scaled | {median('peers', 'tree') * cells:.0f} "
          f"| {tree:.0f}x | {whole['tree']:.0f}x |")  # fmt: skip
    print(f"| `GeoSeries.distance` to the union, {SAMPLE_DISTANCE:,} cells, scaled "
          f"| {median('peers', 'distance') * cells:,.0f} | {distance:,.0f}x | {whole['distance']:,.0f}x |")  # fmt: skip
    print(f"\nExpected area with 200 draws over {rounds[0]['base']['known']:,.0f} known cells: "
          f"{median('base', 'area'):.1f} s.\n")  # fmt: skip
    print(
        f"| whole surface | cells | seconds, best of {len(rounds)} | processor seconds "
        "| for ten times the cells | peak memory, MB |"
    )
    print("|---|---|---|---|---|---|")
    for side, words in (("base", "100 m"), ("region", "ten regions side by side, 100 m"), ("cell", "31.6 m")):
        times = "" if side == "base" else f"{larger if side == 'region' else finer:.1f}x"
        print(f"| {words} | {rounds[0][side]['cells']:,} | {best[side]:.1f} | {cpu[side]:.1f} | {times} "
              f"| {median(side, 'peak_mb'):.0f} |")  # fmt: skip
    diagonal = CELL_M * math.sqrt(2)
    print(f"\nLargest difference from the exact distance: {worst:.1f} m (a cell's diagonal: {diagonal:.1f} m)")
    print(
        f"\nPython {platform.python_version()}, scipy {scipy.__version__}, numpy {np.__version__}, rasterio "
        f"{rasterio.__version__}, GDAL {rasterio.__gdal_version__}, shapely {shapely.__version__}, seed {SEED}"
    )
    if as_json:
        bars = {
            "over distance": {"value": round(distance), "bar": 100, "ok": distance >= 100},
            "over query_nearest": {"value": round(tree, 1), "bar": 20, "ok": tree >= 20},
            "ten times the region": {"value": round(larger, 2), "bar": 11, "ok": larger <= 11},
            "ten times the cells, finer": {"value": round(finer, 2), "bar": 11, "ok": finer <= 11},
            "agreement, diagonals": {"value": round(worst / CELL_M / math.sqrt(2), 3), "bar": 1,
                                     "ok": worst <= CELL_M * math.sqrt(2)},
        }  # fmt: skip
        print(json.dumps({"bars": bars}))


if __name__ == "__main__":
    main()

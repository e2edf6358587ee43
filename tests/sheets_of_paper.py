"""A small world on paper, and what its pages say: text, lines, colours."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from pypdf import PdfReader

from clearplan.core.imprint import Imprint
from clearplan.outputs.layers import Layers
from clearplan.read.background import Context
from tests.conftest import E0, N0, UTM, accident_table, hazard_table, zone_table

IMPRINT = Imprint("Field map", dt.date(2026, 1, 1), "Made up.", "abc123", "WGS 84 / UTM zone 38N")
HOSTILE = "$\\frac{a$ {{7*7}} <script>\n%(x)s \u65e5 Ağdərə Մարտակերտ"


def task_table(rows: list[dict]) -> gpd.GeoDataFrame:
    base = {"queue": "clearance", "land_class": "CHA", "district": "West", "zone_ids": "Z0", "hazard_ids": "H0",
            "ordnance": "AP", "mgrs_km": "38SPK4614", "position_error_m": 20.0, "source": "made up"}  # fmt: skip
    full = [base | {"task_id": f"T-{k}", "rank": float(k + 1), "area_m2": r["geometry"].area} | r
            for k, r in enumerate(rows)]  # fmt: skip
    return gpd.GeoDataFrame(full, geometry="geometry", crs=UTM)


def world(**more) -> Layers:
    """A CHA, an SHA with an enclave, a belt, two places 5 km apart, an accident, a road, a release, two districts."""
    field = shapely.box(E0, N0, E0 + 400, N0 + 300)
    suspect = shapely.Point(E0 + 1_500, N0 + 500).buffer(400).difference(shapely.Point(E0 + 1_500, N0 + 500).buffer(90))
    belt = shapely.box(E0 - 2_500, N0 - 3_000, E0 - 1_000, N0 + 3_000)
    hazards = hazard_table([
        {"geometry": field, "land_class": "CHA"}, {"geometry": suspect, "ordnance": "mixed"},
        {"geometry": belt, "land_class": "indication", "kind": "contact-line", "ordnance": "unknown"},
    ])  # fmt: skip
    areas = hazards.assign(area_id=hazards["hazard_id"], band=["whole", "whole", "outer"])
    tasks = task_table([
        {"geometry": field}, {"geometry": suspect, "queue": "survey", "land_class": "SHA", "hazard_ids": "H1"},
    ])  # fmt: skip
    zones = zone_table([
        {"geometry": shapely.Point(E0 - 2_000, N0 - 1_000)},
        {"geometry": shapely.Point(E0 + 3_000, N0 - 1_000), "people": None},
    ])  # fmt: skip
    road = {"lifeline_id": "L0", "zone_id": "Z0", "kind": "road", "name": "Mill road", "position_error_m": 30.0}
    lifelines = gpd.GeoDataFrame(
        [road], geometry=[shapely.LineString([(E0 - 2_000, N0 - 1_000), (E0 + 900, N0 + 200)])], crs=UTM
    )
    releases = gpd.GeoDataFrame(
        {"release_id": ["R0"], "action": ["cleared"], "decided_on": pd.to_datetime(["2024-05-01"]), "deferred": None},
        geometry=[shapely.box(E0 + 300, N0 + 300, E0 + 500, N0 + 400)], crs=UTM,
    )  # fmt: skip
    west, east = (shapely.box(E0 + a, N0 - 9_000, E0 + b, N0 + 9_000) for a, b in ((-9_000, 800), (800, 9_000)))
    districts = gpd.GeoDataFrame({"name": ["West", "East"]}, geometry=[west, east], crs=UTM)
    own = {
        "tasks": tasks, "areas": areas, "zones": zones, "lifelines": lifelines, "releases": releases,
        "accidents": accident_table([(E0 + 250, N0 - 200)], ["2025-03-04"]), "context": Context(districts=districts),
    }  # fmt: skip
    return Layers(**(own | more))


def text_of(path: Path, page: int = 0) -> str:
    """All text of a page as pypdf finds it, in one line."""
    return " ".join(PdfReader(path).pages[page].extract_text().split())


def upright_lines(path: Path, least_mm: float = 100.0) -> np.ndarray:
    """Places of the upright lines of a page that are so long at least [mm], from left to right."""
    content = PdfReader(path).pages[0].get_contents().get_data().decode("latin-1")
    found = set()
    for path_words in re.findall(r"[-\d.]+ [-\d.]+ m(?:\s[-\d.]+ [-\d.]+ l)+", content):
        xy = np.array([list(map(float, pair)) for pair in re.findall(r"([-\d.]+) ([-\d.]+) [ml]", path_words)])
        if np.ptp(xy[:, 0]) < 0.01 and np.ptp(xy[:, 1]) * 25.4 / 72 > least_mm:
            found.add(round(float(xy[0, 0]) * 25.4 / 72, 2))
    return np.array(sorted(found))

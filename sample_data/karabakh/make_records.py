"""Make the illustrative minefield records of this sample: real records are confidential.

    python make_records.py [--out FILE]

Only ``random.Random.random`` is drawn from, whose stream Python guarantees for a seed. The landmarks are real places of
the gazetteer; fields, units, numbers and dates are made up, measured as a squad with a compass and paces would have.
Three records are faulty on purpose: a letter O in a bearing, a reference point on another map sheet, and a closed
traverse with two digits of a distance swapped.
"""

import argparse
import csv
import datetime as dt
import math
from itertools import pairwise
from pathlib import Path
from random import Random

import pandas as pd
import pyproj
import shapely
from make_illustrative import HERE, between, near, one_of, shape_of

from clearplan.geo.coordinates import mgrs_square
from clearplan.geo.soviet_sheets import sheet_at
from clearplan.outputs.workbooks.record_form import write_record_workbook

SEED = 20210612
SOURCE = f"Illustrative, made by make_records.py with seed {SEED}"
RECORDS = 60
LETTER_O, OTHER_SHEET, SWAPPED_DIGITS, MOVED = 17, 34, 51, 8
LANDMARKS = {"MT", "HLL", "PK", "PASS", "CH", "MSTY", "RUIN", "FT", "WLL", "SPNG", "BDG", "RSTN", "CMP", "TMB", "MNMT"}
TO_METRES = pyproj.Transformer.from_crs(4326, 32638, always_xy=True).transform
TO_GRID = pyproj.Transformer.from_crs(4326, 28408, always_xy=True).transform
FROM_GRID = pyproj.Transformer.from_crs(28408, 4326, always_xy=True).transform
TO_SK42 = pyproj.Transformer.from_crs(28408, 4284, always_xy=True).transform
GRID = pyproj.Proj("EPSG:28408")
PACE_M = 0.75


def landmarks(line: shapely.LineString, country: shapely.Geometry) -> list[tuple[str, float, float]]:
    """Named landmarks within 9 km of the line: name, longitude, latitude."""
    found = []
    with (HERE / "places" / "landmarks.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            point = shapely.Point(TO_METRES(float(row["longitude"]), float(row["latitude"])))
            if row["fcode"] in LANDMARKS and line.distance(point) < 9_000 and country.contains(point):
                found.append((row["name"], float(row["longitude"]), float(row["latitude"])))
    return found


def spread(draw: Random, sigma: float) -> float:
    """About normal: the sum of twelve even draws."""
    return sigma * (sum(draw.random() for _ in range(12)) - 6)


def dms(value: float, letter: str) -> str:
    seconds = round(abs(value) * 3600)
    return f"{seconds // 3600}°{seconds // 60 % 60:02d}'{seconds % 60:02d}\"{letter}"


def ddm(value: float, letter: str) -> str:
    minutes = round(abs(value) * 60, 2)
    return f"{int(minutes // 60)}°{minutes % 60:05.2f}'{letter}"


def written(kind: str, x: float, y: float) -> str:
    """A grid position in the notation of the record."""
    lon, lat = TO_SK42(x, y)
    if kind == "grid":
        return f"x={round(y)} y={round(x)}"
    if kind == "dms":
        return f"{dms(lat, 'N')} {dms(lon, 'E')}"
    if kind == "cyrillic":
        return f"{dms(lat, ' с.ш.')} {dms(lon, ' в.д.')}"
    if kind == "ddm":
        return f"{ddm(lat, 'N')} {ddm(lon, 'E')}"
    if kind == "decimal":
        return f"{lat:.5f}°N {lon:.5f}°E"
    lon, lat = FROM_GRID(x, y)
    if kind == "mgrs":
        return mgrs_square(lon, lat, 4)
    if kind == "utm":
        east, north = TO_METRES(lon, lat)
        return f"38N {round(east)} {round(north)}"
    return f"{lat:.5f}N {lon:.5f}E"


class Squad:
    """One squad with its compass and pace, and how its record writes bearings and distances."""

    def __init__(self, draw: Random, year: int, wgs84: bool) -> None:
        self.draw, self.year, self.wgs84 = draw, year, wgs84
        kind = draw.random()
        self.unit = "degrees" if wgs84 or kind < 0.3 else "mils-6000"
        self.north = "true" if wgs84 and kind < 0.5 else "grid" if kind < 0.15 else "magnetic"
        self.paces = not wgs84 and draw.random() < 0.4
        self.turn, self.stretch = spread(draw, 0.7), 1 + spread(draw, 0.02)

    def leg(self, here: tuple[float, float], there: tuple[float, float]) -> tuple[str, str]:
        """Bearing and distance as this squad would have written them."""
        east, north = there[0] - here[0], there[1] - here[1]
        grid = math.degrees(math.atan2(east, north)) + self.turn + spread(self.draw, 0.5)
        convergence = GRID.get_factors(*GRID(*here, inverse=True)).meridian_convergence
        declination = 4.63 + 0.055 * (self.year - 1992)  # about that of the region; the compass has its error anyway
        bearing = grid + (0 if self.north == "grid" else convergence)
        bearing = (bearing - (declination if self.north == "magnetic" else 0)) % 360
        length = math.hypot(east, north) * self.stretch + spread(self.draw, 1.0)
        distance = str(round(length / PACE_M)) if self.paces else str(round(length))
        if self.unit == "degrees":
            return f"{round(bearing * 2) % 720 / 2:g}", distance
        mils = round(bearing / 0.3) * 5 % 6000  # a compass is read to 0-05
        return f"{mils // 100}-{mils % 100:02d}", distance


def corners(draw: Random, x: float, y: float) -> list[tuple[float, float]]:
    """Corners of a field in order, none of them crossing."""
    count = 4 + int(draw.random() * 4)
    size, stretch, turn = between(draw, 60, 190), between(draw, 1, 2.5), between(draw, 0, math.pi)
    ring = []
    for k in range(count):
        angle = -2 * math.pi * (k + 0.5 * draw.random()) / count
        u, v = stretch * size * math.cos(angle), size * math.sin(angle)
        ring.append((x + u * math.cos(turn) - v * math.sin(turn), y + u * math.sin(turn) + v * math.cos(turn)))
    return ring


def rows_of_field(draw: Random, x: float, y: float) -> list[list[tuple[float, float]]]:
    """Two ends of each of one to three rows, side by side."""
    turn, length = between(draw, 0, 2 * math.pi), between(draw, 120, 420)
    along, across = (math.sin(turn), math.cos(turn)), (math.cos(turn), -math.sin(turn))
    found = []
    for k in range(1 + int(draw.random() * 3)):
        begin = (x + 15 * k * across[0], y + 15 * k * across[1])
        found.append([begin, (begin[0] + length * along[0], begin[1] + length * along[1])])
    return found


def make(number: int, draw: Random, place: tuple[str, float, float]) -> tuple[dict, list[dict]]:
    """One record and its legs."""
    record_id = f"R-{number:03d}"
    name, lon, lat = place
    wgs84 = number % 5 == 4
    year = (2008 + int(draw.random() * 12)) if wgs84 else (1992 + int(draw.random() * 3))
    squad = Squad(draw, year, wgs84)
    squad.unit = "mils-6000" if number == LETTER_O else squad.unit
    kinds = ["mgrs", "utm", "gps"] if wgs84 else ["grid", "grid", "dms", "cyrillic", "ddm", "decimal"]
    kind = str(one_of(draw, kinds))
    true = TO_GRID(lon, lat)
    on_map = (true[0] + spread(draw, 22), true[1] + spread(draw, 22))
    sheet = sheet_at(*TO_SK42(*on_map), 50_000)
    start = near(draw, *true, 150, 850)
    legs = [{"point_no": "A", "point_kind": "reference", "coordinates": written(kind, *on_map), "landmark": name,
             "method": "gnss" if kind == "gps" else "map"}]  # fmt: skip
    count = 0

    def add(point_kind: str, here: tuple[float, float], there: tuple[float, float], **more: str) -> None:
        nonlocal count
        count += 1
        bearing, distance = squad.leg(here, there)
        method = "compass-paces" if squad.paces else "compass-tape"
        legs.append({"point_no": str(count), "point_kind": point_kind, "bearing": bearing, "distance": distance,
                     "method": method, **more})  # fmt: skip

    rows = draw.random() < 0.25 and number != SWAPPED_DIGITS
    perimeter = None
    if rows:
        here = true
        for k, (begin, end) in enumerate(rows_of_field(draw, *start)):
            add("start", here, begin, **({"from_point": str(count - 1)} if k else {}))
            add("row-end", begin, end)
            here = begin
    else:
        ring = corners(draw, *start)
        add("start", true, ring[0])
        for here, there in pairwise(ring):
            add("turning", here, there)
        perimeter = round(sum(math.dist(a, b) for a, b in zip(ring, [*ring[1:], ring[0]], strict=True)), -1)
        if draw.random() < 0.4 or number == SWAPPED_DIGITS:
            add("end", ring[-1], ring[0], closes_on="1")
    if number == SWAPPED_DIGITS:
        leg = max(legs[2:-1], key=lambda row: abs(int(row["distance"][::-1]) - int(row["distance"])))
        leg["distance"] = leg["distance"][::-1]
    if number == LETTER_O:
        legs[2]["bearing"] = "12-5O"
    handed = dt.date(2021, 6, 12) if lat > 39.75 else dt.date(2021, 7, 3)
    record = {
        "record_id": record_id,
        "record_number": str(100 + int(draw.random() * 800)),
        "unit": f"illustrative unit {1 + number % 7}",
        "base_sheet": sheet_at(sheet.west - 0.1, (sheet.south + sheet.north) / 2, 50_000).name
        if number == OTHER_SHEET
        else None if wgs84 else sheet.name,
        "datum": "WGS 84" if wgs84 else "SK-42",
        "north": squad.north,
        "angle_unit": squad.unit,
        "distance_unit": "paces" if squad.paces else "m",
        "pace_m": PACE_M if squad.paces else None,
        "laid_on": dt.date(year, 1 + int(draw.random() * 12), 1 + int(draw.random() * 28)),
        "ordnance": one_of(draw, ["AP", "AP", "AV", "mixed"]),
        "ordnance_count": 20 + int(draw.random() * 300),
        "emplacing_method": "manual",
        "anti_handling": "unknown",
        "rows": len(legs) // 2 if rows else None,
        "perimeter_m": perimeter,
        "sigma_reference_m": 10 if kind == "gps" else 25,
        "sigma_bearing_deg": 1,
        "sigma_shared_bearing_deg": 1,
        "sigma_distance_m": 3,
        "sigma_scale": 0.03 if squad.paces else 0.01,
        "reliability": round(between(draw, 0.1, 0.7), 1),
        "handed_over_by": "illustrative party",
        "handed_over_on": handed,
        "source": SOURCE,
    }  # fmt: skip
    return record, [{"record_id": record_id, **leg} for leg in legs]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=HERE / "records.xlsx")
    out = parser.parse_args().out
    draw = Random(SEED)
    line = shape_of("line_of_contact/line_of_contact_1994_2020.geojson")
    country = shapely.intersection(shape_of("admin/countries_az_am.geojson"), shape_of("admin/districts_az_am.geojson"))
    places = landmarks(line, country)
    records, legs, anchors = [], [], []
    for number in range(1, RECORDS + 1):
        place = places.pop(int(draw.random() * len(places)))
        record, own = make(number, draw, place)
        records.append(record)
        legs += own
        if number == MOVED:
            anchors.append(
                {"record_id": record["record_id"], "landmark": place[0],
                 "coordinates": f"{place[2]:.5f}N {place[1]:.5f}E",
                 "datum": "WGS 84", "position_error_m": 5, "anchored_by": "illustrative survey team",
                 "anchored_on": dt.date(2023, 5, 16), "reason": "landmark found and measured with a satellite receiver"}
            )  # fmt: skip
    out.unlink(missing_ok=True)
    tables = {"records": pd.DataFrame(records), "legs": pd.DataFrame(legs), "anchors": pd.DataFrame(anchors)}
    write_record_workbook(tables, out)


if __name__ == "__main__":
    main()

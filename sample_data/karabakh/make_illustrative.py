"""Make the illustrative minefields and accidents of this sample: real hazard layers are confidential.

    python make_illustrative.py [--out FOLDER]

Only ``random.Random.random`` is drawn from, whose stream Python guarantees for a seed, and coordinates are rounded
to 0.1 m: the files are the same bytes at every run. Where the points lie follows the contact line and the
gazetteer; nothing in here comes from a hazard record.
"""

import argparse
import csv
import datetime as dt
import json
import math
from pathlib import Path
from random import Random

import pyproj
import shapely

HERE = Path(__file__).parent
SEED = 20201110
SOURCE = f"Illustrative, made by make_illustrative.py with seed {SEED}"
MINEFIELDS, ACCIDENTS, OUTSIDE = 400, 350, 252  # 252 of 350 is 72 %, the share published for 2020-2024
BELT_M = 7_000
# Districts that held the line or lay behind it: codes of the column hasc in the gazetteer.
DISTRICTS = {
    "AZ-AM",
    "AZ-FU",
    "AZ-CB",
    "AZ-ZG",
    "AZ-QD",
    "AZ-SU",
    "AZ-KA",
    "AZ-XD",
    "AZ-TA",
    "AZ-XC",
    "AZ-GR",
}
TO_METRES = pyproj.Transformer.from_crs(4326, 32638, always_xy=True).transform
TO_DEGREES = pyproj.Transformer.from_crs(32638, 4326, always_xy=True).transform


def rows_of(name: str) -> list[dict[str, str]]:
    with (HERE / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def shape_of(name: str) -> shapely.Geometry:
    """All features of a layer as one shape in UTM 38N."""
    features = json.loads((HERE / name).read_text(encoding="utf-8"))["features"]
    shapes = [shapely.from_geojson(json.dumps(feature["geometry"])) for feature in features]
    return shapely.transform(shapely.union_all(shapes), TO_METRES, interleaved=False)


def between(draw: Random, low: float, high: float) -> float:
    return low + (high - low) * draw.random()


def one_of(draw: Random, values: list) -> object:
    return values[int(draw.random() * len(values))]


def near(draw: Random, x: float, y: float, low_m: float, high_m: float) -> tuple[float, float]:
    """A point at a random bearing and distance."""
    angle, far = between(draw, 0, 2 * math.pi), between(draw, low_m, high_m)
    return x + far * math.cos(angle), y + far * math.sin(angle)


def beside_line(draw: Random, line: shapely.LineString, reach_m: float) -> tuple[float, float]:
    """A point beside the line; near the line oftener than far from it."""
    at = line.interpolate(between(draw, 0, line.length))
    return near(draw, at.x, at.y, 0, reach_m * draw.random())


def field(draw: Random, x: float, y: float) -> list[tuple[float, float]]:
    """Ring of a field: some long strips, some patches, 1 to 60 ha."""
    size, stretch, turn = between(draw, 70, 260), between(draw, 1, 4), between(draw, 0, math.pi)
    corners = 5 + int(draw.random() * 8)
    ring = []
    for k in range(corners):
        angle = 2 * math.pi * (k + 0.6 * draw.random()) / corners
        radius = size * between(draw, 0.6, 1.2)
        u, v = stretch * radius * math.cos(angle), radius * math.sin(angle)
        ring.append((x + u * math.cos(turn) - v * math.sin(turn), y + u * math.sin(turn) + v * math.cos(turn)))
    degrees = [tuple(round(c, 6) for c in TO_DEGREES(*corner)) for corner in ring]
    return [*degrees, degrees[0]]


def day(draw: Random, first: dt.date, last: dt.date) -> str:
    return (first + dt.timedelta(days=int(draw.random() * (last - first).days))).isoformat()


def places_of_districts() -> list[tuple[float, float]]:
    """Populated places of the districts, in UTM 38N."""
    return [
        TO_METRES(float(row["longitude"]), float(row["latitude"]))
        for row in rows_of("places/populated_places.csv")
        if row["hasc"] in DISTRICTS
    ]


def minefields(draw: Random, line: shapely.LineString, country: shapely.Geometry) -> list[dict]:
    zones = [TO_METRES(float(row["lon"]), float(row["lat"])) for row in rows_of("resettlement.csv")]
    places = places_of_districts()
    features: list[dict] = []
    centres: list[tuple[float, float]] = []
    while len(features) < MINEFIELDS:
        kind = draw.random()
        if kind < 0.50:
            x, y = beside_line(draw, line, 6_000)
        elif kind < 0.70:
            x, y = near(draw, *one_of(draw, zones), 400, 4_500)
        elif kind < 0.90:
            x, y = near(draw, *one_of(draw, places), 500, 3_000)
        elif centres:
            x, y = near(draw, *one_of(draw, centres), 60, 300)  # overlaps an earlier one
        else:
            continue
        ring = field(draw, x, y)
        polygon = shapely.Polygon([TO_METRES(*corner) for corner in ring])
        if not polygon.is_valid or not country.contains(polygon):
            continue
        centres.append((x, y))
        confirmed = draw.random() < 0.35
        kind, state = draw.random(), draw.random()
        features.append(
            {
                "type": "Feature",
                "properties": {
                    "PolyID": f"KB-{len(centres):04d}",
                    "HazClass": "Confirmed Hazardous Area" if confirmed else "Suspected Hazardous Area",
                    "HazStatus": "Closed" if state < 0.04 else "Worked on" if state < 0.12 else "Open",
                    "MineType": "AP" if kind < 0.45 else "AT" if kind < 0.70 else "AP+AT",
                    "PosErr_m": 10 if confirmed else int(one_of(draw, [30, 50, 100])),
                    "SurveyDate": day(draw, dt.date(2021, 2, 1), dt.date(2025, 12, 1)),
                    "Origin": SOURCE,
                },
                "geometry": {"type": "Polygon", "coordinates": [ring]},
            }
        )
    return features


def accidents(draw: Random, line: shapely.LineString, country: shapely.Geometry, fields: list[dict]) -> list[list]:
    centres = [TO_METRES(*feature["geometry"]["coordinates"][0][0]) for feature in fields]
    places = places_of_districts()
    left = {True: OUTSIDE, False: ACCIDENTS - OUTSIDE}
    rows: list[list] = []
    while len(rows) < ACCIDENTS:
        kind = draw.random()
        if kind < 0.25:
            x, y = beside_line(draw, line, 6_500)
        elif kind < 0.60:
            x, y = near(draw, *one_of(draw, centres), 100, 1_800)
        else:
            x, y = near(draw, *one_of(draw, places), 300, 3_000)
        distance = line.distance(shapely.Point(x, y))
        outside = distance > BELT_M
        # Rounding and another PROJ must not move a point across the edge of the belt.
        if not left[outside] or abs(distance - BELT_M) < 50 or not country.contains(shapely.Point(x, y)):
            continue
        left[outside] -= 1
        lon, lat = TO_DEGREES(x, y)
        kind = draw.random()
        device = "AP" if kind < 0.45 else "AV" if kind < 0.70 else "UXO" if kind < 0.90 else "unknown"
        when = day(draw, dt.date(2020, 11, 10), dt.date(2025, 12, 31))
        error = one_of(draw, [50, 100, 250, 500])
        rows.append([f"ACC-{len(rows) + 1:04d}", f"{lon:.6f}", f"{lat:.6f}", when, device, error, SOURCE])
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=HERE / "illustrative")
    out = parser.parse_args().out
    out.mkdir(parents=True, exist_ok=True)
    draw = Random(SEED)
    line = shape_of("line_of_contact/line_of_contact_1994_2020.geojson")
    districts = shape_of("admin/districts_az_am.geojson")
    country = shapely.intersection(shape_of("admin/countries_az_am.geojson"), districts)
    fields = minefields(draw, line, country)
    collection = ",\n".join(json.dumps(feature, separators=(",", ":")) for feature in fields)
    text = f'{{"type":"FeatureCollection","name":"minefields","features":[\n{collection}\n]}}\n'
    (out / "minefields.geojson").write_text(text, encoding="utf-8", newline="\n")
    with (out / "accidents.csv").open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(["accident_id", "lon", "lat", "occurred_on", "device", "position_error_m", "source"])
        table.writerows(accidents(draw, line, country, fields))


if __name__ == "__main__":
    main()

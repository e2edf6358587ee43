"""A table with everything that formats lose: odd texts, blanks of every type, heights, places that are missing."""

import geopandas as gpd
import pandas as pd
from shapely import MultiPoint, Point

from clearplan.core.reason import Reason
from clearplan.tables.arrow import plain_text
from tests.conftest import E0, N0, UTM

TEXTS = [
    "=cmd|' /C calc'!A0", "<script>alert(1)</script>", "{{7*7}}", "it's \"quoted\" & <b>bold</b>", "line\nbreak",
    "nul\x00byte", "\U0001f600 emoji", "Հայերեն Ադամ", "[% 1 + 1 %]", "]]> &amp;", "a;b", "x" * 300, "é" * 200, "-1",
    "", None,
]  # fmt: skip
NOTICE = "Notice <b>'quoted'</b> & [% env('HOME') %] \U0001f600 {{7*7}}"


def nasty_zones() -> gpd.GeoDataFrame:
    """ZONES with a row for each text; numbers, days, yes and no, and places are there in some rows only."""
    n = len(TEXTS)
    every = range(n)
    table = pd.DataFrame(
        {
            "zone_id": [f"Z{k}" for k in every],
            "name": pd.Series(TEXTS, dtype=object),
            "people": [None if k % 3 == 0 else 0.0 if k % 3 == 1 else 1e6 + k for k in every],
            "planned_return": pd.to_datetime(pd.Series(["2026-05-01" if k % 2 else None for k in every], dtype=object)),
            "position_error_m": [0.1 + 0.2 if k % 2 else float("nan") for k in every],
            "source": [TEXTS[-3 - k % (n - 2)] or "s" for k in every],
            "deferred": pd.Series([None if k > 2 else "no coordinates" for k in every], dtype=object),
            "opens_in": pd.array([None if k % 2 else k for k in every], dtype="Int64"),
            "fid": pd.array(list(every), dtype="int64"),
            "seen_by_nobody": pd.Series([None] * n, dtype=object),
            "is_open": pd.Series([None, True, False] * 5 + [True], dtype=object)[:n],
            "a rather long name, 'quoted'": 1.0 / 3,
            "a rather long name too": 1e-20,
            "large": [1e300 if k == 5 else 123456789012.345 for k in every],
        }
    )
    shapes = [None, None, Point(), *(Point(E0 + 10.123456789 * k, N0 + k) for k in range(3, n))]
    return gpd.GeoDataFrame(table, geometry=shapes, crs=UTM)


def with_heights(table: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """The same with a height in one place and several points in another."""
    shapes = table.geometry.to_numpy().copy()
    shapes[4], shapes[5] = Point(E0, N0, 1234.5), MultiPoint([(E0, N0), (E0 + 1, N0)])
    return table.set_geometry(gpd.GeoSeries(shapes, crs=table.crs))


def same(value: object, found: object, digits: float = 0.0) -> bool:
    """Whether a cell came back: unknown as unknown, text as text, a reason as its text, 1 for yes, a day as a day."""
    if value is None or value is pd.NaT or value is pd.NA or (isinstance(value, float) and value != value):
        return bool(pd.isna(found))
    if found is None or found is pd.NaT or found is pd.NA:
        return False
    if isinstance(value, pd.Timestamp):
        return str(found)[:10] == value.date().isoformat()
    if isinstance(value, str | Reason):
        return plain_text(value) == found
    return abs(float(value) - float(found)) <= digits * abs(float(value))

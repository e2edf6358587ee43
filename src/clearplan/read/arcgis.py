"""A layer of an ArcGIS feature service (IMSMA Core is one), read page by page; nothing is ever written there.

A token comes from the environment alone (``CLEARPLAN_ARCGIS_TOKEN``), travels in a header and stands in no message.
Pages are asked for by object id, and what comes back is counted: a server that cuts its answer short can't hide rows.

Source: Esri, ArcGIS REST APIs, "Query (Feature Service/Layer)".
"""

from __future__ import annotations

import datetime as dt
import json
import os
import time
from http.client import HTTPException
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode, urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

import geopandas as gpd
import pandas as pd

from clearplan.core.errors import ReadError
from clearplan.read.files import read_raw
from clearplan.read.postgis import is_loopback, shown
from clearplan.read.row_counts import SERVER_ROWS
from clearplan.read.time_zones import utc_fields, zone_of_service

TOKEN = "CLEARPLAN_ARCGIS_TOKEN"
_TIMEOUT_S = 120  # [s] for each answer
_TRIES = 3  # of each question, where the server is busy or the line breaks
_CALENDAR_MS = (-62_135_510_400_000, 253_402_214_399_999)  # years 1 to 9999 in every zone, from 1970
PAUSE_S = 1.0  # [s] between them
_LARGEST_BYTES = 512 << 20  # of one answer
_MOST_ROWS = 2_000_000  # of a layer
_PAGE = 1_000  # rows asked for at once, where the server doesn't allow fewer
_WHOLE = {"esriFieldTypeOID", "esriFieldTypeInteger", "esriFieldTypeSmallInteger", "esriFieldTypeBigInteger"}
_REAL = {"esriFieldTypeSingle", "esriFieldTypeDouble"}


def read_service(url: str, *, lenient: bool = False) -> pd.DataFrame | gpd.GeoDataFrame:
    """All rows of a layer or table, in the order of their object ids.

    Parameters
    ----------
    url : str
        ``https://host/.../FeatureServer/0``: the layer's own address, with its number, without a token.
    lenient : bool
        Take what comes where the service counts other rows than it gives.

    Returns
    -------
    GeoDataFrame in the CRS that the service states, or DataFrame of a table without shapes. Dates are moments in the
    zone that the service states for them, or in UTC where it states none; they have no zone where it says that it does
    not know theirs. Coded values stay codes. ``attrs`` holds how many rows the service counts, as ``server_rows``.

    Raises
    ------
    ReadError
        The server can't be reached or refuses, gives other rows than it counts, or the token would travel in the open.
    """
    about = _ask(url, {})
    if "fields" not in about:
        raise ReadError(f"{url}: is no layer; end it with the layer's number, such as .../FeatureServer/0")
    unknown = {"timeReferenceUnknownClient": "true"} if zone_of_service(about) is None else {}
    listed = _ask(f"{url}/query", {"where": "1=1", "returnIdsOnly": "true"} | unknown)
    ids = sorted(listed.get("objectIds") or [])
    if len(ids) > _MOST_ROWS:
        raise ReadError(f"{url}: holds {len(ids):,} rows; more than {_MOST_ROWS:,} are not read, name a smaller layer")
    counted = _ask(f"{url}/query", {"where": "1=1", "returnCountOnly": "true"} | unknown)
    key = str(listed.get("objectIdFieldName") or about.get("objectIdField") or "OBJECTID")
    size = max(1, min(_PAGE, int(about.get("maxRecordCount") or _PAGE)))
    rows: list[dict[str, Any]] = []
    for start in range(0, len(ids), size):
        rows += _page(url, key, ids[start : start + size], unknown)
    claimed = int(counted.get("count", len(ids)))
    if not lenient:
        _refuse_other_count(url, claimed, ids, {row["attributes"][key] for row in rows})
    table = _attributes(about, rows)
    if about.get("geometryType"):
        table = _with_shapes(table, rows, about, url)
    table.attrs[SERVER_ROWS] = claimed
    return table


def _refuse_other_count(url: str, claimed: int, ids: list[int], there: set[int]) -> None:
    """A service gives the rows whose ids it names, and as many as it counts."""
    lost = [one for one in ids if one not in there]
    if lost:
        raise ReadError(
            f"{url}: rows {lost[:3]} were counted and did not come; they may just have been removed: run again, or "
            "read with lenient = true"
        )
    if claimed != len(ids):
        raise ReadError(
            f"{url}: counts {claimed:,} rows and gives {len(ids):,} (returnCountOnly, returnIdsOnly); run again, ask "
            "its owner, or read with lenient = true"
        )


def _page(url: str, key: str, ids: list[int], unknown: dict[str, str]) -> list[dict[str, Any]]:
    """Rows of these ids, where they come; what the server cut off is asked for again in smaller parts.

    ``unknown`` goes with each question where the service does not know the zone of its dates, and refuses else.
    """
    question = unknown | {
        "objectIds": ",".join(map(str, ids)),
        "outFields": "*",
        "returnGeometry": "true",
        "returnZ": "true",
        "returnTrueCurves": "false",
    }
    features = _ask(f"{url}/query", question).get("features", [])
    _refuse_nameless(url, key, ids, features)
    answers = {row["attributes"][key]: row for row in features}
    lost = [one for one in ids if one not in answers]
    again = _page(url, key, lost, unknown) if 0 < len(lost) < len(ids) else []
    return [answers[one] for one in ids if one in answers] + again


def _refuse_nameless(url: str, key: str, ids: list[int], features: object) -> None:
    """Each row of an answer must have attributes, and its id among them."""
    if not isinstance(features, list):
        raise ReadError(f"{url}: answers with no list of rows; is it the address of a feature layer?")
    for number, row in enumerate(features, start=1):
        attributes = row.get("attributes") if isinstance(row, dict) else None
        if not isinstance(attributes, dict) or type(attributes.get(key)) is not int:
            lack = f"id {key!r}" if isinstance(attributes, dict) else "attributes"
            raise ReadError(
                f"{url}: row {number} of {len(features)} in the answer for ids {ids[0]} to {ids[-1]} has no {lack}; "
                "ask the owner of the service"
            )


class _Staying(HTTPRedirectHandler):
    """Follows nobody elsewhere: a token goes to the server that the user named, and to no other."""

    def redirect_request(self, *args: Any, **kwargs: Any) -> None:
        return None


def _ask(url: str, question: dict[str, str]) -> dict[str, Any]:
    """One answer as JSON; the question travels in the body, so that no log of addresses keeps it."""
    request = Request(url, data=urlencode(question | {"f": "json"}).encode(), headers=_headers(url))
    for attempt in range(_TRIES):
        try:
            with build_opener(_Staying).open(request, timeout=_TIMEOUT_S) as answer:
                content = answer.read(_LARGEST_BYTES + 1)
                if answer.length and len(content) <= _LARGEST_BYTES:
                    raise ConnectionError(f"its answer breaks off after {len(content):,} bytes")
            if len(content) > _LARGEST_BYTES:
                raise ReadError(f"{url}: answers with more than {_LARGEST_BYTES >> 20:,} MB at once; ask its owner")
            return _told(url, json.loads(content.decode("utf-8")))
        except HTTPError as error:
            error.close()
            if error.code < 500 or attempt == _TRIES - 1:
                raise ReadError(f"{url}: {_refusal(error.code)}") from None
        except (URLError, OSError, HTTPException) as error:
            if attempt == _TRIES - 1:
                reason = shown(str(getattr(error, "reason", error)))
                raise ReadError(f"{url}: can't be reached ({reason}); is the server up, and the url right?") from None
        except (ValueError, RecursionError):
            raise ReadError(f"{url}: does not answer in JSON; is it the address of a feature layer?") from None
        time.sleep(PAUSE_S)
    raise AssertionError("unreachable")


def _headers(url: str) -> dict[str, str]:
    token = os.environ.get(TOKEN)
    if not token:
        return {}
    parts = urlsplit(url)
    if parts.scheme != "https" and not is_loopback(parts.hostname or ""):
        raise ReadError(f"{url}: a token must not travel in the open; write https://")
    return {"X-Esri-Authorization": f"Bearer {token}", "Authorization": f"Bearer {token}"}


def _told(url: str, answer: Any) -> dict[str, Any]:
    """The answer, or the refusal that ArcGIS sends with status 200."""
    if not isinstance(answer, dict):
        raise ReadError(f"{url}: does not answer as a feature layer does; correct the url")
    if error := answer.get("error"):
        words = str(error.get("message", "")) if isinstance(error, dict) else str(error)
        token = os.environ.get(TOKEN)
        words = shown(words.replace(token, "...") if token else words)
        code = error.get("code") if isinstance(error, dict) else None
        raise ReadError(f"{url}: {_refusal(int(code or 0), words)}")
    return answer


def _refusal(code: int, words: str = "") -> str:
    if code in (401, 403, 498, 499):
        state = "was refused" if os.environ.get(TOKEN) else "is needed"
        return f"a token {state}; set a valid one as {TOKEN} in the environment"
    if 300 <= code < 400:
        return f"sends on to another address (status {code}); write the layer's own address"
    return f"refuses ({words or f'status {code}'}); correct the url, or ask its owner"


def _attributes(about: dict[str, Any], rows: list[dict[str, Any]]) -> pd.DataFrame:
    zone, noted_in_utc = zone_of_service(about), utc_fields(about)
    columns = {}
    for described in about["fields"]:
        name, kind = str(described["name"]), described.get("type")
        values = [row["attributes"].get(name) for row in rows]
        if kind == "esriFieldTypeGeometry":
            continue
        if kind in _WHOLE:
            columns[name] = _numbers(values, pd.Int64Dtype())
        elif kind in _REAL:
            columns[name] = _numbers(values, pd.Float64Dtype())
        elif kind == "esriFieldTypeDate":
            columns[name] = _moments(values, dt.UTC if zone is None and name in noted_in_utc else zone)
        else:  # days and times of day come as text, and so do moments with an offset of their own
            columns[name] = _texts(values)
    return pd.DataFrame(columns, index=range(len(rows)))


def _texts(values: list[Any]) -> pd.Series:
    return pd.Series([None if value is None else str(value) for value in values], dtype=object)


def _numbers(values: list[Any], dtype: pd.Int64Dtype | pd.Float64Dtype) -> pd.Series:
    """Numbers of the field's type; a column with a cell of another type, or too large for it, stays as text."""
    try:
        return pd.Series(values, dtype=dtype)
    except (TypeError, ValueError, OverflowError):
        return _texts(values)


def _moments(values: list[Any], zone: dt.tzinfo | None) -> pd.Series:
    """Milliseconds since 1970 in UTC as moments of a zone; without one as what a clock on the wall showed.

    A column with one beyond the years 1 to 9999, or with what is no such count, stays as text: that row is a fault.
    """
    earliest, latest = _CALENDAR_MS
    counts = [value if isinstance(value, int) and earliest <= value <= latest else None for value in values]
    moments = pd.to_datetime(pd.Series(counts, dtype="Int64"), unit="ms")
    if zone is not None:
        moments = moments.dt.tz_localize("UTC").dt.tz_convert(zone)
    if counts == values:
        return moments
    cells = zip(values, counts, moments, strict=True)
    return _texts([value if count is None else moment.isoformat() for value, count, moment in cells])


def _with_shapes(frame: pd.DataFrame, rows: list[dict[str, Any]], about: dict[str, Any], url: str) -> gpd.GeoDataFrame:
    """Shapes by GDAL's own reader of Esri's JSON, which knows its rings."""
    place = (about.get("extent") or {}).get("spatialReference") or about.get("spatialReference")
    if not place:
        raise ReadError(f"{url}: states no spatial reference; ask its owner to set it")
    if not rows:
        return gpd.GeoDataFrame(frame, geometry=[], crs=f"EPSG:{place.get('latestWkid') or place.get('wkid')}")
    numbered = [
        {"attributes": {"n": k}} | ({"geometry": row["geometry"]} if row.get("geometry") else {})
        for k, row in enumerate(rows)
    ]
    told = {
        "geometryType": about["geometryType"],
        "spatialReference": place,
        "features": numbered,
        "fields": [{"name": "n", "type": "esriFieldTypeInteger"}],
    }
    with TemporaryDirectory() as folder:
        path = Path(folder) / "layer.json"
        path.write_text(json.dumps(told), encoding="utf-8")
        raw = read_raw(path)
    return gpd.GeoDataFrame(frame, geometry=raw.geometry, crs=raw.crs)

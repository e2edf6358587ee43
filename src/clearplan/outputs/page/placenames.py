"""Names of places in all their spellings and scripts: told apart, told alike, and packed for the page's search.

A place of this region is written in four alphabets and has changed its name more than once; a reader types the one that
he knows. ``fold`` turns any of them to a key in which spellings of one name meet; the page puts the reader's own first.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from clearplan.core.crs import parse_crs, to_working

#: How far round what the map is about settlements are found by name [m].
WITHIN_M = 25_000.0

#: Two letters that are one, before all else: Armenian u is written o + yiwn.
_DIGRAPHS = (("ու", "u"), ("և", "ev"))
#: Letters to Latin ones by sound: Azerbaijani in Latin and in Cyrillic (1958), Russian, Armenian (BGN/PCGN, no marks).
_LETTERS = {
    "ə": "a",
    "ǝ": "a",
    "ä": "a",
    "æ": "a",
    "ı": "i",
    "ç": "ch",
    "č": "ch",
    "ş": "sh",
    "š": "sh",
    "ž": "zh",
    "ß": "ss",
    "ø": "o",
    "ł": "l",
    "а": "a",
    "б": "b",
    "в": "v",
    "г": "g",
    "ғ": "g",
    "ґ": "g",
    "д": "d",
    "е": "e",
    "ё": "o",
    "є": "e",
    "ж": "zh",
    "з": "z",
    "и": "i",
    "й": "i",
    "і": "i",
    "ї": "i",
    "ј": "i",
    "к": "k",
    "ҝ": "g",
    "л": "l",
    "м": "m",
    "н": "n",
    "о": "o",
    "ө": "o",
    "п": "p",
    "р": "r",
    "с": "s",
    "т": "t",
    "у": "u",
    "ү": "u",
    "ф": "f",
    "х": "h",
    "һ": "h",
    "ц": "ts",
    "ч": "ch",
    "ҹ": "j",
    "ш": "sh",
    "щ": "sh",
    "ъ": "",
    "ы": "i",
    "ь": "",
    "э": "e",
    "ю": "u",
    "я": "a",
    "ә": "a",
    "ա": "a",
    "բ": "b",
    "գ": "g",
    "դ": "d",
    "ե": "e",
    "զ": "z",
    "է": "e",
    "ը": "i",
    "թ": "t",
    "ժ": "zh",
    "ի": "i",
    "լ": "l",
    "խ": "kh",
    "ծ": "ts",
    "կ": "k",
    "հ": "h",
    "ձ": "dz",
    "ղ": "gh",
    "ճ": "ch",
    "մ": "m",
    "յ": "y",
    "ն": "n",
    "շ": "sh",
    "ո": "o",
    "չ": "ch",
    "պ": "p",
    "ջ": "j",
    "ռ": "r",
    "ս": "s",
    "վ": "v",
    "տ": "t",
    "ր": "r",
    "ց": "ts",
    "ւ": "v",
    "փ": "p",
    "ք": "k",
    "օ": "o",
    "ֆ": "f",
}
#: Then Latin spellings of one sound, in this order: q and g, x and kh and h, c and j and ch (a typist leaves out the
#: cedilla), s and sh, y and i, e and the schwa and a.
_SOUNDS = (
    ("dzh", "j"),
    ("tch", "j"),
    ("dj", "j"),
    ("ch", "j"),
    ("zh", "j"),
    ("dz", "j"),
    ("c", "j"),
    ("sh", "s"),
    ("kh", "h"),
    ("x", "h"),
    ("gh", "g"),
    ("q", "g"),
    ("w", "v"),
    ("ou", "u"),
    ("oo", "u"),
    ("ye", "e"),
    ("ya", "a"),
    ("yo", "o"),
    ("yu", "u"),
    ("y", "i"),
    ("e", "a"),
)
_APOSTROPHES = "'’‘ʻʼʹ`´"
#: Columns in which a gazetteer keeps further names, several in one cell.
_ALTERNATES = ("alternatenames", "alternate_names", "other_names")


def fold(text: str) -> str:
    """The key in which spellings of one name meet, whatever the script, the marks and the case.

    >>> {fold(name) for name in ("Xankəndi", "Khankendi", "Ханкенди")}
    {'hankandi'}
    >>> fold("Ստեփանակերտ") == fold("Stepʻanakert") == fold("Степанакерт")
    True
    """
    key = unicodedata.normalize("NFC", text).lower()
    for pair, letter in _DIGRAPHS:
        key = key.replace(pair, letter)
    key = _bare("".join(_LETTERS.get(letter, letter) for letter in key))
    for sound, letter in _SOUNDS:
        key = key.replace(sound, letter)
    # One letter twice is heard once; numbers stay as they are.
    return re.sub(r"([^\W\d_])\1+", r"\1", " ".join(re.findall(r"[^\W_]+", key)))


def fold_rules() -> dict[str, Any]:
    """The same rules as data, for the page's script."""
    return {"digraphs": _DIGRAPHS, "letters": _LETTERS, "sounds": _SOUNDS, "apostrophes": _APOSTROPHES}


def _bare(text: str) -> str:
    """Without marks and apostrophes."""
    apart = unicodedata.normalize("NFKD", text)
    return "".join(c for c in apart if not unicodedata.category(c).startswith("M") and c not in _APOSTROPHES)


def variants(names: Iterable[str]) -> tuple[str, ...]:
    """Names of one place, each once; of those that differ by marks alone, the one with most.

    Spellings that sound alike stand together, the most common name first and its fullest Latin spelling before others.

    >>> variants(["Lacin", "Laçın", "Berdzor", "Лачин", " Berdzor"])
    ('Laçın', 'Лачин', 'Berdzor')
    """
    kept: dict[str, str] = {}
    for given in names:
        name = unicodedata.normalize("NFC", given).strip().replace("ǝ", "ə").replace("Ǝ", "Ə")
        if name:
            key = _bare(name.casefold().replace("ə", "e").replace("ı", "i"))
            kept[key] = max(kept.get(key, name), name, key=_written)
    alike: dict[str, list[str]] = {}
    for name in sorted(kept.values(), key=_written, reverse=True):
        alike.setdefault(fold(name), []).append(name)
    groups = sorted(alike.values(), key=lambda group: (-len(group), group[0]))
    return tuple(name for group in groups for name in group)


def _written(name: str) -> tuple[bool, int, int, str]:
    """How fully a name is written: in Latin letters, with their marks, with few apostrophes."""
    letters = [c for c in name if c not in _APOSTROPHES]
    latin = all("LATIN" in unicodedata.name(c, "") for c in letters if c.isalpha())
    return latin, sum(not c.isascii() for c in letters), len(letters) - len(name), name


def listed(text: str) -> list[str]:
    """Names of a list, parted by commas or semicolons.

    GeoNames also lists codes of airports and, in lower case, keys of search engines; those are no names.

    >>> listed("Berdzor,Laçın,lachini,FZL")
    ['Berdzor', 'Laçın']
    """
    parts = (part.strip() for part in re.split(r"[,;]", text))
    return [part for part in parts if not re.fullmatch(r"[a-z][ -~]*|[A-Z]{2,4}|", part)]


def place_names(table: pd.DataFrame) -> list[tuple[str, ...]]:
    """All names of each row: of its columns ``name``, ``name_...``, ``name:...``, and of its lists of further names."""
    found: list[list[str]] = [[] for _ in range(len(table))]
    for column in table.columns:
        single = re.fullmatch(r"name([_:].*)?", str(column)) is not None
        if not single and column not in _ALTERNATES:
            continue
        for own, value in zip(found, table[column], strict=True):
            if isinstance(value, str):
                own.extend([value] if single else listed(value))
    return [variants(own) for own in found]


def search_index(
    places: gpd.GeoDataFrame | None,
    zones: gpd.GeoDataFrame,
    districts: gpd.GeoDataFrame | None,
    *,
    district_name: str = "name",
    near: Sequence[gpd.GeoDataFrame] = (),
    within_m: float = WITHIN_M,
) -> dict[str, Any]:
    """What the page's search reads: further names of the zones, districts and settlements, and the rules to fold them.

    Parameters
    ----------
    places : GeoDataFrame, optional
        Points with ``name`` and maybe ``alternatenames`` (GeoNames); in the CRS of the zones.
    zones : GeoDataFrame
        ZONES; with a column ``geonameid`` in both, a zone takes the names of its settlement, which is then not listed
        a second time.
    districts : GeoDataFrame, optional
        Named by ``district_name``.
    near : GeoDataFrames
        What the map is about. Of the places within its bounds, grown by ``within_m``, those travel that have more than
        one name or lie within ``within_m`` of it [m].

    Returns
    -------
    dict
        ``places`` as [latitude, longitude, number of the district or -1, name, name ...] in degrees, ``districts`` as
        [[south, west, north, east], name, name ...], ``zones`` as [name ...] of each row, and the rules as ``fold``.
    """
    own = place_names(zones)
    rows: list[list[Any]] = []
    if places is not None and len(places):
        named = place_names(places)
        home = _same_place(zones, places)
        own = [variants([*names, *named[k]]) if k >= 0 else names for names, k in zip(own, home, strict=True)]
        kept = _worth_finding(places, [len(names) for names in named], near, within_m)
        kept[[k for k in home if k >= 0]] = False
        rows = _rows(places[kept], [names for names, k in zip(named, kept, strict=True) if k], districts)
    return {"fold": fold_rules(), "zones": own, "districts": _districts(districts, district_name), "places": rows}


def _same_place(zones: gpd.GeoDataFrame, places: gpd.GeoDataFrame) -> list[int]:
    """Row of the settlement that each zone is, by its GeoNames number; -1 where none is shown."""
    if "geonameid" not in zones.columns or "geonameid" not in places.columns:
        return [-1] * len(zones)
    row = {number: k for k, number in enumerate(pd.to_numeric(places["geonameid"], errors="coerce")) if number > 0}
    placed = ~(shapely.is_missing(zones.geometry.to_numpy()) | shapely.is_empty(zones.geometry.to_numpy()))
    numbers = pd.to_numeric(zones["geonameid"], errors="coerce")
    return [row.get(number, -1) if there else -1 for number, there in zip(numbers, placed, strict=True)]


def _worth_finding(
    places: gpd.GeoDataFrame, counts: Sequence[int], near: Sequence[gpd.GeoDataFrame], within_m: float
) -> np.ndarray[Any, np.dtype[np.bool_]]:
    shapes = places.geometry.to_numpy()
    there: np.ndarray[Any, np.dtype[np.bool_]]
    there = ~(shapely.is_missing(shapes) | shapely.is_empty(shapes)) & (np.asarray(counts) > 0)
    around = np.concatenate([table.geometry.to_numpy() for table in near]) if near else np.array([], dtype=object)
    around = around[~(shapely.is_missing(around) | shapely.is_empty(around))]
    if not len(around):
        return there
    west, south, east, north = shapely.total_bounds(around)
    reach = shapely.box(west - within_m, south - within_m, east + within_m, north + within_m)
    there = there & shapely.intersects(shapes, reach)
    close = np.zeros(len(shapes), dtype=bool)
    close[shapely.STRtree(around).query(shapes, predicate="dwithin", distance=within_m)[0]] = True
    return np.asarray(there & ((np.asarray(counts) > 1) | close))


def _rows(
    places: gpd.GeoDataFrame, names: list[tuple[str, ...]], districts: gpd.GeoDataFrame | None
) -> list[list[Any]]:
    points = shapely.point_on_surface(places.geometry.to_numpy())
    home = np.full(len(points), -1)
    if districts is not None and len(points):
        point, district = districts.sindex.query(points, predicate="intersects")
        home[point[::-1]] = district[::-1]  # the first of several
    degrees = to_working(places.set_geometry(list(points), crs=places.crs), parse_crs("EPSG:4326"))[0]
    lonlat = shapely.get_coordinates(degrees.geometry.to_numpy()).round(5).tolist()
    rows = [[lat, lon, int(k), *own] for (lon, lat), k, own in zip(lonlat, home, names, strict=True)]
    # Of places of one name the larger stands first; GeoNames writes 0 where it knows nothing.
    people = places["population"] if "population" in places.columns else pd.Series(0, index=places.index)
    size = pd.to_numeric(people, errors="coerce").fillna(0).to_numpy()
    return [rows[k] for k in np.argsort(-size, kind="stable")]


def _districts(districts: gpd.GeoDataFrame | None, name: str) -> list[list[Any]]:
    if districts is None:
        return []
    first = districts[name].to_list() if name in districts.columns else [None] * len(districts)
    degrees, _ = to_working(districts, parse_crs("EPSG:4326"))
    bounds = degrees.geometry.bounds[["miny", "minx", "maxy", "maxx"]].round(5).to_numpy().tolist()
    told = zip(bounds, first, place_names(districts), strict=True)
    return [[box, *variants([*own, *([lead] if isinstance(lead, str) else [])])] for box, lead, own in told]

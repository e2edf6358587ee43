"""Decisions of land release in figures that a re-export leaves as they are, and what changed between two lists."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from clearplan.land.as_at import dates
from clearplan.tables.frames import History, Releases

Value: TypeAlias = "str | float | None"
#: What one decision says, by column: texts, days as 2024-06-30, area [m2], middle [degrees, WGS 84].
Decision: TypeAlias = "Mapping[str, Value]"
#: Decisions by name, such as "release L1" and "change 12".
Decisions: TypeAlias = "dict[str, Decision]"

#: Areas count as equal up to here [m2]: half a square metre is noise of a re-export, a whole one is a change.
SAME_AREA_M2 = 0.75
#: Middles of ground count as equal up to here [degrees], about 10 m: less is the datum operation of a re-export.
SAME_PLACE_DEG = 1e-4
#: Cylindrical, true to area, the same everywhere: another study region or working CRS changes no area.
_EQUAL_AREA = 6933
_TOLERANCES = {"area_m2": SAME_AREA_M2, "longitude": SAME_PLACE_DEG, "latitude": SAME_PLACE_DEG}
#: A repeated id that lenient reading numbered by its row.
_NUMBERED = re.compile(r"#\d+$")


@dataclass(frozen=True)
class Changes:
    """What differs between two lists of decisions.

    added : decisions that only the second has
    rewritten : decisions of the first that the second lacks or that say something else: name to (what, before, after)
    gone : names of those that the second lacks
    """

    added: Decisions
    rewritten: dict[str, list[tuple[str, str, str]]]
    gone: list[str]

    @property
    def rows(self) -> list[tuple[str, str, str, str]]:
        """One row per value that was rewritten: decision, what, before, after."""
        return [(name, *values) for name, changes in self.rewritten.items() for values in changes]


def decisions_of(releases: Releases, history: History) -> Decisions:
    """Every decision that RELEASES and HISTORY hold, whatever its day.

    A row is known by its id. Rows whose id was made from their place in the file are known by what they say, so that
    the order of rows and the name of the file count for nothing.

    Parameters
    ----------
    releases : GeoDataFrame
        RELEASES in any CRS; its rows may be labelled with the file and the row where they were read.
    history : DataFrame
        HISTORY, likewise.

    >>> history = pd.DataFrame({"history_id": ["7"], "hazard_id": ["a"], "changed_on": ["2024-02-01"],
    ...                         "changed_by": ["authority"], "status": ["closed"]})
    >>> list(decisions_of(gpd.GeoDataFrame(), history))
    ['change 7']
    """
    decisions: Decisions = {}
    if len(releases):
        columns: dict[str, Sequence[Value]] = {
            "action": _texts(releases, "action"),
            "decided_on": _days(releases, "decided_on"),
            "decided_by": _texts(releases, "decided_by"),
            **_places(releases.geometry),
        }
        decisions |= _named("release", releases, "release_id", columns)
    if len(history):
        columns = {
            "hazard_id": _texts(history, "hazard_id"),
            "status": _texts(history, "status"),
            "land_class": _texts(history, "land_class"),
            "changed_on": _days(history, "changed_on"),
            "changed_by": _texts(history, "changed_by"),
        }
        decisions |= _named("change", history, "history_id", columns)
    return decisions


def changes_between(before: Decisions, after: Decisions) -> Changes:
    """What changed from one list of decisions to another.

    >>> one = {"release L1": {"action": "reduced", "area_m2": 100.0}}
    >>> changes_between(one, {"release L1": {"action": "reduced", "area_m2": 101.0}}).rows
    [('release L1', 'area_m2', '100', '101')]
    """
    gone = [name for name in before if name not in after]
    rewritten = {name: [("the whole decision", _summary(before[name]), "gone")] for name in gone}
    for name, earlier in before.items():
        if name in after and earlier != after[name]:
            differences = list(_differences(earlier, after[name]))
            if differences:
                rewritten[name] = differences
    return Changes({name: row for name, row in after.items() if name not in before}, rewritten, gone)


def _differences(before: Decision, after: Decision) -> Iterator[tuple[str, str, str]]:
    """Values that differ by more than noise; where the ground lies is one of them."""
    unlike = [name for name in before if not _alike(name, before[name], after.get(name))]
    yield from ((name, _text(before[name]), _text(after.get(name))) for name in unlike if "itude" not in name)
    if any("itude" in name for name in unlike):
        yield ("middle of the ground", _middle(before), _middle(after))


def _alike(name: str, before: Value, after: Value) -> bool:
    if isinstance(before, float) and isinstance(after, float):
        return abs(before - after) <= _TOLERANCES[name]
    return before == after


def _text(value: Value) -> str:
    if value is None:
        return "(blank)"
    return f"{value:.0f}" if isinstance(value, float) else value


def _middle(decision: Decision) -> str:
    place = [decision.get(name) for name in ("longitude", "latitude")]
    return "(blank)" if None in place else ", ".join(f"{value:.5f}" for value in place)


def _summary(decision: Decision) -> str:
    """What a decision said: its texts and days."""
    return ", ".join(value for value in decision.values() if isinstance(value, str))


def _named(what: str, table: pd.DataFrame, column: str, columns: Mapping[str, Sequence[Value]]) -> Decisions:
    """Rows by their names, in the order of what they say where several would have one name."""
    rows = [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]
    names = _names(table, column, rows)
    order = sorted(range(len(rows)), key=lambda k: (names[k], str(rows[k])))
    counts: dict[str, int] = {}
    decisions: Decisions = {}
    for k in order:
        number = counts[names[k]] = counts.get(names[k], 0) + 1
        decisions[f"{what} {names[k]}" + (f" ({number})" if number > 1 else "")] = rows[k]
    return decisions


def _names(table: pd.DataFrame, column: str, rows: list[dict[str, Value]]) -> list[str]:
    """The id of each row; what it says where the id was made from its place in the file."""
    ids = [str(value) for value in table[column]]
    entered = set(ids)
    labels = list(table.index) if table.index.nlevels == 2 else [("", "")] * len(table)
    names = []
    for identifier, (file, row), decision in zip(ids, labels, rows, strict=True):
        first = _NUMBERED.sub("", identifier)
        name = first if first in entered else identifier
        names.append(f"without id ({_summary(decision)})" if name == f"{file} row {row}" else name)
    return names


def _texts(table: pd.DataFrame, column: str) -> list[str | None]:
    """Texts without what formats change: blanks at the ends, several between words, ways to write an accent."""
    if column not in table.columns:
        return [None] * len(table)
    blank = table[column].isna().to_numpy()
    return [
        None if missing else " ".join(unicodedata.normalize("NFC", str(value)).split())
        for value, missing in zip(table[column], blank, strict=True)
    ]


def _days(table: pd.DataFrame, column: str) -> list[str | None]:
    days = dates(table, column)
    texts = np.datetime_as_string(days, unit="D")
    return [None if missing else str(text) for text, missing in zip(texts, np.isnat(days), strict=True)]


def _places(ground: gpd.GeoSeries) -> dict[str, list[float | None]]:
    """Area and middle of each shape; None where it has none."""
    flat = ground.to_crs(_EQUAL_AREA)
    middles = gpd.GeoSeries(shapely.centroid(flat.to_numpy()), crs=flat.crs).to_crs(4326).to_numpy()
    return {
        "area_m2": _rounded(shapely.area(flat.to_numpy()), 2),
        "longitude": _rounded(shapely.get_x(middles), 6),
        "latitude": _rounded(shapely.get_y(middles), 6),
    }


def _rounded(values: np.ndarray, digits: int) -> list[float | None]:
    return [
        None if missing else value
        for value, missing in zip(values.round(digits).tolist(), np.isnan(values), strict=True)
    ]

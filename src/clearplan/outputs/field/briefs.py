"""What a team must know of a task, in words: hazards and their sources, ways in, method, warnings; unknown is shown."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from clearplan.land.audit import contradicted
from clearplan.outputs.field.borders import Approach, Border
from clearplan.planning.methods import methods_of
from clearplan.settings.planning import PlanningSettings
from clearplan.tables.check import placed
from clearplan.tables.codes import CODE_LISTS
from clearplan.tables.texts import ids_in

#: Accidents and other tasks within this distance of the border are shown [m]; the accidents' own position errors come
#: on top. Our choice: about what a team sees and walks in the first hour.
NEAR_M = 500.0
#: From this position error on the border is no line that a team can trust [m]; our choice.
_FAR_M = 50.0
_CLASS_WORDS = {
    "CHA": "confirmed hazardous area",
    "SHA": "suspected hazardous area",
    "indication": "indication: to be surveyed",
}


@dataclass(frozen=True)
class Section:
    """A heading and its items, the most important first; ``rest`` says where those stand that find no room."""

    title: str
    items: tuple[str, ...]
    rest: str = "tasks.csv"


@dataclass(frozen=True)
class Known:
    """Tables beside TASKS that a brief draws on; None is a table that nobody gave, an empty one holds none."""

    hazards: gpd.GeoDataFrame | None = None
    accidents: gpd.GeoDataFrame | None = None
    releases: gpd.GeoDataFrame | None = None
    work: pd.DataFrame | None = None
    teams: pd.DataFrame | None = None
    planning: PlanningSettings | None = None

    def finds(self) -> pd.DataFrame:
        """Releases on whose ground something was found later (``audit.contradicted``); none where a table lacks."""
        if self.hazards is None or self.accidents is None or self.releases is None or not len(self.releases):
            return pd.DataFrame(columns=["release_id", "evidence", "evidence_id", "found_on", "certain"])
        return contradicted(self.releases, self.accidents, self.hazards)


def facts_of(task: dict[Any, Any], queue_size: int) -> list[tuple[str, str]]:
    """The few figures at the head of a task's page, as (label, figure)."""
    rank = task.get("rank")
    place = "none" if _blank(rank) else f"{int(rank):,} of {queue_size:,}"  # type: ignore[arg-type]
    priority = task.get("priority_class")
    if isinstance(priority, str) and priority:
        place += f", {priority}"
    expected = task.get("expected_m2")
    told = "unknown" if _blank(expected) else hectares(expected)
    if not _blank(task.get("low_m2")) and not _blank(expected):
        low, high = hectares(task["low_m2"]), hectares(task["high_m2"])
        same = low[-2:] == high[-2:] == told[-2:]
        told += f" ({low[:-3] if same else low} to {high[:-3] if same else high})"
    return [
        ("Queue", str(task["queue"])),
        ("Land class", _CLASS_WORDS[task["land_class"]]),
        ("Rank", place),
        ("Area", hectares(task["area_m2"])),
        ("Expected contaminated", told),
        ("District", _told(task.get("district"), "outside every district given")),
        ("Ordnance", _ordnance(task)),
        ("Position error (95 %)", metres(task.get("position_error_m"))),
    ]


def hazards_of(task: dict[Any, Any], hazards: gpd.GeoDataFrame | None) -> Section:
    """Hazards that make a task: what was reported, by whom, when, how exactly, and how far a record is trusted."""
    ids = ids_in(task.get("hazard_ids"))
    title = f"Hazards and their sources ({len(ids)})"
    if hazards is None:
        return Section(title, (f"{'; '.join(ids) or 'none named'}: no table of hazards was given",))
    own = hazards[hazards["hazard_id"].astype(str).isin(ids)].set_index("hazard_id")
    items = []
    for name in ids:
        if name not in own.index:
            items.append(f"{name}: not in the table of hazards")
            continue
        row = own.loc[name].to_dict()
        meaning = CODE_LISTS["ordnance"].get(row["ordnance"], row["ordnance"])
        words = [f"{name}: {row['kind']}, ordnance {meaning}, {row['status']}"]
        if not _blank(row.get("ordnance_count")):
            words.append(f"{int(row['ordnance_count'])} reported")
        words.append(f"recorded {_day(row.get('recorded_on'))}")
        words.append(f"position error {metres(row.get('position_error_m'))}")
        if not _blank(row.get("record_number")):
            trust = row.get("reliability")
            words.append(
                f"record no. {row['record_number']}, reliability "
                f"{'not stated' if _blank(trust) else format(trust, '.0%')}"
            )
        items.append(", ".join(words) + f". Source: {_told(row.get('source'), 'not stated')}")
    return Section(title, tuple(items) or ("The task names none.",), "plan.gpkg, layer hazards")


def access_of(
    ways: Sequence[Approach],
    references: Sequence[str],
    declination: float | None,
    *,
    zones: bool,
    lifelines: bool,
    roads: bool,
) -> Section:
    """Ways in, nearest first, with distance and bearings to the border, and what is not known of them.

    Parameters
    ----------
    ways, references : of one length
        From :func:`clearplan.outputs.field.borders.approaches`, and the grid reference of each one's end.
    declination : float or None
        At the task on the day [degrees, east positive]; None is unknown.
    zones, lifelines, roads : bool
        Whether such a table was given at all.
    """
    items = []
    for way, reference in zip(ways, references, strict=True):
        where = f"{way.name} ({way.kind} {way.own_id})"
        named = "" if way.named else "; not named by the task, the nearest of its kind"
        if way.inside:
            items.append(f"{where}: lies in the task, {way.distance_m:,.0f} m from its border; border at {reference}")
        elif way.bearing_deg is None:
            items.append(f"{where}: meets the border at {reference}{named}")
        else:
            compass = "" if declination is None else f", {(way.bearing_deg - declination) % 360:.0f}° compass"
            items.append(
                f"{where}: {way.distance_m:,.0f} m to the border, {way.bearing_deg:.0f}° true{compass}, at "
                f"{reference}; its position error {metres(way.error_m)}{named}"
            )
    lacking = [name for name, given in (("zones", zones), ("lifelines", lifelines), ("roads", roads)) if not given]
    if lacking:
        items.append(f"Not known: no table of {' or '.join(lacking)} was given.")
    items.append(
        "Not known here: state of ways and bridges, owners of the land, a place for a helicopter. Ground on "
        "the way is not known to be without hazard."
    )
    return Section("Access", tuple(items), "plan.gpkg, layers zones and lifelines")


def method_of(task: dict[Any, Any], known: Known) -> Section:
    """Steps, teams, dates and rates: those of the plan of work, else of the method of the task's class."""
    title, rest = "Method, team, dates", "work.csv"
    items: list[str] = []
    work = None if known.work is None else known.work[known.work["task_id"] == task["task_id"]]
    if work is not None and len(work):
        for (_, step, kind, team), rows in work.groupby(["step", "step_name", "kind", "team_id"], sort=True):
            days, ground = float(rows["days"].sum()), float(rows["m2"].sum())
            items.append(
                f"{step} ({kind}): team {team}, {_day(rows['starts_on'].min())} to "
                f"{_day(rows['ends_on'].max())}, {_days(days)}, {hectares(ground)}"
            )
        part = task.get("finished_part")
        if not _blank(part) and float(part) < 1 - 1e-9:  # type: ignore[arg-type]
            items.append(f"The plan finishes {float(part):.0%} of it, not all.")  # type: ignore[arg-type]
        items += _rates(sorted(set(work["team_id"])), known.teams)
        return Section(title, tuple(items), rest)
    words = "No plan of work was given." if work is None else "Not in the plan of work: no team is sent here."
    items.append(f"{words} Team and dates: not known.")
    if known.planning is not None:
        (method,) = methods_of(pd.DataFrame([task]), known.planning)
        if method is not None:
            steps = ", then ".join(f"{step.name} ({' or '.join(step.kinds)})" for step in method.steps)
            items.append(f"Method for {task['land_class']}: {steps}.")
        else:
            items.append("No method is set for its class and ordnance.")
    else:
        items.append("Method: not stated; no settings of planning were given.")
    return Section(title, tuple(items), rest)


def _days(days: float) -> str:
    return "less than a team-day" if days < 1 else f"{days:,.0f} team-days"


def _rates(ids: Sequence[Any], teams: pd.DataFrame | None) -> list[str]:
    if teams is None:
        return ["Rates: not known, no table of teams was given."]
    own = teams[teams["team_id"].isin(ids)]
    return [
        f"Rate of {row['team_id']}: {row['rate_likely']:,.0f} ({row['rate_low']:,.0f} to {row['rate_high']:,.0f}) m² a "
        f"day. Source: {_told(row.get('rate_source'), 'not stated')}"
        for row in own.to_dict("records")
    ]


def warnings_of(
    task: dict[Any, Any], border: Border, tasks: gpd.GeoDataFrame, known: Known, finds: pd.DataFrame
) -> Section:
    """What can hurt or mislead a team, the gravest first; what nobody knows is a warning too."""
    items = [f"HELD BACK, no work before it is lifted: {task['gates']}"] if not _blank(task.get("gates")) else []
    items += _accident_words(border, known.accidents)
    items += _error_words(task)
    items += _record_words(task, known.hazards)
    items += _contradictions(task, border, known, finds)
    items += _neighbours(task, border, tasks)
    unknown = task.get("unknown_m2")
    if not _blank(unknown) and float(unknown) > 0.005 * float(task["area_m2"]):  # type: ignore[arg-type]
        items.append(f"Of {hectares(unknown)} in it nobody has reported anything.")
    if "unknown" in _ordnance(task) or "not reported" in _ordnance(task):
        items.append("What ordnance lies here is not reported for all of it: expect any.")
    return Section("Warnings", tuple(items), "tasks.csv and report.html")


def _accident_words(border: Border, accidents: gpd.GeoDataFrame | None) -> list[str]:
    if accidents is None:
        return ["Accidents: no table was given; nobody knows."]
    own = placed(accidents)
    far = shapely.distance(own.geometry.to_numpy(), border.outline)
    error = pd.to_numeric(own["position_error_m"], errors="coerce").to_numpy(float)
    near = far - np.nan_to_num(error) <= NEAR_M
    if not near.any():
        return [f"No accident on record within {NEAR_M:,.0f} m; accidents are not all reported."]
    order = np.lexsort((own["accident_id"].to_numpy(str), far))
    order = order[near[order]]
    told = []
    for k in order[:3]:
        row = own.iloc[k]
        where = "in the task" if far[k] == 0 else f"{far[k]:,.0f} m off"
        told.append(
            f"{row['accident_id']} {where}, {_day(row['occurred_on'])}, {_told(row.get('device'), 'unknown')}, "
            f"error {metres(error[k])}"
        )
    more = f"; and {len(order) - 3} more" if len(order) > 3 else ""
    one = f"{len(order)} accident{'s' * (len(order) > 1)} may have happened within {NEAR_M:,.0f} m: "
    return [one + "; ".join(told) + more]


def _error_words(task: dict[Any, Any]) -> list[str]:
    error = task.get("position_error_m")
    if _blank(error):
        return ["Position error of the border: unknown. It may lie anywhere near."]
    if float(error) >= _FAR_M:  # type: ignore[arg-type]
        return [
            f"Position error {metres(error)}: what was reported may lie so far from where it is drawn. The border "
            "is no line on the ground."
        ]
    return []


def _record_words(task: dict[Any, Any], hazards: gpd.GeoDataFrame | None) -> list[str]:
    if hazards is None or "misclosure_m" not in hazards.columns:
        return []
    own = hazards[hazards["hazard_id"].astype(str).isin(ids_in(task.get("hazard_ids")))]
    found = []
    for row in own.to_dict("records"):
        if not _blank(row.get("blunder")) and bool(row["blunder"]):
            found.append(
                f"Record {row['hazard_id']} holds a blunder: its legs miss by {metres(row['misclosure_m'])}, "
                f"limit {metres(row.get('misclosure_limit_m'))}."
            )
        if not _blank(row.get("reliability")) and float(row["reliability"]) < 0.5:
            found.append(f"Record {row['hazard_id']} is trusted by {float(row['reliability']):.0%} only.")
    return found


def _contradictions(task: dict[Any, Any], border: Border, known: Known, finds: pd.DataFrame) -> list[str]:
    """Sources that disagree about this ground."""
    found = []
    if len(finds) and known.releases is not None:
        own = placed(known.releases)
        own = own[own["release_id"].isin(finds["release_id"])]
        there = own[shapely.intersects(own.geometry.to_numpy(), border.outline)]
        for release in there["release_id"]:
            rows = finds[finds["release_id"] == release]
            what = ", ".join(f"{row.evidence} {row.evidence_id}" for row in rows.head(3).itertuples())
            found.append(f"Contradiction: release {release} touches this ground, and later came {what}.")
    if known.hazards is not None:
        own = known.hazards[known.hazards["hazard_id"].astype(str).isin(ids_in(task.get("hazard_ids")))]
        kinds = sorted(set(own["ordnance"].dropna().astype(str)) - {"unknown"})
        if len(kinds) > 1:
            found.append(f"Contradiction: its hazards report different ordnance ({', '.join(kinds)}).")
        busy = own.loc[own["status"] == "worked-on", "hazard_id"].astype(str).tolist()
        if busy:
            found.append(f"Work is under way on {', '.join(busy[:5])}: ask who is there.")
    return found


def _neighbours(task: dict[Any, Any], border: Border, tasks: gpd.GeoDataFrame) -> list[str]:
    """Other tasks so near that a team may stand on their ground."""
    own = placed(tasks)
    shapes = own.geometry.to_numpy()
    close = shapely.STRtree(shapes).query(border.outline, predicate="dwithin", distance=50.0)
    others = own.iloc[np.sort(close)]
    others = others[others["task_id"] != task["task_id"]]
    if not len(others):
        return []
    strongest = others.sort_values("land_class", key=lambda c: c.map({"CHA": 0, "SHA": 1, "indication": 2}))
    told = [f"{row.task_id}" for row in strongest.head(3).itertuples()]
    more = f" and {len(others) - 3} more" if len(others) > 3 else ""
    return [f"Other hazardous ground within 50 m: {', '.join(told)}{more}."]


def _ordnance(task: dict[Any, Any]) -> str:
    kinds = ids_in(task.get("ordnance"))
    return ", ".join(kinds) if kinds else "not reported"


def _blank(value: Any) -> bool:
    return value is None or (not isinstance(value, str) and bool(pd.isna(value))) or value == ""


def _told(value: Any, otherwise: str) -> str:
    return otherwise if _blank(value) else str(value)


def _day(value: Any) -> str:
    if _blank(value):
        return "on an unknown day"
    return pd.Timestamp(value).date().isoformat() if not isinstance(value, dt.date) else value.isoformat()[:10]


def metres(value: Any) -> str:
    """Metres rounded up to what is shown of an error; blank is unknown.

    >>> metres(12.2), metres(None), metres(1_500.0)
    ('13 m', 'unknown', '1,500 m')
    """
    return "unknown" if _blank(value) else f"{math.ceil(round(float(value), 6)):,} m"


def hectares(value: Any) -> str:
    """Square metres as hectares, or as they are where they are few.

    >>> hectares(25_600.0), hectares(480.0), hectares(456_100)
    ('2.56 ha', '480 m²', '45.6 ha')
    """
    return f"{_ha(value)} ha" if float(value) >= 5_000 else f"{float(value):,.0f} m²"


def _ha(value: Any) -> str:
    return f"{float(value) / 1e4:,.2f}" if float(value) < 1e5 else f"{float(value) / 1e4:,.1f}"

"""Tables that a mine action programme files: what remains, what was released, what is planned, and what came of it.

Stages hand tables on: ground comes from the bridges of :mod:`clearplan.land.ledger`, one a calendar year, so that every
figure here is one of the books.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from clearplan.core.crs import require_metres
from clearplan.core.errors import SettingsError, TableError
from clearplan.geo import shapes
from clearplan.planning.calendar import period_days, team_days
from clearplan.planning.methods import methods_of
from clearplan.settings.planning import PlanningSettings, Step
from clearplan.tables.check import placed, remaining
from clearplan.tables.codes import CLASSES, CODE_LISTS, OUTSIDE, RELEASED
from clearplan.tables.texts import read_items

#: Words for rows whose ground nobody can tell.
UNPLACED = "without a place on the map"
UNKNOWN_CLASS = "class not known"
UNKNOWN_TASK = "task or step not known any more"
#: Classes that are declared areas; an indication is a reason to survey and never among them (Law 3).
DECLARED = ("CHA", "SHA")
#: Which release a kind of team brings about on the ground that needs no further step.
METHOD_OF = {"NTS": "cancelled", "TS": "reduced"}
_FLOWS = ("newly_found_m2", "cancelled_m2", "reduced_m2", "cleared_m2", "reopened_m2", "changed_in_m2",
          "changed_out_m2", "closing_m2")  # fmt: skip


def day_in(value: Any, name: str) -> dt.date:
    """A day from a date or ISO text; ``name`` says in an error what it is the day of."""
    try:
        day = dt.date.fromisoformat(value) if isinstance(value, str) else value
    except ValueError:
        day = None
    day = day.date() if isinstance(day, dt.datetime) and not pd.isna(day) else day
    if not isinstance(day, dt.date) or pd.isna(day):
        raise SettingsError(f"{name} {value!r}: must be a day; write 2024-06-30")
    if not 1900 <= day.year <= 2100:
        raise SettingsError(f"{name} {day}: the year must lie within 1900 and 2100; mend it")
    return day


def need(table: pd.DataFrame, what: str, columns: Iterable[str]) -> None:
    """Refuse a table that lacks a column, in one line."""
    missing = [name for name in columns if name not in table.columns]
    if missing:
        raise TableError(f"{what} lacks the column {missing[0]}; hand it over as it was made")


def _as_work(work: pd.DataFrame, what: str, columns: Sequence[str]) -> pd.DataFrame:
    """WORK with numbers and days as such, for an earlier plan's is read back from its file."""
    need(work, what, columns)
    out = work.copy()
    for name in columns:
        if name in ("step", "period", "days", "m2"):
            out[name], kind = pd.to_numeric(work[name], errors="coerce"), "number"
        elif name in ("starts_on", "ends_on"):
            out[name], kind = pd.to_datetime(work[name], format="ISO8601", errors="coerce"), "day"
        else:
            continue
        if out[name].isna().any():
            row = out.index[out[name].isna()][0]
            raise TableError(f"{what}, row {row}: {name} {work.loc[row, name]!r} is no {kind}; hand it over as made")
    return out


def without_place(areas: gpd.GeoDataFrame) -> pd.Series:
    """Whether an area that counts has no place on the map; what is wholly released has one, and nothing left there."""
    never = areas["reported_m2"].isna() if "reported_m2" in areas.columns else ~areas.index.isin(placed(areas).index)
    lost: pd.Series = never & (areas["status"] != "closed")
    return lost


def book_years(releases: pd.DataFrame, as_at: Any) -> dict[int, tuple[dt.date, dt.date]]:
    """Calendar years of the ledger of releases, and opening and closing of the bridge of each.

    From the year of the first decision that has a place to that of the day; the last closes on the day.

    >>> told = pd.DataFrame({"decided_on": ["2024-05-01"], "geometry": [shapely.box(0, 0, 1, 1)]})
    >>> {year: str(closing) for year, (_, closing) in book_years(told, "2025-06-30").items()}
    {2024: '2024-12-31', 2025: '2025-06-30'}
    """
    day = day_in(as_at, "as_at")
    decided = pd.to_datetime(placed(releases)["decided_on"]).dropna()
    first = min([day.year, *(decided[decided <= pd.Timestamp(day)].dt.year)])
    return {
        year: (dt.date(year - 1, 12, 31), min(dt.date(year, 12, 31), day)) for year in range(int(first), day.year + 1)
    }


def bridges_in(bridges: Mapping[int, pd.DataFrame]) -> dict[int, pd.DataFrame]:
    """Bridges by calendar year, in order; one that lacks a column is refused."""
    for year, table in bridges.items():
        need(table, f"the bridge of {year}", ("district", "land_class", "ordnance", *_FLOWS))
    return dict(sorted(bridges.items()))


def remaining_table(
    bridge: pd.DataFrame,
    areas: gpd.GeoDataFrame,
    districts: gpd.GeoDataFrame | None = None,
    *,
    district_name: str = "district",
) -> pd.DataFrame:
    """What remains by district, land class and ordnance: how many hazards, and how much ground.

    Parameters
    ----------
    bridge : DataFrame
        From :func:`clearplan.land.ledger.bridge` with the same districts; its closing is the day.
    areas : GeoDataFrame
        AREAS of that day, less what is released of them (``Study.areas``), in a metric CRS.
    districts : GeoDataFrame, optional
        Districts in the same CRS, names in ``district_name``.

    Returns
    -------
    DataFrame
        district, land_class, ordnance, hazards, net_m2 (overlaps once, in the strongest class; the sum is the area of
        the union). A hazard is counted once, in the district with most of its ground, so a row may hold ground of
        hazards that are counted elsewhere, and hazards whose ground lies in a stronger class. Hazards without a place
        are rows of a district of their own, their net_m2 blank.

    Raises
    ------
    CrsError, TableError
        Tables are not in metres or not in one CRS; a column is missing.
    """
    require_metres(areas, *([] if districts is None else [districts]))
    keys = ["district", "land_class", "ordnance"]
    need(bridge, "the bridge", (*keys, "closing_m2"))
    ground = bridge[bridge["closing_m2"] >= 1].groupby(keys, sort=False)[["closing_m2"]].sum()  # less is rounding
    counts = _counted_once(areas, districts, district_name)
    table = ground.rename(columns={"closing_m2": "net_m2"}).join(counts, how="outer").reset_index()
    nowhere = table["district"] == UNPLACED
    table["net_m2"] = table["net_m2"].fillna(0.0).mask(nowhere)
    table["hazards"] = table["hazards"].fillna(0).astype(int)
    return _in_order(table[[*keys, "hazards", "net_m2"]], districts, district_name)


def _counted_once(areas: gpd.GeoDataFrame, districts: gpd.GeoDataFrame | None, district_name: str) -> pd.DataFrame:
    """Hazards by district, class and ordnance."""
    left = placed(remaining(areas)).reset_index(drop=True)
    i, names, m2 = _by_district(left.geometry.to_numpy(), districts, district_name)
    by = ["hazard_id", "land_class", "ordnance"]
    own = left.loc[i, by].assign(district=names, m2=m2)
    lost = areas.loc[without_place(areas), by].assign(district=UNPLACED, m2=0.0)
    own = pd.concat([own, lost], ignore_index=True)
    own = own.fillna({"ordnance": "unknown", "land_class": UNKNOWN_CLASS})
    most = own.groupby([*by, "district"], sort=False)["m2"].sum().reset_index()
    most = most.sort_values("m2", ascending=False, kind="stable").drop_duplicates(by)
    counts: pd.DataFrame = most.groupby(["district", "land_class", "ordnance"]).size().to_frame("hazards")
    return counts


def _by_district(ground: Any, districts: gpd.GeoDataFrame | None, district_name: str) -> tuple[Any, Any, Any]:
    """Parts of shapes by district: position of the shape, name of the district, area [m2]."""
    size, every = shapely.area(ground), np.arange(len(ground))
    if districts is None or not len(ground):
        return every, np.full(len(ground), "all", dtype=object), size
    i, j, m2 = shapes.overlaps(ground, shapes.disjoint(districts.geometry.to_numpy()))
    rest = size - np.bincount(i, weights=m2, minlength=len(ground))
    out = every[rest > 1e-9 * size]  # rounding of cut areas is no land outside
    names = np.concatenate([districts[district_name].to_numpy(object)[j], np.full(len(out), OUTSIDE, dtype=object)])
    return np.concatenate([i, out]), names, np.concatenate([m2, rest[out]])


def _in_order(table: pd.DataFrame, districts: gpd.GeoDataFrame | None, district_name: str) -> pd.DataFrame:
    """Rows by year, district as in the layer, class from the strongest, method and ordnance as in their lists."""
    named = [] if districts is None else list(dict.fromkeys(districts[district_name]))
    orders: dict[str, Sequence[Any]] = {
        "year": sorted(table["year"].dropna().unique()) if "year" in table.columns else [],
        "district": [*named, "all", OUTSIDE, UNPLACED],
        "land_class": [*CLASSES, UNKNOWN_CLASS, UNKNOWN_TASK],
        "method": RELEASED,
        "ordnance": list(CODE_LISTS["ordnance"]),
        "kind": list(CODE_LISTS["team_kind"]),
    }
    keys = [name for name in orders if name in table.columns]

    def place(column: pd.Series) -> pd.Series:
        order = {name: k for k, name in reversed(list(enumerate(orders[str(column.name)])))}
        return column.map(order).astype(float).fillna(len(order))

    sorted_rows: pd.DataFrame = table.sort_values(keys, key=place, kind="stable").reset_index(drop=True)
    return sorted_rows


def released_table(
    bridges: Mapping[int, pd.DataFrame],
    releases: gpd.GeoDataFrame,
    districts: gpd.GeoDataFrame | None = None,
    *,
    as_at: Any,
    district_name: str = "district",
    devices: Mapping[str, str] | None = None,
) -> pd.DataFrame:
    """What was released by calendar year, district and method, and what was found there.

    Parameters
    ----------
    bridges : mapping
        Calendar year to its :func:`clearplan.land.ledger.bridge`, days from :func:`book_years`, same districts.
    releases : GeoDataFrame
        RELEASES in a metric CRS; those decided after ``as_at`` don't count.
    districts : GeoDataFrame, optional
        Districts in the same CRS, names in ``district_name``.
    devices : mapping, optional
        A country's own device codes.

    Returns
    -------
    DataFrame
        year, district, method (cancelled, reduced, cleared), cha_m2, sha_m2, indication_m2 (ground that remained and
        was released in that year, overlaps once; ground where no hazard is known is in the ledger alone), releases
        (decisions, each counted in the district with most of its ground), items_AP and so on for each device code
        (blank where none of the decisions says), decisions_silent (decisions that don't say). Decisions without a place
        are rows of their own, their ground blank; without a date, their year is.

    Raises
    ------
    CrsError, SettingsError, TableError
        Tables are not in metres or not in one CRS; ``as_at`` is no day; items can't be read.
    """
    require_metres(releases, *([] if districts is None else [districts]))
    keys = ["year", "district", "method"]
    m2 = [f"{name.lower()}_m2" for name in CLASSES]
    rows = [
        (year, flow["district"], method, f"{flow['land_class'].lower()}_m2", flow[f"{method}_m2"])
        for year, bridge in bridges_in(bridges).items()
        for flow in bridge.to_dict("records")
        for method in RELEASED
        if flow[f"{method}_m2"] >= 1  # less is rounding
    ]
    flows = pd.DataFrame(rows, columns=[*keys, "column", "m2"]).astype({"year": "Int64", "m2": float})
    ground = flows.pivot_table(index=keys, columns="column", values="m2", aggfunc="sum")
    ground = ground.reindex(columns=m2).rename_axis(columns=None)
    decided, items = _decided(releases, day_in(as_at, "as_at"), districts, district_name, devices)
    table = ground.join(decided, how="outer").reset_index()
    nowhere = table["district"] == UNPLACED
    table[m2] = table[m2].fillna(0.0).mask(nowhere)
    # A row without a decision of its own found nothing; one whose decisions don't say is blank.
    none_decided = table["releases"].isna()
    table[items] = table[items].astype("Int64").mask(none_decided, 0)
    table = table.fillna({"releases": 0, "decisions_silent": 0}).astype({"releases": int, "decisions_silent": int})
    return _in_order(table, districts, district_name)


def _decided(
    releases: gpd.GeoDataFrame, day: dt.date, districts: Any, district_name: str, devices: Mapping[str, str] | None
) -> tuple[pd.DataFrame, list[str]]:
    """Decisions and items found, by year, district and method; names of the columns of items."""
    codes = list(devices or CODE_LISTS["device"])
    own = releases[releases["action"].isin(RELEASED)].reset_index(drop=True)
    own = own[~(pd.to_datetime(own["decided_on"]) > pd.Timestamp(day))].reset_index(drop=True)
    drawn = placed(own)
    i, names, m2 = _by_district(drawn.geometry.to_numpy(), districts, district_name)
    parts = pd.DataFrame({"row": drawn.index.to_numpy()[i], "district": names, "m2": m2})
    parts = parts.sort_values("m2", ascending=False, kind="stable").drop_duplicates("row").set_index("row")
    found = [read_items(text, devices) for text in (own["items"] if "items" in own.columns else [None] * len(own))]
    table = pd.DataFrame(
        {
            "year": pd.to_datetime(own["decided_on"]).dt.year.astype("Int64"),
            "district": parts["district"].reindex(own.index).astype(object).fillna(UNPLACED),
            "method": own["action"],
            "releases": 1,
            "decisions_silent": [int(items is None) for items in found],
        }
        | {f"items_{code}": [None if items is None else items.get(code, 0) for items in found] for code in codes}
    ).astype({f"items_{code}": "Int64" for code in codes})
    grouped = table.groupby(["year", "district", "method"], dropna=False)
    sums = grouped[["releases", "decisions_silent"]].sum()
    return sums.join(grouped[[f"items_{c}" for c in codes]].sum(min_count=1)), [f"items_{c}" for c in codes]


# --- what is planned


def milestones(work: pd.DataFrame, teams: pd.DataFrame, settings: PlanningSettings) -> pd.DataFrame:
    """What a plan asks of its teams, by calendar year and kind: ground, team-months and cost, low, likely and high.

    Parameters
    ----------
    work : DataFrame
        WORK.
    teams : DataFrame
        TEAMS of that plan.
    settings : PlanningSettings

    Returns
    -------
    DataFrame
        year, kind, tasks (worked on), m2 (ground worked; steps on the same ground count each), days (as planned)
        [team-days], team_months_low, team_months, team_months_high (working days of a month to each), cost_low, cost,
        cost_high [currency]. Low is the effort at the high rate, high that at the low rate, the one between that at the
        likely rate. Work of a period that lies in two years is shared between them by what its team can do in the
        months of each.

    Raises
    ------
    TableError
        A column is missing or holds no number; work names a team that is not there, or a period that the plan does
        not have.
    """
    work = _as_work(work, "the work", ("task_id", "kind", "team_id", "period", "days", "m2"))
    need(teams, "the teams", ("team_id", "number", "rate_low", "rate_likely", "rate_high", "cost_per_day"))
    teams = teams[teams["team_id"].isin(work["team_id"])]
    rows = {team: k for k, team in enumerate(teams["team_id"])}
    unknown = sorted(set(work["team_id"]) - set(rows))
    if unknown:
        raise TableError(f"work names the team {unknown[0]}, which is not among the teams; hand over those of the plan")
    period = work["period"].to_numpy(int) - 1
    if len(work) and not (period.min() >= 0 and period.max() < settings.periods):
        raise TableError(f"work has period {int(work['period'].max())} of {settings.periods}; settings of another plan")
    team = work["team_id"].map(rows).to_numpy(int)
    m2 = work["m2"].to_numpy(float)
    effort = {name: m2 / teams[f"rate_{name}"].to_numpy(float)[team] for name in ("high", "likely", "low")}
    days = {"_low": effort["high"], "": effort["likely"], "_high": effort["low"]}
    price = teams["cost_per_day"].to_numpy(float)[team]
    parts = []
    for year, share in _shares(teams, settings).items():
        part = share[team, period]
        own = {"year": year, "kind": work["kind"], "task_id": work["task_id"].where(part > 0), "m2": m2 * part,
               "days": work["days"].to_numpy(float) * part}  # fmt: skip
        own |= {f"team_months{end}": d * part / settings.working_days_a_month for end, d in days.items()}
        parts.append(pd.DataFrame(own | {f"cost{end}": d * part * price for end, d in days.items()})[part > 0])
    every = pd.concat(parts, ignore_index=True)
    grouped = every.groupby(["year", "kind"])
    sums = grouped[[name for name in every.columns if name not in ("year", "kind", "task_id")]].sum()
    sums.insert(0, "tasks", grouped["task_id"].nunique())
    return _in_order(sums.reset_index(), None, "district")


def _shares(teams: pd.DataFrame, settings: PlanningSettings) -> dict[int, Any]:
    """Calendar year to the part of each team's work in each period that lies in it, shape (teams, periods)."""
    months = settings.model_copy(update={"periods": settings.periods * settings.period_months, "period_months": 1})
    year = np.array([first.year for first, _ in period_days(months)])
    able = team_days(teams, months).reshape(len(teams), settings.periods, settings.period_months)
    # Work where a team can do none contradicts the calendar; it is told by the months alone.
    able = np.where(able.sum(axis=2, keepdims=True) > 0, able, 1.0)
    able /= able.sum(axis=2, keepdims=True)
    year = year.reshape(settings.periods, settings.period_months)
    return {int(one): (able * (year == one)).sum(axis=2) for one in np.unique(year)}


def planned_release(work: pd.DataFrame, tasks: pd.DataFrame, settings: PlanningSettings) -> pd.DataFrame:
    """What a plan means to release, by calendar year, land class and method.

    Survey works on more ground than it releases: of a step's ground counts what the next step does not work on, as
    cancelled for non-technical survey, reduced for technical survey, cleared for all else; of the last step, all.

    Parameters
    ----------
    work : DataFrame
        WORK; a period counts in the year of its last day.
    tasks : DataFrame
        TASKS that the plan was made of.
    settings : PlanningSettings
        Methods and outcomes of survey.

    Returns
    -------
    DataFrame
        year, land_class, method, tasks (worked on), planned_m2. Work on a task that is not among ``tasks``, or on a
        step that its method does not have, is in rows of a class of its own, its planned_m2 blank.

    Raises
    ------
    TableError
        A column is missing, or holds no number or no day.
    """
    work = _as_work(work, "the work", ("task_id", "step", "kind", "ends_on", "m2"))
    need(tasks, "the tasks", ("task_id", "land_class"))
    methods = zip(tasks["task_id"], tasks["land_class"], methods_of(tasks, settings), strict=True)
    known = {task: (land_class, () if method is None else method.steps) for task, land_class, method in methods}
    rows = []
    for piece in work.to_dict("records"):
        land_class, steps = known.get(piece["task_id"], (UNKNOWN_TASK, ()))
        part = _released_part(land_class, steps, piece, settings)
        rows.append(
            {
                "year": piece["ends_on"].year,
                "land_class": UNKNOWN_TASK if part is None else land_class,
                "method": METHOD_OF.get(piece["kind"], "cleared"),
                "task_id": piece["task_id"],
                "planned_m2": np.nan if part is None else part * float(piece["m2"]),
            }
        )
    every = pd.DataFrame(rows, columns=["year", "land_class", "method", "task_id", "planned_m2"])
    grouped = every.astype({"planned_m2": float}).groupby(["year", "land_class", "method"])
    table = pd.DataFrame({"tasks": grouped["task_id"].nunique(), "planned_m2": grouped["planned_m2"].sum(min_count=1)})
    return _in_order(table.reset_index(), None, "district")


def _released_part(
    land_class: str, steps: tuple[Step, ...], piece: Mapping[Any, Any], settings: PlanningSettings
) -> float | None:
    """Part of a step's ground that needs no further step [1]; None where the method has no such step."""
    at = int(piece["step"]) - 1
    if not 0 <= at < len(steps) or piece["kind"] not in steps[at].kinds:
        return None
    if at + 1 == len(steps):
        return 1.0
    here, after = (settings.part(land_class, step.ground) for step in steps[at : at + 2])
    return max(0.0, 1 - after / here) if here > 0 else 0.0


def plan_vs_achieved(
    previous_work: pd.DataFrame,
    previous_tasks: pd.DataFrame,
    bridges: Mapping[int, pd.DataFrame],
    settings: PlanningSettings,
    *,
    as_at: Any,
) -> pd.DataFrame:
    """What an earlier plan meant to release by now, beside what was released, for the years that both tell of.

    Parameters
    ----------
    previous_work : DataFrame
        WORK of the plan in force; periods that end after ``as_at`` don't count.
    previous_tasks : DataFrame
        TASKS of that plan; today's lack those that are released since.
    bridges : mapping
        Calendar year to its bridge, as for :func:`released_table`.
    settings : PlanningSettings
        Methods and outcomes, as for :func:`planned_release`.

    Returns
    -------
    DataFrame
        year, land_class, method, tasks, planned_m2, released_m2, achieved (released / planned, blank where nothing was
        planned), note (what part of the year the plan or the books tell of, where it is not the whole).

    Raises
    ------
    SettingsError, TableError
        ``as_at`` is no day; a column is missing, or holds no number or no day.
    """
    columns = ("task_id", "step", "kind", "starts_on", "ends_on", "m2")
    dated = _as_work(previous_work, "the plan in force", columns)
    day, books = day_in(as_at, "as_at"), bridges_in(bridges)
    begun, last = dated["starts_on"].min(), dated["ends_on"].max()
    due = dated[dated["ends_on"] <= pd.Timestamp(day)]
    keys = ["year", "land_class", "method"]
    planned = planned_release(due, previous_tasks, settings)
    rows = [
        (year, land_class, method, float(table.loc[table["land_class"] == land_class, f"{method}_m2"].sum()))
        for year, table in books.items()
        for land_class in CLASSES
        for method in RELEASED
    ]
    told = pd.DataFrame(rows, columns=[*keys, "released_m2"])
    both = set() if not len(dated) else {y for y in books if begun.year <= y <= min(last.year, day.year)}
    table = planned.merge(told, on=keys, how="outer")
    table = table[table["year"].isin(both)].reset_index(drop=True)
    unknown = table["land_class"] == UNKNOWN_TASK
    table["planned_m2"] = table["planned_m2"].fillna(0.0).mask(unknown)
    table["tasks"] = table["tasks"].fillna(0).astype(int)
    table = table[unknown | (table["planned_m2"] >= 1) | (table["released_m2"] >= 1)]
    table = table.assign(
        achieved=table["released_m2"] / table["planned_m2"].where(table["planned_m2"] >= 1),
        note=[_part_of_year(int(year), begun.date(), last.date(), day) for year in table["year"]],
    )
    return _in_order(table, None, "district")


def _part_of_year(year: int, begun: dt.date, last: dt.date, day: dt.date) -> str:
    notes = []
    if begun > dt.date(year, 1, 1):
        notes.append(f"the plan begins on {begun}")
    if last < min(dt.date(year, 12, 31), day):
        notes.append(f"the plan ends on {last}")
    if day < dt.date(year, 12, 31):
        notes.append(f"both up to {day}")
    return "; ".join(notes)

"""Public cells: what stands for hazards, tasks, places, teams and work at the public tier, each under a new name.

Nothing is copied from a hazard: a cell holds its net ground by class, and tasks are one row per cell and class.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clearplan.core.crs import require_metres
from clearplan.core.errors import TableError
from clearplan.core.reason import Reason, square_km
from clearplan.geo import shapes
from clearplan.land.footprints import net_shapes
from clearplan.priority.rank import gated
from clearplan.publishing.cells import cells_for, middle_of
from clearplan.settings.publishing import PublishSettings
from clearplan.tables.check import remaining
from clearplan.tables.codes import CLASSES, CODE_LISTS, SURVEY, SURVEYED
from clearplan.tables.frames import Districts, Gates, Table, Zones
from clearplan.tables.people import nobody_waits
from clearplan.tables.texts import ids_in

Figures = TypeVar("Figures", pd.Series, NDArray[np.float64])

#: Areas that are published are rounded to this, and what is less counts as this [m2]: little is not nothing.
AREA_STEP_M2 = 1_000.0
#: Work of a published cell is rounded to this [team-days], [currency].
DAYS_STEP, COST_STEP = 1.0, 100.0
#: In place of words that don't leave.
NOT_TOLD = "not shown at this tier"
#: Of the criteria only the class of land leaves with its points: a distance to a place, people near it, accidents round
#: it would lead to the ground itself. The others leave as one sum.
_OTHER = ("All other criteria, which would tell where it lies", "")


def rounded_m2(values: Figures) -> Figures:
    """Areas as they are published [m2]; blank stays blank, nothing stays nothing.

    >>> rounded_m2(pd.Series([120.0, 1_499.0, 0.0, 61_501.0])).tolist()
    [1000.0, 1000.0, 0.0, 62000.0]
    """
    return stepped(values, AREA_STEP_M2)


def stepped(values: Figures, step: float) -> Figures:
    """Figures to whole steps; what is less than one, but not nothing, is one."""
    size = np.abs(values)
    whole = np.sign(values) * np.maximum(np.round(size / step), 1.0) * step
    if isinstance(values, pd.Series):
        return pd.Series(whole).where(size > 1e-6, values * 0.0)
    return np.where(size > 1e-6, whole, 0.0)


@dataclass(frozen=True)
class Key:
    """Which cell, name or id stands for what; the key itself never leaves.

    ``cells``: cell_id, district, geometry; ``held``: cell, land_class, m2: net ground of a class in a cell [m2];
    ``reach``: task, cell, m2, most: whether it is the cell with most of the task; ``tasks``, ``teams``, ``zones``: old
    id to new.
    """

    cells: gpd.GeoDataFrame
    held: pd.DataFrame
    reach: pd.DataFrame
    tasks: dict[str, str]
    teams: dict[str, str]
    zones: dict[str, str]


def make_key(
    tables: Mapping[str, Table],
    settings: PublishSettings,
    *,
    districts: gpd.GeoDataFrame | None = None,
    district_name: str = "district",
) -> Key:
    """Cells for the hazards of some tables, and new names for all that has one; the same tables, the same key.

    New ids hold the cell, the class, the kind of a team and numbers by place in the grid or in the table: nothing of
    the old ones.
    """
    if "areas" not in tables:
        lost = [name for name in ("hazards", "tasks") if len(tables.get(name, ()))]
        if lost:
            raise TableError(
                f"public tier: no AREAS beside {lost[0].upper()}; give the footprints that cells must contain"
            )
    areas: Any = tables.get("areas")
    tasks: Any = tables.get("tasks")
    cells, held = _cells(areas, settings, districts, district_name)
    reach = _reach(tasks, cells)
    home = reach[reach["most"]]
    new = {
        str(tasks["task_id"].iloc[task]): cell_task_id(cells["cell_id"].iloc[cell], tasks["land_class"].iloc[task])
        for task, cell in zip(home["task"], home["cell"], strict=True)
    }
    return Key(
        cells.drop(columns="ground"), held, reach, new, _team_names(tables.get("teams")), _zone_ids(tables.get("zones"))
    )


def cell_task_id(cell: str, land_class: str) -> str:
    """Id of what waits in a cell.

    >>> cell_task_id("38SPK41-2", "indication")
    '38SPK41-2-IND'
    """
    return f"{cell}-{'IND' if land_class == 'indication' else land_class}"


def _cells(
    areas: gpd.GeoDataFrame | None, settings: PublishSettings, districts: Districts | None, district_name: str
) -> tuple[gpd.GeoDataFrame, pd.DataFrame]:
    empty = pd.DataFrame({"cell": np.array([], dtype=int), "land_class": np.array([], dtype=object), "m2": []})
    if areas is None:
        nowhere = gpd.GeoDataFrame(
            {"cell_id": [], "district": [], "ground": []}, geometry=[], crs=getattr(districts, "crs", None)
        )
        return nowhere, empty
    crs = require_metres(areas, *([] if districts is None else [districts]))
    left = remaining(areas)
    cells = cells_for(
        left.geometry.to_numpy(),
        crs,
        settings.cell_m,
        districts=districts,
        district_name=district_name,
        whole_districts=settings.to == "districts",
    )
    rows = [empty]
    for land_class, ground in net_shapes(areas).items():
        i, _, m2 = shapes.overlaps(cells["ground"].to_numpy(object), shapes.parts_of(ground))
        rows.append(pd.DataFrame({"cell": i, "land_class": land_class, "m2": m2}))
    held = pd.concat([own for own in rows if len(own)] or [empty]).groupby(["cell", "land_class"], as_index=False).sum()
    return cells, held


def _reach(tasks: gpd.GeoDataFrame | None, cells: gpd.GeoDataFrame) -> pd.DataFrame:
    """Pairs of tasks and cells that share ground."""
    if tasks is None or not len(tasks):
        return pd.DataFrame({"task": [], "cell": [], "m2": [], "most": []}).astype(
            {"task": int, "cell": int, "most": bool}
        )
    require_metres(tasks)
    i, j, m2 = shapes.overlaps(tasks.geometry.to_numpy(), cells["ground"].to_numpy(object))
    pairs = pd.DataFrame({"task": i, "cell": j, "m2": m2})
    pairs = pairs.sort_values(["task", "m2", "cell"], ascending=[True, False, True], kind="stable")
    return pairs.assign(most=~pairs["task"].duplicated())


def _team_names(teams: pd.DataFrame | None) -> dict[str, str]:
    """Teams by kind and number, in the order of the table."""
    if teams is None or not len(teams):
        return {}
    number = teams.groupby("kind", dropna=False).cumcount() + 1
    kinds = teams["kind"].where(teams["kind"].isin(list(CODE_LISTS["team_kind"])), "team")
    return {str(own): f"{kind} {n}" for own, kind, n in zip(teams["team_id"], kinds, number, strict=True)}


def _zone_ids(zones: pd.DataFrame | None) -> dict[str, str]:
    """Places numbered in the order of their names."""
    if zones is None or not len(zones):
        return {}
    names = zones["name"].fillna("").astype(str) if "name" in zones.columns else pd.Series("", index=zones.index)
    order = sorted(range(len(zones)), key=lambda k: (names.iloc[k], k))
    return {str(zones["zone_id"].iloc[k]): f"place-{n}" for n, k in enumerate(order, 1)}


def cell_areas(key: Key) -> gpd.GeoDataFrame:
    """A row a cell: its strongest class, and the net ground of each class that it holds, blank where it holds none."""
    wide = key.held.pivot(index="cell", columns="land_class", values="m2").reindex(columns=list(CLASSES))
    wide = wide.reindex(range(len(key.cells)))
    strongest = wide.notna().to_numpy()
    out = key.cells[["geometry"]].assign(
        area_id=key.cells["cell_id"],
        hazard_id=key.cells["cell_id"],
        kind="generalised",
        land_class=[next((c for c, own in zip(CLASSES, row, strict=True) if own), None) for row in strongest],
        status="open",
        band="whole",
        **{f"{c.lower()}_m2": rounded_m2(wide[c].astype(float)).to_numpy() for c in CLASSES},
    )
    # Cells whose borders hazards only meet, to the last rounding of a coordinate, hold none.
    own = out[out["land_class"].notna()]
    order = own["land_class"].map({c: -k for k, c in enumerate(CLASSES)})
    columns = [*own.columns.drop("geometry"), "geometry"]
    return own.loc[order.sort_values(kind="stable").index, columns].reset_index(drop=True)


def cell_reason(areas_m2: Mapping[str, float]) -> Reason:
    """What a cell holds of each class [m2]; classes are never summed.

    >>> print(cell_reason({"SHA": 2_340_000.0, "CHA": 120_000.0}))
    In this cell, net of overlap: CHA 0.12 km², SHA 2.34 km². Where in it is not shown.
    """
    grounds = [
        Reason("cell.ground", land_class=name, area=square_km(areas_m2[name])) for name in CLASSES if name in areas_m2
    ]
    return Reason("cell.holds", grounds=grounds)


def cell_tasks(tasks: gpd.GeoDataFrame, key: Key, gates: Gates | None, as_at: dt.date | None) -> gpd.GeoDataFrame:
    """A row a cell and class: its ground, and the place in the queue of what stands first in it."""
    told = {cell: dict(zip(own["land_class"], own["m2"], strict=True)) for cell, own in key.held.groupby("cell")}
    behind = gated(tasks, gates, as_at=as_at) if {"zone_ids", "hazard_ids", "district"} <= set(tasks.columns) else None
    plain = pd.DataFrame(tasks.drop(columns="geometry")).reset_index(drop=True).assign(gates=behind)
    pairs = key.reach.assign(land_class=plain["land_class"].to_numpy(object)[key.reach["task"]])
    groups = dict(list(pairs.groupby(["cell", "land_class"])))
    rows, place = [], {name: k for k, name in enumerate(CLASSES)}
    held = key.held.assign(_class=key.held["land_class"].map(place)).sort_values(["cell", "_class"])
    for cell, land_class, m2 in zip(held["cell"], held["land_class"], held["m2"], strict=True):
        pair = groups.get((cell, land_class))
        row = {
            "task_id": cell_task_id(key.cells["cell_id"].iloc[cell], land_class),
            "queue": "clearance" if land_class == "CHA" else "survey",
            "land_class": land_class,
            "district": key.cells["district"].iloc[cell],
            "area_m2": m2,
            "told": cell_reason({name: float(rounded_m2(np.array(own))) for name, own in told[cell].items()}),
            "geometry": key.cells.geometry.iloc[cell],
        }
        if pair is not None:
            row |= _of_members(plain.iloc[pair["task"]], pair, key)
        rows.append(row)
    columns = ["task_id", "queue", "land_class", "district", "area_m2", "told", "geometry"]
    out = gpd.GeoDataFrame(pd.DataFrame(rows, columns=None if rows else columns), geometry="geometry", crs=tasks.crs)
    out["area_m2"] = rounded_m2(out["area_m2"].astype(float))
    if "score" in tasks.columns:
        out = _ranked(out, tasks)
    out.attrs = {"criteria": {"other": _OTHER}} if "c_other_raw" in out.columns else {}
    return out


def _of_members(members: pd.DataFrame, pair: pd.DataFrame, key: Key) -> dict[str, Any]:
    """Figures of the tasks of a class that reach into a cell: of their first, and of the work of those at home."""
    row: dict[str, Any] = {}
    if "score" in members.columns:
        first = members.sort_values(["rank", "score", "task_id"], ascending=[True, False, True], kind="stable").iloc[0]
        row["_score"] = float(first["score"])
        for part in ("raw", "value", "weight", "points"):
            row[f"c_land_class_{part}"] = first.get(f"c_land_class_{part}", np.nan)
        if "priority_class" in members.columns:
            row["priority_class"] = first["priority_class"]
        shut = members["gates"].notna()
        row["gates"] = Reason("task.gated", gates=list(dict.fromkeys(members["gates"]))) if shut.all() else None
    if "start_on" in members.columns:
        home = members[pair["most"].to_numpy()]
        ids = {key.teams.get(own, NOT_TOLD) for teams in home["teams"] for own in ids_in(teams)}
        row["teams"] = "; ".join(sorted(ids)) or None
        row["start_on"] = home["start_on"].min() if len(home) else pd.NaT
        row["finish_on"] = home["finish_on"].max() if len(home) and home["finish_on"].notna().all() else pd.NaT
        if "finished_part" in home.columns:
            worked, size = home["finished_part"].astype(float), home["area_m2"].astype(float)
            row["finished_part"] = (
                round(float((worked.fillna(0.0) * size).sum() / size.sum()), 2) if len(home) else np.nan
            )
    return row


def _ranked(out: gpd.GeoDataFrame, tasks: pd.DataFrame) -> gpd.GeoDataFrame:
    """Scores in whole points but for the class of land, and ranks among the cells of a queue that no gate shuts."""
    lone = "c_land_class_points" in tasks.columns
    parts = ("raw", "value", "weight", "points")
    out = out.reindex(
        columns=[*dict.fromkeys([*out.columns, "_score", "gates", *(f"c_land_class_{p}" for p in parts)])]
    )
    own = out["c_land_class_points"].astype(float).fillna(0.0)
    weight = 100.0 - out["c_land_class_weight"].astype(float).fillna(0.0)
    # A cell into which no task reaches by more than rounding has no score of its own: it comes last.
    points = (out["_score"].astype(float).fillna(0.0) - own).round().clip(lower=0)
    out = out.assign(
        c_other_raw=np.nan,
        c_other_value=(points / weight.where(weight > 0)).fillna(0.0),
        c_other_weight=weight,
        c_other_points=points,
        score=own + points,
    )
    free = out["gates"].isna()
    place = out.loc[free, "score"].round(9).groupby(out.loc[free, "queue"]).rank(method="min", ascending=False)
    out["rank"] = place.reindex(out.index).astype("Int64")
    return out.drop(columns=["_score", *([] if lone else [f"c_land_class_{p}" for p in parts])])


def public_places(zones: gpd.GeoDataFrame, key: Key, settings: PublishSettings, districts: Districts | None) -> Zones:
    """Places by name; each stands in the middle of its square or district."""
    require_metres(zones)
    cells = np.array([], dtype=object)
    if settings.to == "districts" and districts is not None:
        cells = shapes.disjoint(districts.geometry.to_numpy())
    ids = [key.zones[str(own)] for own in zones["zone_id"]]
    names = [str(name) for name in zones["name"].fillna("")] if "name" in zones.columns else ids
    out = zones.assign(zone_id=ids, geometry=middle_of(zones.geometry.to_numpy(), cells, names, settings.cell_m))
    if "why" in out.columns:
        status = out["survey_status"] if "survey_status" in out.columns else ["surveyed"] * len(out)
        rows = zip(out["waits_for"], out["opens_in"], status, strict=True)
        out["why"] = [_why(waits, opens, surveyed in SURVEYED) for waits, opens, surveyed in rows]
        out.loc[nobody_waits(zones), "why"] = Reason("zone.lived_in")
    return gpd.GeoDataFrame(out, geometry="geometry", crs=zones.crs)


def _why(waits: Any, opens: Any, surveyed: bool) -> Reason:
    """Why a place opens when it does, without the names of what stands in its way."""
    planned, tasks = pd.notna(opens), 0 if pd.isna(waits) else int(waits)
    if tasks == 0 and surveyed:
        return Reason("zone.unblocked") if planned else Reason("zone.not_planned")
    if tasks == 0:
        return Reason("zone.survey") if planned else Reason("zone.survey_on")
    if surveyed:
        return Reason("zone.waits", count=tasks) if planned else Reason("zone.waits_on", count=tasks)
    return Reason("zone.survey_waits", count=tasks) if planned else Reason("zone.survey_waits_on", count=tasks)


def plain_gates(gates: pd.DataFrame) -> pd.DataFrame:
    """Gates whose reasons are those of the code list: in their own words they may name people."""
    return gates.assign(reason=gates["kind"].map(CODE_LISTS["gate_kind"]).fillna(NOT_TOLD), until="that has changed")


def publish_work(work: pd.DataFrame, key: Key) -> pd.DataFrame:
    """WORK by cell and class, teams by kind; days, ground and costs rounded [team-days], [m2], [currency]."""
    surveys = {f"{SURVEY}{zone}": f"{SURVEY}{shown}" for zone, shown in key.zones.items()}
    told = work.assign(
        task_id=work["task_id"].astype(str).map(key.tasks | surveys).fillna(NOT_TOLD),
        team_id=work["team_id"].astype(str).map(key.teams).fillna(NOT_TOLD),
    )
    by = ["task_id", "step", "step_name", "kind", "team_id", "period", "starts_on", "ends_on"]
    out = told.groupby(by, sort=False, as_index=False)[["days", "m2", "cost"]].sum()
    out["days"], out["m2"] = stepped(out["days"], DAYS_STEP), rounded_m2(out["m2"])
    out["cost"] = stepped(out["cost"], COST_STEP)
    parts = zip(out["task_id"], out["step"], out["team_id"], out["period"], strict=True)
    out.insert(0, "work_id", ["/".join(map(str, part)) for part in parts])
    return out

"""Two runs side by side: what is new, closed, re-opened or moved, whose rank changed and which criterion moved it."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from clearplan.core.errors import MissingFileError, ReadError, TableError
from clearplan.core.imprint import Imprint
from clearplan.core.replacing import refuse_half_exchanged
from clearplan.core.writing import refuse_taken
from clearplan.geo import shapes
from clearplan.outputs.facts import counted_by_class
from clearplan.outputs.report.comparison import draw_comparison
from clearplan.priority.rank import criteria_of, meaning_of
from clearplan.read.files import read_raw
from clearplan.read.finished_run import read_work
from clearplan.study.compare_plans import PlanOf, Replanned, compare_plans, replanned_tables, replanned_words
from clearplan.study.compare_settings import (
    SCORE_CHANGE,
    changed_scores,
    changed_settings,
    scores_words,
    settings_tables,
    settings_words,
)
from clearplan.tables.check import each_row

#: A hazard has moved, or was drawn anew, where its border lies farther than this from the one before [m].
MOVED_M = 1.0
#: Two tasks are the same piece of work where they share this part of the smaller one.
SAME_TASK = 0.5
#: Ground counts as changed from this area on [m2]; overlay noise is far below it.
_LEAST_M2 = 1.0


@dataclass(frozen=True)
class Run:
    """A run read back from its folder: layers of plan.gpkg in the working CRS, and run.json."""

    folder: Path
    record: dict[str, Any]
    hazards: gpd.GeoDataFrame
    areas: gpd.GeoDataFrame
    tasks: gpd.GeoDataFrame
    zones: gpd.GeoDataFrame
    releases: gpd.GeoDataFrame | None
    plan: PlanOf | None = None

    @property
    def as_at(self) -> str:
        """Day for which the run speaks."""
        return str(self.record["settings"]["study"]["as_at"])

    @property
    def tier(self) -> str:
        """For whom the run was written; all is in it where nobody said."""
        return str(self.record.get("tier", "restricted"))


@dataclass(frozen=True)
class Comparison:
    """What changed from one run to another.

    hazards : one row a change: hazard_id, change, before, after, geometry of the later run
    tasks : one row a task: task_id, was, queue, rank and score before and after, criterion that moved it
    net : remaining ground by land class in both [m2]
    rewritten : decisions of the first run that the second lacks or tells otherwise; history is append-only
    replanned : what moved in the plan of work, where both runs have one
    settings : settings that differ: setting, before, after, unit
    """

    first: Run
    second: Run
    hazards: gpd.GeoDataFrame
    tasks: gpd.GeoDataFrame
    net: pd.DataFrame
    rewritten: pd.DataFrame
    replanned: Replanned | None = None
    settings: pd.DataFrame = field(default_factory=lambda: changed_settings({}, {}))

    @property
    def scores(self) -> pd.DataFrame:
        """Tasks of both runs whose score changed, the largest change first."""
        return changed_scores(self.tasks)


def read_run(folder: str | Path) -> Run:
    """A run's results from its folder.

    Raises
    ------
    MissingFileError, ReadError
        There is no run in the folder, or it can't be read.
    """
    folder = Path(folder)
    refuse_half_exchanged(folder)
    record, layers = folder / "run.json", folder / "plan.gpkg"
    for path in (record, layers):
        if not path.exists():
            raise MissingFileError(f"{path}: no such file; name the folder of a run (clearplan run ... --out FOLDER)")
    try:
        told = json.loads(record.read_text(encoding="utf-8"))
        _ = dt.date.fromisoformat(told["settings"]["study"]["as_at"]), told["net_area"], told["crs"]
        names = [str(name) for name in gpd.list_layers(layers)["name"]]
    except Exception as error:  # GDAL's own errors have no common root but this
        raise ReadError(
            f"{folder}: holds no run that can be read ({type(error).__name__}: {error}); run the plan again"
        ) from None
    tables: dict[str, Any] = {
        name: _layer(layers, name) if name in names else None
        for name in ("hazards", "areas", "tasks", "zones", "releases")
    }
    return Run(folder=folder, record=told, **tables, plan=_plan(folder, told, tables))


def _plan(folder: Path, record: dict[str, Any], tables: dict[str, Any]) -> PlanOf | None:
    """The plan of work of a run; None where it has none."""
    zones = tables["zones"]
    if zones is None or "opens_in" not in zones.columns or not (folder / "work.csv").exists():
        return None
    work, blockers = read_work(folder / "work.csv"), read_raw(folder / "blockers.csv").frame
    return PlanOf(pd.DataFrame(zones), pd.DataFrame(tables["tasks"]), work, blockers, record)


def _layer(path: Path, name: str) -> gpd.GeoDataFrame:
    raw = read_raw(path, layer=name)
    # Days as text, as they stand in run.json, and as older runs wrote them.
    frame = raw.frame.map(lambda value: value.date().isoformat() if isinstance(value, pd.Timestamp) else value)
    return gpd.GeoDataFrame(frame, geometry=raw.geometry, crs=raw.crs)


def compare_runs(first: str | Path | Run, second: str | Path | Run) -> Comparison:
    """What changed between two runs: one plan as at two days, or with other data.

    Parameters
    ----------
    first, second : folder, or Run
        The earlier and the later run.

    Raises
    ------
    MissingFileError, ReadError
        A folder holds no run.
    TableError
        The runs are in different working CRS, or of different tiers.
    """
    a, b = (run if isinstance(run, Run) else read_run(run) for run in (first, second))
    if a.as_at > b.as_at:
        raise TableError(
            f"{a.folder} is as at {a.as_at}, later than {b.folder} ({b.as_at}); name the earlier run first"
        )
    if a.tier != b.tier:
        raise TableError(
            f"{a.folder} was written for the tier {a.tier}, {b.folder} for {b.tier}; compare runs of one tier: what is "
            "named otherwise would look as if it had changed"
        )
    if a.tasks.crs != b.tasks.crs:
        raise TableError(
            f"{a.folder} is in {a.record['crs']}, {b.folder} in {b.record['crs']}; run both with one region"
        )
    tasks, replanned = _tasks(a, b), None
    if a.plan is not None and b.plan is not None:
        same = tasks[tasks["task_id"].notna() & tasks["was"].notna()]
        replanned = compare_plans(a.plan, b.plan, dict(zip(same["task_id"], same["was"], strict=True)))
    criteria = (b.record["settings"].get("priority") or {}).get("criteria", [])
    units = {row["name"]: row.get("unit") or meaning_of(b.tasks, row["name"]).unit for row in criteria}
    settings = changed_settings(a.record["settings"], b.record["settings"], units=units)
    return Comparison(a, b, _hazards(a, b), tasks, _net(a, b), _all_rewritten(a, b), replanned, settings)


def _hazards(a: Run, b: Run) -> gpd.GeoDataFrame:
    """Every change of every hazard, in the order of the later run; what it lost stands last and loud."""
    old, new = (run.hazards.drop_duplicates("hazard_id").set_index("hazard_id") for run in (a, b))
    left = [_remaining(run) for run in (a, b)]
    rows: list[tuple[Any, ...]] = []
    for hazard in [*new.index, *(h for h in old.index if h not in new.index)]:
        if hazard not in old.index:
            rows.append((hazard, "new", None, _state(new, hazard), new.geometry[hazard]))
            continue
        if hazard not in new.index:
            rows.append((hazard, "LOST from the table", _state(old, hazard), None, old.geometry[hazard]))
            continue
        place = new.geometry[hazard]
        for change, before, after in _changes(hazard, old, new, left):
            rows.append((hazard, change, before, after, place))
    columns = ["hazard_id", "change", "before", "after", "geometry"]
    return gpd.GeoDataFrame(pd.DataFrame(rows, columns=columns), geometry="geometry", crs=b.hazards.crs)


def _remaining(run: Run) -> dict[str, tuple[float, str]]:
    """Ground that remains of each hazard, overlaps between hazards counted again [m2], and what decided it."""
    size = pd.Series(shapely.area(run.areas.geometry.to_numpy()), index=run.areas.index).fillna(0.0)
    open_ = (run.areas["status"] != "closed").to_numpy()
    left = (size * open_).groupby(run.areas["hazard_id"]).sum()
    named = run.areas["release_ids"] if "release_ids" in run.areas.columns else pd.Series("", index=run.areas.index)
    ids = named.fillna("").astype(str).groupby(run.areas["hazard_id"]).agg("; ".join)
    return {str(hazard): (float(m2), ids[hazard]) for hazard, m2 in left.items()}


def _state(table: pd.DataFrame, hazard: str) -> str:
    return ", ".join(str(table.loc[hazard, name]) for name in ("land_class", "status"))


def _changes(hazard: str, old: Any, new: Any, left: list[dict[str, tuple[float, str]]]) -> list[tuple[str, str, str]]:
    """Changes of one hazard; 'footprint' is ground that grew or shrank by settings, with no decision behind it."""
    found = []
    was, now = old.loc[hazard], new.loc[hazard]
    if was["status"] != now["status"]:
        change = "closed" if now["status"] == "closed" else "re-opened" if was["status"] == "closed" else "status"
        found.append((change, was["status"], now["status"]))
    if was["land_class"] != now["land_class"]:
        found.append(("class", was["land_class"], now["land_class"]))
    (before, ids), (after, now_ids) = left[0].get(hazard, (0.0, "")), left[1].get(hazard, (0.0, ""))
    apart = _moved(was.geometry, now.geometry)
    if apart > MOVED_M:
        found.append(("moved", "", f"{apart:,.0f} m"))
    sizes = f"{before / 1e4:,.2f} ha", f"{after / 1e4:,.2f} ha"
    if ids != now_ids and abs(after - before) > _LEAST_M2:
        found.append(("released" if after < before else "ground re-opened", *sizes))
    elif apart <= MOVED_M and was["status"] == now["status"] != "closed" and abs(after - before) > _LEAST_M2:
        found.append(("footprint", *sizes))
    return found


def _moved(before: Any, after: Any) -> float:
    if before is None or after is None or before.is_empty or after.is_empty:
        return 0.0 if before is after else float("inf")
    return 0.0 if before.equals(after) else float(shapely.hausdorff_distance(before, after))


def _tasks(a: Run, b: Run) -> gpd.GeoDataFrame:
    """Tasks of the later run with their ranks in both, then those that are gone; matched by the ground they share."""
    i, j, shared = shapes.overlaps(b.tasks.geometry.to_numpy(), a.tasks.geometry.to_numpy())
    small = np.minimum(shapely.area(b.tasks.geometry.to_numpy())[i], shapely.area(a.tasks.geometry.to_numpy())[j])
    same = (b.tasks["queue"].to_numpy(object)[i] == a.tasks["queue"].to_numpy(object)[j]) & (shared > SAME_TASK * small)
    pairs = pd.DataFrame({"b": i[same], "a": j[same], "m2": shared[same]}).sort_values("m2", ascending=False)
    pairs = pairs.drop_duplicates("b").drop_duplicates("a")
    was = np.full(len(b.tasks), -1)
    was[pairs["b"]] = pairs["a"]
    table = pd.DataFrame(
        {
            "task_id": b.tasks["task_id"],
            "was": _from(a.tasks["task_id"], was),
            "queue": b.tasks["queue"],
            "rank_before": pd.array(_from(a.tasks["rank"], was), dtype="Int64"),
            "rank_after": b.tasks["rank"].astype("Int64"),
            "score_before": _from(a.tasks["score"].astype(float), was).astype(float),
            "score_after": b.tasks["score"].astype(float),
        }
    )
    table["change"] = np.where(
        was < 0, "new", np.where(table["rank_before"].eq(table["rank_after"]).fillna(False), "same", "rank")
    )
    table["criterion"], table["points"] = _movers(a, b, was)
    gone = a.tasks[~np.isin(np.arange(len(a.tasks)), pairs["a"])]
    lost = pd.DataFrame(
        {
            "task_id": None,
            "was": gone["task_id"],
            "queue": gone["queue"],
            "rank_before": gone["rank"].astype("Int64"),
            "score_before": gone["score"].astype(float),
            "change": "gone",
        }
    )
    both = pd.concat([table, lost], ignore_index=True)
    place = np.concatenate([b.tasks.geometry.to_numpy(), gone.geometry.to_numpy()])
    return gpd.GeoDataFrame(both, geometry=place, crs=b.tasks.crs)


def _from(column: pd.Series, at: Any) -> Any:
    values = column.to_numpy(object)
    return np.array([values[k] if k >= 0 else None for k in at], dtype=object)


def _movers(a: Run, b: Run, was: Any) -> tuple[list[str | None], list[float]]:
    """The criterion whose points changed most, and by how much; where no figure of the task changed, others moved."""
    names = [name for name in criteria_of(b.tasks) if f"c_{name}_points" in a.tasks.columns]
    known = np.flatnonzero(was >= 0)
    columns = [f"c_{name}_points" for name in names]
    change = np.zeros((len(b.tasks), len(names)))
    after = b.tasks[columns].to_numpy(float)[known]
    change[known] = np.nan_to_num(after) - np.nan_to_num(a.tasks[columns].to_numpy(float)[was[known]])
    most = np.abs(change).argmax(axis=1) if names else np.zeros(len(b.tasks), dtype=int)
    points = change[np.arange(len(change)), most] if names else np.zeros(len(b.tasks))
    labels = [meaning_of(b.tasks, name).label for name in names]
    words = [
        None if k < 0 else (labels[m] if abs(p) >= SCORE_CHANGE else "none of its own: others moved")
        for k, m, p in zip(was, most, points, strict=True)
    ]
    return words, points.tolist()


def _net(a: Run, b: Run) -> pd.DataFrame:
    sums = [pd.Series(counted_by_class(pd.DataFrame(run.record["net_area"])), dtype=float) for run in (a, b)]
    both = pd.DataFrame({"before_m2": sums[0], "after_m2": sums[1]}).fillna(0.0)
    both["change_m2"] = both["after_m2"] - both["before_m2"]
    return both.rename_axis("land_class").reset_index()


_DECISION = (
    "action",
    "decided_on",
    "decided_by",
    "reason",
    "operator",
    "items",
    "depth_m",
    "hazard_id",
    "district",
    "source",
)


def _all_rewritten(a: Run, b: Run) -> pd.DataFrame:
    """Decisions and changes of status that were rewritten, and decisions dated back into the first run's time."""
    found = [_rewritten(a.releases, b.releases), _history(a, b)]
    if b.releases is not None and a.as_at < b.as_at:
        before = set() if a.releases is None else set(a.releases["release_id"])
        late = b.releases[~b.releases["release_id"].isin(before)]
        late = late[late["decided_on"].astype(str) <= a.as_at]
        rows = [
            (i, "dated back before the first run", None, day)
            for i, day in zip(late["release_id"], late["decided_on"].astype(str), strict=True)
        ]
        found.append(pd.DataFrame(rows, columns=found[0].columns))
    filled = [table for table in found if len(table)]
    return pd.concat(filled, ignore_index=True) if filled else found[0]


def _history(a: Run, b: Run) -> pd.DataFrame:
    """Changes of status that the first run knew and the second lacks or tells otherwise."""
    later = {row["history_id"]: row for row in b.record.get("history", [])}
    rows: list[tuple[Any, ...]] = []
    for row in a.record.get("history", []):
        other = later.get(row["history_id"])
        if other is None:
            rows.append((row["history_id"], "the whole change", row["hazard_id"], None))
            continue
        names = [name for name in row if not _equal(row[name], other.get(name))]
        rows += [(row["history_id"], name, row[name], other.get(name)) for name in names]
    return pd.DataFrame(rows, columns=["release_id", "column", "before", "after"])


def _rewritten(old: gpd.GeoDataFrame | None, new: gpd.GeoDataFrame | None) -> pd.DataFrame:
    """Decisions that the later run lacks, or tells otherwise; only those that it would know at its own day."""
    columns = ["release_id", "column", "before", "after"]
    if old is None or not len(old):
        return pd.DataFrame(columns=columns)
    rows: list[tuple[Any, ...]] = []
    now = {} if new is None else {row["release_id"]: row for row in new.to_dict("records")}
    for row in old.to_dict("records"):
        later = now.get(row["release_id"])
        if later is None:
            rows.append((row["release_id"], "the whole decision", row["action"], None))
            continue
        for name in _DECISION:
            if name in row and not _equal(row[name], later.get(name)):
                rows.append((row["release_id"], name, row[name], later.get(name)))
        if _moved(row["geometry"], later["geometry"]) > MOVED_M:
            rows.append((row["release_id"], "ground", "as drawn", "drawn anew"))
    return pd.DataFrame(rows, columns=columns)


def _equal(one: Any, other: Any) -> bool:
    blank = [value is None or (not isinstance(value, str) and pd.isna(value)) for value in (one, other)]
    return all(blank) or (not any(blank) and str(one) == str(other))


#: What became of tasks, as it is counted in a sentence: a task of the same rank may have another score.
_TASK_CHANGES = {"same": "of the same rank", "rank": "of another rank"}


def comparison_words(found: Comparison) -> list[str]:
    """The comparison in some sentences: what was rewritten, then settings and scores, then what else changed."""
    words = []
    if len(found.rewritten):
        ids = list(dict.fromkeys(found.rewritten["release_id"]))
        words.append(
            f"HISTORY WAS REWRITTEN: {len(ids)} decisions of the first run are gone or read otherwise in the second: "
            + ", ".join(ids[:8])
        )
    words += [settings_words(found.settings), scores_words(found.scores, found.tasks)]
    lost = found.hazards[found.hazards["change"].str.startswith("LOST")]
    if len(lost):
        words.append(
            f"{len(lost)} hazards of the first run are LOST from the second: " + ", ".join(lost["hazard_id"][:8])
        )
    for row in each_row(found.net):
        before, after, change = (f"{value / 1e6:,.2f}" for value in (row.before_m2, row.after_m2, row.change_m2))
        words.append(
            f"{row.land_class}: {before} km2 before, {after} km2 after, {'+' if row.change_m2 > 0 else ''}{change}"
        )
    counts = found.hazards["change"].value_counts(sort=False)
    words.append("Hazards: " + (", ".join(f"{count} {name}" for name, count in counts.items()) or "no change"))
    tasks = found.tasks["change"].replace(_TASK_CHANGES).value_counts(sort=False)
    words.append("Tasks: " + ", ".join(f"{count} {name}" for name, count in tasks.items()))
    if found.replanned is not None:
        return words + replanned_words(found.replanned)
    there = [run.plan is not None for run in (found.first, found.second)]
    if any(there):
        words.append(f"Only the {'first' if there[0] else 'second'} run has a plan of work: openings are not compared")
    return words


def comparison_tables(found: Comparison, most: int = 1_000) -> dict[str, tuple[tuple[str, ...], list[Any]]]:
    """Headings, and the header and the first rows of text below each; what is left out is counted."""
    new = found.hazards["change"] == "new"
    decisions = [tuple("" if cell is None else str(cell) for cell in row) for row in each_row(found.rewritten)]
    changed = [(h.hazard_id, h.change, h.before or "", h.after or "") for h in each_row(found.hazards[~new])]
    ranks = [
        (
            t.queue,
            t.task_id,
            t.was if t.was != t.task_id else "",
            f"{t.rank_before} -> {t.rank_after}",
            f"{t.score_before:.1f} -> {t.score_after:.1f}",
            f"{t.criterion} ({t.points:+.1f})",
        )
        for t in each_row(rank_changes(found))
    ]
    tables: dict[str, tuple[tuple[str, ...], list[Any]]] = {
        "Decisions that were rewritten": (("decision", "what", "before", "after"), decisions),
        **settings_tables(found.settings, found.scores),
        **({} if found.replanned is None else replanned_tables(found.replanned)),
        "Hazards that changed": (("hazard", "change", "before", "after"), changed),
        "Ranks that changed": (("queue", "task", "was", "rank", "score", "moved most by (points)"), ranks),
        "Hazards that are new": (
            ("hazard", "class, status"),
            [(h.hazard_id, h.after or "") for h in each_row(found.hazards[new])],
        ),
    }
    return {heading: (header, _first(rows, most, len(header))) for heading, (header, rows) in tables.items()}


def _first(rows: list[Any], most: int, width: int) -> list[Any]:
    left = len(rows) - most
    return rows if left <= 0 else [*rows[:most], (f"... and {left:,} more", *[""] * (width - 1))]


def write_comparison(found: Comparison, path: str | Path) -> None:
    """The comparison as an HTML page of its own: a map of what changed, sentences, tables.

    Raises
    ------
    OutputError
        The file exists already, or can't be written.
    """
    refuse_taken(Path(path), (".html",))
    a, b = found.first.record, found.second.record
    draw_comparison(
        comparison_tables(found),
        Imprint(
            title=f"{b['settings']['study']['title']}: {found.first.as_at} and {found.second.as_at}",
            as_at=dt.date.fromisoformat(b["settings"]["study"]["as_at"]),
            notice=f"{b.get('notice', '')} Compared with fingerprint {a['fingerprint']}, as at {found.first.as_at}.",
            fingerprint=b["fingerprint"],
            illustrative=any(run["settings"]["study"]["illustrative"] for run in (a, b)),
        ),
        words=comparison_words(found),
        changes=found.hazards,
        ground=found.second.areas,
        zones=found.second.zones,
    ).save(path)


def rank_changes(found: Comparison, first: int = 15) -> pd.DataFrame:
    """Tasks among the first ranks of either run whose rank changed, largest change first within each queue."""
    moved = found.tasks[found.tasks["change"] == "rank"]
    near = np.minimum(moved["rank_before"].astype(float), moved["rank_after"].astype(float)) <= 5 * first
    own = pd.DataFrame(moved[near].drop(columns="geometry"))
    own["moved_by"] = own["rank_before"] - own["rank_after"]
    order = own["moved_by"].abs().astype(float).sort_values(ascending=False, kind="stable").index
    return own.loc[order].groupby("queue", sort=True).head(first).reset_index(drop=True)

"""Two plans of work side by side: whose opening moved and why, which days stay, what was set otherwise."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from clearplan.planning.blockers import waits_for
from clearplan.tables.check import each_row

#: Columns of TEAMS whose change is shown.
_TEAM = (
    "kind",
    "number",
    "rate_low",
    "rate_likely",
    "rate_high",
    "cost_per_day",
    "operator",
    "donor",
    "season",
    "districts",
    "base_lon",
    "base_lat",
    "available_from",
    "available_to",
)
#: Settings that decide how a plan is sought, not what it is worth.
_SEARCH = (
    "search_work",
    "stop_after_s",
    "seed",
    "uncertainty",
    "what_if",
    "treaty",
    "budgets",
    "return_by",
    "previous",
)


@dataclass(frozen=True)
class PlanOf:
    """A plan of work read back: ``zones`` with opens_on, ``tasks``, ``work``, ``blockers``, and run.json."""

    zones: pd.DataFrame
    tasks: pd.DataFrame
    work: pd.DataFrame
    blockers: pd.DataFrame
    record: Mapping[str, Any]


@dataclass(frozen=True)
class Replanned:
    """What changed from one plan of work to the next.

    ``openings``: a row a zone: zone_id, name, change, before, after, why; ``settings``: what, before, after;
    ``kept``: part of the team-days of the first plan, from the first day of the second on, that stay with their team in
    their district [1]; None where there are none.
    """

    openings: pd.DataFrame
    settings: pd.DataFrame
    kept: float | None


def compare_plans(first: PlanOf, second: PlanOf, was: Mapping[str, str]) -> Replanned:
    """What moved between two plans of work, and why.

    Parameters
    ----------
    first, second : PlanOf
    was : mapping
        Task of the second plan to the task of the first that it is; tasks that are new are not in it.
    """
    settings = _settings(first.record, second.record)
    return Replanned(_openings(first, second, was, len(settings) > 0), settings, _kept(first, second))


def _openings(first: PlanOf, second: PlanOf, was: Mapping[str, str], set_otherwise: bool) -> pd.DataFrame:
    old, new = (plan.zones.drop_duplicates("zone_id").set_index("zone_id") for plan in (first, second))
    waits = [waits_for(plan.blockers) for plan in (first, second)]
    rows = []
    for zone in [*new.index, *(z for z in old.index if z not in new.index)]:
        name = (new if zone in new.index else old).loc[zone, "name"]
        if zone not in new.index or zone not in old.index:
            change = "new place" if zone in new.index else "LOST from the table"
            day = _day(new.loc[zone]) if zone in new.index else None
            rows.append((zone, name, change, None if zone in new.index else _day(old.loc[zone]), day, ""))
            continue
        before, after = _day(old.loc[zone]), _day(new.loc[zone])
        change = _change(before, after)
        why = ""
        if change != "same":
            why = _why(zone, waits[0].get(zone, []), waits[1].get(zone, []), was, set_otherwise, new.loc[zone])
        rows.append((zone, name, change, before, after, why))
    return pd.DataFrame(rows, columns=["zone_id", "name", "change", "before", "after", "why"])


def _day(zone: Any) -> str | None:
    """Day on which a zone opens, "open" from the start, None for never."""
    if pd.isna(zone["opens_in"]):
        return None
    return "open" if int(zone["opens_in"]) == 0 else f"{pd.Timestamp(zone['opens_on']):%Y-%m-%d}"


def _when(day: Any) -> str:
    return day if isinstance(day, str) else "not in the plan"


def _change(before: str | None, after: str | None) -> str:
    """In a word.

    >>> _change("2027-03-31", "2026-12-31"), _change(None, "open"), _change("open", None), _change(None, None)
    ('sooner', 'in the plan now', 'no longer in the plan', 'same')
    """
    if before == after:
        return "same"
    if before is None or after is None:
        return "in the plan now" if before is None else "no longer in the plan"
    if "open" in (before, after):
        return "sooner" if after == "open" else "later"
    return "sooner" if after < before else "later"


def _why(zone: str, before: list[str], after: list[str], was: Mapping[str, str], set_otherwise: bool, row: Any) -> str:
    """What changed about a zone's own tasks; else that it lies in settings, or in other places that moved."""
    known = {was[task] for task in after if task in was}
    new, gone = [t for t in after if t not in was], [t for t in before if t not in known]
    joined = [t for t in after if t in was and was[t] not in before]
    gone = [t for t in gone if t not in set(was.values())] + [t for t in gone if t in set(was.values())]
    parts = []
    for tasks, words in ((new, "new in its way"), (joined, "in its way now"), (gone, "no longer in its way")):
        if tasks:
            more = f" and {len(tasks) - 3} more" if len(tasks) > 3 else ""
            parts.append(f"{words}: {', '.join(tasks[:3])}{more}")
    if not parts:
        parts.append(
            "its tasks are as before: "
            + ("settings or teams changed" if set_otherwise else "teams are needed elsewhere, or are free sooner")
        )
    if pd.notna(row["opens_in"]) and isinstance(row.get("last_tasks"), str):
        parts.append(f"last to be finished: {row['last_tasks']}")
    return "; ".join(parts)


def _settings(first: Mapping[str, Any], second: Mapping[str, Any]) -> pd.DataFrame:
    """Settings of the plan, teams and promises that differ."""
    rows: list[tuple[str, str, str]] = []
    old, new = (record["settings"].get("planning") or {} for record in (first, second))
    for name in dict.fromkeys((*old, *new)):
        if name not in _SEARCH and old.get(name) != new.get(name):
            rows.append((name, _said(old.get(name)), _said(new.get(name))))
    crews = [{row["team_id"]: row for row in record.get("teams", [])} for record in (first, second)]
    for team in dict.fromkeys((*crews[0], *crews[1])):
        if team not in crews[0] or team not in crews[1]:
            there = ["there" if team in crew else "not there" for crew in crews]
            rows.append((f"team {team}", *there))  # type: ignore[arg-type]
            continue
        one, other = crews[0][team], crews[1][team]
        rows += [
            (f"team {team}: {n}", _said(one.get(n)), _said(other.get(n))) for n in _TEAM if one.get(n) != other.get(n)
        ]
    promises = [{row["commitment_id"] for row in record.get("commitments", [])} for record in (first, second)]
    rows += [(f"commitment {name}", "not there", "there") for name in sorted(promises[1] - promises[0])]
    rows += [(f"commitment {name}", "there", "not there") for name in sorted(promises[0] - promises[1])]
    return pd.DataFrame(rows, columns=["what", "before", "after"])


def _said(value: Any) -> str:
    """A setting in words.

    >>> _said(6e6), _said(None), _said(["a"])
    ('6,000,000', 'none', "['a']")
    """
    if value is None:
        return "none"
    return (
        f"{value:,.6g}"
        if isinstance(value, float) and abs(value) < 1e5
        else (f"{value:,.0f}" if isinstance(value, float) else str(value))
    )


def _kept(first: PlanOf, second: PlanOf) -> float | None:
    days = []
    for plan in (first, second):
        district = dict(zip(plan.tasks["task_id"], plan.tasks["district"], strict=True))
        own = plan.work.assign(district=[str(district.get(task)) for task in plan.work["task_id"]])
        days.append(own.groupby(["team_id", "district", "starts_on"])["days"].sum())
    begins = second.work["starts_on"].min()
    before = days[0][days[0].index.get_level_values("starts_on") >= begins]
    if not len(before) or before.sum() <= 0:
        return None
    both = pd.concat([before, days[1].reindex(before.index).fillna(0.0)], axis=1).min(axis=1)
    return float(both.sum() / before.sum())


def replanned_words(found: Replanned) -> list[str]:
    """The comparison in some sentences."""
    counts = found.openings["change"].value_counts(sort=False)
    words = ["Openings of places: " + ", ".join(f"{count} {name}" for name, count in counts.items())]
    if found.kept is not None:
        words.append(f"Team-days of the first plan that stay with their team and district: {100 * found.kept:.0f} %")
    return words


def replanned_tables(found: Replanned) -> dict[str, tuple[tuple[str, ...], list[Any]]]:
    """Headings, and the header and the rows of text below each."""
    moved = found.openings[found.openings["change"] != "same"]
    return {
        "Places whose opening moved": (
            ("place", "name", "change", "before", "after", "why"),
            [
                (r.zone_id, r.name if isinstance(r.name, str) else "", r.change, _when(r.before), _when(r.after), r.why)
                for r in each_row(moved)
            ],
        ),
        "What is set otherwise in the plan of work": (
            ("what", "before", "after"),
            [(r.what, r.before, r.after) for r in each_row(found.settings)],
        ),
    }

"""Every figure that two outputs show, worked out once from tables: page, report, workbook and terminal print these.

Nothing is worked out here that a table does not hold but sums of its rows: net areas never overlap, so they may be
added; people are counted once, by zone. Figures are plain numbers; whoever prints them rounds them.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from clearplan.outputs.people_facts import People, people_of, people_of_record
from clearplan.outputs.plan_facts import PlanFacts, need_columns, plan_facts
from clearplan.planning.planned import Planned
from clearplan.read.balance import Balance
from clearplan.settings.base import QUEUES
from clearplan.tables.check import each_row
from clearplan.tables.codes import RELEASED

#: Terms of the bridge in the order in which they are shown, and their sign.
BRIDGE_TERMS = {
    "newly_found_m2": 1,
    "reopened_m2": 1,
    "changed_in_m2": 1,
    "changed_out_m2": -1,
    "cancelled_m2": -1,
    "reduced_m2": -1,
    "cleared_m2": -1,
    "closed_m2": -1,
    "withdrawn_m2": -1,
}
INDICATION = "indication"
_RELEASED_M2 = tuple(f"{name}_m2" for name in RELEASED)
#: Columns that a table must have.
_NEEDED = {
    "net_area": ("land_class", "district", "reported_m2", "planning_m2", "gross_m2"),
    "ledger": (
        "land_class",
        "reported_m2",
        "remaining_m2",
        *_RELEASED_M2,
        "closed_m2",
        "planning_m2",
        "planning_released_m2",
    ),
    "bridge": ("district", "land_class", "opening_m2", *BRIDGE_TERMS, "closing_m2"),
}


# --- ground


@dataclass(frozen=True)
class DistrictGround:
    """Ground of a land class in a district that remains net of overlap, the strongest class counted [m2].

    ``counted_m2``: as of :class:`Ground`.
    """

    land_class: str
    district: str
    counted_m2: float


@dataclass(frozen=True)
class Ground:
    """Ground of a land class that remains [m2].

    ``reported_m2``: within reported borders, net of overlap; ``planning_m2``: grown for planning, net of overlap;
    ``gross_m2``: the same as the sum of its hazards; ``stated_m2``: of hazards without a surveyed border, as their
    sources state, and ``no_area``: how many such hazards have no stated area.
    """

    land_class: str
    reported_m2: float
    planning_m2: float
    gross_m2: float
    stated_m2: float
    no_area: int

    @property
    def counted_m2(self) -> float:
        """What the class is said to cover [m2]: reported and stated ground; of indications the ground to be surveyed.

        An indication is no area that anybody declared: what is known of it is where survey has to look.
        """
        return self.planning_m2 if self.land_class == INDICATION else self.reported_m2 + self.stated_m2


@dataclass(frozen=True)
class Standing:
    """Where the reported ground of a land class stands [m2]; reported is the sum of the five behind it.

    ``planning_m2``: ground for planning that remains; ``planning_released_m2``: released beyond reported borders.
    """

    land_class: str
    reported_m2: float
    remaining_m2: float
    cancelled_m2: float
    reduced_m2: float
    cleared_m2: float
    closed_m2: float
    planning_m2: float
    planning_released_m2: float


@dataclass(frozen=True)
class Released:
    """Ground that was released, by the way in which it was [m2]."""

    cancelled_m2: float
    reduced_m2: float
    cleared_m2: float

    @property
    def total_m2(self) -> float:
        """Released in all [m2]."""
        return self.cancelled_m2 + self.reduced_m2 + self.cleared_m2


@dataclass(frozen=True)
class Moved:
    """What moved the ground of a land class in a district, all kinds of ordnance together [m2].

    ``terms``: by the names of ``BRIDGE_TERMS``.
    """

    land_class: str
    district: str
    opening_m2: float
    terms: Mapping[str, float]
    closing_m2: float


@dataclass(frozen=True)
class Bridge:
    """What moved the remaining ground between two days; ``released``: within that time."""

    days: tuple[dt.date, dt.date] | None
    rows: tuple[Moved, ...]
    released: Released

    def of_class(self, land_class: str) -> Moved:
        """What moved the ground of a class in all districts [m2]."""
        rows = [row for row in self.rows if row.land_class == land_class]
        return Moved(
            land_class=land_class,
            district="all",
            opening_m2=sum(row.opening_m2 for row in rows),
            terms={name: sum(row.terms[name] for row in rows) for name in BRIDGE_TERMS},
            closing_m2=sum(row.closing_m2 for row in rows),
        )


# --- tasks, rows


@dataclass(frozen=True)
class Queue:
    """Tasks of a queue; ``gated``: of them without a rank, because a gate holds them back."""

    queue: str
    tasks: int
    gated: int


@dataclass(frozen=True)
class Rows:
    """Rows of files that can't be used, and faults that were found while reading."""

    deferred: int
    repaired: int
    warnings: int


@dataclass(frozen=True)
class Repair:
    """What was repaired in a row of a file, or in all of it, and what changed."""

    file: str
    row: int | None
    rule: str
    change: str


@dataclass(frozen=True)
class ContactLine:
    """Length of a contact line [km] beside the scale at which it was drawn, and its position error [m].

    ``widened``: whether the belt was made deeper by that error.
    Where a source states another length [km], so do ``stated_by`` and the belt that this length implies: length x depth
    on each side that counts, from the inner to the outer depth [km2].
    """

    hazard_id: str
    length_km: float
    scale: str
    position_error_m: float
    widened: bool = False
    stated_length_km: float | None = None
    stated_by: str = ""
    stated_belt_km2: Sequence[float] = ()

    @property
    def words(self) -> str:
        """The line in a sentence, and the length that a source states in another.

        >>> ContactLine("LOC", 202.6, "1:10 million", 10_000.0).words
        'Contact line LOC: 202.6 km as drawn at 1:10 million, up to about 10 km out of place (its belt is not widened)'
        >>> line = ContactLine("LOC", 202.6, "1:10 million", 10_000.0, False, 280, "essay", (1680, 3920))
        >>> line.words.split("; ")[1]
        '280 km as stated (essay), which implies a belt of 1,680 to 3,920 km²'
        """
        drawn = (
            f"Contact line {self.hazard_id}: {self.length_km} km as drawn at {self.scale}, up to about "
            f"{self.position_error_m / 1000:g} km out of place "
            f"({'its belt is widened by as much' if self.widened else 'its belt is not widened'})"
        )
        if self.stated_length_km is None:
            return drawn
        stated = f"{drawn}; {self.stated_length_km:g} km as stated ({self.stated_by})"
        if not self.stated_belt_km2:
            return stated
        low, high = self.stated_belt_km2
        return f"{stated}, which implies a belt of {low:,.0f} to {high:,.0f} km²"


# --- all of them


@dataclass(frozen=True)
class Facts:
    """Every figure of a run that two of its outputs show; what the run has not is None."""

    ground: tuple[Ground, ...]
    districts: tuple[DistrictGround, ...]
    standing: tuple[Standing, ...]
    released: Released | None
    bridge: Bridge | None
    people: People
    queues: tuple[Queue, ...]
    rows: Rows
    contact_lines: tuple[ContactLine, ...] = ()
    balances: tuple[Balance, ...] = ()
    repairs: tuple[Repair, ...] = ()
    plan: PlanFacts | None = None

    def counted_m2(self, land_class: str) -> float:
        """Ground of a class that remains, net of overlap [m2]; 0 where the run has none."""
        return sum(ground.counted_m2 for ground in self.ground if ground.land_class == land_class)


def facts_of(
    books: Mapping[str, pd.DataFrame],
    *,
    zones: pd.DataFrame,
    tasks: pd.DataFrame,
    run: Mapping[str, Any] | None = None,
    planned: Planned | None = None,
    bridge_days: tuple[dt.date, dt.date] | None = None,
    as_at: dt.date | None = None,
) -> Facts:
    """The figures of a run.

    Parameters
    ----------
    books : mapping
        ``net_area``; ``ledger`` and ``bridge`` where there are such.
    zones, tasks : DataFrame
        ZONES and TASKS; ZONES with ``opens_in`` where there is a plan of work.
    run : mapping, optional
        The record of the run: what was counted before anything was left out for a tier (people, deferred, faults,
        contact_lines, balance). Left out, people are counted from the zones, and nothing is said of rows.
    planned : Planned, optional
        The plan of work.
    bridge_days : (day, day), optional
        Between which the bridge lies.
    as_at : date, optional
        Day of the run: places open next after it.

    Raises
    ------
    TableError
        A table lacks a column.
    """
    record = run or {}
    need_columns(books, _NEEDED)
    ledger, bridge = books.get("ledger"), books.get("bridge")
    people = record.get("people")
    return Facts(
        ground=_ground(books["net_area"]),
        districts=_districts(books["net_area"]),
        standing=() if ledger is None else _standing(ledger),
        released=None if ledger is None else _released(ledger),
        bridge=None if bridge is None else _bridge(bridge, bridge_days),
        people=people_of(zones) if people is None else people_of_record(people),
        queues=_queues(tasks),
        rows=_rows(record),
        contact_lines=tuple(ContactLine(**line) for line in record.get("contact_lines", ())),
        balances=tuple(Balance(**balance) for balance in record.get("balance", ())),
        repairs=_repairs(record),
        plan=None if planned is None else plan_facts(planned, zones, as_at),
    )


def _ground(net: pd.DataFrame) -> tuple[Ground, ...]:
    net = _with_unmeasured(net)
    columns = [*_NEEDED["net_area"][2:], "stated_m2", "no_area"]
    sums = net.groupby("land_class", sort=False)[columns].sum().reset_index()
    return tuple(_ground_of(row) for row in each_row(sums))


def counted_by_class(net: pd.DataFrame) -> dict[str, float]:
    """What each class is said to cover, from the net areas of a run [m2]."""
    return {ground.land_class: ground.counted_m2 for ground in _ground(net)}


def _with_unmeasured(net: pd.DataFrame) -> pd.DataFrame:
    """Net areas with what hazards without a border are stated to cover: nothing at a tier that leaves it out."""
    stated = net["stated_m2"].fillna(0.0) if "stated_m2" in net.columns else 0.0
    return net.assign(stated_m2=stated, no_area=net["no_area"] if "no_area" in net.columns else 0)


def _ground_of(row: Any) -> Ground:
    return Ground(
        land_class=str(row.land_class),
        reported_m2=float(row.reported_m2),
        planning_m2=float(row.planning_m2),
        gross_m2=float(row.gross_m2),
        stated_m2=float(row.stated_m2),
        no_area=int(row.no_area),
    )


def _districts(net: pd.DataFrame) -> tuple[DistrictGround, ...]:
    rows = [
        DistrictGround(row.land_class, str(row.district), _ground_of(row).counted_m2)
        for row in each_row(_with_unmeasured(net))
    ]
    return tuple(row for row in rows if row.counted_m2 > 0)


def _standing(ledger: pd.DataFrame) -> tuple[Standing, ...]:
    columns = list(_NEEDED["ledger"][1:])
    sums = ledger.groupby("land_class", sort=False, dropna=False)[columns].sum()
    return tuple(Standing(str(name), *map(float, row)) for name, row in zip(sums.index, sums.to_numpy(), strict=True))


def _released(table: pd.DataFrame) -> Released:
    return Released(*(float(table[name].to_numpy(float).sum()) for name in _RELEASED_M2))


def _bridge(bridge: pd.DataFrame, days: tuple[dt.date, dt.date] | None) -> Bridge:
    columns = ["opening_m2", *BRIDGE_TERMS, "closing_m2"]
    sums = bridge.groupby(["land_class", "district"], sort=False)[columns].sum().reset_index()
    rows = [
        Moved(
            land_class=row["land_class"],
            district=str(row["district"]),
            opening_m2=float(row["opening_m2"]),
            terms={name: float(row[name]) for name in BRIDGE_TERMS},
            closing_m2=float(row["closing_m2"]),
        )
        for row in sums.to_dict("records")
    ]
    return Bridge(days, tuple(rows), _released(bridge))


def _queues(tasks: pd.DataFrame) -> tuple[Queue, ...]:
    """Each queue, tasks or none; before ranks are given nothing is known to be gated."""
    gated = tasks["rank"].isna() if "rank" in tasks.columns else pd.Series(False, index=tasks.index)
    inside = {queue: tasks["queue"] == queue for queue in QUEUES}
    return tuple(Queue(queue, int(own.sum()), int((own & gated).sum())) for queue, own in inside.items())


def _rows(record: Mapping[str, Any]) -> Rows:
    deferred = [count for name, count in record.get("deferred", {}).items() if name not in ("areas", "tasks")]
    levels = [fault["level"] for fault in record.get("faults", ())]
    return Rows(sum(deferred), levels.count("repaired"), levels.count("warning"))


def _repairs(record: Mapping[str, Any]) -> tuple[Repair, ...]:
    """Repairs of a run whose record names files; that of a wider circle does not."""
    faults = [fault for fault in record.get("faults", ()) if fault["level"] == "repaired" and "file" in fault]
    return tuple(Repair(one["file"], one["row"], one["rule"], str(one["value"] or "")) for one in faults)

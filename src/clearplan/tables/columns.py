"""What the declaration of a column is, and the columns that several tables have."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from clearplan.tables.tiers import Tier

#: ``reason``: a code and values (:class:`clearplan.core.reason.Reason`), in files its sentence.
Dtype = Literal["text", "number", "integer", "date", "reason", "geometry"]


@dataclass(frozen=True)
class Column:
    """One declared column."""

    name: str
    dtype: Dtype
    meaning: str
    unit: str = ""
    required: bool = True
    nullable: bool = False
    codes: str | None = None
    unique: bool = False
    low: float | None = None
    high: float | None = None
    leaves: Tier = "restricted"  # the tier from which on it may leave; ``tiers.LEAVES`` declares it


def id_of(name: str, what: str) -> Column:
    """The id column of a table."""
    return Column(name, "text", f"identifier of the {what}; readable, never used twice", unique=True)


def square_metres(name: str, meaning: str) -> Column:
    """An area that is blank where there is no place."""
    return Column(name, "number", f"{meaning}; blank where the hazard has no place", "m2", required=False,
                  nullable=True, low=0)  # fmt: skip


SOURCE = Column("source", "text", "where the row comes from")
RECORDED = Column("recorded_on", "date", "date of the record", required=False, nullable=True)
ERROR = Column(
    "position_error_m",
    "number",
    "radius that holds the true position with about 95 % probability; blank is unknown",
    "m",
    nullable=True,
    low=0,
    high=100_000,
)
ENTERED = (
    Column("entered_crs", "text", "CRS of the coordinates as entered", required=False, nullable=True),
    Column("entered_geometry", "text", "shape as entered, WKT", required=False, nullable=True),
)
DEFERRED = Column(
    "deferred",
    "text",
    "why the row can't be placed or used; blank when it can",
    required=False,
    nullable=True,
)
GEOMETRY = Column("geometry", "geometry", "shape in the working CRS", "m", nullable=True)
TAIL = (SOURCE, RECORDED, *ENTERED, DEFERRED, GEOMETRY)


def coded(name: str, meaning: str, *, needed: bool = False) -> Column:
    """A column of codes; ``needed``: never blank."""
    code_list = "vertex_method" if name == "method" else name
    return Column(name, "text", meaning, required=needed, nullable=not needed, codes=code_list)


def text(name: str, meaning: str) -> Column:
    """Text that may be blank or lack."""
    return Column(name, "text", meaning, required=False, nullable=True)


def number(name: str, meaning: str, unit: str, low: float, high: float) -> Column:
    """A number that may be blank or lack."""
    return Column(name, "number", meaning, unit, required=False, nullable=True, low=low, high=high)

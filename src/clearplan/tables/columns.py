"""What the declaration of a column is, and the columns that several tables share.

A column is declared once, in its table. Schema, glossary, layers, sheets, hashtags and the filter of the tiers read it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

#: ``reason``: a code and values (:class:`clearplan.core.reason.Reason`), in files its sentence.
Dtype = Literal["text", "number", "integer", "date", "reason", "geometry"]
Tier = Literal["public", "partner", "restricted"]
#: How the cells of a sheet look; ``figure`` and ``any``: each cell is number, day or text, as its own value is.
Kind = Literal["text", "sentence", "whole", "number", "exact", "share", "degrees", "year", "day", "figure", "any"]
#: Looks of a number that has a unit of its own kind; all others are whole numbers in a sheet.
_BY_UNIT: dict[str, Kind] = {
    "1": "share",
    "°": "degrees",
    "team-days": "number",
    "team-months": "number",
    "points of 100": "number",
}
_BY_DTYPE: dict[Dtype, Kind] = {
    "integer": "whole",
    "date": "day",
    "text": "text",
    "reason": "sentence",
    "geometry": "text",
}
#: What a heading says in place of a unit that no reader knows.
_SAID: dict[str, str] = {"1": "%", "°": "degrees"}


@dataclass(frozen=True)
class Column:
    """One declared column.

    Parameters
    ----------
    name, dtype, meaning, unit
        Money has the unit ``currency``. A name with ``{}`` stands for many columns: one for each criterion or device.
    required, nullable, codes, unique, low, high
        What the schema checks: whether the table must have it, cells may be blank, which code list, which range.
    leaves
        The tier from which on it may leave the house.
    tag
        Its HXL hashtag; blank: none.
    head
        Its heading in sheets, without the unit; blank: its name in words.
    shown
        How its cells look in sheets, where type and unit don't say it.
    stage
        The stage that adds it to a table that was there before; blank: the table has it from the start.
    """

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
    leaves: Tier = "restricted"
    tag: str = ""
    head: str = ""
    shown: Kind | None = None
    stage: str = ""


def kind_of(column: Column) -> Kind:
    """How the cells of a column look in a sheet.

    >>> kind_of(Column("area_m2", "number", "", "m2")), kind_of(Column("gap", "number", "", "1"))
    ('whole', 'share')
    """
    if column.shown is not None:
        return column.shown
    return _BY_UNIT.get(column.unit, "whole") if column.dtype == "number" else _BY_DTYPE[column.dtype]


def words_of(name: str) -> str:
    """Name of a column in words, without its unit.

    >>> words_of("planned_return"), words_of("area_m2")
    ('planned return', 'area')
    """
    return name.removesuffix("_m2").removesuffix("_m").removesuffix("_deg").replace("_", " ")


def with_unit(words: str, unit: str) -> str:
    """Words with a unit in brackets, unless there is none or they are the unit.

    >>> with_unit("area", "m2"), with_unit("people", "people"), with_unit("queue", "")
    ('area [m2]', 'people', 'queue')
    """
    return f"{words} [{unit}]" if unit not in ("", words) else words


def heading(column: Column, currency: str = "") -> str:
    """Heading of a column with its unit; ``currency``: the name of the money.

    >>> heading(Column("cost_low", "number", "", "currency"), "USD"), heading(Column("opens_on", "date", ""))
    ('cost low [USD]', 'opens on [date]')
    """
    unit = "date" if column.dtype == "date" else _SAID.get(column.unit, column.unit)
    return with_unit(column.head or words_of(column.name), unit.replace("currency", currency or "currency"))


def optional(*columns: Column) -> tuple[Column, ...]:
    """Columns that a table may lack, and whose cells may be blank."""
    return tuple(replace(column, required=False, nullable=True) for column in columns)


def added_by(stage: str, *columns: Column, filled: Sequence[str] = ()) -> tuple[Column, ...]:
    """Columns that a stage adds to a table: not there before it, blank where it knows nothing unless ``filled``."""
    return tuple(replace(c, stage=stage, required=False, nullable=c.name not in filled) for c in columns)


def public(*columns: Column, only: Sequence[str] = ()) -> tuple[Column, ...]:
    """The same columns where they, or ``only`` some of them, leave at every tier."""
    return _leaving("public", columns, only)


def restricted(*columns: Column, only: Sequence[str] = ()) -> tuple[Column, ...]:
    """The same columns where they, or ``only`` some of them, never leave."""
    return _leaving("restricted", columns, only)


def _leaving(tier: Tier, columns: Sequence[Column], only: Sequence[str]) -> tuple[Column, ...]:
    return tuple(replace(c, leaves=tier) if c.name in only or not only else c for c in columns)


def id_of(name: str, what: str, leaves: Tier, tag: str, head: str = "") -> Column:
    """The id column of a table."""
    meaning = f"identifier of the {what}; readable, never used twice"
    return Column(name, "text", meaning, unique=True, leaves=leaves, tag=tag, head=head)


def m2_of(name: str, meaning: str, head: str = "", leaves: Tier = "partner") -> Column:
    """An area of ground, ``<name>_m2``, blank where there is no place or nobody knows."""
    tag = f"#indicator+num+m2_{name}"
    return Column(f"{name}_m2", "number", meaning, "m2", nullable=True, low=0, leaves=leaves, tag=tag, head=head)


def text(name: str, meaning: str, leaves: Tier = "restricted", tag: str = "", head: str = "") -> Column:
    """Text that a table may lack and that may be blank."""
    return Column(name, "text", meaning, required=False, nullable=True, leaves=leaves, tag=tag, head=head)


def day(name: str, meaning: str, leaves: Tier = "restricted", tag: str = "", head: str = "") -> Column:
    """A day that a table may lack and that may be blank."""
    return Column(name, "date", meaning, required=False, nullable=True, leaves=leaves, tag=tag, head=head)


def number(name: str, meaning: str, unit: str, low: float, high: float) -> Column:
    """A number within a range, of a record, that may lack or be blank."""
    return Column(name, "number", meaning, unit, required=False, nullable=True, low=low, high=high)


def coded(name: str, meaning: str, codes: str = "", leaves: Tier = "restricted", tag: str = "") -> Column:
    """A code that a table may lack and that may be blank; the list has the column's name unless another is given."""
    return Column(name, "text", meaning, required=False, nullable=True, codes=codes or name, leaves=leaves, tag=tag)


# A declaration is read as a table: one column, one or two lines.
# fmt: off

SOURCE = Column("source", "text", "where the row comes from", leaves="partner", tag="#meta+source", shown="sentence")
RECORDED = Column("recorded_on", "date", "date of the record", required=False, nullable=True, leaves="partner",
                  tag="#date+reported")
ERROR = Column("position_error_m", "number",
               "radius that holds the true position with about 95 % probability; blank is unknown", "m", nullable=True,
               low=0, high=100_000, leaves="partner", tag="#geo+error+m", head="position error; blank: not known")
ENTERED = optional(
    Column("entered_crs", "text", "CRS of the coordinates as entered", tag="#geo+crs+entered"),
    Column("entered_geometry", "text", "shape as entered, WKT", tag="#geo+bounds+entered"),
)
DEFERRED = Column("deferred", "text", "why the row can't be placed or used; blank when it can", required=False,
                  nullable=True, leaves="partner", tag="#description+deferred", shown="sentence")
GEOMETRY = Column("geometry", "geometry", "shape in the working CRS", "m", nullable=True, leaves="partner")
TAIL = (SOURCE, RECORDED, *ENTERED, DEFERRED, GEOMETRY)

LAND_CLASS = Column("land_class", "text", "class of the land", codes="land_class", leaves="public",
                    tag="#event+type+land_class", head="class")
ORDNANCE = Column("ordnance", "text", "class of explosive ordnance", codes="ordnance", leaves="partner",
                  tag="#event+type+ordnance")
HAZARD_STATUS = Column("status", "text", "state of the work", codes="status", leaves="public", tag="#status+hazard")
HAZARD_KIND = Column("kind", "text", "what was reported", codes="kind", leaves="public", tag="#event+type")
TEAM_KIND = Column("kind", "text", "kind of the team", codes="team_kind", leaves="public", tag="#org+type+team",
                   head="kind of team")
DISTRICT = Column("district", "text", "district", leaves="public", tag="#adm1+name")
REASON = Column("reason", "text", "why", tag="#description+reason", shown="sentence")
ESSENTIAL = Column("essential", "text", "whether people can live in the zone without it", codes="yes_no",
                   leaves="partner", tag="#service+essential")

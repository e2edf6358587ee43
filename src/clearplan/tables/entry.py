"""What the entry of an input table says: one object serves reading, settings, days, links and the record of a run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, NamedTuple

from clearplan.tables.columns import Column

if TYPE_CHECKING:
    import pandas as pd

CodeLists = Mapping[str, Mapping[str, str]]
Shape = Literal["point", "line", "polygon"]


class RowFault(NamedTuple):
    """What in a row breaks a rule of its table; ``at`` is the position of the row, from 0."""

    at: int
    column: str
    value: object
    rule: str
    level: str
    remedy: str


#: Holds the rows of a table, in their types, against what columns alone can't say.
Rule = Callable[["pd.DataFrame", CodeLists | None], list[RowFault]]


@dataclass(frozen=True)
class Section:
    """A section of plan.toml that names files of a table.

    name : as in ``[[name]]``
    holds : what stands in its files, for the settings and for the template of plan.toml
    example : a file of that kind
    always : columns that have one value in all its files
    needed : whether a project can't do without
    """

    name: str
    holds: str
    example: str
    always: Mapping[str, str] = field(default_factory=dict)
    needed: bool = False


@dataclass(frozen=True)
class Link:
    """A column that names rows of another table, or districts; a name that is not there is a warning.

    column : of this table
    to : the table whose ids it holds, or ``DISTRICTS``
    outcome : what such a row does, as the end of a sentence
    several : whether a cell holds several names, '; ' between
    """

    column: str
    to: str
    outcome: str
    several: bool = False


#: In place of a table: the names of the district layer.
DISTRICTS = "districts"


@dataclass(frozen=True)
class OneOf:
    """Optional columns of which a row must fill one, the rule in words, and its remedy."""

    columns: tuple[str, ...]
    rule: str
    remedy: str


@dataclass(frozen=True)
class InputTable:
    """A table that files of a project fill.

    name : of the table
    columns : what a file may hold, and what reading fills in
    day : column of the day from which a row counts
    sections : sections of plan.toml that name its files, in the order of its rows
    shapes : kinds of shapes that it may hold; none: its rows only name what lies on the ground
    mixed : whether one file may hold several kinds of shapes
    again : columns that must differ where a shape is entered twice; none: a shape stands once
    covers_once : whether a row entered twice covers its ground once, so that lenient reading can keep both
    gaps : whether small gaps between its polygons are doubtful
    one_of : columns of which a row must fill one
    rules : what rows must keep beyond their columns
    links : columns that name rows of other tables
    events : whether rows are decisions that are never edited, only followed by later ones
    fails_to : what a row that can't be used fails to do, as a verb; blank: it is not on the map
    """

    name: str
    columns: tuple[Column, ...]
    day: str
    sections: tuple[Section, ...]
    shapes: tuple[Shape, ...] = ()
    mixed: bool = False
    again: tuple[str, ...] = ()
    covers_once: bool = False
    gaps: bool = False
    one_of: OneOf | None = None
    rules: tuple[Rule, ...] = ()
    links: tuple[Link, ...] = ()
    events: bool = False
    fails_to: str = ""

"""Every table and column by its name: the one place where a declaration is looked up."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from clearplan.core.errors import TableError
from clearplan.tables.books import BOOKS
from clearplan.tables.columns import Column, added_by
from clearplan.tables.inputs import INPUTS
from clearplan.tables.record_sheets import RECORD_TABLES
from clearplan.tables.results import ADDED, RESULTS

if TYPE_CHECKING:
    import pandas as pd

_ENTERED = {name: table.columns for name, table in INPUTS.items()}
#: Every declared table, with the columns that stages add to it.
TABLES: dict[str, tuple[Column, ...]] = {
    name: (*columns, *ADDED.get(name, ())) for name, columns in (_ENTERED | RECORD_TABLES | RESULTS | BOOKS).items()
}
#: Columns that any table may have in a file.
EVERYWHERE = added_by(
    "outputs",
    Column(
        "lon",
        "text",
        "longitude as entered; in lists that of an inner point, WGS 84",
        "°",
        tag="#geo+lon",
        head="longitude of an inner point, WGS 84",
        shown="degrees",
    ),
    Column(
        "lat",
        "text",
        "latitude as entered; in lists that of an inner point, WGS 84",
        "°",
        tag="#geo+lat",
        head="latitude of an inner point, WGS 84",
        shown="degrees",
    ),
    Column("geonameid", "text", "number of the place in GeoNames", tag="#loc+code+v_geonames"),
    Column("notice", "text", "disclaimer and fingerprint of the run", tag="#meta+notice"),
    Column("crs", "text", "CRS of the shapes in wkt", tag="#geo+crs"),
    Column("wkt", "text", "shape as WKT", tag="#geo+bounds"),
    Column("wkt_{}", "text", "part {} of a shape whose WKT is longer than a cell holds"),
)
#: Words for a column of which clearplan knows nothing.
OWN = "column of the source, as it stands there"
_BY_NAME = {table: {column.name: column for column in columns} for table, columns in TABLES.items()}
_EVERYWHERE = {column.name: column for column in EVERYWHERE}


def base_columns(table: str) -> tuple[Column, ...]:
    """Columns that a table has before any stage adds to it: what a file may hold of an entered one.

    >>> "people" in [c.name for c in base_columns("zones")], "opens_on" in [c.name for c in base_columns("zones")]
    (True, False)
    """
    return tuple(column for column in TABLES[table] if not column.stage)


def declared(table: str, name: str) -> Column | None:
    """Declaration of a table's column; None where nobody declared it.

    >>> declared("zones", "opens_on").stage, declared("tasks", "c_people_points").unit
    ('planning', 'points of 100')
    """
    columns = _BY_NAME.get(table, {})
    return columns.get(name) or _of_many(columns, name) or _EVERYWHERE.get(name) or _of_many(_EVERYWHERE, name)


def _of_many(columns: dict[str, Column], name: str) -> Column | None:
    """A column that is declared once for many: ``{}`` in the declaration is the criterion or device of this one."""
    for column in columns.values():
        which = re.fullmatch(re.escape(column.name).replace(r"\{\}", "(.+)"), name) if "{}" in column.name else None
        if which is not None:
            code = re.sub(r"[^a-z0-9_]", "_", which[1].lower(), flags=re.ASCII)
            meaning = column.meaning.replace("{}", which[1].replace("_", " "))
            head, tag = column.head.replace("{}", which[1]), column.tag.replace("{}", code)
            return replace(column, name=name, meaning=meaning, head=head, tag=tag)
    return None


def column_of(table: str, name: str) -> Column:
    """Declaration of a table's column; a column that nobody declared is the user's own.

    >>> column_of("zones", "people").dtype, column_of("zones", "colour").meaning
    ('integer', 'column of the source, as it stands there')
    """
    column = declared(table, name)
    if column is not None:
        return column
    theirs = name.removeprefix("own_").removesuffix("_entered")
    meaning = f"{theirs} as the source has it" if theirs != name and declared(table, theirs) is not None else OWN
    return Column(name, "text", meaning, required=False, nullable=True)


def columns_of(table: str, names: Iterable[str]) -> dict[str, Column]:
    """Declarations of a table's columns, by name; shapes left out."""
    return {str(name): column_of(table, str(name)) for name in names if name != "geometry"}


def has_shapes(table: str) -> bool:
    """Whether a table's rows lie on the ground; HISTORY and GATES only name what does.

    >>> has_shapes("zones"), has_shapes("gates")
    (True, False)
    """
    return any(column.dtype == "geometry" for column in TABLES[table])


def id_column(table: str) -> str:
    """Name of a table's id column.

    >>> id_column("zones")
    'zone_id'
    """
    return TABLES[table][0].name


def _known_by_id() -> tuple[str, ...]:
    """Tables in the order in which their id columns are looked for: those that name rows of others come first."""
    names = [name for name in (*RESULTS, *INPUTS) if TABLES[name][0].unique]
    ids = {id_column(name) for name in names}
    return tuple(sorted(names, key=lambda name: -len(ids & {column.name for column in base_columns(name)})))


_KNOWN_BY_ID = _known_by_id()


def table_name(frame: pd.DataFrame, table: str | None = None) -> str:
    """Which declared table a frame is: the one that is named, that its reader noted, or whose columns it has.

    A reader notes the name in ``frame.attrs["table"]``; pandas loses that in joins, and keeps it where rows were
    grouped into something else, so it counts only where the columns that the table needs are there.

    Raises
    ------
    TableError
        It can't be known, or the frame lacks the id column of the table that is named.

    >>> import pandas as pd
    >>> table_name(pd.DataFrame(columns=["zone_id", "name"]))
    'zones'
    >>> table_name(pd.DataFrame(columns=["accident_id", "hazard_id"]), "accidents")
    'accidents'
    """
    if table is not None:
        if table in TABLES and id_column(table) in frame.columns:
            return table
        wanted = id_column(table) if table in TABLES else f"of one of {', '.join(_KNOWN_BY_ID)}"
        raise TableError(f"table = {table!r}: the frame has no column {wanted}; name its table, or add the column")
    noted = frame.attrs.get("table")
    if noted in TABLES and _needed(noted) <= set(frame.columns):
        return str(noted)
    fitting = [name for name in _KNOWN_BY_ID if id_column(name) in frame.columns]
    if not fitting:
        wanted = ", ".join(id_column(name) for name in _KNOWN_BY_ID)
        raise TableError(f"table has none of the id columns {wanted}; name it with table = '...'")
    whole = [name for name in fitting if _needed(name) <= set(frame.columns)]
    return (whole or fitting)[0]


def _needed(table: str) -> set[str]:
    """Columns that a table may not lack, but for its shapes."""
    return {column.name for column in base_columns(table) if column.required} - {"geometry"}

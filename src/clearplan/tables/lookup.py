"""Every table and column by its name: the one place where a declaration is looked up."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from clearplan.core.errors import TableError
from clearplan.tables.columns import Column
from clearplan.tables.inputs import INPUTS
from clearplan.tables.results import ADDED, CRITERION, EVERYWHERE, PARTS, RECORD_DATA, RESULTS, added
from clearplan.tables.tiers import tier_of

if TYPE_CHECKING:
    import pandas as pd

#: Every declared table.
TABLES: dict[str, tuple[Column, ...]] = {
    table: tuple(replace(column, leaves=tier_of(table, column.name)) for column in columns)
    for table, columns in (INPUTS | RESULTS).items()
}
#: Layers of plan.gpkg that are a declared table under another name.
_DECLARED_AS = {"record_points": "vertices"}


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


#: Tables in the order in which their id columns are looked for: those that also name rows of others come first.
_TOLD_BY_ID = (
    "commitments", "work", "blockers", "tasks", "areas", "releases", "history", "gates", "lifelines", "teams",
    "hazards", "zones", "accidents",
)  # fmt: skip


def table_name(table: pd.DataFrame) -> str:
    """Which declared table a frame is, told by its id column.

    Raises
    ------
    TableError
        No id column is there.
    """
    for name in _TOLD_BY_ID:
        if id_column(name) in table.columns:
            return name
    wanted = ", ".join(id_column(name) for name in TABLES)
    raise TableError(f"table has none of the id columns {wanted}; name the one you mean")


def column_of(layer: str, name: str) -> Column:
    """Declaration of a layer's column; a column that nobody declared is the user's own.

    >>> column_of("zones", "people").dtype, column_of("tasks", "c_people_points").unit
    ('integer', 'points of 100')
    >>> column_of("zones", "colour").meaning
    'column of the source, as it stands there'
    """
    declared = TABLES.get(_DECLARED_AS.get(layer, layer), ())
    for column in (*declared, *ADDED.get(layer, ())):
        if column.name == name:
            return column
    if layer == "tasks" and (found := CRITERION.fullmatch(name)):
        dtype, words, unit = PARTS[found[2]]
        return added(name, dtype, words.format(found[1].replace("_", " ")), unit)
    if layer == "hazards" and name in RECORD_DATA:
        return RECORD_DATA[name]
    if name in EVERYWHERE:
        return EVERYWHERE[name]
    if name.endswith("_entered") and any(c.name == name.removesuffix("_entered") for c in declared):
        return added(name, "text", f"{name.removesuffix('_entered')} as the source has it")
    return Column(name, "text", OWN, required=False, nullable=True)


#: Words for a column of which clearplan knows nothing.
OWN = "column of the source, as it stands there"


def columns_of(layer: str, names: Iterable[str]) -> dict[str, Column]:
    """Declarations of a layer's columns, by name; shapes left out."""
    return {str(name): column_of(layer, str(name)) for name in names if name != "geometry"}

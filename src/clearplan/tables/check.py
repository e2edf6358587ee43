"""Tables held against their declaration: ``check`` returns the fault table, ``glossary`` the documentation.

One declaration (``tables``) serves reading, checking and the column glossary.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NotRequired, TypedDict, TypeVar

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from clearplan.core.errors import TableError
from clearplan.tables.codes import CODE_LISTS, CODE_LISTS_VERSION, REPLACEABLE, allowed_codes, look_alike
from clearplan.tables.columns import Column, words_of
from clearplan.tables.lookup import TABLES, base_columns, id_column, table_name

if TYPE_CHECKING:
    import pandera.pandas as pa

Frame = TypeVar("Frame", bound="pd.DataFrame")


class Fault(TypedDict):
    """One row of a fault table; ``row`` is that of the file, of a frame its index label; None: the whole table."""

    file: str
    row: Hashable
    column: str
    value: str
    rule: str
    level: str
    remedy: str
    lost: NotRequired[float]


def remaining(areas: Frame) -> Frame:
    """AREAS that still count: placed, and not closed."""
    shaped = placed(areas)
    kept: Frame = shaped.loc[shaped["status"] != "closed"]
    return kept


def placed(table: Frame) -> Frame:
    """Rows of any table that have a shape."""
    shapes = table["geometry"].to_numpy(object)
    kept: Frame = table.loc[~(shapely.is_missing(shapes) | shapely.is_empty(shapes))]
    return kept


def as_reported(areas: Frame) -> Frame:
    """AREAS with the reported border as their geometry, None where a hazard has none; one index, one order.

    Raises
    ------
    TableError
        The table has no column ``reported``: it was not made by ``footprints``.
    """
    if "reported" not in areas.columns:
        raise TableError("AREAS lack the column reported, the border as reported; make them by cp.footprints")
    return areas.assign(geometry=areas["reported"])


def has_border(areas: Frame) -> NDArray[np.bool_]:
    """Which AREAS have a reported border; of the others nobody surveyed one."""
    borders: NDArray[np.bool_] = shapely.area(areas["reported"].to_numpy()) > 0
    return borders


def each_row(table: pd.DataFrame) -> Iterator[Any]:
    """Rows as named tuples, without the index."""
    return iter(table.itertuples(index=False))


def schema(table: str, code_lists: Mapping[str, Mapping[str, str]] | None = None) -> pa.DataFrameSchema:
    """Pandera schema of a declared table, before stages add columns to it.

    >>> schema("zones").columns["people"].nullable
    True
    """
    import pandera.pandas as pa

    def checks(column: Column) -> list[Any]:
        found = []
        if column.codes:
            codes = list(allowed_codes(column.codes, code_lists))
            found.append(pa.Check.isin(codes, error=f"must be one of {', '.join(codes)}"))
        if column.low is not None:
            found.append(pa.Check.ge(column.low, error=f"must be at least {column.low:g}"))
        if column.high is not None:
            found.append(pa.Check.le(column.high, error=f"must be at most {column.high:g}"))
        if column.unique:
            found.append(pa.Check(lambda ids: ~_folded(ids).duplicated(keep="first"), error=DUPLICATE_ID))
            found.append(pa.Check(lambda ids: ~ids.astype(str).str.contains(_NOT_IN_IDS), error=UNLISTABLE_ID))
        if column.dtype in ("number", "integer"):
            found.insert(0, pa.Check(_is_number, error="must be a number"))
        if column.dtype == "integer":
            found.append(pa.Check(_is_whole, error="must be a whole number"))
        if column.dtype == "date":
            found.append(pa.Check(_is_date, error="must be a date"))
        if column.dtype == "text" and not column.nullable:
            found.append(pa.Check(lambda text: text.astype(str).str.strip() != "", error="must not be blank"))
        return found

    columns = {
        c.name: pa.Column(None, checks=checks(c), nullable=c.nullable, required=c.required)
        for c in base_columns(table)
        if c.dtype != "geometry" and "{}" not in c.name
    }
    return pa.DataFrameSchema(columns, strict=False)


UNLISTABLE_ID = "must not contain ';', line breaks or tabs"
_NOT_IN_IDS = r"[;\r\n\t]"
DUPLICATE_ID = "id is used twice (spaces and upper or lower case aside)"
FAULT_COLUMNS = ["file", "row", "column", "value", "rule", "level", "remedy"]

_REMEDIES = {
    DUPLICATE_ID: "give each row an id of its own",
    UNLISTABLE_ID: "use another mark: ids stand in lists with '; ' between them",
    "not_nullable": "fill it in, or set one value for the file in plan.toml under 'set'",
    "column_in_dataframe": "add the column, or map yours to it in plan.toml under 'columns'",
    "must be a number": "write digits only; for decimal commas set decimal = ','",
    "must be a whole number": "write 1200 for twelve hundred, without a mark for thousands",
    "must be a date": "write 2020-11-10, or set dates = 'dmy' or 'mdy'",
    "must not be blank": "fill it in",
}


def _folded(ids: pd.Series) -> pd.Series:
    return ids.astype(str).str.strip().str.casefold()


def _is_number(values: pd.Series) -> pd.Series:
    finite = pd.to_numeric(values, errors="coerce")
    return values.isna() | (finite.notna() & ~finite.isin([float("inf"), float("-inf")]))


def _is_whole(values: pd.Series) -> pd.Series:
    numbers = pd.to_numeric(values, errors="coerce")
    return numbers.isna() | (numbers % 1 == 0)


def _is_date(values: pd.Series) -> pd.Series:
    return values.isna() | pd.to_datetime(values, errors="coerce").notna()


def no_faults() -> pd.DataFrame:
    """An empty fault table.

    >>> list(no_faults().columns)
    ['file', 'row', 'column', 'value', 'rule', 'level', 'remedy']
    """
    return pd.DataFrame(columns=FAULT_COLUMNS)


def check(
    table: pd.DataFrame,
    name: str | None = None,
    *,
    code_lists: Mapping[str, Mapping[str, str]] | None = None,
    file: str = "table",
) -> pd.DataFrame:
    """Hold a table against its declaration; every fault at once.

    Parameters
    ----------
    table : frame
        Any declared table. ``row`` in the answer is the index label.
    name : str, optional
        A name in ``clearplan.tables.lookup.TABLES``; told by the id column when left out.
    code_lists : mapping, optional
        Country lists that replace ``ordnance`` or ``device``: code = meaning.

    Returns
    -------
    DataFrame
        One row a fault: file, row, column, value, rule, level, remedy. Empty: no faults.

    >>> zones = pd.DataFrame({"zone_id": ["a", "A "], "name": ["x", "y"], "people": [1, -2],
    ...                       "position_error_m": [10.0, 10.0], "source": ["s", "s"]})
    >>> check(zones)[["row", "column", "rule"]].values.tolist()
    [[<NA>, 'geometry', 'column is missing'], [1, 'people', 'must be at least 0'],
    [1, 'zone_id', 'id is used twice (spaces and upper or lower case aside)']]
    """
    from pandera.errors import SchemaErrors

    name = name or table_name(table)
    plain = pd.DataFrame(table.drop(columns=["geometry", "reported"], errors="ignore")).copy()
    usable = _numbers_only(plain, name)
    found = []
    try:
        schema(name, code_lists).validate(usable, lazy=True)
    except SchemaErrors as error:
        codes = {c.name: list(allowed_codes(c.codes, code_lists)) for c in base_columns(name) if c.codes}
        found = [_fault(case, codes, file) for case in error.failure_cases.to_dict("records")]
    if "deferred" in plain.columns:
        # A deferred row states its own reason; of its columns only the id must still be good.
        known = set(plain.index[plain["deferred"].notna()])
        found = [f for f in found if f["row"] not in known or f["column"] == id_column(name)]
    if "geometry" in {c.name for c in base_columns(name)} - set(table.columns):
        found.append(fault(file, None, "geometry", "", "column is missing", "error", "give each row a shape"))
    return fault_table(found)


def _numbers_only(plain: pd.DataFrame, name: str) -> pd.DataFrame:
    """The frame with number columns as floats where they are numbers, so that range checks can run."""
    for column in base_columns(name):
        if column.dtype in ("number", "integer") and column.name in plain.columns:
            numbers = pd.to_numeric(plain[column.name], errors="coerce")
            if (numbers.notna() | plain[column.name].isna()).all():
                plain[column.name] = numbers.astype(float)
    return plain


def _fault(case: Mapping[Hashable, Any], codes: Mapping[str, Sequence[str]], file: str) -> Fault:
    rule = str(case["check"])
    if rule == "column_in_dataframe":
        remedy = _REMEDIES[rule]
        return fault(file, None, str(case["failure_case"]), "", "column is missing", "error", remedy)
    words = "must not be blank" if rule == "not_nullable" else rule
    remedy = _REMEDIES.get(rule) or (
        "map your code to one of these in plan.toml under 'codes'" if "one of" in rule else "correct the value"
    )
    column, value = str(case["column"]), case["failure_case"]
    if column in codes and isinstance(value, str) and (alike := look_alike(value, codes[column])):
        remedy = f"type {alike[0]} again in Latin letters: {alike[1]} only look like them"
    return fault(file, case["index"], column, value, words, "error", remedy)


def fault(
    file: str, row: Hashable, column: str, value: object, rule: str, level: str, remedy: str, lost: float = 0.0
) -> Fault:
    """One row of a fault table; ``level`` is 'error', 'repairable', 'repaired' or 'warning'.

    ``lost``: share of the shape that a repair loses [1], by which a fault table lists repairs.
    """
    missing = value is None or (not isinstance(value, str) and bool(pd.isna(value)))  # type: ignore[call-overload]
    text = "" if missing else str(value)
    short = text if len(text) <= 80 else text[:77] + "..."
    return {
        "file": file,
        "row": row,
        "column": column,
        "value": short,
        "rule": rule,
        "level": level,
        "remedy": remedy,
        "lost": lost,
    }


def fault_table(faults: Sequence[Fault]) -> pd.DataFrame:
    """Rows of :func:`fault` as a table in reading order, the repairs of a file by what they lose, the largest first."""
    if not faults:
        return no_faults()
    table = pd.DataFrame(faults, columns=FAULT_COLUMNS)
    order = table.assign(
        _row=pd.to_numeric(table["row"], errors="coerce").fillna(-1), _lost=[found.get("lost", 0.0) for found in faults]
    )
    order = order.sort_values(["file", "_row", "column", "rule"], kind="stable")
    table = table.loc[_repairs_by_size(order)].reset_index(drop=True)
    return table.astype({"row": "Int64"}) if pd.api.types.is_numeric_dtype(table["row"].infer_objects()) else table


def _repairs_by_size(order: pd.DataFrame) -> np.ndarray[Any, Any]:
    """Index of faults in their order, in which the repairs of each file have changed places."""
    index = order.index.to_numpy().copy()
    is_repair = order["level"].isin(["repairable", "repaired"])
    repairs = order[is_repair].assign(_place=np.flatnonzero(is_repair))
    for _, of_file in repairs.groupby("file", sort=False):
        index[of_file["_place"]] = of_file.sort_values("_lost", ascending=False, kind="stable").index
    return index


def glossary() -> str:
    """The column glossary as Markdown, made from the declarations.

    >>> "| `people` |" in glossary()
    True
    """
    lines = [
        "# Column glossary",
        "",
        f"Made from `clearplan.tables` (`python -m clearplan.tables.check`); code lists `{CODE_LISTS_VERSION}`.",
        "",
        "`needed`: whether a table must have the column; 'by' names the stage that adds it. `leaves`: the tier from "
        "which on a column leaves: public, partner, or restricted: never. At the public tier ids, shapes and areas "
        "leave only renamed, laid on cells and rounded. `heading`: in sheets, without the unit.",
    ]
    for name, columns in TABLES.items():
        lines += [
            "",
            f"## {name.upper()}",
            "",
            "| column | type | unit | needed | leaves | heading | hashtag | meaning |",
            "|---|---|---|---|---|---|---|---|",
        ]
        lines += [_glossary_row(column) for column in columns]
    lines += ["", "## Codes"]
    for code_list, codes in CODE_LISTS.items():
        note = "; a country may replace it under `[code_lists]`" if code_list in REPLACEABLE else ""
        lines += ["", f"**{code_list}**{note}", ""]
        lines += [f"- `{code}`: {meaning}" for code, meaning in codes.items()]
    return "\n".join(lines) + "\n"


def _glossary_row(column: Column) -> str:
    needed = "no" if not column.required else ("may be blank" if column.nullable else "yes")
    needed = f"by {column.stage}" if column.stage else needed
    codes = f" (codes: {', '.join(CODE_LISTS[column.codes])})" if column.codes else ""
    cells = (column.dtype, column.unit, needed, column.leaves, column.head or words_of(column.name), column.tag)
    return f"| `{column.name}` | {' | '.join(cells)} | {column.meaning}{codes} |"


if __name__ == "__main__":
    print(glossary(), end="")

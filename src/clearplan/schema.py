"""The declared columns of every table: dtype, unit, allowed codes, meaning. One declaration serves all.

``check`` holds a table against its declaration and returns the fault table; ``glossary`` writes the
declaration out as the documentation's column glossary.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import pandas as pd
import shapely

from .errors import SettingsError, TableError

if TYPE_CHECKING:
    import pandera.pandas as pa

CODE_LISTS_VERSION = "mdr-draft-2018"

#: Code lists after the GICHD's draft Minimum Data Requirements (2018) and the IMSMA wiki: code = meaning.
#: ``ordnance`` and ``device`` may be replaced per country; the laws hang on the others.
CODE_LISTS: dict[str, dict[str, str]] = {
    "kind": {
        "contact-line": "former front line; its belt is an indication until someone has surveyed it",
        "minefield": "reported or surveyed mined area",
        "cluster-strike": "place struck with cluster munitions",
    },
    "land_class": {
        "indication": "reason to survey; not a declared hazardous area",
        "SHA": "suspected hazardous area: indirect evidence",
        "CHA": "confirmed hazardous area: direct evidence",
    },
    "status": {
        "open": "hazard reported, no work under way",
        "worked-on": "survey or clearance under way",
        "closed": "work completed; no longer counted as remaining",
    },
    "ordnance": {
        "AP": "anti-personnel mines",
        "AV": "anti-vehicle mines",
        "mixed": "anti-personnel and anti-vehicle mines",
        "CMR": "cluster munition remnants",
        "unknown": "not reported",
    },
    "device": {
        "AP": "anti-personnel mine",
        "AV": "anti-vehicle mine",
        "CMR": "cluster munition remnant",
        "UXO": "other unexploded ordnance",
        "unknown": "not reported",
    },
    "measure": {"each-side": "depth counts on each side", "total": "depth counts across the line"},
    "sides": {"both": "both sides", "left": "left of the line's direction", "right": "right of it"},
    "caps": {"round": "belt goes round the line's ends", "flat": "belt is cut square at its ends"},
    "band": {
        "inner": "within the smaller depth of the belt",
        "outer": "between the smaller and the larger depth",
        "whole": "not a belt: one footprint",
    },
    "queue": {"survey": "NTS or TS comes next (indication, SHA)", "clearance": "clearance comes next (CHA)"},
}
REPLACEABLE = ("ordnance", "device")

#: Sentences that stand on every output.
ILLUSTRATIVE = "Illustrative data, not for operational use."
NOT_FOR_ENTRY = "Not for navigation or entry. Unmarked land is unknown land, not land without hazard."
BOUNDARIES = "The boundaries and names shown and the designations used do not imply official endorsement or acceptance."

#: Strongest first: where areas overlap, net area counts the first of these (Law 3).
CLASSES = ("CHA", "SHA", "indication")

Frame = TypeVar("Frame", bound="pd.DataFrame")
Dtype = Literal["text", "number", "integer", "date", "geometry"]


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


def _id(name: str, what: str) -> Column:
    return Column(name, "text", f"identifier of the {what}; readable, never used twice", unique=True)


_SOURCE = Column("source", "text", "where the row comes from")
_RECORDED = Column("recorded_on", "date", "date of the record", required=False, nullable=True)
_ERROR = Column(
    "position_error_m",
    "number",
    "radius that holds the true position with about 95 % probability; blank is unknown",
    "m",
    nullable=True,
    low=0,
    high=100_000,
)
_ENTERED = (
    Column("entered_crs", "text", "CRS of the coordinates as entered", required=False, nullable=True),
    Column("entered_geometry", "text", "shape as entered, WKT", required=False, nullable=True),
)
_DEFERRED = Column(
    "deferred",
    "text",
    "why the row can't be placed or used; blank when it can",
    required=False,
    nullable=True,
)
_GEOMETRY = Column("geometry", "geometry", "shape in the working CRS", "m", nullable=True)
_TAIL = (_SOURCE, _RECORDED, *_ENTERED, _DEFERRED, _GEOMETRY)

TABLES: dict[str, tuple[Column, ...]] = {
    "hazards": (
        _id("hazard_id", "hazard"),
        Column("kind", "text", "what was reported", codes="kind"),
        Column("land_class", "text", "class of the land", codes="land_class"),
        Column("status", "text", "state of the work", codes="status"),
        Column("ordnance", "text", "class of explosive ordnance", codes="ordnance"),
        _ERROR,
        Column(
            "depth_profile",
            "text",
            "contact lines: 'distance inner outer; ...' along the line",
            "m",
            required=False,
            nullable=True,
        ),
        Column("measure", "text", "how the depth counts", required=False, nullable=True, codes="measure"),
        Column("sides", "text", "sides of the line", required=False, nullable=True, codes="sides"),
        Column("caps", "text", "ends of the belt", required=False, nullable=True, codes="caps"),
        *_TAIL,
    ),
    "zones": (
        _id("zone_id", "zone"),
        Column("name", "text", "name of the place", nullable=True),
        Column(
            "people",
            "integer",
            "people to return or living there; blank is unknown, never 0",
            nullable=True,
            low=0,
        ),
        Column("families", "integer", "families; blank is unknown", required=False, nullable=True, low=0),
        Column("planned_return", "date", "date of the planned return", required=False, nullable=True),
        _ERROR,
        *_TAIL,
    ),
    "accidents": (
        _id("accident_id", "accident"),
        Column("occurred_on", "date", "day of the accident; blank is unknown", nullable=True),
        Column("device", "text", "class of the device", codes="device", required=False, nullable=True),
        _ERROR,
        *_TAIL,
    ),
    "areas": (
        _id("area_id", "area"),
        Column("hazard_id", "text", "hazard that the area comes from"),
        Column("kind", "text", "what was reported", codes="kind"),
        Column("land_class", "text", "class of the land", codes="land_class"),
        Column("status", "text", "state of the work", codes="status"),
        Column("ordnance", "text", "class of explosive ordnance", codes="ordnance"),
        Column("band", "text", "band of a belt", codes="band"),
        Column("grown_m", "number", "distance that the reported shape was grown", "m", nullable=True, low=0),
        Column("gross_m2", "number", "area of this footprint alone; overlaps counted again", "m2", low=0),
        _ERROR,
        *_TAIL,
    ),
    "tasks": (
        _id("task_id", "task"),
        Column("queue", "text", "queue in which the task waits", codes="queue"),
        Column("land_class", "text", "the one class of its land", codes="land_class"),
        Column("district", "text", "district; blank is outside every district given", nullable=True),
        Column("area_m2", "number", "area of the task; tasks never overlap", "m2", low=0),
        Column("zone_ids", "text", "zones within whose influence it lies, '; ' between", nullable=True),
        Column("hazard_ids", "text", "hazards of its class that reach into it, '; ' between", nullable=True),
        Column("mgrs_km", "text", "MGRS 1-km square of its inner point"),
        _ERROR,
        *_TAIL,
    ),
}

_DTYPES: dict[str, str] = {"text": "text", "number": "number", "integer": "number", "date": "date"}


def id_column(table: str) -> str:
    """Name of a table's id column.

    >>> id_column("zones")
    'zone_id'
    """
    return TABLES[table][0].name


def allowed_codes(code_list: str, replaced: Mapping[str, Mapping[str, str]] | None = None) -> dict[str, str]:
    """Codes of a list, code = meaning; a country's own list stands in for ours where that is allowed.

    >>> list(allowed_codes("queue"))
    ['survey', 'clearance']
    """
    if replaced and code_list in replaced and code_list in REPLACEABLE:
        return dict(replaced[code_list])
    return CODE_LISTS[code_list]


def table_name(table: pd.DataFrame) -> str:
    """Which declared table a frame is, told by its id column.

    Raises
    ------
    TableError
        No id column is there.
    """
    # An AREAS table also names hazards and a TASKS table nothing else, so the derived ones come first.
    for name in ("tasks", "areas", "hazards", "zones", "accidents"):
        if id_column(name) in table.columns:
            return name
    wanted = ", ".join(id_column(name) for name in TABLES)
    raise TableError(f"table has none of the id columns {wanted}; name the one you mean")


def write_profile(depth_m: Sequence[Any]) -> str:
    """Depths as the text kept in HAZARDS: 'distance inner outer; ...' [m].

    Parameters
    ----------
    depth_m : (inner, outer), or rows of (distance along the line, inner, outer)

    Raises
    ------
    SettingsError
        An inner depth exceeds its outer one, a depth is negative, or distances do not grow.

    >>> write_profile((3_000, 7_000))
    '0 3000 7000'
    """
    flat = len(depth_m) == 2 and not isinstance(depth_m[0], (list, tuple))
    rows = [(0.0, *depth_m)] if flat else [tuple(row) for row in depth_m]
    if not rows or any(len(row) != 3 for row in rows):
        raise SettingsError(f"depth {depth_m!r}: give (inner, outer) or rows of (distance, inner, outer) in metres")
    for at, inner, outer in rows:
        if not (at >= 0 and 0 <= inner <= outer and all(map(math.isfinite, (at, inner, outer)))):
            raise SettingsError(f"depth row {(at, inner, outer)}: needs 0 <= distance and 0 <= inner <= outer")
    if any(b[0] <= a[0] for a, b in pairwise(rows)):
        raise SettingsError(f"depth rows {rows}: distances along the line must grow from row to row")
    return "; ".join(" ".join(f"{value:.12g}" for value in row) for row in rows)


def read_profile(text: str) -> list[tuple[float, float, float]]:
    """Rows of (distance, inner, outer) [m] from the text kept in HAZARDS.

    >>> read_profile("0 3000 7000")
    [(0.0, 3000.0, 7000.0)]
    """
    try:
        rows = [tuple(float(part) for part in row.split()) for row in text.split(";")]
    except (ValueError, AttributeError):
        rows = []
    if not rows or any(len(row) != 3 for row in rows):
        raise TableError(f"depth_profile {text!r}: write 'distance inner outer; ...' in metres")
    return [(a, b, c) for a, b, c in rows]


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


def schema(table: str, code_lists: Mapping[str, Mapping[str, str]] | None = None) -> pa.DataFrameSchema:
    """Pandera schema of a declared table.

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
        for c in TABLES[table]
        if c.dtype != "geometry"
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
        'hazards', 'zones', 'accidents', 'areas' or 'tasks'; told by the id column when left out.
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
    plain = pd.DataFrame(table.drop(columns="geometry", errors="ignore")).copy()
    usable = _numbers_only(plain, name)
    found = []
    try:
        schema(name, code_lists).validate(usable, lazy=True)
    except SchemaErrors as error:
        found = [_fault(case, plain, file) for case in error.failure_cases.to_dict("records")]
    if "deferred" in plain.columns:
        # A deferred row states its own reason; of its columns only the id must still be good.
        known = set(plain.index[plain["deferred"].notna()])
        found = [f for f in found if f["row"] not in known or f["column"] == id_column(name)]
    if "geometry" not in table.columns:
        found.append(fault(file, None, "geometry", "", "column is missing", "error", "give each row a shape"))
    return fault_table(found)


def _numbers_only(plain: pd.DataFrame, name: str) -> pd.DataFrame:
    """The frame with number columns as floats where they are numbers, so that range checks can run."""
    for column in TABLES[name]:
        if column.dtype in ("number", "integer") and column.name in plain.columns:
            numbers = pd.to_numeric(plain[column.name], errors="coerce")
            if (numbers.notna() | plain[column.name].isna()).all():
                plain[column.name] = numbers.astype(float)
    return plain


def _fault(case: dict[str, Any], plain: pd.DataFrame, file: str) -> dict[str, Any]:
    rule = str(case["check"])
    if rule == "column_in_dataframe":
        remedy = _REMEDIES[rule]
        return fault(file, None, str(case["failure_case"]), "", "column is missing", "error", remedy)
    words = "must not be blank" if rule == "not_nullable" else rule
    remedy = _REMEDIES.get(rule) or (
        "map your code to one of these in plan.toml under 'codes'" if "one of" in rule else "mend the value"
    )
    value = case["failure_case"]
    return fault(file, case["index"], str(case["column"]), value, words, "error", remedy)


def fault(file: str, row: Any, column: str, value: object, rule: str, level: str, remedy: str) -> dict[str, Any]:
    """One row of a fault table; ``level`` is 'error', 'repaired' or 'warning'."""
    missing = value is None or (not isinstance(value, str) and bool(pd.isna(value)))  # type: ignore[call-overload]
    text = "" if missing else str(value)
    short = text if len(text) <= 80 else text[:77] + "..."
    return dict(zip(FAULT_COLUMNS, (file, row, column, short, rule, level, remedy), strict=True))


def fault_table(faults: list[dict[str, Any]]) -> pd.DataFrame:
    """Rows of :func:`fault` as a table in reading order."""
    if not faults:
        return no_faults()
    table = pd.DataFrame(faults, columns=FAULT_COLUMNS)
    order = table.assign(_row=pd.to_numeric(table["row"], errors="coerce").fillna(-1))
    in_order = order.sort_values(["file", "_row", "column", "rule"], kind="stable").index
    table = table.loc[in_order].reset_index(drop=True)
    return table.astype({"row": "Int64"}) if pd.api.types.is_numeric_dtype(table["row"].infer_objects()) else table


def glossary() -> str:
    """The column glossary as Markdown, made from the declarations.

    >>> "| `people` |" in glossary()
    True
    """
    lines = [
        "# Column glossary",
        "",
        f"Made from `clearplan.schema` (`python -m clearplan.schema`); code lists `{CODE_LISTS_VERSION}`.",
    ]
    for name, columns in TABLES.items():
        lines += [
            "",
            f"## {name.upper()}",
            "",
            "| column | type | unit | needed | meaning |",
            "|---|---|---|---|---|",
        ]
        for c in columns:
            needed = "no" if not c.required else ("may be blank" if c.nullable else "yes")
            meaning = c.meaning + (f" (codes: {', '.join(CODE_LISTS[c.codes])})" if c.codes else "")
            lines.append(f"| `{c.name}` | {c.dtype} | {c.unit} | {needed} | {meaning} |")
    lines += ["", "## Codes"]
    for code_list, codes in CODE_LISTS.items():
        note = "; a country may replace it under `[code_lists]`" if code_list in REPLACEABLE else ""
        lines += ["", f"**{code_list}**{note}", ""]
        lines += [f"- `{code}`: {meaning}" for code, meaning in codes.items()]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    print(glossary(), end="")

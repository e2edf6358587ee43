"""A table or view of a PostGIS server, read in one read-only transaction; nothing is ever written there.

User and password come from the environment alone (``PGUSER``, ``PGPASSWORD``, as for every PostgreSQL client), and
stand in no message. ``PGSSLMODE`` says how a server elsewhere proves who it is; without it its certificate must hold.
"""

from __future__ import annotations

import datetime as dt
import ipaddress
import os
import ssl
import time
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from clearplan.core.crs import parse_crs
from clearplan.core.errors import ReadError
from clearplan.read.row_counts import SERVER_ROWS
from clearplan.read.spreadsheets import first_line

_TIMEOUT_S = 120  # [s] for each answer; an office's slow line is no fault
_TRIES, PAUSE_S = 3, 1.0  # where the line breaks [1, s]
_MOST_ROWS = 2_000_000  # of a table
_MOST_DIGITS = 76  # of a decimal number in Parquet
#: Column types that arrive as themselves; others are asked for as the server's own text.
_PLAIN = {"smallint", "integer", "bigint", "real", "double precision", "numeric", "boolean", "date"}
_TIMES = {"timestamp without time zone", "timestamp with time zone"}
_SHAPES = {"geometry", "geography"}
#: What the server's refusals mean (PostgreSQL, appendix A, error codes), where its own words would name the user.
_REFUSALS = {
    "28P01": "the password in PGPASSWORD was refused; correct it in the environment",
    "28000": "the user in PGUSER was refused; correct it in the environment",
    "3D000": "has no such database; correct the url",
    "42501": "this user may not read the table; ask its owner for the right to select",
}


def read_postgis(url: str, table: str, *, lenient: bool = False) -> pd.DataFrame | gpd.GeoDataFrame:
    """All rows of a table, in the order of its primary key.

    Parameters
    ----------
    url : str
        ``postgresql://host:port/database``, without user or password.
    table : str
        ``name`` or ``schema.name`` of a table or view, at most one of its columns a geometry.
    lenient : bool
        Take what comes where the server counts other rows than it gives.

    Returns
    -------
    GeoDataFrame in the CRS of its SRID, or DataFrame where no column is a geometry. ``attrs`` holds how many rows the
    server counts, as ``server_rows``.

    Raises
    ------
    ReadError
        The server can't be reached or refuses, the table isn't there, or its shapes have several SRIDs or none.
    """
    from pg8000.native import DatabaseError, InterfaceError, identifier

    where = f"{url} table {table}"
    schema, dot, name = table.partition(".")
    own = f"{identifier(schema)}.{identifier(name)}" if dot else f"public.{identifier(table)}"
    for attempt in range(_TRIES):
        try:
            columns, rows, crs, claimed = _answers(url, own, where)
            break
        except (DatabaseError, InterfaceError, OSError) as error:
            # A refusal stays one; a broken line may be whole again.
            if isinstance(error, DatabaseError | ssl.SSLError) or attempt == _TRIES - 1:
                raise ReadError(f"{where}: {_reason(error)}") from None
        time.sleep(PAUSE_S)
    if claimed != len(rows) and not lenient:
        raise ReadError(
            f"{where}: counts {claimed:,} rows and gives {len(rows):,}; is it a view whose rows change? Name a table, "
            "or read with lenient = true"
        )
    answer = _as_table(columns, rows, crs, where)
    answer.attrs[SERVER_ROWS] = claimed
    return answer


def _answers(url: str, own: str, where: str) -> tuple[list[tuple[str, str, bool]], list[list[Any]], Any, int]:
    """Columns, rows, CRS and row count of a table, all of one moment."""
    with _connected(url) as server:
        server.run("BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        columns = _columns(server, own, where)
        count = int(server.run(f"SELECT count(*) FROM {own}")[0][0])
        if count > _MOST_ROWS:
            raise ReadError(f"{where}: holds {count:,} rows; more than {_MOST_ROWS:,} are not read, name a view")
        rows = server.run(_question(columns, own))
        crs = _crs(server, {row[-1] for row in rows} - {None}, where) if _shape_of(columns, where) else None
    return columns, rows, crs, count


def _connected(url: str) -> Any:
    from pg8000.native import Connection

    user = os.environ.get("PGUSER")
    if not user:
        raise ReadError(f"{url}: no user is named; set PGUSER and PGPASSWORD in the environment")
    parts = urlsplit(url)
    return Connection(
        user,
        password=os.environ.get("PGPASSWORD"),
        host=parts.hostname,
        port=parts.port or 5432,
        database=parts.path.strip("/"),
        ssl_context=_proof(parts.hostname or ""),
        timeout=_TIMEOUT_S,
        application_name="clearplan",
    )


def shown(words: str) -> str:
    """Words of a server without the characters that steer a terminal or turn its text round.

    >>> shown("a\x1b[31mb\u202ec")
    'a[31mbc'
    """
    return "".join(letter for letter in words if letter.isprintable() or letter == " ")[:300]


def is_loopback(host: str) -> bool:
    """Whether a host is this machine, so that nothing travels.

    >>> is_loopback("127.0.0.1"), is_loopback("localhost"), is_loopback("db.example.org")
    (True, True, False)
    """
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _proof(host: str) -> ssl.SSLContext | None:
    """How the line is closed to others: libpq's words for it; a server elsewhere has to prove itself."""
    mode = os.environ.get("PGSSLMODE") or ("disable" if is_loopback(host) else "verify-full")
    if mode == "disable":
        return None
    context = ssl.create_default_context(cafile=os.environ.get("PGSSLROOTCERT") or None)
    if mode == "require":
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    elif mode == "verify-ca":
        context.check_hostname = False
    elif mode != "verify-full":
        raise ReadError(f"PGSSLMODE={mode!r}: is none of disable, require, verify-ca, verify-full; name one of them")
    return context


def _reason(error: Exception) -> str:
    """What went wrong, in words that name neither user nor password."""
    told = error.args[0] if error.args and isinstance(error.args[0], dict) else {}
    if (code := str(told.get("C", ""))) in _REFUSALS:
        return _REFUSALS[code]
    words = shown(str(told.get("M", "")) or first_line(error))
    for secret in (os.environ.get("PGPASSWORD"), os.environ.get("PGUSER")):
        words = words.replace(secret, "...") if secret else words
    if isinstance(error, ssl.SSLError):
        return f"its certificate does not hold ({words}); set PGSSLROOTCERT, or PGSSLMODE=require to trust it unseen"
    return f"can't be read ({words}); is the server up, and the url right?"


def _columns(server: Any, own: str, where: str) -> list[tuple[str, str, bool]]:
    """(name, type, of the primary key) of each column."""
    found = server.run(
        "SELECT a.attname, format_type(a.atttypid, NULL), COALESCE(a.attnum = ANY(i.indkey), false) "
        "FROM pg_attribute a LEFT JOIN pg_index i ON i.indrelid = a.attrelid AND i.indisprimary "
        "WHERE a.attrelid = to_regclass(:own) AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum",
        own=own,
    )
    if not found:
        raise ReadError(f"{where}: there is no such table, or this user may not see it; name it as schema.table")
    return [(str(name), str(kind).rpartition(".")[2], bool(key)) for name, kind, key in found]


def _shape_of(columns: list[tuple[str, str, bool]], where: str) -> str | None:
    shapes = [name for name, kind, _ in columns if kind in _SHAPES]
    if len(shapes) > 1:
        raise ReadError(f"{where}: has geometries {', '.join(shapes)}; name a view that has one of them")
    return shapes[0] if shapes else None


def _question(columns: list[tuple[str, str, bool]], own: str) -> str:
    """One SELECT for all rows; the shape and its SRID come last."""
    from pg8000.native import identifier

    asked, last = [], []
    for name, kind, _ in columns:
        column = identifier(name)
        if kind in _SHAPES:
            last = [f"ST_AsBinary({column}::geometry)", f"ST_SRID({column}::geometry)"]
        else:
            asked.append(column if kind in _PLAIN | _TIMES else f"{column}::text")
    keys = [identifier(name) for name, _, key in columns if key]
    # Without a key the rows' own text puts them in order: the same rows must make the same file.
    order = keys or [f"{identifier(name)}::text" for name, _, _ in columns]
    return f"SELECT {', '.join([*asked, *last])} FROM {own} ORDER BY {', '.join(order)}"


def _crs(server: Any, srids: set[int], where: str) -> Any:
    if not srids:
        return None
    if len(srids) > 1:
        raise ReadError(f"{where}: its shapes have SRIDs {sorted(srids)}; name a view that brings them into one")
    (srid,) = srids
    found = server.run("SELECT auth_name, auth_srid, srtext FROM spatial_ref_sys WHERE srid = :srid", srid=srid)
    if not found:
        return None  # SRID 0: the source's own setting `crs` must say it, as for a file that states none
    authority, number, text = found[0]
    return parse_crs(f"{authority}:{number}" if authority else text)


def _as_table(columns: list[tuple[str, str, bool]], rows: list[list[Any]], crs: Any, where: str) -> Any:
    names = [name for name, kind, _ in columns if kind not in _SHAPES]
    kinds = [kind for _, kind, _ in columns if kind not in _SHAPES]
    frame = pd.DataFrame(
        {name: _values([row[k] for row in rows], kinds[k]) for k, name in enumerate(names)}, index=range(len(rows))
    )
    if len(names) == len(columns):
        return frame
    try:
        shapes = shapely.from_wkb(np.array([row[-2] for row in rows], dtype=object))
    except (shapely.errors.GEOSException, NotImplementedError) as error:
        raise ReadError(
            f"{where}: holds a shape that can't be read ({first_line(error)}); curves need a view with ST_CurveToLine"
        ) from None
    return gpd.GeoDataFrame(frame, geometry=shapes, crs=crs)


def _values(values: list[Any], kind: str) -> pd.Series | pd.api.extensions.ExtensionArray:
    if kind in ("smallint", "integer", "bigint"):
        return pd.array(values, dtype="Int64")
    if kind in ("real", "double precision"):
        return pd.array(values, dtype="Float64")
    if kind == "numeric":
        return _decimals(values)
    if kind == "boolean":
        return pd.array(values, dtype="boolean")
    if kind in _TIMES:
        return _times(values)
    return _texts(values)


def _texts(values: list[Any]) -> pd.Series:
    return pd.Series([None if value is None else str(value) for value in values], dtype=object)


def _decimals(values: list[Decimal | None]) -> pd.Series | pd.api.extensions.ExtensionArray:
    """Decimal numbers to their last digit: as whole numbers where all are whole, else as they are.

    A column with one that is not finite, or has more digits than Parquet holds, stays as text; the first are faults.
    """
    known = [value for value in values if value is not None]
    if not all(value.is_finite() for value in known):
        return _texts(values)
    if all(value == value.to_integral_value() and abs(value) < 2**63 for value in known):
        return pd.array([None if value is None else int(value) for value in values], dtype="Int64")
    before_point = max(value.adjusted() + 1 for value in known)
    after_point = max(-int(value.as_tuple().exponent) for value in known)
    if max(before_point, 1) + max(after_point, 0) > _MOST_DIGITS:
        return _texts(values)
    return pd.Series(values, dtype=object)


def _times(values: list[Any]) -> pd.Series:
    """Moments in UTC, or times of day without a zone, as the column's type says.

    A column with infinity, or a year beyond the calendar, stays as text, and its rows become faults.
    """
    moments = [_in_utc(value) for value in values]
    if all(value is None or isinstance(value, dt.datetime) for value in moments):
        try:
            return pd.to_datetime(pd.Series(moments, dtype=object))
        except (ValueError, OverflowError):  # pandas' own error for the calendar's end is a ValueError
            pass
    return _texts(moments)


def _in_utc(value: object) -> object:
    """A moment by UTC's clock, so that the zone of the server's session doesn't count."""
    if not isinstance(value, dt.datetime) or value.tzinfo is None:
        return value
    try:
        return value.astimezone(dt.UTC)
    except OverflowError:  # a moment of the calendar's last day
        return str(value)

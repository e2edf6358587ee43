"""Ways in which a file is broken: by its bytes, by its lines, or by the structure of its format."""

from __future__ import annotations

import csv
import datetime as dt
import gzip
import io
import json
import random
import re
import sqlite3
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import geopandas as gpd
import pandas as pd

#: What stands in place of a value of JSON, a cell, an attribute or a setting.
VALUES: tuple[object, ...] = (
    None,
    "",
    " ",
    0,
    -1,
    1,
    2**31,
    2**53 + 1,
    10**30,
    -0.0,
    1e308,
    0.1,
    True,
    False,
    [],
    {},
    [[]],
    [1, 2],
    {"a": 1},
    "NaN",
    "#REF!",
    "\u200b",
    "\x00",
    "М",
    "ÄŸ",
    "9" * 400,
    "9" * 5000,
    "2020-02-30",
    "03/10/2020",
    "12 5",
    "1e3",
    "EPSG:3857",
    "POINT (0 0)",
    "../../etc/passwd",
    "\u202e",
    "\ud800",
    float("nan"),
    float("inf"),
    "A" * 40_000,
    "<a>",
    "&amp;",
)


def broken(path: Path, structure: str, draw: random.Random) -> str:
    """Break one part of a file; returns which way was drawn."""
    parts = [part for part in sorted(path.parent.rglob("*")) if part.is_file() and part.stat().st_size]
    if structure == "toml":
        parts = [path]
    part = draw.choice(parts)
    ways: list[Callable[[bytes, random.Random], bytes]] = [*BYTES]
    if part.suffix in (".csv", ".tsv", ".txt", ".geojsonl", ".kml", ".gpx", ".toml", ".mif", ".mid", ".asc", ".tab"):
        ways += [double_lines, swap_lines] * 2
    if structure in STRUCTURES and part.suffix == path.suffix:
        ways += [STRUCTURES[structure]] * len(ways)
    way, content = draw.choice(ways), part.read_bytes()
    # Most of what is broken in a packed file is its text, or else only the packing is tried.
    packed = part.suffix == ".gz" and draw.random() < 0.7
    part.write_bytes(gzip.compress(way(gzip.decompress(content), draw), mtime=0) if packed else way(content, draw))
    return way.__name__.replace("_", " ")


def flip_bits(content: bytes, draw: random.Random) -> bytes:
    changed = bytearray(content)
    for _ in range(draw.choice((1, 1, 2, 8, 64))):
        changed[draw.randrange(len(changed))] ^= 1 << draw.randrange(8)
    return bytes(changed)


def truncate(content: bytes, draw: random.Random) -> bytes:
    return content[: draw.randrange(len(content))]


def swap_blocks(content: bytes, draw: random.Random) -> bytes:
    one, two, three = sorted(draw.randrange(len(content) + 1) for _ in range(3))
    return content[:one] + content[two:three] + content[one:two] + content[three:]


def insert_bytes(content: bytes, draw: random.Random) -> bytes:
    at = draw.randrange(len(content) + 1)
    more = draw.choice((b"\0", b"\xff\xfe", b"\n", b'"', b",,", b"<", b"{", draw.randbytes(draw.randrange(1, 64))))
    return content[:at] + more + content[at:]


def double_block(content: bytes, draw: random.Random) -> bytes:
    one, two = sorted(draw.randrange(len(content) + 1) for _ in range(2))
    return content[:two] + content[one:two] + content[two:]


def spoil_head(content: bytes, draw: random.Random) -> bytes:
    """A whole number of the first bytes, where most formats keep counts, becomes another."""
    changed = bytearray(content)
    at = draw.randrange(min(len(changed), 160))
    number = struct.pack(draw.choice("<>") + "I", draw.choice((0, 1, 2, 7, 255, 65_535, 2**31 - 1, 2**31, 2**32 - 1)))
    width = draw.choice((1, 2, 4))
    changed[at : at + width] = number[:width]
    return bytes(changed)


def zero_block(content: bytes, draw: random.Random) -> bytes:
    one = draw.randrange(len(content))
    end = min(len(content), one + draw.choice((1, 16, 512, 4096)))
    return content[:one] + bytes(end - one) + content[end:]


BYTES = (flip_bits, truncate, swap_blocks, insert_bytes, double_block, spoil_head, zero_block)


def double_lines(content: bytes, draw: random.Random) -> bytes:
    lines = content.splitlines(keepends=True)
    at = draw.randrange(len(lines))
    return b"".join([*lines[:at], *lines[at : at + draw.choice((1, 1, 3))], *lines[at:]])


def swap_lines(content: bytes, draw: random.Random) -> bytes:
    lines = content.splitlines(keepends=True)
    one, two = draw.randrange(len(lines)), draw.randrange(len(lines))
    lines[one], lines[two] = lines[two], lines[one]
    return b"".join(lines)


def change_json(content: bytes, draw: random.Random) -> bytes:
    """A value becomes another, goes, or comes twice; in one of three files two of them."""
    rows = content.splitlines() if content.startswith(b'{ "type": "Feature", ') else [content]
    at = draw.randrange(len(rows))
    tree = json.loads(rows[at])
    for _ in range(draw.choice((1, 1, 2))):
        places = list(_places(tree))
        home, key = draw.choice(places)
        way = draw.randrange(4)
        if way == 0 and isinstance(home, dict):
            home.pop(key)
        elif way == 1 and isinstance(home, list):
            home.insert(key, home[key])
        else:
            home[key] = draw.choice(VALUES)
    rows[at] = json.dumps(tree, ensure_ascii=draw.random() < 0.5).encode("utf-8", "surrogatepass")
    return b"\n".join(rows)


def _places(tree: object) -> list[tuple[dict | list, str | int]]:
    keys = list(tree) if isinstance(tree, dict) else range(len(tree)) if isinstance(tree, list) else []
    found = [(tree, key) for key in keys]
    return found + [place for _, key in list(found) for place in _places(tree[key])]


def change_xml(content: bytes, draw: random.Random) -> bytes:
    """An attribute, a text or an element becomes another, goes, or comes twice."""
    text = content.decode("utf-8", "surrogateescape")
    shape = draw.choice((r'="[^"]*"', r">[^<>]+<", r"<[A-Za-z][^<>]*>", r"<(\w+)[^<>]*>[^<>]*</\1>"))
    spots = list(re.finditer(shape, text))
    if not spots:
        return flip_bits(content, draw)
    spot = draw.choice(spots)
    value = str(draw.choice(VALUES))
    new = {"=": f'="{value}"', ">": f">{value}<"}.get(spot[0][0]) or draw.choice(("", spot[0] * 2, f"<{value[:9]}>"))
    changed = text[: spot.start()] + new.replace("\ud800", "\ufffd") + text[spot.end() :]
    return changed.encode("utf-8", "surrogateescape")


def change_toml(content: bytes, draw: random.Random) -> bytes:
    """A setting gets a value of another type, an unknown name, or goes; or a whole section goes."""
    lines = content.decode().splitlines()
    at = draw.choice([k for k, line in enumerate(lines) if line.strip()])
    name = lines[at].split("=")[0]
    value = draw.choice(
        (
            '""',
            "0",
            "-1",
            "1e999",
            "nan",
            "true",
            "[]",
            "{}",
            "2026-01-01",
            '"x"',
            "[[1]]",
            "1979-01-01",
            "99999999999999999999",
            '"EPSG:4326"',
            "[1, 2, 3, 4]",
            '"\\u0000"',
            "07:32:00",
            "0.5",
        )
    )
    ways = {0: f"{name}= {value}", 1: "", 2: f"{name}x = {value}", 3: f"[{name.strip(' []')}]"}
    lines[at] = ways[draw.choice((0, 0, 0, 1, 2, 3))]
    return "\n".join(lines).encode()


def change_cells(content: bytes, draw: random.Random) -> bytes:
    """A cell of a text becomes another value."""
    text = content.decode()
    mark = next(mark for mark in (";", "\t", ",") if mark in text.split("\n", 1)[0])
    rows = list(csv.reader(io.StringIO(text), delimiter=mark))
    for _ in range(draw.choice((1, 1, 5))):
        row = draw.choice(rows)
        row[draw.randrange(len(row))] = str(draw.choice(VALUES)).replace("\x00", "")
    out = io.StringIO()
    csv.writer(out, delimiter=mark, lineterminator="\n").writerows(rows)
    return out.getvalue().encode("utf-8", "surrogatepass")


def change_member(content: bytes, draw: random.Random) -> bytes:
    """A file in an archive is broken and packed again, or the archive's own directory is."""
    if draw.random() < 0.3:
        at = content.rindex(b"PK\x01\x02") if draw.random() < 0.5 else content.rindex(b"PK\x05\x06")
        return content[:at] + spoil_head(content[at:], draw)
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as before, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as after:
        names = before.namelist()
        spoilt = draw.choice(names)
        for name in names:
            member = before.read(name)
            if name == spoilt and member:
                xml = name.endswith((".xml", ".kml", ".rels"))
                member = draw.choice((*BYTES, *([change_xml] * 14 if xml else [])))(member, draw)
            after.writestr(name, member)
    return out.getvalue()


def change_sqlite(content: bytes, draw: random.Random) -> bytes:
    """A cell of any table becomes another value, a row goes, or a table does."""
    with sqlite3.connect(":memory:") as base:
        base.deserialize(content)
        try:
            tables = [row[0] for row in base.execute("select name from sqlite_master where type = 'table'")]
            tables = [name for name in tables if not name.startswith(("rtree_", "sqlite_"))]
            table = draw.choice(tables)
            for (trigger,) in base.execute("select name from sqlite_master where type = 'trigger'").fetchall():
                base.execute(f'drop trigger "{trigger}"')
            columns = [row[1] for row in base.execute(f'pragma table_info("{table}")')]
            numbers = [row[0] for row in base.execute(f'select rowid from "{table}"')]
            if draw.random() < 0.05:
                base.execute(f'drop table "{table}"')
            elif draw.random() < 0.1 and numbers:
                base.execute(f'delete from "{table}" where rowid = ?', [draw.choice(numbers)])
            elif numbers:
                value = draw.choice(
                    [value for value in VALUES if isinstance(value, str | float | None) and value != "\ud800"]
                )
                value = draw.choice((value, draw.randbytes(30), draw.randrange(-5, 5)))
                base.execute(
                    f'update "{table}" set "{draw.choice(columns)}" = ? where rowid = ?', [value, draw.choice(numbers)]
                )
            base.commit()
        except sqlite3.Error:
            return flip_bits(content, draw)
        return base.serialize()


def change_parquet(content: bytes, draw: random.Random) -> bytes:
    """A column gets values of another type."""
    table = gpd.read_parquet(io.BytesIO(content))
    name = draw.choice([column for column in table.columns if column != "geometry"])
    rows = len(table)
    columns: list[object] = [
        [None] * rows,
        [b"\xff\x00"] * rows,
        [[1, 2]] * rows,
        [{"a": 1}] * rows,
        [2**63 - 1] * rows,
        pd.date_range("2020-10-03", periods=rows, tz="UTC"),
        pd.to_timedelta(range(rows), unit="s"),
        pd.Series([1, None] * (rows // 2), dtype="Int64").array,
        pd.Categorical(["CHA"] * rows),
        [float("nan"), float("inf")] * (rows // 2),
        [True, False] * (rows // 2),
        [dt.time(3)] * rows,
        [dt.date(1, 1, 1)] * rows,
    ]
    table[name] = draw.choice(columns)
    out = io.BytesIO()
    table.to_parquet(out)
    return out.getvalue()


STRUCTURES = {
    "json": change_json,
    "xml": change_xml,
    "toml": change_toml,
    "cells": change_cells,
    "archive": change_member,
    "sqlite": change_sqlite,
    "parquet": change_parquet,
}

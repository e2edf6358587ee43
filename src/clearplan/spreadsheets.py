"""Spreadsheets to rows of text: CSV and XLSX as their owner sees them, or a word on why not."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import pandas as pd

from .errors import ReadError

#: Encodings tried when a file states none, with the alphabets they were made for.
ENCODINGS = {"utf-8": "any", "cp1251": "Russian", "cp1254": "Azerbaijani, Turkish"}


def read_xlsx(path: Path, sheet: str | None) -> pd.DataFrame:
    """The cells of one sheet as they stand; what a reader of cells can't see as the planner does is refused."""
    import openpyxl

    try:
        book = openpyxl.load_workbook(path, data_only=True)
        formulas = openpyxl.load_workbook(path)
    except Exception as error:
        raise ReadError(f"{path}: can't be read as XLSX ({first_line(error)}); save it again as .xlsx") from None
    filled = [page.title for page in book.worksheets if page.max_row > 1 or page["A1"].value is not None]
    if sheet is not None and sheet not in book.sheetnames:
        raise ReadError(f"{path}: has no sheet {sheet!r}; it has {', '.join(book.sheetnames)}")
    if sheet is None and len(filled) > 1:
        raise ReadError(f"{path}: holds sheets {', '.join(filled)}; name one with layer = '...'")
    if sheet is None and not filled:
        raise ReadError(f"{path}: is empty; give a header row and data")
    title = sheet or filled[0]
    page = book[title]
    for merged in page.merged_cells.ranges:
        raise ReadError(f"{path}: cells {merged} are merged; unmerge them and fill each")
    for row in formulas[title].iter_rows():
        for cell in row:
            if cell.data_type == "f" and page[cell.coordinate].value is None:
                raise ReadError(f"{path}: cell {cell.coordinate} is a formula without a stored value; save it in a "
                                "spreadsheet program, or write the value")  # fmt: skip
    cells = [list(row) for row in page.iter_rows(values_only=True)]
    header = ["" if name is None else str(name).strip() for name in cells[0]] if cells else []
    while header and not header[-1] and all(row[len(header) - 1] is None for row in cells[1:]):
        header.pop()
    _refuse_unclear_header(path, header)
    body = [[_cell(value) for value in row[: len(header)]] for row in cells[1:]]
    return pd.DataFrame(body, columns=header, dtype=object)


def _cell(value: Any) -> Any:
    return value.strip() or None if isinstance(value, str) else value


def read_csv(path: Path, encoding: str | None) -> pd.DataFrame:
    """The cells of a CSV, TSV or semicolon file; row for row, with blank rows in their places."""
    text = _decode(path, path.read_bytes(), encoding)
    first = text.split("\n", 1)[0].rstrip("\r")
    if first.lower().startswith("sep="):
        raise ReadError(f"{path}, row 1: {first!r} is no header; delete that line")
    try:
        mark = csv.Sniffer().sniff(first, delimiters=",;\t").delimiter
    except csv.Error:
        mark = ","
    records = _records(path, text, mark)
    if not records:
        raise ReadError(f"{path}: is empty; give a header row and data")
    header = [name.strip() for name in records[0]]
    while header and not header[-1] and all(not record or not record[-1].strip() for record in records[1:]):
        # Spreadsheets write the commas of columns that were once used.
        header, records = header[:-1], [record[:-1] for record in records]
    _refuse_unclear_header(path, header)
    ragged = [number for number, record in enumerate(records[1:], start=2) if record and len(record) != len(header)]
    if ragged:
        others = f"; so have rows {', '.join(map(str, ragged[1:21]))}" if ragged[1:] else ""
        more = f" and {len(ragged) - 21} more" if ragged[21:] else ""
        raise ReadError(
            f"{path}, row {ragged[0]}: has {len(records[ragged[0] - 1])} cells, the header {len(header)}{others}"
            f"{more}; put texts that hold {mark!r} in double quotes"
        )
    body = [[cell.strip() or None for cell in record] if record else [None] * len(header) for record in records[1:]]
    return pd.DataFrame(body, columns=header, dtype=object)


def _records(path: Path, text: str, mark: str) -> list[list[str]]:
    """Records of a CSV; a quote that is never closed would swallow the rows after it, so it is an error."""
    usual = csv.field_size_limit(1 << 30)  # a national border as WKT is longer than the module's 131,072 letters
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=mark, strict=True)
    try:
        return list(reader)
    except csv.Error as error:
        raise ReadError(f"{path}, line {reader.line_num}: not valid CSV ({error}); mend the quotes there") from None
    finally:
        csv.field_size_limit(usual)


def _refuse_unclear_header(path: Path, header: list[str]) -> None:
    if "" in header:
        raise ReadError(f"{path}, row 1: column {header.index('') + 1} has no name; name each column")
    twice = [name for k, name in enumerate(header) if name in header[:k]]
    if twice:
        raise ReadError(f"{path}, row 1: column {twice[0]!r} stands twice; name each column once")


def _decode(path: Path, content: bytes, encoding: str | None) -> str:
    try:
        return content.decode(encoding or "utf-8").removeprefix("\ufeff")
    except LookupError:
        raise ReadError(f"{path}: encoding {encoding!r} is not known; write for example 'cp1251'") from None
    except UnicodeDecodeError as error:
        start = content.rfind(b"\n", 0, error.start) + 1
        end = content.find(b"\n", error.start)
        row = content.count(b"\n", 0, error.start) + 1
        line = content[start : end if end > 0 else None]
        raise ReadError(f"{path}, row {row}: text is not {encoding or 'UTF-8'}; {readings(line)}") from None


def readings(text: bytes) -> str:
    """What bytes would say in each likely encoding, for the planner to choose from."""
    if text[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return "declare encoding = 'utf-16', or save it as UTF-8"
    found = []
    for encoding, alphabet in ENCODINGS.items():
        try:
            reading = text.decode(encoding).strip().strip("\x00")
        except UnicodeDecodeError:
            continue
        found.append(f"encoding = '{encoding}' ({alphabet}) reads {reading[:40]!r}")
    return "declare one: " + "; ".join(found)


def first_line(error: Exception) -> str:
    """What an error of another library says, short enough for one line of ours."""
    return str(error).strip().split("\n", 1)[0][:160]

"""Spreadsheets to rows of text: CSV and XLSX as their owner sees them, or a word on why not."""

from __future__ import annotations

import codecs
import contextlib
import csv
import io
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from clearplan.core.errors import ReadError
from clearplan.read.cells import FormattedNumber
from clearplan.read.seal import check_seal
from clearplan.settings.limits import LimitSettings
from clearplan.tables.check import Fault, fault
from clearplan.tables.hxl import tags_in

#: Encodings tried when a file states none, with the alphabets they were made for.
ENCODINGS = {"utf-8": "any", "cp1251": "Russian", "cp1254": "Azerbaijani, Turkish"}


#: A spreadsheet program holds no more letters in one cell; more is a broken or hostile file.
MAX_LETTERS = 32_767


#: Formulas whose value comes from elsewhere, or that open something when the cell is touched.
_OUTWARD = re.compile(r"^=.*\b(HYPERLINK|WEBSERVICE|FILTERXML|IMPORT\w+|RTD|DDE|CALL)\s*\(", re.IGNORECASE)


#: What a spreadsheet takes for the start of a formula: the marks, their full-width forms (which some programs fold
#: into the marks), and white space before a mark (https://owasp.org/www-community/attacks/CSV_Injection).
_RUNS = re.compile(r"[\t\r\n]|\s*[=+\-@\uff1d\uff0b\uff0d\uff20]")


def as_text(text: str) -> str:
    """Text for a cell of a CSV: an apostrophe before what a spreadsheet would run as a formula.

    >>> as_text("=1+1"), as_text("＝1+1"), as_text("Aghdam"), as_text("'-5")
    ("'=1+1", "'＝1+1", 'Aghdam', "''-5")
    """
    return f"'{text}" if _RUNS.match(text.lstrip("'")) else text


def without_apostrophe(text: str) -> str:
    """The text that ``as_text`` kept from running.

    >>> without_apostrophe("'=1+1"), without_apostrophe("''-5"), without_apostrophe("'s-Gravenhage")
    ('=1+1', "'-5", "'s-Gravenhage")
    """
    return text[1:] if text.startswith("'") and _RUNS.match(text.lstrip("'")) else text


def drop_tags(file: str, frame: pd.DataFrame) -> tuple[pd.DataFrame, list[Fault]]:
    """Rows without the row of HXL hashtags below the header; a row that may be one and may be data is a fault."""
    kinds = [tags_in(list(row)) for row in frame.itertuples(index=False, name=None)]
    first = next((k for k, blank in enumerate(frame.isna().all(axis=1)) if not blank), None)
    faults, tags = [], []
    for k, kind in enumerate(kinds):
        if k == first and kind == "yes":
            tags.append(k)
        elif k == first and kind == "perhaps":
            rule = "every cell begins with '#': HXL hashtags, or data?"
            remedy = "use core hashtags of HXL 1.1 (#adm1, #loc, #meta ...) or #x_ names; or begin data otherwise"
            faults.append(fault(file, k + 2, "", _shown(frame, k), rule, "error", remedy))
        elif kind == "yes":
            rule, remedy = "HXL hashtags below the first row of data", "put them right below the header, or delete them"
            faults.append(fault(file, k + 2, "", _shown(frame, k), rule, "error", remedy))
    return frame.drop(index=frame.index[tags]), faults


def _shown(frame: pd.DataFrame, row: int) -> str:
    return ", ".join(str(cell) for cell in frame.iloc[row] if not pd.isna(cell))


def sheet_names(path: Path, limits: LimitSettings) -> list[str]:
    """Sheets of an XLSX file, without reading a cell of them."""
    check_seal(path, limits)
    with contextlib.closing(_workbook(path, read_only=True)) as book:
        return [str(name) for name in book.sheetnames]


def _workbook(path: Path, **options: Any) -> Any:
    import openpyxl

    try:
        return openpyxl.load_workbook(path, **options)
    except Exception as error:
        raise ReadError(f"{path}: can't be read as XLSX ({first_line(error)}); save it again as .xlsx") from None


@dataclass(frozen=True)
class Sheet:
    """Cells below a header as they stand; ``filled``: rows below it that hold something, counted apart from them.

    ``faults``: what a reader of cells can't see as the planner does.
    """

    frame: pd.DataFrame
    filled: int
    faults: list[Fault]


def read_xlsx(path: Path, sheet: str | None) -> Sheet:
    """The cells of one sheet."""
    book, formulas = _workbook(path, data_only=True), _workbook(path)
    filled = [page.title for page in book.worksheets if _filled(page)]
    if sheet is not None and sheet not in book.sheetnames:
        raise ReadError(f"{path}: has no sheet {sheet!r}; it has {', '.join(book.sheetnames)}")
    if sheet is None and len(filled) > 1:
        raise ReadError(f"{path}: holds sheets {', '.join(filled)}; name one with layer = '...'")
    if sheet is None and not filled:
        raise ReadError(f"{path}: is empty; give a header row and data")
    title = sheet or filled[0]
    page = book[title]
    rows, columns = np.max(_filled(page) or [(1, 1)], axis=0)
    cells = [[_cell(cell) for cell in row] for row in page.iter_rows(max_row=int(rows), max_col=int(columns))]
    header = ["" if name is None else str(name).strip() for name in cells[0]] if cells else []
    while header and not header[-1] and all(row[len(header) - 1] is None for row in cells[1:]):
        header.pop()
    _refuse_unclear_header(path, header)
    body = [row[: len(header)] for row in cells[1:]]
    faults = _merged(path, page, header, len(cells)) + _formulas(path, page, formulas[title], header)
    return Sheet(pd.DataFrame(body, columns=header, dtype=object), len(_rows_with_text(page) - {1}), faults)


def _rows_with_text(page: Any) -> set[int]:
    """Numbers of the rows in which a cell holds more than spaces."""
    return {row for (row, _), cell in page._cells.items() if cell.value is not None and str(cell.value).strip()}


def _filled(page: Any) -> list[tuple[int, int]]:
    """(row, column) of the cells that hold something, by row: a sheet reaches as far as anybody ever formatted it."""
    # openpyxl has no public way to the cells that the file holds; its rows make every cell between them.
    return sorted(place for place, cell in page._cells.items() if cell.value is not None)


def _merged(path: Path, page: Any, header: list[str], last: int) -> list[Fault]:
    faults = []
    for cells in page.merged_cells.ranges:
        rule, remedy = f"cells {cells} are merged", "unmerge them and fill each"
        if cells.min_row == 1:
            raise ReadError(f"{path}, row 1: {rule}; {remedy}")
        column = header[cells.min_col - 1] if cells.min_col <= len(header) else ""
        value = page.cell(cells.min_row, cells.min_col).value
        faults += [
            fault(path.name, row, column, value, rule, "error", remedy)
            for row in range(cells.min_row, min(cells.max_row, max(last, cells.min_row)) + 1)
        ]
    return faults


def _formulas(path: Path, page: Any, formulas: Any, header: list[str]) -> list[Fault]:
    """Formulas whose result the file does not hold, which nobody has seen, and those that lead out of the file."""
    faults = []
    for row, column in _filled(formulas):
        cell = formulas.cell(row, column)
        if row == 1 or column > len(header) or cell.data_type != "f":
            continue
        outward = _OUTWARD.match(str(cell.value))
        if outward or page.cell(row, column).value is None:
            why = "that leads out of the file" if outward else "without a stored value"
            rule = f"cell {cell.coordinate} is a formula {why}"
            remedy = "save it in a spreadsheet program, or write the value"
            faults.append(fault(path.name, row, header[column - 1], cell.value, rule, "error", remedy))
    return faults


def overlong(file: str, frame: pd.DataFrame, rows: list[int]) -> list[Fault]:
    """Cells with more letters than a spreadsheet can hold, and cells with a formula as their text."""
    faults = []
    for column in frame.columns:
        for row, value in zip(rows, frame[column], strict=True):
            if not isinstance(value, str):
                continue
            if len(value) > MAX_LETTERS:
                rule, remedy = f"cell holds {len(value):,} letters", f"a cell holds at most {MAX_LETTERS:,}; correct it"
                faults.append(fault(file, row, str(column), value[:80], rule, "error", remedy))
            elif value.startswith("="):
                rule, remedy = "cell holds a formula", "write the value"
                faults.append(fault(file, row, str(column), value, rule, "error", remedy))
    return faults


def _cell(cell: Any) -> Any:
    """Value of a cell; a number whose format shows more than its digits comes with what it shows."""
    value = cell.value
    if isinstance(value, str):
        return value.strip() or None
    if isinstance(value, int | float) and not isinstance(value, bool) and not _PLAIN_FORMAT.match(cell.number_format):
        return FormattedNumber(value, _rendered(value, cell.number_format), cell.number_format)
    return value


#: Formats that show a number by its digits alone.
_PLAIN_FORMAT = re.compile(r"^(?:General|[#0]|#?,?#*0(?:\.[0#]+)?|@|#,##0.*|.*%|0\.0+E\+0+)$", re.IGNORECASE)
#: Zeros with text before and after, in quotes or behind a backslash: 0000, "MF-"0000, \M0000.
_ZEROS = re.compile(r"""^(?P<before>(?:"[^"]*"|\\.|[-/ ])*)(?P<zeros>0{1,20})(?P<after>(?:"[^"]*"|\\.|[-/ ])*)$""")


def _rendered(number: float, form: str) -> str | None:
    """A whole number as a format of zeros and quoted text shows it; None for any other format.

    >>> _rendered(7, "0000"), _rendered(7, '"MF-"0000'), _rendered(7, "[Red]0;(0)")
    ('0007', 'MF-0007', None)
    """
    zeros = _ZEROS.match(form)
    if zeros is None or number < 0 or number != int(number):
        return None
    digits = str(int(number)).zfill(len(zeros["zeros"]))
    return _unquoted(zeros["before"]) + digits + _unquoted(zeros["after"])


def _unquoted(text: str) -> str:
    return re.sub(r'"([^"]*)"|\\(.)', lambda part: part[1] or part[2] or "", text)


def read_csv(path: Path, encoding: str | None) -> Sheet:
    """The cells of a CSV, TSV or semicolon file; row for row, with blank rows in their places."""
    text = _decode(path, path.read_bytes(), encoding).rstrip("\x1a")  # the mark at a file's end, as DOS wrote it
    if text.strip() and not text.split("\n", 1)[0].strip():
        raise ReadError(f"{path}, row 1: is blank; delete the blank lines above the header")
    first = text.split("\n", 1)[0].rstrip("\r")
    if first.lower().startswith("sep="):
        raise ReadError(f"{path}, row 1: {first!r} is no header; delete that line")
    mark = _delimiter(text)
    records = _records(path, text, mark)
    if not records:
        raise ReadError(f"{path}: is empty; give a header row and data")
    filled = _filled_lines(text, records, mark)
    header = [without_apostrophe(name.strip()) for name in records[0]]
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
    body = [
        [without_apostrophe(cell.strip()) or None for cell in record] if record else [None] * len(header)
        for record in records[1:]
    ]
    return Sheet(pd.DataFrame(body, columns=header, dtype=object), filled, [])


def _filled_lines(text: str, records: list[list[str]], mark: str) -> int:
    """Rows below the header by the lines of a text: less blank rows, and the line breaks that stand inside cells.

    Two stray quotes make one cell of all that stands between them: the rows in it count.
    """
    lines = sum(1 for _ in io.StringIO(text, newline=""))
    inside = 0
    if lines != len(records):
        inside = sum(len(_LINE_ENDS.findall(cell)) for record in records for cell in record)
        inside -= sum(_swallowed_rows(record, mark) for record in records[1:])
    blank = sum(not any(cell.strip() for cell in record) for record in records[1:])
    return lines - 1 - inside - blank


def _swallowed_rows(record: list[str], mark: str) -> int:
    """Rows that stand in a cell: its lines end the row, begin one at its first column, and are whole in between.

    >>> _swallowed_rows(["H1", "open", "a\\nH2,open,b\\nH3,open,c"], ",")
    2
    >>> _swallowed_rows(["H1", "open", "a\\nb, c"], ",")
    0
    """
    width, swallowed = len(record), 0
    if width <= _NARROW:
        return 0
    bare = re.compile(re.escape(mark) + r"(?!\s)")  # in prose a space follows
    for column, cell in enumerate(record):
        marks = [len(bare.findall(line)) for line in _LINE_ENDS.split(cell)]
        whole = [width - 1] * (len(marks) - 2)
        if len(marks) > 1 and marks == [width - 1 - column, *whole, column]:
            swallowed += len(marks) - 1
    return swallowed


_NARROW = 2  # columns: with so few a line of prose looks like a row
_LINE_ENDS = re.compile(r"\r\n|\r|\n")
_DELIMITERS = (",", ";", "\t", "|")
#: How much of a file is looked at for its delimiter.
_HEAD_LETTERS, _HEAD_ROWS = 200_000, 200


def _delimiter(text: str) -> str:
    """The mark between cells: the one that cuts all of a file's first rows into the same number of cells, and most.

    >>> _delimiter("id;note\\n1;a, b\\n"), _delimiter("a|b,c\\n1|2,3\\n2|x\\n")
    (';', '|')
    """
    head = text[:_HEAD_LETTERS]
    widths = {}
    for mark in _DELIMITERS:
        try:
            records = [record for record in csv.reader(io.StringIO(head, newline=""), delimiter=mark) if record]
        except csv.Error:
            continue
        whole = records[:-1] if len(head) < len(text) else records  # the last one may be cut
        counts = {len(record) for record in whole[:_HEAD_ROWS]}
        if len(counts) == 1:
            widths[mark] = counts.pop()
    if not widths or max(widths.values()) == 1:
        # No mark fits every row: the header's own decides, and the rows that don't fit are named.
        return max(_DELIMITERS, key=head.split("\n", 1)[0].count)
    return max(widths, key=lambda mark: widths[mark])


def _records(path: Path, text: str, mark: str) -> list[list[str]]:
    """Records of a CSV; a quote that is never closed would swallow the rows after it, so it is an error."""
    usual = csv.field_size_limit(1 << 30)  # a national border as WKT is longer than the module's 131,072 letters
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=mark, strict=True)
    try:
        return list(reader)
    except csv.Error as error:
        raise ReadError(f"{path}, line {reader.line_num}: not valid CSV ({error}); correct the quotes there") from None
    finally:
        csv.field_size_limit(usual)


def _refuse_unclear_header(path: Path, header: list[str]) -> None:
    if "" in header:
        raise ReadError(f"{path}, row 1: column {header.index('') + 1} has no name; name each column")
    twice = [name for k, name in enumerate(header) if name in header[:k]]
    if twice:
        raise ReadError(f"{path}, row 1: column {twice[0]!r} stands twice; name each column once")


#: Codecs of Python that are no character sets of a file.
_NO_CHARSETS = {"idna", "punycode", "unicode_escape", "unicode-escape", "raw_unicode_escape", "raw-unicode-escape"}


def check_codec(path: Path, encoding: str) -> None:
    """An encoding is one of text, known by name.

    Raises
    ------
    ReadError
        It is not.
    """
    try:
        b"a".decode(encoding)
        known = codecs.lookup(encoding).name not in _NO_CHARSETS
    except (LookupError, ValueError, OSError):
        known = False
    if not known:
        raise ReadError(f"{path}: encoding {encoding!r} is not known; write for example 'cp1251'")


def _decode(path: Path, content: bytes, encoding: str | None) -> str:
    check_codec(path, encoding or "utf-8")
    try:
        return content.decode(encoding or "utf-8").lstrip("\ufeff")
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

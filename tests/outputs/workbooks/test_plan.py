"""The plan as a workbook: what is read back is what was in the tables, and text never becomes a formula."""

import zipfile

import numpy as np
import openpyxl
import pandas as pd
import pytest

from clearplan.core.errors import OutputError, TableError
from clearplan.core.reason import Reason
from clearplan.outputs.workbooks.plan import write_workplan
from tests.plans import plan, planned_of

MADE = plan()
SHEETS = ["Read first", "Strategies", "Places", "Work", "Teams", "Budgets"]
FORMULAS = ["=1+1", "+1", "-1", "@x", "\t=1+1", "=cmd|' /C calc'!A0"]


NOTES = ("=1+1", "Rates are illustrative.")


def written(folder, name="plan.xlsx", *, notice="Illustrative data. Fingerprint abc.", notes=NOTES, currency="USD",
            **changed):  # fmt: skip
    frames = MADE | changed
    planned = planned_of(frames, notes=notes, currency=currency)
    write_workplan(folder / name, planned, frames["tasks"], frames["zones"], notice=notice)
    return folder / name


def sheet(path, name):
    """Heads, and rows of values; between them is a row of hashtags."""
    return rows_of(openpyxl.load_workbook(path)[name])


def rows_of(page):
    heads, tags, *rows = page.iter_rows(values_only=True)
    assert tags[0].startswith("#")
    return list(heads), [list(row) for row in rows]


def column(path, name, head):
    heads, rows = sheet(path, name)
    at = next(k for k, told in enumerate(heads) if told.startswith(head))
    return [row[at] for row in rows]


def test_sheets_heads_and_filters(tmp_path):
    book = openpyxl.load_workbook(written(tmp_path))
    assert book.sheetnames == SHEETS
    first = [cell.value for cell in book["Read first"]["A"]]
    assert first[0] == "Plan of work"
    assert first[2:5] == ["Illustrative data. Fingerprint abc.", "=1+1", "Rates are illustrative."]
    assert "Sheet Work: which team works on which task in which period." in first
    for name in SHEETS[1:]:
        page = book[name]
        assert page.freeze_panes in ("B3", "C3")
        assert page.print_title_rows == "$1:$2"
        assert page.page_setup.orientation == "landscape"
        assert page.auto_filter.ref == f"A2:{page.cell(1, page.max_column).column_letter}{page.max_row}"
        assert all(page.column_dimensions[cell.column_letter].width >= 6 for cell in page[1])
    heads = sheet(tmp_path / "plan.xlsx", "Work")[0]
    assert [head for head in heads if "[" in head] == [
        "from, first day of the period [date]", "to, last day of the period [date]", "work [team-days]",
        "ground of the step [m2]", "cost [USD]",
    ]  # fmt: skip


def test_figures_read_back_are_those_of_the_tables(tmp_path):
    path = written(tmp_path)
    for name, head, table, source in (
        ("Strategies", "person-months at home", "comparison", "person_months"),
        ("Strategies", "cost", "comparison", "cost"),
        ("Places", "people", "zones", "people"),
        ("Places", "opens at", "zones", "opens_in"),
        ("Places", "chance", "zones", "probability"),
        ("Work", "work", "work", "days"),
        ("Work", "ground", "work", "m2"),
        ("Work", "step of", "work", "step"),
        ("Teams", "there are", "use", "available"),
        ("Budgets", "each million", "budgets", "per_million"),
        ("Budgets", "budget", "budgets", "budget"),
    ):
        values = MADE[table][source].astype(float)
        read = np.array([np.nan if v is None else v for v in column(path, name, head)], dtype=float)
        # XLSX keeps 16 digits.
        np.testing.assert_allclose(read, values.to_numpy(), rtol=1e-15, err_msg=f"{name} {head}")
    # Rows stand as in the tables, none is dropped; a zone that is not in the plan is there, without a day.
    assert column(path, "Work", "task") == MADE["work"]["task_id"].tolist()
    assert column(path, "Places", "id") == MADE["zones"]["zone_id"].tolist()
    days = pd.Series(pd.to_datetime(column(path, "Places", "opens on")))
    pd.testing.assert_series_equal(days, MADE["zones"]["opens_on"], check_names=False, check_dtype=False)
    assert column(path, "Work", "from") == MADE["work"]["starts_on"].dt.to_pydatetime().tolist()
    district = MADE["tasks"].set_index("task_id")["district"]
    assert column(path, "Work", "district") == [None if v != v else v for v in MADE["work"]["task_id"].map(district)]
    shares = MADE["use"]["days"] / MADE["use"]["available"].where(MADE["use"]["available"] > 0)
    assert column(path, "Teams", "share")[0] == pytest.approx(shares[0])
    assert [v is None for v in column(path, "Teams", "share")] == shares.isna().tolist()


def test_words_stand_where_a_million_is_too_close_to_call(tmp_path):
    budgets = MADE["budgets"].copy()
    budgets["note"] = [Reason("budget.too_close"), *[None] * (len(budgets) - 1)]
    budgets.loc[0, "per_million"] = np.nan
    path = written(tmp_path, budgets=budgets)
    assert column(path, "Budgets", "why not")[:2] == ["too close to call: below the proven gap", None]
    assert column(path, "Budgets", "each million")[0] is None


@pytest.mark.parametrize("text", FORMULAS)
def test_text_never_becomes_a_formula(tmp_path, text):
    zones = MADE["zones"].assign(name=text, why=text, sooner=text, last_tasks=text)
    work = MADE["work"].assign(team_id=text, task_id=text, step_name=text)
    tasks = pd.DataFrame({"task_id": [text], "district": [text]})
    path = written(tmp_path, zones=zones, work=work, tasks=tasks, comparison=MADE["comparison"].assign(strategy=text),
                   use=MADE["use"].assign(team_id=text), notice=text, notes=[text])  # fmt: skip
    seen = 0
    for page in openpyxl.load_workbook(path):
        for cell in (cell for row in page.iter_rows() for cell in row):
            assert cell.data_type != "f", (page.title, cell.coordinate)
            if cell.value == text:
                seen += 1
                assert cell.data_type == "s"
                assert cell.quotePrefix, (page.title, cell.coordinate)
    assert seen == 2 + 4 * len(zones) + 4 * len(work) + len(MADE["comparison"]) + len(MADE["use"])
    with zipfile.ZipFile(path) as parts:
        assert not any(b"<f>" in parts.read(name) or b"<f " in parts.read(name) for name in parts.namelist())


def test_the_same_tables_make_the_same_bytes_and_nothing_tells_the_clock(tmp_path):
    assert written(tmp_path, "a.xlsx").read_bytes() == written(tmp_path, "b.xlsx").read_bytes()
    properties = openpyxl.load_workbook(tmp_path / "a.xlsx").properties
    assert f"{properties.created:%Y-%m-%d}" == "2000-01-01"
    assert properties.title == "Plan of work"


def test_tables_without_chances_or_rows_and_of_large_plans(tmp_path):
    plain = MADE["zones"].drop(columns=["probability", "p50_on", "p80_on"])
    path = written(tmp_path, "plain.xlsx", zones=plain, work=MADE["work"].iloc[:0], budgets=None, currency="")
    assert openpyxl.load_workbook(path).sheetnames == SHEETS[:-1]
    heads, rows = sheet(path, "Work")
    assert rows == [] or all(v is None for v in rows[0])
    assert "cost [currency]" in heads
    assert not [head for head in sheet(path, "Places")[0] if "chance" in head or "draws" in head]
    large = plan(zones=40, teams=20, periods=40)
    path = written(tmp_path, "large.xlsx", **large)
    assert len(sheet(path, "Work")[1]) == len(large["work"])
    endless = MADE["zones"].assign(why="x" * 40_000)
    assert len(column(written(tmp_path, "long.xlsx", zones=endless), "Places", "why")[0]) == 32_767


def test_more_rows_than_a_sheet_holds_go_on_on_further_sheets(tmp_path, monkeypatch):
    whole = sheet(written(tmp_path, "whole.xlsx"), "Work")
    monkeypatch.setattr("clearplan.outputs.workbooks.writer._MOST_ROWS", 4)
    count = len(MADE["work"])
    path = written(tmp_path, "split.xlsx")
    names = ["Work", *(f"Work {k}" for k in range(2, -(-count // 4) + 1))]
    assert len(names) > 2
    book = openpyxl.load_workbook(path)
    assert [name for name in book.sheetnames if name.startswith("Work")] == names
    parts = [rows_of(book[name]) for name in names]
    # Heads and, below them, hashtags stand on each of them; rows are those of one sheet, in their order.
    assert all(heads == whole[0] for heads, _ in parts)
    hashtags = [[cell.value for cell in book[name][2]] for name in names]
    assert all(row == hashtags[0] and row[0].startswith("#") for row in hashtags)
    assert [row for _, rows in parts for row in rows] == whole[1]
    words = [cell.value for cell in book["Read first"]["A"] if cell.value]
    assert any(f"Sheets Work to {names[-1]}:" in line and f"hold {count:,} rows" in line for line in words)


def test_a_book_that_cannot_be_written_leaves_nothing(tmp_path):
    with pytest.raises(TableError, match="work has no column cost"):
        written(tmp_path, work=MADE["work"].drop(columns="cost"))
    with pytest.raises(OutputError, match=r"is no \.xlsx name"):
        written(tmp_path, "plan.xls")
    assert list(tmp_path.iterdir()) == []
    written(tmp_path)
    with pytest.raises(OutputError, match="exists already"):
        written(tmp_path)

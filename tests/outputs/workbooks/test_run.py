"""All of a run as one book: what is read back is what the run found, no row is lost, and text never runs."""

import zipfile
from xml.etree import ElementTree

import numpy as np
import openpyxl
import pandas as pd
import pytest

from clearplan.core.imprint import NOT_FOR_ENTRY
from clearplan.outputs.workbooks.provenance import quality_table, settings_table
from clearplan.outputs.workbooks.run import write_runbook
from clearplan.outputs.workbooks.writer import Sheet, write_book
from clearplan.priority.rank import criteria_of
from clearplan.read.files import read_raw
from clearplan.settings.base import told_settings
from clearplan.settings.land import FootprintSettings
from clearplan.settings.tasks import TaskSettings
from clearplan.study.outputs import book_tables, imprint_of
from clearplan.tables.check import fault, fault_table

SPACE = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
#: What spreadsheets run, link or make numbers and days of: marks of formulas, in full width too, DDE, links, and what
#: looks like a number or a day.
HOSTILE = [
    "=1+1", "+1+1", "-1+1", "@SUM(A1)", "\t=1", "\r=1", "＝1+1", "＋1", "－1", "＠x", "=cmd|' /C calc'!A0",
    "DDE(\"cmd\";\"/C calc\")", '=HYPERLINK("http://x","y")', "http://example.org", "mailto:a@example.org",
    "file:///etc/passwd", "internal:Sheet1!A1", "00123", "1E5", "12345678901234567890", "0x1F", "1/2", "2020-01-01",
    "TRUE", "#N/A", " ", "'5",
]  # fmt: skip
KINDS = ("text", "sentence", "whole", "number", "share", "degrees", "year", "day", "figure", "any")


def rows_of(path, name):
    """Heads and rows of a sheet as our own door reads them: the row of hashtags is passed by."""
    raw = read_raw(path, layer=name)
    assert [f for f in raw.faults if "hashtag" in f["rule"]] == []
    return raw.frame


def write_book_of(study, path):
    write_runbook(
        path,
        imprint_of(study),
        study.facts,
        project=study.project,
        run=study.run,
        tables=book_tables(study),
        planned=study.planned,
        dossier=study.dossier,
    )


@pytest.fixture(scope="module")
def book(sample, tmp_path_factory):
    study, _ = sample
    path = tmp_path_factory.mktemp("book") / "plan.xlsx"
    write_book_of(study, path)
    return study, path


def test_sheets_are_set_up_to_read_and_to_print(book):
    study, path = book
    pages = openpyxl.load_workbook(path)
    assert pages.sheetnames == [
        "Read first", "Summary", "Tasks", "Places", "Strategies", "Work", "Teams", "Budgets", "Bridge", "Ledger",
        "Obligations", "Remaining", "Released", "Milestones", "Planned release", "Data quality", "Sources", "Settings",
    ]  # fmt: skip
    first = " ".join(str(cell.value) for cell in pages["Read first"]["A"] if cell.value)
    for words in (*study.notes, NOT_FOR_ENTRY, study.run["fingerprint"]):
        assert words in first
    for page in pages.worksheets[1:]:
        assert page.freeze_panes is not None
        assert page.auto_filter.ref.endswith(f"{page.cell(1, page.max_column).column_letter}{page.max_row}")
        assert page.print_title_rows is not None
    for page in pages:
        assert (page.page_setup.orientation, page.page_setup.paperSize) == ("landscape", 9)
        assert page.sheet_properties.pageSetUpPr.fitToPage
        assert page.page_setup.fitToHeight == 0
        foot = page.oddFooter.left.text
        assert study.run["fingerprint"] in foot
        assert page.oddFooter.right.text == "&P / &N"


def test_tasks_have_rank_score_and_points_of_every_criterion(book):
    study, path = book
    told = rows_of(path, "Tasks").set_index("task")
    tasks = study.tasks.set_index("task_id")
    assert sorted(told.index) == sorted(tasks.index)
    assert set(told["queue"]) == {"survey", "clearance"}
    score = told["score [points of 100]"].to_numpy(float)
    np.testing.assert_allclose(score, tasks["score"].to_numpy(float)[tasks.index.get_indexer(told.index)], rtol=1e-15)
    points = [column for column in told.columns if "[points of 100]" in column and not column.startswith("score")]
    assert len(points) == len(criteria_of(study.tasks))
    np.testing.assert_allclose(told[points].astype(float).sum(axis=1), score, rtol=1e-12)
    ranked = told[told.filter(like="rank in its queue").iloc[:, 0].notna()]
    for _, own in ranked.groupby("queue", sort=False):
        assert own.iloc[:, 1].astype(int).is_monotonic_increasing


def test_every_deferred_row_and_every_fault_is_there(book):
    study, path = book
    told = rows_of(path, "Data quality")
    level, ident = told.iloc[:, 0], told["id of the row"]
    lost = study.hazards.loc[study.hazards["deferred"].notna(), "hazard_id"].tolist()
    assert lost == ["R-017", "R-034"]
    assert ident[level == "deferred"].tolist() == lost
    assert len(told) == len(lost) + len(study.faults)
    first = told.iloc[0]
    assert (first["file"], int(first.iloc[2]), first["column"], first["value as it stands"], first["remedy"]) == (
        "records.xlsx [legs]", 106, "bearing", "12-5O", "write the digit 0",
    )  # fmt: skip


def test_books_sources_and_settings_are_those_of_the_run(book):
    study, path = book
    for name, key in (("Ledger", "ledger"), ("Bridge", "bridge")):
        told = rows_of(path, name)
        assert len(told) == len(study.books[key])
        column = next(c for c in told.columns if c.startswith("- cancelled") or c.startswith("cancelled"))
        assert told[column].astype(float).sum() == pytest.approx(study.books[key]["cancelled_m2"].sum())
    sources = rows_of(path, "Sources")
    assert dict(zip(sources.iloc[:, 0], sources.iloc[:, 3], strict=True)) == study.run["inputs"]
    assert sources.iloc[0, 2] == "Natural Earth 4.0.0, Ceasefire Line 1994 (public domain)"
    assert sources.iloc[:, 1].notna().all()
    settings = rows_of(path, "Settings")
    assert settings["what it means"].notna().all()
    row = settings[(settings.iloc[:, 0] == "contact_line") & (settings["setting"] == "depth_max_m")].iloc[0]
    assert (row.iloc[2], row["unit"]) == (7000, "m")


def test_summary_says_what_the_run_found(book):
    study, path = book
    told = rows_of(path, "Summary").set_index("figure").iloc[:, 0]
    net = study.books["net_area"].groupby("land_class")[["reported_m2", "planning_m2"]].sum()
    for name in ("CHA", "SHA", "indication"):
        column = "planning_m2" if name == "indication" else "reported_m2"
        assert told[f"Remaining {name}"] == round(net.loc[name, column])
        assert told[f"Planning ground of {name}"] == round(net.loc[name, "planning_m2"])
    for who, count in (("already home", "already_home"), ("who wait", "waiting")):
        assert told[f"People {who}"] == study.run["people"][count]["known"]
        assert told[f"Places with an unknown number of people {who}"] == study.run["people"][count]["unknown"]
    assert told["Fingerprint"] == study.run["fingerprint"]
    assert told["By the best plan found: proven within"] == pytest.approx(100 * study.planned.schedule.gap)
    assert told["Rows that could not be used"] == 2


def test_the_same_run_makes_the_same_bytes(book, tmp_path):
    study, path = book
    write_book_of(study, tmp_path / "again.xlsx")
    assert (tmp_path / "again.xlsx").read_bytes() == path.read_bytes()


def cells(path, sheet=2):
    """Raw cells of a sheet: place to (type, text), with what XLSX itself holds, and whether any formula is there."""
    with zipfile.ZipFile(path) as parts:
        strings = [
            "".join(t.text or "" for t in item.iter(f"{SPACE}t"))
            for item in ElementTree.fromstring(parts.read("xl/sharedStrings.xml"))
        ]
        names = parts.namelist()
        page = ElementTree.fromstring(parts.read(f"xl/worksheets/sheet{sheet}.xml"))
    found = {}
    for cell in page.iter(f"{SPACE}c"):
        assert cell.find(f"{SPACE}f") is None
        kind, value = cell.attrib.get("t", "n"), cell.find(f"{SPACE}v")
        text = "" if value is None else value.text
        # XLSX writes a carriage return as _x000D_ (ECMA-376, part 1, 22.9.2.19).
        found[cell.attrib["r"]] = (kind, strings[int(text)].replace("_x000D_", "\r") if kind == "s" else text)
    assert page.find(f"{SPACE}hyperlinks") is None
    assert not [name for name in names if "externalLink" in name or "drawing" in name]
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_text_is_text_in_a_column_of_any_kind(tmp_path, kind):
    table = pd.DataFrame({"task_id": pd.Series(HOSTILE, dtype=object)})
    heads, kinds = {"task_id": "head [unit]"}, {"task_id": kind}
    sheets = {"t": Sheet("T", "t", "tasks", ["task_id"], heads=heads, kinds=kinds)}
    write_book(tmp_path / "a.xlsx", title="t", words=HOSTILE, tables={"t": table}, sheets=sheets, foot="&A & =1")
    found = cells(tmp_path / "a.xlsx")
    assert [found[f"A{k}"] for k in range(3, 3 + len(HOSTILE))] == [("s", text) for text in HOSTILE]
    assert (found["A1"], found["A2"]) == (("s", "head [unit]"), ("s", "#meta+id+task"))
    assert {kind for kind, _ in cells(tmp_path / "a.xlsx", 1).values()} <= {"s", "n"}


def test_numbers_stay_numbers_and_days_days(tmp_path):
    table = pd.DataFrame({
        "number": [-1.5, 0.0, 1e-9, 1e21], "whole": pd.array([-3, None, 5, 2**40], dtype="Int64"),
        "day": pd.to_datetime(["2020-11-10", None, "1969-07-20", "2100-12-31"]),
        "any": pd.Series([-2, "−2", pd.Timestamp("2020-11-10"), True], dtype=object),
        "figure": pd.Series([7, 2.5, float("nan"), float("inf")], dtype=object),
    })  # fmt: skip
    kinds = {kind: kind for kind in table.columns}
    sheet = Sheet("T", "t", "", list(kinds), heads=kinds, kinds=kinds, tagged=False)
    write_book(tmp_path / "a.xlsx", title="t", words=[], tables={"t": table}, sheets={"t": sheet})
    found = cells(tmp_path / "a.xlsx")
    assert [found[f"A{k}"] for k in range(2, 6)] == [("n", "-1.5"), ("n", "0"), ("n", "1E-09"), ("n", "1E+21")]
    assert [found.get(f"B{k}") for k in range(2, 6)] == [("n", "-3"), None, ("n", "5"), ("n", "1099511627776")]
    # Day 1 of XLSX is 1900-01-01, and it counts a 29 February 1900: 2020-11-10 is day 44145.
    assert [found.get(f"C{k}") for k in range(2, 6)] == [("n", "44145"), None, ("n", "25404"), ("n", "73415")]
    assert [found[f"D{k}"] for k in range(2, 6)] == [("n", "-2"), ("s", "−2"), ("n", "44145"), ("s", "True")]
    assert [found.get(f"E{k}") for k in range(2, 6)] == [("n", "7"), ("n", "2.5"), None, ("s", "inf")]
    formats = [openpyxl.load_workbook(tmp_path / "a.xlsx")["T"][f"{c}2"].number_format for c in "ABCDE"]
    assert formats == ["#,##0.0", "#,##0", "yyyy-mm-dd", "General", "#,##0"]


def test_deferred_rows_find_their_faults_where_only_one_can_be_meant():
    faults = fault_table([
        fault("a.csv", 3, "people", "x", "must be a number", "error", "write digits only"),
        fault("b.csv", 4, "name", "", "must not be blank", "error", "fill it in"),
        fault("b.csv", 9, "name", "", "must not be blank", "error", "fill it in"),
        fault("c.csv", None, "", "", "odd", "warning", "none"),
    ])  # fmt: skip
    zones = pd.DataFrame({
        "zone_id": ["Z1", "Z2", "Z3"], "source": "s",
        "deferred": ["people: must be a number", "name: must not be blank", None],
    })  # fmt: skip
    told = quality_table(faults, {"zones": zones})
    assert told["level"].tolist() == ["deferred", "deferred", "error", "error", "error", "warning"]
    assert told.loc[0, ["file", "row", "value", "id"]].tolist() == ["a.csv", 3, "x", "Z1"]
    assert pd.isna(told.loc[1, "file"])  # row 4 or row 9: not guessed
    assert told.loc[1, "rule"] == "name: must not be blank"


def test_settings_are_told_with_unit_and_meaning():
    model = TaskSettings(
        influence_m=1000, max_task_ha={"survey": 110, "clearance": 26}, min_task_m2=500, join_within_m=50
    )
    told = {row.setting: row for row in told_settings(model, model.model_dump(mode="json"), "tasks")}
    assert {name: row.unit for name, row in told.items()} == {
        "influence_m": "m",
        "max_task_ha": "ha",
        "min_task_m2": "m2",
        "join_within_m": "m",
        "home_m": "m",
    }
    table = settings_table(model, model.model_dump(mode="json")).set_index("setting")["value"]
    assert table["influence_m"] == 1000.0
    assert table["max_task_ha"] == '{"survey": 110.0, "clearance": 26.0}'
    margins = FootprintSettings(margin_m={"AP": 10, "AV": 20, "mixed": 20, "CMR": 0, "unknown": 0}, strike_radius_m=300)
    assert all(row.meaning for row in told_settings(margins, margins.model_dump(mode="json")))


def test_a_run_without_plan_treaty_and_bridge_has_a_book_too(sample, tmp_path):
    from dataclasses import replace

    study, _ = sample
    books = {name: table for name, table in study.books.items() if name != "bridge"}
    zones = study.zones.drop(columns=["opens_in", "opens_on", "waits_for", "last_tasks", "why", "sooner", "probability",
                                      "p50_on", "p80_on"])  # fmt: skip
    tables = dict(study.tables) | {"zones": zones}
    bare = replace(study, planned=None, dossier=None, books=books, tables=tables, faults=study.faults.iloc[:0])
    write_book_of(bare, tmp_path / "plan.xlsx")
    assert openpyxl.load_workbook(tmp_path / "plan.xlsx").sheetnames == [
        "Read first", "Summary", "Tasks", "Places", "Ledger", "Data quality", "Sources", "Settings",
    ]  # fmt: skip
    assert len(rows_of(tmp_path / "plan.xlsx", "Data quality")) == 2

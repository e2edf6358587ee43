"""One declaration of every column: what a run writes is declared, holds to its declaration, and is headed by it."""

import csv
from dataclasses import replace

import openpyxl
import pandas as pd
import pyogrio
import pytest

from clearplan.outputs.workbooks.plan import work_sheets
from clearplan.outputs.workbooks.run import run_sheets
from clearplan.outputs.workbooks.treaty import treaty_sheets
from clearplan.priority.rank import criteria_of, meaning_of
from clearplan.tables.books import BOOKS
from clearplan.tables.check import check
from clearplan.tables.codes import CODE_LISTS
from clearplan.tables.columns import Column, heading, kind_of
from clearplan.tables.inputs import INPUTS
from clearplan.tables.lookup import EVERYWHERE, TABLES, base_columns, column_of, declared
from clearplan.tables.record_sheets import RECORD_TABLES
from clearplan.tables.results import RESULTS

#: Columns of the sample's own files, which clearplan knows nothing of; a door keeps what it replaced as <name>_entered.
OF_THE_FILES = {"hazards": {"name", "class_", "length_km", "place", "struck_on", "source_entered"}}
#: The declared table of each table of figures that a run writes as a file of its own.
CSV = {"tasks": "tasks", "ledger": "ledger", "bridge": "bridge", "work": "work", "blockers": "blockers",
       "surveys": "surveys", "accidents": "accident_counts"}  # fmt: skip


def sheets_of(study):
    """Every sheet that a run can have, by its title."""
    dossier = study.dossier
    sheets = run_sheets(study.tasks, currency="USD") | work_sheets("USD")
    sheets |= treaty_sheets(dossier)
    return {sheet.name: sheet for sheet in sheets.values()}


def test_every_column_that_a_run_writes_is_declared(sample):
    _, folder = sample
    for layer, _ in pyogrio.list_layers(folder / "plan.gpkg"):
        if layer != "layer_styles":  # a table of the format, not of clearplan
            names = set(pyogrio.read_info(folder / "plan.gpkg", layer=layer)["fields"])
            undeclared = {name for name in names if declared(layer, name) is None}
            assert undeclared == OF_THE_FILES.get(layer, set()), layer
    files = sorted(folder.glob("*.csv"))
    assert {path.stem for path in files} == set(CSV) - {"accidents"}
    for path in files:
        with path.open(encoding="utf-8", newline="") as lines:
            heads = next(csv.reader(lines))
        assert [name for name in heads if declared(CSV[path.stem], name) is None] == [], path.name


@pytest.mark.parametrize("name", ["plan.xlsx", "treaty.xlsx"])
def test_every_sheet_shows_declared_columns_under_their_declared_heads(sample, name):
    study, folder = sample
    sheets = sheets_of(study)
    criteria = {f"c_{name}_{part}" for name in criteria_of(study.tasks) for part in ("points", "raw")}
    for page in openpyxl.load_workbook(folder / name).worksheets[1:]:
        sheet = sheets[page.title]
        assert [column for column in sheet.columns if declared(sheet.table, column) is None] == [], page.title
        # Criteria alone are headed in the plan's own words.
        assert set(sheet.heads) == (criteria if page.title == "Tasks" else set())
        heads = [sheet.heads.get(c) or heading(column_of(sheet.table, c), sheet.currency) for c in sheet.columns]
        written = [cell.value for cell in page[1]]
        assert [head for head in heads if head in written] == written, page.title
        may_lack = {head for c, head in zip(sheet.columns, heads, strict=True) if c in sheet.may_lack}
        assert set(heads) - set(written) <= may_lack, page.title
    for criterion in criteria_of(study.tasks):
        label = meaning_of(study.tasks, criterion).label
        assert sheets["Tasks"].heads[f"c_{criterion}_points"] == f"{label} [points of 100]"


def test_every_table_of_a_run_holds_to_its_declaration(sample):
    study, _ = sample
    planned, dossier = study.planned, study.dossier
    tables = {**study.books, **dossier.tables, "obligations": dossier.obligations, "budgets": planned.budgets,
              "use": planned.judgement.use, "work": planned.schedule.work, "blockers": planned.case.blockers,
              "areas": study.areas, "tasks": study.tasks, "zones": study.zones,
              "record_points": pd.concat([reading.vertices for reading in study.records], ignore_index=True),
              "record_versions": pd.concat([reading.versions for reading in study.records], ignore_index=True),
              "strategies": planned.comparison}  # fmt: skip
    for name, table in tables.items():
        faults = check(table, name)
        assert len(faults) == 0, faults.to_string()
        assert [column for column in table.columns if declared(name, column) is None] == [], name
        units = {column: column_of(name, column).unit for column in table.columns}
        assert [column for column, unit in units.items() if column.endswith("_m2") and unit != "m2"] == [], name
        # Numbers are declared as numbers, days as days: so they are typed in every file.
        for column in table.columns.drop("geometry", errors="ignore"):
            dtype = column_of(name, column).dtype
            if pd.api.types.is_datetime64_any_dtype(table[column]):
                assert dtype == "date", (name, column)
            elif pd.api.types.is_numeric_dtype(table[column]) and not pd.api.types.is_bool_dtype(table[column]):
                assert dtype in ("number", "integer"), (name, column)


def test_a_table_of_another_declaration_breaks_it():
    work = pd.DataFrame({column.name: ["x"] for column in base_columns("work")})
    faults = check(work, "work")
    rules = set(zip(faults["column"], faults["rule"], strict=True))
    assert {(name, "must be a number") for name in ("step", "period", "days", "m2", "cost")} <= rules
    assert {("starts_on", "must be a date"), ("ends_on", "must be a date")} <= rules
    assert any(column == "kind" and rule.startswith("must be one of") for column, rule in rules)


def test_declarations_are_complete_and_each_stands_once():
    assert set(TABLES) == {*INPUTS, *RECORD_TABLES, *RESULTS, *BOOKS}
    assert len(TABLES) == len(INPUTS) + len(RECORD_TABLES) + len(RESULTS) + len(BOOKS)
    for table, columns in {**TABLES, "everywhere": EVERYWHERE}.items():
        names = [column.name for column in columns]
        assert len(names) == len(set(names)), table
        for column in columns:
            where = f"{table}.{column.name}"
            assert column.meaning, where
            assert column.codes is None or column.codes in CODE_LISTS, where
            assert kind_of(column), where
            assert "[" not in column.head, f"{where}: the unit is added to its heading"
            # What a stage adds is not there before it.
            assert not (column.stage and column.required), where
        tags = [column.tag for column in columns if column.tag]
        assert len(tags) == len(set(tags)), table


def test_headings_have_units_of_the_declaration_and_the_currency_of_the_plan():
    assert heading(column_of("work", "cost"), "AZN") == "cost [AZN]"
    assert heading(column_of("work", "cost")) == "cost [currency]"
    assert heading(column_of("budgets", "per_million"), "USD").endswith("[person-months per million USD]")
    assert heading(column_of("zones", "opens_on")) == "opens on [date]"
    assert heading(column_of("use", "share")) == "share used [%]"
    assert heading(column_of("released", "items_AP")) == "AP found; blank: not stated [items]"
    assert [kind_of(column_of("zones", name)) for name in ("name", "people", "opens_on", "probability", "lon")] == [
        "text", "whole", "day", "share", "degrees",
    ]  # fmt: skip
    assert kind_of(replace(column_of("work", "m2"), shown="exact")) == "exact"


def test_a_shared_column_is_one_object_wherever_it_means_the_same():
    assert column_of("work", "kind") is column_of("use", "kind") is column_of("milestones", "kind")
    assert column_of("tasks", "recorded_on") is column_of("zones", "recorded_on")
    # A tier that differs is the only thing that differs.
    assert replace(column_of("hazards", "source"), leaves="partner") == column_of("zones", "source")
    assert isinstance(declared("tasks", "c_user_raw"), Column)
    assert declared("tasks", "c_user_unknown") is None

"""HXL hashtags of the exports, held against the published standard; and our own doors, which pass them by."""

import csv
import re
from pathlib import Path

import openpyxl
import pandas as pd
import pytest
import xlsxwriter

from clearplan.outputs.gis.geopackage import write_table
from clearplan.read.files import read_raw
from clearplan.read.readers import read_zones
from clearplan.tables.hxl import CORE, tag_of, tag_row
from clearplan.tables.lookup import EVERYWHERE, TABLES, base_columns

#: Core hashtags with status "Released" and release 1.0 or 1.1 in the HXL core schema
#: (https://data.humdata.org/dataset/hxl-core-schemas), and #modality, which the dictionary of 1.1 has.
PUBLISHED = [
    "access", "activity", "adm1", "adm2", "adm3", "adm4", "adm5", "affected", "beneficiary", "capacity", "cause",
    "channel", "contact", "country", "crisis", "currency", "date", "description", "event", "frequency", "geo",
    "group", "impact", "indicator", "inneed", "item", "loc", "meta", "modality", "need", "operations", "org",
    "output", "population", "reached", "region", "respondee", "sector", "service", "severity", "status",
    "subsector", "targeted", "value",
]  # fmt: skip
#: Core attributes and the hashtags that they are meant for, from the same schema; those that our tags use.
ATTRIBUTES = {
    "approved": "date", "bounds": "geo", "budget": "value", "code": "loc org", "end": "date", "hh": "affected",
    "id": "meta", "impl": "org", "ind": "affected reached", "lat": "geo", "lon": "geo",
    "name": "adm1 loc activity service severity modality", "num": "indicator capacity output", "occurred": "date",
    "reported": "date", "source": "meta", "start": "date",
    "type": "event activity org cause service access",
}  # fmt: skip
#: Tagging conventions 1.1: a hashtag, then attributes, letters, digits and underscores, beginning with a letter.
SYNTAX = re.compile(r"#[A-Za-z][A-Za-z0-9_]*(\s*\+[A-Za-z][A-Za-z0-9_]*)*")


def independent(path):
    """Headers, tags and rows of a CSV by the tagging conventions: the first of 25 rows that holds only hashtags."""
    with Path(path).open(encoding="utf-8", newline="") as lines:
        rows = list(csv.reader(lines))
    for k, row in enumerate(rows[:25]):
        told = [cell.strip() for cell in row if cell.strip()]
        if told and all(SYNTAX.fullmatch(cell) for cell in told):
            return rows[k - 1], row, rows[k + 1 :]
    raise AssertionError("no row of hashtags")


def every_tag():
    many = [tag_of(name, "tasks") for name in ("c_people_points", "c_people_zones", "c_people_raw")]
    once = {c.tag for columns in (*TABLES.values(), EVERYWHERE) for c in columns if "{}" not in c.name}
    return sorted({*once, *many, tag_of("items_AP", "released")} - {""})


def test_core_hashtags_are_those_of_the_standard():
    assert sorted(CORE) == PUBLISHED


@pytest.mark.parametrize("tag", every_tag())
def test_every_tag_is_one_by_the_published_rules(tag):
    assert SYNTAX.fullmatch(tag)
    hashtag, *attributes = tag.removeprefix("#").split("+")
    assert hashtag in PUBLISHED
    assert len(attributes) == len(set(attributes))
    for name in set(attributes) & set(ATTRIBUTES):
        assert hashtag in ATTRIBUTES[name].split(), f"+{name} is not meant for #{hashtag}"


def test_every_column_of_the_exports_has_a_tag(sample):
    study, folder = sample
    for name, table in (("tasks", study.tasks), ("ledger", study.books["ledger"]), ("bridge", study.books["bridge"]),
                        ("work", study.planned.schedule.work), ("blockers", study.planned.case.blockers)):  # fmt: skip
        columns = [c for c in table.columns if c not in ("geometry", "deferred")]
        assert [c for c in columns if not tag_of(c, name)] == [], name
        heads, tags, rows = independent(folder / f"{name}.csv")
        assert set(columns) <= set(heads)
        assert tags == [tag_of(head, name) for head in heads]
        assert len(rows) == len(table)
        # The same tag twice in one table would make two columns one.
        assert len({tag for tag in tags if tag}) == len([tag for tag in tags if tag]), name


def test_places_people_and_days_have_the_tags_that_others_look_for():
    assert tag_row(["name", "people", "lat", "lon", "recorded_on"], "zones") == [
        "#loc+name", "#affected+ind", "#geo+lat", "#geo+lon", "#date+reported",
    ]  # fmt: skip
    assert tag_of("district", "tasks") == tag_of("district", "ledger") == "#adm1+name"
    assert tag_of("zone_id", "zones").startswith("#loc")
    assert tag_of("task_id", "tasks").startswith("#meta+id")
    # Declared columns of the tables that people exchange.
    for table in ("zones", "tasks", "work", "blockers", "accidents", "releases", "teams"):
        names = [c.name for c in base_columns(table) if c.dtype != "geometry"]
        untagged = [name for name in names if not tag_of(name, table)]
        assert set(untagged) <= {"after", "season", "work_id"}, (table, untagged)


def test_an_export_is_read_back_by_our_own_door(tmp_path):
    rows = {"task_id": ["=1+1", "00123", "'-5"], "district": ["@x", "Aghdam", "＝1"], "days": [-1.5, 2.0, 1e21],
            "starts_on": pd.to_datetime(["2026-01-01"] * 3)}  # fmt: skip
    table = pd.DataFrame(rows)
    write_table(table, tmp_path / "work.csv", notice="n", name="work")
    raw = read_raw(tmp_path / "work.csv")
    assert raw.faults == []
    assert raw.rows == [3, 4, 5]
    assert raw.frame["task_id"].tolist() == rows["task_id"]
    assert raw.frame["district"].tolist() == rows["district"]
    assert raw.frame["days"].astype(float).tolist() == rows["days"]
    text = (tmp_path / "work.csv").read_text(encoding="utf-8").splitlines()
    assert text[1] == "#meta+id+task,#adm1+name,#capacity+num+team_days,#date+start,#meta+notice"
    assert text[2] == "'=1+1,'@x,-1.5,2026-01-01,n"  # a number may be negative, text may not begin like a formula


def sheet(path, rows):
    book = xlsxwriter.Workbook(str(path))
    page = book.add_worksheet()
    for k, row in enumerate(rows):
        page.write_row(k, 0, row)
    book.close()
    assert openpyxl.load_workbook(path).worksheets[0].max_row == len(rows)
    return path


def written(path, rows):
    if path.suffix == ".xlsx":
        return sheet(path, rows)
    path.write_text("\n".join(",".join(map(str, row)) for row in rows) + "\n", encoding="utf-8")
    return path


HEADS = ["zone_id", "name", "people"]


@pytest.mark.parametrize("suffix", [".csv", ".xlsx"])
def test_a_row_of_hashtags_is_passed_by_and_rows_keep_their_numbers(tmp_path, suffix):
    path = written(tmp_path / f"a{suffix}", [HEADS, ["#meta+id", "", "#affected +ind"], ["Z1", "Aghdam", 5]])
    raw = read_raw(path)
    assert raw.faults == []
    assert raw.rows == [3]
    assert raw.frame["name"].tolist() == ["Aghdam"]


@pytest.mark.parametrize("suffix", [".csv", ".xlsx"])
@pytest.mark.parametrize(
    ("rows", "row", "rule"),
    [
        ([["#1", "#north", ""], ["Z1", "x", 5]], 2, "HXL hashtags, or data?"),
        ([["#alpha", "#beta", ""], ["Z1", "x", 5]], 2, "HXL hashtags, or data?"),
        ([["Z1", "x", 5], ["#meta+id", "#loc+name", "#affected"]], 3, "below the first row of data"),
    ],
)
def test_what_may_be_hashtags_or_data_is_kept_and_is_a_fault(tmp_path, suffix, rows, row, rule):
    raw = read_raw(written(tmp_path / f"a{suffix}", [HEADS, *rows]))
    assert len(raw.frame) == 2
    (fault,) = raw.faults
    assert (fault["row"], fault["level"]) == (row, "error")
    assert rule in fault["rule"]


@pytest.mark.parametrize("cells", [["#1", "Aghdam", 5], ["Z1", "#loc+name", 5]])
def test_a_mark_in_one_cell_is_data(tmp_path, cells):
    raw = read_raw(written(tmp_path / "a.csv", [HEADS, cells]))
    assert len(raw.frame) == 1
    assert raw.faults == []


def test_zones_are_read_from_a_file_with_hashtags(tmp_path):
    path = tmp_path / "zones.csv"
    path.write_text(
        "zone_id,name,people,longitude,latitude,position_error_m,source\n"
        "#loc+code,#loc+name,#affected+ind,#geo+lon,#geo+lat,,#meta+source\nZ1,Aghdam,12,46.93,39.99,50,s\n",
        encoding="utf-8",
    )
    zones = read_zones(path, crs="EPSG:4326")
    assert zones["people"].tolist() == [12]

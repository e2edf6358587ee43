"""Cells as other software writes them: what is read, what is said, through the check of a file and through a run."""

import datetime as dt
from decimal import Decimal

import geopandas as gpd
import numpy as np
import openpyxl
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import clearplan as cp
from clearplan.core.errors import FaultsError, ReadError
from clearplan.read.cells import FormattedNumber, days_in, is_blank, numbers_in, texts_in
from clearplan.read.files import read_raw
from tests.study.test_run import make_project

HEAD = "zone_id,name,people,planned_return,position_error_m,source,lon,lat\n"


def rules(slips):
    return [slip.rule for slip in slips]


@pytest.mark.parametrize("blank", [None, np.nan, pd.NaT, pd.NA, "", "  ", "\u00a0", float("nan"), Decimal("NaN")])
def test_every_blank_is_unknown(blank):
    assert is_blank([blank]).all()
    assert np.isnan(numbers_in([blank])[0][0])
    assert days_in([blank])[0] == [None]
    assert texts_in([blank], exact=True)[0] == [None]
    assert numbers_in([blank])[1] == days_in([blank])[1] == texts_in([blank])[1] == []


@pytest.mark.parametrize("text", ["12 5", "5 0", "1 0000", "12 500 5", "1\u00a02"])
def test_a_space_between_digits_that_are_no_thousands_is_said(text):
    numbers, slips = numbers_in([text, "7"])
    assert np.isnan(numbers[0])
    assert numbers[1] == 7
    assert rules(slips) == ["number holds a space"]


@pytest.mark.parametrize(
    ("text", "number"), [("12 500", 12_500), ("1\u202f250\u202f000", 1_250_000), ("12 500.5", 12_500.5)]
)
def test_spaces_between_thousands_are_read(text, number):
    assert numbers_in([text])[0].tolist() == [number]


@pytest.mark.parametrize("cell", ["1e3", "2E+5", "1.5e2"])
def test_a_power_of_ten_is_no_whole_number(cell):
    assert rules(numbers_in([cell], integer=True)[1]) == ["whole number is written as a power of ten"]
    assert numbers_in([cell])[0].tolist() == [float(cell)]


@pytest.mark.parametrize("cell", [2**53 + 1, str(2**53 + 1), Decimal(2**53 + 1), -(2**60) - 1])
def test_a_number_whose_last_digit_would_be_lost_is_said(cell):
    assert rules(numbers_in([cell, None])[1]) == ["number has more digits than can be kept"]
    assert numbers_in([2**53])[0].tolist() == [2**53]
    assert texts_in([cell], exact=True)[0] == [str(cell)]  # as an id every digit is there


@pytest.mark.parametrize("error", ["#N/A", "#REF!", "#div/0!"])
def test_errors_of_spreadsheets_are_neither_text_nor_blank(error):
    for values, slips in (numbers_in([error]), days_in([error]), texts_in([error]), texts_in([error], exact=True)):
        assert pd.isna(values[0])
        assert rules(slips) == [f"cell holds the spreadsheet's error {error}"]


@pytest.mark.parametrize(
    "cell", ["2020-10-03 to 2020-10-09", "2020-10-03 ?", "03.10.2020 approx", "2020/10/03 or 04", "2020-10-03T"]
)
def test_text_after_a_date_is_said(cell):
    days, slips = days_in([cell])
    assert days == [None]
    assert "follows the date" in slips[0].rule


@pytest.mark.parametrize(
    "cell",
    [
        "2020-10-02T20:00:00Z",
        "2020-10-02 23:00:00+03:00",
        dt.datetime(2020, 10, 2, 20, tzinfo=dt.UTC),
        1_601_668_800_000,
        pd.Timestamp("2020-10-02 20:00", tz="UTC"),
    ],
)
def test_a_moment_becomes_a_day_in_the_zone_of_its_source(cell):
    assert days_in([cell], time_zone="Asia/Baku")[0] == [dt.date(2020, 10, 3)]
    days, slips = days_in([cell])
    assert days == [None]
    assert slips[0].level == "repairable"
    assert "set time_zone" in slips[0].remedy


def test_a_moment_at_midnight_of_its_own_zone_is_a_day():
    for cell in ("2020-10-03T00:00:00+04:00", pd.Timestamp("2020-10-03", tz="Asia/Baku")):
        assert days_in([cell]) == ([dt.date(2020, 10, 3)], [])


@pytest.mark.parametrize("cell", ["2020-10-03T22:30:00", "2020-10-03 08:00", dt.datetime(2020, 10, 3, 1, 5)])
def test_a_time_of_day_without_a_zone_is_said(cell):
    days, slips = days_in([cell, None])
    assert days == [dt.date(2020, 10, 3), None]
    assert [slip.level for slip in slips] == ["warning"]
    assert "nobody states its zone" in slips[0].rule


@pytest.mark.parametrize("texts", [["13/10/2020"], ["13/10/2020", "03/10/2020"], ["10/13/2020"]])
def test_a_column_that_a_spreadsheet_half_converted_is_said_and_no_day_of_it_is_read(texts):
    days, slips = days_in([dt.datetime(2020, 3, 10), *texts], "mdy" if texts == ["10/13/2020"] else "dmy")
    assert days == [None] * (1 + len(texts))
    assert any("is a date and" in slip.rule and repr(texts[0]) in slip.rule for slip in slips)


def test_two_rows_that_contradict_each_other_are_named():
    days, slips = days_in(["13/10/2020", "10/14/2020"])
    assert days == [None, None]
    assert "in '13/10/2020' the day comes first, in '10/14/2020' the month" in rules(slips)[0]


@pytest.mark.parametrize("day", ["9999-12-31", "2099-01-01", dt.date(2100, 1, 1)])
def test_days_that_mark_the_unknown_are_warned_of(day):
    assert [slip.level for slip in days_in([day])[1]] == ["warning"]


@pytest.mark.parametrize("number", [2_147_483_647, -9999, 65_535])
def test_numbers_that_mark_the_unknown_are_warned_of(number):
    assert [slip.level for slip in numbers_in([number], integer=True)[1]] == ["warning"]


@pytest.mark.parametrize(
    ("text", "letters"), [("\u0421HA", "\u0421 (Cyrillic)"), ("A\u0420", "\u0420 (Cyrillic)"), ("H\u0391", "(Greek)")]
)
def test_letters_of_two_alphabets_are_named(text, letters):
    _, slips = texts_in([text], exact=True)
    assert letters in slips[0].rule


@pytest.mark.parametrize("hidden", ["\u200b", "\u00ad", "\ufeff", "\u2060"])
def test_invisible_characters_are_named_and_ids_read_without(hidden):
    texts, slips = texts_in([f"H{hidden}2"], exact=True)
    assert texts == ["H2"]
    assert f"U+{ord(hidden):04X}" in slips[0].rule


def test_an_invisible_character_is_a_repair_of_each_row_that_holds_it():
    texts, slips = texts_in(["H\u200b2", "H2", "H\u200b2", None], exact=True)
    assert texts == ["H2", "H2", "H2", None]
    assert [(slip.at, slip.level) for slip in slips] == [(0, "repairable"), (2, "repairable")]


@pytest.mark.parametrize(
    "text", ["A\u00c4\u0178dam", "\u0420\u0452\u0420\u0456\u0420\u0491\u0420\u00b0\u0420\u0458", "A\ufffddam", "?????"]
)
def test_text_that_was_decoded_wrongly_is_warned_of(text):
    assert [slip.level for slip in texts_in([text])[1]] == ["warning"]


@pytest.mark.parametrize(
    "text", ["A\u011fdam", "\u0410\u0433\u0434\u0430\u043c", "Հայերեն", "Füzuli", "really?", "São"]
)
def test_text_that_is_right_is_not_warned_of(text):
    assert texts_in([text])[1] == []


@given(st.lists(st.one_of(st.none(), st.text(max_size=12), st.floats(), st.integers(), st.dates(), st.booleans())))
def test_no_cell_is_dropped_and_none_ends_in_an_error(cells):
    for read in (numbers_in, days_in, texts_in):
        values, slips = read(cells)
        assert len(values) == len(cells)
        said = {slip.at for slip in slips}
        for k, blank in enumerate(is_blank(cells)):
            lost = pd.isna(values[k]) and not blank and not (isinstance(cells[k], float) and np.isnan(cells[k]))
            assert not lost or k in said or any(slip.level == "repairable" for slip in slips)


# --- through the check of a file, and through a run


def through_both(folder, text, **source):
    """Rules that the check of zones.csv names; a run of a project with that file must say the same."""
    path = folder / "zones.csv"
    path.write_text(text, encoding="utf-8")
    settings = {"path": "zones.csv", "crs": "EPSG:4326"} | source
    faults = cp.check_file(path, "zones", region=(46.5, 39.5, 47.5, 40.5), **{"crs": "EPSG:4326"} | source)
    try:
        study = cp.run_study(folder / "plan.toml", change={"zones": [settings]})
        in_run = study.faults[study.faults["file"] == "zones.csv"]
    except FaultsError as error:
        in_run, study = error.faults, None
    assert in_run["rule"].tolist() == faults["rule"].tolist()
    return faults, study


@pytest.mark.parametrize(
    ("cell", "column", "words"),
    [
        ("12 5", "people", "number holds a space"),
        ("#N/A", "people", "spreadsheet's error"),
        ("9007199254740993", "people", "more digits"),
        ("2027-05-01 or 06", "planned_return", "follows the date"),
        ("2027-05-01T20:00:00Z", "planned_return", "set time_zone"),
        ("03/05/2027", "planned_return", "3 May or 5 March"),
    ],
)
def test_check_and_run_refuse_the_same_cells(tmp_path, cell, column, words):
    row = {"people": "120", "planned_return": ""} | {column: cell}
    text = f"{HEAD}Z1,North,{row['people']},{row['planned_return']},50,s,46.945,40.005\n"
    faults, study = through_both(make_project(tmp_path), text)
    assert study is None
    assert words in " ".join(faults["rule"] + "; " + faults["remedy"])
    assert faults["column"].tolist() == [column]


def test_a_zone_makes_the_day_of_check_and_run(tmp_path):
    text = f"{HEAD}Z1,North,120,2027-04-30T20:00:00Z,50,s,46.945,40.005\n"
    _, study = through_both(make_project(tmp_path), text, time_zone="Asia/Baku")
    assert study.zones["planned_return"].tolist() == [pd.Timestamp("2027-05-01")]


@pytest.mark.parametrize("mark", [",", ";", "\t", "|"])
def test_the_delimiter_is_found_from_the_first_rows(tmp_path, mark):
    rows = [
        "zone_id,name,people,position_error_m,source,lon,lat",
        "Z1,North,120,50,s,46.945,40.005",
        "Z2,South,,50,s,46.9,40",
    ]
    text = "\n".join(row.replace(",", mark) for row in rows) + "\n"
    if mark == ";":
        text = text.replace("North", "North, by the road")
    _, study = through_both(make_project(tmp_path), text)
    assert study.zones["people"].tolist()[0] == 120
    assert len(study.zones) == 2


@pytest.mark.parametrize(
    ("form", "number", "shown"),
    [
        ("0000", 7, "0007"),
        ('"MF-"0000', 7, "MF-0007"),
        ('0000"/20"', 12, "0012/20"),
        ("General", 7, "7"),
        ("0", 7, "7"),
    ],
)
def test_ids_of_a_sheet_are_what_it_shows(tmp_path, form, number, shown):
    book = openpyxl.Workbook()
    page = book.active
    page.append(["zone_id", "name", "people", "position_error_m", "source", "lon", "lat"])
    page.append([number, "North", 120, 50, "s", 46.945, 40.005])
    page["A2"].number_format = form
    book.save(tmp_path / "z.xlsx")
    zones = cp.read_zones(tmp_path / "z.xlsx", crs="EPSG:4326", region=(46.5, 39.5, 47.5, 40.5))
    assert zones["zone_id"].tolist() == [shown]
    assert zones["people"].tolist() == [120]


def test_an_id_whose_format_is_not_known_or_that_is_a_date_is_said():
    numbers = [FormattedNumber(7, None, "[>9]0;00"), dt.datetime(2020, 3, 12)]
    texts, slips = texts_in(numbers, exact=True)
    assert texts == [None, None]
    assert "can't be rendered" in slips[0].rule
    assert "turned an id into one" in slips[1].rule


@pytest.mark.parametrize(
    ("text", "words"),
    [("\n" + HEAD + "Z1,N,1,,5,s,46.9,40\n", "row 1: is blank"), ("id\n1,2\n", "has 2 cells, the header 1")],
)
def test_heads_that_are_none_are_named(tmp_path, text, words):
    (tmp_path / "z.csv").write_text(text)
    with pytest.raises(ReadError, match=words):
        cp.read_zones(tmp_path / "z.csv", crs="EPSG:4326")


@pytest.mark.parametrize("around", [("\ufeff\ufeff", ""), ("", "\x1a"), ("\ufeff", "\r\n\x1a")])
def test_marks_of_other_systems_round_a_text_are_no_data(tmp_path, around):
    text = around[0] + HEAD + "Z1,North,120,,50,s,46.945,40.005\n" + around[1]
    _, study = through_both(make_project(tmp_path), text)
    assert study.zones["zone_id"].tolist() == ["Z1"]


def test_whole_numbers_beside_blanks_stay_exact_in_every_format(tmp_path):
    large = 2**53 + 1
    frame = gpd.GeoDataFrame(
        {"zone_id": pd.array([large, None], dtype="Int64"), "name": ["a", "b"]},
        geometry=gpd.points_from_xy([46.9, 46.91], [40, 40]),
        crs=4326,
    )
    frame.to_file(tmp_path / "z.gpkg")
    frame.to_parquet(tmp_path / "z.parquet")
    for path in (tmp_path / "z.gpkg", tmp_path / "z.parquet"):
        assert read_raw(path).frame["zone_id"].tolist() == [large, None], path.name


@pytest.mark.parametrize("number", [float("inf"), -np.inf, 10**400, np.float32("inf"), Decimal("Infinity"), "1e400"])
def test_a_number_beyond_all_numbers_is_a_fault(number):
    numbers, slips = numbers_in([number, 7])
    assert np.isnan(numbers[0])
    assert numbers[1] == 7
    assert [(slip.at, slip.rule) for slip in slips] == [(0, "must be a finite number")]


@pytest.mark.parametrize("text", ["1e-400", "0.1e-999", "2E-500"])
def test_a_number_that_would_become_nought_is_a_fault(text):
    numbers, slips = numbers_in([text, "0", "0.0", "0e5"])
    assert np.isnan(numbers[0])
    assert numbers[1:].tolist() == [0, 0, 0]
    assert rules(slips) == ["number is too small to be kept"]


@pytest.mark.parametrize(
    "cell", ["9 007 199 254 740 993", "9007199254740993.0", Decimal("9007199254740993.5"), 2**53 + 1]
)
def test_digits_that_a_number_would_lose_are_a_fault_however_they_are_written(cell):
    numbers, slips = numbers_in([cell, "9 007 199 254 740 992"])
    assert np.isnan(numbers[0])
    assert numbers[1] == 2**53
    assert rules(slips) == ["number has more digits than can be kept"]


@pytest.mark.parametrize("cell", [1e22, np.float64(2**60), 1.5e300])
def test_a_number_whose_digits_are_lost_is_no_id(cell):
    assert [slip.rule for slip in texts_in([cell], exact=True)[1]] == ["number has more digits than can be kept"]
    assert texts_in([cell])[0] == [str(cell)]
    assert texts_in([10**22, 2.0**53 - 1], exact=True)[0] == [str(10**22), str(2**53 - 1)]


@pytest.mark.parametrize("cell", [np.datetime64("2020-03-12"), np.datetime64("2020-03-12T04:00"), dt.date(2020, 3, 12)])
def test_every_type_of_date_is_no_id(cell):
    ids, slips = texts_in([cell, "12-3"], exact=True)
    assert ids == [None, "12-3"]
    assert rules(slips) == ["is a date: a spreadsheet has perhaps turned an id into one"]


@pytest.mark.parametrize("text", ["\u200b", "\ufeff \u200d", "\u202e\u00a0"])
def test_a_text_that_nobody_sees_is_blank(text):
    assert is_blank([text, "\u200b7"]).tolist() == [True, False]
    assert texts_in([text, text], exact=True) == ([None, None], [])


@pytest.mark.parametrize("year", [1, 9999])
def test_a_moment_at_the_end_of_the_calendar_is_a_fault_where_its_day_lies_beyond(year):
    """9999-12-31 is how many systems write 'open end'; west or east of it there is no day."""
    moment = dt.datetime(year, 1 if year == 1 else 12, 1 if year == 1 else 31, 1 if year == 1 else 23, tzinfo=dt.UTC)
    zone = "America/Caracas" if year == 1 else "Asia/Baku"
    for cells in ([moment], [pd.Timestamp("2020-10-03T05:00Z"), moment], [moment, None]):
        days, slips = days_in(cells, time_zone=zone)
        assert days[cells.index(moment)] is None
        assert cells.index(moment) in [slip.at for slip in slips if slip.level == "repairable"]

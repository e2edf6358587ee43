"""Quality sheets of minefield records, as a stranger opens them."""

import datetime as dt
import re
from dataclasses import replace

import pandas as pd
import pytest

import clearplan as cp
from clearplan.outputs.report.records import draw_quality_sheets
from clearplan.outputs.workbooks.record_form import write_record_workbook
from clearplan.records.minefields import open_records
from tests.browser import PICTURES, opened
from tests.records.test_minefields import REGION, leg, record, square
from tests.sheets_of_paper import IMPRINT

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")

HOSTILE = ["<script>alert(1)</script>", "{{7*7}}", '"><img src=x onerror=alert(1)>', "a&b", "Ağdam Աղդամ", "‮turned"]


@pytest.mark.browser
def test_sheets_open_without_a_network(sample):
    study, folder = sample
    with opened(folder / "records.html", scripted=False) as (page, watch):
        assert page.locator("section").count() == len(study.records[0].hazards)
        text = page.inner_text("body")
        for words in ("2 could not be drawn", "Illustrative data, not for operational use.", study.run["fingerprint"],
                      "Not for navigation or entry."):  # fmt: skip
            assert words in text
        assert "12-5O" in page.locator("section").first.inner_text()
        moved = page.locator("#r-R_2d008")
        assert "v2 (counts)" in moved.inner_text()
        PICTURES.mkdir(exist_ok=True)
        moved.screenshot(path=PICTURES / "record-sheet.png")
    assert watch.complaints == []
    assert watch.requests == []
    with opened(folder / "records.html", 390, 844, scripted=False) as (page, _):
        assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_every_number_has_its_source(sample):
    study, folder = sample
    page = (folder / "records.html").read_text(encoding="utf-8")
    sheet = page[page.index('id="r-R_2d007"') :]
    sheet = sheet[: sheet.index("</section>")]
    hazard = study.hazards[study.hazards["hazard_id"] == "R-007"].iloc[0]
    for words in (
        "IGRF-14 for 19", "convergence", "EPSG:15865", "sigma of a bearing", "within 3 sigma" if not
        study.records[0].checks["spread"].any() else "spread by the compass rule", "Namazçala", "<ellipse",
        f"{hazard['position_error_m']:,.0f}\u00a0m",
    ):  # fmt: skip
        assert words in sheet, words
    points = study.records[0].vertices.query("record_id == 'R-007'")
    for typed in (*points["coordinates"].dropna(), *points["bearing"].dropna()):
        assert typed in sheet


def sheet_of(page, record):
    sheet = page[page.index(f'id="r-{record.replace("-", "_2d")}"') :]
    return sheet[: sheet.index("</section>")]


def test_a_sheet_can_be_checked_against_the_paper(sample):
    page = (sample[1] / "records.html").read_text(encoding="utf-8")
    sheet = sheet_of(page, "R-007")
    for words in ("magnetic north, mils-6000", "paces of 0.75 m", "1 = 8</text>"):
        assert words in sheet
    # By hand: 11-35 of 6000 mils is 11.35 x 6 = 68.10 degrees, 1227 paces of 0.75 m are 920.25 m;
    # grid = magnetic + declination - convergence = 68.10 + 4.58 - 1.40.
    assert "from A: 11-35, 1227" in sheet
    assert "68.10° +4.58° decl. \u22121.40° conv. = 71.27° grid; 920.2 m" in sheet
    assert not re.search(r"\bnan\b", page)
    assert "NOT READ, see the faults" in sheet_of(page, "R-017")
    assert "Ellipse: holds the true point" in sheet
    blunder = sheet_of(page, "R-051")
    assert "The ellipses do not hold" in blunder
    assert "Ellipse: holds" not in blunder
    listed = page[: page.index("<section")]
    assert all(f">{record}</a>" in listed for record in sample[0].records[0].hazards["hazard_id"])


def test_hostile_text_stays_text(tmp_path):
    records = [record(f"R{k}", record_number=str(k), unit=name, source=name) for k, name in enumerate(HOSTILE)]
    legs = [
        row | {"landmark": name, "remark": name} for k, name in enumerate(HOSTILE) for row in square(record_id=f"R{k}")
    ]
    records.append(record(HOSTILE[0], record_number="x"))
    legs += square(record_id=HOSTILE[0])
    write_record_workbook({"records": pd.DataFrame(records), "legs": pd.DataFrame(legs)}, tmp_path / "r.xlsx")
    reading = open_records(tmp_path / "r.xlsx", region=REGION)
    page = draw_quality_sheets([reading], replace(IMPRINT, title=HOSTILE[0], notice=HOSTILE[2])).html
    assert "<script" not in page
    assert "<img" not in page
    assert "&lt;script&gt;" in page
    assert "{{7*7}}" in page
    assert re.search(r"http-equiv=.Content-Security-Policy. content=.default-src 'none'", page)


def test_the_same_records_make_the_same_sheets(tmp_path):
    path = tmp_path / "r.xlsx"
    legs = [*square(), leg(5, "end", bearing="0", distance="199", closes_on="1")]
    write_record_workbook({"records": pd.DataFrame([record()]), "legs": pd.DataFrame(legs)}, path)
    pages = {draw_quality_sheets([open_records(path, region=REGION)]).html for _ in range(2)}
    assert len(pages) == 1
    moved = cp.reanchor(
        open_records(path, region=REGION), "R1", "39.991N 46.93E", position_error_m=5, anchored_by="team",
        anchored_on=dt.date(2024, 1, 1), reason="found",
    )  # fmt: skip
    assert "as recorded" in draw_quality_sheets([moved]).html


def test_a_heavy_file_says_what_it_leaves_out(tmp_path, monkeypatch):
    path = tmp_path / "r.xlsx"
    records = [record(f"R{k}", record_number=str(k)) for k in range(4)]
    legs = [row for k in range(4) for row in square(record_id=f"R{k}")]
    write_record_workbook({"records": pd.DataFrame(records), "legs": pd.DataFrame(legs)}, path)
    monkeypatch.setattr("clearplan.outputs.report.records.MAX_SHEETS", 3)
    page = draw_quality_sheets([open_records(path, region=REGION)]).html
    assert page.count("<section") == 3
    assert "1 more records are not shown" in page

"""Task dossiers: one page a task, whatever the task, and nothing left out without a word."""

import pandas as pd
import pytest
import shapely
from pypdf import PdfReader

from clearplan.core.errors import OutputError, TableError
from clearplan.core.imprint import BOUNDARIES, NOT_FOR_ENTRY
from clearplan.outputs.field.briefs import Known, Section
from clearplan.outputs.field.dossiers import fitted, write_dossiers
from clearplan.outputs.paper.lettering import width_mm
from tests.conftest import E0, N0, accident_table, hazard_table, zone_table
from tests.sheets_of_paper import HOSTILE, IMPRINT, task_table, text_of, upright_lines, world

SQUARE = shapely.box(E0, N0, E0 + 400, N0 + 300)


def known_of(layers):
    return Known(hazards=layers.areas, accidents=layers.accidents, releases=layers.releases)


def test_a_page_holds_all_that_a_team_must_know(tmp_path):
    path = tmp_path / "tasks.pdf"
    assert write_dossiers(path, world(), IMPRINT, known=known_of(world())) == 2
    text = text_of(path)
    for words in (
        "Task T-0", "CLEARANCE 1:5 000", "confirmed hazardous area", "1 of 1", "Turning points, MGRS (4)",
        "A reference names a square of 10 m; position error 20 m (95 %)", "This task (1)",
        "Border through its turning points (4)", "Place 0 (zone Z0):", "compass", "Mill road (road L0):",
        "H0: minefield", "Source: made up", "1 accident may have happened within 500 m", "No plan of work was given.",
        "Not known: no table of roads was given.", "Team leader: name, date, signature", NOT_FOR_ENTRY, BOUNDARIES,
        "Fingerprint abc123", "Declination", "GN: grid north", "Where it lies",
    ):  # fmt: skip
        assert words in text, words
    assert "Task T-1" in text_of(path, 1)
    assert "Enclaves within it have no points: 1." in text_of(path, 1)


def test_references_are_those_of_the_corners(tmp_path):
    path = tmp_path / "tasks.pdf"
    write_dossiers(path, world(), IMPRINT, chosen=["T-0"])
    # The square's corners by hand: 650 000 E 4 420 000 N is 38S PK 50000 20000, and the border is 0.1 m outside.
    text = text_of(path)
    for reference in ("38S PK 4999 2030", "38S PK 5040 2030", "38S PK 5040 1999", "38S PK 4999 1999"):
        assert reference in text, reference


def test_maps_of_pages_are_true_to_their_scale(tmp_path):
    path = tmp_path / "tasks.pdf"
    write_dossiers(path, world(), IMPRINT, chosen=["T-0"])
    lines = upright_lines(path)
    assert "1:5 000" in text_of(path)
    gaps = (lines[1:] - lines[:-1]).round(1).tolist()
    assert gaps.count(20.0) >= 4  # lines every 100 m


def test_any_task_fits_on_one_page_and_what_is_cut_is_counted(tmp_path):
    many = 60
    hazards = hazard_table([{"geometry": SQUARE, "hazard_id": f"H{k}", "source": "a long source " * 12,
                             "ordnance": ("AP", "AV")[k % 2], "reliability": 0.1, "blunder": True, "misclosure_m": 9.0,
                             "misclosure_limit_m": 3.0} for k in range(many)])  # fmt: skip
    zones = zone_table([{"geometry": shapely.Point(E0 - 90 * k, N0 - 500), "name": HOSTILE} for k in range(30)])
    wild = shapely.union_all([shapely.Point(E0 + 40 * k, N0 + 55 * (k % 7)).buffer(30 + k) for k in range(40)])
    task = {"geometry": wild, "hazard_ids": "; ".join(hazards["hazard_id"]), "gates": HOSTILE * 9,
            "zone_ids": "; ".join(zones["zone_id"]), "task_id": HOSTILE.replace("\n", ""),
            "unknown_m2": 9e4}  # fmt: skip
    work = pd.DataFrame({"task_id": task["task_id"], "step": range(25), "step_name": "survey", "kind": "TS",
                         "team_id": "TS", "days": 3.0, "m2": 10.0, "starts_on": "2026-01-01",
                         "ends_on": "2026-03-31"})  # fmt: skip
    layers = world(tasks=task_table([task]), zones=zones)
    accidents = accident_table([(E0 + k, N0) for k in range(50)], [None] * 50)
    path = tmp_path / "tasks.pdf"
    assert write_dossiers(path, layers, IMPRINT, known=Known(hazards, accidents, layers.releases, work)) == 1
    assert len(PdfReader(path).pages) == 1
    text = text_of(path)
    assert "more, see plan.gpkg, layer hazards" in text
    assert "more, see work.csv" in text
    assert "more, see plan.gpkg, layers zones and lifelines" in text
    assert "HELD BACK" in text
    assert "$\\frac{a$ {{7*7}} <script>" in text
    assert "Team leader: name, date, signature" in text


def test_what_finds_no_room_is_taken_from_the_longest_list_and_told():
    sections = [Section("Warnings", ("one", "two")), Section("Hazards", tuple(f"hazard {k}" for k in range(30)), "x")]
    for room in (8, 15, 40):
        first, second = fitted(sections, room, 80, 7)
        assert sum(map(len, first + second)) <= room
        assert first == [["one"], ["two"]]
        shown = sum(item[0].startswith("hazard") for item in second)
        assert shown == 30 or second[-1] == [f"... and {30 - shown} more, see x"]
    (long,) = fitted([Section("W", ("word " * 400,))], 6, 60, 7)
    assert sum(map(len, long)) <= 6
    assert long[0][-1].endswith(" ...")
    assert all(width_mm(line, 7) <= 60 for line in long[0])


def test_a_folder_gets_a_file_a_task_and_bytes_stay_the_same(tmp_path):
    assert write_dossiers(tmp_path / "sheets", world(), IMPRINT) == 2
    assert sorted(p.name for p in (tmp_path / "sheets").iterdir()) == ["T-0.pdf", "T-1.pdf"]
    for name in ("a.pdf", "b.pdf"):
        write_dossiers(tmp_path / name, world(), IMPRINT, known=known_of(world()))
    assert (tmp_path / "a.pdf").read_bytes() == (tmp_path / "b.pdf").read_bytes()


def test_what_cannot_be_written_is_told(tmp_path):
    with pytest.raises(TableError, match="no task 'x'"):
        write_dossiers(tmp_path / "t.pdf", world(), IMPRINT, chosen=["x"])
    lost = world().tasks.set_geometry([None, None], crs=world().tasks.crs)
    with pytest.raises(OutputError, match="none of the tasks has a place"):
        write_dossiers(tmp_path / "t.pdf", world(tasks=lost), IMPRINT)
    with pytest.raises(OutputError, match=r"does not end with \.pdf"):
        write_dossiers(tmp_path / "t.png", world(), IMPRINT)
    assert not list(tmp_path.iterdir())


def test_a_day_beyond_the_field_model_is_told_and_not_guessed(tmp_path):
    import dataclasses
    import datetime as dt

    path = tmp_path / "t.pdf"
    write_dossiers(path, world(), dataclasses.replace(IMPRINT, as_at=dt.date(2031, 1, 1)), chosen=["T-0"])
    text = text_of(path)
    assert "the field of 2031-01-01 is not known" in text
    assert "compass" not in text

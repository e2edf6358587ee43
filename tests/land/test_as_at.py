"""Tables as at a day: what came later is left out, what has no date stays, the latest change of a hazard counts."""

import pandas as pd
import pytest
from shapely import box

import clearplan as cp
from clearplan.core.errors import SettingsError, TableError
from clearplan.land.as_at import undated
from tests.cells import area_table, day, history_table, release_table
from tests.conftest import E0, N0, accident_table

SQUARE = box(E0, N0, E0 + 10, N0 + 10)


def test_as_at_leaves_out_what_came_later_and_keeps_what_has_no_date():
    areas = area_table([{"geometry": SQUARE, "day": k} for k in (0, 4, None)])
    assert cp.as_at(areas, day(3))["area_id"].tolist() == ["H0", "H2"]
    assert cp.as_at(areas, "2024-01-05")["area_id"].tolist() == ["H0", "H1", "H2"]
    releases = release_table([{"action": "cleared", "day": k, "geometry": SQUARE} for k in (0, 4)])
    assert cp.as_at(releases, day(3))["release_id"].tolist() == ["R0"]
    accidents = accident_table([(E0, N0), (E0, N0)], ["2024-01-09", None])
    assert cp.as_at(accidents, day(3))["accident_id"].tolist() == ["A1"]
    with pytest.raises(TableError):
        cp.as_at(pd.DataFrame({"task_id": []}), day(3))


def test_the_latest_change_counts_and_on_one_day_the_later_row():
    areas = area_table([{"geometry": SQUARE}, {"geometry": SQUARE}])
    areas.loc[1, "kind"] = "contact-line"
    history = history_table(
        [
            {"hazard": 0, "day": 5, "status": "closed"},
            {"hazard": 0, "day": 2, "status": "worked-on", "land_class": "CHA"},
            {"hazard": 0, "day": 5, "status": "open"},
            {"hazard": 0, "day": None, "status": "closed"},
            {"hazard": 1, "day": 1, "land_class": "CHA"},
        ]
    )
    seen = [cp.as_at(areas, day(k), history=history).loc[0, ["status", "land_class"]].tolist() for k in range(6)]
    without_date = ["closed", "SHA"]  # the change without a date counts from the first day, before all that have one
    assert seen == [
        without_date,
        without_date,
        ["worked-on", "CHA"],
        ["worked-on", "CHA"],
        ["worked-on", "CHA"],
        ["open", "CHA"],
    ]
    assert cp.as_at(areas, day(9), history=history).loc[1, "land_class"] == "SHA", "a belt takes no class"
    assert areas["status"].tolist() == ["open", "open"]
    assert undated(history)["history_id"].tolist() == ["C3"]


@pytest.mark.parametrize(
    "text", ["30.06.2024", "2024-06-30T12:00", "2024-06", "9999-12-31", "0024-06-30", "2024-02-30"]
)
def test_a_day_is_written_in_one_way(text):
    with pytest.raises(SettingsError, match="as_at"):
        cp.as_at(release_table([]), text)

"""Charts: the same text twice, numbers that can be read in them, and tables that can't be drawn."""

import re
import xml.etree.ElementTree as ET
from functools import cache

import numpy as np
import pandas as pd
import pytest

from clearplan.core.errors import TableError
from clearplan.outputs.charts.results import (
    BRIDGE,
    draw_bridge,
    draw_calibration,
    draw_ladder,
    draw_order,
    draw_published_release,
    draw_recall,
)
from clearplan.surface.evaluation import FIGURES

RUNGS = ["belt only", "distance only", "all terms (fitted)"]
#: trend.az 3870489; the three break-downs sum to 53,081.8 ha.
RELEASED = {
    "district": {"Jabrayil": 14016.7, "Aghdam": 7956.1, "Gubadli": 6993.9, "Kalbajar": 6400.2, "Fuzuli": 6025.1,
                 "Khojavend": 4400.4, "Zangilan": 3570.8, "Lachin": 1454.2, "Tartar": 1286.9, "Shusha": 585.4,
                 "Khojaly": 174.5, "other": 217.6},
    "operator": {"ANAMA": 32823.9, "companies": 11807.6, "MoD": 6938.7, "border service": 841.9, "MES": 669.7},
    "land use": {"agriculture": 29005.6, "housing": 11720.5, "other": 10070.0, "energy": 1470.9, "transport": 814.8},
}  # fmt: skip


def ladder():
    pairs = [(rung, figure, 0.1 * k) for k, rung in enumerate(RUNGS) for figure in FIGURES]
    rows = [(rung, figure, 0.3 + more, 0.2 + more, 0.4 + more) for rung, figure, more in pairs]
    table = pd.DataFrame(rows, columns=["rung", "figure", "mean", "low", "high"])
    table.loc[(table["rung"] == "belt only") & (table["figure"] == "slope"), ["mean", "low", "high"]] = np.nan
    return table


def calibration():
    part = pd.DataFrame({"bin": range(1, 11), "expected": np.linspace(0.5, 40, 10), "area_km2": 100.0})
    part["observed"] = np.rint(part["expected"] * 0.8).astype(int)
    for name in ("expected", "observed"):
        part[f"{name}_per_100_km2"] = part[name]
    return pd.concat([part.assign(rung=rung) for rung in RUNGS], ignore_index=True)


def released():
    rows = [(what, name, value) for what, names in RELEASED.items() for name, value in names.items()]
    return pd.DataFrame(rows, columns=["breakdown", "name", "hectares"]).assign(year="2023")


def bridge(**changed):
    values = {"opening_m2": 48e6, "newly_found_m2": 3e6, "cancelled_m2": 12e6, "reduced_m2": 4e6, "cleared_m2": 6e6,
              "resurvey_m2": -1e6, "closing_m2": 28e6}  # fmt: skip
    return pd.DataFrame([values | changed])


def order(count=4, **columns):
    """Tasks of the survey queue with two criteria, from the first, and one behind a gate."""
    near = [30.0 - k for k in range(count)]
    table = pd.DataFrame({
        "task_id": [f"T{k}" for k in range(count)], "queue": "survey", "score": [value + 10 for value in near],
        "rank": pd.array(range(1, count + 1), dtype="Int64"), "c_people_raw": 1.0, "c_people_points": 10.0,
        "c_area_raw": 1.0, "c_area_points": near, "c_slope_raw": 1.0, "c_slope_points": 0.0,
        "rank_low": pd.array([1] * count, dtype="Int64"), "rank_high": pd.array([3] * count, dtype="Int64"),
    })  # fmt: skip
    gated = table.iloc[:1].assign(task_id="GATED", rank=pd.NA, rank_low=pd.NA, rank_high=pd.NA)
    table = pd.concat([table, gated.astype(table.dtypes)], ignore_index=True).assign(**columns)
    table.attrs["criteria"] = {"area": ("Size <of> it", "ha")}
    return table


CHARTS = {
    "order": lambda: draw_order(order(), "survey"),
    "ladder": lambda: draw_ladder(ladder()),
    "recall": lambda: draw_recall(ladder()),
    "calibration": lambda: draw_calibration(calibration()),
    "release": lambda: draw_published_release(released(), source="trend.az 3870489"),
    "bridge": lambda: draw_bridge(bridge()),
}


@cache
def drawn(chart):
    """A chart of the made-up figures, drawn once."""
    return CHARTS[chart]()


@pytest.mark.parametrize("chart", CHARTS)
def test_charts_are_the_same_twice_and_speak_to_those_who_cannot_see_them(chart):
    text = drawn(chart)
    assert text == CHARTS[chart]()
    root = ET.fromstring(text)
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert root.get("role") == "img"
    named = {e.get("id"): e.text for e in root if e.tag.endswith(("title", "desc"))}
    assert list(named) == root.get("aria-labelledby").split()
    assert all(named.values())
    assert not re.search(r"\b20\d\d-\d\d-\d\d|matplotlib\.org|<metadata|width=\"\d+\.\d+pt", text[:3_000])
    assert "<script" not in text
    assert "http" not in text.replace("http://www.w3.org", "")


def test_ids_of_two_charts_differ_and_every_reference_is_met():
    texts = [drawn(name) for name in CHARTS]
    ids = [set(re.findall(r'\bid="([^"]+)"', text)) for text in texts]
    for k, own in enumerate(ids):
        assert all(own.isdisjoint(other) for other in ids[:k])
        assert set(re.findall(r'href="#([^"]+)"|url\(#([^)]+)\)', texts[k])) <= {(i, "") for i in own} | {
            ("", i) for i in own
        }


def test_descriptions_hold_the_numbers():
    assert "all terms (fitted): Accidents in the top 10 % of the ground 50%, ROC-AUC 0.50" in drawn("ladder")
    assert "belt only: top 1 %: 30%, top 5 %: 30%, top 10 %: 30%, top 20 %: 30%." in drawn("recall")
    assert "in the highest part 40 expected and 32 observed" in drawn("calibration")
    assert "Land released in 2023: 53,081.8 hectares</title>" in drawn("release")
    undated = draw_published_release(released().drop(columns="year"), source="x")
    assert "Land released: 53,081.8 hectares</title>" in undated
    assert "Source: trend.az 3870489." in drawn("release")
    assert "By operator: ANAMA 32,823.9, companies 11,807.6" in drawn("release")
    assert "In km²: opening 48.00, newly found 3.00, cancelled 12.00" in drawn("bridge")


def test_a_missing_figure_is_said_and_not_drawn_as_0():
    assert "belt only: Accidents in the top 10 % of the ground 30%, ROC-AUC 0.30, Average precision 0.30, " \
           "Calibration slope (1 is right) none." in drawn("ladder")  # fmt: skip


def test_bridges_must_close():
    with pytest.raises(TableError, match=r"make \+2,000,000.0 m2 more than closing"):
        draw_bridge(bridge(closing_m2=26e6))
    both = pd.concat([bridge(), bridge()])
    assert "In km²: opening 96.00" in draw_bridge(both)
    assert "In ha: opening 4.80" in draw_bridge(bridge() / 1e3)
    assert "In ha: opening 0.00" in draw_bridge(pd.DataFrame([dict.fromkeys(BRIDGE, 0.0)]))


def test_break_downs_must_sum_alike():
    table = released()
    table.loc[0, "hectares"] += 100
    with pytest.raises(TableError, match=r"do not sum to the same area: district 53,181.8, operator 53,081.8"):
        draw_published_release(table, source="x")


def test_tables_that_cannot_be_drawn():
    with pytest.raises(TableError, match="no column high"):
        draw_ladder(ladder().drop(columns="high"))
    with pytest.raises(TableError, match="the table is empty"):
        draw_recall(ladder().iloc[:0])


def test_no_accident_in_a_part_is_drawn():
    table = calibration().assign(observed=0, observed_per_100_km2=0.0)
    assert draw_calibration(table).startswith("<svg")


def test_the_state_of_matplotlib_is_left_as_it_was():
    import matplotlib

    before = dict(matplotlib.rcParams)
    CHARTS["bridge"]()
    assert dict(matplotlib.rcParams) == before


def test_small_changes_of_much_ground_are_seen_on_an_axis_that_says_it_is_cut():
    from clearplan.outputs.charts.results import _floor

    # 100 less 1 is 99: by hand the axis begins one and a half times the change below the least level.
    assert _floor([100.0, 0.0, -1.0], 99.0) == (97.5, True)
    assert _floor([48.0, 3.0, -12.0, -20.0], 19.0) == (0.0, False)
    assert _floor([0.0], 0.0) == (0.0, False)


def test_order_tells_points_and_ranges_and_leaves_out_what_has_no_rank():
    text = drawn("order")
    assert "Rank 1, T0: 40.0 points (people who wait, in zones that the task affects 10.0, size &lt;of&gt; it 30.0), " \
           "rank between 1 and 3 in 90 % of the draws." in text  # fmt: skip
    assert "GATED" not in text
    assert "slope" not in text  # a criterion that gives nothing has no place in the legend
    assert "The first 2 tasks" in draw_order(order(), "survey", first=2)
    assert "in 90 % of the draws" not in draw_order(order().drop(columns=["rank_low", "rank_high"]), "survey")
    with pytest.raises(TableError, match="no task of the clearance queue has a rank"):
        draw_order(order(), "clearance")


def test_order_of_many_ranks_and_of_many_criteria():
    wide = order(rank_high=pd.array([900] * 5, dtype="Int64"))
    more = {f"c_x{k}_{part}": 1.0 for k in range(12) for part in ("raw", "points")}
    text = draw_order(wide.assign(**more), "survey")
    assert "rank between 1 and 900" in text
    assert "x11 1.0" in text

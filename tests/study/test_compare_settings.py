"""Settings and scores of two runs: each setting that changed with its unit, and how far scores moved."""

import geopandas as gpd
import pytest

from clearplan.study.compare_settings import changed_scores, changed_settings, scores_words, settings_words
from tests.conftest import clearplan
from tests.study.test_compare import PLAN, project  # noqa: F401 - its fixture


def differences(first, second, **units):
    table = changed_settings(first, second, units=units)
    return [tuple(row) for row in table.itertuples(index=False)]


def criteria(**weights):
    rows = [{"name": name, "weight": weight, "one_at": 2.0} for name, weight in weights.items()]
    return {"priority": {"criteria": rows}}


def test_rows_of_a_list_are_told_apart_by_their_names():
    before, after = criteria(people=40.0, area=60.0), criteria(area=60.0, people=20.0)
    assert differences(before, after) == [("priority.criteria[people].weight", "40", "20", "")]
    after["priority"]["criteria"][1]["one_at"] = 3.0
    assert differences(before, after, people="people")[1] == ("priority.criteria[people].one_at", "2", "3", "people")
    third = criteria(area=60.0)
    assert differences(before, third) == [
        ("priority.criteria[people].name", "people", "unset", ""),
        ("priority.criteria[people].weight", "40", "unset", ""),
        ("priority.criteria[people].one_at", "2", "unset", ""),
    ]


@pytest.mark.parametrize(
    ("section", "before", "after", "row"),
    [
        ("contact_line", [{"depth_max_m": 7000.0}], [{"depth_max_m": 5e3}], ("[1].depth_max_m", "7,000", "5,000", "m")),
        ("footprints", {"margin_m": {"AP": 0.0}}, {"margin_m": {"AP": 5.0}}, (".margin_m.AP", "0", "5", "m")),
        ("planning", {"budget": None}, {"budget": 2e6}, (".budget", "unset", "2,000,000", "currency")),
        ("planning", None, {"periods": 4}, (".periods", "unset", "4", None)),
        ("surface", {"base_rate": 1e-3}, {"base_rate": 2e-3}, (".base_rate", "0.001", "0.002", "1")),
        ("study", {"illustrative": True}, {"illustrative": False}, (".illustrative", "true", "false", "")),
        ("study", {"as_at": "2024-01-01"}, {"as_at": "2025-01-01"}, None),
        ("study", {"region": [1.0, 2.0]}, {"region": [1.0, 2.5]}, (".region", "1, 2", "1, 2.5", None)),
        ("releases", [], [{"path": "r.gpkg", "url": None}], ("[r.gpkg].path", "unset", "r.gpkg", "")),
        ("code_lists", {}, {}, None),
    ],
)
def test_every_kind_of_setting(section, before, after, row):
    rows = differences({section: before}, {section: after})
    if row is None:
        assert rows == []
        return
    assert rows[0][:3] == (section + row[0], *row[1:3])
    assert row[3] is None or rows[0][3] == row[3]
    assert differences({section: after}, {section: after}) == []


def test_scores_that_moved_are_counted_and_the_largest_is_named():
    tasks = gpd.GeoDataFrame(
        {
            "task_id": ["a", "b", "c", "d", None],
            "score_before": [10.0, 50.0, 30.0, None, 20.0],
            "score_after": [10.04, 44.0, 32.0, 60.0, None],
        },
        geometry=[None] * 5,
    )
    scores = changed_scores(tasks)
    assert scores["task_id"].tolist() == ["b", "c"]
    assert scores["change_points"].tolist() == [-6.0, 2.0]
    assert "2 of the 3 tasks" in scores_words(scores, tasks)
    assert "that of b, 50.0 -> 44.0 (-6.0 points)" in scores_words(scores, tasks)
    assert (
        scores_words(changed_scores(tasks[:1]), tasks[:1]) == "Scores: the same for all 1 tasks that are in both runs"
    )
    assert settings_words(changed_settings({}, {})) == "Settings: the same in both runs"


def test_the_command_says_settings_and_scores_before_hazards(project, monkeypatch):  # noqa: F811
    monkeypatch.delenv("COLUMNS", raising=False)
    plan = project / "plan.toml"
    assert clearplan("run", plan, "--out", project / "a").returncode == 0
    plan.write_text(
        PLAN.replace("weight = 60", "weight = 40").replace("strike_radius_m = 300", "strike_radius_m = 500")
    )
    assert clearplan("run", plan, "--out", project / "b").returncode == 0
    done = clearplan("diff", project / "a", project / "b", "-o", project / "diff.html")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[1] == (
        "Settings: 2 changed: footprints.strike_radius_m 300 -> 500 m; priority.criteria[accidents].weight 60 -> 40"
    )
    assert lines[2].startswith("Scores: 5 of the 5 tasks that are in both runs have another; the largest change is")
    # By hand: a field of 4 ha, with no accident near it, has 0.6 of the points for area: of 40, then of 50.
    assert "24.0 -> 30.0 (+6.0 points)" in lines[2]
    assert lines.index("Tasks: 5 of the same rank") > 2
    tables = done.stdout.index("Settings that changed:"), done.stdout.index("Scores that changed:")
    assert tables[0] < tables[1]
    page = (project / "diff.html").read_text(encoding="utf-8")
    assert "<td>priority.criteria[accidents].weight</td>" in page
    assert page.index("Settings that changed") < page.index("Scores that changed")

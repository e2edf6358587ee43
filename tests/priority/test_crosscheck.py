"""Two other methods beside the weighted sum: published and hand-computed cases, and tables that could break them."""

import builtins

import numpy as np
import pandas as pd
import pytest

from clearplan.core.errors import SettingsError, TableError
from clearplan.priority import crosscheck
from clearplan.priority.crosscheck import METHODS, compare_methods
from tests.priority.test_robustness import made, random_values


def ranks_of(found):
    return found.set_index("task_id")[list(METHODS)].sort_index().astype(int).values.tolist()


def test_topsis_of_pymcdms_documentation():
    methods, norms = pytest.importorskip("pymcdm.methods"), pytest.importorskip("pymcdm.normalizations")
    matrix, weights, types = np.array([[4.0, 4], [1, 5], [3, 2], [4, 2]]), np.array([0.5, 0.5]), np.array([1, -1])
    found = methods.TOPSIS()(matrix, weights, types, validation=False)
    # Min-max: rows (1, 1/3), (0, 0), (2/3, 1), (1, 1); the first is 2/3 from the best and sqrt(10)/3 from the worst.
    assert found.tolist() == pytest.approx([0.6126, 0, 0.7829, 1], abs=5e-5)
    assert found[0] == pytest.approx(np.sqrt(10) / (np.sqrt(10) + 2))
    by_vector = methods.TOPSIS(norms.vector_normalization)(matrix, weights, types, validation=False)
    assert by_vector[[0, 2]].tolist() == pytest.approx([0.629, 0.774], abs=6e-4)


# Three tasks, weights .6 and .4, usual function (any difference counts in full):
#      a    b     pi to the others                    phi+  phi-   phi
# T0   0.9  0.1   over T1 .6 (a), over T2 .6 (a)      .6    .4     .2
# T1   0.5  0.9   over T0 .4 (b), over T2 .6+.4       .7    .3     .4
# T2   0.4  0.2   over T0 .4 (b), over T1 0           .2    .8    -.6
# phi+ = (sum over the others) / 2, phi- = (sum of the others' over it) / 2: T0 (.6+.6)/2, (.4+.4)/2 and so on.
HAND = [[0.9, 0.1], [0.5, 0.9], [0.4, 0.2]]


def test_three_tasks_by_hand():
    pytest.importorskip("pymcdm")
    total, topsis, promethee = crosscheck._scores(np.array(HAND), np.array([60.0, 40.0]))
    assert total.tolist() == pytest.approx([58, 66, 32])
    assert promethee.tolist() == pytest.approx([0.2, 0.4, -0.6])
    # Best (.54, .36), worst (.24, .04); T0 (.54, .04): .32 from the best, .30 from the worst.
    # T1 (.30, .36): .24 and sqrt(.06^2 + .32^2); T2 (.24, .08): sqrt(.30^2 + .28^2) and .04.
    one, two = np.hypot(0.06, 0.32), np.hypot(0.3, 0.28)
    assert topsis.tolist() == pytest.approx([0.30 / 0.62, one / (one + 0.24), 0.04 / (two + 0.04)])
    ranked, plan = made(HAND, [60, 40])
    assert ranks_of(compare_methods(ranked, plan, "survey")) == [[2, 2, 2], [1, 1, 1], [3, 3, 3]]


def test_a_chain_in_which_each_dominates_the_next():
    pytest.importorskip("pymcdm")
    ranked, plan = made([[0.9 - 0.1 * k, 0.8 - 0.1 * k, 0.7 - 0.05 * k] for k in range(6)], [5, 3, 2])
    found = compare_methods(ranked, plan, "survey", first=3)
    assert ranks_of(found) == [[k, k, k] for k in range(1, 7)]
    assert found.columns.tolist() == ["task_id", *METHODS]
    assert found.attrs["differ"] == []
    assert [(round(a["kendall_tau"], 9), a["shared_first"]) for a in found.attrs["agreement"]] == [(1, 3)] * 3


def test_a_table_on_which_the_methods_do_not_agree():
    pytest.importorskip("pymcdm")
    # Equal weights. Sums: T0 .95, T1 .90, T2 .80. T1 is just ahead in a: with the usual function it beats both others
    # there, as much as T0's lead of .5 in b: flows by hand are T0 (0 + 1)/2, T1 (1 + 0)/2 -> see below.
    #      a     b      over T0      over T1      over T2    phi
    # T0   .30   .65    -            .5 (b)       .5 (b)     (1.0 - 1.0)/2 = 0
    # T1   .40   .50    .5 (a)       -            .5 (b)     (1.0 - 1.0)/2 = 0
    # T2   .45   .35    .5 (a)       .5 (a)       -          (1.0 - 1.0)/2 = 0
    ranked, plan = made([[0.30, 0.65], [0.40, 0.50], [0.45, 0.35]])
    found = compare_methods(ranked, plan, "survey")
    assert [r[0] for r in ranks_of(found)] == [1, 2, 3]
    assert [r[2] for r in ranks_of(found)] == [1, 1, 1]
    # A long lead against two short ones: the sum counts by how much, PROMETHEE II how often.
    ranked, plan = made([[1.0, 0.1, 0.1], [0.1, 0.2, 0.2]])
    found = compare_methods(ranked, plan, "survey", first=1)
    assert [(r[0], r[2]) for r in ranks_of(found)] == [(1, 2), (2, 1)]
    pairs = {(a["one"], a["other"]): a for a in found.attrs["agreement"]}
    assert pairs["rank_sum", "rank_promethee"]["kendall_tau"] == pytest.approx(-1)
    assert pairs["rank_sum", "rank_promethee"]["shared_first"] == 0
    told = found.attrs["differ"]
    assert [d["task_id"] for d in told] == ["T0000", "T0001"]
    assert (told[0]["better_by"], told[0]["worse_by"]) == ("rank_sum", "rank_promethee")
    assert told[0]["words"].startswith("Task T0000 is rank 1 by sum, 1 by TOPSIS, 2 by PROMETHEE II; they part most in")
    assert told[0]["criterion"].startswith("Figure ")


def test_a_task_added_may_reverse_two_others():
    pytest.importorskip("pymcdm")
    values = random_values(11, 40, 3)
    reversed_by = dict.fromkeys(METHODS, 0)
    for k in range(1, 40):
        few, plan = made(values[:k])
        many, _ = made(values[: k + 1])
        a = compare_methods(few, plan, "survey").set_index("task_id")
        b = compare_methods(many, plan, "survey").set_index("task_id").loc[a.index]
        for name in METHODS:
            x, y = a[name].to_numpy(int), b[name].to_numpy(int)
            reversed_by[name] += int(((x[:, None] < x) & (y[:, None] > y)).sum())
    assert reversed_by["rank_sum"] == 0
    assert reversed_by["rank_topsis"] > 0
    assert reversed_by["rank_promethee"] > 0


def test_ranks_by_the_sum_are_those_of_the_plan():
    pytest.importorskip("pymcdm")
    ranked, plan = made(random_values(5, 60, 4), [4, 3, 2, 1])
    found = compare_methods(ranked, plan, "survey").set_index("task_id")
    np.testing.assert_array_equal(found.loc[ranked["task_id"], "rank_sum"], ranked["rank"])
    ranked.loc[3, "rank"] = pd.NA  # behind a gate
    found = compare_methods(ranked, plan, "survey")
    assert len(found) == 59
    assert "T0003" not in set(found["task_id"])
    assert len(compare_methods(ranked, plan, "clearance")) == 0


@pytest.mark.parametrize(
    ("values", "ranks"),
    [
        (np.zeros((0, 2)), []),
        ([[0.5, 0.5]], [[1, 1, 1]]),
        ([[0.5, 0.5], [0.5, 0.5]], [[1, 1, 1]] * 2),
        ([[0.5, 0.2], [0.5, 0.7]], [[2, 2, 2], [1, 1, 1]]),  # a criterion with one value everywhere
        ([[0.0, 0.0], [0.0, 0.0], [0.0, 0.0]], [[1, 1, 1]] * 3),
    ],
)
def test_few_tasks_and_constant_criteria(values, ranks):
    pytest.importorskip("pymcdm")
    ranked, plan = made(values)
    assert ranks_of(compare_methods(ranked, plan, "survey")) == ranks


def test_criteria_without_weight_say_nothing():
    pytest.importorskip("pymcdm")
    ranked, plan = made([[0.5, 0.9], [0.6, 0.1]], [1, 0])
    assert ranks_of(compare_methods(ranked, plan, "survey")) == [[2, 2, 2], [1, 1, 1]]


def test_what_can_not_be_compared(monkeypatch):
    ranked, plan = made(random_values(1, 5, 2))
    with pytest.raises(TableError, match="not ranked"):
        compare_methods(ranked.drop(columns="score"), plan, "survey")
    pytest.importorskip("pymcdm")
    other = plan.model_copy(update={"criteria": (plan.criteria[0].model_copy(update={"weight": 9}), plan.criteria[1])})
    with pytest.raises(TableError, match="ranked with other weights"):
        compare_methods(ranked, other, "survey")
    monkeypatch.setattr(crosscheck, "MOST", 4)
    with pytest.raises(TableError, match=r"5 tasks of the survey queue are more .*ranked\['rank'\] <= 4"):
        compare_methods(ranked, plan, "survey")


def test_without_pymcdm_the_extra_is_named(monkeypatch):
    real = builtins.__import__

    def without(name, *args, **kwargs):
        if name.split(".")[0] == "pymcdm":
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    ranked, plan = made(random_values(1, 5, 2))
    with pytest.raises(SettingsError, match=r'pip install "clearplan\[methods\]"'):
        compare_methods(ranked, plan, "survey")

"""Ranks of the sample's tasks by the weighted sum beside those by TOPSIS and PROMETHEE II of pymcdm: a check.

    python benchmarks/crosscheck.py [--json]

All three see the values 0-1, of which more is better. TOPSIS takes them as they stand: they are on the plan's anchors
already, and min-max or vector normalisation would stretch each criterion by the tasks that happen to be in the table,
and with it the weights. PROMETHEE II uses the usual preference function (any difference counts in full), because the
plan states no thresholds of indifference.

Both rank tasks by other tasks, so that ranks of two of them can reverse when a third is added or taken away: TOPSIS
measures distances to the best and the worst value in the table, and PROMETHEE II counts how many others a task beats.
The weighted sum can't; that is why it ranks. Reversals are counted on 40 random tasks that are added one by one.

Hwang and Yoon 1981 (TOPSIS); Brans and Vincke 1985, https://doi.org/10.1287/mnsc.31.6.647 (PROMETHEE II);
Mareschal, De Smet and Nemery 2008 (its reversals).
"""

from __future__ import annotations

import argparse
import json
import platform
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd

SAMPLE = Path(__file__).parents[1] / "sample_data" / "karabakh" / "plan.toml"
METHODS = {"rank_sum": "weighted sum", "rank_topsis": "TOPSIS", "rank_promethee": "PROMETHEE II"}
FIRST, NAMED = 10, 5
#: Most tasks that are compared: PROMETHEE II holds a square of them for every criterion (2,000: 32 MB each).
MOST = 2_000
DIGITS = 10  # scores that are equal to so many digits share a rank
SEED, ADDED = 11, 40


def scores_of(values: np.ndarray, weights: np.ndarray) -> dict[str, np.ndarray]:
    """Weighted sum, closeness of TOPSIS and net flow of PROMETHEE II of each task."""
    from pymcdm.methods import PROMETHEE_II, TOPSIS

    zero = np.zeros(len(values))
    scores = {"rank_sum": values @ weights, "rank_topsis": zero, "rank_promethee": zero}
    # A criterion without weight, or with one value everywhere, moves no rank, and some would divide by 0 for it.
    telling = (weights > 0) & (np.ptp(values, axis=0) > 0) if len(values) else np.zeros(len(weights), dtype=bool)
    if telling.any():
        # Its validation compares all pairs in Python and warns of tasks that dominate others, which is no fault here.
        workload = values[:, telling], weights[telling] / weights[telling].sum(), np.ones(telling.sum(), dtype=int)
        scores["rank_topsis"] = TOPSIS(as_it_stands)(*workload, validation=False)
        scores["rank_promethee"] = PROMETHEE_II("usual")(*workload, validation=False)
    return scores


def as_it_stands(column: np.ndarray, cost: bool = False) -> np.ndarray:
    return column


def ranks_of(scores: dict[str, np.ndarray]) -> pd.DataFrame:
    """Rank of each task by each method; tasks that a method can't tell apart share the better rank, as in rank()."""
    table = pd.DataFrame({name: score.round(DIGITS) for name, score in scores.items()})
    return table.rank(method="min", ascending=False).astype(int)


def apart_in(values: np.ndarray, weights: np.ndarray, task: int, method: str) -> int:
    """Criterion in which a task's rank by another method parts most from that by the weighted sum.

    PROMETHEE II counts how many others are beaten and the sum by how much: their difference is a sum over criteria.
    TOPSIS squares the gap to the best value and the sum takes it as it is: shares of both are compared.
    """
    if method == "rank_promethee":
        gap = values[task] - values
        apart = weights * (np.sign(gap).mean(axis=0) - gap.mean(axis=0))
    else:
        loss = weights * (values.max(axis=0) - values[task])
        apart = loss**2 / max((loss**2).sum(), 1e-12) - loss / max(loss.sum(), 1e-12)
    return int(np.abs(apart).argmax())


def compare_queue(ranked: pd.DataFrame, settings, queue: str) -> dict:
    """What the three methods make of a queue: the ranks, the pairs, and the tasks whose ranks differ most."""
    from clearplan.priority.rank import in_queue, meaning_of, weights_of
    from clearplan.priority.weights import agreement

    tasks = in_queue(ranked, queue).nsmallest(MOST, "rank").reset_index(drop=True)
    names = [criterion.name for criterion in settings.of_queue(queue)]
    weights = np.array([weights_of(settings, queue)[name] for name in names])
    values = tasks[[f"c_{name}_value" for name in names]].to_numpy(float)
    scores = scores_of(values, weights)
    np.testing.assert_allclose(scores["rank_sum"], tasks["score"])
    ranks = ranks_of(scores)
    differ = []
    for k in (ranks.max(axis=1) - ranks.min(axis=1)).sort_values(ascending=False, kind="stable").index[:NAMED]:
        other = (ranks.loc[k] - ranks.loc[k, "rank_sum"]).abs().idxmax()
        criterion = meaning_of(tasks, names[apart_in(values, weights, k, other)]).label
        differ.append((tasks.loc[k, "task_id"], *ranks.loc[k], f"{METHODS[other]}, {criterion.lower()}"))
    moved = int((ranks["rank_sum"].to_numpy() != tasks["rank"].to_numpy(int)).sum())
    return {"tasks": len(tasks), "pairs": agreement(-ranks, FIRST), "differ": differ, "moved": moved}


def reversals() -> dict[str, int]:
    """Pairs of tasks whose order turns round when another task is added."""
    values = np.random.default_rng(SEED).random((ADDED, 3)).round(2)
    counts = dict.fromkeys(METHODS, 0)
    for k in range(1, ADDED):
        few, many = (ranks_of(scores_of(values[:n], np.full(3, 1 / 3))) for n in (k, k + 1))
        for name in METHODS:
            before, after = few[name].to_numpy(), many[name].to_numpy()[:k]
            counts[name] += int(((before[:, None] < before) & (after[:, None] > after)).sum())
    return counts


def check_known_cases() -> None:
    """Published and hand-computed cases; an AssertionError where pymcdm, or what it is given, is not what it was."""
    from pymcdm.methods import TOPSIS
    from pymcdm.normalizations import vector_normalization

    # pymcdm's documentation. Min-max: rows (1, 1/3), (0, 0), (2/3, 1), (1, 1); the first is 2/3 from the best and
    # sqrt(10)/3 from the worst.
    matrix, halves, types = np.array([[4.0, 4], [1, 5], [3, 2], [4, 2]]), np.array([0.5, 0.5]), np.array([1, -1])
    by_range = TOPSIS()(matrix, halves, types, validation=False)
    np.testing.assert_allclose(by_range, [np.sqrt(10) / (np.sqrt(10) + 2), 0, 0.7829, 1], atol=5e-5)
    np.testing.assert_allclose(by_range[0], 0.6126, atol=5e-5)
    by_vector = TOPSIS(vector_normalization)(matrix, halves, types, validation=False)
    np.testing.assert_allclose(by_vector[[0, 2]], [0.629, 0.774], atol=6e-4)

    # Three tasks, weights 60 and 40, usual function (any difference counts in full):
    #      a    b     pi to the others                    phi+  phi-   phi
    # T0   0.9  0.1   over T1 .6 (a), over T2 .6 (a)      .6    .4     .2
    # T1   0.5  0.9   over T0 .4 (b), over T2 .6+.4       .7    .3     .4
    # T2   0.4  0.2   over T0 .4 (b), over T1 0           .2    .8    -.6
    # phi+ = (sum over the others) / 2, phi- = (sum of the others' over it) / 2: T0 (.6+.6)/2, (.4+.4)/2 and so on.
    # TOPSIS: best (.54, .36), worst (.24, .04); T0 (.54, .04): .32 from the best, .30 from the worst.
    # T1 (.30, .36): .24 and sqrt(.06^2 + .32^2); T2 (.24, .08): sqrt(.30^2 + .28^2) and .04.
    scores = scores_of(np.array([[0.9, 0.1], [0.5, 0.9], [0.4, 0.2]]), np.array([60.0, 40.0]))
    one, two = np.hypot(0.06, 0.32), np.hypot(0.3, 0.28)
    np.testing.assert_allclose(scores["rank_sum"], [58, 66, 32])
    np.testing.assert_allclose(scores["rank_promethee"], [0.2, 0.4, -0.6])
    np.testing.assert_allclose(scores["rank_topsis"], [0.30 / 0.62, one / (one + 0.24), 0.04 / (two + 0.04)])

    assert_ranks([[0.9 - 0.1 * k, 0.8 - 0.1 * k, 0.7 - 0.05 * k] for k in range(6)], [[k] * 3 for k in range(1, 7)])
    # Each of three tasks beats one other in each criterion, so that PROMETHEE II can't tell them apart.
    assert_ranks([[0.30, 0.65], [0.40, 0.50], [0.45, 0.35]], [[1, 0, 1], [2, 0, 1], [3, 0, 1]])
    # A long lead against two short ones: the sum counts by how much, PROMETHEE II how often.
    assert_ranks([[1.0, 0.1, 0.1], [0.1, 0.2, 0.2]], [[1, 0, 2], [2, 0, 1]])
    assert_ranks(np.zeros((0, 2)), [])
    assert_ranks([[0.5, 0.5]], [[1, 1, 1]])
    assert_ranks([[0.5, 0.5], [0.5, 0.5]], [[1, 1, 1]] * 2)
    assert_ranks([[0.5, 0.2], [0.5, 0.7]], [[2, 2, 2], [1, 1, 1]])  # a criterion with one value everywhere
    assert_ranks([[0.0, 0.0]] * 3, [[1, 1, 1]] * 3)
    assert_ranks([[0.5, 0.9], [0.6, 0.1]], [[2, 2, 2], [1, 1, 1]], [1.0, 0.0])  # a criterion without weight


def assert_ranks(values, expected: list[list[int]], weights=None) -> None:
    """Ranks by sum, TOPSIS and PROMETHEE II are the expected ones; 0: any."""
    values = np.asarray(values, dtype=float)
    weights = np.full(values.shape[1], 1 / values.shape[1]) if weights is None else np.asarray(weights)
    ranks, wanted = ranks_of(scores_of(values, weights)).to_numpy(), np.array(expected, dtype=int).reshape(-1, 3)
    np.testing.assert_array_equal(np.where(wanted > 0, ranks, 0), wanted)


def report(queues: dict[str, dict], reversed_by: dict[str, int], as_json: bool) -> None:
    print(f"| queue | tasks | methods | Kendall's tau | of the first {FIRST} in both |")
    print("|---|---|---|---|---|")
    for queue, result in queues.items():
        for pair in result["pairs"].itertuples():
            methods = f"{METHODS[pair.one]}, {METHODS[pair.other]}"
            print(f"| {queue} | {result['tasks']:,} | {methods} | {pair.kendall_tau:.3f} | {pair.shared_first} |")
    print(f"\n| queue | ranks differ most | {' | '.join(METHODS.values())} | parts most from the sum by, in |")
    print("|---|---|---|---|---|---|")
    for queue, result in queues.items():
        for row in result["differ"]:
            print(f"| {queue} | {' | '.join(map(str, row))} |")
    counts = ", ".join(f"{METHODS[name]} {count}" for name, count in reversed_by.items())
    print(f"\nPairs reversed by adding tasks one by one, up to {ADDED}: {counts}.")
    print(f"\nPython {platform.python_version()}, numpy {np.__version__}, pymcdm {version('pymcdm')}, seed {SEED}")
    if as_json:
        moved = sum(result["moved"] for result in queues.values())
        bars = {
            "ranks of the plan other than by the sum": {"value": moved, "bar": 0, "ok": moved == 0},
            "pairs reversed by the sum": {
                "value": reversed_by["rank_sum"],
                "bar": 0,
                "ok": not reversed_by["rank_sum"],
            },
        }
        for name in ("rank_topsis", "rank_promethee"):
            reverses = reversed_by[name] > 0
            bars[f"pairs reversed by {METHODS[name]}"] = {"value": reversed_by[name], "bar": "> 0", "ok": reverses}
        print(json.dumps({"bars": bars}))


def main() -> None:
    import clearplan as cp

    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--json", action="store_true")
    as_json = arguments.parse_args().json
    check_known_cases()
    study = cp.run_study(SAMPLE, change={"planning": None, "teams": [], "commitments": []})
    settings = study.project.priority
    queues = {queue: compare_queue(study.tasks, settings, queue) for queue in ("survey", "clearance")}
    report(queues, reversals(), as_json)


if __name__ == "__main__":
    main()

"""How often each of 100,000 tasks is among the first in 10,000 draws of weights: clearplan against pymcdm in one run.

    python benchmarks/robustness.py [--json] [--rounds 3]

Values 0-1 of 8 criteria, some of them in steps as people's are, and weights within half of theirs to either side. Ours
gives the share of draws in which each task is among the first 100, and the ranks between which 90 % of them lie. The
peers are pymcdm's weighted sum (WSM) and TOPSIS with the ranks that it makes of them, without its validation, which
compares all pairs; and both with ranks by numpy's argsort, which is much faster. They keep nothing of what they find.
They take too long for all draws, so they run on 20 of them and are scaled up. Below everything lies the bare matrix
product of values and weights in float32, without a rank: in the same blocks as ours, by one call of BLAS a block and in
clearplan's small pieces, of which the faster counts in each round (which it is depends on what else runs), and in
blocks that no cache holds. Memory is that of a process that does ours and nothing else.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable

import numpy as np

SEED, TASKS, DRAWS, FIRST, PEER_DRAWS = 20210612, 100_000, 10_000, 100, 20
WEIGHTS = np.array([25, 20, 15, 10, 10, 10, 5, 5.0])
LARGE = 2**25  # cells of a block that no cache holds [float32: 128 MB]
FASTER, PRODUCTS, MEMORY_MB = 100, 6, 1_500
ROWS = {
    "product": "the bare product, the faster of the next two",
    "calls": "in the same blocks, one call each",
    "pieces": "in the same blocks, in small pieces",
    "large": f"in blocks of {LARGE * 4 // 2**20} MB",
    "ours": f"clearplan: shares in the first {FIRST}, ranks of 90 %",
    "sum": f"pymcdm, weighted sum and its ranks, {PEER_DRAWS} draws, scaled",
    "topsis": f"pymcdm, TOPSIS and its ranks, {PEER_DRAWS} draws, scaled",
    "sum_argsort": "the same weighted sum, ranks by argsort",
    "topsis_argsort": "the same TOPSIS, ranks by argsort",
}


def make_workload() -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(SEED)
    values = random.random((TASKS, len(WEIGHTS)))
    values[:, 3] = values[:, 3].round(2)
    values[:, 6] = np.floor(values[:, 6] * 3) / 2
    weights = WEIGHTS * (0.5 + random.random((DRAWS, len(WEIGHTS))))
    return values.astype(np.float32), (100 * weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)


def seconds(work: Callable[[], object]) -> float:
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def ours(values: np.ndarray, weights: np.ndarray) -> tuple:
    from clearplan.priority.rank_draws import rank_draws

    found = rank_draws(values, weights, wanted=(FIRST,))
    return found, found.share_in_first(FIRST), found.interval()


def product(values: np.ndarray, weights: np.ndarray, cells: int, make: Callable) -> None:
    block = cells // len(values)
    for start in range(0, len(weights), block):
        make(values, weights[start : start + block])


def one_call(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    return weights @ values.T


def peers() -> dict:
    from pymcdm.methods import TOPSIS, WSM

    def as_it_stands(column: np.ndarray, cost: bool = False) -> np.ndarray:
        return column

    return {"sum": WSM(as_it_stands), "topsis": TOPSIS(as_it_stands)}


def by_argsort(scores: np.ndarray) -> np.ndarray:
    ranks = np.empty(len(scores), dtype=int)
    ranks[np.argsort(-scores)] = np.arange(1, len(scores) + 1)
    return ranks


def peer_ranks(method: Callable, rank: Callable, values: np.ndarray, weights: np.ndarray) -> list[np.ndarray]:
    more = np.ones(values.shape[1], dtype=int)
    return [rank(method(values, w / w.sum(), more, validation=False)) for w in weights]


def disagreements(values: np.ndarray, weights: np.ndarray) -> tuple[int, int]:
    """Draws whose first tasks are others than by pymcdm's weighted sum, and ranks in another bin over all of them."""
    from clearplan.priority.rank_draws import rank_draws

    drawn = weights[:PEER_DRAWS]
    method = peers()["sum"]
    ranks = peer_ranks(method, method.rank, values.astype(float), drawn.astype(float))
    other = sum(
        set(np.flatnonzero(rank_draws(values, w[None], wanted=(FIRST,)).share_in_first(FIRST)).tolist())
        != set(np.flatnonzero(theirs <= FIRST).tolist())
        for w, theirs in zip(drawn, ranks, strict=True)
    )
    found = rank_draws(values, drawn, wanted=(FIRST,))
    counts = np.zeros_like(found.counts)
    for theirs in ranks:
        counts[np.arange(TASKS), np.searchsorted(found.edges, theirs - 1, side="right") - 1] += 1
    moved = int(np.abs(counts.astype(int) - found.counts.astype(int)).sum()) // 2
    return int(other), moved


def work_times(rounds: int) -> dict:
    from clearplan.priority.rank_draws import _CELLS, _scores

    values, weights = make_workload()
    exact, few = values.astype(float), weights[:PEER_DRAWS].astype(float)
    methods = peers()
    ours(values, weights[:100])  # what is loaded at first use
    told: dict[str, list[float]] = {name: [] for name in ROWS}
    for _ in range(rounds):
        told["calls"].append(seconds(lambda: product(values, weights, _CELLS, one_call)))
        told["pieces"].append(seconds(lambda: product(values, weights, _CELLS, _scores)))
        told["product"].append(min(told["calls"][-1], told["pieces"][-1]))
        told["ours"].append(seconds(lambda: ours(values, weights)))
        told["large"].append(seconds(lambda: product(values, weights, LARGE, one_call)))
        for name, method in methods.items():
            for suffix, rank in (("", method.rank), ("_argsort", by_argsort)):
                once = seconds(lambda method=method, rank=rank: peer_ranks(method, rank, exact, few))
                told[name + suffix].append(once * DRAWS / PEER_DRAWS)
    other, moved = disagreements(values, weights)
    return {"seconds": told, "other": other, "moved": moved}


def work_memory() -> dict:
    values, weights = make_workload()
    ours(values, weights)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024**2 if sys.platform == "darwin" else 1024)
    return {"peak_mb": peak}


def run_part(part: str, rounds: int) -> dict:
    command = [sys.executable, "-W", "ignore", __file__, "--part", part, "--rounds", str(rounds)]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()[-1])


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--json", action="store_true")
    arguments.add_argument("--rounds", type=int, default=3)
    arguments.add_argument("--part", choices=["times", "memory"])
    asked = arguments.parse_args()
    if asked.part:
        print(json.dumps(work_times(asked.rounds) if asked.part == "times" else work_memory()))
        return
    report(run_part("times", asked.rounds), run_part("memory", 1)["peak_mb"], asked.rounds, asked.json)


def report(told: dict, peak_mb: float, rounds: int, as_json: bool) -> None:
    from importlib.metadata import version

    def ratio(of: str, to: str) -> float:
        return statistics.median(a / b for a, b in zip(told["seconds"][of], told["seconds"][to], strict=True))

    print(f"| {TASKS:,} tasks, {len(WEIGHTS)} criteria, {DRAWS:,} draws | seconds, median of {rounds} "
          "| to clearplan | to the product |")  # fmt: skip
    print("|---|---|---|---|")
    for name, words in ROWS.items():
        own = statistics.median(told["seconds"][name])
        to = (
            f"{ratio(name, 'ours'):.2g}x"
            if name in ("product", "calls", "pieces", "large")
            else f"{ratio(name, 'ours'):.1f}x"
        )
        print(f"| {words} | {own:{'.2f' if own < 100 else ',.0f'}} | {to} | {ratio(name, 'product'):,.1f}x |")
    print(
        f"\nPeak memory of clearplan's process: {peak_mb:.0f} MB. First {FIRST} other than by pymcdm's weighted sum: "
        f"{told['other']} of {PEER_DRAWS} draws; ranks in another bin: {told['moved']} of {PEER_DRAWS * TASKS:,}."
    )
    print(f"\nPython {platform.python_version()}, numpy {np.__version__}, pymcdm {version('pymcdm')}, "
          f"{os.cpu_count()} cores, seed {SEED}")  # fmt: skip
    if as_json:
        over = ratio("ours", "product")
        times = {name: ratio(name, "ours") for name in ("sum", "topsis", "sum_argsort", "topsis_argsort")}
        bars = {
            **{f"over {name}": {"value": round(t, 1), "bar": FASTER, "ok": t >= FASTER} for name, t in times.items()},
            "bare products": {"value": round(over, 1), "bar": PRODUCTS, "ok": over <= PRODUCTS},
            "peak memory, MB": {"value": round(peak_mb), "bar": MEMORY_MB, "ok": peak_mb < MEMORY_MB},
            "draws whose first differ": {"value": told["other"], "bar": 0, "ok": told["other"] == 0},
        }
        print(json.dumps({"bars": bars}))


if __name__ == "__main__":
    main()

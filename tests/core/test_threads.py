"""Work in threads: results in order, products whose bytes do not depend on the threads of BLAS."""

import os
import subprocess
import sys

import numpy as np
import pytest

from clearplan.core.threads import in_threads, multiply


def test_results_stand_in_the_order_of_their_parts():
    assert in_threads(lambda part: part**2, range(100)) == [part**2 for part in range(100)]
    assert in_threads(str, [3]) == ["3"]
    assert in_threads(str, []) == []


@pytest.mark.parametrize("shape", [(512, 14, 201), (5, 3, 100_000), (1, 1, 1), (0, 3, 4), (3, 0, 4), (700, 500, 3)])
def test_products_in_pieces_are_those_of_the_whole(shape):
    rows, inner, columns = shape
    random = np.random.default_rng(3)
    left = random.random((rows, inner), dtype=np.float32)
    right = random.random((inner, columns), dtype=np.float32)
    out = np.full((rows, columns), np.nan, dtype=np.float32)
    multiply(left, right, out)
    np.testing.assert_allclose(out, left.astype(float) @ right.astype(float), rtol=1e-5)


def test_products_have_the_same_bytes_with_any_number_of_threads():
    code = (
        "import sys, numpy as np; from clearplan.core.threads import multiply; r = np.random.default_rng(3);"
        "out = np.empty((512, 201), dtype=np.float32);"
        "multiply(r.random((512, 14), dtype=np.float32), r.random((14, 201), dtype=np.float32), out);"
        "sys.stdout.buffer.write(out.tobytes())"
    )
    # In one whole product these kernels give other last bits with two threads than with one.
    results = {
        subprocess.run(
            [sys.executable, "-c", code],
            env=os.environ | {"OPENBLAS_NUM_THREADS": threads, "OPENBLAS_CORETYPE": "Haswell"},
            capture_output=True,
            check=True,
        ).stdout
        for threads in ("1", "2")
    }
    assert len(results) == 1
    assert len(results.pop()) == 4 * 512 * 201

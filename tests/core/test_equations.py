import random
from collections import Counter

import numpy as np
import pytest

from seqbio.core import Tying
from seqbio.errors import TyingError


def test_the_solutions_are_those_of_the_linear_system():
    generator, seen = random.Random(0), Counter()
    for _ in range(2000):
        n, n_equations = generator.randint(1, 6), generator.randint(0, 7)
        left = generator.choices(range(n), k=n_equations)
        right = generator.choices(range(-1, n), k=n_equations)
        sign = generator.choices([1, 1, -1], k=n_equations)
        constant = np.array(generator.choices([0.0, 0.0, 0.0, 0.0, 1.0, 0.1], k=n_equations))
        # Each equation as a row: x[left] - sign x[right] = constant.
        matrix = np.zeros((n_equations, n))
        for row, i, j, s in zip(matrix, left, right, sign, strict=True):
            row[i] += 1
            if j >= 0:
                row[j] -= s
        rank = np.linalg.matrix_rank(matrix) if n_equations else 0
        if n_equations and np.linalg.matrix_rank(np.column_stack([matrix, constant])) > rank:
            seen.update(contradictory=1)
            with pytest.raises(TyingError, match="contradict"):
                Tying.from_equations(n, left, right, sign, constant)
            continue
        tying = Tying.from_equations(n, left, right, sign, constant)
        free = np.array([generator.uniform(-1, 1) for _ in range(tying.n_free)])
        assert tying.n_free == n - rank
        np.testing.assert_allclose(matrix @ tying.expand(free), constant, atol=1e-14)
        seen.update(tied=int(0 < rank < n), determined=int(rank == n))
    assert min(seen.values()) > 200, seen


def test_free_parameters_are_the_first_entries_of_the_components():
    tying = Tying.from_equations(5, left=[4, 2], right=[1, 0], sign=[-1, 1], constant=[1, 2])
    np.testing.assert_array_equal(tying.project([10.0, 11.0, 12.0, 13.0, -10.0]), [10, 11, 13])


def test_a_long_chain():
    n = 100_000
    steps = np.arange(1, n)
    tying = Tying.from_equations(n, left=steps, right=steps - 1, sign=-1, constant=1.0)
    np.testing.assert_array_equal(tying.expand([5.0]), np.where(np.arange(n) % 2, -4.0, 5.0))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([2], [0]), r"left\[0\] is 2; give entries from 0 to 1"),
        (([-1], [0]), r"left\[0\] is -1"),
        (([0], [-2]), r"right\[0\] is -2; give entries from 0 to 1, or -1 for none"),
        (([0], [1], [0]), r"sign\[0\] is 0.0; give \+1 or -1"),
        (([0], [1], 1, [np.nan]), r"constant\[0\] is nan"),
        (([0], [1], 1, [np.inf]), r"constant\[0\] is inf; only a fixed entry can be infinite"),
        (([0, 1], [0, 1, 0]), r"have shapes \[\(2,\), \(3,\), \(\), \(\)\]; give one number"),
    ],
)
def test_malformed_equations_are_refused(arguments, message):
    with pytest.raises(TyingError, match=message):
        Tying.from_equations(2, *arguments)

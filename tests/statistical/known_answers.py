"""Type I errors of tests on small models whose laws are known exactly or in the limit.

Chi-squared for regular ones, half-half for a mean that cannot be negative, and a quarter, half and
quarter for two such means.

Run from the root of the source tree, it prints how often true nulls are rejected at 10, 5 and 1 %
among 2,000 data sets of each model, with binomial limits of 99 %:

    python -m tests.statistical.known_answers
"""

from __future__ import annotations

import numpy as np

from seqbio.core import Hypothesis, equal, fixed, spawn_generators, untied
from seqbio.hypothesis_testing import compare
from tests.hypothesis_testing.simulating import PositiveMeans, at_boundary_against_free
from tests.hypothesis_testing.toy_models import (
    Binomial,
    Normal,
    Poisson,
    Redundant,
    one_against_many,
)
from tests.statistical.limits import Rejections, as_table, rejections

N_DATA_SETS = 2000
TRIALS = np.array([400, 300, 500])
TIMES = np.array([20.0, 30.0])


def symbols_after_symbols(generator: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Count the ones after a zero and after a one in 500 independent binary symbols."""
    symbols = generator.random(500) < 0.4
    before, after = symbols[:-1], symbols[1:]
    return (
        np.array([after[~before].sum(), after[before].sum()]),
        np.array([(~before).sum(), before.sum()]),
    )


# Each with a null that is true, and enough events for the chi-squared law to be a good one.
CASES = {
    "equal binomial probabilities, 3 groups": (
        one_against_many(Binomial(3)),
        lambda generator: (generator.binomial(TRIALS, 0.3), TRIALS),
    ),
    "equal normal means, 2 groups": (
        one_against_many(Normal(2)),
        lambda generator: generator.normal(2.0, 1.0, size=(10, 2)),
    ),
    "equal Poisson rates, 2 groups": (
        one_against_many(Poisson(2)),
        lambda generator: (generator.poisson(4.0 * TIMES), TIMES),
    ),
    "equal Poisson rates, 3 parameters for 2 rates": (
        (
            Hypothesis(Redundant(), equal(3, [0, 1]).intersect(fixed(3, 2, 0.0))),
            Hypothesis(Redundant(), untied(3)),
        ),
        lambda generator: (generator.poisson(4.0 * TIMES), TIMES),
    ),
    "Markov order 0 against 1, two symbols": (
        one_against_many(Binomial(2)),
        symbols_after_symbols,
    ),
    "a mean of 0 against one above (half-half)": (
        at_boundary_against_free(PositiveMeans(1)),
        lambda generator: generator.standard_normal((30, 1)),
    ),
    "two means of 0 against ones above (orthant)": (
        at_boundary_against_free(PositiveMeans(2)),
        lambda generator: generator.standard_normal((30, 2)),
    ),
}


def rejections_of(name: str, n_data_sets: int = N_DATA_SETS, seed: int = 0) -> list[Rejections]:
    """Test a true null on many data sets, which do not depend on how many there are.

    Parameters
    ----------
    name : str
        One of `CASES`.
    n_data_sets : int
        How many.
    seed : int
        For the data.

    Returns
    -------
    list of Rejections
        At 10, 5 and 1 %.
    """
    (null, alternative), draw = CASES[name]
    generators = spawn_generators(seed, n_data_sets)
    return rejections(compare(null, alternative, draw(one)).pvalue for one in generators)


if __name__ == "__main__":
    for name in CASES:
        print(as_table(name, rejections_of(name)), end="\n\n")

"""Type I error of the test that gaps arise alike in both sequences of a pair.

True nulls are simulated: sets of a few short pairs whose gaps are as many and as long in x as in y.
Each is fitted with the gaps tied and untied, and twice the gain in log-likelihood is held against
the chi-squared distribution with 2 degrees of freedom. Run from the root of the source tree, this
prints how often the null is rejected at 10, 5 and 1 %, with binomial limits of 99 %:

    python -m tests.statistical.pair_hmm_size --n 2000 --workers 2
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from concurrent.futures import Executor, ProcessPoolExecutor

import numpy as np
from scipy import stats

from seqbio import PairHMM
from seqbio.core import map_pieces, spawn_generators
from tests.statistical.limits import Rejections, as_table, rejections

N_DATA_SETS = 2000
N_PAIRS = 10
COLUMNS = 100
TRUTH = {
    "open_x": 0.05,
    "open_y": 0.05,
    "extend_x": 0.4,
    "extend_y": 0.4,
    "end": 1 / (COLUMNS + 1),
    "distance": 0.1,
    "kappa": 2.0,
    "frequency_A": 0.3,
    "frequency_C": 0.2,
    "frequency_G": 0.2,
    "frequency_T": 0.3,
}
SETTLED = 1e-6  # nats; a ratio may be so far below 0 from fits that stop there


def likelihood_ratio(generator: np.random.Generator) -> float | None:
    """Simulate one data set and fit both hypotheses.

    Parameters
    ----------
    generator : numpy.random.Generator
        For the data.

    Returns
    -------
    float or None
        Twice the gain in log-likelihood; None if it is negative or a fit did not converge.
    """
    pairs = PairHMM().set_parameters(TRUTH).simulate(N_PAIRS, columns=COLUMNS, seed=generator)
    tied, free = (PairHMM(tie=tie).fit(pairs) for tie in (("open", "extend"), ()))
    ratio = 2 * (free.log_likelihood_ - tied.log_likelihood_)
    if not (tied.converged_ and free.converged_) or ratio < -SETTLED:
        return None
    return max(ratio, 0.0)


def likelihood_ratios(
    n_data_sets: int,
    *,
    seed: int = 0,
    executor: Executor | None = None,
    on_done: Callable[[int, int], object] | None = None,
) -> list[float | None]:
    """Work out the ratios of many data sets, the same ones for any number of workers.

    Parameters
    ----------
    n_data_sets : int
        How many.
    seed : int
        For the data.
    executor, on_done
        As in `seqbio.core.map_pieces`.

    Returns
    -------
    list of float or None
        As `likelihood_ratio` gives them.
    """
    generators = spawn_generators(seed, n_data_sets)
    return map_pieces(likelihood_ratio, generators, executor=executor, on_done=on_done)


def rejections_of(ratios: list[float | None]) -> list[Rejections]:
    """Count the rejections at 10, 5 and 1 %."""
    return rejections(None if ratio is None else stats.chi2.sf(ratio, 2) for ratio in ratios)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--n", type=int, default=N_DATA_SETS, help="data sets (2000)")
    parser.add_argument("--workers", type=int, default=1, help="processes (1)")
    parser.add_argument("--seed", type=int, default=0, help="for the data (0)")
    options = parser.parse_args()
    with ProcessPoolExecutor(options.workers) as executor:
        ratios = likelihood_ratios(options.n, seed=options.seed, executor=executor)
    print(as_table("tied gaps in the pair HMM", rejections_of(ratios)))
    known = np.array([ratio for ratio in ratios if ratio is not None])
    print(
        f"mean ratio {known.mean():.3f} (2 expected), "
        f"standard error {known.std(ddof=1) / np.sqrt(len(known)):.3f}; "
        f"Kolmogorov-Smirnov p = {stats.kstest(known, stats.chi2(2).cdf).pvalue:.3f}"
    )


if __name__ == "__main__":
    main()

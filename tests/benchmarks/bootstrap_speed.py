"""What a bootstrap costs, in refits: 20 pairs of 300 letters, tied against untied gaps.

Run from the root of the source tree; times are of the processor, so that other work on the machine
does not count:

    python -m tests.benchmarks.bootstrap_speed [replicates]

One refit is a tied and an untied fit, each started at the null's optimum, of the mean difficulty
met among the bootstrap's own data sets. The ratio should be at most 1.15 times the replicates.
"""

from __future__ import annotations

import sys
import time

from seqbio.core import fit, simulate_from, spawn_generators
from seqbio.hypothesis_testing import Comparison, bootstrap_test
from seqbio.pairhmm import PairHMM

TRUTH = {
    "open_x": 0.02,
    "open_y": 0.02,
    "extend_x": 0.5,
    "extend_y": 0.5,
    "end": 0.003,
    "distance": 0.1,
    "kappa": 2.0,
}


def measure(n_replicates: int = 20) -> tuple[float, float]:
    """Give the seconds of a bootstrap, and of as many refits by hand of the same data sets."""
    pairs = PairHMM().set_parameters(TRUTH).simulate(20, columns=300, seed=1)
    null, data = PairHMM(tie=("open", "extend")).hypothesis(pairs)
    alternative, _ = PairHMM(tie=()).hypothesis(pairs)
    null_fit = fit(null.model, null.tying, data)
    alternative_fit = fit(alternative.model, alternative.tying, data, start=null_fit.full)

    drawn = [
        simulate_from(null.model, null_fit.full, data, generator)
        for generator in spawn_generators(2, n_replicates)
    ]
    for one in drawn:
        one.coded  # noqa: B018  made beforehand, so that refits alone are timed
    started = time.process_time()
    for one in drawn:
        for hypothesis in (null, alternative):
            fit(hypothesis.model, hypothesis.tying, one, start=null_fit.full)
    by_hand = time.process_time() - started

    started = time.process_time()
    bootstrap_test(
        Comparison(null_fit, alternative_fit, data, 2), n_replicates=n_replicates, seed=2
    )
    return time.process_time() - started, by_hand


if __name__ == "__main__":
    n = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    bootstrap, by_hand = measure(n)
    print(
        f"{n} replicates: {bootstrap:.2f} s; {n} refits by hand: {by_hand:.2f} s "
        f"({1000 * by_hand / n:.0f} ms each); ratio {bootstrap / by_hand:.3f}"
    )

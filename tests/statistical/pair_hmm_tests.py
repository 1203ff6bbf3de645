"""Type I errors and power of tests of gap symmetry, by simulation.

Run from the root of the source tree; each case prints a table, with binomial limits of 99 %:

    python -m tests.statistical.pair_hmm_tests [case] [data sets]

The cases: ``regular`` (chi-squared), ``sparse`` (gap openings of 0.002, bootstrap), ``boundary``
(moves straight from one gap into the other, half-half), ``power`` (chi-squared against the
noncentral law), ``split`` (ten pairs, universal inference).
"""

from __future__ import annotations

import sys
import time
from typing import Any

from seqbio.hypothesis_testing import Power, SelfCheck, calibrate, power
from seqbio.pairhmm import PairHMM

COMMON = {"end": 0.01, "distance": 0.1, "kappa": 2.0}
GAPS = {"open_x": 0.04, "open_y": 0.04, "extend_x": 0.4, "extend_y": 0.4}
SPARSE = {**GAPS, "open_x": 0.002, "open_y": 0.002}


def design(parameters: dict[str, float], n_pairs: int, columns: int, **settings: Any) -> Any:
    """Draw one data set, for its numbers and lengths, and keep the parameters."""
    hmm = PairHMM("dna", "hky85", "equal", tie=(), **settings)
    hmm.set_parameters({**COMMON, **parameters})
    return hmm.simulate(n_pairs, columns=columns, seed=0), hmm.full_


def estimator(tie: tuple[str, ...], **settings: Any) -> PairHMM:
    """Make the estimator of one hypothesis."""
    return PairHMM("dna", "hky85", "equal", tie=tie, **settings)


def regular(n: int = 2000, seed: int = 1) -> SelfCheck:
    """About 60 gap openings on either side: chi-squared."""
    pairs, full = design(GAPS, n_pairs=50, columns=30)
    null, alternative = estimator(("open", "extend")), estimator(("extend",))
    return calibrate(null, alternative, pairs, n, parameters=full, calibration="chi2", seed=seed)


def sparse(n: int = 500, seed: int = 2) -> SelfCheck:
    """About 3 gap openings on either side: bootstrap with 99 replicates."""
    pairs, full = design(SPARSE, n_pairs=50, columns=30)
    null, alternative = estimator(("open", "extend")), estimator(("extend",))
    return calibrate(
        null,
        alternative,
        pairs,
        n,
        parameters=full,
        calibration="bootstrap",
        n_replicates=99,
        seed=seed,
    )


def boundary(n: int = 2000, seed: int = 3) -> SelfCheck:
    """No move from gap to gap under the null: half-half of chi-squared with 0 and 1 degrees."""
    pairs, full = design(GAPS, n_pairs=50, columns=30, switch="off")
    tie = ("open", "extend")
    null, alternative = estimator(tie, switch="off"), estimator(tie, switch="tied")
    return calibrate(
        null, alternative, pairs, n, parameters=full, calibration="boundary", seed=seed
    )


def chi_squared_power(n: int = 500, seed: int = 4) -> Power:
    """Gaps of y open half as often again as gaps of x."""
    pairs, full = design({**GAPS, "open_x": 0.03, "open_y": 0.045}, n_pairs=50, columns=30)
    null, alternative = estimator(("open", "extend")), estimator(("extend",))
    return power(null, alternative, pairs, full, n=n, calibration="chi2", seed=seed)


def split(n: int = 200, seed: int = 5) -> SelfCheck:
    """Ten pairs: the split test must not reject more often than its level."""
    pairs, full = design(GAPS, n_pairs=10, columns=60)
    null, alternative = estimator(("open", "extend")), estimator(("extend",))
    return calibrate(
        null, alternative, pairs, n, parameters=full, calibration="split", n_splits=1, seed=seed
    )


CASES = {
    "regular": regular,
    "sparse": sparse,
    "boundary": boundary,
    "power": chi_squared_power,
    "split": split,
}


def report(name: str, n: int | None = None) -> str:
    """Carry one case out and lay it out for people."""
    started = time.perf_counter()
    found = CASES[name]() if n is None else CASES[name](n)
    seconds = time.perf_counter() - started
    if isinstance(found, Power):
        lower, upper = found.interval
        text = (
            f"power at {100 * found.level:g} %: {found.by_simulation:.3f} of {len(found.trials)} "
            f"data sets ({lower:.3f} to {upper:.3f}); noncentral chi-squared {found.by_law:.3f}"
        )
    else:
        text = str(found)
    return f"{name}: {CASES[name].__doc__}\n{text}\n{seconds:.0f} s"


if __name__ == "__main__":
    chosen = sys.argv[1:2] or list(CASES)
    for name in chosen:
        print(report(name, int(sys.argv[2]) if len(sys.argv) > 2 else None), flush=True)

"""Type I errors of tests of gap symmetry on data that differ from one pair to the next.

Run from the root of the source tree; each case prints a table, with binomial limits of 99 %, and
beside it that of a naive analysis of a fifth as many:

    python -m tests.statistical.pair_hmm_data [case] [data sets]

The cases: ``lengths`` (pairs of 20 to 120 columns together, with gaps twice as long in one sequence
as in the other, so that x and y differ in length; naive: a paired t-test of the lengths of x and
y), ``within`` (two groups of pairs, one close with few gaps, one far with many; openings as
frequent in x as in y in each; naive: the groups mixed up), ``between`` (the same two groups, with
openings as frequent in the one as in the other; naive: all but the openings held equal, too),
``mixture`` (three gaps in ten are long; openings, extensions and shares of long gaps tied under
``gap_lengths=2``; naive: geometric gap lengths), ``trimmed`` (five letters cut off the end of every
y, so that x overhangs, tested with ``ends="free_x"``; naive: aligned ends), ``both`` (short and
long gaps and trimmed ends; naive: geometric gap lengths and aligned ends), ``ends`` (the same with
five letters cut off the beginning of every y, too).
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import stats

from seqbio import GroupedPairs, PairHMM
from seqbio.core import as_hypothesis, simulate_from, spawn_generators
from seqbio.hypothesis_testing import SelfCheck, calibrate
from seqbio.pairhmm.pair_data import PairData
from seqbio.pairhmm.pair_model import PairModel
from tests.statistical.limits import as_table, rejections

COMMON = {"open_x": 0.05, "open_y": 0.05, "extend_x": 0.3, "extend_y": 0.3, "end": 0.02}
NEAR = {**COMMON, "distance": 0.05}
FAR = {**COMMON, "distance": 0.4, "extend_x": 0.5, "extend_y": 0.5}
FEW, MANY = {"open_x": 0.03, "open_y": 0.03}, {"open_x": 0.09, "open_y": 0.09}
LONG_GAPS = {"long_x": 0.3, "long_y": 0.3, "extend_long_x": 0.85, "extend_long_y": 0.85}
SHORT_AND_LONG = {**COMMON, **LONG_GAPS, "extend_x": 0.2, "extend_y": 0.2, "distance": 0.1}
N_DATA_SETS = 1000
N_TRIMMED = 5  # letters
SETTINGS: dict[str, Any] = {"substitution": "jc69", "frequencies": "equal"}


def drawn(
    parameters: dict[str, float], columns: list[int], seed: int, **settings: Any
) -> list[Any]:
    """Draw one data set, for its numbers and lengths."""
    hmm = PairHMM(**SETTINGS, **settings).set_parameters(parameters)
    return hmm.simulate(len(columns), columns=columns, seed=seed)


def estimator(*tie: str, **settings: Any) -> PairHMM:
    """Make the estimator of one hypothesis."""
    return PairHMM(tie=tie, **SETTINGS, **settings)


def lengths(n: int = N_DATA_SETS, seed: int = 1) -> tuple[SelfCheck, str]:
    """Pairs of 20 to 120 columns, gaps longer in y than in x: openings tied, chi-squared."""
    columns = np.linspace(20, 120, 24).astype(int).tolist()
    truth = {**NEAR, "distance": 0.1, "extend_x": 0.6}
    pairs, null = drawn(truth, columns, seed=0), estimator("open")
    full = null.set_parameters(truth).full_
    found = calibrate(null, estimator(), pairs, n, parameters=full, calibration="chi2", seed=seed)

    def compare_lengths(data: Any) -> float:
        return float(stats.ttest_rel(*data.lengths.T).pvalue)

    return found, naive("a paired t-test of the lengths", null, pairs, full, compare_lengths, n)


def grouped(near: dict[str, float], far: dict[str, float]) -> tuple[GroupedPairs, np.ndarray]:
    """Draw 20 close and 20 distant pairs of 40 columns, and give their parameters."""
    parts = [drawn(parameters, [40] * 20, seed) for seed, parameters in enumerate((near, far))]
    pairs = GroupedPairs(parts[0] + parts[1], ["near"] * 20 + ["far"] * 20)
    full = [PairHMM(**SETTINGS).set_parameters(parameters).full_ for parameters in (near, far)]
    return pairs, np.concatenate(full)


def within(n: int = N_DATA_SETS, seed: int = 2) -> tuple[SelfCheck, str]:
    """Two unlike groups, openings as frequent in x as in y in each: chi-squared."""
    pairs, full = grouped({**NEAR, **FEW}, {**FAR, **MANY})
    null, alternative = estimator("open", "extend"), estimator("extend")
    found = calibrate(null, alternative, pairs, n, parameters=full, calibration="chi2", seed=seed)
    test = ratio_test(estimator("open", "extend", "group"), estimator("extend", "group"), pairs)
    return found, naive("all parameters the same in both groups", null, pairs, full, test, n)


def between(n: int = N_DATA_SETS, seed: int = 3) -> tuple[SelfCheck, str]:
    """Two unlike groups, openings as frequent in the one as in the other: chi-squared."""
    pairs, full = grouped(NEAR, FAR)
    tie = ("open", "extend")
    null, alternative = estimator(*tie, "group.open"), estimator(*tie)
    found = calibrate(null, alternative, pairs, n, parameters=full, calibration="chi2", seed=seed)
    others = (*tie, "group.extend", "group.distance", "group.end")
    test = ratio_test(estimator(*others, "group.open"), estimator(*others), pairs)
    title = "all else the same in both groups"
    return found, naive(title, null, pairs, full, test, n)


def mixture(n: int = N_DATA_SETS, seed: int = 4) -> tuple[SelfCheck, str]:
    """Short and long gaps, all alike in x and y: 4 degrees of freedom, chi-squared."""
    pairs = drawn(SHORT_AND_LONG, [80] * 40, seed=0, gap_lengths=2)
    null = estimator("open", "extend", "long", gap_lengths=2)
    full = null.set_parameters(SHORT_AND_LONG).full_
    alternative = estimator(gap_lengths=2)
    found = calibrate(null, alternative, pairs, n, parameters=full, calibration="chi2", seed=seed)
    test = ratio_test(estimator("open", "extend"), estimator(), pairs)
    return found, naive("geometric gap lengths", null, pairs, full, test, n)


class TrimmedModel(PairModel):
    """Draws pairs with aligned ends and cuts letters off every y; its likelihood is as ever."""

    kept = slice(None, -N_TRIMMED)

    def simulate(self, full: Any, data: PairData, generator: np.random.Generator) -> PairData:
        """Draw as many pairs as the data have, and cut."""
        whole = super().simulate(full, data, generator)
        return PairData(whole.alphabet, whole.x, [y[self.kept] for y in whole.y])


class DoublyTrimmedModel(TrimmedModel):
    """The same at the beginning and at the end."""

    kept = slice(N_TRIMMED, -N_TRIMMED)


class TrimmedHMM(PairHMM):
    """States hypotheses about pairs that were trimmed."""

    trimmed = TrimmedModel

    @property
    def model(self) -> PairModel:
        """The model in coordinates, before any tying."""
        model = super().model
        return self.trimmed(model.family, model.rna)


class DoublyTrimmedHMM(TrimmedHMM):
    """States hypotheses about pairs that were trimmed at both ends."""

    trimmed = DoublyTrimmedModel


def trimmed(n: int = N_DATA_SETS, seed: int = 5) -> tuple[SelfCheck, str]:
    """Five letters cut off every y, free ends of x: 2 degrees of freedom, chi-squared."""
    return cut({**NEAR, "distance": 0.1}, ("open", "extend"), n, seed)


def both(n: int = N_DATA_SETS, seed: int = 6) -> tuple[SelfCheck, str]:
    """Short and long gaps, five letters cut off every y, free ends of x: 4 degrees, chi-squared."""
    return cut(SHORT_AND_LONG, ("open", "extend", "long"), n, seed, gap_lengths=2)


def ends(n: int = N_DATA_SETS, seed: int = 7) -> tuple[SelfCheck, str]:
    """Short and long gaps, five letters cut off either end of every y: 4 degrees, chi-squared."""
    tie = ("open", "extend", "long")
    return cut(SHORT_AND_LONG, tie, n, seed, DoublyTrimmedHMM, gap_lengths=2)


def cut(
    truth: dict[str, float],
    tie: tuple[str, ...],
    n: int,
    seed: int,
    trimmed_hmm: type[TrimmedHMM] = TrimmedHMM,
    **settings: Any,
) -> tuple[SelfCheck, str]:
    """Test the symmetry of gaps in trimmed pairs."""
    pairs = drawn(truth, [80] * 40, seed=0, **settings)
    settings |= {"ends": "free_x", **SETTINGS}
    null, alternative = trimmed_hmm(tie=tie, **settings), trimmed_hmm(tie=(), **settings)
    full = null.set_parameters(truth).full_
    found = calibrate(null, alternative, pairs, n, parameters=full, calibration="chi2", seed=seed)
    test = ratio_test(estimator("open", "extend"), estimator(), pairs)
    return found, naive("aligned ends, geometric gap lengths", null, pairs, full, test, n)


def ratio_test(null: PairHMM, alternative: PairHMM, design: Any) -> Callable[[Any], float | None]:
    """Make a function that gives the chi-squared p-value of one data set."""
    from seqbio.core import fit

    hypotheses = [as_hypothesis(each, design)[0] for each in (null, alternative)]
    df = hypotheses[1].tying.n_free - hypotheses[0].tying.n_free

    def pvalue(data: Any) -> float | None:
        narrow = fit(hypotheses[0].model, hypotheses[0].tying, data)
        wide = fit(hypotheses[1].model, hypotheses[1].tying, data, start=narrow.full)
        if not (narrow.converged and wide.converged):
            return None
        return float(stats.chi2.sf(2 * (wide.log_likelihood - narrow.log_likelihood), df))

    return pvalue


def naive(
    title: str,
    null: PairHMM,
    design: Any,
    full: np.ndarray,
    test: Callable[[Any], float | None],
    n: int,
) -> str:
    """Count the rejections of a naive test on a fifth as many data sets from the same truth."""
    hypothesis, prepared = as_hypothesis(null, design)
    pvalues = [
        test(simulate_from(hypothesis.model, full, prepared, generator))
        for generator in spawn_generators(0, max(n // 5, 1))
    ]
    return as_table(f"naive ({title})", rejections(pvalues))


CASES = {
    "lengths": lengths,
    "within": within,
    "between": between,
    "mixture": mixture,
    "trimmed": trimmed,
    "both": both,
    "ends": ends,
}


def report(name: str, n: int = N_DATA_SETS) -> str:
    """Carry one case out and lay it out for people."""
    started = time.perf_counter()
    found, beside = CASES[name](n)
    seconds = time.perf_counter() - started
    return f"{name}: {CASES[name].__doc__}\n{found}\n{beside}\n{seconds:.0f} s"


if __name__ == "__main__":
    chosen = sys.argv[1:2] or list(CASES)
    n_data_sets = int(sys.argv[2]) if len(sys.argv) > 2 else N_DATA_SETS
    for case in chosen:
        print(report(case, n_data_sets), flush=True)

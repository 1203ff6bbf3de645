"""True nulls on data that are not as the models would have them, tested by default.

Real pairs differ in their rates, share ancestors and occur twice. Each case makes data sets for
which the null is true, tests each as `seqbio.compare` does by default, and counts. Beside it stands
what chi-squared would have said. Run from the root of the source tree, this prints the rows:

    python -m tests.statistical.true_nulls [case] [data sets]
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Callable

import numpy as np
from scipy.special import log_expit
from scipy.stats import chi2

import seqbio
from seqbio.core import Hypothesis, Layout, fixed, untied
from seqbio.errors import SeqbioError
from seqbio.hypothesis_testing import LikelihoodRatioResult
from tests.statistical.limits import as_table, rejections

GAPS = {"open_x": 0.03, "open_y": 0.03, "extend_x": 0.4, "extend_y": 0.4}
TRUTH = {**GAPS, "end": 0.01, "distance": 0.1}
SETTINGS = {"substitution": "jc69", "frequencies": "equal"}
OPEN = ("open", "extend"), ("extend",)


def pairs_of(n, columns, generator, **changes):
    """Draw pairs; changes may give a function of the generator for a parameter."""
    pairs = []
    for _ in range(n):
        own = {k: v(generator) if callable(v) else v for k, v in changes.items()}
        hmm = seqbio.PairHMM(**SETTINGS).set_parameters({**TRUTH, **own})
        pairs += hmm.simulate(1, columns=columns, seed=int(generator.integers(2**31)))
    return pairs


def varying(mean: float, cv: float) -> Callable[[np.random.Generator], float]:
    """Draw a rate with a gamma law."""
    return lambda generator: float(np.clip(mean * generator.gamma(cv**-2, cv**2), 1e-5, 0.3))


def tested(pairs, ties, generator, **options) -> LikelihoodRatioResult:
    null, alternative = (seqbio.PairHMM(tie=tie, **SETTINGS) for tie in ties)
    return seqbio.compare(
        null, alternative, pairs, check_fit=False, seed=generator, n_replicates=199, **options
    )


def pairs_differ(generator, cv=1.0, n=15, columns=100, ties=OPEN, **options):
    """Gap rates that differ among 15 pairs of 100 columns, independently in x and y."""
    rate = varying(0.03, cv)
    pairs = pairs_of(n, columns, generator, open_x=rate, open_y=rate)
    return tested(pairs, ties, generator, **options)


def forty_pairs_differ(generator):
    """The same for 40 pairs of 60 columns, openings and extensions tested."""
    return pairs_differ(generator, n=40, columns=60, ties=(("open", "extend"), ()))


def forty_pairs_differ_robust(generator):
    """The same by the robust law."""
    ties = ("open", "extend"), ()
    return pairs_differ(generator, n=40, columns=60, ties=ties, calibration="robust")


def forty_pairs_differ_less(generator):
    """Gap rates of a coefficient of variation of 0.5."""
    return pairs_differ(generator, cv=0.5, n=40, columns=60, ties=(("open", "extend"), ()))


def turned_copies(generator):
    """Twelve pairs, each there again as its reverse complement."""
    pairs = pairs_of(12, 100, generator)
    turned = [tuple(record.seq.reverse_complement() for record in pair) for pair in pairs]
    return tested(pairs + turned, OPEN, generator)


def exact_copies(generator):
    """Twenty pairs, five of them 2, 3, 4, 6 and 10 times."""
    pairs = pairs_of(20, 60, generator)
    copies = [pair for pair, n in zip(pairs, (1, 2, 3, 5, 9), strict=False) for _ in range(n)]
    return tested(pairs + copies, OPEN, generator)


def declared_clusters(generator):
    """The same as clusters that somebody has declared, by the robust law."""
    pairs = pairs_of(20, 60, generator)
    labels = np.repeat(np.arange(20), [2, 3, 4, 6, 10] + [1] * 15)
    repeated = [pairs[label] for label in labels]
    return tested(repeated, OPEN, generator, clusters=labels, calibration="robust")


def declared_clusters_by_default(generator):
    """The same by default."""
    pairs = pairs_of(20, 60, generator)
    labels = np.repeat(np.arange(20), [2, 3, 4, 6, 10] + [1] * 15)
    repeated = [pairs[label] for label in labels]
    return tested(repeated, OPEN, generator, clusters=labels)


def _two_groups(generator, null, proportional):
    distances = np.clip(0.2 * generator.gamma(4.0, 0.25, 30), 0.01, 1.5)
    pairs = []
    for distance in distances:
        gap = min(0.15 * distance, 0.3) if proportional else 0.03
        pairs += pairs_of(1, 100, generator, distance=distance, open_x=gap, open_y=gap)
    grouped = seqbio.GroupedPairs(pairs, ["a"] * 15 + ["b"] * 15)
    return tested(grouped, ((*OPEN[0], null), OPEN[0]), generator)


def groups_of_distances(generator):
    """Two groups of 15 pairs whose distances vary alike (CV 0.5): group.distance."""
    return _two_groups(generator, "group.distance", proportional=False)


def groups_of_proportional_rates(generator):
    """The same with gap rates proportional to the distance: group.open."""
    return _two_groups(generator, "group.open", proportional=True)


def alike(generator):
    """Fifteen pairs that are alike, as chi-squared takes for granted."""
    return tested(pairs_of(15, 100, generator), OPEN, generator)


def openings_of_unequal_extensions(generator):
    """Openings tied, while gaps are longer in y: signs of effective scores."""
    rate = varying(0.03, 1.0)
    pairs = pairs_of(15, 100, generator, open_x=rate, open_y=rate, extend_y=0.7)
    return tested(pairs, (("open",), ()), generator)


def few_substitutions(generator):
    """JC69 against K80 with some six substitutions."""
    pairs = pairs_of(4, 100, generator, distance=0.015)
    null, alternative = (
        seqbio.PairHMM(substitution=name, frequencies="equal") for name in ("jc69", "k80")
    )
    return seqbio.compare(
        null, alternative, pairs, check_fit=False, seed=generator, n_replicates=199
    )


class Logistic:
    """Classes of items; data are the variables and, in the last column, the class."""

    def __init__(self, n):
        self.layout = Layout({"slope": (n,)})

    def start(self, data):
        return np.zeros(self.layout.size)

    def log_likelihood(self, full, data):
        return log_expit((2 * data[:, -1] - 1) * (data[:, :-1] @ full))

    def log_likelihood_and_gradient(self, full, data):
        signs = 2 * data[:, -1] - 1
        margin = signs * (data[:, :-1] @ full)
        slope = (signs * np.exp(log_expit(-margin))) @ data[:, :-1]
        return self.log_likelihood(full, data).sum(), slope

    def simulate(self, full, data, generator):
        chance = np.exp(log_expit(data[:, :-1] @ full))
        return np.column_stack([data[:, :-1], generator.random(len(data)) < chance])


def many_parameters(generator):
    """A logistic model of 200 items with 80 parameters, half of them tested."""
    data = np.column_stack([generator.standard_normal((200, 80)), generator.integers(0, 2, 200)])
    model, held = Logistic(80), list(range(40))
    null = Hypothesis(model, fixed(80, held, np.zeros(40)))
    return seqbio.compare(null, Hypothesis(model, untied(80)), data, n_splits=2, seed=generator)


def _chains(order, ties, alphabet, n, length, generator, **settings):
    letters = seqbio.sequences.get_alphabet(alphabet).letters
    share = 1.0 / np.arange(3, len(letters) + 3)
    drawn = generator.choice(list(letters), (n, length), p=share / share.sum())
    null, alternative = (
        seqbio.MarkovModel(order, tie=tie, alphabet=alphabet, ends=False, **settings)
        for tie in ties
    )
    return seqbio.compare(null, alternative, ["".join(row) for row in drawn], seed=generator)


def protein_order(generator):
    """Order 0 against 1 of 20 letters, 16 sequences of 400."""
    return _chains(1, (("time", "lag"), ("time",)), "protein", 16, 400, generator)


def dna_order(generator):
    """Order 2 against 3 of 4 letters, 9 sequences of 450."""
    return _chains(3, (("time", "lag"), ("time",)), "dna", 9, 450, generator)


def homogeneity(generator):
    """The same rules at all steps, 200 windows of 32 letters, 589 degrees of freedom."""
    return _chains(0, (("time",), ()), "protein", 200, 32, generator, max_length=32)


CASES = {
    case.__name__: case
    for case in (
        alike,
        pairs_differ,
        openings_of_unequal_extensions,
        forty_pairs_differ,
        forty_pairs_differ_less,
        forty_pairs_differ_robust,
        turned_copies,
        exact_copies,
        declared_clusters,
        declared_clusters_by_default,
        groups_of_distances,
        groups_of_proportional_rates,
        few_substitutions,
        many_parameters,
        protein_order,
        dna_order,
        homogeneity,
    )
}


def outcomes(name: str, n: int, seed: int = 0):
    """Test n true nulls: p-values, what chi-squared would say, and the laws that were used."""
    pvalues, plain, laws = [], [], Counter()
    for generator in np.random.default_rng(seed).spawn(n):
        try:
            result = CASES[name](generator)
        except SeqbioError as error:
            laws[type(error).__name__] += 1
            pvalues.append(None)
            continue
        pvalues.append(result.pvalue)
        plain.append(chi2.sf(result.statistic, result.df))
        laws[result.calibration] += 1
    return pvalues, plain, laws


if __name__ == "__main__":
    wanted = sys.argv[1:2] or list(CASES)
    for case in wanted:
        began = time.perf_counter()
        found, plain, laws = outcomes(case, int(sys.argv[2]) if len(sys.argv) > 2 else 200)
        print(CASES[case].__doc__, dict(laws), f"{time.perf_counter() - began:.0f} s")
        print(as_table(f"{case}, by default", rejections(found)))
        print(as_table(f"{case}, chi-squared", rejections(plain)), flush=True)

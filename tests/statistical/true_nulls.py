"""True nulls on data that are not as the models would have them, tested by default.

Real pairs differ in their rates, share ancestors, were trimmed, and occur twice. Each case makes
data sets for which the null is true, tests each as `seqbio.compare` does by default, and counts.
Beside it stands what chi-squared would have said. Some cases are about power: there the null is
false. Run from the root of the source tree, this prints the rows:

    python -m tests.statistical.true_nulls [case] [data sets]
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Callable
from functools import cache, partial

import numpy as np
from scipy.special import log_expit
from scipy.stats import chi2

import seqbio
from seqbio.core import Hypothesis, Layout, as_hypothesis, fixed, maximise, untied
from seqbio.errors import SeqbioError
from seqbio.hypothesis_testing.comparability import identifiable_ranks
from seqbio.hypothesis_testing.comparison import Comparison, Options
from seqbio.hypothesis_testing.likelihood_ratio import judge_fits
from tests.hypothesis_testing.simulating import PoissonItems, equal_against_free
from tests.statistical.limits import as_table, rejections

GAPS = {"open_x": 0.03, "open_y": 0.03, "extend_x": 0.4, "extend_y": 0.4}
TRUTH = {**GAPS, "end": 0.01, "distance": 0.1}
SETTINGS = {"substitution": "jc69", "frequencies": "equal"}
OPEN = ("open", "extend"), ("extend",)
BOTH = ("open", "extend"), ()


def pairs_of(n, columns, generator, settings=SETTINGS, **changes):
    """Draw pairs; changes may give a function of the generator for a parameter."""
    pairs = []
    for _ in range(n):
        own = {k: v(generator) if callable(v) else v for k, v in changes.items()}
        hmm = seqbio.PairHMM(**settings).set_parameters({**TRUTH, **own})
        pairs += hmm.simulate(1, columns=columns, seed=int(generator.integers(2**31)))
    return pairs


def varying(mean: float, cv: float) -> Callable[[np.random.Generator], float]:
    """Draw a rate with a gamma law."""
    return lambda generator: float(np.clip(mean * generator.gamma(cv**-2, cv**2), 1e-5, 0.3))


@cache
def _hypotheses(ties, settings):
    return [seqbio.PairHMM(tie=tie, **dict(settings)) for tie in ties]


def compared(pairs, ties, generator, clusters=None, settings=SETTINGS, **options):
    """Compare as `seqbio.compare` does, but for copies, intervals and the goodness of fit."""
    null, alternative = _hypotheses(ties, tuple(settings.items()))
    narrow, data = as_hypothesis(null, pairs)
    wide, _ = as_hypothesis(alternative, pairs)
    first = maximise(narrow.model, narrow.tying, data)
    second = maximise(wide.model, wide.tying, data, start=first.full)
    ranks = _ranks(ties, tuple(settings.items()), narrow, wide, data)
    how = Options(**{"n_replicates": 199, "check_fit": False, "intervals": False, **options})
    comparison = Comparison(first, second, data, ranks[1] - ranks[0], clusters)
    return judge_fits(comparison, ("null", "alternative"), ranks, how, generator)


_RANKS: dict[tuple, tuple[int, int]] = {}


def _ranks(ties, settings, narrow, wide, data):
    key = ties, settings
    if key not in _RANKS:
        _RANKS[key] = identifiable_ranks(narrow, wide, data)
    return _RANKS[key]


# -- pairs that differ ------------------------------------------------------------------------


def alike(generator):
    """Fifteen pairs of 100 columns that are alike, as chi-squared takes for granted."""
    return compared(pairs_of(15, 100, generator), OPEN, generator)


def pairs_differ(generator, cv=1.0, n=15, columns=100, ties=OPEN, **options):
    """Gap rates that differ among 15 pairs of 100 columns (CV 1), independently in x and y."""
    rate = varying(0.03, cv)
    pairs = pairs_of(n, columns, generator, open_x=rate, open_y=rate)
    return compared(pairs, ties, generator, **options)


def forty_pairs_differ(generator):
    """The same for 40 pairs of 60 columns, openings and extensions tested."""
    return pairs_differ(generator, n=40, columns=60, ties=BOTH)


def forty_pairs_differ_robust(generator):
    """The same by the robust law."""
    return pairs_differ(generator, n=40, columns=60, ties=BOTH, calibration="robust")


def forty_pairs_differ_less(generator):
    """Gap rates of a coefficient of variation of 0.5."""
    return pairs_differ(generator, cv=0.5, n=40, columns=60, ties=BOTH)


def rates_alike_in_both(generator):
    """Forty pairs of 60 columns whose gap rates differ (CV 1), alike in x and y."""
    pairs = []
    for _ in range(40):
        rate = varying(0.03, 1.0)(generator)
        pairs += pairs_of(1, 60, generator, open_x=rate, open_y=rate)
    return compared(pairs, BOTH, generator)


def openings_of_unequal_extensions(generator):
    """Openings tied in 20 pairs that differ, while gaps are longer in y: effective scores."""
    rate = varying(0.03, 1.0)
    pairs = pairs_of(20, 100, generator, open_x=rate, open_y=rate, extend_y=0.7)
    return compared(pairs, (("open",), ()), generator)


def far_pairs(generator):
    """Fifteen pairs of 100 columns at distance 1.5."""
    return compared(pairs_of(15, 100, generator, distance=1.5), OPEN, generator)


def short_pairs(generator):
    """Sixty pairs of 12 columns."""
    return compared(pairs_of(60, 12, generator, open_x=0.06, open_y=0.06), OPEN, generator)


def proteins(generator):
    """Fifteen pairs of 80 amino acids under LG."""
    settings = {"alphabet": "protein", "substitution": "lg"}
    pairs = pairs_of(15, 80, generator, settings, distance=0.5)
    return compared(pairs, OPEN, generator, settings=settings)


# -- models that are wrong --------------------------------------------------------------------


def wrong_gap_lengths(generator):
    """Fifteen pairs, three gaps in ten with a mean of 8 letters; geometric lengths are fitted."""
    long = {"long_x": 0.3, "long_y": 0.3, "extend_long_x": 0.875, "extend_long_y": 0.875}
    pairs = pairs_of(15, 100, generator, {**SETTINGS, "gap_lengths": 2}, **long)
    return compared(pairs, BOTH, generator)


def trimmed_ends(generator):
    """Up to eight letters cut off either end of x and of y, independently; ends are aligned."""
    pairs = []
    for pair in pairs_of(15, 120, generator):
        cuts = generator.integers(0, 9, (2, 2))
        pairs.append(tuple(r.seq[a : len(r) - b] for r, (a, b) in zip(pair, cuts, strict=True)))
    return compared(pairs, BOTH, generator)


def two_speeds(generator):
    """Sites of two speeds in blocks: half of each pair at distance .05, half at .5."""
    slow = pairs_of(15, 50, generator, distance=0.05, open_x=0.015, open_y=0.015)
    fast = pairs_of(15, 50, generator, distance=0.5, open_x=0.06, open_y=0.06)
    return compared(_joined(slow, fast), BOTH, generator)


def drifted_composition(generator):
    """One letter in eight of y replaced by G or C."""
    pairs = []
    for x, y in pairs_of(15, 100, generator):
        letters = np.array(list(str(y.seq)))
        hit = generator.random(len(letters)) < 0.125
        letters[hit] = generator.choice(list("GC"), int(hit.sum()))
        pairs.append((x, "".join(letters)))
    return compared(pairs, BOTH, generator)


def dependent_columns(generator):
    """A tenth of the letters of y repeats its left neighbour, as after a double substitution."""
    pairs = []
    for x, y in pairs_of(15, 100, generator):
        letters = list(str(y.seq))
        for i in np.flatnonzero(generator.random(len(letters) - 1) < 0.1):
            letters[i + 1] = letters[i]
        pairs.append((x, "".join(letters)))
    return compared(pairs, BOTH, generator)


def _joined(*parts):
    """Put the first pairs of all parts after one another, then the second, and so on."""
    return [
        tuple("".join(str(pair[side].seq) for pair in pieces) for side in (0, 1))
        for pieces in zip(*parts, strict=True)
    ]


# -- pairs that depend on each other ----------------------------------------------------------


def turned_copies(generator):
    """Twelve pairs, each there again as its reverse complement."""
    pairs = pairs_of(12, 100, generator)
    turned = [tuple(record.seq.reverse_complement() for record in pair) for pair in pairs]
    return compared(pairs + turned, OPEN, generator)


def exact_copies(generator):
    """Twenty pairs, five of them 2, 3, 4, 6 and 10 times."""
    pairs = pairs_of(20, 60, generator)
    copies = [pair for pair, n in zip(pairs, (1, 2, 3, 5, 9), strict=False) for _ in range(n)]
    null, alternative = _hypotheses(OPEN, tuple(SETTINGS.items()))
    return seqbio.compare(null, alternative, pairs + copies, check_fit=False, seed=generator)


def star_tree(generator):
    """One sequence against 12 relatives on a star tree, symmetric on every branch."""
    settings, truth = SETTINGS, {**TRUTH, "open_x": 0.03, "open_y": 0.03}
    hmm = seqbio.PairHMM(**settings).set_parameters(truth)
    seed = int(generator.integers(2**31))
    (first, _) = hmm.simulate(1, columns=150, seed=seed)[0]
    root = str(first.seq)
    relatives = [_mutated(root, generator) for _ in range(13)]
    return compared([(relatives[0], other) for other in relatives[1:]], OPEN, generator)


def _mutated(letters, generator):
    """Substitute, insert and delete, insertions and deletions being as frequent and as long."""
    result = []
    i = 0
    while i < len(letters):
        chance = generator.random()
        if chance < 0.02:
            i += int(generator.geometric(0.6))
            continue
        if chance < 0.04:
            result += generator.choice(list("ACGT"), int(generator.geometric(0.6))).tolist()
        result.append(generator.choice(list("ACGT")) if generator.random() < 0.05 else letters[i])
        i += 1
    return "".join(result)


def declared_clusters(generator):
    """The same as clusters that somebody has declared, by the robust law."""
    pairs = pairs_of(20, 60, generator)
    labels = np.repeat(np.arange(20), [2, 3, 4, 6, 10] + [1] * 15)
    repeated = [pairs[label] for label in labels]
    return compared(repeated, OPEN, generator, clusters=labels, calibration="robust")


def declared_clusters_by_default(generator):
    """The same by default."""
    pairs = pairs_of(20, 60, generator)
    labels = np.repeat(np.arange(20), [2, 3, 4, 6, 10] + [1] * 15)
    return compared([pairs[label] for label in labels], OPEN, generator, clusters=labels)


# -- groups -----------------------------------------------------------------------------------


def _two_groups(generator, null, gaps, distances=(0.2, 0.2), sizes=(15, 15), cv=(0.5, 0.5)):
    """Draw pairs of which distances vary; gaps give the rate from the generator and distance."""
    pairs = []
    for i, n in enumerate(sizes):
        for _ in range(n):
            distance = np.clip(distances[i] * generator.gamma(cv[i] ** -2, cv[i] ** 2), 0.01, 1.5)
            gap = float(np.clip(gaps[i](generator, distance), 1e-4, 0.3))
            changes = {"distance": float(distance), "open_x": gap, "open_y": gap}
            pairs += pairs_of(1, 100, generator, **changes)
    grouped = seqbio.GroupedPairs(pairs, ["a"] * sizes[0] + ["b"] * sizes[1])
    return compared(grouped, ((*OPEN[0], null), OPEN[0]), generator)


def _same(_, __):
    return 0.03


def _proportional(_, distance):
    return 0.15 * distance


def _spread(generator, _):
    return 0.03 * generator.gamma(2.0, 0.5)


def groups_of_distances(generator):
    """Two groups of 15 pairs whose distances vary alike (CV 0.5): group.distance."""
    return _two_groups(generator, "group.distance", (_same, _same))


def groups_of_proportional_rates(generator):
    """The same with gap rates proportional to the distance: group.open."""
    return _two_groups(generator, "group.open", (_proportional, _proportional))


def unlike_groups(generator):
    """Twelve near pairs of unlike gap rates, 24 distant ones of like rates, the same mean."""
    unlike = {"distances": (0.1, 0.3), "sizes": (12, 24), "cv": (0.3, 0.3)}
    return _two_groups(generator, "group.open", (_spread, _same), **unlike)


def lengths_of_groups(generator):
    """One process cut to 50 and to 200 columns: the tie group, which leaves lengths out."""
    pairs = pairs_of(15, 50, generator) + pairs_of(15, 200, generator)
    grouped = seqbio.GroupedPairs(pairs, ["short"] * 15 + ["long"] * 15)
    return compared(grouped, ((*OPEN[0], "group"), OPEN[0]), generator)


# -- users' models ----------------------------------------------------------------------------


def few_substitutions(generator):
    """JC69 against K80 with some six substitutions, all gaps tied."""
    return _substitution(pairs_of(4, 100, generator, distance=0.015), generator)


def unlike_substitutions(generator):
    """JC69 against K80 in 40 pairs of 60 columns whose distances vary (CV 0.7)."""
    pairs = pairs_of(40, 60, generator, distance=varying(0.15, 0.7))
    return _substitution(pairs, generator)


def _substitution(pairs, generator):
    null, alternative = (
        seqbio.PairHMM(substitution=name, frequencies="equal", tie=OPEN[0])
        for name in ("jc69", "k80")
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


def separated(generator):
    """A logistic model of 40 items, of which one variable separates the classes."""
    data = np.column_stack([generator.standard_normal((40, 3)), np.zeros(40)])
    data[:, -1] = data[:, 0] > 0
    model = Logistic(3)
    null = Hypothesis(model, fixed(3, [1], [0.0]))
    return seqbio.compare(null, Hypothesis(model, untied(3)), data, n_splits=2, seed=generator)


def unequal_counts(generator):
    """A user's model of counts that vary twice as much as Poisson's law, 40 items."""
    data = generator.poisson(generator.gamma(5.0, 1.0, (40, 2))).astype(float)
    pair = equal_against_free(PoissonItems())
    return seqbio.compare(*pair, data, seed=generator)


# -- chains -----------------------------------------------------------------------------------


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


# -- power ------------------------------------------------------------------------------------


def power(generator, n):
    """Openings 1 : 1.8 in pairs that are alike."""
    return compared(pairs_of(n, 100, generator, open_x=0.02, open_y=0.036), OPEN, generator)


NULLS = (
    alike,
    pairs_differ,
    forty_pairs_differ,
    forty_pairs_differ_robust,
    forty_pairs_differ_less,
    rates_alike_in_both,
    openings_of_unequal_extensions,
    far_pairs,
    short_pairs,
    proteins,
    wrong_gap_lengths,
    trimmed_ends,
    two_speeds,
    drifted_composition,
    dependent_columns,
    turned_copies,
    exact_copies,
    star_tree,
    declared_clusters,
    declared_clusters_by_default,
    groups_of_distances,
    groups_of_proportional_rates,
    unlike_groups,
    lengths_of_groups,
    few_substitutions,
    unlike_substitutions,
    many_parameters,
    separated,
    unequal_counts,
    protein_order,
    dna_order,
    homogeneity,
)
CASES = {case.__name__: case for case in NULLS}
POWER = {f"power_{n}": partial(power, n=n) for n in (10, 20, 50, 100)}


def outcomes(name: str, n: int, seed: int = 0):
    """Test n data sets: p-values, what chi-squared would say, and the laws that were used."""
    pvalues, plain, laws = [], [], Counter()
    for generator in np.random.default_rng(seed).spawn(n):
        try:
            result = (CASES | POWER)[name](generator)
        except SeqbioError as error:
            laws[type(error).__name__] += 1
            pvalues.append(None)
            continue
        pvalues.append(result.pvalue)
        plain.append(chi2.sf(result.statistic, result.df))
        laws[result.calibration] += 1
    return pvalues, plain, laws


def report(name: str, n: int) -> str:
    """Carry one case out and lay it out for people."""
    began = time.perf_counter()
    found, plain, laws = outcomes(name, n)
    listed = ", ".join(f"{law} {count}" for law, count in laws.most_common())
    words = (CASES | POWER)[name].__doc__ or power.__doc__
    lines = [f"{name}: {words} {listed}; {time.perf_counter() - began:.0f} s"]
    for label, pvalues in (("by default", found), ("chi-squared", plain)):
        if any(pvalue is not None for pvalue in pvalues):
            lines.append(as_table(label, rejections(pvalues)))
        else:
            lines.append(f"{label}: no p-value")
    return "\n".join(lines)


if __name__ == "__main__":
    for case in sys.argv[1:2] or [*CASES, *POWER]:
        print(report(case, int(sys.argv[2]) if len(sys.argv) > 2 else 200), flush=True)

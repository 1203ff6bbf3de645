"""Sign flips: what items say about the tested parameters is as likely with the other sign.

Every independent item, or cluster of items, has a score for the tested parameters at the null's
fit: how much it would gain from more of them. If the null is true a score is as likely as minus
itself, so that all patterns of signs make sums that are as likely as the observed one
(`seqbio.hypothesis_testing.symmetry` says when and why). The statistic is the square of the sum
over its variance, the sum of the squares of the scores, which flips leave as it is; with several
parameters the same as a quadratic form. With one parameter its law over all patterns is computed
(`seqbio.hypothesis_testing.sign_flips`), with more it is drawn, or all patterns are gone through
where they are few. One fit of the null is all it takes.

What this p-value takes for granted
-----------------------------------
Independent items or clusters. Where the null is the same for transformed items, such as pairs whose
x and y change places, nothing else: the test is exact in any number of items, with any law of gap
lengths, any rates that differ among pairs or along them, any ends and any dependence within an item
or cluster, as long as a transformed item is as likely. That is the question asked, and more than
the tied parameters alone: an x that differs from y in anything that the scores feel, such as ends
that were trimmed on one side only, speaks against it, too.

Where the null leaves something asymmetric free, items share what would be transformed (pairs one
reference), or no transformation belongs to the tie, the scores are effective ones, what the other
parameters explain being taken off. Then the test holds for many items, whose scores may have any
variances: it allows for rates that differ among items, and for copies and relatives within
clusters, as chi-squared does not.

With n items of which each says something no p-value is below 2 / 2**n; where that is not small
there is none. Its price is power with few items and several parameters: where chi-squared is valid,
it finds less than that, the more so the smaller the level.

References
----------
Hemerik, J., Goeman, J. J. and Finos, L. (2020). Robust testing in generalized linear models by sign
flipping score contributions. Journal of the Royal Statistical Society B 82, 841-864.

Lehmann, E. L. and Romano, J. P. (2005). Testing Statistical Hypotheses, third edition, section
15.2. Springer.

Koning, N. W. and Hemerik, J. (2023). More efficient exact group invariance testing: using a
representative subgroup. Biometrika 111, 441-458.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import numpy as np

from seqbio.core import Check, is_regular, spawn_generators
from seqbio.core._checks import checked
from seqbio.core.numerics import FloatArray
from seqbio.core.sandwich import FEW_CLUSTERS, FEWEST_CLUSTERS
from seqbio.errors import ConvergenceError
from seqbio.hypothesis_testing.calibrations.declaration import (
    DEPENDENT,
    OVERDISPERSED,
    Calibration,
)
from seqbio.hypothesis_testing.comparison import Comparison, Options
from seqbio.hypothesis_testing.evidence import (
    LEAST_USEFUL,
    count_exceeding,
    exceedance_interval,
)
from seqbio.hypothesis_testing.pictures import Draws
from seqbio.hypothesis_testing.sign_flips import log_flip_pvalue
from seqbio.hypothesis_testing.symmetry import questioned_symmetry, score_contributions

FEWEST = 8  # items that say something, for which "auto" flips
FEWEST_FOR_EACH = 4  # items for each tested parameter, at least, where the law is approximate
_ALL_PATTERNS = 14  # with so many clusters at most, every pattern of signs is looked at
_MOST = 999_999  # patterns that are drawn, where few exceed
_DRAWN = 4_999  # patterns in a figure
_AT_A_TIME = 4_000_000  # signs


@dataclass(frozen=True, eq=False)
class SignFlips:
    """The scores of independent clusters, and what random signs make of them.

    Parameters
    ----------
    scores : ndarray of float64, (n_clusters, df)
        Sums of the items' scores at the null's fit.
    n_items : int
        How many there are.
    transformation : str
        What happens to an item whose sign is flipped, in a clause; empty where nothing is known.
    exact : bool
        Whether signs are coins in any number of items.
    n_flips : int
        Patterns of signs that were drawn, or the number of all.
    n_exceeding : int or None
        How many give at least the observed statistic; None where the law was computed.
    log_pvalue : float or None
        Natural logarithm of the p-value, two-sided; None where it could not be small.
    objection : str
        Why there is none.
    """

    scores: FloatArray
    n_items: int
    transformation: str
    exact: bool
    n_flips: int
    n_exceeding: int | None
    log_pvalue: float | None
    objection: str = ""

    name = "flip"

    @property
    def n_clusters(self) -> int:
        """How many signs there are."""
        return len(self.scores)

    @property
    def n_telling(self) -> int:
        """How many of them belong to scores that are not 0."""
        return _n_telling(self.scores)

    @property
    def statistic(self) -> float:
        """Square of the sum over its variance."""
        return float(_quadratic(self.scores.sum(axis=0, keepdims=True), self.scores)[0])

    @property
    def interval(self) -> tuple[float, float] | None:
        """Interval of 95 % of what p would be with ever more flips; None where it is known."""
        if self.n_exceeding is None or self.n_flips == 2.0**self.n_clusters:
            return None
        return exceedance_interval(self.n_exceeding, self.n_flips)

    @property
    def null_law(self) -> str:
        """What is as likely under the null, and why."""
        units = "items" if self.n_clusters == self.n_items else "independent clusters of items"
        how = (
            f"all 2**{self.n_clusters} patterns of signs"
            if self.n_exceeding is None or self.n_flips == 2.0**self.n_clusters
            else f"{self.n_flips} random patterns of signs"
        )
        if self.exact:
            why = (
                f"if the null is true, data in which {self.transformation} are as likely as the "
                "observed, item by item, and with it the score of an item changes its sign. That "
                "is exact for any number of items and assumes nothing about gap lengths, rates, "
                "ends or dependence within an item"
            )
        else:
            action = f", as where {self.transformation}," if self.transformation else ""
            why = (
                "if the null is true, what an item says about the tested parameters, with what the "
                f"others explain taken off, is as likely with the other sign{action} for many "
                "items; their variances may differ from what the model says (Hemerik, Goeman and "
                "Finos 2020)"
            )
        return f"sign flips of the scores of {self.n_clusters} {units}, {how}: {why}"

    @property
    def checks(self) -> tuple[Check, ...]:
        """Why there is no p-value, or why it is approximate."""
        if self.objection:
            return (Check(self.objection, "invalid", "no_flips", concerns="method"),)
        if not self.exact and self.n_clusters < 20:
            message = f"with {self.n_clusters} scores the law of their signs is approximate"
            return (Check(message, "note", "few_clusters", concerns="method"),)
        return ()

    def picture(self) -> Draws:
        """Say what a figure of it shows: random signs, the same each time."""
        generator = spawn_generators(0, 1)[0]
        signs = 1.0 - 2.0 * generator.integers(0, 2, (_DRAWN, self.n_clusters))
        values = _quadratic(signs @ self.scores, self.scores)
        unit = "Square of the sum of scores over its variance under random signs"
        name = f"{_DRAWN} random patterns of signs"
        return Draws(values, self.statistic, name, unit, self.scores.shape[1])

    def rows(self) -> list[tuple[str, str]]:
        """Give label and value of what people should see."""
        if self.log_pvalue is None:
            return []
        rows = [
            ("transformation", self.transformation or "signs of effective scores"),
            ("scores that can change sign", f"{self.n_telling} of {self.n_clusters}"),
            ("least p-value that is possible", f"{2.0 ** (1 - self.n_telling):.3g}"),
        ]
        if self.n_exceeding is not None:
            rows.append(("patterns of signs", str(self.n_flips)))
            rows.append(("at least the observed statistic", str(self.n_exceeding)))
        if self.interval is not None:
            lower, upper = self.interval
            rows.append(("Monte Carlo interval of p", f"{lower:.3g} to {upper:.3g} (95 %)"))
        return rows

    def to_dict(self) -> dict[str, Any]:
        """Give the numbers as plain values for programs."""
        return {
            "method": self.name,
            "transformation": self.transformation,
            "exact": self.exact,
            "n_items": self.n_items,
            "n_clusters": self.n_clusters,
            "n_telling": self.n_telling,
            "n_flips": self.n_flips if self.n_exceeding is not None else None,
            "n_exceeding": self.n_exceeding,
            "pvalue_interval": None if self.interval is None else list(self.interval),
            "score_statistic": self.statistic,
            "scores": self.scores.tolist(),
        }


def _n_telling(scores: FloatArray) -> int:
    sizes = np.abs(scores).max(axis=1, initial=0.0)
    return int((sizes > 1e-12 * max(float(sizes.max(initial=0.0)), 1e-300)).sum())


def _quadratic(sums: FloatArray, scores: FloatArray) -> FloatArray:
    """Square sums of scores, (n, df), over their variance under random signs."""
    inverse = np.linalg.pinv(scores.T @ scores, hermitian=True)
    return np.asarray(np.einsum("ni,ij,nj->n", sums, inverse, sums))


@checked
def sign_flip_test(
    comparison: Comparison,
    *,
    fewest: int = 1,
    seed: int | np.random.Generator | None = None,
) -> SignFlips:
    """Flip the signs of what independent clusters of items say about the tested parameters.

    Parameters
    ----------
    comparison : Comparison
        Of regular hypotheses, fitted at their optimum.
    fewest : int, default 1
        Scores that are not 0, of which there must be so many for a p-value.
    seed : int, numpy.random.Generator or None
        For the signs, where they are drawn.

    Returns
    -------
    SignFlips
        With the p-value, or an objection.

    Examples
    --------
    A mean of eight numbers, all above 0: two of 256 patterns give as much.

    >>> from seqbio.core import Layout, fit, fixed, untied
    >>> class NormalMean:
    ...     layout = Layout({"mean": ()})
    ...     def start(self, data):
    ...         return np.zeros(1)
    ...     def log_likelihood(self, full, data):
    ...         return -((data - full) ** 2) / 2
    ...     def log_likelihood_and_gradient(self, full, data):
    ...         return self.log_likelihood(full, data).sum(), (data - full).sum(keepdims=True)
    >>> data = np.array([1.8, 2.2, 1.9, 2.1, 2.0, 2.3, 1.7, 2.0])
    >>> zero, free = (fit(NormalMean(), tying, data) for tying in (fixed(1, 0, 0.0), untied(1)))
    >>> test = sign_flip_test(Comparison(zero, free, data, 1))
    >>> test.n_flips, round(float(np.exp(test.log_pvalue)), 5)
    (256, 0.00781)
    """
    tested = questioned_symmetry(comparison)
    words, exact = ("", False) if tested is None else (tested.symmetry.words, tested.exact)
    try:
        of_items = score_contributions(comparison, tested)
    except ConvergenceError as error:
        nothing = np.zeros((0, comparison.df))
        return SignFlips(nothing, comparison.n_items, words, exact, 0, None, None, str(error))
    return flip_signs(comparison, of_items, words, exact=exact, fewest=fewest, seed=seed)


def flip_signs(
    comparison: Comparison,
    of_items: FloatArray,
    transformation: str,
    *,
    exact: bool,
    fewest: int = 1,
    seed: int | np.random.Generator | None = None,
) -> SignFlips:
    """Flip the signs of scores that somebody has worked out.

    Parameters
    ----------
    comparison : Comparison
        With the clusters whose signs are flipped together.
    of_items : ndarray of float64, (n_items, n_directions)
        The scores.
    transformation : str
        What happens to an item whose sign is flipped, in a clause; empty where nothing is known.
    exact : bool
        Whether signs are coins in any number of items.
    fewest, seed
        As in `sign_flip_test`.

    Returns
    -------
    SignFlips
        With the p-value, or an objection.
    """

    def found(n_flips: int, *rest: Any) -> SignFlips:
        return SignFlips(scores, comparison.n_items, transformation, exact, n_flips, *rest)

    scores = np.zeros((comparison.n_clusters, of_items.shape[1]))
    np.add.at(scores, comparison.labels, of_items)
    n_telling = _n_telling(scores)
    least = 2.0 ** (1 - n_telling)
    if not np.isfinite(scores).all():
        return found(0, None, None, "an item is impossible at the null's fit")
    if n_telling < fewest or least > LEAST_USEFUL:
        units = "items" if len(scores) == comparison.n_items else "independent clusters"
        reason = (
            f"{n_telling} of {len(scores)} {units} say something about the tested parameters, so "
            f"that flipping their signs gives no p-value below {least:.3g}"
        )
        return found(0, None, None, reason)
    telling = scores[np.abs(scores).max(axis=1) > 0]
    if scores.shape[1] == 1 and len(telling) > _ALL_PATTERNS:
        return found(0, None, log_flip_pvalue(scores[:, 0]))
    if len(telling) <= _ALL_PATTERNS:
        n_flips, exceeding = _all_signs(telling)
        return found(n_flips, exceeding, float(np.log(exceeding / n_flips)))
    n_flips, exceeding = _random_signs(telling, spawn_generators(seed, 1)[0])
    return found(n_flips, exceeding, float(np.log((1 + exceeding) / (1 + n_flips))))


def _all_signs(scores: FloatArray) -> tuple[int, int]:
    """Count all patterns of signs, and those with at least the observed statistic."""
    n_patterns = 2 ** len(scores)
    bits = np.arange(n_patterns)[:, None] >> np.arange(len(scores)) & 1
    return n_patterns, _exceeding((1.0 - 2.0 * bits) @ scores, scores)


def _random_signs(scores: FloatArray, generator: np.random.Generator) -> tuple[int, int]:
    """Draw patterns of signs, and count those with at least the observed statistic."""

    def exceeding(n: int, generator: np.random.Generator) -> int:
        signs = 1.0 - 2.0 * generator.integers(0, 2, (n, len(scores)), dtype=np.int8)
        return _exceeding(signs @ scores, scores)

    return count_exceeding(exceeding, max(_AT_A_TIME // len(scores), 1), _MOST, generator)


def _exceeding(sums: FloatArray, scores: FloatArray) -> int:
    observed = _quadratic(scores.sum(axis=0, keepdims=True), scores)[0]
    return int((_quadratic(sums, scores) >= observed * (1 - 1e-9)).sum())


def _needs(comparison: Comparison) -> str:
    if not is_regular(comparison.model):
        return f"sign flips need scores, which {type(comparison.model).__name__} has not"
    if comparison.n_clusters < 2:
        return (
            "it takes independent items or clusters, whose signs can be flipped, and all items "
            "belong to one; add independent ones"
        )
    return ""


def _automatic(comparison: Comparison, found: Collection[str]) -> bool:
    if not is_regular(comparison.model) or comparison.n_clusters < FEWEST:
        return False
    if questioned_symmetry(comparison) is not None:
        return True
    # Without a symmetry it is a law for many clusters: for fewer, or less equal ones, than the
    # robust law needs, as long as there are events enough.
    sizes = np.bincount(comparison.labels)
    like_size = float(sizes.sum() ** 2 / (sizes**2).sum())
    fewest = max(FEWEST_CLUSTERS, FEWEST_FOR_EACH * comparison.df)
    if comparison.n_clusters < fewest:
        return False
    if comparison.tests_what_is_given:  # the law of lengths is never the model's own
        return True
    if like_size >= FEW_CLUSTERS or "few_events" in found:
        return False
    return bool({DEPENDENT, OVERDISPERSED} & set(found))


def _because(comparison: Comparison) -> str:
    return "" if questioned_symmetry(comparison) is None else "the tie is a symmetry of items"


def _run(comparison: Comparison, options: Options, generator: np.random.Generator) -> SignFlips:
    fewest = FEWEST if options.calibration == "auto" else 1
    return sign_flip_test(comparison, fewest=fewest, seed=generator)


FLIP = Calibration(
    "flip",
    "random signs of what each item says, exact where the tie is a symmetry of items",
    _run,
    answers=None,
    needs=_needs,
    automatic=_automatic,
    because=_because,
    by_clusters=True,
    robust=True,
    caption="What random signs of the items' scores make of the statistic, and the observed one.",
)

"""Whether items vary more than one set of parameters allows: the question beside every p-value.

Each item's effective score (see `seqbio.hypothesis_testing.sandwich`) says how far it pulls the
tested parameters from their estimates. If all items obey the same parameters, its square is 1 in
the sum over all items and for each parameter; where pairs of sequences differ in their gap rates,
it is more, and chi-squared takes for a difference between x and y what is a difference between
pairs. The mean square over the items, divided by what the information says, is the factor by which
they vary more.

Chance makes the factor vary, too, and the more the fewer events an item has. So the squares are
compared with those of items that are drawn from the alternative's fit, with the same design, and
random choices of as many items from all show what chance does: a permutation test. It looks for
more variance, not for less, which makes p too large and never too small.

Which law is taken depends on it, and a test that comes after another one has a size of its own.
Where items vary a little more than they should, and a test at 5 % often misses it, chi-squared
would be taken too often; so a law that allows for it is taken already where p is below 25 %, as is
customary for preliminary tests. Of 600 true nulls about counts of 40 items that vary 1, 1.2, 1.5
and 2 times as much as the model says, 4.5, 5.0, 5.3 and 4.3 % were rejected at 5 % so, and 5.0,
6.2, 7.2 and 5.7 % with a preliminary test at 5 %.

References
----------
White, H. (1982). Maximum likelihood estimation of misspecified models. Econometrica 50, 1-25:
section 4, the information matrix test.

Bancroft, T. A. (1964). Analysis and inference for incompletely specified models involving the use
of preliminary test(s) of significance. Biometrics 20, 427-442.

McCullagh, P. and Nelder, J. A. (1989). Generalized Linear Models, section 4.5. Chapman and Hall.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from seqbio.core import Check, can_simulate, is_regular, spawn_generators
from seqbio.core.numerics import FloatArray
from seqbio.errors import ConvergenceError
from seqbio.hypothesis_testing.calibrations.declaration import OVERDISPERSED
from seqbio.hypothesis_testing.comparison import Comparison
from seqbio.hypothesis_testing.sandwich import effective_scores

_FEWEST_ITEMS = 5  # of which the variance can be seen
_MOST_NUMBERS = 20_000_000  # of scores that are kept at a time
_MOST_PARAMETERS = 200  # whose information takes two evaluations each
_N_PERMUTATIONS = 1999
LEVEL = 0.05  # below which items are said to vary more than the model allows
DOUBT = 0.25  # below which no law is taken that rests on their not doing so


@dataclass(frozen=True)
class Dispersion:
    """How much more items vary than one set of parameters allows.

    Parameters
    ----------
    factor : float
        Mean square of the effective scores over what the model says; 1 where it is right.
    pvalue : float
        Of a factor at least as large if the model is right.
    n_items : int
        How many items there are.
    """

    factor: float
    pvalue: float
    n_items: int

    @property
    def checks(self) -> list[Check]:
        """What it means for a test, if anything."""
        if self.pvalue > DOUBT:
            return []
        found = (
            f"what the {self.n_items} items say about the tested parameters varies "
            f"{self.factor:.2g} times as much as one value for all of them allows "
            f"(p = {self.pvalue:.2g})"
        )
        if self.pvalue > LEVEL:
            message = f"{found}, which may be chance, but a law that takes it for that may not hold"
            return [Check(message, "note", OVERDISPERSED)]
        message = (
            f"{found}: items differ, or depend on each other, and a law that takes them for alike "
            "gives p-values and intervals that are too small"
        )
        return [Check(message, "warning", OVERDISPERSED)]


def dispersion(comparison: Comparison) -> Dispersion | None:
    """Compare the variance of the items' scores with what the model says of it.

    Parameters
    ----------
    comparison : Comparison
        Of regular hypotheses, fitted at their optimum.

    Returns
    -------
    Dispersion or None
        None where it cannot be told: fewer than five items, a model that cannot draw data, a
        likelihood that is flat where the test needs it, or more than 200 parameters.

    Examples
    --------
    Counts that vary twice as much as Poisson's law says:

    >>> from seqbio.core import Fit, Layout, equal, fit, untied
    >>> class Counts:
    ...     layout = Layout({"log_rate": (2,)})
    ...     def start(self, data):
    ...         return np.zeros(2)
    ...     def log_likelihood(self, full, data):
    ...         return (data * full - np.exp(full)).sum(axis=1)
    ...     def log_likelihood_and_gradient(self, full, data):
    ...         return self.log_likelihood(full, data).sum(), (data - np.exp(full)).sum(axis=0)
    ...     def simulate(self, full, data, generator):
    ...         return generator.poisson(np.exp(full), data.shape).astype(float)
    >>> generator = np.random.default_rng(1)
    >>> data = generator.poisson(generator.gamma(5.0, 1.0, (100, 2))).astype(float)
    >>> fits = [fit(Counts(), tying, data) for tying in (equal(2, [0, 1]), untied(2))]
    >>> found = dispersion(Comparison(*fits, data, 1))
    >>> found.factor > 1.5, found.pvalue <= 0.001
    (True, True)
    """
    model = comparison.model
    n_items = comparison.n_items
    if (
        not (is_regular(model) and can_simulate(model))
        or n_items < _FEWEST_ITEMS
        or n_items * model.layout.size > _MOST_NUMBERS
        or comparison.alternative_fit.n_free > _MOST_PARAMETERS
    ):
        return None
    try:
        observed = _squares(effective_scores(comparison))
        drawn = [_squares(effective_scores(comparison, copy)) for copy in comparison.copies]
    except ConvergenceError:
        return None
    factor = float(observed.sum()) / comparison.df
    if not np.isfinite(factor):
        return None
    everything = np.concatenate([observed, *drawn])
    generator = spawn_generators(int(comparison.alternative_fit.data_fingerprint, 16), 1)[0]
    exceeding = 0
    for _ in range(_N_PERMUTATIONS):
        chosen = generator.random(everything.size).argpartition(n_items - 1)[:n_items]
        exceeding += bool(everything[chosen].sum() >= observed.sum() * (1 - 1e-9))
    return Dispersion(factor, (1 + exceeding) / (1 + _N_PERMUTATIONS), n_items)


def _squares(scores: FloatArray) -> FloatArray:
    """Square scores about their mean, which the fit to the same data has made 0."""
    centred = scores - scores.mean(axis=0)
    return np.asarray((centred**2).sum(axis=1) * len(scores) / (len(scores) - 1))

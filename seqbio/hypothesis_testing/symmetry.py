"""Whether what is tested is the symmetry of a transformation of the items, and their scores.

A transformation that undoes itself divides the directions of the parameters into symmetric ones,
which it leaves as they are, and antisymmetric ones, which it turns round: log odds of a gap in y
less those of a gap in x. Under a null that is the same for transformed items, such as all gap
parameters tied between x and y, the fit of the null does not change if items are transformed, and
the score of an item in an antisymmetric direction turns into minus itself. So its sign is a coin,
given its size, in any number of items and whatever the law of an item: the randomisation test by
signs is exact.

Where the null leaves something asymmetric free, such as how long gaps are in x and in y, where
items share what the transformation moves, such as pairs a reference, or where there is no
transformation at all, the scores are those of the tested parameters with what the other
parameters explain taken off, at the null's fit. Their signs are coins for many items (Hemerik,
Goeman & Finos 2020), also where their variances are not what the model says.

References
----------
Hemerik, J., Goeman, J. J. and Finos, L. (2020). Robust testing in generalized linear models by sign
flipping score contributions. Journal of the Royal Statistical Society B 82, 841-864.

Lehmann, E. L. and Romano, J. P. (2005). Testing Statistical Hypotheses, third edition, section
15.2. Springer.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from seqbio.core import Symmetry, fit_at, information, scores_of, symmetries_of, untied
from seqbio.core.numerics import FloatArray
from seqbio.hypothesis_testing.comparison import Comparison
from seqbio.hypothesis_testing.sandwich import effective_directions

_ROUNDING = 1e-8


class QuestionedSymmetry(NamedTuple):
    """What a test is about, where that is a symmetry.

    Parameters
    ----------
    symmetry : Symmetry
        The transformation.
    directions : ndarray of float64, (n_full, df)
        Antisymmetric directions of the alternative that the null does not have.
    exact : bool
        Whether the null is the same for transformed items, and each can be transformed alone.
    """

    symmetry: Symmetry
    directions: FloatArray
    exact: bool


def questioned_symmetry(comparison: Comparison) -> QuestionedSymmetry | None:
    """Find the transformation whose symmetry the null claims and the alternative does not.

    Parameters
    ----------
    comparison : Comparison
        Of any model.

    Returns
    -------
    QuestionedSymmetry or None
        None where the model declares none, or where something else is tested, too.
    """
    for symmetry in symmetries_of(comparison.model):
        null, alternative = (
            fit.tying.jacobian() for fit in (comparison.null_fit, comparison.alternative_fit)
        )
        turned = alternative[symmetry.permutation]
        antisymmetric = _beyond(alternative - turned, null - null[symmetry.permutation])
        is_closed = not _beyond(turned, alternative).shape[1]
        nothing_else = not _beyond(alternative + turned, null).shape[1]
        if is_closed and nothing_else and antisymmetric.shape[1]:
            full = comparison.null_fit.full
            same = np.array_equal(full[symmetry.permutation], full)
            alike = same and np.array_equal(null[symmetry.permutation], null)
            exact = alike and symmetry.one_by_one(comparison.data)
            return QuestionedSymmetry(symmetry, antisymmetric, exact)
    return None


def _beyond(columns: FloatArray, known: FloatArray) -> FloatArray:
    """Give an orthonormal basis of what columns span beyond the span of others."""
    basis, sizes, _ = np.linalg.svd(known, full_matrices=False)
    basis = basis[:, sizes > _ROUNDING * max(sizes.max(initial=0.0), 1.0)]
    rest = columns - basis @ (basis.T @ columns)
    left, sizes, _ = np.linalg.svd(rest, full_matrices=False)
    return np.asarray(
        left[:, sizes > _ROUNDING * max(float(np.abs(columns).max(initial=0.0)), 1.0)]
    )


def score_contributions(comparison: Comparison, tested: QuestionedSymmetry | None) -> FloatArray:
    """Give what every item says about the tested parameters at the null's fit.

    Parameters
    ----------
    comparison : Comparison
        Of regular hypotheses, fitted at their optimum.
    tested : QuestionedSymmetry or None
        From `questioned_symmetry`.

    Returns
    -------
    ndarray of float64, (n_items, df)
        Antisymmetric scores where the null is the same for transformed items, else effective ones.

    Raises
    ------
    ConvergenceError
        The information is singular in a direction that the test needs.
    """
    full, data, model = comparison.null_fit.full, comparison.data, comparison.model
    if tested is not None and tested.exact:
        scores = scores_of(model, untied(full.size), full, data)
        return np.asarray(scores @ tested.directions)
    tying = comparison.alternative_fit.tying
    at_null = fit_at(model, tying, data, full, converged=False, message="the null's optimum")
    kept = np.isfinite(at_null.free)
    observed = information(at_null, data)
    directions = effective_directions(
        observed, comparison.null_fit.tying, tying, kept, comparison.df
    )
    return np.asarray(scores_of(model, tying, full, data)[:, kept] @ directions)

"""Numbers and ties in words, the same in all reports."""

from __future__ import annotations

import math

from seqbio.core import Hypothesis
from seqbio.core.tables import shortened

_SMALLEST = math.log(1e-300)  # below this a p-value is given by its logarithm


def p_value_in_words(log_pvalue: float, *, bound: bool = False) -> str:
    """Write out a p-value, which never reads as 0.

    Parameters
    ----------
    log_pvalue : float
        Natural logarithm.
    bound : bool, default False
        Whether the p-value is known only to be no larger.

    Returns
    -------
    str
        An equation or inequality for p.

    Examples
    --------
    >>> p_value_in_words(-4.5), p_value_in_words(-5000.25)
    ('p = 0.0111', 'p < 1e-300, log p = -5000.25')
    """
    if log_pvalue < _SMALLEST:
        return f"p < 1e-300, log p = {log_pvalue:.8g}"
    return f"p {'<=' if bound else '='} {math.exp(log_pvalue):.3g}"


def ties_in_words(hypothesis: Hypothesis) -> str:
    """Say in a line what a hypothesis ties, at most three ties in full.

    Parameters
    ----------
    hypothesis : Hypothesis
        Of any model.

    Returns
    -------
    str
        Never empty.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> from seqbio.core import Layout, equal
    >>> model = SimpleNamespace(layout=Layout({"open": (2,), "extend": (2,)}))
    >>> ties_in_words(Hypothesis(model, equal(4, [0, 1], [2, 3])))
    'open[0] = open[1]; extend[0] = extend[1]'
    """
    lines = hypothesis.tying.describe(hypothesis.model.layout)
    return "; ".join(shortened(lines, 3)) or "all parameters free"


def name_of(hypothesis: Hypothesis) -> str:
    """Give the name of a hypothesis, or else say what it ties.

    Parameters
    ----------
    hypothesis : Hypothesis
        Of any model.

    Returns
    -------
    str
        Never empty.
    """
    return hypothesis.name or ties_in_words(hypothesis)

"""Several hypotheses at once: p-values adjusted so that chance alone does not find something.

References
----------
Holm, S. (1979). A simple sequentially rejective multiple test procedure. Scandinavian Journal of
Statistics 6, 65-70.

Benjamini, Y. and Hochberg, Y. (1995). Controlling the false discovery rate. Journal of the Royal
Statistical Society B 57, 289-300.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

from seqbio.core._checks import checked
from seqbio.core.numerics import FloatArray
from seqbio.errors import ParameterError


@checked
def adjust(
    pvalues: Sequence[float | None], method: Literal["holm", "benjamini-hochberg"] = "holm"
) -> list[float | None]:
    """Adjust the p-values of several tests.

    Parameters
    ----------
    pvalues : sequence of float or None
        One for each test; None for a test without one, which is not counted.
    method : {"holm", "benjamini-hochberg"}
        Holm's values at or below a level are wrong, even one of them, with at most that
        probability, however the tests depend on each other. Of Benjamini and Hochberg's at most
        that share is wrong on average, for independent or positively dependent tests.

    Returns
    -------
    list of float or None
        In the same order, None in the same places.

    Raises
    ------
    ParameterError
        A p-value is not between 0 and 1, or the method is unknown.

    Examples
    --------
    >>> adjust([0.01, None, 0.04, 0.03])
    [0.03, None, 0.06, 0.06]
    >>> adjust([0.01, None, 0.04, 0.03], "benjamini-hochberg")
    [0.03, None, 0.04, 0.04]
    """
    if method not in ("holm", "benjamini-hochberg"):
        raise ParameterError(f"method is {method!r}; choose 'holm' or 'benjamini-hochberg'")
    given = [i for i, pvalue in enumerate(pvalues) if pvalue is not None]
    values = np.array([pvalues[i] for i in given], dtype=np.float64)
    if not ((values >= 0) & (values <= 1)).all():
        raise ParameterError(f"p-values are {list(pvalues)}; they must be between 0 and 1")
    adjusted: list[float | None] = [None] * len(pvalues)
    if values.size:
        new = _holm(values) if method == "holm" else _benjamini_hochberg(values)
        for i, value in zip(given, new.tolist(), strict=True):
            adjusted[i] = value
    return adjusted


def _holm(values: FloatArray) -> FloatArray:
    order = np.argsort(values)
    rising = np.maximum.accumulate(values[order] * np.arange(values.size, 0, -1))
    result = np.empty_like(values)
    result[order] = np.minimum(rising, 1.0)
    return result


def _benjamini_hochberg(values: FloatArray) -> FloatArray:
    from scipy.stats import false_discovery_control

    return np.asarray(false_discovery_control(values))

"""Comparing hypotheses that need not be nested: information criteria and Vuong's test.

Criteria rank fits to the same data; they give no p-value. Vuong's test asks which of two fits is
closer to the truth, neither of which has to be true. It has two steps: whether the data can tell
them apart at all (whether the log-likelihood ratios of single items vary), and if so, whether their
mean differs from 0.

References
----------
Burnham, K. P. and Anderson, D. R. (2002). Model Selection and Multimodel Inference, chapter 2.
Springer.

Vuong, Q. H. (1989). Likelihood ratio tests for model selection and non-nested hypotheses.
Econometrica 57, 307-333: theorems 3.1, 4.1 and 5.1.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from seqbio.core import Check, Fit, fingerprint, information, is_regular, sample_size_of, scores_of
from seqbio.core._checks import checked
from seqbio.core.numerics import FloatArray
from seqbio.core.tables import Summarised, Table, short
from seqbio.errors import DataMismatchError, ParameterError
from seqbio.hypothesis_testing.evidence import check_count
from seqbio.hypothesis_testing.laws import log_weighted_chi_squared_tail
from seqbio.hypothesis_testing.wording import p_value_in_words

_LEVEL = 0.05


@dataclass(frozen=True)
class CriteriaRow:
    """Criteria of one fit; smaller is better.

    Parameters
    ----------
    name : str
        Of the hypothesis.
    log_likelihood : float
        In nats.
    n_parameters : int
        Free ones.
    aic, aicc, bic : float
        Akaike's criterion, the same corrected for few data (nan where there are too few for it),
        and Schwarz's (nan where nothing is known to have been observed more than once).
    weight : float
        Akaike weight by AICc (by AIC where one AICc is nan), of all fits that are compared.
    """

    name: str
    log_likelihood: float
    n_parameters: int
    aic: float
    aicc: float
    bic: float
    weight: float


@dataclass(frozen=True, repr=False)
class CriteriaTable(Summarised):
    """Fits to the same data, the best first.

    Parameters
    ----------
    rows : tuple of CriteriaRow
        In order of their weights.
    n : int
        Sample size of AICc and BIC.
    what : str
        What was counted: letters, items ...
    """

    rows: tuple[CriteriaRow, ...]
    n: int
    what: str

    def to_dict(self) -> dict[str, Any]:
        """Give the numbers as plain values for programs."""
        return {
            "n": self.n,
            "what": self.what,
            "rows": [
                {
                    "name": row.name,
                    "log_likelihood": row.log_likelihood,
                    "n_parameters": row.n_parameters,
                    "aic": row.aic,
                    "aicc": row.aicc if np.isfinite(row.aicc) else None,
                    "bic": row.bic if np.isfinite(row.bic) else None,
                    "weight": row.weight,
                }
                for row in self.rows
            ],
        }

    def __repr__(self) -> str:
        return f"CriteriaTable({[row.name for row in self.rows]}, n={self.n}, what={self.what!r})"

    def _summary(self) -> tuple[str, list[Table]]:
        best, *others = self.rows
        sentence = f'"{best.name}" has the most support, {best.weight:.3g} of the Akaike weight.'
        if not others:
            sentence = f'"{best.name}" is the only fit, and there is nothing to compare it with.'
        header = ("", "log-likelihood", "parameters", "AIC", "AICc", "BIC", "weight")
        rows = [
            (
                row.name,
                f"{row.log_likelihood:.3f}",
                str(row.n_parameters),
                f"{row.aic:.3f}",
                f"{row.aicc:.3f}",
                f"{row.bic:.3f}",
                f"{row.weight:.3f}",
            )
            for row in self.rows
        ]
        return sentence, [Table(f"Information criteria, n = {self.n} {self.what}", header, rows)]


@checked
def criteria(fits: Mapping[str, Fit], data: Any, *, n: int | None = None) -> CriteriaTable:
    """Compute AIC, AICc, BIC and Akaike weights of fits to the same data.

    BIC and AICc take the size of the sample for granted, which is a matter of what carries the
    information: the letters of sequences that obey one set of rules, rather than the sequences. The
    table says what was counted.

    Parameters
    ----------
    fits : mapping of str to Fit
        By name; of any models whose likelihoods are of the same data in the same units.
    data : object
        In the form that the models take.
    n : int, optional
        Sample size of AICc and BIC. By default what the model or its data count, such as letters;
        else the items, and with one item, of which nothing is known to repeat, both are nan.

    Returns
    -------
    CriteriaTable
        The best first.

    Raises
    ------
    DataMismatchError
        A fit was made on other data.
    ParameterError
        There is no fit, or n is no number of things.

    Examples
    --------
    >>> from seqbio.core import Layout, fit, fixed, untied
    >>> class NormalMean:
    ...     layout = Layout({"mean": ()})
    ...     def start(self, data):
    ...         return np.zeros(1)
    ...     def log_likelihood(self, full, data):
    ...         return -((data - full) ** 2) / 2
    ...     def log_likelihood_and_gradient(self, full, data):
    ...         return self.log_likelihood(full, data).sum(), (data - full).sum(keepdims=True)
    >>> data = np.array([1.0, 2.0, 1.0, 2.0])
    >>> zero, free = (fit(NormalMean(), tying, data) for tying in (fixed(1, 0, 0.0), untied(1)))
    >>> print(criteria({"zero": zero, "free": free}, data))
    "free" has the most support, 0.924 of the Akaike weight.
    <BLANKLINE>
    Information criteria, n = 4 items
            log-likelihood  parameters  AIC     AICc    BIC     weight
      free  -0.500          1           3.000   5.000   2.386   0.924
      zero  -5.000          0           10.000  10.000  10.000  0.076
    """
    if not fits:
        raise ParameterError("there are no fits; give at least one")
    for name, fit in fits.items():
        _check_data(fit, data, name)
    one = next(iter(fits.values()))
    what = "as given"
    if n is None:
        n, what = _sample_size(one, data)
    check_count("n", n, 1)
    values = {name: _values(fit, n) for name, fit in fits.items()}
    corrected = all(np.isfinite(aicc) for _, aicc, _ in values.values())
    used = np.array([value[1 if corrected else 0] for value in values.values()])
    weights = np.exp(-(used - used.min()) / 2)
    weights /= weights.sum()
    rows = [
        CriteriaRow(name, fit.log_likelihood, fit.n_free, *values[name], float(weight))
        for (name, fit), weight in zip(fits.items(), weights, strict=True)
    ]
    return CriteriaTable(tuple(sorted(rows, key=lambda row: -row.weight)), n, what)


def _sample_size(fit: Fit, data: Any) -> tuple[int, str]:
    return sample_size_of(fit.model, data, np.size(fit.model.log_likelihood(fit.full, data)))


def _values(fit: Fit, n: int) -> tuple[float, float, float]:
    k = fit.n_free
    aic = 2 * k - 2 * fit.log_likelihood
    aicc = aic + 2 * k * (k + 1) / (n - k - 1) if n > k + 1 else float("nan")
    bic = float(k * np.log(n) - 2 * fit.log_likelihood) if n > 1 else float("nan")
    return aic, aicc, bic


def _check_data(fit: Fit, data: Any, name: str) -> None:
    if fingerprint(data) != fit.data_fingerprint:
        raise DataMismatchError(
            f"the fit {name!r} was made on other data; fit all hypotheses to the same data"
        )


@dataclass(frozen=True)
class VuongTest(Summarised):
    """Whether two fits can be told apart, and which is closer to the truth.

    Parameters
    ----------
    variance : float
        Of the items' log-likelihood ratios, in nats squared.
    log_pvalue_distinguishable : float
        Natural logarithm of the p-value of "the ratios do not vary".
    statistic : float
        Standard normal if both are equally close; above 0 where the first is closer.
    pvalue : float or None
        Two-sided; None where the fits cannot be told apart at 5 %.
    preferred : {"first", "second", ""}
        Which is closer, at 5 %.
    checks : tuple of Check
        Doubts.
    """

    variance: float
    log_pvalue_distinguishable: float
    statistic: float
    pvalue: float | None
    preferred: Literal["first", "second", ""]
    checks: tuple[Check, ...]

    def _summary(self) -> tuple[str, list[Table]]:
        level = f"the {100 * _LEVEL:g} % level"
        distinct = p_value_in_words(self.log_pvalue_distinguishable)
        if self.pvalue is None:
            sentence = f"The data cannot tell the two fits apart ({distinct}, not below {level})."
        elif not self.preferred:
            sentence = (
                "The two fits differ, and neither is clearly closer to the truth "
                f"(p = {self.pvalue:.3g}, not below {level})."
            )
        else:
            sentence = (
                f"The {self.preferred} fit is closer to the truth "
                f"(p = {self.pvalue:.3g}, below {level})."
            )
        rows = [
            ("variance of the log-likelihood ratios", f"{short(self.variance)} nats squared"),
            ("whether they vary", distinct),
            ("statistic", short(self.statistic)),
            ("p-value", "none" if self.pvalue is None else f"{self.pvalue:.3g}"),
            ("laws under the null", self.null_law),
        ]
        return sentence, [
            Table("Vuong's test", (), rows),
            Table("Warnings", (), [(check.severity, check.message) for check in self.checks]),
        ]

    @property
    def null_law(self) -> str:
        """The laws of both steps."""
        return (
            "step 1: items times the variance of their log-likelihood ratios is a weighted sum of "
            "squared normal variables if the two fits cannot be told apart; step 2, if they can: "
            "the mean ratio over its standard error is standard normal if both are equally close "
            "to the truth, for many independent items (Vuong 1989)"
        )


@checked
def vuong_test(
    first: Fit, second: Fit, data: Any, *, correction: Literal["none", "aic", "bic"] = "none"
) -> VuongTest:
    """Compare two fits that are not nested.

    Parameters
    ----------
    first, second : Fit
        Of any regular models to the same data.
    data : object
        In the form that both models take.
    correction : {"none", "aic", "bic"}
        What the difference in the numbers of parameters costs.

    Returns
    -------
    VuongTest
        With the p-value of the second step if the first says that there is a difference.

    Raises
    ------
    DataMismatchError
        A fit was made on other data.
    ParameterError
        A model is not regular, or there are fewer than two items.
    """
    if correction not in ("none", "aic", "bic"):
        raise ParameterError(f"correction is {correction!r}; choose none, aic or bic")
    for name, fit in (("first", first), ("second", second)):
        _check_data(fit, data, name)
        if not is_regular(fit.model):
            raise ParameterError(
                f"the {name} model is not regular, which both steps of Vuong's test need; compare "
                "predictions with seqbio.hypothesis_testing.held_out_comparison"
            )
    ratios = first.model.log_likelihood(first.full, data) - second.model.log_likelihood(
        second.full, data
    )
    n = np.size(ratios)
    if n < 2:
        raise ParameterError(f"there are {n} items; Vuong's test needs independent items, many")
    variance = float(np.var(ratios))
    cost = {"none": 0.0, "aic": 1.0, "bic": float(np.log(_sample_size(first, data)[0])) / 2}[
        correction
    ]
    difference = float(ratios.sum()) - cost * (first.n_free - second.n_free)
    statistic = difference / np.sqrt(n * variance) if variance > 0 else 0.0
    log_p = log_weighted_chi_squared_tail(
        n * variance, _distinguishing_weights(first, second, data)
    )
    pvalue = None
    if log_p <= np.log(_LEVEL):
        from scipy.special import ndtr

        pvalue = float(2 * ndtr(-abs(statistic)))
    preferred: Literal["first", "second", ""] = ""
    if pvalue is not None and pvalue <= _LEVEL:
        preferred = "first" if statistic > 0 else "second"
    return VuongTest(variance, log_p, float(statistic), pvalue, preferred, _doubts(first, second))


def _doubts(first: Fit, second: Fit) -> tuple[Check, ...]:
    checks = []
    for name, fit in (("first", first), ("second", second)):
        if not fit.converged:
            message = f"the {name} fit did not converge: {fit.message}"
            checks.append(Check(message, "warning", "not_converged"))
        if fit.at_boundary:
            message = f"the {name} fit has {', '.join(fit.at_boundary)} at the boundary"
            checks.append(Check(message, "warning", "on_boundary"))
    return tuple(checks)


def _distinguishing_weights(first: Fit, second: Fit, data: Any) -> FloatArray:
    """Give the weights of the first step: squares of the eigenvalues of Vuong's matrix W."""
    parts = []
    for fit in (first, second):
        kept = np.isfinite(fit.free)
        scores = scores_of(fit.model, fit.tying, fit.full, data)[:, kept]
        parts.append((scores, information(fit, data)[np.ix_(kept, kept)]))
    (left, left_curvature), (right, right_curvature) = parts
    blocks = [
        [left.T @ left, -left.T @ right],
        [right.T @ left, -right.T @ right],
    ]
    inverse = np.zeros((left.shape[1] + right.shape[1],) * 2)
    k = left.shape[1]
    inverse[:k, :k] = np.linalg.pinv(left_curvature, hermitian=True)
    inverse[k:, k:] = np.linalg.pinv(right_curvature, hermitian=True)
    eigenvalues = np.linalg.eigvals(np.block(blocks) @ inverse).real
    weights = eigenvalues**2
    largest = weights.max(initial=0.0)
    return np.asarray(weights[weights > 1e-8 * largest]) if largest > 0 else np.ones(1)

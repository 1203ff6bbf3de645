"""Which law the likelihood ratio has under the null, and the reasons for and against it.

A law is used only where it is known to hold. Wilks (1938): twice the log of the ratio is
chi-squared when the null is true, both fits are at the maximum, the parameters can be told apart
and the true values lie inside the parameter space. In our coordinates the edges of that space are
infinite, such as the logit of a probability of 0. Three cases differ:

- The null holds a parameter at an edge and the alternative frees it. The law is then a mixture of
  chi-squared laws with several degrees of freedom (chi-bar-squared); Self and Liang (1987) derive
  it from their Theorem 3. No p-value is given.
- A parameter that the null leaves free is estimated at an edge, so that its true value may be
  there. The law of the ratio then depends on how the estimates are correlated: it is a mixture of
  another kind, and chi-squared only in special cases (same theorem). No p-value is given.
- Only the alternative has an estimate at an edge. If the null is true the parameter is at its
  value under the null, inside, so the law holds for many data; but such an estimate
  comes of few events, so there is a warning.

References
----------
Wilks, S. S. (1938). The large-sample distribution of the likelihood ratio for testing composite
hypotheses. Annals of Mathematical Statistics 9, 60-62.

Self, S. G. and Liang, K.-Y. (1987). Asymptotic properties of maximum likelihood estimators and
likelihood ratio tests under nonstandard conditions. Journal of the American Statistical
Association 82, 605-610.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from seqbio.core import Check, Fit, checks_of, irregular_reason


@dataclass(frozen=True)
class Calibration:
    """A p-value and the law that it comes from, or the reasons why there is none.

    Parameters
    ----------
    name : {"chi-squared", "none"}
        The law, in short.
    null_law : str
        The law under the null and why it holds; for "none", all reasons why none is used.
    log_pvalue : float or None
        Natural logarithm of the p-value.
    """

    name: str
    null_law: str
    log_pvalue: float | None


def calibrate(statistic: float, df: int, checks: Sequence[Check]) -> Calibration:
    """Choose the law of a likelihood ratio.

    Parameters
    ----------
    statistic : float
        Twice the difference of the log-likelihoods.
    df : int
        Difference of the numbers of identifiable parameters.
    checks : sequence of Check
        All that is known against the chi-squared law.

    Returns
    -------
    Calibration
        Without a p-value when one of the checks is "invalid".

    Examples
    --------
    >>> calibrate(3.84, 1, []).name
    'chi-squared'
    >>> calibrate(3.84, 1, [Check("3 gaps are too few", "invalid", "few_events")])
    Calibration(name='none', null_law='none that is known to hold: 3 gaps are too few',
    log_pvalue=None)
    """
    objections = [check.message for check in checks if check.severity == "invalid"]
    if objections:
        return Calibration("none", f"none that is known to hold: {'; '.join(objections)}", None)
    degrees = "degree" if df == 1 else "degrees"
    law = (
        f"chi-squared with {df} {degrees} of freedom, for many data: the hypotheses are nested, "
        f"the alternative has {df} more of the parameters that can be told apart, both fits are "
        "at their optimum, no parameter of the null is on its boundary, and the model has no "
        "objection"
    )
    return Calibration("chi-squared", law, log_chi_squared_tail(statistic, df))


def log_chi_squared_tail(statistic: float, df: int) -> float:
    """Compute the logarithm of the probability that a chi-squared variable exceeds a value.

    SciPy's goes through the probability itself, which underflows. Far out, with a = df / 2 and
    x = statistic / 2, the incomplete gamma function is exp(-x) x^a U(1, 1 + a, x), U being the
    confluent hypergeometric function of the second kind, which is of the order of 1 / x.

    Parameters
    ----------
    statistic : float
        Any real number.
    df : int
        At least 1.

    Returns
    -------
    float
        Natural logarithm, 0 or less.

    References
    ----------
    NIST Digital Library of Mathematical Functions, equation 13.6.6, https://dlmf.nist.gov/13.6.

    Examples
    --------
    With 2 degrees of freedom it is minus half of the statistic:

    >>> log_chi_squared_tail(3.0, 2), log_chi_squared_tail(3e6, 2)
    (-1.5, -1500000.0)
    """
    from scipy.special import gammaln, hyperu
    from scipy.stats import chi2

    if chi2.sf(statistic, df) > 1e-290:
        return float(chi2.logsf(statistic, df))
    a, x = df / 2, statistic / 2
    return float(a * np.log(x) - x + np.log(hyperu(1, 1 + a, x)) - gammaln(a))


def boundary_checks(null_fit: Fit, alternative_fit: Fit) -> list[Check]:
    """Find parameters on the boundary, where the chi-squared law is in doubt.

    Parameters
    ----------
    null_fit, alternative_fit : Fit
        Of the same model to the same data.

    Returns
    -------
    list of Check
        See the head of this module for the cases.
    """
    null, alternative = null_fit.tying, alternative_fit.tying
    tested = (null.group < 0) & np.isinf(null.offset) & (alternative.group >= 0)
    checks = []
    if tested.any():
        names = [null_fit.model.layout.entry_names[i] for i in np.flatnonzero(tested)]
        checks.append(
            Check(
                f"the null holds {', '.join(names)} on the boundary of the parameter space, where "
                "the ratio follows a chi-bar-squared law (Self and Liang 1987) and not chi-squared",
                "invalid",
                "tested_on_boundary",
            )
        )
    if null_fit.at_boundary:
        checks.append(
            Check(
                f"the null's estimate of {', '.join(null_fit.at_boundary)} is on the boundary of "
                "the parameter space, where the ratio is not chi-squared in general (Self and "
                "Liang 1987); fix it there in both hypotheses if theory says that it is 0",
                "invalid",
                "null_on_boundary",
            )
        )
    elif alternative_fit.at_boundary:
        checks.append(
            Check(
                f"the alternative's estimate of {', '.join(alternative_fit.at_boundary)} is on the "
                "boundary of the parameter space, as happens when events are few, so the "
                "chi-squared law is rough",
                "warning",
                "alternative_on_boundary",
            )
        )
    return checks


def model_checks(null_fit: Fit, alternative_fit: Fit, data: Any) -> list[Check]:
    """Ask the model what it has against a chi-squared law.

    Parameters
    ----------
    null_fit, alternative_fit : Fit
        Of the same model to the same data.
    data : object
        In the form that the model takes.

    Returns
    -------
    list of Check
        What both fits give rise to stands there once.
    """
    checks = []
    reason = irregular_reason(null_fit.model)
    if reason:
        checks.append(Check(reason, "invalid", "irregular"))
    for fit in (null_fit, alternative_fit):
        checks += checks_of(fit.model, fit.full, data, fit.tying)
    return list(dict.fromkeys(checks))


def convergence_checks(
    null_fit: Fit, alternative_fit: Fit, statistic: float, tolerance: float
) -> list[Check]:
    """Find reasons to doubt that both fits are at their optimum.

    Parameters
    ----------
    null_fit, alternative_fit : Fit
        Of the same model to the same data.
    statistic : float
        Twice the difference of their log-likelihoods.
    tolerance : float
        How far below 0 it may be.

    Returns
    -------
    list of Check
        Empty when there is none.
    """
    checks = [
        Check(f"the fit of the {name} did not converge: {fit.message}", "invalid", "not_converged")
        for name, fit in (("null", null_fit), ("alternative", alternative_fit))
        if not fit.converged
    ]
    if statistic < -tolerance:
        checks.append(
            Check(
                f"the alternative, of which the null is a special case, fits {-statistic / 2:.3g} "
                "nats worse than the null, also after further starts: its optimum was not found; "
                "check the model's gradient with seqbio.core.check_gradient",
                "invalid",
                "negative_ratio",
            )
        )
    return checks

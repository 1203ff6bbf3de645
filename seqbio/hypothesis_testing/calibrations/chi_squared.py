"""Chi-squared: the law of the likelihood ratio for many data from a model that is right.

What this p-value takes for granted
-----------------------------------
That the wider hypothesis is true: items that are independent of each other, each drawn by the same
parameters, with the model's own laws of all that the test is not about. Then twice the logarithm
of the ratio is, for many data, a sum of as many squared normal variables as the alternative has
more parameters that can be told apart, whatever the true values, as long as these lie inside the
parameter space and the null's are estimated at their maximum (Wilks 1938).

What it does not forgive: items that differ in their parameters (pairs whose gap rates vary), items
that share events (copies, relatives), and a model that is wrong in what the test is about. Each
makes the ratio vary more than it says, so that p is too small. Few events, many parameters and
estimates on a boundary are looked for, and so is a variance of the scores that the model does not
explain; see `seqbio.hypothesis_testing.validity` and `seqbio.hypothesis_testing.dispersion`.

References
----------
Wilks, S. S. (1938). The large-sample distribution of the likelihood ratio for testing composite
hypotheses. Annals of Mathematical Statistics 9, 60-62.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from seqbio.core import Check
from seqbio.hypothesis_testing.calibrations.declaration import Calibration
from seqbio.hypothesis_testing.comparison import Comparison, Options
from seqbio.hypothesis_testing.laws import log_chi_squared_tail
from seqbio.hypothesis_testing.pictures import FAR, Curve


@dataclass(frozen=True)
class ChiSquared:
    """The chi-squared law.

    Parameters
    ----------
    statistic : float
        The observed ratio.
    df : int
        Degrees of freedom.
    inflation : float
        Mean of the ratio under the null over its degrees of freedom, where the model knows it; by
        which the ratio is divided (Bartlett).
    """

    statistic: float
    df: int
    inflation: float = 1.0

    name = "chi-squared"
    checks: tuple[Check, ...] = ()

    @property
    def log_pvalue(self) -> float:
        """Natural logarithm of the p-value."""
        return log_chi_squared_tail(self.statistic / self.inflation, self.df)

    @property
    def null_law(self) -> str:
        """The law, and on what conditions."""
        degrees = "degree" if self.df == 1 else "degrees"
        corrected, inside = "", "no parameter of the null is on its boundary, "
        if self.inflation != 1.0:
            corrected = (
                f" after the ratio is divided by {self.inflation:.5g}, its mean under the null "
                "over them (Bartlett's correction)"
            )
            inside = ""
        return (
            f"chi-squared with {self.df} {degrees} of freedom{corrected}, for many data: the "
            f"hypotheses are nested, the alternative has {self.df} more of the parameters that can "
            f"be told apart, both fits are at their optimum, {inside}and the model has no "
            "objection but the warnings given, if any"
        )

    def picture(self) -> Curve:
        """Say what a figure of it shows."""
        return chi_squared_curve(
            f"chi-squared under the null, {self.df} df", self.df, self.inflation
        )

    def rows(self) -> list[tuple[str, str]]:
        """Give label and value of what people should see: nothing more than of every ratio."""
        return []

    def to_dict(self) -> dict[str, Any]:
        """Give the numbers as plain values for programs."""
        return {"method": self.name, "df": self.df, "inflation": self.inflation}


def chi_squared_curve(name: str, df: int, scale: float = 1.0) -> Curve:
    """Draw a chi-squared law, of the ratio over a scale."""
    from scipy.stats import chi2

    return Curve(name, lambda x: chi2.pdf(x / scale, df) / scale, scale * float(chi2.isf(FAR, df)))


def _run(comparison: Comparison, _: Options, __: np.random.Generator) -> ChiSquared:
    return ChiSquared(comparison.statistic, comparison.df, comparison.inflation)


CHI_SQUARED = Calibration("chi2", "the law of many data", _run, answers=frozenset())

"""What a likelihood ratio test has found, for people and for programs."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import Any

from seqbio.core import Check, Fit, estimates_of
from seqbio.core.tables import Summarised, Table, short, shortened
from seqbio.hypothesis_testing.calibrations.declaration import Calibration
from seqbio.hypothesis_testing.calibrations.held_out import HeldOutComparison
from seqbio.hypothesis_testing.effects import INTERVAL_LEVEL, EffectEstimate
from seqbio.hypothesis_testing.evidence import Evidence
from seqbio.hypothesis_testing.wording import p_value_in_words

LEVEL = 0.05  # decides the wording of the conclusion, nothing else
_MOST_ROWS = 20
_MOST_TIES, _EXAMPLES = 8, 2  # lines on a hypothesis: all, or some of too many


@dataclass(frozen=True, eq=False, repr=False)
class LikelihoodRatioResult(Summarised):
    """A likelihood ratio, the law it is judged by and why, and what it was computed from.

    Printing it gives its `summary`, with the conclusion first, and notebooks show the same;
    `to_dict` and `to_json` are for programs.

    Parameters
    ----------
    statistic : float
        Twice the log-likelihood of the alternative less that of the null. Negative only when the
        fits failed, see `likelihood_ratio_test`; nan where the test does without.
    log_pvalue : float or None
        Natural logarithm of the p-value, exact where the p-value itself is too small for a float;
        None when no law is known to hold.
    calibration : str
        The law, in short: "chi-squared", "chi-bar-squared", "bootstrap", "split" ..., or "none".
    null_law : str
        The law of the statistic under the null and why it holds; or all reasons why none is used.
    converged : bool
        Both fits are at their optimum as far as can be seen, and the ratio is not negative. False
        where the test does without them, too.
    warnings : tuple of Check
        All findings on the validity of the test, the most important first; an "invalid" one
        rules out a p-value.
    null_name, alternative_name : str
        Names of the hypotheses, or what they tie.
    null_rank, alternative_rank : int
        Numbers of parameters that can be told apart.
    null_fit, alternative_fit : Fit
        The fits that were compared; better ones than were given if those were not good enough.
        Where a test asks what was learned under the null, the null's is that, and the alternative's
        is not made (`Fit.is_made`).
    effects : tuple of EffectEstimate
        What the model finds worth reporting, under the alternative.
    evidence : Evidence or None
        What the method has found: replicates, splits, weights ...
    method : Calibration or None
        How the p-value was obtained; None without one.
    robust_intervals : bool
        Whether the effects' intervals allow for items that depend on each other or differ.
    """

    statistic: float
    log_pvalue: float | None
    calibration: str
    null_law: str
    converged: bool
    warnings: tuple[Check, ...]
    null_name: str
    alternative_name: str
    null_rank: int
    alternative_rank: int
    null_fit: Fit
    alternative_fit: Fit
    effects: tuple[EffectEstimate, ...]
    evidence: Evidence | None = None
    method: Calibration | None = None
    robust_intervals: bool = False

    @property
    def df(self) -> int:
        """Degrees of freedom: identifiable parameters that the alternative has more."""
        return self.alternative_rank - self.null_rank

    @property
    def pvalue(self) -> float | None:
        """Probability of a ratio at least as large if the null is true; None without a law."""
        # Fifteen digits are those of the p-value itself: 1/20 is 0.05 and not a little more.
        return None if self.log_pvalue is None else float(f"{math.exp(self.log_pvalue):.15g}")

    @property
    def conclusion(self) -> str:
        """One sentence that says what follows, and no more than that."""
        if self.log_pvalue is None:
            reasons = [check.message for check in self.warnings if check.severity == "invalid"]
            n_more = len(reasons) - 1
            more = f" (the warnings give {n_more} more reason{'s' * (n_more > 1)})"
            return f"No conclusion: {reasons[0]}{more * (n_more > 0)}."
        p = p_value_in_words(self.log_pvalue, bound=self.is_bound)
        level = f"the {100 * LEVEL:g} % level"
        relation = "at" if self.pvalue == LEVEL else "below"
        doubts = [check for check in self.warnings if check.severity == "warning"]
        caution = "; mind the warnings" if doubts else ""
        if doubts and doubts[0].concerns == "data":
            caution = f"; but {doubts[0].message}"
        if isinstance(self.evidence, HeldOutComparison):
            return f"{self._comparison(self.evidence, p, level)}{caution}."
        tested = f'"{self.null_name}", tested against "{self.alternative_name}"'
        if self._above_level:
            return (
                f"The data do not contradict {tested} ({p}, not below {level}), which does not "
                f"show that it is true{self._too_few}{caution}."
            )
        directions = "; ".join(_direction(effect) for effect in self.effects if effect.direction)
        return (
            f"The data speak against {tested} ({p}, {relation} {level})"
            f"{': ' if directions else ''}{directions}{caution}."
        )

    @property
    def is_bound(self) -> bool:
        """Whether the p-value is only known to be no larger, as that of a split test."""
        return self.method is not None and self.method.is_bound

    @property
    def kind_of_intervals(self) -> str:
        """What the effects' intervals are, in words."""
        robust = "robust " * self.robust_intervals
        return f"{robust}intervals of {100 * INTERVAL_LEVEL:g} %"

    @property
    def _above_level(self) -> bool:
        return self.pvalue is None or self.pvalue > LEVEL

    @property
    def _too_few(self) -> str:
        few = any(c.code == "few_events" and c.severity == "note" for c in self.warnings)
        return ": they hold too few events to tell much" if few else ""

    def _comparison(self, comparison: HeldOutComparison, p: str, level: str) -> str:
        if self._above_level:
            return (
                f"Neither hypothesis predicts unseen items clearly better ({p}, not below {level})"
            )
        better, worse = self.alternative_name, self.null_name
        if comparison.mean < 0:
            better, worse = worse, better
        return (
            f'"{better}" predicts unseen items better than "{worse}" ({p}, below {level}), by '
            f"{abs(comparison.mean):.3g} nats an item"
        )

    def to_dict(self) -> dict[str, Any]:
        """Write the result as plain dictionaries, lists, strings and numbers.

        Returns
        -------
        dict
            ``conclusion``, and the ``level`` that it uses;
            ``statistic``, ``df``, ``pvalue``, ``log_pvalue``, ``calibration``, ``null_law``,
            ``converged`` and ``data_fingerprint``;
            ``null`` and ``alternative``, each with ``name``, ``ties`` (lines),
            ``log_likelihood`` (nats, full precision), ``n_free_parameters``,
            ``n_identifiable_parameters``, ``converged``, ``message``, ``gradient_norm``,
            ``n_iterations``, ``n_evaluations``, ``optima`` (nats, one for each start),
            ``at_boundary`` (names) and ``estimates`` (by name);
            ``effects``, a list of ``name``, ``estimate``, ``lower``, ``upper`` and
            ``null_value``, their ``interval_level``, and their ``interval_method`` ("wald" or
            "robust");
            ``evidence``, what the method has found, with its ``method``;
            ``warnings``, a list of ``code``, ``severity`` and ``message``.
            What is not known or not finite is None.
        """
        return {
            "conclusion": self.conclusion,
            "level": LEVEL,
            "statistic": _finite(self.statistic),
            "df": self.df,
            "pvalue": self.pvalue,
            "log_pvalue": self.log_pvalue,
            "calibration": self.calibration,
            "null_law": self.null_law,
            "converged": self.converged,
            "data_fingerprint": self.null_fit.data_fingerprint,
            "null": _fit_to_dict(self.null_fit, self.null_name, self.null_rank),
            "alternative": _fit_to_dict(
                self.alternative_fit, self.alternative_name, self.alternative_rank
            ),
            "effects": [
                {
                    "name": effect.name,
                    "estimate": _finite(effect.estimate),
                    "lower": _finite(effect.lower),
                    "upper": _finite(effect.upper),
                    "null_value": _finite(effect.null_value),
                }
                for effect in self.effects
            ],
            "interval_level": INTERVAL_LEVEL,
            "interval_method": "robust" if self.robust_intervals else "wald",
            "evidence": None if self.evidence is None else self.evidence.to_dict(),
            "warnings": [
                {"code": check.code, "severity": check.severity, "message": check.message}
                for check in self.warnings
            ],
        }

    def to_json(self) -> str:
        """Write the result as JSON, with the keys of `to_dict`.

        Returns
        -------
        str
            Numbers in full precision; null for what is not known or not finite.
        """
        return json.dumps(self.to_dict(), indent=2, allow_nan=False, ensure_ascii=False)

    def __repr__(self) -> str:
        return (
            f"LikelihoodRatioResult(statistic={self.statistic:.6g}, df={self.df}, "
            f"pvalue={self.pvalue}, calibration={self.calibration!r})"
        )

    def _summary(self) -> tuple[str, list[Table]]:
        return self.conclusion, self.tables()

    def tables(self) -> list[Table]:
        """Lay out in tables, as it is printed, what the conclusion rests on.

        Returns
        -------
        list of Table
            Each with a title; those that are empty have no rows.
        """
        return [
            Table("Test", (), self._test_rows()),
            Table(
                f"Effects under the alternative, {self.kind_of_intervals}",
                ("", "estimate", "from", "to", "under the null"),
                [
                    (
                        effect.name,
                        *map(
                            short,
                            (effect.estimate, effect.lower, effect.upper, effect.null_value),
                        ),
                    )
                    for effect in self.effects
                ],
            ),
            Table("Warnings", (), [(check.severity, check.message) for check in self.warnings]),
            Table("Hypotheses", ("", "null", "alternative"), self._fit_rows()),
            Table("Estimates", ("", "null", "alternative"), self._estimate_rows()),
            Table("Convergence", (), self._convergence_rows()),
        ]

    def _fit_rows(self) -> list[tuple[str, ...]]:
        fits = self.null_fit, self.alternative_fit
        ties = [fit.tying.describe(fit.model.layout) for fit in fits]
        common = [line for line in ties[0] if line in ties[1]]
        own = [[line for line in lines if line not in common] for lines in ties]
        # A network's hundreds of groups say less than its name; a few show how they are written.
        most = _MOST_TIES if max(map(len, own)) <= _MOST_TIES else _EXAMPLES
        own_cells = ("\n".join(shortened(lines, most)) or "none" for lines in own)
        return [
            ("name", self.null_name, self.alternative_name),
            ("ties", *own_cells),
            (
                "log-likelihood (nats)",
                *(f"{fit.log_likelihood:.6f}" if fit.is_made else "not fitted" for fit in fits),
            ),
            ("free parameters", *(str(fit.n_free) for fit in fits)),
            ("  that can be told apart", str(self.null_rank), str(self.alternative_rank)),
        ]

    def _estimate_rows(self) -> list[tuple[str, ...]]:
        null, alternative = (
            estimates_of(fit.model, fit.full) for fit in (self.null_fit, self.alternative_fit)
        )
        rows: list[tuple[str, ...]]
        rows = [(name, short(null.get(name)), short(alternative[name])) for name in alternative]
        n_more = len(rows) - _MOST_ROWS
        return rows[:_MOST_ROWS] + ([(f"and {n_more} more", "", "")] if n_more > 0 else [])

    def _test_rows(self) -> list[tuple[str, ...]]:
        p = "none" if self.log_pvalue is None else p_value_in_words(self.log_pvalue)
        p = p.removeprefix("p = ").removeprefix("p ")
        return [
            *self.ratio_rows(),
            ("p-value", f"at most {p}" if p[0].isdigit() and self.is_bound else p),
            (
                "law under the null",
                "none that is known to hold; the invalid warnings below say why"
                if self.log_pvalue is None
                else self.null_law,
            ),
            *([] if self.evidence is None else self.evidence.rows()),
        ]

    def ratio_rows(self) -> list[tuple[str, str]]:
        """Give the likelihood ratio and its degrees of freedom, where the test has one.

        Returns
        -------
        list of tuple of str
            Label and value of each.
        """
        if math.isnan(self.statistic):
            return []
        ratio = f"{self.statistic:.6g}"
        return [("likelihood ratio", ratio), ("degrees of freedom", str(self.df))]

    def _convergence_rows(self) -> list[tuple[str, ...]]:
        return [
            (name, fit.convergence)
            for name, fit in (("null", self.null_fit), ("alternative", self.alternative_fit))
        ]


def _direction(effect: EffectEstimate) -> str:
    estimate, lower, upper, null_value = map(
        short, (effect.estimate, effect.lower, effect.upper, effect.null_value)
    )
    return (
        f"{effect.name} is {estimate} ({100 * INTERVAL_LEVEL:g} % interval {lower} to {upper}), "
        f"{effect.direction} the {null_value} of the null"
    )


def _fit_to_dict(fit: Fit, name: str, rank: int) -> dict[str, Any]:
    return {
        "name": name,
        "ties": fit.tying.describe(fit.model.layout),
        "log_likelihood": _finite(fit.log_likelihood),
        "n_free_parameters": fit.n_free,
        "n_identifiable_parameters": rank,
        "converged": fit.converged,
        "message": fit.message,
        "gradient_norm": _finite(fit.gradient_norm),
        "n_iterations": fit.n_iterations,
        "n_evaluations": fit.n_evaluations,
        "optima": [_finite(optimum) for optimum in fit.optima],
        "at_boundary": list(fit.at_boundary),
        "estimates": {
            name: _finite(value) for name, value in estimates_of(fit.model, fit.full).items()
        },
    }


def _finite(value: float | None) -> float | None:
    return float(value) if value is not None and math.isfinite(value) else None

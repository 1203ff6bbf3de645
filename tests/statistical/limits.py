"""How many rejections of true nulls are too many, or too few, to be chance.

A test of level a rejects a true null with probability a, so the number of rejections among n data
sets is binomial. Limits that hold 99 % of that distribution say whether a count is in order:

>>> rows = rejections([0.004, 0.03, 0.2, 0.5, 0.7, 0.9] + [0.4] * 94, levels=(0.10, 0.05))
>>> [row.is_in_order for row in rows]
[False, True]
>>> print(as_table("an example", rows))
an example: 100 p-values
  level  rejected      limits    rate  verdict
   10 %         2     3 to 18     2 %  too few
    5 %         2     0 to 11     2 %  in order
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

LEVELS = (0.10, 0.05, 0.01)
CONFIDENCE = 0.99


@dataclass(frozen=True)
class Rejections:
    """How often true nulls were rejected at one level, and how often they should have been.

    Parameters
    ----------
    level : float
        Nominal probability of rejection.
    n_tests : int
        Number of p-values.
    n_missing : int
        Number of data sets without a p-value; they are not among `n_tests`.
    n_rejected : int
        P-values at or below the level.
    lowest, highest : int
        The central binomial limits, both in order.
    """

    level: float
    n_tests: int
    n_missing: int
    n_rejected: int
    lowest: int
    highest: int

    @property
    def is_in_order(self) -> bool:
        """Whether the count is within the limits."""
        return self.lowest <= self.n_rejected <= self.highest

    @property
    def verdict(self) -> str:
        """The same in words."""
        if self.is_in_order:
            return "in order"
        return "too few" if self.n_rejected < self.lowest else "TOO MANY"


def binomial_limits(n_tests: int, level: float, confidence: float = CONFIDENCE) -> tuple[int, int]:
    """Find the least and the largest count that are in order.

    Each tail outside has a probability of at most half of what the confidence leaves.

    Parameters
    ----------
    n_tests : int
        Number of tests of true nulls.
    level : float
        Probability of rejection of each.
    confidence : float
        Probability of a count within the limits, at least.

    Returns
    -------
    lowest, highest : int
        Both are in order.
    """
    from scipy.stats import binom

    lowest, highest = binom.interval(confidence, n_tests, level)
    return int(lowest), int(highest)


def rejections(
    pvalues: Iterable[float | None],
    levels: Sequence[float] = LEVELS,
    confidence: float = CONFIDENCE,
    bound: bool = False,
) -> list[Rejections]:
    """Count the rejections of true nulls at each level.

    Parameters
    ----------
    pvalues : iterable of float or None
        One for each data set; None where the test gave no p-value.
    levels : sequence of float
        Nominal levels.
    confidence : float
        Of the limits.
    bound : bool
        Whether the p-values only bound the error, so that no count is too low.

    Returns
    -------
    list of Rejections
        One for each level.
    """
    everything = list(pvalues)
    given = [p for p in everything if p is not None]
    if not given:
        raise ValueError(f"none of {len(everything)} tests gave a p-value, so there is no rate")
    rows = []
    for level in levels:
        lowest, highest = binomial_limits(len(given), level, confidence)
        count = sum(p <= level for p in given)
        n_missing = len(everything) - len(given)
        lowest = 0 if bound else lowest
        rows.append(Rejections(level, len(given), n_missing, count, lowest, highest))
    return rows


def as_table(title: str, rows: Sequence[Rejections]) -> str:
    """Lay the counts out for people.

    Parameters
    ----------
    title : str
        What was tested.
    rows : sequence of Rejections
        From `rejections`.

    Returns
    -------
    str
        A line for each level, below a head.
    """
    missing = f", {rows[0].n_missing} data sets without one" if rows[0].n_missing else ""
    lines = [
        f"{title}: {rows[0].n_tests} p-values{missing}",
        "  level  rejected      limits    rate  verdict",
    ]
    for row in rows:
        limits = f"{row.lowest} to {row.highest}"
        rate = f"{100 * row.n_rejected / row.n_tests:.3g} %"
        level = f"{100 * row.level:g} %"
        lines.append(f"{level:>7}{row.n_rejected:>10}{limits:>12}{rate:>8}  {row.verdict}")
    return "\n".join(lines)

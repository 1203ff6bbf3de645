"""Which pairs are related at all: as they stand, with y on the other strand, or not.

Unrelated sequences have alignments, too, and a fit makes gaps of what does not match. So a pair is
asked whether its sequences tell of each other: the log odds of relation are

    log P(x, y | their lengths) - log P(x) - log P(y).

The first is the sum over all alignments, over the same sum with all letters alike, which is the
probability of the lengths. It is averaged over several distances and frequencies of gaps, so that
it does not depend on a fit that went wrong because of the very pairs that are looked for. Alone,
the letters of a sequence are independent, with the frequencies of the model or with its own (a
Dirichlet-multinomial law around those of the model), whichever fits better. All of these are
probability distributions, so two unrelated sequences reach odds of c with a probability of at most
1 / c (Markov's inequality), whatever their lengths. Real sequences are no independent letters: of
genes paired at random some nine in ten stay below 20.

Short or distant relatives may tell nothing of each other by chance. So where most pairs do, only
those are called unrelated of which the parameters of the others deny it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln, logsumexp

from seqbio.core.model import Check
from seqbio.pairhmm import dp, transitions
from seqbio.pairhmm.pair_data import PairData

if TYPE_CHECKING:
    from seqbio.pairhmm.pair_model import PairModel

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

_RELATED = np.log(20.0)  # odds that tell a pair from two unrelated sequences
_RELATED_PER_LETTER = 0.05  # in nats, less is enough for short ones: 1.2 substitutions a site
_CONTRADICTION = 20.0  # odds against a relation, in one pair of all
_FAR_BETTER = np.log(1e4)  # odds of the other strand against this one, in one pair of all
_SHOWN = 3  # pairs that are named
# Distance, chances that a gap opens and that it goes on: alike, apart, full of gaps, far apart.
_TYPICAL = ((0.1, 0.02, 0.4), (0.4, 0.03, 0.5), (0.2, 0.1, 0.3), (1.0, 0.03, 0.6))


class Relation(NamedTuple):
    """Positions of pairs that are not related as they stand.

    Parameters
    ----------
    unrelated : ndarray of int
        Those of which the one sequence tells nothing of the other, on either strand.
    turned : ndarray of int
        Those that fit far better with the reverse complement of y.
    """

    unrelated: Integers
    turned: Integers


def find(model: PairModel, data: PairData, full: Floats, known: Floats | None = None) -> Relation:
    """Find the pairs that are not related as they stand.

    Nearly all pairs are cleared by the first sum over alignments, and the other strand is looked at
    only where this one does not fit.

    Parameters
    ----------
    model : PairModel
        Of related pairs.
    data : PairData
        The pairs.
    full : ndarray of float64, (n_full,)
        Parameters that are tried first; frequencies of letters and overhangs are always these.
    known : ndarray of float64, (n_pairs,), optional
        Log-likelihoods of the pairs under these parameters, or lower bounds of them.

    Returns
    -------
    Relation
        Empty where all is well.
    """
    limits = np.minimum(_RELATED, _RELATED_PER_LETTER * data.lengths.min(axis=1))
    far = _FAR_BETTER + np.log(len(data))
    settings = [full, *_typical(model, full)]
    alone = _alone(model, data, full)
    doubtful = np.arange(len(data))
    for parameters in settings:
        if known is None:
            known = model.log_likelihood(parameters, data.subset(doubtful))
        # The mean is at least this part of it, and the probability of the lengths at most 1.
        certain = known - alone[doubtful] - np.log(len(settings)) > 2.0 * far
        doubtful, known = doubtful[~certain], None
        if not len(doubtful):
            return Relation(doubtful, doubtful)
    part = data.subset(doubtful)
    odds = log_odds(model, part, settings)
    mean = _mean(odds)
    turned = np.zeros(len(part), dtype=bool)
    if data.alphabet.complement is not None:
        others = _mean(log_odds(model, part.turned(), settings))
        turned = (others - mean > far) & (others > far) & (mean <= 2.0 * far)
    unrelated = ~turned & (mean <= limits[doubtful])
    if 2 * (turned | unrelated).sum() <= len(data):
        # Among related pairs some tell nothing by chance, and only what contradicts the others is
        # named: under their parameters log odds of -t have a probability of at most exp(-t).
        unrelated &= odds[0] <= -np.log(_CONTRADICTION * len(data))
    return Relation(doubtful[unrelated], doubtful[turned])


def log_odds(model: PairModel, data: PairData, settings: Sequence[Floats]) -> Floats:
    """Compute the log odds of relation under each of several settings, (n_settings, n_pairs)."""
    odds = np.full((len(settings), len(data)), -np.inf)
    for row, full in zip(odds, settings, strict=True):
        machine, _ = model.machine(full, data)
        alike = replace(machine, odds=np.ones_like(machine.odds))
        of_lengths = dp.log_likelihood(alike, data.coded)
        # Where not even the lengths are possible, this setting says nothing.
        np.subtract(
            model.log_likelihood(full, data), of_lengths, out=row, where=np.isfinite(of_lengths)
        )
    return odds - _alone(model, data, settings[0])


def _mean(odds: Floats) -> Floats:
    """Average odds over settings: (n_settings, n_pairs) to (n_pairs,), both logarithms."""
    return np.asarray(logsumexp(odds, axis=0) - np.log(len(odds)))


def _typical(model: PairModel, full: Floats) -> list[Floats]:
    """Give parameters of pairs that are related in the usual ways."""
    blocks = model.layout.unflatten(full)
    moves = transitions.probabilities(
        {name: float(blocks[name]) for name in transitions.TRANSITION_NAMES}
    )
    moves |= {f"{share}_{side}": 0.0 for share in transitions.SHARES for side in "xy"}
    counts = np.ones(model.substitution.n_letters)
    settings = []
    for distance, opened, extended in _TYPICAL:
        gaps = {f"open_{side}": opened for side in "xy"} | {
            f"extend_{side}": extended for side in "xy"
        }
        letters = model.substitution.start(letter_counts=counts, distance=distance)
        usual = {name: value for name, value in letters.items() if name != "frequency"}
        coordinates = transitions.coordinates(moves | gaps)
        settings.append(model.layout.flatten({**blocks, **coordinates, **usual}))
    return settings


def _alone(model: PairModel, data: PairData, full: Floats) -> Floats:
    """Compute the log-likelihood of both sequences of every pair alone, (n_pairs,) nats."""
    _, letters = model.substitution.joint(model.layout.unflatten(full))
    _, background = model.machine(full, data)
    prior = len(letters) * np.maximum(letters, 1e-9)
    total = np.zeros(len(data))
    for counts in (data.counts_x, data.counts_y):
        own = counts @ data.membership
        with np.errstate(invalid="ignore"):  # 0 letters of probability 0; fmax leaves nan out
            usual = counts @ background
        adapted = (
            gammaln(prior.sum())
            - gammaln(prior.sum() + own.sum(axis=1))
            + (gammaln(own + prior) - gammaln(prior)).sum(axis=1)
        )
        total += np.fmax(usual, adapted)
    return total


def checks(found: Relation, data: PairData) -> list[Check]:
    """Say of which pairs the gaps mean nothing; where most are so, no test can be made of them."""
    n_pairs = len(data)
    n_turned, count = len(found.turned), len(found.turned) + len(found.unrelated)
    meaningless = 2 * n_turned >= n_pairs or 2 * count > n_pairs
    severity: Literal["warning", "invalid"] = "invalid" if meaningless else "warning"
    said = []
    if n_turned:
        message = (
            f"{_named(found.turned, data)} far better with the reverse complement of y, and what "
            "the model makes of them as they stand means nothing; turn y round with --orient "
            "(PairHMM.orient)"
        )
        said.append(Check(message, severity, "unrelated_items", "strand", "data"))
    if len(found.unrelated):
        message = (
            f"{_named(found.unrelated, data)} no better than two unrelated sequences, of which the "
            "gaps mean nothing; leave them out, or look whether the right sequences are paired"
        )
        said.append(Check(message, severity, "unrelated_items", "pairs", "data"))
    return said


def _named(pairs: Integers, data: PairData) -> str:
    names = [data.names[pair] if data.names else f"index {pair}" for pair in pairs]
    if len(data) == 1:
        return f"the pair ({names[0]}) fits"
    shown = "; ".join(names[:_SHOWN])
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return f"{len(names)} of {len(data)} pairs ({shown}{more}) fit"

"""On which strand, and at which place, the motifs of a detector stand: what its symmetries say.

A strand-tied detector that has learned from sequences in a canonical orientation (of a sequence and
its reverse complement the one that comes first) is the same detector whichever of them are turned
round. So if sequences are as likely as their reverse complements, the sign of

    P(site | sequence) * (P(+ strand | site) - P(- strand | site))

is a coin for each sequence, given the detector and the sizes: an exact test, for any network. The
same with the place: if a site is as likely at each place where it fits, the profile of where a
sequence has it may be rotated.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from seqbio.core import Check, Reading, Tying, fingerprint
from seqbio.motif import windows
from seqbio.motif.motif_model import MotifModel, by_filter
from seqbio.neural import filters
from seqbio.sequences.sequence_data import SequenceData

Floats = NDArray[np.float64]

_CHUNK = 1024  # sequences whose scores are held at a time
_LEANING = 3.0  # standard deviations


def canonical_orientation(data: SequenceData) -> SequenceData:
    """Take of each sequence and its reverse complement the one that comes first.

    Parameters
    ----------
    data : SequenceData
        Of an alphabet with a complement.

    Returns
    -------
    SequenceData
        The same for any orientation of the sequences.

    Examples
    --------
    >>> from seqbio.sequences import DNA
    >>> data = SequenceData.of(["TTG", "CAA"], DNA, [0, 1])
    >>> [DNA.decode(codes) for codes in canonical_orientation(data).codes]
    ['CAA', 'CAA']
    """
    pairs = zip(data.codes, data.reverse_complements(), strict=True)
    sequences = [min(pair, key=bytes) for pair in pairs]
    return SequenceData(data.alphabet, sequences, data.labels)


def read_strands(
    model: MotifModel,
    tying: Tying,
    data: SequenceData,
    n_starts: int = 1,
    seed: int | np.random.Generator | None = None,
) -> Reading:
    """Say how far each sequence has each motif on the + strand rather than the - strand.

    Parameters
    ----------
    model : MotifModel
        With max or logsumexp pooling, of both strands.
    tying : Tying
        That ties the strands; positions too, or not.
    data : SequenceData
        Sequences with their classes.
    n_starts : int, default 1
        Of the learning.
    seed : int, numpy.random.Generator or None
        For the starts.

    Returns
    -------
    Reading
        Values (n_items, n_motifs), from -1 to 1; minus the value where a sequence is turned round.
        Those of the first class are 0; where its sequences lean to one strand, too, there is a
        warning.
    """
    fitted = model.learn(tying, canonical_orientation(data), n_starts=n_starts, seed=seed)
    # A strand-tied detector gives a turned sequence the same likelihood.
    fitted = replace(fitted, data_fingerprint=fingerprint(data))
    single, full = model.at_one_place(tying, fitted.full)
    by_strand = _in_chunks(
        lambda items: np.logaddexp.reduce(_log_odds(single, full, data, items), axis=3), data
    )
    share = np.tanh((by_strand[:, :, 0] - by_strand[:, :, 1]) / 2.0)
    scores = _site_probability(single, full, data)[:, None] * share
    first = data.classes == 0
    checks = _composition_checks(scores[first], scores[~first])
    return Reading(np.where(first[:, None], 0.0, scores), fitted, checks)


def _composition_checks(first: Floats, others: Floats) -> tuple[Check, ...]:
    """Warn where sequences of the first class, which have no motif, lean to a strand as others."""
    lean = first.sum(axis=0) / np.maximum(np.sqrt((first**2).sum(axis=0)), 1e-300)
    alike = np.sign(first.sum(axis=0)) == np.sign(others.sum(axis=0))
    if not (alike & (np.abs(lean) > _LEANING)).any():
        return ()
    message = (
        "matches in the first class, which stands for sequences without the motif, prefer the same "
        f"strand ({np.abs(lean[alike]).max():.1f} standard deviations): letters differ between "
        "the strands, so that the p-value may speak of composition as well as of the motif"
    )
    return (Check(message, "warning", "strand_composition"),)


def read_places(
    model: MotifModel,
    tying: Tying,
    data: SequenceData,
    n_starts: int = 1,
    seed: int | np.random.Generator | None = None,
) -> Reading:
    """Say where each sequence has its motifs.

    Parameters
    ----------
    model : MotifModel
        With max or logsumexp pooling.
    tying : Tying
        That ties the positions.
    data : SequenceData
        Sequences of one length with their classes.
    n_starts : int, default 1
        Of the learning.
    seed : int, numpy.random.Generator or None
        For the starts.

    Returns
    -------
    Reading
        Values (n_items, n_motifs, n_places): probability of a site at each place where one fits, on
        either strand; a row adds up to the probability that a sequence has one, 0 in the first
        class.
    """
    fitted = model.learn(tying, data, n_starts=n_starts, seed=seed)
    single, full = model.at_one_place(tying, fitted.full)
    by_place = _in_chunks(
        lambda items: np.logaddexp.reduce(_log_odds(single, full, data, items), axis=2), data
    )
    by_place -= np.logaddexp.reduce(by_place, axis=2, keepdims=True)
    sites = np.where(data.classes > 0, _site_probability(single, full, data), 0.0)
    checks = tuple(model.checks(fitted.full, data, tying))
    return Reading(sites[:, None, None] * np.exp(by_place), fitted, checks, margin=model.width)


def _in_chunks(values: Callable[[slice], Floats], data: SequenceData) -> Floats:
    return np.concatenate([values(slice(at, at + _CHUNK)) for at in range(0, len(data), _CHUNK)])


def _log_odds(model: MotifModel, full: Floats, data: SequenceData, items: slice) -> Floats:
    """Say what a site at each place adds to the log odds of a sequence's class.

    The shape is (n_items, n_motifs, n_strands, n_places), with minus infinity past the end of a
    sequence. A motif that speaks against a class adds nothing anywhere.
    """
    blocks = model.layout.unflatten(full)
    weights, bias = (by_filter(blocks[name]) for name in ("weights", "bias"))
    scores = filters.window_scores(weights, bias, windows.letters(data, items))
    scores = scores.reshape(len(scores), model.n_motifs, model.n_strands, -1)
    readout = blocks["readout"][0] if model.has_readout else np.eye(model.n_motifs)
    label = np.maximum(data.classes[items] - 1, 0)
    scores *= np.maximum(readout[label], 0.0)[:, :, None, None]
    past = np.arange(scores.shape[3]) > (data.lengths[items] - model.width)[:, None]
    scores[np.broadcast_to(past[:, None, None], scores.shape)] = -np.inf
    return scores


def _site_probability(model: MotifModel, full: Floats, data: SequenceData) -> Floats:
    """Probability that a sequence has a site, (n_items,).

    In a class where a share q has a site, the odds of a sequence without one are 1 - q, those of a
    typical sequence of the first class; what exceeds them is due to a site. The first class is
    asked for sites of the second.
    """
    labels = data.classes
    logits = model.logits(full, data)
    typical = np.median(logits[labels == 0], axis=0)
    rows = np.arange(len(labels))
    excess = (logits - typical)[rows, np.maximum(labels - 1, 0)]
    return np.asarray(-np.expm1(-np.maximum(excess, 0.0)))

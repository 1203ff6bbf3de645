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

import numpy as np
from numpy.typing import NDArray

from seqbio.core import Tying
from seqbio.motif import kernels
from seqbio.motif.motif_data import MotifData
from seqbio.motif.motif_model import MotifModel, by_filter

Floats = NDArray[np.float64]

_CHUNK = 1024  # sequences whose scores are held at a time


def canonical_orientation(data: MotifData) -> MotifData:
    """Take of each sequence and its reverse complement the one that comes first.

    Parameters
    ----------
    data : MotifData
        Of an alphabet with a complement.

    Returns
    -------
    MotifData
        The same for any orientation of the sequences.

    Examples
    --------
    >>> from seqbio.sequences import DNA
    >>> data = MotifData(DNA, [DNA.encode("TTG"), DNA.encode("CAA")], [0, 1], 2)
    >>> [DNA.decode(codes) for codes in canonical_orientation(data).sequences]
    ['CAA', 'CAA']
    """
    turned = [data.alphabet.reverse_complement(codes) for codes in data.sequences]
    sequences = [min(pair, key=bytes) for pair in zip(data.sequences, turned, strict=True)]
    return MotifData(data.alphabet, sequences, data.labels, data.n_classes)


def strand_scores(
    model: MotifModel,
    tying: Tying,
    data: MotifData,
    *,
    n_starts: int = 1,
    seed: int | np.random.Generator | None = None,
) -> Floats:
    """Say how far each sequence has each motif on the + strand rather than the - strand.

    Parameters
    ----------
    model : MotifModel
        With max or logsumexp pooling, of both strands.
    tying : Tying
        That ties the strands; positions too, or not.
    data : MotifData
        Sequences with their classes.
    n_starts : int, default 1
        Of the learning.
    seed : int, numpy.random.Generator or None
        For the starts.

    Returns
    -------
    ndarray of float64, (n_items, n_motifs)
        From -1 to 1; minus the score where a sequence is turned round. 0 for the first class.
    """
    fitted = model.learn(tying, canonical_orientation(data), n_starts=n_starts, seed=seed)
    single, full = model.at_one_place(tying, fitted.full)
    by_strand = _in_chunks(
        lambda items: np.logaddexp.reduce(_log_odds(single, full, data, items), axis=3), data
    )
    share = np.tanh((by_strand[:, :, 0] - by_strand[:, :, 1]) / 2.0)
    return _site_probability(single, full, data)[:, None] * share


def place_profiles(
    model: MotifModel,
    tying: Tying,
    data: MotifData,
    *,
    n_starts: int = 1,
    seed: int | np.random.Generator | None = None,
) -> Floats:
    """Say where each sequence has its motifs.

    Parameters
    ----------
    model : MotifModel
        With max or logsumexp pooling.
    tying : Tying
        That ties the positions.
    data : MotifData
        Sequences of one length with their classes.
    n_starts : int, default 1
        Of the learning.
    seed : int, numpy.random.Generator or None
        For the starts.

    Returns
    -------
    ndarray of float64, (n_items, n_motifs, n_places)
        Probability of a site at each place where one fits, on either strand; the rows of a sequence
        add up to the probability that it has one, and those of the first class are 0.
    """
    fitted = model.learn(tying, data, n_starts=n_starts, seed=seed)
    single, full = model.at_one_place(tying, fitted.full)
    by_place = _in_chunks(
        lambda items: np.logaddexp.reduce(_log_odds(single, full, data, items), axis=2), data
    )
    by_place -= np.logaddexp.reduce(by_place, axis=2, keepdims=True)
    return _site_probability(single, full, data)[:, None, None] * np.exp(by_place)


def _in_chunks(values: Callable[[slice], Floats], data: MotifData) -> Floats:
    return np.concatenate([values(slice(at, at + _CHUNK)) for at in range(0, len(data), _CHUNK)])


def _log_odds(model: MotifModel, full: Floats, data: MotifData, items: slice) -> Floats:
    """Say what a site at each place adds to the log odds of a sequence's class.

    The shape is (n_items, n_motifs, n_strands, n_places), with minus infinity past the end of a
    sequence. A motif that speaks against a class adds nothing anywhere.
    """
    blocks = model.layout.unflatten(full)
    weights, bias = (by_filter(blocks[name]) for name in ("weights", "bias"))
    scores = kernels.window_scores(weights, bias, data.shares(items))
    scores = scores.reshape(len(scores), model.n_motifs, model.n_strands, -1)
    readout = blocks["readout"][0] if model.has_readout else np.eye(model.n_motifs)
    label = np.maximum(np.asarray(data.labels)[items] - 1, 0)
    scores *= np.maximum(readout[label], 0.0)[:, :, None, None]
    past = np.arange(scores.shape[3]) > (data.lengths[items] - model.width)[:, None]
    scores[np.broadcast_to(past[:, None, None], scores.shape)] = -np.inf
    return scores


def _site_probability(model: MotifModel, full: Floats, data: MotifData) -> Floats:
    """Probability that a sequence has a site, (n_items,); 0 for the first class.

    In a class where a share q has a site, the odds of a sequence without one are 1 - q, those of a
    typical sequence of the first class; what exceeds them is due to a site.
    """
    labels = np.asarray(data.labels)
    logits = model.logits(full, data)
    typical = np.median(logits[labels == 0], axis=0)
    rows = np.arange(len(labels))
    excess = (logits - typical)[rows, np.maximum(labels - 1, 0)]
    return np.where(labels > 0, -np.expm1(-np.maximum(excess, 0.0)), 0.0)

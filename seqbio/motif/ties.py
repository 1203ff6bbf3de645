"""The ties of motif detectors: over positions, over strands, over places of the readout."""

from __future__ import annotations

from typing import Any

import numpy as np

from seqbio.core import Tying
from seqbio.core.numerics import IntArray
from seqbio.core.ties import Tie, TieTable, along
from seqbio.sequences import Alphabet

_FILTERS = ("weights", "bias")


def other_strand(block: Any, alphabet: Alphabet) -> Any:
    """Exchange the strands: each filter becomes the reverse complement of the other's.

    Parameters
    ----------
    block : ndarray, (places, strands, n_motifs) or (places, strands, n_motifs, n_letters, width)
        Biases, or weights.
    alphabet : Alphabet
        Of the letters.

    Returns
    -------
    ndarray, of the same shape
        A view, or a copy.
    """
    exchanged = block[:, ::-1]
    if block.ndim == 3:
        return exchanged
    complement = alphabet.complement
    letters = np.arange(alphabet.size) if complement is None else complement
    return exchanged[:, :, :, letters[: alphabet.size], ::-1]


def _position(model: Any, tying: Tying) -> Tying:
    return tying.with_equal(*(along(model.layout, name) for name in _FILTERS))


def _strand(model: Any, tying: Tying) -> Tying:
    def with_other(indices: IntArray) -> IntArray:
        return np.stack([indices, other_strand(indices, model.alphabet)], axis=-1).reshape(-1, 2)

    return tying.with_equal(*(with_other(model.layout.indices(name)) for name in _FILTERS))


def _both_strands(model: Any) -> str:
    if model.alphabet.complement is None:
        return f"letters with a complement, and the {model.alphabet.name} alphabet has none"
    return "" if model.n_strands > 1 else "both strands: --strands both (strands='both')"


def _readout(model: Any, tying: Tying) -> Tying:
    return tying.with_equal(along(model.layout, "readout"))


def _no_pooling(model: Any) -> str:
    if model.pooling == "none":
        return ""
    return f"--pooling none (pooling='none'); with {model.pooling!r} the readout has no positions"


TIES = TieTable[Any](
    "a motif detector",
    [
        Tie(
            "position",
            "a motif works wherever it stands: one filter for all positions",
            _position,
        ),
        Tie(
            "strand",
            "a motif works on either strand: the filter of the other strand is its reverse "
            "complement",
            _strand,
            _both_strands,
        ),
        Tie(
            "readout",
            "with pooling='none', a hit counts the same wherever it stands",
            _readout,
            _no_pooling,
        ),
    ],
)
"""Of a `seqbio.motif.motif_model.MotifModel`."""

"""Sequence logos, drawn by logomaker (``pip install 'seqbio[plot]'``)."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from seqbio.errors import MissingDependencyError
from seqbio.motif.motifs import (
    alphabet_of,
    as_motifs,
    checked_background,
    information_content,
    probability_matrix,
)

if TYPE_CHECKING:
    from Bio.motifs import Motif


def draw_logos(
    motifs: Motif | Sequence[Motif],
    target: str | os.PathLike[str] | None = None,
    *,
    background: ArrayLike | None = None,
) -> Any:
    """Draw motifs below each other; the height of a letter is its share of the column's bits.

    Parameters
    ----------
    motifs : Bio.motifs.Motif or list of them
        What to draw.
    target : path, optional
        An image file; its ending gives the format.
    background : array_like of float, (n_letters,), optional
        Equal by default.

    Returns
    -------
    matplotlib.figure.Figure
        The figure, not shown.

    Raises
    ------
    MissingDependencyError
        logomaker is not installed.
    """
    try:
        import logomaker
        from matplotlib.figure import Figure
        from pandas import DataFrame  # type: ignore[import-untyped]
    except ImportError as error:
        raise MissingDependencyError(
            "logos need logomaker and matplotlib: pip install 'seqbio[plot]'"
        ) from error
    found = as_motifs(motifs)
    matrices = [probability_matrix(motif) for motif in found]
    widest = max(matrix.shape[1] for matrix in matrices)
    figure = Figure(figsize=(0.4 * widest + 1.2, 1.6 * len(found) + 0.2), layout="constrained")
    for number, (motif, matrix) in enumerate(zip(found, matrices, strict=True), start=1):
        axes = figure.add_subplot(len(found), 1, number)
        alphabet = alphabet_of(motif)
        shares = checked_background(background, alphabet.size)
        heights = matrix * information_content(motif, shares)
        table = DataFrame(heights.T, columns=list(alphabet.letters))
        logomaker.Logo(table, ax=axes)
        axes.set(ylim=(0, -np.log2(shares.min())), ylabel="bits", title=str(motif.name))
        columns = range(matrix.shape[1])
        axes.set_xticks(columns, [str(column + 1) for column in columns])
    if target is not None:
        figure.savefig(Path(target))
    return figure

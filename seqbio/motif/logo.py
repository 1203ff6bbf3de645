"""Sequence logos, drawn by logomaker (``pip install 'seqbio[plot]'``)."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

import numpy as np

from seqbio.core._checks import checked
from seqbio.errors import MissingDependencyError, ParameterError
from seqbio.motif.motifs import (
    Background,
    alphabet_of,
    as_motifs,
    checked_background,
    count_matrix,
    information_content,
    probability_matrix,
)
from seqbio.sequences import atomic_writer

if TYPE_CHECKING:
    from Bio.motifs import Motif
    from matplotlib.axes import Axes

# Those that readers expect, of a shade that colour-blind readers can tell apart.
_COLORS = {"A": "#009E73", "C": "#0072B2", "G": "#E69F00", "T": "#D55E00", "U": "#D55E00"}


@checked
def draw_logo(
    motif: Motif,
    axes: Axes,
    *,
    background: Background = None,
    first: int = 1,
) -> None:
    """Draw a motif on axes; the height of a letter is its share of the column's bits.

    Parameters
    ----------
    motif : Bio.motifs.Motif
        What to draw.
    axes : matplotlib.axes.Axes
        To draw on.
    background : array_like of float, (n_letters,), or dict, optional
        As for `seqbio.scan`.
    first : int, default 1
        Where the first column stands.

    Raises
    ------
    MissingDependencyError
        logomaker is not installed.
    """
    try:
        import logomaker
        from pandas import DataFrame  # type: ignore[import-untyped]
    except ImportError as error:
        raise MissingDependencyError(
            "logos need logomaker and matplotlib: pip install 'seqbio[plot]'"
        ) from error
    alphabet = alphabet_of(motif)
    shares = checked_background(background, alphabet.letters)
    heights = probability_matrix(motif) * information_content(motif, shares)
    table = DataFrame(heights.T, columns=list(alphabet.letters))
    table.index = first + np.arange(len(table))
    logomaker.Logo(table, ax=axes, color_scheme=None if alphabet.size > 4 else _COLORS)
    axes.set(ylim=(0, -np.log2(shares.min())), ylabel="Information (bits)")


@checked
def draw_logos(
    motifs: Motif | Sequence[Motif],
    target: str | os.PathLike[str] | None = None,
    *,
    background: Background = None,
) -> Any:
    """Draw motifs below each other; the height of a letter is its share of the column's bits.

    Parameters
    ----------
    motifs : Bio.motifs.Motif or list of them
        What to draw.
    target : path, optional
        An image file, written whole or not at all; its ending gives the format, which is PNG
        without one.
    background : array_like of float, (n_letters,), or dict, optional
        As for `seqbio.scan`.

    Returns
    -------
    matplotlib.figure.Figure
        The figure, not shown.

    Raises
    ------
    MissingDependencyError
        logomaker is not installed.
    ParameterError
        There is no motif, or matplotlib does not know the format.
    OSError
        The target cannot be written.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingDependencyError(
            "logos need logomaker and matplotlib: pip install 'seqbio[plot]'"
        ) from error
    found = as_motifs(motifs)
    widths = [count_matrix(motif).shape[1] for motif in found]
    figure = Figure(figsize=(0.4 * max(widths) + 1.2, 1.6 * len(found) + 0.2), layout="constrained")
    for number, (motif, width) in enumerate(zip(found, widths, strict=True), start=1):
        axes = figure.add_subplot(len(found), 1, number)
        draw_logo(motif, axes, background=background)
        axes.set_title(str(motif.name), parse_math=False)
        axes.set_xticks(range(1, width + 1))
    if target is not None:
        file_format = PurePath(target).suffix.removeprefix(".").lower() or "png"
        known = figure.canvas.get_supported_filetypes()
        if file_format not in known:
            raise ParameterError(
                f"matplotlib cannot draw {os.fspath(target)!r}; end its name in one of "
                f"{', '.join(known)}"
            )
        with atomic_writer(target, "wb") as stream:
            figure.savefig(stream, format=file_format)
    return figure

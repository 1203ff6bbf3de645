"""Figures of motifs: their logos, and where they stand."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from seqbio.core._checks import checked
from seqbio.errors import ParameterError
from seqbio.motif.logo import draw_logo
from seqbio.motif.motifs import (
    Background,
    alphabet_of,
    checked_background,
    count_matrix,
    make_motif,
    reverse_complement,
)
from seqbio.motif.scanning import Hits
from seqbio.plots.canvas import BLACK, PALE, STYLES, axes_or_new, legend_above, whole_numbers
from seqbio.sequences import SequenceLike
from seqbio.sequences.records import letters_of, several

if TYPE_CHECKING:
    from Bio.motifs import Motif
    from matplotlib.axes import Axes

Floats = NDArray[np.float64]

_GAP = 2  # columns between a motif and its reverse complement
_N_BINS = 20


@checked
def motif_logo(
    motif: Motif,
    *,
    background: Background = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw a motif and, beside it, what it looks like on the other strand.

    Parameters
    ----------
    motif : Bio.motifs.Motif
        Of proteins, which have no other strand, only the motif is drawn.
    background : array_like of float, (n_letters,), or dict, optional
        As for `seqbio.scan`.
    ax : matplotlib.axes.Axes, optional
        To draw on.

    Returns
    -------
    matplotlib.axes.Axes
        Heights are bits; columns of both are counted from 1.

    Raises
    ------
    MissingDependencyError
        logomaker or matplotlib is not installed.
    """
    alphabet, counts = alphabet_of(motif), count_matrix(motif)
    width = counts.shape[1]
    shares = checked_background(background, alphabet.letters)
    drawn = [(f"{motif.name}", motif, shares)]
    if alphabet.complement is not None:
        other = make_motif(reverse_complement(counts, alphabet), str(motif.name), alphabet)
        drawn.append(("reverse complement", other, shares[alphabet.complement[: alphabet.size]]))
    axes = axes_or_new(ax, (1.0 + 0.3 * len(drawn) * (width + _GAP), 2.4))
    columns = np.arange(1, width + 1)
    places = [columns + number * (width + _GAP) for number in range(len(drawn))]
    for (name, each, known), place in zip(drawn, places, strict=True):
        draw_logo(each, axes, background=known, first=int(place[0]))
        above = axes.get_xaxis_transform()
        axes.text(place.mean(), 1.02, name, ha="center", transform=above, parse_math=False)
    every = np.arange(0, width, max(1, -(-width // 12)))
    axes.set_xticks(
        np.concatenate([place[every] for place in places]),
        [str(column) for column in columns[every]] * len(places),
    )
    axes.set(xlim=(0, places[-1][-1] + 1), xlabel="Column")
    return axes


@checked
def motif_positions(
    hits: Hits, records: Iterable[SequenceLike], motif: str | None = None, *, ax: Axes | None = None
) -> Axes:
    """Draw where in the sequences a motif stands: the middle of the best hit of each.

    The line is what to expect if the motif could stand anywhere with the same chance; the band
    covers 95 % of such counts, bin by bin.

    Parameters
    ----------
    hits : Hits
        Of `seqbio.scan`.
    records
        The sequences that were scanned: SeqRecord, Seq or str.
    motif : str, optional
        Name of one; needed where several motifs were scanned.
    ax : matplotlib.axes.Axes, optional
        To draw on.

    Returns
    -------
    matplotlib.axes.Axes
        Strands are stacked.

    Raises
    ------
    ParameterError
        There are no hits, several motifs, or other sequences than those scanned.
    MissingDependencyError
        matplotlib is not installed.

    References
    ----------
    Bailey and Machanick (2012). Inferring direct DNA binding from ChIP-seq. Nucleic Acids Research
    40, e128, for the idea.
    """
    from scipy.stats import binom

    lengths = np.array(
        [
            len(letters_of(each, f"the sequence at index {i}"))
            for i, each in enumerate(several(records))
        ]
    )
    sequence, centre, strand, width = _best_hits(hits, motif, lengths)
    axes = axes_or_new(ax)
    longest = int(lengths.max())
    n_bins = min(_N_BINS, longest)
    edges = np.linspace(0.5, longest + 0.5, n_bins + 1)
    share = _uniform_shares(lengths[sequence], width, edges)
    low = binom.ppf(0.025, len(sequence), share)
    high = np.asarray(binom.ppf(0.975, len(sequence), share))
    axes.stairs(
        share * len(sequence),
        edges,
        baseline=None,
        color=BLACK,
        linestyle="--",
        zorder=3,
        label="if every place is alike",
    )
    name = "95 % of such counts, bin by bin"
    axes.stairs(high, edges, baseline=low, fill=True, color=PALE, label=name)
    drawn = [(f"{name} strand", strand == sign) for sign, name in ((1, "+"), (-1, "-"))]
    drawn = [(name, own) for name, own in drawn if own.any()]
    below = np.zeros(n_bins)
    for (name, own), style, hatch in zip(drawn, STYLES, ("", "///"), strict=False):
        counts = np.histogram(centre[own], edges)[0]
        axes.bar(
            edges[:-1],
            counts,
            np.diff(edges),
            below,
            align="edge",
            label=name,
            color=style.color,
            alpha=0.65,
            edgecolor=BLACK,
            hatch=hatch,
        )
        below = below + counts
    axes.set(
        xlabel="Middle of the best hit (letter of the sequence)",
        ylabel=f"Sequences ({len(sequence)} of {len(lengths)} have a hit)",
        xlim=(edges[0], edges[-1]),
    )
    axes.set_ylim(0, 1.05 * max(float(below.max()), float(high.max())))
    whole_numbers(axes.yaxis)
    legend_above(axes)
    return axes


def _best_hits(
    hits: Hits, motif: str | None, lengths: NDArray[np.int64]
) -> tuple[NDArray[np.int64], Floats, NDArray[np.int8], int]:
    """Find sequence, middle and strand of the best hit of each sequence; the motif's width."""
    if len(lengths) != len(hits.sequences):
        raise ParameterError(
            f"there are {len(lengths)} sequences and {len(hits.sequences)} were scanned; give "
            "those that were"
        )
    name = hits.motifs[0] if motif is None and len(hits.motifs) == 1 else motif
    if name not in hits.motifs:
        raise ParameterError(f"motif is {motif!r}; choose one of {', '.join(hits.motifs)}")
    columns = hits.columns
    own = np.flatnonzero(columns["motif"] == hits.motifs.index(name))
    if not own.size:
        raise ParameterError("there are no hits of the motif; scan with a higher threshold")
    order = own[np.lexsort((-columns["score"][own], columns["sequence"][own]))]
    sequence, first = np.unique(columns["sequence"][order], return_index=True)
    best = order[first]
    width = len(columns["matched"][best[0]])
    middle = columns["start"][best] + (width + 1) / 2
    return sequence, middle, columns["strand"][best], width


def _uniform_shares(lengths: NDArray[np.int64], width: int, edges: Floats) -> Floats:
    """Share of hits in each bin if every window of a sequence is as likely as the others."""
    expected = np.zeros(len(edges) - 1)
    for length, count in zip(*np.unique(lengths, return_counts=True), strict=True):
        middles = np.arange(length - width + 1) + (width + 1) / 2
        expected += count * np.histogram(middles, edges)[0] / len(middles)
    return expected / len(lengths)

"""Figures of sequence pairs: where their letters are aligned, and how surely."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from seqbio.core._checks import checked
from seqbio.errors import ParameterError
from seqbio.plots.canvas import (
    BLACK,
    BLUE,
    PALE,
    STYLES,
    axes_or_new,
    legend_above,
    whole_numbers,
)
from seqbio.sequences import SequenceLike

if TYPE_CHECKING:
    from Bio.Align import Alignment
    from matplotlib.axes import Axes

    from seqbio.pairhmm import GapLengths, PairHMM

Floats = NDArray[np.float64]

_MOST_CELLS = 200  # along one side of a dot plot; more are too small to see
_FAINT = 0.01  # probability below which a dot is left out
_SURE = 0.9
_COLUMNS = 60  # of a row of an alignment
_FEWEST_GAPS = 0.01  # that are drawn
_BLOCK = 4.0  # lines of such a row: bars, x, marks, y


@checked
def alignment_posterior(
    hmm: PairHMM, x: SequenceLike, y: SequenceLike, *, ax: Axes | None = None
) -> Axes:
    """Draw which letters of two sequences are aligned, and how surely, as a dot plot.

    The darkness of a dot is the probability, over all alignments, that the two letters are
    aligned; the band behind is the single best alignment (Viterbi), and circles stand where it
    aligns letters with a probability below 0.9. In long sequences a dot stands for a square of
    letters and shows the highest probability in it, so that nothing is too small to see.

    Parameters
    ----------
    hmm : PairHMM
        Fitted, or with parameters that were set.
    x, y : SeqRecord, Seq or str
        The pair.
    ax : matplotlib.axes.Axes, optional
        To draw on.

    Returns
    -------
    matplotlib.axes.Axes
        Letters of x to the right, those of y downwards, both counted from 1.

    Raises
    ------
    NotFittedError
        The pair HMM has no parameters.
    MissingDependencyError
        matplotlib is not installed.
    """
    posterior = hmm.posterior(x, y)
    corners = np.array(hmm.align([(x, y)])[0].coordinates)
    axes = axes_or_new(ax, (5.2, 4.8))
    # A path runs between letters; letter i, from 1, covers i - 1/2 to i + 1/2.
    axes.plot(*(corners + 0.5), color="#F0B58A", linewidth=6, label="best alignment", zorder=1)
    side = -(-max(posterior.shape) // _MOST_CELLS)
    shown = _highest(posterior, side).T
    image = axes.imshow(
        np.ma.masked_less(shown, _FAINT),
        cmap="Blues",
        vmin=-0.3,  # so that a faint dot is still no white one
        vmax=1,
        extent=(0.5, 0.5 + side * shown.shape[1], 0.5 + side * shown.shape[0], 0.5),
        interpolation="nearest",
        aspect="auto",
        zorder=2,
    )
    i, j = _aligned_letters(corners)
    unsure = posterior[i, j] < _SURE
    axes.plot(
        i[unsure] + 1,
        j[unsure] + 1,
        "o",
        color=BLACK,
        markerfacecolor="none",
        markeredgewidth=0.7,
        zorder=3,
        label=f"aligned so with less than {_SURE:g}",
    )
    names = [getattr(each, "id", None) or letter for each, letter in ((x, "x"), (y, "y"))]
    axes.set_xlabel(f"{names[0]} (letter)", parse_math=False)
    axes.set_ylabel(f"{names[1]} (letter)", parse_math=False)
    axes.set(
        xlim=(0.5, posterior.shape[0] + 0.5),
        ylim=(posterior.shape[1] + 0.5, 0.5),
    )
    whole_numbers(axes.xaxis)
    whole_numbers(axes.yaxis)
    bar = axes.figure.colorbar(image, ax=axes)
    bar.ax.set_ylim(0, 1)
    what = "Probability of being aligned"
    bar.set_label(what if side == 1 else f"{what}, the highest of {side} x {side} letters")
    legend_above(axes)
    return axes


def _highest(values: Floats, side: int) -> Floats:
    """Take the highest value of each square of so many rows and columns."""
    padded = np.pad(values, [(0, -length % side) for length in values.shape])
    rows, columns = (length // side for length in padded.shape)
    return padded.reshape(rows, side, columns, side).max(axis=(1, 3))


def _aligned_letters(corners: NDArray[np.int64]) -> NDArray[np.int64]:
    """List the letters, from 0, that an alignment puts together, (2, n_aligned)."""
    begins, steps = corners[:, :-1], np.diff(corners)
    runs = [
        begin[:, None] + np.arange(step[0])
        for begin, step in zip(begins.T, steps.T, strict=True)
        if step.all()
    ]
    return np.concatenate(runs, axis=1) if runs else np.zeros((2, 0), dtype=np.int64)


@checked
def alignment(
    aligned: Alignment, confidence: ArrayLike | None = None, *, ax: Axes | None = None
) -> Axes:
    """Draw an alignment, with a bar on each column that says how far it can be trusted.

    Parameters
    ----------
    aligned : Bio.Align.Alignment
        Of two sequences.
    confidence : array_like of float, (n_columns,), optional
        Probability that each column is right, from 0 to 1; by default what ``assess`` of a
        `PairHMM` has left in ``aligned.confidence``, and no bars where it is not there.
    ax : matplotlib.axes.Axes, optional
        To draw on. A new figure is as high as the alignment needs, 60 columns in a row.

    Returns
    -------
    matplotlib.axes.Axes
        Equal letters are marked ``|``, others ``.``; numbers count letters from 1.

    Raises
    ------
    ParameterError
        There are other than two sequences, or other than one number from 0 to 1 for each column.
    MissingDependencyError
        matplotlib is not installed.
    """
    if len(aligned) != 2:
        raise ParameterError(f"the alignment has {len(aligned)} sequences; give one of two")
    rows = [str(aligned[0]), str(aligned[1])]
    n_columns = len(rows[0])
    if confidence is None:
        confidence = getattr(aligned, "confidence", None)
    sure = None if confidence is None else np.asarray(confidence, dtype=np.float64)
    if sure is not None and (
        sure.shape != (n_columns,) or not ((sure >= 0) & (sure <= 1 + 1e-9)).all()
    ):
        raise ParameterError(
            f"confidence has shape {sure.shape} and the alignment {n_columns} columns; give a "
            "probability for each column"
        )
    n_blocks = -(-n_columns // _COLUMNS)
    axes = axes_or_new(ax, (7.2, 0.5 + 0.75 * n_blocks))
    names = [
        str(getattr(each, "id", None) or letter)[:12]
        for each, letter in zip(aligned.sequences, "xy", strict=True)
    ]
    starts = [1, 1]
    ticks: list[tuple[float, str]] = []
    for block in range(n_blocks):
        part = slice(block * _COLUMNS, (block + 1) * _COLUMNS)
        letters = [row[part] for row in rows]
        top = block * (_BLOCK + 0.6)
        _letters(letters, top, axes)
        if sure is not None:
            _bars(sure[part], top, axes)
        for number in range(2):
            ticks.append((top + 1.5 + 2 * number, f"{names[number]} {starts[number]}"))
            starts[number] += len(letters[number].replace("-", ""))
    axes.set_yticks(
        [place for place, _ in ticks], [text for _, text in ticks], fontsize=8, parse_math=False
    )
    axes.set(xlim=(0.5, min(n_columns, _COLUMNS) + 0.5), xticks=[])
    axes.set_ylim(n_blocks * (_BLOCK + 0.6), 0)
    if sure is not None:
        axes.set_xlabel("Bars: probability that the column is right, a full one 1", fontsize=9)
    for spine in axes.spines.values():
        spine.set_visible(False)
    axes.tick_params(length=0)
    return axes


def _letters(rows: list[str], top: float, axes: Axes) -> None:
    for column, (x, y) in enumerate(zip(*rows, strict=True), start=1):
        mark = "" if "-" in (x, y) else "|" if x.upper() == y.upper() else "."
        for line, letter in enumerate((x, mark, y), start=1):
            axes.text(
                column,
                top + line + 0.5,
                letter,
                family="monospace",
                fontsize=8,
                ha="center",
                va="center",
            )


def _bars(sure: Floats, top: float, axes: Axes) -> None:
    places = np.arange(1, len(sure) + 1)
    axes.plot([0.5, len(sure) + 0.5], [top + 0.1] * 2, color=PALE, linewidth=0.6)
    axes.bar(places, 0.9 * sure, 0.8, bottom=top + 1.0 - 0.9 * sure, color=BLUE)


@checked
def gap_lengths(gaps: GapLengths, *, ax: Axes | None = None) -> Axes:
    """Draw how many gaps there are of each length, beside how many the fitted law expects.

    Numbers in the data are posterior expectations, over all alignments. On the logarithmic scale
    a geometric law is a straight line; points above its end are long gaps that it does not know.

    Parameters
    ----------
    gaps : GapLengths
        What ``gap_length_fit`` of a `PairHMM` gave.
    ax : matplotlib.axes.Axes, optional
        To draw on.

    Returns
    -------
    matplotlib.axes.Axes
        Points for the data, lines for the law. Gaps that are longer stand together behind the
        others; fewer than 0.01 gaps are left out.

    Raises
    ------
    MissingDependencyError
        matplotlib is not installed.
    """
    axes = axes_or_new(ax)
    longest = int(gaps.lengths[-1])
    sides = (
        ("x", gaps.posterior_x, gaps.fitted_x, gaps.longer_x),
        ("y", gaps.posterior_y, gaps.fitted_y, gaps.longer_y),
    )
    highest = _FEWEST_GAPS
    for (side, posterior, fitted, longer), style in zip(sides, STYLES, strict=False):
        found = np.append(posterior, longer[0])
        expected = np.append(fitted, longer[1])
        places = np.append(gaps.lengths, longest + 2)  # apart, as they are of many lengths
        highest = max(highest, float(found.max()), float(expected.max()))
        name = f"letters of {side} against a gap"
        axes.plot(places, found, label=f"{name}, data", markersize=5, **style.points)
        axes.plot(gaps.lengths, fitted, label=f"{name}, law", **style.lines)
        axes.plot(places[-1:], expected[-1:], "_", color=style.color, markersize=14)
    shown = np.unique(np.linspace(1, longest, min(longest, 8)).round().astype(int)).tolist()
    axes.set_xticks([*shown, longest + 2], [*map(str, shown), f"> {longest}"])
    axes.set(xlabel="Length of the gap (letters)", ylabel="Gaps in all pairs", yscale="log")
    axes.set_ylim(_FEWEST_GAPS, 2 * highest)
    legend_above(axes)
    return axes

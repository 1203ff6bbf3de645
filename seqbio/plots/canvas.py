"""What all figures share: axes to draw on, colours, and the line styles that go with them."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from seqbio.errors import MissingDependencyError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis

SIZE = 6.0, 4.0  # inches

BLACK, GREY, PALE = "#000000", "#666666", "#D9D9D9"
BLUE, VERMILION, GREEN, PURPLE = "#0072B2", "#D55E00", "#009E73", "#CC79A7"


class Style(NamedTuple):
    """How one series looks: it can be told from the others by any of the three."""

    color: str
    line: Any
    marker: str

    @property
    def points(self) -> dict[str, Any]:
        """Arguments of matplotlib's ``plot`` for marks alone."""
        return {"color": self.color, "marker": self.marker, "linestyle": ""}

    @property
    def lines(self) -> dict[str, Any]:
        """Arguments of matplotlib's ``plot`` for a line without marks."""
        return {"color": self.color, "linestyle": self.line}


STYLES = (
    Style(BLUE, "-", "o"),
    Style(VERMILION, "--", "s"),
    Style(GREEN, "-.", "^"),
    Style(PURPLE, ":", "D"),
    Style(BLACK, (0, (5, 1, 1, 1, 1, 1)), "v"),
)
"""Of one series after the other; colours by Okabe and Ito, *Color universal design* (2008)."""


def axes_or_new(ax: Axes | None, size: tuple[float, float] = SIZE) -> Axes:
    """Give the axes to draw on: those given, or those of a new figure.

    Parameters
    ----------
    ax : matplotlib.axes.Axes or None
        The user's.
    size : tuple of float
        Width and height of a new figure, inches.

    Returns
    -------
    matplotlib.axes.Axes
        New ones are of a figure of pyplot's, which notebooks show.

    Raises
    ------
    MissingDependencyError
        matplotlib is not installed.
    """
    try:
        from matplotlib import pyplot
    except ImportError as error:
        raise MissingDependencyError(
            "figures need matplotlib: pip install 'seqbio[plot]'"
        ) from error
    if ax is not None:
        return ax
    return pyplot.subplots(figsize=size, layout="constrained")[1]


def say_instead(ax: Axes, message: str) -> Axes:
    """Write why there is nothing to draw, on axes without scales.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        To write on.
    message : str
        Broken into lines here.

    Returns
    -------
    matplotlib.axes.Axes
        The same.
    """
    ax.set_axis_off()
    lines = textwrap.fill(message, 50)
    ax.text(0.5, 0.5, lines, ha="center", va="center", transform=ax.transAxes, parse_math=False)
    return ax


def legend_above(ax: Axes, n_columns: int = 2) -> None:
    """Put the legend above the axes, where it hides nothing.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        With labelled artists.
    n_columns : int
        Entries beside each other.
    """
    legend = ax.legend(
        loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=n_columns, frameon=False, fontsize=9
    )
    for text in legend.get_texts():
        text.set_parse_math(False)  # a name may have dollar signs


def logarithmic(ax: Axes, which: Literal["x", "y"]) -> None:
    """Give an axis a log scale with ticks at 1, 2 and 5 times powers of ten, written out.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        With data, all above 0.
    which : {"x", "y"}
        The axis.
    """
    from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

    ax.set(**{f"{which}scale": "log"})
    axis = ax.xaxis if which == "x" else ax.yaxis
    axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_minor_locator(NullLocator())


def whole_numbers(axis: Axis) -> None:
    """Put the ticks of an axis at whole numbers.

    Parameters
    ----------
    axis : matplotlib.axis.Axis
        Of counts, or of positions in a sequence.
    """
    from matplotlib.ticker import MaxNLocator

    axis.set_major_locator(MaxNLocator("auto", integer=True))

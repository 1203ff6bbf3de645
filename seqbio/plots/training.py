"""Figures of networks: how they learned, and how far back their gradients reach."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from seqbio.core._checks import checked
from seqbio.core.training_state import EpochRecord
from seqbio.errors import ParameterError
from seqbio.plots.canvas import BLACK, STYLES, axes_or_new, legend_above
from seqbio.recurrent.gradient_flow import GradientFlow

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from seqbio.motif import MotifDetector
    from seqbio.recurrent import RecurrentModel


@checked
def training_curves(model: RecurrentModel | MotifDetector, *, ax: Axes | None = None) -> Axes:
    """Draw the loss of each pass over the data, and the validation loss if there is one.

    Parameters
    ----------
    model : RecurrentModel or MotifDetector
        Trained in minibatches. Of several starts, the one that was kept is drawn.
    ax : matplotlib.axes.Axes, optional
        To draw on.

    Returns
    -------
    matplotlib.axes.Axes
        Nats per symbol for language models, per sequence for classes. A cross marks the pass whose
        parameters were kept.

    Raises
    ------
    ParameterError
        The model has no history of training.
    MissingDependencyError
        matplotlib is not installed.
    """
    history, kept = _history(model)
    axes = axes_or_new(ax)
    losses = {
        "training, as met": [each.loss for each in history],
        "validation": [each.validation_loss for each in history],
    }
    epochs = [each.epoch for each in history]
    for (label, values), style in zip(losses.items(), STYLES, strict=False):
        if np.isfinite(values).any():
            axes.plot(epochs, values, marker=style.marker, markersize=4, label=label, **style.lines)
    height = kept.loss if np.isnan(kept.validation_loss) else kept.validation_loss
    axes.plot([kept.epoch], [height], "x", color=BLACK, markersize=10, label="parameters kept")
    unit = "symbol" if getattr(model, "task", "class") == "next" else "sequence"
    axes.set(xlabel="Pass over the data", ylabel=f"Loss (nats per {unit})")
    legend_above(axes, 3)
    return axes


def _history(model: RecurrentModel | MotifDetector) -> tuple[list[EpochRecord], EpochRecord]:
    """Give the passes of the start that was kept, and the pass whose parameters were."""
    training = getattr(model, "training_", None)
    every: Sequence[EpochRecord] = training.history if training else getattr(model, "history_", ())
    if not every:
        raise ParameterError(
            f"this {type(model).__name__} was not trained in minibatches, so it has no history"
        )
    if training:
        own = [each for each in every if each.start == training.start]
        return own, next(each for each in own if each.epoch == training.epoch)
    validated = [each for each in every if np.isfinite(each.validation_loss)]
    kept = min(validated, key=lambda each: each.validation_loss) if validated else every[-1]
    return list(every), kept


@checked
def gradient_flow(
    flows: GradientFlow | Mapping[str, GradientFlow], *, ax: Axes | None = None
) -> Axes:
    """Draw how strongly a loss depends on states of the past, by how many steps ago they were.

    Parameters
    ----------
    flows : GradientFlow, or mapping of str to GradientFlow
        What ``gradient_flow`` of a `RecurrentModel` gave; several under the names that the legend
        gives them, five at most.
    ax : matplotlib.axes.Axes, optional
        To draw on.

    Returns
    -------
    matplotlib.axes.Axes
        Medians over places on a log scale, each divided by its value at lag 0, with bands of the
        middle half of the places. What is exactly 0 has no place on the scale.

    Raises
    ------
    ParameterError
        There are no flows, or more than five.
    MissingDependencyError
        matplotlib is not installed.
    """
    named = {"": flows} if isinstance(flows, GradientFlow) else dict(flows)
    if not 0 < len(named) <= len(STYLES):
        raise ParameterError(f"there are {len(named)} flows; give 1 to {len(STYLES)}")
    axes = axes_or_new(ax)
    for (name, flow), style in zip(named.items(), STYLES, strict=False):
        scale = flow.median[0]
        low, high = flow.quantiles(0.5) / scale
        axes.fill_between(flow.lags, low, high, color=style.color, alpha=0.15, linewidth=0)
        axes.plot(
            flow.lags,
            flow.median / scale,
            marker=style.marker,
            markevery=max(1, len(flow.lags) // 8),
            label=name,
            **style.lines,
        )
    axes.set(
        xlabel="Lag (steps back)",
        ylabel="Gradient norm, relative to lag 0",
        yscale="log",
    )
    if len(named) > 1:
        legend_above(axes, len(named))
    return axes

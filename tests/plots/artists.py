"""Numbers out of pictures."""

from __future__ import annotations

import numpy as np


def labelled(axes, beginning):
    """Find the one artist whose entry in the legend begins so."""
    handles, labels = axes.get_legend_handles_labels()
    found = [
        handle for handle, label in zip(handles, labels, strict=True) if label.startswith(beginning)
    ]
    assert len(found) == 1, (beginning, labels)
    return found[0]


def xy(line):
    """Give the points of a line, (n,) and (n,)."""
    return np.asarray(line.get_xdata(), float), np.asarray(line.get_ydata(), float)

"""Rotating items: where along an item a network finds what it has learned, against all places.

Under the tie of position a thing is as likely at each place where it fits. The null's network says
how likely it is at each place of an item: a profile, which may then be rotated, each item's by as
much as one likes. The peaks of the sum of all profiles, at one place or over a wider hump, are
compared with those of rotated profiles (`seqbio.hypothesis_testing.rotations`).

What this p-value takes for granted
-----------------------------------
Independent items of one length, each with the thing at any place where it fits whole, with the same
chance. Then the profile of an item is that of a place drawn at random, moved there, so that all
rotations of it are as likely, given its shape (Lehmann & Romano, section 15.2: the group is that of
the rotations, one for each item). The network may have learned well or badly; learning from items
of all places alike, it prefers none. A thing that is wider than what was learned of it is not found
in the last places of an item, and no part of it is where it does not fit; the level that peaks are
measured from is therefore that of the places further inside, so that a lack at the ends is no
evidence (a peak there is). What is tested is whether what it
finds stands alike everywhere, so letters whose frequencies change along the items speak against it,
too, and so do windows that were cut around a feature. Profiles of chance matches are taken for
alike along an item; neighbouring places depend on each other, and where a rotated profile is joined
its ends do not, which changes the law of a peak by less than the width of a motif does over the
number of places.

References
----------
Lehmann, E. L. and Romano, J. P. (2005). Testing Statistical Hypotheses, third edition, section
15.2. Springer.

Besag, J. and Clifford, P. (1991). Sequential Monte Carlo p-values. Biometrika 78, 301-304.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from seqbio.core import Check, Fit
from seqbio.errors import ParameterError
from seqbio.hypothesis_testing.calibrations.declaration import Calibration
from seqbio.hypothesis_testing.calibrations.turn import (
    asked_symmetry,
    because_it_reads,
    found_by_auto,
    missing_symmetry,
)
from seqbio.hypothesis_testing.comparison import Comparison, Options
from seqbio.hypothesis_testing.evidence import exceedance_interval
from seqbio.hypothesis_testing.pictures import Draws
from seqbio.hypothesis_testing.rotations import Rotations, rotate_profiles


@dataclass(frozen=True, eq=False)
class Rotated:
    """The highest peak of the profiles, and those of rotated ones.

    Parameters
    ----------
    rotations : Rotations
        What was drawn.
    n_items : int
        How many items have a profile.
    transformation : str
        What happens to an item, in a clause.
    learned : Fit
        The null's model, which found the places.
    checks : tuple of Check
        Of the model.
    """

    rotations: Rotations
    n_items: int
    transformation: str
    learned: Fit
    checks: tuple[Check, ...]

    name = "rotate"

    @property
    def log_pvalue(self) -> float:
        """Natural logarithm of the p-value."""
        return float(np.log(self.rotations.pvalue))

    @property
    def null_law(self) -> str:
        """What is as likely under the null, and why."""
        return (
            f"random rotations: if the null is true, data in which {self.transformation} are as "
            "likely as the observed, item by item, so that the profile of where each of "
            f"{self.n_items} items has what the null's model has learned may be rotated; the "
            "highest peak of their sum is compared with those after "
            f"{self.rotations.heights.size} random rotations, whatever was learned"
        )

    def picture(self) -> Draws:
        """Say what a figure of it shows."""
        heights = self.rotations.heights
        unit = "Highest peak of the summed profiles, standard deviations"
        name = f"{heights.size} random rotations"
        return Draws(heights, self.rotations.peak, name, unit, None)

    def rows(self) -> list[tuple[str, str]]:
        """Give label and value of what people should see."""
        found = self.rotations
        lower, upper = exceedance_interval(found.n_as_high, max(found.heights.size, 1))
        first = found.place - found.width // 2
        where = f"{first + 1}" if found.width == 1 else f"{first + 1} to {first + found.width}"
        return [
            ("transformation", self.transformation),
            ("sites start most often at", f"place {where}"),
            ("highest peak", f"{found.peak:.3g} standard deviations"),
            ("rotations", str(found.heights.size)),
            ("with a peak as high", str(found.n_as_high)),
            ("Monte Carlo interval of p", f"{lower:.3g} to {upper:.3g} (95 %)"),
        ]

    def to_dict(self) -> dict[str, Any]:
        """Give the numbers as plain values for programs."""
        found = self.rotations
        return {
            "method": self.name,
            "transformation": self.transformation,
            "n_items": self.n_items,
            "n_rotations": int(found.heights.size),
            "n_exceeding": found.n_as_high,
            "peak": found.peak,
            "place": found.place,
            "width": found.width,
        }


def _run(comparison: Comparison, options: Options, generator: np.random.Generator) -> Rotated:
    asked = asked_symmetry(comparison, "places")
    if asked is None:
        raise ParameterError(ROTATE.needs(comparison))
    reading = asked.read(options.n_starts, generator)
    profiles = np.zeros((comparison.n_clusters, *reading.values.shape[1:]))
    np.add.at(profiles, comparison.labels, reading.values)
    n_items = int((profiles != 0.0).any(axis=(1, 2)).sum())
    rotations = rotate_profiles(profiles, seed=generator, margin=reading.margin)
    return Rotated(rotations, n_items, asked.words, reading.learned, reading.checks)


ROTATE = Calibration(
    "rotate",
    "where along each item a learned model finds its motif, against random rotations",
    _run,
    answers=None,
    needs=partial(missing_symmetry, kind="places", action="moves along when that is shifted"),
    automatic=partial(found_by_auto, kind="places"),
    because=because_it_reads,
    by_clusters=True,
    compares_fits=False,
    fits_itself=True,
    caption="The highest peak of the places after random rotations, and the observed one.",
)

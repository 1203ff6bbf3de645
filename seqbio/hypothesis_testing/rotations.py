"""Are places preferred? Profiles along a sequence against themselves, rotated at random.

If a thing is as likely at each place where it fits, the profile that says where an item has it may
be rotated, each item's by as much as one likes: the sum of all profiles is then as likely as the
sum of the rotated ones. Its largest peak is compared with the peaks of those.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from scipy.fft import irfft, rfft

from seqbio.core.numerics import FloatArray

__all__ = ["Rotations", "rotate_profiles"]

_ENOUGH = 20  # rotations with a peak as high as the observed one, after which no more are drawn
_BLOCK = 256  # rotations at a time
_SCALES = (1, 3, 9, 27, 81)  # places that a peak may span


@dataclass(frozen=True, eq=False)
class Rotations:
    """What random rotations say of the largest peak.

    Parameters
    ----------
    pvalue : float
        Chance of a peak as high, never 0.
    heights : ndarray of float64, (n_rotations,)
        Of the highest peak after each of the rotations that were drawn.
    n_as_high : int
        How many of them had a peak as high as the observed one.
    peak : float
        Height of the largest peak, in standard deviations of the sum at its width.
    place, width : int
        Its middle, 0-based, and how many places it spans.
    """

    pvalue: float
    heights: FloatArray
    n_as_high: int
    peak: float
    place: int
    width: int


def rotate_profiles(
    profiles: FloatArray,
    n_rotations: int = 9999,
    seed: int | np.random.Generator | None = None,
    *,
    margin: int = 0,
) -> Rotations:
    """Compare the largest peak of summed profiles with those after random rotations.

    A peak is the excess of the sum over its mean within 1, 3, 9, 27 or 81 neighbouring places (as
    far as they are no more than half of all), in standard deviations, so that one place and a broad
    hump are found alike. Near the ends a thing may be seen less, as a motif that is wider than what
    was learned of it, and has to fit: the mean is taken without them, so that a lack there lifts no
    other place. Drawing stops when 20 rotations have a peak as high: p is then 20 over
    their number, else (1 + those as high) / (1 + all), which is valid either way.

    Parameters
    ----------
    profiles : ndarray of float64, (n_items, n_kinds, n_places)
        Where each item has each kind of thing; the kinds of an item are rotated together.
    n_rotations : int, default 9999
        The most that are drawn.
    seed : int, numpy.random.Generator or None
        For the rotations.
    margin : int, default 0
        Places at either end that do not count for the mean; a quarter of all at most.

    Returns
    -------
    Rotations
        With the p-value.

    References
    ----------
    Lehmann, Romano (2005). Testing Statistical Hypotheses, 3rd ed., section 15.2 (randomisation
    tests); Besag, Clifford (1991). Sequential Monte Carlo p-values. Biometrika 78, 301-304.

    Examples
    --------
    >>> import numpy as np
    >>> profiles = np.random.default_rng(1).random((40, 1, 30))
    >>> rotate_profiles(profiles, seed=1).pvalue > 0.05
    True
    >>> profiles[:20, 0, 12] += 2.0
    >>> found = rotate_profiles(profiles, seed=1)
    >>> found.place, found.pvalue
    (12, 0.0001)
    """
    generator = np.random.default_rng(seed)
    varying = profiles - profiles.mean(axis=2, keepdims=True)
    varying = varying[(varying != 0.0).any(axis=(1, 2))]
    peaks = _Peaks(varying, min(margin, profiles.shape[2] // 4))
    height, place, width = peaks.highest(varying.sum(axis=0))
    if not height > 0.0:
        return Rotations(1.0, np.zeros(0), 0, 0.0, place, width)
    n_places = profiles.shape[2]
    heights = np.zeros(0)
    n_as_high = 0
    while heights.size < n_rotations and n_as_high < _ENOUGH:
        rows = min(_BLOCK, n_rotations - heights.size)
        sums = np.zeros((rows, *varying.shape[1:]))
        for item in varying:
            turned = sliding_window_view(np.tile(item, 2), n_places, axis=1)
            sums += turned[:, generator.integers(n_places, size=rows)].swapaxes(0, 1)
        heights = np.append(heights, peaks.heights(sums))
        as_high = np.flatnonzero(heights >= height * (1.0 - 1e-9))[:_ENOUGH]
        n_as_high = len(as_high)
    if n_as_high == _ENOUGH:
        heights = heights[: as_high[-1] + 1]
        return Rotations(_ENOUGH / heights.size, heights, n_as_high, height, place, width)
    pvalue = (1 + n_as_high) / (1 + heights.size)
    return Rotations(pvalue, heights, n_as_high, height, place, width)


class _Peaks:
    """Peaks of summed profiles at all scales, in standard deviations under rotations."""

    def __init__(self, varying: FloatArray, margin: int) -> None:
        self.n_places = varying.shape[2]
        self.inside = slice(margin, self.n_places - margin)
        self.scales = [scale for scale in _SCALES if scale <= max(1, self.n_places // 2)]
        kernels = np.zeros((len(self.scales), self.n_places))
        for kernel, scale in zip(kernels, self.scales, strict=True):
            kernel[np.arange(scale) - scale // 2] = 1.0
        self.transforms = rfft(kernels)
        # Every place of a rotated profile has the mean square of its places as its variance.
        squares = (self.smoothed(varying) ** 2).mean(axis=3).sum(axis=0)  # (scales, kinds)
        self.deviations = np.sqrt(squares)

    def smoothed(self, profiles: FloatArray) -> FloatArray:
        """Sum neighbouring places: (n, kinds, places) to (n, scales, kinds, places)."""
        product = rfft(profiles)[:, None] * self.transforms[:, None]
        return np.asarray(irfft(product, self.n_places), dtype=np.float64)

    def excess(self, sums: FloatArray) -> FloatArray:
        """Sum neighbouring places, less what the mean inside gives so many."""
        return self.smoothed(sums - sums[..., self.inside].mean(axis=-1, keepdims=True))

    def heights(self, sums: FloatArray) -> FloatArray:
        """Height of the largest peak of each sum of profiles, (n,)."""
        best = self.excess(sums).max(axis=3)
        known = self.deviations > 0.0
        heights = np.where(known, best / np.where(known, self.deviations, 1.0), 0.0)
        return np.asarray(heights.max(axis=(1, 2)))

    def highest(self, total: FloatArray) -> tuple[float, int, int]:
        """Height, middle and width of the largest peak of one sum of profiles."""
        smooth = self.excess(total[None])[0]  # (scales, kinds, places)
        known = self.deviations > 0.0
        heights = np.where(known, smooth.max(axis=2) / np.where(known, self.deviations, 1.0), 0.0)
        scale, kind = np.unravel_index(int(heights.argmax()), heights.shape)
        place = int(smooth[scale, kind].argmax())
        return float(heights[scale, kind]), place, self.scales[int(scale)]

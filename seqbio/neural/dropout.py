"""Features left out at random in training, so that none is relied on alone.

References
----------
Srivastava et al. (2014). Dropout: a simple way to prevent neural networks from overfitting. Journal
of Machine Learning Research 15.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from seqbio.neural.workspace import Array


def dropout_mask(
    shape: tuple[int, ...], rate: float, generator: np.random.Generator | None, dtype: Any
) -> Array | None:
    """Draw what features, and their derivatives, are multiplied with.

    Parameters
    ----------
    shape : tuple of int
        Of the features.
    rate : float
        Probability of a 0; other entries are 1 / (1 - rate), so that means stay as they are.
    generator : numpy.random.Generator or None
        The source of chance.
    dtype : numpy.dtype
        Of the result.

    Returns
    -------
    ndarray or None
        None without a generator or at a rate of 0, where nothing is left out.
    """
    if not rate or generator is None:
        return None
    mask: Array = (generator.random(shape, dtype=np.float32) >= rate).astype(dtype)
    mask /= np.dtype(dtype).type(1 - rate)
    return mask

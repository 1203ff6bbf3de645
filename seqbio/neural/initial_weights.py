"""Random weights to start training from.

A weight that is used at every step counts once: what matters is how many numbers a unit adds up,
not how often it does so.

References
----------
Glorot and Bengio (2010). Understanding the difficulty of training deep feedforward neural networks.
AISTATS. Equation 16.
Saxe, McClelland and Ganguli (2014). Exact solutions to the nonlinear dynamics of learning in deep
linear neural networks. ICLR.
"""

from __future__ import annotations

import numpy as np

from seqbio.neural.workspace import Array


def glorot(generator: np.random.Generator, shape: tuple[int, ...], n_outputs: int) -> Array:
    """Draw uniformly with the variance 2 / (inputs + outputs); inputs are the last axis."""
    limit = np.sqrt(6 / (n_outputs + shape[-1]))
    return generator.uniform(-limit, limit, shape)


def orthogonal(generator: np.random.Generator, n_matrices: int, size: int) -> Array:
    """Draw orthogonal matrices, (n_matrices, size, size)."""
    matrices: Array = np.linalg.qr(generator.standard_normal((n_matrices, size, size)))[0]
    return matrices

"""A dense layer at every step: the same at all of them, or one for each."""

from __future__ import annotations

import numpy as np

from seqbio.neural.workspace import Array


def dense(weight: Array, bias: Array, inputs: Array) -> Array:
    """Multiply and add.

    Parameters
    ----------
    weight : ndarray, (1 or steps, outputs, features)
        Of one layer, or of one for each step.
    bias : ndarray, (1 or steps, outputs)
        Added.
    inputs : ndarray, (steps, features, batch)
        What goes in.

    Returns
    -------
    ndarray, (steps, outputs, batch)
        What comes out.
    """
    outputs: Array = np.matmul(weight, inputs)
    outputs += bias[:, :, None]
    return outputs


def dense_gradient(
    weight: Array, bias: Array, inputs: Array, slope: Array
) -> tuple[Array, Array, Array]:
    """Take derivatives by the outputs, (steps, outputs, batch), back.

    Returns
    -------
    weight_slope, bias_slope, inputs_slope : ndarray
        Derivatives, in the shapes of `weight`, `bias` and `inputs`.
    """
    bias_slope = slope.sum(axis=2)
    if len(bias) < len(slope):
        bias_slope = bias_slope.sum(axis=0, keepdims=True)
    weight_slope = _weight_slope(weight, inputs, slope)
    return weight_slope, bias_slope, np.matmul(weight.transpose(0, 2, 1), slope)


def _weight_slope(weight: Array, inputs: Array, slope: Array) -> Array:
    if len(weight) > 1:
        return np.asarray(np.matmul(slope, inputs.transpose(0, 2, 1)))
    n_outputs, width = weight.shape[1:]
    left = slope.transpose(1, 0, 2).reshape(n_outputs, -1)
    right = inputs.transpose(1, 0, 2).reshape(width, -1)
    return np.asarray(left @ right.T)[None]

"""Recurrent cells a sequence, a step and a unit at a time, as textbooks write them.

Weights are lists over steps, in PyTorch's order of gates; see the formulas in
seqbio/neural/cells.
"""

import math


def sigmoid(x):
    return 1 / (1 + math.exp(-x))


def affine(weights, x, unit):
    return sum(weight * value for weight, value in zip(weights[unit], x, strict=True))


def rnn_step(w, u, b, x, state):
    (h,) = state
    return ([math.tanh(affine(w, x, i) + affine(u, h, i) + b[i]) for i in range(len(h))],)


def lstm_step(w, u, b, x, state):
    h, c = state
    n = len(h)

    def before(gate, unit):
        row = gate * n + unit
        return affine(w, x, row) + affine(u, h, row) + b[row]

    new_c = [
        sigmoid(before(1, k)) * c[k] + sigmoid(before(0, k)) * math.tanh(before(2, k))
        for k in range(n)
    ]
    return [sigmoid(before(3, k)) * math.tanh(new_c[k]) for k in range(n)], new_c


def gru_step(w, u, b, x, state):
    (h,) = state
    n = len(h)

    def before(gate, unit):
        row = gate * n + unit
        return affine(w, x, row) + affine(u, h, row) + b[row]

    new = []
    for k in range(n):
        r, z = sigmoid(before(0, k)), sigmoid(before(1, k))
        row = 2 * n + k
        candidate = math.tanh(affine(w, x, row) + b[row] + r * (affine(u, h, row) + b[3 * n + k]))
        new.append((1 - z) * candidate + z * h[k])
    return (new,)


STEP = {"rnn": rnn_step, "lstm": lstm_step, "gru": gru_step}


def run(cell, weights, sequence, state):
    """States after every step; `weights` gives (w, u, b) for each step."""
    states = []
    for (w, u, b), x in zip(weights, sequence, strict=True):
        state = STEP[cell](w, u, b, x, state)
        states.append(state)
    return states

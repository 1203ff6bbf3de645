"""How far back a recurrent network learns: derivatives of a loss by earlier states.

The loss at step t depends on the state at step t - lag through a product of step Jacobians, one for
each step between. Where their singular values stay below 1 the product vanishes, and nothing that
happened so long ago can be learned from; where they stay above 1 it explodes.

References
----------
Hochreiter (1991). Untersuchungen zu dynamischen neuronalen Netzen. Diploma thesis, TU München.
Bengio, Simard and Frasconi (1994). Learning long-term dependencies with gradient descent is
difficult. IEEE Transactions on Neural Networks 5.
Pascanu, Mikolov and Bengio (2013). On the difficulty of training recurrent neural networks. ICML.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from seqbio.core.numerics import FloatArray
from seqbio.core.tables import Summarised, Table
from seqbio.errors import ParameterError
from seqbio.neural.cells import get_cell
from seqbio.neural.cross_entropy import cross_entropy
from seqbio.neural.recurrence import Cell, CellWeights, run_backward, run_forward, state_at
from seqbio.neural.workspace import Array
from seqbio.recurrent.network import backward_states, forward, last_slopes
from seqbio.recurrent.network_model import Batch, NetworkModel
from seqbio.sequences.sequence_data import SequenceData

_FAINT = 0.1  # of the derivative by the state at once


@dataclass(frozen=True, eq=False)
class GradientFlow(Summarised):
    """How strongly a loss depends on states of the past.

    Parameters
    ----------
    lags : ndarray of int, (n_lags,)
        Steps back, from 0.
    norms : ndarray of float64, (n_places, n_lags)
        Norm of the derivative of the loss at one place by the state of the last layer that many
        steps before, in nats per unit of state; the state of an LSTM is h and c together.
    """

    lags: np.ndarray
    norms: FloatArray

    @property
    def median(self) -> FloatArray:
        """Median over the places, (n_lags,)."""
        return np.asarray(np.median(self.norms, axis=0))

    def quantiles(self, level: float = 0.9) -> FloatArray:
        """Bounds within which a share of the places lies, (2, n_lags)."""
        return np.asarray(np.quantile(self.norms, [(1 - level) / 2, (1 + level) / 2], axis=0))

    def _summary(self) -> tuple[str, list[Table]]:
        low, high = self.quantiles()
        faint = np.flatnonzero(self.median < _FAINT * self.median[0])
        sentence = (
            f"The derivative of the loss by the state {self.lags[faint[0]]} steps before is less "
            f"than {_FAINT:g} of that by the state at once."
            if len(faint)
            else f"The derivative of the loss by the state {self.lags[-1]} steps before is still "
            f"{_FAINT:g} of that by the state at once, or more."
        )
        rows = [
            (str(lag), *(f"{row[lag]:.3g}" for row in (self.median, low, high)))
            for lag in (0, 1, 2, 5, 10, 20, 50, 100, 200, 500)
            if lag < len(self.lags)
        ]
        title = f"Norm of d loss(t) / d state(t - lag) at {len(self.norms)} places"
        return sentence, [Table(title, ("lag", "median", "5 %", "95 %"), rows)]


def gradient_flow(
    model: NetworkModel,
    full: FloatArray,
    data: SequenceData,
    *,
    longest_lag: int,
    n_places: int,
    generator: np.random.Generator,
) -> GradientFlow:
    """Differentiate the loss at single places by the states before.

    Parameters
    ----------
    model : NetworkModel
        Reading forwards only; its loss is that of the next symbol, or of the class at the end.
    full : ndarray of float64, (n_full,)
        Its weights, fitted or fresh.
    data : SequenceData
        Places are drawn from sequences that are longer than the longest lag.
    longest_lag : int
        Lags from 0 to this are measured.
    n_places : int
        How many places to draw.
    generator : numpy.random.Generator
        Draws them.

    Returns
    -------
    GradientFlow
        A row for each place.

    Raises
    ------
    ParameterError
        No sequence is long enough, or the network reads backwards too.
    """
    architecture = model.architecture
    if architecture.bidirectional:
        raise ParameterError("the past of a bidirectional network is also its future; leave it off")
    is_class = architecture.task == "class"
    n_steps = data.lengths + architecture.n_ends
    long_enough = np.flatnonzero(n_steps > longest_lag)
    if longest_lag < 0 or n_places < 1 or not long_enough.size:
        raise ParameterError(
            f"no sequence has a place with {longest_lag} steps before it (the longest has "
            f"{n_steps.max() - 1}), or n_places is {n_places}; ask for a shorter lag"
        )
    blocks = model.blocks(full)
    rows = []
    for item in generator.choice(long_enough, size=n_places):
        last = int(n_steps[item]) - 1
        place = last if is_class else int(generator.integers(longest_lag, last + 1))
        codes, _, targets = model.assemble(data, Batch(np.array([item])))
        codes = codes[: place + 1]
        logits, tape = forward(
            architecture,
            blocks,
            codes,
            np.array([place + 1]),
            membership=model.membership,
        )
        labels = targets if is_class else targets[[place]]
        readings = np.eye(architecture.n_outputs) if is_class else model.readings
        _, slopes = cross_entropy(logits[-1:].copy(), labels, readings, None)
        d_last = last_slopes(blocks, slopes, place)
        recorded = backward_states(architecture, tape, d_last)
        flat = recorded.reshape(len(recorded), -1).astype(np.float64)
        rows.append(np.linalg.norm(flat[::-1][: longest_lag + 1], axis=1))
    return GradientFlow(np.arange(longest_lag + 1), np.array(rows))


def step_singular_values(
    model: NetworkModel,
    full: FloatArray,
    data: SequenceData,
    *,
    n_places: int,
    generator: np.random.Generator,
) -> FloatArray:
    """Singular values of the Jacobian of one step, for the states that sequences lead to.

    Parameters
    ----------
    model, full, data, n_places, generator
        As for `gradient_flow`; the first layer is looked at, whose input is the letter alone.

    Returns
    -------
    ndarray of float64, (n_places, n_state)
        Largest first. The state of an LSTM is h and c together.
    """
    if n_places < 1:
        raise ParameterError(f"n_places is {n_places}; give 1 or more")
    architecture, blocks = model.architecture, model.blocks(full)
    weights = CellWeights(*(blocks[f"layer0.forward.{part}"] for part in CellWeights._fields))
    result = []
    for item in generator.integers(len(data), size=n_places):
        codes, lengths, _ = model.assemble(data, Batch(np.array([item])), with_targets=False)
        place = int(generator.integers(lengths[0]))
        _, tape = forward(
            architecture,
            blocks,
            codes[: place + 1],
            np.array([place + 1]),
            membership=model.membership,
        )
        cell_tape = tape.tapes[0, "forward"]
        hidden = architecture.hidden_size
        before = state_at(cell_tape, np.array([place]))
        inputs = cell_tape.memory[place, hidden:-1]
        here = CellWeights(*(part[[place if len(part) > 1 else 0]] for part in weights))
        jacobian = step_jacobian(get_cell(architecture.cell), here, inputs, before)
        result.append(np.linalg.svd(jacobian, compute_uv=False))
    return np.array(result)


def step_jacobian(cell: Cell, weights: CellWeights, inputs: Array, before: Array) -> FloatArray:
    """Differentiate the state after a step by the state before it.

    Parameters
    ----------
    cell : Cell
        Which.
    weights : CellWeights
        Of that step.
    inputs : ndarray, (features, 1)
        Its input.
    before : ndarray, (states, hidden, 1)
        The state before it.

    Returns
    -------
    ndarray of float64, (n_state, n_state)
        A row for each entry after, a column for each entry before.
    """
    states, hidden, _ = before.shape
    size = states * hidden
    # One column of a batch for each entry of the state after.
    repeated = np.repeat(before, size, axis=2)
    _, tape = run_forward(cell, weights, np.repeat(inputs, size, axis=1)[None], repeated)
    unit = np.eye(size, dtype=before.dtype).reshape(states, hidden, size)
    nothing = np.zeros((1, hidden, size), before.dtype)
    _, _, d_before = run_backward(tape, nothing, unit, want_inputs=False)
    return d_before.reshape(size, size).T.astype(np.float64)

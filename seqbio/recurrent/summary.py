"""Recurrent networks and Markov chains in a sentence and tables."""

from __future__ import annotations

from itertools import product
from math import isnan, log
from typing import TYPE_CHECKING

from seqbio.core.tables import Table, short, shortened

if TYPE_CHECKING:
    from seqbio.recurrent.estimator import RecurrentModel
    from seqbio.recurrent.markov import MarkovModel

_MOST_EPOCHS = 20
_MOST_CONTEXTS = 20


def network_summed_up(network: RecurrentModel) -> tuple[str, list[Table]]:
    """Say how well a network does what it has learned, and how it was trained.

    Parameters
    ----------
    network : RecurrentModel
        With weights.

    Returns
    -------
    str, list of Table
        The sentence, and the model and its training.
    """
    rows = [
        ("layers", f"{network.n_layers} of {network.hidden_size} units, {network.cell}"),
        ("free parameters", str(network.n_free_parameters_)),
    ]
    if not hasattr(network, "training_"):
        sentence = (
            "A recurrent model whose weights were given, or read; how well it does is not known."
        )
        return sentence, [Table("Model", (), rows)]
    training = network.training_
    predicts = network.task == "next"
    unit, factor = ("bits per symbol", 1 / log(2)) if predicts else ("nats per label", 1.0)
    what = "predicts the next letter" if predicts else "tells the classes apart"
    on = "validation" if any(not isnan(r.validation_loss) for r in training.history) else "training"
    sentence = (
        f"The model {what} with a {on} loss of {training.loss * factor:.4g} {unit}, in epoch "
        f"{training.epoch}, which was kept."
    )
    if not training.history:
        sentence = "The model was not trained: there was no epoch."
    rows.append(("kept", f"epoch {training.epoch}; {training.message}"))
    epochs = [
        (str(r.epoch), f"{r.loss * factor:.4f}", short(r.validation_loss * factor))
        for r in training.history
    ]
    if len(epochs) > _MOST_EPOCHS:
        epochs = [(f"{len(epochs) - _MOST_EPOCHS} before", "", ""), *epochs[-_MOST_EPOCHS:]]
    return sentence, [
        Table("Model", (), rows),
        Table("Training", ("epoch", unit, "validation"), epochs),
    ]


def chain_summed_up(markov: MarkovModel) -> tuple[str, list[Table]]:
    """Say how many numbers a chain has, and which letters follow which.

    Parameters
    ----------
    markov : MarkovModel
        With probabilities.

    Returns
    -------
    str, list of Table
        The sentence, and the fit and the probabilities.
    """
    model = markov._fitted()[0]
    along = (
        "the same all along" if model.steps is None else f"with {model.steps} steps of their own"
    )
    sentence = (
        f"A Markov chain of order {markov.order}, its rules {along}, with "
        f"{markov.n_free_parameters_} free parameters."
    )
    rows = [("free parameters", str(markov.n_free_parameters_))]
    if hasattr(markov, "fit_"):
        rows.append(("log-likelihood (nats)", f"{markov.log_likelihood_:.6f}"))
    contexts = ["".join(letters) for letters in product(model.letters, repeat=markov.order)]
    shown = {context: markov.probabilities(context) for context in contexts[:_MOST_CONTEXTS]}
    table = [(context or "any", *map(short, values.values())) for context, values in shown.items()]
    more = shortened(contexts, _MOST_CONTEXTS)[_MOST_CONTEXTS:]
    n_columns = len(next(iter(shown.values())))
    table += [(text, *[""] * n_columns) for text in more]
    title = "Probabilities of the next letter" + ", at the first step" * (model.steps is not None)
    return sentence, [
        Table("Fit", (), rows),
        Table(title, ("after", *next(iter(shown.values()))), table),
    ]

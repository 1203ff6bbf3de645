"""Results that no rebuild may change, kept to the last bit in ``frozen_results.json``.

Each is an array that public calls give, from fixed seeds, with one thread for linear algebra. What
is kept of it is a digest of its bytes, and some of its numbers as hexadecimal floats.

``python -m tests.frozen_results`` adds results that are not in the file yet, and changes none.
"""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import llvmlite.binding
import numpy as np
import scipy.linalg  # so that its library is there to be named
import threadpoolctl

from seqbio import MarkovModel, MotifDetector, RecurrentModel, compare, scan
from seqbio.core.blas import one_thread
from seqbio.sequences.shuffle import shuffle_dinucleotides

FILE = Path(__file__).with_suffix(".json")
N_KEPT = 12  # numbers of an array, evenly spaced

RESULTS: dict[str, Callable[[], Any]] = {}
TOLERANCES: dict[str, float] = {}


def machine() -> str:
    """Name all that the last bits depend on: processor, libraries and their versions."""
    libraries = {
        f"{library['internal_api']} {library['version']} {library.get('architecture', '')}".strip()
        for library in threadpoolctl.threadpool_info()
        if library["user_api"] == "blas"
    }
    parts = [
        platform.machine(),
        llvmlite.binding.get_host_cpu_name(),
        f"numpy {np.__version__}",
        f"scipy {scipy.__version__}",
        f"llvm {'.'.join(map(str, llvmlite.binding.llvm_version_info))}",
        *sorted(libraries),
    ]
    return ", ".join(parts)


def summary(name: str) -> dict[str, Any]:
    """Compute a result, and say what is kept of it."""
    with one_thread():
        values = np.asarray(RESULTS[name](), dtype=np.float64).ravel()
    chosen = np.unique(np.linspace(0, values.size - 1, N_KEPT).round().astype(int))
    return {
        "size": values.size,
        "norm": float(np.linalg.norm(values[np.isfinite(values)])).hex(),
        "numbers": [float(values[place]).hex() for place in chosen],
        "sha256": hashlib.sha256(values.tobytes()).hexdigest(),
    }


def result(
    family: str, what: str, tolerance: float = 1e-12
) -> Callable[[Callable[[], Any]], Callable[[], Any]]:
    """Give a function's array a name.

    On another kind of machine its numbers may differ by the tolerance times the largest of them:
    1e-12 unless an optimiser enlarges what rounding does (1e-7), or numbers are of single precision
    (1e-6). With other kernels of linear algebra they differ by 1e-15, 1e-11 and 2e-8.
    """

    def add(function: Callable[[], Any]) -> Callable[[], Any]:
        RESULTS[f"{family}: {what}"] = function
        TOLERANCES[f"{family}: {what}"] = tolerance
        return function

    return add


# -- recurrent networks ---------------------------------------------------------------------------

TEXTS = [
    "".join(np.random.default_rng(seed).choice(list("ACGT"), 9 + seed % 7)) for seed in range(14)
]
AMBIGUOUS = ["ACGNNRT", "YTTAGN", *TEXTS[:3]]
LABELS = [0, 1] * 7
CELLS = ("rnn", "lstm", "gru")


def network(cell: str, **settings: Any) -> RecurrentModel:
    """Small and in double precision."""
    given = {"hidden_size": 5, "precision": "double", "n_epochs": 3, "batch_size": 4, "seed": 2}
    return RecurrentModel(cell=cell, **(given | settings))


@cache
def trained(cell: str, **settings: Any) -> RecurrentModel:
    """Train a language model."""
    return network(cell, **settings).fit(TEXTS)


def at_random(estimator: Any, *data: Any) -> tuple[Any, Any, Any]:
    """Give the model, data and parameters drawn at random."""
    hypothesis, prepared = estimator.hypothesis(*data)
    model = hypothesis.model
    return model, prepared, np.random.default_rng(5).normal(0.0, 0.5, model.layout.size)


def gradient(estimator: Any, *data: Any) -> Any:
    """Log-likelihood and gradient at random parameters."""
    model, prepared, full = at_random(estimator, *data)
    return np.append(*model.log_likelihood_and_gradient(full, prepared)[::-1])


for _cell in CELLS:

    @result("recurrent", f"gradient, {_cell}, two layers with an embedding")
    def _(cell: str = _cell) -> Any:
        return gradient(network(cell, n_layers=2, embedding_size=3), TEXTS)

    @result("recurrent", f"gradient, {_cell}, classes in both directions")
    def _(cell: str = _cell) -> Any:
        return gradient(network(cell, task="class", bidirectional=True), TEXTS, LABELS)

    @result("recurrent", f"gradient, {_cell}, untied over time")
    def _(cell: str = _cell) -> Any:
        return gradient(network(cell, tie=("time.input",), max_length=15), TEXTS)

    @result("recurrent", f"log-likelihood, {_cell}, ambiguity codes")
    def _(cell: str = _cell) -> Any:
        model, data, full = at_random(network(cell), AMBIGUOUS)
        return model.log_likelihood(full, data)

    @result("recurrent", f"fit, {_cell}")
    def _(cell: str = _cell) -> Any:
        return trained(cell).full_

    @result("recurrent", f"fit, {_cell}, single precision and dropout", tolerance=1e-6)
    def _(cell: str = _cell) -> Any:
        return network(cell, n_layers=2, dropout=0.2, precision="single").fit(TEXTS).full_

    @result("recurrent", f"sample, {_cell}")
    def _(cell: str = _cell) -> Any:
        return [
            list(str(record.seq).encode()) for record in trained(cell).simulate(4, length=9, seed=3)
        ]

    @result("recurrent", f"weights under PyTorch's names, {_cell}")
    def _(cell: str = _cell) -> Any:
        return np.concatenate([array.ravel() for array in trained(cell).state_dict().values()])

    @result("recurrent", f"gradient flow, {_cell}")
    def _(cell: str = _cell) -> Any:
        return trained(cell).gradient_flow(TEXTS, longest_lag=6, n_places=5, seed=1).norms


@result("recurrent", "singular values of a step, lstm")
def _() -> Any:
    return trained("lstm").step_singular_values(TEXTS, n_places=4, seed=1)


@result("recurrent", "fit, lstm, truncated, validated, gates tied")
def _() -> Any:
    ties = ("time", "gates.input", "gates.recurrent")
    return network("lstm", truncate=5, validation_fraction=0.2, tie=ties).fit(TEXTS).full_


@result("recurrent", "fit, gru, embedding and layers tied, best of two starts")
def _() -> Any:
    ties = ("time", "embedding", "layers")
    return network("gru", n_layers=2, embedding_size=5, tie=ties, n_starts=2).fit(TEXTS).full_


@result("recurrent", "probabilities of classes, gru")
def _() -> Any:
    return network("gru", task="class").fit(TEXTS, LABELS).predict_proba(AMBIGUOUS)


# -- Markov chains --------------------------------------------------------------------------------


@result("markov", "fit of order 2")
def _() -> Any:
    return MarkovModel(order=2, pseudocount=0.5).fit(TEXTS).full_


@result("markov", "log-likelihood, ambiguity codes")
def _() -> Any:
    return MarkovModel(order=1, pseudocount=1.0).fit(TEXTS).log_likelihood(AMBIGUOUS)


@result("markov", "gradient, untied over time")
def _() -> Any:
    return gradient(MarkovModel(order=1, tie=(), max_length=15), TEXTS)


@result("markov", "scores and curvature")
def _() -> Any:
    model, data, full = at_random(MarkovModel(order=1, ends=False), TEXTS)
    return np.append(model.scores(full, data), model.curvature(full, data))


@result("markov", "sample")
def _() -> Any:
    model = MarkovModel(order=1, pseudocount=1.0).fit(TEXTS)
    return [len(record.seq) for record in model.simulate(20, seed=4)]


@result("markov", "test of the order")
def _() -> Any:
    null = MarkovModel(order=1, ends=False, tie=("time", "lag"))
    found = compare(null, MarkovModel(order=1, ends=False), TEXTS, calibration="chi2", seed=1)
    return [found.statistic, found.df]


# -- motif detectors ------------------------------------------------------------------------------


@cache
def sites() -> tuple[list[str], list[int]]:
    """Sequences of one length, half of them with a motif."""
    letters = np.random.default_rng(1).choice(list("ACGT"), (60, 20))
    for row, place in enumerate(np.random.default_rng(2).integers(0, 14, 30)):
        letters[row, place : place + 6] = list("TGACTC")
    return ["".join(row) for row in letters], [1] * 30 + [0] * 30


def detector(**settings: Any) -> MotifDetector:
    """A small one."""
    given = {"n_motifs": 2, "width": 6, "n_epochs": 5, "validation_fraction": 0.2, "seed": 3}
    return MotifDetector(**(given | settings))


@cache
def learned(**settings: Any) -> MotifDetector:
    """Train a detector."""
    return detector(**settings).fit(*sites())


for _pooling in ("max", "logsumexp", "sum", "none"):

    @result("motif", f"gradient, {_pooling}")
    def _(pooling: str = _pooling) -> Any:
        return gradient(detector(pooling=pooling, n_motifs=1, tie=()), sites())

    @result("motif", f"fit, {_pooling}", tolerance=1e-6)
    def _(pooling: str = _pooling) -> Any:
        return learned(pooling=pooling, n_motifs=1).full_


@result("motif", "probabilities of classes, ambiguity codes", tolerance=1e-6)
def _() -> Any:
    return learned().predict_proba(["ACGNNRTTGACTCA", "YTTAGNNN"])


@result("motif", "counts of the best windows")
def _() -> Any:
    return [list(motif.counts[letter]) for motif in learned().motifs_ for letter in "ACGT"]


@result("motif", "fit of three classes, best of two starts", tolerance=1e-6)
def _() -> Any:
    labels = np.arange(60) % 3
    return detector(pooling="logsumexp", n_starts=2).fit(sites()[0], labels).full_


@result("motif", "scan")
def _() -> Any:
    hits = scan(learned().motifs_, sites()[0], threshold=0.01)
    return [[hit.start, hit.score, hit.pvalue, hit.qvalue] for hit in hits]


@result("motif", "shuffles")
def _() -> Any:
    return [list(str(record.seq).encode()) for record in shuffle_dinucleotides(sites()[0], seed=1)]


@result("motif", "test of the strand")
def _() -> Any:
    null = detector(pooling="sum", n_motifs=1, width=3)
    alternative = detector(pooling="sum", n_motifs=1, width=3, tie=("position",))
    found = compare(null, alternative, sites(), calibration="chi2", seed=1)
    return [found.statistic, found.df]


@result("motif", "fits of a test of the position", tolerance=1e-7)
def _() -> Any:
    settings = {"pooling": "logsumexp", "readout": "unit", "n_motifs": 1, "width": 4}
    null, alternative = detector(**settings), detector(tie=("strand",), **settings)
    found = compare(null, alternative, sites(), calibration="chi2", seed=1)
    return [found.null_fit.log_likelihood, found.alternative_fit.log_likelihood]


def main() -> None:
    """Add what is not in the file."""
    kept = json.loads(FILE.read_text()) if FILE.exists() else {}
    known = {name for results in kept.values() for name in results}
    for name in RESULTS.keys() - known:
        kept.setdefault(machine(), {})[name] = summary(name)
    sorted_ = {where: dict(sorted(results.items())) for where, results in kept.items()}
    FILE.write_text(json.dumps(sorted_, indent=1) + "\n")


if __name__ == "__main__":
    main()

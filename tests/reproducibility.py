"""Every family's comparison by every calibration, small; what came out is one text for each.

``python -m tests.reproducibility`` prints all as JSON, for a process of its own.
"""

from __future__ import annotations

import json
from concurrent.futures import Executor

import numpy as np

from seqbio import MarkovModel, MotifDetector, PairHMM, RecurrentModel, compare
from seqbio.errors import SeqbioError
from seqbio.hypothesis_testing.calibrations import CALIBRATIONS

N_ITEMS = 44
NAMES = ("auto", *CALIBRATIONS)
FEW = {"n_replicates": 4, "n_splits": 2, "n_folds": 2, "seed": 3}


def letters(length: int, seed: int) -> list[str]:
    """Sequences of one length, no two alike."""
    rows = np.random.default_rng(seed).choice(list("ACGT"), (N_ITEMS, length))
    return ["".join(row) for row in rows]


def pairs(length: int) -> list[tuple[str, str]]:
    """Sequences with a letter changed and one left out."""
    return [
        (text, text[: 3 + i % 9] + text[4 + i % 9 : -2] + "A" + text[-1])
        for i, text in enumerate(letters(length, 1))
    ]


def families() -> dict[str, tuple[object, object, object]]:
    """Null, alternative and data of each."""
    motif = {"n_motifs": 1, "width": 3, "seed": 1}
    network = {"hidden_size": 2, "max_length": 8, "ends": False, "n_epochs": 2, "seed": 1}
    chain = {"order": 1, "ends": False}
    labelled = (letters(12, 2), [0, 1] * (N_ITEMS // 2))
    return {
        "pairhmm": (
            PairHMM(substitution="jc69", frequencies="equal"),
            PairHMM(substitution="jc69", frequencies="equal", tie=()),
            pairs(12),
        ),
        "markov": (
            MarkovModel(tie=("time", "lag"), **chain),
            MarkovModel(tie=("time",), **chain),
            letters(15, 4),
        ),
        "motif, sum": (
            MotifDetector(pooling="sum", tie=("position", "strand"), **motif),
            MotifDetector(pooling="sum", tie=("position",), **motif),
            labelled,
        ),
        "motif, logsumexp": (
            MotifDetector(pooling="logsumexp", readout="unit", **motif),
            MotifDetector(pooling="logsumexp", readout="unit", tie=("position",), **motif),
            labelled,
        ),
        "recurrent": (
            RecurrentModel(cell="gru", tie=("time",), **network),
            RecurrentModel(cell="gru", tie=(), **network),
            letters(8, 5),
        ),
    }


def outcome(family: str, calibration: str, executor: Executor | None = None) -> str:
    """All that a comparison gives, its fits to the last bit, or why it gives nothing."""
    null, alternative, data = families()[family]
    clusters = np.arange(N_ITEMS) // 2 if calibration in ("robust", "cluster-bootstrap") else None
    try:
        result = compare(
            null,
            alternative,
            data,
            calibration=calibration,
            clusters=clusters,
            executor=executor,
            **FEW,
        )
    except SeqbioError as error:
        return f"{type(error).__name__}: {error}"
    fits = [fit.full.tobytes().hex() for fit in (result.null_fit, result.alternative_fit)]
    return json.dumps([fits, result.to_dict()], sort_keys=True)


def outcomes(executor: Executor | None = None) -> dict[str, str]:
    """Every family by every calibration."""
    return {
        f"{family} by {calibration}": outcome(family, calibration, executor)
        for family in families()
        for calibration in NAMES
    }


if __name__ == "__main__":
    print(json.dumps(outcomes()))

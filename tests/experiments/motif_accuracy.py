"""Where tying over position helps and where it fails: E. coli promoters and splice junctions.

Promoters (UCI, 106 sequences of 57 letters) are recognised by boxes whose places vary by a few
letters, and there are few to learn from: leave-one-out errors, of 106. Junctions (UCI, 3190
sequences of 60 letters in three classes) all stand at the same place: accuracy in five folds that
keep copies of a sequence together. Both with filters tied over position and not, and several seeds:

    SEQBIO_DATA=... python -m tests.experiments.motif_accuracy promoters splice --seeds 5

Width, number of motifs and weight decay of the tied promoter detector were chosen by
cross-validation on these same 106 sequences, so its errors are optimistic by a little; the untied
one has the same settings.
"""

from __future__ import annotations

import argparse
import os
import time

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

import seqbio
from seqbio import MotifDetector, datasets
from seqbio.core import spawn_generators

PROMOTERS = {
    "n_motifs": 64,
    "width": 15,
    "weight_decay": 2.0,
    "n_epochs": 60,
    "validation": 0,
    "strands": "one",
}
SPLICE = {
    "n_motifs": 16,
    "width": 12,
    "weight_decay": 0.3,
    "n_epochs": 30,
    "batch_size": 64,
    "learning_rate": 0.01,
    "strands": "one",
}
TIES = {"tied": ("position",), "untied": ()}


def read(name: str) -> tuple[list[str], np.ndarray]:
    """Read sequences, and the classes that their headers name."""
    records = seqbio.read_fasta(datasets.path(name))
    labels = [record.description.split("class=")[1].split()[0] for record in records]
    return [str(record.seq) for record in records], np.array(labels)


def right_answers(sequences: list[str], labels: np.ndarray, folds: np.ndarray, **settings) -> int:
    """Count the sequences whose class is found by a detector that has not seen their fold."""
    right = 0
    for fold in np.unique(folds):
        learned, left_out = np.flatnonzero(folds != fold), np.flatnonzero(folds == fold)
        detector = MotifDetector(**settings)
        detector.fit([sequences[i] for i in learned], labels[learned])
        found = detector.predict([sequences[i] for i in left_out])
        right += int((found == labels[left_out]).sum())
    return right


def promoters(tie: str, seed: int) -> str:
    sequences, labels = read("ecoli_promoters")
    alone = np.arange(len(labels))
    right = right_answers(sequences, labels, alone, tie=TIES[tie], seed=seed, **PROMOTERS)
    return f"{len(labels) - right} leave-one-out errors of {len(labels)}"


def splice(tie: str, seed: int) -> str:
    sequences, labels = read("splice_junctions")
    _, copies = np.unique(sequences, return_inverse=True)
    fold_of = spawn_generators(0, 1)[0].permutation(copies.max() + 1) % 5
    folds = fold_of[copies]
    right = right_answers(sequences, labels, folds, tie=TIES[tie], seed=seed, **SPLICE)
    return f"accuracy {right / len(labels):.4f} in 5 folds ({copies.max() + 1} distinct sequences)"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sets", nargs="*", choices=["promoters", "splice"], default=["promoters"])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--ties", nargs="+", choices=list(TIES), default=list(TIES))
    arguments = parser.parse_args()
    for name in arguments.sets:
        for tie in arguments.ties:
            for seed in range(arguments.seeds):
                begin = time.perf_counter()
                result = {"promoters": promoters, "splice": splice}[name](tie, seed)
                spent = time.perf_counter() - begin
                print(f"{name:10} {tie:7} seed {seed}: {result} ({spent:.0f} s)", flush=True)


if __name__ == "__main__":
    main()

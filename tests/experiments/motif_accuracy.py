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


def promoters(n_seeds: int) -> None:
    sequences, labels = read("ecoli_promoters")
    print(f"promoters: leave-one-out errors of {len(labels)}, max pooling")
    for name, tie in TIES.items():
        begin = time.perf_counter()
        errors = [
            len(labels)
            - right_answers(
                sequences, labels, np.arange(len(labels)), tie=tie, seed=seed, **PROMOTERS
            )
            for seed in range(n_seeds)
        ]
        spent = time.perf_counter() - begin
        print(f"  {name:7} {errors}, mean {np.mean(errors):.1f} ({spent:.0f} s)", flush=True)


def splice(n_seeds: int) -> None:
    sequences, labels = read("splice_junctions")
    _, copies = np.unique(sequences, return_inverse=True)
    fold_of = spawn_generators(0, 1)[0].permutation(copies.max() + 1) % 5
    print(
        f"splice junctions: accuracy in 5 folds of {len(labels)} ({copies.max() + 1} distinct), "
        "max pooling"
    )
    for name, tie in TIES.items():
        begin = time.perf_counter()
        accuracy = [
            right_answers(sequences, labels, fold_of[copies], tie=tie, seed=seed, **SPLICE)
            / len(labels)
            for seed in range(n_seeds)
        ]
        spent = time.perf_counter() - begin
        shown = ", ".join(f"{value:.4f}" for value in accuracy)
        print(f"  {name:7} {shown}, mean {np.mean(accuracy):.4f} ({spent:.0f} s)", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sets", nargs="*", choices=["promoters", "splice"], default=["promoters"])
    parser.add_argument("--seeds", type=int, default=5)
    arguments = parser.parse_args()
    for name in arguments.sets:
        {"promoters": promoters, "splice": splice}[name](arguments.seeds)


if __name__ == "__main__":
    main()

"""How many true pairs of letters alignments find: the pair HMM beside Biopython and parasail.

Four data sets whose alignment is known, more or less: globins and envelope proteins of HIV and SIV
(every two rows of a curated alignment), PacBio reads against the lambda genome (as mapped), copies
of the transposon MADE1 against its consensus (as Dfam aligns them):

    SEQBIO_DATA=... python -m tests.experiments.alignment_accuracy [globins made1 ...] [--all]

A model is fitted to the unaligned pairs of its set, untied, and then aligns them: by Viterbi, and
for maximum expected accuracy with gap factors 1 (mea) and 0 (mea 0). Proteins are aligned under
BLOSUM62, which has no distance, and under LG, with one distance for all pairs or with each pair's
most likely of a few. Biopython and parasail are given every score in common use, with end gaps
that cost what others do or nothing; of each tool the one that finds most is shown, chosen by the
truth, which favours them (``--all`` shows every one).

The reads were mapped for the fewest edits: in each of the 107 the true alignment is a best one
under Biopython's default score and under 1/-1 -1/-1, so that these scores find the truth but for
ties. They stand apart.

recall: of the truly aligned pairs of letters, those found; precision: of those found, the true
ones; accuracy: letters of which the alignment says the truth, that they are aligned with this
letter or with none; expected: the same as the model expects it; placed: recall when all gaps, also
the true ones, are moved to the left as far as letters repeat. All are sums over pairs.
"""

from __future__ import annotations

import argparse
import gzip
import itertools
import os
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
from Bio import Align, SeqIO
from Bio.Align import substitution_matrices

from seqbio import PairHMM, datasets
from seqbio.pairhmm.accuracy import path_of_matches

SETS = {
    "globins": "globins10_lunter_aligned",
    "hiv": "hiv_siv_env_aligned",
    "pacbio": "pacbio_lambda_pairs_aligned",
    "made1": "made1_human_copies_aligned",
}
# match and mismatch (or a matrix), first letter of a gap, each further letter
PROTEIN_SCORES = {
    "BLOSUM62 -11/-1": ("BLOSUM62", -11, -1),
    "BLOSUM62 -12/-1 (blastp)": ("BLOSUM62", -12, -1),
    "BLOSUM62 -10/-1": ("BLOSUM62", -10, -1),
    "BLOSUM62 -10/-0.5 (needle)": ("BLOSUM62", -10, -0.5),
}
DNA_SCORES = {
    "1/0 0/0 (Biopython's default)": ((1, 0), 0, 0),
    "1/-1 -1/-1": ((1, -1), -1, -1),
    "2/-1 -2/-0.5": ((2, -1), -2, -0.5),
    "1/-1 -2/-0.5": ((1, -1), -2, -0.5),
    "2/-3 -5/-2": ((2, -3), -5, -2),
    "2/-3 -7/-2 (blastn)": ((2, -3), -7, -2),
    "5/-4 -10/-0.5 (needle)": ((5, -4), -10, -0.5),
    "1/-4 -7/-1 (bwa)": ((1, -4), -7, -1),
    "2/-4 -6/-2 (minimap2)": ((2, -4), -6, -2),
}
FREE_ENDS = ", free ends"
METHODS: dict[str, dict[str, Any]] = {
    "viterbi": {},
    "mea": {"method": "mea"},
    "mea 0": {"method": "mea", "gap_factor": 0.0},
}
OF_THE_TRUTH = {"pacbio": ("1/0 0/0 (Biopython's default)", "1/-1 -1/-1")}
DISTANCES = np.geomspace(0.02, 4.0, 24)

Texts = list[tuple[str, str]]
Score = tuple[str | tuple[int, int], float, float]
Aligner = Callable[..., list[Any]]
Partners = tuple[np.ndarray, np.ndarray]  # for each letter of x, and of y, its partner or -1


def read(name: str, every: int) -> tuple[str, Texts, list[Partners]]:
    """Read a set: its alphabet, its pairs without gaps, and their true alignments."""
    dataset, path = datasets.describe(SETS[name]), datasets.path(SETS[name])
    with gzip.open(path, "rt") if path.suffix == ".gz" else path.open() as file:
        rows = [str(record.seq).upper() for record in SeqIO.parse(file, "fasta")]
    if dataset.pairing == "select":
        aligned = list(itertools.combinations(rows, 2))
    elif dataset.pairing == "first-vs-rest":
        aligned = [(rows[0], row) for row in rows[1:]]
    else:
        aligned = list(zip(rows[::2], rows[1::2], strict=True))
    aligned = aligned[::every]
    pairs = [(x.replace("-", ""), y.replace("-", "")) for x, y in aligned]
    return dataset.alphabet, pairs, [of_rows(*pair) for pair in aligned]


def of_rows(x: str, y: str) -> Partners:
    """Read partners off two rows with gaps."""
    in_x, in_y = (np.array(list(row)) != "-" for row in (x, y))
    i, j = np.cumsum(in_x) - 1, np.cumsum(in_y) - 1
    return np.where(in_y, j, -1)[in_x], np.where(in_x, i, -1)[in_y]


def gaps_left(x: str, y: str, partners: Partners) -> Partners:
    """Move every gap to the left, past letters that it can be exchanged with."""
    rows = np.flatnonzero(partners[0] >= 0)
    matches = np.column_stack([rows, partners[0][rows]])
    moved: list[int] = []
    at = [0, 0]
    for kind, run in itertools.groupby(path_of_matches(matches, np.array([len(x), len(y)]))):
        length, back = len(list(run)), 0
        if kind:
            letters, place = (x, at[0]) if kind == 1 else (y, at[1])
            while back < len(moved) and moved[-1 - back] == 0:
                if letters[place - 1 - back] != letters[place - 1 - back + length]:
                    break
                back += 1
        moved[len(moved) - back :] = [kind] * length + [0] * back
        at = [at[0] + length * (kind != 2), at[1] + length * (kind != 1)]
    path = np.array(moved)
    i, j = np.cumsum(path != 2) - 1, np.cumsum(path != 1) - 1
    aligned = path == 0
    return np.where(aligned, j, -1)[path != 2], np.where(aligned, i, -1)[path != 1]


class Table:
    """Prints how well alignments of one data set meet the truth."""

    def __init__(self, name: str, pairs: Texts, truth: list[Partners]) -> None:
        self.name, self.pairs, self.truth = name, pairs, truth
        self.true_left = self._left(truth)

    def _left(self, partners: list[Partners]) -> list[Partners]:
        return [gaps_left(x, y, p) for (x, y), p in zip(self.pairs, partners, strict=True)]

    def measure(self, found: Iterable[Partners]) -> tuple[float, ...]:
        """Give recall, precision, F, accuracy, and recall with all gaps to the left."""
        found = list(found)
        called = sum(int((x >= 0).sum()) for x, _ in found)
        true, hits, right = compared(found, self.truth)
        _, hits_left, _ = compared(self._left(found), self.true_left)
        letters = sum(len(x) + len(y) for x, y in found)
        return (
            hits / true,
            hits / called,
            2 * hits / (true + called),
            right / letters,
            (hits_left / true),
        )

    def write(self, label: str, numbers: Iterable[float]) -> None:
        print(self.name.ljust(8), label.ljust(50), *(f"{number:9.4f}" for number in numbers))


def compared(found: list[Partners], truth: list[Partners]) -> tuple[int, int, int]:
    """Count true pairs of letters, those that were found, and letters said right."""
    true = hits = right = 0
    for (x, y), (true_x, true_y) in zip(found, truth, strict=True):
        true += int((true_x >= 0).sum())
        hits += int(((x == true_x) & (x >= 0)).sum())
        right += int((x == true_x).sum() + (y == true_y).sum())
    return true, hits, right


# -- the pair HMM ------------------------------------------------------------------------------


def models(alphabet: str, pairs: Texts) -> Iterator[tuple[str, Aligner]]:
    """Fit the models and yield, under a name, what aligns the pairs with each."""
    names = ("blosum62", "lg") if alphabet == "protein" else ("hky85",)
    for name in names:
        started = time.time()
        hmm = PairHMM(alphabet=alphabet, substitution=name, tie=()).fit(pairs)
        print(f"# {name} fitted in {time.time() - started:.0f} s, converged: {hmm.converged_}")
        yield name, lambda hmm=hmm, **options: hmm.assess(hmm.align(pairs, **options))
        if name == "lg":
            yield f"{name}, distance by pair", by_distance(hmm, pairs)


def by_distance(hmm: PairHMM, pairs: Texts) -> Aligner:
    """Align each pair at the one of `DISTANCES` under which it is most likely."""
    at = [hmm_at(hmm, distance) for distance in DISTANCES.tolist()]
    best = np.argmax([model.log_likelihood(pairs) for model in at], axis=0)

    def align(**options: Any) -> list[Any]:
        found: dict[int, Any] = {}
        for number in np.unique(best).tolist():
            members = np.flatnonzero(best == number).tolist()
            chosen = [pairs[index] for index in members]
            alignments = at[number].assess(at[number].align(chosen, **options))
            found |= zip(members, alignments, strict=True)
        return [found[index] for index in range(len(pairs))]

    return align


def hmm_at(hmm: PairHMM, distance: float) -> PairHMM:
    """Copy a model and give it another distance."""
    return PairHMM(**hmm.get_params()).set_parameters(hmm.parameters_ | {"distance": distance})


def add_models(table: Table, alphabet: str, pairs: Texts) -> None:
    for name, align in models(alphabet, pairs):
        for label, options in METHODS.items():
            alignments = align(**options)
            letters = [len(x) + len(y) for x, y in pairs]
            expected = np.average([each.expected_accuracy for each in alignments], weights=letters)
            numbers = table.measure(of_rows(each[0], each[1]) for each in alignments)
            table.write(f"{name}, {label}", (*numbers, float(expected)))


# -- the others --------------------------------------------------------------------------------


def biopython(score: Score, free_ends: bool) -> Callable[[str, str], Partners]:
    """Make an aligner of Biopython, which gives the first of the best alignments."""
    letters, opened, extended = score
    aligner = Align.PairwiseAligner(mode="global")
    if isinstance(letters, str):
        aligner.substitution_matrix = substitution_matrices.load(letters)
    else:
        aligner.match_score, aligner.mismatch_score = letters
    aligner.open_gap_score, aligner.extend_gap_score = opened, extended
    if free_ends:
        aligner.end_gap_score = 0.0

    def align(x: str, y: str) -> Partners:
        found = aligner.align(x, y)[0]
        return of_rows(found[0], found[1])

    return align


def with_parasail(score: Score, free_ends: bool) -> Callable[[str, str], Partners]:
    """Make an aligner of parasail; its scores are whole numbers, so all are doubled."""
    import parasail

    letters, opened, extended = score
    if isinstance(letters, str):
        matrix = getattr(parasail, letters.lower()).copy()
        for row, column in itertools.product(range(matrix.size), repeat=2):
            matrix[row, column] = 2 * int(matrix.matrix[row, column])
    else:
        matrix = parasail.matrix_create("ACGT", *(2 * value for value in letters))
    align_both = parasail.sg_trace_scan_sat if free_ends else parasail.nw_trace_scan_sat

    def align(x: str, y: str) -> Partners:
        rows = align_both(x, y, round(-2 * opened), round(-2 * extended), matrix).traceback
        return of_rows(rows.query, rows.ref)

    return align


def add_others(table: Table, alphabet: str, pairs: Texts, show_all: bool) -> None:
    scores = PROTEIN_SCORES if alphabet == "protein" else DNA_SCORES
    for tool, make in (("Biopython", biopython), ("parasail", with_parasail)):
        lines = []
        for (label, score), free_ends in itertools.product(scores.items(), (False, True)):
            align = make(score, free_ends)
            numbers = table.measure(align(x, y) for x, y in pairs)
            lines.append((numbers, f"{tool}, {label}{FREE_ENDS if free_ends else ''}"))
        apart = [f"{tool}, {label}" for label in OF_THE_TRUTH.get(table.name, ())]
        own = [line for line in lines if line[1].removesuffix(FREE_ENDS) in apart]
        shown = [max(each) for each in ([line for line in lines if line not in own], own) if each]
        for numbers, label in lines if show_all else shown:
            table.write(label, numbers)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sets", nargs="*", choices=[*SETS, []], help="of the data sets")
    parser.add_argument("--all", action="store_true", help="every score of the other tools")
    parser.add_argument("--every", type=int, default=1, help="take every so many pairs of a set")
    arguments = parser.parse_args()
    columns = ("recall", "precision", "F", "accuracy", "placed", "expected")
    print("set".ljust(8), "method".ljust(50), *(column.rjust(9) for column in columns))
    for name in arguments.sets or SETS:
        alphabet, pairs, truth = read(name, arguments.every)
        table = Table(name, pairs, truth)
        add_models(table, alphabet, pairs)
        add_others(table, alphabet, pairs, arguments.all)


if __name__ == "__main__":
    main()

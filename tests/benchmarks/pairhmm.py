"""Pair HMM: forward sums beside Biopython's best scores and cogent3's forward, and memory.

Biopython's `PairwiseAligner.score` (global, affine gaps) is a compiled loop of a maximum and an
addition for each of three states; ours sums over all alignments, which costs more per cell.
cogent3 does what we do, in a loop that numba compiles; its dynamic programming alone is timed.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from itertools import starmap

import numpy as np
from rich.console import Console
from rich.table import Table

import seqbio
from seqbio.core import fit
from seqbio.pairhmm import kernels
from seqbio.pairhmm.batches import make_batches
from seqbio.pairhmm.kernels import Machine
from tests.benchmarks.timing import (
    Report,
    Target,
    peak_memory,
    peak_memory_of,
    seconds,
    take_turns,
)

LETTERS = np.frombuffer(b"ACGT", dtype=np.uint8)


def identity(share: float) -> np.ndarray:
    odds = np.full((4, 4), (1 - share) / 3 * 4)
    np.fill_diagonal(odds, share * 4)
    return odds


def machine(open_x: float, open_y: float, extend_x: float, extend_y: float) -> Machine:
    end = 1e-3
    transitions = np.array(
        [
            [1 - open_x - open_y, open_x, open_y],
            [1 - extend_x, extend_x, 0.0],
            [1 - extend_y, 0.0, extend_y],
        ]
    )
    return Machine("mxy", transitions * (1 - end), np.full(3, end), identity(0.9))


TIED = machine(0.02, 0.02, 0.5, 0.5)
UNTIED = machine(0.015, 0.025, 0.4, 0.55)
SWITCH = replace(
    UNTIED, transitions=UNTIED.transitions + 0.05 * np.array([[0, 0, 0], [-1, 0, 1], [-1, 1, 0]])
)


@dataclass(frozen=True)
class Pairs:
    """The same pairs as each of the programs wants them."""

    name: str
    x: Sequence[np.ndarray]
    y: Sequence[np.ndarray]

    @property
    def cells(self) -> int:
        return sum(len(x) * len(y) for x, y in zip(self.x, self.y, strict=True))

    def batch(self, banded: bool = False) -> list[kernels.Batch]:
        return make_batches(self.x, self.y, 4, banded=banded)

    @cached_property
    def batches(self) -> list[kernels.Batch]:
        return self.batch()

    @cached_property
    def texts(self) -> list[tuple[str, str]]:
        return [
            (LETTERS[x].tobytes().decode(), LETTERS[y].tobytes().decode())
            for x, y in zip(self.x, self.y, strict=True)
        ]


def simulated(name: str, n_pairs: int, length: int, seed: int = 0, differing: float = 0.1) -> Pairs:
    """Pairs of which so many of the letters differ, and one in fifty begins a gap."""
    generator = np.random.default_rng(seed)
    x = [generator.integers(0, 4, length, dtype=np.uint8) for _ in range(n_pairs)]
    return Pairs(name, x, [_relative(generator, letters, differing) for letters in x])


def _relative(generator: np.random.Generator, letters: np.ndarray, differing: float) -> np.ndarray:
    changed = generator.random(len(letters)) < differing * 4 / 3
    copy = np.where(changed, generator.integers(0, 4, len(letters)), letters).astype(np.uint8)
    for place in np.flatnonzero(generator.random(len(copy)) < 0.02)[::-1]:
        length = int(generator.geometric(0.5))
        if generator.random() < 0.5:
            copy = np.delete(copy, slice(place, place + length))
        else:
            copy = np.insert(copy, place, generator.integers(0, 4, length, dtype=np.uint8))
    return copy


def pacbio() -> Pairs:
    records = seqbio.read_pairs(seqbio.datasets.path("pacbio_lambda_pairs"), alphabet="dna")
    codes = [
        [np.frombuffer(bytes(record.seq), dtype=np.uint8) for record in pair] for pair in records
    ]
    x, y = (
        [np.searchsorted(LETTERS, letters).astype(np.uint8) for letters in side]
        for side in zip(*codes, strict=True)
    )
    return Pairs(f"{len(records)} PacBio reads against the genome", x, y)


def all_pairs(report: Report) -> list[tuple[Pairs, float]]:
    """Every data set with the speed to reach, as a multiple of Biopython's."""
    cases = [
        (simulated("64 pairs of 400", 64, 400), 1.1),
        (simulated("2000 pairs of 35", 2000, 35), 0.6),
        (simulated("one pair of 5000", 1, 5000), 0.6),
    ]
    try:
        cases.insert(2, (pacbio(), 0.6))
    except seqbio.errors.DatasetError as error:
        report.skip("PacBio reads", str(error).split(".")[0])
    return cases


def forward(machine: Machine, pairs: Pairs) -> Callable[[], object]:
    return partial(kernels.log_likelihood, machine, pairs.batches)


# --- the peers ----------------------------------------------------------------------------------


def biopython(pairs: Pairs) -> Callable[[], object]:
    from Bio.Align import PairwiseAligner

    aligner = PairwiseAligner(
        mode="global",
        match_score=1.2,
        mismatch_score=-2.3,
        open_gap_score=-5.0,
        extend_gap_score=-1.0,
    )
    return lambda: list(starmap(aligner.score, pairs.texts))


def cogent3(machine: Machine, pairs: Pairs) -> Callable[[], object]:
    from cogent3 import make_seq
    from cogent3.align.indel_model import pair_transition_matrix
    from cogent3.align.pairwise import AlignableSeq, DPFlags, Pair
    from cogent3.evolve.likelihood_tree import make_likelihood_tree_leaf

    frequencies = np.full(4, 0.25)
    substitutions = machine.odds * frequencies
    transitions = machine.transitions / machine.transitions.sum(axis=1, keepdims=True)
    matrix = pair_transition_matrix("MXY", transitions)
    flags = DPFlags(viterbi=False)
    runs = []
    for texts in pairs.texts:
        sequences = [
            make_seq(text, moltype="dna", name=name) for text, name in zip(texts, "xy", strict=True)
        ]
        leaves = [
            AlignableSeq(make_likelihood_tree_leaf(seq, seq.moltype.alphabet, seq.name))
            for seq in sequences
        ]
        emissions = Pair(*leaves).make_simple_emission_probs(frequencies, [substitutions])
        runs.append(
            partial(emissions.dp, emissions.make_pair_HMM(matrix)._transition_matrix, flags)
        )
    return lambda: [run() for run in runs]


# --- the tables ---------------------------------------------------------------------------------


def compare_with_biopython() -> None:
    report = Report(
        "Forward log-likelihood beside Biopython's PairwiseAligner.score",
        "ours",
        "Biopython",
        "times as fast",
    )
    for pairs, speed in all_pairs(report):
        for name, model in (("tied", TIED), ("untied", UNTIED)):
            turns = take_turns(forward(model, pairs), biopython(pairs))
            rate = pairs.cells / np.median(turns.first) / 1e6
            report.add(f"{pairs.name}, {name} ({rate:.0f} Mcells/s)", turns, Target(speed))
    report.show()


def compare_in_a_band() -> None:
    """Everything that is found once in a fit (batches, words) is part of a single call."""
    report = Report(
        "In a band, beside Biopython's PairwiseAligner.score of the full matrix",
        "ours",
        "Biopython",
        "times as fast",
    )
    for differing in (0.1, 0.2):
        model = replace(UNTIED, odds=identity(1 - differing))
        for name, n_pairs, length in (("64 pairs of 400", 64, 400), ("one of 5000", 1, 5000)):
            pairs = simulated(name, n_pairs, length, differing=differing)
            ready = pairs.batch(banded=True)
            calls = {
                "a single log-likelihood": lambda model=model, pairs=pairs: kernels.log_likelihood(
                    model, pairs.batch(banded=True)
                ),
                "log-likelihood again": partial(kernels.log_likelihood, model, ready),
                "counts, as in a fit": partial(kernels.expected_counts, model, ready),
            }
            for call, ours in calls.items():
                turns = take_turns(ours, biopython(pairs))
                case = f"{name}, {1 - differing:.0%}, {call}"
                report.add(case, turns, Target(3))
    report.show()


def compare_with_cogent3() -> None:
    report = Report(
        "Forward log-likelihood beside cogent3's forward", "ours", "cogent3", "times as fast"
    )
    cases = [
        (simulated("64 pairs of 400", 64, 400), Target(8)),
        (simulated("2000 pairs of 35", 2000, 35), None),
        (simulated("one pair of 2000", 1, 2000), None),
    ]
    endless = replace(
        UNTIED,
        transitions=UNTIED.transitions / UNTIED.transitions.sum(axis=1, keepdims=True),
        end=np.ones(3),
    )
    for pairs, target in cases:
        try:
            theirs = cogent3(endless, pairs)
        except ImportError as error:
            report.skip(pairs.name, str(error))
            continue
        # They begin in any state and we in the match state, which is worth a nat at most.
        difference = np.abs(kernels.log_likelihood(endless, pairs.batches) - theirs()).max()
        if difference > 1:
            report.skip(pairs.name, f"cogent3 computes something else, by {difference} nats")
            continue
        report.add(pairs.name, take_turns(forward(endless, pairs), theirs), target)
    report.show()


def measure_counts() -> None:
    report = Report(
        "Forward-backward with expected counts, in forward passes", "forward", "counts", "passes"
    )
    for pairs, _ in all_pairs(report):
        for name, model in (("tied", TIED), ("untied", UNTIED), ("switch", SWITCH)):
            counts = partial(kernels.expected_counts, model, pairs.batches)
            turns = take_turns(forward(model, pairs), counts)
            report.add(f"{pairs.name}, {name}", turns, Target(6, at_least=False))
    report.show()


def measure_batching() -> None:
    report = Report("Batching, in forward passes", "forward", "make_batches", "passes")
    for pairs, _ in all_pairs(report):
        report.add(pairs.name, take_turns(forward(UNTIED, pairs), pairs.batch, at_least=1.0))
    report.show()


def measure_fit() -> None:
    """One fit as users make it, everything included."""
    table = Table(title="PairHMM().fit, everything included", title_justify="left")
    for heading in ("case", "seconds", "evaluations", "forward passes, each all pairs"):
        table.add_column(heading)
    for pairs in (simulated("64 pairs of 400", 64, 400), simulated("2000 pairs of 35", 2000, 35)):
        start = time.perf_counter()
        fitted = seqbio.PairHMM(alphabet="dna", substitution="k80", tie=()).fit(pairs.texts)
        passed = time.perf_counter() - start
        once = np.median(take_turns(forward(UNTIED, pairs), forward(UNTIED, pairs), 0.5).first)
        evaluations = getattr(getattr(fitted, "fit_", None), "n_evaluations", "?")
        table.add_row(pairs.name, f"{passed:.2f}", str(evaluations), f"{passed / once:.0f}")
    Console(width=120).print(table)


def measure_comparison() -> None:
    """Evaluations of a tied and an untied fit together, and what `compare` costs in all."""
    table = Table(title="compare(open and extend tied, untied)", title_justify="left")
    for heading in ("data", "evaluations (25 at most)", "forward passes of compare", "unchecked"):
        table.add_column(heading)
    null, alternative = seqbio.PairHMM(), seqbio.PairHMM(tie=())
    cases: dict[str, list[tuple[str, str]] | None] = {
        "brca1": [("Human", "Mouse")],
        "simulated_reads": None,
        "simulated_symmetric": None,
        "pacbio_lambda_pairs": None,
    }
    for name, select in cases.items():
        try:
            path = seqbio.datasets.path(name)
            pairs = seqbio.read_pairs(path, alphabet="dna", select=select, strip_gaps=True)
        except seqbio.errors.DatasetError:
            table.add_row(name, "skipped: not there")
            continue
        tied = null.fit(pairs).fit_
        untied = fit(
            tied.model, alternative.hypothesis(pairs)[0].tying, null.data_, start=tied.full
        )
        once = partial(tied.model.log_likelihood, tied.full, null.data_)
        passes = []
        for check_fit in (True, False):
            whole = partial(
                seqbio.compare, null, alternative, pairs, calibration="chi2", check_fit=check_fit
            )
            forward = min(seconds(once) for _ in range(5))
            passes.append(f"{seconds(whole) / forward:.0f}")
        table.add_row(name, str(tied.n_evaluations + untied.n_evaluations), *passes)
    Console(width=120).print(table)


MEMORY = {
    "log-likelihood": ("log-likelihood of one pair of 20000", 20_000, 400),
    "counts": ("expected counts of one pair of 10000", 10_000, 1000),
    "banded log-likelihood": ("log-likelihood of one pair of 100000, in a band", 100_000, 1000),
    "banded counts": ("expected counts of one pair of 100000, in a band", 100_000, 1000),
}


def measure_memory() -> None:
    table = Table(title="Peak memory of a whole process", title_justify="left")
    for heading in ("case", "seconds", "MB", "target", ""):
        table.add_column(heading, justify="left" if heading == "case" else "right")
    for name, (case, _, limit) in MEMORY.items():
        start = time.perf_counter()
        peak, target = peak_memory_of(__spec__.name, "--memory", name), Target(limit, False)
        passed = time.perf_counter() - start
        table.add_row(case, f"{passed:.0f}", f"{peak:.0f}", str(target), target.judge(peak))
    Console(width=120).print(table)


def run_for_memory(name: str) -> None:
    pairs = simulated(name, 1, MEMORY[name][1])
    run = kernels.expected_counts if name.endswith("counts") else kernels.log_likelihood
    run(UNTIED, pairs.batch(banded=name.startswith("banded")))
    print(peak_memory())


TABLES = {
    "biopython": compare_with_biopython,
    "band": compare_in_a_band,
    "cogent3": compare_with_cogent3,
    "counts": measure_counts,
    "batching": measure_batching,
    "fit": measure_fit,
    "comparison": measure_comparison,
    "memory": measure_memory,
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.pairhmm", description=__doc__)
    parser.add_argument("tables", nargs="*", metavar="table", help=f"of {', '.join(TABLES)}")
    parser.add_argument("--memory", choices=MEMORY, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.memory:
        run_for_memory(arguments.memory)
        return
    unknown = set(arguments.tables) - set(TABLES)
    if unknown:
        parser.error(f"no table is called {', '.join(sorted(unknown))}")
    for name in arguments.tables or TABLES:
        TABLES[name]()


if __name__ == "__main__":
    main()

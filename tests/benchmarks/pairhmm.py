"""Pair HMM: forward sums beside the best scores of aligners and cogent3's forward, and memory.

Biopython's `PairwiseAligner.score` and parasail's `nw` (global, affine gaps) are compiled loops of
a maximum and an addition for each of three states, parasail's `nw_striped_16` vectors of 16-bit
numbers; ours sums over all alignments, which costs more per cell. cogent3 does what we do, in a
loop that numba compiles; its dynamic programming alone is timed.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cached_property, partial
from itertools import starmap
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

import seqbio
from seqbio.core import fit
from seqbio.hypothesis_testing import Comparison, bootstrap_test
from seqbio.pairhmm import dp
from seqbio.pairhmm.dp import CodedPairs, Machine
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
LONG = 0.999 * np.array(
    [
        [0.96, 0.015, 0.012, 0.005, 0.008],
        [0.55, 0.45, 0.0, 0.0, 0.0],
        [0.55, 0.0, 0.45, 0.0, 0.0],
        [0.12, 0.0, 0.0, 0.88, 0.0],
        [0.12, 0.0, 0.0, 0.0, 0.88],
    ]
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

    @cached_property
    def coded(self) -> CodedPairs:
        return CodedPairs.of(self.x, self.y, 4)

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


def all_pairs(report: Report) -> list[Pairs]:
    cases = [
        simulated("64 pairs of 400", 64, 400),
        simulated("2000 pairs of 35", 2000, 35),
        simulated("one pair of 5000", 1, 5000),
    ]
    try:
        cases.append(pacbio())
    except seqbio.errors.DatasetError as error:
        report.skip("PacBio reads", str(error).split(".")[0])
    return cases


def forward(machine: Machine, pairs: Pairs) -> Callable[[], object]:
    return partial(dp.log_likelihood, machine, pairs.coded)


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


def parasail(function: str, pairs: Pairs) -> Callable[[], object]:
    import parasail

    matrix, run = parasail.matrix_create("ACGT", 2, -3), getattr(parasail, function)
    return lambda: [run(x, y, 5, 1, matrix).score for x, y in pairs.texts]


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


def compare_with_aligners() -> None:
    report = Report(
        "Forward log-likelihood beside the scores of aligners", "ours", "theirs", "times as fast"
    )
    targets = {
        "Biopython": (8, 6, 8, 7),
        "parasail nw": (None, None, None, None),
        "parasail nw_striped_16": (1.0, 4, 0.8, 1.0),
    }
    for number, pairs in enumerate(all_pairs(report)):
        for peer, values in targets.items():
            try:
                theirs = (
                    biopython(pairs)
                    if peer == "Biopython"
                    else parasail(peer.removeprefix("parasail "), pairs)
                )
            except ImportError as error:
                report.skip(f"{pairs.name}, {peer}", str(error))
                continue
            turns = take_turns(forward(UNTIED, pairs), theirs)
            rate = pairs.cells / np.median(turns.first) / 1e6
            target = Target(values[number]) if values[number] else None
            report.add(f"{pairs.name}, {peer} ({rate:.0f} Mcells/s)", turns, target)
    report.show()


def compare_with_cogent3() -> None:
    report = Report(
        "Forward log-likelihood beside cogent3's forward", "ours", "cogent3", "times as fast"
    )
    cases = [
        (simulated("64 pairs of 400", 64, 400), Target(60)),
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
        difference = np.abs(dp.log_likelihood(endless, pairs.coded) - theirs()).max()
        if difference > 1:
            report.skip(pairs.name, f"cogent3 computes something else, by {difference} nats")
            continue
        report.add(pairs.name, take_turns(forward(endless, pairs), theirs), target)
    report.show()


def measure_counts() -> None:
    report = Report(
        "Forward-backward with expected counts, in forward passes", "forward", "counts", "passes"
    )
    for pairs in all_pairs(report):
        for name, model in (("tied", TIED), ("untied", UNTIED), ("switch", SWITCH)):
            counts = partial(dp.expected_counts, model, pairs.coded)
            turns = take_turns(forward(model, pairs), counts)
            rate = pairs.cells / np.median(turns.second) / 1e6
            case = f"{pairs.name}, {name} ({rate:.0f} Mcells/s)"
            report.add(case, turns, Target(5, at_least=False))
    report.show()


def measure_machines() -> None:
    """What other states and letters cost."""
    report = Report(
        "Other machines, in forward passes of three states", "M, X, Y", "other", "passes"
    )
    pairs = simulated("64 pairs of 400", 64, 400)
    generator = np.random.default_rng(0)
    x = [generator.integers(0, 20, 400, dtype=np.uint8) for _ in range(64)]
    proteins = CodedPairs.of(x, x, 20)
    odds = np.full((20, 20), 0.3)
    np.fill_diagonal(odds, 14.3)
    long = replace(UNTIED, kinds="mxyxy", transitions=LONG, end=np.full(5, 1e-3))
    others = {
        "switch": partial(dp.log_likelihood, SWITCH, pairs.coded),
        "two laws of gaps": partial(dp.log_likelihood, long, pairs.coded),
        "20 letters": partial(dp.log_likelihood, replace(UNTIED, odds=odds), proteins),
        "best path, score": partial(dp.best_path_score, UNTIED, pairs.coded),
        "best path": partial(dp.best_paths, UNTIED, pairs.coded),
    }
    for name, other in others.items():
        report.add(name, take_turns(forward(UNTIED, pairs), other, 1.0))
    report.show()


def measure_strings() -> None:
    """The whole of `log_likelihood`, from strings, in calls with pairs that are encoded."""
    report = Report("From strings, in calls on encoded pairs", "encoded", "strings", "times")
    pairs = simulated("2000 pairs of 35", 2000, 35)
    hmm = seqbio.PairHMM(alphabet="dna").set_parameters(
        {"open_x": 0.02, "open_y": 0.02, "extend_x": 0.4, "extend_y": 0.4, "end": 0.01}
        | {"distance": 0.1, "kappa": 2.0}
    )
    turns = take_turns(forward(UNTIED, pairs), partial(hmm.log_likelihood, pairs.texts))
    report.add(pairs.name, turns, Target(2.5, at_least=False))
    report.show()


def measure_threads() -> None:
    report = Report("Two threads beside one", "two", "one", "times as fast")
    pairs = simulated("512 pairs of 400", 512, 400)
    half = [np.arange(start, 512, 2) for start in (0, 1)]
    halves = [pairs.coded.take(own) for own in half]
    with ThreadPoolExecutor(2) as pool:
        for name in ("log_likelihood", "expected_counts"):
            run = partial(getattr(dp, name), UNTIED)
            turns = take_turns(
                lambda run=run: list(pool.map(run, halves)),
                lambda run=run: [run(own) for own in halves],
            )
            report.add(f"{pairs.name}, {name}", turns, Target(1.7))
        pairs = simulated("64 pairs of 400", 64, 400)
        null, data = seqbio.PairHMM().hypothesis(pairs.texts)
        alternative, _ = seqbio.PairHMM(tie=()).hypothesis(pairs.texts)
        fits = [fit(one.model, one.tying, data) for one in (null, alternative)]
        run = partial(bootstrap_test, Comparison(*fits, data, 2), n_replicates=8, seed=1)
        report.add(
            f"{pairs.name}, bootstrap", take_turns(partial(run, executor=pool), run), Target(1.7)
        )
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


JOB = """
import sys, time
import seqbio
name, *select = sys.argv[1:]
select = [tuple(ids.split(",")) for ids in select] or None
path = seqbio.datasets.path(name)
pairs = seqbio.read_pairs(path, alphabet="dna", strip_gaps=True, select=select)
start = time.perf_counter()
seqbio.compare(seqbio.PairHMM(), seqbio.PairHMM(tie=()), pairs, seed=1)
print(time.perf_counter() - start)
"""
# Data sets, with the seconds at most, and how many times faster than the tree beside.
JOBS = {
    "brca1": (("brca1", "Human,Mouse"), 12.0, None),
    "simulated reads": (("simulated_reads",), 12.0, None),
    "PacBio": (("pacbio_lambda_pairs",), None, 6.0),
}


def measure_jobs(beside: str | None = None) -> None:
    """Time `compare` with all its defaults, in processes of their own, beside another source tree.

    The first run of each is not counted: it compiles.
    """
    table = Table(title="compare(tied, untied) in seconds", title_justify="left")
    for heading in ("data", "this tree", "target", "", "the other tree", "times", "target", ""):
        table.add_column(heading)
    trees = [str(Path(seqbio.__file__).parents[1]), *([beside] if beside else [])]
    for name, (arguments, most, times) in JOBS.items():
        runs = [[seconds_of_job(tree, arguments) for tree in trees] for _ in range(4)]
        ours, *others = np.median(runs[1:], axis=0)
        row = [name, f"{ours:.1f}", *_judged(ours, Target(most, False) if most else None)]
        for other in others:
            row += [f"{other:.1f}", f"{other / ours:.1f}"]
            row += _judged(other / ours, Target(times) if times else None)
        table.add_row(*row)
    Console(width=120).print(table)


def _judged(value: float, target: Target | None) -> tuple[str, str]:
    return (str(target), target.judge(value)) if target else ("", "")


def seconds_of_job(tree: str, arguments: Sequence[str]) -> float:
    """Run a job with the package of a source tree."""
    run = subprocess.run(
        [sys.executable, "-c", JOB, *arguments],
        env=os.environ | {"PYTHONPATH": tree},
        capture_output=True,
        text=True,
        check=True,
    )
    return float(run.stdout)


MEMORY = {
    "log-likelihood": ("log-likelihood of one pair of 20000", 20_000, 200),
    "counts": ("expected counts of one pair of 10000", 10_000, 400),
    "long log-likelihood": ("log-likelihood of one pair of 100000", 100_000, 300),
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
    run = dp.expected_counts if name == "counts" else dp.log_likelihood
    run(UNTIED, pairs.coded)
    print(peak_memory())


TABLES = {
    "aligners": compare_with_aligners,
    "cogent3": compare_with_cogent3,
    "counts": measure_counts,
    "machines": measure_machines,
    "strings": measure_strings,
    "threads": measure_threads,
    "fit": measure_fit,
    "comparison": measure_comparison,
    "jobs": measure_jobs,
    "memory": measure_memory,
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.pairhmm", description=__doc__)
    parser.add_argument("tables", nargs="*", metavar="table", help=f"of {', '.join(TABLES)}")
    parser.add_argument("--beside", metavar="TREE", help="another source tree, to time jobs beside")
    parser.add_argument("--memory", choices=MEMORY, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.memory:
        run_for_memory(arguments.memory)
        return
    unknown = set(arguments.tables) - set(TABLES)
    if unknown:
        parser.error(f"no table is called {', '.join(sorted(unknown))}")
    tables = TABLES | {"jobs": partial(measure_jobs, arguments.beside)}
    for name in arguments.tables or tables:
        tables[name]()


if __name__ == "__main__":
    main()

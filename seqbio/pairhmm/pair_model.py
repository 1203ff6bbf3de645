"""The pair HMM as a model: from one flat vector of coordinates to likelihoods and gradients."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from seqbio.core import Layout, Symmetry, Tying
from seqbio.core.model import COPIES, FEWEST_EVENTS, Check, Effect
from seqbio.core.numerics import logit
from seqbio.pairhmm import dp, parameters, probes, relation, transitions
from seqbio.pairhmm.dp import Counts, Flanks, Machine
from seqbio.pairhmm.pair_data import PairData
from seqbio.pairhmm.simulation import simulate_pairs
from seqbio.pairhmm.substitution import SubstitutionModel, substitution_model
from seqbio.pairhmm.transitions import (
    OPTIONAL,
    OVERHANGS,
    RIVALS,
    SHARES,
    TRANSITION_NAMES,
    EventCounts,
    MoveTable,
    Overhangs,
)
from seqbio.sequences import Alphabet

Floats = NDArray[np.float64]

STARTING_CELLS = 1e6  # of the data from which a start is estimated
ALL = 7.0  # coordinate of the chance of an overhang where all ends have one, or nearly
ALIKE = 1.5  # ratio of mean lengths below which two kinds of gaps cannot be told apart
# What is counted behind the probabilities, and what where the choice fell on the other side.
_EVENTS = {
    "open": ("gap openings", "pairs of letters that no gap follows"),
    "extend": ("gap extensions", "gaps"),
    "switch": ("moves between gaps", "gaps that another does not follow"),
    "long": ("long gaps", "short gaps"),
    "extend_long": ("extensions of long gaps", "long gaps"),
    "frame": ("gaps in frame", "gaps that need not be in frame"),
    "end": ("ends", "columns before the end"),
    "extend_frame": ("extensions of gaps in frame", "gaps in frame"),
    "overhang_begin": ("overhangs at the beginning", "beginnings without an overhang"),
    "overhang_end": ("overhangs at the end", "ends without an overhang"),
    "extend_overhang_begin": ("extensions of overhangs at the beginning", "overhangs that end"),
    "extend_overhang_end": ("extensions of overhangs at the end", "overhangs that end"),
}
_PLAIN = {
    f"{name}_{side}": value
    for share in OPTIONAL
    for name, value in ((share, 0.0), (f"extend_{share}", 0.5))
    for side in "xy"
}
_RARE_GAPS = {"open": 0.02, "extend": 0.4}
# Share of long gaps, and mean lengths of short and long ones over the mean of all, to start from.
_MIXTURES = ((0.1, 0.8, 5.0), (0.4, 0.5, 2.0), (0.25, 0.7, 3.0), (0.03, 0.9, 20.0))


@dataclass(frozen=True)
class PairModel:
    """A pair HMM over one alphabet, in unconstrained coordinates.

    All reversible DNA models are ties of one (`jc69` is `gtr` with equal rates), and so are all
    laws of gap lengths (geometric is a mixture with a share of 0) and of the ends (an alignment
    without overhangs is one in which they have a probability of 0). `family` is what tells models
    apart: any two hypotheses within a family can be compared.

    Parameters
    ----------
    family : str
        Name of the most general substitution model that the ties specialise: ``"gtr"``, or one of
        the protein models.
    rna : bool, default False
        Whether the last nucleotide is called U, in the names of frequencies.
    """

    family: str
    rna: bool = False

    @property
    def key(self) -> str:
        """What two hypotheses must share to be about the same model."""
        return f"pair HMM with the substitution model {self.family}"

    @cached_property
    def substitution(self) -> SubstitutionModel:
        """Probabilities of aligned letters."""
        model = substitution_model(self.family)
        return replace(model, letters=model.letters.replace("T", "U")) if self.rna else model

    @cached_property
    def layout(self) -> Layout:
        """Log odds of the moves and ends, then the substitution model's coordinates."""
        letters = self.substitution.layout
        return Layout(dict.fromkeys(TRANSITION_NAMES, ()) | letters.shapes, letters.labels)

    @cached_property
    def boundary(self) -> NDArray[np.bool_]:
        """All but the end after M may be -inf: a move, a rate or a distance of exactly 0."""
        mask = np.ones(self.layout.size, dtype=bool)
        mask[self.layout.slice("end_m")] = False
        return mask

    @cached_property
    def apart(self) -> NDArray[np.bool_]:
        """Overhangs tell next to nothing of all else."""
        mask = np.zeros(self.layout.size, dtype=bool)
        for name in (f"{prefix}{end}" for prefix in ("", "extend_") for end in OVERHANGS):
            mask[[self.layout.slice(f"{name}_{side}").start for side in "xy"]] = True
        return mask

    @cached_property
    def given(self) -> NDArray[np.bool_]:
        """The ends, which say how long alignments are: data are drawn of the lengths they have."""
        mask = np.zeros(self.layout.size, dtype=bool)
        for name in ("end_m", "end_x", "end_y"):
            mask[self.layout.slice(name)] = True
        return mask

    @cached_property
    def symmetries(self) -> tuple[Symmetry, ...]:
        """The exchange of x and y in a pair, under which what is of x becomes what is of y."""
        permutation = np.arange(self.layout.size)
        for name in TRANSITION_NAMES:
            if name.endswith(("_x", "_y")):
                partner = name[:-1] + ("y" if name.endswith("x") else "x")
                permutation[self.layout.slice(name)] = self.layout.slice(partner).start
        words = "x and y change places in a pair"
        return (Symmetry("exchange", words, permutation, PairData.exchanged, PairData.one_by_one),)

    # -- likelihood --------------------------------------------------------------------------

    def start(self, data: PairData) -> Floats:
        """Start from two steps of expectation-maximisation on a part of the data.

        The steps begin at rare gaps of a few letters, some divergence, and lengths as observed.
        The part is pairs of up to a million cells, or the first pair. The chance to end stays as
        the lengths say: the few ends after gaps would tell less about it.
        """
        end = 1.0 / (1.0 + float(data.lengths.max(axis=1).mean()))
        given = {**_PLAIN, "end_m": end, "end_x": end, "end_y": end}
        rare = {f"{name}_{side}": p for side in "xy" for name, p in _RARE_GAPS.items()}
        probability = {**given, **rare, "switch_x": 0.05, "switch_y": 0.05}
        modes = self.substitution.frequency_modes
        frequencies = "empirical" if "empirical" in modes else None
        substitution = self.substitution.start(frequencies, data.letter_counts + 1.0)
        part = data.part(STARTING_CELLS)
        for _ in range(2):
            full = self._joined(probability, substitution)
            counts, _ = self._counts(full, part)
            probability = transitions.most_likely(self._events(full, counts, part).total()) | given
            if "distance" in substitution:
                matches, _ = self._letters(
                    self.layout.unflatten(full), *_totals(counts, part), part
                )
                differing = 1.0 - (matches.trace() + 1.0) / (matches.sum() + 2.0)
                substitution["distance"] = np.asarray(
                    np.log(differing / (1.0 - min(differing, 0.7)))
                )
        return self._joined(probability, substitution)

    def begin(self, full: Floats, data: PairData, free: NDArray[np.bool_]) -> Floats:
        """Start from gaps of two kinds that are clearly apart, where there are two.

        Overhangs start from two steps of expectation-maximisation, which begin at one end in five,
        and as long as the sequences of pairs differ, and at rare gaps of a few letters; but where
        it is likelier that all ends have one, which is far away in coordinates, from there. A start
        that has overhangs is kept.

        A mixture can have several optima, and where its share is 0 nothing tells how long the gaps
        of that share are. So of several mixtures the most likely one is taken, unless the start
        that is given is a mixture.
        """
        full = self._with_overhangs(full, data, free)
        shares = [self.layout.slice(f"{share}_{side}").start for share in SHARES for side in "xy"]
        if not any(free[entry] and np.isneginf(full[entry]) for entry in shares):
            return full
        p = self._probabilities(full)
        mixtures = []
        for mixture in _MIXTURES:
            replaced = self._replaced(full, _mixed(p, *mixture))
            mixtures.append(np.where(free, replaced, full))
        return max(mixtures, key=lambda one: float(self.log_likelihood(one, data).sum()))

    def _with_overhangs(self, full: Floats, data: PairData, free: NDArray[np.bool_]) -> Floats:
        every = [self.layout.slice(f"{end}_{side}").start for end in OVERHANGS for side in "xy"]
        if np.isfinite(full[every]).any():
            return full
        full = full.copy()
        mean = 2.0 + float(np.abs(np.diff(data.lengths, axis=1)).mean())
        shares, started = [], np.zeros(len(full), dtype=bool)
        for name in (f"{end}_{side}" for end in OVERHANGS for side in "xy"):
            share, extend = (self.layout.slice(f"{kind}{name}").start for kind in ("", "extend_"))
            if free[share]:
                full[share] = np.log(0.2 / 0.6)
                full[extend] = np.where(free[extend], logit(1.0 - 1.0 / mean), full[extend])
                started[[share, extend]] = True
                shares.append(share)
        if not shares:
            return full
        # So far gaps were what made lengths differ.
        end = 1.0 / (1.0 + float(data.lengths.min(axis=1).mean()))
        begun = {f"{name}_{side}": p for side in "xy" for name, p in _RARE_GAPS.items()}
        begun |= {f"end_{state}": end for state in "mxy"}
        coordinates = transitions.coordinates(self._probabilities(full) | begun)
        for name in begun:
            entry = self.layout.slice(name).start
            full[entry] = np.where(free[entry], coordinates[name], full[entry])
            started[entry] = not name.startswith("end")
        part = data.part(STARTING_CELLS)
        for _ in range(2):
            likely = transitions.coordinates(transitions.most_likely(self.events(full, part)))
            counted = self.layout.flatten({**self.layout.unflatten(full), **likely})
            counted[shares] = np.minimum(counted[shares], ALL)
            full = np.where(started & free, counted, full)
        for share in shares:
            certain = full.copy()
            certain[share] = max(full[share], ALL)
            full = max(full, certain, key=lambda one: float(self.log_likelihood(one, data).sum()))
        return full

    def standard(self, full: Floats) -> Floats:
        """Call those gaps short that are: the likelihood is the same when they are exchanged."""
        p = self._probabilities(full)
        exchanged: dict[str, float] = {}
        for side in "xy":
            if p[f"long_{side}"] > 0 and p[f"extend_long_{side}"] < p[f"extend_{side}"]:
                exchanged |= {
                    f"extend_{side}": p[f"extend_long_{side}"],
                    f"extend_long_{side}": p[f"extend_{side}"],
                    f"long_{side}": 1.0 - p[f"long_{side}"],
                }
        return self._replaced(full, exchanged)

    def _replaced(self, full: Floats, probability: Mapping[str, float]) -> Floats:
        """Give some coordinates, other than those of opening, by their probabilities."""
        full = full.copy()
        for name, value in probability.items():
            full[self.layout.slice(name)] = logit(value)
        return full

    def _probabilities(self, full: Floats) -> dict[str, float]:
        return transitions.probabilities(_scalars(self.layout.unflatten(full)))

    def _table(self, full: Floats) -> MoveTable:
        return transitions.move_table(self._probabilities(full))

    def _overhangs(self, full: Floats) -> Overhangs | None:
        return transitions.overhangs(self._probabilities(full), self._table(full))

    def _joined(self, probability: dict[str, float], substitution: dict[str, Floats]) -> Floats:
        return self.layout.flatten({**transitions.coordinates(probability), **substitution})

    def machine(self, full: Floats, data: PairData) -> tuple[Machine, Floats]:
        """Build the moves and odds for the symbols of the data, and their log background."""
        table = self._table(full)
        flanks = _flanks(self._overhangs(full))
        joint, letters = self.substitution.joint(self.layout.unflatten(full))
        joint = data.membership @ joint @ data.membership.T
        background = data.membership @ letters
        independent = np.outer(background, background)
        odds = np.divide(joint, independent, out=np.zeros_like(joint), where=independent > 0)
        with np.errstate(divide="ignore"):
            return Machine(table.kinds, table.moves, table.end, odds, flanks), np.log(background)

    def log_likelihood(self, full: Floats, data: PairData) -> Floats:
        """Sum over all alignments: log-likelihood of every pair, (n_pairs,) nats."""
        machine, background = self.machine(full, data)
        return dp.log_likelihood(machine, data.coded) + _background(background, data)

    def best_path_score(self, full: Floats, data: PairData) -> Floats:
        """Log-probability of every pair with its best path, (n_pairs,) nats."""
        machine, background = self.machine(full, data)
        return dp.best_path_score(machine, data.coded) + _background(background, data)

    def log_likelihood_and_gradient(self, full: Floats, data: PairData) -> tuple[float, Floats]:
        """Run forward-backward: the log-likelihood of all pairs and its gradient."""
        counts, background = self._counts(full, data)
        total = float((counts.log_likelihood + _background(background, data)).sum())
        if not np.isfinite(total):
            return total, np.full(self.layout.size, np.nan)
        blocks = self.layout.unflatten(full)
        events = self._events(full, counts, data).total()
        matches, gaps = self._letters(blocks, *_totals(counts, data), data)
        slope = transitions.gradient(self._probabilities(full), events)
        return total, self.layout.flatten(
            {**slope, **self.substitution.pull_back(blocks, matches, gaps)}
        )

    def scores(self, full: Floats, data: PairData) -> Floats:
        """Differentiate the log-likelihood of every pair, (n_pairs, n_full)."""
        counts, _ = self._counts(full, data)
        blocks = self.layout.unflatten(full)
        probability = self._probabilities(full)
        events = self._events(full, counts, data)
        symbols = data.counts_x + data.counts_y
        rows = []
        for pair in range(len(data)):
            letters = self._letters(blocks, counts.matches[pair], symbols[pair], data)
            slope = transitions.gradient(probability, events.of_pair(pair))
            pulled = self.substitution.pull_back(blocks, *letters)
            rows.append(self.layout.flatten({**slope, **pulled}))
        return np.stack(rows)

    def curvature(self, full: Floats, data: PairData) -> Floats:
        """Give about minus the diagonal of the Hessian, as if the alignments were known."""
        counts, _ = self._counts(full, data)
        blocks = self.layout.unflatten(full)
        events = self._events(full, counts, data).total()
        values = transitions.curvature(self._probabilities(full), events)
        matches, _ = self._letters(blocks, *_totals(counts, data), data)
        changed = matches + matches.T
        np.fill_diagonal(changed, 0.0)
        if "distance" in blocks:
            values["distance"] = changed.sum() / 2
        if "exchangeability" in blocks:
            by_pair = changed[np.triu_indices(len(changed), 1)]
            values["exchangeability"] = by_pair * (1.0 - by_pair / max(by_pair.sum(), 1.0))
        if "frequency" in blocks:
            share = data.letter_counts / data.letter_counts.sum()
            values["frequency"] = (data.letter_counts * (1.0 - share))[:-1]
        return np.maximum(self.layout.flatten(values), 1e-3)

    def events(self, full: Floats, data: PairData) -> EventCounts:
        """Count the expected moves in all pairs together."""
        return self._events(full, self._counts(full, data)[0], data).total()

    def _events(self, full: Floats, counts: Counts, data: PairData) -> EventCounts:
        return event_counts(counts, data, self._table(full), self._overhangs(full))

    def _counts(self, full: Floats, data: PairData) -> tuple[Counts, Floats]:
        """Run forward-backward, or recall it: a fit asks for counts twice where it starts."""
        key = (self, full.tobytes())
        latest = data.latest
        if latest is None or latest[0] != key:
            machine, background = self.machine(full, data)
            data.latest = latest = (key, (dp.expected_counts(machine, data.coded), background))
        return latest[1]

    def _letters(
        self, blocks: Mapping[str, Floats], matches: Floats, symbols: Floats, data: PairData
    ) -> tuple[Floats, Floats]:
        """Turn counts of symbols into counts of letters aligned with each other and against gaps.

        An ambiguity code is shared out among its letters by their posterior probabilities.
        """
        joint, letters = self.substitution.joint(blocks)
        member = data.membership
        against_gap = np.maximum(symbols - matches.sum(axis=0) - matches.sum(axis=1), 0.0)
        return (
            joint * (member.T @ _ratio(matches, member @ joint @ member.T) @ member),
            letters * (member.T @ _ratio(against_gap, member @ letters)),
        )

    # -- what tests and reports need ---------------------------------------------------------

    def identified(self, full: Floats, data: PairData) -> Floats:  # noqa: ARG002
        """List what fixes the distribution of pairs: moves, ends, joint letter probabilities."""
        table, p = self._table(full), self._probabilities(full)
        names = [f"{end}_{side}" for end in OVERHANGS for side in "xy"]
        overhangs = [p[name] for name in names]
        overhangs += [p[name] * p[f"extend_{name}"] for name in names]
        joint, _ = self.substitution.joint(self.layout.unflatten(full))
        upper = joint[np.triu_indices(len(joint))]
        return np.concatenate([table.moves.ravel(), table.end, upper, overhangs])

    def columns(self, full: Floats, data: PairData) -> Floats:
        """Count the expected columns in the alignment of every pair, (n_pairs,)."""
        matches = self._counts(full, data)[0].matches.sum(axis=(1, 2))
        return data.lengths.sum(axis=1) - matches

    def probes(self, full: Floats, data: PairData) -> dict[str, Floats]:
        """Measure in every pair what a pair HMM gets wrong most often, for goodness of fit."""
        machine, _ = self.machine(full, data)
        counts, _ = self._counts(full, data)
        return {
            "gap lengths": probes.gap_length_dispersion(machine, data, counts.log_likelihood),
            "ends": probes.overhangs(machine, counts),
        }

    def simulate(self, full: Floats, data: PairData, generator: np.random.Generator) -> PairData:
        """Draw as many pairs as the data have, with alignments of about the same lengths."""
        expected = self.columns(full, data)
        if (letters := self._counts(full, data)[0].overhang_letters) is not None:
            expected = expected - letters.sum(axis=(0, 1))
        columns = np.maximum(np.rint(expected).astype(np.int64), 1)
        return self.draw(full, data.alphabet, len(data), columns, generator)

    def draw(
        self,
        full: Floats,
        alphabet: Alphabet,
        n_pairs: int,
        columns: NDArray[np.int64] | None,
        generator: np.random.Generator,
    ) -> PairData:
        """Draw pairs, with a given number of columns in each alignment or, for None, any.

        Overhangs come on top of these columns.
        """
        joint, letters = self.substitution.joint(self.layout.unflatten(full))
        table, law = self._table(full), self._overhangs(full)
        x, y = simulate_pairs(table, joint, letters, n_pairs, columns, generator, law)
        return PairData(alphabet, x, y)

    def estimates(self, full: Floats) -> dict[str, float]:
        """Name the probabilities, distance, rates and frequencies."""
        return parameters.natural(self.layout, self.substitution, full)

    def effects(self, full: Floats) -> dict[str, Effect]:
        """Compare each probability in y with its counterpart in x, as a ratio on the log scale.

        Where one of the two is 0 the ratio is 0 or infinite.
        """
        probability = self._probabilities(full)
        effects = {}
        for kind in ("open", "extend", "switch", *_kinds_of_gaps(probability)):
            gradient = np.zeros(self.layout.size)
            size = 0.0
            sides = (f"{kind}_y", 1.0), (f"{kind}_x", -1.0)
            values = [probability[name] for name, _ in sides]
            if not max(values) > 0.0 or not max(values) < 1.0:
                continue
            for name, sign in sides:
                # Both openings (overhangs) have one reference, which cancels from their ratio.
                slope = 1.0 if kind in RIVALS else 1.0 - probability[name]
                gradient[self.layout.slice(name)] = sign * slope
                with np.errstate(divide="ignore"):
                    size += sign * float(np.log(probability[name]))
            name = f"{kind}_y / {kind}_x"
            effects[name] = Effect(name, size, gradient, log_scale=True)
        return effects

    def comparable(self, full: Floats) -> dict[str, Effect]:
        """Every named parameter that is not 0, and openings per substitution, as logarithms."""
        effects = parameters.logarithms(self.layout, self.substitution, full)
        for name in ("open_x", "open_y"):
            if {name, "distance"} <= effects.keys():
                opened, distance = effects[name], effects["distance"]
                effects[f"{name} / distance"] = Effect(
                    f"({name} / distance)",
                    opened.value - distance.value,
                    opened.gradient - distance.gradient,
                    log_scale=True,
                )
        return effects

    def checks(self, full: Floats, data: PairData, tying: Tying) -> list[Check]:
        """Find reasons to doubt a chi-squared test of gap symmetry on these data."""
        counted = transitions.choices(self.events(full, data))
        checks = self.relation_checks(full, data)
        for side in "xy":
            made = sum(counted[f"{end}_{side}"][0] for end in OVERHANGS)
            free = any(self._group(tying, f"{end}_{side}") >= 0 for end in OVERHANGS)
            if free and made < FEWEST_EVENTS:
                message = (
                    f"about {made:.1f} overhangs of {side}: too few to tell how frequent and how "
                    "long they are; where the ends of one sequence alone were cut off, "
                    "ends='free_x' or 'free_y' has those of the other alone"
                )
                checks.append(Check(message, "warning", "few_overhangs"))
        return checks + self._indistinct_gaps(full, counted, tying)

    def relation_checks(
        self, full: Floats, data: PairData, known: Floats | None = None
    ) -> list[Check]:
        """Find pairs that are not related as they stand, once for the same data."""
        if data.relation is None:
            data.relation = relation.find(self, data, full, known)
        return relation.checks(data.relation, data)

    def _indistinct_gaps(
        self, full: Floats, counted: Mapping[str, tuple[float, float]], tying: Tying
    ) -> list[Check]:
        """Find kinds of gaps that are free, but so rare or alike that they are hardly there.

        Where one is not there at all its length has no meaning.
        """
        p, checks = self._probabilities(full), []
        for share in SHARES:
            free = [side for side in "xy" if self._group(tying, f"{share}_{side}") >= 0]
            sides = [free] if self._is_one(tying, free, share) else [[side] for side in free]
            for own in sides:
                kind, usual = _EVENTS[share]
                made, chances = np.sum([counted[f"{share}_{side}"] for side in own], axis=0)
                events, name = min((made, kind), (chances - made, usual))
                where = " and ".join(own)
                if events < FEWEST_EVENTS:
                    message = (
                        f"about {events:.1f} {name} in {where}: too few to tell how many there are "
                        "and how long, so that the chi-squared law is not known to hold"
                    )
                    checks.append(Check(message, "invalid", "few_events"))
                elif share == "long" and all(_are_alike(p, side) for side in own):
                    message = (
                        f"short and long gaps in {where} are nearly of one length, so that their "
                        "shares are not determined and the chi-squared law is not known to hold"
                    )
                    checks.append(Check(message, "invalid", "alike_gaps"))
        return checks

    def _group(self, tying: Tying, name: str) -> int:
        return int(tying.group[self.layout.slice(name)][0])

    def _is_one(self, tying: Tying, sides: list[str], share: str) -> bool:
        """Say whether share and length of a kind of gaps are the same in x and y."""
        return len(sides) == 2 and all(
            len({self._group(tying, f"{name}_{side}") for side in sides}) == 1
            for name in (share, f"extend_{share}")
        )

    def event_totals(self, full: Floats, data: PairData) -> dict[str, Floats]:
        """Count what is expected behind every probability, and behind the distance."""
        counts, _ = self._counts(full, data)
        blocks = self.layout.unflatten(full)
        totals: dict[str, Floats] = {}

        def add(words: str, name: str, expected: float | Floats) -> None:
            whole = totals.setdefault(words, np.full(self.layout.size, np.nan))
            whole[self.layout.slice(name)] = expected

        events = self._events(full, counts, data).total()
        expected = transitions.expected(self._probabilities(full), events)
        for name, (made, not_made) in expected.items():
            kind = name.rpartition("_")[0]
            add(_EVENTS[kind][0], name, made)
            if kind not in (*RIVALS, "switch", "end"):
                add(_EVENTS[kind][1], name, not_made)
        if "distance" in blocks:
            matches, _ = self._letters(blocks, *_totals(counts, data), data)
            by_kind = (matches + matches.T)[np.triu_indices_from(matches, 1)]
            add("aligned letters that differ", "distance", float(by_kind.sum()))
            if "exchangeability" in blocks:
                add("aligned letters that differ", "exchangeability", by_kind)
        return totals

    def dependence(self, data: PairData) -> list[Check]:
        """Find pairs that occur more than once or share a sequence other than the reference."""
        shared = data.shared
        checks = []
        if shared.copies:
            message = (
                f"{shared.copies} pairs occur more than once: copies are no new evidence; leave "
                "one of each in the data"
            )
            checks.append(Check(message, "invalid", "dependent_items", COPIES, "data"))
        if shared.sharing:
            message = (
                f"{shared.sharing} pairs share a sequence with another pair, so that the same "
                "event counts in several pairs; take pairs that share no branch of the tree"
            )
            if shared.side and data.reference is None:
                message += (
                    f", or, if {shared.side} is the ancestor or the reference of them, say so by "
                    f"--reference {shared.side} (reference='{shared.side}')"
                )
            checks.append(Check(message, "invalid", "dependent_items", concerns="data"))
        if data.n_sharing_reference:
            message = (
                f"{data.n_sharing_reference} pairs share a reference in {data.reference}, and are "
                "independent given it if, as was said, it is their ancestor or origin"
            )
            checks.append(Check(message, "note", "reference"))
        return checks


def _totals(counts: Counts, data: PairData) -> tuple[Floats, Floats]:
    """Add up the matched symbols, and all symbols, of all pairs."""
    return counts.matches.sum(axis=0), (data.counts_x + data.counts_y).sum(axis=0)


def event_counts(
    counts: Counts, data: PairData, table: MoveTable, law: Overhangs | None
) -> EventCounts:
    """Work out all moves of every pair from what the sweeps count.

    A letter that is not aligned stands against a gap, which gives the visits of X and Y where
    there is one state of each; what enters a state leaves it, which gives the moves that were not
    counted.
    """
    states = table.states
    matched = counts.matches.sum(axis=(1, 2))
    ending = counts.ending.T
    moves = np.zeros((len(matched), len(states), len(states)))
    moves[:, 0, 1:] = counts.opening.T
    moves[:, 1:, 1:] = counts.crossing.transpose(2, 0, 1)
    beside, letters = counts.overhangs, counts.overhang_letters
    entered = np.zeros((len(states), len(matched))) if beside is None else beside[0].sum(axis=0)
    if counts.visits is None:
        side = ["xy".index(state) for state in states[1:]]
        visits = data.lengths[:, side] - matched[:, None]
        if letters is not None:
            visits = visits - letters[:, side].sum(axis=0).T
    else:
        visits = counts.visits.T
    extended = np.maximum(visits - entered[1:].T - moves[:, :, 1:].sum(axis=1), 0.0)
    left = visits - extended - moves[:, 1:, 1:].sum(axis=2) - ending[:, 1:]
    gaps = range(1, len(states))
    moves[:, gaps, gaps] = extended
    moves[:, 1:, 0] = np.maximum(left, 0.0)
    moves[:, 0, 0] = np.maximum(matched - entered[0] - moves[:, 1:, 0].sum(axis=1), 0.0)
    seen = EventCounts(moves, ending, states)
    if law is None or beside is None or letters is None:
        return seen
    beside, letters = beside.transpose(3, 0, 1, 2), letters.transpose(2, 0, 1)
    return transitions.completed(table, law, seen, beside, letters)


def _flanks(law: Overhangs | None) -> Flanks | None:
    """Weigh overhangs, where there are any."""
    if law is None:
        return None
    one_letter = law.share * (1.0 - law.extend)
    begin, end = 1.0 - law.share.sum(axis=1)
    once = 1.0 - law.again
    enter = one_letter[0, :, None] * law.behind / once
    return Flanks(float(begin / once), enter, float(end), one_letter[1], law.extend)


def _are_alike(p: Mapping[str, float], side: str) -> bool:
    return 1.0 - p[f"extend_{side}"] < ALIKE * (1.0 - p[f"extend_long_{side}"])


def _mixed(p: Mapping[str, float], share: float, short: float, long: float) -> dict[str, float]:
    """Divide gaps into kinds: a share of long ones, whose mean lengths are multiples of the mean.

    Gaps in frame are of usual length.
    """
    result: dict[str, float] = {}
    for side in "xy":
        mean = 1.0 / (1.0 - p[f"extend_{side}"])
        result |= {
            f"long_{side}": share,
            f"extend_{side}": 1.0 - 1.0 / max(short * mean, 1.1),
            f"extend_long_{side}": 1.0 - 1.0 / (long * mean + 2.0),
            f"frame_{side}": share,
            f"extend_frame_{side}": 1.0 - 1.0 / max(long * mean / 3.0, 1.5),
        }
    return result


def _kinds_of_gaps(p: Mapping[str, float]) -> list[str]:
    """List what can be compared between x and y besides opening, extending and switching."""
    present = [share for share in OPTIONAL if p[f"{share}_x"] > 0 and p[f"{share}_y"] > 0]
    return [name for share in present for name in (share, f"extend_{share}")]


def _scalars(blocks: Mapping[str, Floats]) -> dict[str, float]:
    return {name: float(blocks[name]) for name in TRANSITION_NAMES}


def _background(log_background: Floats, data: PairData) -> Floats:
    """Sum the log background of all letters of each pair, (n_pairs,)."""
    counts, possible = data.counts_x + data.counts_y, np.isfinite(log_background)
    # Letters of probability 0 may stand in some pairs alone, and 0 * -inf would be nan in others.
    total = counts[:, possible] @ log_background[possible]
    return np.where(counts[:, ~possible].any(axis=1), -np.inf, total)


def _ratio(numerator: Floats, denominator: Floats) -> Floats:
    return np.divide(numerator, denominator, out=np.zeros_like(numerator), where=denominator > 0)

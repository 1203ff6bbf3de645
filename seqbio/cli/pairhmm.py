"""The commands of the pair HMM: fit, align, simulate, test."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from io import StringIO
from typing import TYPE_CHECKING, Annotated, Any

import typer

from seqbio.cli import calibration, common
from seqbio.cli.alignment_files import (
    ALIGNMENT_FORMATS,
    WITH_CONFIDENCE,
    check_pairs,
    write_alignments,
)
from seqbio.cli.groups import GroupOptions, sizes
from seqbio.errors import ConvergenceError, SeqbioError

if TYPE_CHECKING:
    from Bio.Align import Alignment

    from seqbio.pairhmm import GroupedPairs, PairHMM
    from seqbio.sequences import Pair

    Pairs = list[Pair] | GroupedPairs
    Intervals = Mapping[str, tuple[float, float]]

app = typer.Typer()

_FREQUENCIES = ("equal", "empirical", "estimated", "model")
_SWITCH = ("off", "tied", "untied")
_END = ("tied", "untied")
_GAP_LENGTHS = {"1": 1, "2": 2, "frame": "frame"}
_ENDS = ("aligned", "free", "free_x", "free_y")
_METHODS = ("viterbi", "mea")
_INTERVALS = ("wald", "robust", "profile", "none")
_LEVEL = 0.95
# Evaluations that tasks took on real pairs, and how many times more with free ends or mixtures.
_FIT, _WALD, _ALIGN, _TEST, _MORE_STATES = 12.0, 13.0, 1.0, 70.0, 1.5


def _words() -> Mapping[str, str]:
    from seqbio.pairhmm import PairHMM
    from seqbio.pairhmm.substitution import SUBSTITUTION_MODELS

    return {
        "ties": ", ".join(PairHMM.ties()),
        "formats": common.listed(ALIGNMENT_FORMATS),
        "substitutions": ", ".join(SUBSTITUTION_MODELS),
    }


_Command = common.helped(_words)


# -- options -----------------------------------------------------------------------------------

# None stands for the default of PairHMM, so that it can be seen what was asked for.
TieOption = Annotated[
    str | None,
    typer.Option(
        "--tie",
        metavar="NAME,NAME",
        help="Ties to hold; none for no tie.  [default: open,extend]",
    ),
]
SubstitutionOption = Annotated[
    str | None,
    typer.Option(
        "--substitution",
        metavar="NAME",
        help="Model of aligned letters.  [default: hky85; lg for protein]",
    ),
]
FrequenciesOption = Annotated[
    str | None,
    typer.Option(
        "--frequencies",
        metavar="NAME|NUMBERS",
        help="Of letters: equal, empirical, estimated, model, or numbers as 0.3,0.2,0.2,0.3.  "
        "[default: as usual for the substitution model]",
    ),
]
SwitchOption = Annotated[
    str | None,
    typer.Option(
        "--switch",
        metavar="|".join(_SWITCH),
        help="Whether a gap in x may touch one in y.  [default: off]",
    ),
]
EndOption = Annotated[
    str | None,
    typer.Option(
        "--end",
        metavar="|".join(_END),
        help="One chance to end for all states, or three.  [default: tied]",
    ),
]
GapLengthsOption = Annotated[
    str | None,
    typer.Option(
        "--gap-lengths",
        metavar="|".join(_GAP_LENGTHS),
        help="One kind of gap, short and long, or codons.  [default: 1]",
    ),
]
EndsOption = Annotated[
    str | None,
    typer.Option(
        "--ends",
        metavar="HOW",
        help="aligned, or one sequence may overhang: free, free_x or free_y.  [default: aligned]",
    ),
]
StartsOption = Annotated[
    int | None,
    typer.Option(
        "--starts",
        metavar="N",
        min=1,
        help="Fit from N starts, and keep the best.  [default: 1]",
    ),
]


@dataclass(frozen=True)
class HmmOptions:
    """What a pair HMM is like, apart from its ties."""

    substitution: SubstitutionOption = None
    frequencies: FrequenciesOption = None
    switch: SwitchOption = None
    end: EndOption = None
    gap_lengths: GapLengthsOption = None
    ends: EndsOption = None
    starts: StartsOption = None

    def settings(self, tie: str | None = None) -> dict[str, Any]:
        """Check the options that were given, as settings of PairHMM."""
        from seqbio.pairhmm import PairHMM
        from seqbio.pairhmm.substitution import SUBSTITUTION_MODELS

        settings: dict[str, Any] = {}
        if tie is not None:
            settings["tie"] = common.tie_names("--tie", tie, tuple(PairHMM.ties()))
        if self.frequencies is not None:
            settings["frequencies"] = common.word_or_numbers(
                "--frequencies", self.frequencies, _FREQUENCIES
            )
        for name, value, choices in (
            ("substitution", self.substitution, SUBSTITUTION_MODELS),
            ("switch", self.switch, _SWITCH),
            ("end", self.end, _END),
            ("ends", self.ends, _ENDS),
        ):
            if value is not None:
                settings[name] = common.chosen(f"--{name}", value, choices)
        if self.gap_lengths is not None:
            name = common.chosen("--gap-lengths", self.gap_lengths, tuple(_GAP_LENGTHS))
            settings["gap_lengths"] = _GAP_LENGTHS[name]
        if self.starts is not None:
            settings["n_starts"] = self.starts
        return settings


OrientOption = Annotated[
    bool,
    typer.Option(
        "--orient",
        metavar="",
        help="Turn y round where its reverse complement fits far better.",
    ),
]
ModelFileOption = Annotated[
    str | None,
    typer.Option(
        "--model",
        metavar="FILE",
        help="Use this model, from fit --save, instead of fitting one first.",
    ),
]


# -- commands ----------------------------------------------------------------------------------


@app.callback(invoke_without_command=True)
def pairhmm(ctx: typer.Context) -> None:
    """Pair HMMs of two related sequences."""
    common.help_without_command(ctx)


@app.command(cls=_Command)
@common.grouped
def fit(
    *,
    source: common.PairsInput,
    groups: GroupOptions,
    orient: OrientOption = False,
    tie: TieOption = None,
    options: HmmOptions,
    intervals: Annotated[
        str | None,
        typer.Option(
            "--intervals",
            metavar="|".join(_INTERVALS),
            help="95 % intervals: as if all pairs were alike (wald), from how much they differ "
            "(robust), from refits, also of what is estimated as 0 (profile), or none.  [default: "
            "robust with 20 independent pairs or more, else wald]",
        ),
    ] = None,
    save: Annotated[
        str | None,
        typer.Option(
            "--save",
            metavar="FILE",
            help="Keep the model here, for --model of align and simulate.",
        ),
    ] = None,
    results: common.Reported,
    seed: common.SeedOption = 0,
) -> None:
    r"""Estimate the parameters from pairs of sequences.

    All alignments are summed over, so the sequences are not aligned beforehand. x is the first
    sequence of a pair and y the second: open_x is the chance that, after two aligned letters, a
    letter of x stands against a gap, extend_x the chance that this gap goes on.

    With groups of pairs every group has parameters of its own, such as open_x[rodents], but for
    those that a tie over groups makes one.

    Ties are {ties}; 'seqbio ties pairhmm' says what each means.

    Substitution models: {substitutions}.

    For example:

    \b
      seqbio pairhmm fit dataset:brca1 --pair Human,Mouse
      seqbio pairhmm fit dataset:brca1 --pair Human,Mouse --tie none --save model.json
      seqbio pairhmm fit primates.fa --group-file rodents.fa --tie open,extend,group.open

    Keys of --json: log_likelihood (nats), n_free_parameters, converged, message, gradient_norm,
    n_iterations, n_evaluations, optima (of each start), at_boundary, parameters (by name:
    estimate, lower, upper), interval_method, interval_level, interval_failure (why there are none),
    settings, files, n_pairs, groups (if there are any: pairs of each), seed.
    """
    from seqbio.core.tables import as_text
    from seqbio.pairhmm.summary import summed_up

    asked = intervals and common.chosen("--intervals", intervals, _INTERVALS)
    settings = options.settings(tie)
    results.check(*source.files, *groups.files, save=save)
    pairs, alphabet = groups.read(source)
    hmm = _unfitted(alphabet, settings, seed)
    if orient:
        pairs = _oriented(hmm, pairs, quiet=results.quiet)
    _announce(hmm, pairs, "fitting", _FIT + _WALD, quiet=results.quiet)
    _fit(hmm, pairs, quiet=results.quiet)
    method = asked or hmm.interval_method_
    with common.progress("computing intervals", quiet=results.quiet) as on_done:
        bounds, failure = _intervals(hmm, method, on_done)
    sentence, tables = summed_up(hmm, bounds, method, failure)
    with common.each_written() as attempt:
        if save is not None:
            attempt(hmm.save, save)
        origin = _origin(source, pairs, groups, seed)
        attempt(results.write_report, hmm, origin, tables=tables)
        if results.json:
            content = _input(source, pairs, groups) | _estimates(hmm, bounds, method, failure)
            attempt(results.write_json, "pairhmm fit", content | {"seed": seed})
        else:
            attempt(results.write_text, as_text(sentence, tables))


@app.command(cls=_Command)
@common.grouped
def align(
    *,
    source: common.PairsInput,
    orient: OrientOption = False,
    model: ModelFileOption = None,
    tie: TieOption = None,
    options: HmmOptions,
    method: Annotated[
        str | None,
        typer.Option(
            "--method",
            metavar="|".join(_METHODS),
            help="The alignment of the most probable path, or that of maximum expected accuracy.  "
            "[default: viterbi]",
        ),
    ] = None,
    gap_factor: Annotated[
        float | None,
        typer.Option(
            "--gap-factor",
            metavar="NUMBER",
            min=0.0,
            help="With mea, what a letter rightly left against a gap counts; 0 aligns more "
            "letters.  [default: 1]",
        ),
    ] = None,
    samples: Annotated[
        int | None,
        typer.Option(
            "--samples",
            metavar="N",
            min=1,
            help="Instead of the best, N alignments of each pair drawn from their posterior.",
        ),
    ] = None,
    file_format: Annotated[
        str | None,
        typer.Option(
            "--format",
            metavar="NAME",
            help="Of the alignments, one of those above.  [default: clustal]",
        ),
    ] = None,
    results: common.Results,
    seed: common.SeedOption = 0,
) -> None:
    r"""Write the best alignment of each pair, or a sample of alignments.

    The parameters are those of --model, or else they are first estimated from the pairs.

    The confidence of a column is the probability, over all alignments, that its two letters are
    aligned, or that its one letter stands against a gap. The expected accuracy of an alignment is
    the mean over the letters of both sequences; --method mea makes it as large as it can be.

    Formats:

    {formats}

    With several pairs the alignments follow one another; a2m and nexus hold one. In fasta, records
    1 and 2 are the first alignment, 3 and 4 the second: other commands read it with --strip-gaps.

    Ties are {ties}; 'seqbio ties pairhmm' says what each means.

    Substitution models: {substitutions}.

    For example:

    \b
      seqbio pairhmm align dataset:brca1 --pair Human,Mouse
      seqbio pairhmm align dataset:brca1 --pair Human,Mouse --method mea --format stockholm
      seqbio pairhmm align pairs.fa.gz --model model.json --format sam --output pairs.sam

    Keys of --json: alignments (x and y, each with id and aligned; score, the log-probability of
    the pair with the path in nats, or with mea the expected number of letters said right;
    expected_accuracy; confidence, of every column), method, gap_factor, samples, parameters,
    settings, files, n_pairs, seed.
    """
    settings = options.settings(tie)
    if model is not None and settings:
        given = ", ".join("--starts" if name == "n_starts" else f"--{name}" for name in settings)
        raise common.wrong_usage("--model", f"it brings its own settings; leave out {given}")
    if results.json and file_format is not None:
        raise common.wrong_usage("--format", "JSON is a format of its own; leave out --json")
    file_format = common.chosen("--format", file_format or "clustal", tuple(ALIGNMENT_FORMATS))
    if samples is not None and method is not None:
        raise common.wrong_usage("--samples", "drawn alignments are not the best; omit --method")
    method = common.chosen("--method", method or "viterbi", _METHODS)
    if gap_factor is not None and method != "mea":
        raise common.wrong_usage("--gap-factor", "it is an option of --method mea")
    results.check(*source.files, model)
    known = None if model is None else _loaded(model)
    if known is not None:
        source = replace(source, alphabet=_same_alphabet(source.alphabet, known))
    pairs, alphabet = source.read()
    if not results.json:
        check_pairs(pairs, file_format, samples or 1)
    hmm = known or _unfitted(alphabet, settings, seed)
    if orient:
        pairs = _oriented(hmm, pairs, quiet=results.quiet)
    _announce(hmm, pairs, "aligning", _ALIGN + _FIT * (known is None), quiet=results.quiet)
    if known is None:
        _fit(hmm, pairs, quiet=results.quiet)
    with common.progress(f"aligning {len(pairs)} pairs", quiet=results.quiet):
        if samples is not None:
            alignments = _sampled(hmm, pairs, samples, seed)
        elif method == "mea":
            gap_factor = 1.0 if gap_factor is None else gap_factor
            alignments = hmm.align(pairs, method="mea", gap_factor=gap_factor)
        else:
            alignments = hmm.align(pairs)
        if method != "mea" and (results.json or file_format in WITH_CONFIDENCE):
            hmm.assess(alignments)
    if method == "mea" or results.json or file_format in WITH_CONFIDENCE:
        common.note(_accuracies(alignments), quiet=results.quiet)
    if not results.json:
        text = StringIO()
        write_alignments(alignments, text, file_format, alphabet)
        results.write_text(text.getvalue())
        return
    content = _input(source, pairs) | {
        "settings": _settings_of(hmm),
        "parameters": hmm.parameters_,
        "method": "sample" if samples is not None else method,
        "gap_factor": gap_factor,
        "samples": samples,
        "alignments": [_alignment_content(alignment) for alignment in alignments],
        "seed": seed,
    }
    results.write_json("pairhmm align", content)


def _sampled(hmm: PairHMM, pairs: Sequence[Pair], n: int, seed: int) -> list[Alignment]:
    from seqbio.core import spawn_generators

    generators = spawn_generators(seed, len(pairs))
    return [
        alignment
        for pair, generator in zip(pairs, generators, strict=True)
        for alignment in hmm.sample_alignments(*pair, n, seed=generator)
    ]


def _accuracies(alignments: Sequence[Any]) -> str:
    """Sum up how far alignments can be trusted."""
    values = [alignment.expected_accuracy for alignment in alignments]
    if len(values) == 1:
        return f"expected accuracy {values[0]:.4f}"
    x, y = (record.id for record in min(alignments, key=lambda a: a.expected_accuracy).sequences)
    mean = sum(values) / len(values)
    return f"expected accuracy {mean:.4f} on average, lowest {min(values):.4f} ({x}, {y})"


def _alignment_content(alignment: Any) -> dict[str, Any]:
    return {
        "x": {"id": alignment.target.id, "aligned": alignment[0]},
        "y": {"id": alignment.query.id, "aligned": alignment[1]},
        "score": alignment.score,
        "expected_accuracy": alignment.expected_accuracy,
        "confidence": alignment.confidence.tolist(),
    }


@app.command(cls=_Command)
@common.grouped
def simulate(
    *,
    model: Annotated[
        str | None,
        typer.Option(
            "--model",
            metavar="FILE",
            help="A model from fit --save.",
        ),
    ] = None,
    values: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="NAME=NUMBER",
            help="A parameter, if there is no --model; repeat it for all.",
        ),
    ] = None,
    alphabet: Annotated[
        str | None,
        typer.Option(
            "--alphabet",
            metavar="|".join(common.ALPHABETS),
            help="What the sequences are made of, with --set.  [default: dna]",
        ),
    ] = None,
    substitution: SubstitutionOption = None,
    n_pairs: Annotated[
        int,
        typer.Option(
            "--pairs",
            metavar="N",
            min=1,
            help="How many pairs.",
        ),
    ] = 1,
    columns: Annotated[
        int | None,
        typer.Option(
            "--columns",
            metavar="N",
            min=1,
            help="Columns of every alignment.  [default: random, by the parameter end]",
        ),
    ] = None,
    results: common.Results,
    seed: common.NewSeedOption = None,
) -> None:
    r"""Draw pairs of sequences from a model.

    They are written as FASTA, x and y of each pair one after the other, which the other commands
    read as it is. The parameters are those of a model from fit --save, or all given by --set:
    open_x, open_y, extend_x, extend_y, end (or end_m, end_x, end_y), switch_x and switch_y if
    not 0, long_x and extend_long_x ... or frame_x and extend_frame_x ... if not all gaps are of one
    kind, overhang_begin_x and extend_overhang_begin_x, overhang_end_x ... if ends are free,
    distance (substitutions per site, except with blosum62), for nucleotides kappa or kappa_AG and
    kappa_CT or rate_AC ... rate_CT (1 if left out), and frequency_A ... (the model's usual ones if
    left out).

    Substitution models: {substitutions}.

    For example:

    \b
      seqbio pairhmm fit dataset:brca1 --pair Human,Mouse --save model.json
      seqbio pairhmm simulate --model model.json --pairs 5 --columns 300 --seed 1
      seqbio pairhmm simulate --set open_x=0.02 --set open_y=0.02 --set extend_x=0.4 \
        --set extend_y=0.4 --set end=0.002 --set distance=0.2 --set kappa=2 --seed 1

    Keys of --json: pairs (x and y, each with id and sequence), parameters, settings, n_pairs, seed.
    """
    results.check(model)
    if (model is None) == (not values):
        raise common.wrong_usage(
            "--model", "give a model, or else all parameters by --set, and not both"
        )
    if model is None:
        hmm = _with_parameters(values or [], alphabet, substitution)
    elif alphabet is not None or substitution is not None:
        raise common.wrong_usage(
            "--model", "it brings its own settings; leave out --alphabet and --substitution"
        )
    else:
        hmm = _loaded(model)
    drawing = common.progress(f"drawing {n_pairs} pairs", quiet=results.quiet)
    with common.seeded(seed, quiet=results.quiet) as seed, drawing:
        pairs = hmm.simulate(n_pairs, columns=columns, seed=seed)
    if not results.json:
        from seqbio.sequences import write_fasta

        write_fasta((record for pair in pairs for record in pair), results.output)
        return
    content = {
        "settings": _settings_of(hmm, "tie", "frequencies", "n_starts"),
        "parameters": hmm.parameters_,
        "n_pairs": n_pairs,
        "pairs": [
            {
                name: {"id": record.id, "sequence": str(record.seq)}
                for name, record in zip("xy", pair, strict=True)
            }
            for pair in pairs
        ],
        "seed": seed,
    }
    results.write_json("pairhmm simulate", content)


@app.command("test", cls=_Command)
@common.grouped
def compare_ties(
    *,
    source: common.PairsInput,
    groups: GroupOptions,
    orient: OrientOption = False,
    null: calibration.NullOption = "open,extend",
    alternative: calibration.AlternativeOption = "none",
    options: HmmOptions,
    reference: Annotated[
        str | None,
        typer.Option(
            "--reference",
            metavar="x|y",
            help="The side of the ancestors or references; pairs that share one are independent.",
        ),
    ] = None,
    judgement: calibration.Calibration,
    results: common.Reported,
    seed: common.SeedOption = 0,
) -> None:
    r"""Test whether gaps arise alike in both sequences, or in several groups of pairs.

    Both hypotheses are fitted, and the ratio of their likelihoods is judged by a law that is valid
    for these data, or by none, with the reasons. The exit status is 0 whatever the p-value.

    With groups of pairs every group has parameters of its own, but for those that a tie over groups
    makes one: so open,extend,group.open against open,extend tests whether gaps open as often in
    every group, however far apart the sequences of a pair are.

    Pairs that share a sequence are not independent: what happened to it counts in each of them.
    If it is their ancestor or reference, as a genome is that of its reads, --reference says so.

    Ties are {ties}; 'seqbio ties pairhmm' says what each means.

    Substitution models: {substitutions}.

    For example:

    \b
      seqbio pairhmm test dataset:brca1 --pair Human,Mouse
      seqbio pairhmm test pairs.fa --calibration bootstrap --replicates 999 --workers 4
      seqbio pairhmm test primates.fa --group-file rodents.fa --null open,extend,group.open \
        --alternative open,extend
      seqbio pairhmm test pairs.fa --groups labels.tsv

    Keys of --json: statistic, df, pvalue, log_pvalue, calibration, null_law, converged,
    conclusion, level, null and alternative (log_likelihood, estimates ... of each fit), effects,
    interval_level, evidence, warnings, data_fingerprint, settings, files, n_pairs, groups
    (if there are any: pairs of each), seed.
    """
    from seqbio.core.tables import Table
    from seqbio.pairhmm import PairHMM

    known = tuple(PairHMM.ties())
    ties = calibration.hypotheses(null, alternative, known)
    calibration.check_nested(*ties, [name for name in known if name != "group"])
    judgement.check()
    settings = options.settings()
    if reference is not None:
        settings["reference"] = common.chosen("--reference", reference, ("x", "y"))
    results.check(*source.files, *groups.files)
    pairs, alphabet = groups.read(source)
    null_hmm, alternative_hmm = (
        PairHMM(alphabet=alphabet, tie=names, **settings) for names in ties
    )
    if orient:
        pairs = _oriented(null_hmm, pairs, quiet=results.quiet)
    _announce(null_hmm, pairs, "testing", _TEST, quiet=results.quiet)
    result = judgement.compare(
        null_hmm,
        alternative_hmm,
        pairs,
        f"testing {len(pairs)} pairs",
        seed=seed,
        quiet=results.quiet,
        n_starts=null_hmm.n_starts,
    )
    with common.each_written() as attempt:
        statements = calibration.statements(*ties, PairHMM.ties())
        origin = _origin(source, pairs, groups, seed)
        attempt(results.write_report, result, origin, **statements)
        if results.json:
            content = result.to_dict() | _input(source, pairs, groups)
            content |= {"settings": _settings_of(null_hmm, "tie"), "seed": seed}
            attempt(results.write_json, "pairhmm test", content)
        else:
            attempt(results.write_test, result, Table("Sequences", (), _sides(pairs)))


def _sides(pairs: Pairs) -> list[tuple[str, str]]:
    """Say which sequences are x and y, and which gaps the parameters of x are about."""
    records = _records(pairs)
    if len(records) == 1:
        which = [("x", str(records[0][0].id)), ("y", str(records[0][1].id))]
    else:
        which = [("x and y", f"first and second sequence of each of the {len(pairs)} pairs")]
        which += [(f"group {name}", f"{n} pairs") for name, n in sizes(pairs).items()]
    return [
        *which,
        (
            "open_x, extend_x",
            "letters of x against a gap in y (deletions, where x is the ancestor or the reference)",
        ),
        ("open_y, extend_y", "letters of y against a gap in x (insertions)"),
    ]


# -- models ------------------------------------------------------------------------------------


def _oriented(hmm: PairHMM, pairs: Any, *, quiet: bool) -> Any:
    """Turn y round where its reverse complement fits far better, and say where."""
    from seqbio.sequences.records import listed

    with common.progress(f"looking at both strands of {len(pairs)} pairs", quiet=quiet):
        oriented = hmm.orient(pairs)
    turned = [
        str(after.id)
        for (_, before), (_, after) in zip(_records(pairs), _records(oriented), strict=True)
        if after is not before
    ]
    if turned:
        common.note(f"turned round, with _rc behind the id: {listed(turned)}", quiet=quiet)
    return oriented


def _records(pairs: Pairs) -> list[Pair]:
    return pairs if isinstance(pairs, list) else list(pairs.pairs)


def _unfitted(alphabet: str, settings: dict[str, Any], seed: int) -> PairHMM:
    from seqbio.pairhmm import PairHMM

    return PairHMM(alphabet=alphabet, seed=seed, **settings)


def _announce(hmm: PairHMM, pairs: Pairs, what: str, evaluations: float, *, quiet: bool) -> None:
    """Say how long it takes to evaluate the likelihood and its gradient so often."""
    from seqbio.pairhmm.cost import cost_of

    data: Any = hmm.hypothesis(pairs)[1]
    cost = cost_of(hmm.model, getattr(data, "whole", data))
    if hmm.ends != "aligned" or hmm.gap_lengths != 1:
        evaluations *= _MORE_STATES
    common.announce(
        f"{what} {len(pairs)} pairs, with {cost.cells:.2g} cells of letters by letters,",
        evaluations * hmm.n_starts * cost.seconds,
        "fewer pairs take less, and so does the part of a long sequence that the other is from",
        quiet=quiet,
    )


def _fit(hmm: PairHMM, pairs: Pairs, *, quiet: bool) -> None:
    with common.progress(f"fitting {len(pairs)} pairs", quiet=quiet):
        hmm.fit(pairs)
    if not hmm.converged_:
        common.warn(f"the fit did not converge: {hmm.fit_.message}; try --starts 5")


def _loaded(file: str) -> PairHMM:
    from seqbio.pairhmm import PairHMM

    hmm = PairHMM.load(common.file_of(file))
    if hmm.groups_:
        first = hmm.groups_[0]
        raise SeqbioError(
            f"{file} has parameters for the groups {', '.join(hmm.groups_)}, and this takes those "
            f"of one: in Python, PairHMM.load({file!r}).of_group({first!r}).save(...) writes them"
        )
    return hmm


def _same_alphabet(alphabet: str | None, hmm: PairHMM) -> str:
    known = hmm.alphabet
    if alphabet is not None and common.chosen("--alphabet", alphabet, common.ALPHABETS) != known:
        raise common.wrong_usage(
            "--alphabet", f"the model is one of {known} and not of {alphabet}; leave it out"
        )
    return known


def _with_parameters(values: list[str], alphabet: str | None, substitution: str | None) -> PairHMM:
    from seqbio.pairhmm import PairHMM

    parameters = common.assignments("--set", values)
    settings = HmmOptions(substitution=substitution).settings()
    if alphabet is not None:
        settings["alphabet"] = common.chosen("--alphabet", alphabet, common.ALPHABETS)
    if any(name.startswith("switch_") for name in parameters):
        settings["switch"] = "untied"
    for share, gap_lengths in (("long_", 2), ("frame_", "frame")):
        if any(name.startswith(share) for name in parameters):
            settings["gap_lengths"] = gap_lengths
    if any(name.startswith("overhang_") for name in parameters):
        settings["ends"] = "free"
    return PairHMM(**settings).set_parameters(parameters)


def _settings_of(hmm: PairHMM, *left_out: str) -> dict[str, Any]:
    return {
        name: value for name, value in hmm.get_params().items() if name not in ("seed", *left_out)
    }


# -- reports -----------------------------------------------------------------------------------


def _intervals(hmm: PairHMM, method: Any, on_done: common.Update) -> tuple[Intervals, str | None]:
    """Compute intervals if they are asked for, or say why there are none."""
    if method == "none":
        return {}, None
    try:
        return hmm.confidence_intervals(level=_LEVEL, method=method, on_done=on_done), None
    except ConvergenceError as error:
        common.warn(f"there are no intervals: {error}")
        return {}, str(error)


def _origin(
    source: common.PairsInput, pairs: Pairs, groups: GroupOptions, seed: int
) -> dict[str, object]:
    return {
        "files": ", ".join([*source.files, *groups.files]),
        "pairs": len(pairs),
        "x and y": "; ".join(f"{name}: {meaning}" for name, meaning in _sides(pairs)),
        "seed": seed,
    }


def _input(
    source: common.PairsInput, pairs: Pairs, groups: GroupOptions | None = None
) -> dict[str, Any]:
    files = [*source.files, *([] if groups is None else groups.files)]
    by_group = {"groups": sizes(pairs)} if sizes(pairs) else {}
    return {"files": files, "n_pairs": len(pairs), **by_group}


def _estimates(hmm: PairHMM, bounds: Intervals, method: str, failure: str | None) -> dict[str, Any]:
    fitted = hmm.fit_
    without = method == "none" or failure is not None
    nothing = (None, None)
    return {
        "settings": _settings_of(hmm),
        "log_likelihood": fitted.log_likelihood,
        "n_free_parameters": fitted.n_free,
        "converged": fitted.converged,
        "message": fitted.message,
        "gradient_norm": fitted.gradient_norm,
        "n_iterations": fitted.n_iterations,
        "n_evaluations": fitted.n_evaluations,
        "optima": fitted.optima,
        "at_boundary": fitted.at_boundary,
        "parameters": {
            name: dict(
                zip(
                    ("estimate", "lower", "upper"),
                    (value, *bounds.get(name, nothing)),
                    strict=True,
                )
            )
            for name, value in hmm.parameters_.items()
        },
        "interval_method": None if without else method,
        "interval_level": None if without else _LEVEL,
        "interval_failure": failure,
    }

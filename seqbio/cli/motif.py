"""The commands of the motif detector: train, predict, scan, shuffle, test."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from functools import partial
from pathlib import PurePath
from typing import TYPE_CHECKING, Annotated, Any

import typer

from seqbio.cli import calibration, common
from seqbio.errors import ParameterError

if TYPE_CHECKING:
    from Bio.motifs import Motif
    from Bio.SeqRecord import SeqRecord

    from seqbio.motif import Match, MotifDetector

app = typer.Typer()

_POOLINGS = ("max", "logsumexp", "sum", "none")
_STRANDS = ("both", "one")
_MOTIF_FORMATS = ("meme", "jaspar")
_HIT_FORMATS = ("tsv", "bed", "gff3")
_LOGO_ENDINGS = (".png", ".pdf", ".svg")


def _words() -> Mapping[str, str]:
    from seqbio.motif import MotifDetector

    return {"ties": ", ".join(MotifDetector.ties())}


def _loaded(file: str) -> MotifDetector:
    from seqbio.motif import MotifDetector

    return MotifDetector.load(file)


_Command = common.helped(_words)


# -- options -----------------------------------------------------------------------------------

SequenceFiles = Annotated[
    list[str],
    typer.Argument(
        metavar="FASTA...",
        help="One file of positives, or one for each class, the first being the reference; "
        "FASTA (gzip or not), - for standard input, or dataset:NAME.",
    ),
]
SequenceFile = Annotated[
    str,
    typer.Argument(
        metavar="FASTA", help="FASTA (gzip or not), - for standard input, or dataset:NAME."
    ),
]
NegativesOption = Annotated[
    str | None,
    typer.Option(
        "--negatives",
        metavar="FASTA",
        help="Sequences without the motif.  [default: dinucleotide shuffles of the positives]",
    ),
]
MotifsOption = Annotated[
    int | None,
    typer.Option("--motifs", metavar="N", min=1, help="How many motifs to learn."),
]
PoolingOption = Annotated[
    str,
    typer.Option(
        "--pooling",
        metavar="|".join(_POOLINGS),
        help="How the scores of all windows become one number.",
    ),
]
TestPoolingOption = Annotated[
    str | None,
    typer.Option(
        "--pooling",
        metavar="|".join(_POOLINGS),
        help="How the scores of all windows become one number.  [default: sum; logsumexp where "
        "shuffles are the negatives and both hypotheses tie position]",
    ),
]
StrandsOption = Annotated[
    str | None,
    typer.Option(
        "--strands",
        metavar="|".join(_STRANDS),
        help="Whether motifs may stand on the other strand.  [default: both for dna]",
    ),
]
StartsOption = Annotated[
    int,
    typer.Option("--starts", metavar="N", min=1, help="Fit from N starts and keep the best."),
]


# -- commands ----------------------------------------------------------------------------------


@app.callback(invoke_without_command=True)
def motif(ctx: typer.Context) -> None:
    """Motif detectors: one filter everywhere, or one for each place."""
    common.help_without_command(ctx)


@app.command(cls=_Command)
@common.grouped
def train(
    *,
    files: SequenceFiles,
    negatives: NegativesOption = None,
    motifs: MotifsOption = None,
    width: Annotated[
        int, typer.Option("--width", metavar="N", min=1, help="Columns of a motif.")
    ] = 12,
    pooling: PoolingOption = "max",
    tie: Annotated[
        str | None,
        typer.Option(
            "--tie",
            metavar="NAME,NAME",
            help="Ties to hold, of those above; none for no tie.  "
            "[default: position,strand; position where there is one strand]",
        ),
    ] = None,
    strands: StrandsOption = None,
    alphabet: common.AlphabetOption = None,
    strip_gaps: common.StripGapsOption = False,
    epochs: Annotated[
        int, typer.Option("--epochs", metavar="N", min=1, help="Most passes over the data.")
    ] = 100,
    validation: Annotated[
        float,
        typer.Option(
            "--validation",
            metavar="SHARE",
            min=0,
            max=0.9,
            help="Share of the sequences kept apart, to see when to stop.",
        ),
    ] = 0.15,
    starts: StartsOption = 1,
    workers: Annotated[
        int,
        typer.Option("--workers", metavar="N", min=1, help="Processes to share starts between."),
    ] = 1,
    known: Annotated[
        str | None,
        typer.Option("--known", metavar="FILE", help="Motifs to name ours by, as for scan."),
    ] = None,
    save: Annotated[
        str | None, typer.Option("--save", metavar="FILE", help="Keep the detector here, as JSON.")
    ] = None,
    write: Annotated[
        str | None,
        typer.Option("--write-motifs", metavar="FILE", help="Write the motifs here, for scan."),
    ] = None,
    file_format: Annotated[
        str, typer.Option("--format", metavar="|".join(_MOTIF_FORMATS), help="Of the motifs.")
    ] = "meme",
    logo: Annotated[
        str | None,
        typer.Option("--logo", metavar="FILE", help="Draw the motifs here (.png, .pdf, .svg)."),
    ] = None,
    results: common.Reported,
    seed: common.SeedOption = 0,
) -> None:
    r"""Learn motifs that tell classes of sequences apart.

    Ties are {ties}; 'seqbio ties motif' says what each means.

    For example:

    \b
      seqbio motif train peaks.fa --width 19 --motifs 4 --write-motifs found.meme
      seqbio motif train dataset:ctcf --width 19 --known dataset:motifs_meme --logo ctcf.png

    Keys of --json: classes, n_sequences, log_likelihood (nats), n_free_parameters, converged,
    history (of each epoch), motifs (name, consensus, bits, sites, readout, matches), settings,
    files, seed.
    """
    from seqbio.core.tables import as_text
    from seqbio.motif import MotifDetector, read_motifs, write_motifs
    from seqbio.motif.comparison import check_alphabets
    from seqbio.motif.logo import draw_logos
    from seqbio.motif.summary import NO_MOTIFS, motifs_of, summed_up
    from seqbio.sequences import get_alphabet

    file_format = common.chosen("--format", file_format, _MOTIF_FORMATS)
    # Standard output and pipes have no ending, and get PNG.
    if logo is not None and PurePath(logo).suffix.lower() not in ("", *_LOGO_ENDINGS):
        raise common.wrong_usage("--logo", f"{logo!r} does not end in {', '.join(_LOGO_ENDINGS)}")
    results.check(*files, negatives, known, save=save, write_motifs=write, logo=logo)
    records, labels, alphabet = _labelled(files, negatives, alphabet, strip_gaps)
    settings = _settings(tie, pooling, strands, alphabet)
    for option, asked in (("--write-motifs", write), ("--logo", logo)):
        if asked is not None and "position" not in settings["tie"]:
            raise common.wrong_usage(option, f"{NO_MOTIFS.lower()}; leave it out, or tie position")
    known_motifs = [] if known is None else read_motifs(common.file_of(known))
    check_alphabets(known_motifs, get_alphabet(alphabet))
    n_classes = 2 if labels is None else len(set(labels))
    detector = MotifDetector(
        n_motifs=motifs or (n_classes - 1 if settings["pooling"] == "sum" else 8),
        width=width,
        alphabet=alphabet,
        n_epochs=epochs,
        validation_fraction=validation,
        n_starts=starts,
        workers=workers,
        seed=seed,
        **settings,
    )
    with common.progress(f"training on {len(records)} sequences", quiet=results.quiet) as update:
        detector.fit(records, labels, on_batch=common.epochs(update, epochs, "nats per sequence"))
    found = motifs_of(detector)
    with common.progress("comparing with known motifs", quiet=results.quiet):
        matches = _matches(found, known_motifs)
    names = [_class_name(files, negatives, index) for index in range(len(detector.classes_))]
    sentence, tables = summed_up(detector, names, matches)
    with common.each_written() as attempt:
        if save is not None:
            attempt(detector.save, save)
        if write is not None:
            attempt(write_motifs, found, write, file_format, background=detector.background_)
        if logo is not None:
            attempt(draw_logos, found, logo)
        origin = {"classes": ", ".join(names), "sequences": len(records), "seed": seed}
        whole = [*tables, detector.settings_table()]
        attempt(results.write_report, detector, origin, tables=whole)
        if results.json:
            content = _trained(detector, matches) | {
                "classes": names,
                "n_sequences": len(records),
                "files": [*files, *([negatives] if negatives else [])],
                "seed": seed,
            }
            attempt(results.write_json, "motif train", content)
        else:
            attempt(results.write_text, as_text(sentence, tables))


@app.command(cls=_Command)
@common.grouped
def predict(
    *,
    file: SequenceFile,
    model: Annotated[
        str, typer.Option("--model", metavar="FILE", help="A detector from train --save.")
    ],
    strip_gaps: common.StripGapsOption = False,
    results: common.Results,
    seed: common.NoSeedOption = None,
) -> None:
    r"""Predict the class of sequences by a detector that was trained before.

    Classes are counted from 0 in the order of the files that the detector learned from; the
    negatives are 0.

    For example:

    \b
      seqbio motif train peaks.fa --width 19 --save detector.json
      seqbio motif predict others.fa --model detector.json > classes.tsv

    Columns: id, length, predicted, and the probability of each class, P(0), P(1) ...

    Keys of --json: records (id, length, predicted, probabilities by class), file, model.
    """
    del seed
    results.check(file, model)
    detector = _loaded(common.file_of(model))
    records, _ = common.read_records(file, alphabet=detector.alphabet, strip_gaps=strip_gaps)
    with common.progress(f"predicting {len(records)} records", quiet=results.quiet):
        probabilities = detector.predict_proba(records)
    classes = [str(name) for name in detector.classes_]
    rows: list[dict[str, Any]] = [
        {
            "id": str(record.id),
            "length": len(record),
            "predicted": classes[int(row.argmax())],
            "probabilities": dict(zip(classes, row.tolist(), strict=True)),
        }
        for record, row in zip(records, probabilities, strict=True)
    ]
    if results.json:
        results.write_json("motif predict", {"file": file, "model": model, "records": rows})
        return
    results.write_text(common.as_table(rows))


@app.command(cls=_Command)
@common.grouped
def scan(
    *,
    motif_file: Annotated[
        str,
        typer.Argument(
            metavar="MOTIFS",
            help="Motifs: MEME (minimal, or the text of MEME, STREME or DREME), JASPAR, TRANSFAC, "
            "or dataset:NAME; not with --model.",
        ),
    ],
    file: Annotated[
        str | None,
        typer.Argument(
            metavar="FASTA", help="FASTA (gzip or not), - for standard input, or dataset:NAME."
        ),
    ] = None,
    model: Annotated[
        str | None,
        typer.Option("--model", metavar="FILE", help="Take the motifs of a detector from train."),
    ] = None,
    threshold: Annotated[
        float,
        typer.Option("--threshold", metavar="P", help="Highest p-value of a hit."),
    ] = 1e-4,
    strands: StrandsOption = None,
    background: Annotated[
        str,
        typer.Option(
            "--background",
            metavar="equal|sequences|NUMBERS",
            help="Letters outside motifs: equally frequent, as in the sequences (which are then "
            "read twice), or numbers of A, C, G and T (U) as 0.3,0.2,0.2,0.3.",
        ),
    ] = "equal",
    pseudocount: Annotated[
        float,
        typer.Option("--pseudocount", metavar="X", help="Added to every column of counts."),
    ] = 1.0,
    skip_soft_masked: Annotated[
        bool,
        typer.Option(
            "--skip-soft-masked", metavar="", help="Leave out windows with lower-case letters."
        ),
    ] = False,
    file_format: Annotated[
        str,
        typer.Option("--format", metavar="|".join(_HIT_FORMATS), help="Of the hits."),
    ] = "tsv",
    results: common.Results,
    seed: common.NoSeedOption = None,
) -> None:
    r"""Find where motifs stand, with exact p-values, in sequences of any size.

    The columns of tsv are those of FIMO, with the q-value over all motifs in one more. Windows
    with a letter other than the alphabet's own (such as N) are not scored.

    For example:

    \b
      seqbio motif scan found.meme genome.fa.gz --threshold 1e-5 --output hits.tsv
      seqbio motif scan found.meme genome.fa.gz --format bed --background sequences
      seqbio motif scan --model detector.json genome.fa.gz

    Keys of --json: hits (motif, sequence, start, stop from 0, strand, score, pvalue, qvalue,
    qvalue_all, matched, motif_alt), n_windows (by motif), background, threshold, files.
    """
    from seqbio.motif import letter_frequencies, read_motifs, write_hits
    from seqbio.motif import scan as find
    from seqbio.motif.scanning import common_alphabet

    del seed
    if results.json and file_format != "tsv":
        raise common.wrong_usage("--format", "JSON is a format of its own; leave out --json")
    file_format = common.chosen("--format", file_format, _HIT_FORMATS)
    shares: Any = common.word_or_numbers("--background", background, ("equal", "sequences"))
    if strands is not None:
        strands = common.chosen("--strands", strands, _STRANDS)
    if model is not None:
        if file is not None:
            raise common.wrong_usage(
                "--model", f"it has motifs; leave out {motif_file}, or --model"
            )
        motif_file, file = model, motif_file
    elif file is None:
        raise ParameterError("give a file of motifs, or --model, and a file of sequences")
    results.check(motif_file, file)
    of_motifs, source = common.file_of(motif_file), common.file_of(file)
    if shares == "sequences":
        common.file_of(file)  # which refuses a stream: it cannot be read once more
    motifs = read_motifs(of_motifs) if model is None else _loaded(of_motifs).motifs_
    if shares == "equal":
        shares = None
    elif shares == "sequences":
        with common.progress("counting letters", quiet=results.quiet):
            shares = letter_frequencies(source, common_alphabet(motifs)).tolist()
    with common.progress(f"scanning for {len(motifs)} motifs", quiet=results.quiet):
        hits = find(
            motifs,
            source,
            threshold,
            strands=strands,  # type: ignore[arg-type]
            background=shares,
            pseudocount=pseudocount,
            soft_masked="skip" if skip_soft_masked else "use",
        )
    if not results.json:
        write_hits(hits, results.output, file_format)  # type: ignore[arg-type]
        return
    content = {
        "hits": [asdict(hit) for hit in hits],
        "n_windows": dict(zip(hits.motifs, hits.n_windows.tolist(), strict=True)),
        "background": shares or [1 / 4] * 4,
        "threshold": threshold,
        "files": [motif_file, file],
    }
    results.write_json("motif scan", content)


@app.command(cls=_Command)
@common.grouped
def shuffle(
    *,
    file: SequenceFile,
    copies: Annotated[
        int, typer.Option("--copies", metavar="N", min=1, help="Shuffles of each sequence.")
    ] = 1,
    alphabet: common.AlphabetOption = None,
    strip_gaps: common.StripGapsOption = False,
    results: common.Results,
    seed: common.NewSeedOption = None,
) -> None:
    r"""Shuffle sequences, keeping their counts of neighbouring letters.

    Every arrangement of a sequence with the same dinucleotides and the same first letter is as
    likely as any other.

    For example:

    \b
      seqbio motif shuffle peaks.fa --copies 2 --seed 1 --output negatives.fa

    Keys of --json: sequences (id and sequence), copies, files, seed.
    """
    from seqbio.sequences import shuffle_dinucleotides, write_fasta

    results.check(file)
    records, _ = common.read_records(file, alphabet=alphabet, strip_gaps=strip_gaps)
    with common.seeded(seed, quiet=results.quiet) as seed:
        shuffled = shuffle_dinucleotides(records, copies=copies, seed=seed)
    if not results.json:
        write_fasta(shuffled, results.output)
        return
    sequences = [{"id": str(each.id), "sequence": str(each.seq)} for each in shuffled]
    content = {"sequences": sequences, "copies": copies, "files": [file], "seed": seed}
    results.write_json("motif shuffle", content)


@app.command("test", cls=_Command)
@common.grouped
def compare_ties(
    *,
    files: SequenceFiles,
    negatives: NegativesOption = None,
    null: calibration.NullOption = "position,strand",
    alternative: calibration.AlternativeOption = "position",
    motifs: MotifsOption = None,
    width: Annotated[
        int, typer.Option("--width", metavar="N", min=1, help="Columns of a motif.")
    ] = 6,
    pooling: TestPoolingOption = None,
    strands: StrandsOption = None,
    judgement: calibration.Calibration,
    alphabet: common.AlphabetOption = None,
    strip_gaps: common.StripGapsOption = False,
    starts: StartsOption = 1,
    results: common.Reported,
    seed: common.SeedOption = 0,
) -> None:
    r"""Test whether a motif works wherever it stands, or on either strand.

    With logsumexp (one occurrence, wherever) or max pooling a detector learns the motif, and the
    sequences are asked where it stands: for the strand each is as likely turned round, for the
    position as likely at each place where a site fits. Both tests hold for any number of sequences,
    whatever was learned; with --starts 3 or more, the motif is found more surely. With sum pooling
    the detector is a generalised linear model of the composition, and the ratio of the likelihoods
    has a known law where there are many sequences. Windows that were cut around a feature, such as
    the summit of a peak, are not free of position: jitter or crop them first.

    Ties are {ties}; 'seqbio ties motif' says what each means.

    For example:

    \b
      seqbio motif test sites.fa --negatives others.fa --null position --alternative none
      seqbio motif test rna.fa --alphabet rna --width 8 --null position,strand

    Keys of --json: statistic, df, pvalue, log_pvalue, calibration, null_law, converged,
    conclusion, level, null and alternative, effects, warnings, data_fingerprint, settings, files,
    n_sequences, seed.
    """
    from seqbio.core.tables import Table
    from seqbio.motif import MotifDetector

    known = tuple(MotifDetector.ties())
    tested, kept = calibration.hypotheses(null, alternative, known)
    calibration.check_nested(tested, kept, known)
    judgement.check()
    results.check(*files, negatives)
    records, labels, alphabet = _labelled(files, negatives, alphabet, strip_gaps)
    shuffled_and_tied = labels is None and "position" in kept
    if pooling is None:
        pooling = "logsumexp" if shuffled_and_tied else "sum"
    settings = _settings(None, pooling, strands, alphabet)
    if shuffled_and_tied and settings["pooling"] == "sum":
        raise common.wrong_usage(
            "--pooling",
            "with sum and position tied in both hypotheses only the composition counts, which the "
            "shuffles share, so nothing could be found; use --pooling logsumexp --width 8, or give "
            "--negatives",
        )
    if "strand" in tested:
        settings["strands"] = "both"
    n_classes = 2 if labels is None else len(set(labels))
    n_motifs = motifs or n_classes - 1
    if n_motifs == n_classes - 1 and settings["pooling"] != "none":
        settings["readout"] = "unit"  # fewer optima, which makes a test possible
    del settings["tie"]
    null_detector, alternative_detector = (
        MotifDetector(n_motifs, width, tie=ties, alphabet=alphabet, seed=seed, **settings)
        for ties in (tested, kept)
    )
    result = judgement.compare(
        null_detector,
        alternative_detector,
        (records, labels),
        f"testing with {len(records)} sequences",
        seed=seed,
        quiet=results.quiet,
        n_starts=starts,
    )
    names = [_class_name(files, negatives, index) for index in range(n_classes)]
    shared = {"n_motifs": n_motifs, "width": width, "alphabet": alphabet, **settings}
    classes = ", ".join(f"{i} = {name}" for i, name in enumerate(names))
    origin = {"classes": classes, "sequences": len(records), "seed": seed}
    origin |= {"pooling": settings["pooling"], "width": width}
    with common.each_written() as attempt:
        statements = calibration.statements(tested, kept, MotifDetector.ties())
        attempt(results.write_report, result, origin, **statements)
        if results.json:
            content = result.to_dict()
            content |= {"files": [*files, *([negatives] if negatives else [])]}
            content |= {"n_sequences": len(records), "settings": shared, "seed": seed}
            attempt(results.write_json, "motif test", content)
        else:
            rows = [("classes", classes), ("width", str(width)), ("pooling", settings["pooling"])]
            attempt(results.write_test, result, Table("Settings", (), rows))


# -- reading -----------------------------------------------------------------------------------


def _labelled(
    files: list[str], negatives: str | None, alphabet: str | None, strip_gaps: bool
) -> tuple[list[SeqRecord], list[int] | None, str]:
    """Read a class from each file, and find the alphabet; one file alone has no labels."""
    if negatives is not None:
        if len(files) > 1:
            raise common.wrong_usage("--negatives", "with one file for each class it has no place")
        files = [negatives, *files]
    *others, last = files  # the positives say what all are made of
    records, found = common.read_records(last, alphabet=alphabet, strip_gaps=strip_gaps)
    read = partial(common.read_records, alphabet=found, strip_gaps=strip_gaps)
    classes = [*(read(file)[0] for file in others), records]
    if len(classes) == 1:
        return records, None, found
    labels = [label for label, records in enumerate(classes) for _ in records]
    return [record for records in classes for record in records], labels, found


def _class_name(files: list[str], negatives: str | None, index: int) -> str:
    if len(files) > 1:
        return files[index]
    return [negatives or "shuffles", files[0]][index]


def _settings(tie: str | None, pooling: str, strands: str | None, alphabet: str) -> dict[str, Any]:
    from seqbio.motif import MotifDetector

    if strands is not None:
        strands = common.chosen("--strands", strands, _STRANDS)
    both = strands == "both" or (strands is None and alphabet == "dna")
    ties: tuple[str, ...] = ("position", "strand") if both else ("position",)
    if tie is not None:
        ties = common.tie_names("--tie", tie, tuple(MotifDetector.ties()))
    return {
        "tie": ties,
        "pooling": common.chosen("--pooling", pooling, _POOLINGS),
        "strands": strands,
    }


# -- reports -----------------------------------------------------------------------------------


def _matches(motifs: list[Motif], known: list[Motif]) -> list[list[Match]]:
    from seqbio.motif import compare_motifs

    if not known:
        return [[] for _ in motifs]
    return [compare_motifs(each, known)[:3] for each in motifs]


def _trained(detector: MotifDetector, matches: list[list[Match]]) -> dict[str, Any]:
    from seqbio.motif.summary import rows_of

    settings = detector.get_params()
    motifs = [
        row | {"matches": [asdict(match) for match in row["matches"]]}
        for row in rows_of(detector, matches)
    ]
    return {
        "log_likelihood": detector.log_likelihood_,
        "n_free_parameters": detector.n_free_parameters_,
        "converged": detector.converged_,
        "history": [asdict(record) for record in detector.history_],
        "motifs": motifs,
        "settings": {name: settings[name] for name in settings if name != "seed"},
    }

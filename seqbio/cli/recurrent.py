"""The commands of the recurrent models: train, score, simulate, test."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import log
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from seqbio.cli import calibration, common
from seqbio.errors import SeqbioError
from seqbio.neural.cells import CELLS

if TYPE_CHECKING:
    from Bio.SeqRecord import SeqRecord

    from seqbio.recurrent import RecurrentModel

app = typer.Typer()

_KINDS = ("markov", *CELLS)
_TASKS = ("next", "class")
_ALPHABETS = (*common.ALPHABETS, "text")


def _words() -> Mapping[str, str]:
    from seqbio.recurrent import MarkovModel, RecurrentModel

    return {
        "ties": ", ".join(RecurrentModel.ties()),
        "markov_ties": ", ".join(MarkovModel.ties()),
    }


_Command = common.helped(_words)


# -- options -----------------------------------------------------------------------------------

RecordsFile = Annotated[
    str,
    typer.Argument(
        metavar="FILE",
        help="FASTA file (gzip or not; text with --alphabet text), - for standard input, or "
        "dataset:NAME.",
    ),
]
AlphabetOption = Annotated[
    str | None,
    typer.Option(
        "--alphabet",
        metavar="|".join(_ALPHABETS),
        help="What the sequences are made of.  [default: dna, or that of the data set]",
    ),
]
LabelOption = Annotated[
    str | None,
    typer.Option(
        "--label",
        metavar="KEY",
        help="Learn classes: the word after KEY= in each header, as in class=AMP.",
    ),
]
TieOption = Annotated[
    str,
    typer.Option(
        "--tie",
        metavar="NAME,NAME",
        help="Ties to hold, of those above; none for no tie.",
    ),
]
CellOption = Annotated[
    str, typer.Option("--cell", metavar="|".join(CELLS), help="What the layers are made of.")
]
HiddenOption = Annotated[
    int, typer.Option("--hidden", metavar="N", min=1, help="Units of each layer.")
]
LayersOption = Annotated[int, typer.Option("--layers", metavar="N", min=1, help="Layers.")]
EmbeddingOption = Annotated[
    int | None,
    typer.Option("--embedding", metavar="N", min=1, help="Turn letters into N numbers first."),
]
MaxLengthOption = Annotated[
    int | None,
    typer.Option(
        "--max-length",
        metavar="N",
        min=1,
        help="Longest sequence, for models that are not tied over time.",
    ),
]
EpochsOption = Annotated[
    int, typer.Option("--epochs", metavar="N", min=0, help="Passes over the data.")
]
BatchOption = Annotated[
    int, typer.Option("--batch", metavar="N", min=1, help="Sequences in a batch.")
]
RateOption = Annotated[
    float, typer.Option("--learning-rate", metavar="X", help="Of Adam; it falls to 0 on a cosine.")
]
ClipOption = Annotated[
    float, typer.Option("--clip", metavar="X", help="Longest gradient norm, nats per symbol.")
]
ModelArgument = Annotated[str, typer.Argument(metavar="MODEL", help="A model from train.")]


@app.callback(invoke_without_command=True)
def recurrent(ctx: typer.Context) -> None:
    """Recurrent networks and Markov chains of sequences."""
    common.help_without_command(ctx)


# -- commands ----------------------------------------------------------------------------------


@app.command(cls=_Command)
@common.grouped
def train(
    *,
    file: RecordsFile,
    save: Annotated[
        str, typer.Option("--save", metavar="FILE", help="Keep the model here (NumPy archive).")
    ],
    alphabet: AlphabetOption = None,
    strip_gaps: common.StripGapsOption = False,
    label: LabelOption = None,
    cell: CellOption = "lstm",
    hidden: HiddenOption = 64,
    layers: LayersOption = 1,
    tie: TieOption = "time",
    embedding: EmbeddingOption = None,
    bidirectional: Annotated[
        bool, typer.Option("--bidirectional", metavar="", help="Read backwards too (classes).")
    ] = False,
    max_length: MaxLengthOption = None,
    dropout: Annotated[
        float, typer.Option("--dropout", metavar="X", help="Between layers, from 0 to below 1.")
    ] = 0.0,
    epochs: EpochsOption = 10,
    batch: BatchOption = 32,
    learning_rate: RateOption = 0.005,
    clip: ClipOption = 5.0,
    truncate: Annotated[
        int | None,
        typer.Option("--truncate", metavar="N", min=1, help="Steps a gradient reaches back."),
    ] = None,
    validation: Annotated[
        float,
        typer.Option(
            "--validation",
            metavar="X",
            help="Share of the sequences on which the best epoch is chosen.",
        ),
    ] = 0.0,
    patience: Annotated[
        int | None,
        typer.Option(
            "--patience", metavar="N", min=1, help="Stop after N epochs that are no better."
        ),
    ] = None,
    pieces: Annotated[
        int,
        typer.Option(
            "--pieces", metavar="N", min=1, help="Cut a text into N, which are learned together."
        ),
    ] = 1,
    checkpoint: Annotated[
        str | None,
        typer.Option("--checkpoint", metavar="FILE", help="Written after every epoch."),
    ] = None,
    resume: Annotated[
        bool,
        typer.Option(
            "--resume",
            metavar="",
            help="Go on from the checkpoint; begin where there is none yet. Data and options are "
            "those it was made with, but for more --epochs or another --patience.",
        ),
    ] = False,
    results: common.Reported,
    seed: common.SeedOption = 0,
) -> None:
    r"""Train a language model, or with --label a classifier, and keep it.

    Ties are {ties}; 'seqbio ties recurrent' says what each means.

    For example:

    \b
      seqbio recurrent train dataset:ecoli_proteome --truncate 200 --save model.npz
      seqbio recurrent train dataset:alice --alphabet text --pieces 16 --batch 16 --truncate 64 \
        --hidden 128 --learning-rate 0.008 --save alice.npz
      seqbio recurrent train peptides.fa --alphabet protein --label class --bidirectional \
        --validation 0.2 --save model.npz

    Keys of --json: history (epoch, loss and validation_loss in nats per symbol or label), epoch
    and loss of the model that was kept, n_free_parameters, bits_per_symbol or accuracy on all
    data, settings, file, n_records, seed.
    """
    from seqbio.core.tables import Table, as_text
    from seqbio.recurrent import RecurrentModel

    task = "next" if label is None else "class"
    results.check(file, save=save, checkpoint=checkpoint)
    if resume and checkpoint is None:
        raise common.wrong_usage("--resume", "name the file to go on from by --checkpoint")
    records, alphabet = _read(file, alphabet, pieces, strip_gaps)
    labels = None if label is None else _labels(records, label)
    model = RecurrentModel(
        cell=common.chosen("--cell", cell, CELLS),  # type: ignore[arg-type]
        hidden_size=hidden,
        n_layers=layers,
        tie=common.tie_names("--tie", tie, tuple(RecurrentModel.ties())),
        alphabet=alphabet,
        task=task,  # type: ignore[arg-type]
        embedding_size=embedding,
        bidirectional=bidirectional,
        max_length=max_length,
        dropout=dropout,
        n_epochs=epochs,
        batch_size=batch,
        learning_rate=learning_rate,
        clip=clip,
        truncate=truncate,
        validation_fraction=validation,
        patience=patience,
        seed=seed,
    )
    unit = "bits per symbol" if task == "next" else "nats per label"
    factor = 1 / log(2) if task == "next" else 1.0
    with common.progress(f"training on {len(records)} records", quiet=results.quiet) as update:
        on_batch = common.epochs(update, epochs, unit, factor)
        model.fit(records, labels, on_batch=on_batch, checkpoint=checkpoint, resume=resume)
    with common.each_written() as attempt:
        attempt(model.save, save)
        if task == "next":
            result = {"bits_per_symbol": model.bits_per_symbol(records)}
        else:
            result = {"accuracy": model.score(records, labels)}
        training = model.training_
        sentence, tables = model._summary()
        found = [(name.replace("_", " "), f"{value:.4f}") for name, value in result.items()]
        tables = [Table("All data", (), [("records", str(len(records))), *found]), *tables]
        origin = {"file": file, "records": len(records), "seed": seed}
        attempt(results.write_report, model, origin, tables=[*tables, model.settings_table()])
        if results.json:
            content = {
                "file": file,
                "n_records": len(records),
                "settings": _settings_of(model),
                "n_free_parameters": model.n_free_parameters_,
                "history": [
                    {
                        "epoch": record.epoch,
                        "loss": record.loss,
                        "validation_loss": record.validation_loss,
                    }
                    for record in training.history
                ],
                "epoch": training.epoch,
                "loss": training.loss,
                **result,
                "seed": seed,
            }
            attempt(results.write_json, "recurrent train", content)
        else:
            attempt(results.write_text, as_text(sentence, tables))


@app.command(cls=_Command)
@common.grouped
def score(
    *,
    model: ModelArgument,
    file: RecordsFile,
    strip_gaps: common.StripGapsOption = False,
    results: common.Results,
    seed: common.NoSeedOption = None,
) -> None:
    r"""Write the log-likelihood of every sequence, or the probability of every class.

    For example:

    \b
      seqbio recurrent score model.npz proteins.fa.gz > scores.tsv

    Columns: id, length, log_likelihood (nats, the end included), bits_per_symbol; for a
    classifier id, length, predicted, and P(CLASS) for each class.

    Keys of --json: records (id, length, log_likelihood and bits_per_symbol, or predicted and
    probabilities, by class), bits_per_symbol (of all together), file, model.
    """
    del seed
    results.check(file, model)
    network = _loaded(model)
    records, _ = _read(file, str(network.alphabet), 1, strip_gaps)
    with common.progress(f"scoring {len(records)} records", quiet=results.quiet):
        rows = _scores(network, records)
    if results.json:
        content: dict[str, Any] = {"file": file, "model": model, "records": rows}
        if network.task == "next":
            total = sum(row["log_likelihood"] for row in rows)
            n_symbols = sum(row["length"] + network.ends for row in rows)
            content["bits_per_symbol"] = -total / n_symbols / log(2)
        results.write_json("recurrent score", content)
        return
    results.write_text(common.as_table(rows))


@app.command(cls=_Command)
@common.grouped
def simulate(
    *,
    model: ModelArgument,
    n_records: Annotated[
        int, typer.Option("--records", metavar="N", min=1, help="How many sequences.")
    ] = 1,
    length: Annotated[
        int | None,
        typer.Option(
            "--length",
            metavar="N",
            min=1,
            help="Letters of each.  [default: as the model ends them]",
        ),
    ] = None,
    temperature: Annotated[
        float,
        typer.Option("--temperature", metavar="X", help="Below 1 for more probable letters."),
    ] = 1.0,
    prime: Annotated[
        str, typer.Option("--prime", metavar="LETTERS", help="What each sequence begins with.")
    ] = "",
    results: common.Results,
    seed: common.NewSeedOption = None,
) -> None:
    r"""Draw sequences from a language model, as FASTA, or as text.

    For example:

    \b
      seqbio recurrent simulate alice.npz --length 300 --temperature 0.8 --prime "Alice was"

    Keys of --json: records (id, sequence), model, temperature, seed.
    """
    results.check(model)
    network = _loaded(model)
    with common.seeded(seed, quiet=results.quiet) as seed:
        drawn = network.simulate(
            n_records, length=length, temperature=temperature, prime=prime, seed=seed
        )
    texts = [str(getattr(record, "seq", record)) for record in drawn]
    if results.json:
        content = {
            "model": model,
            "temperature": temperature,
            "records": [
                {"id": f"sample{number}", "sequence": text}
                for number, text in enumerate(texts, start=1)
            ],
            "seed": seed,
        }
        results.write_json("recurrent simulate", content)
    elif network.alphabet == "text":
        results.write_text("\n".join(texts))
    else:
        from seqbio.sequences import write_fasta

        write_fasta(drawn, results.output)  # type: ignore[arg-type]


common.formerly(app, "sample", simulate)


@app.command("test", cls=_Command)
@common.grouped
def compare_ties(
    *,
    file: RecordsFile,
    kind: Annotated[
        str,
        typer.Option("--model", metavar="|".join(_KINDS), help="A Markov chain, or a network."),
    ] = "markov",
    null: calibration.NullOption = "time",
    alternative: calibration.AlternativeOption = "none",
    alphabet: common.AlphabetOption = None,
    strip_gaps: common.StripGapsOption = False,
    window: Annotated[
        str | None,
        typer.Option(
            "--window",
            metavar="FIRST-LAST|middle:N",
            help="Take these letters of each sequence, counted from 1, or the N in the middle; "
            "shorter sequences are left out.",
        ),
    ] = None,
    order: Annotated[
        int, typer.Option("--order", metavar="N", min=0, help="Of a Markov chain.")
    ] = 1,
    hidden: HiddenOption = 8,
    layers: LayersOption = 1,
    embedding: EmbeddingOption = None,
    epochs: EpochsOption = 20,
    batch: BatchOption = 32,
    learning_rate: RateOption = 0.01,
    judgement: calibration.Calibration,
    results: common.Reported,
    seed: common.SeedOption = 0,
) -> None:
    r"""Test whether the same rules hold all along the sequence, and other ties.

    Both hypotheses are fitted, and the ratio of their likelihoods is judged by a law that is valid
    for these data, or by none, with the reasons. The exit status is 0 whatever the p-value.

    Ties of a Markov chain are {markov_ties}, and those of a network {ties}; 'seqbio ties' says what
    each means.

    For example:

    \b
      seqbio recurrent test dataset:ecoli_proteome --order 0 --window 2-30
      seqbio recurrent test proteins.fa --alphabet protein --order 1 --null time,lag \
        --alternative time
      seqbio recurrent test proteins.fa --alphabet protein --model gru --window 1-30

    Keys of --json: statistic, df, pvalue, log_pvalue, calibration, null_law, converged,
    conclusion, level, null, alternative, effects, evidence, warnings, data_fingerprint, settings,
    file, n_records, seed.
    """
    from seqbio.recurrent import MarkovModel, RecurrentModel

    kind = common.chosen("--model", kind, _KINDS)
    known = tuple(MarkovModel.ties() if kind == "markov" else RecurrentModel.ties())
    ties = calibration.hypotheses(null, alternative, known)
    judgement.check()
    results.check(file)
    records, alphabet = common.read_records(file, alphabet=alphabet, strip_gaps=strip_gaps)
    if window is not None:
        records = _windows(records, window)
    lengths = {len(record) for record in records}
    # Sequences of one length were cut to it, so their ends mean nothing.
    settings: dict[str, Any] = {"alphabet": alphabet, "ends": len(lengths) > 1}
    if any("time" not in names for names in ties):
        settings["max_length"] = max(lengths)
    if kind == "markov":
        settings["order"] = order
        models: list[Any] = [MarkovModel(tie=names, **settings) for names in ties]
    else:
        if len(records) == 1:
            raise SeqbioError(
                f"{records[0].id!r} is the only record, and networks are compared by what they say "
                "of records that are held out; give several, or pieces of it"
            )
        settings |= {
            "cell": kind,
            "hidden_size": hidden,
            "n_layers": layers,
            "embedding_size": embedding,
            "n_epochs": epochs,
            "batch_size": batch,
            "learning_rate": learning_rate,
        }
        models = [RecurrentModel(tie=names, **settings) for names in ties]
    result = judgement.compare(
        models[0],
        models[1],
        records,
        f"testing {len(records)} records",
        seed=seed,
        quiet=results.quiet,
    )
    origin = {"file": file, "records": len(records), "seed": seed}
    meanings = (MarkovModel if kind == "markov" else RecurrentModel).ties()
    with common.each_written() as attempt:
        statements = calibration.statements(*ties, meanings)
        attempt(results.write_report, result, origin, **statements)
        if results.json:
            content = result.to_dict() | {"file": file, "n_records": len(records)}
            content |= {"settings": settings, "seed": seed}
            attempt(results.write_json, "recurrent test", content)
        else:
            attempt(results.write_test, result)


# -- reading -----------------------------------------------------------------------------------


def _read(file: str, alphabet: str | None, pieces: int, strip_gaps: bool) -> tuple[list[Any], str]:
    """Read records, or the pieces of a text."""
    if alphabet is not None:
        alphabet = common.chosen("--alphabet", alphabet, _ALPHABETS)
    if alphabet != "text":
        if pieces != 1:
            raise common.wrong_usage("--pieces", "it is for texts; leave it out")
        return common.read_records(file, alphabet=alphabet, strip_gaps=strip_gaps)
    if strip_gaps:
        raise common.wrong_usage("--strip-gaps", "a text has no gaps; leave it out")
    from seqbio.recurrent import read_text

    return list(read_text(common.file_of(file), n_pieces=pieces)), "text"


def _labels(records: Sequence[Any], key: str) -> list[str]:
    """Find the word after ``key=`` in each header."""
    labels = []
    for record in records:
        words = str(getattr(record, "description", "")).replace("|", " ").split()
        found = [word.removeprefix(f"{key}=") for word in words if word.startswith(f"{key}=")]
        if len(found) != 1:
            raise SeqbioError(
                f"record {getattr(record, 'id', '?')!r} has {len(found)} words {key}=... in its "
                "header; give each record one"
            )
        labels.append(found[0])
    return labels


def _windows(records: list[SeqRecord], window: str) -> list[SeqRecord]:
    """Cut the same stretch out of every sequence that is long enough."""
    advice = "write FIRST-LAST, such as 2-30, or middle:N"
    kind, _, rest = window.partition(":")
    try:
        if kind == "middle":
            size = int(rest)
            cut = [(record, (len(record) - size) // 2) for record in records]
        else:
            first, last = (int(number) for number in window.split("-"))
            size = last - first + 1
            cut = [(record, first - 1) for record in records]
            if first < 1:
                size = 0
    except ValueError:
        raise common.wrong_usage("--window", f"{window!r} is no window; {advice}") from None
    if size < 1:
        raise common.wrong_usage("--window", f"{window!r} has no letter; {advice}")
    kept = [
        record[start : start + size]
        for record, start in cut
        if start >= 0 and start + size <= len(record)
    ]
    if not kept:
        raise SeqbioError(f"no sequence is long enough for the window {window}; take a shorter one")
    return kept


def _loaded(file: str) -> RecurrentModel:
    from seqbio.recurrent import RecurrentModel

    if not Path(file).exists():
        raise SeqbioError(
            f"{file}: no such file{common.nearby(file)}; give a model from 'seqbio recurrent train'"
        )
    return RecurrentModel.load(common.file_of(file))


# -- writing -----------------------------------------------------------------------------------


def _scores(network: RecurrentModel, records: Sequence[Any]) -> list[dict[str, Any]]:
    names = [str(getattr(r, "id", f"text{i}")) for i, r in enumerate(records, start=1)]
    base = [{"id": n, "length": len(r)} for n, r in zip(names, records, strict=True)]
    if network.task == "next":
        values = network.log_likelihood(records).tolist()
        return [
            row
            | {
                "log_likelihood": value,
                "bits_per_symbol": -value / (row["length"] + network.ends) / log(2),  # type: ignore[operator]
            }
            for row, value in zip(base, values, strict=True)
        ]
    table = network.predict_proba(records)
    classes = [str(name) for name in network.classes_]
    return [
        row
        | {
            "predicted": classes[int(probabilities.argmax())],
            "probabilities": dict(zip(classes, probabilities.tolist(), strict=True)),
        }
        for row, probabilities in zip(base, table, strict=True)
    ]


def _settings_of(model: RecurrentModel) -> dict[str, Any]:
    return {name: value for name, value in model.get_params().items() if name != "seed"}

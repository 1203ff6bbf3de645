"""A motif detector in a sentence and tables."""

from __future__ import annotations

from collections.abc import Sequence
from math import isnan
from typing import TYPE_CHECKING, Any

from seqbio.core.tables import Table, shortened
from seqbio.motif.motifs import information_content

if TYPE_CHECKING:
    from Bio.motifs import Motif

    from seqbio.motif.comparison import Match
    from seqbio.motif.detector import MotifDetector

NO_MOTIFS = "The filters are untied over position; there is no motif to show"
_KNOWN_ENOUGH = 0.01  # q-value below which a motif is called by the name of its match
_MOST_NAMED = 3


def summed_up(
    detector: MotifDetector,
    classes: Sequence[str] = (),
    matches: Sequence[Sequence[Match]] = (),
) -> tuple[str, list[Table]]:
    """Say which motifs were learned, and how.

    Parameters
    ----------
    detector : MotifDetector
        Trained.
    classes : sequence of str, optional
        What the classes are; by default as they are labelled.
    matches : sequence of sequence of Match, optional
        Known motifs like each of its own.

    Returns
    -------
    str, list of Table
        The sentence, and the training and the motifs.
    """
    motifs = motifs_of(detector)
    names = shortened([f"{motif.name} {motif.consensus}" for motif in motifs], _MOST_NAMED)
    sentence = f"The detector learned {', '.join(names)}." if motifs else f"{NO_MOTIFS}."
    known = classes or [str(label) for label in detector.classes_]
    rows = [("classes", ", ".join(f"{i} = {name}" for i, name in enumerate(known)))]
    if hasattr(detector, "log_likelihood_"):
        rows.append(("log-likelihood (nats)", f"{detector.log_likelihood_:.4f}"))
    rows.append(("free parameters", str(detector.n_free_parameters_)))
    history = getattr(detector, "history_", ())
    if history:
        best = min(record.validation_loss for record in history)
        validation = "" if isnan(best) else f", validation loss {best:.4f}"
        loss = f"training loss {history[-1].loss:.4f}{validation} nats per sequence"
        rows.append(("epochs", f"{history[-1].epoch}: {loss}"))
    compared = any(matches)
    header = ("", "consensus", "bits", "sites", "readout", *["best known match"] * compared)
    return sentence, [
        Table("Motifs", header, [_cells(row, compared) for row in rows_of(detector, matches)]),
        Table("Training", (), rows),
    ]


def motifs_of(detector: MotifDetector) -> list[Motif]:
    """Give the motifs of a detector; none where filters differ from place to place."""
    return detector.motifs_ if detector._model_fitted().n_places == 1 else []


def rows_of(
    detector: MotifDetector, matches: Sequence[Sequence[Match]] = ()
) -> list[dict[str, Any]]:
    """Say of each motif what people and programs want to know.

    Returns
    -------
    list of dict
        With ``name``, ``consensus``, ``bits``, ``sites``, ``readout`` and ``matches``.
    """
    motifs, readout = motifs_of(detector), detector.readout_
    rows: list[dict[str, Any]] = []
    for each, best in zip(motifs, matches or [[]] * len(motifs), strict=True):
        number = int(str(each.name).removeprefix("motif").rstrip("+-")) - 1
        rows.append(
            {
                "name": str(each.name),
                "consensus": str(each.consensus),
                "bits": float(information_content(each, detector.background_).sum()),
                "sites": float(sum(each.counts[letter][0] for letter in each.alphabet)),
                "readout": readout[..., number].tolist() if readout.ndim == 2 else None,
                "matches": list(best),
            }
        )
    return rows


def _cells(row: dict[str, Any], compared: bool) -> tuple[str, ...]:
    readout = row["readout"]
    strongest = "" if readout is None else f"{max(readout, key=abs):.2f}"
    cells = (row["name"], row["consensus"], f"{row['bits']:.1f}", f"{row['sites']:.0f}", strongest)
    return (*cells, _match_text(row["matches"])) if compared else cells


def _match_text(matches: Sequence[Match]) -> str:
    if not matches or matches[0].qvalue > _KNOWN_ENOUGH:
        return ""
    best = matches[0]
    return f"{best.target} {best.target_id} (p = {best.pvalue:.2g})".replace("  ", " ")

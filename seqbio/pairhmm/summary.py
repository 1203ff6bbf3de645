"""A pair HMM in a sentence and tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from seqbio.core.tables import Table, numbers_table, short

if TYPE_CHECKING:
    from seqbio.pairhmm.estimator import PairHMM

Intervals = Mapping[str, tuple[float, float]]

_INTERVALS = {"wald": "Wald", "robust": "robust", "profile": "profile likelihood"}
_SIDES = ("open_x", "open_y", "extend_x", "extend_y")


def summed_up(
    hmm: PairHMM,
    intervals: Intervals | None = None,
    method: str = "none",
    failure: str | None = None,
) -> tuple[str, list[Table]]:
    """Say how often gaps open and how long they last, how the model was fitted, and parameters.

    Parameters
    ----------
    hmm : PairHMM
        With parameters.
    intervals : mapping of str to (float, float), optional
        Of 95 %, by the names of parameters.
    method : {"wald", "robust", "profile", "none"}
        Where they come from.
    failure : str, optional
        Why there are none, where they were asked for.

    Returns
    -------
    str, list of Table
        The sentence, and how it was fitted and the parameters.
    """
    parameters = hmm.parameters_
    sentence = " ".join(_gaps_in_words(parameters, group) for group in hmm.groups_ or ("",))
    table = numbers_table("Parameters", parameters, len(parameters))
    if method != "none" and failure is None:
        rows = [_parameter_row(name, value, intervals or {}) for name, value in parameters.items()]
        title = f"Parameters, 95 % {_INTERVALS[method]} intervals"
        table = Table(title, ("", "estimate", "from", "to", ""), rows)
    if not hasattr(hmm, "fit_"):
        return sentence, [Table("Pair HMM", (), [("parameters", "given, or read")]), table]
    if not hmm.converged_:
        sentence = f"The fit did not converge, so that these numbers may be far off. {sentence}"
    fitted = hmm.fit_
    rows = [
        *numbers_of_pairs(hmm),
        ("ties", ", ".join(hmm.tie if isinstance(hmm.tie, tuple) else ()) or "none"),
        ("log-likelihood (nats)", f"{fitted.log_likelihood:.6f}"),
        ("free parameters", str(fitted.n_free)),
        ("convergence", fitted.convergence),
    ]
    if fitted.at_boundary:
        rows.append(("estimated as 0", ", ".join(fitted.at_boundary)))
    if failure is not None:
        rows.append(("intervals", f"none: {failure}"))
    return sentence, [Table("Pair HMM", (), rows), table]


def numbers_of_pairs(hmm: PairHMM) -> list[tuple[str, str]]:
    """Count the pairs, and those of each group where there are any."""
    data: Any = hmm.data_
    of_groups = [
        (f"  {name}", str(int((data.labels == group).sum())))
        for group, name in enumerate(hmm.groups_)
    ]
    return [("pairs", str(len(hmm.data_))), *of_groups]


def _gaps_in_words(parameters: Mapping[str, float], group: str) -> str:
    """Say how often gaps open, how often they go on, and how far apart the sequences are."""
    suffix = f"[{group}]" if group else ""
    values = {name: parameters.get(f"{name}{suffix}") for name in (*_SIDES, "distance")}
    words = []
    for kind, what in (("open", "gaps open with probability"), ("extend", "go on with")):
        x, y = (short(values[f"{kind}_{side}"]) for side in "xy")
        if "-" in (x, y):  # gaps whose lengths have another law
            continue
        words.append(f"{what} {x} in both" if x == y else f"{what} {x} in y and {y} in x")
    whole = " and ".join(words)
    whole = f"In group {group} {whole}" if group else whole[0].upper() + whole[1:]
    distance = values["distance"]
    if distance is not None:
        whole += f"; the sequences are {short(distance)} substitutions per site apart"
    return f"{whole}."


def _parameter_row(name: str, value: float, intervals: Intervals) -> tuple[str, ...]:
    if name in intervals:
        lower, upper = intervals[name]
        return name, short(value), short(lower), short(upper), ""
    remark = "at its boundary" if value == 0.0 else "not estimated"
    return name, short(value), "-", "-", remark

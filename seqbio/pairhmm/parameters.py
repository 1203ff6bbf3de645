"""A pair HMM's parameters under the names that people use, and the way back to coordinates."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray

from seqbio.core.layout import Layout
from seqbio.core.model import Effect
from seqbio.core.numerics import logit, sigmoid, softmax
from seqbio.errors import ParameterError, did_you_mean
from seqbio.pairhmm import transitions
from seqbio.pairhmm.substitution import RATE_NAMES, SubstitutionModel, log_odds
from seqbio.pairhmm.transitions import OPTIONAL, OVERHANGS, RIVALS, TRANSITION_NAMES

Floats = NDArray[np.float64]

_TRANSVERSIONS = ("AC", "AT", "CG")
_ENDS = ("end_m", "end_x", "end_y")


def natural(layout: Layout, substitution: SubstitutionModel, full: Floats) -> dict[str, float]:
    """Name probabilities, distance, rates and frequencies.

    Rates are relative to G-T; they are called ``kappa`` where the transversions are equal, and
    left out where all are, or where a distance of 0 leaves them without a meaning. Switches,
    shares of gaps and overhangs are left out where they are 0, with what goes with them, and ends
    are one number where they are equal.
    """
    blocks = layout.unflatten(full)
    result = _probabilities(blocks)
    if result["switch_x"] == result["switch_y"] == 0.0:
        del result["switch_x"], result["switch_y"]
    for share in OPTIONAL:
        if result[f"{share}_x"] == result[f"{share}_y"] == 0.0:
            for name in (share, f"extend_{share}"):
                del result[f"{name}_x"], result[f"{name}_y"]
    for name in (f"{end}_{side}" for end in OVERHANGS for side in "xy"):
        if result.get(name) == 0.0:
            del result[f"extend_{name}"]
    if result["end_m"] == result["end_x"] == result["end_y"]:
        result["end"] = result.pop("end_m")
        del result["end_x"], result["end_y"]
    if "distance" in blocks:
        result["distance"] = _exp(blocks["distance"])
    if "exchangeability" in blocks and result["distance"] > 0.0:
        logs = blocks["exchangeability"]
        result |= _named_rates(np.array([_exp(log - logs[-1]) for log in logs]))
    if "frequency" in blocks:
        frequencies = softmax(np.append(blocks["frequency"], 0.0))
        pairs = zip(substitution.letters, frequencies, strict=True)
        result |= {f"frequency_{letter}": float(value) for letter, value in pairs}
    return result


def _probabilities(blocks: Mapping[str, Floats]) -> dict[str, float]:
    return transitions.probabilities({name: float(blocks[name]) for name in TRANSITION_NAMES})


def _named_rates(rates: Floats) -> dict[str, float]:
    rate = dict(zip(RATE_NAMES, rates.tolist(), strict=True))
    if any(rate[name] != 1.0 for name in _TRANSVERSIONS):
        del rate["GT"]
        return {f"rate_{name}": value for name, value in rate.items()}
    if rate["AG"] != rate["CT"]:
        return {"kappa_AG": rate["AG"], "kappa_CT": rate["CT"]}
    return {} if rate["AG"] == 1.0 else {"kappa": rate["AG"]}


def coordinates(
    layout: Layout,
    substitution: SubstitutionModel,
    named: Mapping[str, float],
    frequencies: str | ArrayLike | None = None,
) -> Floats:
    """Invert :func:`natural`.

    Rates that are not given are 1, switches, shares of gaps and overhangs 0, frequencies as in
    `frequencies`: a mode of the substitution model or the numbers; by default the usual ones that
    need no data.

    Raises
    ------
    ParameterError
        A name is missing or unknown, or a value is out of range.
    """
    left = {name: float(value) for name, value in named.items()}
    needed = ["open_x", "open_y", "extend_x", "extend_y"]
    needed += ["distance"] if "distance" in layout.names else []
    needed += [] if any(name in left for name in _ENDS) else ["end"]
    missing = [name for name in needed if name not in left]
    if missing:
        verb = "is" if len(missing) == 1 else "are"
        raise ParameterError(f"{', '.join(missing)} {verb} missing; all parameters are needed")
    for name, value in left.items():
        if not value >= 0.0 or not np.isfinite(value):
            raise ParameterError(f"{name} is {value}; give a number that is not below 0")
        if 0.0 < value < np.finfo(np.float64).tiny:
            raise ParameterError(
                f"{name} is {value}, too near to 0 to be told from it; give 0, or a larger number"
            )
    probability = _transition_probabilities(left)
    blocks: dict[str, Floats | float] = dict(transitions.coordinates(probability))
    with np.errstate(divide="ignore"):
        if "distance" in layout.names:
            blocks["distance"] = np.log(_taken(left, "distance"))
        if "exchangeability" in layout.names:
            blocks["exchangeability"] = np.log(_rates(left))
    if "frequency" in layout.names:
        blocks["frequency"] = log_odds(_frequencies(left, substitution, frequencies))
    if left:
        unknown = min(left)
        known = sorted({*natural(layout, substitution, layout.flatten(blocks)), *named} - {*left})
        raise ParameterError(
            f"there is no parameter {unknown!r} in this pair HMM{did_you_mean(unknown, known)}; it "
            f"has {', '.join(known)}"
        )
    return layout.flatten(blocks)


def _taken(left: dict[str, float], name: str) -> float:
    if name not in left:
        raise ParameterError(f"{name} is missing; all parameters are needed")
    return left.pop(name)


def _transition_probabilities(left: dict[str, float]) -> dict[str, float]:
    result = {name: left.pop(name, 0.0) for name in ("switch_x", "switch_y")}
    for name in ("open_x", "open_y", "extend_x", "extend_y"):
        result[name] = _taken(left, name)
    for name in (f"{share}_{side}" for share in OPTIONAL for side in "xy"):
        result[name] = left.pop(name, 0.0)
        given = result[name] == 0.0 and f"extend_{name}" not in left
        result[f"extend_{name}"] = 0.5 if given else _taken(left, f"extend_{name}")
    if any(name in left for name in _ENDS):
        result |= {name: _taken(left, name) for name in _ENDS}
    else:
        result |= dict.fromkeys(_ENDS, _taken(left, "end"))
    for name, value in result.items():
        if value >= 1.0 or (name in _ENDS and value == 0.0):
            raise ParameterError(
                f"{name} is {value}; give a probability below 1"
                + (" and above 0" if name in _ENDS else "")
            )
    for kind in RIVALS:
        if (total := result[f"{kind}_x"] + result[f"{kind}_y"]) >= 1.0:
            raise ParameterError(
                f"{kind}_x and {kind}_y add up to {total:g}; together they must stay below 1"
            )
    return result


def _rates(left: dict[str, float]) -> Floats:
    for name in ("AG", "CT"):
        same = [key for key in (f"rate_{name}", f"kappa_{name}", "kappa") if key in left]
        if len(same) > 1:
            raise ParameterError(f"{' and '.join(same)} are one rate; leave one of them out")
    rates = {name: left.pop(f"rate_{name}", 1.0) for name in RATE_NAMES}
    kappa = left.pop("kappa", None)
    for name in ("AG", "CT"):
        given = left.pop(f"kappa_{name}", kappa)
        if given is not None:
            rates[name] = given
    return np.array([rates[name] for name in RATE_NAMES]) / rates["GT"]


def _frequencies(
    left: dict[str, float], substitution: SubstitutionModel, setting: str | ArrayLike | None
) -> Floats:
    names = [f"frequency_{letter}" for letter in substitution.letters]
    if not any(name in left for name in names):
        if isinstance(setting, str) and setting in ("empirical", "estimated"):
            raise ParameterError(
                f"frequencies are {setting!r}, which takes data; give {', '.join(names)}"
            )
        if setting is None:
            setting = "model" if "model" in substitution.frequency_modes else "equal"
        block = substitution.start(setting)["frequency"]
        return softmax(np.append(block, 0.0))
    frequencies = np.array([_taken(left, name) for name in names])
    if abs(frequencies.sum() - 1.0) > 1e-6:
        raise ParameterError(f"the frequencies add up to {frequencies.sum():g}; they must to 1")
    return frequencies / frequencies.sum()


def unconstrained(
    layout: Layout, substitution: SubstitutionModel, full: Floats, name: str
) -> tuple[Effect, Callable[[float], float]]:
    """One named parameter on an unbounded scale, for intervals that respect its range.

    Probabilities become log odds and positive numbers logarithms.

    Returns
    -------
    effect : Effect
        Value and gradient on that scale.
    back : callable
        From that scale to the parameter.
    """
    blocks = layout.unflatten(full)
    gradient = np.zeros(layout.size)
    if name == "distance":
        gradient[layout.slice(name)] = 1.0
        return Effect(name, float(blocks[name]), gradient), _exp
    if name.startswith(("kappa", "rate_")):
        kind = name.removeprefix("kappa_").removeprefix("rate_")
        place = RATE_NAMES.index("AG" if kind == "kappa" else kind)
        logs, entries = blocks["exchangeability"], gradient[layout.slice("exchangeability")]
        entries[place] = 1.0
        entries[-1] -= 1.0
        return Effect(name, float(logs[place] - logs[-1]), gradient), _exp
    # What `natural` leaves out has a value, too, through which an interval may pass.
    values = natural(layout, substitution, full) | _probabilities(blocks)
    # One end has three equal coordinates; its probability is by whichever moves.
    coordinate = "end_m" if name == "end" else name
    value = values[coordinate]
    if name.startswith("frequency_"):
        place = substitution.letters.index(name.removeprefix("frequency_"))
        others = np.append(blocks["frequency"], 0.0)
        others[place] = -np.inf
        slope = -softmax(others)  # which no frequency of 1 divides by 0
        slope[place] = 1.0
        gradient[layout.slice("frequency")] = slope[:-1]
        return Effect(name, float(logit(value)), gradient), _sigmoid
    gradient[layout.slice(coordinate)] = 1.0
    if name.rpartition("_")[0] in RIVALS:
        rival = name[:-1] + ("y" if name.endswith("x") else "x")
        gradient[layout.slice(rival)] = -sigmoid(blocks[rival])  # the share of what is not `name`
    return Effect(name, float(logit(value)), gradient), _sigmoid


def logarithms(layout: Layout, substitution: SubstitutionModel, full: Floats) -> dict[str, Effect]:
    """Logarithms of all named parameters, whose differences are ratios."""
    effects = {}
    for name, value in natural(layout, substitution, full).items():
        effect, back = unconstrained(layout, substitution, full, name)
        slope = 1.0 - value if back is _sigmoid else 1.0
        with np.errstate(divide="ignore"):
            size = float(np.log(value))
        effects[name] = Effect(name, size, slope * effect.gradient, log_scale=True)
    return effects


def _exp(value: ArrayLike) -> float:
    with np.errstate(over="ignore"):  # an interval may reach as far as inf
        return float(np.exp(value))


def _sigmoid(value: float) -> float:
    return float(sigmoid(value))

"""Checks of what users give, with one wording of what is wrong and what to do."""

from __future__ import annotations

import ast
import builtins
import functools
import inspect
import sys
import types
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import IO, Any, Literal, NamedTuple, TypeVar, Union, get_args, get_origin

import numpy as np
from numpy.typing import ArrayLike, NDArray

from seqbio.core.numerics import IntArray
from seqbio.errors import ArgumentTypeError, ParameterError, TyingError

Checked = TypeVar("Checked", bound=Callable[..., Any])


def refuse(
    wrong: NDArray[np.bool_],
    values: NDArray[Any],
    name: str,
    advice: str,
    error: type[ParameterError] = ParameterError,
) -> None:
    """Raise for the first wrong value, if there is one, saying where it is and what to do."""
    if wrong.any():
        index = tuple(np.argwhere(wrong)[0].tolist())
        place = f"[{','.join(map(str, index))}]" if index else ""
        raise error(f"{name}{place} is {values[index]}; {advice}")


def checked_integers(values: ArrayLike, name: str) -> IntArray:
    """Convert to an array of integers, without rounding what is not one."""
    array = np.asarray(values)
    if array.size and not np.issubdtype(array.dtype, np.integer):
        raise TyingError(f"{name} holds values of type {array.dtype}; give integers")
    return array.astype(np.intp)


def checked_labels(labels: ArrayLike | None, n_items: int) -> NDArray[Any]:
    """Convert labels of classes to an array that can be sorted and saved, one for each item."""
    values = np.asarray(labels)
    if labels is None or values.shape != (n_items,):
        found = "no labels" if labels is None else f"labels of shape {values.shape}"
        raise ParameterError(
            f"there are {n_items} sequences and {found}; give one label for each sequence"
        )
    if values.dtype.kind == "O":
        wrong = [place for place, label in enumerate(values) if not isinstance(label, str)]
        if wrong:
            raise ParameterError(
                f"label {wrong[0]} is {values[wrong[0]]!r}; give text, or numbers, for all"
            )
        values = values.astype(str)
    if values.dtype.kind not in "biufU":
        raise ParameterError(f"labels are of type {values.dtype}; give text, or numbers")
    if values.dtype.kind == "f":
        refuse(~np.isfinite(values), values, "label", "give a number for each sequence")
    return values


# -- types of arguments ------------------------------------------------------------------------


def checked(target: Checked) -> Checked:
    """Let a public function, or all public methods of a class, refuse arguments of wrong types.

    Types are those of the annotations, read as people mean them: integers and floats may be
    NumPy's, a float may be an integer, a tuple may be a list, and an array is whatever
    NumPy can make an array of numbers of. What is in an iterable is left to the function.
    """
    if isinstance(target, type):
        for name, member in list(vars(target).items()):
            if name == "__init__" or not name.startswith("_"):
                setattr(target, name, _checked_member(member))
        return target
    check = functools.cache(lambda: kinds_of(target))
    names = list(inspect.signature(target).parameters)

    @functools.wraps(target)
    def checking(*args: Any, **given: Any) -> Any:
        kinds = check()
        for name, value in zip(names, args, strict=False):  # those of *args are not checked
            if name in kinds:
                kinds[name].check(name, value)
        for name, value in given.items():
            if name in kinds:
                kinds[name].check(name, value)
        return target(*args, **given)

    return checking  # type: ignore[return-value]


def _checked_member(member: Any) -> Any:
    if isinstance(member, staticmethod | classmethod):
        return type(member)(checked(member.__func__))
    return checked(member) if isinstance(member, types.FunctionType) else member


class Kind(NamedTuple):
    """What an annotation allows, and in words."""

    accepts: Callable[[Any], bool]
    words: tuple[str, ...]

    def check(self, name: str, value: object) -> None:
        """Raise if the value is none of those allowed."""
        if not self.accepts(value):
            found = repr(value)
            if len(found) > _LONGEST:
                found = f"of type {type(value).__name__}"
            raise ArgumentTypeError(f"{name} is {found}; give {' or '.join(self.words)}")


_LONGEST = 60  # characters of a value in a message


def kinds_of(function: Callable[..., Any]) -> dict[str, Kind]:
    """Read the annotations of a function; parameters that take anything are left out."""
    names = _Names(inspect.unwrap(function).__globals__)
    kinds = {
        each.name: _kind(each.annotation, names)
        for each in inspect.signature(function).parameters.values()
        if each.annotation is not each.empty
        and each.kind not in (each.VAR_POSITIONAL, each.VAR_KEYWORD)
    }
    return {name: kind for name, kind in kinds.items() if kind is not None}


class _Names(dict[str, Any]):
    """Names in annotations; one that only a type checker imports stands for its class by name."""

    def __missing__(self, name: str) -> Any:
        if name.startswith("__"):
            raise KeyError(name)
        known = {"np": np}.get(name) or sys.modules.get(name) or getattr(builtins, name, None)
        return known or _Named(name, (), {})


class _Named(type):
    def __instancecheck__(cls, instance: object) -> bool:
        return any(each.__name__ == cls.__name__ for each in type(instance).__mro__)


def _kind(annotation: Any, names: _Names) -> Kind | None:
    """Say what an annotation allows; None for anything."""
    if isinstance(annotation, str):
        # Alternatives are taken apart as they are written: Python drops the str of str | ArrayLike.
        tree = ast.parse(annotation, mode="eval").body
        if isinstance(tree, ast.BinOp):
            return _either([_kind(ast.unparse(side), names) for side in (tree.left, tree.right)])
        return _kind(eval(annotation, {}, names), names)
    origin, inner = get_origin(annotation), get_args(annotation)
    if annotation == ArrayLike or origin is np.ndarray:
        return Kind(_are_numbers, ("an array of numbers",))
    if origin in (Union, types.UnionType):
        return _either([_kind(each, names) for each in inner])
    if origin is Literal:
        words = f"one of {', '.join(map(str, inner))}"
        return Kind(lambda value: any(_SIMPLE[type(each)][0](value) for each in inner), (words,))
    if annotation in _SIMPLE:
        return Kind(*_SIMPLE[annotation])
    if Callable in (origin, annotation):
        return Kind(callable, ("a function",))
    if origin in _MANY:
        return _of_many(origin, [_kind(each, names) for each in inner if each is not ...])
    if origin is IO:
        return Kind(lambda value: hasattr(value, "read"), ("an open file",))
    kind = origin or annotation
    if not isinstance(kind, type) or kind in (Any, object) or vars(kind).get("_is_protocol"):
        return None
    return Kind(lambda value: isinstance(value, kind), (f"{_article(kind)} {kind.__name__}",))


def _article(kind: type) -> str:
    return "an" if kind.__name__[0] in "AEIOU" else "a"


def _either(kinds: Sequence[Kind | None]) -> Kind | None:
    """Allow what any of several kinds allows."""
    known = [kind for kind in kinds if kind is not None]
    if len(known) < len(kinds):
        return None
    words = tuple(dict.fromkeys(word for kind in known for word in kind.words))
    return Kind(lambda value: any(kind.accepts(value) for kind in known), words)


def _of_many(origin: type, inner: Sequence[Kind | None]) -> Kind:
    """Allow several values of a kind; those of an iterable are for the function to check."""
    accepts, words = _MANY[origin]
    if origin is Iterable or None in inner or not inner:
        return Kind(accepts, (words,))

    def all_fit(value: Any) -> bool:
        if not accepts(value):
            return False
        if isinstance(value, Mapping):
            return all(inner[1].accepts(each) for each in value.values())  # type: ignore[union-attr]
        if len(inner) > 1:
            return len(value) == len(inner) and all(
                kind.accepts(each)  # type: ignore[union-attr]
                for kind, each in zip(inner, value, strict=True)
            )
        return all(inner[0].accepts(each) for each in value)  # type: ignore[union-attr]

    return Kind(all_fit, (f"{words}, each {' or '.join(inner[-1].words)}",))  # type: ignore[union-attr]


def _are_numbers(values: object) -> bool:
    if values is None:
        return False
    try:
        return np.asarray(values).dtype.kind in "biuf"
    except (TypeError, ValueError):  # such as lists of different lengths
        return False


def _is_integer(value: object) -> bool:
    return isinstance(value, int | np.integer) and not isinstance(value, bool)


def _is_number(value: object) -> bool:
    return _is_integer(value) or isinstance(value, float | np.floating)


def _is_list(values: object) -> bool:
    not_one = not isinstance(values, str | bytes | Mapping | type)
    return not_one and hasattr(values, "__len__") and hasattr(values, "__iter__")


_Simple = tuple[Callable[[Any], bool], tuple[str, ...]]
_SIMPLE: dict[Any, _Simple] = {
    None: (lambda value: value is None, ("None",)),
    types.NoneType: (lambda value: value is None, ("None",)),
    bool: (lambda value: isinstance(value, bool | np.bool_), ("True", "False")),
    int: (_is_integer, ("an integer",)),
    float: (_is_number, ("a number",)),
    str: (lambda value: isinstance(value, str), ("text",)),
}
_MANY: dict[Any, tuple[Callable[[Any], bool], str]] = {
    Iterable: (
        lambda values: hasattr(values, "__iter__") and not isinstance(values, Mapping | type),
        "a list",
    ),
    Sequence: (_is_list, "a list"),
    list: (_is_list, "a list"),
    tuple: (lambda values: isinstance(values, tuple | list), "a tuple"),
    Mapping: (lambda values: isinstance(values, Mapping), "a dictionary"),
    dict: (lambda values: isinstance(values, Mapping), "a dictionary"),
}

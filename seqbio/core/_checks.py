"""Checks of what users give, with one wording of what is wrong and what to do."""

from __future__ import annotations

import ast
import builtins
import functools
import inspect
import sys
import types
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import zip_longest
from typing import IO, Annotated, Any, Literal, NamedTuple, TypeVar, Union, get_args, get_origin

import numpy as np
from numpy.typing import ArrayLike, NDArray

from seqbio.core.numerics import IntArray
from seqbio.errors import ArgumentTypeError, ParameterError, TyingError

Checked = TypeVar("Checked", bound=Callable[..., Any])

SELF_CHECKED = "the function can say more about it than a check of types"
"""What Annotated[..., SELF_CHECKED] tells `checked`."""


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
    array = array_of(values, name)
    if array.size and not np.issubdtype(array.dtype, np.integer):
        raise TyingError(f"{name} holds values of type {array.dtype}; give integers")
    return array.astype(np.intp)


def array_of(values: ArrayLike, name: str) -> NDArray[Any]:
    """Convert to an array, which lists of different lengths cannot be."""
    try:
        return np.asarray(values)
    except ValueError:
        raise ParameterError(f"{name} has lists of different lengths; give an array") from None


def checked_labels(labels: ArrayLike | None, n_items: int) -> NDArray[Any]:
    """Convert labels of classes to an array that can be sorted and saved, one for each item."""
    values = np.asarray(None) if labels is None else array_of(labels, "labels")
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
    NumPy's, a float may be an integer, a tuple may be a list, array_like is whatever NumPy can make
    an array of numbers of, and a protocol is met by what has its first member, since not all of the
    others are needed everywhere. Values, and what is in an iterable or in lists of lists, are left
    to the function.
    """
    if isinstance(target, type):
        for name, member in list(vars(target).items()):
            if name == "__init__" or not name.startswith("_"):
                setattr(target, name, _checked_member(member))
        return target
    check = functools.cache(lambda: kinds_of(target))
    parameters = inspect.signature(target).parameters.values()
    names = [each.name for each in parameters if each.kind is not each.VAR_POSITIONAL]
    rest = next((each.name for each in parameters if each.kind is each.VAR_POSITIONAL), "")

    @functools.wraps(target)
    def checking(*args: Any, **given: Any) -> Any:
        kinds = check()
        for name, value in zip_longest(names[: len(args)], args, fillvalue=rest):
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
        if each.annotation is not each.empty and each.kind is not each.VAR_KEYWORD
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
    if origin is Annotated:
        return None
    if annotation == ArrayLike:
        return Kind(_are_numbers, ("an array of numbers",))
    if origin is np.ndarray:
        return _of_array(get_args(inner[1])[0])
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
        return _of_many(origin, [each for each in inner if each is not ...], names)
    if origin is IO:
        return Kind(lambda value: hasattr(value, "read"), ("an open file",))
    kind = origin or annotation
    if not isinstance(kind, type) or kind in (Any, object):
        return None
    if vars(kind).get("_is_protocol"):
        named = {**vars(kind), **vars(kind).get("__annotations__", {})}
        members = [name for name in named if not name.startswith("_")]
        needed = f"something with {', '.join(members)}"
        return Kind(lambda value: hasattr(value, members[0]), (needed,))
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


def _of_many(origin: Any, inner: Sequence[Any], names: _Names) -> Kind:
    """Allow several values; those of an iterable, and lists in lists, the function checks."""
    accepts, words = _MANY[origin]
    element = _kind(inner[-1], names) if inner else None
    uneven = origin is tuple and len(inner) > 1
    if origin is Iterable or get_origin(inner[-1]) in _MANY or element is None or uneven:
        return Kind(accepts, (words,))

    def all_fit(values: Any) -> bool:
        if not accepts(values):
            return False
        each = values.values() if isinstance(values, Mapping) else values
        return all(map(element.accepts, each))

    return Kind(all_fit, (f"{words}, each {' or '.join(element.words)}",))


def _of_array(scalar: Any) -> Kind:
    """Allow an array of a type; NumPy's own order of types says what can stand for it."""
    if scalar is Any:
        return Kind(lambda value: isinstance(value, np.ndarray), ("an array",))
    kinds = "biu" if issubclass(scalar, np.integer | np.bool_) else "biuf"

    def accepts(value: Any) -> bool:
        return isinstance(value, np.ndarray) and value.dtype.kind in kinds

    return Kind(accepts, (f"an array of {'integers' if kinds == 'biu' else 'numbers'}",))


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

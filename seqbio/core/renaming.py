"""Former names of arguments and methods, which are taken for one release, with a warning."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from seqbio.errors import ParameterError, warn

P = ParamSpec("P")
R = TypeVar("R")


def takes_former(**names: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Let a function take keyword arguments under names that they had before.

    Parameters
    ----------
    **names : str
        The name of today by the former one.

    Returns
    -------
    callable
        Decorates the function, whose signature stays as it is.

    Examples
    --------
    >>> import warnings
    >>> @takes_former(n_jobs="workers")
    ... def work(workers=1):
    ...     return workers
    >>> with warnings.catch_warnings(record=True) as seen:
    ...     warnings.simplefilter("always")
    ...     work(n_jobs=2)
    2
    >>> print(seen[0].message)
    n_jobs is called workers now; the former name will be gone in the next release
    """

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        @wraps(function)
        def taking(*args: P.args, **given: P.kwargs) -> R:
            for former in names.keys() & given.keys():
                tell(former, names[former])
                if names[former] in given:
                    raise ParameterError(f"{former} is {names[former]}; give it once")
                given[names[former]] = given.pop(former)
            return function(*args, **given)

        taking.former_names = names  # type: ignore[attr-defined]
        return taking

    return decorate


def former_names(function: object) -> Mapping[str, str]:
    """Get the names of today by former ones, as `takes_former` was told."""
    names: Mapping[str, str] = getattr(function, "former_names", {})
    return names


def formerly(name: str, method: Callable[P, R]) -> Callable[P, R]:
    """Make a method of the name that another had before."""

    @wraps(method)
    def former(*args: P.args, **given: P.kwargs) -> R:
        tell(name, method.__name__)
        return method(*args, **given)

    former.__doc__ = f"Do what `{method.__name__}` does: its former name."
    return former


def tell(former: str, new: str) -> None:
    """Warn of a former name."""
    warn(
        f"{former} is called {new} now; the former name will be gone in the next release",
        DeprecationWarning,
    )


def renamed(settings: Mapping[str, Any], function: object) -> dict[str, Any]:
    """Give settings that were kept under former names those of today, without a warning."""
    names = former_names(function)
    return {names.get(name, name): value for name, value in settings.items()}

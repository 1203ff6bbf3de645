"""What all estimators share: parameters as constructor arguments, in scikit-learn's manner.

scikit-learn's own tools (cross-validation, searches over settings, pipelines) ask an estimator
what it is: from 1.6 on by ``__sklearn_tags__``, before by ``_estimator_type``. Both answers are
here; scikit-learn itself is imported only when it asks.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from functools import cache, wraps
from types import FunctionType
from typing import Annotated, Any, ClassVar, Self, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from seqbio.core._checks import SELF_CHECKED, Kind, checked, checked_labels, kinds_of
from seqbio.core.numerics import IntArray
from seqbio.core.renaming import former_names, renamed, tell
from seqbio.core.tables import Summarised, Table
from seqbio.core.tie_patterns import untied
from seqbio.core.ties import TieTable
from seqbio.core.tying import Tying
from seqbio.errors import ParameterError

Ties: TypeAlias = Annotated[tuple[str, ...] | Tying, SELF_CHECKED]
"""What the setting `tie` takes: names of ties, or a tying of the user's own."""


class Estimator(Summarised):
    """Constructor arguments kept as given, under their own names.

    A subclass takes all its settings as keyword arguments of ``__init__`` and stores each as it
    is; what it learns gets names that end in ``_``. Copies with the same settings are then made
    by ``scikit-learn``'s ``clone``, or by ``type(model)(**model.get_params())``.

    One that predicts classes says so by ``_is_classifier`` (an attribute or a property), and
    keeps its classes, sorted, in ``classes_``; scikit-learn then stratifies by class.
    """

    _is_classifier: bool = False
    _ties: ClassVar[TieTable[Any]] = TieTable("this model", [])
    tie: Ties

    @classmethod
    def ties(cls) -> dict[str, str]:
        """Names that `tie` takes, each with what it says about biology."""
        return cls._ties.meanings()

    def _tie_names(self) -> tuple[str, ...]:
        """Names of the ties that are set; none where the tying is the user's own."""
        return () if isinstance(self.tie, Tying) else self._ties.checked(self.tie)

    def _tied(self, subject: Any, n_full: int) -> Tying:
        """Tie as is set; a tying of the user's own is taken as it is."""
        if isinstance(self.tie, Tying):
            return self.tie
        return self._ties.tying(self._tie_names(), subject, untied(n_full))

    def __init_subclass__(cls, **given: Any) -> None:
        """Let all public methods check the types of settings and of their arguments."""
        super().__init_subclass__(**given)
        for name, member in list(vars(cls).items()):
            if isinstance(member, FunctionType) and not name.startswith("_"):
                setattr(cls, name, _settled(checked(member)))
            elif isinstance(member, staticmethod | classmethod):
                setattr(cls, name, type(member)(checked(member.__func__)))

    def _check_settings_types(self) -> None:
        """Refuse settings of other types than the constructor is said to take."""
        for name, kind in _setting_kinds(type(self).__init__).items():
            kind.check(name, getattr(self, name))

    @property
    def _estimator_type(self) -> str | None:
        return "classifier" if self._is_classifier else None

    def __sklearn_tags__(self) -> Any:
        from sklearn.utils import ClassifierTags, InputTags, Tags, TargetTags

        return Tags(
            estimator_type=self._estimator_type,
            target_tags=TargetTags(required=False),
            classifier_tags=ClassifierTags() if self._is_classifier else None,
            input_tags=InputTags(one_d_array=True, two_d_array=False, string=True),
        )

    @classmethod
    def _settings(cls) -> list[str]:
        return [name for name in inspect.signature(cls.__init__).parameters if name != "self"]

    def get_params(self, deep: bool = True) -> dict[str, Any]:  # noqa: ARG002 (scikit-learn's)
        """Get the settings by name.

        Parameters
        ----------
        deep : bool
            Accepted for scikit-learn; there are no nested estimators.
        """
        return {name: getattr(self, name) for name in self._settings()}

    def set_params(self, **settings: Any) -> Self:
        """Change settings by name and return the estimator itself.

        Raises
        ------
        ParameterError
            There is no such setting.
        """
        former = former_names(type(self).__init__)
        for name in former.keys() & settings.keys():
            tell(name, former[name])
        for name, value in renamed(settings, type(self).__init__).items():
            if name not in self._settings():
                raise ParameterError(
                    f"{type(self).__name__} has no setting {name!r}; it has "
                    f"{', '.join(self._settings())}"
                )
            setattr(self, name, value)
        return self

    def _settings_to_save(self) -> dict[str, Any]:
        """Give the settings as JSON takes them; the state of a random generator is not kept."""
        settings = self.get_params()
        if isinstance(settings["tie"], Tying):
            raise ParameterError(
                "a tying of your own cannot be saved; save what was learned instead"
            )
        if isinstance(settings.get("seed"), np.random.Generator):
            settings["seed"] = None
        for name, value in settings.items():
            if isinstance(value, np.generic | np.ndarray):
                settings[name] = value.tolist()
        return settings

    @classmethod
    def _of_saved(cls, settings: dict[str, Any]) -> Self:
        """Make an estimator of settings from a file, which an older release may have written."""
        saved = cls(**renamed({**settings, "tie": tuple(settings["tie"])}, cls.__init__))
        saved._check_settings_types()
        return saved

    def __getattr__(self, name: str) -> Any:
        """Get a setting by its former name; Python asks only for what is not found otherwise."""
        new = former_names(type(self).__init__).get(name)
        if new is None:
            return object.__getattribute__(self, name)  # fails, with the words of a property
        tell(name, new)
        return getattr(self, new)

    def _summary(self) -> tuple[str, Sequence[Table]]:
        """Sum up what has not learned anything yet; families say what they have learned."""
        return f"{type(self).__name__}, not fitted.", [self.settings_table()]

    def settings_table(self) -> Table:
        """Lay out the settings.

        Returns
        -------
        Table
            A row for each.
        """
        rows = [(name, _setting(value)) for name, value in self.get_params().items()]
        return Table("Settings", (), rows)

    def __str__(self) -> str:
        return repr(self)

    def __repr__(self) -> str:
        defaults = inspect.signature(type(self).__init__).parameters
        changed = [
            f"{name}={value!r}"
            for name, value in self.get_params().items()
            if not _same(value, defaults[name].default)
        ]
        return f"{type(self).__name__}({', '.join(changed)})"


def _setting(value: object) -> str:
    if isinstance(value, tuple | list):
        return ", ".join(map(str, value)) or "none"
    return "default" if value is None else str(value)


@cache
def _setting_kinds(constructor: Callable[..., None]) -> dict[str, Kind]:
    return kinds_of(inspect.unwrap(constructor))


def _settled(method: Callable[..., Any]) -> Callable[..., Any]:
    """Let a method check the settings first."""

    @wraps(method)
    def settled(self: Estimator, *args: Any, **given: Any) -> Any:
        self._check_settings_types()
        return method(self, *args, **given)

    return settled


def numbered(labels: ArrayLike | None, n_items: int, classes: NDArray[Any]) -> IntArray:
    """Give the place of each label among the classes of a model.

    Parameters
    ----------
    labels : array_like, (n_items,)
        Text or numbers.
    n_items : int
        How many there must be.
    classes : ndarray
        What they may be, sorted.

    Returns
    -------
    ndarray of int, (n_items,)
        Counted from 0.

    Raises
    ------
    ParameterError
        There is not one label for each item, or one is none of the classes.

    Examples
    --------
    >>> numbered(["b", "a", "b"], 3, np.array(["a", "b"]))
    array([1, 0, 1])
    """
    values = checked_labels(labels, n_items)
    strange = ~np.isin(values, classes)
    if strange.any():
        raise ParameterError(
            f"label {np.argmax(strange)} is {values[strange][0].item()!r}; the classes are "
            f"{', '.join(map(str, classes))}"
        )
    return np.searchsorted(classes, values).astype(np.intp)


def share_right(predicted: NDArray[Any], labels: ArrayLike | None) -> float:
    """Give the share of labels that are predicted right, the score of a classifier.

    A class that was not there to learn from counts as predicted wrong.

    Parameters
    ----------
    predicted : ndarray, (n_items,)
        Classes.
    labels : array_like, (n_items,)
        What they should be.

    Raises
    ------
    ParameterError
        There is not one label for each item, or labels are numbers and classes are text.

    Examples
    --------
    >>> share_right(np.array(["a", "b", "b", "b"]), ["a", "b", "b", "c"])
    0.75
    """
    values = checked_labels(labels, predicted.size)
    if (values.dtype.kind == "U") != (predicted.dtype.kind == "U"):
        raise ParameterError(
            f"labels are of type {values.dtype} and the classes of type {predicted.dtype}; give "
            "labels like those that the model learned from"
        )
    return float((predicted == values).mean())


def described(tie: Tying | Sequence[str]) -> str:
    """Name a hypothesis by what it ties.

    Parameters
    ----------
    tie : Tying or sequence of str
        Setting of an estimator.

    Returns
    -------
    str
        Never empty.

    Examples
    --------
    >>> described(("open", "extend")), described(())
    ('open and extend tied', 'untied')
    """
    if isinstance(tie, Tying):
        return "a tying of your own"
    return " and ".join(tie) + " tied" if tie else "untied"


def _same(value: object, default: object) -> bool:
    return value is default or (type(value) is type(default) and bool(value == default))

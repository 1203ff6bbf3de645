"""What all estimators share: parameters as constructor arguments, in scikit-learn's manner."""

from __future__ import annotations

import inspect
from typing import Any, Self

from seqbio.errors import ParameterError


class Estimator:
    """Constructor arguments kept as given, under their own names.

    A subclass takes all its settings as keyword arguments of ``__init__`` and stores each as it
    is; what it learns gets names that end in ``_``. Copies with the same settings are then made
    by ``scikit-learn``'s ``clone``, or by ``type(model)(**model.get_params())``.
    """

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
        for name, value in settings.items():
            if name not in self._settings():
                raise ParameterError(
                    f"{type(self).__name__} has no setting {name!r}; it has "
                    f"{', '.join(self._settings())}"
                )
            setattr(self, name, value)
        return self

    def __repr__(self) -> str:
        defaults = inspect.signature(type(self).__init__).parameters
        changed = [
            f"{name}={value!r}"
            for name, value in self.get_params().items()
            if not _same(value, defaults[name].default)
        ]
        return f"{type(self).__name__}({', '.join(changed)})"


def _same(value: object, default: object) -> bool:
    return value is default or (type(value) is type(default) and bool(value == default))

"""The ground floor: an iterative algorithm is a generator of states.

A solver yields a `State` after each step. `IterativeEstimator` turns that generator into

- `fit`, which exhausts it and reports every step to scikit-learn's callbacks;
- `steps`, which hands the states to the caller;
- an estimator that is fitted, as of the last step, after Ctrl-C.

Everything that touches scikit-learn's young callback interface stands in this file.
"""

from __future__ import annotations

import warnings
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Generic, Self, TypeVar

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.callback import CallbackSupportMixin, with_callbacks
from sklearn.exceptions import ConvergenceWarning

from kiso._parts import RowsLostError, TakesParts

__all__ = ["IterativeEstimator", "State"]


@dataclass(frozen=True, kw_only=True)
class State:
    """Where an iterative algorithm stands after a step.

    An algorithm adds what it moves (its coefficients, centres, duals). Arrays in a state
    are its own: a later step never writes into them.

    Attributes
    ----------
    n_iter : int
        Steps done, from 1; in the unit that the estimator's `max_iter` counts.
    objective : float
        The quantity being minimised, at this state.
    converged : bool
        Whether the stopping criterion is met. The state that says so is the last.
    """

    n_iter: int
    objective: float
    converged: bool = False


ProblemT = TypeVar("ProblemT")
StateT = TypeVar("StateT", bound=State)


class IterativeEstimator(
    TakesParts, CallbackSupportMixin, BaseEstimator, ABC, Generic[ProblemT, StateT]
):
    """Base of every estimator whose fit is a sequence of steps.

    A subclass gives three things and calls `_fit` in its `fit`:

    - `_prepare(X, y, ...)` validates the input and returns the problem: what the solver
      needs. It may set attributes that say what the data are (`classes_`).
    - `_iterate(problem)` is the solver: a generator of states.
    - `_fitted(problem, state)` gives the fitted attributes as of a state.

    Attributes
    ----------
    objective_path_ : ndarray of shape (n_steps,)
        The objective after each step of the last fit.
    """

    objective_path_: np.ndarray[Any, np.dtype[np.float64]]

    @abstractmethod
    def _prepare(self, X: Any, y: Any = None, **fit_params: Any) -> ProblemT:
        """Validate the input; return what the solver works on."""

    @abstractmethod
    def _iterate(self, problem: ProblemT) -> Iterator[StateT]:
        """Solve: yield a state after each step."""

    @abstractmethod
    def _fitted(self, problem: ProblemT, state: StateT) -> dict[str, Any]:
        """Return the fitted attributes of an estimator that stopped at this state."""

    def _max_steps(self) -> int | None:
        """Return the largest number of states a fit can yield, None where not known."""
        return getattr(self, "max_iter", None)

    def _observed(self) -> bool:
        """Whether callbacks look at every step of `fit`."""
        return bool(getattr(self, "_skl_callbacks", ()))

    def _not_converged(self, problem: ProblemT, state: StateT) -> str | None:
        """Return what to warn of a fit that ended without converging; None for nothing."""
        return (
            f"{type(self).__name__} did not converge in {state.n_iter} iterations "
            f"(objective {state.objective:.6g}). Scale the features, raise max_iter or tol."
        )

    def steps(self, X: Any, y: Any = None, **fit_params: Any) -> Iterator[StateT]:
        """Fit step by step: an iterator over the states of the algorithm.

        After each state the estimator is fitted as of that state, so a caller can
        predict, draw, inspect, or stop. Bad input is refused here, before the first step.

        Parameters
        ----------
        X, y, **fit_params
            As for `fit`.

        Returns
        -------
        iterator of State
            One state after each step, each a frozen dataclass with at least `n_iter`,
            `objective` and `converged`.
        """
        self._validate_params()
        problem = self._prepare(X, y, **fit_params)
        return self._walk(problem)

    def _walk(self, problem: ProblemT) -> Iterator[StateT]:
        path: list[float] = []
        for state in self._iterate(problem):
            path.append(state.objective)
            self._keep(problem, state, path)
            yield state

    def _keep(self, problem: ProblemT, state: StateT, path: list[float]) -> None:
        for name, value in self._fitted(problem, state).items():
            setattr(self, name, value)
        self.objective_path_ = np.asarray(path, dtype=np.float64)

    @with_callbacks
    def _fit(self, X: Any, y: Any = None, **fit_params: Any) -> Self:
        """Exhaust the solver, report to callbacks, keep the last state."""
        self._validate_params()
        problem = self._prepare(X, y, **fit_params)
        watch = _Watch(self, X, y, {k: v for k, v in fit_params.items() if v is not None})
        state: StateT | None = None
        path: list[float] = []
        states = self._iterate(problem)
        try:
            while True:
                watch.before_step()
                following = next(states, None)
                if following is None:
                    break
                state = following
                path.append(state.objective)
                if watch.after_step(lambda: self._fitted(problem, state)):  # noqa: B023
                    break
        except (KeyboardInterrupt, RowsLostError):
            if state is not None:
                self._keep(problem, state, path)
            raise
        finally:
            states.close()  # type: ignore[attr-defined]
        if state is None:
            raise RuntimeError(f"{type(self).__name__}: the solver yielded no state")
        self._keep(problem, state, path)
        if not (state.converged or watch.stopped):
            message = self._not_converged(problem, state)
            if message is not None:
                warnings.warn(message, ConvergenceWarning, stacklevel=5)
        watch.end(lambda: self._fitted(problem, state))
        return self


class _Watch:
    """One fit as scikit-learn's callbacks see it: a task with one subtask a step."""

    def __init__(self, estimator: Any, X: Any, y: Any, metadata: dict[str, Any]):
        self.estimator = estimator
        self.data = {"X": X, "y": y, "metadata": metadata}
        self.stopped = False
        self.max_steps = estimator._max_steps()
        self.n_steps = 0
        self.step: Any = None
        self.fit = estimator._init_callback_context(max_subtasks=self.max_steps)
        self.watched = estimator._observed()
        self.fit.call_on_fit_task_begin(estimator=estimator, **self.data)

    def before_step(self) -> None:
        if self.watched and (self.max_steps is None or self.n_steps < self.max_steps):
            self.step = self.fit.subcontext(task_name="step")
            self.step.call_on_fit_task_begin(estimator=self.estimator, **self.data)

    def after_step(self, fitted: Any) -> bool:
        """Report a step; True when a callback asks to stop."""
        if self.step is not None:
            self.stopped = self._end(self.step, fitted)
            self.step = None
            self.n_steps += 1
        return self.stopped

    def end(self, fitted: Any) -> None:
        if self.step is not None:  # it began, and the solver was already done
            self._end(self.step, None)
        self._end(self.fit, fitted)

    def _end(self, context: Any, fitted: Any) -> bool:
        return bool(
            context.call_on_fit_task_end(
                estimator=self.estimator, reconstruction_attributes=fitted, **self.data
            )
        )

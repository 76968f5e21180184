"""Maximum likelihood of a sample, by hand or by scores; and from a prior to a posterior."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from .._controls import Choice, Number
from .._scene import Check, DataSpec, Frame, Scene, Task, View
from ._likelihood import Estimate, Likelihood
from ._posterior import Posterior

ML, BAYES = "maximum-likelihood", "posterior"


class BayesScene(Scene):
    """What data say of parameters: the likelihood's top, or all that is left of a prior."""

    name = "bayes"
    rows = (1, 2, 3, 4, 38, 39)
    data = DataSpec(("bell", "line", "blobs", "houses"), n=30, y_is_target=True)
    controls = (
        Choice(name="model", default=ML, options=(ML, BAYES)),
        Choice(name="family", default="normal", options=("normal", "laplace"),
               when=("model", (ML,))),
        Number(name="learning_rate", default=0.5, low=0.05, high=1.0, step=0.05,
               when=("model", (ML,))),
        Number(name="prior_variance", default=1.0, low=0.01, high=100.0, log=True,
               when=("model", (BAYES,))),
        Number(name="noise_variance", default=0.4, low=0.01, high=10.0, log=True,
               when=("model", (BAYES,))),
    )  # fmt: skip
    beside = {"family": "laplace"}
    objectives = ("log_p",)

    def _run(self) -> Any:
        if not hasattr(self, "run"):
            self.run: Any = (Likelihood if self.p["model"] == ML else Posterior)(self)
        return self.run

    def states(self) -> Iterator[Any]:
        """Steps along the score; or points that arrive one by one."""
        yield from self._run().states()

    def resume(self, state: Any, action: Mapping[str, Any]) -> Iterator[Any]:
        """Go on from a place and spread, or with a prior, that were dragged."""
        known = ("curve", "theta") if isinstance(state, Estimate) else ("prior",)
        if action["kind"] not in known:
            yield from super().resume(state, action)
        yield from self._run().resume(state, action)

    def objective(self, state: Any) -> Sequence[float]:
        """Log p of the data: given the parameters, or with the line integrated out."""
        return (state.log_likelihood if isinstance(state, Estimate) else state.evidence,)

    def trace(self, state: Any) -> Mapping[str, Any]:
        """Parameters, or the belief about them."""
        return dict(self._run().trace(state))

    def frame(self, state: Any, focus: Mapping[str, Any] | None) -> Frame:
        """Density and surface; or band and weights."""
        frame: Frame = self._run().frame(state, focus)
        return frame

    def check(self, state: Any) -> list[Check]:
        """Compare with SciPy and an optimiser; or with a grid and ridge regression."""
        return list(self._run().check(state))

    def script(self, actions: Sequence[Mapping[str, Any]], last: int) -> str:
        """Write the same run."""
        return str(self._run().script(actions, last))


def _gap(view: View) -> float:
    """How far a point's log-likelihood, on average, is below the top; infinite for a posterior."""
    state = view.state
    if not isinstance(state, Estimate):
        return float("inf")
    run = view.scene.run
    return float((run.log_likelihood(run.top) - state.log_likelihood) / len(run.x))


def _by_hand(view: View) -> bool:
    return bool(view.state.by_hand and _gap(view) < 0.01) if _gap(view) < np.inf else False


def _outlier(view: View) -> bool:
    """Median and mean far apart, and the fit at the median."""
    run = view.scene.run
    if _gap(view) > 1e-3 or run.normal:
        return False
    return bool(abs(run.x.mean() - run.top[0]) > 0.5 * run.top[1])


def _stubborn(view: View) -> bool:
    """After at least five points the posterior mean is nearer to the prior than to the data."""
    state = view.state
    if isinstance(state, Estimate) or state.n < 5 or state.phase != "update":
        return False
    rows = view.scene.run.order[: state.n]
    free = np.linalg.lstsq(view.scene.run.Phi[rows], view.scene.run.t[rows], rcond=None)[0]
    return bool(np.linalg.norm(state.mean - state.prior_mean) < np.linalg.norm(state.mean - free))


def _surprised(view: View) -> bool:
    state = view.state
    if isinstance(state, Estimate) or state.row < 0 or state.n < 3:
        return False
    return bool(abs(view.scene.run._surprise(state)) > 4)


BayesScene.tasks = (
    Task("top", lambda view: _gap(view) < 1e-4),
    Task("by-hand", _by_hand),
    Task("outlier", _outlier),
    Task("stubborn", _stubborn),
    Task("surprise", _surprised),
)

SCENE = BayesScene

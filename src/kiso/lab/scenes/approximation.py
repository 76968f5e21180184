"""Functions by polynomials, by trained networks, and powers by networks that are constructed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from .._controls import Choice, Number
from .._scene import Check, Frame, Scene, Task, View
from ._constructed_net import Constructed, Construction, curves
from ._interpolants import Interpolant, Interpolation
from ._targets import TARGETS
from ._trained_net import Trained, Training

POLYNOMIAL, TRAINED, FOUR, LEMMA = "polynomial", "trained-network", "four-neurons", "lemma"
FITS, BUILT = (POLYNOMIAL, TRAINED), (FOUR, LEMMA)


class ApproximationScene(Scene):
    """More points, more iterations, a smaller h: what becomes of the largest error."""

    name = "approximation"
    rows = (34, 37, 40, 41, 42, 43, 44, 45, 46)
    controls = (
        Choice(name="method", default=POLYNOMIAL, options=(*FITS, *BUILT)),
        Choice(name="target", default="runge", options=tuple(TARGETS), when=("method", FITS)),
        Choice(name="nodes", default="equispaced", options=("equispaced", "chebyshev"),
               when=("method", (POLYNOMIAL,))),
        Number(name="units", default=6, low=1, high=12, whole=True, when=("method", (TRAINED,))),
        Number(name="h", default=0.5, low=1e-8, high=1.0, log=True, when=("method", BUILT)),
        Number(name="highest", default=5, low=1, high=6, whole=True, when=("method", (LEMMA,))),
        Choice(name="order", default="2", options=("2", "4", "6"), when=("method", (LEMMA,))),
    )  # fmt: skip
    beside = {"nodes": "chebyshev"}
    objectives = ("error",)
    log_objective = True

    @cached_property
    def run(self) -> Any:
        """The run of the method chosen."""
        kinds: dict[str, Any] = {POLYNOMIAL: Interpolation, TRAINED: Training}
        return kinds.get(self.p["method"], Construction)(self)

    def states(self) -> Iterator[Any]:
        """A degree, an iteration or half an h more at each step."""
        yield from self.run.states()

    def resume(self, state: Any, action: Mapping[str, Any]) -> Iterator[Any]:
        """Go on from an h that was dragged."""
        if action["kind"] != "h" or not isinstance(state, Constructed):
            yield from super().resume(state, action)
        yield from self.run.resume(state, action)

    def objective(self, state: Any) -> Sequence[float]:
        """The largest error; of the highest power, where there are several."""
        return (float(state.errors[-1]) if isinstance(state, Constructed) else state.error,)

    def trace(self, state: Any) -> Mapping[str, Any]:
        """What was made, and its error."""
        return dict(self.run.trace(state))

    def frame(self, state: Any, focus: Mapping[str, Any] | None) -> Frame:
        """The function and what approximates it; errors."""
        frame: Frame = self.run.frame(state, focus)
        return frame

    def check(self, state: Any) -> list[Check]:
        """Compare with exact arithmetic, or with the formulas."""
        return list(self.run.check(state))

    def script(self, actions: Sequence[Mapping[str, Any]], last: int) -> str:
        """Write the same run."""
        return str(self.run.script(actions, last))


def _diverged(view: View) -> bool:
    """Equal distances err by more than a hundred."""
    return isinstance(view.state, Interpolant) and view.state.error > 100


def _chebyshev(view: View) -> bool:
    """A polynomial of Runge's function to five places."""
    return bool(isinstance(view.state, Interpolant) and view.state.error < 1e-5
                and view.scene.p["target"] == "runge")  # fmt: skip


def _small_net(view: View) -> bool:
    """Runge's function to a hundredth by at most six units."""
    p = view.scene.p
    return bool(isinstance(view.state, Trained) and view.state.error < 0.01
                and p["units"] <= 6 and p["target"] == "runge")  # fmt: skip


def _followed(view: View) -> bool:
    """The jump to a hundredth, where |x| ≥ 0.05."""
    return bool(not isinstance(view.state, Constructed) and view.state.error < 0.01
                and view.scene.p["target"] == "jump")  # fmt: skip


def _wall(view: View) -> bool:
    """The error of x³ by four neurons within twice the least of all h."""
    state = view.state
    if not isinstance(state, Constructed) or view.scene.p["method"] != FOUR:
        return False
    least = float(np.min(curves(view.scene.run.key)[0][-1]))
    return bool(state.errors[-1] < 2 * least)


ApproximationScene.tasks = (
    Task("diverged", _diverged),
    Task("chebyshev", _chebyshev),
    Task("small-net", _small_net),
    Task("wall", _wall),
    Task("jump", _followed),
)

SCENE = ApproximationScene

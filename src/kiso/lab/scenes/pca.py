"""PCA: turn an axis by hand until the variance along it is largest."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from kiso.decomposition import PCA

from .. import _marks as m
from .._controls import Flag, Number
from .._marks import Axis, Picture
from .._scene import Check, DataSpec, Frame, Msg, Rule, Scene, Task, View
from ._plane import plane_axes

Array = np.ndarray[Any, np.dtype[Any]]

N_ANGLES = 37  # from 0 to 180 degrees
N_DIGITS = 6


@dataclass(frozen=True)
class Turn:
    """The axis at one angle.

    Attributes
    ----------
    angle : float
        Radians.
    axis : ndarray of shape (2,)
    variance : float
        Along the axis.
    lost : float
        Mean squared distance of the points to the axis.
    """

    angle: float
    axis: Array
    variance: float
    lost: float


class PCAScene(Scene):
    """Variance along an axis that turns, against the axis of largest variance."""

    name = "pca"
    rows = (15,)
    data = DataSpec(("ellipse", "two-blobs", "blobs", "uniform", "houses"), n=160)
    controls = (
        Number(name="start", default=0.0, low=0.0, high=175.0, step=5.0),
        Number(name="n_components", default=8, low=1, high=64, whole=True),
        Flag(name="whiten", default=False),
    )
    beside = {"whiten": True}
    objectives = ("variance", "lost")
    keep_step = True

    def _prepare(self) -> None:
        if len(self.X) < 3:
            raise ValueError(f"{len(self.X)} points are too few: add points")
        X = self.X
        if self.p["whiten"]:  # each column in units of its standard deviation
            X = (X - X.mean(axis=0)) / np.where(X.std(axis=0) > 0, X.std(axis=0), 1.0)
        self.Z = X
        self.centred = X - X.mean(axis=0)
        self.pca = PCA(2).fit(X)

    def states(self) -> Iterator[Turn]:
        """Turn the axis by five degrees a step."""
        self._prepare()
        for step in range(N_ANGLES):
            angle = np.radians((self.p["start"] + 5.0 * step) % 180.0)
            yield self._at(float(angle))

    def _at(self, angle: float) -> Turn:
        axis = np.array([np.cos(angle), np.sin(angle)])
        along = self.centred @ axis
        lost = np.sum(self.centred**2) - np.sum(along**2)
        n = len(self.centred) - 1
        return Turn(angle, axis, float(along @ along / n), float(lost / n))

    def resume(self, state: Turn, action: Mapping[str, Any]) -> Iterator[Turn]:
        """Go on from an axis that was turned by hand."""
        if action["kind"] != "tip":
            yield from super().resume(state, action)
        to = np.asarray(action["to"], float) - self.Z.mean(axis=0)
        angle = float(np.arctan2(to[1], to[0]) % np.pi)
        for step in range(N_ANGLES):
            yield self._at(float((angle + np.radians(5.0 * step)) % np.pi))

    def objective(self, state: Turn) -> Sequence[float]:
        """Variance along the axis, and what it leaves."""
        return (state.variance, state.lost)

    def trace(self, state: Turn) -> Mapping[str, Any]:
        """The axis and both variances."""
        return {"angle": state.angle, "variance": state.variance, "lost": state.lost}

    # --- pictures ---------------------------------------------------------------------------

    def frame(self, state: Turn, focus: Mapping[str, Any] | None) -> Frame:
        """Points, the axis and their shadows on it; variance against angle; digits."""
        x, y = plane_axes(self.Z, None if self.p["whiten"] else self.points)
        mean = self.Z.mean(axis=0)
        along = self.centred @ state.axis
        shadow = mean + along[:, None] * state.axis
        reach = 1.1 * float(np.abs(along).max()) or 1.0
        tip = 2.0 * np.sqrt(max(state.variance, 1e-12)) * state.axis
        first = self.pca.components_[0] * 2.0 * np.sqrt(self.pca.explained_variance_[0])
        marks = [
            m.line("axis", [mean - reach * state.axis, mean + reach * state.axis], color=1),
            m.segments("residuals", np.hstack([self.Z, shadow]), color="muted", alpha=0.35,
                       term="lost"),
            m.points("points", self.Z, color=0, data=not self.p["whiten"], term="x"),
            m.points("shadows", shadow, color=1, size=3, term="z"),
            m.arrows("solution", [[*mean, *first]], color="ink", label=Msg("pca.solution")),
            m.handle("tip", [mean + tip], color=1),
        ]  # fmt: skip
        share = 100 * state.variance / max(state.variance + state.lost, 1e-300)
        title = Msg("pca.turn", degrees=float(np.degrees(state.angle)), share=share)
        pictures = [
            Picture("plane", marks, x, y, title=title, equal=True, edit=not self.p["whiten"],
                    wide=1.3),
            self._curve(state),
            self._digits(),
        ]  # fmt: skip
        facts = [(Msg("pca.fact.variance"), state.variance), (Msg("pca.fact.lost"), state.lost),
                 (Msg("pca.fact.largest"), float(self.pca.explained_variance_[0]))]  # fmt: skip
        return Frame(pictures, self._rules(state), title, facts=facts)

    def _curve(self, state: Turn) -> Picture:
        angles = np.linspace(0, np.pi, 181)
        axes = np.column_stack([np.cos(angles), np.sin(angles)])
        variance = np.sum((self.centred @ axes.T) ** 2, axis=0) / (len(self.centred) - 1)
        top = float(self.pca.explained_variance_[0])
        marks = [
            m.line("variance", np.column_stack([np.degrees(angles), variance]), color=0),
            m.rule_line("top", y=top, label="λ₁"),
            m.rule_line("bottom", y=float(self.pca.explained_variance_[1]), label="λ₂"),
            m.points("now", [[np.degrees(state.angle), state.variance]], color=1, size=7),
        ]
        return Picture("curve", marks, Axis(0.0, 180.0, Msg("pca.angle")),
                       Axis(0.0, 1.12 * top or 1.0, Msg("pca.objectives.variance")),
                       title=Msg("pca.curve"))  # fmt: skip

    @cached_property
    def _rebuilt(self) -> tuple[Array, float]:
        """Some digits above the same from their first components, and the share of variance."""
        from sklearn.datasets import load_digits

        X = load_digits().data[:600] / 16
        model = PCA(self.p["n_components"]).fit(X)
        made = model.inverse_transform(model.transform(X[:N_DIGITS]))
        return np.vstack([X[:N_DIGITS], made]), 100 * float(model.explained_variance_ratio_.sum())

    def _digits(self) -> Picture:
        """Digits from their first components."""
        rows, share = self._rebuilt
        stack = np.clip(rows.reshape(-1, 8, 8), 0, 1)
        title = Msg("pca.digits", k=self.p["n_components"], share=share)
        return Picture("digits", [m.images("digits", stack, columns=N_DIGITS, low=0.0, high=1.0)],
                       title=title)  # fmt: skip

    def _rules(self, state: Turn) -> list[Rule]:
        C = self.centred.T @ self.centred / (len(self.centred) - 1)
        return [
            Rule(
                r"\mathrm{Var}[\t{z}{z}] = \t{v}{v}^T \t{C}{C}\, v, \quad z = v^T (x - \bar x)",
                r"@var = @v^T @C\, @v", {"var": state.variance, "v": state.axis, "C": C}, "var",
                lambda v, C: v @ C @ v, Msg("pca.rule.variance"),
            ),
            Rule(
                r"\mathrm{tr}\, C = \mathrm{Var}[z] + \t{lost}{\text{left over}}",
                r"@trace = @var + @lost",
                {"trace": np.trace(C), "var": state.variance, "lost": state.lost}, "trace",
                lambda var, lost: var + lost, Msg("pca.rule.split"),
            ),
        ]  # fmt: skip

    def check(self, state: Turn) -> list[Check]:
        """Compare the variance with NumPy's, and the solution with scikit-learn's."""
        from sklearn import decomposition

        reference = decomposition.PCA(2).fit(self.Z)
        return [
            Check(Msg("pca.check.numpy"), state.variance,
                  np.var(self.Z @ state.axis, ddof=1), 1e-9 * max(1.0, state.variance)),
            Check(Msg("pca.check.sklearn"), self.pca.explained_variance_,
                  reference.explained_variance_, 1e-9 * float(self.pca.explained_variance_[0])),
        ]  # fmt: skip

    def script(self, actions: Sequence[Mapping[str, Any]], last: int) -> str:
        """Write the same turns."""
        text = """
if WHITEN:  # each column in units of its standard deviation
    X = (X - X.mean(axis=0)) / np.where(X.std(axis=0) > 0, X.std(axis=0), 1.0)
centred = X - X.mean(axis=0)

def at(angle):
    along = centred @ np.array([np.cos(angle), np.sin(angle)])
    lost, n = np.sum(centred**2) - np.sum(along**2), len(centred) - 1
    return dict(angle=angle, variance=along @ along / n, lost=lost / n)

""".replace("WHITEN", str(self.p["whiten"]))
        text += f"angles = [np.radians(({self.p['start']!r} + 5.0 * step) % 180.0) "
        text += f"for step in range({N_ANGLES})]\n"
        for action in actions:
            text += f"""
to = np.array({list(action["to"])!r}) - X.mean(axis=0)
angle = float(np.arctan2(to[1], to[0]) % np.pi)
turned = [(angle + np.radians(5.0 * step)) % np.pi for step in range({N_ANGLES})]
angles = angles[: {action["t"]}] + turned
"""
        return text + f"trace = [at(float(angle)) for angle in angles][: {last} + 1]"


def _near(view: View, which: int) -> bool:
    """The axis is within three degrees of a principal one that differs from the other."""
    scene, variances = view.scene, view.scene.pca.explained_variance_
    if variances[0] < 1.2 * variances[1] or len(view.states) < 2:
        return False
    cosine = abs(float(view.state.axis @ scene.pca.components_[which]))
    return cosine > np.cos(np.radians(3))


def _all_alike(view: View) -> bool:
    """Data whose variance hardly depends on the angle."""
    a, b = view.scene.pca.explained_variance_
    return bool(b > 0.8 * a and len(view.states) > 1)


def _ninety(view: View) -> bool:
    """Few components that keep ninety per cent of the digits' variance."""
    _, share = view.scene._rebuilt
    return bool(share >= 90 and view.scene.p["n_components"] <= 22)


PCAScene.tasks = (
    Task("largest", lambda view: _near(view, 0)),
    Task("smallest", lambda view: _near(view, 1)),
    Task("alike", _all_alike),
    Task("ninety", _ninety),
)

SCENE = PCAScene

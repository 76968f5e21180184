"""Pictures that deceive a trained net: along the gradient, by one pixel, by a patch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from scipy.special import softmax

from kiso.adversarial import loss_gradient, one_pixel, patch_steps, pgd
from kiso.nn import plain

from .. import _marks as m
from .._controls import Choice, Number
from .._marks import Axis, Picture
from .._scene import Check, Frame, Msg, Rule, Scene, Task, View
from ._digits import digits, script_of_network, trained

Array = np.ndarray[Any, np.dtype[Any]]

SIDE = 4  # of the patch, in pixels
EVERY, N_PATCH = 5, 200  # steps of the patch from state to state, and in all
GENERATIONS, POPULATION = 20, 20
START = (2, 2)  # where the patch lies first
TINY = 1e-300


@dataclass(frozen=True)
class Step:
    """The picture as it is now, and what the net says of it.

    Attributes
    ----------
    phase : str
    k : int
        Steps, generations or steps of the patch.
    image, before : ndarray of shape (8, 8)
        Now, and one step earlier.
    slope : ndarray of shape (8, 8)
        ∂C/∂x at `before`, C = −ln p of the label (of the target, towards one).
    scores, p : ndarray of shape (10,)
        z and its softmax.
    patch : ndarray of shape (4, 4) or None
    place : (int, int)
        Row and column of the patch's first pixel.
    """

    phase: str
    k: int
    image: Array
    before: Array
    slope: Array
    scores: Array
    p: Array
    patch: Array | None = None
    place: tuple[int, int] = START


class AdversarialScene(Scene):
    """Small changes of a digit, and large ones of a part."""

    name = "adversarial"
    rows = (70, 71)
    controls = (
        Choice(name="view", default="gradient", options=("gradient", "one-pixel", "patch")),
        Number(name="digit", default=0, low=0, high=299, whole=True),
        Number(name="eps", default=0.2, low=0.0, high=0.6, step=0.01,
               when=("view", ("gradient",))),
        Choice(name="norm", default="linf", options=("linf", "l2"), when=("view", ("gradient",))),
        Choice(name="target", default="any", options=("any", *map(str, range(10))),
               when=("view", ("gradient",))),
        Number(name="n_steps", default=10, low=1, high=20, whole=True,
               when=("view", ("gradient",))),
        Number(name="patch_target", default=8, low=0, high=9, whole=True,
               when=("view", ("patch",))),
    )  # fmt: skip
    beside = {"norm": "l2"}
    objectives = ("truth", "other")
    keep_step = True

    def __init__(self, params: Mapping[str, Any], data: Any, seed: int):
        super().__init__(params, data, seed)
        X, y = digits()
        self.x, self.label = X[self.p["digit"], 0], int(y[self.p["digit"]])
        self.target: int | None = None
        if self.p["view"] == "patch":
            self.target = self.p["patch_target"]
        elif self.p["view"] == "gradient" and self.p["target"] != "any":
            self.target = int(self.p["target"])

    @cached_property
    def net(self) -> Any:
        """The trained network."""
        return trained(self.seed)

    # --- steps ------------------------------------------------------------------------------

    def states(self) -> Iterator[Step]:
        """Steps up the gradient, generations of pixels, or steps of the patch."""
        view = self.p["view"]
        yield self._at("start", 0, self.x, self.x)
        if view == "gradient":
            before = self.x
            for k in range(1, self.p["n_steps"] + 1):
                image = self._climbed(k)
                yield self._at("climb", k, image, before)
                before = image
        elif view == "one-pixel":
            yield from self._pixels(0)
        else:
            yield from self._patches(START, 0)

    def _climbed(self, k: int) -> Array:
        """Return the picture after k steps of projected gradient ascent."""
        p = self.p
        found = pgd(self.net, self.x[None, None], np.array([self.label]), eps=p["eps"],
                    norm=p["norm"], step=self._rate, n_steps=k, target=self.target)  # fmt: skip
        return np.asarray(found.images[0, 0])

    @property
    def _rate(self) -> float:
        """2.5 ε / n; a single step goes all the way."""
        n = self.p["n_steps"]
        return float(self.p["eps"] if n == 1 else 2.5 * self.p["eps"] / n)

    def _pixels(self, done: int) -> Iterator[Step]:
        for k in range(done + 1, GENERATIONS + 1):
            found = one_pixel(self.net, self.x[None, None], np.array([self.label]),
                              population=POPULATION, n_generations=k,
                              random_state=self.seed)  # fmt: skip
            yield self._at("evolve", k, found.images[0, 0], self.x)

    def _patches(self, place: tuple[int, int], done: int) -> Iterator[Step]:
        X, y = digits()
        steps = patch_steps(self.net, X[y != self.target], target=self.target, size=SIDE,
                            scales=(1, 1), rotations=(0, 0), n_steps=N_PATCH, batch_size=32,
                            random_state=self.seed)  # fmt: skip
        for state in steps:
            if state.n_iter % EVERY == 0 and state.n_iter // EVERY > done:
                patch = state.patch[0]
                yield self._at("paste", state.n_iter // EVERY, laid(self.x, patch, place), self.x,
                               patch, place)  # fmt: skip

    def _at(self, phase: str, k: int, image: Array, before: Array, patch: Array | None = None,
            place: tuple[int, int] = START) -> Step:  # fmt: skip
        aim = self.label if self.target is None else self.target
        slope = loss_gradient(self.net, before[None, None], np.array([aim]))[0, 0]
        z = self.net(image[None, None])[0]
        return Step(phase, k, image, before, slope, z, np.asarray(softmax(z)), patch, place)

    def resume(self, state: Step, action: Mapping[str, Any]) -> Iterator[Step]:
        """A pixel of the user's choice, or the patch dragged to another place."""
        if action["kind"] == "patch" and state.patch is not None:
            place = place_of(action["to"])
            yield self._at(state.phase, state.k, laid(self.x, state.patch, place), self.x,
                           state.patch, place)  # fmt: skip
            yield from self._patches(place, state.k)
        elif action["kind"] == "draw" and self.p["view"] == "one-pixel":
            yield self._at("own", state.k, flipped(self.x, action["pixels"]), self.x)
            yield from self._pixels(state.k)
        else:
            yield from super().resume(state, action)

    def objective(self, state: Step) -> Sequence[float]:
        """Probabilities of the label and of the strongest other answer."""
        return (float(state.p[self.label]), float(np.delete(state.p, self.label).max()))

    def trace(self, state: Step) -> Mapping[str, Any]:
        """The picture and the probabilities."""
        return {"phase": state.phase, "image": state.image, "p": state.p}

    # --- pictures ---------------------------------------------------------------------------

    def frame(self, state: Step, focus: Mapping[str, Any] | None) -> Frame:
        """The picture, the change enlarged, the net's confidence."""
        change = state.image - self.x
        largest = float(np.abs(change).max())
        answer = int(state.p.argmax())
        percent = 100 * float(state.p.max())
        order = np.arange(10)[::-1]
        first = np.asarray(softmax(self.net(self.x[None, None])[0]))
        color = np.where(order == self.label, 2, 0)
        color[order == answer] = 2 if answer == self.label else 1
        bars = [
            m.bars("first", first[order], x=np.arange(10) + 0.2, width=0.28, horizontal=True,
                   color="muted", label=Msg("adversarial.first")),
            m.bars("p", state.p[order], x=np.arange(10) - 0.14, width=0.4, horizontal=True,
                   names=[str(i) for i in order], color=color, term="p",
                   label=Msg("adversarial.now")),
        ]  # fmt: skip
        shown = np.stack([self.x, 0.5 + 0.5 * change / (largest or 1.0)])
        pictures = [
            self._main(state, answer, percent),
            Picture("change", [m.images("change", shown, columns=2, low=0.0, high=1.0,
                                        names=[str(self.label), "±"], term="change")],
                    title=Msg("adversarial.change", most=largest,
                              times=1 / largest if largest else 1.0)),
            Picture("confidence", bars, Axis(0.0, 1.0, Msg("adversarial.probability")),
                    Axis(-0.6, 9.6, ""),
                    title=Msg("adversarial.right" if answer == self.label else
                              "adversarial.wrong", digit=str(answer), percent=percent)),
        ]  # fmt: skip
        summary = Msg(f"adversarial.{state.phase}", k=state.k * (EVERY if state.patch is not None
                      else 1), digit=str(answer), percent=percent)  # fmt: skip
        facts = [
            (Msg("adversarial.fact.label"), self.label),
            (Msg("adversarial.fact.changed"), int(np.count_nonzero(change))),
            (Msg("adversarial.fact.linf"), largest),
            (Msg("adversarial.fact.l2"), float(np.linalg.norm(change))),
        ]
        return Frame(pictures, self._rules(state, focus), summary,
                     "" if state.phase == "start" else state.phase, facts=facts)  # fmt: skip

    def _main(self, state: Step, answer: int, percent: float) -> Picture:
        title = Msg("adversarial.says", digit=str(answer), percent=percent)
        view = self.p["view"]
        if view != "patch":
            mark = m.images("image", state.image[None], low=0.0, high=1.0,
                            draw=view == "one-pixel", term="x")  # fmt: skip
            return Picture("image", [mark], title=Msg("adversarial.own_pixel")
                           if view == "one-pixel" else title)  # fmt: skip
        marks = [m.field_of("image", state.image[::-1], (0, 7, 0, 7), scale="grey", low=0.0,
                            high=1.0, term="x")]  # fmt: skip
        if state.patch is not None:
            r, c = state.place
            left, high = c - 0.5, 7.5 - r
            right, low = left + SIDE, high - SIDE
            marks.append(m.line("edge", [[left, low], [right, low], [right, high], [left, high],
                                         [left, low]], color=1))  # fmt: skip
            marks.append(m.handle("patch", [[left + SIDE / 2, low + SIDE / 2]], color=1, size=7))
            title = Msg("adversarial.drag")
        columns, rows = (Axis(-0.5, 7.5, Msg(f"adversarial.{way}")) for way in ("column", "row"))
        return Picture("image", marks, columns, rows, title=title, equal=True)

    def _rules(self, state: Step, focus: Mapping[str, Any] | None) -> list[Rule]:
        i, j = divmod(int(np.abs(state.image - state.before).argmax()), 8)
        if focus is not None and focus["key"] == "image":
            i, j = divmod(min(int(focus["index"]), 63), 8)
        aim = self.label if self.target is None else self.target
        rules = [] if state.k == 0 or state.phase == "own" else {
            "gradient": self._step_rules, "one-pixel": self._pixel_rules,
            "patch": self._patch_rules}[self.p["view"]](state, i, j)  # fmt: skip
        rules.append(Rule(
            rf"\t{{C}}{{C}} = -\ln \t{{p}}{{p_{{{aim}}}}}, \quad "
            rf"p_{{{aim}}} = \frac{{e^{{z_{{{aim}}}}}}}{{\sum_c e^{{z_c}}}}",
            r"@C = -\ln \frac{e^{@z}}{@all}",
            {"C": -float(np.log(max(state.p[aim], TINY))), "z": state.scores[aim],
             "all": np.exp(state.scores).sum()}, "C",
            lambda z, **other: -np.log(np.exp(z) / other["all"]),
            Msg("adversarial.rule.loss", digit=str(aim)),
        ))  # fmt: skip
        return rules

    def _step_rules(self, state: Step, i: int, j: int) -> list[Rule]:
        eps, up = self.p["eps"], 1.0 if self.target is None else -1.0
        sign = "+" if self.target is None else "-"
        x, first, g = state.before[i, j], self.x[i, j], state.slope[i, j]
        common = {"x": x, "first": first, "rate": self._rate}
        where = {"i": i + 1, "j": j + 1}
        if self.p["norm"] == "linf":
            return [Rule(
                rf"\t{{x}}{{x_{{ij}}}} \leftarrow \Pi\left(x_{{ij}} {sign} \alpha\, "
                rf"\mathrm{{sign}}\, \t{{g}}{{\partial C / \partial x_{{ij}}}}\right)",
                rf"@new = \Pi\left(@x {sign} @rate \cdot \mathrm{{sign}}(@g)\right), \quad "
                r"\Pi: x^0 \pm \epsilon = @first \pm @eps",
                {"new": state.image[i, j], **common, "g": g, "eps": eps}, "new",
                lambda x, first, rate, g, eps: np.clip(np.clip(
                    x + up * rate * np.sign(g), first - eps, first + eps), 0, 1),
                Msg("adversarial.rule.linf", **where),
            )]  # fmt: skip
        length = float(np.linalg.norm(state.slope))
        whole = state.before + up * self._rate * state.slope / max(length, TINY)
        far = float(np.linalg.norm(whole - self.x))
        return [Rule(
            rf"\t{{x}}{{x}} \leftarrow x^0 + \min\left(1, \frac{{\epsilon}}{{\lVert d \rVert}}"
            rf"\right) d, \quad d = x {sign} \alpha \frac{{\t{{g}}{{g}}}}{{\lVert g \rVert}} - x^0",
            rf"@new = @first + \min\left(1, \frac{{@eps}}{{@far}}\right)\left(@x {sign} @rate "
            r"\frac{@g}{@length} - @first\right)",
            {"new": state.image[i, j], **common, "g": g, "eps": eps, "far": far,
             "length": length}, "new",
            lambda x, first, rate, g, eps, far, length: np.clip(
                first + min(1.0, eps / max(far, TINY))
                * (x + up * rate * g / max(length, TINY) - first), 0, 1),
            Msg("adversarial.rule.l2", **where),
        )]  # fmt: skip

    def _pixel_rules(self, state: Step, i: int, j: int) -> list[Rule]:
        changed = state.image != self.x
        return [Rule(
            r"\t{n}{\lVert x - x^0 \rVert_0} = \#\{ij : x_{ij} \ne x^0_{ij}\}",
            r"@n = \#\{ @x \ne @first \}",
            {"n": int(np.count_nonzero(changed)), "x": state.image[i, j], "first": self.x[i, j]},
            "n", lambda x, first: int(x != first),
            Msg("adversarial.rule.pixel", i=i + 1, j=j + 1),
        )] if changed[i, j] else []  # fmt: skip

    def _patch_rules(self, state: Step, i: int, j: int) -> list[Rule]:
        assert state.patch is not None
        r, c = state.place
        inside = r <= i < r + SIDE and c <= j < c + SIDE
        value = float(state.patch[i - r, j - c]) if inside else 0.0
        return [Rule(
            r"\t{x}{x_{ij}} = (1 - m_{ij})\, x^0_{ij} + m_{ij}\, \t{q}{q_{ij}}",
            "@new = (1 - @m) \\cdot @first + @m \\cdot @q",
            {"new": state.image[i, j], "m": int(inside), "first": self.x[i, j], "q": value},
            "new", lambda m, first, q: (1 - m) * first + m * q,
            Msg("adversarial.rule.patch", i=i + 1, j=j + 1),
        )]  # fmt: skip

    def check(self, state: Step) -> list[Check]:
        """Probabilities by readable layers; the gradient by differences, beside all corners."""
        with plain():
            p = np.asarray(softmax(self.net(state.image[None, None])[0]))
        aim, h = self.label if self.target is None else self.target, 1e-6
        # equal pixels meet in a maximum, which has no gradient there: look a hair beside
        x = state.before + 1e-3 * np.random.default_rng(0).standard_normal((8, 8))
        moved = x + h * np.concatenate([np.eye(64), -np.eye(64)]).reshape(-1, 8, 8)
        z = self.net(moved[:, None])
        C = np.log(np.exp(z - z[:, aim : aim + 1]).sum(axis=1))
        slope = loss_gradient(self.net, x[None, None], np.array([aim])).ravel()
        return [
            Check(Msg("adversarial.check.plain"), state.p, p, 1e-9),
            Check(Msg("adversarial.check.slope"), slope, (C[:64] - C[64:]) / (2 * h), 1e-4),
        ]

    def script(self, actions: Sequence[Mapping[str, Any]], last: int) -> str:
        """Write the same attack by the library's functions."""
        p, view = self.p, self.p["view"]
        text = f"""
from scipy.special import softmax
from sklearn.datasets import load_digits
{script_of_network(self.seed)}
X, y = load_digits(return_X_y=True)
shown = np.random.default_rng(0).permutation(len(X))[:300]
X, y = X[shown].reshape(-1, 1, 8, 8) / 16.0, y[shown]
x, label = X[{p["digit"]}], y[{p["digit"]} : {p["digit"]} + 1]
trace = []

def note(phase, image):
    trace.append(dict(phase=phase, image=image[0], p=softmax(net(image[None])[0])))

note("start", x)
"""
        if view == "gradient":
            text += f"""
from kiso.adversarial import pgd
for k in range(1, {p["n_steps"]} + 1):
    found = pgd(net, x[None], label, eps={p["eps"]!r}, norm={p["norm"]!r}, step={self._rate!r},
                n_steps=k, target={self.target!r})
    note("climb", found.images[0])
"""
        elif view == "one-pixel":
            text += f"""
from kiso.adversarial import one_pixel

def evolve(done):
    for k in range(done + 1, {GENERATIONS} + 1):
        found = one_pixel(net, x[None], label, population={POPULATION}, n_generations=k,
                          random_state={self.seed})
        note("evolve", found.images[0])

evolve(0)
"""
            for action in actions:
                t = action["t"]
                text += f"del trace[{t}:]\nnote('own', np.array("
                text += f"{flipped(self.x, action['pixels'])[None].tolist()!r}))\nevolve({t})\n"
        else:
            text += f"""
from kiso.adversarial import patch_steps
steps = patch_steps(net, X[y != {self.target}], target={self.target}, size={SIDE}, scales=(1, 1),
                    rotations=(0, 0), n_steps={N_PATCH}, batch_size=32, random_state={self.seed})
patches = [s.patch for s in steps if s.n_iter % {EVERY} == 0]

def paste(row, column, done):
    for patch in patches[done:]:
        image = x.copy()
        image[:, row : row + {SIDE}, column : column + {SIDE}] = patch
        note("paste", image)

paste({START[0]}, {START[1]}, 0)
"""
            for action in actions:
                r, c = place_of(action["to"])
                text += f"del trace[{action['t']}:]\npaste({r}, {c}, {action['t']} - 1)\n"
        return text + f"trace = trace[: {last} + 1]"


def laid(x: Array, patch: Array, place: tuple[int, int]) -> Array:
    """Return the picture with the patch at this place."""
    image, (r, c) = x.copy(), place
    image[r : r + SIDE, c : c + SIDE] = patch
    return image


def place_of(to: Sequence[float]) -> tuple[int, int]:
    """Return row and column of the first pixel of a patch dragged to this middle."""
    half, last = (SIDE - 1) / 2, 8 - SIDE
    row, column = round(7 - float(to[1]) - half), round(float(to[0]) - half)
    return min(max(row, 0), last), min(max(column, 0), last)


def flipped(x: Array, pixels: Sequence[Sequence[int]]) -> Array:
    """Return the picture with the last pixel of a stroke white where it was dark, or dark."""
    i, j = (min(max(int(v), 0), 7) for v in pixels[-1])
    image = x.copy()
    image[i, j] = 1.0 if x[i, j] < 0.5 else 0.0
    return image


def _deceived(view: View, kind: str) -> bool:
    """The net was right, and is wrong now, by this kind of attack."""
    scene, states = view.scene, view.states
    if scene.p["view"] != kind or len(states) < 2:
        return False
    return bool(scene.net(scene.x[None, None])[0].argmax() == scene.label
                and view.state.p.argmax() != scene.label)  # fmt: skip


def _targeted(view: View) -> bool:
    scene, p = view.scene, view.state.p
    aim = scene.target
    if scene.p["view"] != "gradient" or aim in (None, scene.label):
        return False
    return bool(scene.p["norm"] == "linf" and scene.p["eps"] <= 0.3 and p[aim] >= 0.9)


def _robust(view: View) -> bool:
    scene = view.scene
    return bool(scene.p["view"] == "gradient" and view.done and scene.p["eps"] >= 0.3
                and scene.p["n_steps"] >= 10 and scene.p["norm"] == "linf"
                and scene.target is None and view.state.p.argmax() == scene.label)  # fmt: skip


def _patched(view: View) -> bool:
    scene, state = view.scene, view.state
    return bool(scene.p["view"] == "patch" and scene.target != scene.label
                and state.patch is not None and state.p[scene.target] >= 0.9)  # fmt: skip


AdversarialScene.tasks = (
    Task("small", lambda view: _deceived(view, "gradient") and view.scene.p["norm"] == "linf"
         and view.scene.p["eps"] <= 0.15),
    Task("pixel", lambda view: _deceived(view, "one-pixel")),
    Task("target", _targeted),
    Task("patch", _patched),
    Task("robust", _robust),
)  # fmt: skip

SCENE = AdversarialScene

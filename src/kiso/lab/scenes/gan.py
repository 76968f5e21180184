"""A GAN in the plane: G moves its samples up D's slope, D tells them from the data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import pairwise
from typing import Any

import numpy as np
from scipy.special import expit

from kiso.nn import GAME_LOSSES, Game, Network, Position, adversarial_loop
from kiso.optim import Adam

from .. import _marks as m
from .._controls import Action, Choice, Number
from .._marks import Axis, Picture
from .._scene import Check, DataSpec, Frame, Msg, Rule, Scene, Task, View
from .kmeans import edit_line

Array = np.ndarray[Any, np.dtype[Any]]

BOX = 4.0  # the plane is [-4, 4]²
N_SHOWN = 256  # samples shown: at the same z in every state
N_GRID = 41
BANDWIDTH = 0.3  # of both densities
N_DRAWN = 512  # points taken from a density that was drawn
PIXELS = 20  # of the density that is drawn, each way
BETA1, BETA2, EPS = 0.5, 0.999, 1e-8


@dataclass(frozen=True)
class Step:
    """After a step of D ("discriminator") or of G ("generator").

    Attributes
    ----------
    phase : str
    X : ndarray of shape (n, 2)
        The data, as they are now.
    drawn : ndarray of shape (20, 20) or None
        The density that was drawn; None while the data are the points.
    place : Position
        Both networks, both rules and the random numbers.
    samples : ndarray of shape (256, 2)
        G(z).
    push : ndarray of shape (256, 2)
        Where each sample is pushed: −∂L_G/∂x, not divided by their number.
    real, fake : float
        What data and samples add to V.
    moved : tuple of float or None
        Before and after the last step: the output bias of the player that moved.
    off : float
        Mean |D − p/(p + q)| where data and samples are.
    """

    phase: str
    X: Array
    drawn: Array | None
    place: Position
    samples: Array
    push: Array
    real: float
    fake: float
    moved: tuple[float, float, float, float, int] | None
    off: float
    diverged: bool = False


class GANScene(Scene):
    """Two networks against each other on points of the plane."""

    name = "gan"
    rows = (91,)
    data = DataSpec(("ring", "grid", "two-blobs", "moons", "circles", "spiral"), n=512)
    controls = (
        Choice(name="loss", default="non-saturating",
               options=("minimax", "non-saturating", "least-squares")),
        Number(name="learning_rate", default=0.002, low=1e-4, high=0.1, log=True),
        Number(name="discriminator_steps", default=1, low=1, high=10, whole=True),
        Number(name="hidden_units", default=32, low=2, high=64, whole=True),
        Number(name="batch_size", default=64, low=8, high=256, whole=True, log=True),
        Number(name="every", default=20, low=1, high=200, whole=True, log=True),
    )  # fmt: skip
    beside = {"loss": "minimax"}
    objectives = ("value", "off")
    actions = (Action("step_d"), Action("step_g"), Action("clear", 0))
    max_states = 800
    edits_go_on = True

    @cached_property
    def _loop(self) -> Any:
        """The players, and the z of the samples that are shown."""
        rng, p = np.random.default_rng(self.seed), self.p
        h = p["hidden_units"]
        rule = Adam(p["learning_rate"], beta1=BETA1)
        game = Game(
            Network.dense([2, h, h, 2], activation="relu", random_state=rng),
            Network.dense([2, h, h, 1], activation="leaky_relu", random_state=rng),
            GAME_LOSSES[p["loss"]], lambda rng, n: rng.standard_normal((n, 2)), (rule, rule),
            n_steps=10**6, batch_size=p["batch_size"],
            discriminator_steps=p["discriminator_steps"],
        )  # fmt: skip
        self.z = rng.standard_normal((N_SHOWN, 2))
        return adversarial_loop(game, self._given, rng)

    @cached_property
    def _fits(self) -> bool:
        return bool(np.abs(self.X).max() <= BOX)

    @cached_property
    def _given(self) -> Array:
        """The points; in units of half a standard deviation where they leave the plane."""
        if self._fits:
            return self.X
        return 2 * (self.X - self.X.mean(axis=0)) / (self.X.std(axis=0) + 1e-12)

    # --- steps ------------------------------------------------------------------------------

    def states(self) -> Iterator[Step]:
        """D and G take turns."""
        start = self._at("start", self._given, None, None)
        yield start
        yield from self._turns(start, "generator")

    def _turns(self, state: Step, after: str) -> Iterator[Step]:
        loop, X, drawn, place = self._loop, state.X, state.drawn, state.place
        while True:
            loop.restore(place)
            loop.X = X
            if after == "generator":
                loop.advance(self.p["every"] - 1)
                step = self._alone("discriminator", self.p["discriminator_steps"], X, drawn)
            else:
                step = self._alone("generator", 1, X, drawn)
            yield step
            if step.diverged:
                return
            place, after = step.place, step.phase

    def _alone(self, who: str, n: int, X: Array, drawn: Array | None) -> Step:
        """Let one player take n steps."""
        loop = self._loop
        player = loop.d if who == "discriminator" else loop.g
        bias, before = player.network.layers[-1].b, 0.0
        try:
            if loop.detail:
                raise FloatingPointError
            for _ in range(n):
                before = float(bias[0])
                loop.discriminate() if who == "discriminator" else loop.generate()
        except FloatingPointError:
            return self._at(who, X, drawn, None, diverged=True)
        memory = player.memory
        mean, square = (float(memory.tree(name)[-1]["b"][0]) for name in ("m", "v"))
        moved = (before, float(bias[0]), mean, square, memory.step)
        return self._at(who, X, drawn, moved)

    def _at(self, phase: str, X: Array, drawn: Array | None, moved: Any,
            *, diverged: bool = False) -> Step:  # fmt: skip
        game = self._loop.game
        samples = game.generator(self.z)
        scores, back = game.discriminator.forward(samples)
        slope = game.loss.generator(scores)[1]
        push = -N_SHOWN * back(slope, want_gradients=False)[0]
        real, fake = parts_of_value(self.p["loss"], game.discriminator(X), scores)
        p, q = density(X), density(samples)
        best = p / (p + q + 1e-300)
        gap = np.abs(self._odds(game.discriminator, places()).reshape(N_GRID, N_GRID) - best)
        off = float(np.sum(gap * (p + q)) / np.sum(p + q))
        return Step(phase, X, drawn, self._loop.snapshot(), samples, push, real, fake, moved,
                    off, diverged)  # fmt: skip

    def _odds(self, D: Any, x: Array) -> Array:
        """D(x): the probability that x is real; a least-squares D gives it itself."""
        y = D(x)[:, 0]
        return y if self.p["loss"] == "least-squares" else np.asarray(expit(y))

    def resume(self, state: Step, action: Mapping[str, Any]) -> Iterator[Step]:
        """One player alone, data that are drawn, points that were edited."""
        loop, kind = self._loop, action["kind"]
        loop.restore(state.place)
        if kind in ("step_d", "step_g"):
            who, n = ("discriminator" if kind == "step_d" else "generator"), self.p["every"]
            yield state
            loop.restore(state.place)
            loop.X = state.X
            step = self._alone(who, n, state.X, state.drawn)
            yield step
            if not step.diverged:
                yield from self._turns(step, who)
            return
        X, drawn = self._given, None
        if kind == "draw":
            drawn = painted(state.drawn, action["pixels"])
            X = from_drawing(drawn, self.seed)
        elif kind == "clear":
            drawn = np.zeros((PIXELS, PIXELS))
            X = state.X
        elif kind != "edit":
            yield from super().resume(state, action)
        state = self._at(state.phase, X, drawn, state.moved)
        yield state
        yield from self._turns(state, "generator")

    def objective(self, state: Step) -> Sequence[float]:
        """V, and how far D is from p/(p + q)."""
        return (state.real + state.fake, state.off)

    def trace(self, state: Step) -> Mapping[str, Any]:
        """Samples, V, and both networks."""
        generator, discriminator = state.place.networks
        return {"phase": state.phase, "samples": state.samples, "value": state.real + state.fake,
                "generator": np.concatenate([a.ravel() for a in generator]),
                "discriminator": np.concatenate([a.ravel() for a in discriminator])}  # fmt: skip

    # --- pictures ---------------------------------------------------------------------------

    def frame(self, state: Step, focus: Mapping[str, Any] | None) -> Frame:
        """D over the plane with data, samples and arrows; the best D; the data's density."""
        self._loop.restore(state.place)
        D = self._loop.game.discriminator
        surface = self._odds(D, places()).reshape(N_GRID, N_GRID)
        x, y = Axis(-BOX, BOX, "x₁"), Axis(-BOX, BOX, "x₂")
        extent = (-BOX, BOX, -BOX, BOX)
        edit = state.drawn is None and self._fits
        some = np.arange(0, N_SHOWN, 4)
        length = np.linalg.norm(state.push, axis=1).max() or 1.0
        arrows = np.hstack([state.samples, state.push / length])[some]
        marks = [
            m.field_of("D", 1 - 2 * surface, extent, scale="diverging", low=-1.0, high=1.0,
                       alpha=0.55, label=Msg("gan.surface")),
            m.points("points", state.X, color=0, data=edit, size=2.5,
                     label=Msg("gan.data"), term="real"),
            m.arrows("push", arrows, color="ink", width=1.2, term="u"),
            m.points("samples", state.samples, color=1, size=3.5, label=Msg("gan.samples"),
                     term="fake"),
        ]  # fmt: skip
        p, q = density(state.X), density(state.samples)
        best = p / (p + q + 1e-300)
        near = (1 - 2 * best) * np.clip((p + q) / 0.02, 0, 1)  # fades where nothing is
        told = 100 * right(self, D, state)
        shown = density_image(state.X) if state.drawn is None else state.drawn
        pictures = [
            Picture("plane", marks, x, y, title=Msg("gan.plane", share=told), equal=True,
                    edit=edit),
            Picture("best", [
                m.field_of("best", near, extent, scale="diverging", low=-1.0, high=1.0,
                           alpha=0.55, label=Msg("gan.best_surface")),
                m.points("samples", state.samples, color=1, size=2),
            ], x, y, title=Msg("gan.best", off=state.off), equal=True),
            Picture("density", [m.images("density", shown[None], low=0.0,
                                         high=float(shown.max()) or 1.0, draw=True)],
                    title=Msg("gan.density"), wide=0.7),
        ]  # fmt: skip
        value = state.real + state.fake
        summary = Msg("gan.diverged" if state.diverged else f"gan.{state.phase}", value=value,
                      off=state.off, n=state.place.memories[1][0])  # fmt: skip
        facts = [(Msg("gan.fact.value"), value),
                 (Msg("gan.fact.best_value"), -0.25 if self.p["loss"] == "least-squares"
                  else -np.log(4)),
                 (Msg("gan.fact.right"), told / 100), (Msg("gan.fact.off"), state.off)]  # fmt: skip
        return Frame(pictures, self._rules(state, D, focus), summary, state.phase,
                     diverged=state.diverged, facts=facts)  # fmt: skip

    def _rules(self, state: Step, D: Any, focus: Mapping[str, Any] | None) -> list[Rule]:
        j = 0
        if focus is not None and focus["key"] in ("samples", "push"):
            j = int(focus["index"]) * (4 if focus["key"] == "push" else 1)
        least = self.p["loss"] == "least-squares"
        real, fake = (
            (r"-\tfrac12 (D(x_i) - 1)^2", r"-\tfrac12 D(G(z_j))^2")
            if least
            else (r"\ln D(x_i)", r"\ln(1 - D(G(z_j)))")
        )
        rules = [] if state.moved is None else [self._update(state)]
        rules.append(Rule(
            rf"V = \t{{real}}{{\tfrac1n \textstyle\sum_i {real}}} + "
            rf"\t{{fake}}{{\tfrac1m \textstyle\sum_j {fake}}}",
            "@V = @real + @fake",
            {"V": state.real + state.fake, "real": state.real, "fake": state.fake}, "V",
            lambda real, fake: real + fake, Msg("gan.rule.value"),
        ))  # fmt: skip
        x = state.samples[j : j + 1]
        d, slope = float(self._odds(D, x)[0]), D.input_gradient(x, output=0)[0]
        factor, words = {
            "minimax": (d, "D"), "non-saturating": (1 - d, "(1 - D)"),
            "least-squares": (1 - d, "(1 - D)"),
        }[self.p["loss"]]  # fmt: skip
        rules.append(Rule(
            rf"\t{{u}}{{u_{{{j + 1}}}}} = \t{{c}}{{{words}}}\, \t{{s}}{{\nabla_{{\!x}}\, s}}, "
            r"\quad D = " + ("s" if least else r"\sigma(s)"),
            "@u = @c @s", {"u": state.push[j], "c": factor, "s": slope}, "u",
            lambda c, s: c * s, Msg("gan.rule.push", j=j + 1),
        ))  # fmt: skip
        p, q = (float(density(data, x)[0]) for data in (state.X, state.samples))
        rules.append(Rule(
            r"D^\ast(x) = \frac{\t{p}{p(x)}}{p(x) + \t{q}{q(x)}}",
            r"@best = \frac{@p}{@p + @q}, \quad D(x) = @D",
            {"best": 1 / (1 + q / p) if p else 0.0, "p": p, "q": q, "D": d}, "best",
            lambda p, q, D: p / (p + q) if p else 0.0, Msg("gan.rule.best", j=j + 1),
        ))  # fmt: skip
        return rules

    def _update(self, state: Step) -> Rule:
        """Adam's step of the output bias of the player that moved last."""
        assert state.moved is not None
        before, after, mean, square, t = state.moved
        rate = self.p["learning_rate"]
        who = "D" if state.phase == "discriminator" else "G"
        return Rule(
            rf"\t{{b}}{{b_{who}}} \leftarrow \t{{a}}{{b_{who}}} - \eta "
            r"\frac{\t{m}{m} / (1 - \beta_1^t)}{\sqrt{\t{v}{v} / (1 - \beta_2^t)} + \epsilon}",
            r"@b = @a - @eta \frac{@m / (1 - 0.5^{@t})}{\sqrt{@v / (1 - 0.999^{@t})} + 10^{-8}}",
            {"b": after, "a": before, "eta": rate, "m": mean, "v": square, "t": t}, "b",
            lambda a, eta, m, v, t: a - eta * (m / (1 - BETA1**t))
            / (np.sqrt(v / (1 - BETA2**t)) + EPS),
            Msg(f"gan.rule.{state.phase}"),
        )  # fmt: skip

    def check(self, state: Step) -> list[Check]:
        """V by NumPy alone, and the push by differences of the loss."""
        x, h = state.samples[:8], 1e-6
        raw = [naive(state.place.networks[1], data) for data in (state.X, state.samples)]
        value = sum(parts_of_value(self.p["loss"], *raw))
        loss = GAME_LOSSES[self.p["loss"]]

        def cost(at: Array) -> Array:
            scores = naive(state.place.networks[1], at)
            return np.array([loss.generator(s.reshape(1, 1))[0] for s in scores])

        by = [-(cost(x + h * e) - cost(x - h * e)) / (2 * h) for e in np.eye(2)]
        return [
            Check(Msg("gan.check.value"), state.real + state.fake, value, 1e-9),
            Check(Msg("gan.check.push"), state.push[:8], np.column_stack(by), 1e-4),
        ]

    def script(self, actions: Sequence[Mapping[str, Any]], last: int) -> str:
        """Write the same game as turns of `adversarial_loop`."""
        p = self.p
        h, n, k = p["hidden_units"], p["every"], p["discriminator_steps"]
        text = "" if self._fits else "X = 2 * (X - X.mean(axis=0)) / (X.std(axis=0) + 1e-12)\n"
        text += f"""
from kiso.nn import GAME_LOSSES, Game, Network, adversarial_loop
from kiso.optim import Adam

rng = np.random.default_rng({self.seed})
rule = Adam({p["learning_rate"]!r}, beta1={BETA1})
game = Game(
    Network.dense([2, {h}, {h}, 2], activation="relu", random_state=rng),
    Network.dense([2, {h}, {h}, 1], activation="leaky_relu", random_state=rng),
    GAME_LOSSES[{p["loss"]!r}], lambda rng, n: rng.standard_normal((n, 2)), (rule, rule),
    n_steps=10**6, batch_size={p["batch_size"]}, discriminator_steps={k})
z = rng.standard_normal(({N_SHOWN}, 2))
loop = adversarial_loop(game, X, rng)

def note(phase):
    samples, real = game.generator(z), game.discriminator(loop.X)
    fake = game.discriminator(samples)
"""
        if p["loss"] == "least-squares":
            text += "    value = -0.5 * np.mean((real - 1) ** 2) - 0.5 * np.mean(fake**2)\n"
        else:
            text += "    value = -np.logaddexp(0, -real).mean() - np.logaddexp(0, fake).mean()\n"
        text += f"""    place = loop.snapshot()
    G, D = (np.concatenate([a.ravel() for a in net]) for net in place.networks)
    places.append(place)
    trace.append(dict(phase=phase, samples=samples, value=value, generator=G, discriminator=D))

def turn(who, n):
    try:
        for _ in range(n if not loop.detail else 0):
            loop.discriminate() if who == "discriminator" else loop.generate()
    except FloatingPointError:
        pass  # diverged
    note(who)

def play(until, who="generator"):
    while len(trace) <= until:
        if who == "generator":
            loop.advance({n} - 1)
            turn("discriminator", {k})
        else:
            turn("generator", 1)
        who = trace[-1]["phase"]

trace, places = [], []
note("start")
who = "generator"
"""
        for action in actions:
            t, kind = action["t"], action["kind"]
            text += f"play({t}, who)\nloop.restore(places[{t}])\n"
            if kind in ("step_d", "step_g"):
                who = "discriminator" if kind == "step_d" else "generator"
                text += f"del trace[{t + 1}:], places[{t + 1}:]\nturn({who!r}, {n})\n"
                text += f"who = {who!r}\n"
                continue
            text += f"phase = trace[{t}]['phase']\ndel trace[{t}:], places[{t}:]\n"
            for edit in action.get("edits", ()):
                text += edit_line(edit)
            if kind == "edit":
                text += "loop.X = X\n"
            if kind == "draw":
                text += f"loop.X = np.array({self._drawn_until(actions, action)})\n"
            text += "note(phase)\nwho = 'generator'\n"
        return text + f"play({last}, who)\ntrace = trace[: {last} + 1]"

    def _drawn_until(self, actions: Sequence[Mapping[str, Any]], last: Mapping[str, Any]) -> str:
        """Return the drawn data as a list of rows."""
        drawn = None
        for action in actions:
            if action["kind"] == "draw":
                drawn = painted(drawn, action["pixels"])
            elif action["kind"] == "clear":
                drawn = np.zeros((PIXELS, PIXELS))
            elif action["kind"] == "edit":
                drawn = None
            if action is last:
                break
        assert drawn is not None
        return repr(from_drawing(drawn, self.seed).tolist())


def parts_of_value(loss: str, real: Array, fake: Array) -> tuple[float, float]:
    """Return what data and samples add to V, from D's raw outputs."""
    if loss == "least-squares":
        return float(-0.5 * np.mean((real - 1) ** 2)), float(-0.5 * np.mean(fake**2))
    return float(-np.logaddexp(0, -real).mean()), float(-np.logaddexp(0, fake).mean())


@cache
def places() -> Array:
    """Return the places of the grid, (41², 2), row by row from below."""
    u = np.linspace(-BOX, BOX, N_GRID)
    return np.stack(np.meshgrid(u, u), axis=-1).reshape(-1, 2)


def density(X: Array, at: Array | None = None) -> Array:
    """Mean of Gaussians around X: on the grid (41, 41), or at places."""

    def bell(x: Array, centre: Array) -> Array:
        return np.exp(-0.5 * ((x[:, None] - centre) / BANDWIDTH) ** 2)

    scale = 2 * np.pi * BANDWIDTH**2 * len(X)
    if at is not None:
        return np.asarray((bell(at[:, 0], X[:, 0]) * bell(at[:, 1], X[:, 1])).sum(axis=1) / scale)
    u = np.linspace(-BOX, BOX, N_GRID)
    # not by BLAS, whose threads would be waited for longer than this takes
    return np.asarray(np.einsum("in,jn->ij", bell(u, X[:, 1]), bell(u, X[:, 0])) / scale)


def naive(arrays: Sequence[Array], x: Array) -> Array:
    """D's raw output from its arrays W, b, W, b, W, b alone."""
    for k in range(0, len(arrays), 2):
        W, b = arrays[k : k + 2] if arrays[k].ndim == 2 else arrays[k : k + 2][::-1]
        x = x @ W + b
        if k + 2 < len(arrays):
            x = np.where(x > 0, x, 0.01 * x)
    return x


def density_image(X: Array) -> Array:
    """Count points in pixels, row 0 on top."""
    edges = np.linspace(-BOX, BOX, PIXELS + 1)
    return np.histogram2d(-X[:, 1], X[:, 0], bins=(edges, edges))[0]


def painted(drawn: Array | None, pixels: Sequence[Sequence[int]]) -> Array:
    """Add a stroke: a soft brush along the lines between its pixels."""
    image = np.zeros((PIXELS, PIXELS)) if drawn is None else drawn.copy()
    at = np.clip(np.array(pixels, float).reshape(-1, 2), 0, PIXELS - 1)
    pieces = [at[:1]]
    for a, b in pairwise(at):
        n = max(1, int(np.abs(b - a).max()))
        pieces.append(a + (b - a) * np.arange(1, n + 1)[:, None] / n)
    rows, columns = np.indices(image.shape)
    for row, column in np.vstack(pieces):
        image += np.exp(-((rows - row) ** 2 + (columns - column) ** 2) / 0.8)
    return np.minimum(image, 4.0)


def from_drawing(drawn: Array, seed: int) -> Array:
    """Draw points from a density that was painted."""
    if not drawn.any():
        raise ValueError("nothing is drawn yet: draw in the picture of the density")
    rng = np.random.default_rng(seed)
    weight = np.where(drawn > 0.2, drawn, 0.0).ravel()
    cells = rng.choice(drawn.size, size=N_DRAWN, p=weight / weight.sum())
    row, column = np.divmod(cells, PIXELS)
    inside = rng.random((N_DRAWN, 2))
    size = 2 * BOX / PIXELS
    return np.column_stack([-BOX + size * (column + inside[:, 0]),
                            BOX - size * (row + inside[:, 1])])  # fmt: skip


def right(scene: GANScene, D: Any, state: Step) -> float:
    """Share of D's right answers, half of them on data."""
    on = [np.mean(scene._odds(D, data) > 0.5) for data in (state.X, state.samples)]
    return float((on[0] + 1 - on[1]) / 2)


def _right(view: View) -> float:
    loop = view.scene._loop
    loop.restore(view.state.place)
    return right(view.scene, loop.game.discriminator, view.state)


def overlap(state: Step) -> float:
    """∫ min(p, q): 1 where G makes the data's density."""
    p, q = density(state.X), density(state.samples)
    return float(np.minimum(p, q).sum() / max(p.sum(), q.sum(), 1e-300))


def _unable(view: View) -> bool:
    """G makes at least 0.7 of the density, and D is right as often as a coin."""
    return overlap(view.state) >= 0.7 and abs(_right(view) - 0.5) <= 0.06


def _collapsed(view: View) -> bool:
    """After two hundred steps of G, over half of the data have no sample near."""
    state = view.state
    distance = np.linalg.norm(state.X[:, None] - state.samples, axis=2).min(axis=1)
    return bool(state.place.memories[0][0] >= 200 and np.mean(distance > 0.5) > 0.5)


GANScene.tasks = (
    Task("caught", lambda view: len(view.states) > 1 and _right(view) >= 0.97),
    Task("best", lambda view: view.state.off <= 0.05 and overlap(view.state) < 0.5),
    Task("unable", _unable),
    Task("collapse", _collapsed),
    Task("drawn", lambda view: view.state.drawn is not None and bool(view.state.drawn.any())
         and overlap(view.state) >= 0.65),
)  # fmt: skip

SCENE = GANScene

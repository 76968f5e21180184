"""Tasks are recognised from the states: a run that solves each, and one step that does not."""

import pytest

from kiso.lab import Setup, Timeline, make_drawings, scene_named

FAR = [["add", 20.0 + i, 0.0, 0] for i in range(6)]
OUTLIER = {"set": "bell", "n": 30, "seed": 0, "edits": FAR}
SURPRISE = {"rows": [[float(i % 3), 0.1 * i, 0] for i in range(9)] + [[1.0, 60.0, 0]]}


def traced(k):
    """The pixels of example k of the default drawings."""
    examples = make_drawings(0.8, seed=0)[0]
    return [[int(i), int(j)] for i, j in zip(*examples[k].nonzero(), strict=True)]


# scene, task, parameters, data, actions, last step that is made
SOLVED = [
    ("bayes", "top", {}, {}, [], 40),
    ("bayes", "by-hand", {}, {}, [{"t": 0, "kind": "theta", "index": 0, "to": [0.45, 0.96]}], 0),
    ("bayes", "outlier", {"family": "laplace"}, OUTLIER, [], 100),
    ("bayes", "stubborn", {"model": "posterior", "prior_variance": 0.01}, {}, [], 10),
    ("bayes", "surprise", {"model": "posterior"}, SURPRISE, [], 20),
    ("approximation", "diverged", {}, {}, [], 19),
    ("approximation", "chebyshev", {"nodes": "chebyshev"}, {}, [], 30),
    ("approximation", "small-net", {"method": "trained-network"}, {}, [], 600),
    ("approximation", "wall", {"method": "four-neurons"}, {}, [], 20),
    ("approximation", "jump", {"method": "trained-network", "target": "jump", "units": 3}, {}, [],
     300),
    ("no-free-lunch", "fooled", {}, {}, [], 60),
    ("no-free-lunch", "half", {}, {}, [], 255),
    ("no-free-lunch", "structure", {"targets": "linear"}, {}, [], 60),
    ("no-free-lunch", "worse", {"targets": "linear", "learner": "opposite"}, {}, [], 60),
    ("one-shot", "all", {}, {}, [], 19),
    ("one-shot", "clear", {}, {}, [{"t": 1, "kind": "draw", "key": "query", "pixels": traced(5)}],
     1),
    ("one-shot", "pixels", {"model": "cosine"}, {}, [], 19),
]  # fmt: skip


@pytest.mark.parametrize(("name", "task", "params", "data", "actions", "last"), SOLVED)
def test_a_run_that_solves_it(name, task, params, data, actions, last):
    assert task in [known.key for known in scene_named(name).tasks]
    run = Timeline(Setup(name, params, data, actions=tuple(actions)))
    reached = run.reach(last)
    assert any(task in run.solved(t) for t in range(reached + 1))
    assert task not in solved_at_the_start(name)


def solved_at_the_start(name):
    """What the scene's first step solves, before anything was done."""
    run = Timeline(Setup(name))
    run.reach(0)
    return run.solved(0)

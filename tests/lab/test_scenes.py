"""Every scene: what it shows is what the library computed, and can be made again."""

import json
import string
from pathlib import Path

import numpy as np
import pytest

from kiso import lab
from kiso.lab import Setup, Timeline, all_scenes

LOCALES = Path(lab.__file__).parent / "locales"
SCENES = all_scenes()
LANGUAGES = ("en", "ja", "zh-Hant")
STEPS = 9

every_scene = pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.name)


@pytest.fixture(scope="module")
def runs():
    """One run of each scene, made once."""
    made = {}

    def run(scene):
        if scene.name not in made:
            made[scene.name] = Timeline(Setup(scene.name))
            made[scene.name].reach(STEPS)
        return made[scene.name]

    return run


def messages(value):
    """Yield every message of a description: its key and the names of its arguments."""
    if isinstance(value, dict):
        if set(value) == {"msg", "args"}:
            yield value["msg"], set(value["args"])
        for part in value.values():
            yield from messages(part)
    elif isinstance(value, list | tuple):
        for part in value:
            yield from messages(part)


def texts(language):
    found = {}
    for path in (LOCALES / language).glob("*.json"):
        for key, text in json.loads(path.read_text("utf-8")).items():
            found[key if path.stem == "lab" else f"{path.stem}.{key}"] = text
    return found


def fields(text):
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


@pytest.mark.parametrize("language", LANGUAGES[1:])
def test_catalogues_say_the_same_things(language):
    english, other = texts("en"), texts(language)
    assert set(english) == set(other)
    for key, text in english.items():
        assert fields(text) == fields(other[key]), key
        assert other[key].strip(), key


@every_scene
def test_the_catalogue_has_every_text_of_the_scene(scene, runs):
    run, known = runs(scene), texts("en")
    name = scene.name
    wanted = [f"{name}.title", f"{name}.blurb"]
    wanted += [f"{name}.controls.{control.name}" for control in scene.controls]
    wanted += [f"{name}.tasks.{task.key}" for task in scene.tasks]
    wanted += [f"{name}.actions.{action.kind}" for action in scene.actions]
    wanted += [f"{name}.objectives.{objective}" for objective in scene.objectives]
    wanted += [f"{name}.presets.{preset}" for preset in scene.presets]
    if scene.data is not None:
        wanted += [f"data.sets.{s}" for s in scene.data.sets]
    missing = [key for key in wanted if key not in known]
    assert not missing
    for t in range(len(run.states)):
        frame = run.frame(t)
        for key, arguments in messages(frame.describe()):
            assert key in known, key
            assert fields(known[key]) <= arguments, key
        assert not frame.phase or f"{name}.phases.{frame.phase}" in known


@every_scene
def test_there_are_three_to_five_tasks_and_none_is_solved_at_the_start(scene, runs):
    assert 3 <= len(scene.tasks) <= 5
    assert runs(scene).solved(0) == []


@every_scene
def test_the_rule_computes_what_the_state_says(scene, runs):
    """The formula, of the numbers that stand in it, gives the number of the state."""
    run = runs(scene)
    n_rules = 0
    for t in range(len(run.states)):
        for rule in run.frame(t).rules:
            n_rules += 1
            np.testing.assert_allclose(
                np.asarray(rule.evaluate(), float), np.asarray(rule.terms[rule.result], float),
                rtol=1e-7, atol=1e-9, err_msg=f"step {t}: {rule.symbols}",
            )  # fmt: skip
    assert n_rules > 0


@every_scene
def test_the_script_makes_the_same_trace(scene, runs):
    run = runs(scene)
    last = len(run.states) - 1
    space = {}
    exec(run.script(last), space)
    assert len(space["trace"]) == last + 1
    for t, made in enumerate(space["trace"]):
        shown = run.trace(t)
        assert set(made) == set(shown)
        for name, value in shown.items():
            if isinstance(value, str):
                assert made[name] == value
            else:
                np.testing.assert_array_equal(np.asarray(made[name], float),
                                              np.asarray(value, float), err_msg=name)  # fmt: skip


# other set-ups than the default: (scene, parameters, actions)
VARIANTS = [
    ("kmeans", {"n_clusters": 3, "init": "k-means++"},
     [{"t": 2, "kind": "center", "index": 1, "to": [0.5, -0.25]},
      {"t": 4, "kind": "edit", "edits": [["add", 0.1, 0.2, 0], ["remove", 3]]}]),
    ("gradient-descent", {"surface": "rosenbrock", "methods": ["newton", "l-bfgs", "nesterov"],
                          "learning_rate": 0.001}, []),
    ("gradient-descent", {"surface": "logistic", "batch_size": 8,
                          "methods": ["gradient-descent", "momentum", "nesterov", "adam"]}, []),
    ("gradient-descent", {"learning_rate": 2.5}, [{"t": 3, "kind": "start", "to": [1.0, 2.0]}]),
    ("network", {"view": "by-numbers"}, []),
    ("network", {"view": "by-numbers", "loss": "squared-error", "activation": "relu",
                 "rule": "adam", "hidden_layer_sizes": [3]}, []),
    ("network", {"loss": "squared-error", "activation": "sigmoid", "every": 1,
                 "weight_decay": 0.01, "noise": 0.2},
     [{"t": 3, "kind": "edit", "edits": [["move", 0, 1.0, 1.0], ["add", 0.5, 0.5, 1]]}]),
    ("network", {"dropout": 0.3, "batch_size": 16, "replace": True, "rule": "momentum",
                 "activation": "leaky_relu", "hidden_layer_sizes": []}, []),
    ("network", {"dropout": 0.3, "batch_size": 16, "every": 200, "rule": "nesterov"}, []),
    ("no-free-lunch", {"learner": "least-squares", "targets": "linear", "n_train": 3}, []),
    ("one-shot", {"model": "cosine"},
     [{"t": 2, "kind": "draw", "key": "query", "pixels": [[9, j] for j in range(8, 30)]},
      {"t": 2, "kind": "draw", "key": "query", "pixels": [[i, 34] for i in range(8, 36)]}]),
    ("one-shot", {"wobble": 1.0},
     [{"t": 3, "kind": "clear"}, {"t": 3, "kind": "draw", "key": "query", "pixels": [[9, 9]]}]),
    ("one-shot", {"model": "euclidean"}, []),
    ("approximation", {"nodes": "chebyshev", "target": "jump"}, []),
    ("approximation", {"method": "trained-network", "target": "abs", "units": 4}, []),
    ("approximation", {"method": "four-neurons"},
     [{"t": 3, "kind": "h", "index": 0, "to": [0.003, 1.0]}]),
    ("approximation", {"method": "lemma", "highest": 4, "order": "4", "h": 0.2}, []),
    ("bayes", {"learning_rate": 0.9},
     [{"t": 3, "kind": "curve", "index": 1, "to": [2.0, 0.1]},
      {"t": 5, "kind": "theta", "index": 0, "to": [0.5, 1.0]}]),
    ("bayes", {"family": "laplace"}, [{"t": 2, "kind": "curve", "index": 0, "to": [9.0, 0.1]}]),
    ("bayes", {"model": "posterior", "noise_variance": 0.1},
     [{"t": 4, "kind": "prior", "index": 0, "to": [1.0, -1.0]},
      {"t": 7, "kind": "prior", "index": 0, "to": [1.0, -1.5]}]),
    ("gan", {"loss": "minimax", "discriminator_steps": 3},
     [{"t": 3, "kind": "step_g"}, {"t": 5, "kind": "step_d"},
      {"t": 8, "kind": "draw", "key": "density", "pixels": [[3, 3], [3, 9], [12, 9]]}]),
    ("gan", {"loss": "least-squares", "every": 2, "hidden_units": 5},
     [{"t": 1, "kind": "edit", "edits": [["add", 0.5, -0.5, 0], ["remove", 3]]},
      {"t": 3, "kind": "clear"}, {"t": 4, "kind": "step_d"}]),
    ("convolution", {"stride": 2, "padding": 2, "dilation": 2, "filter": "blur"}, []),
    ("convolution", {"view": "adjoint", "padding": 1, "filter": "sharpen"}, []),
    ("convolution", {"view": "pooling", "pool_stride": 1, "pool_size": 3, "digit": 7}, []),
    ("convolution", {"view": "pooling", "pool": "mean"}, []),
    ("convolution", {"view": "network"},
     [{"t": 2, "kind": "draw", "key": "input", "pixels": [[0, 4], [7, 4]]},
      {"t": 2, "kind": "draw", "key": "input", "pixels": [[1, 3]]}]),
    ("adversarial", {"norm": "l2", "eps": 0.6, "target": "4", "digit": 5}, []),
    ("adversarial", {"view": "one-pixel", "digit": 3},
     [{"t": 3, "kind": "draw", "key": "image", "pixels": [[1, 1], [3, 4]]}]),
    ("adversarial", {"view": "patch"},
     [{"t": 4, "kind": "patch", "index": 0, "to": [4.2, 2.9]},
      {"t": 7, "kind": "patch", "index": 0, "to": [9.0, 9.0]}]),
]  # fmt: skip


@pytest.mark.parametrize(("name", "params", "actions"), VARIANTS)
def test_variants_too(name, params, actions):
    """Rules and scripts hold for other parameters, and after what the user did."""
    run = Timeline(Setup(name, params, seed=3, actions=tuple(actions)))
    last = run.reach(16)
    assert last > 3
    for t in range(last + 1):
        for focus in (None, {"key": "points", "index": 5}, {"key": "weight", "index": 1},
                      {"key": "unit", "index": 4}, {"key": "center", "index": 1},
                      {"key": "samples", "index": 7}, {"key": "push", "index": 3},
                      {"key": "maps", "index": 6}, {"key": "image", "index": 19}):  # fmt: skip
            for rule in run.frame(t, focus).rules:
                np.testing.assert_allclose(
                    np.asarray(rule.evaluate(), float),
                    np.asarray(rule.terms[rule.result], float),
                    rtol=1e-6, atol=1e-9, err_msg=f"step {t}: {rule.symbols}",
                )  # fmt: skip
    for t in range(last + 1):
        for check in run.scenes[t].check(run.states[t]):
            assert check.describe()["same"], (t, check.describe())
    space = {}
    exec(run.script(last), space)
    for t, made in enumerate(space["trace"]):
        for key, value in run.trace(t).items():
            if isinstance(value, str):
                assert made[key] == value
            else:
                np.testing.assert_array_equal(np.asarray(made[key], float),
                                              np.asarray(value, float), err_msg=key)  # fmt: skip
    assert len(space["trace"]) == last + 1


@every_scene
def test_the_same_setup_gives_the_same_states(scene, runs):
    run = runs(scene)
    again = Timeline(Setup(scene.name))
    last = again.reach(STEPS)
    assert [again.hash(t) for t in range(last + 1)] == [run.hash(t) for t in range(last + 1)]
    assert len({run.hash(t) for t in range(last + 1)}) > 1


@pytest.mark.parametrize("name", ["kmeans", "gan"])
def test_a_drag_makes_nothing_anew_before_it(name):
    """The last action is replaced again and again: as if only the last had been."""
    done = {"kmeans": {"t": 3, "kind": "center", "index": 1},
            "gan": {"t": 3, "kind": "draw", "key": "density"}}[name]  # fmt: skip
    what = {"kmeans": [{"to": [x, 0.5]} for x in (-1.0, 0.0, 1.0)],
            "gan": [{"pixels": [[5, 5], [5, k]]} for k in (8, 9, 12)]}[name]  # fmt: skip
    run = Timeline(Setup(name, seed=2))
    run.reach(5)
    first = run.states[0]
    for more in what:
        setup = Setup(name, seed=2, actions=({**done, **more},))
        run.become(setup)
        run.reach(5)
        assert run.states[0] is first
    fresh = Timeline(setup)
    assert fresh.reach(5) == run.reach(5)
    assert [fresh.hash(t) for t in range(6)] == [run.hash(t) for t in range(6)]
    run.become(Setup(name, seed=2))  # undone
    assert run.reach(5) == 5
    assert run.hash(5) != fresh.hash(5)


@every_scene
def test_checks_agree(scene, runs):
    run = runs(scene)
    found = [
        check.describe()
        for t in range(len(run.states))
        for check in run.scenes[t].check(run.states[t])
    ]
    assert found
    assert all(check["same"] for check in found), found


@every_scene
def test_what_is_asked_beside_is_a_parameter(scene):
    known = {control.name: control for control in scene.controls}
    for name, value in scene.beside.items():
        assert known[name].check(value) == value


@every_scene
def test_pictures_have_titles_that_change_or_say_something(scene, runs):
    run = runs(scene)
    for t in range(len(run.states)):
        frame = run.frame(t)
        assert frame.pictures
        assert len({picture.key for picture in frame.pictures}) == len(frame.pictures)
        for picture in frame.pictures:
            keys = [mark["key"] for mark in picture.marks]
            assert len(set(keys)) == len(keys), f"{picture.key}: {keys}"

"""Every scene in a real browser: steps, links, languages, exports."""

import json
import re

import pytest

from kiso.lab import all_scenes

pytestmark = pytest.mark.browser
SCENES = [scene.name for scene in all_scenes()]
every_scene = pytest.mark.parametrize("scene", SCENES)


@every_scene
def test_steps_forward_and_back(open_page, scene):
    page = open_page(scene)
    states = [page.state]
    for step in (1, 2, 3):
        page.press("step")
        states.append(page.reach(step))
    assert len(set(states)) > 1
    page.press("back")
    assert page.reach(2) == states[2]
    page.page.fill("[data-testid=scrub]", "1")
    assert page.reach(1) == states[1]
    page.page.keyboard.press("Home")  # on the scrub itself: its own key
    assert page.reach(0) == states[0]
    page.press("same-seed")
    page.press("step")
    assert page.reach(1) == states[1]
    assert page.page.locator("[data-testid=rule] .katex").count() >= 2
    assert page.page.locator("[data-testid=rule] .katex-error").count() == 0
    assert page.page.locator("[data-testid=objective] path").count() >= 2


@every_scene
def test_keys_move_the_run(open_page, scene):
    page = open_page(scene)
    page.page.keyboard.press("ArrowRight")
    first = page.reach(1)
    page.page.keyboard.press("ArrowRight")
    page.reach(2)
    page.page.keyboard.press("ArrowLeft")
    assert page.reach(1) == first
    page.page.keyboard.press("Home")
    page.reach(0)


@every_scene
def test_a_link_opens_the_same_picture(open_page, scene):
    page = open_page(scene)
    page.press("new-seed")
    page.page.wait_for_timeout(150)
    page.press("step")
    page.press("step")
    state = page.reach(2)
    page.press("link")
    link = page.page.input_value("[data-testid=permalink]")
    assert page.served.token not in link
    other = open_page(link.partition("#")[2])
    assert other.reach(2) == state


@every_scene
def test_languages_change_without_losing_the_run(open_page, scene):
    page = open_page(scene)
    page.press("step")
    state = page.reach(1)
    told = {page.page.inner_text(".blurb")}  # a name may be the same in two languages
    for language in ("ja", "zh-Hant"):
        page.page.select_option("[data-testid=lang]", language)
        page.page.wait_for_selector(f"html[lang={language}]")
        page.page.wait_for_function(
            "seen => !seen.includes(document.querySelector('.blurb').innerText)", arg=list(told)
        )
        told.add(page.page.inner_text(".blurb"))
        assert page.state == state
        assert page.step == 1
        words = page.page.inner_text("main")
        assert not re.search(rf"\b{scene}\.[a-z]|\bstage\.|\bdata\.", words)
    assert len(told) == 3


@every_scene
def test_a_replay_opens_offline(open_page, browser, scene, tmp_path):
    page = open_page(scene)
    page.press("step")
    page.press("step")
    state = page.reach(2)
    with page.page.expect_download(timeout=60_000) as download:
        page.press("html")
    path = tmp_path / "replay.html"
    download.value.save_as(path)
    context = browser.new_context(offline=True)
    replay, said, asked = context.new_page(), [], []
    replay.on("console", lambda m: said.append(m.text) if m.type == "error" else None)
    replay.on("pageerror", lambda error: said.append(str(error)))
    replay.on("request", lambda request: asked.append(request.url))
    replay.goto(path.as_uri())
    replay.wait_for_selector('[data-testid=stage][data-step="0"]')
    replay.click("[data-testid=step]")
    replay.click("[data-testid=step]")
    replay.wait_for_selector(f'[data-testid=stage][data-step="2"][data-state="{state}"]')
    context.close()
    assert not said
    assert all(url.startswith(("file:", "data:", "blob:")) for url in asked)


@every_scene
def test_the_page_gives_the_script_of_the_run(open_page, scene):
    """What the Python button gives makes the trace that the trace button gives."""
    import numpy as np

    page = open_page(scene)
    page.press("step")
    page.press("step")
    page.reach(2)
    page.press("python")
    page.page.wait_for_selector("[data-testid=script]")
    space = {}
    exec(page.page.inner_text("[data-testid=script]"), space)
    with page.page.expect_download() as download:
        page.press("trace")
    rows = [json.loads(line) for line in download.value.path().read_text().splitlines()]
    arrays = {row["array"]: row for row in rows if "array" in row}
    shown = [row["states"][0] for row in rows if "states" in row]
    for t in range(3):
        for name, value in shown[t].items():
            if isinstance(value, dict) and "$" in value:
                value = arrays[value["$"]]["data"]
            made = np.asarray(space["trace"][t][name])
            if isinstance(value, str):
                assert str(made) == value
            else:
                left = np.array(value, float).ravel()
                np.testing.assert_array_equal(left, made.astype(float).ravel(), err_msg=name)


def test_the_start_page_lists_every_scene(open_page):
    page = open_page()
    page.page.wait_for_selector("[data-scene]")
    names = page.page.eval_on_selector_all("[data-scene]", "all => all.map(e => e.dataset.scene)")
    assert sorted(names) == sorted(SCENES)
    page.page.click("[data-scene=kmeans]")
    page.wait()
    assert "token" not in page.page.url


def test_clicks_drags_and_undo(open_page):
    page = open_page("kmeans")
    page.press("step")
    before = page.reach(1)
    frame = page.page.locator(".frame").first
    box = frame.bounding_box()
    page.page.mouse.click(box["x"] + box["width"] / 2, box["y"] + 30)
    page.page.wait_for_selector(f'.stage:not([data-state="{before}"])')
    assert page.step == 1
    page.press("undo")
    page.page.wait_for_selector(f'.stage[data-state="{before}"]')
    page.press("redo")
    page.page.wait_for_selector(f'.stage:not([data-state="{before}"])')


def test_pictures_by_keyboard(open_page):
    page = open_page("kmeans")
    before = page.state
    page.page.focus(".frame")
    for key in ("Enter", "ArrowUp", "ArrowLeft", "Enter"):
        page.page.keyboard.press(key)
    page.page.wait_for_selector(f'.stage:not([data-state="{before}"])')
    assert page.step == 0  # the arrows moved the cross, not the run


def test_beside_it_and_check(open_page):
    page = open_page("kmeans")
    page.page.check("[data-testid=beside]")
    page.page.wait_for_selector(".lane:nth-child(2) canvas")
    page.press("step")
    page.reach(1)
    page.page.check("[data-testid=check]")
    page.page.wait_for_selector("[data-testid=checks] .same")
    page.page.check("[data-testid=table]")
    assert page.page.locator("table td").count() > 100


def test_a_file_with_column_pickers(open_page, tmp_path):
    path = tmp_path / "my.csv"
    rows = "\n".join(f"{i},{i * i % 17},{i % 5},{'ab'[i % 2]}" for i in range(40))
    path.write_text("width;height;depth;kind\n".replace(";", ",") + rows)
    page = open_page("kmeans")
    page.page.set_input_files("[data-testid=upload]", path)
    page.page.wait_for_selector("[data-testid=column-x]")
    page.page.select_option("[data-testid=column-y]", "depth")
    page.page.wait_for_timeout(300)
    page.press("step")
    state = page.reach(1)
    page.press("link")
    link = page.page.input_value("[data-testid=permalink]").partition("#")[2]
    fresh = page.context.new_page()
    fresh.goto(page.served.url + "#" + link)
    fresh.wait_for_selector(".trouble.error")
    assert "SHA-256" in fresh.inner_text(".trouble")
    fresh.set_input_files("[data-testid=upload]", path)
    fresh.wait_for_selector(f'[data-testid=stage][data-state="{state}"]')
    bad = tmp_path / "bad.csv"
    bad.write_text("a,b\n1,2\n1,2,3,4\n")
    page.page.set_input_files("[data-testid=upload]", bad)
    page.page.wait_for_selector(".trouble.error")
    assert "bad.csv" in page.page.inner_text(".trouble")
    page.said = [text for text in page.said if "WebSocket" not in text]


def test_a_diverged_run_says_so(open_page):
    page = open_page("gradient-descent")
    page.page.fill("[data-control=learning_rate] input[type=number]", "3")
    page.page.press("[data-control=learning_rate] input[type=number]", "Enter")
    page.page.wait_for_timeout(300)
    page.press("end")
    page.page.wait_for_selector(".lane-note:not([hidden])", timeout=60_000)
    assert re.search(r"Diverged at step \d+", page.page.inner_text(".lane-note"))


def test_a_task_is_recognised_and_kept(open_page):
    page = open_page("kmeans")
    page.press("end")
    page.page.wait_for_selector('[data-task=end][data-solved="true"]')
    page.page.reload()
    page.page.wait_for_selector('[data-task=end][data-solved="true"]')


def test_other_exports(open_page):
    page = open_page("kmeans")
    page.press("step")
    page.reach(1)
    starts = {"png": b"\x89PNG", "svg": b"<svg", "csv": b"step,run,name"}
    for name, start in starts.items():
        with page.page.expect_download() as download:
            page.press(name)
        assert download.value.path().read_bytes().startswith(start)


@pytest.mark.parametrize("fragment", ["", *SCENES])
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_no_serious_violation_of_accessibility(open_page, fragment, dark):
    from pathlib import Path

    axe = Path(__file__).parents[2] / "lab/web/node_modules/axe-core/axe.min.js"
    if not axe.exists():
        pytest.skip("axe-core is not installed: npm ci in lab/web")
    page = open_page(fragment, color_scheme="dark" if dark else "light")
    page.page.wait_for_selector("main h1")
    page.page.evaluate(axe.read_text())
    found = page.page.evaluate("axe.run(document)")["violations"]
    serious = [
        (v["id"], [n["html"][:120] for n in v["nodes"]][:3])
        for v in found
        if v["impact"] in ("serious", "critical")
    ]
    assert not serious


@pytest.mark.parametrize("width", [360, 768, 1280])
def test_nothing_runs_out_of_the_page(open_page, width):
    page = open_page("kmeans", viewport={"width": width, "height": 720})
    assert page.page.evaluate("document.documentElement.scrollWidth") <= width

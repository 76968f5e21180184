"""A lab that runs, and a browser that opens it."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")


class Served:
    """A `kiso lab` process: its address, its token, its port."""

    def __init__(self, *arguments):
        code = "from kiso.cli import main; main()"
        environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
        self.process = subprocess.Popen(
            [sys.executable, "-c", code, "lab", "--no-browser", *map(str, arguments)],
            stdout=subprocess.PIPE, text=True, env=environment,
        )  # fmt: skip
        self.url = self.process.stdout.readline().strip()
        found = re.match(r"(http://127\.0\.0\.1:(\d+)/)\?token=([\w-]+)", self.url)
        assert found, self.url
        self.base, self.port, self.token = found.group(1), int(found.group(2)), found.group(3)

    def close(self):
        self.process.terminate()
        self.process.wait(15)
        self.process.stdout.close()


@pytest.fixture(scope="session")
def served():
    lab = Served()
    yield lab
    lab.close()


@pytest.fixture(scope="session")
def browser():
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    if path is None:
        pytest.skip("no Chromium was found")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


class Page:
    """A page of the lab: what it asked for and what its console said."""

    def __init__(self, browser, served, fragment="", **options):
        options.setdefault("viewport", {"width": 1280, "height": 720})
        self.context = browser.new_context(**options)
        self.page = self.context.new_page()
        self.page.set_default_timeout(300_000)
        self.served, self.said, self.asked = served, [], []
        self.page.on("console", lambda m: self.said.append(m.text) if m.type == "error" else None)
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.goto(served.url + (f"#{fragment}" if fragment else ""))
        if fragment:
            self.wait()

    def wait(self):
        self.page.wait_for_selector('[data-testid=stage]:not([data-step="-1"])', timeout=300_000)

    def press(self, name):
        self.page.click(f"[data-testid={name}]")

    @property
    def step(self):
        return int(self.page.get_attribute("[data-testid=stage]", "data-step"))

    @property
    def state(self):
        return self.page.get_attribute("[data-testid=stage]", "data-state")

    def reach(self, step):
        self.page.wait_for_selector(f'[data-testid=stage][data-step="{step}"]', timeout=300_000)
        return self.state

    def close(self):
        """Close it; nothing went wrong and nothing was asked of another host."""
        self.context.close()
        assert not self.said, self.said
        strange = [url for url in self.asked if not url.startswith((self.served.base, "data:",
                                                                    "blob:"))]  # fmt: skip
        assert not strange


@pytest.fixture
def open_page(browser, served):
    pages = []

    def opened(fragment="", **options):
        pages.append(Page(browser, served, fragment, **options))
        return pages[-1]

    yield opened
    for page in pages:
        page.close()

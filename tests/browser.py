"""A real JupyterLab in a real browser: starting both, and pictures of every step in `.cache/screenshots/`."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest
from conftest import ROOT

from benchmarks import free_port

CHROMIUM = shutil.which("chromium")
SCREENSHOTS = ROOT / ".cache" / "screenshots"
LAPTOP, TABLET = {"width": 1366, "height": 768}, {"width": 820, "height": 1180}

browser = pytest.mark.skipif(not CHROMIUM, reason="chromium is not installed: run ./install_system_packages")


@contextlib.contextmanager
def started(*options: str):
    """A headless Chromium."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu", *options]
        )
        yield launched
        launched.close()


def complaints(page) -> list[str]:
    """What the page's console and scripts complain about from now on."""
    said = []
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    return said


def accessible(page, *where: str) -> None:
    """No serious finding of axe-core in these parts of a page."""
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(page, context={"include": [[one] for one in where]}).response["violations"]
    serious = [one for one in found if one["impact"] in ("serious", "critical")]
    assert [(one["id"], one["nodes"][0]["html"][:300]) for one in serious] == []


def idle(page) -> None:
    """JupyterLab's notebook in front is there, and its kernel is ready and has nothing to do."""
    indicator = page.locator(".jp-Notebook-ExecutionIndicator[data-status=idle]:visible")
    # It is drawn as idle before there is a kernel. To run a cell then would ask which kernel is wanted.
    indicator.wait_for(timeout=120_000)
    page.evaluate("jupyterapp.shell.currentWidget.context.sessionContext.ready")
    indicator.wait_for(timeout=120_000)


@contextlib.contextmanager
def jupyterlab(folder: Path, config: Path, **environment: str):
    """The address of a JupyterLab that shows this folder; config: Jupyter's configuration folder."""
    port = free_port()
    options = ["--no-browser", "--allow-root", f"--port={port}", "--ServerApp.port_retries=0", "--LabApp.news_url="]
    options += ["--IdentityProvider.token=", "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate"]
    # Nobody is asked whether news are wanted.
    settings = config / "lab" / "user-settings" / "@jupyterlab" / "apputils-extension"
    settings.mkdir(parents=True)
    (settings / "notification.jupyterlab-settings").write_text('{"fetchNews": "false"}')
    with (config / "log.txt").open("w") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "jupyterlab", *options, "--LabApp.expose_app_in_browser=True"],
            cwd=folder,
            env=os.environ | {"JUPYTER_CONFIG_DIR": str(config)} | environment,
            start_new_session=True,
            stdout=log,
            stderr=log,
        )
    address = f"http://127.0.0.1:{port}"
    try:
        for _ in range(240):
            assert server.poll() is None, (config / "log.txt").read_text()[-3000:]
            with contextlib.suppress(OSError):
                urllib.request.urlopen(f"{address}/api")
                break
            time.sleep(0.25)
        yield address
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        # It ends its kernels first, which takes its time where much else is tested.
        try:
            server.wait(120)
        except subprocess.TimeoutExpired:
            os.killpg(server.pid, signal.SIGKILL)
            server.wait()


class Desk:
    """One person's page of JupyterLab; `errors` is what its console and scripts complained about."""

    def __init__(self, chromium, address: str, name: str):
        self.page = chromium.new_page(viewport=LAPTOP, has_touch=True)
        # Where much else is tested at the same time, what takes a second takes half a minute.
        self.page.set_default_timeout(120_000)
        self.address, self.name, self.shots = address, name, 0
        self.errors = complaints(self.page)
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        for old in SCREENSHOTS.glob(f"{name}-*.png"):
            old.unlink()

    def open(self, path: str = "") -> None:
        """JupyterLab with nothing else open; path: of a notebook, whose kernel is then idle."""
        self.page.goto(f"{self.address}/lab{f'/tree/{path}' if path else ''}?reset")
        self.page.locator(".jp-FileBrowser").wait_for(timeout=120_000)
        if path:
            self.page.locator(".jp-Notebook").wait_for(timeout=120_000)
            self.idle()

    def menu(self, *names: str) -> None:
        for name in names:
            self.page.get_by_role("menuitem", name=name, exact=True).click()

    def cell(self, holding: str):
        """The cell of the open notebook whose text holds this."""
        # Cells out of sight are not in the page: JupyterLab itself brings one into view.
        self.page.evaluate(
            """(holding) => {
                const notebook = jupyterapp.shell.currentWidget.content;
                const place = notebook.widgets.findIndex((cell) => cell.model.sharedModel.source.includes(holding));
                notebook.activeCellIndex = place;
                notebook.mode = "command";
                return notebook.scrollToItem(place, "start");
            }""",
            holding,
        )
        active = self.page.locator(".jp-Notebook .jp-Cell.jp-mod-active")
        active.wait_for()
        return active

    def type_into(self, holding: str, source: str) -> None:
        """Write a cell anew, key by key."""
        self.cell(holding).locator(".cm-content").click()
        keys = self.page.keyboard
        keys.press("Control+a")
        keys.press("Delete")
        for line in source.split("\n"):
            keys.type(line)
            keys.press("Enter")
            # The editor has indented the next line by itself.
            keys.press("Shift+Home")
            keys.press("Delete")
        keys.press("Backspace")

    def run(self, holding: str):
        """Run a cell and wait for its end; the cell."""
        cell = self.cell(holding)
        self.page.evaluate("jupyterapp.commands.execute('notebook:run-cell')")
        self.idle()
        return cell

    def run_all(self) -> None:
        """Run every cell, also below one that raises an error."""
        self.page.evaluate(
            """async () => {
                const notebook = jupyterapp.shell.currentWidget.content;
                for (let place = 0; place < notebook.widgets.length; place += 1) {
                    notebook.activeCellIndex = place;
                    await jupyterapp.commands.execute("notebook:run-cell");
                }
            }"""
        )
        self.idle()

    def idle(self) -> None:
        self.page.wait_for_timeout(200)
        idle(self.page)

    def shoot(self, step: str) -> None:
        """A picture as on a laptop in the light theme, and one as on a tablet in the dark theme."""
        self.shots += 1
        for size, theme, suffix in ((TABLET, "Dark", "tablet-dark"), (LAPTOP, "Light", "laptop-light")):
            self.page.set_viewport_size(size)
            self.page.evaluate(
                "theme => jupyterapp.commands.execute('apputils:change-theme', {theme})", f"JupyterLab {theme}"
            )
            self.page.wait_for_timeout(500)
            self.page.screenshot(
                path=SCREENSHOTS / f"{self.name}-{self.shots:02}-{step.replace(' ', '-')}-{suffix}.png"
            )

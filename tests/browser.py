"""Headless Chromium over pages that people get, for tests.

    from tests.browser import Browser, browser  # noqa: F401  (the fixture)

    @pytest.mark.browser
    def test_page(browser: Browser) -> None:
        browser.open(path)
        assert browser.problems() == []
        assert browser.requests() == []

Software drawing is slow: have few such tests. One Chromium serves a module.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.support.ui import WebDriverWait

REQUIRE = "GLIOMASK_REQUIRE_BROWSER"
"""With this variable set, a machine without Chromium fails the tests instead of skipping them."""
FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--enable-unsafe-swiftshader",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--hide-scrollbars",
)
_DRIVER = "GL Driver Message"
"""Advice on speed by the drawing software, e.g. when a screenshot is taken."""
_INSIDE = ("data:", "blob:", "chrome:", "about:")


class Browser:
    """One Chromium with an empty profile, and what it logged.

    Args:
        driver: of the running Chromium.
    """

    def __init__(self, driver: Chrome) -> None:
        self.driver = driver
        self._page = ""
        self._events: list[dict[str, Any]] = []

    def open(self, path: Path, width: int = 1280, height: int = 900) -> None:
        """Opens a file from disk in a window of so many pixels, and forgets what was logged."""
        self.visit(path.resolve().as_uri(), width, height)

    def visit(self, address: str, width: int = 1280, height: int = 900) -> None:
        """The same for any address."""
        self.driver.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride",
            {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600},
        )
        self.driver.get("about:blank")
        for kind in ("browser", "performance"):
            self.driver.get_log(kind)  # type: ignore[no-untyped-call]
        self._events.clear()
        self._page = address
        self.driver.get(self._page)

    def run(self, script: str, *arguments: object) -> Any:
        """What ``return ...`` in a script of the page's own world gives."""
        return self.driver.execute_script(script, *arguments)

    def wait(self, expression: str, seconds: float = 60.0) -> Any:
        """Waits until a JavaScript expression is true, and returns its value.

        Raises:
            TimeoutException: it never was.
        """
        return WebDriverWait(self.driver, seconds, 0.1).until(
            lambda _: self.run(f"return {expression}"), f"never true: {expression}"
        )

    def problems(self) -> list[str]:
        """Script errors, refusals of the security policy, failed loads, since the last call."""
        entries = self.driver.get_log("browser")  # type: ignore[no-untyped-call]
        found = [one["message"] for one in entries if one["level"] in ("SEVERE", "WARNING")]
        return [text for text in found if _DRIVER not in text]

    def requests(self) -> list[str]:
        """Addresses that were asked for since the last call, but for the page itself."""
        sent = self._taken("Network.requestWillBeSent")
        asked = [event["request"]["url"] for event in sent]
        return [url for url in asked if url != self._page and not url.startswith(_INSIDE)]

    def choose_files(self, paths: Sequence[Path], open_dialog: Callable[[], None]) -> None:
        """Chooses files in the dialog of the system that an action opens.

        Raises:
            TimeoutException: it opens none.
        """
        intercept = "Page.setInterceptFileChooserDialog"
        self.driver.execute_cdp_cmd(intercept, {"enabled": True})
        open_dialog()
        opened = WebDriverWait(self.driver, 30, 0.1).until(
            lambda _: self._taken("Page.fileChooserOpened"), "no dialog to choose files was opened"
        )
        self.driver.execute_cdp_cmd(intercept, {"enabled": False})
        chosen = {
            "files": [str(path) for path in paths],
            "backendNodeId": opened[-1]["backendNodeId"],
        }
        self.driver.execute_cdp_cmd("DOM.setFileInputFiles", chosen)

    def _taken(self, method: str) -> list[dict[str, Any]]:
        """Parameters of the events of one kind since the last call."""
        for entry in self.driver.get_log("performance"):  # type: ignore[no-untyped-call]
            self._events.append(json.loads(entry["message"])["message"])
        taken = [event["params"] for event in self._events if event["method"] == method]
        self._events = [event for event in self._events if event["method"] != method]
        return taken


@contextmanager
def chromium(flags: Sequence[str] = ()) -> Iterator[Browser]:
    """Starts a Chromium with these flags besides ``FLAGS``; skips where there is none."""
    binary = shutil.which("chromium") or shutil.which("google-chrome")
    driver = shutil.which("chromedriver")
    if not binary or not driver:
        reason = "chromium and chromedriver (Debian: chromium chromium-driver) are not installed"
        if os.environ.get(REQUIRE):
            pytest.fail(reason)
        pytest.skip(reason)
    with TemporaryDirectory(prefix="gliomask-browser-") as profile:
        options = ChromeOptions()
        options.binary_location = binary
        for flag in (*FLAGS, *flags, f"--user-data-dir={profile}"):
            options.add_argument(flag)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        running = Chrome(options=options, service=Service(driver))
        try:
            running.set_page_load_timeout(120)
            running.set_script_timeout(60)
            yield Browser(running)
        finally:
            running.quit()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One Chromium for the tests of a module."""
    with chromium() as one:
        yield one

"""Takes the pictures of the web page: a synthetic patient, from its files to a saved correction.

Needs the packages of ``pip install -e ".[serve,dev]"`` and Chromium with its driver. Called by
``make.py``; by itself it takes the pictures at full size:

    python docs/images/pages.py SCAN OUT
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

sys.path.insert(0, str(Path(__file__).parents[2]))  # tests/browser.py drives Chromium

from tests.browser import Browser, chromium

DESKTOP, PHONE = (1100, 860), (390, 844)
CHECKED = "!document.getElementById('segment').disabled && !document.getElementById('audit').hidden"
DONE = "document.querySelectorAll('#jobs > li[data-state=done]').length === {}"
DRAWABLE = "document.documentElement.dataset.editor === 'ready'"
EDGE = """
const { canvas, mask } = gliomask, [x, y, z] = canvas.voxel;
let there = x;
while (there < mask.shape[0] - 1 && mask.values[gliomask.index([there, y, z])]) there += 1;
canvas.voxel = [there, y, z];
"""
"""Moves the crosshair to the right of the patient, out of the tumour."""
MINUTES = 1200.0


def main(scan: Path, out: Path) -> list[Path]:
    """Takes all pictures of a scan into a folder, in the order in which a person sees the pages."""
    out.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory() as data, served(Path(data)) as address, chromium() as browser:
        browser.driver.set_script_timeout(MINUTES)  # software draws slowly
        taken = Pictures(browser, out)
        job = segment(browser, address, scan, taken)
        correct(browser, address, job, taken)
        browser.visit(address.partition("?")[0], *PHONE)
        browser.wait(DONE.format(1))
        taken.take("serve-phone")
        resize(browser, *DESKTOP)
        dark(browser, on=True)
        taken.take("serve-dark")
        if problems := browser.problems():
            raise RuntimeError(f"the pages have errors: {problems}")
    return taken.paths


class Pictures:
    """Screenshots of a browser.

    Args:
        browser: of which; out: where they go.

    Attributes:
        paths: those taken.
    """

    def __init__(self, browser: Browser, out: Path) -> None:
        self.browser, self.out, self.paths = browser, out, list[Path]()

    def take(self, name: str) -> None:
        """Takes one of what the window shows."""
        path = self.out / f"{name}.png"
        self.browser.driver.save_screenshot(str(path))
        self.paths.append(path)


def segment(browser: Browser, address: str, scan: Path, taken: Pictures) -> str:
    """From the empty page to the result; the id of the job."""
    browser.visit(address, *DESKTOP)
    browser.wait("!document.getElementById('new').hidden")
    taken.take("serve-start")
    browser.driver.find_element("id", "folder").send_keys(str(scan))
    browser.wait(CHECKED, MINUTES)
    browser.run("document.getElementById('new').scrollIntoView()")
    taken.take("serve-check")
    browser.driver.find_element("id", "segment").click()
    browser.wait(DONE.format(1), MINUTES)
    browser.run("document.getElementById('queue').scrollIntoView()")
    taken.take("serve-result")
    found: str = browser.run("return document.querySelector('#jobs > li').id.slice(4)")
    return found


def correct(browser: Browser, address: str, job: str, taken: Pictures) -> None:
    """A square with the pen at the edge of the tumour, saved."""
    browser.visit(f"{address.partition('?')[0]}correct#job={job}", *DESKTOP)
    browser.wait(DRAWABLE, MINUTES)
    canvas = browser.driver.find_element("id", "canvas")
    canvas.send_keys("p")
    browser.run(EDGE)
    browser.run("gliomask.slide(document.getElementById('size'), 15)")
    canvas.send_keys(" ")
    taken.take("serve-correct")
    browser.driver.find_element("id", "save").click()
    browser.wait("document.getElementById('status').innerText.startsWith('Saved')", MINUTES)
    browser.run("document.getElementById('history-title').scrollIntoView({block: 'center'})")
    taken.take("serve-history")
    resize(browser, *PHONE)
    browser.run("scrollTo(0, 0)")
    taken.take("serve-correct-phone")


def resize(browser: Browser, width: int, height: int) -> None:
    """Gives the window another size, and the page time to draw itself again."""
    size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < DESKTOP[0]}
    browser.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    browser.run("return new Promise((done) => setTimeout(done, 3000))")


def dark(browser: Browser, *, on: bool) -> None:
    """Has pages drawn in dark colours."""
    feature = {"name": "prefers-color-scheme", "value": "dark" if on else "light"}
    browser.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})


@contextmanager
def served(data: Path) -> Iterator[str]:
    """A server, and the address that it prints."""
    command = [sys.executable, "-m", "gliomask", "serve", "--data", str(data / "serve")]
    limits = ["--limit", "free_bytes=0", "--limit", "free_share=0", "--limit", "job_minutes=60"]
    with subprocess.Popen(  # noqa: S603
        [*command, "--port", "0", "--owner", "ann", *limits], stdout=subprocess.PIPE, text=True
    ) as server:
        try:
            line = server.stdout.readline() if server.stdout else ""
            yield line.removeprefix("open ").strip()
        finally:
            server.terminate()


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))

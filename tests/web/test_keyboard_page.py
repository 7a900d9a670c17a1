"""The pages by keyboard alone in Chromium: every control is reached, seen and left by keys.

Nothing here clicks or runs a function of a page: scripts only read what a page shows.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys

from gliomask.formats.nifti import read_nifti_labels
from gliomask.web.database import open_database
from gliomask.web.tokens import Tokens
from tests.browser import Browser, browser  # noqa: F401 (the fixture)
from tests.fakes import head_volume, write_head
from tests.web.live import Server, served

pytestmark = pytest.mark.browser
WINDOW = 1000, 640
STOP = """
const at = document.activeElement;
const ring = (one) => {
  const style = getComputedStyle(one);
  return style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2;
};
const box = at.getBoundingClientRect();
const label = at.nextElementSibling; // a radio button is drawn as its label
const radio = at.type === 'radio';
return {
  nowhere: at === document.body,
  name: radio ? at.name : at.id || at.name || at.innerText || at.tagName,
  seen: ring(at) || (radio && label !== null && ring(label)),
  inside: box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth,
  there: at.matches(arguments[0] || '*') && at.innerText.includes(arguments[1] || ''),
};
"""
"""The element with the focus: its name (of radio buttons, their group's), whether a ring shows it,
whether it is in the window, and whether it is the one that is looked for."""
CONTROLS = """
const usable = 'a[href], button:enabled, input:enabled, select:enabled, summary, canvas, iframe';
const radios = new Set(), names = [];
for (const one of document.querySelectorAll(usable)) {
  if (!one.offsetParent) continue;
  if (one.type === 'radio' && (radios.has(one.name) || !radios.add(one.name))) continue;
  names.push(one.type === 'radio' ? one.name : one.id || one.name || one.innerText);
}
return names;
"""
"""Visible controls; a group of radio buttons is one stop."""


MOVED = """
const at = document.activeElement, moved = at !== document.body && at !== window.stopBefore;
window.stopBefore = at;
return moved;
"""
"""Whether another element than at the last call has the focus."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with served(tmp_path_factory.mktemp("keyboard") / "data") as one:
        yield one


def press(browser: Browser, *keys: str) -> None:  # noqa: F811
    """Presses keys, wherever the focus is."""
    for key in keys:
        ActionChains(browser.driver).send_keys(key).perform()


def stop(browser: Browser, selector: str = "*", text: str = "") -> dict[str, Any]:  # noqa: F811
    """The element with the focus, which must be visible, with its ring; see ``STOP``."""
    until = time.monotonic() + 10
    found: dict[str, Any] = browser.run(STOP, selector, text)
    while not (found["nowhere"] or found["seen"]) and time.monotonic() < until:
        found = browser.run(
            STOP, selector, text
        )  # a new page is drawn a moment after its focus is set
    assert found["nowhere"] or found["seen"], f"the focus can't be seen at {found}"
    assert found["nowhere"] or found["inside"], f"the focus is outside the window at {found}"
    return found


def focus(browser: Browser) -> str:  # noqa: F811
    """Name of the visible element with the focus."""
    found = stop(browser)
    assert not found["nowhere"], "no element has the focus"
    name: str = found["name"]
    return name


def tab_to(browser: Browser, selector: str, text: str = "") -> None:  # noqa: F811
    """Moves the focus by the Tab key to an element, and checks that each stop is visible."""
    passed = []
    for _ in range(60):
        press(browser, Keys.TAB)
        found = stop(browser, selector, text)
        if found["there"] and not found["nowhere"]:
            return
        passed.append(found["name"])
    raise AssertionError(f"the Tab key never reaches {selector} {text}; it passes {passed}")


def all_reached(browser: Browser) -> None:  # noqa: F811
    """Every control is a stop of the Tab key in both directions: none keeps the focus."""
    wanted = set(browser.run(CONTROLS))
    for key in (Keys.TAB, Keys.SHIFT + Keys.TAB):
        passed = set()
        for _ in range(len(wanted) + 4):
            press(browser, key)
            passed.add(stop(browser)["name"])
        assert wanted <= passed, f"never reached: {wanted - passed}"


def text_of(browser: Browser, element: str) -> str:  # noqa: F811
    found: str = browser.run("return document.getElementById(arguments[0]).innerText", element)
    return found


def sign_in(browser: Browser, server: Server, token: str) -> None:  # noqa: F811
    """Types the token on the page."""
    browser.driver.delete_all_cookies()
    focused = {
        "enabled": True
    }  # as a window that somebody works in, whatever page was there before
    browser.driver.execute_cdp_cmd("Emulation.setFocusEmulationEnabled", focused)
    browser.visit(server.address.partition("?")[0], *WINDOW)
    browser.wait("!document.getElementById('sign-in').hidden")
    assert focus(browser) == "token"
    press(browser, token, Keys.ENTER)
    browser.wait("!document.getElementById('new').hidden")
    assert focus(browser) == "choose-files"


def test_a_study_is_segmented_corrected_approved_and_downloaded_by_keys(
    browser: Browser,  # noqa: F811
    server: Server,
    tmp_path: Path,
) -> None:
    scan = tmp_path / "scan.nii.gz"  # its name says nothing: the sequence is chosen on the page
    head = write_head(tmp_path, "case1", head_volume())
    scan.write_bytes((head / "case1-t2f.nii.gz").read_bytes())
    downloads = tmp_path / "downloads"
    downloads.mkdir()
    behaviour = {"behavior": "allow", "downloadPath": str(downloads)}
    browser.driver.execute_cdp_cmd("Browser.setDownloadBehavior", behaviour)
    sign_in(browser, server, server.address.partition("token=")[2])
    segmented(browser, scan)
    viewed(browser)
    tab_to(browser, "#jobs a", "Correct")
    press(browser, Keys.ENTER)
    browser.wait("document.documentElement.dataset.editor === 'ready'", 240)
    corrected(browser)
    reader = Tokens(open_database(server.data)).create("bob", ("read", "review"), 1)
    sign_in(browser, server, reader)
    browser.wait("document.querySelector('#jobs a')", 60)
    tab_to(browser, "#jobs a", "Correct")
    press(browser, Keys.ENTER)
    browser.wait("document.documentElement.dataset.editor === 'ready'", 240)
    tab_to(browser, "#history button", "Approve")
    press(browser, Keys.ENTER)
    browser.wait("document.getElementById('history').innerText.includes('approved by bob')")
    focus(browser)  # the button is gone, the focus is not
    tab_to(browser, "#history a", "Mask")
    press(browser, Keys.ENTER)
    mask, _ = read_nifti_labels(downloaded(downloads))
    assert mask.any()
    before_signing_in = "401 (Unauthorized)"
    assert [text for text in browser.problems() if before_signing_in not in text] == []


def segmented(browser: Browser, scan: Path) -> None:  # noqa: F811
    """From the file to the result, which appears while the focus waits in the list."""
    all_reached(browser)
    tab_to(browser, "#choose-files")
    browser.choose_files([scan], lambda: press(browser, Keys.ENTER))
    shown = (
        "!document.getElementById('segment').disabled && !document.getElementById('audit').hidden"
    )
    browser.wait(shown, 240)
    assert focus(browser) == "audit-title"
    tab_to(browser, "#series select")
    press(browser, "F")
    assert browser.run("return document.activeElement.value") == "flair"
    tab_to(browser, "#uncertainty")
    press(browser, " ")
    tab_to(browser, "#segment")
    press(browser, Keys.ENTER)
    browser.wait("document.querySelector('#jobs > li')", 60)
    browser.wait("document.activeElement.id === 'queue-title'")
    focus(browser)
    browser.wait("document.querySelector('#jobs > li[data-state=done]')", 240)
    all_reached(browser)


def viewed(browser: Browser) -> None:  # noqa: F811
    """The result is opened, the Tab key goes through it and back out, and it is closed."""
    tab_to(browser, "#jobs button", "View")
    press(browser, Keys.ENTER)
    browser.wait("document.getElementById('viewer').open")
    browser.driver.switch_to.frame("page")
    browser.wait("document.documentElement.dataset.viewer === 'ready'", 240)
    browser.driver.switch_to.default_content()
    inner = list[str]()
    press(browser, Keys.TAB)
    browser.wait("document.activeElement.id === 'page'", 20)
    while (name := stop_inside(browser)) and len(inner) < 60:
        inner.append(name)
        press(browser, Keys.TAB)
    wanted = {"canvas", "overlay", "opacity", "slice-z", "zoom-in"}
    assert wanted <= set(inner), inner
    assert focus(browser) == "close-viewer"
    press(browser, Keys.ENTER)
    browser.wait("!document.getElementById('viewer').open")
    assert focus(browser) == "View"


def stop_inside(browser: Browser) -> str:  # noqa: F811
    """Name of the next stop in the page of the result; empty once the focus has left it.

    That page has a process of its own, so the focus moves a moment after the key.
    """
    until = time.monotonic() + 20
    while browser.run("return document.activeElement.id") == "page":
        browser.driver.switch_to.frame("page")
        name = focus(browser) if browser.run(MOVED) else ""
        browser.driver.switch_to.default_content()
        if name:
            return name
        assert time.monotonic() < until, "the Tab key does not move the focus"
    return ""


def corrected(browser: Browser) -> None:  # noqa: F811
    """Every tool: a stroke by keys, a border, a fragment that goes; undo; save."""
    all_reached(browser)
    tab_to(browser, "#tools input[name=tool]")
    press(browser, Keys.ARROW_RIGHT)  # the pen
    tab_to(browser, "#tools input[name=region]")
    press(browser, Keys.ARROW_RIGHT, Keys.ARROW_LEFT)
    tab_to(browser, "#size")
    press(browser, Keys.ARROW_LEFT, Keys.ARROW_LEFT)
    assert browser.run("return document.activeElement.value") == "1"
    for axis in "zyx":  # a corner, outside the tumour
        tab_to(browser, f"#{axis}")
        press(browser, Keys.HOME)
    tab_to(browser, "#canvas")
    press(browser, " ", Keys.ARROW_UP)
    assert text_of(browser, "undo") == "Undo (1)"
    tab_to(browser, "#tools input[name=tool]")
    press(browser, *3 * [Keys.ARROW_RIGHT])  # the fragment: after filled pen and eraser
    pieces = "return [...document.getElementById('pieces').options].map((one) => one.text)"
    names = browser.run(pieces)
    assert names[0] == "none at the crosshair"
    assert len(names) >= 3, names
    tab_to(browser, "#pieces")
    press(browser, Keys.ARROW_DOWN)  # the largest: the tumour
    assert text_of(browser, "place").startswith("At the crosshair: whole tumour")
    press(browser, Keys.ARROW_DOWN)  # the voxel of the pen
    tab_to(browser, "#toggle-fragment")
    press(browser, Keys.ENTER)
    assert text_of(browser, "undo") == "Undo (2)"
    assert len(browser.run(pieces)) == len(names) - 1
    focus(browser)
    moved_border(browser)
    tab_to(browser, "#undo")
    press(browser, *3 * [Keys.ENTER])
    assert focus(browser) == "redo"  # nothing is left to undo
    press(browser, Keys.ENTER)  # the voxel again
    tab_to(browser, "#save")
    press(browser, Keys.ENTER)
    browser.wait("document.getElementById('status').innerText === 'Saved as correction 1.'")
    assert focus(browser) == "status"


def moved_border(browser: Browser) -> None:  # noqa: F811
    """The border of the lesion that is chosen in the list, as far out as it goes."""
    tab_to(browser, "#tools input[name=tool]")
    press(browser, Keys.ARROW_RIGHT)
    tab_to(browser, "#pieces")
    press(browser, Keys.HOME, Keys.ARROW_DOWN)
    before = text_of(browser, "sizes")
    tab_to(browser, "#level")
    press(browser, Keys.PAGE_UP, Keys.END)
    assert text_of(browser, "sizes") != before
    assert text_of(browser, "undo") == "Undo (3)"  # all of one movement is one step


def downloaded(folder: Path) -> Path:
    """The file that a download has left."""
    until = time.monotonic() + 60
    while not (found := [path for path in folder.iterdir() if path.suffix != ".crdownload"]):
        assert time.monotonic() < until
        time.sleep(0.1)
    return found[0]


def test_fragments_are_listed_by_size(browser: Browser, server: Server) -> None:  # noqa: F811
    """Two fragments of the outer region, one of them around the inner one; one only marked."""
    browser.visit(server.address)
    found = browser.run(
        "return import('/static/mask.js').then(({ Mask, central }) => {"
        " const regions = [[2, 'whole'], [1, 'core']]"
        "  .map(([number, name]) => ({ number, name, title: name, colour: '#000000' }));"
        " const mask = new Mask(Uint8Array.from([2, 0, 2, 1, 2, 0, 0, 0]), [8, 1, 1], regions);"
        " const probability = Uint8Array.from([200, 0, 200, 200, 200, 127, 128, 255]);"
        " return [mask.fragments(0), mask.fragments(1), mask.allDropped(0, probability),"
        "  central([2, 3, 4], [8, 1, 1]), central([0, 7], [2, 2, 2])]; })"
    )
    assert found == [[[2, 3, 4], [0]], [[3]], [[6, 7]], 3, 0]

"""The page on which a mask is corrected, in Chromium: with mouse and keys, to a second reader."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from selenium.webdriver.common.action_chains import ActionChains

from gliomask.core.volume import Affine
from gliomask.formats.nifti import read_nifti_labels
from gliomask.web.database import open_database
from gliomask.web.tokens import Tokens
from tests.browser import Browser, browser  # noqa: F401 (the fixture)
from tests.fakes import head_volume, write_head
from tests.web.live import Server, served

pytestmark = pytest.mark.browser
READY = "document.documentElement.dataset.editor === 'ready'"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with served(tmp_path_factory.mktemp("correct") / "data") as one:
        yield one


@pytest.fixture(scope="module")
def job(server: Server, tmp_path_factory: pytest.TempPathFactory) -> str:
    """An examination whose axes run as no viewer would have them."""
    head = write_head(tmp_path_factory.mktemp("scans"), "case1", head_volume((2, 0, 1), (0, 2)))
    made = server.ended(server.submit(server.upload(head), uncertainty=False, write=["nifti"]))
    assert made["state"] == "done", made
    found: str = made["id"]
    return found


def open_page(browser: Browser, server: Server, job: str, width: int = 1280) -> None:  # noqa: F811
    base = server.address.partition("?")[0]
    browser.visit(f"{base}correct#job={job}&case=case1", width=width)
    browser.wait(READY, 120)


def sign_in(browser: Browser, address: str) -> None:  # noqa: F811
    browser.driver.delete_all_cookies()
    browser.visit(address)
    browser.wait("!document.getElementById('new').hidden")


def text_of(browser: Browser, element: str) -> str:  # noqa: F811
    found: str = browser.run("return document.getElementById(arguments[0]).innerText", element)
    return found


def press(browser: Browser, *keys: str) -> None:  # noqa: F811
    browser.driver.find_element("id", "canvas").send_keys(*keys)


def mask_of(server: Server, job: str, folder: Path) -> tuple[npt.NDArray[Any], Affine]:
    """The newest mask, as it is stored."""
    content = server.client.get(f"/jobs/{job}/layers/current").content
    (folder / "mask.nii.gz").write_bytes(content)
    return read_nifti_labels(folder / "mask.nii.gz")


def test_a_mask_is_corrected_saved_and_approved(
    browser: Browser,  # noqa: F811
    server: Server,
    job: str,
    tmp_path: Path,
) -> None:
    sign_in(browser, server.address)
    before, affine = mask_of(server, job, tmp_path)
    open_page(browser, server, job)
    assert text_of(browser, "status") == "This is the network's mask."
    numbers = browser.run("return gliomask.mask.regions.map((one) => one.number)")
    # One voxel by the keyboard, in a corner; it must come back at the same place in the world.
    browser.run("gliomask.canvas.voxel = [1, 2, 3]")
    place = browser.run(
        "const { nv } = gliomask.canvas; return [...nv.frac2mm(nv.scene.crosshairPos)]"
    )
    browser.run("gliomask.slide(document.getElementById('size'), 1)")
    press(browser, "p", " ")
    assert text_of(browser, "undo") == "Undo (1)"
    assert text_of(browser, "status") == "Unsaved changes to the network's mask."
    # A stroke of the mouse in the axial plane that is shown alone: in the air beside the head,
    # where no network marks anything.
    browser.run("document.querySelector('input[value=axial]').click()")
    canvas = browser.driver.find_element("id", "canvas")
    stroke = ActionChains(browser.driver, duration=20)
    stroke.move_to_element_with_offset(canvas, -round(0.45 * canvas.size["height"]), -100)
    stroke.click_and_hold().move_by_offset(0, 100).move_by_offset(0, 100).release().perform()
    browser.wait("document.getElementById('undo').innerText === 'Undo (2)'")
    browser.run("gliomask.canvas.voxel = gliomask.place(gliomask.mask.done.at(-1).at[0])")
    press(browser, "e", " ")
    assert text_of(browser, "undo") == "Undo (3)"
    press(browser, "u", "u", "y")
    assert (text_of(browser, "undo"), text_of(browser, "redo")) == ("Undo (2)", "Redo (1)")
    drawn = browser.run("return gliomask.mask.sizes()[gliomask.mask.regions[0].name]")
    browser.driver.find_element("id", "save").click()
    browser.wait("document.getElementById('status').innerText === 'Saved as correction 1.'")
    after, same = mask_of(server, job, tmp_path)
    np.testing.assert_array_equal(affine, same)
    changed = np.argwhere(after != before)
    assert int((after > 0).sum()) == drawn
    assert {*after[after != before].tolist()} == {numbers[0]}
    found = changed @ affine[:3, :3].T + affine[:3, 3]
    assert np.abs(found - place[:3]).sum(axis=1).min() < 1e-3
    assert len(changed) > 5
    assert np.ptp(found[:, 2]) < 1e-3  # one axial slice: the stroke was on that of the voxel
    history = text_of(browser, "history")
    assert "waits for a second reader" in history
    assert "Approve" not in history
    assert browser.run("return gliomask.dirty") is False
    base = server.address.partition("?")[0]
    asked = browser.requests()
    assert [url for url in asked if not url.startswith(base)] == []
    assert browser.problems() == []
    # The second reader, on a phone.
    token = Tokens(open_database(server.data)).create("bob", ("read", "review"), 1)
    sign_in(browser, f"{base}?token={token}")
    open_page(browser, server, job, width=390)
    assert browser.run("return document.documentElement.scrollWidth <= innerWidth")
    assert text_of(browser, "status") == "This is correction 1."
    browser.driver.find_element("xpath", "//button[text()='Approve']").click()
    browser.wait("document.getElementById('history').innerText.includes('approved by bob')")
    assert browser.problems() == []


def test_a_fragment_goes_and_comes_back_and_a_border_moves(
    browser: Browser,  # noqa: F811
    server: Server,
    job: str,
) -> None:
    sign_in(browser, server.address)
    open_page(browser, server, job)
    size = "return gliomask.mask.sizes()[gliomask.mask.regions[0].name]"
    browser.run(
        "const { mask, canvas } = gliomask;"
        "const { probability } = gliomask;"
        "mask.values.forEach((_, at) => { probability[at] = 0; });"
        "const [nx, ny] = mask.shape, at = (x, y, z) => x + nx * (y + ny * z);"
        "mask.change(mask.values.keys(), 0, false);"
        "const box = []; for (let x = 2; x < 7; x++) box.push(at(x, 3, 2));"
        "box.forEach((voxel, n) => { probability[voxel] = 130 + 20 * n; });"
        "probability[at(7, 3, 2)] = 100; probability[at(9, 3, 2)] = 100;"
        "gliomask.change([...box, at(12, 3, 2)], true); canvas.voxel = [3, 3, 2]"
    )
    assert browser.run(size) == 6
    press(browser, "g")
    assert "Remove it" in text_of(browser, "tools")
    press(browser, " ")
    assert browser.run(size) == 1
    press(browser, " ")  # as far as the network had marked it
    assert browser.run(size) == 6
    browser.driver.find_element("id", "keep-fragment").click()
    assert browser.run(size) == 5
    press(browser, "u")
    press(browser, "b")
    level = "gliomask.slide(document.getElementById('level'), arguments[0])"
    for value, left in ((256 - 150, 5), (256 - 172, 3), (256 - 100, 7), (256 - 96, 7), (128, 6)):
        browser.run(level, value)
        assert browser.run(size) == left, value
    steps = browser.run("return gliomask.mask.done.length")
    browser.run(
        "document.getElementById('level').dispatchEvent(new Event('change', {bubbles: true}))"
    )
    assert browser.run("return gliomask.mask.done.length") == steps - 1  # moved back: no step


def test_regions_are_nested_and_undo_has_no_end(browser: Browser, server: Server) -> None:  # noqa: F811
    """Painting the outer one leaves the inner; erasing the inner leaves the outer."""
    sign_in(browser, server.address)
    found = browser.run(
        "return import('/static/mask.js').then(({ Mask, square }) => {"
        " const regions = [[2, 'whole'], [1, 'core'], [3, 'enhancing']]"
        "  .map(([number, name]) => ({ number, name, title: name, colour: '#000000' }));"
        " const mask = new Mask(Uint8Array.from([0, 2, 1, 3]), [4, 1, 1], regions);"
        " const all = [0, 1, 2, 3], seen = [];"
        " const look = () => seen.push([...mask.values].join(''));"
        " mask.change(all, 0, true); look();"
        " mask.change(all, 1, false); look();"
        " mask.change([1], 2, true); look();"
        " mask.change([1], 1, false); look();"
        " for (let n = 0; n < 4; n++) mask.undo(); look();"
        " for (let n = 0; n < 50; n++) mask.change([0], 0, n % 2 === 0);"
        " for (let n = 0; n < 50; n++) mask.undo(); look();"
        " seen.push(mask.undo(), mask.redo(), mask.values[0]);"
        " seen.push(square([0, 1, 1], 3, 2, [4, 4, 4]).join());"
        " return seen; })"
    )
    assert found[:6] == ["2213", "2222", "2322", "2222", "0213", "0213"]
    assert found[6:9] == [False, True, 2]
    assert found[9] == "16,17,20,21,24,25"

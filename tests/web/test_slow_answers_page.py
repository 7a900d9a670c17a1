"""Pages while the server is slow or fails: nothing drawn is lost, nothing outdated is shown."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium.webdriver.common.keys import Keys

from gliomask.web.database import open_database
from gliomask.web.tokens import Tokens
from tests.browser import Browser, browser  # noqa: F401 (the fixture)
from tests.fakes import head_volume, write_head
from tests.web.live import Server, served

pytestmark = pytest.mark.browser
HOLD = """
    const real = window.fetch, [method, part] = arguments;
    window.fetch = (address, options = {}) => {
        const meant = (options.method || 'GET') === method && String(address).includes(part);
        if (!meant) return real(address, options);
        return new Promise((go) => {
            window.release = () => { window.fetch = real; go(real(address, options)); };
        });
    };
"""
FAIL = """
    const real = window.fetch, [method, part] = arguments;
    window.fetch = (address, options = {}) => {
        const meant = (options.method || 'GET') === method && String(address).includes(part);
        return meant ? Promise.reject(new TypeError('network error')) : real(address, options);
    };
"""
DRAW = "gliomask.pickRegion(0); gliomask.change([arguments[0]], true)"
IMAGES = "return [...document.querySelectorAll('#image option')].map((option) => option.value)"
CHOOSE = """
    const image = document.getElementById('image');
    image.value = arguments[0];
    image.dispatchEvent(new Event('change', {bubbles: true}));
"""
STATUS = "document.getElementById('status').innerText"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with served(tmp_path_factory.mktemp("slow") / "data") as one:
        yield one


@pytest.fixture
def job(server: Server, tmp_path: Path) -> str:
    head = write_head(tmp_path, "case1", head_volume())
    ended = server.ended(server.submit(server.upload(head), uncertainty=False, write=["nifti"]))
    made: str = ended["id"]
    return made


def open_editor(browser: Browser, server: Server, job: str) -> None:  # noqa: F811
    browser.driver.delete_all_cookies()
    browser.visit(server.address)
    browser.wait("!document.getElementById('new').hidden")
    base = server.address.partition("?")[0]
    browser.visit(f"{base}correct#job={job}&case=case1")
    browser.wait("document.documentElement.dataset.editor === 'ready'", 120)


def save(browser: Browser) -> None:  # noqa: F811
    browser.run("document.getElementById('save').click()")


def click(browser: Browser, text: str, within: str) -> None:  # noqa: F811
    """Clicks the button with this text."""
    browser.run(
        "[...document.querySelectorAll(`${arguments[1]} button`)]"
        ".find((button) => button.innerText === arguments[0]).click()",
        text,
        within,
    )


def test_a_stroke_during_a_save_stays_unsaved(
    browser: Browser,  # noqa: F811
    server: Server,
    job: str,
) -> None:
    open_editor(browser, server, job)
    browser.run(DRAW, 0)
    browser.run(HOLD, "PUT", "correction")
    save(browser)
    browser.wait("typeof window.release === 'function'")
    browser.run(DRAW, 1)
    assert browser.run(f"return {STATUS}") == "Saving …"
    assert browser.run("return document.getElementById('save').disabled")
    browser.run("window.release()")
    browser.wait(f"{STATUS}.startsWith('Saved as correction 1.')")
    assert browser.run(f"return {STATUS}") == "Saved as correction 1. There are newer changes."
    assert browser.run("return gliomask.dirty && !document.getElementById('save').disabled")
    save(browser)
    browser.wait(f"{STATUS} === 'Saved as correction 2.'")
    assert browser.run("return gliomask.dirty") is False


def test_a_save_that_fails_can_be_repeated_and_a_list_that_fails_is_no_failed_save(
    browser: Browser,  # noqa: F811
    server: Server,
    job: str,
) -> None:
    open_editor(browser, server, job)
    browser.run(DRAW, 0)
    real = "window.fetch = window.whole"
    browser.run(f"window.whole = window.fetch; {FAIL}", "PUT", "correction")
    save(browser)
    browser.wait(f"{STATUS} === 'Not saved.'")
    assert browser.run("return gliomask.dirty && !document.getElementById('save').disabled")
    browser.run(f"{real}; {FAIL}", "GET", "corrections")
    save(browser)
    browser.wait(f"{STATUS} === 'Saved as correction 1.'")
    browser.wait("document.getElementById('problem').innerText !== ''")
    browser.run(real)
    browser.run(DRAW, 1)
    save(browser)
    browser.wait(f"{STATUS} === 'Saved as correction 2.'")


def test_an_approval_keeps_unsaved_strokes(
    browser: Browser,  # noqa: F811
    server: Server,
    job: str,
) -> None:
    """Another reader saved a mask since this page was opened."""
    open_editor(browser, server, job)
    browser.run(DRAW, 0)
    save(browser)
    browser.wait(f"{STATUS} === 'Saved as correction 1.'")
    base = server.address.partition("?")[0]
    token = Tokens(open_database(server.data)).create("bob", ("read", "submit", "review"), 1)
    browser.driver.delete_all_cookies()
    browser.visit(f"{base}?token={token}")
    browser.wait("!document.getElementById('new').hidden")
    browser.visit(f"{base}correct#job={job}&case=case1")
    browser.wait("document.documentElement.dataset.editor === 'ready'", 120)
    newest = server.client.get(f"/jobs/{job}/corrections").json()["cases"][0]
    content = server.client.get(f"/jobs/{job}/layers/mask").content
    address = f"/jobs/{job}/correction"
    answer = server.client.put(address, params={"base": newest["sha256"]}, content=content)
    assert answer.status_code == 201, answer.text
    browser.run(DRAW, 2)
    click(browser, "Approve", "#history")
    browser.wait("document.getElementById('problem').innerText.includes('saved meanwhile')")
    assert browser.run("return gliomask.dirty")
    assert browser.run(f"return {STATUS}") == "Unsaved changes to correction 1."
    save(browser)
    browser.wait(f"{STATUS} === 'Not saved.'")  # the mask before is not the newest
    assert browser.run("return gliomask.dirty")


def test_strokes_while_a_newer_mask_is_loaded_stay(
    browser: Browser,  # noqa: F811
    server: Server,
    job: str,
) -> None:
    open_editor(browser, server, job)
    browser.run(DRAW, 0)
    save(browser)
    browser.wait(f"{STATUS} === 'Saved as correction 1.'")
    browser.run(HOLD, "GET", "layers/current")
    click(browser, "Withdraw", "#history")
    browser.wait("typeof window.release === 'function'")
    browser.run(DRAW, 3)
    browser.run("window.release()")
    browser.wait("document.getElementById('problem').innerText.includes('saved meanwhile')")
    assert browser.run(f"return {STATUS}") == "Unsaved changes to correction 1."


def test_an_image_that_loads_slowly_does_not_replace_a_later_choice(
    browser: Browser,  # noqa: F811
    server: Server,
    job: str,
) -> None:
    open_editor(browser, server, job)
    first, other = browser.run(IMAGES)
    browser.run(HOLD, "GET", other)
    browser.run(CHOOSE, other)
    browser.wait("typeof window.release === 'function'")
    browser.run(CHOOSE, first)
    browser.run("window.release()")
    browser.wait(f"gliomask.canvas.layers.has('{other}')")
    assert browser.run("return gliomask.image") == first
    browser.run(CHOOSE, other)
    browser.wait(f"gliomask.image === '{other}'")


def test_an_image_that_can_not_be_loaded_is_not_shown_as_chosen(
    browser: Browser,  # noqa: F811
    server: Server,
    job: str,
) -> None:
    open_editor(browser, server, job)
    first, other = browser.run(IMAGES)
    browser.run(FAIL, "GET", other)
    browser.run(CHOOSE, other)
    browser.wait("document.getElementById('problem').innerText !== ''")
    assert browser.run("return document.getElementById('image').value") == first


def test_shortcuts_of_the_browser_are_left_to_it(
    browser: Browser,  # noqa: F811
    server: Server,
    job: str,
) -> None:
    open_editor(browser, server, job)
    browser.run("gliomask.pickRegion(0); gliomask.pick('look')")
    handled = """
        const canvas = document.getElementById('canvas');
        return arguments[0].map((key) => !canvas.dispatchEvent(
            new KeyboardEvent('keydown', {key, ctrlKey: true, bubbles: true, cancelable: true})));
    """
    assert browser.run(handled, ["r", "p", "f", "+", "-", "o", "l"]) == [False] * 7
    assert browser.run("return [gliomask.region, gliomask.tool]") == [0, "look"]
    browser.run(DRAW, 0)
    assert browser.run(handled, ["z"]) == [True]
    assert browser.run("return gliomask.dirty") is False
    assert browser.run(handled, ["y"]) == [True]
    assert browser.run("return gliomask.dirty")
    assert browser.run(handled, ["Z"]) == [True]  # with Caps Lock
    assert browser.run("return gliomask.dirty") is False
    assert browser.run(handled.replace("ctrlKey", "shiftKey: true, ctrlKey"), ["z"]) == [True]
    assert browser.run("return gliomask.dirty")


def test_a_sharp_border_moves_by_the_arrow_keys(
    browser: Browser,  # noqa: F811
    server: Server,
    job: str,
) -> None:
    """The first steps of the slider add no voxel."""
    open_editor(browser, server, job)
    browser.run("gliomask.pick('border'); gliomask.goToTumour()")
    before = browser.run("return gliomask.mask.sizes()[gliomask.mask.regions[0].name]")
    sharp = """
        const here = gliomask.lesionHere(), map = gliomask.probability;
        map.fill(0); for (const at of here) map[at] = 255;
        for (let n = 0; n < map.length; n++) if (!map[n] && here.includes(n + 1)) map[n] = 110;
    """
    browser.run(sharp)
    slider = browser.driver.find_element("id", "level")
    for _ in range(30):
        slider.send_keys(Keys.ARROW_RIGHT)
    assert browser.run("return Number(document.getElementById('level').value)") == 128 + 2 * 30
    after = browser.run("return gliomask.mask.sizes()[gliomask.mask.regions[0].name]")
    assert after > before
    assert browser.run("return gliomask.mask.done.length") == 1


def test_the_reason_why_a_job_can_not_be_cancelled_stays(
    browser: Browser,  # noqa: F811
    server: Server,
    job: str,
) -> None:
    browser.driver.delete_all_cookies()
    browser.visit(server.address)
    browser.wait(f"document.querySelector('#job-{job}')")
    browser.run("window.confirm = () => true")
    browser.run(FAIL, "DELETE", "files")
    click(browser, "Delete", f"#job-{job}")
    browser.wait("document.getElementById('job-problem').innerText !== ''")
    browser.run(
        "window.drawn = 0; const real = window.fetch;"
        "window.fetch = (...all) => { window.drawn++; return real(...all); }"
    )
    browser.wait("window.drawn >= 2", 30)
    assert browser.run("return document.getElementById('job-problem').innerText") != ""

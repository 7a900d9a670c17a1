"""The page in Chromium: from the files on a person's disk to the masks."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium.webdriver.common.keys import Keys

from tests.browser import Browser, browser  # noqa: F401 (the fixture)
from tests.fakes import head_volume, tall_head_volume, write_head
from tests.web.live import Server, served

pytestmark = pytest.mark.browser
STATES = "Array.from(document.querySelectorAll('#jobs > li'), (one) => one.dataset.state)"
READY = "!document.getElementById('segment').disabled && !document.getElementById('audit').hidden"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with served(tmp_path_factory.mktemp("page") / "data") as one:
        yield one


def text_of(browser: Browser, selector: str) -> str:  # noqa: F811
    found: str = browser.run("return document.querySelector(arguments[0]).innerText", selector)
    return found


def choose(browser: Browser, selector: str, *paths: Path) -> None:  # noqa: F811
    """Gives files, or a folder, to an input as its dialog would."""
    element = browser.driver.find_element("css selector", selector)
    element.send_keys("\n".join(map(str, paths)))
    browser.wait(READY)


def used_as(browser: Browser) -> dict[str, str]:  # noqa: F811
    """File -> the sequence that the table says it is used as."""
    found: dict[str, str] = browser.run(
        "return Object.fromEntries(Array.from(document.querySelectorAll('#series tbody tr'),"
        " (row) => [row.cells[0].innerText, row.querySelector('select').value]))"
    )
    return found


def test_a_folder_becomes_a_mask(browser: Browser, server: Server, tmp_path: Path) -> None:  # noqa: F811
    head = write_head(tmp_path, "case1", head_volume())
    browser.visit(server.address)
    browser.wait("!document.getElementById('new').hidden")
    assert "token" not in browser.driver.current_url
    choose(browser, "#folder", head)
    assert "1 examination can be segmented" in text_of(browser, "#audit-text")
    assert used_as(browser) == {"case1-t1n.nii.gz": "t1", "case1-t2f.nii.gz": "flair"}
    browser.driver.find_element("css selector", "#segment").send_keys(Keys.ENTER)
    browser.wait(f"{STATES}[0] === 'done'", 120)
    assert "whole tumour 0." in text_of(browser, "#jobs")
    links = browser.run(
        "return Array.from(document.querySelectorAll('#jobs a'), (a) => a.innerText)"
    )
    assert links == ["Correct", "Mask", "Page", "JSON", "All as zip"]
    view = browser.driver.find_element("xpath", "//button[text()='View']")
    view.send_keys(Keys.ENTER)
    browser.driver.switch_to.frame("page")
    browser.wait("document.documentElement.dataset.viewer === 'ready'", 120)
    browser.driver.switch_to.default_content()
    asked = browser.requests()
    base = server.address.partition("?")[0]
    assert asked
    assert [url for url in asked if not url.startswith(base)] == []
    assert browser.problems() == []
    browser.driver.find_element("css selector", "#close-viewer").click()
    browser.driver.find_element("xpath", "//button[text()='Delete']").click()
    question = browser.driver.switch_to.alert
    assert "the results of case1, with all corrections" in question.text
    question.accept()
    browser.wait(f"{STATES}.length === 0")


def test_loose_files_are_named_by_hand(browser: Browser, server: Server, tmp_path: Path) -> None:  # noqa: F811
    """On a phone; two files of which one is taken for another sequence than its name says."""
    head = write_head(tmp_path, "case1", head_volume())
    browser.visit(server.address, width=390, height=800)
    browser.wait("!document.getElementById('new').hidden")
    choose(browser, "#files", *sorted(head.iterdir()))
    assert browser.run("return document.documentElement.scrollWidth <= innerWidth")
    browser.run(
        "const [first] = document.querySelectorAll('#series select');"
        "first.value = 't1ce'; document.getElementById('uncertainty').checked = false"
    )
    browser.driver.find_element("css selector", "#segment").click()
    browser.wait(f"{STATES}.includes('done')", 120)
    (job,) = [
        one
        for one in server.client.get("/jobs").json()
        if one["state"] == "done" and one["kind"] == "predict"
    ]
    assert job["options"]["sequences"] == {"t1ce": 0, "flair": 1}
    assert job["result"]["cases"][0]["sequences_used"] == ["t1ce", "flair"]
    assert browser.run("return document.documentElement.scrollWidth <= innerWidth")
    assert browser.problems() == []


def test_what_can_not_be_used_is_said_and_a_job_is_cancelled(
    browser: Browser,  # noqa: F811
    server: Server,
    tmp_path: Path,
) -> None:
    bad = tmp_path / "<b>bad.nii.gz"
    bad.write_bytes(b"no image")
    browser.visit(server.address)
    browser.wait("!document.getElementById('new').hidden")
    choose(browser, "#files", bad)
    assert "<b>bad.nii.gz" in text_of(browser, "main")
    choose(browser, "#folder", write_head(tmp_path / "s", "case2", tall_head_volume()))
    browser.driver.find_element("css selector", "#segment").click()
    cancel = "#jobs > :is([data-state=queued], [data-state=running]) button"
    browser.wait(f"{STATES}.some((one) => one === 'running' || one === 'queued')")
    browser.run("document.querySelector(arguments[0]).click()", cancel)  # drawn anew meanwhile
    browser.wait(f"{STATES}.includes('cancelled')", 30)


def test_without_a_token_the_page_asks_for_one(browser: Browser, server: Server) -> None:  # noqa: F811
    base, _, token = server.address.partition("?token=")
    browser.driver.delete_all_cookies()
    browser.visit(base)
    browser.wait("!document.getElementById('sign-in').hidden")
    field = browser.driver.find_element("css selector", "#token")
    field.send_keys("wrong", Keys.ENTER)
    browser.wait("document.getElementById('sign-in-problem').textContent.length > 0")
    assert browser.run("return document.getElementById('new').hidden")
    field.clear()
    field.send_keys(token, Keys.ENTER)
    browser.wait("!document.getElementById('new').hidden")
    assert browser.run("return document.cookie") == ""


def test_two_results_are_compared_over_time(
    browser: Browser,  # noqa: F811
    server: Server,
    tmp_path: Path,
) -> None:
    for case in ("p1-a", "p1-b"):
        head = write_head(tmp_path, case, head_volume())
        job = server.submit(server.upload(head), uncertainty=False, write=["nifti"])
        assert server.ended(job)["state"] == "done"
    browser.visit(server.address)
    boxes = "document.querySelectorAll('#jobs input[name=compare]')"
    browser.wait(f"{boxes}.length >= 2")
    assert browser.run("return document.getElementById('over-time').disabled")
    browser.run(
        f"Array.from({boxes}).filter((box) => box.value.includes('p1-')).forEach((b) => b.click())"
    )
    button = browser.driver.find_element("css selector", "#over-time")
    assert button.text == "Compare 2 over time"
    button.send_keys(Keys.ENTER)
    browser.driver.switch_to.frame("page")
    browser.wait("document.body.innerText.includes('2 time points')")
    titles = browser.run("return document.querySelector('h1').innerText")
    assert titles == "p1-a to p1-b"
    browser.driver.switch_to.default_content()
    assert browser.problems() == []

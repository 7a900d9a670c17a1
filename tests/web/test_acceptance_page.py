"""The page in Chromium as people use it: dropping, waiting, cancelling, downloading, correcting.

Every test ends with no violation of the security policy and no request to another server.
"""

from __future__ import annotations

import io
import json
import os
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import numpy.typing as npt
import pytest
from pydicom import dcmread
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys

from gliomask.formats.nifti import read_nifti_labels
from tests.browser import Browser, browser  # noqa: F401 (the fixture)
from tests.fakes import head_volume, tall_head_volume, write_head, write_picture_head
from tests.web.live import Server, served
from tests.workflows.heads import write_dicom_head

pytestmark = pytest.mark.browser
CHECKED = "!document.getElementById('segment').disabled && !document.getElementById('audit').hidden"
STANDING = "Array.from(document.querySelectorAll('#jobs > li'), (li) => li.innerText).join()"
EDITOR = "document.documentElement.dataset.editor === 'ready'"
SEG, RTSTRUCT = "1.2.840.10008.5.1.4.1.1.66.4", "1.2.840.10008.5.1.4.1.1.481.3"
FAINT = """
const linear = (n) => n / 255 <= 0.03928 ? n / 255 / 12.92 : ((n / 255 + 0.055) / 1.055) ** 2.4;
const luminance = ([r, g, b]) => 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
const numbers = (text) => text.match(/[\\d.]+/g).map(Number);
const ground = (one) => {
  const found = numbers(getComputedStyle(one).backgroundColor);
  const own = found.length < 4 || found[3] > 0 || !one.parentElement;
  return own ? found.slice(0, 3) : ground(one.parentElement);
};
const contrast = (one) => {
  const both = [luminance(numbers(getComputedStyle(one).color)), luminance(ground(one))];
  return (Math.max(...both) + 0.05) / (Math.min(...both) + 0.05);
};
const own = (one) => [...one.childNodes].some((child) => child.nodeType === 3 && child.data.trim());
const texts = [...document.querySelectorAll('body *')].filter((one) =>
  one.offsetParent && own(one) && !one.closest('.stage, select, :disabled'));
if (texts.length < 10) return ['there are hardly any texts'];
return texts.filter((one) => contrast(one) < 4.5)
  .map((one) => `${contrast(one).toFixed(2)}: ${one.innerText}`);
"""
"""Texts whose contrast is under 4.5 (WCAG 2.2, 1.4.3)."""
CUT = """
const scrolls = (one) => one.closest('.scroll, .charts figure') !== null;
const seen = [...document.querySelectorAll('body *')]
  .filter((one) => one.offsetParent && !scrolls(one));
const out = seen.filter((one) => one.getBoundingClientRect().right > innerWidth + 1);
const clipped = seen.filter((one) => !one.matches('.stage, canvas, input, select') &&
  getComputedStyle(one).overflowX !== 'visible' && one.scrollWidth > one.clientWidth + 1);
const wide = document.documentElement.scrollWidth > innerWidth ? [document.documentElement] : [];
return [...wide, ...out, ...clipped].map((one) => one.outerHTML.slice(0, 90));
"""
"""Elements that the window or their own box cuts off."""
PHONE = 360


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with served(tmp_path_factory.mktemp("acceptance") / "data") as one:
        yield one


@pytest.fixture(autouse=True)
def clean(browser: Browser, server: Server) -> Iterator[None]:  # noqa: F811
    """What holds at the end of every test."""
    yield
    check_logs(browser, server)


def check_logs(browser: Browser, server: Server) -> None:  # noqa: F811
    """No error, no violation of the policy, and no request to elsewhere since the last visit."""
    base = server.address.partition("?")[0]
    assert [url for url in browser.requests() if not url.startswith(base)] == []
    assert browser.problems() == []


def sign_in(browser: Browser, server: Server, width: int = 1280) -> None:  # noqa: F811
    """Opens the page with the address that the server has printed."""
    browser.visit(server.address, width=width)
    browser.wait("!document.getElementById('new').hidden")


def open_editor(browser: Browser, server: Server, job: str, width: int = 1280) -> None:  # noqa: F811
    """Opens the page of corrections."""
    check_logs(browser, server)
    browser.driver.set_script_timeout(110)  # software draws for long where others work, too
    browser.visit(f"{server.address.partition('?')[0]}correct#job={job}", width=width)
    browser.wait(EDITOR, 240)


def drop(browser: Browser, *paths: Path) -> str:  # noqa: F811
    """Drops files and folders on the page; what their audit says."""
    x, y = browser.run(
        "document.getElementById('audit-text').textContent = '';"
        "const box = document.getElementById('drop').getBoundingClientRect();"
        "return [box.x + box.width / 2, box.y + box.height / 2]"
    )
    data = {"items": [], "files": [str(path) for path in paths], "dragOperationsMask": 1}
    for kind in ("dragEnter", "dragOver", "drop"):
        event = {"type": kind, "x": x, "y": y, "data": data}
        browser.driver.execute_cdp_cmd("Input.dispatchDragEvent", event)
    text = "document.getElementById('audit-text').textContent"
    browser.wait(f"{CHECKED} && {text} && {text} !== 'Reading headers …'", 240)
    found: str = browser.run(f"return {text}")
    return found


def tab_to(browser: Browser, selector: str) -> None:  # noqa: F811
    """Moves the focus by the Tab key alone."""
    for _ in range(80):
        if browser.run("return document.activeElement.matches(arguments[0])", selector):
            return
        ActionChains(browser.driver).send_keys(Keys.TAB).perform()
    raise AssertionError(f"the Tab key never reaches {selector}")


def zipped_study(folder: Path) -> Path:
    """A DICOM study as an archive."""
    write_dicom_head(folder / "study")
    with zipfile.ZipFile(folder / "study.zip", "w") as archive:
        for path in sorted((folder / "study").rglob("*")):
            archive.write(path, path.relative_to(folder))
    return folder / "study.zip"


def test_whatever_is_dropped_is_checked_before_anything_runs(
    browser: Browser,  # noqa: F811
    server: Server,
    tmp_path: Path,
) -> None:
    sign_in(browser, server)
    head = write_head(tmp_path, "case1", head_volume())
    assert drop(browser, head) == "1 examination can be segmented: case1"
    assert drop(browser, zipped_study(tmp_path)).startswith("1 examination can be segmented: ")
    taken = browser.run(
        "return Array.from(document.querySelectorAll('#series select'), (one) => one.value).sort()"
    )
    assert taken == ["flair", "t1"]
    pictures = write_picture_head(tmp_path, "pictures1")
    assert "pictures1" in drop(browser, pictures)
    alone = tmp_path / "p9_flair.nii.gz"
    alone.write_bytes((head / "case1-t2f.nii.gz").read_bytes())
    assert "p9" in drop(browser, alone)
    nameless = tmp_path / "scan.nii.gz"
    nameless.write_bytes(alone.read_bytes())
    said = drop(browser, nameless)
    assert said.endswith("Choose below what each file is."), said
    assert browser.run("return document.querySelector('#series select').value") == ""
    assert {job["kind"] for job in server.client.get("/jobs").json()} == {"inspect"}


def test_jobs_are_watched_and_cancelled_and_results_downloaded(
    browser: Browser,  # noqa: F811
    server: Server,
    tmp_path: Path,
) -> None:
    sign_in(browser, server)
    drop(browser, zipped_study(tmp_path))
    tab_to(browser, "#rtstruct")
    ActionChains(browser.driver).send_keys(" ").perform()
    tab_to(browser, "#segment")
    ActionChains(browser.driver).send_keys(Keys.ENTER).perform()
    browser.wait("document.querySelector('#jobs > li')", 30)
    first = browser.run("return document.querySelector('#jobs > li').id.slice(4)")
    upload = server.upload(write_head(tmp_path, "case1", tall_head_volume()))
    waiting = [server.submit(upload) for _ in range(3)]
    browser.wait(f"{STANDING}.includes('waiting, 1 before it')", 60)
    browser.wait(f"{STANDING}.includes(' %') && document.querySelector('#jobs progress')", 120)
    for job in reversed(waiting):
        state = "running" if job == waiting[0] else "queued"
        browser.wait(f"document.querySelector('#job-{job}[data-state={state}]')", 240)
        browser.run("document.querySelector(`#job-${arguments[0]} button`).click()", job)
        browser.wait(f"document.querySelector('#job-{job}[data-state=cancelled]')", soon())
    browser.wait(f"document.querySelector('#job-{first}[data-state=done]')", 240)
    names = download_all(browser, first, tmp_path / "downloads")
    files = {path.name: path.read_bytes() for path in (tmp_path / "downloads").iterdir()}
    assert dcmread(io.BytesIO(files[names["DICOM SEG"]])).SOPClassUID == SEG
    assert dcmread(io.BytesIO(files[names["RTSTRUCT"]])).SOPClassUID == RTSTRUCT
    assert json.loads(files[names["JSON"]])["form"] == "gliomask case 1"
    assert files[names["Page"]].lower().startswith(b"<!doctype html>")
    (tmp_path / "mask.nii.gz").write_bytes(files[names["Mask"]])
    assert read_nifti_labels(tmp_path / "mask.nii.gz")[0].any()
    archive = zipfile.ZipFile(io.BytesIO(files[names["All as zip"]]))
    for title, name in names.items():
        assert title == "All as zip" or archive.read(name) == files[name]


def soon() -> float:
    """Five seconds, and more on a machine whose processors are shared by more than they can run."""
    return 5 * max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))


def download_all(browser: Browser, job: str, into: Path) -> dict[str, str]:  # noqa: F811
    """Clicks every download of a job: its title -> name of the file."""
    into.mkdir()
    behaviour = {"behavior": "allow", "downloadPath": str(into)}
    browser.driver.execute_cdp_cmd("Browser.setDownloadBehavior", behaviour)
    names: dict[str, str] = {}
    for link in browser.driver.find_elements("css selector", f"#job-{job} a[download]"):
        before = set(into.iterdir())
        link.click()
        until = time.monotonic() + 60
        while not (new := {p for p in into.iterdir() if p.suffix != ".crdownload"} - before):
            assert time.monotonic() < until, link.text
            time.sleep(0.1)
        (path,) = new
        names[link.text] = path.name
    assert list(names) == ["Mask", "DICOM SEG", "RTSTRUCT", "Page", "JSON", "All as zip"]
    return names


def stroke(browser: Browser, plane: str, *, region: int, tool: str, steps: int) -> None:  # noqa: F811
    """A stroke of the mouse with a tool of the correction page, in one plane."""
    browser.run(f"document.querySelector('input[value={plane}]').click()")
    browser.run("gliomask.canvas.voxel = [15, 12, 5]")  # in the tumour
    browser.run("gliomask.pickRegion(arguments[0])", region)
    canvas = browser.driver.find_element("id", "canvas")
    canvas.send_keys(tool)
    moves = ActionChains(browser.driver, duration=20).move_to_element_with_offset(canvas, -60, 20)
    moves = moves.click_and_hold().move_by_offset(60, -40).move_by_offset(40, 60)
    moves.release().perform()
    browser.wait(f"document.getElementById('undo').innerText === 'Undo ({steps})'", 30)


def stored(server: Server, job: str, folder: Path) -> npt.NDArray[Any]:
    """The newest mask, its axes along x, y, z of the patient."""
    path = folder / "stored.nii.gz"
    path.write_bytes(server.client.get(f"/jobs/{job}/layers/current").content)
    return np.asarray(nib.as_closest_canonical(nib.load(path)).dataobj)


def test_a_mask_is_drawn_on_in_three_planes_and_only_that_is_saved(
    browser: Browser,  # noqa: F811
    server: Server,
    tmp_path: Path,
) -> None:
    head = write_head(tmp_path, "case1", head_volume())
    job = server.ended(server.submit(server.upload(head), uncertainty=False, write=["nifti"]))["id"]
    before = stored(server, job, tmp_path)
    sign_in(browser, server)
    open_editor(browser, server, job)
    stroke(browser, "axial", region=0, tool="p", steps=1)
    stroke(browser, "coronal", region=1, tool="f", steps=2)
    stroke(browser, "sagittal", region=0, tool="e", steps=3)
    canvas = browser.driver.find_element("id", "canvas")
    canvas.send_keys("uuu")
    assert browser.run("return document.getElementById('undo').disabled")
    np.testing.assert_array_equal(shown(browser, before.shape), before)
    canvas.send_keys("yyy")
    fragment_is_clicked_away(browser)
    touched = browser.run("return gliomask.mask.done.flatMap((step) => [...step.at])")
    wanted = shown(browser, before.shape)
    tab_to(browser, "#save")
    ActionChains(browser.driver).send_keys(Keys.ENTER).perform()
    browser.wait("document.getElementById('status').innerText.startsWith('Saved')", 60)
    after = stored(server, job, tmp_path)
    np.testing.assert_array_equal(after, wanted)
    changed = np.flatnonzero((after != before).reshape(-1, order="F"))
    assert changed.size > 20
    assert set(changed.tolist()) <= set(touched)
    (made,) = server.client.get(f"/jobs/{job}/corrections").json()["corrections"]
    assert made["changes"]["core"]["added_voxels"] == int(
        (np.isin(after, (1, 3)) & ~np.isin(before, (1, 3))).sum()
    )


def shown(browser: Browser, shape: tuple[int, ...]) -> npt.NDArray[Any]:  # noqa: F811
    """The mask as the page has it."""
    values = browser.run("return Array.from(gliomask.mask.values)")
    return np.array(values).reshape(shape, order="F")


def fragment_is_clicked_away(browser: Browser) -> None:  # noqa: F811
    """A voxel outside the tumour is marked where the mouse points, then clicked."""
    browser.run("document.querySelector('input[value=axial]').click()")
    canvas = browser.driver.find_element("id", "canvas")
    canvas.send_keys("l")

    def click() -> None:
        chain = ActionChains(browser.driver).move_to_element_with_offset(canvas, -200, -200)
        chain.click().perform()

    click()
    at = browser.run("return gliomask.index(gliomask.canvas.voxel)")
    assert browser.run("return gliomask.mask.values[arguments[0]]", at) == 0
    browser.run("gliomask.pickRegion(0); gliomask.change([arguments[0]], true)", at)
    assert browser.run("return gliomask.mask.fragment(arguments[0], 0).length", at) == 1
    canvas.send_keys("g")
    click()
    assert browser.run("return gliomask.mask.values[arguments[0]]", at) == 0


@pytest.fixture(scope="module")
def two_results(server: Server, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Jobs of two examinations of one patient, with all that a case page may show."""
    jobs = []
    for case in ("p1-a", "p1-b"):
        head = write_head(tmp_path_factory.mktemp(case), case, head_volume())
        jobs.append(server.ended(server.submit(server.upload(head)))["id"])
    return jobs


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_can_be_read_in_light_and_dark_and_fit_a_phone(
    browser: Browser,  # noqa: F811
    server: Server,
    two_results: list[str],
    tmp_path: Path,
    scheme: str,
) -> None:
    """The queue with a checked upload, the result, the editor with its tools, the comparison."""
    feature = {"name": "prefers-color-scheme", "value": scheme}
    browser.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})
    sign_in(browser, server, width=PHONE)
    browser.wait(f"document.getElementById('job-{two_results[0]}')", 60)
    drop(browser, write_head(tmp_path, "case1", head_volume()))
    readable(browser, scheme)
    first, second = two_results
    base = f"{server.address.partition('?')[0]}api/v1/"
    check_logs(browser, server)
    browser.visit(f"{base}jobs/{first}/files/page?case=p1-a", width=PHONE)
    browser.wait("document.documentElement.dataset.viewer === 'ready'", 240)
    readable(browser, scheme)
    browser.visit(f"{base}follow?of={first}&of={second}", width=PHONE)
    browser.wait("document.body.innerText.includes('2 time points')")
    readable(browser, scheme)
    open_editor(browser, server, first, width=PHONE)
    for tool in ("look", "pen", "fragment", "border"):
        browser.run(f"document.querySelector('input[value={tool}]').click()")
        readable(browser, scheme)


def readable(browser: Browser, scheme: str) -> None:  # noqa: F811
    """The colours are those of the scheme, all texts have contrast, and nothing is cut off."""
    ground = browser.run("return getComputedStyle(document.body).backgroundColor")
    assert ground == ("rgb(19, 21, 24)" if scheme == "dark" else "rgb(247, 247, 244)")
    assert browser.run(FAINT) == []
    assert browser.run(CUT) == []

"""The case page in a browser: it opens from disk, answers, and asks nobody."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from gliomask.core.geometry import PICTURE_AFFINE
from gliomask.core.prediction import Prediction
from gliomask.core.regions import region_masks
from gliomask.core.volume import Volume
from gliomask.phantom.options import PatientOptions
from gliomask.phantom.patient import synthetic_patient
from gliomask.report.case.page import CasePage, write_case_page
from tests.browser import Browser, browser, chromium
from tests.fakes import head_labels, head_volume
from tests.predictions import region_maps
from tests.report.case.case_pages import NESTED, predicted, whole_prediction

__all__ = ["browser"]
pytestmark = pytest.mark.browser
EVIL = "</script><script>document.title = 'broken'</script>"

AS_AT_FIRST = """
const set = (id, value) => {
  const one = document.getElementById(id);
  one.value = value;
  for (const kind of ["input", "change"]) one.dispatchEvent(new Event(kind, {bubbles: true}));
};
document.getElementById("outline").checked = false;
for (const box of document.querySelectorAll("input[name=region]")) box.checked = true;
document.querySelector("input[value=image-flair]").click();
set("overlay", "mask");
set("opacity", 0.4);
for (const id of ["reset", "jump"]) document.getElementById(id).click();
"""


@pytest.fixture(scope="module")
def patient() -> tuple[Prediction, Volume]:
    """A phantom whose own labels are the prediction."""
    volume, labels = synthetic_patient(11, PatientOptions(matrix=48, slices=14, slice_mm=9.0))
    prediction = replace(predicted(labels, volume, NESTED), case=EVIL)
    maps = region_masks(labels, NESTED).astype(np.float32) * np.float32(0.8)
    return replace(prediction, probability_maps=region_maps(maps, prediction.affine)), volume


@pytest.fixture(scope="module")
def file(patient: tuple[Prediction, Volume], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The phantom's page."""
    path = tmp_path_factory.mktemp("case") / "case.html"
    prediction, volume = patient
    apart = region_maps(prediction.mask.astype(np.float32)[None], prediction.affine)
    page = CasePage(replace(prediction, disagreement_maps=apart), volume)
    return write_case_page(path, page)


@pytest.fixture
def opened(browser: Browser, file: Path) -> Iterator[Browser]:
    """The phantom's page as it is at first; tests come in any order, and loading is slow."""
    if browser.driver.current_url != file.resolve().as_uri():
        browser.open(file)
        browser.wait("document.documentElement.dataset.maps === 'ready'")
    browser.run(AS_AT_FIRST)
    browser.wait("gliomask.nv.volumes.length === 2 && gliomask.nv.volumes[1].opacity === 0.4")
    yield browser
    assert browser.problems() == []
    assert browser.requests() == []


def told(browser: Browser) -> dict[str, str]:
    """What the page says of the voxel under the crosshair."""
    pairs = browser.run(
        "return Array.from(document.querySelectorAll('#readout div'),"
        " (pair) => [pair.children[0].textContent, pair.children[1].textContent])"
    )
    return dict(pairs)


def put(browser: Browser, control: str, value: object) -> None:
    """Moves a slider or chooses from a list, as a hand would."""
    browser.run(
        "const one = document.getElementById(arguments[0]); one.value = arguments[1];"
        "for (const kind of ['input', 'change'])"
        " one.dispatchEvent(new Event(kind, {bubbles: true}));",
        control,
        value,
    )


def shown(browser: Browser) -> list[str]:
    return list(browser.run("return gliomask.nv.volumes.map((one) => one.name)"))


def test_opens_at_the_largest_slice(opened: Browser, patient: tuple[Prediction, Volume]) -> None:
    mask = patient[0].mask
    largest = int((mask > 0).sum(axis=(0, 1)).argmax())
    found = told(opened)
    assert found["Axial slice"] == f"{largest + 1} of 14"
    i, j, k = map(int, found["Voxel"].split(", "))
    assert k == largest
    assert mask[i, j, k] > 0
    assert opened.run("return document.getElementById('still').hidden")


def test_tells_what_lies_under_the_crosshair(
    opened: Browser, patient: tuple[Prediction, Volume]
) -> None:
    prediction, volume = patient
    i, j, k = map(int, told(opened)["Voxel"].split(", "))
    found = told(opened)
    x, y, z, _ = volume.affine @ (i, j, k, 1)
    sides = f"{'R' if x >= 0 else 'L'} {abs(x):.1f}, {'A' if y >= 0 else 'P'} {abs(y):.1f}"
    assert found["Position"] == f"{sides}, {'S' if z >= 0 else 'I'} {abs(z):.1f} mm"
    flair = volume.array[volume.sequences.index("flair")]
    clipped = min(float(flair[i, j, k]), float(np.percentile(flair[flair > 0], 99.9)))
    assert float(found["FLAIR"].removeprefix("≈ ")) == pytest.approx(clipped, rel=0.05)
    names = {1: "tumour core", 2: "whole tumour", 3: "enhancing tumour"}
    assert found["Region"] == names[int(prediction.mask[i, j, k])]
    assert found["Probability"].startswith("whole 0.80")
    assert found["Disagreement"] == f"{prediction.mask[i, j, k]:.2f}"


def test_slices_by_slider_wheel_and_key(opened: Browser) -> None:
    put(opened, "slice-z", 5)
    opened.wait("document.getElementById('readout').textContent.includes('Axial slice6 of 14')")
    stage = opened.driver.find_element(By.ID, "canvas")
    stage.send_keys(Keys.ARROW_UP)
    assert told(opened)["Axial slice"] == "7 of 14"
    stage.send_keys(Keys.ARROW_DOWN, Keys.ARROW_DOWN)
    assert told(opened)["Axial slice"] == "5 of 14"
    opened.run(
        "const one = document.getElementById('canvas'), box = one.getBoundingClientRect();"
        "one.dispatchEvent(new WheelEvent('wheel', {deltaY: -100, bubbles: true,"
        " clientX: box.left + 0.3 * box.width, clientY: box.top + 0.5 * box.height}))"
    )
    assert told(opened)["Axial slice"] != "5 of 14"
    stage.send_keys("t")
    assert told(opened)["Region"] != "none"


def test_the_left_of_the_picture_is_the_patients_right(opened: Browser) -> None:
    stage = opened.driver.find_element(By.ID, "canvas")
    width = stage.size["width"]
    # The axial plane fills the left 62 % of the picture: to the left of its middle.
    by = int(-0.5 * width + 0.62 * 0.35 * width)
    ActionChains(opened.driver).move_to_element_with_offset(stage, by, 0).click().perform()
    assert told(opened)["Position"].startswith("R ")
    by = int(-0.5 * width + 0.62 * 0.65 * width)
    ActionChains(opened.driver).move_to_element_with_offset(stage, by, 0).click().perform()
    assert told(opened)["Position"].startswith("L ")


def test_layers_and_opacity(opened: Browser) -> None:
    assert shown(opened) == ["image-flair.nii.gz", "mask.nii.gz"]
    opened.driver.find_element(By.ID, "canvas").send_keys("2")
    opened.wait("gliomask.nv.volumes[0].name === 'image-t1ce.nii.gz'")
    assert "post-contrast T1" in told(opened)
    put(opened, "overlay", "probability-whole")
    opened.wait("gliomask.nv.volumes[1].name === 'probability-whole.nii.gz'")
    put(opened, "opacity", 0.75)
    opened.wait("gliomask.nv.volumes[1].opacity === 0.75")
    put(opened, "overlay", "none")
    opened.wait("gliomask.nv.volumes.length === 1")
    put(opened, "overlay", "mask")
    opened.wait("gliomask.nv.volumes.length === 2")
    assert opened.run("return gliomask.nv.volumes[1].opacity") == 0.75


def test_outline_and_regions(opened: Browser, patient: tuple[Prediction, Volume]) -> None:
    mask = patient[0].mask > 0
    opened.driver.find_element(By.ID, "outline").click()
    opened.wait("gliomask.nv.opts.atlasOutline > 0")
    for region in ("core", "enhancing"):
        opened.driver.find_element(By.CSS_SELECTOR, f"input[value={region}]").click()
    inside = mask[1:-1, 1:-1] & mask[2:, 1:-1] & mask[:-2, 1:-1] & mask[1:-1, 2:] & mask[1:-1, :-2]
    count = "gliomask.nv.volumes[1].img.filter((number) => number > 0).length"
    opened.wait(f"{count} === {int(mask.sum() - inside.sum())}")
    opened.driver.find_element(By.ID, "outline").click()
    opened.wait(f"{count} === {int(mask.sum())}")


def test_the_window(opened: Browser) -> None:
    put(opened, "width", 100)
    opened.wait(
        "Math.abs(gliomask.nv.volumes[0].cal_max - gliomask.nv.volumes[0].cal_min - 100) < 9"
    )
    opened.driver.find_element(By.ID, "reset").click()
    image = "gliomask.settings.images.find((one) => one.id === 'image-flair')"
    opened.wait(f"Math.abs(gliomask.nv.volumes[0].cal_max - {image}.white) < 1e-3")


def test_the_mask_is_drawn_in_its_colour(opened: Browser) -> None:
    """Orange on the canvas where the whole tumour is, none with the overlay off."""
    count = (
        "gliomask.nv.drawScene(); const gl = gliomask.nv.gl;"
        "const [w, h] = [gl.drawingBufferWidth, gl.drawingBufferHeight];"
        "const seen = new Uint8Array(4 * w * h);"
        "gl.readPixels(0, 0, w, h, gl.RGBA, gl.UNSIGNED_BYTE, seen); let found = 0;"
        "for (let k = 0; k < seen.length; k += 4)"
        " if (seen[k] > seen[k + 2] + 40 && seen[k + 1] > seen[k + 2] + 20) found++;"
        "return found"
    )
    opened.driver.find_element(By.ID, "canvas").send_keys("t")
    assert opened.run(count) > 500
    put(opened, "overlay", "none")
    opened.wait("gliomask.nv.volumes.length === 1")
    assert opened.run(count) == 0


def test_a_case_name_is_only_text(opened: Browser) -> None:
    assert opened.driver.find_element(By.TAG_NAME, "h1").text == EVIL
    assert opened.driver.title == f"{EVIL} · gliomask"


def test_every_control_has_a_name(opened: Browser) -> None:
    found = opened.driver.find_elements(By.CSS_SELECTOR, "#viewer input, select, button")
    controls = [one for one in found if one.is_displayed()]
    assert len(controls) > 15
    assert all(one.accessible_name for one in controls)


def test_no_tumour(browser: Browser, tmp_path: Path) -> None:
    page = CasePage(whole_prediction(found=False), head_volume())
    browser.open(write_case_page(tmp_path / "case.html", page), width=390, height=800)
    browser.wait("document.documentElement.dataset.maps === 'ready'")
    assert browser.driver.find_element(By.ID, "verdict").text == "No tumour found"
    assert not browser.driver.find_element(By.ID, "jump").is_displayed()
    assert browser.run("return document.documentElement.scrollWidth") == 390
    assert browser.problems() == []
    assert browser.requests() == []


def test_pictures(browser: Browser, tmp_path: Path) -> None:
    volume = Volume(head_volume().array, PICTURE_AFFINE, ("t1", "flair"), has_world=False)
    page = CasePage(predicted(head_labels(), volume, ("whole",)), volume)
    browser.open(write_case_page(tmp_path / "case.html", page))
    browser.wait("document.documentElement.dataset.maps === 'ready'")
    found = told(browser)
    assert "Position" not in found
    assert found["Slice"] == "5 of 8"
    i, j, k = map(int, found["Column, row, slice"].split(", "))
    assert head_labels()[i, j, k] == 1
    assert browser.run("return gliomask.nv.opts.isOrientationTextVisible") is False
    assert browser.problems() == []


def test_without_webgl_a_picture_is_shown(tmp_path: Path) -> None:
    path = write_case_page(tmp_path / "case.html", CasePage(whole_prediction(), head_volume()))
    with chromium(["--disable-3d-apis"]) as plain:
        plain.open(path)
        plain.wait("document.documentElement.dataset.viewer === 'fallback'")
        assert not plain.driver.find_element(By.ID, "viewer").is_displayed()
        picture = plain.driver.find_element(By.CSS_SELECTOR, "#still img")
        assert picture.is_displayed()
        assert plain.run("return arguments[0].naturalWidth", picture) > 600
        assert "WebGL 2" in plain.driver.find_element(By.ID, "fallback").text
        assert plain.problems() == []
        assert plain.requests() == []

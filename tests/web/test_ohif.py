"""Two versions of OHIF in Chromium: our DICOM SEG, and MONAI Label's plugin against our server.

OHIF 3.10 with the plugin lies in the package ``monailabel`` (see ``monai_clients``); 3.13 is
``npm pack @ohif/app@3.13.2``, unpacked, in the folder that ``GLIOMASK_OHIF`` names. Both need the
images from a DICOMweb server, for which ``dicomweb`` stands in.
"""

from __future__ import annotations

import io
import os
import zipfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from httpx2 import Client
from selenium.common.exceptions import TimeoutException
from selenium.webdriver import ActionChains
from selenium.webdriver.common.keys import Keys

from gliomask.web.database import open_database
from gliomask.web.tokens import Tokens
from tests.browser import Browser, chromium
from tests.commands import run
from tests.formats.dicom.made import AXIAL, CORONAL, ROOT, SAGITTAL
from tests.web.dicomweb import archive
from tests.web.live import Server, served
from tests.web.monai_clients import packaged
from tests.workflows.heads import write_dicom_head

pytestmark = [pytest.mark.browser, pytest.mark.slow]
STUDY = f"StudyInstanceUIDs={ROOT}1"
MODEL = "u2netp-glioma"
BUTTON = "[...document.querySelectorAll('button')].find((b) => b.innerText.trim() === '{}')"
SERVICE = "window.services.segmentationService"
LABELS = f"""
const found = {SERVICE}.getSegmentations();
return found.flatMap((one) => Object.values(one.segments).map((s) => [s.segmentIndex, s.label]));
"""
VOXELS = f"""
const volume = {SERVICE}.getLabelmapVolume('1');
return volume ? Array.from(volume.voxelManager.getCompleteScalarDataArray()) : [];
"""
IMAGES = """
const {viewports, activeViewportId} = window.services.viewportGridService.getState();
const port = window.services.cornerstoneViewportService.getCornerstoneViewport(activeViewportId);
return port.getImageIds();
"""


def ohif_313() -> Path:
    folder = os.environ.get("GLIOMASK_OHIF")
    if not folder:
        pytest.skip("GLIOMASK_OHIF names no folder of npm's @ohif/app")
    return Path(folder) / "dist"


def ohif_310() -> Path:
    return packaged("static/ohif/index.html").parent


def opened(browser: Browser, address: str) -> None:
    """Opens a study, and skips the tour of the program where there is one."""
    browser.visit(address)
    browser.wait("document.querySelector('[data-cy^=study-browser-thumbnail]')", 180)
    skip = BUTTON.format("Skip all")
    with suppress(TimeoutException):
        browser.wait(f"{skip} !== undefined", 15)
        browser.run(f"{skip}.click()")


@pytest.mark.parametrize(("ohif", "base"), [(ohif_313, "/"), (ohif_310, "/ohif/")])
def test_our_segmentation_loads(
    ohif: Any, base: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app, study = ohif(), tmp_path / "study"
    write_dicom_head(study)
    out = tmp_path / "out"
    assert run(monkeypatch, "predict", study, "--out", out, "--write", "dicom-seg", "--quick") == 0
    (seg,) = out.glob("*.seg.dcm")
    seg.rename(study / seg.name)
    with archive(study, app, base) as address, chromium() as browser:
        opened(browser, f"{address}viewer?{STUDY}")
        browser.wait("document.querySelector('[data-cy=study-browser-thumbnail-no-image]')", 60)
        thumbnail = browser.driver.find_element(
            "css selector", "[data-cy=study-browser-thumbnail-no-image]"
        )
        ActionChains(browser.driver).double_click(thumbnail).perform()
        browser.wait(f"{SERVICE}.getSegmentations().length > 0", 120)
        labels = browser.run(LABELS)
    assert labels == [[1, "Whole tumour"], [2, "Tumour core"], [3, "Enhancing tumour"]]


@pytest.mark.parametrize("directions", [AXIAL, SAGITTAL, CORONAL], ids=["ax", "sag", "cor"])
def test_the_plugin_draws_our_mask(tmp_path: Path, directions: tuple[float, ...]) -> None:
    app, study = ohif_310(), tmp_path / "study"
    plan = write_dicom_head(study, directions)
    with (
        served(tmp_path / "data") as server,
        archive(study, app, "/ohif/") as address,
        chromium() as browser,
    ):
        url = server_with(server, study)
        opened(browser, f"{address}monai-label?{STUDY}")
        segmented(browser, url)
        indices = {label: index for index, label in browser.run(LABELS)}
        found = np.array(browser.run(VOXELS), np.uint8)
        shown = browser.run(IMAGES)
        expected, series = mask_of(url, shown)
    names = {1: "necrotic or non-enhancing tumour core", 2: "oedema", 3: "enhancing tumour"}
    lookup = np.array([0, *(indices[names[value]] for value in (1, 2, 3))], np.uint8)
    assert found.any()
    assert np.array_equal(found, lookup[expected])
    uids = [image.partition("/instances/")[2].partition("/")[0] for image in shown]
    assert uids == [f"{series}.{k + 1}" for k in range(plan.slices)]  # along the normal


def server_with(server: Server, study: Path) -> str:
    """The address for the plugin of a server to which the study was sent."""
    token = Tokens(open_database(server.data)).create("ann", ["monai"], 1.0)
    url = f"{server.address.partition('/?')[0]}/k/{token}/"
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as members:
        for path in study.rglob("*.dcm"):
            members.write(path, path.relative_to(study))
    files = {"file": ("study.zip", packed.getvalue())}
    answer = server.client.put(f"{url}datastore/", params={"image": "study"}, files=files)
    assert answer.status_code == 200, answer.text
    return url


def segmented(browser: Browser, url: str) -> None:
    """What a person does: pastes the address, connects, runs the model."""
    browser.wait("document.querySelector('#monailabelServerURL')", 120)
    field = browser.driver.find_element("css selector", "#monailabelServerURL")
    field.send_keys(Keys.CONTROL, "a")
    field.send_keys(url, Keys.TAB)
    browser.run("document.querySelector('.settingsTable .actionButton').click()")
    browser.wait("document.querySelector('.modelSelector option')", 60)
    browser.wait(f"{SERVICE}.getLabelmapVolume('1') !== undefined", 60)
    browser.run("document.querySelector(\"button[title='Run Segmentation']\").click()")
    browser.wait(f"(() => {{{VOXELS}}})().some((value) => value > 0)", 180)


def mask_of(url: str, shown: list[str]) -> tuple[Any, str]:
    """The mask by the same protocol for the series that is shown, and the series."""
    series = shown[0].partition("/series/")[2].partition("/")[0]
    form = {"params": (None, '{"result_compress": false}')}
    with Client(timeout=120) as client:
        answer = client.post(
            f"{url}infer/{MODEL}", params={"image": series, "output": "image"}, files=form
        )
    assert answer.status_code == 200, answer.text
    return np.frombuffer(answer.content.partition(b"\n\n")[2], np.uint8), series

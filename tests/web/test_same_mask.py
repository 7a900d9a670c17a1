"""One examination, one mask: bit for bit from every way in."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813 - as all of its documentation calls it
from selenium.webdriver.common.keys import Keys

from gliomask import predict
from gliomask.core.geometry import from_reading, orientation, spacing_mm, to_reading
from gliomask.core.labels import LabelArray
from gliomask.core.volume import Volume
from gliomask.formats.nifti import read_nifti_labels
from gliomask.web.database import open_database
from gliomask.web.tokens import Tokens
from tests.browser import Browser, browser  # noqa: F401 (the fixture)
from tests.commands import run
from tests.fakes import head_volume, write_head
from tests.web.live import Server, served

pytestmark = pytest.mark.browser
MODEL = "u2netp-glioma"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with served(tmp_path_factory.mktemp("same") / "data") as one:
        yield one


def head_with_contrast() -> Volume:
    """The head as post-contrast T1 and FLAIR, in which the model marks every region."""
    volume = head_volume()
    return Volume(volume.array, volume.affine, ("t1ce", "flair"))


def test_command_python_rest_page_bundle_and_slicer_give_the_same_mask(
    browser: Browser,  # noqa: F811
    server: Server,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Files are compared by their bytes, what has no NIfTI file by its voxels."""
    head = write_head(tmp_path / "scans", "case1", head_with_contrast())
    assert run(monkeypatch, "predict", head, "--out", tmp_path / "out", "--write", "nifti") == 0
    path = tmp_path / "out" / "case1_mask.nii.gz"
    mask, _ = read_nifti_labels(path)
    assert set(np.unique(mask)) >= {0, 1, 2}
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    assert np.array_equal(predict(head).mask, mask)
    job = server.ended(server.submit(server.upload(head)))
    rest = server.client.get(f"/jobs/{job['id']}/files/mask").content
    assert hashlib.sha256(rest).hexdigest() == digest
    page = downloaded(browser, server, head, tmp_path / "downloads").read_bytes()
    assert hashlib.sha256(page).hexdigest() == digest
    assert np.array_equal(of_bundle(tmp_path, monkeypatch), mask)
    assert np.array_equal(of_slicer(server, head, tmp_path), mask)


def downloaded(browser: Browser, server: Server, folder: Path, into: Path) -> Path:  # noqa: F811
    """The mask that a person gets who drops a folder on the page and clicks on Mask."""
    into.mkdir()
    behaviour = {"behavior": "allow", "downloadPath": str(into)}
    browser.driver.execute_cdp_cmd("Browser.setDownloadBehavior", behaviour)
    browser.visit(server.address)
    browser.wait("!document.getElementById('new').hidden")
    browser.driver.find_element("css selector", "#folder").send_keys(str(folder))
    browser.wait(
        "!document.getElementById('segment').disabled && !document.getElementById('audit').hidden"
    )
    browser.driver.find_element("css selector", "#segment").send_keys(Keys.ENTER)
    browser.wait("document.querySelectorAll('#jobs > li[data-state=done]').length === 2", 120)
    newest = "//*[@id='jobs']/li[1]//a[.='Mask']"
    browser.driver.find_element("xpath", newest).click()
    until = time.monotonic() + 30
    while not (found := list(into.glob("*_mask.nii.gz"))):
        assert time.monotonic() < until, list(into.iterdir())
        time.sleep(0.1)
    return found[0]


def of_bundle(folder: Path, monkeypatch: pytest.MonkeyPatch) -> LabelArray:
    """What ``run.py`` of the exported bundle writes, without gliomask."""
    volume, bundle = head_with_contrast(), folder / "bundle"
    assert run(monkeypatch, "export", MODEL, "--out", bundle) == 0
    turn, sizes = orientation(volume.affine), spacing_mm(volume.affine)
    given = []
    for name, image in zip(volume.sequences, to_reading(volume.array, turn), strict=True):
        np.save(folder / f"{name}.npy", image)
        given.append(f"{name}={folder / name}.npy")
    slice_mm, *pixel_mm = (str(float(sizes[axis])) for axis in turn.axes)
    words = [*given, "--pixel-mm", *pixel_mm, "--slice-mm", slice_mm, "--out", str(folder)]
    subprocess.run([sys.executable, "-I", str(bundle / "run.py"), *words], check=True)
    mask: LabelArray = from_reading(np.load(folder / "mask.npy"), turn)
    return mask


def of_slicer(server: Server, head: Path, folder: Path) -> LabelArray:
    """What 3D Slicer gets by the protocol of MONAIAuto3DSeg, with a token in the address."""
    token = Tokens(open_database(server.data)).create("ann", ["monai"], 1.0)
    base = server.address.partition("/?")[0]
    kinds = {"image_file": "t2f", "image_file_2": "t1c"}
    files = {
        field: (f"{kind}.nii.gz", (head / f"case1-{kind}.nii.gz").read_bytes())
        for field, kind in kinds.items()
    }
    answer = server.client.post(
        f"{base}/k/{token}/infer?model_name={MODEL}.flair-t1ce", files=files, timeout=120
    )
    assert answer.status_code == 200, answer.text
    (folder / "slicer.nrrd").write_bytes(answer.content)
    array: LabelArray = sitk.GetArrayFromImage(sitk.ReadImage(str(folder / "slicer.nrrd"))).T
    return array

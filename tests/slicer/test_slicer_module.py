"""The module for 3D Slicer against a real server, with a stand-in for Slicer (``stand_in``)."""

from __future__ import annotations

import importlib
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813 - as all of its documentation calls it

from gliomask import predict
from gliomask.core.regions import REGIONS
from tests.fakes import head_volume, write_head
from tests.slicer.stand_in import QSettings, Slicer, VolumeNode
from tests.web.live import Server, served

pytestmark = pytest.mark.server

FOLDER = Path(__file__).parents[2] / "slicer" / "SlicerGliomask"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with served(tmp_path_factory.mktemp("slicer") / "data") as one:
        yield one


@pytest.fixture
def slicer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Slicer]:
    (tmp_path / "slicer").mkdir()
    one = Slicer(tmp_path / "slicer")
    monkeypatch.setattr(QSettings, "kept", {})
    with monkeypatch.context() as patch:
        patch.syspath_prepend(FOLDER)
        for name, module in one.modules().items():
            patch.setitem(sys.modules, name, module)
        yield one
    for name in [name for name in sys.modules if name.startswith("SlicerGliomask")]:
        del sys.modules[name]


@pytest.fixture
def panel(slicer: Slicer) -> Any:
    module = importlib.import_module("SlicerGliomask")
    made = module.SlicerGliomaskWidget()
    made.setup()
    return made


@pytest.fixture
def head(tmp_path: Path) -> Path:
    return write_head(tmp_path / "scans", "Mueller", head_volume())


def nodes(head: Path) -> dict[str, VolumeNode]:
    kinds = {"t1": "t1n", "flair": "t2f"}
    return {
        name: VolumeNode("Mueller", sitk.ReadImage(str(head / f"Mueller-{kind}.nii.gz")))
        for name, kind in kinds.items()
    }


def choose(panel: Any, server: Server, head: Path) -> None:
    """Connects with the address that was printed, and chooses the volumes."""
    panel.address.text = server.address
    panel.connect_button.click()
    assert panel.status.text == "Connected."
    assert panel.action.enabled is False
    for name, node in nodes(head).items():
        panel.volumes[name].setCurrentNode(node)


def wait(panel: Any, seconds: float = 120.0) -> None:
    until = time.monotonic() + seconds
    while panel._timer.active:
        assert time.monotonic() < until, panel.status.text
        time.sleep(0.1)
        panel._timer.emit("timeout()")


def test_volumes_become_a_segmentation(
    panel: Any, slicer: Slicer, server: Server, head: Path
) -> None:
    choose(panel, server, head)
    assert "token" not in QSettings.kept["SlicerGliomask/address"]
    panel.action.click()
    assert panel.action.text == "Cancel"
    wait(panel)
    assert slicer.errors == []
    assert panel.action.text == "Segment"
    node = panel.output.currentNode()
    assert node.name == "Mueller tumour"
    assert node.displayed
    assert node.grid.name == "Mueller"
    expected = predict(head).mask.T
    names = {1: "necrotic or non-enhancing tumour core", 2: "oedema", 3: "enhancing tumour"}
    regions = {1: "core", 2: "whole", 3: "enhancing"}
    segments = node.segmentation.segments
    assert set(segments) == {names[value] for value in np.unique(expected[expected > 0])}
    for value in np.unique(expected[expected > 0]).tolist():
        segment = segments[names[value]]
        assert np.array_equal(segment.voxels, expected == value)
        assert segment.colour == tuple(n / 255 for n in REGIONS[regions[value]].rgb)
    assert panel.status.text.startswith("whole 0.")
    assert "predicted without t1ce and t2" in panel.status.text
    assert list(slicer.folder.iterdir()) == []
    assert set(slicer.scene.nodes.values()) == {node}
    (job,) = server.client.get("/jobs").json()
    assert job["options"]["sequences"] == {"flair": 0, "t1": 1}
    assert "Mueller" not in server.client.get("/jobs").text


def test_a_job_is_cancelled(panel: Any, slicer: Slicer, server: Server, head: Path) -> None:
    choose(panel, server, head)
    panel.action.click()
    panel.action.click()
    assert panel.action.enabled is False
    wait(panel)
    assert panel.status.text == "Cancelled."
    assert slicer.errors == []
    assert panel.output.currentNode() is None
    assert list(slicer.folder.iterdir()) == []
    panel.action.click()  # and again
    assert panel.action.text == "Cancel"
    panel.cleanup()
    panel._task.wait(60)
    assert panel._task.state in ("cancelled", "done")


def test_what_fails_is_said(panel: Any, slicer: Slicer, server: Server, head: Path) -> None:
    choose(panel, server, head)
    flat = sitk.Image([24, 20, 8], sitk.sitkInt16)
    panel.volumes["flair"].setCurrentNode(VolumeNode("flat", flat))
    panel.volumes["t1"].setCurrentNode(None)
    panel.action.click()
    wait(panel)
    (error,) = slicer.errors
    assert "Segmentation failed: " in error
    assert "constant" in error
    assert list(slicer.folder.iterdir()) == []


@pytest.mark.parametrize(
    ("address", "token", "said"),
    [
        ("127.0.0.1:8000", "", "not an address"),
        ("file:///etc/passwd", "", "not an address"),
        ("http://127.0.0.1:9/", "", "the server does not respond"),
        ("own", "wrong", "a valid token is needed"),
        ("own/nowhere", "", "not found"),
    ],
)
def test_no_server(panel: Any, server: Server, address: str, token: str, said: str) -> None:
    panel.address.text = address.replace("own", server.address.partition("/?")[0])
    panel.token.text = token
    panel.connect_button.click()
    assert said in panel.status.text
    assert panel.action.enabled is False


def test_the_module_itself(slicer: Slicer) -> None:
    """What Slicer looks for, and that nothing but the standard library and Slicer is imported."""
    from types import SimpleNamespace

    module = importlib.import_module("SlicerGliomask")
    parent = SimpleNamespace()
    module.SlicerGliomask(parent)
    assert (parent.title, parent.categories) == ("Gliomask", ["Segmentation"])
    assert (FOLDER / "Resources" / "Icons" / "SlicerGliomask.png").is_file()
    given = {"slicer", "qt", "ctk", "SlicerGliomaskLib", "client", "task", ""}
    for path in FOLDER.rglob("*.py"):
        if "Testing" in path.parts:
            continue
        words = [line.split() for line in path.read_text().splitlines()]
        imported = {w[1].split(".")[0] for w in words if w[:1] in (["import"], ["from"])}
        assert imported <= given | set(sys.stdlib_module_names), path
    listed = (FOLDER / "CMakeLists.txt").read_text()
    for path in (FOLDER / "SlicerGliomaskLib").glob("*.py"):
        assert f"${{MODULE_NAME}}Lib/{path.name}" in listed

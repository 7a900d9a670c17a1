"""MONAIAuto3DSeg's own remote logic, unchanged, against a running server (``auto3dseg_stand_in``).

    git clone https://github.com/lassoan/SlicerMONAIAuto3DSeg
    GLIOMASK_AUTO3DSEG=SlicerMONAIAuto3DSeg pytest -m server tests/slicer

Not tested: its panel, and 3D Slicer's own reading of the segmentation.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813 - as all of its documentation calls it

from gliomask import predict
from gliomask.web.database import open_database
from gliomask.web.tokens import Tokens
from tests.fakes import head_volume, write_head
from tests.slicer.auto3dseg_stand_in import FOLDER_OF_SCENE, Client, ScalarVolumeNode
from tests.web.live import Server, served

CHECKOUT = "GLIOMASK_AUTO3DSEG"
MODEL = "u2netp-glioma"
pytestmark = [
    pytest.mark.server,
    pytest.mark.skipif(CHECKOUT not in os.environ, reason=f"{CHECKOUT} names no checkout of it"),
]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with served(tmp_path_factory.mktemp("auto3dseg") / "data") as one:
        yield one


@pytest.fixture
def slicer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:
    (tmp_path / "slicer").mkdir()
    one = Client(tmp_path / "slicer")
    with monkeypatch.context() as patch:
        patch.syspath_prepend(Path(os.environ[CHECKOUT]) / "MONAIAuto3DSeg")
        for name, module in one.modules().items():
            patch.setitem(sys.modules, name, module)
        yield one
    for name in [name for name in sys.modules if name.startswith("MONAIAuto3DSeg")]:
        del sys.modules[name]


@pytest.fixture
def logic(slicer: Client, server: Server) -> Any:
    """The client with the address that a person pastes."""
    token = Tokens(open_database(server.data)).create("ann", ["monai"], 1.0)
    made = importlib.import_module("MONAIAuto3DSeg").RemoteMONAIAuto3DSegLogic()
    made.server_address = f"{server.address.partition('/?')[0]}/k/{token}"
    return made


def nodes(head: Path) -> list[ScalarVolumeNode]:
    """The volumes in the scene, called as in BraTS."""
    files = (head / f"BraTS-GLI-1-{kind}.nii.gz" for kind in ("t1n", "t2f"))
    return [
        ScalarVolumeNode(file.name.removesuffix(".nii.gz"), sitk.ReadImage(str(file)))
        for file in files
    ]


def test_volumes_become_a_segmentation(logic: Any, slicer: Client, tmp_path: Path) -> None:
    assert logic.getMONAIPythonPackageInfo().startswith("gliomask ")
    assert logic.defaultModel == f"{MODEL}.flair-t1ce-t1-t2"
    model = logic.model(f"{MODEL}.flair-t1")
    head = write_head(tmp_path, "BraTS-GLI-1", head_volume())
    chosen = logic.assignInputNodesByName(model["inputs"], nodes(head))
    assert [node.name[-3:] for node in chosen] == ["t2f", "t1n"]
    node: Any = slicer.segmentation_node()
    events: list[str] = []
    logic.process(chosen, node, model["id"], eventCallback=lambda code, _: events.append(code.name))
    assert events[-1] == "TASKLIST_PROCESSING_ENDED"
    expected = predict(head).mask.T
    names = {1: "necrotic or non-enhancing tumour core", 2: "oedema", 3: "enhancing tumour"}
    values = np.unique(expected[expected > 0]).tolist()
    segments = node.segmentation.segments
    assert set(segments) == {names[value] for value in values}
    for value in values:
        segment = segments[names[value]]
        assert np.array_equal(segment.voxels, expected == value)
        code = {1: "SCT^108369006", 2: "SCT^108369006", 3: "NCIt^C113842"}[value]
        entry = segment.tags["TerminologyEntry"].split("~")
        assert entry[1].startswith("SCT^49755003^")
        assert entry[2].startswith(code)
        assert entry[5] == "SCT^12738006^Brain"
    assert node.grid is chosen[0]
    assert node.reference == chosen[0].GetID()
    assert slicer.hierarchy.parents == {id(node): FOLDER_OF_SCENE}
    assert slicer.scene.nodes == {}


def test_what_is_refused(logic: Any, slicer: Client, tmp_path: Path) -> None:
    head = write_head(tmp_path, "BraTS-GLI-1", head_volume())
    with pytest.raises(RuntimeError):
        logic.process(nodes(head), slicer.segmentation_node(), f"{MODEL}.flair")
    logic.server_address = logic.server_address.replace("/k/", "/k/x")
    with pytest.raises(RuntimeError, match="Nothing matches"):
        logic.process(nodes(head)[:1], slicer.segmentation_node(), f"{MODEL}.flair")

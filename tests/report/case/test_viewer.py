"""What the viewer is told, and that it is the viewer that we know."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import numpy as np

from gliomask.core.regions import labels_of_regions
from gliomask.report.case.viewer import viewer_data
from gliomask.report.package_files import (
    NIIVUE,
    NIIVUE_SHA256,
    NIIVUE_VERSION,
    package_bytes,
    package_text,
)
from tests.fakes import head_labels, head_volume
from tests.report.case.case_pages import nested_prediction, whole_prediction


def test_niivue_is_the_published_file() -> None:
    content = package_bytes(NIIVUE)
    assert hashlib.sha256(content).hexdigest() == NIIVUE_SHA256
    assert b"\r" not in content  # a browser would hash the script without it
    readme = package_text("vendor/niivue/README.md")
    assert NIIVUE_SHA256 in readme
    assert f"niivue-{NIIVUE_VERSION}.tgz" in readme


def test_niivue_comes_with_its_licence() -> None:
    licence = package_text("vendor/niivue/LICENSE")
    assert "BSD 2-Clause License" in licence
    assert "Copyright (c) 2021, Niivue" in licence
    assert package_text("vendor/niivue/THIRD-PARTY.txt").count("Copyright") >= 9


def test_a_number_is_told_with_its_regions_the_innermost_first() -> None:
    settings = viewer_data(nested_prediction(), head_volume()).settings
    assert settings["labels"] == {
        "1": ["core", "whole"],
        "2": ["whole"],
        "3": ["enhancing", "core", "whole"],
    }


def test_the_numbers_are_those_of_mask_files() -> None:
    # One voxel of each kind: whole only, core, enhancing.
    masks = np.array([[1, 1, 1], [0, 1, 1], [0, 0, 1]], bool)
    numbers = labels_of_regions(masks, ("whole", "core", "enhancing")).tolist()
    labels = viewer_data(nested_prediction(), head_volume()).settings["labels"]
    assert isinstance(labels, dict)
    assert [labels[str(number)][0] for number in numbers] == ["whole", "core", "enhancing"]


def test_one_region() -> None:
    settings = viewer_data(whole_prediction(), head_volume()).settings
    labels = settings["labels"]
    assert isinstance(labels, dict)
    assert labels["1"] == ["whole"]
    assert settings["maps"] == []
    assert settings["first"] == "image-flair"


def test_every_layer_has_its_data() -> None:
    probabilities = np.zeros((1, *head_labels().shape), np.float32)
    prediction = whole_prediction(probabilities=probabilities)
    prediction = replace(prediction, disagreement_maps=prediction.probability_maps)
    data = viewer_data(prediction, head_volume())
    assert sorted(data.blobs) == [
        "disagreement",
        "image-flair",
        "image-t1",
        "mask",
        "probability-whole",
    ]

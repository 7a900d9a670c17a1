"""The whole graph, with a network's weights in it, against the predictor with PyTorch."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest

from gliomask.core.geometry import from_reading, orientation, spacing_mm, to_reading
from gliomask.core.volume import Volume
from gliomask.export.whole import needs_slice_mm, network_of, takes_some, whole_graph
from gliomask.inference.predictor import Predictor, load_predictor
from gliomask.nets.arrays import read_arrays
from gliomask.nets.cards import CLOSE_MM, ModelCard
from gliomask.nets.onnx_bytes import OPSET
from gliomask.phantom.options import PatientOptions
from gliomask.phantom.patient import synthetic_patient
from tests.export.run import Numbers
from tests.fakes import head_volume
from tests.inference.test_engines import saved

SEQUENCES = ("t1", "flair")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    # Not the epsilon that PyTorch's batch norms have by default: the graph must take the card's.
    return saved(tmp_path_factory.mktemp("model"), epsilon=0.05)


@pytest.fixture(scope="module")
def single(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return saved(tmp_path_factory.mktemp("single"), channels=1)


@pytest.fixture(scope="module")
def patient() -> Volume:
    made, *_ = synthetic_patient(0, PatientOptions(matrix=48, slices=12, slice_mm=12.0, skull=True))
    return made.select(SEQUENCES)


def by_torch(folder: Path, **changes: Any) -> Predictor:
    """A model with another card, by PyTorch."""
    loaded = load_predictor(folder, "cpu", "torch")
    keys = {**loaded.card.model_dump(), "sequences": SEQUENCES, **changes}
    return Predictor(loaded.engine, ModelCard.model_validate(keys))


class Both:
    """A model with another card, by PyTorch and as a graph."""

    def __init__(self, folder: Path, **changes: Any) -> None:
        arrays, _ = read_arrays(folder)
        self.predictor = by_torch(folder, **changes)
        self.card = self.predictor.card
        self.graph = whole_graph(self.card, network_of(arrays, self.card))
        self.session = onnxruntime.InferenceSession(self.graph.SerializeToString())

    def of_graph(self, volume: Volume) -> tuple[Numbers, Numbers, Numbers]:
        """(probability, mask) on the volume's grid; sequences that it lacks are noise."""
        turn, sizes = orientation(volume.affine), spacing_mm(volume.affine)
        there = dict(zip(volume.sequences, to_reading(volume.array, turn), strict=True))
        noise = np.random.default_rng(1).normal(0, 1e4, next(iter(there.values())).shape)
        given = [there.get(name, noise).astype(np.float32) for name in self.card.sequences]
        mm = np.array([sizes[turn.axes[1]], sizes[turn.axes[2]]], np.float32)
        feeds: dict[str, Numbers] = {"images": np.stack(given), "pixel_mm": mm}
        if needs_slice_mm(self.card):
            distance = sizes[turn.axes[0]] if volume.has_world else 0.0
            feeds["slice_mm"] = np.array([distance], np.float32)
        if takes_some(self.card):
            feeds["present"] = np.array([name in there for name in self.card.sequences])
        probability, mask, contrast = map(np.asarray, self.session.run(None, feeds))
        return from_reading(probability, turn), from_reading(mask, turn), contrast

    def assert_same(self, volume: Volume) -> None:
        due = self.predictor.predict(volume, maps=True)
        probability, mask, contrast = self.of_graph(volume)
        assert due.probabilities is not None
        assert due.mask.any()
        assert not due.mask.all()
        assert contrast.all()
        assert np.abs(probability - due.probabilities).max() < 2e-3
        assert (np.abs(probability - due.probabilities) < 1e-4).mean() > 0.99
        assert (mask != due.mask).sum() <= 0.001 * (due.mask > 0).sum()


def threshold_of(folder: Path, volume: Volume, **changes: Any) -> float:
    """One that a tenth of all voxels passes: fresh networks know no tumours."""
    found = by_torch(folder, **changes).predict(volume, maps=True).probabilities
    assert found is not None
    return float(np.quantile(found.max(axis=0), 0.9))


SECOND = ("cold", "some left out in training", "mirrored")
"""Cards whose kind another card or test shows, too."""
CARDS: dict[str, dict[str, Any]] = {
    "stacked": {},
    "tempered": {"temperature": 1.7},
    "cold": {"temperature": 0.4},
    "larger grid": {"size": 80},
    "some left out in training": {"sequence_dropout": True},
    "mirrored": {"mirrored": True, "recipe": {"augment": {"flip_horizontal": 0.5}}},
    "mirrored both ways": {
        "mirrored": True,
        "recipe": {"augment": {"flip_horizontal": 0.5, "flip_vertical": 0.5}},
    },
}


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param(changes, id=name, marks=[pytest.mark.slow] if name in SECOND else [])
        for name, changes in CARDS.items()
    ],
)
def test_it_says_what_the_predictor_says(
    folder: Path, patient: Volume, changes: dict[str, Any]
) -> None:
    Both(folder, threshold=threshold_of(folder, patient, **changes), **changes).assert_same(patient)


COMBINED: dict[str, Any] = {
    "slice_smoothing_mm": 1.5,
    "temperature": 1.7,
    "recipe": {"augment": {"flip_horizontal": 0.5}},
}


@pytest.mark.parametrize(
    ("slice_mm", "has_world"),
    [
        (CLOSE_MM, True),
        pytest.param(2.0, True, marks=pytest.mark.slow),
        (12.0, True),
        pytest.param(CLOSE_MM, False, marks=pytest.mark.slow),
    ],
)
def test_close_slices_are_combined(
    folder: Path, patient: Volume, slice_mm: float, has_world: bool
) -> None:
    """By the same rule: not slices that are far apart, at an unknown distance, or too few for a
    head."""
    affine = patient.affine.copy()
    affine[:, 2] *= slice_mm / spacing_mm(affine)[2]
    array = np.repeat(patient.array[..., :9], 3, axis=-1)
    volume = replace(patient, array=array, affine=affine, has_world=has_world)
    threshold = threshold_of(folder, volume, **COMBINED)
    Both(folder, threshold=threshold, **COMBINED).assert_same(volume)


def test_each_sequence_alone(single: Path, patient: Volume) -> None:
    changes = {"input_mode": "each", "threshold": 0.5}
    changes["threshold"] = threshold_of(single, patient, **changes)
    both = Both(single, **changes)
    both.assert_same(patient)
    both.assert_same(patient.select(("flair",)))


@pytest.mark.slow
def test_each_sequence_alone_and_mirrored(single: Path, patient: Volume) -> None:
    mirrored = {"mirrored": True, "recipe": {"augment": {"flip_horizontal": 0.5}}}
    changes = {"input_mode": "each", "threshold": 0.5, **mirrored}
    changes["threshold"] = threshold_of(single, patient, **changes)
    Both(single, **changes).assert_same(patient)


@pytest.mark.parametrize("name", ["t1", pytest.param("flair", marks=pytest.mark.slow)])
def test_a_sequence_that_is_not_there_counts_for_nothing(
    folder: Path, patient: Volume, name: str
) -> None:
    """Whatever stands in its place: the head box is that of the other, too."""
    alone, changes = patient.select((name,)), {"sequence_dropout": True}
    both = Both(folder, threshold=threshold_of(folder, alone, **changes), **changes)
    both.assert_same(alone)


@pytest.mark.parametrize(
    ("used", "empty"),
    [(SEQUENCES, 2), pytest.param(("t1",), 2, marks=pytest.mark.slow), (("flair",), 3)],
)
def test_slices_that_show_nothing_are_0(folder: Path, used: tuple[str, ...], empty: int) -> None:
    """Two are empty in all sequences; the third in one only, which does not count for the other."""
    volume = head_volume()
    volume.array[:, :, :, :2] = 0
    volume.array[1, :, :, 2] = 0
    given, changes = volume.select(used), {"sequence_dropout": True}
    both = Both(folder, threshold=threshold_of(folder, given, **changes), **changes)
    both.assert_same(given)
    probability, *_ = both.of_graph(given)
    assert not probability[..., :empty].any()
    assert probability[..., empty:].any(axis=(0, 1, 2)).all()


def test_a_narrow_field_of_view(folder: Path, patient: Volume) -> None:
    narrow = replace(patient, array=np.ascontiguousarray(patient.array[:, 10:37, :, :5]))
    Both(folder, threshold=threshold_of(folder, narrow)).assert_same(narrow)


def test_any_shape_spacing_and_orientation_by_one_session(folder: Path) -> None:
    both = Both(folder, threshold=threshold_of(folder, head_volume()))
    both.assert_same(head_volume())
    both.assert_same(head_volume((2, 0, 1), (1,)))
    both.assert_same(head_volume((1, 2, 0), (0, 2)))
    for spacing in ((0.9, 0.9, 3), (0.7, 2, 5)):
        both.assert_same(replace(head_volume(), affine=np.diag([*spacing, 1.0])))
    cut = replace(head_volume(), array=np.ascontiguousarray(head_volume().array[:, 4:, 2:, 1:6]))
    both.assert_same(cut)


def test_a_constant_image_shows(folder: Path) -> None:
    volume = head_volume()
    volume.array[1] = 3
    *_, contrast = Both(folder).of_graph(volume)
    assert contrast.tolist() == [True, False]


def test_a_constant_image_that_does_not_count(folder: Path) -> None:
    volume = head_volume()
    both = Both(folder, sequence_dropout=True)
    given = to_reading(volume.array, orientation(volume.affine)).copy()
    given[1] = 3
    feeds = {
        "images": given,
        "pixel_mm": np.array([1.2, 1], np.float32),
        "present": np.array([True, False]),
    }
    probability, _, contrast = map(np.asarray, both.session.run(None, feeds))
    due = both.predictor.predict(volume.select(("t1",)), maps=True).probabilities
    assert contrast.all()
    found = from_reading(probability, orientation(volume.affine))
    assert found == pytest.approx(due, abs=2e-3)


def test_it_is_valid_and_the_same_each_time(folder: Path) -> None:
    first, second = Both(folder).graph, Both(folder).graph
    onnx.checker.check_model(first, full_check=True)
    assert first.opset_import[0].version == OPSET
    assert first.SerializeToString() == second.SerializeToString()
    assert {node.domain for node in first.graph.node} == {""}
    assert [value.name for value in first.graph.input] == ["images", "pixel_mm"]

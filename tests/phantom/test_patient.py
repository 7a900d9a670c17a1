from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from gliomask.core.intensity import normalise
from gliomask.core.labels import LabelArray
from gliomask.core.volume import SEQUENCES, Volume
from gliomask.errors import ConfigError
from gliomask.phantom.options import PatientOptions
from gliomask.phantom.patient import synthetic_patient

Patients = list[tuple[Volume, LabelArray]]


def test_what_a_patient_is(stripped: Patients) -> None:
    for volume, labels in stripped:
        assert volume.sequences == SEQUENCES
        assert volume.array.dtype == np.float32
        assert volume.shape == labels.shape == (48, 48, 14)
        assert np.diag(volume.affine).tolist() == [5.0, 5.0, 9.0, 1.0]
        assert volume.has_world
        assert np.isfinite(volume.array).all()
        assert volume.array.min() >= 0


def test_the_same_seed_and_index_give_the_same_patient(
    stripped: Patients, small: PatientOptions
) -> None:
    volume, labels = synthetic_patient(11, small, 3)
    assert (volume.array == stripped[3][0].array).all()
    assert (labels == stripped[3][1]).all()


def test_another_seed_or_index_gives_another_patient(
    stripped: Patients, small: PatientOptions
) -> None:
    for volume, labels in (stripped[1], synthetic_patient(12, small, 0)):
        assert (volume.array != stripped[0][0].array).mean() > 0.2
        assert (labels != stripped[0][1]).any()


def test_labels_are_ours_and_enhancement_is_not_in_everyone(stripped: Patients) -> None:
    seen = [set(np.unique(labels).tolist()) for _, labels in stripped]
    assert set().union(*seen) == {0, 1, 2, 3}
    assert all({0, 2} <= one for one in seen)
    assert 0 < sum(3 in one for one in seen) < len(seen)


def test_the_tumour_is_inside_the_brain(stripped: Patients) -> None:
    for volume, labels in stripped:
        assert (volume.array[:, labels > 0] > 0).all()


def test_some_slices_hold_tumour_and_some_do_not(stripped: Patients) -> None:
    for _, labels in stripped:
        with_tumour = (labels > 0).any(axis=(0, 1))
        assert 1 <= with_tumour.sum() <= labels.shape[2] - 3


def test_patients_are_not_symmetric(stripped: Patients) -> None:
    for volume, labels in stripped:
        healthy = (labels == 0) & (labels[::-1] == 0)
        t2 = volume.array[SEQUENCES.index("t2")]
        brain = healthy & (t2 > 0) & (t2[::-1] > 0)
        assert np.corrcoef(t2[brain], t2[::-1][brain])[0, 1] < 0.9


def test_oedema_is_bright_in_flair_and_t2_and_darker_than_white_matter_in_t1(
    stripped: Patients,
) -> None:
    for volume, labels in stripped:
        t1, t2, flair = volume.select(("t1", "t2", "flair")).array
        healthy, oedema = (t1 > 0) & (labels == 0), labels == 2
        assert np.median(flair[oedema]) > 1.1 * np.median(flair[healthy])
        assert np.median(t2[oedema]) > 1.1 * np.median(t2[healthy])
        assert np.median(t1[oedema]) < np.percentile(t1[healthy], 80)


def test_what_enhances_is_brighter_after_contrast(stripped: Patients) -> None:
    for volume, labels in stripped:
        if (labels == 3).sum() < 5:
            continue
        before, after = volume.select(("t1", "t1ce")).array
        healthy = (before > 0) & (labels == 0)
        gain = np.median(after[labels == 3]) / np.median(before[labels == 3])
        assert gain > 1.1 * np.median(after[healthy]) / np.median(before[healthy])


def test_no_threshold_of_flair_finds_every_tumour(stripped: Patients) -> None:
    scores = []
    for volume, labels in stripped:
        flair, tumour = normalise(volume.select(("flair",)).array[0]), labels > 0
        found = [flair > level for level in np.arange(0, 4, 0.1)]
        scores.append([2 * (f & tumour).sum() / (f.sum() + tumour.sum()) for f in found])
    assert 0.4 < np.mean(scores, axis=0).max() < 0.82
    assert min(max(one) for one in scores) < 0.75  # even with a threshold for each patient


def test_air_is_empty_without_a_skull_and_noisy_with_one(
    stripped: Patients, head: tuple[Volume, LabelArray]
) -> None:
    assert (stripped[0][0].array[:, :3, :3] == 0).all()
    corner = head[0].array[:, :3, :3]
    assert (corner > 0).all()
    assert (corner.mean(axis=(1, 2, 3)) < 0.2 * head[0].array.mean(axis=(1, 2, 3)) * 3).all()


def test_a_head_surrounds_the_same_brain_and_tumour(
    stripped: Patients, head: tuple[Volume, LabelArray]
) -> None:
    volume, labels = head
    assert (labels == stripped[0][1]).all()
    t1, bare = volume.array[0], stripped[0][0].array[0]
    level = 0.25 * np.median(bare[bare > 0])
    outside = (t1 > level) & (bare == 0)
    assert outside.sum() > 0.15 * (bare > 0).sum()
    inner = bare > 0
    assert np.median(t1[inner]) == pytest.approx(np.median(bare[inner]), rel=0.05)


def test_resolution_does_not_change_the_patient(stripped: Patients, small: PatientOptions) -> None:
    finer = dataclasses.replace(small, matrix=96)
    _, labels = synthetic_patient(11, finer, 2)
    coarse = stripped[2][1] > 0
    again = labels.reshape(48, 2, 48, 2, 14).max(axis=(1, 3)) > 0
    assert 2 * (coarse & again).sum() / (coarse.sum() + again.sum()) > 0.7
    assert (labels > 0).sum() / 4 == pytest.approx(coarse.sum(), rel=0.15)


def test_negative_numbers_are_refused(small: PatientOptions) -> None:
    with pytest.raises(ConfigError, match="seed=-1"):
        synthetic_patient(-1, small)
    with pytest.raises(ConfigError, match="index=-2"):
        synthetic_patient(1, small, -2)

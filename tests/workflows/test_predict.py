"""``predict``: what it leaves on disk, and what it leaves alone."""

from __future__ import annotations

import csv
import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from gliomask.core.labels import LabelArray
from gliomask.core.volume import Affine
from gliomask.errors import BatchError, CaseError, CasesError, GliomaskError, InputError
from gliomask.formats.nifti import read_nifti, read_nifti_labels, write_nifti
from gliomask.formats.volumes import volume_format
from gliomask.jobs.control import Control
from gliomask.nets.measures import CleanUp, KindFacts, RegionFacts, ValidationFacts, VolumeFit
from gliomask.results.prediction.summary import PredictResult
from gliomask.workflows.predict import PredictOptions, predict_files
from tests.fakes import (
    FakeModel,
    head_labels,
    head_volume,
    world_points,
    write_head,
    write_picture_head,
)

ORDERS = [((0, 1, 2), ()), ((0, 1, 2), (0, 1)), ((2, 0, 1), (1,))]
NAME = "BraTS-GLI-00001-000"


@pytest.fixture(autouse=True)
def _fake_model(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gliomask.segmentation.segmenter.load_predictor", FakeModel(size=64))


def run(inputs: Path, out: Path, **changes: Any) -> PredictResult:
    return predict_files(PredictOptions(inputs=(inputs,), out=out, model=Path("fake"), **changes))


def names(folder: Path) -> set[str]:
    return {entry.name for entry in folder.iterdir()}


@pytest.mark.parametrize(("axes", "flips"), ORDERS)
def test_mask_is_on_the_grid_of_the_input(
    tmp_path: Path, axes: tuple[int, ...], flips: tuple[int, ...]
) -> None:
    volume = head_volume(axes, flips)
    write_head(tmp_path / "in", NAME, volume)
    (case,) = run(tmp_path / "in", tmp_path / "out", write=("nifti",)).cases
    mask, affine = read_nifti_labels(tmp_path / "out" / f"{case.case}_mask.nii.gz")
    assert mask.shape == volume.shape
    assert mask.dtype == np.uint8
    assert np.array_equal(affine, volume.affine.astype(np.float32))
    truth = world_points(head_labels(axes, flips), volume.affine)
    found = world_points(mask, volume.affine)
    assert len(truth & found) / len(truth | found) > 0.7


def test_an_oblique_grid_comes_back(tmp_path: Path) -> None:
    """Turned by 12 and 7 degrees: the affine is the input's to the last bit of its header."""
    a, b = np.deg2rad([12, 7])
    turn = np.array([[np.cos(a), -np.sin(a), 0], [np.sin(a), np.cos(a), 0], [0, 0, 1]])
    tilt = np.array([[1, 0, 0], [0, np.cos(b), -np.sin(b)], [0, np.sin(b), np.cos(b)]])
    volume = head_volume((2, 0, 1), (1,))
    affine = volume.affine.copy()
    affine[:3] = turn @ tilt @ affine[:3]
    folder = write_head(tmp_path / "in", NAME, replace(volume, affine=affine))
    (case,) = run(tmp_path / "in", tmp_path / "out", write=("nifti",)).cases
    _, given = read_nifti(folder / f"{NAME}-t2f.nii.gz")
    mask, found = read_nifti_labels(tmp_path / "out" / f"{case.case}_mask.nii.gz")
    assert mask.shape == volume.shape
    assert np.array_equal(found, given)


def test_files_of_a_case(tmp_path: Path) -> None:
    write_head(tmp_path / "in", NAME, head_volume(), head_labels())
    result = run(tmp_path / "in", tmp_path / "out", probabilities=True)
    (case,) = result.cases
    expected = {
        f"{case.case}{end}"
        for end in (".html", ".json", ".png", "_mask.nii.gz", "_probability_whole.nii.gz")
    }
    assert {path.name for path in case.paths(result.out)} == expected
    assert names(tmp_path / "out") == expected | {"cases.csv"}
    with Image.open(tmp_path / "out" / f"{case.case}.png") as picture:
        assert min(picture.size) > 500
    keys = json.loads((tmp_path / "out" / f"{case.case}.json").read_text())
    mask, _ = read_nifti_labels(tmp_path / "out" / f"{case.case}_mask.nii.gz")
    assert keys["notice"] == "For research use only"
    assert keys["volumes_ml"]["whole"] == pytest.approx(mask.sum() * 3.6 / 1000)
    assert keys["voxels"] == {"whole": int(mask.sum())} == case.voxels
    assert keys["sequences_used"] == ["t1", "flair"]
    assert keys["mask_values"] == {"1": "tumour"}
    assert keys["tumour_found"] is True
    assert keys["synthetic_training"] is keys["synthetic_data"] is False


def test_an_interval_and_a_flag_by_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fit = VolumeFit(level=0.9, stretch=2.0, patients=20)
    region = RegionFacts(tumours=20, missed=0, disagreement=None, volume=fit)
    kind = KindFacts(
        skull_stripped=False, sequences=("t1", "flair"), patients=20, regions={"whole": region}
    )
    known = ValidationFacts(patients=20, ways=(), kinds=(kind,))
    model = FakeModel(size=64, validation=known)
    monkeypatch.setattr("gliomask.segmentation.segmenter.load_predictor", model)
    write_head(tmp_path / "in", NAME, head_volume())
    (case,) = run(tmp_path / "in", tmp_path / "out").cases
    keys = json.loads((tmp_path / "out" / f"{case.case}.json").read_text())
    low, high = keys["volumes_ml_90"]["whole"]
    assert low < keys["volumes_ml"]["whole"] < high
    assert case.volumes_ml_90 == {"whole": (low, high)}
    interval = keys["intervals"]["whole"]
    assert (interval["level"], interval["patients"], interval["calibrated"]) == (0.9, 20, True)
    assert interval["ml"] == [low, high]
    assert np.array(interval["voxels"]) * 3.6 / 1000 == pytest.approx([low, high])
    assert keys["reliability"]["level"] == "red"
    reasons = [(reason["level"], reason["code"]) for reason in keys["reliability"]["reasons"]]
    # The head of the fakes measures 3 cm.
    assert reasons == [("red", "implausible_size"), ("amber", "not_measured")]
    assert case.reliability is not None
    assert json.loads(json.dumps(asdict(case.reliability))) == keys["reliability"]


def test_raw_spread_is_no_90_percent(tmp_path: Path) -> None:
    write_head(tmp_path / "in", NAME, head_volume())
    (case,) = run(tmp_path / "in", tmp_path / "out").cases
    keys = json.loads((tmp_path / "out" / f"{case.case}.json").read_text())
    assert keys["volumes_ml_90"] == case.volumes_ml_90 == {}
    assert keys["intervals"]["whole"]["calibrated"] is False
    assert keys["intervals"]["whole"]["level"] is None


def test_a_quick_look_says_less_and_marks_the_same(tmp_path: Path) -> None:
    write_head(tmp_path / "in", NAME, head_volume())
    (usual,) = run(tmp_path / "in", tmp_path / "a").cases
    (quick,) = run(tmp_path / "in", tmp_path / "b", uncertainty=False).cases
    masks = [read_nifti_labels(tmp_path / at / f"{NAME}_mask.nii.gz")[0] for at in ("a", "b")]
    assert np.array_equal(masks[0], masks[1])
    keys = json.loads((tmp_path / "b" / f"{quick.case}.json").read_text())
    assert (keys["reliability"], keys["intervals"]) == (quick.reliability, {}) == (None, {})
    assert usual.reliability is not None


def test_disagreement_is_a_layer_when_asked_for(tmp_path: Path) -> None:
    write_head(tmp_path / "in", NAME, head_volume())
    run(tmp_path / "in", tmp_path / "out", write=(), disagreement=True, uncertainty=False)
    layer = f"{NAME}_disagreement_whole.nii.gz"
    assert names(tmp_path / "out") == {layer, f"{NAME}.json", "cases.csv"}
    found, affine = read_nifti(tmp_path / "out" / layer)
    assert found.shape == head_volume().shape
    assert np.array_equal(affine, head_volume().affine.astype(np.float32))
    assert found.max() < 1e-5  # the stand-in's side maps are all the same


def test_probability_agrees_with_the_mask(tmp_path: Path) -> None:
    write_head(tmp_path / "in", NAME, head_volume())
    (case,) = run(tmp_path / "in", tmp_path / "out", probabilities=True).cases
    probability, _ = read_nifti(tmp_path / "out" / f"{case.case}_probability_whole.nii.gz")
    mask, _ = read_nifti_labels(tmp_path / "out" / f"{case.case}_mask.nii.gz")
    assert np.array_equal(probability >= 0.5, mask > 0)


def test_threshold_by_hand(tmp_path: Path) -> None:
    write_head(tmp_path / "in", NAME, head_volume())
    (usual,) = run(tmp_path / "in", tmp_path / "a", write=()).cases
    (strict,) = run(tmp_path / "in", tmp_path / "b", write=(), threshold=0.999).cases
    assert strict.voxels["whole"] < usual.voxels["whole"]
    keys = json.loads((tmp_path / "b" / f"{strict.case}.json").read_text())
    assert keys["provenance"]["threshold"] == 0.999


def test_fragments_are_kept_if_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    volume = head_volume()
    volume.array[1, 4:8, 5:9, 1:4] += 80  # a second, smaller focus beside the tumour
    write_head(tmp_path / "in", NAME, volume)
    rule = CleanUp(below_ml=1.0, below_probability=1.0)
    monkeypatch.setattr("gliomask.segmentation.segmenter.load_predictor", FakeModel(clean_up=rule))
    (usual,) = run(tmp_path / "in", tmp_path / "a", write=()).cases
    (everything,) = run(tmp_path / "in", tmp_path / "b", write=(), clean_up=False).cases
    assert everything.voxels["whole"] > usual.voxels["whole"] > 0


def test_table_lists_every_case(tmp_path: Path) -> None:
    for number in (1, 2):
        write_head(tmp_path / "in", f"BraTS-GLI-0000{number}-000", head_volume())
    run(tmp_path / "in", tmp_path / "out", write=())
    with (tmp_path / "out" / "cases.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["status"] for row in rows] == ["done", "done"]
    assert float(rows[0]["volume_whole_ml"]) > 0
    assert rows[0]["notice"] == "For research use only"


def test_pictures_get_pictures(tmp_path: Path) -> None:
    folder = write_picture_head(tmp_path, "someone")
    (case,) = run(folder, tmp_path / "out").cases
    assert case.volumes_ml is None
    masks = tmp_path / "out" / f"{case.case}_mask"
    assert names(masks) == {f"{k}_mask.png" for k in range(1, 9)}
    truth = head_labels()[::-1, ::-1, 4].T > 0
    with Image.open(masks / "5_mask.png") as picture:
        found = np.asarray(picture)
    assert found.shape == (20, 24)
    assert set(np.unique(found)) == {0, 255}
    assert (truth & (found > 0)).sum() / (truth | (found > 0)).sum() > 0.6
    keys = json.loads((tmp_path / "out" / f"{case.case}.json").read_text())
    assert keys["volumes_ml"] is keys["spacing_mm"] is keys["axes"] is None
    assert keys["voxels"]["whole"] > 0


def test_predicting_again_replaces_only_its_own(tmp_path: Path) -> None:
    folder = write_picture_head(tmp_path, "someone")
    run(folder, tmp_path / "out")
    first = {path: path.read_bytes() for path in (tmp_path / "out").rglob("*") if path.is_file()}
    (tmp_path / "out" / "mine.txt").write_text("mine")
    run(folder, tmp_path / "out")
    for path, content in first.items():
        assert path.read_bytes() == content
    assert (tmp_path / "out" / "mine.txt").read_text() == "mine"
    assert not [name for name in names(tmp_path / "out") if name.startswith(".")]


def test_nothing_found_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gliomask.segmentation.segmenter.load_predictor", FakeModel(level=50.0))
    write_head(tmp_path / "in", NAME, head_volume())
    (case,) = run(tmp_path / "in", tmp_path / "out").cases
    keys = json.loads((tmp_path / "out" / f"{case.case}.json").read_text())
    assert keys["tumour_found"] is False
    assert keys["volumes_ml"] == {"whole": 0.0}


def test_one_bad_case_does_not_stop_the_others(tmp_path: Path) -> None:
    write_head(tmp_path / "in", "BraTS-GLI-00001-000", head_volume())
    bad = write_head(tmp_path / "in", "BraTS-GLI-00002-000", head_volume())
    (bad / "BraTS-GLI-00002-000-t1n.nii.gz").write_bytes(b"damaged")
    with pytest.raises(BatchError, match="1 failed, 1 done") as caught:
        run(tmp_path / "in", tmp_path / "out")
    assert caught.value.exit_code == 3
    assert [case for case, _ in caught.value.failures] == ["BraTS-GLI-00002-000"]
    with (tmp_path / "out" / "cases.csv").open() as file:
        rows = {row["case"]: row for row in csv.DictReader(file)}
    assert rows["BraTS-GLI-00002-000"]["status"] == "failed"
    assert rows["BraTS-GLI-00002-000"]["reason"]
    assert not [n for n in names(tmp_path / "out") if n.startswith(("BraTS-GLI-00002", "."))]


def test_a_single_bad_case_is_its_own_error(tmp_path: Path) -> None:
    volume = head_volume().select(("t1",))
    write_head(tmp_path / "in", NAME, volume)
    with pytest.raises(CaseError, match="needs flair"):
        run(tmp_path / "in", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_all_bad_cases(tmp_path: Path) -> None:
    for number in (1, 2):
        write_head(tmp_path / "in", f"BraTS-GLI-0000{number}-000", head_volume().select(("t1",)))
    with pytest.raises(CasesError) as caught:
        run(tmp_path / "in", tmp_path / "out")
    assert len(caught.value.problems) == 2
    assert not (tmp_path / "out").exists()


def test_a_mask_off_the_grid_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Should a writer ever move the mask, nothing of the case remains."""

    def shifted(path: Path, array: LabelArray, affine: Affine, text: str = "") -> None:
        moved = affine.copy()
        moved[0, 3] += 0.5
        write_nifti(path, array, moved, text)

    monkeypatch.setattr("gliomask.formats.nifti.write_volume", shifted)
    write_head(tmp_path / "in", NAME, head_volume())
    with pytest.raises(GliomaskError, match="not on the grid of the input"):
        run(tmp_path / "in", tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("ending", [".nrrd", ".mha", ".mgz"])
def test_the_mask_comes_back_in_the_format_of_the_image(tmp_path: Path, ending: str) -> None:
    volume = head_volume((2, 0, 1), (0, 2))
    form = volume_format(Path(f"a{ending}"))
    assert form is not None
    for name, image in zip(volume.sequences, volume.array, strict=True):
        form.codec.write_volume(tmp_path / "in" / f"p1_{name}{ending}", image, volume.affine)
    (case,) = run(tmp_path / "in", tmp_path / "out", write=("nifti",)).cases
    mask, affine = form.codec.read_labels(tmp_path / "out" / f"p1_mask{ending}")
    assert np.allclose(affine, volume.affine, atol=1e-4)
    write_head(tmp_path / "nifti", NAME, volume)
    run(tmp_path / "nifti", tmp_path / "again", write=("nifti",))
    wanted, _ = read_nifti_labels(next((tmp_path / "again").glob("*_mask.nii.gz")))
    assert np.array_equal(mask, wanted)
    assert mask.any()
    assert case.volumes_ml is not None


@pytest.mark.parametrize(("ending", "masks"), [(".nii.gz", 2), (".nrrd", 1)])
def test_nrrd_whatever_the_format_of_the_image(tmp_path: Path, ending: str, masks: int) -> None:
    volume, form = head_volume((2, 0, 1), (0, 2)), volume_format(Path(f"a{ending}"))
    assert form is not None
    for name, image in zip(volume.sequences, volume.array, strict=True):
        form.codec.write_volume(tmp_path / "in" / f"p1_{name}{ending}", image, volume.affine)
    run(tmp_path / "in", tmp_path / "out", write=("nifti", "nrrd"))
    found = sorted((tmp_path / "out").glob("p1_mask.*"))
    assert len(found) == masks
    read = [volume_format(path).codec.read_labels(path) for path in found]  # type: ignore[union-attr]
    for mask, affine in read:
        assert np.array_equal(mask, read[0][0])
        assert np.allclose(affine, volume.affine, atol=1e-4)


def test_no_nrrd_of_pictures(tmp_path: Path) -> None:
    folder = write_picture_head(tmp_path, "someone")
    with pytest.raises(InputError, match=r"pictures have no voxel sizes.*allowed nifti, png, html"):
        run(folder, tmp_path / "out", write=("nrrd",))


def test_out_is_a_file(tmp_path: Path) -> None:
    write_head(tmp_path / "in", NAME, head_volume())
    (tmp_path / "out").write_text("mine")
    with pytest.raises(GliomaskError, match="not a folder"):
        run(tmp_path / "in", tmp_path / "out")
    assert (tmp_path / "out").read_text() == "mine"


@pytest.mark.parametrize("kind", ["file", "link"])
def test_an_unusable_folder_is_refused_before_the_work(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise AssertionError("it was computed")

    write_head(tmp_path / "in", NAME, head_volume())
    out = tmp_path / "out"
    out.touch() if kind == "file" else out.symlink_to("nowhere")
    monkeypatch.setattr("gliomask.segmentation.segmenter.load_predictor", fail)
    for keys in ({"out": out}, {"out": tmp_path / "new", "bids": out}):
        with pytest.raises(InputError, match=f"{out}: .*use another folder"):
            run(tmp_path / "in", **keys)
    assert names(tmp_path) == {"in", "out"}


def test_files_by_sequence(tmp_path: Path) -> None:
    folder = write_head(tmp_path, NAME, head_volume())
    given = {"t1": folder / f"{NAME}-t1n.nii.gz", "flair": folder / f"{NAME}-t2f.nii.gz"}
    result = predict_files(
        PredictOptions(sequences=given, out=tmp_path / "out", model=Path("fake"))
    )
    assert result.cases[0].sequences_used == ("t1", "flair")


def test_an_existing_mask_is_not_looked_at(tmp_path: Path) -> None:
    folder = write_head(tmp_path / "in", NAME, head_volume())
    (folder / f"{NAME}-seg.nii.gz").write_bytes(b"not a mask")
    assert run(tmp_path / "in", tmp_path / "out").cases[0].voxels["whole"] > 0


def one_head(folder: Path, seed: int) -> Path:
    """A T1 and a FLAIR in a folder, brighter by ``seed``."""
    for name, image in zip(("t1", "flair"), head_volume().array, strict=True):
        write_nifti(folder / f"{name}.nii.gz", image + np.float32(seed), head_volume().affine)
    return folder


def test_a_folder_of_no_telling_name_is_called_by_the_one_above(tmp_path: Path) -> None:
    for seed, person in enumerate(("patient_A", "patient_B")):
        run(one_head(tmp_path / person / "mri", seed), tmp_path / "out", write=("nifti",))
    masks = {name for name in names(tmp_path / "out") if name.endswith("_mask.nii.gz")}
    assert masks == {"patient_A_mask.nii.gz", "patient_B_mask.nii.gz"}


def test_a_result_of_other_images_is_not_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = (one_head(tmp_path / h / "p1", seed) for seed, h in enumerate("AB"))
    out = tmp_path / "out"
    run(first, out, write=("nifti",))
    before = (out / "p1.json").read_bytes()
    monkeypatch.chdir(tmp_path / "B")
    for named in (second, Path("p1")):
        with pytest.raises(CaseError, match=r"the result p1 of other images, in .*A/p1; .*`out`"):
            run(named, out, write=("nifti",))
    assert (out / "p1.json").read_bytes() == before
    run(one_head(first, 2), out, write=("nifti",))  # the same place, changed
    assert (out / "p1.json").read_bytes() != before
    run(second, out, write=("nifti",), again=True)
    assert str(second) in (out / "p1.json").read_text()


@pytest.mark.parametrize("again", [False, True])
def test_an_edited_mask_is_not_replaced(tmp_path: Path, again: bool) -> None:
    scan, out = one_head(tmp_path / "p1", 0), tmp_path / "out"
    run(scan, out, write=("nifti",))
    mask, affine = read_nifti_labels(out / "p1_mask.nii.gz")
    mask[0, 0, 0] = 1
    write_nifti(out / "p1_mask.nii.gz", mask, affine)
    edited = {path.name: path.read_bytes() for path in out.iterdir()}
    assert run(scan, out, write=("nifti",)).earlier == ("p1",)
    for changes in ({"threshold": 0.3}, {"write": ("nifti", "png")}):
        with pytest.raises(CaseError, match=r"p1_mask\.nii\.gz: p1: changed after gliomask wrote"):
            run(scan, out, again=again, **{"write": ("nifti",), **changes})
    assert {path.name: path.read_bytes() for path in out.iterdir()} == edited
    (out / "p1_mask.nii.gz").rename(out / "mine.nii.gz")
    run(scan, out, write=("nifti",), threshold=0.3)
    assert (out / "mine.nii.gz").read_bytes() == edited["p1_mask.nii.gz"]


def test_an_edited_picture_of_a_mask_is_not_replaced(tmp_path: Path) -> None:
    folder, out = write_picture_head(tmp_path, "someone"), tmp_path / "out"
    run(folder, out)
    picture = next(path for path in sorted(out.rglob("*_mask/*")) if path.is_file())
    picture.write_bytes(picture.read_bytes() + b"edited")
    with pytest.raises(CaseError, match="changed after gliomask wrote it"):
        run(folder, out, again=True)
    assert picture.read_bytes().endswith(b"edited")


def test_the_same_images_elsewhere_are_the_same_result(tmp_path: Path) -> None:
    first, copy = one_head(tmp_path / "A" / "p1", 0), one_head(tmp_path / "B" / "p1", 0)
    run(first, tmp_path / "out", write=("nifti",))
    assert run(copy, tmp_path / "out", write=("nifti",)).earlier


def test_progress_moves_within_a_case(tmp_path: Path) -> None:
    notes: list[tuple[float, str]] = []

    class Heard:
        def start(self, total: float, what: str) -> None:
            assert (total, what) == (1, "segmenting")

        def advance(self, steps: float = 1, note: str = "") -> None:
            notes.append((steps, note))

    write_head(tmp_path / "in", NAME, head_volume())
    options = PredictOptions(inputs=(tmp_path / "in",), out=tmp_path / "out", model=Path("fake"))
    predict_files(options, Control(Heard()))
    said = [note for _, note in notes]
    assert said[:2] == [f"{NAME}: image 1 of 2", f"{NAME}: image 2 of 2"]
    assert f"{NAME}: slice 3 of 8" in said
    assert f"{NAME}: writing 1 of 3" in said
    assert sum(steps for steps, _ in notes) == pytest.approx(1)

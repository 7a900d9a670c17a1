"""What a store gives back is what prediction would have seen, and its split is checked."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import numpy as np
import pytest

from gliomask.core.case import Case, ImageFile
from gliomask.core.geometry import to_reading
from gliomask.core.label_scheme import BINARY
from gliomask.core.labels import TUMOUR
from gliomask.core.slices import to_slices
from gliomask.core.split import Patient, make_split
from gliomask.core.volume import Volume
from gliomask.errors import StoreError
from gliomask.store.manifest import StoreManifest, read_split, write_manifest, write_split
from gliomask.store.patient import LoadedCase, patient_path, stored_cases, write_patient
from gliomask.store.store import Store, open_store


def loaded(case_id: str, *, sparse: bool = False) -> LoadedCase:
    rng = np.random.default_rng(int(case_id[-1]))
    image = np.zeros((2, 30, 34, 6), np.float32)
    image[:, 6:24, 6:28] = rng.normal(100, 20, (2, 18, 22, 6))
    labels = np.zeros((30, 34, 6), np.uint8)
    labels[10:14, 10:16, 2:4] = TUMOUR
    labels[0, 0, 5] = TUMOUR  # beyond the crop
    images = {name: ImageFile((Path(f"{name}.nii.gz"),)) for name in ("t1", "flair")}
    case = Case(case_id, f"patient-{case_id[-1]}", images, scheme=BINARY, sparse=sparse)
    return LoadedCase(case, Volume(image, np.eye(4), ("t1", "flair")), labels, "f" * 64)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    path = tmp_path / "store"
    entries = []
    for number in range(4):
        one = loaded(f"case{number}", sparse=number == 3)
        write_patient(path, one.case.patient, [one])
        entries += list(stored_cases(path, one.case.patient) or ())
    patients = [Patient(entry.patient, "x", entry.tumour_ml) for entry in entries]
    write_split(path / "split.json", make_split(patients, folds=2))
    manifest = StoreManifest(
        name="s",
        sequences=("t1", "flair"),
        regions=("whole",),
        licences=(),
        synthetic=False,
        cases=tuple(entries),
    )
    write_manifest(path, manifest)
    return open_store(path)


def test_the_store_keeps_what_preprocessing_made_to_the_last_bit(store: Store) -> None:
    stack = to_slices(loaded("case1").volume)
    np.testing.assert_array_equal(store.images("case1"), stack.array)
    np.testing.assert_array_equal(store.stack("case1").array, stack.array)
    assert store.stack("case1").record.box == stack.record.box


def test_labels_are_cropped_and_the_reference_is_not(store: Store) -> None:
    one = loaded("case2")
    record = to_slices(one.volume).record
    whole = to_reading(one.labels, record.turn)
    np.testing.assert_array_equal(store.reference("case2"), whole)
    np.testing.assert_array_equal(store.labels("case2"), whole[:, *record.window])


def test_slices_by_index(store: Store) -> None:
    whole = store.images("case0")
    np.testing.assert_array_equal(store.images("case0", [4, 1]), whole[[4, 1]])
    np.testing.assert_array_equal(store.images("case0", slice(2, 4)), whole[2:4])
    assert store.images("case0", []).shape == (0, *whole.shape[1:])
    assert store.labels("case0", [3]).shape == (1, *whole.shape[2:])


def test_the_entry_counts_tumour_also_beyond_the_crop(store: Store) -> None:
    entry = store.case("case0")
    assert entry.tumour_px == (0, 0, 24, 24, 0, 1)
    assert entry.tumour_ml == pytest.approx(0.049)
    assert entry.annotated == (True,) * 6


def test_a_sparse_case_knows_only_its_slices_with_tumour(store: Store) -> None:
    assert store.case("case3").annotated == (False, False, True, True, False, True)


def test_parts_are_cases_and_folds_test_each_once(store: Store) -> None:
    ids = sorted(one for _, part in store.parts().named() for one in part)
    assert ids == ["case0", "case1", "case2", "case3"]
    assert sorted(store.parts(0).test + store.parts(1).test) == ids


def test_it_travels_to_another_process(store: Store) -> None:
    other = pickle.loads(pickle.dumps(store))  # noqa: S301  (our own bytes, as a worker gets them)
    np.testing.assert_array_equal(other.images("case0"), store.images("case0"))


def test_an_unknown_case_and_an_unknown_fold(store: Store) -> None:
    with pytest.raises(StoreError, match="no case 'x'"):
        store.case("x")
    with pytest.raises(StoreError, match=r"fold=2, allowed 0 to 1"):
        store.parts(2)


def edit(path: Path, **changes: object) -> None:
    keys = json.loads(path.read_text())
    path.write_text(json.dumps({**keys, **changes}))


def test_a_patient_on_two_sides_of_the_split_is_refused(store: Store) -> None:
    keys = json.loads((store.path / "split.json").read_text())
    edit(store.path / "split.json", test=keys["train"])
    with pytest.raises(StoreError, match="two parts of the split"):
        open_store(store.path)


def test_a_patient_that_the_store_does_not_hold_is_refused(store: Store) -> None:
    edit(store.path / "split.json", train=["nobody"], validation=[], test=[])
    with pytest.raises(StoreError, match="'nobody' in train is not in the store"):
        open_store(store.path)


def test_a_split_file_of_before_there_were_folds_by_site(store: Store) -> None:
    path = store.path / "split.json"
    keys = json.loads(path.read_text())
    del keys["fold_by"], keys["fold_names"]
    path.write_text(json.dumps(keys))
    assert read_split(path) == store.split


def test_folds_by_site_keep_their_names(store: Store) -> None:
    names = [Patient(f"{site}{k}", site, k) for site in ("ge", "cs") for k in range(5)]
    split = make_split(names, fold_by="site")
    path = store.path / "sites.json"
    write_split(path, split)
    assert json.loads(path.read_text())["fold_names"] == ["cs", "ge"]
    assert read_split(path) == split
    edit(path, fold_names=["cs"])
    with pytest.raises(StoreError, match="1 names for 2 folds"):
        read_split(path)
    edit(path, fold_by="scanner")
    with pytest.raises(StoreError, match=r"damaged.*fold_by=scanner"):
        read_split(path)


@pytest.mark.parametrize("field", ["format", "preprocessing"])
def test_another_version_is_refused(store: Store, field: str) -> None:
    edit(store.path / "manifest.json", **{field: 99})
    with pytest.raises(StoreError, match=rf"another version \({field}=99, allowed 1\)"):
        open_store(store.path)


def test_damaged_and_missing_manifests(store: Store, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="not a store"):
        open_store(tmp_path / "nowhere")
    (store.path / "manifest.json").write_text('{"format": 1, "prep')
    with pytest.raises(StoreError, match="not JSON"):
        open_store(store.path)
    (store.path / "manifest.json").write_text('{"format": 1, "preprocessing": 1, "cases": []}')
    with pytest.raises(StoreError, match="damaged"):
        open_store(store.path)


def test_a_missing_patient_is_named(store: Store) -> None:
    patient_path(store.path, "patient-0").rename(store.path / "gone")
    with pytest.raises(StoreError, match=r"patient-0.zarr: case case0 can't be read"):
        store.images("case0")


def test_nothing_stays_of_a_patient_that_can_not_be_written(tmp_path: Path) -> None:
    one = loaded("case1")
    flat = Volume(np.ones_like(one.volume.array), np.eye(4), ("t1", "flair"))
    bad = LoadedCase(one.case, flat, one.labels, "f")
    with pytest.raises(ValueError, match="constant"):
        write_patient(tmp_path, "p", [one, bad])
    assert stored_cases(tmp_path, "p") is None
    assert list((tmp_path / "patients").iterdir()) == []


@pytest.mark.parametrize("group", [".", "case0"])
@pytest.mark.parametrize("content", ["", "{", "\0\0"], ids=["empty", "cut", "zeros"])
def test_a_damaged_group_counts_as_absent(store: Store, group: str, content: str) -> None:
    assert stored_cases(store.path, "patient-0") == (store.case("case0"),)
    (patient_path(store.path, "patient-0") / group / "zarr.json").write_text(content)
    assert stored_cases(store.path, "patient-0") is None


@pytest.mark.parametrize("attributes", [{}, {"case": {"id": "case0"}}], ids=["none", "part"])
def test_a_group_without_its_entry_counts_as_absent(
    store: Store, attributes: dict[str, object]
) -> None:
    edit(patient_path(store.path, "patient-0") / "case0" / "zarr.json", attributes=attributes)
    assert stored_cases(store.path, "patient-0") is None


def a_chunk(store: Store, name: str) -> Path:
    chunks = patient_path(store.path, "patient-0") / "case0" / name / "c"
    return sorted(path for path in chunks.rglob("*") if path.is_file())[2]


@pytest.mark.parametrize("name", ["images", "labels"])
def test_a_flipped_bit_is_noticed(store: Store, name: str) -> None:
    chunk = a_chunk(store, name)
    content = bytearray(chunk.read_bytes())
    content[len(content) // 2] ^= 4
    chunk.write_bytes(content)
    with pytest.raises(StoreError, match="case case0 is damaged"):
        getattr(store, name)("case0")


@pytest.mark.parametrize("name", ["images", "labels"])
def test_a_missing_slice_is_noticed(store: Store, name: str) -> None:
    a_chunk(store, name).unlink()
    with pytest.raises(StoreError, match="case case0 is damaged: a slice"):
        getattr(store, name)("case0")

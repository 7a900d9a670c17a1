"""Small stores for the tests of learning: noisy heads with a bright square for a tumour."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from gliomask.core.case import Case, ImageFile
from gliomask.core.label_scheme import BINARY, BRATS_2023
from gliomask.core.labels import ENHANCING, OEDEMA, TUMOUR
from gliomask.core.split import Parts, Split
from gliomask.core.volume import Volume
from gliomask.store.manifest import StoredCase, StoreManifest, write_manifest, write_split
from gliomask.store.patient import LoadedCase, stored_cases, write_patient
from gliomask.store.store import Store, open_store

SEQUENCES = ("t1", "flair")
SIDE, SLICES = 32, 5


def tiny_case(number: int, sequences: Sequence[str], *, parts: bool, sparse: bool) -> LoadedCase:
    """A case of 5 slices of 32 x 32, the middle three of them with tumour."""
    rng = np.random.default_rng(number)
    shape = (SIDE, SIDE, SLICES)
    images = rng.normal(100, 5, (len(sequences), *shape)).astype(np.float32)
    labels = np.zeros(shape, np.uint8)
    top, left = rng.integers(4, 16, 2)
    labels[top : top + 10, left : left + 10, 1:4] = OEDEMA if parts else TUMOUR
    if parts:
        labels[top + 3 : top + 6, left + 3 : left + 6, 2] = ENHANCING
    images[:, labels > 0] += 60
    case_id = f"case{number}"
    files = {name: ImageFile((Path(f"{name}.nii.gz"),)) for name in sequences}
    case = Case(
        case_id,
        f"patient{number}",
        files,
        scheme=BRATS_2023 if parts else BINARY,
        sparse=sparse,
        source="tiny",
        licence="CC0-1.0",
        synthetic=True,
    )
    return LoadedCase(case, Volume(images, np.eye(4), tuple(sequences)), labels, f"{number:064d}")


def write_store(
    path: Path,
    *,
    train: int = 4,
    validation: int = 2,
    lacking: Sequence[int] = (),
    parts: bool = False,
    sparse: Sequence[int] = (),
    whole_only: Sequence[int] = (),
) -> Store:
    """A store of so many patients.

    Those in ``lacking`` have no FLAIR, ``sparse`` is as in Case, and with ``parts`` the masks of
    all but ``whole_only`` label core and enhancing tumour too.
    """
    entries: list[StoredCase] = []
    for number in range(train + validation + 1):
        names = SEQUENCES[:1] if number in lacking else SEQUENCES
        one = tiny_case(
            number, names, parts=parts and number not in whole_only, sparse=number in sparse
        )
        write_patient(path, one.case.patient, [one])
        entries += stored_cases(path, one.case.patient) or ()
    ids = [entry.patient for entry in entries]
    both = train + validation
    holdout = Parts(tuple(ids[:train]), tuple(ids[train:both]), tuple(ids[both:]))
    fold = Parts(tuple(ids[2:]), (ids[1],), (ids[0],))
    write_split(path / "split.json", Split(holdout, (fold,), 0))
    manifest = StoreManifest(
        name="tiny",
        sequences=SEQUENCES,
        regions=("whole", "core", "enhancing") if parts else ("whole",),
        licences=("CC0-1.0",),
        synthetic=True,
        cases=tuple(entries),
    )
    write_manifest(path, manifest)
    return open_store(path)

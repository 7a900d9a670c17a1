"""A store of the same patients with other images, for ablations of the input.

    python -m benchmarks.accuracy.derived_store STORE OUT (--neighbours 1 | --per-slice)

Split, masks and records are those of STORE; only the images differ. ``train`` and ``evaluate`` use
OUT like any other store. Models trained on it are for comparisons only: ``predict`` does not create
such images.
"""

from __future__ import annotations

import argparse
import hashlib
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import zarr

from gliomask.core.atomic import atomic_folder
from gliomask.core.intensity import CLIP, foreground_level
from gliomask.core.volume import FloatArray
from gliomask.errors import InputError
from gliomask.store.manifest import SPLIT, StoredCase, write_manifest, write_split
from gliomask.store.patient import open_case, patient_path
from gliomask.store.store import Store, open_store

LEAST_HEAD = 0.01
"""Share of a slice that must be head; a few stray pixels have no mean or deviation worth using."""


@dataclass(frozen=True, eq=False)
class Derivation:
    """Function from images to other images.

    Attributes:
        words: description, a note of each case.
        names: names of the derived sequences, from those of the source.
        images: (S, C, H, W) to (S, len(names), H, W), both float32.
    """

    words: str
    names: Callable[[tuple[str, ...]], tuple[str, ...]]
    images: Callable[[FloatArray], FloatArray]


def with_neighbours(reach: int) -> Derivation:
    """Every sequence also as its slices below and above, up to ``reach`` slices away."""
    offsets = (0, *(side * k for k in range(1, reach + 1) for side in (-1, 1)))
    return Derivation(
        f"with {reach} slices below and above",
        lambda names: tuple(_neighbour(name, k) for k in offsets for name in names),
        partial(_shifted, offsets=offsets),
    )


def per_slice() -> Derivation:
    """Every slice of every sequence normalised separately, as ``normalise`` does with a volume.

    The head is that of the whole volume. Slices without head, or with stray pixels only, become 0.
    """
    return Derivation("each slice normalised separately", lambda names: names, _normalised)


def derive(source: Path, out: Path, how: Derivation) -> Store:
    """Writes the store atomically.

    Raises:
        StoreError: ``source`` is no store, or a case of it is damaged.
        InputError: ``out`` exists.
    """
    if out.exists():
        raise InputError("already exists", path=out, hint="give another OUT")
    store = open_store(source)
    with atomic_folder(out) as folder:
        for patient in sorted({case.patient for case in store.cases}):
            # Masks and records are copied; the images are replaced.
            shutil.copytree(patient_path(source, patient), patient_path(folder, patient))
        cases = tuple(_replace_images(store, folder, case, how) for case in store.cases)
        names = how.names(store.manifest.sequences)
        write_split(folder / SPLIT, store.split)
        about = {"name": out.name, "sequences": names, "cases": cases, "crossing": ()}
        write_manifest(folder, store.manifest.model_copy(update=about))
    return open_store(out)


def _replace_images(store: Store, folder: Path, case: StoredCase, how: Derivation) -> StoredCase:
    images = how.images(store.images(case.id)).astype(np.float16)
    entry = case.model_copy(
        update={
            "sequences": how.names(case.sequences),
            "notes": (*case.notes, how.words),
            "fingerprint": hashlib.sha256(f"{case.fingerprint} {how.words}".encode()).hexdigest(),
        }
    )
    group = zarr.open_group(str(patient_path(folder, case.patient)), mode="r+", path=case.id)
    before, *_ = open_case(store.path, case)
    group.create_array(
        "images",
        shape=images.shape,
        chunks=(1, *images.shape[1:]),
        dtype=images.dtype,
        compressors=before.compressors,
        fill_value=before.fill_value,
        overwrite=True,
    )[...] = images
    group.attrs["case"] = entry.model_dump(mode="json")
    return entry


def _neighbour(name: str, offset: int) -> str:
    """``t1``, ``t1 below``, ``t1 above``, ``t1 2 below`` and so on."""
    if offset == 0:
        return name
    distance = f" {abs(offset)}" if abs(offset) > 1 else ""
    return f"{name}{distance} {'below' if offset < 0 else 'above'}"


def _shifted(images: FloatArray, offsets: Sequence[int]) -> FloatArray:
    """Beyond the first and the last slice these go on."""
    last = len(images) - 1
    at = np.arange(len(images))
    return np.concatenate([images[np.clip(at + k, 0, last)] for k in offsets], axis=1)


def _normalised(images: FloatArray) -> FloatArray:
    levels = [foreground_level(images[:, channel]) for channel in range(images.shape[1])]
    slices = [
        [_one(i, level) for i, level in zip(channels, levels, strict=True)] for channels in images
    ]
    return np.array(slices, np.float32)


def _one(image: FloatArray, level: float) -> FloatArray:
    """One slice (H, W), z-scored over its head; air follows the same line, as in a volume."""
    head = image[image > level]
    if head.size < LEAST_HEAD * image.size or head.std() == 0:
        return np.zeros_like(image)
    scaled: FloatArray = np.clip((image - head.mean()) / head.std(), -CLIP, CLIP)
    return scaled


def parse(words: Sequence[str] | None = None) -> argparse.Namespace:
    """The command's options."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("store", type=Path)
    parser.add_argument("out", type=Path, help="the store to write")
    how = parser.add_mutually_exclusive_group(required=True)
    how.add_argument("--neighbours", type=int, choices=range(1, 4), help="slices on either side")
    how.add_argument("--per-slice", action="store_true", help="normalise each slice separately")
    return parser.parse_args(words)


def main(words: Sequence[str] | None = None) -> None:
    """Writes the store and prints its contents."""
    options = parse(words)
    how = per_slice() if options.per_slice else with_neighbours(options.neighbours)
    store = derive(options.store, options.out, how)
    print(f"{options.out}: {len(store.cases)} cases, {', '.join(store.manifest.sequences)}")


if __name__ == "__main__":
    main()

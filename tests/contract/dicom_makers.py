"""Folders of DICOM files that are odd in one way, and what they hold."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from pydicom import Dataset, Sequence, dcmread, dcmwrite
from pydicom.uid import UID

from tests.contract.dicom_judges import Array, Truth
from tests.formats.dicom.enhanced import Part, enhanced, write
from tests.formats.dicom.made import Plan, Stored, pixels, save, series

PLAN = Plan(slices=6, rows=8, columns=10)
Make = Callable[[Path], Truth]
Change = Callable[[int, Dataset], None]


@dataclass(frozen=True)
class Case:
    """One kind of file.

    Attributes:
        make: writes it.
        verdicts: of GDCM, dcm2niix and highdicom: R(ight), W(rong), or - (can't read it).
        refused: a part of our reason, or None if we read it.
        unlike: why we refuse what two others read alike.
    """

    make: Make
    verdicts: str
    refused: str | None = None
    unlike: str = ""


def each(
    change: Change,
    plan: Plan = PLAN,
    stored: Stored | None = None,
    values: Array | None = None,
    shifts: Array | None = None,
    syntax: UID | None = None,
) -> Make:
    """Every slice changed. ``values``: what it then holds, if not what is stored."""

    def make(folder: Path) -> Truth:
        written = pixels(plan) if stored is None else stored
        slices = series(plan, written)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # pydicom warns of values that may not be written
            for k, dataset in enumerate(slices):
                change(k, dataset)
            save(folder, slices, syntax=syntax)
        return Truth(plan, written if values is None else values, shifts)

    return make


def unchanged(k: int, dataset: Dataset) -> None:
    pass


def setting(only: int | None = None, values: Array | None = None, **tags: Any) -> Make:
    def change(k: int, dataset: Dataset) -> None:
        if only in (None, k):
            for keyword, value in tags.items():
                setattr(dataset, keyword, value)

    return each(change, values=values)


def lacking(*keywords: str, only: int | None = None, plan: Plan = PLAN, **tags: Any) -> Make:
    def change(k: int, dataset: Dataset) -> None:
        if only in (None, k):
            for keyword in keywords:
                delattr(dataset, keyword)
            for keyword, value in tags.items():
                setattr(dataset, keyword, value)

    return each(change, plan)


def in_half(change: Change) -> Make:
    return each(lambda k, dataset: change(k, dataset) if k % 2 else None)


def moved(shifts: Array, plan: Plan = PLAN) -> Make:
    """Slices beside their places, (K, 3) LPS millimetres."""

    def change(k: int, dataset: Dataset) -> None:
        dataset.ImagePositionPatient = [round(float(n), 6) for n in plan.position(k) + shifts[k]]

    return each(change, plan, shifts=shifts)


def shift(k: int, *by: float) -> Array:
    found = np.zeros((PLAN.slices, 3))
    found[k] = by
    return found


def rounded(plan: Plan) -> Make:
    """Positions with one decimal; a reader may be off by as much as that."""
    places = np.array([plan.position(k) for k in range(plan.slices)])
    make = moved(np.round(places, 1) - places, plan)
    return lambda folder: replace(make(folder), shifts=None, tolerance=0.1)


def beside(extra: Callable[[], list[Dataset]], plan: Plan = PLAN) -> Make:
    """The series, and other files under its SeriesInstanceUID."""

    def make(folder: Path) -> Truth:
        truth = each(unchanged, plan)(folder)
        for n, dataset in enumerate(extra()):
            dataset.SOPInstanceUID += f".9{n}"
            dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
            dataset.InstanceNumber = 50 + n
            dcmwrite(folder / f"other{n}.dcm", dataset, enforce_file_format=True)
        return truth

    return make


def other_class(uid: str, *without: str) -> Callable[[], list[Dataset]]:
    def extra() -> list[Dataset]:
        plan = replace(PLAN, rows=32, columns=32)
        dataset = series(plan, pixels(plan))[0]
        dataset.SOPClassUID = dataset.file_meta.MediaStorageSOPClassUID = UID(uid)
        for keyword in without:
            delattr(dataset, keyword)
        return [dataset]

    return extra


def without_slice(number: int) -> Make:
    def make(folder: Path) -> Truth:
        slices = series(PLAN, pixels(PLAN))
        del slices[number]
        save(folder, slices)
        return Truth(PLAN, pixels(PLAN))

    return make


def other_size(number: int) -> Make:
    def make(folder: Path) -> Truth:
        slices, odd = series(PLAN, pixels(PLAN)), replace(PLAN, rows=6)
        slices[number] = series(odd, pixels(odd))[number]
        save(folder, slices)
        return Truth(PLAN, pixels(PLAN))

    return make


def rewritten(change: Callable[[bytes], bytes]) -> Make:
    """The bytes of each file changed."""

    def make(folder: Path) -> Truth:
        truth = each(unchanged)(folder)
        for path in folder.iterdir():
            path.write_bytes(change(path.read_bytes()))
        return truth

    return make


def without_meta(content: bytes) -> bytes:
    return content[132 + 12 + int.from_bytes(content[140:144], "little") :]


def in_syntax(uid: str, *, implicit: bool, swapped: bool) -> Make:
    def make(folder: Path) -> Truth:
        truth = each(unchanged)(folder)
        for path in folder.iterdir():
            dataset = dcmread(path)
            if swapped:
                dataset.PixelData = np.frombuffer(dataset.PixelData, "<u2").byteswap().tobytes()
            dataset.file_meta.TransferSyntaxUID = UID(uid)
            how = {"implicit_vr": implicit, "little_endian": True}
            dcmwrite(path, dataset, enforce_file_format=False, **how)
        return truth

    return make


def in_one_file(
    change: Callable[[Dataset], None] = lambda dataset: None,
    values: Array | None = None,
    order: list[int] | None = None,
    plan: Plan = PLAN,
    **part: Any,
) -> Make:
    """An Enhanced MR Image, changed."""

    def make(folder: Path) -> Truth:
        stored = pixels(plan)
        dataset = enhanced([Part(plan, stored, **part)], order)
        change(dataset)
        write(folder / "a.dcm", dataset)
        return Truth(plan, stored if values is None else values)

    return make


def without_groups(*names: str) -> Callable[[Dataset], None]:
    def change(dataset: Dataset) -> None:
        shared = dataset.SharedFunctionalGroupsSequence
        for groups in (*shared, *dataset.PerFrameFunctionalGroupsSequence):
            for name in names:
                if name in groups:
                    delattr(groups, name)

    return change


def classic_frames(**tags: Any) -> Make:
    """All slices as frames of one MR Image, which has no place for each."""

    def make(folder: Path) -> Truth:
        dataset = series(PLAN, pixels(PLAN), **tags)[0]
        dataset.NumberOfFrames = PLAN.slices
        dataset.PixelData = pixels(PLAN).astype("<u2").tobytes()
        save(folder, [dataset])
        return Truth(PLAN, pixels(PLAN))

    return make


def table(values: Array) -> Sequence:
    found = Dataset()
    found.LUTDescriptor, found.ModalityLUTType = [len(values), 0, 16], "US"
    found.add_new("LUTData", "OW", values.astype("<u2").tobytes())
    return Sequence([found])


def mosaic(folder: Path) -> Truth:
    """Nine slices in one picture, as Siemens scanners write echo planar images."""
    plan = replace(PLAN, slices=9)
    stored = pixels(plan)
    tiles = stored.reshape(3, 3, plan.rows, plan.columns)
    picture = tiles.transpose(0, 2, 1, 3).reshape(1, 3 * plan.rows, 3 * plan.columns)
    whole = replace(plan, rows=3 * plan.rows, columns=3 * plan.columns, slices=1)
    dataset = series(whole, picture)[0]
    dataset.Manufacturer, dataset.SpacingBetweenSlices = "SIEMENS", plan.step
    dataset.ImageType = ["ORIGINAL", "PRIMARY", "M", "ND", "MOSAIC"]
    private = dataset.private_block(0x0019, "SIEMENS MR HEADER", create=True)
    private.add_new(0x0A, "US", 9)
    sides = np.array([plan.between_columns * plan.columns, plan.between_rows * plan.rows, 0.0])
    dataset.ImagePositionPatient = [float(n) for n in plan.position(0) - sides]
    save(folder, [dataset])
    return Truth(plan, stored)


def decimal_comma(content: bytes) -> bytes:
    return content.replace(b"0.9\\1.1 ", b"0,9\\1,1 ", 1)


def of_class(uid: str) -> Make:
    def change(dataset: Dataset) -> None:
        dataset.SOPClassUID = dataset.file_meta.MediaStorageSOPClassUID = UID(uid)

    return in_one_file(change)

"""Writer of the files of a prediction: mask on the grid of the input, pages, DICOM, record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import numpy as np

from gliomask.config.output_kinds import Kind as Kind
from gliomask.core.atomic import write_text
from gliomask.core.case import Case
from gliomask.core.extras import load_extra
from gliomask.core.file_digest import file_digest
from gliomask.core.geometry import same_place
from gliomask.core.prediction import RESEARCH_USE_ONLY, Prediction
from gliomask.core.region_maps import RegionMaps
from gliomask.core.volume import Volume
from gliomask.errors import CaseError, GliomaskError, InputError, PackageError, option
from gliomask.formats.case_record import CaseRecord, record_text
from gliomask.formats.mask_pictures import read_mask_pictures
from gliomask.formats.nifti import write_nifti
from gliomask.formats.pictures import write_picture
from gliomask.formats.volumes import NIFTI, NRRD, VolumeFormat, volume_format
from gliomask.jobs.control import SILENT, Control
from gliomask.results.prediction.dicom import is_dicom_case, write_dicom
from gliomask.results.prediction.outcome import WHITE, Outcome, record_of

NOTHING: Mapping[str, str] = MappingProxyType({})


def usual_kinds(case: Case) -> tuple[Kind, ...]:
    """Kinds of files that are written by default."""
    usual: tuple[Kind, ...] = ("nifti", "png", "html")
    return (*usual, "dicom-seg") if is_dicom_case(case) else usual


def write_outputs(
    folder: Path,
    outcome: Outcome,
    write: Sequence[Kind],
    kept: Mapping[str, str] = NOTHING,
    *,
    strict: bool = True,
    control: Control = SILENT,
) -> CaseRecord:
    """Write the files of a case into a folder, and check the mask by reading it again.

    Args:
        folder: an empty folder.
        outcome: result to write.
        write: which kinds of files; the record (JSON) is always written. The mask of pictures is
            a folder of pictures named after them. Layers are written for volumes with a world.
        kept: existing files of the same result -> their SHA-256 in the record, if it has them.
        strict: whether DICOM that can't be written is an error, or else a note.
        control: reports the kinds of files.

    Raises:
        InputError: two pictures of the case have the same name; DICOM requested where the case
            has no series on the grid of the mask, or that lacks what a DICOM object needs.
        GliomaskError: a written file does not have the intended content.
    """
    control.start(3, "writing")
    try:
        _write_dicom(folder, outcome, write)
    except (InputError, PackageError) as problem:
        if strict:
            without = f"or leave dicom-seg and rtstruct out of {option('write')}"
            problem.hint = problem.hint or without
            raise
        outcome = _with_note(outcome, problem)
    control.advance()
    case, volume, prediction = outcome.case, outcome.volume, outcome.prediction
    for kind in _mask_formats(case, write, volume):
        _write_volume(folder, case, prediction, volume, kind, control)
    if "nifti" in write and not volume.has_world:
        _write_pictures(folder / f"{case.id}_mask", case, prediction)
    if volume.has_world:
        for name, layers in outcome.written_layers.items():
            _write_layers(folder, f"{case.id}_{name}", layers, prediction, control)
    control.advance()
    _write_views(folder, outcome, write, control)
    control.check()
    written = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*")}
    sums = {name: file_digest(path).hex() for name, path in written.items() if path.is_file()}
    record = record_of(outcome, {**kept, **sums})
    write_text(folder / f"{case.id}.json", record_text(record))
    return record


def _write_views(folder: Path, outcome: Outcome, write: Sequence[Kind], control: Control) -> None:
    """Write pictures and pages; the report package is only loaded here."""
    case = outcome.case
    still = folder / f"{case.id}.png" if "png" in write else None
    if still is not None:
        from gliomask.report.preview import draw_preview

        control.check()  # the import takes its time, too
        draw_preview(outcome.prediction, outcome.volume, still)
        control.check()
    if "html" in write:
        from gliomask.results.prediction.page import write_page

        write_page(folder / f"{case.id}.html", outcome, still, control)


def _write_dicom(folder: Path, outcome: Outcome, write: Sequence[Kind]) -> None:
    """Write DICOM objects; pydicom and highdicom are only loaded here."""
    if "dicom-seg" in write:
        seg = load_extra("gliomask.formats.dicom_out.seg")
        write_dicom(folder / f"{outcome.case.id}.seg.dcm", outcome, seg.write_dicom_seg)
    if "rtstruct" in write:
        from gliomask.formats.dicom_out.rtstruct import write_rtstruct

        write_dicom(folder / f"{outcome.case.id}.rtstruct.dcm", outcome, write_rtstruct)


def _with_note(outcome: Outcome, problem: InputError | PackageError) -> Outcome:
    why = f"{problem.what} ({problem.field}={problem.found})" if problem.field else problem.what
    if isinstance(problem, PackageError):
        why = str(problem)
    notes = (*outcome.prediction.notes, f"no DICOM Segmentation could be written: {why}")
    return replace(outcome, prediction=replace(outcome.prediction, notes=notes))


def _mask_formats(case: Case, write: Sequence[Kind], volume: Volume) -> tuple[VolumeFormat, ...]:
    """The formats of volumes that a mask is written in, each once.

    That of the image that its grid is of (NIfTI for DICOM), and NRRD on request.

    Raises:
        InputError: NRRD of pictures, which have no place in the world.
    """
    own = volume_format(case.images[volume.sequences[0]].paths[0]) or NIFTI
    formats = [own] if "nifti" in write and volume.has_world else []
    if "nrrd" in write:
        if not volume.has_world:
            what = "pictures have no voxel sizes and no orientation, which NRRD needs"
            raise InputError(what, field="write", found="nrrd", allowed="nifti, png, html")
        formats.append(NRRD)
    return tuple(dict.fromkeys(formats))


def _write_volume(
    folder: Path,
    case: Case,
    prediction: Prediction,
    volume: Volume,
    kind: VolumeFormat,
    control: Control,
) -> None:
    path, mask = folder / f"{case.id}_mask{kind.written}", prediction.mask
    kind.codec.write_volume(path, mask, volume.affine, RESEARCH_USE_ONLY)
    control.check()
    written, affine = kind.codec.read_labels(path)
    control.check()
    if written.shape != volume.shape or not same_place(affine, volume.affine, volume.shape):
        raise GliomaskError("the written mask is not on the grid of the input", path=path.name)
    if not np.array_equal(written, mask):
        raise GliomaskError("the written mask differs from the prediction", path=path.name)


def _write_layers(
    folder: Path, name: str, layers: RegionMaps, prediction: Prediction, control: Control
) -> None:
    """Write a file for each region."""
    for region, layer in zip(prediction.regions, layers, strict=True):
        control.check()
        write_nifti(folder / f"{name}_{region}.nii.gz", layer, prediction.affine, RESEARCH_USE_ONLY)


def _write_pictures(folder: Path, case: Case, prediction: Prediction) -> None:
    """Write a picture for each slice: white is tumour, or the label if there are several
    regions."""
    slices = case.images[prediction.used[0]].paths
    paths = [folder / f"{path.stem}_mask.png" for path in slices]
    if len(set(paths)) < len(paths):
        raise CaseError(f"{case.id}: two pictures have the same name", path=slices[0].parent)
    scale = WHITE if prediction.regions == ("whole",) else 1
    pictures = (prediction.mask * np.uint8(scale)).swapaxes(0, 1)
    for k, path in enumerate(paths):
        write_picture(path, np.ascontiguousarray(pictures[:, :, k]), RESEARCH_USE_ONLY)
    written = read_mask_pictures(paths, numbered=scale == 1)
    if not np.array_equal(written, prediction.mask):
        raise GliomaskError("the written mask is not that of the input", path=folder.name)

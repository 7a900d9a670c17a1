"""``gliomask.predict``: a mask for images that are files or already in memory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np

from gliomask.core.case import Case, ImageFile
from gliomask.core.geometry import orientation
from gliomask.core.prediction import Prediction
from gliomask.core.volume import SEQUENCES, Affine, FloatArray
from gliomask.datasets.folders import stem
from gliomask.errors import CaseError, InputError, nearest
from gliomask.formats.archive import all_unpacked
from gliomask.formats.images import Image
from gliomask.inference.engines.choice import EngineName
from gliomask.inference.engines.engine import Device
from gliomask.inference.needed_images import needed_images
from gliomask.inference.predictor import Predictor, load_predictor
from gliomask.jobs.control import SILENT, Control
from gliomask.studies.find import survey
from gliomask.studies.loose_files import of_volumes
from gliomask.studies.one_grid import load_on_one_grid, put_on_one_grid, with_study

Array = np.ndarray[Any, np.dtype[Any]]
Loaded = tuple[Array, Affine] | nib.filebasedimages.FileBasedImage
"""An image in memory: (array (I, J, K), affine (4, 4) voxel to RAS+ mm), or nibabel's."""
Images = str | Path | Loaded | Mapping[str, str | Path] | Mapping[str, Loaded]


@dataclass(frozen=True)
class How:
    """How images are brought to one grid and asked about; see ``predict``."""

    threshold: float | None = None
    clean_up: bool = True
    reference: str | None = None
    align: bool = True
    n4: bool = False
    keep: bool = False
    thorough: bool = True
    series: Mapping[str, str] = field(default_factory=dict)


def predict(
    images: Images,
    model: str | Path | Predictor | None = None,
    *,
    sequence: str | None = None,
    device: Device = "auto",
    engine: EngineName = "auto",
    case: str = "case",
    control: Control = SILENT,
    **how: Any,
) -> Prediction:
    """Segments one examination; the same result as the command's, with the same defaults.

    Args:
        images: a path (NIfTI file, folder, DICOM folder or zip) that holds one examination; or
            one image in memory: an array (I, J, K) of any real type with its affine (4, 4), voxel
            to RAS+ mm, or a nibabel image of three dimensions; or sequence name (``t1``,
            ``t1ce``, ``t2``, ``flair``) -> path or image in memory.
        model: a run folder, the name of a model that comes with gliomask, or a predictor that is
            loaded already (for many examinations); ``u2netp-lgg`` if it is not given.
        sequence: of a single file or image, where its name (for nibabel's: of its file) does not
            tell it.
        device: what computes, if the model is not loaded yet.
        engine: what runs the network, likewise; ``auto`` takes the fastest that is there.
        case: id of images in memory.
        control: reports images and slices, and stops between them.
        how: ``threshold``: probability from which a voxel is tumour; ``clean_up`` (True): remove
            fragments as the model's card says; ``reference``: the sequence whose grid the others
            are resampled to (FLAIR's if there is one); ``align`` (True): lay series on other grids
            onto it, registered where that gains, refused otherwise; ``n4``:
            apply N4 bias-field correction; ``keep``: keep the probabilities;
            ``thorough`` (True): ask in several ways, for intervals and the flag; ``series``:
            sequence -> number, UID or description of the DICOM series to take for it.

    Returns:
        The prediction: its mask on the input's own grid, volumes, intervals, flag, notes.

    Raises:
        InputError: no examination, or several; an unknown sequence or option.
        CaseError: images that can't be used: another number of dimensions, NaN, constant, on
            different grids, sequences that the model needs.
        ModelError, MachineError: see ``load_predictor``.
    """
    chosen, images = _how(how), _by_sequence(images, sequence)
    predictor = model if isinstance(model, Predictor) else load_predictor(model, device, engine)
    if chosen.threshold is not None:
        predictor = predictor.at_threshold(chosen.threshold)
    if not chosen.clean_up:
        predictor = predictor.keeping_all()
    if isinstance(images, Mapping) and not _are_paths(images):
        return _of_arrays(predictor, images, case, chosen, control)  # type: ignore[arg-type]
    return _of_files(predictor, images, chosen, control)  # type: ignore[arg-type]


def _by_sequence(images: Images, sequence: str | None) -> Images:
    """One image under the name of its sequence; anything else as it is."""
    if sequence is not None:
        if isinstance(images, Mapping):
            raise InputError("the images have their sequences already", field="sequence")
        return {sequence: images}  # type: ignore[return-value]
    if isinstance(images, str | Path | Mapping):
        return images
    return {_told_by_name(images): images}


def _told_by_name(image: Loaded) -> str:
    """The sequence in the name of the file that an image was read from.

    Raises:
        CaseError: there is no such file, or its name does not tell.
    """
    hint = 'name it: predict(image, sequence="flair")'
    name = None if isinstance(image, tuple) else getattr(image, "get_filename", lambda: None)()
    if name is None:
        raise CaseError("nothing tells the sequence of the image", hint=hint)
    path = Path(name)
    try:
        (found,) = of_volumes([(stem(path.name), path)], path.parent)
    except CaseError as problem:
        raise CaseError(problem.what, path=path, hint=hint) from None
    return next(iter(found.images))


def _how(given: Mapping[str, Any]) -> How:
    for name in given:
        if name not in How.__dataclass_fields__:
            known = tuple(How.__dataclass_fields__)
            hint = nearest(name, known) or f"known: {', '.join(known)}"
            raise InputError(f"predict has no option {name!r}", hint=hint)
    how = How(**given)
    if how.threshold is not None and not 0 < how.threshold < 1:
        allowed = "between 0 and 1"
        raise InputError("no threshold", field="threshold", found=how.threshold, allowed=allowed)
    return how


def _are_paths(images: Mapping[str, Any]) -> bool:
    return all(isinstance(image, str | Path) for image in images.values())


def _of_files(
    predictor: Predictor,
    images: str | Path | Mapping[str, str | Path],
    how: How,
    control: Control,
) -> Prediction:
    given = {n: Path(p) for n, p in images.items()} if isinstance(images, Mapping) else {}
    inputs = () if isinstance(images, Mapping) else (Path(images),)
    with all_unpacked(inputs) as places:
        cases, problems = survey(places, given, how.series)
        if len(cases) != 1:
            names = ", ".join(one.id for one in cases[:5]) or "none"
            reasons = "; ".join(problem.reason for problem in problems[:3])
            raise InputError(
                f"{len(cases)} examinations where one is due ({names}) {reasons}".rstrip(),
                path=None if isinstance(images, Mapping) else images,
                hint="for several use predict_files" if cases else None,
            )
        one = needed_images(cases[0], predictor, how.reference)
        study = load_on_one_grid(one, how.reference, align=how.align, n4=how.n4, control=control)
    found = predictor.segment(
        study.volume, one.id, keep=how.keep, thorough=how.thorough, control=control
    )
    return with_study(replace(found, notes=(*found.notes, *one.notes)), study)


def _of_arrays(
    predictor: Predictor, images: Mapping[str, Loaded], case: str, how: How, control: Control
) -> Prediction:
    for name in images:
        _check_name(name)
    named = {name: ImageFile((Path(name),)) for name in SEQUENCES if name in images}
    one = needed_images(Case(case, case, named), predictor, how.reference)
    used = {name: _image(name, images[name]) for name in one.images}
    study = put_on_one_grid(one, used, how.reference, align=how.align, n4=how.n4, control=control)
    found = predictor.segment(
        study.volume, case, keep=how.keep, thorough=how.thorough, control=control
    )
    return with_study(replace(found, notes=(*found.notes, *one.notes)), study)


def _check_name(name: str) -> None:
    if name not in SEQUENCES:
        hint = nearest(name, SEQUENCES)
        allowed = ", ".join(SEQUENCES)
        raise InputError(
            "unknown sequence", field="sequence", found=name, allowed=allowed, hint=hint
        )


def _image(name: str, image: Loaded) -> Image:
    array, affine = _parts(name, image)
    if array.ndim != 3:
        raise CaseError(f"{name}: not a volume", field="shape", found=array.shape, allowed="3-D")
    if array.dtype.kind not in "biuf":
        allowed = "a real type"
        raise CaseError(f"{name}: no numbers", field="dtype", found=array.dtype, allowed=allowed)
    _check_affine(name, affine)
    with np.errstate(over="ignore"):  # what single precision can't hold is refused below
        values: FloatArray = np.ascontiguousarray(array, np.float32)
    if not np.isfinite(values).all():
        raise CaseError(f"{name}: holds NaN or infinity")
    if values.size == 0 or values.min() == values.max():
        raise CaseError(f"{name} is constant")
    return Image(values, affine, has_world=True)


def _check_affine(name: str, affine: Affine) -> None:
    found: object = affine.shape
    if affine.shape == (4, 4):
        try:
            orientation(affine)
            return
        except (ValueError, np.linalg.LinAlgError):
            found = affine[:3].tolist()
    allowed = "(4, 4), finite and not singular"
    raise CaseError(f"{name}: no affine", field="affine", found=found, allowed=allowed)


def _parts(name: str, image: Loaded) -> tuple[Array, Affine]:
    if isinstance(image, tuple) and len(image) == 2:
        array, affine = image
        return np.asarray(array), np.asarray(affine, np.float64)
    if not isinstance(image, nib.spatialimages.SpatialImage):
        allowed = "(array, affine) or an image of nibabel; or only paths"
        found = type(image).__name__
        raise InputError("no image in memory", field=name, found=found, allowed=allowed)
    if image.affine is None:
        raise CaseError(f"{name}: the image tells no affine")
    return np.asanyarray(image.dataobj), np.asarray(image.affine, np.float64)

"""``gliomask.predict``: a mask for images that are files or already in memory."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any
from weakref import finalize

import nibabel as nib
import numpy as np

from gliomask.config.base import build
from gliomask.config.choices import Device, EngineName
from gliomask.config.predict import PredictOptions
from gliomask.config.segment import Sequence
from gliomask.core.case import Case, ImageFile
from gliomask.core.geometry import orientation
from gliomask.core.volume import SEQUENCES, Affine, FloatArray
from gliomask.datasets.folders import stem
from gliomask.errors import CaseError, InputError, nearest
from gliomask.formats.archive import all_unpacked
from gliomask.formats.images import Image
from gliomask.inference.predictor import Predictor
from gliomask.jobs.control import SILENT, Control
from gliomask.results.prediction.origins import origins_of
from gliomask.results.prediction.prediction import Prediction, prediction_of
from gliomask.segmentation.segmenter import Segmenter
from gliomask.studies.find import survey
from gliomask.studies.loose_files import of_volumes

Array = np.ndarray[Any, np.dtype[Any]]
Loaded = tuple[Array, Affine] | nib.filebasedimages.FileBasedImage
"""An image in memory: (array (I, J, K), affine (4, 4) voxel to RAS+ mm), or nibabel's."""
Images = str | Path | Loaded | Mapping[str, str | Path] | Mapping[str, Loaded]


def predict(
    images: Images,
    model: str | Path | Predictor | None = None,
    *,
    sequence: str | None = None,
    series: Mapping[str, str] | None = None,
    threshold: float | None = None,
    clean_up: bool = True,
    reference: Sequence | None = None,
    align: bool = True,
    n4: bool = False,
    uncertainty: bool = True,
    maps: bool = True,
    device: Device = "auto",
    engine: EngineName = "auto",
    case: str = "case",
    control: Control = SILENT,
) -> Prediction:
    """Predicts the tumour mask of one examination; the same as the command, by the same defaults.

    Args:
        images: a path (NIfTI file, folder, DICOM folder or zip) that holds one examination; or
            one image in memory: an array (I, J, K) of any real type with its affine (4, 4), voxel
            to RAS+ mm, or a nibabel image of three dimensions; or sequence name (``t1``,
            ``t1ce``, ``t2``, ``flair``) -> path or image in memory.
        model: a run folder, the name of a model that comes with gliomask, or a predictor that is
            loaded already (for many examinations); ``u2netp-glioma`` if it is not given.
        sequence: of a single file or image, where its name (for nibabel's: of its file) does not
            tell it.
        series: sequence name -> number, UID or description of the DICOM series to take for it.
        threshold: probability from which a voxel is tumour; the model's own if it is not given.
        clean_up: remove fragments separate from the main tumour, if the model's card says so.
        reference: the sequence whose grid the others are resampled to; the first of FLAIR, T2,
            T1ce and T1 that the model uses if it is not given.
        align: register and resample sequences on other grids to the reference; otherwise they are
            refused.
        n4: apply N4 bias-field correction to each sequence.
        uncertainty: estimate uncertainty, for intervals and the reliability flag; takes about
            twice the time.
        maps: keep the probabilities and, with ``uncertainty``, the disagreement; without them the
            prediction takes less memory.
        device: to compute on, if the model is not loaded yet.
        engine: library that runs the network, likewise; ``auto`` takes the fastest.
        case: id of images in memory.
        control: progress, and a stop on request.

    Returns:
        The prediction: its mask on the input's own grid, volumes, intervals, flag, notes. It shows
        itself in a notebook, and has ``plot()`` and ``save(folder)``.

    Raises:
        InputError: no examination, or several; an unknown sequence.
        ConfigError: an option that is not allowed.
        CaseError: images that can't be used: another number of dimensions, NaN, constant, on
            different grids, sequences that the model needs.
        ModelError, MachineError: see ``load_predictor``.
    """
    images = _by_sequence(images, sequence)
    keys: dict[str, Any] = {
        "out": Path(),
        "series": series or {},
        "threshold": threshold,
        "clean_up": clean_up,
        "reference": reference,
        "align": align,
        "n4": n4,
        "uncertainty": uncertainty,
        "device": device,
        "engine": engine,
    }
    loaded = model if isinstance(model, Predictor) else None
    if not isinstance(model, Predictor):
        keys["model"] = model
    segmenter = Segmenter(build(PredictOptions, keys, "predict", typed=True), loaded)
    if isinstance(images, Mapping) and not _are_paths(images):
        return _of_arrays(segmenter, images, case, control, maps=maps)  # type: ignore[arg-type]
    return _of_files(segmenter, images, control, maps=maps)  # type: ignore[arg-type]


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


def _are_paths(images: Mapping[str, Any]) -> bool:
    return all(isinstance(image, str | Path) for image in images.values())


def _of_files(
    segmenter: Segmenter,
    images: str | Path | Mapping[str, str | Path],
    control: Control,
    *,
    maps: bool,
) -> Prediction:
    given = {n: Path(p) for n, p in images.items()} if isinstance(images, Mapping) else {}
    inputs = () if isinstance(images, Mapping) else (Path(images),)
    with ExitStack() as stack:
        places = stack.enter_context(all_unpacked(inputs))
        cases, problems = survey(places, given, segmenter.options.series)
        if len(cases) != 1:
            names = ", ".join(one.id for one in cases[:5]) or "none"
            reasons = "; ".join(problem.reason for problem in problems[:3])
            raise InputError(
                f"{len(cases)} examinations where one is due ({names}) {reasons}".rstrip(),
                path=None if isinstance(images, Mapping) else images,
                hint="for several use predict_files" if cases else None,
            )
        one = segmenter.needed(cases[0])
        archives = {p: str(path) for p, path in zip(places, inputs, strict=True) if p != path}
        outcome = segmenter.predict(one, control, maps=maps)
        result, origins = segmenter.fingerprint(one), origins_of(one, archives)
        found = prediction_of(replace(outcome, result=result, origins=origins))
        # DICOM objects are written with the headers of the images: an archive stays unpacked.
        finalize(found, stack.pop_all().close)
    return found


def _of_arrays(
    segmenter: Segmenter,
    images: Mapping[str, Loaded],
    case: str,
    control: Control,
    *,
    maps: bool,
) -> Prediction:
    for name in images:
        _check_name(name)
    named = {name: ImageFile((Path(name),)) for name in SEQUENCES if name in images}
    one = segmenter.needed(Case(case, case, named))
    used = {name: _image(name, images[name]) for name in one.images}
    outcome = segmenter.predict(one, control, images=used, maps=maps)
    return prediction_of(replace(outcome, result=segmenter.fingerprint(one, used)))


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

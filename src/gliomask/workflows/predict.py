"""``predict``: masks of examinations, in a folder or, from Python, in memory."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from gliomask.config.base import build
from gliomask.config.choices import Device, EngineName
from gliomask.config.predict import PredictOptions as PredictOptions
from gliomask.config.segment import Sequence
from gliomask.inference.predictor import Predictor
from gliomask.jobs.control import SILENT, Control
from gliomask.results.prediction.prediction import Prediction
from gliomask.results.prediction.summary import PredictResult
from gliomask.segmentation.folder import PredictionFolder
from gliomask.segmentation.one_case import predict_images, predict_paths
from gliomask.segmentation.segmenter import Segmenter
from gliomask.studies.in_memory import Images, by_sequence, in_files


def predict_files(options: PredictOptions, control: Control = SILENT) -> PredictResult:
    """Segment examinations, and write the files of each and a table of all.

    The files of a case are written atomically. An unusable case does not stop the others. Results
    of an earlier run for the same images, model and options are not computed again.

    Raises:
        InputError: the inputs, see ``studies.find``; or the only examination can't be used.
        FormatError: an archive that breaks the rules.
        ModelError: the model.
        CasesError: none of several cases is usable. BatchError: some cases failed; they are listed,
            here and in ``cases.csv``; its ``result`` is the result of the others. MachineError: the
            device does not exist, or has too little memory.
    """
    return PredictionFolder(options).run(options.inputs, control)


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
    """Predict the tumour mask of an examination, like the command, with the same defaults.

    Args:
        images: a path (NIfTI file, folder, DICOM folder or zip) of one examination; or
            one image in memory: an array (I, J, K) of any real type with its affine (4, 4), voxel
            to RAS+ mm, or a nibabel image of three dimensions; or sequence name (``t1``,
            ``t1ce``, ``t2``, ``flair``) -> path or image in memory.
        model: a run folder, the name of an included or added model, or a predictor that is
            loaded already (for many examinations); default: ``u2netp-glioma``.
        sequence: sequence of a single file or image, if its name (for nibabel: the name of its
            file) does not contain it.
        series: sequence name -> number, UID or description of the DICOM series to use.
        threshold: probability threshold for tumour; default: the model's own.
        clean_up: remove fragments separate from the main tumour, by the rule in the model's card.
        reference: the sequence whose grid the others are resampled to; the first of FLAIR, T2,
            T1ce and T1 that the model uses if it is not given.
        align: register and resample sequences on other grids to the reference; otherwise they are
            refused.
        n4: apply N4 bias-field correction to each sequence.
        uncertainty: estimate uncertainty, for intervals and the reliability flag.
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
    loaded = model if isinstance(model, Predictor) else None
    keys = {
        "out": Path(),
        "model": None if loaded else model,
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
    by_name = by_sequence(images, sequence)
    segmenter = Segmenter(build(PredictOptions, keys, "predict", typed=True), loaded)
    if in_files(by_name):
        return predict_paths(segmenter, by_name, control, maps=maps)
    return predict_images(segmenter, by_name, case, control, maps=maps)

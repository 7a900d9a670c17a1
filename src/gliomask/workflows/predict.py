"""``predict``: masks for examinations that nobody has drawn a tumour in."""

from __future__ import annotations

from gliomask.config.predict import PredictOptions as PredictOptions
from gliomask.jobs.control import SILENT, Control
from gliomask.results.prediction.summary import PredictResult
from gliomask.segmentation.folder import PredictionFolder


def predict_files(options: PredictOptions, control: Control = SILENT) -> PredictResult:
    """Segments examinations and writes for each its files, and a table of all.

    The files of a case appear together when all of them are whole. A case that can't be used does
    not stop the others. What an earlier run has written for the same images, model and options is
    not done again.

    Raises:
        InputError: the inputs, see ``datasets.study``; or the only examination can't be used.
        FormatError: an archive that breaks the rules.
        ModelError: the model.
        CasesError: none of several could be used.
        BatchError: some could not; they are listed, here and in ``cases.csv``; its ``result`` is
            what is returned where all could.
        MachineError: the device is not there, or too small.
    """
    return PredictionFolder(options).run(options.inputs, control)

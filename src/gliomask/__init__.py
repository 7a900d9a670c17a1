"""gliomask: brain-tumour segmentation in MRI with U²-Net. For research use only.

The names below are loaded on first use, so ``import gliomask`` is fast: it imports neither torch
nor any file format.

What keeps libraries from sending usage data and from writing to stderr is set here, before any of
them is loaded (MONAI and nilearn load matplotlib, too).
"""

from __future__ import annotations

import logging
import os
import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gliomask.config import Recipe, load_recipe
    from gliomask.core.case import Case
    from gliomask.core.slices import SliceStack, to_slices
    from gliomask.core.volume import Volume
    from gliomask.datasets.find import find_cases
    from gliomask.datasets.load import load_case
    from gliomask.errors import GliomaskError
    from gliomask.inference.predictor import Predictor, load_predictor
    from gliomask.jobs.control import Control
    from gliomask.nets.authors import load_authors_weights
    from gliomask.nets.u2net import build_model
    from gliomask.nets.weights import load_model
    from gliomask.results.prediction.prediction import Prediction
    from gliomask.store.store import Store, open_store
    from gliomask.workflows.batch import BatchOptions, batch
    from gliomask.workflows.calibrate import CalibrateOptions, calibrate
    from gliomask.workflows.compare import CompareOptions, compare_evaluations
    from gliomask.workflows.demo import DemoOptions, demo
    from gliomask.workflows.evaluate import EvaluateOptions, evaluate
    from gliomask.workflows.export import ExportOptions, export
    from gliomask.workflows.follow import FollowOptions, follow
    from gliomask.workflows.inspect import InspectOptions, inspect
    from gliomask.workflows.predict import PredictOptions, predict, predict_files
    from gliomask.workflows.prepare import PrepareOptions, prepare
    from gliomask.workflows.score import ScoreOptions, score
    from gliomask.workflows.train import TrainOptions, train

_HOME = {
    "gliomask.config": ("Recipe", "load_recipe"),
    "gliomask.core.case": ("Case",),
    "gliomask.core.slices": ("SliceStack", "to_slices"),
    "gliomask.core.volume": ("Volume",),
    "gliomask.datasets.find": ("find_cases",),
    "gliomask.datasets.load": ("load_case",),
    "gliomask.errors": ("GliomaskError",),
    "gliomask.inference.predictor": ("Predictor", "load_predictor"),
    "gliomask.jobs.control": ("Control",),
    "gliomask.nets.authors": ("load_authors_weights",),
    "gliomask.nets.u2net": ("build_model",),
    "gliomask.nets.weights": ("load_model",),
    "gliomask.results.prediction.prediction": ("Prediction",),
    "gliomask.store.store": ("Store", "open_store"),
    "gliomask.workflows.batch": ("BatchOptions", "batch"),
    "gliomask.workflows.calibrate": ("CalibrateOptions", "calibrate"),
    "gliomask.workflows.compare": ("CompareOptions", "compare_evaluations"),
    "gliomask.workflows.demo": ("DemoOptions", "demo"),
    "gliomask.workflows.evaluate": ("EvaluateOptions", "evaluate"),
    "gliomask.workflows.export": ("ExportOptions", "export"),
    "gliomask.workflows.follow": ("FollowOptions", "follow"),
    "gliomask.workflows.inspect": ("InspectOptions", "inspect"),
    "gliomask.workflows.predict": ("PredictOptions", "predict", "predict_files"),
    "gliomask.workflows.prepare": ("PrepareOptions", "prepare"),
    "gliomask.workflows.score": ("ScoreOptions", "score"),
    "gliomask.workflows.train": ("TrainOptions", "train"),
}
# ONNX Runtime 1.32 sends usage data to its vendor from the moment it is imported.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
# OpenVINO sends an event and writes a number of the machine to ~/intel from the moment it is
# imported, by this package; without it, it uses its own empty substitute.
sys.modules["openvino_telemetry"] = None  # type: ignore[assignment]
# Matplotlib warns if its cache can't be written (a read-only home folder) and uses a temporary one.
logging.getLogger("matplotlib").setLevel(logging.ERROR)

_MODULE_OF = {name: module for module, names in _HOME.items() for name in names}

__all__ = [
    "BatchOptions",
    "CalibrateOptions",
    "Case",
    "CompareOptions",
    "Control",
    "DemoOptions",
    "EvaluateOptions",
    "ExportOptions",
    "FollowOptions",
    "GliomaskError",
    "InspectOptions",
    "PredictOptions",
    "Prediction",
    "Predictor",
    "PrepareOptions",
    "Recipe",
    "ScoreOptions",
    "SliceStack",
    "Store",
    "TrainOptions",
    "Volume",
    "batch",
    "build_model",
    "calibrate",
    "compare_evaluations",
    "demo",
    "evaluate",
    "export",
    "find_cases",
    "follow",
    "inspect",
    "load_authors_weights",
    "load_case",
    "load_model",
    "load_predictor",
    "load_recipe",
    "open_store",
    "predict",
    "predict_files",
    "prepare",
    "score",
    "to_slices",
    "train",
]


def __getattr__(name: str) -> Any:
    if name == "__version__":
        return import_module("importlib.metadata").version("gliomask")
    if name not in _MODULE_OF:
        raise AttributeError(f"module 'gliomask' has no attribute {name!r}")
    try:
        return getattr(import_module(_MODULE_OF[name]), name)
    except ModuleNotFoundError as problem:
        from gliomask.core.extras import missing_package

        raise (missing_package(problem) or problem) from None


def __dir__() -> list[str]:
    return sorted([*globals(), *_MODULE_OF])

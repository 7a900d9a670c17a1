"""Files of an export: ``bundle.json`` for programs, ``README.md`` for users."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib import metadata, resources

from gliomask.core.prediction import RESEARCH_USE_ONLY
from gliomask.core.regions import region_numbers
from gliomask.export.whole import needs_slice_mm, takes_some
from gliomask.nets.cards import ModelCard
from gliomask.nets.onnx_bytes import OPSET

FORMAT_VERSION = 1
"""Of the folder."""
_FRAME = (
    "axial slices in the reading frame: slices from feet to head, rows from front to back, "
    "columns from the patient's right to left"
)
_ONNX = (
    "import os\n",
    'os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")  # no usage data is sent\n'
    "import onnxruntime",
    'onnxruntime.InferenceSession(here / "model.onnx").run(None, inputs)',
)
_OPENVINO = (
    "",
    'sys.modules["openvino_telemetry"] = None  # no usage data is sent\nimport openvino',
    'openvino.compile_model(here / "model.xml", "CPU", {"INFERENCE_PRECISION_HINT": "f32"})'
    "(inputs).values()",
)
"""The lines of the runner that differ."""


@dataclass(frozen=True)
class ExportFacts:
    """Facts about an export.

    Attributes:
        card: of the model.
        sha256: file name -> checksum, of the files of the graph.
        openvino: the graph is OpenVINO's.
    """

    card: ModelCard
    sha256: Mapping[str, str]
    openvino: bool = False

    @property
    def takes(self) -> str:
        """Required sequences, as text."""
        names = ", ".join(self.card.sequences)
        return f"any of {names}" if takes_some(self.card) else f"all of {names}"


def bundle_json(facts: ExportFacts) -> str:
    """The facts of a bundle as indented JSON; the same for the same model."""
    card, some = facts.card, takes_some(facts.card)
    numbers = region_numbers(card.regions)
    plain = {
        "format_version": FORMAT_VERSION,
        "notice": RESEARCH_USE_ONLY,
        "name": card.name,
        "licence": card.licence,
        "made_by": f"gliomask {metadata.version('gliomask')}",
        "kind": "openvino" if facts.openvino else "onnx",
        "opset": OPSET,
        "sha256": dict(facts.sha256),
        "sequences": list(card.sequences),
        "some_suffice": some,
        "takes": facts.takes,
        "regions": list(card.regions),
        "labels": {region: numbers[region] for region in card.regions},
        "threshold": card.threshold,
        "clean_up": card.clean_up.model_dump() if card.clean_up else None,
        "planes": ["axial"],
        "inputs": _inputs(card),
        "outputs": _outputs(),
    }
    return json.dumps(plain, indent=2, ensure_ascii=False) + "\n"


def runner(facts: ExportFacts) -> str:
    """The program ``run.py``."""
    text = resources.files(__package__).joinpath("runner.py").read_text(encoding="utf-8")
    return edited(text, zip(_ONNX, _OPENVINO, strict=True)) if facts.openvino else text


def edited(text: str, changes: Iterable[tuple[str, str]]) -> str:
    """A program with parts of it replaced.

    Args:
        text: of the program.
        changes: each part and its replacement, in order; a part occurs exactly once.

    Raises:
        ValueError: a part does not occur, or more than once: the program has changed.
    """
    for part, replacement in changes:
        if (count := text.count(part)) != 1:
            raise ValueError(f"{part!r} occurs {count} times in the program instead of once")
        text = text.replace(part, replacement)
    return text


def readme(facts: ExportFacts) -> str:
    """``README.md``: what this is, how to use it, its frame, its licence."""
    card = facts.card
    numbers = region_numbers(card.regions)
    return _README.format(
        notice=RESEARCH_USE_ONLY,
        name=card.name,
        files=", ".join(f"`{name}`" for name in facts.sha256),
        package=" ".join(_packages(facts)),
        regions=", ".join(card.regions),
        takes=facts.takes,
        order=", ".join(card.sequences),
        first=card.sequences[0],
        frame=_FRAME,
        labels=", ".join(f"{numbers[region]} {region}" for region in card.regions),
        threshold=f"{card.threshold:g}",
        clean_up=_CLEAN_UP if card.clean_up else "",
        planes=_AXIAL_ONLY if len(card.planes) > 1 else "",
        trained_on=card.trained_on,
        licence=card.licence,
    )


def _packages(facts: ExportFacts) -> list[str]:
    runtime = "openvino" if facts.openvino else "onnxruntime"
    return [runtime, "numpy", *(["scipy"] if facts.card.clean_up else [])]


def _inputs(card: ModelCard) -> dict[str, object]:
    inputs: dict[str, object] = {
        "images": {
            "shape": ["C", "S", "H", "W"],
            "dtype": "float32",
            "meaning": f"intensities as they are, finite, the sequences in order; {_FRAME}",
        },
        "pixel_mm": {
            "shape": [2],
            "dtype": "float32",
            "meaning": "distance of rows, of columns, in mm; 1 and 1 where it is not known",
        },
    }
    if needs_slice_mm(card):
        meaning = "distance between slices in mm; 0 where it is not known"
        inputs["slice_mm"] = {"shape": [1], "dtype": "float32", "meaning": meaning}
    if takes_some(card):
        meaning = "which sequences are there; any finite numbers may stand for the others"
        inputs["present"] = {"shape": ["C"], "dtype": "bool", "meaning": meaning}
    return inputs


def _outputs() -> dict[str, object]:
    return {
        "probability": {
            "shape": ["R", "S", "H", "W"],
            "dtype": "float32",
            "meaning": "of each region, in [0, 1]; 0 outside the crop to the head",
        },
        "mask": {
            "shape": ["S", "H", "W"],
            "dtype": "uint8",
            "meaning": "0 or the label of the innermost region at the threshold; fragments, "
            "see clean_up, are for the caller to remove",
        },
        "contrast": {
            "shape": ["C"],
            "dtype": "bool",
            "meaning": "false where an image is constant: then use nothing of what comes out",
        },
    }


_CLEAN_UP = """
Small fragments separate from the main tumour (`clean_up` in `bundle.json`) are removed by `run.py`,
not by the graph."""
_AXIAL_ONLY = """
`gliomask predict` also segments slices of other planes in skull-stripped brains with small voxels;
this graph segments axial ones alone, so masks of such images differ a little."""
_README = """\
# {name}

{notice}. No medical device; no decision about a patient may rest on it.

{files} contains a network that marks brain tumours in MRI ({regions}) together with all steps
around it: normalisation, the crop to the head, scaling to the network's grid and back, the
threshold ({threshold}).{clean_up}
`bundle.json` names every input and output, `card.json` says what the network was trained on and how
well it did.

    pip install {package}
    python run.py images.npy --pixel-mm 0.9 0.9 --slice-mm 5 --out result
    python run.py {first}={first}.npy ... --pixel-mm 0.9 0.9 --slice-mm 5 --out result

`images.npy` is (C, S, H, W): {order}, in this order. With a file for each sequence the order does
not matter. The model takes {takes}. The numbers are the scanner's, co-registered, on one grid:
{frame}. With nibabel:

    image = nibabel.as_closest_canonical(nibabel.load("{first}.nii.gz"))
    array = image.get_fdata().transpose(2, 1, 0)[:, ::-1, ::-1]
    column_mm, row_mm, slice_mm = image.header.get_zooms()

and back: `mask[:, ::-1, ::-1].transpose(2, 1, 0)` on `image.affine`.

`result/mask.npy` is (S, H, W): 0 background, {labels}. `result/probability.npy` is (R, S, H, W).
The crop to the head uses only the given sequences, as `gliomask predict`
does with an examination of just those. Intervals, flags and DICOM are only there.{planes}

Trained on: {trained_on}
Licence: {licence}
"""

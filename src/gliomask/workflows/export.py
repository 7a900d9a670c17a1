"""``export``: a model as a folder that runs without this package.

The graph takes the scanner's numbers and gives the mask; a short program beside it needs a runtime
and numpy. The same model gives the same bytes.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gliomask.config.export import ExportOptions as ExportOptions
from gliomask.core.atomic import atomic_folder
from gliomask.errors import ConfigError, MachineError, option
from gliomask.export.bundle_files import ExportFacts, bundle_json, readme, runner
from gliomask.export.whole import network_of, whole_graph
from gliomask.inference.predictor import check_usable
from gliomask.jobs.control import SILENT, Control
from gliomask.nets.arrays import read_arrays
from gliomask.nets.cards import CARD_FILE
from gliomask.nets.licence_notice import announce_licence

BUNDLE_FILE = "bundle.json"
_COUNTED = re.compile(r'name="(\w+)_\d+"')
"""A name that OpenVINO gave to a node; those of our graph hold a slash."""


@dataclass(frozen=True)
class ExportResult:
    """Result of ``export``.

    Attributes:
        out: the folder.
        model: its name.
        sha256: file name -> checksum, of the files that hold the graph.
    """

    out: Path
    model: str
    sha256: Mapping[str, str]


def export(options: ExportOptions, control: Control = SILENT) -> ExportResult:
    """Writes a model's bundle: graph, card, ``bundle.json``, ``run.py`` and ``README.md``.

    The folder appears whole or not at all.

    Raises:
        ConfigError: there is something at its place.
        ModelError: the model; see ``nets.arrays.read_arrays`` and ``check_usable``.
        MachineError: ``openvino`` was requested and is not installed.
    """
    if options.out.exists() or options.out.is_symlink():
        what = "the output folder exists already"
        raise ConfigError(
            what,
            path=options.out,
            hint=f"choose a folder that does not exist yet by {option('out')}",
        )
    openvino = _load_openvino() if options.to == "openvino" else None
    control.start(3, "exporting")
    arrays, card = read_arrays(options.model)
    check_usable(card)
    announce_licence(options.model, card)
    control.advance(note="weights")
    graph = whole_graph(card, network_of(arrays, card)).SerializeToString(deterministic=True)
    control.advance(note="graph")
    with atomic_folder(options.out) as folder:
        if openvino is None:
            (folder / "model.onnx").write_bytes(graph)
        else:
            _save_openvino(openvino, graph, folder / "model.xml")
        control.advance(note="written")
        facts = ExportFacts(card, _checksums(folder), openvino=openvino is not None)
        # The card as it is, not as this version would write it.
        (folder / CARD_FILE).write_bytes((options.model / CARD_FILE).read_bytes())
        texts = {
            BUNDLE_FILE: bundle_json(facts),
            "run.py": runner(facts),
            "README.md": readme(facts),
        }
        for name, text in texts.items():
            (folder / name).write_text(text, encoding="utf-8")
    return ExportResult(options.out, card.name, facts.sha256)


def _checksums(folder: Path) -> dict[str, str]:
    files = sorted(folder.iterdir())
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


def _load_openvino() -> Any:
    try:
        import openvino
    except ImportError:
        what = "an export to OpenVINO needs openvino, which is not installed"
        raise MachineError(what, hint='pip install "gliomask[openvino]"') from None
    return openvino


def _save_openvino(openvino: Any, graph: bytes, path: Path) -> None:
    """Weights stay float32: half of their digits would change masks.

    OpenVINO names nodes by a count that goes on through a process; here it starts anew, so that
    the same model gives the same file.
    """
    openvino.save_model(openvino.Core().read_model(graph), path, compress_to_fp16=False)
    counted: dict[str, str] = {}
    text = path.read_text(encoding="utf-8")
    path.write_text(_COUNTED.sub(lambda name: _renamed(name, counted), text), encoding="utf-8")


def _renamed(name: re.Match[str], counted: dict[str, str]) -> str:
    return counted.setdefault(name[0], f'name="{name[1]}_{len(counted)}"')

"""``models import``: weights of another program as a model folder."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pydantic import JsonValue

from gliomask.config.import_model import ImportOptions as ImportOptions
from gliomask.core.atomic import atomic_folder
from gliomask.core.identity import safe_name
from gliomask.core.output_folder import check_absent
from gliomask.core.prediction import RESEARCH_USE_ONLY
from gliomask.core.slices import VERSION
from gliomask.errors import ConfigError, QuestionError
from gliomask.jobs.control import SILENT, Control
from gliomask.nets.arrays import save_arrays
from gliomask.nets.cards import ModelCard
from gliomask.nets.foreign.read import read_foreign
from gliomask.nets.foreign.weights import ForeignWeights

_USUAL_SEQUENCES: Final = {
    1: (("flair", "one channel of FLAIR"), ("t2", "one channel of T2")),
    2: (("t1ce,t2", "post-contrast T1, then T2"), ("t1,t2", "T1, then T2")),
    3: (("t1,flair,t1ce", "as the LGG set of Buda et al."),),
    4: (("t1,t1ce,t2,flair", "as BraTS lists them"),),
}
_USUAL_REGIONS: Final = {
    1: (("whole", "all of the tumour"), ("core", "without edema"), ("enhancing", "what enhances")),
    3: (("whole,core,enhancing", "the regions of BraTS"),),
}
_SIZES: Final = (("320", "U²-Net's own"), ("256", "that of the LGG set"), ("128", "the half of it"))


@dataclass(frozen=True)
class ImportResult:
    """Result of ``models import``.

    Attributes:
        out: the model folder.
        name: of the model.
        network: network of the weights.
        sequences, regions, size: see ``ModelCard``.
        norm_epsilon: of its batch norms.
        layout: format of the file.
        evidence: method of matching its layers.
        notes: notes for users.
    """

    out: Path
    name: str
    network: str
    sequences: tuple[str, ...]
    regions: tuple[str, ...]
    size: int
    norm_epsilon: float
    layout: str
    evidence: str
    notes: tuple[str, ...]


def import_model(options: ImportOptions, control: Control = SILENT) -> ImportResult:
    """Create a model folder from weights of another program.

    Raises:
        ConfigError: there is something at its place, or an option does not fit the file.
        QuestionError: the file lacks information that an option can state. ModelError: the file
            can't be read or contains no U²-Net.
        PackageError, MachineError: a package that reads the file is not installed.
        StoppedError: a stop was requested; nothing was written.
    """
    check_absent(options.out)
    weights = read_foreign(options.file, options.sides)
    notes = _notes(options, weights)
    card = _card(options, weights, notes)
    control.check()
    with atomic_folder(options.out, replace=False) as folder:
        save_arrays(folder, weights.arrays, card)
    return ImportResult(
        out=options.out,
        name=card.name,
        network=card.network,
        sequences=card.sequences,
        regions=card.regions,
        size=card.size,
        norm_epsilon=card.norm_epsilon,
        layout=weights.layout,
        evidence=weights.evidence,
        notes=notes,
    )


def _card(options: ImportOptions, weights: ForeignWeights, notes: Sequence[str]) -> ModelCard:
    kind = weights.kind
    sequences = _sequences(options, kind.in_channels)
    regions = _names(options.file, "regions", options.regions, kind.regions, _USUAL_REGIONS)
    digest = hashlib.sha256(options.file.read_bytes()).hexdigest()
    source: dict[str, JsonValue] = {
        "file": safe_name(options.file.name),
        "sha256": digest,
        "layout": weights.layout,
        "layers": weights.evidence,
    }
    return ModelCard(
        name=safe_name(options.file.name.partition(".")[0]).lstrip("_")[:64] or "model",
        network=kind.spec.name,
        in_channels=kind.in_channels,
        norm_epsilon=weights.epsilon,
        regions=regions,
        sequences=sequences,
        input_mode="each" if len(sequences) > kind.in_channels else "stacked",
        size=_size(options, weights),
        preprocess={"version": VERSION, "of_training": "not known"},
        synthetic=False,
        trained_on=options.trained_on or "not known: the weights were imported",
        licence=options.licence or "unknown: ask the authors of the weights",
        recipe={"imported": source},
        notes="\n".join((RESEARCH_USE_ONLY, *notes)),
    )


def _sequences(options: ImportOptions, channels: int) -> tuple[str, ...]:
    """Sequences of the channels; a single channel may be used for several sequences."""
    if channels == 1 and options.sequences and len(options.sequences) > 1:
        return options.sequences
    return _names(options.file, "sequences", options.sequences, channels, _USUAL_SEQUENCES)


def _names(
    file: Path,
    option: str,
    names: tuple[str, ...] | None,
    due: int,
    usual: dict[int, tuple[tuple[str, str], ...]],
) -> tuple[str, ...]:
    """Given names, one for each channel; otherwise raises the question."""
    what = "inputs" if option == "sequences" else "outputs"
    if names is None:
        answers = usual.get(due) or ((",".join("?" * due), f"{due} names, in order"),)
        raise QuestionError(
            f"the weights have {due} {what}, whose meaning is not stored",
            option=option,
            answers=answers,
            path=file,
        )
    if len(names) != due:
        raise ConfigError(
            f"the weights have another number of {what}",
            path=file,
            field=option,
            found=",".join(names),
            allowed=f"{due} names",
        )
    return names


def _size(options: ImportOptions, weights: ForeignWeights) -> int:
    """Side of the input: from the file, or the given one."""
    if options.size is not None and weights.size not in (None, options.size):
        raise ConfigError(
            "the model in the file has another input",
            path=options.file,
            field="size",
            found=options.size,
            allowed=str(weights.size),
        )
    size = options.size or weights.size
    if size is None:
        raise QuestionError(
            "the file does not define the input size",
            option="size",
            answers=_SIZES,
            path=options.file,
        )
    return size


def _notes(options: ImportOptions, weights: ForeignWeights) -> tuple[str, ...]:
    unproved = (
        f"the match of its layers is not verified ({weights.evidence}): look at masks of "
        "known cases first"
    )
    return (
        *(() if weights.proved else (unproved,)),
        "how its inputs were scaled in its training is not in the file; here they are z-scored "
        "over the head, as in gliomask's own trainings: evaluate it before use",
        *(() if options.licence else ("the licence of the weights is not known",)),
    )

"""Fingerprint of a result: equal fingerprints, equal masks."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping

from gliomask.config.predict import PredictOptions
from gliomask.core.case import Case
from gliomask.core.file_digest import file_digest
from gliomask.formats.images import Image
from gliomask.formats.volumes import files_of
from gliomask.nets.cards import ModelCard
from gliomask.provenance.record import software

_NOT_OF_THE_RESULT = {
    *("inputs", "out", "model", "sequences", "series", "again", "write"),
    *("limit_memory", "bids"),
}


def result_fingerprint(
    case: Case,
    options: PredictOptions,
    card: ModelCard,
    images: Mapping[str, Image] | None = None,
) -> str:
    """SHA-256 of all that a result depends on: images, model, options, versions.

    Args:
        case: of needed images.
        options: options of the prediction; card: of the model.
        images: of the case, where they are in memory; otherwise its files are read.

    Raises:
        CaseError: a file can't be read.
    """
    rules = {
        "options": options.plain(_NOT_OF_THE_RESULT),
        "card": card.model_dump(mode="json"),
        "case": [case.id, case.patient, *case.notes],
        "images": {
            name: [image.channel, *(path.name for path in image.paths)]
            for name, image in case.images.items()
        },
        "software": software(),
    }
    digest = hashlib.sha256(json.dumps(rules, sort_keys=True).encode())
    if images is None:
        paths = (path for image in case.images.values() for path in image.paths)
        for path in dict.fromkeys(piece for image in paths for piece in files_of(image)):
            digest.update(file_digest(path))
    else:
        for image in images.values():
            digest.update(f"{image.array.shape}".encode())
            digest.update(image.array.tobytes())
            digest.update(image.affine.tobytes())
    return digest.hexdigest()


def files_fingerprint(result: str, write: Iterable[str]) -> str:
    """SHA-256 of a result's fingerprint and the kinds of files that are written of it."""
    return hashlib.sha256(f"{result}{sorted(write)}".encode()).hexdigest()

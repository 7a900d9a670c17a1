"""Case page: a prediction as one self-contained HTML file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from types import MappingProxyType

from gliomask.core.atomic import write_text
from gliomask.core.geometry import axis_codes, spacing_mm
from gliomask.core.prediction import LEVEL, Prediction
from gliomask.core.regions import REGIONS
from gliomask.core.reliability import Reliability, unstated
from gliomask.core.volume import Volume
from gliomask.jobs.control import SILENT, Control
from gliomask.report.case.viewer import sequence_name, viewer_data
from gliomask.report.package_files import NIIVUE, NIIVUE_VERSION, package_text
from gliomask.report.page import Assets, data_uri, embedded, render
from gliomask.report.preview import draw_preview

_NAMES = {"licence": "licence of the model", "weights_sha256": "SHA-256 of the weights"}
_EMPTY = "empty_mask_reasons"
"""Code of the reason that is the text of an empty mask."""
_LICENCES = ("vendor/niivue/LICENSE", "vendor/niivue/THIRD-PARTY.txt")
_SCRIPTS = (NIIVUE, "static/case_mask.js", "static/case_viewer.js")


@dataclass(frozen=True)
class PageTable:
    """A small table of the page.

    Attributes:
        title: above it.
        rows: each as long as ``columns``.
        columns: their names; none for a list of names and values.
        note: below it.
    """

    title: str
    rows: Sequence[Sequence[object]]
    columns: tuple[str, ...] = ()
    note: str = ""


@dataclass(frozen=True, eq=False)
class CasePage:
    """Content of a case page.

    Attributes:
        prediction: of ``volume``.
        volume: the examination, at least the sequences used.
        audit: audit of the input.
        timings: step -> seconds.
        provenance: besides the prediction's own: software, command.
        still: PNG to show where the viewer can't run, and on paper; drawn when None.
    """

    prediction: Prediction
    volume: Volume
    audit: tuple[PageTable, ...] = ()
    timings: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    provenance: Mapping[str, object] = field(default_factory=lambda: MappingProxyType({}))
    still: bytes | None = None


def write_case_page(path: Path, page: CasePage, control: Control = SILENT) -> Path:
    """Write the page atomically.

    It contains everything that it shows and makes no network requests. It contains the images,
    cropped to the head and with 8 bits, so it is as confidential as they are.

    Args:
        path: the file, ``.html``; its folder is made if it is missing.
        page: content of the page.
        control: a stop ends it between two layers.

    Returns:
        ``path``.

    Raises:
        ValueError: the mask or a map is not on the grid of the volume.
    """
    _check(page)
    write_text(path, _rendered(page, control))
    return path


def _rendered(page: CasePage, control: Control) -> str:
    view = viewer_data(page.prediction, page.volume, control)
    context = {
        "case": page.prediction.case,
        "prediction": page.prediction,
        "verdict": _verdict(page),
        "regions": _regions(page),
        "facts": _facts(page),
        "doubt": _doubt(page.prediction.reliability),
        "checks": page.prediction.reliability and _checks(page.prediction.reliability),
        "notes": _notes(page.prediction),
        "level": f"{LEVEL:.0%}",
        "page": page,
        "provenance": _origin(page),
        "still": data_uri(page.still or _still(page)),
        "blobs": view.blobs,
        "view": view.settings,
        "settings": embedded(view.settings),
        "niivue": NIIVUE_VERSION,
        "licences": list(map(package_text, _LICENCES)),
    }
    assets = Assets(
        styles=(package_text("templates/case.css"),),
        scripts=tuple(map(package_text, _SCRIPTS)),
    )
    return render("case.html.j2", context, assets)


def _check(page: CasePage) -> None:
    shape = page.volume.shape
    arrays: dict[str, tuple[int, ...]] = {"mask": page.prediction.mask.shape}
    maps = {
        "probabilities": page.prediction.probability_maps,
        "disagreement": page.prediction.disagreement_maps,
    }
    arrays |= {name: layer.shape[1:] for name, layer in maps.items() if layer is not None}
    for name, array_shape in arrays.items():
        if array_shape != shape:
            raise ValueError(f"{name} of shape {array_shape} for a volume of {shape}")


def _verdict(page: CasePage) -> dict[str, object]:
    prediction = page.prediction
    evidence = _evidence(prediction)
    if prediction.mask.any():
        return {"found": True, "title": "Tumour marked", "text": evidence}
    evidence = evidence or _highest_probability(prediction)
    lines = ("The mask is empty.", evidence, "This does not rule a tumour out.")
    text = " ".join(sentence for sentence in lines if sentence)
    return {"found": False, "title": "No tumour found", "text": text}


def _doubt(flag: Reliability | None) -> dict[str, object] | None:
    """Warning next to the result if the flag is not green: the level and its reasons."""
    if flag is None or flag.level == "green":
        return None
    titles = {"amber": "Review it before use.", "red": "Do not rely on this result."}
    reasons = [reason.text for reason in flag.reasons if reason.level == flag.level]
    return {"level": flag.level, "title": titles[flag.level], "reasons": reasons}


def _checks(flag: Reliability) -> list[str]:
    """The reasons that are not above the viewer; those of a green flag without their level."""
    reasons = [reason for reason in flag.reasons if reason.code != _EMPTY]
    if flag.level == "green":
        return [reason.text for reason in reasons] or ["no check found a problem"]
    others = [reason for reason in reasons if reason.level != flag.level]
    return [f"{reason.level}: {reason.text}" for reason in others]


def _notes(prediction: Prediction) -> tuple[str, ...]:
    """Notes on the result that the flag does not contain."""
    reasons = prediction.reliability.reasons if prediction.reliability else ()
    return unstated(prediction.notes, reasons)


def _evidence(prediction: Prediction) -> str:
    """Evidence for an empty mask, as one sentence."""
    reasons = prediction.reliability.reasons if prediction.reliability else ()
    return next((reason.text for reason in reasons if reason.code == _EMPTY), "")


def _highest_probability(prediction: Prediction) -> str:
    if prediction.probability_maps is None:
        return ""
    threshold = prediction.provenance.get("threshold")
    needed = f"; {threshold} was needed" if threshold is not None else ""
    return f"The highest probability anywhere is {prediction.probability_maps.max():.2f}{needed}."


def _regions(page: CasePage) -> list[dict[str, object]]:
    """A row of the table of sizes for each region."""
    prediction, volumes = page.prediction, page.prediction.volumes_ml
    rows: list[dict[str, object]] = []
    for name, voxels in prediction.voxels.items():
        interval = prediction.volumes_ml_90.get(name)
        rows.append(
            {
                "name": name,
                "title": REGIONS[name].title,
                "size": _number(voxels if volumes is None else volumes[name], volumes is not None),
                "unit": "voxels" if volumes is None else "ml",
                "voxels": f"{voxels:,}",
                "interval": interval and _between(interval),
            }
        )
    return rows


def _number(value: float, millilitres: bool) -> str:
    return f"{value:.1f}" if millilitres else f"{value:,.0f}"


def _between(ends: tuple[float, float]) -> str:
    low, high = (_number(ml, millilitres=True) for ml in ends)
    return f"{low} – {high}"


def _facts(page: CasePage) -> list[tuple[str, str]]:
    """Short description of the examination."""
    prediction = page.prediction
    facts = [
        ("Sequences used", ", ".join(map(sequence_name, prediction.used)) or "none"),
        ("Sequences missing", ", ".join(map(sequence_name, prediction.missing)) or "none"),
        ("Grid", " × ".join(map(str, page.volume.shape)) + " voxels"),
    ]
    if prediction.has_world:
        sizes = " × ".join(f"{size:.3g}" for size in spacing_mm(page.volume.affine))
        facts += [("Voxel size", f"{sizes} mm"), ("Axes", axis_codes(page.volume.affine))]
    else:
        facts.append(("Voxel size", "unknown: the images have no voxel size"))
    return facts


def _origin(page: CasePage) -> list[tuple[str, str]]:
    known = {**page.prediction.provenance, **page.provenance}
    return _flat({_NAMES.get(key, key): value for key, value in known.items()})


def _flat(values: Mapping[str, object], lead: str = "") -> list[tuple[str, str]]:
    """Nested names and values as rows."""
    rows: list[tuple[str, str]] = []
    for key, value in values.items():
        name = f"{lead}{key}".replace("_", " ")
        if isinstance(value, Mapping):
            rows += _flat(value, f"{name}: ")
        elif value is not None:
            multiple = isinstance(value, list | tuple)
            rows.append((name, ", ".join(map(str, value)) if multiple else str(value)))  # type: ignore[call-overload]
    return rows


def _still(page: CasePage) -> bytes:
    with TemporaryDirectory() as folder:
        return draw_preview(page.prediction, page.volume, Path(folder) / "still.png").read_bytes()

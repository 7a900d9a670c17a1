"""A synthetic, labelled cohort on disk, in any known layout.

It is marked as synthetic in names, in the headers of NIfTI files, and by a file at its root that
readers recognise.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from gliomask.core.atomic import atomic_folder, write_text
from gliomask.core.output_folder import check_empty
from gliomask.errors import ConfigError, nearest
from gliomask.jobs.control import SILENT, Control
from gliomask.phantom.layout import SyntheticPatient
from gliomask.phantom.options import DEFAULT, PatientOptions, check_range
from gliomask.phantom.patient import synthetic_patient
from gliomask.phantom.write_brats import WRITERS as BRATS
from gliomask.phantom.write_described import WRITERS as DESCRIBED
from gliomask.phantom.write_figshare import WRITERS as FIGSHARE
from gliomask.phantom.write_lgg import WRITERS as LGG

__all__ = ["LAYOUTS", "MARKER", "PatientOptions", "synthetic_patient", "write_cohort"]

LAYOUTS = {**LGG, **BRATS, **FIGSHARE, **DESCRIBED}
"""Name of a layout -> how it is written."""
MARKER = "SYNTHETIC"
"""Name of the file at a cohort's root that marks it as synthetic."""
_MOST_PATIENTS = 999

_NOTICE = """\
These images are synthetic. No patient was scanned.

They were made by gliomask's phantom: brains bent out of the MNI152 tissue maps in nilearn, with
synthetic tumours, heads and scanners. What is learned or measured on them says nothing
about patients.

layout: {layout}
patients: {patients}
seed: {seed}
options: {options}
"""


def write_cohort(
    folder: Path,
    layout: str,
    patients: int,
    seed: int,
    *,
    options: PatientOptions = DEFAULT,
    control: Control = SILENT,
) -> Path:
    """Writes a cohort. The same arguments give the same files.

    Args:
        folder: written atomically; it must not exist or be empty.
        layout: one of ``LAYOUTS``.
        patients: number of patients, 1 to 999. Patient n has the same brain, tumour and scanner in
            every layout, for any number of patients.
        seed: of the cohort, 0 or more.
        options: kind of scans; the layout determines whether there is a skull.
        control: receives the progress of each patient.

    Returns:
        ``folder``.

    Raises:
        ConfigError: an unknown layout or a value out of range.
        InputError: the folder is not empty.
    """
    writer = LAYOUTS.get(layout)
    if writer is None:
        hint = nearest(layout, LAYOUTS) or f"known: {', '.join(LAYOUTS)}"
        raise ConfigError("unknown layout", option="layout", found=layout, hint=hint)
    check_range("patients", patients, 1, _MOST_PATIENTS)
    check_range("seed", seed, 0, float("inf"))
    check_empty(folder)
    options = replace(options, skull=writer.skull)
    numbers = range(1, patients + 1)
    control.start(patients, "synthetic patients")
    with atomic_folder(folder) as temporary:
        notice = _NOTICE.format(layout=layout, patients=patients, seed=seed, options=options)
        write_text(temporary / MARKER, notice)
        for number in numbers:
            with control.part(f"patient {number}") as part:
                volume, labels = synthetic_patient(seed, options, number - 1, part)
                writer.patient(temporary, SyntheticPatient(number, volume, labels))
        writer.summary(temporary, numbers)
    return folder

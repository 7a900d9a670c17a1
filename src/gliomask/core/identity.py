"""Keys of patients and cases from the names of files, folders and rows.

A patient has the same key in all data sets. Different names have different safe file names, except
that a space and an underscore are the same. A name that follows no published convention is treated
as a separate patient.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Mapping
from datetime import date
from functools import lru_cache
from importlib.resources import files

_TCGA = re.compile(r"TCGA[-_]([A-Z0-9]{2})[-_]([A-Z0-9]{4})(?![A-Z0-9])", re.IGNORECASE)
_BIDS = re.compile(r"(?<![A-Za-z0-9])(?P<subject>sub-[A-Za-z0-9]+)(?![A-Za-z0-9])")
_SESSION = re.compile(r"(?<![A-Za-z0-9])(?P<session>ses-[A-Za-z0-9]+)(?![A-Za-z0-9])")
_BRATS_TO_2019 = re.compile(r"brats1[789]-(?P<centre>[a-z0-9]+)-(?P<id>[a-z0-9]+)-\d+", re.I)
_BRATS_2020 = re.compile(r"brats20-(?P<part>training|validation)-(?P<number>\d+)", re.I)
_BRATS_2021 = re.compile(r"(?:brats2021|fets202[12])-(?P<number>\d+)", re.I)
"""FeTS passed on the training set of BraTS 2021 with its numbers."""
_BRATS_REG = re.compile(r"bratsreg-(?P<number>\d+)(?:-0[01]-\d{4})?", re.I)
_BRATS_FROM_2023 = re.compile(r"brats-(?P<set>[a-z]+(?:-rt)?)-(?P<number>\d+)(?:-\d+)?", re.I)
_UPENN = re.compile(r"upenn-gbm-(?P<number>\d{5})(?:-\d{2})?", re.I)
_UCSF = re.compile(r"ucsf-pdgm-0*(?P<number>\d+)(?:-fu\d+d)?(?:-nifti)?", re.I)
_RHUH = re.compile(r"(?P<patient>RHUH-\d{4})-\d", re.I)
_UCSD = re.compile(r"(?P<patient>UCSD-PTGBM-\d{4})-\d{2}", re.I)
_DAY = r"(?:0[1-9]|1[0-2])(?P=mark)(?:0[1-9]|[12]\d|3[01])"
_DATE = rf"(?:199|20\d)\d(?P<mark>[-_.]?){_DAY}"
"""Date from 1990 on, which may be that of an examination; earlier ones are dates of birth, unless
they follow the number of a patient (data sets shift dates)."""
_TIME = r"(?:[01]\d|2[0-3])[0-5]\d[0-5]\d"
_DATED = re.compile(rf"(?<![A-Za-z0-9]){_DATE}(?:{_TIME})?(?![A-Za-z0-9])")
_FOLLOW_UP = re.compile(
    r"[-_. ](?:(?:ses|session|visit|time[-_ ]?point|time|follow[-_ ]?up|day|week|wk|month"
    r"|year)[-_. ]?\d{1,4}(?:[-_]\d)?|(?:tp|fu)[-_. ]?\d{1,2}(?:[-_]\d)?"
    r"|(?:ses|session)[-_ ][A-Za-z0-9]{1,12}"
    r"|baseline|follow[-_ ]?up|intra[-_ ]?op"
    r"|(?:pre|post)[-_ ]?(?:op|rt|treatment|therapy|surgery|chemo)"
    rf"|mr[-_. ]?\d{{1,2}}(?:[-_]\d)?|{_DATE}(?:{_TIME})?)$",
    re.IGNORECASE,
)
"""Suffix of a name that identifies the examination of a patient. If in doubt, it does: patients who
are joined by mistake are seen in the counts, and a patient in two parts of a split is not."""
_FOLLOW_UP_OF_NUMBER = re.compile(
    r"[-_. ](?:(?:tp|fu)[-_. ]?\d{3,4}(?:[-_]\d)?"
    rf"|(?:19|20)\d\d(?P<mark>[-_.]?){_DAY}(?:{_TIME})?)$",
    re.IGNORECASE,
)
"""Suffix that does so only behind the number of a patient. Behind a word, it is the patient: a
record number (``KUM_TP0001``) or a date of birth (``UKHD_19560312``)."""
_NO_NAME = re.compile(
    r"(?:the|my|patients?|pat|subjects?|subj?|case|cases|scans?|mri?|brain|head|study|data|image|"
    r"images|imgs?|vol|volumes?|files?|series|raw|orig|original|input|nifti|dicom|dcm|exam|glioma|"
    r"tumou?r|gbm|lgg|hgg|[-_. ])*",
    re.IGNORECASE,
)
"""Rest of a name that does not identify a patient."""
_DIGIT = re.compile(r"\d")
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")
_LONGEST, _MARK = 100, 8
"""Maximum length of a safe name, and length of the digest in it."""
_TABLE = "patients.tsv"


def patient_of(name: str) -> str:
    """Key of the patient for the name of a case, file or folder, as a safe name.

    In this order: the names of a patient in several data sets (``core/patients.tsv``), a TCGA
    barcode, the subject of a BIDS name, the published names of BraTS, FeTS, UPENN-GBM, UCSF-PDGM,
    RHUH-GBM and UCSD-PTGBM without time point, and any other name without an ending that states
    an examination (``_tp2``, ``_visit-1``, ``_preop``, ``_MR2``, a date). Any other name is a
    separate patient.

    >>> patient_of("TCGA_CS_4941_19960909"), patient_of("sub-01_ses-2_T1w")
    ('TCGA-CS-4941', 'sub-01')
    >>> patient_of("BraTS-GLI-00005-101"), patient_of("Brats18_TCIA10_628_1")
    ('BraTS-GLI-00005', 'TCGA-DU-A5TR')
    >>> patient_of("PatientID_0003_Timepoint_2"), patient_of("P7_20190412"), patient_of("case_tp1")
    ('PatientID_0003', 'P7', 'case_tp1')
    """
    return _joined(patient_in(name) or safe_name(name.strip()))


def patient_in(name: str) -> str | None:
    """The patient in a name of a patient's examination or in a published name, else None.

    >>> patient_in("P01_20240101"), patient_in("P01"), patient_in("visit_1")
    ('P01', None, None)
    """
    name = name.strip()
    if published := _published(name):
        return _joined(published)
    stem = _without_examination(name)
    return safe_name(stem) if stem != name else None


def stated_patient(patient: str) -> str:
    """Key of a patient that a table states.

    This differs from ``patient_of`` for names that follow no published convention: no ending of
    them is that of an examination.

    >>> stated_patient("TCGA_CS_4941"), stated_patient("P7_20190412")
    ('TCGA-CS-4941', 'P7_20190412')
    """
    patient = patient.strip()
    own = _BIDS.search(patient) and not _BIDS.match(patient)
    return _joined((None if own else _published(patient)) or safe_name(patient))


def _joined(key: str) -> str:
    """The key that a patient has in all data sets."""
    return _known().get(flat_name(key), key)


def is_of_collection(name: str) -> bool:
    """Return True for a name by which a published collection identifies its patient.

    >>> is_of_collection("BraTS2021_00009"), is_of_collection("sub-BraTS202100009")
    (True, False)
    """
    if _BIDS.search(name) and not _TCGA.search(name):
        return False
    return _published(name) is not None


def _published(name: str) -> str | None:
    if barcode := _TCGA.search(name):
        return f"TCGA-{barcode[1]}-{barcode[2]}".upper()
    if bids := _BIDS.search(name):
        return bids["subject"]
    flat = flat_name(name)
    if brats := _BRATS_TO_2019.fullmatch(flat):
        # From 2018 on the centre TCIA is divided by collection, with the same numbers.
        centre = re.sub(r"^TCIA\d+$", "TCIA", brats["centre"].upper())
        return f"BraTS-{centre}-{brats['id'].upper()}"
    if brats := _BRATS_2020.fullmatch(flat):
        return f"BraTS20_{brats['part'].title()}_{brats['number']}"
    if brats := _BRATS_2021.fullmatch(flat):
        return f"BraTS2021_{brats['number']}"
    if brats := _BRATS_REG.fullmatch(flat):
        return f"BraTSReg_{brats['number']}"
    if brats := _BRATS_FROM_2023.fullmatch(flat):
        return f"BraTS-{brats['set'].upper()}-{brats['number']}"
    if upenn := _UPENN.fullmatch(flat):
        return f"UPENN-GBM-{upenn['number']}"
    if ucsf := _UCSF.fullmatch(flat):
        return f"UCSF-PDGM-{int(ucsf['number']):04d}"
    if timed := _RHUH.fullmatch(flat) or _UCSD.fullmatch(flat):
        return timed["patient"].upper()
    return None


def _without_examination(name: str) -> str:
    """A name without the ending that states an examination, where a name is left of it."""
    while (stem := _stem(name)) and not _NO_NAME.fullmatch(stem):
        name = stem
    return name


def _stem(name: str) -> str | None:
    """Part of a name before an ending that states an examination, if it has such an ending."""
    if match := _FOLLOW_UP.search(name):
        return name[: match.start()]
    match = _FOLLOW_UP_OF_NUMBER.search(name)
    return name[: match.start()] if match and _DIGIT.search(name[: match.start()]) else None


@lru_cache(maxsize=1)
def _known() -> Mapping[str, str]:
    """Key of a patient in one data set, in lower case -> key of the same patient in all."""
    text = (files("gliomask.core") / _TABLE).read_text(encoding="utf-8")
    rows = [line.split("\t") for line in text.splitlines() if not line.startswith("#")]
    return {flat_name(_published(name) or safe_name(name)): patient for name, patient in rows[1:]}


def flat_name(name: str) -> str:
    """A name in lower case with one kind of separator, because programs exchange separators.

    >>> flat_name("UPENN-GBM-00055_11"), flat_name("my scan")
    ('upenn-gbm-00055-11', 'my-scan')
    """
    return re.sub(r"[-_ ]+", "-", name.casefold())


def names_nobody(name: str) -> bool:
    """Return True if only numbers, single letters and words like ``patient`` make up a name.

    >>> names_nobody("patient_01"), names_nobody("BraTS2021_00001")
    (True, False)
    """
    words = re.split(r"[^A-Za-z]+", name)
    return all(len(word) < 2 or _NO_NAME.fullmatch(word) for word in words) or any(
        ending.fullmatch(f"_{name}") for ending in (_FOLLOW_UP, _FOLLOW_UP_OF_NUMBER)
    )


def date_of(name: str) -> date | None:
    """Date in a name, if there is just one that can be of an examination.

    >>> date_of("P7_20190412"), date_of("P7_2019-04-12_seg"), date_of("UKHD_19560312")
    (datetime.date(2019, 4, 12), datetime.date(2019, 4, 12), None)
    """
    days = [re.sub(r"\D", "", match[0])[:8] for match in _DATED.finditer(name)]
    try:
        (day,) = {date.fromisoformat(day) for day in days}
    except ValueError:
        return None
    return day


def session_of(name: str) -> str | None:
    """Session in a BIDS name, or None.

    >>> session_of("sub-01_ses-2_T1w"), session_of("sub-01_T1w")
    ('ses-2', None)
    """
    match = _SESSION.search(name)
    return match["session"] if match else None


def bids_case(name: str) -> str | None:
    """Subject and session, if any, of a BIDS name; None if it is not a BIDS name.

    >>> bids_case("sub-01_ses-2_ce-gadolinium_T1w"), bids_case("sub-01_T1w"), bids_case("p1")
    ('sub-01_ses-2', 'sub-01', None)
    """
    subject, session = _BIDS.search(name), session_of(name)
    if subject is None:
        return None
    return f"{subject['subject']}_{session}" if session else subject["subject"]


def bids_label(case: str) -> str:
    """BIDS subject of a case: its own, or all letters and digits of its name.

    >>> bids_label("sub-01_ses-2"), bids_label("TCGA_CS_4941_19960909")
    ('sub-01', 'sub-TCGACS494119960909')
    """
    if bids_case(case) == case:
        return case.partition("_")[0]
    return f"sub-{re.sub('[^A-Za-z0-9]', '', safe_name(case))}"


def bids_session(case: str) -> str | None:
    """Session of a case with a BIDS name, None for any other."""
    return session_of(case) if bids_case(case) == case else None


def tcga_site(name: str) -> str | None:
    """Tissue source site in a TCGA barcode (``CS``), or None."""
    match = _TCGA.search(name)
    return match[1].upper() if match else None


def safe_name(name: str) -> str:
    """Convert a name to a safe part of a file name: letters, digits, dot, dash and underscore only.

    Spaces become underscores, and Unicode is normalised. If anything else is changed, a digest of
    the name is appended, so that names which differ in more than this stay different. The result is
    never empty, never starts with a dot or dash, has at most 100 characters, and is its own safe
    name.

    >>> safe_name("patient 1"), safe_name("Müller"), safe_name("Möller")
    ('patient_1', 'Muller-a7842989', 'Moller-eb78163e')
    """
    name = unicodedata.normalize("NFC", name).replace(" ", "_")
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode() or "_"
    safe = _UNSAFE.sub("_", plain).lstrip(".-")
    if safe == name and 0 < len(safe) <= _LONGEST:
        return safe
    digest = hashlib.sha256(name.encode("utf-8", "backslashreplace")).hexdigest()[:_MARK]
    return f"{safe[: _LONGEST - _MARK - 1] or '_'}-{digest}"

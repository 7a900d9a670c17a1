"""Every name in the lists is read as a person would read it."""

from __future__ import annotations

from pathlib import Path

import pytest

from gliomask.datasets.name_reading import (
    NameReading,
    read_agent,
    read_name,
    shared_words,
    without_sequence,
)

LISTS = Path(__file__).parent / "sequence_names"


def listed(file: str) -> list[tuple[str, str]]:
    lines = (LISTS / file).read_text(encoding="utf-8").splitlines()
    rows = [line.split("\t") for line in lines if line and not line.startswith("#")]
    return [(expected, name) for expected, name in rows]


def answer(found: NameReading) -> str:
    """In the words of the lists."""
    return "none" if found.other or found.elsewhere else found.sequence or "ask"


@pytest.mark.parametrize("file", ["names.txt", "held_out.txt"])
def test_names(file: str) -> None:
    wrong = [
        f"{name!r}: {answer(read_name(name))}, not {expected}"
        for expected, name in listed(file)
        if answer(read_name(name)) != expected
    ]
    assert not wrong, "\n".join(wrong)


def test_no_sure_answer_is_wrong() -> None:
    rows = listed("outside.txt")
    assert len(rows) > 600
    wrong, asked = [], 0
    for expected, name in rows:
        right = set(expected.split("|"))
        found = answer(read_name(name))
        asked += found == "ask" and "ask" not in right
        if found not in right | {"ask"} and not (right == {"ask"} and found == "none"):
            wrong.append(f"{name!r}: {found}, not {expected}")
    assert not wrong, "\n".join(wrong)
    assert asked < len(rows) / 6


@pytest.mark.parametrize(
    ("name", "question"),
    [
        ("T1_xylophone", "the name contains 'xylophone', which is not understood"),
        ("T1 utomata kontrast", "the name contains 'utomata', which is not understood"),
        ("T1 post xylotomy", "the name contains 'xylotomy', which is not understood"),
        ("T1 ??", "the name contains '??', which is not understood"),
        ("T1 造像", "the name contains '造像', which is not understood"),
    ],
)
def test_unknown_words_are_doubts(name: str, question: str) -> None:
    assert read_name(name).question == question


def test_what_stands_before_the_sequence_in_a_file_name_is_an_identifier() -> None:
    assert read_name("smith_t1").sequence == "t1"
    assert read_name("smith t1", identifier=False).sequence is None


def test_words_that_images_of_several_sequences_share_are_no_doubt() -> None:
    names = ["a_t1_smith", "a_flair_smith", "b_t1_jones", "b_flair_jones", "b_t1_novel"]
    shared = shared_words(names)
    assert {"smith", "jones"} <= shared
    assert read_name("a_t1_smith", shared).sequence == "t1"
    assert read_name("b_t1_novel", shared).sequence is None


def test_unknown_words_before_or_behind_an_agent() -> None:
    found = read_name("sag T1 utomata kontrast", identifier=False)
    assert found.contrast is None
    assert found.contrast_doubt == "'utomata' before 'kontrast' in the name is not understood"
    assert read_name("T1 kontrastmittelfrei").contrast is False


@pytest.mark.parametrize("name", ["brain", "TCGA-DU-7008", "LGG-104", "t10", "scan1", "patient1"])
def test_names_that_say_nothing(name: str) -> None:
    found = read_name(name)
    assert found.candidates == frozenset()
    assert found.question is None


@pytest.mark.parametrize(
    ("name", "question"),
    [
        ("t1_in_t2_space", "the name can mean t1 or t2"),
        ("flair_to_t1c", "the name can mean flair or t1ce"),
        ("CT1", "a letter in the name may mean contrast"),
        ("CE_t1", "a letter in the name may mean contrast"),
        ("AX T1 W/WO", "the name says both before and after contrast"),
        ("t2_tirm_cor", "a TIRM can be a FLAIR or a STIR"),
        ("PD_T2", "the name says proton density and T2"),
    ],
)
def test_doubts_are_questions(name: str, question: str) -> None:
    found = read_name(name)
    assert found.sequence is None
    assert found.question == question


def test_letters_that_all_images_of_an_examination_share_are_initials() -> None:
    shared = shared_words(["CE_t1", "CE_t2", "CE_flair"])
    assert "ce" in shared
    assert read_name("CE_t1", shared).sequence == "t1"
    # Images of one weighting may well all be after contrast.
    assert shared_words(["CE_t1_a", "CE_t1_b"]) == frozenset()


@pytest.mark.parametrize(
    ("text", "agent"),
    [
        ("OMNISCAN", "given"),
        ("12ML MULTIHANCE", "given"),
        ("OMNISCAN 3.0 + 12.0", "given"),
        ("OMNI 15 ML", "given"),
        ("Gd-DTPA", "given"),
        ("7.5 ml", "given"),
        ("YES", "given"),
        ("KM", "given"),
        ("Gadopiclenol", "given"),
        ("NO CONTRAST", "denied"),
        ("no agent", "denied"),
        ("None", "denied"),
        ("0 ml", "denied"),
        ("ohne KM", "denied"),
        ("sans injection", "denied"),
        ("W/O", "denied"),
        ("", "silent"),
        ("N/A", "silent"),
        ("-", "silent"),
        ("unknown", "silent"),
        ("see notes", "unclear"),
        ("with and without contrast", "unclear"),
    ],
)
def test_agents(text: str, agent: str) -> None:
    assert read_agent(text) == agent


def test_what_examinations_have_in_common() -> None:
    assert without_sequence("UCSF-PDGM-0004_T1_bias") == "UCSF-PDGM-0004"
    assert without_sequence("sub-01_ce-gadolinium_T1w") == without_sequence("sub-01_T1w")
    assert without_sequence("T1_brain") == ""
    assert without_sequence("a_flair") != without_sequence("b_flair")
    assert without_sequence("P1_t1_without_contrast") == without_sequence("P1_flair") == "P1"
    assert without_sequence("patient_C_t1") == without_sequence("patient_C_t2") == "patient-C"
    assert without_sequence("W9_1997.04.10_t1_LPS_r3_SS") == "W9-1997-04-10"
    assert without_sequence("W9_1997.04.10_t1gd_LPS_r_SS") == "W9-1997-04-10"
    assert without_sequence("Long_T1") != without_sequence("Wall_flair") == "Wall"
    assert without_sequence("T1_to_SRI_brain") == without_sequence("T1 avec inj") == ""
    assert without_sequence("José Ñ T1") != without_sequence("José Ö T1") == "José-Ö"

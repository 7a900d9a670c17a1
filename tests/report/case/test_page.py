"""What a case page says, and that it holds all of it itself."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from gliomask.core.geometry import PICTURE_AFFINE
from gliomask.core.prediction import Prediction, VolumeInterval
from gliomask.core.regions import REGIONS
from gliomask.core.reliability import Level, Reason, Reliability
from gliomask.core.volume import Volume
from gliomask.report.case import layers
from gliomask.report.case.page import CasePage, PageTable, write_case_page
from gliomask.report.colours import region_styles
from tests.fakes import head_labels, head_volume
from tests.predictions import region_maps
from tests.report.case.case_pages import NESTED, nested_prediction, predicted, whole_prediction

PNG = b"\x89PNG not really"


class Reader(HTMLParser):
    """The text that a reader sees, and every address that a browser might ask for."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.text: list[str] = []
        self.addresses: list[str] = []
        self.scripts = 0
        self._silent = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._silent = tag in ("script", "style")
        kept = ("src", "href", "srcset", "action", "data", "poster")
        self.addresses += [value or "" for name, value in attrs if name in kept]
        self.scripts += tag == "script" and not dict(attrs).get("type")

    def handle_endtag(self, tag: str) -> None:
        self._silent = False

    def handle_data(self, data: str) -> None:
        if not self._silent and data.strip():
            self.text.append(" ".join(data.split()))


def read(tmp_path: Path, page: CasePage) -> Reader:
    path = write_case_page(tmp_path / "case.html", replace(page, still=PNG))
    return Reader(path.read_text(encoding="utf-8"))


def test_tells_case_sizes_model_and_purpose(tmp_path: Path) -> None:
    found = read(tmp_path, CasePage(nested_prediction(), head_volume()))
    for text in ("patient-7", "For research use only", "Tumour marked", "predicted without t2"):
        assert text in found.text
    # 90, 60 and 30 voxels of 1 x 1.2 x 3 mm.
    sizes = found.text[found.text.index("Voxels") :]
    assert sizes[1:10] == [
        "whole tumour",
        "0.3",
        "90",
        "tumour core",
        "0.2",
        "60",
        "enhancing tumour",
        "0.1",
        "30",
    ]
    for name, value in (
        ("SHA-256 of the weights", "ab" * 32),
        ("licence of the model", "CC0"),
        ("Axes", "RAS"),
    ):
        assert found.text[found.text.index(name) + 1] == value
    assert found.text[found.text.index("Sequences missing") + 1] == "T2"


def test_asks_for_nothing(tmp_path: Path) -> None:
    found = read(tmp_path, CasePage(whole_prediction(), head_volume()))
    assert found.addresses
    assert all(address.startswith("data:") for address in found.addresses)


def test_no_tumour_is_said_with_evidence(tmp_path: Path) -> None:
    probabilities = np.full((1, *head_labels().shape), 0.125, np.float32)
    prediction = whole_prediction(found=False, probabilities=probabilities)
    found = read(tmp_path, CasePage(prediction, head_volume()))
    assert "No tumour found" in found.text
    assert any("highest probability anywhere is 0.12; 0.5 was needed" in t for t in found.text)
    reasons = (Reason("green", "empty_mask_reasons", "Seen in every slice."),)
    told = replace(prediction, reliability=Reliability("green", reasons))
    own = CasePage(told, head_volume())
    said = next(text for text in read(tmp_path, own).text if "The mask is empty" in text)
    assert said == ("The mask is empty. Seen in every slice. This does not rule a tumour out.")
    assert "Seen in every slice." not in read(tmp_path, own).text  # a second time, as a check


def test_pictures_have_no_millimetres_and_no_sides(tmp_path: Path) -> None:
    array = head_volume().array
    volume = Volume(array, PICTURE_AFFINE, ("t1", "flair"), has_world=False)
    prediction = predicted(head_labels(), volume, ("whole",))
    found = read(tmp_path, CasePage(prediction, volume))
    text = " ".join(found.text)
    assert "90 voxels" in text
    assert " ml" not in text
    assert not re.search(r"\bmm\b", text)
    assert "Radiological" not in text
    assert "Coronal" not in found.text


def test_intervals_flags_audit_and_times(tmp_path: Path) -> None:
    reasons = (Reason("amber", "spacing", "slices of 5 mm"), Reason("green", "size", "1 ml"))
    prediction = replace(
        whole_prediction(),
        intervals={"whole": VolumeInterval((7, 9), (0.21, 0.44), 0.9, 10, calibrated=True)},
        reliability=Reliability("amber", reasons),
    )
    page = CasePage(
        prediction,
        head_volume(),
        audit=(
            PageTable("Input", [("t1", None), ("flair", 3)], ("sequence", "gaps"), "a note"),
            PageTable("File", [("face", "none")]),
        ),
        timings={"read": 1.25},
        provenance={"software": {"gliomask": "1.0"}, "command": "gliomask predict"},
    )
    text = read(tmp_path, page).text
    for expected in (
        *("90% interval, ml", "0.2 – 0.4", "▲ amber", "slices of 5 mm", "green: 1 ml"),
        *("gaps", "a note", "face"),
    ):
        assert expected in text
    assert "1.2 s" in text
    assert text[text.index("software: gliomask") + 1] == "1.0"
    assert text[text.index("command") + 1] == "gliomask predict"


def flagged(level: Level, *reasons: Reason) -> Prediction:
    return replace(whole_prediction(), reliability=Reliability(level, reasons))


@pytest.mark.parametrize(("level", "sign"), [("red", "■ red"), ("amber", "▲ amber")])
def test_a_flag_stands_beside_the_volume_and_above_the_viewer(
    tmp_path: Path, level: Level, sign: str
) -> None:
    reasons = (Reason(level, "faint", "too faint"), Reason("green", "seen", "seen before"))
    page = CasePage(flagged(level, *reasons), head_volume())
    html = write_case_page(tmp_path / "a.html", page).read_text(encoding="utf-8")
    headline, viewer = html.index('<ul class="sizes">'), html.index('id="viewer"')
    beside = html[headline : html.index("</ul>", headline)]
    assert sign in beside
    assert headline < html.index("<li>too faint</li>") < viewer
    assert "seen before" not in html[:viewer]
    plain = CasePage(flagged("green", *reasons[1:]), head_volume())
    html = write_case_page(tmp_path / "b.html", plain).read_text(encoding="utf-8")
    assert 'id="doubt"' not in html


def test_what_a_reason_states_is_not_repeated_by_a_note(tmp_path: Path) -> None:
    synthetic, other = "the model was trained on synthetic data", "removed 0.1 ml of fragments"
    reasons = (Reason("red", "synthetic_model", f"{synthetic}: use it for tests only"),)
    prediction = replace(
        flagged("red", *reasons), notes=(reasons[0].text, synthetic, other), synthetic=True
    )
    page = CasePage(prediction, head_volume())
    html = write_case_page(tmp_path / "a.html", page).read_text(encoding="utf-8")
    assert html.count(synthetic) == 1
    assert html.count(other) == 1
    unflagged = CasePage(replace(prediction, reliability=None), head_volume())
    html = write_case_page(tmp_path / "b.html", unflagged).read_text(encoding="utf-8")
    assert html.count(f"<li>{synthetic}</li>") == 1


def test_nothing_that_is_told_becomes_markup(tmp_path: Path) -> None:
    evil = "</script><script>alert(1)</script><img src=x onerror=alert(1)>"
    prediction = replace(
        flagged("red", Reason("red", evil, evil)),
        case=evil,
        model=evil,
        notes=(evil,),
        provenance={evil: evil},
    )
    page = CasePage(
        prediction,
        head_volume(),
        audit=(PageTable(evil, [(evil, evil)], (evil, evil), evil),),
        timings={evil: 1},
        provenance={evil: [evil]},
    )
    found = read(tmp_path, page)
    plain = read(tmp_path, CasePage(whole_prediction(), head_volume()))
    assert found.scripts == plain.scripts == 3
    assert len(found.addresses) == len(plain.addresses)
    assert found.text.count(evil) >= 10


def test_the_policy_allows_nothing_but_what_is_inside(tmp_path: Path) -> None:
    path = write_case_page(tmp_path / "a.html", CasePage(whole_prediction(), head_volume()))
    page = path.read_text(encoding="utf-8")
    policy = re.findall(r'Content-Security-Policy" content="([^"]*)"', page)[0]
    assert "unsafe" not in policy
    assert "http" not in policy
    assert policy.count("sha256-") == 6  # three scripts, three styles


def test_says_when_not_all_voxels_are_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = CasePage(whole_prediction(), head_volume())
    assert not any("too large for a page" in text for text in read(tmp_path, page).text)
    monkeypatch.setattr(layers, "_BUDGET", 5000)
    told = next(text for text in read(tmp_path, page).text if "too large for a page" in text)
    assert "one voxel in 2 × 1 × 1 " in told


def test_the_still_picture_is_drawn(tmp_path: Path) -> None:
    path = write_case_page(tmp_path / "a.html", CasePage(whole_prediction(), head_volume()))
    assert 'src="data:image/png;base64,iVBORw0KGgo' in path.read_text(encoding="utf-8")


def test_the_same_bytes_every_time(tmp_path: Path) -> None:
    page = CasePage(whole_prediction(), head_volume())
    first, second = (write_case_page(tmp_path / name, page) for name in ("a.html", "b.html"))
    assert first.read_bytes() == second.read_bytes()


@pytest.mark.parametrize("name", ["mask", "probabilities", "disagreement"])
def test_refuses_what_is_on_another_grid(tmp_path: Path, name: str) -> None:
    small, prediction = np.zeros((3, 4, 5), np.float32), whole_prediction()
    maps = region_maps(small[None], prediction.affine)
    pages = {
        "mask": CasePage(replace(prediction, mask=small.astype(np.uint8)), head_volume()),
        "probabilities": CasePage(replace(prediction, probability_maps=maps), head_volume()),
        "disagreement": CasePage(replace(prediction, disagreement_maps=maps), head_volume()),
    }
    with pytest.raises(ValueError, match=f"{name} of shape"):
        write_case_page(tmp_path / "a.html", pages[name])
    assert not list(tmp_path.iterdir())


def test_colours_of_the_page_are_those_of_figures() -> None:
    css = region_styles()
    for region in NESTED:
        assert f".swatch.{region}{{background:{REGIONS[region].colour}}}" in css

"""Which files below a folder are looked at."""

from __future__ import annotations

from pathlib import Path

import pytest

from gliomask.errors import LayoutError
from gliomask.studies import dicom_files
from gliomask.studies.dicom_files import files_below, holds_dicom


def test_files_at_any_depth_in_a_steady_order(tmp_path: Path) -> None:
    for name in ("b/2.dcm", "b/10.dcm", "a/x/IM1", "top", ".hidden", "__MACOSX/junk"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    found = [str(path.relative_to(tmp_path)) for path in files_below(tmp_path)]
    assert found == ["top", "a/x/IM1", "b/2.dcm", "b/10.dcm"]
    assert not holds_dicom(tmp_path)


def test_a_folder_that_links_lead_to_is_read_once(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "1.dcm").write_bytes(b"x")
    studies = tmp_path / "studies"
    (studies / "a").mkdir(parents=True)
    (studies / "a" / "loop").symlink_to(studies)
    for name in ("linked", "twice"):
        (studies / name).symlink_to(tmp_path / "elsewhere")
    assert files_below(studies) == [studies / "linked" / "1.dcm"]


def test_limits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a" / "b" / "c").mkdir(parents=True)
    for n in range(3):
        (tmp_path / f"{n}").write_bytes(b"x")
    monkeypatch.setattr(dicom_files, "MAX_DEPTH", 2)
    with pytest.raises(LayoutError, match=r"too deep \(depth=3, allowed up to 2\)"):
        files_below(tmp_path)
    monkeypatch.setattr(dicom_files, "MAX_ENTRIES", 2)
    with pytest.raises(LayoutError, match=r"too full \(files=3, allowed up to 2\)"):
        files_below(tmp_path)
    with pytest.raises(LayoutError, match="no such folder"):
        files_below(tmp_path / "absent")

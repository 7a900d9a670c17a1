"""What every page shares: escaping, the security policy, the look."""

from __future__ import annotations

import json
import re

import pytest

from gliomask.report.package_files import package_text
from gliomask.report.page import Assets, data_uri, embedded, render, security_policy

HEX = r"#[0-9a-f]{6}"


def test_a_page_names_its_scripts_by_their_hash() -> None:
    # echo -n 'alert(1)' | openssl dgst -sha256 -binary | base64
    assets = Assets(scripts=("alert(1)",))
    assert "script-src 'sha256-bhHHL3z2vDgxUt0W3dWQOrprscmda2Y5pLsLg4GF+pI='" in security_policy(
        assets, ()
    )
    page = render("base.html.j2", {}, assets)
    assert "<script>alert(1)</script>" in page
    assert "default-src &#39;none&#39;" in page


def test_a_page_without_scripts_runs_none() -> None:
    assert "script-src 'none'" in security_policy(Assets(), ())


def test_says_what_it_may_be_used_for() -> None:
    assert "For research use only" in render("base.html.j2", {})


@pytest.mark.parametrize("script", ["a = '</SCRIPT>'", "a = '<!--'"])
def test_refuses_a_script_that_ends_early(script: str) -> None:
    with pytest.raises(ValueError, match="contains"):
        render("base.html.j2", {}, Assets(scripts=(script,)))


def test_embedded_json_can_not_leave_its_element() -> None:
    value = {"a": "</script><!--&", "b": [1, None]}
    text = embedded(value)
    assert not set("<>&") & set(text)
    assert json.loads(text) == value


def test_embedded_json_holds_no_nan() -> None:
    with pytest.raises(ValueError, match="JSON"):
        embedded(float("nan"))


def test_data_uri() -> None:
    assert data_uri(b"ab", "text/plain") == "data:text/plain;base64,YWI="


def luminance(colour: str) -> float:
    """Relative luminance of WCAG 2.1."""
    parts = [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_text_can_be_read_in_light_and_dark_and_print() -> None:
    sets = re.findall(rf"--ink: {HEX}[^}}]*", package_text("templates/base.css"))
    assert len(sets) == 3
    for text in sets:
        colours = dict(re.findall(rf"--(\w+): ({HEX})", text))
        for name in ("ink", "faint", "accent", "good", "warn", "bad"):
            for ground in ("paper", "card"):
                pair = sorted((luminance(colours[name]), luminance(colours[ground])))
                assert (pair[1] + 0.05) / (pair[0] + 0.05) >= 4.5, (name, ground, text)

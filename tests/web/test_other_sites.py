"""Pages of other sites, and names that are not ours, get nothing out of a server and into it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from gliomask.web.service import Service
from tests.web.service import API, client, options, running, token_of

OWN = {"origin": "http://127.0.0.1"}
EVIL = {"origin": "http://evil.example"}
FORM = {"content-type": "application/x-www-form-urlencoded", **EVIL}
PREFLIGHT = {"access-control-request-method": "POST", **EVIL}
CASES: dict[str, tuple[str, str, dict[str, str]]] = {
    "a script of another site": ("GET", "/jobs", EVIL),
    "another port of this machine": ("GET", "/jobs", {"origin": "http://127.0.0.1:9999"}),
    "a picture on another port": ("GET", "/follow?of=a&of=b", {"sec-fetch-site": "same-site"}),
    "a picture on another site": ("GET", "/jobs", {"sec-fetch-site": "cross-site"}),
    "a sandboxed page": ("GET", "/jobs", {"origin": "null"}),
    "a form": ("POST", "/uploads", FORM),
    "a form as text": ("POST", "/jobs", {"content-type": "text/plain", **EVIL}),
    "a form that ends the session": ("DELETE", "/session", EVIL),
    "a preflight": ("OPTIONS", "/jobs", PREFLIGHT),
    "a preflight of a file": ("OPTIONS", "/uploads/a/files/0", PREFLIGHT),
    "a name that leads to us": ("GET", "/jobs", {"host": "evil.example"}),
    "such a name with our port": ("GET", "/jobs", {"host": "evil.example:8000"}),
    "such a name and its page": (
        "POST", "/uploads", {"host": "evil.example", "origin": "http://evil.example"}
    ),
    "our name as a part": ("GET", "/jobs", {"host": "127.0.0.1.evil.example"}),
    "our name as a user": ("GET", "/jobs", {"host": "127.0.0.1@evil.example"}),
    "no name": ("GET", "/jobs", {"host": ""}),
}  # fmt: skip


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    with running(tmp_path) as one:
        yield one


@pytest.fixture
def page(service: Service) -> TestClient:
    """The browser of a person who has signed in."""
    one = client(service)
    one.get("/", params={"token": token_of(service, "ann", "read", "submit", "monai")})
    assert one.get(f"{API}/jobs", headers=OWN).status_code == 200
    return one


@pytest.mark.parametrize("name", list(CASES))
def test_other_sites(service: Service, page: TestClient, name: str) -> None:
    method, path, headers = CASES[name]
    for place in (API + path, f"/monai{path}", path):
        answer = page.request(method, place, headers=headers)
        assert answer.status_code == 403, place
        assert not [one for one in answer.headers if one.startswith("access-control")]
    assert service.database.rows("SELECT * FROM upload") == []


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_a_link_elsewhere_opens_the_page_and_signs_nobody_in(service: Service, site: str) -> None:
    """Or a colleague's link would have people send their scans to that colleague."""
    one, token = client(service), token_of(service, "eve")
    answer = one.get("/", params={"token": token}, headers={"sec-fetch-site": site})
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert "set-cookie" not in answer.headers
    assert one.get("/", headers={"sec-fetch-site": site}).status_code == 200
    assert one.get(f"{API}/jobs").status_code == 401
    opened = one.get("/", params={"token": token}, headers={"sec-fetch-site": "none"})
    assert "httponly" in opened.headers["set-cookie"].lower()


def test_a_cookie_of_an_address_with_a_token_counts_for_nothing(
    service: Service, page: TestClient
) -> None:
    for key in ("x", "%2e%2e", "..%2fapi%2fv1"):
        assert page.get(f"/k/{key}/jobs").status_code == 404, key
    answer = page.get("/k/x/info/", headers={"host": "evil.example", **EVIL})
    assert answer.status_code == 403
    assert not [one for one in answer.headers if one.startswith("access-control")]


def test_cookies_where_browsers_use_https(tmp_path: Path) -> None:
    """``__Host-``: no other server of the domain can set it, nor read it without encryption."""
    chosen = {"names": ("scans.example",), "behind_proxy": True, "host": "127.0.0.1"}
    assert options(tmp_path, **chosen).encrypted
    with running(tmp_path, **chosen) as service:
        one = client(service)
        one.base_url = one.base_url.copy_with(scheme="https", host="scans.example")
        answer = one.get("/", params={"token": token_of(service)})
        name, _, rest = answer.headers["set-cookie"].partition("=")
        assert name.startswith("__Host-gliomask-")
        for part in ("secure", "httponly", "samesite=strict", "path=/"):
            assert part in rest.lower()
        assert "domain" not in rest.lower()
        assert one.get(f"{API}/jobs").status_code == 200
        ended = one.delete(f"{API}/session").headers["set-cookie"].lower()
        assert "secure" in ended
        assert "max-age=0" in ended


def test_nothing_is_kept_by_browsers_or_told_to_other_sites(page: TestClient) -> None:
    for path in (f"{API}/jobs", f"{API}/models", f"{API}/jobs/x", "/monai/info/", "/k/x/info/"):
        headers = page.get(path).headers
        assert headers["cache-control"] == "no-store", path
        assert headers["referrer-policy"] == "no-referrer", path
        assert headers["x-content-type-options"] == "nosniff", path
        assert "frame-ancestors 'none'" in headers["content-security-policy"], path
    for path in ("/", "/correct"):
        assert page.get(path).headers["cache-control"] == "no-cache"

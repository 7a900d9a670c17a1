"""Results of one patient beside each other, over the API."""

from __future__ import annotations

from pathlib import Path

from gliomask.config.serve import Scope
from gliomask.web.service import Service
from tests.web.corrected import a_mask, base_of, done_job, nifti
from tests.web.service import API, client, token_of


def test_two_results_become_a_page(service: Service) -> None:
    ann = client(service, token_of(service))
    jobs = [done_job(service, case=f"p1-{n}") for n in (1, 2)]
    page = ann.get(f"{API}/follow", params={"of": jobs})
    assert page.status_code == 200, page.text
    assert "p1-1" in page.text
    assert "2 time points" in page.text
    assert "For research use only" in page.text
    assert page.headers["content-security-policy"].startswith("sandbox")
    assert str(service.folder.root) not in page.text
    assert list(service.folder.temporary.iterdir()) == []
    done = [(one.action, one.object) for one in service.audit.entries()]
    assert done == [("job.follow", job) for job in jobs]
    named = ann.get(f"{API}/follow", params={"of": [f"{jobs[0]}/p1-1", f"{jobs[1]}/p1-2"]})
    assert named.text == page.text


def test_the_newest_approved_correction_is_used_and_said(service: Service, tmp_path: Path) -> None:
    scopes: tuple[Scope, ...] = ("read", "submit", "review")
    ann, bob = (client(service, token_of(service, who, *scopes)) for who in ("ann", "bob"))
    jobs = [done_job(service, case=f"p1-{n}") for n in (1, 2)]
    mask = a_mask()
    for voxel in ((5, 6, 4), (0, 0, 0)):  # of two corrections the first is approved
        mask[voxel] = 2
        base = {"base": base_of(ann, jobs[1])}
        content = nifti(tmp_path, mask)
        assert ann.put(f"{API}/jobs/{jobs[1]}/correction", params=base, content=content).is_success
    unapproved = ann.get(f"{API}/follow", params={"of": jobs}).text
    assert "Masks: p1-1 as predicted by fake; p1-2 as predicted by fake." in unapproved
    assert bob.post(f"{API}/jobs/{jobs[1]}/correction/1/approval").is_success
    page = ann.get(f"{API}/follow", params={"of": jobs})
    assert page.status_code == 200, page.text
    assert (
        "Masks: p1-1 as predicted by fake; p1-2 correction 1 by ann, approved by bob." in page.text
    )
    assert "0.5 [" in page.text  # 25 voxels of 20 cubic millimetres
    assert str(service.folder.root) not in page.text
    assert list(service.folder.temporary.iterdir()) == []


def test_what_can_not_be_compared(service: Service) -> None:
    ann, eve = client(service, token_of(service)), client(service, token_of(service, "eve"))
    one, other = done_job(service), done_job(service)
    for params, status in (
        ({"of": [one]}, 422),
        ({"of": [one, "0" * 32]}, 404),
        ({"of": [one, f"{other}/../p"]}, 404),
        ({"of": [one, one]}, 422),
    ):
        answer = ann.get(f"{API}/follow", params=params)
        assert answer.status_code == status, params
        assert str(service.folder.root) not in answer.text
    assert "given twice" in ann.get(f"{API}/follow", params={"of": [one, one]}).json()["text"]
    assert eve.get(f"{API}/follow", params={"of": [one, other]}).status_code == 404

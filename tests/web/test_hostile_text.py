"""40 texts that are scripts, in every text that the pages show: shown as text, and no more.

File names, series descriptions, names of patients, errors and notes on the page; authors on the
page of corrections; all of them on the page of a result. A text that became markup would run a
script, ask for a file, or be refused by the security policy: all of this would be seen.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
import pytest

from gliomask.core.case import Case
from gliomask.results.prediction.write import write_outputs
from gliomask.web.database import now
from gliomask.web.service import Service
from gliomask.web.tokens import Access
from tests.browser import Browser, browser  # noqa: F401 (the fixture)
from tests.predictions import NO_DIGEST, outcome_of
from tests.web.corrected import AFFINE, a_mask, done_job
from tests.web.hostile_text import MARK, TEXTS
from tests.web.listening import listening
from tests.web.service import running, token_of

pytestmark = pytest.mark.browser

ANN = Access("ann", frozenset(("read", "submit")))
_FIT = str.maketrans({"/": "\N{DIVISION SLASH}", ":": "\N{RATIO}", "\\": " "})
"""To names that files may have."""
LIMITS = {"queued_jobs_per_owner": 200, "queued_jobs": 200, "open_uploads": 300}


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with running(tmp_path_factory.mktemp("texts") / "data", limits=LIMITS) as one:
        one.supervisor.problem = ""
        yield one


@pytest.fixture(scope="module")
def base(service: Service) -> Iterator[str]:
    with listening(service) as port:
        yield f"http://127.0.0.1:{port}"


def signed_in(browser: Browser, service: Service, base: str) -> None:  # noqa: F811
    browser.driver.delete_all_cookies()
    browser.visit(f"{base}/?token={token_of(service)}")
    browser.wait("!document.getElementById('new').hidden")


def harmless(browser: Browser, base: str) -> None:  # noqa: F811
    """No script of theirs ran, nothing was asked of others, and nothing had to be refused."""
    assert browser.run(f"return window.{MARK} === undefined")
    assert [url for url in browser.requests() if not url.startswith(base)] == []
    assert browser.problems() == []


def shown(browser: Browser, selector: str) -> str:  # noqa: F811
    text: str = browser.run("return document.querySelector(arguments[0]).innerText", selector)
    return text


def ended_jobs(service: Service) -> None:
    """A job of each text: failed with it, or done with it as case, note, reason and failure."""
    upload = service.uploads.create(ANN).id
    for number, text in enumerate(TEXTS):
        job = service.queue.add(ANN, "predict", upload, {})[0].id
        assert service.queue.next("predict") is not None
        if number % 2:
            service.queue.failed(job, "input", f"error {text}")
            continue
        case = {
            "case": f"case {text}",
            "voxels": {f"region {text}": 5},
            "volumes_ml": None,
            "notes": [f"note {text}"],
            "reliability": {"level": "amber", "reasons": [{"level": "amber", "text": text}]},
        }
        failure = {"case": "other", "reason": f"failure {text}"}
        service.queue.done(job, {"cases": [case], "failures": [failure]})


def test_the_list_of_jobs(browser: Browser, service: Service, base: str) -> None:  # noqa: F811
    """Names of patients, errors, notes."""
    ended_jobs(service)
    signed_in(browser, service, base)
    browser.wait(f"document.querySelectorAll('#jobs > li').length >= {len(TEXTS)}")
    text = shown(browser, "#jobs")
    for number, hostile in enumerate(TEXTS):
        kinds = ("error",) if number % 2 else ("case", "region", "note", "failure")
        for kind in kinds:
            assert f"{kind} {hostile}" in text
    harmless(browser, base)


@contextmanager
def auditing(service: Service, audit: dict[str, Any]) -> Iterator[None]:
    """A worker that says the same of every upload."""
    ending = threading.Event()

    def work() -> None:
        while not ending.is_set():
            if (job := service.queue.next("inspect")) is not None:
                service.queue.done(job.id, {"audit": audit})
            time.sleep(0.05)

    worker = threading.Thread(target=work)
    worker.start()
    try:
        yield
    finally:
        ending.set()
        worker.join()


def series(text: str) -> dict[str, Any]:
    return {
        "series": f"description {text}",
        "series_uid": "",
        "sequence": "flair",
        "used": True,
        "case": "c",
        "study": "",
        "shape": [4, 5, 6],
        "evidence": f"evidence {text}",
        "problems": [f"problem {text}"],
    }


def test_an_audit(browser: Browser, service: Service, base: str, tmp_path: Path) -> None:  # noqa: F811
    """Names of files that are uploaded, descriptions of series."""
    paths = [tmp_path / text.translate(_FIT) for text in TEXTS]
    for path in paths:
        path.write_bytes(b"1")
    case = {"case": f"case {TEXTS[4]}", "uses": {"flair": TEXTS[10]}, "notes": list(TEXTS)}
    audit = {
        "cases": [case],
        "series": [series(text) for text in TEXTS],
        "problems": [[f"file {text}", "why"] for text in TEXTS],
    }
    signed_in(browser, service, base)
    with auditing(service, audit):
        files = browser.driver.find_element("css selector", "#files")
        files.send_keys("\n".join(map(str, paths)))
        browser.wait("document.querySelectorAll('#series tbody tr').length > 0", 120)
    named = {row["name"] for row in service.database.rows("SELECT name FROM upload_file")}
    assert {path.name for path in paths} <= named
    text = shown(browser, "main")
    for hostile in TEXTS:
        for kind in ("description", "evidence", "problem", "file"):
            assert f"{kind} {hostile}" in text
    harmless(browser, base)


def test_authors_of_corrections(browser: Browser, service: Service, base: str) -> None:  # noqa: F811
    job = done_job(service)
    statement = (
        "INSERT INTO correction(job, number, case_id, author, created, base, sha256, changes, "
        "notes, approver, approved) VALUES (?,?,'p1-a',?,?,?,?,?,'[]',?,?)"
    )
    change = {
        "added_voxels": 1, "removed_voxels": 0, "added_ml": 1, "removed_ml": 0, "volume_ml": 1
    }  # fmt: skip
    with service.database.change() as database:
        for number, text in enumerate(TEXTS, 1):
            facts = (json.dumps({f"region {text}": change}), f"approver {text}", now())
            who = (f"author {text}", now(), NO_DIGEST, NO_DIGEST)
            database.execute(statement, (job, number, *who, *facts))
    signed_in(browser, service, base)
    browser.visit(f"{base}/correct#job={job}&case=p1-a")
    browser.wait(f"document.querySelectorAll('#history li').length === {len(TEXTS)}", 120)
    text = shown(browser, "#history")
    for hostile in TEXTS:
        for kind in ("author", "approver", "region"):
            assert f"{kind} {hostile}" in text
    assert browser.run(f"return window.{MARK} === undefined")
    assert [url for url in browser.requests() if not url.startswith(base)] == []
    for hostile in TEXTS[:4]:
        browser.visit(f"{base}/correct#job={quote(hostile)}&case={quote(hostile)}")
        browser.wait("document.getElementById('problem').textContent.length > 0")
        assert browser.run(f"return window.{MARK} === undefined")


def test_the_page_of_a_result(browser: Browser, service: Service, base: str) -> None:  # noqa: F811
    """Where the name of the patient, descriptions and notes are all hostile."""
    job, name = done_job(service), "p1-a"
    outcome = outcome_of(name, a_mask(), AFFINE, regions=("whole", "core", "enhancing"))
    case = Case(name, TEXTS[4], outcome.case.images)
    prediction = replace(outcome.prediction, notes=TEXTS, model=TEXTS[1])
    image = np.arange(a_mask().size, dtype=np.float32).reshape(1, *a_mask().shape)
    volume = replace(outcome.volume, array=image)
    hostile = replace(
        outcome,
        case=case,
        prediction=prediction,
        volume=volume,
        origins={"flair": " ".join(TEXTS)},
    )
    folder = service.folder.temporary / "page"
    folder.mkdir()
    write_outputs(folder, hostile, ("html",))
    (folder / f"{name}.html").rename(service.folder.result(job) / f"{name}.html")
    signed_in(browser, service, base)
    browser.visit(f"{base}/api/v1/jobs/{job}/files/page")
    browser.wait("document.documentElement.dataset.viewer === 'ready'", 120)
    text = shown(browser, "main")
    for one in TEXTS:
        assert one in text
    harmless(browser, base)

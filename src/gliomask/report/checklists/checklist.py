"""Reporting checklists, filled from records.

CLAIM (Tejani et al. 2024) and TRIPOD+AI (Collins et al. 2024) list what a paper on a model must
report. Part of it is in the records of the run and the evaluation; the rest is for the authors: an
item without a record stays blank, and a partly answered one says so. The items are data
(``checklists/*.yaml``): its number, its subject in our words, the facts that answer it, and what
the authors must write. With ``always`` the records never answer it in full.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from itertools import groupby
from types import MappingProxyType
from typing import Any, Final, Literal, get_args

import yaml

from gliomask.core.prediction import RESEARCH_USE_ONLY
from gliomask.errors import InputError
from gliomask.report.checklists.evaluation_facts import EVALUATION_FACTS
from gliomask.report.checklists.facts import Fact
from gliomask.report.checklists.network_facts import NETWORK_FACTS
from gliomask.report.checklists.records import Records, text_at
from gliomask.report.checklists.training_facts import TRAINING_FACTS
from gliomask.report.markdown import escape_markdown

CHECKLISTS: Final = ("claim", "tripod_ai")
"""The files, in the order in which they are filled."""
FACTS: Final[Mapping[str, Fact]] = MappingProxyType(
    {**NETWORK_FACTS, **TRAINING_FACTS, **EVALUATION_FACTS}
)
"""All facts for answers of items, by name."""
_DIGEST: Final = re.compile(r"[0-9a-f]{64}")
State = Literal["answered", "in part", "blank"]


@dataclass(frozen=True)
class ChecklistItem:
    """An item with its answer from the records. All texts are plain: escape them for display.

    Attributes:
        checklist: its name.
        number: in the published list, e.g. ``12`` or ``12a``.
        section: of the list.
        subject: required information, in our words.
        answer: from the records, with ``in part: ...; still needed: ...`` around it if that
            is not all; None is a blank.
        source: the records that the answer is from; None for a blank.
        needed: what the authors must write; None if the item is complete.
    """

    checklist: str
    number: str
    section: str
    subject: str
    answer: str | None
    source: str | None
    needed: str | None

    @property
    def state(self) -> State:
        """State of an item: how completely the records answer it."""
        if self.answer is None:
            return "blank"
        return "answered" if self.needed is None else "in part"


def fill(records: Records) -> tuple[ChecklistItem, ...]:
    """Every item of every checklist, in the published order.

    Args:
        records: what there is of them; odd values count as missing. Empty records leave every item
            blank.

    Raises:
        InputError: the evaluation used other weights than the run, so that an answer from both
            would be about no model at all.
    """
    _check_weights(records)
    return tuple(
        _fill(records, checklist["name"], section["section"], item)
        for checklist in map(_load, CHECKLISTS)
        for section in checklist["sections"]
        for item in section["items"]
    )


def checklist_markdown(items: Sequence[ChecklistItem]) -> str:
    """Markdown with a table for each checklist; whatever the records say, no cell can be forged.

    Args:
        items: of ``fill``, those of one checklist together. None give the heading alone.
    """
    parts = ["# Reporting checklists", f"{RESEARCH_USE_ONLY}."]
    for name, group in groupby(items, key=lambda item: item.checklist):
        parts += _section(name, list(group))
    return "\n\n".join(parts) + "\n"


def _check_weights(records: Records) -> None:
    evaluated = text_at(records.summary, "weights_sha256")
    own = text_at(records.card, "weights_sha256")
    if evaluated != own and all(
        digest and _DIGEST.fullmatch(digest) for digest in (evaluated, own)
    ):
        raise InputError(
            "the evaluation used other weights than the run",
            field="weights_sha256",
            found=evaluated,
            allowed=own,
            hint="evaluate the model again, or give the run that was evaluated",
        )


@cache
def _load(name: str) -> dict[str, Any]:
    """Load a checklist of the package."""
    source = resources.files("gliomask.report") / "checklists" / f"{name}.yaml"
    loaded: dict[str, Any] = yaml.safe_load(source.read_text(encoding="utf-8"))
    return loaded


def _fill(records: Records, checklist: str, section: str, item: Mapping[str, Any]) -> ChecklistItem:
    facts = [FACTS[name] for name in item.get("facts", ())]
    answers = [(text, fact.source) for fact in facts if (text := fact.read(records))]
    full = len(answers) == len(facts) and not item.get("always", False)
    answer = "; ".join(text for text, _ in answers) or None
    needed = None if answer and full else str(item["hint"])
    if answer and needed:
        answer = f"in part: {answer}; still needed: {needed}"
    sources = dict.fromkeys(
        source_name for _, source in answers for source_name in source.split(", ")
    )
    return ChecklistItem(
        checklist=checklist,
        number=str(item["number"]),
        section=section,
        subject=str(item["subject"]),
        answer=answer,
        source=", ".join(sources) or None,
        needed=needed,
    )


def _section(name: str, items: Sequence[ChecklistItem]) -> list[str]:
    count = {state: sum(item.state == state for item in items) for state in get_args(State)}
    counts = ", ".join(f"{number} {state}" for state, number in count.items())
    cited = [
        f"{loaded['citation']} doi:{loaded['doi']}"
        for loaded in map(_load, CHECKLISTS)
        if loaded["name"] == name
    ]
    head = ["| Item | Section | Subject | Answer | Source |", "| --- | --- | --- | --- | --- |"]
    return [
        f"## {escape_markdown(name)}",
        *map(escape_markdown, cited),
        f"{len(items)} items: {counts}. A blank is for the authors to fill.",
        "\n".join([*head, *map(_row, items)]),
    ]


def _row(item: ChecklistItem) -> str:
    answer = item.answer or f"blank; needed: {item.needed}"
    cells = (item.number, item.section, item.subject, answer, item.source or "")
    return f"| {' | '.join(map(escape_markdown, cells))} |"

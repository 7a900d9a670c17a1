"""The keys of model cards written before kinds of images were distinguished, as those of today.

``smallest_part`` is a clean-up by share, and ``validation`` with ``regions`` and ``subsets`` is one
list of kinds whose images are of no known kind.
"""

from __future__ import annotations

from typing import Any


def current_keys(keys: dict[str, Any]) -> dict[str, Any]:
    """The keys of any card as today's; those of a card of today are returned as they are."""
    made = dict(keys)
    if "smallest_part" in made:
        share = made.pop("smallest_part")
        made["clean_up"] = {"below_share": share} if share else None
    facts = made.get("validation")
    if isinstance(facts, dict) and "regions" in facts:
        made["validation"] = _kinds(facts, made.get("sequences"))
    return made


def _kinds(facts: dict[str, Any], sequences: object) -> dict[str, Any]:
    regions = facts["regions"]
    subsets = facts.get("subsets") or [{"sequences": sequences, "dice": {}}]
    return {
        "patients": facts.get("patients"),
        "ways": facts.get("ways"),
        "kinds": [_kind(subset, regions, facts, full=k == 0) for k, subset in enumerate(subsets)],
    }


def _kind(
    subset: dict[str, Any], regions: dict[str, Any], facts: dict[str, Any], *, full: bool
) -> dict[str, Any]:
    """The first subset had all sequences; of the others only the Dice was measured."""
    dice = subset.get("dice", {})
    of_region = {
        name: {
            **region_keys,
            "volume": region_keys.get("volume") if full else None,
            "dice": dice.get(name),
        }
        for name, region_keys in regions.items()
    }
    return {
        "skull_stripped": None,
        "sequences": subset.get("sequences"),
        "patients": subset.get("patients", facts.get("patients")),
        "slices_per_case": subset.get("slices_per_case"),
        "regions": of_region,
    }

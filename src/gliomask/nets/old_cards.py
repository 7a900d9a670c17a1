"""Conversion of the keys of older model cards to the current ones.

``chosen_on`` is now ``validation_patients``. ``smallest_part`` was a clean-up by share, and
``validation`` with ``regions`` and ``subsets`` is a list of kinds of images whose kind is unknown.
"""

from __future__ import annotations

from typing import Any


def current_keys(keys: dict[str, Any]) -> dict[str, Any]:
    """Convert the keys of a card to the current ones; current keys are not changed."""
    card = dict(keys)
    if "chosen_on" in card:
        card["validation_patients"] = card.pop("chosen_on")
    if "smallest_part" in card:
        share = card.pop("smallest_part")
        card["clean_up"] = {"below_share": share} if share else None
    facts = card.get("validation")
    if isinstance(facts, dict) and "regions" in facts:
        card["validation"] = _kinds(facts, card.get("sequences"))
    return card


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

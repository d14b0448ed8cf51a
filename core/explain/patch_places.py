"""Where the patches of a patient lie on the slides, as the encoder stored it; no place is ever made up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from core.arrays import IntArray
from core.errors import PrognoscopeError
from core.features.encoders import Encoded

_WHERE = "the stored features of the slides"


@dataclass(frozen=True, eq=False)
class PatchPlaces:
    """``slides`` (n,) · ``coordinates`` (n, 2) and ``sides`` (by slide) in level-0 pixels · ``notes`` to show."""

    slides: IntArray
    coordinates: IntArray
    sides: Mapping[int, float]
    notes: tuple[str, ...] = ()


def patch_places(encoded: Encoded) -> PatchPlaces:
    """Read the places of a bag's rows.

    Raises
    ------
    PrognoscopeError
        For features without coordinates, or on a grid that does not tell how large a patch is: there is no map then.
    """
    if encoded.coordinates is None:
        raise PrognoscopeError("features without coordinates", _WHERE, "encode the slides here, or with coordinates")
    rows = len(encoded.features)
    slides = np.zeros(rows, dtype=np.int64) if encoded.sources is None else encoded.sources
    if len(encoded.coordinates) != rows or len(slides) != rows:
        raise PrognoscopeError(f"{rows} patches and {len(encoded.coordinates)} places", _WHERE, "encode them again")
    facts = encoded.facts.get("slides", {})
    sides, notes = {}, []
    for slide in np.unique(slides):
        stated = facts.get(str(slide), {}).get("side")
        if stated is None:
            notes.append("The size of a patch is taken from the step of the grid: the feature file does not state it.")
        sides[int(slide)] = _step(encoded.coordinates[slides == slide]) if stated is None else float(stated)
    return PatchPlaces(slides, encoded.coordinates, sides, tuple(dict.fromkeys([*notes, *encoded.warnings])))


def _step(coordinates: IntArray) -> float:
    """The smallest distance between two columns or rows of the grid."""
    steps = [np.diff(np.unique(coordinates[:, axis])) for axis in (0, 1)]
    every = np.concatenate(steps)
    if not len(every):
        raise PrognoscopeError("patches whose size nobody states", _WHERE, "encode the slides here")
    return float(every.min())

"""Two cohorts out of one: the patients of some sites, and everybody else. The second is there to score the first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np

from core.arrays import BoolArray
from core.cohort.cohort import Cohort, Provenance
from core.cohort.media_index import MediaIndex, load_media, save_media
from core.cohort.storage import load_cohort, load_original_ids, save_cohort
from core.cohort.wording import plural
from core.errors import PrognoscopeError
from core.results.workspace import Workspace, checked_name

LARGEST = "largest"
_SHARED_SCALE = "Values the source computed over all its patients (z-scores) still carry the sites that were parted."


def split_by_site(cohort: Cohort, sites: Sequence[str], rest_name: str, held_name: str) -> tuple[Cohort, Cohort]:
    """The cohort without ``sites``, and the cohort of ``sites`` alone.

    Parameters
    ----------
    sites : names of sites, or the one word ``largest``
    rest_name, held_name : names of the two cohorts

    Raises
    ------
    PrognoscopeError
        When the cohort has no site column or no such site, or when one of the two would have nobody with an event.
    """
    named, held = sites_mask(cohort, sites)
    words = ", ".join(named)
    rest = _derived(cohort, ~held, rest_name, f"{cohort.title} without site {words}")
    return rest, _derived(cohort, held, held_name, f"{cohort.title}, site {words}")


def sites_mask(cohort: Cohort, sites: Sequence[str]) -> tuple[tuple[str, ...], BoolArray]:
    """The sites' names and (n,) True for their patients; a patient without a site belongs to none."""
    known = cohort.sites
    if known is None:
        raise PrognoscopeError("no site column", f"cohort {cohort.name!r}", "name the column with --column site=NAME")
    counts = known.dropna().astype(str).value_counts()
    if tuple(sites) == (LARGEST,) and LARGEST not in counts.index:
        sites = (str(counts.index[0]),) if len(counts) else ()
    unknown = [s for s in sites if s not in counts.index]
    if unknown or not sites:
        most = ", ".join(f"{name} ({n})" for name, n in counts.head(5).items())
        raise PrognoscopeError(
            f"no site named {', '.join(unknown) or 'anything'}", f"cohort {cohort.name!r}", f"its largest sites: {most}"
        )
    return tuple(sites), np.asarray(known.astype("string").isin(list(sites)).fillna(False), dtype=bool)


def _derived(cohort: Cohort, mask: BoolArray, name: str, title: str) -> Cohort:
    part = cohort.take(mask)
    events = int(part.endpoint().event.sum())
    if len(part) < 2 or not events:
        raise PrognoscopeError(
            f"{plural(len(part), 'patient')} and {plural(events, 'event')}", title, "hold out another site"
        )
    source = cohort.provenance
    origin = f"{plural(len(part), 'patient')} of cohort {cohort.name}, content {cohort.content_hash[:12]}: {title}."
    notes = (*source.notes, origin, *((_SHARED_SCALE,) if cohort.genomics is not None else ()))
    now = datetime.now(UTC).isoformat(timespec="seconds")
    # a fold plan stays only where every fold still has somebody to be tested on
    folds = {k: f for k, f in part.folds.items() if set(range(cohort.folds[k].k)) <= set(f.test_fold.tolist())}
    return replace(
        part,
        name=checked_name(name, "cohort name"),
        title=title,
        folds=folds,
        provenance=Provenance(source.format, source.files, now, source.importer_version, notes),
    )


def split_into(
    workspace: Workspace, name: str, sites: Sequence[str], rest_name: str = "", held_name: str = ""
) -> tuple[Cohort, Cohort]:
    """Split a stored cohort and store both parts, with their map of original ids and their media."""
    cohort = load_cohort(name, workspace)
    named, _ = sites_mask(cohort, sites)
    tail = "-".join("".join(c for c in s.lower() if c.isalnum()) for s in named)
    parts = split_by_site(cohort, named, rest_name or f"{name}-without-{tail}", held_name or f"{name}-only-{tail}")
    originals, media = load_original_ids(name, workspace), load_media(name, workspace)
    for part in parts:
        members = set(part.ids)
        kept = {p: o for p, o in originals.items() if p in members}
        save_cohort(part, kept or None, workspace)
        save_media(part.name, MediaIndex(tuple(f for f in media.files if f.patient in members)), workspace)
    return parts

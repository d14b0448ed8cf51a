"""Which markers stand in what a run was given, and so cannot be held out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from core.cohort.marker_blocks import Markers
from core.cohort.media_index import MediaKind, load_media
from core.cohort.modality import Modality
from core.errors import PrognoscopeError
from core.features.marker_mentions import mentioned, redact
from core.media.reports import read_report
from core.results.run import Run
from core.results.workspace import Workspace

MEASURED: Mapping[str, Mapping[str, str]] = {
    "shape-intensity": {
        "tumour_size": "its axes are measured on the scans' tumour masks",
        "tumour_number": "the parts of the scans' tumour masks are counted",
    }
}
"""Encoder → marker → why its features hold the marker itself."""
PLAIN = {"afp": "log10_afp", "child_pugh_class": "child_pugh", "albi_grade": "albi"}


def is_redacted(run: Run) -> bool:
    """Whether the run's reports were encoded with all mentions of markers blanked."""
    how = dict(run.config.get("encoders", {})).get(Modality.REPORTS.value, {})
    return bool(dict(how.get("settings", {})).get("redact", False))


def leaked_markers(run: Run, markers: Markers, ids: Sequence[str], workspace: Workspace) -> dict[str, str]:
    """Marker → why it is no held-out marker of this run: words of the reports, or features of scans, give it away."""
    measured = _measured(run, markers)
    if Modality.REPORTS.value not in run.modalities:
        return measured
    hidden, found = is_redacted(run), Counter[str]()
    index = load_media(run.cohort, workspace)
    readable = 0
    for patient in ids:
        texts = []
        for file in index.of(patient, Modality.REPORTS, MediaKind.REPORT):
            try:
                texts.append(read_report(file.path))
            except PrognoscopeError:
                continue  # a report that could not be read was no input either; encode reported it
        if texts:
            readable += 1
            text = "\n".join(redact(t) if hidden else t for t in texts)
            found.update(mentioned(text, {_mention(m) for m in markers.values}))
    return {**measured, **_in_words(found, markers, readable)}


def _measured(run: Run, markers: Markers) -> dict[str, str]:
    encoders = {str(how.get("name")) for how in dict(run.config.get("encoders", {})).values()}
    given = {marker: why for name in encoders for marker, why in MEASURED.get(name, {}).items()}
    return {marker: given[_mention(marker)] for marker in markers.values if _mention(marker) in given}


def _mention(marker: str) -> str:
    return PLAIN.get(marker, marker)


def _in_words(found: Mapping[str, int], markers: Markers, readable: int) -> dict[str, str]:
    leaked = {}
    for marker in markers.values:
        count = found.get(_mention(marker), 0)
        if count:
            leaked[marker] = f"mentioned in the reports of {count:,} of {readable:,} patients"
    return leaked

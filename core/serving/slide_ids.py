"""Names of slides for addresses: opaque, so that neither a path nor a pseudonym ever stands in one."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections import OrderedDict
from dataclasses import dataclass
from threading import Lock

from core.cohort.media_index import MediaFile, MediaKind
from core.cohort.modality import Modality
from core.errors import PrognoscopeError
from core.results.workspace import Workspace
from core.serving.opaque import media_of

_SECRET = secrets.token_bytes(32)
"""One a process, like the tokens': a restart voids every address given out."""
_MOST = 50_000


@dataclass(frozen=True)
class SlideRef:
    """Slide ``number`` (in the order of the media index) of a patient of a cohort."""

    cohort: str
    patient: str
    number: int


_known: OrderedDict[str, SlideRef] = OrderedDict()
_lock = Lock()


def slide_id(ref: SlideRef) -> str:
    """The id of a slide: a keyed hash that only this process can make, remembered so that it can find the slide."""
    text = f"{ref.cohort}\0{ref.patient}\0{ref.number}"
    name = hmac.new(_SECRET, text.encode(), hashlib.sha256).hexdigest()[:32]
    with _lock:
        _known[name] = ref
        _known.move_to_end(name)
        if len(_known) > _MOST:
            _known.popitem(last=False)
    return name


def slide_ref(name: str) -> SlideRef:
    """The slide an id was made for; raises for any other text."""
    with _lock:
        ref = _known.get(name)
    if ref is None:
        raise _unknown()
    return ref


def patient_slides(cohort: str, patient: str, workspace: Workspace) -> tuple[MediaFile, ...]:
    """The slides of a patient, in the order in which they are numbered."""
    return media_of(cohort, workspace).of(patient, Modality.SLIDES, MediaKind.SLIDE)


def slide_file(ref: SlideRef, workspace: Workspace) -> MediaFile:
    """The file of a slide, from the cohort's index of media."""
    files = patient_slides(ref.cohort, ref.patient, workspace)
    if not 0 <= ref.number < len(files):
        raise _unknown()
    return files[ref.number]


def _unknown() -> PrognoscopeError:
    return PrognoscopeError("a slide that is not known (any more)", "the address", "open the patient's page again")

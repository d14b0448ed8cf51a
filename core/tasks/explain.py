"""Explain a patient's estimate: every kind of explanation that the run and the patient's files allow."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module

from core.cohort.modality import Modality
from core.errors import PrognoscopeError
from core.explain.run_models import RunModels
from core.results.explained import Kind, default_month
from core.results.workspace import Workspace
from core.tasks.run_models import open_run
from core.tasks.train import Progress, silent

Maker = Callable[[RunModels, str, float, Workspace, Progress], None]

MAKERS: Mapping[Kind, str] = {
    Kind.VALUES: "core.tasks.explain_values:make",
    Kind.SLIDE: "core.tasks.explain_slide:make",
    Kind.SCAN: "core.tasks.explain_scan:make",
    Kind.REPORT: "core.tasks.explain_report:make",
}
"""Kind → ``make(models, patient, month, workspace, progress)``, which computes and stores. Loaded when it is needed."""

NEEDS: Mapping[Kind, Modality] = {
    Kind.SLIDE: Modality.SLIDES,
    Kind.SCAN: Modality.VOLUMES,
    Kind.REPORT: Modality.REPORTS,
}
"""The modality that a kind looks into; values explain any."""


@dataclass(frozen=True)
class ExplainRequest:
    """Whose estimate to explain: ``month`` None for the run's horizon nearest 36, ``kinds`` empty for all there are,
    ``cohort`` of a patient who is new to the run ("" = the run's own)."""

    run: str
    patient: str
    month: float | None = None
    kinds: tuple[str, ...] = ()
    cohort: str = ""


@dataclass(frozen=True)
class Explained:
    """What was made and stored; ``refused`` says for each of the other kinds why it was not."""

    run: str
    month: float
    made: tuple[Kind, ...]
    refused: Mapping[Kind, str] = field(default_factory=dict)


def explain(request: ExplainRequest, workspace: Workspace, progress: Progress = silent) -> Explained:
    """Make and store the explanations of one patient; a kind that cannot be made does not stop the others.

    Raises
    ------
    PrognoscopeError
        When the run cannot be opened, it does not judge the patient, or no kind at all could be made.
    """
    wanted = tuple(_kind(k) for k in request.kinds)
    progress(0.0, "reading the run")
    models = open_run(request.run, workspace, request.cohort)
    models.row(request.patient)  # an unknown patient is named before any work
    month = default_month(models.run.horizons) if request.month is None else float(request.month)
    possible, refused = _possible(models, request.patient, wanted)
    made: list[Kind] = []
    errors: list[PrognoscopeError] = []
    for place, kind in enumerate(possible):
        try:
            _maker(kind)(models, request.patient, month, workspace, _share(progress, place, len(possible)))
            made.append(kind)
        except PrognoscopeError as error:
            refused[kind] = str(error)
            errors.append(error)
    if not made:
        raise errors[0] if errors else PrognoscopeError(
            "; ".join(refused.values()), f"run {models.run.id}", "choose another kind of explanation"
        )  # fmt: skip
    progress(1.0, "stored")
    return Explained(models.run.id, month, tuple(made), refused)


def _kind(name: str) -> Kind:
    if name not in set(Kind):
        raise PrognoscopeError(f"no kind of explanation named {name!r}", "--kinds", f"use {', '.join(Kind)}")
    return Kind(name)


def _possible(models: RunModels, patient: str, wanted: tuple[Kind, ...]) -> tuple[list[Kind], dict[Kind, str]]:
    """The kinds that the run's modalities and the patient's files allow, and why those asked for beside them are not.

    Of the kinds that nobody asked for by name only those are refused aloud that the run could have used.
    """
    row = models.row(patient)
    possible: list[Kind] = []
    refused: dict[Kind, str] = {}
    for kind in wanted or tuple(Kind):
        need = NEEDS.get(kind)
        if need is None or (need in models.inputs.modalities and bool(models.inputs.present[need][row])):
            possible.append(kind)
        elif need in models.inputs.modalities:
            refused[kind] = f"the patient has no {need.value}"
        elif wanted:
            refused[kind] = f"the run's models take no {need.value}"
    return possible, refused


def _maker(kind: Kind) -> Maker:
    module, _, function = MAKERS[kind].partition(":")
    maker: Maker = getattr(import_module(module), function)
    return maker


def _share(progress: Progress, place: int, count: int) -> Progress:
    """Progress of one kind as its part of the whole."""
    return lambda share, message: progress(0.02 + 0.97 * (place + share) / count, message)

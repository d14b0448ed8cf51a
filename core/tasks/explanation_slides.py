"""The slide half of ``bench explanations``: maps against planted regions, and against models that learned nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np
from scipy.stats import spearmanr

from core.arrays import BoolArray, FloatArray
from core.cohort.media_index import MediaKind, load_media
from core.cohort.modality import Modality
from core.cohort.storage import load_cohort
from core.explain.faithfulness import Curves, deletion_curves
from core.explain.map_truth import MapScore, halves, high_risk_score, map_scores, mean_auroc, scorable
from core.explain.other_models import OtherModels, trained_on_permuted, untrained
from core.explain.patch_places import patch_places
from core.explain.run_models import RunModels, UnseenModel
from core.explain.slide_layers import whole_layers
from core.explain.slide_maps import evidence_of
from core.features.encoded import load_features
from core.features.inputs import Outcome, build_dataset
from core.results.explained import default_month
from core.results.files import read_json, write_json
from core.results.slide_maps import MapLayer
from core.results.workspace import Workspace
from core.tasks.planted_truth import planted_patches
from core.tasks.run_models import open_run
from core.tasks.train import Progress

DRAWS = 8
"""Of random networks: each set points in a direction of its own, the same on all slides of its fold."""
SCORES_VERSION = 1
"""Raised whenever a change of the code changes a map."""
LAYERS = ("attention", "gradient-attention", "relevance")
"""What may become the default layer: not the uncertainty, and no single expert."""


@dataclass(frozen=True)
class ScoredRun:
    """The scores of every layer on every scorable slide of one run; ``seeds`` models of each patient."""

    words: str
    run: str
    seeds: int
    scores: tuple[MapScore, ...]

    @property
    def patients(self) -> frozenset[str]:
        """Those whose slides could be scored."""
        return frozenset(s.patient for s in self.scores)


@dataclass(frozen=True, eq=False)
class MeasuredRun:
    """Maps of patients of one run: ``layers`` patient → layer key → layer · ``truth`` patient → (n,)."""

    words: str
    models: RunModels
    month: float
    layers: Mapping[str, Mapping[str, MapLayer]]
    truth: Mapping[str, BoolArray]
    scores: tuple[MapScore, ...]


def scored_run(words: str, run: str, workspace: Workspace, progress: Progress) -> ScoredRun:
    """Scores of a stored run, kept in the workspace: a bench that was stopped goes on where it was."""
    path = workspace.cells / f"maps-{SCORES_VERSION}-{run}.json"
    if not path.is_file():
        models = open_run(run, workspace)
        found = measure(words, models, planted_slides(models, workspace), progress)
        workspace.cells.mkdir(parents=True, exist_ok=True)
        write_json(path, {"seeds": len(models.run.seeds), "scores": [asdict(s) for s in found.scores]})
    stored = read_json(path)
    return ScoredRun(words, run, int(stored["seeds"]), tuple(MapScore(**s) for s in stored["scores"]))


def planted_slides(models: RunModels, workspace: Workspace) -> dict[str, BoolArray]:
    """Patient → which patches are planted, for every slide that shows both kinds of tissue."""
    media = load_media(models.run.cohort, workspace)
    features = load_features(models.run.cohort, workspace, models.run.config.get("encoders", {}))
    found = {}
    for patient in models.inputs.ids:
        files = media.of(patient, Modality.SLIDES, MediaKind.SLIDE)
        encoded = features.read(patient, Modality.SLIDES) if files else None
        if encoded is None:
            continue
        truth = planted_patches(patient, files[0].path, patch_places(encoded))
        if truth is not None and scorable(truth):
            found[patient] = truth
    return found


def measure(words: str, models: RunModels, truth: Mapping[str, BoolArray], progress: Progress) -> MeasuredRun:
    """The layers of every patient of ``truth``, by the models that never saw them, and their scores."""
    month = default_month(models.run.horizons)
    layers: dict[str, dict[str, MapLayer]] = {}
    scores: list[MapScore] = []
    known: dict[int, tuple[UnseenModel, ...]] = {}
    for place, patient in enumerate(truth):
        progress(place / len(truth), f"{words}: map {place + 1} of {len(truth)}")
        unseen = fold_models(models, patient, known)
        evidence = evidence_of(models, patient, unseen, month, (), lambda s, m: None)
        layers[patient] = {x.key: x for x in whole_layers(evidence, month) if x.key in LAYERS}
        scores += map_scores(patient, tuple(layers[patient].values()), truth[patient])
    return MeasuredRun(words, models, month, layers, truth, tuple(scores))


def fold_models(models: RunModels, patient: str, known: dict[int, tuple[UnseenModel, ...]]) -> tuple[UnseenModel, ...]:
    """The models that never saw the patient, each read once."""
    fold = int(models.fold[models.row(patient)])
    if fold not in known:
        known[fold] = models.of_fold(fold)
    return known[fold]


@dataclass(frozen=True)
class Chosen:
    """The model and layer that find the planted regions best on the slides they are chosen on."""

    run: int
    layer: str
    on_choosing: float
    held_out: tuple[MapScore, ...]
    chosen_on: int


def choose(measured: Sequence[ScoredRun]) -> Chosen:
    """Model and layer by the mean AUROC on one half of the slides; scored on the other half, which chose nothing."""
    first, second = halves(sorted(frozenset.intersection(*(m.patients for m in measured))))
    tables = [mean_auroc(m.scores, first) for m in measured]
    value, run, layer = max((v, -i, key) for i, table in enumerate(tables) for key, v in table.items() if key in LAYERS)
    held = tuple(s for s in measured[-run].scores if s.layer == layer and s.patient in second)
    return Chosen(-run, layer, value, held, len(first))


@dataclass(frozen=True)
class Sanity:
    """A layer of models that learned nothing beside the true one.

    ``auroc`` against the planted patches · ``correlation`` mean Spearman correlation with the true map ·
    ``size`` mean of its absolute value.
    """

    auroc: float
    correlation: float
    size: float
    slides: int


def beside(other: OtherModels, true: MeasuredRun, layer: str, patients: Sequence[str], progress: Progress) -> Sanity:
    """Maps of other models on these patients, with as many models averaged as in the true map."""
    found = measure("models that learned nothing", other, {p: true.truth[p] for p in patients}, progress)
    aurocs = [s.auroc for s in found.scores if s.layer == layer]
    pairs = [
        float(spearmanr(found.layers[p][layer].values, true.layers[p][layer].values).statistic)
        for p in patients
        if layer in found.layers[p] and np.ptp(found.layers[p][layer].values) > 0
    ]
    return Sanity(
        float(np.mean(aurocs)) if aurocs else float("nan"),
        float(np.mean(pairs)) if pairs else float("nan"),
        float(np.mean(np.abs(pairs))) if pairs else float("nan"),
        len(pairs),
    )


def without_training(true: MeasuredRun, layer: str, patients: Sequence[str], progress: Progress) -> Sanity:
    """Randomised weights: the mean over several draws of as many networks as the true map is a mean of."""
    drawn = []
    for draw in range(DRAWS):

        def tell(share: float, message: str, at: int = draw) -> None:
            progress((at + share) / DRAWS, message)

        drawn.append(beside(untrained(true.models, draw), true, layer, patients, tell))
    auroc, correlation, size = (
        float(np.mean([getattr(d, k) for d in drawn])) for k in ("auroc", "correlation", "size")
    )
    return Sanity(auroc, correlation, size, drawn[0].slides)


def on_permuted(
    true: MeasuredRun, layer: str, patients: Sequence[str], workspace: Workspace, progress: Progress
) -> Sanity:
    """Permuted labels."""
    other = trained_on_permuted(true.models, outcome_of(true.models, workspace), lambda s, m: progress(0.7 * s, m))
    return beside(other, true, layer, patients, lambda s, m: progress(0.7 + 0.3 * s, m))


def outcome_of(models: RunModels, workspace: Workspace) -> Outcome:
    """The outcome of the run's patients, row for row."""
    run = models.run
    cohort = load_cohort(run.cohort, workspace)
    features = load_features(run.cohort, workspace, run.config.get("encoders", {}))
    dataset = build_dataset(cohort, cohort.endpoint(run.endpoint), models.inputs.modalities, features)
    place = {patient: row for row, patient in enumerate(dataset.inputs.ids)}
    return dataset.outcome.take(np.array([place[p] for p in models.inputs.ids]))


def curves_of(true: MeasuredRun, layer: str, patients: Sequence[str], progress: Progress) -> tuple[Curves, ...]:
    """Deletion and insertion by the layer against chance."""
    known: dict[int, tuple[UnseenModel, ...]] = {}
    found = []
    for place, patient in enumerate(patients):
        progress(place / len(patients), f"deletion: slide {place + 1} of {len(patients)}")
        risk: FloatArray = high_risk_score(true.layers[patient][layer])
        found.append(deletion_curves(true.models, patient, fold_models(true.models, patient, known), risk, true.month))
    return tuple(found)

"""A stored run, its patients' inputs, and the models that may speak of each patient: where explanations begin."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np

from core.arrays import IntArray
from core.cohort.cohort import Cohort
from core.cohort.modality import Modality
from core.errors import PrognoscopeError
from core.features.inputs import EncodedFeatures, Inputs, build_dataset
from core.results.prediction import Predictions
from core.results.run import Run
from core.training.ensemble import NEVER_SEEN
from core.training.neural import FittedNeural, restore_neural
from core.training.scoring_files import read_run_inputs
from core.training.state_files import read_state
from core.training.units import unit_name


@dataclass(frozen=True, eq=False)
class UnseenModel:
    """One model of a run that was not trained on the patient; ``trained_on`` are the rows it was trained on."""

    fold: int
    seed: int
    fitted: FittedNeural
    trained_on: IntArray


@dataclass(frozen=True, eq=False)
class RunModels:
    """A run with the inputs of all its patients, row for row in the order of ``inputs.ids``.

    ``folder`` its checkpoints · ``fold`` (n,) the fold that tested each patient, ``NEVER_SEEN`` for a new one ·
    ``strangers`` the cohort of the new ones, "" where there are none.
    """

    run: Run
    inputs: Inputs
    fold: IntArray
    folder: Path
    strangers: str = field(default="", kw_only=True)

    @classmethod
    def of(
        cls, run: Run, cohort: Cohort, predictions: Predictions, folder: Path, features: EncodedFeatures | None
    ) -> RunModels:
        """From what is stored. ``folder`` holds ``fold<k>-seed<s>.safetensors``.

        Raises
        ------
        PrognoscopeError
            When the cohort was imported again or encoded in another way since.
        """
        if run.cohort_hash != cohort.content_hash:
            raise PrognoscopeError(
                "a cohort that was imported again after the run was trained", f"run {run.id}",
                "train the run again with the command in its record",
            )  # fmt: skip
        modalities = tuple(Modality(m) for m in run.modalities)
        dataset = build_dataset(cohort, cohort.endpoint(run.endpoint), modalities, features)
        trained_with = read_run_inputs(folder, run.id).encoders
        changed = sorted(m for m, how in trained_with.items() if dict(how) != dict(dataset.encoders.get(m, {})))
        if changed:
            raise PrognoscopeError(
                f"{', '.join(changed)} that were encoded in another way since the run was trained", f"run {run.id}",
                f"encode them as the run's were, or train the run again: ./run cli encode {cohort.name}",
            )  # fmt: skip
        tested = predictions.table.drop_duplicates("id").set_index("id")["fold"]
        known = np.array([i in tested.index for i in dataset.inputs.ids])
        inputs = dataset.inputs.take(np.flatnonzero(known))
        return cls(run, inputs, tested.loc[list(inputs.ids)].to_numpy(dtype=np.int64), folder)

    def with_new(self, inputs: Inputs, cohort: str) -> RunModels:
        """With patients of another ``cohort``, in the form of this run (:func:`core.features.alignment.align`).

        No model was trained on them: all may speak of them, and none takes them into its background. One of the run's
        own patients among them stays what they are.
        """
        new = inputs.take(np.array([i for i, name in enumerate(inputs.ids) if name not in self._rows], dtype=np.int64))
        fold = np.concatenate([self.fold, np.full(len(new), NEVER_SEEN, dtype=np.int64)])
        return RunModels(self.run, self.inputs.joined(new), fold, self.folder, strangers=cohort)

    @cached_property
    def own(self) -> RunModels:
        """The run's own patients alone: what is measured of the run, and not of one patient, is measured on them."""
        known = np.flatnonzero(self.fold != NEVER_SEEN)
        if len(known) == len(self.fold):
            return self
        return RunModels(self.run, self.inputs.take(known), self.fold[known], self.folder)

    def is_new(self, patient: str) -> bool:
        """Whether no model of the run was trained on anybody of this patient's cohort."""
        return int(self.fold[self.row(patient)]) == NEVER_SEEN

    def cohort_of(self, patient: str) -> str:
        """The cohort that holds the patient's files and features."""
        return self.strangers if self.is_new(patient) else self.run.cohort

    @cached_property
    def _rows(self) -> dict[str, int]:
        return {patient: row for row, patient in enumerate(self.inputs.ids)}

    def row(self, patient: str) -> int:
        """The row of a pseudonym; raises for a patient the run does not judge."""
        if patient not in self._rows:
            raise PrognoscopeError(
                "a patient this run gives no estimate for", f"run {self.run.id}",
                "choose one of the run's patients, or score the patient's cohort (./run cli predict)",
            )  # fmt: skip
        return self._rows[patient]

    def unseen(self, patient: str) -> tuple[UnseenModel, ...]:
        """The models that never saw this patient, one a seed (all, of a new patient); the estimate shown is the mean
        of theirs."""
        return self.of_fold(int(self.fold[self.row(patient)]))

    def of_fold(self, fold: int) -> tuple[UnseenModel, ...]:
        """The models whose test patients are those of ``fold``; every model for ``NEVER_SEEN``."""
        if fold not in self._opened:
            self._opened.clear()  # those of another fold are asked for when this patient is done
            folds = range(self.run.n_folds) if fold == NEVER_SEEN else (fold,)
            self._opened[fold] = tuple(model for k in folds for model in self._read(k))
        return self._opened[fold]

    @cached_property
    def _opened(self) -> dict[int, tuple[UnseenModel, ...]]:
        """The models asked for last, by fold."""
        return {}

    def _read(self, fold: int) -> tuple[UnseenModel, ...]:
        trained = np.flatnonzero((self.fold != fold) & (self.fold != NEVER_SEEN))
        return tuple(UnseenModel(fold, seed, self.model(fold, seed), trained) for seed in self.run.seeds)

    def model(self, fold: int, seed: int) -> FittedNeural:
        """One trained model, read from its checkpoint."""
        state = read_state(self.folder / unit_name(fold, seed))
        if "edges" not in state.settings:
            raise PrognoscopeError(
                f"a run of {self.run.model}, which is no neural model", f"run {self.run.id}",
                "explain a run of hdmoe, biofact, mice or snn",
            )  # fmt: skip
        return restore_neural(state)

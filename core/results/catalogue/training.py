"""The settings of a training, the same for every network, and the presets all of them have."""

from __future__ import annotations

from dataclasses import replace

from core.results.catalogue.records import Preset, Setting, SettingValue

TRAINING = (
    Setting("training.epochs", "Epochs", 10,
            "How often every training patient is seen. A fixed budget: nothing outside the training fold ends it."),
    Setting("training.batch_size", "Patients a step", 32,
            "Patients in one step. Below 8 the balance of the experts means little."),
    Setting("training.learning_rate", "Learning rate", 5e-4, "Length of a step of the optimiser (Adam)."),
    Setting("training.weight_decay", "Weight decay", 1e-5, "Pulls the weights towards zero."),
    Setting("training.decay", "Learning rate falls", True,
            "The learning rate falls to zero towards the last epoch, as in the released HDMoE code."),
    Setting("training.balanced", "Balanced drawing", False,
            "Draw patients so that every time bin, with and without the event, comes equally often (released code)."),
    Setting("training.gene_scale", "Scale of genes", "rank",
            "rank: place among the training patients; z-score: standard deviations from their mean.",
            choices=("rank", "z-score")),
    Setting("training.censoring", "Censored patients count", "exact",
            "exact: up to their last month; published: to the end of its time bin.", choices=("exact", "published")),
    Setting("training.patch_sample", "Patches of a slide a step", 2048,
            "Train on at most so many random patches of each patient; predictions always use all. Empty: all.",
            optional=True),
    Setting("training.bfloat16", "Half precision", False, "Faster on a GPU, with rounder numbers."),
)  # fmt: skip

PRETRAINING = Setting(
    "training.pretrain_epochs", "Epochs before survival", 0,
    "Epochs in which the model learns from the training patients' reports alone, before survival.",
)  # fmt: skip


def training_settings(**defaults: SettingValue) -> tuple[Setting, ...]:
    """The settings of a training with a model's own defaults, by their names without ``training.``."""
    offered = (TRAINING[0], PRETRAINING, *TRAINING[1:]) if "pretrain_epochs" in defaults else TRAINING
    return tuple(replace(s, default=defaults.get(s.name.removeprefix("training."), s.default)) for s in offered)


RECOMMENDED = Preset("recommended", "Recommended", "The defaults; EVIDENCE.md says on which patients they were chosen.")
SMALL = Preset(
    "small-cohort", "Small cohort", "Twice the epochs in half the batches: for fewer than about 300 patients.",
    {"training.epochs": 20, "training.batch_size": 16},
)  # fmt: skip
QUICK = Preset(
    "quick", "Quick look", "Three epochs, one seed, no simpler models: shows that everything works. Believe no number.",
    {"training.epochs": 3}, seeds=1, references=False,
)  # fmt: skip

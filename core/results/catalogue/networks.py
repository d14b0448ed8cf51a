"""The networks: HDMoE, MICE and the plain network they have to beat."""

from __future__ import annotations

from core.results.catalogue.records import ModelEntry, Preset, Setting
from core.results.catalogue.training import QUICK, RECOMMENDED, SMALL, TRAINING, training_settings

EVERY_MODALITY = ("slides", "volumes", "genomics", "reports", "clinical")

_HDMOE = (
    Setting("width", "Width of a modality", 256, "Numbers that describe one modality of a patient."),
    Setting("token_dim", "Width of a token", 64, "Each modality is cut into tokens of this width; must divide it."),
    Setting("n_experts", "Experts a level", 8, "Specialised experts at each level, beside the shared one."),
    Setting("top_k", "Experts a token", 1, "How many experts each token is sent to."),
    Setting("expert_hidden", "Hidden width of an expert", 128, "Size of an expert's inner layer."),
    Setting("family_hidden", "Hidden width of a gene family", 256, "Size of the inner layer that reads a gene family."),
    Setting("gene_dropout", "Dropout of genes", 0.1, "Share of the gene layers switched off at random in training."),
    Setting("patch_dropout", "Dropout of patches", 0.25, "The same for the layers that read patches and scans."),
    Setting("distance", "Distance of decoupling", "cosine",
            "How the loss measures that shared and specialised experts say different things.",
            choices=("cosine", "l1", "kl", "mse")),
    Setting("alpha", "Weight of decoupling", 0.1, "Weight of that distance in the loss (the paper's α)."),
    Setting("beta", "Weight of balance", 0.01, "Weight of the loss that keeps every expert in use (the paper's β)."),
    Setting("reorganise_rate", "Patients reorganised", 0.0,
            "Share of training patients whose features are reorganised at a step; the paper uses all (1)."),
    Setting("fine_tokens", "Fine tokens", True, "Off: one token a modality."),
    Setting("de_redundancy", "Shared expert first", True, "Off: tokens reach the experts with what they share."),
    Setting("reorganise1", "Reorganise at level 1", True, "Off: the plain order of features at level 1."),
    Setting("reorganise2", "Reorganise at level 2", True, "Off: the plain order of features at level 2."),
    Setting("decoupling", "Decoupling loss", True, "Off: nothing keeps the experts apart."),
    Setting("compat", "Form", "paper",
            "upstream: the only form the released code can run; slides and genomics, one token a modality.",
            choices=("paper", "upstream")),
)  # fmt: skip

_BIOFACT = (
    Setting("width", "Width of the patient", 128, "Numbers that describe a patient before the experts."),
    Setting("rank", "Rank of an expert", 4, "How little an expert may change: at most the width."),
    Setting("hidden", "Hidden width", 256, "Size of the inner layers that read the modalities."),
    Setting("dropout", "Dropout", 0.2, "Share of a layer switched off at random in training."),
    Setting("temperature", "Temperature of the contrastive loss", 0.07, "Where the learned temperature begins."),
    Setting("part_weight", "Weight of the sentences", 1.0,
            "Weight of the liver and tumour sentences beside that of the whole report."),
    Setting("contrast", "Teaching beside survival", 1.0,
            "Weight of what reports teach while survival is trained; 0 leaves it to the epochs before."),
    Setting("apart", "Experts kept apart", 1.0,
            "Weight of keeping each expert unrelated to the other part's sentences."),
    Setting("gate_weight", "Teaching of the gate", 1.0,
            "Weight of teaching the gate which of the two a report finds diseased."),
    Setting("head", "Form of the hazard", "cox",
            "cox: one log-hazard a patient, from all training patients at once; hazards: as the other models.",
            choices=("cox", "hazards")),
    Setting("supervision", "What teaches the experts", "biological",
            "biological: the liver and tumour sentences; none, shuffled and swapped are controls.",
            choices=("biological", "none", "shuffled", "swapped")),
    Setting("router", "Router", "gate", "random is a control: weights that know nothing of the patient.",
            choices=("gate", "random")),
)  # fmt: skip

_MICE = (
    Setting("width", "Width of a modality", 128, "Numbers that describe one modality of a patient."),
    Setting("overlapping", "Overlapping experts", 6, "Experts that every cancer may use."),
    Setting("keep", "Overlapping experts kept", 4, "How many of them a patient keeps."),
    Setting("rank", "Width of the other experts", 32, "Head width of the consensual and the specialised experts."),
    Setting("gene_encoder", "Genes read as", "families",
            "families: gene families, then joined; vector: all genes in one vector (released).",
            choices=("families", "vector")),
    Setting("gene_hidden", "Hidden width of genes", 256, "Size of the inner layer that reads the genes."),
    Setting("clinical_hidden", "Hidden width of clinical data", 256,
            "Size of the inner layer that reads the clinical columns."),
    Setting("dropout", "Dropout", 0.2, "Share of a layer switched off at random in training."),
    Setting("hazards", "Hazards begin at", "cancer",
            "cancer: the average of each cancer; shared: the average of all patients (released).",
            choices=("cancer", "shared")),
    Setting("skip", "Path round the experts", True,
            "The experts correct what the modalities say themselves; off: all goes through them (released)."),
    Setting("alpha", "Weight of the contrastive loss", 0.0,
            "Weight of the loss that brings the modalities of one patient together."),
    Setting("temperature", "Temperature of the contrastive loss", 0.1, "Lower: only the nearest patients count."),
    Setting("noise", "Noise of the router", "softplus",
            "linear: the released form, whose scale can become negative.", choices=("softplus", "linear")),
    Setting("renormalise", "Weights sum to 1", True,
            "Off: the smallest weights are dropped and the rest stay as they are (released)."),
    Setting("synthesis", "Missing modality", "cancer",
            "What stands in for it: a vector of the cancer (released), or one made from the patient's other "
            "modalities.", choices=("cancer", "reconstruction")),
    Setting("modality_dropout", "Modalities hidden", 0.25,
            "Share of present modalities hidden in training; only with a reconstructed missing modality."),
    Setting("use_consensual", "Consensual expert", True, "Off: no expert that all patients share."),
    Setting("use_specialised", "Specialised experts", True, "Off: no expert of each cancer."),
    Setting("use_overlapping", "Overlapping experts in use", True, "Off: no experts between those two."),
)  # fmt: skip

_SNN = (
    Setting("family_hidden", "Hidden width of a gene family", 256, "Size of the inner layer that reads a gene family."),
    Setting("width", "Width", 256, "Size of the network's layers."),
    Setting("dropout", "Dropout", 0.25, "Share of a layer switched off at random in training."),
)

SNN_SETTINGS = _SNN

NETWORKS = (
    ModelEntry(
        "hdmoe", "HDMoE", "Two levels of experts: within a modality, then across modalities.", EVERY_MODALITY, True,
        (*_HDMOE, *TRAINING),
        (
            RECOMMENDED, SMALL,
            Preset("published", "Published values", "The weights and widths of the released HDMoE code.",
                   {"family_hidden": 1024, "gene_dropout": 0.25, "alpha": 1.0, "reorganise_rate": 1.0}),
            QUICK,
        ),
    ),
    ModelEntry(
        "biofact", "BioFact-MoE", "Two experts that learned from reports what liver and tumour mean.", EVERY_MODALITY,
        True, (*_BIOFACT, *training_settings(epochs=60, pretrain_epochs=20)),
        (
            RECOMMENDED,
            Preset("quick", "Quick look", QUICK.tooltip, {"training.epochs": 3, "training.pretrain_epochs": 2}, 1,
                   False),
        ),
        named_experts=("liver", "tumour"),
    ),
    ModelEntry(
        "mice", "MICE", "Shared, overlapping and cancer-specific experts, for one or many cancers.", EVERY_MODALITY,
        True, (*_MICE, *TRAINING),
        (
            RECOMMENDED, SMALL,
            Preset("published", "Published values", "The sizes, router, gene reader and weights of the released code.",
                   {"width": 256, "overlapping": 15, "keep": 9, "rank": 64, "alpha": 2.0, "gene_encoder": "vector",
                    "noise": "linear", "renormalise": False, "hazards": "shared", "skip": False}),
            QUICK,
        ),
    ),
    ModelEntry(
        "snn", "Self-normalising network", "A plain network without experts: what every mixture has to beat.",
        EVERY_MODALITY, True, (*_SNN, *TRAINING), (RECOMMENDED, SMALL, QUICK),
    ),
)  # fmt: skip

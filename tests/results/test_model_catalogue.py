"""The light list of models says what the registry and every configuration say."""

from __future__ import annotations

import dataclasses
import typing
from typing import Any

import pytest

from core.models.baselines.cox import ClinicalCox, PenalisedCox
from core.models.baselines.forest import SurvivalForest
from core.models.biofact.config import FACTORS
from core.models.biofact.model import BioFact
from core.models.hdmoe.config import PUBLISHED as HDMOE_PUBLISHED
from core.models.mice.config import PUBLISHED as MICE_PUBLISHED
from core.models.network import SurvivalNetwork
from core.models.registry import MODELS
from core.results.model_catalogue import CATALOGUE, named_experts, setting_words, value_words
from core.training.config import TrainingConfig
from core.training.estimators import EstimatorSpec, estimator_names, make_estimator, training_from

SIMPLE = {"cox-clinical": ClinicalCox, "cox-penalised": PenalisedCox, "forest": SurvivalForest}
PUBLISHED = {"hdmoe": HDMOE_PUBLISHED, "mice": MICE_PUBLISHED}


def configuration(name: str) -> type[Any] | None:
    if name == "late-fusion":
        return MODELS["snn"].config
    return MODELS[name].config if name in MODELS else SIMPLE.get(name)


def words_of(hint: Any) -> tuple[str, ...]:
    return typing.get_args(hint) if typing.get_origin(hint) is typing.Literal else ()


def fields_of(kind: type[Any], prefix: str = "") -> dict[str, tuple[Any, tuple[str, ...]]]:
    hints = typing.get_type_hints(kind)
    left_out = ("name", "protocol")  # the protocol is a choice of its own
    return {
        f"{prefix}{f.name}": (f.default, words_of(hints[f.name]))
        for f in dataclasses.fields(kind)
        if f.name not in left_out
    }


def test_every_model_is_listed_under_its_title() -> None:
    assert set(CATALOGUE) == set(estimator_names())
    assert {n: CATALOGUE[n].title for n in MODELS} == {n: m.title for n, m in MODELS.items()}


@pytest.mark.parametrize("name", sorted(CATALOGUE))
def test_settings_defaults_and_choices_are_those_of_the_configuration(name: str) -> None:
    kind = configuration(name)
    expected = fields_of(kind) if kind is not None else {}
    if CATALOGUE[name].trained:
        own = MODELS[name].training if name in MODELS else {}
        training = fields_of(TrainingConfig, "training.") | {
            f"training.{field}": (default, ()) for field, default in own.items()
        }
        if "pretrain_epochs" not in own:  # a model without such epochs is not asked about them
            training.pop("training.pretrain_epochs")
        expected |= training
    listed = {s.name: (s.default, s.choices) for s in CATALOGUE[name].settings}
    assert listed == expected
    assert {n: type(v) for n, (v, _) in listed.items()} == {n: type(v) for n, (v, _) in expected.items()}


@pytest.mark.parametrize("name", sorted(CATALOGUE))
def test_every_preset_can_be_trained_and_says_what_it_is_for(name: str) -> None:
    for preset in CATALOGUE[name].presets:
        model, training = training_from(preset.settings)
        make_estimator(EstimatorSpec(name, model, training))
        assert CATALOGUE[name].non_default(preset.settings) == dict(preset.settings)
        assert len(preset.tooltip) > 10


@pytest.mark.parametrize("name", sorted(PUBLISHED))
def test_published_presets_end_in_the_published_configuration(name: str) -> None:
    kind = configuration(name)
    assert kind is not None
    assert kind(**CATALOGUE[name].preset("published").settings) == kind(**PUBLISHED[name])


def test_experts_have_names_where_the_network_gives_them_embeddings() -> None:
    networks = {name: spec.build for name, spec in MODELS.items()}
    assert all(isinstance(kind, type) and issubclass(kind, SurvivalNetwork) for kind in networks.values())
    with_names = {n for n, kind in networks.items() if kind.factor_embeddings is not SurvivalNetwork.factor_embeddings}
    assert {n for n in CATALOGUE if named_experts(n)} == with_names
    assert {n: named_experts(n) for n in with_names} == {n: FACTORS for n, kind in networks.items() if kind is BioFact}


def test_words() -> None:
    assert setting_words("hdmoe", "training.epochs") == "Epochs"
    assert setting_words("hdmoe", "gone") == "gone"
    assert [value_words(v) for v in (None, True, False, 5e-4, 3, "rank")] == ["all", "yes", "no", "0.0005", "3", "rank"]

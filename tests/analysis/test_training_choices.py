"""What the Train page would start: the command repeats the job, and only the unusual is listed."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable
from dataclasses import replace

import pytest

from core.analysis.training_choices import TrainingChoices, job_arguments, of_model, of_preset, unusual
from core.cli import train_command
from core.cli.__main__ import main
from core.errors import PrognoscopeError
from core.jobs.task import check_task
from core.results.model_catalogue import CATALOGUE
from core.results.workspace import Workspace
from core.tasks.train import TrainRequest

BOTH = ("genomics", "clinical")
ODD = TrainingChoices(
    model="hdmoe", folds="site", seeds=2, protocol="upstream", references=False,
    settings=(("top_k", 2), ("alpha", 1e-05), ("decoupling", False), ("distance", "l1"),
              ("training.patch_sample", None)),
)  # fmt: skip


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch, workspace: Workspace) -> Callable[[str], dict[str, object]]:
    """The training a person would start by pasting a command: what the command line asks for, without doing it."""

    def ask(command: str) -> dict[str, object]:
        asked: list[TrainRequest] = []

        def stop(request: TrainRequest, *_: object) -> None:
            asked.append(request)
            raise PrognoscopeError("enough", "this test", "nothing")

        monkeypatch.setattr(train_command, "train", stop)
        words = shlex.split(command)
        assert words[:2] == ["./run", "cli"]
        assert main(words[2:]) == 1
        request = asked[0]
        names = ("cohort", "model", "endpoint", "folds", "seeds", "protocol", "device", "settings", "references")
        return {n: getattr(request, n) for n in names} | {"modalities": [str(m) for m in request.modalities]}

    return ask


@pytest.mark.parametrize("choices", [TrainingChoices(), ODD, replace(ODD, folds="/tmp/a b/own.csv", device="cuda")])
def test_the_command_repeats_the_job(choices: TrainingChoices, parsed) -> None:
    arguments = job_arguments(choices, "sample", "OS", BOTH, choices.folds)
    check_task("train", arguments)
    assert parsed(arguments["command"]) == {k: v for k, v in arguments.items() if k != "command"}


@pytest.mark.parametrize("model", sorted(CATALOGUE))
def test_every_preset_of_every_model_can_be_repeated_by_its_command(model: str, parsed) -> None:
    for preset in CATALOGUE[model].presets:
        choices = of_preset(preset.name, of_model(model, TrainingChoices()))
        modalities = tuple(m for m in BOTH if m in CATALOGUE[model].modalities)
        arguments = job_arguments(choices, "sample", "OS", modalities, "5")
        assert parsed(arguments["command"])["settings"] == dict(preset.settings)


def test_only_what_is_not_by_default_is_listed() -> None:
    plain = job_arguments(TrainingChoices(), "sample", "OS", BOTH, "5")
    assert unusual(plain, "OS", BOTH) == []
    odd = job_arguments(ODD, "sample", "DWT", ("clinical",), "site")
    assert unusual(odd, "OS", BOTH) == [
        ("Endpoint", "DWT", "OS"), ("Modalities", "clinical", "genomics + clinical"), ("Folds", "site", "5"),
        ("Seeds", "2", "3"), ("Protocol", "upstream", "honest"), ("Simpler models beside it", "no", "yes"),
        ("Experts a token", "2", "1"), ("Distance of decoupling", "l1", "cosine"),
        ("Weight of decoupling", "1e-05", "0.1"), ("Decoupling loss", "no", "yes"),
        ("Patches of a slide a step", "all", "2048"),
    ]  # fmt: skip


def test_a_setting_set_back_to_its_default_is_no_change() -> None:
    choices = replace(TrainingChoices(), **TrainingChoices().with_settings({"top_k": 2}))
    assert choices.settings == (("top_k", 2),)
    assert replace(choices, **choices.with_settings({"top_k": 1})) == TrainingChoices()


def test_another_model_forgets_settings_and_a_preset_replaces_them() -> None:
    other = of_model("snn", ODD)
    assert (other.settings, other.protocol, other.folds, other.seeds) == ((), "honest", "site", 2)
    quick = of_preset("quick", ODD)
    assert (quick.seeds, quick.references, quick.settings) == (1, False, (("training.epochs", 3),))
    assert quick.folds == "site"
    back = of_preset("recommended", quick)
    assert (back.seeds, back.references, back.settings) == (3, True, ())


@pytest.mark.parametrize(
    ("choices", "modalities", "words"),
    [
        (TrainingChoices(model="cox-clinical"), ("slides", "clinical"), "reads no slides"),
        (TrainingChoices(), (), "no modality chosen"),
        (TrainingChoices(model="forest", protocol="upstream"), BOTH, "no epochs"),
    ],
)
def test_what_cannot_be_trained_is_refused_before_it_waits(choices, modalities, words) -> None:
    with pytest.raises(PrognoscopeError, match=words):
        job_arguments(choices, "sample", "OS", modalities, "5")


def test_a_stored_choice_comes_back_and_a_setting_that_is_gone_is_dropped() -> None:
    stored = json.loads(json.dumps(ODD.as_json()))
    assert TrainingChoices.from_json(stored) == ODD
    stored["settings"].append(["removed_setting", 3])
    assert TrainingChoices.from_json(stored) == ODD

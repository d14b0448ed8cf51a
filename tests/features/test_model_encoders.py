"""Encoders that read a model from disk: networks for scans, transformers for reports, and a model that sorts them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from core.cohort.media_index import MediaFile, MediaKind
from core.cohort.modality import Modality
from core.errors import PrognoscopeError
from core.features.encoders import make_encoder, settings_of
from core.features.language_decomposer import decompose_with, local_generator
from core.features.report_parts import Part, decompose
from core.features.scan import read_scan
from core.features.text_model import TextModel
from core.features.volume_resnet import _network, common_grid, on_grid
from tests.tasks.media_cohort import write_scan

REPORT = "Cirrhotic liver with ascites. A 5 cm mass in segment VIII. The kidneys are normal."


@pytest.fixture(scope="module")
def words() -> list[str]:
    return sorted(set(REPORT.lower().replace(".", " .").split()))


@pytest.fixture(scope="module")
def bert(tmp_path_factory: pytest.TempPathFactory, words: list[str]) -> Path:
    """A BERT of two layers with random weights, as save_pretrained writes it."""
    from transformers import BertConfig, BertModel, BertTokenizerFast

    folder = tmp_path_factory.mktemp("bert")
    (folder / "vocab.txt").write_text("\n".join(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *words]))
    BertTokenizerFast(str(folder / "vocab.txt")).save_pretrained(folder)
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=5 + len(words), hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=32,
        max_position_embeddings=64,
    )  # fmt: skip
    BertModel(config).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def scan(tmp_path_factory: pytest.TempPathFactory) -> tuple[MediaFile, ...]:
    return tuple(write_scan(tmp_path_factory.mktemp("scan"), "p", 0, np.random.default_rng(0)))


def test_phases_lie_on_one_grid_around_the_liver(scan: tuple[MediaFile, ...]) -> None:
    phases = read_scan(scan).phases
    grid = common_grid(phases, 16, 4.0)
    middle = grid @ np.array([7.5, 7.5, 7.5, 1.0])
    # the mask's box is 3…12, 4…11, 2…9 of voxels of 4 × 4 × 5 mm
    assert middle[:3] == pytest.approx([4 * 7.5, 4 * 7.5, 5 * 5.5])
    for phase in phases:
        cube = on_grid(phase, grid, 16)
        inside = cube[cube != 0]
        assert (inside.mean(), inside.std()) == (pytest.approx(0, abs=1e-3), pytest.approx(1, abs=1e-3))
        assert inside.size * 4**3 == pytest.approx(10 * 8 * 8 * 80, rel=0.15)  # mm³


def test_a_resnet_reads_weights_by_medicalnets_names_and_refuses_others(
    scan: tuple[MediaFile, ...], tmp_path: Path
) -> None:
    plain = make_encoder("monai-resnet", {"side": 16})
    random = plain.encode(scan)
    assert random.features.shape == (2, 512)
    assert any("random" in w for w in random.warnings)
    network, _ = _network(10, 5, "", "")
    state = {f"module.{name}": value for name, value in network.state_dict().items()}
    path = tmp_path / "resnet_10.pth"
    torch.save({"state_dict": {**state, "module.conv_seg.0.weight": torch.zeros(2)}}, path)
    loaded = make_encoder("monai-resnet", {"side": 16, "weights": str(path)})
    given = loaded.encode(scan)
    assert np.array_equal(given.features, make_encoder("monai-resnet", {"side": 16, "seed": 5}).encode(scan).features)
    assert not np.allclose(given.features, random.features)
    assert not any("random" in w for w in given.warnings)
    torch.save({n: v for n, v in state.items() if "layer4" not in n}, tmp_path / "cut.pth")
    with pytest.raises(PrognoscopeError, match=r"weights missing, unknown or of another shape \(first: layer4"):
        make_encoder("monai-resnet", {"side": 16, "weights": str(tmp_path / "cut.pth")}).encode(scan)
    torch.save({"state_dict": state, "code": Path("/")}, path)
    with pytest.raises(PrognoscopeError, match="changed since"):
        make_encoder("monai-resnet", settings_of(loaded))
    with pytest.raises(PrognoscopeError, match="more or less than tensors"):  # code in a file is never run
        make_encoder("monai-resnet", {"weights": str(path)}).encode(scan)


def test_text_vectors_are_those_of_the_model_whatever_they_are_batched_with(bert: Path) -> None:
    texts = ("Cirrhotic liver with ascites.", "A mass.")
    both = TextModel(str(bert)).vectors(texts)
    alone = np.concatenate([TextModel(str(bert)).vectors((t,)) for t in texts])
    assert both.shape == (2, 16)
    assert np.allclose(both, alone, atol=1e-5)
    first = TextModel(str(bert), "cls").vectors(texts)
    assert not np.allclose(first, both, atol=1e-2)


def test_the_parts_encoder_takes_a_local_transformer_and_knows_it_by_its_contents(bert: Path, tmp_path: Path) -> None:
    path = tmp_path / "report.txt"
    path.write_text(REPORT)
    file = (MediaFile("p", Modality.REPORTS, MediaKind.REPORT, str(path)),)
    encoder = make_encoder("report-parts", {"text_model": str(bert)})
    encoded = encoder.encode(file)
    hashed = make_encoder("report-parts").encode(file)
    assert encoded.labels == hashed.labels == ("liver", "tumour")
    assert encoded.features.shape[1] == hashed.features.shape[1] - 64 + 16
    assert np.array_equal(encoded.features[:, :-16], hashed.features[:, :-64])
    assert len(settings_of(encoder)["digests"]) > 64
    with pytest.raises(PrognoscopeError, match="changed since"):
        make_encoder("report-parts", {"text_model": str(bert), "digests": "0" * 64 + " -"})


def test_a_model_that_is_not_here_is_never_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    import socket

    def refuse(*_: object) -> None:
        raise AssertionError("a connection was tried")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    with pytest.raises(PrognoscopeError, match="not on this machine"):
        TextModel("nobody/no-such-model").vectors(("Text.",))
    with pytest.raises(PrognoscopeError, match="no such folder"):
        make_encoder("report-parts", {"text_model": "/nowhere/at/all"})


def _answer(**lists: list[str]) -> str:
    return json.dumps({"liver": [], "tumour": [], "other": [], **lists})


def test_what_a_language_model_quotes_is_kept_and_what_it_invents_is_refused() -> None:
    good = _answer(liver=["Cirrhotic liver with ascites."], tumour=["A 5 cm mass in segment VIII."], other=["."])
    found = decompose_with(lambda _: good, REPORT)
    assert [(s.text, s.part) for s in found.spans[:2]] == [
        ("Cirrhotic liver with ascites.", Part.LIVER), ("A 5 cm mass in segment VIII.", Part.TUMOUR),
    ]  # fmt: skip
    assert all(REPORT[s.start : s.end] == s.text for s in found.spans)
    invented = _answer(liver=["Cirrhotic liver with ascites.", "Severe cirrhosis."], tumour=["a 5 cm mass"])
    partly = decompose_with(lambda _: invented, REPORT)
    assert [s.text for s in partly.spans] == ["Cirrhotic liver with ascites."]
    assert partly.refused == 2
    twice = decompose_with(lambda _: _answer(liver=["ascites"], tumour=["ascites"]), REPORT)
    assert (len(twice.spans), twice.refused) == (1, 1)


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "Here you are: {}",
        "[]",
        json.dumps({"liver": [], "tumour": []}),
        json.dumps({"liver": [], "tumour": [], "other": [], "more": []}),
        json.dumps({"liver": "Cirrhotic liver with ascites.", "tumour": [], "other": []}),
        json.dumps({"liver": [1], "tumour": [], "other": []}),
        _answer(liver=["Severe cirrhosis."]),
    ],
)
def test_an_answer_of_another_form_is_refused_and_the_lexicon_decides(answer: str) -> None:
    found = decompose_with(lambda _: answer, REPORT)
    assert found.reason
    assert found.spans == decompose(REPORT)


def test_a_causal_model_from_a_folder_answers_and_is_checked(tmp_path: Path, bert: Path) -> None:
    from transformers import AutoTokenizer, Qwen3Config, Qwen3ForCausalLM

    tokenizer: Any = AutoTokenizer.from_pretrained(bert)
    tokenizer.model_max_length = 512
    tokenizer.save_pretrained(tmp_path)
    torch.manual_seed(0)
    config = Qwen3Config(
        vocab_size=len(tokenizer), hidden_size=16, intermediate_size=32, num_hidden_layers=1, num_attention_heads=2,
        num_key_value_heads=1, head_dim=8, max_position_embeddings=320, eos_token_id=3, pad_token_id=0,
    )  # fmt: skip
    Qwen3ForCausalLM(config).save_pretrained(tmp_path)
    generate = local_generator(str(tmp_path))
    assert generate(REPORT) == generate(REPORT)
    found = decompose_with(generate, REPORT)
    assert found.reason == "the answer is no JSON"
    assert found.spans == decompose(REPORT)

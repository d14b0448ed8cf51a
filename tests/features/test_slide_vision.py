"""Slide encoders from trained vision models, tried on tiny ones with random weights, saved and read from a folder."""

from __future__ import annotations

import json
import sys
import types
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers

from core.cohort.media_index import MediaFile, MediaKind
from core.cohort.modality import Modality
from core.errors import PrognoscopeError
from core.features.encoders import all_settings, make_encoder, settings_of
from core.features.store import feature_key
from core.media.patches import patch_grid, read_patches
from core.media.slides import open_slide
from core.media.tissue import tissue_mask
from tests.tasks.media_cohort import write_slide

MEAN, SPREAD = [0.7, 0.5, 0.6], [0.2, 0.25, 0.3]
SMALL = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "image_size": 32, "patch_size": 8}
CONTENT = (("slide", "", "0" * 64),)


def save_model(folder: Path, kind: str, normalised: bool = True) -> Path:
    torch.manual_seed(5)
    if kind == "resnet":
        config = transformers.ResNetConfig(embedding_size=8, hidden_sizes=[8, 12], depths=[1, 1])
        model: Any = transformers.ResNetModel(config)
    elif kind == "vit":
        model = transformers.ViTModel(transformers.ViTConfig(**SMALL, intermediate_size=32))
    else:
        model = transformers.Dinov2Model(transformers.Dinov2Config(**SMALL, mlp_ratio=2))
    model.save_pretrained(folder)
    if normalised:
        stated = {"do_normalize": True, "image_mean": MEAN, "image_std": SPREAD}
        (folder / "preprocessor_config.json").write_text(json.dumps(stated))
    return folder


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    home = tmp_path_factory.mktemp("models")
    return {kind: save_model(home / kind, kind) for kind in ("resnet", "vit", "dinov2")}


@pytest.fixture(scope="module")
def slide(tmp_path_factory: pytest.TempPathFactory) -> MediaFile:
    path = write_slide(tmp_path_factory.mktemp("slides") / "a.tif", np.random.default_rng(1))
    return MediaFile("p", Modality.SLIDES, MediaKind.SLIDE, str(path))


def patches_of(slide: MediaFile, size: int) -> np.ndarray:
    with open_slide(slide.path) as opened:
        return np.concatenate(list(read_patches(opened, patch_grid(opened, tissue_mask(opened), 0.5, size))))


def by_hand(folder: Path, patches: np.ndarray) -> Any:
    """The last layer, from the definition."""
    pixels = (patches / 255 - np.array(MEAN)) / np.array(SPREAD)
    model = transformers.AutoModel.from_pretrained(folder)
    with torch.no_grad():
        return model(pixel_values=torch.tensor(pixels.transpose(0, 3, 1, 2), dtype=torch.float32)).last_hidden_state


@pytest.mark.parametrize(
    ("name", "kind", "pooling", "expected"),
    [
        ("resnet-50", "resnet", "auto", lambda h: h.mean(dim=(2, 3))),
        ("phikon-v2", "dinov2", "class", lambda h: h[:, 0]),
        ("transformers-vision", "vit", "auto", lambda h: h[:, 0]),
        ("transformers-vision", "vit", "mean", lambda h: h[:, 1:].mean(dim=1)),
        ("transformers-vision", "dinov2", "class+mean", lambda h: torch.cat([h[:, 0], h[:, 1:].mean(dim=1)], dim=1)),
    ],
)
def test_features_are_those_of_the_definition(
    models: dict[str, Path], slide: MediaFile, name: str, kind: str, pooling: str, expected: Any
) -> None:
    settings = {"source": str(models[kind]), "pooling": pooling, "patch": 32, "batch": 7, "device": "cpu"}
    encoded = make_encoder(name, settings).encode((slide,))
    patches = patches_of(slide, 32)
    assert encoded.features == pytest.approx(expected(by_hand(models[kind], patches)).numpy(), abs=2e-5)
    assert len(encoded.features) == len(encoded.coordinates) > 50
    assert encoded.features.std(axis=0).max() > 1e-3  # patches differ
    facts = encoded.facts["slides"]["0"]
    assert (facts["side"], facts["device"], facts["precision"]) == (32, "cpu", "float32")
    assert encoded.warnings == ()


def test_the_key_is_what_the_model_computes_not_where_it_lies(models: dict[str, Path], tmp_path: Path) -> None:
    def key(folder: Path, **more: Any) -> str:
        return feature_key(CONTENT, make_encoder("transformers-vision", {"source": str(folder), **more}))

    copied = save_model(tmp_path / "elsewhere", "vit")
    (copied / "README.md").write_text("nothing that counts")
    assert key(copied) == key(models["vit"]) == key(models["vit"], batch=3, device="cpu", download=True)
    assert key(models["vit"], pooling="mean") != key(models["vit"]) != key(models["dinov2"])
    encoder = make_encoder("transformers-vision", {"source": str(copied), "device": "cpu"})
    kept = settings_of(encoder)
    assert {"source", "digest", "pooling", "precision"} <= set(kept)
    assert not {"batch", "device", "download"} & set(kept)
    assert make_encoder("transformers-vision", all_settings(encoder)) == encoder
    save_model(copied, "dinov2")  # another model in the same folder
    with pytest.raises(PrognoscopeError, match="changed since"):
        make_encoder("transformers-vision", kept)


def test_a_model_that_is_not_here_says_how_to_bring_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    for name, source in (("resnet-50", "microsoft/resnet-50"), ("phikon-v2", "owkin/phikon-v2")):
        with pytest.raises(PrognoscopeError) as caught:
            make_encoder(name)
        assert f"hf download {source} --local-dir FOLDER" in caught.value.fix
        assert "source=FOLDER" in caught.value.fix
    with pytest.raises(PrognoscopeError, match="no folder of a model called 'gone'"):
        make_encoder("resnet-50", {"source": "/nowhere/gone"})
    with pytest.raises(PrognoscopeError, match="no model named"):
        make_encoder("transformers-vision")


def test_models_that_would_give_numbers_without_meaning_are_refused(tmp_path: Path, slide: MediaFile) -> None:
    from safetensors.torch import load_file, save_file

    folder = save_model(tmp_path / "half", "vit")
    weights = load_file(folder / "model.safetensors")
    lost = next(n for n in weights if n.endswith("layernorm.weight"))
    save_file({n: w for n, w in weights.items() if n != lost}, folder / "model.safetensors", {"format": "pt"})
    text = tmp_path / "text"
    bert = transformers.BertConfig(hidden_size=8, num_hidden_layers=1, num_attention_heads=1, vocab_size=20)
    transformers.BertModel(bert).save_pretrained(text)
    for source, found in ((folder, r"lacks 1 of its weights"), (text, "looks at no images")):
        with pytest.raises(PrognoscopeError, match=found):
            make_encoder("transformers-vision", {"source": str(source), "patch": 32}).encode((slide,))
    whole = save_model(tmp_path / "resnet", "resnet", normalised=False)
    encoder = make_encoder("resnet-50", {"source": str(whole), "patch": 64})
    assert "ImageNet" in encoder.encode((slide,)).warnings[0]
    with pytest.raises(PrognoscopeError, match="without a class token"):
        make_encoder("resnet-50", {"source": str(whole), "patch": 64, "pooling": "class"}).encode((slide,))


def test_patches_of_another_size_are_interpolated_or_refused(models: dict[str, Path], slide: MediaFile) -> None:
    """A ViT interpolates its positions; no number comes of a patch too small for one token."""
    settings = {"source": str(models["vit"]), "device": "cpu"}
    assert make_encoder("transformers-vision", {**settings, "patch": 64}).encode((slide,)).features.shape[1] == 16
    with pytest.raises(PrognoscopeError, match="patches of 4 px, which the model does not take"):
        make_encoder("transformers-vision", {**settings, "patch": 4}).encode((slide,))


def test_half_precision_is_near_and_named(models: dict[str, Path], slide: MediaFile) -> None:
    settings = {"source": str(models["dinov2"]), "patch": 32, "device": "cpu"}
    exact = make_encoder("phikon-v2", settings)
    half = make_encoder("phikon-v2", {**settings, "precision": "bfloat16"})
    assert feature_key(CONTENT, exact) != feature_key(CONTENT, half)
    a, b = exact.encode((slide,)), half.encode((slide,))
    assert 0 < np.abs(a.features - b.features).max() < 0.1
    assert b.facts["slides"]["0"]["precision"] == "bfloat16"


def test_one_damaged_slide_is_left_out_and_said(models: dict[str, Path], slide: MediaFile, tmp_path: Path) -> None:
    (tmp_path / "bad.svs").write_bytes(b"II*\0nothing")
    bad = MediaFile("p", Modality.SLIDES, MediaKind.SLIDE, str(tmp_path / "bad.svs"))
    encoder = make_encoder("resnet-50", {"source": str(models["resnet"]), "patch": 64})
    encoded = encoder.encode((bad, slide))
    assert set(encoded.sources.tolist()) == {1}
    assert "1 of 2 slides left out" in " ".join(encoded.warnings)


class TinyTimm(torch.nn.Module):
    """Stands where timm's ViT would: images → (n, 3) means of the colours, times a weight."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.ones(3))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.mean(dim=(2, 3)) * self.weight


def test_uni_is_loaded_by_timm_or_says_what_is_missing(
    tmp_path: Path, slide: MediaFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"pretrained_cfg": {"mean": MEAN, "std": SPREAD}}))
    torch.save({"weight": torch.tensor([1.0, 2, 3])}, tmp_path / "pytorch_model.bin")
    encoder = make_encoder("uni", {"source": str(tmp_path), "patch": 32, "device": "cpu"})
    monkeypatch.setitem(sys.modules, "timm", None)
    with pytest.raises(PrognoscopeError, match=r"timm .*requirements-gpu\.txt"):
        encoder.encode((slide,))
    made: list[Any] = []
    fake = types.SimpleNamespace(create_model=lambda *a, **k: made.append((a, k)) or TinyTimm())
    monkeypatch.setitem(sys.modules, "timm", fake)
    encoded = encoder.encode((slide,))
    assert made == [
        (
            ("vit_large_patch16_224",),
            {"num_classes": 0, "img_size": 224, "init_values": 1e-5, "dynamic_img_size": True},
        )
    ]
    colours = patches_of(slide, 32).mean(axis=(1, 2)) / 255
    assert encoded.features == pytest.approx((colours - MEAN) / SPREAD * [1, 2, 3], abs=1e-4)


def test_a_model_in_the_hubs_folder_is_found_without_a_network(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, slide: MediaFile
) -> None:
    """As ``hf download`` leaves it: the commit is what counts as revision, and is filled in."""
    commit = "1f0c" * 10
    home = tmp_path / "models--owkin--phikon-v2"
    save_model(home / "snapshots" / commit, "dinov2")
    (home / "refs").mkdir()
    (home / "refs" / "main").write_text(commit)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    encoder = make_encoder("phikon-v2", {"patch": 32, "device": "cpu"})
    kept = settings_of(encoder)
    assert (kept["source"], kept["revision"], len(kept["digest"])) == ("owkin/phikon-v2", commit, 64)
    again = make_encoder("phikon-v2", kept)
    assert np.array_equal(again.encode((slide,)).features, encoder.encode((slide,)).features)
    with pytest.raises(PrognoscopeError, match="is not on this machine"):
        make_encoder("phikon-v2", {"revision": "0" * 40})


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_on_a_gpu_the_numbers_are_near_and_the_precision_is_kept(models: dict[str, Path], slide: MediaFile) -> None:
    settings = {"source": str(models["dinov2"]), "patch": 32}
    on_gpu, exact = make_encoder("phikon-v2", settings), make_encoder("phikon-v2", {**settings, "device": "cpu"})
    wanted = "bfloat16" if torch.cuda.is_bf16_supported() else "float32"
    assert settings_of(on_gpu)["precision"] == wanted
    found = on_gpu.encode((slide,))
    assert (found.facts["slides"]["0"]["device"], found.facts["slides"]["0"]["precision"]) == ("cuda", wanted)
    assert np.abs(found.features - exact.encode((slide,)).features).max() < 0.1

"""Which models look, and that a result is another one as soon as one of their files is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import msgspec
import numpy as np
import pytest
from tiny_models import BERT_WORDS, depth_onnx, tokenizer_json, vocabulary_onnx

from foleyspace_host.errors import InvalidInput, ModelUnavailable, NothingFound
from foleyspace_host.models.keep import add
from foleyspace_host.pipeline.localize import localize_file
from foleyspace_host.pipeline.seeing import Seeing, what_sees
from foleyspace_host.pipeline.settings import LocalizeSettings
from foleyspace_host.pipeline.stage_cache import StageCache
from foleyspace_host.protocol import messages


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FOLEYSPACE_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """A second of grey, in which nothing is to be seen."""
    path = tmp_path / "clip.mp4"
    with av.open(str(path), "w") as container:
        video: Any = container.add_stream("mpeg4", rate=16)
        video.width, video.height, video.pix_fmt = 160, 96, "yuv420p"
        for _ in range(16):
            image = np.full((96, 160, 3), 90, np.uint8)
            container.mux(video.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        container.mux(video.encode(None))
    return path


Words = Callable[..., Path]


@pytest.fixture
def words(tmp_path: Path) -> Words:
    """Make a model of words that finds something, or nothing."""

    def make(name: str = "words", *, finds: bool = True) -> Path:
        place = tmp_path / name
        place.mkdir()
        logits = np.full((3, 256), -9.0)
        logits[0] = 1.0 if finds else -9.0
        tokenizer_json(place / "tokenizer.json", dino=True)
        return vocabulary_onnx(place / f"{name}.onnx", logits=logits, dino=True)

    return make


def added_words(path: Path) -> None:
    add("open-vocabulary", path, tokenizer=[path.with_name("tokenizer.json")])


def sees(**settings: Any) -> Seeing:
    return what_sees(LocalizeSettings(**settings))


def test_without_models_of_the_user_s_the_detector_looks() -> None:
    for settings in ({}, {"label": "steam train"}, {"prompt": "a kettle whistles"}, {"depth": "none"}):
        seeing = sees(**settings)
        assert (seeing.words, seeing.depth) == (None, None)
        assert [use.name for use in seeing.used] == ["centernet"]


@pytest.mark.parametrize(
    ("settings", "phrase"),
    [
        ({"label": "steam train"}, "steam train"),
        ({"label": "kettle"}, "kettle"),
        ({"label": "train"}, None),
        ({"label": "cars"}, None),
        ({"prompt": "a kettle whistles"}, "a kettle whistles"),
        ({"prompt": "a steam train whistles"}, None),  # names a class
        ({"prompt": "a steam train whistles", "open_vocabulary": "words"}, "a steam train whistles"),
        ({"label": "car", "prompt": "a kettle whistles"}, None),
        ({"label": "car", "open_vocabulary": "words"}, "car"),
        ({"label": "kettle", "open_vocabulary": "none"}, None),
        ({"label": "kettle", "detector": Path("mine.onnx")}, None),
        ({}, None),
    ],
)
def test_words_are_looked_for_where_the_detector_knows_no_such_class(
    words: Words, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: dict[str, Any], phrase: str | None
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("mine.onnx").touch()
    added_words(words())
    seeing = sees(**settings)
    assert seeing.phrase == phrase
    assert (seeing.words is not None) == (phrase is not None)


def test_what_cannot_be_is_refused_before_anything_is_done(words: Words) -> None:
    added_words(words())
    with pytest.raises(InvalidInput, match="no words to look for"):
        sees(open_vocabulary="words")
    with pytest.raises(InvalidInput, match="two detectors"):
        sees(open_vocabulary="words", label="car", detector=Path("x.onnx"))
    with pytest.raises(ModelUnavailable, match="name one of: words"):
        sees(open_vocabulary="word", label="car")
    with pytest.raises(InvalidInput, match="depth kind: 'midas' is unknown"):
        sees(depth_kind="midas")


def test_all_files_are_part_of_the_key_and_of_the_provenance(words: Words, tmp_path: Path) -> None:
    model, depth = words(), depth_onnx(tmp_path / "depth.onnx")
    depth.with_name("depth.onnx_data").write_bytes(b"weights")
    settings: dict[str, Any] = {"open_vocabulary": str(model), "label": "train", "depth": str(depth)}
    seeing = sees(**settings)
    assert [use.name for use in seeing.used] == [
        "words.onnx/tokenizer.json",
        "words.onnx/words.onnx",
        "depth.onnx/depth.onnx",
        "depth.onnx/depth.onnx_data",
    ]
    assert {path.name for path in seeing.files} == {"words.onnx", "tokenizer.json", "depth.onnx", "depth.onnx_data"}
    keys = [seeing.key, sees(**settings | {"label": "steam train"}).key]
    keys += [
        sees(**settings | {"depth_kind": "depth-anything-v2-metric"}).key,
        sees(**settings | {"depth": "none"}).key,
    ]
    for file in seeing.files:
        file.write_bytes(file.read_bytes() + b" ")
        keys.append(sees(**settings).key)
    assert all(one != other for number, one in enumerate(keys) for other in keys[:number])


def test_another_tokenizer_is_another_result(tmp_path: Path, clip: Path, words: Words) -> None:
    model, cache = words(), StageCache(tmp_path / "cache", 1 << 30)
    options: dict[str, Any] = {"label": "steam train", "open_vocabulary": model, "cache": cache}
    first = localize_file(clip, tmp_path / "1.json", **options)
    again = localize_file(clip, tmp_path / "2.json", **options)
    assert (first.reused, again.reused) == ((), ("localize",))
    assert again.why == first.why == "it is all that was seen of what the label names"
    assert [use.name for use in first.provenance.models] == ["words.onnx/tokenizer.json", "words.onnx/words.onnx"]
    (tmp_path / "words" / "tokenizer.json").unlink()
    (tmp_path / "words" / "vocab.txt").write_text("\n".join(BERT_WORDS))
    assert localize_file(clip, tmp_path / "3.json", **options).reused == ()


def test_a_prompt_that_finds_nothing_is_no_error_and_the_detector_looks(
    tmp_path: Path, clip: Path, words: Words
) -> None:
    added_words(words(finds=False))
    found = localize_file(clip, tmp_path / "t.json", prompt="a kettle whistles")
    assert [source.id for source in found.sources] == ["centre"]
    assert found.why == ""
    assert any("prompt" in warning for warning in found.warnings)
    for options in ({"label": "kettle"}, {"prompt": "a kettle whistles", "open_vocabulary": "words"}):
        with pytest.raises(NothingFound):
            localize_file(clip, tmp_path / "u.json", **options)
    added_words(words("more"))
    found = localize_file(clip, tmp_path / "t.json", prompt="a kettle whistles")
    assert [source.label for source in found.sources] == ["a kettle whistles"]
    assert found.why == "it is all that was seen of what the prompt names"


def test_ids_of_long_prompts_can_be_sent_to_the_host(tmp_path: Path, clip: Path, words: Words) -> None:
    added_words(words())
    prompt = "a kettle that whistles in a kitchen while somebody sings and a window is open to the street"
    (source,) = localize_file(clip, tmp_path / "t.json", prompt=prompt).sources
    assert source.label == prompt
    again = localize_file(clip, tmp_path / "t.json", prompt=prompt, source=[source.id])
    assert again.sources == (source,)
    msgspec.convert({"source": [source.id]}, messages.LocalizeSettings)


def test_what_the_user_chose_is_said_to_be_chosen(tmp_path: Path, clip: Path) -> None:
    found = localize_file(clip, tmp_path / "t.json", source=["centre"])
    assert found.why == "it is what you chose"
    assert found.settings["source"] == ("centre",)

"""Detectors that are told in words what to look for, by tiny ones with the real ones' inputs and outputs."""

from __future__ import annotations

import math

import numpy as np
import pytest
from tiny_models import BOXES, depth_onnx, tokenizer_json, vocabulary_onnx

from foleyspace_host.errors import InvalidInput, ModelUnavailable
from foleyspace_host.localize.see.open_vocabulary import GroundingDino, Owl, open_vocabulary
from foleyspace_host.models.session import open_session

CLIP_MEAN, CLIP_DEVIATION = [0.48145466, 0.4578275, 0.40821073], [0.26862954, 0.26130258, 0.27577711]
MEAN, DEVIATION = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]


def logit(score):
    return math.log(score / (1.0 - score))


OWL = np.array([[logit(0.4)], [logit(0.15)], [logit(0.05)]])
DINO = np.full((3, 256), -np.inf)
# [CLS] steam train . [SEP]: of each row what counts is the best of the two words
DINO[:, :5] = [
    [logit(0.9), logit(0.3), logit(0.6), logit(0.95), logit(0.9)],
    [logit(0.9), logit(0.27), logit(0.1), logit(0.95), logit(0.9)],
    [logit(0.9), logit(0.2), logit(0.2), logit(0.95), logit(0.9)],
]


def finder(tmp_path, label="steam train", *, dino, size=None):
    path = vocabulary_onnx(tmp_path / "m.onnx", logits=DINO if dino else OWL, dino=dino, size=size)
    words = tokenizer_json(tmp_path / "tokenizer.json", dino=dino)
    return open_vocabulary(open_session(path, device="cpu"), path, [words], label)


def watched(one):
    """What the model is given from now on."""
    given = {}
    session = one._session

    class Watching:
        def __getattr__(self, name):
            return getattr(session, name)

        def answer(self, inputs):
            given.update(inputs)
            return session.answer(inputs)

    one._session = Watching()
    return given


def picture(width, height):
    image = np.zeros((height, width, 3), np.uint8)
    image[...] = (255, 128, 0)
    return image


def edges(box, width=1.0, height=1.0):
    x, y, w, h = box
    found = np.array([(x - w / 2) / width, (y - h / 2) / height, (x + w / 2) / width, (y + h / 2) / height])
    return np.clip(found, 0.0, 1.0)


@pytest.mark.parametrize(("width", "height"), [(640, 360), (360, 640), (200, 200)])
def test_owl_s_boxes_are_of_the_square_that_the_picture_is_padded_to(tmp_path, width, height):
    one = finder(tmp_path, dino=False)
    assert isinstance(one, Owl)
    given = watched(one)
    found = one.detect(picture(width, height))
    assert len(found) == (1 if height > width else 2)
    longest = max(width, height)
    wanted = [edges(box, width / longest, height / longest) for box in BOXES[:2]]  # 0.05 is too little
    wanted = [box for box in wanted if box[0] < 1.0]  # what lies beyond the picture is no thing
    for detection, box, score in zip(found, wanted, (0.4, 0.15), strict=False):
        np.testing.assert_allclose(detection.box, box, atol=1e-6)
        assert detection.score == pytest.approx(score)
        assert detection.classes == {"steam train": pytest.approx(score)}
    pixels = given["pixel_values"]
    assert pixels.shape == (1, 3, 960, 960)
    inner = pixels[0, :, : round(960 * height / longest) - 2, : round(960 * width / longest) - 2]
    expected = (np.array([255, 128, 0]) / 255 - CLIP_MEAN) / CLIP_DEVIATION
    np.testing.assert_allclose(inner.reshape(3, -1).min(axis=1), expected, atol=1e-4)
    np.testing.assert_allclose(inner.reshape(3, -1).max(axis=1), expected, atol=1e-4)
    if width != height:  # below or to the right: black
        np.testing.assert_allclose(pixels[0, :, -1, -1], -np.array(CLIP_MEAN) / CLIP_DEVIATION, atol=1e-4)


def test_owl_is_asked_for_a_photo_in_sixteen_pieces(tmp_path):
    one = finder(tmp_path, "ox", dino=False)
    given = watched(one)
    one.detect(picture(64, 36))
    # "a photo of an ox", letter by letter, the ends of words marked
    ends = (0, 5, 7, 9, 11)
    pieces = [2 * ord(sign) + (place in ends) for place, sign in enumerate("aphotoofanox")]
    assert given["input_ids"].tolist() == [[1000, *pieces, 1001] + [0] * (14 - len(pieces))]
    assert given["attention_mask"].tolist() == [[1] * (2 + len(pieces)) + [0] * (14 - len(pieces))]
    assert given["input_ids"].dtype == np.int64
    long = finder(tmp_path, "a very long thing", dino=False)
    assert long._ids.shape == (1, 16)
    assert long._ids[0, [0, -1]].tolist() == [1000, 1001]
    # where the label has its own article there is no second one
    assert finder(tmp_path, "the ox", dino=False)._ids[0, 9:12].tolist() == [
        2 * ord("t"),
        2 * ord("h"),
        2 * ord("e") + 1,
    ]


@pytest.mark.parametrize(
    ("size", "shape", "fed"),
    [
        ((640, 480), None, (800, 1067)),
        ((480, 640), None, (1067, 800)),
        ((854, 300), None, (468, 1333)),
        ((640, 360), 800, (800, 800)),  # as the ONNX community's export is
    ],
)
def test_grounding_dino_s_boxes_are_of_the_picture(tmp_path, size, shape, fed):
    one = finder(tmp_path, dino=True, size=shape)
    assert isinstance(one, GroundingDino)
    given = watched(one)
    found = one.detect(picture(*size))
    for detection, box, score in zip(found, BOXES[:2], (0.6, 0.27), strict=True):  # 0.2 is too little
        np.testing.assert_allclose(detection.box, edges(box), atol=1e-6)
        assert detection.classes == {"steam train": pytest.approx(score)}
    assert given["pixel_values"].shape == (1, 3, *fed)
    assert given["pixel_mask"].shape == (1, *fed)
    assert given["pixel_mask"].min() == 1
    np.testing.assert_allclose(
        given["pixel_values"].mean(axis=(0, 2, 3)), (np.array([255, 128, 0]) / 255 - MEAN) / DEVIATION, atol=1e-4
    )
    assert given["input_ids"].tolist() == [[2, 5, 6, 4, 3]]
    assert given["token_type_ids"].tolist() == [[0] * 5]
    assert given["attention_mask"].tolist() == [[1] * 5]


@pytest.mark.parametrize("label", ["Steam Train", " steam  train. ", "steam_train"])
def test_labels_are_the_same_in_any_writing(tmp_path, label):
    assert finder(tmp_path, label, dino=True).names == ("steam train",)


@pytest.mark.parametrize("label", ["", " . "])
def test_an_empty_label_is_refused(tmp_path, label):
    with pytest.raises(InvalidInput, match="label is empty"):
        finder(tmp_path, label, dino=True)


def test_other_models_are_refused(tmp_path):
    path = depth_onnx(tmp_path / "m.onnx")
    with pytest.raises(ModelUnavailable, match=r"m\.onnx: neither an OWLv2 nor a Grounding DINO model"):
        open_vocabulary(open_session(path, device="cpu"), path, [], "train")


def test_missing_or_foreign_words_are_told(tmp_path):
    path = vocabulary_onnx(tmp_path / "m.onnx", logits=OWL, dino=False)
    session = open_session(path, device="cpu")
    with pytest.raises(ModelUnavailable, match=r"m\.onnx: the files that turn words.*--tokenizer"):
        open_vocabulary(session, path, [], "train")
    words = tokenizer_json(tmp_path / "other.json", dino=True)
    with pytest.raises(
        ModelUnavailable, match=r"other\.json: these files turn words into BERT.s word pieces, .* takes CLIP.s byte"
    ):
        open_vocabulary(session, path, [words], "train")


def test_a_model_of_fixed_length_is_given_that_many_pieces(tmp_path):
    path = vocabulary_onnx(tmp_path / "m.onnx", logits=DINO, dino=True, length=8)
    words = tokenizer_json(tmp_path / "tokenizer.json", dino=True)
    one = open_vocabulary(open_session(path, device="cpu"), path, [words], "steam train")
    given = watched(one)
    assert len(one.detect(picture(64, 36))) == 2
    assert given["input_ids"].tolist() == [[2, 5, 6, 4, 3, 0, 0, 0]]
    assert given["attention_mask"].tolist() == [[1] * 5 + [0] * 3]
    with pytest.raises(InvalidInput, match="has 9 pieces, and this model takes 8"):
        open_vocabulary(open_session(path, device="cpu"), path, [words], "a steam train a steam train")

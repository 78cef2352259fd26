"""A network of any kind becomes a file that answers as it does, in fewer bits on wish, and that says what it is."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs torch: make test-train")
onnx = pytest.importorskip("onnx", reason="needs onnx: make test-train")

from onnx import numpy_helper  # noqa: E402

from foleyspace_host.errors import InvalidInput  # noqa: E402
from training.flow.card import card_head, metadata, table  # noqa: E402
from training.flow.commands import facts_in  # noqa: E402
from training.flow.export_onnx import Signature, facts_of, largest_difference, write_onnx  # noqa: E402
from training.flow.stored_weights import PRECISIONS  # noqa: E402

SIGNATURE = Signature({"x": ("batch", 8, "frames"), "t": ("batch",)}, {"y": ("batch", 8, "frames")})


class Folded(torch.nn.Module):
    """Down to half the frames and up again; each output channel of the way up is ten times the one before."""

    def __init__(self) -> None:
        super().__init__()
        self.down = torch.nn.Conv1d(8, 12, 4, stride=4)
        self.back = torch.nn.ConvTranspose1d(12, 8, 4, stride=4)
        with torch.no_grad():
            self.back.weight *= 10.0 ** torch.arange(-4.0, 4.0)[None, :, None]

    def forward(self, x: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        return self.back(self.down(x)) * t[:, None, None]


@pytest.fixture(scope="module")
def net() -> Folded:
    torch.manual_seed(0)
    return Folded().eval()


def questions() -> list[tuple[torch.Tensor, ...]]:
    generator = torch.Generator().manual_seed(1)
    return [
        (torch.randn(n, 8, n_frames, generator=generator), torch.full((n,), 0.5)) for n, n_frames in ((1, 40), (3, 8))
    ]


@pytest.mark.parametrize(("precision", "bound"), list(zip(PRECISIONS, (1e-6, 1e-3, 2e-2), strict=True)))
def test_files_answer_as_torch_does_at_any_length(net: Folded, tmp_path: Path, precision: Any, bound: float) -> None:
    path = write_onnx(net, tmp_path / "m.onnx", SIGNATURE, {"kind": "test", "licence": "none"}, precision)
    assert largest_difference(net, path, questions()) < bound
    assert metadata(path) == {"kind": "test", "licence": "none"}
    again = write_onnx(net, tmp_path / "again.onnx", SIGNATURE, {"kind": "test", "licence": "none"}, precision)
    assert again.read_bytes() == path.read_bytes()


def test_a_difference_is_found(net: Folded, tmp_path: Path) -> None:
    path = write_onnx(net, tmp_path / "m.onnx", SIGNATURE, {})
    torch.manual_seed(5)
    assert largest_difference(Folded(), path, questions()) > 0.1


def test_each_output_channel_has_a_scale_of_its_own(net: Folded, tmp_path: Path) -> None:
    model = onnx.load(str(write_onnx(net, tmp_path / "m.onnx", SIGNATURE, {}, "int8")))
    stored = {one.name: numpy_helper.to_array(one) for one in model.graph.initializer}
    for name, axis in (("down.weight", 0), ("back.weight", 1)):
        weight = dict(net.named_parameters())[name].detach().numpy()
        scale = stored[f"{name}.scale"]
        assert scale.shape == (weight.shape[axis],)
        shape = [-1 if number == axis else 1 for number in range(3)]
        found = stored[f"{name}.stored"] * scale.reshape(shape)
        # half a step of the channel's own scale, however small the channel is beside others
        assert (np.abs(found - weight) <= 0.5001 * scale.reshape(shape)).all()
        assert stored[f"{name}.stored"].dtype == np.int8
    assert stored["down.bias"].dtype == np.float32


def test_a_file_tells_of_its_training(net: Folded) -> None:
    told = facts_of({"step": 7, "seconds": 12.4}, net, recipe="tiny", licence="CC0-1.0")
    n_weights = 8 * 12 * 4 + 12 + 12 * 8 * 4 + 8
    assert told == {
        "recipe": "tiny",
        "steps": "7",
        "seconds": "12",
        "n_parameters": str(n_weights),
        "licence": "CC0-1.0",
    }


def test_the_head_of_a_card_tells_the_file_and_its_facts(net: Folded, tmp_path: Path) -> None:
    path = write_onnx(net, tmp_path / "m.onnx", SIGNATURE, {"n_parameters": "9", "kind": "test", "long": "..."})
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    assert card_head("m", ["A model."], path, {"date": "today"}, ["long"]) == [
        *("# m", "", "A model.", "", "| | |", "|---|---|"),
        f"| file | `m.onnx`, {path.stat().st_size} bytes |",
        f"| sha256 | `{digest}` |",
        *("| kind | test |", "| n parameters | 9 |", "| date | today |", ""),
    ]


def test_tables_have_a_cell_for_each_column() -> None:
    rows = [("one", ["1", ""]), ("two", ["3", "4"])]
    assert table(["a", "b"], rows) == ["| | a | b |", "|---|---|---|", "| one | 1 |  |", "| two | 3 | 4 |"]


@pytest.mark.parametrize("text", ["hardware", "=an oven", "hardware=", ""])
def test_a_fact_without_name_or_words_is_refused(text: str) -> None:
    assert facts_in(["hardware=one=two"]) == {"hardware": "one=two"}
    with pytest.raises(InvalidInput, match="no fact"):
        facts_in([text])

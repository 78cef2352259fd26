"""Convert the CenterNet detector from its TensorFlow.js graph to the ONNX file that the package ships.

    python tools/convert_centernet.py centernet.json centernet.bin -o centernet.onnx
    python tools/convert_centernet.py centernet.json centernet.bin --check centernet.onnx

The two inputs are ``models/centernet.{json,bin}`` of the npm package ``@vladmandic/human`` 3.3.6; the shipped
file is ``foleyspace_host/models/assets/centernet.onnx``. The output is the same byte for byte on every run;
``--check`` says whether a file is exactly that output. Needs numpy and onnx, nothing of this project.

The graph is followed node by node. Feature maps are kept channels-first inside and turned back where the
graph looks at them as channels-last. Weights lie in the source as 16-bit floats and stay so: ONNX Runtime
widens them once, when the model is loaded, so nothing is lost and the file is half as large.
"""

# ruff: noqa: D102, ARG002 - one method per TensorFlow operator, all with the same three arguments
from __future__ import annotations

import argparse
import base64
import hashlib
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

OPSET, IR_VERSION = 15, 8  # what ONNX Runtime 1.10 and later read
SOURCE_SHA256 = {
    ".json": "bfb942eaacc5becf738d536663bc4580a0ae9e560722306e6d4dd7fe4a09de05",
    ".bin": "1b635a15009071f506f9f2b3519b31c072c534888989f30d269ffd44734ef7ef",
}
# operators that work number by number; division and remainder are of indices, which are never negative
ELEMENTWISE = {op: op for op in ("Add", "Equal", "Mul", "Relu", "Sigmoid", "Sub")}
ELEMENTWISE |= {"FloorDiv": "Div", "FloorMod": "Mod"}
TO_CHANNELS_FIRST, TO_CHANNELS_LAST = [0, 3, 1, 2], [0, 2, 3, 1]


class Converter:
    """Writes ONNX nodes for the nodes of a tfjs graph model.

    Parameters
    ----------
    topology : dict
        ``modelTopology`` of the graph model.
    constants : dict of str to ndarray
        Weights by node name, in TensorFlow's layout.
    """

    def __init__(self, topology: dict[str, Any], constants: dict[str, np.ndarray]) -> None:
        self.topology = topology
        self.constants = constants
        self.nodes: list[onnx.NodeProto] = []
        self.initializers: list[onnx.TensorProto] = []
        self.channels_first: set[str] = set()  # tensors that are stored NCHW although the graph says NHWC
        self.size: dict[str, tuple[int, int]] = {}  # height and width of the channels-first tensors
        self._stored: dict[str, str] = {}

    def emit(self, op: str, inputs: list[str], outputs: list[str], **attributes: Any) -> str:
        """Add a node and return the name of its first output."""
        self.nodes.append(helper.make_node(op, inputs, outputs, name=outputs[0], **attributes))
        return outputs[0]

    def constant(self, name: str, value: np.ndarray | None = None) -> str:
        """Return a tensor that holds a constant, adding it on first use; floats are stored in 16 bits."""
        if name not in self._stored:
            array = self.constants[name] if value is None else value
            if array.dtype == np.float16:
                self.initializers.append(numpy_helper.from_array(array, f"{name}/f16"))
                self.emit("Cast", [f"{name}/f16"], [name], to=TensorProto.FLOAT)
            else:  # TensorFlow counts in 32 bits, ONNX's shapes and indices are 64
                self.initializers.append(numpy_helper.from_array(array.astype(np.int64), name))
            self._stored[name] = name
        return self._stored[name]

    def tensor(self, name: str, *, channels_first: bool | None = None) -> str:
        """Return an input in the wanted layout (None: as it is), adding a Transpose where needed."""
        name = name.removesuffix(":0")
        if name in self.constants:
            return self.constant(name)
        if channels_first is None or channels_first == (name in self.channels_first):
            return name
        twin = f"{name}/{'nchw' if channels_first else 'nhwc'}"
        if twin not in self._stored:
            order = TO_CHANNELS_FIRST if channels_first else TO_CHANNELS_LAST
            self._stored[twin] = self.emit("Transpose", [name], [twin], perm=order)
        return twin

    def run(self) -> None:
        """Convert every node in the order of the graph, which is topological."""
        for node in self.topology["node"]:
            op, name, inputs = node["op"].strip("_"), node["name"], node.get("input", [])
            if op in ELEMENTWISE:
                self._elementwise(ELEMENTWISE[op], name, inputs)
            elif op not in ("Const", "Placeholder"):
                getattr(self, f"op_{op}")(name, inputs, node["attr"])

    # ---- feature maps, channels first ----

    def op_FusedConv2D(self, name: str, inputs: list[str], attr: dict[str, Any]) -> None:
        self._convolve(name, inputs, attr, self.constants[inputs[1]].transpose(3, 2, 0, 1), group=1)

    op_Conv2D = op_FusedConv2D

    def op_FusedDepthwiseConv2dNative(self, name: str, inputs: list[str], attr: dict[str, Any]) -> None:
        kernel = self.constants[inputs[1]]  # height, width, channels, multiplier
        channels, multiplier = kernel.shape[2:]
        kernel = kernel.transpose(2, 3, 0, 1).reshape(channels * multiplier, 1, *kernel.shape[:2])
        self._convolve(name, inputs, attr, kernel, group=channels)

    op_DepthwiseConv2dNative = op_FusedDepthwiseConv2dNative

    def _convolve(self, name: str, inputs: list[str], attr: dict[str, Any], kernel: np.ndarray, group: int) -> None:
        fused = [base64.b64decode(op).decode() for op in attr.get("fused_ops", {}).get("list", {}).get("s", [])]
        assert fused in ([], ["BiasAdd"], ["BiasAdd", "Relu"]), fused
        assert attr.get("dilations", {"list": {"i": ["1"] * 4}})["list"]["i"] == ["1"] * 4
        kernel_name = self.constant(f"{inputs[1]}/oihw", np.ascontiguousarray(kernel))
        tensors = [self.tensor(inputs[0], channels_first=True), kernel_name]
        tensors += [self.constant(inputs[2])] if fused else []
        window = self._window(name, inputs[0], attr, kernel.shape[2:])
        relu = fused[-1:] == ["Relu"]
        out = self.emit("Conv", tensors, [f"{name}/conv" if relu else name], group=group, **window)
        if relu:
            self.emit("Relu", [out], [name])

    def _window(self, name: str, source: str, attr: dict[str, Any], kernel: tuple[int, ...]) -> dict[str, Any]:
        """Kernel, strides and TensorFlow's SAME padding, whose odd pixel lies below and to the right."""
        padding = base64.b64decode(attr["padding"]["s"])
        assert padding == b"SAME" or (padding == b"VALID" and set(kernel) == {1}), padding
        strides = [int(step) for step in attr["strides"]["list"]["i"][1:3]]
        size = self.size[source]
        self.size[name] = (-(-size[0] // strides[0]), -(-size[1] // strides[1]))
        total = [
            max((out - 1) * step + width - length, 0)
            for out, step, width, length in zip(self.size[name], strides, kernel, size, strict=True)
        ]
        before = [pad // 2 for pad in total]
        after = [pad - half for pad, half in zip(total, before, strict=True)]
        self.channels_first.add(name)
        return {"kernel_shape": list(kernel), "strides": strides, "pads": before + after}

    def op_MaxPool(self, name: str, inputs: list[str], attr: dict[str, Any]) -> None:
        kernel = tuple(int(width) for width in attr["ksize"]["list"]["i"][1:3])
        source = self.tensor(inputs[0], channels_first=True)
        self.emit("MaxPool", [source], [name], **self._window(name, inputs[0], attr, kernel))

    def op_Mean(self, name: str, inputs: list[str], attr: dict[str, Any]) -> None:
        assert attr["keep_dims"]["b"]
        assert self.constants[inputs[1]].tolist() == [1, 2]
        self.emit("GlobalAveragePool", [self.tensor(inputs[0], channels_first=True)], [name])
        self.channels_first.add(name)
        self.size[name] = (1, 1)

    def op_ResizeBilinear(self, name: str, inputs: list[str], attr: dict[str, Any]) -> None:
        assert not attr["align_corners"]["b"]
        assert not attr["half_pixel_centers"]["b"]
        height, width = (int(length) for length in self.constants[inputs[1]])
        before = self.size[inputs[0]]
        scales = np.array([1, 1, height / before[0], width / before[1]], np.float32)
        self.initializers.append(numpy_helper.from_array(scales, f"{name}/scales"))
        source = self.tensor(inputs[0], channels_first=True)
        # without half-pixel centres TensorFlow maps x to x * scale, which ONNX calls asymmetric
        self.emit(
            "Resize", [source, "", f"{name}/scales"], [name], mode="linear",
            coordinate_transformation_mode="asymmetric",
        )  # fmt: skip
        self.channels_first.add(name)
        self.size[name] = (height, width)

    # ---- element by element, in any layout ----

    def _elementwise(self, op: str, name: str, inputs: list[str], **attributes: Any) -> None:
        first = any(source in self.channels_first for source in inputs)
        # a single number means the same in both layouts; no other constant may meet a channels-first map
        assert not first or all(self.constants[i].size == 1 for i in inputs if i in self.constants)
        self.emit(op, [self.tensor(i, channels_first=first) for i in inputs], [name], **attributes)
        if first:
            self.channels_first.add(name)
            self.size[name] = max(self.size[source] for source in inputs if source in self.size)

    def op_Relu6(self, name: str, inputs: list[str], attr: dict[str, Any]) -> None:
        low = self.constant("relu6/low", np.array(0, np.float16))
        high = self.constant("relu6/high", np.array(6, np.float16))
        first = inputs[0] in self.channels_first
        self.emit("Clip", [self.tensor(inputs[0]), low, high], [name])
        if first:
            self.channels_first.add(name)
            self.size[name] = self.size[inputs[0]]

    def op_Cast(self, name: str, inputs: list[str], attr: dict[str, Any]) -> None:
        assert attr["DstT"]["type"] == "DT_FLOAT"
        self._elementwise("Cast", name, inputs, to=TensorProto.FLOAT)

    # ---- joining and reading out, channels last unless all inputs are maps ----

    def op_ConcatV2(self, name: str, inputs: list[str], attr: dict[str, Any]) -> None:
        *parts, axis_name = inputs
        axis = int(self.constants[axis_name])
        first = all(part in self.channels_first for part in parts)
        tensors = [self.tensor(part, channels_first=first) for part in parts]
        self.emit("Concat", tensors, [name], axis=TO_CHANNELS_FIRST.index(axis) if first else axis)
        if first:
            self.channels_first.add(name)
            self.size[name] = self.size[parts[0]]

    def op_Identity(self, name: str, inputs: list[str], attr: dict[str, Any]) -> None:
        # the three outputs; the maps among them stay channels first for the nodes that follow
        self.emit("Identity", [self.tensor(inputs[0])], [name])
        if inputs[0] in self.channels_first:
            self.channels_first.add(name)
            self.size[name] = self.size[inputs[0]]

    def op_Reshape(self, name: str, inputs: list[str], attr: dict[str, Any]) -> None:
        self.emit("Reshape", [self.tensor(inputs[0], channels_first=False), self.tensor(inputs[1])], [name])

    def op_ExpandDims(self, name: str, inputs: list[str], attr: dict[str, Any]) -> None:
        axis = self.constant(f"{inputs[1]}/axes", self.constants[inputs[1]].reshape(1))
        self.emit("Unsqueeze", [self.tensor(inputs[0], channels_first=False), axis], [name])

    def op_TopKV2(self, name: str, inputs: list[str], attr: dict[str, Any]) -> None:
        count = self.constant(f"{inputs[1]}/count", self.constants[inputs[1]].reshape(1))
        self.emit("TopK", [self.tensor(inputs[0], channels_first=False), count], [name, f"{name}:1"], axis=-1)

    def op_GatherV2(self, name: str, inputs: list[str], attr: dict[str, Any]) -> None:
        assert attr["batch_dims"]["i"] == "0"
        tensors = [self.tensor(source, channels_first=False) for source in inputs[:2]]
        self.emit("Gather", tensors, [name], axis=int(self.constants[inputs[2]]))

    def op_StridedSlice(self, name: str, inputs: list[str], attr: dict[str, Any]) -> None:
        starts, ends, steps = (self.constants[source] for source in inputs[1:])
        masks = {key: int(attr[f"{key}_mask"]["i"]) for key in ("begin", "end", "ellipsis", "new_axis")}
        assert masks["ellipsis"] == masks["new_axis"] == int(attr["shrink_axis_mask"]["i"]) == 0
        assert masks["begin"] == masks["end"]  # an axis is taken whole or by both its ends
        axes = np.array([axis for axis in range(len(starts)) if not masks["begin"] >> axis & 1], np.int64)
        bounds = [self.constant(f"{name}/{key}", value[axes]) for key, value in (("starts", starts), ("ends", ends))]
        bounds += [self.constant(f"{name}/axes", axes), self.constant(f"{name}/steps", steps[axes])]
        self.emit("Slice", [self.tensor(inputs[0], channels_first=False), *bounds], [name])


def read_constants(manifest: list[dict[str, Any]], blob: bytes) -> dict[str, np.ndarray]:
    """Cut the weight file into arrays; 16-bit floats are kept as such."""
    constants, offset = {}, 0
    for weight in manifest[0]["weights"]:
        stored = weight.get("quantization", {}).get("dtype", weight["dtype"])
        assert stored in ("float16", "int32"), stored
        count = int(np.prod(weight["shape"], dtype=np.int64))
        array = np.frombuffer(blob, np.dtype(stored).newbyteorder("<"), count, offset)
        constants[weight["name"]] = array.reshape(weight["shape"]).astype(stored)
        offset += array.nbytes
    assert offset == len(blob), "the weight file is longer or shorter than its manifest"
    return constants


def convert(graph_json: bytes, blob: bytes) -> bytes:
    """Return the ONNX file for a tfjs graph model.

    Parameters
    ----------
    graph_json, blob : bytes
        The graph and its weights.

    Returns
    -------
    bytes
        A serialised ONNX model with the input ``tower_0/images:0`` [1, 512, 512, 3] and the outputs
        ``tower_0/detections:0`` [1, 100, 6] and ``tower_0/keypoints:0`` [1, 128, 128, 80].
    """
    document = json.loads(graph_json)
    signature = document["signature"]
    constants = read_constants(document["weightsManifest"], blob)
    converter = Converter(document["modelTopology"], constants)
    image = signature["inputs"]["tower_0/images"]
    shape = [int(dim["size"]) for dim in image["tensorShape"]["dim"]]
    converter.size[image["name"]] = (shape[1], shape[2])
    converter.emit("Transpose", [f"{image['name']}:0"], [image["name"]], perm=TO_CHANNELS_FIRST)
    converter.channels_first.add(image["name"])
    converter.run()
    outputs = []
    for name in ("tower_0/detections", "tower_0/keypoints"):
        dims = [int(dim["size"]) for dim in signature["outputs"][name]["tensorShape"]["dim"]]
        converter.emit("Identity", [converter.tensor(name, channels_first=False)], [f"{name}:0"])
        outputs.append(helper.make_tensor_value_info(f"{name}:0", TensorProto.FLOAT, dims))
    graph = helper.make_graph(
        converter.nodes,
        "centernet",
        [helper.make_tensor_value_info(f"{image['name']}:0", TensorProto.FLOAT, shape)],
        outputs,
        converter.initializers,
        doc_string="MobileNetV3-CenterNet, 80 COCO classes; image RGB 0..255 stretched to 512 x 512",
    )
    model = helper.make_model(
        graph,
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
        producer_name="foleyspace tools/convert_centernet.py",
        producer_version="1",
    )
    onnx.checker.check_model(model, full_check=True)
    return bytes(model.SerializeToString(deterministic=True))


def main() -> int:
    """Convert, or check a file against a conversion."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("graph", type=Path, help="centernet.json")
    parser.add_argument("weights", type=Path, help="centernet.bin")
    target = parser.add_mutually_exclusive_group(required=True)
    target.add_argument("-o", "--output", type=Path, help="ONNX file to write")
    target.add_argument("--check", type=Path, help="ONNX file to compare with")
    arguments = parser.parse_args()
    sources = [path.read_bytes() for path in (arguments.graph, arguments.weights)]
    for path, data in zip((arguments.graph, arguments.weights), sources, strict=True):
        if hashlib.sha256(data).hexdigest() != SOURCE_SHA256[path.suffix]:
            print(f"{path}: not the file of @vladmandic/human 3.3.6", file=sys.stderr)
            return 1
    model = convert(*sources)
    digest = hashlib.sha256(model).hexdigest()
    if arguments.check:
        same = arguments.check.read_bytes() == model
        print(f"{arguments.check}: {'identical' if same else 'DIFFERENT'}, conversion has sha256 {digest}")
        return 0 if same else 1
    arguments.output.write_bytes(model)
    print(f"{arguments.output}: {len(model)} bytes, sha256 {digest}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

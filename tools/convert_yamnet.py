"""Make the YAMNet model and its list of classes that the package ships, from the published float model.

    python tools/convert_yamnet.py yamnet_float.onnx yamnet_class_map.csv -o yamnet.onnx --classes yamnet_classes.txt
    python tools/convert_yamnet.py yamnet_float.onnx yamnet_class_map.csv --check yamnet.onnx

The shipped files are ``foleyspace_host/models/assets/yamnet.onnx`` and ``yamnet_classes.txt``. The output is the
same byte for byte on every run. Needs numpy and onnx, nothing of this project.

Weights are rounded to 16-bit floats in the file and widened again when the model is loaded, so the computation
stays in 32 bits and the file is half as large. The class names are those of AudioSet, one a line, in the order of
the model's scores.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import sys
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

SOURCE_SHA256 = {
    ".onnx": "a416d847f6459c5ab39f6c7c580604ddc05a9f36b8ced360bc9ac993becab0cf",
    ".csv": "cdf24d193e196d9e95912a2667051ae203e92a2ba09449218ccb40ef787c6df2",
}


def halved(model: onnx.ModelProto) -> onnx.ModelProto:
    """Return the model with its float weights stored in 16 bits and cast when it is loaded."""
    casts, stored = [], []
    for tensor in model.graph.initializer:
        if tensor.data_type != TensorProto.FLOAT:
            stored.append(tensor)
            continue
        name = f"{tensor.name}/f16"
        stored.append(numpy_helper.from_array(numpy_helper.to_array(tensor).astype(np.float16), name))
        casts.append(helper.make_node("Cast", [name], [tensor.name], name=f"{tensor.name}/cast", to=TensorProto.FLOAT))
    graph = helper.make_graph([*casts, *model.graph.node], "yamnet", model.graph.input, model.graph.output, stored)
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 15)], ir_version=8)
    made.producer_name = "convert_yamnet"
    onnx.checker.check_model(made)
    return made


def read_source(path: Path) -> bytes:
    """Return the bytes of a source file, which must be the known one."""
    content = path.read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    if digest != SOURCE_SHA256[path.suffix]:
        sys.exit(f"{path}: not the file this was written for (sha256 {digest})")
    return content


def main() -> None:
    """Convert, or check."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("names", type=Path)
    parser.add_argument("-o", "--output", type=Path)
    parser.add_argument("--classes", type=Path)
    parser.add_argument("--check", type=Path)
    options = parser.parse_args()
    content = halved(onnx.load_from_string(read_source(options.model))).SerializeToString(deterministic=True)
    rows = csv.DictReader(read_source(options.names).decode("utf-8").splitlines())
    names = "".join(f"{row['display_name']}\n" for row in sorted(rows, key=lambda row: int(row["index"])))
    if options.check is not None:
        same = options.check.read_bytes() == content
        print(f"{options.check}: {'is' if same else 'is NOT'} the output of this conversion")
        sys.exit(not same)
    if options.output is not None:
        options.output.write_bytes(content)
        print(f"{options.output}: {len(content)} bytes, sha256 {hashlib.sha256(content).hexdigest()}")
    if options.classes is not None:
        options.classes.write_text(names, encoding="utf-8", newline="\n")
        print(f"{options.classes}: {len(names.splitlines())} classes")


if __name__ == "__main__":
    main()

"""Small ONNX models written as text, with weights of zeros."""

from __future__ import annotations

from pathlib import Path

import onnx
from onnx import TensorProto, helper

HEADER = '<ir_version: 8, opset_import: ["" : {opset}, "mine" : 1]>'

TOWER = """tower (float[batch,3,16,16] x) => (float[batch,10] y) {
    a = Conv <strides=[2,1], pads=[1,2,1,2]> (x, stem_weight)
    b = Conv <dilations=[2,2], group=8, auto_pad="SAME_UPPER"> (a, depthwise_weight)
    n = BatchNormalization (b, s, s, s, s)
    r = Relu (n)
    m = MaxPool <kernel_shape=[2,2], strides=[2,2]> (r)
    u = ConvTranspose <strides=[2,2], pads=[1,1,1,1]> (m, up_weight)
    g = GlobalAveragePool (u)
    f = Flatten (g)
    y = Gemm <transB=1> (f, head_weight)
}"""
TOWER_WEIGHTS: dict[str, tuple[int, ...]] = {
    "stem.weight": (8, 3, 3, 5),
    "depthwise.weight": (8, 1, 3, 3),
    "s": (8,),
    "up.weight": (8, 4, 4, 4),
    "head.weight": (10, 4),
}

PRODUCTS = """products (float[2,5,16] x) => (float[2,4,5,8] y) {
    q = MatMul (x, query)
    split = Constant <value_ints=[2,5,4,8]> ()
    h = Reshape (q, split)
    t = Transpose <perm=[0,2,1,3]> (h)
    k = Transpose <perm=[0,1,3,2]> (t)
    s = MatMul (t, k)
    p = Softmax (s)
    y = MatMul (p, t)
    e = Einsum <equation="kc,blc->bkl"> (rows, x)
    o = Einsum <equation="ij,ij->ij"> (rows, rows)
}"""
PRODUCTS_WEIGHTS: dict[str, tuple[int, ...]] = {"query": (16, 32), "rows": (7, 16)}

GROUPED = """grouped (float[2,6,5,8] q, float[2,2,5,8] k) => (float[2,6,5,8] y) {
    axis = Constant <value_ints=[2]> ()
    wide = Constant <value_ints=[2,2,3,5,8]> ()
    flat = Constant <value_ints=[2,6,5,8]> ()
    u = Unsqueeze (k, axis)
    e = Expand (u, wide)
    r = Reshape (e, flat)
    t = Transpose <perm=[0,1,3,2]> (r)
    s = MatMul (q, t)
    p = Softmax (s)
    y = MatMul (p, r)
}"""

ATTENTION = """fused (float[2,5,48] q, float[2,5,16] k, float[2,2,7,8] past) => (float[2,5,48] y) {
    y, a, b = Attention <q_num_heads=6, kv_num_heads=2> (q, k, k, , past, past)
}"""

RECURRENT = """recurrent (float[5,3,8] x) => (float[5,2,3,16] y) {
    y = LSTM <hidden_size=16, direction="bidirectional"> (x, w, r)
}"""
RECURRENT_WEIGHTS: dict[str, tuple[int, ...]] = {"w": (2, 64, 8), "r": (2, 64, 16)}

QUANTISED = """quantised (float[1,3,8,8] x) => (float[1,4,6,6] y) {
    q = QuantizeLinear (x, scale, zero)
    c = QLinearConv (q, scale, zero, weight, scale, zero, scale, zero)
    y = DequantizeLinear (c, scale, zero)
}"""

LINE = """line (float[1,6,16] x) => (float[1,4,6] y) {
    y = Conv <strides=[2], group=2> (x, line_weight)
}"""

CUSTOM = """custom (float[4,4] x) => (float[4,4] y) {
    a = MatMul (x, w)
    y = mine.Mystery (a)
}"""

CHOICE = """choice (float[4,4] x, bool b) => (float[4,4] y) {
    a = MatMul (x, w)
    y = If (b) <
        then_branch = yes () => (float[4,4] z) { z = Relu (a) },
        else_branch = no () => (float[4,4] z) { z = Abs (a) }
    >
}"""

PLAIN = """plain (float[4] x) => (float[4] y) { y = Relu (x) }"""

SYMBOLS = """symbols (float[batch,sequence,16] x) => (float[batch,sequence,sequence] y) {
    t = Transpose <perm=[0,2,1]> (x)
    y = MatMul (x, t)
}"""

UNSIZED = """unsized (float[?,4] x) => (float[?,4] y) { y = MatMul (x, w) }"""

MISFIT = """misfit (float[2,5] x) => (float[2,4] y) { y = MatMul (x, w) }"""

NONE_SUCH = """none (float[4,4] x) => (float[4,4] y) {
    a = MatMul (x, w)
    y = Convolute (a)
}"""

VALUES = """values (float[4,4] x, int64[2] shape) => (float[m,n] y) {
    a = MatMul (x, w)
    r = Reshape (a, shape)
    y = MatMul (r, w)
}"""

DET = """det (float[4,4] x) => (float[] y) {
    a = MatMul (x, w)
    y = Det (a)
}"""

SQUARE: dict[str, tuple[int, ...]] = {"w": (4, 4)}


def write(
    path: Path, text: str, weights: dict[str, tuple[int, ...]] | None = None, opset: int = 18
) -> Path:
    """Write a model of a text, its weights as initializers of zeros.

    The text says ``stem_weight`` for ``stem.weight``.
    """
    model = onnx.parser.parse_model(f"{HEADER.format(opset=opset)}\n{text}")
    names = {name.replace(".", "_"): name for name in weights or {}}
    for node in model.graph.node:
        node.input[:] = [names.get(name, name) for name in node.input]
    for name, shape in (weights or {}).items():
        size = 1
        for each in shape:
            size *= each
        tensor = helper.make_tensor(name, TensorProto.FLOAT, shape, bytes(4 * size), raw=True)
        model.graph.initializer.append(tensor)
    onnx.save(model, str(path))
    return path

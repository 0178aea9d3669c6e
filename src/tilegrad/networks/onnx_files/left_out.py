"""Why ONNX's other operators are not mapped."""

from __future__ import annotations

from tilegrad.networks.reasons import (
    ELEMENTWISE,
    LOOKUP,
    MOVEMENT,
    NORM,
    POOL,
    REDUCTION,
    UNKNOWN,
    by_operator,
)

_NAMED = {
    LOOKUP: """
        Gather GatherElements GatherND Scatter ScatterElements ScatterND OneHot Where Compress
        TensorScatter""",
    NORM: """
        BatchNormalization LayerNormalization InstanceNormalization GroupNormalization
        RMSNormalization LpNormalization MeanVarianceNormalization LRN Softmax LogSoftmax Hardmax
        SimplifiedLayerNormalization""",
    POOL: """
        MaxPool AveragePool GlobalAveragePool GlobalMaxPool LpPool GlobalLpPool MaxRoiPool RoiAlign
        Resize Upsample GridSample MaxUnpool""",
    REDUCTION: """
        ReduceMean ReduceSum ReduceMax ReduceMin ReduceProd ReduceL1 ReduceL2 ReduceLogSum
        ReduceLogSumExp ReduceSumSquare ArgMax ArgMin CumSum TopK NonZero Unique
        NonMaxSuppression CumProd""",
    MOVEMENT: """
        Constant ConstantOfShape Reshape Transpose Flatten Squeeze Unsqueeze Concat Split Slice Pad
        Expand Tile Identity Cast CastLike Shape Size Range EyeLike DepthToSpace SpaceToDepth
        Dropout ReverseSequence Trilu RandomNormal RandomNormalLike RandomUniform RandomUniformLike
        CenterCropPad Col2Im BitCast SplitToSequence ConcatFromSequence SequenceAt SequenceConstruct
        SequenceEmpty SequenceInsert SequenceErase SequenceLength""",
    ELEMENTWISE: """
        Add Sub Mul Div Pow Sqrt Exp Log Neg Abs Sign Reciprocal Floor Ceil Round Mod Relu LeakyRelu
        PRelu Elu Selu Celu ThresholdedRelu Sigmoid HardSigmoid HardSwish Swish Tanh Softplus
        Softsign Gelu Mish Erf Sin Cos Tan Asin Acos Atan Sinh Cosh Asinh Acosh Atanh Clip Min Max
        Mean Sum Equal Greater GreaterOrEqual Less LessOrEqual And Or Xor Not BitwiseAnd BitwiseOr
        BitwiseXor BitwiseNot BitShift IsNaN IsInf Shrink QuantizeLinear DequantizeLinear
        DynamicQuantizeLinear RotaryEmbedding Bernoulli""",
}
_REASONS = by_operator(_NAMED)


def reason(operator: str) -> tuple[str, int | None]:
    """Return why an operator is not mapped, and its multiply-accumulates where they are known."""
    found = _REASONS.get(operator)
    return (UNKNOWN, None) if found is None else (found, 0)

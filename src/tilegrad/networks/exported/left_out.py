"""Why PyTorch's other operators are not mapped."""

from __future__ import annotations

import torch

from tilegrad.networks.exported.call import MOVES, Call
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
        embedding embedding_bag index index_select gather take where scatter index_put one_hot
        masked_select bucketize searchsorted scatter_add index_add index_copy slice_scatter
        select_scatter""",
    NORM: """
        batch_norm layer_norm group_norm instance_norm rms_norm softmax log_softmax _softmax
        _log_softmax native_layer_norm native_batch_norm _native_batch_norm_legit_no_training
        _native_batch_norm_legit native_group_norm cosine_similarity _fused_rms_norm norm
        linalg_vector_norm _safe_softmax""",
    POOL: """
        max_pool1d max_pool2d max_pool3d avg_pool1d avg_pool2d avg_pool3d adaptive_avg_pool1d
        adaptive_avg_pool2d adaptive_avg_pool3d adaptive_max_pool1d adaptive_max_pool2d
        max_pool2d_with_indices _adaptive_avg_pool2d _adaptive_avg_pool3d upsample_nearest1d
        upsample_nearest2d upsample_nearest3d upsample_bilinear2d upsample_bicubic2d
        upsample_linear1d upsample_trilinear3d _upsample_bilinear2d_aa _upsample_bicubic2d_aa
        _upsample_nearest_exact2d grid_sampler grid_sampler_2d""",
    REDUCTION: """
        sum mean amax amin max min argmax argmin prod any all cumsum cumprod std var var_mean
        logsumexp topk sort argsort nonzero count_nonzero diff std_mean cummax logcumsumexp bincount
        histc median kthvalue equal""",
    MOVEMENT: """
        cat stack split split_with_sizes chunk slice select pad constant_pad_nd roll flip repeat
        repeat_interleave expand_as unfold im2col col2im movedim narrow unbind pixel_shuffle
        pixel_unshuffle channel_shuffle zeros ones full arange empty zeros_like ones_like full_like
        empty_like new_zeros new_ones new_full new_empty linspace copy tril triu meshgrid view_as
        reshape_as swapaxes numpy_T tile item fill eye scalar_tensor rand randn rand_like randn_like
        randint zero dropout feature_dropout alpha_dropout lift_fresh diagonal broadcast_tensors
        broadcast_to tensor_split hstack vstack reflection_pad1d reflection_pad2d replication_pad1d
        replication_pad2d as_strided tril_indices triu_indices atleast_1d ravel unsafe_split
        view_as_real view_as_complex _assert_tensor_metadata _assert_scalar sym_size
        sym_constrain_range_for_size""",
    ELEMENTWISE: """
        gelu silu relu relu6 hardswish hardsigmoid softplus glu prelu rsub native_dropout selu celu
        leaky_relu elu mish hardtanh floor_divide square masked_fill log_sigmoid softsign isin
        complex polar threshold rrelu linalg_cross __and__ __or__ __xor__ __ior__ __iand__""",
}
_REASONS = dict.fromkeys(MOVES, MOVEMENT) | by_operator(_NAMED)


def is_known(call: Call) -> bool:
    """Return whether an operator is PyTorch's own, whose kinds are known here."""
    return call.operator.startswith("aten.")


def reason(call: Call) -> tuple[str, int | None]:
    """Return why an operator is not mapped, and its multiply-accumulates where they are known."""
    found = _REASONS.get(call.kind)
    if found is not None:
        return found, 0
    target = call.node.target
    if torch.Tag.pointwise in getattr(target, "tags", ()):
        return ELEMENTWISE, 0
    if getattr(target, "is_view", False):
        return MOVEMENT, 0
    return UNKNOWN, None

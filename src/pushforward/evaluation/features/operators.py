"""The operators that a network from a file may use: they compute numbers from numbers and touch
nothing else.

One idea: what is not on a list is refused; `from_file` of torch maps files, operators of other
packages do anything.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pushforward.core.errors import BadInput


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# of torch.ops.aten: what networks in evaluation mode are exported to, without the ones that change
# their inputs or draw numbers
ATEN = _words(
    """
    _adaptive_avg_pool2d _log_softmax _native_batch_norm_legit_no_training _safe_softmax _softmax _to_copy _unsafe_view
    _upsample_bicubic2d_aa _upsample_bilinear2d_aa _upsample_nearest_exact2d _weight_norm_interface abs acos adaptive_avg_pool1d
    adaptive_avg_pool2d adaptive_avg_pool3d adaptive_max_pool2d add addcdiv addcmul addmm alias all alpha_dropout amax amin any
    arange argmax argmin asin atan atan2 avg_pool1d avg_pool2d avg_pool3d baddbmm batch_norm bitwise_and bitwise_not bitwise_or
    bmm broadcast_to cat ceil celu channel_shuffle chunk clamp clamp_max clamp_min clone concat constant_pad_nd contiguous
    conv1d conv2d conv3d conv_transpose1d conv_transpose2d convolution copysign cos cosh cumsum cumprod detach detach_copy
    diagonal div dot dropout einsum elu embedding empty_like eq erf erfc exp exp2 expand expand_as expm1 eye feature_dropout
    fill flatten flip floor floor_divide fmod frobenius_norm full full_like gather ge gelu glu group_norm gt hardshrink
    hardsigmoid hardswish hardtanh im2col index index_select instance_norm isfinite isinf isnan layer_norm le leaky_relu lerp
    lift_fresh_copy linalg_norm linalg_vector_norm linear log log10 log1p log2 log_sigmoid log_softmax logical_and logical_not
    logical_or logical_xor logsumexp lt masked_fill matmul max max_pool1d max_pool2d max_pool2d_with_indices max_pool3d maximum
    mean meshgrid min minimum mish mm movedim mul mv narrow native_group_norm native_layer_norm ne neg new_full new_ones
    new_zeros nonzero_static norm one_hot ones ones_like pad permute pixel_shuffle pixel_unshuffle pow prelu prod reciprocal
    reflection_pad1d reflection_pad2d relu relu6 remainder repeat repeat_interleave replication_pad2d reshape reshape_as
    rms_norm roll round rsqrt rsub scalar_tensor scaled_dot_product_attention scatter select select_scatter selu sigmoid sign
    silu sin sinh slice slice_scatter soft_margin_loss softmax softplus softshrink sort split split_with_sizes sqrt square
    squeeze stack std sub sum sym_numel sym_size sym_stride t tan tanh tensor_split threshold to topk transpose tril
    triu trunc type_as unbind unflatten unfold unsafe_chunk unsafe_split unsqueeze upsample_bicubic2d upsample_bilinear2d
    upsample_linear1d upsample_nearest1d upsample_nearest2d var var_mean view view_as where zeros zeros_like
    """
)

# of ONNX's own domain; without random numbers, strings, sequences of other types and training
ONNX = _words(
    """
    Abs Acos Add And ArgMax ArgMin Asin Atan AveragePool BatchNormalization Cast CastLike Ceil Celu CenterCropPad Clip Compress
    Concat Constant ConstantOfShape Conv ConvInteger ConvTranspose Cos Cosh CumSum DepthToSpace DequantizeLinear Div Dropout
    DynamicQuantizeLinear Einsum Elu Equal Erf Exp Expand EyeLike Flatten Floor Gather GatherElements GatherND Gelu Gemm
    GlobalAveragePool GlobalLpPool GlobalMaxPool Greater GreaterOrEqual GroupNormalization HardSigmoid HardSwish Hardmax
    Identity If InstanceNormalization IsInf IsNaN LRN LayerNormalization LeakyRelu Less LessOrEqual Log LogSoftmax
    LpNormalization LpPool MatMul MatMulInteger Max MaxPool Mean MeanVarianceNormalization Min Mish Mod Mul Neg NonZero Not
    OneHot Or PRelu Pad Pow QLinearConv QLinearMatMul QuantizeLinear Range Reciprocal ReduceL1 ReduceL2 ReduceLogSum
    ReduceLogSumExp ReduceMax ReduceMean ReduceMin ReduceProd ReduceSum ReduceSumSquare Relu Reshape Resize Round
    ScatterElements ScatterND Selu Shape Shrink Sigmoid Sign Sin Sinh Size Slice Softmax Softplus Softsign SpaceToDepth Split
    Sqrt Squeeze Sub Sum Tan Tanh ThresholdedRelu Tile TopK Transpose Trilu Unsqueeze Upsample Where Xor
    """
)
_DOMAINS = ("", "ai.onnx")
# numbers of fields in ONNX's protocol buffers, by the message that they are in
_GRAPH, _FUNCTIONS = 7, 25  # of a model
_NODES, _INITIALISERS, _SPARSE = 1, 5, 15  # of a graph
_KIND, _ATTRIBUTES, _DOMAIN = 4, 5, 7  # of a node
_TENSOR, _SUBGRAPH, _TENSORS, _SUBGRAPHS = 5, 6, 10, 11  # of an attribute
_EXTERNAL, _LOCATION = 13, 14  # of a tensor: where its numbers lie
_DEEPEST = 20


def check_onnx(content: bytes, path: Path) -> None:
    """Refuse an ONNX file with operators that are not on the list, functions of its own, or numbers
    in other files.

    Raises:
        BadInput: see above.
        ValueError: bytes that are no protocol buffers.
    """
    for number, value in _fields(content):
        if number == _FUNCTIONS:
            raise _refused(path, "functions of its own")
        if number == _GRAPH and isinstance(value, bytes):
            _check_graph(value, path, 0)


def _check_graph(content: bytes, path: Path, depth: int) -> None:
    if depth > _DEEPEST:
        raise _refused(path, "graphs in graphs without end")
    for number, value in _fields(content):
        if not isinstance(value, bytes):
            continue
        if number == _NODES:
            _check_node(value, path, depth)
        elif number == _INITIALISERS:
            _check_tensor(value, path)
        elif number == _SPARSE:
            for _, part in _fields(value):
                _check_tensor(part, path)


def _check_node(content: bytes, path: Path, depth: int) -> None:
    parts = list(_fields(content))
    kind = b"".join(v for n, v in parts if n == _KIND and isinstance(v, bytes)).decode(
        "utf-8", "replace"
    )
    domain = b"".join(v for n, v in parts if n == _DOMAIN and isinstance(v, bytes)).decode(
        "utf-8", "replace"
    )
    if domain not in _DOMAINS or kind not in ONNX:
        raise _refused(path, f"the operator '{domain + '.' if domain else ''}{kind[:80]}'")
    for number, attribute in parts:
        if number != _ATTRIBUTES or not isinstance(attribute, bytes):
            continue
        for inner, value in _fields(attribute):
            if inner in (_SUBGRAPH, _SUBGRAPHS) and isinstance(value, bytes):
                _check_graph(value, path, depth + 1)
            elif inner in (_TENSOR, _TENSORS):
                _check_tensor(value, path)


def _check_tensor(content: bytes | int, path: Path) -> None:
    if not isinstance(content, bytes):
        return
    for number, value in _fields(content):
        if number == _EXTERNAL or (number == _LOCATION and value != 0):
            raise _refused(path, "numbers that lie in other files")


def _fields(content: bytes) -> Iterator[tuple[int, bytes | int]]:
    """Yield number and value of the fields of a message; what is no number is bytes."""
    at = 0
    while at < len(content):
        key, at = _varint(content, at)
        number, wire = key >> 3, key & 7
        if wire == 0:
            value, at = _varint(content, at)
            yield number, value
            continue
        if wire == 2:
            size, at = _varint(content, at)
        elif wire in (1, 5):
            size = 8 if wire == 1 else 4
        else:
            raise ValueError(f"a field of the type {wire}")
        if at + size > len(content):
            raise ValueError("a field that ends behind the file")
        yield number, content[at : at + size]
        at += size


def _varint(content: bytes, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        if at >= len(content):
            raise ValueError("a number that ends behind the file")
        byte = content[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, at
    raise ValueError("a number of more than ten bytes")


def _refused(path: Path, what: str) -> BadInput:
    return BadInput(
        f"{path}, a network with {what}",
        "operators that compute and do nothing else, with their numbers inside",
        "export the part of the network that makes features into one file",
    )

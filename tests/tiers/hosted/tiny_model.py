"""A model of 100 kB with random weights, in llama.cpp's format GGUF: its tokens are bytes, and what it says is noise.

Only a grammar makes sense of it, and that is enough to test a client against a real server.
"""

import random
import struct
from array import array
from collections.abc import Sequence
from pathlib import Path

_SPECIAL = ("<unk>", "<s>", "</s>", "<PRE>", "<SUF>", "<MID>")
_UNKNOWN, _CONTROL, _BYTE = 2, 3, 6
"""Kinds of tokens."""
_U32, _I32, _F32, _BOOL, _STRING, _ARRAY = 4, 5, 6, 7, 8, 9
"""Types of values."""
_ALIGNMENT = 32
_WIDTH, _HEADS = 32, 2
_CHAT_TEMPLATE = "{% for message in messages %}{{ message.content }}\n{% endfor %}"

Value = tuple[int, bytes]


def write_tiny_model(path: Path, *, context: int = 512) -> None:
    """Write the model.

    Args:
        path: The file.
        context: Tokens that it takes.
    """
    tensors = _tensors()
    values = _values(context)
    head = struct.pack("<4sIQQ", b"GGUF", 3, len(tensors), len(values))
    head += b"".join(_text(name) + struct.pack("<I", kind) + value for name, (kind, value) in values.items())
    offset = 0
    data = bytearray()
    for name, shape, numbers in tensors:
        head += _text(name) + struct.pack(f"<I{len(shape)}QIQ", len(shape), *shape, 0, offset)
        data += _padded(numbers.tobytes())
        offset = len(data)
    path.write_bytes(_padded(head) + data)


def _values(context: int) -> dict[str, Value]:
    tokens = [*_SPECIAL, *(f"<0x{byte:02X}>" for byte in range(256))]
    kinds = [_UNKNOWN] + [_CONTROL] * (len(_SPECIAL) - 1) + [_BYTE] * 256
    return {
        "general.architecture": (_STRING, _text("llama")),
        "llama.context_length": _number(context),
        "llama.embedding_length": _number(_WIDTH),
        "llama.block_count": _number(1),
        "llama.feed_forward_length": _number(_WIDTH),
        "llama.attention.head_count": _number(_HEADS),
        "llama.attention.layer_norm_rms_epsilon": (_F32, struct.pack("<f", 1e-5)),
        "llama.rope.dimension_count": _number(_WIDTH // _HEADS),
        "tokenizer.ggml.model": (_STRING, _text("llama")),
        "tokenizer.ggml.tokens": _list(_STRING, [_text(token) for token in tokens]),
        "tokenizer.ggml.scores": _list(_F32, [struct.pack("<f", 0.0)] * len(tokens)),
        "tokenizer.ggml.token_type": _list(_I32, [struct.pack("<i", kind) for kind in kinds]),
        "tokenizer.ggml.unknown_token_id": _number(_SPECIAL.index("<unk>")),
        "tokenizer.ggml.bos_token_id": _number(_SPECIAL.index("<s>")),
        "tokenizer.ggml.eos_token_id": _number(_SPECIAL.index("</s>")),
        "tokenizer.ggml.fim_pre_token_id": _number(_SPECIAL.index("<PRE>")),
        "tokenizer.ggml.fim_suf_token_id": _number(_SPECIAL.index("<SUF>")),
        "tokenizer.ggml.fim_mid_token_id": _number(_SPECIAL.index("<MID>")),
        "tokenizer.ggml.add_space_prefix": (_BOOL, struct.pack("<?", False)),
        "tokenizer.chat_template": (_STRING, _text(_CHAT_TEMPLATE)),
    }


def _tensors() -> list[tuple[str, tuple[int, ...], "array[float]"]]:
    source = random.Random(0)  # noqa: S311 (nothing here is secret)
    vocabulary = len(_SPECIAL) + 256
    square = ("attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down")
    shapes: list[tuple[str, tuple[int, ...]]] = [
        ("token_embd.weight", (_WIDTH, vocabulary)),
        ("output.weight", (_WIDTH, vocabulary)),
        ("output_norm.weight", (_WIDTH,)),
        ("blk.0.attn_norm.weight", (_WIDTH,)),
        ("blk.0.ffn_norm.weight", (_WIDTH,)),
        *((f"blk.0.{name}.weight", (_WIDTH, _WIDTH)) for name in square),
    ]
    return [
        (name, shape, array("f", [1.0] * _WIDTH if len(shape) == 1 else _noise(source, shape[0] * shape[1])))
        for name, shape in shapes
    ]


def _noise(source: random.Random, count: int) -> list[float]:
    return [source.gauss(0.0, 0.1) for _ in range(count)]


def _number(value: int) -> Value:
    return _U32, struct.pack("<I", value)


def _list(kind: int, items: Sequence[bytes]) -> Value:
    return _ARRAY, struct.pack("<IQ", kind, len(items)) + b"".join(items)


def _text(text: str) -> bytes:
    return struct.pack("<Q", len(text.encode())) + text.encode()


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % _ALIGNMENT)

"""What a checkpoint's pickle may refer to: what ``torch.load(weights_only=True)`` allows by default.

Names and opcodes are data here, so that a test can hold them against the installed torch.
"""

from __future__ import annotations

from typing import NamedTuple

_STORAGES = """
    Float Double Half BFloat16 Long Int Short Char Byte Bool ComplexFloat ComplexDouble
"""
_QUANTISED_STORAGES = "QInt8 QUInt8 QInt32 QUInt4x2 QUInt2x4"

_CALLABLES = """
    collections.OrderedDict collections.Counter torch.nn.parameter.Parameter torch.serialization._get_layout
    torch.Size torch.Tensor torch.device _codecs.encode builtins.bytearray builtins.set builtins.complex
    torch._tensor._rebuild_from_type_v2 torch.storage.UntypedStorage torch.storage.TypedStorage
"""

_REBUILD_FUNCTIONS = """
    parameter parameter_with_state qtensor tensor tensor_v2 tensor_v3 sparse_tensor meta_tensor_no_storage
    nested_tensor wrapper_subclass device_tensor_from_cpu_tensor device_tensor_from_numpy
"""

_DTYPES = """
    float64 float32 float16 bfloat16 float8_e4m3fn float8_e4m3fnuz float8_e5m2 float8_e5m2fnuz float8_e8m0fnu
    float4_e2m1fn_x2 int64 int32 int16 int8 uint64 uint32 uint16 uint8 bool complex32 complex64 complex128
    int1 int2 int3 int4 int5 int6 int7 uint1 uint2 uint3 uint4 uint5 uint6 uint7
    qint8 quint8 qint32 quint4x2 quint2x4 bits8 bits16 bits1x8 bits2x4 bits4x2
    per_tensor_affine per_tensor_symmetric per_channel_affine per_channel_symmetric per_channel_affine_float_qparams
"""

_OPCODES = """
    PROTO GLOBAL NEWOBJ REDUCE BUILD APPEND APPENDS SETITEM SETITEMS MARK TUPLE TUPLE1 TUPLE2 TUPLE3 NONE NEWFALSE
    NEWTRUE EMPTY_TUPLE EMPTY_LIST EMPTY_DICT EMPTY_SET BININT BININT1 BININT2 BINFLOAT BINUNICODE SHORT_BINSTRING
    BINPERSID BINGET LONG_BINGET BINPUT LONG_BINPUT LONG1 STOP
"""

STORAGE_CLASSES = frozenset(f"{kind}Storage" for kind in [*_STORAGES.split(), *_QUANTISED_STORAGES.split(), "Untyped"])
"""Classes of storages, without their modules."""

OPCODES = frozenset(_OPCODES.split())
"""The opcodes that ``weights_only=True`` reads. Any other is followed only to name what it leads to."""

NAMES = frozenset(
    [
        *_CALLABLES.split(),
        *(f"torch._utils._rebuild_{what}" for what in _REBUILD_FUNCTIONS.split()),
        *(f"torch.{dtype}" for dtype in _DTYPES.split()),
        *(f"{module}.{kind}Storage" for module in ("torch", "torch.cuda") for kind in _STORAGES.split()),
        *(f"torch.{kind}Storage" for kind in _QUANTISED_STORAGES.split()),
    ]
)
"""Classes and functions, with their modules."""

_RENAMED = {"__builtin__": "builtins", "copy_reg": "copyreg"}  # what Python 2 wrote


class Name(NamedTuple):
    """A class or function that a pickle refers to."""

    module: str
    name: str

    def __str__(self) -> str:
        return f"{_RENAMED.get(self.module, self.module)}.{self.name}"

    @property
    def allowed(self) -> bool:
        """Whether loading weights needs it."""
        return str(self) in NAMES

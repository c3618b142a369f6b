"""Values of Arrow as values of DynamoDB, by the default mapping that the crate `dynasink-arrow` documents.

Scalars are read by what is stored of them, never through Python's own dates or floats.
"""

import base64
import uuid

import pyarrow as pa
from pyarrow import types

import numbers_of
import times
import variant
from refusal import DUPLICATE_ATTRIBUTE, NESTING_TOO_DEEP, UNSUPPORTED_VALUE, Refusal

MAX_CONTAINERS = 31


def value_of(scalar, leaves, depth=0):
    """The value of a scalar that is not null. `leaves` says what Parquet knows of its type and Arrow does not."""
    kind = scalar.type
    if types.is_struct(kind) and leaves.is_variant:
        return variant.value_of(scalar, depth)
    if types.is_struct(kind):
        with_children = ((kind.field(at).name, scalar[at], leaves.children[at]) for at in range(kind.num_fields))
        return map_of(
            (
                (name, child.is_valid, lambda d, child=child, of=of: value_of(child, of, d))
                for name, child, of in with_children
            ),
            depth,
        )
    if types.is_map(kind):
        return _map(scalar, leaves, depth)
    if types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind):
        depth = enter(depth)
        elements = scalar.values
        (of,) = leaves.children
        return {"L": [_or_null(elements[at], of, depth) for at in range(len(elements))]}
    return leaf(scalar, leaves)


def enter(depth):
    """The depth inside one more list or map."""
    if depth == MAX_CONTAINERS:
        raise Refusal(NESTING_TOO_DEEP)
    return depth + 1


def map_of(attributes, depth):
    """The M of (name, whether it is there, its value by depth)."""
    depth = enter(depth)
    held = {}
    for name, is_there, value in attributes:
        if is_there:
            if name in held:
                raise Refusal(DUPLICATE_ATTRIBUTE)
            held[name] = value(depth)
    return {"M": held}


def _or_null(scalar, leaves, depth):
    return value_of(scalar, leaves, depth) if scalar.is_valid else {"NULL": True}


def _map(scalar, leaves, depth):
    entries = scalar.values
    of_key, of_value = leaves.children
    keys, values = entries.field(0), entries.field(1)
    names = [_map_key(keys[at], of_key) for at in range(len(entries))]
    depth = enter(depth)
    held = {}
    for at, name in enumerate(names):
        if name in held:
            raise Refusal(DUPLICATE_ATTRIBUTE)
        held[name] = _or_null(values[at], of_value, depth)
    return {"M": held}


def _map_key(scalar, leaves):
    if not scalar.is_valid:
        raise Refusal(UNSUPPORTED_VALUE)
    if types.is_boolean(scalar.type):
        return "true" if scalar.as_py() else "false"
    if types.is_integer(scalar.type):
        return str(scalar.as_py())
    name = leaf(scalar, leaves).get("S")
    if not name:
        raise Refusal(UNSUPPORTED_VALUE)
    return name


def leaf(scalar, leaves=None):
    """The value of a scalar without parts."""
    kind = scalar.type
    if isinstance(kind, pa.BaseExtensionType):
        return _of_extension(kind, scalar.value)
    if types.is_dictionary(kind):
        return leaf(scalar.value, leaves)
    logical = leaves.logical if leaves else None
    if types.is_boolean(kind):
        return {"BOOL": scalar.as_py()}
    if types.is_integer(kind):
        return numbers_of.number(scalar.as_py())
    if types.is_float16(kind) or types.is_float32(kind):
        return numbers_of.float32(float(scalar.as_py()))
    if types.is_float64(kind):
        return numbers_of.float64(scalar.as_py())
    if types.is_decimal(kind):
        return numbers_of.number(scalar.as_py())
    if types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind):
        return {"S": _text(scalar)}
    if types.is_date32(kind):
        return {"S": times.date(scalar.value)}
    if types.is_date64(kind):
        return {"S": times.date_of_millis(scalar.value)}
    if types.is_time(kind):
        return {"S": times.time_of_day(scalar.value, kind.unit)}
    if types.is_timestamp(kind):
        return {"S": times.timestamp(scalar.value, kind.unit, kind.tz is not None)}
    if types.is_duration(kind):
        return numbers_of.scaled(scalar.value, times.DIGITS[kind.unit])
    if logical == "INTERVAL":
        parts = scalar.as_py()
        months, days, millis = (int.from_bytes(parts[at : at + 4], "little") for at in (0, 4, 8))
        return {"S": times.interval(months, days, millis * 1_000_000)}
    if logical == "ENUM":
        return {"S": _text(scalar)}
    if logical == "UUID":
        return {"S": str(uuid.UUID(bytes=scalar.as_py()))}
    if (
        types.is_binary(kind)
        or types.is_large_binary(kind)
        or types.is_binary_view(kind)
        or types.is_fixed_size_binary(kind)
    ):
        return binary(scalar.as_py())
    raise AssertionError(f"what a value of {kind} becomes is not known here")


def binary(held):
    """The B of bytes."""
    return {"B": base64.b64encode(held).decode()}


def _of_extension(kind, storage):
    if kind.extension_name == "arrow.uuid":
        return {"S": str(uuid.UUID(bytes=storage.as_py()))}
    if kind.extension_name == "arrow.bool8":
        return {"BOOL": storage.as_py() != 0}
    return leaf(storage)


def _text(scalar):
    try:
        return scalar.as_buffer().to_pybytes().decode()
    except UnicodeDecodeError:
        raise Refusal(UNSUPPORTED_VALUE) from None

"""Parquet's VARIANT, shredded or not, by its specification (VariantEncoding.md and VariantShredding.md)."""

import struct
import uuid
from decimal import Decimal

from pyarrow import types

import numbers_of
import times
import values
from refusal import UNSUPPORTED_VALUE, Refusal

MISSING = object()

INTEGERS = {3: "<b", 4: "<h", 5: "<i", 6: "<q"}
DECIMALS = {8: 4, 9: 8, 10: 16}
TIMESTAMPS = {12: ("us", True), 13: ("us", False), 18: ("ns", True), 19: ("ns", False)}


def value_of(scalar, depth):
    """The value of a VARIANT that is not null."""
    names = _names(_field(scalar, "metadata").as_py())
    return _or_null(_unshred(scalar, names, depth))


def _or_null(value):
    """A value that is missing where one is required is null: VariantShredding.md."""
    return {"NULL": True} if value is MISSING else value


def _field(scalar, name):
    """A field of a struct, None if it is not in the schema or null."""
    at = scalar.type.get_field_index(name)
    if at < 0:
        return None
    field = scalar[at]
    return field if field.is_valid else None


def _unshred(scalar, names, depth):
    held, typed = _field(scalar, "value"), _field(scalar, "typed_value")
    held = held.as_py() if held is not None else None
    if typed is None:
        return MISSING if held is None else _decode(held, names, depth)
    if types.is_struct(typed.type):
        return _object(held, typed, names, depth)
    if held is not None:
        raise Refusal(UNSUPPORTED_VALUE)
    if hasattr(typed.type, "value_field"):
        depth = values.enter(depth)
        return {"L": [_or_null(_unshred(element, names, depth)) for element in typed.values]}
    return values.leaf(typed)


def _object(held, typed, names, depth):
    depth = values.enter(depth)
    attributes = {}
    for at in range(typed.type.num_fields):
        value = _unshred(typed[at], names, depth)
        if value is not MISSING:
            attributes[typed.type.field(at).name] = value
    if held is not None:
        if held[0] & 3 != 2:
            raise Refusal(UNSUPPORTED_VALUE)
        shredded = {typed.type.field(at).name for at in range(typed.type.num_fields)}
        for name, value in _fields(held, names):
            if name in shredded:
                raise Refusal(UNSUPPORTED_VALUE)
            attributes[name] = _decode(value, names, depth)
    return {"M": attributes}


def _unsigned(held, at, size):
    return int.from_bytes(held[at : at + size], "little")


def _names(metadata):
    size = (metadata[0] >> 6) + 1
    count = _unsigned(metadata, 1, size)
    offsets = [_unsigned(metadata, 1 + size * (1 + at), size) for at in range(count + 1)]
    start = 1 + size * (count + 2)
    return [metadata[start + a : start + b].decode() for a, b in zip(offsets, offsets[1:])]


def _decode(held, names, depth):
    basic, header = held[0] & 3, held[0] >> 2
    if basic == 1:
        return {"S": held[1 : 1 + header].decode()}
    if basic == 2:
        depth = values.enter(depth)
        return {"M": {name: _decode(value, names, depth) for name, value in _fields(held, names)}}
    if basic == 3:
        depth = values.enter(depth)
        return {"L": [_decode(value, names, depth) for value in _elements(held)]}
    return _primitive(header, held[1:])


def _fields(held, names):
    header = held[0] >> 2
    offset_size, id_size, count_size = (header & 3) + 1, (header >> 2 & 3) + 1, 4 if header >> 4 & 1 else 1
    count = _unsigned(held, 1, count_size)
    ids = 1 + count_size
    offsets = ids + count * id_size
    start = offsets + (count + 1) * offset_size
    for at in range(count):
        name = names[_unsigned(held, ids + at * id_size, id_size)]
        yield name, held[start + _unsigned(held, offsets + at * offset_size, offset_size) :]


def _elements(held):
    header = held[0] >> 2
    offset_size, count_size = (header & 3) + 1, 4 if header >> 2 & 1 else 1
    count = _unsigned(held, 1, count_size)
    offsets = 1 + count_size
    start = offsets + (count + 1) * offset_size
    for at in range(count):
        yield held[start + _unsigned(held, offsets + at * offset_size, offset_size) :]


def _primitive(kind, held):
    if kind == 0:
        return {"NULL": True}
    if kind in (1, 2):
        return {"BOOL": kind == 1}
    if kind in INTEGERS:
        return numbers_of.number(struct.unpack_from(INTEGERS[kind], held)[0])
    if kind == 7:
        return numbers_of.float64(struct.unpack_from("<d", held)[0])
    if kind == 14:
        return numbers_of.float32(struct.unpack_from("<f", held)[0])
    if kind in DECIMALS:
        unscaled = int.from_bytes(held[1 : 1 + DECIMALS[kind]], "little", signed=True)
        return numbers_of.number(Decimal(f"{unscaled}E-{held[0]}"))
    if kind == 11:
        return {"S": times.date(struct.unpack_from("<i", held)[0])}
    if kind in TIMESTAMPS:
        unit, in_utc = TIMESTAMPS[kind]
        return {"S": times.timestamp(struct.unpack_from("<q", held)[0], unit, in_utc)}
    if kind == 17:
        return {"S": times.time_of_day(struct.unpack_from("<q", held)[0], "us")}
    if kind in (15, 16):
        content = held[4 : 4 + _unsigned(held, 0, 4)]
        return values.binary(content) if kind == 15 else {"S": content.decode()}
    if kind == 20:
        return {"S": str(uuid.UUID(bytes=held[:16]))}
    raise Refusal(UNSUPPORTED_VALUE)

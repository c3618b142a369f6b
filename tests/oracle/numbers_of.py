"""Numbers as N, by exact decimal arithmetic. DynamoDB holds 38 digits, from 1E-130 to 9.99E+125."""

import math
import struct
from decimal import Decimal
from fractions import Fraction

from refusal import NUMBER, Refusal

MAX_DIGITS = 38
MAX_EXPONENT = 125
MIN_EXPONENT = -130


def number(value):
    """The N of an int or a Decimal."""
    sign, digits, exponent = Decimal(value).as_tuple()
    text = "".join(map(str, digits)).lstrip("0")
    significant = text.rstrip("0")
    if not significant:
        return {"N": "0"}
    of_first_digit = exponent + len(text) - 1
    if len(significant) > MAX_DIGITS or not MIN_EXPONENT <= of_first_digit <= MAX_EXPONENT:
        raise Refusal(NUMBER)
    exponent += len(text) - len(significant)
    return {"N": f"{'-' * sign}{significant}E{exponent}"}


def scaled(unscaled, scale):
    """The N of `unscaled` / 10 ** `scale`."""
    return number(f"{unscaled}E{-scale}")


def float64(value):
    """The shortest text that reads back as the same float."""
    if not math.isfinite(value):
        raise Refusal(NUMBER)
    return number(repr(value))


def float32(value):
    """The same in 32 bits; `value` is exact in them."""
    if not math.isfinite(value):
        raise Refusal(NUMBER)
    if value == 0:
        return number(0)
    for digits in range(1, 10):
        nearest = Decimal(f"{value:.{digits - 1}e}")
        unit = Decimal((0, (1,), nearest.adjusted() - digits + 1))
        # Where floats become coarser, the nearest text may read back as another float and its neighbour not. Of two
        # that are as near, the nearest by Python is the even one.
        fitting = [text for text in (nearest, nearest - unit, nearest + unit) if _reads_as(text, value)]
        if fitting:
            return number(min(fitting, key=lambda text: abs(Fraction(text) - Fraction(value))))
    raise AssertionError(f"nine digits tell all floats apart, but not {value!r}")


def _reads_as(text, value):
    """Whether `value` is the float of 32 bits that is nearest to `text`, by exact arithmetic."""
    bits = struct.unpack("<I", struct.pack("<f", abs(value)))[0]
    neighbours = [bits - 1, bits, bits + 1]
    distance = [abs(abs(Fraction(text)) - _of_bits(neighbour)) for neighbour in neighbours]
    nearest = min(distance)
    if distance[1] != nearest:
        return False
    # Of two that are as near, the even one.
    return distance.count(nearest) == 1 or bits % 2 == 0


def _of_bits(bits):
    exponent, fraction = bits >> 23, bits & 0x7FFFFF
    if exponent == 0xFF:
        return Fraction(2) ** 128
    if exponent == 0:
        return Fraction(fraction, 2**149)
    return (0x800000 + fraction) * Fraction(2) ** (exponent - 150)

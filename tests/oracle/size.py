"""Bytes of an item by DynamoDB's rule (AWS: "DynamoDB item sizes and formats")."""

from decimal import Decimal

MAX_ITEM_BYTES = 400 * 1_024


def of_item(item):
    """Names and values together."""
    return sum(len(name.encode()) + _of_value(value) for name, value in item.items())


def _of_value(value):
    ((kind, held),) = value.items()
    if kind == "S":
        return len(held.encode())
    if kind == "N":
        return _of_number(Decimal(held))
    if kind == "B":
        return len(held) // 4 * 3 - held.count("=")
    if kind in ("BOOL", "NULL"):
        return 1
    if kind == "L":
        return 3 + sum(1 + _of_value(element) for element in held)
    if kind == "M":
        return 3 + len(held) + of_item(held)
    raise AssertionError(f"no size of {kind}")


def _of_number(value):
    """One byte, one for each pair of digits around the decimal point, and one for a minus."""
    if not value:
        return 1
    sign, digits, exponent = value.as_tuple()
    text = "".join(map(str, digits)).lstrip("0")
    first = (exponent + len(text) - 1) // 2
    last = (exponent + len(text) - len(text.rstrip("0"))) // 2
    return 1 + first - last + 1 + sign

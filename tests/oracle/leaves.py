"""What a Parquet schema says of a column and pyarrow's Arrow type does not."""

import re

from pyarrow import types

GROUP = re.compile(r"^( *)(?:required|optional|repeated) group field_id=\S+ (.*?)(?: \((\w+)[^{]*\))? {$")
LEAF = re.compile(r"^ *(?:required|optional|repeated) .* field_id=\S+ .*;$")


class Leaves:
    """A column or a part of one: its logical type by Parquet, and its parts in the order of Arrow."""

    def __init__(self, logical=None, is_variant=False, children=()):
        self.logical = logical
        self.is_variant = is_variant
        self.children = children


def of_file(file):
    """The columns of a ParquetFile."""
    walk = _Walk(file.schema)
    columns = [walk.of(field.name, field.type) for field in file.schema_arrow]
    assert walk.next_leaf == len(file.schema), "Arrow has other leaves than Parquet"
    return columns


class _Walk:
    def __init__(self, parquet):
        self.parquet = parquet
        self.next_leaf = 0
        self.variants = _variants(str(parquet))

    def of(self, name, kind):
        is_variant = (self.next_leaf, name) in self.variants
        if types.is_map(kind):
            children = [self.of("key", kind.key_type), self.of("value", kind.item_type)]
        elif types.is_struct(kind):
            fields = (kind.field(at) for at in range(kind.num_fields))
            children = [self.of(field.name, field.type) for field in fields]
        elif hasattr(kind, "value_field"):
            children = [self.of(kind.value_field.name, kind.value_type)]
        else:
            column = self.parquet.column(self.next_leaf)
            self.next_leaf += 1
            return Leaves(logical=_logical(column))
        return Leaves(is_variant=is_variant, children=children)


def _logical(column):
    if column.converted_type in ("INTERVAL", "ENUM"):
        return column.converted_type
    return column.logical_type.type


def _variants(schema):
    """The groups of VARIANT, by their first leaf and their name: pyarrow tells them in the schema's text alone."""
    variants, leaf = set(), 0
    for line in schema.splitlines():
        group = GROUP.match(line)
        if group and group[3] == "Variant":
            variants.add((leaf, group[2]))
        elif LEAF.match(line):
            leaf += 1
    return variants

"""What the rows of Parquet files become by the default mapping, read by pyarrow: the oracle of the corpus test.

    items.py INTO FILE...

writes a file INTO/<n> for each FILE, n from 0. It has one line for each row: {"item": DynamoDB JSON}, or
{"error": code} for a row that cannot be an item. A last line {"refused": message} says that pyarrow cannot read on.

Each file is read in a process of its own, within a limit of time and memory: the corpus has files that were made
to bring readers down.
"""

import json
import os
import resource
import signal
import sys
import traceback

import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow.parquet.encryption import create_decryption_properties

import leaves
import size
import values
from refusal import ITEM_TOO_LARGE, Refusal

KEY = "corpus row"

SECONDS = 60
MEMORY = 4 << 30


def rows(path):
    """The line of each row."""
    options = {"coerce_int96_timestamp_unit": "us", "page_checksum_verification": True}
    if path.endswith(".encrypted"):
        options["decryption_properties"] = _decryption(path)
    with pq.ParquetFile(path, **options) as file:
        columns = leaves.of_file(file)
        row = 0
        for batch in file.iter_batches(batch_size=1_024, use_threads=False):
            for at in range(batch.num_rows):
                yield _line(batch, columns, at, row)
                row += 1


def _decryption(path):
    """The key of all columns. pyarrow has no way to be given keys of single columns."""
    key = b"0123456789" * 3 + b"01" if "/aes256/" in path else b"0123456789012345"
    return create_decryption_properties(key)


def _line(batch, columns, at, row):
    try:
        item = {KEY: {"N": str(row)}}
        for name, column, of in zip(batch.schema.names, batch.columns, columns):
            scalar = column[at]
            if scalar.is_valid:
                item[name] = values.value_of(scalar, of)
        if size.of_item(item) > size.MAX_ITEM_BYTES:
            raise Refusal(ITEM_TOO_LARGE)
    except Refusal as refusal:
        return {"error": refusal.code}
    return {"item": item}


def write(path, into):
    """Writes the lines of one file."""
    with open(into, "w", encoding="utf-8") as out:
        try:
            for line in rows(path):
                print(json.dumps(line), file=out)
        except (pa.ArrowException, OSError, MemoryError) as error:
            print(json.dumps({"refused": str(error)}), file=out)


def main(into, paths):
    for number, path in enumerate(paths):
        out = os.path.join(into, str(number))
        child = os.fork()
        if child == 0:
            resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
            signal.alarm(SECONDS)
            status = 1
            try:
                write(path, out)
                status = 0
            except Exception:
                traceback.print_exc()
            finally:
                sys.stderr.flush()
                os._exit(status)
        _, status = os.waitpid(child, 0)
        if os.WIFSIGNALED(status):
            ended = signal.Signals(os.WTERMSIG(status)).name
            with open(out, "a", encoding="utf-8") as lines:
                print("\n" + json.dumps({"refused": f"pyarrow was ended by {ended}"}), file=lines)
        elif status != 0:
            sys.exit(f"{path}: the oracle failed, see above")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])

"""Reads Arrow IPC streams and writes them again in other ways: one JSON object per line, one answer per line.

A line is {"stream": base64}; the answer has the types and the streams, in base64 by the way in which they were written.
"""

import base64
import io
import json
import sys

import pyarrow as pa
import pyarrow.ipc as ipc


def written(table, compression=None, file=False):
    sink = io.BytesIO()
    options = ipc.IpcWriteOptions(compression=compression)
    make = ipc.new_file if file else ipc.new_stream
    with make(sink, table.schema, options=options) as writer:
        writer.write_table(table)
    return base64.b64encode(sink.getvalue()).decode()


def changed(table, change):
    """The table with the type of each column changed; columns that it does not concern stay."""
    types = [change(column.type) for column in table.columns]
    columns = [c if c.type == of else c.cast(of) for c, of in zip(table.columns, types, strict=True)]
    return pa.table(columns, names=table.column_names)


def large(of):
    return pa.large_string() if pa.types.is_string(of) else pa.large_binary() if pa.types.is_binary(of) else of


def answer(stream):
    with ipc.open_stream(base64.b64decode(stream)) as reader:
        table = reader.read_all()
    table.validate(full=True)
    names = table.column_names
    ways = {
        "stream": written(table),
        "lz4": written(table, "lz4"),
        "zstd": written(table, "zstd"),
        "file": written(table, file=True),
        "zstd file": written(table, "zstd", file=True),
        "reversed": written(table.select(names[::-1])),
        # Slices of arrays begin in the middle of their buffers.
        "sliced": written(pa.concat_tables([table, table, table]).combine_chunks().slice(len(table), len(table))),
        "missing": written(table.select(names[1:])),
        "extra": written(table.append_column("extra", pa.nulls(len(table), pa.int32()))),
    }
    if any(large(column.type) != column.type for column in table.columns):
        ways["large"] = written(changed(table, large))
    if any(pa.types.is_string(column.type) for column in table.columns):
        columns = [c.dictionary_encode() if pa.types.is_string(c.type) else c for c in table.columns]
        ways["dictionary"] = written(pa.table(columns, names=names))
    return {"types": [str(field.type) for field in table.schema], "ways": ways}


for line in sys.stdin:
    print(json.dumps(answer(json.loads(line)["stream"])), flush=True)

"""Reads a Parquet file and writes it again in other ways: parquet.py FILE FOLDER. Prints the types as JSON."""

import json
import sys

import pyarrow as pa
import pyarrow.parquet as pq

source, folder = sys.argv[1:]
table = pq.read_table(source)
table.validate(full=True)


def plain(column):
    """JSON as text, as a program without the type would write it."""
    return column.cast(pa.string()) if "json" in str(column.type) else column


texts = pa.table([plain(column) for column in table.columns], names=table.column_names)
ways = {
    "gzip": {"compression": "gzip"},
    "zstd": {"compression": "zstd", "row_group_size": 2},
    "brotli": {"compression": "brotli", "data_page_version": "2.0"},
    "plain": {"compression": "none", "use_dictionary": False},
    "old": {"version": "1.0", "use_deprecated_int96_timestamps": True},
}
for name, options in ways.items():
    pq.write_table(texts, f"{folder}/{name}.parquet", **options)
print(json.dumps({"rows": table.num_rows, "types": {field.name: str(field.type) for field in table.schema}}))

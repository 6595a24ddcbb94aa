"""Arrow values from the canonical text of the tests, and back; see ../protocol.ts for the text."""

import decimal
import struct

import pyarrow
import pyarrow.types as types

NANOS = {"s": 1_000_000_000, "ms": 1_000_000, "us": 1_000, "ns": 1}


def batch_of(schema, rows):
    """The record batch of rows of texts."""
    columns = zip(*rows, strict=True)
    arrays = [
        pyarrow.array([value_of(field.type, text) for text in column], type=field.type)
        for field, column in zip(schema, columns, strict=True)
    ]
    return pyarrow.record_batch(arrays, schema=schema)


def texts_of(table):
    """The rows of a table as texts."""
    columns = [[text_of(value) for value in column] for column in table.columns]
    return [list(row) for row in zip(*columns, strict=True)]


def value_of(of, text):
    """What pyarrow makes a value of the type from."""
    if text is None:
        return None
    if types.is_int64(of):
        return int(text)
    if types.is_float32(of):
        return struct.unpack(">f", bytes.fromhex(text))[0]
    if types.is_float64(of):
        return struct.unpack(">d", bytes.fromhex(text))[0]
    if types.is_decimal(of):
        return decimal.Decimal(text)
    if types.is_binary(of) or types.is_fixed_size_binary(of):
        return bytes.fromhex(text)
    if types.is_time(of):
        return text * 1_000_000 // NANOS[of.unit]
    if types.is_timestamp(of):
        millis, nanos = (int(part) for part in text.split("+"))
        return (millis * 1_000_000 + nanos) // NANOS[of.unit]
    if types.is_list(of):
        return [value_of(of.value_type, item) for item in text]
    if types.is_map(of):
        return [(value_of(of.key_type, key), value_of(of.item_type, item)) for key, item in text]
    if types.is_struct(of):
        return {of.field(i).name: value_of(of.field(i).type, item) for i, item in enumerate(text)}
    return text


def text_of(value):
    """The text of an Arrow scalar."""
    if not value.is_valid:
        return None
    of = value.type
    if types.is_int64(of):
        return str(value.as_py())
    if types.is_float32(of):
        number = value.as_py()
        return "7fc00000" if number != number else struct.pack(">f", number).hex()
    if types.is_float64(of):
        number = value.as_py()
        return "7ff8000000000000" if number != number else struct.pack(">d", number).hex()
    if types.is_decimal(of):
        return format(value.as_py(), "f")
    if types.is_binary(of) or types.is_fixed_size_binary(of):
        return value.as_py().hex()
    if types.is_date32(of):
        return value.value
    if types.is_time(of):
        return value.value * NANOS[of.unit] // 1_000_000
    if types.is_timestamp(of):
        nanos = value.value * NANOS[of.unit]
        return f"{nanos // 1_000_000}+{nanos % 1_000_000}"
    if types.is_map(of):
        return [[text_of(entry["key"]), text_of(entry["value"])] for entry in value.values or []]
    if types.is_list(of):
        return [text_of(item) for item in value.values]
    if types.is_struct(of):
        return [text_of(value[i]) for i in range(of.num_fields)]
    return value.as_py()

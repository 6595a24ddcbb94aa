"""Values of pyfluss from the canonical text of the tests, and back; see ../protocol.ts for the text.

pyfluss gives no types with its values, so the type of a column comes with the command that opens its table.
"""

import datetime
import decimal
import struct

EPOCH_DATE = datetime.date(1970, 1, 1)
EPOCH = datetime.datetime(1970, 1, 1)
UTC = datetime.timezone.utc
EXACT = decimal.Context(prec=100, traps=[decimal.Inexact, decimal.InvalidOperation])


def parse(of, text):
    """The Python value of a canonical text."""
    if text is None:
        return None
    kind = of["type"]
    if kind == "BIGINT":
        return int(text)
    if kind == "FLOAT":
        return struct.unpack(">f", bytes.fromhex(text))[0]
    if kind == "DOUBLE":
        return struct.unpack(">d", bytes.fromhex(text))[0]
    if kind == "DECIMAL":
        return decimal.Decimal(text)
    if kind in ("BINARY", "BYTES"):
        return bytes.fromhex(text)
    if kind == "DATE":
        return EPOCH_DATE + datetime.timedelta(days=text)
    if kind == "TIME":
        return (EPOCH + datetime.timedelta(milliseconds=text)).time()
    if kind in ("TIMESTAMP", "TIMESTAMP_LTZ"):
        millis, nanos = (int(part) for part in text.split("+"))
        if nanos % 1000 != 0:
            raise ValueError(f"datetime has no nanoseconds: {text}")
        value = EPOCH + datetime.timedelta(milliseconds=millis, microseconds=nanos // 1000)
        return value if kind == "TIMESTAMP" else value.replace(tzinfo=UTC)
    if kind == "ARRAY":
        return [parse(of["element"], item) for item in text]
    if kind == "MAP":
        return [(parse(of["key"], key), parse(of["value"], value)) for key, value in text]
    if kind == "ROW":
        return [parse(field, item) for (_, field), item in zip(of["fields"], text, strict=True)]
    return text


def text_of(of, value):
    """The canonical text of a Python value."""
    if value is None:
        return None
    kind = of["type"]
    if kind == "BIGINT":
        return str(value)
    if kind == "FLOAT":
        return "7fc00000" if value != value else struct.pack(">f", value).hex()
    if kind == "DOUBLE":
        return "7ff8000000000000" if value != value else struct.pack(">d", value).hex()
    if kind == "DECIMAL":
        # pyfluss says 0 for 0.00; a digit too many would raise Inexact.
        return format(value.quantize(decimal.Decimal(1).scaleb(-of["scale"]), context=EXACT), "f")
    if kind in ("BINARY", "BYTES"):
        return value.hex()
    if kind == "DATE":
        return (value - EPOCH_DATE).days
    if kind == "TIME":
        return ((value.hour * 60 + value.minute) * 60 + value.second) * 1000 + value.microsecond // 1000
    if kind in ("TIMESTAMP", "TIMESTAMP_LTZ"):
        micros = (value.replace(tzinfo=None) - EPOCH) // datetime.timedelta(microseconds=1)
        return f"{micros // 1000}+{micros % 1000 * 1000}"
    if kind == "ARRAY":
        return [text_of(of["element"], item) for item in value]
    if kind == "MAP":
        return [[text_of(of["key"], key), text_of(of["value"], item)] for key, item in value]
    if kind == "ROW":
        return [text_of(field, value[name]) for name, field in of["fields"]]
    return value

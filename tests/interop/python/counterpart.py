"""The official Python client behind a line protocol on standard input and output; see ../protocol.ts."""

import asyncio
import base64
import io
import json
import sys
import time

import fluss
import pyarrow
import pyarrow.ipc

from arrow_values import batch_of, texts_of
from values import parse, text_of

# Less than the tests wait for an answer.
READ_LOG_S = 20


class Counterpart:
    """One connection and the tables that were opened on it."""

    def __init__(self, connection):
        self.connection = connection
        self.types = {}
        self.tables = {}

    async def hello(self, _command):
        return f"pyfluss {fluss.__version__} on Python {sys.version.split()[0]}"

    async def open(self, command):
        name = command["table"]
        self.types[name] = dict(command["columns"])
        database, table = name.split(".")
        self.tables[name] = await self.connection.get_table(fluss.TablePath(database, table))

    async def append(self, command):
        table, types = self.table(command)
        writer = table.new_append().create_writer()
        return await settle(writer, [writer.append(self.named(types, list(types), row)) for row in command["rows"]])

    async def appendArrow(self, command):
        table, _ = self.table(command)
        writer = table.new_append().create_writer()
        return await settle(writer, [writer.write_arrow_batch(batch_of(table.arrow_schema, command["rows"]))])

    async def readLog(self, command):
        """Reads from the beginning until it has as many records as there should be, and what came with the last."""
        table, types = self.table(command)
        scanner = await table.new_scan().create_log_scanner()
        buckets = table.get_table_info().num_buckets
        scanner.subscribe_buckets({bucket: fluss.EARLIEST_OFFSET for bucket in range(buckets)})
        end = time.monotonic() + READ_LOG_S
        records = []
        while len(records) < command["count"] and time.monotonic() < end:
            for bucket, polled in (await scanner.poll(200)).items():
                for record in polled:
                    texts = self.texts(types, record.row)
                    change = record.change_type.short_string()
                    records.append([bucket.bucket_id, str(record.offset), change, texts])
        return records

    async def toArrow(self, command):
        """An Arrow IPC stream of a table's columns, with the codec that is asked for."""
        table, _ = self.table(command)
        schema = table.arrow_schema
        sink = io.BytesIO()
        options = pyarrow.ipc.IpcWriteOptions(compression=command["compression"])
        with pyarrow.ipc.new_stream(sink, schema, options=options) as writer:
            writer.write_batch(batch_of(schema, command["rows"]))
        return base64.b64encode(sink.getvalue()).decode()

    async def fromArrow(self, command):
        """The types and the rows of an Arrow IPC stream, which must be valid in every detail."""
        with pyarrow.ipc.open_stream(base64.b64decode(command["stream"])) as reader:
            table = reader.read_all()
        table.validate(full=True)
        types = [[field.name, str(field.type)] for field in table.schema]
        return {"types": types, "rows": texts_of(table)}

    async def upsert(self, command):
        table, types = self.table(command)
        upsert = table.new_upsert()
        columns = list(types)
        if "columns" in command:
            columns = command["columns"]
            upsert = upsert.partial_update_by_name(columns)
        writer = upsert.create_writer()
        return await settle(writer, [writer.upsert(self.named(types, columns, row)) for row in command["rows"]])

    async def delete(self, command):
        table, types = self.table(command)
        writer = table.new_upsert().create_writer()
        columns = table.get_table_info().get_primary_keys()
        return await settle(writer, [writer.delete(self.named(types, columns, key)) for key in command["keys"]])

    async def lookup(self, command):
        table, types = self.table(command)
        columns = table.get_table_info().get_primary_keys()
        # A lookuper takes one call at a time, and each call waits up to 100 ms for company: so one for each key.
        lookups = [
            table.new_lookup().create_lookuper().lookup(self.named(types, columns, key)) for key in command["keys"]
        ]
        return [None if row is None else self.texts(types, row) for row in await asyncio.gather(*lookups)]

    async def prefixLookup(self, command):
        table, types = self.table(command)
        columns = command["columns"]
        lookups = [
            table.new_lookup().lookup_by(columns).create_lookuper().lookup(self.named(types, columns, prefix))
            for prefix in command["prefixes"]
        ]
        return [[self.texts(types, row) for row in rows] for rows in await asyncio.gather(*lookups)]

    def table(self, command):
        return self.tables[command["table"]], self.types[command["table"]]

    @staticmethod
    def named(types, columns, texts):
        return {name: parse(types[name], text) for name, text in zip(columns, texts, strict=True)}

    @staticmethod
    def texts(types, row):
        return [text_of(of, row[name]) for name, of in types.items()]


async def settle(writer, handles):
    await writer.flush()
    for handle in handles:
        await handle.wait()
    return len(handles)


async def answer(counterpart, command):
    try:
        operation = getattr(counterpart, command["op"], None)
        if operation is None:
            raise NotImplementedError(f"unknown command {command['op']}")
        said = {"id": command["id"], "ok": await operation(command)}
    except Exception as error:  # every failure is an answer: the tests decide what it means
        said = {"id": command["id"], "error": f"{type(error).__name__}: {error}"}
    print(json.dumps(said), flush=True)


async def main(bootstrap):
    connection = await fluss.FlussConnection.create(fluss.Config({"bootstrap.servers": bootstrap}))
    counterpart = Counterpart(connection)
    loop = asyncio.get_running_loop()
    answers = set()
    # Lookups wait for company and writes for their batch: commands run side by side.
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        command = json.loads(line)
        if command["op"] == "quit":
            break
        task = loop.create_task(answer(counterpart, command))
        answers.add(task)
        task.add_done_callback(answers.discard)
    await asyncio.gather(*answers)
    await connection.close()


asyncio.run(main(sys.argv[1]))

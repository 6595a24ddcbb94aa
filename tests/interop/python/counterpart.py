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
# How often a table is asked for that pyfluss does not find although the cluster has it.
OPENINGS = 9


class Counterpart:
    """One connection and the tables that were opened on it."""

    def __init__(self, connection):
        self.connection = connection
        self.types = {}
        self.opened = {}

    async def hello(self, _command):
        return f"pyfluss {fluss.__version__} on Python {sys.version.split()[0]}"

    async def open(self, command):
        name = command["table"]
        self.types[name] = dict(command["columns"])
        self.opened[name] = await self.get_table(path_of(command))

    async def get_table(self, path):
        """Tables that are opened side by side overwrite each other in pyfluss's metadata: what is lost is asked again."""
        for _ in range(OPENINGS):
            try:
                return await self.connection.get_table(path)
            except fluss.FlussError as error:
                if error.error_code != fluss.ErrorCode.TABLE_NOT_EXIST:
                    raise
                if not await self.connection.get_admin().table_exists(path):
                    raise
        return await self.connection.get_table(path)

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

    async def servers(self, _command):
        nodes = await self.connection.get_admin().get_server_nodes()
        return [f"{node.server_type} {node.host}:{node.port}" for node in nodes]

    async def databases(self, _command):
        return await self.connection.get_admin().list_databases()

    async def createDatabase(self, command):
        await self.connection.get_admin().create_database(command["database"])

    async def dropDatabase(self, command):
        await self.connection.get_admin().drop_database(command["database"], False, command["cascade"])

    async def databaseExists(self, command):
        return await self.connection.get_admin().database_exists(command["database"])

    async def create(self, command):
        schema = pyarrow.schema([arrow_field(*column) for column in command["columns"]])
        descriptor = fluss.TableDescriptor(
            fluss.Schema(schema, primary_keys=command["primaryKey"] or None),
            partition_keys=command["partitionBy"],
            bucket_count=command["buckets"],
            bucket_keys=command["bucketKey"],
            properties=command["properties"],
        )
        await self.connection.get_admin().create_table(path_of(command), descriptor)

    async def tables(self, command):
        return await self.connection.get_admin().list_tables(command["database"])

    async def tableExists(self, command):
        return await self.connection.get_admin().table_exists(path_of(command))

    async def dropTable(self, command):
        await self.connection.get_admin().drop_table(path_of(command))

    async def partitions(self, command):
        found = await self.connection.get_admin().list_partition_infos(path_of(command))
        return [partition.partition_name for partition in found]

    async def createPartition(self, command):
        await self.connection.get_admin().create_partition(path_of(command), command["spec"])

    async def dropPartition(self, command):
        await self.connection.get_admin().drop_partition(path_of(command), command["spec"])

    async def offsets(self, command):
        admin = self.connection.get_admin()
        which = fluss.OffsetSpec.latest() if command["which"] == "latest" else fluss.OffsetSpec.earliest()
        buckets = command["buckets"]
        if "partition" in command:
            found = await admin.list_partition_offsets(path_of(command), command["partition"], buckets, which)
        else:
            found = await admin.list_offsets(path_of(command), buckets, which)
        return [str(found[bucket]) for bucket in buckets]

    async def limitScan(self, command):
        """At most so many rows of every bucket."""
        table, _ = self.table(command)
        info = table.get_table_info()
        ids = {None: None}
        if "partition" in command:
            found = await self.connection.get_admin().list_partition_infos(path_of(command))
            ids = {partition.partition_name: partition.partition_id for partition in found}
        partition = ids[command.get("partition")]
        rows = []
        for number in range(info.num_buckets):
            bucket = fluss.TableBucket(info.table_id, number)
            if partition is not None:
                bucket = fluss.TableBucket.with_partition(info.table_id, partition, number)
            scanner = table.new_scan().limit(command["limit"]).create_bucket_batch_scanner(bucket)
            rows += texts_of(await scanner.to_arrow())
        return rows

    def table(self, command):
        return self.opened[command["table"]], self.types[command["table"]]

    @staticmethod
    def named(types, columns, texts):
        return {name: parse(types[name], text) for name, text in zip(columns, texts, strict=True)}

    @staticmethod
    def texts(types, row):
        return [text_of(of, row[name]) for name, of in types.items()]


# What tables are created with here; nothing else is needed.
ARROW_TYPES = {"INT": pyarrow.int32(), "BIGINT": pyarrow.int64(), "STRING": pyarrow.string()}


def arrow_field(name, kind):
    return pyarrow.field(name, ARROW_TYPES[kind.removesuffix(" NOT NULL")], nullable=not kind.endswith(" NOT NULL"))


def path_of(command):
    return fluss.TablePath(*command["table"].split("."))


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


async def main(bootstrap, username=None, password=None):
    config = fluss.Config({"bootstrap.servers": bootstrap})
    if username is not None:
        config.security_protocol = "sasl"
        config.security_sasl_mechanism = "PLAIN"
        config.security_sasl_username = username
        config.security_sasl_password = password
    connection = await fluss.FlussConnection.create(config)
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


asyncio.run(main(*sys.argv[1:]))

"""The official Python client behind a line protocol on standard input and output; see ../protocol.ts."""

import asyncio
import json
import sys

import fluss

from values import parse, text_of


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

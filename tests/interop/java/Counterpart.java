import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonNull;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import com.google.gson.JsonPrimitive;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import org.apache.fluss.client.Connection;
import org.apache.fluss.client.ConnectionFactory;
import org.apache.fluss.client.admin.Admin;
import org.apache.fluss.client.admin.OffsetSpec;
import org.apache.fluss.client.lookup.Lookup;
import org.apache.fluss.client.lookup.LookupResult;
import org.apache.fluss.client.lookup.Lookuper;
import org.apache.fluss.client.table.Table;
import org.apache.fluss.client.table.scanner.ScanRecord;
import org.apache.fluss.client.table.scanner.batch.BatchScanner;
import org.apache.fluss.client.table.scanner.log.LogScanner;
import org.apache.fluss.client.table.scanner.log.ScanRecords;
import org.apache.fluss.client.table.writer.AppendWriter;
import org.apache.fluss.client.table.writer.Upsert;
import org.apache.fluss.client.table.writer.UpsertWriter;
import org.apache.fluss.cluster.ServerNode;
import org.apache.fluss.config.Configuration;
import org.apache.fluss.metadata.DatabaseDescriptor;
import org.apache.fluss.metadata.PartitionInfo;
import org.apache.fluss.metadata.PartitionSpec;
import org.apache.fluss.metadata.Schema;
import org.apache.fluss.metadata.TableBucket;
import org.apache.fluss.metadata.TableChange;
import org.apache.fluss.metadata.TableDescriptor;
import org.apache.fluss.metadata.TableInfo;
import org.apache.fluss.metadata.TablePath;
import org.apache.fluss.row.GenericRow;
import org.apache.fluss.row.InternalRow;
import org.apache.fluss.types.DataType;
import org.apache.fluss.types.DataTypes;
import org.apache.fluss.types.RowType;
import org.apache.fluss.utils.CloseableIterator;

/** The official Java client behind a line protocol on standard input and output; see ../protocol.ts. */
public final class Counterpart {
    private static final Gson GSON = new GsonBuilder().serializeNulls().disableHtmlEscaping().create();

    /** The long form of the type, which the client itself does not parse. */
    private static final Pattern LTZ = Pattern.compile("TIMESTAMP\\((\\d)\\) WITH LOCAL TIME ZONE");

    /** Less than the tests wait for an answer. */
    private static final Duration READ_LOG = Duration.ofSeconds(20);

    private final Connection connection;
    private final Map<String, Table> tables = new ConcurrentHashMap<>();

    private Counterpart(Connection connection) {
        this.connection = connection;
    }

    public static void main(String[] args) throws Exception {
        Configuration configuration = new Configuration();
        configuration.setString("bootstrap.servers", args[0]);
        if (args.length > 1) {
            configuration.setString("client.security.protocol", "SASL");
            configuration.setString("client.security.sasl.mechanism", "PLAIN");
            configuration.setString("client.security.sasl.username", args[1]);
            configuration.setString("client.security.sasl.password", args[2]);
        }
        // Lookups wait for company; the default of 100 ms would be most of the time of a run.
        configuration.setString("client.lookup.batch-timeout", "1ms");
        PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        // Writes wait for their batch and lookups for company: commands run side by side.
        ExecutorService threads = Executors.newCachedThreadPool();
        try (Connection connection = ConnectionFactory.createConnection(configuration)) {
            Counterpart counterpart = new Counterpart(connection);
            for (String line = in.readLine(); line != null; line = in.readLine()) {
                JsonObject command = JsonParser.parseString(line).getAsJsonObject();
                if (command.get("op").getAsString().equals("quit")) {
                    break;
                }
                threads.execute(() -> out.println(counterpart.answer(command)));
            }
            threads.shutdown();
            threads.awaitTermination(5, TimeUnit.SECONDS);
        }
    }

    private String answer(JsonObject command) {
        JsonObject answer = new JsonObject();
        answer.add("id", command.get("id"));
        try {
            answer.add("ok", run(command));
        } catch (Throwable error) {
            Throwable cause = error instanceof ExecutionException ? error.getCause() : error;
            answer.addProperty("error", cause.toString());
        }
        return GSON.toJson(answer);
    }

    private JsonElement run(JsonObject command) throws Exception {
        switch (command.get("op").getAsString()) {
            case "hello":
                return new JsonPrimitive("fluss-client on Java " + Runtime.version());
            case "open":
                // The types come from the table itself; opening it here only tells early that it is not there.
                table(command);
                return JsonNull.INSTANCE;
            case "create":
                return create(command);
            case "describe":
                return describe(command);
            case "append":
                return append(command);
            case "readLog":
                return readLog(command);
            case "upsert":
                return upsert(command);
            case "delete":
                return delete(command);
            case "lookup":
                return lookup(command);
            case "prefixLookup":
                return prefixLookup(command);
            case "limitScan":
                return limitScan(command);
            default:
                return administer(command, connection.getAdmin());
        }
    }

    private JsonElement administer(JsonObject command, Admin admin) throws Exception {
        String database = command.has("database") ? command.get("database").getAsString() : null;
        switch (command.get("op").getAsString()) {
            case "servers":
                JsonArray servers = new JsonArray();
                for (ServerNode node : admin.getServerNodes().get()) {
                    servers.add(node.serverType().toString() + " " + node.host() + ":" + node.port());
                }
                return servers;
            case "databases":
                return GSON.toJsonTree(admin.listDatabases().get());
            case "createDatabase":
                admin.createDatabase(database, DatabaseDescriptor.EMPTY, false).get();
                return JsonNull.INSTANCE;
            case "dropDatabase":
                admin.dropDatabase(database, false, command.get("cascade").getAsBoolean()).get();
                return JsonNull.INSTANCE;
            case "databaseExists":
                return new JsonPrimitive(admin.databaseExists(database).get());
            case "tables":
                return GSON.toJsonTree(admin.listTables(database).get());
            case "tableExists":
                return new JsonPrimitive(admin.tableExists(path(command)).get());
            case "dropTable":
                admin.dropTable(path(command), false).get();
                return JsonNull.INSTANCE;
            case "addColumn":
                TableChange change = TableChange.addColumn(
                        command.get("column").getAsString(),
                        DataTypes.parse(command.get("type").getAsString()),
                        null,
                        TableChange.ColumnPosition.last());
                admin.alterTable(path(command), List.of(change), false).get();
                tables.remove(command.get("table").getAsString());
                return JsonNull.INSTANCE;
            case "partitions":
                List<String> names = new ArrayList<>();
                for (PartitionInfo info : admin.listPartitionInfos(path(command)).get()) {
                    names.add(info.getPartitionName());
                }
                return GSON.toJsonTree(names);
            case "createPartition":
                admin.createPartition(path(command), partition(command), false).get();
                return JsonNull.INSTANCE;
            case "dropPartition":
                admin.dropPartition(path(command), partition(command), false).get();
                return JsonNull.INSTANCE;
            case "offsets":
                return offsets(command, admin);
            default:
                throw new IllegalArgumentException("unknown command " + command.get("op"));
        }
    }

    private JsonElement offsets(JsonObject command, Admin admin) throws Exception {
        OffsetSpec which = command.get("which").getAsString().equals("latest")
                ? new OffsetSpec.LatestSpec()
                : new OffsetSpec.EarliestSpec();
        List<Integer> buckets = new ArrayList<>();
        command.getAsJsonArray("buckets").forEach(bucket -> buckets.add(bucket.getAsInt()));
        Map<Integer, Long> offsets = command.has("partition")
                ? admin.listOffsets(path(command), command.get("partition").getAsString(), buckets, which).all().get()
                : admin.listOffsets(path(command), buckets, which).all().get();
        JsonArray answer = new JsonArray();
        for (int bucket : buckets) {
            answer.add(String.valueOf(offsets.get(bucket)));
        }
        return answer;
    }

    /** At most so many rows of every bucket. */
    private JsonElement limitScan(JsonObject command) throws Exception {
        Table table = table(command);
        TableInfo info = table.getTableInfo();
        List<DataType> types = info.getRowType().getChildren();
        Long partitionId = null;
        if (command.has("partition")) {
            for (PartitionInfo each : connection.getAdmin().listPartitionInfos(path(command)).get()) {
                if (each.getPartitionName().equals(command.get("partition").getAsString())) {
                    partitionId = each.getPartitionId();
                }
            }
        }
        JsonArray rows = new JsonArray();
        for (int bucket = 0; bucket < info.getNumBuckets(); bucket++) {
            TableBucket of = new TableBucket(info.getTableId(), partitionId, bucket);
            try (BatchScanner scanner =
                    table.newScan().limit(command.get("limit").getAsInt()).createBatchScanner(of)) {
                // Null is the end; an iterator without rows is only the end of a wait.
                for (CloseableIterator<InternalRow> batch = scanner.pollBatch(READ_LOG);
                        batch != null;
                        batch = scanner.pollBatch(READ_LOG)) {
                    while (batch.hasNext()) {
                        rows.add(Values.textOfRow(types, batch.next()));
                    }
                    batch.close();
                }
            }
        }
        return rows;
    }

    private static PartitionSpec partition(JsonObject command) {
        Map<String, String> spec = new HashMap<>();
        command.getAsJsonObject("spec").entrySet().forEach(each -> spec.put(each.getKey(), each.getValue().getAsString()));
        return new PartitionSpec(spec);
    }

    private JsonElement create(JsonObject command) throws Exception {
        Schema.Builder schema = Schema.newBuilder();
        for (JsonElement column : command.getAsJsonArray("columns")) {
            JsonArray pair = column.getAsJsonArray();
            schema.column(pair.get(0).getAsString(), DataTypes.parse(pair.get(1).getAsString()));
        }
        List<String> primaryKey = strings(command.getAsJsonArray("primaryKey"));
        if (!primaryKey.isEmpty()) {
            schema.primaryKey(primaryKey);
        }
        TableDescriptor.Builder descriptor = TableDescriptor.builder().schema(schema.build());
        descriptor.distributedBy(command.get("buckets").getAsInt(), strings(command.getAsJsonArray("bucketKey")));
        descriptor.partitionedBy(strings(command.getAsJsonArray("partitionBy")));
        for (Map.Entry<String, JsonElement> property : command.getAsJsonObject("properties").entrySet()) {
            descriptor.property(property.getKey(), property.getValue().getAsString());
        }
        connection.getAdmin().createTable(path(command), descriptor.build(), false).get();
        return JsonNull.INSTANCE;
    }

    private JsonElement describe(JsonObject command) throws Exception {
        TableInfo info = connection.getAdmin().getTableInfo(path(command)).get();
        JsonObject answer = new JsonObject();
        JsonArray columns = new JsonArray();
        for (Schema.Column column : info.getSchema().getColumns()) {
            JsonArray pair = new JsonArray();
            pair.add(column.getName());
            pair.add(LTZ.matcher(column.getDataType().asSerializableString()).replaceAll("TIMESTAMP_LTZ($1)"));
            columns.add(pair);
        }
        answer.add("columns", columns);
        answer.add("primaryKey", GSON.toJsonTree(info.getPrimaryKeys()));
        answer.add("bucketKey", GSON.toJsonTree(info.getBucketKeys()));
        answer.add("partitionBy", GSON.toJsonTree(info.getPartitionKeys()));
        answer.addProperty("buckets", info.getNumBuckets());
        return answer;
    }

    private JsonElement append(JsonObject command) throws Exception {
        Table table = table(command);
        List<DataType> types = table.getTableInfo().getRowType().getChildren();
        AppendWriter writer = table.newAppend().createWriter();
        List<CompletableFuture<?>> writes = new ArrayList<>();
        for (JsonElement row : command.getAsJsonArray("rows")) {
            writes.add(writer.append(Values.parseRow(types, row.getAsJsonArray())));
        }
        writer.flush();
        return awaitAll(writes);
    }

    /** Reads from the beginning until it has as many records as there should be, and what came with the last of them. */
    private JsonElement readLog(JsonObject command) throws Exception {
        Table table = table(command);
        List<DataType> types = table.getTableInfo().getRowType().getChildren();
        int count = command.get("count").getAsInt();
        long end = System.nanoTime() + READ_LOG.toNanos();
        JsonArray records = new JsonArray();
        try (LogScanner scanner = table.newScan().createLogScanner()) {
            for (int bucket = 0; bucket < table.getTableInfo().getNumBuckets(); bucket++) {
                scanner.subscribeFromBeginning(bucket);
            }
            while (records.size() < count && System.nanoTime() < end) {
                ScanRecords polled = scanner.poll(Duration.ofMillis(200));
                for (TableBucket bucket : polled.buckets()) {
                    for (ScanRecord record : polled.records(bucket)) {
                        JsonArray text = new JsonArray();
                        text.add(bucket.getBucket());
                        text.add(String.valueOf(record.logOffset()));
                        text.add(record.getChangeType().shortString());
                        text.add(Values.textOfRow(types, record.getRow()));
                        records.add(text);
                    }
                }
            }
        }
        return records;
    }

    private JsonElement upsert(JsonObject command) throws Exception {
        Table table = table(command);
        RowType type = table.getTableInfo().getRowType();
        Upsert upsert = table.newUpsert();
        List<String> columns = type.getFieldNames();
        if (command.has("columns")) {
            columns = strings(command.getAsJsonArray("columns"));
            upsert = upsert.partialUpdate(columns.toArray(new String[0]));
        }
        UpsertWriter writer = upsert.createWriter();
        List<CompletableFuture<?>> writes = new ArrayList<>();
        for (JsonElement row : command.getAsJsonArray("rows")) {
            writes.add(writer.upsert(fullRow(type, columns, row.getAsJsonArray())));
        }
        writer.flush();
        return awaitAll(writes);
    }

    private JsonElement delete(JsonObject command) throws Exception {
        Table table = table(command);
        UpsertWriter writer = table.newUpsert().createWriter();
        List<CompletableFuture<?>> writes = new ArrayList<>();
        TableInfo info = table.getTableInfo();
        for (JsonElement key : command.getAsJsonArray("keys")) {
            writes.add(writer.delete(fullRow(info.getRowType(), info.getPrimaryKeys(), key.getAsJsonArray())));
        }
        writer.flush();
        return awaitAll(writes);
    }

    private JsonElement lookup(JsonObject command) throws Exception {
        Table table = table(command);
        TableInfo info = table.getTableInfo();
        Lookup lookup = table.newLookup();
        if (command.has("insertIfMissing")) {
            lookup = lookup.enableInsertIfNotExists();
        }
        List<DataType> keyTypes = info.getRowType().project(info.getPrimaryKeys()).getChildren();
        JsonArray answer = new JsonArray();
        for (LookupResult result : lookupAll(lookup.createLookuper(), keyTypes, command.getAsJsonArray("keys"))) {
            InternalRow row = result.getSingletonRow();
            answer.add(row == null ? JsonNull.INSTANCE : Values.textOfRow(info.getRowType().getChildren(), row));
        }
        return answer;
    }

    private JsonElement prefixLookup(JsonObject command) throws Exception {
        Table table = table(command);
        RowType type = table.getTableInfo().getRowType();
        List<String> columns = strings(command.getAsJsonArray("columns"));
        Lookuper lookuper = table.newLookup().lookupBy(columns).createLookuper();
        List<DataType> prefixTypes = type.project(columns).getChildren();
        JsonArray answer = new JsonArray();
        for (LookupResult result : lookupAll(lookuper, prefixTypes, command.getAsJsonArray("prefixes"))) {
            JsonArray rows = new JsonArray();
            for (InternalRow row : result.getRowList()) {
                rows.add(Values.textOfRow(type.getChildren(), row));
            }
            answer.add(rows);
        }
        return answer;
    }

    private static List<LookupResult> lookupAll(Lookuper lookuper, List<DataType> types, JsonArray keys)
            throws Exception {
        List<CompletableFuture<LookupResult>> lookups = new ArrayList<>();
        for (JsonElement key : keys) {
            lookups.add(lookuper.lookup(Values.parseRow(types, key.getAsJsonArray())));
        }
        List<LookupResult> results = new ArrayList<>();
        for (CompletableFuture<LookupResult> lookup : lookups) {
            results.add(lookup.get());
        }
        return results;
    }

    /** The row that writers want: as wide as the table, with null in all columns but these. */
    private static GenericRow fullRow(RowType type, List<String> columns, JsonArray texts) {
        GenericRow values = Values.parseRow(type.project(columns).getChildren(), texts);
        GenericRow row = new GenericRow(type.getFieldCount());
        for (int i = 0; i < columns.size(); i++) {
            row.setField(type.getFieldIndex(columns.get(i)), values.getField(i));
        }
        return row;
    }

    private static JsonElement awaitAll(List<CompletableFuture<?>> writes) throws Exception {
        for (CompletableFuture<?> write : writes) {
            write.get();
        }
        return new JsonPrimitive(writes.size());
    }

    private Table table(JsonObject command) {
        return tables.computeIfAbsent(command.get("table").getAsString(), name -> connection.getTable(path(command)));
    }

    private static TablePath path(JsonObject command) {
        String[] parts = command.get("table").getAsString().split("\\.");
        return TablePath.of(parts[0], parts[1]);
    }

    private static List<String> strings(JsonArray array) {
        List<String> strings = new ArrayList<>();
        array.forEach(element -> strings.add(element.getAsString()));
        return strings;
    }
}

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonNull;
import com.google.gson.JsonPrimitive;
import java.math.BigDecimal;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.fluss.row.BinaryString;
import org.apache.fluss.row.Decimal;
import org.apache.fluss.row.GenericArray;
import org.apache.fluss.row.GenericMap;
import org.apache.fluss.row.GenericRow;
import org.apache.fluss.row.InternalArray;
import org.apache.fluss.row.InternalMap;
import org.apache.fluss.row.InternalRow;
import org.apache.fluss.row.TimestampLtz;
import org.apache.fluss.row.TimestampNtz;
import org.apache.fluss.types.ArrayType;
import org.apache.fluss.types.DataType;
import org.apache.fluss.types.DecimalType;
import org.apache.fluss.types.MapType;
import org.apache.fluss.types.RowType;

/** Values of the official client from the canonical text of the tests, and back; see ../protocol.ts for the text. */
final class Values {
    private Values() {}

    static Object parse(DataType type, JsonElement text) {
        if (text.isJsonNull()) {
            return null;
        }
        switch (type.getTypeRoot()) {
            case BOOLEAN:
                return text.getAsBoolean();
            case TINYINT:
                return text.getAsByte();
            case SMALLINT:
                return text.getAsShort();
            case INTEGER:
            case DATE:
            case TIME_WITHOUT_TIME_ZONE:
                return text.getAsInt();
            case BIGINT:
                return Long.parseLong(text.getAsString());
            case FLOAT:
                return Float.intBitsToFloat(Integer.parseUnsignedInt(text.getAsString(), 16));
            case DOUBLE:
                return Double.longBitsToDouble(Long.parseUnsignedLong(text.getAsString(), 16));
            case CHAR:
            case STRING:
                return BinaryString.fromString(text.getAsString());
            case BINARY:
            case BYTES:
                return bytes(text.getAsString());
            case DECIMAL:
                DecimalType decimal = (DecimalType) type;
                return Decimal.fromBigDecimal(
                        new BigDecimal(text.getAsString()), decimal.getPrecision(), decimal.getScale());
            case TIMESTAMP_WITHOUT_TIME_ZONE:
                return TimestampNtz.fromMillis(millis(text), nanos(text));
            case TIMESTAMP_WITH_LOCAL_TIME_ZONE:
                return TimestampLtz.fromEpochMillis(millis(text), nanos(text));
            case ARRAY:
                DataType element = ((ArrayType) type).getElementType();
                JsonArray items = text.getAsJsonArray();
                Object[] array = new Object[items.size()];
                for (int i = 0; i < array.length; i++) {
                    array[i] = parse(element, items.get(i));
                }
                return new GenericArray(array);
            case MAP:
                MapType map = (MapType) type;
                Map<Object, Object> entries = new LinkedHashMap<>();
                for (JsonElement entry : text.getAsJsonArray()) {
                    JsonArray pair = entry.getAsJsonArray();
                    entries.put(parse(map.getKeyType(), pair.get(0)), parse(map.getValueType(), pair.get(1)));
                }
                return new GenericMap(entries);
            case ROW:
                return parseRow(((RowType) type).getChildren(), text.getAsJsonArray());
            default:
                throw new IllegalArgumentException("no text for " + type);
        }
    }

    static GenericRow parseRow(List<DataType> types, JsonArray texts) {
        if (texts.size() != types.size()) {
            throw new IllegalArgumentException(texts.size() + " values for " + types.size() + " columns");
        }
        GenericRow row = new GenericRow(types.size());
        for (int i = 0; i < types.size(); i++) {
            row.setField(i, parse(types.get(i), texts.get(i)));
        }
        return row;
    }

    static JsonArray textOfRow(List<DataType> types, InternalRow row) {
        JsonArray texts = new JsonArray();
        for (int i = 0; i < types.size(); i++) {
            texts.add(text(types.get(i), InternalRow.createFieldGetter(types.get(i), i).getFieldOrNull(row)));
        }
        return texts;
    }

    private static JsonElement text(DataType type, Object value) {
        if (value == null) {
            return JsonNull.INSTANCE;
        }
        switch (type.getTypeRoot()) {
            case BOOLEAN:
                return new JsonPrimitive((Boolean) value);
            case TINYINT:
            case SMALLINT:
            case INTEGER:
            case DATE:
            case TIME_WITHOUT_TIME_ZONE:
                return new JsonPrimitive((Number) value);
            case BIGINT:
            case CHAR:
            case STRING:
                return new JsonPrimitive(value.toString());
            case FLOAT:
                return new JsonPrimitive(String.format("%08x", Float.floatToIntBits((Float) value)));
            case DOUBLE:
                return new JsonPrimitive(String.format("%016x", Double.doubleToLongBits((Double) value)));
            case BINARY:
            case BYTES:
                return new JsonPrimitive(hex((byte[]) value));
            case DECIMAL:
                return new JsonPrimitive(((Decimal) value).toBigDecimal().toPlainString());
            case TIMESTAMP_WITHOUT_TIME_ZONE:
                TimestampNtz local = (TimestampNtz) value;
                return timestamp(local.getMillisecond(), local.getNanoOfMillisecond());
            case TIMESTAMP_WITH_LOCAL_TIME_ZONE:
                TimestampLtz instant = (TimestampLtz) value;
                return timestamp(instant.getEpochMillisecond(), instant.getNanoOfMillisecond());
            case ARRAY:
                return textOfArray(((ArrayType) type).getElementType(), (InternalArray) value);
            case MAP:
                MapType map = (MapType) type;
                JsonArray keys = textOfArray(map.getKeyType(), ((InternalMap) value).keyArray());
                JsonArray values = textOfArray(map.getValueType(), ((InternalMap) value).valueArray());
                JsonArray entries = new JsonArray();
                for (int i = 0; i < keys.size(); i++) {
                    JsonArray pair = new JsonArray();
                    pair.add(keys.get(i));
                    pair.add(values.get(i));
                    entries.add(pair);
                }
                return entries;
            case ROW:
                return textOfRow(((RowType) type).getChildren(), (InternalRow) value);
            default:
                throw new IllegalArgumentException("no text for " + type);
        }
    }

    private static JsonArray textOfArray(DataType element, InternalArray array) {
        InternalArray.ElementGetter getter = InternalArray.createElementGetter(element);
        JsonArray texts = new JsonArray();
        for (int i = 0; i < array.size(); i++) {
            texts.add(text(element, getter.getElementOrNull(array, i)));
        }
        return texts;
    }

    private static String hex(byte[] bytes) {
        StringBuilder text = new StringBuilder();
        for (byte b : bytes) {
            text.append(String.format("%02x", b));
        }
        return text.toString();
    }

    private static byte[] bytes(String hex) {
        byte[] bytes = new byte[hex.length() / 2];
        for (int i = 0; i < bytes.length; i++) {
            bytes[i] = (byte) Integer.parseInt(hex.substring(2 * i, 2 * i + 2), 16);
        }
        return bytes;
    }

    private static JsonPrimitive timestamp(long millis, int nanos) {
        return new JsonPrimitive(millis + "+" + nanos);
    }

    private static long millis(JsonElement text) {
        return Long.parseLong(text.getAsString().split("\\+")[0]);
    }

    private static int nanos(JsonElement text) {
        return Integer.parseInt(text.getAsString().split("\\+")[1]);
    }
}

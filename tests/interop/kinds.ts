/**
 * Every Fluss type with the values that are exchanged: what the value is here, and its canonical text (`protocol.ts`).
 *
 * The texts are written by hand or made beside the value, never from it: they are what both sides are compared with.
 *
 * @module
 */
import { type AnyColumn, t } from "../../mod.ts";
import type { Random } from "../random.ts";
import type { Text, WireType } from "./protocol.ts";

/** The official clients, by their language. */
export type Language = "java" | "python";
/** What a counterpart does with a value. */
export type Direction = "reads" | "writes";

/** The layout of stored rows. */
export type Format = "compacted" | "indexed";

/** Reasons why a counterpart cannot exchange a value, or a format cannot hold it. Elsewhere it is exchanged. */
export type Limits = { readonly [Key in `${Language}.${Direction}` | "indexed"]?: string };

/** One value, here and as text. */
export interface Sample {
  readonly value: unknown;
  readonly text: Text;
  readonly limits?: Limits;
}

/** One type and its values. */
export interface Kind {
  /** As Fluss writes the type. */
  readonly name: string;
  readonly column: AnyColumn & { notNull(): AnyColumn };
  readonly type: WireType;
  /** Chosen values; null goes without saying. */
  readonly samples: readonly Sample[];
  readonly random: (random: Random) => Sample;
}

/** Why a value cannot be exchanged with a counterpart in a direction, if it cannot. */
export function limitOf(sample: Sample, language: Language, direction: Direction): string | undefined {
  return sample.limits?.[`${language}.${direction}`];
}

const YEARS: Limits = (() => {
  const reason = "Python's datetime knows the years 1 to 9999";
  return { "python.reads": reason, "python.writes": reason };
})();
const MICROS: Limits = (() => {
  const reason = "Python's datetime has no nanoseconds";
  return { "python.reads": reason, "python.writes": reason };
})();
const LAST_DAY: Limits = (() => {
  const reason = "pyfluss's timestamps end two hours before 9999-12-31";
  return { "python.reads": reason, "python.writes": reason };
})();
const LAST_ZERO: Limits = {
  indexed: "servers strip zeros from the end of a BINARY of an INDEXED row, and then cannot write their change log",
};
const DECIMALS_IN_MAPS: Limits = {
  "python.reads": "pyfluss 1.0.0 takes the room after a small DECIMAL at the end of a MAP for garbage",
};
const BEFORE_1970: Limits = {
  "python.writes": "pyfluss refuses a naive datetime before 1970 with a part below the millisecond",
};

function sample(value: unknown, text: Text, limits?: Limits): Sample {
  return limits === undefined ? { value, text } : { value, text, limits };
}

/** Values that are their own text. */
function plain(...values: (boolean | number | string)[]): Sample[] {
  return values.map((value) => sample(value, value));
}

function simple(name: string, column: Kind["column"], samples: readonly Sample[], random: Kind["random"]): Kind {
  return { name, column, type: { type: name.replace(/\(.*/, "") }, samples, random };
}

function whole(name: string, column: Kind["column"], bits: number): Kind {
  const limit = 2 ** (bits - 1);
  return simple(name, column, plain(0, 1, -1, 63, 64, 127, -128, limit - 1, -limit), (random) => {
    const value = random.int(2 * limit) - limit;
    return sample(value, value);
  });
}

function randomBits(random: Random, bits: number): bigint {
  let value = 0n;
  for (let at = 0; at < bits; at += 32) value = (value << 32n) | BigInt(random.bits());
  return BigInt.asIntN(bits, value >> BigInt(random.int(bits)));
}

const BIGINTS = [0n, 1n, -1n, 127n, 128n, 2n ** 53n + 1n, -(2n ** 53n) - 1n, 2n ** 63n - 1n, -(2n ** 63n)];

const FLOATS: readonly (readonly [number, string])[] = [
  [0, "00000000"],
  [-0, "80000000"],
  [1.5, "3fc00000"],
  [-2.25, "c0100000"],
  [Math.fround(0.1), "3dcccccd"],
  [3.4028234663852886e38, "7f7fffff"],
  [1.401298464324817e-45, "00000001"],
  [Infinity, "7f800000"],
  [-Infinity, "ff800000"],
  [NaN, "7fc00000"],
];

const DOUBLES: readonly (readonly [number, string])[] = [
  [0, "0000000000000000"],
  [-0, "8000000000000000"],
  [1.5, "3ff8000000000000"],
  [-0.1, "bfb999999999999a"],
  [Number.MAX_VALUE, "7fefffffffffffff"],
  [Number.MIN_VALUE, "0000000000000001"],
  [Number.MAX_SAFE_INTEGER, "433fffffffffffff"],
  [Infinity, "7ff0000000000000"],
  [-Infinity, "fff0000000000000"],
  [NaN, "7ff8000000000000"],
];

const ALPHABETS = ["abcXYZ 019", "aäöüß€", "用户数据表", "a😀𝄞\u0000\ufeff\ufffd\u{10ffff}"];

function randomText(random: Random, length: number): string {
  const points = [...random.pick(ALPHABETS)];
  return Array.from({ length }, () => random.pick(points)).join("");
}

function hexOf(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function bytesOf(hex: string): Uint8Array {
  return Uint8Array.from(hex.match(/../g) ?? [], (pair) => parseInt(pair, 16));
}

function decimal(precision: number, scale: number, ...chosen: string[]): Kind {
  const name = `DECIMAL(${precision}, ${scale})`;
  const most = "9".repeat(precision);
  const point = (digits: string) => {
    const padded = digits.padStart(scale + 1, "0");
    return scale === 0 ? padded : `${padded.slice(0, -scale)}.${padded.slice(-scale)}`;
  };
  const texts = [point("0"), point("1"), `-${point("1")}`, point(most), `-${point(most)}`, ...chosen];
  const random = (random: Random) => {
    const digits = Array.from({ length: 1 + random.int(precision) }, () => random.int(10)).join("");
    const text = point(digits.replace(/^0+(?=.)/, ""));
    return /[1-9]/.test(text) && random.int(2) === 0 ? sample(`-${text}`, `-${text}`) : sample(text, text);
  };
  const column = t.decimal(precision, scale);
  return { name, column, type: { type: "DECIMAL", scale }, samples: plain(...texts), random };
}

const MILLIS_OF_DAY = 86_400_000;

function timeOf(millis: number): Temporal.PlainTime {
  return Temporal.PlainTime.from("00:00").add({ milliseconds: millis });
}

function time(precision: number): Kind {
  const unit = precision >= 3 ? 1 : 10 ** (3 - precision);
  const samples = [sample(timeOf(0), 0), sample(Temporal.PlainTime.from("09:30:00"), 34_200_000)];
  samples.push(sample(Temporal.PlainTime.from("23:59:59"), 86_399_000));
  if (unit === 1) samples.push(sample(Temporal.PlainTime.from("23:59:59.999"), 86_399_999));
  return simple(`TIME(${precision})`, t.time(precision), samples, (random) => {
    const millis = random.int(MILLIS_OF_DAY / unit) * unit;
    return sample(timeOf(millis), millis);
  });
}

/** Wall clock or instant, epoch milliseconds, nanoseconds of the millisecond, digits needed, limits. */
type Moment = readonly [text: string, millis: number, nanos: number, digits: number, limits?: Limits];

/** Texts for the wall clock; instants get a Z. */
const MOMENTS: readonly Moment[] = [
  ["1970-01-01T00:00:00", 0, 0, 0],
  ["2026-11-23T12:34:56", 1_795_437_296_000, 0, 0],
  ["1969-12-31T23:59:59", -1000, 0, 0],
  ["0001-01-01T00:00:00", -62_135_596_800_000, 0, 0],
  ["9999-12-30T21:00:00", 253_402_203_600_000, 0, 0],
  ["9999-12-31T23:59:59", 253_402_300_799_000, 0, 0, LAST_DAY],
  ["2026-11-23T12:34:56.789", 1_795_437_296_789, 0, 3],
  ["1969-12-31T23:59:59.999", -1, 0, 3],
  ["2026-11-23T12:34:56.789012", 1_795_437_296_789, 12_000, 6],
  ["1969-12-31T23:59:59.999999", -1, 999_000, 6, BEFORE_1970],
  ["2026-11-23T12:34:56.789012345", 1_795_437_296_789, 12_345, 9, MICROS],
  ["1969-12-31T23:59:59.999999999", -1, 999_999, 9, MICROS],
];

/** Beyond the years of Python, and beyond what 64 bits of nanoseconds hold. */
const FAR_MOMENTS: readonly Moment[] = [
  ["-271821-04-20T00:00:00", -8_640_000_000_000_000, 0, 0, YEARS],
  ["+275760-09-13T00:00:00", 8_640_000_000_000_000, 0, 0, YEARS],
];

function timestamp(kind: "TIMESTAMP" | "TIMESTAMP_LTZ", precision: number): Kind {
  const local = kind === "TIMESTAMP";
  // The change log of a table holds TIMESTAMP(7) and finer as 64 bits of nanoseconds: the years 1678 to 2262.
  const inNanos = ([, millis]: Moment) => precision <= 6 || Math.abs(millis) < 9.2e12;
  const moments = [...MOMENTS, ...FAR_MOMENTS].filter((moment) => moment[3] <= precision && inNanos(moment));
  const samples = moments.map(([text, millis, nanos, , limits]) =>
    sample(
      local ? Temporal.PlainDateTime.from(text) : Temporal.Instant.from(`${text}Z`),
      `${millis}+${nanos}`,
      // Only the naive datetimes of TIMESTAMP have that defect.
      limits === BEFORE_1970 && !local ? undefined : limits,
    )
  );
  const column = local ? t.timestamp(precision) : t.timestampLtz(precision);
  return simple(`${kind}(${precision})`, column, samples, (random) => {
    // 1970 to 2107, with as many digits as all clients have.
    const millis = random.bits() * 1000 + (precision >= 3 ? random.int(1000) : 0);
    const nanos = precision >= 6 ? random.int(1000) * 1000 : 0;
    const instant = Temporal.Instant.fromEpochNanoseconds(BigInt(millis) * 1_000_000n + BigInt(nanos));
    const value = local ? instant.toZonedDateTimeISO("UTC").toPlainDateTime() : instant;
    return sample(value, `${millis}+${nanos}`);
  });
}

/** The types without parts. */
export const SCALARS: readonly Kind[] = [
  simple("BOOLEAN", t.boolean(), plain(true, false), (random) => {
    const value = random.int(2) === 1;
    return sample(value, value);
  }),
  whole("TINYINT", t.tinyint(), 8),
  whole("SMALLINT", t.smallint(), 16),
  whole("INT", t.int(), 32),
  simple("BIGINT", t.bigint(), BIGINTS.map((value) => sample(value, String(value))), (random) => {
    const value = randomBits(random, 64);
    return sample(value, String(value));
  }),
  simple("FLOAT", t.float(), FLOATS.map(([value, text]) => sample(value, text)), (random) => {
    // Finite: an exponent that is not all ones.
    const bits = (random.bits() & ~0x4000_0000) >>> 0;
    return sample(new Float32Array(Uint32Array.of(bits).buffer)[0]!, bits.toString(16).padStart(8, "0"));
  }),
  simple("DOUBLE", t.double(), DOUBLES.map(([value, text]) => sample(value, text)), (random) => {
    const [high, low] = [(random.bits() & ~0x4000_0000) >>> 0, random.bits()];
    const view = new DataView(new ArrayBuffer(8));
    view.setUint32(0, high);
    view.setUint32(4, low);
    return sample(view.getFloat64(0), [high, low].map((half) => half.toString(16).padStart(8, "0")).join(""));
  }),
  // INDEXED rows have n bytes for CHAR(n), so no value is longer than that.
  simple("CHAR(8)", t.char(8), plain("", "a", "12345678", "äöü", "😀", "ab  ", "  x"), (random) => {
    const text = randomText(random, random.int(3)).replaceAll("\u0000", "x");
    return sample(text, text);
  }),
  simple(
    "STRING",
    t.string(),
    plain(
      "",
      "plain",
      "7 bytes",
      "8 bytes.",
      "äöü € ß",
      "用户 😀 𝄞",
      "\u0000a\u0000",
      "\ufeffmark",
      "\u{10ffff}\uffff",
      'quote " slash \\ line\nend\r\u2028',
      "x".repeat(127),
      "y".repeat(128),
      "€".repeat(6000),
    ),
    (random) => {
      const text = randomText(random, random.int(40));
      return sample(text, text);
    },
  ),
  decimal(5, 2, "12.34", "-0.10"),
  decimal(18, 0),
  decimal(18, 18, "-0.123456789012345678"),
  decimal(19, 0, "9223372036854775807", "9223372036854775808", "-9223372036854775809"),
  decimal(20, 5, "1.00000", "-128.00000"),
  decimal(38, 18, "170141183460469231.731687303715884105"),
  decimal(38, 0),
  simple("DATE", t.date(), [
    sample(Temporal.PlainDate.from("1970-01-01"), 0),
    sample(Temporal.PlainDate.from("1969-12-31"), -1),
    sample(Temporal.PlainDate.from("2024-02-29"), 19_782),
    sample(Temporal.PlainDate.from("0001-01-01"), -719_162),
    sample(Temporal.PlainDate.from("9999-12-31"), 2_932_896),
    sample(Temporal.PlainDate.from("-271821-04-19"), -100_000_001, YEARS),
    sample(Temporal.PlainDate.from("+275760-09-13"), 100_000_000, YEARS),
  ], (random) => {
    const days = random.int(40_000) - 10_000;
    return sample(Temporal.PlainDate.from("1970-01-01").add({ days }), days);
  }),
  time(0),
  time(3),
  time(9),
  timestamp("TIMESTAMP", 0),
  timestamp("TIMESTAMP", 3),
  timestamp("TIMESTAMP", 6),
  timestamp("TIMESTAMP", 9),
  timestamp("TIMESTAMP_LTZ", 0),
  timestamp("TIMESTAMP_LTZ", 3),
  timestamp("TIMESTAMP_LTZ", 6),
  timestamp("TIMESTAMP_LTZ", 9),
  simple(
    "BINARY(4)",
    t.binary(4),
    [
      ...["deadbeef", "00000001", "ffffffff"].map((hex) => sample(bytesOf(hex), hex)),
      ...["00000000", "61000000"].map((hex) => sample(bytesOf(hex), hex, LAST_ZERO)),
    ],
    (random) => {
      const bytes = random.bytes(4);
      bytes[3]! |= 1;
      return sample(bytes, hexOf(bytes));
    },
  ),
  simple(
    "BYTES",
    t.bytes(),
    ["", "00", "ff00ff", "01020304050607", "0102030405060708", "ab".repeat(300)].map((hex) =>
      sample(bytesOf(hex), hex)
    ),
    (random) => {
      const bytes = random.bytes(random.int(40));
      return sample(bytes, hexOf(bytes));
    },
  ),
];

/** The scalar type of that name. */
export function scalar(name: string): Kind {
  const found = SCALARS.find((kind) => kind.name === name);
  if (found === undefined) throw new Error(`no type ${name}`);
  return found;
}

const NULL: Sample = { value: null, text: null };

/** The limits of all parts of a value. */
function limitsOf(parts: readonly Sample[]): Limits | undefined {
  const limits = parts.flatMap((part) => part.limits ?? []);
  return limits.length === 0 ? undefined : Object.assign({}, ...limits);
}

function arrayValue(items: readonly Sample[]): Sample {
  return sample(items.map((item) => item.value), items.map((item) => item.text), limitsOf(items));
}

function array(of: Kind, element: AnyColumn = of.column, nullName = ""): Kind {
  const nulls = nullName === "" ? [NULL] : [];
  // 70 items: three words of null bits.
  const many = Array.from({ length: 70 }, (_, i) => i % 7 === 3 && nulls.length > 0 ? NULL : of.samples[0]!);
  // One array for the values that all counterparts take, one with the others.
  const common = of.samples.filter((item) => item.limits === undefined);
  const chosen = [[], [...nulls, ...common], many, ...(common.length < of.samples.length ? [of.samples] : [])];
  return {
    name: `ARRAY<${of.name}${nullName}>`,
    column: t.array(element),
    type: { type: "ARRAY", element: of.type },
    samples: chosen.map(arrayValue),
    random: (random) =>
      arrayValue(
        Array.from(
          { length: random.int(9) },
          () => nulls.length > 0 && random.int(4) === 0 ? NULL : of.random(random),
        ),
      ),
  };
}

function mapValue(entries: readonly (readonly [Sample, Sample])[]): Sample {
  // A key that comes twice counts once.
  const unique = new Map(entries.map((entry) => [JSON.stringify(entry[0].text), entry]));
  const kept = [...unique.values()];
  return sample(
    new Map(kept.map(([key, value]) => [key.value, value.value])),
    kept.map(([key, value]) => [key.text, value.text]),
    limitsOf(kept.flat()),
  );
}

function map(key: Kind, value: Kind): Kind {
  const pick = <T>(from: readonly T[], at: number) => from[at % from.length]!;
  const full = key.samples.map((item, i) => [item, pick([...value.samples, NULL], i)] as const);
  return {
    name: `MAP<${key.name} NOT NULL, ${value.name}>`,
    column: t.map(key.column, value.column),
    type: { type: "MAP", key: key.type, value: value.type },
    samples: [mapValue([]), mapValue(full.slice(0, 1)), mapValue(full), mapValue([[key.samples[0]!, NULL]])],
    random: (random) =>
      mapValue(
        Array.from(
          { length: random.int(6) },
          () => [key.random(random), random.int(4) === 0 ? NULL : value.random(random)] as const,
        ),
      ),
  };
}

function rowValue(names: readonly string[], parts: readonly Sample[]): Sample {
  return sample(
    Object.fromEntries(parts.map((part, i) => [names[i]!, part.value])),
    parts.map((part) => part.text),
    limitsOf(parts),
  );
}

function row(fields: Readonly<Record<string, Kind>>): Kind {
  const names = Object.keys(fields);
  const kinds = Object.values(fields);
  const most = Math.max(...kinds.map((kind) => kind.samples.length));
  const at = (i: number) => kinds.map((kind) => kind.samples[i] ?? NULL);
  return {
    name: `ROW<${names.map((name, i) => `\`${name}\` ${kinds[i]!.name}`).join(", ")}>`,
    column: t.row(Object.fromEntries(names.map((name, i) => [name, kinds[i]!.column]))),
    type: { type: "ROW", fields: names.map((name, i) => [name, kinds[i]!.type] as const) },
    samples: [
      rowValue(names, kinds.map(() => NULL)),
      ...Array.from({ length: most }, (_, i) => rowValue(names, at(i))),
    ],
    random: (random) => rowValue(names, kinds.map((kind) => random.int(4) === 0 ? NULL : kind.random(random))),
  };
}

/** A type of whose values a counterpart takes none but null. */
function limited(kind: Kind, limits: Limits): Kind {
  const limit = (item: Sample) => sample(item.value, item.text, { ...item.limits, ...limits });
  return { ...kind, samples: kind.samples.map(limit), random: (random) => limit(kind.random(random)) };
}

const INT = scalar("INT");
const STRING = scalar("STRING");
const BIGINT = scalar("BIGINT");
const small = row({ a: INT, b: STRING });

/** The types with parts: every scalar as element and field, and collections of collections. */
export const NESTED: readonly Kind[] = [
  ...SCALARS.map((kind) => array(kind)),
  array(INT, INT.column.notNull(), " NOT NULL"),
  array(BIGINT, BIGINT.column.notNull(), " NOT NULL"),
  array(array(INT)),
  array(array(STRING)),
  array(map(STRING, INT)),
  array(small),
  map(STRING, INT),
  map(INT, STRING),
  limited(map(BIGINT, scalar("DECIMAL(38, 18)")), DECIMALS_IN_MAPS),
  map(scalar("DATE"), scalar("TIMESTAMP_LTZ(6)")),
  map(STRING, array(STRING)),
  map(STRING, small),
  map(scalar("SMALLINT"), map(STRING, scalar("BOOLEAN"))),
  small,
  row(Object.fromEntries(SCALARS.map((kind, i) => [`f${i}`, kind]))),
  row({ items: array(small), attributes: map(STRING, STRING), inner: row({ deep: small, id: BIGINT }) }),
];

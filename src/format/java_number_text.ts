/**
 * Floating-point numbers as Java prints them (`Float.toString`, `Double.toString`), which is how Fluss names partitions.
 * Digits are the fewest that name the number, as in Java 19 and later; older ones sometimes print one digit more.
 *
 * @module
 */

/** A double as Java prints it: `1.0E10`, `0.001`, `NaN`. */
export function javaDoubleText(value: number): string {
  const shortest = value.toExponential();
  // Where one digit names the number, Java takes the nearest of two digits: the smallest double is 4.9E-324, not 5.0E-324.
  return javaText(value, shortest.includes(".") ? shortest : value.toExponential(1));
}

/** A number that is a float as Java prints it. */
export function javaFloatText(value: number): string {
  // Two digits at least, as for doubles; nine name every float.
  for (let more = 1; more < 8; more++) {
    const candidate = value.toExponential(more);
    if (Math.fround(Number(candidate)) === value) return javaText(value, candidate);
  }
  return javaText(value, value.toExponential(8));
}

/** Java writes plain digits from 10^-3 up to 10^7 and an exponent elsewhere, always with a digit after the point. */
function javaText(value: number, decimal: string): string {
  if (!Number.isFinite(value)) return String(value);
  if (value === 0) return Object.is(value, -0) ? "-0.0" : "0.0";
  const sign = value < 0 ? "-" : "";
  const [mantissa, power] = decimal.slice(sign.length).split("e") as [string, string];
  const digits = mantissa.replace(".", "").replace(/0+$/, "");
  const exponent = Number(power);
  if (exponent < -3 || exponent >= 7) return `${sign}${withPoint(digits, 1)}E${exponent}`;
  if (exponent < 0) return `${sign}0.${"0".repeat(-exponent - 1)}${digits}`;
  return sign + withPoint(digits.padEnd(exponent + 1, "0"), exponent + 1);
}

function withPoint(digits: string, place: number): string {
  return `${digits.slice(0, place)}.${digits.slice(place) || "0"}`;
}

/**
 * Floating-point numbers as Java prints them (`Float.toString`, `Double.toString`), which is how Fluss names partitions.
 * Digits are the fewest that name the number, as in Java 19 and later; older ones sometimes print one digit more.
 *
 * @module
 */

/** A finite or infinite double as Java prints it: `1.0E10`, `0.001`, `NaN`. */
export function javaDoubleText(value: number): string {
  return javaText(value, value.toExponential());
}

/** A number that is a float as Java prints it. */
export function javaFloatText(value: number): string {
  let shortest = value.toExponential();
  // Nine digits name every float.
  for (let digits = 0; digits < 9; digits++) {
    const candidate = value.toExponential(digits);
    if (Math.fround(Number(candidate)) === value) {
      shortest = candidate;
      break;
    }
  }
  return javaText(value, shortest);
}

/** Java writes plain digits from 10^-3 up to 10^7 and an exponent elsewhere, always with a digit after the point. */
function javaText(value: number, shortest: string): string {
  if (!Number.isFinite(value)) return String(value);
  if (value === 0) return Object.is(value, -0) ? "-0.0" : "0.0";
  const sign = value < 0 ? "-" : "";
  const [mantissa, power] = shortest.slice(sign.length).split("e") as [string, string];
  const digits = mantissa.replace(".", "");
  const exponent = Number(power);
  if (exponent < -3 || exponent >= 7) return `${sign}${withPoint(digits, 1)}E${exponent}`;
  if (exponent < 0) return `${sign}0.${"0".repeat(-exponent - 1)}${digits}`;
  return sign + withPoint(digits.padEnd(exponent + 1, "0"), exponent + 1);
}

function withPoint(digits: string, place: number): string {
  return `${digits.slice(0, place)}.${digits.slice(place) || "0"}`;
}

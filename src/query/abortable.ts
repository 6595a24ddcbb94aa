/**
 * Waiting that a signal ends.
 *
 * @module
 */

/** The same rows, until the signal ends them: also while the source is silent. */
export async function* endingWith<T>(rows: AsyncIterable<T>, signal: AbortSignal | undefined): AsyncGenerator<T> {
  if (signal === undefined) return yield* rows;
  const iterator = rows[Symbol.asyncIterator]();
  let ended = false;
  try {
    while (true) {
      const { done, value } = await unlessAborted(iterator.next(), signal);
      if (done === true) {
        ended = true;
        return;
      }
      yield value;
    }
  } finally {
    const returned = ended ? undefined : iterator.return?.();
    // A source that is silent answers `return` when it speaks again, if ever; nobody waits for that.
    if (signal.aborted) returned?.catch(() => {});
    else await returned;
  }
}

/** The promise, or the signal's reason if that comes first. */
export async function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return await promise;
  const aborted = Promise.withResolvers<never>();
  const onAbort = () => aborted.reject(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  if (signal.aborted) onAbort();
  try {
    return await Promise.race([aborted.promise, promise]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}

/**
 * What a server can do, by its own word.
 *
 * @module
 */
import type { DescMessage } from "@bufbuild/protobuf";
import { flussError } from "../../base/errors.ts";
import { API, type Api } from "./api.ts";

/** The versions of one API that a server takes. */
export interface VersionRange {
  /** The lowest. */
  readonly minVersion: number;
  /** The highest. */
  readonly maxVersion: number;
}

/** The version in which both sides speak an API: the highest that both know, or undefined when there is none. */
export function commonVersion(ours: VersionRange, theirs: VersionRange): number | undefined {
  const version = Math.min(ours.maxVersion, theirs.maxVersion);
  return version >= Math.max(ours.minVersion, theirs.minVersion) ? version : undefined;
}

/** What one server can do. Knows only API_VERSIONS until {@linkcode learn}. */
export class ServerVersions {
  /** 1 for a coordinator, 2 for a tablet server, undefined when the server does not say (Fluss: ServerType.java). */
  serverType: number | undefined;
  readonly #address: string;
  readonly #ranges = new Map<number, VersionRange>([[API.API_VERSIONS.key, { minVersion: 0, maxVersion: 0 }]]);
  /** What {@linkcode of} found out; it is asked for every request. */
  readonly #chosen = new Map<number, number>();

  constructor(address: string) {
    this.#address = address;
  }

  /** Takes in what the server answered to API_VERSIONS. */
  learn(
    ranges: Iterable<VersionRange & { readonly apiKey: number }>,
    serverType: number | undefined,
  ): void {
    this.#chosen.clear();
    for (const { apiKey, minVersion, maxVersion } of ranges) this.#ranges.set(apiKey, { minVersion, maxVersion });
    this.serverType = serverType;
  }

  /** Tells whether the server serves an API in a version that we speak. */
  has(api: Api<DescMessage, DescMessage>): boolean {
    const theirs = this.#ranges.get(api.key);
    return theirs !== undefined && commonVersion(api, theirs) !== undefined;
  }

  /**
   * The version in which to speak an API.
   *
   * @throws FlussConnectionError `CONNECTION.UNSUPPORTED_VERSION`
   */
  of(api: Api<DescMessage, DescMessage>): number {
    const known = this.#chosen.get(api.key);
    if (known !== undefined) return known;
    const theirs = this.#ranges.get(api.key);
    if (theirs === undefined) {
      const who = this.serverType === 1 ? "the coordinator " : this.serverType === 2 ? "the tablet server " : "";
      throw flussError("CONNECTION.UNSUPPORTED_VERSION", {
        message: `${who}${this.#address} does not offer ${api.name}`,
        hint: "it needs a newer server, or one of another kind",
      });
    }
    const version = commonVersion(api, theirs);
    if (version === undefined) {
      throw flussError("CONNECTION.UNSUPPORTED_VERSION", {
        message: `${this.#address} offers ${api.name} in versions ${theirs.minVersion} to ${theirs.maxVersion}, ` +
          `this client speaks ${api.minVersion} to ${api.maxVersion}`,
      });
    }
    this.#chosen.set(api.key, version);
    return version;
  }
}

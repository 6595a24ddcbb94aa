import { test } from "node:test";
import { memoryStorage } from "../../../../src/embedded/storage/memory.ts";
import { long, Random, seed } from "../../../random.ts";
import { runContract } from "./contract.ts";

const ROUNDS = long ? 300 : 6;

test(`${ROUNDS} random runs on storage in memory do as a model does (SLUICE_SEED=${seed})`, async () => {
  for (let round = 0; round < ROUNDS; round++) {
    const storage = await runContract(memoryStorage(), new Random(seed + round), 1000, {});
    storage.close();
  }
});

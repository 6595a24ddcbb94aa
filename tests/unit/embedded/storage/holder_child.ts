/**
 * Opens the storage in a folder, says so or what came of it, and keeps it open unless told to close it.
 *
 *     <runtime> holder_child.ts FOLDER [close]
 *
 * @module
 */
import process from "node:process";
import { openFileStorage } from "../../../../src/embedded/storage/file.ts";

try {
  const storage = await openFileStorage(process.argv[2]!);
  storage.documents.put("from", "the child");
  storage.commit();
  console.log(`open ${process.pid}`);
  if (process.argv[3] === "close") storage.close();
  else setInterval(() => storage.dirty, 1000);
} catch (error) {
  console.log(`${(error as { code?: string }).code}`);
}

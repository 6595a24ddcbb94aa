/**
 * Why a cluster did not start.
 *
 * @module
 */

/** Something outside of this project is missing: a user can install it, and a test run can do without. */
export class MissingTool extends Error {
  override readonly name = "MissingTool";
}

/** The cluster was to start and did not, or a server was asked for something that it cannot do. */
export class ClusterError extends Error {
  override readonly name = "ClusterError";
}

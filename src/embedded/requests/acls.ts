/**
 * Requests about rights. Source: Fluss `CoordinatorService.java`, `RpcServiceBase.java`, `CommonRpcMessageUtils.java`.
 *
 * @module
 */
import type { MessageInitShape } from "@bufbuild/protobuf";
import type { PbAclFilter, PbAclInfo, PbAclInfoSchema } from "../../client/rpc/gen/fluss/v1/acl_pb.ts";
import { optionalField } from "../../client/rpc/required.ts";
import { type Acl, type AclFilter, OPERATIONS, PERMISSIONS, RESOURCE_TYPES } from "../catalog/acl.ts";
import type { Authorizer } from "../catalog/authorizer.ts";
import type { Engine } from "../engine.ts";
import { fault } from "../fault.ts";
import type { Handlers } from "./handler.ts";

const NO_ERROR = 0;

/** See the module. */
export const aclHandlers: Handlers = {
  CREATE_ACLS(engine, { acl }, { principal }) {
    const authorizer = authorizerOf(engine);
    authorizer.create(principal, acl.map(readAcl));
    return { aclRes: acl.map((one) => ({ acl: one, errorCode: NO_ERROR })) };
  },

  LIST_ACLS: (engine, { aclFilter }, { principal }) => ({
    acl: authorizerOf(engine).list(principal, readFilter(aclFilter!)).map(aclInfo),
  }),

  DROP_ACLS(engine, { aclFilter }, { principal }) {
    const found = authorizerOf(engine).drop(principal, aclFilter.map(readFilter));
    return { filterResults: found.map((acls) => ({ matchingAcls: acls.map((acl) => ({ acl: aclInfo(acl) })) })) };
  },
};

/** @throws {ServerFault} 47 */
function authorizerOf({ authorizer }: Engine): Authorizer {
  if (authorizer.enabled) return authorizer;
  throw fault("SERVER.SECURITY_DISABLED_EXCEPTION", "No Authorizer is configured.");
}

function readAcl(info: PbAclInfo): Acl {
  return {
    resource: { type: resourceType(info.resourceType), name: info.resourceName },
    entry: {
      principalName: info.principalName,
      principalType: info.principalType,
      host: info.host,
      operation: operation(info.operationType),
      permission: permission(info.permissionType),
    },
  };
}

function readFilter(filter: PbAclFilter): AclFilter {
  const name = optionalField(filter, "principalName");
  const type = optionalField(filter, "principalType");
  return {
    resourceType: resourceType(filter.resourceType),
    resourceName: optionalField(filter, "resourceName"),
    // One without the other is looked at by nobody.
    principal: name === undefined || type === undefined ? undefined : { name, type },
    host: optionalField(filter, "host"),
    operation: operation(filter.operationType),
    permission: permission(filter.permissionType),
  };
}

function aclInfo({ resource, entry }: Acl): MessageInitShape<typeof PbAclInfoSchema> {
  const { principalName, principalType, host } = entry;
  return {
    resourceName: resource.name,
    resourceType: RESOURCE_TYPES.indexOf(resource.type) + 1,
    principalName,
    principalType,
    host,
    operationType: OPERATIONS.indexOf(entry.operation) + 1,
    permissionType: PERMISSIONS.indexOf(entry.permission) + 1,
  };
}

function resourceType(code: number): Acl["resource"]["type"] {
  return byCode(RESOURCE_TYPES, code, "Unknown resource type code");
}

function operation(code: number): Acl["entry"]["operation"] {
  return byCode(OPERATIONS, code, "Unknown operation type code:");
}

function permission(code: number): Acl["entry"]["permission"] {
  return byCode(PERMISSIONS, code, "Unknown permission type:");
}

function byCode<N>(names: readonly N[], code: number, unknown: string): N {
  const name = names[code - 1];
  if (name === undefined) throw new Error(`${unknown} ${code}`);
  return name;
}

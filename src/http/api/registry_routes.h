// The routes of the registry's resources, one file a resource.
#pragma once

#include "http/router.h"
#include "identity/identity.h"
#include "registry/queries.h"
#include "registry/registry.h"

namespace imprimatur::http {

// What handlers call. All of it outlives the router.
struct RegistryApi {
  identity::Identity& identity;
  registry::Registry& registry;
  registry::Queries& queries;
};

void add_prompt_routes(Router& router, RegistryApi api);
void add_version_routes(Router& router, RegistryApi api);
void add_review_routes(Router& router, RegistryApi api);
void add_release_routes(Router& router, RegistryApi api);
void add_label_routes(Router& router, RegistryApi api);
void add_environment_routes(Router& router, RegistryApi api);
void add_attesting_routes(Router& router, RegistryApi api);
void add_owner_routes(Router& router, RegistryApi api);
void add_audit_routes(Router& router, RegistryApi api);
void add_workflow_routes(Router& router, identity::Identity& identity);

// Arguments of paths. Not found for what no id or number looks like.
Result<VersionRef> version_of(const PathArguments& path);

}  // namespace imprimatur::http

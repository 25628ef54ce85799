// The routes of people, projects and credentials, one file a resource.
#pragma once

#include "http/router.h"
#include "identity/identity.h"
#include "identity/projects.h"

#include <boost/json/fwd.hpp>

namespace imprimatur::http {

// All of them. Both outlive the router.
void add_identity_routes(Router& router, identity::Identity& identity, identity::Projects& projects);

// What handlers call.
struct IdentityApi {
  identity::Identity& identity;
  identity::Projects& projects;
};

void add_auth_routes(Router& router, identity::Identity& identity);
void add_user_routes(Router& router, identity::Identity& identity);
void add_project_routes(Router& router, IdentityApi api);
void add_member_routes(Router& router, IdentityApi api);
void add_team_routes(Router& router, IdentityApi api);
void add_service_account_routes(Router& router, IdentityApi api);
void add_api_key_routes(Router& router, IdentityApi api);

// A person who owns something.
boost::json::value owner_json(const PrincipalId& person, std::string_view display_name);

}  // namespace imprimatur::http

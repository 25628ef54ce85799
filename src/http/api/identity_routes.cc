#include "http/api/identity_routes.h"

#include <boost/json.hpp>

namespace imprimatur::http {

void add_identity_routes(Router& router, identity::Identity& identity, identity::Projects& projects) {
  const IdentityApi api{identity, projects};
  add_auth_routes(router, identity);
  add_user_routes(router, identity);
  add_project_routes(router, api);
  add_member_routes(router, api);
  add_team_routes(router, api);
  add_service_account_routes(router, api);
  add_api_key_routes(router, api);
}

boost::json::value owner_json(const PrincipalId& person, std::string_view display_name) {
  return boost::json::object{
      {"id", person.text}, {"kind", name_of(PrincipalKind::person)}, {"displayName", display_name}};
}

}  // namespace imprimatur::http

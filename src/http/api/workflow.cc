// GET /workflow: the table itself.
#include "domain/workflow.h"

#include "http/api/registry_routes.h"
#include "http/api/request.h"

namespace imprimatur::http {

void add_workflow_routes(Router& router, identity::Identity& identity) {
  router.add({Method::get, "/api/v1/workflow",
              [&identity](const Request& request, const PathArguments&) -> Result<Response> {
                TRY(caller(request, identity));
                TRY(no_query(request));
                return json_response(workflow_json());
              }});
}

}  // namespace imprimatur::http

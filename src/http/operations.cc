#include "http/operations.h"

namespace imprimatur::http {

void add_operations_routes(Router& router, const Metrics& metrics, std::function<Status()> ready) {
  router.add({Method::get, "/healthz", [](const Request&, const PathArguments&) -> Result<Response> {
                return json_response("{\"status\":\"ok\"}");
              }});
  router.add({Method::get, "/readyz",
              [ready = std::move(ready)](const Request&, const PathArguments&) -> Result<Response> {
                TRY(ready());
                return json_response("{\"status\":\"ready\"}");
              }});
  router.add({Method::get, "/metrics", [&metrics](const Request&, const PathArguments&) -> Result<Response> {
                return Response{.content_type = "text/plain; version=0.0.4; charset=utf-8",
                                .body = metrics.render()};
              }});
}

}  // namespace imprimatur::http

#include "http/operations.h"

#include <boost/json.hpp>

namespace imprimatur::http {
namespace {

namespace json = boost::json;

std::string_view name_of(Writes writes) {
  switch (writes) {
    case Writes::open: return "open";
    case Writes::verifying: return "verifying";
    case Writes::refused: return "refused";
  }
  CHECK(false, "no such state of writes");
}

}  // namespace

void add_operations_routes(Router& router, const Metrics& metrics, std::function<Readiness()> ready) {
  router.add({Method::get,
              "/healthz",
              [](const Request&, const PathArguments&) -> Result<Response> {
                return json_response("{\"status\":\"ok\"}");
              },
              {.logged = false}});
  router.add({Method::get,
              "/readyz",
              [ready = std::move(ready)](const Request&, const PathArguments&) -> Result<Response> {
                const Readiness now = ready();
                const json::object document = {
                    {"status", "ready"},
                    {"writes", name_of(now.writes)},
                    {"reason", now.reason ? json::value(*now.reason) : json::value()}};
                return json_response(json::serialize(document));
              },
              {.logged = false}});
  router.add({Method::get,
              "/metrics",
              [&metrics](const Request&, const PathArguments&) -> Result<Response> {
                return Response{.content_type = "text/plain; version=0.0.4; charset=utf-8",
                                .body = metrics.render()};
              },
              {.logged = false}});
}

}  // namespace imprimatur::http

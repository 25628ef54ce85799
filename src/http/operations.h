// What an operator's machines ask for: is it up, may it get traffic, what are the counters.
#pragma once

#include "http/metrics.h"
#include "http/router.h"

#include <functional>
#include <optional>
#include <string>

namespace imprimatur::http {

enum class Writes { open, verifying, refused };
struct Readiness {
  Writes writes = Writes::open;
  std::optional<std::string> reason;  // why they are not open
};

// GET /healthz answers 200 while the process answers at all; GET /readyz 200, as reads are served, with what
// `ready` says of writes; GET /metrics renders `metrics`, which must outlive the router.
void add_operations_routes(Router& router, const Metrics& metrics, std::function<Readiness()> ready);

}  // namespace imprimatur::http

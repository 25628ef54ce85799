// What an operator's machines ask for: is it up, may it get traffic, what are the counters.
#pragma once

#include "http/metrics.h"
#include "http/router.h"

#include <functional>

namespace imprimatur::http {

// GET /healthz answers 200 while the process answers at all; GET /readyz answers 200 while `ready` holds and
// a 503 problem with its reason otherwise; GET /metrics renders `metrics`, which must outlive the router.
void add_operations_routes(Router& router, const Metrics& metrics, std::function<Status()> ready);

}  // namespace imprimatur::http

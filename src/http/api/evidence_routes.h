// The routes of what is proved to somebody outside.
#pragma once

#include "evidence/evidence.h"
#include "http/router.h"
#include "identity/identity.h"

namespace imprimatur::http {

// What handlers call. All of it outlives the router.
struct EvidenceApi {
  identity::Identity& identity;
  evidence::Evidence& evidence;
};

void add_checkpoint_routes(Router& router, EvidenceApi api);
void add_witness_routes(Router& router, EvidenceApi api);
void add_evidence_routes(Router& router, EvidenceApi api);
void add_report_routes(Router& router, EvidenceApi api);

}  // namespace imprimatur::http

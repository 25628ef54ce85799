#include "evidence/events.h"

#include "base/hash.h"
#include "base/json.h"

#include <boost/json.hpp>

namespace imprimatur::evidence {
namespace {

namespace json = boost::json;

journal::Event event(std::string action, const WitnessId& witness, json::object details,
                     const PrincipalId& actor) {
  details["witness"] = witness.text;
  return {std::move(action), "witness:" + witness.text, canonical_json(details).value(), actor};
}

}  // namespace

journal::Event witness_added(const PrincipalId& actor, const store::Witness& witness) {
  const std::string digest = "sha256:" + to_hex(sha256(witness.key.text()));
  return event("witness.added", witness.id, {{"keyDigest", digest}}, actor);
}

journal::Event witness_removed(const PrincipalId& actor, const WitnessId& witness) {
  return event("witness.removed", witness, {}, actor);
}

}  // namespace imprimatur::evidence

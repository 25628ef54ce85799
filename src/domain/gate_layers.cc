#include "domain/gate_layers.h"

#include "domain/gate.h"

#include <algorithm>

namespace imprimatur {
namespace {

// Reviewed and deployed together, so that the rest of the answer is about it, too.
bool in_change_set(const LockedVersion& locked, const GateFacts& facts) {
  return std::any_of(facts.items.begin(), facts.items.end(), [&](const GateItem& item) {
    return item.artifact == locked.artifact && item.version == locked.version && item.digest == locked.digest;
  });
}

std::string objection(const LockedVersion& locked, const GateFacts& facts) {
  if (!locked.intact) return "its stored content does not have the digest that the lock names";
  return in_change_set(locked, facts) ? std::string() : locked.objection;
}

}  // namespace

std::optional<Requirement> layers_requirement(const GateFacts& facts) {
  Requirement out{"layers", true, {}, {}, Stage::submission};
  bool any = false;
  for (const GateItem& item : facts.items) {
    for (const LockedVersion& locked : item.locked) {
      any = true;
      const std::string why = objection(locked, facts);
      if (why.empty()) continue;
      out.met = false;
      out.detail += (out.detail.empty() ? "" : "; ") + locked.path + ": " + why;
    }
  }
  if (!any) return std::nullopt;
  if (out.met) out.detail = "all that is included may be live there";
  return out;
}

}  // namespace imprimatur

// Who is accountable for which names.
#pragma once

#include "base/result.h"
#include "domain/gate.h"
#include "domain/name_pattern.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace imprimatur {

inline constexpr std::size_t kMaxOwnerRules = 500;
inline constexpr std::size_t kMaxOwners = 20;  // of one rule

struct OwnerRule {
  NamePattern pattern;
  std::vector<TeamId> teams;
  std::vector<PrincipalId> people;
  bool operator==(const OwnerRule&) const = default;
};

// In order: the last rule whose pattern speaks of a name decides, and a negated one leaves it without owners.
struct OwnerRules {
  std::int64_t version = 0;  // counts up with every change; 0: none were ever set
  std::vector<OwnerRule> rules;
  bool operator==(const OwnerRules&) const = default;
};

std::optional<OwnedBy> owners_of(const OwnerRules& rules, std::string_view name);

// Canonical JSON without the version number: [{"pattern","teams":[…],"people":[…]}].
std::string canonical_owners(const OwnerRules& rules);
Result<OwnerRules> owners_from_json(std::string_view json, std::int64_t version);
std::string digest_of(const OwnerRules& rules);
// Whether a change of the rules may take an owner's signature away from any name. What patterns take in is
// not compared, so every change of rules that are there may.
bool weakens(const OwnerRules& before, const OwnerRules& after);

}  // namespace imprimatur

// What a version includes: from the ranges that its author wrote to a lock of exact versions, and from the
// lock to what a model gets. docs/decisions/layers.md says why it is as it is.
#pragma once

#include "base/result.h"
#include "domain/content.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace imprimatur {

inline constexpr std::size_t kMaxLayerDepth = 8;  // of layers of layers
// Of all that one version includes, as it is put in place.
inline constexpr std::size_t kMaxLayerBytes = 8 * 1024 * 1024;

// The canonical content of a version that a lock may name. What it gives for one name and number never
// changes.
using LoadVersion = std::function<Result<std::string>(const std::string& name, std::int64_t number)>;

struct LayerCandidate {
  std::int64_t number = 0;
  std::string semver;
};
// The versions of the prompt or policy of this name that may be included; nothing when there is none so
// named.
using Candidates = std::function<Result<std::optional<std::vector<LayerCandidate>>>(const std::string& name)>;

struct LayerSource {
  Candidates candidates;
  LoadVersion load;
};

struct Resolved {
  Content content;    // with its lock
  Content effective;  // what it says with everything that it includes put in place
};

// Gives each layer the highest of its candidates that its range admits. The lock's first entries are those of
// `layers`, in their order; behind them, by name and number, stands what those lock in turn.
//
// Every refusal is unprocessable and begins with the path to what is wrong ("support/reply >
// support/tone@1.2.0 > …"): nothing of that name or in that range, a layer that includes what includes it,
// layers deeper than kMaxLayerDepth, a mark `{{> name}}` of something that is not listed, a prompt that is
// listed and placed nowhere, a chat or a policy that is placed, variables of one name and two types, braces
// that would join at a layer's edge, rules that do not agree (domain/policies.h). Too large: over a limit of
// content.h or kMaxLayerBytes. Precondition: `content` passed checked_content; its lock is of no account.
Result<Resolved> resolve(Content content, const LayerSource& source);

// The same from the lock, for ever: a function of the version and of what its lock names, each of which must
// have the digest that the lock says. Precondition: `content` is a version's.
Result<Content> effective_content(const Content& content, const LoadVersion& load);

// False only for canonical content of a version that includes nothing.
bool may_include(std::string_view canonical);

}  // namespace imprimatur

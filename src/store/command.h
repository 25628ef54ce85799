// Who asks for a change, and how its repetition is recognised. Shared by every service that writes.
#pragma once

#include "domain/access.h"
#include "store/store.h"

#include <optional>
#include <string>
#include <string_view>

namespace imprimatur::store {

// How long the outcome of a write is kept for its repetition.
inline constexpr Duration kIdempotencyKept = hours(24);

struct Command {
  Principal principal;  // who authenticated
  // Bound to one route: a hash over method, path and the Idempotency-Key that the client sent. Empty: none
  // was.
  std::string idempotency_key;
  std::string request_hash;  // of method, target and body; compared, never shown
};

// Inside Store::write and only after the principal was authorised for this very write: what the first
// execution left behind, or nothing when this is the first, when no key was sent, or when the first is older
// than kIdempotencyKept. A conflict when the same key came with another request.
Result<std::optional<std::string>> replayed(Tx& tx, const Command& command);

// Inside the same write, after the change: keeps `outcome`, a short reference such as "version:art_…:3" from
// which the answer is made again. Never a secret. Does nothing when no key was sent.
void remember(Tx& tx, const Command& command, std::string_view outcome);

// What stands behind `kind` ("version:") in an outcome. Throws DataBroken when the outcome is of another
// kind.
std::string reference_in(std::string_view outcome, std::string_view kind);

}  // namespace imprimatur::store

#include "store/command.h"

#include "store/broken.h"
#include "store/identity_rows.h"

namespace imprimatur::store {

Result<std::optional<std::string>> replayed(Tx& tx, const Command& command) {
  if (command.idempotency_key.empty()) return std::optional<std::string>();
  const auto first =
      idempotent(tx, command.principal.id, command.idempotency_key, tx.now() - kIdempotencyKept);
  if (!first) return std::optional<std::string>();
  if (first->request_hash != command.request_hash)
    return conflict("This Idempotency-Key was used for another request; send a new key with a new request.");
  return std::optional<std::string>(first->outcome);
}

void remember(Tx& tx, const Command& command, std::string_view outcome) {
  if (command.idempotency_key.empty()) return;
  put_idempotent(tx, command.principal.id, command.idempotency_key,
                 {.request_hash = command.request_hash, .outcome = std::string(outcome)}, tx.now());
}

std::string reference_in(std::string_view outcome, std::string_view kind) {
  if (!outcome.starts_with(kind)) throw DataBroken("a remembered outcome of another kind");
  return std::string(outcome.substr(kind.size()));
}

}  // namespace imprimatur::store

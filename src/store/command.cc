#include "store/command.h"

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

}  // namespace imprimatur::store

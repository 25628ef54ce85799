#include "store/credential.h"

#include "store/identity_rows.h"

namespace imprimatur::store {

Status still_valid(Tx& tx, const Principal& principal) {
  // A key is never more than a key, whoever it belongs to.
  if (principal.kind == PrincipalKind::service_account || !principal.key.empty()) {
    const auto key = store::key(tx, principal.key);
    if (!key || key->revoked_at) return unauthenticated("The API key was revoked; use another one.");
    const auto account = service_account(tx, principal.id);
    if (!account || account->disabled) return unauthenticated("The service account is disabled.");
    return Ok{};
  }
  const auto user = store::user(tx, principal.id);
  if (!user || user->disabled) return unauthenticated("The account is disabled.");
  return Ok{};
}

Error unknown_project() { return not_found("There is no such project, or you are not a member of it."); }

}  // namespace imprimatur::store

// Whether who authenticated when a request came in is still good when its transaction runs.
#pragma once

#include "domain/access.h"
#include "store/store.h"

namespace imprimatur::store {

// Unauthenticated when the person or the service account was disabled, or the key revoked, since.
Status still_valid(Tx& tx, const Principal& principal);
// In the same words whether it is not there or not the principal's to know.
Error unknown_project();

}  // namespace imprimatur::store

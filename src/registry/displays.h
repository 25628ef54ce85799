// The names that people see for ids.
#pragma once

#include "registry/views.h"
#include "store/store.h"

namespace imprimatur::registry {

void add_display(store::Tx& tx, Displays& displays, const PrincipalId& id);

}  // namespace imprimatur::registry

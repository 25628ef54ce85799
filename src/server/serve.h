// The server in the foreground, until it is told to stop.
#pragma once

#include "server/config.h"

namespace imprimatur::server {

// Listens, says so on standard output, and returns after SIGINT or SIGTERM, when what was accepted is
// finished.
Status serve(const Config& config);

}  // namespace imprimatur::server

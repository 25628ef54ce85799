// The server in the foreground, until it is told to stop.
#pragma once

#include "server/config.h"

namespace imprimatur::server {

// What is said on standard output: lines for people, or one JSON document a line, each with its "event".
enum class Speech { text, json };

// Listens, says so on standard output, and returns after SIGINT or SIGTERM, when what was accepted is
// finished.
Status serve(const Config& config, Speech speech = Speech::text);

}  // namespace imprimatur::server

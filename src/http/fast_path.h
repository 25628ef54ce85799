// Answers that are ready before they are asked for. Called on the I/O thread for every request without a
// body, before the router; must not block or allocate in the common case.
#pragma once

#include "base/clock.h"
#include "http/head.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace imprimatur::http {

// What a connection remembers of its last credential, so that a client that keeps its connection pays one
// comparison. `record` is valid while the table that it was found in has `generation`.
struct CredentialMemo {
  std::string authorization;
  std::uint64_t generation = 0;  // 0: nothing remembered
  const void* record = nullptr;
  Time noted;  // when its use was last written down
};

struct FastContext {
  std::string_view request_id;
  Time now;  // of the thread's last tick
  CredentialMemo& memo;
};

// `head` is the status line and the fields, each with its CR LF, without X-Request-Id, Date, Connection and
// the blank line, which the server adds. Both views must live until the next call on the same thread. Where
// `hold` is set, they live as long as what hold(held) returns, and a slow reader is given that instead of a
// copy.
struct FastAnswer {
  int status = 0;
  std::string_view head;
  std::string_view body;
  std::shared_ptr<const void> (*hold)(const void* held) = nullptr;
  const void* held = nullptr;
};

// False: not mine, go on to the router.
using FastPath = std::function<bool(const Head&, FastContext&, FastAnswer&)>;
// One for each I/O thread, made and destroyed there, so it may hold that thread's snapshot readers.
using FastPathFactory = std::function<FastPath(std::size_t thread)>;

}  // namespace imprimatur::http

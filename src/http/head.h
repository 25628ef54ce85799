// The head of a request, read strictly from the raw bytes and without allocation. Everything that two parsers
// could understand differently is refused here, before anything else looks at the request.
#pragma once

#include "http/message.h"

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace imprimatur::http {

struct HeadLimits {
  std::size_t head_bytes = 16 * 1024;   // request line and fields with their line ends
  std::size_t target_bytes = 8 * 1024;  // of the request line
  std::size_t fields = 64;              // at most kMaxFields
};

struct Field {
  std::string_view name, value;
};

// Points into the bytes that were scanned.
struct Head {
  static constexpr std::size_t kMaxFields = 100;

  Method method = Method::other;
  std::string_view target, path, query;  // raw; query without its '?'
  bool has_query = false;
  int minor_version = 1;
  bool keep_alive = true;
  bool chunked = false;
  bool expects_continue = false;
  std::optional<std::uint64_t> content_length;
  // Empty when absent.
  std::string_view authorization, cookie, if_none_match, content_type, request_id;
  std::size_t size = 0;  // of the head with its blank line
  std::array<Field, kMaxFields> fields;
  std::size_t field_count = 0;

  bool has_body() const { return chunked || content_length.value_or(0) > 0; }
};

// A request that cannot be taken at all. `code` and `detail` go into the problem document.
struct Refusal {
  int status = 400;
  std::string_view code = "invalid";
  std::string_view detail;
};

enum class Scan { complete, incomplete, refused };

// Looks at `bytes` from the start. `incomplete` means that nothing is wrong yet and the limits are not
// reached. Refuses: a line that ends in a bare LF, a CR elsewhere, folded fields, white space around a
// field's name, names that are no tokens, control characters, a missing or second Host, Content-Length and
// Transfer-Encoding together, a second or malformed Content-Length, any transfer coding but chunked, targets
// that do not start with '/', other versions than HTTP/1.0 and 1.1, expectations other than 100-continue, and
// whatever is over a limit.
Scan scan_head(std::string_view bytes, const HeadLimits& limits, Head& head, Refusal& refusal);

}  // namespace imprimatur::http

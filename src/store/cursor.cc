#include "store/cursor.h"

#include "base/hash.h"
#include "base/utf8.h"

#include <charconv>

namespace imprimatur::store {
namespace {

Error bad_cursor() { return invalid_field("cursor", "not a cursor that this list gave"); }

// The key behind its kind, 't' or 'n'; empty for the first page.
Result<std::string> key_of(const PageRequest& page, char kind) {
  if (page.limit < 1 || page.limit > kMaxPage)
    return invalid_field("limit", "from 1 to " + std::to_string(kMaxPage));
  if (page.cursor.empty()) return std::string();
  if (page.cursor.size() > kMaxCursorBytes) return bad_cursor();
  const std::optional<std::string> key = from_base64url(page.cursor);
  if (!key || key->size() < 2 || key->front() != kind || first_invalid_utf8(*key) ||
      key->find('\0') != std::string::npos) {
    return bad_cursor();
  }
  return key->substr(1);
}

}  // namespace

std::string cursor_after(std::string_view key) { return to_base64url("t" + std::string(key)); }

std::string cursor_after(std::int64_t number) { return to_base64url("n" + std::to_string(number)); }

Result<std::string> text_after(const PageRequest& page) { return key_of(page, 't'); }

Result<std::int64_t> number_after(const PageRequest& page, std::int64_t first) {
  const std::string key = TRY(key_of(page, 'n'));
  if (key.empty()) return first;
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(key.data(), key.data() + key.size(), number);
  if (error != std::errc() || end != key.data() + key.size() || number < 0) return bad_cursor();
  return number;
}

}  // namespace imprimatur::store

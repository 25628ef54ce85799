#include "scan/json_reading.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include <unicode/utf16.h>
#include <unicode/utf8.h>

namespace imprimatur::scan {
namespace {

constexpr std::size_t kUnicodeEscape = 6;  // backslash, u, four digits

std::optional<std::uint32_t> code_unit_at(std::string_view json, std::size_t at) {
  const std::string_view escape = json.substr(std::min(at, json.size()), kUnicodeEscape);
  if (escape.size() < kUnicodeEscape || !escape.starts_with("\\u")) return std::nullopt;
  std::uint32_t unit = 0;
  const char* const end = escape.data() + escape.size();
  const auto read = std::from_chars(escape.data() + 2, end, unit, 16);
  return read.ptr == end ? std::optional(unit) : std::nullopt;
}

void append_utf8(std::string& out, std::uint32_t code) {
  char bytes[U8_MAX_LENGTH];
  std::size_t length = 0;
  U8_APPEND_UNSAFE(bytes, length, code);
  out.append(bytes, length);
}

char plain_of(char escaped) {
  switch (escaped) {
    case 'b': return '\b';
    case 'f': return '\f';
    case 'n': return '\n';
    case 'r': return '\r';
    case 't': return '\t';
    case '"':
    case '\\':
    case '/': return escaped;
    default: return '\0';
  }
}

}  // namespace

std::size_t JsonReading::undo_escape(std::string_view json, std::size_t at, std::string& out) {
  if (const auto unit = code_unit_at(json, at)) {
    if (!U16_IS_SURROGATE(*unit)) {
      append_utf8(out, *unit);
      return kUnicodeEscape;
    }
    const auto trail = code_unit_at(json, at + kUnicodeEscape);
    if (!U16_IS_SURROGATE_LEAD(*unit) || !trail || !U16_IS_TRAIL(*trail)) return 0;
    append_utf8(out, static_cast<std::uint32_t>(U16_GET_SUPPLEMENTARY(*unit, *trail)));
    return 2 * kUnicodeEscape;
  }
  const char plain = at + 1 < json.size() ? plain_of(json[at + 1]) : '\0';
  if (plain == '\0') return 0;
  out.push_back(plain);
  return 2;
}

JsonReading::JsonReading(std::string_view json) {
  text_.reserve(json.size());
  std::vector<std::size_t> quotes;
  bool in_string = false;
  for (std::size_t at = 0; at < json.size();) {
    const std::size_t escape = in_string && json[at] == '\\' ? undo_escape(json, at, text_) : 0;
    if (escape > 0) {
      at += escape;
      behind_.push_back({static_cast<std::uint32_t>(text_.size()), static_cast<std::uint32_t>(at)});
      continue;
    }
    if (json[at] == '"') {
      in_string = !in_string;
      quotes.push_back(text_.size());
    }
    text_.push_back(json[at++]);
  }
  lines_ = text_;
  for (const std::size_t quote : quotes) lines_[quote] = '\n';
}

std::size_t JsonReading::source_of(std::size_t at) const {
  const auto next = std::upper_bound(behind_.begin(), behind_.end(), at,
                                     [](std::size_t value, const Behind& one) { return value < one.at; });
  if (next == behind_.begin()) return at;
  const Behind& last = *(next - 1);
  return last.source + (at - last.at);
}

}  // namespace imprimatur::scan

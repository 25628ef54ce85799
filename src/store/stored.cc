#include "store/stored.h"

#include "base/json.h"

#include <boost/json.hpp>

namespace imprimatur::store {

std::optional<Time> time_or_none(const Row& row, std::size_t column) {
  const Time time = row.time(column);
  if (time.micros == 0) return std::nullopt;
  return time;
}

std::int64_t micros_or_zero(const std::optional<Time>& time) { return time ? time->micros : 0; }

void require_object(std::string_view text, const std::string& what) {
  constexpr JsonLimits kStored{.bytes = 64 * 1024 * 1024, .depth = 128, .values = 10'000'000};
  const auto parsed = parse_json(text, kStored);
  const auto written = parsed.ok() ? canonical_json(*parsed) : Result<std::string>(parsed.error());
  if (!written.ok() || !parsed->is_object() || *written != text) throw DataBroken(what + " cannot be read");
}

std::string list_text(const std::vector<std::string>& items) {
  std::string out = "[";
  for (const std::string& item : items) {
    if (out.size() > 1) out += ',';
    append_json_string(out, item);
  }
  return out + "]";
}

std::vector<std::string> list_of(std::string_view text) {
  if (text == "[]") return {};
  const Result<boost::json::value> parsed = parse_json(text);
  if (!parsed.ok() || !parsed.value().is_array()) throw DataBroken("a broken list");
  std::vector<std::string> out;
  for (const boost::json::value& item : parsed.value().get_array()) {
    if (!item.is_string()) throw DataBroken("a broken list");
    out.emplace_back(item.get_string());
  }
  return out;
}

}  // namespace imprimatur::store

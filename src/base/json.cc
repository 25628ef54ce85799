#include "base/json.h"

#include "base/utf8.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <unordered_set>
#include <vector>

#include <boost/json.hpp>
#include <boost/json/basic_parser_impl.hpp>

namespace imprimatur {
namespace {

namespace json = boost::json;

constexpr std::int64_t kLargestInteger = 9'007'199'254'740'991;  // 2^53 - 1
constexpr double kFirstExponent = 1e21;  // ECMAScript writes all digits of what is below

// Builds the value and refuses what a lenient parser would repair silently.
class StrictHandler {
 public:
  static constexpr std::size_t max_object_size = std::size_t(-1);
  static constexpr std::size_t max_array_size = std::size_t(-1);
  static constexpr std::size_t max_key_size = std::size_t(-1);
  static constexpr std::size_t max_string_size = std::size_t(-1);

  explicit StrictHandler(std::size_t max_values) : budget_(max_values) { stack_.reset(); }

  bool on_document_begin(json::error_code&) { return true; }
  bool on_document_end(json::error_code&) { return true; }
  bool on_object_begin(json::error_code&) {
    keys_.emplace_back();
    return true;
  }
  bool on_object_end(std::size_t n, json::error_code& ec) {
    keys_.pop_back();
    stack_.push_object(n);
    return spend(ec);
  }
  bool on_array_begin(json::error_code&) { return true; }
  bool on_array_end(std::size_t n, json::error_code& ec) {
    stack_.push_array(n);
    return spend(ec);
  }
  bool on_key_part(json::string_view part, std::size_t, json::error_code&) {
    partial_.append(part.data(), part.size());
    return true;
  }
  bool on_key(json::string_view part, std::size_t, json::error_code& ec) {
    partial_.append(part.data(), part.size());
    if (!text_allowed(ec)) return false;
    if (!keys_.back().insert(partial_).second)
      return refuse("the key \"" + partial_ + "\" appears twice", ec);
    stack_.push_key(partial_);
    partial_.clear();
    return true;
  }
  bool on_string_part(json::string_view part, std::size_t, json::error_code&) {
    partial_.append(part.data(), part.size());
    return true;
  }
  bool on_string(json::string_view part, std::size_t, json::error_code& ec) {
    partial_.append(part.data(), part.size());
    if (!text_allowed(ec)) return false;
    stack_.push_string(partial_);
    partial_.clear();
    return spend(ec);
  }
  bool on_number_part(json::string_view part, json::error_code&) {
    partial_.append(part.data(), part.size());
    return true;
  }
  bool on_int64(std::int64_t n, json::string_view, json::error_code& ec) {
    partial_.clear();
    stack_.push_int64(n);
    return spend(ec);
  }
  bool on_uint64(std::uint64_t n, json::string_view, json::error_code& ec) {
    partial_.clear();
    stack_.push_uint64(n);
    return spend(ec);
  }
  // Boost's parser is off by a unit in the last place for some numbers; what is hashed must be the nearest
  // double.
  bool on_double(double rounded, json::string_view part, json::error_code& ec) {
    partial_.append(part.data(), part.size());
    double exact = 0;
    const char* const end = partial_.data() + partial_.size();
    const auto [read, error] = std::from_chars(partial_.data(), end, exact);
    const bool too_small = error == std::errc::result_out_of_range && std::abs(rounded) < 1;
    if (!std::isfinite(rounded) || (error != std::errc() && !too_small))
      return refuse("a number is too large", ec);
    CHECK(read == end, "a number that the parser took");
    partial_.clear();
    stack_.push_double(too_small ? 0 : exact);
    return spend(ec);
  }
  bool on_bool(bool b, json::error_code& ec) {
    stack_.push_bool(b);
    return spend(ec);
  }
  bool on_null(json::error_code& ec) {
    stack_.push_null();
    return spend(ec);
  }
  bool on_comment_part(json::string_view, json::error_code&) { return true; }
  bool on_comment(json::string_view, json::error_code&) { return true; }

  json::value release() { return stack_.release(); }
  const std::string& refusal() const { return refusal_; }

 private:
  bool spend(json::error_code& ec) {
    return budget_-- > 0 || refuse("there are too many values in one document", ec);
  }
  bool text_allowed(json::error_code& ec) {
    if (partial_.find('\0') != std::string::npos) return refuse("U+0000 is not allowed in text", ec);
    return true;
  }
  bool refuse(std::string why, json::error_code& ec) {
    refusal_ = std::move(why);
    ec = json::error::exception;
    return false;
  }

  json::value_stack stack_;
  std::vector<std::unordered_set<std::string>> keys_;
  std::string partial_;
  std::string refusal_;
  std::size_t budget_;
};

// Message for a person; the offset is where the parser stopped.
Error syntax_error(const json::error_code& ec, std::size_t offset) {
  const bool surrogate = ec == json::error::illegal_leading_surrogate ||
                         ec == json::error::illegal_trailing_surrogate ||
                         ec == json::error::expected_utf16_escape;
  std::string what = surrogate ? "a \\u escape is a lone surrogate" : ec.message();
  if (ec == json::error::too_deep) what = "the document is nested too deeply";
  if (ec == json::error::incomplete) what = "the document ends in the middle";
  return invalid("not valid JSON at byte " + std::to_string(offset) + ": " + what);
}

// UTF-16 code unit order differs from byte order only where surrogates (U+10000 and up) meet U+E000..U+FFFF.
bool utf16_less(std::string_view a, std::string_view b) {
  const auto [x, y] = std::mismatch(a.begin(), a.end(), b.begin(), b.end());
  if (x == a.end() || y == b.end()) return a.size() < b.size();
  const auto left = static_cast<unsigned char>(*x), right = static_cast<unsigned char>(*y);
  const bool left_astral = left >= 0xF0, right_astral = right >= 0xF0;
  if (left_astral != right_astral) {
    const unsigned char other = left_astral ? right : left;
    const bool astral_first = other >= 0xEE;  // lead bytes of U+E000..U+FFFF
    return left_astral ? astral_first : !astral_first;
  }
  return left < right;
}

Status append_canonical(std::string& out, const json::value& value) {
  switch (value.kind()) {
    case json::kind::null: out += "null"; return Ok{};
    case json::kind::bool_: out += value.get_bool() ? "true" : "false"; return Ok{};
    case json::kind::int64: {
      const std::int64_t n = value.get_int64();
      if (n > kLargestInteger || n < -kLargestInteger) return invalid("an integer is beyond 2^53 - 1");
      out += std::to_string(n);
      return Ok{};
    }
    case json::kind::uint64: {
      const std::uint64_t n = value.get_uint64();
      if (n > static_cast<std::uint64_t>(kLargestInteger)) return invalid("an integer is beyond 2^53 - 1");
      out += std::to_string(n);
      return Ok{};
    }
    case json::kind::double_: {
      const double n = value.get_double();
      if (!std::isfinite(n)) return invalid("a number is not finite");
      // It would be written as an integer, and refused when it is read again.
      if (std::abs(n) > static_cast<double>(kLargestInteger) && std::abs(n) < kFirstExponent) {
        return invalid("an integer is beyond 2^53 - 1");
      }
      out += ecmascript_number(n);
      return Ok{};
    }
    case json::kind::string: append_json_string(out, value.get_string()); return Ok{};
    case json::kind::array: {
      char separator = '[';
      for (const json::value& item : value.get_array()) {
        out.push_back(std::exchange(separator, ','));
        TRY(append_canonical(out, item));
      }
      if (separator == '[') out.push_back('[');
      out.push_back(']');
      return Ok{};
    }
    case json::kind::object: {
      std::vector<const json::key_value_pair*> members;
      for (const auto& member : value.get_object()) members.push_back(&member);
      std::sort(members.begin(), members.end(),
                [](const auto* a, const auto* b) { return utf16_less(a->key(), b->key()); });
      char separator = '{';
      for (const auto* member : members) {
        out.push_back(std::exchange(separator, ','));
        append_json_string(out, member->key());
        out.push_back(':');
        TRY(append_canonical(out, member->value()));
      }
      if (separator == '{') out.push_back('{');
      out.push_back('}');
      return Ok{};
    }
  }
  CHECK(false, "unknown JSON kind");
}

}  // namespace

Result<json::value> parse_json(std::string_view text, const JsonLimits& limits) {
  if (text.size() > limits.bytes) {
    return too_large("the document is over " + std::to_string(limits.bytes) + " bytes");
  }
  if (const auto bad = first_invalid_utf8(text)) {
    return invalid("not valid JSON at byte " + std::to_string(*bad) + ": not UTF-8");
  }
  json::parse_options options;
  options.max_depth = limits.depth;
  json::basic_parser<StrictHandler> parser(options, limits.values);
  json::error_code ec;
  const std::size_t read = parser.write_some(false, text.data(), text.size(), ec);
  if (!parser.handler().refusal().empty()) {
    return invalid("not valid JSON at byte " + std::to_string(read) + ": " + parser.handler().refusal());
  }
  if (ec) return syntax_error(ec, read);
  if (text.find_first_not_of(" \t\r\n", read) != std::string_view::npos) {
    return invalid("not valid JSON at byte " + std::to_string(read) + ": there is text behind the document");
  }
  return parser.handler().release();
}

Result<std::string> canonical_json(const json::value& value) {
  std::string out;
  TRY(append_canonical(out, value));
  return out;
}

std::string ecmascript_number(double number) {
  CHECK(std::isfinite(number));
  if (number == 0) return "0";
  char buffer[32];
  const auto end =
      std::to_chars(buffer, buffer + sizeof buffer, std::abs(number), std::chars_format::scientific).ptr;
  const std::string_view text(buffer, static_cast<std::size_t>(end - buffer));
  const std::size_t e = text.find('e');
  std::string digits(1, text[0]);
  if (e > 2) digits += text.substr(2, e - 2);
  const int exponent = std::atoi(std::string(text.substr(e + 1)).c_str());
  const int count = static_cast<int>(digits.size());
  const int point = exponent + 1;  // `n` of ECMA-262 Number::toString
  std::string out = number < 0 ? "-" : "";
  if (count <= point && point <= 21) {
    out += digits + std::string(static_cast<std::size_t>(point - count), '0');
  } else if (0 < point && point <= 21) {
    out += digits.substr(0, static_cast<std::size_t>(point)) + "." +
           digits.substr(static_cast<std::size_t>(point));
  } else if (-6 < point && point <= 0) {
    out += "0." + std::string(static_cast<std::size_t>(-point), '0') + digits;
  } else {
    out += digits.substr(0, 1);
    if (count > 1) out += "." + digits.substr(1);
    out += std::string("e") + (exponent < 0 ? "-" : "+") + std::to_string(std::abs(exponent));
  }
  return out;
}

void append_json_string(std::string& out, std::string_view text) {
  constexpr std::string_view kHex = "0123456789abcdef";
  const auto plain = [](char c) { return static_cast<unsigned char>(c) >= 0x20 && c != '"' && c != '\\'; };
  out.push_back('"');
  for (std::size_t at = 0; at < text.size(); ++at) {
    // Most text needs no escape, so it goes over in runs.
    const std::size_t begin = at;
    while (at < text.size() && plain(text[at])) ++at;
    out.append(text, begin, at - begin);
    if (at == text.size()) break;
    const char c = text[at];
    switch (c) {
      case '"': out += "\\\""; break;
      case '\\': out += "\\\\"; break;
      case '\b': out += "\\b"; break;
      case '\f': out += "\\f"; break;
      case '\n': out += "\\n"; break;
      case '\r': out += "\\r"; break;
      case '\t': out += "\\t"; break;
      default:
        out += "\\u00";
        out.push_back(kHex[static_cast<unsigned char>(c) >> 4]);
        out.push_back(kHex[static_cast<unsigned char>(c) & 15]);
    }
  }
  out.push_back('"');
}

}  // namespace imprimatur

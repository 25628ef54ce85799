#include "base/percent.h"

#include "base/utf8.h"

namespace imprimatur {
namespace {

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; }

bool is_unreserved(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
         c == '_' || c == '~';
}

// Calls `piece` for each part of `text` between separators, also empty ones; stops when it returns false.
template <class Piece>
bool split(std::string_view text, char separator, Piece piece) {
  for (;;) {
    const std::size_t end = text.find(separator);
    if (!piece(text.substr(0, end))) return false;
    if (end == std::string_view::npos) return true;
    text.remove_prefix(end + 1);
  }
}

}  // namespace

bool append_percent_decoded(std::string& out, std::string_view text, Plus plus) {
  const std::size_t from = out.size();
  out.resize(from + text.size());  // decoding never makes it longer
  char* at = out.data() + from;
  for (std::size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '%') {
      if (text.size() - i < 3) return false;
      const int high = hex_value(text[i + 1]), low = hex_value(text[i + 2]);
      if (high < 0 || low < 0) return false;
      c = static_cast<char>(high * 16 + low);
      i += 2;
    } else if (c == '+' && plus == Plus::space) {
      c = ' ';
    }
    if (is_control(c)) return false;
    *at++ = c;
  }
  out.resize(static_cast<std::size_t>(at - out.data()));
  return true;
}

std::optional<std::string> percent_decode(std::string_view text, Plus plus) {
  std::string out;
  if (!append_percent_decoded(out, text, plus) || first_invalid_utf8(out)) return std::nullopt;
  return out;
}

std::string percent_encode(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    if (is_unreserved(c)) {
      out.push_back(c);
    } else {
      out.push_back('%');
      out.push_back(kDigits[static_cast<unsigned char>(c) >> 4]);
      out.push_back(kDigits[static_cast<unsigned char>(c) & 15]);
    }
  }
  return out;
}

Result<Target> parse_target(std::string_view target, const TargetLimits& limits) {
  if (target.empty() || target.front() != '/') return invalid("the request target must start with '/'");
  const std::size_t mark = target.find('?');
  Error error;
  Target out;
  const bool path_ok = split(
      target.substr(1, mark == std::string_view::npos ? mark : mark - 1), '/', [&](std::string_view raw) {
        auto segment = percent_decode(raw);
        if (!segment) {
          error = invalid(
              "the path holds a bad percent-encoding, a control character or bytes that are not UTF-8");
        } else if (*segment == "." || *segment == "..") {
          error = invalid("the path may not hold the segments \".\" and \"..\"");
        } else if (out.segments.size() == limits.segments) {
          error = too_large("the path has more than " + std::to_string(limits.segments) + " segments");
        } else {
          out.segments.push_back(std::move(*segment));
          return true;
        }
        return false;
      });
  if (!path_ok) return error;
  if (mark == std::string_view::npos) return out;
  const bool query_ok = split(target.substr(mark + 1), '&', [&](std::string_view raw) {
    if (raw.empty()) return true;
    const std::size_t equals = raw.find('=');
    auto name = percent_decode(raw.substr(0, equals), Plus::space);
    auto value = percent_decode(equals == std::string_view::npos ? "" : raw.substr(equals + 1), Plus::space);
    if (!name || !value) {
      error =
          invalid("the query holds a bad percent-encoding, a control character or bytes that are not UTF-8");
    } else if (out.query.size() == limits.parameters) {
      error = too_large("the query has more than " + std::to_string(limits.parameters) + " parameters");
    } else {
      out.query.emplace_back(std::move(*name), std::move(*value));
      return true;
    }
    return false;
  });
  if (!query_ok) return error;
  return out;
}

}  // namespace imprimatur

#include "http/head.h"

#include <algorithm>
#include <cstring>

namespace imprimatur::http {
namespace {

enum Class : std::uint8_t { kToken = 1, kTarget = 2, kValue = 4 };

constexpr std::array<std::uint8_t, 256> make_classes() {
  std::array<std::uint8_t, 256> table{};
  for (unsigned c = 0; c < 256; ++c) {
    std::uint8_t bits = 0;
    const bool alnum = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    if (alnum || (c < 128 && c > 32 &&
                  std::string_view("!#$%&'*+-.^_`|~").find(static_cast<char>(c)) != std::string_view::npos)) {
      bits |= kToken;
    }
    if (c > 0x20 && c < 0x7F && c != '#') bits |= kTarget;
    if (c == '\t' || (c >= 0x20 && c != 0x7F)) bits |= kValue;
    table[c] = bits;
  }
  return table;
}
constexpr auto kClasses = make_classes();

const char* skip(const char* at, const char* end, Class wanted) {
  while (at != end && (kClasses[static_cast<unsigned char>(*at)] & wanted)) ++at;
  return at;
}

constexpr std::uint64_t all_bytes(unsigned char value) { return 0x0101010101010101u * value; }
constexpr std::uint64_t has_zero(std::uint64_t word) {
  return (word - all_bytes(1)) & ~word & all_bytes(0x80);
}
constexpr std::uint64_t has_below(std::uint64_t word, unsigned char limit) {
  return (word - all_bytes(limit)) & ~word & all_bytes(0x80);
}

std::uint64_t word_at(const char* at) {
  std::uint64_t word;
  std::memcpy(&word, at, sizeof word);
  return word;
}

// The same as skip() eight bytes at a time; what is not plain is left to the table.
const char* skip_value(const char* at, const char* end) {
  for (; end - at >= 8; at += 8) {
    const std::uint64_t word = word_at(at);
    if (has_below(word, 0x20) | has_zero(word ^ all_bytes(0x7F))) break;
  }
  return skip(at, end, kValue);
}

const char* skip_target(const char* at, const char* end) {
  for (; end - at >= 8; at += 8) {
    const std::uint64_t word = word_at(at);
    if ((word & all_bytes(0x80)) | has_below(word, 0x21) | has_zero(word ^ all_bytes(0x7F)) |
        has_zero(word ^ all_bytes('#'))) {
      break;
    }
  }
  return skip(at, end, kTarget);
}

// Whether a token is `known`, which is in lower case. No other token character than the upper-case letter
// becomes a lower-case one by this bit, and none becomes '-'.
template <std::size_t N>
bool is(std::string_view token, const char (&known)[N]) {
  std::size_t different = 0;
  for (std::size_t i = 0; i < N - 1; ++i) different |= static_cast<std::size_t>((token[i] | 0x20) ^ known[i]);
  return different == 0;
}

constexpr Refusal kBadLine{400, "invalid", "the request line is malformed"};
constexpr Refusal kBadLineEnd{400, "invalid", "a line of the request head does not end in CR LF"};
constexpr Refusal kHeadTooLarge{431, "too_large", "the request head is over the server's limit"};
constexpr Refusal kTargetTooLong{414, "too_large", "the request target is over the server's limit"};
constexpr Refusal kTooManyFields{431, "too_large",
                                 "the request has more header fields than the server takes"};
constexpr Refusal kBadField{400, "invalid", "a header field is malformed"};
constexpr Refusal kFolded{400, "invalid", "a header field is folded over several lines"};
constexpr Refusal kBadTarget{400, "invalid",
                             "the request target must start with '/' and hold no bare special bytes"};
constexpr Refusal kVersion{505, "unsupported", "only HTTP/1.1 and HTTP/1.0 are spoken here"};
constexpr Refusal kLength{400, "invalid", "Content-Length is malformed or given twice"};
constexpr Refusal kBothLengths{400, "invalid", "Content-Length and Transfer-Encoding exclude each other"};
constexpr Refusal kCoding{501, "unsupported", "the only transfer coding spoken here is chunked"};
constexpr Refusal kHost{400, "invalid", "a request needs exactly one Host field"};
constexpr Refusal kExpect{417, "unsupported", "the only expectation met here is 100-continue"};
constexpr Refusal kCredentials{400, "invalid", "Authorization, Content-Type and Expect may stand once only"};

// One pass over the lines; what a field means is decided in `note`.
class Scanner {
 public:
  Scanner(std::string_view bytes, const HeadLimits& limits, Head& head, Refusal& refusal)
      : begin_(bytes.data()),
        end_(bytes.data() + bytes.size()),
        at_(begin_),
        limits_(limits),
        head_(head),
        refusal_(refusal) {}

  Scan run() {
    // Robustness that RFC 9112 section 2.2 asks for: one empty line before the request line.
    if (end_ - at_ >= 2 && at_[0] == '\r' && at_[1] == '\n') at_ += 2;
    Scan state = request_line();
    while (state == Scan::complete && !done_) state = field_line();
    if (state == Scan::complete) state = conclude();
    const bool over =
        static_cast<std::size_t>(at_ - begin_) > limits_.head_bytes ||
        (state == Scan::incomplete && static_cast<std::size_t>(end_ - begin_) >= limits_.head_bytes);
    return over && state != Scan::refused ? refuse(kHeadTooLarge) : state;
  }

 private:
  Scan refuse(const Refusal& why) {
    refusal_ = why;
    return Scan::refused;
  }

  // At a CR or at a byte that may not stand in a line.
  Scan line_end(const Refusal& otherwise) {
    if (at_ == end_) return Scan::incomplete;
    if (*at_ == '\n') return refuse(kBadLineEnd);
    if (*at_ != '\r') return refuse(otherwise);
    if (at_ + 1 == end_) return Scan::incomplete;
    if (at_[1] != '\n') return refuse(kBadLineEnd);
    at_ += 2;
    return Scan::complete;
  }

  Scan request_line() {
    const char* const method = at_;
    at_ = skip(at_, end_, kToken);
    if (at_ == end_) return at_ - method > 32 ? refuse(kBadLine) : Scan::incomplete;
    if (at_ == method || at_ - method > 32 || *at_ != ' ')
      return refuse(*at_ == '\n' ? kBadLineEnd : kBadLine);
    head_.method = method_of({method, static_cast<std::size_t>(at_ - method)});
    const char* const target = ++at_;
    at_ = skip_target(at_, end_);
    const auto length = static_cast<std::size_t>(at_ - target);
    if (length > limits_.target_bytes) return refuse(kTargetTooLong);
    if (length > 0 && *target != '/') return refuse(kBadTarget);
    if (at_ == end_) return Scan::incomplete;
    if (*at_ == '\n' || *at_ == '\r') return refuse(kBadLine);
    if (length == 0 || *at_ != ' ') return refuse(kBadTarget);
    head_.target = {target, length};
    ++at_;
    return version();
  }

  Scan version() {
    constexpr std::string_view kName = "HTTP/1.";
    const auto available = static_cast<std::size_t>(end_ - at_);
    const std::size_t compared = std::min(available, kName.size());
    if (std::memcmp(at_, kName.data(), compared) != 0) {
      const bool other_version = available >= 5 && std::memcmp(at_, "HTTP/", 5) == 0;
      return refuse(other_version ? kVersion : kBadLine);
    }
    if (available <= kName.size()) return Scan::incomplete;
    const char digit = at_[kName.size()];
    if (digit < '0' || digit > '9') return refuse(kBadLine);
    if (digit > '1') return refuse(kVersion);
    head_.minor_version = digit - '0';
    head_.keep_alive = digit == '1';
    at_ += kName.size() + 1;
    return line_end(kBadLine);
  }

  Scan field_line() {
    if (at_ == end_) return Scan::incomplete;
    if (*at_ == '\r' || *at_ == '\n') {
      done_ = true;
      return line_end(kBadLineEnd);
    }
    if (*at_ == ' ' || *at_ == '\t') return refuse(kFolded);
    const char* const name = at_;
    at_ = skip(at_, end_, kToken);
    if (at_ == end_) return Scan::incomplete;
    if (at_ == name || *at_ != ':') return refuse(*at_ == '\n' ? kBadLineEnd : kBadField);
    const std::string_view field_name(name, static_cast<std::size_t>(at_ - name));
    ++at_;
    while (at_ != end_ && (*at_ == ' ' || *at_ == '\t')) ++at_;
    const char* const value = at_;
    at_ = skip_value(at_, end_);
    const char* last = at_;
    while (last != value && (last[-1] == ' ' || last[-1] == '\t')) --last;
    const Scan ended = line_end(kBadField);
    if (ended != Scan::complete) return ended;
    if (head_.field_count == std::min(limits_.fields, Head::kMaxFields)) return refuse(kTooManyFields);
    const std::string_view field_value(value, static_cast<std::size_t>(last - value));
    head_.fields[head_.field_count++] = {field_name, field_value};
    return note(field_name, field_value);
  }

  Scan once(std::string_view& slot, std::string_view value) {
    if (slot.data() != nullptr) return refuse(kCredentials);
    slot = value;
    return Scan::complete;
  }

  // Only the names that matter here, told apart by length first.
  Scan note(std::string_view name, std::string_view value) {
    switch (name.size()) {
      case 4:
        if (is(name, "host")) {
          if (++hosts_ > 1 || value.empty()) return refuse(kHost);
        }
        break;
      case 6:
        if (is(name, "expect")) return expect(value);
        if (is(name, "cookie")) head_.cookie = value;
        break;
      case 10:
        if (is(name, "connection")) connection(value);
        break;
      case 12:
        if (is(name, "content-type")) return once(head_.content_type, value);
        if (is(name, "x-request-id")) head_.request_id = value;
        break;
      case 13:
        if (is(name, "authorization")) return once(head_.authorization, value);
        if (is(name, "if-none-match")) head_.if_none_match = value;
        break;
      case 14:
        if (is(name, "content-length")) return content_length(value);
        break;
      case 17:
        if (is(name, "transfer-encoding")) return transfer_encoding(value);
        break;
      default: break;
    }
    return Scan::complete;
  }

  Scan expect(std::string_view value) {
    if (!equal_field_names(value, "100-continue")) return refuse(kExpect);
    head_.expects_continue = true;
    return Scan::complete;
  }

  void connection(std::string_view value) {
    while (!value.empty()) {
      const std::size_t comma = value.find(',');
      std::string_view option = value.substr(0, comma);
      value.remove_prefix(comma == std::string_view::npos ? value.size() : comma + 1);
      while (!option.empty() && (option.front() == ' ' || option.front() == '\t')) option.remove_prefix(1);
      while (!option.empty() && (option.back() == ' ' || option.back() == '\t')) option.remove_suffix(1);
      if (equal_field_names(option, "close")) close_ = true;
      if (equal_field_names(option, "keep-alive")) head_.keep_alive = true;
    }
  }

  Scan content_length(std::string_view value) {
    if (head_.content_length || value.empty() || value.size() > 18) return refuse(kLength);
    std::uint64_t length = 0;
    for (const char c : value) {
      if (c < '0' || c > '9') return refuse(kLength);
      length = length * 10 + static_cast<std::uint64_t>(c - '0');
    }
    head_.content_length = length;
    return Scan::complete;
  }

  Scan transfer_encoding(std::string_view value) {
    if (head_.chunked || head_.minor_version == 0 || !equal_field_names(value, "chunked"))
      return refuse(kCoding);
    head_.chunked = true;
    return Scan::complete;
  }

  Scan conclude() {
    if (head_.chunked && head_.content_length) return refuse(kBothLengths);
    if (hosts_ != 1 && head_.minor_version == 1) return refuse(kHost);
    if (close_) head_.keep_alive = false;
    if (head_.minor_version == 0) head_.expects_continue = false;
    const std::size_t mark = head_.target.find('?');
    head_.path = head_.target.substr(0, mark);
    head_.has_query = mark != std::string_view::npos;
    if (head_.has_query) head_.query = head_.target.substr(mark + 1);
    head_.size = static_cast<std::size_t>(at_ - begin_);
    return Scan::complete;
  }

  const char* begin_;
  const char* end_;
  const char* at_;
  const HeadLimits& limits_;
  Head& head_;
  Refusal& refusal_;
  bool done_ = false;
  bool close_ = false;
  int hosts_ = 0;
};

void reset(Head& head) {
  head.method = Method::other;
  head.target = head.path = head.query = {};
  head.has_query = head.chunked = head.expects_continue = false;
  head.minor_version = 1;
  head.keep_alive = true;
  head.content_length.reset();
  head.authorization = head.cookie = head.if_none_match = head.content_type = head.request_id = {};
  head.size = head.field_count = 0;
}

}  // namespace

Scan scan_head(std::string_view bytes, const HeadLimits& limits, Head& head, Refusal& refusal) {
  reset(head);
  return Scanner(bytes, limits, head, refusal).run();
}

}  // namespace imprimatur::http

#include "scan/decode.h"

#include "base/utf8.h"

#include <algorithm>
#include <array>
#include <optional>

namespace imprimatur::scan {
namespace {

constexpr std::size_t kLeastBase64 = 16;
constexpr std::size_t kLeastHexDigits = 16;
constexpr std::size_t kLeastEscapes = 4;
constexpr std::size_t kLeastOctets = 4;
constexpr std::size_t kLeastSpacedLetters = 8;
constexpr std::size_t kLeastLeetWords = 3;
constexpr std::size_t kMostLineBytes = 16 * 1024;  // a longer line is looked at in pieces of this size

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
char lower(char c) { return static_cast<char>(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c); }

int hex_value(char c) {
  if (is_digit(c)) return c - '0';
  const char folded = lower(c);
  return folded >= 'a' && folded <= 'f' ? folded - 'a' + 10 : -1;
}

bool is_text(std::string_view bytes) {
  if (bytes.size() < 4 || first_invalid_utf8(bytes)) return false;
  std::size_t printable = 0;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    printable += byte >= 0x20 || c == '\n' || c == '\t' || c == '\r' ? 1 : 0;
  }
  return printable * 100 >= bytes.size() * 97 && bytes.find('\x7F') == std::string_view::npos;
}

void put_utf8(std::string& out, std::uint32_t code) {
  if (code < 0x80) {
    out.push_back(static_cast<char>(code));
  } else if (code < 0x800) {
    out.push_back(static_cast<char>(0xC0 | (code >> 6)));
    out.push_back(static_cast<char>(0x80 | (code & 0x3F)));
  } else if (code < 0x10000) {
    if (code >= 0xD800 && code <= 0xDFFF) return;
    out.push_back(static_cast<char>(0xE0 | (code >> 12)));
    out.push_back(static_cast<char>(0x80 | ((code >> 6) & 0x3F)));
    out.push_back(static_cast<char>(0x80 | (code & 0x3F)));
  } else if (code <= 0x10FFFF) {
    out.push_back(static_cast<char>(0xF0 | (code >> 18)));
    out.push_back(static_cast<char>(0x80 | ((code >> 12) & 0x3F)));
    out.push_back(static_cast<char>(0x80 | ((code >> 6) & 0x3F)));
    out.push_back(static_cast<char>(0x80 | (code & 0x3F)));
  }
}

class Decoder {
 public:
  explicit Decoder(std::string_view raw) : raw_(raw) {}

  std::vector<Decoded> run() {
    tokens();
    percent();
    html_entities();
    unicode_escapes();
    tag_characters();
    lines();
    std::stable_sort(out_.begin(), out_.end(),
                     [](const Decoded& a, const Decoded& b) { return a.start < b.start; });
    return std::move(out_);
  }

 private:
  void add(Encoding encoding, std::size_t start, std::size_t end, std::string text) {
    if (is_text(text)) out_.push_back({encoding, start, end, std::move(text)});
  }

  // Runs of letters and digits: base64, hex in one piece or in pairs, binary octets. Sees on the way whether
  // a line may hold leet or spaced letters.
  void tokens() {
    enum : std::uint8_t { kLetter = 1, kDigit = 2, kOther = 4 };
    static constexpr std::array<std::uint8_t, 256> kClass = [] {
      std::array<std::uint8_t, 256> table{};
      for (std::size_t c = 0; c < 256; ++c) {
        if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')) table[c] = kLetter;
        if (c >= '0' && c <= '9') table[c] = kDigit;
        if (c == '+' || c == '/' || c == '-' || c == '_') table[c] = kOther;
      }
      return table;
    }();
    std::size_t single_letters = 0;
    std::size_t at = 0;
    while (at < raw_.size()) {
      std::uint8_t kinds = kClass[static_cast<unsigned char>(raw_[at])];
      if (kinds == 0) {
        ++at;
        continue;
      }
      const std::size_t start = at++;
      for (std::uint8_t next = 0; at < raw_.size(); ++at, kinds |= next)
        if (next = kClass[static_cast<unsigned char>(raw_[at])]; next == 0) break;
      const std::size_t size = at - start;
      single_letters = size == 1 && kinds == kLetter ? single_letters + 1 : 0;
      may_be_spaced_ |= single_letters >= kLeastSpacedLetters;
      if ((kinds & kLetter) != 0 && (kinds & kDigit) != 0) mixed_words_.push_back({start, at});
      if (size >= kLeastBase64) long_token(start, at);
      if (size == 8 && kinds == kDigit && raw_[start] <= '1') at = octets(start, at, 8, 2);
      if (size == 2 && (kinds & kDigit) != 0 && hex_value(raw_[start]) >= 0) at = octets(start, at, 2, 16);
    }
  }

  void long_token(std::size_t start, std::size_t end) {
    const std::string_view token = raw_.substr(start, end - start);
    if (token.size() % 2 == 0 && token.size() >= kLeastHexDigits &&
        std::all_of(token.begin(), token.end(), [](char c) { return hex_value(c) >= 0; })) {
      std::string bytes;
      for (std::size_t i = 0; i < token.size(); i += 2)
        bytes.push_back(static_cast<char>(hex_value(token[i]) * 16 + hex_value(token[i + 1])));
      add(Encoding::hex, start, end, std::move(bytes));
      return;
    }
    if (token.size() % 8 == 0 &&
        std::all_of(token.begin(), token.end(), [](char c) { return c == '0' || c == '1'; })) {
      std::string bytes;
      for (std::size_t i = 0; i < token.size(); i += 8)
        bytes.push_back(static_cast<char>(number(token.substr(i, 8), 2)));
      add(Encoding::binary, start, end, std::move(bytes));
      return;
    }
    base64(start, end);
  }

  void base64(std::size_t start, std::size_t end) {
    std::string bytes;
    std::uint32_t bits = 0;
    int have = 0;
    for (const char c : raw_.substr(start, end - start)) {
      int value = 62;
      if (c >= 'A' && c <= 'Z')
        value = c - 'A';
      else if (c >= 'a' && c <= 'z')
        value = c - 'a' + 26;
      else if (is_digit(c))
        value = c - '0' + 52;
      else if (c == '/' || c == '_')
        value = 63;
      bits = (bits << 6) | static_cast<std::uint32_t>(value);
      have += 6;
      if (have >= 8) {
        have -= 8;
        bytes.push_back(static_cast<char>((bits >> have) & 0xFF));
        // Words of plain language decode to noise; most give themselves away at once.
        if (bytes.size() == 12 && !std::all_of(bytes.begin(), bytes.end(), [](char b) {
              const auto byte = static_cast<unsigned char>(b);
              return byte >= 0x20 || b == '\n' || b == '\t' || b == '\r';
            }))
          return;
      }
    }
    add(Encoding::base64, start, std::min(raw_.size(), end + padding(end)), std::move(bytes));
  }

  std::size_t padding(std::size_t at) const {
    std::size_t count = 0;
    while (count < 2 && at + count < raw_.size() && raw_[at + count] == '=') ++count;
    return count;
  }

  static int number(std::string_view digits, int base) {
    int value = 0;
    for (const char c : digits) {
      const int digit = hex_value(c);
      if (digit < 0 || digit >= base) return -1;
      value = value * base + digit;
    }
    return value;
  }

  // Octets written one by one, with at most two separators between. Returns where they end.
  std::size_t octets(std::size_t start, std::size_t first_end, std::size_t digits, int base) {
    std::string bytes;
    std::size_t end = first_end;
    for (std::size_t at = start; at + digits <= raw_.size();) {
      const int value = number(raw_.substr(at, digits), base);
      if (value < 0) break;
      bytes.push_back(static_cast<char>(value));
      end = at + digits;
      at = end;
      while (at < raw_.size() && at < end + 2 && (raw_[at] == ' ' || raw_[at] == ',' || raw_[at] == '\n'))
        ++at;
      if (at == end) break;
    }
    if (bytes.size() >= kLeastOctets)
      add(base == 2 ? Encoding::binary : Encoding::hex, start, end, std::move(bytes));
    return std::max(end, first_end);
  }

  void percent() {
    for (std::size_t at = raw_.find('%'); at != std::string_view::npos; at = raw_.find('%', at)) {
      std::size_t start = at;
      while (start > floor_ && !is_space(raw_[start - 1])) --start;
      std::size_t end = at;
      std::size_t escapes = 0;
      std::string text;
      for (std::size_t i = start; i < raw_.size() && !is_space(raw_[i]); end = i) {
        const int value = raw_[i] == '%' && i + 2 < raw_.size() ? number(raw_.substr(i + 1, 2), 16) : -1;
        if (value >= 0) {
          text.push_back(static_cast<char>(value));
          ++escapes;
          i += 3;
        } else {
          text.push_back(raw_[i]);
          ++i;
        }
      }
      floor_ = end;
      if (escapes >= kLeastEscapes) add(Encoding::percent, start, end, std::move(text));
      at = std::max(end, at + 1);
    }
  }

  // Escapes of one kind, with other text of the same word between them.
  template <class Next>
  void escapes(Encoding encoding, std::string_view opening, Next&& next) {
    for (std::size_t at = raw_.find(opening); at != std::string_view::npos; at = raw_.find(opening, at)) {
      const std::size_t start = at;
      std::size_t end = at;
      std::size_t count = 0;
      std::size_t between = 0;
      std::string text;
      while (at < raw_.size() && between <= 12) {
        std::size_t after = at;
        if (const std::optional<std::uint32_t> code = next(at, after)) {
          put_utf8(text, *code);
          at = after;
          end = at;
          ++count;
          between = 0;
        } else {
          if (count == 0) break;
          text.push_back(raw_[at++]);
          ++between;
        }
      }
      text.resize(text.size() - std::min(text.size(), at - end));
      if (count >= kLeastEscapes) add(encoding, start, end, std::move(text));
      at = std::max(end, start + 1);
    }
  }

  void html_entities() {
    escapes(
        Encoding::html_entities, "&#",
        [this](std::size_t at, std::size_t& after) -> std::optional<std::uint32_t> {
          if (raw_.compare(at, 2, "&#") != 0) return std::nullopt;
          std::size_t i = at + 2;
          const bool hex = i < raw_.size() && lower(raw_[i]) == 'x';
          if (hex) ++i;
          const std::size_t digits = i;
          while (i < raw_.size() && i - digits < 7 && hex_value(raw_[i]) >= 0 && (hex || is_digit(raw_[i])))
            ++i;
          if (i == digits) return std::nullopt;
          const int code = number(raw_.substr(digits, i - digits), hex ? 16 : 10);
          after = i < raw_.size() && raw_[i] == ';' ? i + 1 : i;
          return code > 0 && code <= 0x10FFFF ? std::optional(static_cast<std::uint32_t>(code))
                                              : std::nullopt;
        });
  }

  void unicode_escapes() {
    escapes(Encoding::unicode_escapes, "\\",
            [this](std::size_t at, std::size_t& after) -> std::optional<std::uint32_t> {
              if (raw_[at] != '\\' || at + 1 >= raw_.size()) return std::nullopt;
              const std::size_t digits = raw_[at + 1] == 'u'   ? 4
                                         : raw_[at + 1] == 'x' ? 2
                                         : raw_[at + 1] == 'U' ? 8
                                                               : 0;
              if (digits == 0 || at + 2 + digits > raw_.size()) return std::nullopt;
              const int code = number(raw_.substr(at + 2, digits).substr(digits == 8 ? 2 : 0), 16);
              if (code <= 0 || code > 0x10FFFF) return std::nullopt;
              after = at + 2 + digits;
              return static_cast<std::uint32_t>(code);
            });
  }

  void tag_characters() {
    constexpr std::string_view kLead = "\xF3\xA0";
    for (std::size_t at = raw_.find(kLead); at != std::string_view::npos; at = raw_.find(kLead, at)) {
      const std::size_t start = at;
      std::string text;
      while (at + 4 <= raw_.size() && raw_.compare(at, 2, kLead) == 0) {
        const auto third = static_cast<unsigned char>(raw_[at + 2]);
        const auto fourth = static_cast<unsigned char>(raw_[at + 3]);
        if (third != 0x80 && third != 0x81) break;
        const char c = static_cast<char>(((third & 1) << 6) | (fourth & 0x3F));
        if (c >= 0x20 && c < 0x7F) text.push_back(c);
        at += 4;
      }
      if (text.size() >= 4) add(Encoding::tag_characters, start, at, std::move(text));
      at = std::max(at, start + 1);
    }
  }

  static bool is_space(char c) { return c == ' ' || c == '\n' || c == '\t' || c == '\r'; }

  // Letters set apart by spaces, and digits in place of letters, line by line.
  void lines() {
    const bool may_be_leet = mixed_words_.size() >= kLeastLeetWords;
    auto mixed = mixed_words_.begin();
    if (!may_be_spaced_ && !may_be_leet) return;
    for (std::size_t start = 0; start < raw_.size();) {
      const std::size_t newline = raw_.find('\n', start);
      const std::size_t end = std::min({newline, raw_.size(), start + kMostLineBytes});
      if (may_be_spaced_) spaced(start, end);
      while (mixed != mixed_words_.end() && mixed->end <= start) ++mixed;
      if (may_be_leet && mixed != mixed_words_.end() && mixed->start < end) leet(start, end);
      start = end == newline ? end + 1 : end;
    }
  }

  void spaced(std::size_t start, std::size_t end) {
    for (std::size_t at = start; at + 2 * kLeastSpacedLetters <= end;) {
      // Runs of "x " with single bytes; a wider gap divides words.
      std::size_t i = at;
      std::size_t letters = 0;
      std::string text;
      while (i < end && !is_space(raw_[i]) && static_cast<unsigned char>(raw_[i]) < 0x80 &&
             (i + 1 == end || raw_[i + 1] == ' ')) {
        letters += is_letter(raw_[i]) ? 1 : 0;
        text.push_back(raw_[i]);
        std::size_t gap = i + 1;
        while (gap < end && raw_[gap] == ' ') ++gap;
        if (gap - (i + 1) > 1) text.push_back(' ');
        i = gap;
      }
      if (letters >= kLeastSpacedLetters && letters * 2 >= text.size())
        add(Encoding::spaced, at, i, std::move(text));
      // On to the next place where a run can begin: behind the next space.
      if (i > at) {
        at = i;
        continue;
      }
      const std::size_t space = raw_.substr(0, end).find(' ', at);
      at = space == std::string_view::npos ? end : space + 1;
    }
  }

  static char plain_of_leet(char c) {
    switch (c) {
      case '0': return 'o';
      case '1': return 'i';
      case '3': return 'e';
      case '4': return 'a';
      case '5': return 's';
      case '7': return 't';
      case '8': return 'b';
      default: return c;
    }
  }

  void leet(std::size_t start, std::size_t end) {
    std::size_t words = 0;
    std::size_t leet_words = 0;
    for (std::size_t at = start; at < end;) {
      bool letters = false;
      std::size_t inner = 0;
      const std::size_t word = at;
      for (; at < end && (is_letter(raw_[at]) || is_digit(raw_[at])); ++at) {
        letters |= is_letter(raw_[at]);
        inner +=
            plain_of_leet(raw_[at]) != raw_[at] && (at > word || (at + 1 < end && is_letter(raw_[at + 1])))
                ? 1
                : 0;
      }
      if (at == word) {
        ++at;
        continue;
      }
      words += letters && at - word >= 2 ? 1 : 0;
      leet_words += letters && inner > 0 && at - word >= 3 && at - word <= 16 ? 1 : 0;
    }
    if (leet_words < kLeastLeetWords || leet_words * 2 < words) return;
    std::string text(raw_.substr(start, end - start));
    std::transform(text.begin(), text.end(), text.begin(), plain_of_leet);
    add(Encoding::leet, start, end, std::move(text));
  }

  const std::string_view raw_;
  std::size_t floor_ = 0;
  bool may_be_spaced_ = false;
  struct Word {
    std::size_t start;
    std::size_t end;
  };
  std::vector<Word> mixed_words_;  // of letters and digits
  std::vector<Decoded> out_;
};

}  // namespace

std::string_view name_of(Encoding encoding) {
  switch (encoding) {
    case Encoding::base64: return "base64";
    case Encoding::hex: return "hex";
    case Encoding::percent: return "percent";
    case Encoding::html_entities: return "html entities";
    case Encoding::unicode_escapes: return "unicode escapes";
    case Encoding::binary: return "binary";
    case Encoding::rot13: return "rot13";
    case Encoding::reversed: return "reversed";
    case Encoding::leet: return "leet";
    case Encoding::spaced: return "spaced letters";
    case Encoding::tag_characters: return "tag characters";
  }
  return {};
}

std::vector<Decoded> decode_stretches(std::string_view raw) { return Decoder(raw).run(); }

Decoded decode_line(std::string_view raw, std::size_t at, Encoding encoding) {
  const std::size_t floor = at - std::min(at, kMostLineBytes / 2);
  std::size_t start = at;
  while (start > floor && raw[start - 1] != '\n') --start;
  while (start < at && (static_cast<unsigned char>(raw[start]) & 0xC0) == 0x80) ++start;
  std::size_t end = std::min(raw.find('\n', at), std::min(raw.size(), at + kMostLineBytes / 2));
  while (end > at && end < raw.size() && (static_cast<unsigned char>(raw[end]) & 0xC0) == 0x80) --end;
  Decoded out{encoding, start, end, std::string(raw.substr(start, end - start))};
  if (encoding == Encoding::rot13) {
    for (char& c : out.text) {
      const char first = c >= 'a' && c <= 'z' ? 'a' : 'A';
      if (is_letter(c)) c = static_cast<char>((c - first + 13) % 26 + first);
    }
  } else {
    // By bytes: what is not ASCII would not survive, and is not what the rules look for.
    std::reverse(out.text.begin(), out.text.end());
    std::replace_if(
        out.text.begin(), out.text.end(), [](char c) { return static_cast<unsigned char>(c) & 0x80; }, '?');
  }
  return out;
}

bool reads_as_sentence(std::string_view text) {
  // Words of a kind that any English sentence has, and code or data rarely.
  static constexpr std::array<std::string_view, 40> kCommon = {
      "the",  "you",  "your", "and", "that", "this", "with", "for",    "from", "are",
      "all",  "not",  "to",   "of",  "is",   "in",   "it",   "a",      "i",    "my",
      "me",   "will", "have", "was", "what", "any",  "now",  "please", "be",   "as",
      "must", "then", "do",   "can", "how",  "on",   "we",   "or",     "an",   "following"};
  std::size_t words = 0;
  std::size_t common = 0;
  std::string word;
  for (std::size_t i = 0; i <= text.size(); ++i) {
    const char c = i < text.size() ? text[i] : ' ';
    if (is_letter(c)) {
      word.push_back(lower(c));
      continue;
    }
    if (!word.empty()) {
      ++words;
      common += std::find(kCommon.begin(), kCommon.end(), word) != kCommon.end() ? 1 : 0;
    }
    word.clear();
  }
  return words >= 4 && common >= 2 && common * 8 >= words;
}

}  // namespace imprimatur::scan

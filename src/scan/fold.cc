#include "scan/fold.h"

#include "base/check.h"

#include <algorithm>
#include <array>
#include <bitset>
#include <cstring>

#include <unicode/bytestream.h>
#include <unicode/edits.h>
#include <unicode/normalizer2.h>
#include <unicode/utf8.h>

namespace imprimatur::scan {
namespace {

struct LookAlike {
  char32_t letter;
  char plain;
  bool alone;  // also in a word that has no Latin letter, when every letter of it is a look-alike
};

// Lower-case letters of other scripts that read as Latin ones. In order of `letter`.
constexpr std::array kLookAlikes = {
    LookAlike{0x0131, 'i', true},  LookAlike{0x0237, 'j', true},  LookAlike{0x0251, 'a', true},
    LookAlike{0x0261, 'g', true},  LookAlike{0x026A, 'i', true},  LookAlike{0x028F, 'y', true},
    LookAlike{0x03B1, 'a', true},  LookAlike{0x03B3, 'y', false}, LookAlike{0x03B5, 'e', false},
    LookAlike{0x03B7, 'n', false}, LookAlike{0x03B9, 'i', true},  LookAlike{0x03BA, 'k', false},
    LookAlike{0x03BD, 'v', true},  LookAlike{0x03BF, 'o', true},  LookAlike{0x03C1, 'p', true},
    LookAlike{0x03C3, 'o', false}, LookAlike{0x03C4, 't', false}, LookAlike{0x03C5, 'u', true},
    LookAlike{0x03C7, 'x', false}, LookAlike{0x03C9, 'w', false}, LookAlike{0x03F2, 'c', true},
    LookAlike{0x03F3, 'j', true},  LookAlike{0x0430, 'a', true},  LookAlike{0x0432, 'b', false},
    LookAlike{0x0433, 'r', false}, LookAlike{0x0435, 'e', true},  LookAlike{0x043A, 'k', true},
    LookAlike{0x043C, 'm', true},  LookAlike{0x043D, 'h', false}, LookAlike{0x043E, 'o', true},
    LookAlike{0x043F, 'n', false}, LookAlike{0x0440, 'p', true},  LookAlike{0x0441, 'c', true},
    LookAlike{0x0442, 't', true},  LookAlike{0x0443, 'y', true},  LookAlike{0x0445, 'x', true},
    LookAlike{0x044C, 'b', false}, LookAlike{0x0455, 's', true},  LookAlike{0x0456, 'i', true},
    LookAlike{0x0458, 'j', true},  LookAlike{0x04AF, 'y', true},  LookAlike{0x04BB, 'h', true},
    LookAlike{0x04CF, 'l', true},  LookAlike{0x0501, 'd', true},  LookAlike{0x051B, 'q', true},
    LookAlike{0x051D, 'w', true},  LookAlike{0x0561, 'w', false}, LookAlike{0x0566, 'q', false},
    LookAlike{0x0570, 'h', true},  LookAlike{0x0578, 'n', true},  LookAlike{0x057D, 'u', true},
    LookAlike{0x0581, 'g', true},  LookAlike{0x0584, 'f', false}, LookAlike{0x0585, 'o', true},
};

const LookAlike* look_alike(UChar32 letter) {
  if (letter < 0x0131 || letter > 0x0585) return nullptr;
  const auto* found = std::lower_bound(kLookAlikes.begin(), kLookAlikes.end(), static_cast<char32_t>(letter),
                                       [](const LookAlike& a, char32_t b) { return a.letter < b; });
  return found != kLookAlikes.end() && found->letter == static_cast<char32_t>(letter) ? found : nullptr;
}

bool is_latin_letter(UChar32 c) { return c >= 'a' && c <= 'z'; }

// The number of bytes before the first that is not ASCII.
std::size_t ascii_run(std::string_view text) {
  std::size_t at = 0;
  for (std::uint64_t word = 0; at + sizeof word <= text.size(); at += sizeof word) {
    std::memcpy(&word, text.data() + at, sizeof word);
    if ((word & 0x8080808080808080ULL) != 0) break;
  }
  while (at < text.size() && !(static_cast<unsigned char>(text[at]) & 0x80)) ++at;
  return at;
}

// Appends `text` with the letters A to Z in lower case; eight bytes a step, because every text passes here.
void append_lower(std::string& out, std::string_view text) {
  constexpr std::uint64_t kEach = 0x0101010101010101ULL;
  std::size_t to = out.size();
  out.append(text);
  std::uint64_t word = 0;
  for (; to + sizeof word <= out.size(); to += sizeof word) {
    std::memcpy(&word, out.data() + to, sizeof word);
    const std::uint64_t low = word & (0x7F * kEach);
    const std::uint64_t from_a = low + (0x80 - 'A') * kEach;
    const std::uint64_t above_z = low + (0x7F - 'Z') * kEach;
    word |= (~word & (from_a ^ above_z) & (0x80 * kEach)) >> 2;
    std::memcpy(out.data() + to, &word, sizeof word);
  }
  for (; to < out.size(); ++to)
    if (out[to] >= 'A' && out[to] <= 'Z') out[to] = static_cast<char>(out[to] + ('a' - 'A'));
}

const icu::Normalizer2& folding() {
  static const icu::Normalizer2* const form = [] {
    UErrorCode code = U_ZERO_ERROR;
    const icu::Normalizer2* found = icu::Normalizer2::getNFKCCasefoldInstance(code);
    CHECK(U_SUCCESS(code), "ICU cannot normalise");
    return found;
  }();
  return *form;
}

// Characters beyond ASCII that fold to themselves and do not join what stands before them.
class PlainCharacters {
 public:
  PlainCharacters() {
    for (UChar32 c = 0x80; c < kFirstOfJoiners; ++c)
      plain_[static_cast<std::size_t>(c)] =
          folding().hasBoundaryBefore(c) &&
          folding().normalize(icu::UnicodeString(c), code_).compare(icu::UnicodeString(c)) == 0;
    for (UChar32 c = kFirstOfJoiners; c < 0x10000; ++c)
      plain_[static_cast<std::size_t>(c)] = folding().isInert(c);
    for (UChar32 c = 0x1F000; c < kEnd; ++c) plain_[static_cast<std::size_t>(c)] = folding().isInert(c);
    CHECK(U_SUCCESS(code_), "ICU cannot normalise");
  }
  bool has(UChar32 c) const { return c < kEnd && plain_[static_cast<std::size_t>(c)]; }

 private:
  static constexpr UChar32 kEnd = 0x20000;
  static constexpr UChar32 kFirstOfJoiners = 0x2000;  // above, what does not join is enough
  UErrorCode code_ = U_ZERO_ERROR;
  std::bitset<kEnd> plain_;
};
const PlainCharacters& plain_characters() {
  static const PlainCharacters table;
  return table;
}

}  // namespace

// Writes the folded text, keeping segments as long as they can be.
class FoldedText::Builder {
 public:
  explicit Builder(FoldedText& out) : out_(out) {}

  // Precondition: calls come in order of both positions.
  void segment(std::size_t folded, std::size_t raw, bool same_length) {
    auto& segments = out_.segments_;
    if (same_length && !segments.empty() && segments.back().same_length &&
        folded - segments.back().folded == raw - segments.back().raw)
      return;
    segments.push_back({static_cast<std::uint32_t>(folded), static_cast<std::uint32_t>(raw), same_length});
  }

  // ICU sees only what it changes, with the character before, which may join it; every character that is
  // ASCII or plain begins a stretch of its own, so the pieces fold as the whole does.
  void normalise(std::string_view raw) {
    const PlainCharacters& plain = plain_characters();
    out_.text_.reserve(raw.size());
    std::size_t done = 0;
    std::size_t last = 0;  // the character before `at`
    for (std::size_t at = 0; at < raw.size();) {
      if (const std::size_t ascii = ascii_run(raw.substr(at)); ascii > 0) {
        at += ascii;
        last = at - 1;
        continue;
      }
      if (is_plain(plain, raw, at)) {
        last = at;
        skip(raw, at);
        continue;
      }
      const std::size_t start = at > done ? last : at;
      copy_plain(raw, done, start);
      do skip(raw, at);
      while (at < raw.size() && !is_plain(plain, raw, at));
      normalise_stretch(raw, start, at);
      done = at;
    }
    copy_plain(raw, done, raw.size());
  }

  // The second pass: words in which look-alikes stand for Latin letters.
  void replace_look_alikes() {
    const std::vector<Word> words = disguised_words();
    if (words.empty()) return;
    const std::string before = std::move(out_.text_);
    const std::vector<Segment> source = std::move(out_.segments_);
    out_.text_.clear();
    out_.segments_.clear();
    out_.text_.reserve(before.size());
    std::size_t at = 0;
    auto segment = source.begin();
    for (const Word& word : words) {
      copy(before, source, segment, at, word.start);
      for (at = word.start; at < word.end;) {
        std::size_t next = at;
        UChar32 c = 0;
        U8_NEXT_UNSAFE(before.data(), next, c);
        if (const LookAlike* same = look_alike(c)) {
          while (segment + 1 != source.end() && (segment + 1)->folded <= at) ++segment;
          out_.segments_.push_back({position(), raw_of(*segment, at), false});
          out_.text_.push_back(same->plain);
        } else {
          copy(before, source, segment, at, next);
        }
        at = next;
      }
    }
    copy(before, source, segment, at, before.size());
  }

 private:
  struct Word {
    std::size_t start;
    std::size_t end;
  };

  static void skip(std::string_view raw, std::size_t& at) { U8_FWD_1_UNSAFE(raw.data(), at); }

  static bool is_plain(const PlainCharacters& plain, std::string_view raw, std::size_t at) {
    if (!(static_cast<unsigned char>(raw[at]) & 0x80)) return true;
    UChar32 c = 0;
    U8_GET_UNSAFE(raw.data(), at, c);
    return plain.has(c);
  }

  void copy_plain(std::string_view raw, std::size_t from, std::size_t to) {
    if (from == to) return;
    segment(out_.text_.size(), from, true);
    append_lower(out_.text_, raw.substr(from, to - from));
  }

  void normalise_stretch(std::string_view raw, std::size_t from, std::size_t to) {
    UErrorCode code = U_ZERO_ERROR;
    const std::size_t base = out_.text_.size();
    const auto size = static_cast<int32_t>(to - from);
    icu::Edits edits;
    icu::StringByteSink<std::string> sink(&out_.text_);
    folding().normalizeUTF8(0, icu::StringPiece(raw.data() + from, size), sink, &edits, code);
    CHECK(U_SUCCESS(code), "ICU cannot normalise");
    auto each = edits.getFineIterator();
    while (each.next(code)) {
      const bool same = !each.hasChange() || (each.oldLength() == 1 && each.newLength() == 1);
      segment(base + static_cast<std::size_t>(each.destinationIndex()),
              from + static_cast<std::size_t>(each.sourceIndex()), same);
    }
    CHECK(U_SUCCESS(code), "ICU lost track of its edits");
  }

  static std::uint32_t raw_of(const Segment& segment, std::size_t at) {
    return segment.same_length ? segment.raw + static_cast<std::uint32_t>(at - segment.folded) : segment.raw;
  }
  std::uint32_t position() const { return static_cast<std::uint32_t>(out_.text_.size()); }

  std::vector<Word> disguised_words() const {
    // One letter, or two, are a word of their own script or a symbol.
    constexpr int kLeastAlone = 3;
    const std::string& text = out_.text_;
    std::vector<Word> words;
    std::size_t at = 0;
    while (at < text.size()) {
      if (!(static_cast<unsigned char>(text[at]) & 0x80) && !is_latin_letter(text[at])) {
        ++at;
        continue;
      }
      const std::size_t start = at;
      bool latin = false;
      bool other = false;
      bool alone = true;
      int alike = 0;
      while (at < text.size()) {
        if (!(static_cast<unsigned char>(text[at]) & 0x80)) {
          if (!is_latin_letter(text[at])) break;
          latin = true;
          ++at;
          continue;
        }
        std::size_t next = at;
        UChar32 c = 0;
        U8_NEXT_UNSAFE(text.data(), next, c);
        if (c >= 0x2000) break;
        const LookAlike* same = look_alike(c);
        other |= same == nullptr;
        alone &= same != nullptr && same->alone;
        alike += same != nullptr ? 1 : 0;
        at = next;
      }
      if (at == start) U8_FWD_1_UNSAFE(text.data(), at);
      if (alike > 0 && (latin || (alone && !other && alike >= kLeastAlone))) words.push_back({start, at});
    }
    return words;
  }

  // Bytes [from, to) as they are, with the segments that lead back from them.
  void copy(const std::string& before, const std::vector<Segment>& source,
            std::vector<Segment>::const_iterator& segment, std::size_t from, std::size_t to) {
    for (std::size_t at = from; at < to;) {
      while (segment + 1 != source.end() && (segment + 1)->folded <= at) ++segment;
      const std::size_t end =
          segment + 1 == source.end() ? to : std::min<std::size_t>(to, (segment + 1)->folded);
      out_.segments_.push_back({position(), raw_of(*segment, at), segment->same_length});
      out_.text_.append(before, at, end - at);
      at = end;
    }
  }

  FoldedText& out_;
};

FoldedText::FoldedText(std::string_view raw) : raw_size_(raw.size()), ascii_(ascii_run(raw) == raw.size()) {
  if (ascii_) {
    append_lower(text_, raw);
    return;
  }
  Builder builder(*this);
  builder.normalise(raw);
  const bool may_look_alike = std::any_of(text_.begin(), text_.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte >= 0xC4 && byte <= 0xD6;  // lead bytes of U+0100 to U+05BF
  });
  if (may_look_alike) builder.replace_look_alikes();
}

std::size_t FoldedText::segment_at(std::size_t folded) const {
  const auto after = std::upper_bound(segments_.begin(), segments_.end(), folded,
                                      [](std::size_t at, const Segment& s) { return at < s.folded; });
  return static_cast<std::size_t>(after - segments_.begin()) - (after == segments_.begin() ? 0 : 1);
}

std::size_t FoldedText::raw_start(std::size_t folded) const {
  if (segments_.empty()) return std::min(folded, raw_size_);
  if (folded >= text_.size()) return raw_size_;
  const Segment& segment = segments_[segment_at(folded)];
  return segment.same_length ? segment.raw + (folded - segment.folded) : segment.raw;
}

std::size_t FoldedText::raw_end(std::size_t folded) const {
  if (segments_.empty()) return std::min(folded, raw_size_);
  if (folded == 0) return 0;
  const Segment& segment = segments_[segment_at(folded - 1)];
  if (segment.same_length) return segment.raw + (folded - segment.folded);
  // Behind the whole raw stretch, which may have been cut into several segments.
  const auto next = std::upper_bound(segments_.begin(), segments_.end(), segment.raw,
                                     [](std::size_t raw, const Segment& other) { return raw < other.raw; });
  return next != segments_.end() ? next->raw : raw_size_;
}

}  // namespace imprimatur::scan

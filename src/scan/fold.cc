#include "scan/fold.h"

#include "base/check.h"

#include <algorithm>
#include <array>

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

bool is_ascii(std::string_view text) {
  return std::none_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) & 0x80; });
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

  void normalise(std::string_view raw) {
    UErrorCode code = U_ZERO_ERROR;
    const icu::Normalizer2* form = icu::Normalizer2::getNFKCCasefoldInstance(code);
    icu::Edits edits;
    icu::StringByteSink<std::string> sink(&out_.text_, static_cast<int32_t>(raw.size()));
    form->normalizeUTF8(0, icu::StringPiece(raw.data(), static_cast<int32_t>(raw.size())), sink, &edits,
                        code);
    CHECK(U_SUCCESS(code), "ICU cannot normalise");
    auto each = edits.getFineIterator();
    while (each.next(code)) {
      const bool same = !each.hasChange() || (each.oldLength() == 1 && each.newLength() == 1);
      segment(static_cast<std::size_t>(each.destinationIndex()), static_cast<std::size_t>(each.sourceIndex()),
              same);
    }
    CHECK(U_SUCCESS(code), "ICU lost track of its edits");
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

FoldedText::FoldedText(std::string_view raw) : raw_size_(raw.size()), ascii_(is_ascii(raw)) {
  if (ascii_) {
    text_.resize(raw.size());
    std::transform(raw.begin(), raw.end(), text_.begin(),
                   [](char c) { return static_cast<char>(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c); });
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

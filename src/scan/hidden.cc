// Characters that readers do not see, or take for others.
#include "scan/document.h"
#include "scan/predicates.h"

#include <algorithm>
#include <cstdint>
#include <cstring>

#include <unicode/uchar.h>
#include <unicode/uscript.h>
#include <unicode/utf8.h>

namespace imprimatur::scan {
namespace {

struct Character {
  UChar32 code = 0;
  std::size_t start = 0;
  std::size_t end = 0;
};

// Precondition: `at` is the start of a character of valid UTF-8 text.
Character character_at(std::string_view text, std::size_t at) {
  std::size_t next = at;
  UChar32 code = 0;
  U8_NEXT_UNSAFE(text.data(), next, code);
  return {code, at, next};
}

// The next byte that is not ASCII, at or behind `at`.
std::size_t next_non_ascii(std::string_view text, std::size_t at) {
  for (std::uint64_t word = 0; at + sizeof word <= text.size(); at += sizeof word) {
    std::memcpy(&word, text.data() + at, sizeof word);
    if ((word & 0x8080808080808080ULL) != 0) break;
  }
  while (at < text.size() && !(static_cast<unsigned char>(text[at]) & 0x80)) ++at;
  return at;
}

// Calls `found(first, end, count)` for every run of characters that `belongs` accepts.
template <class Belongs, class Found>
void each_run(std::string_view text, Belongs&& belongs, Found&& found) {
  std::size_t at = next_non_ascii(text, 0);
  while (at < text.size()) {
    const std::size_t start = at;
    std::size_t count = 0;
    while (at < text.size()) {
      const Character c = character_at(text, at);
      if (!belongs(c.code)) break;
      at = c.end;
      ++count;
    }
    if (count > 0) {
      found(start, at, count);
    } else {
      at = character_at(text, at).end;
    }
    at = next_non_ascii(text, at);
  }
}

bool is_tag(UChar32 c) { return c >= 0xE0001 && c <= 0xE007F; }
bool is_selector(UChar32 c) { return (c >= 0xFE00 && c <= 0xFE0F) || (c >= 0xE0100 && c <= 0xE01EF); }
bool is_override(UChar32 c) { return (c >= 0x202A && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069); }
bool is_zero_width(UChar32 c) {
  return c == 0x200B || c == 0x200C || c == 0x200D || c == 0x2060 || c == 0xFEFF || c == 0x00AD ||
         c == 0x180E || (c >= 0x2061 && c <= 0x2064);
}
bool is_ascii_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

// What tag characters spell in plain letters.
std::string spelled(std::string_view tags) {
  std::string out;
  for (std::size_t at = 0; at < tags.size();) {
    const Character c = character_at(tags, at);
    if (c.code >= 0xE0020 && c.code <= 0xE007E) out.push_back(static_cast<char>(c.code - 0xE0000));
    at = c.end;
  }
  return out;
}

void add(std::vector<Match>& out, std::size_t text, std::size_t start, std::size_t end, const RuleSpec& rule,
         std::string detail) {
  out.push_back({text, start, end, rule.severity, Framing::active, std::move(detail), {}});
}

bool is_styled(UChar32 c) {
  return (c >= 0x1D400 && c <= 0x1D6A5) || (c >= 0xFF21 && c <= 0xFF3A) || (c >= 0xFF41 && c <= 0xFF5A);
}
// Every Greek, Cyrillic and Armenian letter, and a few more.
bool may_be_other_script(UChar32 c) {
  return (c >= 0x370 && c <= 0x58F) || (c >= 0x1C80 && c <= 0x1FFF) || c == 0x2126 ||
         (c >= 0x2DE0 && c <= 0x2DFF) || (c >= 0xA640 && c <= 0xA69F) || (c >= 0xAB30 && c <= 0xAB6F) ||
         (c >= 0xFB00 && c <= 0xFB4F) || (c >= 0x10000 && c < 0x1F000);
}

template <class Each>
void each_text(const Document& document, bool StrangeCharacters::*holds, Each&& each) {
  for (std::size_t i = 0; i < document.texts.size(); ++i)
    if (document.texts[i].strange.*holds) each(i, document.texts[i].raw);
}

}  // namespace

StrangeCharacters strange_characters(std::string_view text) {
  StrangeCharacters out;
  for (std::size_t at = next_non_ascii(text, 0); at < text.size();) {
    const Character c = character_at(text, at);
    out.tags |= is_tag(c.code);
    out.overrides |= is_override(c.code);
    out.zero_widths |= is_zero_width(c.code);
    out.selectors |= is_selector(c.code);
    out.styled |= is_styled(c.code);
    out.other_scripts |= may_be_other_script(c.code);
    at = next_non_ascii(text, c.end);
  }
  return out;
}

void tag_characters(const Document& document, const RuleSpec& rule, std::vector<Match>& out) {
  each_text(document, &StrangeCharacters::tags, [&](std::size_t index, std::string_view text) {
    each_run(text, is_tag, [&](std::size_t start, std::size_t end, std::size_t) {
      // The flags of England, Scotland and Wales are a black flag, five or six tags and the cancel tag.
      const bool flag =
          start >= 4 && text.compare(start - 4, 4, "\xF0\x9F\x8F\xB4") == 0 && end - start <= 28;
      if (flag && spelled(text.substr(start, end - start)).compare(0, 2, "gb") == 0) return;
      std::string hidden = spelled(text.substr(start, end - start));
      if (hidden.size() > 120) {
        hidden.resize(120);
        hidden += "...";
      }
      add(out, index, start, end, rule, hidden.empty() ? std::string() : "The hidden text reads: " + hidden);
      out.back().evidence = hidden;
    });
  });
}

void bidi_controls(const Document& document, const RuleSpec& rule, std::vector<Match>& out) {
  each_text(document, &StrangeCharacters::overrides, [&](std::size_t index, std::string_view text) {
    std::size_t first = std::string_view::npos;
    for (std::size_t at = text.find('\xE2'); at != std::string_view::npos; at = text.find('\xE2', at + 1)) {
      if (!is_override(character_at(text, at).code)) continue;
      first = at;
      break;
    }
    if (first == std::string_view::npos) return;
    bool right_to_left = false;
    for (std::size_t at = next_non_ascii(text, 0); at < text.size();) {
      const Character c = character_at(text, at);
      const UCharDirection direction = u_charDirection(c.code);
      right_to_left |= direction == U_RIGHT_TO_LEFT || direction == U_RIGHT_TO_LEFT_ARABIC;
      at = next_non_ascii(text, c.end);
    }
    // Text in Arabic or Hebrew may need embeddings and isolates; one that overrides the order never does.
    for (std::size_t at = first; at < text.size();) {
      const Character c = character_at(text, at);
      const bool reorders = c.code == 0x202D || c.code == 0x202E;
      if (reorders || (is_override(c.code) && !right_to_left)) {
        if (!out.empty() && out.back().text == index && out.back().end == c.start)
          out.back().end = c.end;
        else
          add(out, index, c.start, c.end, rule, {});
      }
      at = next_non_ascii(text, c.end);
    }
  });
}

void zero_width_in_words(const Document& document, const RuleSpec& rule, std::vector<Match>& out) {
  each_text(document, &StrangeCharacters::zero_widths, [&](std::size_t index, std::string_view text) {
    std::size_t first = std::string_view::npos;
    std::size_t last = 0;
    std::size_t places = 0;
    each_run(text, is_zero_width, [&](std::size_t start, std::size_t end, std::size_t count) {
      const bool between =
          start > 0 && end < text.size() && is_ascii_letter(text[start - 1]) && is_ascii_letter(text[end]);
      // A soft hyphen divides words; a single one in a long word is typography.
      const bool soft = count == 1 && text.compare(start, 2, "\xC2\xAD") == 0;
      if (!(between && !soft) && count < 3) return;
      if (first == std::string_view::npos) first = start;
      last = end;
      ++places;
    });
    if (places >= 2 || (places == 1 && last - first >= 9))
      add(out, index, first, last, rule, std::to_string(places) + " places in this text.");
  });
}

void variation_selectors(const Document& document, const RuleSpec& rule, std::vector<Match>& out) {
  each_text(document, &StrangeCharacters::selectors, [&](std::size_t index, std::string_view text) {
    each_run(text, is_selector, [&](std::size_t start, std::size_t end, std::size_t count) {
      if (count >= 3) add(out, index, start, end, rule, std::to_string(count) + " selectors in a row.");
    });
  });
}

// Latin letters that have a code of their own for each style: mathematical alphabets, full width.
void styled_letters(const Document& document, const RuleSpec& rule, std::vector<Match>& out) {
  constexpr std::size_t kLeastLetters = 16;  // a heading of three words, not a logo
  constexpr std::size_t kMostBetween = 4;    // spaces and marks inside a sentence
  each_text(document, &StrangeCharacters::styled, [&](std::size_t index, std::string_view text) {
    std::size_t start = 0;
    std::size_t end = 0;
    std::size_t letters = 0;
    const auto close = [&] {
      if (letters >= kLeastLetters) add(out, index, start, end, rule, {});
      letters = 0;
    };
    for (std::size_t at = next_non_ascii(text, 0); at < text.size();) {
      const Character c = character_at(text, at);
      if (is_styled(c.code)) {
        if (letters > 0 && c.start > end + kMostBetween) close();
        if (letters++ == 0) start = c.start;
        end = c.end;
      }
      at = next_non_ascii(text, c.end);
    }
    close();
  });
}

void mixed_scripts(const Document& document, const RuleSpec& rule, std::vector<Match>& out) {
  each_text(document, &StrangeCharacters::other_scripts, [&](std::size_t index, std::string_view text) {
    std::size_t words = 0;
    Match first{};
    std::size_t end = 0;
    for (std::size_t at = next_non_ascii(text, 0); at < text.size(); at = next_non_ascii(text, end)) {
      // The word around this character.
      std::size_t start = at;
      while (start > end && is_ascii_letter(text[start - 1])) --start;
      bool latin = start < at;
      bool other = false;
      bool more = true;
      for (end = at; end < text.size() && more;) {
        const Character c = character_at(text, end);
        UErrorCode code = U_ZERO_ERROR;
        const bool letter = u_isalpha(c.code);
        const UScriptCode script = letter ? uscript_getScript(c.code, &code) : USCRIPT_COMMON;
        latin |= letter && script == USCRIPT_LATIN && c.code < 0x250;
        other |=
            letter && (script == USCRIPT_CYRILLIC || script == USCRIPT_GREEK || script == USCRIPT_ARMENIAN);
        more = letter;
        if (more) end = c.end;
      }
      if (end == at) end = character_at(text, at).end;
      // One Greek letter in a word is a symbol (mu, delta); look-alikes come inside words of some length.
      if (!latin || !other || end - start < 5) continue;
      if (words++ == 0) first = {index, start, end, rule.severity, Framing::active, {}, {}};
    }
    if (words >= 2) {
      first.detail = std::to_string(words) + " words in this text mix scripts.";
      out.push_back(std::move(first));
    }
  });
}

}  // namespace imprimatur::scan

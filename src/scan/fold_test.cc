#include "scan/fold.h"

#include "base/property_test.h"

#include <gtest/gtest.h>
#include <unicode/bytestream.h>
#include <unicode/edits.h>
#include <unicode/normalizer2.h>
#include <unicode/unistr.h>

namespace imprimatur::scan {
namespace {

std::string folded(std::string_view raw) { return std::string(FoldedText(raw).text()); }

TEST(Fold, MakesPlainWhatReadsAsPlain) {
  EXPECT_EQ(folded("IGNORE Me"), "ignore me");
  EXPECT_EQ(folded("\xEF\xBC\xA9gnore"), "ignore");                     // full width
  EXPECT_EQ(folded("ig\xE2\x80\x8Bnore"), "ignore");                    // zero width space
  EXPECT_EQ(folded("\xF0\x9D\x90\xA2\xF0\x9D\x90\xA0nore"), "ignore");  // mathematical bold
  EXPECT_EQ(folded("ign\xD0\xBEr\xD0\xB5"), "ignore");                  // Cyrillic o and e
  EXPECT_EQ(folded("\xF3\xA0\x81\xA1x"), "x");                          // a tag character
}

TEST(Fold, LeavesOtherScriptsAlone) {
  const std::string russian = "\xD0\xB8\xD0\xB3\xD0\xBD\xD0\xBE\xD1\x80";
  EXPECT_EQ(folded(russian), russian);
  EXPECT_EQ(folded("\xE5\xBF\xBD\xE7\x95\xA5"), "\xE5\xBF\xBD\xE7\x95\xA5");
  EXPECT_EQ(folded("\xD0\xBE \xCE\xB1"), "\xD0\xBE \xCE\xB1");  // a letter alone is no disguise
}

TEST(Fold, PositionsLeadBack) {
  const std::string raw =
      "a\xE2\x80\x8B"
      "B\xEF\xBC\xA3 ign\xD0\xBEre";
  const FoldedText text(raw);
  ASSERT_EQ(text.text(), "abc ignore");
  EXPECT_EQ(text.raw_start(0), 0u);
  EXPECT_EQ(text.raw_start(1), raw.find('B'));
  EXPECT_EQ(text.raw_start(2), raw.find("\xEF\xBC\xA3"));
  const std::size_t word = text.text().find("ignore");
  EXPECT_EQ(raw.substr(text.raw_start(word), text.raw_end(word + 6) - text.raw_start(word)), "ign\xD0\xBEre");
}

TEST(Fold, PositionsStayInOrderAndWithinBounds) {
  for_random(300, [](Random& random) {
    const std::string raw = random.text(
        {"a", "Z", " ", "\n", "\xC3\x89", "\xC7\x86", "\xEF\xAC\x81", "\xD0\xBE", "\xD0\xB6", "\xE2\x80\x8B",
         "\xF3\xA0\x81\xA1", "\xCE\x90", "\xE1\x84\x80\xE1\x85\xA1", "e\xCC\x81", "\xF0\x9D\x90\xA2"},
        40);
    const FoldedText text(raw);
    std::size_t last = 0;
    for (std::size_t at = 0; at <= text.text().size(); ++at) {
      EXPECT_GE(text.raw_start(at), last) << raw;
      EXPECT_LE(text.raw_start(at), raw.size()) << raw;
      EXPECT_LE(text.raw_end(at), raw.size()) << raw;
      if (at < text.text().size()) {
        EXPECT_GT(text.raw_end(at + 1), text.raw_start(at)) << raw;
      }
      last = text.raw_start(at);
    }
  });
}

// Text is folded in pieces; the pieces must fold as the whole does.
TEST(FoldProperties, FoldsAsIcuDoes) {
  std::vector<std::string> pieces = {"e", "A", " ", "z\n"};
  for (const UChar32 c : {0x301,  0x308,  0x327,  0x1161, 0x11A8,  0x1100,  0xAC00,  0xAC01,  0xAD,    0x200B,
                          0x200D, 0xFE0F, 0xFB01, 0xC9,   0xE9,    0xFC,    0x1E9E,  0xDF,    0x2026,  0x201C,
                          0xA0,   0x6F22, 0x30AB, 0x3099, 0xFF76,  0xFF9E,  0x1F600, 0x1D7CE, 0xE0041, 0x0915,
                          0x093C, 0x0958, 0x1E0A, 0x212B, 0x11099, 0x110BA, 0x0F71,  0x0F72,  0x0F74}) {
    std::string piece;
    icu::UnicodeString(c).toUTF8String(piece);
    pieces.push_back(piece);
  }
  UErrorCode code = U_ZERO_ERROR;
  const icu::Normalizer2* form = icu::Normalizer2::getNFKCCasefoldInstance(code);
  for_random(2000, [&](Random& random) {
    const std::string raw = random.text(pieces, 12);
    std::string whole;
    icu::StringByteSink<std::string> sink(&whole);
    icu::Edits edits;
    form->normalizeUTF8(0, icu::StringPiece(raw), sink, &edits, code);
    ASSERT_TRUE(U_SUCCESS(code));
    const FoldedText folded(raw);
    ASSERT_EQ(folded.text(), whole) << raw;
    for (auto each = edits.getFineIterator(); each.next(code);) {
      if (each.newLength() == 0) continue;
      EXPECT_EQ(folded.raw_start(static_cast<std::size_t>(each.destinationIndex())),
                static_cast<std::size_t>(each.sourceIndex()))
          << raw;
    }
  });
}

}  // namespace
}  // namespace imprimatur::scan

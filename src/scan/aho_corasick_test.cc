#include "scan/aho_corasick.h"

#include "base/property_test.h"

#include <gtest/gtest.h>

namespace imprimatur::scan {
namespace {

using Found = std::vector<std::pair<std::size_t, std::size_t>>;  // (end, keyword)

Found found_by_automaton(const std::vector<std::string>& keywords, const std::string& text) {
  Found found;
  AhoCorasick(keywords).each(
      text, [&](std::uint32_t keyword, std::size_t end) { found.emplace_back(end, keyword); });
  std::sort(found.begin(), found.end());
  return found;
}

Found found_by_search(const std::vector<std::string>& keywords, const std::string& text) {
  Found found;
  for (std::size_t k = 0; k < keywords.size(); ++k)
    for (std::size_t at = text.find(keywords[k]); at != std::string::npos;
         at = text.find(keywords[k], at + 1))
      found.emplace_back(at + keywords[k].size(), k);
  std::sort(found.begin(), found.end());
  return found;
}

TEST(AhoCorasick, FindsKeywordsInsideKeywords) {
  EXPECT_EQ(found_by_automaton({"he", "she", "his", "hers"}, "ushers"), (Found{{4, 0}, {4, 1}, {6, 3}}));
}

TEST(AhoCorasick, NoKeywordsFindNothing) { EXPECT_TRUE(found_by_automaton({}, "anything").empty()); }

TEST(AhoCorasick, TheSameKeywordTwiceIsFoundTwice) {
  EXPECT_EQ(found_by_automaton({"ab", "ab"}, "ab").size(), 2u);
}

TEST(AhoCorasick, AgreesWithASearchForEachKeyword) {
  for_random(300, [](Random& random) {
    std::vector<std::string> keywords;
    for (std::size_t n = random.below(12); n > 0; --n)
      keywords.push_back(random.text({"a", "b", "ab", "\xC3\xA9", "\xFF"}, 4) + "b");
    const std::string text = random.text({"a", "b", "ab", "\xC3\xA9", "\xFF", "c", "\n"}, 60);
    EXPECT_EQ(found_by_automaton(keywords, text), found_by_search(keywords, text)) << text;
  });
}

}  // namespace
}  // namespace imprimatur::scan

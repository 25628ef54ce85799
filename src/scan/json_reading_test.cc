#include "scan/json_reading.h"

#include "base/json.h"
#include "base/property_test.h"
#include "base/utf8.h"

#include <boost/json.hpp>
#include <gtest/gtest.h>

namespace imprimatur::scan {
namespace {

TEST(JsonReading, UndoesEscapesAndLeadsBack) {
  const std::string json = R"({"a":"x\ny \"z\" \\n \u00e9\ud83d\ude00!"})";
  const JsonReading reading(json);
  EXPECT_EQ(reading.text(), "{\"a\":\"x\ny \"z\" \\n \xC3\xA9\xF0\x9F\x98\x80!\"}");
  EXPECT_EQ(reading.lines(), "{\na\n:\nx\ny \"z\" \\n \xC3\xA9\xF0\x9F\x98\x80!\n}");
  for (const char* word : {"x", "y", "z", "!", "}"})
    EXPECT_EQ(json.find(word), reading.source_of(reading.text().find(word))) << word;
  EXPECT_EQ(reading.source_of(reading.text().find("\xC3\xA9")), json.find("\\u00e9"));
  EXPECT_EQ(reading.source_of(reading.text().find("\xF0\x9F")), json.find("\\ud83d"));
  EXPECT_EQ(reading.source_of(reading.text().size()), json.size());
}

TEST(JsonReading, LeavesAloneWhatIsNoEscape) {
  for (const char* text :
       {"a\\nb", "\"\\ud83d\"", "\"\\ud83dx\"", "\"\\udc00\"", "\"\\u12\"", "\"\\q\"", "\"\\", "\"", ""})
    EXPECT_EQ(JsonReading(text).text(), text);
}

TEST(JsonReadingProperties, SaysWhatAParserReads) {
  const std::vector<std::string> pieces = {
      "a",    "\"", "\\", "\n", "\t", "\x01", "/", "\\n", "\xC3\xA9", "\xF0\x9F\x98\x80", "\xE2\x80\xA8",
      "u0041"};
  for_random(300, [&](Random& random) {
    const std::string value = random.text(pieces, 30);
    std::string json;
    append_json_string(json, value);
    const JsonReading reading(json);
    EXPECT_EQ(reading.text(), '"' + value + '"');
    EXPECT_EQ(reading.lines().size(), reading.text().size());
    // What stands between two positions of the text is written between where they lead.
    for (std::size_t at = 1; at + 1 < reading.text().size(); ++at) {
      if ((static_cast<unsigned char>(reading.text()[at]) & 0xC0) == 0x80) continue;
      const std::string rest = json.substr(reading.source_of(at));
      EXPECT_EQ(parse_json('"' + rest)->as_string(),
                reading.text().substr(at, reading.text().size() - at - 1));
    }
  });
  for_random(300, [](Random& random) {
    std::string bytes;
    for (std::size_t n = random.below(40); n > 0; --n) bytes.push_back("\"\\u0d8c1 x{"[random.below(11)]);
    const JsonReading reading(bytes);
    EXPECT_FALSE(first_invalid_utf8(reading.text())) << bytes;
    EXPECT_FALSE(first_invalid_utf8(reading.lines())) << bytes;
  });
}

}  // namespace
}  // namespace imprimatur::scan

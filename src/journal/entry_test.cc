#include "journal/entry.h"

#include "journal/merkle.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace imprimatur::journal {
namespace {

Entry first_entry() {
  Entry entry;
  entry.journal = "prj_1";
  entry.seq = 1;
  entry.time = {1'700'000'000'000'001};
  entry.event = {"version.saved", "artifact:art_1", R"({"digest":"sha256:00","version":1})", {"usr_1"}};
  entry.hash = hash_of(entry);
  return entry;
}

Entry second_entry() {
  Entry entry = first_entry();
  entry.previous = entry.hash;
  entry.seq = 2;
  entry.hash = hash_of(entry);
  return entry;
}

// The format is final: a change of this value breaks every journal ever written.
TEST(Entry, HashIsPinned) {
  const Entry entry = first_entry();
  EXPECT_EQ(
      canonical_entry(entry),
      R"({"action":"version.saved","actor":"usr_1","details":{"digest":"sha256:00","version":1},)"
      R"("journal":"prj_1","previousHash":"sha256:0000000000000000000000000000000000000000000000000000000000000000",)"
      R"("resource":"artifact:art_1","seq":1,"time":"2023-11-14T22:13:20.000001Z"})");
  EXPECT_EQ(to_hex(entry.hash), "cb5ba71eb5a335b896486eb6d3d3f384f2a2b271f051a90fbb12328ffcbf6a83");
  EXPECT_EQ(leaf_of(entry), leaf_hash(bytes_of(entry.hash)));
}

TEST(Entry, ReadsWhatItWrites) {
  const Entry entry = second_entry();
  for (const std::string& text : {canonical_entry(entry), exported_entry(entry)}) {
    const auto read = entry_from_json(text);
    ASSERT_TRUE(read.ok()) << text;
    EXPECT_EQ(exported_entry(*read), exported_entry(entry));
  }
}

RC_GTEST_PROP(Entry, NamesSurviveTheRoundTrip, ()) {
  Entry entry = first_entry();
  const auto printable = rc::gen::container<std::string>(rc::gen::inRange<char>(1, 127));
  entry.event.action = *printable;
  entry.event.actor.text = *printable;
  entry.event.resource = *printable;
  entry.time.micros = *rc::gen::inRange<std::int64_t>(0, 4'000'000'000'000'000);
  entry.hash = hash_of(entry);
  const auto read = entry_from_json(exported_entry(entry));
  RC_ASSERT(read.ok());
  RC_ASSERT(canonical_entry(*read) == canonical_entry(entry));
  RC_ASSERT(misfit(nullptr, *read).empty());
}

TEST(Entry, RefusesWhatIsNoEntry) {
  const std::string good = canonical_entry(first_entry());
  ASSERT_TRUE(entry_from_json(good).ok());
  const auto with = [&](std::string_view from, std::string_view to) {
    std::string text = good;
    const auto at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    return text.replace(at, from.size(), to);
  };
  for (const std::string& bad :
       {with("\"seq\":1", "\"seq\":0"), with("\"seq\":1", "\"seq\":1.5"), with("\"seq\":1", "\"seq\":\"1\""),
        with("\"actor\"", "\"author\""), with("\"details\":{", "\"details\":[{"), with("2023-", "20x3-"),
        with("\"previousHash\":\"sha256:00", "\"previousHash\":\"sha256:0"),
        with("{\"action\"", "{\"extra\":1,\"action\""), std::string("[]"), std::string("{}"),
        std::string()}) {
    EXPECT_FALSE(entry_from_json(bad).ok()) << bad;
  }
}

TEST(Entry, EveryAlterationIsAMisfit) {
  const Entry one = first_entry(), two = second_entry();
  EXPECT_EQ(misfit(nullptr, one), "");
  EXPECT_EQ(misfit(&one, two), "");
  const auto altered = [&](auto change) {
    Entry entry = two;
    change(entry);
    return misfit(&one, entry);
  };
  EXPECT_NE(altered([](Entry& e) { e.event.action += "x"; }), "");
  EXPECT_NE(altered([](Entry& e) { e.event.actor.text = "usr_2"; }), "");
  EXPECT_NE(altered([](Entry& e) { e.event.resource = ""; }), "");
  EXPECT_NE(altered([](Entry& e) { e.event.details = "{}"; }), "");
  EXPECT_NE(altered([](Entry& e) { e.time.micros += 1; }), "");
  EXPECT_NE(altered([](Entry& e) { e.journal = "prj_2"; }), "");
  EXPECT_NE(altered([](Entry& e) { e.hash[31] ^= 1; }), "");
  EXPECT_NE(altered([](Entry& e) { e.previous[0] ^= 1; }), "");
  EXPECT_NE(misfit(nullptr, two), "");
  EXPECT_NE(misfit(&two, one), "");
  // Rehashed by somebody who knows how: time, chain and form still tell.
  const auto rehashed = [&](auto change) {
    return altered([&](Entry& e) {
      change(e);
      e.hash = hash_of(e);
    });
  };
  EXPECT_NE(rehashed([](Entry& e) { e.time.micros -= 1; }), "");
  EXPECT_NE(rehashed([](Entry& e) { e.previous[0] ^= 1; }), "");
  EXPECT_NE(rehashed([](Entry& e) { e.seq = 3; }), "");
  EXPECT_NE(rehashed([](Entry& e) { e.event.details = "{\"a\": 1}"; }), "");
  EXPECT_NE(rehashed([](Entry& e) { e.event.details = "[1]"; }), "");
}

}  // namespace
}  // namespace imprimatur::journal

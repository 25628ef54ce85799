#include "journal/replay.h"

#include "base/json.h"
#include "journal/story_test.h"

#include <algorithm>

#include <boost/json.hpp>
#include <gtest/gtest.h>

namespace imprimatur::journal {
namespace {

std::string after(std::vector<Told> story) {
  Replay replay;
  for (const Entry& entry : chained("prj_1", story)) {
    if (const Status applied = replay.apply(entry); !applied.ok()) {
      return "entry " + std::to_string(entry.seq) + ": " + applied.error().detail;
    }
  }
  return "fits";
}

std::string field(const ReplayedRows& rows, const std::string& key, std::string_view name) {
  const auto found = rows.find(key);
  return found == rows.end() ? "no row" : std::string(RowText(found->second.value).get(name));
}

TEST(Replay, GivesTheTables) {
  Replay replay;
  for (const Entry& entry : chained("prj_1", project_story())) {
    const Status applied = replay.apply(entry);
    ASSERT_TRUE(applied.ok()) << entry.seq << " " << applied.error().detail;
  }
  const ReplayedRows& rows = replay.rows();
  EXPECT_EQ(field(rows, "member usr_a", "role"), "admin");
  EXPECT_EQ(field(rows, "member usr_b", "role"), "no row");
  EXPECT_EQ(field(rows, "key key_1", "scopes"), "prompts:read,runtime:read");
  EXPECT_NE(field(rows, "key key_1", "revokedAt"), "");
  EXPECT_EQ(field(rows, "artifact art_1", "latestVersion"), "2");
  EXPECT_EQ(field(rows, "artifact art_1", "latestState"), "archived");
  EXPECT_EQ(field(rows, "version art_1 1", "state"), "deployed");
  EXPECT_EQ(field(rows, "version art_1 2", "reason"), "rolled_back");
  EXPECT_EQ(field(rows, "release rel_1", "end"), "superseded");
  EXPECT_EQ(field(rows, "release rel_2", "end"), "rolled_back");
  EXPECT_EQ(field(rows, "release rel_3", "end"), "live");
  EXPECT_EQ(field(rows, "review rev_1", "state"), "deployed");
  EXPECT_EQ(field(rows, "review rev_1", "cycle"), "2");
  EXPECT_EQ(field(rows, "verdict rev_1 2", "verdict"), "approve");
  EXPECT_EQ(field(rows, "release rel_3", "number"), "3");
  EXPECT_EQ(field(rows, "comment com_1", "cycle"), "1");
  EXPECT_EQ(field(rows, "comment com_1", "number"), "1");
  EXPECT_EQ(field(rows, "review rev_1", "number"), "1");
  EXPECT_EQ(field(rows, "scan scn_1", "by"), "usr_a");
  EXPECT_EQ(field(rows, "artifact art_1", "createdBy"), "usr_a");
  EXPECT_EQ(field(rows, "label art_1 stable", "version"), "2");
  EXPECT_EQ(field(rows, "label art_1 gone", "version"), "no row");
  EXPECT_NE(field(rows, "retirement art_1 2 env_1", "at"), "no row");
}

TEST(Replay, AServiceAccountIsDisabledAndEnabled) {
  const auto story = [](std::vector<std::string> states) {
    std::vector<Told> out = {
        {"service_account.created", "usr_a",
         R"({"nameDigest":")" + sha("bot") + R"(","owner":"usr_a","serviceAccount":"svc_1"})"}};
    for (const std::string& state : states) {
      out.push_back(
          {"service_account.changed", "usr_a", R"({"disabled":)" + state + R"(,"serviceAccount":"svc_1"})"});
    }
    return chained("prj_1", out);
  };
  Replay replay;
  for (const Entry& entry : story({"true"})) ASSERT_TRUE(replay.apply(entry).ok());
  EXPECT_EQ(field(replay.rows(), "service_account svc_1", "disabled"), "true");
  const auto fits = [&](const std::vector<std::string>& states) {
    Replay again;
    for (const Entry& entry : story(states)) {
      if (!again.apply(entry).ok()) return false;
    }
    return true;
  };
  EXPECT_TRUE(fits({"true", "false", "true"}));
  EXPECT_FALSE(fits({"false"})) << "it was enabled already";
  EXPECT_FALSE(fits({"true", "true"}));
}

TEST(Replay, ARetirementKeepsItsReasonWhereTheEventHasOne) {
  auto story = project_story();
  const auto retired = std::find_if(story.begin(), story.end(),
                                    [](const Told& one) { return one.action == "version.retired"; });
  ASSERT_NE(retired, story.end());
  const auto reason = [&] {
    Replay replay;
    for (const Entry& entry : chained("prj_1", story)) EXPECT_TRUE(replay.apply(entry).ok()) << entry.seq;
    return field(replay.rows(), "retirement_reason art_1 2 env_1", "reason");
  };
  EXPECT_EQ(reason(), "no row") << "entries of before reasons were kept have none";
  auto details = parse_json(retired->details).value().get_object();
  details["reason"] = sha("too old");
  retired->details = canonical_json(boost::json::value(details)).value();
  EXPECT_EQ(reason(), sha("too old"));
}

TEST(Replay, AWitnessIsAddedOnceAndRemovedOnce) {
  const Told added{"witness.added", "usr_a", R"({"keyDigest":")" + sha("key") + R"(","witness":"wit_1"})"};
  const Told removed{"witness.removed", "usr_a", R"({"witness":"wit_1"})"};
  const auto fits = [](const std::vector<Told>& story) {
    Replay replay;
    for (const Entry& entry : chained("org", story)) {
      if (!replay.apply(entry).ok()) return false;
    }
    return true;
  };
  EXPECT_TRUE(fits({added, removed}));
  EXPECT_FALSE(fits({removed})) << "nobody was there";
  EXPECT_FALSE(fits({added, added}));
  EXPECT_FALSE(fits({added, removed, removed}));
  Replay replay;
  for (const Entry& entry : chained("org", {added})) ASSERT_TRUE(replay.apply(entry).ok());
  EXPECT_EQ(field(replay.rows(), "witness wit_1", "keyDigest"), sha("key"));
  EXPECT_EQ(field(replay.rows(), "witness wit_1", "addedBy"), "usr_a");
  EXPECT_EQ(field(replay.rows(), "witness wit_1", "removedAt"), "");
}

TEST(Replay, AProposalWaitsUntilTheEnvironmentChanges) {
  Replay replay;
  int proposals = 0;
  for (const Entry& entry : chained("prj_1", project_story())) {
    ASSERT_TRUE(replay.apply(entry).ok());
    const ReplayedRows& rows = replay.rows();
    if (entry.event.action == "environment.proposed") {
      EXPECT_EQ(field(rows, "proposal env_1", "by"), "usr_a");
      EXPECT_EQ(field(rows, "proposal env_1", "overVersion"), "1");
      EXPECT_EQ(field(rows, "proposal env_1", "protectionDigest"), sha("p2"));
      ++proposals;
    } else {
      EXPECT_FALSE(rows.contains("proposal env_1")) << entry.event.action;
    }
  }
  EXPECT_EQ(proposals, 1);
}

// Each event of the story, taken out, told twice, or told before the one in front of it, leaves a journal
// that says so sooner or later; except those on which nothing rests.
TEST(Replay, AnEventTwiceOrUnknownDoesNotFit) {
  const auto story = project_story();
  for (std::size_t i = 0; i < story.size(); ++i) {
    const std::string& action = story[i].action;
    if (action == "environment.proposed" || action == "environment.changed" || action == "verdict.given")
      continue;
    auto twice = story;
    twice.insert(twice.begin() + static_cast<std::ptrdiff_t>(i), story[i]);
    EXPECT_TRUE(after(twice).starts_with("entry " + std::to_string(i + 2) + ":"))
        << action << ": " << after(twice);
  }
  auto unknown = story;
  unknown[3].action = "version.blessed";
  EXPECT_EQ(after(unknown), "entry 4: no event is called \"version.blessed\"");
}

TEST(Replay, EveryMissingDetailIsNamed) {
  const auto story = project_story();
  for (std::size_t i = 0; i < story.size(); ++i) {
    for (const std::string& name : members_of(story[i].details)) {
      // What a replay does not need: evidence for people.
      if (name == "weakened" || name == "proposedBy" || name == "origin" || name == "restores" ||
          name == "rollout" || (name == "environment" && story[i].action == "review.moved") ||
          (name == "items" && story[i].action == "review.approved") ||
          (name == "protectionVersion" && story[i].action == "review.approved") ||
          (name == "changeSet" && story[i].action == "review.deployed")) {
        continue;
      }
      auto broken = story;
      broken[i].details = without(broken[i].details, name);
      EXPECT_TRUE(after(broken).starts_with("entry " + std::to_string(i + 1) + ":"))
          << story[i].action << " without " << name << ": " << after(broken);
    }
  }
}

struct Wrong {
  std::string action, from, to;
};

TEST(Replay, WhatCannotBeTrueDoesNotFit) {
  const std::vector<Wrong> wrongs = {
      {"member.changed", R"("previousRole":null)", R"("previousRole":"viewer")"},
      {"key.created", "svc_1", "svc_9"},
      {"version.saved", R"("number":1)", R"("number":2)"},
      {"version.saved", "art_1", "art_9"},
      {"scan.recorded", R"("version":1)", R"("version":7)"},
      {"scan.recorded", sha("one"), sha("two")},
      {"review.submitted", R"("version":1)", R"("version":9)"},
      {"review.submitted", sha("one"), sha("two")},
      {"review.submitted", R"("base":null)", R"("base":"rel_9")"},
      {"review.submitted", R"("from":"draft")", R"("from":"approved")"},
      {"review.submitted", "env_1", "env_9"},
      {"review.moved", R"("cycle":2)", R"("cycle":3)"},
      {"verdict.given", R"("cycle":1)", R"("cycle":2)"},
      {"verdict.given", "env_1", "env_9"},
      {"verdict.given", "usr_b", "usr_a"},
      {"review.approved", R"("cycle":2)", R"("cycle":1)"},
      {"release.created", sha("one"), sha("two")},
      {"release.created", R"("replaced":null)", R"("replaced":"rel_9")"},
      {"release.rolled_back", R"("replaced":"rel_2")", R"("replaced":"rel_1")"},
      {"label.moved", R"("previous":null)", R"("previous":1)"},
      {"label.moved", R"("version":2)", R"("version":9)"},
      {"version.retired", R"("ended":null)", R"("ended":"rel_1")"},
  };
  const auto story = project_story();
  for (const Wrong& wrong : wrongs) {
    bool found = false;
    for (std::size_t i = 0; i < story.size() && !found; ++i) {
      const auto at = story[i].details.find(wrong.from);
      if (story[i].action != wrong.action || at == std::string::npos) continue;
      found = true;
      auto broken = story;
      broken[i].details.replace(at, wrong.from.size(), wrong.to);
      EXPECT_TRUE(after(broken).starts_with("entry " + std::to_string(i + 1) + ":"))
          << wrong.action << " " << wrong.from << ": " << after(broken);
    }
    EXPECT_TRUE(found) << wrong.action << " " << wrong.from;
  }
}

// A role that was lost and regained does not revive a verdict, so the moment it began is part of the row.
TEST(Replay, TheRightToGiveVerdictsBeginsAnewOnlyWhenItWasLost) {
  const auto told = [](const char* role, const char* previous) {
    return Told{"member.changed", "usr_a",
                std::string(R"({"previousRole":)") + previous + R"(,"role":")" + role +
                    R"(","teams":[],"user":"usr_x"})"};
  };
  const auto entries =
      chained("prj_1", {told("reviewer", "null"), told("admin", "\"reviewer\""), told("viewer", "\"admin\""),
                        told("reviewer", "\"viewer\""), told("reviewer", "\"reviewer\"")});
  Replay replay;
  std::vector<std::string> since;
  for (const Entry& entry : entries) {
    ASSERT_TRUE(replay.apply(entry).ok());
    since.push_back(field(replay.rows(), "member usr_x", "verdictsSince"));
  }
  EXPECT_EQ(since, (std::vector<std::string>{to_rfc3339(entries[0].time), to_rfc3339(entries[0].time), "",
                                             to_rfc3339(entries[3].time), to_rfc3339(entries[4].time)}));
}

TEST(Rows, NoValuePassesForTwo) {
  EXPECT_NE(joined({"a", "b"}), joined({"a,b"}));
  EXPECT_NE(joined({"a\\", "b"}), joined({"a\\,b"}));
  EXPECT_NE(joined({"a\\,b"}), joined({"a,b"}));
  RowText row;
  row.set("role", "viewer\nteams=safety");
  EXPECT_EQ(row.get("teams"), "");
  EXPECT_NE(row.text(), RowText().set("role", "viewer").set("teams", "safety").text());
  EXPECT_EQ(row.text(), RowText().set("role", "viewer\nteams=safety").text());
}

TEST(Rows, WhatARowServesIsNamed) {
  EXPECT_EQ(served_by("version art_1 2", ""), std::set<std::string>{"artifact art_1"});
  EXPECT_EQ(served_by("release rel_1", RowText().set("artifact", "art_2").text()),
            std::set<std::string>{"artifact art_2"});
  EXPECT_EQ(served_by("environment env_1", ""), std::set<std::string>{"environment env_1"});
  EXPECT_EQ(served_by("verdict rev_1 1", ""), std::set<std::string>{});
  const auto wrong = compare({{"release rel_1", {RowText().set("artifact", "art_1").text(), 4}}},
                             {{"release rel_1", RowText().set("artifact", "art_2").text()}}, 9);
  ASSERT_EQ(wrong.size(), 1u);
  EXPECT_EQ(wrong[0].doubtful, (std::set<std::string>{"artifact art_1", "artifact art_2"}));
}

TEST(Rows, AFieldRestsOnTheEntryThatFixedIt) {
  ReplayedRow row;
  row.set("digest=a\nstate=draft\n", 2);
  row.set("digest=a\nstate=approved\n", 5);
  row.set("digest=a\nstate=deployed\n", 7);
  const auto entry = [&](const char* stored) {
    return compare({{"version v", row}}, {{"version v", stored}}, 1).at(0).seq;
  };
  EXPECT_EQ(entry("digest=b\nstate=deployed\n"), 2u);
  EXPECT_EQ(entry("digest=a\nstate=draft\n"), 7u);
  EXPECT_EQ(entry("digest=b\nstate=draft\n"), 2u) << "the first of them";
  EXPECT_EQ(compare({{"version v", row}}, {}, 1).at(0).seq, 7u) << "all of it is missing";
}

TEST(Rows, ComparisonNamesTheEntryAndTheField) {
  const ReplayedRows replayed = {{"a 1", {RowText().set("x", 1).set("y", "z").text(), 3}},
                                 {"b 1", {RowText().set("x", 1).text(), 2}},
                                 {"d 1", {RowText().set("x", true).text(), 7}}};
  const auto what = [&](const TableRows& tables) {
    std::vector<std::string> out;
    for (const Mismatch& row : compare(replayed, tables, 10))
      out.push_back(std::to_string(row.seq) + " " + row.what);
    return out;
  };
  EXPECT_EQ(what({{"a 1", "x=1\ny=z\n"}, {"b 1", "x=1\n"}, {"d 1", "x=true\n"}}), std::vector<std::string>{});
  EXPECT_EQ(what({{"a 1", "x=1\ny=q\n"}, {"c 1", ""}, {"d 1", "x=true\n"}, {"e 1", ""}}),
            (std::vector<std::string>{"0 c 1 is in the table and no entry accounts for it",
                                      "0 e 1 is in the table and no entry accounts for it",
                                      "2 b 1 is missing in the table",
                                      "3 a 1: y is \"q\" in the table and \"z\" by the journal"}));
  EXPECT_EQ(compare(replayed, {}, 2).size(), 2u);
  EXPECT_EQ(what({{"a 1", "x=1\ny=z\nw=1\n"}, {"b 1", "x=1\n"}, {"d 1", "x=true\n"}}).size(), 1u);
}

}  // namespace
}  // namespace imprimatur::journal

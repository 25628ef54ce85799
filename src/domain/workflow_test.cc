#include "domain/workflow.h"

#include "base/json.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include <boost/json.hpp>
#include <gtest/gtest.h>

namespace imprimatur {
namespace {

constexpr std::array kStates{State::draft, State::in_review, State::approved, State::deployed,
                             State::archived};
constexpr int kActions = static_cast<int>(Action::reinstate) + 1;
constexpr int kPermissions = static_cast<int>(Permission::read_runtime) + 1;

struct Arrow {
  State to;
  Permission permission;
  Guard guard;
  ArchiveReason reason;
  bool operator==(const Arrow&) const = default;
};

// The whole workflow once more, as a drawing would have it. What is not here must not be possible.
const std::map<std::pair<State, Action>, Arrow> kExpected{
    {{State::draft, Action::submit}, {State::in_review, Permission::submit, Guard::none, {}}},
    {{State::in_review, Action::approve},
     {State::approved, Permission::give_verdict, Guard::no_contributor, {}}},
    {{State::in_review, Action::request_changes},
     {State::in_review, Permission::give_verdict, Guard::no_contributor, {}}},
    {{State::in_review, Action::reject}, {State::draft, Permission::give_verdict, Guard::no_contributor, {}}},
    {{State::in_review, Action::withdraw}, {State::draft, Permission::submit, Guard::none, {}}},
    {{State::in_review, Action::update}, {State::in_review, Permission::submit, Guard::none, {}}},
    {{State::approved, Action::approve},
     {State::approved, Permission::give_verdict, Guard::no_contributor, {}}},
    {{State::approved, Action::request_changes},
     {State::in_review, Permission::give_verdict, Guard::no_contributor, {}}},
    {{State::approved, Action::reject}, {State::draft, Permission::give_verdict, Guard::no_contributor, {}}},
    {{State::approved, Action::withdraw}, {State::draft, Permission::submit, Guard::none, {}}},
    {{State::approved, Action::update}, {State::in_review, Permission::submit, Guard::none, {}}},
    {{State::approved, Action::deploy}, {State::deployed, Permission::deploy, Guard::gate_met, {}}},
    {{State::approved, Action::retire},
     {State::archived, Permission::retire, Guard::none, ArchiveReason::retired}},
    {{State::deployed, Action::supersede},
     {State::archived, Permission::deploy, Guard::system, ArchiveReason::superseded}},
    {{State::deployed, Action::retire},
     {State::archived, Permission::retire, Guard::none, ArchiveReason::retired}},
    {{State::deployed, Action::roll_back},
     {State::archived, Permission::roll_back, Guard::none, ArchiveReason::rolled_back}},
    {{State::archived, Action::reinstate}, {State::deployed, Permission::roll_back, Guard::was_live, {}}},
    {{State::archived, Action::retire},
     {State::archived, Permission::retire, Guard::none, ArchiveReason::retired}},
};

TEST(Workflow, EveryStateAndActionIsAsDrawn) {
  for (const State from : kStates) {
    for (int value = 0; value < kActions; ++value) {
      const auto action = static_cast<Action>(value);
      const auto expected = kExpected.find({from, action});
      const Transition* row = transition(from, action);
      const Result<State> next = next_state(from, action);
      ASSERT_EQ(row != nullptr, expected != kExpected.end()) << name_of(from) << " " << name_of(action);
      EXPECT_EQ(next.ok(), row != nullptr);
      if (row == nullptr) {
        EXPECT_EQ(next.error().code, ErrorCode::conflict);
        EXPECT_NE(next.error().detail.find(name_of(from)), std::string::npos);
        continue;
      }
      EXPECT_EQ((Arrow{row->to, row->permission, row->guard, row->reason}), expected->second);
      EXPECT_EQ(*next, row->to);
      EXPECT_FALSE(row->says.empty());
      // Nothing is archived without a reason, and only the archived have one.
      EXPECT_EQ(row->to == State::archived, row->reason != ArchiveReason::none);
    }
  }
  EXPECT_EQ(transitions().size(), kExpected.size());
}

// The same rule as prose: what somebody may do who holds exactly these permissions, under these facts.
bool expected_offer(const Arrow& arrow, bool holds, const OfferFacts& facts) {
  if (!holds) return false;
  if (arrow.permission == Permission::give_verdict && (!facts.interactive || facts.contributor)) return false;
  if (arrow.guard == Guard::system) return false;
  if (arrow.guard == Guard::gate_met) return facts.gate_met;
  if (arrow.guard == Guard::was_live) return facts.was_live;
  return true;
}

TEST(Workflow, OffersAreExhaustivelyTheTable) {
  for (int bits = 0; bits < 16; ++bits) {
    const OfferFacts facts{(bits & 1) != 0, (bits & 2) != 0, (bits & 4) != 0, (bits & 8) != 0};
    // Each permission alone, none, and all of them.
    for (int only = -1; only <= kPermissions; ++only) {
      std::vector<Permission> has;
      for (int value = 0; value < kPermissions; ++value) {
        if (value == only || only == kPermissions) has.push_back(static_cast<Permission>(value));
      }
      for (const State state : kStates) {
        std::set<Action> expected;
        for (const auto& [key, arrow] : kExpected) {
          const bool holds = std::find(has.begin(), has.end(), arrow.permission) != has.end();
          if (key.first == state && expected_offer(arrow, holds, facts)) expected.insert(key.second);
        }
        const std::vector<Action> offered = allowed_actions(state, has, facts);
        EXPECT_EQ(std::set<Action>(offered.begin(), offered.end()), expected);
        EXPECT_EQ(offered.size(), expected.size());
      }
    }
  }
}

// Invariants over every walk of up to seven steps from a draft, whatever the order of actions.
void walk(State state, bool approved_since_draft, int steps) {
  if (steps == 0) return;
  for (const Transition& row : transitions()) {
    if (row.from != state) continue;
    if (row.to == State::deployed && row.action == Action::deploy) {
      EXPECT_TRUE(approved_since_draft);
      EXPECT_EQ(row.guard, Guard::gate_met);
    }
    if (row.to == State::approved) {
      EXPECT_EQ(row.action, Action::approve);
    }
    const bool approved = row.to == State::approved ||
                          (approved_since_draft && row.to != State::draft && row.to != State::in_review);
    walk(row.to, approved, steps - 1);
  }
}

TEST(Workflow, NothingGoesLiveUnapproved) {
  walk(State::draft, false, 7);
  for (const Transition& row : transitions()) {
    if (row.to == State::deployed) {
      EXPECT_NE(row.guard, Guard::none) << name_of(row.action);
    }
    if (row.permission == Permission::give_verdict) {
      EXPECT_EQ(row.guard, Guard::no_contributor);
    }
  }
}

TEST(Workflow, JsonHoldsTheTable) {
  const auto document = parse_json(workflow_json());
  ASSERT_TRUE(document.ok());
  const auto& root = document->get_object();
  EXPECT_EQ(root.at("initial").as_string(), "draft");
  EXPECT_EQ(root.at("states").as_array().size(), kStates.size());
  EXPECT_EQ(root.at("actions").as_array().size(), static_cast<std::size_t>(kActions));
  const auto& rows = root.at("transitions").as_array();
  ASSERT_EQ(rows.size(), kExpected.size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const auto& row = rows[i].as_object();
    const Transition& expected = transitions()[i];
    EXPECT_EQ(state_of(row.at("from").as_string()), expected.from);
    EXPECT_EQ(action_of(row.at("action").as_string()), expected.action);
    EXPECT_EQ(state_of(row.at("to").as_string()), expected.to);
    EXPECT_EQ(row.at("permission").as_string(), name_of(expected.permission));
    EXPECT_EQ(row.at("guard").as_string(), name_of(expected.guard));
    EXPECT_EQ(row.at("says").as_string(), expected.says);
    EXPECT_EQ(row.at("reason").is_null(), expected.reason == ArchiveReason::none);
  }
}

TEST(Workflow, NamesReadBack) {
  for (const State state : kStates) EXPECT_EQ(state_of(name_of(state)), state);
  for (int value = 0; value < kActions; ++value) {
    EXPECT_EQ(action_of(name_of(static_cast<Action>(value))), static_cast<Action>(value));
  }
  EXPECT_EQ(archive_reason_of("rolled_back"), ArchiveReason::rolled_back);
  EXPECT_EQ(state_of("In_review"), std::nullopt);
  EXPECT_EQ(action_of("publish"), std::nullopt);
}

TEST(Workflow, PageOnDiskIsTheTable) {
  const std::string path = std::string(IMPRIMATUR_SOURCE_DIR) + "/docs/workflow.md";
  if (std::getenv("ACCEPT") != nullptr) std::ofstream(path) << workflow_page();
  std::ifstream file(path);
  std::stringstream on_disk;
  on_disk << file.rdbuf();
  EXPECT_EQ(on_disk.str(), workflow_page()) << "run ACCEPT=1 domain_tests to rewrite docs/workflow.md";
}

}  // namespace
}  // namespace imprimatur

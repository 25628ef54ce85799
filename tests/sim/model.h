// What a small model remembers of a project, and what it holds must be so. It knows the rules in their
// plainest words and nothing of the program.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace imprimatur::tests {

struct Saved {
  std::string author;  // the person who saved it, or who owns the key that did
  std::string content;
};

struct Said {
  std::string who;
  std::string kind;  // approve, request_changes
  int cycle = 0;
  int step = 0;
  int base = 0;  // the version that was live
  bool taken_back = false;
  std::set<std::string> dismissed_by;
};

struct Live {
  int version = 0;
  int needed = 0;  // approvals, when it went live
};

struct Prompt {
  std::string id, name;
  std::vector<Saved> versions;                      // [0] is version 1
  std::map<std::string, int> live;                  // environment to version; 0: nothing
  std::map<std::string, std::vector<int>> history;  // what was ever live there, oldest first
  std::map<std::string, std::set<int>> retired;
};

struct ReviewState {
  std::string id, state, environment;
  std::size_t prompt = 0;
  int version = 0;
  int cycle = 1;
  int needed = 0;  // approvals, when the cycle began
  std::vector<Said> said;
};

struct Member {
  std::string role;
  int verdicts_since = 0;  // the step at which the present right to give verdicts began
};

class Model {
 public:
  std::map<std::string, Member> members;
  std::vector<Prompt> prompts;
  std::vector<ReviewState> reviews;
  std::map<std::string, int> needed;  // approvals that an environment asks for
  int step = 0;

  void set_role(const std::string& who, const std::string& role);
  bool gives_verdicts(const std::string& who) const;
  bool at_least(const std::string& who, const std::string& role) const;
  // Everybody whose text may be new with this version where `live` is live: never fewer than the program must
  // count, for a version that is newer than what is live.
  std::set<std::string> contributors(const Prompt& prompt, int version, int live) const;
  // People whose approval of the review may count now.
  std::set<std::string> approvers(const ReviewState& review) const;
  // People who object and whom nobody who may set aside.
  std::set<std::string> objectors(const ReviewState& review) const;
  // Why this version must not have gone live; empty when it may. `review`: null when none holds it.
  std::string must_not_go_live(const Prompt& prompt, int version, const std::string& environment,
                               const ReviewState* review) const;
  // Why a roll back must not have led there; empty when it may.
  std::string must_not_come_back(const Prompt& prompt, int version, const std::string& environment) const;
};

}  // namespace imprimatur::tests

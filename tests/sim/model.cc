#include "sim/model.h"

#include <algorithm>

namespace imprimatur::tests {
namespace {

int rank(const std::string& role) {
  const std::vector<std::string> roles{"", "viewer", "editor", "reviewer", "admin"};
  return static_cast<int>(std::find(roles.begin(), roles.end(), role) - roles.begin());
}

}  // namespace

void Model::set_role(const std::string& who, const std::string& role) {
  const bool before = gives_verdicts(who);
  members[who].role = role;
  if (gives_verdicts(who) && !before) members[who].verdicts_since = step;
}

bool Model::gives_verdicts(const std::string& who) const { return at_least(who, "reviewer"); }

bool Model::at_least(const std::string& who, const std::string& role) const {
  const auto found = members.find(who);
  return found != members.end() && rank(found->second.role) >= rank(role);
}

std::set<std::string> Model::contributors(const Prompt& prompt, int version, int live) const {
  std::set<std::string> out;
  // Of a version that is older than what is live, at least its own author.
  const int after = live < version ? live : version - 1;
  for (int number = after + 1; number <= version; ++number) {
    out.insert(prompt.versions[static_cast<std::size_t>(number - 1)].author);
  }
  return out;
}

std::set<std::string> Model::approvers(const ReviewState& review) const {
  const Prompt& prompt = prompts[review.prompt];
  const auto found = prompt.live.find(review.environment);
  const int live = found == prompt.live.end() ? 0 : found->second;
  const auto barred = contributors(prompt, review.version, live);
  std::set<std::string> out;
  for (const Said& said : review.said) {
    if (said.kind == "request_changes") {
      if (said.cycle == review.cycle) out.erase(said.who);
      continue;
    }
    const auto member = members.find(said.who);
    const bool counts = said.cycle == review.cycle && said.base == live && gives_verdicts(said.who) &&
                        said.step >= member->second.verdicts_since && !barred.contains(said.who);
    if (counts) out.insert(said.who);
  }
  return out;
}

std::set<std::string> Model::objectors(const ReviewState& review) const {
  std::map<std::string, const Said*> newest;
  for (const Said& said : review.said) newest[said.who] = &said;
  std::set<std::string> out;
  for (const auto& [who, said] : newest) {
    if (said->kind != "request_changes" || said->taken_back) continue;
    const bool set_aside = std::any_of(said->dismissed_by.begin(), said->dismissed_by.end(),
                                       [&](const std::string& by) { return at_least(by, "admin"); });
    if (!set_aside) out.insert(who);
  }
  return out;
}

std::string Model::must_not_go_live(const Prompt& prompt, int version, const std::string& environment,
                                    const ReviewState* review) const {
  if (version < 1 || version > static_cast<int>(prompt.versions.size())) return "there is no such version";
  const auto gone = prompt.retired.find(environment);
  if (gone != prompt.retired.end() && gone->second.contains(version)) return "it was retired there";
  int asked = needed.at(environment);
  if (review != nullptr) {
    if (review->version != version) return "the review is about another version";
    if (review->state == "withdrawn" || review->state == "rejected" || review->state == "deployed") {
      return "the review is " + review->state;
    }
    asked = std::max(asked, review->needed);
    const auto against = objectors(*review);
    if (!against.empty()) return *against.begin() + " objects";
  }
  const int have = review == nullptr ? 0 : static_cast<int>(approvers(*review).size());
  if (have < asked) {
    return "it has " + std::to_string(have) + " of " + std::to_string(asked) + " approvals";
  }
  return {};
}

std::string Model::must_not_come_back(const Prompt& prompt, int version,
                                      const std::string& environment) const {
  const auto history = prompt.history.find(environment);
  const bool was_there =
      history != prompt.history.end() &&
      std::find(history->second.begin(), history->second.end(), version) != history->second.end();
  if (!was_there) return "it was never live there";
  const auto gone = prompt.retired.find(environment);
  if (gone != prompt.retired.end() && gone->second.contains(version)) return "it was retired there";
  return {};
}

}  // namespace imprimatur::tests

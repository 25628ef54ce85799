// The part of the replay that is about reviews, and about what counts in them.
#include "journal/step.h"

#include <algorithm>

namespace imprimatur::journal {

Status Step::item(const std::string& review, std::int64_t cycle, const std::string& environment,
                  std::size_t index, const json::object& item) {
  TRY(same_version(item, "version"));
  const std::string artifact = TRY(member(item, "artifact"));
  const std::string base = TRY(member(item, "base"));
  const auto live = replay_.live_.find(environment + " " + artifact);
  if (base != (live == replay_.live_.end() ? std::string() : live->second)) {
    return invalid("its base is not what was live for " + artifact);
  }
  RowText row;
  for (const std::string_view name : {"artifact", "version", "digest", "base"}) {
    const std::string value = TRY(member(item, name));
    row.set(name, value);
  }
  return add(row_key("review_item", review, cycle) + " " + std::to_string(index), row);
}

Status Step::items(const std::string& review, std::int64_t cycle, const std::string& environment) {
  std::size_t index = 0;
  for (const json::value& value : *TRY(array(details_, "items"))) {
    const json::object* one = TRY(as_object(value));
    TRY(item(review, cycle, environment, index++, *one));
  }
  return Ok{};
}

Status Step::review_submitted() {
  const std::string review = TRY(text("review"));
  const std::string environment = TRY(text("environment"));
  TRY(existing(row_key("environment", environment)));
  RowText row;
  TRY(copy(row, {"environment", "cycle", "protectionVersion", "comment"}));
  row.set("number", next("review"));
  if (row.get("cycle") != "1") return invalid("a review begins with cycle 1");
  row.set("state", "open").set("submittedBy", entry_.event.actor.text).set("createdAt", time_);
  TRY(add(row_key("review", review), row));
  TRY(items(review, 1, environment));
  return moves();
}

Status Step::review_moved() {
  const std::string review = TRY(text("review"));
  const std::string key = row_key("review", review);
  RowText row = TRY(existing(key));
  const std::int64_t cycle = TRY(number(details_, "cycle"));
  if (row.get("state") != "open" && row.get("state") != "approved") return invalid(key + " is closed");
  if (row.get("cycle") != std::to_string(cycle - 1)) return invalid(key + " is in another cycle");
  TRY(copy(row, {"environment", "cycle", "protectionVersion"}));
  put(key, row.set("state", "open"));
  TRY(items(review, cycle, std::string(row.get("environment"))));
  return moves();
}

// The review of the details, which must be in the cycle that they name and in one of `states`.
Result<RowText> Step::present_cycle(std::initializer_list<std::string_view> states) const {
  const std::string key = row_key("review", TRY(text("review")));
  const RowText row = TRY(existing(key));
  const std::string cycle = TRY(text("cycle"));
  if (row.get("cycle") != cycle) return invalid(key + " is in another cycle");
  if (std::find(states.begin(), states.end(), row.get("state")) == states.end()) {
    return invalid(key + " is " + std::string(row.get("state")));
  }
  return row;
}

Status Step::review_closed(std::string_view state) {
  RowText row = TRY(present_cycle({"open", "approved"}));
  put(row_key("review", TRY(text("review"))), row.set("state", state));
  return moves();
}

Status Step::review_approved() {
  RowText row = TRY(present_cycle({"open"}));
  put(row_key("review", TRY(text("review"))), row.set("state", "approved"));
  return moves();
}

Status Step::review_reopened() {
  RowText row = TRY(present_cycle({"approved"}));
  put(row_key("review", TRY(text("review"))), row.set("state", "open"));
  return moves();
}

Status Step::review_deployed() {
  RowText row = TRY(present_cycle({"open", "approved"}));
  put(row_key("review", TRY(text("review"))), row.set("state", "deployed"));
  return Ok{};
}

Status Step::review_commented() {
  const std::string review = TRY(text("review"));
  const RowText of = TRY(existing(row_key("review", review)));
  const std::string comment = TRY(text("comment"));
  RowText row;
  TRY(copy(row, {"review", "text"}));
  row.set("cycle", of.get("cycle")).set("number", next("comment " + review));
  return add(row_key("comment", comment), row.set("by", entry_.event.actor.text).set("at", time_));
}

Status Step::verdict_given() {
  const RowText of = TRY(present_cycle({"open", "approved"}));
  const std::string review = TRY(text("review"));
  RowText row;
  TRY(copy(row, {"cycle", "person", "verdict", "environment", "itemsDigest", "baseDigest",
                 "protectionVersion", "comment"}));
  if (row.get("environment") != of.get("environment")) return invalid("it is about another environment");
  if (row.get("person") != entry_.event.actor.text) return invalid("the actor is not the person");
  return add(row_key("verdict", review, next("verdict " + review)), row.set("at", time_));
}

// Of the newest verdict, which the same person gave.
Status Step::checklist_answered() {
  const std::string review = TRY(text("review"));
  const std::int64_t number = replay_.counted_["verdict " + review];
  const RowText of = TRY(existing(row_key("verdict", review, number)));
  if (of.get("person") != entry_.event.actor.text) return invalid("the verdict before is somebody else's");
  RowText row;
  TRY(copy(row, {"checklist", "answers"}));
  return add(row_key("answers", review, number), row);
}

Status Step::verdict_dismissed() {
  TRY(present_cycle({"open", "approved"}));
  const std::string review = TRY(text("review"));
  const std::int64_t verdict = TRY(number(details_, "verdict"));
  const RowText of = TRY(existing(row_key("verdict", review, verdict)));
  if (of.get("verdict") == "approve") return invalid("an approval is not dismissed");
  RowText row;
  TRY(copy(row, {"verdict", "reason"}));
  row.set("by", entry_.event.actor.text).set("at", time_);
  return add(row_key("dismissal", review, next("dismissal " + review)), row);
}

// A report or an acceptance is about a version's own digest, and about no other.
Status Step::check_reported() {
  TRY(same_version(details_, "version"));
  const std::string artifact = TRY(text("artifact"));
  const std::string version = TRY(text("version"));
  RowText row;
  TRY(copy(row, {"artifact", "version", "digest", "nameDigest", "status", "said"}));
  row.set("number", next("check " + artifact + " " + version));
  const std::string check = TRY(text("check"));
  return add(row_key("check", check), row.set("by", entry_.event.actor.text).set("at", time_));
}

Status Step::finding_accepted() {
  TRY(same_version(details_, "version"));
  const std::string artifact = TRY(text("artifact"));
  const std::string version = TRY(text("version"));
  RowText row;
  TRY(copy(row, {"artifact", "version", "digest", "ruleDigest", "reason", "expiresAt"}));
  row.set("number", next("acceptance " + artifact + " " + version));
  const std::string acceptance = TRY(text("acceptance"));
  return add(row_key("acceptance", acceptance), row.set("by", entry_.event.actor.text).set("at", time_));
}

Status Step::owners_changed() {
  const std::int64_t version = TRY(number(details_, "version"));
  if (version != next("owners")) return invalid("it skips a version of the owner rules");
  RowText row;
  TRY(copy(row, {"digest"}));
  // Whatever was proposed was proposed over the rules as they were before.
  replay_.rows_.erase(row_key("owner_proposal", ""));
  return add(row_key("owners", "", version), row.set("at", time_));
}

Status Step::owners_proposed() {
  RowText row;
  TRY(copy(row, {"digest"}));
  row.set("overVersion", replay_.counted_["owners"]);
  put(row_key("owner_proposal", ""), row.set("by", entry_.event.actor.text).set("at", time_));
  return Ok{};
}

}  // namespace imprimatur::journal

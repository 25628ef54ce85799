#include "journal/replay.h"

#include "base/json.h"
#include "journal/details.h"
#include "journal/step.h"

#include <algorithm>

namespace imprimatur::journal {
const std::array<Step::Rule, 42> Step::kRules = {{
    {"organisation.created", &Step::organisation_created},
    {"user.created", &Step::user_created},
    {"user.changed", &Step::user_changed},
    {"user.password_changed", &Step::password_changed},
    {"session.opened", &Step::nothing},
    {"session.closed", &Step::nothing},
    {"login.failed", &Step::nothing},
    {"project.registered", &Step::project_named},
    {"witness.added", &Step::witness_added},
    {"witness.removed", &Step::witness_removed},
    {"project.created", &Step::project_named},
    {"member.changed", &Step::member_changed},
    {"member.removed", &Step::member_removed},
    {"team.created", &Step::team_created},
    {"service_account.created", &Step::service_account_created},
    {"service_account.changed", &Step::service_account_changed},
    {"key.created", &Step::key_created},
    {"key.revoked", &Step::key_revoked},
    {"environment.changed", &Step::environment_changed},
    {"environment.proposed", &Step::environment_proposed},
    {"artifact.created", &Step::artifact_created},
    {"version.saved", &Step::version_saved},
    {"scan.recorded", &Step::scan_recorded},
    {"review.submitted", &Step::review_submitted},
    {"review.moved", &Step::review_moved},
    {"review.withdrawn", &Step::review_withdrawn},
    {"review.rejected", &Step::review_rejected},
    {"review.approved", &Step::review_approved},
    {"review.reopened", &Step::review_reopened},
    {"review.commented", &Step::review_commented},
    {"review.deployed", &Step::review_deployed},
    {"verdict.given", &Step::verdict_given},
    {"release.created", &Step::release_created},
    {"release.rolled_back", &Step::release_rolled_back},
    {"version.retired", &Step::version_retired},
    {"label.moved", &Step::label_moved},
    {"check.reported", &Step::check_reported},
    {"finding.accepted", &Step::finding_accepted},
    {"checklist.answered", &Step::checklist_answered},
    {"verdict.dismissed", &Step::verdict_dismissed},
    {"owners.changed", &Step::owners_changed},
    {"owners.proposed", &Step::owners_proposed},
}};

Status Step::run() {
  for (const Rule& rule : kRules) {
    if (rule.action == entry_.event.action) return (this->*rule.apply)();
  }
  return invalid("no event is called \"" + entry_.event.action + "\"");
}

Status Step::copy(RowText& row, std::initializer_list<std::string_view> names) const {
  for (const std::string_view name : names) {
    const std::string value = TRY(text(name));
    row.set(name, value);
  }
  return Ok{};
}

Status Step::add(const std::string& key, const RowText& row) {
  if (!replay_.rows_.try_emplace(key, ReplayedRow{row.text(), entry_.seq}).second) {
    return invalid(key + " exists already");
  }
  return Ok{};
}

Result<RowText> Step::existing(const std::string& key) const {
  const auto found = replay_.rows_.find(key);
  if (found == replay_.rows_.end()) return invalid(key + " does not exist");
  return RowText(found->second.value);
}

Status Step::organisation_created() {
  if (entry_.seq != 1) return invalid("the organisation exists already");
  RowText row;
  TRY(copy(row, {"signingKey"}));
  return add("organisation", row);
}

Status Step::user_created() {
  RowText row;
  TRY(copy(row, {"organisationAdmin", "person", "passwordDigest"}));
  row.set("disabled", false).set("createdAt", time_);
  const std::string user = TRY(text("user"));
  return add(row_key("user", user), row);
}

Status Step::user_changed() {
  const std::string key = row_key("user", TRY(text("user")));
  RowText row = TRY(existing(key));
  TRY(copy(row, {"organisationAdmin", "disabled", "person"}));
  put(key, row);
  return Ok{};
}

Status Step::password_changed() {
  const std::string key = row_key("user", TRY(text("user")));
  RowText row = TRY(existing(key));
  TRY(copy(row, {"passwordDigest"}));
  put(key, row);
  return Ok{};
}

Status Step::project_named() {
  RowText row;
  TRY(copy(row, {"nameDigest"}));
  row.set("createdBy", entry_.event.actor.text).set("createdAt", time_);
  const std::string project = TRY(text("project"));
  return add(row_key("project", project), row);
}

Status Step::witness_added() {
  RowText row;
  TRY(copy(row, {"keyDigest"}));
  row.set("addedBy", entry_.event.actor.text).set("addedAt", time_).set("removedAt", std::string_view());
  const std::string witness = TRY(text("witness"));
  return add(row_key("witness", witness), row);
}

Status Step::witness_removed() {
  const std::string key = row_key("witness", TRY(text("witness")));
  RowText row = TRY(existing(key));
  if (!row.get("removedAt").empty()) return invalid(key + " was removed before");
  put(key, row.set("removedAt", time_));
  return Ok{};
}

Status Step::member_changed() {
  const std::string key = row_key("member", TRY(text("user")));
  const auto before = existing(key);
  const std::string previous = TRY(text("previousRole"));
  if (previous != (before.ok() ? before->get("role") : std::string_view())) {
    return invalid(key + " had another role before");
  }
  const std::string role = TRY(text("role"));
  RowText row;
  TRY(copy(row, {"role", "teams"}));
  // The right to give verdicts begins here unless it was there before. An event that changes neither role nor
  // teams renews it: it was lost while the person was disabled.
  const auto gives_verdicts = [](std::string_view name) { return name == "reviewer" || name == "admin"; };
  const bool renewed = before.ok() && role == previous && row.get("teams") == before->get("teams");
  std::string since;
  if (gives_verdicts(role)) {
    since = gives_verdicts(previous) && !renewed ? std::string(before->get("verdictsSince")) : time_;
  }
  put(key, row.set("verdictsSince", since));
  return Ok{};
}

Status Step::member_removed() {
  const std::string key = row_key("member", TRY(text("user")));
  const RowText before = TRY(existing(key));
  const std::string previous = TRY(text("previousRole"));
  if (previous != before.get("role")) return invalid(key + " had another role before");
  replay_.rows_.erase(key);
  return Ok{};
}

Status Step::team_created() {
  RowText row;
  TRY(copy(row, {"nameDigest"}));
  const std::string team = TRY(text("team"));
  return add(row_key("team", team), row);
}

Status Step::service_account_created() {
  RowText row;
  TRY(copy(row, {"owner", "nameDigest"}));
  row.set("disabled", false).set("createdAt", time_);
  const std::string account = TRY(text("serviceAccount"));
  return add(row_key("service_account", account), row);
}

Status Step::service_account_changed() {
  const std::string key = row_key("service_account", TRY(text("serviceAccount")));
  RowText row = TRY(existing(key));
  const std::string before(row.get("disabled"));
  TRY(copy(row, {"disabled"}));
  if (row.get("disabled") == before) return invalid(key + " was that before");
  put(key, row);
  return Ok{};
}

Status Step::key_created() {
  const std::string account = TRY(text("serviceAccount"));
  TRY(existing(row_key("service_account", account)));
  RowText row;
  TRY(copy(row,
           {"serviceAccount", "owner", "nameDigest", "hashDigest", "scopes", "environment", "expiresAt"}));
  row.set("createdAt", time_);
  const std::string key = TRY(text("key"));
  return add(row_key("key", key), row.set("revokedAt", std::string_view()));
}

Status Step::key_revoked() {
  const std::string key = row_key("key", TRY(text("key")));
  RowText row = TRY(existing(key));
  if (!row.get("revokedAt").empty()) return invalid(key + " was revoked before");
  put(key, row.set("revokedAt", time_));
  return Ok{};
}

Status Step::environment_changed() {
  const std::string environment = TRY(text("environment"));
  const std::string key = row_key("environment", environment);
  const std::int64_t version = TRY(number(details_, "protectionVersion"));
  RowText row;
  TRY(copy(row, {"nameDigest", "order", "protectionVersion", "protectionDigest"}));
  const std::string digest = TRY(text("protectionDigest"));
  const std::string of_version = row_key("protection", environment, version);
  const auto same = existing(of_version);
  if (same.ok() && same->get("digest") != digest) return invalid(of_version + " was another one before");
  if (!same.ok()) TRY(add(of_version, RowText().set("digest", digest)));
  put(key, row);
  // Whatever was proposed was proposed for the environment as it was before.
  replay_.rows_.erase(row_key("proposal", environment));
  return Ok{};
}

// A later proposal takes the place of the one that waits.
Status Step::environment_proposed() {
  const std::string environment = TRY(text("environment"));
  const RowText of = TRY(existing(row_key("environment", environment)));
  RowText row;
  TRY(copy(row, {"order", "protectionDigest"}));
  row.set("nameDigest", of.get("nameDigest")).set("by", entry_.event.actor.text).set("at", time_);
  row.set("overVersion", of.get("protectionVersion"));
  put(row_key("proposal", environment), row);
  return Ok{};
}

Status Step::artifact_created() {
  RowText row;
  TRY(copy(row, {"kind", "type", "nameDigest"}));
  row.set("createdAt", time_).set("createdBy", entry_.event.actor.text);
  row.set("latestVersion", 0).set("latestState", "");
  const std::string artifact = TRY(text("artifact"));
  return add(row_key("artifact", artifact), row);
}

Status Step::version_saved() {
  const std::string artifact = TRY(text("artifact"));
  const std::string owner = row_key("artifact", artifact);
  RowText latest = TRY(existing(owner));
  const std::int64_t saved = TRY(number(details_, "number"));
  if (latest.get("latestVersion") != std::to_string(saved - 1))
    return invalid("it skips a number of " + owner);
  put(owner, latest.set("latestVersion", saved).set("latestState", "draft"));
  RowText row;
  TRY(copy(row, {"digest", "author", "accountable", "base", "message"}));
  row.set("content", row.get("digest"))
      .set("createdAt", time_)
      .set("state", "draft")
      .set("reason", std::string_view());
  return add(row_key("version", artifact, saved), row);
}

Status Step::same_version(const json::object& object, std::string_view number_name) const {
  const std::string artifact = TRY(member(object, "artifact"));
  const std::string key = row_key("version", artifact, TRY(number(object, number_name)));
  const RowText row = TRY(existing(key));
  const std::string digest = TRY(member(object, "digest"));
  if (row.get("digest") != digest) return invalid(key + " has another digest");
  return Ok{};
}

Status Step::scan_recorded() {
  TRY(same_version(details_, "version"));
  RowText row;
  TRY(copy(row, {"artifact", "version", "digest", "status", "scoreTenths", "critical", "ruleset", "report"}));
  const std::string scan = TRY(text("scan"));
  row.set("number", next("scan " + std::string(row.get("artifact")) + " " + std::string(row.get("version"))));
  return add(row_key("scan", scan), row.set("by", entry_.event.actor.text).set("createdAt", time_));
}

Status Step::moves() {
  for (const json::value& value : *TRY(array(details_, "moves"))) {
    const json::object& move = *TRY(as_object(value));
    const std::string artifact = TRY(member(move, "artifact"));
    const std::string key = row_key("version", artifact, TRY(number(move, "version")));
    RowText row = TRY(existing(key));
    const std::string from = TRY(member(move, "from"));
    const std::string to = TRY(member(move, "to"));
    const std::string reason = TRY(member(move, "reason"));
    if (row.get("state") != from)
      return invalid(key + " is " + std::string(row.get("state")) + ", not " + from);
    put(key, row.set("state", to).set("reason", reason));
    const std::string owner = row_key("artifact", artifact);
    RowText latest = TRY(existing(owner));
    if (key == row_key("version", artifact) + " " + std::string(latest.get("latestVersion"))) {
      put(owner, latest.set("latestState", to));
    }
  }
  return Ok{};
}

Status Step::end_release(const std::string& id, std::string_view end) {
  const std::string key = row_key("release", id);
  RowText row = TRY(existing(key));
  if (row.get("end") != "live") return invalid(key + " is not live any more");
  put(key, row.set("end", end).set("endedAt", time_));
  return Ok{};
}

Status Step::released(std::string_view kind, std::string_view end_of_replaced) {
  TRY(same_version(details_, "version"));
  const std::string artifact = TRY(text("artifact"));
  const std::string environment = TRY(text("environment"));
  const std::string replaced = TRY(text("replaced"));
  const std::string release = TRY(text("release"));
  TRY(existing(row_key("environment", environment)));
  std::string& live = replay_.live_[environment + " " + artifact];
  if (live != replaced) return invalid("it does not replace what was live for " + artifact);
  if (!replaced.empty()) TRY(end_release(replaced, end_of_replaced));
  RowText row;
  TRY(copy(row, {"changeSet", "environment", "artifact", "version", "digest", "review", "replaced",
                 "previous", "protectionVersion", "gate", "reason"}));
  row.set("number", next("release " + environment + " " + artifact));
  row.set("kind", kind)
      .set("protectionMet", true)
      .set("rollout", "")
      .set("by", entry_.event.actor.text)
      .set("at", time_);
  TRY(add(row_key("release", release), row.set("end", "live").set("endedAt", std::string_view())));
  live = release;
  return moves();
}

Status Step::version_retired() {
  TRY(same_version(details_, "version"));
  const std::string artifact = TRY(text("artifact"));
  const std::string environment = TRY(text("environment"));
  const std::string ended = TRY(text("ended"));
  if (!ended.empty()) {
    std::string& live = replay_.live_[environment + " " + artifact];
    if (live != ended) return invalid("it ends a release that was not live");
    TRY(end_release(ended, "retired"));
    live.clear();
  }
  const std::int64_t version = TRY(number(details_, "version"));
  const std::string place = row_key("", artifact, version) + " " + environment;
  TRY(add("retirement" + place, RowText().set("at", time_)));
  // Those of before reasons were kept have none.
  if (details_.contains("reason")) {
    RowText why;
    TRY(copy(why, {"reason"}));
    TRY(add("retirement_reason" + place, why));
  }
  return moves();
}

Status Step::label_moved() {
  const std::string artifact = TRY(text("artifact"));
  const std::string key = row_key("label", artifact) + " " + TRY(text("label"));
  const auto before = existing(key);
  const std::string previous = TRY(text("previous"));
  if (previous != (before.ok() ? before->get("version") : std::string_view())) {
    return invalid(key + " pointed elsewhere before");
  }
  const std::string version = TRY(text("version"));
  if (version.empty()) {
    replay_.rows_.erase(key);
    return Ok{};
  }
  const std::int64_t target = TRY(number(details_, "version"));
  TRY(existing(row_key("version", artifact, target)));
  put(key, RowText().set("version", version).set("by", entry_.event.actor.text).set("at", time_));
  return Ok{};
}

Status Replay::apply(const Entry& entry) {
  const json::value details = TRY(parse_json(entry.event.details));
  if (!details.is_object()) return invalid("its details are no object");
  return apply(entry, details.get_object());
}

Status Replay::apply(const Entry& entry, const json::object& details) {
  return Step(*this, entry, details).run();
}

bool Replay::accounts_for(const std::string& key, std::string_view text, bool& twice) {
  const auto row = rows_.find(key);
  if (row == rows_.end() || row->second.value != text) return false;
  twice = std::exchange(row->second.stored, true);
  return true;
}

}  // namespace imprimatur::journal

#include "domain/gate_rules.h"

#include "base/check.h"

#include <algorithm>

#include <boost/json.hpp>
#include <re2/re2.h>

namespace imprimatur {
namespace {

namespace json = boost::json;

constexpr std::size_t kRulesNamed = 5;  // in one sentence

void say(std::string& detail, const std::string& sentence) {
  detail += (detail.empty() ? "" : "; ") + sentence;
}

// One sentence for each item that `objection` has something against.
template <class Objection>
Requirement for_each_item(std::string kind, Stage stage, std::string met, const GateFacts& facts,
                          const Objection& objection) {
  Requirement out{std::move(kind), true, {}, {}, stage};
  for (const GateItem& item : facts.items) {
    const std::string why = objection(item);
    if (why.empty()) continue;
    out.met = false;
    say(out.detail, item_name(item, facts) + why);
  }
  if (out.met) out.detail = std::move(met);
  return out;
}

template <class Name>
bool holds(const std::vector<Name>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

// ---- checks ----

// Why a result of `check` cannot be taken as one at all, or nothing.
std::string unusable(const CheckResult& result) {
  const std::string summary = result.summary.empty() ? "" : " (" + result.summary + ")";
  if (!result.current) return "has a stale result; run it again" + summary;
  switch (result.status) {
    case CheckStatus::pass:
    case CheckStatus::fail: return {};
    case CheckStatus::error: return "could not be carried out" + summary;
    case CheckStatus::pending: return "is still pending" + summary;
  }
  CHECK(false, "unknown check status");
}

std::string failed(const CheckResult& result) {
  return "failed" + (result.summary.empty() ? "" : " (" + result.summary + ")");
}

bool blocks(const FoundWeakness& weakness, const ScanRule& rule) {
  return weakness.severity > rule.worst || holds(rule.categories, weakness.category) ||
         holds(rule.rules, weakness.rule);
}

// Whether somebody who may do so took responsibility for it, and their word still counts.
bool accepted(const FoundWeakness& weakness, const GateItem& item, const GateFacts& facts,
              const People& people) {
  return std::any_of(item.accepted.begin(), item.accepted.end(), [&](const AcceptedFinding& acceptance) {
    return acceptance.digest == item.digest && acceptance.rule == weakness.rule &&
           facts.at < acceptance.expires && people.objection(acceptance.by, acceptance.at).empty();
  });
}

// Judged by what was found where that is known, else by what the scan itself made of it.
std::string scan_objection(const CheckResult& result, const GateItem& item, const GateFacts& facts,
                           const Demands& demands) {
  const bool plain = std::all_of(demands.scans.begin(), demands.scans.end(),
                                 [](const ScanRule& rule) { return rule == ScanRule{}; });
  if (!item.weaknesses) {
    if (!plain) return "could not be judged: nobody read what it found";
    return result.status == CheckStatus::pass ? std::string() : failed(result);
  }
  const People people(facts);
  std::vector<std::string> named;
  for (const FoundWeakness& weakness : *item.weaknesses) {
    const bool blocking = std::any_of(demands.scans.begin(), demands.scans.end(),
                                      [&](const ScanRule& rule) { return blocks(weakness, rule); });
    if (!blocking || accepted(weakness, item, facts, people)) continue;
    std::string name = weakness.rule + " " + std::string(name_of(weakness.severity));
    if (!holds(named, name)) named.push_back(std::move(name));
  }
  if (named.empty()) return {};
  std::string out = failed(result);
  if (plain && item.accepted.empty()) return out;
  const std::size_t shown = std::min(named.size(), kRulesNamed);
  for (std::size_t i = 0; i < shown; ++i) out += (i == 0 ? ": blocked by " : ", ") + named[i];
  if (named.size() > shown) out += " and " + std::to_string(named.size() - shown) + " more";
  return out;
}

// Whether each protection lets this source report the check; the scan is this program's own.
bool may_report(const CheckResult& result, const std::vector<CheckRule>& rules) {
  return !rules.empty() && std::all_of(rules.begin(), rules.end(), [&](const CheckRule& rule) {
    return std::find(rule.sources.begin(), rule.sources.end(), result.source) != rule.sources.end();
  });
}

bool expired(const CheckResult& result, const std::vector<CheckRule>& rules, Time at) {
  return std::any_of(rules.begin(), rules.end(), [&](const CheckRule& rule) {
    return rule.minutes > 0 && result.at + seconds(rule.minutes * 60) <= at;
  });
}

// Why `check` is not passed for one item, or nothing. Of several results under one name each must pass.
std::string check_objection(const GateItem& item, const std::string& check, const GateFacts& facts,
                            const Demands& demands) {
  const bool scan = check == kScanCheck;
  const auto found = demands.check_rules.find(check);
  const std::vector<CheckRule> rules =
      found == demands.check_rules.end() ? std::vector<CheckRule>() : found->second;
  bool passed = false;
  for (const CheckResult& result : item.checks) {
    if (result.name != check || (!scan && !may_report(result, rules))) continue;
    if (std::string why = unusable(result); !why.empty()) return why;
    if (expired(result, rules, facts.at)) return "has a result that expired; report it again";
    std::string why = scan                                 ? scan_objection(result, item, facts, demands)
                      : result.status == CheckStatus::fail ? failed(result)
                                                           : std::string();
    if (!why.empty()) return why;
    passed = true;
  }
  return passed ? std::string() : scan ? "has no result" : "has no result by a source that may report it";
}

// ---- the shape of a change ----

std::size_t bytes_of(const Content& content) {
  std::size_t bytes = content.text.size();
  for (const Message& message : content.messages) bytes += message.content.size();
  return bytes;
}

bool names_ticket(const std::string& message, const std::string& pattern) {
  const RE2 ticket(pattern, RE2::Quiet);
  return ticket.ok() && RE2::PartialMatch(message, ticket);
}

bool has_key(const std::string& config, const std::string& key) {
  if (config.empty()) return false;
  boost::system::error_code error;
  const json::value parsed = json::parse(config, error);
  return !error && parsed.is_object() && parsed.get_object().contains(key);
}

std::string shape_objection(const GateItem& item, const ShapeRule& rule) {
  std::string out;
  if (!item.content) return "its content could not be read";
  const Content& content = *item.content;
  if (rule.message && item.message.empty()) say(out, "the version has no message that says what changed");
  if (!rule.ticket.empty() && !names_ticket(item.message, rule.ticket)) {
    say(out, "the version's message names no ticket like " + rule.ticket);
  }
  if (rule.max_bytes > 0 && bytes_of(content) > static_cast<std::size_t>(rule.max_bytes)) {
    say(out, "has " + std::to_string(bytes_of(content)) + " bytes of text; at most " +
                 std::to_string(rule.max_bytes) + " are allowed");
  }
  const auto semver = parse_semver(content.semver);
  if (rule.stable && (!semver.ok() || !semver->prerelease.empty())) {
    say(out, content.semver + " is a pre-release; save a version without one");
  }
  if (rule.largest && item.live && required_bump(*item.live, content) > *rule.largest) {
    say(out, "is a " + std::string(name_of(required_bump(*item.live, content))) +
                 " change of what is live; the largest allowed is " + std::string(name_of(*rule.largest)));
  }
  for (const std::string& name : rule.variables) {
    const bool declared = std::any_of(content.variables.begin(), content.variables.end(),
                                      [&](const Variable& variable) { return variable.name == name; });
    if (!declared) say(out, "lacks the variable " + name);
  }
  for (const std::string& tag : rule.tags) {
    if (!holds(item.tags, tag)) say(out, "lacks the tag " + tag);
  }
  for (const std::string& key : rule.config) {
    if (!has_key(content.config, key)) say(out, "lacks " + key + " in its config");
  }
  return out;
}

// ---- the path through the environments ----

std::string minutes_word(std::int64_t minutes) {
  return std::to_string(minutes) + (minutes == 1 ? " minute" : " minutes");
}

std::string path_objection(const GateItem& item, const PathRule& rule, const GateFacts& facts) {
  const auto known = facts.environment_names.find(rule.after);
  const std::string name = known == facts.environment_names.end() ? rule.after.text : known->second;
  const auto soaked = item.soaked.find(rule.after);
  if (soaked == item.soaked.end()) {
    return "this version was not live in " + name + ", or was taken back there; deploy it there first";
  }
  const std::int64_t minutes = soaked->second.micros / seconds(60).micros;
  if (minutes >= rule.soak_minutes) return {};
  return "was live in " + name + " for " + minutes_word(minutes) + "; " + minutes_word(rule.soak_minutes) +
         " are needed";
}

}  // namespace

Requirement check_requirement(const std::string& name, const GateFacts& facts, const Demands& demands) {
  const std::string check = "the check " + name + " ";
  return for_each_item("check:" + name, name == kScanCheck ? Stage::submission : Stage::review,
                       check + "passed", facts, [&](const GateItem& item) {
                         const std::string why = check_objection(item, name, facts, demands);
                         return why.empty() ? why : check + why;
                       });
}

Requirement model_requirement(const GateFacts& facts, const Demands& demands) {
  return for_each_item("model", Stage::submission, "the model is allowed", facts, [&](const GateItem& item) {
    if (item.kind == ArtifactKind::policy) return std::string();
    for (const ModelRule& rule : demands.models) {
      const Status allowed = check_model(item.model, rule);
      if (!allowed.ok()) return allowed.error().detail;
    }
    return std::string();
  });
}

Requirement shape_requirement(const GateFacts& facts, const Demands& demands) {
  return for_each_item("change", Stage::submission, "the change has the shape that is asked for", facts,
                       [&](const GateItem& item) {
                         for (const ShapeRule& rule : demands.shapes) {
                           std::string why = shape_objection(item, rule);
                           if (!why.empty()) return why;
                         }
                         return std::string();
                       });
}

Requirement intact_requirement(const GateFacts& facts) {
  return for_each_item("content", Stage::submission, "the content has its digest", facts,
                       [](const GateItem& item) {
                         return item.intact ? std::string() : "the stored content does not have its digest";
                       });
}

Requirement path_requirement(const GateFacts& facts, const Demands& demands) {
  return for_each_item("path", Stage::deploy, "was live long enough where it had to be before", facts,
                       [&](const GateItem& item) {
                         for (const PathRule& rule : demands.paths) {
                           std::string why = path_objection(item, rule, facts);
                           if (!why.empty()) return why;
                         }
                         return std::string();
                       });
}

Requirement freeze_requirement(const GateFacts& facts) {
  Requirement out{"freeze", true, "no freeze", {}, Stage::deploy};
  const FreezeAnswer answer = freeze_at(facts.now.windows, facts.at);
  if (answer.open) return out;
  out.detail = answer.detail;
  out.met = false;
  if (!answer.override_role) return out;
  const std::string role(name_of(*answer.override_role));
  const People people(facts);
  const Membership* member = facts.freeze_override ? people.member(*facts.freeze_override) : nullptr;
  out.met = member != nullptr && member->active && member->role >= *answer.override_role;
  say(out.detail, out.met ? "passed with a reason by somebody who is at least " + role
                          : "somebody who is at least " + role + " may pass it with a reason");
  return out;
}

}  // namespace imprimatur

#include "domain/protection.h"

#include "base/check.h"
#include "base/hash.h"
#include "base/json.h"

#include <algorithm>
#include <set>

#include <boost/json.hpp>
#include <re2/re2.h>

namespace imprimatur {
namespace {

namespace json = boost::json;

constexpr std::string_view kDigestTag = "imprimatur-protection-v1\n";
constexpr std::string_view kChecklistTag = "imprimatur-checklist-v1\n";
// A model's temperature lies between these, so a bound beyond them says nothing.
constexpr double kLowestTemperature = 0, kHighestTemperature = 2;
constexpr std::int64_t kTicketProgramBytes = 64 * 1024;

// Written so that what is no number at all fails, too.
Status check_temperature(const std::optional<double>& number, const std::string& field) {
  if (!number || (*number >= kLowestTemperature && *number <= kHighestTemperature)) return Ok{};
  return invalid_field(field, "must be from 0 to 2");
}

Status check_count(int count, const std::string& field) {
  if (count >= 0 && count <= kMaxApprovals) return Ok{};
  return invalid_field(field, "must be from 0 to " + std::to_string(kMaxApprovals));
}

Status check_approvals(const ApprovalRule& rule, const std::string& field) {
  TRY(check_count(rule.count, field + ".count"));
  for (const auto& [team, count] : rule.teams) TRY(check_count(count, field + ".teams." + team.text));
  return Ok{};
}

Status check_tiers(const std::vector<Tier>& tiers) {
  std::set<std::string> names;
  for (std::size_t i = 0; i < tiers.size(); ++i) {
    const std::string field = "tiers[" + std::to_string(i) + "]";
    const Tier& tier = tiers[i];
    if (tier.name.empty()) return invalid_field(field + ".name", "is required");
    if (!names.insert(tier.name).second) return invalid_field(field + ".name", "appears twice");
    if (tier.tags.empty() && tier.patterns.empty()) {
      return invalid_field(field, "takes in nothing; name tags or patterns");
    }
    TRY(check_approvals(tier.approvals, field + ".approvals"));
  }
  return Ok{};
}

Status check_checks(const Protection& protection) {
  for (const auto& [name, rule] : protection.check_rules) {
    const bool asked =
        std::find(protection.checks.begin(), protection.checks.end(), name) != protection.checks.end();
    if (!asked || name == kScanCheck) {
      return invalid_field("checkRules." + name, "is about no check that `checks` names, or about the scan");
    }
    if (rule.minutes < 0) return invalid_field("checkRules." + name + ".expiresAfterMinutes", "is negative");
  }
  return Ok{};
}

Status check_checklist(const std::vector<Question>& checklist) {
  std::set<std::string> ids;
  for (std::size_t i = 0; i < checklist.size(); ++i) {
    const std::string field = "checklist[" + std::to_string(i) + "]";
    if (checklist[i].id.empty()) return invalid_field(field + ".id", "is required");
    if (checklist[i].text.empty()) return invalid_field(field + ".question", "is required");
    if (!ids.insert(checklist[i].id).second) return invalid_field(field + ".id", "appears twice");
  }
  return Ok{};
}

Status check_windows(const std::vector<Window>& windows) {
  std::set<std::string> names;
  for (std::size_t i = 0; i < windows.size(); ++i) {
    const std::string field = "freezes[" + std::to_string(i) + "]";
    if (Status sound = check_window(windows[i]); !sound.ok()) {
      const Error error = std::move(sound).error();
      const FieldError& first = error.fields.front();
      return invalid_field(field + "." + first.field, first.message);
    }
    if (!names.insert(windows[i].name).second) return invalid_field(field + ".name", "appears twice");
  }
  return Ok{};
}

Status check_shape(const ShapeRule& rule) {
  if (rule.ticket.empty()) return Ok{};
  RE2::Options options(RE2::Quiet);
  options.set_max_mem(kTicketProgramBytes);
  const RE2 pattern(rule.ticket, options);
  if (pattern.ok()) return Ok{};
  return invalid_field("change.ticket", "is no regular expression of RE2: " + pattern.error());
}

bool bounds_temperature(const ModelRule& rule) { return rule.temperature_min || rule.temperature_max; }

double lowest(const ModelRule& rule) {
  return std::max(rule.temperature_min.value_or(kLowestTemperature), kLowestTemperature);
}

double highest(const ModelRule& rule) {
  return std::min(rule.temperature_max.value_or(kHighestTemperature), kHighestTemperature);
}

int people_needed(const ApprovalRule& rule) {
  int needed = rule.count;
  for (const auto& [team, count] : rule.teams) needed = std::max(needed, count);
  return needed;
}

bool approvals_weaken(const ApprovalRule& before, const ApprovalRule& after) {
  if (people_needed(after) < people_needed(before)) return true;
  if (before.owners && !after.owners) return true;
  return std::any_of(before.teams.begin(), before.teams.end(), [&](const auto& team) {
    const auto kept = after.teams.find(team.first);
    return team.second > 0 && (kept == after.teams.end() || kept->second < team.second);
  });
}

template <class Each>
bool within(const std::vector<Each>& small, const std::vector<Each>& large) {
  return std::all_of(small.begin(), small.end(), [&](const Each& one) {
    return std::find(large.begin(), large.end(), one) != large.end();
  });
}

// Patterns are compared as written; a list without a negation takes in at least what its part takes in.
bool takes_in(const Tier& wide, const Tier& narrow) {
  const auto negates = [](const NamePattern& pattern) { return pattern.negated(); };
  const bool names =
      wide.patterns == narrow.patterns || (within(narrow.patterns, wide.patterns) &&
                                           std::none_of(wide.patterns.begin(), wide.patterns.end(), negates));
  return names && within(narrow.tags, wide.tags);
}

bool tiers_weaken(const Protection& before, const Protection& after) {
  return std::any_of(before.tiers.begin(), before.tiers.end(), [&](const Tier& tier) {
    if (!approvals_weaken(tier.approvals, after.approvals)) return false;  // asked of everything now
    return std::none_of(after.tiers.begin(), after.tiers.end(), [&](const Tier& kept) {
      return takes_in(kept, tier) && !approvals_weaken(tier.approvals, kept.approvals);
    });
  });
}

bool checks_weaken(const Protection& before, const Protection& after) {
  if (!within(before.checks, after.checks)) return true;
  return std::any_of(before.check_rules.begin(), before.check_rules.end(), [&](const auto& rule) {
    const auto kept = after.check_rules.find(rule.first);
    if (kept == after.check_rules.end()) return false;  // nobody may report it any more
    const std::int64_t was = rule.second.minutes, is = kept->second.minutes;
    return !within(kept->second.sources, rule.second.sources) || (was > 0 && (is == 0 || is > was));
  });
}

bool scan_weakens(const ScanRule& before, const ScanRule& after) {
  return after.worst > before.worst || !within(before.categories, after.categories) ||
         !within(before.rules, after.rules);
}

bool path_weakens(const std::optional<PathRule>& before, const std::optional<PathRule>& after) {
  if (!before) return false;
  return !after || after->after != before->after || after->soak_minutes < before->soak_minutes;
}

bool shape_weakens(const ShapeRule& before, const ShapeRule& after) {
  const bool larger = before.max_bytes > 0 && (after.max_bytes == 0 || after.max_bytes > before.max_bytes);
  const bool farther = before.largest && (!after.largest || *after.largest > *before.largest);
  const bool other_ticket = !before.ticket.empty() && after.ticket != before.ticket;
  return (before.message && !after.message) || other_ticket || larger || (before.stable && !after.stable) ||
         farther || !within(before.variables, after.variables) || !within(before.tags, after.tags) ||
         !within(before.config, after.config);
}

// An entry stands for the model of that name anywhere: "gpt-5" for "openai/gpt-5" too, "openai/gpt-5" not for
// "azure/gpt-5". So an entry that another covers is itself covered by it, and one list is within another when
// each of its entries is.
bool listed(const std::vector<std::string>& allowed, std::string_view full_name) {
  return std::any_of(allowed.begin(), allowed.end(), [&](const std::string& entry) {
    return full_name == entry || full_name.ends_with("/" + entry);
  });
}

bool models_weaken(const ModelRule& before, const ModelRule& after) {
  if (lowest(after) > highest(after) && bounds_temperature(after)) return false;  // nothing passes it
  if (!before.allowed.empty()) {
    if (after.allowed.empty()) return true;
    for (const std::string& name : after.allowed) {
      if (!listed(before.allowed, name)) return true;
    }
  }
  if (!bounds_temperature(before)) return false;
  return !bounds_temperature(after) || lowest(after) < lowest(before) || highest(after) > highest(before);
}

}  // namespace

bool Protection::asks_for_nothing() const {
  return !asks_for_approvals() && checks.empty() && !path && windows.empty() && shape == ShapeRule{} &&
         models.allowed.empty() && !bounds_temperature(models) && unknown.empty();
}

bool Protection::asks_for_approvals() const {
  const auto asks = [](const ApprovalRule& rule) { return people_needed(rule) > 0 || rule.owners; };
  return asks(approvals) ||
         std::any_of(tiers.begin(), tiers.end(), [&](const Tier& tier) { return asks(tier.approvals); });
}

Status check_protection(const Protection& protection) {
  TRY(check_approvals(protection.approvals, "approvals"));
  TRY(check_tiers(protection.tiers));
  TRY(check_checks(protection));
  TRY(check_checklist(protection.checklist));
  TRY(check_windows(protection.windows));
  TRY(check_shape(protection.shape));
  const ModelRule& models = protection.models;
  TRY(check_temperature(models.temperature_min, "models.temperatureMin"));
  TRY(check_temperature(models.temperature_max, "models.temperatureMax"));
  if (models.temperature_min.value_or(kLowestTemperature) >
      models.temperature_max.value_or(kHighestTemperature)) {
    return invalid_field("models.temperatureMin", "is above temperatureMax");
  }
  return Ok{};
}

std::string digest_of(const Protection& protection) {
  Sha256 hash;
  hash.add(kDigestTag).add(canonical_protection(protection));
  return "sha256:" + to_hex(hash.finish());
}

std::string checklist_digest(const std::vector<Question>& checklist) {
  if (checklist.empty()) return {};
  json::array questions;
  for (const Question& question : checklist) {
    questions.push_back(json::object{{"id", question.id}, {"question", question.text}});
  }
  Sha256 hash;
  hash.add(kChecklistTag).add(canonical_json(json::value(std::move(questions))).value());
  return "sha256:" + to_hex(hash.finish());
}

bool weakens(const Protection& before, const Protection& after) {
  if (!after.unknown.empty()) return false;  // it lets nothing through
  if (!before.unknown.empty()) return true;
  return checks_weaken(before, after) || approvals_weaken(before.approvals, after.approvals) ||
         tiers_weaken(before, after) || scan_weakens(before.scan, after.scan) ||
         !within(before.checklist, after.checklist) || after.dismissers < before.dismissers ||
         path_weakens(before.path, after.path) || freezes_weaken(before.windows, after.windows) ||
         shape_weakens(before.shape, after.shape) || models_weaken(before.models, after.models);
}

Status check_model(const std::optional<ModelBinding>& model, const ModelRule& rule) {
  std::string allowed;
  for (const std::string& name : rule.allowed) allowed += (allowed.empty() ? "" : ", ") + name;
  if (!rule.allowed.empty()) {
    if (!model) return unprocessable("the version binds no model; allowed are " + allowed);
    const std::string full_name = model->provider.empty() ? model->name : model->provider + "/" + model->name;
    if (!listed(rule.allowed, full_name))
      return unprocessable("the model " + full_name + " is not allowed; allowed are " + allowed);
  }
  if (!bounds_temperature(rule)) return Ok{};
  const std::string range = ecmascript_number(lowest(rule)) + " to " + ecmascript_number(highest(rule));
  if (!model || !model->temperature) {
    return unprocessable("the version sets no temperature; it must be from " + range);
  }
  if (!(*model->temperature >= lowest(rule) && *model->temperature <= highest(rule))) {
    return unprocessable("the temperature " + ecmascript_number(*model->temperature) + " is not from " +
                         range);
  }
  return Ok{};
}

}  // namespace imprimatur

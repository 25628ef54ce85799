#include "domain/protection.h"

#include "base/check.h"
#include "base/enums.h"
#include "base/hash.h"
#include "base/json.h"

#include <algorithm>

#include <boost/json.hpp>

namespace imprimatur {
namespace {

namespace json = boost::json;

constexpr std::string_view kDigestTag = "imprimatur-protection-v1\n";
constexpr std::size_t kMaxTeams = 50;
constexpr std::size_t kMaxAllowedModels = 200;
constexpr std::size_t kMaxRuleNameBytes = 200;
constexpr JsonLimits kLimits{.bytes = 256 * 1024, .depth = 16, .values = 20'000};
// A model's temperature lies between these, so a bound beyond them says nothing.
constexpr double kLowestTemperature = 0, kHighestTemperature = 2;

Result<int> approval_count(const json::value& value, const std::string& field) {
  if (!value.is_int64() || value.get_int64() < 0 || value.get_int64() > kMaxApprovals) {
    return invalid_field(field, "must be from 0 to " + std::to_string(kMaxApprovals));
  }
  return static_cast<int>(value.get_int64());
}

Status read_approvals(const json::value& value, Protection& out) {
  if (!value.is_object()) return invalid_field("approvals", "must be an object");
  for (const auto& member : value.get_object()) {
    const std::string_view key = member.key();
    if (key == "count") {
      out.approvals.count = TRY(approval_count(member.value(), "approvals.count"));
    } else if (key == "teams") {
      if (!member.value().is_object()) return invalid_field("approvals.teams", "must be an object");
      for (const auto& team : member.value().get_object()) {
        const std::string name(team.key());
        const int count = TRY(approval_count(team.value(), "approvals.teams." + name));
        if (count > 0) out.approvals.teams[TeamId{name}] = count;
      }
      if (out.approvals.teams.size() > kMaxTeams) return invalid_field("approvals.teams", "are too many");
    } else {
      out.unknown.push_back("approvals." + std::string(key));
    }
  }
  return Ok{};
}

Result<std::vector<std::string>> read_names(const json::value& value, const std::string& field,
                                            std::size_t limit) {
  if (!value.is_array()) return invalid_field(field, "must be a list");
  std::vector<std::string> names;
  for (const json::value& item : value.get_array()) {
    if (!item.is_string() || item.get_string().empty() || item.get_string().size() > kMaxRuleNameBytes) {
      return invalid_field(field,
                           "must hold names of at most " + std::to_string(kMaxRuleNameBytes) + " bytes");
    }
    names.emplace_back(item.get_string());
  }
  if (names.size() > limit) return invalid_field(field, "are over " + std::to_string(limit));
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

Result<std::optional<double>> read_temperature(const json::value& value, const std::string& field) {
  if (value.is_null()) return std::optional<double>();
  if (!value.is_number()) return invalid_field(field, "must be a number");
  return std::optional<double>(value.to_number<double>());
}

// Written so that what is no number at all fails, too.
Status check_temperature(const std::optional<double>& number, const std::string& field) {
  if (!number || (*number >= kLowestTemperature && *number <= kHighestTemperature)) return Ok{};
  return invalid_field(field, "must be from 0 to 2");
}

Status check_count(int count, const std::string& field) {
  if (count >= 0 && count <= kMaxApprovals) return Ok{};
  return invalid_field(field, "must be from 0 to " + std::to_string(kMaxApprovals));
}

Status read_models(const json::value& value, Protection& out) {
  if (!value.is_object()) return invalid_field("models", "must be an object");
  for (const auto& member : value.get_object()) {
    const std::string_view key = member.key();
    if (key == "allowed") {
      out.models.allowed = TRY(read_names(member.value(), "models.allowed", kMaxAllowedModels));
    } else if (key == "temperatureMin") {
      out.models.temperature_min = TRY(read_temperature(member.value(), "models.temperatureMin"));
    } else if (key == "temperatureMax") {
      out.models.temperature_max = TRY(read_temperature(member.value(), "models.temperatureMax"));
    } else {
      out.unknown.push_back("models." + std::string(key));
    }
  }
  return Ok{};
}

json::value number_or_null(const std::optional<double>& number) {
  return number ? json::value(*number) : json::value(nullptr);
}

json::array sorted_names(std::vector<std::string> names) {
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  json::array out;
  for (const std::string& name : names) out.emplace_back(name);
  return out;
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
  return std::any_of(before.teams.begin(), before.teams.end(), [&](const auto& team) {
    const auto kept = after.teams.find(team.first);
    return team.second > 0 && (kept == after.teams.end() || kept->second < team.second);
  });
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
  return people_needed(approvals) <= 0 && checks.empty() && models.allowed.empty() &&
         !bounds_temperature(models) && unknown.empty();
}

bool Protection::asks_for_approvals() const { return people_needed(approvals) > 0; }

Status check_numbers(const Protection& protection) {
  TRY(check_count(protection.approvals.count, "approvals.count"));
  for (const auto& [team, count] : protection.approvals.teams) {
    TRY(check_count(count, "approvals.teams." + team.text));
  }
  const ModelRule& models = protection.models;
  TRY(check_temperature(models.temperature_min, "models.temperatureMin"));
  TRY(check_temperature(models.temperature_max, "models.temperatureMax"));
  if (models.temperature_min.value_or(kLowestTemperature) >
      models.temperature_max.value_or(kHighestTemperature)) {
    return invalid_field("models.temperatureMin", "is above temperatureMax");
  }
  return Ok{};
}

std::string canonical_protection(const Protection& protection) {
  json::object teams;
  for (const auto& [team, count] : protection.approvals.teams) {
    if (count > 0) teams[team.text] = count;
  }
  json::object root;
  for (const std::string& kind : protection.unknown) root[kind] = nullptr;
  root["approvals"] = json::object{{"count", protection.approvals.count}, {"teams", std::move(teams)}};
  root["checks"] = sorted_names(protection.checks);
  root["models"] = json::object{{"allowed", sorted_names(protection.models.allowed)},
                                {"temperatureMin", number_or_null(protection.models.temperature_min)},
                                {"temperatureMax", number_or_null(protection.models.temperature_max)}};
  auto text = canonical_json(root);
  CHECK(text.ok(), "a protection holds small finite numbers only");
  return std::move(text).value();
}

Result<Protection> protection_from_json(std::string_view text, std::int64_t version) {
  const json::value document = TRY(parse_json(text, kLimits));
  if (!document.is_object()) return invalid("a protection is a JSON object");
  Protection out;
  out.version = version;
  for (const auto& member : document.get_object()) {
    const std::string_view key = member.key();
    if (key == "approvals") {
      TRY(read_approvals(member.value(), out));
    } else if (key == "checks") {
      out.checks = TRY(read_names(member.value(), "checks", kMaxChecks));
    } else if (key == "models") {
      TRY(read_models(member.value(), out));
    } else {
      out.unknown.emplace_back(key);
    }
  }
  std::sort(out.unknown.begin(), out.unknown.end());
  out.unknown.erase(std::unique(out.unknown.begin(), out.unknown.end()), out.unknown.end());
  if (out.unknown.size() > kMaxChecks) return invalid("the protection has too many unknown members");
  for (const std::string& kind : out.unknown) {
    if (kind.empty() || kind.size() > kMaxRuleNameBytes)
      return invalid("an unknown member's name is too long");
  }
  TRY(check_numbers(out));
  return out;
}

std::string digest_of(const Protection& protection) {
  Sha256 hash;
  hash.add(kDigestTag).add(canonical_protection(protection));
  return "sha256:" + to_hex(hash.finish());
}

bool weakens(const Protection& before, const Protection& after) {
  if (!after.unknown.empty()) return false;  // it lets nothing through
  if (!before.unknown.empty()) return true;
  const bool fewer_checks =
      std::any_of(before.checks.begin(), before.checks.end(), [&](const std::string& name) {
        return std::find(after.checks.begin(), after.checks.end(), name) == after.checks.end();
      });
  return fewer_checks || approvals_weaken(before.approvals, after.approvals) ||
         models_weaken(before.models, after.models);
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

std::string_view name_of(VerdictKind kind) {
  switch (kind) {
    case VerdictKind::approve: return "approve";
    case VerdictKind::request_changes: return "request_changes";
    case VerdictKind::reject: return "reject";
  }
  CHECK(false, "unknown verdict kind");
}

std::optional<VerdictKind> verdict_kind_of(std::string_view name) {
  return enumerator_named(name, VerdictKind::reject);
}

std::string_view name_of(CheckStatus status) {
  switch (status) {
    case CheckStatus::pass: return "pass";
    case CheckStatus::fail: return "fail";
    case CheckStatus::error: return "error";
    case CheckStatus::pending: return "pending";
  }
  CHECK(false, "unknown check status");
}

}  // namespace imprimatur

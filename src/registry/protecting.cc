#include "registry/protecting.h"

#include "base/json.h"
#include "domain/name.h"
#include "scan/finding.h"
#include "store/identity_rows.h"
#include "store/registry_rows.h"

#include <algorithm>

#include <boost/json.hpp>

namespace imprimatur::registry {
namespace {

namespace json = boost::json;

Error in_field(std::string_view field, std::string message) {
  return invalid_field("protection." + std::string(field), std::move(message));
}

// The same complaint about the member where the caller wrote it.
Error in_request(Error error) {
  for (FieldError& field : error.fields) field.field = "protection." + field.field;
  if (error.fields.empty()) error.fields.push_back({"protection", error.detail});
  error.detail =
      "The request is not valid: " + error.fields.front().field + " " + error.fields.front().message + ".";
  return error;
}

template <class Id>
void rename(Id& id, const std::map<Id, std::string>& names) {
  const auto found = names.find(id);
  if (found != names.end()) id.text = found->second;
}

void rename(ApprovalRule& rule, const std::map<TeamId, std::string>& names) {
  std::map<TeamId, int> teams;
  for (const auto& entry : rule.teams) {
    TeamId team = entry.first;
    rename(team, names);
    teams[team] = entry.second;
  }
  rule.teams = std::move(teams);
}

// From names back to ids, saying which one is not there.
class Ids {
 public:
  explicit Ids(const ProtectionNames& names) : names_(names) {}

  Status resolve(Protection& protection, const Environment& of) const {
    TRY(teams(protection.approvals, "approvals"));
    for (std::size_t i = 0; i < protection.tiers.size(); ++i) {
      TRY(teams(protection.tiers[i].approvals, "tiers[" + std::to_string(i) + "].approvals"));
    }
    for (auto& [check, rule] : protection.check_rules) {
      for (PrincipalId& source : rule.sources) {
        TRY(find(source, names_.accounts, "checkRules." + check + ".sources",
                 "there is no service account called \"" + source.text + "\" in the project"));
      }
    }
    if (!protection.path) return Ok{};
    EnvironmentId& after = protection.path->after;
    TRY(find(after, names_.environments, "path.after", "there is no such environment in the project"));
    if (after == of.id) return in_field("path.after", "must be another environment, earlier in the order");
    return Ok{};
  }

 private:
  template <class Id>
  static Status find(Id& id, const std::map<Id, std::string>& names, const std::string& field,
                     std::string missing) {
    const auto found =
        std::find_if(names.begin(), names.end(), [&](const auto& each) { return each.second == id.text; });
    if (found == names.end()) return in_field(field, std::move(missing));
    id = found->first;
    return Ok{};
  }
  Status teams(ApprovalRule& rule, const std::string& field) const {
    std::map<TeamId, int> out;
    for (const auto& [name, count] : rule.teams) {
      TeamId team = name;
      TRY(find(team, names_.teams, field + ".teams." + team.text, "there is no such team in the project"));
      out[team] = count;
    }
    rule.teams = std::move(out);
    return Ok{};
  }
  const ProtectionNames& names_;
};

json::object merged(std::string_view before, const json::object& patch) {
  json::object out = parse_json(before).value().get_object();
  for (const auto& [name, value] : patch) {
    if (name == "approvals" && value.is_object()) {
      json::object& approvals = out["approvals"].get_object();
      for (const auto& [inner, changed] : value.get_object()) approvals[inner] = changed;
    } else if (value.is_null()) {
      out.erase(name);
    } else {
      out[name] = value;
    }
  }
  return out;
}

// A tag that no prompt can carry takes nothing in.
Status require_tags(const Protection& protection) {
  const auto sound = [](const std::vector<std::string>& tags, const std::string& field) -> Status {
    for (const std::string& tag : tags) {
      if (const auto checked = checked_display_name(tag); !checked.ok()) {
        return in_field(field, "\"" + tag + "\" is no tag: " + checked.error().detail);
      }
    }
    return Ok{};
  };
  for (std::size_t i = 0; i < protection.tiers.size(); ++i) {
    TRY(sound(protection.tiers[i].tags, "tiers[" + std::to_string(i) + "].tags"));
  }
  return sound(protection.shape.tags, "change.tags");
}

Status require_known_words(const Protection& protection) {
  for (const std::string& check : protection.checks) {
    if (check == kScanCheck) continue;
    const auto rule = protection.check_rules.find(check);
    // Nobody could report it, so it would shut the environment for good.
    if (rule == protection.check_rules.end() || rule->second.sources.empty()) {
      return in_field("checks", "\"" + check + "\" needs a source that may report it, in checkRules");
    }
  }
  const bool scans =
      std::find(protection.checks.begin(), protection.checks.end(), kScanCheck) != protection.checks.end();
  if (!scans && !(protection.scan == ScanRule{})) {
    return in_field("scan", "says nothing where `checks` does not name \"scan\"");
  }
  if (!protection.checklist.empty() && !protection.asks_for_approvals()) {
    return in_field("checklist", "is answered with approvals, and none are asked for");
  }
  TRY(require_tags(protection));
  for (const std::string& category : protection.scan.categories) {
    if (!scan::category_of(category)) {
      return in_field("scan.blockedCategories", "\"" + category + "\" is no category of the scanner");
    }
  }
  return Ok{};
}

// Promotion has one direction: from an environment that comes before.
Status require_order(store::Tx& tx, const Protection& protection, const Environment& of) {
  if (!protection.path) return Ok{};
  for (const Environment& other : store::environments(tx, of.project)) {
    if (other.id == protection.path->after && other.order < of.order) return Ok{};
  }
  return in_field("path.after", "must be an environment earlier in the order");
}

}  // namespace

ProtectionNames protection_names(store::Tx& tx, const ProjectId& project) {
  ProtectionNames names;
  for (const Team& team : store::teams(tx, project)) names.teams[team.id] = team.name;
  for (auto& [id, name] : store::environment_names(tx, project)) names.environments[id] = std::move(name);
  for (const ServiceAccount& account : store::service_accounts(tx, project)) {
    names.accounts[account.id] = account.name;
  }
  return names;
}

Protection named(Protection protection, const ProtectionNames& names) {
  rename(protection.approvals, names.teams);
  for (Tier& tier : protection.tiers) rename(tier.approvals, names.teams);
  for (auto& [check, rule] : protection.check_rules) {
    for (PrincipalId& source : rule.sources) rename(source, names.accounts);
  }
  if (protection.path) rename(protection.path->after, names.environments);
  return protection;
}

Result<Protection> changed_protection(store::Tx& tx, const Environment& before, std::string_view patch) {
  Protection after = before.protection;
  after.version = before.protection.version + 1;
  if (patch.empty()) return after;
  const json::value wanted = TRY(parse_json(patch));
  if (!wanted.is_object()) return in_field("", "must be an object");
  const ProtectionNames names = protection_names(tx, before.project);
  const json::object whole =
      merged(canonical_protection(named(before.protection, names)), wanted.get_object());
  const std::string text = TRY(canonical_json(whole));
  auto read = protection_from_json(text, after.version);
  if (!read.ok()) return in_request(std::move(read).error());
  after = *std::move(read);
  for (const std::string& unknown : after.unknown) {
    const auto& kept = before.protection.unknown;
    if (std::find(kept.begin(), kept.end(), unknown) == kept.end()) {
      return in_field(unknown, "is no field of a protection");
    }
  }
  TRY(Ids(names).resolve(after, before));
  TRY(require_known_words(after));
  TRY(require_order(tx, after, before));
  // What is stored must be what can be read again.
  auto checked = protection_from_json(canonical_protection(after), after.version);
  if (!checked.ok()) return in_request(std::move(checked).error());
  return checked;
}

}  // namespace imprimatur::registry

// The one written form of a protection, stored and on the wire.
#include "base/check.h"
#include "base/json.h"
#include "domain/protection.h"

#include <algorithm>
#include <functional>
#include <initializer_list>
#include <utility>

#include <boost/json.hpp>

namespace imprimatur {
namespace {

namespace json = boost::json;

constexpr std::size_t kMaxTeams = 50;
constexpr std::size_t kMaxAllowedModels = 200;
constexpr std::size_t kMaxRuleNameBytes = 200;
constexpr std::size_t kMaxQuestionBytes = 1000;
constexpr std::size_t kMaxNames = 100;
constexpr JsonLimits kLimits{.bytes = 256 * 1024, .depth = 16, .values = 20'000};

// Reads the value at a path into some place.
using Read = std::function<Status(const json::value& value, const std::string& path)>;
using Unknown = std::vector<std::string>;

std::string inner(const std::string& path, std::string_view key) {
  return path.empty() ? std::string(key) : path + "." + std::string(key);
}

Status members(const json::value& value, const std::string& path, Unknown& unknown,
               std::initializer_list<std::pair<std::string_view, Read>> known) {
  if (!value.is_object())
    return path.empty() ? invalid("a protection is a JSON object") : invalid_field(path, "must be an object");
  for (const auto& member : value.get_object()) {
    const auto found = std::find_if(known.begin(), known.end(),
                                    [&](const auto& each) { return each.first == member.key(); });
    if (found == known.end()) {
      unknown.push_back(inner(path, member.key()));
    } else if (!member.value().is_null()) {  // null is what is not there
      TRY(found->second(member.value(), inner(path, member.key())));
    }
  }
  return Ok{};
}

Status each(const json::value& value, const std::string& path, std::size_t limit, const Read& read) {
  if (!value.is_array()) return invalid_field(path, "must be a list");
  const auto& all = value.get_array();
  if (all.size() > limit) return invalid_field(path, "are over " + std::to_string(limit));
  for (std::size_t i = 0; i < all.size(); ++i) TRY(read(all[i], path + "[" + std::to_string(i) + "]"));
  return Ok{};
}

template <class Number>
Read whole(Number& out, std::int64_t low, std::int64_t high) {
  return [&out, low, high](const json::value& value, const std::string& path) -> Status {
    if (!value.is_int64() || value.get_int64() < low || value.get_int64() > high) {
      return invalid_field(path, "must be from " + std::to_string(low) + " to " + std::to_string(high));
    }
    out = static_cast<Number>(value.get_int64());
    return Ok{};
  };
}

Read flag(bool& out) {
  return [&out](const json::value& value, const std::string& path) -> Status {
    if (!value.is_bool()) return invalid_field(path, "must be true or false");
    out = value.get_bool();
    return Ok{};
  };
}

Read text(std::string& out, std::size_t limit) {
  return [&out, limit](const json::value& value, const std::string& path) -> Status {
    if (!value.is_string() || value.get_string().empty() || value.get_string().size() > limit) {
      return invalid_field(path, "must be a text of 1 to " + std::to_string(limit) + " bytes");
    }
    out = std::string(value.get_string());
    return Ok{};
  };
}

// Sorted, each once.
Read names(std::vector<std::string>& out, std::size_t limit) {
  return [&out, limit](const json::value& value, const std::string& path) -> Status {
    TRY(each(value, path, limit, [&](const json::value& item, const std::string&) -> Status {
      std::string name;
      if (!text(name, kMaxRuleNameBytes)(item, path).ok()) {
        return invalid_field(path,
                             "must hold names of at most " + std::to_string(kMaxRuleNameBytes) + " bytes");
      }
      out.push_back(std::move(name));
      return Ok{};
    }));
    std::sort(out.begin(), out.end());
    out.erase(std::unique(out.begin(), out.end()), out.end());
    return Ok{};
  };
}

Read temperature(std::optional<double>& out) {
  return [&out](const json::value& value, const std::string& path) -> Status {
    if (!value.is_number()) return invalid_field(path, "must be a number");
    out = value.to_number<double>();
    return Ok{};
  };
}

// A word that `parse` knows, into anything that it can be assigned to.
template <class Parse, class Out>
Read word(Parse parse, Out& out, std::string words) {
  return
      [parse, &out, words = std::move(words)](const json::value& value, const std::string& path) -> Status {
        if (!value.is_string()) return invalid_field(path, "must be one of " + words);
        const auto read = parse(std::string_view(value.get_string()));
        if (!read) return invalid_field(path, "must be one of " + words);
        out = *read;
        return Ok{};
      };
}

std::optional<Bump> bump_of(std::string_view name) {
  for (const Bump bump : {Bump::none, Bump::patch, Bump::minor, Bump::major}) {
    if (name_of(bump) == name) return bump;
  }
  return std::nullopt;
}

Read instant(Time& out) {
  return [&out](const json::value& value, const std::string& path) -> Status {
    const auto time =
        value.is_string() ? parse_rfc3339(std::string_view(value.get_string())) : Result<Time>(invalid(""));
    if (!time.ok()) return invalid_field(path, "must be an RFC 3339 time, for instance 2026-01-31T23:59:59Z");
    out = *time;
    return Ok{};
  };
}

Read approvals(ApprovalRule& out, Unknown& unknown) {
  return [&](const json::value& value, const std::string& path) -> Status {
    const auto teams = [&](const json::value& all, const std::string& at) -> Status {
      if (!all.is_object()) return invalid_field(at, "must be an object");
      for (const auto& team : all.get_object()) {
        int count = 0;
        TRY(whole(count, 0, kMaxApprovals)(team.value(), inner(at, team.key())));
        if (count > 0) out.teams[TeamId{std::string(team.key())}] = count;
      }
      if (out.teams.size() > kMaxTeams) return invalid_field(at, "are too many");
      return Ok{};
    };
    return members(
        value, path, unknown,
        {{"count", whole(out.count, 0, kMaxApprovals)}, {"teams", teams}, {"owners", flag(out.owners)}});
  };
}

Read patterns(std::vector<NamePattern>& out) {
  return [&out](const json::value& value, const std::string& path) -> Status {
    return each(value, path, kMaxNames, [&](const json::value& item, const std::string& at) -> Status {
      std::string written;
      TRY(text(written, kMaxRuleNameBytes)(item, at));
      auto pattern = NamePattern::of(written);
      if (!pattern.ok()) return invalid_field(at, pattern.error().detail);
      out.push_back(*std::move(pattern));
      return Ok{};
    });
  };
}

Read tiers(std::vector<Tier>& out, Unknown& unknown) {
  return [&](const json::value& value, const std::string& path) -> Status {
    return each(value, path, kMaxChecks, [&](const json::value& item, const std::string& at) {
      Tier& tier = out.emplace_back();
      return members(item, at, unknown,
                     {{"name", text(tier.name, kMaxRuleNameBytes)},
                      {"tags", names(tier.tags, kMaxNames)},
                      {"patterns", patterns(tier.patterns)},
                      {"approvals", approvals(tier.approvals, unknown)}});
    });
  };
}

Read check_rules(std::map<std::string, CheckRule>& out, Unknown& unknown) {
  return [&](const json::value& value, const std::string& path) -> Status {
    if (!value.is_object()) return invalid_field(path, "must be an object");
    for (const auto& member : value.get_object()) {
      CheckRule& rule = out[std::string(member.key())];
      std::vector<std::string> sources;
      TRY(members(member.value(), inner(path, member.key()), unknown,
                  {{"sources", names(sources, kMaxNames)},
                   {"expiresAfterMinutes", whole(rule.minutes, 0, 366LL * 24 * 60)}}));
      for (std::string& source : sources) rule.sources.push_back({std::move(source)});
    }
    return Ok{};
  };
}

Read scan_rule(ScanRule& out, Unknown& unknown) {
  return [&](const json::value& value, const std::string& path) {
    return members(value, path, unknown,
                   {{"worst", word(severity_of, out.worst, "INFO, LOW, MEDIUM, HIGH")},
                    {"blockedCategories", names(out.categories, kMaxNames)},
                    {"blockedRules", names(out.rules, kMaxNames)}});
  };
}

Read checklist(std::vector<Question>& out, Unknown& unknown) {
  return [&](const json::value& value, const std::string& path) -> Status {
    return each(value, path, kMaxChecks, [&](const json::value& item, const std::string& at) {
      Question& question = out.emplace_back();
      return members(item, at, unknown,
                     {{"id", text(question.id, kMaxRuleNameBytes)},
                      {"question", text(question.text, kMaxQuestionBytes)}});
    });
  };
}

Read path_rule(std::optional<PathRule>& out, Unknown& unknown) {
  return [&](const json::value& value, const std::string& path) -> Status {
    PathRule& rule = out.emplace();
    return members(value, path, unknown,
                   {{"after", text(rule.after.text, kMaxRuleNameBytes)},
                    {"soakMinutes", whole(rule.soak_minutes, 0, 366LL * 24 * 60)}});
  };
}

Read windows(std::vector<Window>& out, Unknown& unknown) {
  return [&](const json::value& value, const std::string& path) -> Status {
    return each(value, path, kMaxWindows, [&](const json::value& item, const std::string& at) {
      Window& window = out.emplace_back();
      return members(item, at, unknown,
                     {{"kind", word(window_kind_of, window.kind, "deny, allow")},
                      {"name", text(window.name, kMaxRuleNameBytes)},
                      {"from", instant(window.from)},
                      {"until", instant(window.until)},
                      {"cron", text(window.cron, kMaxRuleNameBytes)},
                      {"minutes", whole(window.minutes, 1, kMaxWindowMinutes)},
                      {"timeZone", text(window.time_zone, kMaxRuleNameBytes)},
                      {"overrideBy", word(role_of, window.override_role, "editor, reviewer, admin")}});
    });
  };
}

Read shape(ShapeRule& out, Unknown& unknown) {
  return [&](const json::value& value, const std::string& path) {
    return members(value, path, unknown,
                   {{"message", flag(out.message)},
                    {"ticket", text(out.ticket, kMaxRuleNameBytes)},
                    {"maxBytes", whole(out.max_bytes, 0, static_cast<std::int64_t>(kMaxTextBytes))},
                    {"stableSemver", flag(out.stable)},
                    {"largestBump", word(bump_of, out.largest, "none, patch, minor, major")},
                    {"variables", names(out.variables, kMaxNames)},
                    {"tags", names(out.tags, kMaxNames)},
                    {"configKeys", names(out.config, kMaxNames)}});
  };
}

Read models(ModelRule& out, Unknown& unknown) {
  return [&](const json::value& value, const std::string& path) {
    return members(value, path, unknown,
                   {{"allowed", names(out.allowed, kMaxAllowedModels)},
                    {"temperatureMin", temperature(out.temperature_min)},
                    {"temperatureMax", temperature(out.temperature_max)}});
  };
}

json::value number_or_null(const std::optional<double>& number) {
  return number ? json::value(*number) : json::value(nullptr);
}

json::array sorted_names(std::vector<std::string> all) {
  std::sort(all.begin(), all.end());
  all.erase(std::unique(all.begin(), all.end()), all.end());
  json::array out;
  for (const std::string& name : all) out.emplace_back(name);
  return out;
}

json::object to_json(const ApprovalRule& rule) {
  json::object teams;
  for (const auto& [team, count] : rule.teams) {
    if (count > 0) teams[team.text] = count;
  }
  json::object out{{"count", rule.count}, {"teams", std::move(teams)}};
  if (rule.owners) out["owners"] = true;
  return out;
}

json::object to_json(const Tier& tier) {
  json::array patterns;
  for (const NamePattern& pattern : tier.patterns) patterns.emplace_back(pattern.text());
  return {{"name", tier.name},
          {"tags", sorted_names(tier.tags)},
          {"patterns", std::move(patterns)},
          {"approvals", to_json(tier.approvals)}};
}

json::object to_json(const Window& window) {
  json::object out{{"kind", name_of(window.kind)}, {"name", window.name}, {"timeZone", window.time_zone}};
  if (window.cron.empty()) {
    out["from"] = to_rfc3339(window.from);
    out["until"] = to_rfc3339(window.until);
  } else {
    out["cron"] = window.cron;
    out["minutes"] = window.minutes;
  }
  if (window.override_role) out["overrideBy"] = name_of(*window.override_role);
  return out;
}

json::object to_json(const ShapeRule& rule) {
  json::object out;
  if (rule.message) out["message"] = true;
  if (!rule.ticket.empty()) out["ticket"] = rule.ticket;
  if (rule.max_bytes > 0) out["maxBytes"] = rule.max_bytes;
  if (rule.stable) out["stableSemver"] = true;
  if (rule.largest) out["largestBump"] = name_of(*rule.largest);
  if (!rule.variables.empty()) out["variables"] = sorted_names(rule.variables);
  if (!rule.tags.empty()) out["tags"] = sorted_names(rule.tags);
  if (!rule.config.empty()) out["configKeys"] = sorted_names(rule.config);
  return out;
}

json::object to_json(const std::map<std::string, CheckRule>& rules) {
  json::object out;
  for (const auto& [name, rule] : rules) {
    std::vector<std::string> sources;
    for (const PrincipalId& source : rule.sources) sources.push_back(source.text);
    out[name] =
        json::object{{"sources", sorted_names(std::move(sources))}, {"expiresAfterMinutes", rule.minutes}};
  }
  return out;
}

json::object to_json(const Question& question) { return {{"id", question.id}, {"question", question.text}}; }

template <class Each>
json::array list(const std::vector<Each>& all) {
  json::array out;
  for (const Each& one : all) out.push_back(to_json(one));
  return out;
}

// What came later than the first form is written only where it is used, so that what was written before keeps
// its digest.
void add_later_parts(const Protection& protection, json::object& root) {
  if (!protection.tiers.empty()) root["tiers"] = list(protection.tiers);
  if (!protection.check_rules.empty()) root["checkRules"] = to_json(protection.check_rules);
  if (!(protection.scan == ScanRule{})) {
    root["scan"] = json::object{{"worst", name_of(protection.scan.worst)},
                                {"blockedCategories", sorted_names(protection.scan.categories)},
                                {"blockedRules", sorted_names(protection.scan.rules)}};
  }
  if (!protection.checklist.empty()) root["checklist"] = list(protection.checklist);
  if (protection.dismissers != Role::admin) root["dismissBy"] = name_of(protection.dismissers);
  if (protection.path) {
    root["path"] =
        json::object{{"after", protection.path->after.text}, {"soakMinutes", protection.path->soak_minutes}};
  }
  if (!protection.windows.empty()) root["freezes"] = list(protection.windows);
  if (json::object change = to_json(protection.shape); !change.empty()) root["change"] = std::move(change);
}

}  // namespace

std::string canonical_protection(const Protection& protection) {
  json::object root;
  for (const std::string& kind : protection.unknown) root[kind] = nullptr;
  root["approvals"] = to_json(protection.approvals);
  root["checks"] = sorted_names(protection.checks);
  root["models"] = json::object{{"allowed", sorted_names(protection.models.allowed)},
                                {"temperatureMin", number_or_null(protection.models.temperature_min)},
                                {"temperatureMax", number_or_null(protection.models.temperature_max)}};
  add_later_parts(protection, root);
  auto text = canonical_json(root);
  CHECK(text.ok(), "a protection holds small finite numbers only");
  return std::move(text).value();
}

Result<Protection> protection_from_json(std::string_view text, std::int64_t version) {
  const json::value document = TRY(parse_json(text, kLimits));
  Protection out;
  out.version = version;
  Unknown& unknown = out.unknown;
  TRY(members(document, "", unknown,
              {{"approvals", approvals(out.approvals, unknown)},
               {"tiers", tiers(out.tiers, unknown)},
               {"checks", names(out.checks, kMaxChecks)},
               {"checkRules", check_rules(out.check_rules, unknown)},
               {"scan", scan_rule(out.scan, unknown)},
               {"checklist", checklist(out.checklist, unknown)},
               {"dismissBy", word(role_of, out.dismissers, "reviewer, admin")},
               {"path", path_rule(out.path, unknown)},
               {"freezes", windows(out.windows, unknown)},
               {"change", shape(out.shape, unknown)},
               {"models", models(out.models, unknown)}}));
  std::sort(unknown.begin(), unknown.end());
  unknown.erase(std::unique(unknown.begin(), unknown.end()), unknown.end());
  if (unknown.size() > kMaxChecks) return invalid("the protection has too many unknown members");
  for (const std::string& kind : unknown) {
    if (kind.empty() || kind.size() > kMaxRuleNameBytes)
      return invalid("an unknown member's name is too long");
  }
  TRY(check_protection(out));
  return out;
}

}  // namespace imprimatur

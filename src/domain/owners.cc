#include "domain/owners.h"

#include "base/check.h"
#include "base/hash.h"
#include "base/json.h"
#include "domain/name.h"

#include <algorithm>

#include <boost/json.hpp>

namespace imprimatur {
namespace {

namespace json = boost::json;

constexpr std::string_view kDigestTag = "imprimatur-owners-v1\n";
constexpr JsonLimits kLimits{.bytes = 1024 * 1024, .depth = 8, .values = 50'000};

template <class Id>
json::array ids(std::vector<Id> all) {
  std::sort(all.begin(), all.end());
  json::array out;
  for (const Id& id : all) out.emplace_back(id.text);
  return out;
}

template <class Id>
Status read_ids(const json::object& rule, std::string_view name, std::vector<Id>& out) {
  const json::value* list = rule.if_contains(name);
  if (list == nullptr || !list->is_array()) return invalid("an owner rule lacks its " + std::string(name));
  for (const json::value& id : list->get_array()) {
    if (!id.is_string()) return invalid("an owner rule names something that is no id");
    out.push_back({std::string(id.get_string())});
  }
  return Ok{};
}

Result<OwnerRule> read_rule(const json::value& value) {
  if (!value.is_object()) return invalid("an owner rule is a JSON object");
  const json::object& rule = value.get_object();
  const json::value* pattern = rule.if_contains("pattern");
  if (pattern == nullptr || !pattern->is_string()) return invalid("an owner rule lacks its pattern");
  NamePattern read = TRY(NamePattern::of(std::string_view(pattern->get_string())));
  OwnerRule out{std::move(read), {}, {}};
  TRY(read_ids(rule, "teams", out.teams));
  TRY(read_ids(rule, "people", out.people));
  const std::size_t owners = out.teams.size() + out.people.size();
  if (out.pattern.negated() != (owners == 0)) {
    return invalid("a rule names owners, and one that begins with ! names none");
  }
  if (owners > kMaxOwners) return invalid("a rule names at most " + std::to_string(kMaxOwners) + " owners");
  return out;
}

}  // namespace

std::optional<OwnedBy> owners_of(const OwnerRules& rules, std::string_view name) {
  const std::string skeleton = skeleton_of(name);
  const auto last = std::find_if(rules.rules.rbegin(), rules.rules.rend(),
                                 [&](const OwnerRule& rule) { return rule.pattern.matches(skeleton); });
  if (last == rules.rules.rend() || last->pattern.negated()) return std::nullopt;
  return OwnedBy{last->pattern.text(),
                 {last->teams.begin(), last->teams.end()},
                 {last->people.begin(), last->people.end()}};
}

std::string canonical_owners(const OwnerRules& rules) {
  json::array out;
  for (const OwnerRule& rule : rules.rules) {
    out.push_back(json::object{
        {"pattern", rule.pattern.text()}, {"teams", ids(rule.teams)}, {"people", ids(rule.people)}});
  }
  auto text = canonical_json(json::value(std::move(out)));
  CHECK(text.ok(), "owner rules hold texts only");
  return *std::move(text);
}

Result<OwnerRules> owners_from_json(std::string_view text, std::int64_t version) {
  const json::value document = TRY(parse_json(text, kLimits));
  if (!document.is_array()) return invalid("owner rules are a JSON list");
  if (document.get_array().size() > kMaxOwnerRules) {
    return invalid("there are at most " + std::to_string(kMaxOwnerRules) + " owner rules");
  }
  OwnerRules out{version, {}};
  for (const json::value& rule : document.get_array()) out.rules.push_back(TRY(read_rule(rule)));
  return out;
}

std::string digest_of(const OwnerRules& rules) {
  Sha256 hash;
  hash.add(kDigestTag).add(canonical_owners(rules));
  return "sha256:" + to_hex(hash.finish());
}

bool weakens(const OwnerRules& before, const OwnerRules& after) {
  return !before.rules.empty() && before.rules != after.rules;
}

}  // namespace imprimatur

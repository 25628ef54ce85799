#include "http/api/registry_json.h"

#include "base/json.h"
#include "domain/diff_json.h"

#include <boost/json.hpp>

namespace imprimatur::http {
namespace {

namespace json = boost::json;

// What this program itself wrote, as values. Anything else in its place is a broken store.
json::object stored_object(std::string_view text) {
  constexpr JsonLimits kStored{.bytes = 64 * 1024 * 1024, .depth = 128, .values = 10'000'000};
  auto parsed = parse_json(text, kStored);
  if (!parsed.ok() || !parsed->is_object()) throw std::runtime_error("a stored JSON text is not readable");
  return std::move(parsed).value().get_object();
}

json::array names(const std::vector<Action>& actions) {
  json::array out;
  for (const Action action : actions) out.emplace_back(name_of(action));
  return out;
}

json::object numbers(const std::map<std::string, std::int64_t>& map) {
  json::object out;
  for (const auto& [name, number] : map) out[name] = number;
  return out;
}

json::array strings(const std::vector<std::string>& texts) {
  json::array out;
  for (const std::string& text : texts) out.emplace_back(text);
  return out;
}

json::value time_or_null(Time time) { return time == Time{} ? json::value() : json::value(to_rfc3339(time)); }

json::value positive_or_null(std::int64_t number) { return number > 0 ? json::value(number) : json::value(); }

// As it is stored, with names for ids, and with what it does not use.
json::object protection_json(const Protection& protection, const registry::ProtectionNames& names) {
  json::object out = stored_object(canonical_protection(registry::named(protection, names)));
  for (const std::string& unknown : protection.unknown) out.erase(unknown);
  out["version"] = protection.version;
  const auto complete = [](json::object& object, json::object defaults) {
    for (const auto& [name, value] : defaults) {
      if (!object.contains(name)) object[name] = value;
    }
  };
  complete(out, {{"tiers", json::array()},
                 {"checkRules", json::object()},
                 {"scan",
                  {{"worst", "HIGH"}, {"blockedCategories", json::array()}, {"blockedRules", json::array()}}},
                 {"checklist", json::array()},
                 {"dismissBy", "admin"},
                 {"path", nullptr},
                 {"freezes", json::array()},
                 {"change", json::object()}});
  complete(out["approvals"].as_object(), {{"owners", false}});
  for (json::value& tier : out["tiers"].as_array()) {
    complete(tier.at("approvals").as_object(), {{"owners", false}});
  }
  for (json::value& window : out["freezes"].as_array()) {
    complete(window.as_object(), {{"from", nullptr},
                                  {"until", nullptr},
                                  {"cron", nullptr},
                                  {"minutes", nullptr},
                                  {"overrideBy", nullptr}});
  }
  complete(out["change"].as_object(), {{"message", false},
                                       {"ticket", nullptr},
                                       {"maxBytes", nullptr},
                                       {"stableSemver", false},
                                       {"largestBump", nullptr},
                                       {"variables", json::array()},
                                       {"tags", json::array()},
                                       {"configKeys", json::array()}});
  return out;
}

// The names stand beside the ids only here: the journal and its digests know none.
json::object named(json::object gate, const registry::Displays& displays) {
  for (json::value& requirement : gate.at("requirements").as_array()) {
    for (json::value& verdict : requirement.at("verdicts").as_array()) {
      const PrincipalId by{std::string(verdict.at("by").as_string())};
      const auto display = displays.find(by);
      verdict.as_object()["displayName"] = display == displays.end() ? by.text : display->second;
    }
  }
  return gate;
}

json::array checklist_json(const std::vector<Question>& checklist) {
  json::array out;
  for (const Question& question : checklist) {
    out.push_back(json::object{{"id", question.id}, {"question", question.text}});
  }
  return out;
}

// Whoever set it aside last; whether that counts, the gate says.
json::value dismissal_json(const registry::ReviewView& view, const Verdict& verdict) {
  json::value out;
  for (const Dismissal& dismissal : view.dismissals) {
    if (dismissal.verdict != verdict.number) continue;
    out = json::object{{"by", actor_json(dismissal.by, view.displays)},
                       {"reason", dismissal.reason},
                       {"createdAt", to_rfc3339(dismissal.at)}};
  }
  return out;
}

json::array owner_rules_json(const OwnerRules& rules, const registry::OwnersView& view) {
  json::array out;
  for (const OwnerRule& rule : rules.rules) {
    json::array owners;
    for (const TeamId& team : rule.teams) {
      const auto name = view.teams.find(team);
      owners.emplace_back("@" + (name == view.teams.end() ? team.text : name->second));
    }
    for (const PrincipalId& person : rule.people) owners.emplace_back(view.emails.at(person));
    out.push_back(json::object{{"pattern", rule.pattern.text()}, {"owners", std::move(owners)}});
  }
  return out;
}

}  // namespace

json::object owners_json(const registry::OwnersView& view) {
  json::value pending;
  if (view.proposal) {
    pending = json::object{{"rules", owner_rules_json(view.proposal->rules, view)},
                           {"proposedBy", actor_json(view.proposal->by, view.displays)},
                           {"proposedAt", to_rfc3339(view.proposal->at)},
                           {"expiresAt", to_rfc3339(view.proposal->at + registry::kProposalLives)}};
  }
  return {{"version", view.rules.version},
          {"rules", owner_rules_json(view.rules, view)},
          {"pending", std::move(pending)}};
}

std::string prefixed(const Hash256& hash) { return "sha256:" + to_hex(hash); }

json::value id_or_null(const std::string& id) { return id.empty() ? json::value() : json::value(id); }

json::object actor_json(const PrincipalId& id, const registry::Displays& displays) {
  const auto display = displays.find(id);
  const std::string_view kind = id.text.starts_with("usr_")   ? "person"
                                : id.text.starts_with("svc_") ? "service_account"
                                                              : "system";
  return {{"id", id.text},
          {"kind", kind},
          {"displayName", display == displays.end() ? id.text : display->second}};
}

json::object prompt_json(const registry::ArtifactView& view) {
  const Artifact& artifact = view.artifact;
  return {{"id", artifact.id.text},
          {"project", view.project},
          {"name", artifact.name},
          {"kind", name_of(artifact.kind)},
          {"type", name_of(artifact.type)},
          {"tags", strings(artifact.tags)},
          {"latestVersion", artifact.latest_version},
          {"state", name_of(artifact.latest_state)},
          {"live", numbers(view.live)},
          {"labels", numbers(view.labels)},
          {"createdBy", actor_json(artifact.created_by, view.displays)},
          {"createdAt", to_rfc3339(artifact.created_at)},
          {"updatedAt", to_rfc3339(artifact.changed_at)}};
}

json::object scan_json(const ScanRecord& scan, std::string_view ruleset) {
  json::object out = stored_object(scan.report);
  out["id"] = scan.id.text;
  out["current"] = scan.ruleset == ruleset;
  out["createdAt"] = to_rfc3339(scan.created_at);
  return out;
}

json::object version_json(const registry::VersionView& view, std::string_view ruleset) {
  const Version& version = view.version;
  json::object content = stored_object(version.content);
  json::array reviews;
  for (const Review& review : view.reviews) {
    const auto environment = view.environments.find(review.environment);
    reviews.push_back(
        json::object{{"id", review.id.text},
                     {"state", name_of(review.state)},
                     {"environment", environment == view.environments.end() ? "" : environment->second},
                     {"cycle", review.cycle}});
  }
  json::object out{
      {"prompt", version.artifact.text},
      {"name", view.content.name},
      {"kind", name_of(view.content.kind)},
      {"type", name_of(view.content.type)},
      {"number", version.number},
      {"semver", version.semver},
      {"state", name_of(version.state)},
      {"archiveReason",
       version.reason == ArchiveReason::none ? json::value() : json::value(name_of(version.reason))},
      {"digest", version.digest}};
  // What the digest covers, as it was hashed.
  for (const std::string_view field :
       {"content", "messages", "variables", "model", "config", "tools", "outputSchema", "layers", "lock"}) {
    out[field] = std::move(content.at(field));
  }
  out["message"] = version.message;
  out["author"] = actor_json(version.author, view.displays);
  out["baseVersion"] = positive_or_null(version.base_version);
  out["createdAt"] = to_rfc3339(version.created_at);
  out["scan"] = view.scan ? json::value(scan_json(*view.scan, ruleset)) : json::value();
  out["reviews"] = std::move(reviews);
  out["allowedActions"] = names(view.allowed);
  return out;
}

json::object gate_json(const GateAnswer& gate, const registry::Displays& displays) {
  return named(stored_object(canonical_gate(gate)), displays);
}

json::object check_json(const CheckReport& report, const registry::Displays& displays) {
  return {{"id", report.id},
          {"name", report.name},
          {"digest", report.digest},
          {"status", name_of(report.status)},
          {"summary", report.summary},
          {"url", report.url.empty() ? json::value() : json::value(report.url)},
          {"source", actor_json(report.by, displays)},
          {"createdAt", to_rfc3339(report.at)}};
}

json::object accepted_json(const AcceptedFinding& accepted, const registry::Displays& displays) {
  return {{"id", accepted.id},
          {"rule", accepted.rule},
          {"digest", accepted.digest},
          {"reason", accepted.reason},
          {"acceptedBy", actor_json(accepted.by, displays)},
          {"createdAt", to_rfc3339(accepted.at)},
          {"expiresAt", to_rfc3339(accepted.expires)}};
}

json::object review_json(const registry::ReviewView& view) {
  const Review& review = view.review;
  json::array items, verdicts;
  std::vector<GateItem> together;
  for (std::size_t i = 0; i < review.items.size(); ++i) {
    const ReviewItem& item = review.items[i];
    items.push_back(json::object{{"prompt", item.artifact.text},
                                 {"name", view.names[i]},
                                 {"version", item.version},
                                 {"digest", item.digest},
                                 {"base", id_or_null(item.base.text)}});
    together.push_back({.artifact = item.artifact, .version = item.version, .digest = item.digest});
  }
  for (const Verdict& verdict : view.verdicts) {
    verdicts.push_back(json::object{
        {"number", verdict.number},
        {"by", actor_json(verdict.by, view.displays)},
        {"verdict", name_of(verdict.kind)},
        {"cycle", verdict.cycle},
        {"comment", verdict.comment},
        {"checklist", verdict.answers.empty() ? json::value() : json::value(stored_object(verdict.answers))},
        {"dismissed", dismissal_json(view, verdict)},
        {"createdAt", to_rfc3339(verdict.at)}});
  }
  return {{"id", review.id.text},
          {"project", view.project},
          {"state", name_of(review.state)},
          {"environment", view.environment},
          {"cycle", review.cycle},
          {"items", std::move(items)},
          {"itemsDigest", items_digest_of(together)},
          {"verdicts", std::move(verdicts)},
          {"checklist", checklist_json(view.checklist)},
          {"gate", gate_json(view.gate, view.displays)},
          {"allowedActions", names(view.allowed)},
          {"comment", review.comment},
          {"protectionVersion", review.protection_version},
          {"submittedBy", actor_json(review.submitted_by, view.displays)},
          {"createdAt", to_rfc3339(review.created_at)},
          {"updatedAt", to_rfc3339(review.changed_at)}};
}

json::object comment_json(const Comment& comment, const registry::Displays& displays) {
  return {{"id", comment.id},        {"review", comment.review.text},
          {"cycle", comment.cycle},  {"author", actor_json(comment.by, displays)},
          {"comment", comment.text}, {"createdAt", to_rfc3339(comment.at)}};
}

json::object release_json(const registry::ReleaseView& view) {
  const Release& release = view.release;
  return {{"id", release.id.text},
          {"changeSet", release.change_set},
          {"prompt", release.artifact.text},
          {"name", view.name},
          {"environment", view.environment},
          {"version", release.version},
          {"semver", view.semver},
          {"digest", release.digest},
          {"kind", name_of(release.kind)},
          {"review", id_or_null(release.review.text)},
          {"replaced", id_or_null(release.replaced.text)},
          {"previous", id_or_null(release.previous.text)},
          {"rollout", nullptr},
          {"protectionVersion", release.protection_version},
          {"protectionMet", release.protection_met},
          {"gate", named(stored_object(release.gate), view.displays)},
          {"reason", release.reason},
          {"createdBy", actor_json(release.by, view.displays)},
          {"createdAt", to_rfc3339(release.at)},
          {"status", name_of(release.end)},
          {"endedAt", time_or_null(release.ended_at)}};
}

json::object environment_json(const registry::EnvironmentView& view) {
  const Environment& environment = view.environment;
  json::value pending;
  if (view.proposal) {
    const Environment& wanted = view.proposal->environment;
    pending = json::object{{"order", wanted.order},
                           {"protection", protection_json(wanted.protection, view.names)},
                           {"protectionDigest", digest_of(wanted.protection)},
                           {"proposedBy", actor_json(view.proposal->by, view.displays)},
                           {"proposedAt", to_rfc3339(wanted.changed_at)},
                           {"expiresAt", to_rfc3339(wanted.changed_at + registry::kProposalLives)}};
  }
  return {
      {"id", environment.id.text},     {"name", environment.name},
      {"order", environment.order},    {"protection", protection_json(environment.protection, view.names)},
      {"pending", std::move(pending)}, {"changedAt", to_rfc3339(environment.changed_at)}};
}

json::object label_json(const Label& label, const registry::Displays& displays) {
  return {{"name", label.name},
          {"version", label.version},
          {"updatedBy", actor_json(label.by, displays)},
          {"updatedAt", to_rfc3339(label.at)}};
}

json::object diff_json(const registry::DiffView& view) {
  json::object out = to_json(view.diff);
  out["from"] = view.from;
  out["to"] = view.to;
  out["effective"] = view.effective ? json::value(to_json(*view.effective)) : json::value();
  return out;
}

json::object effective_json(const registry::EffectiveView& view) {
  const json::object whole = stored_object(canonical_content(view.effective));
  json::object out{{"prompt", view.version.artifact.text},
                   {"number", view.version.number},
                   {"digest", view.version.digest}};
  for (const std::string_view field : {"name", "kind", "type", "semver", "content", "messages", "variables",
                                       "model", "config", "tools", "outputSchema", "lock"}) {
    out[field] = whole.at(field);
  }
  return out;
}

json::object entry_json(const journal::Entry& entry) {
  return {{"journal", entry.journal},
          {"seq", entry.seq},
          {"time", to_rfc3339(entry.time)},
          {"actor", entry.event.actor.text},
          {"action", entry.event.action},
          {"resource", entry.event.resource},
          {"details", stored_object(entry.event.details)},
          {"previousHash", prefixed(entry.previous)},
          {"hash", prefixed(entry.hash)}};
}

json::object checkpoint_json(const store::Head& head) {
  return {{"journal", head.journal},
          {"size", head.size},
          {"rootHash", prefixed(head.frontier.root())},
          {"lastHash", prefixed(head.last_hash)},
          {"publicKey", to_base64(head.public_key)},
          {"signature", to_base64(head.signature)}};
}

}  // namespace imprimatur::http

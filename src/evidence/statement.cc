#include "evidence/statement.h"

#include "base/hash.h"
#include "base/json.h"
#include "evidence/evidence.h"
#include "journal/merkle.h"
#include "store/identity_rows.h"
#include "store/registry_rows.h"

#include <algorithm>
#include <map>

#include <boost/json.hpp>

namespace imprimatur::evidence {
namespace {

namespace json = boost::json;

constexpr std::string_view kStatement = "https://in-toto.io/Statement/v1";
constexpr std::string_view kDigestPrefix = "sha256:";

std::string digest_text(const Hash256& hash) { return std::string(kDigestPrefix) + to_hex(hash); }

json::value id_or_null(const std::string& id) { return id.empty() ? json::value() : json::value(id); }

json::object as_value(const json::object& details, std::initializer_list<std::string_view> names) {
  json::object out;
  for (const std::string_view name : names) {
    const json::value* value = details.if_contains(name);
    out[name] = value == nullptr ? json::value() : *value;
  }
  return out;
}

class Statement {
 public:
  Statement(store::Tx& tx, const registry::ArtifactScene& scene, const store::Head& head,
            const journal::Note& note)
      : tx_(tx),
        scene_(scene),
        head_(head),
        note_(note),
        words_visible_(scene.caller.may(Permission::read_drafts)) {}

  Result<json::object> of(const Release& release);

 private:
  const std::string& journal() const { return head_.journal; }
  void cite(const Told& one) { cited_.emplace(one.entry.seq, one.entry); }
  // Those about the resource that came no later than the deploy.
  std::vector<Told> before(const std::string& resource) const {
    return told_about(tx_, journal(), resource, deploy_->by.entry.seq);
  }
  json::object named(const std::string& resource, std::string_view action, const std::string& id,
                     const std::string& name);
  json::object release_part(const Made& last, const std::vector<Made>& chain);
  json::object version_part(const Release& release);
  json::object protection_part(std::int64_t version);
  json::object gate_part();
  json::value review_part();
  json::array verdicts(const std::vector<Told>& all);
  json::array scans();
  Result<json::object> contributors_part();
  json::array proved();

  store::Tx& tx_;
  const registry::ArtifactScene& scene_;
  const store::Head& head_;
  const journal::Note& note_;
  const bool words_visible_;
  const Made* deploy_ = nullptr;  // what let the version through
  std::map<std::uint64_t, journal::Entry> cited_;
};

// Something by its id, with its name where that is the one whose digest the journal has.
json::object Statement::named(const std::string& resource, std::string_view action, const std::string& id,
                              const std::string& name) {
  for (const Told& one : before(resource)) {
    if (one.entry.event.action != action) continue;
    cite(one);
    require_digest(one.text("nameDigest"), name, "the name of " + resource);
    return {{"id", id}, {"name", name}};
  }
  throw store::DataBroken("no entry tells of " + resource);
}

json::object Statement::release_part(const Made& last, const std::vector<Made>& chain) {
  const Release& release = last.release;
  json::array restores;
  for (std::size_t i = 1; i < chain.size(); ++i) restores.emplace_back(chain[i].release.id.text);
  return {{"id", release.id.text},
          {"changeSet", release.change_set},
          {"kind", name_of(release.kind)},
          {"at", to_rfc3339(release.at)},
          {"by", actor(tx_, release.by.text)},
          {"reason", words(last.by.text("reason"), release.salt, release.reason, words_visible_)},
          {"replaced", id_or_null(release.replaced.text)},
          {"restores", std::move(restores)},
          {"letThroughBy", deploy_->release.id.text},
          {"protectionMet", release.protection_met}};
}

json::object Statement::version_part(const Release& release) {
  const Version version =
      store::present(store::version(tx_, release.artifact, release.version), "a released version");
  const std::string resource = "version:" + version.artifact.text + "/" + std::to_string(version.number);
  const auto all = before(resource);
  const auto saved =
      std::ranges::find_if(all, [](const Told& one) { return one.entry.event.action == "version.saved"; });
  if (saved == all.end() || saved->text("digest") != version.digest || version.digest != release.digest ||
      digest_of_canonical(version.content) != version.digest) {
    throw store::DataBroken("the content of " + resource + " is not what the journal says");
  }
  cite(*saved);
  // Whoever may not read drafts sees what is live.
  const bool shown = words_visible_ || release.end == ReleaseEnd::live;
  json::object out = named("artifact:" + version.artifact.text, "artifact.created", version.artifact.text,
                           scene_.artifact.name);
  out["number"] = version.number;
  out["semver"] = version.semver;
  out["digest"] = version.digest;
  out["author"] = actor(tx_, saved->text("author"));
  const std::string accountable = saved->text("accountable");
  out["accountable"] = accountable.empty() ? json::value() : json::value(actor(tx_, accountable));
  out["savedAt"] = to_rfc3339(saved->entry.time);
  out["message"] = words(saved->text("message"), version.salt, version.message, words_visible_);
  out["content"] = shown ? json::value(stored_object(version.content, resource)) : json::value();
  return out;
}

json::object Statement::protection_part(std::int64_t version) {
  const EnvironmentId& environment = deploy_->release.environment;
  const auto rule =
      store::present(store::protection(tx_, environment, version), "the protection of a release");
  const std::string digest = digest_of(rule);
  auto all = before("environment:" + environment.text);
  std::reverse(all.begin(), all.end());
  for (const Told& one : all) {
    if (one.entry.event.action != "environment.changed" || one.number("protectionVersion") != version)
      continue;
    if (one.text("protectionDigest") != digest) break;
    cite(one);
    return {{"version", version},
            {"digest", digest},
            {"rule", stored_object(canonical_protection(rule), "a protection")}};
  }
  throw store::DataBroken("the protection of release " + deploy_->release.id.text +
                          " is not the one of the journal");
}

json::object Statement::gate_part() {
  const std::string digest = deploy_->by.text("gate");
  require_digest(digest, deploy_->release.gate, "the gate answer of " + deploy_->release.id.text);
  return {{"digest", digest}, {"answer", stored_object(deploy_->release.gate, "a gate answer")}};
}

json::array Statement::verdicts(const std::vector<Told>& all) {
  const std::vector<Verdict> rows = store::verdicts(tx_, deploy_->release.review);
  json::array out;
  for (const Told& one : all) {
    if (one.entry.event.action != "verdict.given") continue;
    if (out.size() == rows.size()) throw store::DataBroken("a verdict is missing");
    const Verdict& row = rows[out.size()];
    json::object verdict =
        as_value(one.details, {"verdict", "cycle", "itemsDigest", "baseDigest", "protectionVersion"});
    verdict["by"] = actor(tx_, one.text("person"));
    verdict["at"] = to_rfc3339(one.entry.time);
    verdict["comment"] = words(one.text("comment"), row.salt, row.comment, words_visible_);
    verdict["seq"] = one.entry.seq;
    out.push_back(std::move(verdict));
  }
  return out;
}

// Of every cycle, with the items of the one that was let through.
json::value Statement::review_part() {
  const ReviewId& id = deploy_->release.review;
  if (id.empty()) return nullptr;
  const Review row = store::present(store::review(tx_, id), "the review of a release");
  const auto all = before("review:" + id.text);
  json::object out = {{"id", id.text}};
  std::int64_t protection = 0;
  for (const Told& one : all) {
    const std::string& action = one.entry.event.action;
    if (action == "review.commented") continue;  // a conversation lets nothing through
    cite(one);
    if (action == "review.submitted") {
      out["submittedBy"] = actor(tx_, one.entry.event.actor.text);
      out["submittedAt"] = to_rfc3339(one.entry.time);
      out["comment"] = words(one.text("comment"), row.salt, row.comment, words_visible_);
    }
    if (action == "review.submitted" || action == "review.moved") {
      out["cycle"] = one.number("cycle");
      out["items"] = as_value(one.details, {"items"}).at("items");
      protection = one.number("protectionVersion");
    }
  }
  if (protection == 0) throw store::DataBroken("no entry tells of review " + id.text);
  out["protection"] = protection_part(protection);
  out["verdicts"] = verdicts(all);
  return out;
}

json::array Statement::scans() {
  const Release& release = deploy_->release;
  json::array out;
  for (const Told& one : before("version:" + release.artifact.text + "/" + std::to_string(release.version))) {
    if (one.entry.event.action != "scan.recorded") continue;
    cite(one);
    json::object scan = as_value(one.details, {"status", "scoreTenths", "critical", "ruleset", "report"});
    scan["id"] = one.text("scan");
    scan["at"] = to_rfc3339(one.entry.time);
    scan["by"] = actor(tx_, one.entry.event.actor.text);
    scan["seq"] = one.entry.seq;
    out.push_back(std::move(scan));
  }
  return out;
}

Result<json::object> Statement::contributors_part() {
  const Contributions found = TRY(contributions(tx_, *deploy_));
  for (const Told& saved : found.saved) cite(saved);
  json::array people;
  for (const auto& [id, versions] : found.versions) {
    people.push_back(
        {{"by", actor(tx_, id.text)}, {"versions", json::array(versions.begin(), versions.end())}});
  }
  return json::object{{"after", found.after}, {"people", std::move(people)}};
}

// The entries with the path from each to the root of the checkpoint.
json::array Statement::proved() {
  std::vector<std::uint64_t> indexes;
  for (const auto& [seq, entry] : cited_) indexes.push_back(seq - 1);
  const auto proofs = journal::inclusion_proofs(
      head_.size, indexes, [&](std::uint64_t begin, std::uint64_t end, const auto& take) {
        store::each_leaf(tx_, journal(), begin, end, take);
      });
  if (proofs.root != head_.frontier.root()) {
    throw store::DataBroken("the entries of journal " + journal() + " are not those of its head");
  }
  json::array out;
  std::size_t place = 0;
  for (const auto& [seq, entry] : cited_) {
    json::object shown = stored_object(journal::exported_entry(entry), "an entry");
    json::array path;
    for (const Hash256& hash : proofs.paths[place++]) path.emplace_back(digest_text(hash));
    shown["path"] = std::move(path);
    out.push_back(std::move(shown));
  }
  return out;
}

Result<json::object> Statement::of(const Release& release) {
  const std::vector<Made> chain = chain_of(tx_, release);
  deploy_ = &chain.back();
  for (const Made& one : chain) cite(one.by);
  json::object predicate;
  predicate["release"] = release_part(chain.front(), chain);
  json::object version = version_part(release);
  const Environment environment = registry::environment_by_id(tx_, release.project, release.environment);
  const Project& project = scene_.caller.project();
  predicate["project"] =
      named("project:" + project.id.text, "project.created", project.id.text, project.name);
  predicate["environment"] = named("environment:" + environment.id.text, "environment.changed",
                                   environment.id.text, environment.name);
  predicate["protection"] = protection_part(deploy_->release.protection_version);
  predicate["gate"] = gate_part();
  predicate["review"] = review_part();
  predicate["scans"] = scans();
  predicate["contributors"] = TRY(contributors_part());
  if (cited_.size() > kMaxEvidenceEntries) {
    return unprocessable("More than " + std::to_string(kMaxEvidenceEntries) +
                         " entries stand behind this release; the audit log lists them.");
  }
  predicate["journal"] = json::object{{"id", journal()},
                                      {"publicKey", to_base64(head_.public_key)},
                                      {"checkpoint", note_.to_text()},
                                      {"entries", proved()}};
  const std::string name = scene_.artifact.name + "@" + std::string(version.at("semver").as_string());
  predicate["version"] = std::move(version);
  const std::string hex = release.digest.substr(std::min(kDigestPrefix.size(), release.digest.size()));
  return json::object{{"_type", kStatement},
                      {"subject", json::array{json::object{{"name", name}, {"digest", {{"sha256", hex}}}}}},
                      {"predicateType", kReleasePredicate},
                      {"predicate", std::move(predicate)}};
}

}  // namespace

Result<std::string> release_statement(store::Tx& tx, const registry::ArtifactScene& scene,
                                      const Release& release, const store::Head& head,
                                      const journal::Note& note) {
  const json::object made = TRY(Statement(tx, scene, head, note).of(release));
  auto text = canonical_json(made);
  if (!text.ok()) throw store::DataBroken("evidence that cannot be written: " + text.error().detail);
  return *std::move(text);
}

}  // namespace imprimatur::evidence

#include "evidence/statement.h"

#include "base/hash.h"
#include "base/json.h"
#include "evidence/evidence.h"
#include "journal/merkle.h"
#include "store/identity_rows.h"
#include "store/registry_rows.h"

#include <algorithm>
#include <map>
#include <set>

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
  // Those it names by their ids, as people know them now.
  std::map<PrincipalId, std::string> names() const;

 private:
  const std::string& journal() const { return head_.journal; }
  void cite(const Told& one) { cited_.emplace(one.entry.seq, one.entry); }
  json::object actor_by(const std::string& id) {
    people_.insert({id});
    return {{"id", id}};
  }
  // Those about the resource that came no later than the deploy.
  std::vector<Told> before(const std::string& resource) const {
    return told_about(tx_, journal(), resource, deploy_->by.entry.seq);
  }
  json::object named(const std::string& resource, std::string_view action, const std::string& id,
                     const std::string& name);
  json::object release_part(const Made& last, const std::vector<Made>& chain);
  json::object version_part(const Release& release);
  json::object protection_part(std::int64_t version);
  json::object gate_part() const;
  json::value review_part();
  json::array verdicts(const Reviewed& review);
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
  std::set<PrincipalId> people_;
};

std::map<PrincipalId, std::string> Statement::names() const {
  std::map<PrincipalId, std::string> out;
  for (const PrincipalId& id : people_) {
    if (std::string name = store::display_of(tx_, id); name != id.text) out.emplace(id, std::move(name));
  }
  return out;
}

// Something by its id, with its name where that is the one whose digest the journal has.
json::object Statement::named(const std::string& resource, std::string_view action, const std::string& id,
                              const std::string& name) {
  cite(naming(tx_, journal(), resource, action, name, deploy_->by.entry.seq));
  return {{"id", id}, {"name", name}};
}

json::object Statement::release_part(const Made& last, const std::vector<Made>& chain) {
  const Release& release = last.release;
  json::array restores;
  for (std::size_t i = 1; i < chain.size(); ++i) restores.emplace_back(chain[i].release.id.text);
  return {{"id", release.id.text},
          {"changeSet", release.change_set},
          {"kind", name_of(release.kind)},
          {"at", to_rfc3339(release.at)},
          {"by", actor_by(release.by.text)},
          {"reason", words(last.by.text("reason"), release.salt, release.reason, words_visible_)},
          {"replaced", id_or_null(release.replaced.text)},
          {"restores", std::move(restores)},
          {"letThroughBy", deploy_->release.id.text},
          {"protectionMet", release.protection_met}};
}

json::object Statement::version_part(const Release& release) {
  const Saved saved = saved_version(tx_, release.project, {release.artifact, release.version}, release.digest,
                                    deploy_->by.entry.seq);
  const Version& version = saved.row;
  cite(saved.by);
  // Whoever may not read drafts sees what is live.
  const bool shown = words_visible_ || release.end == ReleaseEnd::live;
  json::object out = named("artifact:" + version.artifact.text, "artifact.created", version.artifact.text,
                           scene_.artifact.name);
  out["number"] = version.number;
  out["semver"] = saved.semver;
  out["digest"] = version.digest;
  out["author"] = actor_by(saved.by.text("author"));
  const std::string accountable = saved.by.text("accountable");
  out["accountable"] = accountable.empty() ? json::value() : json::value(actor_by(accountable));
  out["savedAt"] = to_rfc3339(saved.by.entry.time);
  out["message"] = words(saved.by.text("message"), version.salt, version.message, words_visible_);
  out["content"] = shown ? json::value(saved.content) : json::value();
  return out;
}

json::object Statement::protection_part(std::int64_t version) {
  const Release& release = deploy_->release;
  const InForce found = in_force(tx_, release.project, release.environment, version, deploy_->by.entry.seq);
  cite(found.by);
  return {{"version", version},
          {"digest", digest_of(found.rule)},
          {"rule", stored_object(canonical_protection(found.rule), "a protection")}};
}

json::object Statement::gate_part() const {
  return {{"digest", deploy_->by.text("gate")},
          {"answer", stored_object(deploy_->release.gate, "a gate answer")}};
}

json::array Statement::verdicts(const Reviewed& review) {
  json::array out;
  for (const Reviewed::Given& given : review.verdicts) {
    const Told& one = given.by;
    json::object verdict =
        as_value(one.details, {"verdict", "cycle", "itemsDigest", "baseDigest", "protectionVersion"});
    verdict["by"] = actor_by(one.text("person"));
    verdict["at"] = to_rfc3339(one.entry.time);
    verdict["comment"] = words(one.text("comment"), given.row.salt, given.row.comment, words_visible_);
    verdict["seq"] = one.entry.seq;
    out.push_back(std::move(verdict));
  }
  return out;
}

// Of every cycle, with the items of the one that was let through.
json::value Statement::review_part() {
  const auto review = reviewed(tx_, *deploy_);
  if (!review) return nullptr;
  for (const Told& one : review->entries) cite(one);
  const Told& submitted = review->submitted;
  return json::object{
      {"id", review->row.id.text},
      {"submittedBy", actor_by(submitted.entry.event.actor.text)},
      {"submittedAt", to_rfc3339(submitted.entry.time)},
      {"comment", words(submitted.text("comment"), review->row.salt, review->row.comment, words_visible_)},
      {"cycle", review->cycle},
      {"items", review->items},
      {"protection", protection_part(review->protection_version)},
      {"verdicts", verdicts(*review)}};
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
    scan["by"] = actor_by(one.entry.event.actor.text);
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
        {{"by", actor_by(id.text)}, {"versions", json::array(versions.begin(), versions.end())}});
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

Result<Stated> release_statement(store::Tx& tx, const registry::ArtifactScene& scene, const Release& release,
                                 const store::Head& head, const journal::Note& note) {
  Statement statement(tx, scene, head, note);
  Stated out;
  out.object = TRY(statement.of(release));
  auto text = canonical_json(out.object);
  if (!text.ok()) throw store::DataBroken("evidence that cannot be written: " + text.error().detail);
  TRY(require_fits(text->size()));
  out.text = *std::move(text);
  out.names = statement.names();
  return out;
}

Status require_fits(std::size_t bytes) {
  constexpr std::size_t kAround = 1024;  // type, key and signature
  constexpr std::size_t kMost = (journal::kMaxEnvelopeBytes - kAround) / 4 * 3;
  if (bytes <= kMost) return Ok{};
  return unprocessable("The evidence of this release has " + std::to_string(bytes) +
                           " bytes; a signed file holds " + std::to_string(kMost) + " at most.",
                       {"the audit log lists the entries, and the release its gate answer"});
}

}  // namespace imprimatur::evidence

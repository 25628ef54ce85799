#include "evidence/let_through.h"

#include "domain/gate_people.h"
#include "store/broken.h"
#include "store/cursor.h"
#include "store/registry_rows.h"

#include <algorithm>
#include <set>

#include <boost/json.hpp>

namespace imprimatur::evidence {

namespace json = boost::json;

namespace {

constexpr std::size_t kMaxContributions = 1000;  // versions between what was live and what came

std::string version_resource(const ArtifactId& artifact, std::int64_t number) {
  return "version:" + artifact.text + "/" + std::to_string(number);
}

bool was_retired(store::Tx& tx, const Made& deploy, std::int64_t version) {
  const Release& release = deploy.release;
  const auto all = told_about(tx, release.project.text, version_resource(release.artifact, version),
                              deploy.by.entry.seq - 1);
  return std::ranges::any_of(all, [&](const Told& one) {
    return one.entry.event.action == "version.retired" && one.text("environment") == release.environment.text;
  });
}

// As the journal has them, oldest first.
std::vector<Made> made_before(store::Tx& tx, const Made& deploy) {
  std::vector<Made> out;
  store::PageRequest page{.limit = store::kMaxPage};
  do {
    auto some = store::releases(tx, deploy.release.artifact, deploy.release.environment, page);
    if (!some.ok()) throw store::DataBroken("the release history: " + some.error().detail);
    for (Release& release : some->items) {
      Made one = made(tx, std::move(release));
      if (one.by.entry.seq < deploy.by.entry.seq) out.push_back(std::move(one));
    }
    page.cursor = some->next_cursor;
  } while (!page.cursor.empty());
  std::ranges::reverse(out);
  return out;
}

// The newest version before this one that others had to approve, and that was neither retired nor rolled back
// from by then; 0 when there is none.
std::int64_t approved_before(store::Tx& tx, const Made& deploy) {
  std::map<ReleaseId, std::int64_t> version_of;
  std::map<std::int64_t, bool> asks;  // of each protection version
  std::set<std::int64_t> taken_back;
  std::set<std::int64_t, std::greater<>> approved;
  for (const Made& one : made_before(tx, deploy)) {
    const Release& release = one.release;
    version_of[release.id] = release.version;
    if (release.kind == ReleaseKind::roll_back) {
      const auto left = version_of.find(release.replaced);
      if (left == version_of.end())
        throw store::DataBroken("the release that was rolled back from is missing");
      taken_back.insert(left->second);
    }
    if (release.version >= deploy.release.version || !release.protection_met) continue;
    const std::int64_t protection = release.protection_version;
    if (!asks.contains(protection)) {
      const InForce then = in_force(tx, release.project, release.environment, protection, one.by.entry.seq);
      asks[protection] = asks_for_people(then.rule.approvals);
    }
    if (asks[protection]) approved.insert(release.version);
  }
  for (const std::int64_t version : approved) {
    if (!taken_back.contains(version) && !was_retired(tx, deploy, version)) return version;
  }
  return 0;
}

// As the gate asked it at that moment (docs/decisions/contributors-give-no-verdict.md): the version that was
// live, where this one was saved after it; else the newest before it that others let through.
std::int64_t vouched_for(store::Tx& tx, const Made& deploy) {
  if (deploy.release.replaced.empty()) return 0;
  const Made live =
      made(tx, store::present(store::release(tx, deploy.release.replaced), "a replaced release"));
  if (live.release.version < deploy.release.version && live.release.protection_met)
    return live.release.version;
  return std::min(approved_before(tx, deploy), live.release.version);
}

std::optional<ReleaseKind> kind_told(const Told& one) {
  if (one.entry.event.action == "release.created") return ReleaseKind::deploy;
  if (one.entry.event.action == "release.rolled_back") return ReleaseKind::roll_back;
  return std::nullopt;
}

// What it says is under the digest that the entry has of it.
void require_gate(const Release& release, const Told& by) {
  require_digest(by.text("gate"), release.gate, "the gate answer of release " + release.id.text);
  const json::object answer = stored_object(release.gate, "the gate answer of release " + release.id.text);
  const json::value* met = answer.if_contains("met");
  if (met == nullptr || !met->is_bool() || met->get_bool() != release.protection_met) {
    throw store::DataBroken("release " + release.id.text + " does not say what its gate answered");
  }
}

bool same_verdict(const Told& one, const Verdict& row) {
  return one.text("person") == row.by.text && one.text("verdict") == name_of(row.kind) &&
         one.number("cycle") == row.cycle && one.text("itemsDigest") == row.items_digest &&
         one.text("baseDigest") == row.base_digest && one.text("environment") == row.environment.text &&
         one.number("protectionVersion") == row.protection_version && one.entry.time == row.at;
}

}  // namespace

Made made(store::Tx& tx, Release release) {
  auto all = told_about(tx, release.project.text, "release:" + release.id.text, UINT64_MAX);
  for (Told& one : all) {
    const bool same =
        one.text("release") == release.id.text && one.text("digest") == release.digest &&
        one.text("artifact") == release.artifact.text && one.number("version") == release.version &&
        one.text("environment") == release.environment.text && one.text("review") == release.review.text &&
        one.text("replaced") == release.replaced.text && one.text("previous") == release.previous.text &&
        one.text("changeSet") == release.change_set &&
        one.number("protectionVersion") == release.protection_version && one.entry.time == release.at &&
        one.entry.event.actor == release.by && kind_told(one) == release.kind;
    if (!same) continue;
    require_gate(release, one);
    return {std::move(release), std::move(one)};
  }
  throw store::DataBroken("release " + release.id.text + " is not the one of the journal");
}

std::vector<Made> chain_of(store::Tx& tx, Release release) {
  std::vector<Made> out;
  out.push_back(made(tx, std::move(release)));
  while (true) {
    const std::string restores = out.back().by.text("restores");
    if (restores.empty()) return out;
    Made next = made(tx, store::present(store::release(tx, {restores}), "a restored release"));
    // What comes before goes back in time, so that this ends.
    if (next.by.entry.seq >= out.back().by.entry.seq)
      throw store::DataBroken("a release restores a later one");
    out.push_back(std::move(next));
  }
}

InForce in_force(store::Tx& tx, const ProjectId& project, const EnvironmentId& environment,
                 std::int64_t version, std::uint64_t last) {
  auto rule = store::present(store::protection(tx, environment, version), "the protection of a release");
  auto all = told_about(tx, project.text, "environment:" + environment.text, last);
  std::ranges::reverse(all);
  for (Told& one : all) {
    if (one.entry.event.action != "environment.changed" || one.number("protectionVersion") != version)
      continue;
    if (one.text("protectionDigest") != digest_of(rule)) break;
    return {std::move(rule), std::move(one)};
  }
  throw store::DataBroken("protection " + std::to_string(version) + " of environment " + environment.text +
                          " is not the one of the journal");
}

Saved saved_version(store::Tx& tx, const ProjectId& project, const VersionRef& version,
                    const std::string& digest, std::uint64_t last) {
  const std::string resource = version_resource(version.artifact, version.number);
  Version row = store::present(store::version(tx, version.artifact, version.number), "a version");
  auto all = told_about(tx, project.text, resource, last);
  const auto saved =
      std::ranges::find_if(all, [](const Told& one) { return one.entry.event.action == "version.saved"; });
  if (saved == all.end() || saved->text("digest") != digest || row.digest != digest ||
      digest_of_canonical(row.content) != digest) {
    throw store::DataBroken("the content of " + resource + " is not what the journal says");
  }
  json::object content = stored_object(row.content, "the content of " + resource);
  const json::value* semver = content.if_contains("semver");
  if (semver == nullptr || !semver->is_string() || std::string_view(semver->get_string()) != row.semver) {
    throw store::DataBroken("the semver of " + resource + " is not the one of its content");
  }
  std::string number = row.semver;
  return {std::move(row), std::move(content), std::move(number), std::move(*saved)};
}

std::optional<Reviewed> reviewed(store::Tx& tx, const Made& deploy) {
  const ReviewId& id = deploy.release.review;
  if (id.empty()) return std::nullopt;
  Reviewed out;
  out.row = store::present(store::review(tx, id), "the review of a release");
  std::vector<Verdict> rows = store::verdicts(tx, id);
  bool submitted = false;
  for (Told& one : told_about(tx, deploy.release.project.text, "review:" + id.text, deploy.by.entry.seq)) {
    const std::string& action = one.entry.event.action;
    if (action == "review.commented") continue;
    if (action == "review.submitted") {
      out.submitted = one;
      submitted = true;
    }
    if (action == "review.submitted" || action == "review.moved") {
      out.cycle = one.number("cycle");
      out.protection_version = one.number("protectionVersion");
      const json::value* items = one.details.if_contains("items");
      out.items = items == nullptr ? json::value() : *items;
    }
    if (action == "verdict.given") {
      const std::size_t place = out.verdicts.size();
      if (place == rows.size() || !same_verdict(one, rows[place])) {
        throw store::DataBroken("a verdict of review " + id.text + " is not the one of the journal");
      }
      out.verdicts.push_back({one, std::move(rows[place])});
    }
    out.entries.push_back(std::move(one));
  }
  if (!submitted) throw store::DataBroken("no entry tells of review " + id.text);
  return out;
}

Result<Contributions> contributions(store::Tx& tx, const Made& deploy) {
  const Release& release = deploy.release;
  Contributions out;
  out.after = vouched_for(tx, deploy);
  for (std::int64_t number = out.after + 1;; ++number) {
    auto all =
        told_about(tx, release.project.text, version_resource(release.artifact, number), deploy.by.entry.seq);
    const auto saved =
        std::ranges::find_if(all, [](const Told& one) { return one.entry.event.action == "version.saved"; });
    if (saved == all.end()) return out;
    if (out.saved.size() == kMaxContributions) {
      return unprocessable("More than " + std::to_string(kMaxContributions) +
                           " versions were saved since the one that was live; the audit log lists them.");
    }
    out.versions[{saved->text("author")}].push_back(number);
    if (const std::string owner = saved->text("accountable"); !owner.empty()) {
      out.versions[{owner}].push_back(number);
    }
    out.saved.push_back(std::move(*saved));
  }
}

}  // namespace imprimatur::evidence

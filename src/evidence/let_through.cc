#include "evidence/let_through.h"

#include "store/broken.h"
#include "store/cursor.h"
#include "store/registry_rows.h"

#include <algorithm>
#include <set>

namespace imprimatur::evidence {
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

std::vector<Release> releases_before(store::Tx& tx, const Made& deploy) {
  std::vector<Release> out;
  bool before = false;
  store::PageRequest page{.limit = store::kMaxPage};
  do {
    auto some = store::releases(tx, deploy.release.artifact, deploy.release.environment, page);
    if (!some.ok()) throw store::DataBroken("the release history: " + some.error().detail);
    for (Release& release : some->items) {
      const bool itself = release.id == deploy.release.id;
      if (before) out.push_back(std::move(release));
      before = before || itself;
    }
    page.cursor = some->next_cursor;
  } while (!page.cursor.empty());
  return out;
}

// The newest version before this one that others had to approve, and that was neither retired nor rolled back
// from by then; 0 when there is none.
std::int64_t approved_before(store::Tx& tx, const Made& deploy) {
  const Release& release = deploy.release;
  const std::vector<Release> earlier = releases_before(tx, deploy);
  std::set<std::int64_t> taken_back;
  std::set<std::int64_t, std::greater<>> approved;
  for (const Release& one : earlier) {
    if (one.end == ReleaseEnd::rolled_back && one.ended_at < release.at) taken_back.insert(one.version);
    if (one.version >= release.version || !one.protection_met) continue;
    const auto protection = store::protection(tx, release.environment, one.protection_version);
    if (protection && protection->asks_for_approvals()) approved.insert(one.version);
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
  const Release live = store::present(store::release(tx, deploy.release.replaced), "a replaced release");
  if (live.version < deploy.release.version && live.protection_met) return live.version;
  return std::min(approved_before(tx, deploy), live.version);
}

}  // namespace

Made made(store::Tx& tx, Release release) {
  auto all = told_about(tx, release.project.text, "release:" + release.id.text, UINT64_MAX);
  for (Told& one : all) {
    const bool same =
        one.text("release") == release.id.text && one.text("digest") == release.digest &&
        one.text("artifact") == release.artifact.text && one.number("version") == release.version &&
        one.text("environment") == release.environment.text && one.text("review") == release.review.text &&
        one.text("replaced") == release.replaced.text &&
        one.number("protectionVersion") == release.protection_version && one.entry.time == release.at &&
        one.entry.event.actor == release.by;
    if (same) return {std::move(release), std::move(one)};
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

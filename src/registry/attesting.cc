// What stands beside verdicts: reported checks, accepted findings, dismissed objections.
#include "domain/name.h"
#include "journal/commitment.h"
#include "registry/caller.h"
#include "registry/concluding.h"
#include "registry/deciding.h"
#include "registry/drafting.h"
#include "registry/events.h"
#include "registry/gating.h"
#include "registry/outcome.h"
#include "registry/reading.h"
#include "registry/registry.h"
#include "registry/writing.h"
#include "store/registry_rows.h"
#include "store/requirement_rows.h"

#include <algorithm>

namespace imprimatur::registry {
namespace {

constexpr std::size_t kMaxRuleBytes = 100;

Status require_url(std::string_view url) {
  if (url.empty()) return Ok{};
  const bool web = url.starts_with("https://") || url.starts_with("http://");
  const bool plain = std::all_of(url.begin(), url.end(), [](char c) { return c > 0x20 && c < 0x7F; });
  if (web && plain && url.size() <= kMaxUrlBytes) return Ok{};
  return invalid_field("url", "must be an http or https address of at most " + std::to_string(kMaxUrlBytes) +
                                  " printable ASCII characters");
}

Status require_digest(const Version& version, std::string_view stated) {
  if (stated == version.digest) return Ok{};
  return conflict("The version has another digest than the one stated; look at the version again.");
}

Status require_found(store::Tx& tx, const Version& version, const std::string& rule) {
  const auto scan = store::latest_scan(tx, version.artifact, version.number);
  if (scan && scan->digest == version.digest && scan->status != "error") {
    const auto found = weaknesses_in(*scan);
    if (std::any_of(found.begin(), found.end(), [&](const auto& each) { return each.rule == rule; })) {
      return Ok{};
    }
  }
  return unprocessable("There is nothing to accept: the latest scan of the version found nothing by " + rule +
                       ".");
}

// One's own objection anybody takes back; another's is set aside by who may and did not contribute.
Status require_may_dismiss(store::Tx& tx, const ReviewScene& scene, const Verdict& verdict,
                           std::string_view reason) {
  const Principal& who = scene.caller.principal();
  if (verdict.by == who.id && who.interactive()) return Ok{};
  TRY(scene.caller.require(Permission::give_verdict));
  const Role needed = scene.environment.protection.dismissers;
  if (scene.caller.membership()->role < needed) {
    return forbidden("Only somebody who is at least " + std::string(name_of(needed)) +
                     " may set another's objection aside.");
  }
  if (contributors(tx, scene.review).contains(who.id)) {
    return forbidden("You contributed to this change, so somebody else has to judge the objection.");
  }
  if (reason.empty()) return invalid_field("reason", "say why the objection is set aside");
  return Ok{};
}

Result<Verdict> objection_numbered(store::Tx& tx, const ReviewId& review, std::int64_t number) {
  for (Verdict& verdict : store::verdicts(tx, review)) {
    if (verdict.number != number) continue;
    if (verdict.kind == VerdictKind::approve) {
      return unprocessable("Verdict " + std::to_string(number) + " is an approval, no objection.",
                           {"to take an approval back, request changes"});
    }
    return std::move(verdict);
  }
  return invalid_field("verdict", "is no verdict of this review");
}

}  // namespace

Result<std::string> Registry::report_check(const Command& command, const VersionRef& place,
                                           WantedCheck wanted) {
  const std::string name = TRY(checked_short_name(wanted.name));
  if (name == kScanCheck) return invalid_field("name", "\"scan\" is this program's own check");
  wanted.summary = TRY(checked_message("summary", std::move(wanted.summary)));
  TRY(require_url(wanted.url));
  const ProjectId project = TRY(store_.read([&](store::Tx& tx) -> Result<ProjectId> {
    return TRY(artifact_for(tx, command.principal, place.artifact)).artifact.project;
  }));
  return store_.write({project.text}, [&](store::Tx& tx) -> Result<std::string> {
    const ArtifactScene scene = TRY(artifact_for(tx, command.principal, place.artifact));
    TRY(scene.caller.require(Permission::report_check));
    if (!command.principal.key_environment.empty()) {
      return forbidden("This key is bound to an environment, and a check speaks for every one.",
                       {"report with a key that is bound to none"});
    }
    if (const auto seen = TRY(store::replayed(tx, command))) return *seen;
    const Version version = TRY(version_or_404(tx, place.artifact, place.number));
    TRY(require_digest(version, wanted.digest));
    if (store::count_checks(tx, place.artifact, place.number) >= kMaxReports) {
      return unprocessable("A version takes at most " + std::to_string(kMaxReports) +
                           " reports of checks; save it again to go on.");
    }
    const CheckReport report{.id = fresh_id("chk", tx.now()),
                             .project = project,
                             .artifact = place.artifact,
                             .version = place.number,
                             .name = name,
                             .digest = version.digest,
                             .status = wanted.status,
                             .summary = wanted.summary,
                             .url = wanted.url,
                             .by = scene.caller.actor(),
                             .at = tx.now(),
                             .salt = journal::new_salt()};
    store::insert_check(tx, report);
    tx.append(project.text, check_reported_event(scene.caller.actor(), report));
    TRY(settle_holders(tx, scene.caller, place, ruleset()));
    store::remember(tx, command, report.id);
    return report.id;
  });
}

Result<std::string> Registry::accept_finding(const Command& command, const VersionRef& place,
                                             WantedAcceptance wanted) {
  wanted.reason = TRY(checked_message("reason", std::move(wanted.reason)));
  if (wanted.reason.empty()) return invalid_field("reason", "say why this may be let through");
  if (wanted.rule.empty() || wanted.rule.size() > kMaxRuleBytes) {
    return invalid_field("rule", "must be the id of a rule of the scanner");
  }
  const ProjectId project = TRY(store_.read([&](store::Tx& tx) -> Result<ProjectId> {
    return TRY(artifact_for(tx, command.principal, place.artifact)).artifact.project;
  }));
  return store_.write({project.text}, [&](store::Tx& tx) -> Result<std::string> {
    const ArtifactScene scene = TRY(artifact_for(tx, command.principal, place.artifact));
    TRY(scene.caller.require(Permission::give_verdict));
    // Whoever contributed to any version since the last one that others let through into the last
    // environment.
    const Environment last = last_environment(tx, project);
    if (contributors(tx, place.artifact, place.number, last.id).contains(command.principal.id)) {
      return forbidden("You contributed to this change, so somebody else has to accept what is found in it.");
    }
    if (const auto seen = TRY(store::replayed(tx, command))) return *seen;
    const Version version = TRY(version_or_404(tx, place.artifact, place.number));
    TRY(require_digest(version, wanted.digest));
    TRY(require_found(tx, version, wanted.rule));
    if (wanted.expires <= tx.now() || wanted.expires > tx.now() + kLongestAcceptance) {
      return invalid_field("expiresAt", "must lie in the future, at most 366 days ahead");
    }
    if (store::acceptances(tx, place.artifact, place.number).size() >= kMaxAcceptances) {
      return unprocessable("A version takes at most " + std::to_string(kMaxAcceptances) +
                           " accepted findings; mend what the scan finds instead.");
    }
    const AcceptedFinding accepted{.id = fresh_id("acc", tx.now()),
                                   .project = project,
                                   .artifact = place.artifact,
                                   .version = place.number,
                                   .digest = version.digest,
                                   .rule = wanted.rule,
                                   .reason = wanted.reason,
                                   .by = command.principal.id,
                                   .at = tx.now(),
                                   .expires = wanted.expires,
                                   .salt = journal::new_salt()};
    store::insert_acceptance(tx, accepted);
    tx.append(project.text, finding_accepted_event(scene.caller.actor(), accepted));
    TRY(settle_holders(tx, scene.caller, place, ruleset()));
    store::remember(tx, command, accepted.id);
    return accepted.id;
  });
}

Result<ReviewId> Registry::dismiss(const Command& command, const ReviewId& id, std::int64_t number,
                                   std::string reason) {
  reason = TRY(checked_message("reason", std::move(reason)));
  const ProjectId project = TRY(store_.read([&](store::Tx& tx) -> Result<ProjectId> {
    return TRY(review_for(tx, command.principal, id)).caller.project().id;
  }));
  return store_.write({project.text}, [&](store::Tx& tx) -> Result<ReviewId> {
    ReviewScene scene = TRY(review_for(tx, command.principal, id));
    Review& review = scene.review;
    const Verdict verdict = TRY(objection_numbered(tx, id, number));
    TRY(require_may_dismiss(tx, scene, verdict, reason));
    if (const auto seen = TRY(store::replayed(tx, command))) return review_from(*seen);
    TRY(require_standing(review));
    const Dismissal dismissal{.review = id,
                              .verdict = number,
                              .by = command.principal.id,
                              .reason = reason,
                              .at = tx.now(),
                              .salt = journal::new_salt()};
    store::insert_dismissal(tx, dismissal);
    tx.append(project.text, verdict_dismissed_event(scene.caller.actor(), review, dismissal));
    TRY(settle(tx, scene.caller, review, scene.environment, ruleset()));
    store::remember(tx, command, outcome_of(id));
    return id;
  });
}

}  // namespace imprimatur::registry

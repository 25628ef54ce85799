#include "registry/events.h"

#include "base/check.h"
#include "base/hash.h"
#include "base/json.h"
#include "journal/commitment.h"

#include <boost/json.hpp>

namespace imprimatur::registry {
namespace {

namespace json = boost::json;

json::value id_or_null(const std::string& id) { return id.empty() ? json::value() : json::value(id); }

json::value number_or_null(const std::optional<std::int64_t>& number) {
  return number ? json::value(*number) : json::value();
}

std::string digest_of_text(std::string_view text) { return "sha256:" + to_hex(sha256(text)); }

json::array items_of(const Review& review) {
  json::array out;
  for (const ReviewItem& item : review.items) {
    out.push_back({{"artifact", item.artifact.text},
                   {"version", item.version},
                   {"digest", item.digest},
                   {"base", id_or_null(item.base.text)}});
  }
  return out;
}

json::array moves_of(const Moves& moves) {
  json::array out;
  for (const Move& move : moves) {
    out.push_back(
        {{"artifact", move.artifact.text},
         {"version", move.version},
         {"from", name_of(move.from)},
         {"to", name_of(move.to)},
         {"reason", move.reason == ArchiveReason::none ? json::value() : json::value(name_of(move.reason))}});
  }
  return out;
}

journal::Event event(std::string action, std::string resource, json::object details,
                     const PrincipalId& actor) {
  auto text = canonical_json(json::value(std::move(details)));
  return {std::move(action), std::move(resource), std::move(text).value(), actor};
}

std::string version_resource(const ArtifactId& artifact, std::int64_t version) {
  return "version:" + artifact.text + "/" + std::to_string(version);
}

std::string review_resource(const ReviewId& review) { return "review:" + review.text; }

json::object submission(const Review& review, const Moves& moves) {
  return {{"review", review.id.text},
          {"environment", review.environment.text},
          {"cycle", review.cycle},
          {"items", items_of(review)},
          {"protectionVersion", review.protection_version},
          {"moves", moves_of(moves)}};
}

json::object with_comment(json::object submitted, const Review& review) {
  submitted["comment"] = journal::commitment(review.salt, review.comment);
  return submitted;
}

json::object released(const Release& release, const Moves& moves) {
  return {{"release", release.id.text},
          {"changeSet", release.change_set},
          {"environment", release.environment.text},
          {"artifact", release.artifact.text},
          {"version", release.version},
          {"digest", release.digest},
          {"review", id_or_null(release.review.text)},
          {"replaced", id_or_null(release.replaced.text)},
          {"previous", id_or_null(release.previous.text)},
          {"rollout", nullptr},
          {"protectionVersion", release.protection_version},
          {"gate", digest_of_text(release.gate)},
          {"reason", journal::commitment(release.salt, release.reason)},
          {"moves", moves_of(moves)}};
}

journal::Event closing(std::string action, const PrincipalId& actor, const Review& review,
                       const Moves& moves) {
  return event(std::move(action), review_resource(review.id),
               {{"review", review.id.text}, {"cycle", review.cycle}, {"moves", moves_of(moves)}}, actor);
}

}  // namespace

journal::Event artifact_created_event(const PrincipalId& actor, const Artifact& artifact) {
  return event("artifact.created", "artifact:" + artifact.id.text,
               {{"artifact", artifact.id.text},
                {"kind", name_of(artifact.kind)},
                {"type", name_of(artifact.type)},
                {"nameDigest", digest_of_text(artifact.name)}},
               actor);
}

std::string_view name_of(Origin origin) {
  switch (origin) {
    case Origin::saved: return "saved";
    case Origin::imported: return "imported";
    case Origin::proposed: return "proposed";
  }
  CHECK(false, "unknown origin");
}

journal::Event version_saved_event(const PrincipalId& actor, const Version& version, Origin origin) {
  return event("version.saved", version_resource(version.artifact, version.number),
               {{"artifact", version.artifact.text},
                {"number", version.number},
                {"digest", version.digest},
                {"author", version.author.text},
                {"accountable", id_or_null(version.accountable.text)},
                {"base", version.base_version == 0 ? json::value() : json::value(version.base_version)},
                {"message", journal::commitment(version.salt, version.message)},
                {"origin", name_of(origin)}},
               actor);
}

journal::Event scan_recorded_event(const PrincipalId& actor, const ScanRecord& scan) {
  return event("scan.recorded", version_resource(scan.artifact, scan.version),
               {{"scan", scan.id.text},
                {"artifact", scan.artifact.text},
                {"version", scan.version},
                {"digest", scan.digest},
                {"status", scan.status},
                {"scoreTenths", scan.score_tenths},
                {"critical", scan.critical_findings},
                {"ruleset", scan.ruleset},
                {"report", digest_of_text(scan.report)}},
               actor);
}

journal::Event review_submitted_event(const PrincipalId& actor, const Review& review, const Moves& moves) {
  return event("review.submitted", review_resource(review.id),
               with_comment(submission(review, moves), review), actor);
}

journal::Event review_moved_event(const PrincipalId& actor, const Review& review, const Moves& moves) {
  return event("review.moved", review_resource(review.id), submission(review, moves), actor);
}

journal::Event review_withdrawn_event(const PrincipalId& actor, const Review& review, const Moves& moves) {
  return closing("review.withdrawn", actor, review, moves);
}

journal::Event review_commented_event(const PrincipalId& actor, const Comment& comment) {
  return event("review.commented", review_resource(comment.review),
               {{"review", comment.review.text},
                {"comment", comment.id},
                {"text", journal::commitment(comment.salt, comment.text)}},
               actor);
}

journal::Event verdict_given_event(const PrincipalId& actor, const Verdict& verdict) {
  return event("verdict.given", review_resource(verdict.review),
               {{"review", verdict.review.text},
                {"cycle", verdict.cycle},
                {"person", verdict.by.text},
                {"verdict", name_of(verdict.kind)},
                {"environment", verdict.environment.text},
                {"itemsDigest", verdict.items_digest},
                {"baseDigest", verdict.base_digest},
                {"protectionVersion", verdict.protection_version},
                {"comment", journal::commitment(verdict.salt, verdict.comment)}},
               actor);
}

journal::Event checklist_answered_event(const PrincipalId& actor, const Verdict& verdict) {
  return event("checklist.answered", review_resource(verdict.review),
               {{"review", verdict.review.text},
                {"checklist", verdict.checklist},
                {"answers", journal::commitment(verdict.salt, verdict.answers)}},
               actor);
}

journal::Event verdict_dismissed_event(const PrincipalId& actor, const Review& review,
                                       const Dismissal& dismissal) {
  return event("verdict.dismissed", review_resource(dismissal.review),
               {{"review", dismissal.review.text},
                {"cycle", review.cycle},
                {"verdict", dismissal.verdict},
                {"reason", journal::commitment(dismissal.salt, dismissal.reason)}},
               actor);
}

journal::Event check_reported_event(const PrincipalId& actor, const CheckReport& report) {
  return event("check.reported", version_resource(report.artifact, report.version),
               {{"check", report.id},
                {"artifact", report.artifact.text},
                {"version", report.version},
                {"digest", report.digest},
                {"nameDigest", digest_of_text(report.name)},
                {"status", name_of(report.status)},
                {"said", journal::commitment(report.salt, report.summary + "\n" + report.url)}},
               actor);
}

journal::Event finding_accepted_event(const PrincipalId& actor, const AcceptedFinding& accepted) {
  return event("finding.accepted", version_resource(accepted.artifact, accepted.version),
               {{"acceptance", accepted.id},
                {"artifact", accepted.artifact.text},
                {"version", accepted.version},
                {"digest", accepted.digest},
                {"ruleDigest", digest_of_text(accepted.rule)},
                {"reason", journal::commitment(accepted.salt, accepted.reason)},
                {"expiresAt", to_rfc3339(accepted.expires)}},
               actor);
}

journal::Event owners_changed_event(const PrincipalId& actor, const ProjectId& project,
                                    const OwnerRules& rules, bool weakened, const PrincipalId& proposed_by) {
  return event("owners.changed", "project:" + project.text,
               {{"version", rules.version},
                {"digest", digest_of(rules)},
                {"weakened", weakened},
                {"proposedBy", id_or_null(proposed_by.text)}},
               actor);
}

journal::Event owners_proposed_event(const PrincipalId& actor, const ProjectId& project,
                                     const OwnerRules& rules) {
  return event("owners.proposed", "project:" + project.text, {{"digest", digest_of(rules)}}, actor);
}

journal::Event review_approved_event(const PrincipalId& actor, const Review& review,
                                     std::int64_t protection_version, const Moves& moves) {
  return event("review.approved", review_resource(review.id),
               {{"review", review.id.text},
                {"cycle", review.cycle},
                {"items", items_of(review)},
                {"protectionVersion", protection_version},
                {"moves", moves_of(moves)}},
               actor);
}

journal::Event review_reopened_event(const PrincipalId& actor, const Review& review, const Moves& moves) {
  return closing("review.reopened", actor, review, moves);
}

journal::Event review_rejected_event(const PrincipalId& actor, const Review& review, const Moves& moves) {
  return closing("review.rejected", actor, review, moves);
}

journal::Event review_deployed_event(const PrincipalId& actor, const Review& review,
                                     const std::string& change_set) {
  return event("review.deployed", review_resource(review.id),
               {{"review", review.id.text}, {"cycle", review.cycle}, {"changeSet", change_set}}, actor);
}

journal::Event release_created_event(const PrincipalId& actor, const Release& release, const Moves& moves) {
  return event("release.created", "release:" + release.id.text, released(release, moves), actor);
}

journal::Event release_rolled_back_event(const PrincipalId& actor, const Release& release,
                                         const ReleaseId& restores, const Moves& moves) {
  json::object details = released(release, moves);
  details["restores"] = restores.text;
  return event("release.rolled_back", "release:" + release.id.text, std::move(details), actor);
}

journal::Event version_retired_event(const PrincipalId& actor, const Version& version,
                                     const store::RetirementReason& why, const ReleaseId& ended,
                                     const Moves& moves) {
  return event("version.retired", version_resource(version.artifact, version.number),
               {{"artifact", version.artifact.text},
                {"version", version.number},
                {"digest", version.digest},
                {"environment", why.environment.text},
                {"ended", id_or_null(ended.text)},
                {"reason", journal::commitment(why.salt, why.reason)},
                {"moves", moves_of(moves)}},
               actor);
}

journal::Event label_moved_event(const PrincipalId& actor, const ArtifactId& artifact, std::string_view label,
                                 std::optional<std::int64_t> version, std::optional<std::int64_t> previous) {
  return event("label.moved", "label:" + artifact.text + "/" + std::string(label),
               {{"artifact", artifact.text},
                {"label", label},
                {"version", number_or_null(version)},
                {"previous", number_or_null(previous)}},
               actor);
}

journal::Event environment_changed_event(const PrincipalId& actor, const Environment& environment,
                                         bool weakened, const PrincipalId& proposed_by) {
  return event("environment.changed", "environment:" + environment.id.text,
               {{"environment", environment.id.text},
                {"nameDigest", digest_of_text(environment.name)},
                {"order", environment.order},
                {"protectionVersion", environment.protection.version},
                {"protectionDigest", digest_of(environment.protection)},
                {"weakened", weakened},
                {"proposedBy", id_or_null(proposed_by.text)}},
               actor);
}

journal::Event environment_proposed_event(const PrincipalId& actor, const Environment& proposal) {
  return event("environment.proposed", "environment:" + proposal.id.text,
               {{"environment", proposal.id.text},
                {"order", proposal.order},
                {"protectionDigest", digest_of(proposal.protection)}},
               actor);
}

}  // namespace imprimatur::registry

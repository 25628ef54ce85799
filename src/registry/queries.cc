#include "registry/queries.h"

#include "domain/words.h"
#include "registry/caller.h"
#include "registry/displays.h"
#include "registry/gating.h"
#include "registry/layering.h"
#include "registry/offering.h"
#include "registry/tenure.h"
#include "store/cursor.h"
#include "store/identity_rows.h"
#include "store/stored.h"

#include <algorithm>
#include <charconv>

namespace imprimatur::registry {

void add_display(store::Tx& tx, Displays& displays, const PrincipalId& id) {
  if (!id.empty() && !displays.contains(id)) displays[id] = store::display_of(tx, id);
}

namespace {

constexpr int kVersionsAtOnce = 16;

// Whoever may not read drafts sees what is deployed, and nothing else.
bool visible(store::Tx& tx, const Caller& caller, const ArtifactId& artifact, std::int64_t version) {
  if (caller.may(Permission::read_drafts)) return true;
  const auto live = store::live_releases(tx, artifact);
  return std::any_of(live.begin(), live.end(), [&](const Release& release) {
    return release.version == version && caller.reaches(release.environment);
  });
}

Status require_visible(store::Tx& tx, const Caller& caller, const VersionRef& ref) {
  TRY(caller.require(Permission::read_live));
  if (visible(tx, caller, ref.artifact, ref.number)) return Ok{};
  return not_found("There is no such version, or you may not see it.");
}

Result<ArtifactScene> visible_artifact(store::Tx& tx, const Principal& who, const ArtifactId& id,
                                       Sight sight = Sight::reading) {
  ArtifactScene scene = TRY(artifact_for(tx, who, id));
  if (sight == Sight::own_write) return scene;
  TRY(scene.caller.require(Permission::read_live));
  if (!scene.caller.may(Permission::read_drafts) && store::live_releases(tx, id).empty()) {
    return not_found("There is no such prompt, or you may not see it.");
  }
  return scene;
}

ArtifactView view_of(store::Tx& tx, const Caller& caller, Artifact artifact,
                     const std::vector<Environment>& environments) {
  ArtifactView view{std::move(artifact), caller.project().name, {}, {}, {}};
  add_display(tx, view.displays, view.artifact.created_by);
  if (caller.may(Permission::read_drafts)) {
    view.labels[std::string(kLatest)] = view.artifact.latest_version;
    for (const Label& label : store::labels(tx, view.artifact.id)) view.labels[label.name] = label.version;
  }
  for (const Release& release : store::live_releases(tx, view.artifact.id)) {
    if (!caller.reaches(release.environment)) continue;
    for (const Environment& environment : environments) {
      if (environment.id == release.environment) view.live[environment.name] = release.version;
    }
  }
  return view;
}

VersionView view_of(store::Tx& tx, const Caller& caller, const Artifact& artifact, Version version,
                    const Environment& last, std::string_view ruleset) {
  VersionView view;
  view.artifact = artifact;
  view.content = content_of(version);
  view.scan = store::latest_scan(tx, artifact.id, version.number);
  view.reviews = store::reviews_of(tx, artifact.id, version.number);
  std::erase_if(view.reviews, [&](const Review& review) { return !caller.reaches(review.environment); });
  for (const Environment& environment : store::environments(tx, artifact.project)) {
    view.environments[environment.id] = environment.name;
  }
  view.allowed = offers(tx, caller, last, version, ruleset);
  add_display(tx, view.displays, version.author);
  view.version = std::move(version);
  return view;
}

// About what it takes in an answer.
std::size_t size_of(const VersionView& view) {
  constexpr std::size_t kRest = 2000, kReview = 200;  // names, ids, times
  const std::size_t scan = view.scan ? view.scan->report.size() : 0;
  return view.version.content.size() + 2 * view.version.message.size() + scan + kRest +
         kReview * view.reviews.size();
}

ReviewView view_of(store::Tx& tx, const Caller& caller, Review review, std::string_view ruleset,
                   const GateReading& how = {}) {
  ReviewView view;
  const Environment environment = environment_by_id(tx, review.project, review.environment);
  view.project = caller.project().name;
  view.environment = environment.name;
  for (const ReviewItem& item : review.items) {
    const auto artifact = store::artifact(tx, item.artifact);
    view.names.push_back(artifact ? artifact->name : "");
  }
  view.verdicts = store::verdicts(tx, review.id);
  const GateFacts facts = gate_facts(tx, environment, review.items, review, ruleset, how);
  view.dismissals = facts.dismissals;
  view.checklist = checklist_of(facts);
  view.gate = gate(facts);
  view.allowed = offers(tx, caller, environment, review, view.gate.met, ruleset);
  add_display(tx, view.displays, review.submitted_by);
  for (const Verdict& verdict : view.verdicts) add_display(tx, view.displays, verdict.by);
  for (const Dismissal& dismissal : view.dismissals) add_display(tx, view.displays, dismissal.by);
  view.review = std::move(review);
  return view;
}

Result<Version> live_version(store::Tx& tx, const Caller& caller, const Artifact& artifact,
                             const Environment& environment) {
  TRY(caller.require_environment(environment));
  const auto live = store::live_release(tx, artifact.id, environment.id);
  if (!live) return not_found("Nothing is live there.");
  return version_or_404(tx, artifact.id, live->version);
}

// An environment's name is also a label, and `latest` is kept by the server.
Result<Version> labelled_version(store::Tx& tx, const Caller& caller, const Artifact& artifact,
                                 std::string_view name) {
  if (name == kLatest) return version_or_404(tx, artifact.id, artifact.latest_version);
  for (const Label& label : store::labels(tx, artifact.id)) {
    if (label.name == name) return version_or_404(tx, artifact.id, label.version);
  }
  if (const auto environment = store::environment_by_name(tx, artifact.project, name)) {
    return live_version(tx, caller, artifact, *environment);
  }
  return not_found("The prompt has no such label.");
}

// A number, "latest", "live:<environment>" or "label:<label>".
Result<Version> version_named(store::Tx& tx, const Caller& caller, const Artifact& artifact,
                              std::string_view name) {
  constexpr std::string_view kLive = "live:", kLabel = "label:";
  if (name == kLatest) return labelled_version(tx, caller, artifact, kLatest);
  if (name.starts_with(kLabel)) {
    return labelled_version(tx, caller, artifact, name.substr(kLabel.size()));
  }
  if (name.starts_with(kLive)) {
    const Environment environment = TRY(environment_or_404(tx, artifact.project, name.substr(kLive.size())));
    return live_version(tx, caller, artifact, environment);
  }
  std::int64_t number = 0;
  const auto [end, ec] = std::from_chars(name.data(), name.data() + name.size(), number);
  if (ec != std::errc() || end != name.data() + name.size() || number < 1) {
    return invalid("Name a version by its number, `latest`, `live:<environment>` or `label:<label>`.");
  }
  return version_or_404(tx, artifact.id, number);
}

ReleaseView view_of(store::Tx& tx, Release release, const Artifact& artifact, std::string environment) {
  if (!is_canonical_gate(release.gate)) {
    throw store::DataBroken("release " + release.id.text + " holds an unreadable gate answer");
  }
  const auto version = store::version(tx, release.artifact, release.version);
  ReleaseView view{
      std::move(release), artifact.name, version ? version->semver : "", std::move(environment), {}};
  add_display(tx, view.displays, view.release.by);
  if (!view.release.review.empty()) {
    for (const Verdict& verdict : store::verdicts(tx, view.release.review)) {
      add_display(tx, view.displays, verdict.by);
    }
  }
  return view;
}

EnvironmentView view_of(store::Tx& tx, Environment environment) {
  EnvironmentView view;
  view.proposal = store::proposal(tx, environment.id);
  const auto made = view.proposal ? view.proposal->environment.changed_at : Time{};
  if (view.proposal && !admin_since(tx, environment.project, view.proposal->by, made)) view.proposal.reset();
  view.names = protection_names(tx, environment.project);
  if (view.proposal) add_display(tx, view.displays, view.proposal->by);
  view.environment = std::move(environment);
  return view;
}

}  // namespace

Queries::Queries(store::Store& store, const Registry& registry) : store_(store), registry_(registry) {}

Result<Page<ArtifactView>> Queries::artifacts(const Principal& who, std::string_view project,
                                              store::ArtifactQuery query, const PageRequest& request) {
  return store_.read([&](store::Tx& tx) -> Result<Page<ArtifactView>> {
    const Caller caller = TRY(Caller::in_named(tx, who, project));
    TRY(caller.require(Permission::read_live));
    query.project = caller.project().id;
    query.only_live = !caller.may(Permission::read_drafts);
    auto page = TRY(store::artifacts(tx, query, request));
    const auto environments = store::environments(tx, query.project);
    Page<ArtifactView> out{{}, std::move(page.next_cursor)};
    for (Artifact& artifact : page.items) {
      out.items.push_back(view_of(tx, caller, std::move(artifact), environments));
    }
    return out;
  });
}

Result<ArtifactView> Queries::artifact(const Principal& who, const ArtifactId& id, Sight sight) {
  return store_.read([&](store::Tx& tx) -> Result<ArtifactView> {
    ArtifactScene scene = TRY(visible_artifact(tx, who, id, sight));
    const auto environments = store::environments(tx, scene.artifact.project);
    return view_of(tx, scene.caller, std::move(scene.artifact), environments);
  });
}

Result<std::string> Queries::project_name(const Principal& who, const ArtifactId& id) {
  return store_.read([&](store::Tx& tx) -> Result<std::string> {
    return TRY(artifact_for(tx, who, id)).caller.project().name;
  });
}

Result<Page<VersionView>> Queries::versions(const Principal& who, const ArtifactId& id,
                                            const PageRequest& request) {
  return store_.read([&](store::Tx& tx) -> Result<Page<VersionView>> {
    const ArtifactScene scene = TRY(visible_artifact(tx, who, id));
    const Environment last = last_environment(tx, scene.artifact.project);
    Page<VersionView> out{{}, request.cursor};
    std::size_t bytes = 0;
    for (int left = request.limit; left > 0;) {
      // A few at a time, so that no more is read than is shown.
      auto some = TRY(store::versions(tx, id, {std::min(left, kVersionsAtOnce), out.next_cursor}));
      left -= static_cast<int>(some.items.size());
      for (Version& version : some.items) {
        const std::string here = store::cursor_after(version.number);
        if (visible(tx, scene.caller, id, version.number)) {
          VersionView view =
              view_of(tx, scene.caller, scene.artifact, std::move(version), last, registry_.ruleset());
          const std::size_t more = size_of(view);
          if (!out.items.empty() && bytes + more > kVersionPageBytes) return out;
          bytes += more;
          out.items.push_back(std::move(view));
        }
        out.next_cursor = here;
      }
      out.next_cursor = std::move(some.next_cursor);
      if (out.next_cursor.empty()) break;
    }
    return out;
  });
}

Result<VersionView> Queries::version(const Principal& who, const VersionRef& ref, Sight sight) {
  return store_.read([&](store::Tx& tx) -> Result<VersionView> {
    const ArtifactScene scene = TRY(visible_artifact(tx, who, ref.artifact, sight));
    if (sight == Sight::reading) TRY(require_visible(tx, scene.caller, ref));
    return view_of(tx, scene.caller, scene.artifact, TRY(version_or_404(tx, ref.artifact, ref.number)),
                   last_environment(tx, scene.artifact.project), registry_.ruleset());
  });
}

Result<DiffView> Queries::diff(const Principal& who, const ArtifactId& id, std::string_view from,
                               std::string_view to) {
  struct Side {
    std::int64_t number = 0;
    Content content, effective;
  };
  const auto pair = TRY(store_.read([&](store::Tx& tx) -> Result<std::pair<Side, Side>> {
    const ArtifactScene scene = TRY(visible_artifact(tx, who, id));
    TRY(scene.caller.require(Permission::read_drafts));
    const Version before = TRY(version_named(tx, scene.caller, scene.artifact, from));
    const Version after = TRY(version_named(tx, scene.caller, scene.artifact, to));
    Side one{before.number, content_of(before), {}}, other{after.number, content_of(after), {}};
    ProjectLayers layers(tx, scene.artifact.project);
    one.effective = TRY(layers.effective(one.content));
    other.effective = TRY(layers.effective(other.content));
    return std::pair(std::move(one), std::move(other));
  }));
  const auto& [before, after] = pair;
  DiffView view;
  view.from = before.number;
  view.to = after.number;
  view.diff = TRY(imprimatur::diff(before.content, after.content));
  if (!before.content.layers.empty() || !after.content.layers.empty())
    view.effective = TRY(imprimatur::diff(before.effective, after.effective));
  return view;
}

Result<EffectiveView> Queries::effective(const Principal& who, const VersionRef& ref) {
  return store_.read([&](store::Tx& tx) -> Result<EffectiveView> {
    const ArtifactScene scene = TRY(visible_artifact(tx, who, ref.artifact));
    TRY(require_visible(tx, scene.caller, ref));
    Version version = TRY(version_or_404(tx, ref.artifact, ref.number));
    TRY(require_intact(version));
    Content effective = TRY(ProjectLayers(tx, version.project).effective(content_of(version)));
    return EffectiveView{std::move(version), std::move(effective)};
  });
}

Result<Page<ScanRecord>> Queries::scans(const Principal& who, const VersionRef& ref,
                                        const PageRequest& page) {
  return store_.read([&](store::Tx& tx) -> Result<Page<ScanRecord>> {
    const ArtifactScene scene = TRY(visible_artifact(tx, who, ref.artifact));
    TRY(require_visible(tx, scene.caller, ref));
    TRY(version_or_404(tx, ref.artifact, ref.number));
    return store::scans(tx, ref.artifact, ref.number, page);
  });
}

Result<GateView> Queries::gate(const Principal& who, const VersionRef& ref, std::string_view environment) {
  return store_.read([&](store::Tx& tx) -> Result<GateView> {
    const ArtifactScene scene = TRY(visible_artifact(tx, who, ref.artifact));
    TRY(require_visible(tx, scene.caller, ref));
    const Environment target = TRY(environment_for(tx, scene.caller, environment));
    const Version version = TRY(version_or_404(tx, ref.artifact, ref.number));
    GateView view{gate_answer(tx, target, version, registry_.ruleset()), {}};
    for (const Requirement& requirement : view.answer.requirements) {
      for (const VerdictAnswer& verdict : requirement.verdicts) add_display(tx, view.displays, verdict.by);
    }
    return view;
  });
}

Result<LabelsView> Queries::labels(const Principal& who, const ArtifactId& id, Sight sight) {
  return store_.read([&](store::Tx& tx) -> Result<LabelsView> {
    const ArtifactScene scene = TRY(visible_artifact(tx, who, id, sight));
    if (sight == Sight::reading) TRY(scene.caller.require(Permission::read_drafts));
    LabelsView view{store::labels(tx, id), {}};
    const Version latest = TRY(version_or_404(tx, id, scene.artifact.latest_version));
    view.labels.push_back({id, std::string(kLatest), latest.number, latest.author, latest.created_at});
    std::sort(view.labels.begin(), view.labels.end(),
              [](const Label& a, const Label& b) { return a.name < b.name; });
    for (const Label& label : view.labels) add_display(tx, view.displays, label.by);
    return view;
  });
}

Result<Page<ReviewView>> Queries::reviews(const Principal& who, std::string_view project,
                                          std::optional<ReviewState> state, bool mine,
                                          const PageRequest& request) {
  return store_.read([&](store::Tx& tx) -> Result<Page<ReviewView>> {
    const Caller caller = TRY(Caller::in_named(tx, who, project));
    TRY(caller.require(Permission::read_drafts));
    const store::ReviewQuery query{
        caller.project().id, state, mine ? who.id : PrincipalId{}, {}, who.key_environment};
    auto page = TRY(store::reviews(tx, query, request));
    Page<ReviewView> out{{}, std::move(page.next_cursor)};
    const ProjectPeople people = people_of(tx, query.project);
    const GateReading how{.rehash = false, .people = &people};
    for (Review& review : page.items) {
      out.items.push_back(view_of(tx, caller, std::move(review), registry_.ruleset(), how));
    }
    return out;
  });
}

Result<ReviewView> Queries::review(const Principal& who, const ReviewId& id, Sight sight) {
  return store_.read([&](store::Tx& tx) -> Result<ReviewView> {
    ReviewScene scene = TRY(review_for(tx, who, id));
    if (sight == Sight::reading) TRY(scene.caller.require(Permission::read_drafts));
    return view_of(tx, scene.caller, std::move(scene.review), registry_.ruleset());
  });
}

Result<Queries::Comments> Queries::comments(const Principal& who, const ReviewId& id,
                                            const PageRequest& page) {
  return store_.read([&](store::Tx& tx) -> Result<Comments> {
    const ReviewScene scene = TRY(review_for(tx, who, id));
    TRY(scene.caller.require(Permission::read_drafts));
    Comments out{TRY(store::comments(tx, id, page)), {}};
    for (const Comment& comment : out.page.items) add_display(tx, out.displays, comment.by);
    return out;
  });
}

Result<Queries::Comments> Queries::comment(const Principal& who, const ReviewId& id,
                                           std::string_view wanted) {
  return store_.read([&](store::Tx& tx) -> Result<Comments> {
    const ReviewScene scene = TRY(review_for(tx, who, id));
    TRY(scene.caller.require(Permission::read_drafts));
    auto found = store::comment(tx, id, wanted);
    if (!found) return not_found("There is no such comment.");
    Comments out;
    add_display(tx, out.displays, found->by);
    out.page.items.push_back(*std::move(found));
    return out;
  });
}

Result<ReleaseView> Queries::release(const Principal& who, const ReleaseId& id, Sight sight) {
  return store_.read([&](store::Tx& tx) -> Result<ReleaseView> {
    auto release = store::release(tx, id);
    if (!release) return not_found("There is no such release, or you may not see it.");
    const ArtifactScene scene = TRY(visible_artifact(tx, who, release->artifact, sight));
    const Environment environment = environment_by_id(tx, release->project, release->environment);
    TRY(scene.caller.require_environment(environment));
    return view_of(tx, *std::move(release), scene.artifact, environment.name);
  });
}

Result<Page<ReleaseView>> Queries::releases(const Principal& who, const ArtifactId& id,
                                            std::string_view environment, const PageRequest& request) {
  return store_.read([&](store::Tx& tx) -> Result<Page<ReleaseView>> {
    const ArtifactScene scene = TRY(visible_artifact(tx, who, id));
    const Environment target = TRY(environment_for(tx, scene.caller, environment));
    auto page = TRY(store::releases(tx, id, target.id, request));
    Page<ReleaseView> out{{}, std::move(page.next_cursor)};
    for (Release& release : page.items) {
      out.items.push_back(view_of(tx, std::move(release), scene.artifact, target.name));
    }
    return out;
  });
}

Result<ProjectId> Queries::readable_project(const Principal& who, std::string_view project) {
  return store_.read([&](store::Tx& tx) -> Result<ProjectId> {
    const Caller caller = TRY(Caller::in_named(tx, who, project));
    TRY(caller.require(Permission::read_runtime));
    return caller.project().id;
  });
}

Result<std::vector<EnvironmentView>> Queries::environments(const Principal& who, std::string_view project) {
  return store_.read([&](store::Tx& tx) -> Result<std::vector<EnvironmentView>> {
    const Caller caller = TRY(Caller::in_named(tx, who, project));
    TRY(caller.require(Permission::read_live));
    std::vector<EnvironmentView> out;
    for (Environment& environment : store::environments(tx, caller.project().id)) {
      if (caller.reaches(environment.id)) out.push_back(view_of(tx, std::move(environment)));
    }
    return out;
  });
}

Result<EnvironmentView> Queries::environment(const Principal& who, std::string_view project,
                                             std::string_view name) {
  return store_.read([&](store::Tx& tx) -> Result<EnvironmentView> {
    const Caller caller = TRY(Caller::in_named(tx, who, project));
    TRY(caller.require(Permission::read_live));
    Environment found = TRY(environment_or_404(tx, caller.project().id, name));
    TRY(caller.require_environment(found));
    return view_of(tx, std::move(found));
  });
}

Result<Page<journal::Entry>> Queries::audit(const Principal& who, std::string_view project,
                                            store::AuditQuery query, const PageRequest& page) {
  return store_.read([&](store::Tx& tx) -> Result<Page<journal::Entry>> {
    query.journal = TRY(audited_journal(tx, who, project));
    if (query.actor.find('@') != std::string::npos) {
      const auto person = store::user_by_email(tx, query.actor);
      if (!person) return Page<journal::Entry>{};
      query.actor = person->id.text;
    }
    auto found = TRY(store::audit(tx, query, page));
    for (const journal::Entry& entry : found.items) {
      store::require_object(entry.event.details, "the details of entry " + std::to_string(entry.seq));
    }
    return found;
  });
}

std::vector<journal::Entry> Queries::entries(const store::Head& head, std::uint64_t from) {
  if (from > head.size) return {};
  const int limit = static_cast<int>(std::min<std::uint64_t>(head.size - from + 1, kEntriesAtOnce));
  auto found = store_.read([&](store::Tx& tx) -> Result<std::vector<journal::Entry>> {
    return store::entries(tx, head.journal, from, limit);
  });
  if (!found.ok()) throw std::runtime_error("the journal cannot be read: " + found.error().detail);
  for (const journal::Entry& entry : *found) {
    if (entry.seq != from++) throw store::DataBroken("an entry of journal " + head.journal + " is missing");
  }
  if (found->empty()) throw store::DataBroken("journal " + head.journal + " is shorter than its head says");
  return *std::move(found);
}

Result<store::Head> Queries::checkpoint(const Principal& who, std::string_view project) {
  return store_.read([&](store::Tx& tx) -> Result<store::Head> {
    auto head = store::head(tx, TRY(audited_journal(tx, who, project)));
    if (!head) return not_found("The journal is empty.");
    return *std::move(head);
  });
}

Result<Queries::Proof> Queries::proof(const Principal& who, std::string_view project, std::uint64_t seq) {
  return store_.read([&](store::Tx& tx) -> Result<Proof> {
    const std::string journal = TRY(audited_journal(tx, who, project));
    auto head = store::head(tx, journal);
    if (!head || seq < 1 || seq > head->size) return not_found("The journal has no such entry.");
    auto entry = store::entries(tx, journal, seq, 1);
    if (entry.empty() || entry.front().seq != seq) {
      throw store::DataBroken("an entry of journal " + journal + " is missing");
    }
    Proof out{*std::move(head), std::move(entry.front()), {}};
    out.path = journal::inclusion_proof(out.head.size, seq - 1,
                                        [&](std::uint64_t begin, std::uint64_t end, const auto& take) {
                                          store::each_leaf(tx, journal, begin, end, take);
                                        });
    return out;
  });
}

}  // namespace imprimatur::registry

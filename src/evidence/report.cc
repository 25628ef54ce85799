#include "evidence/report.h"

#include "base/json.h"
#include "evidence/evidence.h"
#include "evidence/let_through.h"
#include "evidence/told.h"
#include "registry/caller.h"
#include "store/registry_rows.h"
#include "store/retirement_rows.h"

#include <algorithm>
#include <array>

#include <boost/json.hpp>

namespace imprimatur::evidence {

namespace json = boost::json;

namespace {

constexpr int kEntriesAtOnce = 1000;

struct Section {
  std::string_view action, section;
};
// The work on drafts and reviews: what came of it stands with each change.
constexpr std::array kSections = {
    Section{"artifact.created", ""},      Section{"version.saved", ""},
    Section{"scan.recorded", ""},         Section{"review.submitted", ""},
    Section{"review.moved", ""},          Section{"review.withdrawn", ""},
    Section{"review.commented", ""},      Section{"review.approved", ""},
    Section{"review.rejected", ""},       Section{"review.reopened", ""},
    Section{"review.deployed", ""},       Section{"verdict.given", ""},
    Section{"label.moved", ""},           Section{"project.created", ""},
    Section{"version.retired", "change"}, Section{"release.created", "change"},
    Section{"member.changed", "role"},    Section{"release.rolled_back", "change"},
    Section{"member.removed", "role"},    Section{"environment.changed", "protection"},
    Section{"team.created", "role"},      Section{"environment.proposed", "protection"}};

std::string line_text(const json::object& line) {
  auto text = canonical_json(line);
  if (!text.ok()) throw store::DataBroken("a line of a report: " + text.error().detail);
  return *std::move(text);
}

// Members every line has, whatever its section.
json::object outline(std::string_view section) {
  json::object out = {{"section", section}};
  for (const char* name :
       {"seq",    "time",     "hash",   "action",     "actor",        "resource", "environment", "prompt",
        "name",   "version",  "semver", "digest",     "release",      "kind",     "replaced",    "reason",
        "review", "verdicts", "gate",   "protection", "contributors", "subject",  "details"}) {
    out[name] = nullptr;
  }
  return out;
}

json::value time_or_null(const std::optional<Time>& time) {
  return time ? json::value(to_rfc3339(*time)) : json::value();
}

json::object verdict_json(store::Tx& tx, const Verdict& verdict, bool words_visible) {
  return {{"by", actor(tx, verdict.by.text)},
          {"verdict", name_of(verdict.kind)},
          {"cycle", verdict.cycle},
          {"at", to_rfc3339(verdict.at)},
          {"comment", words_visible ? json::value(verdict.comment) : json::value()}};
}

}  // namespace

std::string section_of(const std::string& action) {
  for (const Section& known : kSections) {
    if (known.action == action) return std::string(known.section);
  }
  return action.substr(0, action.find('.'));
}

Report::Report(store::Store& store, ReportScope scope)
    : store_(store), scope_(std::move(scope)), next_(scope_.first) {}

std::string Report::begin() const {
  json::object line = outline("report");
  line["environment"] = scope_.environment.name;
  line["details"] = json::object{{"project", scope_.project},           {"journal", scope_.head.journal},
                                 {"since", time_or_null(scope_.since)}, {"until", time_or_null(scope_.until)},
                                 {"firstEntry", scope_.first},          {"lastEntry", scope_.behind - 1}};
  return line_text(line);
}

std::string Report::end() const {
  json::object lines;
  for (const auto& [section, count] : counted_) lines[section] = count;
  json::object line = outline("end");
  line["details"] = json::object{{"lines", std::move(lines)}, {"checkpoint", scope_.note}};
  return line_text(line);
}

std::vector<std::string> Report::next() {
  switch (stage_) {
    case Stage::begin: stage_ = Stage::lines; return {begin()};
    case Stage::done: return {};
    case Stage::lines: break;
  }
  while (next_ < scope_.behind) {
    auto lines = store_.read([&](store::Tx& tx) -> Result<std::vector<std::string>> { return some(tx); });
    if (!lines.ok()) throw std::runtime_error("the journal cannot be read: " + lines.error().detail);
    if (!lines->empty()) return *std::move(lines);
  }
  stage_ = Stage::done;
  return {end()};
}

std::vector<std::string> Report::some(store::Tx& tx) {
  const std::uint64_t left = scope_.behind - next_;
  const int limit = static_cast<int>(std::min<std::uint64_t>(left, kEntriesAtOnce));
  const auto entries = store::entries(tx, scope_.head.journal, next_, limit);
  if (entries.size() != static_cast<std::size_t>(limit)) {
    throw store::DataBroken("an entry of journal " + scope_.head.journal + " is missing");
  }
  std::vector<std::string> out;
  for (const journal::Entry& entry : entries) {
    if (section_of(entry.event.action).empty()) continue;
    const auto line = line_of(tx, told(entry));
    if (!line) continue;
    counted_[std::string(line->at("section").as_string())] += 1;
    out.push_back(line_text(*line));
  }
  next_ += entries.size();
  return out;
}

bool Report::of_another_environment(const Told& one) const {
  const std::string environment = one.text("environment");
  return environment.starts_with("env_") && environment != scope_.environment.id.text;
}

std::optional<json::object> Report::line_of(store::Tx& tx, const Told& one) {
  const std::string section = section_of(one.entry.event.action);
  // A key that is bound elsewhere is no less a way in.
  if (section != "key" && of_another_environment(one)) return std::nullopt;
  json::object line = section == "change" ? change(tx, one) : outline(section);
  line["seq"] = one.entry.seq;
  line["time"] = to_rfc3339(one.entry.time);
  line["hash"] = "sha256:" + to_hex(one.entry.hash);
  line["action"] = one.entry.event.action;
  line["actor"] = actor(tx, one.entry.event.actor.text);
  line["resource"] = one.entry.event.resource;
  line["details"] = one.details;
  if (!of_another_environment(one) && !one.text("environment").empty()) {
    line["environment"] = scope_.environment.name;
  }
  for (const char* person : {"user", "owner", "serviceAccount"}) {
    if (const std::string id = one.text(person); !id.empty()) line["subject"] = actor(tx, id);
  }
  return line;
}

json::object Report::change(store::Tx& tx, const Told& one) {
  json::object line = outline("change");
  const ArtifactId prompt{one.text("artifact")};
  const std::int64_t number = one.number("version");
  const auto artifact = store::artifact(tx, prompt);
  const auto version = store::version_bare(tx, prompt, number);
  line["prompt"] = prompt.text;
  line["name"] = artifact ? json::value(artifact->name) : json::value();
  line["version"] = number;
  line["semver"] = version ? json::value(version->semver) : json::value();
  line["digest"] = one.text("digest");
  const std::string release = one.text("release");
  if (release.empty()) {  // nothing went live
    line["kind"] = "retire";
    const std::string ended = one.text("ended");
    line["replaced"] = ended.empty() ? json::value() : json::value(ended);
    const auto why = store::retirement_reason(tx, ProjectId{scope_.head.journal}, {prompt, number},
                                              EnvironmentId{one.text("environment")});
    if (why && scope_.words_visible) line["reason"] = why->reason;
    return line;
  }
  const Made last = made(tx, store::present(store::release(tx, {release}), "a release"));
  line["release"] = release;
  line["kind"] = name_of(last.release.kind);
  if (!last.release.replaced.empty()) line["replaced"] = last.release.replaced.text;
  if (scope_.words_visible) line["reason"] = last.release.reason;
  add_reasons(tx, line, chain_of(tx, last.release).back());
  return line;
}

// Why it was allowed: of a roll back, why what it restores was.
void Report::add_reasons(store::Tx& tx, json::object& line, const Made& deploy) {
  const Release& release = deploy.release;
  line["gate"] = stored_object(release.gate, "a gate answer");
  const auto rule = store::protection(tx, release.environment, release.protection_version);
  line["protection"] = json::object{{"version", release.protection_version},
                                    {"digest", rule ? json::value(digest_of(*rule)) : json::value()},
                                    {"met", release.protection_met}};
  json::array verdicts, people;
  if (!release.review.empty()) {
    const Review review = store::present(store::review(tx, release.review), "the review of a release");
    line["review"] =
        json::object{{"id", review.id.text},
                     {"cycle", review.cycle},
                     {"submittedBy", actor(tx, review.submitted_by.text)},
                     {"submittedAt", to_rfc3339(review.created_at)},
                     {"comment", scope_.words_visible ? json::value(review.comment) : json::value()}};
    for (const Verdict& verdict : store::verdicts(tx, review.id)) {
      if (verdict.at <= release.at) verdicts.push_back(verdict_json(tx, verdict, scope_.words_visible));
    }
  }
  line["verdicts"] = std::move(verdicts);
  const auto found = contributions(tx, deploy);
  if (!found.ok()) return;  // more than anybody would read: null
  for (const auto& [id, versions] : found->versions) people.push_back(actor(tx, id.text));
  line["contributors"] = std::move(people);
}

Result<Report> Evidence::report(const Principal& who, std::string_view project, std::string_view environment,
                                std::optional<Time> since, std::optional<Time> until) {
  auto scope = TRY(store_.read([&](store::Tx& tx) -> Result<ReportScope> {
    const registry::Caller caller = TRY(registry::Caller::in_named(tx, who, project));
    TRY(caller.require(Permission::read_audit));
    ReportScope out;
    out.project = caller.project().name;
    out.environment = TRY(registry::environment_for(tx, caller, environment));
    out.head = TRY(own_head(tx, caller.project().id.text));
    out.note = signed_note({origin(out.head.journal), out.head.size, out.head.frontier.root()}).to_text();
    out.since = since;
    out.until = until;
    out.words_visible = caller.may(Permission::read_drafts);
    out.behind = out.head.size + 1;
    if (since) out.first = store::seq_not_before(tx, out.head.journal, *since);
    if (until) {
      out.behind = std::min(out.behind, store::seq_not_before(tx, out.head.journal, *until));
    }
    out.behind = std::max(out.behind, out.first);
    return out;
  }));
  return Report(store_, std::move(scope));
}

}  // namespace imprimatur::evidence

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
constexpr std::size_t kBytesAtOnce = 4 * 1024 * 1024;

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

ReportLine as_line(json::object fields) {
  auto text = canonical_json(fields);
  if (!text.ok()) throw store::DataBroken("a line of a report: " + text.error().detail);
  return {std::move(fields), *std::move(text)};
}

std::vector<ReportLine> alone(ReportLine line) {
  std::vector<ReportLine> out;
  out.push_back(std::move(line));
  return out;
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

}  // namespace

std::string section_of(const std::string& action) {
  for (const Section& known : kSections) {
    if (known.action == action) return std::string(known.section);
  }
  return action.substr(0, action.find('.'));
}

Report::Report(store::Store& store, ReportScope scope)
    : store_(store), scope_(std::move(scope)), next_(scope_.first) {}

ReportLine Report::begin() const {
  json::object line = outline("report");
  line["environment"] = scope_.environment.name;
  line["details"] = json::object{{"project", scope_.project},           {"journal", scope_.head.journal},
                                 {"since", time_or_null(scope_.since)}, {"until", time_or_null(scope_.until)},
                                 {"firstEntry", scope_.first},          {"lastEntry", scope_.behind - 1}};
  return as_line(std::move(line));
}

ReportLine Report::end() const {
  json::object lines;
  for (const auto& [section, count] : counted_) lines[section] = count;
  json::object line = outline("end");
  line["details"] = json::object{{"lines", std::move(lines)}, {"checkpoint", scope_.note}};
  return as_line(std::move(line));
}

Result<std::vector<ReportLine>> Report::next() {
  switch (stage_) {
    case Stage::begin: stage_ = Stage::lines; return alone(begin());
    case Stage::done: return std::vector<ReportLine>();
    case Stage::lines: break;
  }
  while (next_ < scope_.behind) {
    auto lines = TRY(store_.read([&](store::Tx& tx) -> Result<std::vector<ReportLine>> { return some(tx); }));
    if (!lines.empty()) return lines;
  }
  stage_ = Stage::done;
  return alone(end());
}

std::vector<ReportLine> Report::some(store::Tx& tx) {
  const std::uint64_t left = scope_.behind - next_;
  const int limit = static_cast<int>(std::min<std::uint64_t>(left, kEntriesAtOnce));
  const auto entries = store::entries(tx, scope_.head.journal, next_, limit);
  if (entries.size() != static_cast<std::size_t>(limit)) {
    throw store::DataBroken("an entry of journal " + scope_.head.journal + " is missing");
  }
  std::vector<ReportLine> out;
  std::size_t bytes = 0;
  for (const journal::Entry& entry : entries) {
    if (bytes >= kBytesAtOnce) break;
    next_ = entry.seq + 1;
    if (section_of(entry.event.action).empty()) continue;
    auto fields = line_of(tx, told(entry));
    if (!fields) continue;
    counted_[std::string(fields->at("section").as_string())] += 1;
    out.push_back(as_line(*std::move(fields)));
    bytes += out.back().text.size();
  }
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

json::value Report::said(const Told& by, std::string_view member, const std::string& salt,
                         const std::string& text) const {
  return words(by.text(member), salt, text, scope_.words_visible).at("text");
}

json::object Report::change(store::Tx& tx, const Told& one) {
  json::object line = outline("change");
  const ProjectId project{scope_.head.journal};
  const VersionRef place{{one.text("artifact")}, one.number("version")};
  const std::uint64_t seq = one.entry.seq;
  const auto artifact = store::present(store::artifact(tx, place.artifact), "a released prompt");
  naming(tx, project.text, "artifact:" + artifact.id.text, "artifact.created", artifact.name, seq);
  line["prompt"] = artifact.id.text;
  line["name"] = artifact.name;
  line["version"] = place.number;
  line["semver"] = saved_version(tx, project, place, one.text("digest"), seq).semver;
  line["digest"] = one.text("digest");
  const std::string release = one.text("release");
  if (release.empty()) {  // nothing went live
    line["kind"] = "retire";
    const std::string ended = one.text("ended");
    line["replaced"] = ended.empty() ? json::value() : json::value(ended);
    const auto why = store::retirement_reason(tx, project, place, EnvironmentId{one.text("environment")});
    if (!why && !one.text("reason").empty()) throw store::DataBroken("the reason of a retirement is missing");
    if (why) line["reason"] = said(one, "reason", why->salt, why->reason);
    return line;
  }
  const auto chain = chain_of(tx, store::present(store::release(tx, {release}), "a release"));
  const Made& last = chain.front();
  if (last.by.entry.seq != seq) throw store::DataBroken("release " + release + " is told of twice");
  line["release"] = release;
  line["kind"] = name_of(last.release.kind);
  if (!last.release.replaced.empty()) line["replaced"] = last.release.replaced.text;
  line["reason"] = said(last.by, "reason", last.release.salt, last.release.reason);
  add_reasons(tx, line, chain.back());
  return line;
}

// Why it was allowed: of a roll back, why what it restores was.
void Report::add_reasons(store::Tx& tx, json::object& line, const Made& deploy) {
  const Release& release = deploy.release;
  const std::int64_t protection = release.protection_version;
  const InForce rule = in_force(tx, release.project, release.environment, protection, deploy.by.entry.seq);
  line["gate"] = stored_object(release.gate, "a gate answer");
  line["protection"] = json::object{
      {"version", protection}, {"digest", digest_of(rule.rule)}, {"met", release.protection_met}};
  json::array verdicts, people;
  if (const auto review = reviewed(tx, deploy)) {
    const Told& submitted = review->submitted;
    line["review"] =
        json::object{{"id", review->row.id.text},
                     {"cycle", review->cycle},
                     {"submittedBy", actor(tx, submitted.entry.event.actor.text)},
                     {"submittedAt", to_rfc3339(submitted.entry.time)},
                     {"comment", said(submitted, "comment", review->row.salt, review->row.comment)}};
    for (const auto& [by, row] : review->verdicts) {
      verdicts.push_back({{"by", actor(tx, row.by.text)},
                          {"verdict", name_of(row.kind)},
                          {"cycle", row.cycle},
                          {"at", to_rfc3339(row.at)},
                          {"comment", said(by, "comment", row.salt, row.comment)}});
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
    const std::string& journal = out.head.journal;
    naming(tx, journal, "project:" + journal, "project.created", out.project, out.head.size);
    naming(tx, journal, "environment:" + out.environment.id.text, "environment.changed", out.environment.name,
           out.head.size);
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

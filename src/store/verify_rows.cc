#include "store/verify_rows.h"

#include "base/hash.h"
#include "base/json.h"
#include "domain/layers.h"
#include "domain/name.h"
#include "domain/owners.h"
#include "domain/protection.h"
#include "journal/commitment.h"
#include "journal/entry.h"
#include "store/skeletons.h"

#include <algorithm>
#include <array>
#include <map>

#include <boost/json.hpp>

namespace imprimatur::store {
namespace {

using journal::row_key;
using journal::RowText;

std::string digest_text(std::string_view text) { return "sha256:" + to_hex(sha256(text)); }

// 0 stands for none in the tables.
std::string time_text(Time time) { return time.micros == 0 ? std::string() : to_rfc3339(time); }
std::string number_text(std::int64_t number) { return number == 0 ? std::string() : std::to_string(number); }

// What the journal commits to. Words without their salt can be compared with nothing.
std::string committed(const std::string& salt, std::string_view text) {
  return salt.empty() ? "without its salt" : journal::commitment(salt, text);
}

// A flag is 0 or 1 and nothing else.
std::string flag_text(std::int64_t flag) {
  if (flag == 0) return "false";
  return flag == 1 ? "true" : std::to_string(flag);
}

std::string list_text_of(std::string_view text) {
  const auto parsed = parse_json(text);
  if (!parsed.ok() || !parsed->is_array()) return "not a list";
  std::vector<std::string> items;
  for (const auto& item : parsed->get_array()) {
    items.emplace_back(item.is_string() ? std::string_view(item.get_string())
                                        : std::string_view("not a string"));
  }
  return journal::joined(std::move(items));
}

const std::string kProject = "SELECT id, name, created_by, created_at FROM projects";

void take_project(const Row& row, const TakeRow& take) {
  RowText text;
  text.set("nameDigest", digest_text(row.text(1))).set("createdBy", row.text(2));
  take(row_key("project", row.text(0)), text.set("createdAt", time_text(row.time(3))).text());
}

void people(Database& database, std::string_view, const TakeRow& take) {
  database.stream(
      "SELECT id, organisation_admin, disabled, email, display_name, password_hash, created_at, salt FROM "
      "users",
      [&](const Row& row) {
        RowText text;
        text.set("organisationAdmin", flag_text(row.integer(1))).set("disabled", flag_text(row.integer(2)));
        text.set("person", committed(row.text(7), journal::person_text(row.text(3), row.text(4))));
        text.set("passwordDigest", digest_text(row.text(5))).set("createdAt", time_text(row.time(6)));
        take(row_key("user", row.text(0)), text.text());
      });
  database.stream(kProject, [&](const Row& row) { take_project(row, take); });
  database.stream("SELECT id, verifier_key, added_by, added_at, removed_at FROM witnesses",
                  [&](const Row& row) {
                    RowText text;
                    text.set("keyDigest", digest_text(row.text(1))).set("addedBy", row.text(2));
                    text.set("addedAt", time_text(row.time(3))).set("removedAt", time_text(row.time(4)));
                    take(row_key("witness", row.text(0)), text.text());
                  });
}

void members(Database& database, std::string_view project, const TakeRow& take) {
  std::map<std::string, std::vector<std::string>> teams;
  database.stream(
      "SELECT person, team FROM team_members WHERE project = ?",
      [&](const Row& row) { teams[row.text(0)].push_back(row.text(1)); }, project);
  database.stream(
      "SELECT person, role, verdicts_since FROM members WHERE project = ?",
      [&](const Row& row) {
        const bool gives_verdicts = row.text(1) == "reviewer" || row.text(1) == "admin";
        RowText text;
        text.set("role", row.text(1)).set("teams", journal::joined(std::move(teams[row.text(0)])));
        text.set("verdictsSince", gives_verdicts ? time_text(row.time(2)) : std::string());
        take(row_key("member", row.text(0)), text.text());
        teams.erase(row.text(0));
      },
      project);
  for (const auto& [person, team] : teams) take(row_key("team_member", person), "");
}

void accounts(Database& database, std::string_view project, const TakeRow& take) {
  database.stream(
      kProject + " WHERE id = ?", [&](const Row& row) { take_project(row, take); }, project);
  database.stream(
      "SELECT id, name FROM teams WHERE project = ?",
      [&](const Row& row) {
        take(row_key("team", row.text(0)), RowText().set("nameDigest", digest_text(row.text(1))).text());
      },
      project);
  database.stream(
      "SELECT id, owner, name, disabled, created_at FROM service_accounts WHERE project = ?",
      [&](const Row& row) {
        RowText text;
        text.set("owner", row.text(1))
            .set("nameDigest", digest_text(row.text(2)))
            .set("disabled", flag_text(row.integer(3)))
            .set("createdAt", time_text(row.time(4)));
        take(row_key("service_account", row.text(0)), text.text());
      },
      project);
  database.stream(
      "SELECT id, account, owner, scopes, environment, expires_at, revoked_at, name, hash, created_at FROM "
      "api_keys WHERE project = ?",
      [&](const Row& row) {
        RowText text;
        text.set("serviceAccount", row.text(1))
            .set("owner", row.text(2))
            .set("scopes", list_text_of(row.text(3)));
        text.set("environment", row.text(4)).set("expiresAt", time_text(row.time(5)));
        text.set("nameDigest", digest_text(row.text(7))).set("hashDigest", digest_text(row.text(8)));
        text.set("createdAt", time_text(row.time(9)));
        take(row_key("key", row.text(0)), text.set("revokedAt", time_text(row.time(6))).text());
      },
      project);
}

std::string protection_digest(const std::string& rule, std::int64_t version) {
  const auto protection = protection_from_json(rule, version);
  const bool canonical = protection.ok() && canonical_protection(*protection) == rule;
  return canonical ? digest_of(*protection) : "not a protection";
}

void environments(Database& database, std::string_view project, const TakeRow& take) {
  std::map<std::pair<std::string, std::int64_t>, std::string> digests;
  database.stream(
      "SELECT environment, version, rule FROM protections WHERE project = ?",
      [&](const Row& row) {
        const std::string digest = protection_digest(row.text(2), row.integer(1));
        digests[{row.text(0), row.integer(1)}] = digest;
        take(row_key("protection", row.text(0), row.integer(1)), RowText().set("digest", digest).text());
      },
      project);
  database.stream(
      "SELECT id, name, position, protection_version FROM environments WHERE project = ?",
      [&](const Row& row) {
        RowText text;
        text.set("nameDigest", digest_text(row.text(1))).set("order", row.integer(2));
        text.set("protectionVersion", row.integer(3));
        text.set("protectionDigest", digests[{row.text(0), row.integer(3)}]);
        take(row_key("environment", row.text(0)), text.text());
      },
      project);
  database.each(
      "SELECT environment, name, position, protection_version, rule, changed_at, proposed_by FROM proposals "
      "WHERE project = ?",
      [&](const Row& row) {
        RowText text;
        text.set("nameDigest", digest_text(row.text(1))).set("order", row.integer(2));
        // It is made as the next version of the protection that it is to replace.
        text.set("overVersion", row.integer(3) - 1);
        text.set("protectionDigest", protection_digest(row.text(4), row.integer(3)));
        text.set("at", time_text(row.time(5))).set("by", row.text(6));
        take(row_key("proposal", row.text(0)), text.text());
      },
      project);
}

struct ArtifactColumns {
  std::string name, kind, type;
};

// The digest of the content, or why it cannot be the version's: its columns must repeat what it says.
std::string content_digest(const std::string& content, const ArtifactColumns& artifact,
                           const std::string& semver) {
  const auto parsed = parse_json(content);
  if (!parsed.ok() || !parsed->is_object()) return content.empty() ? "missing" : "not readable";
  const std::array<std::pair<const char*, const std::string*>, 4> repeated = {
      {{"name", &artifact.name}, {"kind", &artifact.kind}, {"type", &artifact.type}, {"semver", &semver}}};
  for (const auto& [member, column] : repeated) {
    const auto* value = parsed->get_object().if_contains(member);
    if (value == nullptr || !value->is_string() || std::string_view(value->get_string()) != *column) {
      return std::string("of another ") + member;
    }
  }
  return "sha256:" + to_hex(Sha256().add("imprimatur-version-v1\n").add(content).finish());
}

// Of each version, what it includes: one line an entry of its lock.
using LockLines = std::map<std::pair<std::string, std::int64_t>, std::string>;

std::string lock_line(std::string_view name, std::int64_t version, std::int64_t direct) {
  return std::string(name) + " " + std::to_string(version) + " " + std::to_string(direct) + "\n";
}

LockLines lock_lines(Database& database, std::string_view project) {
  LockLines out;
  database.stream(
      "SELECT artifact, number, layer, layer_number, direct, position FROM locks WHERE project = ? "
      "ORDER BY artifact, number, position",
      [&](const Row& row) {
        std::string& lines = out[{row.text(0), row.integer(1)}];
        const std::int64_t place = std::count(lines.begin(), lines.end(), '\n');
        if (row.integer(5) != place) lines += "out of its place ";
        lines += lock_line(row.text(2), row.integer(3), row.integer(4));
      },
      project);
  return out;
}

// Whether the rows say what the content says. Precondition: the content can be read.
bool same_locks(const std::string& content, const std::string& lines) {
  if (lines.empty() && !may_include(content)) return true;
  const auto read = content_from_canonical(content);
  if (!read.ok()) return false;
  std::string expected;
  for (std::size_t i = 0; i < read->lock.size(); ++i) {
    expected += lock_line(read->lock[i].name, read->lock[i].version, i < read->layers.size() ? 1 : 0);
  }
  return expected == lines;
}

void artifacts(Database& database, std::string_view project, const TakeRow& take) {
  std::map<std::string, ArtifactColumns, std::less<>> known;
  LockLines locks = lock_lines(database, project);
  // With another version of Unicode they are made anew when the server starts.
  const bool of_today = skeletons_are_of_today(database);
  const auto held = [&](const std::string& skeleton) {
    return database
        .one(
            "SELECT id FROM artifacts WHERE project = ? AND skeleton = ?",
            [](const Row& row) { return row.text(0); }, project, skeleton)
        .has_value();
  };
  database.stream(
      "SELECT id, name, skeleton, kind, type, latest_version, latest_state, created_at, "
      "created_by FROM artifacts WHERE project = ?",
      [&](const Row& row) {
        const std::string skeleton = of_today ? skeleton_of(row.text(1)) : row.text(2);
        const bool same_look = row.text(2) == skeleton ||
                               (row.text(2) == skeleton_beside(skeleton, row.text(0)) && held(skeleton));
        RowText text;
        text.set("kind", row.text(3)).set("type", row.text(4));
        text.set("nameDigest", same_look ? digest_text(row.text(1)) : "of another skeleton");
        text.set("createdAt", time_text(row.time(7))).set("createdBy", row.text(8));
        text.set("latestVersion", row.integer(5));
        take(row_key("artifact", row.text(0)), text.set("latestState", row.text(6)).text());
        known[row.text(0)] = {row.text(1), row.text(3), row.text(4)};
      },
      project);
  database.stream(
      "SELECT v.artifact, v.number, v.digest, v.author, v.accountable, v.base_version, v.created_at, "
      "v.state, "
      "v.reason, v.semver, coalesce(c.content, ''), v.message, v.salt FROM versions v LEFT JOIN contents c "
      "ON c.project = "
      "v.project "
      "AND c.artifact = v.artifact AND c.number = v.number WHERE v.project = ?",
      [&](const Row& row) {
        RowText text;
        text.set("digest", row.text(2)).set("author", row.text(3)).set("accountable", row.text(4));
        text.set("base", number_text(row.integer(5)));
        text.set("message", committed(row.text(12), row.text(11)));
        std::string content = content_digest(row.text(10), known[row.text(0)], row.text(9));
        const auto lines = locks.extract({row.text(0), row.integer(1)});
        const bool same = same_locks(row.text(10), lines.empty() ? std::string() : lines.mapped());
        if (content.starts_with("sha256:") && !same) content = "of other locks";
        text.set("content", content);
        text.set("createdAt", time_text(row.time(6))).set("state", row.text(7));
        const std::string reason = row.text(8) == "none" ? std::string() : row.text(8);
        take(row_key("version", row.text(0), row.integer(1)), text.set("reason", reason).text());
      },
      project);
  for (const auto& [version, lines] : locks) take(row_key("lock", version.first, version.second), "");
}

void scans(Database& database, std::string_view project, const TakeRow& take) {
  database.stream(
      "SELECT id, artifact, version, digest, status, score_tenths, critical_findings, ruleset, report, "
      "created_at, number, scanned_by FROM scans WHERE project = ?",
      [&](const Row& row) {
        RowText text;
        text.set("artifact", row.text(1)).set("version", row.integer(2)).set("digest", row.text(3));
        text.set("status", row.text(4)).set("scoreTenths", row.integer(5)).set("critical", row.integer(6));
        text.set("ruleset", row.text(7)).set("report", digest_text(row.text(8)));
        text.set("number", row.integer(10)).set("by", row.text(11));
        take(row_key("scan", row.text(0)), text.set("createdAt", time_text(row.time(9))).text());
      },
      project);
  database.stream(
      "SELECT artifact, name, version, set_by, set_at FROM labels WHERE project = ?",
      [&](const Row& row) {
        RowText text;
        text.set("version", row.integer(2)).set("by", row.text(3)).set("at", time_text(row.time(4)));
        take(row_key("label", row.text(0)) + " " + row.text(1), text.text());
      },
      project);
}

void reviews(Database& database, std::string_view project, const TakeRow& take) {
  database.stream(
      "SELECT id, environment, cycle, protection_version, state, submitted_by, created_at, "
      "number, comment, salt FROM reviews WHERE project = ?",
      [&](const Row& row) {
        RowText text;
        text.set("environment", row.text(1)).set("cycle", row.integer(2));
        text.set("protectionVersion", row.integer(3)).set("state", row.text(4));
        text.set("submittedBy", row.text(5)).set("createdAt", time_text(row.time(6)));
        text.set("number", row.integer(7)).set("comment", committed(row.text(9), row.text(8)));
        take(row_key("review", row.text(0)), text.text());
      },
      project);
  database.stream(
      "SELECT review, cycle, position, artifact, version, digest, base FROM review_items WHERE project = ?",
      [&](const Row& row) {
        RowText text;
        text.set("artifact", row.text(3)).set("version", row.integer(4)).set("digest", row.text(5));
        text.set("base", row.text(6));
        take(row_key("review_item", row.text(0), row.integer(1)) + " " + std::to_string(row.integer(2)),
             text.text());
      },
      project);
}

void words(Database& database, std::string_view project, const TakeRow& take) {
  database.stream(
      "SELECT review, number, cycle, given_by, kind, environment, items_digest, base_digest, "
      "protection_version, given_at, comment, salt FROM verdicts WHERE project = ?",
      [&](const Row& row) {
        RowText text;
        text.set("cycle", row.integer(2)).set("person", row.text(3)).set("verdict", row.text(4));
        text.set("environment", row.text(5)).set("itemsDigest", row.text(6)).set("baseDigest", row.text(7));
        text.set("protectionVersion", row.integer(8)).set("at", time_text(row.time(9)));
        text.set("comment", committed(row.text(11), row.text(10)));
        take(row_key("verdict", row.text(0), row.integer(1)), text.text());
      },
      project);
  database.stream(
      "SELECT id, review, given_by, given_at, number, cycle, body, salt FROM comments WHERE project = ?",
      [&](const Row& row) {
        RowText text;
        text.set("review", row.text(1)).set("by", row.text(2)).set("at", time_text(row.time(3)));
        text.set("number", row.integer(4)).set("cycle", row.integer(5));
        text.set("text", committed(row.text(7), row.text(6)));
        take(row_key("comment", row.text(0)), text.text());
      },
      project);
}

void dismissals(Database& database, std::string_view project, const TakeRow& take) {
  database.stream(
      "SELECT review, verdict, checklist, answers, salt FROM checklist_answers WHERE project = ?",
      [&](const Row& row) {
        RowText text;
        text.set("checklist", row.text(2)).set("answers", committed(row.text(4), row.text(3)));
        take(row_key("answers", row.text(0), row.integer(1)), text.text());
      },
      project);
  database.stream(
      "SELECT review, number, verdict, reason, salt, dismissed_by, dismissed_at FROM dismissals WHERE "
      "project = ?",
      [&](const Row& row) {
        RowText text;
        text.set("verdict", row.integer(2)).set("reason", committed(row.text(4), row.text(3)));
        text.set("by", row.text(5)).set("at", time_text(row.time(6)));
        take(row_key("dismissal", row.text(0), row.integer(1)), text.text());
      },
      project);
}

void checks(Database& database, std::string_view project, const TakeRow& take) {
  database.stream(
      "SELECT id, artifact, version, number, digest, name, status, summary, url, salt, reported_by, "
      "reported_at FROM check_results WHERE project = ?",
      [&](const Row& row) {
        RowText text;
        text.set("artifact", row.text(1)).set("version", row.integer(2)).set("number", row.integer(3));
        text.set("digest", row.text(4)).set("nameDigest", digest_text(row.text(5)));
        text.set("status", row.text(6));
        text.set("said", committed(row.text(9), row.text(7) + "\n" + row.text(8)));
        text.set("by", row.text(10)).set("at", time_text(row.time(11)));
        take(row_key("check", row.text(0)), text.text());
      },
      project);
  database.stream(
      "SELECT id, artifact, version, number, digest, rule, reason, salt, accepted_by, accepted_at, "
      "expires_at FROM acceptances WHERE project = ?",
      [&](const Row& row) {
        RowText text;
        text.set("artifact", row.text(1)).set("version", row.integer(2)).set("number", row.integer(3));
        text.set("digest", row.text(4)).set("ruleDigest", digest_text(row.text(5)));
        text.set("reason", committed(row.text(7), row.text(6)));
        text.set("by", row.text(8)).set("at", time_text(row.time(9)));
        take(row_key("acceptance", row.text(0)), text.set("expiresAt", time_text(row.time(10))).text());
      },
      project);
}

std::string owners_digest(const std::string& rules, std::int64_t version) {
  const auto read = owners_from_json(rules, version);
  return read.ok() && canonical_owners(*read) == rules ? digest_of(*read) : "no owner rules";
}

void owners(Database& database, std::string_view project, const TakeRow& take) {
  database.stream(
      "SELECT version, rules, changed_at FROM owner_rules WHERE project = ?",
      [&](const Row& row) {
        RowText text;
        text.set("digest", owners_digest(row.text(1), row.integer(0))).set("at", time_text(row.time(2)));
        take(row_key("owners", "", row.integer(0)), text.text());
      },
      project);
  database.stream(
      "SELECT version, rules, proposed_by, proposed_at FROM owner_proposals WHERE project = ?",
      [&](const Row& row) {
        RowText text;
        text.set("digest", owners_digest(row.text(1), row.integer(0)));
        // It is made as the next version of the rules that it is to replace.
        text.set("overVersion", row.integer(0) - 1);
        text.set("by", row.text(2)).set("at", time_text(row.time(3)));
        take(row_key("owner_proposal", ""), text.text());
      },
      project);
}

void releases(Database& database, std::string_view project, const TakeRow& take) {
  database.stream(
      "SELECT id, change_set, environment, artifact, version, digest, review, replaced, previous, "
      "protection_version, gate, kind, protection_met, rollout, released_by, released_at, ended, ended_at, "
      "number, reason, salt FROM releases WHERE project = ?",
      [&](const Row& row) {
        RowText text;
        text.set("changeSet", row.text(1)).set("environment", row.text(2)).set("artifact", row.text(3));
        text.set("version", row.integer(4)).set("digest", row.text(5)).set("review", row.text(6));
        text.set("replaced", row.text(7))
            .set("previous", row.text(8))
            .set("protectionVersion", row.integer(9));
        text.set("gate", digest_text(row.text(10)))
            .set("kind", row.text(11))
            .set("protectionMet", flag_text(row.integer(12)));
        text.set("rollout", row.text(13)).set("by", row.text(14)).set("at", time_text(row.time(15)));
        text.set("end", row.text(16)).set("endedAt", time_text(row.time(17)));
        text.set("number", row.integer(18)).set("reason", committed(row.text(20), row.text(19)));
        take(row_key("release", row.text(0)), text.text());
      },
      project);
  database.stream(
      "SELECT artifact, version, environment, reason, salt FROM retirement_reasons WHERE project = ?",
      [&](const Row& row) {
        take(row_key("retirement_reason", row.text(0), row.integer(1)) + " " + row.text(2),
             RowText().set("reason", committed(row.text(4), row.text(3))).text());
      },
      project);
  database.stream(
      "SELECT artifact, version, environment, retired_at FROM retirements WHERE project = ?",
      [&](const Row& row) {
        take(row_key("retirement", row.text(0), row.integer(1)) + " " + row.text(2),
             RowText().set("at", time_text(row.time(3))).text());
      },
      project);
}

}  // namespace

void each_row(Database& database, std::string_view journal, const TakeRow& take) {
  if (journal == journal::kOrganisation) return people(database, journal, take);
  for (const auto part : {members, accounts, environments, artifacts, scans, reviews, words, dismissals,
                          checks, owners, releases}) {
    part(database, journal, take);
  }
}

std::vector<Stray> strays(Database& database) {
  std::vector<Stray> out;
  for (const char* table : {"members",
                            "team_members",
                            "teams",
                            "service_accounts",
                            "api_keys",
                            "environments",
                            "protections",
                            "proposals",
                            "artifacts",
                            "versions",
                            "contents",
                            "scans",
                            "labels",
                            "reviews",
                            "review_items",
                            "verdicts",
                            "comments",
                            "releases",
                            "retirements",
                            "check_results",
                            "acceptances",
                            "checklist_answers",
                            "dismissals",
                            "owner_rules",
                            "owner_proposals",
                            "locks",
                            "retirement_reasons"}) {
    const std::string sql = std::string("SELECT DISTINCT project FROM ") + table +
                            " WHERE project NOT IN (SELECT id FROM projects)";
    database.each(sql, [&](const Row& row) { out.push_back({table, row.text(0)}); });
  }
  database.each(
      "SELECT DISTINCT c.project FROM contents c LEFT JOIN versions v ON v.project = c.project AND "
      "v.artifact = c.artifact AND v.number = c.number WHERE v.project IS NULL",
      [&](const Row& row) {
        out.push_back({"contents", row.text(0)});
      });
  return out;
}

}  // namespace imprimatur::store

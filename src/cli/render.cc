#include "cli/render.h"

#include "cli/answers.h"

#include <boost/json.hpp>

namespace imprimatur::cli {
namespace {

namespace json = boost::json;

std::string shown(const json::value& object, std::string_view name) {
  return harmless(text_in(object, name));
}

void render_hunks(const Console& console, const json::value& diff) {
  for (const json::value& hunk : list_in(diff, "hunks")) {
    const auto range = [&](const char* start, const char* lines) {
      return std::to_string(number_in(hunk, start)) + "," + std::to_string(number_in(hunk, lines));
    };
    console.out << console.painted(Colour::cyan, "@@ -" + range("fromStart", "fromLines") + " +" +
                                                     range("toStart", "toLines") + " @@")
                << "\n";
    for (const json::value& line : list_in(hunk, "lines")) {
      const std::string origin = text_in(line, "origin");
      const std::string text = origin + shown(line, "text");
      if (origin == "+") {
        console.out << console.painted(Colour::green, text) << "\n";
      } else if (origin == "-") {
        console.out << console.painted(Colour::red, text) << "\n";
      } else {
        console.out << text << "\n";
      }
    }
  }
}

// How many there were.
std::size_t render_names(const Console& console, const json::value& variables, const char* what) {
  const json::array& list = list_in(variables, what);
  for (const json::value& variable : list) {
    const json::value& to = member(variable, "to");
    console.out << "variable " << shown(to.is_object() ? to : variable, "name") << " " << what << "\n";
  }
  return list.size();
}

std::string named(const json::value& actor) { return harmless(text_in(actor, "displayName")); }

void render_field(const Console& console, const json::value& version, const char* name) {
  const json::value& value = member(version, name);
  const bool nothing = value.is_null() || (value.is_array() && value.get_array().empty()) ||
                       (value.is_object() && value.get_object().empty());
  if (!nothing) console.out << "  " << name << ": " << harmless(json::serialize(value)) << "\n";
}

void render_text(const Console& console, const std::string& text) {
  console.out << harmless(text) << (text.ends_with('\n') ? "" : "\n");
}

void render_said(const Console& console, const json::value& version) {
  if (member(version, "content").is_string()) render_text(console, text_in(version, "content"));
  for (const json::value& said : list_in(version, "messages")) {
    console.out << console.painted(Colour::cyan, "--- " + text_in(said, "role") + " ---") << "\n";
    render_text(console, text_in(said, "content"));
  }
}

void render_changes(const Console& console, const json::value& diff) {
  render_hunks(console, diff);
  std::size_t changes = list_in(diff, "hunks").size();
  const json::value& variables = member(diff, "variables");
  for (const char* what : {"added", "removed", "changed"}) changes += render_names(console, variables, what);
  if (is_true(member(diff, "model"), "changed")) {
    console.out << "model changed\n";
    ++changes;
  }
  for (const json::value& field : list_in(diff, "fields")) {
    if (field.is_string()) console.out << harmless(field.get_string()) << " changed\n";
    ++changes;
  }
  const std::string step = shown(diff, "semverBump");
  console.out << (changes == 0 ? "no difference" : "smallest step: " + step) << "\n";
}

}  // namespace

void render_diff(const Console& console, const json::value& diff, const std::string& from,
                 const std::string& to) {
  console.out << console.painted(Colour::bold, "--- " + harmless(from)) << "\n"
              << console.painted(Colour::bold, "+++ " + harmless(to)) << "\n";
  render_changes(console, diff);
  const json::value& effective = member(diff, "effective");
  if (!effective.is_object()) return;
  console.out << console.painted(Colour::bold, "with what it includes in place") << "\n";
  render_changes(console, effective);
}

std::string diff_size(const json::value& whole) {
  // What changes for the application, where that is not the same.
  const json::value& effective = member(whole, "effective");
  const json::value& diff = effective.is_object() ? effective : whole;
  std::size_t added = 0, removed = 0;
  for (const json::value& hunk : list_in(diff, "hunks")) {
    for (const json::value& line : list_in(hunk, "lines")) {
      const std::string origin = text_in(line, "origin");
      added += origin == "+" ? 1 : 0;
      removed += origin == "-" ? 1 : 0;
    }
  }
  return "+" + std::to_string(added) + " -" + std::to_string(removed);
}

std::string items_of(const json::value& review) {
  std::string out;
  for (const json::value& item : list_in(review, "items")) {
    out += (out.empty() ? "" : ", ") + shown(item, "name") + " version " + text_in(item, "version");
  }
  return out;
}

void render_gate(const Console& console, const json::value& gate) {
  for (const json::value& need : list_in(gate, "requirements")) {
    const bool met = is_true(need, "met");
    console.out << "  " << console.painted(met ? Colour::green : Colour::yellow, met ? "met    " : "not met")
                << "  " << shown(need, "kind") << ": " << shown(need, "detail") << "\n";
  }
  if (is_true(gate, "unsatisfiable")) console.out << "  nobody is left who could fill this\n";
}

void render_review(const Console& console, const json::value& review) {
  console.out << "review " << shown(review, "id") << " for " << shown(review, "environment") << " is "
              << console.painted(Colour::bold, text_in(review, "state")) << "\n";
  for (const json::value& item : list_in(review, "items")) {
    console.out << "  " << shown(item, "name") << " version " << text_in(item, "version") << "  "
                << shown(item, "digest") << "\n";
  }
  render_gate(console, member(review, "gate"));
  const auto& questions = list_in(review, "checklist");
  if (!questions.empty()) console.out << "  every approval answers:\n";
  for (const json::value& question : questions) {
    console.out << "    " << shown(question, "id") << ": " << shown(question, "question") << "\n";
  }
}

void render_talk(const Console& console, const json::value& review) {
  console.out << "  submitted by " << named(member(review, "submittedBy")) << " at "
              << shown(review, "createdAt");
  const std::string comment = shown(review, "comment");
  console.out << (comment.empty() ? "" : ": " + comment) << "\n";
  const std::int64_t cycle = number_in(review, "cycle");
  for (const json::value& verdict : list_in(review, "verdicts")) {
    const std::string said = shown(verdict, "comment");
    const json::value& dismissed = member(verdict, "dismissed");
    console.out << "  " << text_in(verdict, "number") << ". " << shown(verdict, "verdict") << " by "
                << named(member(verdict, "by")) << " at " << shown(verdict, "createdAt")
                << (number_in(verdict, "cycle") == cycle ? "" : ", of an earlier cycle")
                << (said.empty() ? "" : ": " + said) << "\n";
    if (!dismissed.is_object()) continue;
    const std::string why = shown(dismissed, "reason");
    console.out << "     set aside by " << named(member(dismissed, "by")) << " at "
                << shown(dismissed, "createdAt") << (why.empty() ? "" : ": " + why) << "\n";
  }
}

void render_review_line(const Console& console, const json::value& review) {
  console.out << shown(review, "id") << "  " << console.painted(Colour::bold, text_in(review, "state"))
              << "  " << shown(review, "environment") << "  " << items_of(review) << "  by "
              << named(member(review, "submittedBy")) << "  " << shown(review, "createdAt") << "\n";
}

void render_version(const Console& console, const json::value& version) {
  console.out << shown(version, "name") << " version " << text_in(version, "number") << " ("
              << shown(version, "semver") << ") is "
              << console.painted(Colour::bold, text_in(version, "state")) << "\n  "
              << shown(version, "digest") << "\n  saved by " << named(member(version, "author")) << " at "
              << shown(version, "createdAt");
  const std::string message = shown(version, "message");
  console.out << (message.empty() ? "" : ": " + message) << "\n";
  const json::value& scan = member(version, "scan");
  if (scan.is_object()) {
    console.out << "  scan: " << shown(scan, "status") << ", "
                << counted(list_in(scan, "findings").size(), "finding") << "\n";
  }
  for (const json::value& review : list_in(version, "reviews")) {
    console.out << "  review " << shown(review, "id") << " for " << shown(review, "environment") << ": "
                << shown(review, "state") << "\n";
  }
  for (const char* field : {"variables", "model", "config", "tools", "outputSchema", "layers", "lock"}) {
    render_field(console, version, field);
  }
  console.out << "\n";
  render_said(console, version);
}

void render_effective(const Console& console, const json::value& effective) {
  console.out << "\n" << console.painted(Colour::bold, "with what it includes in place") << "\n";
  for (const char* field : {"variables", "config"}) render_field(console, effective, field);
  render_said(console, effective);
}

void render_release(const Console& console, const json::value& release) {
  if (member(release, "releases").is_array()) {
    for (const json::value& one : list_in(release, "releases")) render_release(console, one);
    return;
  }
  console.out << shown(release, "name") << " version " << text_in(release, "version") << " is "
              << console.painted(Colour::green, "live") << " in " << shown(release, "environment")
              << " (release " << shown(release, "id") << ")\n";
}

}  // namespace imprimatur::cli

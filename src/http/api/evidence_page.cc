#include "http/api/evidence_page.h"

#include "base/hash.h"
#include "base/json.h"

#include <boost/json.hpp>

namespace imprimatur::http {
namespace {

namespace json = boost::json;

constexpr std::string_view kStyle = R"css(
:root { color-scheme: light; --ink: #1c1c1c; --soft: #5d5d5d; --line: #d4d0c8; --wash: #f6f4ef;
  --yes: #1d6b3a; --no: #a3231f; }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 2.5rem 1.5rem 4rem; max-width: 62rem; background: #fff; color: var(--ink);
  font: 15px/1.5 "Iowan Old Style", "Palatino Linotype", Georgia, serif; }
h1 { margin: 0 0 .2rem; font-size: 1.9rem; line-height: 1.2; overflow-wrap: anywhere; }
h2 { margin: 2.2rem 0 .6rem; padding-top: .7rem; border-top: 2px solid var(--ink); font-size: 1.15rem; }
p { margin: .5rem 0; max-width: 46rem; }
.lead { color: var(--soft); }
table { width: 100%; border-collapse: collapse; font-size: .93rem; }
th, td { padding: .35rem .7rem .35rem 0; border-bottom: 1px solid var(--line); text-align: left;
  vertical-align: top; overflow-wrap: break-word; }
th { color: var(--soft); font-weight: normal; }
.facts th { width: 11rem; }
bdi, td { unicode-bidi: isolate; }
code, pre { font: .83rem/1.45 "DejaVu Sans Mono", Menlo, Consolas, monospace; }
code, blockquote { overflow-wrap: anywhere; }
pre { margin: .5rem 0; padding: .8rem 1rem; border: 1px solid var(--line); background: var(--wash);
  white-space: pre-wrap; overflow-wrap: anywhere; unicode-bidi: isolate; }
blockquote { margin: .2rem 0; padding-left: .8rem; border-left: 3px solid var(--line);
  white-space: pre-wrap; }
.yes { color: var(--yes); font-weight: bold; }
.no { color: var(--no); font-weight: bold; }
.none { color: var(--soft); font-style: italic; }
@media print {
  body { max-width: none; padding: 0; font-size: 10.5pt; }
  h2 { break-after: avoid; }
  tr, blockquote { break-inside: avoid; }
  pre { background: none; }
}
)css";

const json::value& in(const json::value& value, std::string_view name) {
  static const json::value kNull;
  const json::value* found = value.is_object() ? value.get_object().if_contains(name) : nullptr;
  return found == nullptr ? kNull : *found;
}

std::string plain(const json::value& value) {
  if (value.is_string()) return std::string(value.get_string());
  return value.is_null() ? std::string() : canonical_json(value).value();
}

std::string text(const json::value& value) {
  if (value.is_null()) return "<span class=\"none\">none</span>";
  return "<bdi>" + html_text(plain(value)) + "</bdi>";
}

std::string code(const json::value& value) {
  return value.is_null() ? text(value) : "<code>" + html_text(plain(value)) + "</code>";
}

// With the names that they have now, which nobody has signed.
struct People {
  const std::map<PrincipalId, std::string>& names;

  std::string operator()(const json::value& who) const {
    if (!who.is_object()) return text(nullptr);
    const std::string id = plain(in(who, "id"));
    const auto name = names.find({id});
    if (name == names.end()) return code(in(who, "id"));
    return text(json::value(name->second)) + " <code>" + html_text(id) + "</code>";
  }
};

std::string said(const json::value& words) {
  const json::value& what = in(words, "text");
  if (what.is_null()) return "<span class=\"none\">not shown</span> " + code(in(words, "commitment"));
  if (plain(what).empty()) return "<span class=\"none\">nothing</span>";
  return "<blockquote><bdi>" + html_text(plain(what)) + "</bdi></blockquote>";
}

std::string yes_or_no(const json::value& value, std::string_view yes, std::string_view no) {
  const bool is = value.is_bool() && value.get_bool();
  return std::string(is ? "<span class=\"yes\">" : "<span class=\"no\">") + std::string(is ? yes : no) +
         "</span>";
}

class Page {
 public:
  void heading(std::string_view what) { out_.append("<h2>").append(what).append("</h2>\n"); }
  void paragraph(std::string_view html) { out_.append("<p>").append(html).append("</p>\n"); }
  void block(std::string_view what) { out_.append("<pre>").append(html_text(what)).append("</pre>\n"); }
  void facts(const std::vector<std::pair<std::string_view, std::string>>& rows) {
    out_ += "<table class=\"facts\">\n";
    for (const auto& [name, html] : rows) {
      out_.append("<tr><th scope=\"row\">")
          .append(name)
          .append("</th><td>")
          .append(html)
          .append("</td></tr>\n");
    }
    out_ += "</table>\n";
  }
  void table(const std::vector<std::string_view>& names, const std::vector<std::vector<std::string>>& rows) {
    if (rows.empty()) return paragraph("<span class=\"none\">none</span>");
    out_ += "<table>\n<tr>";
    for (const std::string_view name : names) out_.append("<th scope=\"col\">").append(name).append("</th>");
    out_ += "</tr>\n";
    for (const auto& row : rows) {
      out_ += "<tr>";
      for (const std::string& html : row) out_.append("<td>").append(html).append("</td>");
      out_ += "</tr>\n";
    }
    out_ += "</table>\n";
  }
  std::string take() { return std::move(out_); }

 private:
  std::string out_;
};

const json::array& list(const json::value& value) {
  static const json::array kEmpty;
  return value.is_array() ? value.get_array() : kEmpty;
}

void show_release(Page& page, const json::value& predicate, const People& person) {
  const json::value& release = in(predicate, "release");
  page.heading("The release");
  std::string restores;
  for (const json::value& one : list(in(release, "restores"))) restores += code(one) + " ";
  page.facts({{"Release", code(in(release, "id"))},
              {"Kind", text(in(release, "kind"))},
              {"Live from", text(in(release, "at"))},
              {"Project", text(in(in(predicate, "project"), "name"))},
              {"Environment", text(in(in(predicate, "environment"), "name"))},
              {"Put there by", person(in(release, "by"))},
              {"Reason", said(in(release, "reason"))},
              {"Replaced", code(in(release, "replaced"))},
              {"Restores", restores.empty() ? text(nullptr) : restores},
              {"Protection met", yes_or_no(in(release, "protectionMet"), "yes", "no: break-glass")}});
}

void show_version(Page& page, const json::value& version, const People& person) {
  page.heading("The version");
  page.facts({{"Prompt", text(in(version, "name")) + " " + code(in(version, "id"))},
              {"Number", text(in(version, "number"))},
              {"Semver", text(in(version, "semver"))},
              {"Digest", code(in(version, "digest"))},
              {"Saved", text(in(version, "savedAt"))},
              {"Author", person(in(version, "author"))},
              {"Accountable", person(in(version, "accountable"))},
              {"Message", said(in(version, "message"))}});
}

void show_gate(Page& page, const json::value& predicate) {
  page.heading("What was asked, and what the gate answered");
  const json::value& protection = in(predicate, "protection");
  const json::value& gate = in(predicate, "gate");
  page.facts(
      {{"Protection", "version " + text(in(protection, "version")) + " " + code(in(protection, "digest"))},
       {"Rule", "<code>" + html_text(plain(in(protection, "rule"))) + "</code>"},
       {"Answer",
        yes_or_no(in(in(gate, "answer"), "met"), "met", "not met") + " " + code(in(gate, "digest"))}});
  std::vector<std::vector<std::string>> rows;
  for (const json::value& requirement : list(in(in(gate, "answer"), "requirements"))) {
    std::string verdicts;
    for (const json::value& verdict : list(in(requirement, "verdicts"))) {
      verdicts += "<div>" + code(in(verdict, "by")) + " " +
                  yes_or_no(in(verdict, "counts"), "counts", "does not count") + " " +
                  text(in(verdict, "why")) + "</div>";
    }
    rows.push_back({text(in(requirement, "kind")), yes_or_no(in(requirement, "met"), "met", "not met"),
                    text(in(requirement, "detail")), verdicts});
  }
  page.table({"Requirement", "Met", "Detail", "Verdicts"}, rows);
}

void show_review(Page& page, const json::value& review, const People& person) {
  page.heading("The review");
  if (review.is_null()) return page.paragraph("The environment asked for none.");
  page.facts({{"Review", code(in(review, "id"))},
              {"Cycle", text(in(review, "cycle"))},
              {"Submitted by", person(in(review, "submittedBy"))},
              {"Submitted", text(in(review, "submittedAt"))},
              {"Comment", said(in(review, "comment"))}});
  std::vector<std::vector<std::string>> rows;
  for (const json::value& verdict : list(in(review, "verdicts"))) {
    rows.push_back({person(in(verdict, "by")), text(in(verdict, "verdict")), text(in(verdict, "cycle")),
                    text(in(verdict, "at")), said(in(verdict, "comment"))});
  }
  page.table({"Verdict of", "Verdict", "Cycle", "Given", "Comment"}, rows);
}

void show_people_and_scans(Page& page, const json::value& predicate, const People& person) {
  page.heading("Who contributed");
  const json::value& contributors = in(predicate, "contributors");
  const json::value& after = in(contributors, "after");
  const bool from_the_first = after.is_int64() && after.get_int64() == 0;
  page.paragraph("Everybody who saved a version " +
                 (from_the_first ? std::string() : "after version " + text(after) + " and ") +
                 "before the deploy, and the owners of the keys that did. None of them approves.");
  std::vector<std::vector<std::string>> rows;
  for (const json::value& one : list(in(contributors, "people"))) {
    rows.push_back({person(in(one, "by")), text(in(one, "versions"))});
  }
  page.table({"Contributor", "Versions"}, rows);
  page.heading("Scans of the version");
  rows.clear();
  for (const json::value& scan : list(in(predicate, "scans"))) {
    const json::value& tenths = in(scan, "scoreTenths");
    const std::int64_t score = tenths.is_int64() ? tenths.get_int64() : 0;
    rows.push_back({text(in(scan, "at")), text(in(scan, "status")),
                    std::to_string(score / 10) + "." + std::to_string(score % 10), text(in(scan, "critical")),
                    code(in(scan, "ruleset")), code(in(scan, "report"))});
  }
  page.table({"When", "Status", "Score", "Critical", "Ruleset", "Report"}, rows);
}

void show_content(Page& page, const json::value& content) {
  page.heading("What it says");
  if (content.is_null()) {
    return page.paragraph(
        "<span class=\"none\">Not shown: it is not live any more, and the reader sees no drafts."
        "</span>");
  }
  if (in(content, "content").is_string()) page.block(plain(in(content, "content")));
  for (const json::value& message : list(in(content, "messages"))) {
    page.paragraph(text(in(message, "role")));
    page.block(plain(in(message, "content")));
  }
  std::vector<std::pair<std::string_view, std::string>> rows;
  for (const std::string_view field :
       {"variables", "model", "config", "tools", "outputSchema", "layers", "lock"}) {
    rows.emplace_back(field, code(in(content, field)));
  }
  page.facts(rows);
}

void show_proof(Page& page, const json::value& journal, const journal::Envelope& envelope) {
  page.heading("The entries of the journal");
  std::vector<std::vector<std::string>> rows;
  for (const json::value& entry : list(in(journal, "entries"))) {
    rows.push_back({text(in(entry, "seq")), text(in(entry, "time")), text(in(entry, "action")),
                    code(in(entry, "actor")), code(in(entry, "hash"))});
  }
  page.table({"Entry", "Time", "Action", "Actor", "Hash"}, rows);
  page.heading("The checkpoint that they are under");
  page.block(plain(in(journal, "checkpoint")));
  page.heading("The signed file");
  page.paragraph(
      "This page shows what the signed file holds, and names as they are known now; the file, which has ids "
      "alone, is what proves it. It is a DSSE envelope, "
      "checked with openssl as docs/evidence.md says, against a key that was noted down earlier.");
  page.facts({{"Key", code(json::value(envelope.key))},
              {"Signature", code(json::value(to_base64(envelope.signature)))},
              {"SHA-256 of the statement", code(json::value(to_hex(sha256(envelope.payload))))}});
}

// The bytes of a control character at the beginning, or of one that turns the direction of what follows; 0
// for any other.
std::size_t size_of_hidden(std::string_view text) {
  const auto byte = static_cast<unsigned char>(text.front());
  if (byte < 0x20 || byte == 0x7f) return byte == '\n' || byte == '\t' ? 0 : 1;
  for (const std::string_view turning : {"\u061C", "\u200E", "\u200F", "\u202A", "\u202B", "\u202C", "\u202D",
                                         "\u202E", "\u2066", "\u2067", "\u2068", "\u2069"}) {
    if (text.starts_with(turning)) return turning.size();
  }
  return 0;
}

}  // namespace

std::string html_text(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const std::size_t hidden = size_of_hidden(text);
    if (hidden > 0) {
      out += "\uFFFD";
      text.remove_prefix(hidden);
      continue;
    }
    switch (text.front()) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&quot;"; break;
      case '\'': out += "&#39;"; break;
      default: out.push_back(text.front());
    }
    text.remove_prefix(1);
  }
  return out;
}

std::string evidence_page_policy() {
  static const std::string kPolicy = "default-src 'none'; style-src 'sha256-" +
                                     to_base64(bytes_of(sha256(kStyle))) +
                                     "'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
  return kPolicy;
}

std::string evidence_page(const evidence::ReleaseEvidence& evidence) {
  const json::value* found = evidence.statement.if_contains("predicate");
  const json::value nothing;
  const json::value& predicate = found == nullptr ? nothing : *found;
  const People people{evidence.names};
  const json::value& version = in(predicate, "version");
  const std::string name = html_text(plain(in(version, "name")) + " " + plain(in(version, "semver")));
  Page page;
  show_release(page, predicate, people);
  show_version(page, version, people);
  show_gate(page, predicate);
  show_review(page, in(predicate, "review"), people);
  show_people_and_scans(page, predicate, people);
  show_content(page, in(version, "content"));
  show_proof(page, in(predicate, "journal"), evidence.envelope);
  std::string out =
      "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width\">\n<title>" +
      name + ": release evidence</title>\n<style>" + std::string(kStyle) +
      "</style>\n</head>\n<body>\n<h1><bdi>" + name + "</bdi></h1>\n";
  out += "<p class=\"lead\">Everything that let it into " + text(in(in(predicate, "environment"), "name")) +
         " of " + text(in(in(predicate, "project"), "name")) + ", as the journal has it.</p>\n";
  return out + page.take() + "</body>\n</html>\n";
}

}  // namespace imprimatur::http

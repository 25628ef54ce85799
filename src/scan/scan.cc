#include "scan/scan.h"

#include "base/hash.h"
#include "base/utf8.h"
#include "scan/document.h"
#include "scan/framing.h"
#include "scan/matcher.h"
#include "scan/predicates.h"
#include "scan/report.h"
#include "scan/ruleset.h"
#include "scan/score.h"

#include <algorithm>
#include <tuple>

namespace imprimatur::scan {
namespace {

// What stops a scan short: the reason goes into the report.
class Refused {
 public:
  bool operator()(bool condition, std::string_view reason) {
    if (condition && reason_.empty()) reason_ = reason;
    return condition;
  }
  const std::string& reason() const { return reason_; }

 private:
  std::string reason_;
};

class Scan {
 public:
  Scan(const TemplateView& view, const Ruleset& rules, const ScanLimits& limits)
      : rules_(rules), limits_(limits), document_(view), matcher_(rules) {}

  ScanReport run() {
    std::size_t bytes = 0;
    for (const Text& text : document_.texts) bytes += text.raw.size();
    decoded_budget_ = bytes * limits_.decoded_ratio + 4096;
    for (std::size_t i = 0; i < document_.texts.size(); ++i) scan_text(i);
    look_up_facts(document_);
    for (const CompiledRule& rule : rules_.rules()) {
      if (rule.predicate == nullptr) continue;
      std::vector<Match> matches;
      rule.predicate(document_, rule.spec, matches);
      for (Match& match : matches) keep(rule.spec, std::move(match));
    }
    ScanReport report = builder_.finish(document_, limits_.findings);
    refused_(builder_.omitted() > 0, "more findings than a report may hold");
    report.reason = refused_.reason();
    if (!report.reason.empty()) report.status = ScanStatus::error;
    return report;
  }

 private:
  void keep(const RuleSpec& rule, Match match) { builder_.add(rule, std::move(match)); }

  void scan_text(std::size_t index) {
    const Text& text = document_.texts[index];
    std::vector<PatternMatch> found;
    refused_(!matcher_.match(text.raw, text.folded, limits_.matches_per_rule, found),
             "a rule matches more often than a scan may count");
    const std::vector<Matcher::SurfaceHit> turned = matcher_.surface_hits();
    const std::vector<Framing> framings = frame(text.folded.text(), found);
    for (std::size_t i = 0; i < found.size(); ++i) {
      const RuleSpec& rule = rules_.rules()[found[i].rule].spec;
      keep(rule, {index,
                  found[i].start,
                  found[i].end,
                  severity_in(rule.severity, framings[i]),
                  framings[i],
                  {},
                  {}});
    }
    std::vector<Decoded> hidden = decode_stretches(text.lines);
    add_turned_lines(text.lines, turned, hidden);
    for (Decoded& decoded : hidden) {
      Concealed concealed{index, std::move(decoded), {}, Severity::info, false};
      look_inside(concealed.decoded.text, 1, concealed);
      document_.concealed.push_back(std::move(concealed));
    }
  }

  static Severity severity_in(Severity severity, Framing framing) {
    switch (framing) {
      case Framing::active: return severity;
      case Framing::quoted: return std::min(severity, Severity::low);
      case Framing::defensive: return Severity::info;
    }
    return severity;
  }

  // Words of defence excuse one mention of an attack. Two different rules in one sentence are more than a
  // mention.
  std::vector<Framing> frame(std::string_view folded, const std::vector<PatternMatch>& found) const {
    std::vector<Framing> framings;
    std::vector<std::size_t> sentences;
    for (const PatternMatch& match : found) {
      const RuleSpec& rule = rules_.rules()[match.rule].spec;
      framings.push_back(framing_of_phrase(folded, match.folded_start, match.folded_end, rule.context));
      sentences.push_back(sentence_around(folded, match.folded_start).start);
    }
    // What counts in each sentence. A few are enough to find company, so the search below stays short.
    struct Company {
      std::size_t sentence, rule, start, end;
      auto operator<=>(const Company&) const = default;
    };
    std::vector<Company> company;
    for (std::size_t i = 0; i < found.size(); ++i)
      if (counts(found[i]))
        company.push_back({sentences[i], found[i].rule, found[i].folded_start, found[i].folded_end});
    std::sort(company.begin(), company.end());
    for (std::size_t i = 0; i < found.size(); ++i) {
      auto other = std::lower_bound(company.begin(), company.end(), Company{sentences[i], 0, 0, 0});
      for (int tries = 0; other != company.end() && other->sentence == sentences[i] && tries < 64;
           ++other, ++tries)
        if (other->rule != found[i].rule &&
            (other->end <= found[i].folded_start || other->start >= found[i].folded_end))
          framings[i] = Framing::active;
    }
    return framings;
  }

  bool counts(const PatternMatch& match) const {
    const RuleSpec& rule = rules_.rules()[match.rule].spec;
    return rule.kind == FindingKind::text && rule.severity >= Severity::high;
  }

  // Each line that holds a turned word, once an encoding.
  static void add_turned_lines(std::string_view raw, const std::vector<Matcher::SurfaceHit>& hits,
                               std::vector<Decoded>& out) {
    for (const Encoding encoding : {Encoding::rot13, Encoding::reversed}) {
      std::size_t end = 0;
      for (const Matcher::SurfaceHit& hit : hits) {
        if (hit.encoding != encoding || hit.at < end) continue;
        out.push_back(decode_line(raw, hit.at, encoding));
        end = std::max(out.back().end, hit.at + 1);
      }
    }
  }

  // The worst that the rules see in a decoded text, and in what that decodes to.
  void look_inside(std::string_view text, std::size_t depth, Concealed& worst) {
    if (refused_(text.size() > decoded_budget_, "the encoded parts decode to more than a scan may read"))
      return;
    decoded_budget_ -= text.size();
    const FoldedText folded(text);
    std::vector<PatternMatch> found;
    refused_(!matcher_.match(text, folded, limits_.matches_per_rule, found),
             "a rule matches more often than a scan may count");
    for (const PatternMatch& match : found) {
      const RuleSpec& rule = rules_.rules()[match.rule].spec;
      if (rule.kind == FindingKind::pii) continue;
      worst.secret |= rule.kind == FindingKind::secret;
      if (worst.rule.empty() || rule.severity > worst.severity) {
        worst.rule = rule.id;
        worst.severity = rule.severity;
      }
    }
    const std::vector<Decoded> inside = decode_stretches(text);
    if (refused_(depth >= limits_.decode_depth && !inside.empty(),
                 "an encoding stands within more encodings than a scan looks into"))
      return;
    for (const Decoded& inner : inside) look_inside(inner.text, depth + 1, worst);
  }

  const Ruleset& rules_;
  const ScanLimits& limits_;
  Document document_;
  Matcher matcher_;
  ReportBuilder builder_;
  Refused refused_;
  std::size_t decoded_budget_ = 0;
};

std::string over_limits(const TemplateView& view, const ScanLimits& limits) {
  std::vector<std::string_view> texts = {view.model_provider, view.model_name, view.tools_json,
                                         view.config_json, view.output_schema_json};
  for (const Part& part : view.parts) texts.push_back(part.text);
  for (const DeclaredVariable& variable : view.variables) {
    texts.push_back(variable.description);
    texts.push_back(variable.default_json);
  }
  std::size_t bytes = 0;
  for (const std::string_view text : texts) bytes += text.size();
  if (view.parts.size() > limits.parts || view.variables.size() > limits.parts)
    return "too many parts to scan";
  if (bytes > limits.text_bytes)
    return "longer than a scan may read (" + std::to_string(limits.text_bytes) + " bytes)";
  for (const std::string_view text : texts)
    if (const auto at = first_invalid_utf8(text)) return "not UTF-8 at byte " + std::to_string(*at);
  return {};
}

}  // namespace

ScanReport scan(const TemplateView& view, const Ruleset& rules, const ScanLimits& limits) {
  ScanReport report;
  report.reason = over_limits(view, limits);
  if (report.reason.empty()) report = Scan(view, rules, limits).run();
  report.ruleset = rules.digest();
  report.digest = view.digest.empty() ? content_digest(view) : std::string(view.digest);
  return report;
}

std::string content_digest(const TemplateView& view) {
  Sha256 hash;
  const auto put = [&hash](std::string_view field) {
    hash.add(std::to_string(field.size()) + ":");
    hash.add(field);
  };
  put("imprimatur-scan-content-2");
  put(std::to_string(static_cast<int>(view.form)));
  put(std::to_string(view.parts.size()));
  for (const Part& part : view.parts) {
    put(part.role);
    put(part.text);
  }
  put(std::to_string(view.variables.size()));
  for (const DeclaredVariable& variable : view.variables) {
    put(variable.name);
    put(variable.type);
    put(variable.description);
    put(variable.default_json);
    put(std::to_string(static_cast<int>(variable.trust)));
  }
  put(view.model_provider);
  put(view.model_name);
  put(view.tools_json);
  put(view.config_json);
  put(view.output_schema_json);
  return "sha256:" + to_hex(hash.finish());
}

}  // namespace imprimatur::scan

#include "scan/report.h"

#include "base/hash.h"
#include "scan/score.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <tuple>

namespace imprimatur::scan {
namespace {

bool is_continuation(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

bool is_private(FindingKind kind) { return kind == FindingKind::secret || kind == FindingKind::pii; }

// Counts lines and columns going forward; positions must not go back.
class LineCounter {
 public:
  explicit LineCounter(std::string_view text) : text_(text) {}
  void place(Span& span) {
    for (std::size_t newline = text_.find('\n', at_); newline < span.start; newline = text_.find('\n', at_)) {
      ++line_;
      column_ = 1;
      at_ = newline + 1;
    }
    for (; at_ < span.start; ++at_) column_ += is_continuation(text_[at_]) ? 0 : 1;
    span.line = line_;
    span.column = column_;
  }

 private:
  std::string_view text_;
  std::size_t at_ = 0;
  std::size_t line_ = 1;
  std::size_t column_ = 1;
};

std::string excerpt(std::string_view text) {
  constexpr std::string_view kMore = "...";
  if (text.size() <= kEvidenceBytes) return std::string(text);
  std::size_t end = kEvidenceBytes - kMore.size();
  while (end > 0 && is_continuation(text[end])) --end;
  return std::string(text.substr(0, end)).append(kMore);
}

// The nearest Markdown heading above.
std::string_view heading_above(std::string_view text, std::size_t at) {
  constexpr std::size_t kReach = 8'000;
  const std::size_t floor = at - std::min(at, kReach);
  std::size_t end = at;
  while (end > floor) {
    const auto* newline = static_cast<const char*>(memrchr(text.data(), '\n', end));
    const std::size_t start = newline == nullptr ? 0 : static_cast<std::size_t>(newline - text.data()) + 1;
    if (text[start] == '#' && start < at)
      return text.substr(start, std::min(text.find('\n', start), text.size()) - start);
    if (newline == nullptr) break;
    end = start - 1;
  }
  return {};
}

Exposure exposure_of(const Document& document) {
  // Nothing from outside reaches a template without variables; one with tools can do more harm.
  if (!document.view.tools_json.empty()) return {110};
  return {document.exposed ? 100 : 70};
}

}  // namespace

std::string masked(std::string_view secret) {
  const auto boundary = [secret](std::size_t at) {
    while (at > 0 && at < secret.size() && is_continuation(secret[at])) --at;
    return at;
  };
  if (secret.size() < 12) return std::string(secret.substr(0, boundary(1))) + "***";
  return std::string(secret.substr(0, boundary(4))) + "***" +
         std::string(secret.substr(boundary(secret.size() - 2)));
}

void ReportBuilder::sort_and_merge() {
  const auto key = [](const Seen& seen) {
    return std::make_tuple(std::string_view(seen.rule->id), seen.match.text, seen.match.start,
                           seen.match.end);
  };
  std::stable_sort(seen_.begin(), seen_.end(), [&](const Seen& a, const Seen& b) { return key(a) < key(b); });
  // One place, one finding of a rule, however many of its patterns saw it.
  std::vector<Seen> merged;
  for (Seen& seen : seen_) {
    if (!merged.empty()) {
      Seen& last = merged.back();
      const bool same = last.rule == seen.rule && last.match.text == seen.match.text;
      if (same && seen.match.start < last.match.end) {
        last.match.end = std::max(last.match.end, seen.match.end);
        if (seen.match.severity > last.match.severity) {
          last.match.severity = seen.match.severity;
          last.match.framing = seen.match.framing;
        }
        continue;
      }
    }
    merged.push_back(std::move(seen));
  }
  seen_ = std::move(merged);
}

// Precondition: `seen_` is in order of text and start.
void ReportBuilder::collect_hidden() {
  for (const Seen& seen : seen_) {
    if (!is_private(seen.rule->kind)) continue;
    const Match& match = seen.match;
    if (!hidden_.empty() && hidden_.back().text == match.text && match.start <= hidden_.back().end)
      hidden_.back().end = std::max(hidden_.back().end, match.end);
    else
      hidden_.push_back({match.text, match.start, match.end});
  }
}

std::string ReportBuilder::evidence_of(const Document& document, const Seen& seen) const {
  const Match& match = seen.match;
  const std::string_view text = document.texts[match.text].raw;
  if (!match.evidence.empty()) return excerpt(match.evidence);
  if (is_private(seen.rule->kind)) return masked(text.substr(match.start, match.end - match.start));
  std::string bytes(text.substr(match.start, std::min(match.end - match.start, kEvidenceBytes * 2)));
  while (!bytes.empty() && match.start + bytes.size() < text.size() &&
         is_continuation(text[match.start + bytes.size()]))
    bytes.pop_back();
  // What another rule says is a credential stays one in every excerpt.
  const std::size_t end = match.start + bytes.size();
  auto hidden =
      std::lower_bound(hidden_.begin(), hidden_.end(), match, [](const Hidden& one, const Match& at) {
        return std::tie(one.text, one.end) <= std::tie(at.text, at.start);
      });
  for (; hidden != hidden_.end() && hidden->text == match.text && hidden->start < end; ++hidden)
    for (std::size_t at = std::max(hidden->start, match.start); at < std::min(hidden->end, end); ++at)
      bytes[at - match.start] = '*';
  return excerpt(bytes);
}

void ReportBuilder::fingerprint(const Document& document, const Seen& seen, Finding& finding) const {
  const Text& text = document.texts[seen.match.text];
  Sha256 hash;
  const auto put = [&hash](std::string_view field) {
    hash.add(std::to_string(field.size()) + ":").add(field);
  };
  put(finding.rule);
  // The words themselves, or for what must stay secret the mask: nobody can guess it back from the hash.
  if (is_private(finding.kind)) {
    put(finding.evidence);
  } else {
    put(FoldedText(text.raw.substr(seen.match.start, seen.match.end - seen.match.start)).text());
  }
  put(heading_above(text.raw, seen.match.start));
  finding.fingerprint = to_hex(hash.finish()).substr(0, 32);
}

ScanReport ReportBuilder::finish(const Document& document, std::size_t most) {
  sort_and_merge();
  const auto by_place = [](const Seen& a, const Seen& b) {
    return std::tie(a.match.text, a.match.start, a.match.end) <
           std::tie(b.match.text, b.match.start, b.match.end);
  };
  std::stable_sort(seen_.begin(), seen_.end(), by_place);
  collect_hidden();
  if (seen_.size() > most) {
    omitted_ = seen_.size() - most;
    std::stable_sort(seen_.begin(), seen_.end(),
                     [](const Seen& a, const Seen& b) { return a.match.severity > b.match.severity; });
    seen_.erase(seen_.begin() + static_cast<std::ptrdiff_t>(most), seen_.end());
    std::stable_sort(seen_.begin(), seen_.end(), by_place);
  }
  ScanReport report;
  std::vector<LineCounter> counters;
  for (const Text& text : document.texts) counters.emplace_back(text.source);
  std::map<std::string, int> ordinals;
  for (const Seen& seen : seen_) {
    const RuleSpec& rule = *seen.rule;
    Finding finding;
    finding.category = rule.category;
    finding.severity = seen.match.severity;
    finding.rule = rule.id;
    finding.kind = rule.kind;
    finding.title = rule.title;
    finding.description = seen.match.detail.empty() ? rule.message : rule.message + " " + seen.match.detail;
    finding.remediation = rule.fix;
    const Text& text = document.texts[seen.match.text];
    finding.location = text.location;
    finding.span = {text.source_of(seen.match.start), text.source_of(seen.match.end), 1, 1};
    counters[seen.match.text].place(finding.span);
    finding.evidence = evidence_of(document, seen);
    finding.framing = seen.match.framing;
    finding.confidence = rule.confidence;
    fingerprint(document, seen, finding);
    // Equal findings are told apart by their order.
    if (const int ordinal = ordinals[finding.fingerprint]++; ordinal > 0)
      finding.fingerprint = to_hex(sha256(finding.fingerprint + "#" + std::to_string(ordinal))).substr(0, 32);
    report.findings.push_back(std::move(finding));
  }
  std::stable_sort(report.findings.begin(), report.findings.end(),
                   [](const Finding& a, const Finding& b) { return a.severity > b.severity; });
  report.score = score_of(report.findings, exposure_of(document));
  report.status = status_of(report.findings, report.score);
  return report;
}

}  // namespace imprimatur::scan

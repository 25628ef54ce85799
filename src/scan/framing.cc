#include "scan/framing.h"

#include "base/check.h"

#include <algorithm>
#include <cctype>
#include <string>

#include <re2/re2.h>

namespace imprimatur::scan {
namespace {

// Words that make what follows something to resist, report or speak about.
constexpr const char* kResist =
    R"(\b(?:refus\w+|declin\w+|reject\w*|resist\w*|den(?:y|ies)|detect\w*|flag\w*|block\w*|)"
    R"(filter\w*|prevent\w*|)"
    R"(protect\w*|guard\w*|defend\w*|defen[cs]e\w*|disregard any|ignore any|)"
    R"(treat\w* (?:\w+ ){0,4}as (?:data|untrusted)|)"
    R"(injection\w*|jailbreak\w*|attack\w*|attacker\w*|malicious\w*|adversarial|suspicious|)"
    R"(manipulat\w*|social engineering|)"
    R"(attempt\w*|tr(?:y|ies|ying) to|trick\w*|comply|)"
    R"(if (?:the |a |any |an |some|asked|user|they|someone|anyone|prompted|instructed|told|your|it|)"
    R"(you (?:are|'re) asked)|)"
    R"(when (?:the |a |an |asked|users?|someone|they)|whenever (?:a|the|someone)|even if|even when|)"
    R"(regardless|no matter|)"
    R"(users? (?:says?|asks?|requests?|tells?|claims?|demands?|writes?|types?|who|asking|may|might|)"
    R"(will|can|could)|)"
    R"(requests? (?:to|that|for|like|such)|ask(?:s|ed|ing)? (?:you )?(?:to|for)|such as|)"
    R"(examples? of|for example|for instance|e\.g|)"
    R"(phrases? like|messages? like|anything like|words like|patterns?|including|like ["'`]|avoid\w*|)"
    R"(beware|watch for|look for|scan for|check for|warning signs?|red flags?|violat\w+|)"
    R"(unauthori[sz]ed|forbidden|prohibited|)"
    R"(not allowed|disallowed|banned))";

constexpr const char* kNegation =
    R"(\b(?:never|not|don'?t|won'?t|can'?t|cannot|mustn'?t|shouldn'?t|doesn'?t|isn'?t|without|avoid|)"
    R"(no|nor|neither|refrain|stop|instead of|rather than)\b)"
    R"(|don\x{2019}t|can\x{2019}t|won\x{2019}t)";

constexpr const char* kJailbreakResist =
    R"(\b(?:detect\w*|flag\w*|block\w*|prevent\w*|protect\w*|defend\w*|injection\w*|attacks?|)"
    R"(attacker\w*|malicious (?:users?|inputs?|prompts?)|)"
    R"(social engineering|if (?:the |a |any |an )?(?:users?|person|message|input|someone|anyone|)"
    R"(customer)\b|)"
    R"(when (?:the |a |an )?(?:users?|person|message|input|someone|customer)\b|)"
    R"(users? (?:says?|asks?|requests?|tells?|claims?|demands?|writes?|types?|who|asking|may|might|)"
    R"(will|can|could)|)"
    R"(attempts? to|tr(?:y|ies) to (?:trick|make|get)|requests? (?:to|that|like|such)|asks? you to|)"
    R"(examples? of|phrases? like|messages? like|watch for|look for|red flags?))";

// A heading or a lead-in over a list that tells how to take its items.
constexpr const char* kListResist =
    R"(\b(?:never|do not|don'?t|refus\w+|declin\w+|reject\w*|avoid\w*|forbidden|prohibited|)"
    R"(not allowed|must not|detect\w*|flag\w*|block\w*|)"
    R"(attack\w*|injection\w*|jailbreak\w*|examples?|suspicious|malicious|red flags?|watch for|)"
    R"(look for|anti-?patterns?|security|threats?|defen[cs]e\w*|guardrails?|patterns?|test cases?|)"
    R"(red.?team\w*))";

struct Cues {
  RE2 resist{kResist};
  RE2 negation{kNegation};
  RE2 jailbreak_resist{kJailbreakResist};
  RE2 list_resist{kListResist};
};
const Cues& cues() {
  static const Cues compiled;
  return compiled;
}

bool found(const RE2& cue, std::string_view text) {
  return RE2::PartialMatch(re2::StringPiece(text.data(), text.size()), cue);
}

bool ends_sentence(std::string_view text, std::size_t at) {
  const char c = text[at];
  if (c == '\n') return true;
  if (c != '.' && c != '!' && c != '?' && c != ';') return false;
  return at + 1 >= text.size() || text[at + 1] == ' ' || text[at + 1] == '\n' || text[at + 1] == '\t';
}

bool is_list_item(std::string_view line) {
  const std::size_t first = line.find_first_not_of(" \t>|");
  if (first == std::string_view::npos) return false;
  const char c = line[first];
  if (c == '-' || c == '*' || c == '+' || line.compare(first, 3, "\xE2\x80\xA2") == 0 ||
      line.compare(first, 3, "\xE2\x9D\x8C") == 0)
    return true;
  if (c == '|' || (first > 0 && line[first - 1] == '|')) return true;
  const std::size_t after = line.find_first_not_of("0123456789", first);
  return after != std::string_view::npos && after > first && (line[after] == '.' || line[after] == ')');
}

// The nearest line above that is no item of the list: its heading or lead-in.
std::string_view lead_in(std::string_view text, std::size_t line_start, std::size_t floor) {
  std::size_t end = line_start;
  while (end > floor) {
    const std::size_t newline = end - 1;
    const std::size_t previous = newline == 0 ? std::string_view::npos : text.rfind('\n', newline - 1);
    const std::size_t start = std::max(floor, previous == std::string_view::npos ? 0 : previous + 1);
    const std::string_view line = text.substr(start, newline - start);
    if (line.find_first_not_of(" \t\r") != std::string_view::npos && !is_list_item(line)) return line;
    if (start >= end) break;
    end = start;
  }
  return {};
}

bool in_quotes(std::string_view text, std::size_t line_start, std::size_t start, std::size_t end) {
  const std::string_view before = text.substr(line_start, start - line_start);
  std::size_t line_end = text.find('\n', end);
  if (line_end == std::string_view::npos) line_end = text.size();
  const std::string_view after = text.substr(end, std::min<std::size_t>(line_end - end, kFramingReach));
  for (const char quote : {'"', '`'}) {
    if (std::count(before.begin(), before.end(), quote) % 2 == 1 &&
        after.find(quote) != std::string_view::npos)
      return true;
  }
  // An apostrophe counts where a quotation can begin and end.
  const std::size_t open = before.find_last_of('\'');
  if (open != std::string_view::npos &&
      (open == 0 || !std::isalnum(static_cast<unsigned char>(before[open - 1]))) &&
      after.find('\'') != std::string_view::npos && before.size() - open < 80)
    return true;
  const std::size_t curly = before.rfind("\xE2\x80\x9C");
  return curly != std::string_view::npos && before.find("\xE2\x80\x9D", curly) == std::string_view::npos &&
         after.find("\xE2\x80\x9D") != std::string_view::npos;
}

bool in_code_block(std::string_view text, std::size_t start) {
  // Fences near enough to be its own; one that opened far above does not excuse what stands here.
  const std::size_t floor = start > 2'000 ? start - 2'000 : 0;
  std::size_t fences = 0;
  for (std::size_t at = text.find("```", floor); at != std::string_view::npos && at < start;
       at = text.find("```", at + 3))
    ++fences;
  return fences % 2 == 1 && text.substr(start, 4'000).find("```") != std::string_view::npos;
}

}  // namespace

Stretch sentence_around(std::string_view folded, std::size_t at) {
  const std::size_t floor = at > kFramingReach ? at - kFramingReach : 0;
  std::size_t start = std::min(at, folded.size());
  while (start > floor && !ends_sentence(folded, start - 1)) --start;
  const std::size_t ceiling = std::min(folded.size(), at + kFramingReach);
  std::size_t end = at;
  while (end < ceiling && !ends_sentence(folded, end)) ++end;
  return {start, end};
}

Framing framing_of_phrase(std::string_view folded, std::size_t start, std::size_t end, ContextFilter filter) {
  if (filter == ContextFilter::none) return Framing::active;
  CHECK(start <= end && end <= folded.size());
  const Stretch sentence = sentence_around(folded, start);
  const std::string_view before = folded.substr(sentence.start, start - sentence.start);
  const bool general = filter == ContextFilter::general;
  if (general) {
    if (found(cues().resist, before) || found(cues().negation, before)) return Framing::defensive;
  } else if (found(cues().jailbreak_resist, before)) {
    return Framing::defensive;
  }
  const std::size_t floor = start > kFramingReach ? start - kFramingReach : 0;
  const std::size_t newline = start == 0 ? std::string_view::npos : folded.rfind('\n', start - 1);
  const std::size_t line_start = newline == std::string_view::npos ? 0 : newline + 1;
  if (line_start >= floor) {
    const std::string_view line = folded.substr(line_start, end - line_start);
    if (is_list_item(line) && found(cues().list_resist, lead_in(folded, line_start, floor)))
      return Framing::defensive;
    if (in_quotes(folded, line_start, start, end)) return Framing::quoted;
  }
  return in_code_block(folded, start) ? Framing::quoted : Framing::active;
}

}  // namespace imprimatur::scan

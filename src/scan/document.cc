#include "scan/document.h"

#include "base/trim.h"

#include <algorithm>
#include <array>

namespace imprimatur::scan {
namespace {

bool is_name_byte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.' ||
         c == '-' || c == '[' || c == ']';
}

// The name inside a placeholder, or empty when it holds something else. A filter behind '|' is left out.
std::string_view name_inside(std::string_view inside) {
  inside = trimmed(inside.substr(0, inside.find('|')));
  while (!inside.empty() && (inside.front() == '$' || inside.front() == '@')) inside.remove_prefix(1);
  if (inside.empty() || inside.size() > 64 || (inside.front() >= '0' && inside.front() <= '9')) return {};
  return std::all_of(inside.begin(), inside.end(), is_name_byte) ? inside : std::string_view();
}

constexpr std::size_t kPlaceholderBytes = 128;

struct Fence {
  std::string_view open;
  std::string_view close;
};
// Longest first where one begins like another.
constexpr std::array kFences = {Fence{"{{{", "}}}"}, Fence{"{{", "}}"}, Fence{"${", "}"}, Fence{"<%=", "%>"},
                                Fence{"{", "}"}};

std::size_t behind_blanks(std::string_view text, std::size_t at) {
  while (at < text.size() && (text[at] == ' ' || text[at] == '\t')) ++at;
  return at;
}

// Where `close` begins behind what starts at `inside`, or npos when it is too far away.
std::size_t end_of_inside(std::string_view text, std::size_t inside, std::string_view close) {
  const std::size_t near = text.substr(inside, kPlaceholderBytes).find(close);
  if (near != std::string_view::npos) return inside + near;
  std::size_t name_end = inside;
  while (name_end < text.size() && is_name_byte(text[name_end])) ++name_end;
  const std::size_t at = behind_blanks(text, name_end);
  return text.compare(at, close.size(), close) == 0 ? at : std::string_view::npos;
}

// The next byte that can open a placeholder. Positions must not go back.
class Openings {
 public:
  explicit Openings(std::string_view text) : text_(text) {}
  std::size_t next(std::size_t at) {
    std::size_t first = std::string_view::npos;
    for (std::size_t i = 0; i < kBytes.size(); ++i) {
      if (ahead_[i] != std::string_view::npos && (ahead_[i] < at || at == 0))
        ahead_[i] = text_.find(kBytes[i], at);
      first = std::min(first, ahead_[i]);
    }
    return first;
  }

 private:
  static constexpr std::string_view kBytes = "{$<";
  std::string_view text_;
  std::array<std::size_t, 3> ahead_{};
};

char lower(char c) { return static_cast<char>(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c); }

std::string_view line_before(std::string_view text, std::size_t at) {
  const std::size_t start = text.substr(0, at).find_last_of('\n');
  return text.substr(start == std::string_view::npos ? 0 : start + 1,
                     at - (start == std::string_view::npos ? 0 : start + 1));
}

}  // namespace

std::vector<VariableUse> variable_uses(std::string_view text) {
  std::vector<VariableUse> uses;
  Openings openings(text);
  for (std::size_t at = openings.next(0); at < text.size();) {
    std::size_t next = at + 1;
    for (const Fence& fence : kFences) {
      if (text.compare(at, fence.open.size(), fence.open) != 0) continue;
      // A hole may hold any number of blanks, so they do not count against the reach.
      const std::size_t inside = behind_blanks(text, at + fence.open.size());
      const std::size_t close = end_of_inside(text, inside, fence.close);
      if (close == std::string_view::npos) continue;
      const std::string_view name = name_inside(text.substr(inside, close - inside));
      const std::size_t end = close + fence.close.size();
      if (name.empty()) {
        // A block tag or an expression: nothing in it is a use, but its inner braces are no placeholder
        // either.
        if (fence.open.size() == 2 && fence.open == "{{") next = end;
        break;
      }
      uses.push_back({name, at, end});
      next = end;
      break;
    }
    at = openings.next(next);
  }
  return uses;
}

bool sounds_untrusted(std::string_view name) {
  static constexpr std::array<std::string_view, 58> kOutside = {
      "user",     "input",    "query",    "question", "message",      "msg",      "document",
      "doc",      "docs",     "html",     "email",    "mail",         "history",  "transcript",
      "content",  "text",     "body",     "page",     "comment",      "comments", "review",
      "feedback", "request",  "prompt",   "chat",     "conversation", "output",   "result",
      "results",  "response", "answer",   "article",  "ticket",       "context",  "retrieved",
      "search",   "web",      "website",  "url",      "file",         "files",    "upload",
      "snippet",  "passage",  "passages", "chunk",    "chunks",       "notes",    "memories",
      "memory",   "symptoms", "customer", "visitor",  "claim",        "chart",    "applications",
      "topic",    "messages"};
  static constexpr std::array<std::string_view, 14> kInside = {
      "id",     "role",  "date",  "time",  "locale",   "language",   "lang",
      "format", "count", "limit", "today", "verified", "authorised", "authorized"};
  std::string word;
  bool outside = false;
  bool inside = false;
  for (std::size_t i = 0; i <= name.size(); ++i) {
    const bool end = i == name.size() || !((lower(name[i]) >= 'a' && lower(name[i]) <= 'z'));
    const bool hump =
        !end && i > 0 && name[i] >= 'A' && name[i] <= 'Z' && !(name[i - 1] >= 'A' && name[i - 1] <= 'Z');
    if (end || hump) {
      outside |= std::find(kOutside.begin(), kOutside.end(), word) != kOutside.end();
      inside |= std::find(kInside.begin(), kInside.end(), word) != kInside.end();
      word.clear();
    }
    if (!end) word.push_back(lower(name[i]));
  }
  return outside && !inside;
}

bool is_delimited(std::string_view text, const VariableUse& use) {
  constexpr std::size_t kReach = 2'000;
  const std::string_view before =
      text.substr(use.start > kReach ? use.start - kReach : 0, std::min(use.start, kReach));
  const std::string_view after = text.substr(use.end, kReach);
  // The nearest opening tag before it that is still open, and closes behind it.
  for (std::size_t open = before.rfind('<'), tries = 0; open != std::string_view::npos && tries < 8;
       open = open == 0 ? std::string_view::npos : before.rfind('<', open - 1), ++tries) {
    const std::size_t close = before.find('>', open);
    if (close == std::string_view::npos || before[open + 1] == '/') continue;
    std::string_view tag = before.substr(open + 1, close - open - 1);
    tag = tag.substr(0, tag.find(' '));
    if (tag.empty() || !std::all_of(tag.begin(), tag.end(), is_name_byte)) continue;
    const std::string closing = "</" + std::string(tag);
    if (before.find(closing, close) == std::string_view::npos &&
        after.find(closing) != std::string_view::npos)
      return true;
  }
  for (const std::string_view fence : {"```", "\"\"\"", "'''", "~~~", "###", "---", "==="}) {
    std::size_t fences = 0;
    for (std::size_t at = before.find(fence); at != std::string_view::npos; at = before.find(fence, at + 3))
      ++fences;
    if (fences % 2 == 1 && after.find(fence) != std::string_view::npos) return true;
  }
  const std::string_view line = line_before(text, use.start);
  const char previous = line.empty() ? '\0' : line.back();
  const char following = after.empty() ? '\0' : after.front();
  return (previous == '"' && following == '"') || (previous == '\'' && following == '\'') ||
         (previous == '`' && following == '`') || (previous == '[' && following == ']');
}

void Document::add_plain(std::string location, std::string_view role, std::string_view text, Origin origin) {
  if (text.empty()) return;
  Text& added =
      texts.emplace_back(Text{std::move(location), role, text, text, text, origin, FoldedText(text), {}, {}});
  if (origin == Origin::authored) added.variables = variable_uses(text);
}

void Document::add_json(std::string location, std::string_view json) {
  if (json.empty()) return;
  const JsonReading& reading = readings_.emplace_back(json);
  const std::string_view text = reading.text();
  // Of a string alone, the words are what everybody sees.
  if (text.size() >= 2 && text.front() == '"' && reading.lines().back() == '\n')
    return add_plain(std::move(location), {}, text.substr(1, text.size() - 2), Origin::attached);
  texts.push_back({std::move(location),
                   {},
                   json,
                   text,
                   reading.lines(),
                   Origin::attached,
                   FoldedText(reading.lines()),
                   {},
                   &reading});
}

Document::Document(const TemplateView& the_view) : view(the_view) {
  add_texts();
  for (Text& text : texts)
    if (!text.folded.raw_is_ascii()) text.strange = strange_characters(text.raw);
}

void Document::add_texts() {
  const bool chat = view.form == TemplateForm::chat;
  for (std::size_t i = 0; i < view.parts.size(); ++i)
    add_plain(chat ? "messages[" + std::to_string(i) + "].content" : "content", view.parts[i].role,
              view.parts[i].text, Origin::authored);
  for (std::size_t i = 0; i < view.variables.size(); ++i) {
    const std::string variable = "variables[" + std::to_string(i) + "]";
    add_plain(variable + ".description", {}, view.variables[i].description, Origin::attached);
    add_json(variable + ".default", view.variables[i].default_json);
  }
  add_plain("model.provider", {}, view.model_provider, Origin::attached);
  add_plain("model.name", {}, view.model_name, Origin::attached);
  add_json("tools", view.tools_json);
  add_json("config", view.config_json);
  add_json("outputSchema", view.output_schema_json);
}

bool Document::is_untrusted(const VariableUse& use) const {
  for (const DeclaredVariable& declared : view.variables) {
    if (declared.name != use.name) continue;
    switch (declared.trust) {
      case Trust::trusted: return false;
      case Trust::untrusted: return true;
      case Trust::unknown: break;
    }
    if (declared.type == "number" || declared.type == "integer" || declared.type == "boolean" ||
        declared.type == "enum")
      return false;
  }
  return sounds_untrusted(use.name);
}

}  // namespace imprimatur::scan

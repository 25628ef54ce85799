#include "api/script.h"

#include <algorithm>
#include <cctype>
#include <optional>
#include <regex>
#include <sstream>

namespace imprimatur::tests {
namespace {

const std::regex kRequest(R"(^([A-Z]+) (/\S*)( as (\$?[a-z0-9_]+))?( by cookie)?( x([0-9]+))?$)");
const std::regex kHeader(R"(^([A-Za-z][A-Za-z-]*): (.*)$)");
const std::regex kStatus(R"(^([1-5][0-9][0-9])( (.*))?$)");
const std::regex kRace(R"(^race( x([0-9]+))?$)");
const std::regex kOutcome(R"(^([1-5][0-9][0-9])(\*([0-9]+))?$)");
const std::regex kClock(R"(^clock \+([0-9]+)([smhd])$)");
const std::regex kProject(R"(^project ([a-z0-9-]+): (.+)$)");
const std::regex kPiece(R"rx(^\s*"((?:[^"\\]|\\.)*)"(?:\*([0-9]+))?)rx");

// "a\n\xff": the escapes of C.
std::string unescaped(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\' || i + 1 == text.size()) {
      out.push_back(text[i]);
      continue;
    }
    switch (const char c = text[++i]) {
      case 'n': out.push_back('\n'); break;
      case 'r': out.push_back('\r'); break;
      case 't': out.push_back('\t'); break;
      case 'x': {
        out.push_back(static_cast<char>(std::stoi(std::string(text.substr(i + 1, 2)), nullptr, 16)));
        i += 2;
        break;
      }
      default: out.push_back(c);
    }
  }
  return out;
}

class Parser {
 public:
  explicit Parser(std::string_view text) {
    std::istringstream in{std::string(text)};
    for (std::string line; std::getline(in, line);) script_.lines.push_back(line);
  }

  Result<Script> parse() {
    while (at_ < script_.lines.size()) {
      const std::string& line = here();
      if (skippable(line)) {
        ++at_;
        continue;
      }
      const int number = line_number();
      auto what = TRY(step());
      script_.steps.push_back({number, std::move(what)});
    }
    return std::move(script_);
  }

 private:
  using What = decltype(Step::what);

  const std::string& here() const { return script_.lines[at_]; }
  int line_number() const { return static_cast<int>(at_) + 1; }
  bool done() const { return at_ >= script_.lines.size(); }
  static bool skippable(const std::string& line) { return line.empty() || line.front() == '#'; }
  Error wrong(const std::string& what) const {
    return invalid("line " + std::to_string(line_number()) + ": " + what);
  }
  bool begins(const std::regex& form) const { return !done() && std::regex_match(here(), form); }

  Result<What> step() {
    std::smatch found;
    const std::string line = here();
    if (std::regex_match(line, kRequest)) return What(TRY(exchange()));
    if (std::regex_match(line, kRace)) return What(TRY(race()));
    ++at_;
    if (line == "restart") return What(Restart{});
    if (line.starts_with("people ")) {
      People people;
      std::istringstream words(line.substr(7));
      for (std::string name; words >> name;) people.names.push_back(name);
      return What(people);
    }
    if (std::regex_match(line, found, kProject)) {
      ProjectSetup project{found[1], {}};
      std::istringstream words(std::regex_replace(found[2].str(), std::regex(","), " "));
      for (std::string name, role; words >> name >> role;) project.members.emplace_back(name, role);
      return What(project);
    }
    if (std::regex_match(line, found, kClock)) {
      const long unit = found[2] == "s" ? 1 : found[2] == "m" ? 60 : found[2] == "h" ? 3600 : 86400;
      return What(ClockStep{std::stol(found[1]) * unit});
    }
    --at_;
    return wrong("cannot be understood: " + line);
  }

  Result<RequestLine> request() {
    std::smatch found;
    const std::string line = here();
    if (!std::regex_match(line, found, kRequest)) return wrong("is no request: " + line);
    RequestLine out;
    out.line = line_number();
    out.method = found[1];
    out.target = found[2];
    out.who = found[4];
    out.by_cookie = found[5].matched;
    out.times = found[7].matched ? std::stoi(found[7]) : 1;
    for (++at_; begins(kHeader); ++at_) {
      std::regex_match(here(), found, kHeader);
      out.headers.emplace_back(found[1], found[2]);
    }
    TRY(body(out));
    return out;
  }

  Status body(RequestLine& out) {
    if (!done() && here().starts_with("body ")) {
      std::string rest = here().substr(5);
      std::smatch piece;
      out.has_body = out.raw = true;
      while (std::regex_search(rest, piece, kPiece)) {
        const int times = piece[2].matched ? std::stoi(piece[2]) : 1;
        const std::string text = unescaped(piece[1].str());
        for (int i = 0; i < times; ++i) out.body += text;
        rest = piece.suffix();
      }
      if (!rest.empty()) return wrong("is no piece of a body: " + rest);
      ++at_;
      return Ok{};
    }
    for (; !done() && (here().front() == '{' || here().front() == ' '); ++at_) {
      if (out.has_body) out.body += "\n";
      out.has_body = true;
      out.body += here();
      if (at_ + 1 < script_.lines.size() && script_.lines[at_ + 1].empty()) return wrong("no status follows");
    }
    return Ok{};
  }

  Result<Exchange> exchange() {
    Exchange out;
    out.request = TRY(request());
    std::smatch found;
    if (!begins(kStatus)) return wrong("a status should stand here");
    const std::string line = here();
    std::regex_match(line, found, kStatus);
    out.expected.first = out.expected.last = line_number();
    out.expected.status = std::stoi(found[1]);
    out.expected.pattern = found[3];
    for (++at_; !done() && !here().empty() && here().front() == ' '; ++at_) {
      out.expected.pattern += "\n" + here();
      out.expected.last = line_number();
    }
    for (; begins(kHeader); ++at_) {
      const std::string header = here();
      std::regex_match(header, found, kHeader);
      out.expected.headers.emplace_back(found[1], found[2]);
    }
    return out;
  }

  Result<Race> race() {
    std::smatch found;
    const std::string first = here();
    std::regex_match(first, found, kRace);
    Race out;
    out.line = line_number();
    out.times = found[2].matched ? std::stoi(found[2]) : 1;
    ++at_;
    while (begins(kRequest)) out.requests.push_back(TRY(request()));
    if (done() || !here().starts_with("= ")) return wrong("a race ends in a line of statuses");
    std::istringstream words(here().substr(2));
    for (std::string word; words >> word;) {
      if (!std::regex_match(word, found, kOutcome)) return wrong("is no status: " + word);
      const int times = found[3].matched ? std::stoi(found[3]) : 1;
      out.statuses.insert(out.statuses.end(), static_cast<std::size_t>(times), std::stoi(found[1]));
    }
    std::sort(out.statuses.begin(), out.statuses.end());
    ++at_;
    return out;
  }

  Script script_;
  std::size_t at_ = 0;
};

}  // namespace

Result<Script> parse_script(std::string_view text) { return Parser(text).parse(); }

}  // namespace imprimatur::tests

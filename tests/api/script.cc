#include "api/script.h"

#include <algorithm>
#include <cctype>
#include <sstream>

#include <re2/re2.h>

namespace imprimatur::tests {
namespace {

const RE2 kRequest(R"(^([A-Z]+) (/\S*)(?: as (\$?[a-z0-9_]+))?( by cookie)?(?: x([0-9]+))?$)");
const RE2 kHeader(R"(^([A-Za-z][A-Za-z-]*): (.*)$)");
const RE2 kStatus(R"(^([1-5][0-9][0-9])(?: (.*))?$)");
const RE2 kRace(R"(^race(?: x([0-9]+))?$)");
const RE2 kOutcome(R"(^([1-5][0-9][0-9])(?:\*([0-9]+))?$)");
const RE2 kClock(R"(^clock \+([0-9]+)([smhd])$)");
const RE2 kWitness(R"(^witness ([a-z0-9]+)$)");
const RE2 kCosigns(R"(^([a-z0-9]+) cosigns (\$[a-z0-9_.]+)$)");
const RE2 kProject(R"(^project ([a-z0-9-]+): (.+)$)");
const RE2 kPiece(R"rx(^\s*"((?:[^"\\]|\\.)*)"(?:\*([0-9]+))?)rx");

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
  bool begins(const RE2& form) const { return !done() && RE2::FullMatch(here(), form); }

  Result<What> step() {
    const std::string line = here();
    if (RE2::FullMatch(line, kRequest)) return What(TRY(exchange()));
    if (RE2::FullMatch(line, kRace)) return What(TRY(race()));
    if (line == "restart") return taken(Restart{});
    if (line.starts_with("people ")) {
      People people;
      std::istringstream words(line.substr(7));
      for (std::string name; words >> name;) people.names.push_back(name);
      return taken(people);
    }
    std::string name, members, unit, note;
    if (RE2::FullMatch(line, kWitness, &name)) return taken(WitnessSetup{name});
    if (RE2::FullMatch(line, kCosigns, &name, &note)) return taken(Cosigning{name, note});
    if (RE2::FullMatch(line, kProject, &name, &members)) {
      ProjectSetup project{name, {}};
      std::replace(members.begin(), members.end(), ',', ' ');
      std::istringstream words(members);
      for (std::string person, role; words >> person >> role;) project.members.emplace_back(person, role);
      return taken(project);
    }
    long count = 0;
    if (RE2::FullMatch(line, kClock, &count, &unit)) {
      return taken(ClockStep{count * (unit == "s" ? 1 : unit == "m" ? 60 : unit == "h" ? 3600 : 86400)});
    }
    return wrong("cannot be understood: " + line);
  }

  What taken(What what) {
    ++at_;
    return what;
  }

  Result<RequestLine> request() {
    RequestLine out;
    out.line = line_number();
    std::string cookie, times, name, value;
    if (!RE2::FullMatch(here(), kRequest, &out.method, &out.target, &out.who, &cookie, &times)) {
      return wrong("is no request: " + here());
    }
    out.by_cookie = !cookie.empty();
    if (!times.empty()) out.times = std::stoi(times);
    for (++at_; !done() && RE2::FullMatch(here(), kHeader, &name, &value); ++at_) {
      out.headers.emplace_back(name, value);
    }
    TRY(body(out));
    return out;
  }

  Status body(RequestLine& out) {
    if (!done() && here().starts_with("body ")) {
      re2::StringPiece rest(here());
      rest.remove_prefix(5);
      out.has_body = out.raw = true;
      for (std::string text, times; RE2::Consume(&rest, kPiece, &text, &times);) {
        text = unescaped(text);
        for (int i = times.empty() ? 1 : std::stoi(times); i > 0; --i) out.body += text;
      }
      if (!rest.empty()) return wrong("is no piece of a body: " + std::string(rest));
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
    if (done() || !RE2::FullMatch(here(), kStatus, &out.expected.status, &out.expected.pattern)) {
      return wrong("a status should stand here");
    }
    out.expected.first = out.expected.last = line_number();
    for (++at_; !done() && !here().empty() && here().front() == ' '; ++at_) {
      out.expected.pattern += "\n" + here();
      out.expected.last = line_number();
    }
    for (std::string name, value; !done() && RE2::FullMatch(here(), kHeader, &name, &value); ++at_) {
      out.expected.headers.emplace_back(name, value);
    }
    return out;
  }

  Result<Race> race() {
    Race out;
    out.line = line_number();
    std::string times;
    RE2::FullMatch(here(), kRace, &times);
    if (!times.empty()) out.times = std::stoi(times);
    ++at_;
    while (begins(kRequest)) out.requests.push_back(TRY(request()));
    if (done() || !here().starts_with("= ")) return wrong("a race ends in a line of statuses");
    std::istringstream words(here().substr(2));
    for (std::string word; words >> word;) {
      int status = 0;
      std::string count;
      if (!RE2::FullMatch(word, kOutcome, &status, &count)) return wrong("is no status: " + word);
      out.statuses.insert(out.statuses.end(), count.empty() ? 1u : std::stoul(count), status);
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

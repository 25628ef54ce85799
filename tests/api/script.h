// A script of tests/api as steps. README.md beside it describes the language.
#pragma once

#include "base/result.h"

#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace imprimatur::tests {

using Headers = std::vector<std::pair<std::string, std::string>>;

struct RequestLine {
  int line = 0;  // in the file, from 1
  std::string method, target;
  std::string who;  // empty: nobody; "ann"; "$key"
  bool by_cookie = false;
  int times = 1;
  Headers headers;
  bool has_body = false;
  bool raw = false;  // the body is bytes as they are, without variables
  std::string body;
};

struct Expectation {
  int first = 0, last = 0;  // lines of status and pattern
  int status = 0;
  std::string pattern;  // JSON, or ~"text"; empty: anything
  Headers headers;
};

struct Exchange {
  RequestLine request;
  Expectation expected;
};

struct Race {
  int line = 0;
  int times = 1;
  std::vector<RequestLine> requests;
  std::vector<int> statuses;  // sorted
};

struct People {
  std::vector<std::string> names;
};
struct ProjectSetup {
  std::string name;
  std::vector<std::pair<std::string, std::string>> members;  // person, role
};
struct ClockStep {
  long seconds = 0;
};
struct Restart {};
// Somebody outside who watches journals.
struct WitnessSetup {
  std::string name;
};
struct Cosigning {
  std::string witness;
  std::string note;  // "$note"
};

struct Step {
  int line = 0;
  std::variant<Exchange, Race, People, ProjectSetup, ClockStep, Restart, WitnessSetup, Cosigning> what;
};

// The lines of a script, and what they say. An error names its line.
struct Script {
  std::vector<std::string> lines;
  std::vector<Step> steps;
};
Result<Script> parse_script(std::string_view text);

}  // namespace imprimatur::tests

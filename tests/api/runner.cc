// Plays every script of this directory; see README.md.
#include "api/pattern.h"
#include "api/script.h"
#include "api/world.h"
#include "base/json.h"
#include "journal/note.h"

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <thread>

#include <boost/json.hpp>
#include <gtest/gtest.h>

namespace imprimatur::tests {
namespace {

namespace json = boost::json;
namespace fs = std::filesystem;

const fs::path kScripts = fs::path(IMPRIMATUR_SOURCE_DIR) / "tests/api";

std::string read_file(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

// Begun anew by each run of the program, wherever it was started.
std::ofstream& transcript() {
  static std::ofstream out(IMPRIMATUR_RESULT_DIR "/transcript.jsonl");
  return out;
}
std::ofstream& events() {
  static std::ofstream out(IMPRIMATUR_RESULT_DIR "/events.jsonl");
  return out;
}

std::optional<json::value> as_json(const std::string& text) {
  auto parsed = parse_json(text, {.bytes = 64 * 1024 * 1024, .values = 10'000'000});
  if (!parsed.ok()) return std::nullopt;
  return std::move(parsed).value();
}

void record(const Sent& sent, const Answer& answer) {
  const std::string* type = answer.header("Content-Type");
  json::object line{{"method", sent.method},
                    {"path", sent.target},
                    {"route", answer.route},
                    {"status", answer.status},
                    {"contentType", type == nullptr ? json::value() : json::value(*type)}};
  const auto body = as_json(answer.body);
  line["body"] = body ? *body : answer.body.empty() ? json::value() : json::value(answer.body);
  if (sent.has_body) {
    if (const auto request = as_json(sent.body)) line["request"] = *request;
  }
  transcript() << json::serialize(line) << "\n";
}

class Player {
 public:
  Player(Script& script, bool accept) : script_(script), accept_(accept) {
    sign_in("admin", "admin@localhost", std::string(kAdminPassword));
  }

  // False when the lines of the script were changed.
  bool play() {
    for (const Step& step : script_.steps) {
      line_ = step.line;
      std::visit([this](const auto& what) { take(what); }, step.what);
      if (!unknown_.empty()) {
        ADD_FAILURE() << at(line_) << " nothing is known as $" << unknown_ << "; what follows makes no sense";
        break;
      }
    }
    return !changed_;
  }

  World& world() { return world_; }

 private:
  void take(const Exchange& exchange) {
    line_ = exchange.request.line;
    for (int i = 0; i < exchange.request.times; ++i) {
      const Sent sent = filled(exchange.request);
      if (!unknown_.empty()) return;
      const Answer answer = world_.send(sent);
      record(sent, answer);
      compare(exchange, answer);
    }
  }

  void take(const Race& race) {
    std::vector<Sent> all;
    for (int i = 0; i < race.times; ++i) {
      for (const RequestLine& request : race.requests) all.push_back(filled(request));
    }
    if (!unknown_.empty()) return;
    ASSERT_LE(all.size(), kWorldThreads) << at(race.line);
    std::vector<Answer> answers(all.size());
    {
      std::vector<std::jthread> threads;
      for (std::size_t i = 0; i < all.size(); ++i) {
        threads.emplace_back([&, i] { answers[i] = world_.send(all[i], i); });
      }
    }
    std::vector<int> statuses;
    std::string bodies;
    for (std::size_t i = 0; i < all.size(); ++i) {
      record(all[i], answers[i]);
      statuses.push_back(answers[i].status);
      bodies += std::to_string(answers[i].status) + " " + answers[i].body.substr(0, 300) + "\n";
    }
    std::sort(statuses.begin(), statuses.end());
    EXPECT_EQ(statuses, race.statuses) << at(race.line) << "\n" << bodies;
  }

  void take(const People& people) {
    for (const std::string& name : people.names) {
      std::string display = name;
      display.front() = static_cast<char>(std::toupper(static_cast<unsigned char>(display.front())));
      const std::string email = name + "@example.com";
      const std::string password = "password of " + name;
      setup("POST", "/api/v1/users", "admin",
            json::object{{"email", email}, {"displayName", display}, {"password", password}}, 201);
      sign_in(name, email, password);
    }
  }

  void take(const ProjectSetup& project) {
    const std::string& creator = project.members.front().first;
    setup("POST", "/api/v1/projects", creator, json::object{{"name", project.name}}, 201);
    for (const auto& [name, role] : project.members) {
      if (name == creator) continue;
      setup("PUT", "/api/v1/projects/" + project.name + "/members/" + name + "@example.com", creator,
            json::object{{"role", role}}, 200);
    }
  }

  void take(const ClockStep& step) { world_.advance(seconds(step.seconds)); }
  void take(const Restart&) { world_.restart(); }

  static std::string key_name(const std::string& witness) { return witness + ".example/w1"; }

  void take(const WitnessSetup& witness) {
    const journal::Signer held(std::string(bytes_of(sha256(witness.name))));
    const auto kind = journal::NoteAlgorithm::witness;
    variables_[witness.name + ".key"] =
        journal::NoteKey{key_name(witness.name), kind, held.public_key()}.text();
  }

  // Whatever the note says: what the server makes of it is what is tried.
  void take(const Cosigning& step) {
    const Substituted text = substitute(step.note, variables_, Inside::text);
    unknown_ = text.unknown;
    if (!unknown_.empty()) return;
    auto note = journal::note_from_text(text.text);
    ASSERT_TRUE(note.ok()) << at(line_) << " " << note.error().detail;
    const journal::Signer held(std::string(bytes_of(sha256(step.witness))));
    cosigned_ = cosigned_ + seconds(1);
    note->signatures.push_back(journal::cosign_note(held, key_name(step.witness), cosigned_, note->text));
    variables_[step.witness + ".note"] = note->to_text();
  }

  void sign_in(const std::string& name, const std::string& email, const std::string& password) {
    const auto answer =
        setup("POST", "/api/v1/auth/login", "", json::object{{"email", email}, {"password", password}}, 200);
    if (!answer.is_object()) return;
    variables_[name + ".id"] = answer.at("user").at("id");
    variables_[name + ".email"] = email;
    variables_[name + ".token"] = answer.at("token");
    variables_[name + ".csrf"] = answer.at("csrfToken");
  }

  json::value setup(const std::string& method, const std::string& target, const std::string& who,
                    const json::object& body, int status) {
    RequestLine request;
    request.method = method;
    request.target = target;
    request.who = who;
    request.has_body = request.raw = true;
    request.body = json::serialize(body);
    const Sent sent = filled(request);
    const Answer answer = world_.send(sent);
    record(sent, answer);
    EXPECT_EQ(answer.status, status) << at(line_) << " " << method << " " << target << "\n" << answer.body;
    return as_json(answer.body).value_or(nullptr);
  }

  Sent filled(const RequestLine& request) {
    const auto fill = [&](const std::string& text, Inside inside) {
      Substituted out = substitute(text, variables_, inside);
      if (!out.unknown.empty()) unknown_ = out.unknown;
      return std::move(out.text);
    };
    Sent out{request.method, fill(request.target, Inside::text), {}, request.has_body, request.body};
    if (!request.raw) out.body = fill(request.body, Inside::json);
    if (request.who.starts_with('$')) {
      out.headers.emplace_back("Authorization", "Bearer " + fill(request.who, Inside::text));
    } else if (request.by_cookie) {
      out.headers.emplace_back("Cookie",
                               "imprimatur_session=" + fill("$" + request.who + ".token", Inside::text));
      out.headers.emplace_back("X-CSRF-Token", fill("$" + request.who + ".csrf", Inside::text));
    } else if (!request.who.empty()) {
      out.headers.emplace_back("Authorization", "Bearer " + fill("$" + request.who + ".token", Inside::text));
    }
    for (const auto& [name, value] : request.headers)
      out.headers.emplace_back(name, fill(value, Inside::text));
    return out;
  }

  void compare(const Exchange& exchange, const Answer& answer) {
    std::string why = difference(exchange.expected, answer);
    if (why.empty()) return;
    if (accept_) {
      accept(exchange.expected, answer);
      return;
    }
    ADD_FAILURE() << at(exchange.request.line) << " " << exchange.request.method << " "
                  << exchange.request.target << "\n  " << why << "\n  " << answer.status << " "
                  << answer.body.substr(0, 1500);
  }

  std::string difference(const Expectation& expected, const Answer& answer) {
    if (answer.status != expected.status) {
      return "answered " + std::to_string(answer.status) + ", expected " + std::to_string(expected.status);
    }
    if (expected.pattern.starts_with('~')) {
      const auto pattern = as_json(expected.pattern.substr(1));
      if (!pattern || !pattern->is_string()) return "the pattern is no JSON string";
      const std::string wanted = substitute(pattern->get_string(), variables_, Inside::text).text;
      if (!matches_glob(wanted, answer.body)) return "the body is not " + expected.pattern;
    } else if (!expected.pattern.empty()) {
      const auto pattern = as_json(expected.pattern);
      if (!pattern) return "the pattern is no JSON";
      const auto actual = as_json(answer.body);
      if (!actual) return "the body is no JSON";
      if (const auto why = unlike(*pattern, *actual, variables_)) return *why;
    }
    for (const auto& [name, pattern] : expected.headers) {
      const std::string* value = answer.header(name);
      if (pattern == "-") {
        if (value != nullptr) return name + " is there: " + *value;
        continue;
      }
      if (value == nullptr) return name + " is not there";
      if (const auto why = unlike(json::value(pattern), json::value(*value), variables_, name)) return *why;
    }
    return {};
  }

  // Writes what came into the lines of the script, in the place of what was expected.
  void accept(const Expectation& expected, const Answer& answer) {
    std::string line = std::to_string(answer.status);
    const auto actual = as_json(answer.body);
    auto pattern = expected.pattern.starts_with('~') ? std::nullopt : as_json(expected.pattern);
    if (answer.status != expected.status && actual && actual->is_object() && answer.status >= 400) {
      pattern = json::object{{"code", "*"}, {"detail", "*"}};
      line +=
          " " + json::serialize(json::object{{"code", actual->at("code")}, {"detail", actual->at("detail")}});
    } else if (pattern && actual) {
      line += " " + json::serialize(accepted(*pattern, *actual, variables_));
    }
    script_.lines[static_cast<std::size_t>(expected.first - 1)] = line;
    for (int i = expected.first; i < expected.last; ++i) script_.lines[static_cast<std::size_t>(i)] = "\x01";
    changed_ = true;
  }

  std::string at(int line) const { return "line " + std::to_string(line); }

  Script& script_;
  const bool accept_;
  World world_;
  Variables variables_;
  Time cosigned_ = parse_rfc3339("2030-01-01T00:00:00Z").value();
  int line_ = 0;
  std::string unknown_;  // a variable that was asked for and never taken
  bool changed_ = false;
};

class Api : public testing::TestWithParam<std::string> {};

TEST_P(Api, Script) {
  const fs::path path = kScripts / (GetParam() + ".test");
  auto script = parse_script(read_file(path));
  ASSERT_TRUE(script.ok()) << path << " " << script.error().detail;
  const char* accept = std::getenv("ACCEPT");
  Player player(*script, accept != nullptr && std::string_view(accept) == "1");
  SCOPED_TRACE(path.string());
  const bool unchanged = player.play();
  if (!unchanged) {
    std::ofstream out(path);
    for (const std::string& line : script->lines) {
      if (line != "\x01") out << line << "\n";
    }
  }
  EXPECT_EQ(player.world().verify(), "") << "the journals after the last line";
  player.world().each_entry(
      [](const journal::Entry& entry) { events() << journal::exported_entry(entry) << "\n"; });
  transcript().flush();
  events().flush();
}

// For tools/contract.py routes, which compares both ways.
TEST(Routes, AreWrittenDown) {
  World world;
  std::ofstream out(IMPRIMATUR_RESULT_DIR "/routes.txt");
  for (const auto& [method, pattern] : world.router().list()) out << method << " " << pattern << "\n";
  EXPECT_GT(world.router().list().size(), 50u);
}

std::vector<std::string> names() {
  std::vector<std::string> out;
  for (const auto& entry : fs::directory_iterator(kScripts)) {
    if (entry.path().extension() == ".test") out.push_back(entry.path().stem().string());
  }
  std::sort(out.begin(), out.end());
  return out;
}

INSTANTIATE_TEST_SUITE_P(All, Api, testing::ValuesIn(names()),
                         [](const testing::TestParamInfo<std::string>& each) { return each.param; });

}  // namespace
}  // namespace imprimatur::tests

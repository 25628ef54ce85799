// Fills a new data directory for the benchmarks that start the real program:
//   populate DIRECTORY PROMPTS
// makes one project with that many prompts, all live in `development`, the way a server would: saved,
// scanned, deployed and journalled. Prints one line of JSON with an API key that reads them. Their names are
// support/reply-0000000 and on.
#include "base/check.h"
#include "base/clock.h"
#include "server/app.h"
#include "server/demo.h"

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

namespace imprimatur::bench {
namespace {

constexpr std::size_t kTextBytes = 300;  // about 750 bytes of answer
constexpr std::size_t kThreads = 64;     // commands commit in groups
constexpr std::size_t kBatch = 250;
constexpr std::string_view kProject = "bench", kEnvironment = "development";

template <class T>
T value_of(Result<T> result) {
  CHECK(result.ok(), result.error().detail);
  return std::move(*result);
}

registry::NewArtifact prompt(std::size_t i) {
  std::string digits = std::to_string(i);
  digits.insert(0, 7 - digits.size(), '0');
  registry::NewArtifact wanted;
  wanted.name = "support/reply-" + digits;
  std::string text = "Answer the customer politely, in case " + digits + ". ";
  while (text.size() < kTextBytes) text += "All work and no play makes a dull prompt. ";
  text.resize(kTextBytes);
  wanted.content.text = std::move(text);
  return wanted;
}

void fill(server::App& app, const registry::Command& command, std::size_t prompts) {
  std::atomic<std::size_t> next = 0;
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < kThreads; ++t) {
    threads.emplace_back([&] {
      for (std::size_t from = next.fetch_add(kBatch); from < prompts; from = next.fetch_add(kBatch)) {
        std::vector<registry::NewArtifact> items;
        for (std::size_t i = from; i < std::min(from + kBatch, prompts); ++i) items.push_back(prompt(i));
        const auto made = value_of(
            app.registry().import(command, kProject, std::move(items), registry::OnConflict::fail, false));
        for (const registry::ImportOutcome& one : made) {
          value_of(app.registry().deploy(command, {one.artifact, one.version}, kEnvironment, {}));
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

int run(const std::string& directory, std::size_t prompts) {
  const SystemClock clock;
  CHECK(server::make_secrets(directory + "/secret").ok());
  const server::Secrets secrets = value_of(server::load_secrets(directory + "/secret"));
  server::AppOptions options;
  options.store.directory = directory;
  options.admin_password = std::string(server::kDemoPassword);
  const auto app = value_of(server::App::make(options, secrets, clock));
  CHECK(app->start().ok());
  app->verify_then_open_writes();
  const auto session = value_of(app->identity().login(identity::kFirstAdmin, server::kDemoPassword));
  const registry::Command command{value_of(app->identity().authenticate(session.token)), "", ""};
  value_of(app->projects().create(command, kProject, "Prompts to measure with"));
  fill(*app, command, prompts);
  const identity::IssuedKey key = value_of(app->projects().create_key(
      command, kProject,
      {.name = "bench", .scopes = {Scope::runtime_read}, .environment = std::string(kEnvironment)}));
  std::printf("{\"key\":\"%s\"}\n", key.secret.c_str());
  return 0;
}

}  // namespace
}  // namespace imprimatur::bench

int main(int argc, char** argv) {
  CHECK(argc == 3, "populate DIRECTORY PROMPTS");
  return imprimatur::bench::run(argv[1], std::strtoull(argv[2], nullptr, 10));
}

// The HTTP server and delivery with generated prompts and nothing else, for bench/fetch.py:
//   fetch_server [PROMPTS [THREADS]]
// prints one line of JSON with the port, the key, the size of an answer and the memory a prompt, and serves
// until its standard input ends.
#include "base/hash.h"
#include "delivery/delivery.h"
#include "domain/content.h"
#include "http/operations.h"
#include "http/runtime_fetch.h"
#include "http/server.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <malloc.h>
#include <string>
#include <unistd.h>

namespace imprimatur::bench {
namespace {

constexpr std::size_t kTextBytes = 300;  // about 600 bytes of answer

std::string name_of_prompt(int i) {
  std::string digits = std::to_string(i);
  digits.insert(0, 7 - digits.size(), '0');
  return "support/reply-" + digits;
}

// Every answer has the same size, so that one nginx configuration stands for all of them.
delivery::ServedArtifact artifact(int i) {
  Content content;
  content.name = name_of_prompt(i);
  content.semver = "1.0.0";
  content.text = "Answer {{customer}} politely. ";
  while (content.text.size() < kTextBytes) content.text += "All work and no play makes a dull prompt. ";
  content.text.resize(kTextBytes);
  content.variables = {{"customer"}};
  delivery::ServedArtifact out{{"env_production"}, content.name, 1, {}, {}};
  out.versions.push_back(
      {1, {"rel_01kafx3h9q4m8s2t5v7w9x0yza"}, digest_of(content), canonical_content(content)});
  return out;
}

std::size_t allocated() {
  const struct mallinfo2 info = ::mallinfo2();
  return info.uordblks + info.hblkhd;
}

int run(int prompts, std::size_t threads) {
  using namespace imprimatur::http;
  const std::string key = "imp_0123456789abcdefghijklmnopqrstuvwxyz";
  delivery::Delivery delivery([](std::string_view text) { return to_hex(hmac_sha256("bench", text)); });
  std::vector<delivery::Change> first{
      delivery::ServedProject{{"prj_bench"}, "bench", {{{"env_production"}, "production"}}},
      delivery::ServedKey{{"key_bench"},
                          {"svc_bench"},
                          {"prj_bench"},
                          {},
                          {Scope::runtime_read},
                          {},
                          delivery.hash_key(key)}};
  CHECK(delivery.apply(first).ok());
  const std::size_t before = allocated();
  constexpr int kBatch = 1000;
  for (int i = 0; i < prompts; i += kBatch) {
    std::vector<delivery::Change> changes;
    for (int j = i; j < std::min(i + kBatch, prompts); ++j) changes.emplace_back(artifact(j));
    CHECK(delivery.apply(changes).ok());
  }
  const std::size_t bytes = allocated() - before;
  const auto found = delivery.snapshots().get()->find(0, name_of_prompt(0));
  const delivery::Answer& answer = **found.answer;
  const std::size_t ready = answer.head().size() + answer.body().size();

  ServerOptions options;
  options.port = 0;
  options.threads = threads;
  options.worker_threads = 2;
  Metrics metrics(threads);
  Router router;
  add_operations_routes(router, metrics, [] { return Readiness{}; });
  Server server(options, router, metrics, runtime_fast_path(delivery));
  const Status started = server.start();
  CHECK(started.ok(), started.error().detail);
  std::printf("{\"port\":%d,\"key\":\"%s\",\"bodyBytes\":%zu,\"readyBytes\":%zu,\"overheadBytes\":%.1f}\n",
              server.port(), key.c_str(), answer.body().size(), ready,
              static_cast<double>(bytes) / prompts - static_cast<double>(ready));
  std::fflush(stdout);
  char ignored;
  while (::read(0, &ignored, 1) > 0) {
  }
  server.stop();
  return 0;
}

}  // namespace
}  // namespace imprimatur::bench

int main(int argc, char** argv) {
  return imprimatur::bench::run(argc > 1 ? std::atoi(argv[1]) : 10'000,
                                argc > 2 ? static_cast<std::size_t>(std::atoi(argv[2])) : 1);
}

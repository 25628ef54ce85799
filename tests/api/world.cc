#include "api/world.h"

#include "http/dispatch.h"
#include "http/head.h"
#include "http/problem.h"
#include "http/response_writer.h"
#include "http/server.h"
#include "server/secrets.h"
#include "store/journal_rows.h"

#include <cstdlib>
#include <stdexcept>
#include <unistd.h>

namespace imprimatur::tests {
namespace {

// In memory where the system has a place for that: these tests ask what is answered, thousands of times, and
// not whether it outlives the machine, so they need not wait for a disk that others keep busy.
std::filesystem::path fresh_directory() {
  constexpr const char* kMemory = "/dev/shm";
  const std::filesystem::path place =
      ::access(kMemory, W_OK) == 0 ? std::filesystem::path(kMemory) : std::filesystem::temp_directory_path();
  std::string form = (place / "imprimatur-api-XXXXXX").string();
  if (mkdtemp(form.data()) == nullptr) throw std::runtime_error("cannot make a temporary directory");
  return form;
}

std::string bytes_of_request(const Sent& sent) {
  std::string out = sent.method + " " + sent.target + " HTTP/1.1\r\nHost: imprimatur.test\r\n";
  bool typed = false;
  for (const auto& [name, value] : sent.headers) {
    typed = typed || http::equal_field_names(name, "Content-Type");
    out += name + ": " + value + "\r\n";
  }
  if (sent.has_body) {
    if (!typed) out += "Content-Type: application/json\r\n";
    out += "Content-Length: " + std::to_string(sent.body.size()) + "\r\n";
  }
  return out + "\r\n";
}

// "HTTP/1.1 200 OK\r\nETag: …\r\n", with or without the blank line.
Answer answer_of(int status, std::string_view head, std::string_view body) {
  Answer out{.status = status, .body = std::string(body)};
  head.remove_prefix(head.find("\r\n") + 2);
  while (!head.empty() && !head.starts_with("\r\n")) {
    const std::string_view line = head.substr(0, head.find("\r\n"));
    head.remove_prefix(line.size() + 2);
    const std::size_t colon = line.find(": ");
    out.headers.emplace_back(line.substr(0, colon), line.substr(colon + 2));
  }
  return out;
}

// As the server would write it. Precondition: the job has its response.
Answer answer_of(http::Job& job) {
  const http::Response& response = job.response;
  std::string body(http::bytes_of(response));
  if (http::pieces_of(response) != nullptr) {
    do {
      CHECK(http::make_piece(job), "a piece of the body could not be made");
      body += job.piece;
    } while (!job.piece.empty());
  }
  if (job.request.method == http::Method::head) body.clear();
  Answer out = answer_of(response.status, http::head_of(response, {.id = job.request.id}), body);
  if (job.match.route != nullptr) out.route = job.match.route->pattern;
  return out;
}

}  // namespace

const std::string* Answer::header(std::string_view name) const {
  for (const auto& [known, value] : headers) {
    if (http::equal_field_names(known, name)) return &value;
  }
  return nullptr;
}

World::World() : directory_(fresh_directory()), clock_(parse_rfc3339("2030-01-01T00:00:00Z").value()) {
  open();
}

World::~World() {
  close();
  std::error_code ignored;
  std::filesystem::remove_all(directory_, ignored);
}

void World::open() {
  server::AppOptions options;
  options.store.directory = (directory_ / "data").string();
  options.admin_password = kAdminPassword;
  options.io_threads = kWorldThreads;
  options.rule_packs = rule_packs_;
  options.password_cost = identity::least_cost();
  const std::string secret = (directory_ / "data" / "secret").string();
  CHECK(server::make_secrets(secret).ok(), "a secret, made once");
  const server::Secrets secrets = server::load_secrets(secret).value();
  app_ = server::App::make(options, secrets, clock_).value();
  const Status started = app_->start();
  CHECK(started.ok(), started.error().detail);
  app_->verify_then_open_writes();
}

void World::close() {
  clients_ = {};  // they read what the program holds
  app_.reset();
}

void World::restart(std::vector<std::string> rule_packs) {
  close();
  rule_packs_ = std::move(rule_packs);
  open();
}

Answer World::send(const Sent& sent, std::size_t thread) {
  clock_.advance(milliseconds(1));  // so that what came first is also dated first
  const std::string bytes = bytes_of_request(sent);
  http::Job job;
  job.request.id = "req_" + std::to_string(thread);
  job.request.peer = "127.0.0.1";
  job.request.body = sent.body;
  http::Head head;
  http::Refusal refusal;
  const http::Scan scan = http::scan_head(bytes, {}, head, refusal);
  CHECK(scan != http::Scan::incomplete, "a whole head was sent");
  if (scan == http::Scan::refused) {
    job.response = http::problem(refusal, sent.target, job.request.id);
    return answer_of(job);
  }
  Client& client = clients_[thread];
  if (!head.has_body()) {
    if (!client.fast_path) client.fast_path = app_->fast_path()(thread);
    http::FastContext context{job.request.id, clock_.now(), client.memo};
    http::FastAnswer ready;
    if (client.fast_path(head, context, ready)) {
      const bool bare = head.method == http::Method::head;
      return answer_of(ready.status, std::string(ready.head) + "X-Request-Id: " + job.request.id + "\r\n",
                       bare ? std::string_view() : ready.body);
    }
  }
  std::size_t limit = http::ServerOptions().body_bytes;
  if (auto early = http::begin_job(job, head, app_->router(), limit)) {
    job.response = std::move(*early);
  } else {
    http::run_handler(job, false);
  }
  return answer_of(job);
}

std::string World::verify() {
  const auto checked =
      app_->store().read([](store::Tx& tx) -> Result<store::Verification> { return store::verify(tx, {}); });
  if (!checked.ok()) return checked.error().detail;
  std::string out;
  for (const store::Fault& fault : checked->faults) {
    out += fault.journal + " " + std::to_string(fault.seq) + ": " + fault.what + "\n";
  }
  return out;
}

void World::each_entry(const std::function<void(const journal::Entry&)>& take) {
  constexpr int kAtOnce = 1000;
  const Status read = app_->store().read([&](store::Tx& tx) -> Status {
    for (const store::Head& head : store::heads(tx)) {
      for (std::uint64_t from = 1; from <= head.size; from += kAtOnce) {
        for (const journal::Entry& entry : store::entries(tx, head.journal, from, kAtOnce)) take(entry);
      }
    }
    return Ok{};
  });
  CHECK(read.ok(), read.error().detail);
}

}  // namespace imprimatur::tests

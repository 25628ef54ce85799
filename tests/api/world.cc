#include "api/world.h"

#include "base/percent.h"
#include "http/dispatch.h"
#include "http/head.h"
#include "http/problem.h"
#include "http/response_writer.h"
#include "server/secrets.h"
#include "store/journal_rows.h"

#include <cstdlib>
#include <stdexcept>

namespace imprimatur::tests {
namespace {

constexpr std::size_t kBodyLimit = 2 * 1024 * 1024;  // of ServerOptions

std::filesystem::path fresh_directory() {
  std::string form = (std::filesystem::temp_directory_path() / "imprimatur-api-XXXXXX").string();
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

Answer answer_of(const http::Response& response, bool bare) {
  Answer out;
  out.status = response.status;
  out.headers = response.headers;
  if (!response.content_type.empty()) out.headers.emplace_back("Content-Type", response.content_type);
  if (!bare) out.body = http::bytes_of(response);
  return out;
}

// "HTTP/1.1 200 OK\r\nETag: …\r\n"
Answer answer_of(const http::FastAnswer& ready, bool bare) {
  Answer out;
  out.status = ready.status;
  std::string_view head = ready.head;
  head.remove_prefix(head.find("\r\n") + 2);
  while (!head.empty()) {
    const std::string_view line = head.substr(0, head.find("\r\n"));
    head.remove_prefix(line.size() + 2);
    const std::size_t colon = line.find(": ");
    out.headers.emplace_back(line.substr(0, colon), line.substr(colon + 2));
  }
  if (!bare) out.body = ready.body;
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
  app_.reset();
  std::error_code ignored;
  std::filesystem::remove_all(directory_, ignored);
}

void World::open() {
  server::AppOptions options;
  options.store.directory = (directory_ / "data").string();
  options.admin_password = kAdminPassword;
  options.io_threads = kWorldThreads;
  options.password_cost = identity::least_cost();
  const server::Secrets secrets = server::load_secrets((directory_ / "data" / "secret").string()).value();
  app_ = server::App::make(options, secrets, clock_).value();
  const Status started = app_->start();
  CHECK(started.ok(), started.error().detail);
  app_->verify_then_open_writes();
}

void World::restart() {
  app_.reset();
  open();
}

Answer World::send(const Sent& sent, std::size_t thread) {
  clock_.advance(milliseconds(1));  // so that what came first is also dated first
  const std::string bytes = bytes_of_request(sent);
  const std::string id = "req_" + std::to_string(thread);
  http::Head head;
  http::Refusal refusal;
  const http::Scan scan = http::scan_head(bytes, {}, head, refusal);
  CHECK(scan != http::Scan::incomplete, "a whole head was sent");
  const auto with_id = [&](Answer answer, const http::Job* job = nullptr) {
    answer.headers.emplace_back("X-Request-Id", id);
    if (job != nullptr && job->match.route != nullptr) answer.route = job->match.route->pattern;
    return answer;
  };
  if (scan == http::Scan::refused) return with_id(answer_of(http::problem(refusal, sent.target, id), false));
  const bool bare = head.method == http::Method::head;
  if (!head.has_body()) {
    const http::FastPathFactory factory = app_->fast_path();
    if (const http::FastPath fast_path = factory ? factory(thread) : http::FastPath()) {
      http::CredentialMemo memo;
      http::FastContext context{id, clock_.now(), memo};
      http::FastAnswer ready;
      if (fast_path(head, context, ready)) return with_id(answer_of(ready, bare));
    }
  }
  http::Job job;
  job.request.method = head.method;
  job.request.target = head.target;
  job.request.id = id;
  job.request.peer = "127.0.0.1";
  job.request.body = sent.body;
  for (std::size_t i = 0; i < head.field_count; ++i) {
    job.request.headers.emplace_back(head.fields[i].name, head.fields[i].value);
  }
  auto target = parse_target(head.target);
  if (!target.ok()) {
    const http::Refusal bad{400, name_of(target.error().code), target.error().detail};
    return with_id(answer_of(http::problem(bad, http::path_of(job.request), id), bare));
  }
  job.request.segments = std::move(target->segments);
  job.request.query = std::move(target->query);
  job.match = app_->router().match(job.request.method, job.request.segments);
  std::size_t limit = kBodyLimit;
  if (job.match.route != nullptr && job.match.route->options.body_bytes > 0) {
    limit = job.match.route->options.body_bytes;
  }
  auto early = http::refused_before_body(job.request, job.match, head.has_body(), sent.body.size(), limit);
  if (early) return with_id(answer_of(*early, bare), &job);
  http::run_handler(job, false);
  return with_id(answer_of(job.response, bare), &job);
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

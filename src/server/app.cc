#include "server/app.h"

#include "base/hash.h"
#include "base/log.h"
#include "http/api/evidence_routes.h"
#include "http/api/identity_routes.h"
#include "http/api/registry_routes.h"
#include "http/api/request.h"
#include "http/runtime_fetch.h"
#include "journal/signing.h"
#include "server/contract.h"

#include <fstream>
#include <sstream>

namespace imprimatur::server {
namespace {

constexpr std::size_t kMaxPackBytes = 4 * 1024 * 1024;

Result<scan::Ruleset> load_rules(const std::vector<std::string>& paths) {
  std::vector<scan::PackSource> packs;
  for (const std::string& path : paths) {
    std::ifstream in(path, std::ios::binary);
    std::ostringstream text;
    if (!in || !(text << in.rdbuf())) return invalid("cannot read the rule pack " + path);
    if (text.str().size() > kMaxPackBytes) return invalid("the rule pack " + path + " is over 4 MiB");
    packs.push_back({path, text.str()});
  }
  return scan::Ruleset::built_in(packs);
}

void add_metric(std::string& out, std::string_view name, std::string_view type, std::string_view help,
                std::uint64_t value) {
  out.append("# HELP ").append(name).append(" ").append(help).append("\n# TYPE ").append(name).append(" ");
  out.append(type).append("\n").append(name).append(" ").append(std::to_string(value)).append("\n");
}

}  // namespace

Result<std::unique_ptr<App>> App::make(const AppOptions& options, const Secrets& secrets,
                                       const Clock& clock) {
  scan::Ruleset rules = TRY(load_rules(options.rule_packs));
  auto store = TRY(store::Store::open(options.store, clock, secrets.signing_seed));
  std::unique_ptr<App> app(new App(std::move(store), std::move(rules), options, secrets, clock));
  app->key_digest_ = journal::key_digest(journal::Signer(secrets.signing_seed).public_key());
  app->first_password_ = TRY(app->identity_.bootstrap(options.admin_password, app->key_digest_));
  app->store_->refuse_writes("the journal is being verified; try again in a moment");
  return app;
}

App::App(std::unique_ptr<store::Store> store, scan::Ruleset rules, const AppOptions& options,
         const Secrets& secrets, const Clock& clock)
    : clock_(clock),
      store_(std::move(store)),
      rules_(std::move(rules)),
      identity_(*store_, clock, secrets.server_secret, options.password_cost),
      projects_(*store_, clock, identity_.seals()),
      registry_(*store_, rules_),
      queries_(*store_, registry_),
      evidence_(*store_, secrets.signing_seed),
      delivery_([this](std::string_view key) { return identity_.seals().of_key(key); }),
      feed_(*store_, delivery_),
      metrics_(options.io_threads) {
  store_->on_commit([this](const std::vector<journal::Entry>& entries) {
    identity_.on_entries(entries);
    feed_.on_entries(entries);
  });
  metrics_.add_source([this](std::string& out) {
    add_metric(out, "imprimatur_contents_altered_total", "counter",
               "Versions not served because their content lacks its digest.", delivery_.altered_contents());
    add_metric(out, "imprimatur_delivery_behind", "gauge",
               "1 while what is served could not be brought up to the store.", feed_.behind() ? 1 : 0);
  });
  add_routes();
}

App::~App() = default;

void App::add_routes() {
  router_.admit_by([this](const http::Request& request) -> Status {
    TRY(http::caller(request, identity_));
    return Ok{};
  });
  const http::RegistryApi api{identity_, registry_, queries_};
  http::add_identity_routes(router_, identity_, projects_);
  http::add_prompt_routes(router_, api);
  http::add_version_routes(router_, api);
  http::add_review_routes(router_, api);
  http::add_release_routes(router_, api);
  http::add_label_routes(router_, api);
  http::add_attesting_routes(router_, api);
  http::add_owner_routes(router_, api);
  http::add_environment_routes(router_, api);
  http::add_audit_routes(router_, api);
  const http::EvidenceApi proofs{identity_, evidence_};
  http::add_checkpoint_routes(router_, proofs);
  http::add_witness_routes(router_, proofs);
  http::add_evidence_routes(router_, proofs);
  http::add_report_routes(router_, proofs);
  http::add_workflow_routes(router_, identity_);
  add_runtime_routes();
  http::add_operations_routes(router_, metrics_, [this] { return ready(); });
  router_.add({http::Method::get, "/api/openapi.yaml",
               [](const http::Request&, const http::PathArguments&) -> Result<http::Response> {
                 http::Response response;
                 response.content_type = "application/yaml";
                 response.body = std::string(contract_text());
                 return response;
               }});
}

http::Readiness App::ready() const {
  const auto why = store_->why_refused();
  if (!why) return {};
  return {verified_ ? http::Writes::refused : http::Writes::verifying, why};
}

// API keys are answered from memory alone; the handlers are for people in a session, and for what a fast path
// leaves over.
void App::add_runtime_routes() {
  const auto runtime_caller = [this](const http::Request& request) -> Result<http::RuntimeCaller> {
    const std::string* authorization = request.header("Authorization");
    if (authorization != nullptr && http::is_api_key(*authorization)) {
      return http::runtime_caller(delivery_, request, clock_.now());
    }
    const Principal who = TRY(http::caller(request, identity_));
    const std::string* project = request.query_value("project");
    return http::RuntimeCaller{TRY(queries_.readable_project(who, project ? *project : "")), {}};
  };
  router_.add({http::Method::get,
               "/api/v1/runtime/prompts/{name...}",
               [this, runtime_caller](const http::Request& request,
                                      const http::PathArguments& path) -> Result<http::Response> {
                 return http::fetch_prompt(delivery_, TRY(runtime_caller(request)), request, path["name"]);
               },
               {.logged = false}});
  router_.add({http::Method::post,
               "/api/v1/runtime/prompts/{name}/render",
               [this, runtime_caller](const http::Request& request,
                                      const http::PathArguments& path) -> Result<http::Response> {
                 return http::render_prompt(delivery_, TRY(runtime_caller(request)), request, path["name"]);
               },
               {.logged = false}});
}

Status App::start() {
  TRY(identity_.start());
  return feed_.load();
}

bool App::verify_then_open_writes(const std::stop_token& stop) {
  const auto unless_stopped = [&](std::uint64_t, std::uint64_t) {
    if (stop.stop_requested()) throw std::runtime_error("the server is stopping");
  };
  std::string why;
  try {
    const auto checked = store_->read([&](store::Tx& tx) -> Result<store::Verification> {
      return store::verify(tx, unless_stopped, {.checkpoints = {}, .key = key_digest_});
    });
    if (checked.ok()) {
      judge(*checked);
      return true;
    }
    why = checked.error().detail;
  } catch (const std::exception& error) {
    why = error.what();
  }
  log(LogLevel::error, "journal_unchecked", {{"why", why}});
  store_->refuse_writes("the journal could not be checked yet: " + why);
  return false;
}

void App::judge(const store::Verification& checked) {
  if (checked.ok()) {
    store_->open_writes();
    verified_ = true;
    return;
  }
  const store::Fault& first = checked.faults.front();
  log(LogLevel::error, "journal_broken",
      {{"journal", first.journal}, {"seq", std::to_string(first.seq)}, {"what", first.what}});
  if (const Status done = feed_.withhold(checked.doubtful); !done.ok()) {
    log(LogLevel::error, "delivery_behind", {{"why", done.error().detail}});
  }
  store_->refuse_writes("the journal " + first.journal + " does not verify at entry " +
                        std::to_string(first.seq) + ": " + first.what);
  verified_ = true;
}

void App::catch_up() { feed_.catch_up(); }

void App::upkeep() {
  for (const auto& [key, at] : delivery_.take_last_uses()) identity_.keys().used(key, at);
  if (!verified_) return;  // nothing can be written yet
  std::string why;
  try {
    const Status done = identity_.upkeep();
    if (done.ok()) return;
    why = done.error().detail;
  } catch (const std::exception& error) {
    why = error.what();
  }
  log(LogLevel::warning, "upkeep_failed", {{"why", why}});
}

http::FastPathFactory App::fast_path() { return http::runtime_fast_path(delivery_); }

}  // namespace imprimatur::server

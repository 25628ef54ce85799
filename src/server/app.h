// The program without its sockets: every part, built once, in the order in which each needs the ones before.
#pragma once

#include "base/clock.h"
#include "base/result.h"
#include "delivery/delivery.h"
#include "evidence/evidence.h"
#include "http/fast_path.h"
#include "http/metrics.h"
#include "http/operations.h"
#include "http/router.h"
#include "identity/identity.h"
#include "identity/projects.h"
#include "registry/queries.h"
#include "registry/registry.h"
#include "scan/ruleset.h"
#include "server/delivery_feed.h"
#include "server/secrets.h"
#include "store/journal_rows.h"
#include "store/store.h"

#include <atomic>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

namespace imprimatur::server {

struct AppOptions {
  store::StoreOptions store;
  std::string admin_password;           // of admin@localhost; empty: a random one
  std::vector<std::string> rule_packs;  // files beside the built-in packs
  std::size_t io_threads = 1;
  identity::PasswordCost password_cost = identity::interactive_cost();
};

class App {
 public:
  // Opens the store and makes the first admin. Nothing is served and nothing written yet: see start().
  static Result<std::unique_ptr<App>> make(const AppOptions& options, const Secrets& secrets,
                                           const Clock& clock);
  ~App();
  App(const App&) = delete;
  App& operator=(const App&) = delete;

  // Reads keys and what is live into memory, so that reads can be served.
  Status start();
  // Checks the journal and opens writes; when it does not verify, writes stay refused and the reason is
  // logged and shown by /readyz. Slow on a long journal: runs beside reads. False when the journal could not
  // be read, to be tried again, or `stop` was asked for.
  bool verify_then_open_writes(const std::stop_token& stop = {});
  // Tells the runtime what could not be told when it was committed; every second or so.
  void catch_up();
  // Sweeps what expired and stores last uses; every half minute or so. Does not throw.
  void upkeep();

  const http::Router& router() const { return router_; }
  http::Metrics& metrics() { return metrics_; }
  http::FastPathFactory fast_path();
  store::Store& store() { return *store_; }
  identity::Identity& identity() { return identity_; }
  identity::Projects& projects() { return projects_; }
  registry::Registry& registry() { return registry_; }
  // Of the first admin, when bootstrap had to make one up.
  const std::string& first_password() const { return first_password_; }

 private:
  App(std::unique_ptr<store::Store> store, scan::Ruleset rules, const AppOptions& options,
      const Secrets& secrets, const Clock& clock);
  void add_routes();
  void add_runtime_routes();
  void judge(const store::Verification& checked);
  http::Readiness ready() const;

  const Clock& clock_;
  std::unique_ptr<store::Store> store_;
  const scan::Ruleset rules_;
  identity::Identity identity_;
  identity::Projects projects_;
  registry::Registry registry_;
  registry::Queries queries_;
  evidence::Evidence evidence_;
  delivery::Delivery delivery_;
  DeliveryFeed feed_;
  http::Metrics metrics_;
  http::Router router_;
  std::string first_password_;
  std::string key_digest_;             // of the key that signs, which every head has to be signed by
  std::atomic<bool> verified_{false};  // judged, whatever came out
};

}  // namespace imprimatur::server

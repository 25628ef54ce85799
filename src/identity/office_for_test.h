// For tests: an organisation with its first admin, on a database of its own.
#pragma once

#include "base/check.h"
#include "identity/identity.h"
#include "identity/projects.h"
#include "journal/signing.h"
#include "store/backend_test.h"
#include "store/connection.h"
#include "store/journal_rows.h"

#include <memory>
#include <string>

namespace imprimatur::identity {

inline constexpr std::string_view kAdminPassword = "the admin's password";
inline constexpr std::string_view kPassword = "correct horse battery";
inline constexpr std::string_view kSigningSeed = "0123456789abcdef0123456789abcdef";
inline constexpr std::string_view kServerSecret = "fedcba9876543210fedcba9876543210";

class Office {
 public:
  explicit Office(store::Backend backend, store::Interceptor interceptor = {})
      : ground_(backend), interceptor_(std::move(interceptor)) {
    open();
    const std::string digest = "sha256:" + to_hex(sha256(journal::Signer(kSigningSeed).public_key()));
    CHECK(identity->bootstrap(kAdminPassword, digest).ok(), "bootstrap");
    admin = sign_in(kFirstAdmin, kAdminPassword);
  }
  ~Office() { close(); }
  Office(const Office&) = delete;
  Office& operator=(const Office&) = delete;

  void open() {
    auto options = ground_.options();
    options.interceptor = interceptor_;
    auto opened = store::Store::open(options, clock, kSigningSeed);
    CHECK(opened.ok(), opened.ok() ? "" : opened.error().detail);
    store = std::move(opened).value();
    store->open_writes();
    identity = std::make_unique<Identity>(*store, clock, std::string(kServerSecret), least_cost());
    projects = std::make_unique<Projects>(*store, clock, identity->seals());
    store->on_commit([this](const auto& entries) { identity->on_entries(entries); });
    CHECK(identity->start().ok(), "start");
  }
  void close() {
    // The listener goes with the store, before what it calls.
    store.reset();
    projects.reset();
    identity.reset();
  }

  std::string token(std::string_view email, std::string_view password = kPassword) {
    auto in = identity->login(email, password);
    CHECK(in.ok(), in.ok() ? "" : in.error().detail);
    return in->token;
  }
  Principal sign_in(std::string_view email, std::string_view password = kPassword) {
    auto who = identity->authenticate(token(email, password));
    CHECK(who.ok(), who.ok() ? "" : who.error().detail);
    return *who;
  }
  Principal person(const std::string& name) {
    const std::string email = name + "@example.com";
    auto made = identity->create_user(
        {admin}, {.email = email, .display_name = name, .password = std::string(kPassword)});
    CHECK(made.ok(), made.ok() ? "" : made.error().detail);
    return sign_in(email);
  }
  std::string member(const Principal& by, const std::string& name, Role role) {
    const Principal who = person(name);
    auto done = projects->put_member({by}, "shop", name + "@example.com", role, std::nullopt);
    CHECK(done.ok(), done.ok() ? "" : done.error().detail);
    return name + "@example.com";
  }

  std::vector<journal::Entry> journal(std::string_view name) {
    auto read = store->read([&](store::Tx& tx) -> Result<std::vector<journal::Entry>> {
      return store::entries(tx, name, 1, 100'000);
    });
    CHECK(read.ok(), "the journal");
    return *read;
  }
  int count(std::string_view action) {
    int n = 0;
    for (const auto& entry : journal(journal::kOrganisation)) n += entry.event.action == action;
    return n;
  }
  // Whether the journals verify and replaying them gives the tables; empty when it does.
  std::string faults() {
    auto checked =
        store->read([](store::Tx& tx) -> Result<store::Verification> { return store::verify(tx, {}); });
    std::string out;
    for (const auto& fault : checked.value().faults)
      out += fault.journal + " " + std::to_string(fault.seq) + ": " + fault.what + "\n";
    return out;
  }

  ManualClock clock{Time{1'800'000'000'000'000}};
  std::unique_ptr<store::Store> store;
  std::unique_ptr<Identity> identity;
  std::unique_ptr<Projects> projects;
  Principal admin;

 private:
  store::Ground ground_;
  store::Interceptor interceptor_;
};

#define IMPRIMATUR_ON_INSTALLED_BACKENDS(Suite)                                       \
  INSTANTIATE_TEST_SUITE_P(On, Suite, testing::ValuesIn(store::installed_backends()), \
                           [](const auto& each) { return std::string(store::name_of(each.param)); })

}  // namespace imprimatur::identity

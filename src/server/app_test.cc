#include "server/app.h"

#include "http/server.h"
#include "store/database.h"

#include <atomic>
#include <filesystem>
#include <stdlib.h>

#include <gtest/gtest.h>

namespace imprimatur::server {
namespace {

class AppTest : public testing::Test {
 protected:
  AppTest() {
    char pattern[] = "/tmp/imprimatur-app-XXXXXX";
    CHECK(mkdtemp(pattern) != nullptr, "a temporary directory");
    directory_ = pattern;
    AppOptions options;
    options.store.directory = directory_;
    options.store.interceptor = [this](store::Moment, std::string_view sql) {
      if (failing_ && sql.find("FROM entries") != sql.npos)
        throw store::DatabaseGone("the test cut the disk");
    };
    options.admin_password = "the admin's password";
    options.password_cost = identity::least_cost();
    auto made = App::make(options, {std::string(32, 's'), std::string(32, 'x')}, clock_);
    CHECK(made.ok(), made.ok() ? "" : made.error().detail);
    app_ = std::move(made).value();
    CHECK(app_->start().ok());
  }
  ~AppTest() override {
    app_.reset();
    std::filesystem::remove_all(directory_);
  }
  std::string readiness() {
    const http::Match found = app_->router().match(http::Method::get, {"readyz"});
    CHECK(found.route != nullptr);
    const http::Response answer = found.route->handler(http::Request(), found.arguments).value();
    return std::string(http::bytes_of(answer));
  }

  ManualClock clock_{Time{1'800'000'000'000'000}};
  std::string directory_;
  std::atomic<bool> failing_ = false;
  std::unique_ptr<App> app_;
};

TEST_F(AppTest, AJournalThatCannotBeReadIsCheckedAgainAndThenWritesOpen) {
  EXPECT_TRUE(app_->store().why_refused()) << "not before it was checked";
  failing_ = true;
  EXPECT_FALSE(app_->verify_then_open_writes());
  EXPECT_TRUE(app_->store().why_refused());
  EXPECT_NE(readiness().find("\"verifying\""), std::string::npos) << readiness();
  failing_ = false;
  EXPECT_TRUE(app_->verify_then_open_writes());
  EXPECT_FALSE(app_->store().why_refused());
  EXPECT_NE(readiness().find("\"open\""), std::string::npos) << readiness();
}

TEST_F(AppTest, AServerThatStopsDoesNotWaitForTheJournalToBeChecked) {
  std::stop_source source;
  source.request_stop();
  EXPECT_FALSE(app_->verify_then_open_writes(source.get_token()));
  EXPECT_TRUE(app_->store().why_refused());
}

TEST_F(AppTest, AStoreIsPresentOnceItWasOpened) {
  store::StoreOptions options;
  options.directory = directory_;
  EXPECT_TRUE(store::Store::present(options).value());
  options.directory = directory_ + "/new";
  EXPECT_FALSE(store::Store::present(options).value());
  EXPECT_FALSE(std::filesystem::exists(options.directory));
  options.directory.clear();
  options.url = "postgresql://127.0.0.1:1/nobody";
  EXPECT_FALSE(store::Store::present(options).ok());
}

TEST(Workers, SignInsHoldAtMostHalfOfThem) {
  EXPECT_LE(static_cast<std::size_t>(identity::kConcurrentHashes + identity::kWaitingHashes),
            http::ServerOptions().worker_threads / 2);
}

}  // namespace
}  // namespace imprimatur::server

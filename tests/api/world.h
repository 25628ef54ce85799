// The whole program in process for one script: data on disk, a clock turned by hand, no socket.
#pragma once

#include "api/script.h"
#include "base/clock.h"
#include "http/fast_path.h"
#include "http/message.h"
#include "server/app.h"

#include <array>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace imprimatur::tests {

struct Sent {
  std::string method, target;
  Headers headers;
  bool has_body = false;
  std::string body;
};

struct Answer {
  int status = 0;
  Headers headers;
  std::string body;
  std::string route;  // the pattern that was routed to; empty for ready answers and refusals

  // The first of that name, or null.
  const std::string* header(std::string_view name) const;
};

inline constexpr std::string_view kAdminPassword = "password of admin";
inline constexpr std::size_t kWorldThreads = 40;  // that may send() at the same time

class World {
 public:
  World();
  ~World();
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  // What the server would answer to the bytes of this request. Safe from any thread; `thread` is the caller's
  // own number below kWorldThreads.
  Answer send(const Sent& sent, std::size_t thread = 0);

  const http::Router& router() const { return app_->router(); }
  void advance(Duration by) { clock_.advance(by); }
  // With these rule packs (files) beside the built-in ones.
  void restart(std::vector<std::string> rule_packs = {});
  store::Store& store() { return app_->store(); }
  const std::filesystem::path& directory() const { return directory_; }
  // Why the journals do not verify; empty when they do.
  std::string verify();
  void each_entry(const std::function<void(const journal::Entry&)>& take);

 private:
  // One I/O thread with a connection that stays open.
  struct Client {
    http::FastPath fast_path;
    http::CredentialMemo memo;
  };
  void open();
  void close();

  const std::filesystem::path directory_;
  ManualClock clock_;
  std::vector<std::string> rule_packs_;
  std::unique_ptr<server::App> app_;
  std::array<Client, kWorldThreads> clients_;
};

}  // namespace imprimatur::tests

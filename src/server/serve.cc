#include "server/serve.h"

#include "base/json.h"
#include "base/log.h"
#include "http/server.h"
#include "server/app.h"
#include "server/demo.h"
#include "server/secrets.h"

#include <chrono>
#include <condition_variable>
#include <csignal>
#include <cstdio>
#include <ctime>
#include <filesystem>
#include <mutex>
#include <pthread.h>
#include <stop_token>
#include <thread>

namespace imprimatur::server {
namespace {

constexpr int kUpkeepSeconds = 30;
constexpr int kVerifyAgainSeconds = 5;

// Blocked before the first thread starts, so that only wait_for_stop() hears them.
class StopSignals {
 public:
  StopSignals() {
    sigemptyset(&signals_);
    sigaddset(&signals_, SIGINT);
    sigaddset(&signals_, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &signals_, nullptr);
    std::signal(SIGPIPE, SIG_IGN);
  }
  // True when a signal came, false after `seconds` without one.
  bool wait(int seconds) const {
    const timespec limit{seconds, 0};
    return sigtimedwait(&signals_, nullptr, &limit) > 0;
  }

 private:
  sigset_t signals_;
};

std::string address_of(const Config& config, std::uint16_t port) {
  const bool v6 = config.address.find(':') != std::string::npos;
  return std::string(config.certificate_file.empty() ? "http://" : "https://") + (v6 ? "[" : "") +
         config.address + (v6 ? "]:" : ":") + std::to_string(port);
}

using Said = std::initializer_list<std::pair<std::string_view, std::string_view>>;

// {"event":…} with the fields, or `words`.
void say(Speech speech, std::string_view event, const Said& fields, const std::string& words) {
  std::string line = words;
  if (speech == Speech::json) {
    line = "{\"event\":";
    append_json_string(line, event);
    for (const auto& [name, value] : fields) {
      line += ",";
      append_json_string(line, name);
      line += ":";
      append_json_string(line, value);
    }
    line += "}\n";
  }
  std::fputs(line.c_str(), stdout);
  std::fflush(stdout);
}

void say_first_password(const App& app, Speech speech) {
  if (app.first_password().empty()) return;
  const std::string email(identity::kFirstAdmin);
  say(speech, "first_admin", {{"email", email}, {"password", app.first_password()}},
      "First admin: " + email + ", password: " + app.first_password() + " (shown once)\n");
}

void show_demo(App& app, const std::string& address, const std::string& admin_password, Time now,
               Speech speech) {
  const auto demo = make_demo(app, admin_password, now);
  const std::string words =
      demo.ok() ? demo_words(address, *demo) : "The demo could not be made: " + demo.error().detail + "\n";
  say(speech, demo.ok() ? "demo" : "demo_failed", {{"words", words}}, words);
}

// A new secret belongs to a new store: it could neither sign the journal of another one nor check its keys.
Result<Secrets> secrets_of(const std::string& file, const store::StoreOptions& options) {
  std::error_code ignored;
  if (!std::filesystem::exists(file, ignored)) {
    if (TRY(store::Store::present(options))) {
      return invalid("the data are there, but not their secret file " + file +
                     "; restore it from the backup of this installation, or say where it is (--secret-file)");
    }
    TRY(make_secrets(file));
  }
  return load_secrets(file);
}

// Until the journal could be checked. Whether writes are open then.
bool verify(App& app, const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any stopped;
  while (!app.verify_then_open_writes(stop)) {
    std::unique_lock lock(mutex);
    stopped.wait_for(lock, stop, std::chrono::seconds(kVerifyAgainSeconds), [] { return false; });
    if (stop.stop_requested()) return false;
  }
  return !app.store().why_refused();
}

http::ServerOptions server_options(const Config& config) {
  http::ServerOptions options;
  options.address = config.address;
  options.port = config.port;
  options.threads = config.threads;
  options.certificate_file = config.certificate_file;
  options.key_file = config.key_file;
  options.access_log = config.access_log;
  return options;
}

}  // namespace

Status serve(const Config& config, Speech speech) {
  const StopSignals signals;
  set_log_level(config.log_level);
  const SystemClock clock;
  AppOptions options;
  options.store.directory = config.data;
  options.store.url = config.database;
  const Secrets secrets = TRY(secrets_of(config.secret_file, options.store));
  options.admin_password =
      config.demo && config.admin_password.empty() ? std::string(kDemoPassword) : config.admin_password;
  options.rule_packs = config.rule_packs;
  options.io_threads = config.threads;
  const auto app = TRY(App::make(options, secrets, clock));
  say_first_password(*app, speech);  // the account is there, whether or not the rest succeeds
  TRY(app->start());
  http::Server server(server_options(config), app->router(), app->metrics(), app->fast_path());
  TRY(server.start());
  const std::string address = address_of(config, server.port());
  say(speech, "listening", {{"address", address}}, "Listening on " + address + "\n");
  std::jthread verifier([&](const std::stop_token& stop) {
    if (!verify(*app, stop) || !config.demo) return;
    try {
      show_demo(*app, address, options.admin_password, clock.now(), speech);
    } catch (const std::exception& error) {
      log(LogLevel::error, "demo_failed", {{"why", error.what()}});
    }
  });
  for (int second = 1; !signals.wait(1); ++second) {
    app->catch_up();
    if (second % kUpkeepSeconds == 0) app->upkeep();
  }
  server.stop();
  verifier.request_stop();
  verifier.join();
  app->upkeep();
  return Ok{};
}

}  // namespace imprimatur::server

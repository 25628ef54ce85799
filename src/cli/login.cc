#include "cli/commands.h"

#include <memory>

#include <CLI/CLI.hpp>
#include <boost/json.hpp>

namespace imprimatur::cli {
namespace {

struct LoginOptions {
  ServerOptions server;
  std::string email;
};

Result<Exit> login(const Console& console, const LoginOptions& options) {
  Client client = TRY(Client::anonymous(console, options.server));
  std::string password;
  if (const auto given = console.environment("IMPRIMATUR_PASSWORD")) {
    password = *given;
  } else {
    auto typed = console.ask_secret("Password of " + options.email + ": ");
    if (!typed.ok())
      return invalid("no password: " + typed.error().detail + "; IMPRIMATUR_PASSWORD may hold it");
    password = *std::move(typed);
  }
  const auto answer =
      TRY(client.post("/api/v1/auth/login", {{"email", options.email}, {"password", password}}));
  const auto* token = answer.is_object() ? answer.get_object().if_contains("token") : nullptr;
  if (token == nullptr || !token->is_string()) return unavailable("the server's answer cannot be understood");
  TRY(store_token(console, client.server(), std::string(token->get_string())));
  if (console.json) {
    console.print({{"server", client.server()}, {"email", options.email}});
  } else {
    console.out << "Signed in to " << client.server() << " as " << options.email << "\n";
  }
  return Exit::done;
}

Result<Exit> logout(const Console& console, const LoginOptions& options) {
  Client client = TRY(Client::stored(console, options.server));
  const auto ended = client.post("/api/v1/auth/logout", boost::json::object());
  // A token whose session may still run is kept: without it nobody could end that session.
  if (!ended.ok() && ended.error().code != ErrorCode::unauthenticated) return ended.error();
  TRY(forget_token(console, client.server(), client.token()));
  if (console.environment("IMPRIMATUR_TOKEN")) {
    console.err << "imprimatur: IMPRIMATUR_TOKEN is set; the other commands go on using it\n";
  }
  if (console.json) {
    console.print({{"server", client.server()}});
  } else {
    console.out << "Signed out of " << client.server() << "\n";
  }
  return Exit::done;
}

}  // namespace

void add_login(Commands& commands) {
  auto options = std::make_shared<LoginOptions>();
  CLI::App* in =
      commands.add("login", "Sign in to a server and keep the session's token",
                   "  imprimatur login --server https://prompts.example.com --email ann@example.com\n"
                   "  IMPRIMATUR_PASSWORD=… imprimatur login --email admin@localhost\n\n"
                   "The password is asked for without echo. Programs set IMPRIMATUR_TOKEN to an API key\n"
                   "instead. The token is kept in $XDG_CONFIG_HOME/imprimatur/tokens.json, mode 0600.");
  add_server_option(*in, options->server);
  in->add_option("--email", options->email, "Whose account")->required();
  in->callback([&commands, options] {
    commands.chosen = [&commands, options] { return login(commands.console, *options); };
  });
  CLI::App* out =
      commands.add("logout", "End the session that login began, and forget its token",
                   "  imprimatur logout\n\n"
                   "The token is kept when the server cannot be reached. IMPRIMATUR_TOKEN is not touched.");
  add_server_option(*out, options->server);
  out->callback([&commands, options] {
    commands.chosen = [&commands, options] { return logout(commands.console, *options); };
  });
}

}  // namespace imprimatur::cli

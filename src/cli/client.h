// A server's API as commands use it: JSON in and out, problems as errors.
#pragma once

#include "base/http_client.h"
#include "base/result.h"
#include "cli/console.h"

#include <string>
#include <string_view>

#include <boost/json/fwd.hpp>

namespace imprimatur::cli {

inline constexpr std::string_view kDefaultServer = "http://127.0.0.1:8080";

// Where to ask, and what for. Given on the command line or in the environment.
struct ServerOptions {
  std::string server;   // IMPRIMATUR_SERVER
  std::string project;  // IMPRIMATUR_PROJECT
};

// "https://host:port" without a slash at its end. Refuses anything that is no http or https address, and
// plain http to another machine: a token would travel in the clear.
Result<std::string> checked_server(std::string_view address);

class Client {
 public:
  // With the token of IMPRIMATUR_TOKEN, else the one that `login` stored for the server.
  static Result<Client> make(const Console& console, const ServerOptions& options);
  // With the token that `login` stored and no other: for ending that session.
  static Result<Client> stored(const Console& console, const ServerOptions& options);
  // Without a token, for signing in.
  static Result<Client> anonymous(const Console& console, const ServerOptions& options);

  // The answer, or the server's problem as an error. A write carries an Idempotency-Key and is sent again
  // when the server was unavailable.
  Result<boost::json::value> get(const std::string& path);
  // What stands there, byte for byte.
  Result<std::string> download(const std::string& path);
  Result<boost::json::value> post(const std::string& path, const boost::json::value& body);

  // "&project=…", or nothing where none was named.
  std::string project_query() const;
  const std::string& server() const { return server_; }
  const std::string& token() const { return token_; }
  // The id of a prompt by its name, or itself when it is an id.
  Result<std::string> prompt_id(const std::string& reference);
  Result<std::int64_t> latest_version(const std::string& id);

 private:
  Client(std::string server, std::string project, std::string token);
  Result<std::string> exchange(HttpRequest request);
  Result<boost::json::value> send(HttpRequest request);
  std::string server_, project_, token_;
  std::unique_ptr<HttpClient> http_;
};

// What `login` stores: $XDG_CONFIG_HOME/imprimatur/tokens.json (else ~/.config), mode 0600.
Status store_token(const Console& console, const std::string& server, const std::string& token);
// Leaves another token alone: somebody may have signed in anew meanwhile.
Status forget_token(const Console& console, const std::string& server, const std::string& token);

}  // namespace imprimatur::cli

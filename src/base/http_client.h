// Requests to somebody else's HTTP server: bounded in time and size, TLS verified, redirects not followed.
#pragma once

#include "base/clock.h"
#include "base/result.h"

#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace imprimatur {

struct HttpRequest {
  std::string method = "GET";
  std::string url;  // http:// or https://
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
};

struct HttpResponse {
  int status = 0;
  std::map<std::string, std::string> headers;  // names in lower case; the last of a name
  std::string body;
};

struct HttpLimits {
  Duration connect = seconds(5);
  Duration total = seconds(60);
  std::size_t response_bytes = 16 * 1024 * 1024;
  std::size_t header_bytes = 64 * 1024;
};

// Keeps its connection for the next request. Used by one thread at a time.
class HttpClient {
 public:
  explicit HttpClient(HttpLimits limits = {});
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  // Any answer of the server is a value, whatever its status. Unavailable when it could not be reached, did
  // not prove who it is or took too long; too_large for an answer over the limit; invalid for a request that
  // cannot be written (another scheme, a line feed in a header).
  Result<HttpResponse> send(const HttpRequest& request);

 private:
  struct Session;
  HttpLimits limits_;
  std::unique_ptr<Session> session_;
};

}  // namespace imprimatur

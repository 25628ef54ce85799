#include "base/http_client.h"

#include "base/trim.h"

#include <algorithm>
#include <cctype>

#include <curl/curl.h>

namespace imprimatur {
namespace {

struct Received {
  HttpResponse response;
  std::size_t header_bytes = 0;
  const HttpLimits* limits = nullptr;
  bool too_large = false;
};

std::size_t take_body(const char* data, std::size_t, std::size_t size, void* into) {
  auto& received = *static_cast<Received*>(into);
  if (received.response.body.size() + size > received.limits->response_bytes) {
    received.too_large = true;
    return 0;
  }
  received.response.body.append(data, size);
  return size;
}

std::size_t take_header(const char* data, std::size_t, std::size_t size, void* into) {
  auto& received = *static_cast<Received*>(into);
  received.header_bytes += size;
  if (received.header_bytes > received.limits->header_bytes) {
    received.too_large = true;
    return 0;
  }
  const std::string_view line(data, size);
  const auto colon = line.find(':');
  if (colon == line.npos) return size;
  std::string name(line.substr(0, colon));
  std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return std::tolower(c); });
  received.response.headers[name] = trimmed(line.substr(colon + 1), kBlanksAndLineEnds);
  return size;
}

struct HeaderList {
  curl_slist* head = nullptr;
  ~HeaderList() { curl_slist_free_all(head); }
};

Status check(const HttpRequest& request) {
  const auto plain = [](std::string_view text) {
    return std::none_of(text.begin(), text.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; });
  };
  if (!plain(request.url) || !plain(request.method)) return invalid("the request holds control characters");
  for (const auto& [name, value] : request.headers) {
    if (!plain(name) || !plain(value)) return invalid("the header " + name + " holds control characters");
  }
  return Ok{};
}

}  // namespace

struct HttpClient::Session {
  Session() : curl(curl_easy_init()) { CHECK(curl != nullptr, "libcurl does not start"); }
  ~Session() { curl_easy_cleanup(curl); }
  CURL* curl;
};

HttpClient::HttpClient(HttpLimits limits) : limits_(limits), session_(std::make_unique<Session>()) {}

HttpClient::~HttpClient() = default;

Result<HttpResponse> HttpClient::send(const HttpRequest& request) {
  TRY(check(request));
  CURL* curl = session_->curl;
  curl_easy_reset(curl);  // keeps the connection
  HeaderList headers;
  for (const auto& [name, value] : request.headers) {
    headers.head = curl_slist_append(headers.head, (name + ": " + value).c_str());
  }
  headers.head = curl_slist_append(headers.head, "Expect:");
  Received received;
  received.limits = &limits_;
  char why[CURL_ERROR_SIZE] = {};
  curl_easy_setopt(curl, CURLOPT_URL, request.url.c_str());
  curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, request.method.c_str());
  if (request.method == "HEAD") curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
  if (!request.body.empty() || request.method == "POST" || request.method == "PUT") {
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request.body.data());
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
  }
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers.head);
  curl_easy_setopt(curl, CURLOPT_USERAGENT, "imprimatur");
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 1L);
  curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 2L);
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(limits_.connect.micros / 1000));
  curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, static_cast<long>(limits_.total.micros / 1000));
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &received);
  curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, take_header);
  curl_easy_setopt(curl, CURLOPT_HEADERDATA, &received);
  curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, why);
  const CURLcode code = curl_easy_perform(curl);
  if (received.too_large) return too_large("the answer of " + request.url + " is too large");
  if (code == CURLE_UNSUPPORTED_PROTOCOL || code == CURLE_URL_MALFORMAT) {
    return invalid(request.url + " is not an http or https address");
  }
  if (code != CURLE_OK) {
    return unavailable("no answer from " + request.url + ": " + (why[0] ? why : curl_easy_strerror(code)));
  }
  long status = 0;
  curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
  received.response.status = static_cast<int>(status);
  return std::move(received.response);
}

}  // namespace imprimatur

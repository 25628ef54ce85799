// A request as handlers see it, and what they answer. Owned values: nothing points into a connection.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace imprimatur::http {

// `other` is every token that is not listed; no route has it.
enum class Method { get, head, post, put, patch, delete_, options, other };

std::string_view name_of(Method method);
Method method_of(std::string_view token);

// Field names compare without case.
bool equal_field_names(std::string_view a, std::string_view b);

struct Request {
  Method method = Method::get;
  std::string target;                                      // as sent
  std::vector<std::string> segments;                       // of the path, decoded; "a%2Fb" stays one segment
  std::vector<std::pair<std::string, std::string>> query;  // decoded, in order
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  std::string peer;  // address without port
  std::string id;    // X-Request-Id: the client's where it was sane, else made here
  bool secure = false;

  // The first of that name, or null.
  const std::string* header(std::string_view name) const;
  const std::string* query_value(std::string_view name) const;
};

// Bytes that several answers share, for instance a file of the console.
using SharedBytes = std::shared_ptr<const std::string>;

struct Response {
  int status = 200;
  std::string content_type = "application/json";  // empty: no Content-Type
  std::vector<std::pair<std::string, std::string>> headers = {};
  // One visitor in the server writes it; a body that is produced bit by bit becomes one more alternative.
  std::variant<std::string, SharedBytes> body = std::string();
};

std::string_view bytes_of(const Response& response);
Response json_response(std::string body, int status = 200);
Response no_content();

}  // namespace imprimatur::http

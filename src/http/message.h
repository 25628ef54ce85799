// A request as handlers see it, and what they answer. Owned values: nothing points into a connection.
#pragma once

#include <functional>
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

// A body that is made a piece at a time, so that no answer needs memory for all of it. Called on a worker
// thread until it gives an empty piece, which ends the body. When it throws, the connection is cut, so that
// nobody takes a part for the whole.
using Pieces = std::function<std::string()>;

struct Response {
  int status = 200;
  std::string content_type = "application/json";  // empty: no Content-Type
  std::vector<std::pair<std::string, std::string>> headers = {};
  std::variant<std::string, Pieces> body = std::string();
};

// Empty for a body in pieces.
std::string_view bytes_of(const Response& response);
// Null for a body that is there already.
const Pieces* pieces_of(const Response& response);
Response json_response(std::string body, int status = 200);
Response no_content();

}  // namespace imprimatur::http

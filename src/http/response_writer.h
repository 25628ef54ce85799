// Answers as bytes.
#pragma once

#include "http/message.h"

#include <string>
#include <string_view>

namespace imprimatur::http {

struct ResponseLine {
  std::string_view id;
  std::string_view date_line;
  bool close = false;
  bool old_keep_alive = false;  // an HTTP/1.0 client that asked to keep the connection
  bool chunks = true;           // false for an HTTP/1.0 client: a body in pieces ends with the connection
};

// Status line, fields and blank line. Content-Length is that of the body even where a HEAD leaves it out; a
// body in pieces has Transfer-Encoding instead. A
// field with a line break in it is dropped and reported: it would become a field of somebody else's making.
std::string head_of(const Response& response, const ResponseLine& line);

// A client's X-Request-Id is echoed when it is 1 to 64 letters, digits, '-', '_' or '.'.
bool acceptable_request_id(std::string_view id);

// application/json, with no charset or utf-8.
bool is_json(std::string_view content_type);

}  // namespace imprimatur::http

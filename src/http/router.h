// Routes as data.
#pragma once

#include "base/result.h"
#include "http/message.h"

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace imprimatur::http {

struct RouteOptions {
  std::size_t body_bytes = 0;  // 0: the server's own limit
  bool open = false;           // takes a body from anybody: see Router::admit_by
  bool logged = true;          // false: counted only
};

// The values of a pattern's {parameters}, in order.
class PathArguments {
 public:
  // Precondition: the route's pattern has a parameter of that name.
  const std::string& operator[](std::string_view name) const;
  void add(std::string_view name, std::string value) { values_.emplace_back(name, std::move(value)); }

 private:
  std::vector<std::pair<std::string_view, std::string>> values_;
};

// Whether a client may send a body at all: its credential, without a look at what it wants. Runs on a worker
// thread.
using Admission = std::function<Status(const Request&)>;

// Runs on a worker thread. An expected failure becomes a problem document, an exception a 500.
using Handler = std::function<Result<Response>(const Request&, const PathArguments&)>;

// "/api/v1/prompts/{id}/versions/{n}". A literal segment wins over a parameter. A last segment {name...}
// takes one or more segments, joined by '/', and yields to every route without one.
struct Route {
  Method method = Method::get;
  std::string pattern;
  Handler handler;
  RouteOptions options = {};
};

struct Match {
  const Route* route = nullptr;  // null: see `allowed`
  PathArguments arguments = {};
  // Empty: no such path (404). Otherwise the methods that it has (405): "GET, HEAD, POST".
  std::string allowed = {};
};

// Filled before the server starts, then only read. HEAD is answered wherever GET is.
class Router {
 public:
  // Aborts on a malformed pattern or one that stands twice: routes are written by programmers.
  void add(Route route);
  // Asked before a body that has not all come with its head is waited for, except on open routes. Without one
  // every body is taken.
  void admit_by(Admission admission) { admission_ = std::move(admission); }
  const Admission& admission() const { return admission_; }
  Match match(Method method, const std::vector<std::string>& segments) const;
  // In the order of adding, as {"GET", pattern}, for tools that compare them with the contract.
  std::vector<std::pair<std::string_view, std::string_view>> list() const;

 private:
  struct Compiled {
    Route route;
    std::vector<std::string> segments;  // a parameter keeps its braces
    bool tail = false;
  };
  std::vector<std::unique_ptr<Compiled>> routes_;
  Admission admission_;
};

}  // namespace imprimatur::http

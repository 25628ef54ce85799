// A JSON body read field by field. Complaints are collected, so that one answer names them all; a field that
// nobody asked for is one of them.
#pragma once

#include "base/clock.h"
#include "base/result.h"
#include "http/message.h"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <boost/json/fwd.hpp>

namespace imprimatur::http {

inline constexpr std::size_t kMaxComplaints = 100;
inline constexpr std::size_t kMaxListItems = 10'000;  // of any array in a body

// What an explicit null means for a field that may be left out.
enum class Null { refused, absent };

// One object of a body. Every function marks its field as known, and complains when the field is of another
// type (or, for those without _if, when it is not there), answering an empty value then: call Body::done()
// before using any of it. Valid as long as its Body.
class Fields {
 public:
  bool has(std::string_view name) const;      // also when it is null
  bool is_null(std::string_view name) const;  // there, and null

  std::string text(std::string_view name);
  std::optional<std::string> text_if(std::string_view name, Null null = Null::refused);
  std::int64_t integer(std::string_view name);
  std::optional<std::int64_t> integer_if(std::string_view name, Null null = Null::refused);
  std::optional<double> number_if(std::string_view name, Null null = Null::refused);
  std::optional<bool> flag_if(std::string_view name, Null null = Null::refused);
  std::optional<Time> time_if(std::string_view name, Null null = Null::refused);  // RFC 3339
  std::vector<std::string> texts(std::string_view name);
  std::optional<std::vector<std::string>> texts_if(std::string_view name, Null null = Null::refused);
  std::optional<Fields> object_if(std::string_view name, Null null = Null::refused);
  std::optional<std::vector<Fields>> objects_if(std::string_view name, Null null = Null::refused);
  // Any value, for those who read it themselves; null when it is not there.
  const boost::json::value* any(std::string_view name);
  // Every member, all known from now on: for maps with keys of the caller's choice.
  const boost::json::object& members();

  // Looks a required word up: `find` gives an optional enumerator.
  template <class Find>
  auto word(std::string_view name, Find&& find) ->
      typename std::invoke_result_t<Find, std::string_view>::value_type {
    const std::string text_of_it = text(name);
    const auto found = find(text_of_it);
    if (found) return *found;
    if (!text_of_it.empty() || has(name)) complain(name, "is none of the words that stand here");
    return {};
  }

  // "variables[2].type" for name "type" in the third object of "variables".
  std::string path_of(std::string_view name) const;
  // The caller's own complaint about a field.
  void complain(std::string_view name, std::string message);

 private:
  friend class Body;
  struct Node {
    const boost::json::object* object = nullptr;
    std::string path;  // empty for the root
    std::set<std::string, std::less<>> known;
  };
  struct State {
    std::deque<Node> nodes;
    std::unordered_map<const boost::json::object*, Node*> node_of;
    std::vector<FieldError> complaints;
  };
  Fields(State& state, Node& node) : state_(&state), node_(&node) {}
  const boost::json::value* take(std::string_view name, Null null);
  const boost::json::value* need(std::string_view name);
  Fields below(const boost::json::object& object, std::string path);
  void complain_at(std::string path, std::string message);

  State* state_;
  Node* node_;
};

class Body {
 public:
  // Invalid, with the place, when it is no JSON object; too_large beyond the limits of parse_json.
  static Result<Body> of(const Request& request);
  // The same; an empty body is an empty object.
  static Result<Body> maybe(const Request& request);
  Body(Body&&) noexcept;
  Body& operator=(Body&&) noexcept;
  ~Body();

  Fields fields();
  // Ok when every field was of its type and somebody asked for each one.
  Status done() const;

 private:
  explicit Body(boost::json::value root);
  std::unique_ptr<const boost::json::value> root_;
  std::unique_ptr<Fields::State> state_;
};

// The same for the query of a request. A name may stand once.
class Query {
 public:
  explicit Query(const Request& request);
  std::optional<std::string> text_if(std::string_view name);  // empty counts as wrong
  std::string text(std::string_view name);
  void take(std::string_view name) { known_.emplace(name); }  // any value, for those who read it themselves
  std::optional<std::int64_t> integer_if(std::string_view name, std::int64_t least, std::int64_t most);
  std::optional<bool> flag_if(std::string_view name);  // "true" or "false"
  std::optional<Time> time_if(std::string_view name);
  void complain(std::string_view name, std::string message);
  Status done() const;

 private:
  const Request& request_;
  std::set<std::string, std::less<>> known_;
  std::vector<FieldError> complaints_;
};

}  // namespace imprimatur::http

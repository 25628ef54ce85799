#include "http/api/fields.h"

#include "base/json.h"

#include <algorithm>
#include <charconv>

#include <boost/json.hpp>

namespace imprimatur::http {
namespace json = boost::json;
namespace {

constexpr std::size_t kMaxFieldNameShown = 200;

std::string shown(std::string_view name) {
  if (name.size() <= kMaxFieldNameShown) return std::string(name);
  // Cut between characters.
  std::size_t end = kMaxFieldNameShown;
  while (end > 0 && (static_cast<unsigned char>(name[end]) & 0xC0) == 0x80) --end;
  return std::string(name.substr(0, end)) + "…";
}

Error complaint(const std::vector<FieldError>& all, std::string_view what) {
  std::string detail = std::string(what) + ": " + all.front().field + " " + all.front().message + ".";
  if (all.size() > 1) detail += " There are " + std::to_string(all.size() - 1) + " more; see errors.";
  return Error{.code = ErrorCode::invalid, .detail = std::move(detail), .fields = all};
}

std::optional<std::int64_t> whole(const json::value& value) {
  if (value.is_int64()) return value.get_int64();
  return std::nullopt;
}

}  // namespace

bool Fields::has(std::string_view name) const { return node_->object->contains(name); }

bool Fields::is_null(std::string_view name) const {
  const json::value* value = node_->object->if_contains(name);
  return value && value->is_null();
}

std::string Fields::path_of(std::string_view name) const {
  return node_->path.empty() ? shown(name) : node_->path + "." + shown(name);
}

void Fields::complain(std::string_view name, std::string message) {
  complain_at(path_of(name), std::move(message));
}

void Fields::complain_at(std::string path, std::string message) {
  if (state_->complaints.size() < kMaxComplaints)
    state_->complaints.push_back({std::move(path), std::move(message)});
}

const json::value* Fields::take(std::string_view name, Null null) {
  node_->known.emplace(name);
  const json::value* value = node_->object->if_contains(name);
  if (!value || !value->is_null()) return value;
  if (null == Null::refused) complain(name, "must not be null; leave it out instead");
  return nullptr;
}

const json::value* Fields::need(std::string_view name) {
  if (!has(name)) complain(name, "is required");
  return take(name, Null::refused);
}

const json::value* Fields::any(std::string_view name) {
  node_->known.emplace(name);
  return node_->object->if_contains(name);
}

const json::object& Fields::members() {
  for (const auto& member : *node_->object) node_->known.emplace(member.key());
  return *node_->object;
}

std::string Fields::text(std::string_view name) {
  if (!need(name)) return {};
  return text_if(name).value_or(std::string());
}

std::optional<std::string> Fields::text_if(std::string_view name, Null null) {
  const json::value* value = take(name, null);
  if (!value) return std::nullopt;
  if (value->is_string()) return std::string(value->get_string());
  complain(name, "must be a string");
  return std::nullopt;
}

std::int64_t Fields::integer(std::string_view name) {
  if (!need(name)) return 0;
  return integer_if(name).value_or(0);
}

std::optional<std::int64_t> Fields::integer_if(std::string_view name, Null null) {
  const json::value* value = take(name, null);
  if (!value) return std::nullopt;
  if (const auto number = whole(*value)) return number;
  complain(name, "must be an integer");
  return std::nullopt;
}

std::optional<double> Fields::number_if(std::string_view name, Null null) {
  const json::value* value = take(name, null);
  if (!value) return std::nullopt;
  if (value->is_number()) return value->to_number<double>();
  complain(name, "must be a number");
  return std::nullopt;
}

std::optional<bool> Fields::flag_if(std::string_view name, Null null) {
  const json::value* value = take(name, null);
  if (!value) return std::nullopt;
  if (value->is_bool()) return value->get_bool();
  complain(name, "must be true or false");
  return std::nullopt;
}

std::optional<Time> Fields::time_if(std::string_view name, Null null) {
  const auto written = text_if(name, null);
  if (!written) return std::nullopt;
  const auto time = parse_rfc3339(*written);
  if (time.ok()) return *time;
  complain(name, "must be an RFC 3339 time, for instance 2026-01-31T23:59:59Z");
  return std::nullopt;
}

std::vector<std::string> Fields::texts(std::string_view name) {
  if (!need(name)) return {};
  return texts_if(name).value_or(std::vector<std::string>());
}

std::optional<std::vector<std::string>> Fields::texts_if(std::string_view name, Null null) {
  const json::value* value = take(name, null);
  if (!value) return std::nullopt;
  std::vector<std::string> out;
  if (!value->is_array() || value->get_array().size() > kMaxListItems) {
    complain(name, "must be a list of strings");
    return std::nullopt;
  }
  for (const json::value& item : value->get_array()) {
    if (item.is_string()) {
      out.emplace_back(item.get_string());
    } else {
      complain_at(path_of(name) + "[" + std::to_string(out.size()) + "]", "must be a string");
      out.emplace_back();
    }
  }
  return out;
}

std::optional<Fields> Fields::object_if(std::string_view name, Null null) {
  const json::value* value = take(name, null);
  if (!value) return std::nullopt;
  if (value->is_object()) return below(value->get_object(), path_of(name));
  complain(name, "must be an object");
  return std::nullopt;
}

std::optional<std::vector<Fields>> Fields::objects_if(std::string_view name, Null null) {
  const json::value* value = take(name, null);
  if (!value) return std::nullopt;
  if (!value->is_array() || value->get_array().size() > kMaxListItems) {
    complain(name, "must be a list of objects");
    return std::nullopt;
  }
  std::vector<Fields> out;
  std::size_t index = 0;
  for (const json::value& item : value->get_array()) {
    std::string path = path_of(name) + "[" + std::to_string(index++) + "]";
    if (item.is_object()) {
      out.push_back(below(item.get_object(), std::move(path)));
    } else {
      complain_at(std::move(path), "must be an object");
    }
  }
  return out;
}

Fields Fields::below(const json::object& object, std::string path) {
  // Asked for twice, it is the same node: what was known stays known.
  Node*& node = state_->node_of[&object];
  if (!node) node = &state_->nodes.emplace_back(Node{&object, std::move(path), {}});
  return Fields(*state_, *node);
}

Body::Body(json::value root)
    : root_(std::make_unique<const json::value>(std::move(root))), state_(std::make_unique<Fields::State>()) {
  state_->nodes.push_back({&root_->get_object(), {}, {}});
}
Body::Body(Body&&) noexcept = default;
Body& Body::operator=(Body&&) noexcept = default;
Body::~Body() = default;

Result<Body> Body::of(const Request& request) {
  json::value root = TRY(parse_json(request.body));
  if (!root.is_object()) return invalid("The body must be a JSON object.");
  return Body(std::move(root));
}

Result<Body> Body::maybe(const Request& request) {
  if (request.body.empty()) return Body(json::value(json::object()));
  return of(request);
}

Fields Body::fields() { return Fields(*state_, state_->nodes.front()); }

Status Body::done() const {
  std::vector<FieldError> all = state_->complaints;
  for (const Fields::Node& node : state_->nodes) {
    for (const auto& member : *node.object) {
      if (node.known.contains(std::string_view(member.key())) || all.size() >= kMaxComplaints) continue;
      const std::string prefix = node.path.empty() ? "" : node.path + ".";
      all.push_back({prefix + shown(member.key()), "is not a field that is known here"});
    }
  }
  if (all.empty()) return Ok{};
  return complaint(all, "The body does not fit");
}

Query::Query(const Request& request) : request_(request) {}

std::optional<std::string> Query::text_if(std::string_view name) {
  known_.emplace(name);
  const std::string* value = request_.query_value(name);
  if (!value) return std::nullopt;
  if (!value->empty()) return *value;
  complain(name, "must not be empty; leave it out instead");
  return std::nullopt;
}

std::string Query::text(std::string_view name) {
  if (!request_.query_value(name)) complain(name, "is required");
  return text_if(name).value_or(std::string());
}

std::optional<std::int64_t> Query::integer_if(std::string_view name, std::int64_t least, std::int64_t most) {
  const auto written = text_if(name);
  if (!written) return std::nullopt;
  std::int64_t number = 0;
  const auto end = written->data() + written->size();
  const auto parsed = std::from_chars(written->data(), end, number);
  if (parsed.ec == std::errc() && parsed.ptr == end && number >= least && number <= most) return number;
  complain(name, "must be an integer from " + std::to_string(least) + " to " + std::to_string(most));
  return std::nullopt;
}

std::optional<bool> Query::flag_if(std::string_view name) {
  const auto written = text_if(name);
  if (!written) return std::nullopt;
  if (*written == "true" || *written == "false") return *written == "true";
  complain(name, "must be true or false");
  return std::nullopt;
}

std::optional<Time> Query::time_if(std::string_view name) {
  const auto written = text_if(name);
  if (!written) return std::nullopt;
  const auto time = parse_rfc3339(*written);
  if (time.ok()) return *time;
  complain(name, "must be an RFC 3339 time, for instance 2026-01-31T23:59:59Z");
  return std::nullopt;
}

void Query::complain(std::string_view name, std::string message) {
  if (complaints_.size() < kMaxComplaints) complaints_.push_back({shown(name), std::move(message)});
}

Status Query::done() const {
  std::vector<FieldError> all = complaints_;
  std::set<std::string_view> seen;
  for (const auto& [name, value] : request_.query) {
    if (all.size() >= kMaxComplaints) break;
    if (!known_.contains(name)) all.push_back({shown(name), "is not a parameter that is known here"});
    if (!seen.insert(name).second) all.push_back({shown(name), "stands twice"});
  }
  if (all.empty()) return Ok{};
  return complaint(all, "The query does not fit");
}

}  // namespace imprimatur::http

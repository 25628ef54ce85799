#include "http/router.h"

#include "base/check.h"

#include <algorithm>

namespace imprimatur::http {
namespace {

bool is_parameter(std::string_view segment) { return segment.size() > 2 && segment.front() == '{'; }

std::string_view parameter_name(std::string_view segment) {
  segment = segment.substr(1, segment.size() - 2);
  return segment.ends_with("...") ? segment.substr(0, segment.size() - 3) : segment;
}

// Less is more specific: a literal before a parameter before a tail, compared from the left.
int rank(std::string_view segment) {
  if (!is_parameter(segment)) return 0;
  return segment.ends_with("...}") ? 2 : 1;
}

bool more_specific(const std::vector<std::string>& a, const std::vector<std::string>& b) {
  return std::lexicographical_compare(a.begin(), a.end(), b.begin(), b.end(),
                                      [](const auto& x, const auto& y) { return rank(x) < rank(y); });
}

bool fits(const std::vector<std::string>& pattern, bool tail, const std::vector<std::string>& segments) {
  if (tail ? segments.size() < pattern.size() : segments.size() != pattern.size()) return false;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    if (is_parameter(pattern[i]) ? segments[i].empty() : pattern[i] != segments[i]) return false;
  }
  return true;
}

}  // namespace

const std::string& PathArguments::operator[](std::string_view name) const {
  const auto found =
      std::find_if(values_.begin(), values_.end(), [&](const auto& each) { return each.first == name; });
  CHECK(found != values_.end(), "a handler asked for a parameter that its route does not have");
  return found->second;
}

void Router::add(Route route) {
  auto compiled = std::make_unique<Compiled>();
  CHECK(route.pattern.starts_with('/'), route.pattern);
  std::string_view rest = std::string_view(route.pattern).substr(1);
  for (bool more = true; more;) {
    const std::size_t slash = rest.find('/');
    const std::string_view segment = rest.substr(0, slash);
    CHECK(!segment.starts_with('{') || (segment.ends_with('}') && segment.size() > 2), route.pattern);
    CHECK(!compiled->tail, route.pattern);
    compiled->tail = segment.ends_with("...}");
    compiled->segments.emplace_back(segment);
    more = slash != std::string_view::npos;
    if (more) rest.remove_prefix(slash + 1);
  }
  for (const auto& each : routes_) {
    CHECK(each->route.method != route.method || each->route.pattern != route.pattern, route.pattern);
  }
  compiled->route = std::move(route);
  routes_.push_back(std::move(compiled));
}

Match Router::match(Method method, const std::vector<std::string>& segments) const {
  const Compiled* best = nullptr;
  const auto better = [&](const Compiled& each) {
    if (best == nullptr) return true;
    if (each.tail != best->tail) return best->tail;
    return more_specific(each.segments, best->segments);
  };
  std::vector<std::string_view> allowed;
  for (const auto& each : routes_) {
    if (!fits(each->segments, each->tail, segments)) continue;
    allowed.push_back(name_of(each->route.method));
    if (each->route.method == Method::get) allowed.push_back(name_of(Method::head));
    const bool same =
        each->route.method == method || (method == Method::head && each->route.method == Method::get);
    if (same && better(*each)) best = each.get();
  }
  Match match;
  if (best == nullptr) {
    std::sort(allowed.begin(), allowed.end());
    allowed.erase(std::unique(allowed.begin(), allowed.end()), allowed.end());
    for (const std::string_view name : allowed) {
      if (!match.allowed.empty()) match.allowed += ", ";
      match.allowed += name;
    }
    return match;
  }
  match.route = &best->route;
  for (std::size_t i = 0; i < best->segments.size(); ++i) {
    if (!is_parameter(best->segments[i])) continue;
    std::string value = segments[i];
    if (best->tail && i + 1 == best->segments.size()) {
      for (std::size_t next = i + 1; next < segments.size(); ++next) value += '/' + segments[next];
    }
    match.arguments.add(parameter_name(best->segments[i]), std::move(value));
  }
  return match;
}

std::vector<std::pair<std::string_view, std::string_view>> Router::list() const {
  std::vector<std::pair<std::string_view, std::string_view>> out;
  for (const auto& each : routes_) out.emplace_back(name_of(each->route.method), each->route.pattern);
  return out;
}

}  // namespace imprimatur::http

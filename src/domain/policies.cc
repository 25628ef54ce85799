#include "domain/policies.h"

#include "base/check.h"
#include "base/json.h"
#include "domain/json_pointer.h"

#include <functional>
#include <map>

#include <boost/json.hpp>

namespace imprimatur {
namespace {

namespace json = boost::json;

constexpr std::string_view kAllow = "allow", kDeny = "deny", kEverything = "*";

// What `allow` or `deny` speaks of, each thing with whoever said so first.
using Things = std::map<std::string, std::string, std::less<>>;

void add_things(Things& out, const json::value& value, const std::string& path) {
  switch (value.kind()) {
    case json::kind::null: return;
    case json::kind::bool_:
      if (value.get_bool()) out.emplace(kEverything, path);
      return;
    case json::kind::array:
      for (const json::value& item : value.get_array()) {
        out.emplace(item.is_string() ? std::string(item.get_string()) : json::serialize(item), path);
      }
      return;
    case json::kind::object:
      for (const auto& member : value.get_object()) {
        const json::value& held = member.value();
        if (!held.is_null() && held != json::value(false)) out.emplace(member.key(), path);
      }
      return;
    case json::kind::string: out.emplace(value.get_string(), path); return;
    case json::kind::int64:
    case json::kind::uint64:
    case json::kind::double_: out.emplace(json::serialize(value), path); return;
  }
}

Error refused(const std::string& why) {
  const std::string says = "the rules do not agree: " + why;
  return unprocessable(says, {says});
}

class Merger {
 public:
  Status add(const Rules& rules) {
    const json::value config = TRY(parse_json(rules.config));
    CHECK(config.is_object(), "rules that are no object");
    collect(config.get_object(), "", rules.path);
    return add(root_, config.get_object(), "", rules.path);
  }

  // Once all are in: what one denies may have come before what another allows.
  Result<std::string> finish() const {
    for (const auto& [at, denied] : denied_) {
      const auto beside = allowed_.find(at);
      if (beside != allowed_.end()) TRY(require_apart(beside->second, denied, at));
    }
    return canonical_json(root_);
  }

 private:
  Status add(json::object& into, const json::object& from, const std::string& at, const std::string& path) {
    for (const auto& member : from) {
      const std::string place = pointer_below(at, member.key());
      json::value* present = into.if_contains(member.key());
      if (present == nullptr) {
        into[member.key()] = member.value();
        said_by_.emplace(place, path);
      } else if (present->is_object() && member.value().is_object()) {
        TRY(add(present->get_object(), member.value().get_object(), place, path));
      } else if (*present != member.value()) {
        return refused("at " + place + " " + who_said(place) + " says " + json::serialize(*present) +
                       ", and " + path + " says " + json::serialize(member.value()));
      }
    }
    return Ok{};
  }

  // Whoever brought the value, or what it stands in.
  const std::string& who_said(std::string place) const {
    auto found = said_by_.find(place);
    while (found == said_by_.end()) {
      place.resize(place.rfind('/'));
      found = said_by_.find(place);
    }
    return found->second;
  }

  void collect(const json::object& rules, const std::string& at, const std::string& path) {
    for (const auto& member : rules) {
      if (member.key() == kAllow) add_things(allowed_[at], member.value(), path);
      if (member.key() == kDeny) add_things(denied_[at], member.value(), path);
      if (member.value().is_object())
        collect(member.value().get_object(), pointer_below(at, member.key()), path);
    }
  }

  static Status require_apart(const Things& allowed, const Things& denied, const std::string& at) {
    for (const auto& [thing, who] : denied) {
      auto allowance = thing == kEverything ? allowed.begin() : allowed.find(thing);
      if (allowance == allowed.end()) allowance = allowed.find(kEverything);
      if (allowance == allowed.end()) continue;
      const auto quoted = [](const std::string& name) {
        return name == kEverything ? std::string("everything") : "\"" + name + "\"";
      };
      return refused("at " + (at.empty() ? "the top" : at) + " " + allowance->second + " allows " +
                     quoted(allowance->first) + ", and " + who + " denies " + quoted(thing));
    }
    return Ok{};
  }

  json::object root_;
  std::map<std::string, std::string> said_by_;      // by place
  std::map<std::string, Things> allowed_, denied_;  // by the place of the object that both stand in
};

}  // namespace

Result<std::string> merged_rules(const std::vector<Rules>& all) {
  Merger merger;
  for (const Rules& rules : all) TRY(merger.add(rules));
  return merger.finish();
}

}  // namespace imprimatur

#include "scan/pack.h"

#include "base/utf8.h"

#include <algorithm>
#include <cctype>
#include <functional>
#include <map>
#include <set>

#include <yaml-cpp/yaml.h>

namespace imprimatur::scan {
namespace {

// Reads one mapping, remembering where it stands and which of its keys were asked for.
class Fields {
 public:
  Fields(const PackSource& source, const YAML::Node& node) : source_(source), node_(node) {}

  void name(std::string rule) { rule_ = std::move(rule); }

  Error error(const YAML::Node& at, const std::string& message) const {
    const YAML::Mark mark = at.IsDefined() ? at.Mark() : node_.Mark();
    std::string where = source_.name + ":" + std::to_string(mark.line + 1);
    if (!rule_.empty()) where += ": rule " + rule_;
    return invalid(where + ": " + message);
  }
  Error error(const std::string& message) const { return error(node_, message); }

  YAML::Node get(const char* key) {
    asked_.insert(key);
    return node_[key];
  }

  Result<std::string> text(const char* key, bool required) {
    const YAML::Node value = get(key);
    if (!value.IsDefined()) {
      if (required) return error("\"" + std::string(key) + "\" is missing");
      return std::string();
    }
    return scalar(value, key);
  }

  Result<std::vector<std::string>> texts(const char* key, std::size_t limit) {
    const YAML::Node value = get(key);
    std::vector<std::string> out;
    if (!value.IsDefined()) return out;
    if (value.IsScalar()) {
      out.push_back(TRY(scalar(value, key)));
      return out;
    }
    if (!value.IsSequence()) return error(value, "\"" + std::string(key) + "\" must be a list of texts");
    if (value.size() > limit)
      return error(value, "\"" + std::string(key) + "\" has more than " + std::to_string(limit) + " entries");
    for (const YAML::Node& item : value) out.push_back(TRY(scalar(item, key)));
    return out;
  }

  Result<std::size_t> number(const YAML::Node& value, const char* key, std::size_t most) {
    const std::string text = TRY(scalar(value, key));
    if (text.empty() || text.size() > 6 || text.find_first_not_of("0123456789") != std::string::npos ||
        std::stoul(text) > most)
      return error(value, "\"" + std::string(key) + "\" must be a number from 0 to " + std::to_string(most));
    return std::stoul(text);
  }

  // A word out of a closed set.
  template <class Enum>
  Result<Enum> word(const char* key, const std::function<std::optional<Enum>(std::string_view)>& parse) {
    const std::string value = TRY(text(key, true));
    const std::optional<Enum> parsed = parse(value);
    if (!parsed) return error(get(key), "\"" + value + "\" is no " + key);
    return *parsed;
  }

  Status no_others() const {
    for (const auto& entry : node_) {
      if (!entry.first.IsScalar() || !asked_.contains(entry.first.Scalar()))
        return error(entry.first,
                     "unknown key" + (entry.first.IsScalar() ? " \"" + entry.first.Scalar() + "\"" : ""));
    }
    std::set<std::string> seen;
    for (const auto& entry : node_)
      if (!seen.insert(entry.first.Scalar()).second)
        return error(entry.first, "key \"" + entry.first.Scalar() + "\" appears twice");
    return Ok{};
  }

 private:
  Result<std::string> scalar(const YAML::Node& value, const char* key) const {
    if (!value.IsScalar()) return error(value, "\"" + std::string(key) + "\" must be a text");
    if (value.Scalar().find('\0') != std::string::npos || first_invalid_utf8(value.Scalar()))
      return error(value, "\"" + std::string(key) + "\" holds U+0000 or is not UTF-8");
    return value.Scalar();
  }

  const PackSource& source_;
  const YAML::Node node_;
  std::string rule_;
  std::set<std::string> asked_;
};

std::optional<ContextFilter> context_filter_of(std::string_view name) {
  if (name == "none") return ContextFilter::none;
  if (name == "general") return ContextFilter::general;
  if (name == "jailbreak") return ContextFilter::jailbreak;
  return std::nullopt;
}

std::optional<Reading> reading_of(std::string_view name) {
  if (name == "folded") return Reading::folded;
  if (name == "raw") return Reading::raw;
  return std::nullopt;
}

bool is_rule_id(std::string_view id) {
  return !id.empty() && id.size() <= 40 && std::all_of(id.begin(), id.end(), [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
  });
}

Result<std::vector<Example>> examples(Fields& rule, const PackSource& source, const char* key) {
  std::vector<Example> out;
  const YAML::Node list = rule.get(key);
  if (!list.IsDefined()) return out;
  if (!list.IsSequence()) return rule.error(list, "\"" + std::string(key) + "\" must be a list of examples");
  for (const YAML::Node& item : list) {
    Example example;
    example.line = static_cast<std::size_t>(item.Mark().line) + 1;
    if (item.IsMap()) {
      Fields fields(source, item);
      example.text = TRY(fields.text("text", true));
      example.role = TRY(fields.text("role", false));
      example.tools = TRY(fields.text("tools", false));
      TRY(fields.no_others());
    } else if (item.IsScalar()) {
      example.text = item.Scalar();
    } else {
      return rule.error(item, "an example is a text, or a mapping of text, role and tools");
    }
    out.push_back(std::move(example));
  }
  return out;
}

Status check_shape(const Fields& fields, const RuleSpec& rule, const PackLimits& limits) {
  const bool in_code = !rule.predicate.empty();
  if (in_code && !rule.patterns.empty()) return fields.error("has both a predicate and patterns");
  if (!in_code && rule.patterns.empty()) return fields.error("has neither a predicate nor a pattern");
  if (!in_code && rule.anchors.empty())
    return fields.error("needs anchors: words one of which every match holds");
  if (in_code && !rule.anchors.empty()) return fields.error("anchors belong to patterns, not to a predicate");
  for (const std::string& anchor : rule.anchors) {
    const bool letter = anchor.size() == 1 && std::isalnum(static_cast<unsigned char>(anchor[0]));
    if (anchor.empty() || letter)
      return fields.error("the anchor \"" + anchor + "\" is too short to be of use");
    if (std::any_of(anchor.begin(), anchor.end(), [](char c) { return c >= 'A' && c <= 'Z'; }))
      return fields.error("the anchor \"" + anchor + "\" must be in lower case");
  }
  for (const auto* list : {&rule.patterns, &rule.unless})
    for (const std::string& pattern : *list)
      if (pattern.size() > limits.pattern_bytes) return fields.error("a pattern is too long");
  return Ok{};
}

Result<RuleSpec> load_rule(const PackSource& source, const YAML::Node& node, const PackLimits& limits) {
  Fields fields(source, node);
  if (!node.IsMap()) return fields.error("a rule must be a mapping");
  RuleSpec rule;
  rule.pack = source.name;
  rule.line = static_cast<std::size_t>(node.Mark().line) + 1;
  rule.id = TRY(fields.text("id", true));
  if (!is_rule_id(rule.id)) return fields.error("\"id\" must be capital letters, digits and '-'");
  fields.name(rule.id);
  rule.category = TRY(fields.word<Category>("category", category_of));
  rule.severity = TRY(fields.word<Severity>("severity", severity_of));
  rule.kind = TRY(fields.word<FindingKind>("kind", finding_kind_of));
  const bool exact = rule.kind == FindingKind::secret || rule.kind == FindingKind::pii;
  rule.reading = exact ? Reading::raw : Reading::folded;
  rule.context = rule.kind == FindingKind::text ? ContextFilter::general : ContextFilter::none;
  if (fields.get("reading").IsDefined()) rule.reading = TRY(fields.word<Reading>("reading", reading_of));
  if (fields.get("context").IsDefined())
    rule.context = TRY(fields.word<ContextFilter>("context", context_filter_of));
  if (const YAML::Node value = fields.get("confidence"); value.IsDefined())
    rule.confidence = static_cast<int>(TRY(fields.number(value, "confidence", 100)));
  rule.title = TRY(fields.text("title", true));
  rule.message = TRY(fields.text("message", true));
  rule.fix = TRY(fields.text("fix", true));
  rule.refs = TRY(fields.texts("refs", 16));
  rule.anchors = TRY(fields.texts("anchors", limits.anchors_per_rule));
  if (const YAML::Node window = fields.get("window"); window.IsDefined()) {
    if (!window.IsSequence() || window.size() != 2)
      return fields.error(window, "\"window\" must be two numbers: bytes before and after an anchor");
    rule.window_before = TRY(fields.number(window[0], "window", limits.window_bytes));
    rule.window_after = TRY(fields.number(window[1], "window", limits.window_bytes));
  }
  rule.patterns = TRY(fields.texts("patterns", limits.patterns_per_rule));
  rule.unless = TRY(fields.texts("unless", limits.patterns_per_rule));
  rule.validators = TRY(fields.texts("validators", 8));
  rule.predicate = TRY(fields.text("predicate", false));
  rule.words = TRY(fields.texts("words", limits.anchors_per_rule));
  rule.bad = TRY(examples(fields, source, "bad"));
  rule.good = TRY(examples(fields, source, "good"));
  TRY(fields.no_others());
  TRY(check_shape(fields, rule, limits));
  return rule;
}

}  // namespace

Result<std::vector<RuleSpec>> load_pack(const PackSource& source, const PackLimits& limits) {
  if (source.text.size() > limits.bytes)
    return too_large(source.name + ": a rule pack may have at most " + std::to_string(limits.bytes) +
                     " bytes");
  try {
    const YAML::Node root = YAML::Load(source.text);
    Fields fields(source, root);
    if (!root.IsMap()) return fields.error("a rule pack must be a mapping with \"rules\"");
    const YAML::Node list = fields.get("rules");
    TRY(fields.no_others());
    if (!list.IsSequence()) return fields.error(list, "\"rules\" must be a list");
    if (list.size() > limits.rules) return fields.error(list, "too many rules");
    std::vector<RuleSpec> rules;
    std::set<std::string> ids;
    for (const YAML::Node& node : list) {
      rules.push_back(TRY(load_rule(source, node, limits)));
      if (!ids.insert(rules.back().id).second)
        return Fields(source, node).error("rule " + rules.back().id + " is there twice");
    }
    return rules;
  } catch (const YAML::Exception& error) {
    return invalid(source.name + ":" + std::to_string(error.mark.line + 1) + ": not YAML: " + error.msg);
  }
}

std::string canonical_form(const RuleSpec& rule) {
  std::string out;
  const auto put = [&out](std::string_view field) {
    out += std::to_string(field.size());
    out += ':';
    out += field;
  };
  const auto put_all = [&put](const std::vector<std::string>& fields) {
    put(std::to_string(fields.size()));
    for (const std::string& field : fields) put(field);
  };
  put(rule.id);
  put(name_of(rule.category));
  put(name_of(rule.severity));
  put(name_of(rule.kind));
  put(std::to_string(rule.confidence));
  put(rule.title);
  put(rule.message);
  put(rule.fix);
  put_all(rule.refs);
  put(std::to_string(static_cast<int>(rule.reading)));
  put(std::to_string(static_cast<int>(rule.context)));
  put_all(rule.anchors);
  put(std::to_string(rule.window_before));
  put(std::to_string(rule.window_after));
  put_all(rule.patterns);
  put_all(rule.unless);
  put_all(rule.validators);
  put(rule.predicate);
  put_all(rule.words);
  return out;
}

}  // namespace imprimatur::scan

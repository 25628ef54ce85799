// What a version must hold on its own, before it may be hashed.
#include "base/json.h"
#include "base/utf8.h"
#include "domain/content.h"
#include "domain/json_schema.h"
#include "domain/name.h"
#include "domain/policies.h"
#include "domain/semver.h"
#include "domain/template.h"

#include <algorithm>
#include <set>

#include <boost/json.hpp>

namespace imprimatur {
namespace {

namespace json = boost::json;

constexpr std::size_t kMaxDefaultBytes = 16 * 1024;
constexpr std::size_t kMaxDefaultBytesTogether = 256 * 1024;
constexpr std::size_t kMaxDescriptionBytes = 2000;
constexpr std::size_t kMaxModelNameBytes = 200;
constexpr double kMaxTemperature = 2, kMaxTopP = 1;
constexpr std::int64_t kMaxTokens = 1'000'000'000;
constexpr std::size_t kDigestBytes = 7 + 64;  // "sha256:" and hexadecimal
// Nesting of one JSON field; the canonical content wraps it twice more.
constexpr JsonLimits kFieldLimits{.bytes = kMaxJsonFieldBytes, .depth = 32, .values = 50'000};

Error at_field(std::string field, Error error) {
  if (error.fields.empty()) error.fields.push_back({field, error.detail});
  error.detail = std::move(field) + ": " + error.detail;
  return error;
}

template <class T>
Status at_field(const std::string& field, const Result<T>& result) {
  if (!result.ok()) return at_field(field, result.error());
  return Ok{};
}

Status check_text(const std::string& field, std::string_view text) {
  if (const auto bad = first_invalid_utf8(text)) {
    return invalid_field(field, "is not UTF-8 at byte " + std::to_string(*bad));
  }
  if (const std::size_t bad = text.find('\0'); bad != std::string_view::npos) {
    return invalid_field(field, "holds U+0000 at byte " + std::to_string(bad));
  }
  return Ok{};
}

Status check_short_text(const std::string& field, std::string_view text, std::size_t limit) {
  if (text.size() > limit) return invalid_field(field, "is over " + std::to_string(limit) + " bytes");
  return check_text(field, text);
}

Status check_total(const std::string& field, std::size_t bytes) {
  if (bytes <= kMaxTextBytes) return Ok{};
  return at_field(field, too_large("is over " + std::to_string(kMaxTextBytes) + " bytes of text"));
}

Status check_messages(const Content& content) {
  if (!content.text.empty()) return invalid_field("content", "a chat has messages instead");
  if (content.messages.empty()) return invalid_field("messages", "a chat needs at least one message");
  if (content.messages.size() > kMaxMessages) {
    return at_field("messages", too_large("are over " + std::to_string(kMaxMessages)));
  }
  std::size_t bytes = 0;
  for (std::size_t i = 0; i < content.messages.size(); ++i) {
    TRY(check_text("messages[" + std::to_string(i) + "].content", content.messages[i].content));
    bytes += content.messages[i].content.size();
  }
  return check_total("messages", bytes);
}

Status check_policy(const Content& content) {
  if (content.type != ContentType::text) return invalid_field("type", "a policy is of type text");
  if (!content.variables.empty()) return invalid_field("variables", "a policy has none");
  if (content.model) return invalid_field("model", "a policy has none");
  if (!content.tools.empty()) return invalid_field("tools", "a policy has none");
  if (!content.layers.empty()) return invalid_field("layers", "a policy includes nothing");
  return Ok{};
}

Status check_body(const Content& content) {
  const bool policy = content.kind == ArtifactKind::policy;
  if (policy) TRY(check_policy(content));
  if (content.type == ContentType::chat) return check_messages(content);
  if (!content.messages.empty()) return invalid_field("messages", "a text prompt has content instead");
  if (content.text.empty() && !policy) return invalid_field("content", "is empty");
  TRY(check_total("content", content.text.size()));
  return check_text("content", content.text);
}

// Precondition: config and outputSchema are in their canonical form.
Status check_rules(const Content& content) {
  if (content.config.empty()) return invalid_field("config", "a policy needs its rules here, as an object");
  if (content.output_schema.empty()) {
    return invalid_field("outputSchema", "a policy needs the JSON Schema that its config obeys");
  }
  const json::value rules = TRY(parse_json(content.config));
  const json::value schema = TRY(parse_json(content.output_schema));
  TRY(at_field("outputSchema", check_schema(schema)));
  TRY(at_field("config", check_by_schema(schema, rules)));
  return at_field("config", merged_rules({{content.name, content.config}}));
}

enum class Shape { object, array };

// Leaves the canonical form in `text`; nothing for a null.
Status canonicalise(const std::string& field, std::string& text, Shape shape) {
  if (text.empty()) return Ok{};
  const auto parsed = parse_json(text, kFieldLimits);
  TRY(at_field(field, parsed));
  if (parsed->is_null()) {
    text.clear();
    return Ok{};
  }
  const bool fits_shape = shape == Shape::object ? parsed->is_object() : parsed->is_array();
  if (!fits_shape)
    return invalid_field(field, shape == Shape::object ? "must be an object" : "must be a list");
  auto canonical = canonical_json(*parsed);
  TRY(at_field(field, canonical));
  if (canonical->size() > kMaxJsonFieldBytes) {
    return at_field(field, too_large("is over " + std::to_string(kMaxJsonFieldBytes) + " bytes"));
  }
  text = std::move(canonical).value();
  return Ok{};
}

Status check_variable(const std::string& field, Variable& variable) {
  if (!is_variable_name(variable.name)) {
    return invalid_field(
        field + ".name",
        "is not a variable name: a letter or '_', then letters, digits, '_', '-' or '.', at most " +
            std::to_string(kMaxVariableNameBytes) + " bytes");
  }
  TRY(check_short_text(field + ".description", variable.description, kMaxDescriptionBytes));
  if (variable.default_json.empty()) return Ok{};
  if (variable.required) {
    return invalid_field(field + ".default", "a required variable has no default; say required: false");
  }
  JsonLimits limits = kFieldLimits;
  limits.bytes = kMaxDefaultBytes;
  const auto value = parse_json(variable.default_json, limits);
  TRY(at_field(field + ".default", value));
  if (!fits(variable.type, *value)) {
    return invalid_field(field + ".default", "is not of type " + std::string(name_of(variable.type)));
  }
  auto canonical = canonical_json(*value);
  TRY(at_field(field + ".default", canonical));
  variable.default_json = std::move(canonical).value();
  return Ok{};
}

Status check_variables(Content& content) {
  if (content.variables.size() > kMaxVariables) {
    return invalid_field("variables", "are over " + std::to_string(kMaxVariables));
  }
  std::set<std::string> seen;
  std::size_t default_bytes = 0;
  for (std::size_t i = 0; i < content.variables.size(); ++i) {
    const std::string field = "variables[" + std::to_string(i) + "]";
    TRY(check_variable(field, content.variables[i]));
    if (!seen.insert(content.variables[i].name).second) {
      return invalid_field(field + ".name", "\"" + content.variables[i].name + "\" is declared twice");
    }
    default_bytes += content.variables[i].default_json.size();
  }
  if (default_bytes > kMaxDefaultBytesTogether) {
    return invalid_field("variables",
                         "have over " + std::to_string(kMaxDefaultBytesTogether) + " bytes of defaults");
  }
  return Ok{};
}

// Declares what the template uses and nobody declared; holds placeholders to lists of messages.
Status declare_used(Content& content) {
  std::set<std::string> lists;
  for (const Message& message : content.messages) {
    if (message.role == MessageRole::placeholder) lists.insert(message.content);
  }
  for (const std::string& name : TRY(variables_used(content))) {
    const bool list = lists.contains(name);
    const auto declared = std::find_if(content.variables.begin(), content.variables.end(),
                                       [&](const Variable& variable) { return variable.name == name; });
    if (declared == content.variables.end()) {
      content.variables.push_back({name, list ? VariableType::messages : VariableType::string, true, "", ""});
    } else if (list != (declared->type == VariableType::messages)) {
      return invalid_field("variables",
                           list ? "\"" + name + "\" stands for messages and must be of type messages"
                                : "\"" + name + "\" is of type messages and stands in a text");
    }
  }
  for (std::size_t i = 0; i < content.messages.size(); ++i) {
    const Message& message = content.messages[i];
    if (message.role == MessageRole::placeholder) continue;
    for (const Hole& hole : TRY(parse_template(message.content))) {
      if (lists.contains(hole.name)) {
        return invalid_field("messages[" + std::to_string(i) + "].content",
                             "\"" + hole.name + "\" stands for messages elsewhere");
      }
    }
  }
  if (content.variables.size() > kMaxVariables) {
    return invalid_field("variables", "the template uses more than " + std::to_string(kMaxVariables));
  }
  return Ok{};
}

Status check_model_numbers(const ModelBinding& model) {
  if (model.name.empty()) return invalid_field("model.name", "is empty");
  TRY(check_short_text("model.name", model.name, kMaxModelNameBytes));
  TRY(check_short_text("model.provider", model.provider, kMaxModelNameBytes));
  // Written so that a NaN is refused.
  if (model.temperature && !(*model.temperature >= 0 && *model.temperature <= kMaxTemperature)) {
    return invalid_field("model.temperature", "must be from 0 to 2");
  }
  if (model.top_p && !(*model.top_p >= 0 && *model.top_p <= kMaxTopP)) {
    return invalid_field("model.topP", "must be from 0 to 1");
  }
  if (model.max_tokens && (*model.max_tokens < 1 || *model.max_tokens > kMaxTokens)) {
    return invalid_field("model.maxTokens", "must be from 1 to " + std::to_string(kMaxTokens));
  }
  return Ok{};
}

bool is_digest(std::string_view text) {
  return text.size() == kDigestBytes && text.starts_with("sha256:") &&
         text.find_first_not_of("0123456789abcdef", 7) == std::string_view::npos;
}

Status check_layers(const Content& content) {
  if (content.layers.size() > kMaxLayers) {
    return invalid_field("layers", "are over " + std::to_string(kMaxLayers));
  }
  std::set<std::string> seen;
  for (std::size_t i = 0; i < content.layers.size(); ++i) {
    const std::string field = "layers[" + std::to_string(i) + "]";
    TRY(at_field(field + ".name", checked_artifact_name(content.layers[i].name)));
    TRY(at_field(field + ".range", SemverRange::parse(content.layers[i].range)));
    if (content.layers[i].name == content.name)
      return invalid_field(field + ".name", "is the artifact itself");
    if (!seen.insert(content.layers[i].name).second) return invalid_field(field + ".name", "is there twice");
  }
  seen.clear();
  if (content.lock.size() > kMaxLocked) return invalid_field("lock", "is over " + std::to_string(kMaxLocked));
  for (std::size_t i = 0; i < content.lock.size(); ++i) {
    const LockEntry& entry = content.lock[i];
    const std::string field = "lock[" + std::to_string(i) + "]";
    TRY(at_field(field + ".name", checked_artifact_name(entry.name)));
    if (entry.version < 1) return invalid_field(field + ".version", "must be 1 or more");
    if (!is_digest(entry.digest)) return invalid_field(field + ".digest", "is not sha256: and 64 hex digits");
    if (!seen.insert(entry.name).second) return invalid_field(field + ".name", "is there twice");
  }
  return Ok{};
}

}  // namespace

Result<Content> checked_content(Content content) {
  TRY(at_field("name", checked_artifact_name(content.name)));
  TRY(at_field("semver", parse_semver(content.semver)));
  TRY(check_body(content));
  TRY(check_variables(content));
  TRY(declare_used(content));
  if (content.model) TRY(check_model_numbers(*content.model));
  TRY(canonicalise("config", content.config, Shape::object));
  TRY(canonicalise("tools", content.tools, Shape::array));
  TRY(canonicalise("outputSchema", content.output_schema, Shape::object));
  if (content.kind == ArtifactKind::policy) TRY(check_rules(content));
  TRY(check_layers(content));
  return content;
}

}  // namespace imprimatur

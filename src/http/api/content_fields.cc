#include "http/api/content_fields.h"

#include "base/json.h"

#include <boost/json.hpp>

namespace imprimatur::http {
namespace {

namespace json = boost::json;

enum class Shape { object, array };

// A JSON field that is kept as it is: null clears it.
std::optional<std::string> json_field(Fields& fields, std::string_view name, Shape shape) {
  const json::value* value = fields.any(name);
  if (value == nullptr) return std::nullopt;
  if (value->is_null()) return std::string();
  if (shape == Shape::object ? !value->is_object() : !value->is_array()) {
    fields.complain(name, shape == Shape::object ? "must be an object or null" : "must be an array or null");
    return std::nullopt;
  }
  auto text = canonical_json(*value);
  if (!text.ok()) {
    fields.complain(name, text.error().detail);
    return std::nullopt;
  }
  return std::move(text).value();
}

std::vector<Message> messages(std::vector<Fields> items) {
  std::vector<Message> out;
  for (Fields& item : items) {
    Message message;
    message.role = item.word("role", message_role_of);
    message.content = item.text("content");
    out.push_back(std::move(message));
  }
  return out;
}

std::vector<Variable> variables(std::vector<Fields> items) {
  std::vector<Variable> out;
  for (Fields& item : items) {
    Variable variable;
    variable.name = item.text("name");
    if (item.has("type")) variable.type = item.word("type", variable_type_of);
    variable.description = item.text_if("description", Null::absent).value_or("");
    const json::value* fallback = item.any("default");
    if (fallback != nullptr && !fallback->is_null()) {
      auto text = canonical_json(*fallback);
      if (text.ok()) {
        variable.default_json = std::move(text).value();
      } else {
        item.complain("default", text.error().detail);
      }
    }
    // Whoever gives a default means that the value may be left out.
    variable.required = item.flag_if("required").value_or(variable.default_json.empty());
    out.push_back(std::move(variable));
  }
  return out;
}

ModelBinding model(Fields fields) {
  ModelBinding out;
  out.provider = fields.text_if("provider", Null::absent).value_or("");
  out.name = fields.text("name");
  out.temperature = fields.number_if("temperature", Null::absent);
  out.top_p = fields.number_if("topP", Null::absent);
  out.max_tokens = fields.integer_if("maxTokens", Null::absent);
  return out;
}

std::vector<LayerRef> layers(std::vector<Fields> items) {
  std::vector<LayerRef> out;
  for (Fields& item : items) out.push_back({item.text("name"), item.text("range")});
  return out;
}

}  // namespace

registry::ContentPatch content_patch(Fields& fields) {
  registry::ContentPatch patch;
  patch.text = fields.text_if("content");
  if (auto items = fields.objects_if("messages")) patch.messages = messages(*std::move(items));
  if (auto items = fields.objects_if("variables")) patch.variables = variables(*std::move(items));
  if (fields.is_null("model")) {
    fields.any("model");
    patch.model = std::optional<ModelBinding>();
  } else if (auto object = fields.object_if("model")) {
    patch.model = std::optional<ModelBinding>(model(*std::move(object)));
  }
  patch.config = json_field(fields, "config", Shape::object);
  patch.tools = json_field(fields, "tools", Shape::array);
  patch.output_schema = json_field(fields, "outputSchema", Shape::object);
  if (auto items = fields.objects_if("layers")) patch.layers = layers(*std::move(items));
  patch.semver = fields.text_if("semver");
  return patch;
}

registry::NewArtifact new_artifact(Fields& fields) {
  registry::NewArtifact wanted;
  wanted.name = fields.text("name");
  if (fields.has("kind")) wanted.kind = fields.word("kind", artifact_kind_of);
  // A policy has one type only.
  if (wanted.kind != ArtifactKind::policy || fields.has("type"))
    wanted.type = fields.word("type", content_type_of);
  wanted.content = content_patch(fields);
  wanted.tags = fields.texts_if("tags").value_or(std::vector<std::string>());
  wanted.message = fields.text_if("message").value_or("");
  return wanted;
}

}  // namespace imprimatur::http

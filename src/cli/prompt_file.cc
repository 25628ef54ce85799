#include "cli/prompt_file.h"

#include "base/json.h"
#include "base/utf8.h"
#include "cli/front_matter.h"

#include <algorithm>

#include <boost/json.hpp>

namespace imprimatur::cli {
namespace {

namespace json = boost::json;

constexpr JsonLimits kLimits{.bytes = kMaxPromptFileBytes, .depth = 64, .values = 100'000};

Error wrong(std::string_view field, std::string_view what) {
  return invalid_field(std::string(field), std::string(what));
}

Result<std::string> text_in(const json::value& value, std::string_view field) {
  if (!value.is_string()) return wrong(field, "must be a string");
  return std::string(value.get_string());
}

template <class E>
Result<E> enumerator_in(const json::value& value, std::string_view field,
                        std::optional<E> (*of)(std::string_view)) {
  const std::string name = TRY(text_in(value, field));
  const std::optional<E> found = of(name);
  if (!found) return wrong(field, "\"" + name + "\" is not one of its words");
  return *found;
}

Result<const json::array*> list_in(const json::value& value, std::string_view field) {
  if (!value.is_array()) return wrong(field, "must be a list");
  return &value.get_array();
}

Result<std::vector<Message>> messages_in(const json::value& value) {
  std::vector<Message> out;
  for (const json::value& item : *TRY(list_in(value, "messages"))) {
    const std::string at = "messages[" + std::to_string(out.size()) + "]";
    if (!item.is_object()) return wrong(at, "must be an object");
    const json::value* role = item.get_object().if_contains("role");
    const json::value* content = item.get_object().if_contains("content");
    if (role == nullptr || content == nullptr || item.get_object().size() != 2) {
      return wrong(at, "must hold role and content, nothing else");
    }
    Message message;
    message.role = TRY(enumerator_in(*role, at + ".role", message_role_of));
    message.content = TRY(text_in(*content, at + ".content"));
    out.push_back(std::move(message));
  }
  return out;
}

Status read_variable_field(Variable& variable, std::string_view key, const json::value& value,
                           const std::string& at) {
  if (key == "name") {
    variable.name = TRY(text_in(value, at + ".name"));
  } else if (key == "type") {
    variable.type = TRY(enumerator_in(value, at + ".type", variable_type_of));
  } else if (key == "required") {
    if (!value.is_bool()) return wrong(at + ".required", "must be true or false");
    variable.required = value.get_bool();
  } else if (key == "default") {
    if (!value.is_null()) variable.default_json = TRY(canonical_json(value));
  } else if (key == "description") {
    if (!value.is_null()) variable.description = TRY(text_in(value, at + ".description"));
  } else {
    return wrong(at + "." + std::string(key), "is not a field of a variable");
  }
  return Ok{};
}

// A list of names or objects.
Result<std::vector<Variable>> variables_in(const json::value& value) {
  std::vector<Variable> out;
  for (const json::value& item : *TRY(list_in(value, "variables"))) {
    const std::string at = "variables[" + std::to_string(out.size()) + "]";
    Variable variable;
    if (item.is_string()) {
      variable.name = std::string(item.get_string());
    } else if (item.is_object()) {
      for (const auto& field : item.get_object()) {
        TRY(read_variable_field(variable, field.key(), field.value(), at));
      }
    } else {
      return wrong(at, "must be a name or an object");
    }
    out.push_back(std::move(variable));
  }
  return out;
}

Result<std::optional<double>> number_in(const json::value& value, std::string_view field) {
  if (value.is_null()) return std::optional<double>();
  if (!value.is_number()) return wrong(field, "must be a number");
  return std::optional<double>(value.to_number<double>());
}

// A name, or an object.
Result<std::optional<ModelBinding>> model_in(const json::value& value) {
  if (value.is_null()) return std::optional<ModelBinding>();
  ModelBinding model;
  if (value.is_string()) {
    model.name = std::string(value.get_string());
    return std::optional(model);
  }
  if (!value.is_object()) return wrong("model", "must be a name or an object");
  for (const auto& field : value.get_object()) {
    const std::string_view key = field.key();
    const json::value& held = field.value();
    if (key == "name") {
      model.name = TRY(text_in(held, "model.name"));
    } else if (key == "provider") {
      if (!held.is_null()) model.provider = TRY(text_in(held, "model.provider"));
    } else if (key == "temperature") {
      model.temperature = TRY(number_in(held, "model.temperature"));
    } else if (key == "topP") {
      model.top_p = TRY(number_in(held, "model.topP"));
    } else if (key == "maxTokens") {
      if (held.is_null()) continue;
      if (!held.is_int64()) return wrong("model.maxTokens", "must be a whole number");
      model.max_tokens = held.get_int64();
    } else {
      return wrong("model." + std::string(key), "is not a field of a model");
    }
  }
  return std::optional(model);
}

Result<std::vector<LayerRef>> layers_in(const json::value& value) {
  std::vector<LayerRef> out;
  for (const json::value& item : *TRY(list_in(value, "layers"))) {
    const json::value* name = item.is_object() ? item.get_object().if_contains("name") : nullptr;
    const json::value* range = item.is_object() ? item.get_object().if_contains("range") : nullptr;
    if (name == nullptr || range == nullptr) return wrong("layers", "each must hold name and range");
    LayerRef layer;
    layer.name = TRY(text_in(*name, "layers.name"));
    layer.range = TRY(text_in(*range, "layers.range"));
    out.push_back(std::move(layer));
  }
  return out;
}

Result<std::vector<std::string>> tags_in(const json::value& value) {
  std::vector<std::string> out;
  for (const json::value& item : *TRY(list_in(value, "tags"))) out.push_back(TRY(text_in(item, "tags")));
  return out;
}

// One member of the object; false when it says nothing here.
Result<bool> read_member(PromptFile& prompt, std::string_view key, const json::value& value) {
  Content& content = prompt.content;
  if (key == "name") {
    content.name = TRY(text_in(value, key));
  } else if (key == "type") {
    content.type = TRY(enumerator_in(value, key, content_type_of));
  } else if (key == "kind") {
    content.kind = TRY(enumerator_in(value, key, artifact_kind_of));
  } else if (key == "content") {
    if (!value.is_null()) content.text = TRY(text_in(value, key));
  } else if (key == "messages") {
    if (!value.is_null()) content.messages = TRY(messages_in(value));
  } else if (key == "variables") {
    if (!value.is_null()) content.variables = TRY(variables_in(value));
  } else if (key == "model") {
    content.model = TRY(model_in(value));
  } else if (key == "config" || key == "tools" || key == "outputSchema") {
    std::string text = value.is_null() ? std::string() : TRY(canonical_json(value));
    (key == "config"  ? content.config
     : key == "tools" ? content.tools
                      : content.output_schema) = std::move(text);
  } else if (key == "layers") {
    if (!value.is_null()) content.layers = TRY(layers_in(value));
  } else if (key == "semver") {
    content.semver = TRY(text_in(value, key));
  } else if (key == "tags") {
    if (!value.is_null()) prompt.tags = TRY(tags_in(value));
  } else if (key == "message") {
    prompt.message = TRY(text_in(value, key));
  } else {
    return false;
  }
  return true;
}

Result<PromptFile> from_object(const json::object& object, std::string_view name) {
  PromptFile prompt;
  prompt.content.name = name;
  for (const auto& member : object) {
    if (!TRY(read_member(prompt, member.key(), member.value()))) prompt.ignored.emplace_back(member.key());
  }
  if (!object.contains("type") && !prompt.content.messages.empty()) prompt.content.type = ContentType::chat;
  return prompt;
}

Status check_body(const PromptFile& prompt, bool has_text) {
  const bool chat = prompt.content.type == ContentType::chat;
  if (chat && has_text) return wrong("content", "a chat has messages, not content");
  if (!chat && !prompt.content.messages.empty())
    return wrong("messages", "a text prompt has content, not messages");
  if (chat && prompt.content.messages.empty()) return wrong("messages", "a chat needs messages");
  const bool policy = prompt.content.kind == ArtifactKind::policy;
  if (!chat && !has_text && !policy) return wrong("content", "is missing");
  return Ok{};
}

Result<PromptFile> from_json(std::string_view text, std::string_view name) {
  const json::value parsed = TRY(parse_json(text, kLimits));
  if (!parsed.is_object()) return invalid("must be a JSON object");
  const json::object& object = parsed.get_object();
  PromptFile prompt = TRY(from_object(object, name));
  const json::value* content = object.if_contains("content");
  TRY(check_body(prompt, content != nullptr && content->is_string()));
  return prompt;
}

Result<PromptFile> from_front_matter(std::string_view text, std::string_view name) {
  const FrontMatter parts = TRY(split_front_matter(text));
  const json::value head = TRY(yaml_to_json(parts.yaml));
  const json::object none;
  if (!head.is_null() && !head.is_object()) return invalid("the front matter must hold names and values");
  PromptFile prompt = TRY(from_object(head.is_null() ? none : head.get_object(), name));
  const bool blank = parts.body.find_first_not_of(" \t\r\n") == std::string_view::npos;
  const bool chat = prompt.content.type == ContentType::chat;
  if (!prompt.content.text.empty())
    return wrong("content", "the text of a .prompt file stands behind the front matter");
  if (!chat) prompt.content.text = parts.body;
  const std::string_view before = text.substr(0, text.size() - parts.body.size());
  prompt.body_line = static_cast<std::size_t>(std::count(before.begin(), before.end(), '\n'));
  TRY(check_body(prompt, chat ? !blank : true));
  return prompt;
}

}  // namespace

Result<PromptFile> read_prompt(std::string_view text, FileForm form, std::string_view name) {
  if (text.size() > kMaxPromptFileBytes) {
    return too_large("the file is over " + std::to_string(kMaxPromptFileBytes) + " bytes");
  }
  if (const auto bad = first_invalid_utf8(text)) return invalid("not UTF-8 at byte " + std::to_string(*bad));
  if (const auto nul = text.find('\0'); nul != text.npos)
    return invalid("U+0000 at byte " + std::to_string(nul));
  switch (form) {
    case FileForm::json: return from_json(text, name);
    case FileForm::prompt:
      if (!begins_front_matter(text)) break;
      return from_front_matter(text, name);
    case FileForm::plain: break;
  }
  PromptFile prompt;
  prompt.content.name = name;
  prompt.content.text = text;
  prompt.fence_in_text = begins_front_matter(text);
  return prompt;
}

namespace {

json::value raw(const std::string& canonical) {
  return canonical.empty() ? json::value() : parse_json(canonical, kLimits).value();
}

json::array variables_of(const Content& content) {
  json::array out;
  for (const Variable& variable : content.variables) {
    json::object object = {{"name", variable.name},
                           {"type", name_of(variable.type)},
                           {"required", variable.required},
                           {"description", variable.description}};
    if (!variable.default_json.empty()) object["default"] = raw(variable.default_json);
    out.push_back(std::move(object));
  }
  return out;
}

json::object model_of(const ModelBinding& model) {
  json::object out = {{"name", model.name}};
  if (!model.provider.empty()) out["provider"] = model.provider;
  if (model.temperature) out["temperature"] = *model.temperature;
  if (model.top_p) out["topP"] = *model.top_p;
  if (model.max_tokens) out["maxTokens"] = *model.max_tokens;
  return out;
}

}  // namespace

json::object to_json(const PromptFile& prompt) {
  const Content& content = prompt.content;
  json::object out = {
      {"name", content.name}, {"kind", name_of(content.kind)}, {"type", name_of(content.type)}};
  const bool no_words = content.kind == ArtifactKind::policy && content.text.empty();
  if (content.type == ContentType::text) {
    if (!no_words) out["content"] = content.text;
  } else {
    json::array messages;
    for (const Message& message : content.messages) {
      messages.push_back({{"role", name_of(message.role)}, {"content", message.content}});
    }
    out["messages"] = std::move(messages);
  }
  if (!content.variables.empty()) out["variables"] = variables_of(content);
  if (content.model) out["model"] = model_of(*content.model);
  if (!content.config.empty()) out["config"] = raw(content.config);
  if (!content.tools.empty()) out["tools"] = raw(content.tools);
  if (!content.output_schema.empty()) out["outputSchema"] = raw(content.output_schema);
  if (!content.layers.empty()) {
    json::array layers;
    for (const LayerRef& layer : content.layers)
      layers.push_back({{"name", layer.name}, {"range", layer.range}});
    out["layers"] = std::move(layers);
  }
  if (!content.semver.empty()) out["semver"] = content.semver;
  if (!prompt.tags.empty()) out["tags"] = json::array(prompt.tags.begin(), prompt.tags.end());
  if (!prompt.message.empty()) out["message"] = prompt.message;
  return out;
}

}  // namespace imprimatur::cli

#include "domain/content.h"

#include "base/check.h"
#include "base/enums.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/json_slices.h"

#include <boost/json.hpp>

namespace imprimatur {
namespace {

namespace json = boost::json;

constexpr std::string_view kDigestTag = "imprimatur-version-v1\n";

// A canonical text is larger than its parts by escapes only; see the limits of checked_content.
constexpr JsonLimits kCanonicalLimits{.bytes = 16 * 1024 * 1024, .depth = 80, .values = 2'000'000};

void append_text_or_null(std::string& out, std::string_view text) {
  if (text.empty()) {
    out += "null";
  } else {
    append_json_string(out, text);
  }
}

void append_json_or_null(std::string& out, std::string_view canonical) {
  out += canonical.empty() ? "null" : canonical;
}

void append_number_or_null(std::string& out, const std::optional<double>& number) {
  out += number ? ecmascript_number(*number) : "null";
}

template <class T, class Append>
void append_list(std::string& out, const std::vector<T>& items, Append append) {
  out.push_back('[');
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (i > 0) out.push_back(',');
    append(items[i]);
  }
  out.push_back(']');
}

void append_model(std::string& out, const std::optional<ModelBinding>& model) {
  if (!model) {
    out += "null";
    return;
  }
  out += "{\"maxTokens\":" + (model->max_tokens ? std::to_string(*model->max_tokens) : "null");
  out += ",\"name\":";
  append_json_string(out, model->name);
  out += ",\"provider\":";
  append_text_or_null(out, model->provider);
  out += ",\"temperature\":";
  append_number_or_null(out, model->temperature);
  out += ",\"topP\":";
  append_number_or_null(out, model->top_p);
  out.push_back('}');
}

void append_variable(std::string& out, const Variable& variable) {
  out += "{\"default\":";
  append_json_or_null(out, variable.default_json);
  out += ",\"description\":";
  append_text_or_null(out, variable.description);
  out += ",\"name\":";
  append_json_string(out, variable.name);
  out += variable.required ? ",\"required\":true" : ",\"required\":false";
  out += ",\"type\":";
  append_json_string(out, name_of(variable.type));
  out.push_back('}');
}

// Reads an object member by member and refuses what is missing or left over.
class Members {
 public:
  explicit Members(const json::object& object) : object_(&object) {}

  Result<const json::value*> take(std::string_view name) {
    const json::value* value = object_->if_contains(name);
    if (value == nullptr) return invalid("canonical content lacks \"" + std::string(name) + "\"");
    ++taken_;
    return value;
  }
  Result<std::string> text(std::string_view name) {
    const json::value* value = TRY(take(name));
    if (!value->is_string()) return wrong_type(name);
    return std::string(value->get_string());
  }
  // Null stands for the empty text.
  Result<std::string> optional_text(std::string_view name) {
    const json::value* value = TRY(take(name));
    if (value->is_null()) return std::string();
    if (!value->is_string() || value->get_string().empty()) return wrong_type(name);
    return std::string(value->get_string());
  }
  Result<std::string> optional_json(std::string_view name) {
    const json::value* value = TRY(take(name));
    if (value->is_null()) return std::string();
    return canonical_json(*value);
  }
  Result<std::optional<double>> optional_number(std::string_view name) {
    const json::value* value = TRY(take(name));
    if (value->is_null()) return std::optional<double>();
    if (!value->is_number()) return wrong_type(name);
    return std::optional<double>(value->to_number<double>());
  }
  template <class E>
  Result<E> enumerator(std::string_view name, std::optional<E> (*of)(std::string_view)) {
    const std::string spelled = TRY(text(name));
    const std::optional<E> value = of(spelled);
    if (!value) return invalid("canonical content: unknown " + std::string(name) + " \"" + spelled + "\"");
    return *value;
  }
  Status finish() const {
    if (taken_ != object_->size()) return invalid("canonical content holds unknown members");
    return Ok{};
  }
  static Error wrong_type(std::string_view name) {
    return invalid("canonical content: \"" + std::string(name) + "\" has the wrong type");
  }

 private:
  const json::object* object_;
  std::size_t taken_ = 0;
};

// `one` reads the members of one element, which must be all that it has.
template <class T, class One>
Result<std::vector<T>> read_list(const json::value& value, std::string_view name, One one) {
  if (!value.is_array()) return Members::wrong_type(name);
  std::vector<T> items;
  for (const json::value& element : value.get_array()) {
    if (!element.is_object()) return Members::wrong_type(name);
    Members members(element.get_object());
    items.push_back(TRY(one(members)));
    TRY(members.finish());
  }
  return items;
}

template <class T, class One>
Result<std::vector<T>> take_list(Members& members, std::string_view name, One one) {
  const json::value* value = TRY(members.take(name));
  return read_list<T>(*value, name, one);
}

Result<Message> read_message(Members& members) {
  Message message;
  message.content = TRY(members.text("content"));
  message.role = TRY(members.enumerator("role", message_role_of));
  return message;
}

Result<Variable> read_variable(Members& members) {
  Variable variable;
  variable.default_json = TRY(members.optional_json("default"));
  variable.description = TRY(members.optional_text("description"));
  variable.name = TRY(members.text("name"));
  const json::value* required = TRY(members.take("required"));
  if (!required->is_bool()) return Members::wrong_type("required");
  variable.required = required->get_bool();
  variable.type = TRY(members.enumerator("type", variable_type_of));
  return variable;
}

Result<LayerRef> read_layer(Members& members) {
  LayerRef layer;
  layer.name = TRY(members.text("name"));
  layer.range = TRY(members.text("range"));
  return layer;
}

Result<LockEntry> read_lock_entry(Members& members) {
  LockEntry entry;
  entry.digest = TRY(members.text("digest"));
  entry.name = TRY(members.text("name"));
  const json::value* version = TRY(members.take("version"));
  if (!version->is_int64()) return Members::wrong_type("version");
  entry.version = version->get_int64();
  return entry;
}

Result<std::optional<ModelBinding>> read_model(const json::value& value) {
  if (value.is_null()) return std::optional<ModelBinding>();
  if (!value.is_object()) return Members::wrong_type("model");
  Members members(value.get_object());
  ModelBinding model;
  const json::value* tokens = TRY(members.take("maxTokens"));
  if (tokens->is_int64()) {
    model.max_tokens = tokens->get_int64();
  } else if (!tokens->is_null()) {
    return Members::wrong_type("maxTokens");
  }
  model.name = TRY(members.text("name"));
  model.provider = TRY(members.optional_text("provider"));
  model.temperature = TRY(members.optional_number("temperature"));
  model.top_p = TRY(members.optional_number("topP"));
  TRY(members.finish());
  return std::optional<ModelBinding>(std::move(model));
}

// The half of the content that depends on its type: text has no messages, and a chat no text.
Status read_body(Members& members, Content& content) {
  const json::value* text = TRY(members.take("content"));
  const json::value* messages = TRY(members.take("messages"));
  switch (content.type) {
    case ContentType::text:
      if (!text->is_string() || !messages->is_null()) return Members::wrong_type("content");
      content.text = std::string(text->get_string());
      return Ok{};
    case ContentType::chat:
      if (!text->is_null()) return Members::wrong_type("content");
      content.messages = TRY(read_list<Message>(*messages, "messages", read_message));
      return Ok{};
  }
  CHECK(false, "unknown content type");
}

}  // namespace

std::string_view name_of(ArtifactKind kind) {
  switch (kind) {
    case ArtifactKind::prompt: return "prompt";
    case ArtifactKind::policy: return "policy";
  }
  CHECK(false, "unknown artifact kind");
}

std::string_view name_of(ContentType type) {
  switch (type) {
    case ContentType::text: return "text";
    case ContentType::chat: return "chat";
  }
  CHECK(false, "unknown content type");
}

std::string_view name_of(MessageRole role) {
  switch (role) {
    case MessageRole::system: return "system";
    case MessageRole::developer: return "developer";
    case MessageRole::user: return "user";
    case MessageRole::assistant: return "assistant";
    case MessageRole::tool: return "tool";
    case MessageRole::placeholder: return "placeholder";
  }
  CHECK(false, "unknown message role");
}

std::string_view name_of(VariableType type) {
  switch (type) {
    case VariableType::string: return "string";
    case VariableType::number: return "number";
    case VariableType::integer: return "integer";
    case VariableType::boolean: return "boolean";
    case VariableType::object: return "object";
    case VariableType::array: return "array";
    case VariableType::messages: return "messages";
  }
  CHECK(false, "unknown variable type");
}

std::optional<ArtifactKind> artifact_kind_of(std::string_view name) {
  return enumerator_named(name, ArtifactKind::policy);
}

std::optional<ContentType> content_type_of(std::string_view name) {
  return enumerator_named(name, ContentType::chat);
}

std::optional<MessageRole> message_role_of(std::string_view name) {
  return enumerator_named(name, MessageRole::placeholder);
}

std::optional<VariableType> variable_type_of(std::string_view name) {
  return enumerator_named(name, VariableType::messages);
}

// Written member by member in the order that RFC 8785 sorts them in; the JSON fields are canonical already.
std::string canonical_content(const Content& content) {
  std::string out = "{\"config\":";
  append_json_or_null(out, content.config);
  out += ",\"content\":";
  if (content.type == ContentType::text) {
    append_json_string(out, content.text);
  } else {
    out += "null";
  }
  out += ",\"kind\":";
  append_json_string(out, name_of(content.kind));
  out += ",\"layers\":";
  append_list(out, content.layers, [&](const LayerRef& layer) {
    out += "{\"name\":";
    append_json_string(out, layer.name);
    out += ",\"range\":";
    append_json_string(out, layer.range);
    out.push_back('}');
  });
  out += ",\"lock\":";
  append_list(out, content.lock, [&](const LockEntry& entry) {
    out += "{\"digest\":";
    append_json_string(out, entry.digest);
    out += ",\"name\":";
    append_json_string(out, entry.name);
    out += ",\"version\":" + std::to_string(entry.version) + "}";
  });
  out += ",\"messages\":";
  if (content.type == ContentType::chat) {
    append_list(out, content.messages, [&](const Message& message) {
      out += "{\"content\":";
      append_json_string(out, message.content);
      out += ",\"role\":";
      append_json_string(out, name_of(message.role));
      out.push_back('}');
    });
  } else {
    out += "null";
  }
  out += ",\"model\":";
  append_model(out, content.model);
  out += ",\"name\":";
  append_json_string(out, content.name);
  out += ",\"outputSchema\":";
  append_json_or_null(out, content.output_schema);
  out += ",\"semver\":";
  append_json_string(out, content.semver);
  out += ",\"tools\":";
  append_json_or_null(out, content.tools);
  out += ",\"type\":";
  append_json_string(out, name_of(content.type));
  out += ",\"variables\":";
  append_list(out, content.variables, [&](const Variable& variable) { append_variable(out, variable); });
  out.push_back('}');
  return out;
}

std::string digest_of(const Content& content) { return digest_of_canonical(canonical_content(content)); }

std::string digest_of_canonical(std::string_view canonical) {
  Sha256 hash;
  hash.add(kDigestTag).add(canonical);
  return "sha256:" + to_hex(hash.finish());
}

Result<Content> content_from_canonical(std::string_view text) {
  const json::value document = TRY(parse_json(text, kCanonicalLimits));
  if (!document.is_object()) return invalid("canonical content is not an object");
  Members members(document.get_object());
  Content content;
  content.config = TRY(members.optional_json("config"));
  content.kind = TRY(members.enumerator("kind", artifact_kind_of));
  content.layers = TRY(take_list<LayerRef>(members, "layers", read_layer));
  content.lock = TRY(take_list<LockEntry>(members, "lock", read_lock_entry));
  const json::value* model = TRY(members.take("model"));
  content.model = TRY(read_model(*model));
  content.name = TRY(members.text("name"));
  content.output_schema = TRY(members.optional_json("outputSchema"));
  content.semver = TRY(members.text("semver"));
  content.tools = TRY(members.optional_json("tools"));
  content.type = TRY(members.enumerator("type", content_type_of));
  content.variables = TRY(take_list<Variable>(members, "variables", read_variable));
  TRY(read_body(members, content));
  TRY(members.finish());
  if (canonical_content(content) != text) return invalid("the content is not in its canonical form");
  return content;
}

Result<Binding> binding_from_canonical(std::string_view text) {
  const JsonSlices slices = TRY(JsonSlices::of(text));
  const json::value kind = TRY(parse_json(slices["kind"]));
  const json::value model = TRY(parse_json(slices["model"]));
  Binding binding;
  const auto known = kind.is_string() ? artifact_kind_of(std::string_view(kind.get_string())) : std::nullopt;
  if (!known) return invalid("canonical content of an unknown kind");
  binding.kind = *known;
  binding.model = TRY(read_model(model));
  return binding;
}

Result<std::vector<LockEntry>> lock_from_canonical(std::string_view text) {
  const JsonSlices slices = TRY(JsonSlices::of(text));
  const json::value lock = TRY(parse_json(slices["lock"]));
  return read_list<LockEntry>(lock, "lock", read_lock_entry);
}

}  // namespace imprimatur

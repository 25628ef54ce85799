// What a version says: everything its digest covers. Fixed when the version is saved.
#pragma once

#include "base/result.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace imprimatur {

enum class ArtifactKind { prompt, policy };
enum class ContentType { text, chat };
// A `placeholder` message stands for a list of messages that the caller supplies; its content is the name of
// the variable that holds them.
enum class MessageRole { system, developer, user, assistant, tool, placeholder };
enum class VariableType { string, number, integer, boolean, object, array, messages };

inline constexpr std::size_t kMaxTextBytes = 256 * 1024;  // of a text prompt, or of all messages of a chat
inline constexpr std::size_t kMaxMessages = 200;
inline constexpr std::size_t kMaxVariables = 200;
inline constexpr std::size_t kMaxJsonFieldBytes = 64 * 1024;  // config, tools, outputSchema, each
inline constexpr std::size_t kMaxLayers = 50;
inline constexpr std::size_t kMaxLocked = 500;  // layers of layers included

struct Message {
  MessageRole role = MessageRole::user;
  std::string content;
  bool operator==(const Message&) const = default;
};

struct Variable {
  std::string name;
  VariableType type = VariableType::string;
  bool required = true;
  std::string default_json;  // canonical JSON, empty when there is none; only where not required
  std::string description;
  bool operator==(const Variable&) const = default;
};

struct ModelBinding {
  std::string provider;  // may be empty
  std::string name;
  std::optional<double> temperature;  // 0 to 2
  std::optional<double> top_p;        // 0 to 1
  std::optional<std::int64_t> max_tokens;
  bool operator==(const ModelBinding&) const = default;
};

struct LayerRef {
  std::string name;
  std::string range;  // semver range
  bool operator==(const LayerRef&) const = default;
};

struct LockEntry {
  std::string name;
  std::int64_t version = 0;
  std::string digest;
  bool operator==(const LockEntry&) const = default;
};

struct Content {
  std::string name;
  ArtifactKind kind = ArtifactKind::prompt;
  ContentType type = ContentType::text;
  std::string semver;
  std::string text;               // type text; of a policy words about its rules, or nothing
  std::vector<Message> messages;  // type chat
  std::vector<Variable> variables;
  std::optional<ModelBinding> model;
  // Canonical JSON texts; empty means none.
  std::string config;  // of a policy: its rules
  std::string tools;
  std::string output_schema;  // of a policy: the JSON Schema that its rules obey
  std::vector<LayerRef> layers;
  std::vector<LockEntry> lock;
  bool operator==(const Content&) const = default;
};

std::string_view name_of(ArtifactKind kind);
std::string_view name_of(ContentType type);
std::string_view name_of(MessageRole role);
std::string_view name_of(VariableType type);
std::optional<ArtifactKind> artifact_kind_of(std::string_view name);
std::optional<ContentType> content_type_of(std::string_view name);
std::optional<MessageRole> message_role_of(std::string_view name);
std::optional<VariableType> variable_type_of(std::string_view name);

// Checks everything that a version must hold on its own: sizes, counts, UTF-8 without U+0000, variable names,
// defaults of the right type, template syntax (errors at line and column), model numbers, JSON fields that
// parse, `name` and `semver`, of a policy that its rules obey its schema and do not contradict each other.
// Adds a variable of type string (required) for each name the template uses and nobody declared; refuses a
// declared one twice. Returns the content in the form that is hashed and stored.
Result<Content> checked_content(Content content);

// "sha256:<hex>" over the tag line "imprimatur-version-v1\n" and the canonical JSON (RFC 8785) of all fields
// of Content under their wire names, absent ones null. Precondition: content came from checked_content.
std::string digest_of(const Content& content);

// The canonical JSON that digest_of hashes, without the tag line; `content_from_canonical` reads it back.
std::string canonical_content(const Content& content);
// The digest of canonical text, which is hashed and not read.
std::string digest_of_canonical(std::string_view canonical);
Result<Content> content_from_canonical(std::string_view json);
// What a model rule asks about, found without reading the rest. Precondition: `json` has its digest.
struct Binding {
  ArtifactKind kind = ArtifactKind::prompt;
  std::optional<ModelBinding> model;
};
Result<Binding> binding_from_canonical(std::string_view json);
// The same for the lock.
Result<std::vector<LockEntry>> lock_from_canonical(std::string_view json);

}  // namespace imprimatur

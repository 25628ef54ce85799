#include "registry/drafting.h"

#include "base/enums.h"
#include "base/utf8.h"
#include "domain/name.h"
#include "domain/semver.h"
#include "domain/template.h"

#include <algorithm>

namespace imprimatur::registry {
namespace {

Status apply(const ContentPatch& patch, Content& content) {
  const bool chat = content.type == ContentType::chat;
  if (patch.text && chat) return invalid_field("content", "this is a chat prompt; send `messages`");
  if (patch.messages && !chat) return invalid_field("messages", "this is a text prompt; send `content`");
  if (patch.text) content.text = *patch.text;
  if (patch.messages) content.messages = *patch.messages;
  if (patch.variables) content.variables = *patch.variables;
  if (patch.model) content.model = *patch.model;
  if (patch.config) content.config = *patch.config;
  if (patch.tools) content.tools = *patch.tools;
  if (patch.output_schema) content.output_schema = *patch.output_schema;
  if (patch.layers) content.layers = *patch.layers;
  return Ok{};
}

}  // namespace

Result<Content> first_content(const NewArtifact& wanted) {
  Content content;
  content.name = wanted.name;
  content.kind = wanted.kind;
  content.type = wanted.type;
  const bool policy = wanted.kind == ArtifactKind::policy;
  if (wanted.type == ContentType::text && !wanted.content.text && !policy) {
    return invalid_field("content", "a text prompt needs its text");
  }
  if (wanted.type == ContentType::chat && !wanted.content.messages) {
    return invalid_field("messages", "a chat prompt needs its messages");
  }
  TRY(apply(wanted.content, content));
  content.semver = wanted.content.semver.value_or("1.0.0");
  if (const auto semver = requested_semver(content.semver); !semver.ok()) {
    return invalid_field("semver", semver.error().detail);
  }
  return checked_content(std::move(content));
}

Result<Resolved> next_content(const Resolved& before, const ContentPatch& patch, const LayerSource& source) {
  Content after = before.content;
  TRY(apply(patch, after));
  after.lock.clear();
  if (!patch.variables && (patch.text || patch.messages)) {
    const std::vector<std::string> used = TRY(variables_used(after));
    std::erase_if(after.variables, [&](const Variable& variable) {
      return std::find(used.begin(), used.end(), variable.name) == used.end();
    });
  }
  after = TRY(checked_content(std::move(after)));
  Resolved out = TRY(resolve(std::move(after), source));
  const Bump for_the_application = required_bump(before.effective, out.effective);
  out.content.semver =
      TRY(next_semver(before.content, out.content, patch.semver.value_or(""), for_the_application));
  out.effective.semver = out.content.semver;
  return out;
}

Result<std::string> checked_name(std::string_view name) {
  auto checked = checked_artifact_name(name);
  if (!checked.ok()) return invalid_field("name", checked.error().detail);
  return checked;
}

Result<std::vector<std::string>> checked_tags(std::vector<std::string> tags) {
  if (tags.size() > kMaxTags) return invalid_field("tags", "at most " + std::to_string(kMaxTags) + " tags");
  for (const std::string& tag : tags) {
    if (tag.size() > kMaxTagBytes) {
      return invalid_field("tags", "a tag is longer than " + std::to_string(kMaxTagBytes) + " bytes");
    }
    if (const auto checked = checked_display_name(tag); !checked.ok()) {
      return invalid_field("tags", checked.error().detail);
    }
  }
  std::sort(tags.begin(), tags.end());
  tags.erase(std::unique(tags.begin(), tags.end()), tags.end());
  return tags;
}

Result<std::string> checked_message(std::string_view field, std::string message, std::size_t limit) {
  if (message.size() > limit) {
    return invalid_field(std::string(field), "longer than " + std::to_string(limit) + " bytes");
  }
  if (first_invalid_utf8(message) || message.find('\0') != std::string::npos) {
    return invalid_field(std::string(field), "not UTF-8 text without U+0000");
  }
  return message;
}

std::string_view name_of(Answer::Word word) {
  switch (word) {
    case Answer::Word::yes: return "yes";
    case Answer::Word::no: return "no";
    case Answer::Word::not_applicable: return "not_applicable";
  }
  CHECK(false, "unknown answer");
}

std::optional<Answer::Word> answer_of(std::string_view name) {
  return enumerator_named(name, Answer::Word::not_applicable);
}

}  // namespace imprimatur::registry

// From a request to the content of a version, before anything is written.
#pragma once

#include "domain/layers.h"
#include "registry/registry.h"

namespace imprimatur::registry {

// The first version: name, kind and type from the request, semver 1.0.0 unless given. Its layers are yet to
// be resolved.
Result<Content> first_content(const NewArtifact& wanted);
// The next: `before` with the patch over it, and its layers resolved anew. Declarations of variables that the
// new text no longer uses go unless the patch declares variables itself. Refuses a semver that is too small a
// step for what changes in the text, or for the application.
Result<Resolved> next_content(const Resolved& before, const ContentPatch& patch, const LayerSource& source);

Result<std::string> checked_name(std::string_view name);
Result<std::vector<std::string>> checked_tags(std::vector<std::string> tags);
Result<std::string> checked_message(std::string_view field, std::string message,
                                    std::size_t limit = kMaxMessageBytes);

}  // namespace imprimatur::registry

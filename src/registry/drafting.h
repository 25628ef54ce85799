// From a request to the content of a version, before anything is written.
#pragma once

#include "domain/content.h"
#include "registry/registry.h"

namespace imprimatur::registry {

// The first version: name, kind and type from the request, semver 1.0.0 unless given.
Result<Content> first_content(const NewArtifact& wanted);
// The next: `before` with the patch over it. Declarations of variables that the new text no longer uses go
// unless the patch declares variables itself. Refuses a semver that is too small a step.
Result<Content> next_content(const Content& before, const ContentPatch& patch);

Result<std::string> checked_name(std::string_view name);
Result<std::vector<std::string>> checked_tags(std::vector<std::string> tags);
Result<std::string> checked_message(std::string_view field, std::string message,
                                    std::size_t limit = kMaxMessageBytes);

}  // namespace imprimatur::registry

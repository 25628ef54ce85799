// The content fields of a prompt in a request body.
#pragma once

#include "http/api/fields.h"
#include "registry/registry.h"

namespace imprimatur::http {

// What is left out stays out of the patch. Complaints go to `fields`.
registry::ContentPatch content_patch(Fields& fields);
// A whole creation: name, kind, type, content, tags, message.
registry::NewArtifact new_artifact(Fields& fields);

}  // namespace imprimatur::http

// The parts of a version that a scan looks at.
#pragma once

#include "domain/content.h"
#include "scan/scan.h"

namespace imprimatur::scan {

// Everything that can reach a model: texts, descriptions and defaults of variables, the model's names,
// config, tools, output schema. What is left out is held to a grammar: names, semver, ranges, the lock. Views
// into `content`, which must outlive the answer. `digest` is echoed in the report and must outlive it too.
TemplateView view_of(const Content& content, std::string_view digest = {});

}  // namespace imprimatur::scan

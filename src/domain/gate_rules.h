// The requirements of the gate that content, programs and time meet.
#pragma once

#include "domain/gate_people.h"

#include <string>

namespace imprimatur {

// A named check, the scan among them.
Requirement check_requirement(const std::string& name, const GateFacts& facts, const Demands& demands);
Requirement model_requirement(const GateFacts& facts, const Demands& demands);
Requirement shape_requirement(const GateFacts& facts, const Demands& demands);
// Content that was changed behind the program's back is not what anybody looked at.
Requirement intact_requirement(const GateFacts& facts);
Requirement path_requirement(const GateFacts& facts, const Demands& demands);
// Of the present protection alone: a window is about the moment, and what was agreed on for an earlier one
// has passed.
Requirement freeze_requirement(const GateFacts& facts);

}  // namespace imprimatur

// Names are compared by how they look, and how they look is known better with every version of Unicode.
#pragma once

#include "store/database.h"

namespace imprimatur::store {

// Makes the skeletons of all names anew when the data were written with another version of Unicode than this
// program has. Where two names look alike from now on, the older one keeps the look to itself.
void keep_skeletons(Database& database);

// Whether the skeletons were made with the version of Unicode that this program has.
bool skeletons_are_of_today(Database& database);

// The skeleton of a name that looks like an older one.
std::string skeleton_beside(const std::string& skeleton, const std::string& artifact);

}  // namespace imprimatur::store

// Names of artifacts, projects, environments, labels; equality by look.
#pragma once

#include "base/result.h"

#include <string>
#include <string_view>

namespace imprimatur {

inline constexpr std::size_t kMaxNameBytes = 255;

// An artifact name: NFC, 1 to 255 bytes, folders separated by single '/', no segment empty, "." or "..", no
// leading or trailing white space in a segment, no control, format, private-use or unassigned characters, no
// '@', '?', '#', '\\'. Returns the name itself (never a changed one: a name that is not NFC is refused).
Result<std::string> checked_artifact_name(std::string_view name);

// Projects, environments, teams, labels, service accounts: 1 to 64 of [a-z0-9] with inner '-', '_' or '.'.
Result<std::string> checked_short_name(std::string_view name);

// What people see: 1 to 200 bytes, NFC, no control or format characters, no white space at the ends.
Result<std::string> checked_display_name(std::string_view name);

// Lower-cased, local part and domain, at most 254 bytes, one '@', no white space or control characters.
Result<std::string> checked_email(std::string_view email);

// Whether two different addresses could be taken for each other by somebody who reads them. Two addresses in
// plain ASCII are left alone ("kam@" and "karn@" are people): mail systems tell them apart, and so do admins.
bool emails_look_alike(std::string_view a, std::string_view b);

// UTS 39 skeleton of the case-folded name: two names with one skeleton are one name.
std::string skeleton_of(std::string_view name);

// Of the tables behind skeleton_of: another version may find that other names look alike.
std::string unicode_version();

}  // namespace imprimatur
